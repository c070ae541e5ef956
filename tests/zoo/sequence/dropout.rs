//! Dropout: nothing in evaluation, and its distribution in training.

use crate::harness::{Matrix, agree};
use crate::kit::{Weights, drawn, fact, outputs, sequence, vectors};
use nlog::base::rng::Stream;
use nlog::diag::has_errors;
use nlog::learn::{Batch, Loss, Optimizer};
use nlog::session::{Session, Settings};
use std::ops::ControlFlow;

#[test]
fn dropout_does_nothing_in_evaluation() {
    let x = vectors(4, 2, 1);
    let template = "import nn/linear. import nn/dropout.
        @use dropout(x, y, 2, 0.25). @use linear(y, z, 2, 3, tanh).
        @use dropout(z, k, 3, node = x). @use linear(k, h, 3, 1).";
    agree(template, &sequence(&x), |w| {
        let mut w = Weights::of(w);
        let (a, b) = (w.take(3, 2), w.take(1, 3));
        w.end();
        let h = |x: &Matrix| b * (a * x).map(f64::tanh);
        outputs(x.iter().map(h))
    });
}

/// The mean error over epochs that change nothing.
fn error(template: &str, data: &str) -> f64 {
    let mut settings = Settings::default();
    settings.train.epochs = 200;
    settings.train.loss = Loss::Mse;
    settings.train.optimizer = Optimizer::Sgd;
    settings.train.learning_rate = Some(0.0);
    let (session, found) = Session::from_texts(template, data, settings);
    assert!(!has_errors(&found), "{found:?}");
    let network = session.build().0.expect("a network");
    let mut parameters = session.initial_parameters();
    let outcome = session.run(&network, &mut parameters, &mut |_| ControlFlow::Continue(())).expect("a run");
    let epochs = outcome.history.epochs;
    epochs.iter().map(|e| e.online_error).sum::<f64>() / epochs.len() as f64
}

#[test]
fn dropout_is_drawn_in_training() {
    let facts: String = (0..50).map(|i| format!("<[1,2]> x(n{i}). <1> y(n{i}). ")).collect();
    let data = facts + "?- 0 q(X).";
    // Learned, but at a rate of zero: without a weight there is nothing to train.
    let rest = "q(X) :- [[1,1]] h(X). [transformation=identity]\nq/1 [transformation=identity]";
    let plain = error(&rest.replace("h(", "x("), &data);
    for p in [0.25, 0.5] {
        let found = error(&format!("import nn/dropout. @use dropout(x, h, 2, {p}).\n{rest}"), &data);
        // Of m_1 + 2 m_2 the mean is 3 and the variance (1 + 4) p / (1 - p).
        let expected = 1.0 + 5.0 * p / (1.0 - p) / 9.0;
        assert!((found / plain - expected).abs() < 0.02 * expected, "{found} of {plain}, {expected}");
    }
    let number = rest.replace("[[1,1]]", "3");
    let found = error(&format!("import nn/dropout. @use dropout(y, h, 1).\n{number}"), &data);
    assert!((found / plain - 2.0).abs() < 0.05, "{found} of {plain}");
}

const RATE: f64 = 0.4;

/// The mask of the `number`-th use of dropout over `count` facts in an epoch, drawn as the engine draws.
fn mask(number: usize, arity: usize, epoch: usize, count: usize, width: usize) -> Vec<Matrix> {
    let mut stream = Stream::new(
        0,
        &format!("draw mask__dropout{}_{number}/{arity} 0 {epoch}", if arity == 0 { "0" } else { "" }),
    );
    let mut element = || if stream.uniform() < RATE { 0.0 } else { 1.0 / (1.0 - RATE) };
    (0..count).map(|_| Matrix::from_iterator(width, 1, (0..width).map(|_| element()))).collect()
}

/// Errors of epochs in full batches, and the weights behind the last, with those before the first.
fn trained(template: &str, data: &str, rate: f64, epochs: usize) -> (Vec<f64>, Vec<Matrix>, Vec<Matrix>) {
    let mut settings = Settings::default();
    settings.train.epochs = epochs;
    settings.train.loss = Loss::Mse;
    settings.train.optimizer = Optimizer::Sgd;
    settings.train.batch = Batch::All;
    settings.train.learning_rate = Some(rate);
    let (session, found) = Session::from_texts(template, data, settings);
    assert!(!has_errors(&found), "{found:?}");
    let network = session.build().0.expect("a network");
    let mut parameters = session.initial_parameters();
    let weights = |p: &nlog::exec::Parameters<f64>| -> Vec<Matrix> {
        let weights = session.template.weights.iter_enumerated().filter(|(_, w)| w.is_parameter());
        weights
            .map(|(id, w)| Matrix::from_row_slice(w.shape.rows as usize, w.shape.cols as usize, p.get(id)))
            .collect()
    };
    let before = weights(&parameters);
    let outcome = session.run(&network, &mut parameters, &mut |_| ControlFlow::Continue(())).expect("a run");
    (outcome.history.epochs.iter().map(|e| e.online_error).collect(), before, weights(&parameters))
}

/// Holds errors of three epochs, and a step of the first, against a formula of the weights and the epoch.
fn trains_as(template: &str, data: &str, error: impl Fn(&[Matrix], usize) -> f64) {
    let (errors, weights, _) = trained(template, data, 0.0, 3);
    for (k, found) in errors.iter().enumerate() {
        let expected = error(&weights, k + 1);
        assert!((found - expected).abs() < 1e-12 * (1.0 + expected), "epoch {}: {found}, {expected}", k + 1);
    }
    let (step, h) = (0.01, 1e-5);
    let (_, mut at, after) = trained(template, data, step, 1);
    let mut moved: f64 = 0.0;
    for k in 0..at.len() {
        for i in 0..at[k].len() {
            let x = at[k][i];
            at[k][i] = x + h;
            let above = error(&at, 1);
            at[k][i] = x - h;
            let below = error(&at, 1);
            at[k][i] = x;
            let expected = x - step * (above - below) / (2.0 * h);
            assert!((after[k][i] - expected).abs() < 1e-9, "weight {k}: {}, {expected}", after[k][i]);
            moved = moved.max((expected - x).abs());
        }
    }
    assert!(moved > 1e-4, "no weight moves");
}

#[test]
fn perceptrons_with_dropout_drop_in_training_only() {
    let x = vectors(5, 2, 9);
    let facts: String = x.iter().enumerate().map(|(i, x)| fact(x, &format!("x({i})"))).collect();
    let bodies = [
        ("@use mlp(x, h, {2,3,4,1}, tanh", "node = x"),
        // Behind a layer, for whose atoms facts are named.
        ("@use linear(x, z, 2, 2). @use mlp(z, h, {2,3,4,1}, tanh", "node = x"),
    ];
    for (k, (body, node)) in bodies.iter().enumerate() {
        let import = "import nn/mlp. import nn/linear.";
        let ask = format!("{facts}?- h(X).");
        let with = format!("{import} {body}, dropout = {RATE}, {node}).");
        assert_eq!(drawn(&with, &ask), drawn(&format!("{import} {body})."), &ask), "{body}");
        let targets: String = (0..x.len()).map(|i| format!("{} h({i}), ", i as f64 / 4.0)).collect();
        let data = format!("{facts}?- {}.", targets.trim_end_matches(", "));
        trains_as(&with, &data, |w, epoch| {
            let (first, w) = w.split_at(k);
            let masks = [mask(1, 1, epoch, x.len(), 3), mask(2, 1, epoch, x.len(), 4)];
            let errors = x.iter().enumerate().map(|(i, x)| {
                let z = first.iter().fold(x.clone(), |x, m| m * x);
                let a = (&w[0] * z + &w[1]).map(f64::tanh).component_mul(&masks[0][i]);
                let b = (&w[2] * a + &w[3]).map(f64::tanh).component_mul(&masks[1][i]);
                let h = (&w[4] * b + &w[5])[0];
                (h - i as f64 / 4.0).powi(2)
            });
            errors.sum::<f64>() / x.len() as f64
        });
        // Without `node` the input is given itself.
        if k == 0 {
            let alone = format!("{import} {body}, dropout = {RATE}).");
            assert_eq!(trained(&alone, &data, 0.1, 4), trained(&with, &data, 0.1, 4));
        }
    }
}

#[test]
fn perceptrons_of_whole_examples_with_dropout() {
    let x = vectors(1, 3, 10);
    let data = format!("{}graph. ?- 0.5 h.", fact(&x[0], "x"));
    let plain = "import nn/mlp. import nn/linear. @use linear0(x, z, 3, 2). @use mlp0(z, h, {2,6,1}, sigmoid";
    let with = format!("{plain}, dropout = {RATE}, node = graph).");
    assert_eq!(drawn(&with, &data), drawn(&format!("{plain})."), &data));
    trains_as(&with, &data, |w, epoch| {
        let z = (&w[1] * (&w[0] * &x[0]) + &w[2]).map(crate::kit::sigmoid);
        let z = z.component_mul(&mask(1, 0, epoch, 1, 6)[0]);
        ((&w[3] * z + &w[4])[0] - 0.5).powi(2)
    });
}
