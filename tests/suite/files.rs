//! Files: imports, folders, examples with queries, splits, the command line.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

pub fn nlog(dir: &Path, args: &[&str]) -> Output {
    nlog_with_input(dir, args, "")
}

pub fn nlog_with_input(dir: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_nlog"))
        .args(args)
        .current_dir(dir)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("nlog starts");
    let written = child.stdin.take().expect("piped").write_all(input.as_bytes());
    // A command that fails early does not read its input.
    drop(written);
    child.wait_with_output().expect("nlog ends")
}

pub fn out(o: &Output) -> String {
    String::from_utf8(o.stdout.clone()).expect("results are text")
}

pub fn err(o: &Output) -> String {
    String::from_utf8(o.stderr.clone()).expect("messages are text")
}

pub fn files(list: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in list {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("inside")).expect("folders can be made");
        fs::write(path, text).expect("files can be written");
    }
    dir
}

const LINEAR: &str = "[rule=identity, atom=identity, aggregation=sum]\n";

#[test]
fn imports_bring_statements_once_and_relative_to_their_file() {
    let dir = files(&[
        ("main.lrnn", &format!("{LINEAR}import lib/a.\nimport lib/b.lrnn.\nq :- p(X), r(X).\n")),
        ("lib/a.lrnn", "import b.\np(X) :- <2> f(X).\n"),
        ("lib/b.lrnn", "r(X) :- <10> f(X).\n"),
        ("facts.db", "<0.5> f(c). ?- q.\n"),
    ]);
    let o = nlog(dir.path(), &["run", "main.lrnn", "facts.db"]);
    assert!(o.status.success(), "{}", err(&o));
    assert!(out(&o).contains("q = 6\n"), "{}", out(&o));
}

#[test]
fn a_file_imported_by_two_templates_is_read_once() {
    let dir = files(&[
        ("c.lrnn", "1.0 q(X) :- a(X)."),
        ("ia.lrnn", "import c."),
        ("ib.lrnn", "import c."),
        ("d.db", "a(x). ?- q(x)."),
    ]);
    let one = nlog(dir.path(), &["run", "ia.lrnn", "d.db"]);
    let two = nlog(dir.path(), &["run", "--template", "ia.lrnn,ib.lrnn", "d.db"]);
    assert!(two.status.success() && !out(&one).is_empty(), "{}", err(&two));
    assert_eq!(out(&one), out(&two));
}

#[test]
fn imports_that_fail_are_located() {
    let dir = files(&[
        ("main.lrnn", "q :- f(X).\nimport lib/missing.\n"),
        ("loop.lrnn", "import again.\nq :- f(X).\n"),
        ("again.lrnn", "import loop.\n"),
        ("facts.db", "f(c). ?- q.\n"),
    ]);
    let o = nlog(dir.path(), &["run", "main.lrnn", "facts.db"]);
    assert_eq!(o.status.code(), Some(1));
    assert!(err(&o).contains("E1002") && err(&o).contains("main.lrnn:2:8"), "{}", err(&o));
    let o = nlog(dir.path(), &["run", "loop.lrnn", "facts.db"]);
    assert_eq!(o.status.code(), Some(1));
    assert!(err(&o).contains("E1004") && err(&o).contains("imports itself"), "{}", err(&o));
}

#[test]
fn a_folder_with_the_reference_names() {
    let dir = files(&[
        ("kb/template.txt", &format!("{LINEAR}0.5 q :- <1> a(X).")),
        ("kb/trainExamples.txt", "1 q :- <0.5> a(c1).\n0 q :- <-1> a(c1).\n"),
        ("kb/valExamples.txt", "1 q :- <0.75> a(c1).\n"),
        ("kb/testExamples.txt", "1 q :- <0.25> a(c1).\n0 q :- <3> a(c1).\n"),
    ]);
    let o = nlog(dir.path(), &["run", "kb", "--epochs", "0", "--predictions", "p.jsonl"]);
    assert!(o.status.success(), "{}", err(&o));
    let text = fs::read_to_string(dir.path().join("p.jsonl")).expect("written");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|l| serde_json::from_str(l).expect("a JSON object per line")).collect();
    let list: Vec<(&str, f64)> = lines
        .iter()
        .map(|l| (l["split"].as_str().expect("text"), l["output"].as_f64().expect("a number")))
        .collect();
    let expected = [("train", 0.25), ("train", -0.5), ("val", 0.375), ("test", 0.125), ("test", 1.5)];
    assert_eq!(list, expected);
    for row in ["train", "validation", "test"] {
        assert!(out(&o).contains(row), "{}", out(&o));
    }
}

#[test]
fn a_folder_tells_what_it_does_not_read() {
    let dir = files(&[
        ("kb/template.txt", "q :- a(X)."),
        ("kb/examples.txt", "1 q :- a(c)."),
        ("kb/trainExample.txt", ""),
        ("kb/README.md", ""),
    ]);
    let o = nlog(dir.path(), &["run", "kb", "--epochs", "0"]);
    assert!(
        o.status.success() && err(&o).contains("W1005") && err(&o).contains("trainExample.txt"),
        "{}",
        err(&o)
    );
    assert!(!err(&o).contains("`README.md`"), "{}", err(&o));
}

#[test]
fn data_with_questions_only_is_data() {
    let dir = files(&[("t.lrnn", "f(a).\nq(X) :- f(X)."), ("q.db", "?- q(a).")]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "q.db"]);
    assert!(o.status.success() && out(&o).starts_with("q(a) = "), "{}{}", out(&o), err(&o));
}

#[test]
fn queries_by_line_and_by_id() {
    let template = format!("{LINEAR}<1> p(X) :- <1> a(X).");
    let dir = files(&[
        ("t.lrnn", &template),
        ("e.txt", "<1> a(c).\n<2> a(c).\n"),
        ("q.txt", "1 p(c).\n0 p(c).\n"),
        ("labelled.txt", "first :- <1> a(c).\nsecond :- <2> a(c).\n"),
        ("by_id.txt", "2 second :- 1 p(c), 0 p(c).\nfirst :- 1 p(c).\n"),
        ("numbered.txt", "m(1.0) :- <1> a(c).\nm('A b') :- <2> a(c).\n"),
        ("by_number.txt", "m(1) :- 0 p(c).\nm('A b') :- 1 p(c).\n"),
        ("twice.txt", "first :- <1> a(c).\nfirst :- <2> a(c).\n"),
        ("wrong_id.txt", "frist :- 1 p(c).\n"),
        ("short.txt", "1 p(c).\n"),
    ]);
    let run = |e: &str, q: &str| {
        nlog(
            dir.path(),
            &["run", "t.lrnn", "--examples", e, "--queries", q, "--epochs", "0", "--predictions", "p.csv"],
        )
    };
    let o = run("e.txt", "q.txt");
    assert!(o.status.success(), "{}", err(&o));
    let read = || fs::read_to_string(dir.path().join("p.csv")).expect("written");
    assert_eq!(read(), "sample,split,query,output,target\ns_0,train,p(c),1,1\ns_1,train,p(c),2,0\n");
    let o = run("labelled.txt", "by_id.txt");
    assert!(o.status.success(), "{}", err(&o));
    let expected = "sample,split,query,output,target\n\
                    s_second,train,p(c),2,1\ns_second,train,p(c),2,0\ns_first,train,p(c),1,1\n";
    assert_eq!(read(), expected);
    let o = run("numbered.txt", "by_number.txt");
    assert!(o.status.success(), "{}", err(&o));
    assert!(read().ends_with("p(c),2,1\n"), "{}", read());
    let o = run("twice.txt", "by_id.txt");
    assert!(err(&o).contains("two examples are called `first`"), "{}", err(&o));
    let o = run("labelled.txt", "wrong_id.txt");
    assert_eq!(o.status.code(), Some(1));
    assert!(err(&o).contains("E0505") && err(&o).contains("did you mean `first`"), "{}", err(&o));
    let o = run("e.txt", "short.txt");
    assert_eq!(o.status.code(), Some(1));
    assert!(err(&o).contains("E0506") && err(&o).contains("1 line of queries for 2 examples"), "{}", err(&o));
}

#[test]
fn data_from_standard_input_and_several_files() {
    let dir =
        files(&[("t.lrnn", &format!("{LINEAR}q(X) :- <2> a(X), b(X).")), ("a.db", "<3> a(c). <4> a(d).")]);
    let o = nlog_with_input(dir.path(), &["run", "t.lrnn", "a.db", "-"], "b(c). ?- q(X), q(d).\n");
    // q(d) cannot be derived: the run fails, nothing is printed.
    assert_eq!(o.status.code(), Some(1));
    assert!(out(&o).is_empty() && err(&o).contains("<stdin>:1"), "{}{}", out(&o), err(&o));
    let o = nlog_with_input(dir.path(), &["run", "t.lrnn", "a.db", "-"], "b(c). ?- q(X).\n");
    assert!(o.status.success(), "{}", err(&o));
    assert_eq!(out(&o), "q(c) = 7    X = c\n");
}

#[test]
fn faults_of_files_and_of_the_command_line() {
    let dir =
        files(&[("t.lrnn", "q :- a(X)."), ("a.db", "a(c). ?- q."), ("empty.db", "\n"), ("none.db", "a(c).")]);
    fs::write(dir.path().join("binary.db"), b"a(c).\n\x7fELF\xff\xfe\0").expect("written");
    let cases: &[(&[&str], i32, &str)] = &[
        (&["run", "t.lrnn", "absent.db"], 1, "E1002"),
        (&["run", "t.lrnn", "binary.db"], 1, "E0504"),
        (&["run", "t.lrnn", "empty.db"], 1, "E0501"),
        (&["run", "t.lrnn", "none.db"], 1, "E0502"),
        (&["run", "."], 1, "holds no template"),
        (&["run"], 2, "no template is given"),
        (&["run", "t.lrnn", "a.db", "--loss", "softentrpy"], 2, "did you mean `softentropy`"),
        (&["run", "t.lrnn", "a.db", "--batch", "0"], 2, "--batch"),
        (&["run", "t.lrnn", "a.db", "--lr", "-1"], 2, "--lr"),
        (&["run", "t.lrnn", "a.db", "--epochs", "many"], 2, "many"),
        (&["run", "t.lrnn", "a.db", "--predictions", "p.xls"], 2, ".csv or .jsonl"),
        (&["run", "t.lrnn", "a.db", "--predictions", "no/such/p.csv"], 1, "E1003"),
        (&["run", "t.lrnn", "a.db", "--rule-activation", "rellu"], 2, "did you mean `relu`"),
        (&["run", "t.lrnn", "a.db", "--predictions", "r.csv", "--report", "r.csv"], 2, "two results"),
        (&["run", "t.lrnn", "a.db", "--report", "t.lrnn"], 2, "it cannot be written too"),
        (&["run", "t.lrnn", "a.db", "--report", "r.txt"], 2, ".json"),
        (&["run", "t.lrnn", "a.db", "--threads", "100000"], 2, "--threads"),
        (&["run", "t.lrnn", "a.db", "--eval-every", "0"], 2, "--eval-every"),
        (&["run", "t.lrnn", "a.db", "--weight-decay", "nan"], 2, "--weight-decay"),
        (&["run", "t.lrnn", "--examples", "none.db"], 1, "E0502"),
        (&["frobnicate"], 2, "frobnicate"),
    ];
    for (args, code, word) in cases {
        let o = nlog(dir.path(), args);
        assert_eq!(o.status.code(), Some(*code), "{args:?}\n{}", err(&o));
        assert!(err(&o).contains(word), "{args:?} lacks {word}\n{}", err(&o));
    }
}

#[test]
fn the_report_holds_what_scripts_rely_on() {
    let dir = files(&[
        ("t.lrnn", "{2} h(X) :- a(X).\n{1,2} q :- h(X)."),
        ("a.db", "1 q :- <0.5> a(c), <2> a(d).\n0 q :- <-1> a(c).\n"),
    ]);
    let o =
        nlog(dir.path(), &["run", "t.lrnn", "a.db", "--epochs", "3", "--seed", "9", "--report", "r.json"]);
    assert!(o.status.success(), "{}", err(&o));
    let text = fs::read_to_string(dir.path().join("r.json")).expect("written");
    let r: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(r["data"], serde_json::json!({"samples": 2, "worlds": 2, "queries": 2, "facts": 3}));
    assert_eq!(r["ground"]["rules"], 6);
    // Per world: facts, then rules, aggregations and atoms of h, then of q.
    assert_eq!(r["graph"]["neurons_unlifted"], (2 + 2 + 2 + 2 + 2 + 1 + 1) + (1 + 3 + 3));
    assert_eq!(r["parameters"]["count"], 4);
    assert_eq!(r["parameters"]["names"], serde_json::json!(["w0", "w1"]));
    assert_eq!(r["train"]["epochs"], 3);
    assert_eq!(r["train"]["history"].as_array().expect("a list").len(), 3);
    assert_eq!(r["seed"], 9);
    for path in [
        "/ground/facts",
        "/ground/seconds",
        "/graph/neurons",
        "/graph/neurons_pruned",
        "/graph/edges",
        "/graph/seconds",
        "/train/epoch_seconds_median",
        "/train/loss",
        "/train/accuracy",
        "/train/auc_roc",
        "/train/auc_pr",
        "/time/parse",
        "/time/ground",
        "/time/build",
        "/time/lift",
        "/time/compile",
        "/time/train",
        "/time/total",
    ] {
        assert!(r.pointer(path).is_some_and(serde_json::Value::is_number), "{path} is missing");
    }
    assert_eq!(r["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(r["settings"]["epochs"], 3);
}

#[test]
fn check_says_what_is_there() {
    let dir = files(&[("t.lrnn", "{2} h(X) :- a(X).\n{1,2} q :- h(X)."), ("a.db", "1 q :- a(c).")]);
    let o = nlog(dir.path(), &["check", "t.lrnn", "a.db"]);
    assert!(
        o.status.success() && err(&o).contains("2 rules, 2 weights with 4 learnable numbers"),
        "{}",
        err(&o)
    );
    let o = nlog(dir.path(), &["check", "t.lrnn"]);
    assert!(o.status.success(), "a template alone can be checked: {}", err(&o));
}
