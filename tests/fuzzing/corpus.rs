//! Every template and every data text of the repository: files, blocks of documents, and texts inside the tests.

use std::fs;
use std::path::Path;

/// Programs with data that are right as they stand, in the form of the target `check`.
const PAIRS: &[(&str, &str)] = &[
    (
        "[rule=identity, atom=identity]\nn(Y) :- n(X), X < 5, Y = (X + 1) / 1.\nn(Z) :- e(X,Y), Z = X - Y, Z >= -2.\n\
         q :- n(X), 0.5 n(Y), X != Y, X * 2 <= Y + 1, W = -X / Y, !e(W,X).",
        "e(1,2). e(2,3.5), e(3,1). 1.0 q :- e(1,0), h(X) :- n(X), X <= 2, Y = X * X, e(Y,X). . ?- 1.0 q, n(X).",
    ),
    (
        "{4,3} h(X) :- {3,2} f(Y), $w={3,1} g(X), *e(Y,X), !b(X), {3}. [aggregation=max, transformation=relu]\n\
         h/1 [combination=sum]\nh2(X,Y) :- h(X), ~h(Y), @neq(X,Y).\n{1,4} q :- h2(X,Y).\nq/0 {1}",
        "1.0 q :- e(a,b), e(b,c), e(c,a), <[1,2]> f(a), [0.5,0] f(b), <[1,1]> f(c), <2> g(a), g(b), g(c), b(c).\n\
         0.0 q :- e(1,2), e(2.0,01), <[1,2]> f(1), <[2|0:1]> f(2), g(1), g(2), g('x y').",
    ),
    (
        "[rule=identity, atom=identity]\np(X,Y) :- e(X,Y).\np(X,Z) :- <0.5> p(X,Y), e(Y,Z), @leq(X,7).\n\
         q :- p(X,Y). [combination=product, aggregation=sum]\n0.5 r(metal:X).",
        "e(1,2). e(2,3), e(3,1). s(metal:2). ?- 1.0 q, 0.5 p(1,X). ?- r(X).",
    ),
    (
        "q :- [2,2|0,0:1,1,1:-1] f(X), g(X). [combination=product]\n$v={2,2} s(X) :- f(X).\n\
         $v [learnable=false]\nr(X) :- f(X), 0.5 g(X), -0.25. [combination=concat, aggregation=concat]",
        "[1,0] q :- <[1,2]> f(a), <2> g(a). [0,1] q, 1.0 g(a) :- <[1,1]> f(a), g(a) <3> t(X) :- <5> g(X). .",
    ),
    (
        "@module m(x/1, h/1, d, k = 2, act = tanh, $w) { {d,@{k}} h(X) :- $w={2,2} y(X), @in(X,k,a,b). y(X) :- act(x(X)), !e(X,k). }\n\
         @use m(f, l0, 2). @for L in 1..2 { @use m(l@{L-1}, l@L, 2, act = leakyrelu(0.1), w = $s). }\n\
         @if 1 != 2 { {1,2} q :- l2(X). } @else { q :- g(X). }",
        "1.0 q :- <[1,2]> f(a), <[0,1]> f(b), e(a,2), e(2,b).",
    ),
    (
        "h(X) :- {3,2} tanh(f(X)), leakyrelu(0.2)(f(X)), !e(X,Y).\nq(X,Y) :- sqrt(abs(p())), h(X).",
        "<[1,2]> f(a). <-4> p. e(a,b). ?- q(X,Y). ?- h(X).",
    ),
];

/// Between the template and the data of one input of `check`.
pub const SEAM: &str = "\n%%%%\n";

pub fn texts() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out: Vec<String> = PAIRS.iter().map(|(t, d)| format!("{t}{SEAM}{d}")).collect();
    out.extend(PAIRS.iter().flat_map(|(t, d)| [(*t).to_string(), (*d).to_string()]));
    for folder in ["examples", "tests", "docs", "grammar", "stdlib", "."] {
        visit(&root.join(folder), folder != ".", &mut out);
    }
    out.sort();
    out.dedup();
    assert!(out.len() > 300, "the texts of the repository are found: {}", out.len());
    out.into_iter().map(String::into_bytes).collect()
}

fn visit(folder: &Path, deep: bool, out: &mut Vec<String>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if deep {
                visit(&path, true, out);
            }
            continue;
        }
        let Ok(text) = fs::read_to_string(&path) else { continue };
        match path.extension().and_then(|e| e.to_str()) {
            Some("lrnn" | "db" | "txt") => out.push(text),
            Some("md") => out.extend(blocks(&text)),
            Some("rs") if deep => out.extend(literals(&text)),
            _ => {}
        }
    }
}

/// Fenced blocks; those of one document also together, as template and data.
fn blocks(text: &str) -> Vec<String> {
    let parts: Vec<&str> = text.split("```").collect();
    let of = |kind: &str| -> Vec<String> {
        let inside = parts.iter().skip(1).step_by(2);
        let own = inside.filter_map(|b| b.split_once('\n')).filter(|(info, _)| info.starts_with(kind));
        own.map(|(_, b)| b.to_string()).collect()
    };
    let (templates, data) = (of("lrnn"), of("db"));
    let pairs = templates.iter().flat_map(|t| data.iter().map(move |d| format!("{t}{SEAM}{d}"))).take(4);
    pairs.chain(templates.iter().cloned()).chain(data.iter().cloned()).collect()
}

/// Text in quotes that looks like rules or facts.
fn literals(text: &str) -> Vec<String> {
    let inside = text.split('"').skip(1).step_by(2);
    let ours = inside.filter(|s| s.len() < 600 && (s.contains(":-") || s.contains("?-") || s.contains(").")));
    ours.map(|s| s.replace("\\n\\\n", "\n").replace("\\n", "\n").replace("\\\n", "")).collect()
}
