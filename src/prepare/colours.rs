//! Colour refinement (Weisfeiler and Leman), of several graphs at once so that colours can be compared.

/// A graph to be coloured.
#[derive(Debug, Clone, Default)]
pub struct Coloured {
    /// The first colour of each node.
    pub first: Vec<usize>,
    /// For each node what it sees: a kind of edge, and the node at its other end.
    pub sees: Vec<Vec<(usize, usize)>>,
}

/// The numbers of distinct keys in their order: colours that do not depend on the order of nodes and graphs.
fn number<K: Ord>(keys: Vec<Vec<K>>) -> (Vec<Vec<usize>>, usize) {
    let mut all: Vec<&K> = keys.iter().flatten().collect();
    all.sort_unstable();
    all.dedup();
    let of = |key: &K| all.partition_point(|other| *other < key);
    let count = all.len();
    (keys.iter().map(|graph| graph.iter().map(of).collect()).collect(), count)
}

/// Refines until nothing changes, or at most `rounds` times: a node's next colour stands for its own and the multiset of
/// (kind of edge, colour) that it sees. Two nodes of any of the graphs have one colour if and only if so many rounds do not
/// tell them apart. Returns the colours of each graph, numbered from 0, and the number of rounds that changed something.
pub fn refine(graphs: &[Coloured], rounds: Option<usize>) -> (Vec<Vec<usize>>, usize) {
    let (mut colours, mut count) = number(graphs.iter().map(|g| g.first.clone()).collect());
    let mut done = 0;
    while rounds.is_none_or(|most| done < most) {
        let key = |graph: &Coloured, own: &[usize], node: usize| {
            let mut seen: Vec<(usize, usize)> =
                graph.sees[node].iter().map(|&(kind, other)| (kind, own[other])).collect();
            seen.sort_unstable();
            (own[node], seen)
        };
        let keys = graphs.iter().zip(&colours);
        let keys = keys.map(|(g, own)| (0..own.len()).map(|node| key(g, own, node)).collect()).collect();
        let (next, more) = number(keys);
        // A colour carries the one before, so as many colours are the same classes.
        if more == count {
            break;
        }
        (colours, count, done) = (next, more, done + 1);
    }
    (colours, done)
}

/// How many nodes have each colour, by colour.
pub fn histogram(colours: &[usize]) -> Vec<(usize, usize)> {
    let mut sorted = colours.to_vec();
    sorted.sort_unstable();
    sorted.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect()
}
