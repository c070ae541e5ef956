//! Semi-naive grounding against a naive evaluator, on random stratified programs.

use crate::support::{evaluate_only, session};
use nlog::base::rng::Stream;
use nlog::data::WorldId;
use nlog::ground::Grounder;
use nlog::ground::evaluate::relevant_predicates;
use nlog::session::Session;
use std::collections::BTreeSet;

/// A predicate: name and arity. `e…` have facts only; `i…` are derived, and depend negatively on earlier ones only.
const PREDICATES: &[(&str, usize)] =
    &[("e0", 1), ("e1", 2), ("e2", 2), ("i0", 1), ("i1", 2), ("i2", 0), ("i3", 1), ("i4", 2)];
const FIRST_DERIVED: usize = 3;
const CONSTANTS: &[&str] = &["a", "b", "c", "7"];
const VARIABLES: &[&str] = &["X", "Y", "Z"];

#[derive(Clone, Copy, PartialEq)]
enum Term {
    Variable(usize),
    Constant(usize),
}

#[derive(Clone, PartialEq)]
enum Literal {
    Plain { pred: usize, args: Vec<Term>, hidden: bool },
    Negated { pred: usize, args: Vec<Term> },
    Differ(Term, Term),
}

#[derive(Clone)]
struct Rule {
    head: usize,
    args: Vec<Term>,
    body: Vec<Literal>,
}

#[derive(Clone)]
struct Program {
    rules: Vec<Rule>,
    facts: Vec<(usize, Vec<usize>)>,
}

type Tuple = (usize, Vec<String>);
type Instance = (String, Tuple, Vec<Tuple>);

fn pick(s: &mut Stream, n: usize) -> usize {
    s.below(n as u64) as usize
}

fn term(s: &mut Stream) -> Term {
    if pick(s, 5) == 0 {
        Term::Constant(pick(s, CONSTANTS.len()))
    } else {
        Term::Variable(pick(s, VARIABLES.len()))
    }
}

fn terms(s: &mut Stream, n: usize) -> Vec<Term> {
    (0..n).map(|_| term(s)).collect()
}

fn random_program(s: &mut Stream) -> Program {
    let mut rules = Vec::new();
    for _ in 0..3 + pick(s, 6) {
        let head = FIRST_DERIVED + pick(s, PREDICATES.len() - FIRST_DERIVED);
        let mut body = Vec::new();
        for _ in 0..1 + pick(s, 3) {
            let pred = pick(s, head + 1);
            let args = terms(s, PREDICATES[pred].1);
            body.push(Literal::Plain { pred, args, hidden: pick(s, 4) == 0 });
        }
        if pick(s, 3) == 0 {
            let pred = pick(s, head);
            body.insert(
                pick(s, body.len() + 1),
                Literal::Negated { pred, args: terms(s, PREDICATES[pred].1) },
            );
        }
        if pick(s, 4) == 0 {
            body.insert(pick(s, body.len() + 1), Literal::Differ(term(s), term(s)));
        }
        rules.push(Rule { head, args: terms(s, PREDICATES[head].1), body });
    }
    let mut facts = Vec::new();
    for _ in 0..10 + pick(s, 20) {
        // Sometimes a derived predicate has facts too.
        let pred = if pick(s, 8) == 0 { pick(s, PREDICATES.len()) } else { pick(s, FIRST_DERIVED) };
        facts.push((pred, (0..PREDICATES[pred].1).map(|_| pick(s, CONSTANTS.len())).collect()));
    }
    Program { rules, facts }
}

fn term_text(t: &Term) -> String {
    match t {
        Term::Variable(v) => VARIABLES[*v].to_string(),
        Term::Constant(c) => CONSTANTS[*c].to_string(),
    }
}

fn atom_text(pred: usize, args: &[String]) -> String {
    let name = PREDICATES[pred].0;
    if args.is_empty() { name.to_string() } else { format!("{name}({})", args.join(",")) }
}

fn rule_text(rule: &Rule, number: usize) -> String {
    let atom = |pred: usize, args: &[Term]| atom_text(pred, &args.iter().map(term_text).collect::<Vec<_>>());
    let literal = |l: &Literal| match l {
        Literal::Plain { pred, args, hidden } => {
            format!("{}{}", if *hidden { "*" } else { "" }, atom(*pred, args))
        }
        Literal::Negated { pred, args } => format!("!{}", atom(*pred, args)),
        Literal::Differ(x, y) => format!("@neq({},{})", term_text(x), term_text(y)),
    };
    let body: Vec<String> = rule.body.iter().map(literal).collect();
    // The weight makes every rule one of its own, and tells them apart when their order is changed.
    format!("<{}> {} :- {}.", number + 1, atom(rule.head, &rule.args), body.join(", "))
}

/// Everything that holds and every ground rule, by trying all substitutions until nothing is new.
fn naive(program: &Program) -> (BTreeSet<Tuple>, BTreeSet<Instance>) {
    let mut used: BTreeSet<usize> = program.facts.iter().flat_map(|(_, a)| a.clone()).collect();
    for rule in &program.rules {
        let mut see = |t: &Term| {
            if let Term::Constant(c) = t {
                used.insert(*c);
            }
        };
        rule.args.iter().for_each(&mut see);
        for l in &rule.body {
            match l {
                Literal::Plain { args, .. } | Literal::Negated { args, .. } => args.iter().for_each(&mut see),
                Literal::Differ(x, y) => [x, y].into_iter().for_each(&mut see),
            }
        }
    }
    let domain: Vec<usize> = used.into_iter().collect();
    let name = |c: usize| CONSTANTS[c].to_string();
    let mut model: BTreeSet<Tuple> =
        program.facts.iter().map(|(p, a)| (*p, a.iter().map(|&c| name(c)).collect())).collect();
    let ground = |t: &Term, s: &[usize]| match t {
        Term::Variable(v) => name(s[*v]),
        Term::Constant(c) => name(*c),
    };
    let tuple = |p: usize, args: &[Term], s: &[usize]| (p, args.iter().map(|t| ground(t, s)).collect());
    let mut substitutions: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in VARIABLES {
        substitutions = substitutions
            .iter()
            .flat_map(|s| domain.iter().map(move |&c| s.iter().copied().chain([c]).collect()))
            .collect();
    }
    let holds = |rule: &Rule, s: &[usize], model: &BTreeSet<Tuple>| {
        rule.body.iter().all(|l| match l {
            Literal::Plain { pred, args, .. } => model.contains(&tuple(*pred, args, s)),
            Literal::Negated { pred, args } => !model.contains(&tuple(*pred, args, s)),
            Literal::Differ(x, y) => ground(x, s) != ground(y, s),
        })
    };
    for head in FIRST_DERIVED..PREDICATES.len() {
        loop {
            let before = model.len();
            for rule in program.rules.iter().filter(|r| r.head == head) {
                for s in &substitutions {
                    if holds(rule, s, &model) {
                        model.insert(tuple(rule.head, &rule.args, s));
                    }
                }
            }
            if model.len() == before {
                break;
            }
        }
    }
    let mut instances = BTreeSet::new();
    for (number, rule) in program.rules.iter().enumerate() {
        for s in substitutions.iter().filter(|s| holds(rule, s, &model)) {
            let visible = rule.body.iter().filter_map(|l| match l {
                Literal::Plain { pred, args, hidden: false } => Some(tuple(*pred, args, s)),
                _ => None,
            });
            instances.insert((format!("{}", number + 1), tuple(rule.head, &rule.args, s), visible.collect()));
        }
    }
    (model, instances)
}

fn texts(program: &Program, turn: usize) -> (String, String) {
    let mut rules: Vec<String> = program.rules.iter().enumerate().map(|(i, r)| rule_text(r, i)).collect();
    let mut facts: Vec<String> = program
        .facts
        .iter()
        .map(|(p, a)| atom_text(*p, &a.iter().map(|&c| CONSTANTS[c].to_string()).collect::<Vec<_>>()) + ".")
        .collect();
    let (r, f) = (turn % rules.len(), turn % facts.len());
    rules.rotate_left(r);
    facts.rotate_left(f);
    if turn % 2 == 1 {
        facts.reverse();
    }
    let mut queries = String::new();
    for (name, arity) in &PREDICATES[FIRST_DERIVED..] {
        let args = ["X", "Y"][..*arity].join(",");
        queries += &if *arity == 0 { format!(" ?- {name}.") } else { format!(" ?- {name}({args}).") };
    }
    (rules.join("\n"), facts.join(" ") + &queries)
}

/// The same from the engine.
fn engine(session: &Session) -> (BTreeSet<Tuple>, BTreeSet<Instance>) {
    let v = &session.vocabulary;
    let roots = session.database.queries.iter().map(|q| q.pred);
    let relevant = relevant_predicates(&session.template, v.predicate_count(), roots);
    let mut grounder = Grounder::new(v, &session.template, &session.database, &session.strata, &relevant);
    grounder.run(WorldId::SHARED, usize::MAX, &Default::default()).expect("no budget");
    let ground = &grounder.ground;
    let number = |p| PREDICATES.iter().position(|(n, a)| *n == v.predicate_name(p) && *a == v.arity(p));
    let tuple = |p, row| {
        let args = ground.relations[p].row(row).iter().map(|c| v.constant_text(*c).to_string());
        (number(p).expect("a predicate of the program"), args.collect())
    };
    let mut model = BTreeSet::new();
    for p in v.predicates().filter(|&p| relevant[p] && number(p).is_some()) {
        for row in 0..ground.relations[p].len() {
            assert!(model.insert(tuple(p, row)), "rows are distinct");
        }
    }
    let mut instances = BTreeSet::new();
    for (id, rule) in session.template.rules.iter_enumerated() {
        let weight = &session.template.weights[rule.head_weight.expect("every rule has a weight")];
        let name = format!("{}", weight.initial.as_ref().expect("written")[0]);
        let visible: Vec<_> = rule.visible().filter_map(|(_, l)| l.predicate()).collect();
        let list = &ground.instances[id];
        for i in 0..list.len() {
            let body = visible.iter().zip(list.body(i)).map(|(p, row)| tuple(*p, *row)).collect();
            let new = instances.insert((name.clone(), tuple(rule.head, list.head(i)), body));
            assert!(new, "every grounding is recorded once");
        }
    }
    (model, instances)
}

#[test]
fn semi_naive_is_naive() {
    let mut stream = Stream::new(11, "random programs");
    let (mut grounded, mut recursive) = (0, 0);
    for round in 0..400 {
        let program = random_program(&mut stream);
        let (expected_model, expected) = naive(&program);
        for turn in 0..3 {
            let (template, data) = texts(&program, turn);
            let session = session(&template, &data, evaluate_only());
            let (model, instances) = engine(&session);
            // Predicates without any part in the queries are not looked at.
            let seen: BTreeSet<Tuple> = expected_model
                .iter()
                .filter(|(p, _)| *p >= FIRST_DERIVED || model.iter().any(|(q, _)| q == p))
                .cloned()
                .collect();
            assert_eq!(model, seen, "round {round}\n{template}\n{data}");
            assert_eq!(instances, expected, "round {round}\n{template}\n{data}");
        }
        grounded += expected.len();
        recursive += usize::from(
            program
                .rules
                .iter()
                .any(|r| r.body.iter().any(|l| matches!(l, Literal::Plain { pred, .. } if *pred == r.head))),
        );
    }
    assert!(grounded > 5_000 && recursive > 50, "the programs ground to something: {grounded}, {recursive}");
}

#[test]
fn anonymous_variables_under_negation_say_that_nothing_matches() {
    let data = "p(a). p(b). r(a,c). ?- q(X).";
    let session = session("q(X) :- p(X), !r(X,_).", data, evaluate_only());
    let (_, _, outcome) = crate::support::run(&session);
    assert_eq!(outcome.values.len(), 1, "q(b) only");
}

#[test]
fn wide_fan_out_and_long_chains_do_not_overflow_the_stack() {
    let n = 20_000;
    let chain: String = (0..n).map(|i| format!("e({i},{}). ", i + 1)).collect();
    let template =
        "[rule=identity, atom=identity, aggregation=sum]\nr(0,0) :- e(0,_).\nr(0,Y) :- r(0,X), *e(X,Y).";
    let session = session(template, &format!("{chain} ?- r(0,{n})."), evaluate_only());
    let (network, _, outcome) = crate::support::run(&session);
    assert_eq!(network.statistics.ground_rules, n + 1);
    assert_eq!(outcome.values, [vec![1.0]]);
}
