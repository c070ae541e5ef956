//! A model's outputs, and their gradients by its weights, against an independent formula.

use nalgebra::{DMatrix, DVector};
use nlog::base::rng::Stream;
use nlog::diag::{Diagnostic, has_errors, render};
use nlog::exec::{Gradients, Parameters, Selection, State};
use nlog::session::{Session, Settings};
use nlog::template::WeightId;
use std::fmt::Write;

/// A matrix; vectors have one column, numbers are 1 × 1.
pub type Matrix = DMatrix<f64>;

/// Values by the text of their atom, `h(n0)`.
pub type Outputs = Vec<(String, Matrix)>;

/// Values agree to this, relative to the greatest magnitude.
const VALUES: f64 = 1e-11;
/// Gradients agree to this with central differences of the formula.
const GRADIENTS: f64 = 1e-6;

/// Holds a template against a formula: at random weights, all answers of the data's queries must be the formula's
/// outputs (the same atoms, in any order), and the gradient of Σ c·output (c random) must be that of the formula by
/// central differences.
///
/// The formula gets the learned weights in the order of the template: textual, a rule's head first. With modules:
/// the order of their uses.
pub fn agree(template: &str, data: &str, formula: impl Fn(&[Matrix]) -> Outputs) {
    agree_at(template, data, 0.7, formula);
}

/// As [`agree`], with weights uniform in ±`scale`.
pub fn agree_at(template: &str, data: &str, scale: f64, formula: impl Fn(&[Matrix]) -> Outputs) {
    compare(template, data, scale, |_, w| formula(w));
}

/// As [`agree`], where there are families: the formula also asks for members by name, `w[n0,n1]`, in which the private
/// name of a module stands as it is written there. They come behind all other weights.
pub fn agree_named(
    template: &str,
    data: &str,
    formula: impl Fn(&[Matrix], &dyn Fn(&str) -> Option<Matrix>) -> Outputs,
) {
    compare(template, data, 0.7, |names, w| {
        formula(w, &|name| names.iter().position(|n| n == name).map(|k| w[k].clone()))
    });
}

fn compare(template: &str, data: &str, scale: f64, formula: impl Fn(&[String], &[Matrix]) -> Outputs) {
    let settings = Settings::default();
    let (session, found) = Session::from_texts(template, data, settings);
    assert!(!has_errors(&found), "{}", shown(&found, &session));
    let (network, found) = session.build();
    let network = network.unwrap_or_else(|| panic!("{}", shown(&found, &session)));
    let mut stream = Stream::new(11, "zoo");
    let mut parameters: Parameters<f64> = session.initial_parameters();
    let learned: Vec<WeightId> = session
        .template
        .weights
        .iter_enumerated()
        .filter(|(_, w)| w.is_parameter() && !w.constant)
        .map(|(id, _)| id)
        .collect();
    // `all__layer_1[a]` is `all[a]`.
    let plain = |name: &str| match (name.split_once("__"), name.split_once('[')) {
        (Some((first, _)), Some((_, members))) => format!("{first}[{members}"),
        (Some((first, _)), None) => first.to_string(),
        _ => name.to_string(),
    };
    let known: Vec<String> = learned.iter().map(|&w| plain(&session.template.weights[w].name)).collect();
    for &w in &learned {
        parameters.get_mut(w).iter_mut().for_each(|v| *v = scale * (2.0 * stream.uniform() - 1.0));
    }
    // What the engine computes.
    let mut states: Vec<State<f64>> = Vec::new();
    for program in &network.programs {
        let mut state = State::new(program);
        state.forward(program, &parameters, &Selection::all(program));
        states.push(state);
    }
    let mut found: Vec<(String, Vec<f64>, (usize, usize, usize))> = Vec::new();
    for answer in &network.answers {
        let pred = session.database.queries[answer.query].pred;
        let atom = session.vocabulary.atom_text(pred, answer.args.iter().copied());
        let (p, o) = answer.place.unwrap_or_else(|| panic!("{atom} has no value"));
        let slot = network.programs[p].outputs[o];
        let values = &states[p].values[slot.offset as usize..][..slot.shape.len()];
        found.push((atom, values.to_vec(), (p, slot.offset as usize, slot.shape.len())));
    }
    // What the formula says.
    let mut weights: Vec<Matrix> = learned
        .iter()
        .map(|&w| {
            let shape = session.template.weights[w].shape;
            Matrix::from_row_slice(shape.rows as usize, shape.cols as usize, parameters.get(w))
        })
        .collect();
    let order = |outputs: Outputs| -> Vec<Vec<f64>> {
        assert_eq!(outputs.len(), found.len(), "outputs of the formula, and answers: {:?}", names(&found));
        found
            .iter()
            .map(|(atom, ..)| {
                let value = outputs.iter().find(|(a, _)| a == atom);
                let value = &value.unwrap_or_else(|| panic!("the formula has no `{atom}`")).1;
                // Row-major, as the engine has it.
                value.transpose().as_slice().to_vec()
            })
            .collect()
    };
    let expected = order(formula(&known, &weights));
    let greatest = expected.iter().flatten().fold(0.0f64, |m, v| m.max(v.abs()));
    assert!(greatest > 1e-3, "all outputs of the formula are zero");
    for ((atom, values, _), expected) in found.iter().zip(&expected) {
        let apart = values.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(
            values.len() == expected.len() && apart <= VALUES * greatest.max(1.0),
            "{atom} is {values:?}, by the formula {expected:?}"
        );
    }
    // Gradients.
    let cotangents: Vec<Vec<f64>> =
        expected.iter().map(|v| v.iter().map(|_| 2.0 * stream.uniform() - 1.0).collect()).collect();
    for ((.., (p, offset, len)), cotangent) in found.iter().zip(&cotangents) {
        let own = &mut states[*p].gradients[*offset..][..*len];
        own.iter_mut().zip(cotangent).for_each(|(g, c)| *g += c);
    }
    let mut gradients = Gradients::new(&parameters);
    for (program, state) in network.programs.iter().zip(&mut states) {
        state.backward(program, &parameters, &Selection::all(program), &mut gradients);
    }
    let objective = |weights: &[Matrix]| -> f64 {
        let outputs = order(formula(&known, weights));
        outputs.iter().zip(&cotangents).map(|(o, c)| o.iter().zip(c).map(|(o, c)| o * c).sum::<f64>()).sum()
    };
    let mut deviations = Vec::new();
    let mut size = 0.0f64;
    for (k, &w) in learned.iter().enumerate() {
        let engine = &gradients.values[parameters.ranges[w].clone()];
        let cols = weights[k].ncols();
        for (i, &engine) in engine.iter().enumerate() {
            let at = (i / cols, i % cols);
            let value = weights[k][at];
            let h = 1e-5;
            weights[k][at] = value + h;
            let above = objective(&weights);
            weights[k][at] = value - h;
            let below = objective(&weights);
            weights[k][at] = value;
            let difference = (above - below) / (2.0 * h);
            size = size.max(difference.abs());
            deviations.push((k, i, engine, difference));
        }
    }
    assert!(learned.is_empty() || size > 1e-6, "no weight has a gradient");
    for (k, i, engine, difference) in deviations {
        let name = &session.template.weights[learned[k]].name;
        assert!(
            (engine - difference).abs() <= GRADIENTS * size.max(1.0),
            "the gradient of element {i} of weight {k} ({name}) is {engine}, by differences {difference}"
        );
    }
}

fn names(found: &[(String, Vec<f64>, (usize, usize, usize))]) -> Vec<&str> {
    found.iter().map(|(a, ..)| a.as_str()).collect()
}

fn shown(found: &[Diagnostic], session: &Session) -> String {
    found.iter().map(|d| render::render(d, &session.sources, false)).collect()
}

/// A directed graph with features of nodes and numbers on edges.
#[derive(Debug, Clone)]
pub struct Graph {
    /// One vector for each node `n0`, `n1`, …
    pub x: Vec<DVector<f64>>,
    /// `(source, target, number)`, each pair once.
    pub edges: Vec<(usize, usize, f64)>,
}

impl Graph {
    /// A random graph: the last node is isolated, and there are no self loops.
    pub fn random(nodes: usize, edges: usize, width: usize, seed: u64) -> Graph {
        let mut stream = Stream::new(seed, "zoo graph");
        let x = (0..nodes).map(|_| DVector::from_fn(width, |_, _| 2.0 * stream.uniform() - 1.0)).collect();
        let mut out = Graph { x, edges: Vec::new() };
        let mut pick = |n: usize| (stream.uniform() * n as f64) as usize;
        while out.edges.len() < edges {
            let (j, i) = (pick(nodes - 1), pick(nodes - 1));
            if j != i && !out.edges.iter().any(|e| (e.0, e.1) == (j, i)) {
                out.edges.push((j, i, (1 + pick(9)) as f64 / 8.0));
            }
        }
        out
    }

    /// Sources of the edges into `i`, with their numbers.
    pub fn sources_of(&self, i: usize) -> impl Iterator<Item = (usize, f64)> {
        self.edges.iter().filter(move |e| e.1 == i).map(|e| (e.0, e.2))
    }

    /// The facts `<[…]> x(n0).` and `<0.5> edge(n0,n1).`, and `?- query(n0).` for every node.
    pub fn facts(&self, query: &str) -> String {
        let mut out = String::new();
        for (i, x) in self.x.iter().enumerate() {
            let values: Vec<String> = x.iter().map(f64::to_string).collect();
            writeln!(out, "<[{}]> x(n{i}). ?- {query}(n{i}).", values.join(",")).unwrap();
        }
        for (j, i, w) in &self.edges {
            writeln!(out, "<{w}> edge(n{j},n{i}).").unwrap();
        }
        out
    }

    /// Outputs `query(n0)`, `query(n1)`, … from a function of the node.
    pub fn outputs(&self, query: &str, mut value: impl FnMut(usize) -> Matrix) -> Outputs {
        (0..self.x.len()).map(|i| (format!("{query}(n{i})"), value(i))).collect()
    }

    /// The feature of a node as a matrix of one column.
    pub fn feature(&self, i: usize) -> Matrix {
        Matrix::from_column_slice(self.x[i].len(), 1, self.x[i].as_slice())
    }
}

/// The formula is held against the engine, so a wrong formula must be found.
#[test]
#[should_panic(expected = "by the formula")]
fn a_wrong_value_is_found() {
    let g = Graph::random(4, 5, 2, 1);
    let data = g.facts("h");
    agree("{3,2} h(X) :- x(X). [transformation=identity]\nh/1 [transformation=identity]", &data, |w| {
        g.outputs("h", |i| &w[0] * g.feature(i) * 1.0001)
    });
}

#[test]
fn a_linear_layer_agrees() {
    let g = Graph::random(4, 5, 2, 1);
    let data = g.facts("h");
    agree("{3,2} h(X) :- x(X). [transformation=tanh]\nh/1 [transformation=identity]", &data, |w| {
        g.outputs("h", |i| &w[0] * g.feature(i).map(f64::tanh))
    });
}

#[test]
fn a_sum_over_edges_agrees() {
    let g = Graph::random(6, 9, 2, 2);
    let rules =
        "{3,2} h(I) :- x(J), edge(J,I). [aggregation=sum, combination=product, transformation=identity]
                 {3,2} h(I) :- x(I). [transformation=identity]
                 h/1 [transformation=sigmoid]";
    agree(rules, &g.facts("h"), |w| {
        g.outputs("h", |i| {
            let sum = g.sources_of(i).fold(Matrix::zeros(2, 1), |sum, (j, e)| sum + g.feature(j) * e);
            (&w[0] * sum + &w[1] * g.feature(i)).map(|v| 1.0 / (1.0 + (-v).exp()))
        })
    });
}
