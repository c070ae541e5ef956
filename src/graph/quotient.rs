//! The quotient of a graph by a partition of its neurons: every class becomes its representative.

use super::function::map_of;
use super::lift::{Lifter, Scope};
use super::{Graph, NeuronId, Op, OpId, Output};
use crate::data::Database;
use crate::template::{Template, WeightId};

/// A graph in which each class of neurons of another graph is one neuron.
#[derive(Debug, Clone)]
pub struct Quotient {
    /// The smaller graph.
    pub graph: Graph,
    /// Its neuron for each neuron of the larger graph; `None` where no answer depends on the class any more.
    pub moved: Vec<Option<NeuronId>>,
}

/// Replaces every neuron by the representative of its class, the first of its members: `representative[n] ≤ n`, and a
/// representative represents itself.
///
/// Only representatives that an answer still depends on are made, in their order and through a [`Lifter`], so inputs
/// that have become equal count several times, or once where the function sees a set. `groups` says which neurons may
/// be compared (see [`groups`]): neurons of one group stand side by side.
pub fn quotient(
    graph: &Graph,
    representative: &[NeuronId],
    groups: &[u32],
    template: &Template,
    database: &Database,
) -> Quotient {
    let stands = |n: NeuronId| representative[n.0 as usize];
    let mut reached = vec![false; graph.len()];
    for output in &graph.outputs {
        reached[stands(output.neuron).0 as usize] = true;
    }
    for n in (0..graph.len()).rev().filter(|&n| stands(NeuronId(n as u32)).0 as usize == n) {
        if reached[n] {
            graph.inputs(n).iter().for_each(|&i| reached[stands(i).0 as usize] = true);
        }
    }
    let mut lifter = Lifter::new(template, database, Scope::Sample);
    let mut small = Graph::new();
    let mut ops: Vec<Option<OpId>> = vec![None; graph.ops.len()];
    let mut moved: Vec<Option<NeuronId>> = vec![None; graph.len()];
    let mut inputs = Vec::new();
    let mut group = None;
    for n in 0..graph.len() {
        let own = stands(NeuronId(n as u32)).0 as usize;
        if own != n {
            moved[n] = moved[own];
            continue;
        }
        if !reached[n] {
            continue;
        }
        if group.is_some_and(|g| g != groups[n]) {
            lifter.next_world(&small);
        }
        group = Some(groups[n]);
        inputs.clear();
        let made = |i: &NeuronId| moved[i.0 as usize].expect("what a reached neuron reads is reached");
        inputs.extend(graph.inputs(n).iter().map(made));
        let op = graph.op[n];
        let op = *ops[op.0 as usize].get_or_insert_with(|| small.intern(graph.ops[op.0 as usize].clone()));
        moved[n] = Some(lifter.push_counted(&mut small, graph.owner[n], op, &inputs, graph.times(n)));
    }
    let output = |o: &Output| Output {
        neuron: moved[o.neuron.0 as usize].expect("outputs are reached"),
        answer: o.answer,
    };
    small.outputs = graph.outputs.iter().map(output).collect();
    small.counts = graph.counts;
    // A count of neurons has become a number, a product has lost its factor 1: what they read may be idle.
    if let Some(again) = small.drop_unreached() {
        moved.iter_mut().for_each(|m| *m = m.and_then(|n| again[n.0 as usize]));
    }
    Quotient { graph: small, moved }
}

/// The group of each neuron: that of the outputs which depend on it, given by `group_of`. Outputs of different groups
/// must share no neuron, as those of different worlds do not under `Scope::Sample`.
pub fn groups(graph: &Graph, group_of: impl Fn(&Output) -> u32) -> Vec<u32> {
    let mut groups = vec![0; graph.len()];
    for output in &graph.outputs {
        groups[output.neuron.0 as usize] = group_of(output);
    }
    for n in (0..graph.len()).rev() {
        for i in graph.inputs(n) {
            groups[i.0 as usize] = groups[n];
        }
    }
    groups
}

/// Which neurons have values that depend on a learnable weight.
pub fn learned(graph: &Graph, template: &Template) -> Vec<bool> {
    let learnable = |w: Option<WeightId>| w.is_some_and(|w| template.weights[w].learnable);
    let direct: Vec<bool> = graph
        .ops
        .iter()
        .map(|op| match op {
            Op::Weight(w) => learnable(Some(*w)),
            _ => map_of(template, op)
                .is_some_and(|map| learnable(map.offset) || map.slots.iter().any(|s| learnable(s.weight))),
        })
        .collect();
    let mut out: Vec<bool> = Vec::with_capacity(graph.len());
    for n in 0..graph.len() {
        let through = graph.inputs(n).iter().any(|i| out[i.0 as usize]);
        out.push(direct[graph.op[n].0 as usize] || through);
    }
    out
}
