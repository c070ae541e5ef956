//! Cross-validation and early stopping.

use crate::support::{network, run, session};
use nlog::data::Split;
use nlog::learn::{Batch, EpochReport, Optimizer};
use nlog::session::folds::Spread;
use nlog::session::{CrossValidation, Network, Session, Settings};
use std::ops::ControlFlow;
use std::process::{Command, Output};

const LINEAR: &str = "[rule=identity, atom=identity, aggregation=sum]\n0.5 q :- a(X).\n{1} q :- b(X).";

fn settings(epochs: usize) -> Settings {
    let mut settings = Settings::default();
    settings.train.epochs = epochs;
    settings.train.optimizer = Optimizer::Sgd;
    settings.train.learning_rate = Some(0.1);
    settings
}

/// Examples with targets that `label` gives.
fn data(n: usize, label: impl Fn(usize) -> f64) -> String {
    let value = |i: usize| 0.25 * i as f64 - 1.0;
    (0..n).map(|i| format!("{} q :- <{}> a(c), <{}> b(c).\n", label(i), value(i), value(n - i))).collect()
}

fn alternate(i: usize) -> f64 {
    (i % 2) as f64
}

fn validate(session: &Session, network: &Network, folds: usize) -> CrossValidation {
    let cross = session.cross_validate(network, folds, &mut |_, _| ControlFlow::Continue(()));
    cross.unwrap_or_else(|d| panic!("{}", d.title))
}

#[test]
fn every_sample_is_held_out_once_and_answered_by_the_model_that_has_not_seen_it() {
    let session = session(LINEAR, &data(11, alternate), settings(4));
    let network = network(&session);
    let cross = validate(&session, &network, 3);
    let mut seen = vec![0; network.samples.len()];
    for fold in &cross.folds {
        assert_eq!(fold.outcome.test.count, fold.held_out.len());
        assert_eq!(fold.outcome.train.count, 11 - fold.held_out.len());
        for &i in &fold.held_out {
            seen[i] += 1;
            let answer = network.sample_answers[i];
            assert_eq!(cross.pooled.values[answer], fold.outcome.values[answer]);
        }
    }
    assert!(seen.iter().all(|n| *n == 1), "{seen:?}");
    assert_eq!(cross.pooled.test.count, 11);
    assert_eq!(cross.pooled.history.epochs.len(), 12);
}

#[test]
fn what_is_held_out_never_influences_training() {
    // Whatever the targets of a fold are, and whatever its values: the weights learned without it have the same bits.
    for batch in [Batch::Size(1), Batch::Size(3), Batch::All] {
        let mut settings = settings(5);
        settings.train.batch = batch;
        let session = session(LINEAR, &data(10, alternate), settings);
        let network = network(&session);
        let cross = validate(&session, &network, 3);
        for fold in &cross.folds {
            let mut without = network.clone();
            // Other targets; and, by the files' own way of splitting, a test sample.
            for &i in &fold.held_out {
                without.samples[i].split = Split::Test;
                without.samples[i].target = vec![0.125];
                without.samples[i].importance = 1000.0;
            }
            let mut parameters = session.initial_parameters();
            let outcome = session.run(&without, &mut parameters, &mut |_| ControlFlow::Continue(()));
            let outcome = outcome.unwrap_or_else(|d| panic!("{}", d.title));
            assert_eq!(outcome.values, fold.outcome.values, "{batch:?}");
            let losses = |h: &nlog::learn::History| -> Vec<u64> {
                h.epochs.iter().map(|e| e.online_error.to_bits()).collect()
            };
            assert_eq!(losses(&outcome.history), losses(&fold.outcome.history));
        }
    }
}

#[test]
fn samples_that_ask_for_the_same_atom_are_held_out_together() {
    let template = "[rule=identity, atom=identity]\n0.5 p(X) :- a(X).";
    let facts = "<1> a(x). <2> a(y). <3> a(z).\n";
    let queries = "?- 1 p(x), 1 p(x), 0 p(y), 0 p(y), 1 p(z), 0 p(z).";
    let session = session(template, &format!("{facts}{queries}"), settings(2));
    let network = network(&session);
    let fold = session.folds(&network, 3).unwrap_or_else(|d| panic!("{}", d.title));
    assert!(fold.chunks(2).all(|pair| pair[0] == pair[1] && pair[0].is_some()), "{fold:?}");
    let d = session.folds(&network, 4).err().map(|d| (d.title, d.notes.concat()));
    let (title, notes) = d.unwrap_or_default();
    assert!(title.contains("`--folds 4` needs 4 different samples, there are 3"), "{title}");
    assert!(notes.contains("of 6 samples 3"), "{notes}");
}

#[test]
fn folds_start_from_the_same_weights_and_keep_validation_samples() {
    let mut session = session(LINEAR, &data(9, alternate), settings(0));
    session.database.queries[0].split = Split::Validation;
    let network = network(&session);
    let cross = validate(&session, &network, 2);
    // No epoch: every fold answers with the initial weights.
    assert_eq!(cross.folds[0].outcome.values, cross.folds[1].outcome.values);
    for fold in &cross.folds {
        assert_eq!(fold.outcome.validation.count, 1);
        assert_eq!(fold.outcome.train.count + fold.outcome.test.count, 8);
    }
    assert!(cross.pooled.values[0].is_empty(), "a validation sample is not held out");
}

#[test]
fn written_initial_values_do_not_leak_from_fold_to_fold() {
    // The error met in a first epoch of one step is that of the written weight, whatever earlier folds made of it.
    let template = "[rule=identity, atom=identity, aggregation=sum]\n0.5 q :- <1> a(X).";
    let inputs: Vec<f64> = (0..8).map(|i| 0.5 + i as f64).collect();
    let examples = inputs.iter().enumerate().map(|(i, x)| format!("{} q :- <{x}> a(c).\n", i % 2));
    let mut settings = settings(2);
    settings.train.batch = Batch::All;
    let session = session(template, &examples.collect::<String>(), settings);
    let network = network(&session);
    let cross = validate(&session, &network, 2);
    for fold in &cross.folds {
        let learned = (0..8).filter(|i| !fold.held_out.contains(i));
        let error = |i: usize| (1.0 + (0.5 * inputs[i]).exp()).ln() - (i % 2) as f64 * 0.5 * inputs[i];
        let expected = learned.map(error).sum::<f64>() / 4.0;
        let met = fold.outcome.history.epochs[0].online_error;
        assert!((met - expected).abs() < 1e-12, "{met} {expected}");
    }
}

#[test]
fn means_and_deviations() {
    let session = session(LINEAR, &data(12, alternate), settings(1));
    let network = network(&session);
    let cross = validate(&session, &network, 4);
    let errors: Vec<f64> = cross.folds.iter().filter_map(|f| f.outcome.test.error).collect();
    let mean = errors.iter().sum::<f64>() / 4.0;
    let std = (errors.iter().map(|e| (e - mean) * (e - mean)).sum::<f64>() / 4.0).sqrt();
    assert_eq!(cross.spread(|m| m.error), Some(Spread { mean, std }));
    assert_eq!((cross.mean().error, cross.std().error), (Some(mean), Some(std)));
    assert_eq!(Spread::of(std::iter::empty()), None);
}

#[test]
fn patience_counts_epochs_since_the_best_model() {
    // Too large a rate: nothing improves on the first epochs.
    let data = "1 q :- <0.5> a(c). 0 q :- <2> a(c).";
    for (patience, every) in [(1, 1), (3, 1), (3, 2), (7, 1)] {
        let mut settings = settings(60);
        settings.train.learning_rate = Some(50.0);
        settings.train.evaluate_every = every;
        let (_, unstopped, full) = run(&session(LINEAR, data, settings.clone()));
        settings.train.patience = Some(patience);
        let (_, stopped, outcome) = run(&session(LINEAR, data, settings));
        let history = &outcome.history;
        // The rule, told over the unstopped run.
        let start = error_of_start(data);
        let (mut best, mut at, mut end) = (start, 0, 60);
        for e in full.history.epochs.iter().filter(|e| e.train_error.is_some()) {
            let error = e.train_error.expect("evaluated");
            if error < best {
                (best, at) = (error, e.epoch);
            } else if e.epoch - at >= patience {
                end = e.epoch;
                break;
            }
        }
        assert!(end < 60, "nothing would be tested");
        assert_eq!((history.epochs.len(), history.best_epoch), (end, at), "{patience} {every}");
        assert!(history.stopped_early);
        assert!(!full.history.stopped_early && full.history.epochs.len() == 60);
        if full.history.best_epoch == at {
            assert_eq!(stopped.values, unstopped.values);
        }
    }
}

fn error_of_start(data: &str) -> f64 {
    let (_, _, outcome) = run(&session(LINEAR, data, settings(0)));
    outcome.train.error.expect("samples")
}

#[test]
fn patience_looks_at_validation_samples_if_there_are_any() {
    // The validation sample contradicts the training samples: every epoch makes it worse.
    let mut settings = settings(50);
    settings.train.patience = Some(4);
    let mut session = session(LINEAR, "1 q :- <1> a(c). 0 q :- <1> a(c).", settings);
    session.database.queries[1].split = Split::Validation;
    let network = network(&session);
    let mut parameters = session.initial_parameters();
    let mut errors = Vec::new();
    let mut watch = |e: &EpochReport| {
        errors.push((e.train_error, e.validation_error));
        ControlFlow::Continue(())
    };
    let outcome =
        session.run(&network, &mut parameters, &mut watch).unwrap_or_else(|d| panic!("{}", d.title));
    assert!(errors.windows(2).all(|w| w[1].0 < w[0].0 && w[1].1 > w[0].1), "{errors:?}");
    assert_eq!((outcome.history.epochs.len(), outcome.history.best_epoch), (4, 0));
    assert_eq!(parameters.values, session.initial_parameters::<f64>().values);
}

fn nlog(dir: &std::path::Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nlog")).current_dir(dir).args(args).output().expect("nlog runs")
}

#[test]
fn folds_on_the_command_line() {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    write("t.lrnn", LINEAR);
    write("a.db", &data(10, alternate));
    write("test.txt", "1 q :- <1> a(c), <1> b(c).\n");
    let common = ["run", "t.lrnn", "a.db", "--epochs", "3", "--folds"];
    let with = |more: &[&str]| nlog(dir.path(), &[&common[..], more].concat());
    let o = with(&["5", "--report", "r.json", "--predictions", "p.csv", "--patience", "2"]);
    let (out, err) = (String::from_utf8_lossy(&o.stdout), String::from_utf8_lossy(&o.stderr));
    assert!(o.status.success(), "{err}");
    for row in ["fold 1 ", "fold 5 ", "mean ", "std ", "together "] {
        assert!(out.lines().any(|l| l.starts_with(row)), "{row}\n{out}");
    }
    let report = std::fs::read_to_string(dir.path().join("r.json")).expect("a report");
    let r: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(r["folds"]["count"], 5);
    let results = r["folds"]["results"].as_array().cloned().unwrap_or_default();
    let errors: Vec<f64> = results.iter().filter_map(|f| f["test"]["error"].as_f64()).collect();
    assert_eq!(errors.len(), 5);
    let mean = r["folds"]["mean"]["error"].as_f64().expect("a mean");
    assert!((errors.iter().sum::<f64>() / 5.0 - mean).abs() < 1e-15);
    assert!(r["folds"]["std"]["error"].is_number());
    assert_eq!(r["test"]["count"], 10);
    let predictions = std::fs::read_to_string(dir.path().join("p.csv")).expect("predictions");
    assert_eq!(predictions.lines().count(), 11, "{predictions}");
    for (more, words) in [
        (&["1"][..], "takes a number from 2 on, not 1"),
        (&["0"], "takes a number from 2 on, not 0"),
        (&["11"], "`--folds 11` needs 11 different samples, there are 10"),
        (&["2", "--test-examples", "test.txt"], "test.txt"),
        (&["2", "--patience", "0"], "`--patience` takes a positive number"),
        (&["2", "--weights"], "--weights"),
        (&["2", "--dump", "graph"], "--dump"),
    ] {
        let o = with(more);
        let err = String::from_utf8_lossy(&o.stderr);
        assert_eq!(o.status.code(), Some(2), "{more:?} {err}");
        assert!(err.contains(words), "{more:?} {err}");
    }
}
