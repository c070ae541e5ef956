//! Facts with variables between the data: rules without a body, in their world or in all.

use crate::files::{err, files, nlog, out};

#[test]
fn a_fact_with_variables_is_a_rule_of_the_template() {
    let rules = "p(X) :- q(X).\np(X) :- {2} v(X).\n";
    let facts = "<0.3> v(a). v(b).\n";
    let dir = files(&[
        ("t.lrnn", rules),
        ("with.lrnn", &format!("{rules}0.25 q(X).\n<0.5> s(kind:a,Y,Y).\n")),
        (
            "open.db",
            &format!("0.25 q(X).\n<0.5> s(kind:a,Y,Y).\n{facts}?- p(X). ?- s(X,Y,Z). ?- s(kind:X,Y,Y).\n"),
        ),
        ("closed.db", &format!("{facts}?- p(X). ?- s(X,Y,Z). ?- s(kind:X,Y,Y).\n")),
    ]);
    let run = |template: &str, data: &str| {
        let o = nlog(dir.path(), &["run", template, data, "--epochs", "0"]);
        assert!(o.status.success(), "{}", err(&o));
        (out(&o), err(&o))
    };
    let (open, told) = run("t.lrnn", "open.db");
    assert_eq!(open, run("with.lrnn", "closed.db").0);
    assert!(open.lines().count() == 6 && open.contains("s(a,b,b) = 0.5 "), "{open}");
    assert!(told.contains("[W0315]") && told.contains("open.db:1:8"), "{told}");
}

#[test]
fn in_an_example_it_holds_there_alone_and_its_value_is_learned() {
    let dir = files(&[
        (
            "t.lrnn",
            "p(X) :- q(X). [transformation=identity]\np(X) :- r(X). [transformation=identity]\np/1 [transformation=identity]\n",
        ),
        ("ex.txt", "0.5 q(X), r(a), z(c).\nr(a), q(b).\n"),
        ("qu.txt", "2.0 p(c).\n1.0 p(a).\n"),
    ]);
    let run = |epochs: &str| {
        let steps = [
            "--epochs",
            epochs,
            "--loss",
            "mse",
            "--optimizer",
            "sgd",
            "--lr",
            "0.5",
            "--predictions",
            "p.csv",
        ];
        let o = nlog(
            dir.path(),
            &[&["run", "t.lrnn", "--examples", "ex.txt", "--queries", "qu.txt"], &steps[..]].concat(),
        );
        assert!(o.status.success(), "{}", err(&o));
        let text = std::fs::read_to_string(dir.path().join("p.csv")).expect("written");
        let value = |atom: &str| {
            let line = text.lines().find(|l| l.contains(atom)).unwrap_or_else(|| panic!("{atom}: {text}"));
            line.split(',').find_map(|cell| cell.parse::<f64>().ok()).expect("a value")
        };
        (value(",p(c),"), value(",p(a),"))
    };
    // The second example has no `q(X)`: its `p(a)` is the fact `r(a)` alone.
    assert_eq!(run("0"), (0.5, 1.0));
    let (learned, fixed) = run("20");
    assert!((learned - 2.0).abs() < 1e-3 && fixed == 1.0, "{learned} {fixed}");
}

#[test]
fn many_of_them_are_warned_of_in_few_words() {
    let facts: String = (0..9).map(|i| format!("knows(Tom{i},anna).\n")).collect();
    let dir = files(&[("t.lrnn", "q(X) :- knows(X,Y).\n"), ("d.db", &facts)]);
    let o = nlog(dir.path(), &["check", "t.lrnn", "d.db"]);
    let told = err(&o) + &out(&o);
    assert!(o.status.success(), "{told}");
    assert_eq!(told.matches("[W0315]").count(), 3, "{told}");
    assert!(told.contains("and 6 more such facts"), "{told}");
}
