//! Networks on trees.

use crate::harness::{Matrix, Outputs, agree};
use crate::kit::{Weights, fact, golden, rows, sigmoid, vectors};

/// Children of 0 are 1, 2, 3, of 1 are 4 and 5, of 3 is 6; 7 stands alone.
const CHILDREN: [&[usize]; 8] = [&[1, 2, 3], &[4, 5], &[], &[6], &[], &[], &[], &[]];

/// The facts of a tree whose nodes have an x, all or only the leaves.
fn tree(x: &[Matrix], all: bool) -> String {
    let mut out = String::from("?- h(P). ");
    for (p, children) in CHILDREN.iter().enumerate() {
        if all || children.is_empty() {
            out += &fact(&x[p], &format!("x({p})"));
        }
        for (k, c) in children.iter().enumerate() {
            out += &format!("child({p},{c},{}). ", k + 1);
        }
    }
    out
}

/// Values of all nodes, from the leaves up.
fn upwards<T: Clone + Default>(mut value: impl FnMut(usize, &[T]) -> T) -> Vec<T> {
    let mut out = vec![T::default(); CHILDREN.len()];
    for p in (0..CHILDREN.len()).rev() {
        let below: Vec<T> = CHILDREN[p].iter().map(|&c| out[c].clone()).collect();
        out[p] = value(p, &below);
    }
    out
}

fn outputs(values: Vec<Matrix>) -> Outputs {
    crate::kit::outputs(values)
}

#[test]
fn recursive_networks() {
    let x = vectors(8, 2, 1);
    for (leaf, inner, bias, squeeze) in
        [("identity", 0, 0, false), ("tanh", 0, 1, true), ("identity", 1, 1, false)]
    {
        let template = format!(
            "import tree/recursive.
             @use rvnn(x, child, h, 2, 3, leaf = {leaf}, inner = {inner}, bias = {bias})."
        );
        agree(&template, &tree(&x, inner == 1), |w| {
            let mut w = Weights::of(w);
            let m: Vec<&Matrix> = (0..3).map(|_| w.take(2, 2)).collect();
            let own = (inner == 1).then(|| w.take(2, 2));
            let b = w.bias(bias == 1, 2);
            w.end();
            outputs(upwards(|p, below: &[Matrix]| {
                if below.is_empty() {
                    return if squeeze { x[p].map(f64::tanh) } else { x[p].clone() };
                }
                let mut sum = b.clone();
                below.iter().zip(&m).for_each(|(h, m)| sum += *m * h);
                if let Some(own) = own {
                    sum += own * &x[p];
                }
                sum.map(f64::tanh)
            }))
        });
    }
}

#[test]
fn recursive_networks_without_order() {
    let x = vectors(8, 2, 2);
    for agg in ["sum", "avg", "max"] {
        let template = format!(
            "import tree/recursive. @use rvnn(x, child, h, 2, 0, agg = {agg}, act = sigmoid, bias = 1)."
        );
        agree(&template, &tree(&x, false), |w| {
            outputs(upwards(|p, below: &[Matrix]| {
                if below.is_empty() {
                    return x[p].clone();
                }
                let below: Vec<Matrix> = below.iter().map(|h| &w[0] * h).collect();
                let joined = Matrix::from_fn(2, 1, |i, _| {
                    let values = below.iter().map(|h| h[i]);
                    match agg {
                        "max" => values.fold(f64::MIN, f64::max),
                        "avg" => values.sum::<f64>() / below.len() as f64,
                        _ => values.sum(),
                    }
                });
                (joined + &w[1]).map(sigmoid)
            }))
        });
    }
}

#[test]
fn recursive_networks_of_the_reference() {
    let x = vectors(8, 2, 3);
    let template = "import tree/recursive. @use rvnn(x, child, h, 2, 3, compat = pynl).";
    agree(template, &tree(&x, false), |w| {
        outputs(upwards(|p, below: &[Matrix]| {
            let start = if below.is_empty() { x[p].clone() } else { Matrix::zeros(2, 1) };
            let sum = below.iter().zip(w).fold(start, |sum, (h, m)| sum + m * h);
            sum.map(|v| (v + 1.0).tanh())
        }))
    });
}

/// W x + Σ U h + b of a gate, without x zero.
struct Gate {
    b: Matrix,
    w: Matrix,
    u: Vec<Matrix>,
}

impl Gate {
    fn take(w: &mut Weights<'_>, arity: usize) -> Gate {
        let b = w.take(3, 1).clone();
        let m = w.take(3, 2).clone();
        Gate { b, w: m, u: (0..arity).map(|_| w.take(3, 3).clone()).collect() }
    }
    fn of(&self, x: &Matrix, below: &[Matrix]) -> Matrix {
        below.iter().zip(&self.u).fold(&self.b + &self.w * x, |sum, (h, u)| sum + u * h)
    }
}

/// State and cell of a node.
type Memory = Option<(Matrix, Matrix)>;

#[test]
fn memories_on_trees() {
    let x = vectors(8, 2, 4);
    for arity in [0, 3] {
        let template = format!("import tree/recursive. @use treelstm(x, child, h, 2, 3, {arity}, c = c).");
        agree(&template, &(tree(&x, true) + "?- c(P)."), |w| {
            let mut w = Weights::of(w);
            let [i, o, u] = [0, 1, 2].map(|_| Gate::take(&mut w, arity.max(1)));
            let forget: Vec<Matrix> =
                (0..if arity == 0 { 1 } else { 9 }).map(|_| w.take(3, 3).clone()).collect();
            let (m, b) = (w.take(3, 2), w.take(3, 1));
            w.end();
            let states = upwards(|p, below: &[Memory]| -> Memory {
                let pairs: Vec<&(Matrix, Matrix)> = below.iter().flatten().collect();
                let mut h: Vec<Matrix> = pairs.iter().map(|s| s.0.clone()).collect();
                let mut cell = Matrix::zeros(3, 1);
                for (k, (_, c)) in pairs.iter().enumerate() {
                    let mut f = m * &x[p] + b;
                    if arity == 0 {
                        f += &forget[0] * &h[k];
                    } else {
                        h.iter().enumerate().for_each(|(l, h)| f += &forget[3 * k + l] * h);
                    }
                    cell += f.map(sigmoid).component_mul(c);
                }
                if arity == 0 && !h.is_empty() {
                    h = vec![h.iter().sum()];
                }
                let [i, o] = [&i, &o].map(|g| g.of(&x[p], &h).map(sigmoid));
                cell += i.component_mul(&u.of(&x[p], &h).map(f64::tanh));
                Some((o.component_mul(&cell.map(f64::tanh)), cell))
            });
            let mut out = Vec::new();
            for (p, state) in states.into_iter().enumerate() {
                let (h, c) = state.expect("all nodes");
                out.push((format!("h({p})"), h));
                out.push((format!("c({p})"), c));
            }
            out
        });
    }
}

/// Inner nodes without an x add nothing for it.
#[test]
fn memories_over_leaves_alone() {
    let x = vectors(8, 2, 5);
    let template = "import tree/recursive. @use treelstm(x, child, h, 2, 3, 0).";
    agree(template, &tree(&x, false), |w| {
        let mut w = Weights::of(w);
        let [i, o, u] = [0, 1, 2].map(|_| Gate::take(&mut w, 1));
        let (v, m, b) = (w.take(3, 3), w.take(3, 2), w.take(3, 1));
        let zero = Matrix::zeros(2, 1);
        let states = upwards(|p, below: &[Memory]| -> Memory {
            let x = if below.is_empty() { &x[p] } else { &zero };
            let sum = below.iter().flatten().fold(Matrix::zeros(3, 1), |sum, s| sum + &s.0);
            let [i, o] = [&i, &o].map(|g| g.of(x, std::slice::from_ref(&sum)).map(sigmoid));
            let mut cell = i.component_mul(&u.of(x, std::slice::from_ref(&sum)).map(f64::tanh));
            for (h, c) in below.iter().flatten() {
                cell += (v * h + m * x + b).map(sigmoid).component_mul(c);
            }
            Some((o.component_mul(&cell.map(f64::tanh)), cell))
        });
        outputs(states.into_iter().map(|s| s.expect("all nodes").0).collect())
    });
}

#[test]
fn golden_recursive_network() {
    golden(
        "import tree/recursive. @use rvnn(x, child, h, 2, 2, compat = pynl).",
        "<[0.2,-0.5]> x(l1). <[0.7,0.1]> x(l2). <[-0.4,0.3]> x(l3). child(n1,l1,1). child(n1,l2,2).
         child(root,n1,1). child(root,l3,2). ?- h(root).",
        &[rows(&[&[0.5, -0.3], &[0.2, 0.4]]), rows(&[&[-0.1, 0.6], &[0.3, -0.2]])],
        &[("h(root)", &[0.9300521525879166, 0.9112657288569759])],
    );
}
