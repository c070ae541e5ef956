//! Facts that are drawn anew for every epoch.

use crate::files::{err, files, nlog, out};
use crate::support::{answers, evaluate_only, network, run, session};
use nlog::graph::lift::Scope;
use nlog::learn::{Batch, Loss, Optimizer};
use nlog::session::{LiftMode, Precision, Session, Settings};
use std::collections::BTreeSet;

const PLAIN: &str = "[rule=identity, atom=identity, aggregation=sum]\n";

/// The mean errors of epochs of a template whose weights stay as they are.
fn errors(template: &str, data: &str, epochs: usize, seed: u64) -> Vec<f64> {
    let mut settings = Settings::default();
    settings.train.epochs = epochs;
    settings.train.loss = Loss::Mse;
    settings.train.optimizer = Optimizer::Sgd;
    settings.train.learning_rate = Some(0.0);
    settings.train.seed = seed;
    let session: Session = session(&format!("{PLAIN}{template}"), data, settings);
    run(&session).2.history.epochs.iter().map(|e| e.online_error).collect()
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

#[test]
fn noise_has_its_distribution_in_training_and_its_mean_in_evaluation() {
    let nodes: String = (0..50).map(|i| format!("node(n{i}). ")).collect();
    let data = format!("{nodes} ?- 0 q(X).");
    let normal = "e/1 [draw=normal(node,2)] q(X) :- [[3,4]] e(X).";
    // 3x + 4y has the variance 25; the loss is half of the square or all of it, as for a constant.
    let one = errors("q(X) :- 1 node(X).", &data, 1, 0)[0];
    let found = mean(&errors(normal, &data, 200, 0)) / one;
    assert!((found - 25.0).abs() < 1.5, "{found}");
    assert!(answers(&format!("{PLAIN}{normal}"), &data).iter().all(|(_, v)| v == &[0.0]));
    let dropout = "m/1 [draw=dropout(node,0.25)] q(X) :- 1 m(X).";
    let found = mean(&errors(dropout, &data, 200, 0)) / one;
    assert!((found - 1.0 / 0.75).abs() < 0.05, "{found}");
    assert!(answers(&format!("{PLAIN}{dropout}"), &data).iter().all(|(_, v)| v == &[1.0]));
}

#[test]
fn every_epoch_draws_anew_from_a_stream_of_its_own() {
    let data = "node(a). node(b). node(c). ?- 0 q(X).";
    let noise = "e/1 [draw=normal(node)] q(X) :- 1 e(X).";
    let first = errors(noise, data, 4, 1);
    assert_eq!(first, errors(noise, data, 4, 1));
    assert_eq!(first.iter().map(|e| e.to_bits()).collect::<BTreeSet<_>>().len(), 4, "{first:?}");
    assert_ne!(first, errors(noise, data, 4, 2));
    // Another draw changes nothing.
    let more = format!("m/1 [draw=dropout(node,0.5)] {noise} r(X) :- m(X).");
    assert_eq!(first, errors(&more, &format!("{data} ?- r(X)."), 4, 1));
}

/// Weights and errors of epochs, for each number of threads; another kind of draw, which nothing reads, has every epoch
/// built anew.
fn trained(template: &str, settings: &Settings, anew: bool, threads: usize) -> Vec<f64> {
    let examples: String = (0..6)
        .map(|k| {
            format!(
                "{} q(b) :- node(a), node(b), node(c), <[{k},1]> x(a), <[2,{k}]> x(b), <[0,{k}]> x(c). ",
                k % 2
            )
        })
        .collect();
    let unread = if anew { "unread/2 [draw=permutation(node)]" } else { "" };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
    let (_, parameters, outcome) =
        pool.install(|| run(&session(&format!("{template} {unread}"), &examples, settings.clone())));
    let errors = outcome.history.epochs.iter().map(|e| e.online_error);
    let answers = outcome.values.into_iter().flatten();
    parameters.values.into_iter().chain(errors).chain(answers).collect()
}

fn bits(x: &[f64]) -> Vec<u64> {
    x.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn a_kept_network_trains_as_networks_made_anew() {
    let normal = "e/1 [draw=normal(node,4)] h(X) :- {3,2} x(X), {3,4} e(X), {3,4} r(X). r(X) :- e(X).
        r/1 [transformation=relu] s :- e(X). {1} q(X) :- {1,3} h(X), {1,4} s.";
    // Of 2^30 masks no two are equal; masked inputs, of which many elements are 0, follow from given values alone.
    let masks = "m/1 [draw=dropout(node,0.4,30)] h(X) :- m(X), y(X). [combination=elproduct]
        y(X) :- {30,2} x(X), {30}. i/1 [draw=dropout(node,0.5,30)] w(X) :- i(X), c. [combination=elproduct]
        <[1,2,3,4,5,6,7,8,9,8,7,6,5,4,3,2,1,2,3,4,5,6,7,8,9,8,7,6,5,4]> c.
        {1} q(X) :- {1,30} h(X), {1,30} w(X).";
    // Numbers are: three of four atoms of an example are one with another, and some of their rules are.
    let merged =
        "m/1 [draw=dropout(node,0.5)] h(X) :- m(X), y(X). [combination=product] y(X) :- {1,2} x(X), {1}.
        s :- m(X). [aggregation=sum] t :- m(X), m(Y). [combination=product] p(X) :- {2} m(X).
        {1} q(X) :- {1} h(X), {1} s, {1} t, {1,2} p(X), {1,2} p(Y).";
    for (template, same) in [(normal, true), (masks, true), (merged, false)] {
        for (batch, lift, precision) in [
            (Batch::Size(1), Scope::Sample, Precision::F64),
            (Batch::Size(3), Scope::Off, Precision::F64),
            (Batch::Size(4), Scope::All, Precision::F64),
            (Batch::All, Scope::All, Precision::F32),
        ] {
            if !same && precision == Precision::F32 {
                continue;
            }
            let mut settings = Settings { lift, precision, ..Settings::default() };
            settings.train.epochs = 12;
            settings.train.batch = batch;
            let kept = trained(template, &settings, false, 1);
            let anew = trained(template, &settings, true, 1);
            for threads in [2, 3] {
                let found = trained(template, &settings, false, threads);
                assert_eq!(bits(&found), bits(&kept), "{template} {batch:?} {lift:?}, {threads} threads");
            }
            if same {
                assert_eq!(bits(&kept), bits(&anew), "{template} {batch:?} {lift:?}");
            }
            for (a, b) in kept.iter().zip(&anew) {
                assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{template} {batch:?} {lift:?}: {a}, {b}");
            }
        }
    }
}

#[test]
fn permutations_and_negatives_are_what_they_say() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let nodes: String = names.iter().map(|n| format!("node({n}). ")).collect();
    let edges = "edge(a,b). edge(b,c). edge(c,d). edge(d,e). edge(e,f). edge(f,a).";
    let atoms = |template: &str, query: &str| -> Vec<(String, String)> {
        let pair = |atom: String| {
            let inside = atom[2..atom.len() - 1].to_string();
            let (x, y) = inside.split_once(',').expect("two arguments");
            (x.to_string(), y.to_string())
        };
        answers(template, &format!("{nodes}{edges} ?- {query}.")).into_iter().map(|(a, _)| pair(a)).collect()
    };
    let found = atoms("p/2 [draw=permutation(node)] q(X,Y) :- p(X,Y).", "q(X,Y)");
    let (from, to): (BTreeSet<_>, BTreeSet<_>) = found.iter().cloned().unzip();
    assert!(found.len() == 6 && from.len() == 6 && to.len() == 6, "{found:?}");
    for (ratio, count) in [("1", 6), ("0.5", 3), ("3", 18), ("100", 24)] {
        let found = atoms(&format!("p/2 [draw=negatives(edge,{ratio})] q(X,Y) :- p(X,Y)."), "q(X,Y)");
        // 36 pairs, 6 of them edges and 6 loops.
        assert_eq!(found.len(), count, "{found:?}");
        for (x, y) in &found {
            assert!(x != y && !edges.contains(&format!("edge({x},{y})")), "{x} {y}");
        }
    }
}

#[test]
fn examples_draw_for_themselves() {
    let template = "p/2 [draw=permutation(node)] q(X,Y) :- p(X,Y). r :- q(X,Y).";
    let session = session(
        template,
        "1 r :- node(a), node(b). 1 r :- node(b), node(c), node(d). 1 r :- node(e).",
        evaluate_only(),
    );
    let counts: Vec<usize> = network(&session).statistics.per_rule.clone();
    assert_eq!(counts, [6, 6]);
}

#[test]
fn training_with_draws_is_the_same_for_any_number_of_threads() {
    let facts: String = (0..30)
        .map(|i| format!("node(n{i}). <0.{}> x(n{i}). edge(n{i},n{}). ", i % 9, (i * 7 + 1) % 30))
        .collect();
    let dir = files(&[
        (
            "t.lrnn",
            "e/1 [draw=normal(node)] n/2 [draw=negatives(edge,1)]
             z(X) :- {1} x(X), {1} e(X).
             {1} yes(X,Y) :- {1} z(X), {1} z(Y), *edge(X,Y).
             {1} no(X,Y) :- {1} z(X), {1} z(Y), *n(X,Y).",
        ),
        ("d.db", &format!("{facts} ?- 1 yes(X,Y). ?- 0 no(X,Y).")),
    ]);
    let run = |threads: &str| {
        let o =
            nlog(dir.path(), &["run", "t.lrnn", "d.db", "--epochs", "4", "--threads", threads, "--weights"]);
        assert!(o.status.success(), "{}", err(&o));
        out(&o)
    };
    assert_eq!(run("1"), run("2"));
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let refuse = |template: &str, data: &str, words: &str| {
        let (found, text) = crate::soundness::told_with(template, data, evaluate_only());
        assert!(found.iter().any(|d| d.is_error()) && text.contains(words), "{template}\n{text}");
    };
    let data = "node(a). e(a). edge(a,b). ?- q(a).";
    refuse("e/1 [draw=normal(node)] q(X) :- e(X).", data, "and stated here");
    refuse("z/1 [draw=normal(node)] q(X) :- z(X). z(X) :- node(X).", data, "and derived here");
    refuse("z/1 [draw=normal(q)] q(X) :- node(X). r(X) :- z(X).", data, "given facts only, not over `q/1`");
    refuse("z/1 [draw=normal(nodes)] q(X) :- z(X).", data, "nothing can be drawn over `nodes/1`");
    refuse("z/1 [draw=normal(y)] y/1 [draw=normal(node)] q(X) :- z(X).", data, "whose facts are drawn, too");
    for (arity, draw) in [
        (1, "normal"),
        (1, "normal(node,0)"),
        (1, "normal(node,1.5)"),
        (1, "normal(node,1,2,3)"),
        (1, "dropout(node)"),
        (1, "dropout(node,1)"),
        (2, "negatives(edge)"),
        (2, "negatives(edge,0)"),
        (2, "permutation(node,1)"),
        (1, "uniform(node)"),
        (1, "3"),
    ] {
        refuse(&format!("z/{arity} [draw={draw}] q(X) :- node(X)."), data, "`draw` takes");
    }
    refuse("z/1 [draw=permutation(node)] q(X) :- node(X).", data, "facts of 2 arguments, not 1");
    let dir = files(&[
        ("t.lrnn", "e/1 [draw=normal(node)] {1} q(X) :- e(X)."),
        ("d.db", "node(a). node(b). node(c). ?- 1 q(X)."),
    ]);
    for options in [&["--folds", "2"][..], &["--lift-mode", "lossy"]] {
        let o = nlog(dir.path(), &[&["run", "t.lrnn", "d.db"], options].concat());
        assert!(!o.status.success() && err(&o).contains("[E0521]"), "{options:?} {}", err(&o));
    }
    assert_eq!(LiftMode::default().name(), "exact");
}

#[test]
fn a_template_alone_may_draw() {
    let template = "neg/2 [draw=negatives(e,1)] h(X,Y) :- neg(X,Y). ?- h(X,Y).";
    let dir = files(&[("t.lrnn", template), ("d.db", "f(a,b). f(b,c).")]);
    let o = nlog(dir.path(), &["check", "t.lrnn"]);
    assert!(o.status.success() && !err(&o).contains("E0521"), "{}", err(&o));
    // A draw that another one replaces is told.
    let dir = files(&[
        ("t.lrnn", "m/1 [draw=dropout(x,0.9)] m/1 [draw=dropout(x,0.5)] h(X) :- m(X). ?- h(a)."),
        ("d.db", "x(a)."),
    ]);
    let o = nlog(dir.path(), &["check", "t.lrnn", "d.db"]);
    assert!(o.status.success() && err(&o).contains("the draw of `m/1` is stated twice"), "{}", err(&o));
    // So is another number of arguments.
    let dir = files(&[("t.lrnn", "m/1 [draw=dropout(x,0.9)] h(X) :- m(X). ?- h(a)."), ("d.db", "x(a,b).")]);
    let o = nlog(dir.path(), &["check", "t.lrnn", "d.db"]);
    assert!(!o.status.success() && err(&o).contains("there are facts of `x/2`"), "{}", err(&o));
    let dir = files(&[("t.lrnn", template), ("d.db", "f(a,b). f(b,c).")]);
    // With data the edges are missing.
    let o = nlog(dir.path(), &["check", "t.lrnn", "d.db"]);
    assert!(!o.status.success() && err(&o).contains("[E0521]"), "{}", err(&o));
}

#[test]
fn what_no_mask_is_drawn_for_stays_as_it_is() {
    let template = "import nn/dropout. @use dropout(f, y, 2, node = node). ?- y(a). ?- y(b).";
    let of = answers(template, "<[1,2]> f(a). <[3,4]> f(b). node(a).");
    let expected = [("y(a)".to_string(), vec![1.0, 2.0]), ("y(b)".to_string(), vec![3.0, 4.0])];
    assert_eq!(of, expected);
}
