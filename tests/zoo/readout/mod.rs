//! Readouts, poolings and what goes over the depth of a network, each against its formula.

mod dense;
mod generative;

use crate::harness::{Graph, Matrix, Outputs, agree};
use std::fmt::Write;

/// A graph of seven nodes with an isolated one, a loop, and two nodes with the same features.
fn graph() -> Graph {
    let mut g = Graph::random(7, 11, 2, 5);
    g.edges.push((2, 2, 0.375));
    g.x[4] = g.x[1].clone();
    g
}

/// The facts of a graph, and questions as they are written.
fn data(g: &Graph, questions: &str) -> String {
    let mut out = g.facts("x").replace("?- x", "%");
    questions.split_whitespace().for_each(|q| writeln!(out, "?- {q}.").unwrap());
    out
}

/// Questions for each node.
fn each(g: &Graph, predicates: &str) -> String {
    let of = |p: &str| (0..g.x.len()).map(|i| format!("{p}(n{i})")).collect::<Vec<_>>().join(" ");
    predicates.split_whitespace().map(of).collect::<Vec<_>>().join(" ")
}

/// Questions for each pair.
fn pairs(n: usize, first: usize, name: &str, predicate: &str) -> String {
    let of = |k: usize| format!("{predicate}({name}{},{name}{})", k / n + first, k % n + first);
    (0..n * n).map(of).collect::<Vec<_>>().join(" ")
}

fn number(v: f64) -> Matrix {
    Matrix::from_element(1, 1, v)
}

fn sigmoid(v: f64) -> f64 {
    1.0 / (1.0 + (-v).exp())
}

fn softplus(v: f64) -> f64 {
    (1.0 + v.exp()).ln()
}

/// Rows below each other.
fn stack(parts: &[Matrix]) -> Matrix {
    let rows = parts.iter().flat_map(|p| p.iter().copied()).collect::<Vec<_>>();
    Matrix::from_vec(rows.len(), 1, rows)
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let total: f64 = scores.iter().map(|s| s.exp()).sum();
    scores.iter().map(|s| s.exp() / total).collect()
}

/// The features after a layer of tanh.
fn layer(g: &Graph, w: &Matrix) -> Vec<Matrix> {
    (0..g.x.len()).map(|i| (w * g.feature(i)).map(f64::tanh)).collect()
}

const LAYER: &str = "{3,2} y(I) :- x(I). [transformation=identity]\ny/1 [transformation=tanh]\n";

/// `m[(j, i)]` is the weight of the edge from j to i, 1 unless `weighted`; with `loops` each node has one to itself.
fn adjacency(g: &Graph, weighted: bool, loops: bool) -> Matrix {
    let n = g.x.len();
    let mut m = Matrix::zeros(n, n);
    g.edges.iter().for_each(|&(j, i, e)| m[(j, i)] = if weighted { e } else { 1.0 });
    for i in 0..n {
        if loops && m[(i, i)] == 0.0 {
            m[(i, i)] = 1.0;
        }
    }
    m
}

/// Σ_j e_ji / sqrt(d_i d_j) x_j for each node that an edge leads to.
fn propagate(m: &Matrix, x: &[Matrix]) -> Vec<Matrix> {
    let degree = |i: usize| m.column(i).sum();
    let at = |i: usize| {
        let mut sum = Matrix::zeros(x[0].nrows(), 1);
        for (j, x) in x.iter().enumerate().filter(|(j, _)| m[(*j, i)] != 0.0) {
            sum += x * (m[(j, i)] / (degree(i) * degree(j)).sqrt());
        }
        sum
    };
    (0..x.len()).map(at).collect()
}

/// Element by element from many.
fn fold(x: &[Matrix], by: impl Fn(f64, f64) -> f64) -> Matrix {
    x[1..].iter().fold(x[0].clone(), |all, x| all.zip_map(x, &by))
}

#[test]
fn readouts_are_sums_means_and_extremes() {
    let g = graph();
    let gates = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0];
    let mut facts = data(&g, "a b c d a1 b1 c1 d1 e");
    gates.iter().enumerate().for_each(|(i, v)| writeln!(facts, "<{v}> open(n{i}).").unwrap());
    let template = format!(
        "import pool/readout.\n{LAYER}
        @use readout(y, a). @use readout(y, b, sum, act = sigmoid). @use readout(y, c, max). @use readout(y, d, min).
        @use readout(y, a1, gate = open). @use readout(y, b1, sum, tanh, open). @use readout(y, c1, max, gate = open).
        @use readout(y, d1, min, gate = open). @use readouts(y, e, {{max, avg, sum}}, sigmoid)."
    );
    agree(&template, &facts, |w| {
        let all = layer(&g, &w[0]);
        let some: Vec<Matrix> = (0..7).filter(|&i| gates[i] == 1.0).map(|i| all[i].clone()).collect();
        let sum = |x: &[Matrix]| fold(x, |a, b| a + b);
        let values = [
            ("a", sum(&all) / 7.0),
            ("b", sum(&all).map(sigmoid)),
            ("c", fold(&all, f64::max)),
            ("d", fold(&all, f64::min)),
            ("a1", sum(&some) / 4.0),
            ("b1", sum(&some).map(f64::tanh)),
            ("c1", fold(&some, f64::max)),
            ("d1", fold(&some, f64::min)),
            ("e", stack(&[fold(&all, f64::max), sum(&all) / 7.0, sum(&all)]).map(sigmoid)),
        ];
        values.into_iter().map(|(a, v)| (a.to_string(), v)).collect()
    });
}

/// Numbers recorded from PyNeuraLogic's AvgPooling and MaxPooling; its greatest is the whole vector of the greatest sum.
#[test]
fn readouts_have_the_recorded_numbers() {
    let facts =
        "<[0.7,-0.4,0.2,0.9]> f(0). <[-0.3,0.8,-0.6,0.1]> f(1). <[0.5,0.15,0.35,-0.75]> f(2). ?- a, b, c, d.";
    let template = "import pool/readout. @use readout(f, a). @use readout(f, b, max, compat = pynl).
        @use readout(f, c, max). @use readout(f, d, min, compat = pynl).";
    agree(template, facts, |_| {
        let column = |v: [f64; 4]| Matrix::from_column_slice(4, 1, &v);
        vec![
            ("a".into(), column([0.3, 0.18333333333333335, -0.016666666666666642, 0.08333333333333333])),
            ("b".into(), column([0.7, -0.4, 0.2, 0.9])),
            ("c".into(), column([0.7, 0.8, 0.35, 0.9])),
            ("d".into(), column([-0.3, 0.8, -0.6, 0.1])),
        ]
    });
}

#[test]
fn attention_weighs_the_nodes() {
    let g = graph();
    let template = "import pool/attention_readout.
        @use attention_readout(x, a, 2, 3).
        @use attention_readout(x, b, 2, 3, sigmoid, 3, tanh, tanh).
        @use attention_readout(x, c, 2, 3, channels = 3, bias = 0).
        @use attention_readout(x, d, 2, 3, sigmoid, bias = 0).";
    agree(template, &data(&g, "a b c d"), |w| {
        let zero = |n: usize| Matrix::zeros(n, 1);
        let at = |name: &str, w: [&Matrix; 4], soft: bool, outer: fn(f64) -> f64| {
            let n = g.x.len();
            let scores: Vec<Matrix> = (0..n).map(|i| w[0] * g.feature(i) + w[2]).collect();
            let mut h = Matrix::zeros(3, 1);
            for i in 0..n {
                let value = (w[1] * g.feature(i) + w[3]).map(outer);
                for k in 0..3 {
                    let channel = if w[0].nrows() == 1 { 0 } else { k };
                    let score = scores[i][channel];
                    let total: f64 = scores.iter().map(|s| s[channel].exp()).sum();
                    h[k] += if soft { score.exp() / total } else { sigmoid(score) } * value[k];
                }
            }
            (name.to_string(), h.map(outer))
        };
        let (one, three) = (zero(1), zero(3));
        vec![
            at("a", [&w[0], &w[1], &w[2], &w[3]], true, |v| v),
            at("b", [&w[4], &w[5], &w[6], &w[7]], false, f64::tanh),
            at("c", [&w[8], &w[9], &three, &three], true, |v| v),
            at("d", [&w[10], &w[11], &one, &three], false, |v| v),
        ]
    });
}

/// The states of an LSTM, from the sums that its gates (forget, input, output, fresh) are of.
fn lstm(gates: &[Matrix; 4], cell: &mut Matrix) -> Matrix {
    let kept = gates[0].map(sigmoid).component_mul(cell);
    *cell = kept + gates[1].map(sigmoid).component_mul(&gates[3].map(f64::tanh));
    gates[2].map(sigmoid).component_mul(&cell.map(f64::tanh))
}

#[test]
fn set2set_reads_the_nodes_several_times() {
    let g = graph();
    let template = format!(
        "import pool/set2set.\n{LAYER}
        @use set2set(y, a, 3). @use set2set(x, b, 2, 2, 0). @use set2set(x, c, 2, steps = 1)."
    );
    agree(&template, &data(&g, "a b c"), |w| {
        let plain: Vec<Matrix> = (0..g.x.len()).map(|i| g.feature(i)).collect();
        let read = |x: &[Matrix], steps: usize, w: &[Matrix], bias: bool| {
            let d = x[0].nrows();
            let (mut star, mut cell) = (Matrix::zeros(2 * d, 1), Matrix::zeros(d, 1));
            for _ in 0..steps {
                let gates = [0, 1, 2, 3].map(|k| match bias {
                    true => &w[2 * k] * &star + &w[2 * k + 1],
                    false => &w[k] * &star,
                });
                let query = lstm(&gates, &mut cell);
                let shares = softmax(&x.iter().map(|x| x.dot(&query)).collect::<Vec<_>>());
                let read = x.iter().zip(shares).fold(Matrix::zeros(d, 1), |sum, (x, s)| sum + x * s);
                star = stack(&[query, read]);
            }
            star
        };
        vec![
            ("a".into(), read(&layer(&g, &w[0]), 3, &w[1..9], true)),
            ("b".into(), read(&plain, 2, &w[9..13], false)),
            ("c".into(), read(&plain, 1, &w[13..21], true)),
        ]
    });
}

#[test]
fn clusters_are_pooled() {
    let g = graph();
    let cluster = [0, 0, 1, 1, 1, 2, 2];
    let questions = "a(0) a(1) a(2) b(0) b(1) b(2) c(0) c(1) c(2)";
    let linked = |c: usize, d: usize| {
        let of = g.edges.iter().filter(move |e| cluster[e.0] == c && cluster[e.1] == d);
        of.map(|e| e.2).collect::<Vec<f64>>()
    };
    let mut asked = questions.to_string();
    for (c, d) in (0..9).map(|k| (k / 3, k % 3)).filter(|&(c, d)| !linked(c, d).is_empty()) {
        if c != d {
            write!(asked, " e({c},{d}) f({c},{d})").unwrap();
        }
        write!(asked, " k({c},{d}) l({c},{d})").unwrap();
    }
    let mut facts = data(&g, &asked);
    cluster.iter().enumerate().for_each(|(i, c)| writeln!(facts, "in(n{i},{c}).").unwrap());
    let template = format!(
        "import pool/cluster.\n{LAYER}
        @use cluster_pool(y, in, a). @use cluster_pool(y, in, b, max, relu). @use cluster_pool(y, in, c, sum).
        @use cluster_edges(edge, in, e). @use cluster_edges(edge, in, f, 1).
        @use cluster_edges(edge, in, k, 1, avg, 1). @use cluster_edges(edge, in, l, loops = 1)."
    );
    agree(&template, &facts, |w| {
        let all = layer(&g, &w[0]);
        let mut out = Outputs::new();
        for c in 0..3 {
            let own: Vec<Matrix> = (0..7).filter(|&i| cluster[i] == c).map(|i| all[i].clone()).collect();
            let sum = fold(&own, |a, b| a + b);
            out.push((format!("a({c})"), &sum / own.len() as f64));
            out.push((format!("b({c})"), fold(&own, f64::max).map(|v| v.max(0.0))));
            out.push((format!("c({c})"), sum));
            for d in 0..3 {
                let e = linked(c, d);
                if e.is_empty() {
                    continue;
                }
                let sum: f64 = e.iter().sum();
                if c != d {
                    out.push((format!("e({c},{d})"), number(1.0)));
                    out.push((format!("f({c},{d})"), number(sum)));
                }
                out.push((format!("k({c},{d})"), number(sum / e.len() as f64)));
                out.push((format!("l({c},{d})"), number(1.0)));
            }
        }
        out
    });
}

#[test]
fn diffpool_makes_a_graph_of_soft_clusters() {
    let g = graph();
    let pools = "h(1) h(2) h(3) ll en g(1) g(2) ls";
    let asked = format!("{pools} {} {}", pairs(3, 1, "", "k"), pairs(2, 1, "", "m"));
    let template = format!(
        "import pool/diffpool.\n{LAYER}
        {{3,2}} s(I) :- x(I). [transformation=identity]\ns/1 [transformation=identity]
        {{2,2}} t(I) :- x(I). [transformation=identity]\nt/1 [transformation=identity]
        @use diffpool(y, s, edge, h, k, 3, 1, ll, entropy = en).
        @use diffpool(x, t, edge, g, m, 2, link_loss = ls, scaled = 1)."
    );
    agree(&template, &data(&g, &asked), |w| {
        let n = g.x.len();
        let mut out = Outputs::new();
        let scores = |w: &Matrix| {
            let mut s = Matrix::zeros(n, w.nrows());
            for i in 0..n {
                let row = softmax((w * g.feature(i)).as_slice());
                row.iter().enumerate().for_each(|(k, v)| s[(i, k)] = *v);
            }
            s
        };
        let plain: Vec<Matrix> = (0..n).map(|i| g.feature(i)).collect();
        for (s, z, weighted, h, link, loss) in [
            (scores(&w[1]), layer(&g, &w[0]), true, "h", "k", "ll"),
            (scores(&w[2]), plain, false, "g", "m", "ls"),
        ] {
            let a = adjacency(&g, weighted, false);
            let coarse = s.transpose() * &a * &s;
            for k in 0..s.ncols() {
                let state = (0..n).fold(Matrix::zeros(z[0].nrows(), 1), |sum, i| sum + &z[i] * s[(i, k)]);
                out.push((format!("{h}({})", k + 1), state));
                for l in 0..s.ncols() {
                    out.push((format!("{link}({},{})", k + 1, l + 1), number(coarse[(k, l)])));
                }
            }
            let apart = (&a - &s * s.transpose()).norm();
            out.push((loss.into(), number(if loss == "ls" { apart / (n * n) as f64 } else { apart })));
            if loss == "ll" {
                out.push(("en".into(), number(-s.map(|v| v * v.ln()).sum() / n as f64)));
            }
        }
        out
    });
}

/// Which of the nodes are the `k` best: of equal scores the one whose name is before the other's.
fn best(scores: &[f64], k: usize) -> Vec<bool> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let name = |i: usize| format!("n{i}");
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(name(a).cmp(&name(b))));
    (0..scores.len()).map(|i| order[..k].contains(&i)).collect()
}

/// What a pooling with a gate gives: states, gates and links.
fn gated(
    g: &Graph,
    names: [&str; 3],
    keep: &[bool],
    factor: &[f64],
    x: &[Matrix],
    weighted: bool,
) -> Outputs {
    let mut out = Outputs::new();
    for i in 0..g.x.len() {
        let kept = f64::from(u8::from(keep[i]));
        out.push((format!("{}(n{i})", names[0]), &x[i] * (kept * factor[i])));
        out.push((format!("{}(n{i})", names[1]), number(kept)));
    }
    for &(j, i, e) in &g.edges {
        let value = if !(keep[j] && keep[i]) { 0.0 } else { [1.0, e][usize::from(weighted)] };
        out.push((format!("{}(n{j},n{i})", names[2]), number(value)));
    }
    out
}

#[test]
fn the_best_nodes_are_kept() {
    let g = graph();
    let edges = |p: &str| g.edges.iter().map(|e| format!(" {p}(n{},n{})", e.0, e.1)).collect::<String>();
    let asked = each(&g, "a ka b kb c kc") + &edges("la") + &edges("lb") + &edges("lc");
    let template = format!(
        "import pool/topk. import gnn/gcn.\n{LAYER}
        @use topk(y, edge, a, ka, la, 3).
        @use topk(x, edge, b, kb, lb, 2, number = 2, act = sigmoid, weighted = 1).
        @use gcn(x, edge, score, 2, 1, act = identity).
        @use topk_by(x, score, edge, c, kc, lc, 0.8)."
    );
    agree(&template, &data(&g, &asked), |w| {
        let plain: Vec<Matrix> = (0..g.x.len()).map(|i| g.feature(i)).collect();
        let along = |x: &[Matrix], p: &Matrix| {
            let length = p.norm();
            x.iter().map(|x| x.dot(p) / length).collect::<Vec<f64>>()
        };
        let hidden = layer(&g, &w[0]);
        let mut out = Outputs::new();
        let scores = along(&hidden, &w[1]);
        let factor: Vec<f64> = scores.iter().map(|s| s.tanh()).collect();
        // Half of seven is rounded up; nodes 1 and 4 are equal.
        out.extend(gated(&g, ["a", "ka", "la"], &best(&scores, 4), &factor, &hidden, false));
        let scores = along(&plain, &w[2]);
        let factor: Vec<f64> = scores.iter().map(|s| sigmoid(*s)).collect();
        out.extend(gated(&g, ["b", "kb", "lb"], &best(&scores, 2), &factor, &plain, true));
        let scores: Vec<f64> =
            propagate(&adjacency(&g, false, true), &plain).iter().map(|x| (&w[3] * x)[0]).collect();
        let factor: Vec<f64> = scores.iter().map(|s| s.tanh()).collect();
        out.extend(gated(&g, ["c", "kc", "lc"], &best(&scores, 6), &factor, &plain, false));
        out
    });
}

/// At any weights, the two equal nodes must not both take the last place.
#[test]
fn ties_are_broken_by_names() {
    let mut g = Graph::random(12, 14, 1, 3);
    g.x.iter_mut().enumerate().for_each(|(i, x)| x[0] = if i == 11 { 2.0 } else { 1.0 });
    let template =
        "import pool/topk. @use topk(x, edge, a, k, l, 1, number = 4). @use topk(x, edge, b, m, n, 1, 0.3).
        {1,1} c(I) :- x(I). [transformation=identity]\nc/1 [transformation=identity]";
    agree(template, &data(&g, &each(&g, "a k m c")), |w| {
        let mut out = Outputs::new();
        for (p, names) in [(&w[0], ["a", "k"]), (&w[1], ["", "m"])] {
            let sign = p[0].signum();
            let scores: Vec<f64> = g.x.iter().map(|x| x[0] * sign).collect();
            // By text, `n10` and `n11` are before `n2`; three tenths of twelve are four nodes, rounded up.
            let keep = best(&scores, 4);
            assert!(keep[0] && keep[1] && keep[10] && (keep[11] || keep[2]));
            for i in 0..12 {
                let kept = f64::from(u8::from(keep[i]));
                out.push((format!("{}(n{i})", names[1]), number(kept)));
                if !names[0].is_empty() {
                    out.push((format!("a(n{i})"), g.feature(i) * (kept * scores[i].tanh())));
                }
            }
        }
        (0..12).for_each(|i| out.push((format!("c(n{i})"), &w[2] * g.feature(i))));
        out
    });
}

#[test]
fn nodes_of_a_least_score_are_kept() {
    let g = graph();
    let edges = |p: &str| g.edges.iter().map(|e| format!(" {p}(n{},n{})", e.0, e.1)).collect::<String>();
    let asked = each(&g, "a ka b kb") + &edges("la") + &edges("lb");
    // The first threshold lies among the scores, the second above all of them.
    let template = "import pool/topk.
        @use least_score(x, edge, a, ka, la, 2, 0.14). @use least_score(x, edge, b, kb, lb, 2, 0.9, 1).";
    agree(template, &data(&g, &asked), |w| {
        let plain: Vec<Matrix> = (0..g.x.len()).map(|i| g.feature(i)).collect();
        let mut out = Outputs::new();
        for (w, least, names, weighted) in
            [(&w[0], 0.14, ["a", "ka", "la"], false), (&w[1], 0.9, ["b", "kb", "lb"], true)]
        {
            let scores = softmax(&plain.iter().map(|x| (w * x)[0]).collect::<Vec<_>>());
            let top = scores.iter().copied().fold(0.0, f64::max);
            let keep: Vec<bool> = scores.iter().map(|&s| s > f64::min(least, top - 1e-7)).collect();
            let kept = keep.iter().filter(|k| **k).count();
            assert!((1..7).contains(&kept), "{scores:?}");
            out.extend(gated(&g, names, &keep, &scores, &plain, weighted));
        }
        out
    });
}

const DEEP: &str = "{2,2} l1(I) :- x(I). [transformation=identity]\nl1/1 [transformation=tanh]
    {2,2} l2(I) :- l1(I). [transformation=identity]\nl2/1 [transformation=sigmoid]\n";

/// The features, and the two layers of `DEEP`.
fn deep(g: &Graph, w: &[Matrix]) -> [Vec<Matrix>; 3] {
    let x: Vec<Matrix> = (0..g.x.len()).map(|i| g.feature(i)).collect();
    let first: Vec<Matrix> = x.iter().map(|x| (&w[0] * x).map(f64::tanh)).collect();
    let second = first.iter().map(|x| (&w[1] * x).map(sigmoid)).collect();
    [x, first, second]
}

#[test]
fn layers_are_joined() {
    let g = graph();
    let template = format!(
        "import depth/jk.\n{DEEP}{LAYER}
        @use jk_concat({{x, l1, y, l2}}, a). @use jk_max({{x, l1, l2}}, b). @use jk_max({{y}}, c)."
    );
    agree(&template, &data(&g, &each(&g, "a b c")), |w| {
        let layers = deep(&g, w);
        let wide = layer(&g, &w[2]);
        let mut out = g.outputs("a", |i| {
            stack(&[layers[0][i].clone(), layers[1][i].clone(), wide[i].clone(), layers[2][i].clone()])
        });
        out.extend(g.outputs("b", |i| {
            let all: Vec<Matrix> = layers.iter().map(|l| l[i].clone()).collect();
            fold(&all, f64::max)
        }));
        out.extend(g.outputs("c", |i| wide[i].clone()));
        out
    });
}

#[test]
fn layers_are_weighed_by_what_two_lstms_read() {
    let g = graph();
    let template = format!(
        "import depth/jk.\n{DEEP}
        @use jk_lstm({{x, l1, l2}}, a, 2). @use jk_lstm({{l2, x}}, b, 2, hidden = 1, bias = 0)."
    );
    agree(&template, &data(&g, &each(&g, "a b")), |w| {
        let layers = deep(&g, w);
        // For each way and gate: of the layer, of the state before, and the bias.
        let joined = |x: Vec<Matrix>, w: &[Matrix], hidden: usize, bias: bool| {
            let step = if bias { 3 } else { 2 };
            let mut scores = vec![0.0; x.len()];
            for way in 0..2 {
                let (mut state, mut cell) = (Matrix::zeros(hidden, 1), Matrix::zeros(hidden, 1));
                for turn in 0..x.len() {
                    let t = if way == 0 { turn } else { x.len() - 1 - turn };
                    let gates = [0, 1, 2, 3].map(|k| {
                        let w = &w[(4 * way + k) * step..];
                        let sum = &w[0] * &x[t] + &w[1] * &state;
                        if bias { sum + &w[2] } else { sum }
                    });
                    state = lstm(&gates, &mut cell);
                    scores[t] += (&w[8 * step + way] * &state)[0];
                }
            }
            x.iter().zip(softmax(&scores)).fold(Matrix::zeros(2, 1), |sum, (x, s)| sum + x * s)
        };
        let mut out =
            g.outputs("a", |i| joined(layers.iter().map(|l| l[i].clone()).collect(), &w[2..28], 3, true));
        out.extend(g.outputs("b", |i| {
            joined(vec![layers[2][i].clone(), layers[0][i].clone()], &w[28..46], 1, false)
        }));
        out
    });
}

#[test]
fn a_node_attends_to_the_layers_of_its_neighbours() {
    let g = graph();
    let template = format!(
        "import depth/dna.\n{DEEP}
        {{4,2}} w1(I) :- x(I). [transformation=identity]\nw1/1 [transformation=tanh]
        {{4,4}} w2(I) :- w1(I). [transformation=identity]\nw2/1 [transformation=sigmoid]
        @use dna({{x, l1, l2}}, edge, a, 2).
        @use dna({{w1, w2}}, edge, b, 4, 2, bias = 0, act = tanh).
        @use dna({{w1, w2}}, edge, c, 4, heads = 4, groups = 2, loops = 0, weighted = 1)."
    );
    // Without loops there is nothing where no edge leads.
    let reached: Vec<usize> = (0..7).filter(|&i| g.edges.iter().any(|e| e.1 == i)).collect();
    let asked = reached.iter().fold(each(&g, "a b"), |all, i| format!("{all} c(n{i})"));
    agree(&template, &data(&g, &asked), |w| {
        let layers = deep(&g, w);
        let first: Vec<Matrix> = layers[0].iter().map(|x| (&w[2] * x).map(f64::tanh)).collect();
        let second = first.iter().map(|x| (&w[3] * x).map(sigmoid)).collect();
        let wide = [first, second];
        let next = |layers: &[Vec<Matrix>], m: &Matrix, w: &[Matrix], heads: usize, bias: bool, i: usize| {
            let d = layers[0][0].nrows();
            let width = d / heads;
            let of = |k: usize, x: &Matrix| if bias { &w[2 * k] * x + &w[2 * k + 1] } else { &w[k] * x };
            let query = of(0, &layers[layers.len() - 1][i]);
            let mut h = Matrix::zeros(d, 1);
            for j in (0..7).filter(|&j| m[(j, i)] != 0.0) {
                let norm = m[(j, i)] / (m.column(i).sum() * m.column(j).sum()).sqrt();
                for head in 0..heads {
                    let rows = head * width..(head + 1) * width;
                    let scores: Vec<f64> = layers
                        .iter()
                        .map(|l| {
                            let key = of(1, &l[j]);
                            let dot: f64 = rows.clone().map(|r| query[r] * key[r]).sum();
                            (dot / (width as f64).sqrt()).exp()
                        })
                        .collect();
                    let total = 1.0 + scores.iter().sum::<f64>();
                    for (l, s) in layers.iter().zip(&scores) {
                        let value = of(2, &l[j]);
                        rows.clone().for_each(|r| h[r] += norm * s / total * value[r]);
                    }
                }
            }
            h
        };
        let (loops, stated) = (adjacency(&g, false, true), adjacency(&g, true, false));
        let mut out = g.outputs("a", |i| next(&layers, &loops, &w[4..10], 1, true, i));
        out.extend(g.outputs("b", |i| next(&wide, &loops, &w[10..13], 2, false, i).map(f64::tanh)));
        // Blocks on the diagonal: two weights, then the bias.
        let blocks: Vec<Matrix> = (0..3)
            .flat_map(|k| {
                let own = &w[13 + 3 * k..];
                let at = |r: usize, c: usize| match (r / 2, c / 2) {
                    (a, b) if a == b => own[a][(r % 2, c % 2)],
                    _ => 0.0,
                };
                [Matrix::from_fn(4, 4, at), own[2].clone()]
            })
            .collect();
        let c = |&i: &usize| (format!("c(n{i})"), next(&wide, &stated, &blocks, 4, true, i));
        out.extend(reached.iter().map(c));
        out
    });
}
