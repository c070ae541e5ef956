//! Layers of graph networks against their formulas, written with loops over matrices.

mod attention;
mod golden;
mod power;

use crate::harness::{Graph, Matrix, Outputs, agree};
use nlog::base::rng::Stream;
use std::fmt::Write;

/// Weights in the order of the template.
struct Weights<'a>(std::slice::Iter<'a, Matrix>);

impl<'a> Weights<'a> {
    fn of(weights: &'a [Matrix]) -> Weights<'a> {
        Weights(weights.iter())
    }
    /// The next one, which must have this shape.
    fn take(&mut self, rows: usize, cols: usize) -> &'a Matrix {
        let w = self.0.next().expect("a weight more");
        assert_eq!(w.shape(), (rows, cols));
        w
    }
    /// The next one, if there is any of this kind; else zeros.
    fn bias(&mut self, there: bool, rows: usize) -> Matrix {
        if there { self.take(rows, 1).clone() } else { Matrix::zeros(rows, 1) }
    }
    fn end(mut self) {
        assert!(self.0.next().is_none(), "a weight that the formula does not have");
    }
}

fn relu(v: f64) -> f64 {
    v.max(0.0)
}

/// Six nodes, the last without an edge, the second with one to itself.
fn graph() -> Graph {
    let mut g = Graph::random(6, 9, 2, 2);
    g.edges.push((1, 1, 0.625));
    g
}

fn features(g: &Graph) -> Vec<Matrix> {
    (0..g.x.len()).map(|i| g.feature(i)).collect()
}

/// Vectors of some width on the edges of a graph.
struct Edges(Vec<(usize, usize, Matrix)>);

impl Edges {
    fn random(g: &Graph, width: usize) -> Edges {
        let mut stream = Stream::new(5, "zoo edges");
        let value =
            |s: &mut Stream| Matrix::from_fn(width, 1, |_, _| (16.0 * s.uniform()).floor() / 8.0 - 1.0);
        Edges(g.edges.iter().map(|e| (e.0, e.1, value(&mut stream))).collect())
    }
    fn sources_of(&self, i: usize) -> impl Iterator<Item = (usize, &Matrix)> {
        self.0.iter().filter(move |e| e.1 == i).map(|e| (e.0, &e.2))
    }
    /// The facts of the graph, but these on the edges.
    fn facts(&self, g: &Graph, query: &str) -> String {
        let mut out = Graph { x: g.x.clone(), edges: Vec::new() }.facts(query);
        for (j, i, value) in &self.0 {
            let values: Vec<String> = value.iter().map(f64::to_string).collect();
            let values =
                if values.len() == 1 { values[0].clone() } else { format!("[{}]", values.join(",")) };
            writeln!(out, "<{values}> edge(n{j},n{i}).").expect("written");
        }
        out
    }
}

/// What one step of propagation takes from node j to node i, at (i, j).
fn propagation(g: &Graph, loops: bool, weighted: bool, symmetric: bool) -> Matrix {
    let n = g.x.len();
    let mut e = Matrix::zeros(n, n);
    for &(j, i, w) in &g.edges {
        e[(i, j)] = if weighted { w } else { 1.0 };
    }
    if loops {
        (0..n).for_each(|i| {
            if !g.edges.iter().any(|e| (e.0, e.1) == (i, i)) {
                e[(i, i)] = 1.0;
            }
        });
    }
    let degree: Vec<f64> = (0..n).map(|i| e.row(i).sum()).collect();
    Matrix::from_fn(n, n, |i, j| match e[(i, j)] {
        w if w == 0.0 || !symmetric => w,
        _ if degree[j] == 0.0 => 0.0,
        w => w / (degree[i] * degree[j]).sqrt(),
    })
}

/// Σ_j s_ij x_j
fn propagate(s: &Matrix, x: &[Matrix]) -> Vec<Matrix> {
    (0..x.len()).map(|i| (0..x.len()).map(|j| &x[j] * s[(i, j)]).sum()).collect()
}

/// The queries and outputs of only some nodes.
fn only(g: &Graph, data: &str, there: impl Fn(usize) -> bool) -> String {
    let mut data = data.to_string();
    for i in (0..g.x.len()).filter(|&i| !there(i)) {
        data = data.replace(&format!("?- h(n{i})."), "");
    }
    data
}

fn outputs_of(g: &Graph, there: impl Fn(usize) -> bool, value: impl Fn(usize) -> Matrix) -> Outputs {
    (0..g.x.len()).filter(|&i| there(i)).map(|i| (format!("h(n{i})"), value(i))).collect()
}

/// W_n · inner( … inner( W_1 · x + b_1 ) … ) + b_n at each node.
fn network(
    w: &mut Weights<'_>,
    x: Vec<Matrix>,
    units: &[usize],
    inner: fn(f64) -> f64,
    bias: bool,
) -> Vec<Matrix> {
    let mut z = x;
    for (l, pair) in units.windows(2).enumerate() {
        if l > 0 {
            z.iter_mut().for_each(|z| z.apply(|v| *v = inner(*v)));
        }
        let map = w.take(pair[1], pair[0]);
        let b = w.bias(bias, pair[1]);
        z = z.iter().map(|z| map * z + &b).collect();
    }
    z
}

#[test]
fn gcn() {
    let g = graph();
    for (loops, weighted, symmetric, bias) in (0..16).map(|k| (k & 1, k >> 1 & 1, k >> 2 & 1, k >> 3 & 1)) {
        let norm = if symmetric == 1 { "symmetric" } else { "none" };
        let template = format!(
            "import gnn/gcn. @use gcn(x, edge, h, 2, 3, tanh, loops = {loops}, weighted = {weighted}, \
             norm = {norm}, bias = {bias})."
        );
        let s = propagation(&g, loops == 1, weighted == 1, symmetric == 1);
        let there = |i: usize| s.row(i).sum() > 0.0;
        agree(&template, &only(&g, &g.facts("h"), there), |w| {
            let mut w = Weights::of(w);
            let (map, b) = (w.take(3, 2), w.bias(bias == 1, 3));
            w.end();
            let sums = propagate(&s, &features(&g));
            outputs_of(&g, there, |i| (map * &sums[i] + &b).map(f64::tanh))
        });
    }
}

#[test]
fn two_layers_of_gcn_keep_apart() {
    let g = graph();
    let template = "import gnn/gcn. link(X,Y) :- x(X), x(Y). scale(X) :- x(X).
        @use gcn(x, edge, l1, 2, 3, tanh). @use gcn(l1, edge, h, 3, 2, identity, loops = 0, norm = none, bias = 1).";
    let (s, t) = (propagation(&g, true, false, true), propagation(&g, false, false, false));
    let there = |i: usize| t.row(i).sum() > 0.0;
    agree(template, &only(&g, &g.facts("h"), there), |w| {
        let l1: Vec<Matrix> =
            propagate(&s, &features(&g)).iter().map(|v| (&w[0] * v).map(f64::tanh)).collect();
        let sums = propagate(&t, &l1);
        outputs_of(&g, there, |i| &w[1] * &sums[i] + &w[2])
    });
}

#[test]
fn sage() {
    let g = graph();
    for (bias, normalize, act) in [(0, 0, "tanh"), (1, 0, "relu"), (0, 1, "tanh"), (1, 1, "tanh")] {
        let template = format!(
            "import gnn/sage. @use sage(x, edge, h, 2, 3, {act}, bias = {bias}, normalize = {normalize})."
        );
        let f = if act == "relu" { relu } else { f64::tanh };
        agree(&template, &g.facts("h"), |w| {
            let mut w = Weights::of(w);
            let (own, other, b) = (w.take(3, 2), w.take(3, 2), w.bias(bias == 1, 3));
            w.end();
            g.outputs("h", |i| {
                let count = g.sources_of(i).count();
                let sum: Matrix = g.sources_of(i).fold(Matrix::zeros(2, 1), |sum, (j, _)| sum + g.feature(j));
                let h = (own * g.feature(i) + other * sum / count.max(1) as f64 + &b).map(f);
                if normalize == 1 { &h / h.norm() } else { h }
            })
        });
    }
}

#[test]
fn sage_pool() {
    let g = graph();
    for (bias, normalize, inner) in [(0, 0, "relu"), (1, 0, "tanh"), (0, 1, "tanh"), (1, 1, "tanh")] {
        let template = format!(
            "import gnn/sage. @use sage_pool(x, edge, h, 2, 3, tanh, pool = 4, inner = {inner}, bias = {bias}, \
             normalize = {normalize})."
        );
        let f = if inner == "relu" { relu } else { f64::tanh };
        agree(&template, &g.facts("h"), |w| {
            let mut w = Weights::of(w);
            let (pool, own, other) = (w.take(4, 2), w.take(3, 2), w.take(3, 4));
            let (c, b) = (w.bias(bias == 1, 4), w.bias(bias == 1, 3));
            w.end();
            g.outputs("h", |i| {
                let mut greatest: Option<Matrix> = None;
                for (j, _) in g.sources_of(i) {
                    let m = (pool * g.feature(j) + &c).map(f);
                    greatest = Some(match greatest {
                        Some(old) => old.zip_map(&m, f64::max),
                        None => m,
                    });
                }
                let greatest = greatest.unwrap_or_else(|| Matrix::zeros(4, 1));
                let h = (own * g.feature(i) + other * greatest + &b).map(f64::tanh);
                if normalize == 1 { &h / h.norm() } else { h }
            })
        });
    }
}

/// The last state of an LSTM that reads vectors from zero; `w` has W, U and c of input, forget, output and fresh.
fn last_state(w: &[(Matrix, Matrix, Matrix)], read: &[Matrix]) -> Matrix {
    let width = w[0].1.nrows();
    let (mut state, mut cell) = (Matrix::zeros(width, 1), Matrix::zeros(width, 1));
    for x in read {
        let gate = |k: usize| &w[k].0 * x + &w[k].1 * &state + &w[k].2;
        let open = |k: usize| gate(k).map(|v| 1.0 / (1.0 + (-v).exp()));
        cell = open(1).component_mul(&cell) + open(0).component_mul(&gate(3).map(f64::tanh));
        state = open(2).component_mul(&cell.map(f64::tanh));
    }
    state
}

#[test]
fn sage_lstm() {
    let g = graph();
    for (bias, normalize, ordered) in [(0, 0, false), (1, 0, true), (0, 1, true), (1, 1, false)] {
        let order = if ordered { ", order = after" } else { "" };
        let template = format!(
            "import gnn/sage. @use sage_lstm(x, edge, h, 2, 3, tanh, units = 4, bias = {bias}, \
             normalize = {normalize}{order})."
        );
        // By name, or, where an order is given, the other way round.
        let read = |i: usize| {
            let mut near: Vec<usize> = g.sources_of(i).map(|(j, _)| j).collect();
            near.sort_unstable();
            if ordered {
                near.reverse();
            }
            near
        };
        let mut data = g.facts("h");
        for i in 0..6 {
            data.extend(read(i).windows(2).map(|w| format!("after(n{i},n{},n{}). ", w[0], w[1])));
        }
        assert!((0..6).any(|i| read(i).len() > 2), "no neighbourhood with an order to speak of");
        if !ordered {
            data = g.facts("h");
        }
        agree(&template, &data, |w| {
            let mut w = Weights::of(w);
            let gates: Vec<_> =
                (0..4).map(|_| (w.take(4, 2).clone(), w.take(4, 4).clone(), w.bias(bias == 1, 4))).collect();
            let (own, other, b) = (w.take(3, 2), w.take(3, 4), w.bias(bias == 1, 3));
            w.end();
            g.outputs("h", |i| {
                let near: Vec<Matrix> = read(i).into_iter().map(|j| g.feature(j)).collect();
                let h = (own * g.feature(i) + other * last_state(&gates, &near) + &b).map(f64::tanh);
                if normalize == 1 { &h / h.norm() } else { h }
            })
        });
    }
}

#[test]
fn gin() {
    let g = graph();
    for (arguments, units, inner, eps, bias) in [
        ("", &[2, 3, 3][..], relu as fn(f64) -> f64, Some(0.0), false),
        (", eps = 0.5, inner = tanh, bias = 1", &[2, 3, 3], f64::tanh, Some(0.5), true),
        (", learn = 1, eps = 0.5, inner = tanh", &[2, 3, 3], f64::tanh, None, false),
        (", units = {2,5,4,3}, inner = tanh, bias = 1, learn = 1", &[2, 5, 4, 3], f64::tanh, None, true),
        (", units = {2,3}", &[2, 3], f64::tanh, Some(0.0), false),
    ] {
        let template = format!("import gnn/gin. @use gin(x, edge, h, 2, 3, act = tanh{arguments}).");
        agree(&template, &g.facts("h"), |w| {
            let mut w = Weights::of(w);
            let own = eps.map_or_else(|| w.take(1, 1)[0], |eps| 1.0 + eps);
            let sums = (0..g.x.len())
                .map(|i| g.sources_of(i).fold(g.feature(i) * own, |sum, (j, _)| sum + g.feature(j)))
                .collect();
            let h = network(&mut w, sums, units, inner, bias);
            w.end();
            g.outputs("h", |i| h[i].map(f64::tanh))
        });
    }
}

#[test]
fn learned_eps_starts_where_it_is_told() {
    let template = "import gnn/gin. @use gin(x, edge, h, 2, 3, eps = 0.25, learn = 1).";
    let (session, _) =
        nlog::session::Session::from_texts(template, &graph().facts("h"), nlog::session::Settings::default());
    let start = session.initial_parameters::<f64>();
    let first = session.template.weights.iter_enumerated().find(|(_, w)| w.shape.len() == 1);
    let (id, _) = first.expect("the weight 1 + eps");
    assert_eq!(start.get(id), [1.25]);
}

#[test]
fn gin_of_pyneuralogic() {
    let g = graph();
    let template = "import gnn/gin. @use gin(x, edge, h, 2, 3, tanh, compat = pynl).";
    agree(template, &g.facts("h"), |w| {
        let mut w = Weights::of(w);
        let (other, own, inside) = (w.take(3, 2), w.take(3, 2), w.take(2, 2));
        w.end();
        g.outputs("h", |i| {
            let sum = g.sources_of(i).fold(Matrix::zeros(2, 1), |sum, (j, _)| sum + g.feature(j));
            (other * sum + own * (inside * g.feature(i)).map(f64::tanh)).map(f64::tanh)
        })
    });
}

#[test]
fn gine() {
    let g = graph();
    for (arguments, de, eps, bias) in [
        ("", 2, Some(0.0), false),
        (", eps = 0.5, bias = 1", 2, Some(0.5), true),
        (", de = 3, bias = 1", 3, Some(0.0), true),
        (", de = 1, learn = 1", 1, None, false),
    ] {
        let template =
            format!("import gnn/gine. @use gine(x, edge, h, 2, 3, act = tanh, inner = tanh{arguments}).");
        let edges = Edges::random(&g, de);
        agree(&template, &edges.facts(&g, "h"), |w| {
            let mut w = Weights::of(w);
            let (map, shift) = match de {
                2 => (Matrix::identity(2, 2), Matrix::zeros(2, 1)),
                _ => (w.take(2, de).clone(), w.bias(bias, 2)),
            };
            let own = eps.map_or_else(|| w.take(1, 1)[0], |eps| 1.0 + eps);
            let sum = |i: usize| {
                edges.sources_of(i).fold(g.feature(i) * own, |sum, (j, e)| {
                    sum + (g.feature(j) + &map * e + &shift).map(relu)
                })
            };
            let h = network(&mut w, (0..6).map(sum).collect(), &[2, 3, 3], f64::tanh, bias);
            w.end();
            g.outputs("h", |i| h[i].map(f64::tanh))
        });
    }
}

#[test]
fn gen_layer() {
    let g = graph();
    // Widths, of edges, the aggregation, t if it is fixed, the widths of the network, biases.
    for (arguments, (din, dout), de, aggregation, t, units, bias) in [
        ("", (2, 2), 0, "softmax", Some(1.0), &[2, 4, 2][..], false),
        (", t = 2.5, bias = 1, de = 2", (2, 2), 2, "softmax", Some(2.5), &[2, 4, 2], true),
        (", learn = 1, de = 1, units = {3,3}", (2, 3), 1, "softmax", None, &[3, 3], false),
        (", aggregation = avg, eps = 0.5", (2, 3), 0, "avg", Some(0.0), &[3, 6, 3], false),
        (", aggregation = powermean, p = 3, eps = 0.5", (2, 3), 0, "powermean", Some(0.0), &[3, 6, 3], false),
    ] {
        let template = format!(
            "import gnn/gen. @use gen(x, edge, h, {din}, {dout}, act = tanh, inner = tanh{arguments})."
        );
        let edges = Edges::random(&g, de.max(1));
        let eps = if aggregation == "softmax" { 1e-7 } else { 0.5 };
        agree(&template, &edges.facts(&g, "h"), |w| {
            let mut w = Weights::of(w);
            let mut projection = || match din == dout {
                true => Matrix::identity(2, 2),
                false => w.take(dout, din).clone(),
            };
            let (from, to) = (projection(), projection());
            let map = match de {
                0 => Matrix::zeros(dout, 1),
                _ if de == dout => Matrix::identity(dout, dout),
                _ => w.take(dout, de).clone(),
            };
            let t = t.unwrap_or_else(|| w.take(1, 1)[0]);
            let sum = |i: usize| {
                let m: Vec<Matrix> = edges
                    .sources_of(i)
                    .map(|(j, e)| (&from * g.feature(j) + &map * e).map(|v| relu(v) + eps))
                    .collect();
                let mut sum = &to * g.feature(i);
                for c in 0..dout {
                    let n = m.len().max(1) as f64;
                    sum[c] += match aggregation {
                        "softmax" => {
                            let total: f64 = m.iter().map(|m| (t * m[c]).exp()).sum();
                            m.iter().map(|m| (t * m[c]).exp() / total * m[c]).sum()
                        }
                        "avg" => m.iter().map(|m| m[c]).sum::<f64>() / n,
                        _ => (m.iter().map(|m| m[c].powi(3)).sum::<f64>() / n).cbrt(),
                    };
                }
                sum
            };
            let h = network(&mut w, (0..6).map(sum).collect(), units, f64::tanh, bias);
            w.end();
            g.outputs("h", |i| h[i].map(f64::tanh))
        });
    }
}

#[test]
fn sg() {
    let g = graph();
    for (loops, weighted, symmetric, k, bias) in
        [(1, 0, 1, 1, 0), (1, 1, 1, 2, 1), (0, 1, 1, 2, 0), (1, 0, 0, 3, 1)]
    {
        let scale = if symmetric == 1 { "symmetric" } else { "none" };
        let template = format!(
            "import gnn/sg. @use sg(x, edge, h, 2, 3, {k}, tanh, {loops}, {weighted}, {scale}, {bias})."
        );
        let s = propagation(&g, loops == 1, weighted == 1, symmetric == 1);
        let walks = s.pow(k);
        let there = |i: usize| walks.row(i).sum() > 0.0;
        agree(&template, &only(&g, &g.facts("h"), there), |w| {
            let mut w = Weights::of(w);
            let (map, b) = (w.take(3, 2), w.bias(bias == 1, 3));
            w.end();
            let sums = propagate(&walks, &features(&g));
            outputs_of(&g, there, |i| (map * &sums[i] + &b).map(f64::tanh))
        });
    }
}

#[test]
fn tag() {
    let g = graph();
    for (weighted, symmetric, k, bias) in [(0, 1, 3, 0), (1, 1, 2, 1), (1, 0, 1, 0), (0, 0, 0, 1)] {
        let scale = if symmetric == 1 { "symmetric" } else { "none" };
        let template =
            format!("import gnn/tag. @use tag(x, edge, h, 2, 3, {k}, tanh, {weighted}, {scale}, {bias}).");
        let s = propagation(&g, false, weighted == 1, symmetric == 1);
        agree(&template, &g.facts("h"), |w| {
            let mut w = Weights::of(w);
            let mut sums = vec![Matrix::zeros(3, 1); 6];
            for t in 0..=k {
                let map = w.take(3, 2);
                let step = propagate(&s.pow(t), &features(&g));
                sums.iter_mut().zip(&step).for_each(|(sum, step)| *sum += map * step);
            }
            let b = w.bias(bias == 1, 3);
            w.end();
            g.outputs("h", |i| (&sums[i] + &b).map(f64::tanh))
        });
    }
}

#[test]
fn appnp() {
    let g = graph();
    for (k, alpha, loops, weighted, symmetric) in
        [(1, 0.1, 1, 0, 1), (4, 0.25, 1, 1, 1), (3, 0.5, 0, 1, 1), (2, 0.1, 0, 0, 0)]
    {
        let scale = if symmetric == 1 { "symmetric" } else { "none" };
        // A map before it, so that there is something to learn: predict, then propagate.
        let template = format!(
            "import gnn/appnp. {{3,2}} z(I) :- x(I). [transformation=identity] z/1 [transformation=tanh]
             @use appnp(z, edge, h, {k}, {alpha}, tanh, {loops}, {weighted}, {scale})."
        );
        let s = propagation(&g, loops == 1, weighted == 1, symmetric == 1);
        agree(&template, &g.facts("h"), |w| {
            let start: Vec<Matrix> = features(&g).iter().map(|x| (&w[0] * x).map(f64::tanh)).collect();
            let mut z = start.clone();
            for _ in 0..k {
                let step = propagate(&s, &z);
                z = (0..6).map(|i| &start[i] * alpha + &step[i] * (1.0 - alpha)).collect();
            }
            g.outputs("h", |i| z[i].map(f64::tanh))
        });
    }
}

/// Every layer, with options that differ from the defaults: module, arguments in front, arguments behind.
const LAYERS: &[(&str, &str, &str)] = &[
    ("gcn", "gcn(x, edge, ", ", 2, 3, weighted = 1, bias = 1)"),
    ("sage", "sage(x, edge, ", ", 2, 3, bias = 1, normalize = 1)"),
    ("sage", "sage_pool(x, edge, ", ", 2, 3)"),
    ("sage", "sage_lstm(x, edge, ", ", 2, 3, bias = 1)"),
    ("gin", "gin(x, edge, ", ", 2, 3, learn = 1)"),
    ("gin", "gin(x, edge, ", ", 2, 3, compat = pynl)"),
    ("gine", "gine(x, edge, ", ", 2, 3, de = 1, bias = 1)"),
    ("gen", "gen(x, edge, ", ", 2, 3, de = 1, learn = 1)"),
    ("gen", "gen(x, edge, ", ", 2, 3, aggregation = max)"),
    ("gen", "gen(x, edge, ", ", 2, 3, aggregation = powermean, p = 2)"),
    ("gat", "gat(x, edge, ", ", 2, 4, heads = 2, de = 1)"),
    ("gat", "gat(x, edge, ", ", 2, 3, heads = 2, join = mean)"),
    ("gatv2", "gatv2(x, edge, ", ", 2, 4, heads = 2, de = 1, bias = 1)"),
    ("gatv2", "gatv2(x, edge, ", ", 2, 3, shared = 1)"),
    ("egc", "egc_s(x, edge, ", ", 2, 4, heads = 2)"),
    ("egc", "egc_m(x, edge, ", ", 2, 4, heads = 2)"),
    ("egc", "egc_m(x, edge, ", ", 2, 4, 2, 2, {symnorm, symnorm, var}, bias = 1)"),
    ("pna", "pna(x, edge, ", ", 2, 4, 1.25)"),
    (
        "pna",
        "pna(x, edge, ",
        ", 2, 4, 1, scalers = {linear, inverse_linear}, mean = 2, towers = 2, de = 1, bias = 1)",
    ),
    ("mpnn", "mpnn(x, edge, ", ", 2, 4, towers = 2, de = 1, bias = 1, inner = relu)"),
    ("tag", "tag(x, edge, ", ", 2, 3, bias = 1)"),
    ("sg", "sg(x, edge, ", ", 2, 3, 2, bias = 1)"),
];

/// The number of learned weights, and the values of all answers, with the `k`-th learned weight filled from `seed(k)`.
fn filled(template: &str, data: &str, seed: impl Fn(usize) -> u64) -> (usize, Vec<Vec<f64>>) {
    let (session, found) =
        nlog::session::Session::from_texts(template, data, nlog::session::Settings::default());
    assert!(found.is_empty(), "{template}\n{found:#?}");
    let (network, found) = session.build();
    assert!(found.is_empty(), "{template}\n{found:#?}");
    let network = network.expect("a network");
    let mut parameters = session.initial_parameters::<f64>();
    let learned = session.template.weights.iter_enumerated().filter(|(_, w)| w.learnable && !w.constant);
    let mut count = 0;
    for (k, (w, _)) in learned.enumerate() {
        let mut stream = Stream::new(seed(k), "zoo weights");
        parameters.get_mut(w).iter_mut().for_each(|v| *v = 2.0 * stream.uniform() - 1.0);
        count = k + 1;
    }
    let run = session.run(&network, &mut parameters, &mut |_| std::ops::ControlFlow::Break(()));
    (count, run.expect("finite").values)
}

/// Two uses of a layer have weights and predicates of their own: the first is what it is alone whatever the weights of
/// the second, and the second with the same weights is the same; but for rounding, as sums that both have are computed
/// once and others together with what reads them. And no layer gives the user a warning.
#[test]
fn two_uses_keep_apart() {
    let g = graph();
    for (module, front, rest) in LAYERS {
        let one = format!("import gnn/{module}. @use {front}h{rest}.");
        let two = format!("{one} @use {front}g{rest}.");
        let data = g.facts("h");
        let both = format!("{data}{}", (0..6).map(|i| format!("?- g(n{i}). ")).collect::<String>());
        let (n, alone) = filled(&one, &data, |k| k as u64);
        let (all, same) = filled(&two, &both, |k| (k % n) as u64);
        let (_, other) = filled(&two, &both, |k| k as u64);
        assert_eq!(all, 2 * n, "{one}");
        let equal = |values: &[Vec<f64>]| {
            let (a, b) = (values.iter().flatten(), alone.iter().flatten());
            a.zip(b).all(|(a, b)| (a - b).abs() <= 1e-13 * b.abs().max(1.0))
        };
        assert!(equal(&same[..6]) && equal(&same[6..]) && equal(&other[..6]), "{one}");
        assert!(!equal(&other[6..]), "{one}");
    }
}
