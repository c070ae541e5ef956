//! `nlog lift`: the counts, in text and JSON.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).expect("written");
    }
    dir
}

fn nlog(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nlog")).current_dir(dir).args(args).output().expect("nlog runs")
}

/// Standard output of a command that must succeed without a word on standard error.
fn clean(dir: &Path, args: &[&str]) -> String {
    let o = nlog(dir, args);
    let err = String::from_utf8_lossy(&o.stderr);
    assert!(o.status.success() && err.is_empty(), "{args:?}: {}\n{err}", o.status);
    String::from_utf8(o.stdout).expect("UTF-8")
}

fn json(dir: &Path, args: &[&str]) -> Value {
    let args: Vec<&str> = [&["lift"], args, &["--json"]].concat();
    serde_json::from_str(&clean(dir, &args)).expect("JSON")
}

/// A line of a table, by its first word.
fn line<'t>(text: &'t str, first: &str) -> Vec<&'t str> {
    let words = |l: &'t str| l.split_whitespace().collect::<Vec<_>>();
    text.lines().map(words).find(|w| w.first() == Some(&first)).unwrap_or_else(|| panic!("{first}:\n{text}"))
}

/// Two examples alike, and a third with the same neighbours twice.
const TEMPLATE: &str = "{2,1} h(X) :- f(Y), *e(X,Y).\n{1,2} q :- h(X).\n";
const DATA: &str = "1 q :- f(a), e(b,a).\n0 q :- f(c), e(d,c).\n1 q :- f(a), f(b), e(x,a), e(x,b).\n";

#[test]
fn neurons_are_counted_by_predicate_and_scope() {
    let dir = folder(&[("t.lrnn", TEMPLATE), ("d.db", DATA)]);
    let r = json(dir.path(), &["t.lrnn", "d.db"]);
    // By hand. f: a fact each. h: 1 + 1 + 2 ground rules, an average and an atom each; the averages of one are
    // identities, and the average of two equal ones is one of them. q: rule, average, output.
    let predicate = |name: &str| {
        let found = r["predicates"].as_array().expect("a list").iter().find(|p| p["predicate"] == name);
        let p = found.unwrap_or_else(|| panic!("{name}: {r}"));
        let n = |v: &Value| v.as_i64().expect("a number");
        [&p["unlifted"], &p["pruned"], &p["lifted"]["sample"], &p["lifted"]["all"], &p["saved"]].map(n)
    };
    assert_eq!(predicate("f/1"), [4, 4, 3, 1, 3]);
    // tanh of a fact, tanh of the weighted average.
    assert_eq!(predicate("h/1"), [10, 8, 6, 2, 8]);
    assert_eq!(predicate("q/0"), [9, 6, 6, 2, 7]);
    assert_eq!((&r["unlifted"], &r["pruned"]), (&23.into(), &18.into()));
    let scopes: Vec<(&Value, &Value)> =
        r["scopes"].as_array().expect("a list").iter().map(|s| (&s["scope"], &s["neurons"])).collect();
    assert_eq!(scopes, [(&"sample".into(), &15.into()), (&"all".into(), &5.into())]);
    assert_eq!((&r["worlds"], &r["answers"]), (&3.into(), &3.into()));
    // Most saved first.
    let order: Vec<&str> =
        r["predicates"].as_array().expect("a list").iter().filter_map(|p| p["predicate"].as_str()).collect();
    assert_eq!(order, ["h/1", "q/0", "f/1"]);
}

#[test]
fn the_text_says_the_same() {
    let dir = folder(&[("t.lrnn", TEMPLATE), ("d.db", DATA)]);
    let text = clean(dir.path(), &["lift", "t.lrnn", "d.db"]);
    assert_eq!(line(&text, "h/1"), ["h/1", "10", "8", "6", "2", "8", "44.4", "%"]);
    assert_eq!(line(&text, "all")[..6], ["all", "23", "18", "15", "5", "18"]);
    assert_eq!(line(&text, "sample")[..3], ["sample", "15", "1.53"]);
    // One scope alone, and the data named as the reference does.
    std::fs::write(dir.path().join("e.txt"), "f(a), e(b,a).\nf(c), e(d,c).\n").expect("written");
    std::fs::write(dir.path().join("q.txt"), "1 q.\n0 q.\n").expect("written");
    let text =
        clean(dir.path(), &["lift", "t.lrnn", "--examples", "e.txt", "--queries", "q.txt", "--lift", "all"]);
    assert_eq!(line(&text, "h/1")[..5], ["h/1", "6", "4", "2", "4"], "{text}");
    assert!(!text.contains("sample"), "{text}");
}

#[test]
fn totals_are_the_sums_and_those_of_the_report_of_a_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = ["examples/molecules/template.lrnn", "examples/molecules/facts.db"];
    let r = json(root, &data);
    let n = |v: &Value| v.as_u64().expect("a number");
    let predicates = r["predicates"].as_array().expect("a list");
    let sum = |of: &dyn Fn(&Value) -> u64| predicates.iter().map(of).sum::<u64>();
    assert_eq!(sum(&|p| n(&p["unlifted"])), n(&r["unlifted"]));
    assert_eq!(sum(&|p| n(&p["pruned"])), n(&r["pruned"]));
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("r.json");
    let file = path.to_str().expect("UTF-8");
    for (i, scope) in ["sample", "all"].into_iter().enumerate() {
        let neurons = n(&r["scopes"][i]["neurons"]);
        assert_eq!(sum(&|p| n(&p["lifted"][scope])), neurons);
        clean(root, &[&["run"], &data[..], &["--epochs", "0", "--lift", scope, "--report", file]].concat());
        let text = std::fs::read_to_string(&path).expect("a report");
        let report: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(n(&report["graph"]["neurons"]), neurons);
        assert_eq!(report["graph"]["neurons_unlifted"], r["unlifted"]);
        assert_eq!(report["graph"]["neurons_pruned"], r["pruned"]);
    }
}

#[test]
fn faults_end_as_those_of_a_run() {
    let dir = folder(&[("t.lrnn", TEMPLATE), ("d.db", "f(a). e(b,a)."), ("bad.lrnn", "p(X :- q(X).")]);
    for (args, code) in [
        (vec!["lift", "t.lrnn", "d.db"], 1),
        (vec!["lift", "bad.lrnn", "d.db"], 1),
        (vec!["lift"], 2),
        (vec!["lift", "t.lrnn", "d.db", "--lift", "some"], 2),
    ] {
        let o = nlog(dir.path(), &args);
        assert_eq!(o.status.code(), Some(code), "{args:?}");
        assert!(o.stdout.is_empty() && !o.stderr.is_empty(), "{args:?}");
    }
}
