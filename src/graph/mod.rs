//! Layer 8: neurons: what supports the queries of some worlds, as a structure of arrays, equal ones once.

pub mod build;
pub mod function;
pub mod lift;
pub mod prune;
pub mod quotient;

use crate::base::hash::IndexSet;
use crate::data::{PredId, ValueId};
use crate::template::{RuleId, WeightId};

crate::id! {
    /// A neuron of one graph.
    pub struct NeuronId;
    /// An operation that neurons share.
    pub struct OpId;
}

/// What a neuron computes. Neurons with one operation differ only in their inputs; weights belong to the operation
/// (each input slot of a rule or atom has its weight), so edges carry none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Op {
    /// A constant of the data or template.
    Value(ValueId),
    /// A computed constant, by its bits.
    Number(u64),
    /// A weight as a leaf: a learnable fact, or the member of a family.
    Weight(WeightId),
    /// A value multiplied by the member of a family; the inputs are the member and the value.
    Weighing {
        /// The rule.
        rule: RuleId,
        /// The position of the literal in its body; `None` for its head.
        literal: Option<u32>,
    },
    /// One minus its input.
    Negation,
    /// A grounding of a rule; one input per visible literal, but for the positions in `dropped` (literals that are
    /// the head itself).
    Rule {
        /// The rule.
        rule: RuleId,
        /// Visible literals left out.
        dropped: Vec<u32>,
    },
    /// The groundings of a rule for one head.
    Aggregation(RuleId),
    /// A ground atom; one input per rule that derives it.
    Atom {
        /// The predicate.
        pred: PredId,
        /// The rules, in order.
        rules: Vec<RuleId>,
        /// Read as a query's output: a default activation gives way to what the loss wants.
        output: bool,
    },
}

/// How many neurons support the queries, counted as the reference engine does before any reduction: per world, facts,
/// negations, ground rules, aggregations and atoms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct NeuronCounts {
    /// Facts.
    pub facts: usize,
    /// Soft negations.
    pub negations: usize,
    /// Ground rules.
    pub rules: usize,
    /// Aggregations.
    pub aggregations: usize,
    /// Atoms.
    pub atoms: usize,
    /// Members of families of weights, and values multiplied by them; the reference engine has no families.
    #[serde(skip_serializing_if = "is_none")]
    pub weighed: usize,
    /// Those of all these that only hand on their one input (see [`prune`]); with the reference's chain pruning, those
    /// that it removes.
    pub handing_on: usize,
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

impl NeuronCounts {
    /// All together.
    pub fn total(self) -> usize {
        self.facts + self.negations + self.rules + self.aggregations + self.atoms + self.weighed
    }
    /// Without those that only hand on their input.
    pub fn pruned(self) -> usize {
        self.total() - self.handing_on
    }
    /// Adds another count.
    pub fn add(&mut self, other: NeuronCounts) {
        self.facts += other.facts;
        self.negations += other.negations;
        self.rules += other.rules;
        self.aggregations += other.aggregations;
        self.atoms += other.atoms;
        self.weighed += other.weighed;
        self.handing_on += other.handing_on;
    }
}

/// A query's answer in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// Number of the answer in the session (queries with variables have several).
    pub answer: u32,
    /// The neuron.
    pub neuron: NeuronId,
}

/// Neurons in topological order: every input of a neuron comes before it.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// Distinct operations.
    pub ops: IndexSet<Op>,
    /// Operation of each neuron.
    pub op: Vec<OpId>,
    /// The predicate that each neuron was made for first.
    pub owner: Vec<PredId>,
    /// Where the inputs of each neuron begin in `inputs`; one entry more than neurons.
    pub starts: Vec<u32>,
    /// Inputs of all neurons.
    pub inputs: Vec<NeuronId>,
    /// How often each input counts; empty while each counts once.
    pub times: Vec<u32>,
    /// Answers, in order of worlds.
    pub outputs: Vec<Output>,
    /// Counted as the reference does.
    pub counts: NeuronCounts,
    /// Ground rules left out because they close a cycle, per predicate of the head.
    pub cut: Vec<(PredId, usize)>,
    /// Values given by rules without valued literals that do not count, because a later such rule gives the same atom a
    /// value or an ordinary rule derives it; per rule.
    pub lost: Vec<(RuleId, usize)>,
    /// Rules of grouped normalisations of which a ground rule was left out: what is left would not be normalised.
    pub torn: Vec<RuleId>,
}

impl Graph {
    /// A graph without neurons.
    pub fn new() -> Self {
        Graph { starts: vec![0], ..Graph::default() }
    }
    /// Number of neurons.
    pub fn len(&self) -> usize {
        self.op.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.op.is_empty()
    }
    /// The inputs of a neuron.
    #[inline]
    pub fn inputs(&self, neuron: usize) -> &[NeuronId] {
        &self.inputs[self.starts[neuron] as usize..self.starts[neuron + 1] as usize]
    }
    /// The operation of a neuron.
    #[inline]
    pub fn operation(&self, neuron: usize) -> &Op {
        &self.ops[self.op[neuron].0 as usize]
    }
    /// How often each input of a neuron counts; `None` if each counts once.
    #[inline]
    pub fn times(&self, neuron: usize) -> Option<&[u32]> {
        let range = self.starts[neuron] as usize..self.starts[neuron + 1] as usize;
        (!self.times.is_empty()).then(|| &self.times[range])
    }
    /// The number of an operation.
    pub fn intern(&mut self, op: Op) -> OpId {
        OpId(self.ops.insert_full(op).0 as u32)
    }
    /// Appends a neuron.
    pub fn push_op(
        &mut self,
        op: OpId,
        owner: PredId,
        inputs: &[NeuronId],
        times: Option<&[u32]>,
    ) -> NeuronId {
        let id = NeuronId(u32::try_from(self.op.len()).expect("fewer than 2^32 neurons in a graph"));
        self.op.push(op);
        self.owner.push(owner);
        let several = times.filter(|t| t.iter().any(|&t| t != 1));
        if several.is_some() && self.times.is_empty() {
            self.times.resize(self.inputs.len(), 1);
        }
        self.inputs.extend_from_slice(inputs);
        match several {
            Some(times) => self.times.extend_from_slice(times),
            None if self.times.is_empty() => {}
            None => self.times.resize(self.inputs.len(), 1),
        }
        self.starts.push(u32::try_from(self.inputs.len()).expect("fewer than 2^32 edges in a graph"));
        id
    }

    /// Leaves out neurons that no answer depends on; `None` if there are none, else where each neuron is now.
    pub fn drop_unreached(&mut self) -> Option<Vec<Option<NeuronId>>> {
        let mut reached = vec![false; self.len()];
        for output in &self.outputs {
            reached[output.neuron.0 as usize] = true;
        }
        for n in (0..self.len()).rev() {
            if reached[n] {
                for input in self.starts[n] as usize..self.starts[n + 1] as usize {
                    reached[self.inputs[input].0 as usize] = true;
                }
            }
        }
        if reached.iter().all(|r| *r) {
            return None;
        }
        let old = std::mem::replace(self, Graph::new());
        self.ops = old.ops.clone();
        let mut moved = vec![None; old.len()];
        let place = |moved: &[Option<NeuronId>], n: NeuronId| -> NeuronId {
            moved[n.0 as usize].expect("what a reached neuron reads is reached")
        };
        let mut inputs = Vec::new();
        for n in (0..old.len()).filter(|&n| reached[n]) {
            inputs.clear();
            inputs.extend(old.inputs(n).iter().map(|&i| place(&moved, i)));
            moved[n] = Some(self.push_op(old.op[n], old.owner[n], &inputs, old.times(n)));
        }
        let output = |o: &Output| Output { neuron: place(&moved, o.neuron), ..*o };
        self.outputs = old.outputs.iter().map(output).collect();
        (self.counts, self.cut, self.lost, self.torn) = (old.counts, old.cut, old.lost, old.torn);
        Some(moved)
    }
}
