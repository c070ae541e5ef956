//! `--semiring`: against iteration from below on random ground programs, and through the command line.

use crate::files::{err, files, nlog, out};
use crate::support::shown;
use nlog::base::rng::Stream;
use nlog::diag::{codes, has_errors};
use nlog::ground::semiring::Semiring;
use nlog::session::{Session, Settings};
use std::fs;

/// A ground program over the atoms `p0`, `p1`, …
struct Program {
    /// Values of the atoms that are facts, in hundredths.
    facts: Vec<Option<u32>>,
    /// Head and body; a literal is an atom and whether it is softly negated.
    rules: Vec<(usize, Vec<(usize, bool)>)>,
}

impl Program {
    /// Some atoms are facts, which alone are negated, if any are.
    fn random(seed: u64, negations: bool) -> Program {
        let mut stream = Stream::new(seed, "program");
        let mut below = |n: usize| stream.below(n as u64) as usize;
        let n = 3 + below(8);
        let facts: Vec<Option<u32>> =
            (0..n).map(|i| (i < 2 || below(4) == 0).then(|| below(101) as u32)).collect();
        let mut rules = Vec::new();
        let acyclic = below(2) == 0;
        for _ in 0..below(2 * n + 1) {
            // The first two are never derived, so a negation of them is stratified.
            let head = 2 + below(n - 2);
            let body: Vec<(usize, bool)> = (0..1 + below(3))
                .map(|_| {
                    let atom = below(if acyclic { head } else { n });
                    let soft = negations && atom < 2 && below(2) == 0;
                    (atom, soft)
                })
                .collect();
            let rule = (head, body);
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        Program { facts, rules }
    }

    fn texts(&self) -> (String, String) {
        let (mut template, mut data) = (String::new(), String::new());
        for (head, body) in &self.rules {
            let literal = |(a, soft): &(usize, bool)| format!("{}p{a}", if *soft { "~" } else { "" });
            let body: Vec<String> = body.iter().map(literal).collect();
            template += &format!("<7> p{head} :- {}.\n", body.join(", "));
        }
        for (i, fact) in self.facts.iter().enumerate() {
            if let Some(hundredths) = fact {
                data += &format!("<{}> p{i}.\n", f64::from(*hundredths) / 100.0);
            }
        }
        for i in 0..self.facts.len() {
            data += &format!("?- p{i}.\n");
        }
        (template, data)
    }

    /// Values after so many steps from below; `None`: not derived.
    fn steps<T: Copy>(
        &self,
        steps: usize,
        fact: impl Fn(u32) -> T,
        negate: impl Fn(T) -> T,
        times: impl Fn(T, T) -> T,
        plus: impl Fn(T, T) -> T,
    ) -> Vec<Option<T>> {
        let start: Vec<Option<T>> = self.facts.iter().map(|f| f.map(&fact)).collect();
        let mut now = vec![None; start.len()];
        for _ in 0..steps {
            let mut next = start.clone();
            for (head, body) in &self.rules {
                let inputs = body.iter().map(|(a, soft)| now[*a].map(|v| if *soft { negate(v) } else { v }));
                let Some(values) = inputs.collect::<Option<Vec<T>>>() else { continue };
                let Some(value) = values.into_iter().reduce(&times) else { continue };
                next[*head] = Some(next[*head].map_or(value, |v| plus(v, value)));
            }
            now = next;
        }
        now
    }
}

/// The values of all queries, and the codes of what was said.
fn values(template: &str, data: &str, semiring: Semiring) -> (Vec<f64>, Vec<nlog::diag::Code>) {
    let (session, found) = Session::from_texts(template, data, Settings::default());
    assert!(!has_errors(&found), "{template}\n{data}\n{}", shown(&found, &session));
    let (result, found) = session.run_in(semiring);
    let codes = found.iter().map(|d| d.code).collect();
    (result.map_or(Vec::new(), |(_, o)| o.values.iter().map(|v| v[0]).collect()), codes)
}

#[test]
fn values_are_those_of_iteration_from_below() {
    let (mut finite, mut endless) = (0, 0);
    for seed in 0..400 {
        let program = Program::random(seed, false);
        let (template, data) = program.texts();
        let n = program.facts.len();
        // Exact where small, and modulo a prime, which tells growing from standing still however large.
        const PRIME: u64 = (1 << 31) - 1;
        let count = |steps| {
            let times = |x: (u64, u64), y: (u64, u64)| (x.0.saturating_mul(y.0), x.1 * y.1 % PRIME);
            let plus = |x: (u64, u64), y: (u64, u64)| (x.0.saturating_add(y.0), (x.1 + y.1) % PRIME);
            program.steps(steps, |_| (1, 1), |x| x, times, plus)
        };
        // A finite count is reached in as many steps as there are atoms; an infinite one still grows after them.
        let (early, later, late) = (count(n + 1), count(2 * n + 1), count(3 * n + 4));
        let expected: Vec<f64> = (0..n)
            .map(|i| match (early[i], later[i], late[i]) {
                (Some(e), Some(m), Some(l)) if e.1 == m.1 && m.1 == l.1 => {
                    assert!(e.0 < 1 << 53, "seed {seed}: too large to compare");
                    e.0 as f64
                }
                (None, None, None) => 0.0,
                _ => f64::INFINITY,
            })
            .collect();
        let (found, codes) = values(&template, &data, Semiring::Count);
        assert_eq!(found, expected, "seed {seed}\n{template}{data}");
        let infinite = expected.iter().any(|v| v.is_infinite());
        assert!(!infinite || codes == [codes::ENDLESS_COUNT], "{codes:?}");
        finite += usize::from(expected.iter().any(|v| v.is_finite() && *v > 2.0));
        endless += usize::from(infinite);
        let holds: Vec<f64> = early.iter().map(|e| f64::from(u8::from(e.is_some()))).collect();
        assert_eq!(values(&template, &data, Semiring::Boolean).0, holds, "seed {seed}");
        for negations in [false, true] {
            let program = Program::random(seed, negations);
            let (template, data) = program.texts();
            let degree = program.steps(3 * n + 3, |h| f64::from(h) / 100.0, |x| 1.0 - x, f64::min, f64::max);
            let expected: Vec<f64> = degree.iter().map(|d| d.unwrap_or(0.0)).collect();
            let found = values(&template, &data, Semiring::MaxMin).0;
            assert_eq!(found, expected, "seed {seed}\n{template}{data}");
        }
    }
    assert!(finite > 40 && endless > 40, "{finite} and {endless}: the programs are too simple");
}

#[test]
fn recursion_counts_walks_and_finds_the_widest() {
    let template = "way(X,Y) :- road(X,Y).\nway(X,Z) :- way(X,Y), road(Y,Z).\n";
    let data = "<0.5> road(a,b). <0.9> road(b,d). <0.6> road(a,c). <0.55> road(c,d). <0.1> road(d,e).\n";
    let ask = "?- way(a,d), way(a,e), way(e,a), way(f,f).";
    assert_eq!(values(template, &format!("{data}{ask}"), Semiring::Count).0, [2.0, 2.0, 0.0, 0.0]);
    assert_eq!(values(template, &format!("{data}{ask}"), Semiring::MaxMin).0, [0.55, 0.1, 0.0, 0.0]);
    // A way back makes walks endless, where it is on the way; degrees and truth stay.
    let back = format!("{data}<1> road(d,c). {ask}");
    let (found, codes) = values(template, &back, Semiring::Count);
    assert_eq!((found, codes), (vec![f64::INFINITY, f64::INFINITY, 0.0, 0.0], vec![codes::ENDLESS_COUNT]));
    assert_eq!(values(template, &back, Semiring::MaxMin).0, [0.55, 0.1, 0.0, 0.0]);
    assert_eq!(values(template, &back, Semiring::Boolean).0, [1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn what_is_hidden_counts_once_and_worlds_are_apart() {
    let template = "q :- a(X), *b(X,Y).\nr(X) :- *a(X).\n";
    let data =
        "?- q, r(c).\n1 q :- <0.25> a(c), b(c,x), b(c,y), <0.75> a(d), b(d,x).\n0 q :- b(c,x), a(d).\na(c).";
    assert_eq!(values(template, data, Semiring::Count).0, [0.0, 1.0, 2.0, 1.0]);
    // A rule without visible literals gives truth; a world's own mention of a fact gives its value there.
    assert_eq!(values(template, data, Semiring::MaxMin).0, [0.0, 1.0, 0.75, 1.0]);
}

#[test]
fn counts_never_overflow_silently() {
    // 2^1100 is beyond floats, 2^1000 is not.
    let chain = |n: usize| {
        let rules: String =
            (0..n).map(|i| format!("<1> p{} :- p{i}.\n<2> p{} :- p{i}, one.\n", i + 1, i + 1)).collect();
        (rules, format!("p0. one. ?- p{n}."))
    };
    let (rules, data) = chain(1000);
    assert_eq!(values(&rules, &data, Semiring::Count), (vec![2f64.powi(1000)], vec![]));
    let (rules, data) = chain(1100);
    assert_eq!(values(&rules, &data, Semiring::Count), (vec![f64::MAX], vec![codes::ENDLESS_COUNT]));
}

#[test]
fn programs_without_a_reading_are_refused() {
    for (template, data, semiring) in [
        ("q(X) :- ~a(X).", "a(c). ?- q(c).", Semiring::Boolean),
        ("q(X) :- ~a(X).", "a(c). ?- q(c).", Semiring::Count),
        ("q(X) :- a(X).", "[1,2] a(c). ?- q(c).", Semiring::MaxMin),
        ("q(X) :- a(X).\nq(Y) :- ~q(X), e(X,Y).", "a(c). e(c,c). ?- q(c).", Semiring::MaxMin),
    ] {
        let (found, codes) = values(template, data, semiring);
        assert_eq!((found.len(), codes), (0, vec![codes::NO_READING]), "{template}");
    }
    // A negation that closes no cycle among atoms has a degree, also between atoms of one predicate.
    let (found, _) =
        values("q(Y) :- ~q(X), e(X,Y).", "<0.25> q(a). e(a,b). e(b,c). ?- q(b), q(c).", Semiring::MaxMin);
    assert_eq!(found, [0.75, 0.25]);
}

#[test]
fn the_command_line() {
    let dir = files(&[
        ("t.lrnn", "5 way(X,Y) :- road(X,Y).\n0.1 way(X,Z) :- way(X,Y), road(Y,Z).\n"),
        ("d.db", "road(a,b), road(b,c), road(a,c), road(d,d).\n?- way(a,X).\n?- 1 way(d,d), 0 way(c,a)."),
    ]);
    let run = |semiring: &str, more: &[&str]| {
        let mut args = vec!["run", "t.lrnn", "d.db", "--semiring", semiring];
        args.extend(more);
        nlog(dir.path(), &args)
    };
    let o = run("count", &["--predictions", "p.jsonl", "--report", "r.json"]);
    assert!(o.status.success() && err(&o).contains("W0704") && err(&o).contains("`way/2`"), "{}", err(&o));
    let expected = "way(a,b) = 1    X = b\nway(a,c) = 2    X = c\nway(d,d) = inf    target 1\nway(c,a) = 0    target 0\n";
    assert_eq!(out(&o), expected);
    let text = fs::read_to_string(dir.path().join("p.jsonl")).expect("written");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|l| serde_json::from_str(l).expect("a JSON object per line")).collect();
    assert_eq!(lines[1]["output"], 2.0);
    assert_eq!(lines[2]["output"], "inf");
    assert_eq!((&lines[2]["derived"], &lines[3]["derived"]), (&true.into(), &false.into()));
    let text = fs::read_to_string(dir.path().join("r.json")).expect("written");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["settings"]["semiring"], "count");
    assert_eq!(report["ground"]["rules"], 6);
    let o = run("bool", &["--predictions", "p.csv", "--unprovable", "skip"]);
    assert!(o.status.success() && err(&o).contains("W0510"), "{}", err(&o));
    let text = fs::read_to_string(dir.path().join("p.csv")).expect("written");
    assert!(text.ends_with("\"way(d,d)\",1,1\ns_2,train,\"way(c,a)\",,0\n"), "{text}");
    assert!(out(&run("maxmin", &[])).contains("way(a,c) = 1 "));
    for (args, word) in [(vec!["maxmn"], "did you mean `maxmin`"), (vec!["bool", "--weights"], "--weights")] {
        let o = run(args[0], &args[1..]);
        assert!(o.status.code() == Some(2) && err(&o).contains(word), "{}", err(&o));
    }
}

#[test]
fn values_of_what_is_derived_can_be_dumped() {
    let dir = files(&[
        ("t.lrnn", "way(X,Y) :- road(X,Y).\nway(X,Z) :- way(X,Y), road(Y,Z).\nq(X) :- way(a,X).\n"),
        ("d.db", "<2> road(a,b), <3> road(b,c), <7> road(a,c).\n?- q(X).\n"),
    ]);
    let dump = |semiring: &str, stage: &str| {
        nlog(dir.path(), &["run", "t.lrnn", "d.db", "--semiring", semiring, "--dump", stage])
    };
    for (semiring, ways) in
        [("bool", [1, 1, 1]), ("count", [1, 2, 1]), ("minplus", [2, 5, 3]), ("maxmin", [2, 7, 3])]
    {
        let o = dump(semiring, "ground");
        assert!(o.status.success(), "{}", err(&o));
        let text = out(&o);
        assert!(text.starts_with("shared world\n  0: way(a,b) :- road(a,b).\n"), "{text}");
        let values: Vec<&str> = text.lines().filter(|l| !l.contains(":-")).skip(1).map(str::trim).collect();
        let [ab, ac, bc] = ways;
        for line in [("way(a,b)", ab), ("way(a,c)", ac), ("way(b,c)", bc), ("q(b)", ab), ("q(c)", ac)] {
            assert!(
                values.contains(&format!("{} = {}", line.0, line.1).as_str()),
                "{semiring} {line:?}\n{text}"
            );
        }
        // Facts are not derived.
        assert_eq!(values.len(), 5, "{text}");
        for stage in ["graph", "program"] {
            let o = dump(semiring, stage);
            assert!(
                o.status.code() == Some(2) && err(&o).contains("`--semiring` makes no neurons"),
                "{}",
                err(&o)
            );
            assert!(err(&o).contains(&format!("no `{stage}` to print")), "{}", err(&o));
        }
    }
    assert!(out(&dump("bool", "template")).starts_with("defaults:\n"));
    // What has no value is told here as in a run.
    let dir = files(&[("t.lrnn", "q :- ~f(a).\n"), ("d.db", "f(a). ?- q.\n")]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "d.db", "--semiring", "count", "--dump", "ground"]);
    assert!(o.status.code() == Some(1) && err(&o).contains("[E0705]"), "{}", err(&o));
}
