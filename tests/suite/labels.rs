//! Labels from a table: `--queries FILE.csv`.

use crate::files::{err, files, nlog, out};
use std::fs;

const TEMPLATE: &str = "{1} label(X) :- {1} node(X).\nlabel/1 {1}\n";

#[test]
fn a_table_of_queries_says_what_the_text_says() {
    let dir = files(&[
        ("t.lrnn", TEMPLATE),
        ("node.csv", "id,value\na,1\nb,2\nc,-1\nd,-2\n"),
        ("label.train.csv", "id,target\na,1\nc,0\n"),
        ("label.test.csv", "id,target\nb,1\nd,0\n"),
        ("train.txt", "1 label(a), 0 label(c).\n"),
        ("test.txt", "1 label(b), 0 label(d).\n"),
        ("label.csv", "id\nb\n"),
    ]);
    let run = |train: &str, test: &str| {
        let files = ["run", "t.lrnn", "node.csv", "--queries", train, "--test-queries", test];
        let o = nlog(dir.path(), &[&files[..], &["--epochs", "5", "--predictions", "p.csv"]].concat());
        assert!(o.status.success(), "{}", err(&o));
        let text = fs::read_to_string(dir.path().join("p.csv")).expect("written");
        let row = |l: &str| l.split_once(',').map(|(_, rest)| rest.to_string());
        (
            out(&o).lines().rev().take(5).map(str::to_string).collect::<Vec<_>>(),
            text.lines().map(row).collect::<Vec<_>>(),
        )
    };
    let table = run("label.train.csv", "label.test.csv");
    assert_eq!(table, run("train.txt", "test.txt"));
    assert_eq!(table.1.len(), 5);
    assert!(
        table.1[4].as_ref().is_some_and(|r| r.starts_with("test,label(d),") && r.ends_with(",0")),
        "{table:?}"
    );
    // Without a target it asks.
    let o = nlog(dir.path(), &["run", "t.lrnn", "node.csv", "--queries", "label.csv"]);
    assert!(o.status.success() && out(&o).starts_with("label(b) = "), "{}{}", out(&o), err(&o));
}

#[test]
fn targets_may_be_vectors() {
    let dir = files(&[
        ("t.lrnn", "{2,1} label(X) :- node(X).\n"),
        ("node.csv", "id,value\na,1\nb,2\n"),
        ("label.csv", "id,target.1,target.0\na,0,1\nb,1,0\n"),
    ]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "node.csv", "--queries", "label.csv", "--epochs", "1"]);
    assert!(o.status.success() && out(&o).contains("target [1,0]"), "{}{}", out(&o), err(&o));
}

#[test]
fn faults_of_tables_of_queries_have_their_place() {
    let dir = files(&[
        ("t.lrnn", TEMPLATE),
        ("ex.txt", "node(a).\n"),
        ("node.csv", "id,value\na,1\n"),
        ("label.csv", "id,target\na,yes\n"),
        ("label.gap.csv", "id,target.1\na,1\n"),
        ("Bad.csv", "id,target\na,1\n"),
    ]);
    for (queries, more, code, word) in [
        ("label.csv", &["node.csv"][..], "E0518", "label.csv:2:3"),
        ("label.gap.csv", &["node.csv"], "E0517", "`target.0`"),
        ("Bad.csv", &["node.csv"], "E0519", "`Bad`"),
        ("label.csv", &["--examples", "ex.txt"], "E1002", "which example"),
    ] {
        let o = nlog(dir.path(), &[&["run", "t.lrnn", "--queries", queries], more].concat());
        let text = err(&o);
        assert!(
            o.status.code() == Some(1) && text.contains(code) && text.contains(word),
            "{queries}: {text}"
        );
    }
}
