//! Metadata of weights: values, what is learned, and in which group they are.

use super::{Lowering, WEIGHT_KEYS};
use crate::base::span::Spanned;
use crate::data::PredId;
use crate::diag::{Diagnostic, codes, suggest};
use crate::syntax::ast::{self, Function, MetaEntry, MetaValue, WeightValue};
use crate::template::metadata::{bad_value, boolean, unknown_key};
use crate::template::training::{GroupId, Trains};
use crate::template::{Weight, WeightId};
use crate::tensor::Shape;

impl Lowering<'_> {
    /// The group that an entry names.
    pub(super) fn group(&mut self, entry: &MetaEntry) -> Option<Spanned<GroupId>> {
        let MetaValue::Call(Function { name, args }) = &entry.value.node else {
            bad_value(entry, "the name of a group", &mut self.diagnostics);
            return None;
        };
        if !args.is_empty() {
            bad_value(entry, "the name of a group", &mut self.diagnostics);
            return None;
        }
        let groups = &mut self.template.groups;
        let known = groups.iter_enumerated().find(|(_, g)| *g == name).map(|(id, _)| id);
        Some(Spanned::new(known.unwrap_or_else(|| groups.push(name.clone())), entry.value.span))
    }

    /// Puts a weight into a group.
    fn put(&mut self, id: WeightId, group: &Spanned<GroupId>) {
        let weight = &mut self.template.weights[id];
        let first = weight.group.get_or_insert_with(|| group.clone());
        if first.node != group.node {
            let groups = &self.template.groups;
            let title = format!("the weight `{}` is in two groups", weight.name);
            let d = Diagnostic::new(codes::WEIGHT_GROUP, title)
                .label(group.span, format!("in `{}` by this", groups[group.node]))
                .label(first.span, format!("in `{}` by this", groups[first.node]))
                .help("a weight of its own for each group, or one group for both places");
            self.error(d);
        }
    }

    /// Puts the weights of a rule into a group.
    pub(super) fn put_all(&mut self, weights: &[WeightId], group: &Spanned<GroupId>) {
        let mut any = false;
        for &id in weights {
            if !self.template.weights[id].constant {
                any = true;
                self.put(id, group);
            }
        }
        if !any {
            let d = Diagnostic::new(codes::IDLE_GROUP, "this rule has no weights to be put into a group")
                .label(group.span, "without effect");
            self.error(
                d.help("weights of other rules, and offsets of predicates, are put there where they stand"),
            );
        }
    }

    /// `trains=…` or `freezes=…` of a predicate.
    pub(super) fn trains(&mut self, pred: PredId, entry: &MetaEntry, made: fn(GroupId) -> Trains) {
        let Some(Spanned { node, span }) = self.group(entry) else { return };
        let found = Spanned::new(made(node), span);
        let info = self.info(pred);
        match &info.trains {
            Some(first) if first.node != found.node => {
                let first = first.span;
                let name = self.vocabulary.predicate_text(pred);
                let title = format!("it is said twice which weights the samples of `{name}` train");
                let d = Diagnostic::new(codes::WEIGHT_GROUP, title).label(span, "said here");
                let d = d.label(first, "and said here");
                self.error(d.help("`trains=g` trains the weights of one group, `freezes=g` all others"));
            }
            _ => info.trains = Some(found),
        }
    }

    /// Groups that predicates name but that have no weights to be trained.
    pub(super) fn empty_groups(&mut self) {
        let template = &self.template;
        let of = |weight: &Weight| weight.group.as_ref().map(|g| g.node);
        let filled = |g: GroupId| template.weights.iter().any(|w| of(w) == Some(g));
        let mut found = Vec::new();
        for stated in template.predicates.iter().filter_map(|p| p.trains.as_ref()) {
            let Some(group) = stated.node.named() else { continue };
            if template.weights.iter().any(|w| of(w) == Some(group) && w.learnable) {
                continue;
            }
            let name = &template.groups[group];
            if let Some(fixed) = template.weights.iter().find(|w| of(w) == Some(group)) {
                let title = format!("no weight of the group `{name}` is learned");
                let d =
                    Diagnostic::new(codes::WEIGHT_GROUP, title).label(stated.span, "to be trained or not");
                found.push(d.label(fixed.span, "in the group, but fixed"));
                continue;
            }
            let title = format!("no weight is in the group `{name}`");
            let mut d = Diagnostic::new(codes::WEIGHT_GROUP, title).label(stated.span, "no such group");
            let others = template.groups.iter_enumerated().filter(|(g, _)| filled(*g));
            d.help = suggest::did_you_mean(name, others.map(|(_, n)| n.as_str())).or_else(|| {
                Some(format!(
                    "`[group={name}]` behind a rule puts the weights of the rule there, `$w [group={name}]` a shared one"
                ))
            });
            found.push(d);
        }
        self.diagnostics.extend(found);
    }

    /// `$w [ … ]`.
    pub(super) fn weight_metadata(&mut self, w: &ast::WeightMetadata) {
        let Some(&id) = self.names.get(&w.name.node) else {
            self.unknown_weight(&w.name.node, w.name.span);
            return;
        };
        for entry in &w.entries {
            match entry.key.node.as_str() {
                "learnable" => match boolean(entry, &mut self.diagnostics) {
                    Some(true) => self.template.weights[id].learnable = true,
                    Some(false) => self.freeze(id),
                    None => {}
                },
                "group" => {
                    if let Some(group) = self.group(entry) {
                        self.put(id, &group);
                    }
                }
                "value" => {
                    let (shape, values) = match &entry.value.node {
                        MetaValue::Weight(ast::Weight { value, .. }) => match &value.node {
                            WeightValue::Scalar(x) => (Shape::SCALAR, vec![*x]),
                            WeightValue::Dense { rows, cols, values } => {
                                (Shape::new(*rows, *cols), values.clone())
                            }
                            WeightValue::Dims { .. } => {
                                bad_value(entry, "a written value", &mut self.diagnostics);
                                continue;
                            }
                        },
                        _ => {
                            bad_value(entry, "a written value", &mut self.diagnostics);
                            continue;
                        }
                    };
                    let weight = &mut self.template.weights[id];
                    if weight.shape != shape {
                        let d = Diagnostic::new(
                            codes::SHAPE_MISMATCH,
                            format!("`${}` is {}, its value {shape}", w.name.node, weight.shape),
                        )
                        .label(entry.value.span, format!("this is {shape}"))
                        .label(weight.span, format!("this is {}", weight.shape));
                        self.diagnostics.push(d);
                    } else {
                        weight.initial = Some(values);
                    }
                }
                _ => unknown_key(entry, WEIGHT_KEYS, "a weight", &mut self.diagnostics),
            }
        }
    }
}
