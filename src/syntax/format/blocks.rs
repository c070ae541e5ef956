//! Blocks in canonical form: what stands between the braces is formatted like a template, two spaces further in.

use super::super::chunk::{ChunkKind, Chunker};
use super::super::token::Tokens;
use super::{K, Piece, WIDTH, pieces, template};
use crate::base::span::SourceId;

/// How far statements of a block stand in.
const INDENT: &str = "  ";

/// Whether a kind of statement is a block.
pub(super) fn is_block(kind: ChunkKind) -> bool {
    matches!(kind, ChunkKind::Module | ChunkKind::Use | ChunkKind::For | ChunkKind::If | ChunkKind::Error)
}

/// A block in canonical form. What is in it is parsed only when it is expanded: where a statement of it has no end, all
/// of the block stays as it is, its lines relative to the first, which stands `lead` spaces in.
pub(super) fn block(source: SourceId, text: &str, lead: usize) -> String {
    formatted(source, text).unwrap_or_else(|| outdented(&trimmed(text), lead))
}

/// Without so many spaces before each line but the first and those inside of a comment.
fn outdented(text: &str, lead: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for_each_line(text, |line, inside, first| {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        let less = if inside || first { 0 } else { spaces.min(lead) };
        out.push_str(&line[less..]);
    });
    out
}

/// Every line with its end, whether it begins inside of a comment, and whether it is the first.
fn for_each_line(text: &str, mut f: impl FnMut(&str, bool, bool)) {
    let comments = Tokens::new(text).filter(|t| t.kind == K::BlockComment);
    let kept: Vec<_> = comments.map(|t| t.range()).collect();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        f(line, kept.iter().any(|r| r.start < start && start < r.end), start == 0);
        start += line.len();
    }
}

fn formatted(source: SourceId, text: &str) -> Option<String> {
    let chunker = Chunker::new(source, text);
    let mut out = String::new();
    let mut at = 0;
    for (open, close) in chunker.bodies() {
        let (header, comment) = header(&text[at..open]);
        if at > 0 {
            out.push(' ');
        }
        out += &header;
        out.push_str(if comment { "\n{" } else { " {" });
        let body = &text[open + 1..close];
        let mut inner = Chunker::new(source, body);
        while let Some(next) = inner.next_chunk() {
            next.ok().filter(|chunk| !chunk.unfinished)?;
        }
        let lines = template(source, body);
        let short = !body.contains('\n') && lines.lines().count() == 1;
        let last = out.rsplit('\n').next().unwrap_or("").chars().count();
        if lines.is_empty() {
            out.push('}');
        } else if short && last + lines.trim_end().chars().count() + 3 <= WIDTH {
            out += &format!(" {} }}", lines.trim_end());
        } else {
            out.push('\n');
            indent(&lines, &mut out);
            out.push('}');
        }
        at = close + 1;
    }
    if at < text.len() {
        out += &header(&text[at..]).0;
    }
    Some(out)
}

/// Appends lines, each but those inside of a comment further in.
fn indent(lines: &str, out: &mut String) {
    for_each_line(lines, |line, inside, _| {
        if !inside && !line.trim().is_empty() {
            out.push_str(INDENT);
        }
        out.push_str(line);
    });
}

/// What stands before the brace of a block, on one line if it fits; and whether a comment ends its line.
fn header(text: &str) -> (String, bool) {
    let pieces = pieces(text, &[]);
    if pieces.iter().any(Piece::is_comment) {
        let last = pieces.last().is_some_and(|p| p.kind == K::LineComment);
        return (trimmed(text.trim()), last);
    }
    let mut out = String::new();
    let mut column = 0;
    for (i, piece) in pieces.iter().enumerate() {
        let gap = i.checked_sub(1).map_or(0, |b| gap(&pieces[b], piece));
        let width = piece.text.chars().count();
        // To the next comma.
        let run: usize = pieces[i..]
            .iter()
            .take_while(|p| p.kind != K::Comma)
            .map(|p| p.text.chars().count() + usize::from(p.is_apart()))
            .sum();
        if i > 0 && pieces[i - 1].kind == K::Comma && column + gap + run + 1 > WIDTH {
            out += "\n    ";
            column = 4 + width;
        } else {
            out.extend(std::iter::repeat_n(' ', gap));
            column += gap + width;
        }
        out += &piece.written();
    }
    (out, false)
}

/// Spaces between two pieces of an expression: those around operators are the writer's, as they may part names.
fn gap(before: &Piece<'_>, piece: &Piece<'_>) -> usize {
    match (before.kind, piece.kind) {
        (_, K::Comma | K::RightParen | K::RightBracket | K::RightBrace) => 0,
        (K::Comma, _) => 1,
        // The full stops of an `@use` and an `@error`.
        (K::RightParen | K::Quoted, K::Stop) => 0,
        // Choices of a parameter.
        (K::Bar, _) | (_, K::Bar) => 1,
        (K::LeftParen | K::LeftBracket | K::LeftBrace, _) => 0,
        _ => usize::from(piece.is_apart()),
    }
}

/// A text as it is written, without white space at the ends of its lines and with one empty line at most.
fn trimmed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for token in Tokens::new(text).filter(|t| t.kind == K::Space) {
        let space = &text[token.range()];
        // The spaces at the end of a line comment are part of it.
        out += text[at..token.start as usize].trim_end_matches([' ', '\t', '\r']);
        match space.rfind('\n') {
            Some(last) => {
                out += if space.matches('\n').count() > 1 { "\n\n" } else { "\n" };
                out += space[last + 1..].trim_matches(|c| c != ' ');
            }
            None => out += space,
        }
        at = token.end as usize;
    }
    out + text[at..].trim_end_matches([' ', '\t', '\r'])
}
