//! Recurrent networks.

use crate::harness::{Matrix, agree};
use crate::kit::{Weights, column, fact, golden, outputs, rows, sequence, sigmoid, vectors};

/// `act( W x + U h + b )`, its weights in this order.
fn affine(w: &mut Weights<'_>, bias: bool, din: usize, dout: usize) -> [Matrix; 3] {
    [w.take(dout, din).clone(), w.take(dout, dout).clone(), w.bias(bias, dout)]
}

fn apply([m, u, b]: &[Matrix; 3], x: &Matrix, h: &Matrix) -> Matrix {
    m * x + u * h + b
}

/// The states of a cell along a sequence.
fn along(x: &[Matrix], start: Matrix, mut cell: impl FnMut(&Matrix, &Matrix) -> Matrix) -> Vec<Matrix> {
    let mut h = start;
    let step = |x: &Matrix| {
        h = cell(x, &h);
        h.clone()
    };
    x.iter().map(step).collect()
}

#[test]
fn simple_networks() {
    let x = vectors(5, 3, 1);
    for bias in [0, 1] {
        let template = format!("import seq/recurrent. @use rnn(x, h, 3, 2, bias = {bias}).");
        agree(&template, &sequence(&x), |w| {
            let mut w = Weights::of(w);
            let f = affine(&mut w, bias == 1, 3, 2);
            w.end();
            outputs(along(&x, Matrix::zeros(2, 1), |x, h| apply(&f, x, h).map(f64::tanh)))
        });
    }
}

#[test]
fn the_first_state_is_learned() {
    let x = vectors(4, 2, 2);
    let template = "import seq/recurrent. {3} s. @use rnn(x, h, 2, 3, s, act = sigmoid).";
    agree(template, &sequence(&x), |w| {
        let first = |w: &Matrix| w.shape() == (3, 1);
        let s = w.iter().find(|w| first(w)).expect("a state");
        let others: Vec<&Matrix> = w.iter().filter(|w| !first(w)).collect();
        outputs(along(&x, s.clone(), |x, h| (others[0] * x + others[1] * h).map(sigmoid)))
    });
}

/// A stack of two, the second from the end.
#[test]
fn both_ways() {
    let x = vectors(4, 2, 3);
    let template = "import seq/recurrent. @use rnn(x, y, 2, 3). @use rnn(y, h, 3, 2, way = backward).";
    agree(template, &sequence(&x), |w| {
        let y = along(&x, Matrix::zeros(3, 1), |x, h| (&w[0] * x + &w[1] * h).map(f64::tanh));
        let reversed: Vec<Matrix> = y.into_iter().rev().collect();
        let h = along(&reversed, Matrix::zeros(2, 1), |x, h| (&w[2] * x + &w[3] * h).map(f64::tanh));
        outputs(h.into_iter().rev())
    });
}

/// Two sequences of words in one world, one of them of a single word.
#[test]
fn a_given_order() {
    let x = vectors(4, 2, 4);
    let names = ["the", "cat", "sat", "alone"];
    let facts: String = names.iter().zip(&x).map(|(n, x)| fact(x, &format!("x({n})"))).collect();
    let data = facts + "next(the,cat). next(cat,sat). ?- h(X).";
    for (way, order) in [("forward", [0, 1, 2]), ("backward", [2, 1, 0])] {
        let template =
            format!("import seq/recurrent. @use gru(x, h, 2, 3, order = next, way = {way}, bias = 1).");
        agree(&template, &data, |w| {
            let mut w = Weights::of(w);
            let gates: Vec<_> = (0..3).map(|_| affine(&mut w, true, 2, 3)).collect();
            w.end();
            let cell = |x: &Matrix, h: &Matrix| gru(&gates, x, h);
            let line: Vec<Matrix> = order.iter().map(|&i| x[i].clone()).collect();
            let states = along(&line, Matrix::zeros(3, 1), cell);
            let mut out: Vec<_> =
                order.iter().zip(states).map(|(&i, h)| (format!("h({})", names[i]), h)).collect();
            out.push(("h(alone)".into(), cell(&x[3], &Matrix::zeros(3, 1))));
            out
        });
    }
}

fn gru(gates: &[[Matrix; 3]], x: &Matrix, h: &Matrix) -> Matrix {
    let r = apply(&gates[0], x, h).map(sigmoid);
    let z = apply(&gates[1], x, h).map(sigmoid);
    let n = apply(&gates[2], x, &r.component_mul(h)).map(f64::tanh);
    Matrix::from_fn(h.nrows(), 1, |i, _| (1.0 - z[i]) * n[i] + z[i] * h[i])
}

#[test]
fn gated_units() {
    let x = vectors(4, 3, 5);
    for bias in [0, 1] {
        let template = format!("import seq/recurrent. @use gru(x, h, 3, 2, bias = {bias}).");
        agree(&template, &sequence(&x), |w| {
            let mut w = Weights::of(w);
            let gates: Vec<_> = (0..3).map(|_| affine(&mut w, bias == 1, 3, 2)).collect();
            w.end();
            outputs(along(&x, Matrix::zeros(2, 1), |x, h| gru(&gates, x, h)))
        });
    }
}

#[test]
fn gated_units_with_the_reset_behind() {
    let x = vectors(4, 3, 6);
    for bias in [0, 1] {
        let template = format!("import seq/recurrent. @use gru(x, h, 3, 2, bias = {bias}, compat = pynl).");
        agree(&template, &sequence(&x), |w| {
            let mut w = Weights::of(w);
            let [r, z] = [0, 1].map(|_| affine(&mut w, bias == 1, 3, 2));
            let (u, c) = (w.take(2, 2), w.bias(bias == 1, 2));
            let (m, b) = (w.take(2, 3), w.bias(bias == 1, 2));
            w.end();
            outputs(along(&x, Matrix::zeros(2, 1), |x, h| {
                let (r, z) = (apply(&r, x, h).map(sigmoid), apply(&z, x, h).map(sigmoid));
                let n = (m * x + &b + r.component_mul(&(u * h + &c))).map(f64::tanh);
                n.zip_map(&z, |n, z| (1.0 - z) * n) + z.component_mul(h)
            }))
        });
    }
}

#[test]
fn long_short_term_memories() {
    let x = vectors(4, 3, 7);
    let data = sequence(&x) + " ?- c(X).";
    for (bias, given) in [(0, false), (1, false), (1, true)] {
        let arguments = if given { ", h0 = s, c0 = k" } else { "" };
        let template = format!(
            "import seq/recurrent. <[0.5,-1]> s. <[2,0.25]> k.
             @use lstm(x, h, 3, 2, c = c, bias = {bias}{arguments})."
        );
        agree(&template, &data, |w| {
            let mut w = Weights::of(w);
            let [i, f, o, g] = [0, 1, 2, 3].map(|_| affine(&mut w, bias == 1, 3, 2));
            w.end();
            let zero = Matrix::zeros(2, 1);
            let start =
                if given { [column(&[0.5, -1.0]), column(&[2.0, 0.25])] } else { [zero.clone(), zero] };
            let [mut h, mut c] = start;
            let mut out = Vec::new();
            for (t, x) in x.iter().enumerate() {
                let [i, f, o] = [&i, &f, &o].map(|gate| apply(gate, x, &h).map(sigmoid));
                let g = apply(&g, x, &h).map(f64::tanh);
                c = f.component_mul(&c) + i.component_mul(&g);
                h = o.component_mul(&c.map(f64::tanh));
                out.push((format!("h({t})"), h.clone()));
                out.push((format!("c({t})"), c.clone()));
            }
            out
        });
    }
}

const SERIES: &str = "<[0.25,-0.4]> s. <[0.3,-0.5,0.8]> x(1). <[-0.2,0.4,0.1]> x(2). <[0.9,0.0,-0.7]> x(3).
                      <[-0.6,0.5,0.2]> x(4). ?- h(4).";

#[test]
fn golden_rnn() {
    golden(
        "import seq/recurrent. @use rnn(x, h, 3, 2, s).",
        SERIES,
        &[rows(&[&[0.1, -0.01, -0.12], &[0.17, 0.06, -0.05]]), rows(&[&[-0.2, -0.15], &[-0.11, -0.06]])],
        &[("h(4)", &[-0.1516766130997177, -0.11239898474698862])],
    );
}

#[test]
fn golden_gru() {
    golden(
        "import seq/recurrent. @use gru(x, h, 3, 2, s, compat = pynl).",
        SERIES,
        &[
            rows(&[&[0.1, -0.01, -0.12], &[0.17, 0.06, -0.05]]),
            rows(&[&[-0.2, -0.15], &[-0.11, -0.06]]),
            rows(&[&[0.2, 0.09, -0.02], &[0.27, 0.16, 0.05]]),
            rows(&[&[-0.07, -0.02], &[0.02, 0.07]]),
            rows(&[&[0.06, 0.11], &[0.15, 0.2]]),
            rows(&[&[0.3, 0.19, 0.08], &[0.37, 0.26, 0.15]]),
        ],
        &[("h(4)", &[0.03484975486906434, 0.008718664557734526])],
    );
}
