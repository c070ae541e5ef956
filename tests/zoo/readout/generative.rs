//! Unsupervised and generative models, each against its formula.

use super::{adjacency, data, each, graph, number, pairs, propagate, sigmoid, softplus, stack};
use crate::harness::{Graph, Matrix, Outputs, agree};
use nlog::diag::has_errors;
use nlog::exec::Parameters;
use nlog::learn::{Batch, Loss, Optimizer};
use nlog::session::{Session, Settings};
use nlog::template::WeightId;
use std::fmt::Write;
use std::ops::ControlFlow;

fn features(g: &Graph) -> Vec<Matrix> {
    (0..g.x.len()).map(|i| g.feature(i)).collect()
}

/// One number for each node.
fn numbers(name: &str, values: impl IntoIterator<Item = f64>) -> Outputs {
    values.into_iter().enumerate().map(|(i, v)| (format!("{name}(n{i})"), number(v))).collect()
}

fn vectors(name: &str, values: &[Matrix]) -> Outputs {
    values.iter().enumerate().map(|(i, v)| (format!("{name}(n{i})"), v.clone())).collect()
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let all: Vec<f64> = values.into_iter().collect();
    all.iter().sum::<f64>() / all.len() as f64
}

/// Facts of draws, one vector for each node.
fn noise(facts: &mut String, n: usize, width: usize) -> Vec<Matrix> {
    let draws = Graph::random(n, 0, width, 77);
    for (i, v) in features(&draws).iter().enumerate() {
        let values: Vec<String> = v.iter().map(f64::to_string).collect();
        writeln!(facts, "<[{}]> noise(n{i}).", values.join(",")).unwrap();
    }
    features(&draws)
}

#[test]
fn infomax_tells_a_graph_from_a_corrupted_one() {
    let g = graph();
    let perm = [3, 0, 1, 2, 6, 5, 4];
    let mut facts = data(&g, &(each(&g, "h p n i q m") + " l k"));
    perm.iter().enumerate().for_each(|(i, j)| writeln!(facts, "perm(n{i},n{j}).").unwrap());
    let template = "import generative/dgi.
        @use dgi(x, edge, perm, h, p, n, 2, 3, loss = l).
        @use dgi(x, edge, perm, i, q, m, 2, 2, tanh, 0, k).";
    agree(template, &facts, |w| {
        let m = adjacency(&g, false, true);
        let fake: Vec<Matrix> = perm.iter().map(|&j| g.feature(j)).collect();
        // The matrix of the encoder, its bias, the matrix of the discriminator.
        let at = |w: [&Matrix; 3], act: &dyn Fn(f64) -> f64, names: [&str; 4]| {
            let code = |x: &[Matrix]| -> Vec<Matrix> {
                propagate(&m, x).iter().map(|s| (w[0] * s + w[1]).map(act)).collect()
            };
            let (h, fake) = (code(&features(&g)), code(&fake));
            let mean_state = h.iter().fold(Matrix::zeros(w[0].nrows(), 1), |sum, h| sum + h) / 7.0;
            let wanted = w[2] * mean_state.map(sigmoid);
            let pos: Vec<f64> = h.iter().map(|h| h.dot(&wanted)).collect();
            let neg: Vec<f64> = fake.iter().map(|h| h.dot(&wanted)).collect();
            // −log D, and −log(1 − D).
            let loss = -mean(pos.iter().map(|s| sigmoid(*s).ln()));
            let loss = (loss - mean(neg.iter().map(|s| (1.0 - sigmoid(*s)).ln()))) / 2.0;
            let mut out = vectors(names[0], &h);
            out.extend(numbers(names[1], pos));
            out.extend(numbers(names[2], neg));
            out.push((names[3].into(), number(loss)));
            out
        };
        let (bias, slope) = (&w[1], w[2][0]);
        let prelu = |v: f64| if v > 0.0 { v } else { slope * v };
        let mut out = at([&w[0], bias, &w[3]], &prelu, ["h", "p", "n", "l"]);
        let none = Matrix::zeros(2, 1);
        out.extend(at([&w[4], &none, &w[5]], &f64::tanh, ["i", "q", "m", "k"]));
        out
    });
}

/// Two graph convolutions.
fn encoder(m: &Matrix, x: &[Matrix], first: &Matrix, second: &[&Matrix]) -> Vec<Vec<Matrix>> {
    let hidden: Vec<Matrix> = propagate(m, x).iter().map(|s| (first * s).map(|v| v.max(0.0))).collect();
    second.iter().map(|w| propagate(m, &hidden).iter().map(|s| *w * s).collect()).collect()
}

fn products(name: &str, z: &[Matrix], pairs: impl IntoIterator<Item = (usize, usize)>) -> Outputs {
    pairs.into_iter().map(|(i, j)| (format!("{name}(n{i},n{j})"), number(z[i].dot(&z[j])))).collect()
}

#[test]
fn codes_of_linked_nodes_are_alike() {
    let g = graph();
    let negative = [(0, 5), (6, 1), (3, 3), (2, 6)];
    let asked = each(&g, "z y") + " " + &pairs(7, 0, "n", "a") + " b(n0,n5) b(n6,n1) b(n3,n3) b(n2,n6) l k";
    let mut facts = data(&g, &asked);
    negative.iter().for_each(|(i, j)| writeln!(facts, "no(n{i},n{j}).").unwrap());
    let template = "import generative/gae.
        @use gae(x, edge, z, a, 2, 3, 2). @use gae(x, edge, y, b, 2, 4, 3, pair = no).
        @use reconstruction_loss(z, edge, no, l). @use reconstruction_loss(x, edge, no, k).";
    agree(template, &facts, |w| {
        let m = adjacency(&g, false, true);
        let x = features(&g);
        let [z, y] = [0, 2].map(|k| encoder(&m, &x, &w[k], &[&w[k + 1]]).remove(0));
        let loss = |z: &[Matrix]| {
            let found = mean(g.edges.iter().map(|e| softplus(-z[e.0].dot(&z[e.1]))));
            found + mean(negative.iter().map(|e| softplus(z[e.0].dot(&z[e.1]))))
        };
        let mut out = vectors("z", &z);
        out.extend(vectors("y", &y));
        out.extend(products("a", &z, (0..49).map(|k| (k / 7, k % 7))));
        out.extend(products("b", &y, negative));
        out.push(("l".into(), number(loss(&z))));
        out.push(("k".into(), number(loss(&x))));
        out
    });
}

#[test]
fn codes_are_drawn() {
    let g = graph();
    let asked = each(&g, "u z v y") + " " + &pairs(7, 0, "n", "a") + " c k";
    let asked = g.edges.iter().fold(asked, |all, e| format!("{all} b(n{},n{})", e.0, e.1));
    let mut facts = data(&g, &asked);
    let draws = noise(&mut facts, 7, 3);
    let template = "import generative/gae.
        @use vgae(x, edge, noise, u, z, a, c, 2, 4, 3).
        @use vgae(x, edge, noise, v, y, b, k, 2, 2, 3, edge).";
    agree(template, &facts, |w| {
        let m = adjacency(&g, false, true);
        let x = features(&g);
        let mut out = Outputs::new();
        for (w, names) in [(&w[..3], ["u", "z", "c"]), (&w[3..], ["v", "y", "k"])] {
            let codes = encoder(&m, &x, &w[0], &[&w[1], &w[2]]);
            let (mu, std) = (&codes[0], &codes[1]);
            let z: Vec<Matrix> =
                (0..7).map(|i| &mu[i] + draws[i].component_mul(&std[i].map(f64::exp))).collect();
            let term = |mu: f64, s: f64| -0.5 * (1.0 + 2.0 * s - mu * mu - (2.0 * s).exp());
            let kl = mean((0..7).map(|i| mu[i].zip_map(&std[i], term).sum()));
            out.extend(vectors(names[0], mu));
            out.extend(vectors(names[1], &z));
            out.push((names[2].into(), number(kl)));
            match names[1] {
                "z" => out.extend(products("a", &z, (0..49).map(|k| (k / 7, k % 7)))),
                _ => out.extend(products("b", &z, g.edges.iter().map(|e| (e.0, e.1)))),
            }
        }
        out
    });
}

#[test]
fn deviations_are_cut() {
    let mut g = graph();
    g.x.iter_mut().for_each(|x| *x *= 300.0);
    let mut facts = data(&g, &each(&g, "z"));
    let draws = noise(&mut facts, 7, 3);
    agree("import generative/gae. @use vgae(x, edge, noise, u, z, a, c, 2, 4, 3).", &facts, |w| {
        let m = adjacency(&g, false, true);
        let codes = encoder(&m, &features(&g), &w[0], &[&w[1], &w[2]]);
        let cut: Vec<Matrix> = codes[1].iter().map(|s| s.map(|s| s.min(10.0))).collect();
        assert_ne!(cut, codes[1]);
        let at = |i: usize| &codes[0][i] + draws[i].component_mul(&cut[i].map(f64::exp));
        g.outputs("z", at)
    });
}

#[test]
fn a_discriminator_tells_codes_from_the_prior() {
    let g = graph();
    let mut facts = data(&g, &(each(&g, "r f s t u") + " d e"));
    let draws = noise(&mut facts, 7, 2);
    let template = "import generative/arga.
        {2,2} z(I) :- x(I). [transformation=identity]\nz/1 [transformation=identity]
        @use arga(z, noise, r, f, 2, {4, 3}, tanh, discriminate = d, deceive = e).
        @use arga(z, noise, s, t, 2, {5}, fool = u, critic = other).";
    agree(template, &facts, |w| {
        let codes: Vec<Matrix> = features(&g).iter().map(|x| &w[0] * x).collect();
        let first = |z: &Matrix| {
            let one = (&w[1] * z + &w[3]).map(f64::tanh);
            let two = (&w[2] * one + &w[4]).map(f64::tanh);
            (&w[5] * two + &w[6])[0]
        };
        let second = |z: &Matrix| (&w[9] * (&w[7] * z + &w[8]).map(|v| v.max(0.0)) + &w[10])[0];
        let real: Vec<f64> = draws.iter().map(first).collect();
        let fake: Vec<f64> = codes.iter().map(first).collect();
        let taken = |s: &[f64], sign: f64| -mean(s.iter().map(|s| sigmoid(sign * s).ln()));
        let mut out = vec![
            ("d".to_string(), number(taken(&real, 1.0) + taken(&fake, -1.0))),
            ("e".to_string(), number(taken(&fake, 1.0))),
        ];
        out.extend(numbers("r", real));
        out.extend(numbers("f", fake));
        out.extend(numbers("s", draws.iter().map(second)));
        out.extend(numbers("t", codes.iter().map(second)));
        out.extend(numbers("u", codes.iter().map(second)));
        out
    });
}

/// The step of Pan et al. 2018: the auto-encoder by the error of the edges, then the discriminator by its own, then the
/// encoder by that of being found out.
#[test]
fn discriminator_and_encoder_are_trained_by_turns() {
    let g = graph();
    let negative = [(0, 5), (6, 1), (2, 6)];
    let mut facts = data(&g, "");
    negative.iter().for_each(|(i, j)| writeln!(facts, "no(n{i},n{j}).").unwrap());
    let draws = noise(&mut facts, 7, 2);
    facts += "?- 0 edges, 0 discriminate, 0 deceive.";
    let template = "import generative/arga. import generative/gae.
        {2,2} z(I) :- x(I). [transformation=identity]\nz/1 [transformation=identity]
        @use reconstruction_loss(z, edge, no, edges).
        @use arga(z, noise, real, fake, 2, {4, 3}, tanh, discriminate, deceive).";
    let mut settings = Settings::default();
    settings.train.epochs = 2;
    settings.train.batch = Batch::All;
    settings.train.optimizer = Optimizer::Sgd;
    settings.train.learning_rate = Some(0.2);
    settings.train.loss = Loss::AbsDiff;
    settings.train.seed = 5;
    let (session, found) = Session::from_texts(template, &facts, settings);
    assert!(!has_errors(&found), "{found:?}");
    let network = session.build().0.expect("it is sound");
    let mut parameters = session.initial_parameters();
    let learned = session.template.weights.iter_enumerated().filter(|(_, w)| w.learnable && !w.constant);
    let learned: Vec<WeightId> = learned.map(|(id, _)| id).collect();
    let matrices = |parameters: &Parameters<f64>| -> Vec<Matrix> {
        let matrix = |w: &WeightId| {
            let shape = session.template.weights[*w].shape;
            Matrix::from_row_slice(shape.rows as usize, shape.cols as usize, parameters.get(*w))
        };
        learned.iter().map(matrix).collect()
    };
    let mut w = matrices(&parameters);
    session.run(&network, &mut parameters, &mut |_| ControlFlow::Continue(())).expect("it trains");
    let codes = |w: &[Matrix]| -> Vec<Matrix> { features(&g).iter().map(|x| &w[0] * x).collect() };
    let critic = |w: &[Matrix], z: &Matrix| {
        let one = (&w[1] * z + &w[3]).map(f64::tanh);
        (&w[5] * (&w[2] * one + &w[4]).map(f64::tanh) + &w[6])[0]
    };
    let edges = |w: &[Matrix]| {
        let z = codes(w);
        let found = mean(g.edges.iter().map(|e| softplus(-z[e.0].dot(&z[e.1]))));
        found + mean(negative.iter().map(|e| softplus(z[e.0].dot(&z[e.1]))))
    };
    let discriminate = |w: &[Matrix]| {
        let real = mean(draws.iter().map(|z| softplus(-critic(w, z))));
        real + mean(codes(w).iter().map(|z| softplus(critic(w, z))))
    };
    let deceive = |w: &[Matrix]| mean(codes(w).iter().map(|z| softplus(-critic(w, z))));
    for _ in 0..2 {
        let turns: [(&dyn Fn(&[Matrix]) -> f64, std::ops::Range<usize>); 3] =
            [(&edges, 0..1), (&discriminate, 1..7), (&deceive, 0..1)];
        for (loss, trained) in turns {
            let mut next = w.clone();
            for k in trained {
                for i in 0..w[k].len() {
                    let at = |by: f64| {
                        let mut moved = w.clone();
                        moved[k][i] += by;
                        loss(&moved)
                    };
                    next[k][i] -= 0.2 * (at(1e-5) - at(-1e-5)) / 2e-5;
                }
            }
            w = next;
        }
    }
    for (k, (found, expected)) in matrices(&parameters).iter().zip(&w).enumerate() {
        assert!((found - expected).amax() < 1e-8, "weight {k} is {found}, by the formula {expected}");
    }
}

/// One step of a gated recurrent unit; weights as the module has them, with or without biases.
fn gru(x: &Matrix, h: &Matrix, w: &[Matrix], bias: bool) -> Matrix {
    let d = h.nrows();
    let b = |k: usize| if bias { w[k].clone() } else { Matrix::zeros(d, 1) };
    let reset = (&w[0] * x + &w[1] * h + b(6)).map(sigmoid);
    let keep = (&w[2] * x + &w[3] * h + b(7)).map(sigmoid);
    let fresh = (&w[4] * x + b(8) + reset.component_mul(&(&w[5] * h + b(9)))).map(f64::tanh);
    Matrix::from_fn(d, 1, |k, _| (1.0 - keep[k]) * fresh[k] + keep[k] * h[k])
}

#[test]
fn bits_of_a_graph_follow_from_those_before() {
    // Five nodes, each linked with some of the three before it, and the end.
    let s = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 0, 1], [0, 0, 0]];
    let column = |t: usize| Matrix::from_fn(3, 1, |k, _| f64::from(s[t - 1][k]));
    let mut facts = String::new();
    for t in 1..=6 {
        let bits: Vec<String> = column(t).iter().map(f64::to_string).collect();
        writeln!(facts, "<[{}]> s({t}).", bits.join(",")).unwrap();
    }
    let asked: Vec<(usize, usize)> = (2..=6).flat_map(|t| (1..=3.min(t - 1)).map(move |k| (t, k))).collect();
    for (t, k) in &asked {
        writeln!(facts, "?- a({t},{k}). ?- b({t},{k}). ?- c({t},{k}). ?- e({t},{k}).").unwrap();
    }
    let template = "import generative/graphrnn.
        @use graphrnn(s, a, 3, 4, 5, mlp). @use graphrnn(s, b, 3, 2, 3, mlp, 0).
        @use graphrnn(s, c, 3, 2, 3). @use graphrnn(s, e, 3, 3, 2, bias = 0).";
    agree(template, &facts, |w| {
        let states = |w: &[Matrix], bias: bool| {
            let mut h = Matrix::zeros(w[0].nrows(), 1);
            let mut x = Matrix::from_element(3, 1, 1.0);
            let mut states = vec![h.clone()];
            for t in 1..=6 {
                h = gru(&x, &h, w, bias);
                x = column(t);
                states.push(h.clone());
            }
            states
        };
        let all_at_once = |name: &str, w: &[Matrix], bias: bool| -> Outputs {
            let states = states(w, bias);
            let own = &w[if bias { 10 } else { 6 }..];
            let at = |t: usize| {
                let add = |sum: Matrix, k: usize| if bias { sum + &own[k] } else { sum };
                let hidden = add(&own[0] * &states[t], 2).map(|v| v.max(0.0));
                add(&own[1] * hidden, 3)
            };
            asked.iter().map(|&(t, k)| (format!("{name}({t},{k})"), number(at(t)[k - 1]))).collect()
        };
        let one_by_one = |name: &str, w: &[Matrix], bias: bool| -> Outputs {
            let states = states(w, bias);
            let own = &w[if bias { 10 } else { 6 }..];
            let at = |t: usize, k: usize| {
                let start = &own[0] * &states[t];
                let (mut h, unit) = if bias { (start + &own[1], &own[2..12]) } else { (start, &own[1..7]) };
                for step in 1..=k {
                    let read = if step == 1 { 1.0 } else { f64::from(s[t - 1][step - 2]) };
                    h = gru(&number(read), &h, unit, bias);
                }
                let own = &own[if bias { 12 } else { 7 }..];
                (&own[0] * h)[0] + if bias { own[1][0] } else { 0.0 }
            };
            asked.iter().map(|&(t, k)| (format!("{name}({t},{k})"), number(at(t, k)))).collect()
        };
        // Numbers of weights: a unit has 10 or 6, a decoder of layers 4 or 2, one of a unit 14 or 8.
        let mut out = all_at_once("a", &w[..14], true);
        out.extend(all_at_once("b", &w[14..22], false));
        out.extend(one_by_one("c", &w[22..46], true));
        out.extend(one_by_one("e", &w[46..60], false));
        out
    });
}

/// The order of what is below each other is that of the layers, whatever their names.
#[test]
fn many_layers_keep_their_order() {
    let g = graph();
    let names: Vec<String> = (1..=11).map(|k| format!("l{k}")).collect();
    let mut template = "import depth/jk.\n".to_string();
    for (k, name) in names.iter().enumerate() {
        writeln!(template, "<{k}> {name}(I) :- {{1,2}} x(I). [transformation=identity]").unwrap();
        writeln!(template, "{name}/1 [transformation=identity]").unwrap();
    }
    writeln!(template, "@use jk_concat({{{}}}, h).", names.join(", ")).unwrap();
    agree(&template, &data(&g, &each(&g, "h")), |w| {
        g.outputs("h", |i| stack(&(0..11).map(|k| &w[k] * g.feature(i) * k as f64).collect::<Vec<Matrix>>()))
    });
}
