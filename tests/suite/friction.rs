//! What newcomers trip over in PyNeuraLogic 0.9, row by row, and what happens here: a message with a place and a code,
//! or a right result. The numbers are those of the project's list of such rows.
//!
//! | rows | where |
//! |---|---|
//! | 2 to 6, 8, 9, 12 to 16, 21, 22, 28 to 30, 38 | `ROWS`: a message each |
//! | 7 | `shapes_and_values_are_written_differently` |
//! | 22 | also `answers_keep_their_queries` |
//! | 16, 38 | also `what_is_written_as_in_python` |
//! | 17, 18, 19, 20, 35, 37 | `the_command_line_is_plain` |
//! | 27 | `a_program_may_be_changed_after_it_has_answered` |
//! | 31 | `too_large_steps_are_told` |
//! | 32 | `values_are_carried_only_into_weights_that_are_the_same` |
//!
//! These rows are about things that do not exist here, so that nobody can trip over them: 1 and 34 (a Java machine to
//! install and to restart), 10 and 11 (keyword arguments of a Python class, and strings where it wants objects; the
//! same slips in a metadata list are rows 9, 12 and 13), 23 to 25 (Python imports and arguments that documents still
//! show; that our documents show what is, `docs.rs`, `explain.rs` and `tests/examples.rs` make sure), 26 (a call of
//! `build()` that is forgotten: reading builds), 33 (drawing without graphviz: nothing here calls it), 36 (a second
//! grounder: there is one).

use crate::support::{answers, evaluate_only, shown};
use nlog::session::{Session, Settings};
use std::ops::ControlFlow;

/// All that a program gives rise to, checks for habits and training included: codes and texts.
fn told(template: &str, data: &str, settings: Settings) -> (Vec<&'static str>, String) {
    let (session, files, mut out) = Session::from_texts_program(template, data, settings);
    if !nlog::diag::has_errors(&out) {
        out.extend(session.habits(&files));
        let (network, more) = session.build();
        out.extend(more);
        if let Some(network) = network {
            let mut parameters = session.initial_parameters();
            out.extend(session.run(&network, &mut parameters, &mut |_| ControlFlow::Continue(())).err());
        }
    }
    (out.iter().map(|d| d.code.0).collect(), shown(&out, &session))
}

/// Row, template, data, the code that is told, words of the message.
type Row = (u32, &'static str, &'static str, &'static str, &'static [&'static str]);

const ROWS: &[Row] = &[
    (2, "h :- {3,4} f(X).", "1 h :- <[1,2]> f(a).", "E0401", &["{3,4}", "`f/1`", "columns must be 2"]),
    (3, "h :- {3,2} f(X), {4,2} f(X).", "1 h :- <[1,2]> f(a).", "E0401", &["{3}", "{4}"]),
    (4, "h(X) :- {3,2} f(X).\nq :- {1,5} h(X).", "1 q :- <[1,2]> f(a).", "E0401", &["columns must be 3"]),
    (5, "h :- {3,2} f(X).", "[1,0] h :- <[1,2]> f(a).", "E0402", &["the target is {2}", "{3}"]),
    (6, "h :- {3,2} f(X).", "1 h :- <[1,2]> f(a).", "E0402", &["the target is", "{3}"]),
    (8, "h :- {2,2} f(X), e(X,_).", "[1,0] h :- <[1,2]> f(a), e(a,b).", "W0404", &["`*e`"]),
    (9, "h :- f(X). [relu]", "?- h. f(a).", "E0101", &["relu"]),
    (12, "h :- f(X). [foo=bar]", "?- h. f(a).", "E0202", &["`foo`", "`transformation`"]),
    (13, "h :- f(X). [transformation=foobar]", "?- h. f(a).", "E0201", &["template.lrnn:1:", "`relu`"]),
    (14, "h(X) :- f(X. ", "f(a). ?- h(a).", "E0102", &["template.lrnn:1:"]),
    (15, "{3,4 h(X) :- f(X).", "f(a). ?- h(a).", "E0102", &["template.lrnn:1:"]),
    (16, "h(X) :- f(X)\ng(X) :- f(X).", "f(a). ?- h(a).", "E0107", &["full stop"]),
    (16, "h(X) :- f(X). # comment", "f(a). ?- h(a).", "E0104", &["#"]),
    (16, "H(X) :- f(X).", "f(a). ?- h(a).", "E0101", &["`H`", "lower-case letter"]),
    (16, "h(X) :- f(X,\"quoted\").", "f(a,b). ?- h(a).", "E0104", &["single quotes"]),
    (38, "h(X) :- f(X), g(X) | e(X).", "f(a). ?- h(a).", "E0101", &["`|`"]),
    (38, "h(X) :- f(X); g(X).", "f(a). ?- h(a).", "E0104", &["`;`", "commas"]),
    (38, "nice(Anna).\nh(X) :- f(X,Y), nice(Y).", "f(a,anna). ?- h(a).", "W0315", &["`Anna` is a variable"]),
    (38, "h(x) :- f(X).", "f(a). ?- h(x).", "W0308", &["a constant, not the variable"]),
    (38, "h :- f(X).", "f(Anna).", "W0315", &["is a variable", "lower-case"]),
    (21, "h(X) :- f(X).", "f(a). ?- h(z).", "E0503", &["f(z)"]),
    (21, "h(X) :- feat(X), *bond(X,_).", "feat(a). bnod(a,b). ?- h(a).", "E0206", &["bond"]),
    (21, "h(X) :- f(X), @alldif(X).", "f(a). ?- h(a).", "E0204", &["`@alldiff`"]),
    (22, "h(X) :- f(X).", "f(a). ?- 1 h(a), 0 h(z).", "E0503", &["h(z)"]),
    (28, "h :- {2,2,2} f(X).", "f(a). ?- h.", "E01", &["template.lrnn:1:"]),
    (29, "h(X,Y) :- f(X).", "f(a). ?- h(a,a).", "W0302", &["`Y`", "all constants"]),
    (30, "h(X) :- s(X).\nh(X) :- h(Y), e(Y,X).", "s(a). e(a,b). e(b,a). ?- h(b).", "W0701", &["cycle"]),
    (38, "h(X) :- f(X,\"anna\").", "f(a,anna). ?- h(a).", "E01", &["template.lrnn:1:"]),
];

#[test]
fn each_row_has_its_answer() {
    let mut faults = String::new();
    for (row, template, data, code, words) in ROWS {
        let (codes, text) = told(template, data, evaluate_only());
        if !codes.iter().any(|c| c.starts_with(code)) || words.iter().any(|w| !text.contains(w)) {
            faults += &format!("row {row}: {template}\nexpected {code} {words:?}, not {codes:?}\n{text}\n");
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

/// Row 7: a shape is never read as a value; `{2}` is a shape and `2` a value.
#[test]
fn shapes_and_values_are_written_differently() {
    let data = "<[1,2]> f(a). ?- h(a).";
    let value = answers("h(X) :- <2> f(X). [transformation=identity]", data);
    assert_eq!(value[0].1, [2.0, 4.0]);
    let (codes, text) = told("h(X) :- {2} f(X).", data, evaluate_only());
    assert_eq!(codes, ["E0401"], "{text}");
}

/// Row 22: with the queries that fail left out on request, each answer keeps its atom.
#[test]
fn answers_keep_their_queries() {
    let settings = Settings { unprovable: nlog::session::Unprovable::Value(0.0), ..evaluate_only() };
    let data = "<3> f(a). ?- h(z). ?- h(a).";
    let session = crate::support::session("[rule=identity, atom=identity]\nh(X) :- f(X).", data, settings);
    let (network, _, outcome) = crate::support::run(&session);
    let queries: Vec<usize> = network.answers.iter().map(|a| a.query).collect();
    assert_eq!((queries, outcome.values.concat()), (vec![0, 1], vec![0.0, 3.0]));
}

/// Row 31: steps that are too large are told with the epoch and the query, and what helps.
#[test]
fn too_large_steps_are_told() {
    let log = "q :- {1} a(X). [transformation=log]";
    let (codes, text) = told(log, "1.0 q :- <0> a(c).", Settings::default());
    assert!(codes == ["E0801"] && text.contains("facts.db:1") && text.contains("`log`"), "{codes:?}\n{text}");
    let mut settings = Settings::default();
    settings.train.loss = nlog::learn::Loss::Mse;
    settings.train.learning_rate = Some(1e200);
    settings.train.epochs = 20;
    let template = "[rule=identity, atom=identity]\nq :- {1} a(X), {1} b(X). [combination=product]";
    let (codes, text) = told(template, "5.0 q :- <3> a(c), <2> b(c).", settings);
    assert!(codes.contains(&"E0801"), "{codes:?}\n{text}");
    for word in ["epoch", "facts.db:1", "--lr"] {
        assert!(text.contains(word), "`{word}` is missing in\n{text}");
    }
}

/// Rows 16 and 38: words of Python where signs of the language belong.
#[test]
fn what_is_written_as_in_python() {
    for template in ["h(X) :- not f(X).", "h(X) :- f(X) or g(X).", "h(X) :- f(X) and g(X).", "h(X) = f(X)."] {
        let (codes, text) = told(template, "f(a). ?- h(a).", evaluate_only());
        assert!(codes == ["E0101"] && text.contains("template.lrnn:1:"), "{template}: {codes:?}\n{text}");
    }
}

/// Row 27: rules and facts may come after a question; the next answer counts them.
#[test]
fn a_program_may_be_changed_after_it_has_answered() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let script =
        "[rule=identity, atom=identity]\nh(X) :- f(X).\n<2> f(a).\n?- h(a).\nh(X) :- <10> f(X).\n?- h(a).\n";
    let o = crate::files::nlog_with_input(dir.path(), &["repl"], script);
    let text = crate::files::out(&o);
    assert!(o.status.success(), "{text}\n{}", crate::files::err(&o));
    let (first, second) = (text.find("h(a) = 2"), text.find("h(a) = 22"));
    assert!(first.is_some() && second.is_some() && first < second, "{text}");
}

/// Row 32: no weights are read from files yet. Where values pass from one program to the next, in the REPL, a weight
/// keeps its value only if it is written at the same place, with the same shape and the same initial value.
#[test]
fn values_are_carried_only_into_weights_that_are_the_same() {
    let make = |template: &str| crate::support::session(template, "<[1,2]> f(a). ?- q.", evaluate_only());
    let old = make("{3,2} h(X) :- f(X).\n{1,3} q :- h(X).");
    let mut values = old.initial_parameters();
    values.values.fill(7.0);
    let same = make("{3,2} h(X) :- f(X).\n{1,3} q :- h(X).").carry_over(&old.template, &values);
    assert!(same.values.iter().all(|x| *x == 7.0), "{:?}", same.values);
    let wider = make("{4,2} h(X) :- f(X).\n{1,4} q :- h(X).").carry_over(&old.template, &values);
    assert!(wider.values.iter().all(|x| *x != 7.0), "{:?}", wider.values);
}

/// Rows 17 to 20, 35 and 37, at the command line: a missing file is named, no query and no fact are told, and results
/// are all there is on standard output.
#[test]
fn the_command_line_is_plain() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nlog"));
        let o = command.args(args).current_dir(dir.path()).env("NO_COLOR", "1").output().expect("nlog runs");
        (
            o.status.success(),
            String::from_utf8_lossy(&o.stdout).into_owned() + "|" + &String::from_utf8_lossy(&o.stderr),
        )
    };
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    write("t.lrnn", "h(X) :- f(X). [transformation=identity]\n");
    write("none.db", "f(a).\n");
    write("empty.db", "");
    write("good.db", "<2> f(a). ?- h(a).\n");
    for (args, word) in [
        (["run", "missing.lrnn", "good.db"], "missing.lrnn"),
        (["run", "t.lrnn", "none.db"], "E0502"),
        (["run", "t.lrnn", "empty.db"], "E0501"),
    ] {
        let (success, text) = run(&args);
        assert!(!success && text.contains(word), "{args:?}\n{text}");
    }
    // Row 20: examples that ask nothing, with the reference engine's files.
    write("examples.txt", "f(a).\n");
    let (success, text) = run(&["run", "t.lrnn", "--examples", "examples.txt"]);
    assert!(!success && text.contains("E0502") && text.contains("--queries"), "{text}");
    // Row 35: metrics need no names, all that fit are reported; other choices are refused with a list.
    write("labelled.db", "<2> f(a). ?- 0.5 h(a).\n");
    let report = ["run", "t.lrnn", "labelled.db", "--loss", "mse", "--epochs", "0", "--report", "r.json"];
    let (success, text) = run(&report);
    let json = std::fs::read_to_string(dir.path().join("r.json")).unwrap_or_default();
    assert!(success && json.contains("\"mae\": 1.5"), "{text}\n{json}");
    for choice in ["--loss", "--optimizer", "--init", "--aggregation"] {
        let (success, text) = run(&["run", "t.lrnn", "good.db", choice, "Metric.MAE"]);
        assert!(!success && text.contains("Metric.MAE") && text.contains(", `"), "{choice}\n{text}");
    }
    let (success, text) = run(&["run", "t.lrnn", "good.db", "--loss", "mea"]);
    assert!(!success && text.contains("`mea`") && text.contains("did you mean"), "{text}");
    let (success, text) = run(&["run", "t.lrnn", "good.db"]);
    assert!(success && text.starts_with("h(a) = 2\n|"), "{text}");
}
