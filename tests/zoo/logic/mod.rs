//! Logic and patterns of graphs against their formulas, written with loops.

mod chains;
mod patterns;

use crate::harness::{Matrix, agree};
use crate::kit::{degrees, sigmoid};
use std::collections::BTreeSet;
use std::fmt::Write;

type Binary = fn(f64, f64) -> f64;

/// The connectives of a logic: and, or, the residual implication and that by "not … or".
struct Logic {
    name: &'static str,
    and: Binary,
    or: Binary,
    residual: Binary,
    strong: Binary,
}

fn above(v: f64) -> bool {
    v > 0.5
}

const LOGICS: [Logic; 4] = [
    Logic {
        name: "lukasiewicz",
        and: |a, b| (a + b - 1.0).max(0.0),
        or: |a, b| (a + b).min(1.0),
        residual: |a, b| (1.0 - a + b).min(1.0),
        strong: |a, b| (1.0 - a + b).min(1.0),
    },
    Logic {
        name: "product",
        and: |a, b| a * b,
        or: |a, b| a + b - a * b,
        residual: |a, b| if a <= b { 1.0 } else { b / a },
        strong: |a, b| 1.0 - a + a * b,
    },
    Logic {
        name: "goedel",
        and: f64::min,
        or: f64::max,
        residual: |a, b| if a <= b { 1.0 } else { b },
        strong: |a, b| (1.0 - a).max(b),
    },
    Logic {
        name: "boolean",
        and: |a, b| f64::from(above(a) && above(b)),
        or: |a, b| f64::from(above(a) || above(b)),
        residual: |a, b| f64::from(!above(a) || above(b)),
        strong: |a, b| f64::from(!above(a) || above(b)),
    },
];

/// Each connective as it is used, with its formula.
fn connectives(logic: &Logic) -> Vec<(String, Box<dyn Fn(f64, f64) -> f64>)> {
    let (name, and) = (logic.name, logic.and);
    let mut out: Vec<(String, Box<dyn Fn(f64, f64) -> f64>)> = vec![
        (format!("conjunction(a, b, h, {name})"), Box::new(logic.and)),
        (format!("disjunction(a, b, h, {name})"), Box::new(logic.or)),
    ];
    for (kind, implies) in [("residual", logic.residual), ("strong", logic.strong)] {
        out.push((format!("implication(a, b, h, {name}, {kind})"), Box::new(implies)));
        let both = move |a, b| and(implies(a, b), implies(b, a));
        out.push((format!("equivalence(a, b, h, {name}, {kind})"), Box::new(both)));
    }
    out
}

fn number(v: f64) -> Matrix {
    Matrix::from_element(1, 1, v)
}

/// All corners, equal degrees and others, without weights.
#[test]
fn connectives_of_degrees() {
    let values = [0.0, 0.25, 0.4, 0.5, 0.6, 1.0];
    let pairs: Vec<(f64, f64)> = values.iter().flat_map(|a| values.map(|b| (*a, b))).collect();
    let mut data = String::from("?- h(X). ");
    for (i, (a, b)) in pairs.iter().enumerate() {
        write!(data, "<{a}> a({i}). <{b}> b({i}). ").unwrap();
    }
    for logic in &LOGICS {
        for (call, formula) in connectives(logic) {
            let template = format!("import logic/soft. @use {call}.");
            agree(&template, &data, |_| {
                crate::kit::outputs(pairs.iter().map(|(a, b)| number(formula(*a, *b))))
            });
        }
        let template = format!("import logic/soft. @use negation(a, h, {}).", logic.name);
        let not = |a: f64| if logic.name == "boolean" { f64::from(!above(a)) } else { 1.0 - a };
        agree(&template, &data, |_| crate::kit::outputs(pairs.iter().map(|(a, _)| number(not(*a)))));
    }
}

/// Degrees that are learned.
#[test]
fn gradients_of_connectives() {
    let [p, q] = [1, 2].map(|seed| degrees(12, seed).into_iter().map(|v| 16.0 * v - 8.0).collect::<Vec<_>>());
    let mut data = String::from("?- h(X). ");
    for (i, (p, q)) in p.iter().zip(&q).enumerate() {
        write!(data, "<{p}> p({i}). <{q}> q({i}). ").unwrap();
    }
    for logic in &LOGICS[..3] {
        for (call, formula) in connectives(logic) {
            let template = format!(
                "import logic/soft. a(X) :- 1 p(X), 1. [transformation=sigmoid]
                 a/1 [transformation=identity] b(X) :- 1 q(X), 1. [transformation=sigmoid]
                 b/1 [transformation=identity] @use {call}."
            );
            agree(&template, &data, |w| {
                let w: Vec<f64> = w.iter().map(|w| w[0]).collect();
                crate::kit::outputs(
                    p.iter()
                        .zip(&q)
                        .map(|(p, q)| number(formula(sigmoid(w[0] * p + w[1]), sigmoid(w[2] * q + w[3])))),
                )
            });
        }
    }
}

/// A law: "a implies b" is the greatest c for which "a and c" is not above b.
#[test]
fn implication_and_conjunction_belong_together() {
    for logic in &LOGICS[..3] {
        for i in 0..=20 {
            for j in 0..=20 {
                let (a, b) = (f64::from(i) / 20.0, f64::from(j) / 20.0);
                let c = (logic.residual)(a, b);
                assert!((logic.and)(a, c) <= b + 1e-12);
                assert!(c == 1.0 || (logic.and)(a, c + 1e-6) > b);
            }
        }
    }
}

/// `r(x,y)` with their degrees: group 0 has four, 1 one, 2 two with a 1 and a 0.
fn groups() -> Vec<Vec<f64>> {
    vec![degrees(4, 3), degrees(1, 4), vec![1.0, 0.0]]
}

fn group_facts(name: &str, groups: &[Vec<f64>]) -> String {
    let mut out = String::from("?- h(X). ");
    for (x, values) in groups.iter().enumerate() {
        for (y, v) in values.iter().enumerate() {
            write!(out, "<{v}> {name}({x},{y}). ").unwrap();
        }
    }
    out
}

#[test]
fn quantifiers() {
    let groups = groups();
    type Quantifier = fn(&[f64]) -> f64;
    let cases: [(&str, Quantifier, Quantifier); 5] = [
        (
            "lukasiewicz",
            |v| (1.0 - v.iter().map(|a| 1.0 - a).sum::<f64>()).max(0.0),
            |v| v.iter().sum::<f64>().min(1.0),
        ),
        (
            "product",
            |v| v.iter().map(|a| a.max(1e-4)).product(),
            |v| 1.0 - v.iter().map(|a| (1.0 - a).max(1e-4)).product::<f64>(),
        ),
        ("goedel", |v| v.iter().copied().fold(1.0, f64::min), |v| v.iter().copied().fold(0.0, f64::max)),
        (
            "mean",
            |v| 1.0 - (v.iter().map(|a| (1.0 - a).max(1e-4).powi(2)).sum::<f64>() / v.len() as f64).sqrt(),
            |v| (v.iter().map(|a| a.max(1e-4).powi(2)).sum::<f64>() / v.len() as f64).sqrt(),
        ),
        (
            "mean, p = 3",
            |v| 1.0 - (v.iter().map(|a| (1.0 - a).max(1e-4).powi(3)).sum::<f64>() / v.len() as f64).cbrt(),
            |v| (v.iter().map(|a| a.max(1e-4).powi(3)).sum::<f64>() / v.len() as f64).cbrt(),
        ),
    ];
    for (logic, all, some) in cases {
        for (module, formula) in [("forall", all), ("exists", some)] {
            // As they are given.
            let template = format!("import logic/soft. @use {module}(r, h, {logic}).");
            agree(&template, &group_facts("r", &groups), |_| {
                crate::kit::outputs(groups.iter().map(|v| number(formula(v))))
            });
            // Learned.
            let template = format!(
                "import logic/soft. r(X,Y) :- 1 d(X,Y). [transformation=sigmoid]
                 r/2 [transformation=identity] @use {module}(r, h, {logic})."
            );
            agree(&template, &group_facts("d", &groups), |w| {
                let learned = |v: &Vec<f64>| v.iter().map(|v| sigmoid(w[0][0] * v)).collect::<Vec<_>>();
                crate::kit::outputs(groups.iter().map(|v| number(formula(&learned(v)))))
            });
        }
    }
}

/// Who has how many: a none, b one, c three, d nine to twelve as numbers; each pair of a valued relation.
fn relation() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![("a", vec![]), ("b", vec!["x"]), ("c", vec!["x", "y", "z"]), ("d", vec!["9", "10", "11", "12"])]
}

fn relation_facts() -> String {
    let mut out = String::from("?- h(X). ");
    for (x, ys) in relation() {
        write!(out, "person({x}). ").unwrap();
        ys.iter().for_each(|y| write!(out, "<0.5> r({x},{y}). ").unwrap());
    }
    out
}

#[test]
fn counting() {
    for k in 0..=5 {
        type Test = fn(usize, usize) -> bool;
        let cases: [(&str, Test); 3] = [
            ("at_least(r, h, ", |n, k| n >= k),
            ("exactly(r, person, h, ", |n, k| n == k),
            ("at_most(r, person, h, ", |n, k| n <= k),
        ];
        for (call, test) in cases {
            let expected: Vec<_> = relation()
                .into_iter()
                .filter(|(_, ys)| test(ys.len(), k))
                .map(|(x, _)| (format!("h({x})"), number(1.0)))
                .collect();
            if (call.starts_with("at_least") && k == 0) || expected.is_empty() {
                continue;
            }
            let template = format!("import logic/counting. @use {call}{k}).");
            agree(&template, &relation_facts(), |_| expected.clone());
        }
    }
}

/// Two quantifiers in one rule: those who have at least two, but not exactly three.
#[test]
fn counting_twice() {
    let template = "import logic/counting. @use at_least(r, two, 2). @use exactly(r, person, three, 3).
                    h(X) :- *two(X), !three(X).";
    agree(template, &relation_facts(), |_| vec![("h(d)".into(), number(1.0))]);
}

#[test]
fn soft_counting() {
    let groups = groups();
    for (k, slope) in [(1.0, 6.0), (2.0, 1.5)] {
        let template = format!(
            "import logic/counting. r(X,Y) :- 1 d(X,Y). [transformation=sigmoid]
             r/2 [transformation=identity] @use soft_at_least(r, h, {k}, slope = {slope})."
        );
        agree(&template, &group_facts("d", &groups), |w| {
            crate::kit::outputs(groups.iter().map(|v| {
                let count: f64 = v.iter().map(|v| sigmoid(w[0][0] * v)).sum();
                number(sigmoid(slope * (count - k + 0.5)))
            }))
        });
    }
    // A step: three or more.
    let whole = vec![vec![1.0, 1.0, 0.0, 1.0], vec![1.0, 1.0], vec![1.0, 1.0, 1.0, 1.0]];
    let template = "import logic/counting. @use soft_at_least(r, h, 3, act = signum).";
    agree(template, &group_facts("r", &whole), |_| crate::kit::outputs([1.0, 0.0, 1.0].map(number)));
}

/// `s` are four things of 0, two of 1; some of them have an `r`, and there is an `r` that is no `s`.
#[test]
fn most() {
    let data = "?- h(X). s(0,a). s(0,b). s(0,c). s(0,d). s(1,a). s(1,b). s(2,a).
                <1> r(0,a). <1> r(0,b). <1> r(0,c). <1> r(1,a). <1> r(2,b).";
    let parts = [0.75, 0.5, 0.0];
    for (share, expected) in [("", 0.5), (", share = 0.4", 0.4), (", share = 0.75", 0.75)] {
        let template = format!("import logic/counting. @use most(r, s, h{share}).");
        if parts.iter().any(|p| *p > expected) {
            agree(&template, data, |_| crate::kit::outputs(parts.map(|p| number(f64::from(p > expected)))));
        } else {
            assert!(crate::kit::drawn(&template, data).iter().all(|(_, v)| v == &[0.0]));
        }
    }
    let template = "import logic/counting. r(X,Y) :- 1 d(X,Y). [transformation=sigmoid]
                    r/2 [transformation=identity] @use most(r, s, h, 0.25, 3, sigmoid).";
    let data =
        "?- h(X). s(0,a). s(0,b). s(0,c). s(1,a). <0.7> d(0,a). <-2> d(0,c). <0.3> d(1,a). <2> d(1,c).";
    agree(template, data, |w| {
        let r = |v: f64| sigmoid(w[0][0] * v);
        let parts = [(r(0.7) + r(-2.0)) / 3.0, r(0.3)];
        crate::kit::outputs(parts.map(|p| number(sigmoid(3.0 * (p - 0.25)))))
    });
}

#[test]
fn smokers() {
    let prior = [2.0, 0.0, -0.5, 0.0, 1.25];
    // 0 and 1 are friends of each other, 2 of 1, 0 of 2; 3 of none, 4 of itself.
    let friends = BTreeSet::from([(0, 1), (1, 0), (2, 1), (0, 2), (4, 4)]);
    let mut data = String::from("?- s(X). ?- c(X). ");
    prior.iter().enumerate().for_each(|(i, u)| write!(data, "<{u}> u({i}). ").unwrap());
    friends.iter().for_each(|(x, y)| write!(data, "<0.5> friends({x},{y}). ").unwrap());
    for steps in [1, 2, 4] {
        let template = format!("import logic/smokers. @use smokers(u, friends, s, c, {steps}).");
        agree(&template, &data, |w| {
            // The weights by their place in the text: that of friendship first.
            let (w1, w2) = (w[0][0], w[1][0]);
            let mut s: Vec<f64> = prior.iter().map(|u| sigmoid(*u)).collect();
            let mut c = vec![0.5; 5];
            for _ in 0..steps {
                let next = |x: usize| {
                    let mut sum = prior[x] + w2 * (c[x] - 1.0);
                    for (y, s) in s.iter().enumerate() {
                        let found = [(x, y), (y, x)].into_iter().filter(|f| x != y && friends.contains(f));
                        let times = found.count();
                        sum += w1 * times as f64 * (2.0 * s - 1.0);
                    }
                    sigmoid(sum)
                };
                let new: Vec<f64> = (0..5).map(next).collect();
                c = s.iter().map(|s| sigmoid(w2 * s)).collect();
                s = new;
            }
            let named = |name: &'static str, v: Vec<f64>| {
                v.into_iter().enumerate().map(move |(i, v)| (format!("{name}({i})"), number(v)))
            };
            named("s", s).chain(named("c", c)).collect()
        });
    }
}
