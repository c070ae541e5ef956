//! Forward and backward passes.

use super::pieces::{apart, rows_of_piece, split};
use super::profile::Clock;
use super::program::{Block, Kind, Parameters, Program};
use super::selection::{Segment, Selection};
use crate::base::index::Id;
use crate::base::range::joined;
use crate::template::WeightId;
use crate::tensor::Shape;
use crate::tensor::functions::{Activation, Aggregation, Combination};
use crate::tensor::kernels;
use crate::tensor::kernels::columns::{columns_backward, columns_forward};
use crate::tensor::kernels::products::{scale_rows, scale_rows_adjoint};
use crate::tensor::kernels::sums::{Mean, Rows, spread_rows, sum_rows};
use crate::tensor::real::Real;
use rayon::prelude::*;
use std::ops::Range;

/// The arena of values and of their gradients.
#[derive(Debug, Clone)]
pub struct State<T> {
    /// Values.
    pub values: Vec<T>,
    /// Gradients of the objective with respect to the values: zeros, but for outputs that were seeded, before a backward
    /// pass, and zeros after it (they are in the cache there: filling took 10 % of a step on 4 million numbers before
    /// it, and takes 4 % here). Only those of constants, which nobody asks for, may be anything.
    pub gradients: Vec<T>,
    /// Measures blocks, if somebody wants to know.
    pub clock: Option<Box<Clock>>,
    scratch: Vec<T>,
    /// Where the constants of the loaded program stand.
    constants: Range<usize>,
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
    /// Zeros for some weights, in ascending order.
    pub fn clear(&mut self, parameters: &Parameters<T>, weights: &[WeightId]) {
        let ranges = weights.iter().map(|&w| parameters.ranges[w].clone());
        joined(ranges).for_each(|range| self.values[range].fill(T::ZERO));
    }
}

impl<T: Real> State<T> {
    /// Room for a program, with its constants in place.
    pub fn new(program: &Program) -> Self {
        let (values, gradients, scratch) = (Vec::new(), Vec::new(), Vec::new());
        let mut state = State { values, gradients, clock: None, scratch, constants: 0..0 };
        state.load(program);
        state
    }

    /// Makes room for another program and puts its constants in place.
    pub fn load(&mut self, program: &Program) {
        self.gradients[self.constants.clone()].fill(T::ZERO);
        self.constants = program.constants_base..program.inputs_end();
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

    /// Whether blocks are large enough for several threads.
    pub fn is_shared(program: &Program, parameters: &Parameters<T>, selection: &Selection) -> bool {
        selection.segments.iter().any(|s| {
            let rows = s.start as usize..s.end as usize;
            rows_of_piece(&program.blocks[s.block as usize], &rows, parameters) < rows.len()
        })
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
            let own = &mut self.gradients[leaf.offset..leaf.offset + range.len()];
            for (g, x) in gradients.values[range].iter_mut().zip(own) {
                *g += std::mem::take(x);
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
        let piece = rows_of_piece(block, &rows, parameters);
        let is_cut = piece < rows.len();
        match &block.kind {
            Kind::Linear { weight, input, sources, source_gradient, .. } => {
                let gw = &mut gradients.values[parameters.ranges[*weight].clone()];
                let weighted = Weighted { block, parameters, values, piece };
                if !is_cut {
                    let grads = source_gradient.then_some((0, grads));
                    weighted.piece(rows, y, gy, gw, grads);
                    return;
                }
                let spans = source_gradient.then(|| apart(&sources[rows.clone()], piece, input.len()));
                match spans {
                    None => {
                        let none = rows.clone().step_by(piece).map(|_| None).collect();
                        weighted.pieces(rows, y, gy, gw, &mut self.scratch, none);
                    }
                    Some(None) => weighted.in_order(rows, y, gy, gw, &mut self.scratch, grads),
                    Some(Some(spans)) => {
                        let grads = split(grads, spans).into_iter().map(Some).collect();
                        weighted.pieces(rows, y, gy, gw, &mut self.scratch, grads);
                    }
                }
                return;
            }
            Kind::Columns { weight, .. } => {
                let gw = &mut gradients.values[parameters.ranges[*weight].clone()];
                let weighted = Weighted { block, parameters, values, piece };
                if is_cut {
                    let none = rows.clone().step_by(piece).map(|_| None).collect();
                    weighted.pieces(rows, y, gy, gw, &mut self.scratch, none);
                } else {
                    weighted.piece(rows, y, gy, gw, None);
                }
                return;
            }
            Kind::Rowwise { weights, weight_shape, activation, input, sources, source_gradient } => {
                activation.scale_by_derivative(y, gy);
                for (gy, row) in gy.chunks_exact(width).zip(rows) {
                    let (id, source) = (weights[row], &sources[row..=row]);
                    let (w, gw) = (parameters.get(id), &mut gradients.values[parameters.ranges[id].clone()]);
                    if input.is_scalar() && !source_gradient {
                        kernels::times_left_adjoint(
                            *weight_shape,
                            &values[source[0] as usize..],
                            *input,
                            gy,
                            gw,
                        );
                        continue;
                    }
                    let grads = source_gradient.then_some(&mut *grads);
                    kernels::linear_backward(w, *weight_shape, values, source, *input, gy, gw, grads);
                }
            }
            Kind::Combine { combination, activation, inputs, sources } => {
                scale(activation, y, gy, is_cut.then_some(piece * width));
                let k = inputs.len();
                if *combination == Combination::Sum && inputs.iter().all(|s| *s == block.shape) {
                    let tuples = Rows::Tuples(k, &sources[rows.start * k..rows.end * k]);
                    spread_rows(gy, tuples, Mean::No, width, grads);
                    gy.fill(T::ZERO);
                    return;
                }
                if let Some(scalar_first) = scales(*combination, inputs) {
                    let pairs = &sources[rows.start * k..rows.end * k];
                    scale_rows_adjoint(values, pairs, scalar_first, width, gy, grads);
                    gy.fill(T::ZERO);
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
                scale(activation, y, gy, is_cut.then_some(piece * width));
                if let Some(mean) = mean_of(aggregation) {
                    let segments = Rows::Segments(&starts[rows.start..=rows.end], sources, times);
                    spread_rows(gy, segments, mean, width, grads);
                    gy.fill(T::ZERO);
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
        gy.fill(T::ZERO);
    }
}

/// gy *= f', of `piece` elements at a time if there is one.
fn scale<T: Real>(activation: &Activation, y: &[T], gy: &mut [T], piece: Option<usize>) {
    match piece {
        _ if activation.is_identity() => {}
        None => activation.scale_by_derivative(y, gy),
        Some(piece) => gy
            .par_chunks_mut(piece)
            .zip(y.par_chunks(piece))
            .for_each(|(gy, y)| activation.scale_by_derivative(y, gy)),
    }
}

/// A block of weighted values in its backward pass.
struct Weighted<'a, T> {
    block: &'a Block,
    parameters: &'a Parameters<T>,
    values: &'a [T],
    /// Rows of a piece.
    piece: usize,
}

impl<T: Real> Weighted<'_, T> {
    /// Some rows: `gw` += the gradient of the weight, and the gradients of what they read, which begin at the offset
    /// beside them, += theirs. `gy` is zero afterwards.
    fn piece(
        &self,
        rows: Range<usize>,
        y: &[T],
        gy: &mut [T],
        gw: &mut [T],
        grads: Option<(usize, &mut [T])>,
    ) {
        let parameters = self.parameters;
        match &self.block.kind {
            Kind::Linear { weight, activation, input, sources, .. } => {
                activation.scale_by_derivative(y, gy);
                let (w, shape) = (parameters.get(*weight), parameters.shapes[*weight]);
                let sources = &sources[rows];
                match grads {
                    Some((first, grads)) if first > 0 => {
                        let values = &self.values[first..];
                        let sources: Vec<u32> = sources.iter().map(|s| s - first as u32).collect();
                        kernels::linear_backward(w, shape, values, &sources, *input, gy, gw, Some(grads));
                    }
                    grads => {
                        let grads = grads.map(|(_, grads)| grads);
                        kernels::linear_backward(w, shape, self.values, sources, *input, gy, gw, grads);
                    }
                }
            }
            Kind::Columns { weight, activation, starts, columns, factors } => {
                activation.scale_by_derivative(y, gy);
                let k = parameters.shapes[*weight].cols as usize;
                columns_backward(k, &starts[rows.start..=rows.end], columns, factors, gy, gw);
            }
            _ => unreachable!("only weighted values"),
        }
        gy.fill(T::ZERO);
    }

    /// All pieces side by side, with the gradients that each writes.
    fn pieces(
        &self,
        rows: Range<usize>,
        y: &[T],
        gy: &mut [T],
        gw: &mut [T],
        sums: &mut Vec<T>,
        grads: Vec<Option<(usize, &mut [T])>>,
    ) {
        sums.clear();
        sums.resize(grads.len() * gw.len(), T::ZERO);
        let elements = self.piece * self.block.shape.len();
        gy.par_chunks_mut(elements)
            .zip(y.par_chunks(elements))
            .zip(sums.par_chunks_mut(gw.len()))
            .zip(grads)
            .enumerate()
            .for_each(|(i, (((gy, y), sum), grads))| self.piece(self.rows(&rows, i), y, gy, sum, grads));
        add_up(sums, gw);
    }

    /// The same one after the other, where all write to the same gradients.
    fn in_order(
        &self,
        rows: Range<usize>,
        y: &[T],
        gy: &mut [T],
        gw: &mut [T],
        sums: &mut Vec<T>,
        grads: &mut [T],
    ) {
        sums.clear();
        sums.resize(rows.len().div_ceil(self.piece) * gw.len(), T::ZERO);
        let elements = self.piece * self.block.shape.len();
        let all = gy.chunks_mut(elements).zip(y.chunks(elements)).zip(sums.chunks_exact_mut(gw.len()));
        for (i, ((gy, y), sum)) in all.enumerate() {
            self.piece(self.rows(&rows, i), y, gy, sum, Some((0, &mut *grads)));
        }
        add_up(sums, gw);
    }

    /// The rows of a piece.
    fn rows(&self, rows: &Range<usize>, piece: usize) -> Range<usize> {
        let start = rows.start + piece * self.piece;
        start..(start + self.piece).min(rows.end)
    }
}

/// gw += the sums of all pieces, in their order.
fn add_up<T: Real>(sums: &[T], gw: &mut [T]) {
    for sum in sums.chunks_exact(gw.len()) {
        gw.iter_mut().zip(sum).for_each(|(g, &s)| *g += s);
    }
}

/// Of the product of a scalar and another value: whether the scalar stands first.
fn scales(combination: Combination, inputs: &[Shape]) -> Option<bool> {
    match inputs {
        [a, b] if combination == Combination::Product && (a.is_scalar() || b.is_scalar()) => {
            Some(a.is_scalar())
        }
        _ => None,
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
    let (values, upper) = arena.split_at_mut(block.base);
    let values = &*values;
    let y = &mut upper[range.start - block.base..range.end - block.base];
    let piece = rows_of_piece(block, &rows, parameters);
    if piece >= rows.len() {
        forward_rows(block, rows, parameters, values, y, scratch);
        return;
    }
    y.par_chunks_mut(piece * block.shape.len()).enumerate().for_each_init(Vec::new, |scratch, (i, y)| {
        let start = rows.start + i * piece;
        forward_rows(block, start..(start + piece).min(rows.end), parameters, values, y, scratch);
    });
}

/// Some rows of a block.
pub(super) fn forward_rows<T: Real>(
    block: &Block,
    rows: Range<usize>,
    parameters: &Parameters<T>,
    values: &[T],
    y: &mut [T],
    scratch: &mut Vec<T>,
) {
    let width = block.shape.len();
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
        Kind::Rowwise { weights, weight_shape, activation, input, sources, .. } => {
            for (y, row) in y.chunks_exact_mut(width).zip(rows) {
                let (w, source) = (parameters.get(weights[row]), &sources[row..=row]);
                if input.is_scalar() {
                    kernels::times(w, *weight_shape, &values[source[0] as usize..], *input, y);
                } else {
                    kernels::linear_forward(w, *weight_shape, values, source, *input, y, scratch);
                }
            }
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
            } else if let Some(scalar_first) = scales(*combination, inputs) {
                let pairs = &sources[rows.start * k..rows.end * k];
                scale_rows(values, pairs, scalar_first, width, y);
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
                let y = &mut y[i * width..(i + 1) * width];
                // Functions of elements are applied to all rows at once.
                match activation.is_elementwise() {
                    true => y.copy_from_slice(x),
                    false => activation.forward(*input, x, y),
                }
            }
            if activation.is_elementwise() {
                activation.map_in_place(y);
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
