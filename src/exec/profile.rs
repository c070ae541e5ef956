//! What the blocks of a program cost: counted work and measured time.
//!
//! A [`Clock`] is read at the ends of blocks, never inside them, and only where a profile was asked for. What a block
//! had to do follows from its shapes and from how many rows and sources passed, see [`work`].

use super::program::{Block, Kind};
use super::selection::Segment;
use crate::tensor::Shape;
use crate::tensor::functions::{Activation, Aggregation, Combination};
use std::time::Instant;

/// What rows are computed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The values of a training step.
    Forward,
    /// Its gradients.
    Backward,
    /// Values for an evaluation or for the answers.
    Evaluation,
}

impl Pass {
    /// All of them, in the order of their numbers.
    pub const ALL: [Pass; 3] = [Pass::Forward, Pass::Backward, Pass::Evaluation];
}

/// What passed through a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lap {
    /// How often it was run.
    pub calls: u64,
    /// Rows.
    pub rows: u64,
    /// Values that these rows read.
    pub sources: u64,
    /// Nanoseconds.
    pub nanos: u64,
}

impl Lap {
    /// Adds another.
    pub fn add(&mut self, other: Lap) {
        self.calls += other.calls;
        self.rows += other.rows;
        self.sources += other.sources;
        self.nanos += other.nanos;
    }
}

/// Shares out the time between its readings to the blocks of a program, on the thread that walks them.
#[derive(Debug, Clone)]
pub struct Clock {
    evaluates: bool,
    last: Instant,
    /// How often it was read.
    pub readings: u64,
    /// By number of the block in the whole program, and pass.
    pub blocks: Vec<[Lap; 3]>,
    /// Nanoseconds of each pass outside of blocks: placing weights and constants, clearing gradients, losses.
    pub rest: [u64; 3],
}

impl Clock {
    /// A clock for a program of so many blocks.
    pub fn new(blocks: usize) -> Clock {
        let laps = vec![[Lap::default(); 3]; blocks];
        Clock { evaluates: false, last: Instant::now(), readings: 0, blocks: laps, rest: [0; 3] }
    }

    fn lap(&mut self) -> u64 {
        let now = Instant::now();
        let nanos = (now - self.last).as_nanos() as u64;
        (self.last, self.readings) = (now, self.readings + 1);
        nanos
    }

    fn forward(&self) -> usize {
        (if self.evaluates { Pass::Evaluation } else { Pass::Forward }) as usize
    }

    /// Begins to measure; whether what follows is an evaluation.
    pub fn start(&mut self, evaluates: bool) {
        self.evaluates = evaluates;
        self.lap();
    }

    /// What ends now was no block.
    pub fn rest(&mut self, backward: bool) {
        let pass = if backward { Pass::Backward as usize } else { self.forward() };
        self.rest[pass] += self.lap();
    }

    /// What ends now were rows of a block.
    pub fn block(&mut self, block: &Block, segment: Segment, backward: bool) {
        let pass = if backward { Pass::Backward as usize } else { self.forward() };
        let nanos = self.lap();
        let rows = segment.start as usize..segment.end as usize;
        let sources = match &block.kind {
            Kind::Columns { starts, .. } | Kind::Reduce { starts, .. } => {
                u64::from(starts[rows.end] - starts[rows.start])
            }
            Kind::Combine { inputs, .. } => (rows.len() * inputs.len()) as u64,
            Kind::Linear { .. } | Kind::Rowwise { .. } | Kind::Activate { .. } => rows.len() as u64,
        };
        let lap = Lap { calls: 1, rows: rows.len() as u64, sources, nanos };
        self.blocks[block.origin.number as usize][pass].add(lap);
    }

    /// Adds what another clock of the same program measured.
    pub fn add(&mut self, other: &Clock) {
        self.readings += other.readings;
        for (own, other) in self.blocks.iter_mut().zip(&other.blocks) {
            own.iter_mut().zip(other).for_each(|(own, other)| own.add(*other));
        }
        self.rest.iter_mut().zip(other.rest).for_each(|(own, other)| *own += other);
    }

    /// Nanoseconds that one reading takes: the least mean of some series of readings, so that an interruption of the
    /// process does not count.
    pub fn cost() -> f64 {
        let series = |_| {
            let mut clock = Clock::new(0);
            let start = Instant::now();
            (0..1000).for_each(|_| clock.rest(false));
            start.elapsed().as_nanos() as f64 / 1000.0
        };
        (0..20).map(series).fold(f64::INFINITY, f64::min)
    }
}

/// Work that does not depend on how it is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Additions, multiplications, divisions and comparisons of elements.
    pub flops: u64,
    /// Elements that a transcendental function is computed of (`tanh`, `exp`, a root, …).
    pub functions: u64,
    /// Bytes that must be read or written once: elements of values, gradients and weights, offsets, constants of
    /// columns. Those of a weight count once for every run of a block, however many rows it has.
    pub bytes: u64,
}

impl Work {
    /// Adds some more.
    pub fn add(&mut self, other: Work) {
        self.flops += other.flops;
        self.functions += other.functions;
        self.bytes += other.bytes;
    }
}

/// Bytes of an offset.
const OFFSET: u64 = 4;

/// Whether an element costs more than a few additions.
fn is_transcendental(f: &Activation) -> bool {
    use Activation as A;
    !matches!(
        f,
        A::Identity
            | A::Relu
            | A::LeakyRelu(_)
            | A::HardTanh
            | A::Lukasiewicz
            | A::Signum
            | A::Inverse
            | A::Square
            | A::Abs
            | A::Clip(..)
            | A::Reverse
            | A::Transpose
            | A::Slice(..)
            | A::Reshape(_)
    )
}

/// Operations on `elements` that a function is applied to; backward, those of the product with its derivative, which
/// is computed from what is there already.
fn applied(f: &Activation, elements: u64, backward: bool, work: &mut Work) {
    match (f.is_identity(), backward) {
        (true, _) => {}
        (false, true) => work.flops += 2 * elements,
        (false, false) if is_transcendental(f) => work.functions += elements,
        (false, false) => work.flops += elements,
    }
}

/// Additions and multiplications of a product of two values.
fn product(a: Shape, b: Shape) -> u64 {
    match a.times(b) {
        Some(y) if a.is_scalar() || b.is_scalar() => y.len() as u64,
        Some(y) => 2 * y.len() as u64 * u64::from(a.cols),
        None => 0,
    }
}

/// Additions and multiplications of one row of a combination.
fn combined(combination: &Combination, inputs: &[Shape], width: u64) -> u64 {
    let elements: u64 = inputs.iter().map(|s| s.len() as u64).sum();
    match combination {
        Combination::Product => {
            let step = |(flops, left): (u64, Shape), s: &Shape| {
                (flops + product(left, *s), left.times(*s).unwrap_or(left))
            };
            inputs[1..].iter().fold((0, inputs[0]), step).0
        }
        Combination::Concat | Combination::Stack | Combination::Count => 0,
        Combination::CrossSum => width * inputs.len() as u64,
        Combination::CosSim => 3 * elements,
        Combination::Softmax | Combination::Sparsemax => 3 * elements,
        _ => elements - width.min(elements),
    }
}

/// What a block had to do in a pass. `element` is the size of an element in bytes.
///
/// A product of an `r × k` weight and a column costs 2·r·k; its adjoint twice that, or once where nobody asks for the
/// gradient of the value. A sum of n values costs n additions, its adjoint as many. Aggregations and combinations that
/// are no sums or products are counted by what they look at.
pub fn work(block: &Block, weight: Option<Shape>, pass: Pass, lap: Lap, element: u64) -> Work {
    let backward = pass == Pass::Backward;
    let Lap { calls, rows, sources, .. } = lap;
    let width = block.shape.len() as u64;
    let outputs = rows * width;
    let mut w = Work::default();
    // Forward a row is written; backward its gradient is read and, if a function stands on top, scaled by what the
    // value says.
    let own = |f: &Activation| outputs * element * if backward && !f.is_identity() { 3 } else { 1 };
    match &block.kind {
        Kind::Linear { activation, input, source_gradient, .. } => {
            let shape = weight.unwrap_or(Shape::SCALAR);
            let once = product(shape, *input);
            let (x, gx) = (input.len() as u64, u64::from(*source_gradient));
            w.flops = rows * once * if backward { 1 + gx } else { 1 };
            w.bytes = own(activation) + rows * OFFSET + calls * shape.len() as u64 * element;
            w.bytes += rows * x * element;
            if backward {
                w.bytes += (rows * 2 * x * gx + calls * 2 * shape.len() as u64) * element;
            }
            applied(activation, outputs, backward, &mut w);
        }
        Kind::Rowwise { weight_shape, activation, input, source_gradient, .. } => {
            let once = product(*weight_shape, *input);
            let (x, gx) = (input.len() as u64, u64::from(*source_gradient));
            let weights = rows * weight_shape.len() as u64;
            w.flops = rows * once * if backward { 1 + gx } else { 1 };
            w.bytes = own(activation) + 2 * rows * OFFSET + (weights + rows * x) * element;
            if backward {
                w.bytes += 2 * (rows * x * gx + weights) * element;
            }
            applied(activation, outputs, backward, &mut w);
        }
        Kind::Columns { activation, .. } => {
            let whole = weight.map_or(1, |s| s.len() as u64);
            w.flops = 2 * sources * width;
            let read = (sources * width).min(calls * whole);
            w.bytes = own(activation) + rows * OFFSET + sources * (OFFSET + 8);
            w.bytes += read * element * if backward { 2 } else { 1 };
            applied(activation, outputs, backward, &mut w);
        }
        Kind::Combine { combination, activation, inputs, .. } => {
            let elements: u64 = inputs.iter().map(|s| s.len() as u64).sum();
            let once = combined(combination, inputs, width);
            let linear = matches!(combination, Combination::Sum | Combination::Difference | Combination::Avg);
            w.bytes = own(activation) + sources * OFFSET;
            if backward {
                w.flops = rows * if linear { elements } else { 2 * once.max(elements) };
                w.bytes += rows * elements * element * if linear { 2 } else { 3 };
            } else {
                w.flops = rows * once;
                w.bytes += rows * elements * element;
                if *combination == Combination::Softmax {
                    w.functions += outputs;
                }
            }
            applied(activation, outputs, backward, &mut w);
        }
        Kind::Activate { activation, input, .. } => {
            let x = rows * input.len() as u64;
            w.bytes = outputs * element + rows * OFFSET + x * element;
            if backward {
                w.bytes += 2 * x * element;
            }
            applied(activation, outputs.max(x), backward, &mut w);
        }
        Kind::Reduce { aggregation, activation, input, times, .. } => {
            let counts = if times.is_empty() { 0 } else { sources };
            let x = sources * block.source_length(0) as u64;
            let linear = matches!(aggregation, Aggregation::Sum | Aggregation::Avg);
            let deviations = matches!(aggregation, Aggregation::Var | Aggregation::Std(_));
            w.bytes = own(activation) + rows * OFFSET + (sources + counts) * OFFSET;
            w.bytes += x
                * element
                * if backward && linear {
                    2
                } else if backward {
                    3
                } else {
                    1
                };
            w.flops = x * if counts > 0 || deviations { 2 } else { 1 };
            if *aggregation == Aggregation::Avg {
                w.flops += outputs;
            }
            let exponents = matches!(aggregation, Aggregation::LogSumExp | Aggregation::Softmax(_));
            w.functions = if exponents && !backward { sources * input.len() as u64 } else { 0 };
            applied(activation, outputs, backward, &mut w);
        }
    }
    w
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::index::Id;
    use crate::exec::program::Origin;
    use crate::template::WeightId;

    fn block(rows: usize, shape: Shape, kind: Kind) -> Block {
        Block { base: 0, rows, shape, kind, origin: Origin { number: 0, span: None } }
    }

    fn lap(rows: u64, sources: u64) -> Lap {
        Lap { calls: 1, rows, sources, nanos: 0 }
    }

    /// Seven rows of relu of a 3 × 5 weight times a column.
    #[test]
    fn work_of_a_product_by_hand() {
        let kind = Kind::Linear {
            weight: WeightId::new(0),
            activation: Activation::Relu,
            input: Shape::column(5),
            sources: vec![0; 7],
            source_gradient: true,
        };
        let b = block(7, Shape::column(3), kind);
        let weight = Some(Shape::new(3, 5));
        let forward = work(&b, weight, Pass::Forward, lap(7, 7), 8);
        assert_eq!((forward.flops, forward.functions), (7 * 2 * 15 + 21, 0));
        // Values read and written, the weight, the offsets.
        assert_eq!(forward.bytes, 8 * (7 * 5 + 7 * 3 + 15) + 4 * 7);
        let backward = work(&b, weight, Pass::Backward, lap(7, 7), 8);
        assert_eq!(backward.flops, 7 * 4 * 15 + 2 * 21);
        // Values; own value, own gradient read and written; values' gradients, weight's gradient read and written.
        assert_eq!(backward.bytes, 8 * (7 * 5 + 3 * 21 + 2 * 7 * 5 + 15 + 2 * 15) + 4 * 7);
        assert_eq!(work(&b, weight, Pass::Evaluation, lap(7, 7), 8), forward);
    }

    /// Two means of three and one value of four elements, with tanh on top.
    #[test]
    fn work_of_a_mean_by_hand() {
        let kind = Kind::Reduce {
            aggregation: Aggregation::Avg,
            activation: Activation::Tanh,
            input: Shape::column(4),
            starts: vec![0, 3, 4],
            sources: vec![0; 4],
            times: Vec::new(),
        };
        let b = block(2, Shape::column(4), kind);
        let forward = work(&b, None, Pass::Forward, lap(2, 4), 4);
        assert_eq!((forward.flops, forward.functions), (4 * 4 + 8, 8));
        assert_eq!(forward.bytes, 4 * (16 + 8) + 4 * (2 + 4));
    }

    /// A chain 2 × 3 · 3 × 4 · 4 × 1: 2·2·3·4, then 2·2·4·1.
    #[test]
    fn work_of_a_chain_of_products_by_hand() {
        let inputs = vec![Shape::new(2, 3), Shape::new(3, 4), Shape::column(4)];
        let kind = Kind::Combine {
            combination: Combination::Product,
            activation: Activation::Identity,
            inputs,
            sources: vec![0; 3],
        };
        let b = block(1, Shape::column(2), kind);
        assert_eq!(work(&b, None, Pass::Forward, lap(1, 3), 8).flops, 48 + 16);
    }

    #[test]
    fn the_clock_loses_no_time() {
        let kind = Kind::Activate { activation: Activation::Tanh, input: Shape::SCALAR, sources: vec![0] };
        let b = block(1, Shape::SCALAR, kind);
        let mut clock = Clock::new(1);
        clock.start(false);
        let start = clock.last;
        clock.rest(false);
        for backward in [false, true, false] {
            std::thread::sleep(std::time::Duration::from_millis(1));
            clock.block(&b, Segment { block: 0, start: 0, end: 1 }, backward);
        }
        let all = (clock.last - start).as_nanos() as u64;
        let [forward, backward, evaluation] = clock.blocks[0];
        assert_eq!((forward.calls, backward.calls, evaluation.calls), (2, 1, 0));
        assert!(forward.nanos >= 2_000_000 && backward.nanos >= 1_000_000);
        assert_eq!(forward.nanos + backward.nanos + clock.rest.iter().sum::<u64>(), all);
        let mut twice = clock.clone();
        twice.add(&clock);
        assert_eq!(twice.blocks[0][0].rows, 4);
        assert_eq!(twice.readings, 2 * clock.readings);
    }
}
