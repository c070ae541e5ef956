//! Which module a name means where several files define it.

use crate::files::{err, files, nlog, out};

const DATA: (&str, &str) = ("d.db", "<[1,2]> feat(a), <[0,1]> feat(b), bond(a,b), bond(b,a).");

fn by(factor: u32) -> String {
    format!("@module times(x/1, h/1) {{ <{factor}> h(X) :- x(X). }}")
}

/// The plain statements of `t.lrnn`, or the errors.
fn expanded(texts: &[(&str, &str)]) -> Result<String, String> {
    let dir = files(&[texts, &[DATA]].concat());
    let o = nlog(dir.path(), &["check", "--expand", "t.lrnn", "d.db"]);
    if o.status.success() { Ok(out(&o)) } else { Err(err(&o)) }
}

#[test]
fn a_file_has_its_own_modules_first_then_those_that_it_imports() {
    let (two, three, five) = (by(2), by(3), by(5));
    let middle = "import deep. @module twice(x/1, h/1) { @use times(x, y). @use times(y, h). }";
    let import = "import middle. @use times(feat, h). @use twice(feat, g).";
    let texts = |t: &'static str, own: &str| {
        let own = format!("{t} {own}");
        expanded(&[("t.lrnn", &own), ("middle.lrnn", middle), ("deep.lrnn", &two), ("other.lrnn", &three)])
    };
    let twice =
        |factor: u32| format!("<{factor}> y__twice_1(X) :- feat(X).\n<{factor}> g(X) :- y__twice_1(X).\n");
    // What an import imports can be used, too.
    assert_eq!(texts(import, "").expect("fine"), format!("<2> h(X) :- feat(X).\n{}", twice(2)));
    // An own definition wins, and changes nothing in the modules of others, wherever it stands.
    assert_eq!(texts(import, &five).expect("fine"), format!("<5> h(X) :- feat(X).\n{}", twice(2)));
    // So does an import over an import's import.
    let both = texts(import, "import other.").expect("fine");
    assert_eq!(both, format!("<3> h(X) :- feat(X).\n{}", twice(2)));
    // Of two that are as near nobody but the user can say which is meant.
    let text = texts("import deep. import other. @use times(feat, h).", "").expect_err("two of them");
    assert!(text.contains("[E0221]") && text.contains("`times` is a module of 2 files"), "{text}");
    assert!(
        text.contains("t.lrnn:1:") && text.contains("deep.lrnn:1:") && text.contains("other.lrnn:1:"),
        "{text}"
    );
    assert!(texts("import deep. import other.", "").is_ok(), "no use asks for it");
}

#[test]
fn names_inside_of_the_library_are_free() {
    // `gcn` uses `spread` and others; `gae` imports `gcn`.
    let own = "import gnn/gcn. import generative/gae.
        @module spread(x/1, h/1) { @use gcn(x, bonds, h, 2, 2). <1> bonds(X,X) :- x(X). }
        @module links(x/1, h/1) { h(X) :- x(X). }
        @use spread(feat, s). @use links(s, t). @use gae(t, bond, z, link, 2, 2, 2).";
    let text = expanded(&[("t.lrnn", own)]).expect("fine");
    assert!(text.contains("t(X) :- s(X).\n") && text.contains("sum__spread_2("), "{text}");
    // A module that uses itself is one also if another has its name.
    let own = "import gnn/gcn. @module gcn(x/1, h/1) { @use gcn(x, h). } @use gcn(feat, h).";
    let text = expanded(&[("t.lrnn", own)]).expect_err("a cycle");
    assert!(text.contains("the module `gcn` uses itself"), "{text}");
}

#[test]
fn templates_of_one_command_share_their_modules() {
    let (two, three) = (by(2), by(3));
    let dir =
        files(&[DATA, ("a.lrnn", &two), ("b.lrnn", "@use times(feat, h). ?- h(a)."), ("c.lrnn", &three)]);
    let run = |templates: &[&str]| {
        let templates: Vec<&str> = templates.iter().flat_map(|t| ["--template", t]).collect();
        nlog(dir.path(), &[&["check", "--expand"], &templates[..], &["d.db"]].concat())
    };
    assert!(out(&run(&["b.lrnn", "a.lrnn"])).contains("<2> h(X) :- feat(X)."));
    let o = run(&["a.lrnn", "b.lrnn", "c.lrnn"]);
    assert!(!o.status.success() && err(&o).contains("module of 2 files"), "{}", err(&o));
    // A file that is imported and named, too, is one file.
    let dir = files(&[DATA, ("a.lrnn", &two), ("b.lrnn", "import a. @use times(feat, h). ?- h(a).")]);
    let o = nlog(dir.path(), &["check", "--template", "a.lrnn", "--template", "b.lrnn", "d.db"]);
    assert!(o.status.success(), "{}", err(&o));
}

#[test]
fn modules_see_what_their_files_import_and_nothing_else() {
    let layer = "@module layer(x/1, h/1) { @use times(x, h). }";
    let import = "import layers. @use layer(feat, h).";
    let text = expanded(&[("t.lrnn", &format!("{import} {}", by(5))), ("layers.lrnn", layer)]);
    let text = text.expect_err("`layers` imports nothing");
    assert!(text.contains("[E0216]") && text.contains("layers.lrnn:1:"), "{text}");
    // A folder before the library changes imports of the program, not those inside of the library.
    let links = "@module links_parts(x/1) { p(X) :- x(X). }";
    let text = "import gnn/gcn. import gnn/links. @use gcn(feat, bond, h, 2, 2). @use links_parts(h).";
    let dir = files(&[DATA, ("t.lrnn", text), ("lib/gnn/links.lrnn", links)]);
    let o = nlog(dir.path(), &["check", "--expand", "--lib", "lib", "t.lrnn", "d.db"]);
    assert!(o.status.success(), "{}", err(&o));
    assert!(
        out(&o).contains("root__gcn_1(") && out(&o).contains("p__links_parts_2(X) :- h(X)."),
        "{}",
        out(&o)
    );
}
