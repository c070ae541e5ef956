//! What the tests of sequences, trees and logic share.

use crate::harness::{Matrix, Outputs};
use nlog::base::rng::Stream;
use nlog::diag::{has_errors, render};
use nlog::exec::{Gradients, Parameters, Selection, State};
use nlog::session::{Session, Settings};
use nlog::template::WeightId;

/// Weights in the order of the template.
pub struct Weights<'a>(std::slice::Iter<'a, Matrix>);

impl<'a> Weights<'a> {
    pub fn of(weights: &'a [Matrix]) -> Weights<'a> {
        Weights(weights.iter())
    }
    /// The next one, which must have this shape.
    pub fn take(&mut self, rows: usize, cols: usize) -> &'a Matrix {
        let w = self.0.next().expect("a weight more");
        assert_eq!(w.shape(), (rows, cols));
        w
    }
    /// The next one, if there is any of this kind; else zeros.
    pub fn bias(&mut self, there: bool, rows: usize) -> Matrix {
        if there { self.take(rows, 1).clone() } else { Matrix::zeros(rows, 1) }
    }
    pub fn end(mut self) {
        assert!(self.0.next().is_none(), "a weight that the formula does not have");
    }
}

pub fn column(values: &[f64]) -> Matrix {
    Matrix::from_column_slice(values.len(), 1, values)
}

pub fn rows(values: &[&[f64]]) -> Matrix {
    Matrix::from_fn(values.len(), values[0].len(), |r, c| values[r][c])
}

/// Random vectors.
pub fn vectors(n: usize, width: usize, seed: u64) -> Vec<Matrix> {
    let mut stream = Stream::new(seed, "zoo vectors");
    (0..n).map(|_| Matrix::from_fn(width, 1, |_, _| (64.0 * stream.uniform()).floor() / 16.0 - 2.0)).collect()
}

/// Random numbers from 0 to 1.
pub fn degrees(n: usize, seed: u64) -> Vec<f64> {
    let mut stream = Stream::new(seed, "zoo degrees");
    (0..n).map(|_| (1000.0 * stream.uniform()).floor() / 1000.0).collect()
}

/// `<[1,2]> atom.`
pub fn fact(value: &Matrix, atom: &str) -> String {
    let values: Vec<String> = value.iter().map(f64::to_string).collect();
    match &values[..] {
        [one] => format!("<{one}> {atom}. "),
        _ => format!("<[{}]> {atom}. ", values.join(",")),
    }
}

/// The facts `x(0)`, `x(1)`, … and the question `?- h(X)`, which all of them answer.
pub fn sequence(x: &[Matrix]) -> String {
    let facts: String = x.iter().enumerate().map(|(t, x)| fact(x, &format!("x({t})"))).collect();
    facts + "?- h(X)."
}

/// `h(0)`, `h(1)`, …
pub fn outputs(values: impl IntoIterator<Item = Matrix>) -> Outputs {
    values.into_iter().enumerate().map(|(t, v)| (format!("h({t})"), v)).collect()
}

pub fn sigmoid(v: f64) -> f64 {
    1.0 / (1.0 + (-v).exp())
}

pub fn relu(v: f64) -> f64 {
    v.max(0.0)
}

/// (x - mean) / root of the variance, over the elements.
pub fn normal(x: &Matrix) -> Matrix {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
    x.map(|v| (v - mean) / (variance + 1e-10).sqrt())
}

/// Columns below each other.
pub fn stacked(parts: &[Matrix]) -> Matrix {
    let all: Vec<f64> = parts.iter().flat_map(|m| m.iter().copied()).collect();
    column(&all)
}

/// What the engine computes with these weights.
pub fn forward(template: &str, data: &str, weights: &[Matrix]) -> Vec<(String, Vec<f64>)> {
    let mut count = 0;
    let out = forward_with(template, data, |values| {
        let w = weights.get(count).expect("a weight for each of the template");
        assert_eq!(values.len(), w.len());
        values.copy_from_slice(w.transpose().as_slice());
        count += 1;
    });
    assert_eq!(count, weights.len(), "weights of the template");
    out
}

/// What the engine computes with random weights, the same ones for each call.
pub fn drawn(template: &str, data: &str) -> Vec<(String, Vec<f64>)> {
    let mut stream = Stream::new(3, "zoo weights");
    forward_with(template, data, |values| values.iter_mut().for_each(|v| *v = 2.0 * stream.uniform() - 1.0))
}

fn forward_with(template: &str, data: &str, mut value: impl FnMut(&mut [f64])) -> Vec<(String, Vec<f64>)> {
    let (session, found) = Session::from_texts(template, data, Settings::default());
    let shown: String = found.iter().map(|d| render::render(d, &session.sources, false)).collect();
    assert!(!has_errors(&found), "{shown}");
    let network = session.build().0.expect("a network");
    let mut parameters: Parameters<f64> = session.initial_parameters();
    for (id, _) in session.template.weights.iter_enumerated().filter(|(_, w)| w.learnable && !w.constant) {
        value(parameters.get_mut(id));
    }
    let mut states = Vec::new();
    for program in &network.programs {
        let mut state: State<f64> = State::new(program);
        state.forward(program, &parameters, &Selection::all(program));
        states.push(state);
    }
    let answers = network.answers.iter().map(|answer| {
        let pred = session.database.queries[answer.query].pred;
        let atom = session.vocabulary.atom_text(pred, answer.args.iter().copied());
        let (p, o) = answer.place.unwrap_or_else(|| panic!("{atom} has no value"));
        let slot = network.programs[p].outputs[o];
        (atom, states[p].values[slot.offset as usize..][..slot.shape.len()].to_vec())
    });
    answers.collect()
}

/// Holds a template with given weights against recorded numbers.
pub fn golden(template: &str, data: &str, weights: &[Matrix], expected: &[(&str, &[f64])]) {
    let found = forward(template, data, weights);
    for (atom, wanted) in expected {
        let (_, values) = found.iter().find(|(a, _)| a == atom).unwrap_or_else(|| panic!("no {atom}"));
        assert_eq!(values.len(), wanted.len(), "{atom}");
        for (a, b) in values.iter().zip(*wanted) {
            assert!((a - b).abs() < 1e-9, "{atom} is {values:?}, not {wanted:?}");
        }
    }
}

/// The weights after a step against the gradient of the summed squared errors at these targets, which are asked for.
pub fn step(
    template: &str,
    data: &str,
    weights: &[Matrix],
    targets: &[(&str, &[f64])],
    rate: f64,
) -> Vec<Matrix> {
    let asked: String = targets.iter().map(|(atom, _)| format!("?- {atom}. ")).collect();
    let (session, found) = Session::from_texts(template, &format!("{data} {asked}"), Settings::default());
    let shown: String = found.iter().map(|d| render::render(d, &session.sources, false)).collect();
    assert!(!has_errors(&found), "{shown}");
    let network = session.build().0.expect("a network");
    let mut parameters: Parameters<f64> = session.initial_parameters();
    let learned: Vec<WeightId> = session
        .template
        .weights
        .iter_enumerated()
        .filter(|(_, w)| w.learnable && !w.constant)
        .map(|(id, _)| id)
        .collect();
    assert_eq!(learned.len(), weights.len(), "weights of the template");
    for (&id, w) in learned.iter().zip(weights) {
        parameters.get_mut(id).copy_from_slice(w.transpose().as_slice());
    }
    let mut gradients = Gradients::new(&parameters);
    let mut met = 0;
    for (p, program) in network.programs.iter().enumerate() {
        let mut state: State<f64> = State::new(program);
        state.forward(program, &parameters, &Selection::all(program));
        for answer in &network.answers {
            let (of, o) = answer.place.expect("a value");
            if of != p {
                continue;
            }
            let slot = program.outputs[o];
            let target = targets[answer.query].1;
            assert_eq!(slot.shape.len(), target.len());
            for (k, t) in target.iter().enumerate() {
                let i = slot.offset as usize + k;
                state.gradients[i] += 2.0 * (state.values[i] - t);
            }
            met += 1;
        }
        state.backward(program, &parameters, &Selection::all(program), &mut gradients);
    }
    assert_eq!(met, targets.len());
    let after = learned.iter().zip(weights).map(|(&id, w)| {
        let gradient = &gradients.values[parameters.ranges[id].clone()];
        w - rate * Matrix::from_row_slice(w.nrows(), w.ncols(), gradient)
    });
    after.collect()
}
