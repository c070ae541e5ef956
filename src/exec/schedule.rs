//! In which order neurons are computed: few, large blocks.

use crate::base::components::components;
use crate::graph::Graph;

/// An order of computation.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The neurons by level, then by operation, then in the order in which they are read first.
    pub order: Vec<u32>,
    /// The level of each neuron: greater than those of its inputs, 0 for leaves.
    pub level: Vec<u32>,
}

/// Schedules a graph.
///
/// Neurons of one operation are computed together if they can be: an operation waits until all that its neurons read is
/// computed. (Had every neuron the smallest level that it can have, an operation would be torn into as many blocks as
/// there are ways of different length to its neurons, which lifting makes many: an aggregation of one value is no step.
/// A network of five layers over 3000 molecules has 3 times fewer blocks this way.) Operations that depend on each
/// other, in a recursion, go through their levels together.
pub fn schedule(graph: &Graph) -> Schedule {
    let ops = graph.ops.len();
    let mut reads: Vec<Vec<usize>> = vec![Vec::new(); ops];
    for n in 0..graph.len() {
        let own = &mut reads[graph.op[n].0 as usize];
        for input in graph.inputs(n) {
            let op = graph.op[input.0 as usize].0 as usize;
            // Inputs mostly come in runs of one operation.
            if own.last() != Some(&op) {
                own.push(op);
            }
        }
        // Bounded by the number of operations, not of edges.
        if own.len() > 2 * ops + 16 {
            own.sort_unstable();
            own.dedup();
        }
    }
    for own in &mut reads {
        own.sort_unstable();
        own.dedup();
    }
    let found = components(ops, &|op| reads[op].clone());
    let mut component = vec![0u32; ops];
    for (number, members) in found.iter().enumerate() {
        for &op in members {
            component[op] = number as u32;
        }
    }
    let of = |n: u32| component[graph.op[n as usize].0 as usize];
    let by_component = counted((0..graph.len() as u32).collect(), of, found.len());
    let mut level = vec![0u32; graph.len()];
    for neurons in by_component.chunk_by(|a, b| of(*a) == of(*b)) {
        let own = of(neurons[0]);
        let outside = neurons.iter().flat_map(|&n| graph.inputs(n as usize)).filter(|i| of(i.0) != own);
        let base = outside.map(|i| level[i.0 as usize] + 1).max().unwrap_or(0);
        for &n in neurons {
            let inside = graph.inputs(n as usize).iter().filter(|i| of(i.0) == own);
            level[n as usize] = inside.map(|i| level[i.0 as usize] + 1).max().unwrap_or(0).max(base);
        }
    }
    let levels = level.iter().max().map_or(0, |&l| l as usize + 1);
    let by_op = counted(as_read(graph, &level, levels), |n| graph.op[n as usize].0, ops);
    let order = counted(by_op, |n| level[n as usize], levels);
    Schedule { order, level }
}

/// The neurons of each level in the order in which those of higher levels read them, beginning at the outputs.
///
/// What one sum or one answer needs so comes to lie side by side. (In the order of the graph, which is that of facts,
/// what one query of the knowledge base kinships needs lay in 107 places, and a step on a query took twice as long.)
fn as_read(graph: &Graph, level: &[u32], levels: usize) -> Vec<u32> {
    let mut seen = vec![false; graph.len()];
    let mut by_level: Vec<Vec<u32>> = vec![Vec::new(); levels];
    let mut visit = |n: u32, by_level: &mut Vec<Vec<u32>>| {
        if !std::mem::replace(&mut seen[n as usize], true) {
            by_level[level[n as usize] as usize].push(n);
        }
    };
    graph.outputs.iter().for_each(|output| visit(output.neuron.0, &mut by_level));
    for l in (0..levels).rev() {
        let neurons = std::mem::take(&mut by_level[l]);
        for &n in &neurons {
            graph.inputs(n as usize).iter().for_each(|input| visit(input.0, &mut by_level));
        }
        by_level[l] = neurons;
    }
    // What no answer reads, if there is any.
    (0..graph.len() as u32).for_each(|n| visit(n, &mut by_level));
    by_level.concat()
}

/// Numbers sorted by a key below `keys`, stable.
fn counted(numbers: Vec<u32>, key: impl Fn(u32) -> u32, keys: usize) -> Vec<u32> {
    let mut starts = vec![0u32; keys + 1];
    for &x in &numbers {
        starts[key(x) as usize + 1] += 1;
    }
    for i in 0..keys {
        starts[i + 1] += starts[i];
    }
    let mut out = vec![0u32; numbers.len()];
    for &x in &numbers {
        let slot = &mut starts[key(x) as usize];
        out[*slot as usize] = x;
        *slot += 1;
    }
    out
}
