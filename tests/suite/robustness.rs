//! What would take all memory or time is refused. That no input makes anything panic is the matter of `tests/fuzz.rs`.

use nlog::diag::has_errors;
use nlog::session::{Session, Settings};
<<<<<<< HEAD
use std::ops::ControlFlow;

/// Programs with data that are right as they stand.
const PAIRS: &[(&str, &str)] = &[
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
        "[rule=identity, atom=identity]\nn(Y) :- n(X), X < 5, Y = (X + 1) / 1.\nn(Z) :- e(X,Y), Z = X - Y, Z >= -2.\n\
         q :- n(X), 0.5 n(Y), X != Y, X * 2 <= Y + 1, W = -X / Y, !e(W,X).",
        "e(1,2). e(2,3.5), e(3,1). 1.0 q :- e(1,0), h(X) :- n(X), X <= 2, Y = X * X, e(Y,X). . ?- 1.0 q, n(X).",
    ),
    (
        "q :- [2,2|0,0:1,1,1:-1] f(X), g(X). [combination=product]\n$v={2,2} s(X) :- f(X).\n\
         $v [learnable=false]\nr(X) :- f(X), 0.5 g(X), -0.25. [combination=concat, aggregation=concat]",
        "[1,0] q :- <[1,2]> f(a), <2> g(a). [0,1] q, 1.0 g(a) :- <[1,1]> f(a), g(a) <3> t(X) :- <5> g(X). .",
    ),
];

const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ",",
    ".",
    ":-",
    "!",
    "~",
    "*",
    "@",
    "$",
    "=",
    "|",
    "/",
    "X",
    "a",
    "q",
    "_",
    "0",
    "-1",
    "1e308",
    "'",
    "%",
    "/*",
    "*/",
    "{0}",
    "{1,2}",
    "[1,2]",
    "softmax",
    "concat",
    "count",
    "p(X)",
    "?-",
    "é",
    "\u{0}",
    "\n",
    "e(X,X)",
    "{3,3}",
    "<[1,2,3]>",
    "@dom(X)",
    ", X < Y",
    ", Z = X / 2",
    ", Y = Z + 1",
    " - ",
    "!=",
    ">=",
];

fn damage(text: &str, s: &mut Stream) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..1 + s.below(2) {
        let at = s.below(chars.len() as u64 + 1) as usize;
        match s.below(8) {
            // One letter or digit for another: the kindest damage, most of which still parses.
            4.. => {
                let words: Vec<usize> = (0..chars.len()).filter(|&i| chars[i].is_alphanumeric()).collect();
                if let Some(&i) = words.get(s.below(words.len().max(1) as u64) as usize) {
                    let letters: Vec<char> = "abcfgqXYZ0127".chars().collect();
                    chars[i] = letters[s.below(letters.len() as u64) as usize];
                }
            }
            0 => {
                let n = (s.below(6) as usize).min(chars.len() - at);
                chars.drain(at..at + n);
            }
            1 | 2 => {
                let piece = PIECES[s.below(PIECES.len() as u64) as usize];
                chars.splice(at..at, piece.chars());
            }
            _ => {
                let from = s.below(chars.len() as u64 + 1) as usize;
                let n = (s.below(20) as usize).min(chars.len() - from);
                let copy: Vec<char> = chars[from..from + n].to_vec();
                chars.splice(at..at, copy);
            }
        }
    }
    chars.into_iter().collect()
}
=======
>>>>>>> diag

fn messages(template: &str, data: &str, settings: Settings) -> Vec<&'static str> {
    let (session, mut found) = Session::from_texts(template, data, settings);
    if !has_errors(&found) {
        found.extend(session.build().1);
    }
    found.iter().map(|d| d.code.0).collect()
}

#[test]
fn what_would_take_all_memory_or_time_is_refused() {
    let few = Settings { max_ground: 1000, ..Settings::default() };
    assert_eq!(messages("q(X) :- a(X).", "{2000000000} a(x). ?- q(x).", few.clone()), ["E0109"]);
    assert_eq!(messages("q(X) :- {60000,60000} a(X).", "a(x). ?- q(x).", few.clone()), ["E0109"]);
    let long = format!("q :- {}.", vec!["a"; 10_000].join(", "));
    assert_eq!(messages(&long, "a. ?- q.", few.clone()), ["E0214"]);
    // Three values of a thousand elements, crossed.
    let cross = "q(X) :- a(X), a(X), a(X). [combination=crosssum]";
    assert_eq!(messages(cross, "<[1000|0:1]> a(x). ?- q(x).", few.clone()), ["E0601"]);
    // What only has to exist is not enumerated: 3000³ substitutions say one thing.
    let facts: String = (0..3000).map(|i| format!("a({i}). ")).collect();
    let none: [&str; 0] = [];
    assert_eq!(messages("q :- b, *a(X), *a(Y), *a(Z).", &format!("b. {facts} ?- q."), few.clone()), none);
    // The search for a reason ends.
    let data = format!("{facts} {} ?- q.", facts.replace('a', "b"));
    assert_eq!(messages("q :- a(X), !b(X).", &data, few), ["E0503"]);
}

#[test]
fn whether_the_budget_holds_does_not_depend_on_threads() {
    let mut data = String::new();
    for world in 0..16 {
        let n = if world % 5 == 0 { 60 } else { 3 };
        let facts: Vec<String> = (0..n).map(|i| format!("a({i})")).collect();
        data += &format!("1 q :- {}.\n", facts.join(", "));
    }
    let template = "q :- a(X), a(Y).";
    let total = 4 * 60 * 60 + 12 * 9;
    for (max_ground, holds) in [(total, true), (total - 1, false), (total / 2, false)] {
        for threads in [1, 2, 4] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let mut settings = Settings { max_ground, ..Settings::default() };
            settings.train.epochs = 0;
            let found = pool.install(|| messages(template, &data, settings));
            assert_eq!(found.is_empty(), holds, "{max_ground} with {threads} threads: {found:?}");
        }
    }
}
