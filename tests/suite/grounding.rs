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
/// Rules for it may calculate new constants, which nothing else reads: so there are finitely many.
const LAST: usize = PREDICATES.len() - 1;
const CONSTANTS: &[&str] = &["a", "b", "2", "7"];
/// The last one is for results of calculations.
const VARIABLES: &[&str] = &["X", "Y", "Z", "W"];
const RESULT: usize = 3;
const COMPARATORS: &[&str] = &["<", "<=", ">", ">=", "!=", "="];
const OPERATORS: &[&str] = &["+", "-", "*", "/"];

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
    Compare(usize, Expression, Expression),
    Assign(Expression),
}

#[derive(Clone, Copy, PartialEq)]
enum Expression {
    Term(Term),
    Operation(usize, Term, Term),
}

impl Expression {
    fn terms(&self) -> Vec<Term> {
        match *self {
            Expression::Term(t) => vec![t],
            Expression::Operation(_, x, y) => vec![x, y],
        }
    }
    fn text(&self) -> String {
        match self {
            Expression::Term(t) => term_text(t),
            Expression::Operation(op, x, y) => {
                format!("{} {} {}", term_text(x), OPERATORS[*op], term_text(y))
            }
        }
    }
    /// The text of the value, if there is one.
    fn value(&self, ground: &dyn Fn(&Term) -> String) -> Option<String> {
        match self {
            Expression::Term(t) => Some(ground(t)),
            Expression::Operation(op, x, y) => {
                let (x, y): (f64, f64) = (ground(x).parse().ok()?, ground(y).parse().ok()?);
                let result = [x + y, x - y, x * y, x / y][*op] + 0.0;
                result.is_finite().then(|| result.to_string())
            }
        }
    }
}

fn compare(comparator: usize, x: &str, y: &str) -> bool {
    let order = match (x.parse::<f64>(), y.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y),
        _ => x.cmp(y),
    };
    [order.is_lt(), order.is_le(), order.is_gt(), order.is_ge(), order.is_ne(), order.is_eq()][comparator]
}

/// Variables that a positive literal binds, and whether one about the last predicate does.
fn bound(body: &[Literal]) -> Vec<(usize, bool)> {
    let mut out: Vec<(usize, bool)> = Vec::new();
    for l in body {
        let Literal::Plain { pred, args, .. } = l else { continue };
        for t in args {
            let Term::Variable(v) = t else { continue };
            match out.iter_mut().find(|(w, _)| w == v) {
                Some((_, last)) => *last &= *pred == LAST,
                None => out.push((*v, *pred == LAST)),
            }
        }
    }
    out
}

fn expression(s: &mut Stream, bound: &[(usize, bool)], plain: bool) -> Expression {
    let mut operand = || match pick(s, 4) {
        1.. if !bound.is_empty() => Term::Variable(bound[pick(s, bound.len())].0),
        _ => Term::Constant(2 + pick(s, 2)),
    };
    let (x, y) = (operand(), operand());
    if plain && pick(s, 2) == 0 {
        return Expression::Term(x);
    }
    Expression::Operation(pick(s, OPERATORS.len()), x, y)
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
    if pick(s, 5) == 0 { Term::Constant(pick(s, CONSTANTS.len())) } else { Term::Variable(pick(s, RESULT)) }
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
        let bound = bound(&body);
        if pick(s, 3) == 0 {
            let sides = (expression(s, &bound, true), expression(s, &bound, true));
            let compare = Literal::Compare(pick(s, COMPARATORS.len()), sides.0, sides.1);
            body.insert(pick(s, body.len() + 1), compare);
        }
        if pick(s, 6) == 0 {
            // Also of variables that nothing binds, which range over all constants.
            let compare = Literal::Compare(pick(s, 5), Expression::Term(term(s)), Expression::Term(term(s)));
            body.insert(pick(s, body.len() + 1), compare);
        }
        let mut args = terms(s, PREDICATES[head].1);
        let recursive = body.iter().any(|l| matches!(l, Literal::Plain { pred: LAST, .. }));
        if head == LAST && !recursive && pick(s, 5) > 0 {
            let assign = Literal::Assign(expression(s, &bound, true));
            body.insert(pick(s, body.len() + 1), assign);
            args[pick(s, 2)] = Term::Variable(RESULT);
        }
        rules.push(Rule { head, args, body });
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
        Literal::Compare(op, x, y) => format!("{} {} {}", x.text(), COMPARATORS[*op], y.text()),
        Literal::Assign(e) => format!("{} = {}", VARIABLES[RESULT], e.text()),
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
                Literal::Compare(_, x, y) => x.terms().iter().chain(&y.terms()).for_each(&mut see),
                Literal::Assign(e) => e.terms().iter().for_each(&mut see),
            }
        }
    }
    let name = |c: usize| CONSTANTS[c].to_string();
    let domain: Vec<String> = used.into_iter().map(name).collect();
    let mut model: BTreeSet<Tuple> =
        program.facts.iter().map(|(p, a)| (*p, a.iter().map(|&c| name(c)).collect())).collect();
    let ground = |t: &Term, s: &[String]| match t {
        Term::Variable(v) => s[*v].clone(),
        Term::Constant(c) => name(*c),
    };
    let tuple = |p: usize, args: &[Term], s: &[String]| (p, args.iter().map(|t| ground(t, s)).collect());
    let substitutions = |rule: &Rule, model: &BTreeSet<Tuple>| {
        let all: BTreeSet<String> = model.iter().flat_map(|(_, args)| args.clone()).collect();
        let bound = bound(&rule.body);
        let mut out: Vec<Vec<String>> = vec![Vec::new()];
        for v in 0..RESULT {
            // Only the last predicate has constants that nobody stated.
            let wide = bound.contains(&(v, true));
            let values: Vec<&String> = if wide { all.iter().collect() } else { domain.iter().collect() };
            let longer = |s: &Vec<String>| {
                values.iter().map(|&c| s.iter().chain([c]).cloned().collect()).collect::<Vec<Vec<String>>>()
            };
            out = out.iter().flat_map(longer).collect();
        }
        let assigned = rule.body.iter().find_map(|l| match l {
            Literal::Assign(e) => Some(e),
            _ => None,
        });
        if let Some(e) = assigned {
            out.retain_mut(|s| {
                let value = e.value(&|t| ground(t, s));
                s.extend(value);
                s.len() > RESULT
            });
        }
        out
    };
    let holds = |rule: &Rule, s: &[String], model: &BTreeSet<Tuple>| {
        rule.body.iter().all(|l| match l {
            Literal::Plain { pred, args, .. } => model.contains(&tuple(*pred, args, s)),
            Literal::Negated { pred, args } => !model.contains(&tuple(*pred, args, s)),
            Literal::Differ(x, y) => ground(x, s) != ground(y, s),
            Literal::Compare(op, x, y) => {
                let value = |e: &Expression| e.value(&|t| ground(t, s));
                matches!((value(x), value(y)), (Some(x), Some(y)) if compare(*op, &x, &y))
            }
            Literal::Assign(_) => true,
        })
    };
    for head in FIRST_DERIVED..PREDICATES.len() {
        loop {
            let before = model.len();
            for rule in program.rules.iter().filter(|r| r.head == head) {
                for s in substitutions(rule, &model) {
                    if holds(rule, &s, &model) {
                        model.insert(tuple(rule.head, &rule.args, &s));
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
        for s in &substitutions(rule, &model) {
            if !holds(rule, s, &model) {
                continue;
            }
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
    let (mut grounded, mut recursive, mut calculated) = (0, 0, 0);
    for round in 0..700 {
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
        let new = |(_, args): &Tuple| args.iter().any(|a| !CONSTANTS.contains(&a.as_str()));
        calculated += expected_model.iter().filter(|t| new(t)).count();
        recursive += usize::from(
            program
                .rules
                .iter()
                .any(|r| r.body.iter().any(|l| matches!(l, Literal::Plain { pred, .. } if *pred == r.head))),
        );
    }
    assert!(
        grounded > 5_000 && recursive > 50 && calculated > 100,
        "the programs ground to something: {grounded}, {recursive}, {calculated}"
    );
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

/// Many ground rules of few atoms: what is held for each, lists that double and sets included, as `docs/scaling.md` says.
#[test]
fn a_ground_rule_takes_no_more_memory_than_stated() {
    let edges: String = (0..100)
        .flat_map(|i| (0..30).map(move |k| format!("e(n{i},n{}).\n", (i * 7 + k * 3) % 100)))
        .collect();
    let nodes: String = (0..100).map(|i| format!("f(n{i}). g(n{i}).\n")).collect();
    for (rule, visible) in [
        ("q :- e(X,Y), e(Y,Z).", 2),
        ("q :- e(X,Y), e(Y,Z), f(Z).", 3),
        ("q :- e(X,Y), e(Y,Z), f(Z), g(X).", 4),
        // Looked up before they are recorded.
        ("q :- e(X,Y), f(Z), *e(Y,U), *e(U,Z).", 2),
    ] {
        let session = session(rule, &format!("{edges}{nodes}?- q.\n"), evaluate_only());
        let asked = session.database.queries.iter().map(|q| q.pred);
        let relevant = relevant_predicates(&session.template, session.vocabulary.predicate_count(), asked);
        let mut grounder = Grounder::new(
            &session.vocabulary,
            &session.template,
            &session.database,
            &session.strata,
            &relevant,
        );
        assert!(grounder.run(WorldId::SHARED, usize::MAX, &std::sync::atomic::AtomicUsize::new(0)).is_ok());
        let n = grounder.ground.instance_count();
        assert!(n >= 90_000, "{rule}: {n}");
        let bytes = grounder.bytes();
        assert!(bytes.instances >= n * 4 * (1 + visible), "{rule}: {bytes:?}");
        assert_eq!(bytes.seen > 0, rule.contains('U'), "{rule}: {bytes:?}");
        let most = n * (24 + 4 * visible);
        assert!(bytes.total() <= most, "{rule}: {bytes:?}, {n} ground rules");
    }
}
