//! Dropout: nothing in evaluation, and its distribution in training.

use crate::harness::{Matrix, agree};
use crate::kit::{Weights, outputs, sequence, vectors};
use nlog::diag::has_errors;
use nlog::learn::{Loss, Optimizer};
use nlog::session::{Session, Settings};
use std::ops::ControlFlow;

#[test]
fn dropout_does_nothing_in_evaluation() {
    let x = vectors(4, 2, 1);
    let template = "import nn/linear. import nn/dropout.
        @use dropout(x, first, y, x, 2, 0.25). @use linear(y, z, 2, 3, tanh).
        @use dropout(z, second, k, x, 3). @use linear(k, h, 3, 1).";
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
        let found = error(&format!("import nn/dropout. @use dropout(x, m, h, x, 2, {p}).\n{rest}"), &data);
        // Of m_1 + 2 m_2 the mean is 3 and the variance (1 + 4) p / (1 - p).
        let expected = 1.0 + 5.0 * p / (1.0 - p) / 9.0;
        assert!((found / plain - expected).abs() < 0.02 * expected, "{found} of {plain}, {expected}");
    }
    let number = rest.replace("[[1,1]]", "3");
    let found = error(&format!("import nn/dropout. @use dropout(y, m, h, y, 1).\n{number}"), &data);
    assert!((found / plain - 2.0).abs() < 0.05, "{found} of {plain}");
}
