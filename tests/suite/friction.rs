//! What newcomers trip over in PyNeuraLogic 0.9, row by row, and what happens here: a message with a place and a code,
//! or a right result. The numbers are those of the project's list of such rows.
//!
//! Does not apply, as there is one binary and no JVM or Python: 1 (no Java), 10 and 11 (keyword arguments of a Python
//! class), 23 to 25 (imports and arguments that documents still show), 26 (forgotten `build()`), 33 (drawing without
//! graphviz), 34 (restart of the JVM), 36 (a missing grounder). 27 (edits after building) is the REPL's, see `tests/repl.rs`; 32 (weights
//! for another architecture) has no answer yet, as no weights are read from files.

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
    (38, "h :- f(X).", "f(Anna).", "E0111", &["a variable", "lower-case"]),
    (21, "h(X) :- f(X).", "f(a). ?- h(z).", "E0503", &["f(z)"]),
    (21, "h(X) :- feat(X), *bond(X,_).", "feat(a). bnod(a,b). ?- h(a).", "E0206", &["bond"]),
    (21, "h(X) :- f(X), @alldif(X).", "f(a). ?- h(a).", "E0204", &["`alldiff`"]),
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

/// Row 31: a value that is not finite is an error with a code, not a trace.
#[test]
fn too_large_steps_are_told() {
    let (codes, text) =
        told("q :- {1} a(X). [transformation=log]", "1.0 q :- <0> a(c).", Settings::default());
    assert!(codes.contains(&"E0801"), "{codes:?}\n{text}");
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
        (["run", "t.lrnn", "empty.db"], "E050"),
    ] {
        let (success, text) = run(&args);
        assert!(!success && text.contains(word), "{args:?}\n{text}");
    }
    let (success, text) = run(&["run", "t.lrnn", "good.db", "--loss", "mea"]);
    assert!(!success && text.contains("`mea`") && text.contains("did you mean"), "{text}");
    let (success, text) = run(&["run", "t.lrnn", "good.db"]);
    assert!(success && text.starts_with("h(a) = 2\n|"), "{text}");
}
