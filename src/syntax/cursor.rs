//! A cursor over the significant tokens of a text, and the words in which both readers report what they met.

use super::token::{Token, TokenKind, Tokens};
use crate::base::span::{SourceId, Span};
use crate::diag::{Code, Diagnostic, codes};

/// Errors reported for one text before the reader gives up.
pub(super) const MAX_ERRORS: usize = 50;

/// A diagnostic on its way up; boxed so that results stay small.
pub(super) type Fault = Box<Diagnostic>;

/// A fault with one place.
pub(super) fn fault(code: Code, title: impl Into<String>, span: Span, label: impl Into<String>) -> Fault {
    Box::new(Diagnostic::new(code, title).label(span, label))
}

/// The last word when [`MAX_ERRORS`] is reached.
pub(super) fn too_many(span: Span) -> Diagnostic {
    let mut d = Diagnostic::new(codes::UNEXPECTED, "too many errors: the rest of the text was not read")
        .label(span, "read up to here");
    d.severity = crate::diag::Severity::Note;
    d
}

/// A text whose positions do not fit spans.
pub(super) fn too_long(source: SourceId, text: &str) -> Option<Diagnostic> {
    (text.len() >= u32::MAX as usize).then(|| {
        Diagnostic::new(codes::UNEXPECTED, "a text of 4 GiB or more cannot be read")
            .label(Span::new(source, 0, 0), "split this file")
    })
}

/// Cuts a text for a message.
pub(super) fn excerpt(text: &str) -> String {
    const LONG: usize = 32;
    let mut out: String = text.chars().take(LONG).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

/// What a token is, in words.
pub(super) fn describe(kind: TokenKind, text: &str) -> String {
    let text = excerpt(text);
    match kind {
        TokenKind::End => "the end of the text".into(),
        TokenKind::Name => format!("the name `{text}`"),
        TokenKind::Variable => format!("the variable `{text}`"),
        TokenKind::Number => format!("the number `{text}`"),
        TokenKind::Quoted => format!("the constant {text}"),
        TokenKind::Stop => "the full stop".into(),
        _ => format!("`{text}`"),
    }
}

/// A token that is wrong wherever it stands: an unknown character, an unclosed quote or comment.
pub(super) fn lexical(kind: TokenKind, text: &str, span: Span) -> Option<Fault> {
    match kind {
        TokenKind::Error => {
            let c = text.chars().next().unwrap_or('\u{fffd}');
            let shown =
                if c.is_control() || c.is_whitespace() { c.escape_unicode().to_string() } else { c.into() };
            let mut d = fault(
                codes::UNKNOWN_CHARACTER,
                format!("the character `{shown}` has no meaning here"),
                span,
                "this character",
            );
            d.help = match c {
                '"' | '“' | '”' | '„' | '‘' | '’' => {
                    Some("a quoted constant stands between single quotes: 'text'")
                }
                '#' => Some("a comment begins with `%`"),
                ';' => Some("separate literals by commas, write a rule for each alternative; end a statement with a full stop"),
                '+' | '-' | '−' | '–' => Some("a sign stands directly before the digits of its number"),
                '\\' => Some("`!p(X)` holds if the atom does not"),
                '?' => Some("a query begins with `?-`"),
                '\0' => Some("is this a text file?"),
                '\u{feff}' => Some("a byte order mark may only stand at the start of a file"),
                c if c.is_whitespace() => Some("use an ordinary space"),
                _ => None,
            }
            .map(String::from);
            Some(d)
        }
        TokenKind::UnclosedQuote => Some(fault(
            codes::UNCLOSED_QUOTE,
            "a quoted constant is not closed on its line",
            Span { end: span.start + 1, ..span },
            "opened here",
        )),
        TokenKind::UnclosedComment => Some(fault(
            codes::UNCLOSED_COMMENT,
            "a block comment is never closed",
            Span { end: span.start + 2, ..span },
            "opened here",
        )),
        _ => None,
    }
}

/// The significant tokens of a text, one at a time.
#[derive(Clone)]
pub(super) struct Cursor<'t> {
    /// The text.
    pub text: &'t str,
    source: SourceId,
    base: usize,
    tokens: Tokens<'t>,
    /// The token under the cursor; `End` at the end.
    pub now: Token,
    /// The token before it.
    pub before: Token,
}

impl<'t> Cursor<'t> {
    /// A cursor on the first significant token of `text`, which begins at byte `base` of `source`.
    pub fn new(source: SourceId, text: &'t str, base: usize) -> Self {
        let start = Token { kind: TokenKind::End, start: 0, end: 0 };
        let mut cursor = Cursor { text, source, base, tokens: Tokens::new(text), now: start, before: start };
        cursor.advance();
        cursor
    }

    /// Moves to the next significant token.
    #[inline]
    pub fn advance(&mut self) {
        self.before = self.now;
        self.tokens.skip_space();
        self.now = loop {
            match self.tokens.next() {
                Some(t) if t.kind.is_trivia() => {}
                Some(t) => break t,
                None => {
                    let end = self.text.len() as u32;
                    break Token { kind: TokenKind::End, start: end, end };
                }
            }
        };
    }

    /// A short cut through one-hot vectors, which are most of many data files: reads as many `d,` pairs of a single
    /// digit and its comma as follow each other, without making tokens of them, and stops at the element after them.
    /// What it does not recognise, it leaves to the tokens.
    pub fn digits(&mut self, out: &mut Vec<f64>) {
        let bytes = self.text.as_bytes();
        let mut at = self.now.start as usize;
        while let (Some(d @ b'0'..=b'9'), Some(b',')) = (bytes.get(at), bytes.get(at + 1)) {
            let next = at + 2 + usize::from(bytes.get(at + 2) == Some(&b' '));
            // The element behind the comma must be a number too, so that the cursor stands on a token again.
            if !bytes.get(next).is_some_and(u8::is_ascii_digit) {
                break;
            }
            out.push(f64::from(d - b'0'));
            at = next;
        }
        if at > self.now.start as usize {
            self.tokens.jump(at - self.now.end as usize);
            self.advance();
        }
    }

    /// Whether the current token is of this kind.
    #[inline]
    pub fn is(&self, kind: TokenKind) -> bool {
        self.now.kind == kind
    }

    /// Moves on if the current token is of this kind.
    #[inline]
    pub fn eat(&mut self, kind: TokenKind) -> bool {
        let yes = self.now.kind == kind;
        if yes {
            self.advance();
        }
        yes
    }

    /// Moves over a token of this kind or reports what stands there.
    #[inline]
    pub fn expect(&mut self, kind: TokenKind, expected: &str) -> Result<Token, Fault> {
        if self.now.kind != kind {
            return Err(self.unexpected(expected));
        }
        self.advance();
        Ok(self.before)
    }

    /// The text of a token.
    #[inline]
    pub fn slice(&self, token: Token) -> &'t str {
        &self.text[token.range()]
    }

    /// The span of a byte range of the text.
    #[inline]
    pub fn span(&self, start: u32, end: u32) -> Span {
        Span::new(self.source, self.base + start as usize, self.base + end as usize)
    }

    /// The span of a token.
    #[inline]
    pub fn span_of(&self, token: Token) -> Span {
        self.span(token.start, token.end)
    }

    /// From a byte to the end of the token before the cursor.
    #[inline]
    pub fn span_from(&self, start: u32) -> Span {
        self.span(start, self.before.end.max(start))
    }

    /// Whether the current token is the first of its line.
    pub fn on_new_line(&self) -> bool {
        self.text[self.before.end as usize..self.now.start as usize].contains('\n')
    }

    /// "expected …, found …" at the current token.
    #[cold]
    pub fn unexpected(&self, expected: &str) -> Fault {
        let (text, span) = (self.slice(self.now), self.span_of(self.now));
        if let Some(fault) = lexical(self.now.kind, text, span) {
            return fault;
        }
        let found = describe(self.now.kind, text);
        fault(
            codes::UNEXPECTED,
            format!("expected {expected}, found {found}"),
            span,
            format!("expected {expected}"),
        )
    }
}
