//! `output=softmax(N)`: queries answered in groups, against independent formulas and against vectors of classes.

use crate::support::{evaluate_only, network, run, session, shown};
use nlog::data::Split;
use nlog::diag::has_errors;
use nlog::exec::Parameters;
use nlog::exec::run::check_gradient;
use nlog::graph::lift::Scope;
use nlog::learn::{Batch, Loss, Trainer};
use nlog::session::{Session, Settings};

const PLAIN: &str = "[rule=identity, atom=identity, aggregation=sum]\n";

fn softmax(x: &[f64]) -> Vec<f64> {
    let total: f64 = x.iter().map(|v| v.exp()).sum();
    x.iter().map(|v| v.exp() / total).collect()
}

fn near(got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len(), "{got:?}, not {expected:?}");
    for (g, e) in got.iter().zip(expected) {
        assert!((g - e).abs() < 1e-12, "{got:?}, not {expected:?}");
    }
}

fn values(template: &str, data: &str) -> Vec<f64> {
    run(&session(template, data, evaluate_only())).2.values.concat()
}

#[test]
fn all_atoms_of_a_group_count_asked_for_or_not() {
    let template = format!("{PLAIN} l(X,C) :- s(X,C). l/2 [output=softmax(2)]");
    let facts = "<1.5> s(n,a). <-0.5> s(n,b). <0.25> s(n,c). <2> s(m,a). <-1> s(m,b).";
    let n = softmax(&[1.5, -0.5, 0.25]);
    let m = softmax(&[2.0, -1.0]);
    near(&values(&template, &format!("{facts} ?- l(n,b).")), &n[1..2]);
    near(
        &values(&template, &format!("{facts} ?- l(n,b), l(m,a), l(n,a), l(n,b).")),
        &[n[1], m[0], n[0], n[1]],
    );
    near(&values(&template, &format!("{facts} ?- l(n,X). ?- l(m,X).")), &[n, m].concat());
    let across = template.replace("(2)", "(1)");
    near(&values(&across, &format!("{facts} ?- l(n,a).")), &softmax(&[1.5, 2.0])[..1]);
    let both = template.replace("(2)", "(2,1)");
    near(&values(&both, &format!("{facts} ?- l(m,b).")), &softmax(&[1.5, -0.5, 0.25, 2.0, -1.0])[4..]);
}

#[test]
fn parents_see_the_atom_and_a_stated_function_comes_first() {
    let template =
        format!("{PLAIN} l(X,C) :- s(X,C). l/2 [output=softmax(2), transformation=tanh] q(X) :- l(X,C).");
    let facts = "<1.5> s(n,a). <-0.5> s(n,b).";
    let p = softmax(&[1.5f64.tanh(), (-0.5f64).tanh()]);
    near(
        &values(&template, &format!("{facts} ?- l(n,a). ?- q(n).")),
        &[p[0], 1.5f64.tanh() + (-0.5f64).tanh()],
    );
}

/// Error, accuracy, dispersion and majority by their definitions; the classes stand in another order in each group.
#[test]
fn metrics_are_those_of_choices() {
    let template = format!("{PLAIN} l(X,C) :- s(X,C). l/2 [output=softmax(2)]");
    let data = "<2> s(n,a). <1> s(n,b). <0> s(n,c). <0.5> s(m,c). <1> s(m,b). <-1> s(k,b). <3> s(k,a).
        ?- 1.0 l(n,a), 0.0 l(n,b).
        ?- 0.0 l(m,b), 1.0 l(m,c).
        ?- 0.25 l(k,b), 0.75 l(k,a).";
    let session = session(&template, data, evaluate_only());
    let (network, _, outcome) = run(&session);
    let (n, m, k) = (softmax(&[2.0, 1.0, 0.0]), softmax(&[1.0, 0.5]), softmax(&[-1.0, 3.0]));
    let metrics = &outcome.train;
    assert_eq!((network.samples.len(), metrics.count), (3, 3));
    let error = -(n[0].ln() + m[1].ln() + 0.25 * k[0].ln() + 0.75 * k[1].ln()) / 3.0;
    near(&[metrics.error.expect("known")], &[error]);
    near(&[metrics.accuracy.expect("known")], &[2.0 / 3.0]);
    near(&[metrics.majority.expect("known")], &[2.0 / 3.0]);
    near(&[metrics.dispersion.expect("known")], &[((n[0] + k[1]) / 2.0 + m[1]) / 2.0]);
    assert_eq!((metrics.auc_roc, metrics.best_threshold_accuracy), (None, None));
}

/// A tie is decided by the class, which is the same for all groups: not by what is asked for first in each.
#[test]
fn ties_are_decided_alike_in_groups_and_vectors() {
    let facts = "<1> f(n1). <1> f(n2). <1> f(n3).";
    let accuracy = |template: &str, queries: &str| {
        run(&session(template, &format!("{facts} {queries}"), evaluate_only())).2.train.accuracy
    };
    let vector = format!("{PLAIN} l(X) :- <[[0],[0],[-1]]> f(X).");
    let atoms = "l(N,a) :- <0> f(N). l(N,b) :- <0> f(N). l(N,c) :- <-1> f(N). l/2 [output=softmax(2)]";
    let expected = accuracy(&vector, "?- [1,0,0] l(n1), [0,1,0] l(n2), [0.5,0.5,0] l(n3).");
    assert_eq!(expected, Some(2.0 / 3.0));
    for queries in [
        "?- 1 l(n1,a), 1 l(n2,b), 0.5 l(n3,b), 0.5 l(n3,a).",
        "?- 1 l(n1,a), 0 l(n2,c), 1 l(n2,b), 0.5 l(n3,a), 0.5 l(n3,b).",
        "?- l(n1,a). ?- 1 l(n2,b), 0.5 l(n3,b), 0.5 l(n3,a). ?- 1 l(n1,a).",
    ] {
        assert_eq!(accuracy(atoms, queries), expected, "{queries}");
    }
    // The first class is the one that is named first.
    assert_eq!(accuracy(atoms, "?- 1 l(n2,b), 1 l(n1,a), 0.5 l(n3,b), 0.5 l(n3,a)."), expected);
    assert_eq!(accuracy(atoms, "?- 1 l(n2,b), 1 l(n3,b), 1 l(n1,a)."), expected);
}

#[test]
fn only_the_right_class_need_be_stated() {
    let template = format!("{PLAIN} l(X,C) :- s(X,C). l/2 [output=softmax(2)]");
    let facts = "<2> s(n,a). <1> s(n,b). <0> s(n,c).";
    let error = |queries: &str| {
        run(&session(&template, &format!("{facts} {queries}"), evaluate_only())).2.train.error.expect("known")
    };
    let all = error("?- 0.0 l(n,a), 1.0 l(n,b), 0.0 l(n,c).");
    near(&[error("?- 1.0 l(n,b).")], &[all]);
    near(&[error("?- l(n,a). ?- 1.0 l(n,b).")], &[all]);
    near(&[all], &[-softmax(&[2.0, 1.0, 0.0])[1].ln()]);
}

const FACTS: &str =
    "<[1,0.5]> f(n1). <[-0.3,2]> f(n2). <[0.7,-1]> f(n3). <[0.1,0.2]> f(n4). <[-1,-1.5]> f(n5).";

fn settings(batch: Batch, lift: Scope) -> Settings {
    let mut settings = Settings { lift, ..Settings::default() };
    settings.train.batch = batch;
    settings.train.epochs = 5;
    settings.train.learning_rate = Some(0.05);
    settings
}

/// Atoms for classes learn what a vector of classes learns: at every batch size a group is in one batch.
#[test]
fn groups_learn_as_vectors_do() {
    let atoms = format!(
        "{PLAIN} l(X,a) :- [[0.1,0.2]] f(X). l(X,b) :- [[-0.3,0.1]] f(X). l(X,c) :- [[0.4,-0.2]] f(X). \
         l/2 [output=softmax(2)]"
    );
    let vector = format!("{PLAIN} l(X) :- [[0.1,0.2],[-0.3,0.1],[0.4,-0.2]] f(X).");
    let scattered = "?- 1.0 l(n1,a), 0.0 l(n2,a), 0.0 l(n3,a), 0.0 l(n4,a), 0.5 l(n5,a).
        ?- 0.0 l(n1,b), 1.0 l(n2,b), 0.0 l(n3,b), 1.0 l(n4,b), 0.5 l(n5,b).
        ?- 0.0 l(n1,c), 0.0 l(n2,c), 1.0 l(n3,c), 0.0 l(n4,c), 0.0 l(n5,c).";
    let sparse = "?- 1.0 l(n1,a), 1.0 l(n2,b), 1.0 l(n3,c), 1.0 l(n4,b), 0.5 l(n5,a), 0.5 l(n5,b).";
    let classes = "?- [1,0,0] l(n1), [0,1,0] l(n2), [0,0,1] l(n3), [0,1,0] l(n4), [0.5,0.5,0] l(n5).";
    for batch in [Batch::Size(1), Batch::Size(2), Batch::Size(4), Batch::All] {
        for lift in [Scope::Off, Scope::Sample, Scope::All] {
            let learned = |template: &str, queries: &str| {
                let session = session(template, &format!("{FACTS} {queries}"), settings(batch, lift));
                let (network, parameters, outcome) = run(&session);
                assert_eq!(network.samples.len(), 5);
                let errors = outcome.history.epochs.iter().map(|e| e.online_error);
                parameters.values.into_iter().chain(errors).collect::<Vec<f64>>()
            };
            let expected = learned(&vector, classes);
            assert!((expected[0] - 0.1).abs() > 1e-3, "something was learned");
            for queries in [scattered, sparse] {
                let got = learned(&atoms, queries);
                assert_eq!(got.len(), expected.len());
                for (g, e) in got.iter().zip(&expected) {
                    assert!((g - e).abs() < 1e-12, "{batch:?} {lift:?}: {got:?}, not {expected:?}");
                }
            }
        }
    }
}

#[test]
fn gradients_are_exact() {
    let template =
        "{3,2} h(X) :- {2,2} f(X), {2}. {2,3} h2(X) :- h(X). l(X,C) :- {1,2} h2(X), class(C), {1,1} w(C).
         l/2 [output=softmax(2)]
         {1,2} plain(X) :- h2(X).";
    let data = format!(
        "{FACTS} class(a). class(b). class(c). 0.3 w(a). -0.4 w(b). 0.1 w(c).
         ?- 1.0 l(n1,a), 1.0 l(n2,b), 0.0 l(n2,a), 0.3 l(n3,c), 0.7 l(n3,b), 1.0 plain(n1)."
    );
    for loss in [Loss::SoftEntropy, Loss::CrossEntropy] {
        let mut settings = Settings::default();
        settings.train.loss = loss;
        settings.train.seed = 5;
        let session = session(template, &data, settings);
        let network = network(&session);
        assert_eq!(network.samples.len(), 4);
        let parameters: Parameters<f64> = session.initial_parameters();
        let train = session.settings.train.clone();
        let mut trainer = Trainer::new(&network.programs, &network.samples, parameters.clone(), train);
        let (_, gradient) = trainer.error_and_gradient();
        let mut objective = |p: &Parameters<f64>| {
            trainer.parameters = p.clone();
            trainer.error_and_gradient().0
        };
        let (_, deviation) =
            check_gradient(&parameters, &gradient, &mut objective).expect("there are parameters");
        assert!(deviation < 2e-6, "{deviation}");
        assert!(gradient.iter().filter(|g| **g != 0.0).count() > 10);
    }
}

#[test]
fn examples_choose_one_of_all_classes() {
    let template = format!("{PLAIN} kind(C) :- f(X), s(C). kind/1 [output=softmax(1)]");
    let data = "1.0 kind(a) :- <1> f(x), <0.5> s(a), <0.1> s(b).
                1.0 kind(b) :- <2> f(x), <0.5> s(a), <0.7> s(b).";
    let session = session(&template, data, evaluate_only());
    let (network, _, outcome) = run(&session);
    assert_eq!(network.samples.len(), 2);
    near(&outcome.values.concat(), &[softmax(&[1.5, 1.1])[0], softmax(&[2.5, 2.7])[1]]);
    assert_eq!(outcome.train.accuracy, Some(1.0));
}

#[test]
fn a_group_is_held_out_as_a_whole() {
    let template = "l(X,a) :- {1,2} f(X). l(X,b) :- {1,2} f(X). l/2 [output=softmax(2)]";
    let queries = "?- 1.0 l(n1,a), 0.0 l(n1,b), 1.0 l(n2,a), 1.0 l(n3,b), 1.0 l(n4,b), 1.0 l(n5,a).";
    let session = session(template, &format!("{FACTS} {queries}"), settings(Batch::Size(1), Scope::Sample));
    let network = network(&session);
    let cross = session
        .cross_validate(&network, 2, &mut |_, _| std::ops::ControlFlow::Continue(()))
        .unwrap_or_else(|d| panic!("{}", shown(&[d], &session)));
    assert_eq!(cross.pooled.test.count, 5);
    assert!(
        cross.pooled.values.iter().all(|v| v.len() == 1),
        "also the values of classes that are not the first"
    );
    assert!((cross.pooled.values[0][0] + cross.pooled.values[1][0] - 1.0).abs() < 1e-12);
    // Dealt by classes: three of `a`, two of `b`, so that each fold has some of both.
    for fold in &cross.folds {
        let right = |i: &usize| {
            network.samples[*i]
                .classes
                .as_ref()
                .map(|c| c.names[network.samples[*i].target.iter().position(|t| *t == 1.0).expect("a class")])
        };
        let mut classes: Vec<_> = fold.held_out.iter().map(right).collect();
        classes.sort_unstable();
        classes.dedup();
        assert_eq!(classes.len(), 2, "{:?}", fold.held_out);
    }
}

#[test]
fn classes_that_cannot_be_derived_take_no_part() {
    let template = format!("{PLAIN} l(X,C) :- s(X,C). l/2 [output=softmax(2)]");
    let data = "<2> s(n,a). <1> s(n,b). ?- 0.5 l(n,a), 0.5 l(n,c).";
    let mut settings = evaluate_only();
    settings.unprovable = nlog::session::Unprovable::Skip;
    let session = session(&template, data, settings);
    let (network, found) = session.build();
    assert!(!has_errors(&found), "{}", shown(&found, &session));
    assert_eq!(network.expect("built").samples[0].target, [0.5, 0.0]);
    assert_eq!(crate::support::count(&session, Split::Train), 2);
}

#[test]
fn faults_of_groups() {
    let texts = |data: &str, epochs: usize, loss: Loss| {
        let mut settings = Settings::default();
        settings.train.epochs = epochs;
        settings.train.loss = loss;
        let template = "l(X,C) :- {1,2} f(X), {1} c(C). v(X,C) :- {2,2} f(X), c(C). l/2 [output=softmax(2)] v/2 [output=softmax(2)]";
        let data = format!("{FACTS} c(a). {data}");
        let (session, mut found) = Session::from_texts(template, &data, settings);
        if !has_errors(&found) {
            found.extend(session.build().1);
        }
        shown(&found, &session)
    };
    let found = texts("c(b). ?- 0.5 l(n1,a).", 1, Loss::SoftEntropy);
    assert!(found.contains("E0802") && found.contains("must sum to 1, not 0.5"), "{found}");
    let found = texts("c(b). ?- 1.0 l(n1,a), 1.0 l(n1,b).", 0, Loss::SoftEntropy);
    assert!(found.contains("Warning: the targets of a group must sum to 1, not 2"), "{found}");
    let found = texts("?- 1.0 l(n1,a), 1.0 l(n2,a).", 1, Loss::SoftEntropy);
    assert!(found.contains("W0806") && found.contains("(and 1 group more)"), "{found}");
    let found = texts("c(b). ?- [1,0] l(n1,a).", 1, Loss::SoftEntropy);
    assert!(found.contains("E0402"), "{found}");
    let found = texts("c(b). ?- v(n1,a).", 1, Loss::SoftEntropy);
    assert!(found.contains("E0403") && found.contains("output=softmax(2)"), "{found}");
    let found = texts("c(b). ?- 1.0 l(n1,a).", 1, Loss::Mse);
    assert!(found.contains("E0203") && found.contains("not by `mse`"), "{found}");
    for (list, words) in [
        ("output=softmax(3)", "numbered from 1 to 2"),
        ("output=softmax(1,1)", "named twice"),
        ("output=softmax(C)", "not such a number"),
        ("output=softmax", "the number of the argument"),
        ("output=relu", "the number of the argument"),
    ] {
        let (session, found) =
            Session::from_texts(&format!("l(X,C) :- s(X,C). l/2 [{list}]"), "s(a,b).", evaluate_only());
        let text = shown(&found, &session);
        assert!(text.contains("E0203") && text.contains(words), "{list}: {text}");
    }
}
