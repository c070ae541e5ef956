//! Which neurons would only hand on their one input.
//!
//! By ours, those that do: no weight, no offset, and functions that are the identity of one input. By the reference's
//! chain pruning, every unweighted neuron with one input, *whatever its functions* (unless they change shapes): it
//! loses them. Outputs are never replaced: what the queries are answered with is always there.

use super::Op;
use crate::template::{Literal, Rule, Template};
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

/// What becomes of a neuron with so many inputs (without the offset).
pub fn fate(template: &Template, op: &Op, inputs: usize) -> Fate {
    if inputs != 1 {
        return Fate::Stays;
    }
    let Some(functions) = functions_of_one(template, op) else { return Fate::Stays };
    match functions {
        Functions { shape_changes: false, .. } if template.compat.prunes() => Fate::Vanishes,
        Functions { identity: true, .. } => Fate::Copies,
        _ => Fate::Stays,
    }
}

/// What the functions of a neuron make of one input.
struct Functions {
    identity: bool,
    shape_changes: bool,
}

impl Functions {
    fn new(combination: bool, activation: &Activation) -> Functions {
        Functions {
            identity: combination && activation.is_identity(),
            shape_changes: matches!(
                activation,
                Activation::Transpose | Activation::Reshape(_) | Activation::Slice(..)
            ),
        }
    }
}

/// The functions of an unweighted neuron; `None` if it has a weight or an offset, or is of a kind that no pruning
/// touches (values, soft negations, outputs).
fn functions_of_one(template: &Template, op: &Op) -> Option<Functions> {
    match op {
        Op::Rule { rule, dropped } => {
            let rule = &template.rules[*rule];
            let mut kept = rule.visible().enumerate().filter(|(k, _)| !dropped.contains(&(*k as u32)));
            let plain = kept.all(|(_, (_, l))| l.functions.is_empty());
            (plain && !is_weighted(rule))
                .then(|| Functions::new(rule.combination.is_identity_of_one(), &rule.activation))
        }
        Op::Aggregation(rule) => {
            let aggregation = &template.rules[*rule].aggregation;
            // Half of a sparsemax, which the reference has in one piece.
            if *aggregation == Aggregation::SparsemaxThreshold {
                return None;
            }
            Some(Functions::new(aggregation.is_identity_of_one(), &Activation::Identity))
        }
        Op::Atom { pred, rules, output: false } => {
            // Rules that stand in examples know nothing of the template's metadata.
            let foreign = rules.iter().all(|r| template.rules[*r].world.is_some());
            let weighted = rules.iter().any(|r| template.rules[*r].head_weight.is_some());
            if weighted || (!foreign && template.atom_offset(*pred).is_some()) {
                return None;
            }
            let defaults = &template.defaults;
            let stated = template.stated_activation(*pred).filter(|_| !foreign);
            let combination =
                if foreign { defaults.atom_combination } else { template.atom_combination(*pred) };
            let activation = stated.unwrap_or(&defaults.atom_activation);
            Some(Functions::new(combination.is_identity_of_one(), activation))
        }
        _ => None,
    }
}

/// Whether the rule's neurons are weighted: by an offset, or at any literal whose value enters.
fn is_weighted(rule: &Rule) -> bool {
    let weighted = |l: &Literal| l.is_visible() && l.weight.is_some();
    rule.offset.is_some() || rule.body.iter().any(weighted)
}
