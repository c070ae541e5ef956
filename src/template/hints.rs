//! What the initialiser wants to know about weights.

use super::{Literal, Rule, RuleId, Template};
use crate::base::components::components;
use crate::base::hash::{HashMap, HashSet};
use crate::base::index::{Id, IndexVec};
use crate::data::PredId;

/// Gains and orthogonality for the initialiser (semantics of NeuraLogic 0.9.2): a head weight is followed by the
/// activation of its atoms, a literal's weight by the activation stated for its rule; a shared weight keeps the
/// hint of its first use.
pub(super) fn hint_weights(template: &mut Template) {
    let recursive = recursive_predicates(&template.rules);
    let mut seen = vec![false; template.weights.len()];
    let rules: Vec<RuleId> = template.rules.ids().collect();
    for id in rules {
        let rule = template.rules[id].clone();
        let atom_gain = match template.stated_activation(rule.head) {
            Some(f) if rule.world.is_none() => f.gain(),
            _ => template.defaults.atom_activation.gain(),
        };
        let rule_gain = if rule.states_activation { rule.activation.gain() } else { 1.0 };
        let offsets = rule.offset.into_iter().chain(template.atom_offset(rule.head)).map(|w| (w, 1.0));
        let uses = rule.head_weight.into_iter().map(|w| (w, atom_gain)).chain(offsets);
        let literals = rule.body.iter().filter_map(|l| l.weight).map(|w| (w, rule_gain));
        for (w, gain) in uses.chain(literals).collect::<Vec<_>>() {
            if !std::mem::replace(&mut seen[w.index()], true) {
                let weight = &mut template.weights[w];
                weight.gain = gain;
                let square = weight.shape.rows == weight.shape.cols && !weight.shape.is_scalar();
                weight.orthogonal = square && recursive.contains(&rule.head);
            }
        }
    }
}

/// Predicates that depend on themselves.
fn recursive_predicates(rules: &IndexVec<RuleId, Rule>) -> HashSet<PredId> {
    let mut edges: HashMap<usize, Vec<usize>> = HashMap::default();
    let mut predicates = 0;
    for rule in rules.iter() {
        let body = rule.body.iter().filter_map(Literal::predicate).map(Id::index);
        let edges = edges.entry(rule.head.index()).or_default();
        edges.extend(body);
        predicates = edges.iter().copied().chain([predicates, rule.head.index()]).max().unwrap_or(0);
    }
    let targets = |p: usize| edges.get(&p).cloned().unwrap_or_default();
    let looped = components(predicates + 1, &targets)
        .into_iter()
        .filter(|members| members.len() > 1 || targets(members[0]).contains(&members[0]));
    looped.flatten().map(PredId::new).collect()
}
