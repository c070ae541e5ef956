//! Which atoms queries can need: what a world is asked for restricts which rule instances are made.
//!
//! The magic sets of Bancilhon, Maier, Sagiv and Ullman (PODS 1986), for the part of a program where they can do no harm: from
//! the queried predicates down through those that are not recursive. A recursive component is derived whole, since
//! which of its ground rules are kept on cycles depends on the rounds of all. Every predicate has one set of bound
//! arguments, those that all its uses bind; demand goes from a rule's head to a body literal directly, or over one
//! literal about plain facts (a node to its neighbours), so that it costs at most the degrees of what is demanded.

use crate::base::hash::HashMap;
use crate::base::index::{Id, IndexVec};
use crate::data::{ConstId, PredId, Query, QueryTerm, WorldId};
use crate::syntax::ast::Sign;
use crate::template::strata::Strata;
use crate::template::{Literal, Origin, Relation, Rule, RuleId, Template, Term};

/// The restriction of a template to what some queries need.
#[derive(Debug)]
pub struct Demand {
    /// The rules of the template; those of restricted predicates have one more hidden literal, the last one.
    pub(super) rules: IndexVec<RuleId, Rule>,
    /// Rules that derive demand, in the order in which they are to be evaluated.
    pub(super) sources: Vec<Rule>,
    /// Number of bound arguments of each demand predicate; their ids follow those of the vocabulary.
    pub(super) arities: Vec<usize>,
    /// The demand predicate of each restricted predicate.
    ids: IndexVec<PredId, Option<PredId>>,
    seeds: HashMap<WorldId, Vec<(PredId, Box<[ConstId]>)>>,
}

/// The bound arguments of a literal, and the other literal that binds some of them.
#[derive(Clone, Copy)]
struct Use {
    bound: u64,
    helper: Option<usize>,
}

/// Finds the restriction.
struct Analysis<'a> {
    template: &'a Template,
    by_head: IndexVec<PredId, Vec<RuleId>>,
    /// Bound arguments of each predicate so far; `None` if it is not used.
    bound: IndexVec<PredId, Option<u64>>,
}

impl Demand {
    /// The restriction to some queries; `None` where nothing is restricted. `predicates` is the number of predicates
    /// of the vocabulary.
    pub fn new<'q>(
        template: &Template,
        strata: &Strata,
        predicates: usize,
        queries: impl Iterator<Item = &'q Query> + Clone,
    ) -> Option<Demand> {
        let mut by_head: IndexVec<PredId, Vec<RuleId>> = vec![Vec::new(); predicates].into();
        for (id, rule) in template.rules.iter_enumerated() {
            by_head[rule.head].push(id);
        }
        let bound: IndexVec<PredId, Option<u64>> = vec![None; predicates].into();
        let mut analysis = Analysis { template, by_head, bound };
        for query in queries.clone() {
            analysis.query(query);
        }
        if analysis.bound.iter().all(|b| b.unwrap_or(0) == 0) {
            return None;
        }
        // Components depend on earlier ones: from the last one on, all uses of a predicate come before its rules.
        for rules in strata.rules.iter().rev() {
            analysis.component(rules, strata);
        }
        let (by_head, bound) = (analysis.by_head, analysis.bound);
        let mut ids: IndexVec<PredId, Option<PredId>> = vec![None; predicates].into();
        let mut arities = Vec::new();
        for (p, mask) in bound.iter_enumerated() {
            let mask = mask.unwrap_or(0);
            if mask != 0 && !by_head[p].is_empty() {
                ids[p] = Some(PredId::new(predicates + arities.len()));
                arities.push(mask.count_ones() as usize);
            }
        }
        if arities.is_empty() {
            return None;
        }
        let mask = |p: PredId| bound[p].unwrap_or(0);
        let (rules, seeds) = (template.rules.clone(), HashMap::default());
        let mut demand = Demand { rules, sources: Vec::new(), arities, ids, seeds };
        for component in strata.rules.iter().rev() {
            for &id in component {
                let rule = &template.rules[id];
                let Some(own) = demand.ids[rule.head] else { continue };
                let asked = asked(rule, own, mask(rule.head));
                for (i, literal) in rule.body.iter().enumerate() {
                    let Some(q) = literal.predicate() else { continue };
                    let Some(below) = demand.ids[q] else { continue };
                    let found = usage(rule, i, mask(rule.head), &|p| by_head[p].is_empty());
                    demand.sources.push(source(rule, below, i, mask(q), &found, &asked));
                }
                demand.rules[id].body.push(asked);
            }
        }
        for query in queries {
            let Some(id) = demand.ids[query.pred] else { continue };
            let key = masked(&query.args, mask(query.pred)).map(|a| match a {
                QueryTerm::Constant(c) => *c,
                QueryTerm::Variable(_) => unreachable!("an argument that no query leaves open"),
            });
            demand.seeds.entry(query.world).or_default().push((id, key.collect()));
        }
        Some(demand)
    }

    /// Whether only demanded atoms of a predicate are derived.
    pub fn restricts(&self, pred: PredId) -> bool {
        self.ids[pred].is_some()
    }

    /// What is asked about a world: demand predicates with their arguments.
    pub(super) fn seeds(&self, world: WorldId) -> &[(PredId, Box<[ConstId]>)] {
        self.seeds.get(&world).map_or(&[], Vec::as_slice)
    }
}

impl Analysis<'_> {
    fn narrow(&mut self, p: PredId, mask: u64) {
        let old = self.bound[p].unwrap_or(u64::MAX);
        self.bound[p] = Some(old & mask);
    }

    /// Arguments that a query states, without those that name a class: groups of classes are answered whole.
    fn query(&mut self, query: &Query) {
        let classes = self.template.classes(query.pred).map_or(&[][..], |c| &c.node);
        let constants = query.args.iter().enumerate();
        let mask = constants
            .filter(|(i, a)| matches!(a, QueryTerm::Constant(_)) && !classes.contains(i))
            .fold(0, |mask, (i, _)| mask | 1 << i);
        self.narrow(query.pred, mask);
        for (_, ty) in &query.types {
            self.narrow(*ty, 0);
        }
    }

    /// Settles the predicates of a component, of which all uses are known, and goes on to the bodies of their rules.
    fn component(&mut self, rules: &[RuleId], strata: &Strata) {
        let template = self.template;
        let inside = |p: PredId, rule: &Rule| strata.component[p] == strata.component[rule.head];
        let recursive = rules.iter().any(|&id| {
            let rule = &template.rules[id];
            rule.body.iter().filter_map(Literal::predicate).any(|p| inside(p, rule))
        });
        for &id in rules {
            let rule = &template.rules[id];
            if self.bound[rule.head].is_some() {
                self.narrow(rule.head, if recursive { 0 } else { open_to_demand(rule) });
            }
        }
        for &id in rules {
            let rule = &template.rules[id];
            let Some(head) = self.bound[rule.head] else { continue };
            for (i, literal) in rule.body.iter().enumerate() {
                if let Some(q) = literal.predicate() {
                    let mask = usage(rule, i, head, &|p| self.by_head[p].is_empty()).bound;
                    self.narrow(q, mask);
                }
            }
        }
    }
}

/// The head's arguments that demand may bind. Not those that the rule gives a value to by itself: a calculated one, or
/// one that ranges over all constants (which a query's own constants are not among).
fn open_to_demand(rule: &Rule) -> u64 {
    let given = |term: &Term| {
        let Term::Variable(v) = *term else { return false };
        let domain = |l: &Literal| matches!(l.relation, Relation::Domain) && l.args.contains(term);
        rule.body.iter().any(|l| l.assigns() == Some(v) || domain(l))
    };
    let args = rule.head_args.iter().enumerate();
    args.filter(|(_, t)| !given(t)).fold(0, |mask, (i, _)| mask | 1 << i)
}

/// What is bound in the `i`-th body literal if the arguments `head` of the head are.
fn usage(rule: &Rule, i: usize, head: u64, is_plain: &dyn Fn(PredId) -> bool) -> Use {
    if head == 0 {
        return Use { bound: 0, helper: None };
    }
    let known: Vec<Term> = masked(&rule.head_args, head).copied().collect();
    let literal = &rule.body[i];
    let bound_with = |more: &[Term]| {
        let is_bound = |t: &Term| matches!(t, Term::Constant(_)) || known.contains(t) || more.contains(t);
        let args = literal.args.iter().enumerate();
        args.filter(|(_, t)| is_bound(t)).fold(0u64, |mask, (i, _)| mask | 1 << i)
    };
    let alone = bound_with(&[]);
    let joins = |l: &Literal| {
        let plain = l.sign == Sign::Positive && l.predicate().is_some_and(is_plain);
        plain && l.args.iter().any(|t| matches!(t, Term::Variable(_)) && known.contains(t))
    };
    let others = rule.body.iter().enumerate().filter(|(j, l)| *j != i && joins(l));
    let helped = others.map(|(j, l)| (bound_with(&l.args), j));
    // The first of those that bind most.
    let best = helped.max_by_key(|(mask, j)| (mask.count_ones(), std::cmp::Reverse(*j)));
    match best {
        Some((mask, j)) if mask != alone => Use { bound: mask, helper: Some(j) },
        _ => Use { bound: alone, helper: None },
    }
}

/// The literal by which a rule of a restricted predicate asks whether its head is demanded.
fn asked(rule: &Rule, demand: PredId, mask: u64) -> Literal {
    Literal {
        relation: Relation::Predicate(demand),
        args: masked(&rule.head_args, mask).copied().collect(),
        comparison: None,
        sign: Sign::Positive,
        hidden: true,
        functions: Vec::new(),
        weight: None,
        member: None,
        span: rule.head_span,
    }
}

/// The rule that derives what a body literal demands, from what the rule's head does.
fn source(rule: &Rule, demand: PredId, i: usize, mask: u64, found: &Use, asked: &Literal) -> Rule {
    let args: Vec<Term> = masked(&rule.body[i].args, mask).copied().collect();
    let known = |t: &Term| matches!(t, Term::Constant(_)) || asked.args.contains(t);
    let mut body = vec![asked.clone()];
    // The arguments that all uses bind may not need the literal that binds most here.
    if let Some(helper) = found.helper.filter(|_| !args.iter().all(known)) {
        body.push(Literal {
            hidden: true,
            functions: Vec::new(),
            weight: None,
            member: None,
            ..rule.body[helper].clone()
        });
    }
    Rule {
        head: demand,
        head_args: args,
        head_weight: None,
        head_member: Vec::new(),
        body,
        offset: None,
        may_collapse: false,
        origin: Origin::Typed,
        ..rule.clone()
    }
}

fn masked<T>(args: &[T], mask: u64) -> impl Iterator<Item = &T> {
    args.iter().enumerate().filter(move |(i, _)| mask & (1 << i) != 0).map(|(_, a)| a)
}
