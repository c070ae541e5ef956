//! Splits a template into statements, from tokens alone, so that each can be parsed by itself.
//!
//! Where a statement ends depends on its kind: rules, facts and queries end with a full stop, and a rule's metadata
//! `[…]` comes after it; metadata of predicates, weights and the template, and predicate offsets have no full stop
//! (one is tolerated); an import ends with a full stop or with its line.

use super::cursor::{Fault, fault, lexical};
use super::token::{Token, TokenKind, Tokens};
use crate::base::span::{SourceId, Span};
use crate::diag::{Label, codes};
use TokenKind as K;
pub use blocks::RESERVED;

mod blocks;

/// Brackets may nest this deep; the language itself needs three.
const MAX_DEPTH: usize = 32;

/// The kind of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkKind {
    /// `head :- body. [metadata]`
    Rule,
    /// `0.5 a(1), b(2).`
    Facts,
    /// `?- q(X).`
    Query,
    /// `h/1 {3}`
    PredicateOffset,
    /// `h/1 [activation=relu]`
    PredicateMetadata,
    /// `$w [learnable=false]`
    WeightMetadata,
    /// `[rule=identity]`
    TemplateMetadata,
    /// `import gnn/gcn.`
    Import,
    /// `@module gcn(x/1, d) { … }`
    Module,
    /// `@use gcn(feature, 8).`
    Use,
    /// `@for L in 1..5 { … }`
    For,
    /// `@if d > 1 { … } @else { … }`
    If,
    /// `@error 'text'.`
    Error,
}

/// The place of one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// What it is.
    pub kind: ChunkKind,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Its first significant token.
    first: usize,
    /// One past its last significant token.
    last: usize,
    /// Whether the text ended before the statement did.
    pub unfinished: bool,
}

/// Whether a text is ready to be executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// Only white space and comments.
    Empty,
    /// Every statement is finished, or faulty in a way that no further line mends.
    Complete,
    /// The last statement needs more text.
    Incomplete,
}

/// Whether two tokens behind `$name[` belong to a family of weights, not to a list of metadata.
pub(super) fn picks(first: TokenKind, second: TokenKind) -> bool {
    matches!(first, K::Name | K::Variable | K::Number | K::Quoted)
        && matches!(second, K::Comma | K::RightBracket | K::Colon)
}

/// Tells the REPL whether to read on.
pub fn completeness(text: &str) -> Completeness {
    let mut chunker = Chunker::new(crate::base::span::SourceId(0), text);
    if chunker.tokens.is_empty() {
        return Completeness::Empty;
    }
    while let Some(next) = chunker.next_chunk() {
        match next {
            Ok(chunk) if chunk.unfinished => return Completeness::Incomplete,
            Err(broken) if broken.at_end => return Completeness::Incomplete,
            Ok(_) => {}
            Err(_) => return Completeness::Complete,
        }
    }
    Completeness::Complete
}

/// A statement that cannot be parsed.
#[derive(Debug)]
pub(super) struct Broken {
    /// Why.
    pub fault: Fault,
    /// Whether more text might mend it.
    pub at_end: bool,
}

/// An iterator over the statements of a template.
pub(super) struct Chunker<'t> {
    text: &'t str,
    source: SourceId,
    tokens: Vec<Token>,
    comments: Vec<Token>,
    at: usize,
}

/// The end of a statement as found by a walk over its tokens.
struct End {
    last: usize,
    unfinished: bool,
    arrow: bool,
}

impl<'t> Chunker<'t> {
    /// Begins at the first statement.
    pub fn new(source: SourceId, text: &'t str) -> Self {
        Self::starting_at(source, text, 0)
    }

    /// Begins at the first statement at or after byte `start`, which no token straddles. Places count from the start
    /// of `text`.
    pub fn starting_at(source: SourceId, text: &'t str, start: usize) -> Self {
        let (mut tokens, mut comments) = (Vec::new(), Vec::new());
        let shift = u32::try_from(start).expect("callers refuse texts of 4 GiB");
        for mut token in Tokens::new(&text[start..]) {
            token.start += shift;
            token.end += shift;
            match token.kind {
                K::Space => {}
                K::LineComment | K::BlockComment => comments.push(token),
                _ => tokens.push(token),
            }
        }
        Chunker { text, source, tokens, comments, at: 0 }
    }

    /// The next statement.
    pub fn next_chunk(&mut self) -> Option<Result<Chunk, Broken>> {
        let first = self.at;
        if first >= self.tokens.len() {
            return None;
        }
        let result = self.scan(first);
        match &result {
            Ok(chunk) => self.at = chunk.last,
            Err(broken) => {
                let resume = self.recover(first, broken);
                self.at = resume.max(first + 1);
            }
        }
        Some(result)
    }

    /// Continues at the token that begins at or after byte `offset` (which lies behind the start of `chunk`).
    pub fn restart(&mut self, chunk: &Chunk, offset: usize) {
        let at = self.tokens.partition_point(|t| (t.start as usize) < offset);
        self.at = at.max(chunk.first + 1);
    }

    /// The token that contains or follows byte `offset`, with the one before it inside `chunk`.
    pub fn token_at(&self, chunk: &Chunk, offset: usize) -> (Option<Token>, Option<Token>) {
        let i = self.tokens[..chunk.last].partition_point(|t| (t.end as usize) <= offset);
        let found = self.tokens[..chunk.last].get(i).copied();
        (found, i.checked_sub(1).filter(|&p| p >= chunk.first).map(|p| self.tokens[p]))
    }

    /// Whether a line ends between two tokens.
    pub fn line_between(&self, a: Token, b: Token) -> bool {
        self.text[a.end as usize..b.start as usize].contains('\n')
    }

    /// The comments inside a byte range.
    pub fn comments(&self, start: usize, end: usize) -> &[Token] {
        let from = self.comments.partition_point(|t| (t.start as usize) < start);
        let to = self.comments.partition_point(|t| (t.start as usize) < end);
        &self.comments[from..to.max(from)]
    }

    fn kind(&self, i: usize) -> TokenKind {
        self.tokens.get(i).map_or(K::End, |t| t.kind)
    }

    fn span(&self, i: usize) -> Span {
        let t = self.tokens[i];
        Span::new(self.source, t.start as usize, t.end as usize)
    }

    fn slice(&self, i: usize) -> &'t str {
        &self.text[self.tokens[i].range()]
    }

    fn new_line_before(&self, i: usize) -> bool {
        i > 0 && i < self.tokens.len() && self.line_between(self.tokens[i - 1], self.tokens[i])
    }

    /// Whether a metadata list begins here: `[` and a word, or `[]`.
    fn metadata_at(&self, i: usize) -> bool {
        self.kind(i) == K::LeftBracket && matches!(self.kind(i + 1), K::Name | K::Variable | K::RightBracket)
    }

    /// Whether what picks the member of a family begins here, behind its name: `[X]` or `[X,…]`; the words of metadata
    /// have values.
    fn member_at(&self, i: usize) -> bool {
        self.kind(i) == K::LeftBracket && picks(self.kind(i + 1), self.kind(i + 2))
    }

    fn scan(&self, first: usize) -> Result<Chunk, Broken> {
        let chunk = |kind, last: usize, unfinished| {
            let end = self.tokens[last - 1].end as usize;
            Ok(Chunk { kind, start: self.tokens[first].start as usize, end, first, last, unfinished })
        };
        if self.import_at(first) {
            return self.import(first);
        }
        if let Some(keyword) = self.keyword(first) {
            return self.block(first, keyword);
        }
        let listed = |kind, bracket| {
            let end = self.list(bracket)?;
            chunk(kind, if self.kind(end) == K::Stop { end + 1 } else { end }, false)
        };
        let kind = self.kind(first);
        match kind {
            K::Stop => {
                let label = "nothing stands before it";
                let title = "a full stop without a statement";
                let fault = fault(codes::UNEXPECTED, title, self.span(first), label);
                return Err(Broken { fault, at_end: false });
            }
            K::Ask => {
                let end = self.statement(first)?;
                return chunk(ChunkKind::Query, end.last, end.unfinished);
            }
            K::LeftBracket if self.metadata_at(first) => return listed(ChunkKind::TemplateMetadata, first),
            K::Dollar if matches!(self.kind(first + 1), K::Name | K::Variable) => {
                let end = self.name_end(first + 1);
                if self.metadata_at(end) && !self.member_at(end) {
                    return listed(ChunkKind::WeightMetadata, end);
                }
            }
            // In modules also `@K/1`, a name that is put in.
            K::Name | K::At if kind != K::At || matches!(self.kind(first + 1), K::Name | K::Variable) => {
                let name = self.name_end(first + usize::from(kind == K::At));
                let (number, behind) = (name + 1, name + 2);
                if self.kind(name) == K::Slash && self.kind(number) == K::Number {
                    if self.metadata_at(behind) {
                        return listed(ChunkKind::PredicateMetadata, behind);
                    }
                    match self.kind(behind) {
                        K::LeftParen | K::Implies | K::LeftArrow | K::Comma | K::Stop => {}
                        K::End => return chunk(ChunkKind::PredicateOffset, behind, true),
                        _ => {
                            let end = self.offset(behind)?;
                            let stop = self.kind(end) == K::Stop;
                            let last = if stop { end + 1 } else { end };
                            return chunk(ChunkKind::PredicateOffset, last, false);
                        }
                    }
                }
            }
            _ => {}
        }
        let end = self.statement(first)?;
        if !end.arrow {
            return chunk(ChunkKind::Facts, end.last, end.unfinished);
        }
        let last =
            if !end.unfinished && self.metadata_at(end.last) { self.list(end.last)? } else { end.last };
        chunk(ChunkKind::Rule, last, end.unfinished)
    }

    /// Walks from `from` until `done` says so after a token; keeps the stack of open brackets.
    fn walk(&self, from: usize, mut done: impl FnMut(usize, usize) -> bool) -> Result<(usize, bool), Broken> {
        let broken = |fault| Err(Broken { fault, at_end: false });
        let mut stack: Vec<usize> = Vec::new();
        for i in from..self.tokens.len() {
            let kind = self.kind(i);
            match kind {
                K::LeftParen | K::LeftBracket | K::LeftBrace => {
                    stack.push(i);
                    if stack.len() > MAX_DEPTH {
                        let title = format!("brackets nested more than {MAX_DEPTH} deep");
                        return broken(fault(codes::NESTED_TOO_DEEP, title, self.span(i), "one too many"));
                    }
                }
                K::RightParen | K::RightBracket | K::RightBrace => match stack.last() {
                    Some(&open) if self.kind(open).closing() == Some(kind) => {
                        stack.pop();
                    }
                    Some(&open) => {
                        let mut fault = self.unclosed(open);
                        let text = format!("this `{}` does not close it", self.slice(i));
                        fault.labels.push(Label { span: self.span(i), text });
                        return broken(fault);
                    }
                    None => {
                        let title = format!("`{}` closes nothing", self.slice(i));
                        return broken(fault(
                            codes::UNOPENED,
                            title,
                            self.span(i),
                            "no bracket is open here",
                        ));
                    }
                },
                K::Stop => {
                    if let Some(&open) = stack.last() {
                        let mut fault = self.unclosed(open);
                        let text = "the statement ends here".to_string();
                        fault.labels.push(Label { span: self.span(i), text });
                        return broken(fault);
                    }
                }
                // `:-` and a digit may be the colon of a sparse entry and a sign; any other arrow between brackets
                // shows that they should have been closed before.
                K::Implies | K::LeftArrow if !self.signed_colon(i) => {
                    if let Some(&open) = stack.last() {
                        let mut fault = self.unclosed(open);
                        let text = "an arrow cannot stand between brackets".to_string();
                        fault.labels.push(Label { span: self.span(i), text });
                        return broken(fault);
                    }
                }
                _ => {
                    if let Some(fault) = lexical(kind, self.slice(i), self.span(i)) {
                        return Err(Broken { fault, at_end: kind == K::UnclosedComment });
                    }
                }
            }
            if done(i, stack.len()) {
                return Ok((i + 1, true));
            }
        }
        match stack.last() {
            Some(&open) => Err(Broken { fault: self.unclosed(open), at_end: true }),
            None => Ok((self.tokens.len(), false)),
        }
    }

    fn signed_colon(&self, i: usize) -> bool {
        let end = self.tokens[i].end as usize;
        self.kind(i) == K::Implies && self.text.as_bytes().get(end).is_some_and(u8::is_ascii_digit)
    }

    fn unclosed(&self, open: usize) -> Fault {
        let title = format!("`{}` is never closed", self.slice(open));
        fault(codes::UNCLOSED, title, self.span(open), "opened here")
    }

    /// To the full stop.
    fn statement(&self, first: usize) -> Result<End, Broken> {
        let mut arrow = false;
        let (last, finished) = self.walk(first, |i, depth| {
            let kind = self.kind(i);
            arrow |= depth == 0 && kind.is_arrow();
            // The word of a block begins a statement, also where the full stop before it was forgotten.
            kind == K::Stop || depth == 0 && i > first && self.keyword(i + 1).is_some()
        })?;
        Ok(End { last, unfinished: !finished, arrow })
    }

    /// To the end of a bracketed group.
    fn list(&self, bracket: usize) -> Result<usize, Broken> {
        self.walk(bracket, |_, depth| depth == 0).map(|(last, _)| last)
    }

    /// To the end of the weight of a predicate offset; of anything else, one token, for the parser to complain about.
    fn offset(&self, mut i: usize) -> Result<usize, Broken> {
        if self.kind(i) == K::Dollar && matches!(self.kind(i + 1), K::Name | K::Variable) {
            i += 2;
            if self.member_at(i) {
                i = self.list(i)?;
            }
            if self.kind(i) != K::Equals {
                return Ok(i);
            }
            i += 1;
        }
        let fixed = self.kind(i) == K::LeftAngle;
        if fixed {
            i += 1;
        }
        let mut end = match self.kind(i) {
            K::End => return Ok(i.min(self.tokens.len())),
            _ => self.list(i)?,
        };
        if fixed && end < self.tokens.len() {
            end += 1;
        }
        Ok(end)
    }

    /// Whether `import` here is the keyword: a path follows, not a bracket, arrow, comma, slash or full stop.
    fn import_at(&self, first: usize) -> bool {
        if self.kind(first) != K::Name || self.slice(first) != "import" || first + 1 >= self.tokens.len() {
            return false;
        }
        let (word, next) = (self.tokens[first], self.tokens[first + 1]);
        let ends_there =
            |t: Token| self.text.as_bytes().get(t.end as usize).is_none_or(u8::is_ascii_whitespace);
        match next.kind {
            K::LeftParen | K::Implies | K::LeftArrow | K::Comma => false,
            K::Stop => !ends_there(next),
            _ => word.end < next.start,
        }
    }

    fn import(&self, first: usize) -> Result<Chunk, Broken> {
        let mut i = first + 1;
        let glued = |i: usize| {
            i < self.tokens.len()
                && self.tokens[i].kind != K::Comma
                && self.tokens[i - 1].end == self.tokens[i].start
        };
        loop {
            // A path: everything up to a gap or a comma.
            while i < self.tokens.len() {
                if matches!(self.kind(i), K::UnclosedQuote | K::UnclosedComment) {
                    let fault = lexical(self.kind(i), self.slice(i), self.span(i))
                        .expect("an unclosed token is a lexical fault");
                    return Err(Broken { fault, at_end: self.kind(i) == K::UnclosedComment });
                }
                i += 1;
                if !glued(i) {
                    break;
                }
            }
            match self.kind(i) {
                K::Comma => i += 1,
                // A full stop after a gap; whatever else stands on the line is for the parser to complain about.
                _ if self.kind(i - 1) == K::Stop || self.new_line_before(i) => break,
                K::Stop => {
                    i += 1;
                    break;
                }
                K::End => break,
                _ => {
                    i += 1;
                    while i < self.tokens.len() && !self.new_line_before(i) {
                        i += 1;
                    }
                    break;
                }
            }
            if i >= self.tokens.len() {
                break;
            }
        }
        let unfinished = self.kind(i - 1) == K::Comma;
        let (start, end) = (self.tokens[first].start as usize, self.tokens[i - 1].end as usize);
        Ok(Chunk { kind: ChunkKind::Import, start, end, first, last: i, unfinished })
    }

    /// Where to go on after a broken statement: behind its full stop; if a metadata list was left open, or a quote
    /// swallowed the full stop, at the next line that can begin a statement.
    fn recover(&self, first: usize, broken: &Broken) -> usize {
        if self.keyword(first).is_some_and(|k| !k.ends_with_stop()) {
            return self.block_recovery(first);
        }
        let place = broken.fault.labels.first().map_or(0, |l| l.span.start);
        let faulty = self.tokens.partition_point(|t| t.start < place).min(self.tokens.len() - 1).max(first);
        let next_line = |from: usize| {
            (from + 1..self.tokens.len())
                .find(|&i| {
                    self.new_line_before(i)
                        && !matches!(self.kind(i - 1), K::Comma | K::Equals | K::LeftBracket)
                })
                .unwrap_or(self.tokens.len())
        };
        match self.kind(faulty) {
            K::Stop if faulty == first => return first + 1,
            K::LeftBracket if self.metadata_at(faulty) => return next_line(faulty),
            K::UnclosedQuote if self.slice(faulty).trim_end().ends_with('.') => return faulty + 1,
            K::UnclosedComment => return self.tokens.len(),
            _ => {}
        }
        let Some(stop) = (faulty..self.tokens.len()).find(|&i| self.kind(i) == K::Stop) else {
            return self.tokens.len();
        };
        // A faulty rule takes its metadata with it.
        if self.metadata_at(stop + 1)
            && (first..stop).any(|i| self.kind(i).is_arrow())
            && let Ok(end) = self.list(stop + 1)
        {
            return end;
        }
        stop + 1
    }
}
