//! B-spline bases over pseudo-coordinates, as SplineCNN weighs its kernels by them (Fey et al. 2018).

/// The greatest degree of [`pieces`].
pub const MOST_DEGREE: usize = 3;

/// The `degree + 1` pieces of the uniform B-spline of a degree at the fraction `f` of a span, of the kernels in ascending
/// order. They are not negative and add up to 1.
pub fn pieces(degree: usize, f: f64) -> Vec<f64> {
    let g = 1.0 - f;
    match degree {
        1 => vec![g, f],
        2 => vec![0.5 * g * g, 0.5 + f * g, 0.5 * f * f],
        3 => {
            let middle = |x: f64| (3.0 * x * x * x - 6.0 * x * x + 4.0) / 6.0;
            vec![g * g * g / 6.0, middle(f), middle(g), f * f * f / 6.0]
        }
        _ => unreachable!("degrees are checked when options are read"),
    }
}

/// Kernels of one dimension: how many, and whether the first follows on the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// Number of kernels.
    pub kernels: usize,
    /// Whether `[0,1]` is a circle (angles); if not, the spline is open: `kernels - degree` spans.
    pub closed: bool,
}

impl Axis {
    fn spans(self, degree: usize) -> usize {
        if self.closed { self.kernels } else { self.kernels - degree }
    }
}

/// The kernels whose basis at `u` is not zero, with their bases, which add up to 1. In one dimension, `v = u · spans`, the
/// kernels are `⌊v⌋ … ⌊v⌋ + degree` and the bases the pieces at `v - ⌊v⌋`; in several dimensions bases are multiplied, and
/// kernel `(k1, k2, …)` has the number `k1 + K1 (k2 + K2 (…))`. Every element of `u` is in `[0,1]`, and an open axis has more
/// kernels than the degree.
pub fn basis(u: &[f64], degree: usize, axes: &[Axis]) -> Vec<(usize, f64)> {
    let mut out = vec![(0, 1.0)];
    let mut stride = 1;
    for (&x, &axis) in u.iter().zip(axes) {
        let v = x * axis.spans(degree) as f64;
        let first = v.floor();
        let pieces = pieces(degree, v - first);
        let mut next: Vec<(usize, f64)> = Vec::with_capacity(out.len() * pieces.len());
        for (k, piece) in pieces.iter().enumerate() {
            // At u = 1 the last piece is 0 and would belong to a kernel that is not there.
            if *piece != 0.0 {
                let kernel = (first as usize + k) % axis.kernels;
                next.extend(out.iter().map(|(number, b)| (number + stride * kernel, b * piece)));
            }
        }
        out = next;
        stride *= axis.kernels;
    }
    // On a circle with as few kernels as the degree one kernel has several pieces.
    out.sort_by_key(|(kernel, _)| *kernel);
    out.dedup_by(|next, first| {
        let same = next.0 == first.0;
        first.1 += if same { next.1 } else { 0.0 };
        same
    });
    out
}
