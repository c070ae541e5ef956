//! The functions of a template by name: transformations, combinations, aggregations, each with its adjoint beside it.
//!
//! All gradients are exact vector–Jacobian products of the forward formula; a broadcast scalar gets the sum. Where a
//! function has a kink, the chosen one-sided derivative is documented with it.

pub mod activation;
pub mod aggregation;
pub mod combination;
pub mod interval;

pub use activation::Activation;
pub use aggregation::{Aggregation, StdKind};
pub use combination::Combination;

use super::real::Real;

/// An argument as written in `name(arg, …)`.
#[derive(Debug, Clone, PartialEq)]
pub enum FnArg {
    /// `0.2`
    Number(f64),
    /// `0:8`
    Range(f64, f64),
    /// `Y`
    Variable(String),
    /// `relu`
    Word(String),
}

/// Why a function could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseError {
    /// No function of that name; `names()` has the candidates.
    Unknown,
    /// The name is right, its arguments are not; the text says what they must be.
    Args(String),
}

/// The error for arguments that are not of the stated form.
fn expects(what: impl Into<String>) -> ParseError {
    ParseError::Args(what.into())
}

/// `value` if there are no arguments, else an error.
fn bare<F>(name: &str, args: &[FnArg], value: F) -> Result<F, ParseError> {
    if args.is_empty() { Ok(value) } else { Err(expects(format!("`{name}` takes no arguments"))) }
}

/// A whole number that fits a dimension.
fn whole(x: f64) -> Option<u32> {
    (x >= 0.0 && x <= f64::from(u32::MAX) && x.fract() == 0.0).then_some(x as u32)
}

/// Whether `x` takes the place of `best` in a maximum (`up`) or a minimum: it is greater (smaller), or the first NaN. So
/// a NaN is the result wherever it stands; of equal values the first stays.
#[inline(always)]
fn beats<T: Real>(up: bool, x: T, best: T) -> bool {
    (if up { x > best } else { x < best }) | (x.is_nan() & !best.is_nan())
}

/// y = softmax(x), shifted by the maximum so that no exponential overflows.
fn softmax<T: Real>(x: &[T], y: &mut [T]) {
    let max = x.iter().fold(-T::INFINITY, |m, &v| m.max(v));
    for (y, &x) in y.iter_mut().zip(x) {
        *y = x - max;
    }
    Activation::Exp.map_in_place(y);
    let total = total(y);
    for y in y {
        *y /= total;
    }
}

/// y = sparsemax(x), the Euclidean projection onto the simplex (Martins & Astudillo 2016, algorithm 1).
fn sparsemax<T: Real>(x: &[T], y: &mut [T]) {
    // `y` serves as the sorting space: nothing else is needed.
    y.copy_from_slice(x);
    y.sort_unstable_by(|a, b| b.total_cmp(a));
    let (mut sum, mut tau) = (T::ZERO, T::ZERO);
    for (k, &z) in y.iter().enumerate() {
        let n = T::from_usize(k + 1);
        // A NaN sorts first and makes every later test false, so that it spreads as it should.
        let supported = T::ONE + n * z > sum + z;
        if k > 0 && !supported {
            break;
        }
        sum += z;
        tau = (sum - T::ONE) / n;
    }
    for (y, &x) in y.iter_mut().zip(x) {
        let d = x - tau;
        *y = if d < T::ZERO { T::ZERO } else { d };
    }
}

/// gx += Jᵀ gy of softmax, J = diag(y) − y yᵀ; `gx(i)` is called with the gradient of element i.
fn softmax_adjoint<T: Real>(y: &[T], gy: &[T], mut gx: impl FnMut(usize, T)) {
    let dot = y.iter().zip(gy).fold(T::ZERO, |s, (&y, &g)| s + y * g);
    for (i, (&y, &g)) in y.iter().zip(gy).enumerate() {
        gx(i, y * (g - dot));
    }
}

/// gx += Jᵀ gy of sparsemax: on the support S (y > 0) J = δ − 1/|S|, 0 elsewhere.
fn sparsemax_adjoint<T: Real>(y: &[T], gy: &[T], mut gx: impl FnMut(usize, T)) {
    let (mut sum, mut size) = (T::ZERO, 0);
    for (&y, &g) in y.iter().zip(gy) {
        if y > T::ZERO {
            sum += g;
            size += 1;
        }
    }
    let mean = sum / T::from_usize(size.max(1));
    for (i, (&y, &g)) in y.iter().zip(gy).enumerate() {
        if y > T::ZERO {
            gx(i, g - mean);
        }
    }
}

/// Σ of a slice, left to right.
#[inline]
fn total<T: Real>(x: &[T]) -> T {
    x.iter().fold(T::ZERO, |s, &v| s + v)
}

#[cfg(test)]
mod tests;
