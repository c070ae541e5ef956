//! Weights that several places share: where they get their values, and what one place does to the others.

use super::{Template, TemplateValue, WeightId};
use crate::base::hash::HashMap;
use crate::base::span::Span;
use crate::data::MAX_WEIGHT;
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::syntax::ast::{self, MetaEntry, MetaValue, Statement, Weight, WeightValue};
use crate::tensor::Shape;

/// A weight that the metadata of a rule freeze.
pub(super) struct Frozen {
    pub(super) weight: WeightId,
    /// The value `false`.
    pub(super) span: Span,
    /// The rule.
    pub(super) rule: Span,
}

/// The first mention with a value of each named weight.
pub(super) fn definitions(files: &[ast::File]) -> HashMap<&str, &Weight> {
    let mut out: HashMap<&str, &Weight> = HashMap::default();
    let mut all: Vec<&Weight> = Vec::new();
    for statement in files.iter().flat_map(|f| &f.statements) {
        match statement {
            Statement::Rule(r) => {
                all.extend(r.head_weight.iter().chain(r.body.iter().filter_map(|l| l.weight())));
                all.extend(r.offset.iter());
                all.extend(stated(&r.metadata));
            }
            Statement::Fact(f) => all.extend(f.weight.iter()),
            Statement::PredicateOffset(p) => all.push(&p.weight),
            Statement::PredicateMetadata(p) => all.extend(stated(&p.entries)),
            _ => {}
        }
    }
    for weight in all {
        if let Some(name) = &weight.name {
            out.entry(&name.node).or_insert(weight);
        }
    }
    out
}

/// Weights written as values of metadata.
fn stated(entries: &[MetaEntry]) -> impl Iterator<Item = &Weight> {
    entries.iter().filter_map(|e| match &e.value.node {
        MetaValue::Weight(w) => Some(w),
        _ => None,
    })
}

/// The value of a fact in angle brackets without a name; `None` for weights of the model.
pub(super) fn given(w: &Weight) -> Option<(Shape, Vec<f64>)> {
    if !w.fixed || w.name.is_some() {
        return None;
    }
    match &w.value.node {
        WeightValue::Scalar(x) => Some((Shape::SCALAR, vec![*x])),
        WeightValue::Dense { rows, cols, values } if values.len() <= MAX_WEIGHT => {
            Some((Shape::new(*rows, *cols), values.clone()))
        }
        _ => None,
    }
}

/// Warnings about frozen weights that stand elsewhere too: there they are frozen as well.
pub(super) fn frozen_elsewhere(template: &Template, frozen: &[Frozen]) -> Diagnostics {
    let mut out: Diagnostics = Vec::new();
    for f in frozen.iter().filter(|f| !template.weights[f.weight].learnable) {
        let rules = template
            .rules
            .iter()
            .filter(|r| r.span != f.rule && !frozen.iter().any(|g| g.rule == r.span && g.weight == f.weight));
        let in_rules = rules
            .filter(|r| {
                let body = r.body.iter().filter_map(|l| l.weight);
                body.chain(r.head_weight).chain(r.offset).any(|w| w == f.weight)
            })
            .map(|r| r.span);
        let in_facts = template
            .facts
            .iter()
            .filter(|fact| fact.value == TemplateValue::Weight(f.weight))
            .map(|fact| fact.span);
        let in_offsets =
            template.predicates.iter().filter(|p| p.offset == Some(f.weight)).filter_map(|p| p.declared);
        let Some(other) = in_rules.chain(in_facts).chain(in_offsets).next() else { continue };
        let name = &template.weights[f.weight].name;
        out.push(
            Diagnostic::new(
                codes::FROZEN_ELSEWHERE,
                format!("the shared weight `${name}` is frozen for all that use it"),
            )
            .label(f.span, format!("this freezes `${name}`"))
            .label(other, "here it is not learned either")
            .help(format!(
                "if that is meant, say `${name} [learnable=false]`; if not, give this rule a weight of its own"
            )),
        );
    }
    out
}
