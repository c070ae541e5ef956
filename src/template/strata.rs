//! The order of evaluation: strongly connected components of the predicate dependency graph.

use super::{Relation, Rule, RuleId};
use crate::base::components::components;
use crate::base::index::{Id, IndexVec};
use crate::data::PredId;
use crate::syntax::ast::Sign;

crate::id! {
    /// A component of mutually dependent predicates.
    pub struct ComponentId;
}

/// Components in topological order: a component depends only on itself and on earlier ones.
#[derive(Debug, Clone, Default)]
pub struct Strata {
    /// The component of every predicate.
    pub component: IndexVec<PredId, ComponentId>,
    /// The rules whose heads are in each component, in the order of the template.
    pub rules: IndexVec<ComponentId, Vec<RuleId>>,
}

/// A dependency through negation inside a component, which has no stratified meaning: the rule and its literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NegativeCycle {
    /// The rule.
    pub rule: RuleId,
    /// Position of the negated literal.
    pub literal: usize,
}

impl Strata {
    /// The components of the rules' predicates.
    pub fn new(rules: &IndexVec<RuleId, Rule>, predicates: usize) -> Strata {
        let mut depends: Vec<Vec<usize>> = vec![Vec::new(); predicates];
        for rule in rules.iter() {
            let body = rule.body.iter().filter_map(|l| l.predicate());
            depends[rule.head.index()].extend(body.map(Id::index));
        }
        for d in &mut depends {
            d.sort_unstable();
            d.dedup();
        }
        let found = components(predicates, &|v| depends[v].clone());
        let mut component: IndexVec<PredId, ComponentId> = vec![ComponentId(0); predicates].into();
        let mut by_component: IndexVec<ComponentId, Vec<RuleId>> = vec![Vec::new(); found.len()].into();
        for (i, members) in found.iter().enumerate() {
            for &p in members {
                component[PredId::new(p)] = ComponentId::new(i);
            }
        }
        for (id, rule) in rules.iter_enumerated() {
            by_component[component[rule.head]].push(id);
        }
        Strata { component, rules: by_component }
    }

    /// Every negated literal about a predicate of its own component.
    pub fn negative_cycles(&self, rules: &IndexVec<RuleId, Rule>) -> Vec<NegativeCycle> {
        let mut out = Vec::new();
        for (id, rule) in rules.iter_enumerated() {
            for (i, literal) in rule.body.iter().enumerate() {
                if let (Relation::Predicate(p), Sign::Hard) = (literal.relation, literal.sign)
                    && self.component[p] == self.component[rule.head]
                {
                    out.push(NegativeCycle { rule: id, literal: i });
                }
            }
        }
        out
    }
}
