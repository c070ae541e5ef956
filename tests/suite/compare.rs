//! Comparisons and calculations in bodies.

use crate::support::{answers, evaluate_only, session, shown};
use nlog::session::{Session, Settings};

const PLAIN: &str = "[rule=identity, atom=identity, aggregation=sum]\n";

/// The atoms that answer `?- q(…)`.
fn atoms(rules: &str, data: &str) -> Vec<String> {
    answers(&format!("{PLAIN}{rules}"), data).into_iter().map(|(atom, _)| atom).collect()
}

/// The codes and the text of all messages.
fn messages(template: &str, data: &str, settings: Settings) -> (Vec<&'static str>, String) {
    let (session, mut found) = Session::from_texts(template, data, settings);
    if !nlog::diag::has_errors(&found) {
        found.extend(session.build().1);
    }
    (found.iter().map(|d| d.code.0).collect(), shown(&found, &session))
}

#[test]
fn numbers_are_compared_by_value_and_other_constants_as_the_special_predicates_do() {
    let data = "p(1). p(02). p(10). p(a). p('1'). ?- q(X).";
    let holds = |test: &str| atoms(&format!("q(X) :- p(X), {test}."), data);
    assert_eq!(holds("X < 3"), ["q('1')", "q(1)", "q(2)"]);
    assert_eq!(holds("X >= 2.0, X < a"), ["q(10)", "q(2)"]);
    assert_eq!(holds("X = 2.0"), ["q(2)"]);
    assert_eq!(holds("X = a"), ["q(a)"]);
    assert_eq!(holds("X = '1'"), ["q('1')"]);
    assert_eq!(holds("X != 2, X != a"), ["q('1')", "q(1)", "q(10)"]);
    for (sign, special) in
        [("<", "lt"), ("<=", "leq"), (">", "gt"), (">=", "geq"), ("=", "eq"), ("!=", "neq")]
    {
        for c in ["1", "2", "a", "'1'", "b"] {
            assert_eq!(holds(&format!("X {sign} {c}")), holds(&format!("@{special}(X,{c})")), "{sign} {c}");
            assert_eq!(holds(&format!("{c} {sign} X")), holds(&format!("@{special}({c},X)")), "{c} {sign}");
        }
    }
    assert_eq!(holds("X + 1 <= 2 * X, X * X - 2 != 2"), ["q(1)", "q(10)"]);
    // A calculation without a result holds in no comparison.
    for none in ["1 / (X - X) != 7", "X / 0 = X / 0", "1 / (1 / 0) < 1"] {
        assert!(holds(none).is_empty(), "{none}");
    }
    assert_eq!(holds("-X + 1 < - 1"), ["q(10)"]);
    assert_eq!(holds("(X -1) * 2 = X"), ["q(2)"]);
    assert_eq!(holds("X - X = -0, 0 <= X * -0").len(), 3);
}

#[test]
fn results_are_constants_like_those_that_are_written() {
    let data = "p(1). p(4). r(2). r(0.5). ?- q(X,Y).";
    assert_eq!(atoms("q(X,Y) :- p(X), Y = X / 2.", data), ["q(1,0.5)", "q(4,2)"]);
    assert_eq!(atoms("q(X,Y) :- p(X), r(Y), X / 2 = Y.", data), ["q(1,0.5)", "q(4,2)"]);
    assert_eq!(atoms("h(X,Y) :- p(X), X / 2 = Y. q(X,Y) :- h(X,Y), r(Y).", data), ["q(1,0.5)", "q(4,2)"]);
    // In any order, and of any constant.
    assert_eq!(
        atoms("q(X,Y) :- Y = Z * Z, Z = W + 1, W = X, p(X), !r(W), 1 = V, V <= X.", data),
        ["q(1,4)", "q(4,25)"]
    );
    assert_eq!(atoms("q(X,Y) :- p(X), Y = a.", data), ["q(1,a)", "q(4,a)"]);
    // A second `=` is a test, and so is one about a typed variable.
    assert_eq!(atoms("q(X,Y) :- p(X), Y = X + 1, Y = X * 2.", data), ["q(1,2)"]);
    assert_eq!(atoms("s(t:2). s(t:3). q(X,Y) :- p(X), Y = X + 1, s(t:Y).", data), ["q(1,2)"]);
    // What was computed can be asked for.
    assert_eq!(atoms("q(X,Y) :- p(X), Y = X + 0.25.", "p(1). ?- q(1,1.250)."), ["q(1,1.25)"]);
}

#[test]
fn recursion_counts_until_a_comparison_stops_it() {
    let rules = "n(0) :- @true. n(Y) :- n(X), X < 4, Y = X + 1. q(X) :- n(X).";
    assert_eq!(atoms(rules, "z. ?- q(X)."), ["q(0)", "q(1)", "q(2)", "q(3)", "q(4)"]);
    let endless = "n(0) :- @true. n(Y) :- n(X), Y = X + 1. q :- n(X).";
    let settings = Settings { max_ground: 1000, ..evaluate_only() };
    let (codes, text) = messages(endless, "z. ?- q.", settings);
    assert!(codes.contains(&"E0601"), "{text}");
    // Sums that agree in the head collapse: the ground rules have no other input.
    let shared = "q(Z) :- *p(X), *p(Y), Z = X + Y.";
    assert_eq!(
        answers(&format!("{PLAIN}{shared}"), "p(1). p(2). p(3). ?- q(4)."),
        [("q(4)".into(), vec![1.0])]
    );
}

#[test]
fn comparisons_take_part_in_rules_of_examples() {
    let data =
        "1.0 q :- p(1), p(5), h(X) :- p(X), X >= 2, X <= 9, Y = X - 4, p(Y). .\n0.0 q :- p(1), p(7).\n";
    let session = session("q :- h(X).\nq :- <0.25> p(7).", data, evaluate_only());
    let (network, _, _) = crate::support::run(&session);
    assert_eq!(network.answers.len(), 2);
    // A rule between facts is recognised by its variables, whatever its arrow and its comparisons.
    for rule in ["h(X) :- p(X), X <= 3.", "h(X) <= p(X), (X + 1) <= 3.", "h :- X = 3."] {
        let (codes, text) = messages("q :- h(X).", &format!("p(1). {rule} ?- q."), evaluate_only());
        assert_eq!(codes[0], "E0509", "{rule}\n{text}");
    }
}

#[test]
fn variables_without_values() {
    let data = "p(1). r(2). ?- q(X).";
    let codes = |rule: &str| messages(rule, data, evaluate_only());
    for (rule, code, words) in [
        ("q(X) :- p(X), Y < X.", "W0302", "binds `Y`"),
        ("q(X) :- p(X), Y = Z.", "W0302", "binds `Y`"),
        ("q(X) :- p(X), X = _.", "", ""),
        ("q(X) :- X < 3.", "W0302", "binds `X`"),
        ("q(X) :- p(X), Y + 1 > X.", "E0312", "nothing gives `Y` a value"),
        ("q(Z) :- p(X), Z = X + Y.", "E0312", "nothing gives `Y` a value"),
        ("q(X) :- p(X), X < _ + 1.", "E0312", "of its own"),
        ("q(X) :- p(X), X < a + 1.", "E0312", "`a` is no number"),
        ("q(X) :- p(X), X < -'1'.", "E0312", "between quotes a number is a text"),
        ("q(X) :- r(Z), X = Y + 1, Y = X + 1.", "E0313", "`Y`, `X` wait for each other's values"),
        ("q(X) :- X = X + 1.", "E0313", "`X` is calculated from itself"),
        ("q(X) :- p(X), Y = X-1, p(Y).", "E0314", "`X - 1`"),
        ("q(X) :- p(X), 0 < X-.", "E0314", "`X - …`"),
        ("q(X-1) :- p(X-1), X-1 < 3, r(X).", "", ""),
        ("q(X) :- p(X), Y-1 = X + 1, !r(Y-1).", "", ""),
    ] {
        let (found, text) = codes(rule);
        let real: Vec<&str> = found.into_iter().filter(|c| *c != "E0503").collect();
        let expected: Vec<&str> = if code.is_empty() { Vec::new() } else { vec![code] };
        assert_eq!(real, expected, "{rule}\n{text}");
        assert!(text.contains(words), "`{words}` is missing in\n{text}");
    }
}

#[test]
fn what_fails_is_shown_as_it_is_written() {
    let (codes, text) = messages("q(X) :- p(X), Y = X + 1, Y * 2 >= 7.", "p(1). ?- q(1).", evaluate_only());
    assert_eq!(codes, ["E0503"], "{text}");
    assert!(text.contains("`2 * 2 >= 7` does not hold"), "{text}");
}

#[test]
fn worlds_and_threads_share_computed_numbers() {
    let data: String = (0..40).map(|i| format!("1 q({}.5) :- p({i}), p({}).\n", i + 1, i + 2)).collect();
    let rules = format!("{PLAIN}q(Z) :- p(X), p(Y), X < Y, Z = (X + Y) / 2 + 0.5.");
    let mut all = Vec::new();
    for threads in [1, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        all.push(pool.install(|| answers(&rules, &data)));
    }
    assert_eq!(all[0].len(), 40);
    assert_eq!(all[0], all[1]);
}
