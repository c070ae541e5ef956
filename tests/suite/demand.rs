//! Only what queries can need is grounded, and answers are those of the whole program.

use crate::support::{answers, close, evaluate_only, network, session};
use nlog::base::rng::Stream;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Ground rules of a template whose rules have no helpers.
fn ground_rules(template: &str, data: &str) -> usize {
    let session = session(template, data, evaluate_only());
    network(&session).statistics.per_rule.iter().sum()
}

#[test]
fn only_instances_that_queries_can_need_are_made() {
    let people: String = (0..20).map(|i| format!("<0.{i}1> e(n{i}). ")).collect();
    let likes: String = (0..20).map(|i| format!("likes(n{i},n{}). ", (i + 1) % 20)).collect();
    let data = |queries: &str| format!("{people}{likes}{queries}");
    let pairs = "p(X,R,Y) :- e(X), e(R), e(Y).";
    assert_eq!(ground_rules(pairs, &data("?- p(n0,n1,n2). ?- p(n0,n3,n4).")), 2);
    assert_eq!(ground_rules(pairs, &data("?- p(n0,n1,Y).")), 20);
    // One query leaves the second argument open, the other the first: nothing is bound in both.
    assert_eq!(ground_rules(pairs, &data("?- p(n0,R,n1). ?- p(X,n1,n1).")), 20 * 20);
    // Down through other rules, over facts, to the neighbours of neighbours.
    let layers = "a(X) :- e(X). b(X) :- a(Y), *likes(X,Y). c(X) :- b(Y), *likes(X,Y). q(X,Y) :- c(X), !b(Y).";
    assert_eq!(ground_rules(layers, &data("?- c(n3).")), 3);
    assert_eq!(ground_rules(layers, &data("?- c(X).")), 60);
    assert_eq!(ground_rules(layers, &data("?- c(n3). ?- b(n9).")), 5);
    // What is recursive is derived whole, and so is what it uses.
    let recursive = "path(X,Y) :- likes(X,Y). path(X,Y) :- path(X,Z), likes(Z,Y). from(X) :- path(n0,X).";
    assert_eq!(ground_rules(recursive, &data("?- from(n7).")), 20 + 400 + 1);
    // A group of classes is answered whole.
    let classes = "label(X,Y) :- e(X), e(Y).\nlabel/2 [output=softmax(2)]";
    assert_eq!(ground_rules(classes, &data("?- label(n0,n1).")), 20);
}

/// Constants of a query that no fact names are not among all constants.
#[test]
fn a_query_adds_no_constants() {
    let text = "any(X) :- @dom(X). next(Y) :- f(X), Y = X + 1. both(X) :- any(X), next(X).";
    let skip = || {
        let mut settings = evaluate_only();
        settings.unprovable = nlog::session::Unprovable::Value(-1.0);
        settings
    };
    let value = |query: &str| {
        let session = session(text, &format!("f(1). f(2). ?- {query}."), skip());
        crate::support::run(&session).2.values.concat()
    };
    assert_eq!((value("any(9)"), value("next(9)"), value("both(3)")), (vec![-1.0], vec![-1.0], vec![-1.0]));
    assert!(value("next(3)")[0] > 0.0 && value("both(2)")[0] > 0.0);
}

/// A query that fails is explained by what holds, not by what is demanded.
#[test]
fn what_fails_is_explained_by_the_whole() {
    let text = "r(X) :- s(X). q(X) :- r(X), t(X).";
    let (_, told) = crate::soundness::told_with(text, "s(a). t(b). ?- q(b). ?- q(c).", evaluate_only());
    assert!(told.contains("`q(b)` cannot be derived") && told.contains("r(b)"), "{told}");
}

fn random_program(stream: &mut Stream) -> (String, String, Vec<(String, usize)>) {
    let mut pick = |n: usize| (stream.uniform() * n as f64) as usize;
    let mut facts = String::new();
    for i in 0..6 {
        writeln!(facts, "<0.{}> f(n{i}).", 1 + pick(9)).expect("a string");
    }
    for _ in 0..9 {
        writeln!(facts, "<0.{}> e(n{},n{}).", 1 + pick(9), pick(6), pick(6)).expect("a string");
    }
    let mut known: Vec<(String, usize)> = vec![("f".into(), 1), ("e".into(), 2)];
    let mut template = String::new();
    let mut derived = Vec::new();
    for level in 0..5 {
        let (name, arity) = (format!("p{level}"), 1 + pick(2));
        for _ in 0..1 + pick(2) {
            let vars = ["X", "Y", "Z"];
            let mut body = Vec::new();
            let mut bound = Vec::new();
            for _ in 0..1 + pick(3) {
                let (p, n) = known[pick(known.len())].clone();
                let args: Vec<String> = (0..n)
                    .map(|_| if pick(6) == 0 { format!("n{}", pick(6)) } else { vars[pick(3)].to_string() })
                    .collect();
                bound.extend(args.iter().filter(|a| vars.contains(&a.as_str())).cloned());
                body.push(format!("{}{p}({})", if pick(4) == 0 { "*" } else { "" }, args.join(",")));
            }
            if !bound.is_empty() && pick(3) == 0 {
                let (p, n) = known[pick(known.len())].clone();
                let args: Vec<String> = (0..n).map(|_| bound[pick(bound.len())].clone()).collect();
                body.push(format!("!{p}({})", args.join(",")));
            }
            let term =
                |i: usize| bound.get(i % bound.len().max(1)).cloned().unwrap_or_else(|| format!("n{i}"));
            let head: Vec<String> = (0..arity).map(|_| term(pick(7))).collect();
            let aggregation = ["avg", "sum", "max", "count"][pick(4)];
            writeln!(
                template,
                "{name}({}) :- {}. [aggregation={aggregation}]",
                head.join(","),
                body.join(", ")
            )
            .expect("a string");
        }
        known.push((name.clone(), arity));
        derived.push((name, arity));
    }
    (template, facts, derived)
}

#[test]
fn answers_are_those_of_the_whole_program() {
    let mut restricted = 0;
    for seed in 0..300 {
        let mut stream = Stream::new(seed, "demand");
        let (template, facts, derived) = random_program(&mut stream);
        let open: String =
            derived.iter().map(|(p, n)| format!("?- {p}({}). ", if *n == 1 { "X" } else { "X,Y" })).collect();
        let all: BTreeMap<String, Vec<f64>> =
            answers(&template, &format!("{facts}{open}")).into_iter().collect();
        // Some atoms of one or two predicates, asked for by themselves.
        let mut asked = Vec::new();
        for _ in 0..2 {
            let (p, _) = &derived[(stream.uniform() * derived.len() as f64) as usize];
            asked.extend(all.iter().filter(|(a, _)| a.starts_with(&format!("{p}("))).take(3));
        }
        asked.sort_by(|a, b| a.0.cmp(b.0));
        asked.dedup();
        if asked.is_empty() {
            continue;
        }
        let queries: String = asked.iter().map(|(atom, _)| format!("?- {atom}. ")).collect();
        let data = format!("{facts}{queries}");
        let found = answers(&template, &data);
        let expected: Vec<_> = asked.iter().map(|(a, v)| (a.to_string(), v.to_vec())).collect();
        assert!(close(&found, &expected, 1e-12), "{template}{data}\n{found:?}\nnot {expected:?}");
        restricted +=
            usize::from(ground_rules(&template, &data) < ground_rules(&template, &format!("{facts}{open}")));
    }
    assert!(restricted > 100, "only {restricted} programs were restricted");
}
