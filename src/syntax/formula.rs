//! What is calculated while a template is expanded: arguments of modules, `@{2*d}`, the headers of `@for`, `@if`,
//! `@use` and `@module`. Read by hand, not by the grammar: in `L-1` the sign is an operator here, and a letter there.

use super::cursor::{Fault, excerpt, fault};
use super::parser::unquoted;
use crate::base::span::{SourceId, Span, Spanned};
use crate::diag::codes;

/// Parentheses, brackets and signs may nest this deep.
const MAX_DEPTH: usize = 64;

/// An expression over parameters and loop variables, with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    /// What it is.
    pub kind: FormulaKind,
    /// All of it.
    pub span: Span,
}

/// What a [`Formula`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum FormulaKind {
    /// `1.5`
    Number(f64),
    /// `'any text'`, unescaped.
    Quoted(String),
    /// A parameter, a loop variable, or a word that stands for itself; glued from several parts in `l@{L-1}`.
    Name(Vec<NamePart>),
    /// `$w`
    Weight(Vec<NamePart>),
    /// `bond/2`: a predicate, or a division if the name is that of a number.
    Signature(Vec<NamePart>, u32),
    /// `{a, b}`
    List(Vec<Formula>),
    /// `leakyrelu(0.2)`, `len(units)`
    Call(Spanned<String>, Vec<Formula>),
    /// `units[L]`, counted from 1.
    Element(Box<Formula>, Box<Formula>),
    /// `-x`
    Negation(Box<Formula>),
    /// Two operands; `tight` if nothing stands around the sign, as in a name with a `-`.
    Operation {
        /// The sign.
        sign: Sign,
        /// Before it.
        left: Box<Formula>,
        /// Behind it.
        right: Box<Formula>,
        /// Without white space around the sign.
        tight: bool,
    },
}

/// A part of a name.
#[derive(Debug, Clone, PartialEq)]
pub enum NamePart {
    /// Letters as they stand.
    Text(String),
    /// `@{L-1}` or `@L`.
    Value(Box<Formula>),
}

/// A sign between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
}

/// A comparison in `@if`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// `==`
    Equal,
    /// `!=`
    Different,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// The condition of an `@if`.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Before the sign.
    pub left: Formula,
    /// The sign.
    pub test: Test,
    /// Behind it.
    pub right: Formula,
}

/// What an `@for` runs over.
#[derive(Debug, Clone, PartialEq)]
pub enum Range {
    /// `1..5`, both ends included.
    Numbers(Formula, Formula),
    /// `{a, b}`, or a parameter that is a list.
    List(Formula),
}

/// A parameter of a module.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name, without `$`.
    pub name: Spanned<String>,
    /// What it takes.
    pub kind: ParameterKind,
    /// What it is if an `@use` does not say.
    pub default: Option<Formula>,
    /// The words and numbers that it can be, `symmetric | none`; empty if any value will do.
    pub choices: Vec<Formula>,
    /// Whether other values are taken too: the last choice is `_`.
    pub open: bool,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// `x/1`: a predicate with that many arguments.
    Predicate(u32),
    /// `$w`: a shared weight, private if none is given.
    Weight,
    /// `d`: a number, a word, a function or a list.
    Value,
}

/// An argument of an `@use`.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// `name =` before it.
    pub name: Option<Spanned<String>>,
    /// The value.
    pub value: Formula,
}

/// A reader of formulas; comments are already blank.
pub struct Reader<'t> {
    source: SourceId,
    text: &'t str,
    /// Position in the source of byte 0 of the text.
    base: usize,
    at: usize,
    depth: usize,
}

/// Whether a character may stand in a name of a formula: as in names, but for `-`.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

type Read<T> = Result<T, Fault>;

impl<'t> Reader<'t> {
    /// Begins at the start of `text`, which is byte `base` of the source.
    pub fn new(source: SourceId, text: &'t str, base: usize) -> Self {
        Reader { source, text, base, at: 0, depth: 0 }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn span_from(&self, start: usize) -> Span {
        Span::new(self.source, self.base + start, self.base + self.at)
    }

    /// Moves over `word` if it is next (behind white space).
    pub fn eat(&mut self, word: &str) -> bool {
        let start = self.at;
        self.space();
        let whole = |rest: &str| {
            !word.ends_with(is_word) || !rest[word.len()..].starts_with(|c| is_word(c) || c == '-')
        };
        if self.rest().starts_with(word) && whole(self.rest()) {
            self.at += word.len();
            return true;
        }
        self.at = start;
        false
    }

    #[cold]
    fn unexpected(&mut self, expected: &str) -> Fault {
        self.space();
        let start = self.at;
        let found = match self.peek() {
            None => "the end".to_string(),
            Some(c) if is_word(c) => {
                let rest = self.rest();
                self.at += rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                format!("`{}`", excerpt(&self.text[start..self.at]))
            }
            Some(c) => {
                self.at += c.len_utf8();
                format!("`{c}`")
            }
        };
        let title = format!("expected {expected}, found {found}");
        fault(codes::UNEXPECTED, title, self.span_from(start), format!("expected {expected}"))
    }

    /// Moves over `word` or reports what stands there.
    pub fn expect(&mut self, word: &str) -> Read<()> {
        if self.eat(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    /// The end of the text or a fault.
    pub fn end(&mut self, expected: &str) -> Read<()> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    /// A word without `-`.
    pub fn word(&mut self, expected: &str) -> Read<Spanned<String>> {
        self.space();
        let start = self.at;
        match self.peek() {
            Some(c) if c.is_alphabetic() || c == '_' => {}
            _ => return Err(self.unexpected(expected)),
        }
        let rest = self.rest();
        self.at += rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if self.rest().starts_with('-') && self.rest()[1..].starts_with(is_word) {
            let span = self.span_from(start);
            let mut d = fault(
                codes::UNEXPECTED,
                "a `-` in the name of a module, parameter or loop variable",
                span,
                "before this `-`",
            );
            d.help = Some("in their expressions `-` is an operator; write `_`".into());
            return Err(d);
        }
        Ok(Spanned::new(self.text[start..self.at].to_string(), self.span_from(start)))
    }

    fn digits(&mut self) -> Option<u32> {
        let rest = self.rest();
        let len = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let value = rest[..len].parse().ok()?;
        self.at += len;
        Some(value)
    }

    /// Values separated by commas up to `close`, which is passed.
    fn list(&mut self, close: &str) -> Read<Vec<Formula>> {
        let mut out = Vec::new();
        if self.eat(close) {
            return Ok(out);
        }
        loop {
            out.push(self.formula()?);
            if self.eat(close) {
                return Ok(out);
            }
            if !self.eat(",") {
                return Err(self.unexpected(&format!("`,` or `{close}`")));
            }
        }
    }

    /// Formulas separated by commas up to the end of the text.
    pub fn formulas(&mut self) -> Read<Vec<Formula>> {
        let mut out = vec![self.formula()?];
        while self.eat(",") {
            out.push(self.formula()?);
        }
        self.end("`,` or an operator")?;
        Ok(out)
    }

    /// One formula.
    pub fn formula(&mut self) -> Read<Formula> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let (title, at) = (format!("an expression nested more than {MAX_DEPTH} deep"), self.at);
            return Err(fault(codes::NESTED_TOO_DEEP, title, self.span_from(at), "too deep"));
        }
        let mut left = self.product()?;
        while let Some((sign, tight)) = self.sign(&[('+', Sign::Add), ('-', Sign::Sub)]) {
            let right = self.product()?;
            left = operation(sign, left, right, tight);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn product(&mut self) -> Read<Formula> {
        let mut left = self.factor()?;
        while let Some((sign, tight)) = self.sign(&[('*', Sign::Mul), ('/', Sign::Div)]) {
            let right = self.factor()?;
            left = operation(sign, left, right, tight);
        }
        Ok(left)
    }

    fn sign(&mut self, signs: &[(char, Sign)]) -> Option<(Sign, bool)> {
        let before = self.at;
        self.space();
        let apart = self.at > before;
        let found = self.peek().and_then(|c| signs.iter().find(|(s, _)| *s == c));
        match found {
            Some((c, sign)) => {
                self.at += c.len_utf8();
                let tight = !apart && !self.peek().is_some_and(char::is_whitespace);
                Some((*sign, tight))
            }
            None => {
                self.at = before;
                None
            }
        }
    }

    fn factor(&mut self) -> Read<Formula> {
        self.space();
        let start = self.at;
        let make = |this: &Self, kind| Formula { kind, span: this.span_from(start) };
        match self.peek() {
            Some('-') => {
                self.at += 1;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    let title = format!("an expression nested more than {MAX_DEPTH} deep");
                    return Err(fault(codes::NESTED_TOO_DEEP, title, self.span_from(start), "too deep"));
                }
                let inner = self.factor()?;
                self.depth -= 1;
                Ok(make(self, FormulaKind::Negation(Box::new(inner))))
            }
            Some('(') => {
                self.at += 1;
                let inner = self.formula()?;
                self.expect(")")?;
                Ok(Formula { kind: inner.kind, span: self.span_from(start) })
            }
            Some('{') => {
                self.at += 1;
                let items = self.list("}")?;
                Ok(make(self, FormulaKind::List(items)))
            }
            Some('\'') => {
                let rest = self.rest();
                let end = quoted_end(rest).ok_or_else(|| self.unexpected("a closed quote"))?;
                self.at += end;
                let text = unquoted(&rest[..end], self.span_from(start))?;
                Ok(make(self, FormulaKind::Quoted(text)))
            }
            Some('$') => {
                self.at += 1;
                let parts = self.name_parts()?;
                Ok(make(self, FormulaKind::Weight(parts)))
            }
            Some(c) if c.is_ascii_digit() => {
                let value = self.number()?;
                Ok(make(self, FormulaKind::Number(value)))
            }
            Some(c) if c.is_alphabetic() || c == '_' || c == '@' => self.named(start),
            Some('[') => {
                let mut fault = self.unexpected("a value");
                fault.help = Some("a list stands in braces: `{8, 16, 1}`".into());
                Err(fault)
            }
            _ => Err(self.unexpected("a value")),
        }
    }

    fn number(&mut self) -> Read<f64> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
        let run = |mut i: usize| {
            while digit(i) {
                i += 1;
            }
            i
        };
        let mut end = run(start);
        // The points of `1..5` are no decimal ones.
        if bytes.get(end) == Some(&b'.') && digit(end + 1) {
            end = run(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let signed = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            if digit(signed) {
                end = run(signed);
            }
        }
        self.at = end;
        super::value::parse_number(&self.text[start..end], self.span_from(start))
    }

    fn name_parts(&mut self) -> Read<Vec<NamePart>> {
        let mut parts = Vec::new();
        loop {
            let rest = self.rest();
            if let Some(inner) = rest.strip_prefix('@') {
                self.at += 1;
                if inner.starts_with('{') {
                    self.at += 1;
                    let value = self.formula()?;
                    self.expect("}")?;
                    parts.push(NamePart::Value(Box::new(value)));
                } else {
                    let word = self.word("`{` or a parameter")?;
                    let kind = FormulaKind::Name(vec![NamePart::Text(word.node)]);
                    parts.push(NamePart::Value(Box::new(Formula { kind, span: word.span })));
                }
                continue;
            }
            let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            if len == 0 {
                break;
            }
            parts.push(NamePart::Text(rest[..len].to_string()));
            self.at += len;
        }
        if parts.is_empty() { Err(self.unexpected("a name")) } else { Ok(parts) }
    }

    fn named(&mut self, start: usize) -> Read<Formula> {
        let parts = self.name_parts()?;
        let span = self.span_from(start);
        let make = |this: &Self, kind| Formula { kind, span: this.span_from(start) };
        match (self.peek(), &parts[..]) {
            (Some('('), [NamePart::Text(name)]) => {
                let name = Spanned::new(name.clone(), span);
                self.at += 1;
                let args = self.list(")")?;
                Ok(make(self, FormulaKind::Call(name, args)))
            }
            (Some('['), _) => {
                self.at += 1;
                let index = self.formula()?;
                self.expect("]")?;
                let list = Box::new(Formula { kind: FormulaKind::Name(parts), span });
                Ok(make(self, FormulaKind::Element(list, Box::new(index))))
            }
            (Some('/'), _) => {
                let slash = self.at;
                self.at += 1;
                match self.digits() {
                    Some(arity) if !self.rest().starts_with(|c: char| is_word(c) || c == '.') => {
                        Ok(make(self, FormulaKind::Signature(parts, arity)))
                    }
                    _ => {
                        self.at = slash;
                        Ok(make(self, FormulaKind::Name(parts)))
                    }
                }
            }
            _ => Ok(make(self, FormulaKind::Name(parts))),
        }
    }

    /// `name(a, b, k = c)`, of an `@use`.
    pub fn arguments(&mut self) -> Read<(Spanned<String>, Vec<Argument>)> {
        let name = self.word("the name of a module")?;
        self.expect("(")?;
        let mut out = Vec::new();
        if self.eat(")") {
            return Ok((name, out));
        }
        loop {
            out.push(self.argument()?);
            if self.eat(")") {
                return Ok((name, out));
            }
            if !self.eat(",") {
                return Err(self.unexpected("`,` or `)`"));
            }
        }
    }

    fn argument(&mut self) -> Read<Argument> {
        let start = self.at;
        self.space();
        if self.eat("$") || self.peek().is_some_and(|c| c.is_alphabetic() || c == '_') {
            let from = self.at;
            let rest = self.rest();
            self.at += rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let name = Spanned::new(self.text[from..self.at].to_string(), self.span_from(from));
            if self.eat("=") {
                return Ok(Argument { name: Some(name), value: self.formula()? });
            }
        }
        self.at = start;
        Ok(Argument { name: None, value: self.formula()? })
    }

    /// `name(x/1, d, act = relu, $w)`, of an `@module`.
    pub fn parameters(&mut self) -> Read<(Spanned<String>, Vec<Parameter>)> {
        let name = self.word("the name of the module")?;
        self.expect("(")?;
        let mut out = Vec::new();
        if self.eat(")") {
            return Ok((name, out));
        }
        loop {
            out.push(self.parameter()?);
            if self.eat(")") {
                return Ok((name, out));
            }
            if !self.eat(",") {
                return Err(self.unexpected("`,` or `)`"));
            }
        }
    }

    fn parameter(&mut self) -> Read<Parameter> {
        let weight = self.eat("$");
        let name = self.word("a parameter")?;
        let mut kind = if weight { ParameterKind::Weight } else { ParameterKind::Value };
        if !weight && self.eat("/") {
            self.space();
            kind = match self.digits() {
                Some(n) if n <= 1 << 16 => ParameterKind::Predicate(n),
                _ => return Err(self.unexpected("the number of arguments")),
            };
        }
        let value = kind == ParameterKind::Value;
        let mut choices = Vec::new();
        let default = if self.eat("=") {
            Some(self.formula()?)
        } else if value && self.eat("in") {
            choices.push(self.formula()?);
            None
        } else {
            None
        };
        while value && self.eat("|") {
            if choices.is_empty() {
                choices.extend(default.clone());
            }
            choices.push(self.formula()?);
        }
        let any = [NamePart::Text("_".into())];
        let open = choices.last().is_some_and(|f| matches!(&f.kind, FormulaKind::Name(p) if p[..] == any));
        if open {
            choices.pop();
        }
        Ok(Parameter { name, kind, default, choices, open })
    }

    /// `'text with @{x}'`, of an `@error`.
    pub fn message(&mut self) -> Read<Vec<NamePart>> {
        self.space();
        let start = self.at;
        let end = if self.peek() == Some('\'') { quoted_end(self.rest()) } else { None };
        let Some(end) = end else { return Err(self.unexpected("a text in quotes")) };
        let quote = start + end - 1;
        self.at = start + 1;
        let mut parts = Vec::new();
        loop {
            let from = self.at;
            let rest = &self.text[from..quote];
            let value = rest.find("@{");
            let written = &rest[..value.unwrap_or(rest.len())];
            self.at += written.len();
            if !written.is_empty() {
                parts.push(NamePart::Text(unquoted(&format!("'{written}'"), self.span_from(from))?));
            }
            if value.is_none() {
                break;
            }
            self.at += 2;
            let value = self.formula()?;
            self.expect("}")?;
            if self.at > quote {
                self.at = quote;
                return Err(self.unexpected("`}`"));
            }
            parts.push(NamePart::Value(Box::new(value)));
        }
        self.at = start + end;
        Ok(parts)
    }

    /// `L in 1..5`
    pub fn loop_header(&mut self) -> Read<(Spanned<String>, Range)> {
        let variable = self.word("a loop variable")?;
        self.expect("in")?;
        let first = self.formula()?;
        let range = if self.eat("..") { Range::Numbers(first, self.formula()?) } else { Range::List(first) };
        self.end("`..` or `{`")?;
        Ok((variable, range))
    }

    /// `compat == pynl`
    pub fn condition(&mut self) -> Read<Condition> {
        let left = self.formula()?;
        // Longer signs first.
        let signs = [
            ("==", Test::Equal),
            ("!=", Test::Different),
            ("<=", Test::AtMost),
            (">=", Test::AtLeast),
            ("<", Test::Less),
            (">", Test::Greater),
        ];
        let Some((_, test)) = signs.into_iter().find(|(s, _)| self.eat(s)) else {
            return Err(self.unexpected("`==`, `!=` or a comparison"));
        };
        let right = self.formula()?;
        self.end("`{`")?;
        Ok(Condition { left, test, right })
    }
}

fn operation(sign: Sign, left: Formula, right: Formula, tight: bool) -> Formula {
    let span = left.span.to(right.span);
    let (left, right) = (Box::new(left), Box::new(right));
    Formula { kind: FormulaKind::Operation { sign, left, right, tight }, span }
}

/// The length of the quoted constant that a text begins with.
fn quoted_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut i = 1;
    while i < bytes.len() && bytes[i] != b'\n' {
        match (bytes[i], bytes.get(i + 1)) {
            (b'\'', Some(b'\'')) => i += 2,
            (b'\'', _) => return Some(i + 1),
            (b'\\', Some(next)) if next.is_ascii() => i += 2,
            _ => i += 1,
        }
    }
    None
}
