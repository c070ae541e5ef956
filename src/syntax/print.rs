//! The tree back to text. What is printed parses to the same tree, up to places.

use super::ast::*;
use std::fmt::{self, Display, Formatter, Write as _};

/// A number, shortest text that reads back as the same bits.
struct Num(f64);

impl Display for Num {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // `{}` never uses an exponent, `{:?}` does for large and small numbers but adds `.0` to whole ones.
        if self.0 == self.0.trunc() && self.0.abs() < 1e15 {
            write!(f, "{}", self.0)
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}

/// Prints a number as the language writes it, shortest text that reads back as the same bits.
pub fn number(x: f64) -> String {
    Num(x).to_string()
}

fn list<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    separator: &str,
    mut each: impl FnMut(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(separator)?;
        }
        each(f, item)?;
    }
    Ok(())
}

/// Writes a text between single quotes, escaped so that it reads back.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

impl Display for WeightValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            WeightValue::Scalar(x) => Num(*x).fmt(f),
            WeightValue::Dims { rows, cols: 1 } => write!(f, "{{{rows}}}"),
            WeightValue::Dims { rows, cols } => write!(f, "{{{rows},{cols}}}"),
            WeightValue::Dense { cols: 1, values, .. } => row(f, values),
            WeightValue::Dense { cols, values, .. } => {
                f.write_char('[')?;
                for (i, r) in values.chunks((*cols).max(1)).enumerate() {
                    if i > 0 {
                        f.write_char(',')?;
                    }
                    row(f, r)?;
                }
                f.write_char(']')
            }
        }
    }
}

fn row(f: &mut Formatter<'_>, values: &[f64]) -> fmt::Result {
    f.write_char('[')?;
    list(f, values, ",", |f, x| Num(*x).fmt(f))?;
    f.write_char(']')
}

impl Display for Weight {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "${}", name.node)?;
            if let Some(terms) = &self.member {
                f.write_char('[')?;
                list(f, terms, ",", |f, t| t.fmt(f))?;
                f.write_char(']')?;
            }
            f.write_char('=')?;
        }
        if self.fixed { write!(f, "<{}>", self.value.node) } else { write!(f, "{}", self.value.node) }
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(ty) = &self.ty {
            write!(f, "{}:", ty.node)?;
        }
        match &self.kind {
            TermKind::Variable(t) | TermKind::Name(t) | TermKind::Number(t) => f.write_str(t),
            TermKind::Quoted(t) => f.write_str(&quote(t)),
        }
    }
}

impl Display for Atom {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.hidden {
            f.write_char('*')?;
        }
        if self.special {
            f.write_char('@')?;
        }
        f.write_str(&self.name.node)?;
        if let Some(arity) = &self.arity {
            write!(f, "/{}", arity.node)?;
        }
        if !self.args.is_empty() {
            f.write_char('(')?;
            list(f, &self.args, ",", |f, t| t.fmt(f))?;
            f.write_char(')')?;
        }
        Ok(())
    }
}

impl Display for Sign {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sign::Positive => "",
            Sign::Hard => "!",
            Sign::Soft => "~",
        })
    }
}

fn weighted(f: &mut Formatter<'_>, weight: Option<&Weight>) -> fmt::Result {
    weight.map_or(Ok(()), |w| write!(f, "{w} "))
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        weighted(f, self.weight.as_ref())?;
        write!(f, "{}", self.sign)?;
        for function in &self.functions {
            write!(f, "{}(", function.node)?;
        }
        self.atom.fmt(f)?;
        if !self.functions.is_empty() && self.atom.args.is_empty() {
            f.write_str("()")?;
        }
        self.functions.iter().try_for_each(|_| f.write_char(')'))
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Item::Literal(literal) => literal.fmt(f),
            Item::Comparison(comparison) => comparison.fmt(f),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.left, self.comparator, self.right)
    }
}

impl Display for Comparator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparator::Equal => "=",
            Comparator::Different => "!=",
            Comparator::Less => "<",
            Comparator::AtMost => "<=",
            Comparator::Greater => ">",
            Comparator::AtLeast => ">=",
        })
    }
}

impl Display for Operator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operator::Add => "+",
            Operator::Sub => "-",
            Operator::Mul => "*",
            Operator::Div => "/",
        })
    }
}

/// With the parentheses that it takes to read back as it is, not those that were written.
impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExpressionKind::Term(term) => term.fmt(f),
            ExpressionKind::Negation(inner) => {
                f.write_char('-')?;
                match &inner.kind {
                    // `-1` would be one number.
                    ExpressionKind::Term(Term { kind: TermKind::Number(n), .. }) => write!(f, " {n}"),
                    ExpressionKind::Term(term) => term.fmt(f),
                    _ => write!(f, "({inner})"),
                }
            }
            ExpressionKind::Chain { first, rest } => {
                let product = rest.iter().any(|(op, _)| op.is_product());
                let operand = |f: &mut Formatter<'_>, e: &Expression| match &e.kind {
                    ExpressionKind::Chain { rest, .. }
                        if product || !rest.iter().any(|(o, _)| o.is_product()) =>
                    {
                        write!(f, "({e})")
                    }
                    _ => e.fmt(f),
                };
                operand(f, first)?;
                for (op, e) in rest {
                    write!(f, " {op} ")?;
                    operand(f, e)?;
                }
                Ok(())
            }
        }
    }
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if !self.args.is_empty() {
            f.write_char('(')?;
            list(f, &self.args, ",", |f, a| a.node.fmt(f))?;
            f.write_char(')')?;
        }
        Ok(())
    }
}

/// Without full stop, as it stands in a list.
impl Display for Fact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        weighted(f, self.weight.as_ref())?;
        self.atom.fmt(f)
    }
}

/// With full stop and metadata.
impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        weighted(f, self.head_weight.as_ref())?;
        write!(f, "{} :- ", self.head)?;
        list(f, &self.body, ", ", |f, l| l.fmt(f))?;
        if let Some(offset) = &self.offset {
            write!(f, ", {offset}")?;
        }
        f.write_char('.')?;
        if !self.metadata.is_empty() {
            f.write_char(' ')?;
            metadata(f, &self.metadata)?;
        }
        Ok(())
    }
}

fn metadata(f: &mut Formatter<'_>, entries: &[MetaEntry]) -> fmt::Result {
    f.write_char('[')?;
    list(f, entries, ", ", |f, e| e.fmt(f))?;
    f.write_char(']')
}

impl Display for MetaEntry {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key.node, self.value.node)
    }
}

impl Display for MetaValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            MetaValue::Call(function) => function.fmt(f),
            MetaValue::Weight(w) => w.fmt(f),
            MetaValue::Reference(name) => write!(f, "${name}"),
        }
    }
}

impl Display for MetaArg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            MetaArg::Number(x) => Num(*x).fmt(f),
            MetaArg::Range(a, b) => write!(f, "{}:{}", Num(*a), Num(*b)),
            MetaArg::Variable(t) | MetaArg::Word(t) => f.write_str(t),
        }
    }
}

/// A path, between quotes if it has characters that would end it or mean something else.
fn path(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./~+@".contains(c);
    if text.is_empty() || text.ends_with('.') || !text.chars().all(plain) {
        quote(text)
    } else {
        text.to_string()
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Statement::Rule(rule) => rule.fmt(f),
            Statement::Fact(fact) => write!(f, "{fact}."),
            Statement::PredicateOffset(p) => write!(f, "{}/{} {}", p.name.node, p.arity, p.weight),
            Statement::PredicateMetadata(p) => {
                write!(f, "{}/{} ", p.name.node, p.arity)?;
                metadata(f, &p.entries)
            }
            Statement::WeightMetadata(w) => {
                write!(f, "${} ", w.name.node)?;
                metadata(f, &w.entries)
            }
            Statement::TemplateMetadata(entries) => metadata(f, entries),
            Statement::Import(paths) => {
                f.write_str("import ")?;
                list(f, paths, ", ", |f, p| f.write_str(&path(&p.node)))?;
                f.write_char('.')
            }
            Statement::Module(module) => f.write_str(&module.text.node),
            Statement::Block(block) => f.write_str(&block.text.node),
            Statement::Query(facts) => {
                f.write_str("?- ")?;
                list(f, facts, ", ", |f, q| q.fmt(f))?;
                f.write_char('.')
            }
        }
    }
}

/// One statement a line.
impl Display for File {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, statement) in self.statements.iter().enumerate() {
            write!(f, "{statement}")?;
            // Settings of the template right behind a rule would become the rule's: close its list first.
            let bare = matches!(statement, Statement::Rule(rule) if rule.metadata.is_empty());
            if bare && matches!(self.statements.get(i + 1), Some(Statement::TemplateMetadata(_))) {
                f.write_str(" []")?;
            }
            f.write_char('\n')?;
        }
        Ok(())
    }
}
