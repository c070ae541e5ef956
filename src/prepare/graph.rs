//! Weighted graphs: coarsening by matching, Laplacians, degrees.

use crate::base::hash::IndexMap;
use crate::base::rng::Stream;

/// An edge, from and to nodes by number, with its weight.
pub type Edge = (usize, usize, f64);

/// The sum of the weights of both directions between each pair of different nodes: for each node its neighbours, ascending.
/// An edge of weight 0 is none.
pub fn undirected(nodes: usize, edges: &[Edge]) -> Vec<Vec<(usize, f64)>> {
    let mut sums: IndexMap<(usize, usize), f64> = IndexMap::default();
    for &(a, b, w) in edges.iter().filter(|(a, b, w)| a != b && *w > 0.0) {
        *sums.entry((a.min(b), a.max(b))).or_insert(0.0) += w;
    }
    let mut out = vec![Vec::new(); nodes];
    for (&(a, b), &w) in &sums {
        out[a].push((b, w));
        out[b].push((a, w));
    }
    out.iter_mut().for_each(|list| list.sort_by_key(|(node, _)| *node));
    out
}

/// What a matching prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// The greatest weight.
    Heavy,
    /// The greatest `w (1/d_i + 1/d_j)`, with `d` the sum of a node's weights: the normalised cut of Graclus
    /// (Dhillon, Guan and Kulis 2007), which keeps nodes of great degree from being matched first.
    Cut,
}

/// Greedy matching: each node in `order`, if it is free, is joined with its free neighbour that the matching prefers (of equal
/// ones that with the lowest number), or stays alone. Returns the first member of every node's cluster.
pub fn graclus(neighbours: &[Vec<(usize, f64)>], order: &[usize], matching: Matching) -> Vec<usize> {
    const FREE: usize = usize::MAX;
    let sum: Vec<f64> = neighbours.iter().map(|list| list.iter().map(|(_, w)| w).sum()).collect();
    let mut cluster = vec![FREE; neighbours.len()];
    for &node in order {
        if cluster[node] != FREE {
            continue;
        }
        let mut best: Option<(usize, f64)> = None;
        for &(other, weight) in neighbours[node].iter().filter(|(other, _)| cluster[*other] == FREE) {
            let merit = match matching {
                Matching::Heavy => weight,
                Matching::Cut => weight * (1.0 / sum[node] + 1.0 / sum[other]),
            };
            if best.is_none_or(|(_, b)| merit > b) {
                best = Some((other, merit));
            }
        }
        let mate = best.map_or(node, |(other, _)| other);
        let first = node.min(mate);
        (cluster[node], cluster[mate]) = (first, first);
    }
    cluster
}

/// Matches `levels` times, each time the clusters of the time before, whose weights are the sums of those between their
/// members; nodes are visited in their order or, with a seed, in one drawn from the stream `graclus`. Returns the first
/// member of every node's cluster.
pub fn coarsen(
    nodes: usize,
    edges: &[Edge],
    levels: usize,
    matching: Matching,
    seed: Option<u64>,
) -> Vec<usize> {
    let mut stream = seed.map(|seed| Stream::new(seed, "graclus"));
    let mut cluster: Vec<usize> = (0..nodes).collect();
    for _ in 0..levels {
        let between = between(&cluster, edges);
        let mut order: Vec<usize> = (0..nodes).filter(|&i| cluster[i] == i).collect();
        if let Some(stream) = &mut stream {
            stream.shuffle(&mut order);
        }
        let joined = graclus(&undirected(nodes, &between), &order, matching);
        if order.iter().all(|&i| joined[i] == i) {
            break;
        }
        cluster.iter_mut().for_each(|c| *c = joined[*c]);
    }
    cluster
}

/// The edges between different clusters, in order of their first mention, with the sums of the weights.
pub fn between(cluster: &[usize], edges: &[Edge]) -> Vec<Edge> {
    let mut sums: IndexMap<(usize, usize), f64> = IndexMap::default();
    for &(a, b, w) in edges.iter().filter(|(a, b, _)| cluster[*a] != cluster[*b]) {
        *sums.entry((cluster[a], cluster[b])).or_insert(0.0) += w;
    }
    sums.into_iter().map(|((a, b), w)| (a, b, w)).collect()
}

/// Which Laplacian of a graph with adjacency `A` and the diagonal `D` of its degrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norm {
    /// `I - D^-½ A D^-½`.
    Symmetric,
    /// `I - D^-1 A`.
    RandomWalk,
    /// `D - A`.
    Plain,
}

/// The entries that are not zero of the Laplacian of a symmetric graph, by rows. A node without edges has none (Chung 1997).
pub fn laplacian(nodes: usize, edges: &[Edge], norm: Norm) -> Vec<Edge> {
    let mut degree = vec![0.0; nodes];
    edges.iter().for_each(|&(a, _, w)| degree[a] += w);
    let mut entries: IndexMap<(usize, usize), f64> = IndexMap::default();
    for (i, &d) in degree.iter().enumerate().filter(|(_, d)| **d > 0.0) {
        entries.insert((i, i), if norm == Norm::Plain { d } else { 1.0 });
    }
    for &(a, b, w) in edges.iter().filter(|(_, _, w)| *w != 0.0) {
        let part = match norm {
            Norm::Symmetric => w / (degree[a] * degree[b]).sqrt(),
            Norm::RandomWalk => w / degree[a],
            Norm::Plain => w,
        };
        *entries.entry((a, b)).or_insert(0.0) -= part;
    }
    let mut out: Vec<Edge> =
        entries.into_iter().filter(|(_, v)| *v != 0.0).map(|((a, b), v)| (a, b, v)).collect();
    out.sort_by_key(|(a, b, _)| (*a, *b));
    out
}

/// The greatest eigenvalue of a Laplacian, and how it was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Greatest {
    /// The eigenvalue, or an estimate that is not above it but for rounding.
    pub value: f64,
    /// Steps of the power iteration; `None` if a theorem gave the value.
    pub steps: Option<usize>,
    /// `|Lx - λx|` of the last unit vector: some eigenvalue is so near to the estimate.
    pub residual: f64,
}

/// Steps after which a power iteration ends even if its residual is not small yet.
const MOST_STEPS: usize = 10_000;
/// The residual, relative to the eigenvalue, that ends it. The error of the eigenvalue goes with its square.
const RESIDUAL: f64 = 1e-8;

/// The greatest eigenvalue of the Laplacian of a symmetric graph. That of a normalised one is 2 exactly if a component with an
/// edge is bipartite (Chung 1997, lemma 1.7), where a power iteration would be slowest; else it is estimated by power
/// iteration from a vector of the stream `laplacian`. `I - D^-1 A` has the eigenvalues of `I - D^-½ A D^-½`.
pub fn greatest(nodes: usize, edges: &[Edge], norm: Norm) -> Greatest {
    if norm != Norm::Plain && bipartite_component(nodes, edges) {
        return Greatest { value: 2.0, steps: None, residual: 0.0 };
    }
    let entries = laplacian(nodes, edges, if norm == Norm::Plain { norm } else { Norm::Symmetric });
    let mut stream = Stream::new(0, "laplacian");
    let mut x: Vec<f64> = (0..nodes).map(|_| stream.normal()).collect();
    normalise(&mut x);
    let mut last = Greatest { value: 0.0, steps: Some(0), residual: 0.0 };
    for step in 1..=MOST_STEPS {
        let mut y = vec![0.0; nodes];
        entries.iter().for_each(|&(a, b, v)| y[a] += v * x[b]);
        let value: f64 = x.iter().zip(&y).map(|(a, b)| a * b).sum();
        let residual = x.iter().zip(&y).map(|(a, b)| (b - value * a).powi(2)).sum::<f64>().sqrt();
        last = Greatest { value, steps: Some(step), residual };
        if residual <= RESIDUAL * value || !normalise(&mut y) {
            break;
        }
        x = y;
    }
    last
}

/// Scales to length 1; not if it is 0.
fn normalise(x: &mut [f64]) -> bool {
    let length = x.iter().map(|a| a * a).sum::<f64>().sqrt();
    if length > 0.0 {
        x.iter_mut().for_each(|a| *a /= length);
    }
    length > 0.0
}

fn bipartite_component(nodes: usize, edges: &[Edge]) -> bool {
    let mut neighbours = vec![Vec::new(); nodes];
    for &(a, b, _) in edges.iter().filter(|(_, _, w)| *w != 0.0) {
        neighbours[a].push(b);
    }
    let mut side: Vec<Option<bool>> = vec![None; nodes];
    for root in 0..nodes {
        if side[root].is_some() || neighbours[root].is_empty() {
            continue;
        }
        let (mut fits, mut open) = (true, vec![root]);
        side[root] = Some(false);
        while let Some(a) = open.pop() {
            for &b in &neighbours[a] {
                match side[b] {
                    None => {
                        side[b] = side[a].map(|s| !s);
                        open.push(b);
                    }
                    known => fits &= known != side[a],
                }
            }
        }
        if fits {
            return true;
        }
    }
    false
}

/// The Laplacian of a graph whose greatest eigenvalue is `greatest`, scaled to eigenvalues in `[-1,1]` for Chebyshev
/// polynomials (Defferrard et al. 2016): `2 L / λ - I`, without zeros, by rows.
pub fn scaled(nodes: usize, laplacian: &[Edge], greatest: f64) -> Vec<Edge> {
    let mut diagonal = vec![-1.0; nodes];
    let mut out = Vec::with_capacity(laplacian.len() + nodes);
    for &(a, b, v) in laplacian {
        let v = 2.0 * v / greatest;
        if a == b { diagonal[a] += v } else { out.push((a, b, v)) }
    }
    out.extend(diagonal.into_iter().enumerate().map(|(i, v)| (i, i, v)));
    out.retain(|(_, _, v)| *v != 0.0);
    out.sort_by_key(|(a, b, _)| (*a, *b));
    out
}

/// `mean log(d + 1)` of degrees, by which the scalers of PNA compare a degree (Corso et al. 2020). Not for no degrees.
pub fn delta(degrees: &[usize]) -> f64 {
    degrees.iter().map(|&d| (d as f64 + 1.0).ln()).sum::<f64>() / degrees.len() as f64
}
