//! Metadata lists: keys and functions, with located errors.

use crate::base::span::{Span, Spanned};
use crate::diag::{Diagnostic, Diagnostics, codes, suggest};
use crate::syntax::ast::{Function as Call, MetaArg, MetaEntry, MetaValue};
use crate::tensor::functions::{Activation, Aggregation, Combination, FnArg, ParseError};

/// Reports a key that a list does not take.
pub(super) fn unknown_key(entry: &MetaEntry, known: &[&'static str], of: &str, out: &mut Diagnostics) {
    let key = &entry.key;
    let mut d =
        Diagnostic::new(codes::UNKNOWN_KEY, format!("unknown key `{}` in the metadata of {of}", key.node))
            .label(key.span, "no such key")
            .note(format!("the keys of {of} are {}", listed(known)));
    d.help = match key.node.as_str() {
        "rule" | "atom" => Some(
            "defaults of the whole template stand at its top: a list after a rule belongs to that rule, also on the \
             next line"
                .to_string(),
        ),
        other => suggest::did_you_mean(other, known.iter().copied()),
    };
    out.push(d);
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
}

/// Reports a value that its key does not take.
pub(super) fn bad_value(entry: &MetaEntry, wanted: &str, out: &mut Diagnostics) {
    out.push(
        Diagnostic::new(codes::BAD_METADATA, format!("`{}` takes {wanted}", entry.key.node))
            .label(entry.value.span, format!("this is not {wanted}")),
    );
}

/// Warns of keys that a list states again with another value: the last one counts.
pub(super) fn repeated_keys(entries: &[MetaEntry], of: &str, out: &mut Diagnostics) {
    let meaning = |e: &MetaEntry| match e.key.node.as_str() {
        "activation" => "transformation".to_string(),
        other => other.to_string(),
    };
    for (i, entry) in entries.iter().enumerate() {
        let key = meaning(entry);
        let Some(later) = entries[i + 1..].iter().find(|e| meaning(e) == key) else { continue };
        if later.value.node == entry.value.node {
            continue;
        }
        out.push(
            Diagnostic::new(codes::STATED_TWICE, format!("the {key} of {of} is stated twice"))
                .label(later.value.span, "this one counts")
                .label(entry.value.span, "without effect"),
        );
    }
}

/// A family of functions that metadata can name.
pub(super) trait Function: Sized {
    const WHAT: &'static str;
    fn read(name: &str, args: &[FnArg]) -> Result<Self, ParseError>;
    fn all() -> &'static [&'static str];
}

macro_rules! function {
    ($ty:ty, $what:literal) => {
        impl Function for $ty {
            const WHAT: &'static str = $what;
            fn read(name: &str, args: &[FnArg]) -> Result<Self, ParseError> {
                <$ty>::parse(name, args)
            }
            fn all() -> &'static [&'static str] {
                <$ty>::names()
            }
        }
    };
}
function!(Activation, "a transformation");
function!(Combination, "a combination");
function!(Aggregation, "an aggregation");

/// The function that an entry names; `None` with a diagnostic if it names none.
pub(super) fn function<F: Function>(entry: &MetaEntry, out: &mut Diagnostics) -> Option<F> {
    let MetaValue::Call(call) = &entry.value.node else {
        bad_value(entry, &format!("the name of {}", F::WHAT), out);
        return None;
    };
    named_function(call, entry.value.span, out)
}

/// The function that a name and its arguments mean; `None` with a diagnostic if they mean none.
pub(super) fn named_function<F: Function>(call: &Call, span: Span, out: &mut Diagnostics) -> Option<F> {
    let name = &call.name;
    let args: Vec<FnArg> = call
        .args
        .iter()
        .map(|a| match &a.node {
            MetaArg::Number(x) => FnArg::Number(*x),
            MetaArg::Range(a, b) => FnArg::Range(*a, *b),
            MetaArg::Variable(v) => FnArg::Variable(v.clone()),
            MetaArg::Word(w) => FnArg::Word(w.clone()),
        })
        .collect();
    match F::read(name, &args) {
        Ok(f) => Some(f),
        Err(ParseError::Unknown) => {
            let mut d = Diagnostic::new(codes::UNKNOWN_FUNCTION, format!("`{name}` is not {}", F::WHAT))
                .label(span, "unknown function");
            d.help = suggest::function_meant(name, F::all());
            out.push(d.note(format!("there are {}", listed(F::all()))));
            None
        }
        Err(ParseError::Args(wanted)) => {
            out.push(
                Diagnostic::new(codes::BAD_METADATA, wanted)
                    .label(span, "with these arguments it is not defined"),
            );
            None
        }
    }
}

/// Like [`named_function`], for a function around an atom: those who come from Prolog mean a compound term.
pub(super) fn literal_function(call: &Call, span: Span, out: &mut Diagnostics) -> Option<Activation> {
    let before = out.len();
    let found = named_function(call, span, out);
    for d in out[before..].iter_mut().filter(|d| d.code == codes::UNKNOWN_FUNCTION && d.help.is_none()) {
        d.help = Some(format!(
            "`{0}(…)` around an atom applies a function to its value; if `{0}` is a predicate: terms have no \
             arguments, only names, numbers and variables stand there",
            call.name
        ));
    }
    found
}

/// `true` or `false`.
pub(super) fn boolean(entry: &MetaEntry, out: &mut Diagnostics) -> Option<bool> {
    match &entry.value.node {
        MetaValue::Call(Call { name, args }) if args.is_empty() && name == "true" => Some(true),
        MetaValue::Call(Call { name, args }) if args.is_empty() && name == "false" => Some(false),
        _ => {
            bad_value(entry, "`true` or `false`", out);
            None
        }
    }
}

/// `softmax(…)`, the output of a predicate: the arguments that name the class, from 0 and ascending.
pub(super) fn classes(entry: &MetaEntry, arity: usize, out: &mut Diagnostics) -> Option<Spanned<Vec<usize>>> {
    let span = entry.value.span;
    let call = match &entry.value.node {
        MetaValue::Call(call) if call.name == "softmax" && !call.args.is_empty() => call,
        _ => {
            bad_value(entry, "`softmax(N)`, where N is the number of the argument that names the class", out);
            return None;
        }
    };
    let position = |arg: &Spanned<MetaArg>| match arg.node {
        MetaArg::Number(x) if x.fract() == 0.0 && (1.0..=arity as f64).contains(&x) => Some(x as usize - 1),
        _ => None,
    };
    let mut positions = Vec::new();
    for arg in &call.args {
        match position(arg) {
            Some(p) if !positions.contains(&p) => positions.push(p),
            found => {
                let title = match (found, arity) {
                    (Some(_), _) => "an argument is named twice".to_string(),
                    (None, 0) => "a predicate without arguments has no classes".to_string(),
                    (None, 1) => "the only argument is number 1".to_string(),
                    (None, _) => format!("arguments are numbered from 1 to {arity}"),
                };
                out.push(Diagnostic::new(codes::BAD_METADATA, title).label(arg.span, "not such a number"));
                return None;
            }
        }
    }
    positions.sort_unstable();
    Some(Spanned { node: positions, span })
}
