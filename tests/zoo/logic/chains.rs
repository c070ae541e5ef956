//! Chains of typed nodes, in vectors and in numbers, and bonds with states.

use crate::harness::{Graph, Matrix, Outputs, agree, agree_named};
use crate::kit::{Weights, relu, sigmoid};

const KINDS: [&str; 5] = ["c", "o", "c", "n", "c"];
/// Both ways; the last node has no bond.
const BONDS: [(usize, usize, &str); 4] =
    [(0, 1, "single"), (1, 2, "double"), (2, 0, "single"), (2, 3, "single")];

fn molecule() -> (String, Vec<(usize, usize, usize)>) {
    let mut facts: String = KINDS.iter().enumerate().map(|(i, k)| format!("kind(n{i},{k}). ")).collect();
    let mut bonds = Vec::new();
    for (b, (i, j, kind)) in BONDS.iter().enumerate() {
        facts += &format!("bond(n{i},n{j},b{b}). bond(n{j},n{i},b{b}). type(b{b},{kind}). ");
        bonds.extend([(*i, *j, b), (*j, *i, b)]);
    }
    (facts, bonds)
}

/// The mean over chains of σ of the sum of the chosen elements, for all choices, the first varying slowest.
fn chains(d: usize, node: &dyn Fn(usize, usize) -> f64, edge: &dyn Fn(usize, usize) -> f64) -> Vec<f64> {
    let bonds = molecule().1;
    let choice = |k: usize, place: u32| k / d.pow(4 - place) % d;
    let of = |k: usize| {
        let (mut sum, mut count) = (0.0, 0.0);
        for (a, b, x) in &bonds {
            for (_, c, y) in bonds.iter().filter(|s| s.0 == *b) {
                let inner = node(*a, choice(k, 0))
                    + edge(*x, choice(k, 1))
                    + node(*b, choice(k, 2))
                    + edge(*y, choice(k, 3))
                    + node(*c, choice(k, 4));
                sum += sigmoid(inner);
                count += 1.0;
            }
        }
        sum / count
    };
    (0..d.pow(5)).map(of).collect()
}

#[test]
fn chains_of_typed_nodes_in_vectors() {
    let facts = molecule().0 + "?- h.";
    for (d, act, f) in [(1, "", sigmoid as fn(f64) -> f64), (2, ", act = tanh", f64::tanh)] {
        let template = format!("import logic/lrnn. @use lrnn_vector(kind, bond, type, h, {d}{act}).");
        agree_named(&template, &facts, |w, member| {
            let node = |i: usize, g: usize| member(&format!("node[{}]", KINDS[i])).expect("a kind")[g];
            let edge = |b: usize, g: usize| member(&format!("edge[{}]", BONDS[b].2)).expect("a kind")[g];
            let all = chains(d, &node, &edge);
            let mut w = Weights::of(w);
            let (map, b) = (w.take(1, d.pow(5)), w.take(1, 1));
            let sum: f64 = all.iter().zip(map.iter()).map(|(v, w)| v * w).sum();
            vec![("h".into(), Matrix::from_element(1, 1, f(sum + b[0])))]
        });
    }
}

#[test]
fn chains_of_typed_nodes_in_numbers() {
    let facts = molecule().0 + "?- h.";
    for d in [1, 2] {
        let template = format!("import logic/lrnn. @use lrnn_scalar(kind, bond, type, h, {d}).");
        agree_named(&template, &facts, |w, member| {
            let at = |name: String| member(&name).unwrap_or_else(|| panic!("no {name}"))[0];
            let node = |i: usize, g: usize| at(format!("node[{},{}]", KINDS[i], g + 1));
            let edge = |b: usize, g: usize| at(format!("edge[{},{}]", BONDS[b].2, g + 1));
            let mut sum = w[0][0];
            for (k, value) in chains(d, &node, &edge).into_iter().enumerate() {
                let g: Vec<String> = (0..5).map(|p| (k / d.pow(4 - p) % d + 1).to_string()).collect();
                sum += at(format!("w[{}]", g.join(","))) * value;
            }
            vec![("h".into(), Matrix::from_element(1, 1, sigmoid(sum)))]
        });
    }
}

#[test]
fn bonds_have_states() {
    let mut g = Graph::random(6, 8, 2, 9);
    g.edges.push((1, 1, 0.5));
    let n = g.x.len();
    let bond = |j: usize, i: usize| g.edges.iter().find(|e| (e.0, e.1) == (j, i)).map(|e| e.2);
    // Pairs at a distance of two, with the nodes between.
    let two = |j: usize, i: usize| -> Vec<usize> {
        if j == i || bond(j, i).is_some() {
            return Vec::new();
        }
        (0..n).filter(|&k| bond(j, k).is_some() && bond(k, i).is_some()).collect()
    };
    assert!((0..n * n).any(|k| !two(k / n, k % n).is_empty()));
    for (reach, act, f) in [(1, "relu", relu as fn(f64) -> f64), (2, "tanh", f64::tanh)] {
        let template = format!(
            "import gnn/latent. @use latent_bonds(x, edge, l, h, 2, 3, 1, 4, reach = {reach}, act = {act})."
        );
        agree(&template, &(g.facts("h") + "?- l(X,Y)."), |w| {
            let mut w = Weights::of(w);
            let (a, b, c) = (w.take(4, 2), w.take(4, 2), w.take(4, 1));
            let far = (reach == 2).then(|| (w.take(4, 2), w.take(4, 2), w.take(4, 2)));
            let (l0, own, u, v, h0) = (w.take(4, 1), w.take(3, 2), w.take(3, 2), w.take(3, 4), w.take(3, 1));
            w.end();
            let state = |j: usize, i: usize| -> Option<Matrix> {
                let (xj, xi) = (g.feature(j), g.feature(i));
                if let Some(e) = bond(j, i) {
                    return Some((a * xj + b * xi + c * e + l0).map(f));
                }
                let (a, b, between) = far?;
                let others = two(j, i);
                let sum = others.iter().fold(a * xj + b * xi + l0, |sum, &k| sum + between * g.feature(k));
                (!others.is_empty()).then(|| sum.map(f))
            };
            let mut out: Outputs = g.outputs("h", |i| {
                let mut sum = own * g.feature(i) + h0;
                for j in 0..n {
                    if let Some(l) = state(j, i) {
                        sum += u * g.feature(j) + v * l;
                    }
                }
                sum.map(f)
            });
            for (j, i) in (0..n * n).map(|k| (k / n, k % n)) {
                out.extend(state(j, i).map(|l| (format!("l(n{j},n{i})"), l)));
            }
            out
        });
    }
}
