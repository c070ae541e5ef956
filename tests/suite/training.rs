//! Training against hand-computed steps.

use crate::support::{run, session};
use nlog::learn::{Batch, Optimizer, Reduction};
use nlog::session::Settings;

fn sgd(epochs: usize, lr: f64) -> Settings {
    let mut settings = Settings::default();
    settings.train.epochs = epochs;
    settings.train.optimizer = Optimizer::Sgd;
    settings.train.learning_rate = Some(lr);
    settings.train.shuffle = false;
    settings
}

const LINEAR: &str = "[rule=identity, atom=identity, aggregation=sum]\n0.5 q :- a(X).";

fn sigma(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[test]
fn per_sample_steps_follow_the_order_of_the_samples() {
    let data = "1.0 q :- <0.5> a(c). 0.0 q :- <2> a(c).";
    let (_, parameters, outcome) = run(&session(LINEAR, data, sgd(2, 0.3)));
    let mut w = 0.5;
    let mut candidates = vec![w];
    for _ in 0..2 {
        for (x, t) in [(0.5, 1.0), (2.0, 0.0)] {
            w += 0.3 * (t - sigma(w * x)) * x;
        }
        candidates.push(w);
    }
    // The kept model is the one with the least error on the training samples.
    let error = |w: f64| (1.0 + (0.5 * w).exp()).ln() - 0.5 * w + (1.0 + (2.0 * w).exp()).ln();
    let best = candidates.iter().copied().min_by(|a, b| error(*a).total_cmp(&error(*b))).expect("three");
    assert!((parameters.values[0] - best).abs() < 1e-15, "{} {best}", parameters.values[0]);
    assert!((outcome.train.error.expect("samples") - error(best) / 2.0).abs() < 1e-15);
}

#[test]
fn a_batch_is_one_step_with_the_mean_or_the_sum() {
    let data = "1.0 q :- <0.5> a(c). 0.0 q :- <2> a(c). 1.0 q :- <3> a(c).";
    for (reduction, scale) in [(Reduction::Mean, 1.0 / 3.0), (Reduction::Sum, 1.0)] {
        for batch in [Batch::All, Batch::Size(3)] {
            let mut settings = sgd(1, 0.05);
            settings.train.batch = batch;
            settings.train.reduction = reduction;
            let (_, parameters, outcome) = run(&session(LINEAR, data, settings));
            let samples = [(0.5, 1.0), (2.0, 0.0), (3.0, 1.0)];
            let step: f64 = samples.iter().map(|(x, t)| (t - sigma(0.5 * x)) * x).sum();
            assert_eq!(outcome.history.best_epoch, 1);
            assert!((parameters.values[0] - (0.5 + 0.05 * scale * step)).abs() < 1e-15);
        }
    }
}

#[test]
fn importance_weighs_gradients_and_errors() {
    // The queries file format carries importances; here through the library.
    let mut session = session(LINEAR, "1.0 q :- <0.5> a(c). 0.0 q :- <2> a(c).", sgd(0, 0.1));
    session.database.queries[1].importance = 3.0;
    let (_, _, outcome) = run(&session);
    let e = |z: f64, t: f64| (1.0 + z.exp()).ln() - z * t;
    let expected = (e(0.25, 1.0) + 3.0 * e(1.0, 0.0)) / 4.0;
    assert!((outcome.train.error.expect("samples") - expected).abs() < 1e-15);
}

#[test]
fn learnable_facts_are_parameters_of_their_own() {
    let template = "[rule=identity, atom=identity]\nq :- a(X).";
    let data = "1.0 q :- 0.5 a(c). 0.0 q :- 0.25 a(c).";
    let session = session(template, data, sgd(1, 1.0));
    let names: Vec<&str> = session.template.weights.iter().map(|w| w.name.as_str()).collect();
    assert_eq!(names, ["a(c)#1", "a(c)#2"]);
    let (_, parameters, _) = run(&session);
    assert!((parameters.values[0] - (0.5 + 1.0 - sigma(0.5))).abs() < 1e-15);
    assert!((parameters.values[1] - (0.25 - sigma(0.25))).abs() < 1e-15);
}

#[test]
fn a_weight_that_a_sample_does_not_touch_keeps_still_under_adam() {
    let template = "[rule=identity, atom=identity]\n$u=0.5 q :- a(X).\n$v=0.5 q :- b(X).";
    let mut settings = sgd(1, 0.01);
    settings.train.optimizer = Optimizer::ADAM;
    settings.train.weight_decay = 0.1;
    let (_, parameters, _) = run(&session(template, "1.0 q :- <1> a(c). ", settings.clone()));
    assert_ne!(parameters.values[0], 0.5);
    assert_eq!(parameters.values[1], 0.5, "no sample reads $v");
}

#[test]
fn validation_and_test_queries_are_not_trained_on() {
    use nlog::data::Split;
    let data = "1.0 q :- <0.5> a(c). 0.0 q :- <2> a(c). 1.0 q :- <1> a(c).";
    let mut split = session(LINEAR, data, sgd(3, 0.1));
    split.database.queries[1].split = Split::Test;
    split.database.queries[2].split = Split::Validation;
    let (_, parameters, outcome) = run(&split);
    let alone = session(LINEAR, "1.0 q :- <0.5> a(c).", sgd(3, 0.1));
    let (_, expected, _) = run(&alone);
    assert_eq!(parameters.values[0].to_bits(), expected.values[0].to_bits());
    assert_eq!((outcome.train.count, outcome.validation.count, outcome.test.count), (1, 1, 1));
}

#[test]
fn the_best_model_is_kept_not_the_last() {
    // A learning rate far too large: the error goes up after the start.
    let data = "1.0 q :- <0.5> a(c). 0.0 q :- <2> a(c).";
    let (_, parameters, outcome) = run(&session(LINEAR, data, sgd(30, 50.0)));
    let errors: Vec<f64> = outcome.history.epochs.iter().map(|e| e.train_error.expect("evaluated")).collect();
    let kept = outcome.train.error.expect("samples");
    assert!(errors.iter().all(|e| *e >= kept), "{errors:?} {kept}");
    assert!(*errors.last().expect("30 epochs") > kept, "{errors:?}");
    assert!(parameters.values[0].is_finite());
}
