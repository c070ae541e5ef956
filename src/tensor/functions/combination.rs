//! Combinations: how a neuron joins its inputs.

use super::{
    FnArg, ParseError, Real, bare, beats, expects, softmax, softmax_adjoint, sparsemax, sparsemax_adjoint,
    total,
};
use crate::tensor::Shape;
use crate::tensor::kernels::{dot, times, times_left_adjoint, times_right_adjoint};
use std::fmt;

/// A combination `combination=…` of the inputs x_1 … x_n of a neuron.
///
/// Element-wise ones (sum, avg, difference, max, min, elproduct) broadcast a scalar over anything larger. Names are
/// NeuraLogic 0.9.2's; `max` and `min` are element-wise here, its own meaning is `maxsum` and `minsum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Combination {
    /// Σ x_i.
    #[default]
    Sum,
    /// Σ x_i / n.
    Avg,
    /// x_1 − x_2 − … − x_n.
    Difference,
    /// Element-wise greatest; ties go to the first input, a NaN makes the result NaN.
    Max,
    /// Element-wise smallest; ties go to the first input, a NaN makes the result NaN.
    Min,
    /// The input with the greatest sum of elements, the first of equals, or the first whose sum is NaN.
    MaxSum,
    /// The input with the smallest sum of elements, the first of equals, or the first whose sum is NaN.
    MinSum,
    /// The chain x_1·x_2·…·x_n from left to right by [`Shape::times`].
    Product,
    /// Element-wise product.
    ElProduct,
    /// One column of all elements in order, matrices row by row; a single input keeps its shape.
    Concat,
    /// `concat(0)`: inputs of equally many columns below each other.
    Stack,
    /// All sums a_1 + … + a_n with a_i an element of x_i, the first input varying slowest; a single input keeps its
    /// shape.
    CrossSum,
    /// Cosine of the angle between two inputs of equal length; 0 without gradient if one of them is 0.
    CosSim,
    /// Of scalars: their softmax as a column. Of one input: the softmax of its elements.
    Softmax,
    /// Of scalars: their sparsemax as a column. Of one input: the sparsemax of its elements.
    Sparsemax,
    /// The number of inputs.
    Count,
}

use Combination as C;

/// Largest number of elements of a combined value.
const LIMIT: usize = 1 << 31;

impl Combination {
    /// Reads `name(args)`.
    pub fn parse(name: &str, args: &[FnArg]) -> Result<Self, ParseError> {
        let plain = |c| bare(name, args, c);
        match name {
            "sum" => plain(C::Sum),
            "avg" => plain(C::Avg),
            "difference" => plain(C::Difference),
            "max" => plain(C::Max),
            "min" => plain(C::Min),
            "maxsum" => plain(C::MaxSum),
            "minsum" => plain(C::MinSum),
            "product" => plain(C::Product),
            "elproduct" => plain(C::ElProduct),
            "concat" => match args {
                [] => Ok(C::Concat),
                [FnArg::Number(0.0)] => Ok(C::Stack),
                _ => Err(expects("`concat` takes nothing, or the axis 0 to stack rows")),
            },
            "crosssum" => plain(C::CrossSum),
            "cossim" => plain(C::CosSim),
            "softmax" => plain(C::Softmax),
            "sparsemax" => plain(C::Sparsemax),
            "count" => plain(C::Count),
            _ => Err(ParseError::Unknown),
        }
    }

    /// Every name `parse` knows, for "did you mean".
    pub fn names() -> &'static [&'static str] {
        &[
            "sum",
            "avg",
            "difference",
            "max",
            "min",
            "maxsum",
            "minsum",
            "product",
            "elproduct",
            "concat",
            "crosssum",
            "cossim",
            "softmax",
            "sparsemax",
            "count",
        ]
    }

    /// Whether the order of the inputs changes the value (beyond rounding, and beyond which of equal inputs a
    /// maximum gives its gradient to): of vectors with equal sums `maxsum` and `minsum` take the first.
    pub fn order_sensitive(&self) -> bool {
        matches!(
            self,
            C::Difference | C::Product | C::Concat | C::Stack | C::CrossSum | C::Softmax | C::Sparsemax
        )
    }

    /// Whether the place of an input says what it is for, so that nothing is meant by the others without it: then a
    /// grounding whose body has its own head cannot be kept without that literal.
    pub fn needs_all_inputs(&self) -> bool {
        self.order_sensitive() || *self == C::CosSim
    }

    /// Whether one input comes out unchanged.
    pub fn is_identity_of_one(&self) -> bool {
        !matches!(self, C::CosSim | C::Softmax | C::Sparsemax | C::Count)
    }

    /// The shape of the combination of inputs of these shapes; the error is a human reason.
    pub fn output_shape(&self, shapes: &[Shape]) -> Result<Shape, String> {
        let Some((&first, rest)) = shapes.split_first() else {
            return Err(format!("{self} of nothing"));
        };
        let limited = |n: Option<usize>| match n {
            Some(n) if n <= LIMIT => Ok(Shape::column(n)),
            _ => Err(format!("{self} would have more than 2^31 elements")),
        };
        match self {
            C::Sum | C::Avg | C::Difference | C::Max | C::Min | C::ElProduct => {
                rest.iter().try_fold(first, |all, &s| {
                    all.joined(s).ok_or_else(|| {
                        let hint = all.joining_hint(s);
                        format!("{self} needs equal shapes or scalars, not {all} and {s}{hint}")
                    })
                })
            }
            C::MaxSum | C::MinSum => match rest.iter().find(|&&s| s != first) {
                None => Ok(first),
                Some(s) => Err(format!("{self} chooses among equal shapes, not {first} and {s}")),
            },
            C::Product => rest.iter().try_fold(first, |left, &s| {
                left.times(s).ok_or_else(|| format!("{left} cannot be multiplied by {s}"))
            }),
            C::Concat | C::CrossSum if rest.is_empty() => Ok(first),
            C::Concat => limited(shapes.iter().try_fold(0usize, |n, s| n.checked_add(s.len()))),
            C::CrossSum => limited(shapes.iter().try_fold(1usize, |n, s| n.checked_mul(s.len()))),
            C::Stack => {
                if let Some(s) = rest.iter().find(|s| s.cols != first.cols) {
                    return Err(format!("{self} needs equally many columns, not {first} and {s}"));
                }
                let rows = limited(shapes.iter().try_fold(0usize, |n, s| n.checked_add(s.rows as usize)))?;
                Ok(Shape { rows: rows.rows, cols: first.cols })
            }
            C::CosSim => match shapes {
                [a, b] if a.len() == b.len() => Ok(Shape::SCALAR),
                [a, b] => Err(format!("{self} needs two values of equal length, not {a} and {b}")),
                _ => Err(format!("{self} needs exactly two values, not {}", shapes.len())),
            },
            C::Softmax | C::Sparsemax => {
                if rest.is_empty() {
                    Ok(first)
                } else if shapes.iter().all(|s| s.is_scalar()) {
                    limited(Some(shapes.len()))
                } else {
                    Err(format!("{self} combines scalars, or takes the elements of a single vector"))
                }
            }
            C::Count => Ok(Shape::SCALAR),
        }
    }

    /// y = the combination of the inputs x_i, of shape `shapes[i]` and starting at `values[offsets[i]]`.
    ///
    /// `out` is `output_shape(shapes)`; `scratch` is overwritten and may be reused from call to call.
    pub fn forward<T: Real>(
        &self,
        shapes: &[Shape],
        out: Shape,
        values: &[T],
        offsets: &[u32],
        y: &mut [T],
        scratch: &mut Vec<T>,
    ) {
        let n = shapes.len();
        let y = &mut y[..out.len()];
        let input = |i: usize| &values[offsets[i] as usize..][..shapes[i].len()];
        match self {
            C::Sum | C::Avg => {
                if y.len() == 1 {
                    y[0] = offsets.iter().fold(T::ZERO, |s, &o| s + values[o as usize]);
                } else {
                    y.fill(T::ZERO);
                    for i in 0..n {
                        merge(input(i), y, |y, x| *y += x);
                    }
                }
                if *self == C::Avg {
                    let n = T::from_usize(n);
                    y.iter_mut().for_each(|y| *y /= n);
                }
            }
            C::Difference | C::Max | C::Min | C::ElProduct => {
                merge(input(0), y, |y, x| *y = x);
                for i in 1..n {
                    match self {
                        C::Difference => merge(input(i), y, |y, x| *y -= x),
                        C::Max => merge(input(i), y, |y, x| *y = if beats(true, x, *y) { x } else { *y }),
                        C::Min => merge(input(i), y, |y, x| *y = if beats(false, x, *y) { x } else { *y }),
                        _ => merge(input(i), y, |y, x| *y *= x),
                    }
                }
            }
            C::MaxSum | C::MinSum => y.copy_from_slice(input(self.chosen(n, input))),
            C::Product => match n {
                1 => y.copy_from_slice(input(0)),
                2 => times(input(0), shapes[0], input(1), shapes[1], y),
                _ => {
                    let (last, at) = prefixes(shapes, input, n - 1, scratch);
                    times(&scratch[at..], last, input(n - 1), shapes[n - 1], y);
                }
            },
            C::Concat | C::Stack => {
                let mut at = 0;
                for i in 0..n {
                    let x = input(i);
                    y[at..at + x.len()].copy_from_slice(x);
                    at += x.len();
                }
            }
            C::CrossSum => {
                y.fill(T::ZERO);
                let mut block = y.len();
                for i in 0..n {
                    let x = input(i);
                    let stride = block / x.len();
                    for y in y.chunks_exact_mut(block) {
                        for (y, &x) in y.chunks_exact_mut(stride).zip(x) {
                            y.iter_mut().for_each(|y| *y += x);
                        }
                    }
                    block = stride;
                }
            }
            C::CosSim => y[0] = cosine(input(0), input(1)).0,
            C::Softmax | C::Sparsemax => {
                let f = if *self == C::Softmax { softmax } else { sparsemax };
                if n == 1 {
                    f(input(0), y);
                } else {
                    scratch.clear();
                    scratch.extend(offsets.iter().map(|&o| values[o as usize]));
                    f(scratch, y);
                }
            }
            C::Count => y[0] = T::from_usize(n),
        }
    }

    /// The gradient of each x_i is added to `grads[offsets[i]..]`; `y` is the combination's output before any
    /// transformation. Offsets may repeat.
    pub fn backward<T: Real>(
        &self,
        shapes: &[Shape],
        out: Shape,
        values: &[T],
        offsets: &[u32],
        y: &[T],
        gy: &[T],
        grads: &mut [T],
        scratch: &mut Vec<T>,
    ) {
        let n = shapes.len();
        let (y, gy) = (&y[..out.len()], &gy[..out.len()]);
        let input = |i: usize| &values[offsets[i] as usize..][..shapes[i].len()];
        let place = |i: usize| offsets[i] as usize..offsets[i] as usize + shapes[i].len();
        match self {
            C::Sum => {
                if let [g] = *gy {
                    offsets.iter().for_each(|&o| grads[o as usize] += g);
                } else {
                    (0..n).for_each(|i| unmerge(gy, &mut grads[place(i)]));
                }
            }
            C::Difference => {
                unmerge(gy, &mut grads[place(0)]);
                (1..n).for_each(|i| unmerge_negated(gy, &mut grads[place(i)]));
            }
            C::Avg => {
                let count = T::from_usize(n);
                for i in 0..n {
                    let gx = &mut grads[place(i)];
                    if gx.len() == gy.len() {
                        gx.iter_mut().zip(gy).for_each(|(gx, &g)| *gx += g / count);
                    } else {
                        gx[0] += total(gy) / count;
                    }
                }
            }
            C::Max | C::Min => {
                for (e, &g) in gy.iter().enumerate() {
                    let element = |i: usize| offsets[i] as usize + if shapes[i].is_scalar() { 0 } else { e };
                    let mut best = element(0);
                    for at in (1..n).map(element) {
                        let (x, b) = (values[at], values[best]);
                        if beats(*self == C::Max, x, b) {
                            best = at;
                        }
                    }
                    grads[best] += g;
                }
            }
            C::MaxSum | C::MinSum => unmerge(gy, &mut grads[place(self.chosen(n, input))]),
            C::Product => {
                product_backward(shapes, input, gy, scratch, |i, gx| unmerge(gx, &mut grads[place(i)]));
            }
            C::ElProduct if n == 2 => {
                for (e, &g) in gy.iter().enumerate() {
                    let element = |i: usize| offsets[i] as usize + if shapes[i].is_scalar() { 0 } else { e };
                    let (a, b) = (element(0), element(1));
                    grads[a] += g * values[b];
                    grads[b] += g * values[a];
                }
            }
            C::ElProduct => {
                scratch.clear();
                scratch.resize(n, T::ZERO);
                for (e, &g) in gy.iter().enumerate() {
                    let element = |i: usize| offsets[i] as usize + if shapes[i].is_scalar() { 0 } else { e };
                    // Products of what is left of each input, then of what is right of it: exact at zeros, where
                    // dividing the whole product by x_i is not.
                    let mut left = g;
                    for (i, s) in scratch.iter_mut().enumerate() {
                        *s = left;
                        left *= values[element(i)];
                    }
                    let mut right = T::ONE;
                    for (i, &s) in scratch.iter().enumerate().rev() {
                        grads[element(i)] += s * right;
                        right *= values[element(i)];
                    }
                }
            }
            C::Concat | C::Stack => {
                let mut at = 0;
                for i in 0..n {
                    let gx = &mut grads[place(i)];
                    unmerge(&gy[at..at + gx.len()], gx);
                    at += shapes[i].len();
                }
            }
            C::CrossSum => {
                let mut block = gy.len();
                for i in 0..n {
                    let gx = &mut grads[place(i)];
                    let stride = block / gx.len();
                    for gy in gy.chunks_exact(block) {
                        for (gy, gx) in gy.chunks_exact(stride).zip(gx.iter_mut()) {
                            *gx += total(gy);
                        }
                    }
                    block = stride;
                }
            }
            C::CosSim => {
                let (a, b) = (input(0), input(1));
                let (cos, norm_a, norm_b) = cosine(a, b);
                if norm_a > T::ZERO && norm_b > T::ZERO {
                    let g = gy[0];
                    for (i, x, z, nx, nz) in [(0, a, b, norm_a, norm_b), (1, b, a, norm_b, norm_a)] {
                        for ((gx, &x), &z) in grads[place(i)].iter_mut().zip(x).zip(z) {
                            *gx += g * (z / nz - cos * x / nx) / nx;
                        }
                    }
                }
            }
            C::Softmax | C::Sparsemax => {
                let add = |i: usize, g: T| {
                    let at = if n == 1 { offsets[0] as usize + i } else { offsets[i] as usize };
                    grads[at] += g;
                };
                match self {
                    C::Softmax => softmax_adjoint(y, gy, add),
                    _ => sparsemax_adjoint(y, gy, add),
                }
            }
            C::Count => {}
        }
    }

    /// The index of the input `maxsum` or `minsum` chooses.
    fn chosen<'a, T: Real>(&self, n: usize, input: impl Fn(usize) -> &'a [T]) -> usize {
        let (mut best, mut best_sum) = (0, total(input(0)));
        for i in 1..n {
            let sum = total(input(i));
            if beats(*self == C::MaxSum, sum, best_sum) {
                (best, best_sum) = (i, sum);
            }
        }
        best
    }
}

impl fmt::Display for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            C::Sum => "sum",
            C::Avg => "avg",
            C::Difference => "difference",
            C::Max => "max",
            C::Min => "min",
            C::MaxSum => "maxsum",
            C::MinSum => "minsum",
            C::Product => "product",
            C::ElProduct => "elproduct",
            C::Concat => "concat",
            C::Stack => "concat(0)",
            C::CrossSum => "crosssum",
            C::CosSim => "cossim",
            C::Softmax => "softmax",
            C::Sparsemax => "sparsemax",
            C::Count => "count",
        })
    }
}

/// Applies `f` to each element of y and the element of x that belongs to it: x's only one if x is a scalar.
#[inline(always)]
fn merge<T: Real>(x: &[T], y: &mut [T], f: impl Fn(&mut T, T)) {
    if x.len() == y.len() {
        y.iter_mut().zip(x).for_each(|(y, &x)| f(y, x));
    } else {
        let x = x[0];
        y.iter_mut().for_each(|y| f(y, x));
    }
}

/// gx += gy, summed if x is a scalar that was broadcast.
#[inline(always)]
fn unmerge<T: Real>(gy: &[T], gx: &mut [T]) {
    if gx.len() == gy.len() {
        gx.iter_mut().zip(gy).for_each(|(gx, &g)| *gx += g);
    } else {
        gx[0] += total(gy);
    }
}

/// gx −= gy, summed if x is a scalar that was broadcast.
#[inline(always)]
fn unmerge_negated<T: Real>(gy: &[T], gx: &mut [T]) {
    if gx.len() == gy.len() {
        gx.iter_mut().zip(gy).for_each(|(gx, &g)| *gx -= g);
    } else {
        gx[0] -= total(gy);
    }
}

/// The shape of x_1·…·x_n.
fn chain(shapes: &[Shape]) -> Shape {
    shapes
        .iter()
        .copied()
        .reduce(|left, s| left.times(s).expect("shapes were checked by output_shape"))
        .expect("a product has a factor")
}

/// Appends to an emptied `scratch` x_1, x_1·x_2, …, x_1·…·x_count; the last one's shape and start are returned.
fn prefixes<'a, T: Real>(
    shapes: &[Shape],
    input: impl Fn(usize) -> &'a [T],
    count: usize,
    scratch: &mut Vec<T>,
) -> (Shape, usize) {
    scratch.clear();
    scratch.extend_from_slice(input(0));
    let (mut shape, mut start) = (shapes[0], 0);
    for (i, &factor) in shapes.iter().enumerate().take(count).skip(1) {
        let next = shape.times(factor).expect("shapes were checked by output_shape");
        let end = scratch.len();
        scratch.resize(end + next.len(), T::ZERO);
        let (done, new) = scratch.split_at_mut(end);
        times(&done[start..], shape, input(i), factor, new);
        (shape, start) = (next, end);
    }
    (shape, start)
}

/// Calls `add(i, gradient of x_i)` for each factor of the chain.
fn product_backward<'a, T: Real>(
    shapes: &[Shape],
    input: impl Fn(usize) -> &'a [T],
    gy: &[T],
    scratch: &mut Vec<T>,
    mut add: impl FnMut(usize, &[T]),
) {
    let n = shapes.len();
    if n == 1 {
        add(0, gy);
        return;
    }
    let (mut shape, mut start) = prefixes(shapes, &input, n - 1, scratch);
    // Behind the prefixes: the gradient of the prefix at hand, room for the next one, room for a factor's.
    let widest = (1..=n).map(|i| chain(&shapes[..i]).len()).max().unwrap_or(0).max(gy.len());
    let factor = shapes.iter().map(|s| s.len()).max().unwrap_or(0);
    let end = scratch.len();
    scratch.resize(end + 2 * widest + factor, T::ZERO);
    let (done, room) = scratch.split_at_mut(end);
    let (mut g, room) = room.split_at_mut(widest);
    let (mut next, gx) = room.split_at_mut(widest);
    g[..gy.len()].copy_from_slice(gy);
    let mut g_len = gy.len();
    for i in (1..n).rev() {
        let prefix = &done[start..start + shape.len()];
        let gx = &mut gx[..shapes[i].len()];
        gx.fill(T::ZERO);
        times_right_adjoint(prefix, shape, shapes[i], &g[..g_len], gx);
        add(i, gx);
        next[..shape.len()].fill(T::ZERO);
        times_left_adjoint(shape, input(i), shapes[i], &g[..g_len], &mut next[..shape.len()]);
        std::mem::swap(&mut g, &mut next);
        g_len = shape.len();
        if i > 1 {
            shape = chain(&shapes[..i - 1]);
            start -= shape.len();
        }
    }
    add(0, &g[..g_len]);
}

/// cos, ‖a‖, ‖b‖; cos is 0 if one of them is the zero vector.
fn cosine<T: Real>(a: &[T], b: &[T]) -> (T, T, T) {
    let (norm_a, norm_b) = (dot(a, a).sqrt(), dot(b, b).sqrt());
    let cos = if norm_a == T::ZERO || norm_b == T::ZERO { T::ZERO } else { dot(a, b) / (norm_a * norm_b) };
    (cos, norm_a, norm_b)
}
