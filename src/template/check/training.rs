//! Groups of weights that change nothing in training.

use crate::base::hash::HashSet;
use crate::data::{PredId, Vocabulary};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::template::{GroupId, Literal, Template, TemplateValue, Trains, WeightId};

/// Groups that no predicate trains or freezes, and predicates that train a group on which they do not depend.
pub(super) fn idle_groups(template: &Template, vocabulary: &Vocabulary) -> Diagnostics {
    let mut out = Vec::new();
    let named: HashSet<GroupId> =
        template.predicates.iter().filter_map(|p| p.trains.as_ref().and_then(|t| t.node.named())).collect();
    for (group, name) in template.groups.iter_enumerated().filter(|(g, _)| !named.contains(g)) {
        let in_it = template.weights.iter().filter_map(|w| w.group.as_ref()).find(|g| g.node == group);
        let Some(first) = in_it else { continue };
        let title = format!("no predicate trains or freezes the group `{name}`");
        let d = Diagnostic::new(codes::IDLE_GROUP, title).label(first.span, "without effect");
        out.push(d.help(format!("`p/1 [trains={name}]` lets the samples of `p/1` train these weights only")));
    }
    for pred in vocabulary.predicates() {
        let Some(stated) = template.predicate(pred).and_then(|p| p.trains.as_ref()) else { continue };
        let Trains::Only(group) = stated.node else { continue };
        // What nothing derives depends on nothing: told elsewhere, if anybody asks for it.
        let derived = template.rules.iter().any(|r| r.head == pred);
        if !derived || weights(template, pred).iter().any(|w| template.group_of(*w) == Some(group)) {
            continue;
        }
        let (text, name) = (vocabulary.predicate_text(pred), &template.groups[group]);
        let title = format!("`{text}` depends on no weight of the group `{name}`");
        let d = Diagnostic::new(codes::IDLE_GROUP, title).label(stated.span, "its samples train nothing");
        out.push(d.help(format!("`[freezes={name}]` would train all other weights")));
    }
    out
}

/// The weights on which atoms of a predicate depend; those of facts in the data, which are in no group, are left out.
fn weights(template: &Template, pred: PredId) -> Vec<WeightId> {
    let mut seen: HashSet<PredId> = HashSet::default();
    let mut stack = vec![pred];
    let mut out = Vec::new();
    while let Some(p) = stack.pop() {
        if !seen.insert(p) {
            continue;
        }
        out.extend(template.atom_offset(p));
        for rule in template.rules.iter().filter(|r| r.head == p) {
            out.extend(rule.body.iter().filter_map(|l| l.weight).chain(rule.head_weight).chain(rule.offset));
            stack.extend(rule.body.iter().filter_map(Literal::predicate));
        }
        out.extend(template.facts.iter().filter(|f| f.pred == p).filter_map(|f| match f.value {
            TemplateValue::Weight(w) => Some(w),
            TemplateValue::Constant(_) => None,
        }));
    }
    out
}
