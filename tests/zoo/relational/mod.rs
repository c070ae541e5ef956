//! Modules of relations between nodes: message passing with edge features, polynomials of the graph, typed edges,
//! point clouds, knowledge bases.

mod kb;
mod points;
mod typed;

use crate::harness::{Graph, Matrix, agree, agree_at};
use nlog::session::Session;
use std::fmt::Write;

/// A random graph with an isolated node and a loop.
fn graph(seed: u64) -> Graph {
    let mut g = Graph::random(6, 9, 3, seed);
    g.edges.push((1, 1, 0.375));
    g
}

fn sigmoid(x: &Matrix) -> Matrix {
    x.map(|v| 1.0 / (1.0 + (-v).exp()))
}

fn relu(x: &Matrix) -> Matrix {
    x.map(|v| v.max(0.0))
}

fn elu(x: &Matrix) -> Matrix {
    x.map(|v| if v > 0.0 { v } else { v.exp() - 1.0 })
}

fn tanh(x: &Matrix) -> Matrix {
    x.map(f64::tanh)
}

/// One column above the other.
fn stack(parts: &[&Matrix]) -> Matrix {
    let values: Vec<f64> = parts.iter().flat_map(|p| p.iter().copied()).collect();
    Matrix::from_vec(values.len(), 1, values)
}

fn zeros(n: usize) -> Matrix {
    Matrix::zeros(n, 1)
}

/// The greatest values, element by element; zeros of nothing.
fn greatest(width: usize, all: impl IntoIterator<Item = Matrix>) -> Matrix {
    all.into_iter().reduce(|a, b| a.zip_map(&b, f64::max)).unwrap_or_else(|| zeros(width))
}

/// All features as columns.
fn features(g: &Graph) -> Vec<Matrix> {
    (0..g.x.len()).map(|i| g.feature(i)).collect()
}

/// The matrix of e_ij at row i (target), column j (source).
fn adjacency(g: &Graph, weighted: bool, loops: bool) -> Matrix {
    let n = g.x.len();
    let mut a = Matrix::zeros(n, n);
    for &(j, i, w) in &g.edges {
        a[(i, j)] = if weighted { w } else { 1.0 };
    }
    if loops {
        (0..n).filter(|&i| !g.edges.iter().any(|e| (e.0, e.1) == (i, i))).for_each(|i| a[(i, i)] = 1.0);
    }
    a
}

/// D^(−1/2) A D^(−1/2), where a degree of zero gives zero.
fn symmetric(a: &Matrix) -> Matrix {
    let d: Vec<f64> = a.row_iter().map(|r| r.sum()).collect();
    let s = |i: usize| if d[i] > 0.0 { 1.0 / d[i].sqrt() } else { 0.0 };
    Matrix::from_fn(a.nrows(), a.ncols(), |i, j| s(i) * a[(i, j)] * s(j))
}

/// A matrix times a list of columns.
fn spread(a: &Matrix, x: &[Matrix]) -> Vec<Matrix> {
    (0..a.nrows()).map(|i| (0..x.len()).fold(zeros(x[0].nrows()), |sum, j| sum + &x[j] * a[(i, j)])).collect()
}

#[test]
fn residual_gates() {
    let g = graph(3);
    let gated = |x: &[Matrix], w: &[Matrix], i: usize| {
        g.sources_of(i).fold(&w[3] * &x[i], |sum, (j, _)| {
            sum + sigmoid(&(&w[0] * &x[i] + &w[1] * &x[j])).component_mul(&(&w[2] * &x[j]))
        })
    };
    agree("import gnn/resgated. @use resgated(x, edge, h, 3, 2).", &g.facts("h"), |w| {
        let x = features(&g);
        g.outputs("h", |i| relu(&gated(&x, w, i)))
    });
    // Two uses have weights and gates of their own.
    let two = "import gnn/resgated. @use resgated(x, edge, m, 3, 2, identity). @use resgated(m, edge, h, 2, 4, tanh).";
    agree(two, &g.facts("h"), |w| {
        let x = features(&g);
        let m: Vec<Matrix> = (0..x.len()).map(|i| gated(&x, &w[..4], i)).collect();
        g.outputs("h", |i| tanh(&gated(&m, &w[4..], i)))
    });
}

#[test]
fn residual_gates_with_options() {
    let g = graph(4);
    let (features, data) = edge_features(&g);
    let text =
        "import gnn/resgated. @use resgated(x, edge, h, 3, 2, act = identity, gate = tanh, weighted = 1,
        bias = 1, feature = f, dedge = 2).";
    agree(text, &(g.facts("h") + &data), |w| {
        g.outputs("h", |i| {
            g.sources_of(i).fold(&w[4] * g.feature(i) + &w[5], |sum, (j, e)| {
                let f = &features[&(j, i)];
                let open = tanh(&(&w[0] * g.feature(i) + &w[1] * g.feature(j) + &w[2] * f));
                sum + open.component_mul(&(&w[3] * g.feature(j))) * e
            })
        })
    });
    // Without U x_i a node that no edge leads to has nothing.
    let data = g.facts("h");
    let known: Vec<usize> = (0..g.x.len()).filter(|&i| g.sources_of(i).count() > 0).collect();
    assert!(known.len() < g.x.len());
    let text = "import gnn/resgated. @use resgated(x, edge, h, 3, 2, identity, root = 0).";
    agree(text, &only(&data, "h", &known), |w| {
        let all = g.outputs("h", |i| {
            g.sources_of(i).fold(zeros(2), |sum, (j, _)| {
                sum + sigmoid(&(&w[0] * g.feature(i) + &w[1] * g.feature(j)))
                    .component_mul(&(&w[2] * g.feature(j)))
            })
        });
        all.into_iter().enumerate().filter(|(i, _)| known.contains(i)).map(|(_, o)| o).collect()
    });
}

/// Two numbers for each edge, and the facts `<[…]> f(n0,n1).`
fn edge_features(g: &Graph) -> (nlog::base::hash::HashMap<(usize, usize), Matrix>, String) {
    let (mut values, mut data) = (nlog::base::hash::HashMap::default(), String::new());
    for &(j, i, w) in &g.edges {
        let f = [w, 1.0 - w * w + 0.125 * j as f64];
        writeln!(data, "<[{},{}]> f(n{j},n{i}).", f[0], f[1]).unwrap();
        values.insert((j, i), Matrix::from_column_slice(2, 1, &f));
    }
    (values, data)
}

/// Data with the queries of some nodes alone.
fn only(data: &str, query: &str, nodes: &[usize]) -> String {
    let asked = |line: &str| {
        let (fact, _) = line.split_once(" ?- ").unwrap_or((line, ""));
        let node = nodes.iter().find(|i| line.contains(&format!("?- {query}(n{i}).")));
        if node.is_some() { line.to_string() } else { fact.to_string() }
    };
    data.lines().map(asked).collect::<Vec<_>>().join("\n")
}

#[test]
fn gated_graph_network_of_the_paper() {
    let g = graph(5);
    let text = "import gnn/gatedgraph. @use gatedgraph(x, edge, h, 3, 4, steps = 3, weighted = 1, bias = 1).";
    agree(text, &g.facts("h"), |w| {
        let [m, r, ro, z, zo, c, co, rb, zb, cb] = w else { panic!("{} weights", w.len()) };
        let mut s: Vec<Matrix> = features(&g).iter().map(|x| stack(&[x, &zeros(1)])).collect();
        for _ in 0..3 {
            s = (0..s.len())
                .map(|i| {
                    let got = g.sources_of(i).fold(zeros(4), |sum, (j, e)| sum + m * &s[j] * e);
                    let reset = sigmoid(&(r * &got + ro * &s[i] + rb));
                    let update = sigmoid(&(z * &got + zo * &s[i] + zb));
                    let new = tanh(&(c * &got + co * reset.component_mul(&s[i]) + cb));
                    update.map(|v| 1.0 - v).component_mul(&s[i]) + update.component_mul(&new)
                })
                .collect();
        }
        g.outputs("h", |i| s[i].clone())
    });
}

#[test]
fn gated_graph_network_of_torch() {
    let g = graph(6);
    for bias in [0, 1] {
        let text = format!(
            "import gnn/gatedgraph. @use gatedgraph(x, edge, h, 3, 3, steps = 2, tied = 0, cell = torch, bias = {bias})."
        );
        agree(&text, &g.facts("h"), |w| {
            let bias = |k: usize| if bias == 1 { w[k].clone() } else { zeros(3) };
            let mut s = features(&g);
            for step in 0..2 {
                let m = if step == 0 { &w[0] } else { &w[w.len() - 1] };
                s = (0..s.len())
                    .map(|i| {
                        let got = g.sources_of(i).fold(zeros(3), |sum, (j, _)| sum + m * &s[j]);
                        let reset = sigmoid(&(&w[1] * &got + &w[2] * &s[i] + bias(8)));
                        let update = sigmoid(&(&w[3] * &got + &w[4] * &s[i] + bias(9)));
                        let own = &w[6] * &s[i] + bias(7);
                        let new = tanh(&(&w[5] * &got + reset.component_mul(&own) + bias(10)));
                        update.map(|v| 1.0 - v).component_mul(&new) + update.component_mul(&s[i])
                    })
                    .collect();
            }
            g.outputs("h", |i| s[i].clone())
        });
    }
}

#[test]
fn gated_graph_network_with_types_of_edges() {
    let g = graph(9);
    let mut data = g.facts("h");
    for (j, i, e) in &g.edges {
        data += &format!("<{}> back(n{i},n{j}). ", 2.0 - e);
    }
    for (tied, weighted) in [(1, 0), (0, 1)] {
        let text = format!(
            "import gnn/gatedgraph.
             @use gatedgraph(x, edge, h, 3, 3, tied = {tied}, weighted = {weighted}, types = {{edge, back}})."
        );
        agree(&text, &data, |w| {
            assert_eq!(w.len(), if tied == 1 { 8 } else { 10 });
            let mut s = features(&g);
            for step in 0..2 {
                // The maps of the second step stand behind the gates.
                let (there, back) = if step == 0 || tied == 1 { (&w[0], &w[1]) } else { (&w[8], &w[9]) };
                s = (0..s.len())
                    .map(|i| {
                        let mut got = zeros(3);
                        for (j, k, e) in &g.edges {
                            let (one, two) = if weighted == 1 { (*e, 2.0 - e) } else { (1.0, 1.0) };
                            if *k == i {
                                got += there * &s[*j] * one;
                            }
                            if *j == i {
                                got += back * &s[*k] * two;
                            }
                        }
                        let reset = sigmoid(&(&w[2] * &got + &w[3] * &s[i]));
                        let update = sigmoid(&(&w[4] * &got + &w[5] * &s[i]));
                        let new = tanh(&(&w[6] * &got + &w[7] * reset.component_mul(&s[i])));
                        update.map(|v| 1.0 - v).component_mul(&s[i]) + update.component_mul(&new)
                    })
                    .collect();
            }
            g.outputs("h", |i| s[i].clone())
        });
    }
}

#[test]
fn initial_residual_and_identity_mapping() {
    let g = graph(7);
    let run = |weighted: usize, loops: usize, shared: usize| {
        // Two layers; what is below is learned, so that gradients pass.
        let text = format!(
            "import gnn/gcn2. {{2,3}} z(I) :- x(I). [transformation=identity] z/1 [transformation=identity]
             @use gcn2(z, z, edge, m, 2, 1, 0.2, 0.6, act = tanh, weighted = {weighted}, loops = {loops}, shared = {shared}).
             @use gcn2(m, z, edge, h, 2, 2, 0.2, 0.6, weighted = {weighted}, loops = {loops}, shared = {shared})."
        );
        agree(&text, &g.facts("h"), |w| {
            let first: Vec<Matrix> = features(&g).iter().map(|x| &w[0] * x).collect();
            let a = symmetric(&adjacency(&g, weighted == 1, loops == 1));
            let mut h = first.clone();
            for layer in 1..=2 {
                let beta = (0.6 / layer as f64 + 1.0).ln();
                let map = |m: &Matrix| (Matrix::identity(2, 2) * (1.0 - beta)) + m * beta;
                let sums = spread(&a, &h);
                h = (0..h.len())
                    .map(|i| {
                        let (near, start) = (&sums[i] * 0.8, &first[i] * 0.2);
                        let v = match shared {
                            1 => map(&w[layer]) * (near + start),
                            _ => map(&w[2 * layer]) * near + map(&w[2 * layer - 1]) * start,
                        };
                        if layer == 1 { tanh(&v) } else { relu(&v) }
                    })
                    .collect();
            }
            g.outputs("h", |i| h[i].clone())
        });
    };
    run(0, 1, 1);
    run(1, 1, 0);
    run(1, 0, 1);
}

#[test]
fn edge_convolution() {
    let g = graph(8);
    let pair = |x: &[Matrix], j: usize, i: usize| stack(&[&x[i], &(&x[j] - &x[i])]);
    agree("import gnn/edgeconv. @use edgeconv(x, edge, h, 3, {5,2}).", &g.facts("h"), |w| {
        let x = features(&g);
        g.outputs("h", |i| {
            let all = g.sources_of(i).map(|(j, _)| {
                let inner = relu(&(&w[0] * pair(&x, j, i) + &w[1]));
                relu(&(&w[2] * inner + &w[3]))
            });
            greatest(2, all)
        })
    });
    let text = "import gnn/edgeconv. @use edgeconv(x, edge, m, 3, {2}, last = identity, bias = 0).
        @use edgeconv(m, edge, h, 2, {3,3,1}, tanh, identity, avg).";
    agree(text, &g.facts("h"), |w| {
        let x = features(&g);
        let mut m = Vec::new();
        for i in 0..x.len() {
            m.push(greatest(2, g.sources_of(i).map(|(j, _)| &w[0] * pair(&x, j, i))));
        }
        g.outputs("h", |i| {
            let mut sum = zeros(1);
            for (j, _) in g.sources_of(i) {
                let inner = tanh(&(&w[1] * pair(&m, j, i) + &w[2]));
                sum += &w[5] * tanh(&(&w[3] * inner + &w[4])) + &w[6];
            }
            sum / (g.sources_of(i).count() as f64).max(1.0)
        })
    });
}

#[test]
fn chebyshev_polynomials() {
    let mut g = graph(9);
    // Undirected: both directions have one weight.
    g.edges.retain(|e| e.0 <= e.1);
    let back: Vec<_> = g.edges.iter().filter(|e| e.0 != e.1).map(|&(j, i, w)| (i, j, w)).collect();
    g.edges.extend(back);
    for (terms, lambda, weighted, bias) in [(1, 2.0, 0, 0), (2, 2.0, 1, 0), (4, 1.5, 1, 1), (5, 2.0, 0, 1)] {
        let text = format!(
            "import gnn/cheb. @use laplacian(x, edge, lap, {lambda}, {weighted}).
             @use cheb(x, lap, h, 3, 2, {terms}, sigmoid, {bias})."
        );
        agree(&text, &g.facts("h"), |w| {
            let mut a = adjacency(&g, weighted == 1, false);
            a.fill_diagonal(0.0);
            let one = Matrix::identity(6, 6);
            let lap = (&one - symmetric(&a)) * (2.0 / lambda) - &one;
            // T_k of the matrix itself, and not of what it is applied to.
            let mut polynomials = vec![one.clone(), lap.clone()];
            for k in 2..5 {
                polynomials.push(&lap * &polynomials[k - 1] * 2.0 - &polynomials[k - 2]);
            }
            let x = features(&g);
            g.outputs("h", |i| {
                let mut sum = if bias == 1 { w[terms].clone() } else { zeros(2) };
                for (w, polynomial) in w[..terms].iter().zip(&polynomials) {
                    sum += w * &spread(polynomial, &x)[i];
                }
                sigmoid(&sum)
            })
        });
    }
}

#[test]
fn chebyshev_polynomials_of_a_given_matrix() {
    // Any numbers will do: facts of `lap`, not symmetric, and a node without any.
    let g = graph(10);
    let data = g.facts("h");
    agree("import gnn/cheb. @use cheb(x, edge, h, 3, 2, 4, identity).", &data, |w| {
        let lap = adjacency(&g, true, false);
        let x = features(&g);
        let (mut before, mut now) = (x.clone(), spread(&lap, &x));
        let mut sums: Vec<Matrix> = x.iter().zip(&now).map(|(a, b)| &w[0] * a + &w[1] * b).collect();
        for w in &w[2..4] {
            let next: Vec<Matrix> =
                spread(&lap, &now).iter().zip(&before).map(|(a, b)| a * 2.0 - b).collect();
            (before, now) = (now, next);
            sums.iter_mut().zip(&now).for_each(|(s, t)| *s += w * t);
        }
        g.outputs("h", |i| sums[i].clone())
    });
}

#[test]
fn matrices_made_of_edge_features() {
    let g = graph(11);
    let (features, data) = edge_features(&g);
    let data = g.facts("h") + &data;
    let kernel = |flat: Matrix| Matrix::from_row_slice(2, 3, flat.as_slice());
    // One linear layer, no offsets.
    let text = "import gnn/nnconv. @use nnconv(x, f, h, 3, 2, 2, act = identity, bias = 0).";
    agree(text, &data, |w| {
        g.outputs("h", |i| {
            g.sources_of(i).fold(&w[1] * g.feature(i), |sum, (j, _)| {
                sum + kernel(&w[0] * &features[&(j, i)]) * g.feature(j)
            })
        })
    });
    // Two inner layers, offsets everywhere, the mean.
    let text = "import gnn/nnconv. @use nnconv(x, f, h, 3, 2, 2, {4,3}, act = sigmoid, agg = avg).";
    agree(text, &data, |w| {
        g.outputs("h", |i| {
            let mut sum = zeros(2);
            for (j, _) in g.sources_of(i) {
                let inner = relu(&(&w[2] * relu(&(&w[0] * &features[&(j, i)] + &w[1])) + &w[3]));
                sum += kernel(&w[4] * inner + &w[5]) * g.feature(j);
            }
            sum /= (g.sources_of(i).count() as f64).max(1.0);
            sigmoid(&(sum + &w[6] * g.feature(i) + &w[7]))
        })
    });
}

#[test]
fn matrices_made_of_edge_features_joined_by_max() {
    let g = graph(12);
    let (features, data) = edge_features(&g);
    let known: Vec<usize> = (0..g.x.len()).filter(|&i| g.sources_of(i).count() > 0).collect();
    let data = only(&g.facts("h"), "h", &known) + "\n" + &data;
    let text = "import gnn/nnconv. @use nnconv(x, f, h, 3, 2, 2, {}, relu, tanh, max, 0, 0).";
    agree(text, &data, |w| {
        let all = g.outputs("h", |i| {
            let sources = g.sources_of(i);
            let messages = sources.map(|(j, _)| {
                let flat = &w[0] * &features[&(j, i)];
                Matrix::from_row_slice(2, 3, flat.as_slice()) * g.feature(j)
            });
            tanh(&greatest(2, messages))
        });
        all.into_iter().enumerate().filter(|(i, _)| known.contains(i)).map(|(_, o)| o).collect()
    });
}

#[test]
fn powers_of_the_graph() {
    let g = graph(13);
    for (hops, loops, weighted, bias) in [(0, 0, 0, 0), (2, 0, 0, 1), (3, 1, 1, 0), (2, 0, 1, 1)] {
        let text = format!(
            "import gnn/sign. @use sign(x, edge, h, 3, 4, 2, {hops}, tanh, sigmoid, bias = {bias}, loops = {loops},
             weighted = {weighted})."
        );
        agree(&text, &g.facts("h"), |w| {
            let a = symmetric(&adjacency(&g, weighted == 1, loops == 1));
            let each = if bias == 1 { 3 } else { 2 };
            let mut power = features(&g);
            let mut sums = vec![zeros(2); 6];
            for k in 0..=hops {
                for (sum, x) in sums.iter_mut().zip(&power) {
                    let offset = if bias == 1 { w[each * k + 2].clone() } else { zeros(4) };
                    *sum += &w[each * k + 1] * tanh(&(&w[each * k] * x + offset));
                }
                power = spread(&a, &power);
            }
            let offset = if bias == 1 { w[each * (hops + 1)].clone() } else { zeros(2) };
            g.outputs("h", |i| sigmoid(&(&sums[i] + &offset)))
        });
    }
    // A product of matrices, unscaled.
    let text = "import gnn/sign. @use sign(x, edge, h, 3, 2, 2, 2, act = identity, scale = none).";
    agree_at(text, &g.facts("h"), 0.3, |w| {
        let a = adjacency(&g, false, false);
        let x = features(&g);
        let (once, twice) = (spread(&a, &x), spread(&(&a * &a), &x));
        g.outputs("h", |i| &w[1] * &w[0] * &x[i] + &w[3] * &w[2] * &once[i] + &w[5] * &w[4] * &twice[i])
    });
}

/// Whoever uses a module gets no warnings about what is inside of it.
#[test]
fn no_module_gives_warnings() {
    let template = "
        import gnn/resgated. import gnn/gatedgraph. import gnn/gcn2. import gnn/edgeconv. import gnn/cheb.
        import gnn/nnconv. import gnn/sign. import gnn/rgcn. import gnn/meta. import gnn/magnn. import points/pointnet.
        import points/pointnet2. import points/spline. import kb/kbe. import kb/transe. import kb/distmult.
        import kb/rescal. import kb/complex. import kb/rotate. import kb/chains.
        @use resgated(x, edge, h1, 3, 2, weighted = 1, feature = edge, dedge = 1, bias = 1). @use resgated(x, edge, h2, 3, 2).
        @use gatedgraph(x, edge, h3, 3, 4, bias = 1, tied = 0, weighted = 1).
        @use gatedgraph(x, edge, h4, 3, 3, cell = torch, bias = 1).
        @use gcn2(x, x, edge, h5, 3, 2). @use gcn2(x, x, edge, h6, 3, 2, shared = 0).
        @use edgeconv(x, edge, h7, 3, {4,2}). @use laplacian(x, edge, lap). @use cheb(x, lap, h8, 3, 2, 4).
        @use nnconv(x, edge, h9, 3, 2, 1, {4}). @use sign(x, edge, h10, 3, 4, 2, bias = 1).
        @use rgcn(x, h11, {edge, back}, 3, 2, compat = pynl). @use rgcn(x, h12, {edge, back}, 3, 2).
        @use rgcn(x, h13, {p, q}, 3, 2, edge = typed, bases = 2).
        @use rgcn(x, h14, {p, q}, 3, 6, edge = typed, blocks = 3).
        @use metaconv(x, h15, {p, q}, 3, 2, typed, compat = pynl). @use metaconv(x, h16, {edge, back}, 3, 2).
        @use magnn_mean(x, edge, h17, {p,q,p}, type, compat = pynl). @use magnn_linear(x, edge, h18, {p,q,p}, 3, 2).
        @use pointnet(x, h19, 3, {4,2}). @use pointnet_parts(x, h20, 3, 2, {4,2}).
        @use pointnet_align(x, h21, 3, {4}, {2}). @use pointnet2(edge, x, h22, 3, {4,2}, x, 3, {2}).
        @use interpolate(edge, x, x, h23). @use spline(x, basis, edge, h24, 3, 2, 2).
        @use kbe(typed, x, relation, h25, 3). @use transe(x, relation, h26, 3, 1, 1, typed).
        @use distmult(x, relation, h27, typed). @use rescal(x, matrix, h28). @use complex(z, twice, h29, 2).
        @use rotate(z, angle, h30, 2, 2). @use chains({edge, back}, h31, inverse = 1, stay = 1, ranks = 2).
        @use magnn_attention(x, on, of, h32, 3, 2). @use magnn_join({h17, x}, h33, 3, 2).
        relation(R) :- {3,2} angle(R).";
    let data = "<[1,2,3]> x(a). <[0,1,-1]> x(b). <[1,0.5,2]> x(c). <0.5> edge(a,b). <1.5> edge(b,c). <1> edge(c,b).
        back(a,b). back(b,a). type(a,p). type(b,p). type(c,q). type(b,q). typed(a,p,b). typed(b,p,c). typed(c,q,b).
        <1> basis(0,a,b). <0.5> basis(1,a,b). <0.5> basis(1,c,b). <[1,2]> angle(p). <[1,2]> angle(q).
        <[1,2,3,4]> twice(u). <[0,1,2,4]> z(a). <[[1,2,3],[0,1,2],[1,0,0]]> matrix(u).
        on(i,a). on(i,b). of(i,a). on(j,c). of(j,a).
        ?- h1(b), h2(b), h3(b), h4(b), h5(b), h6(b), h7(b), h8(b), h9(b), h10(b), h11(b), h12(b), h13(b), h14(b),
           h15(b), h16(b), h17(b), h18(b), h19, h20(b), h21(b), h22(b), h23(b), h24(b), h25(a,p,b), h26(a,p,b),
           h27(a,p,b), h28(a,u,b), h29(a,u,a), h30(a,p,a), h31(a,b), h32(a), h33(b).";
    let (session, found) = Session::from_texts(template, data, nlog::session::Settings::default());
    assert!(found.is_empty(), "{found:#?}");
    let (network, found) = session.build();
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(network.expect("no errors").answers.len(), 33);
    // A rule that reads a result sees what a question sees, and not a default function of it.
    let asked = data.split_once("?- ").expect("queries").1;
    let atoms: Vec<&str> =
        asked.trim_end_matches('.').split(", ").flat_map(|a| a.split(",\n")).map(str::trim).collect();
    assert_eq!(atoms.len(), 33);
    let (mut template, mut data) = (template.to_string(), data.to_string());
    for (k, atom) in atoms.iter().enumerate() {
        writeln!(
            template,
            "read{k} :- {atom}. [transformation=identity] read{k}/0 [transformation=identity]"
        )
        .unwrap();
        writeln!(data, " ?- read{k}.").unwrap();
    }
    let values = typed::values_at_start(&template, &data);
    assert_eq!(values.len(), 66);
    for (k, atom) in atoms.iter().enumerate() {
        assert_eq!(values[k], values[33 + k], "{atom}");
    }
}
