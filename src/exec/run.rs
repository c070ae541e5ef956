//! Forward and backward passes.

use super::profile::Clock;
use super::program::{Block, Kind, Parameters, Program};
use super::selection::{Segment, Selection};
use crate::base::index::Id;
use crate::template::WeightId;
use crate::tensor::functions::{Aggregation, Combination};
use crate::tensor::kernels;
use crate::tensor::kernels::columns::{columns_backward, columns_forward};
use crate::tensor::kernels::sums::{Mean, Rows, spread_rows, sum_rows};
use crate::tensor::real::Real;

/// The arena of values and of their gradients.
#[derive(Debug, Clone)]
pub struct State<T> {
    /// Values.
    pub values: Vec<T>,
    /// Gradients of the objective with respect to the values.
    pub gradients: Vec<T>,
    /// Measures blocks, if somebody wants to know.
    pub clock: Option<Box<Clock>>,
    scratch: Vec<T>,
}

/// Gradients of the objective with respect to the weights, laid out like [`Parameters`].
#[derive(Debug, Clone)]
pub struct Gradients<T> {
    /// All values.
    pub values: Vec<T>,
}

impl<T: Real> Gradients<T> {
    /// Zeros for some parameters.
    pub fn new(parameters: &Parameters<T>) -> Self {
        Gradients { values: vec![T::ZERO; parameters.values.len()] }
    }
    /// Zeros for some weights.
    pub fn clear(&mut self, parameters: &Parameters<T>, weights: &[WeightId]) {
        for &w in weights {
            self.values[parameters.ranges[w].clone()].fill(T::ZERO);
        }
    }
}

impl<T: Real> State<T> {
    /// Room for a program, with its constants in place.
    pub fn new(program: &Program) -> Self {
        let mut state = State { values: Vec::new(), gradients: Vec::new(), clock: None, scratch: Vec::new() };
        state.load(program);
        state
    }

    /// Makes room for another program and puts its constants in place.
    pub fn load(&mut self, program: &Program) {
        if self.values.len() < program.arena {
            self.values.resize(program.arena, T::ZERO);
            self.gradients.resize(program.arena, T::ZERO);
        }
        for (v, &c) in self.values[program.constants_base..].iter_mut().zip(&program.constants) {
            *v = T::from_f64(c);
        }
    }

    /// Computes the selected rows from the parameters.
    pub fn forward(&mut self, program: &Program, parameters: &Parameters<T>, selection: &Selection) {
        for &l in &selection.leaves {
            let leaf = program.leaves[l as usize];
            let value = parameters.get(leaf.weight);
            self.values[leaf.offset..leaf.offset + value.len()].copy_from_slice(value);
        }
        if let Some(clock) = &mut self.clock {
            clock.rest(false);
        }
        for segment in &selection.segments {
            let block = &program.blocks[segment.block as usize];
            forward_block(block, *segment, parameters, &mut self.values, &mut self.scratch);
            if let Some(clock) = &mut self.clock {
                clock.block(block, *segment, false);
            }
        }
    }

    /// Zeros the gradients of what is selected, before outputs are seeded.
    pub fn clear_gradients(&mut self, program: &Program, parameters: &Parameters<T>, selection: &Selection) {
        for &l in &selection.leaves {
            let leaf = program.leaves[l as usize];
            let n = parameters.ranges[leaf.weight].len();
            self.gradients[leaf.offset..leaf.offset + n].fill(T::ZERO);
        }
        for s in &selection.segments {
            let block = &program.blocks[s.block as usize];
            self.gradients[block.range(s.start as usize..s.end as usize)].fill(T::ZERO);
        }
    }

    /// Brings the gradients seeded at the outputs back to the weights, adding to `gradients`.
    pub fn backward(
        &mut self,
        program: &Program,
        parameters: &Parameters<T>,
        selection: &Selection,
        gradients: &mut Gradients<T>,
    ) {
        if let Some(clock) = &mut self.clock {
            clock.rest(true);
        }
        for segment in selection.segments.iter().rev() {
            let block = &program.blocks[segment.block as usize];
            self.backward_block(block, *segment, parameters, gradients);
            if let Some(clock) = &mut self.clock {
                clock.block(block, *segment, true);
            }
        }
        for &l in &selection.leaves {
            let leaf = program.leaves[l as usize];
            let range = parameters.ranges[leaf.weight].clone();
            let own = &self.gradients[leaf.offset..leaf.offset + range.len()];
            for (g, x) in gradients.values[range].iter_mut().zip(own) {
                *g += *x;
            }
        }
        if let Some(clock) = &mut self.clock {
            clock.rest(true);
        }
    }

    fn backward_block(
        &mut self,
        block: &Block,
        segment: Segment,
        parameters: &Parameters<T>,
        gradients: &mut Gradients<T>,
    ) {
        let rows = segment.start as usize..segment.end as usize;
        let range = block.range(rows.clone());
        let width = block.shape.len();
        let (grads, upper) = self.gradients.split_at_mut(block.base);
        let gy = &mut upper[range.start - block.base..range.end - block.base];
        let (values, y) = self.values.split_at(block.base);
        let y = &y[range.start - block.base..range.end - block.base];
        match &block.kind {
            Kind::Linear { weight, activation, input, sources, source_gradient } => {
                activation.scale_by_derivative(y, gy);
                let gw = &mut gradients.values[parameters.ranges[*weight].clone()];
                kernels::linear_backward(
                    parameters.get(*weight),
                    parameters.shapes[*weight],
                    values,
                    &sources[rows],
                    *input,
                    gy,
                    gw,
                    source_gradient.then_some(grads),
                );
            }
            Kind::Columns { weight, activation, starts, columns, factors } => {
                activation.scale_by_derivative(y, gy);
                let gw = &mut gradients.values[parameters.ranges[*weight].clone()];
                let k = parameters.shapes[*weight].cols as usize;
                columns_backward(k, &starts[rows.start..=rows.end], columns, factors, gy, gw);
            }
            Kind::Combine { combination, activation, inputs, sources } => {
                activation.scale_by_derivative(y, gy);
                let k = inputs.len();
                if *combination == Combination::Sum && inputs.iter().all(|s| *s == block.shape) {
                    let tuples = Rows::Tuples(k, &sources[rows.start * k..rows.end * k]);
                    spread_rows(gy, tuples, Mean::No, width, grads);
                    return;
                }
                for (i, row) in rows.enumerate() {
                    let own = i * width..(i + 1) * width;
                    let offsets = &sources[row * k..(row + 1) * k];
                    let (y, gy) = (&y[own.clone()], &gy[own]);
                    combination.backward(
                        inputs,
                        block.shape,
                        values,
                        offsets,
                        y,
                        gy,
                        grads,
                        &mut self.scratch,
                    );
                }
            }
            Kind::Activate { activation, input, sources } => {
                let n = input.len();
                for (i, row) in rows.enumerate() {
                    let own = i * width..(i + 1) * width;
                    let from = sources[row] as usize..sources[row] as usize + n;
                    let x = &values[from.clone()];
                    activation.backward(*input, x, &y[own.clone()], &gy[own], &mut grads[from]);
                }
            }
            Kind::Reduce { aggregation, activation, input, starts, sources, times } => {
                activation.scale_by_derivative(y, gy);
                if let Some(mean) = mean_of(aggregation) {
                    let segments = Rows::Segments(&starts[rows.start..=rows.end], sources, times);
                    spread_rows(gy, segments, mean, width, grads);
                    return;
                }
                for (i, row) in rows.enumerate() {
                    let own = i * width..(i + 1) * width;
                    let segment = starts[row] as usize..starts[row + 1] as usize;
                    let times = (!times.is_empty()).then(|| &times[segment.clone()]);
                    let offsets = &sources[segment];
                    let (y, gy) = (&y[own.clone()], &gy[own]);
                    aggregation.backward(*input, values, offsets, times, y, gy, grads, &mut self.scratch);
                }
            }
        }
    }
}

/// The aggregations that are sums over rows.
fn mean_of(aggregation: &Aggregation) -> Option<Mean> {
    match aggregation {
        Aggregation::Avg => Some(Mean::Yes),
        Aggregation::Sum => Some(Mean::No),
        _ => None,
    }
}

fn forward_block<T: Real>(
    block: &Block,
    segment: Segment,
    parameters: &Parameters<T>,
    arena: &mut [T],
    scratch: &mut Vec<T>,
) {
    let rows = segment.start as usize..segment.end as usize;
    let range = block.range(rows.clone());
    let width = block.shape.len();
    let (values, upper) = arena.split_at_mut(block.base);
    let y = &mut upper[range.start - block.base..range.end - block.base];
    match &block.kind {
        Kind::Linear { weight, activation, input, sources, .. } => {
            let w = parameters.get(*weight);
            kernels::linear_forward(
                w,
                parameters.shapes[*weight],
                values,
                &sources[rows],
                *input,
                y,
                scratch,
            );
            activation.apply_in_place(y);
        }
        Kind::Columns { weight, activation, starts, columns, factors } => {
            let (w, k) = (parameters.get(*weight), parameters.shapes[*weight].cols as usize);
            columns_forward(w, k, &starts[rows.start..=rows.end], columns, factors, y, scratch);
            activation.apply_in_place(y);
        }
        Kind::Combine { combination, activation, inputs, sources } => {
            let k = inputs.len();
            if *combination == Combination::Sum && inputs.iter().all(|s| *s == block.shape) {
                let tuples = Rows::Tuples(k, &sources[rows.start * k..rows.end * k]);
                sum_rows(values, tuples, Mean::No, width, y);
            } else {
                for (i, row) in rows.enumerate() {
                    let offsets = &sources[row * k..(row + 1) * k];
                    let y = &mut y[i * width..(i + 1) * width];
                    combination.forward(inputs, block.shape, values, offsets, y, scratch);
                }
            }
            activation.apply_in_place(y);
        }
        Kind::Activate { activation, input, sources } => {
            let n = input.len();
            for (i, row) in rows.enumerate() {
                let x = &values[sources[row] as usize..sources[row] as usize + n];
                activation.forward(*input, x, &mut y[i * width..(i + 1) * width]);
            }
        }
        Kind::Reduce { aggregation, activation, input, starts, sources, times } => {
            if let Some(mean) = mean_of(aggregation) {
                let segments = Rows::Segments(&starts[rows.start..=rows.end], sources, times);
                sum_rows(values, segments, mean, width, y);
                activation.apply_in_place(y);
                return;
            }
            for (i, row) in rows.enumerate() {
                let segment = starts[row] as usize..starts[row + 1] as usize;
                let times = (!times.is_empty()).then(|| &times[segment.clone()]);
                let y = &mut y[i * width..(i + 1) * width];
                aggregation.forward(*input, values, &sources[segment], times, y, scratch);
            }
        }
    }
}

/// Largest deviation of analytic gradients from central finite differences of `objective`, over all learnable
/// elements, relative to the larger of 1 and the gradient; with the weight where it occurs.
///
/// `objective` gives the value for some parameters, `gradient` the analytic gradient at the given ones.
pub fn check_gradient(
    parameters: &Parameters<f64>,
    gradient: &[f64],
    objective: &mut dyn FnMut(&Parameters<f64>) -> f64,
) -> Option<(WeightId, f64)> {
    let mut worst = None;
    let mut moved = parameters.clone();
    for id in parameters.ids().filter(|&w| parameters.learnable[w]) {
        for i in parameters.ranges[id].clone() {
            let x = parameters.values[i];
            let h = 1e-6 * x.abs().max(1.0);
            moved.values[i] = x + h;
            let up = objective(&moved);
            moved.values[i] = x - h;
            let down = objective(&moved);
            moved.values[i] = x;
            let numeric = (up - down) / (2.0 * h);
            let deviation = (numeric - gradient[i]).abs() / gradient[i].abs().max(1.0);
            if worst.is_none_or(|(_, d): (_, f64)| deviation > d || deviation.is_nan()) {
                worst = Some((id, deviation));
            }
        }
    }
    debug_assert!(worst.is_none_or(|(w, _)| w.index() < parameters.ranges.len()));
    worst
}
