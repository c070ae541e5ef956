//! Which blocks a graph is compiled to, and that they compute what they stand for.

use crate::lifting::{gradient, near, scoped};
use crate::support::{network, session};
use nlog::exec::{Block, Kind, Parameters};
use nlog::graph::lift::Scope;
use nlog::learn::optimizer::Optimizer;
use nlog::learn::trainer::named_weights;
use nlog::learn::{Batch, Loss, Reduction, Trainer};
use nlog::session::{Session, Settings};
use nlog::tensor::functions::{Aggregation, Combination};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

fn blocks(session: &Session) -> Vec<Block> {
    network(session).programs.iter().flat_map(|p| &p.blocks).cloned().collect()
}

fn weights(session: &Session, parameters: &Parameters<f64>) -> BTreeMap<String, Vec<f64>> {
    named_weights(&session.template, parameters).map(|(_, name, x)| (name.to_string(), x)).collect()
}

/// An embedding and a matrix for each of `n` constants.
fn each_its_own(n: usize) -> String {
    let rule = |i: usize| format!("$e{i}={{2}} e(c{i}) :- n(c{i}).\n$m{i}={{2,2}} h(c{i}) :- e(c{i}).\n");
    let rules: String = (0..n).map(rule).collect();
    format!("[rule=identity, atom=identity]\n{rules}e/1 [transformation=tanh]\n$q={{1,2}} q(X) :- h(X).")
}

#[test]
fn many_weights_with_few_values_share_a_block() {
    let facts =
        |n: usize| -> String { (0..n).map(|i| format!("n(c{i}). ?- {} q(c{i}).\n", i % 2)).collect() };
    for (n, shared) in [(3, 0), (9, 2)] {
        for scope in [Scope::Off, Scope::Sample, Scope::All] {
            let s = scoped(&each_its_own(n), &facts(n), scope, |_| ());
            let rowwise = |b: &&Block| matches!(b.kind, Kind::Rowwise { .. });
            let found = blocks(&s);
            assert_eq!(found.iter().filter(rowwise).count(), shared, "{n} {scope:?}");
            assert!(found.iter().filter(rowwise).all(|b| b.rows == n && b.weights().len() == n));
            let w = weights(&s, &s.initial_parameters());
            let expected: Vec<f64> = (0..n)
                .map(|i| {
                    let e: Vec<f64> = w[&format!("e{i}")].iter().map(|x| x.tanh()).collect();
                    let m = &w[&format!("m{i}")];
                    w["q"][0] * (m[0] * e[0] + m[1] * e[1]) + w["q"][1] * (m[2] * e[0] + m[3] * e[1])
                })
                .collect();
            near("outputs", &gradient(&s).0, &expected, 1e-14);
        }
    }
}

/// A step of SGD on one constant changes its own weights, by the formula, and those of no other.
#[test]
fn a_step_changes_the_weights_of_its_rows_only() {
    let mut settings = Settings::default();
    settings.train.optimizer = Optimizer::Sgd;
    settings.train.learning_rate = Some(0.05);
    settings.train.epochs = 1;
    settings.train.loss = Loss::Mse;
    settings.train.reduction = Reduction::Sum;
    settings.train.batch = Batch::Size(1);
    let facts: String = (0..6).map(|i| format!("n(c{i}). ")).collect();
    let s = session(&each_its_own(6), &format!("{facts} ?- 1 q(c4)."), settings);
    let network = network(&s);
    let before = weights(&s, &s.initial_parameters());
    let train = s.settings.train.clone();
    let mut trainer = Trainer::new(&network.programs, &network.samples, s.initial_parameters(), train);
    trainer.train(&mut |_| ControlFlow::Continue(())).expect("finite");
    let after = weights(&s, &trainer.parameters);
    let (e, m, q) = (&before["e4"], &before["m4"], &before["q"]);
    let t: Vec<f64> = e.iter().map(|x| x.tanh()).collect();
    let h = [m[0] * t[0] + m[1] * t[1], m[2] * t[0] + m[3] * t[1]];
    // Of minus the squared difference to 1.
    let g = 2.0 * (1.0 - (q[0] * h[0] + q[1] * h[1]));
    let step = |w: &[f64], g: &[f64]| -> Vec<f64> { w.iter().zip(g).map(|(w, g)| w + 0.05 * g).collect() };
    let gm = [g * q[0] * t[0], g * q[0] * t[1], g * q[1] * t[0], g * q[1] * t[1]];
    let gt = [g * (q[0] * m[0] + q[1] * m[2]), g * (q[0] * m[1] + q[1] * m[3])];
    let ge = [gt[0] * (1.0 - t[0] * t[0]), gt[1] * (1.0 - t[1] * t[1])];
    near("e4", &after["e4"], &step(e, &ge), 1e-14);
    near("m4", &after["m4"], &step(m, &gm), 1e-14);
    near("q", &after["q"], &step(q, &[g * h[0], g * h[1]]), 1e-14);
    for name in ["e0", "e3", "e5", "m0", "m3", "m5"] {
        assert_eq!(before[name], after[name], "{name}");
    }
}

/// A value and the sum of its neighbours' are one sum.
#[test]
fn a_sum_that_only_a_sum_reads_is_no_row_of_its_own() {
    let template = "[rule=identity, atom=identity]
        $w={2,2} h(X) :- f(X).
        h/1 [transformation=tanh]
        a(X) :- h(X).
        a(X) :- h(Y), *e(Y,X). [aggregation=sum]
        $v={1,2} q(X) :- a(X).";
    let data = "<[1,2]> f(n0). <[-1,0.5]> f(n1). <[0.3,0.1]> f(n2). <[2,-1]> f(n3).
        e(n0,n1). e(n2,n1). e(n3,n1). e(n1,n0). e(n2,n0). e(n1,n2). ?- 1 q(n0). ?- 0 q(n1). ?- 1 q(n2). ?- 0 q(n3).";
    let s = scoped(template, data, Scope::Off, |_| ());
    let sums = |b: &&Block| match &b.kind {
        Kind::Reduce { aggregation: Aggregation::Sum, .. } => true,
        Kind::Combine { combination: Combination::Sum, inputs, .. } => inputs.len() > 1,
        _ => false,
    };
    let found: Vec<Block> = blocks(&s).into_iter().filter(|b| sums(&b)).collect();
    // n3 has no neighbours: its value is that of h.
    let rows: Vec<usize> = found.iter().map(|b| b.rows).collect();
    assert_eq!((found.len(), rows), (1, vec![3]), "{found:#?}");
    let w = weights(&s, &s.initial_parameters());
    let h = |f: [f64; 2]| [0, 1].map(|i| (w["w"][2 * i] * f[0] + w["w"][2 * i + 1] * f[1]).tanh());
    let h = [h([1.0, 2.0]), h([-1.0, 0.5]), h([0.3, 0.1]), h([2.0, -1.0])];
    let q = |of: &[usize]| {
        let sum = [0, 1].map(|i| of.iter().map(|&n| h[n][i]).sum::<f64>());
        w["v"][0] * sum[0] + w["v"][1] * sum[1]
    };
    let expected = [q(&[0, 1, 2]), q(&[1, 0, 2, 3]), q(&[2, 1]), q(&[3])];
    near("outputs", &gradient(&s).0, &expected, 1e-14);
}

/// Where the reader adds something of another shape, or several neurons read the sum, it has its own row.
#[test]
fn a_sum_keeps_its_row_where_it_must() {
    let data = "1.5 b(n0). -0.5 b(n1). <[1,2]> f(n0). <[-1,0.5]> f(n1). <[0.3,0.1]> f(n2).
        e(n0,n1). e(n2,n1). e(n1,n0). e(n2,n0). ?- [1,0] q(n0). ?- [0,1] q(n1).";
    let sum = "[rule=identity, atom=identity]
        $w={2,2} h(X) :- f(X).
        a(X) :- h(Y), *e(Y,X). [aggregation=sum]\n";
    let value = |w: &BTreeMap<String, Vec<f64>>, f: [f64; 2]| {
        [0, 1].map(|i| w["w"][2 * i] * f[0] + w["w"][2 * i + 1] * f[1])
    };
    // A scalar is added to both elements.
    let s = scoped(&format!("{sum} q(X) :- b(X), a(X)."), data, Scope::Off, |_| ());
    let w = weights(&s, &s.initial_parameters());
    let of = |a: [f64; 2], b: [f64; 2], c: f64| [a[0] + b[0] + c, a[1] + b[1] + c];
    let (h0, h1, h2) = (value(&w, [1.0, 2.0]), value(&w, [-1.0, 0.5]), value(&w, [0.3, 0.1]));
    near("outputs", &gradient(&s).0, &[of(h1, h2, 1.5), of(h0, h2, -0.5)].concat(), 1e-14);
    // Read by a row for each pair.
    let pairs = format!("{sum} p(X,Y) :- a(X), h(Y). q(X) :- p(X,Y). [aggregation=sum]");
    let s = scoped(&pairs, data, Scope::Off, |_| ());
    let reduced: Vec<usize> =
        blocks(&s).iter().filter(|b| matches!(b.kind, Kind::Reduce { .. })).map(|b| b.rows).collect();
    assert_eq!(reduced, [2, 2]);
    let w = weights(&s, &s.initial_parameters());
    let (h0, h1, h2) = (value(&w, [1.0, 2.0]), value(&w, [-1.0, 0.5]), value(&w, [0.3, 0.1]));
    let q = |a: [f64; 2], b: [f64; 2]| [0, 1].map(|i| 3.0 * (a[i] + b[i]) + h0[i] + h1[i] + h2[i]);
    near("outputs", &gradient(&s).0, &[q(h1, h2), q(h0, h2)].concat(), 1e-14);
}

/// The rows of one layer on a ring where each of 40 nodes hears from the `degree` nodes before it.
fn rows_of_a_layer(import: &str, call: &str, degree: usize) -> usize {
    let node = |i: usize| format!("<[{},{},1,0]> x(n{i}).", i % 7, (i * i) % 11);
    let edges = |i: usize| -> String {
        (1..=degree).map(|s| format!("edge(n{},n{i}).", (i + 40 - s) % 40)).collect()
    };
    let facts: String = (0..40).map(|i| node(i) + &edges(i) + &format!("?- 1 out(n{i}).\n")).collect();
    let template = format!("import {import}. @use {call}. out(X) :- {{1,4}} h(X).");
    let s = scoped(&template, &facts, Scope::Off, |_| ());
    blocks(&s).iter().map(|b| b.rows).sum()
}

#[test]
fn isotropic_layers_have_no_rows_for_edges() {
    let rows = rows_of_a_layer;
    for (import, call) in [
        ("gnn/sage", "sage(x, edge, h, 4, 4)"),
        ("gnn/gcn", "gcn(x, edge, h, 4, 4)"),
        ("gnn/gcn", "gcn(x, edge, h, 4, 4, loops = 0)"),
        ("gnn/egc", "egc_s(x, edge, h, 4, 4, heads = 2, bases = 2)"),
        ("gnn/egc", "egc_m(x, edge, h, 4, 4, heads = 2, bases = 2)"),
    ] {
        assert_eq!(rows(import, call, 3), rows(import, call, 12), "{call}");
    }
    // What depends on both ends is computed for each edge: a message, or a score and more for each head.
    let more = 40 * 9;
    assert_eq!(
        rows("gnn/pna", "pna(x, edge, h, 4, 4, 1)", 12) - rows("gnn/pna", "pna(x, edge, h, 4, 4, 1)", 3),
        more
    );
    let gat = "gat(x, edge, h, 4, 4, heads = 2)";
    assert!(rows("gnn/gat", gat, 12) - rows("gnn/gat", gat, 3) >= 2 * more);
}
