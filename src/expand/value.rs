//! Values of parameters and loop variables, and what formulas over them are worth.

use super::{Expander, Fault, Frame, fault};
use crate::base::span::Span;
use crate::diag::{codes, suggest};
use crate::syntax::formula::{Condition, Formula, FormulaKind, NamePart, Sign, Test};
use crate::syntax::print::{number, quote};

/// What a parameter or a loop variable is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A number.
    Number(f64),
    /// A word: a function, a constant, a predicate of the scope where it was written.
    Word {
        /// The letters.
        text: String,
        /// The scope.
        scope: usize,
    },
    /// A quoted constant.
    Quoted(String),
    /// A function with arguments.
    Call(String, Vec<Value>),
    /// A list.
    List(Vec<Value>),
    /// A shared weight, by its name outside of modules.
    Weight(String),
    /// `bond/2`
    Signature {
        /// The name.
        text: String,
        /// The number of arguments.
        arity: u32,
        /// The scope where it was written.
        scope: usize,
    },
}

impl Value {
    /// As it is written.
    pub(super) fn shown(&self) -> String {
        let list = |values: &[Value]| values.iter().map(Value::shown).collect::<Vec<_>>().join(", ");
        match self {
            Value::Number(x) => number(*x),
            Value::Word { text, .. } => text.clone(),
            Value::Quoted(text) => quote(text),
            Value::Call(name, args) => format!("{name}({})", list(args)),
            Value::List(values) => format!("{{{}}}", list(values)),
            Value::Weight(name) => format!("${name}"),
            Value::Signature { text, arity, .. } => format!("{text}/{arity}"),
        }
    }
    /// What it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Number(_) => "a number",
            Value::Word { .. } | Value::Call(..) => "a word or function",
            Value::Quoted(_) => "a quoted constant",
            Value::List(_) => "a list",
            Value::Weight(_) => "a weight",
            Value::Signature { .. } => "a predicate",
        }
    }
    /// What it is, with its text.
    pub(super) fn describe(&self) -> String {
        let what = match self {
            Value::Word { .. } => "the word",
            Value::Call(..) => "the function",
            Value::Number(_) => "the number",
            Value::Quoted(_) => "the constant",
            Value::List(_) => "the list",
            Value::Weight(_) => "the weight",
            Value::Signature { .. } => "the predicate",
        };
        format!("{what} `{}`", self.shown())
    }
    /// Whether a parameter without a kind can have it.
    pub(super) fn is_plain(&self) -> bool {
        !matches!(self, Value::Weight(_) | Value::Signature { .. })
    }
    /// Whether it can stand for the other one.
    pub(super) fn same_kind(&self, other: &Value) -> bool {
        self.kind() == other.kind()
    }
    /// What it leaves in the text of a statement; none for lists.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Value::List(_) | Value::Weight(_) | Value::Signature { .. } => None,
            other => Some(other.shown()),
        }
    }
    /// Whether `==` holds: words by their letters.
    pub(super) fn equals(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Word { text: a, .. }, Value::Word { text: b, .. }) => a == b,
            (Value::Call(f, a), Value::Call(g, b)) => {
                f == g && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b))
            }
            (Value::List(a), Value::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b))
            }
            (a, b) => a == b,
        }
    }
}

impl Expander<'_> {
    /// What a formula is worth; a name that is neither parameter nor loop variable is a word.
    pub(super) fn value(&self, f: &Formula, frame: &Frame) -> Result<Value, Fault> {
        let word = |text: String| Value::Word { text, scope: frame.scope };
        Ok(match &f.kind {
            FormulaKind::Number(x) => Value::Number(*x),
            FormulaKind::Quoted(text) => Value::Quoted(text.clone()),
            FormulaKind::Name(parts) => match &parts[..] {
                [NamePart::Text(name)] => frame.value(name).cloned().unwrap_or_else(|| word(name.clone())),
                [NamePart::Value(inner)] => self.value(inner, frame)?,
                parts => word(self.name(parts, frame)?),
            },
            FormulaKind::Weight(parts) => {
                Value::Weight(self.resolve_weight(&self.name(parts, frame)?, frame.scope))
            }
            FormulaKind::Signature(parts, arity) => match &parts[..] {
                [NamePart::Text(name)] => match frame.value(name) {
                    Some(Value::Number(x)) => self.finite(x / f64::from(*arity), f.span, frame)?,
                    Some(Value::Word { text, scope }) => {
                        Value::Signature { text: text.clone(), arity: *arity, scope: *scope }
                    }
                    _ => Value::Signature { text: name.clone(), arity: *arity, scope: frame.scope },
                },
                parts => {
                    Value::Signature { text: self.name(parts, frame)?, arity: *arity, scope: frame.scope }
                }
            },
            FormulaKind::List(items) => Value::List(self.values(items, frame)?),
            FormulaKind::Call(name, args) => {
                let values = self.values(args, frame)?;
                match (name.node.as_str(), &values[..]) {
                    ("len", [Value::List(items)]) => Value::Number(items.len() as f64),
                    ("len", _) => {
                        let title = "`len` takes a list";
                        return Err(fault(codes::FORMULA, title, frame.at(f.span), no_list(args, &values)));
                    }
                    ("min", [Value::Number(a), Value::Number(b)]) => Value::Number(a.min(*b)),
                    ("max", [Value::Number(a), Value::Number(b)]) => Value::Number(a.max(*b)),
                    ("mod", [Value::Number(a), Value::Number(b)]) => {
                        self.finite(a.rem_euclid(*b), f.span, frame)?
                    }
                    ("floor", [Value::Number(a)]) => Value::Number(a.floor()),
                    ("sqrt", [Value::Number(a)]) => self.finite(a.sqrt(), f.span, frame)?,
                    _ => Value::Call(name.node.clone(), values),
                }
            }
            FormulaKind::Element(list, index) => {
                let items = match self.value(list, frame)? {
                    Value::List(items) => items,
                    other => {
                        let title = format!("{} has no elements", other.describe());
                        let label = no_list(std::slice::from_ref(list), std::slice::from_ref(&other));
                        return Err(fault(codes::FORMULA, title, frame.at(list.span), label));
                    }
                };
                let i = self.whole(index, frame)?;
                let place = if i >= 1.0 { items.get(i as usize - 1) } else { None };
                place.cloned().ok_or_else(|| {
                    let title = format!("there is no element {} of a list of {}", number(i), items.len());
                    fault(codes::FORMULA, title, frame.at(index.span), "elements are counted from 1")
                })?
            }
            FormulaKind::Negation(inner) => {
                let x = self.number(inner, frame)?;
                Value::Number(-x)
            }
            FormulaKind::Operation { sign, left, right, .. } => {
                if let Some(name) = unbound(f, frame) {
                    return Ok(word(name));
                }
                let (a, b) = (self.number(left, frame)?, self.number(right, frame)?);
                let x = match sign {
                    Sign::Add => a + b,
                    Sign::Sub => a - b,
                    Sign::Mul => a * b,
                    Sign::Div => a / b,
                };
                self.finite(x, f.span, frame)?
            }
        })
    }

    fn finite(&self, x: f64, span: Span, frame: &Frame) -> Result<Value, Fault> {
        if x.is_finite() {
            return Ok(Value::Number(x));
        }
        Err(fault(codes::FORMULA, "a calculation without a result", frame.at(span), "no finite number"))
    }

    fn values(&self, formulas: &[Formula], frame: &Frame) -> Result<Vec<Value>, Fault> {
        formulas.iter().map(|f| self.value(f, frame)).collect()
    }

    /// The letters of a name with values in it.
    fn name(&self, parts: &[NamePart], frame: &Frame) -> Result<String, Fault> {
        let mut out = String::new();
        for part in parts {
            match part {
                NamePart::Text(text) => out += text,
                NamePart::Value(inner) => out += &self.inserted(inner, frame)?.1,
            }
        }
        Ok(out)
    }

    /// What `@{…}` leaves, with its text: a word that is no parameter is a slip.
    pub(super) fn inserted(&self, f: &Formula, frame: &Frame) -> Result<(Value, String), Fault> {
        if let Some(name) = unbound(f, frame) {
            return Err(self.unknown(&name, frame.at(f.span), frame));
        }
        let value = self.value(f, frame)?;
        match value.text() {
            Some(text) => Ok((value, text)),
            None => {
                let title = format!("{} cannot stand in a statement", value.describe());
                Err(fault(codes::FORMULA, title, frame.at(f.span), "neither number nor word"))
            }
        }
    }

    pub(super) fn unknown(&self, name: &str, at: Span, frame: &Frame) -> Fault {
        let title = format!("`{name}` is neither parameter nor loop variable here");
        let mut d = fault(codes::FORMULA, title, at, "has no value");
        let first = name.split('-').next().unwrap_or(name);
        let near = || suggest::did_you_mean(name, frame.values.iter().map(|(n, _)| n.as_str()));
        d.help = if first != name && frame.value(first).is_some() {
            Some(format!("an expression stands between braces: `@{{{name}}}`"))
        } else {
            near()
        };
        d
    }

    /// The number that a formula is.
    pub(super) fn number(&self, f: &Formula, frame: &Frame) -> Result<f64, Fault> {
        if let Some(name) = unbound(f, frame) {
            return Err(self.unknown(&name, frame.at(f.span), frame));
        }
        match self.value(f, frame)? {
            Value::Number(x) => Ok(x),
            other => {
                let title = format!("{} is no number", other.describe());
                Err(fault(codes::FORMULA, title, frame.at(f.span), "a number is needed here"))
            }
        }
    }

    /// The whole number that a formula is.
    pub(super) fn whole(&self, f: &Formula, frame: &Frame) -> Result<f64, Fault> {
        let x = self.number(f, frame)?;
        if x.fract() == 0.0 && x.abs() < 1e15 {
            return Ok(x);
        }
        let title = format!("{} is no whole number", number(x));
        Err(fault(codes::FORMULA, title, frame.at(f.span), "a whole number is needed here"))
    }

    /// Whether the condition of an `@if` holds.
    pub(super) fn holds(&self, c: &Condition, frame: &Frame) -> Result<bool, Fault> {
        let compared = |a: f64, b: f64| match c.test {
            Test::Less => a < b,
            Test::AtMost => a <= b,
            Test::Greater => a > b,
            _ => a >= b,
        };
        match c.test {
            Test::Equal | Test::Different => {
                let known = |f: &Formula| unbound(f, frame).is_none();
                if !known(&c.left) && !known(&c.right) {
                    let name = unbound(&c.left, frame).unwrap_or_default();
                    return Err(self.unknown(&name, frame.at(c.left.span), frame));
                }
                let equal = self.value(&c.left, frame)?.equals(&self.value(&c.right, frame)?);
                Ok(equal == (c.test == Test::Equal))
            }
            _ => Ok(compared(self.number(&c.left, frame)?, self.number(&c.right, frame)?)),
        }
    }
}

/// What to say where something that should be a list is none: the name that has such a value is what a user can change.
fn no_list(args: &[Formula], values: &[Value]) -> String {
    let named = args.iter().zip(values).find_map(|(f, v)| match &f.kind {
        FormulaKind::Name(parts) => match &parts[..] {
            [NamePart::Text(name)] if *name != v.shown() => Some(format!("`{name}` is {}", v.describe())),
            _ => None,
        },
        _ => None,
    });
    named.unwrap_or_else(|| "no list".into())
}

/// The word that a formula is, if no part of it is a parameter or a loop variable. `foo-bar` is one: `-` is a letter
/// where what stands before it has no value.
pub(super) fn unbound(f: &Formula, frame: &Frame) -> Option<String> {
    match &f.kind {
        FormulaKind::Name(parts) => match &parts[..] {
            [NamePart::Text(name)] if frame.value(name).is_none() => Some(name.clone()),
            _ => None,
        },
        FormulaKind::Operation { sign: Sign::Sub, left, right, tight: true } => {
            let before = unbound(left, frame)?;
            let after = match &right.kind {
                FormulaKind::Name(parts) => match &parts[..] {
                    [NamePart::Text(name)] => name.clone(),
                    _ => return None,
                },
                FormulaKind::Number(x) => number(*x),
                _ => return None,
            };
            Some(format!("{before}-{after}"))
        }
        _ => None,
    }
}
