//! Layer 1: diagnostics. One type for everything a user is told about a program or its data.
//!
//! A phase returns `(result, diagnostics)`; it collects what it finds and goes on. Only [`render`] knows how a
//! diagnostic looks.

pub mod codes;
pub mod explain;
pub mod render;
pub mod suggest;

use crate::base::hash::HashSet;
use crate::base::span::{SourceMap, Span};
pub use codes::Code;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; the program runs.
    Note,
    /// Probably not what was meant; the program runs.
    Warning,
    /// The program cannot run.
    Error,
}

/// A place in a source with what to say about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there.
    pub text: String,
}

/// One message: a code, a title, labelled places, notes and help.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// The code, unique per kind of fault.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One line: what is wrong, with the names concerned.
    pub title: String,
    /// Places; the first is the main one. Empty for faults without a place (the command line, a missing file).
    pub labels: Vec<Label>,
    /// Facts that explain the fault.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic with the severity that its code begins with (`E…`, `W…`, `N…`).
    pub fn new(code: Code, title: impl Into<String>) -> Self {
        let severity = code.severity();
        Diagnostic { code, severity, title: title.into(), labels: Vec::new(), notes: Vec::new(), help: None }
    }
    /// Adds a labelled place.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }
    /// Adds a note.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }
    /// Sets the help.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
    /// The main place.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|l| l.span)
    }
}

/// What a phase found, in order.
pub type Diagnostics = Vec<Diagnostic>;

/// Without repetitions: what is said of the same place in several uses of a module, or turns of a loop, is said of the
/// first. Errors with other words are others.
pub fn once<'d>(diagnostics: &'d [Diagnostic], sources: &SourceMap) -> Diagnostics {
    let mut seen: HashSet<(Code, Span, Option<&str>)> = HashSet::default();
    let mut repeats = |d: &'d Diagnostic| match d.span() {
        Some(span) => {
            let written = Span { source: sources.written(span.source), ..span };
            let words = d.is_error().then_some(d.title.as_str());
            !seen.insert((d.code, written, words)) && sources.get(span.source).instance.is_some()
        }
        None => false,
    };
    diagnostics.iter().filter(|d| !repeats(d)).cloned().collect()
}

/// A number with its noun: `1 rule`, `2 rules`, `3 queries`.
pub fn counted(n: usize, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if n == 1 => format!("1 {noun}"),
        Some(stem) => format!("{n} {stem}ies"),
        None => format!("{n} {noun}s"),
    }
}

/// Whether any of them is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}
