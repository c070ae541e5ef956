//! Networks that read networks, each against its formula, and what exchanging neurons does to them.

mod weights;

use crate::harness::{Matrix, Outputs, agree, agree_named};
use crate::kit::{Weights, column, drawn, normal, relu, stacked};
use nlog::base::rng::Stream;

/// A network of layers. Neurons are numbered from the inputs on.
pub struct Net {
    /// The number of neurons.
    pub n: usize,
    pub layer: Vec<usize>,
    pub bias: Vec<f64>,
    /// `(from, to, weight)`
    pub syn: Vec<(usize, usize, f64)>,
    /// What stands behind `n` in its name.
    pub name: Vec<usize>,
}

impl Net {
    /// All weights between layers next to each other, of these sizes.
    pub fn random(sizes: &[usize], seed: u64) -> Net {
        let mut stream = Stream::new(seed, "zoo networks");
        let layer: Vec<usize> =
            sizes.iter().enumerate().flat_map(|(l, &n)| std::iter::repeat_n(l, n)).collect();
        let n = layer.len();
        let mut number = || (64.0 * stream.uniform()).floor() / 32.0 - 1.0;
        let bias = (0..n).map(|i| if layer[i] == 0 { 0.0 } else { number() }).collect();
        let pairs = (0..n * n).map(|k| (k / n, k % n)).filter(|&(j, i)| layer[j] + 1 == layer[i]);
        let syn = pairs.map(|(j, i)| (j, i, number())).collect();
        Net { n, layer, bias, syn, name: (0..n).collect() }
    }

    /// The same network with the neurons of an inner layer in another order: only the names that they have differ.
    pub fn exchanged(&self, layer: usize) -> Net {
        let mut name = self.name.clone();
        let members: Vec<usize> = (0..self.n).filter(|&i| self.layer[i] == layer).collect();
        let turned = members.iter().cycle().skip(1);
        members.iter().zip(turned).for_each(|(&i, &j)| name[i] = self.name[j]);
        assert!(name != self.name);
        Net { layer: self.layer.clone(), bias: self.bias.clone(), syn: self.syn.clone(), name, ..*self }
    }

    pub fn outputs_of(&self, layer: usize) -> impl Iterator<Item = usize> {
        (0..self.n).filter(move |&i| self.layer[i] == layer)
    }

    /// Biases but those of inputs, unless `all`; weights, and layers.
    pub fn facts(&self, all: bool) -> String {
        let mut out = String::new();
        for i in 0..self.n {
            let name = self.name[i];
            if all || self.layer[i] > 0 {
                out += &format!("<{}> bias(n{name}). ", self.bias[i]);
            }
            out += &format!("layer(n{name},{}).\n", self.layer[i]);
        }
        for (j, i, w) in &self.syn {
            out += &format!("<{w}> syn(n{},n{}). ", self.name[*j], self.name[*i]);
        }
        out
    }

    /// `p(n0)`, …
    pub fn each(&self, predicate: &str, values: &[Matrix]) -> Outputs {
        let of = |i: usize| (format!("{predicate}(n{})", self.name[i]), values[i].clone());
        (0..self.n).map(of).collect()
    }
}

fn mean_and_others(kind: &str, values: &[Matrix]) -> Matrix {
    let rows = values[0].nrows();
    Matrix::from_fn(rows, 1, |r, _| {
        let all: Vec<f64> = values.iter().map(|v| v[r]).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let var = all.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / all.len() as f64;
        match kind {
            "avg" => mean,
            "min" => all.iter().copied().fold(f64::INFINITY, f64::min),
            "max" => all.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            "sum" => all.iter().sum(),
            "std" => (var + 1e-5).sqrt(),
            _ => panic!("{kind}"),
        }
    })
}

fn silu(v: f64) -> f64 {
    v / (1.0 + (-v).exp())
}

fn gelu(v: f64) -> f64 {
    0.5 * v * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (v + 0.044715 * v * v * v)).tanh())
}

/// The layer normalisation with gain 1 + g and shift.
fn layer_norm(x: &Matrix, g: &Matrix, shift: &Matrix) -> Matrix {
    normal(x).component_mul(&g.map(|g| 1.0 + g)) + shift
}

/// The states of pairs that there are.
type Pairs = Vec<Option<Matrix>>;

/// A layer of NG-GNN: states of neurons, and of weights if they are wanted.
fn ng_gnn(
    w: &mut Weights<'_>,
    net: &Net,
    x: &[Matrix],
    e: &Pairs,
    (d, de): (usize, usize),
    options: (&[&str], &[&str], fn(f64) -> f64, bool),
) -> (Vec<Matrix>, Pairs) {
    let (aggregators, scalers, act, edges) = options;
    let n = net.n;
    let (a, b, offset) = (w.take(d, d), w.take(d, d), w.take(d, 1));
    let (c, c0, q, q0) = (w.take(d, de), w.take(d, 1), w.take(d, de), w.take(d, 1));
    let (u, u0) = (w.take(d, d), w.take(d, 1));
    let maps: Vec<Vec<&Matrix>> =
        aggregators.iter().map(|_| scalers.iter().map(|_| w.take(d, d)).collect()).collect();
    let (g, shift) = (w.take(d, 1), w.take(d, 1));
    let mut h = Vec::new();
    for i in 0..n {
        let messages: Vec<Matrix> = (0..n)
            .filter_map(|j| e[j * n + i].as_ref().map(|e| (j, e)))
            .map(|(j, e)| (c * e + c0).component_mul(&(a * &x[j] + b * &x[i] + offset)) + q * e + q0)
            .collect();
        let mut sum = u * &x[i] + u0;
        if !messages.is_empty() {
            for (kind, maps) in aggregators.iter().zip(&maps) {
                let all = mean_and_others(kind, &messages);
                for (scaler, map) in scalers.iter().zip(maps) {
                    let amplified = (messages.len() as f64 + 1.0).ln() / 1.5;
                    sum += *map * &all * if *scaler == "identity" { 1.0 } else { amplified };
                }
            }
        }
        h.push(layer_norm(&sum, g, shift).map(act));
    }
    if !edges {
        return (h, Vec::new());
    }
    let (e1, e2, e3, r) = (w.take(de, d), w.take(de, d), w.take(de, de), w.take(de, 1));
    let (last, last0) = (w.take(de, de), w.take(de, 1));
    let renew = |k: usize| {
        let old = e[k].as_ref()?;
        Some(last * (e1 * &h[k / n] + e2 * &h[k % n] + e3 * old + r).map(act) + last0)
    };
    let e = (0..n * n).map(renew).collect();
    (h, e)
}

/// States of neurons and weights to begin with.
fn begin(
    w: &mut Weights<'_>,
    net: &Net,
    (d, de): (usize, usize),
    dense: bool,
    more: &dyn Fn(usize) -> Matrix,
) -> (Vec<Matrix>, Pairs) {
    // The offset of a predicate comes first or last, by where the text states it.
    let (b, c, map, v) = (w.take(d, 1), w.take(d, 1), w.take(de, 1), w.take(de, 1));
    let h = (0..net.n).map(|i| b * net.bias[i] + c + more(i)).collect();
    let at = |k: usize| {
        let there = net.syn.iter().find(|s| (s.0, s.1) == (k / net.n, k % net.n));
        match there {
            Some(s) => Some(map * s.2 + v),
            None if dense => Some(v.clone()),
            None => None,
        }
    };
    (h, (0..net.n * net.n).map(at).collect())
}

const QUESTION: &str = "?- h(X).";

#[test]
fn networks_are_graphs_of_neurons() {
    let net = Net::random(&[2, 3, 2], 1);
    let mut facts = net.facts(true) + "?- h(X). ?- e(X,Y).";
    for i in 0..net.n {
        facts += &format!(" function(n{i},{}).", if net.layer[i] == 1 { "relu" } else { "none" });
    }
    for (dense, more) in
        [(0, ""), (1, ""), (0, ", position = layer"), (1, ", function = function, position = layer")]
    {
        let template = format!(
            "import networks/neural_graph. @use neural_graph(bias, syn, h, e, 3, 2{more}, dense = {dense})."
        );
        agree_named(&template, &facts, |w, member| {
            let of = |i: usize| {
                let mut sum = Matrix::zeros(3, 1);
                if more.contains("position") {
                    sum += member(&format!("p[{}]", net.layer[i])).expect("a position");
                }
                if more.contains("function") {
                    sum += member(["a[none]", "a[relu]", "a[none]"][net.layer[i]]).expect("a function");
                }
                sum
            };
            let (h, e) = begin(&mut Weights::of(w), &net, (3, 2), dense == 1, &of);
            let mut out = net.each("h", &h);
            for (k, e) in e.into_iter().enumerate() {
                out.extend(e.map(|e| (format!("e(n{},n{})", k / net.n, k % net.n), e)));
            }
            out
        });
    }
}

#[test]
fn a_graph_network_reads_a_network() {
    let net = Net::random(&[2, 3, 2], 2);
    let all = (&["avg", "min", "max", "std"][..], &["identity", "amplification"][..], silu as fn(f64) -> f64);
    let some = (&["sum", "max"][..], &["amplification"][..], f64::tanh as fn(f64) -> f64);
    for ((aggregators, scalers, act), text) in
        [(all, ""), (some, ", aggregators = {sum, max}, scalers = {amplification}, act = tanh")]
    {
        let template = format!(
            "import networks/neural_graph. @use neural_graph(bias, syn, h0, e0, 3, 2).
             @use ng_gnn(h0, e0, h1, 3, 1.5, e1, de = 2{text}). @use ng_gnn(h1, e1, h, 3, 1.5, de = 2{text})."
        );
        agree(&template, &(net.facts(true) + QUESTION), |w| {
            let mut w = Weights::of(w);
            let (h, e) = begin(&mut w, &net, (3, 2), false, &|_| Matrix::zeros(3, 1));
            let (h, e) = ng_gnn(&mut w, &net, &h, &e, (3, 2), (aggregators, scalers, act, true));
            let (h, _) = ng_gnn(&mut w, &net, &h, &e, (3, 2), (aggregators, scalers, act, false));
            w.end();
            net.each("h", &h)
        });
    }
}

/// A layer of NG-T with two heads of two.
fn ng_t(
    w: &mut Weights<'_>,
    n: usize,
    x: &[Matrix],
    e: &[Matrix],
    edges: bool,
) -> (Vec<Matrix>, Vec<Matrix>) {
    let (d, de, da, units, eunits) = (3, 2, 4, 6, 5);
    let (q, qe, k, ke) = (w.take(da, d), w.take(da, de), w.take(da, d), w.take(da, de));
    let (v, m, ve) = (w.take(da, d), w.take(da, de), w.take(da, de));
    let (o, o0) = (w.take(d, da), w.take(d, 1));
    let (g, shift) = (w.take(d, 1), w.take(d, 1));
    let (a, a0, b, b0) = (w.take(units, d), w.take(units, 1), w.take(d, units), w.take(d, 1));
    let (g2, shift2) = (w.take(d, 1), w.take(d, 1));
    let mut h = Vec::new();
    for i in 0..n {
        let mut joined = Matrix::zeros(da, 1);
        for rows in [0..2, 2..4] {
            let score = |j: usize| {
                let query = q * &x[i] + qe * &e[i * n + j];
                let key = k * &x[j] + ke * &e[i * n + j];
                rows.clone().map(|r| query[r] * key[r]).sum::<f64>() / (da as f64).sqrt()
            };
            let total: f64 = (0..n).map(|j| score(j).exp()).sum();
            for j in 0..n {
                let pair = &e[i * n + j];
                let value = (v * &x[j]).component_mul(&(m * pair)) + ve * pair;
                rows.clone().for_each(|r| joined[r] += score(j).exp() / total * value[r]);
            }
        }
        let between = layer_norm(&(&x[i] + o * joined + o0), g, shift);
        let outer = &between + b * (a * &between + a0).map(gelu) + b0;
        h.push(layer_norm(&outer, g2, shift2));
    }
    if !edges {
        return (h, Vec::new());
    }
    let (a1, a2, a3, a4) = (w.take(eunits, de), w.take(eunits, de), w.take(eunits, d), w.take(eunits, d));
    let (a0, b, b0) = (w.take(eunits, 1), w.take(de, eunits), w.take(de, 1));
    let (g, shift) = (w.take(de, 1), w.take(de, 1));
    let (c, c0, f, f0) = (w.take(eunits, de), w.take(eunits, 1), w.take(de, eunits), w.take(de, 1));
    let (g2, shift2) = (w.take(de, 1), w.take(de, 1));
    let renew = |at: usize| {
        let (i, j) = (at / n, at % n);
        let inner = a1 * &e[at] + a2 * &e[j * n + i] + a3 * &h[i] + a4 * &h[j] + a0;
        let mixed = layer_norm(&(&e[at] + b * inner.map(gelu) + b0), g, shift);
        layer_norm(&(&mixed + f * (c * &mixed + c0).map(gelu) + f0), g2, shift2)
    };
    let e = (0..n * n).map(renew).collect();
    (h, e)
}

#[test]
fn a_transformer_reads_a_network() {
    let net = Net::random(&[2, 2, 1], 3);
    let template = "import networks/neural_graph. import networks/ng_t.
        @use neural_graph(bias, syn, h0, e0, 3, 2, dense = 1).
        @use ng_t(h0, e0, h1, 3, 2, 4, 2, e1, eunits = 5). @use ng_t(h1, e1, h, 3, 2, 4, 2).";
    agree(template, &(net.facts(true) + QUESTION), |w| {
        let mut w = Weights::of(w);
        let (h, e) = begin(&mut w, &net, (3, 2), true, &|_| Matrix::zeros(3, 1));
        let e: Vec<Matrix> = e.into_iter().flatten().collect();
        let (h, e) = ng_t(&mut w, net.n, &h, &e, true);
        let (h, _) = ng_t(&mut w, net.n, &h, &e, false);
        w.end();
        net.each("h", &h)
    });
}

/// The values of a network's neurons at inputs, one of each in a column.
fn values(
    net: &Net,
    inputs: &[Matrix],
    act: fn(f64) -> f64,
    omega: f64,
    last: fn(f64) -> f64,
) -> Vec<Matrix> {
    let outputs = *net.layer.iter().max().expect("layers");
    let mut s: Vec<Matrix> = inputs.to_vec();
    for i in inputs.len()..net.n {
        let mut sum = Matrix::from_element(inputs[0].nrows(), 1, net.bias[i]);
        net.syn.iter().filter(|k| k.1 == i).for_each(|k| sum += &s[k.0] * k.2);
        s.push(if net.layer[i] == outputs { sum.map(last) } else { sum.map(|v| act(omega * v)) });
    }
    s
}

#[test]
fn probes_go_through_a_network() {
    let net = Net::random(&[2, 3, 2, 1], 4);
    let cases: [(&str, fn(f64) -> f64, f64, fn(f64) -> f64); 3] = [
        ("", relu, 1.0, |v| v),
        (", act = tanh, last = sigmoid", f64::tanh, 1.0, |v| 1.0 / (1.0 + (-v).exp())),
        (", act = sin, omega = 3", f64::sin, 3.0, |v| v),
    ];
    for (text, act, omega, last) in cases {
        let template =
            format!("import networks/neural_graph. @use probe(bias, syn, layer, s, h, 4, 3{text}).");
        agree_named(&template, &(net.facts(true) + "?- h(X). ?- s(X)."), |w, member| {
            assert!(w.len() == 2 + 4 * 4, "a weight that the formula does not have");
            let inputs: Vec<Matrix> =
                (0..2).map(|i| member(&format!("input[n{i}]")).expect("an input")).collect();
            let s = values(&net, &inputs, act, omega, last);
            let of = |i: usize| {
                let at = |name: &str| member(&format!("{name}[{}]", net.layer[i])).expect("a layer");
                layer_norm(&(at("map") * &s[i] + at("shift")), &at("growth"), &at("move"))
            };
            let mut out = net.each("h", &(0..net.n).map(of).collect::<Vec<_>>());
            out.extend(net.each("s", &s));
            out
        });
    }
}

/// What answers are, in the order of their values' text.
fn sorted(mut answers: Vec<(String, Vec<f64>)>) -> Vec<Vec<f64>> {
    answers.sort_by(|a, b| a.0.cmp(&b.0));
    answers.into_iter().map(|a| a.1).collect()
}

/// All values agree but for rounding.
fn alike(a: &[Vec<f64>], b: &[Vec<f64>]) -> bool {
    a.len() == b.len() && a.iter().flatten().zip(b.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-9)
}

/// Inner neurons in another order are the same network, and all readers say so at its inputs and outputs; with another
/// weight it is another one.
#[test]
fn exchanged_neurons_change_nothing() {
    let readers = [
        "import networks/neural_graph. @use neural_graph(bias, syn, h0, e0, 3, 2, position = layer).
         @use ng_gnn(h0, e0, h1, 3, 1.5, e1, de = 2). @use ng_gnn(h1, e1, h, 3, 1.5, de = 2).",
        "import networks/neural_graph. import networks/ng_t.
         @use neural_graph(bias, syn, h0, e0, 3, 2, dense = 1, position = layer).
         @use ng_t(h0, e0, h1, 3, 2, 4, 2, e1). @use ng_t(h1, e1, h, 3, 2, 4, 2).",
        "import networks/neural_graph. @use probe(bias, syn, layer, s, h, 4, 3).",
        "import networks/weight_space. h(n0) :- r. below(I,L) :- *layer(I,L), L > 0.
         b(I) :- bias(I), *below(I,_). h(n1) :- st. @use statnn(syn, b, below, st).
         @use weight_space(syn, b, layer, v, c, 1, 3). @use weight_space_readout(v, c, layer, r, 3, 2).",
    ];
    let net = Net::random(&[2, 4, 2], 5);
    let mut other = Net::random(&[2, 4, 2], 5);
    other.syn[3].2 += 0.5;
    for reader in readers {
        let ask = if reader.contains("statnn") {
            "?- h(n0). ?- h(n1)."
        } else {
            "?- h(n0). ?- h(n1). ?- h(n6). ?- h(n7)."
        };
        let [first, turned, other] =
            [&net, &net.exchanged(1), &other].map(|n| sorted(drawn(reader, &(n.facts(true) + ask))));
        assert!(alike(&first, &turned), "{reader}: {first:?} and {turned:?}");
        assert!(!alike(&first, &other), "{reader}");
    }
}
