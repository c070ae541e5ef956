//! Every function by name: its value against a formula written anew, its gradient against central differences.

use super::*;
use crate::base::rng::Stream;
use crate::tensor::Shape;
use FnArg::{Number, Range, Variable, Word};

fn s(rows: usize, cols: usize) -> Shape {
    Shape::new(rows, cols)
}

fn random(stream: &mut Stream, n: usize) -> Vec<f64> {
    (0..n).map(|_| stream.normal()).collect()
}

/// Checks `gradient` (of Σ c·f(x)) against central differences of `f` at `x`.
fn check(what: &str, x: &[f64], c: &[f64], gradient: &[f64], f: impl Fn(&[f64]) -> Vec<f64>) {
    let value = |x: &[f64]| f(x).iter().zip(c).map(|(y, c)| y * c).sum::<f64>();
    for i in 0..x.len() {
        let h = 1e-5 * (1.0 + x[i].abs());
        let (mut up, mut down) = (x.to_vec(), x.to_vec());
        up[i] += h;
        down[i] -= h;
        let numeric = (value(&up) - value(&down)) / (2.0 * h);
        let scale = 1.0 + numeric.abs();
        assert!(
            (numeric - gradient[i]).abs() < 2e-7 * scale,
            "{what}, element {i}: {numeric} vs {}",
            gradient[i]
        );
    }
}

fn close(what: &str, a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{what}: {a} vs {b}");
    }
}

fn narrow(x: &[f64]) -> Vec<f32> {
    x.iter().map(|&v| v as f32).collect()
}

fn close_f32(what: &str, a: &[f32], b: &[f64]) {
    for (a, b) in a.iter().zip(b) {
        assert!((f64::from(*a) - b).abs() <= 1e-4 * (1.0 + b.abs()), "{what}: {a} vs {b}");
    }
}

/// Argument lists to try for an activation applied to shape `shape`.
fn activation_args(name: &str, shape: Shape) -> Vec<Vec<FnArg>> {
    match name {
        "leakyrelu" => vec![vec![], vec![Number(0.2)], vec![Number(0.0)], vec![Number(-0.5)]],
        "pow" => [0.0, 1.0, 2.0, 3.0, -2.0, 0.5].map(|p| vec![Number(p)]).into(),
        "clip" => vec![vec![Number(-0.5), Number(0.75)]],
        "slice" if shape.is_scalar() => vec![vec![Range(0.0, 1.0)]],
        "slice" if shape.is_vector() => vec![vec![Range(1.0, 3.0)], vec![Range(0.0, shape.len() as f64)]],
        "slice" => vec![vec![Range(1.0, 2.0)], vec![Range(0.0, 2.0), Range(1.0, 3.0)]],
        "reshape" => {
            let n = shape.len() as f64;
            vec![vec![Number(n)], vec![Number(1.0), Number(n)]]
        }
        _ => vec![vec![]],
    }
}

/// The element-wise functions again, in other words.
fn elementwise_formula(name: &str, args: &[FnArg], x: f64) -> Option<f64> {
    let arg = |i: usize, default: f64| match args.get(i) {
        Some(Number(v)) => *v,
        _ => default,
    };
    Some(match name {
        "identity" => x,
        "sigmoid" | "sigm" => 0.5 * (1.0 + (0.5 * x).tanh()),
        "tanh" => 1.0 - 2.0 / ((2.0 * x).exp() + 1.0),
        "relu" => (x + x.abs()) / 2.0,
        "leakyrelu" => x.max(0.0) + arg(0, 0.01) * x.min(0.0),
        "elu" => x.max(0.0) + x.min(0.0).exp() - 1.0,
        "gelu" => {
            // tanh u = 2σ(2u) − 1
            let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
            x / (1.0 + (-2.0 * u).exp())
        }
        "silu" => x * x.exp() / (1.0 + x.exp()),
        "softplus" => (1.0 + x.exp()).ln(),
        "hardtanh" => x.clamp(-1.0, 1.0),
        "lukasiewicz" => 1.0 / (1.0 + (-6.0 * x - 0.5).exp()),
        "signum" => f64::from(x > 0.0),
        "exp" => std::f64::consts::E.powf(x),
        "log" => x.log2() * std::f64::consts::LN_2,
        "sqrt" => x.powf(0.5),
        "rsqrt" => x.powf(-0.5),
        "inverse" => x.powi(-1),
        "square" => x.powi(2),
        "abs" => (x * x).sqrt(),
        "pow" if arg(0, 0.0).fract() == 0.0 => x.powi(arg(0, 0.0) as i32),
        "pow" => (arg(0, 0.0) * x.ln()).exp(),
        "sin" => 2.0 * (x / 2.0).sin() * (x / 2.0).cos(),
        "cos" => (1.0 - 2.0 * (x / 2.0).sin().powi(2)).clamp(-1.0, 1.0),
        "clip" => x.max(arg(0, 0.0)).min(arg(1, 0.0)),
        "reverse" => -(x - 1.0),
        _ => return None,
    })
}

/// The joint functions again, in other words.
fn joint_formula(name: &str, args: &[FnArg], shape: Shape, x: &[f64]) -> Vec<f64> {
    let n = x.len() as f64;
    match name {
        "softmax" => x.iter().map(|a| 1.0 / x.iter().map(|b| (b - a).exp()).sum::<f64>()).collect(),
        "logsoftmax" => x.iter().map(|a| -x.iter().map(|b| (b - a).exp()).sum::<f64>().ln()).collect(),
        "sparsemax" => {
            // Bisection for the threshold at which the clipped differences sum to 1.
            let (mut low, mut high) = (-100.0, 100.0);
            for _ in 0..200 {
                let mid = 0.5 * (low + high);
                if x.iter().map(|v| f64::max(v - mid, 0.0)).sum::<f64>() > 1.0 {
                    low = mid
                } else {
                    high = mid
                }
            }
            x.iter().map(|v| f64::max(v - low, 0.0)).collect()
        }
        "norm" | "layernorm" => {
            let mean = x.iter().sum::<f64>() / n;
            let var = x.iter().map(|v| v * v).sum::<f64>() / n - mean * mean;
            x.iter().map(|v| (v - mean) * (var + 1e-10).powf(-0.5)).collect()
        }
        "l2norm" => {
            let squares: f64 = x.iter().map(|v| v * v).sum();
            x.iter().map(|v| v.signum() * (v * v / squares).sqrt()).collect()
        }
        "transpose" => {
            let (r, c) = (shape.rows as usize, shape.cols as usize);
            (0..r * c).map(|e| x[(e % r) * c + e / r]).collect()
        }
        "slice" => {
            let (r, c) = (shape.rows as usize, shape.cols as usize);
            let range = |i: usize, all: usize| match args.get(i) {
                Some(Range(a, b)) => *a as usize..*b as usize,
                _ => 0..all,
            };
            let (rows, cols) = if r == 1 && c > 1 { (0..1, range(0, c)) } else { (range(0, r), range(1, c)) };
            rows.flat_map(|i| cols.clone().map(move |j| x[i * c + j])).collect()
        }
        "reshape" => x.to_vec(),
        _ => panic!("no formula for {name}: add one"),
    }
}

const SHAPES: [(usize, usize); 4] = [(1, 1), (5, 1), (1, 4), (3, 4)];

#[test]
fn activations_and_their_gradients() {
    for &name in Activation::names() {
        for (rows, cols) in SHAPES {
            let shape = s(rows, cols);
            for args in activation_args(name, shape) {
                let f = Activation::parse(name, &args).expect("a name with fitting arguments");
                let what = format!("{f} of {shape}");
                let out = f.output_shape(shape).expect("the shapes fit");
                for seed in 0..4 {
                    let mut stream = Stream::new(seed, name);
                    let mut x = random(&mut stream, shape.len());
                    let fractional = matches!(f, Activation::Pow(p) if p.fract() != 0.0);
                    if fractional || ["log", "sqrt", "rsqrt", "inverse"].contains(&name) {
                        x.iter_mut().for_each(|v| *v = v.abs() + 0.3);
                    }
                    if name == "pow" {
                        x.iter_mut().for_each(|v| *v += 0.5f64.copysign(*v));
                    }
                    if name == "norm" && shape.is_scalar() {
                        continue; // 0, with a slope of no meaning below the 1e-10
                    }
                    activation_at(&what, f, shape, out, &x, &mut stream);
                    let expected: Vec<f64> = if f.is_elementwise() {
                        x.iter()
                            .map(|&v| elementwise_formula(name, &args, v).expect("the test writes it so"))
                            .collect()
                    } else {
                        joint_formula(name, &args, shape, &x)
                    };
                    let mut y = vec![0.0; out.len()];
                    f.forward(shape, &x, &mut y);
                    if !(name.ends_with("norm") && shape.is_scalar()) {
                        close(&what, &y, &expected);
                    }
                }
            }
        }
    }
}

fn activation_at(what: &str, f: Activation, shape: Shape, out: Shape, x: &[f64], stream: &mut Stream) {
    let eval = |x: &[f64]| {
        let mut y = vec![f64::NAN; out.len()];
        f.forward(shape, x, &mut y);
        y
    };
    let (y, gy) = (eval(x), random(stream, out.len()));
    // Gradients are added to what is there.
    let mut gx = vec![1.0; x.len()];
    f.backward(shape, x, &y, &gy, &mut gx);
    gx.iter_mut().for_each(|g| *g -= 1.0);
    if !(f == Activation::Norm && shape.is_scalar()) {
        check(what, x, &gy, &gx, eval);
    }
    if f.derivative_from_output() {
        assert!(f.is_elementwise(), "{what}");
        let (mut in_place, mut scaled) = (x.to_vec(), gy.clone());
        f.apply_in_place(&mut in_place);
        assert_eq!(in_place, y, "{what}");
        f.scale_by_derivative(&y, &mut scaled);
        close(what, &scaled, &gx);
    }
    let (x32, mut y32, mut g32) = (narrow(x), vec![0.0f32; out.len()], vec![0.0f32; x.len()]);
    f.forward(shape, &x32, &mut y32);
    close_f32(what, &y32, &y);
    f.backward(shape, &x32, &y32, &narrow(&gy), &mut g32);
    close_f32(what, &g32, &gx);
}

#[test]
fn element_wise_functions_take_many_rows() {
    let x: Vec<f64> = (0..12).map(|i| f64::from(i) * 0.25 + 0.1).collect();
    for &name in Activation::names() {
        let f = Activation::parse(name, &activation_args(name, s(12, 1))[0])
            .expect("a name with fitting arguments");
        if f.is_elementwise() {
            let (mut all, mut parts) = (vec![0.0; 12], vec![0.0; 12]);
            f.forward(Shape::SCALAR, &x, &mut all);
            x.chunks(5).zip(parts.chunks_mut(5)).for_each(|(x, y)| f.forward(Shape::SCALAR, x, y));
            assert_eq!(all, parts, "{name}");
        }
    }
}

#[test]
fn special_points() {
    let at = |f: Activation, x: f64| {
        let (mut y, mut g) = ([0.0], [0.0]);
        f.forward(Shape::SCALAR, &[x], &mut y);
        f.backward(Shape::SCALAR, &[x], &y, &[1.0], &mut g);
        (y[0], g[0])
    };
    assert_eq!(at(Activation::Relu, 0.0), (0.0, 0.0));
    assert_eq!(at(Activation::Relu, -0.0), (0.0, 0.0));
    assert_eq!(at(Activation::LeakyRelu(0.25), 0.0), (0.0, 0.25));
    assert_eq!(at(Activation::LeakyRelu(-1.0), -2.0), (2.0, -1.0));
    assert!(!Activation::LeakyRelu(-1.0).derivative_from_output());
    assert_eq!(at(Activation::Elu, 0.0), (0.0, 1.0));
    assert_eq!(at(Activation::Abs, 0.0), (0.0, 0.0));
    assert_eq!(at(Activation::Pow(0.0), 0.0), (1.0, 0.0));
    assert_eq!(at(Activation::Signum, 0.0), (0.0, 0.0));
    assert_eq!(at(Activation::HardTanh, 1.0), (1.0, 0.0));
    assert_eq!(at(Activation::Clip(0.0, 2.0), 0.0), (0.0, 0.0));
    assert_eq!(at(Activation::Sigmoid, 101.0), (1.0, 0.0));
    assert_eq!(at(Activation::Sigmoid, -101.0), (0.0, 0.0));
    assert_eq!(at(Activation::Sqrt, 0.0), (0.0, 0.0));
    assert_eq!(at(Activation::Softplus, 1000.0), (1000.0, 1.0));
    assert_eq!(at(Activation::Softplus, -1000.0), (0.0, 0.0));
    for f in
        [Activation::Relu, Activation::HardTanh, Activation::Elu, Activation::Softplus, Activation::Sigmoid]
    {
        assert!(at(f, f64::NAN).0.is_nan(), "{f} hides a NaN");
    }
    let (mut y, mut g) = ([1.0; 3], [0.0; 3]);
    Activation::L2Norm.forward(s(3, 1), &[0.0; 3], &mut y);
    Activation::L2Norm.backward(s(3, 1), &[0.0; 3], &y, &[1.0; 3], &mut g);
    assert_eq!((y, g), ([0.0; 3], [0.0; 3]));
    // Large logits do not overflow.
    Activation::Softmax.forward(s(3, 1), &[1000.0, 1000.0, -1000.0], &mut y);
    assert_eq!(y, [0.5, 0.5, 0.0]);
    Activation::Sparsemax.forward(s(3, 1), &[0.5, 0.5, -3.0], &mut y);
    assert_eq!(y, [0.5, 0.5, 0.0]);
    for f in [Activation::Softmax, Activation::Sparsemax, Activation::LogSoftmax] {
        f.forward(s(3, 1), &[1.0, f64::NAN, 0.0], &mut y);
        assert!(y.iter().all(|v| v.is_nan()), "{f} hides a NaN: {y:?}");
    }
    assert_eq!(Activation::Tanh.gain(), 5.0 / 3.0);
    assert_eq!(Activation::LeakyRelu(1.0).gain(), 1.0);
}

#[test]
fn joint_shapes() {
    let shape = |f: Activation, s: Shape| f.output_shape(s);
    assert_eq!(shape(Activation::Transpose, s(3, 2)), Ok(s(2, 3)));
    assert_eq!(shape(Activation::Reshape(s(6, 1)), s(3, 2)), Ok(s(6, 1)));
    assert!(shape(Activation::Reshape(s(5, 1)), s(3, 2)).is_err());
    assert_eq!(shape(Activation::Slice((1, 3), None), s(3, 2)), Ok(s(2, 2)));
    assert_eq!(shape(Activation::Slice((1, 3), None), s(1, 4)), Ok(s(1, 2)));
    assert_eq!(shape(Activation::Slice((1, 3), Some((0, 1))), s(3, 2)), Ok(s(2, 1)));
    assert!(shape(Activation::Slice((1, 4), None), s(3, 2)).is_err());
}

/// Reads a displayed function back: the arguments of the text form.
fn read<F>(text: &str, parse: fn(&str, &[FnArg]) -> Result<F, ParseError>) -> F {
    let (name, args) = text.split_once('(').unwrap_or((text, ")"));
    let args = args.strip_suffix(')').expect("the test writes it so");
    let args: Vec<FnArg> = (args.split(',').map(str::trim).filter(|a| !a.is_empty()))
        .map(|a| match a.split_once(':') {
            Some((a, b)) => {
                Range(a.parse().expect("the test writes it so"), b.parse().expect("the test writes it so"))
            }
            None if a.parse::<f64>().is_ok() => Number(a.parse().expect("the test writes it so")),
            None if a.starts_with(char::is_uppercase) => Variable(a.into()),
            None => Word(a.into()),
        })
        .collect();
    parse(name, &args).expect("the test writes it so")
}

#[test]
fn text_forms_round_trip() {
    for &name in Activation::names() {
        for args in activation_args(name, s(3, 4)) {
            let f = Activation::parse(name, &args).expect("a name with fitting arguments");
            assert_eq!(read(&f.to_string(), Activation::parse), f);
        }
    }
    for &name in Combination::names() {
        for args in combination_args(name) {
            let f = Combination::parse(name, &args).expect("a name with fitting arguments");
            assert_eq!(read(&f.to_string(), Combination::parse), f);
        }
    }
    for &name in Aggregation::names() {
        for args in aggregation_args(name) {
            let f = Aggregation::parse(name, &args).expect("a name with fitting arguments");
            assert_eq!(read(&f.to_string(), Aggregation::parse), f);
        }
    }
    let grouped = Aggregation::parse("softmax", &[Variable("Y".into()), Variable("Z".into())])
        .expect("a name with fitting arguments");
    assert_eq!(grouped.to_string(), "softmax(Y, Z)");
    assert!(
        grouped
            .output_shape(Shape::SCALAR, 3)
            .expect_err("this must be refused")
            .contains("belongs to a rule")
    );
}

#[test]
fn wrong_names_and_arguments() {
    assert_eq!(Activation::parse("tahn", &[]), Err(ParseError::Unknown));
    let wrong: [(&str, Vec<FnArg>); 9] = [
        ("tanh", vec![Number(1.0)]),
        ("pow", vec![]),
        ("pow", vec![Number(f64::NAN)]),
        ("clip", vec![Number(2.0), Number(1.0)]),
        ("slice", vec![Range(3.0, 3.0)]),
        ("slice", vec![Range(-1.0, 3.0)]),
        ("slice", vec![Range(0.5, 3.0)]),
        ("reshape", vec![Number(0.0)]),
        ("reshape", vec![Number(1e300)]),
    ];
    for (name, args) in wrong {
        assert!(matches!(Activation::parse(name, &args), Err(ParseError::Args(_))), "{name} {args:?}");
    }
    assert!(matches!(Combination::parse("sum", &[Word("x".into())]), Err(ParseError::Args(_))));
    assert!(matches!(Combination::parse("concat", &[Number(2.0)]), Err(ParseError::Args(_))));
    assert_eq!(Combination::parse("quantile", &[]), Err(ParseError::Unknown));
    assert!(matches!(Aggregation::parse("quantile", &[Number(1.5)]), Err(ParseError::Args(_))));
    assert!(matches!(Aggregation::parse("std", &[Word("elu".into())]), Err(ParseError::Args(_))));
    assert!(matches!(Aggregation::parse("softmax", &[Number(1.0)]), Err(ParseError::Args(_))));
}

fn combination_args(name: &str) -> Vec<Vec<FnArg>> {
    if name == "concat" { vec![vec![], vec![Number(0.0)]] } else { vec![vec![]] }
}

fn aggregation_args(name: &str) -> Vec<Vec<FnArg>> {
    match name {
        "std" => vec![vec![], vec![Word("relu".into())], vec![Word("clamp".into())]],
        "quantile" => [0.0, 0.25, 0.3, 1.0].map(|q| vec![Number(q)]).into(),
        _ => vec![vec![]],
    }
}

mod gathered;
mod interval;
