//! The reference's meaning in our words. Where our language mends the reference, a recorded text is rewritten so
//! that it says openly what the reference makes of it; if the recorded number comes out then and not before, the
//! mended point is the only difference.

use std::fmt::Write;

/// A kind of text of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A template.
    Template,
    /// Examples or queries.
    Data,
}

/// One rewriting, with the reason why our value differs.
pub struct Variant {
    /// What is mended.
    pub why: &'static str,
    /// The rewriting.
    pub apply: fn(Kind, &str) -> String,
}

/// All rewritings.
pub const VARIANTS: &[Variant] = &[
    Variant {
        why: "recorded with one shared variable",
        apply: |kind, text| if kind == Kind::Template { share_anonymous(text) } else { text.into() },
    },
    Variant { why: "recorded with quoted constants", apply: |_, text| quote_numbers(text) },
];

fn share_anonymous(text: &str) -> String {
    let mut out = String::new();
    walk(text, |piece, depth| match piece {
        Piece::Word("_") if depth > 0 => out.push_str("Shared_anonymous"),
        Piece::Number(t) | Piece::Word(t) | Piece::Other(t) => out.push_str(t),
    });
    out
}

fn quote_numbers(text: &str) -> String {
    let mut out = String::new();
    // Only inside of parentheses, not inside of value brackets.
    let mut open: Vec<char> = Vec::new();
    walk(text, |piece, _| match piece {
        Piece::Number(n) if open.last() == Some(&'(') && !open.contains(&'[') => {
            let _ = write!(out, "'{n}'");
        }
        Piece::Number(t) | Piece::Word(t) => out.push_str(t),
        Piece::Other(t) => {
            for c in t.chars() {
                match c {
                    '(' | '[' | '{' => open.push(c),
                    ')' | ']' | '}' => drop(open.pop()),
                    _ => {}
                }
            }
            out.push_str(t);
        }
    });
    out
}

enum Piece<'a> {
    Number(&'a str),
    Word(&'a str),
    Other(&'a str),
}

/// Cuts a text into numbers, words and single other characters (a comment is one piece), with the depth of brackets
/// at which each stands.
fn walk<'a>(text: &'a str, mut take: impl FnMut(Piece<'a>, usize)) {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0usize);
    while at < bytes.len() {
        let start = at;
        let c = bytes[at];
        if c == b'%' || text[at..].starts_with("//") {
            at = text[at..].find('\n').map_or(bytes.len(), |n| at + n);
            take(Piece::Other(&text[start..at]), depth);
        } else if c.is_ascii_digit() {
            at = number_end(bytes, at);
            take(Piece::Number(&text[start..at]), depth);
        } else if c.is_ascii_alphabetic() || c == b'_' || c == b'$' {
            while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || b"_$".contains(&bytes[at])) {
                at += 1;
            }
            take(Piece::Word(&text[start..at]), depth);
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            match c {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            take(Piece::Other(&text[start..at]), depth);
        }
    }
}

fn number_end(bytes: &[u8], mut at: usize) -> usize {
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    at = digits(at);
    if bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
        at = digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if bytes.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
            at = digits(at + 1 + sign);
        }
    }
    at
}
