//! `nlog lift`: the counts, in text and JSON.

use crate::docs::blocks;
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
        clean(
            root,
            &[&["run"], &data[..], &["--epochs", "0", "--lift", scope, "--report", file, "-q"]].concat(),
        );
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

fn audit(dir: &Path, args: &[&str]) -> Value {
    json(dir, &[args, &["--audit"]].concat())["audit"].clone()
}

/// Names of the samples of each class, in the order of the output.
fn members(audit: &Value) -> Vec<Vec<&str>> {
    let mut out = Vec::new();
    for group in audit["groups"].as_array().expect("a list") {
        let all = group["members"].as_array().expect("a list");
        out.push(all.iter().map(|m| m["sample"].as_str().expect("a name")).collect());
    }
    out
}

#[test]
fn samples_that_no_weights_can_tell_apart_are_named() {
    // s_0 and s_1 differ in names alone; s_2 has its neighbour twice, which an average does not see; s_3 is another.
    let data = "1 q :- f(a), e(b,a).\n0 q :- f(c), e(d,c).\n1 q :- f(a), f(b), e(x,a), e(x,b).\n\
                0 q :- <-2> f(a), e(b,a).\n";
    let dir = folder(&[("t.lrnn", TEMPLATE), ("d.db", data)]);
    let found = audit(dir.path(), &["t.lrnn", "d.db"]);
    assert_eq!(members(&found), [["s_0", "s_1", "s_2"]]);
    for (key, n) in [("samples", 4), ("unlabelled", 0), ("classes", 2), ("shared", 1), ("conflicting", 1)] {
        assert_eq!(found[key], n, "{key}");
    }
    assert_eq!(found["floor"]["errors"], 1);
    let group = &found["groups"][0];
    assert_eq!((&group["conflicting"], &group["errors"]), (&true.into(), &1.into()));
    assert_eq!(group["targets"], serde_json::json!([[[1.0], 2], [[0.0], 1]]));
    assert_eq!(group["members"][1]["place"], "d.db:2:3");
    // Training cannot do better: the best of many epochs makes the error that is foretold, and no other.
    let out = clean(dir.path(), &["run", "t.lrnn", "d.db", "--epochs", "400", "--lr", "0.1", "--seed", "1"]);
    assert_eq!(line(&out, "train")[3..5], ["75.00", "%"], "{out}");
    // A sum sees how many neighbours there are: s_2 is told apart.
    let sum = TEMPLATE.replace("*e(X,Y).", "*e(X,Y). [aggregation=sum]");
    std::fs::write(dir.path().join("s.lrnn"), sum).expect("written");
    let found = audit(dir.path(), &["s.lrnn", "d.db", "--lift", "sample"]);
    assert_eq!(members(&found), [["s_0", "s_1"]]);
    assert_eq!(found["floor"]["errors"], 1);
    // The text names them too.
    let text = clean(dir.path(), &["lift", "t.lrnn", "d.db", "--audit"]);
    for part in [
        "4 samples in 2 classes of outputs that are equal whatever the weights are",
        "1 class of more than one, 1 of these with different targets",
        "no weights can do better than 1 error on 4 samples (accuracy 75.0 % at most)",
        "3 answers with one value, targets 2 × 1, 1 × 0: 1 error on 3 samples (accuracy 66.7 % at most)",
        "  s_1: q  target 0  (train, d.db:2:3)",
        "there may be more errors, but not fewer",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn numbers_vectors_splits_and_questions_are_audited_by_their_kind() {
    let numbers = "1 q :- f(a), e(b,a).\n4 q :- f(c), e(d,c).\n4 q :- f(a), f(b), e(x,a), e(x,b).\n";
    let dir = folder(&[("t.lrnn", TEMPLATE), ("d.db", numbers)]);
    let found = audit(dir.path(), &["t.lrnn", "d.db", "--loss", "mse"]);
    // Mean 3: 4 + 1 + 1.
    assert_eq!((&found["floor"]["squared_error"], &found["floor"]["errors"]), (&6.0.into(), &Value::Null));
    let text = clean(dir.path(), &["lift", "t.lrnn", "d.db", "--audit", "--loss", "mse"]);
    assert!(text.contains("no weights can do better than a squared error of 6 on 3 samples"), "{text}");
    // Three classes; the floor of a split is that of its own samples.
    let vectors = TEMPLATE.replace("{1,2} q", "{3,2} q");
    std::fs::write(dir.path().join("v.lrnn"), vectors).expect("written");
    let train = "[1,0,0] q :- f(a), e(b,a).\n[0,1,0] q :- f(c), e(d,c).\n[0,1,0] q :- f(c), e(d,c).\n";
    std::fs::write(dir.path().join("v.db"), train).expect("written");
    let test = "[0,0,1] q :- f(a), e(b,a).\n[0,0,1] q :- f(c), e(d,c).\n";
    std::fs::write(dir.path().join("test.db"), test).expect("written");
    let found = audit(dir.path(), &["v.lrnn", "v.db", "--test-examples", "test.db"]);
    assert_eq!((&found["floor"]["errors"], &found["floor"]["squared_error"]), (&3.into(), &Value::Null));
    let splits = found["splits"].as_array().expect("a list");
    let of = |i: usize| (splits[i]["split"].clone(), splits[i]["errors"].clone());
    assert_eq!((of(0), of(1)), (("train".into(), 1.into()), ("test".into(), 0.into())));
    // Answers without a target stand in their class, and count nowhere.
    let world = "f(a). e(x,a). e(y,a).\n?- 1 h(x), h(Y).\n";
    std::fs::write(dir.path().join("w.db"), world).expect("written");
    let scalar = "{1} h(X) :- f(Y), *e(X,Y).\n";
    std::fs::write(dir.path().join("w.lrnn"), scalar).expect("written");
    let found = audit(dir.path(), &["w.lrnn", "w.db"]);
    assert_eq!(
        (&found["samples"], &found["unlabelled"], &found["classes"]),
        (&1.into(), &2.into(), &1.into())
    );
    assert_eq!((&found["floor"]["errors"], &found["conflicting"]), (&0.into(), &0.into()));
}

#[test]
fn verified_numbers_are_told() {
    let dir = folder(&[("t.lrnn", TEMPLATE), ("d.db", DATA)]);
    let r = json(dir.path(), &["t.lrnn", "d.db", "--verify", "--draws", "3"]);
    let results = r["verify"].as_array().expect("a list");
    assert_eq!(results.len(), 2);
    for v in results {
        assert_eq!((&v["passed"], &v["draws"]), (&true.into(), &3.into()));
        // Three outputs; weights of two elements each.
        assert_eq!((&v["outputs"]["compared"], &v["gradients"]["compared"]), (&9.into(), &12.into()));
        for d in ["outputs", "gradients"] {
            let (absolute, relative) = (&v[d]["absolute"], &v[d]["relative"]);
            assert!(absolute.as_f64().is_some_and(|x| x < 1e-14), "{v}");
            assert!(relative.as_f64().is_some_and(|x| x < 1e-14), "{v}");
        }
    }
    let text = clean(dir.path(), &["lift", "t.lrnn", "d.db", "--verify", "--lift", "all"]);
    assert!(text.contains("5 random draws of all weights, seed 0"), "{text}");
    let (_, results) = text.split_once("seed 0:").expect("a table");
    assert_eq!(line(results, "all")[..3], ["all", "outputs", "15"], "{text}");
    assert!(results.lines().any(|l| l.split_whitespace().take(3).eq(["all", "gradients", "20"])), "{text}");
    let o = nlog(dir.path(), &["lift", "t.lrnn", "d.db", "--verify", "--draws", "0"]);
    assert_eq!(o.status.code(), Some(2));
}

#[test]
fn what_deviates_ends_with_a_fault() {
    // An average of seven equal numbers is one of them, but for rounding; a square root near zero magnifies that.
    let template = "[rule=identity, atom=identity]
        g(X) :- {1,1} f(X). [transformation=tanh]
        p(X) :- g(Y), *e(X,Y). [aggregation=avg]
        q :- p(X), g(Y), *e(X,Y). [combination=difference, transformation=abs, aggregation=max]
        r :- q. [transformation=sqrt]";
    let facts: Vec<String> = (0..7).map(|i| format!("f(n{i}), e(x,n{i})")).collect();
    let dir = folder(&[("t.lrnn", template), ("d.db", &format!("1 r :- {}.", facts.join(", ")))]);
    let o = nlog(dir.path(), &["lift", "t.lrnn", "d.db", "--verify", "--lift", "sample", "--json"]);
    let err = String::from_utf8_lossy(&o.stderr);
    assert_eq!(o.status.code(), Some(1), "{err}");
    assert!(err.contains("differ by more than 1e-9"), "{err}");
    let r: Value = serde_json::from_slice(&o.stdout).expect("JSON");
    let v = &r["verify"][0];
    assert_eq!(v["passed"], false);
    assert!(v["outputs"]["relative"].as_f64().is_some_and(|x| x > 1e-9), "{v}");
}

/// A line without what differs from run to run: times, memory, and rounding, which must be no more than that.
pub fn steady(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let unit = |i: usize| words.get(i + 1).is_some_and(|w| ["ms", "MiB"].contains(w));
    let deviation = words.get(1).is_some_and(|w| ["outputs", "gradients"].contains(w));
    let kept = words.iter().enumerate().map(|(i, w)| match w.parse::<f64>() {
        Ok(_) if unit(i) => "#",
        Ok(x) if deviation && i > 2 && x < 1e-12 => "#",
        _ => w,
    });
    kept.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_documentation_shows_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/lifting.md")).expect("documentation");
    let own = |language: &str| blocks(&text, language)[0].1.clone();
    let dir = folder(&[("template.lrnn", &own("lrnn")), ("facts.db", &own("db"))]);
    let mut shown = 0;
    for (at, block) in blocks(&text, "console") {
        let (command, output) = block.split_once('\n').expect("a command and its output");
        let args: Vec<&str> = command.strip_prefix("$ nlog ").expect("a call").split_whitespace().collect();
        let place = if command.contains("examples/") { root } else { dir.path() };
        let expected: Vec<String> = output.lines().map(steady).collect();
        let got = clean(place, &args);
        assert_eq!(got.lines().map(steady).collect::<Vec<_>>(), expected, "docs/lifting.md:{at}\n{got}");
        shown += 1;
    }
    assert_eq!(shown, 5);
    // And what is said of the sum.
    let sum = own("lrnn").replace(":- h(X).", ":- h(X). [aggregation=sum]");
    std::fs::write(dir.path().join("template.lrnn"), sum).expect("written");
    assert_eq!(audit(dir.path(), &["template.lrnn", "facts.db"])["shared"], 0);
}

#[test]
fn ground_rules_on_classes_are_counted_in_text_and_json() {
    let dir = folder(&[("t.lrnn", TEMPLATE), ("d.db", DATA)]);
    let r = json(dir.path(), &["t.lrnn", "d.db", "--quotient"]);
    let q = &r["quotient"];
    // By hand. The first two worlds are alike; in the third one head has two ground rules of one class.
    let n = |v: &Value| [&v["sample"], &v["all"]].map(|n| n.as_u64().expect("a number"));
    assert_eq!((&q["ground_rules"], &q["on_classes"], &q["rounds"]), (&7.into(), &7.into(), &1.into()));
    assert_eq!(n(&q["quotient"]), [6, 4]);
    let rules: Vec<[u64; 2]> =
        q["rules"].as_array().expect("a list").iter().map(|r| n(&r["quotient"])).collect();
    assert_eq!(rules, [[3, 2], [3, 2]]);
    // What is read and what reads: two classes in each world; who reads two is another one, who is read is not.
    assert_eq!((&q["constants"], n(&q["classes"])), (&7.into(), [6, 3]));
    assert!(json(dir.path(), &["t.lrnn", "d.db"]).get("quotient").is_none());
    let recursive = TEMPLATE.to_string() + "h(X) :- h(Y), *e(X,Y).\n";
    std::fs::write(dir.path().join("t.lrnn"), recursive).expect("written");
    let text = clean(dir.path(), &["lift", "t.lrnn", "d.db", "--quotient"]);
    let (_, text) = text.split_once("ground rules of").expect("a second table");
    assert_eq!(line(text, "h/1"), ["h/1", "4", "4", "4", "constants"]);
    assert!(text.contains("t.lrnn:1:1: its predicate depends on itself"), "{text}");
}

#[test]
fn every_key_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/lifting.md")).expect("documentation");
    let dir = folder(&[("t.lrnn", TEMPLATE), ("d.db", DATA), ("v.db", DATA)]);
    let base = ["t.lrnn", "d.db", "--val-examples", "v.db", "--verify", "--audit", "--quotient", "--mode"];
    let mut keys = Vec::new();
    fn collect(value: &Value, keys: &mut Vec<String>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(k, v)| {
                keys.push(k.clone());
                collect(v, keys);
            }),
            Value::Array(list) => list.iter().for_each(|v| collect(v, keys)),
            _ => {}
        }
    }
    for mode in ["value", "lossy"] {
        collect(&json(dir.path(), &[&base[..], &[mode]].concat()), &mut keys);
    }
    assert!(keys.len() > 200, "{keys:?}");
    for key in keys {
        assert!(text.contains(&format!("`{key}`")) || ["sample", "all"].contains(&&*key), "{key}");
    }
}

/// `h` and `k` add the same in another order, and the second example is nearly the first.
const SWAPPED: &str = "h(X) :- $w={2,2} f(X), $v={2,2} g(X).\nk(X) :- $v={2,2} g(X), $w={2,2} f(X).\n\
                       {1,2} q :- h(X).\n{1,2} q :- k(X).\n";
const NEAR: &str = "1 q :- <[1,0]> f(a), <[0,1]> g(a).\n0 q :- <[1.001,0]> f(a), <[0,1]> g(a).\n";

#[test]
fn modes_are_told_by_scope() {
    let dir = folder(&[("t.lrnn", SWAPPED), ("d.db", NEAR)]);
    let told = |args: &[&str]| json(dir.path(), &[&["t.lrnn", "d.db"], args].concat());
    let exact = told(&[]);
    assert!(exact.get("lifting").is_none(), "{exact}");
    let n = |v: &Value| v.as_u64().unwrap_or_else(|| panic!("no number: {v}"));
    let by_value = told(&["--mode", "value"]);
    // What holds for all weights stays.
    for key in ["predicates", "unlifted", "pruned"] {
        assert_eq!(by_value[key], exact[key], "{key}");
    }
    let reports = by_value["lifting"].as_array().expect("a list");
    assert_eq!(reports.len(), 2);
    for (i, r) in reports.iter().enumerate() {
        assert_eq!((&r["scope"], &r["mode"]), (&exact["scopes"][i]["scope"], &"value".into()));
        let v = &r["value"];
        assert_eq!(v["neurons"], exact["scopes"][i]["neurons"]);
        assert_eq!(n(&v["neurons"]) - n(&v["classes"]), n(&v["clashes"]), "{v}");
        assert!(v["left"] == r["neurons"] && r["lossy"].is_null(), "{r}");
    }
    // By hand, in each example: k's ground rule and atom are h's, and so is the ground rule of q that reads k; its
    // weight comes after that.
    assert_eq!(n(&reports[0]["value"]["clashes"]), 6);
    let text = clean(dir.path(), &["lift", "t.lrnn", "d.db", "--lift-mode", "value", "--lift-check"]);
    let (_, table) = text
        .split_once("by value: 12 digits, 3 draws, seed 0; the check keeps clashes apart\n")
        .expect(&text);
    let exactly = exact["scopes"][0]["neurons"].to_string();
    assert_eq!(line(table, "sample")[3..], ["6", exactly.as_str()], "{text}");
    assert_eq!(line(table, "all").len(), 5, "{text}");
    // Two examples that are nearly one: across them half is left.
    let lossy = told(&["--lift-mode", "lossy", "--lift-epsilon", "0.01"]);
    let of = |i: usize| &lossy["lifting"][i]["lossy"];
    assert_eq!(
        (n(&of(0)["left"]), of(0)["epsilon"].as_f64()),
        (n(&of(1)["left"]) * 2, Some(0.01)),
        "{lossy}"
    );
    let bound = of(1)["bound"].as_f64().expect("a bound");
    assert!(bound > 0.0 && of(1)["deviation"].as_f64() <= Some(bound) && of(1)["answer"] == "q", "{lossy}");
    let text = clean(
        dir.path(),
        &["lift", "t.lrnn", "d.db", "--mode", "lossy", "--lift-epsilon", "0.01", "--lift", "all"],
    );
    let (_, table) = text.split_once("lossy: within 0.01, at the initial weights, seed 0\n").expect(&text);
    let row = line(table, "all");
    assert_eq!(
        (row[1], row[3]),
        (&*n(&of(1)["neurons"]).to_string(), &*n(&of(1)["left"]).to_string()),
        "{text}"
    );
    assert!(row[4].parse::<f64>().is_ok_and(|b| (b - bound).abs() < 0.01 * bound) && row[6] == "q", "{text}");
    // Other initial weights, other answers.
    let other = told(&["--lift-mode", "lossy", "--lift-epsilon", "0.01", "--seed", "5"]);
    assert_ne!(other["lifting"][1]["lossy"]["bound"].as_f64(), Some(bound));
    for (args, code, words) in [
        (vec!["--mode", "lossy", "--lift-epsilon", "0.01", "--max-error", "1e-9"], 1, "E0706"),
        (vec!["--mode", "value", "--lift-epsilon", "0.01"], 2, "belongs to `--lift-mode lossy`"),
        (vec!["--mode", "value", "--lift", "off"], 2, "`--lift off` makes no neurons one"),
        (vec!["--mode", "valu"], 2, "did you mean `value`"),
    ] {
        let o = nlog(dir.path(), &[&["lift", "t.lrnn", "d.db"], &args[..]].concat());
        let err = String::from_utf8_lossy(&o.stderr);
        assert!(
            o.status.code() == Some(code) && err.contains(words) && o.stdout.is_empty(),
            "{args:?}\n{err}"
        );
    }
}
