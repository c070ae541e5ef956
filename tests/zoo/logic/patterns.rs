//! Graphlets, rings and pairs of nodes.

use crate::harness::{Graph, Matrix, agree};
use crate::kit::{Weights, column, drawn, relu};
use nlog::base::rng::Stream;
use std::fmt::Write;

/// An undirected graph without loops.
struct Plain {
    adjacent: Vec<Vec<bool>>,
}

impl Plain {
    fn new(nodes: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Plain {
        let mut adjacent = vec![vec![false; nodes]; nodes];
        for (i, j) in edges {
            adjacent[i][j] = true;
            adjacent[j][i] = true;
        }
        Plain { adjacent }
    }
    /// Twelve nodes: the first ones are a copy of a kind, the last is alone, and some random edges lead elsewhere.
    fn planted(kind: &str, size: usize) -> Plain {
        let pairs = |n: usize| (0..n).flat_map(move |i| (0..i).map(move |j| (i, j)));
        let copy: Vec<(usize, usize)> = match kind.trim_end_matches(char::is_numeric) {
            "path" => (1..size).map(|i| (i - 1, i)).collect(),
            "star" => (1..size).map(|i| (0, i)).collect(),
            "ring" => (0..size).map(|i| (i, (i + 1) % size)).collect(),
            "clique" => pairs(size).collect(),
            "paw" => vec![(0, 1), (0, 2), (1, 2), (0, 3)],
            "diamond" => pairs(4).filter(|p| *p != (3, 2)).collect(),
            _ => unreachable!(),
        };
        let mut stream = Stream::new(size as u64, "zoo edges");
        let others = pairs(11).filter(|(i, j)| *i.max(j) >= size && stream.uniform() < 0.4);
        Plain::new(12, copy.into_iter().chain(others.collect::<Vec<_>>()))
    }
    fn nodes(&self) -> usize {
        self.adjacent.len()
    }
    /// `node(n0).`, and both directions of each edge.
    fn facts(&self) -> String {
        let mut out = String::new();
        for (i, row) in self.adjacent.iter().enumerate() {
            write!(out, "node(n{i}). ").unwrap();
            row.iter()
                .enumerate()
                .filter(|(_, a)| **a)
                .for_each(|(j, _)| write!(out, "edge(n{i},n{j}). ").unwrap());
        }
        out
    }
    /// Whether the nodes, and the edges between them, are a graph of this kind.
    fn is(&self, nodes: &[usize], kind: &str) -> bool {
        let size = nodes.len();
        let mut degrees: Vec<usize> =
            nodes.iter().map(|&i| nodes.iter().filter(|&&j| self.adjacent[i][j]).count()).collect();
        degrees.sort_unstable();
        let mut reached = vec![nodes[0]];
        let mut at = 0;
        while at < reached.len() {
            let i = reached[at];
            let new: Vec<usize> =
                nodes.iter().copied().filter(|&j| self.adjacent[i][j] && !reached.contains(&j)).collect();
            reached.extend(new);
            at += 1;
        }
        if reached.len() != size {
            return false;
        }
        let edges = degrees.iter().sum::<usize>() / 2;
        match kind.trim_end_matches(char::is_numeric) {
            "path" => edges == size - 1 && degrees[size - 1] <= 2,
            "star" => edges == size - 1 && degrees[size - 1] == size - 1,
            "ring" => degrees.iter().all(|d| *d == 2),
            "clique" => edges == size * (size - 1) / 2,
            "paw" => degrees == [1, 2, 2, 3],
            "diamond" => edges == 5,
            _ => unreachable!(),
        }
    }
}

fn subsets(from: usize, nodes: usize, size: usize) -> Vec<Vec<usize>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let mut out = Vec::new();
    for first in from..nodes {
        for rest in subsets(first + 1, nodes, size - 1) {
            out.push([vec![first], rest].concat());
        }
    }
    out
}

#[test]
fn graphlets() {
    for kind in [
        "path3", "clique3", "path4", "star4", "ring4", "paw", "diamond", "clique4", "path5", "star5",
        "ring5", "clique5", "path6", "star6", "ring6", "clique6",
    ] {
        let size = kind.trim_start_matches(char::is_alphabetic).parse().unwrap_or(4);
        let g = Plain::planted(kind, size);
        let data = g.facts() + "edge(n0,n0). edge(n11,n11). ?- h(X).";
        let mut counts = vec![0.0; g.nodes()];
        for nodes in subsets(0, g.nodes(), size) {
            if g.is(&nodes, kind) {
                nodes.iter().for_each(|&i| counts[i] += 1.0);
            }
        }
        let template = format!("import logic/graphlets. @use graphlet(node, edge, h, {kind}).");
        agree(&template, &data, |_| {
            counts.iter().enumerate().map(|(i, n)| (format!("h(n{i})"), column(&[*n]))).collect()
        });
    }
}

/// The ways around all rings of a size from a node, each without that node at its end.
fn rings_from(
    adjacent: &dyn Fn(usize, usize) -> bool,
    nodes: usize,
    size: usize,
    way: &[usize],
) -> Vec<Vec<usize>> {
    let (first, last) = (way[0], way[way.len() - 1]);
    if way.len() == size {
        return if adjacent(last, first) { vec![way.to_vec()] } else { Vec::new() };
    }
    let next = (0..nodes).filter(|n| adjacent(last, *n) && !way.contains(n));
    next.flat_map(|n| rings_from(adjacent, nodes, size, &[way, &[n]].concat())).collect()
}

#[test]
fn messages_around_rings() {
    // Seven nodes, the last alone, with loops that are no rings.
    let mut g = Graph::random(7, 11, 2, 3);
    let both: Vec<_> = g.edges.iter().map(|e| (e.1, e.0, 1.0)).collect();
    for edge in both {
        if !g.edges.iter().any(|e| (e.0, e.1) == (edge.0, edge.1)) {
            g.edges.push(edge);
        }
    }
    g.edges.push((2, 2, 1.0));
    g.edges.push((6, 6, 1.0));
    let adjacent = |i: usize, j: usize| g.edges.iter().any(|e| (e.0, e.1) == (i, j));
    for (size, bias) in [(3, 1), (4, 0), (5, 0), (6, 1)] {
        let ways: Vec<Vec<Vec<usize>>> = (0..7).map(|i| rings_from(&adjacent, 7, size, &[i])).collect();
        assert!(ways.iter().any(|w| !w.is_empty()) && ways[6].is_empty(), "rings of {size}");
        let template = format!(
            "import logic/graphlets. @use rings(x, edge, h, 2, 3, {size}, act = tanh, bias = {bias})."
        );
        agree(&template, &g.facts("h"), |w| {
            let mut w = Weights::of(w);
            let m: Vec<&Matrix> = (0..size).map(|_| w.take(3, 2)).collect();
            let b = w.bias(bias == 1, 3);
            w.end();
            g.outputs("h", |i| {
                let mut sum = m[0] * g.feature(i) + &b;
                for way in &ways[i] {
                    way.iter().zip(&m).skip(1).for_each(|(b, m)| sum += *m * g.feature(*b));
                }
                sum.map(f64::tanh)
            })
        });
    }
}

/// Two layers over pairs, with edges of one direction, a loop and a node alone.
#[test]
fn pairs_of_nodes() {
    let mut g = Graph::random(4, 4, 1, 4);
    g.edges.push((1, 1, 0.5));
    let nodes: String = (0..4).map(|i| format!("node(n{i}). ")).collect();
    let edges: String = g.edges.iter().map(|e| format!("<{}> edge(n{},n{}). ", e.2, e.0, e.1)).collect();
    for bias in [0, 1] {
        let template = format!(
            "import logic/pairs. @use node_pairs(node, edge, p). @use pair_layer(p, q, 3, 4, bias = {bias}).
             @use pair_layer(q, h, 4, 2, tanh, bias = {bias})."
        );
        agree(&template, &format!("{nodes}{edges}?- h(X,Y)."), |w| {
            let mut w = Weights::of(w);
            let mut p = vec![vec![Matrix::zeros(3, 1); 4]; 4];
            for (i, row) in p.iter_mut().enumerate() {
                for (j, p) in row.iter_mut().enumerate() {
                    let edge = g.edges.iter().any(|e| (e.0, e.1) == (i, j));
                    p[if i == j {
                        0
                    } else if edge {
                        1
                    } else {
                        2
                    }] = 1.0;
                }
            }
            for (rows, act) in [(4, relu as fn(f64) -> f64), (2, f64::tanh)] {
                let cols = p[0][0].nrows();
                let [u, v, m] = [0, 1, 2].map(|_| w.take(rows, cols));
                let b = w.bias(bias == 1, rows);
                let one = |x: usize, y: usize| {
                    let pairs = (0..4).map(|z| (u * &p[x][z]).component_mul(&(v * &p[z][y])));
                    pairs.fold(m * &p[x][y] + &b, |sum, pair| sum + pair).map(act)
                };
                let q = (0..4).map(|x| (0..4).map(|y| one(x, y)).collect()).collect();
                p = q;
            }
            w.end();
            let at = |i: usize, j: usize| (format!("h(n{i},n{j})"), p[i][j].clone());
            (0..16).map(|n| at(n / 4, n % 4)).collect()
        });
    }
}

/// Message passing sees no difference between a ring of six nodes and two rings of three; pairs and patterns do.
#[test]
fn beyond_message_passing() {
    let six = Plain::new(6, (0..6).map(|i| (i, (i + 1) % 6)));
    let three = Plain::new(6, [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)]);
    let worlds = [six, three].map(|g| {
        let features: String = (0..6).map(|i| format!("<[1,0.5]> x(n{i}). ")).collect();
        g.facts() + &features + "?- q."
    });
    let apart = |rules: &str| {
        let [a, b] = worlds.each_ref().map(|world| drawn(rules, world));
        assert!(a[0].1.iter().any(|v| v.abs() > 1e-3), "all is zero: {rules}");
        a[0].1.iter().zip(&b[0].1).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    let readout = "q :- h(_). [aggregation=sum, transformation=identity] q/0 [transformation=identity]";
    let gcn = "import gnn/gcn. @use gcn(x, edge, y, 2, 4, tanh). @use gcn(y, edge, z, 4, 4, tanh).
               @use gcn(z, edge, h, 4, 3, tanh).";
    assert!(apart(&format!("{gcn} {readout}")) < 1e-12);
    let blind = "import gnn/gcn. import logic/graphlets. @use graphlet(node, edge, n, clique4).
                 @use gcn(x, edge, h, 2, 4, tanh).";
    assert!(apart(&format!("{blind} {readout}")) < 1e-12);
    let pairs = "import logic/pairs. @use node_pairs(node, edge, p). @use pair_layer(p, h, 3, 4, tanh).
                 q :- h(_,_). [aggregation=sum, transformation=identity] q/0 [transformation=identity]";
    assert!(apart(pairs) > 1e-3);
    for rules in [
        "import logic/graphlets. @use rings(x, edge, h, 2, 4, 3, tanh).",
        "import logic/graphlets. @use rings(x, edge, h, 2, 4, 6, tanh).",
        "import logic/graphlets. @use graphlet(node, edge, h, ring6).",
        "import logic/graphlets. import gnn/gcn. @use graphlet(node, edge, n, clique3).
         y(X) :- {2,1} n(X), x(X). [transformation=identity] @use gcn(y, edge, h, 2, 3, tanh).",
    ] {
        let apart = match rules.contains("ring6)") {
            // No such ring in the other graph: its sum is zero.
            true => drawn(&format!("{rules} {readout}"), &worlds[0])[0].1[0],
            false => apart(&format!("{rules} {readout}")),
        };
        assert!(apart > 1e-3, "{rules}");
    }
}
