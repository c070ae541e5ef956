//! Layers, sequences and trees against their formulas, written with loops over matrices.

mod attention;
mod convolution;
mod dropout;
mod recurrent;
mod trees;

use crate::harness::{Matrix, agree};
use crate::kit::{Weights, column, golden, normal, outputs, relu, rows, sequence, sigmoid, vectors};

#[test]
fn linear_layers() {
    let x = vectors(4, 3, 1);
    for (options, bias, act) in [
        ("", false, (|v| v) as fn(f64) -> f64),
        (", tanh", false, f64::tanh),
        (", bias = 1, act = sigmoid", true, sigmoid),
    ] {
        let template = format!("import nn/linear. @use linear(x, h, 3, 2{options}).");
        agree(&template, &sequence(&x), |w| {
            let mut w = Weights::of(w);
            let (m, b) = (w.take(2, 3), w.bias(bias, 2));
            w.end();
            outputs(x.iter().map(|x| (m * x + &b).map(act)))
        });
    }
}

#[test]
fn layers_of_a_whole_example() {
    let x = vectors(1, 3, 2);
    let data = crate::kit::fact(&x[0], "x") + "?- h.";
    for bias in [0, 1] {
        let template = format!(
            "import nn/linear. import nn/mlp.
             @use linear0(x, y, 3, 4, tanh, bias = {bias}). @use mlp0(y, h, {{4,3,2}}, sigmoid, bias = {bias})."
        );
        agree(&template, &data, |w| {
            let mut w = Weights::of(w);
            let mut layer = |x: &Matrix, rows| {
                let (m, b) = (w.take(rows, x.nrows()), w.bias(bias == 1, rows));
                m * x + b
            };
            let y = layer(&x[0], 4).map(f64::tanh);
            let z = layer(&y, 3).map(sigmoid);
            vec![("h".into(), layer(&z, 2))]
        });
    }
}

#[test]
fn perceptrons() {
    let x = vectors(4, 3, 3);
    type Act = fn(f64) -> f64;
    let (none, softplus): (Act, Act) = (|v| v, |v| v.exp().ln_1p());
    let square: Act = |v| v * v;
    for (units, options, acts, bias) in [
        (vec![3, 2], "", vec![none], true),
        (vec![3, 4, 2], "", vec![relu as Act, none], true),
        (
            vec![3, 4, 5, 2],
            "act = tanh, last = sigmoid, bias = 0",
            vec![f64::tanh, f64::tanh, sigmoid],
            false,
        ),
        (vec![3, 4, 5, 2], "acts = {square, softplus}, last = tanh", vec![square, softplus, f64::tanh], true),
        (vec![3, 4, 2], "acts = {tanh, sigmoid}", vec![f64::tanh, sigmoid], true),
    ] {
        let text: Vec<String> = units.iter().map(usize::to_string).collect();
        let comma = if options.is_empty() { "" } else { ", " };
        let template = format!("import nn/mlp. @use mlp(x, h, {{{}}}{comma}{options}).", text.join(","));
        agree(&template, &sequence(&x), |w| {
            let mut w = Weights::of(w);
            let layers: Vec<(Matrix, Matrix)> =
                units.windows(2).map(|u| (w.take(u[1], u[0]).clone(), w.bias(bias, u[1]))).collect();
            w.end();
            outputs(
                x.iter().map(|x| {
                    layers.iter().zip(&acts).fold(x.clone(), |z, ((m, b), act)| (m * z + b).map(act))
                }),
            )
        });
    }
}

/// Two uses, one behind the other, have their own weights and predicates.
#[test]
fn perceptrons_behind_each_other() {
    let x = vectors(3, 2, 4);
    let template = "import nn/mlp. @use mlp(x, y, {2,3,2}, tanh). @use mlp(y, h, {2,4,1}, sigmoid).";
    agree(template, &sequence(&x), |w| {
        outputs(x.iter().map(|x| {
            let y = &w[2] * (&w[0] * x + &w[1]).map(f64::tanh) + &w[3];
            &w[6] * (&w[4] * y + &w[5]).map(sigmoid) + &w[7]
        }))
    });
}

/// The reference engine's last layer has the activation, twice where layers are odd in number.
#[test]
fn perceptrons_of_the_reference() {
    let x = vectors(3, 2, 5);
    for (units, last) in [("{2,3,2}", 1), ("{2,3,2,2}", 2)] {
        let template = format!("import nn/mlp. @use mlp(x, h, {units}, tanh, bias = 0, compat = pynl).");
        agree(&template, &sequence(&x), |w| {
            outputs(x.iter().map(|x| {
                let z = w.iter().fold(x.clone(), |z, m| (m * z).map(f64::tanh));
                if last == 2 { z.map(f64::tanh) } else { z }
            }))
        });
    }
}

const POINTS: &str =
    "<[0.7,-0.4,0.2,0.9]> x(0). <[-0.3,0.8,-0.6,0.1]> x(1). <[0.5,0.15,0.35,-0.75]> x(2). ?- h(X).";

#[test]
fn golden_linear() {
    let w = rows(&[&[0.5, -0.2, 0.1, 0.3], &[0.4, -0.6, 0.25, -0.15], &[-0.1, 0.2, 0.8, 0.05]]);
    golden(
        "import nn/linear. @use linear(x, h, 4, 3, tanh).",
        POINTS,
        &[w],
        &[
            ("h(0)", &[0.616909302877065, 0.40949139599618206, 0.054944608689187435]),
            ("h(1)", &[-0.3274773948087054, -0.6440126284275071, -0.27752635029768374]),
            ("h(2)", &[0.029991003238820174, 0.30043709714765415, 0.21889956725665033]),
        ],
    );
}

#[test]
fn golden_mlp() {
    let first = rows(&[
        &[0.8866954573396852, -0.04692966301518875, -0.7361941340773137, -0.5411376167821702],
        &[-1.0319569674323712, -0.3237201940731933, 0.7949662420479702, 0.4632944115628723],
        &[-0.6537862571165061, -0.8700250809982961, -0.38591975385482524, 0.31324533983189684],
    ]);
    let second = rows(&[
        &[1.4684999912880394, 1.503935500948572, 1.2753161138348477],
        &[-0.9803292554770592, -1.1342071776302394, -0.3787471154203903],
    ]);
    golden(
        "import nn/mlp. @use mlp(x, h, {4,3,2}, relu, bias = 0, compat = pynl).",
        POINTS,
        &[first, second],
        &[
            ("h(0)", &[0.1289084393619573, 0.0]),
            ("h(1)", &[0.12342793993757399, 0.0]),
            ("h(2)", &[0.8583287655599839, 0.0]),
        ],
    );
}

#[test]
fn layer_normalisation() {
    let x = vectors(3, 4, 6);
    agree("import nn/norm. @use layernorm(x, h, 4).", &sequence(&x), |w| {
        let mut w = Weights::of(w);
        let (g, b) = (w.take(4, 1), w.take(4, 1));
        w.end();
        outputs(x.iter().map(|x| normal(x).component_mul(&g.add_scalar(1.0)) + b))
    });
    // Without gain and shift, behind a weight that it is learned through.
    let template = "import nn/norm. {4,4} y(X) :- x(X). [transformation=identity]
                    y/1 [transformation=identity] @use layernorm(y, h, 4, affine = 0).";
    agree(template, &sequence(&x), |w| outputs(x.iter().map(|x| normal(&(&w[0] * x)))));
}

#[test]
fn root_mean_square_normalisation() {
    let x = vectors(3, 4, 7);
    for affine in [0, 1] {
        let template = format!(
            "import nn/norm. {{4,4}} y(X) :- x(X). [transformation=identity]
             y/1 [transformation=identity] @use rmsnorm(y, h, 4, affine = {affine}, eps = 0.125)."
        );
        agree(&template, &sequence(&x), |w| {
            let mut w = Weights::of(w);
            let m = w.take(4, 4);
            let g = w.bias(affine == 1, 4).add_scalar(1.0);
            w.end();
            outputs(x.iter().map(|x| {
                let y = m * x;
                let square = y.iter().map(|v| v * v).sum::<f64>() / 4.0;
                y.component_mul(&g) / (square + 0.125).sqrt()
            }))
        });
    }
}

#[test]
fn instance_normalisation() {
    let x = vectors(5, 3, 8);
    for (affine, module) in [(0, "instancenorm"), (1, "instancenorm"), (0, "batchnorm"), (1, "batchnorm")] {
        let template = format!(
            "import nn/norm. {{2,3}} y(X) :- x(X). [transformation=identity]
             y/1 [transformation=identity] @use {module}(y, h, 2, affine = {affine})."
        );
        agree(&template, &sequence(&x), |w| {
            let mut w = Weights::of(w);
            let m = w.take(2, 3);
            let (g, b) = (w.bias(affine == 1, 2).add_scalar(1.0), w.bias(affine == 1, 2));
            w.end();
            let y: Vec<Matrix> = x.iter().map(|x| m * x).collect();
            outputs((0..y.len()).map(|i| {
                let element = |c: usize| {
                    let n = y.len() as f64;
                    let mean = y.iter().map(|y| y[c]).sum::<f64>() / n;
                    let variance = y.iter().map(|y| (y[c] - mean) * (y[c] - mean)).sum::<f64>() / n;
                    g[c] * (y[i][c] - mean) / (variance + 1e-5).sqrt() + b[c]
                };
                column(&[element(0), element(1)])
            }))
        });
    }
}

#[test]
fn batch_normalisation_with_given_moments() {
    let x = vectors(4, 3, 9);
    let (mean, variance) = (column(&[0.5, -1.0]), column(&[2.0, 0.25]));
    let moments = crate::kit::fact(&mean, "m") + &crate::kit::fact(&variance, "v");
    for affine in [0, 1] {
        let template = format!(
            "import nn/norm. {{2,3}} y(X) :- x(X). [transformation=identity]
             y/1 [transformation=identity]
             @use batchnorm(y, h, 2, affine = {affine}, eps = 0.5, mean = m, variance = v)."
        );
        agree(&template, &(sequence(&x) + &moments), |w| {
            let mut w = Weights::of(w);
            let m = w.take(2, 3);
            let (g, b) = (w.bias(affine == 1, 2).add_scalar(1.0), w.bias(affine == 1, 2));
            w.end();
            outputs(x.iter().map(|x| {
                let scaled = (m * x - &mean).zip_map(&variance, |c, v| c / (v + 0.5_f64).sqrt());
                scaled.component_mul(&g) + &b
            }))
        });
    }
}
