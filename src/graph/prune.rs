//! Which neurons would only hand on their one input.
//!
//! By ours, those that do: no weight, no offset, and functions that are the identity of one input. By the reference's
//! chain pruning, every unweighted neuron with one input, *whatever its functions* (unless they change shapes): it
//! loses them. Outputs are never replaced: what the queries are answered with is always there.

use super::Op;
use super::function::map_of;
use crate::template::Template;
use crate::tensor::functions::{Activation, Aggregation};

/// What to do with a neuron.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is computed.
    Stays,
    /// It equals its input. It is made all the same, and compiling gives it no row.
    Copies,
    /// Its input takes its place, and its functions are lost.
    Vanishes,
}

/// What becomes of a neuron of this operation that has one input (without the offset). With more it stays.
pub fn fate_of_one(template: &Template, op: &Op) -> Fate {
    let (identity, shape_changes) = match op {
        // Half of a sparsemax, which the reference has in one piece.
        Op::Aggregation(rule) if template.rules[*rule].aggregation == Aggregation::SparsemaxThreshold => {
            return Fate::Stays;
        }
        Op::Aggregation(rule) => (template.rules[*rule].aggregation.is_identity_of_one(), false),
        Op::Rule { .. } | Op::Atom { output: false, .. } => {
            let map = map_of(template, op).expect("rules and atoms have a function");
            if map.weighted || map.slots.iter().any(|s| !s.functions.is_empty()) {
                return Fate::Stays;
            }
            (map.is_copy(), map.activation.is_some_and(changes_shape))
        }
        _ => return Fate::Stays,
    };
    match (identity, shape_changes) {
        (_, false) if template.compat.prunes() => Fate::Vanishes,
        (true, _) => Fate::Copies,
        _ => Fate::Stays,
    }
}

fn changes_shape(activation: Activation) -> bool {
    matches!(activation, Activation::Transpose | Activation::Reshape(_) | Activation::Slice(..))
}
