//! Memory of grounding, by the ground rule: counted from what is held, and as the system sees it.
//!
//! `cargo bench --bench memory` prints bytes for each ground rule of programs whose heads and facts are few beside their
//! ground rules, and of a recursion, where they are not. `docs/scaling.md` has figures.

#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use nlog::ground::Grounder;
use nlog::ground::evaluate::relevant_predicates;
use nlog::session::{Session, Settings};
use std::sync::atomic::AtomicUsize;

/// Resident bytes, where the system says.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<usize>().ok().map(|kib| kib << 10)
}

/// `n` nodes, each with edges to `d` others, and two facts each.
fn graph(n: usize, d: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let mut out = String::new();
    for i in 0..n {
        out += &format!("f(n{i}). g(n{i}).\n");
        for _ in 0..d {
            out += &format!("e(n{i},n{}).\n", random() % n);
        }
    }
    out
}

fn measure(name: &str, rule: &str, data: &str) {
    let template = format!("[rule=identity]\n{rule}\n");
    let text = format!("{data}?- q.\n?- p(X,Y).\n");
    let settings = Settings { max_ground: 100_000_000, ..Settings::default() };
    let (session, found) = Session::from_texts(&template, &text, settings);
    assert!(!nlog::diag::has_errors(&found), "{name}");
    let queries = session.database.queries.iter().map(|q| q.pred);
    let relevant = relevant_predicates(&session.template, session.vocabulary.predicate_count(), queries);
    let before = resident();
    let mut grounder =
        Grounder::new(&session.vocabulary, &session.template, &session.database, &session.strata, &relevant);
    assert!(grounder.run(session.database.queries[0].world, usize::MAX, &AtomicUsize::new(0)).is_ok());
    let after = resident();
    let n = grounder.ground.instance_count() as f64;
    let rows: u32 = grounder.ground.relations.iter().map(|r| r.len()).sum();
    let bytes = grounder.bytes();
    let each = |bytes: usize| format!("{:.1}", bytes as f64 / n);
    let seen = before.zip(after).map_or("-".to_string(), |(b, a)| each(a.saturating_sub(b)));
    println!(
        "| {name} | {n} | {rows} | {} | {} | {} | {} | {seen} |",
        each(bytes.instances),
        each(bytes.seen),
        each(bytes.relations + bytes.facts),
        each(bytes.total()),
    );
}

fn main() {
    println!(
        "| bytes a ground rule | ground rules | rows | records | sets of them | relations | all | resident |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    // A thousand nodes in a complete enough graph: a million pairs of neighbours of neighbours.
    let data = graph(1000, 40);
    measure("one visible literal", "q :- *e(X,Y), e(Y,Z). [aggregation=sum]", &data);
    measure("two visible literals", "q :- e(X,Y), e(Y,Z).", &data);
    measure("three visible literals", "q :- e(X,Y), e(Y,Z), f(Z).", &data);
    measure("four visible literals", "q :- e(X,Y), e(Y,Z), f(Z), g(X).", &data);
    measure("one, not looked up", "q :- e(X,Y).", &graph(20_000, 60));
    measure(
        "recursion, two visible literals",
        "p(X,Y) :- e(X,Y). p(X,Y) :- e(X,Z), p(Z,Y).",
        &graph(1000, 5),
    );
}
