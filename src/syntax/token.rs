//! The one lexer. Every byte of a source belongs to exactly one token, so that colours, bracket matching, the
//! completeness check of the REPL, the chunker and the streaming reader all see the same text.

use logos::Logos;

/// What a token is.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// White space; also a byte order mark at the start of the text.
    #[regex(r"[ \t\r\n\x0B\x0C]+")]
    Space,
    /// `% …` to the end of the line.
    #[token("%", line_comment)]
    LineComment,
    /// `/* … */`, nested.
    #[token("/*", block_comment)]
    BlockComment,
    /// `foo-bar`, `c1`: begins with a letter that is not upper-case.
    #[regex("[a-z][a-zA-Z0-9_-]*", extend)]
    Name,
    /// `X`, `_x`, `_`.
    #[regex("[A-Z_][a-zA-Z0-9_-]*", extend)]
    Variable,
    /// `1`, `-1.5e3`, `+1`, `1e1`: a sign belongs to its number.
    #[regex(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")]
    Number,
    /// `'text'`, with `''` or `\'` for a quote.
    #[token("'", quoted)]
    Quoted,
    /// `:-`
    #[token(":-")]
    Implies,
    /// `<=`, the other arrow.
    #[token("<=")]
    LeftArrow,
    /// `?-`
    #[token("?-")]
    Ask,
    /// `(`
    #[token("(")]
    LeftParen,
    /// `)`
    #[token(")")]
    RightParen,
    /// `[`
    #[token("[")]
    LeftBracket,
    /// `]`
    #[token("]")]
    RightBracket,
    /// `{`
    #[token("{")]
    LeftBrace,
    /// `}`
    #[token("}")]
    RightBrace,
    /// `<`
    #[token("<")]
    LeftAngle,
    /// `>`
    #[token(">")]
    RightAngle,
    /// `,`
    #[token(",")]
    Comma,
    /// `.`
    #[token(".")]
    Stop,
    /// `/`
    #[token("/")]
    Slash,
    /// `=`
    #[token("=")]
    Equals,
    /// `!=`
    #[token("!=")]
    Differs,
    /// `>=`
    #[token(">=")]
    AtLeast,
    /// `+` that is no sign of a number.
    #[token("+")]
    Plus,
    /// `-` that is no sign of a number.
    #[token("-")]
    Minus,
    /// `$`
    #[token("$")]
    Dollar,
    /// `!`
    #[token("!")]
    Bang,
    /// `~`
    #[token("~")]
    Tilde,
    /// `@`
    #[token("@")]
    At,
    /// `*`
    #[token("*")]
    Star,
    /// `|`
    #[token("|")]
    Bar,
    /// `:`
    #[token(":")]
    Colon,
    /// A character that starts no token.
    Error,
    /// A block comment that runs to the end of the text.
    UnclosedComment,
    /// A quoted constant that runs to the end of its line.
    UnclosedQuote,
    /// The end of the text. The lexer never makes it; readers use it as a sentinel.
    End,
}

impl TokenKind {
    /// White space or a comment.
    #[inline]
    pub fn is_trivia(self) -> bool {
        matches!(self, TokenKind::Space | TokenKind::LineComment | TokenKind::BlockComment)
    }
    /// `:-` or `<=`.
    #[inline]
    pub fn is_arrow(self) -> bool {
        matches!(self, TokenKind::Implies | TokenKind::LeftArrow)
    }
    /// The closing bracket of an opening one (angle brackets do not nest and are not counted).
    pub fn closing(self) -> Option<TokenKind> {
        match self {
            TokenKind::LeftParen => Some(TokenKind::RightParen),
            TokenKind::LeftBracket => Some(TokenKind::RightBracket),
            TokenKind::LeftBrace => Some(TokenKind::RightBrace),
            _ => None,
        }
    }
    /// Whether it is a closing bracket.
    pub fn is_closing(self) -> bool {
        matches!(self, TokenKind::RightParen | TokenKind::RightBracket | TokenKind::RightBrace)
    }
}

/// A token with its byte range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Token {
    /// The byte range.
    #[inline]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

type Lexer<'t> = logos::Lexer<'t, TokenKind>;

fn line_comment(lexer: &mut Lexer<'_>) {
    let rest = lexer.remainder();
    lexer.bump(rest.find('\n').unwrap_or(rest.len()));
}

fn block_comment(lexer: &mut Lexer<'_>) -> bool {
    let rest = lexer.remainder().as_bytes();
    let (mut depth, mut i) = (1usize, 0);
    while i < rest.len() {
        match (rest[i], rest.get(i + 1)) {
            (b'*', Some(b'/')) => {
                depth -= 1;
                i += 2;
                if depth == 0 {
                    lexer.bump(i);
                    return true;
                }
            }
            (b'/', Some(b'*')) => {
                depth += 1;
                i += 2;
            }
            _ => i += 1,
        }
    }
    lexer.bump(rest.len());
    false
}

fn quoted(lexer: &mut Lexer<'_>) -> bool {
    let rest = lexer.remainder().as_bytes();
    let mut i = 0;
    while i < rest.len() && rest[i] != b'\n' {
        match (rest[i], rest.get(i + 1)) {
            (b'\'', Some(b'\'')) => i += 2,
            (b'\'', _) => {
                lexer.bump(i + 1);
                return true;
            }
            // The escaped byte may be the first of a longer character; its other bytes are no ASCII and pass below.
            (b'\\', Some(&next)) if next != b'\n' => i += 2,
            _ => i += 1,
        }
    }
    // A backslash skips one byte, which may lie inside a longer character; go on to its end.
    while !lexer.remainder().is_char_boundary(i) {
        i += 1;
    }
    lexer.bump(i);
    false
}

/// Whether a character may stand inside a name or variable.
fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// Names are lexed as ASCII by the automaton; letters of other scripts are rare and are added by hand, which keeps
/// the automaton small.
fn extend(lexer: &mut Lexer<'_>) {
    let rest = lexer.remainder();
    if rest.as_bytes().first().is_some_and(|&b| b >= 0x80) {
        lexer.bump(rest.find(|c| !is_identifier(c)).unwrap_or(rest.len()));
    }
}

/// An iterator over the tokens of a text; they tile it.
#[derive(Clone)]
pub struct Tokens<'t> {
    lexer: Lexer<'t>,
}

impl<'t> Tokens<'t> {
    /// The tokens of a text.
    pub fn new(text: &'t str) -> Self {
        Tokens { lexer: TokenKind::lexer(text) }
    }

    /// Moves over ASCII white space without making a token of it. Half of a facts file's tokens are single spaces;
    /// readers that skip them here save a third of the lexing time.
    #[inline]
    pub fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.lexer.remainder().as_bytes().first() {
            self.lexer.bump(1);
        }
    }

    /// Moves over bytes that the caller has read itself, up to the start of a token.
    pub(super) fn jump(&mut self, bytes: usize) {
        self.lexer.bump(bytes);
    }

    /// Gives a name to what the automaton refuses.
    #[cold]
    fn refused(&mut self) -> TokenKind {
        let slice = self.lexer.slice();
        match slice.as_bytes() {
            [b'\'', ..] => return TokenKind::UnclosedQuote,
            [b'/', b'*', ..] => return TokenKind::UnclosedComment,
            _ => {}
        }
        match slice.chars().next() {
            Some('\u{feff}') if self.lexer.span().start == 0 => TokenKind::Space,
            Some(c) if !c.is_ascii() && c.is_alphabetic() => {
                extend(&mut self.lexer);
                let rest = self.lexer.remainder();
                self.lexer.bump(rest.find(|c| !is_identifier(c)).unwrap_or(rest.len()));
                if c.is_uppercase() { TokenKind::Variable } else { TokenKind::Name }
            }
            _ => TokenKind::Error,
        }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    #[inline]
    fn next(&mut self) -> Option<Token> {
        let kind = match self.lexer.next()? {
            Ok(kind) => kind,
            Err(()) => self.refused(),
        };
        let span = self.lexer.span();
        // Readers refuse texts of 4 GiB and more before they lex, so the positions fit.
        Some(Token { kind, start: span.start as u32, end: span.end as u32 })
    }
}

/// All tokens of a text.
pub fn lex(text: &str) -> Vec<Token> {
    Tokens::new(text).collect()
}

/// The content of a quoted constant (with its quotes), unescaped. The error is the offending escape and its offset.
pub fn unquote(text: &str) -> Result<String, (usize, String)> {
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            // The second quote of a doubled one.
            '\'' => {
                chars.next();
                out.push('\'');
            }
            '\\' => match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, 'r')) => out.push('\r'),
                Some((_, c @ ('\\' | '\''))) => out.push(c),
                other => return Err((at + 1, other.map_or("\\".into(), |(_, c)| format!("\\{c}")))),
            },
            c => out.push(c),
        }
    }
    Ok(out)
}
