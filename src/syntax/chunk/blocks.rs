//! Modules, loops and choices: the statements that hold statements. Their words (`@module`, `@use`, `@for`, `@if`,
//! `@else`, `@error`) are no special predicates, so that they begin a statement wherever they stand.

use super::{Broken, Chunk, ChunkKind, Chunker, Fault, K, MAX_DEPTH};
use crate::base::span::{Span, Spanned};
use crate::diag::{Label, codes};
use crate::syntax::ast::{Block, For, If, Module, Part, Refusal, Statement, Use};
use crate::syntax::cursor::{describe, fault, lexical};
use crate::syntax::formula::Reader;
use std::sync::Arc;

/// The word behind the `@` that begins a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::syntax) enum Keyword {
    /// `@module`
    Module,
    /// `@use`
    Use,
    /// `@for`
    For,
    /// `@if`
    If,
    /// `@else`
    Else,
    /// `@error`
    Error,
}

impl Keyword {
    /// Whether a full stop ends it, not a closing brace.
    pub(in crate::syntax) fn ends_with_stop(self) -> bool {
        matches!(self, Keyword::Use | Keyword::Error)
    }
}

/// Words that no parameter, loop variable or module can have for a name.
pub const RESERVED: [&str; 7] = ["module", "use", "for", "if", "else", "in", "error"];

/// The tokens of a block's brackets.
struct Body {
    open: usize,
    close: usize,
}

impl Chunker<'_> {
    /// The keyword that begins at a token.
    pub(in crate::syntax) fn keyword(&self, i: usize) -> Option<Keyword> {
        if self.kind(i) != K::At || self.kind(i + 1) != K::Name {
            return None;
        }
        let (at, word) = (self.tokens[i], self.tokens[i + 1]);
        // `l@if` is a name with a parameter in it.
        let glued = i > 0
            && self.tokens[i - 1].end == at.start
            && matches!(self.kind(i - 1), K::Name | K::Variable | K::Number);
        if at.end != word.start || glued {
            return None;
        }
        Some(match self.slice(i + 1) {
            "module" => Keyword::Module,
            "use" => Keyword::Use,
            "for" => Keyword::For,
            "if" => Keyword::If,
            "else" => Keyword::Else,
            "error" => Keyword::Error,
            _ => return None,
        })
    }

    /// The block that begins at a keyword, as a statement's place.
    pub(super) fn block(&self, first: usize, keyword: Keyword) -> Result<Chunk, Broken> {
        let (kind, last, unfinished) = match keyword {
            Keyword::Use | Keyword::Error => {
                let end = self.statement(first)?;
                let kind = if keyword == Keyword::Use { ChunkKind::Use } else { ChunkKind::Error };
                (kind, end.last, end.unfinished)
            }
            Keyword::Module => (ChunkKind::Module, self.body(first + 2, false)?.close + 1, false),
            Keyword::For => (ChunkKind::For, self.body(first + 2, true)?.close + 1, false),
            Keyword::If => (ChunkKind::If, self.choice_end(first)?, false),
            Keyword::Else => {
                let label = "no `@if { … }` ends before it";
                let at = self.span(first).to(self.span(first + 1));
                let fault = fault(codes::UNEXPECTED, "`@else` without an `@if`", at, label);
                return Err(Broken { fault, at_end: false });
            }
        };
        let (start, end) = (self.tokens[first].start as usize, self.tokens[last - 1].end as usize);
        Ok(Chunk { kind, start, end, first, last, unfinished })
    }

    fn choice_end(&self, first: usize) -> Result<usize, Broken> {
        let mut last = self.body(first + 2, false)?.close + 1;
        // A chain of `@else @if` is a list, not a recursion: it may be long.
        while self.keyword(last) == Some(Keyword::Else) {
            if self.keyword(last + 2) == Some(Keyword::If) {
                last = self.body(last + 4, false)?.close + 1;
            } else {
                return Ok(self.body(last + 2, false)?.close + 1);
            }
        }
        Ok(last)
    }

    /// Where a faulty block ends: behind the bracket that closes its body, if there is one.
    pub(super) fn block_recovery(&self, first: usize) -> usize {
        let mut depth = 0usize;
        for i in first + 2..self.tokens.len() {
            match self.kind(i) {
                K::LeftBrace => depth += 1,
                K::RightBrace if depth <= 1 => return i + 1,
                K::RightBrace => depth -= 1,
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// The body of a block whose header begins at token `from`.
    fn body(&self, from: usize, list: bool) -> Result<Body, Broken> {
        let mut i = from;
        loop {
            let touches = |a: usize, b: usize| self.tokens[a].end == self.tokens[b].start;
            match self.kind(i) {
                K::LeftParen | K::LeftBracket => i = self.group(i)?,
                K::LeftBrace if self.kind(i - 1) == K::At && touches(i - 1, i) => i = self.group(i)?,
                K::LeftBrace if list && self.kind(i - 1) == K::Name && self.slice(i - 1) == "in" => {
                    i = self.group(i)?;
                }
                K::LeftBrace => return Ok(Body { open: i, close: self.group(i)? }),
                K::Stop if self.kind(i + 1) == K::Stop && touches(i, i + 1) => i += 1,
                kind => {
                    let found = i < self.tokens.len();
                    if found && let Some(fault) = lexical(kind, self.slice(i), self.span(i)) {
                        return Err(Broken { fault, at_end: kind == K::UnclosedComment });
                    }
                    if !found || kind == K::Stop || kind.is_closing() || self.keyword(i).is_some() {
                        let what =
                            if found { describe(kind, self.slice(i)) } else { "the end of the text".into() };
                        let at = self.span(if found { i } else { self.tokens.len() - 1 });
                        let title = format!("expected `{{`, found {what}");
                        let fault = fault(codes::UNEXPECTED, title, at, "expected `{`");
                        return Err(Broken { fault, at_end: !found });
                    }
                }
            }
            i += 1;
        }
    }

    /// The token that closes the bracket at `open`.
    fn group(&self, open: usize) -> Result<usize, Broken> {
        let broken = |fault, at_end| Err(Broken { fault, at_end });
        let mut stack: Vec<usize> = Vec::new();
        for i in open..self.tokens.len() {
            let kind = self.kind(i);
            match kind {
                K::LeftParen | K::LeftBracket | K::LeftBrace => {
                    stack.push(i);
                    if stack.len() > MAX_DEPTH {
                        let title = format!("brackets nested more than {MAX_DEPTH} deep");
                        let fault = fault(codes::NESTED_TOO_DEEP, title, self.span(i), "one too many");
                        return broken(fault, false);
                    }
                }
                kind if kind.is_closing() => {
                    let Some(&inner) = stack.last() else { break };
                    if self.kind(inner).closing() != Some(kind) {
                        let mut fault = self.unclosed(inner);
                        let text = format!("this `{}` does not close it", self.slice(i));
                        fault.labels.push(Label { span: self.span(i), text });
                        return broken(fault, false);
                    }
                    stack.pop();
                    if stack.is_empty() {
                        return Ok(i);
                    }
                }
                K::Stop => {
                    if let Some(&inner) = stack.last().filter(|&&s| self.kind(s) != K::LeftBrace) {
                        let mut fault = self.unclosed(inner);
                        let text = "the statement ends here".to_string();
                        fault.labels.push(Label { span: self.span(i), text });
                        return broken(fault, false);
                    }
                }
                _ => {
                    if let Some(fault) = lexical(kind, self.slice(i), self.span(i)) {
                        return broken(fault, kind == K::UnclosedComment);
                    }
                }
            }
        }
        broken(self.unclosed(stack.last().copied().unwrap_or(open)), true)
    }

    /// A statement that is parsed when the blocks before it are expanded.
    pub(in crate::syntax) fn later(&self, chunk: &Chunk) -> Statement {
        let text = self.written(chunk.first, chunk.last);
        Statement::Block(Arc::new(Block { part: Part::Text(text.clone()), text }))
    }

    /// The byte positions of the braces of the block that the text begins with, those of a chain of choices in order.
    pub(in crate::syntax) fn bodies(&self) -> Vec<(usize, usize)> {
        let mut out = Vec::new();
        let mut at = 0;
        let list = self.keyword(0) == Some(Keyword::For);
        while let Some(keyword) = self.keyword(at).filter(|k| !k.ends_with_stop()) {
            let from = match (keyword, self.keyword(at + 2)) {
                (Keyword::Else, Some(Keyword::If)) => at + 4,
                _ => at + 2,
            };
            let Ok(body) = self.body(from, list) else { break };
            let place = |i: usize| self.tokens[i].start as usize;
            out.push((place(body.open), place(body.close)));
            at = body.close + 1;
        }
        out
    }

    /// The token behind a name, with the values that are part of it: `l@{L-1}`.
    pub(super) fn name_end(&self, first: usize) -> usize {
        let touches = |i: usize| i < self.tokens.len() && self.tokens[i - 1].end == self.tokens[i].start;
        let mut i = first + 1;
        loop {
            let word = matches!(self.kind(i + 1), K::Name | K::Variable) && touches(i + 1);
            match self.kind(i) {
                K::At if touches(i) && word => i += 2,
                K::At if touches(i) && self.kind(i + 1) == K::LeftBrace && touches(i + 1) => {
                    match self.group(i + 1) {
                        Ok(close) => i = close + 1,
                        Err(_) => return i,
                    }
                }
                K::Name | K::Variable | K::Number if touches(i) && self.kind(i - 1) == K::RightBrace => {
                    i += 1
                }
                _ => return i,
            }
        }
    }

    /// The syntax tree of a block.
    pub(in crate::syntax) fn tree(&self, chunk: &Chunk) -> Result<Statement, Fault> {
        let text = self.written(chunk.first, chunk.last);
        if chunk.kind != ChunkKind::Module {
            let part = self.part(chunk.first)?.0;
            return Ok(Statement::Block(Arc::new(Block { part, text })));
        }
        let body = self.body(chunk.first + 2, false).map_err(|b| b.fault)?;
        let header = self.blank(chunk.first + 2, body.open);
        let mut reader = self.reader(chunk.first + 2, &header);
        let (name, parameters) = reader.parameters()?;
        reader.end("`{`")?;
        Ok(Statement::Module(Arc::new(Module {
            name,
            parameters,
            doc: self.doc(chunk.first),
            header: self.span(chunk.first).to(self.span(body.open - 1)),
            body: self.parts(body.open + 1, body.close)?,
            text,
        })))
    }

    /// The block that begins at a token, with the token behind it.
    fn part(&self, first: usize) -> Result<(Part, usize), Fault> {
        let unbroken = |b: Broken| b.fault;
        match self.keyword(first) {
            Some(keyword @ (Keyword::Use | Keyword::Error)) => {
                let end = self.statement(first).map_err(unbroken)?;
                let stop = self.kind(end.last - 1) == K::Stop;
                if !stop {
                    let at = self.span(end.last - 1);
                    let title = "a statement has no full stop";
                    return Err(fault(codes::MISSING_STOP, title, at, "a full stop is missing after this"));
                }
                let header = self.blank(first + 2, end.last - 1);
                let mut reader = self.reader(first + 2, &header);
                let span = self.span(first).to(self.span(end.last - 2));
                let part = if keyword == Keyword::Use {
                    let (name, arguments) = reader.arguments()?;
                    Part::Use(Use { name, arguments, span })
                } else {
                    Part::Error(Refusal { text: reader.message()?, span })
                };
                reader.end("a full stop")?;
                Ok((part, end.last))
            }
            Some(Keyword::For) => {
                let body = self.body(first + 2, true).map_err(unbroken)?;
                let header = self.blank(first + 2, body.open);
                let (variable, range) = self.reader(first + 2, &header).loop_header()?;
                let span = self.span(first).to(self.span(body.open - 1));
                let inner = self.parts(body.open + 1, body.close)?;
                Ok((Part::For(For { variable, range, body: inner, span }), body.close + 1))
            }
            Some(Keyword::If) => self.choice(first),
            _ => {
                let at = self.span(first).to(self.span(first + 1));
                let title = format!("`@{}` cannot stand here", self.slice(first + 1));
                let label = "only `@use`, `@for`, `@if` and `@error` stand inside blocks";
                Err(fault(codes::NOT_ALLOWED_HERE, title, at, label))
            }
        }
    }

    fn choice(&self, first: usize) -> Result<(Part, usize), Fault> {
        let mut links = Vec::new();
        let (mut at, mut otherwise) = (first, Vec::new());
        let end = loop {
            let body = self.body(at + 2, false).map_err(|b| b.fault)?;
            let header = self.blank(at + 2, body.open);
            let condition = self.reader(at + 2, &header).condition()?;
            links.push((condition, self.parts(body.open + 1, body.close)?));
            let next = body.close + 1;
            if self.keyword(next) != Some(Keyword::Else) {
                break next;
            }
            if self.keyword(next + 2) == Some(Keyword::If) {
                at = next + 2;
                continue;
            }
            let body = self.body(next + 2, false).map_err(|b| b.fault)?;
            if body.open != next + 2 {
                let label = "expected `{` or `@if`";
                return Err(fault(codes::UNEXPECTED, label, self.span(next + 2), label));
            }
            otherwise = self.parts(body.open + 1, body.close)?;
            break body.close + 1;
        };
        Ok((Part::If(If { links, otherwise }), end))
    }

    /// The parts between two tokens.
    fn parts(&self, from: usize, to: usize) -> Result<Vec<Part>, Fault> {
        let (mut out, mut start, mut i) = (Vec::new(), from, from);
        while i < to {
            if self.keyword(i).is_none() {
                i += 1;
                continue;
            }
            if start < i {
                out.push(Part::Text(self.written(start, i)));
            }
            let (part, end) = self.part(i)?;
            out.push(part);
            (start, i) = (end, end);
        }
        if start < to {
            out.push(Part::Text(self.written(start, to)));
        }
        Ok(out)
    }

    /// The text from a token to the one before another.
    fn written(&self, first: usize, last: usize) -> Spanned<String> {
        let (start, end) = (self.tokens[first].start as usize, self.tokens[last - 1].end as usize);
        Spanned::new(self.text[start..end].to_string(), Span::new(self.source, start, end))
    }

    /// The text from one token up to another, with its comments blanked.
    fn blank(&self, from: usize, to: usize) -> String {
        let (start, end) = (self.tokens[from].start as usize, self.tokens[to].start as usize);
        let mut bytes = self.text.as_bytes()[start..end].to_vec();
        for comment in self.comments(start, end) {
            bytes[comment.start as usize - start..comment.end as usize - start].fill(b' ');
        }
        // Whole comments are blanked, so characters stay whole.
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn reader<'h>(&self, from: usize, header: &'h str) -> Reader<'h> {
        Reader::new(self.source, header, self.tokens[from].start as usize)
    }

    /// The lines of the `%%` comments directly before a token.
    fn doc(&self, first: usize) -> Vec<String> {
        let start = first.checked_sub(1).map_or(0, |b| self.tokens[b].end as usize);
        let comments = self.comments(start, self.tokens[first].start as usize);
        let lines: Vec<&str> = comments.iter().map(|c| &self.text[c.range()]).collect();
        let from = lines.iter().rposition(|l| !l.starts_with("%%")).map_or(0, |i| i + 1);
        let clean = |line: &&str| line.trim_start_matches('%').trim().to_string();
        lines[from..].iter().map(clean).collect()
    }
}
