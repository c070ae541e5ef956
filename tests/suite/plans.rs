//! `nlog plan`: orders, forms, decisions, in JSON and text.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn folder(template: &str, data: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("t.lrnn"), template).expect("written");
    std::fs::write(dir.path().join("d.db"), data).expect("written");
    dir
}

fn nlog(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nlog")).current_dir(dir).args(args).output().expect("nlog runs")
}

fn plan(dir: &TempDir, args: &[&str]) -> Value {
    let o = nlog(dir.path(), &[&["plan", "t.lrnn", "d.db", "--json"], args].concat());
    assert!(o.status.success(), "{}", String::from_utf8_lossy(&o.stderr));
    serde_json::from_slice(&o.stdout).expect("JSON")
}

/// A hub with many edges and two nodes beside it.
fn star(edges: usize) -> String {
    let mut facts: Vec<String> = (0..edges).map(|i| format!("e(hub,n{i}), <[{i},1,2]> f(n{i})")).collect();
    facts.push("e(a,b), <[7,7,7]> f(b), s(a)".to_string());
    facts.join(", ")
}

#[test]
fn orders_and_indexes_follow_the_sizes() {
    let template = "h(X) :- s(X), e(X,Y), *f(Y).\n{1,1} q :- h(X).\n";
    let dir = folder(template, &format!("1 q :- {}.", star(20)));
    let found = plan(&dir, &[]);
    let orders = found["rules"][0]["orders"].as_array().expect("a list");
    assert_eq!(orders.len(), 1);
    let steps = orders[0]["steps"].as_array().expect("a list");
    let shape: Vec<_> = steps.iter().map(|s| (s["literal"].as_str(), s["access"].as_str())).collect();
    let expected =
        [(Some("s(X)"), Some("scan")), (Some("e(X,Y)"), Some("index")), (Some("*f(Y)"), Some("lookup"))];
    assert_eq!(shape, expected);
    // 21 edges of 2 nodes; the planner takes one bound column to leave the root of the rows.
    assert_eq!((&steps[1]["rows"], &steps[1]["found"]), (&21.0.into(), &10.5.into()));
    assert!((steps[1]["expected"].as_f64().expect("a number") - 21f64.sqrt()).abs() < 1e-12);
    assert_eq!(
        (&steps[1]["columns"], &steps[1]["key"]),
        (&serde_json::json!([1]), &serde_json::json!(["X"]))
    );
    assert_eq!(found["rules"][0]["bytes_each"], 12);
    assert_eq!(found["rules"][0]["ground_rules"], 1);
}

#[test]
fn worlds_of_other_sizes_have_other_orders() {
    // Few `s` beside many `e`, and the other way round.
    let many: Vec<String> = (0..40).map(|i| format!("s(n{i})")).collect();
    let data = format!(
        "1 q :- {}.\n0 q :- {}, e(n1,b), f(b).\n",
        star(20).replace("<[7,7,7]> ", ""),
        many.join(", ")
    );
    let dir = folder("h(X) :- s(X), *e(X,Y).\n{1,1} q :- h(X).\n", &data);
    let found = plan(&dir, &[]);
    let orders = found["rules"][0]["orders"].as_array().expect("a list");
    let firsts: Vec<_> = orders.iter().map(|o| o["steps"][0]["literal"].as_str().expect("a text")).collect();
    assert_eq!(orders.iter().map(|o| o["worlds"].as_u64()).collect::<Vec<_>>(), [Some(1), Some(1)]);
    assert!(firsts.contains(&"s(X)") && firsts.contains(&"*e(X,Y)"), "{firsts:?}");
    assert_eq!(found["rules"][0]["deduplicated_by"], serde_json::json!(["Y"]));
    // In the first world one row of `e` is enough.
    let once = |o: &Value| o["steps"].as_array().expect("a list").last().map(|s| s["once"].clone());
    let by_s = orders.iter().find(|o| o["steps"][0]["literal"] == "s(X)").expect("there");
    assert_eq!(once(by_s), Some(true.into()));
}

#[test]
fn forms_are_told_apart() {
    let template = "[rule=identity]
        plain(X) :- *s(X).
        on(X) :- f(Y), *e(X,Y).
        value(X) :- {2,3} f(Y), *e(X,Y).
        pair(X) :- {2,3} f(Y), {2,3} f(Y), e(X,Y).
        {1,1} q :- plain(X).
        {1,3} q :- on(X).
        {1,2} q :- value(X).
        {1,2} q :- pair(X).
    ";
    let dir = folder(template, &format!("1 q :- {}.", star(5)));
    let found = plan(&dir, &[]);
    let form = |i: usize| found["rules"][i]["form"].as_str().expect("a text");
    assert_eq!([0, 1, 2, 3].map(form), ["plain", "hands_on", "per_value", "per_grounding"]);
    let rows = |i: usize, kind: &str| -> u64 {
        let all = found["rules"][i]["operations"].as_array().expect("a list").iter();
        all.filter(|o| o["kind"] == kind).filter_map(|o| o["rows"].as_u64()).sum()
    };
    // Six values for six edges; each under both weights; six groundings, and tanh of the one atom that has only one.
    assert_eq!((rows(2, "weights"), rows(3, "weights"), rows(3, "combination")), (6, 12, 7));
}

#[test]
fn weights_stand_where_they_cost_less() {
    // Long values of few nodes that many read: products first. Short ones under a tall weight: sums first.
    let edges: Vec<String> = (0..30).flat_map(|i| (0..3).map(move |k| format!("e(x{i},n{k})"))).collect();
    let facts: Vec<String> =
        (0..3).map(|k| format!("<[{k},1,2,3,4,5,6,7]> f(n{k}), <{k}.5> g(n{k})")).collect();
    let data = format!("1 q :- {}, {}.", edges.join(", "), facts.join(", "));
    let template = "[rule=identity]
        {2,8} h(X) :- f(Y), *e(X,Y).
        {1,2} q :- h(X).
    ";
    let dir = folder(template, &data);
    let sums = plan(&dir, &["--lift", "off"])["rules"][0]["sums"].clone();
    assert_eq!(sums.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&sums[0]["weight_first"], &sums[0]["sums"], &sums[0]["summands"]),
        (&true.into(), &30.into(), &90.into())
    );
    // By hand: three constants times a 2 × 8 weight, without the constants' gradients; 90 pairs forth and back. Or 30
    // sums of 8, and as many products with both gradients.
    assert_eq!(sums[0]["operations_before"], 3 * 2 * 16 + 2 * 90 * 2);
    assert_eq!(sums[0]["operations_after"], 30 * 3 * 16 + 2 * 90 * 8);
    std::fs::write(dir.path().join("t.lrnn"), template.replace("{2,8}", "{64,8}").replace("{1,2}", "{1,64}"))
        .expect("written");
    let found = plan(&dir, &[]);
    let sums = &found["rules"][0]["sums"];
    // Lifted, all thirty are one neuron.
    assert_eq!((&sums[0]["weight_first"], &sums[0]["sums"]), (&false.into(), &1.into()));
    let text = String::from_utf8(nlog(dir.path(), &["plan", "t.lrnn", "d.db"]).stdout).expect("UTF-8");
    assert!(text.contains("$w0 after the sum:"), "{text}");
}

#[test]
fn places_of_samples_follow_what_they_share() {
    let template = "{3,3} h(X) :- f(Y), *e(X,Y).\n{1,3} q(X) :- h(X).\n";
    let shared = format!("{}.\n", star(20).replace(", ", ". "));
    // Both ask for the same sums.
    let questions: String = (0..20).map(|_| "?- 1 q(hub).\n").collect();
    let dir = folder(template, &(shared.clone() + &questions));
    let layout = |args: &[&str]| plan(&dir, args)["network"]["layouts"][0].clone();
    let one = layout(&[]);
    assert_eq!((&one["apart"], &one["reason"]), (&true.into(), &"small_batches".into()));
    assert!(one["rows_apart"].as_u64() > one["rows"].as_u64().map(|n| 2 * n), "{one}");
    let many = layout(&["--batch", "16"]);
    assert_eq!((&many["apart"], &many["reason"]), (&false.into(), &"large_batches".into()));
    let all = layout(&["--batch", "all"]);
    assert_eq!((&all["apart"], &all["reason"]), (&false.into(), &"one_program".into()));
    // Worlds that share nothing.
    let worlds: String = (2..22).map(|i| format!("1 q(hub) :- {}.\n", star(i))).collect();
    std::fs::write(dir.path().join("d.db"), worlds).expect("written");
    let own = layout(&[]);
    assert_eq!((&own["apart"], &own["reason"]), (&true.into(), &"few_shared".into()));
}

#[test]
fn a_recursive_rule_has_an_order_for_new_rows_and_levels() {
    let template = "[rule=identity, atom=identity]\np(X,Y) :- {1} e(X,Y).\np(X,Y) :- p(X,Z), p(Z,Y).\n";
    let edges: Vec<String> = (0..6).map(|i| format!("e(n{i},n{}).", i + 1)).collect();
    let dir = folder(template, &format!("{}\n?- p(n0,n6).\n", edges.join(" ")));
    let found = plan(&dir, &[]);
    let rule = &found["rules"][1];
    assert_eq!(rule["recursive"], true);
    let orders = rule["orders"].as_array().expect("a list");
    let new: Vec<_> = orders.iter().map(|o| o["new"].as_str()).collect();
    assert_eq!(new, [Some("p(X,Z)"), Some("p(Z,Y)")]);
    // Each pair is met once: the literal after the new one reads old rows only.
    let parts = |o: &Value| -> Vec<String> {
        let of = |s: &Value| format!("{} {}", s["literal"], s["part"]);
        let mut all: Vec<String> = o["steps"].as_array().expect("a list").iter().map(of).collect();
        all.sort();
        all
    };
    assert_eq!(parts(&orders[0]), ["\"p(X,Z)\" \"new rows\"", "\"p(Z,Y)\" \"old rows\""]);
    assert_eq!(parts(&orders[1]), ["\"p(X,Z)\" \"all rows\"", "\"p(Z,Y)\" \"new rows\""]);
    let levels =
        rule["operations"].as_array().expect("a list").iter().filter_map(|o| o["blocks_a_program"].as_u64());
    assert!(levels.max() > Some(1), "{rule}");
}

#[test]
fn a_template_alone_has_a_plan() {
    let dir = folder("h(X) :- s(X), *e(X,Y).\n{1,1} q :- h(X).\n", "");
    let o = nlog(dir.path(), &["plan", "t.lrnn"]);
    assert!(o.status.success());
    let text = String::from_utf8(o.stdout).expect("UTF-8");
    assert!(text.contains("*e(X,Y): index on column 1 (X); binds Y; one is enough"), "{text}");
    assert!(text.contains("8 bytes a ground rule; each once, as `Y`"), "{text}");
    assert!(String::from_utf8_lossy(&o.stderr).contains("there is no query"));
    let o = nlog(dir.path(), &["plan", "t.lrnn", "--json"]);
    let found: Value = serde_json::from_slice(&o.stdout).expect("JSON");
    assert_eq!((&found["network"], &found["worlds"]), (&Value::Null, &0.into()));
    assert_eq!(found["rules"][0]["ground_rules"], Value::Null);
    // Faults are those of a run.
    let o = nlog(dir.path(), &["plan", "missing.lrnn"]);
    assert_eq!(o.status.code(), Some(1));
    assert_eq!(nlog(dir.path(), &["plan"]).status.code(), Some(2));
}

#[test]
fn soft_negations_stand_by_themselves() {
    let dir = folder("h(X) :- ~f(X), s(X).\n{1} q :- h(X).\n", "1 q :- 0.3 f(a), s(a), 0.6 f(b), s(b).\n");
    let found = plan(&dir, &[]);
    let negations = found["negations"].as_array().expect("a list");
    assert_eq!((negations.len(), &negations[0]["rows"]), (1, &2.into()));
    let rules = found["rules"].as_array().expect("a list").iter();
    let all = rules.flat_map(|r| r["operations"].as_array().expect("a list")).chain(negations);
    assert_eq!(found["network"]["rows"], all.filter_map(|o| o["rows"].as_u64()).sum::<u64>());
    let text = String::from_utf8(nlog(dir.path(), &["plan", "t.lrnn", "d.db"]).stdout).expect("UTF-8");
    assert!(text.contains("soft negations\n  compute   reverse of"), "{text}");
}

#[test]
fn rows_are_those_of_a_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for example in ["molecules", "family", "routes", "xor"] {
        let files = ["template.lrnn", "facts.db"].map(|f| format!("examples/{example}/{f}"));
        let dir = tempfile::tempdir().expect("a folder");
        let report = dir.path().join("r.json");
        let file = report.to_str().expect("UTF-8");
        let o = nlog(root, &["run", &files[0], &files[1], "--epochs", "0", "-q", "--report", file]);
        assert!(o.status.success());
        let text = std::fs::read_to_string(&report).expect("a report");
        let report: Value = serde_json::from_str(&text).expect("JSON");
        let o = nlog(root, &["plan", &files[0], &files[1], "--json"]);
        let found: Value = serde_json::from_slice(&o.stdout).expect("JSON");
        let rules = found["rules"].as_array().expect("a list");
        let sum = |key: &str| -> u64 {
            let all = rules.iter().flat_map(|r| r["operations"].as_array().expect("a list"));
            all.filter_map(|o| o[key].as_u64()).sum()
        };
        assert_eq!(sum("rows"), report["graph"]["rows"], "{example}");
        assert_eq!(sum("blocks"), report["graph"]["blocks"], "{example}");
        let ground: u64 = rules.iter().filter_map(|r| r["ground_rules"].as_u64()).sum();
        assert_eq!(ground, report["ground"]["rules"], "{example}");
    }
}
