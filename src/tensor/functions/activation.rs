//! Transformations: what is applied to a neuron's combined or aggregated value.

use super::{
    FnArg, ParseError, Real, bare, expects, softmax, softmax_adjoint, sparsemax, sparsemax_adjoint, total,
    whole,
};
use crate::tensor::Shape;
use crate::tensor::wide::{self, Kernel};
use std::fmt;
use std::marker::PhantomData;

/// A transformation `activation=…`. Element-wise unless said otherwise; f' is the derivative used.
///
/// Names and formulas are NeuraLogic 0.9.2's where it has the function; exact derivatives everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Activation {
    /// x.
    #[default]
    Identity,
    /// σ(x) = 1/(1+e^−x); exactly 1 above 100 and 0 below −100 (NeuraLogic). f' = y(1−y).
    Sigmoid,
    /// tanh x. f' = 1−y².
    Tanh,
    /// max(x, 0). f' = 1 for x > 0, else 0 (0 at 0).
    Relu,
    /// x for x > 0, else s·x (s = 0.01 unless given). f' = 1 or s (s at 0).
    LeakyRelu(f64),
    /// x for x > 0, else e^x − 1. f' = 1 or y+1 (1 at 0). Clevert et al. 2016.
    Elu,
    /// ½x(1 + tanh(√(2/π)(x + 0.044715x³))): the tanh form of Hendrycks & Gimpel 2016.
    Gelu,
    /// x·σ(x). Elfwing et al. 2018.
    Silu,
    /// ln(1+e^x). f' = σ(x) = 1−e^−y.
    Softplus,
    /// x clipped to [−1, 1]. f' = 1 strictly inside, else 0.
    HardTanh,
    /// σ(6x + ½): the soft Łukasiewicz unit of NeuraLogic. f' = 6y(1−y).
    Lukasiewicz,
    /// 1 for x > 0, else 0 (NeuraLogic's step). f' = 0.
    Signum,
    /// e^x.
    Exp,
    /// ln x. f' = 1/x.
    Log,
    /// √x. f' = 1/(2y): ∞ at 0.
    Sqrt,
    /// 1/√x. f' = −y³/2.
    Rsqrt,
    /// 1/x. f' = −y².
    Inverse,
    /// x².
    Square,
    /// |x|. f' = sign x, 0 at 0.
    Abs,
    /// x^p. f' = p·x^(p−1), 0 for p = 0.
    Pow(f64),
    /// sin x.
    Sin,
    /// cos x.
    Cos,
    /// x clipped to [a, b]. f' = 1 strictly inside, else 0.
    Clip(f64, f64),
    /// 1−x: the soft negation.
    Reverse,
    /// Joint: e^(x_i−max)/Σ over all elements, shape kept; 1 for a scalar.
    Softmax,
    /// Joint: projection onto the simplex (Martins & Astudillo 2016) of all elements, shape kept.
    Sparsemax,
    /// Joint: x_i − ln Σ e^x_j over all elements, shape kept.
    LogSoftmax,
    /// Joint: (x−mean)/√(var+1e−10) with the population variance of all elements, no gain and bias (NeuraLogic).
    Norm,
    /// Joint: x/‖x‖₂ over all elements; 0 stays 0 and gets no gradient.
    L2Norm,
    /// Joint: rows and columns exchanged.
    Transpose,
    /// Joint: the half-open range of rows, and of columns if given; one range on a row vector cuts its columns.
    Slice((u32, u32), Option<(u32, u32)>),
    /// Joint: the same elements in row-major order under another shape.
    Reshape(Shape),
}

use Activation as A;

/// Runs `$run` with `$f` bound to the element-wise function; `$joint` for the others. One expansion per function
/// keeps the match outside of the loop.
macro_rules! with_function {
    ($self:expr, $f:ident => $run:expr, $joint:expr) => {{
        macro_rules! go {
            ($e:expr) => {{
                let $f = $e;
                $run
            }};
        }
        let c = T::from_f64;
        match $self {
            A::Identity => go!(|x: T| x),
            A::Sigmoid => go!(|x: T| sigmoid(x)),
            A::Tanh => go!(|x: T| x.tanh()),
            A::Relu => go!(|x: T| if x < T::ZERO { T::ZERO } else { x }),
            A::LeakyRelu(s) => {
                let s = c(s);
                go!(|x: T| if x > T::ZERO { x } else { s * x })
            }
            A::Elu => go!(|x: T| if x > T::ZERO { x } else { x.exp_m1() }),
            A::Gelu => go!(|x: T| c(0.5) * x * (T::ONE + gelu_inner(x).tanh())),
            A::Silu => go!(|x: T| x * logistic(x)),
            A::Softplus => go!(|x: T| {
                let tail = (-x.abs()).exp().ln_1p_unit();
                if x > T::ZERO { x + tail } else { tail }
            }),
            A::HardTanh => go!(|x: T| clip(x, -T::ONE, T::ONE)),
            A::Lukasiewicz => go!(|x: T| sigmoid(c(6.0) * x + c(0.5))),
            A::Signum => go!(|x: T| if x > T::ZERO { T::ONE } else { T::ZERO }),
            A::Exp => go!(|x: T| x.exp()),
            A::Log => go!(|x: T| x.ln()),
            A::Sqrt => go!(|x: T| x.sqrt()),
            A::Rsqrt => go!(|x: T| T::ONE / x.sqrt()),
            A::Inverse => go!(|x: T| T::ONE / x),
            A::Square => go!(|x: T| x * x),
            A::Abs => go!(|x: T| x.abs()),
            A::Pow(p) => {
                let p = c(p);
                go!(|x: T| x.powf(p))
            }
            A::Sin => go!(|x: T| x.sin()),
            A::Cos => go!(|x: T| x.cos()),
            A::Clip(a, b) => {
                let (a, b) = (c(a), c(b));
                go!(|x: T| clip(x, a, b))
            }
            A::Reverse => go!(|x: T| T::ONE - x),
            A::Softmax | A::Sparsemax | A::LogSoftmax | A::Norm | A::L2Norm => $joint,
            A::Transpose | A::Slice(..) | A::Reshape(_) => $joint,
        }
    }};
}

/// Runs `$run` with `$d` bound to the derivative as a function of the output; `$other` where the output does not
/// tell it.
macro_rules! with_derivative_of_output {
    ($self:expr, $d:ident => $run:expr, $other:expr) => {{
        macro_rules! go {
            ($e:expr) => {{
                let $d = $e;
                $run
            }};
        }
        let c = T::from_f64;
        let step = |inside: bool, outside: T| if inside { T::ONE } else { outside };
        match $self {
            A::Identity => go!(|_: T| T::ONE),
            A::Sigmoid => go!(|y: T| y * (T::ONE - y)),
            A::Tanh => go!(|y: T| T::ONE - y * y),
            A::Relu => go!(|y: T| step(y > T::ZERO, T::ZERO)),
            A::LeakyRelu(s) if s > 0.0 => {
                let s = c(s);
                go!(|y: T| step(y > T::ZERO, s))
            }
            A::Elu => go!(|y: T| step(y > T::ZERO, y + T::ONE)),
            A::Softplus => go!(|y: T| -(-y).exp_m1()),
            A::HardTanh => go!(|y: T| step(y > -T::ONE && y < T::ONE, T::ZERO)),
            A::Clip(a, b) => {
                let (a, b) = (c(a), c(b));
                go!(|y: T| step(y > a && y < b, T::ZERO))
            }
            A::Lukasiewicz => go!(|y: T| c(6.0) * y * (T::ONE - y)),
            A::Signum => go!(|_: T| T::ZERO),
            A::Exp => go!(|y: T| y),
            // The length of a zero vector, a root of squares, has the gradient 0, and none that ends all training.
            A::Sqrt => go!(|y: T| if y == T::ZERO { T::ZERO } else { c(0.5) / y }),
            A::Rsqrt => go!(|y: T| c(-0.5) * y * y * y),
            A::Inverse => go!(|y: T| -(y * y)),
            A::Reverse => go!(|_: T| -T::ONE),
            _ => $other,
        }
    }};
}

impl Activation {
    /// Reads `name(args)`.
    pub fn parse(name: &str, args: &[FnArg]) -> Result<Self, ParseError> {
        let plain = |a| bare(name, args, a);
        match name {
            "identity" => plain(A::Identity),
            "sigmoid" | "sigm" => plain(A::Sigmoid),
            "tanh" => plain(A::Tanh),
            "relu" => plain(A::Relu),
            "leakyrelu" => match args {
                [] => Ok(A::LeakyRelu(0.01)),
                [FnArg::Number(s)] if s.is_finite() => Ok(A::LeakyRelu(*s)),
                _ => Err(expects("`leakyrelu` takes the slope below zero, as in `leakyrelu(0.2)`")),
            },
            "elu" => plain(A::Elu),
            "gelu" => plain(A::Gelu),
            "silu" => plain(A::Silu),
            "softplus" => plain(A::Softplus),
            "hardtanh" => plain(A::HardTanh),
            "lukasiewicz" => plain(A::Lukasiewicz),
            "signum" => plain(A::Signum),
            "exp" => plain(A::Exp),
            "log" => plain(A::Log),
            "sqrt" => plain(A::Sqrt),
            "rsqrt" => plain(A::Rsqrt),
            "inverse" => plain(A::Inverse),
            "square" => plain(A::Square),
            "abs" => plain(A::Abs),
            "pow" => match args {
                [FnArg::Number(p)] if p.is_finite() => Ok(A::Pow(*p)),
                _ => Err(expects("`pow` takes the exponent, as in `pow(3)`")),
            },
            "sin" => plain(A::Sin),
            "cos" => plain(A::Cos),
            "clip" => match args {
                [FnArg::Number(a), FnArg::Number(b)] if a <= b => Ok(A::Clip(*a, *b)),
                _ => Err(expects("`clip` takes two bounds in order, as in `clip(-1, 1)`")),
            },
            "reverse" => plain(A::Reverse),
            "softmax" => plain(A::Softmax),
            "sparsemax" => plain(A::Sparsemax),
            "logsoftmax" => plain(A::LogSoftmax),
            "norm" | "layernorm" => plain(A::Norm),
            "l2norm" => plain(A::L2Norm),
            "transpose" => plain(A::Transpose),
            "slice" => {
                let range = |arg: &FnArg| match arg {
                    FnArg::Range(a, b) => whole(*a).zip(whole(*b)).filter(|(a, b)| a < b),
                    _ => None,
                };
                let wrong = || {
                    expects(
                        "`slice` takes one or two half-open ranges, as in `slice(0:8)` or `slice(0:2, 1:3)`",
                    )
                };
                match args {
                    [rows] => Ok(A::Slice(range(rows).ok_or_else(wrong)?, None)),
                    [rows, cols] => {
                        Ok(A::Slice(range(rows).ok_or_else(wrong)?, Some(range(cols).ok_or_else(wrong)?)))
                    }
                    _ => Err(wrong()),
                }
            }
            "reshape" => {
                let size = |arg: &FnArg| match arg {
                    FnArg::Number(n) => whole(*n).filter(|&n| n > 0),
                    _ => None,
                };
                let wrong = || {
                    expects("`reshape` takes one or two dimensions, as in `reshape(8)` or `reshape(4, 2)`")
                };
                let (rows, cols) = match args {
                    [rows] => (size(rows).ok_or_else(wrong)?, 1),
                    [rows, cols] => (size(rows).ok_or_else(wrong)?, size(cols).ok_or_else(wrong)?),
                    _ => return Err(wrong()),
                };
                Ok(A::Reshape(Shape { rows, cols }))
            }
            _ => Err(ParseError::Unknown),
        }
    }

    /// Every name `parse` knows, for "did you mean".
    pub fn names() -> &'static [&'static str] {
        &[
            "identity",
            "sigmoid",
            "sigm",
            "tanh",
            "relu",
            "leakyrelu",
            "elu",
            "gelu",
            "silu",
            "softplus",
            "hardtanh",
            "lukasiewicz",
            "signum",
            "exp",
            "log",
            "sqrt",
            "rsqrt",
            "inverse",
            "square",
            "abs",
            "pow",
            "sin",
            "cos",
            "clip",
            "reverse",
            "softmax",
            "sparsemax",
            "logsoftmax",
            "norm",
            "layernorm",
            "l2norm",
            "transpose",
            "slice",
            "reshape",
        ]
    }

    /// Whether it does nothing to any value.
    pub fn is_identity(&self) -> bool {
        *self == A::Identity
    }

    /// Whether each output element depends on its own input element only.
    pub fn is_elementwise(&self) -> bool {
        !matches!(
            self,
            A::Softmax
                | A::Sparsemax
                | A::LogSoftmax
                | A::Norm
                | A::L2Norm
                | A::Transpose
                | A::Slice(..)
                | A::Reshape(_)
        )
    }

    /// Whether the derivative can be computed from the output alone, so that the input may be forgotten.
    ///
    /// True at the special points too: relu and the clips map every input of slope 0 to an output that no input of
    /// slope 1 has; `leakyrelu(s)` only for s > 0, where the sign survives.
    pub fn derivative_from_output(&self) -> bool {
        type T = f64;
        with_derivative_of_output!(*self, _d => true, false)
    }

    /// The shape of f(x) for x of shape `s`; the error is a human reason.
    pub fn output_shape(&self, s: Shape) -> Result<Shape, String> {
        match *self {
            A::Transpose => Ok(s.transposed()),
            A::Reshape(to) if to.len() == s.len() => Ok(to),
            A::Reshape(to) => Err(format!("{s} has {} elements, {self} asks for {}", s.len(), to.len())),
            A::Slice(..) => {
                let ((r0, r1), (c0, c1)) = self.window(s);
                if r1 <= s.rows && c1 <= s.cols {
                    Ok(Shape { rows: r1 - r0, cols: c1 - c0 })
                } else {
                    Err(format!("{self} reaches beyond {s}"))
                }
            }
            _ => Ok(s),
        }
    }

    /// The rows and columns a slice keeps of `s`.
    fn window(&self, s: Shape) -> ((u32, u32), (u32, u32)) {
        match *self {
            A::Slice(range, None) if s.rows == 1 && s.cols > 1 => ((0, 1), range),
            A::Slice(rows, cols) => (rows, cols.unwrap_or((0, s.cols))),
            _ => ((0, s.rows), (0, s.cols)),
        }
    }

    /// y = f(x). Element-wise: any number of elements (many rows at once); joint: exactly one value of shape `s`.
    pub fn forward<T: Real>(&self, s: Shape, x: &[T], y: &mut [T]) {
        if self.is_elementwise() {
            y.copy_from_slice(x);
            self.map_in_place(y);
        } else {
            self.forward_joint(s, x, y);
        }
    }

    fn forward_joint<T: Real>(&self, s: Shape, x: &[T], y: &mut [T]) {
        match *self {
            A::Softmax => softmax(x, y),
            A::Sparsemax => sparsemax(x, y),
            A::LogSoftmax => {
                let max = x.iter().fold(-T::INFINITY, |m, &v| m.max(v));
                let lse = max + x.iter().fold(T::ZERO, |s, &v| s + (v - max).exp()).ln();
                map(x, y, |x| x - lse);
            }
            A::Norm => {
                let (mean, deviation) = moments(x);
                map(x, y, |x| (x - mean) / deviation);
            }
            A::L2Norm => {
                let norm = length(x);
                map(x, y, |x| if norm > T::ZERO { x / norm } else { x });
            }
            A::Transpose => {
                let (rows, cols) = (s.rows as usize, s.cols as usize);
                for i in 0..rows {
                    for j in 0..cols {
                        y[j * rows + i] = x[i * cols + j];
                    }
                }
            }
            A::Slice(..) => self.each_kept(s, |from, to| y[to] = x[from]),
            _ => y.copy_from_slice(x),
        }
    }

    /// Calls `f(index in x, index in y)` for the elements a slice keeps.
    fn each_kept(&self, s: Shape, mut f: impl FnMut(usize, usize)) {
        let ((r0, r1), (c0, c1)) = self.window(s);
        let mut to = 0;
        for i in r0..r1 {
            for j in c0..c1 {
                f(i as usize * s.cols as usize + j as usize, to);
                to += 1;
            }
        }
    }

    /// y = f(y) in place, any number of elements; only for functions with `derivative_from_output`.
    pub fn apply_in_place<T: Real>(&self, y: &mut [T]) {
        debug_assert!(self.derivative_from_output(), "{self} needs its input for the gradient");
        self.map_in_place(y);
    }

    /// y = f(y) in place for element-wise functions, any number of elements.
    pub fn map_in_place<T: Real>(&self, y: &mut [T]) {
        if !self.is_identity() {
            wide::run::<InPlace<T>>((*self, y));
        }
    }

    /// gy *= f'(x), expressed in y, in place; only for functions with `derivative_from_output`.
    pub fn scale_by_derivative<T: Real>(&self, y: &[T], gy: &mut [T]) {
        debug_assert!(self.derivative_from_output(), "{self} needs its input for the gradient");
        if !self.is_identity() {
            wide::run::<ScaleByDerivative<T>>((*self, y, gy));
        }
    }

    /// gx += Jᵀ·gy. Element-wise: any number of elements; joint: exactly one value of shape `s` (the input's).
    pub fn backward<T: Real>(&self, s: Shape, x: &[T], y: &[T], gy: &[T], gx: &mut [T]) {
        with_derivative_of_output!(*self, d => {
            for ((gx, &gy), &y) in gx.iter_mut().zip(gy).zip(y) {
                *gx += gy * d(y);
            }
        }, self.backward_from_input(s, x, y, gy, gx));
    }

    fn backward_from_input<T: Real>(&self, s: Shape, x: &[T], y: &[T], gy: &[T], gx: &mut [T]) {
        let c = T::from_f64;
        match *self {
            A::LeakyRelu(slope) => pull(x, gy, gx, |x| if x > T::ZERO { T::ONE } else { c(slope) }),
            A::Gelu => pull(x, gy, gx, |x| {
                let t = gelu_inner(x).tanh();
                let inner = c(GELU_SCALE) * (T::ONE + c(3.0 * GELU_CUBE) * x * x);
                c(0.5) * (T::ONE + t) + c(0.5) * x * (T::ONE - t * t) * inner
            }),
            A::Silu => pull(x, gy, gx, |x| {
                let s = logistic(x);
                s + x * s * (T::ONE - s)
            }),
            A::Log => pull(x, gy, gx, |x| T::ONE / x),
            A::Square => pull(x, gy, gx, |x| x + x),
            A::Abs => pull(x, gy, gx, |x| {
                if x > T::ZERO {
                    T::ONE
                } else if x < T::ZERO {
                    -T::ONE
                } else {
                    T::ZERO
                }
            }),
            // p·x^(p−1) would be 0·∞ at x = 0.
            A::Pow(0.0) => {}
            A::Pow(p) => pull(x, gy, gx, |x| c(p) * x.powf(c(p - 1.0))),
            A::Sin => pull(x, gy, gx, |x| x.cos()),
            A::Cos => pull(x, gy, gx, |x| -x.sin()),
            A::Softmax => softmax_adjoint(y, gy, |i, g| gx[i] += g),
            A::Sparsemax => sparsemax_adjoint(y, gy, |i, g| gx[i] += g),
            A::LogSoftmax => {
                let sum = total(gy);
                for ((gx, &g), &y) in gx.iter_mut().zip(gy).zip(y) {
                    *gx += g - y.exp() * sum;
                }
            }
            A::Norm => {
                let (_, deviation) = moments(x);
                let n = T::from_usize(x.len());
                let mean = total(gy) / n;
                let along = dot(gy, y) / n;
                for ((gx, &g), &y) in gx.iter_mut().zip(gy).zip(y) {
                    *gx += (g - mean - y * along) / deviation;
                }
            }
            A::L2Norm => {
                let norm = length(x);
                if norm > T::ZERO {
                    let along = dot(gy, y);
                    for ((gx, &g), &y) in gx.iter_mut().zip(gy).zip(y) {
                        *gx += (g - y * along) / norm;
                    }
                }
            }
            A::Transpose => {
                let (rows, cols) = (s.rows as usize, s.cols as usize);
                for i in 0..rows {
                    for j in 0..cols {
                        gx[i * cols + j] += gy[j * rows + i];
                    }
                }
            }
            A::Slice(..) => self.each_kept(s, |from, to| gx[from] += gy[to]),
            A::Reshape(_) => pull(x, gy, gx, |_| T::ONE),
            // The rest has its derivative from the output.
            _ => {}
        }
    }

    /// The factor by which initialisers enlarge a weight followed by this function (NeuraLogic 0.9.2's
    /// `ActivationGain`, after PyTorch's `calculate_gain`): 5/3 for tanh, √2 for relu, √(2/(1+s²)) for a leaky relu,
    /// else 1.
    pub fn gain(&self) -> f64 {
        match *self {
            A::Tanh => 5.0 / 3.0,
            A::Relu => std::f64::consts::SQRT_2,
            A::LeakyRelu(s) => (2.0 / (1.0 + s * s)).sqrt(),
            _ => 1.0,
        }
    }
}

/// y = f(y).
struct InPlace<T>(PhantomData<T>);

impl<T: Real> Kernel for InPlace<T> {
    type Arguments<'a> = (Activation, &'a mut [T]);

    #[inline(always)]
    fn run((activation, y): Self::Arguments<'_>) {
        with_function!(activation, f => wide::each(y, f), unreachable!("element-wise functions only"));
    }
}

/// gy *= f'(x), by y.
struct ScaleByDerivative<T>(PhantomData<T>);

impl<T: Real> Kernel for ScaleByDerivative<T> {
    type Arguments<'a> = (Activation, &'a [T], &'a mut [T]);

    #[inline(always)]
    fn run((activation, y, gy): Self::Arguments<'_>) {
        with_derivative_of_output!(activation, d => for (g, &y) in gy.iter_mut().zip(y) { *g *= d(y); }, {});
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            A::Identity => "identity",
            A::Sigmoid => "sigmoid",
            A::Tanh => "tanh",
            A::Relu => "relu",
            A::LeakyRelu(0.01) => "leakyrelu",
            A::LeakyRelu(s) => return write!(f, "leakyrelu({s})"),
            A::Elu => "elu",
            A::Gelu => "gelu",
            A::Silu => "silu",
            A::Softplus => "softplus",
            A::HardTanh => "hardtanh",
            A::Lukasiewicz => "lukasiewicz",
            A::Signum => "signum",
            A::Exp => "exp",
            A::Log => "log",
            A::Sqrt => "sqrt",
            A::Rsqrt => "rsqrt",
            A::Inverse => "inverse",
            A::Square => "square",
            A::Abs => "abs",
            A::Pow(p) => return write!(f, "pow({p})"),
            A::Sin => "sin",
            A::Cos => "cos",
            A::Clip(a, b) => return write!(f, "clip({a}, {b})"),
            A::Reverse => "reverse",
            A::Softmax => "softmax",
            A::Sparsemax => "sparsemax",
            A::LogSoftmax => "logsoftmax",
            A::Norm => "norm",
            A::L2Norm => "l2norm",
            A::Transpose => "transpose",
            A::Slice((a, b), None) => return write!(f, "slice({a}:{b})"),
            A::Slice((a, b), Some((c, d))) => return write!(f, "slice({a}:{b}, {c}:{d})"),
            A::Reshape(s) if s.cols == 1 => return write!(f, "reshape({})", s.rows),
            A::Reshape(s) => return write!(f, "reshape({}, {})", s.rows, s.cols),
        };
        f.write_str(name)
    }
}

const GELU_SCALE: f64 = 0.797_884_560_802_865_4;
const GELU_CUBE: f64 = 0.044_715;

#[inline(always)]
fn gelu_inner<T: Real>(x: T) -> T {
    T::from_f64(GELU_SCALE) * (x + T::from_f64(GELU_CUBE) * x * x * x)
}

/// 1/(1+e^−x). No overflow problem: e^∞ gives 0.
#[inline(always)]
fn logistic<T: Real>(x: T) -> T {
    T::ONE / (T::ONE + (-x).exp())
}

/// The logistic function that is exactly 0 below −100 and 1 above 100, as NeuraLogic's.
#[inline(always)]
pub fn sigmoid<T: Real>(x: T) -> T {
    if x < T::from_f64(-100.0) { T::ZERO } else { logistic(x) }
}

/// NaN passes through, unlike with max and min.
#[inline(always)]
fn clip<T: Real>(x: T, a: T, b: T) -> T {
    if x < a {
        a
    } else if x > b {
        b
    } else {
        x
    }
}

#[inline(always)]
fn map<T: Real>(x: &[T], y: &mut [T], f: impl Fn(T) -> T) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = f(x);
    }
}

/// gx += gy·d(x).
#[inline(always)]
fn pull<T: Real>(x: &[T], gy: &[T], gx: &mut [T], d: impl Fn(T) -> T) {
    for ((gx, &gy), &x) in gx.iter_mut().zip(gy).zip(x) {
        *gx += gy * d(x);
    }
}

fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).fold(T::ZERO, |s, (&a, &b)| s + a * b)
}

fn length<T: Real>(x: &[T]) -> T {
    dot(x, x).sqrt()
}

/// Mean and √(population variance + 1e−10).
fn moments<T: Real>(x: &[T]) -> (T, T) {
    let n = T::from_usize(x.len());
    let mean = total(x) / n;
    let var = x.iter().fold(T::ZERO, |s, &v| s + (v - mean) * (v - mean)) / n;
    (mean, (var + T::from_f64(1e-10)).sqrt())
}
