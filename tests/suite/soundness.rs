//! What must not depend on how a program is computed, and what must not be lost in silence.

use crate::files::{err, files, nlog, out};
use crate::support::{answers, evaluate_only, network, run, session, shown};
use nlog::diag::{Diagnostic, has_errors};
use nlog::graph::lift::Scope;
use nlog::session::{Session, Settings};

const ID: &str = "[rule=identity, atom=identity, aggregation=sum]\n";

/// All that is found, building included, as the user sees it.
pub fn told_with(template: &str, data: &str, settings: Settings) -> (Vec<Diagnostic>, String) {
    let (session, mut found) = Session::from_texts(template, data, settings);
    if !has_errors(&found) {
        found.extend(session.build().1);
    }
    let text = shown(&found, &session);
    (found, text)
}

fn told(template: &str, data: &str) -> String {
    told_with(&format!("{ID}{template}"), data, evaluate_only()).1
}

fn value(template: &str, data: &str) -> Vec<Vec<f64>> {
    answers(&format!("{ID}{template}"), data).into_iter().map(|(_, v)| v).collect()
}

#[test]
fn a_row_and_a_column_do_not_add_up() {
    let data = "<[1,2]> c(a). <[[3,4]]> r(a). ?- q(a).";
    for template in [
        "q(X) :- c(X), r(X).",
        "q(X) :- r(X), c(X). [combination=max]",
        "q(X) :- c(X).\nq(X) :- r(X).",
        "p(X) :- c(X).\np(X) :- r(X).\nq(X) :- p(X).",
    ] {
        let text = told(template, data);
        assert!(
            text.contains("E0401") && text.contains("{2}") && text.contains("{1,2}"),
            "{template}\n{text}"
        );
        assert!(text.contains("transpose one of them"), "{template}\n{text}");
    }
    assert_eq!(value("q(X) :- c(X), transpose(r(X)).", data), [[4.0, 6.0]]);
    // Without data, too.
    let text = told("q(X) :- c(X), r(X).\nc(X) :- u(X), <[1,2]>.\nr(X) :- u(X), <[[3,4]]>.", "");
    assert!(text.contains("E0401"), "{text}");
}

#[test]
fn a_count_takes_groundings_of_any_shapes() {
    let (template, data) = (format!("{ID}q :- f(X). [aggregation=count]"), "<[1,2]> f(a). <3> f(b). ?- q.");
    for lift in [Scope::Off, Scope::Sample, Scope::All] {
        let session = session(&template, data, Settings { lift, ..evaluate_only() });
        assert_eq!(run(&session).2.values, [[2.0]]);
    }
    let text = told("q :- f(X).", data);
    assert!(text.contains("different shapes"), "{text}");
    assert!(text.contains("this fact is {2}") && text.contains("this fact is a scalar"), "{text}");
}

const CYCLIC: &str = "h(a) :- z.\nh(Y) :- att(X,Y).\natt(X,Y) :- h(X), *e(X,Y). [aggregation=softmax(X)]";

#[test]
fn a_group_that_a_cycle_cuts_is_refused_by_the_rule_as_written() {
    let text = told(CYCLIC, "z. e(a,b). e(b,a). e(b,c). e(c,b). ?- h(b).");
    assert!(text.contains("E0707") && text.contains("att(X,Y) :-") && !text.contains("att:"), "{text}");
    // Recursion that ends: into c two ways of equal length, of equal value.
    let text = told(CYCLIC, "z. e(a,b). e(a,d). e(b,c). e(d,c). ?- h(c), att(b,c).");
    assert!(!text.contains("E0707"), "{text}");
    let got = value(CYCLIC, "z. e(a,b). e(a,d). e(b,c). e(d,c). ?- att(b,c), att(d,c).").concat();
    assert!(got.len() == 2 && got.iter().all(|v| (v - 0.5).abs() < 1e-12), "{got:?}");
}

#[test]
fn what_a_grouped_rule_is_made_of_is_not_seen() {
    let rule = "a(X,Y) :- s(X,Y,Z). [aggregation=softmax(Y)]\n";
    let data = "s(x,p,u). s(x,p,v). s(x,q,u). ?- a(x,p). ?- a(x,q).";
    let dir = files(&[("t.lrnn", &format!("{ID}{rule}")), ("d.db", data)]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "d.db", "--semiring", "count"]);
    assert_eq!(out(&o), "a(x,p) = 2\na(x,q) = 1\n", "{}", err(&o));
    // The same sizes as those of the plain rule.
    let plain = "a(X,Y) :- s(X,Y,Z).\n";
    let sizes = |rule: &str| {
        let s = network(&session(&format!("{ID}{rule}"), data, evaluate_only())).statistics;
        (s.ground_rules, s.atoms, s.neurons.total())
    };
    assert_eq!(sizes(rule), sizes(plain));
    let settings = || Settings { max_ground: 2, ..evaluate_only() };
    let (found, text) = told_with(&format!("{ID}{rule}"), data, settings());
    assert_eq!(found[0].code.0, "E0601", "{text}");
    assert_eq!(text.matches("so far").count(), 1, "{text}");
    let text = told("a(X,Y) :- s(X,Y,_), !b(X,Y). [aggregation=softmax(Y)]\nb(X,Y) :- a(X,Y).", data);
    assert!(text.contains("E0301") && !text.contains("a:"), "{text}");
    let settings = Settings { cut_cycles: false, ..evaluate_only() };
    let (_, text) = told_with(&format!("{ID}{CYCLIC}"), "z. e(a,b). e(b,a). ?- h(b).", settings);
    assert!(text.contains("E0703") && !text.contains("att:"), "{text}");
    let unsafe_rule = "a(X,Y) :- s(X,X2,_). [aggregation=softmax(Y)]";
    let text = told(unsafe_rule, data);
    assert!(text.contains("5 constants: 15 instances"), "{text}");
}

#[test]
fn a_typed_wildcard_under_a_negation_keeps_its_type() {
    let template = "a(X) :- c(X), !b(X,metal:_).";
    let data = "c(x). c(y). c(z). b(x,metal:fe). b(y,o). ?- a(X).";
    let names: Vec<String> = answers(&format!("{ID}{template}"), data).into_iter().map(|(a, _)| a).collect();
    assert_eq!(names, ["a(y)", "a(z)"]);
    let text = told(template, "c(x). b(x,metal:fe). ?- a(x).");
    assert!(text.contains("`b(x,_)` holds, so this fails") && !text.contains("b:typed"), "{text}");
}

#[test]
fn numbers_that_no_float_holds_are_not_rounded_in_silence() {
    let data = "p(9007199254740993). p(9007199254740992). ?- q(X).";
    assert_eq!(answers(&format!("{ID}q(X) :- p(X)."), data).len(), 2);
    let dir = files(&[
        ("t.lrnn", &format!("{ID}q(X) :- p(X), r(X).\n")),
        ("p.csv", "id\n9007199254740993\n"),
        ("d.db", "r(9007199254740993). ?- q(X)."),
    ]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "p.csv", "d.db"]);
    assert!(out(&o).contains("q('9007199254740993') = 2"), "{}{}", out(&o), err(&o));
    for data in ["p(1e-400). ?- q(X).", "<1e-400> p(a). ?- q(X)."] {
        let text = told("q(X) :- p(X).", data);
        assert!(text.contains("E0108") && text.contains("read as 0"), "{text}");
    }
    assert_eq!(value("q(X) :- p(X).", "<0e-400> p(a). ?- q(X)."), [[0.0]]);
}

#[test]
fn a_fact_of_template_and_data_with_two_values_is_told() {
    let text = told("<2> p(a).\nq(X) :- p(X).", "<3> p(a). ?- q(a).");
    assert!(text.contains("W0508") && text.contains("template.lrnn:2:"), "{text}");
    assert!(!told("<2> p(a).\nq(X) :- p(X).", "<2> p(a). ?- q(a).").contains("W0508"));
    assert!(told("2 p(a).\nq(X) :- p(X).", "<2> p(a). ?- q(a).").contains("W0508"));
}

/// A difference without its first input would be something else; a sum without one is the sum of the rest.
#[test]
fn a_grounding_with_its_own_head_goes_where_places_mean_something() {
    let data = "<5> q(a). <3> f(a). f(b). e(a,b). ?- q(a).";
    for f in ["difference", "cossim", "concat", "crosssum", "product"] {
        let template = format!("q(X) :- q(X), f(X). [combination={f}]");
        assert_eq!(value(&template, data), [[5.0]], "{f}");
        assert!(told(&template, data).contains("W0701"), "{f}");
    }
    assert_eq!(value("q(X) :- q(X), f(X).", data), [[3.0]]);
}

#[test]
fn nan_is_the_greatest_and_the_least_wherever_it_stands() {
    let base = "n(X) :- v(X). [transformation=sqrt]\n";
    for data in ["<-1> v(a). <4> v(b). ?- q.", "<4> v(a). <-1> v(b). ?- q."] {
        for f in ["max", "min", "maxsum", "minsum"] {
            let got =
                value(&format!("{base}q :- n(X). [aggregation={f}]\nq/0 [transformation=identity]"), data);
            assert!(got[0][0].is_nan(), "{f} {got:?}");
            let rule = format!("q :- n(a), n(b). [combination={f}]");
            let got = value(&format!("{base}{rule}\nq/0 [transformation=identity]"), data);
            assert!(got[0][0].is_nan(), "{f} {got:?}");
        }
    }
    let dir = files(&[
        ("t.lrnn", &format!("{ID}{base}q(X) :- n(X).\nq/1 [transformation=identity]\n")),
        ("d.db", "<4> v(a). <-1> v(b). ?- q(a). ?- q(b)."),
    ]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "d.db"]);
    assert!(o.status.success() && err(&o).contains("W0808") && err(&o).contains("`q(b)`"), "{}", err(&o));
}

#[test]
fn answers_stand_in_the_order_of_the_queries() {
    let dir = files(&[
        ("t.lrnn", &format!("{ID}q(X) :- f(X).\nr(X) :- g(X).\ng(c) :- h.\n")),
        ("d.db", "f(a). f(b). ?- q(a). ?- r(X). ?- q(b). ?- 1 q(z)."),
    ]);
    let args = ["run", "t.lrnn", "d.db", "--epochs", "0", "--unprovable", "skip"];
    let o = nlog(dir.path(), &[&args[..], &["--predictions", "p.csv"]].concat());
    let text = out(&o);
    assert!(text.starts_with("q(a) = 1\nr(X): no answer\nq(b) = 1\n"), "{text}{}", err(&o));
    let rows = std::fs::read_to_string(dir.path().join("p.csv")).expect("written");
    let rows: Vec<&str> = rows.lines().skip(1).map(|l| l.split_once("train,").expect("a split").1).collect();
    assert_eq!(rows, ["q(a),1,", "r(X),,", "q(b),1,", "q(z),,1"]);
    nlog(dir.path(), &[&args[..], &["--predictions", "p.jsonl"]].concat());
    let rows = std::fs::read_to_string(dir.path().join("p.jsonl")).expect("written");
    let last = rows.lines().last().expect("four rows");
    assert!(last.contains("\"output\":null") && last.contains("\"derived\":false"), "{last}");
}

/// Time grows with the number of rules: quadratic passes took seconds here.
#[test]
fn a_chain_of_many_rules_is_lowered_at_once() {
    let rules: String = (0..20000).map(|i| format!("p{}(X) :- p{i}(X).\n", i + 1)).collect();
    let start = std::time::Instant::now();
    let (_, found) = Session::from_texts(&rules, "p0(a). ?- p3(a).", evaluate_only());
    assert!(!has_errors(&found));
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn identical_rules_are_found_among_many() {
    let many: String = (0..50).map(|i| format!("p(X) :- f{i}(X).\n")).collect();
    let facts: String = (0..50).map(|i| format!("f{i}(a). ")).collect();
    let text = told(&format!("{many}p(X) :- f7(X).\n"), &format!("{facts} ?- p(a)."));
    assert_eq!(text.matches("W0306").count(), 1, "{text}");
}

#[test]
fn a_literal_with_a_fault_makes_no_other_variable_seem_unbound() {
    let text = told("q(X) :- tahn(f(X)), g(Y).", "f(a). g(b). ?- q(X).");
    assert!(text.contains("E0201") && !text.contains("W0302"), "{text}");
}

#[test]
fn a_key_stated_twice_in_one_list_is_told() {
    for (template, word) in [
        ("q(X) :- f(X). [transformation=relu, activation=tanh]", "the transformation of this rule"),
        ("[rule=relu, rule=tanh]\nq(X) :- f(X).", "the rule of the template's defaults"),
    ] {
        let text = told_with(template, "f(a). ?- q(a).", evaluate_only()).1;
        assert!(text.contains("W0310") && text.contains(word), "{text}");
    }
    let text = told("q(X) :- f(X). [transformation=tanh, transformation=tanh]", "f(a). ?- q(a).");
    assert!(!text.contains("W0310"), "{text}");
}

#[test]
fn names_in_messages_are_those_that_can_be_written() {
    let text = told("q(X) :- f(metal:X).", "f(a). ?- q(X).");
    assert!(text.contains("the type `metal`") && !text.contains("metal:/1"), "{text}");
    let text = told("q(X) :- f(X), @neqq(X,a).", "f(a). ?- q(X).");
    assert!(text.contains("did you mean `@neq`?"), "{text}");
}

#[test]
fn options_and_files_without_a_meaning_are_refused() {
    let dir = files(&[
        ("t.lrnn", "{1} q(X) :- f(X).\n"),
        ("i.lrnn", "import other.\n"),
        ("d.db", "f(a). ?- q(a)."),
    ]);
    for (args, words) in [
        (vec!["--dist", "normal"], "`--dist` is for `--init simple`"),
        (vec!["--patience", "3", "--epochs", "0"], "`--patience`"),
        (vec!["--folds", "2", "--epochs", "0"], "`--folds`"),
        (vec!["--aggregation", "softmax(Y)"], "whose variables `softmax(Y)` cannot name"),
        (vec!["--semiring", "bool", "--lr", "0.1"], "--lr"),
        (vec!["d.db"], "`d.db` is given twice"),
        (vec!["./d.db"], "`./d.db` is given twice"),
        (vec!["-", "-"], "standard input (`-`) is given twice"),
    ] {
        let o = nlog(dir.path(), &[&["run", "t.lrnn", "d.db"], &args[..]].concat());
        assert_eq!(o.status.code(), Some(2), "{args:?} {}", err(&o));
        assert!(err(&o).contains(words), "{args:?} {}", err(&o));
    }
    let o = nlog(dir.path(), &["run", "t.lrnn", "d.db", "--init", "simple", "--dist", "normal"]);
    assert!(o.status.success(), "{}", err(&o));
    let o = nlog(dir.path(), &["check", "i.lrnn"]);
    assert!(err(&o).contains("`other.lrnn` was looked for"), "{}", err(&o));
    assert!(err(&o).contains("there is no such file"), "{}", err(&o));
}

#[test]
fn signs_that_are_operators_stand_apart() {
    let dir = files(&[("t.lrnn", "import   x   .\nq(X) :- f(X,Y), Y=X+1, X+1<Y, 2 -1<X.\n")]);
    assert!(nlog(dir.path(), &["fmt", "t.lrnn"]).status.success());
    let text = std::fs::read_to_string(dir.path().join("t.lrnn")).expect("there");
    assert_eq!(text, "import x.\nq(X) :- f(X,Y), Y = X + 1, X + 1 < Y, 2 - 1 < X.\n");
    assert!(nlog(dir.path(), &["fmt", "--check", "t.lrnn"]).status.success());
}

/// The letter of a code is its severity.
#[test]
fn a_warning_has_the_code_of_a_warning() {
    let all = |template: &str, data: &str| {
        let (found, text) = told_with(template, data, evaluate_only());
        assert!(found.iter().all(|d| d.severity == d.code.severity()), "{text}");
        found.iter().map(|d| d.code.0).collect::<Vec<_>>()
    };
    assert_eq!(all("q(X) :- f(X).", "f(a). ?- other(X)."), ["W0317"]);
    assert_eq!(all("q(X) :- f(X).", "f(a). ?- 7 q(a)."), ["W0807"]);
    assert_eq!(all("q(X) :- f(X), ~@dom(X).", "f(a). ?- q(a)."), ["W0307"]);
    assert!(all("q(X) :- f(X), ~f(X).", "f(a). ?- q(a).").is_empty());
}

#[test]
fn help_says_where_a_thing_belongs() {
    let data = "f(a). g(a). ?- q(a).";
    let text = told("q(X) :- f(X), tanh(2 g(X)).", data);
    assert!(text.contains("E0101") && text.contains("before a function: `2 tanh(p(X))`"), "{text}");
    let text = told("q(X) :- f(X), X = metal:fe.", data);
    assert!(text.contains("E0101") && text.contains("types stand at arguments of atoms"), "{text}");
    let text = told_with("[aggregation=softmax(Y)]\nq(X) :- f(X).", data, evaluate_only()).1;
    assert!(text.contains("E0203") && text.contains("the template states this aggregation"), "{text}");
    let dir = files(&[("t.lrnn", "q(X) :- v(X).\n"), ("d.db", "v(a).\n<[1,2]> v(b). ?- q(a).")]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "d.db", "--semiring", "maxmin"]);
    assert!(err(&o).contains("E0705") && err(&o).contains("d.db:2:9"), "{}", err(&o));
}
