//! What a neuron computes from its inputs: rules, atoms and negations are all one kind of function.

use super::Op;
use crate::base::span::Span;
use crate::data::PredId;
use crate::syntax::ast::Sign;
use crate::template::{Literal, Template, WeightId};
use crate::tensor::functions::{Activation, Combination};

/// An input position of a [`Map`]: `weight · f(x)`.
#[derive(Debug, Clone, Copy)]
pub struct Slot<'a> {
    /// Applied to the value before the weight, in order.
    pub functions: &'a [Activation],
    /// What the value is multiplied by; `None` also where that is a fixed scalar 1, or the member of a family, by which
    /// the input has been multiplied.
    pub weight: Option<WeightId>,
    /// The literal, or the head of the rule that derives the atom.
    pub span: Option<Span>,
    /// The literal's predicate.
    pub pred: Option<PredId>,
}

/// `activation(combination(offset, slot_1, …, slot_k))`.
#[derive(Debug, Clone)]
pub struct Map<'a> {
    /// Each input, in order.
    pub slots: Vec<Slot<'a>>,
    /// An offset as a first input.
    pub offset: Option<WeightId>,
    /// How the inputs are combined.
    pub combination: Combination,
    /// Whether a weight or an offset is written, be it a fixed 1 or that of an input left out.
    pub weighted: bool,
    /// What is applied to the combination; `None` at an output without a stated one: what the loss wants there.
    pub activation: Option<Activation>,
    /// The rule, or the head of the first rule that derives the atom.
    pub span: Option<Span>,
}

impl Map<'_> {
    /// Whether it only passes on its single input.
    pub fn is_copy(&self) -> bool {
        matches!(&self.slots[..], [Slot { functions: [], weight: None, .. }])
            && self.offset.is_none()
            && self.combination.is_identity_of_one()
            && self.activation.is_some_and(|f| f.is_identity())
    }
}

/// The function of an operation with inputs, but for aggregations.
pub fn map_of<'a>(template: &'a Template, op: &Op) -> Option<Map<'a>> {
    // The members of families are inputs.
    let weight =
        |w: Option<WeightId>| w.filter(|&w| !is_one(template, w) && !template.weights[w].is_family());
    match op {
        Op::Rule { rule, dropped } => {
            let r = &template.rules[*rule];
            let kept = r.visible().enumerate().filter(|(k, _)| !dropped.contains(&(*k as u32)));
            let slot = |(_, (_, l)): (usize, (usize, &'a Literal))| Slot {
                // The functions of a literal with a family come before its member.
                functions: if l.member.is_some() { &[] } else { &l.functions },
                weight: weight(l.weight),
                span: Some(l.span),
                pred: l.predicate(),
            };
            Some(Map {
                slots: kept.map(slot).collect(),
                offset: r.offset,
                weighted: r.offset.is_some() || r.visible().any(|(_, l)| l.weight.is_some()),
                combination: r.combination,
                activation: Some(r.activation),
                span: Some(r.span),
            })
        }
        Op::Atom { pred, rules, output } => {
            // Rules that stand in examples know nothing of the template's metadata.
            let foreign = rules.iter().all(|r| template.rules[*r].world.is_some());
            let defaults = &template.defaults;
            let stated = template.stated_activation(*pred).filter(|_| !foreign);
            // The softmax over a group takes logits, whatever the loss wants of other outputs.
            let logits = || template.classes(*pred).map(|_| Activation::Identity);
            let inner = if *output { logits() } else { Some(defaults.atom_activation) };
            let combination =
                if foreign { defaults.atom_combination } else { template.atom_combination(*pred) };
            let slots = rules.iter().map(|r| Slot {
                functions: &[],
                weight: weight(template.rules[*r].head_weight),
                span: Some(template.rules[*r].head_span),
                pred: None,
            });
            let offset = template.atom_offset(*pred).filter(|_| !foreign);
            Some(Map {
                slots: slots.collect(),
                offset,
                weighted: offset.is_some() || rules.iter().any(|r| template.rules[*r].head_weight.is_some()),
                combination,
                activation: stated.copied().or(inner),
                span: rules.first().map(|r| template.rules[*r].head_span),
            })
        }
        Op::Weighing { rule, literal } => {
            let r = &template.rules[*rule];
            let weighed = literal.map(|at| &r.body[at as usize]);
            let weight = weighed.map_or(r.head_weight, |l| l.weight);
            let member = Slot {
                functions: &[],
                weight: None,
                span: weight.map(|w| template.weights[w].span),
                pred: None,
            };
            let value = Slot {
                functions: weighed.map_or(&[], |l| &l.functions),
                weight: None,
                span: Some(weighed.map_or(r.head_span, |l| l.span)),
                pred: weighed.and_then(Literal::predicate),
            };
            Some(Map {
                slots: vec![member, value],
                offset: None,
                weighted: true,
                combination: Combination::Product,
                activation: Some(Activation::Identity),
                span: Some(r.span),
            })
        }
        Op::Negation => Some(Map {
            slots: vec![Slot { functions: &[], weight: None, span: None, pred: None }],
            offset: None,
            weighted: false,
            combination: Combination::Sum,
            activation: Some(Activation::Reverse),
            span: None,
        }),
        Op::Value(_) | Op::Number(_) | Op::Weight(_) | Op::Aggregation(_) => None,
    }
}

/// Whether a literal enters as its soft negation, by a neuron of its own.
pub fn is_negated(literal: &Literal) -> bool {
    literal.sign == Sign::Soft
}

/// A fixed scalar weight of exactly 1 changes nothing.
fn is_one(template: &Template, weight: WeightId) -> bool {
    let w = &template.weights[weight];
    w.constant && w.shape.is_scalar() && w.initial.as_deref() == Some(&[1.0])
}
