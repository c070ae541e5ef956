//! `[draw=…]`: predicates whose facts are drawn at random, anew for every epoch.

use super::metadata::bad_value;
use crate::base::span::Spanned;
use crate::data::{PredId, Vocabulary};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::syntax::ast::{MetaArg, MetaEntry, MetaValue};
use crate::tensor::Shape;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DrawKind {
    /// `normal(node, r, c)`: each element from the standard normal distribution; 0 when the model is evaluated.
    Normal {
        /// The shape of each value.
        shape: Shape,
    },
    /// `dropout(node, p, r, c)`: each element 0 with probability `p`, else `1 / (1 − p)`; 1 when the model is
    /// evaluated (Srivastava et al. 2014, scaled in training).
    Dropout {
        /// The probability of 0.
        rate: f64,
        /// The shape of each value.
        shape: Shape,
    },
    /// `permutation(node)`: `p(X,Y)` for each X, where Y runs through the same constants in random order.
    Permutation,
    /// `negatives(edge, ratio)`: `p(X,Y)` for pairs without an edge, X a source and Y a target of edges, X ≠ Y;
    /// `ratio` times as many as edges, or all that there are.
    Negatives {
        /// Drawn pairs for each edge.
        ratio: f64,
    },
}

/// The facts of a predicate that are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// How.
    pub kind: DrawKind,
    /// The predicate over whose facts.
    pub over: PredId,
}

const WANTED: &str = "`normal(p)`, `normal(p,16)`, `dropout(p,0.5)`, `permutation(p)` or `negatives(p,1)`, where p is a predicate with facts";

/// The value of `draw=` for a predicate of `arity` arguments; `None` with a diagnostic if it is none.
pub(super) fn draw(
    entry: &MetaEntry,
    arity: usize,
    vocabulary: &mut Vocabulary,
    out: &mut Diagnostics,
) -> Option<Spanned<Draw>> {
    let span = entry.value.span;
    let (name, over, numbers) = match &entry.value.node {
        MetaValue::Call(call) => match call.args.split_first() {
            Some((Spanned { node: MetaArg::Word(over), .. }, rest)) => {
                let number = |a: &Spanned<MetaArg>| match a.node {
                    MetaArg::Number(x) => Some(x),
                    _ => None,
                };
                let numbers: Option<Vec<f64>> = rest.iter().map(number).collect();
                (call.name.as_str(), over, numbers.unwrap_or_else(|| vec![f64::NAN]))
            }
            _ => ("", &call.name, Vec::new()),
        },
        _ => {
            bad_value(entry, WANTED, out);
            return None;
        }
    };
    let whole = |x: f64| (x.fract() == 0.0 && (1.0..=65536.0).contains(&x)).then_some(x as usize);
    let shape = |dims: &[f64]| match dims {
        [] => Some(Shape::SCALAR),
        [n] => Some(Shape::new(whole(*n)?, 1)),
        [r, c] => Some(Shape::new(whole(*r)?, whole(*c)?)),
        _ => None,
    };
    let (kind, wanted) = match (name, numbers.as_slice()) {
        ("normal", dims) => (shape(dims).map(|shape| DrawKind::Normal { shape }), arity),
        ("dropout", [rate, dims @ ..]) if (0.0..1.0).contains(rate) => {
            (shape(dims).map(|shape| DrawKind::Dropout { rate: *rate, shape }), arity)
        }
        ("permutation", []) => (Some(DrawKind::Permutation), 1),
        ("negatives", [ratio]) if *ratio > 0.0 && ratio.is_finite() => {
            (Some(DrawKind::Negatives { ratio: *ratio }), 2)
        }
        _ => (None, arity),
    };
    let Some(kind) = kind else {
        bad_value(entry, WANTED, out);
        return None;
    };
    let own = match kind {
        DrawKind::Permutation | DrawKind::Negatives { .. } => 2,
        _ => arity,
    };
    if own != arity {
        out.push(
            Diagnostic::new(codes::BAD_METADATA, format!("`{name}` draws facts of 2 arguments, not {arity}"))
                .label(span, "for a predicate with another number of arguments"),
        );
        return None;
    }
    let over = vocabulary.predicate(over, wanted);
    Some(Spanned { node: Draw { kind, over }, span })
}
