//! Groups of weights that samples of different predicates train by turns: `[group=g]`, `[trains=g]`, `[freezes=g]`.

use crate::files::{err, files, nlog, out};
use crate::support::{network, run, session};
use nlog::graph::lift::Scope;
use nlog::learn::{Batch, Loss, Optimizer, Reduction};
use nlog::session::{Outcome, Precision, Session, Settings};
use nlog::template::WeightId;
use std::ops::ControlFlow;

const PLAIN: &str = "[rule=identity, atom=identity, aggregation=sum]\n";

/// A critic whose logit of a value is `$slope` times the value, and a value that learns to be taken for the true one.
const GAME: &str = "[rule=identity, atom=identity, aggregation=sum]
    value(fake) :- $place=3 one.
    value(true) :- <1> one.
    logit(V) :- $slope=0.5 value(V).
    slope :- $slope one.
    real :- logit(true).
    fake :- logit(fake).
    fool :- logit(fake).
    steep :- square(slope()).
    $slope [group=critic]
    real/0 [trains=critic]
    fake/0 [trains=critic]
    steep/0 [trains=critic]
    fool/0 [freezes=critic]
    ";

fn sigma(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn sgd(epochs: usize, lr: f64, batch: Batch) -> Settings {
    let mut settings = Settings::default();
    settings.train.epochs = epochs;
    settings.train.optimizer = Optimizer::Sgd;
    settings.train.learning_rate = Some(lr);
    settings.train.shuffle = false;
    settings.train.batch = batch;
    settings
}

/// A weight by its name after training, which must not fail.
fn trained(session: &Session, names: &[&str]) -> Vec<f64> {
    let (_, parameters, _) = run(session);
    names.iter().map(|n| parameters.get(weight(session, n))[0]).collect()
}

fn weight(session: &Session, name: &str) -> WeightId {
    let mut all = session.template.weights.iter_enumerated();
    all.find(|(_, w)| w.name == name).map(|(id, _)| id).unwrap_or_else(|| panic!("no ${name}"))
}

/// Names of the weights that one epoch changes.
fn moved(template: &str, data: &str) -> Vec<String> {
    let session = session(&format!("{PLAIN}{template}"), data, sgd(1, 0.1, Batch::All));
    let before = session.initial_parameters::<f64>();
    let (_, after, _) = run(&session);
    let all = session.template.weights.iter_enumerated().filter(|(_, w)| !w.is_family());
    let mut found: Vec<String> =
        all.filter(|(id, _)| before.get(*id) != after.get(*id)).map(|(_, w)| w.name.clone()).collect();
    found.sort();
    found
}

/// The gradient of minus the error by the logit.
fn pull(target: f64, z: f64) -> f64 {
    target - sigma(z)
}

#[test]
fn each_sample_changes_its_group_and_is_computed_through_the_others() {
    let game = session(GAME, "one. ?- 1 real, 0 fake, 1 fool.", sgd(3, 0.3, Batch::Size(1)));
    let (mut place, mut slope) = (3.0, 0.5);
    for _ in 0..3 {
        slope += 0.3 * pull(1.0, slope);
        slope += 0.3 * pull(0.0, slope * place) * place;
        place += 0.3 * pull(1.0, slope * place) * slope;
    }
    let found = trained(&game, &["place", "slope"]);
    assert!(
        (found[0] - place).abs() < 1e-14 && (found[1] - slope).abs() < 1e-14,
        "{found:?} {place} {slope}"
    );
    // Nothing else is learned of one kind alone.
    for (query, expected) in [("1 real", "slope"), ("0 fake", "slope"), ("1 fool", "place")] {
        assert_eq!(moved(GAME, &format!("one. ?- {query}.")), [expected], "{query}");
    }
}

#[test]
fn what_is_frozen_does_not_decay() {
    let mut settings = sgd(1, 0.3, Batch::Size(1));
    settings.train.weight_decay = 0.01;
    let found = trained(&session(GAME, "one. ?- 1 fool.", settings.clone()), &["place", "slope"]);
    let place = 3.0 + 0.3 * (pull(1.0, 1.5) * 0.5 - 0.01 * 3.0);
    assert!((found[0] - place).abs() < 1e-15 && found[1] == 0.5, "{found:?} {place}");
    // Nor does what is frozen count where gradients are clipped: its own would be the greatest here.
    settings.train.weight_decay = 0.0;
    settings.train.clip_norm = Some(0.2);
    let found = trained(&session(GAME, "one. ?- 1 fool.", settings), &["place"]);
    assert!((found[0] - (3.0 + 0.3 * pull(1.0, 1.5) * 0.5)).abs() < 1e-15, "{found:?}");
}

#[test]
fn a_batch_holds_one_kind_of_samples() {
    let steps = |order: &[&[&str]], reduction: Reduction| {
        let (mut place, mut slope): (f64, f64) = (3.0, 0.5);
        for batch in order {
            let scale = match reduction {
                Reduction::Mean => 0.3 / batch.len() as f64,
                Reduction::Sum => 0.3,
            };
            let (mut by_place, mut by_slope) = (0.0, 0.0);
            for sample in *batch {
                match *sample {
                    "1 real" => by_slope += pull(1.0, slope),
                    "0 fake" => by_slope += pull(0.0, slope * place) * place,
                    _ => by_place += pull(1.0, slope * place) * slope,
                }
            }
            place += scale * by_place;
            slope += scale * by_slope;
        }
        [place, slope]
    };
    let (real, fake, fool) = ("1 real", "0 fake", "1 fool");
    let cases: &[(Batch, &[&str], &[&[&str]])] = &[
        // In the order in which the data has them.
        (Batch::All, &[real, fool, fake], &[&[real, fake], &[fool]]),
        (Batch::All, &[fool, real, fake], &[&[fool], &[real, fake]]),
        // When they are full; what is left last, in the order of the first samples.
        (Batch::Size(2), &[fool, real, fake, real], &[&[real, fake], &[fool], &[real]]),
        (Batch::Size(2), &[real, fool, fool, fake, fool], &[&[fool, fool], &[real, fake], &[fool]]),
        (Batch::Size(3), &[fool, real, fake], &[&[fool], &[real, fake]]),
    ];
    for (batch, asked, order) in cases {
        for reduction in [Reduction::Mean, Reduction::Sum] {
            for lift in [Scope::Off, Scope::Sample, Scope::All] {
                let mut settings = sgd(1, 0.3, *batch);
                (settings.train.reduction, settings.lift) = (reduction, lift);
                let data = format!("one. ?- {}.", asked.join(", "));
                let found = trained(&session(GAME, &data, settings), &["place", "slope"]);
                let expected = steps(order, reduction);
                let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(apart < 1e-14, "{batch:?} {asked:?}: {found:?}, not {expected:?}");
            }
        }
    }
}

/// Adam for one number.
#[derive(Default)]
struct Adam {
    first: f64,
    second: f64,
    steps: i32,
}

impl Adam {
    fn step(&mut self, w: &mut f64, pull: f64) {
        self.steps += 1;
        self.first = 0.9 * self.first - 0.1 * pull;
        self.second = 0.999 * self.second + 0.001 * pull * pull;
        let (m, v) =
            (self.first / (1.0 - 0.9f64.powi(self.steps)), self.second / (1.0 - 0.999f64.powi(self.steps)));
        *w -= 0.05 * m / (v.sqrt() + 1e-8);
    }
}

#[test]
fn moments_and_counted_steps_are_those_of_an_optimiser_for_each_group() {
    let mut settings = sgd(5, 0.05, Batch::Size(1));
    settings.train.optimizer = Optimizer::ADAM;
    let game = session(GAME, "one. ?- 1 real, 0 fake, 1 fool.", settings);
    let (mut place, mut slope) = (3.0, 0.5);
    let (mut of_place, mut of_slope) = (Adam::default(), Adam::default());
    for _ in 0..5 {
        let g = pull(1.0, slope);
        of_slope.step(&mut slope, g);
        let g = pull(0.0, slope * place) * place;
        of_slope.step(&mut slope, g);
        let g = pull(1.0, slope * place) * slope;
        of_place.step(&mut place, g);
    }
    let found = trained(&game, &["place", "slope"]);
    assert!(
        (found[0] - place).abs() < 1e-12 && (found[1] - slope).abs() < 1e-12,
        "{found:?} {place} {slope}"
    );
}

#[test]
fn weights_of_a_rule_of_a_family_and_shared_ones_are_in_groups() {
    let template = "
        z(X) :- $e[X]={2} one, {2,2} f(X), *node(X).  [group=encoder]
        h(X) :- {2,2} z(X), $b={2} one.
        h/1 $o=0.1
        2 d(X) :- {1,2} h(X), $x=0.5 one, {1}. [group=critic]
        $o [group=critic]
        q(X) :- d(X). r(X) :- d(X). s(X) :- d(X). t(X) :- d(X).
        q/1 [trains=critic] r/1 [trains=encoder] s/1 [freezes=critic]
        ";
    let data = "one. node(a). node(b). <[1,2]> f(a). <[3,1]> f(b).";
    let asked = |q: &str| moved(template, &format!("{data} ?- 1 {q}(X)."));
    let critic = ["o", "w2", "w3", "w4", "x"];
    let encoder = ["e[a]", "e[b]", "w0"];
    let others = ["b", "w1"];
    let sorted = |parts: &[&[&'static str]]| -> Vec<&'static str> {
        let mut all = parts.concat();
        all.sort_unstable();
        all
    };
    assert_eq!(asked("q"), sorted(&[&critic]));
    assert_eq!(asked("r"), sorted(&[&encoder]));
    assert_eq!(asked("s"), sorted(&[&encoder, &others]));
    assert_eq!(asked("t"), sorted(&[&critic, &encoder, &others]));
}

const GRAPH: &str = "
    z(X) :- {2,2} f(Y), *edge(Y,X). [aggregation=sum, transformation=tanh]
    s(X) :- {1,2} z(X). [group=critic]
    fake(X) :- $u=0.7 s(X). fool :- s(X). [aggregation=avg]
    $u [group=critic]
    {1,2} code :- z(X).
    fake/1 [trains=critic] fool/0 [freezes=critic]
    ";

/// Examples, each a graph, and what is asked in them by their number.
fn graphs(asked: &dyn Fn(usize) -> String) -> String {
    let graph = |i: usize| {
        let feature =
            |n: char| format!("<[{},{}]> f({n})", (i % 3) as f64 / 2.0, if n == 'a' { 1 } else { -1 });
        let facts = format!("{}, {}, edge(a,b), edge(b,a), edge(a,a)", feature('a'), feature('b'));
        format!("{} :- {facts}.\n", asked(i))
    };
    (0..7).map(graph).collect()
}

#[test]
fn a_full_batch_is_one_training_after_the_other() {
    let template = format!("{PLAIN}{GRAPH}");
    let kinds: [&dyn Fn(usize) -> String; 3] =
        [&|_| "0 fake(a), 1 fake(b)".into(), &|i| format!("{} code", i % 2), &|_| "1 fool".into()];
    let all = graphs(&|i| kinds.map(|k| k(i)).join(", "));
    for lift in [Scope::Off, Scope::Sample, Scope::All] {
        let with = |data: &str| {
            let mut settings = sgd(1, 0.3, Batch::All);
            settings.lift = lift;
            session(&template, data, settings)
        };
        let (_, found, outcome) = run(&with(&all));
        assert_eq!(outcome.history.best_epoch, 1);
        let mut expected = with(&all).initial_parameters();
        for kind in kinds {
            let session = with(&graphs(kind));
            let network = network(&session);
            let outcome = session.run(&network, &mut expected, &mut |_| ControlFlow::Continue(()));
            // A worse model would be put back.
            assert_eq!(outcome.expect("trains").history.best_epoch, 1);
        }
        for (a, b) in found.values.iter().zip(&expected.values) {
            assert!((a - b).abs() < 1e-12, "{lift:?} {:?} {:?}", found.values, expected.values);
        }
    }
}

#[test]
fn training_does_not_depend_on_lifting_or_threads() {
    let template = format!("{PLAIN}{GRAPH}");
    let data = graphs(&|i| format!("0 fake(a), {} code, 1 fool", i % 2));
    for batch in [Batch::Size(1), Batch::Size(4), Batch::All] {
        let with = |lift: Scope| -> Outcome {
            let mut settings = sgd(5, 0.1, batch);
            (settings.lift, settings.train.shuffle) = (lift, true);
            settings.train.optimizer = Optimizer::ADAM;
            run(&session(&template, &data, settings)).2
        };
        let plain = with(Scope::Off);
        for lift in [Scope::Sample, Scope::All] {
            for (a, b) in plain.values.iter().zip(with(lift).values) {
                assert!((a[0] - b[0]).abs() < 1e-9, "{batch:?} {lift:?}");
            }
        }
    }
    let dir = files(&[("t.lrnn", &template), ("d.db", &data)]);
    for batch in ["1", "4", "all"] {
        for precision in ["f64", "f32"] {
            let bits = |threads: &str| {
                let options = ["--batch", batch, "--precision", precision, "--threads", threads, "--weights"];
                let o =
                    nlog(dir.path(), &[&["run", "t.lrnn", "d.db", "--epochs", "4"], &options[..]].concat());
                assert!(o.status.success(), "{}", err(&o));
                out(&o)
            };
            assert_eq!(bits("1"), bits("2"));
        }
    }
}

#[test]
fn groups_of_classes_drawn_facts_and_single_floats_go_along() {
    let classes = "label(N,a) :- {1} f(N). label(N,b) :- {1} f(N). [group=one]
        label/2 [output=softmax(2), trains=one]";
    assert_eq!(moved(classes, "<2> f(n). ?- 1 label(n,b)."), ["w1"]);
    let drawn = "e/1 [draw=normal(node)] q(X) :- {1} e(X), {1} f(X). [group=one]
        p(X) :- {1} q(X). p/1 [trains=one]";
    let data = "node(n). <2> f(n). ?- 1 p(X).";
    assert_eq!(moved(drawn, data), ["w0", "w1"]);
    let mut settings = sgd(1, 0.3, Batch::Size(1));
    settings.precision = Precision::F32;
    let found = trained(&session(GAME, "one. ?- 1 fool.", settings), &["place", "slope"]);
    assert!((found[0] - (3.0 + 0.3 * pull(1.0, 1.5) * 0.5)).abs() < 1e-6 && found[1] == 0.5, "{found:?}");
}

/// Which of two models is better an error cannot tell where one sample gains what another loses.
#[test]
fn the_last_model_is_kept_unless_validation_samples_choose() {
    let best = |template: &str, data: &str| {
        let mut settings = sgd(6, 0.3, Batch::Size(1));
        settings.train.loss = Loss::AbsDiff;
        run(&session(template, data, settings)).2.history.best_epoch
    };
    // The error of both grows with every step.
    let template = "[rule=identity, atom=identity] a :- $x=0 one. b :- <-1> a. $x [group=g] a/0 [trains=g]";
    let data = "one. ?- 5 a. ?- 0 b.";
    assert_eq!(best(&template.replace(" a/0 [trains=g]", ""), data), 0);
    assert_eq!(best(template, data), 6);
    let dir =
        files(&[("t.lrnn", GAME), ("d.db", "one. ?- 1 real. ?- 0 fake. ?- 1 fool."), ("v.txt", "1 real.")]);
    let chosen = ["run", "t.lrnn", "d.db", "--patience", "3", "--val-queries", "v.txt"];
    let o = nlog(dir.path(), &chosen);
    assert!(o.status.success() && out(&o).contains("ended by `--patience`"), "{} {}", out(&o), err(&o));
    let o = nlog(dir.path(), &chosen[..5]);
    assert!(
        o.status.code() == Some(2) && err(&o).contains("training samples train different weights"),
        "{}",
        err(&o)
    );
}

#[test]
fn a_game_ends_where_the_fake_is_the_true_one() {
    let data = "one. ?- 1 real, 0 fake, 0 steep, 1 fool.";
    for (batch, optimizer, rate) in [
        (Batch::Size(1), Optimizer::Sgd, 0.1),
        (Batch::All, Optimizer::Sgd, 0.1),
        (Batch::All, Optimizer::ADAM, 0.01),
    ] {
        let mut settings = sgd(3000, rate, batch);
        (settings.train.optimizer, settings.train.shuffle) = (optimizer, true);
        let found = trained(&session(GAME, data, settings.clone()), &["place", "slope"]);
        // Steps on single samples go to and fro around it.
        let near = if batch == Batch::All { 1e-6 } else { 0.05 };
        assert!((found[0] - 1.0).abs() < near && found[1].abs() < near, "{batch:?} {optimizer} {found:?}");
        // All weights for all samples: the critic gives in as well, and the fake stays where it is taken for anything.
        let together: String = GAME.lines().filter(|l| !l.contains("/0 [")).collect::<Vec<_>>().join("\n");
        let found = trained(&session(&together, data, settings), &["place", "slope"]);
        assert!((found[0] - 1.0).abs() > 0.1, "{batch:?} {optimizer} {found:?}");
    }
}

#[test]
fn folds_profiles_and_dumps_go_along() {
    let data = graphs(&|i| format!("0 fake(a), {} code, 1 fool", i % 2));
    let dir = files(&[("t.lrnn", GRAPH), ("d.db", &data)]);
    for options in [&["--folds", "3"][..], &["--profile", "--batch", "all"], &["--lift-mode", "value"]] {
        let o = nlog(dir.path(), &[&["run", "t.lrnn", "d.db", "--epochs", "3"], options].concat());
        assert!(o.status.success(), "{options:?} {}", err(&o));
    }
    let o = nlog(dir.path(), &["run", "t.lrnn", "d.db", "--dump", "template"]);
    for line in [
        "$u {1} learned, = 0.7, group critic",
        "fake/1 {1} transformation tanh, combination sum trains critic",
    ] {
        assert!(out(&o).contains(line), "{}", out(&o));
    }
    let text =
        "$u  [group = critic ]\nfake/1 [trains=critic,transformation=tanh]\nq :- {1} f. [ group=critic]\n";
    let dir = files(&[("f.lrnn", text)]);
    assert!(nlog(dir.path(), &["fmt", "f.lrnn"]).status.success());
    let formatted = std::fs::read_to_string(dir.path().join("f.lrnn")).expect("is there");
    assert_eq!(
        formatted,
        "$u [group=critic]\nfake/1 [trains=critic, transformation=tanh]\nq :- {1} f.  [group=critic]\n"
    );
}

#[test]
fn faults_are_told_at_their_place() {
    let check = |template: &str| {
        let dir = files(&[("t.lrnn", template), ("d.db", "<1> f(a). ?- 1 q(a), 1 r(a).")]);
        err(&nlog(dir.path(), &["check", "t.lrnn", "d.db"]))
    };
    let told = |template: &str, code: &str, words: &str| {
        let text = check(template);
        assert!(text.contains(&format!("[{code}]")) && text.contains(words), "{template}\n{text}");
    };
    let rule = "q(X) :- $w={1} f(X). $w [group=critic]";
    told(&format!("{rule} q/1 [trains=crtic]"), "E0230", "did you mean `critic`?");
    told(&format!("{rule} q/1 [freezes=other]"), "E0230", "`[group=other]` behind a rule");
    told("q(X) :- {1} f(X). q/1 [trains=critic]", "E0230", "no weight is in the group `critic`");
    told("q(X) :- <2> f(X), $w=<1> f(X). q/1 [trains=g] $w [group=g]", "E0230", "is learned");
    told(&format!("{rule} q/1 [trains=critic, freezes=critic]"), "E0230", "said twice");
    told("q(X) :- $w={1} f(X). [group=a] $w [group=b] q/1 [trains=a]", "E0230", "`w` is in two groups");
    told(&format!("{rule} q/1 [trains=3]"), "E0203", "`trains` takes the name of a group");
    told("q(X) :- {1} f(X). [group=critic(2)]", "E0203", "`group` takes the name of a group");
    told("q(X) :- {1} f(X). [grup=critic]", "E0202", "did you mean `group`?");
    told(rule, "W0231", "no predicate trains or freezes the group `critic`");
    told("q(X) :- f(X). [group=critic]", "W0231", "no weights to be put into a group");
    let beside = format!("{rule} r(X) :- q(X). p(X) :- {{1}} f(X). r/1 [trains=critic]");
    told(
        &format!("{beside} p/1 [trains=critic]"),
        "W0231",
        "`p/1` depends on no weight of the group `critic`",
    );
    assert!(!check(&beside).contains("W0231"), "{}", check(&beside));
}
