//! What the reference engine does and this one mends, brought back on request so that old results can be reproduced:
//! scalars of 32 bits and `max`/`min` that choose whole vectors (here), pruning that loses functions and the rewriting
//! of queried inner atoms (`graph::prune`).

use super::Template;
use crate::tensor::Shape;
use crate::tensor::functions::{Aggregation, Combination};

/// Whose meaning a template has where this engine mends the reference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub enum Compat {
    /// Ours.
    #[default]
    Off,
    /// The reference engine's.
    NeuraLogic {
        /// Whether its chain pruning is on, as it is by default.
        pruning: bool,
    },
}

impl Compat {
    /// The names of all values.
    pub fn names() -> &'static [&'static str] {
        &["off", "neuralogic", "neuralogic-unpruned"]
    }

    /// By name.
    pub fn parse(name: &str) -> Option<Compat> {
        match name {
            "off" => Some(Compat::Off),
            "neuralogic" => Some(Compat::NeuraLogic { pruning: true }),
            "neuralogic-unpruned" => Some(Compat::NeuraLogic { pruning: false }),
            _ => None,
        }
    }

    /// Whether the reference's meaning is asked for.
    pub fn is_on(self) -> bool {
        self != Compat::Off
    }

    /// Whether chain pruning loses functions.
    pub fn prunes(self) -> bool {
        self == Compat::NeuraLogic { pruning: true }
    }

    /// A written value as it counts: scalars pass through 32 bits, vectors and matrices do not. (`[0.1]` is a scalar
    /// here.) What 32 bits cannot hold stays as it is.
    pub fn written(self, shape: Shape, values: &[f64]) -> Vec<f64> {
        let narrow = |&x: &f64| Some(f64::from(x as f32)).filter(|y| y.is_finite()).unwrap_or(x);
        match (self, shape.is_scalar()) {
            (Compat::Off, _) | (_, false) => values.to_vec(),
            (_, true) => values.iter().map(narrow).collect(),
        }
    }
}

fn by_sum(c: &mut Combination) {
    match c {
        Combination::Max => *c = Combination::MaxSum,
        Combination::Min => *c = Combination::MinSum,
        _ => {}
    }
}

fn all_by_sum(a: &mut Aggregation) {
    match a {
        Aggregation::Max => *a = Aggregation::MaxSum,
        Aggregation::Min => *a = Aggregation::MinSum,
        _ => {}
    }
}

impl Template {
    /// Gives the template the stated meaning. Weights are changed here, other values where they are read.
    pub fn set_compat(&mut self, compat: Compat) {
        self.compat = compat;
        if !compat.is_on() {
            return;
        }
        for weight in self.weights.iter_mut() {
            if let Some(values) = &mut weight.initial {
                *values = compat.written(weight.shape, values);
            }
        }
        by_sum(&mut self.defaults.rule_combination);
        by_sum(&mut self.defaults.atom_combination);
        all_by_sum(&mut self.defaults.aggregation);
        for rule in self.rules.iter_mut() {
            by_sum(&mut rule.combination);
            all_by_sum(&mut rule.aggregation);
        }
        self.predicates.iter_mut().filter_map(|p| p.combination.as_mut()).for_each(by_sum);
    }
}
