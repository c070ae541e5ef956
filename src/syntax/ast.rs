//! The syntax tree of a template: what the user wrote, with places.

pub use super::formula::{Argument, Condition, NamePart, Parameter, ParameterKind, Range};
use crate::base::span::{SourceId, Span, Spanned};
use std::sync::Arc;

/// A parsed template file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct File {
    /// Its text; none for entries at the prompt, and for what a command line names.
    pub source: Option<SourceId>,
    /// The files that it imports.
    pub imports: Vec<SourceId>,
    /// Statements in order.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// `head :- body. [metadata]`
    Rule(Rule),
    /// `weight atom.`; one per atom where several are separated by commas.
    Fact(Fact),
    /// `name/arity weight`
    PredicateOffset(PredicateOffset),
    /// `name/arity [k=v, …]`
    PredicateMetadata(PredicateMetadata),
    /// `$name [k=v, …]`
    WeightMetadata(WeightMetadata),
    /// `[k=v, …]`: settings of the whole template.
    TemplateMetadata(Vec<MetaEntry>),
    /// `import a/b.` or `import a.txt, b.txt`: paths as written.
    Import(Vec<Spanned<String>>),
    /// `?- w q, … .` (REPL and data files).
    Query(Vec<Fact>),
    /// `@module name(…) { … }`; gone after expansion.
    Module(Arc<Module>),
    /// `@use`, `@for`, `@if` or `@error`; gone after expansion.
    Block(Arc<Block>),
}

/// A module: statements with parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// Its name.
    pub name: Spanned<String>,
    /// Its parameters in order.
    pub parameters: Vec<Parameter>,
    /// The lines of the `%%` comments before it.
    pub doc: Vec<String>,
    /// Its statements.
    pub body: Vec<Part>,
    /// From `@module` to the end of the parameters.
    pub header: Span,
    /// All of it, as written.
    pub text: Spanned<String>,
}

/// A block outside modules.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// What it is.
    pub part: Part,
    /// All of it, as written.
    pub text: Spanned<String>,
}

/// A part of a module or block.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Plain statements, which are parsed when parameters have values.
    Text(Spanned<String>),
    /// `@use name(…).`
    Use(Use),
    /// `@for L in 1..5 { … }`
    For(For),
    /// `@if a == b { … } @else { … }`
    If(If),
    /// `@error 'text'.`
    Error(Refusal),
}

/// An `@error`.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What it says, with values in it.
    pub text: Vec<NamePart>,
    /// Without the full stop.
    pub span: Span,
}

/// An `@use`.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The module's name.
    pub name: Spanned<String>,
    /// Its arguments in order.
    pub arguments: Vec<Argument>,
    /// Without the full stop.
    pub span: Span,
}

/// An `@for`.
#[derive(Debug, Clone, PartialEq)]
pub struct For {
    /// The loop variable.
    pub variable: Spanned<String>,
    /// Its values.
    pub range: Range,
    /// What is repeated.
    pub body: Vec<Part>,
    /// From `@for` to the end of the range.
    pub span: Span,
}

/// An `@if` with its `@else @if` and `@else`.
#[derive(Debug, Clone, PartialEq)]
pub struct If {
    /// Conditions in order, each with the statements that stand for it if it is the first that holds.
    pub links: Vec<(Condition, Vec<Part>)>,
    /// The statements if none holds.
    pub otherwise: Vec<Part>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The weight before the head.
    pub head_weight: Option<Weight>,
    /// The head.
    pub head: Atom,
    /// Literals and comparisons in order.
    pub body: Vec<Item>,
    /// The trailing bare weight.
    pub offset: Option<Weight>,
    /// The list after the full stop.
    pub metadata: Vec<MetaEntry>,
    /// From the head weight to the full stop.
    pub span: Span,
}

/// A weighted ground or open atom: a template fact, a query, a label.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The value or target.
    pub weight: Option<Weight>,
    /// The atom.
    pub atom: Atom,
    /// All of it.
    pub span: Span,
}

/// A part of a rule's body.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// An atom with what stands around it.
    Literal(Literal),
    /// `X + 1 < Y`.
    Comparison(Comparison),
}

impl Item {
    /// All terms in order.
    pub fn terms(&self) -> Vec<&Term> {
        match self {
            Item::Literal(literal) => literal.atom.args.iter().collect(),
            Item::Comparison(c) => {
                let mut out = Vec::new();
                c.left.terms(&mut out);
                c.right.terms(&mut out);
                out
            }
        }
    }
    /// What the value of a literal is multiplied by.
    pub fn weight(&self) -> Option<&Weight> {
        match self {
            Item::Literal(literal) => literal.weight.as_ref(),
            Item::Comparison(_) => None,
        }
    }
    /// All of it.
    pub fn span(&self) -> Span {
        match self {
            Item::Literal(literal) => literal.span,
            Item::Comparison(comparison) => comparison.span,
        }
    }
}

/// Two expressions with a comparison between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Which comparison.
    pub comparator: Comparator,
    /// What stands before it.
    pub left: Expression,
    /// What stands behind it.
    pub right: Expression,
    /// All of it.
    pub span: Span,
}

/// A comparison sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparator {
    /// `=`
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

/// A side of a comparison, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// All of it, without parentheses around it.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExpressionKind {
    /// A variable or constant, without type.
    Term(Term),
    /// `-x`
    Negation(Box<Expression>),
    /// Operations of one precedence from left to right; a list, not a tree, so that it is as deep as its parentheses.
    Chain {
        /// The leftmost operand.
        first: Box<Expression>,
        /// The others, each with what stands before it: all of them `+` and `-`, or all `*` and `/`.
        rest: Vec<(Operator, Expression)>,
    },
}

/// A sign between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
}

impl Operator {
    /// `*` and `/`, which bind tighter than `+` and `-`.
    pub fn is_product(self) -> bool {
        matches!(self, Operator::Mul | Operator::Div)
    }
}

impl Expression {
    /// Appends all terms in order.
    pub fn terms<'a>(&'a self, out: &mut Vec<&'a Term>) {
        match &self.kind {
            ExpressionKind::Term(term) => out.push(term),
            ExpressionKind::Negation(inner) => inner.terms(out),
            ExpressionKind::Chain { first, rest } => {
                first.terms(out);
                rest.iter().for_each(|(_, e)| e.terms(out));
            }
        }
    }
}

/// A body literal.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// The weight before it.
    pub weight: Option<Weight>,
    /// Positive, `!` or `~`.
    pub sign: Sign,
    /// The functions around the atom, outermost first.
    pub functions: Vec<Spanned<Function>>,
    /// The atom.
    pub atom: Atom,
    /// All of it.
    pub span: Span,
}

/// A function with its arguments: `tanh`, `leakyrelu(0.2)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// The name.
    pub name: String,
    /// Arguments as written: numbers, `a:b` ranges, variables, words.
    pub args: Vec<Spanned<MetaArg>>,
}

/// How a literal enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// As it is.
    Positive,
    /// `!`: negation as failure; contributes no value.
    Hard,
    /// `~`: contributes `1 - x`.
    Soft,
}

/// A predicate with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Atom {
    /// `*`: matched, not an input.
    pub hidden: bool,
    /// `@`: a special predicate.
    pub special: bool,
    /// The predicate's name without `*` and `@`.
    pub name: Spanned<String>,
    /// The `/n` after the name.
    pub arity: Option<Spanned<u32>>,
    /// Arguments in order.
    pub args: Vec<Term>,
    /// All of it.
    pub span: Span,
}

/// An argument.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// The `type:` before it, without the colon.
    pub ty: Option<Spanned<String>>,
    /// What it is.
    pub kind: TermKind,
    /// All of it.
    pub span: Span,
}

/// What an argument is.
#[derive(Debug, Clone, PartialEq)]
pub enum TermKind {
    /// A variable (`X`, `_x`, `_`).
    Variable(String),
    /// A name (`carbon`).
    Name(String),
    /// A number as written (`01`, `-1.5e3`).
    Number(String),
    /// A `'quoted constant'`, unescaped.
    Quoted(String),
}

/// A weight: `$name = <value>`, `$name[X] = value`, `value`, `{dims}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// The shared name without `$`.
    pub name: Option<Spanned<String>>,
    /// The terms between brackets behind the name, at least one: the name is that of a family, of which they pick a
    /// member.
    pub member: Option<Vec<Term>>,
    /// In angle brackets: not learned.
    pub fixed: bool,
    /// The value or dimensions.
    pub value: Spanned<WeightValue>,
    /// All of it.
    pub span: Span,
}

/// The value of a weight.
#[derive(Debug, Clone, PartialEq)]
pub enum WeightValue {
    /// A scalar.
    Scalar(f64),
    /// A dense column vector, a matrix (row-major) or a sparse literal filled up with zeros.
    Dense {
        /// Rows.
        rows: usize,
        /// Columns.
        cols: usize,
        /// Row-major elements.
        values: Vec<f64>,
    },
    /// `{n}`, `{r,c}`: dimensions to be initialised.
    Dims {
        /// Rows.
        rows: usize,
        /// Columns.
        cols: usize,
    },
}

/// One `key = value` of a metadata list.
#[derive(Debug, Clone, PartialEq)]
pub struct MetaEntry {
    /// The key.
    pub key: Spanned<String>,
    /// The value.
    pub value: Spanned<MetaValue>,
}

/// The value of a metadata entry.
#[derive(Debug, Clone, PartialEq)]
pub enum MetaValue {
    /// A function or word with optional arguments: `relu`, `leakyrelu(0.2)`, `softmax(Y)`, `slice(0:8)`, `true`.
    Call(Function),
    /// A weight value: `offset = 0.5`, `offset = [1,2]`, `offset = {3}`, `value = …`.
    Weight(Weight),
    /// `offset = $w`: a reference to a shared weight.
    Reference(String),
}

/// An argument of a function in metadata.
#[derive(Debug, Clone, PartialEq)]
pub enum MetaArg {
    /// A number.
    Number(f64),
    /// `a:b`, a half-open range.
    Range(f64, f64),
    /// A variable.
    Variable(String),
    /// A word.
    Word(String),
}

/// The offset of a predicate's atoms.
#[derive(Debug, Clone, PartialEq)]
pub struct PredicateOffset {
    /// The predicate's name.
    pub name: Spanned<String>,
    /// Its arity.
    pub arity: u32,
    /// The offset.
    pub weight: Weight,
    /// All of it.
    pub span: Span,
}

/// Functions and offset of a predicate's atoms.
#[derive(Debug, Clone, PartialEq)]
pub struct PredicateMetadata {
    /// The predicate's name.
    pub name: Spanned<String>,
    /// Its arity.
    pub arity: u32,
    /// The list.
    pub entries: Vec<MetaEntry>,
    /// All of it.
    pub span: Span,
}

/// Settings of a shared weight.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightMetadata {
    /// The shared name without `$`.
    pub name: Spanned<String>,
    /// The list.
    pub entries: Vec<MetaEntry>,
    /// All of it.
    pub span: Span,
}
