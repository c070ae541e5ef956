//! Folders of `--lib`, defaults that imports bring along, modules that share a result, and what the documentation of
//! modules tells to write.

use crate::files::{err, files, nlog, out};
use nlog::io::library::BUILT_IN;

#[test]
fn a_folder_of_lib_must_be_there() {
    let dir = files(&[("t.lrnn", "q :- f(X).\n"), ("d.db", "f(a). ?- q.\n")]);
    let commands: [&[&str]; 8] = [
        &["run", "t.lrnn", "d.db"],
        &["check", "t.lrnn", "d.db"],
        &["lift", "t.lrnn", "d.db"],
        &["plan", "t.lrnn", "d.db"],
        &["repl", "t.lrnn", "d.db"],
        &["repl"],
        &["lib"],
        &["lib", "show", "gnn/gcn"],
    ];
    for command in commands {
        for (folder, why) in [("nodir", "there is no such folder"), ("t.lrnn", "it is no folder")] {
            let o = nlog(dir.path(), &[command, &["--lib", ".", "--lib", folder]].concat());
            assert!(o.status.code() == Some(1) && out(&o).is_empty(), "{command:?} {}", err(&o));
            let words = format!("[E1002] Error: cannot read `{folder}`, a folder of `--lib`: {why}");
            assert!(err(&o).contains(&words), "{command:?} {}", err(&o));
        }
        assert!(nlog(dir.path(), &[command, &["--lib", "."]].concat()).status.success(), "{command:?}");
    }
}

#[test]
fn files_of_a_folder_that_cannot_be_used_are_told() {
    let dir = files(&[
        ("own/fine.lrnn", "%% Twice as much.\n@module fine(x/1, h/1) { <2> h(X) :- x(X). }\n"),
        ("own/torn.lrnn", "@module torn(x/1, h/1) { h(X) :- x(X). }\nq :- f(X\n"),
        ("own/deep/latin.lrnn", ""),
        // Hides the one of the standard library.
        ("own/gnn/gcn.lrnn", "@module gcn(x/1 { }\n"),
        ("t.lrnn", "import fine.\n@use fine(f, h).\n"),
    ]);
    std::fs::write(dir.path().join("own/deep/latin.lrnn"), b"% \xe9\n").expect("written");
    let run = |args: &[&str]| nlog(dir.path(), &[args, &["--lib", "own"]].concat());
    let o = run(&["lib"]);
    assert_eq!(o.status.code(), Some(1));
    let (list, errors) = (out(&o), err(&o));
    assert!(list.starts_with("fine  fine(x/1, h/1)\n    Twice as much.\n"), "{list}");
    assert!(
        list.contains("\ngnn/sage  sage(") && !list.contains("torn") && !list.contains("gnn/gcn  "),
        "{list}"
    );
    for words in ["own/torn.lrnn:2:", "[E0504]", "own/deep/latin.lrnn", "own/gnn/gcn.lrnn:1:"] {
        assert!(errors.contains(words), "`{words}` is missing in\n{errors}");
    }
    // What is asked for is shown all the same; if it is not there, the faults may be the reason.
    let o = run(&["lib", "show", "fine"]);
    assert!(o.status.success() && out(&o).contains("<2> h(X)") && err(&o).is_empty(), "{}", err(&o));
    let o = run(&["lib", "show", "torn"]);
    assert_eq!((o.status.code(), out(&o).as_str()), (Some(2), ""));
    assert!(err(&o).contains("own/torn.lrnn:2:") && err(&o).contains("no module `torn`"), "{}", err(&o));
    // A template that imports none of them has nothing to do with them.
    let o = run(&["check", "t.lrnn", "--expand"]);
    assert!(o.status.success() && out(&o) == "<2> h(X) :- f(X).\n" && err(&o).is_empty(), "{}", err(&o));
}

#[test]
fn an_unknown_module_has_a_near_one() {
    let dir = files(&[]);
    for (name, help) in [("gnn/gcnn", "did you mean `gnn/gcn`?"), ("nosuch", "`nlog lib` lists all modules")]
    {
        let o = nlog(dir.path(), &["lib", "show", name]);
        assert_eq!((o.status.code(), out(&o).as_str()), (Some(2), ""));
        assert!(err(&o).contains(&format!("no module `{name}`")) && err(&o).contains(help), "{}", err(&o));
    }
}

/// What `nlog check t.lrnn` says of imported defaults: the rest of each message's first line, and all of it.
fn defaults(texts: &[(&str, &str)]) -> (Vec<String>, String) {
    let data = ("d.db", "<1> f(a). ?- q.\n");
    let dir = files(&[texts, &[data]].concat());
    let o = nlog(dir.path(), &["check", "t.lrnn", "d.db"]);
    let text = err(&o);
    assert!(o.status.success(), "{text}");
    let titles = text.lines().filter_map(|l| l.strip_prefix("[W0319] Warning: "));
    (titles.map(String::from).collect(), text)
}

#[test]
fn defaults_of_imports_are_told() {
    let own = "import base.\nq :- h(X).\n";
    let base = ("base.lrnn", "[rule=relu, atom=leakyrelu(0.1)]\nh(X) :- f(X).\n");
    let all =
        "`base.lrnn` states defaults that count for the whole program: `[rule=relu, atom=leakyrelu(0.1)]`";
    let (found, text) = defaults(&[("t.lrnn", own), base]);
    assert_eq!(found, [all], "{text}");
    for place in ["t.lrnn:1:8", "base.lrnn:1:2", "so this import changes what `t.lrnn` means"] {
        assert!(text.contains(place), "`{place}` is missing in\n{text}");
    }
    // The warning speaks the truth: the value of `q` is that of these defaults, and of `tanh` without them.
    let value = |base: &str| {
        let dir = files(&[("t.lrnn", own), ("base.lrnn", base), ("d.db", "<-1> f(a). ?- q.\n")]);
        out(&nlog(dir.path(), &["run", "t.lrnn", "d.db"]))
    };
    assert_eq!(value("[rule=identity, atom=identity]\nh(X) :- f(X).\n"), "q = -1\n");
    assert!(value("h(X) :- f(X).\n").starts_with("q = -0.5"), "{}", value("h(X) :- f(X).\n"));
    // Stated with the same value, anywhere, or behind the import, where it is what counts.
    let mixed = "[rule=relu]\nimport base.\n[atom=tanh]\nq :- h(X).\n";
    assert!(defaults(&[("t.lrnn", mixed), base]).0.is_empty());
    let (found, _) = defaults(&[("t.lrnn", "[rule=relu, atom=tanh]\nimport base.\nq :- h(X).\n"), base]);
    assert_eq!(found, [all.replace("rule=relu, ", "")]);
    // Files of imports and defaults leave all to others; nothing but defaults is what a file is imported for.
    assert!(defaults(&[("t.lrnn", "import base.\n[aggregation=sum]\n"), base, ("x.lrnn", "")]).0.is_empty());
    assert!(
        defaults(&[("t.lrnn", "import only.\nq :- f(X).\n"), ("only.lrnn", "[rule=relu]\n")]).0.is_empty()
    );
    // An import's import counts as well, and is told once, nearest to the program.
    let (found, text) = defaults(&[
        ("t.lrnn", "import mid.\nq :- g(X).\n"),
        ("mid.lrnn", "import base.\ng(X) :- h(X).\n"),
        base,
    ]);
    assert!(found == [all] && text.contains("t.lrnn:1:8"), "{text}");
    let (found, text) = defaults(&[
        ("t.lrnn", "import mid.\n"),
        ("mid.lrnn", "import base.\ng(X) :- h(X).\nq :- g(X).\n"),
        base,
    ]);
    assert!(found == [all] && text.contains("mid.lrnn:1:8"), "{text}");
}

/// The messages of `nlog check` about modules that share a result.
fn shared(template: &str) -> Vec<String> {
    let modules = "@module one(x/1, h/1) { {2,2} h(X) :- x(X). h/1 [transformation=relu] }
         @module two(x/1, h/1) { {2,2} h(X) :- x(X). h/1 [transformation=relu] }
         @module both(x/1, h/1) { @use one(x, h). @use two(x, h). }\n";
    let text = format!("{modules}{template}\n{{1,2}} q :- h(X).\n");
    let dir = files(&[("t.lrnn", &text), ("d.db", "<[1,2]> f(a). <[2,1]> g(a). ?- q.\n")]);
    let o = nlog(dir.path(), &["check", "t.lrnn", "d.db"]);
    assert!(o.status.success(), "{}", err(&o));
    let all = err(&o);
    let parts = all.split("[W0320] Warning: ").skip(1).map(String::from);
    parts.collect()
}

#[test]
fn modules_with_one_result_are_told() {
    let found = shared("@use one(f, h).\n@use two(g, h).");
    let [text] = &found[..] else { panic!("{found:?}") };
    assert!(text.starts_with("two uses derive `h/1`: their results are added up\n"), "{text}");
    for place in ["t.lrnn:5:1", "this use adds its result", "to that of this one", "`h/1 [combination=sum]`"]
    {
        assert!(text.contains(place), "`{place}` is missing in\n{text}");
    }
    // In turns of a loop as well, once.
    assert_eq!(shared("@for P in {f, g} { @use one(P, h). @use two(P, h). }").len(), 1);
    for meant in [
        // One module for several relations.
        "@use one(f, h). @use one(g, h).",
        "@for P in {f, g} { @use one(P, h). }",
        // A module that does it itself.
        "@use both(f, h).",
        // It is said.
        "@use one(f, h). @use two(g, h). h/1 [combination=sum]",
        // Rules of the program are no uses.
        "@use one(f, h). {2,2} h(X) :- g(X). h/1 [transformation=relu]",
        // Other predicates.
        "@use one(f, h). @use two(h, k). {2,2} q :- k(X).",
    ] {
        assert!(shared(meant).is_empty(), "{meant}");
    }
}

/// What the documentation of a module has between backquotes.
fn quoted(text: &str) -> String {
    let lines = text.lines().filter_map(|l| l.strip_prefix("%%")).collect::<Vec<_>>().join(" ");
    let code = lines.split('`').skip(1).step_by(2);
    code.filter(|c| c.contains(":-") || c.contains('[')).map(|c| format!("{c}\n")).collect()
}

/// Scores by the families that the documentation of knowledge bases tells to write.
#[test]
fn families_of_embeddings_are_as_documented() {
    let relation =
        |d: u32| format!("$r[R]={{{d}}} relation(R) :- *link(R).\nrelation/1 [transformation=identity]\n");
    let facts = "land(spain), land(france), link(borders). known(spain,borders,france).\n?- score(spain,borders,france).\n";
    for (name, call, relation) in [
        ("kbe", "kbe(known, entity, relation, score, 4)", relation(4)),
        ("transe", "transe(entity, relation, score, 4)", relation(4)),
        ("distmult", "distmult(entity, relation, score)", relation(4)),
        ("rescal", "rescal(entity, relation, score)", String::new()),
        ("complex", "complex(entity, relation, score, 4)", relation(8)),
        ("rotate", "rotate(entity, relation, score, 4)", relation(4)),
    ] {
        let (_, text) = BUILT_IN.iter().find(|(p, _)| *p == format!("kb/{name}")).expect("it is there");
        let code = quoted(text);
        assert!(code.contains("$e[X]="), "{name}: {code}");
        let template = format!("import kb/{name}.\n{code}{relation}@use {call}.\n");
        let dir = files(&[("t.lrnn", &template), ("d.db", facts)]);
        let o = nlog(dir.path(), &["run", "t.lrnn", "d.db"]);
        let value = out(&o);
        let value = value.strip_prefix("score(spain,borders,france) = ").map(|v| v.trim().parse::<f64>());
        assert!(matches!(value, Some(Ok(v)) if v.is_finite() && v != 0.0), "{name}: {value:?} {}", err(&o));
        assert!(err(&o).is_empty(), "{name}: {}", err(&o));
    }
}

#[test]
fn a_relation_of_rescal_is_a_matrix() {
    let template = |relation: &str, asked: &str| {
        format!(
            "import kb/rescal.\n{{3}} entity(a).\n{{3}} entity(b).\n{{{relation}}} relation(r).\n\
             @use rescal(entity, relation, score{asked}).\n"
        )
    };
    for asked in ["", ", asked"] {
        for (relation, fine) in [("3,3", true), ("3", false)] {
            let text = template(relation, asked);
            let dir = files(&[("t.lrnn", &text), ("d.db", "asked(a,r,b). ?- score(a,r,b).\n")]);
            let o = nlog(dir.path(), &["run", "t.lrnn", "d.db"]);
            assert_eq!(o.status.success(), fine, "{}", err(&o));
            if !fine {
                let words = ["[E0403]", "{3} has 3 elements", "in `rescal`, used here"];
                assert!(words.iter().all(|w| err(&o).contains(w)), "{}", err(&o));
            }
        }
    }
}
