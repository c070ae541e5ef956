//! Weight values from tokens: the one place that knows what a literal means. The streaming reader calls it on its
//! own cursor, the template parser on the text that the grammar recognised as a weight.

use super::cursor::{Cursor, Fault, fault};
use super::token::{Token, TokenKind};
use crate::base::span::Span;
use crate::diag::codes;

/// Largest number of elements of a weight.
const MAX_ELEMENTS: u64 = 1 << 31;
/// Largest number of elements that a sparse literal is filled up to: a few bytes of text must not ask for gigabytes.
const MAX_FILLED: u64 = 1 << 22;

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A number.
    Scalar,
    /// A vector or matrix, elements in the buffer.
    Dense,
    /// Dimensions only.
    Dims,
    /// `$name` alone.
    Reference,
}

/// A weight; its elements lie in [`Buffer::values`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight<'t> {
    /// The name without `$`, and its place with `$`.
    pub name: Option<(&'t str, Span)>,
    /// The brackets behind the name, if it is a family's.
    pub member: Option<Span>,
    /// In angle brackets.
    pub fixed: bool,
    /// The form.
    pub form: Form,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// The value without name and angle brackets.
    pub value_span: Span,
    /// All of it.
    pub span: Span,
}

/// Buffers that are reused from one value to the next.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// Elements, row-major.
    pub values: Vec<f64>,
    entries: Vec<(usize, f64, Span)>,
}

/// Whether a token may begin a weight.
#[inline]
pub(super) fn begins_weight(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Number
            | TokenKind::LeftAngle
            | TokenKind::LeftBracket
            | TokenKind::LeftBrace
            | TokenKind::Dollar
    )
}

/// The number that a text states; `None` where it is none, or one that no 64-bit float holds: too great, or so small
/// that 0 would stand for it.
pub fn finite_number(text: &str) -> Option<f64> {
    let value = text.parse::<f64>().ok().filter(|x| x.is_finite())?;
    (value != 0.0 || !vanishes(text)).then_some(value)
}

/// Whether the digits of a number that reads as 0 say something else.
fn vanishes(text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    mantissa.bytes().any(|b| matches!(b, b'1'..=b'9'))
}

/// A finite number from its text.
pub(super) fn parse_number(text: &str, span: Span) -> Result<f64, Fault> {
    // One digit is the usual element of a feature vector.
    if let [d @ b'0'..=b'9'] = text.as_bytes() {
        return Ok(f64::from(d - b'0'));
    }
    match text.parse::<f64>() {
        Ok(0.0) if vanishes(text) => Err(fault(
            codes::BAD_NUMBER,
            format!("the number `{}` is out of range", super::cursor::excerpt(text)),
            span,
            "it would be read as 0: the smallest number is about 5e-324",
        )),
        Ok(x) if x.is_finite() => Ok(x),
        Ok(_) => Err(fault(
            codes::BAD_NUMBER,
            format!("the number `{}` is out of range", super::cursor::excerpt(text)),
            span,
            "the largest number is about 1.8e308",
        )),
        Err(_) => {
            let title = format!("`{}` is not a number", super::cursor::excerpt(text));
            Err(fault(codes::BAD_NUMBER, title, span, "not a number"))
        }
    }
}

/// A whole number from its text.
pub(super) fn parse_whole(text: &str, span: Span, what: &str) -> Result<u64, Fault> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        if let Ok(n) = digits.parse::<u64>() {
            return Ok(n);
        }
        let title = format!("the {what} `{}` is out of range", super::cursor::excerpt(text));
        return Err(fault(codes::BAD_NUMBER, title, span, "too large"));
    }
    let title = format!("the {what} `{}` is not a whole number", super::cursor::excerpt(text));
    Err(fault(codes::BAD_VALUE, title, span, "write digits only, without sign and fraction"))
}

/// The number under the cursor.
#[inline]
fn number(c: &mut Cursor<'_>) -> Result<f64, Fault> {
    let t = c.expect(TokenKind::Number, "a number")?;
    parse_number(c.slice(t), c.span_of(t))
}

fn whole(c: &mut Cursor<'_>, t: Token, what: &str) -> Result<u64, Fault> {
    parse_whole(c.slice(t), c.span_of(t), what)
}

/// `:` and a number. `:-0.25` is lexed as an arrow; between an index and a number it can only be a colon and a sign.
pub(super) fn colon_number(c: &mut Cursor<'_>) -> Result<(f64, Span), Fault> {
    if let Some(t) = colon_minus(c) {
        let text = &c.text[t.range()];
        let span = c.span_of(t);
        return Ok((parse_number(text, span)?, span));
    }
    c.expect(TokenKind::Colon, "`:` and a value")?;
    let t = c.now;
    Ok((number(c)?, c.span_of(t)))
}

/// If `:-` and an unsigned number stand here without a gap: moves over both, returns the signed number.
pub(super) fn colon_minus(c: &mut Cursor<'_>) -> Option<Token> {
    let arrow = c.now;
    if arrow.kind != TokenKind::Implies {
        return None;
    }
    if !c.text.as_bytes().get(arrow.end as usize).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    c.advance();
    let end = c.now.end;
    c.advance();
    Some(Token { kind: TokenKind::Number, start: arrow.end - 1, end })
}

/// A dimension: at least 1, at most 2^31.
fn dimension(c: &mut Cursor<'_>, t: Token) -> Result<u64, Fault> {
    let n = whole(c, t, "dimension")?;
    let span = c.span_of(t);
    match n {
        0 => Err(fault(codes::BAD_VALUE, "a dimension of 0", span, "dimensions begin at 1")),
        1..=MAX_ELEMENTS => Ok(n),
        _ => Err(fault(codes::BAD_VALUE, format!("the dimension {n} is too large"), span, "at most 2^31")),
    }
}

/// One or two dimensions.
fn dimensions(c: &mut Cursor<'_>) -> Result<(u64, Option<u64>), Fault> {
    let first = c.expect(TokenKind::Number, "a dimension")?;
    let rows = dimension(c, first)?;
    let mut cols = None;
    if c.eat(TokenKind::Comma) {
        let t = c.expect(TokenKind::Number, "a dimension")?;
        cols = Some(dimension(c, t)?);
    }
    let total = rows * cols.unwrap_or(1);
    if total > MAX_ELEMENTS {
        let span = c.span_from(first.start);
        return Err(fault(
            codes::BAD_VALUE,
            format!("a value of {total} elements is too large"),
            span,
            "at most 2^31 elements",
        ));
    }
    Ok((rows, cols))
}

/// A weight, or a reference `$name` without value.
#[inline]
pub(super) fn weight<'t>(c: &mut Cursor<'t>, buffer: &mut Buffer) -> Result<Weight<'t>, Fault> {
    let start = c.now.start;
    let (mut name, mut member) = (None, None);
    if c.eat(TokenKind::Dollar) {
        if !matches!(c.now.kind, TokenKind::Name | TokenKind::Variable) {
            return Err(c.unexpected("the name of a weight"));
        }
        name = Some((c.slice(c.now), c.span(start, c.now.end)));
        c.advance();
        if c.is(TokenKind::LeftBracket) {
            member = Some(brackets(c)?);
        }
        if !c.eat(TokenKind::Equals) {
            let span = c.span_from(start);
            return Ok(Weight {
                name,
                member,
                fixed: false,
                form: Form::Reference,
                rows: 0,
                cols: 0,
                value_span: span,
                span,
            });
        }
    }
    let fixed = c.eat(TokenKind::LeftAngle);
    let at = c.now.start;
    let (form, rows, cols) = value(c, buffer)?;
    let value_span = c.span_from(at);
    if fixed {
        c.expect(TokenKind::RightAngle, "`>`")?;
    }
    Ok(Weight { name, member, fixed, form, rows, cols, value_span, span: c.span_from(start) })
}

/// What picks the member of a family, `[X, carbon, 1]`: the place of the brackets. The terms are the template parser's.
#[cold]
fn brackets(c: &mut Cursor<'_>) -> Result<Span, Fault> {
    let start = c.now.start;
    loop {
        c.advance();
        while matches!(c.now.kind, TokenKind::Name | TokenKind::Variable | TokenKind::Colon)
            || matches!(c.now.kind, TokenKind::Number | TokenKind::Quoted)
        {
            c.advance();
        }
        if !c.is(TokenKind::Comma) {
            break;
        }
    }
    c.expect(TokenKind::RightBracket, "`,` or `]`")?;
    Ok(c.span_from(start))
}

#[inline]
fn value(c: &mut Cursor<'_>, buffer: &mut Buffer) -> Result<(Form, usize, usize), Fault> {
    buffer.values.clear();
    match c.now.kind {
        TokenKind::Number => {
            buffer.values.push(number(c)?);
            Ok((Form::Scalar, 1, 1))
        }
        TokenKind::LeftBrace => {
            c.advance();
            let (rows, cols) = dimensions(c)?;
            c.expect(TokenKind::RightBrace, "`}`")?;
            Ok((Form::Dims, rows as usize, cols.unwrap_or(1) as usize))
        }
        TokenKind::LeftBracket => {
            c.advance();
            if c.is(TokenKind::LeftBracket) {
                return matrix(c, buffer);
            }
            vector_or_sparse(c, buffer)
        }
        _ => Err(c.unexpected("a value")),
    }
}

fn vector_or_sparse(c: &mut Cursor<'_>, buffer: &mut Buffer) -> Result<(Form, usize, usize), Fault> {
    let opened = c.clone();
    c.digits(&mut buffer.values);
    loop {
        buffer.values.push(number(c)?);
        match c.now.kind {
            TokenKind::Comma => c.advance(),
            TokenKind::RightBracket => break,
            TokenKind::Bar if buffer.values.len() <= 2 => {
                buffer.values.clear();
                *c = opened;
                return sparse(c, buffer);
            }
            _ => return Err(c.unexpected("`,` or `]`")),
        }
    }
    c.advance();
    Ok((Form::Dense, buffer.values.len(), 1))
}

fn matrix(c: &mut Cursor<'_>, buffer: &mut Buffer) -> Result<(Form, usize, usize), Fault> {
    let (mut rows, mut cols) = (0, 0);
    while c.is(TokenKind::LeftBracket) {
        let start = c.now.start;
        c.advance();
        let before = buffer.values.len();
        loop {
            buffer.values.push(number(c)?);
            if !c.eat(TokenKind::Comma) {
                break;
            }
        }
        c.expect(TokenKind::RightBracket, "`,` or `]`")?;
        let width = buffer.values.len() - before;
        if rows > 0 && width != cols {
            return Err(fault(
                codes::BAD_VALUE,
                "the rows of a matrix differ in length",
                c.span_from(start),
                format!("this row has {width}, the first has {cols}"),
            ));
        }
        (rows, cols) = (rows + 1, width);
        if c.eat(TokenKind::Comma) && !c.is(TokenKind::LeftBracket) {
            return Err(c.unexpected("a row `[…]`"));
        }
    }
    c.expect(TokenKind::RightBracket, "a row `[…]` or `]`")?;
    Ok((Form::Dense, rows, cols))
}

/// `n | i:v, …]` or `r,c | i,j:v, …]`, after the opening bracket.
fn sparse(c: &mut Cursor<'_>, buffer: &mut Buffer) -> Result<(Form, usize, usize), Fault> {
    let start = c.now.start;
    let (rows, second) = dimensions(c)?;
    let cols = second.unwrap_or(1);
    if rows * cols > MAX_FILLED {
        return Err(fault(
            codes::BAD_VALUE,
            format!("a sparse literal of {} elements is too large to be filled up", rows * cols),
            c.span_from(start),
            format!("at most {MAX_FILLED} elements"),
        ));
    }
    c.expect(TokenKind::Bar, "`|`")?;
    buffer.entries.clear();
    if !c.is(TokenKind::RightBracket) {
        loop {
            let entry = entry(c, rows, second)?;
            buffer.entries.push(entry);
            if !c.eat(TokenKind::Comma) {
                break;
            }
        }
    }
    c.expect(TokenKind::RightBracket, "`,` or `]`")?;
    buffer.values.resize((rows * cols) as usize, 0.0);
    // Stable, so that of two entries with one index the later one is reported.
    buffer.entries.sort_by_key(|e| e.0);
    if let Some(pair) = buffer.entries.windows(2).find(|w| w[0].0 == w[1].0) {
        let mut d = fault(codes::BAD_VALUE, "an index is given twice", pair[1].2, "again here");
        d.labels.push(crate::diag::Label { span: pair[0].2, text: "first given here".into() });
        return Err(d);
    }
    for &(i, v, _) in &buffer.entries {
        buffer.values[i] = v;
    }
    Ok((Form::Dense, rows as usize, cols as usize))
}

fn entry(c: &mut Cursor<'_>, rows: u64, cols: Option<u64>) -> Result<(usize, f64, Span), Fault> {
    let paren = c.eat(TokenKind::LeftParen);
    let first = c.expect(TokenKind::Number, "an index")?;
    let i = index(c, first, rows)?;
    let mut flat = i;
    let mut span = c.span_of(first);
    if c.eat(TokenKind::Comma) {
        let t = c.expect(TokenKind::Number, "an index")?;
        span = c.span_from(first.start);
        let Some(cols) = cols else {
            return Err(fault(
                codes::BAD_VALUE,
                "two indices in a sparse vector",
                span,
                "a vector's entries have one index, `i:v`",
            ));
        };
        flat = i * cols + index(c, t, cols)?;
    } else if cols.is_some() {
        return Err(fault(
            codes::BAD_VALUE,
            "one index in a sparse matrix",
            span,
            "a matrix's entries have two indices, `i,j:v`",
        ));
    }
    let (v, _) = colon_number(c)?;
    if paren {
        c.expect(TokenKind::RightParen, "`)`")?;
    }
    Ok((flat as usize, v, span))
}

fn index(c: &mut Cursor<'_>, t: Token, limit: u64) -> Result<u64, Fault> {
    let i = whole(c, t, "index")?;
    if i >= limit {
        let (title, label) =
            (format!("the index {i} is out of range"), format!("indices run from 0 to {}", limit - 1));
        return Err(fault(codes::BAD_VALUE, title, c.span_of(t), label));
    }
    Ok(i)
}
