//! Knowledge bases: scores of facts, and chains of relations.

use super::*;
use crate::harness::Outputs;
use nlog::diag::has_errors;
use nlog::learn::Loss;
use nlog::session::{Session, Settings};
use std::ops::ControlFlow;

const ENTITIES: [&str; 5] = ["a", "b", "c", "d", "e"];
const RELATIONS: [&str; 3] = ["r", "s", "t"];
/// Of the entities, only `e` is in no fact.
const FACTS: [(usize, usize, usize); 6] = [(0, 0, 1), (1, 0, 2), (2, 1, 0), (0, 2, 3), (3, 1, 1), (0, 1, 1)];
const ASKED: [(usize, usize, usize); 6] = [(0, 0, 1), (0, 1, 2), (3, 2, 0), (2, 2, 2), (4, 0, 1), (1, 1, 4)];

/// `{width} ent(a).` for each: learned embeddings. Then the relations.
fn embeddings(entity: usize, relation: usize) -> String {
    let mut out = String::new();
    ENTITIES.iter().for_each(|e| writeln!(out, "{{{entity}}} ent({e}).").unwrap());
    RELATIONS.iter().for_each(|r| writeln!(out, "{{{relation}}} rel({r}).").unwrap());
    out
}

fn triple(predicate: &str, (h, r, t): (usize, usize, usize)) -> String {
    format!("{predicate}({},{},{})", ENTITIES[h], RELATIONS[r], ENTITIES[t])
}

/// `asked(a,r,b).` and `?- score(a,r,b).` for each, and the facts.
fn data(asked: &[(usize, usize, usize)]) -> String {
    let mut out = String::new();
    FACTS.iter().for_each(|&f| writeln!(out, "fact{}.", triple("", f)).unwrap());
    for &a in asked {
        writeln!(out, "<0.5> asked{}. ?- {}.", triple("", a), triple("score", a)).unwrap();
    }
    out
}

/// Holds a module against a score of the embeddings of head, relation and tail, with `asked` and without.
fn scores(
    import: &str,
    call: &str,
    entity: usize,
    relation: usize,
    score: impl Fn(&Matrix, &Matrix, &Matrix) -> f64,
) {
    for end in ["", ", asked = asked"] {
        let text = format!("import {import}. {} @use {call}{end}).", embeddings(entity, relation));
        agree(&text, &data(&ASKED), |w| {
            let of = |&(h, r, t): &(usize, usize, usize)| {
                let value = score(&w[h], &w[5 + r], &w[t]);
                (triple("score", (h, r, t)), Matrix::from_element(1, 1, value))
            };
            ASKED.iter().map(of).collect()
        });
    }
}

#[test]
fn translations() {
    scores("kb/transe", "transe(ent, rel, score, 4", 4, 4, |h, r, t| {
        -(h + r - t).iter().map(|v| v.abs()).sum::<f64>()
    });
    scores("kb/transe", "transe(ent, rel, score, 4, norm = 2, margin = 3", 4, 4, |h, r, t| {
        3.0 - (h + r - t).norm()
    });
}

/// A distance of exactly zero has no direction: such a triple adds nothing to the gradient, and training goes on.
#[test]
fn distances_of_zero_are_trained() {
    for (import, call, relation) in [
        ("kb/transe", "transe(ent, rel, score, 2, norm = 1", "[[0],[0]]"),
        ("kb/transe", "transe(ent, rel, score, 2, norm = 2", "[[0],[0]]"),
        ("kb/rotate", "rotate(ent, rel, score, 1, norm = 1", "[0]"),
        ("kb/rotate", "rotate(ent, rel, score, 1, norm = 2", "[0]"),
    ] {
        let template = format!(
            "import {import}. [[0.5],[0.2]] ent(a). [[0.5],[0.2]] ent(b). $v={relation} rel(r).
             @use {call}, asked = asked). ?- 1 score(a,r,a). ?- 1 score(a,r,b)."
        );
        let mut settings = Settings::default();
        (settings.train.epochs, settings.train.loss) = (3, Loss::Mse);
        let (session, found) = Session::from_texts(&template, "asked(a,r,a). asked(a,r,b).", settings);
        assert!(!has_errors(&found), "{call}: {found:?}");
        let network = session.build().0.expect("it has answers");
        let mut parameters = session.initial_parameters();
        let run = session.run(&network, &mut parameters, &mut |_| ControlFlow::Continue(()));
        assert!(run.expect("finite errors").values.iter().flatten().all(|v| v.is_finite()), "{call}");
    }
}

#[test]
fn products_of_three() {
    scores("kb/distmult", "distmult(ent, rel, score", 4, 4, |h, r, t| {
        (0..4).map(|k| h[k] * r[k] * t[k]).sum()
    });
}

#[test]
fn matrices_of_relations() {
    // Embeddings of the relations are 3 × 3.
    let wide = embeddings(3, 3).replace("{3} rel", "{3,3} rel");
    for end in ["", ", asked = asked"] {
        let text = format!("import kb/rescal. {wide} @use rescal(ent, rel, score{end}).");
        agree(&text, &data(&ASKED), |w| {
            let value = |&(h, r, t): &(usize, usize, usize)| {
                let mut sum = 0.0;
                for k in 0..9 {
                    sum += w[h][k / 3] * w[5 + r][(k / 3, k % 3)] * w[t][k % 3];
                }
                (triple("score", (h, r, t)), Matrix::from_element(1, 1, sum))
            };
            ASKED.iter().map(value).collect()
        });
    }
}

/// A complex number.
type Complex = (f64, f64);

fn times(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

#[test]
fn complex_products() {
    let at = |m: &Matrix, k: usize| (m[k], m[k + 3]);
    scores("kb/complex", "complex(ent, rel, score, 3", 6, 6, |h, r, t| {
        (0..3).map(|k| times(times(at(h, k), at(r, k)), (t[k], -t[k + 3])).0).sum()
    });
}

#[test]
fn rotations() {
    let at = |m: &Matrix, k: usize| (m[k], m[k + 3]);
    let squares = move |h: &Matrix, r: &Matrix, t: &Matrix| -> Vec<f64> {
        (0..3)
            .map(|k| {
                let turned = times(at(h, k), (r[k].cos(), r[k].sin()));
                (turned.0 - t[k]).powi(2) + (turned.1 - t[k + 3]).powi(2)
            })
            .collect()
    };
    scores("kb/rotate", "rotate(ent, rel, score, 3, margin = 2", 6, 3, |h, r, t| {
        2.0 - squares(h, r, t).iter().map(|s| s.sqrt()).sum::<f64>()
    });
    scores("kb/rotate", "rotate(ent, rel, score, 3, norm = 2", 6, 3, |h, r, t| {
        -squares(h, r, t).iter().sum::<f64>().sqrt()
    });
}

#[test]
fn two_scores_in_one_template() {
    let text = format!(
        "import kb/transe. import kb/distmult. {} @use transe(ent, rel, one, 3). @use distmult(ent, rel, two).
         @use transe(ent, rel, three, 3, 2).
         score(H,R,T) :- one(H,R,T), two(H,R,T), three(H,R,T). [transformation=identity]
         score/3 [transformation=identity]",
        embeddings(3, 3)
    );
    agree(&text, &data(&ASKED), |w| {
        let of = |&(h, r, t): &(usize, usize, usize)| {
            let apart = &w[h] + &w[5 + r] - &w[t];
            let product: f64 = w[h].component_mul(&w[5 + r]).dot(&w[t]);
            let value = product - apart.abs().sum() - apart.norm();
            (triple("score", (h, r, t)), Matrix::from_element(1, 1, value))
        };
        ASKED.iter().map(of).collect()
    });
}

/// The formula of the lifting paper: embeddings, then the weights of the module in their order.
fn lifted(w: &[Matrix], own: bool, asked: &[(usize, usize, usize)]) -> Outputs {
    let (ent, rel, m) = (&w[..5], &w[5..8], &w[8..]);
    let mean = |place: &dyn Fn(&(usize, usize, usize)) -> usize, x: usize, k: usize| {
        let of: Vec<_> = FACTS.iter().filter(|f| place(f) == x).collect();
        let other = |f: &(usize, usize, usize)| if place(f) == f.0 && k == 0 { f.2 } else { f.0 };
        let mut sum = zeros(3);
        for f in &of {
            sum += tanh(&(&m[k] * &rel[f.1] + &m[k + 1] * &ent[other(f)] + &m[k + 2]));
        }
        sum / (of.len() as f64).max(1.0)
    };
    // In the template the two own rules stand behind the two of the facts.
    let first = |x: usize| {
        let more = if own { tanh(&(&m[6] * &ent[x])) } else { zeros(3) };
        tanh(&(mean(&|f| f.0, x, 0) + more))
    };
    let last = |x: usize| {
        let more = if own { tanh(&(&m[7] * &ent[x])) } else { zeros(3) };
        tanh(&(mean(&|f| f.2, x, 3) + more))
    };
    let s = if own { 8 } else { 6 };
    let score = |&(h, r, t): &(usize, usize, usize)| {
        let inner = &m[s + 1] * first(h) + &m[s + 2] * last(t) + &m[s + 3] * &rel[r];
        (triple("score", (h, r, t)), &m[s] * tanh(&inner))
    };
    asked.iter().map(score).collect()
}

#[test]
fn the_template_of_the_lifting_paper() {
    // Those whose first entity is a first one in a fact, and the last a last one.
    let known: Vec<_> = ASKED
        .into_iter()
        .filter(|a| FACTS.iter().any(|f| f.0 == a.0) && FACTS.iter().any(|f| f.2 == a.2))
        .collect();
    assert!(known.len() > 2 && known.len() < ASKED.len());
    for end in ["", ", asked = asked"] {
        let text = format!("import kb/kbe. {} @use kbe(fact, ent, rel, score, 3{end}).", embeddings(3, 3));
        agree(&text, &data(&known), |w| lifted(w, false, &known));
        let text = format!("import kb/kbe. {} @use kbe(fact, ent, rel, score, 3, 1{end}).", embeddings(3, 3));
        agree(&text, &data(&ASKED), |w| lifted(w, true, &ASKED));
    }
}

#[test]
fn the_paper_written_out_is_the_module() {
    // As the template of the paper for Kinships reads, but for the names and with only the score asked.
    let known = [(0, 0, 1), (3, 2, 0), (2, 2, 2)];
    let text = format!(
        "{} e1(X) :- {{3,3}} rel(R), {{3,3}} ent(Y), {{3}} fact(X,R,Y).
         e2(Y) :- {{3,3}} rel(R), {{3,3}} ent(X), {{3}} fact(X,R,Y).
         {{1,3}} score(X,R,Y) :- {{3,3}} e1(X), {{3,3}} e2(Y), {{3,3}} rel(R).",
        embeddings(3, 3)
    );
    agree(&text, &data(&known), |w| lifted(w, false, &known));
}

/// Degrees of truth of the relations between five nodes; d is only a source, e only a target.
fn relation_facts() -> ([Matrix; 3], String) {
    let (mut out, mut facts) = ([(); 3].map(|()| Matrix::zeros(5, 5)), String::new());
    for (k, (x, y)) in
        [(0, 1), (1, 2), (2, 0), (3, 0), (3, 1), (1, 0), (0, 4), (1, 1), (2, 1)].iter().enumerate()
    {
        let value = 1.0 - 0.0625 * k as f64;
        out[k % 3][(*x, *y)] = value;
        writeln!(facts, "<{value}> {}({},{}).", RELATIONS[k % 3], ENTITIES[*x], ENTITIES[*y]).unwrap();
    }
    (out, facts)
}

#[test]
fn chains_of_relations() {
    let (relations, facts) = relation_facts();
    for (steps, ranks, soft, inverse, stay) in
        [(1, 1, 1, 0, 0), (2, 1, 1, 0, 0), (3, 2, 0, 0, 0), (3, 2, 1, 1, 1), (2, 2, 0, 1, 1), (2, 3, 1, 0, 1)]
    {
        // All kinds of steps, as matrices, in the order of the module.
        let kinds: Vec<Matrix> = relations
            .iter()
            .flat_map(|m| if inverse == 1 { vec![m.clone(), m.transpose()] } else { vec![m.clone()] })
            .chain((stay == 1).then(|| Matrix::identity(5, 5)))
            .collect();
        let reach = |w: Option<&[Matrix]>| {
            let mut sum = Matrix::zeros(5, 5);
            for k in 0..ranks {
                let mut walk = Matrix::identity(5, 5);
                for l in 0..steps {
                    let at = (k * steps + l) * kinds.len();
                    let free: Vec<f64> =
                        (0..kinds.len()).map(|n| w.map_or(1.0, |w| w[at + n][(0, 0)])).collect();
                    let all: f64 = free.iter().map(|v| v.exp()).sum();
                    let alpha =
                        |n: usize| if soft == 1 && w.is_some() { free[n].exp() / all } else { free[n] };
                    let step = (0..kinds.len()).fold(Matrix::zeros(5, 5), |s, n| s + &kinds[n] * alpha(n));
                    walk *= step;
                }
                sum += walk;
            }
            sum
        };
        // Pairs that some walk joins.
        let joined = reach(None);
        let pairs: Vec<(usize, usize)> =
            (0..25).map(|n| (n / 5, n % 5)).filter(|&p| joined[p] > 0.0).collect();
        assert!(pairs.len() > 3);
        let name = |&(x, y): &(usize, usize)| format!("h({},{})", ENTITIES[x], ENTITIES[y]);
        let asked: String = pairs.iter().map(|p| format!("?- {}.\n", name(p))).collect();
        let text = format!(
            "import kb/chains. @use chains({{r,s,t}}, h, {steps}, {ranks}, {soft}, {inverse}, {stay})."
        );
        agree(&text, &(facts.clone() + &asked), |w| {
            let all = reach(Some(w));
            pairs.iter().map(|p| (name(p), Matrix::from_element(1, 1, all[*p]))).collect()
        });
    }
}
