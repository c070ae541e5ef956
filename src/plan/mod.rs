//! Layer 6: in which order a rule's literals are joined.
//!
//! A plan is a pure function of the rule, of which literal reads the delta, and of the sizes of the relations rounded
//! to powers of two, so that it can be cached per rule and shared by the worlds of a data set, and is the same for
//! every number of threads.

use crate::base::index::Id;
use crate::data::{PredId, Vocabulary};
use crate::syntax::ast::Sign;
use crate::template::compare::Side;
use crate::template::{Relation, Rule, Term, VarId};

/// Which rows of a relation a step reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Everything known at the start of the round.
    Full,
    /// What the last round brought.
    Delta,
    /// Everything known before the last round.
    Old,
}

/// Where the value of a bound argument comes from.
pub type Source = Term;

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Go through the rows of a relation that agree with the bound arguments.
    Match {
        /// Position of the literal in the body.
        literal: usize,
        /// Its predicate.
        pred: PredId,
        /// Bound argument positions as a bit set: the key of the index.
        mask: u64,
        /// The key: values of the bound arguments, in order of position.
        key: Vec<Source>,
        /// Arguments that bind a variable.
        binds: Vec<(usize, VarId)>,
        /// Arguments that repeat a variable bound earlier in the same literal.
        repeats: Vec<(usize, VarId)>,
        /// Which rows.
        rows: Rows,
    },
    /// Go through all constants of the world.
    Domain {
        /// The variable bound.
        var: VarId,
    },
    /// Go on if a special predicate holds (or, negated, does not).
    Special {
        /// Position of the literal in the body.
        literal: usize,
    },
    /// Give a variable the value of a calculation; go on if it has one.
    Assign {
        /// Position of the literal in the body.
        literal: usize,
        /// The variable bound.
        var: VarId,
        /// The side on which it stands.
        side: Side,
    },
    /// Go on if no row agrees with the bound arguments.
    Absent {
        /// The predicate.
        pred: PredId,
        /// Bound argument positions.
        mask: u64,
        /// Their values.
        key: Vec<Source>,
    },
}

/// The steps of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// In order.
    pub steps: Vec<Step>,
    /// From this step on, nothing is bound that the head or a visible literal shows: one solution is enough.
    pub shown: usize,
}

/// The positions of a literal's arguments that are constants or bound variables, as a bit set.
fn bound_mask(args: &[Term], bound: &[bool]) -> u64 {
    args.iter().enumerate().fold(0, |mask, (i, t)| match t {
        Term::Variable(v) if !bound[v.index()] => mask,
        _ => mask | 1 << i,
    })
}

/// Plans a rule.
///
/// `delta` is the position of the body literal that reads the delta, `recursive(p)` whether a predicate is being
/// derived in the same component, `size(p)` the rounded number of rows of a relation.
pub fn plan(
    rule: &Rule,
    delta: Option<usize>,
    recursive: &dyn Fn(PredId) -> bool,
    size: &dyn Fn(PredId) -> f64,
) -> Plan {
    let mut bound = vec![false; rule.variables.len()];
    let mut steps = Vec::new();
    let mut pending: Vec<usize> = (0..rule.body.len()).collect();
    while !pending.is_empty() {
        // Tests come as soon as their variables are bound: they only ever shrink what follows.
        let ready = pending.iter().position(|&i| {
            let literal = &rule.body[i];
            let wild =
                |v: VarId| matches!(literal.relation, Relation::Predicate(_)) && rule.variables[v] == "_";
            let assigned = literal.assigns();
            let open = |t: &Term| {
                matches!(t, Term::Variable(v) if !bound[v.index()] && !wild(*v) && assigned != Some(*v))
            };
            !literal.binds() && !literal.args.iter().any(open)
        });
        if let Some(at) = ready {
            let i = pending.remove(at);
            let literal = &rule.body[i];
            let target = literal.comparison.as_ref().and_then(|c| c.target);
            steps.push(match (literal.assigns(), target) {
                (Some(var), Some(side)) => {
                    bound[var.index()] = true;
                    Step::Assign { literal: i, var, side }
                }
                _ => test(rule, i, &bound),
            });
            continue;
        }
        // A test `Y = X + 1` gives `Y` its value where only a literal to come would bind it: that literal is then looked
        // up. Not so for what `@dom(Y)` alone binds, which holds for stated constants only.
        let computed = pending.iter().enumerate().find_map(|(at, &i)| {
            let literal = &rule.body[i];
            let known = |t: &Term| !matches!(t, Term::Variable(v) if !bound[v.index()]);
            let bindable = |v: VarId| {
                let mut binders = pending.iter().map(|&j| &rule.body[j]).filter(|l| l.binds());
                let has = |t: &Term| *t == Term::Variable(v);
                binders.any(|l| matches!(l.relation, Relation::Predicate(_)) && l.args.iter().any(has))
            };
            let readings = literal.readings().into_iter();
            let open = readings.filter(|(_, v, rest)| {
                !bound[v.index()] && literal.args[rest.clone()].iter().all(known) && bindable(*v)
            });
            open.map(|(side, v, _)| (at, side, v)).next()
        });
        if let Some((at, side, var)) = computed {
            bound[var.index()] = true;
            steps.push(Step::Assign { literal: pending.remove(at), var, side });
            continue;
        }
        // The delta first: it is what this evaluation is for. Then the literal with the fewest expected rows.
        let cost = |i: usize| {
            let literal = &rule.body[i];
            if delta == Some(i) {
                return f64::NEG_INFINITY;
            }
            match literal.relation {
                Relation::Predicate(p) => {
                    let mask = bound_mask(&literal.args, &bound);
                    expected_rows(size(p), literal.args.len(), mask)
                }
                // Unbound variables are enumerated last.
                Relation::Domain => match literal.args[0] {
                    Term::Variable(v) if !bound[v.index()] => f64::MAX,
                    _ => 0.0,
                },
                Relation::Special(..) => f64::INFINITY,
            }
        };
        let candidates = pending.iter().enumerate().filter(|(_, i)| rule.body[**i].binds());
        let best = candidates.map(|(at, &i)| (at, cost(i))).min_by(|a, b| a.1.total_cmp(&b.1));
        let (at, _) = best.expect("lowering bound the variables of every test by a literal");
        let i = pending.remove(at);
        let literal = &rule.body[i];
        match literal.relation {
            Relation::Domain => {
                if let Term::Variable(var) = literal.args[0]
                    && !std::mem::replace(&mut bound[var.index()], true)
                {
                    steps.push(Step::Domain { var });
                }
            }
            Relation::Predicate(pred) => {
                let rows = match delta {
                    Some(d) if recursive(pred) => match i.cmp(&d) {
                        std::cmp::Ordering::Less => Rows::Full,
                        std::cmp::Ordering::Equal => Rows::Delta,
                        std::cmp::Ordering::Greater => Rows::Old,
                    },
                    _ => Rows::Full,
                };
                steps.push(join(i, pred, &literal.args, rows, &mut bound));
            }
            Relation::Special(..) => unreachable!("special literals do not bind"),
        }
    }
    let shown = shown_until(rule, &steps);
    Plan { steps, shown }
}

/// One past the last step that a recorded instance depends on.
fn shown_until(rule: &Rule, steps: &[Step]) -> usize {
    let shows = |v: &VarId| {
        let recorded = rule.recorded().flat_map(|(_, l)| &l.args);
        rule.head_args.iter().chain(recorded).any(|t| *t == Term::Variable(*v))
    };
    let depends = |step: &Step| match step {
        Step::Match { literal, binds, .. } => {
            rule.body[*literal].is_recorded() || binds.iter().any(|(_, v)| shows(v))
        }
        Step::Domain { var } | Step::Assign { var, .. } => shows(var),
        Step::Special { literal } => rule.body[*literal].is_recorded(),
        Step::Absent { .. } => false,
    };
    steps.iter().rposition(depends).map_or(0, |i| i + 1)
}

fn join(literal: usize, pred: PredId, args: &[Term], rows: Rows, bound: &mut [bool]) -> Step {
    let mask = bound_mask(args, bound);
    let key = (0..args.len()).filter(|i| mask & (1 << i) != 0).map(|i| args[i]).collect();
    let (mut binds, mut repeats) = (Vec::new(), Vec::new());
    for (i, term) in args.iter().enumerate() {
        if let (Term::Variable(v), 0) = (*term, mask & (1 << i)) {
            if std::mem::replace(&mut bound[v.index()], true) {
                repeats.push((i, v));
            } else {
                binds.push((i, v));
            }
        }
    }
    Step::Match { literal, pred, mask, key, binds, repeats, rows }
}

fn test(rule: &Rule, i: usize, bound: &[bool]) -> Step {
    let literal = &rule.body[i];
    match literal.relation {
        Relation::Predicate(pred) => {
            debug_assert_eq!(literal.sign, Sign::Hard);
            let mask = bound_mask(&literal.args, bound);
            let args = literal.args.iter().enumerate();
            let key = args.filter(|(i, _)| mask & (1 << i) != 0).map(|(_, t)| *t).collect();
            Step::Absent { pred, mask, key }
        }
        Relation::Special(..) | Relation::Domain => Step::Special { literal: i },
    }
}

/// Rows of a relation of `size` rows and `arity` columns that are expected to agree with the bound columns: each of
/// these is taken to divide the rows by the square root of their number. If all are bound there is at most one, which
/// is found at once: it counts as none.
pub fn expected_rows(size: f64, arity: usize, mask: u64) -> f64 {
    if arity as u32 == mask.count_ones() {
        return 0.0;
    }
    size.max(1.0).powf(1.0 / (1.0 + f64::from(mask.count_ones())))
}

/// A number of rows rounded to a power of two: plans depend on nothing finer, so caching cannot change them.
pub fn rounded_size(rows: u32) -> f64 {
    f64::from(1u32 << (32 - rows.leading_zeros()).min(31))
}

/// A plan in one line per step, for people.
pub fn describe(plan: &Plan, rule: &Rule, vocabulary: &Vocabulary) -> String {
    let term = |t: &Term| match t {
        Term::Variable(v) => rule.variables[*v].clone(),
        Term::Constant(c) => vocabulary.constant_text(*c).to_string(),
    };
    let keys = |key: &[Term]| key.iter().map(term).collect::<Vec<_>>().join(",");
    let mut out = String::new();
    for step in &plan.steps {
        let line = match step {
            Step::Match { pred, key, binds, rows, .. } => {
                let bound: Vec<&str> = binds.iter().map(|(_, v)| rule.variables[*v].as_str()).collect();
                let how = if key.is_empty() { "scan".to_string() } else { format!("index on {}", keys(key)) };
                let part = match rows {
                    Rows::Full => "",
                    Rows::Delta => ", new rows",
                    Rows::Old => ", old rows",
                };
                let new =
                    if bound.is_empty() { String::new() } else { format!("; binds {}", bound.join(",")) };
                format!("{}: {how}{part}{new}", vocabulary.predicate_text(*pred))
            }
            Step::Domain { var } => format!("all constants; binds {}", rule.variables[*var]),
            Step::Assign { literal, .. } => {
                format!("compute {}", rule.body[*literal].comparison_text(&term).unwrap_or_default())
            }
            Step::Special { literal } => {
                let name = || match rule.body[*literal].relation {
                    Relation::Special(_, p) | Relation::Predicate(p) => vocabulary.predicate_name(p),
                    Relation::Domain => "@dom",
                };
                if rule.body[*literal].picks_member() {
                    out += &format!(
                        "    pick {name}[{}]\n",
                        keys(&rule.body[*literal].args),
                        name = name().trim_end_matches(':')
                    );
                    continue;
                }
                let text = rule.body[*literal].comparison_text(&term);
                format!("test {}", text.unwrap_or_else(|| name().to_string()))
            }
            Step::Absent { pred, key, .. } => {
                format!("test no {}({})", vocabulary.predicate_name(*pred), keys(key))
            }
        };
        out += &format!("    {line}\n");
    }
    out
}
