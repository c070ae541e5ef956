//! What a rule states of its values and its head's atoms then undo, and functions that see one value only.

use crate::base::hash::{HashMap, HashSet};
use crate::base::span::Span;
use crate::data::{PredId, Vocabulary};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::syntax::ast::{self, MetaEntry};
use crate::template::{Origin, Rule, Template, Term, VarId};
use crate::tensor::functions::{Activation, Aggregation};

/// Rules that state how their values end, whose heads' atoms apply a default that nobody chose on top. An atom that is
/// only asked for is read without that default, so heads that no rule reads are left out.
pub(super) fn activations(
    template: &Template,
    vocabulary: &Vocabulary,
    written: &HashMap<Span, &ast::Rule>,
    out: &mut Diagnostics,
) {
    let (default, compat) = (&template.defaults.atom_activation, template.compat.is_on());
    if compat || template.defaults.states_atoms || *default == Activation::Identity {
        return;
    }
    let read: HashSet<PredId> =
        template.rules.iter().flat_map(|r| r.visible()).filter_map(|(_, l)| l.predicate()).collect();
    let mut told: HashSet<PredId> = HashSet::default();
    for rule in template.rules.iter().filter(|r| r.world.is_none() && read.contains(&r.head)) {
        let silent = template.stated_activation(rule.head).is_none();
        let Some(source) = written.get(&rule.span).filter(|_| silent) else { continue };
        let stated = |keys: &[&str]| source.metadata.iter().find(|e| keys.contains(&e.key.node.as_str()));
        let normalised = rule.origin == Origin::Normalised;
        let (entry, function): (Option<&MetaEntry>, String) = match rule.origin {
            Origin::Normalised => (stated(&["aggregation"]), "normalised values".to_string()),
            Origin::Written if rule.states_activation && rule.activation != Activation::Identity => {
                (stated(&["transformation", "activation"]), format!("`{}`", rule.activation))
            }
            _ => continue,
        };
        let Some(entry) = entry.filter(|_| !rule.is_valueless() && told.insert(rule.head)) else { continue };
        let name = vocabulary.predicate_text(rule.head);
        let help = if normalised {
            format!(
                "`{name} [transformation=identity]` leaves them as they are; `{default}` there says that it is meant"
            )
        } else {
            format!(
                "for `{0}` alone, say `{name} [transformation={0}]` and give the rule `transformation=identity`; if both \
                 are meant, `{name} [transformation={default}]` says so",
                rule.activation
            )
        };
        out.push(
            Diagnostic::new(
                codes::ACTIVATED_TWICE,
                format!("the atoms of `{name}` apply `{default}` to the {function} of this rule"),
            )
            .label(entry.value.span, "this is for the rule, grounding by grounding")
            .label(rule.head_span, format!("its atoms add the default, `{default}`"))
            .help(help),
        );
    }
}

/// Normalisations over the groundings of one head, of which there is never more than one: each variable stands in the
/// head.
pub(super) fn lone_groundings(
    template: &Template,
    written: &HashMap<Span, &ast::Rule>,
    out: &mut Diagnostics,
) {
    for rule in template.rules.iter().filter(|r| r.world.is_none() && !r.is_valueless()) {
        let normalises =
            matches!(&rule.aggregation, Aggregation::Softmax(v) | Aggregation::Sparsemax(v) if v.is_empty());
        if rule.origin != Origin::Written || !normalises || !one_grounding(rule) {
            continue;
        }
        let Some(source) = written.get(&rule.span) else { continue };
        let Some(entry) = source.metadata.iter().find(|e| e.key.node == "aggregation") else { continue };
        let last = rule.head_args.iter().rev().find_map(|t| match t {
            Term::Variable(v) => Some(&rule.variables[*v]),
            Term::Constant(_) => None,
        });
        let name = &rule.aggregation;
        let mut d = Diagnostic::new(
            codes::WITHOUT_EFFECT,
            format!("`{name}` sees one grounding of each head here: it is always 1"),
        )
        .label(entry.value.span, "normalises the groundings of one head")
        .label(rule.head_span, "every variable of the body stands here");
        if let Some(variable) = last {
            d = d.help(format!(
                "to normalise over heads, name what differs between them: `{name}({variable})`"
            ));
        }
        out.push(d);
    }
}

/// Whether a head of this rule leaves no variable open.
fn one_grounding(rule: &Rule) -> bool {
    let head: HashSet<VarId> = rule.head_args.iter().filter_map(variable).collect();
    rule.body.iter().flat_map(|l| &l.args).filter_map(variable).all(|v| head.contains(&v))
}

fn variable(term: &Term) -> Option<VarId> {
    match term {
        Term::Variable(v) => Some(*v),
        Term::Constant(_) => None,
    }
}
