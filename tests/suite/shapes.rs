//! Shapes before there is any data: what a template alone decides, and what it does not.

use crate::support::{evaluate_only, shown};
use nlog::session::Session;

fn found(template: &str) -> (Vec<&'static str>, String) {
    let (session, out) = Session::from_texts(template, "", evaluate_only());
    (out.iter().map(|d| d.code.0).collect(), shown(&out, &session))
}

#[test]
fn conflicts_that_the_template_decides() {
    for (template, code, words) in [
        ("{4,3} h(X) :- {3,2} f(X).\n{1,5} q :- h(X).", "E0401", &["{1,5}", "`h/1` is {4,…}"][..]),
        (
            "h(X) :- {3,2} f(X), {4,2} f(X).",
            "E0401",
            &["{3,…}", "{4,…}", "takes `f/1` with 2 rows, or a scalar"],
        ),
        ("h(X) :- {3,2} f(X), {3,3} f(X).", "E0401", &["{3,3}", "every shape that the facts of `f/1`"]),
        (
            "h(X) :- {3,2} f(X), {3}.\nq :- {1,2} h(X).",
            "E0401",
            &["`h/1`, which is {3}", "a value of shape {c}"],
        ),
        (
            "h(X) :- {3,2} f(X), <0.5> g(X).\nq :- h(X), {4} p(X).",
            "E0401",
            &["`h/1` is {3,…} because of this"],
        ),
        ("h(X) :- {3,2} f(X), {5}.", "E0401", &["this is {5}"]),
        ("h(X) :- {3} f(X). [transformation=slice(0:5)]", "E0403", &["slice(0:5)", "{3,…}"]),
        ("h(X) :- {3} f(X). [transformation=reshape(2,2)]", "E0403", &["reshape"]),
        ("h(X) :- slice(0:5)({3} f(X)).", "E0101", &[]),
        ("h(X) :- {2,3} slice(0:4)(g(X)).\ng(X) :- {3,2} f(X).", "E0403", &["slice(0:4)", "{3,…}"]),
        ("h/1 {4}\nh(X) :- {3,2} f(X).", "E0401", &["the offset of `h/1` is {4}"]),
        ("h(X) :- {3,2} f(X). [combination=cossim]", "E0401", &["exactly two values"]),
        ("{2,2} h(X) :- {3} f(X), {3}.", "E0401", &["the weight of the head is {2,2}"]),
        ("p :- {2} q.\nq :- {3,3} p.\nq :- s.", "E0401", &["`p/0` is {2,…}"]),
        ("h(X) :- {3} f(X).\n?- [1,0] h(a).", "E0402", &["the target is {2}", "{3,…}"]),
        ("h(X) :- {3} f(X).\nh(X) :- {3,5} g(X).\nr(X) :- {2,2} h(X).", "E0401", &["{2,2}"]),
        ("h/1 [transformation=slice(0:9)]\nh(X) :- {3} f(X), {3}.", "E0403", &["stated here"]),
        ("h(X) :- {2,2} f(X), {3,3} f(X), {3}.", "E0401", &[]),
        ("h(X) :- {3,2} f(X).\ng(X) :- {3,4} f(X).", "W0405", &["takes 2 rows", "takes 4 rows"]),
    ] {
        let (codes, text) = found(template);
        assert_eq!(codes, [code], "{template}\n{text}");
        for word in words {
            assert!(text.contains(word), "`{word}` is missing in\n{text}");
        }
    }
}

#[test]
fn what_the_template_leaves_open() {
    for template in [
        // Scalars scale; vectors of unknown length; several atoms of one predicate.
        "h(X) :- {3,2} f(X), {3} g(X).\nq :- {1,3} h(X).",
        "h(X) :- {3,2} f(X).\nh(X) :- {3,2} f(Y), *e(X,Y).\n{1,3} q :- h(X).",
        "h(X) :- f(X), g(X).\nq :- {2,3} h(X).\nr :- {2,2} h(X), {2,2} f(X). [combination=max]\ns :- {2} q."
            .split("\nr")
            .next()
            .unwrap_or_default(),
        "p(X) :- {3} f(X).\np(X) :- {4} g(X).\nq(X) :- {1,3} p(X), *f(X).\nr(X) :- {1,4} p(X), *g(X).",
        // States that begin in the data.
        "h(T) :- {4,4} h(S), {4,2} x(T), *next(S,T).\nq :- {1,4} h(T).",
        "h(X) :- f(X), g(X). [combination=concat]\nq :- {1,20} h(X).",
        "h(X) :- f(X). [aggregation=concat]\nq :- {1,20} h(X).",
        "h(X) :- {3,2} f(X). [transformation=transpose]\nq :- {1,7} h(X).",
        "<[1,2]> f(a).\n<[1,2,3]> f(b).\nh(X) :- {3,3} f(X), *c(X).",
        "h(X) :- <[1,2]> f(X), [1,2,3] g(X). [combination=product]",
    ] {
        let (codes, shown) = found(template);
        assert!(codes.is_empty(), "{template}\n{shown}");
    }
}
