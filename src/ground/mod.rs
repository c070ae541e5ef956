//! Layer 7: from rules and facts to ground rule instances, one world at a time.
//!
//! Evaluation is semi-naive and stratified: components of the predicate dependency graph in topological order, inside a
//! component in rounds of which each reads what the last one brought. Every grounding is met exactly once, and
//! recorded as it is met.

pub mod demand;
pub mod evaluate;
pub mod fragment;
pub mod refine;
pub mod relation;
pub mod semiring;
mod set;

use crate::base::index::IndexVec;
use crate::data::{FactValue, PredId};
use crate::template::{RuleId, TemplateValue};
use relation::Relation;

pub use evaluate::{Grounder, Overflow};

/// What a fact is worth, wherever it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FactSource {
    /// A fact of the data.
    Data(FactValue),
    /// A fact of the template.
    Template(TemplateValue),
    /// The result of a valued special predicate.
    Number(f64),
}

/// The groundings of one rule in one world, `1 + recorded literals` words each: the row of the head, then the row of
/// each visible literal in its own relation, then the row of each literal that picks the member of a family of weights.
#[derive(Debug, Clone, Default)]
pub struct Instances {
    /// Words per instance.
    pub stride: usize,
    /// All words.
    pub words: Vec<u32>,
}

impl Instances {
    /// Number of instances.
    pub fn len(&self) -> usize {
        self.words.len() / self.stride.max(1)
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
    /// The row of the head.
    #[inline]
    pub fn head(&self, i: usize) -> u32 {
        self.words[i * self.stride]
    }
    /// The rows of the visible literals, then of those that pick members of families.
    #[inline]
    pub fn body(&self, i: usize) -> &[u32] {
        &self.words[i * self.stride + 1..(i + 1) * self.stride]
    }
}

/// Bytes of a ground program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GroundBytes {
    /// Rows of all relations, with their sets and indexes.
    pub relations: usize,
    /// Values of facts.
    pub facts: usize,
    /// Records of ground rules.
    pub instances: usize,
    /// Sets of the ground rules of rules whose substitutions may agree in all that is recorded.
    pub seen: usize,
}

impl GroundBytes {
    /// All together.
    pub fn total(self) -> usize {
        self.relations + self.facts + self.instances + self.seen
    }
}

/// Everything that holds in one world, with the ground rules by which it holds.
#[derive(Debug, Default)]
pub struct GroundProgram {
    /// Rows per predicate.
    pub relations: IndexVec<PredId, Relation>,
    /// Value of each row that is a fact; facts are the first rows of their relation.
    pub facts: IndexVec<PredId, Vec<FactSource>>,
    /// Groundings per rule.
    pub instances: IndexVec<RuleId, Instances>,
}

impl GroundProgram {
    /// Number of ground rules.
    pub fn instance_count(&self) -> usize {
        self.instances.iter().map(Instances::len).sum()
    }
    /// Bytes that are held, room for growth included.
    pub fn bytes(&self) -> GroundBytes {
        GroundBytes {
            relations: self.relations.iter().map(Relation::bytes).sum(),
            facts: self.facts.iter().map(|f| f.capacity() * size_of::<FactSource>()).sum(),
            instances: self.instances.iter().map(|i| i.words.capacity() * size_of::<u32>()).sum(),
            seen: 0,
        }
    }
    /// The fact value of a row, if it is a fact.
    pub fn fact(&self, pred: PredId, row: u32) -> Option<FactSource> {
        self.facts[pred].get(row as usize).copied()
    }
}
