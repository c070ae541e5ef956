//! The text of statements with values put in, and where each piece of it comes from.

use super::value::Value;
use super::{Expander, Fault, Frame, fault};
use crate::base::span::{SourceId, Span, Spanned};
use crate::diag::codes;
use crate::syntax::formula::{Formula, Reader};
use crate::syntax::print::number;
use crate::syntax::token::{Token, TokenKind as K, lex};

/// A piece of a text.
struct Piece {
    /// In the result.
    start: usize,
    end: usize,
    /// In the source.
    from: usize,
    to: usize,
    /// Whether it was put in; then the scope of the word that it is.
    put: Option<Option<usize>>,
}

/// Statements of a block with values in the places of parameters.
pub(super) struct Text {
    /// The result.
    pub(super) out: String,
    pieces: Vec<Piece>,
    source: SourceId,
}

impl Text {
    /// Puts in what the frame knows.
    pub(super) fn substitute(
        expander: &Expander<'_>,
        raw: &Spanned<String>,
        frame: &Frame,
    ) -> Result<Text, Fault> {
        let all = lex(&raw.node);
        let (comments, tokens): (Vec<Token>, Vec<Token>) = all
            .into_iter()
            .filter(|t| t.kind != K::Space)
            .partition(|t| matches!(t.kind, K::LineComment | K::BlockComment));
        let text = Text {
            out: String::with_capacity(raw.node.len()),
            pieces: Vec::new(),
            source: frame.source.unwrap_or(raw.span.source),
        };
        let base = raw.span.start as usize;
        let mut writer = Writer { expander, frame, raw: &raw.node, base, tokens, comments, text, copied: 0 };
        writer.run()?;
        Ok(writer.text)
    }

    fn push(&mut self, written: &str, from: usize, to: usize, put: Option<Option<usize>>) {
        let start = self.out.len();
        self.out += written;
        self.pieces.push(Piece { start, end: self.out.len(), from, to, put });
    }

    /// The place in the source of a span of the result.
    pub(super) fn place(&self, span: Span) -> Span {
        let (start, end) = (span.start as usize, span.end as usize);
        let first = self.pieces.partition_point(|p| p.end <= start).min(self.pieces.len().max(1) - 1);
        let last = self.pieces.partition_point(|p| p.end < end).min(self.pieces.len().max(1) - 1);
        let (Some(first), Some(last)) = (self.pieces.get(first), self.pieces.get(last)) else { return span };
        let from = match first.put {
            Some(_) => first.from,
            None => first.from + start.clamp(first.start, first.end) - first.start,
        };
        let to = match last.put {
            Some(_) => last.to,
            None => last.from + end.clamp(last.start, last.end) - last.start,
        };
        Span::new(self.source, from, to.max(from))
    }

    /// The scope of the word that was put in at a span of the result, if it is nothing else.
    pub(super) fn scope_of(&self, span: Span) -> Option<usize> {
        let i = self.pieces.partition_point(|p| p.end <= span.start as usize);
        let piece = self.pieces.get(i)?;
        let whole = piece.start == span.start as usize && piece.end == span.end as usize;
        piece.put.flatten().filter(|_| whole)
    }
}

struct Writer<'e, 'a, 't> {
    expander: &'e Expander<'a>,
    frame: &'e Frame,
    raw: &'t str,
    /// Position in the source of byte 0 of `raw`.
    base: usize,
    tokens: Vec<Token>,
    comments: Vec<Token>,
    text: Text,
    /// What of `raw` is in the result.
    copied: usize,
}

impl Writer<'_, '_, '_> {
    fn kind(&self, i: usize) -> K {
        self.tokens.get(i).map_or(K::End, |t| t.kind)
    }

    fn slice(&self, i: usize) -> &str {
        &self.raw[self.tokens[i].range()]
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.text.source, self.base + start, self.base + end)
    }

    fn copy(&mut self, to: usize) {
        if self.copied < to {
            let written = &self.raw[self.copied..to];
            self.text.push(written, self.base + self.copied, self.base + to, None);
        }
        self.copied = to;
    }

    fn replace(&mut self, start: usize, end: usize, written: &str, value: Option<&Value>) {
        self.copy(start);
        let scope = match value {
            Some(Value::Word { scope, .. }) => Some(*scope),
            _ => None,
        };
        self.text.push(written, self.base + start, self.base + end, Some(scope));
        self.copied = end;
    }

    fn touches(&self, a: usize, b: usize) -> bool {
        b < self.tokens.len() && self.tokens[a].end == self.tokens[b].start
    }

    /// The token that closes the brace at `open`.
    fn close(&self, open: usize) -> Result<usize, Fault> {
        let mut depth = 0;
        for i in open..self.tokens.len() {
            match self.kind(i) {
                K::LeftBrace => depth += 1,
                K::RightBrace => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(i);
            }
        }
        let t = self.tokens[open];
        let at = self.span(t.start as usize, t.end as usize);
        Err(fault(codes::UNCLOSED, "`{` is never closed", at, "opened here"))
    }

    /// The text between two tokens, with its comments blanked.
    fn between(&self, open: usize, close: usize) -> (String, usize) {
        let (start, end) = (self.tokens[open].end as usize, self.tokens[close].start as usize);
        let mut bytes = self.raw.as_bytes()[start..end].to_vec();
        for c in self.comments.iter().filter(|c| c.start as usize >= start && c.end as usize <= end) {
            bytes[c.start as usize - start..c.end as usize - start].fill(b' ');
        }
        (String::from_utf8_lossy(&bytes).into_owned(), start)
    }

    fn formulas(&self, open: usize, close: usize) -> Result<Vec<Formula>, Fault> {
        let (inner, start) = self.between(open, close);
        Reader::new(self.text.source, &inner, self.base + start).formulas()
    }

    fn run(&mut self) -> Result<(), Fault> {
        let mut open: Vec<K> = Vec::new();
        let mut i = 0;
        while i < self.tokens.len() {
            let token = self.tokens[i];
            let (start, end) = (token.start as usize, token.end as usize);
            match token.kind {
                K::At if self.kind(i + 1) == K::LeftBrace && self.touches(i, i + 1) => {
                    let close = self.close(i + 1)?;
                    let formulas = self.formulas(i + 1, close)?;
                    let [formula] = &formulas[..] else {
                        let at = self.span(start, self.tokens[close].end as usize);
                        let title = "`@{…}` holds one expression";
                        return Err(fault(codes::FORMULA, title, at, "more than one"));
                    };
                    let (value, written) = self.expander.inserted(formula, self.frame)?;
                    self.replace(start, self.tokens[close].end as usize, &written, Some(&value));
                    i = close + 1;
                    continue;
                }
                K::At if matches!(self.kind(i + 1), K::Name | K::Variable) && self.touches(i, i + 1) => {
                    let word = self.slice(i + 1).to_string();
                    let end = self.tokens[i + 1].end as usize;
                    let glued = i > 0
                        && self.touches(i - 1, i)
                        && matches!(self.kind(i - 1), K::Name | K::Variable | K::Number | K::RightBrace);
                    match self.frame.value(&word).cloned() {
                        Some(value) => self.put(start, end, &value)?,
                        None if glued => {
                            let at = self.span(start, end);
                            return Err(self.expander.unknown(&word, at, self.frame));
                        }
                        // A special predicate.
                        None => {}
                    }
                    i += 2;
                    continue;
                }
                K::Dollar => {
                    // The name of a weight is no parameter's.
                    i += if matches!(self.kind(i + 1), K::Name | K::Variable) { 2 } else { 1 };
                    continue;
                }
                K::LeftBrace => {
                    let close = self.close(i)?;
                    let plain = (i + 1..close).all(|j| matches!(self.kind(j), K::Number | K::Comma));
                    if !plain {
                        for f in self.formulas(i, close)? {
                            let x = self.expander.whole(&f, self.frame)?;
                            let at = |p: u32| p as usize - self.base;
                            let (from, to) = (at(f.span.start), at(f.span.end));
                            self.replace(from, to, &number(x), None);
                        }
                    }
                    i = close + 1;
                    continue;
                }
                K::LeftParen | K::LeftBracket => open.push(token.kind),
                K::RightParen | K::RightBracket => {
                    open.pop();
                }
                K::Name | K::Variable => {
                    let part = (i > 0 && self.touches(i - 1, i) && self.kind(i - 1) == K::RightBrace)
                        || (self.kind(i + 1) == K::At && self.touches(i, i + 1));
                    let key = open.last() == Some(&K::LeftBracket) && self.kind(i + 1) == K::Equals;
                    // Predicates are renamed in the tree.
                    let kept = part || key || self.expander.takes_predicate(self.slice(i), self.frame.scope);
                    let value = if kept { None } else { self.frame.value(self.slice(i)).cloned() };
                    match value {
                        // A number before parentheses is the name of a predicate that a parameter happens to have.
                        Some(Value::Number(_)) if self.kind(i + 1) == K::LeftParen => {}
                        Some(value) => self.put(start, end, &value)?,
                        None => {}
                    }
                }
                _ => {}
            }
            i += 1;
        }
        self.copy(self.raw.len());
        Ok(())
    }

    fn put(&mut self, start: usize, end: usize, value: &Value) -> Result<(), Fault> {
        let Some(written) = value.text() else {
            let title = format!("{} cannot stand in a statement", value.describe());
            let mut d = fault(codes::FORMULA, title, self.span(start, end), "neither number nor word");
            d.help = Some("`@for` runs over a list, and `@{list[1]}` is its first element".into());
            return Err(d);
        };
        self.replace(start, end, &written, Some(value));
        Ok(())
    }
}
