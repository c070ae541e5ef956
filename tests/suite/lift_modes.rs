//! Lifting by value and lossy lifting: what they merge, what they promise, and that they keep the promise.

use crate::lifting::{gradient, near, random_programs, scoped};
use crate::support::{network, run, session};
use nlog::exec::Parameters;
use nlog::graph::lift::Scope;
use nlog::session::modes::{LossyReport, ValueCounts};
use nlog::session::{LiftMode, LiftReport, Session};
use std::ops::ControlFlow;

const TWELVE: LiftMode = LiftMode::Value { inits: 8, digits: 12, check: false };

fn value(template: &str, data: &str, scope: Scope, mode: LiftMode) -> (Session, ValueCounts) {
    let session = scoped(template, data, scope, |s| s.lift_mode = mode);
    let counts = network(&session).statistics.by_value.expect("counted");
    (session, counts)
}

fn lossy(epsilon: f64) -> LiftMode {
    LiftMode::Lossy { epsilon, max_error: None }
}

/// Answers and report without training.
fn lossy_run(template: &str, data: &str, scope: Scope, mode: LiftMode) -> (Vec<f64>, LossyReport) {
    let session = scoped(template, data, scope, |s| s.lift_mode = mode);
    let (_, _, outcome) = run(&session);
    (outcome.values.concat(), outcome.lossy.expect("reported"))
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn classes_by_value_hold_those_by_structure() {
    let (mut merged, mut more) = (0, 0);
    for (template, data) in random_programs(80) {
        for scope in [Scope::Sample, Scope::All] {
            let exact = network(&scoped(&template, &data, scope, |_| ())).statistics;
            let what = format!("{scope:?}\n{template}{data}");
            let (_, counts) = value(&template, &data, scope, TWELVE);
            assert_eq!(counts.neurons, exact.graph_neurons, "{what}");
            assert!(counts.clashes <= counts.neurons - counts.classes, "{what}");
            assert!(counts.left <= counts.classes, "{what}");
            more += counts.clashes;
        }
        // Neurons that are equal in structure have equal values: of the unlifted graph no more classes are left than
        // exact lifting leaves.
        let exact = network(&scoped(&template, &data, Scope::Sample, |_| ())).statistics.graph_neurons;
        let ten = LiftMode::Value { inits: 3, digits: 9, check: false };
        let (_, unlifted) = value(&template, &data, Scope::Off, ten);
        assert!(unlifted.left <= exact, "{} > {exact}\n{template}{data}", unlifted.left);
        merged += unlifted.neurons - unlifted.left;
    }
    assert!(merged > 3000, "{merged} neurons merged");
    assert!(more > 100, "{more} neurons merged that structure keeps apart");
}

#[test]
fn what_value_merges_has_the_same_outputs_and_gradients_at_other_weights() {
    // So many draws that what is flat somewhere (relu, max) shows that it is not flat everywhere.
    let mode = LiftMode::Value { inits: 40, digits: 12, check: false };
    let mut merged = 0;
    for (template, data) in random_programs(100) {
        let (template, data) = (&template, &data);
        for scope in [Scope::Sample, Scope::All] {
            let (outputs, gradients) = gradient(&scoped(template, data, scope, |_| ()));
            let (session, counts) = value(template, data, scope, mode);
            merged += counts.clashes;
            let (o, g) = gradient(&session);
            near(&format!("outputs {scope:?}\n{template}{data}"), &outputs, &o, 1e-9);
            near(&format!("gradients {scope:?}\n{template}{data}"), &gradients, &g, 1e-8);
        }
    }
    assert!(merged > 30, "{merged} neurons merged");
}

#[test]
fn value_merges_what_structure_keeps_apart() {
    let left = |template: &str, data: &str| {
        let (session, counts) = value(template, data, Scope::Sample, TWELVE);
        let exact = scoped(template, data, Scope::Sample, |_| ());
        near(template, &run(&exact).2.values.concat(), &run(&session).2.values.concat(), 1e-12);
        (counts.neurons, counts.left)
    };
    // The same two addends in another order: exact lifting does not exchange different weights.
    let data = "<[1,2]> f(a). <[3,1]> g(a). ?- h(a), k(a).";
    let template = |second: &str| format!("h(X) :- $w={{2,2}} f(X), $v={{2,2}} g(X).\nk(X) :- {second}.");
    let (exact, by_value) = left(&template("$v={2,2} g(X), $w={2,2} f(X)"), data);
    assert_eq!((exact, by_value), (6, 3), "one ground rule is left, which is the output too");
    assert_eq!(left(&template("{2,2} g(X), $w={2,2} f(X)"), data), (6, 4), "another weight");
    // tanh(0) is 0, and the tanh of that too.
    let (exact, by_value) = left(
        "[rule=tanh, atom=identity]\nh(X) :- <0> f(X).\nk(X) :- h(X).",
        "<0> z(b). <1> f(a). ?- k(a), h(a), z(b).",
    );
    assert_eq!((exact, by_value), (6, 2), "the first zero is left, and what it is computed from");
    // Adding and taking away.
    let (exact, by_value) = left(
        "[rule=identity, atom=identity]\nh(X) :- {1} f(X), g(X), g(X). [combination=difference]\n\
         k(X) :- {1} f(X), <2> g(X). [combination=difference]\np :- $u={1} f(X).\nr :- $u={1} f(X), g(X), <-1> g(X).",
        "<0.5> f(a). <4> g(a). ?- p, r.",
    );
    assert!(by_value < exact, "{by_value} of {exact}");
}

#[test]
fn written_weights_do_not_make_neurons_equal() {
    // Both begin with 1; training moves them apart.
    let template = "h(X) :- 1.0 f(X).\nk(X) :- 1.0 f(X).";
    let data = "<0.5> f(a). ?- h(a), k(a).";
    assert_eq!(value(template, data, Scope::Sample, TWELVE).1.clashes, 0);
    let fixed = template.replace("1.0", "<1.5>");
    assert_eq!(value(&fixed, data, Scope::Sample, TWELVE).1.clashes, 0, "exact lifting merges those already");
}

#[test]
fn the_check_keeps_the_exact_graph_and_counts_clashes() {
    let mut clashes = [0, 0];
    for (template, data) in random_programs(20) {
        let exact = scoped(&template, &data, Scope::Sample, |_| ());
        let expected = gradient(&exact);
        let neurons = network(&exact).statistics.graph_neurons;
        for (i, digits) in [1, 12].into_iter().enumerate() {
            let mode = LiftMode::Value { inits: 1, digits, check: true };
            let (session, counts) = value(&template, &data, Scope::Sample, mode);
            assert_eq!((counts.neurons, counts.left), (neurons, neurons));
            assert_eq!(gradient(&session), expected);
            clashes[i] += counts.clashes;
            let unchecked = LiftMode::Value { inits: 1, digits, check: false };
            assert_eq!(value(&template, &data, Scope::Sample, unchecked).1.clashes, counts.clashes);
        }
    }
    assert!(clashes[0] > clashes[1] && clashes[1] > 0, "fewer digits, more clashes: {clashes:?}");
}

#[test]
fn worlds_are_merged_by_value_only_across_worlds() {
    // Four worlds alike but for the order of the addends, far more than one shard has.
    let world = |i: usize| {
        let (a, b) = if i.is_multiple_of(2) { ("p", "r") } else { ("r", "p") };
        format!("1 q :- <0.5> {a}(x), <0.25> {b}(x), on{}.\n", i % 2)
    };
    let data: String = (0..12).map(world).collect();
    let template = "[aggregation=sum]\nq :- {1} h(X).\nh(X) :- $w={1} p(X), $v={1} r(X), *on0.\n\
                    h(X) :- $v={1} p(X), $w={1} r(X), *on1.\non0 :- on0.\non1 :- on1.";
    let (_, sample) = value(template, &data, Scope::Sample, TWELVE);
    let (_, all) = value(template, &data, Scope::All, TWELVE);
    assert_eq!(sample.clashes, 0, "alike only across worlds");
    assert!(all.clashes > 0 && 12 * all.left <= sample.left + 12, "{sample:?} {all:?}");
}

#[test]
fn no_answer_differs_by_more_than_the_bound() {
    let (mut merged, mut differ, mut bounded, mut all) = (0, 0, 0, 0);
    let mut ratios = Vec::new();
    for (i, (template, data)) in random_programs(120).into_iter().enumerate() {
        let exact = run(&scoped(&template, &data, Scope::Sample, |_| ())).2.values.concat();
        for (scope, epsilon) in [(Scope::Sample, [1e-6, 0.01][i % 2]), (Scope::All, [0.1, 1e-3][i % 2])] {
            let (values, report) = lossy_run(&template, &data, scope, lossy(epsilon));
            let deviation = difference(&exact, &values);
            let bound = report.bound.unwrap_or(f64::INFINITY);
            let what = format!("{scope:?}, within {epsilon}\n{report:?}\n{template}{data}");
            // Neither the intervals nor the values are rounded outward.
            assert!(deviation <= bound * (1.0 + 1e-9) + 1e-11, "{deviation} > {bound}, {what}");
            assert!((report.deviation - deviation).abs() <= 1e-11, "{deviation}, {what}");
            all += 1;
            merged += report.neurons - report.left;
            bounded += usize::from(bound.is_finite());
            if deviation > 1e-9 {
                differ += 1;
                ratios.push(bound / deviation);
            }
        }
    }
    assert!(
        merged > 2000 && differ > 60 && bounded == all,
        "{merged} merged, {differ} differ, {bounded} of {all}"
    );
    // Sound is easy with a bound that says nothing: half of them are within a small factor.
    ratios.sort_by(f64::total_cmp);
    assert!(ratios[ratios.len() / 2] < 30.0, "median {}", ratios[ratios.len() / 2]);
}

#[test]
fn the_bound_is_tight_where_it_can_be() {
    // A sum of three values of which the second is taken for the first: 2 · 0.01.
    let template = "[rule=identity, atom=identity, aggregation=sum]\nq :- <2> f(X).";
    let data = "<1> f(a). <1.01> f(b). <3> f(c). ?- q.";
    let (values, report) = lossy_run(template, data, Scope::Sample, lossy(0.02));
    near("values", &values, &[2.0 * (1.0 + 1.0 + 3.0)], 1e-12);
    near("deviation", &[report.deviation], &[0.02], 1e-12);
    // The interval of f is [1, 1.01] for both.
    let bound = report.bound.expect("there is one");
    assert!((0.02 - 1e-12..=0.04 + 1e-12).contains(&bound), "{bound}");
    assert_eq!(report.answer.as_deref(), Some("q"));
    let (_, nothing) = lossy_run(template, data, Scope::Sample, lossy(0.005));
    assert_eq!(
        (nothing.bound, nothing.deviation, nothing.left),
        (Some(0.0), 0.0, 7),
        "only the output's copy"
    );
    // A steep part of a function counts for more than a flat one.
    let bound = |x: f64| {
        let data = format!("<{x}> f(a). <{}> f(b). ?- q.", x + 0.01);
        lossy_run("[rule=tanh, atom=identity]\nq :- f(X).", &data, Scope::Sample, lossy(0.02)).1.bound
    };
    assert!(bound(0.0).expect("finite") > 50.0 * bound(3.0).expect("finite"));
}

#[test]
fn there_is_no_bound_across_a_pole() {
    let template = "[atom=identity]\nq :- f(X). [activation=inverse]";
    let data = "<0.01> f(a). <-0.02> f(b). ?- q.";
    let (_, report) = lossy_run(template, data, Scope::Sample, lossy(0.05));
    assert_eq!((report.bound, report.answer.as_deref()), (None, Some("q")));
    assert!(report.deviation > 1.0);
    let text = serde_json::to_string(&LiftReport {
        mode: "lossy",
        neurons: report.left,
        value: None,
        lossy: Some(report),
    })
    .expect("JSON");
    assert!(text.contains("\"bound\":null"), "{text}");
    let (_, apart) = lossy_run(template, data, Scope::Sample, lossy(0.005));
    assert_eq!(apart.bound, Some(0.0));
}

const TRAINED: &str = "{3,2} h(X) :- {2,2} f(X).\n{3,3} k(X) :- h(Y), *e(X,Y).\n{1,3} q :- k(X).\nq/0 {1}";

/// Two kinds of graphs whose features are nearly equal, then not.
fn near_data() -> String {
    let world = |i: usize| {
        let n = 3 + i % 4;
        let node = |j: usize| {
            let x = (i * 7 + j) as f64 * 0.01;
            format!("<[{},{}]> f(n{j}), e(n{j},n{})", 1.0 + x, 0.5 - x * x, (j + 1) % n)
        };
        format!("{}.0 q :- {}.\n", i % 2, (0..n).map(node).collect::<Vec<_>>().join(", "))
    };
    (0..10).map(world).collect()
}

#[test]
fn classes_are_split_again_when_training_moves_them_apart() {
    let mode = lossy(0.02);
    let change = |s: &mut nlog::session::Settings| {
        s.lift_mode = mode;
        s.train.epochs = 30;
        s.train.learning_rate = Some(0.05);
    };
    let session = scoped(TRAINED, &near_data(), Scope::Sample, change);
    let (network, parameters, outcome) = run(&session);
    let report = outcome.lossy.clone().expect("reported");
    assert!(report.left < report.neurons, "{report:?}");
    assert!(report.checks == 31 && report.resplits > 1, "{report:?}");
    assert!(outcome.history.best_epoch > 0, "it learns");
    // The promise is about the weights of the kept model.
    let exact = scoped(TRAINED, &near_data(), Scope::Sample, |_| ());
    let full = evaluate(&exact, &parameters);
    let deviation = difference(&full, &outcome.values.concat());
    assert!(deviation > 0.0 && deviation <= report.bound.expect("finite") + 1e-12, "{deviation} {report:?}");
    near("deviation", &[deviation], &[report.deviation], 1e-9);
    drop(network);
    // With a step too small to move anything far, the first classes last.
    let still = scoped(TRAINED, &near_data(), Scope::Sample, |s| {
        change(s);
        s.train.learning_rate = Some(1e-9);
    });
    assert_eq!(run(&still).2.lossy.expect("reported").resplits, 0);
}

/// All answers at given weights.
fn evaluate(session: &Session, parameters: &Parameters<f64>) -> Vec<f64> {
    let mut parameters = parameters.clone();
    let outcome = session.run(&network(session), &mut parameters, &mut |_| ControlFlow::Continue(()));
    outcome.expect("evaluation goes through").values.concat()
}

#[test]
fn a_bound_that_is_too_large_is_refused() {
    let refused = |max_error: f64, epochs: usize, epsilon: f64| {
        let session = scoped(TRAINED, &near_data(), Scope::Sample, |s| {
            s.lift_mode = LiftMode::Lossy { epsilon, max_error: Some(max_error) };
            s.train.epochs = epochs;
            s.train.learning_rate = Some(0.05);
        });
        let mut parameters = session.initial_parameters();
        let result = session.run(&network(&session), &mut parameters, &mut |_| ControlFlow::Continue(()));
        result.err().map(|d| crate::support::shown(&[d], &session))
    };
    let text = refused(1e-4, 0, 0.02).expect("refused");
    assert!(
        text.contains("E0706") && text.contains("facts.db") && text.contains("before training"),
        "{text}"
    );
    assert_eq!(refused(10.0, 5, 0.02), None);
    let text = refused(0.01, 300, 0.01).expect("weights grow until the bound does not hold");
    assert!(text.contains("E0706") && text.contains("in training"), "{text}");
}

#[test]
fn the_classes_keep_to_the_bound_in_training() {
    // As in the refused case, but classes may be made anew before it is: every model kept is within the bound.
    let session = scoped(TRAINED, &near_data(), Scope::Sample, |s| {
        s.lift_mode = LiftMode::Lossy { epsilon: 1e-3, max_error: Some(0.02) };
        s.train.epochs = 20;
        s.train.learning_rate = Some(0.01);
    });
    let (_, _, outcome) = run(&session);
    assert!(outcome.lossy.expect("reported").bound.expect("finite") <= 0.02);
}

#[test]
fn a_learnable_value_is_not_taken_for_a_constant() {
    // `p` begins at the value of `c` and of the learnable `r`; all would be one class.
    let template = "[rule=identity, atom=identity]\nq :- p.\nr1 :- r.\nc1 :- <0.5> c.\np1 :- {1} p, p.\n0.5 p.\n0.5 r.\n<1> c.\nq/0 [activation=identity]";
    let data = "2.0 q. 0.0 r1. 0.5 c1.";
    let trained = |mode: LiftMode| {
        let session = scoped(
            template,
            &data.replace(". ", " :- on.\n").replace("c1.", "c1 :- on.\n"),
            Scope::All,
            |s| {
                s.lift_mode = mode;
                s.train.loss = nlog::learn::Loss::Mse;
                s.train.epochs = 300;
                s.train.learning_rate = Some(0.05);
            },
        );
        run(&session).2.values.concat()
    };
    let expected = [2.0, 0.0, 0.5];
    near("exact", &trained(LiftMode::Exact), &expected, 1e-3);
    near("lossy", &trained(lossy(0.01)), &expected, 1e-2);
}

#[test]
fn the_session_tells_what_a_mode_would_do() {
    let session = session(TRAINED, &near_data(), crate::support::evaluate_only());
    let parameters = session.initial_parameters();
    let tell = |mode| session.lift_statistics(mode, &parameters).expect("no fault");
    let exact = tell(LiftMode::Exact);
    assert_eq!(exact.neurons, network(&session).statistics.graph_neurons);
    assert!(exact.value.is_none() && exact.lossy.is_none());
    let by_value = tell(LiftMode::Value { inits: 1, digits: 1, check: false });
    assert_eq!(by_value.value.map(|v| v.left), Some(by_value.neurons));
    assert!(by_value.neurons < exact.neurons);
    let near = tell(lossy(0.1));
    assert!(near.neurons < exact.neurons && near.lossy.expect("told").bound.is_some());
    assert!(
        session
            .lift_statistics(LiftMode::Lossy { epsilon: 0.1, max_error: Some(1e-9) }, &parameters)
            .is_err()
    );
}

#[test]
fn the_command_line_takes_the_modes() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("t.lrnn"), TRAINED).expect("files can be written");
    std::fs::write(dir.path().join("d.db"), near_data()).expect("files can be written");
    let nlog = |options: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nlog"));
        command.current_dir(dir.path()).args(["run", "t.lrnn", "d.db", "--report", "r.json"]);
        let o = command.args(options.split_whitespace()).output().expect("nlog runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (o.status.code(), text(o.stdout), text(o.stderr))
    };
    let report = || -> serde_json::Value {
        let text = std::fs::read_to_string(dir.path().join("r.json")).expect("written");
        serde_json::from_str(&text).expect("JSON")
    };
    let (status, text, _) = nlog("--epochs 2 --lift-mode value --lift-digits 2 --lift-inits 1");
    assert!(status == Some(0) && text.contains("lifted by value (2 digits, 1 draw): "), "{text}");
    let found = report();
    assert_eq!(found["lifting"]["mode"], "value");
    assert_eq!(found["lifting"]["neurons"], found["graph"]["neurons"]);
    assert!(found["lifting"]["value"]["clashes"].as_u64() > Some(0), "{found}");
    assert_eq!(found["settings"]["lift_digits"], 2);
    let (status, text, _) = nlog("--epochs 2 --lift-mode lossy --lift-epsilon 0.02");
    assert!(status == Some(0) && text.contains("no answer differs by more than "), "{text}");
    assert!(text.contains("classes checked 3 times, split again "), "{text}");
    let lossy = &report()["lifting"]["lossy"];
    assert!(lossy["bound"].as_f64() >= lossy["deviation"].as_f64() && lossy["resplits"].is_u64(), "{lossy}");
    let (status, text, _) = nlog("--epochs 1 --folds 2 --lift-mode lossy --lift-epsilon 0.02");
    assert!(status == Some(0) && text.contains("classes checked 4 times"), "{text}");
    let (status, text, _) = nlog("--epochs 1");
    assert!(status == Some(0) && !text.contains("lift") && report()["lifting"]["mode"] == "exact", "{text}");
    for (options, words) in [
        ("--lift-mode lossy --lift-digits 3", "`--lift-digits` belongs to `--lift-mode value`"),
        ("--max-error 0.1", "`--max-error` belongs to `--lift-mode lossy`"),
        ("--lift-mode value --lift-digits 16", "from 1 to 15"),
        ("--lift-mode value --lift-inits 0", "positive number"),
        ("--lift-mode lossy --lift-epsilon -1", "positive number"),
        ("--lift-mode value --lift off", "`--lift off` makes no neurons one"),
        ("--lift-mode valu", "did you mean `value`"),
        ("--lift-mode value --semiring bool", "nothing to lift"),
    ] {
        let (status, _, errors) = nlog(options);
        assert!(
            status == Some(2) && errors.contains("E1001") && errors.contains(words),
            "{options}\n{errors}"
        );
    }
    let (status, _, errors) = nlog("--lift-mode lossy --lift-epsilon 0.5 --max-error 0.0001");
    assert!(status == Some(1) && errors.contains("E0706"), "{errors}");
}
