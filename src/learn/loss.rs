//! Error functions of an output z and a target t, of equally many elements.

use crate::tensor::{Activation, Real, Shape};
use std::fmt;

/// An error function E(z, t); a scalar is a vector of one element, but the entropies treat it as a binary class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Loss {
    /// Cross-entropy on logits, computed stably. Scalar: ln(1+e^z) − z·t, gradient t − σ(z); vector:
    /// −Σ t_i (z_i − logsumexp z), gradient t − softmax(z)·Σt (NeuraLogic leaves out Σt, which is 1 for classes and
    /// distributions). NeuraLogic's default for classification.
    #[default]
    SoftEntropy,
    /// Cross-entropy on probabilities. Scalar, with the class t > 0.5: −ln z or −ln(1−z), clamped to 100 and with a
    /// gradient of ±1e10 where the argument of the logarithm is not positive (NeuraLogic). Vector: −Σ t_i ln z_i
    /// with ln z = −100 for z ≤ 0, gradient t_i/z_i, or t_i·1e10 where clamped.
    CrossEntropy,
    /// Σ (z−t)²: the sum, not the mean, as in NeuraLogic.
    Mse,
    /// Σ |z−t|; gradient sign(t−z), 0 at 0.
    AbsDiff,
}

/// Minus the logarithm of a probability that is not positive.
const LOG_CLAMP: f64 = 100.0;
/// The slope of the logarithm there.
const SLOPE_CLAMP: f64 = 1e10;

impl Loss {
    /// Reads a name; letter case, `_` and `-` do not matter.
    pub fn parse(name: &str) -> Option<Self> {
        let folded: String = name.chars().filter(|c| !matches!(c, '_' | '-')).collect();
        match folded.to_ascii_lowercase().as_str() {
            "softentropy" => Some(Loss::SoftEntropy),
            "crossentropy" => Some(Loss::CrossEntropy),
            "mse" | "squareddiff" => Some(Loss::Mse),
            "absdiff" | "mae" => Some(Loss::AbsDiff),
            _ => None,
        }
    }

    /// Every name `parse` knows, for "did you mean".
    pub fn names() -> &'static [&'static str] {
        &["softentropy", "crossentropy", "mse", "squared_diff", "abs_diff", "mae"]
    }

    /// Whether it compares classes (else numbers).
    pub fn is_classification(self) -> bool {
        matches!(self, Loss::SoftEntropy | Loss::CrossEntropy)
    }

    /// What the transformation of the output becomes where the template states none: with softentropy the logit is
    /// read, with crossentropy a probability; with the others the output is read as it is.
    pub fn default_output_activation(self, output: Shape) -> Activation {
        match self {
            Loss::CrossEntropy if output.is_scalar() => Activation::Sigmoid,
            Loss::CrossEntropy => Activation::Softmax,
            _ => Activation::Identity,
        }
    }

    /// E(z, t). Elements beyond the shorter of the two are ignored; callers check the shapes.
    pub fn value<T: Real>(self, z: &[T], t: &[f64]) -> f64 {
        let pairs = || z.iter().map(|z| z.to_f64()).zip(t.iter().copied());
        match (self, z) {
            (Loss::SoftEntropy, [z]) => {
                let (z, t) = (z.to_f64(), t.first().copied().unwrap_or(0.0));
                z.max(0.0) - z * t + Real::ln_1p_unit(Real::exp(-z.abs()))
            }
            (Loss::SoftEntropy, _) => joint_value(z, t),
            (Loss::CrossEntropy, [z]) => {
                let (z, t) = (z.to_f64(), t.first().copied().unwrap_or(0.0));
                minus_log(if t > 0.5 { z } else { 1.0 - z })
            }
            (Loss::CrossEntropy, _) => {
                pairs().map(|(z, t)| if t == 0.0 { 0.0 } else { t * minus_log(z) }).sum()
            }
            (Loss::Mse, _) => pairs().map(|(z, t)| (z - t) * (z - t)).sum(),
            (Loss::AbsDiff, _) => pairs().map(|(z, t)| (z - t).abs()).sum(),
        }
    }

    /// g = ∂(−E)/∂z: the direction in which z should go.
    pub fn gradient<T: Real>(self, z: &[T], t: &[f64], g: &mut [T]) {
        let each = |g: &mut [T], f: &dyn Fn(f64, f64) -> f64| {
            for ((g, z), &t) in g.iter_mut().zip(z).zip(t) {
                *g = T::from_f64(f(z.to_f64(), t));
            }
        };
        match (self, z) {
            (Loss::SoftEntropy, [_]) => each(g, &|z, t| t - probability(z)),
            (Loss::SoftEntropy, _) => joint_gradient(z, t, g),
            (Loss::CrossEntropy, [_]) => {
                each(g, &|z, t| if t > 0.5 { log_slope(z) } else { -log_slope(1.0 - z) });
            }
            (Loss::CrossEntropy, _) => each(g, &|z, t| if t == 0.0 { 0.0 } else { t * log_slope(z) }),
            (Loss::Mse, _) => each(g, &|z, t| 2.0 * (t - z)),
            (Loss::AbsDiff, _) => each(g, &|z, t| if z == t { 0.0 } else { (t - z).signum() }),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Loss::SoftEntropy => "softentropy",
            Loss::CrossEntropy => "crossentropy",
            Loss::Mse => "mse",
            Loss::AbsDiff => "abs_diff",
        })
    }
}

/// −Σ t_i (z_i − logsumexp z): the cross-entropy of a softmax over logits, however many they are.
pub fn joint_value<T: Real>(z: &[T], t: &[f64]) -> f64 {
    let (max, sum) = exponentials(z);
    let lse = max + sum.ln();
    z.iter().zip(t).map(|(z, &t)| if t == 0.0 { 0.0 } else { t * (lse - z.to_f64()) }).sum()
}

/// The gradient of the negative: t − softmax(z)·Σt.
pub fn joint_gradient<T: Real>(z: &[T], t: &[f64], g: &mut [T]) {
    let (max, sum) = exponentials(z);
    let mass: f64 = t.iter().sum();
    for ((g, z), &t) in g.iter_mut().zip(z).zip(t) {
        *g = T::from_f64(t - Real::exp(z.to_f64() - max) / sum * mass);
    }
}

/// softmax(z).
pub fn softmax(z: &[f64]) -> Vec<f64> {
    let (max, sum) = exponentials(z);
    z.iter().map(|z| Real::exp(z - max) / sum).collect()
}

/// σ(z).
pub(super) fn probability(z: f64) -> f64 {
    crate::tensor::functions::activation::sigmoid(z)
}

/// max z and Σ e^(z_i − max).
pub(super) fn exponentials<T: Real>(z: &[T]) -> (f64, f64) {
    let max = z.iter().fold(f64::NEG_INFINITY, |m, z| m.max(z.to_f64()));
    (max, z.iter().map(|z| Real::exp(z.to_f64() - max)).sum())
}

fn minus_log(p: f64) -> f64 {
    if p <= 0.0 { LOG_CLAMP } else { -p.ln() }
}

fn log_slope(p: f64) -> f64 {
    if p <= 0.0 { SLOPE_CLAMP } else { 1.0 / p }
}
