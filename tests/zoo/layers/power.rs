//! Which neighbourhoods an aggregation can tell apart: the sum more than the mean, and that more than the greatest.

use crate::kit::drawn;

/// For each pair whether a layer with random weights gives its two nodes different values.
fn told(layer: &str) -> [bool; 3] {
    let answers = drawn(layer, include_str!("pairs.db"));
    let of = |name: String| &answers.iter().find(|(atom, _)| *atom == name).expect("an answer").1;
    [1, 2, 3].map(|k| {
        let (a, b) = (of(format!("h(a{k})")), of(format!("h(b{k})")));
        a.iter().zip(b).any(|(a, b)| (a - b).abs() > 1e-6)
    })
}

#[test]
fn sum_tells_more_than_mean_than_max() {
    let max = told("import gnn/sage. @use sage_pool(x, edge, h, 2, 4, tanh, pool = 3, inner = tanh).");
    let mean = told("import gnn/sage. @use sage(x, edge, h, 2, 4, tanh).");
    let sum = told("import gnn/gin. @use gin(x, edge, h, 2, 4, inner = tanh, act = tanh).");
    assert_eq!(max, [false, false, false]);
    assert_eq!(mean, [false, true, false]);
    assert_eq!(sum, [true, true, true]);
}

/// Attention is a mean with other weights: colours that are the same get the same.
#[test]
fn attention_tells_what_a_mean_tells() {
    assert_eq!(
        told("import gnn/gat. @use gat(x, edge, h, 2, 4, act = tanh, loops = 0)."),
        [false, true, false]
    );
}
