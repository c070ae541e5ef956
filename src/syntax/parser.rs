//! Templates: chunks to syntax tree. `grammar/lrnn.pest` recognises each statement; this file turns what it
//! recognised into the tree and its refusals into words.

use super::ast::*;
use super::chunk::{Chunk, ChunkKind, Chunker};
use super::cursor::{Fault, MAX_ERRORS, describe, fault, lexical, too_long, too_many};
use super::token::{TokenKind, unquote};
use super::value::{self, Buffer};
use super::{expression, foreign};
use crate::base::hash::HashMap;
use crate::base::span::{SourceId, Span, Spanned};
use crate::diag::{Diagnostic, Diagnostics, codes};
use pest::Parser as _;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::Pair;
use std::borrow::Cow;

mod weights;

pub(super) use weights::no_value;

/// The parser that pest makes of the grammar.
mod grammar {
    #![allow(missing_docs)]
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/lrnn.pest"]
    pub(super) struct Grammar;
}
use grammar::Grammar;
pub(super) use grammar::Rule as G;
mod inside;
pub use inside::parse_rule;
pub(super) use inside::rule_at;

/// Parses a template. Faulty statements are left out of the tree and reported, the others are all there.
pub fn parse_template(source: SourceId, text: &str) -> (File, Diagnostics) {
    statements(source, text, 0, SharedValues::default())
}

fn statements(source: SourceId, text: &str, start: usize, known: SharedValues) -> (File, Diagnostics) {
    let mut out = Vec::new();
    let mut diagnostics = Diagnostics::new();
    if let Some(d) = too_long(source, text) {
        return (File::default(), vec![d]);
    }
    let mut chunker = Chunker::starting_at(source, text, start);
    let mut builder = Builder { source, shift: 0, known, buffer: Buffer::default(), unvalued: false };
    let mut blocks = false;
    while let Some(next) = chunker.next_chunk() {
        match next {
            Ok(chunk) => {
                builder.unvalued = false;
                match builder.chunk(&mut chunker, text, &chunk, &mut out) {
                    Ok(()) => blocks |= matches!(out.last(), Some(Statement::Block(_))),
                    // The block before may give the weight its value: that is known when it is expanded.
                    Err(_) if blocks && builder.unvalued => out.push(chunker.later(&chunk)),
                    Err(fault) => diagnostics.push(*fault),
                }
            }
            Err(broken) => diagnostics.push(*broken.fault),
        }
        if diagnostics.len() >= MAX_ERRORS {
            let at = diagnostics.last().and_then(Diagnostic::span).unwrap_or(Span::new(source, 0, 0));
            diagnostics.push(too_many(at));
            break;
        }
    }
    (File { source: Some(source), statements: out, ..File::default() }, diagnostics)
}

/// Parses one entry of the REPL: usually one statement, sometimes several on a line. All or nothing.
pub fn parse_statement(source: SourceId, text: &str) -> Result<Vec<Statement>, Diagnostics> {
    parse_entry(source, text, 0, SharedValues::default())
}

/// Values of shared weights by name (with whether they are fixed), for mentions without a value.
pub type SharedValues = HashMap<String, (bool, WeightValue)>;

/// Like [`parse_statement`], for the part of `text` that begins at byte `start`, after statements that have stated the
/// shared weights `known`.
pub fn parse_entry(
    source: SourceId,
    text: &str,
    start: usize,
    known: SharedValues,
) -> Result<Vec<Statement>, Diagnostics> {
    let (file, diagnostics) = statements(source, text, start, known);
    if diagnostics.is_empty() { Ok(file.statements) } else { Err(diagnostics) }
}

pub(super) type P<'t> = Pair<'t, G>;

/// Turns pairs into nodes.
pub(super) struct Builder {
    source: SourceId,
    /// Position in the source of byte 0 of the text that pest sees.
    shift: usize,
    /// Values of shared weights by name, for later mentions without a value.
    known: SharedValues,
    buffer: Buffer,
    /// Whether a weight was mentioned that has no value.
    unvalued: bool,
}

/// The statement with its comments blanked, byte for byte.
fn blanked<'t>(chunker: &Chunker<'_>, text: &'t str, chunk: &Chunk) -> Cow<'t, str> {
    let slice = &text[chunk.start..chunk.end];
    let comments = chunker.comments(chunk.start, chunk.end);
    if comments.is_empty() {
        return Cow::Borrowed(slice);
    }
    let mut out = String::with_capacity(slice.len());
    let mut at = chunk.start;
    for comment in comments {
        let range = comment.range();
        out.push_str(&text[at..range.start]);
        out.extend(std::iter::repeat_n(' ', range.len()));
        at = range.end;
    }
    out.push_str(&text[at..chunk.end]);
    Cow::Owned(out)
}

impl Builder {
    /// Parses a chunk and appends its statements.
    fn chunk(
        &mut self,
        chunker: &mut Chunker<'_>,
        text: &str,
        chunk: &Chunk,
        out: &mut Vec<Statement>,
    ) -> Result<(), Fault> {
        let rule = match chunk.kind {
            ChunkKind::Rule => G::rule_statement,
            ChunkKind::Facts => G::fact_statement,
            ChunkKind::Query => G::query_statement,
            ChunkKind::PredicateOffset => G::offset_statement,
            ChunkKind::PredicateMetadata => G::predicate_statement,
            ChunkKind::WeightMetadata => G::weight_statement,
            ChunkKind::TemplateMetadata => G::template_statement,
            ChunkKind::Import => G::import_statement,
            ChunkKind::Module | ChunkKind::Use | ChunkKind::For | ChunkKind::If | ChunkKind::Error => {
                out.push(chunker.tree(chunk)?);
                return Ok(());
            }
        };
        let slice = blanked(chunker, text, chunk);
        let outer = self.shift;
        let result = match Grammar::parse(rule, &slice) {
            Ok(mut pairs) => {
                self.shift = outer + chunk.start;
                match pairs.next() {
                    Some(pair) => self.statement(pair, out),
                    None => Ok(()),
                }
            }
            Err(error) => Err(self.refusal(chunker, text, chunk, &error)),
        };
        self.shift = outer;
        result
    }

    /// pest's refusal in words. If a line break stands where a full stop could be, the full stop is what is missing,
    /// and the next statement begins on the new line.
    #[cold]
    fn refusal(
        &self,
        chunker: &mut Chunker<'_>,
        text: &str,
        chunk: &Chunk,
        error: &pest::error::Error<G>,
    ) -> Fault {
        let at = match error.location {
            InputLocation::Pos(p) | InputLocation::Span((p, _)) => chunk.start + p,
        };
        let positives: &[G] = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => positives,
            ErrorVariant::CustomError { .. } => &[],
        };
        let place = |start: u32, end: u32| {
            Span::new(self.source, self.shift + start as usize, self.shift + end as usize)
        };
        let (found, before) = chunker.token_at(chunk, at);
        let optional_stop = matches!(
            chunk.kind,
            ChunkKind::PredicateOffset
                | ChunkKind::PredicateMetadata
                | ChunkKind::WeightMetadata
                | ChunkKind::TemplateMetadata
                | ChunkKind::Import
        );
        let stop_expected = positives.contains(&G::stop) && !optional_stop;
        if let (true, Some(before)) = (stop_expected, before) {
            let next = found.filter(|t| t.start as usize >= at);
            if next.is_none_or(|t| chunker.line_between(before, t)) {
                if let Some(t) = next {
                    chunker.restart(chunk, t.start as usize);
                }
                let mut d = fault(
                    codes::MISSING_STOP,
                    "a statement has no full stop",
                    place(before.start, before.end),
                    "a full stop is missing after this",
                );
                if let Some(t) = next {
                    let text = "the next statement seems to begin here".to_string();
                    d.labels.push(crate::diag::Label { span: place(t.start, t.end), text });
                }
                return d;
            }
        }
        let expected = expectation(positives);
        let (found_text, span, kind) = match found {
            Some(t) => {
                let slice = &text[t.range()];
                if let Some(fault) = lexical(t.kind, slice, place(t.start, t.end)) {
                    return fault;
                }
                (describe(t.kind, slice), place(t.start, t.end), t.kind)
            }
            None => {
                let end = chunk.end as u32;
                let start = before.map_or(end, |t| t.start);
                let what = if chunk.end >= text.trim_end().len() {
                    "the end of the text"
                } else {
                    "the end of the statement"
                };
                (what.to_string(), place(start, end), TokenKind::End)
            }
        };
        let label = match found {
            Some(_) => format!("expected {expected}"),
            None => format!("expected {expected} after this"),
        };
        let mut d = fault(codes::UNEXPECTED, format!("expected {expected}, found {found_text}"), span, label);
        let before = before.map(|t| (t.kind, &text[t.range()]));
        let word = || foreign::help(chunk.kind, found.map(|t| (t.kind, &text[t.range()])), before);
        let operand = || expression::help(positives, kind, before);
        d.help = word().or_else(operand).or_else(|| help(positives, kind, before.map(|b| b.0)));
        d
    }

    pub(super) fn span(&self, pair: &P<'_>) -> Span {
        let span = pair.as_span();
        Span::new(self.source, self.shift + span.start(), self.shift + span.end())
    }

    fn spanned(&self, pair: &P<'_>) -> Spanned<String> {
        Spanned::new(pair.as_str().to_string(), self.span(pair))
    }

    fn statement(&mut self, pair: P<'_>, out: &mut Vec<Statement>) -> Result<(), Fault> {
        match pair.as_rule() {
            G::rule_statement => out.push(Statement::Rule(self.rule(pair)?)),
            G::fact_statement => {
                let facts = self.facts(pair)?;
                out.extend(facts.into_iter().map(Statement::Fact));
            }
            G::query_statement => out.push(Statement::Query(self.facts(pair)?)),
            G::offset_statement => {
                let span = self.trimmed(&pair);
                let (mut signature, mut weight) = (None, None);
                for p in pair.into_inner() {
                    match p.as_rule() {
                        G::signature => signature = Some(self.signature(p)?),
                        G::weight => weight = Some(self.weight(&p)?),
                        _ => {}
                    }
                }
                let (name, arity) = signature.expect("the grammar demands a signature");
                let weight = weight.expect("the grammar demands a weight");
                out.push(Statement::PredicateOffset(PredicateOffset { name, arity, weight, span }));
            }
            G::predicate_statement => {
                let span = self.trimmed(&pair);
                let (mut signature, mut entries) = (None, Vec::new());
                for p in pair.into_inner() {
                    match p.as_rule() {
                        G::signature => signature = Some(self.signature(p)?),
                        G::metadata => entries = self.metadata(p)?,
                        _ => {}
                    }
                }
                let (name, arity) = signature.expect("the grammar demands a signature");
                out.push(Statement::PredicateMetadata(PredicateMetadata { name, arity, entries, span }));
            }
            G::weight_statement => {
                let span = self.trimmed(&pair);
                let (mut name, mut entries) = (None, Vec::new());
                for p in pair.into_inner() {
                    match p.as_rule() {
                        G::weight_name => name = Some(self.weight_name(&p)),
                        G::metadata => entries = self.metadata(p)?,
                        _ => {}
                    }
                }
                let name = name.expect("the grammar demands a weight's name");
                out.push(Statement::WeightMetadata(WeightMetadata { name, entries, span }));
            }
            G::template_statement => {
                for p in pair.into_inner().filter(|p| p.as_rule() == G::metadata) {
                    out.push(Statement::TemplateMetadata(self.metadata(p)?));
                }
            }
            G::import_statement => {
                let mut paths = Vec::new();
                for p in pair.into_inner().filter(|p| p.as_rule() == G::path) {
                    let span = self.span(&p);
                    let text = p.as_str();
                    let text = if text.starts_with('\'') { unquoted(text, span)? } else { text.to_string() };
                    paths.push(Spanned::new(text, span));
                }
                out.push(Statement::Import(paths));
            }
            other => unreachable!("{other:?} is no statement"),
        }
        Ok(())
    }

    /// The span of a statement without a tolerated full stop.
    fn trimmed(&self, pair: &P<'_>) -> Span {
        let inner = pair.clone().into_inner().filter(|p| !matches!(p.as_rule(), G::stop | G::EOI));
        inner.map(|p| self.span(&p)).reduce(Span::to).unwrap_or_else(|| self.span(pair))
    }

    fn rule(&mut self, pair: P<'_>) -> Result<Rule, Fault> {
        let mut span = self.span(&pair);
        let (mut head_weight, mut head, mut body, mut offset) = (None, None, Vec::new(), None);
        let mut metadata = Vec::new();
        for p in pair.into_inner() {
            match p.as_rule() {
                G::head => {
                    let (weight, sign, atom) = self.weighted(p)?;
                    if let Some((_, at)) = sign {
                        let title = format!("the head `{}` cannot be negated", atom.name.node);
                        return Err(fault(codes::NEGATED_HEAD, title, at, "a negation in a head"));
                    }
                    (head_weight, head) = (weight, Some(atom));
                }
                G::body => (body, offset) = self.body(p)?,
                G::stop => span = span_end(span, self.span(&p)),
                G::metadata => metadata = self.metadata(p)?,
                _ => {}
            }
        }
        let head = head.expect("the grammar demands a head");
        Ok(Rule { head_weight, head, body, offset, metadata, span })
    }

    fn body(&mut self, pair: P<'_>) -> Result<(Vec<Item>, Option<Weight>), Fault> {
        let (mut body, mut offset): (Vec<Item>, Option<Weight>) = (Vec::new(), None);
        for item in pair.into_inner().filter(|p| p.as_rule() == G::item) {
            let span = self.span(&item);
            if let Some(weight) = &offset {
                let mut d = fault(
                    codes::UNEXPECTED,
                    "a bare weight in the middle of a body",
                    weight.span,
                    "an atom is missing behind it",
                );
                d.help = Some("a weight without atom is the rule's offset and stands last".into());
                return Err(d);
            }
            let (mut weight, mut what) = (None, None);
            for p in item.into_inner() {
                match p.as_rule() {
                    G::weight => weight = Some(self.weight(&p)?),
                    _ => what = Some(p),
                }
            }
            match what {
                Some(p) if p.as_rule() == G::comparison => {
                    if let Some(weight) = weight {
                        return Err(expression::misplaced("a weight", weight.span, &p));
                    }
                    body.push(Item::Comparison(self.comparison(p)?));
                }
                Some(p) if p.as_rule() == G::misplaced => return Err(self.misplaced(p)),
                Some(p) => {
                    let (sign, functions, atom) = self.literal(p)?;
                    body.push(Item::Literal(Literal { weight, sign, functions, atom, span }));
                }
                None => offset = weight,
            }
        }
        if let (true, Some(weight)) = (body.is_empty(), &offset) {
            return Err(fault(
                codes::UNEXPECTED,
                "a rule's body needs at least one literal",
                weight.span,
                "only an offset stands here",
            ));
        }
        Ok((body, offset))
    }

    fn facts(&mut self, pair: P<'_>) -> Result<Vec<Fact>, Fault> {
        let mut facts = Vec::new();
        for p in pair.into_inner().filter(|p| p.as_rule() == G::weighted_atom) {
            let span = self.span(&p);
            let (weight, sign, atom) = self.weighted(p)?;
            if let Some((_, at)) = sign {
                let title = format!("the fact `{}` cannot be negated", atom.name.node);
                return Err(fault(codes::NEGATED_FACT, title, at, "what is not stated is false already"));
            }
            facts.push(Fact { weight, atom, span });
        }
        Ok(facts)
    }

    /// `sign? (application | atom)`
    fn literal(&mut self, pair: P<'_>) -> Result<(Sign, Vec<Spanned<Function>>, Atom), Fault> {
        let (mut sign, mut functions, mut hidden, mut atom) = (Sign::Positive, Vec::new(), false, None);
        let mut level = Some(pair);
        while let Some(outer) = level.take() {
            for p in outer.into_inner() {
                match p.as_rule() {
                    G::sign => sign = sign_of(&p),
                    G::hidden => hidden = true,
                    G::function => {
                        let span = self.span(&p);
                        functions.push(Spanned::new(self.call(p)?, span));
                    }
                    G::application => level = Some(p),
                    G::atom | G::applied => atom = Some(self.atom(p)?),
                    _ => {}
                }
            }
        }
        let mut atom = atom.expect("the grammar demands an atom");
        atom.hidden |= hidden;
        Ok((sign, functions, atom))
    }

    /// `weight? sign? atom`
    fn weighted(&mut self, pair: P<'_>) -> Result<(Option<Weight>, Option<(Sign, Span)>, Atom), Fault> {
        let (mut weight, mut sign, mut atom) = (None, None, None);
        for p in pair.into_inner() {
            match p.as_rule() {
                G::weight => weight = Some(self.weight(&p)?),
                G::sign => sign = Some((sign_of(&p), self.span(&p))),
                G::atom => atom = Some(self.atom(p)?),
                _ => {}
            }
        }
        Ok((weight, sign, atom.expect("the grammar demands an atom")))
    }

    fn atom(&mut self, pair: P<'_>) -> Result<Atom, Fault> {
        let span = self.span(&pair);
        let (mut hidden, mut special, mut name, mut arity) = (false, false, None, None);
        let mut args = Vec::new();
        for p in pair.into_inner() {
            match p.as_rule() {
                G::hidden => hidden = true,
                G::special => special = true,
                G::name => name = Some(self.spanned(&p)),
                G::arity => {
                    let at = self.span(&p);
                    let number = p.into_inner().next().expect("an arity has a number");
                    arity = Some(Spanned::new(self.small(&number, "arity")?, at));
                }
                G::arguments => {
                    for term in p.into_inner().filter(|p| p.as_rule() == G::term) {
                        args.push(self.term(term)?);
                    }
                }
                _ => {}
            }
        }
        let name = name.expect("the grammar demands a name");
        Ok(Atom { hidden, special, name, arity, args, span })
    }

    fn term(&mut self, pair: P<'_>) -> Result<Term, Fault> {
        let span = self.span(&pair);
        let (mut ty, mut kind) = (None, None);
        for p in pair.into_inner() {
            let text = p.as_str();
            kind = Some(match p.as_rule() {
                G::type_name => {
                    ty = Some(self.spanned(&p));
                    continue;
                }
                G::variable => TermKind::Variable(text.to_string()),
                G::name => TermKind::Name(text.to_string()),
                G::number => {
                    value::parse_number(text, self.span(&p))?;
                    TermKind::Number(text.to_string())
                }
                G::quoted => TermKind::Quoted(unquoted(text, self.span(&p))?),
                other => unreachable!("{other:?} is no term"),
            });
        }
        Ok(Term { ty, kind: kind.expect("the grammar demands a term"), span })
    }

    fn signature(&mut self, pair: P<'_>) -> Result<(Spanned<String>, u32), Fault> {
        let mut inner = pair.into_inner();
        let name = self.spanned(&inner.next().expect("a signature has a name"));
        let arity = self.small(&inner.next().expect("a signature has an arity"), "arity")?;
        Ok((name, arity))
    }

    fn small(&self, pair: &P<'_>, what: &str) -> Result<u32, Fault> {
        arity(pair.as_str(), self.span(pair), what)
    }

    fn metadata(&mut self, pair: P<'_>) -> Result<Vec<MetaEntry>, Fault> {
        let mut entries = Vec::new();
        for p in pair.into_inner().filter(|p| p.as_rule() == G::pair) {
            let (mut key, mut value) = (None, None);
            for p in p.into_inner() {
                let span = self.span(&p);
                match p.as_rule() {
                    G::key => key = Some(self.spanned(&p)),
                    G::call => value = Some(Spanned::new(MetaValue::Call(self.call(p)?), span)),
                    G::weight => value = Some(Spanned::new(self.meta_weight(p)?, span)),
                    _ => {}
                }
            }
            let key = key.expect("the grammar demands a key");
            entries.push(MetaEntry { key, value: value.expect("the grammar demands a value") });
        }
        Ok(entries)
    }

    /// A name and arguments: a `call` of metadata or a `function` of a literal.
    fn call(&mut self, pair: P<'_>) -> Result<Function, Fault> {
        let (mut name, mut args) = (String::new(), Vec::new());
        for p in pair.into_inner() {
            match p.as_rule() {
                G::word | G::name => name = p.as_str().to_string(),
                G::argument => {
                    let span = self.span(&p);
                    let p = p.into_inner().next().expect("an argument is something");
                    let number = |p: &P<'_>| value::parse_number(p.as_str(), self.span(p));
                    let arg = match p.as_rule() {
                        G::number => MetaArg::Number(number(&p)?),
                        G::variable => MetaArg::Variable(p.as_str().to_string()),
                        G::range => {
                            let mut ends = p.into_inner();
                            let from = number(&ends.next().expect("a range has a start"))?;
                            MetaArg::Range(from, number(&ends.next().expect("a range has an end"))?)
                        }
                        _ => MetaArg::Word(p.as_str().to_string()),
                    };
                    args.push(Spanned::new(arg, span));
                }
                _ => {}
            }
        }
        Ok(Function { name, args })
    }
}

fn sign_of(pair: &P<'_>) -> Sign {
    if pair.as_str() == "!" { Sign::Hard } else { Sign::Soft }
}

fn span_end(span: Span, last: Span) -> Span {
    Span { end: last.end, ..span }
}

/// The content of a quoted constant.
pub(super) fn unquoted(text: &str, span: Span) -> Result<String, Fault> {
    unquote(text).map_err(|(at, escape)| {
        let start = span.start as usize + at;
        let place = Span::new(span.source, start, start + escape.len());
        let mut d = fault(
            codes::UNEXPECTED,
            format!("unknown escape `{escape}` in a quoted constant"),
            place,
            "not a known escape",
        );
        d.help = Some(r"known escapes are \\, \', \n, \r and \t; a quote may also be doubled".into());
        d
    })
}

/// A stated arity.
pub(super) fn arity(text: &str, span: Span, what: &str) -> Result<u32, Fault> {
    let n = value::parse_whole(text, span, what)?;
    u32::try_from(n).ok().filter(|&n| n <= 1 << 16).ok_or_else(|| {
        fault(codes::BAD_NUMBER, format!("the {what} {n} is out of range"), span, "at most 65536")
    })
}

/// What a rule of the grammar is called in messages.
fn word(rule: G) -> Option<&'static str> {
    Some(match rule {
        G::EOI => return None,
        G::rule_statement => "a rule",
        G::fact_statement => "a fact",
        G::query_statement => "a query",
        G::offset_statement | G::predicate_statement | G::weight_statement | G::template_statement => {
            "a statement"
        }
        G::import_statement => "an import",
        G::head | G::weighted_atom | G::atom | G::applied => "an atom",
        G::arrow => "`:-`",
        G::body | G::item | G::literal | G::misplaced | G::comparison => "a literal",
        G::comparator => "a comparison like `<`",
        G::expression | G::product | G::factor | G::operand => "a variable, a constant or `(`",
        G::sign => "`!` or `~`",
        G::hidden => "`*`",
        G::special => "`@`",
        G::arity => "`/`",
        G::arguments | G::open => "`(`",
        G::term => "a term",
        G::type_name => "a type",
        G::weight => "a weight",
        G::weight_name => "`$name`",
        G::member => "`[`",
        G::fixed => "`<`",
        G::value => "a value",
        G::dimensions => "`{`",
        G::sparse | G::matrix | G::vector => "`[`",
        G::entry => "an entry `index:value`",
        G::row => "a row `[…]`",
        G::signature => "`name/arity`",
        G::metadata => "metadata `[…]`",
        G::pair | G::key => "`key=value`",
        G::call | G::word | G::function | G::application => "a function",
        G::argument => "an argument",
        G::range => "a range",
        G::name | G::constant => "a name",
        G::variable | G::reference => "a variable",
        G::number => "a number",
        G::quoted => "a quoted constant",
        G::path => "a path",
        G::comma => "`,`",
        G::stop => "a full stop",
        G::close => "`)`",
        G::right_bracket => "`]`",
        G::right_brace => "`}`",
        G::right_angle => "`>`",
        G::equals => "`=`",
        G::bar => "`|`",
        G::colon => "`:`",
        _ => return None,
    })
}

/// "a literal, `,` or a full stop". Where a whole literal is possible its optional parts are not listed.
fn expectation(positives: &[G]) -> String {
    let mut rules = positives.to_vec();
    let has = |r: &G| positives.contains(r);
    if [G::literal, G::atom, G::head, G::item, G::weighted_atom].iter().any(has) {
        rules.retain(|r| !matches!(r, G::weight | G::sign | G::hidden | G::special | G::name));
    }
    if has(&G::literal) || has(&G::atom) || has(&G::term) {
        // Where an atom or a term can stand, a function or its argument is not what was forgotten.
        rules.retain(|r| !matches!(r, G::application | G::function | G::applied | G::argument));
    }
    if has(&G::name) {
        rules.retain(|r| !matches!(r, G::hidden | G::special));
    }
    if has(&G::comma) || has(&G::close) || has(&G::stop) || has(&G::arrow) {
        // The optional continuations of an atom are always possible and never what was forgotten.
        rules.retain(|r| !matches!(r, G::arity | G::arguments | G::open | G::metadata | G::comparator));
    }
    let mut words: Vec<&str> = Vec::new();
    for w in rules.into_iter().filter_map(word) {
        if !words.contains(&w) {
            words.push(w);
        }
    }
    match words.split_last() {
        None => "the end of the statement".into(),
        Some((last, [])) => (*last).to_string(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// A hint for common slips.
fn help(positives: &[G], found: TokenKind, before: Option<TokenKind>) -> Option<String> {
    let atom = positives.iter().any(|r| {
        matches!(r, G::literal | G::atom | G::head | G::item | G::weighted_atom | G::name) && *r != G::number
    });
    Some(
        match (found, before) {
            (TokenKind::Variable, _) if atom && !positives.contains(&G::variable) => {
                "names of predicates begin with a lower-case letter, variables with an upper-case one"
            }
            (TokenKind::Name | TokenKind::Variable, Some(TokenKind::Number))
                if positives.contains(&G::close) =>
            {
                "a constant that begins with a digit but is no number stands between quotes: '1a'; a weight stands \
                 before a function: `2 tanh(p(X))`"
            }
            (TokenKind::Colon, Some(TokenKind::Name)) => "types stand at arguments of atoms: `p(metal:fe)`",
            (TokenKind::LeftParen, _) if positives.contains(&G::close) => "terms have no arguments",
             (TokenKind::Bang | TokenKind::Tilde, Some(TokenKind::LeftParen)) if positives.contains(&G::term) => {
                 "a sign stands before the function: `~tanh(p(X))` takes 1 minus its value; `!p(X)` has no value for a \
                  function to change"
             }
            (TokenKind::Implies, _) if positives.contains(&G::stop) => {
                "a rule has one arrow; is the full stop of the rule before it missing?"
            }
            _ => return None,
        }
        .to_string(),
    )
}
