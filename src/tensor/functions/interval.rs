//! Interval extensions of the functions: from an interval for every element of the inputs to one for every element of
//! the output that holds all values the function takes on them (Moore, "Interval Analysis", 1966).
//!
//! Ends are computed in doubles with ordinary rounding, so an interval may miss a value by some last digits. NaN as an
//! end says that the function may be undefined on the inputs; it spreads like a NaN among values.

use super::{Activation, Aggregation, Combination, StdKind, sparsemax};
use crate::tensor::{Real, Shape};

/// Lower and upper ends.
pub type Ends<'a> = (&'a [f64], &'a [f64]);
/// Lower and upper ends, to be written.
pub type EndsMut<'a> = (&'a mut [f64], &'a mut [f64]);

/// The smaller of two, NaN if one is.
pub fn lower(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}

/// The greater of two, NaN if one is.
pub fn upper(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

/// Where `gelu` is least, and its value there.
const GELU_LEAST: (f64, f64) = (-0.752_461_406_647_352_7, -0.170_040_750_571_254_03);
/// Where `silu` is least, and its value there.
const SILU_LEAST: (f64, f64) = (-1.278_464_542_761_074, -0.278_464_542_761_073_8);

/// `a · b`.
fn product(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    let all = [a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1];
    (all.into_iter().fold(all[0], lower), all.into_iter().fold(all[0], upper))
}

/// `a / b` for positive `b`.
fn quotient(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    product(a, (1.0 / b.1, 1.0 / b.0))
}

fn square(a: (f64, f64)) -> (f64, f64) {
    let (x, y) = (a.0 * a.0, a.1 * a.1);
    (if a.0 <= 0.0 && a.1 >= 0.0 { 0.0 } else { lower(x, y) }, upper(x, y))
}

fn is_undefined(x: Ends<'_>) -> bool {
    x.0.iter().chain(x.1).any(|v| v.is_nan())
}

/// Whether some value may be infinite, or not be there at all.
fn is_boundless(x: Ends<'_>) -> bool {
    x.0.iter().chain(x.1).any(|v| !v.is_finite())
}

fn undefined(y: EndsMut<'_>) {
    y.0.fill(f64::NAN);
    y.1.fill(f64::NAN);
}

/// What an element-wise function does on an interval.
enum Course {
    /// Rising, or falling.
    Monotone,
    /// Falling up to a point, rising from it, with the value there.
    Valley(f64, f64),
    /// Between −1 and 1, greatest here and every 2π further.
    Wave(f64),
    /// It may be undefined.
    Undefined,
}

fn course(f: Activation, low: f64, high: f64) -> Course {
    use Activation as A;
    use Course as K;
    let across = low <= 0.0 && high >= 0.0;
    match f {
        A::LeakyRelu(s) if s < 0.0 => K::Valley(0.0, 0.0),
        A::Gelu => K::Valley(GELU_LEAST.0, GELU_LEAST.1),
        A::Silu => K::Valley(SILU_LEAST.0, SILU_LEAST.1),
        A::Square | A::Abs => K::Valley(0.0, 0.0),
        A::Log | A::Sqrt if low < 0.0 => K::Undefined,
        A::Rsqrt if low <= 0.0 => K::Undefined,
        A::Inverse if across => K::Undefined,
        A::Sin | A::Cos if !(low.is_finite() && high.is_finite()) => K::Undefined,
        A::Sin => K::Wave(std::f64::consts::FRAC_PI_2),
        A::Cos => K::Wave(0.0),
        A::Pow(0.0) => K::Monotone,
        A::Pow(p) if p.fract() != 0.0 => match (p > 0.0, low) {
            (true, low) if low >= 0.0 => K::Monotone,
            (false, low) if low > 0.0 => K::Monotone,
            _ => K::Undefined,
        },
        A::Pow(p) if p < 0.0 && across => K::Undefined,
        A::Pow(p) if p > 0.0 && p % 2.0 == 0.0 => K::Valley(0.0, 0.0),
        _ => K::Monotone,
    }
}

/// Whether one of `at`, `at` + 2π, `at` − 2π, … lies between.
fn meets(at: f64, low: f64, high: f64) -> bool {
    let turn = std::f64::consts::TAU;
    ((low - at) / turn).ceil() * turn + at <= high
}

/// The logarithm of the sum of exponentials of `own` and all `others` but the `i`-th.
fn log_sum(own: f64, others: &[f64], i: usize) -> f64 {
    let rest = || others.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, x)| *x);
    let max = rest().fold(own, upper);
    max + rest().fold(Real::exp(own - max), |s, x| s + Real::exp(x - max)).ln()
}

/// Softmax of each element: it rises with its own element and falls with every other.
fn softmax_bounds(x: Ends<'_>, y: EndsMut<'_>, log: bool) {
    for i in 0..x.0.len() {
        let low = x.0[i] - log_sum(x.0[i], x.1, i);
        let high = x.1[i] - log_sum(x.1[i], x.0, i);
        (y.0[i], y.1[i]) = if log { (low, high) } else { (Real::exp(low), Real::exp(high)) };
    }
}

/// `max(x_i − τ, 0)`, whose threshold τ rises with every element; τ is seen in what `sparsemax` makes of the ends.
fn sparsemax_bounds(x: Ends<'_>, y: EndsMut<'_>) {
    let threshold = |x: &[f64], y: &mut [f64]| {
        sparsemax(x, y);
        let supported = x.iter().zip(&*y).find(|(_, y)| **y > 0.0);
        supported.map_or(f64::NAN, |(x, y)| x - y)
    };
    let (low, high) = (threshold(x.0, y.0), threshold(x.1, y.1));
    for i in 0..x.0.len() {
        y.0[i] = upper(x.0[i] - high, 0.0);
        y.1[i] = lower(upper(x.1[i] - low, 0.0), 1.0);
    }
}

/// Hull of the inputs that may be chosen for the greatest (or smallest) sum of elements.
fn chosen_bounds<'a>(greatest: bool, n: usize, input: impl Fn(usize) -> Ends<'a>, y: EndsMut<'_>) {
    let sum = |x: &[f64]| x.iter().sum::<f64>();
    let sums = |i: usize| {
        let (low, high) = input(i);
        // The smallest sum is the greatest of the negated ones.
        if greatest { (sum(low), sum(high)) } else { (-sum(high), -sum(low)) }
    };
    let sure = (0..n).map(|i| sums(i).0).fold(f64::NEG_INFINITY, upper);
    let mut first = true;
    for i in (0..n).filter(|&i| sums(i).1 >= sure) {
        let x = input(i);
        for e in 0..y.0.len() {
            y.0[e] = if first { x.0[e] } else { lower(y.0[e], x.0[e]) };
            y.1[e] = if first { x.1[e] } else { upper(y.1[e], x.1[e]) };
        }
        first = false;
    }
    if first {
        undefined(y);
    }
}

/// The product of two values of which each element lies in an interval, by the rules of [`Shape::times`].
pub fn times_bounds(a: Ends<'_>, a_shape: Shape, b: Ends<'_>, b_shape: Shape, y: EndsMut<'_>) {
    let element = |x: Ends<'_>, i: usize| (x.0[i], x.1[i]);
    if a_shape.is_scalar() || b_shape.is_scalar() {
        let at = |shape: Shape, i: usize| if shape.is_scalar() { 0 } else { i };
        for i in 0..y.0.len() {
            (y.0[i], y.1[i]) = product(element(a, at(a_shape, i)), element(b, at(b_shape, i)));
        }
        return;
    }
    let (k, c) = (a_shape.cols as usize, b_shape.cols as usize);
    for i in 0..y.0.len() {
        let (row, column) = (i / c, i % c);
        let (mut low, mut high) = (0.0, 0.0);
        for j in 0..k {
            let (p, q) = product(element(a, row * k + j), element(b, j * c + column));
            low += p;
            high += q;
        }
        (y.0[i], y.1[i]) = (low, high);
    }
}

impl Activation {
    /// Intervals for f(x), x of shape `s` in the intervals `x`.
    pub fn bounds(&self, s: Shape, x: Ends<'_>, y: EndsMut<'_>) {
        use Activation as A;
        if is_undefined(x) {
            return undefined(y);
        }
        match self {
            A::Softmax | A::LogSoftmax => softmax_bounds(x, y, *self == A::LogSoftmax),
            A::Sparsemax => sparsemax_bounds(x, y),
            A::Norm | A::L2Norm if is_boundless(x) => undefined(y),
            A::Norm => norm_bounds(x, y),
            A::L2Norm => {
                let squares = || x.0.iter().zip(x.1).map(|(l, h)| square((*l, *h)));
                let norm = squares().fold((0.0, 0.0), |s, q| (s.0 + q.0, s.1 + q.1));
                for i in 0..x.0.len() {
                    // No element is greater than the norm, and 0 stays 0.
                    let by = quotient((x.0[i], x.1[i]), (norm.0.sqrt(), norm.1.sqrt()));
                    (y.0[i], y.1[i]) = (by.0.max(-1.0), by.1.min(1.0));
                }
            }
            _ if !self.is_elementwise() => {
                self.forward(s, x.0, y.0);
                self.forward(s, x.1, y.1);
            }
            _ => {
                self.forward(s, x.0, y.0);
                self.forward(s, x.1, y.1);
                for i in 0..x.0.len() {
                    let ends = self.between((x.0[i], x.1[i]), (y.0[i], y.1[i]));
                    (y.0[i], y.1[i]) = ends;
                }
            }
        }
    }

    /// Intervals for f(y) in place of those for y, for functions that are applied in place.
    pub fn bounds_in_place(&self, y: EndsMut<'_>) {
        if self.is_identity() {
            return;
        }
        if is_undefined((&*y.0, &*y.1)) {
            return undefined(y);
        }
        for (low, high) in y.0.iter_mut().zip(y.1) {
            let x = (*low, *high);
            self.apply_in_place(std::slice::from_mut(low));
            self.apply_in_place(std::slice::from_mut(high));
            (*low, *high) = self.between(x, (*low, *high));
        }
    }

    /// The values between the ends `x` of an interval, at which the function is `y`.
    fn between(&self, x: (f64, f64), y: (f64, f64)) -> (f64, f64) {
        match course(*self, x.0, x.1) {
            // Rounding may let a rising function fall by a last digit.
            Course::Monotone => (lower(y.0, y.1), upper(y.0, y.1)),
            Course::Valley(at, least) => {
                let low = if x.0 <= at && at <= x.1 { least } else { lower(y.0, y.1) };
                (low, upper(y.0, y.1))
            }
            Course::Wave(top) => {
                let low = if meets(top - std::f64::consts::PI, x.0, x.1) { -1.0 } else { lower(y.0, y.1) };
                (low, if meets(top, x.0, x.1) { 1.0 } else { upper(y.0, y.1) })
            }
            Course::Undefined => (f64::NAN, f64::NAN),
        }
    }
}

fn norm_bounds(x: Ends<'_>, y: EndsMut<'_>) {
    let n = x.0.len() as f64;
    let mean = (x.0.iter().sum::<f64>() / n, x.1.iter().sum::<f64>() / n);
    let apart = |i: usize| (x.0[i] - mean.1, x.1[i] - mean.0);
    let squares = (0..x.0.len()).map(|i| square(apart(i)));
    let variance = squares.fold((0.0, 0.0), |s, q| (s.0 + q.0 / n, s.1 + q.1 / n));
    let deviation = ((variance.0 + 1e-10).sqrt(), (variance.1 + 1e-10).sqrt());
    for i in 0..x.0.len() {
        let by = quotient(apart(i), deviation);
        // A single element is at most √n deviations away from the mean.
        (y.0[i], y.1[i]) = (by.0.max(-n.sqrt()), by.1.min(n.sqrt()));
    }
}

impl Combination {
    /// Intervals for the combination of inputs, laid out as for [`Combination::forward`].
    pub fn bounds(
        &self,
        shapes: &[Shape],
        out: Shape,
        values: Ends<'_>,
        offsets: &[u32],
        y: EndsMut<'_>,
        scratch: &mut Vec<f64>,
    ) {
        use Combination as C;
        let input = |i: usize| -> Ends<'_> {
            let place = offsets[i] as usize..offsets[i] as usize + shapes[i].len();
            (&values.0[place.clone()], &values.1[place])
        };
        let n = shapes.len();
        if (0..n).any(|i| is_undefined(input(i))) {
            return undefined(y);
        }
        // A scalar is spread over all elements.
        let element = |i: usize, e: usize| {
            let (low, high) = input(i);
            let e = if low.len() == 1 { 0 } else { e };
            (low[e], high[e])
        };
        match self {
            C::Sum | C::Avg | C::Max | C::Min | C::Concat | C::Stack | C::CrossSum | C::Count => {
                self.forward(shapes, out, values.0, offsets, y.0, scratch);
                self.forward(shapes, out, values.1, offsets, y.1, scratch);
            }
            C::Difference | C::ElProduct => {
                for e in 0..out.len() {
                    let join = |a: (f64, f64), b: (f64, f64)| match self {
                        C::Difference => (a.0 - b.1, a.1 - b.0),
                        _ => product(a, b),
                    };
                    (y.0[e], y.1[e]) = (1..n).fold(element(0, e), |all, i| join(all, element(i, e)));
                }
            }
            C::MaxSum | C::MinSum => chosen_bounds(*self == C::MaxSum, n, input, y),
            C::Product if n == 1 => {
                y.0.copy_from_slice(input(0).0);
                y.1.copy_from_slice(input(0).1);
            }
            C::Product => {
                let (mut shape, mut low, mut high) = (shapes[0], input(0).0.to_vec(), input(0).1.to_vec());
                for (i, &factor) in shapes.iter().enumerate().skip(1) {
                    let next = shape.times(factor).expect("shapes were checked by output_shape");
                    let mut to = (vec![0.0; next.len()], vec![0.0; next.len()]);
                    times_bounds((&low, &high), shape, input(i), factor, (&mut to.0, &mut to.1));
                    (shape, (low, high)) = (next, to);
                }
                y.0.copy_from_slice(&low);
                y.1.copy_from_slice(&high);
            }
            C::CosSim if (0..n).any(|i| is_boundless(input(i))) => undefined(y),
            C::CosSim => {
                let len = shapes[0].len();
                let sum = |f: &dyn Fn(usize) -> (f64, f64)| {
                    (0..len).map(f).fold((0.0, 0.0), |s, p| (s.0 + p.0, s.1 + p.1))
                };
                let dot = sum(&|e| product(element(0, e), element(1, e)));
                let norm = |i: usize| sum(&|e| square(element(i, e)));
                let (a, b) = (norm(0), norm(1));
                let by = quotient(dot, ((a.0 * b.0).sqrt(), (a.1 * b.1).sqrt()));
                (y.0[0], y.1[0]) = (by.0.max(-1.0), by.1.min(1.0));
            }
            C::Softmax | C::Sparsemax => {
                let (mut low, mut high) = (Vec::new(), Vec::new());
                for i in 0..n {
                    low.extend_from_slice(input(i).0);
                    high.extend_from_slice(input(i).1);
                }
                match self {
                    C::Softmax => softmax_bounds((&low, &high), y, false),
                    _ => sparsemax_bounds((&low, &high), y),
                }
            }
        }
    }
}

impl Aggregation {
    /// Intervals for the aggregation of groundings, laid out as for [`Aggregation::forward`].
    pub fn bounds(
        &self,
        shape: Shape,
        values: Ends<'_>,
        offsets: &[u32],
        mult: Option<&[u32]>,
        y: EndsMut<'_>,
        scratch: &mut Vec<f64>,
    ) {
        use Aggregation as G;
        let input = |i: usize| -> Ends<'_> {
            let place = offsets[i] as usize..offsets[i] as usize + shape.len();
            (&values.0[place.clone()], &values.1[place])
        };
        let n = offsets.len();
        if (0..n).any(|i| is_undefined(input(i))) {
            return undefined(y);
        }
        match self {
            // None of them falls when a grounding rises.
            G::Avg
            | G::Sum
            | G::Max
            | G::Min
            | G::Count
            | G::Median
            | G::Quantile(_)
            | G::LogSumExp
            | G::SparsemaxThreshold
            | G::Concat => {
                self.forward(shape, values.0, offsets, mult, y.0, scratch);
                self.forward(shape, values.1, offsets, mult, y.1, scratch);
            }
            G::MaxSum | G::MinSum => chosen_bounds(*self == G::MaxSum, n, input, y),
            G::Var | G::Std(_) => {
                let times = |i: usize| mult.map_or(1.0, |m| f64::from(m[i]));
                let count: f64 = (0..n).map(times).sum();
                for e in 0..shape.len() {
                    let all = || (0..n).map(|i| (times(i) / count, (input(i).0[e], input(i).1[e])));
                    let mean = all().fold((0.0, 0.0), |s, (k, x)| (s.0 + k * x.0, s.1 + k * x.1));
                    let squares = all().map(|(k, x)| (k, square((x.0 - mean.1, x.1 - mean.0))));
                    let var = squares.fold((0.0, 0.0), |s, (k, q)| (s.0 + k * q.0, s.1 + k * q.1));
                    // Popoviciu: no variance is greater than the square of half the range.
                    let range = all().fold((f64::INFINITY, f64::NEG_INFINITY), |r, (_, x)| {
                        (lower(r.0, x.0), upper(r.1, x.1))
                    });
                    let var = (var.0, lower(var.1, ((range.1 - range.0) / 2.0).powi(2)));
                    let root = |v: f64| match self {
                        G::Std(StdKind::Relu) => (v + 1e-5).sqrt(),
                        G::Std(StdKind::Clamp) => upper(v, 1e-5).sqrt(),
                        _ => v,
                    };
                    (y.0[e], y.1[e]) = (root(var.0), root(var.1));
                }
            }
            G::Softmax(_) | G::Sparsemax(_) => {
                let copies = |values: &[f64]| -> Vec<f64> {
                    let copy = |(i, o): (usize, &u32)| {
                        std::iter::repeat_n(values[*o as usize], mult.map_or(1, |m| m[i] as usize))
                    };
                    offsets.iter().enumerate().flat_map(copy).collect()
                };
                let (low, high) = (copies(values.0), copies(values.1));
                match self {
                    G::Softmax(_) => softmax_bounds((&low, &high), y, false),
                    _ => sparsemax_bounds((&low, &high), y),
                }
            }
        }
    }
}
