//! What becomes of ground cycles does not depend on the order of rules, the order of facts, or the number of threads;
//! and where there is no cycle every ground rule stays.

use crate::support::{close, evaluate_only, run, session};
use nlog::base::rng::Stream;
use nlog::session::Settings;

const CONSTANTS: &[&str] = &["a", "b", "c", "d"];

fn pick(s: &mut Stream, n: usize) -> usize {
    s.below(n as u64) as usize
}

/// Rules over two unary and two binary predicates that all may depend on each other, and facts.
struct Program {
    rules: Vec<String>,
    facts: Vec<String>,
}

/// `recursive`: whether a body may read predicates that depend on its head.
fn program(s: &mut Stream, recursive: bool) -> Program {
    let heads = ["p(X)", "q(X)", "r(X,Y)", "t(X,Y)"];
    let bodies = [
        ["e(X,Y)", "e(Y,X)", "<0.7> f(X)", "<0.4> g(Y), e(X,Y)"],
        ["p(Y), *e(Y,X)", "<0.6> p(X)", "*p(X), f(X)", "~p(Y), e(X,Y)"],
        ["q(Y), *e(X,Y)", "<-0.3> q(X)", "q(X), p(Y), *e(Y,X)", "q(X)"],
        ["r(X,Z), *e(Z,Y)", "<0.2> r(Y,X)", "r(X,Y)", "r(Z,X), e(Y,Z)"],
        ["t(Y,X), <0.5> f(X)", "t(X,Y)", "<0.9> t(X,Z), t(Z,Y)", "*t(X,Y), e(X,Y)"],
    ];
    let mut rules = Vec::new();
    for number in 0..4 + pick(s, 6) {
        let head = pick(s, heads.len());
        // Every second rule is grounded by facts alone, so that there is something to begin with.
        let level =
            if number % 2 == 0 { 0 } else { pick(s, if recursive { bodies.len() } else { head + 1 }) };
        let mut body = bodies[level][pick(s, 4)].to_string();
        for variable in ["X", "Y"] {
            if heads[head].contains(variable) && !body.contains(variable) {
                body += &format!(", *d({variable})");
            }
        }
        let functions = ["", " [aggregation=sum]", " [transformation=identity]", " [combination=product]"];
        rules.push(format!(
            "<{}> {} :- {body}.{}",
            1.0 + number as f64 / 8.0,
            heads[head],
            functions[pick(s, 4)]
        ));
    }
    let mut facts: Vec<String> = CONSTANTS.iter().map(|c| format!("d({c}).")).collect();
    for _ in 0..4 + pick(s, 8) {
        let (x, y) = (CONSTANTS[pick(s, 4)], CONSTANTS[pick(s, 4)]);
        facts.push(match pick(s, 5) {
            0 => format!("<{}> f({x}).", 1 + pick(s, 3)),
            1 => format!("<{}> g({x}).", 1 + pick(s, 3)),
            _ => format!("e({x},{y})."),
        });
    }
    facts.extend(["<1> f(a).", "<1> g(a)."].map(str::to_string));
    // One value for each fact: of several the first counts, which would make the order matter.
    let mut atoms: Vec<String> = Vec::new();
    facts.retain(|f| {
        let atom = f.split("> ").last().unwrap_or_default().to_string();
        let new = !atoms.contains(&atom);
        atoms.push(atom);
        new
    });
    Program { rules, facts }
}

fn shuffle(list: &mut [String], s: &mut Stream) {
    for i in (1..list.len()).rev() {
        list.swap(i, pick(s, i + 1));
    }
}

/// Values of all derived atoms, what was left out per predicate, the ground rules, and the bits of the values.
type Result = (Vec<(String, Vec<f64>)>, Vec<(String, usize)>, usize, Vec<u64>);

fn result(rules: &[String], facts: &[String], threads: usize) -> Result {
    let queries = "?- p(X). ?- q(X). ?- r(X,Y). ?- t(X,Y).";
    let settings = Settings { unprovable: nlog::session::Unprovable::Skip, ..evaluate_only() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
    pool.install(|| {
        let data = format!("{} {queries}", facts.join(" "));
        let session = session(&rules.join("\n"), &data, settings);
        let (network, _, outcome) = run(&session);
        let atom = |a: &nlog::answer::Answer| {
            session.vocabulary.atom_text(session.database.queries[a.query].pred, a.args.iter().copied())
        };
        let mut values: Vec<_> = network.answers.iter().map(atom).zip(outcome.values).collect();
        values.sort_by(|a, b| a.0.cmp(&b.0));
        let bits = values.iter().flat_map(|(_, v)| v).map(|x| x.to_bits()).collect();
        let mut cut = network.statistics.cut.clone();
        cut.sort();
        (values, cut, network.statistics.ground_rules, bits)
    })
}

#[test]
fn cycles_are_cut_the_same_way_in_every_order_and_on_every_number_of_threads() {
    let mut s = Stream::new(17, "cyclic programs");
    let (mut cut, mut answers) = (0, 0);
    for round in 0..150 {
        let Program { mut rules, mut facts } = program(&mut s, true);
        let first = result(&rules, &facts, 1);
        cut += usize::from(!first.1.is_empty());
        answers += first.0.len();
        let shown = |rules: &[String], facts: &[String]| format!("{}\n{}", rules.join("\n"), facts.join(" "));
        for threads in [2, 3] {
            let other = result(&rules, &facts, threads);
            assert_eq!(
                (&first.3, &first.1),
                (&other.3, &other.1),
                "{round}, {threads} threads\n{}",
                shown(&rules, &facts)
            );
        }
        for turn in 0..4 {
            match turn % 3 {
                0 => shuffle(&mut facts, &mut s),
                1 => shuffle(&mut rules, &mut s),
                _ => {
                    shuffle(&mut facts, &mut s);
                    shuffle(&mut rules, &mut s);
                }
            }
            let other = result(&rules, &facts, 1 + turn % 3);
            assert_eq!((&first.1, first.2), (&other.1, other.2), "{round}\n{}", shown(&rules, &facts));
            assert!(
                close(&first.0, &other.0, 1e-10),
                "{round}\n{}\n{first:?}\n{other:?}",
                shown(&rules, &facts)
            );
        }
    }
    assert!(cut > 30 && answers > 1000, "the programs are cyclic and derive something: {cut}, {answers}");
}

#[test]
fn without_cycles_every_ground_rule_stays() {
    let mut s = Stream::new(23, "programs without cycles");
    let mut ground = 0;
    for round in 0..150 {
        let Program { rules, facts } = program(&mut s, false);
        let queries = "?- p(X). ?- q(X). ?- r(X,Y). ?- t(X,Y).";
        let settings =
            Settings { unprovable: nlog::session::Unprovable::Skip, cut_cycles: false, ..evaluate_only() };
        let session = session(&rules.join("\n"), &format!("{} {queries}", facts.join(" ")), settings);
        // `cut_cycles: false` makes an error of a cycle.
        let (network, _, _) = run(&session);
        assert!(network.statistics.cut.is_empty(), "{round}: nothing is left out\n{}", rules.join("\n"));
        // Every instance is a neuron of the graph: all derived atoms are asked for, so all of them count. Those that give
        // a plain value are none.
        let plain: usize = session
            .template
            .rules
            .iter()
            .zip(&network.statistics.per_rule)
            .filter(|(r, _)| r.is_valueless())
            .map(|(_, n)| n)
            .sum();
        let (all, kept) = (network.statistics.ground_rules, network.statistics.neurons.rules);
        assert_eq!(kept, all - plain, "{round}\n{}\n{}", rules.join("\n"), facts.join(" "));
        ground += all;
    }
    assert!(ground > 1000, "{ground}");
}
