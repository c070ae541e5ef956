//! Decoders of whole graphs, and what they are learned by.

use super::{number, softmax, softplus};
use crate::harness::{Matrix, Outputs, agree_named};
use crate::kit::{Weights, column, fact, sigmoid, vectors};

/// Slots for nodes: their names, in order.
const SLOTS: [&str; 3] = ["1", "2", "10"];

fn codes() -> (Vec<Matrix>, String) {
    let z = vectors(2, 2, 8);
    let facts = z.iter().enumerate().map(|(k, z)| fact(z, &format!("z(g{k})"))).collect::<String>();
    (z, facts + "slot(1). slot(2). slot(10). ")
}

/// What the decoder makes of a code: kinds of nodes, kinds of bonds, and logits of all pairs.
struct Decoded {
    node: Vec<Matrix>,
    edge: Vec<Option<Matrix>>,
    link: Vec<f64>,
}

fn probabilities(logits: &Matrix) -> Matrix {
    column(&softmax(logits.as_slice()))
}

fn decode(z: &Matrix, link: bool, member: &dyn Fn(&str) -> Option<Matrix>) -> Decoded {
    let at = |name: String| member(&name).unwrap_or_else(|| panic!("no {name}"));
    let node = |i: &&str| probabilities(&(at(format!("w[{i}]")) * z + at(format!("b[{i}]"))));
    let pair = |k: usize| {
        let (i, j) = (k / 3, k % 3);
        format!("{},{}", SLOTS[i.min(j)], SLOTS[i.max(j)])
    };
    let edge = |k: usize| {
        let logits = || at(format!("e[{}]", pair(k))) * z + at(format!("f[{}]", pair(k)));
        (k / 3 != k % 3).then(|| probabilities(&logits()))
    };
    let logit = |k: usize| (at(format!("u[{}]", pair(k))) * z + at(format!("c[{}]", pair(k))))[0];
    Decoded {
        node: SLOTS.iter().map(node).collect(),
        edge: (0..9).map(edge).collect(),
        link: if link { (0..9).map(logit).collect() } else { Vec::new() },
    }
}

fn decoded(g: usize, d: &Decoded) -> Outputs {
    let mut out = Outputs::new();
    for (i, value) in d.node.iter().enumerate() {
        out.push((format!("node(g{g},{})", SLOTS[i]), value.clone()));
    }
    for (k, value) in d.edge.iter().enumerate() {
        let name = |p: &str| format!("{p}(g{g},{},{})", SLOTS[k / 3], SLOTS[k % 3]);
        out.extend(value.clone().map(|v| (name("edge"), v)));
        out.extend(d.link.get(k).map(|v| (name("link"), number(*v))));
    }
    out
}

#[test]
fn dense_graphs_are_made_of_codes() {
    let (z, facts) = codes();
    let ask = "?- node(G,I). ?- edge(G,I,J). ?- h(G,I). ?- critic. ?- maker.";
    for (skip, agg) in [(1, "avg"), (0, "sum")] {
        let template = format!(
            "import generative/dense. @use dense_graph(z, slot, node, edge, 2, 3, 2).
             @use soft_rgcn(node, edge, h, 3, 4, 2, skip = {skip}, agg = {agg}).
             {{1,4}} d(G) :- h(G,_). [transformation=identity, aggregation=avg]
             d/1 [transformation=tanh]
             real(g7) :- d(g0). [transformation=identity]
             real/1 [transformation=sigmoid]
             @use wasserstein(real, d, critic, maker)."
        );
        agree_named(&template, &(facts.clone() + ask), |w, member| {
            let mut w = Weights::of(w);
            let (own, offset) = (w.take(4, 3), w.take(4, 1));
            let maps: Vec<&Matrix> = (skip..2).map(|_| w.take(4, 3)).collect();
            let judge = w.take(1, 4);
            let mut out = Outputs::new();
            let mut judged = Vec::new();
            for (g, z) in z.iter().enumerate() {
                let graph = decode(z, false, member);
                out.extend(decoded(g, &graph));
                let mut mean = Matrix::zeros(4, 1);
                for (i, slot) in SLOTS.iter().enumerate() {
                    let mut sum = own * &graph.node[i] + offset;
                    for j in (0..3).filter(|&j| j != i) {
                        for (map, kind) in maps.iter().zip(skip..) {
                            let p = graph.edge[3 * i + j].as_ref().expect("a pair")[kind];
                            sum += *map * &graph.node[j] * (p / if agg == "avg" { 2.0 } else { 1.0 });
                        }
                    }
                    let h = sum.map(f64::tanh);
                    mean += &h / 3.0;
                    out.push((format!("h(g{g},{slot})"), h));
                }
                judged.push((judge * mean)[0].tanh());
            }
            let fake = (judged[0] + judged[1]) / 2.0;
            out.push(("maker".into(), number(-fake)));
            out.push(("critic".into(), number(fake - sigmoid(judged[0]))));
            out
        });
    }
}

#[test]
fn a_matched_graph_has_an_error() {
    let (z, mut facts) = codes();
    // The graph: two nodes with a bond of the second kind; the last slot is empty.
    let bonds = [(0, 1), (1, 0)];
    let there = |i: usize, j: usize| if i == j { i < 2 } else { bonds.contains(&(i, j)) };
    for (i, j) in (0..9).map(|k| (k / 3, k % 3)) {
        facts += &format!("<{}> a(g0,{},{}). ", u8::from(there(i, j)), SLOTS[i], SLOTS[j]);
    }
    bonds.iter().for_each(|(i, j)| facts += &format!("<[0,1]> e(g0,{},{}). ", SLOTS[*i], SLOTS[*j]));
    facts += "<[0,0,1]> f(g0,1). <[1,0,0]> f(g0,2). ";
    let template = "import generative/dense. @use dense_graph(z, slot, node, edge, 2, 3, 2, link = link).
        @use graphvae_loss(link, edge, node, a, e, f, loss).";
    let ask = "?- node(G,I). ?- edge(G,I,J). ?- link(G,I,J). ?- loss(g0).";
    agree_named(template, &(facts + ask), |w, member| {
        let families = w.len();
        assert_eq!(families, 2 * 3 + 2 * 3 + 2 * 6, "a weight that the formula does not have");
        let graphs: Vec<Decoded> = z.iter().map(|z| decode(z, true, member)).collect();
        let d = &graphs[0];
        let entropy = |i: usize, j: usize| {
            let p = sigmoid(d.link[3 * i + j]);
            if there(i, j) { -p.ln() } else { -(1.0 - p).ln() }
        };
        // ln(1 + e^x) − a x is the same.
        assert!((entropy(2, 2) - softplus(d.link[8])).abs() < 1e-12);
        let mut loss = (0..3).map(|i| entropy(i, i)).sum::<f64>() / 3.0;
        let pairs = (0..9).map(|k| (k / 3, k % 3)).filter(|(i, j)| i != j);
        loss += pairs.map(|(i, j)| entropy(i, j)).sum::<f64>() / 6.0;
        loss -= d.edge[1].as_ref().expect("a pair")[1].ln();
        loss -= (d.node[0][2].ln() + d.node[1][0].ln()) / 2.0;
        let mut out = vec![("loss(g0)".into(), number(loss))];
        graphs.iter().enumerate().for_each(|(g, d)| out.extend(decoded(g, d)));
        out
    });
}
