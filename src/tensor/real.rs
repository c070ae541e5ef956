//! The number a value's element is made of: `f64`, or `f32` where half the memory is worth more than the digits.

use super::elementary;
use std::cmp::Ordering;
use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A floating point element.
///
/// A trait of our own because `num_traits::Float` and `nalgebra::RealField` both define `exp`, `sqrt`, …, so that
/// neither can be called as a method where both are in scope. Only `Zero` and `One` are inherited: they are all
/// that nalgebra's matrix product asks of an element.
pub trait Real:
    Copy
    + PartialOrd
    + Debug
    + Display
    + Default
    + Send
    + Sync
    + 'static
    + num_traits::Zero
    + num_traits::One
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// +∞.
    const INFINITY: Self;
    /// Not a number.
    const NAN: Self;
    /// Significant bits less one (machine epsilon), for tolerances.
    const EPSILON: Self;
    /// Numbers below this are of no account beside any others, and near those that processors are slow with.
    const TINY: Self;
    /// The nearest element to a double.
    fn from_f64(x: f64) -> Self;
    /// The double of the same value.
    fn to_f64(self) -> f64;
    /// e^x.
    fn exp(self) -> Self;
    /// e^x − 1 without cancellation near 0.
    fn exp_m1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// ln(1 + x) for x from 0 to 1, without cancellation near 0.
    fn ln_1p_unit(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Sine.
    fn sin(self) -> Self;
    /// Cosine.
    fn cos(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// x^p.
    fn powf(self, p: Self) -> Self;
    /// Whether it is not a number.
    fn is_nan(self) -> bool;
    /// Whether it is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// The total order of IEEE 754, in which NaN has a place.
    fn total_cmp(&self, other: &Self) -> Ordering;
    /// The greater of two; the other one if one is NaN.
    fn max(self, other: Self) -> Self;
    /// The smaller of two; the other one if one is NaN.
    fn min(self, other: Self) -> Self;
    /// A count as an element.
    #[inline]
    fn from_usize(n: usize) -> Self {
        Self::from_f64(n as f64)
    }
}

macro_rules! real {
    ($t:ident, $elementary:ident, $tiny:literal) => {
        impl Real for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const INFINITY: Self = $t::INFINITY;
            const NAN: Self = $t::NAN;
            const EPSILON: Self = $t::EPSILON;
            const TINY: Self = $tiny;
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                elementary::$elementary::exp(self)
            }
            #[inline(always)]
            fn exp_m1(self) -> Self {
                elementary::$elementary::exp_m1(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                $t::ln(self)
            }
            #[inline(always)]
            fn ln_1p_unit(self) -> Self {
                elementary::$elementary::ln_1p_unit(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                elementary::$elementary::tanh(self)
            }
            #[inline(always)]
            fn sin(self) -> Self {
                $t::sin(self)
            }
            #[inline(always)]
            fn cos(self) -> Self {
                $t::cos(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn powf(self, p: Self) -> Self {
                $t::powf(self, p)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $t::is_nan(self)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $t::is_finite(self)
            }
            #[inline(always)]
            fn total_cmp(&self, other: &Self) -> Ordering {
                $t::total_cmp(self, other)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                $t::max(self, other)
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                $t::min(self, other)
            }
        }
    };
}
real!(f32, single, 1e-30);
real!(f64, double, 1e-280);
