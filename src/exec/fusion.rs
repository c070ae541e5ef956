//! Which aggregations are computed together with what reads them.
//!
//! A sum or an average commutes with a matrix: `W·Σ x_i = Σ W·x_i`. Where every reader of an aggregation multiplies it
//! by one weight, either side may be computed; the cheaper one is. And what an atom does with its one input (an
//! activation, mostly) is done to the sum in place.

use crate::graph::{Graph, Op, OpId};
use crate::template::{RuleId, Template, WeightId};
use crate::tensor::Shape;
use crate::tensor::functions::Aggregation;

/// The one place where a neuron is read, by one neuron or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reader {
    /// The operation that reads it.
    pub op: OpId,
    /// In which input.
    pub slot: u32,
}

/// Who reads sums and averages.
pub struct Readers {
    /// The one reader of each; `None` for neurons of another kind, those that are read in several ways or by an
    /// aggregation, and answers.
    pub only: Vec<Option<Reader>>,
    /// Whether it reads it in one neuron only.
    pub once: Vec<bool>,
}

impl Readers {
    /// Of nothing: for graphs whose every neuron is to have a value.
    pub fn none(graph: &Graph) -> Readers {
        Readers { only: vec![None; graph.len()], once: vec![false; graph.len()] }
    }
}

/// Who reads the sums and averages of a graph.
pub fn only_readers(graph: &Graph, template: &Template) -> Readers {
    #[derive(Clone, Copy)]
    enum Seen {
        Nothing,
        One(Reader),
        Other,
    }
    let linear: Vec<bool> = graph
        .ops
        .iter()
        .map(|op| match op {
            Op::Aggregation(rule) => {
                matches!(template.rules[*rule].aggregation, Aggregation::Sum | Aggregation::Avg)
            }
            _ => false,
        })
        .collect();
    let start = |op: &OpId| if linear[op.0 as usize] { Seen::Nothing } else { Seen::Other };
    let mut seen: Vec<Seen> = graph.op.iter().map(start).collect();
    let mut once = vec![true; graph.len()];
    for n in 0..graph.len() {
        let op = graph.op[n];
        let aggregates = matches!(graph.ops[op.0 as usize], Op::Aggregation(_));
        for (slot, input) in graph.inputs(n).iter().enumerate() {
            let seen = &mut seen[input.0 as usize];
            let reader = Reader { op, slot: slot as u32 };
            *seen = match *seen {
                Seen::Nothing if !aggregates => Seen::One(reader),
                Seen::One(other) if other == reader => {
                    once[input.0 as usize] = false;
                    Seen::One(reader)
                }
                _ => Seen::Other,
            };
        }
    }
    for output in &graph.outputs {
        seen[output.neuron.0 as usize] = Seen::Other;
    }
    let reader = |seen: Seen| match seen {
        Seen::One(reader) => Some(reader),
        Seen::Nothing | Seen::Other => None,
    };
    Readers { only: seen.into_iter().map(reader).collect(), once }
}

/// Sizes of some aggregations under one weight.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// The weight.
    pub weight: Shape,
    /// The values that are added up.
    pub value: Shape,
    /// Multiplications of all distinct values by the weight, with their adjoints.
    pub products: usize,
    /// Aggregations.
    pub sums: usize,
    /// Values in all sums.
    pub summands: usize,
}

impl Cost {
    /// Multiplications of a product of dense values: forward, and for the weight's and the value's gradient.
    pub fn of_product(weight: Shape, value: Shape) -> usize {
        3 * weight.len() * value.cols as usize
    }

    /// Operations if values are multiplied before they are added up; `None` where that is never done: by a scalar, or
    /// of one.
    pub fn before(&self) -> Option<usize> {
        let product = self.weight.times(self.value)?;
        let scales = self.weight.is_scalar() || self.value.is_scalar();
        (!scales).then(|| self.products + 2 * self.summands * product.len())
    }

    /// Operations if sums are multiplied.
    pub fn after(&self) -> usize {
        self.sums * Cost::of_product(self.weight, self.value) + 2 * self.summands * self.value.len()
    }

    /// Whether values are multiplied before they are added up: there may be fewer distinct values than sums (under
    /// lifting there mostly are), or they are longer than their products.
    pub fn weight_first(&self) -> bool {
        self.before().is_some_and(|before| before < self.after())
    }
}

/// What was chosen for the sums of a rule under one weight, and why; over all its levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SumChoice {
    /// The rule whose groundings are added up.
    pub rule: RuleId,
    /// The weight.
    pub weight: WeightId,
    /// Whether values are multiplied, not sums.
    pub weight_first: bool,
    /// How many sums.
    pub sums: usize,
    /// Values in all sums.
    pub summands: usize,
    /// Operations with the weight before the sum, see [`Cost::before`]; `None` where that is never done.
    pub before: Option<usize>,
    /// Operations with the weight after the sum.
    pub after: usize,
}

impl SumChoice {
    /// Adds the choice of another level of the same rule, if it is the same.
    pub fn joined(&mut self, other: SumChoice) -> bool {
        let key = |c: &SumChoice| (c.rule, c.weight, c.weight_first, c.before.is_some());
        let same = key(self) == key(&other);
        if same {
            self.sums += other.sums;
            self.summands += other.summands;
            self.before = self.before.zip(other.before).map(|(a, b)| a + b);
            self.after += other.after;
        }
        same
    }
}
