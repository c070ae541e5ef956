//! Comparisons written with signs: `X + 1 < Y`, `Z = X / 2`.
//!
//! Such a literal is a special predicate (`@lt`, `@eq`, …) of the values of two expressions; its arguments are the terms
//! of both, in order. A calculation with what is no number, or without a finite result, has no value, and the
//! comparison does not hold.

use super::special::{Arithmetic, Comparison as Op, Operand, Special};
use super::{Literal, Relation, Term, VarId};
use crate::data::{ConstId, Vocabulary};

/// The two sides of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Before the sign.
    pub left: Expression,
    /// Behind it.
    pub right: Expression,
    /// The side that is a variable which gets the value of the other one, if that is so.
    pub target: Option<Side>,
}

/// A side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before the sign.
    Left,
    /// Behind it.
    Right,
}

/// An expression over the arguments of its literal.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// The argument of this number.
    Argument(usize),
    /// `-x`
    Negation(Box<Expression>),
    /// Operations of one precedence, from left to right.
    Chain(Box<Expression>, Vec<(Arithmetic, Expression)>),
}

impl Expression {
    /// The argument that it is, if it is nothing more.
    pub fn argument(&self) -> Option<usize> {
        match self {
            Expression::Argument(i) => Some(*i),
            _ => None,
        }
    }

    fn number(&self, vocabulary: &Vocabulary, args: &[ConstId]) -> Option<f64> {
        match self {
            Expression::Argument(i) => vocabulary.as_number(args[*i]),
            Expression::Negation(inner) => Some(-inner.number(vocabulary, args)?),
            Expression::Chain(first, rest) => {
                let mut x = first.number(vocabulary, args)?;
                for (op, e) in rest {
                    // Every step counts: 1 / (1 / 0) is no 0.
                    x = Some(op.apply(x, e.number(vocabulary, args)?)).filter(|x| x.is_finite())?;
                }
                Some(x)
            }
        }
    }

    fn value(&self, vocabulary: &Vocabulary, args: &[ConstId]) -> Option<Operand> {
        match self {
            Expression::Argument(i) => Some(Operand::Constant(args[*i])),
            _ => self.number(vocabulary, args).map(Operand::Number),
        }
    }

    fn text(&self, term: &dyn Fn(usize) -> String) -> String {
        match self {
            Expression::Argument(i) => term(*i),
            Expression::Negation(inner) => match &**inner {
                // `-1` would be one number.
                Expression::Argument(i) if term(*i).starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                    format!("- {}", term(*i))
                }
                Expression::Argument(i) => format!("-{}", term(*i)),
                inner => format!("-({})", inner.text(term)),
            },
            Expression::Chain(first, rest) => {
                let product = |rest: &[(Arithmetic, Expression)]| {
                    rest.iter().any(|(op, _)| matches!(op, Arithmetic::Mul | Arithmetic::Div))
                };
                let operand = |e: &Expression| match e {
                    Expression::Chain(_, inner) if product(rest) || !product(inner) => {
                        format!("({})", e.text(term))
                    }
                    e => e.text(term),
                };
                let mut out = operand(first);
                for (op, e) in rest {
                    out += &format!(" {} {}", op.sign(), operand(e));
                }
                out
            }
        }
    }
}

impl Literal {
    /// The ways to read `=` as giving a value: a side that is a variable, with the places of the other side's
    /// arguments.
    pub fn readings(&self) -> Vec<(Side, VarId, std::ops::Range<usize>)> {
        let (Some(comparison), Relation::Special(Special::Compare(Op::Eq), _)) =
            (&self.comparison, self.relation)
        else {
            return Vec::new();
        };
        let n = self.args.len();
        let mut out = Vec::new();
        for (side, expression) in [(Side::Left, &comparison.left), (Side::Right, &comparison.right)] {
            if let Some(at) = expression.argument()
                && let Term::Variable(v) = self.args[at]
            {
                out.push((side, v, if side == Side::Left { 1..n } else { 0..n - 1 }));
            }
        }
        out
    }
}

impl Comparison {
    fn side(&self, side: Side) -> &Expression {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    /// The argument that gets its value here.
    pub fn assigned(&self) -> Option<usize> {
        self.side(self.target?).argument()
    }

    /// Whether it holds for constants in place of the arguments.
    pub fn holds(&self, op: Op, vocabulary: &Vocabulary, args: &[ConstId]) -> bool {
        match (self.left.value(vocabulary, args), self.right.value(vocabulary, args)) {
            (Some(a), Some(b)) => op.holds(vocabulary, a, b),
            _ => false,
        }
    }

    /// The value that the assigned argument gets; what stands in its own place does not matter.
    pub fn result(&self, vocabulary: &Vocabulary, args: &[ConstId]) -> Option<ConstId> {
        self.result_of(self.target?, vocabulary, args)
    }

    /// The value that a variable on the `target` side of `=` must have.
    pub fn result_of(&self, target: Side, vocabulary: &Vocabulary, args: &[ConstId]) -> Option<ConstId> {
        let source = match target {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        };
        match self.side(source).value(vocabulary, args)? {
            Operand::Constant(c) => Some(c),
            Operand::Number(x) => vocabulary.computed(x),
        }
    }

    /// As it is written, with a text for each argument.
    pub fn text(&self, op: Op, term: &dyn Fn(usize) -> String) -> String {
        format!("{} {} {}", self.left.text(term), op.sign(), self.right.text(term))
    }
}
