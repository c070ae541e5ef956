//! White space of a source text in its canonical form. Works on tokens, so that comments stay and no token changes, but
//! for a sign that is an operator, which leaves its number: what is formatted means what it meant.
//!
//! A template gets one statement per line, long ones broken behind commas. A data file keeps its line breaks, and the
//! gaps between statements on a line, which often align tables of facts; only the insides of statements change.

use super::ast;
use super::chunk::{ChunkKind, Chunker};
use super::facts::{self, AtomRef, DataSink, Dialect, ValueRef};
use super::operators::{Role, roles};
use super::parser::parse_template;
use super::token::{TokenKind, Tokens};
use crate::base::span::{SourceId, Span};
use crate::diag::{Diagnostics, has_errors};
use TokenKind as K;

mod blocks;

/// Columns that a line of a template should not exceed.
pub const WIDTH: usize = 100;
const INDENT: &str = "    ";

/// What becomes of line breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One statement per line: templates.
    Template,
    /// As they are written: data.
    Data,
}

/// The text in canonical form; for a text with syntax errors these instead.
pub fn format(source: SourceId, text: &str, layout: Layout) -> Result<String, Diagnostics> {
    match layout {
        Layout::Template => {
            let (_, found) = parse_template(source, text);
            if has_errors(&found) { Err(found) } else { Ok(template(source, text)) }
        }
        Layout::Data => {
            // Which kind of data it is only its place on a command line tells; the form is the same.
            let found = facts::read(source, text, Dialect::Database, &mut Nowhere);
            let other = |dialect| !has_errors(&facts::read(source, text, dialect, &mut Nowhere));
            let readable = !has_errors(&found) || other(Dialect::Examples) || other(Dialect::Queries);
            if readable { Ok(data(text)) } else { Err(found) }
        }
    }
}

/// Reading only for the faults.
struct Nowhere;

impl DataSink for Nowhere {
    fn begin_world(&mut self, _: Span) {}
    fn end_world(&mut self, _: Span) {}
    fn begin_queries(&mut self, _: Span) {}
    fn end_queries(&mut self, _: Span) {}
    fn link(&mut self, _: Option<ValueRef<'_>>, _: AtomRef<'_>) {}
    fn fact(&mut self, _: Option<ValueRef<'_>>, _: AtomRef<'_>) {}
    fn query(&mut self, _: Option<ValueRef<'_>>, _: AtomRef<'_>) {}
    fn rule(&mut self, _: ast::Rule) {}
}

/// A token that is no white space, with the white space before it.
#[derive(Clone, Copy)]
struct Piece<'t> {
    kind: TokenKind,
    role: Role,
    text: &'t str,
    /// First byte.
    start: usize,
    /// Line breaks before it.
    newlines: usize,
    /// Characters between it and the token, or the start of the line, before it.
    gap: usize,
    /// Column in characters, from 0.
    column: usize,
}

impl Piece<'_> {
    fn is_comment(&self) -> bool {
        self.kind.is_trivia()
    }
    /// Whether there is anything between it and the token before it.
    fn is_apart(&self) -> bool {
        self.newlines > 0 || self.gap > 0
    }
    /// The text without the white space that does not count.
    fn written(&self) -> String {
        match self.kind {
            K::LineComment => self.text.trim_end().to_string(),
            K::BlockComment => self.text.replace("\r\n", "\n"),
            _ => self.text.to_string(),
        }
    }
}

/// The pieces of a text. Nothing that is compared goes on over one of the positions `cuts`.
fn pieces<'t>(text: &'t str, cuts: &[usize]) -> Vec<Piece<'t>> {
    let mut out = Vec::new();
    let (mut newlines, mut gap, mut column) = (0, 0, 0);
    for token in Tokens::new(text) {
        let slice = &text[token.range()];
        let (last, breaks) = (slice.rsplit('\n').next().unwrap_or(""), slice.matches('\n').count());
        // A byte order mark is white space without width.
        let width = last.chars().filter(|&c| c != '\u{feff}').count();
        if token.kind == K::Space {
            newlines += breaks;
            gap = if breaks > 0 { width } else { gap + width };
        } else {
            out.push(Piece {
                kind: token.kind,
                role: Role::Other,
                text: slice,
                start: token.start as usize,
                newlines,
                gap,
                column,
            });
            (newlines, gap) = (0, 0);
        }
        column = if breaks > 0 { width } else { column + width };
    }
    let part = |piece: &Piece<'_>| cuts.partition_point(|&c| c <= piece.start);
    for pieces in out.chunk_by_mut(|a, b| part(a) == part(b)) {
        let kinds: Vec<TokenKind> = pieces.iter().filter(|p| !p.is_comment()).map(|p| p.kind).collect();
        for (piece, role) in pieces.iter_mut().filter(|p| !p.is_comment()).zip(roles(&kinds)) {
            piece.role = role;
        }
    }
    apart(out)
}

/// Signs that are operators as pieces of their own, before their numbers.
fn apart(pieces: Vec<Piece<'_>>) -> Vec<Piece<'_>> {
    let mut out = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let sign = match (piece.role, piece.text.as_bytes()) {
            (Role::Joined, [b'+', ..]) => K::Plus,
            (Role::Joined, [b'-', ..]) => K::Minus,
            _ => {
                out.push(piece);
                continue;
            }
        };
        let (text, rest) = piece.text.split_at(1);
        let (start, column) = (piece.start + 1, piece.column + 1);
        out.push(Piece { kind: sign, role: Role::Binary, text, ..piece });
        out.push(Piece { role: Role::Other, text: rest, start, column, newlines: 0, gap: 0, ..piece });
    }
    out
}

/// An open bracket.
#[derive(Clone, Copy, PartialEq)]
enum Open {
    /// `(`.
    Tight,
    /// `{` of dimensions, or of an expression; whether it is that of `@{…}`.
    Brace(bool),
    /// `[` of metadata.
    Metadata,
    /// `[` of a vector or matrix.
    Vector,
    /// `[` of a sparse literal, behind its bar; whether the value of the current entry has come.
    Sparse(bool),
}

/// Knows how far apart tokens stand.
#[derive(Default)]
struct Spacing<'t> {
    open: Vec<Open>,
    before: Option<Piece<'t>>,
    /// Whether the token before closes an `@{…}`.
    inserted: bool,
}

impl<'t> Spacing<'t> {
    /// Spaces before a token, in the canonical form.
    fn gap(&self, piece: &Piece<'t>) -> usize {
        let Some(before) = self.before else { return 0 };
        let part = matches!(piece.kind, K::Name | K::Variable | K::Number | K::LeftParen);
        let word = matches!(before.kind, K::Name | K::Variable | K::Number) || self.inserted;
        if !piece.is_apart() && (piece.kind == K::At && word || self.inserted && part) {
            // Parts of one name: `l@{L-1}`.
            return 0;
        }
        let wanted = match (before.role, piece.role) {
            (_, Role::Binary) | (Role::Binary, _) => 1,
            (Role::Unary, _) | (_, Role::Member) => 0,
            _ => self.wanted(before.kind, piece.kind, piece.is_apart()),
        };
        // `0: -1` without its space would read `:-`. Tokens that touch already are known to be what they are.
        let merges = || {
            let joined = format!("{}{}", before.text, piece.text);
            let mut kinds = Tokens::new(&joined).map(|t| t.kind);
            !(kinds.next() == Some(before.kind) && kinds.next() == Some(piece.kind) && kinds.next().is_none())
        };
        if wanted == 0 && piece.is_apart() && merges() { 1 } else { wanted }
    }

    fn wanted(&self, before: TokenKind, next: TokenKind, apart: bool) -> usize {
        let inner = self.open.last().copied();
        let opening = |kind: TokenKind| kind.closing().is_some() || kind == K::LeftAngle;
        match (before, next) {
            (K::Stop | K::Implies | K::LeftArrow, K::Stop) => 1,
            (_, K::Comma | K::Stop | K::RightAngle) => 0,
            (before, next) if opening(before) || next.is_closing() => 0,
            (K::Comma, _) => match inner {
                None | Some(Open::Metadata | Open::Sparse(true)) => 1,
                _ => 0,
            },
            // Operators of an expression stand as they are written: `-` may be a letter of a name.
            _ if matches!(inner, Some(Open::Brace(_))) => usize::from(apart),
            (K::Bar, _) | (_, K::Bar) => 1,
            (K::Dollar | K::Bang | K::Tilde | K::At | K::Star | K::Slash | K::Equals | K::Colon, _) => 0,
            (_, K::Slash | K::Equals | K::Colon) => 0,
            // Between brackets `:-` is a colon and the sign of the number that follows.
            (K::Implies | K::LeftArrow, _) | (_, K::Implies | K::LeftArrow) => usize::from(inner.is_none()),
            (K::Name | K::Variable | K::Number | K::RightParen, K::LeftParen) => 0,
            (K::RightBracket, K::LeftBracket) if inner.is_some() => 0,
            _ => 1,
        }
    }

    /// Moves over a token; `next` is the one behind it.
    fn pass(&mut self, piece: Piece<'t>, next: Option<TokenKind>) {
        let mut inserted = false;
        match piece.kind {
            K::LeftParen => self.open.push(Open::Tight),
            K::LeftBrace => {
                let inserted = self.before.is_some_and(|b| b.kind == K::At);
                self.open.push(Open::Brace(inserted));
            }
            K::LeftBracket if piece.role == Role::Member => self.open.push(Open::Tight),
            K::LeftBracket => {
                let word = matches!(next, Some(K::Name | K::Variable | K::RightBracket));
                let metadata = self.open.is_empty() && word;
                self.open.push(if metadata { Open::Metadata } else { Open::Vector });
            }
            kind if kind.is_closing() => {
                inserted = self.open.pop() == Some(Open::Brace(true));
            }
            _ => {}
        }
        self.inserted = inserted;
        match (piece.kind, self.open.last_mut()) {
            (K::Bar, Some(inner)) => *inner = Open::Sparse(false),
            (K::Colon | K::Implies | K::RightParen, Some(inner @ Open::Sparse(_))) => {
                *inner = Open::Sparse(true)
            }
            _ => {}
        }
        if let (Some(Open::Sparse(value)), Some(before)) = (self.open.last_mut(), self.before)
            && before.kind == K::Comma
        {
            *value = false;
        }
        self.before = Some(piece);
    }

    fn at_top(&self) -> bool {
        self.open.is_empty()
    }
}

/// The next token that is no comment.
fn significant(pieces: &[Piece<'_>]) -> Option<TokenKind> {
    pieces.iter().find(|p| !p.is_comment()).map(|p| p.kind)
}

fn data(text: &str) -> String {
    let pieces = pieces(text, &[]);
    let mut spacing = Spacing::default();
    let mut out = String::new();
    for (i, piece) in pieces.iter().enumerate() {
        let between = spacing.before.is_none_or(|p| p.kind == K::Stop) && spacing.at_top();
        match i.checked_sub(1).map(|before| pieces[before]) {
            None => {}
            Some(before) if piece.newlines > 0 || before.kind == K::LineComment => {
                out.push_str(if piece.newlines > 1 { "\n\n" } else { "\n" });
                out.extend(std::iter::repeat_n(' ', if between { 0 } else { piece.gap }));
            }
            Some(before) => {
                let kept = between || before.is_comment() || piece.is_comment();
                let gap = if kept { piece.gap.max(1) } else { spacing.gap(piece) };
                out.extend(std::iter::repeat_n(' ', gap));
            }
        }
        out += &piece.written();
        if !piece.is_comment() {
            spacing.pass(*piece, significant(&pieces[i + 1..]));
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// Places in a line that may be aligned with those of the lines around, in order.
const ANCHORS: usize = 4;
const HEAD: usize = 0;
const ARROW: usize = 1;
const METADATA: usize = 2;
const COMMENT: usize = 3;

/// A place that may be aligned.
#[derive(Clone, Copy)]
struct Anchor {
    /// Where it stands in the line, in bytes.
    at: usize,
    /// The column in which it was written, if that is a column of the line and not of a later one, joined to it.
    column: Option<usize>,
}

/// A line of the result, or several that are one statement.
#[derive(Default)]
struct Line {
    text: String,
    blank_before: bool,
    only_comments: bool,
    anchors: [Option<Anchor>; ANCHORS],
}

impl Line {
    fn is_single(&self) -> bool {
        !self.text.contains('\n')
    }
    /// Columns without the comment at the end.
    fn width(&self) -> usize {
        let end = self.anchors[COMMENT].map_or(self.text.len(), |a| a.at);
        self.text[..end].trim_end().chars().count()
    }
}

fn template(source: SourceId, text: &str) -> String {
    let mut chunker = Chunker::new(source, text);
    let mut chunks = Vec::new();
    // The text has no errors, so every statement is whole.
    while let Some(next) = chunker.next_chunk() {
        chunks.extend(next.ok());
    }
    let ends = chunks.iter().filter(|c| blocks::is_block(c.kind)).flat_map(|c| [c.start, c.end]);
    let pieces = pieces(text, &ends.collect::<Vec<_>>());
    let mut lines: Vec<Line> = Vec::new();
    let mut i = 0;
    let mut chunks = chunks.iter().peekable();
    while let Some(&piece) = pieces.get(i) {
        let blank_before = piece.newlines > 1 && i > 0;
        let on_line = i > 0 && piece.newlines == 0 && pieces[i - 1].kind != K::LineComment;
        if let Some(chunk) = chunks.next_if(|c| c.start <= piece.start) {
            let end = i + pieces[i..].partition_point(|p| p.start < chunk.end);
            let mut line = match lines.pop() {
                Some(mut line) if on_line && line.only_comments => {
                    line.text.push(' ');
                    Line { only_comments: false, anchors: Default::default(), ..line }
                }
                other => {
                    lines.extend(other);
                    Line { blank_before, ..Line::default() }
                }
            };
            if blocks::is_block(chunk.kind) {
                let before = text[..chunk.start].rsplit('\n').next().unwrap_or("");
                let lead = before.len() - before.trim_start_matches(' ').len();
                line.text += &blocks::block(source, &text[chunk.start..chunk.end], lead);
            } else {
                statement(&pieces[i..end], chunk.kind, &mut line);
            }
            lines.push(line);
            i = end;
            continue;
        }
        match lines.last_mut() {
            Some(line) if on_line => {
                let at = line.text.len() + 2;
                if line.is_single() && line.anchors[COMMENT].is_none() && !line.only_comments {
                    line.anchors[COMMENT] = Some(Anchor { at, column: Some(piece.column) });
                }
                line.text += "  ";
                line.text += &piece.written();
            }
            _ => lines.push(Line {
                text: piece.written(),
                blank_before,
                only_comments: true,
                ..Line::default()
            }),
        }
        i += 1;
    }
    for anchor in 0..ANCHORS {
        align(&mut lines, anchor);
    }
    let mut out = String::new();
    for line in &lines {
        if line.blank_before {
            out.push('\n');
        }
        out += &line.text;
        out.push('\n');
    }
    out
}

/// What stands between two tokens of a statement.
#[derive(Clone, Copy, PartialEq)]
enum Gap {
    /// Spaces.
    Fixed(usize),
    /// Spaces, or a line break if what follows does not fit.
    Soft(usize),
    /// A line break.
    Break,
}

/// Appends a statement to a line.
fn statement(pieces: &[Piece<'_>], kind: ChunkKind, line: &mut Line) {
    let mut gaps = gaps(pieces, kind);
    let list = pieces.iter().zip(&gaps).position(|(p, g)| p.kind == K::LeftBracket && *g == Gap::Soft(2));
    if let Some(list) = list {
        // Metadata are broken only if they do not fit into a line of their own.
        let widths = pieces[list..].iter().zip(&gaps[list..]).map(|(p, g)| {
            p.written().chars().count() + if let Gap::Fixed(n) | Gap::Soft(n) = *g { n } else { 0 }
        });
        if INDENT.len() + widths.sum::<usize>() <= WIDTH {
            for gap in &mut gaps[list + 1..] {
                if let Gap::Soft(n) = *gap {
                    *gap = Gap::Fixed(n);
                }
            }
        }
    }
    let from = line.text.len();
    let mut places = Vec::with_capacity(pieces.len());
    let mut column = line.text.rsplit('\n').next().unwrap_or("").chars().count();
    let mut at = 0;
    while at < pieces.len() {
        let end = (at + 1..pieces.len()).find(|&i| !matches!(gaps[i], Gap::Fixed(_))).unwrap_or(pieces.len());
        let mut segment = String::new();
        let mut inside = Vec::new();
        for i in at..end {
            if let (Gap::Fixed(n), true) = (gaps[i], i > at) {
                segment.extend(std::iter::repeat_n(' ', n));
            }
            inside.push(segment.len());
            segment += &pieces[i].written();
        }
        // A comment of several lines may end anywhere; what counts is its first line.
        let width = segment.split('\n').next().unwrap_or("").chars().count();
        let spaces = match gaps[at] {
            Gap::Fixed(n) => Some(n),
            Gap::Soft(n) => Some(n).filter(|n| column + n + width <= WIDTH),
            Gap::Break => None,
        };
        match spaces {
            Some(n) => {
                line.text.extend(std::iter::repeat_n(' ', n));
                column += n;
            }
            None => {
                line.text.push('\n');
                line.text += INDENT;
                column = INDENT.len();
            }
        }
        places.extend(inside.iter().map(|p| line.text.len() + p));
        line.text += &segment;
        column = match segment.rsplit_once('\n') {
            Some((_, last)) => last.chars().count(),
            None => column + width,
        };
        at = end;
    }
    if line.text[from..].contains('\n') {
        line.anchors = Default::default();
    } else {
        anchors(pieces, &gaps, &places, kind, line);
    }
}

/// What stands before each token of a statement.
fn gaps(pieces: &[Piece<'_>], kind: ChunkKind) -> Vec<Gap> {
    let mut spacing = Spacing::default();
    let mut out = Vec::with_capacity(pieces.len());
    // Whether a line may be broken here, and whether the comment before stood on a line of its own.
    let (mut breakable, mut own_line) = (false, false);
    for (i, &piece) in pieces.iter().enumerate() {
        let before = i.checked_sub(1).map(|b| pieces[b]);
        let comment = before.is_some_and(|b| b.is_comment());
        out.push(match before {
            None => Gap::Fixed(0),
            Some(before) if before.kind == K::LineComment => Gap::Break,
            Some(_) if (piece.is_comment() || own_line) && piece.newlines > 0 => Gap::Break,
            Some(_) if piece.kind == K::LineComment => Gap::Fixed(2),
            Some(_) if piece.is_comment() => Gap::Fixed(1),
            Some(_) if comment => {
                if breakable {
                    Gap::Soft(1)
                } else {
                    Gap::Fixed(1)
                }
            }
            // Paths end where a gap is: none comes, none goes, but around commas.
            Some(before) if kind == ChunkKind::Import => match (before.kind, piece.kind) {
                (_, K::Comma) => Gap::Fixed(0),
                (K::Comma, _) => Gap::Soft(1),
                // A full stop of its own ends the statement, as one behind the path does.
                (K::Name, K::Stop) => Gap::Fixed(0),
                _ => Gap::Fixed(usize::from(piece.is_apart())),
            },
            Some(before)
                if before.kind == K::Stop && piece.kind == K::LeftBracket && kind == ChunkKind::Rule =>
            {
                Gap::Soft(2)
            }
            Some(_) => match spacing.gap(&piece) {
                n if breakable => Gap::Soft(n),
                n => Gap::Fixed(n),
            },
        });
        if piece.is_comment() {
            own_line = out[i] == Gap::Break;
            continue;
        }
        own_line = false;
        spacing.pass(piece, significant(&pieces[i + 1..]));
        let outer = matches!(spacing.open[..], [] | [Open::Metadata]);
        breakable = outer && piece.role == Role::Other && (piece.kind == K::Comma || piece.kind.is_arrow());
    }
    out
}

/// Notes the places of a statement that stands on one line.
fn anchors(pieces: &[Piece<'_>], gaps: &[Gap], places: &[usize], kind: ChunkKind, line: &mut Line) {
    if !matches!(kind, ChunkKind::Rule | ChunkKind::Facts) {
        return;
    }
    let mut spacing = Spacing::default();
    let mut joined = false;
    for (i, &piece) in pieces.iter().enumerate() {
        joined |= i > 0 && piece.newlines > 0;
        if piece.is_comment() {
            continue;
        }
        let before = spacing.before.map(|p| p.kind);
        let anchor = match piece.kind {
            _ if !spacing.at_top() => None,
            K::Name | K::Bang | K::Tilde | K::Star | K::At
                if before.is_some_and(|k| k != K::Dollar) && line.anchors[HEAD].is_none() =>
            {
                // The head begins where its weight ends; without a weight it begins the line.
                let weight = pieces[0].kind != K::Name && spacing.gap(&piece) > 0;
                weight.then_some(HEAD)
            }
            kind if kind.is_arrow() && piece.role == Role::Other => Some(ARROW),
            K::LeftBracket if gaps[i] == Gap::Soft(2) => Some(METADATA),
            _ => None,
        };
        if let Some(anchor) = anchor
            && line.anchors[anchor..].iter().all(Option::is_none)
        {
            line.anchors[anchor] =
                Some(Anchor { at: places[i], column: Some(piece.column).filter(|_| !joined) });
        }
        spacing.pass(piece, significant(&pieces[i + 1..]));
    }
}

/// What stood in one column in lines that follow each other is aligned again. Lines that lack the place do not part
/// those around them; empty lines, comments and statements of several lines do.
fn align(lines: &mut [Line], anchor: usize) {
    let column = |line: &Line| line.anchors[anchor].and_then(|a| a.column);
    let mut group: Vec<usize> = Vec::new();
    for i in 0..lines.len() {
        let line = &lines[i];
        let here = column(line);
        let parts = line.blank_before || line.only_comments || !line.is_single();
        let differs = group.last().is_some_and(|&last| column(&lines[last]) != here);
        let other = line.anchors[anchor].is_some() && differs;
        if parts || other {
            align_group(lines, &group, anchor);
            group.clear();
        }
        if here.is_some() && lines[i].is_single() {
            group.push(i);
        }
    }
    align_group(lines, &group, anchor);
}

fn align_group(lines: &mut [Line], group: &[usize], anchor: usize) {
    let now = |line: &Line| line.anchors[anchor].map_or(0, |a| line.text[..a.at].chars().count());
    let target = group.iter().map(|&i| now(&lines[i])).max().unwrap_or(0);
    let fits = |&i: &usize| {
        let more = target - now(&lines[i]);
        more == 0 || anchor == COMMENT || lines[i].width() + more <= WIDTH
    };
    if !group.iter().all(fits) {
        return;
    }
    for &i in group {
        let line = &mut lines[i];
        let more = target - now(line);
        if let (Some(place), 1..) = (line.anchors[anchor], more) {
            line.text.insert_str(place.at, &" ".repeat(more));
            for a in line.anchors.iter_mut().flatten().filter(|a| a.at >= place.at) {
                a.at += more;
            }
        }
    }
}
