//! Intervals for all values of a program at once.

use super::compile::ValueAt;
use super::program::{Block, Kind, Parameters, Program};
use crate::tensor::functions::interval::{Ends, EndsMut, lower, times_bounds, upper};
use crate::tensor::kernels::columns::columns_forward;
use std::ops::Range;

/// An interval for every number of a program's arena; NaN as an end: the value may be undefined.
#[derive(Debug, Clone)]
pub struct Bounds {
    low: Vec<f64>,
    high: Vec<f64>,
    // Working memory.
    row: (Vec<f64>, Vec<f64>),
    scratch: Vec<f64>,
}

impl Bounds {
    /// Empty intervals for a program.
    pub fn new(program: &Program) -> Self {
        Bounds {
            low: vec![f64::INFINITY; program.arena],
            high: vec![f64::NEG_INFINITY; program.arena],
            row: Default::default(),
            scratch: Vec::new(),
        }
    }

    /// Empties all intervals.
    pub fn clear(&mut self) {
        self.low.fill(f64::INFINITY);
        self.high.fill(f64::NEG_INFINITY);
    }

    /// Widens the intervals of a value so that they hold these numbers.
    pub fn include(&mut self, at: ValueAt, numbers: &[f64]) {
        let start = at.offset as usize;
        self.widen(start..start + at.shape.len(), (numbers, numbers));
    }

    /// The intervals of a value.
    pub fn of(&self, at: ValueAt) -> Ends<'_> {
        (at.of(&self.low), at.of(&self.high))
    }

    fn widen(&mut self, range: Range<usize>, by: Ends<'_>) {
        widen((&mut self.low[range.clone()], &mut self.high[range]), by);
    }

    /// Widens every interval, in order of computation, so that it holds all that its operation can give on the intervals
    /// of what it reads. What has been included before counts for everything above it.
    pub fn propagate(&mut self, program: &Program, parameters: &Parameters<f64>) {
        for leaf in &program.leaves {
            let value = parameters.get(leaf.weight);
            self.widen(leaf.offset..leaf.offset + value.len(), (value, value));
        }
        let base = program.constants_base;
        self.widen(base..base + program.constants.len(), (&program.constants, &program.constants));
        for block in &program.blocks {
            self.block(block, parameters);
        }
    }

    fn block(&mut self, block: &Block, parameters: &Parameters<f64>) {
        let width = block.shape.len();
        let (low, low_above) = self.low.split_at_mut(block.base);
        let (high, high_above) = self.high.split_at_mut(block.base);
        let values: Ends<'_> = (low, high);
        let input = |offset: u32, len: usize| -> Ends<'_> {
            let place = offset as usize..offset as usize + len;
            (&values.0[place.clone()], &values.1[place])
        };
        let (l, h) = &mut self.row;
        l.resize(width, 0.0);
        h.resize(width, 0.0);
        let (l, h) = (&mut l[..width], &mut h[..width]);
        for row in 0..block.rows {
            let y: EndsMut<'_> = (&mut *l, &mut *h);
            match &block.kind {
                Kind::Linear { weight, activation, input: shape, sources, .. } => {
                    let w = parameters.get(*weight);
                    let x = input(sources[row], shape.len());
                    times_bounds((w, w), parameters.shapes[*weight], x, *shape, y);
                    activation.bounds_in_place((&mut *l, &mut *h));
                }
                Kind::Rowwise { weights, weight_shape, activation, input: shape, sources, .. } => {
                    let w = parameters.get(weights[row]);
                    times_bounds((w, w), *weight_shape, input(sources[row], shape.len()), *shape, y);
                    activation.bounds_in_place((&mut *l, &mut *h));
                }
                Kind::Columns { weight, activation, starts, columns, factors } => {
                    // Of weights and constants: a point.
                    let (w, k) = (parameters.get(*weight), parameters.shapes[*weight].cols as usize);
                    columns_forward(w, k, &starts[row..=row + 1], columns, factors, y.0, &mut self.scratch);
                    y.1.copy_from_slice(y.0);
                    activation.bounds_in_place((&mut *l, &mut *h));
                }
                Kind::Combine { combination, activation, inputs, sources } => {
                    let k = inputs.len();
                    let offsets = &sources[row * k..(row + 1) * k];
                    combination.bounds(inputs, block.shape, values, offsets, y, &mut self.scratch);
                    activation.bounds_in_place((&mut *l, &mut *h));
                }
                Kind::Activate { activation, input: shape, sources } => {
                    activation.bounds(*shape, input(sources[row], shape.len()), y);
                }
                Kind::Reduce { aggregation, activation, input: shape, starts, sources, times } => {
                    let segment = starts[row] as usize..starts[row + 1] as usize;
                    let times = (!times.is_empty()).then(|| &times[segment.clone()]);
                    aggregation.bounds(*shape, values, &sources[segment], times, y, &mut self.scratch);
                    activation.bounds_in_place((&mut *l, &mut *h));
                }
            }
            let own = row * width..(row + 1) * width;
            widen((&mut low_above[own.clone()], &mut high_above[own]), (l, h));
        }
    }
}

fn widen(x: EndsMut<'_>, by: Ends<'_>) {
    x.0.iter_mut().zip(by.0).for_each(|(x, &b)| *x = lower(*x, b));
    x.1.iter_mut().zip(by.1).for_each(|(x, &b)| *x = upper(*x, b));
}
