//! Changes of a program that must not change its answers.

use crate::support::{answers, close};

const TEMPLATE: &str = "
    <0.5> h(X) :- <1.5> f(X), <-0.25> f(Y), e(X,Y).
    <2> h(X) :- <0.75> g(X). [aggregation=max]
    r(X,Y) :- e(X,Y).
    r(X,Z) :- <0.5> r(X,Y), e(Y,Z).
    <0.1> q(X) :- h(X), r(X,Y), !bad(Y).
    s :- q(X). [aggregation=sum, transformation=sigmoid]
";

const FACTS: &[&str] = &[
    "<0.3> f(a)",
    "<0.6> f(b)",
    "<-1> f(c)",
    "<2> f(d)",
    "e(a,b)",
    "e(b,c)",
    "e(c,a)",
    "e(c,d)",
    "<0.9> g(a)",
    "<0.2> g(c)",
    "bad(b)",
    "<4> e(d,e1)",
];

fn data(facts: &[String]) -> String {
    format!("{}. ?- q(X). ?- s. ?- h(X). ?- r(X,Y).", facts.join(". "))
}

fn owned(facts: &[&str]) -> Vec<String> {
    facts.iter().map(|s| (*s).to_string()).collect()
}

#[test]
fn the_order_of_facts_and_rules_does_not_matter() {
    let expected = answers(TEMPLATE, &data(&owned(FACTS)));
    assert!(expected.len() > 15, "{expected:?}");
    let mut facts = owned(FACTS);
    for turn in 0..FACTS.len() {
        facts.rotate_left(1);
        if turn % 3 == 0 {
            facts.reverse();
        }
        assert!(close(&expected, &answers(TEMPLATE, &data(&facts)), 1e-12), "{facts:?}");
    }
    let rules: Vec<&str> = TEMPLATE.trim().lines().collect();
    let mut turned = rules.clone();
    for _ in 0..rules.len() {
        turned.rotate_left(1);
        assert!(close(&expected, &answers(&turned.join("\n"), &data(&owned(FACTS))), 1e-12), "{turned:?}");
    }
}

#[test]
fn renamed_constants_and_variables_change_names_only() {
    let expected = answers(TEMPLATE, &data(&owned(FACTS)));
    let rename = |text: &str| {
        let mut out = text.to_string();
        for (from, to) in [("a", "zz"), ("b", "yy"), ("c", "xx"), ("d", "ww")] {
            for (open, close) in [("(", ","), ("(", ")"), (",", ")")] {
                out = out.replace(&format!("{open}{from}{close}"), &format!("{open}{to}{close}"));
            }
        }
        out
    };
    let facts: Vec<String> = FACTS.iter().map(|f| rename(f)).collect();
    let mut renamed: Vec<(String, Vec<f64>)> =
        expected.iter().map(|(atom, v)| (rename(atom), v.clone())).collect();
    renamed.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(close(&renamed, &answers(TEMPLATE, &data(&facts)), 1e-12));
    let variables = TEMPLATE.replace('X', "Left").replace('Y', "_right").replace('Z', "Q9");
    assert!(close(&expected, &answers(&variables.replace("?- ", ""), &data(&owned(FACTS))), 1e-12));
}

#[test]
fn a_shared_world_and_examples_give_the_same_values() {
    let expected = answers(TEMPLATE, &format!("{}. ?- s.", FACTS.join(". ")));
    let example = format!("1.0 s :- {}.", FACTS.join(", "));
    let one = answers(TEMPLATE, &example);
    assert!(close(&expected, &one, 1e-12), "{expected:?} {one:?}");
    // Background facts hold in every example.
    let (left, right) = FACTS.split_at(6);
    let split = format!("{}. 1.0 s :- {}. 0.0 s :- {}.", left.join(". "), right.join(", "), right.join(", "));
    for answer in answers(TEMPLATE, &split) {
        assert!(close(&expected, &[answer], 1e-12));
    }
}

#[test]
fn a_queried_inner_atom_does_not_change_its_parents() {
    let template = "<1> p(X) :- <1> a(X).\n<2> q :- <1> p(X).";
    let facts = "<0.5> a(c1). <2> a(c2).";
    let alone = answers(template, &format!("{facts} ?- q."));
    let both = answers(template, &format!("{facts} ?- q, p(c1)."));
    let q = both.iter().find(|(a, _)| a == "q").expect("answered");
    assert_eq!(alone[0].1[0].to_bits(), q.1[0].to_bits());
    // The queried atom itself is read before its default activation.
    let p = both.iter().find(|(a, _)| a == "p(c1)").expect("answered");
    assert!((p.1[0] - 0.5f64.tanh()).abs() < 1e-15);
}

#[test]
fn types_range_over_their_constants_wherever_they_stand() {
    let template = "[rule=identity, atom=identity]\n<1> p(metal:X) :- <1> a(X).";
    let facts = "<1> a(fe). <2> a(c). <4> a(cu). <8> b(metal:fe). <16> b(metal:cu).";
    let both = vec![("p(cu)".to_string(), vec![4.0]), ("p(fe)".to_string(), vec![1.0])];
    assert_eq!(answers(template, &format!("{facts} ?- p(X).")), both);
    // The same in the question.
    let open = "[rule=identity, atom=identity]\n<1> p(X) :- <1> a(X).";
    assert_eq!(answers(open, &format!("{facts} ?- p(metal:X).")), both);
    assert_eq!(answers(&format!("{open}\n?- p(metal:X)."), facts), both);
    // What one example says of a constant does not reach another one.
    let examples = "1.0 q :- <1> a(metal:fe), <2> a(cu). 1.0 q :- <1> a(fe), <2> a(metal:cu).";
    let list = answers("[rule=identity, atom=identity]\nq :- a(metal:X).", examples);
    assert_eq!(list, [("q".to_string(), vec![1.0]), ("q".to_string(), vec![2.0])]);
}

#[test]
fn rules_inside_examples_know_their_types_and_no_metadata() {
    let template = "[rule=identity, atom=identity]\nq :- h(t:X).";
    assert_eq!(answers(template, "1 q :- a(x) <2> h(t:x) :- <3> a(x). ."), [("q".to_string(), vec![6.0])]);
    let template = "[rule=identity, atom=identity]\nq :- h(x).\nh/1 [offset=7]";
    assert_eq!(answers(template, "1 q :- a(x), h(X) :- *a(X). ."), [("q".to_string(), vec![1.0])]);
}

#[test]
fn an_example_that_states_a_shared_fact_anew_does_not_change_it_for_others() {
    let template = "[rule=identity, atom=identity, aggregation=sum]\nq :- a(X).\n<100> a(z).";
    let data = "<1> a(x). <2> a(y). 1 q :- <10> a(x). 1 q :- b. 1 q :- <20> a(y), <7> a(w), <5> a(z).";
    let values: Vec<f64> = answers(template, data).into_iter().map(|(_, v)| v[0]).collect();
    assert_eq!(values, [112.0, 103.0, 33.0]);
}
