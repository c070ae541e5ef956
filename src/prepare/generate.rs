//! Graphs made up: undirected, simple, nodes by number, each edge once with its lower node first, in ascending order. Every
//! generator draws from a stream of its own by comparing and counting only, so its bits are the same everywhere.

use crate::base::hash::HashSet;
use crate::base::rng::Stream;

/// An undirected edge.
pub type Pair = (usize, usize);

fn ordered(mut pairs: Vec<Pair>) -> Vec<Pair> {
    pairs.iter_mut().for_each(|p| *p = (p.0.min(p.1), p.0.max(p.1)));
    pairs.sort_unstable();
    pairs
}

/// Barabási–Albert: a star of `m + 1` nodes, then nodes one by one, each joined to `m` different ones that are drawn in
/// proportion to their degrees (Barabási and Albert 1999). `m (nodes - m)` edges, connected. `1 <= m < nodes`.
pub fn barabasi_albert(nodes: usize, m: usize, seed: u64) -> Vec<Pair> {
    assert!(1 <= m && m < nodes, "options are checked before");
    let mut stream = Stream::new(seed, "generate ba");
    let mut pairs: Vec<Pair> = (1..=m).map(|i| (0, i)).collect();
    // Every node as often as it has edges.
    let mut ends: Vec<usize> = pairs.iter().flat_map(|&(a, b)| [a, b]).collect();
    for node in m + 1..nodes {
        let mut chosen: Vec<usize> = Vec::with_capacity(m);
        while chosen.len() < m {
            let other = ends[stream.below(ends.len() as u64) as usize];
            if !chosen.contains(&other) {
                chosen.push(other);
            }
        }
        for other in chosen {
            pairs.push((other, node));
            ends.extend([other, node]);
        }
    }
    ordered(pairs)
}

/// How many edges a random graph has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Density {
    /// Every pair with this probability (Gilbert 1959).
    Probability(f64),
    /// Exactly so many, all sets of pairs equally likely (Erdős and Rényi 1959). Not more than there are pairs.
    Edges(usize),
}

/// Draws of a random graph after which a connected one is given up.
pub const MOST_DRAWS: usize = 1000;

/// A uniform random graph; a connected one is drawn again and again until it is, `None` after [`MOST_DRAWS`].
pub fn erdos_renyi(nodes: usize, density: Density, connected_only: bool, seed: u64) -> Option<Vec<Pair>> {
    let mut stream = Stream::new(seed, "generate er");
    for _ in 0..MOST_DRAWS {
        let pairs = match density {
            Density::Probability(p) => pairs(nodes).filter(|_| stream.uniform() < p).collect(),
            Density::Edges(m) => sample(nodes, m, &mut stream),
        };
        if !connected_only || connected(nodes, &pairs) {
            return Some(pairs);
        }
    }
    None
}

fn pairs(nodes: usize) -> impl Iterator<Item = Pair> {
    (0..nodes).flat_map(move |a| (a + 1..nodes).map(move |b| (a, b)))
}

/// `m` different pairs (Floyd's sampling over the numbers of all pairs).
fn sample(nodes: usize, m: usize, stream: &mut Stream) -> Vec<Pair> {
    let total = nodes * nodes.saturating_sub(1) / 2;
    assert!(m <= total, "options are checked before");
    let mut chosen: HashSet<usize> = HashSet::default();
    for last in total - m..total {
        let drawn = stream.below(last as u64 + 1) as usize;
        if !chosen.insert(drawn) {
            chosen.insert(last);
        }
    }
    // The pair (a, b), a < b, has the number b (b - 1) / 2 + a.
    let pair = |&i: &usize| {
        let mut b = (((8 * i + 1) as f64).sqrt() as usize).div_ceil(2);
        while b * (b - 1) / 2 > i {
            b -= 1;
        }
        while b * (b + 1) / 2 <= i {
            b += 1;
        }
        (i - b * (b - 1) / 2, b)
    };
    ordered(chosen.iter().map(pair).collect())
}

/// Whether a path joins any two nodes.
pub fn connected(nodes: usize, pairs: &[Pair]) -> bool {
    let mut parent: Vec<usize> = (0..nodes).collect();
    fn root(parent: &mut [usize], mut i: usize) -> usize {
        while parent[i] != i {
            parent[i] = parent[parent[i]];
            i = parent[i];
        }
        i
    }
    let mut parts = nodes;
    for &(a, b) in pairs {
        let (a, b) = (root(&mut parent, a), root(&mut parent, b));
        if a != b {
            parent[a] = b;
            parts -= 1;
        }
    }
    parts <= 1
}

/// A grid; node `row · columns + column`. A torus joins the ends of rows and columns that have more than two nodes.
pub fn grid(rows: usize, columns: usize, torus: bool) -> Vec<Pair> {
    let mut out = Vec::new();
    let at = |r: usize, c: usize| r * columns + c;
    for r in 0..rows {
        for c in 0..columns {
            if c + 1 < columns {
                out.push((at(r, c), at(r, c + 1)));
            } else if torus && columns > 2 {
                out.push((at(r, c), at(r, 0)));
            }
            if r + 1 < rows {
                out.push((at(r, c), at(r + 1, c)));
            } else if torus && rows > 2 {
                out.push((at(r, c), at(0, c)));
            }
        }
    }
    ordered(out)
}

/// A tree, all labelled trees being equally likely (a random Prüfer sequence).
pub fn tree(nodes: usize, seed: u64) -> Vec<Pair> {
    let mut stream = Stream::new(seed, "generate tree");
    let code: Vec<usize> =
        (0..nodes.saturating_sub(2)).map(|_| stream.below(nodes as u64) as usize).collect();
    let mut open = vec![1usize; nodes];
    code.iter().for_each(|&i| open[i] += 1);
    let mut leaves: std::collections::BinaryHeap<std::cmp::Reverse<usize>> =
        (0..nodes).filter(|&i| open[i] == 1).map(std::cmp::Reverse).collect();
    let mut out = Vec::new();
    for &inner in &code {
        let Some(std::cmp::Reverse(leaf)) = leaves.pop() else { break };
        out.push((leaf, inner));
        open[inner] -= 1;
        if open[inner] == 1 {
            leaves.push(std::cmp::Reverse(inner));
        }
    }
    if let (Some(a), Some(b)) = (leaves.pop(), leaves.pop()) {
        out.push((a.0, b.0));
    }
    ordered(out)
}

/// The parent of each node of a tree that hangs from node 0, which has none.
pub fn parents(nodes: usize, tree: &[Pair]) -> Vec<Option<usize>> {
    let mut neighbours = vec![Vec::new(); nodes];
    for &(a, b) in tree {
        neighbours[a].push(b);
        neighbours[b].push(a);
    }
    let mut parent = vec![None; nodes];
    let mut open = vec![0];
    while let Some(a) = open.pop() {
        let above = parent[a];
        for &b in neighbours[a].iter().filter(|&&b| Some(b) != above) {
            parent[b] = Some(a);
            open.push(b);
        }
    }
    parent
}

/// The block of each node, for blocks of the given sizes one after the other.
pub fn blocks(sizes: &[usize]) -> Vec<usize> {
    sizes.iter().enumerate().flat_map(|(block, &size)| std::iter::repeat_n(block, size)).collect()
}

/// A stochastic block model (Holland et al. 1983): a pair inside a block with the one probability, any other with the other.
pub fn block_model(sizes: &[usize], within: f64, across: f64, seed: u64) -> Vec<Pair> {
    let mut stream = Stream::new(seed, "generate sbm");
    let block = blocks(sizes);
    let p = |(a, b): &Pair| if block[*a] == block[*b] { within } else { across };
    pairs(block.len()).filter(|pair| stream.uniform() < p(pair)).collect()
}

/// A connected caveman graph (Watts 1999): `caves` complete graphs of `size` nodes in a circle, the edge between the first two
/// nodes of each turned so that it joins the first one to the last node of the cave before. For more than one cave, of at
/// least three nodes.
pub fn caveman(caves: usize, size: usize) -> Vec<Pair> {
    let nodes = caves * size;
    let mut out = Vec::new();
    for first in (0..nodes).step_by(size) {
        out.extend(pairs(size).map(|(a, b)| (first + a, first + b)).filter(|p| *p != (first, first + 1)));
        out.push((first, (first + nodes - 1) % nodes));
    }
    ordered(out)
}
