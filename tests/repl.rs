//! The REPL as a script reader: what goes in, what comes out.

// Tests write files to load.
#![allow(clippy::disallowed_methods)]

use nlog::cli::args::{Cli, Command as Chosen};
use nlog::console::options::SettingArgs;
use nlog::io::Inputs;
use nlog::repl::engine::{Engine, Output, Reply};
use nlog::session::Settings;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

struct Transcript {
    out: String,
    err: String,
    code: i32,
}

impl Transcript {
    fn messages_have(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(self.err.contains(part), "`{part}` is not among the messages:\n{}", self.err);
        }
        self
    }
}

fn repl_with(args: &[&str], script: &[u8]) -> Transcript {
    let mut child = Command::new(env!("CARGO_BIN_EXE_nlog"))
        .arg("repl")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("nlog starts");
    // It may refuse its arguments before it reads.
    let _ = child.stdin.take().expect("piped").write_all(script);
    let output = child.wait_with_output().expect("nlog ends");
    Transcript {
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
        code: output.status.code().expect("it ended by itself"),
    }
}

fn repl(script: &str) -> Transcript {
    repl_with(&[], script.as_bytes())
}

/// A script that must succeed without a message.
fn answers(script: &str) -> String {
    let t = repl(script);
    assert_eq!((t.code, t.err.as_str()), (0, ""), "{}", t.out);
    t.out
}

const PATHS: &str = "\
[rule=identity, atom=identity]
edge(a,b). edge(b,c).
path(X,Y) :- edge(X,Y).
0.5 path(X,Z) :- edge(X,Y), path(Y,Z).
";

#[test]
fn nothing_gives_nothing() {
    for script in ["", "\n\n", "% only a comment", "/* one\n:help\n*/ % two\n"] {
        assert_eq!(answers(script), "", "{script:?}");
    }
}

#[test]
fn clauses_are_added_and_questions_answered() {
    let script = format!(
        "{PATHS}?- path(a,X).\n?- edge(a,b), edge(X,c).\n<0.25> edge(c,d).\n?- edge(c,d).\n?- path(X,d)."
    );
    assert_eq!(
        answers(&script),
        "path(a,b) = 1    X = b\n\
         path(a,c) = 1    X = c\n\
         edge(a,b) = 1\n\
         edge(b,c) = 1    X = b\n\
         edge(c,d) = 0.25\n\
         path(c,d) = 0.25    X = c\n\
         path(b,d) = 0.625    X = b\n\
         path(a,d) = 0.8125    X = a\n"
    );
}

#[test]
fn statements_may_go_on_over_lines_and_share_one() {
    let script = "\
[rule=identity, atom=identity]
a(1). a(2). b(X) :-
    % in between
    a(X)
    .
big(X) :-
  a(X), @gt(X,1).
  [transformation=square]
?- b(X).
?-
  big(X).";
    assert_eq!(answers(script), "b(1) = 1    X = 1\nb(2) = 1    X = 2\nbig(2) = 1    X = 2\n");
}

#[test]
fn files_are_added_once() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| dir.path().join(name).display().to_string();
    let write = |name: &str, text: &str| std::fs::write(at(name), text).expect("written");
    write("rules.lrnn", "import mod. <2> out(X) :- feat(X).  [transformation=identity] ?- 1 out(a).");
    write("mod.lrnn", "@module times(x/1, h/1) { <3> h(X) :- x(X).  [transformation=identity] }");
    write("both.lrnn", "import rules. import mod. feat(a).");
    let (rules, both) = (at("rules"), at("both"));
    for script in [
        format!("feat(a).\nimport '{rules}'.\nimport '{rules}'.\n:answers\n"),
        format!("import '{rules}', '{both}'.\n:answers\n"),
        format!("import '{both}'.\n:load '{rules}.lrnn'\nimport '{rules}'.\n:answers\n"),
    ] {
        let all = repl(&script);
        let lines: Vec<&str> = all.out.lines().filter(|l| l.starts_with("out(a)")).collect();
        assert!(lines.len() == 1 && lines[0].starts_with("out(a) = 2 "), "{script}\n{}{}", all.out, all.err);
    }
    // What two imports of one entry import is one file.
    let all = repl("import gnn/gcn, gnn/sg.\nx(a), e(a,a).\n@use links(x, e, n).\n?- n(a,a).\n");
    assert!(all.out.starts_with("n(a,a) = 1\n"), "{}{}", all.out, all.err);
    // Settings stay, also where imports are looked for.
    let folder = dir.path().display().to_string();
    let all = repl_with(
        &["--lib", &folder],
        b"import mod.\n:clear\nfeat(a).\nimport mod.\n@use times(feat, h).\n?- h(a).\n",
    );
    assert!(all.code == 0 && all.out.starts_with("h(a) = 3\n"), "{}{}", all.out, all.err);
}

#[test]
fn files_that_changed_are_read_again_if_they_hold_modules_only() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("m.lrnn");
    let import = format!("import '{}'.", file.display());
    let module = |factor: u32| {
        format!("@module times(x/1, h/1) {{ <{factor}> h(X) :- x(X).  [transformation=identity] }}")
    };
    let mut engine = engine();
    let mut enter = |text: &str| engine.enter(text);
    enter("feat(a).");
    std::fs::write(&file, module(2)).expect("written");
    assert!(!enter(&import).failed());
    assert!(!enter("@use times(feat, h).").failed());
    std::fs::write(&file, module(4)).expect("written");
    assert!(!enter(&import).failed());
    assert!(!enter("@use times(feat, g).").failed());
    let shown = |reply: Reply| {
        let texts = reply.outputs.into_iter().map(|o| match o {
            Output::Result(text) | Output::Message(text) => text,
            Output::Diagnostic(d) => d.title,
        });
        texts.collect::<String>()
    };
    assert!(shown(enter("?- h(a).")).starts_with("h(a) = 2\n"));
    assert!(shown(enter("?- g(a).")).starts_with("g(a) = 4\n"));
    // An own module can be stated anew, too.
    assert!(!enter(&module(7)).failed());
    assert!(!enter(&module(8)).failed());
    assert!(!enter("@use times(feat, f).").failed());
    assert!(shown(enter("?- f(a).")).starts_with("f(a) = 8\n"));
    // So in a script, which is one text.
    let script = format!("feat(a).\n{}\n{}\n@use times(feat, f).\n?- f(a).\n", module(7), module(8));
    assert_eq!(answers(&script), "f(a) = 8\n");
    // Rules cannot be taken back.
    std::fs::write(&file, module(5) + " p(a).").expect("written");
    let reply = enter(&import);
    assert!(reply.failed() && shown(reply).contains("has changed since it was read"));
}

#[test]
fn modules_and_loops_are_statements() {
    let script = "import gnn/gcn.\n<[1,0]> f(a), <[0,1]> f(b), e(a,b), e(b,a).\n\
        @use gcn(f, e, l0, 2, 2).\n$w={2,2} t(X) :- l0(X).\n\
        @for L in 1..2 {\n  $w l@L(X) :- l@{L-1}(X).\n}\n?- l2(X).\n\
        @module m(x/1, h/1) {\n  a(X) :- x(X). h(X) :- a(X).\n}\n@use m(l2, g). @use m(g, h).\n?- h(a).\n";
    let all = repl(script);
    assert_eq!(all.err.matches("[E").count(), 0, "{}", all.err);
    assert_eq!(all.out.lines().filter(|l| l.starts_with("l2(")).count(), 2, "{}", all.out);
    assert_eq!(all.out.lines().filter(|l| l.starts_with("h(a)")).count(), 1, "{}", all.out);
    // A module of one's own wins over that of an import, in the program only.
    let script = "import generative/gae.\n<[1,0]> f(a), <[0,1]> f(b), e(a,b), e(b,a).\n\
        @module gcn(x/1, h/1) { <3> h(X) :- x(X).  [transformation=identity] }\n\
        @use gcn(f, own).\n@use gae(f, e, z, link, 2, 2, 2).\n?- own(a).\n?- link(a,b).\n";
    let all = repl(script);
    assert!(
        all.err.is_empty() && all.out.starts_with("own(a) = [3,0]\nlink(a,b) = "),
        "{}{}",
        all.out,
        all.err
    );
    repl("@use gcn(f, e, h, 2, 2).\n").messages_have(&["<stdin>:1:6", "`import gnn/gcn.` brings it in"]);
    let fault =
        "@module m(x/1, h/1) { h(X) :- x(X). [activation=tahn] }\nf(a).\n@use m(f, h).\n@use m(f, h).\n";
    repl(fault).messages_have(&["did you mean `tanh`?", "in `m`, used here"]);
}

#[test]
fn a_script_without_a_final_newline_is_read_to_its_end() {
    assert_eq!(answers("a(1).\n?- a(X)."), "a(1) = 1    X = 1\n");
    let t = repl("a(1).\n?- a(X)");
    assert_eq!((t.code, t.out.as_str()), (1, ""));
    t.messages_have(&["E0107", "<stdin>:2:"]);
}

#[test]
fn training_changes_an_answer_and_added_clauses_do_not_undo_it() {
    let script = format!(
        "{PATHS}:set lr 0.05\n?- path(a,c).\n?- 0.0 path(a,c).\n:train 30\n?- path(a,c).\n:weights\n\
         0.25 more(X) :- path(X,Y).\nedge(x,y).\n:weights\n?- path(a,c).\n:reset\n?- path(a,c).\n"
    );
    let t = repl(&script);
    assert_eq!(t.code, 0, "{}", t.err);
    t.messages_have(&["added: `:train` learns from this query", "initial values"]);
    let lines: Vec<&str> = t.out.lines().collect();
    let value = |line: &str| -> f64 {
        let text = line.split(" = ").nth(1).expect("a value").split_whitespace().next().expect("a number");
        text.parse().expect("a number")
    };
    let asked: Vec<&str> = lines.iter().filter(|l| l.starts_with("path(a,c)")).copied().collect();
    assert_eq!(asked.len(), 5, "{}", t.out);
    assert_eq!(asked[0], asked[4], "reset gives the value of the start");
    assert!(asked[1].ends_with("target 0"), "{}", asked[1]);
    assert!(value(asked[2]) < value(asked[0]) - 0.1, "{}", t.out);
    assert_eq!(asked[2], asked[3], "added clauses change no learned weight");
    assert!(t.out.contains("30 epochs, the kept model is that of epoch 30"), "{}", t.out);
    let weights: Vec<&str> = lines.iter().filter(|l| l.starts_with('w')).copied().collect();
    assert_eq!(weights.len(), 3, "{}", t.out);
    assert_eq!(weights[0], weights[1]);
    assert!(value(weights[0]) < 0.4, "{}", t.out);
    assert_eq!(weights[2], "w1 = 0.25");
}

#[test]
fn training_goes_on_from_the_present_weights() {
    let start = format!("{PATHS}:set optimizer sgd\n:set lr 0.01\n?- 0.0 path(a,c).\n");
    let twice = repl(&format!("{start}:train 5\n:train 5\n?- path(a,c).\n"));
    let once = repl(&format!("{start}:train 10\n?- path(a,c).\n"));
    assert_eq!(twice.out.lines().last(), once.out.lines().last());
}

#[test]
fn before_training_a_script_is_the_same_as_a_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("t.lrnn");
    let text = "{2,2} h(X) :- {2} a(X).\n{1,2} q(X) :- h(X).\nh/1 [transformation=relu]\na(1).\n?- q(1).\n";
    std::fs::File::create(&path).and_then(|mut f| f.write_all(text.as_bytes())).expect("written");
    let run = Command::new(env!("CARGO_BIN_EXE_nlog")).arg("run").arg(&path).output().expect("nlog runs");
    let run = String::from_utf8(run.stdout).expect("text");
    assert_eq!(run.trim_end(), answers(text).trim_end());
}

#[test]
fn shared_weights_may_be_mentioned_later_without_their_value() {
    let script = "[rule=identity, atom=identity]\na(1).\n$w=0.5 p(X) :- a(X).\n$w q(X) :- p(X).\n?- q(1).\n\
                  $w [value=2]\n?- q(1).\n$w [learnable=false]\n:weights w\n";
    assert_eq!(answers(script), "q(1) = 0.25\nq(1) = 4\nw a scalar = 2    fixed\n");
}

#[test]
fn errors_are_placed_and_the_script_goes_on() {
    let script = format!(
        "{PATHS}p(X :- edge(X,Y).\np(X) :- edge(X,Y). [aggregation=mx]\n:trian 5\n:set batch none\n?- path(c,a).\n\
         ?- pth(a,X).\np(X) :- edg(X,Y).\n?- {{3}} path(a,b).\n?- [1,2] path(a,b).\n?- path(b,X).\n"
    );
    let t = repl(&script);
    assert_eq!(t.code, 1);
    assert_eq!(t.out, "no\nno\npath(b,c) = 1    X = c\n");
    t.messages_have(&[
        "`(` is never closed",
        "<stdin>:5:2",
        "`mx` is not an aggregation",
        "<stdin>:6:",
        "there is no command `:trian`",
        "did you mean `:train`?",
        "`:set batch` takes a positive number or `all`, not `none`",
        "<stdin>:8:12",
        "`path(c,a)` cannot be derived",
        "nothing matches `edge(c,a)`",
        "`:set unprovable value:0`",
        "no rule derives `pth/2`",
        "did you mean `path`?",
        "no fact and no rule defines `edg/2`",
        "did you mean `edge`?",
        "a target needs a value, not dimensions",
        "the target is",
    ]);
}

#[test]
fn each_fault_alone_fails() {
    for fault in [
        "a(1",
        "a(1) b(2).",
        "p(X) :- a(X). [transformation=rleu]",
        ":nonsense",
        ":",
        ":load",
        ":load no-such-file.db",
        ":load file.what",
        ":train",
        ":train many",
        ":set epochs -1",
        ":set decay-every 0",
        ":set nothing 3",
        ":set lr 1 2",
        ":weights w9",
        ":facts nothing",
        ":help me",
        ":clear all",
        "?- nothing(X).",
        "?- a(2).",
        "?- @lt(1,2).",
        "?- *a(1).",
        "?- t:a(X).",
        "?- a/2(1).",
        "import nowhere.",
    ] {
        let t = repl(&format!("a(1).\n{fault}\n"));
        assert_eq!(t.code, 1, "{fault}: {}", t.err);
        assert!(t.err.contains("Error"), "{fault}: {}", t.err);
        let after = repl(&format!("a(1).\n{fault}\n:help quit\n?- a(X).\n"));
        assert!(after.out.ends_with("a(1) = 1    X = 1\n") || fault == "a(1", "{fault}: {}", after.out);
    }
}

#[test]
fn an_open_question_without_answer_is_no_error() {
    let t = repl(&format!("{PATHS}?- path(c,X).\n"));
    assert_eq!((t.code, t.out.as_str()), (0, "no\n"));
    t.messages_have(&["Advice", "nothing matches `edge(c,Y)`"]);
}

#[test]
fn a_rule_may_come_before_its_facts() {
    // `edgs` looks misspelt once there is `edge`, and that must not keep `edge` out.
    let t = repl("p(X) :- edgs(X).\nedge(a).\nedgs(b).\n?- p(X).\n?- edge(X).\n");
    assert_eq!(t.code, 0, "{}", t.err);
    assert_eq!(t.out, "p(b) = 0.761594    X = b\nedge(a) = 1    X = a\n");
    t.messages_have(&["Warning", "no fact and no rule defines `edgs/1`"]);
}

#[test]
fn warnings_are_told_once() {
    let t = repl("a(1).\np(X) :- zzz(X).\nb(1).\nb(2).\n?- a(1).\n");
    assert_eq!(t.code, 0);
    assert_eq!(t.err.matches("can never fire").count(), 1, "{}", t.err);
    let cycle = "n(a,b). n(b,a). p(X,Y) :- n(X,Y).\np(X,Z) :- p(X,Y), p(Y,Z).\n";
    let t = repl(&format!("{cycle}?- p(a,X).\n?- p(a,X).\n"));
    assert_eq!(t.err.matches("W0701").count(), 1, "{}", t.err);
}

#[test]
fn files_are_loaded_by_suffix() {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::File::create(&path).and_then(|mut f| f.write_all(text.as_bytes())).expect("written");
        path.display().to_string()
    };
    let rules =
        write("rules with spaces.lrnn", "[rule=identity, atom=identity]\n0.5 p(X) :- a(X).\n?- p(X).\n");
    let facts = write("facts.db", "a(1). <2> a(2).\n?- 1.0 p(1).\n1.0 p(7) :- a(7).\n");
    let broken = write("broken.db", "a(3). a(4");
    let script = format!(
        ":load '{rules}'\n:load {facts}\n?- p(X).\n:load {broken}\n?- a(X).\n:answers\n:train 1\n:facts\n:facts a/1\n:rules\n"
    );
    let t = repl(&script);
    assert_eq!(t.code, 1);
    t.messages_have(&[
        "1 rule, 0 facts, 1 query",
        "0 rules, 3 facts, 1 example, 2 queries",
        "broken.db:1:",
        "E0101",
    ]);
    assert!(
        t.out.starts_with("p(1) = 0.5    X = 1\np(2) = 1    X = 2\na(1) = 1    X = 1\na(2) = 2    X = 2\n"),
        "{}",
        t.out
    );
    assert!(t.out.contains("p(7) = 0.5    target 1"), "{}", t.out);
    assert!(t.out.contains("1 epoch,"), "{}", t.out);
    assert!(t.out.contains("a/1  2  1 in examples\n"), "{}", t.out);
    assert!(t.out.contains("a(1).\n<2> a(2).\n"), "{}", t.out);
    assert!(t.out.ends_with("[rule=identity, atom=identity]\n0.5 p(X) :- a(X).\n"), "{}", t.out);
    // The same files as operands.
    let t = repl_with(&[&rules, &facts], b"?- p(2).\n");
    assert_eq!((t.code, t.out.as_str()), (0, "p(2) = 1\n"), "{}", t.err);
    let t = repl_with(&[&facts], b"?- a(2).\n");
    assert_eq!((t.code, t.out.as_str()), (0, "a(2) = 2\n"), "{}", t.err);
}

#[test]
fn a_wrong_command_line_is_usage_and_a_broken_file_a_fault() {
    let t = repl_with(&["-"], b"");
    assert_eq!(t.code, 2, "{}", t.err);
    let t = repl_with(&["no-such-file.lrnn"], b"");
    assert_eq!(t.code, 1);
    t.messages_have(&["no-such-file.lrnn"]);
    let t = repl_with(&["--loss", "sofentropy"], b"");
    assert_eq!(t.code, 2);
    t.messages_have(&["did you mean `softentropy`?"]);
    let t = repl_with(&[], b"a(1).\n\xff\n");
    assert_eq!(t.code, 1);
    t.messages_have(&["not valid UTF-8"]);
}

#[test]
fn quit_ends_and_clear_forgets() {
    let t = repl("a(1).\n:quit\n?- a(X).\n:nonsense\n");
    assert_eq!((t.code, t.out.as_str(), t.err.as_str()), (0, "", ""));
    let t = repl("a(1).\n?- 1.0 a(1).\n:clear\n:train\n?- a(1).\na(2).\n?- a(X).\n");
    assert!(t.out.ends_with("no\na(2) = 1    X = 2\n"), "{}", t.out);
    t.messages_have(&["E0502"]);
    let t = repl("a(1).\n?- 1.0 a(1).\n:clear queries\n?- a(1).\n");
    assert_eq!(t.code, 0);
    assert!(t.out.ends_with("a(1) = 1\n"), "{}", t.out);
}

#[test]
fn settings_are_listed_and_changed() {
    let out =
        answers(":set lr\n:set lr 0.5\n:set lr\n:set lr default\n:set loss mse\n:set eval_every 3\n:set\n");
    assert!(out.starts_with("lr default\nlr 0.5\n"), "{out}");
    for pair in [["epochs", "100"], ["lr", "default"], ["loss", "mse"], ["eval-every", "3"]] {
        assert!(out.lines().any(|l| l.split_whitespace().eq(pair)), "{pair:?}\n{out}");
    }
    let t =
        repl("p(X) :- a(X).\na(1).\n:set unprovable value:0.25\n?- p(2).\n:set unprovable skip\n?- p(2).\n");
    assert_eq!((t.code, t.out.as_str()), (0, "p(2) = 0.25\nno\n"), "{}", t.err);
}

#[test]
fn the_meaning_of_a_program_can_be_changed() {
    let ask = "?- q.\n:set compat neuralogic\n?- q.\n:set compat off\n?- q.\n";
    let program = "<[1,2]> a(1).\n<[0.5,4]> a(2).\nq :- a(X). [aggregation=max, transformation=identity]\nq/0 [transformation=identity]\n";
    let out = answers(&format!("{program}{ask}"));
    assert!(out.starts_with("q = [1,4]\nq = [0.5,4]\nq = [1,4]\n"), "{out}");
    let t = repl(":set compat java\n");
    assert!(t.err.contains("`neuralogic`"), "{}", t.err);
}

#[test]
fn help_tells_of_every_command() {
    let out = answers(":help\n");
    for topic in nlog::repl::help::TOPICS {
        assert!(out.contains(topic.usage), "{}", topic.usage);
        for name in topic.aliases.iter().chain([&topic.name]) {
            assert!(answers(&format!(":help {name}\n")).starts_with(topic.usage));
        }
    }
}

fn engine() -> Engine {
    let cli = <Cli as clap::Parser>::try_parse_from(["nlog", "repl"]).expect("a command line");
    let Chosen::Repl(args) = cli.command else { panic!("not the REPL") };
    let settings: SettingArgs = args.settings;
    Engine::load(&Inputs::default(), settings, Settings::default()).0
}

/// A reply as text, diagnostics by code only.
fn told(reply: &Reply) -> String {
    let mut text = String::new();
    for output in &reply.outputs {
        match output {
            Output::Result(r) => text += r,
            Output::Message(m) => writeln!(text, "# {m}").expect("text"),
            Output::Diagnostic(d) => writeln!(text, "! {}", d.code).expect("text"),
        }
    }
    text
}

#[test]
fn the_engine_prints_nothing_and_names_its_entries() {
    let mut e = engine();
    assert_eq!(told(&e.enter("a(1).")), "");
    assert_eq!(told(&e.enter("?- a(X).")), "a(1) = 1    X = 1\n");
    let reply = e.enter("b(X) :- a(X), .");
    assert!(reply.failed());
    let Some(Output::Diagnostic(d)) = reply.outputs.first() else { panic!("{reply:?}") };
    assert!(e.sources().place(d.span().expect("a place")).starts_with("<repl:3>:1:"));
    assert_eq!(told(&e.enter("")), "");
    // As pasted: entries of both kinds in one piece.
    assert_eq!(
        told(&e.enter("a(2).\n:set lr\n?- a(X).\n")),
        "lr default\na(1) = 1    X = 1\na(2) = 1    X = 2\n"
    );
    assert!(e.enter(":q").quit);
}

#[test]
fn no_entry_makes_the_engine_panic_or_forget() {
    let pieces = [
        "a(1).",
        "?- a(X).",
        "p(X) :- a(X).",
        "?- 1 p(1).",
        ":train 1",
        "[",
        "]",
        ".",
        ",",
        ":-",
        "?-",
        "$w",
        "{2}",
        "<0.5>",
        "'č",
        "🦀",
        "@",
        "*",
        "!",
        "~",
        ":",
        ":set",
        ":load",
        "%",
        "/*",
        "*/",
        "h/1",
        "=",
        "\0",
        "\"",
        "p(X",
        "0.5",
        "1e999",
        "import",
        "a(_)",
        "a()",
        "\n",
        ":weights",
        ":clear queries",
        ":facts",
        ":reset",
        ":plan",
        "[value=1]",
        "[learnable=false]",
    ];
    let mut state = 7u64;
    let mut next = |n: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % n
    };
    let mut e = engine();
    e.enter("keep(me).");
    for _ in 0..1500 {
        let words: Vec<&str> = (0..1 + next(5)).map(|_| pieces[next(pieces.len())]).collect();
        let text = words.join(["", " "][next(2)]);
        e.enter(&text);
        if next(100) == 0 {
            assert!(told(&e.enter("?- keep(X).")).contains("keep(me) = 1    X = me\n"), "{text}");
        }
    }
}

#[test]
fn a_weight_frozen_after_training_keeps_its_value() {
    let template = "h(X) :- $w=1.0 a(X). [transformation=identity]\nh/1 [transformation=identity]\na(x).\n";
    let out = repl(&format!(
        "{template}:set loss mse\n:set lr 0.1\n?- 5.0 h(x).\n:train 50\n?- h(x).\n$w [learnable=false]\n?- h(x).\n"
    )).out;
    let values: Vec<&str> = out.lines().filter(|l| l.starts_with("h(x) = ")).collect();
    let (before, after) = (values[values.len() - 2], values[values.len() - 1]);
    assert_eq!(before, after, "{out}");
    assert_ne!(before, "h(x) = 1", "{out}");
}

#[test]
fn an_unbound_variable_is_told_once_with_its_price() {
    let t = repl("h(X,Y) :- f(X).\n");
    t.messages_have(&["W0302", "every match of the other literals is taken once for each constant"]);
    let t = repl("f(a). f(b).\nh(X,Y) :- f(X).\n?- h(a,X).\ng(X) :- f(X).\n?- g(a).\n");
    t.messages_have(&["`Y` ranges over all 2 constants: 4 instances of this rule"]);
    assert_eq!(t.err.matches("W0302").count(), 1, "{}", t.err);
}

#[test]
fn members_of_families_come_with_their_facts_and_stay_trained() {
    let t = repl(
        "$e[X]=1 p(X) :- *f(X).\nf(a). f(b).\n?- 0.0 p(a).\n:set lr 0.1\n:train 3\n:weights e[a]\nf(c).\n:weights e[a]\n\
         :weights e[b]\n:weights $e[c]\n$e [value=2]\n:weights e[c]\n:plan\n:rules\n$e p(X) :- f(X).\n?- p(a), p(c).\n",
    );
    let lines: Vec<&str> = t.out.lines().filter(|l| l.starts_with("e[")).collect();
    let [trained, later, b, c, restated] = lines[..] else { panic!("{}{}", t.out, t.err) };
    assert_eq!(trained, later);
    assert!(!trained.ends_with("= 1") && trained.starts_with("e[a] "), "{trained}");
    assert!(b.starts_with("e[b]") && c.starts_with("e[c]"), "{}", t.out);
    assert!(b.ends_with("= 1") && c.ends_with("= 1") && restated.ends_with("= 2"), "{}", t.out);
    assert!(t.out.contains("$e[X]=1 p(X) :- *f(X)."), "{}", t.out);
    t.messages_have(&["E0228"]);
}
