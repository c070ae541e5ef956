//! Attention, bases with heads, and many aggregators.

use super::{Edges, Weights, graph, only, outputs_of, relu};
use crate::harness::{Graph, Matrix, agree};
use std::fmt::Write;

/// Who is heard by a node, itself included if loops are added, with the features of the edges: an added loop has the
/// mean of the others.
fn heard(g: &Graph, edges: &Edges, i: usize, loops: bool) -> Vec<(usize, Option<Matrix>)> {
    let mut out: Vec<(usize, Option<Matrix>)> =
        edges.sources_of(i).map(|(j, e)| (j, Some(e.clone()))).collect();
    if loops && !g.edges.iter().any(|e| (e.0, e.1) == (i, i)) {
        let n = out.len() as f64;
        let mean = out.iter().filter_map(|(_, e)| e.clone()).reduce(|a, b| a + b).map(|sum| sum / n);
        out.push((i, mean));
    }
    out
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let parts: Vec<f64> = scores.iter().map(|s| (s - top).exp()).collect();
    let sum: f64 = parts.iter().sum();
    parts.iter().map(|p| p / sum).collect()
}

fn stacked(parts: &[Matrix]) -> Matrix {
    let all: Vec<f64> = parts.iter().flat_map(|p| p.iter().copied()).collect();
    Matrix::from_column_slice(all.len(), 1, &all)
}

fn joined(heads: &[Matrix], concat: bool) -> Matrix {
    if concat { stacked(heads) } else { heads.iter().sum::<Matrix>() / heads.len() as f64 }
}

fn leaky(slope: f64) -> impl Fn(f64) -> f64 {
    move |v| if v > 0.0 { v } else { slope * v }
}

/// An attention layer and what it is asked to be.
struct Case {
    arguments: &'static str,
    heads: usize,
    concat: bool,
    dout: usize,
    slope: f64,
    de: usize,
    loops: bool,
    bias: bool,
    shared: bool,
}

const PLAIN: Case = Case {
    arguments: "",
    heads: 1,
    concat: true,
    dout: 3,
    slope: 0.2,
    de: 0,
    loops: true,
    bias: false,
    shared: false,
};

fn there(g: &Graph, case: &Case) -> impl Fn(usize) -> bool {
    let (g, loops) = (g.clone(), case.loops);
    move |i| loops || g.sources_of(i).count() > 0
}

#[test]
fn gat() {
    let g = graph();
    for case in [
        PLAIN,
        Case { arguments: ", heads = 3, slope = 0.3", heads: 3, dout: 6, slope: 0.3, ..PLAIN },
        Case {
            arguments: ", heads = 2, join = mean, bias = 1",
            heads: 2,
            concat: false,
            bias: true,
            ..PLAIN
        },
        Case { arguments: ", loops = 0, bias = 1", loops: false, bias: true, ..PLAIN },
        Case { arguments: ", heads = 2, de = 2", heads: 2, dout: 4, de: 2, ..PLAIN },
        Case { arguments: ", de = 1, loops = 0", de: 1, loops: false, ..PLAIN },
    ] {
        let (dout, arguments) = (case.dout, case.arguments);
        let template = format!("import gnn/gat. @use gat(x, edge, h, 2, {dout}, act = tanh{arguments}).");
        let width = if case.concat { dout / case.heads } else { dout };
        let edges = Edges::random(&g, case.de.max(1));
        let there = there(&g, &case);
        agree(&template, &only(&g, &edges.facts(&g, "h"), &there), |w| {
            let mut w = Weights::of(w);
            let mut heads: Vec<Vec<Matrix>> = vec![Vec::new(); 6];
            for _ in 0..case.heads {
                let (map, s, t) = (w.take(width, 2), w.take(1, width), w.take(1, width));
                let of_edges = (case.de > 0).then(|| w.take(1, width) * w.take(width, case.de));
                for i in (0..6).filter(|&i| there(i)) {
                    let near = heard(&g, &edges, i, case.loops);
                    let score = |(j, e): &(usize, Option<Matrix>)| {
                        let mut score = (s * map * g.feature(*j) + t * map * g.feature(i))[0];
                        if let (Some(u), Some(e)) = (&of_edges, e) {
                            score += (u * e)[0];
                        }
                        leaky(case.slope)(score)
                    };
                    let shares = softmax(&near.iter().map(score).collect::<Vec<f64>>());
                    let sum = near.iter().zip(shares).map(|((j, _), a)| map * g.feature(*j) * a).sum();
                    heads[i].push(sum);
                }
            }
            let b = w.bias(case.bias, dout);
            w.end();
            outputs_of(&g, &there, |i| (joined(&heads[i], case.concat) + &b).map(f64::tanh))
        });
    }
}

#[test]
fn gatv2() {
    let g = graph();
    for case in [
        PLAIN,
        Case { arguments: ", shared = 1, slope = 0.01", shared: true, slope: 0.01, ..PLAIN },
        Case { arguments: ", heads = 3, bias = 1", heads: 3, dout: 6, bias: true, ..PLAIN },
        Case {
            arguments: ", heads = 2, join = mean, shared = 1, bias = 1",
            heads: 2,
            concat: false,
            bias: true,
            shared: true,
            ..PLAIN
        },
        Case { arguments: ", loops = 0", loops: false, ..PLAIN },
        Case { arguments: ", heads = 2, de = 2", heads: 2, dout: 4, de: 2, ..PLAIN },
    ] {
        let (dout, arguments) = (case.dout, case.arguments);
        let template = format!("import gnn/gatv2. @use gatv2(x, edge, h, 2, {dout}, act = tanh{arguments}).");
        let width = if case.concat { dout / case.heads } else { dout };
        let edges = Edges::random(&g, case.de.max(1));
        let there = there(&g, &case);
        agree(&template, &only(&g, &edges.facts(&g, "h"), &there), |w| {
            let mut w = Weights::of(w);
            let mut heads: Vec<Vec<Matrix>> = vec![Vec::new(); 6];
            for _ in 0..case.heads {
                let (from, c) = (w.take(width, 2).clone(), w.bias(case.bias, width));
                let (to, d) = match case.shared {
                    true => (from.clone(), c.clone()),
                    false => (w.take(width, 2).clone(), w.bias(case.bias, width)),
                };
                let of_edges = (case.de > 0).then(|| w.take(width, case.de));
                let a = w.take(1, width);
                for i in (0..6).filter(|&i| there(i)) {
                    let near = heard(&g, &edges, i, case.loops);
                    let score = |(j, e): &(usize, Option<Matrix>)| {
                        let mut inside = &from * g.feature(*j) + &c + &to * g.feature(i) + &d;
                        if let (Some(u), Some(e)) = (of_edges, e) {
                            inside += u * e;
                        }
                        (a * inside.map(leaky(case.slope)))[0]
                    };
                    let shares = softmax(&near.iter().map(score).collect::<Vec<f64>>());
                    let sum =
                        near.iter().zip(shares).map(|((j, _), s)| (&from * g.feature(*j) + &c) * s).sum();
                    heads[i].push(sum);
                }
            }
            let b = w.bias(case.bias, dout);
            w.end();
            outputs_of(&g, &there, |i| (joined(&heads[i], case.concat) + &b).map(f64::tanh))
        });
    }
}

/// Scores that overflow on their own: the softmax takes their greatest away first.
#[test]
fn attention_stays_finite() {
    let g = graph();
    for layer in ["gat", "gatv2"] {
        let template = format!(
            "import gnn/{layer}. <1000> big(X) :- x(X). [transformation=identity] big/1 [transformation=identity]
             @use {layer}(big, edge, h, 2, 3, bias = 1)."
        );
        let (session, _) =
            nlog::session::Session::from_texts(&template, &g.facts("h"), nlog::session::Settings::default());
        let mut settings = session.settings.clone();
        settings.train.epochs = 1;
        let (network, _) = session.build();
        let network = network.expect("a network");
        let mut parameters = session.initial_parameters::<f64>();
        let run = session
            .run(&network, &mut parameters, &mut |_| std::ops::ControlFlow::Continue(()))
            .expect("finite");
        assert!(run.values.iter().flatten().all(|v| v.is_finite()));
        assert!(run.values.iter().flatten().any(|v| v.abs() > 100.0));
    }
}

#[test]
fn two_layers_of_attention_keep_apart() {
    let g = graph();
    let template = "import gnn/gat. import gnn/gatv2.
        @use gat(x, edge, l1, 2, 2, heads = 2, act = tanh). @use gatv2(l1, edge, h, 2, 3, act = identity).";
    let edges = Edges::random(&g, 1);
    agree(template, &edges.facts(&g, "h"), |w| {
        let mut w = Weights::of(w);
        let mut l1: Vec<Vec<Matrix>> = vec![Vec::new(); 6];
        for _ in 0..2 {
            let (map, s, t) = (w.take(1, 2), w.take(1, 1)[0], w.take(1, 1)[0]);
            for (i, l1) in l1.iter_mut().enumerate() {
                let near = heard(&g, &edges, i, true);
                let z = |i: usize| (map * g.feature(i))[0];
                let scores: Vec<f64> = near.iter().map(|(j, _)| leaky(0.2)(s * z(*j) + t * z(i))).collect();
                let sum: f64 = near.iter().zip(softmax(&scores)).map(|((j, _), a)| z(*j) * a).sum();
                l1.push(Matrix::from_element(1, 1, sum));
            }
        }
        let l1: Vec<Matrix> = l1.iter().map(|parts| stacked(parts).map(f64::tanh)).collect();
        let (from, to, a) = (w.take(3, 2), w.take(3, 2), w.take(1, 3));
        w.end();
        g.outputs("h", |i| {
            let near = heard(&g, &edges, i, true);
            let score = |j: usize| (a * (from * &l1[j] + to * &l1[i]).map(leaky(0.2)))[0];
            let shares = softmax(&near.iter().map(|(j, _)| score(*j)).collect::<Vec<f64>>());
            near.iter().zip(shares).map(|((j, _), s)| from * &l1[*j] * s).sum()
        })
    });
}

/// An aggregate of vectors, element by element; zeros of none.
fn aggregate(name: &str, of: &[Matrix], width: usize) -> Matrix {
    let n = of.len() as f64;
    Matrix::from_fn(width, 1, |c, _| {
        if of.is_empty() {
            return 0.0;
        }
        let values = || of.iter().map(move |m| m[c]);
        let mean = values().sum::<f64>() / n;
        let variance = values().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
        match name {
            "sum" => mean * n,
            "avg" => mean,
            "max" => values().fold(f64::NEG_INFINITY, f64::max),
            "min" => values().fold(f64::INFINITY, f64::min),
            "var" => variance,
            "std" => (variance + 1e-5).sqrt(),
            "std(clamp)" => variance.max(1e-5).sqrt(),
            other => panic!("{other}"),
        }
    })
}

/// What stands behind the weights of a head.
type Gate = fn(Matrix) -> Matrix;

fn plain(m: Matrix) -> Matrix {
    m
}

fn egc(use_: &str, heads: usize, bases: usize, aggregators: &[&str], loops: bool, bias: bool, gate: Gate) {
    let g = graph();
    let dout = 2 * heads;
    let there = |i: usize| loops || g.sources_of(i).count() > 0;
    let degree = |i: usize| {
        let own = loops && !g.sources_of(i).any(|(j, _)| j == i);
        (g.sources_of(i).count() + usize::from(own)) as f64
    };
    let edges = Edges::random(&g, 1);
    agree(&format!("import gnn/egc. @use {use_}."), &only(&g, &g.facts("h"), there), |w| {
        let mut w = Weights::of(w);
        let below = w.take(2 * bases, 2);
        let maps: Vec<Matrix> = (0..bases).map(|b| below.rows(2 * b, 2).into_owned()).collect();
        let mut sums = vec![vec![Matrix::zeros(2, 1); heads]; 6];
        for h in 0..heads {
            let of_all = bases * aggregators.len();
            let (p, q) = (w.take(of_all, 2), w.bias(bias, of_all));
            for (i, sums) in sums.iter_mut().enumerate().filter(|(i, _)| there(*i)) {
                let near = heard(&g, &edges, i, loops);
                let weights = gate(p * g.feature(i) + &q);
                for (a, &aggregator) in aggregators.iter().enumerate() {
                    for (b, map) in maps.iter().enumerate() {
                        let all = if aggregator == "symnorm" {
                            near.iter()
                                .filter(|(j, _)| degree(*j) > 0.0)
                                .map(|(j, _)| map * g.feature(*j) / (degree(i) * degree(*j)).sqrt())
                                .sum()
                        } else {
                            let all: Vec<Matrix> = near.iter().map(|(j, _)| map * g.feature(*j)).collect();
                            aggregate(aggregator, &all, 2)
                        };
                        sums[h] += all * weights[a * bases + b];
                    }
                }
            }
        }
        let b = w.bias(bias, dout);
        w.end();
        outputs_of(&g, there, |i| (stacked(&sums[i]) + &b).map(f64::tanh))
    });
}

#[test]
fn egc_with_one_aggregator() {
    egc("egc_s(x, edge, h, 2, 4, 2, 2, tanh)", 2, 2, &["symnorm"], true, false, plain);
    egc(
        "egc_s(x, edge, h, 2, 22, heads = 11, bases = 1, act = tanh)",
        11,
        1,
        &["symnorm"],
        true,
        false,
        plain,
    );
    egc("egc_s(x, edge, h, 2, 2, 1, 3, tanh, bias = 1)", 1, 3, &["symnorm"], true, true, plain);
    egc("egc_s(x, edge, h, 2, 4, 2, 2, tanh, loops = 0, bias = 1)", 2, 2, &["symnorm"], false, true, plain);
}

#[test]
fn egc_with_many_aggregators() {
    egc("egc_m(x, edge, h, 2, 6, 3, 2, act = tanh)", 3, 2, &["sum", "std", "max"], true, false, plain);
    let all = ["symnorm", "avg", "min", "var", "std(clamp)"];
    let use_ = |rest: &str| {
        let all = all.join(", ");
        format!("egc_m(x, edge, h, 2, 4, heads = 2, bases = 2, aggregators = {{{all}}}, act = tanh{rest})")
    };
    egc(&use_(", bias = 1"), 2, 2, &all, true, true, plain);
    egc(&use_(", gate = sigmoid"), 2, 2, &all, true, false, |m| m.map(|v| 1.0 / (1.0 + (-v).exp())));
    let soft: Gate = |m| Matrix::from_column_slice(m.len(), 1, &softmax(m.as_slice()));
    egc(&use_(", gate = softmax, bias = 1"), 2, 2, &all, true, true, soft);
    egc(&use_(", loops = 0, bias = 1"), 2, 2, &all, false, true, plain);
}

#[test]
fn pna() {
    let g = graph();
    let (delta, mean) = (1.25, 1.5);
    // Aggregators, scalers (none: those of the module), towers, the width of edges, biases.
    let every = ["avg", "std(clamp)", "sum", "var"];
    for (aggregators, scalers, towers, de, bias) in [
        (&[][..], &[][..], 1, 0, false),
        (&["avg", "max"], &["identity", "linear", "inverse_linear"], 2, 0, true),
        (&["std", "min"], &["amplification", "attenuation"], 2, 2, true),
        (&every, &["identity"], 1, 1, false),
    ] {
        let mut rest = String::new();
        let (mut all, mut scales) = (aggregators, scalers);
        if aggregators.is_empty() {
            all = &["avg", "std", "max", "min"];
            scales = &["identity", "amplification", "attenuation"];
        } else {
            let (a, s) = (all.join(", "), scales.join(", "));
            write!(rest, ", aggregators = {{{a}}}, scalers = {{{s}}}, mean = {mean}").expect("written");
        }
        let template = format!(
            "import gnn/pna. @use pna(x, edge, h, 2, 4, {delta}{rest}, towers = {towers}, de = {de}, act = tanh, \
             bias = {}).",
            u8::from(bias)
        );
        let edges = Edges::random(&g, de.max(1));
        let width = 4 / towers;
        agree(&template, &edges.facts(&g, "h"), |w| {
            let mut w = Weights::of(w);
            let mut sums = vec![Matrix::zeros(4, 1); 6];
            for _ in 0..towers {
                let (to, from) = (w.take(2, 2), w.take(2, 2));
                let of_edges = (de > 0).then(|| w.take(2, de));
                let own = w.take(width, 2);
                let blocks: Vec<&Matrix> = (0..all.len() * scales.len()).map(|_| w.take(width, 2)).collect();
                let last = w.take(4, width);
                let (m, u) = (w.bias(bias, 2), w.bias(bias, width));
                for (i, sum) in sums.iter_mut().enumerate() {
                    let messages: Vec<Matrix> = edges
                        .sources_of(i)
                        .map(|(j, e)| {
                            let plain = to * g.feature(i) + from * g.feature(j) + &m;
                            of_edges.map_or(plain.clone(), |of_edges| plain + of_edges * e)
                        })
                        .collect();
                    let d = messages.len() as f64;
                    let mut tower = own * g.feature(i) + &u;
                    for (a, name) in all.iter().enumerate() {
                        for (s, scaler) in scales.iter().enumerate() {
                            let factor = match *scaler {
                                _ if d == 0.0 => 0.0,
                                "identity" => 1.0,
                                "amplification" => (d + 1.0).ln() / delta,
                                "attenuation" => delta / (d + 1.0).ln(),
                                "linear" => d / mean,
                                "inverse_linear" => mean / d,
                                other => panic!("{other}"),
                            };
                            tower += blocks[a * scales.len() + s] * aggregate(name, &messages, 2) * factor;
                        }
                    }
                    *sum += last * tower;
                }
            }
            let b = w.bias(bias, 4);
            w.end();
            g.outputs("h", |i| (&sums[i] + &b).map(f64::tanh))
        });
    }
}

#[test]
fn mpnn() {
    let g = graph();
    for (arguments, towers, message, aggregator, inner, de, bias) in [
        ("", 1, 4, "sum", None, 0, false),
        (
            ", towers = 2, aggregation = max, inner = tanh, bias = 1",
            2,
            2,
            "max",
            Some(f64::tanh as fn(f64) -> f64),
            0,
            true,
        ),
        (", towers = 2, message = 3, de = 2, inner = relu", 2, 3, "sum", Some(relu), 2, false),
        (", towers = 4, message = 3, de = 1, aggregation = std(clamp)", 4, 3, "std(clamp)", None, 1, false),
    ] {
        let template = format!("import gnn/mpnn. @use mpnn(x, edge, h, 2, 4, act = tanh{arguments}).");
        let edges = Edges::random(&g, de.max(1));
        let width = 4 / towers;
        agree(&template, &edges.facts(&g, "h"), |w| {
            let mut w = Weights::of(w);
            let mut sums = vec![Matrix::zeros(4, 1); 6];
            for _ in 0..towers {
                let (to, from) = (w.take(message, 2), w.take(message, 2));
                let of_edges = (de > 0).then(|| w.take(message, de));
                let (own, other, last) = (w.take(width, 2), w.take(width, message), w.take(4, width));
                let (m, u) = (w.bias(bias, message), w.bias(bias, width));
                for (i, sum) in sums.iter_mut().enumerate() {
                    let messages: Vec<Matrix> = edges
                        .sources_of(i)
                        .map(|(j, e)| {
                            let mut inside = to * g.feature(i) + from * g.feature(j) + &m;
                            if let Some(of_edges) = of_edges {
                                inside += of_edges * e;
                            }
                            inner.map_or(inside.clone(), |f| inside.map(f))
                        })
                        .collect();
                    *sum +=
                        last * (own * g.feature(i) + other * aggregate(aggregator, &messages, message) + &u);
                }
            }
            let b = w.bias(bias, 4);
            w.end();
            g.outputs("h", |i| (&sums[i] + &b).map(f64::tanh))
        });
    }
}
