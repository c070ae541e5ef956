//! What would take all memory or time is refused. That no input makes anything panic is the matter of `tests/fuzz.rs`.

use nlog::diag::has_errors;
use nlog::session::{Session, Settings};

fn messages(template: &str, data: &str, settings: Settings) -> Vec<&'static str> {
    let (session, mut found) = Session::from_texts(template, data, settings);
    if !has_errors(&found) {
        found.extend(session.build().1);
    }
    found.iter().map(|d| d.code.0).collect()
}

#[test]
fn what_would_take_all_memory_or_time_is_refused() {
    let few = Settings { max_ground: 1000, ..Settings::default() };
    assert_eq!(messages("q(X) :- a(X).", "{2000000000} a(x). ?- q(x).", few.clone()), ["E0109"]);
    assert_eq!(messages("q(X) :- {60000,60000} a(X).", "a(x). ?- q(x).", few.clone()), ["E0109"]);
    let long = format!("q :- {}.", vec!["a"; 10_000].join(", "));
    assert_eq!(messages(&long, "a. ?- q.", few.clone()), ["E0214"]);
    // Three values of a thousand elements, crossed.
    let cross = "q(X) :- a(X), a(X), a(X). [combination=crosssum]";
    assert_eq!(messages(cross, "<[1000|0:1]> a(x). ?- q(x).", few.clone()), ["E0601"]);
    // What only has to exist is not enumerated: 3000³ substitutions say one thing.
    let facts: String = (0..3000).map(|i| format!("a({i}). ")).collect();
    let none: [&str; 0] = [];
    assert_eq!(messages("q :- b, *a(X), *a(Y), *a(Z).", &format!("b. {facts} ?- q."), few.clone()), none);
    // The search for a reason ends.
    let data = format!("{facts} {} ?- q.", facts.replace('a', "b"));
    assert_eq!(messages("q :- a(X), !b(X).", &data, few), ["E0503"]);
}

#[test]
fn whether_the_budget_holds_does_not_depend_on_threads() {
    let mut data = String::new();
    for world in 0..16 {
        let n = if world % 5 == 0 { 60 } else { 3 };
        let facts: Vec<String> = (0..n).map(|i| format!("a({i})")).collect();
        data += &format!("1 q :- {}.\n", facts.join(", "));
    }
    let template = "q :- a(X), a(Y).";
    let total = 4 * 60 * 60 + 12 * 9;
    for (max_ground, holds) in [(total, true), (total - 1, false), (total / 2, false)] {
        for threads in [1, 2, 4] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let mut settings = Settings { max_ground, ..Settings::default() };
            settings.train.epochs = 0;
            let found = pool.install(|| messages(template, &data, settings));
            assert_eq!(found.is_empty(), holds, "{max_ground} with {threads} threads: {found:?}");
        }
    }
}
