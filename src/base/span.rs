//! Positions in source texts.

use super::index::{Id, IndexVec};
use std::sync::Arc;

crate::id! {
    /// A source text (a file, standard input, a REPL entry).
    pub struct SourceId;
}

/// A byte range of one source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The source.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end` of `source`.
    pub fn new(source: SourceId, start: usize, end: usize) -> Self {
        let clamp = |x: usize| u32::try_from(x).unwrap_or(u32::MAX);
        Span { source, start: clamp(start), end: clamp(end) }
    }
    /// The smallest span that covers both (of the same source).
    pub fn to(self, other: Span) -> Span {
        Span { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
    /// The byte range.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Something with its place in a source.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    /// The thing.
    pub node: T,
    /// Its place.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Pairs a thing with its place.
    pub fn new(node: T, span: Span) -> Self {
        Spanned { node, span }
    }
}

/// One source text with its display name.
#[derive(Debug, Clone)]
pub struct Source {
    /// Display name: a path as the user gave it, `<stdin>`, `<repl>`.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
    /// Whether it is a table, not a text of the language.
    pub table: bool,
    /// If it stands for the text of another source as one expansion reads it.
    pub instance: Option<Instance>,
}

/// One reading of a text by an expansion of a module or a loop, so that places tell for which of them they stand.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The source whose text it is; itself no instance.
    pub of: SourceId,
    /// What asked for the expansion, maybe inside another instance.
    pub at: Span,
    /// What to say there.
    pub note: String,
}

/// All source texts of a session; spans point into it.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    sources: IndexVec<SourceId, Source>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds a text.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let text = text.into().into();
        self.sources.push(Source { name: name.into(), text, table: false, instance: None })
    }
    /// Adds a reading of the text of `of` that `at` asks for.
    pub fn add_instance(&mut self, of: SourceId, at: Span, note: String) -> SourceId {
        let of = self.written(of);
        let instance = Some(Instance { of, at, note });
        self.sources.push(Source { instance, ..self.sources[of].clone() })
    }
    /// The source that a user wrote: of an instance that of its text.
    pub fn written(&self, id: SourceId) -> SourceId {
        self.sources[id].instance.as_ref().map_or(id, |i| i.of)
    }
    /// What asked for the expansions that a source stands for, the nearest first, each with what to say there.
    pub fn expansions(&self, id: SourceId) -> Vec<(Span, &str)> {
        let mut out = Vec::new();
        let mut next = self.sources[id].instance.as_ref();
        while let Some(instance) = next {
            let at = Span { source: self.written(instance.at.source), ..instance.at };
            out.push((at, instance.note.as_str()));
            next = self.sources[instance.at.source].instance.as_ref();
        }
        out
    }
    /// Says that a source is a table.
    pub fn mark_table(&mut self, id: SourceId) {
        self.sources[id].table = true;
    }
    /// Adds a table by a text that stands for it.
    pub fn add_table(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let text = text.into().into();
        self.sources.push(Source { name: name.into(), text, table: true, instance: None })
    }
    /// The source of an id.
    pub fn get(&self, id: SourceId) -> &Source {
        &self.sources[id]
    }
    /// The text of a source.
    pub fn text(&self, id: SourceId) -> &str {
        &self.sources[id].text
    }
    /// The text under a span (empty if the span is out of range).
    pub fn slice(&self, span: Span) -> &str {
        self.sources[span.source].text.get(span.range()).unwrap_or("")
    }
    /// 1-based line and column (in characters) of the start of a span.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let text = self.text(span.source);
        let mut at = (span.start as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &text[..at];
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
    /// `name:line:column` of the start of a span.
    pub fn place(&self, span: Span) -> String {
        let (line, column) = self.line_column(span);
        format!("{}:{line}:{column}", self.get(span.source).name)
    }
    /// All sources in order, without instances.
    pub fn ids(&self) -> impl Iterator<Item = SourceId> {
        (0..self.sources.len()).map(SourceId::new).filter(|&id| self.sources[id].instance.is_none())
    }
    /// The number of sources, instances included: the next one's index.
    pub fn len(&self) -> usize {
        self.sources.len()
    }
    /// Whether there is no source.
    pub fn is_empty(&self) -> bool {
        self.sources.len() == 0
    }
}
