//! Aggregations: how a ground head joins its groundings.

use super::{
    FnArg, ParseError, Real, bare, beats, expects, softmax, softmax_adjoint, sparsemax, sparsemax_adjoint,
    total,
};
use crate::tensor::Shape;
use crate::tensor::kernels::add_scaled;
use crate::tensor::kernels::sums::{Mean, Rows, spread_rows, sum_rows};
use std::fmt;

/// How `std` keeps the root of a variance of 0 differentiable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StdKind {
    /// √(relu(var) + 1e−5), as in PNA (Corso et al. 2020). The default: its gradient is smooth at 0.
    #[default]
    Relu,
    /// √(max(var, 1e−5)); no gradient where clamped.
    Clamp,
}

/// An aggregation `aggregation=…` of the groundings x_1 … x_m, all of one shape, x_i standing for `mult[i]` equal
/// groundings (once if no multiplicities are given). N is the sum of the multiplicities.
///
/// Gradients are those of the shared value: a grounding that stands for k equal ones gets the sum of their k
/// gradients. Names are NeuraLogic 0.9.2's where it has the function; `max` and `min` are element-wise here, its own
/// meaning is `maxsum` and `minsum`.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Aggregation {
    /// Σ x_i / N.
    #[default]
    Avg,
    /// Σ x_i.
    Sum,
    /// Element-wise greatest; ties go to the first grounding, a NaN makes the result NaN.
    Max,
    /// Element-wise smallest; ties go to the first grounding, a NaN makes the result NaN.
    Min,
    /// The grounding with the greatest sum of elements, the first of equals, or the first whose sum is NaN.
    MaxSum,
    /// The grounding with the smallest sum of elements, the first of equals, or the first whose sum is NaN.
    MinSum,
    /// N, a scalar.
    Count,
    /// Element-wise population variance mean(x²) − mean(x)², computed from the differences to the mean.
    Var,
    /// Element-wise standard deviation.
    Std(StdKind),
    /// Element-wise `quantile(0.5)`.
    Median,
    /// Element-wise quantile q, linear between the order statistics around q·(N−1).
    Quantile(f64),
    /// Element-wise log Σ exp x_i, shifted by the greatest element.
    LogSumExp,
    /// Element-wise the threshold τ of sparsemax, Σ max(x_i − τ, 0) = 1 (Martins & Astudillo 2016, algorithm 1). Not
    /// to be written: what `sparsemax` with variables is made of.
    SparsemaxThreshold,
    /// One column of all elements in order.
    Concat,
    /// Of scalars: their softmax as a column, in order; with variables: within the groups they name.
    Softmax(Vec<String>),
    /// Of scalars: their sparsemax as a column, in order; with variables: within the groups they name.
    Sparsemax(Vec<String>),
}

use Aggregation as G;

/// Largest number of elements of an aggregated value.
const LIMIT: usize = 1 << 31;
/// What keeps the root differentiable (PNA's value).
const STD_EPSILON: f64 = 1e-5;

/// How often grounding `i` counts.
#[inline(always)]
fn times_of(mult: Option<&[u32]>, i: usize) -> u32 {
    mult.map_or(1, |m| m[i])
}

/// N.
fn count_of(mult: Option<&[u32]>, m: usize) -> u64 {
    mult.map_or(m as u64, |mult| mult[..m].iter().map(|&k| u64::from(k)).sum())
}

fn element_of<T: Real>(n: u64) -> T {
    T::from_f64(n as f64)
}

impl Aggregation {
    /// Reads `name(args)`.
    pub fn parse(name: &str, args: &[FnArg]) -> Result<Self, ParseError> {
        let plain = |g| bare(name, args, g);
        let variables = || {
            let all: Option<Vec<String>> = args
                .iter()
                .map(|a| match a {
                    FnArg::Variable(v) => Some(v.clone()),
                    _ => None,
                })
                .collect();
            all.ok_or_else(|| expects(format!("`{name}` takes variables of the head, as in `{name}(Y)`")))
        };
        match name {
            "avg" => plain(G::Avg),
            "sum" => plain(G::Sum),
            "max" => plain(G::Max),
            "min" => plain(G::Min),
            "maxsum" => plain(G::MaxSum),
            "minsum" => plain(G::MinSum),
            "count" => plain(G::Count),
            "var" => plain(G::Var),
            "std" => match args {
                [] => Ok(G::Std(StdKind::default())),
                [FnArg::Word(w)] if w == "relu" => Ok(G::Std(StdKind::Relu)),
                [FnArg::Word(w)] if w == "clamp" => Ok(G::Std(StdKind::Clamp)),
                _ => Err(expects("`std` takes nothing, `relu` or `clamp`")),
            },
            "median" => plain(G::Median),
            "quantile" => match args {
                [FnArg::Number(q)] if (0.0..=1.0).contains(q) => Ok(G::Quantile(*q)),
                _ => Err(expects("`quantile` takes a number from 0 to 1, as in `quantile(0.25)`")),
            },
            "logsumexp" => plain(G::LogSumExp),
            "concat" => plain(G::Concat),
            "softmax" => Ok(G::Softmax(variables()?)),
            "sparsemax" => Ok(G::Sparsemax(variables()?)),
            _ => Err(ParseError::Unknown),
        }
    }

    /// Every name `parse` knows, for "did you mean".
    pub fn names() -> &'static [&'static str] {
        &[
            "avg",
            "sum",
            "max",
            "min",
            "maxsum",
            "minsum",
            "count",
            "var",
            "std",
            "median",
            "quantile",
            "logsumexp",
            "concat",
            "softmax",
            "sparsemax",
        ]
    }

    /// Whether the order of the groundings changes the value (beyond rounding, and beyond which of equal groundings
    /// a maximum gives its gradient to): of vectors with equal sums `maxsum` and `minsum` take the first.
    pub fn order_sensitive(&self) -> bool {
        matches!(self, G::MaxSum | G::MinSum | G::Concat | G::Softmax(_) | G::Sparsemax(_))
    }

    /// Whether a single grounding (of multiplicity 1) comes out unchanged.
    pub fn is_identity_of_one(&self) -> bool {
        matches!(
            self,
            G::Avg
                | G::Sum
                | G::Max
                | G::Min
                | G::MaxSum
                | G::MinSum
                | G::Median
                | G::Quantile(_)
                | G::LogSumExp
                | G::Concat
        )
    }

    /// The shape of the aggregation of `count` groundings (multiplicities included) of shape `shape`; the error is a
    /// human reason.
    pub fn output_shape(&self, shape: Shape, count: usize) -> Result<Shape, String> {
        let column = |n: Option<usize>| match n {
            Some(n) if n <= LIMIT => Ok(Shape::column(n)),
            _ => Err(format!("{self} would have more than 2^31 elements")),
        };
        match self {
            G::Count => Ok(Shape::SCALAR),
            G::Concat if count == 1 => Ok(shape),
            G::Concat => column(count.checked_mul(shape.len())),
            G::Softmax(vars) | G::Sparsemax(vars) => {
                if !vars.is_empty() {
                    return Err(format!("{self} belongs to a rule, of whose head it names variables"));
                }
                if shape.is_scalar() {
                    column(Some(count))
                } else {
                    Err(format!(
                        "{self} of all groundings together takes scalars, not {shape}; with a variable of the head, \
                         as in `{self}(Y)`, it normalises vectors component by component"
                    ))
                }
            }
            _ => Ok(shape),
        }
    }

    /// y = the aggregation of the groundings of shape `shape` that start at `values[offsets[i]]`.
    ///
    /// There must be a grounding, and multiplicities must be positive. `scratch` is overwritten and may be reused.
    pub fn forward<T: Real>(
        &self,
        shape: Shape,
        values: &[T],
        offsets: &[u32],
        mult: Option<&[u32]>,
        y: &mut [T],
        scratch: &mut Vec<T>,
    ) {
        let len = shape.len();
        let row = |o: u32| &values[o as usize..][..len];
        let ends = [0, offsets.len() as u32];
        match self {
            G::Avg => sum_rows(values, row_of(&ends, offsets, mult), Mean::Yes, len, &mut y[..len]),
            G::Sum => sum_rows(values, row_of(&ends, offsets, mult), Mean::No, len, &mut y[..len]),
            G::Max | G::Min => {
                let y = &mut y[..len];
                y.copy_from_slice(row(offsets[0]));
                for &o in &offsets[1..] {
                    for (y, &x) in y.iter_mut().zip(row(o)) {
                        if beats(*self == G::Max, x, *y) {
                            *y = x;
                        }
                    }
                }
            }
            G::MaxSum | G::MinSum => y[..len].copy_from_slice(row(offsets[self.chosen(offsets, row)])),
            G::Count => y[0] = element_of(count_of(mult, offsets.len())),
            G::Var | G::Std(_) => {
                let y = &mut y[..len];
                scratch.clear();
                scratch.resize(len, T::ZERO);
                variance(values, offsets, mult, scratch, y);
                if let G::Std(kind) = self {
                    let eps = T::from_f64(STD_EPSILON);
                    for y in y {
                        *y = match kind {
                            StdKind::Relu => (*y + eps).sqrt(),
                            StdKind::Clamp => (if *y < eps { eps } else { *y }).sqrt(),
                        };
                    }
                }
            }
            G::Median | G::Quantile(_) => {
                let mut order = Vec::new();
                for (e, y) in y[..len].iter_mut().enumerate() {
                    let (low, high, part) = self.neighbours(e, values, offsets, mult, &mut order);
                    let (a, b) = (values[offsets[low] as usize + e], values[offsets[high] as usize + e]);
                    // Not a + part·(b−a) at part 0: an infinite neighbour that has no share would make it NaN.
                    *y = if part == 0.0 || low == high { a } else { a + T::from_f64(part) * (b - a) };
                }
            }
            G::LogSumExp => {
                // y: the greatest element, then the result; scratch: the sums.
                let y = &mut y[..len];
                y.copy_from_slice(row(offsets[0]));
                for &o in &offsets[1..] {
                    y.iter_mut().zip(row(o)).for_each(|(y, &x)| *y = y.max(x));
                }
                scratch.clear();
                scratch.resize(len, T::ZERO);
                for (i, &o) in offsets.iter().enumerate() {
                    let k = element_of::<T>(u64::from(times_of(mult, i)));
                    for ((s, &max), &x) in scratch.iter_mut().zip(&*y).zip(row(o)) {
                        *s += k * (x - max).exp();
                    }
                }
                y.iter_mut().zip(&*scratch).for_each(|(y, s)| *y += s.ln());
            }
            G::SparsemaxThreshold => {
                let mut order = Vec::new();
                for (e, y) in y[..len].iter_mut().enumerate() {
                    *y = threshold(e, values, offsets, mult, &mut order);
                }
            }
            G::Concat => {
                let mut at = 0;
                each_copy(offsets, mult, |o| {
                    y[at..at + len].copy_from_slice(row(o));
                    at += len;
                });
            }
            G::Softmax(_) | G::Sparsemax(_) => {
                scratch.clear();
                each_copy(offsets, mult, |o| scratch.push(values[o as usize]));
                let y = &mut y[..scratch.len()];
                match self {
                    G::Softmax(_) => softmax(scratch, y),
                    _ => sparsemax(scratch, y),
                }
            }
        }
    }

    /// The gradient of each grounding is added to `grads[offsets[i]..]`; `y` is the aggregation's output before any
    /// transformation. Offsets may repeat.
    pub fn backward<T: Real>(
        &self,
        shape: Shape,
        values: &[T],
        offsets: &[u32],
        mult: Option<&[u32]>,
        y: &[T],
        gy: &[T],
        grads: &mut [T],
        scratch: &mut Vec<T>,
    ) {
        let len = shape.len();
        let m = offsets.len();
        let ends = [0, m as u32];
        let row = |o: u32| &values[o as usize..][..len];
        match self {
            G::Avg => spread_rows(&gy[..len], row_of(&ends, offsets, mult), Mean::Yes, len, grads),
            G::Sum => spread_rows(&gy[..len], row_of(&ends, offsets, mult), Mean::No, len, grads),
            G::Max | G::Min => {
                for (e, &g) in gy[..len].iter().enumerate() {
                    let mut best = offsets[0] as usize + e;
                    for at in offsets[1..].iter().map(|&o| o as usize + e) {
                        let (x, b) = (values[at], values[best]);
                        if beats(*self == G::Max, x, b) {
                            best = at;
                        }
                    }
                    grads[best] += g;
                }
            }
            G::MaxSum | G::MinSum => {
                let o = offsets[self.chosen(offsets, row)];
                add_scaled(T::ONE, &gy[..len], &mut grads[o as usize..][..len]);
            }
            G::Count => {}
            G::Var | G::Std(_) => {
                // scratch: the mean, then 2/N · g · ∂y/∂var.
                scratch.clear();
                scratch.resize(2 * len, T::ZERO);
                let (mean, factor) = scratch.split_at_mut(len);
                let n = element_of::<T>(count_of(mult, m));
                sum_rows(values, row_of(&ends, offsets, mult), Mean::Yes, mean.len(), mean);
                let floor = T::from_f64(STD_EPSILON).sqrt();
                for ((f, &g), &y) in factor.iter_mut().zip(gy).zip(y) {
                    let outer = match self {
                        G::Std(StdKind::Clamp) if y <= floor => T::ZERO,
                        G::Std(_) => T::from_f64(0.5) / y,
                        _ => T::ONE,
                    };
                    *f = T::from_f64(2.0) / n * g * outer;
                }
                for (i, &o) in offsets.iter().enumerate() {
                    let k = T::from_f64(f64::from(times_of(mult, i)));
                    let gx = &mut grads[o as usize..][..len];
                    for (((gx, &x), &mean), &f) in gx.iter_mut().zip(row(o)).zip(&*mean).zip(&*factor) {
                        *gx += k * f * (x - mean);
                    }
                }
            }
            G::Median | G::Quantile(_) => {
                let mut order = Vec::new();
                for (e, &g) in gy[..len].iter().enumerate() {
                    let (low, high, part) = self.neighbours(e, values, offsets, mult, &mut order);
                    let part = T::from_f64(part);
                    grads[offsets[low] as usize + e] += g * (T::ONE - part);
                    grads[offsets[high] as usize + e] += g * part;
                }
            }
            G::LogSumExp => {
                for (i, &o) in offsets.iter().enumerate() {
                    let k = element_of::<T>(u64::from(times_of(mult, i)));
                    let gx = &mut grads[o as usize..][..len];
                    for (((gx, &x), &y), &g) in gx.iter_mut().zip(row(o)).zip(y).zip(gy) {
                        *gx += k * g * (x - y).exp();
                    }
                }
            }
            G::SparsemaxThreshold => {
                // ∂τ/∂x_i = 1/|S| on the support S (x > τ), 0 elsewhere.
                for (e, (&tau, &g)) in y[..len].iter().zip(gy).enumerate() {
                    let supported = |o: u32| values[o as usize + e] > tau;
                    let size: u64 = offsets
                        .iter()
                        .enumerate()
                        .filter(|(_, o)| supported(**o))
                        .map(|(i, _)| u64::from(times_of(mult, i)))
                        .sum();
                    let share = g / element_of(size.max(1));
                    for (i, &o) in offsets.iter().enumerate().filter(|(_, o)| supported(**o)) {
                        grads[o as usize + e] += element_of::<T>(u64::from(times_of(mult, i))) * share;
                    }
                }
            }
            G::Concat => {
                let mut at = 0;
                each_copy(offsets, mult, |o| {
                    add_scaled(T::ONE, &gy[at..at + len], &mut grads[o as usize..][..len]);
                    at += len;
                });
            }
            G::Softmax(_) | G::Sparsemax(_) => {
                // The gradients of the copies first, each copy then goes where its grounding is.
                let n = count_of(mult, m) as usize;
                let (y, gy) = (&y[..n], &gy[..n]);
                scratch.clear();
                scratch.resize(n, T::ZERO);
                match self {
                    G::Softmax(_) => softmax_adjoint(y, gy, |i, g| scratch[i] += g),
                    _ => sparsemax_adjoint(y, gy, |i, g| scratch[i] += g),
                }
                let mut at = 0;
                each_copy(offsets, mult, |o| {
                    grads[o as usize] += scratch[at];
                    at += 1;
                });
            }
        }
    }

    /// The index of the grounding `maxsum` or `minsum` chooses.
    fn chosen<'a, T: Real>(&self, offsets: &[u32], row: impl Fn(u32) -> &'a [T]) -> usize {
        let (mut best, mut best_sum) = (0, total(row(offsets[0])));
        for (i, &o) in offsets.iter().enumerate().skip(1) {
            let sum = total(row(o));
            if beats(*self == G::MaxSum, sum, best_sum) {
                (best, best_sum) = (i, sum);
            }
        }
        best
    }

    /// The two groundings around the quantile of element `e`, and how far it lies from the first to the second.
    /// Equal elements are ordered as the groundings are; NaN comes last.
    fn neighbours<T: Real>(
        &self,
        e: usize,
        values: &[T],
        offsets: &[u32],
        mult: Option<&[u32]>,
        order: &mut Vec<u32>,
    ) -> (usize, usize, f64) {
        let q = if let G::Quantile(q) = self { *q } else { 0.5 };
        order.clear();
        order.extend(0..offsets.len() as u32);
        let value = |i: u32| values[offsets[i as usize] as usize + e];
        order.sort_unstable_by(|&a, &b| value(a).total_cmp(&value(b)).then(a.cmp(&b)));
        let position = q * (count_of(mult, offsets.len()) - 1) as f64;
        let rank = position as u64;
        let mut seen = 0;
        for (at, &i) in order.iter().enumerate() {
            seen += u64::from(times_of(mult, i as usize));
            if seen > rank {
                let next = if seen > rank + 1 { i } else { order.get(at + 1).copied().unwrap_or(i) };
                return (i as usize, next as usize, position - rank as f64);
            }
        }
        (0, 0, 0.0)
    }
}

impl fmt::Display for Aggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            G::Avg => "avg",
            G::Sum => "sum",
            G::Max => "max",
            G::Min => "min",
            G::MaxSum => "maxsum",
            G::MinSum => "minsum",
            G::Count => "count",
            G::Var => "var",
            G::Std(StdKind::Relu) => "std",
            G::Std(StdKind::Clamp) => "std(clamp)",
            G::Median => "median",
            G::Quantile(q) => return write!(f, "quantile({q})"),
            G::LogSumExp => "logsumexp",
            G::SparsemaxThreshold => "sparsemax threshold",
            G::Concat => "concat",
            G::Softmax(v) if v.is_empty() => "softmax",
            G::Softmax(v) => return write!(f, "softmax({})", v.join(", ")),
            G::Sparsemax(v) if v.is_empty() => "sparsemax",
            G::Sparsemax(v) => return write!(f, "sparsemax({})", v.join(", ")),
        };
        f.write_str(name)
    }
}

/// The threshold of sparsemax for element `e` of the groundings.
fn threshold<T: Real>(
    e: usize,
    values: &[T],
    offsets: &[u32],
    mult: Option<&[u32]>,
    order: &mut Vec<(T, u32)>,
) -> T {
    order.clear();
    order.extend(offsets.iter().enumerate().map(|(i, &o)| (values[o as usize + e], times_of(mult, i))));
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let (mut sum, mut count, mut tau) = (T::ZERO, 0u64, T::ZERO);
    for &(z, k) in &*order {
        // Equal elements are supported together: one copy of z is tested for all. A NaN sorts first and makes every
        // later test false, so that it spreads as it should.
        let n = element_of::<T>(count + 1);
        let supported = T::ONE + n * z > sum + z;
        if count > 0 && !supported {
            break;
        }
        count += u64::from(k);
        sum += element_of::<T>(u64::from(k)) * z;
        tau = (sum - T::ONE) / element_of(count);
    }
    tau
}

/// Calls `f` with the offset of each grounding as often as it counts.
fn each_copy(offsets: &[u32], mult: Option<&[u32]>, mut f: impl FnMut(u32)) {
    for (i, &o) in offsets.iter().enumerate() {
        for _ in 0..times_of(mult, i) {
            f(o);
        }
    }
}

/// The values of one grounding, as a block of one row. `ends` are 0 and their number.
fn row_of<'a>(ends: &'a [u32; 2], offsets: &'a [u32], mult: Option<&'a [u32]>) -> Rows<'a> {
    Rows::Segments(ends, offsets, mult.unwrap_or_default())
}

/// y = the population variance; `mean` (zeroed, of y's length) receives the mean.
fn variance<T: Real>(values: &[T], offsets: &[u32], mult: Option<&[u32]>, mean: &mut [T], y: &mut [T]) {
    let n = element_of::<T>(count_of(mult, offsets.len()));
    let ends = [0, offsets.len() as u32];
    sum_rows(values, row_of(&ends, offsets, mult), Mean::Yes, mean.len(), mean);
    y.fill(T::ZERO);
    for (i, &o) in offsets.iter().enumerate() {
        let k = T::from_f64(f64::from(times_of(mult, i)));
        for ((y, &x), &mean) in y.iter_mut().zip(&values[o as usize..]).zip(&*mean) {
            let d = x - mean;
            *y += k * d * d;
        }
    }
    y.iter_mut().for_each(|v| *v /= n);
}
