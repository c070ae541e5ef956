//! The order of evaluation: strongly connected components of the predicate dependency graph.

use crate::base::index::{Id, IndexVec};
use crate::data::PredId;
use crate::syntax::ast::Sign;
use super::{Relation, Rule, RuleId};

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

/// Iterative Tarjan: components of `0..n` in reverse topological order of `edges(v)` (dependencies first).
pub fn components(n: usize, edges: &dyn Fn(usize) -> Vec<usize>) -> Vec<Vec<usize>> {
    const NEW: u32 = u32::MAX;
    let mut index = vec![NEW; n];
    let mut low = vec![0u32; n];
    let mut on_stack = vec![false; n];
    let (mut stack, mut out, mut counter) = (Vec::new(), Vec::new(), 0u32);
    for root in 0..n {
        if index[root] != NEW {
            continue;
        }
        let mut calls: Vec<(usize, Vec<usize>, usize)> = vec![(root, edges(root), 0)];
        index[root] = counter;
        low[root] = counter;
        counter += 1;
        stack.push(root);
        on_stack[root] = true;
        while let Some((v, targets, at)) = calls.last_mut() {
            let v = *v;
            if let Some(&w) = targets.get(*at) {
                *at += 1;
                if index[w] == NEW {
                    index[w] = counter;
                    low[w] = counter;
                    counter += 1;
                    stack.push(w);
                    on_stack[w] = true;
                    calls.push((w, edges(w), 0));
                } else if on_stack[w] {
                    low[v] = low[v].min(index[w]);
                }
                continue;
            }
            calls.pop();
            if let Some((parent, ..)) = calls.last() {
                low[*parent] = low[*parent].min(low[v]);
            }
            if low[v] == index[v] {
                let mut component = Vec::new();
                while let Some(w) = stack.pop() {
                    on_stack[w] = false;
                    component.push(w);
                    if w == v {
                        break;
                    }
                }
                component.sort_unstable();
                out.push(component);
            }
        }
    }
    out
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
