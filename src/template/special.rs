//! Special predicates: computed from their arguments instead of stored.

use crate::base::hash::HashSet;
use crate::data::{ConstId, Vocabulary, number_text};
use std::cmp::Ordering;

/// A special predicate (`@name`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Special {
    /// `@alldiff(t1,…)`: all terms differ.
    AllDiff,
    /// `@in(x,t1,…)`: x is one of the others.
    In,
    /// `@maxcard(k,t1,…)`: at most k distinct terms.
    MaxCard,
    /// `@anypred(…)`, `@true`: always.
    True,
    /// `@false`: never.
    False,
    /// `@eq(x,y)` and its kin.
    Compare(Comparison),
    /// `@next(x,y)`: y = x + 1.
    Next,
    /// `@add(x,y,z)`: z = x + y; likewise `@sub`, `@mod`.
    Relation(Arithmetic),
    /// `@add_eval(x,y)`: always true, worth x + y; likewise the others.
    Valued(Arithmetic),
    /// `@dom(x)`: x is a constant of the world.
    Domain,
    /// What picks the member of a family of weights: no text can write it.
    Member,
}

/// A comparison: of numbers by value, of other constants by text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Different.
    Neq,
    /// Less.
    Lt,
    /// Less or equal.
    Leq,
    /// Greater.
    Gt,
    /// Greater or equal.
    Geq,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operand {
    /// A constant.
    Constant(ConstId),
    /// The finite result of a calculation.
    Number(f64),
}

impl Operand {
    fn number(self, vocabulary: &Vocabulary) -> Option<f64> {
        match self {
            Operand::Constant(c) => vocabulary.as_number(c),
            Operand::Number(x) => Some(x),
        }
    }
}

impl Comparison {
    /// How it is written between two sides.
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::Eq => "=",
            Comparison::Neq => "!=",
            Comparison::Lt => "<",
            Comparison::Leq => "<=",
            Comparison::Gt => ">",
            Comparison::Geq => ">=",
        }
    }

    /// Whether it holds: equality is that of constants; in order, numbers stand by value, and by their texts wherever
    /// one of the two is no number.
    pub fn holds(self, vocabulary: &Vocabulary, a: Operand, b: Operand) -> bool {
        let order = || match (a.number(vocabulary), b.number(vocabulary), a, b) {
            // Results of calculations may be -0.
            (Some(x), Some(y), ..) => (x + 0.0).total_cmp(&(y + 0.0)),
            (_, _, Operand::Constant(a), Operand::Constant(b)) => {
                vocabulary.constant_text(a).cmp(vocabulary.constant_text(b))
            }
            (_, _, Operand::Constant(a), Operand::Number(y)) => {
                vocabulary.constant_text(a).cmp(&number_text(y))
            }
            (_, _, Operand::Number(x), Operand::Constant(b)) => {
                number_text(x).as_str().cmp(vocabulary.constant_text(b))
            }
            (_, _, Operand::Number(x), Operand::Number(y)) => x.total_cmp(&y),
        };
        let equal = || match (a, b) {
            (Operand::Constant(a), Operand::Constant(b)) => a == b,
            _ => matches!((a.number(vocabulary), b.number(vocabulary)), (Some(x), Some(y)) if x == y),
        };
        match self {
            Comparison::Eq => equal(),
            Comparison::Neq => !equal(),
            Comparison::Lt => order() == Ordering::Less,
            Comparison::Leq => order() != Ordering::Greater,
            Comparison::Gt => order() == Ordering::Greater,
            Comparison::Geq => order() != Ordering::Less,
        }
    }
}

/// A binary operation on numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Quotient.
    Div,
    /// Remainder with the sign of the dividend.
    Mod,
    /// The greater.
    Max,
    /// The smaller.
    Min,
}

impl Arithmetic {
    /// How it is written between two numbers.
    pub fn sign(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Sub => "-",
            Arithmetic::Mul => "*",
            Arithmetic::Div => "/",
            Arithmetic::Mod => "mod",
            Arithmetic::Max => "max",
            Arithmetic::Min => "min",
        }
    }

    /// The result, which may not be finite.
    pub fn apply(self, x: f64, y: f64) -> f64 {
        match self {
            Arithmetic::Add => x + y,
            Arithmetic::Sub => x - y,
            Arithmetic::Mul => x * y,
            Arithmetic::Div => x / y,
            Arithmetic::Mod => x % y,
            Arithmetic::Max => x.max(y),
            Arithmetic::Min => x.min(y),
        }
    }
}

/// Names, meanings and numbers of arguments (least, most).
const TABLE: &[(&str, Special, usize, usize)] = &[
    ("alldiff", Special::AllDiff, 1, usize::MAX),
    ("in", Special::In, 2, usize::MAX),
    ("maxcard", Special::MaxCard, 2, usize::MAX),
    ("anypred", Special::True, 0, usize::MAX),
    ("true", Special::True, 0, 0),
    ("false", Special::False, 0, 0),
    ("dom", Special::Domain, 1, 1),
    ("eq", Special::Compare(Comparison::Eq), 2, 2),
    ("neq", Special::Compare(Comparison::Neq), 2, 2),
    ("lt", Special::Compare(Comparison::Lt), 2, 2),
    ("leq", Special::Compare(Comparison::Leq), 2, 2),
    ("gt", Special::Compare(Comparison::Gt), 2, 2),
    ("geq", Special::Compare(Comparison::Geq), 2, 2),
    ("next", Special::Next, 2, 2),
    ("add", Special::Relation(Arithmetic::Add), 3, 3),
    ("sub", Special::Relation(Arithmetic::Sub), 3, 3),
    ("mod", Special::Relation(Arithmetic::Mod), 3, 3),
    ("add_eval", Special::Valued(Arithmetic::Add), 2, 2),
    ("sub_eval", Special::Valued(Arithmetic::Sub), 2, 2),
    ("mul_eval", Special::Valued(Arithmetic::Mul), 2, 2),
    ("div_eval", Special::Valued(Arithmetic::Div), 2, 2),
    ("mod_eval", Special::Valued(Arithmetic::Mod), 2, 2),
    ("max_eval", Special::Valued(Arithmetic::Max), 2, 2),
    ("min_eval", Special::Valued(Arithmetic::Min), 2, 2),
];

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(n, ..)| *n)
}

/// The special predicate of a name, with the least and greatest number of arguments.
pub fn find(name: &str) -> Option<(Special, usize, usize)> {
    TABLE.iter().find(|(n, ..)| *n == name).map(|&(_, s, least, most)| (s, least, most))
}

impl Special {
    /// Whether it has a value of its own.
    pub fn is_valued(self) -> bool {
        matches!(self, Special::Valued(_))
    }

    /// The value of a valued special predicate; `None` if an argument is no number.
    pub fn value(self, vocabulary: &Vocabulary, args: &[ConstId]) -> Option<f64> {
        match self {
            Special::Valued(op) => {
                Some(op.apply(vocabulary.as_number(args[0])?, vocabulary.as_number(args[1])?))
            }
            // Nobody looks at it; the row is what counts.
            Special::Member => Some(1.0),
            _ => None,
        }
    }

    /// Whether it holds. A valued predicate holds for numbers only: there is no sum of other constants.
    pub fn holds(self, vocabulary: &Vocabulary, args: &[ConstId]) -> bool {
        let number = |i: usize| vocabulary.as_number(args[i]);
        match self {
            Special::True | Special::Domain | Special::Member => true,
            Special::False => false,
            Special::AllDiff => args.iter().enumerate().all(|(i, a)| args[..i].iter().all(|b| a != b)),
            Special::In => args[1..].contains(&args[0]),
            Special::MaxCard => {
                let distinct: HashSet<ConstId> = args[1..].iter().copied().collect();
                number(0).is_some_and(|k| distinct.len() as f64 <= k)
            }
            Special::Compare(op) => {
                op.holds(vocabulary, Operand::Constant(args[0]), Operand::Constant(args[1]))
            }
            Special::Next => matches!((number(0), number(1)), (Some(x), Some(y)) if y == x + 1.0),
            Special::Relation(op) => {
                matches!((number(0), number(1), number(2)), (Some(x), Some(y), Some(z)) if z == op.apply(x, y))
            }
            Special::Valued(_) => self.value(vocabulary, args).is_some_and(f64::is_finite),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specials_mean_what_they_say() {
        let mut v = Vocabulary::new();
        let n: Vec<ConstId> = (0..6).map(|i| v.number(&i.to_string()).expect("a number")).collect();
        let (a, b) = (v.name("a"), v.name("b"));
        let holds = |name: &str, args: &[ConstId]| find(name).expect(name).0.holds(&v, args);
        assert!(holds("alldiff", &[a, b, n[0]]) && !holds("alldiff", &[a, b, a]));
        assert!(holds("in", &[a, b, a]) && !holds("in", &[a, b]));
        assert!(holds("maxcard", &[n[2], a, b, a]) && !holds("maxcard", &[n[1], a, b]));
        assert!(!holds("maxcard", &[a, a, b]));
        assert!(holds("lt", &[n[2], n[3]]) && !holds("lt", &[n[3], n[3]]) && holds("lt", &[a, b]));
        assert!(holds("leq", &[n[3], n[3]]) && holds("geq", &[n[3], n[3]]) && holds("gt", &[b, a]));
        assert!(holds("eq", &[a, a]) && holds("neq", &[a, b]) && !holds("neq", &[a, a]));
        assert!(holds("next", &[n[2], n[3]]) && !holds("next", &[n[3], n[2]]) && !holds("next", &[a, b]));
        assert!(holds("add", &[n[2], n[3], n[5]]) && holds("sub", &[n[5], n[3], n[2]]));
        assert!(holds("mod", &[n[5], n[3], n[2]]) && !holds("mod", &[n[5], n[3], n[1]]));
        assert!(holds("true", &[]) && !holds("false", &[]) && holds("anypred", &[a]));
        let value = |name: &str, x, y| find(name).expect(name).0.value(&v, &[x, y]);
        let pairs = [
            ("add", 7.0),
            ("sub", 3.0),
            ("mul", 10.0),
            ("div", 2.5),
            ("mod", 1.0),
            ("max", 5.0),
            ("min", 2.0),
        ];
        for (op, expected) in pairs {
            assert_eq!(value(&format!("{op}_eval"), n[5], n[2]), Some(expected), "{op}");
        }
        assert_eq!(value("add_eval", a, n[2]), None);
        assert!(!holds("add_eval", &[a, n[2]]) && !holds("div_eval", &[n[2], n[0]]));
    }
}
