//! Blocks, programs, parameters.

use super::fusion::SumChoice;
use super::refill::Recipe;
use crate::base::index::{Id, IndexVec};
use crate::base::span::Span;
use crate::template::{GroupId, Template, WeightId};
use crate::tensor::Shape;
use crate::tensor::functions::{Activation, Aggregation, Combination};
use crate::tensor::real::Real;
use std::ops::Range;

/// What the rows of a block are computed by. Sources are arena offsets of the first element of a value.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `f(W · x)`, one row per distinct source: what every neuron that reads `x` under `W` shares; `f` is computable in
    /// place and its derivative from its output.
    Linear {
        /// The weight.
        weight: WeightId,
        /// What is applied to the product.
        activation: Activation,
        /// Shape of the sources.
        input: Shape,
        /// One source per row.
        sources: Vec<u32>,
        /// False if all sources are constants, whose gradient nobody asks for.
        source_gradient: bool,
    },
    /// `f(W_i · x_i)`, each row under a weight of its own, all of one shape: where every weight has but a few values, as
    /// when each constant has a rule with an embedding.
    Rowwise {
        /// The weight of each row.
        weights: Vec<WeightId>,
        /// Shape of the weights.
        weight_shape: Shape,
        /// What is applied to the products.
        activation: Activation,
        /// Shape of the sources.
        input: Shape,
        /// One source per row.
        sources: Vec<u32>,
        /// False if all sources are constants, whose gradient nobody asks for.
        source_gradient: bool,
    },
    /// `f(W · x)` for constant columns `x` that are mostly zeros: a sum of columns of `W`.
    Columns {
        /// The weight.
        weight: WeightId,
        /// What is applied to the product.
        activation: Activation,
        /// Where the elements of each row begin; one entry more than rows.
        starts: Vec<u32>,
        /// Places of the elements that are not 0.
        columns: Vec<u32>,
        /// These elements.
        factors: Vec<f64>,
    },
    /// `f(comb(x_1, …, x_k))`, `k` sources per row; `f` is computable in place and its derivative from its output.
    Combine {
        /// How the inputs are combined.
        combination: Combination,
        /// What is applied to the result.
        activation: Activation,
        /// Shapes of the `k` inputs.
        inputs: Vec<Shape>,
        /// `k` sources per row.
        sources: Vec<u32>,
    },
    /// `f(x)`, one source per row.
    Activate {
        /// The function.
        activation: Activation,
        /// Shape of the sources.
        input: Shape,
        /// One source per row.
        sources: Vec<u32>,
    },
    /// `f(aggregation of a segment of sources)` per row; `f` is the identity unless the aggregation is a sum or an
    /// average, and then computable in place and its derivative from its output.
    Reduce {
        /// The aggregation.
        aggregation: Aggregation,
        /// What is applied to the result.
        activation: Activation,
        /// Shape of the sources.
        input: Shape,
        /// Where the segment of each row begins; one entry more than rows.
        starts: Vec<u32>,
        /// All segments.
        sources: Vec<u32>,
        /// How often each source counts; empty if each counts once.
        times: Vec<u32>,
    },
}

/// `rows` values of one shape, computed by one operation.
#[derive(Debug, Clone)]
pub struct Block {
    /// Arena offset of the first row.
    pub base: usize,
    /// Number of rows.
    pub rows: usize,
    /// Shape of each row's value.
    pub shape: Shape,
    /// The operation.
    pub kind: Kind,
    /// What it is for.
    pub origin: Origin,
}

/// The part of a template that a block is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Number of the block in the program of all samples, of which this may be an extract.
    pub number: u32,
    /// The literal, head or rule that first asked for it; `None` for soft negations.
    pub span: Option<Span>,
}

impl Block {
    /// Arena range of some rows.
    pub fn range(&self, rows: Range<usize>) -> Range<usize> {
        let width = self.shape.len();
        self.base + rows.start * width..self.base + rows.end * width
    }
    /// The weight that a row reads.
    pub fn weight(&self, row: usize) -> Option<WeightId> {
        match &self.kind {
            Kind::Linear { weight, .. } | Kind::Columns { weight, .. } => Some(*weight),
            Kind::Rowwise { weights, .. } => Some(weights[row]),
            _ => None,
        }
    }
    /// The weights that its rows read.
    pub fn weights(&self) -> &[WeightId] {
        match &self.kind {
            Kind::Linear { weight, .. } | Kind::Columns { weight, .. } => std::slice::from_ref(weight),
            Kind::Rowwise { weights, .. } => weights,
            _ => &[],
        }
    }
    /// The number of elements of a row's source `k`; 0 for a count, which looks at none of them.
    pub fn source_length(&self, k: usize) -> usize {
        match &self.kind {
            Kind::Columns { .. } | Kind::Reduce { aggregation: Aggregation::Count, .. } => 0,
            Kind::Linear { input, .. }
            | Kind::Rowwise { input, .. }
            | Kind::Activate { input, .. }
            | Kind::Reduce { input, .. } => input.len(),
            Kind::Combine { inputs, .. } => inputs[k].len(),
        }
    }
    /// The number of values that all rows read.
    pub fn source_count(&self) -> usize {
        match &self.kind {
            Kind::Linear { sources, .. }
            | Kind::Rowwise { sources, .. }
            | Kind::Activate { sources, .. }
            | Kind::Combine { sources, .. }
            | Kind::Reduce { sources, .. } => sources.len(),
            Kind::Columns { columns, .. } => columns.len(),
        }
    }
    /// The sources that a row reads.
    pub fn row_sources(&self, row: usize) -> &[u32] {
        match &self.kind {
            Kind::Columns { .. } => &[],
            Kind::Linear { sources, .. } | Kind::Rowwise { sources, .. } | Kind::Activate { sources, .. } => {
                &sources[row..row + 1]
            }
            Kind::Combine { inputs, sources, .. } => &sources[row * inputs.len()..(row + 1) * inputs.len()],
            Kind::Reduce { starts, sources, .. } => &sources[starts[row] as usize..starts[row + 1] as usize],
        }
    }
}

/// A weight that stands in the arena as a value: a learnable fact or an offset.
#[derive(Debug, Clone, Copy)]
pub struct Leaf {
    /// The weight.
    pub weight: WeightId,
    /// Where its copy stands.
    pub offset: usize,
    /// Number of its elements.
    pub length: usize,
}

/// Where an answer is read.
#[derive(Debug, Clone, Copy)]
pub struct OutputSlot {
    /// Number of the answer.
    pub answer: u32,
    /// Arena offset.
    pub offset: u32,
    /// Shape.
    pub shape: Shape,
}

/// A compiled graph. The arena begins with the leaves, then the constants, then the blocks in order; a block reads only
/// what stands before it.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Blocks in order of computation.
    pub blocks: Vec<Block>,
    /// Weights that stand in the arena.
    pub leaves: Vec<Leaf>,
    /// Constants, behind the leaves.
    pub constants: Vec<f64>,
    /// Where the constants begin.
    pub constants_base: usize,
    /// Length of the arena.
    pub arena: usize,
    /// Answers.
    pub outputs: Vec<OutputSlot>,
    /// Neurons that only copy their input and so have no row of their own.
    pub copies: usize,
    /// How the constants follow from values that may change; `None` if other values would need another program, or none
    /// was asked for.
    pub recipe: Option<Box<Recipe>>,
    /// Where sums could be computed before or after a weight: what was chosen.
    pub sums: Vec<SumChoice>,
}

impl Program {
    /// Arena offsets below this are leaves or constants.
    pub fn inputs_end(&self) -> usize {
        self.constants_base + self.constants.len()
    }
    /// Reads a number of every block, and the first and the last one of what its rows read. All of them are fetched at once,
    /// as no place that is read depends on another one's content.
    pub fn glance(&self) -> u32 {
        let ends = |list: &[u32]| list.first().copied().unwrap_or(0) ^ list.last().copied().unwrap_or(0);
        let block = |b: &Block| match &b.kind {
            Kind::Linear { sources, .. } | Kind::Combine { sources, .. } | Kind::Activate { sources, .. } => {
                ends(sources)
            }
            Kind::Rowwise { weights, sources, .. } => weights[0].0 ^ ends(sources),
            Kind::Columns { starts, columns, .. } => ends(starts) ^ ends(columns),
            Kind::Reduce { starts, sources, .. } => ends(starts) ^ ends(sources),
        };
        self.blocks.iter().fold(0, |sum, b| sum ^ block(b))
    }
    /// Number of rows of all blocks.
    pub fn row_count(&self) -> usize {
        self.blocks.iter().map(|b| b.rows).sum()
    }
}

/// The values of all weights, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters<T> {
    /// All values.
    pub values: Vec<T>,
    /// Where each weight stands.
    pub ranges: IndexVec<WeightId, Range<usize>>,
    /// Shapes.
    pub shapes: IndexVec<WeightId, Shape>,
    /// Which weights training changes.
    pub learnable: IndexVec<WeightId, bool>,
    /// The group of each weight.
    pub groups: IndexVec<WeightId, Option<GroupId>>,
}

impl<T: Real> Parameters<T> {
    /// Of no weights.
    pub fn none() -> Self {
        Parameters::new(&Template::default())
    }
    /// Room for a template's weights, with the written values and zeros elsewhere.
    pub fn new(template: &Template) -> Self {
        let mut values = Vec::new();
        let (mut ranges, mut shapes, mut learnable) = (IndexVec::new(), IndexVec::new(), IndexVec::new());
        for weight in template.weights.iter() {
            let start = values.len();
            match &weight.initial {
                // The members have the numbers.
                _ if weight.is_family() => {}
                Some(v) => values.extend(v.iter().map(|&x| T::from_f64(x))),
                None => values.resize(start + weight.shape.len(), T::ZERO),
            }
            ranges.push(start..values.len());
            shapes.push(weight.shape);
            learnable.push(weight.learnable);
        }
        let groups = template.weights.ids().map(|w| template.group_of(w)).collect();
        Parameters { values, ranges, shapes, learnable, groups }
    }
    /// The value of a weight, row-major.
    pub fn get(&self, id: WeightId) -> &[T] {
        &self.values[self.ranges[id].clone()]
    }
    /// The value of a weight, to be changed.
    pub fn get_mut(&mut self, id: WeightId) -> &mut [T] {
        &mut self.values[self.ranges[id].clone()]
    }
    /// All weights.
    pub fn ids(&self) -> impl Iterator<Item = WeightId> + use<T> {
        (0..self.ranges.len()).map(WeightId::new)
    }
}
