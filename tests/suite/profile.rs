//! `nlog run --profile`: times add up, work is that of the template, nothing else changes.

use crate::docs::blocks;
use crate::support::{network, session};
use nlog::exec::Parameters;
use nlog::learn::Batch;
use nlog::session::profile::{OperationProfile, Profile};
use nlog::session::{LiftMode, Outcome, Precision, Settings};
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

const TEMPLATE: &str = "
    [rule=identity]
    {4,2} h(X) :- f(Y), *e(Y,X). [aggregation=sum]
    h/1 [transformation=relu]
    g(X) :- {4,4} h(X), {4,4} h(Y), *e(Y,X). [aggregation=max]
    g/1 [transformation=tanh]
    {1,4} q :- g(X).
";

/// Rings of different sizes whose nodes have values of their own.
fn rings(worlds: usize) -> String {
    let ring = |world: usize| {
        let n = 3 + world % 5;
        let node = |i: usize| {
            format!("e(n{i},n{}), <[{},{}]> f(n{i})", (i + 1) % n, i + world, 1.0 / (1 + i) as f64)
        };
        let facts: Vec<String> = (0..n).map(node).collect();
        format!("{} q :- {}.\n", world % 2, facts.join(", "))
    };
    (0..worlds).map(ring).collect()
}

fn settings(epochs: usize, batch: Batch) -> Settings {
    let mut settings = Settings { profile: true, ..Settings::default() };
    (settings.train.epochs, settings.train.batch) = (epochs, batch);
    settings
}

fn run(settings: Settings, threads: usize) -> (Option<Profile>, Outcome, Parameters<f64>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
    pool.install(|| {
        let start = std::time::Instant::now();
        let session = session(TEMPLATE, &rings(24), settings);
        let network = network(&session);
        let mut parameters = session.initial_parameters();
        let outcome = session
            .run(&network, &mut parameters, &mut |_| ControlFlow::Continue(()))
            .expect("training goes through");
        let profile = session.profile(&network, &outcome, start.elapsed().as_secs_f64());
        (profile, outcome, parameters)
    })
}

/// Every way in which samples are computed.
fn ways() -> Vec<Settings> {
    let mut out = Vec::new();
    for batch in [Batch::Size(1), Batch::Size(7), Batch::All] {
        for lift in [nlog::graph::lift::Scope::Sample, nlog::graph::lift::Scope::All] {
            out.push(Settings { lift, ..settings(4, batch) });
        }
    }
    out.push(Settings { precision: Precision::F32, ..settings(4, Batch::Size(1)) });
    let lift_mode = LiftMode::Lossy { epsilon: 0.0, max_error: None };
    out.push(Settings { lift_mode, ..settings(4, Batch::Size(1)) });
    out
}

#[test]
fn times_add_up_to_the_whole() {
    for settings in ways() {
        for threads in [1, 2] {
            let (profile, ..) = run(settings.clone(), threads);
            let p = profile.expect("it was asked for");
            let shares: f64 = p.stages.iter().map(|s| s.share).sum();
            assert!((shares - 1.0).abs() < 1e-9, "{:?}", p.stages);
            let operations: f64 = p.operations.iter().map(|o| o.seconds).sum();
            let outside = p.outside.forward + p.outside.backward + p.outside.evaluation;
            assert!((operations + outside - p.thread_seconds).abs() < 1e-9);
            let parts: f64 = p.operations.iter().map(|o| o.share).sum();
            assert!((parts - 1.0).abs() < 1e-9);
            // What was measured inside of the passes happened inside of the stages.
            let stage = |name: &str| {
                let found = p.stages.iter().find(|s| s.stage == name).expect("a stage");
                found.seconds
            };
            let walls = stage("forward") + stage("backward") + stage("evaluation");
            assert!(p.thread_seconds <= threads as f64 * walls + 1e-3, "{} {walls}", p.thread_seconds);
            assert!(p.operations.windows(2).all(|o| o[0].seconds >= o[1].seconds), "sorted by time");
            assert_eq!(p.threads, threads);
        }
    }
}

#[test]
fn measuring_changes_no_result() {
    for settings in ways() {
        let (profile, outcome, parameters) = run(settings.clone(), 2);
        let (none, plain, plain_parameters) = run(Settings { profile: false, ..settings }, 2);
        assert!(profile.is_some() && none.is_none() && plain.profile.is_none());
        assert_eq!(outcome.values, plain.values);
        assert_eq!(parameters, plain_parameters);
    }
}

/// What does not depend on the time: by operation.
fn counts(p: &Profile) -> Vec<(String, [u64; 9])> {
    let numbers = |o: &OperationProfile| {
        let [f, b, e] = [o.forward, o.backward, o.evaluation];
        [f.rows, f.flops, f.bytes, b.rows, b.flops, b.bytes, e.rows, e.flops, o.rows]
    };
    let name = |o: &OperationProfile| format!("{} {} {}", o.place, o.kind, o.operation);
    let mut out: Vec<_> = p.operations.iter().map(|o| (name(o), numbers(o))).collect();
    out.sort();
    out
}

#[test]
fn work_is_that_of_the_template_for_any_number_of_threads() {
    for settings in ways() {
        let [one, two] = [1, 2].map(|n| run(settings.clone(), n).0.expect("asked for"));
        assert_eq!(counts(&one), counts(&two));
    }
    // Apart, each sample is computed once an epoch: four epochs do four times the work of one.
    let [one, four] = [1, 4].map(|n| run(settings(n, Batch::Size(1)), 1).0.expect("asked for"));
    assert_eq!((one.steps, four.steps), (24, 96));
    for ((name, one), (_, four)) in counts(&one).into_iter().zip(counts(&four)) {
        assert_eq!((4 * one[0], 4 * one[1], 4 * one[2]), (four[0], four[1], four[2]), "{name}");
        assert_eq!((4 * one[3], 4 * one[4], 4 * one[5]), (four[3], four[4], four[5]), "{name}");
        // Before the first epoch, after each, and for the answers.
        assert_eq!(3 * four[6], 6 * one[6], "{name}");
    }
    assert_eq!(four.updated, 96 * (8 + 16 + 16 + 4));
}

#[test]
fn operations_are_named_by_the_rules() {
    let p = run(settings(2, Batch::Size(1)), 1).0.expect("asked for");
    let find = |place: &str, kind: &str| {
        let mut own = p.operations.iter().filter(|o| o.place == place && o.kind == kind);
        own.next().unwrap_or_else(|| panic!("{place} {kind}: {:#?}", p.operations))
    };
    // Each ring has as many values of `h` as nodes: 24 worlds of 3, 4, 5, 6 and 7 in turn.
    let nodes = (0..24).map(|w| 3 + w % 5).sum::<u64>();
    let weight = find("template.lrnn:5:13", "weights");
    assert_eq!((weight.rule.as_str(), weight.weight.as_deref()), ("g/1", Some("$w1 {4,4}")));
    assert_eq!((weight.rows, weight.forward.rows), (nodes, 2 * nodes));
    assert_eq!(weight.forward.flops, 2 * nodes * 2 * 16);
    assert_eq!(weight.backward.flops, 2 * weight.forward.flops);
    let sum = find("template.lrnn:5:5", "combination");
    assert_eq!((sum.rows, sum.rule.as_str()), (nodes, "g/1"));
    // Its only input is one value, so the maximum is that value and tanh a function on it, over the atom.
    let tanh = p.operations.iter().find(|o| o.operation.contains("tanh")).expect("tanh");
    assert_eq!(tanh.forward.functions, 2 * nodes * 4);
    let read_out = find("template.lrnn:7:5", "aggregation");
    assert_eq!((read_out.rule.as_str(), read_out.rows), ("q/0", 24));
}

#[test]
fn folds_are_added_up() {
    let all = session(TEMPLATE, &rings(24), settings(3, Batch::Size(1)));
    let network = network(&all);
    let found = all.cross_validate(&network, 3, &mut |_, _| ControlFlow::Continue(())).expect("folds");
    let parts: Vec<u64> =
        found.folds.iter().map(|f| f.outcome.profile.as_ref().expect("measured").steps).collect();
    assert_eq!(parts.iter().sum::<u64>(), 3 * 2 * 24);
    let profile = all.profile(&network, &found.pooled, 100.0).expect("measured");
    assert_eq!(profile.steps, 3 * 2 * 24);
    let rows = |o: &OperationProfile| o.rows;
    let one = all.profile(&network, &found.folds[0].outcome, 100.0).expect("measured");
    let sorted = |p: &Profile| {
        let mut r: Vec<u64> = p.operations.iter().map(rows).collect();
        r.sort_unstable();
        r
    };
    assert_eq!(sorted(&profile), sorted(&one), "rows of the programs, not of the trainings");
}

fn nlog(dir: &Path, args: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_nlog")).current_dir(dir).args(args).output().expect("nlog runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && err.is_empty(), "{args:?}: {}\n{err}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_report_has_the_profile_if_it_is_asked_for() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("t.lrnn"), TEMPLATE).expect("written");
    std::fs::write(dir.path().join("d.db"), rings(4)).expect("written");
    let report = |more: &[&str]| -> Value {
        let args = [&["run", "t.lrnn", "d.db", "-q", "--report", "r.json"], more].concat();
        let text = nlog(dir.path(), &args);
        assert_eq!(text.contains("GFLOP/s"), more.contains(&"--profile"), "{text}");
        let text = std::fs::read_to_string(dir.path().join("r.json")).expect("a report");
        serde_json::from_str(&text).expect("JSON")
    };
    assert!(report(&["--epochs", "2"]).get("profile").is_none());
    let profile = &report(&["--epochs", "2", "--profile"])["profile"];
    // Every key is documented.
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md");
    let page = std::fs::read_to_string(page).expect("documentation");
    let object = |v: &Value| v.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let operation = &profile["operations"][0];
    let parts = [profile, &profile["stages"][0], operation, &operation["forward"], &profile["clock"]];
    for key in parts.into_iter().flat_map(object) {
        assert!(page.contains(&format!("`{key}`")), "`{key}` is not in docs/performance.md");
    }
    // Without anything to learn there are stages and the one evaluation.
    let only = &report(&["--profile", "--epochs", "0"])["profile"];
    assert_eq!(only["steps"], 0);
    assert_eq!(only["operations"][0]["forward"]["rows"], 0);
    assert!(only["operations"][0]["evaluation"]["rows"].as_u64().is_some_and(|n| n > 0));
}

/// The lines of an output without times and rates, and without an order that depends on these.
fn steady(text: &str) -> Vec<String> {
    let rate = |words: &[&str], i: usize| {
        words.first().is_some_and(|w| w.contains(".lrnn:") || *w == "all") && i + 1 == words.len()
    };
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let timed = |i: usize| {
            words.get(i + 1).is_some_and(|w| ["s", "ms", "µs", "%"].contains(&w.trim_end_matches(';')))
        };
        let units = ["s", "ms", "µs"];
        let kept = words.iter().enumerate().filter_map(|(i, w)| match w.parse::<f64>() {
            Ok(_) if timed(i) || rate(&words, i) => Some("#"),
            _ if units.contains(w) => None,
            _ => Some(w),
        });
        kept.collect::<Vec<_>>().join(" ")
    };
    let mut out: Vec<String> = text.lines().map(line).collect();
    out.sort();
    out
}

#[test]
fn the_documentation_shows_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/performance.md")).expect("documentation");
    let dir = tempfile::tempdir().expect("a folder");
    for (language, file) in [("lrnn", "template.lrnn"), ("db", "facts.db")] {
        let [(_, block)] = &blocks(&text, language)[..] else { panic!("one block of {language}") };
        std::fs::write(dir.path().join(file), block).expect("written");
    }
    let shown = blocks(&text, "console");
    assert_eq!(shown.len(), 3);
    for (at, block) in shown {
        let (command, output) = block.split_once('\n').expect("a command and its output");
        let args: Vec<&str> = command.strip_prefix("$ nlog ").expect("a call").split_whitespace().collect();
        let place = if command.contains("examples/") { root } else { dir.path() };
        let got = nlog(place, &args);
        if command.contains("--profile") {
            assert_eq!(steady(&got), steady(output), "docs/performance.md:{at}\n{got}");
        } else {
            assert_eq!(got, output, "docs/performance.md:{at}");
        }
    }
}
