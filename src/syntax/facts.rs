//! Streaming reader of facts, examples and queries: a loop over tokens that hands each fact to a [`DataSink`]
//! without building a tree.

use super::ast;
use super::cursor::{Cursor, Fault, MAX_ERRORS, fault, too_long, too_many};
use super::foreign::{NO_COMPARISON, compares};
use super::parser;
use super::token::{Token, TokenKind};
use super::value::{self, Buffer, Form, Weight, begins_weight};
use crate::base::hash::HashMap;
use crate::base::span::{SourceId, Span, Spanned};
use crate::diag::{Diagnostic, Label, codes, counted};

/// Which kind of data file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// A `.db` text: facts of the shared world (separated by `.` or `,`), examples `label :- facts.`, queries `?- …`.
    Database,
    /// The reference's examples file: every statement is one example, `facts.` or `label :- facts.`.
    Examples,
    /// The reference's queries file: every statement is one line of queries, `w q, ….` or `id :- w q, ….`.
    Queries,
}

/// A value before a fact or query, borrowed from the reader.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueRef<'a> {
    /// The shared name without `$`.
    pub name: Option<&'a str>,
    /// In angle brackets.
    pub fixed: bool,
    /// Rows (1 for a scalar).
    pub rows: usize,
    /// Columns (1 for a scalar and a column vector).
    pub cols: usize,
    /// Row-major elements; empty for `{dims}`, which are to be initialised.
    pub values: &'a [f64],
    /// All of it.
    pub span: Span,
}

impl ValueRef<'_> {
    /// The same in a syntax tree.
    pub fn to_weight(&self) -> ast::Weight {
        let (rows, cols, values) = (self.rows, self.cols, self.values.to_vec());
        let value = match values.as_slice() {
            [] => ast::WeightValue::Dims { rows, cols },
            &[x] => ast::WeightValue::Scalar(x),
            _ => ast::WeightValue::Dense { rows, cols, values },
        };
        ast::Weight {
            name: self.name.map(|n| Spanned::new(n.to_string(), self.span)),
            member: None,
            fixed: self.fixed,
            value: Spanned::new(value, self.span),
            span: self.span,
        }
    }
}

/// A term of a fact, borrowed from the text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TermRef<'a> {
    /// The type prefix without its colon.
    pub ty: Option<&'a str>,
    /// What kind of term.
    pub kind: TermClass,
    /// The text; for a quoted constant the unescaped content.
    pub text: &'a str,
    /// Its place (with the type).
    pub span: Span,
}

/// The kinds of terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermClass {
    /// A variable.
    Variable,
    /// A name.
    Name,
    /// A number.
    Number,
    /// A quoted constant.
    Quoted,
}

/// An atom of a fact or query, borrowed from the reader.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtomRef<'a> {
    /// Negated with `!` or `~` (the sink reports it; the reader only passes it on).
    pub sign: ast::Sign,
    /// The predicate's name.
    pub name: &'a str,
    /// Arguments.
    pub args: &'a [TermRef<'a>],
    /// The whole atom.
    pub span: Span,
}

/// Where the reader delivers. Calls come in file order.
///
/// `Database`: `fact` outside `begin_world … end_world` states a fact of the shared world; `query` outside belongs to
/// a `?-` statement, bracketed by `begin_queries … end_queries`.
/// Inside `begin_world … end_world`: first the labels (`query` calls, if the example has any), then facts and rules.
/// `Queries`: one `begin_queries … end_queries` per statement; `link` first if the statement has an id.
pub trait DataSink {
    /// An example begins.
    fn begin_world(&mut self, span: Span);
    /// The example ends; the span covers all of it.
    fn end_world(&mut self, span: Span);
    /// A statement of queries begins.
    fn begin_queries(&mut self, span: Span);
    /// It ends.
    fn end_queries(&mut self, span: Span);
    /// The id before `:-` of a statement in a queries file, with its optional value (the importance).
    fn link(&mut self, value: Option<ValueRef<'_>>, atom: AtomRef<'_>);
    /// A fact.
    fn fact(&mut self, value: Option<ValueRef<'_>>, atom: AtomRef<'_>);
    /// A query or label with its optional target.
    fn query(&mut self, target: Option<ValueRef<'_>>, atom: AtomRef<'_>);
    /// A rule inside an example (or, in `Database`, between facts).
    fn rule(&mut self, rule: ast::Rule);
}

/// Reads a data text and hands what it finds to the sink, in order. After an error it goes on behind the next full
/// stop; worlds and query statements that it has begun are always ended.
pub fn read(source: SourceId, text: &str, dialect: Dialect, sink: &mut impl DataSink) -> Vec<Diagnostic> {
    if let Some(d) = too_long(source, text) {
        return vec![d];
    }
    let mut reader = Reader {
        c: Cursor::new(source, text, 0),
        source,
        dialect,
        sink,
        buffer: Buffer::default(),
        args: Vec::new(),
        escapes: Vec::new(),
        known: HashMap::default(),
        diagnostics: Vec::new(),
        resume_here: false,
        asked: None,
    };
    reader.run();
    if let Some((first, more)) = reader.asked.filter(|(_, more)| *more > 0) {
        let note = format!("{} of this file begin with it", counted(more, "more statement"));
        reader.diagnostics[first].notes.push(note);
    }
    reader.diagnostics
}

/// A weighted atom under the reader's eyes; its elements and arguments lie in the reader's buffers.
struct Item<'t> {
    start: u32,
    weight: Option<Weight<'t>>,
    sign: ast::Sign,
    name: &'t str,
    span: Span,
}

/// What a weighted atom is to the sink.
#[derive(Clone, Copy)]
enum Role {
    Fact,
    Query,
    Link,
}

/// The value of a shared weight at its first mention.
struct Known {
    fixed: bool,
    form: Form,
    rows: usize,
    cols: usize,
    values: Vec<f64>,
}

struct Reader<'t, 's, S> {
    c: Cursor<'t>,
    source: SourceId,
    dialect: Dialect,
    sink: &'s mut S,
    buffer: Buffer,
    args: Vec<TermRef<'t>>,
    /// Arguments whose text is not a part of the source because it had escapes in it.
    escapes: Vec<(usize, String)>,
    known: HashMap<&'t str, Known>,
    diagnostics: Vec<Diagnostic>,
    /// Set with an error after which the next statement begins right under the cursor.
    resume_here: bool,
    /// Where `?-` is not allowed: the diagnostic of the first, and how many more there are. Who writes it once writes it
    /// in front of every query.
    asked: Option<(usize, usize)>,
}

impl<'t, S: DataSink> Reader<'t, '_, S> {
    fn run(&mut self) {
        while !self.c.is(TokenKind::End) {
            if self.diagnostics.len() >= MAX_ERRORS {
                let at = self.c.span_of(self.c.now);
                self.diagnostics.push(too_many(at));
                return;
            }
            if let Err(fault) = self.statement() {
                self.fail(*fault);
            }
        }
    }

    /// Reports, and moves behind the next full stop.
    #[cold]
    fn fail(&mut self, fault: Diagnostic) {
        self.diagnostics.push(fault);
        if !std::mem::take(&mut self.resume_here) {
            self.skip();
        }
    }

    /// Moves behind the next full stop.
    fn skip(&mut self) {
        loop {
            match self.c.now.kind {
                TokenKind::End => return,
                TokenKind::Stop => return self.c.advance(),
                // An open quote runs to the end of the line, and so over the full stop, if there is one.
                TokenKind::UnclosedQuote if self.c.slice(self.c.now).trim_end().ends_with('.') => {
                    return self.c.advance();
                }
                _ => self.c.advance(),
            }
        }
    }

    fn statement(&mut self) -> Result<(), Fault> {
        match self.c.now.kind {
            TokenKind::Stop => {
                let at = self.c.span_of(self.c.now);
                let title = "a full stop without a statement";
                return Err(fault(codes::UNEXPECTED, title, at, "nothing stands before it"));
            }
            TokenKind::Ask if self.dialect == Dialect::Database => {
                let start = self.c.now.start;
                self.sink.begin_queries(self.c.span_of(self.c.now));
                self.c.advance();
                let result = self.queries();
                return self.end_queries(start, result);
            }
            TokenKind::Ask if self.asked.is_some() => {
                self.asked.iter_mut().for_each(|(_, more)| *more += 1);
                self.skip();
                return Ok(());
            }
            TokenKind::Ask => {
                self.asked = Some((self.diagnostics.len(), 0));
                let title = "`?-` is not used in this kind of file";
                let mut d = fault(
                    codes::NOT_ALLOWED_HERE,
                    title,
                    self.c.span_of(self.c.now),
                    "not allowed in this file",
                );
                d.help = Some(match self.dialect {
                    Dialect::Queries => "every statement of a queries file is a query: leave `?-` out".into(),
                    _ => "queries stand in a queries file, or before `:-` as the example's label".into(),
                });
                return Err(d);
            }
            TokenKind::LeftBracket if self.metadata_here() => return self.metadata(),
            _ => {}
        }
        let start = self.c.now.start;
        let first = self.item()?;
        let arrow = self.c.now.kind.is_arrow();
        let comma = self.c.is(TokenKind::Comma);
        match self.dialect {
            Dialect::Queries => {
                self.sink.begin_queries(self.c.span_from(start));
                let result = if arrow {
                    self.deliver(&first, Role::Link);
                    self.c.advance();
                    self.queries()
                } else {
                    self.deliver(&first, Role::Query);
                    self.more(Role::Query)
                };
                self.end_queries(start, result)
            }
            Dialect::Examples => {
                let labelled = arrow || comma && self.labels_ahead();
                self.world(first, labelled);
                Ok(())
            }
            Dialect::Database if arrow && self.variables_ahead() => self.rule(start),
            Dialect::Database if arrow || comma && self.labels_ahead() => {
                self.world(first, true);
                Ok(())
            }
            Dialect::Database => {
                self.deliver(&first, Role::Fact);
                self.more(Role::Fact)
            }
        }
    }

    fn end_queries(&mut self, start: u32, result: Result<(), Fault>) -> Result<(), Fault> {
        if let Err(fault) = result {
            self.fail(*fault);
        }
        self.sink.end_queries(self.c.span_from(start));
        Ok(())
    }

    /// `w q1, w q2, ….`
    fn queries(&mut self) -> Result<(), Fault> {
        let first = self.item()?;
        self.deliver(&first, Role::Query);
        self.more(Role::Query)
    }

    /// `, w a, w b, ….` after the first.
    fn more(&mut self, role: Role) -> Result<(), Fault> {
        loop {
            match self.c.now.kind {
                TokenKind::Stop => {
                    self.c.advance();
                    return Ok(());
                }
                TokenKind::Comma => self.c.advance(),
                _ => return Err(self.no_stop()),
            }
            let item = self.item()?;
            self.deliver(&item, role);
        }
    }

    /// Neither comma nor full stop after an item.
    #[cold]
    fn no_stop(&mut self) -> Fault {
        let c = &self.c;
        let starts = begins_weight(c.now.kind) || matches!(c.now.kind, TokenKind::Name | TokenKind::Ask);
        if !(c.is(TokenKind::End) || starts && c.on_new_line()) {
            return c.unexpected("`,` or a full stop");
        }
        self.resume_here = true;
        let title = "a statement has no full stop";
        let mut d =
            fault(codes::MISSING_STOP, title, c.span_of(c.before), "a full stop is missing after this");
        if !c.is(TokenKind::End) {
            let text = "the next statement seems to begin here".to_string();
            d.labels.push(Label { span: c.span_of(c.now), text });
        }
        d
    }

    /// An example whose first item has been read.
    fn world(&mut self, first: Item<'t>, labelled: bool) {
        let start = first.start;
        self.sink.begin_world(self.c.span_from(start));
        if let Err(fault) = self.world_items(&first, labelled) {
            self.fail(*fault);
        }
        self.sink.end_world(self.c.span_from(start));
    }

    fn world_items(&mut self, first: &Item<'t>, labelled: bool) -> Result<(), Fault> {
        let mut suspect = None;
        if labelled {
            self.deliver(first, Role::Query);
            while self.c.eat(TokenKind::Comma) {
                let label = self.item()?;
                self.deliver(&label, Role::Query);
            }
            if !self.c.now.kind.is_arrow() {
                return Err(self.c.unexpected("`,` or `:-`"));
            }
            self.c.advance();
            // A world without facts.
            if self.c.eat(TokenKind::Stop) {
                return Ok(());
            }
        } else {
            self.deliver(first, Role::Fact);
            if self.item_ends(suspect)? {
                return Ok(());
            }
        }
        loop {
            let (start, before, new_line) = (self.c.now.start, self.c.before, self.c.on_new_line());
            let item = self.item()?;
            if self.c.now.kind.is_arrow() {
                if suspect.is_none() && new_line && before.kind != TokenKind::Comma {
                    suspect = Some((before, self.c.span(start, item.span.end)));
                }
                self.rule(start)?;
            } else {
                self.deliver(&item, Role::Fact);
            }
            if self.item_ends(suspect)? {
                return Ok(());
            }
        }
    }

    /// After an item of a world: moves over a comma or the final full stop, and says whether it was the latter.
    #[inline]
    fn item_ends(&mut self, suspect: Option<(Token, Span)>) -> Result<bool, Fault> {
        match self.c.now.kind {
            TokenKind::Comma => {
                self.c.advance();
                Ok(false)
            }
            TokenKind::Stop => {
                self.c.advance();
                Ok(true)
            }
            TokenKind::LeftBracket if self.metadata_here() => {
                self.metadata()?;
                self.item_ends(suspect)
            }
            kind if begins_weight(kind) => Ok(false),
            TokenKind::Name | TokenKind::Bang | TokenKind::Tilde | TokenKind::Star | TokenKind::At => {
                Ok(false)
            }
            TokenKind::End => {
                let mut d = self.no_stop();
                // An example without its full stop takes the next ones for its rules; the fault is at the first.
                if let Some((token, next)) = suspect {
                    let text = "a full stop is missing after this".to_string();
                    let here = Label { span: self.c.span_of(token), text };
                    d.labels =
                        vec![here, Label { span: next, text: "or is this a rule of the example?".into() }];
                }
                Err(d)
            }
            _ => Err(self.c.unexpected("`,` or a full stop")),
        }
    }

    /// A rule whose head, beginning at `start`, has been read; the cursor stands on its arrow.
    fn rule(&mut self, start: u32) -> Result<(), Fault> {
        while !matches!(self.c.now.kind, TokenKind::Stop | TokenKind::End) {
            self.c.advance();
        }
        if self.c.is(TokenKind::End) {
            self.resume_here = true;
            return match parser::rule_at(self.source, &self.c.text[start as usize..], start as usize) {
                Err(fault) => Err(fault),
                Ok(_) => Err(self.no_stop()),
            };
        }
        let text = &self.c.text[start as usize..self.c.now.end as usize];
        self.c.advance();
        match parser::rule_at(self.source, text, start as usize) {
            Ok(rule) => self.sink.rule(rule),
            // The cursor is already behind the rule's full stop.
            Err(fault) => self.diagnostics.push(*fault),
        }
        if self.c.is(TokenKind::LeftBracket) && self.metadata_here() {
            self.metadata()?;
        }
        Ok(())
    }

    /// Whether `[` and a word stand here: no vector, but a metadata list.
    fn metadata_here(&self) -> bool {
        let mut c = self.c.clone();
        c.advance();
        matches!(c.now.kind, TokenKind::Name | TokenKind::Variable | TokenKind::RightBracket)
    }

    /// Reports a metadata list and moves behind it.
    #[cold]
    fn metadata(&mut self) -> Result<(), Fault> {
        let start = self.c.now;
        while !matches!(self.c.now.kind, TokenKind::RightBracket | TokenKind::Stop | TokenKind::End) {
            self.c.advance();
        }
        if !self.c.eat(TokenKind::RightBracket) {
            return Err(fault(codes::UNCLOSED, "`[` is never closed", self.c.span_of(start), "opened here"));
        }
        let title = "metadata belong into a template";
        let span = self.c.span_from(start.start);
        self.diagnostics.push(*fault(codes::NOT_ALLOWED_HERE, title, span, "not allowed in a data file"));
        Ok(())
    }

    /// Whether the commas up to an arrow separate labels: looks ahead to the first arrow, full stop or place where
    /// two items follow each other without a comma (which labels never do).
    fn labels_ahead(&self) -> bool {
        let mut c = self.c.clone();
        let mut depth = 0usize;
        loop {
            match c.now.kind {
                TokenKind::Stop | TokenKind::End => return false,
                TokenKind::Implies if depth > 0 => {}
                kind if kind.is_arrow() => return true,
                TokenKind::LeftParen | TokenKind::LeftBracket | TokenKind::LeftBrace => depth += 1,
                TokenKind::RightParen | TokenKind::RightBracket | TokenKind::RightBrace => {
                    depth = depth.saturating_sub(1);
                }
                _ => {}
            }
            let closed = c.is(TokenKind::RightParen) || c.is(TokenKind::Name);
            c.advance();
            let begins = begins_weight(c.now.kind)
                || matches!(
                    c.now.kind,
                    TokenKind::Name | TokenKind::Bang | TokenKind::Tilde | TokenKind::Star | TokenKind::At
                );
            if depth == 0 && closed && begins {
                return false;
            }
        }
    }

    /// Whether the body behind the arrow under the cursor has variables (up to its full stop, and no second arrow
    /// before it, which only an example can have).
    fn variables_ahead(&self) -> bool {
        let mut c = self.c.clone();
        c.advance();
        let (mut depth, mut seen) = (0usize, false);
        // Whether the outermost parentheses closed last were an atom's and not those of a calculation.
        let mut atom = false;
        loop {
            match c.now.kind {
                TokenKind::Stop | TokenKind::End => return seen,
                TokenKind::LeftParen | TokenKind::LeftBracket | TokenKind::LeftBrace => {
                    if depth == 0 {
                        atom = c.before.kind == TokenKind::Name;
                    }
                    depth += 1;
                }
                TokenKind::RightParen | TokenKind::RightBracket | TokenKind::RightBrace => {
                    depth = depth.saturating_sub(1);
                }
                // `$W=…` is the name of a weight.
                TokenKind::Variable => seen |= depth > 0 || c.before.kind != TokenKind::Dollar,
                // An arrow stands behind an atom, the same sign behind anything else compares.
                TokenKind::LeftArrow
                    if !(c.before.kind == TokenKind::Name
                        || c.before.kind == TokenKind::RightParen && atom) => {}
                // Between brackets it is the colon and sign of a sparse entry.
                kind if kind.is_arrow() && depth == 0 => return false,
                _ => {}
            }
            c.advance();
        }
    }

    /// A weighted atom.
    #[inline]
    fn item(&mut self) -> Result<Item<'t>, Fault> {
        let start = self.c.now.start;
        let mut weight = None;
        if begins_weight(self.c.now.kind) {
            let w = value::weight(&mut self.c, &mut self.buffer)?;
            if let Some(span) = w.member {
                return Err(family_in_data(span));
            }
            weight = Some(if w.name.is_some() { self.shared(w)? } else { w });
        }
        let sign = match self.c.now.kind {
            TokenKind::Bang => ast::Sign::Hard,
            TokenKind::Tilde => ast::Sign::Soft,
            _ => ast::Sign::Positive,
        };
        if sign != ast::Sign::Positive {
            self.c.advance();
        }
        if !self.c.is(TokenKind::Name) {
            return Err(self.no_atom());
        }
        let name = self.c.now;
        self.c.advance();
        let mut stated = None;
        if self.c.is(TokenKind::Slash) {
            let slash = self.c.now;
            self.c.advance();
            let t = self.c.expect(TokenKind::Number, "an arity")?;
            let arity = parser::arity(self.c.slice(t), self.c.span_of(t), "arity")?;
            stated = Some((arity as usize, self.c.span(slash.start, t.end)));
            if self.c.is(TokenKind::LeftBracket) && self.metadata_here() {
                let title = "metadata belong into a template";
                let span = self.c.span_of(self.c.now);
                return Err(fault(codes::NOT_ALLOWED_HERE, title, span, "not allowed in a data file"));
            }
        }
        self.args.clear();
        self.escapes.clear();
        if self.c.eat(TokenKind::LeftParen) && !self.c.eat(TokenKind::RightParen) {
            loop {
                self.term()?;
                match self.c.now.kind {
                    TokenKind::Comma => self.c.advance(),
                    TokenKind::RightParen => break self.c.advance(),
                    _ => return Err(self.c.unexpected("`,` or `)`")),
                }
            }
        }
        let span = self.c.span_from(name.start);
        if let Some((arity, at)) = stated.filter(|(n, _)| *n != self.args.len()) {
            let title = format!("`{}` has {} arguments, not {arity}", self.c.slice(name), self.args.len());
            return Err(fault(codes::STATED_ARITY, title, at, "the stated arity"));
        }
        Ok(Item { start, weight, sign, name: self.c.slice(name), span })
    }

    /// What stands where an atom should.
    #[cold]
    fn no_atom(&self) -> Fault {
        let c = &self.c;
        let title = match c.now.kind {
            TokenKind::Star => "a star has no meaning in a data file",
            TokenKind::At => "a special predicate cannot be a fact or query",
            kind => {
                let mut d = c.unexpected("an atom");
                if compares(kind) {
                    d.help = Some(NO_COMPARISON.into());
                } else if kind == TokenKind::Variable {
                    let text = format!("names of predicates begin with a lower-case letter; {NO_COMPARISON}");
                    d.help = Some(text);
                }
                return d;
            }
        };
        fault(codes::NOT_ALLOWED_HERE, title, c.span_of(c.now), "not allowed in a data file")
    }

    #[inline]
    fn term(&mut self) -> Result<(), Fault> {
        let c = &mut self.c;
        let start = c.now;
        let (mut ty, mut token) = (None, start);
        match start.kind {
            TokenKind::Name | TokenKind::Variable => {
                c.advance();
                if c.is(TokenKind::Colon) {
                    c.advance();
                    (ty, token) = (Some(c.slice(start)), c.now);
                    if !matches!(
                        token.kind,
                        TokenKind::Name | TokenKind::Variable | TokenKind::Number | TokenKind::Quoted
                    ) {
                        return Err(c.unexpected("a term"));
                    }
                    c.advance();
                } else if let Some(number) = value::colon_minus(c) {
                    (ty, token) = (Some(c.slice(start)), number);
                }
            }
            TokenKind::Number | TokenKind::Quoted => c.advance(),
            _ => return Err(c.unexpected("a term")),
        }
        let mut text = c.slice(token);
        let kind = match token.kind {
            TokenKind::Name => TermClass::Name,
            TokenKind::Variable => TermClass::Variable,
            TokenKind::Number => {
                // Only an exponent or hundreds of digits lead out of range.
                if text.len() > 300 || text.bytes().any(|b| b | 0x20 == b'e') {
                    value::parse_number(text, c.span_of(token))?;
                }
                TermClass::Number
            }
            _ => {
                let inner = &text[1..text.len() - 1];
                if inner.contains(['\\', '\'']) {
                    let plain = parser::unquoted(text, c.span_of(token))?;
                    self.escapes.push((self.args.len(), plain));
                }
                text = inner;
                TermClass::Quoted
            }
        };
        let span = c.span(start.start, token.end);
        self.args.push(TermRef { ty, kind, text, span });
        Ok(())
    }

    /// Looks a named weight up, or remembers it; a mention without value takes the value of the first one.
    #[cold]
    fn shared(&mut self, mut w: Weight<'t>) -> Result<Weight<'t>, Fault> {
        let Some((name, _)) = w.name else { return Ok(w) };
        match (self.known.get(name), w.form) {
            (Some(known), Form::Reference) => {
                (w.fixed, w.form, w.rows, w.cols) = (known.fixed, known.form, known.rows, known.cols);
                self.buffer.values.clone_from(&known.values);
            }
            (None, Form::Reference) => return Err(parser::no_value(name, w.span)),
            (Some(_), _) => {}
            (None, form) => {
                let values = self.buffer.values.clone();
                self.known.insert(name, Known { fixed: w.fixed, form, rows: w.rows, cols: w.cols, values });
            }
        }
        Ok(w)
    }

    #[inline]
    fn deliver(&mut self, item: &Item<'t>, role: Role) {
        let value = item.weight.map(|w| ValueRef {
            name: w.name.map(|(n, _)| n),
            fixed: w.fixed,
            rows: w.rows,
            cols: w.cols,
            values: if w.form == Form::Dims { &[] } else { &self.buffer.values },
            span: w.span,
        });
        let replaced: Vec<TermRef<'_>>;
        let args = if self.escapes.is_empty() {
            &self.args[..]
        } else {
            let mut terms = self.args.clone();
            for (i, text) in &self.escapes {
                terms[*i].text = text;
            }
            replaced = terms;
            &replaced[..]
        };
        let atom = AtomRef { sign: item.sign, name: item.name, args, span: item.span };
        match role {
            Role::Fact => self.sink.fact(value, atom),
            Role::Query => self.sink.query(value, atom),
            Role::Link => self.sink.link(value, atom),
        }
    }
}

/// A family of weights before a fact or query.
#[cold]
fn family_in_data(brackets: Span) -> Fault {
    let mut d = fault(
        codes::NOT_ALLOWED_HERE,
        "a family of weights in data",
        brackets,
        "families stand in rules only",
    );
    d.help = Some(
        "a learned fact for every constant is a rule of the template: `$e[X]={3} p(X) :- *q(X).`".into(),
    );
    d
}
