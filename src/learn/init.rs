//! Initial weights (formulas of NeuraLogic 0.9.2; the random stream is ours).

use crate::base::rng::Stream;
use crate::tensor::Shape;
use std::fmt;

/// What the `simple` initialiser draws each element from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distribution {
    /// (u − ½)·scale, u uniform in [0, 1); NeuraLogic's scale is 2.
    Uniform(f64),
    /// Gaussian · scale: the scale, 2 in NeuraLogic, is the standard deviation.
    Normal(f64),
    /// Always this; NeuraLogic's constant is 0.1. Nothing is drawn.
    Constant(f64),
    /// 10 − (10^51·u)^(1/51).
    LongTail,
}

impl Distribution {
    /// Reads a name, with NeuraLogic's constants; letter case does not matter.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "uniform" => Some(Distribution::Uniform(2.0)),
            "normal" => Some(Distribution::Normal(2.0)),
            "constant" => Some(Distribution::Constant(0.1)),
            "longtail" => Some(Distribution::LongTail),
            _ => None,
        }
    }

    /// Every name `parse` knows, for "did you mean".
    pub fn names() -> &'static [&'static str] {
        &["uniform", "normal", "constant", "longtail"]
    }

    fn draw(self, stream: &mut Stream) -> f64 {
        match self {
            Distribution::Uniform(scale) => (stream.uniform() - 0.5) * scale,
            Distribution::Normal(scale) => stream.normal() * scale,
            Distribution::Constant(c) => c,
            Distribution::LongTail => 10.0 - (1e51 * stream.uniform()).powf(1.0 / 51.0),
        }
    }
}

impl Default for Distribution {
    fn default() -> Self {
        Distribution::Uniform(2.0)
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Distribution::Uniform(_) => "uniform",
            Distribution::Normal(_) => "normal",
            Distribution::Constant(_) => "constant",
            Distribution::LongTail => "longtail",
        })
    }
}

/// How a weight of a given shape gets its first value. All but `Simple` draw uniformly from [−L, L), one draw per
/// element in row-major order, L depending on the shape and the gain of the function that follows
/// ([`crate::tensor::Activation::gain`]).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Initializer {
    /// From a distribution, whatever the shape.
    Simple(Distribution),
    /// Glorot & Bengio 2010: L = gain·√6/√(rows + columns).
    #[default]
    Glorot,
    /// He et al. 2015: L = gain·√6/√columns.
    He,
    /// As PyTorch's linear layers: L = gain/√columns.
    Torch,
}

impl Initializer {
    /// Reads a name; `simple` draws from `NeuraLogic`'s uniform distribution. Letter case does not matter.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "simple" => Some(Initializer::Simple(Distribution::default())),
            "glorot" => Some(Initializer::Glorot),
            "he" => Some(Initializer::He),
            "torch" => Some(Initializer::Torch),
            _ => None,
        }
    }

    /// Every name `parse` knows, for "did you mean".
    pub fn names() -> &'static [&'static str] {
        &["simple", "glorot", "he", "torch"]
    }

    /// L for a shape; none for `Simple`.
    ///
    /// NeuraLogic's table per rank is the one formula: a scalar is 1×1, a column n×1, a row 1×n.
    fn limit(self, shape: Shape, gain: f64) -> Option<f64> {
        let (rows, cols) = (f64::from(shape.rows), f64::from(shape.cols));
        match self {
            Initializer::Simple(_) => None,
            Initializer::Glorot => Some(gain * 6f64.sqrt() / (rows + cols).sqrt()),
            Initializer::He => Some(gain * 6f64.sqrt() / cols.sqrt()),
            Initializer::Torch => Some(gain / cols.sqrt()),
        }
    }

    /// Fills `out`, the row-major elements of a weight of shape `shape`.
    ///
    /// `gain` belongs to the function that follows. With `orthogonal` (weights of recursive heads), a square matrix
    /// gets orthonormal rows times `gain`: Gram–Schmidt over gaussian rows.
    pub fn fill(self, shape: Shape, gain: f64, orthogonal: bool, stream: &mut Stream, out: &mut [f64]) {
        let Some(limit) = self.limit(shape, gain) else {
            if let Initializer::Simple(distribution) = self {
                out.iter_mut().for_each(|w| *w = distribution.draw(stream));
            }
            return;
        };
        if orthogonal && shape.rows == shape.cols && shape.rows > 1 {
            out.iter_mut().for_each(|w| *w = stream.normal() * 2.0);
            orthonormalise(out, shape.cols as usize);
            out.iter_mut().for_each(|w| *w *= gain);
        } else {
            out.iter_mut().for_each(|w| *w = stream.uniform() * 2.0 * limit - limit);
        }
    }
}

impl fmt::Display for Initializer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Initializer::Simple(_) => "simple",
            Initializer::Glorot => "glorot",
            Initializer::He => "he",
            Initializer::Torch => "torch",
        })
    }
}

/// Modified Gram–Schmidt over the rows, of `n` elements each.
fn orthonormalise(rows: &mut [f64], n: usize) {
    for i in 0..rows.len() / n {
        let (done, rest) = rows.split_at_mut(i * n);
        let row = &mut rest[..n];
        for other in done.chunks_exact(n) {
            let along: f64 = other.iter().zip(&*row).map(|(a, b)| a * b).sum();
            row.iter_mut().zip(other).for_each(|(r, o)| *r -= along * o);
        }
        let norm = row.iter().map(|v| v * v).sum::<f64>().sqrt();
        // Dependent gaussian rows have probability 0; the row is left as it is then.
        if norm > 0.0 {
            row.iter_mut().for_each(|v| *v /= norm);
        }
    }
}
