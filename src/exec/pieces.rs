//! Large blocks in pieces of rows, which threads compute side by side.
//!
//! Where a block is cut depends on its rows alone. Every row is computed as it would be in the whole block; a weight's
//! gradient is the sum of those of the pieces, in their order. So the bits are the same for any number of threads.

use super::program::{Block, Kind, Parameters};
use crate::tensor::real::Real;
use std::ops::Range;

/// Multiplications, or numbers moved, in a piece: 8 µs forward and 21 µs backward under weights of 10 × 10, and what it
/// reads and writes stays in a core's cache.
const PIECE: usize = 1 << 16;
/// Blocks of fewer pieces stay whole. With this bound epochs of 0.4 ms take as long as without pieces.
const FEWEST: usize = 4;
/// Least multiplications in a piece for each element of a weight. With 8, the columns of Cora's words (a weight of
/// 16 × 1433) were cut in three, and an epoch on one thread took 0.95 ms, not 0.78.
const PER_ELEMENT: usize = 32;
/// Nor are blocks of so few rows cut, which need not be looked at then.
const FEW_ROWS: usize = 128;

/// How many of some rows of a block make a piece; at least all of them if there is too little work to share.
pub fn rows_of_piece<T: Real>(block: &Block, rows: &Range<usize>, parameters: &Parameters<T>) -> usize {
    if rows.len() <= FEW_ROWS {
        return rows.len().max(1);
    }
    let width = block.shape.len();
    let between = |starts: &[u32]| (starts[rows.end] - starts[rows.start]) as usize;
    let (work, weight) = match &block.kind {
        Kind::Linear { weight, input, .. } => {
            let weight = parameters.shapes[*weight].len();
            (rows.len() * (weight * input.cols as usize).max(width), weight)
        }
        Kind::Columns { weight, starts, .. } => (between(starts) * width, parameters.shapes[*weight].len()),
        Kind::Combine { inputs, .. } => (rows.len() * inputs.len() * width, 0),
        Kind::Reduce { starts, .. } => (between(starts) * width, 0),
        Kind::Activate { .. } => (rows.len() * width, 0),
        // Threads would have to share the gradients of all weights.
        Kind::Rowwise { .. } => return rows.len(),
    };
    if work < FEWEST * PIECE {
        return rows.len().max(1);
    }
    // To turn a weight for every piece, and to add up their gradients of it, must be little beside them.
    (rows.len() * PIECE.max(PER_ELEMENT * weight)).div_ceil(work)
}

/// What the sources of some rows read, from the first element to behind the last.
fn span(sources: &[u32], length: usize) -> Range<usize> {
    let (least, greatest) = sources.iter().fold((u32::MAX, 0), |(l, g), &s| (l.min(s), g.max(s)));
    least as usize..greatest as usize + length
}

/// What each piece reads of values of some length; `None` if pieces read the same, or not in their order.
pub fn apart(sources: &[u32], piece: usize, length: usize) -> Option<Vec<Range<usize>>> {
    let spans: Vec<Range<usize>> = sources.chunks(piece).map(|s| span(s, length)).collect();
    spans.windows(2).all(|pair| pair[0].end <= pair[1].start).then_some(spans)
}

/// Parts of a slice, each with the place where it begins.
pub fn split<T>(mut all: &mut [T], spans: Vec<Range<usize>>) -> Vec<(usize, &mut [T])> {
    let mut at = 0;
    let mut parts = Vec::with_capacity(spans.len());
    for span in spans {
        let (own, rest) = all.split_at_mut(span.end - at);
        parts.push((span.start, &mut own[span.start - at..]));
        (all, at) = (rest, span.end);
    }
    parts
}

#[cfg(test)]
mod tests {
    use crate::base::rng::Stream;
    use crate::exec::program::Origin;
    use crate::exec::{Block, Gradients, Kind, Parameters, Program, Selection, State};
    use crate::template::WeightId;
    use crate::tensor::kernels::columns::{columns_backward, columns_forward};
    use crate::tensor::kernels::linear_backward;
    use crate::tensor::{Activation, Shape};

    const ROWS: usize = 3000;
    const K: usize = 16;

    /// A program of a block of inputs, which are copied constants, and one of weighted values; its parameters.
    fn program(sources: Vec<u32>, stream: &mut Stream) -> (Program, Parameters<f64>) {
        let shape = Shape::column(K);
        let constants = (0..ROWS * K).map(|_| stream.normal()).collect();
        let copies = Kind::Activate {
            activation: Activation::Reverse,
            input: shape,
            sources: (0..ROWS).map(|i| (i * K) as u32).collect(),
        };
        let weighted = Kind::Linear {
            weight: WeightId(0),
            activation: Activation::Tanh,
            input: shape,
            sources,
            source_gradient: true,
        };
        let block = |at: usize, kind| Block {
            base: at * ROWS * K,
            rows: ROWS,
            shape,
            kind,
            origin: Origin { number: at as u32, span: None },
        };
        let blocks = vec![block(1, copies), block(2, weighted)];
        let program = Program { blocks, constants, arena: 3 * ROWS * K, ..Program::default() };
        let mut parameters = Parameters::none();
        parameters.values = (0..K * K).map(|_| stream.normal() / 4.0).collect();
        parameters.ranges.push(0..K * K);
        parameters.shapes.push(Shape::new(K, K));
        parameters.learnable.push(true);
        parameters.groups.push(None);
        (program, parameters)
    }

    /// Values and gradients of pieces, read in order or not, are those of the whole block.
    #[test]
    fn pieces_are_the_whole() {
        let ascending: Vec<u32> = (0..ROWS).map(|i| ((ROWS + i) * K) as u32).collect();
        let descending: Vec<u32> = ascending.iter().rev().copied().collect();
        for sources in [ascending, descending] {
            let mut stream = Stream::new(5, "pieces");
            let (program, parameters) = program(sources.clone(), &mut stream);
            let all = Selection::all(&program);
            assert!(State::is_shared(&program, &parameters, &all));
            let mut state = State::new(&program);
            state.forward(&program, &parameters, &all);
            let (below, y) = state.values.split_at(2 * ROWS * K);
            let seeds: Vec<f64> = (0..ROWS * K).map(|_| stream.normal()).collect();
            let mut gy = seeds.clone();
            Activation::Tanh.scale_by_derivative(y, &mut gy);
            let (mut gw, mut gx) = (vec![0.0; K * K], vec![0.0; 2 * ROWS * K]);
            let shapes = (Shape::new(K, K), Shape::column(K));
            let w = &parameters.values;
            linear_backward(w, shapes.0, below, &sources, shapes.1, &gy, &mut gw, Some(&mut gx));
            for (i, &s) in sources.iter().enumerate() {
                let x = &below[s as usize..][..K];
                for (r, w) in w.chunks_exact(K).enumerate() {
                    let expected: f64 = w.iter().zip(x).map(|(w, x)| w * x).sum();
                    assert!((y[i * K + r] - expected.tanh()).abs() < 1e-12);
                }
            }
            state.gradients[2 * ROWS * K..].copy_from_slice(&seeds);
            let mut gradients = Gradients::new(&parameters);
            // What the inputs got is taken on to the constants, with the sign of the derivative.
            state.backward(&program, &parameters, &all, &mut gradients);
            for (g, e) in gradients.values.iter().zip(&gw) {
                assert!((g - e).abs() < 1e-9 * e.abs().max(1.0), "{g} and {e}");
            }
            let got = state.gradients[..ROWS * K].iter();
            assert!(got.zip(&gx[ROWS * K..]).all(|(g, e)| *g == -*e));
            assert!(state.gradients[ROWS * K..].iter().all(|g| *g == 0.0), "zeros after the pass");
        }
    }

    /// The same for columns of the weight, of which every row has several.
    #[test]
    fn pieces_of_columns_are_the_whole() {
        const EACH: usize = 8;
        let mut stream = Stream::new(6, "pieces of columns");
        let (mut program, parameters) = program(Vec::new(), &mut stream);
        let starts: Vec<u32> = (0..=ROWS).map(|i| (i * EACH) as u32).collect();
        let columns: Vec<u32> = (0..ROWS * EACH).map(|e| (e * 5 % K) as u32).collect();
        let factors: Vec<f64> = columns.iter().map(|_| stream.normal()).collect();
        let (weight, activation) = (WeightId(0), Activation::Tanh);
        let (s, c, f) = (starts.clone(), columns.clone(), factors.clone());
        program.blocks[1].kind = Kind::Columns { weight, activation, starts: s, columns: c, factors: f };
        let block = &program.blocks[1];
        assert!(super::rows_of_piece(block, &(0..ROWS), &parameters) < ROWS);
        let all = Selection::all(&program);
        let mut state = State::new(&program);
        state.forward(&program, &parameters, &all);
        let y = &state.values[2 * ROWS * K..];
        let mut gy: Vec<f64> = (0..ROWS * K).map(|_| stream.normal()).collect();
        state.gradients[2 * ROWS * K..].copy_from_slice(&gy);
        Activation::Tanh.scale_by_derivative(y, &mut gy);
        let (mut expected, mut gw) = (vec![0.0; ROWS * K], vec![0.0; K * K]);
        let scratch = &mut Vec::new();
        columns_forward(&parameters.values, K, &starts, &columns, &factors, &mut expected, scratch);
        Activation::Tanh.apply_in_place(&mut expected);
        assert_eq!(y, expected);
        columns_backward(K, &starts, &columns, &factors, &gy, &mut gw);
        let mut gradients = Gradients::new(&parameters);
        state.backward(&program, &parameters, &all, &mut gradients);
        for (g, e) in gradients.values.iter().zip(&gw) {
            assert!((g - e).abs() < 1e-9 * e.abs().max(1.0), "{g} and {e}");
        }
    }
}
