//! Relations, roles and meta-paths.

use super::*;
use crate::harness::Outputs;
use nlog::diag::has_errors;
use nlog::exec::{Selection, State};
use nlog::session::{Session, Settings};

/// The values of all answers with the weights that training would begin with.
pub fn values_at_start(template: &str, data: &str) -> Vec<Vec<f64>> {
    values(template, data, None)
}

/// The values of all answers when the learned weights are these, in the order of the template.
fn values_with(template: &str, data: &str, weights: &[Matrix]) -> Vec<Vec<f64>> {
    values(template, data, Some(weights))
}

fn values(template: &str, data: &str, weights: Option<&[Matrix]>) -> Vec<Vec<f64>> {
    let (session, found) = Session::from_texts(template, data, Settings::default());
    assert!(!has_errors(&found), "{found:?}");
    let (network, found) = session.build();
    let network = network.unwrap_or_else(|| panic!("{found:?}"));
    let mut parameters = session.initial_parameters();
    let learned: Vec<_> =
        session.template.weights.iter_enumerated().filter(|(_, w)| w.learnable && !w.constant).collect();
    if let Some(weights) = weights {
        assert_eq!(learned.len(), weights.len());
        for ((id, _), weight) in learned.iter().zip(weights) {
            parameters.get_mut(*id).copy_from_slice(weight.transpose().as_slice());
        }
    }
    let states: Vec<State<f64>> = network
        .programs
        .iter()
        .map(|program| {
            let mut state = State::new(program);
            state.forward(program, &parameters, &Selection::all(program));
            state
        })
        .collect();
    let values = network.answers.iter().map(|answer| {
        let (p, o) = answer.place.expect("a value");
        let slot = network.programs[p].outputs[o];
        states[p].values[slot.offset as usize..][..slot.shape.len()].to_vec()
    });
    values.collect()
}

/// The weights, features and edges that the numbers of PyNeuraLogic were recorded with.
fn recorded() -> (Vec<Matrix>, String) {
    let weights = vec![
        Matrix::from_row_slice(3, 4, &[0.5, -0.2, 0.1, 0.3, 0.4, -0.6, 0.25, -0.15, -0.1, 0.2, 0.8, 0.05]),
        Matrix::from_row_slice(3, 4, &[0.2, 0.35, -0.4, 0.1, -0.55, 0.15, 0.6, -0.25, 0.3, -0.45, 0.05, 0.7]),
        Matrix::from_row_slice(3, 4, &[0.15, -0.3, 0.45, -0.6, 0.7, 0.05, -0.2, 0.35, -0.4, 0.6, 0.1, -0.25]),
    ];
    let data = "<[0.7, -0.4, 0.2, 0.9]> f(0). <[-0.3, 0.8, -0.6, 0.1]> f(1). <[0.5, 0.15, 0.35, -0.75]> f(2).
        <1.0> e(0, a, 1). <1.0> e(1, a, 0). <1.0> e(1, b, 2). <1.0> e(2, a, 1). ?- h(0), h(1), h(2).";
    (weights, data.into())
}

fn close(values: &[Vec<f64>], recorded: [[f64; 3]; 3]) {
    assert_eq!(values.len(), 3);
    for (v, r) in values.iter().zip(recorded) {
        assert_eq!(v.len(), 3);
        // Scalars of the reference pass through 32-bit floats; here there are only ones.
        v.iter().zip(r).for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{v:?} is not {r:?}"));
    }
}

#[test]
fn numbers_of_pyneuralogic_for_relations() {
    let (weights, data) = recorded();
    let text = "import gnn/rgcn. @use rgcn(f, h, {a, b}, 4, 3, edge = e, act = identity).";
    close(
        &values_with(text, &data, &weights),
        [[1.19, 0.335, -0.355], [-0.36625, -0.9675, 0.0175], [-0.585, 0.295, 0.7375]],
    );
}

#[test]
fn numbers_of_pyneuralogic_for_roles() {
    let (weights, data) = recorded();
    let text = "import gnn/meta. @use metaconv(f, h, {a, b}, 4, 3, edge = e, compat = pynl).";
    close(
        &values_with(text, &data, &weights),
        [
            [0.8993479064358931, 0.7916664907298545, 0.6558828412078137],
            [0.6533392763576757, 0.5081242849062608, 0.73448534379722],
            [0.6022861768886306, 0.7849922886281077, 0.8503692405366762],
        ],
    );
}

/// A graph with edges of the three relations a, b and c: c has none into some nodes.
fn relations(seed: u64) -> (Graph, Vec<Vec<(usize, usize)>>) {
    let g = graph(seed);
    let kind = |k: usize| g.edges.iter().enumerate().filter(move |(n, _)| n % 3 == k);
    let of: Vec<Vec<(usize, usize)>> = (0..3).map(|k| kind(k).map(|(_, e)| (e.0, e.1)).collect()).collect();
    (g, of)
}

/// As facts `a(n0,n1).` or, with a predicate, `r(n0,a,n1).`
fn facts_of(of: &[Vec<(usize, usize)>], predicate: Option<&str>) -> String {
    let mut out = String::new();
    for (name, edges) in ["a", "b", "c"].iter().zip(of) {
        for (j, i) in edges {
            match predicate {
                Some(p) => writeln!(out, "{p}(n{j},{name},n{i}).").unwrap(),
                None => writeln!(out, "{name}(n{j},n{i}).").unwrap(),
            }
        }
    }
    out
}

/// The mean over the sources of `i`, if there are any.
fn mean_of(
    edges: &[(usize, usize)],
    i: usize,
    width: usize,
    message: impl Fn(usize) -> Matrix,
) -> Option<Matrix> {
    let sources: Vec<usize> = edges.iter().filter(|e| e.1 == i).map(|e| e.0).collect();
    let sum = sources.iter().fold(zeros(width), |sum, &j| sum + message(j));
    (!sources.is_empty()).then(|| sum / sources.len() as f64)
}

#[test]
fn relational_convolution() {
    let (g, of) = relations(21);
    let formula = |w: &[Matrix], x: &[Matrix], i: usize| {
        (0..3).fold(&w[0] * &x[i], |sum, r| {
            sum + mean_of(&of[r], i, w[0].nrows(), |j| &w[r + 1] * &x[j])
                .unwrap_or_else(|| zeros(w[0].nrows()))
        })
    };
    // Relations as predicates, and as constants.
    for (edge, predicate) in [("", None), (", edge = r", Some("r"))] {
        let text = format!("import gnn/rgcn. @use rgcn(x, h, {{a,b,c}}, 3, 2{edge}).");
        let data = g.facts("h") + &facts_of(&of, predicate);
        agree(&text, &data, |w| g.outputs("h", |i| relu(&formula(w, &features(&g), i))));
    }
    // Two layers, offsets.
    let text = "import gnn/rgcn. @use rgcn(x, m, {a,b,c}, 3, 2, act = tanh). @use rgcn(m, h, {a,b,c}, 2, 4, bias = 1).";
    agree(text, &(g.facts("h") + &facts_of(&of, None)), |w| {
        let x = features(&g);
        let m: Vec<Matrix> = (0..x.len()).map(|i| tanh(&formula(&w[..4], &x, i))).collect();
        g.outputs("h", |i| relu(&(formula(&w[4..8], &m, i) + &w[8])))
    });
}

#[test]
fn relational_convolution_with_fewer_weights() {
    let (g, of) = relations(22);
    let data = g.facts("h") + &facts_of(&of, Some("r"));
    let sum_over = |w: &[Matrix], x: &[Matrix], i: usize, own: &Matrix| {
        (0..3).fold(own * &x[i], |sum, r| {
            sum + mean_of(&of[r], i, 4, |j| &w[r] * &x[j]).unwrap_or_else(|| zeros(4))
        })
    };
    let text = "import gnn/rgcn. @use rgcn(x, h, {a,b,c}, 3, 4, edge = r, act = identity, bases = 2).";
    agree(text, &data, |w| {
        // W, V_1, V_2, then c_rb.
        let made: Vec<Matrix> =
            (0..3).map(|r| &w[1] * w[3 + 2 * r][(0, 0)] + &w[2] * w[4 + 2 * r][(0, 0)]).collect();
        g.outputs("h", |i| sum_over(&made, &features(&g), i, &w[0]))
    });
    // Four features for two blocks.
    let text = "import gnn/rgcn. {4,3} y(I) :- x(I). [transformation=identity] y/1 [transformation=identity]
        @use rgcn(y, h, {a,b,c}, 4, 4, edge = r, act = identity, blocks = 2).";
    agree(text, &data, |w| {
        let y: Vec<Matrix> = features(&g).iter().map(|x| &w[0] * x).collect();
        let made: Vec<Matrix> = (0..3)
            .map(|r| {
                let mut m = Matrix::zeros(4, 4);
                m.view_mut((0, 0), (2, 2)).copy_from(&w[2 + 2 * r]);
                m.view_mut((2, 2), (2, 2)).copy_from(&w[3 + 2 * r]);
                m
            })
            .collect();
        g.outputs("h", |i| sum_over(&made, &y, i, &w[1]))
    });
}

#[test]
fn relational_convolution_with_options() {
    let (g, of) = relations(23);
    // The value of an edge is added, as in PyNeuraLogic; sums and no own features.
    let known: Vec<usize> = (0..g.x.len()).filter(|&i| of.iter().flatten().any(|e| e.1 == i)).collect();
    let data = only(&g.facts("h"), "h", &known) + "\n" + &facts_of(&of, None);
    for (compat, more) in [("pynl", 1.0), ("paper", 0.0)] {
        let text = format!(
            "import gnn/rgcn. @use rgcn(x, h, {{a,b,c}}, 3, 2, act = tanh, agg = sum, root = 0, compat = {compat})."
        );
        agree(&text, &data, |w| {
            let all = g.outputs("h", |i| {
                let mut sum = zeros(2);
                for (edges, w) in of.iter().zip(w) {
                    for (j, _) in edges.iter().filter(|e| e.1 == i) {
                        sum += (w * g.feature(*j)).map(|v| v + more);
                    }
                }
                tanh(&sum)
            });
            all.into_iter().enumerate().filter(|(i, _)| known.contains(i)).map(|(_, o)| o).collect()
        });
    }
}

#[test]
fn roles_of_meta_graphs() {
    let (g, of) = relations(24);
    for (edge, predicate) in [("", None), (", edge = r", Some("r"))] {
        let data = g.facts("h") + &facts_of(&of, predicate);
        for (compat, agg) in
            [("paper", "default"), ("paper", "avg"), ("pynl", "avg"), ("pynl", "sum"), ("pynl", "default")]
        {
            let text = format!(
                "import gnn/meta. @use metaconv(x, h, {{a,b,c}}, 3, 2{edge}, agg = {agg}, compat = {compat}, bias = 1)."
            );
            agree(&text, &data, |w| {
                let more = if compat == "pynl" { 1.0 } else { 0.0 };
                g.outputs("h", |i| {
                    let of_role =
                        |r: usize| mean_of(&of[r], i, 2, |j| (&w[r + 1] * g.feature(j)).map(|v| v + more));
                    let there: Vec<Matrix> = (0..3).filter_map(of_role).collect();
                    let mut sum = there.iter().fold(zeros(2), |sum, m| sum + m);
                    if agg == "avg" || (agg == "default" && compat == "pynl") {
                        sum /= (there.len() as f64).max(1.0);
                    }
                    sigmoid(&(sum + &w[0] * g.feature(i) + &w[4]))
                })
            });
        }
    }
}

/// All walks from a node whose nodes have these types, against the direction of the edges.
fn walks(g: &Graph, types: &dyn Fn(usize, usize) -> bool, from: usize, len: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = if types(0, from) { vec![vec![from]] } else { Vec::new() };
    for place in 1..len {
        let mut longer = Vec::new();
        for walk in &all {
            for (j, _) in g.sources_of(walk[place - 1]).filter(|(j, _)| types(place, *j)) {
                longer.push([walk.clone(), vec![j]].concat());
            }
        }
        all = longer;
    }
    all
}

#[test]
fn means_over_meta_paths() {
    let g = Graph::random(9, 26, 3, 25);
    // Types: even nodes are p, those divisible by 3 or odd are q; some are both.
    let has =
        |t: &str, i: usize| if t == "p" { i.is_multiple_of(2) } else { i.is_multiple_of(3) || i % 2 == 1 };
    let mut facts = String::new();
    for i in 0..9 {
        for t in ["p", "q"].into_iter().filter(|t| has(t, i)) {
            writeln!(facts, "<0.5> type(n{i},{t}).").unwrap();
        }
    }
    for path in [&["p", "q", "p"][..], &["q", "p"], &["p", "q", "q", "p"], &["p"]] {
        let typed = |place: usize, i: usize| has(path[place], i);
        let untyped = |_: usize, _: usize| true;
        for (kind, types) in [
            ("type", &typed as &dyn Fn(usize, usize) -> bool),
            ("none", &untyped as &dyn Fn(usize, usize) -> bool),
        ] {
            let known: Vec<usize> = (0..9).filter(|&i| !walks(&g, types, i, path.len()).is_empty()).collect();
            let data = only(&g.facts("h"), "h", &known) + "\n" + &facts;
            for compat in ["paper", "pynl"] {
                // The mean of a walk, and what PyNeuraLogic adds.
                let mean = |x: &[Matrix], i: usize| {
                    let all = walks(&g, types, i, path.len());
                    let of = |walk: &Vec<usize>| {
                        let sum = walk.iter().fold(zeros(x[0].nrows()), |sum, &v| sum + &x[v]);
                        let edges: f64 = walk
                            .windows(2)
                            .map(|e| g.sources_of(e[0]).find(|(j, _)| *j == e[1]).expect("an edge").1)
                            .sum();
                        let types = if kind == "type" { 0.5 * walk.len() as f64 } else { 0.0 };
                        let more = if compat == "pynl" { edges + types } else { 0.0 };
                        (sum / walk.len() as f64).map(|v| v + more)
                    };
                    all.iter().fold(zeros(x[0].nrows()), |sum, walk| sum + of(walk)) / all.len() as f64
                };
                let path = path.join(",");
                let some = |all: Outputs| {
                    all.into_iter().enumerate().filter(|(i, _)| known.contains(i)).map(|(_, o)| o).collect()
                };
                let text = format!(
                    "import gnn/magnn. {{2,3}} y(I) :- x(I). [transformation=identity] y/1 [transformation=identity]
                     @use magnn_mean(y, edge, h, {{{path}}}, {kind}, compat = {compat})."
                );
                agree(&text, &data, |w| {
                    let y: Vec<Matrix> = features(&g).iter().map(|x| &w[0] * x).collect();
                    some(
                        g.outputs("h", |i| if known.contains(&i) { sigmoid(&mean(&y, i)) } else { zeros(2) }),
                    )
                });
                let text = format!(
                    "import gnn/magnn. @use magnn_linear(x, edge, h, {{{path}}}, 3, 2, {kind}, tanh, {compat})."
                );
                agree(&text, &data, |w| {
                    let x = features(&g);
                    some(g.outputs("h", |i| {
                        if known.contains(&i) { tanh(&(&w[0] * mean(&x, i))) } else { zeros(2) }
                    }))
                });
            }
        }
    }
}

fn softmax(values: &[f64]) -> Vec<f64> {
    let sum: f64 = values.iter().map(|v| v.exp()).sum();
    values.iter().map(|v| v.exp() / sum).collect()
}

#[test]
fn attention_over_instances_of_meta_paths() {
    let g = graph(26);
    // Instances p0, p1, … with their nodes, and whose they are; n5 has none.
    let instances: [(&[usize], usize); 6] =
        [(&[0, 1, 2], 0), (&[0, 3, 4], 0), (&[0, 1], 0), (&[1, 2, 5], 1), (&[2, 1, 0], 2), (&[2, 4, 4], 2)];
    let mut facts = String::new();
    for (p, (nodes, v)) in instances.iter().enumerate() {
        writeln!(facts, "of(p{p},n{v}).").unwrap();
        let mut distinct = nodes.to_vec();
        distinct.dedup();
        distinct.iter().for_each(|u| writeln!(facts, "on(p{p},n{u}).").unwrap());
    }
    let data = only(&g.facts("h"), "h", &[0, 1, 2]) + "\n" + &facts;
    for heads in [1, 3] {
        let text = format!("import gnn/magnn. @use magnn_attention(x, on, of, h, 3, {heads}).");
        agree(&text, &data, |w| {
            let mean = |p: usize| {
                let mut nodes = instances[p].0.to_vec();
                nodes.dedup();
                nodes.iter().fold(zeros(3), |sum, &u| sum + g.feature(u)) / nodes.len() as f64
            };
            let head = |k: usize, i: usize| {
                let own: Vec<usize> = (0..6).filter(|&p| instances[p].1 == i).collect();
                let score = |p: &usize| {
                    let s = (&w[2 * k] * g.feature(i) + &w[2 * k + 1] * mean(*p))[(0, 0)];
                    if s > 0.0 { s } else { 0.2 * s }
                };
                let weights = softmax(&own.iter().map(score).collect::<Vec<_>>());
                elu(&own.iter().zip(weights).fold(zeros(3), |sum, (&p, a)| sum + mean(p) * a))
            };
            let all: Vec<usize> = (0..3).collect();
            all.iter()
                .map(|&i| {
                    let heads: Vec<Matrix> = (0..heads).map(|k| head(k, i)).collect();
                    (format!("h(n{i})"), stack(&heads.iter().collect::<Vec<_>>()))
                })
                .collect()
        });
    }
}

#[test]
fn meta_paths_are_joined() {
    let g = graph(27);
    let text = "import gnn/magnn.
        {2,3} u(I) :- x(I), *edge(_,I). [transformation=identity] u/1 [transformation=identity]
        {2,3} v(I) :- x(I). [transformation=identity] v/1 [transformation=identity]
        @use magnn_join({u,v}, h, 2, 3).";
    agree(text, &g.facts("h"), |w| {
        // The mean over v is over the nodes that the meta-path says something of.
        let [wu, wv, m, q, b] = &in_order(w);
        let there: Vec<usize> = (0..6).filter(|&i| g.sources_of(i).count() > 0).collect();
        let all: Vec<usize> = (0..6).collect();
        let summary = |of: &Matrix, nodes: &[usize]| {
            let sum = nodes.iter().fold(zeros(3), |sum, &i| sum + tanh(&(m * of * g.feature(i) + b)));
            (q * sum / nodes.len() as f64)[(0, 0)]
        };
        let weights = softmax(&[summary(wu, &there), summary(wv, &all)]);
        g.outputs("h", |i| {
            let own = wv * g.feature(i) * weights[1];
            if there.contains(&i) { wu * g.feature(i) * weights[0] + own } else { own }
        })
    });
}

/// The weights u, v, m, q, b, however the last two are numbered.
fn in_order(w: &[Matrix]) -> [Matrix; 5] {
    let column = |m: &&Matrix| m.ncols() == 1;
    let (b, q) = (w[3..].iter().find(column).expect("b"), w[3..].iter().find(|m| !column(m)).expect("q"));
    [w[0].clone(), w[1].clone(), w[2].clone(), q.clone(), b.clone()]
}
