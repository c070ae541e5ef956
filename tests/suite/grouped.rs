//! `softmax(Y)` and `sparsemax(Y)` against independent formulas.

use crate::support::{answers, evaluate_only, shown};
use nlog::session::Session;

/// The answers by their text, in the order of the queries.
fn values(template: &str, data: &str) -> Vec<Vec<f64>> {
    answers(template, data).into_iter().map(|(_, v)| v).collect()
}

fn near(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (g, e) in got.iter().zip(expected) {
        assert!((g - e).abs() <= tolerance * e.abs().max(1.0), "{got:?}, not {expected:?}");
    }
}

fn softmax(x: &[f64]) -> Vec<f64> {
    let total: f64 = x.iter().map(|v| v.exp()).sum();
    x.iter().map(|v| v.exp() / total).collect()
}

const DATA: &str = "<1.5> s(a,x). <-0.5> s(a,y). <0.25> s(a,z). <2> s(b,x). <-1> s(b,y).
    ?- a(a,x). ?- a(a,y). ?- a(a,z). ?- a(b,x). ?- a(b,y).";
const PLAIN: &str = "[rule=identity, atom=identity, aggregation=sum]\n";

fn attention(f: &str) -> Vec<f64> {
    values(&format!("{PLAIN} a(X,Y) :- s(X,Y). [aggregation={f}]"), DATA).concat()
}

#[test]
fn each_group_is_normalised_by_itself() {
    let (a, b) = (softmax(&[1.5, -0.5, 0.25]), softmax(&[2.0, -1.0]));
    near(&attention("softmax(Y)"), &[a, b].concat(), 1e-14);
    let (x, y) = (softmax(&[1.5, 2.0]), softmax(&[-0.5, -1.0]));
    near(&attention("softmax(X)"), &[x[0], y[0], 1.0, x[1], y[1]], 1e-14);
    near(&attention("softmax(X,Y)"), &softmax(&[1.5, -0.5, 0.25, 2.0, -1.0]), 1e-14);
}

/// Of 0.6, 0.2 and −1 the first two support the result: τ = (0.8 − 1)/2.
#[test]
fn sparsemax_gives_zeros() {
    let data =
        "<0.6> s(a,x). <0.2> s(a,y). <-1> s(a,z). <3> s(b,x). ?- a(a,x). ?- a(a,y). ?- a(a,z). ?- a(b,x).";
    let got = values(&format!("{PLAIN} a(X,Y) :- s(X,Y). [aggregation=sparsemax(Y)]"), data).concat();
    near(&got, &[0.7, 0.3, 0.0, 1.0], 1e-14);
}

#[test]
fn vectors_are_normalised_component_by_component() {
    let data = "<[1,2]> s(a,x). <[0,-1]> s(a,y). ?- a(a,x). ?- a(a,y).";
    let got = values(&format!("{PLAIN} a(X,Y) :- s(X,Y). [aggregation=softmax(Y)]"), data);
    let (first, second) = (softmax(&[1.0, 0.0]), softmax(&[2.0, -1.0]));
    near(&got[0], &[first[0], second[0]], 1e-14);
    near(&got[1], &[first[1], second[1]], 1e-14);
}

#[test]
fn several_groundings_of_a_head_are_joined_by_the_default_first() {
    let data = "<1> s(a,x,p). <3> s(a,x,q). <0.5> s(a,y,p). ?- a(a,x). ?- a(a,y).";
    let rule = "a(X,Y) :- s(X,Y,_). [aggregation=softmax(Y)]";
    for (default, x) in [("avg", 2.0), ("sum", 4.0), ("max", 3.0)] {
        let template = format!("[rule=identity, atom=identity, aggregation={default}]\n{rule}");
        near(&values(&template, data).concat(), &softmax(&[x, 0.5]), 1e-14);
    }
}

#[test]
fn the_rule_s_own_functions_come_first_and_the_weight_of_the_head_last() {
    let template =
        format!("{PLAIN} <3> a(X,Y) :- <2> s(X,Y), <0.5>. [aggregation=softmax(Y), transformation=relu]");
    let scores = [1.5f64, -0.5, 0.25].map(|v| (2.0 * v + 0.5).max(0.0));
    let expected: Vec<f64> = softmax(&scores).iter().map(|v| 3.0 * v).collect();
    near(&values(&template, DATA)[..3].concat(), &expected, 1e-14);
}

#[test]
fn extreme_scores_do_not_overflow() {
    let data = "<1000> s(a,x). <999> s(a,y). <-1000> s(a,z). ?- a(a,x). ?- a(a,y). ?- a(a,z).";
    let got = values(&format!("{PLAIN} a(X,Y) :- s(X,Y). [aggregation=softmax(Y)]"), data).concat();
    near(&got, &softmax(&[1.0, 0.0, -1999.0]), 1e-12);
}

#[test]
fn heads_that_the_query_does_not_need_belong_to_the_group() {
    let data = "<1.5> s(a,x). <-0.5> s(a,y). <0.25> s(a,z). ?- a(a,y).";
    let got = values(&format!("{PLAIN} a(X,Y) :- s(X,Y). [aggregation=softmax(Y)]"), data).concat();
    near(&got, &softmax(&[1.5, -0.5, 0.25])[1..2], 1e-14);
}

#[test]
fn variables_of_the_head_only() {
    for (rule, word) in [
        ("a(X,Y) :- s(X,Y,Z). [aggregation=softmax(Z)]", "`Z`"),
        ("a(x) :- s(X,Y,Z). [aggregation=sparsemax(X)]", "no variables"),
    ] {
        let (session, out) = Session::from_texts(rule, "s(a,x,p). ?- a(a,x).", evaluate_only());
        let text = shown(&out, &session);
        assert!(text.contains("E0203") && text.contains(word) && text.contains("template.lrnn:1:"), "{text}");
    }
}

#[test]
fn what_a_query_lacks_is_told_of_the_rule_as_written() {
    let (session, out) = Session::from_texts(
        "a(X,Y) :- s(X,Y), t(Y). [aggregation=softmax(Y)]",
        "s(a,x). s(a,y). t(y). ?- a(a,x).",
        evaluate_only(),
    );
    assert!(!nlog::diag::has_errors(&out));
    let (_, out) = session.build();
    let text = shown(&out, &session);
    assert!(text.contains("nothing matches `t(x)`") && !text.contains("a:"), "{text}");
}
