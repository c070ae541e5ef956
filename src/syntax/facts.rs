//! Streaming reader of facts, examples and queries: a loop over tokens that hands each fact to a [`DataSink`]
//! without building a tree.

use super::ast;
use crate::base::span::Span;

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
