//! Dimension inference over the lifted program: what shape the values of each predicate have, before grounding.
//!
//! A predicate whose facts or rules give several shapes is left open here; its ground atoms are checked one by one when
//! the graph is compiled.

use crate::base::index::IndexVec;
use crate::base::span::Span;
use crate::data::{Database, PredId, Vocabulary};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::syntax::ast::Sign;
use crate::template::{Literal, Relation, Rule, Template, TemplateValue, WeightId};
use crate::tensor::Shape;
use crate::tensor::functions::{Activation, Combination};

/// Where a shape comes from.
#[derive(Debug, Clone, Copy)]
enum Origin {
    /// A fact.
    Fact(Span),
    /// The head of a rule.
    Rule(Span),
    /// A fact without a value is the scalar 1.
    PlainFact(Span),
}

/// What is known of a predicate's values.
#[derive(Debug, Clone, Copy)]
enum Known {
    Nothing,
    One(Shape, Origin),
    Several,
}

/// The shapes of all predicates.
#[derive(Debug, Clone)]
pub struct Shapes {
    known: IndexVec<PredId, Known>,
}

/// Infers shapes; reports what cannot be computed.
pub(super) fn infer(
    template: &Template,
    vocabulary: &Vocabulary,
    database: &Database,
    out: &mut Diagnostics,
) -> Shapes {
    let mut shapes = Shapes { known: vec![Known::Nothing; vocabulary.predicate_count()].into() };
    shapes.facts(template, database);
    // What is known only grows, to at most `Several`; faults are looked for when it has stopped growing, so that they do
    // not depend on the order of the rules.
    loop {
        let mut changed = false;
        for rule in template.rules.iter() {
            if let Ok(Some(shape)) = shapes.rule(template, vocabulary, rule) {
                changed |= shapes.learn(rule.head, shape, Origin::Rule(rule.head_span));
            }
        }
        if !changed {
            break;
        }
    }
    out.extend(template.rules.iter().filter_map(|r| shapes.rule(template, vocabulary, r).err()).map(|d| *d));
    shapes
}

impl Shapes {
    /// The shape of a predicate's values, if it is one.
    pub fn get(&self, pred: PredId) -> Option<Shape> {
        match self.known[pred] {
            Known::One(shape, _) => Some(shape),
            _ => None,
        }
    }

    /// What the rules of a predicate give its atoms, with the places of their heads; rules whose shape is not known are
    /// left out.
    pub fn contributions(
        &self,
        template: &Template,
        vocabulary: &Vocabulary,
        pred: PredId,
    ) -> Vec<(Span, Shape)> {
        let rules = template.rules.iter().filter(|r| r.head == pred);
        let shape = |r: &Rule| self.rule(template, vocabulary, r).ok().flatten();
        rules.filter_map(|r| Some((r.head_span, shape(r)?))).collect()
    }

    /// Adds what is known; whether that is news.
    fn learn(&mut self, pred: PredId, shape: Shape, origin: Origin) -> bool {
        match self.known[pred] {
            Known::Nothing => {
                self.known[pred] = Known::One(shape, origin);
                true
            }
            Known::One(known, _) if known != shape => {
                self.known[pred] = Known::Several;
                true
            }
            _ => false,
        }
    }

    /// Facts, also of predicates that rules derive: an atom may be only a fact.
    fn facts(&mut self, template: &Template, database: &Database) {
        for (pred, table) in database.shared.tables().chain(database.examples.tables()) {
            let mut last = None;
            for (value, span) in table.values.iter().zip(&table.spans) {
                if last != Some(*value) {
                    last = Some(*value);
                    let plain = *value == crate::data::FactValue::ONE;
                    let origin = if plain { Origin::PlainFact(*span) } else { Origin::Fact(*span) };
                    self.learn(pred, database.value_shape(*value), origin);
                }
            }
        }
        for fact in &template.facts {
            let shape = match fact.value {
                TemplateValue::Constant(v) => database.values.shape(v),
                TemplateValue::Weight(w) => template.weights[w].shape,
            };
            self.learn(fact.pred, shape, Origin::Fact(fact.span));
        }
    }

    /// The shape of a rule's contribution to its head's atoms.
    fn rule(
        &self,
        template: &Template,
        vocabulary: &Vocabulary,
        rule: &Rule,
    ) -> Result<Option<Shape>, Box<Diagnostic>> {
        if rule.is_valueless() {
            let weight = rule.head_weight.or(template.atom_offset(rule.head));
            return Ok(Some(weight.map_or(Shape::SCALAR, |w| template.weights[w].shape)));
        }
        let mut inputs = Vec::new();
        if let Some(offset) = rule.offset {
            inputs.push((template.weights[offset].shape, template.weights[offset].span));
        }
        for (_, literal) in rule.visible() {
            let Some(shape) = self.literal(literal)? else { return Ok(None) };
            let shape = match literal.weight {
                Some(w) => self.product(template, vocabulary, w, shape, literal)?,
                None => shape,
            };
            inputs.push((shape, literal.span));
        }
        let list: Vec<Shape> = inputs.iter().map(|(s, _)| *s).collect();
        let combined = rule.combination.output_shape(&list).map_err(|why| {
            let mut d = Diagnostic::new(
                codes::SHAPE_MISMATCH,
                format!("the inputs of this rule do not fit together under `{}`", rule.combination),
            );
            for (shape, span) in &inputs {
                d = d.label(*span, format!("this is {shape}"));
            }
            for (_, literal) in rule.visible() {
                d = self.origin(d, vocabulary, literal);
            }
            Box::new(d.note(why))
        })?;
        let activated = rule.activation.output_shape(combined).map_err(|why| {
            Box::new(
                Diagnostic::new(
                    codes::FUNCTION_SHAPE,
                    format!("`{}` cannot be applied to a value of shape {combined}", rule.activation),
                )
                .label(rule.span, why),
            )
        })?;
        if rule.aggregation.output_shape(activated, 1) != rule.aggregation.output_shape(activated, 2) {
            // The shape depends on the number of groundings.
            return Ok(None);
        }
        let aggregated = rule.aggregation.output_shape(activated, 2).map_err(|why| {
            Box::new(
                Diagnostic::new(
                    codes::FUNCTION_SHAPE,
                    format!("`{}` cannot aggregate values of shape {activated}", rule.aggregation),
                )
                .label(rule.span, why),
            )
        })?;
        let headed = match rule.head_weight {
            None => aggregated,
            Some(w) => {
                let weight = &template.weights[w];
                weight.shape.times(aggregated).ok_or_else(|| {
                    let d = Diagnostic::new(
                        codes::SHAPE_MISMATCH,
                        format!("the weight of the head is {}, the rule's value {aggregated}", weight.shape),
                    )
                    .label(weight.span, format!("this weight is {}", weight.shape));
                    let mut d = rule.visible().fold(d, |d, (_, l)| {
                        let shape = self.literal(l).ok().flatten().unwrap_or(Shape::SCALAR);
                        d.label(
                            l.span,
                            format!("{} here", of(l.weight.map(|w| template.weights[w].shape), shape)),
                        )
                    });
                    for (_, literal) in rule.visible() {
                        d = self.origin(d, vocabulary, literal);
                    }
                    Box::new(d.note(format!(
                        "a weight of shape {{r,c}} takes a value of shape {{c}}; its columns must be {}",
                        aggregated.rows
                    )))
                })?
            }
        };
        // The atom's own functions: with several rules the combination decides, which is checked per atom.
        let combination = template.atom_combination(rule.head);
        let offset = template.atom_offset(rule.head).filter(|_| rule.world.is_none());
        let headed = match offset.map(|w| combination.output_shape(&[template.weights[w].shape, headed])) {
            None => headed,
            Some(Ok(shape)) => shape,
            // Found out, with the atom, when the graph is compiled.
            Some(Err(_)) => return Ok(None),
        };
        if combination.is_identity_of_one() || rule.world.is_some() {
            let activation = template.stated_activation(rule.head).filter(|_| rule.world.is_none());
            return Ok(match activation {
                Some(f) => f.output_shape(headed).ok(),
                None => Some(headed),
            });
        }
        Ok(None)
    }

    fn product(
        &self,
        template: &Template,
        vocabulary: &Vocabulary,
        weight: WeightId,
        shape: Shape,
        literal: &Literal,
    ) -> Result<Shape, Box<Diagnostic>> {
        let w = &template.weights[weight];
        w.shape.times(shape).ok_or_else(|| {
            let name = match literal.relation {
                Relation::Predicate(p) | Relation::Special(_, p) => vocabulary.predicate_text(p),
                Relation::Domain => String::new(),
            };
            let d = Diagnostic::new(
                codes::SHAPE_MISMATCH,
                format!("a weight of shape {} cannot multiply `{name}`, which is {shape}", w.shape),
            )
            .label(w.span, format!("this weight is {}", w.shape))
            .label(literal.span, format!("this literal is {shape}"));
            let d = self.origin(d, vocabulary, literal);
            let help = format!(
                "a weight of shape {{r,c}} takes a value of shape {{c}}: here its columns must be {}",
                shape.rows
            );
            Box::new(d.help(match w.shape.cols {
                1 => format!("{help} (`{{{}}}` alone is a column, {{{0},1}})", w.shape.rows),
                _ => help,
            }))
        })
    }

    /// The shape of a literal's value, after its functions.
    fn literal(&self, literal: &Literal) -> Result<Option<Shape>, Box<Diagnostic>> {
        let known = match literal.relation {
            Relation::Predicate(p) => self.get(p),
            Relation::Special(..) => Some(Shape::SCALAR),
            Relation::Domain => None,
        };
        let Some(mut shape) = known else { return Ok(None) };
        for f in &literal.functions {
            shape = f.output_shape(shape).map_err(|why| {
                let mut d = unusable_function(f, shape, literal.span);
                d.labels[0].text = why;
                Box::new(d)
            })?;
        }
        Ok(Some(shape))
    }

    /// Adds to a message where the shape of a literal comes from.
    fn origin(&self, d: Diagnostic, vocabulary: &Vocabulary, literal: &Literal) -> Diagnostic {
        let Relation::Predicate(p) = literal.relation else { return d };
        let Known::One(shape, origin) = self.known[p] else { return d };
        let name = vocabulary.predicate_text(p);
        let negated = if literal.sign == Sign::Soft { ", and so is its negation" } else { "" };
        let (span, text) = match origin {
            Origin::Fact(span) => (span, format!("`{name}` is {shape} because of this fact{negated}")),
            Origin::PlainFact(span) => {
                (span, format!("`{name}` is {shape}: a fact without a value is 1{negated}"))
            }
            Origin::Rule(span) => (span, format!("`{name}` is {shape} because of this rule{negated}")),
        };
        if d.labels.iter().any(|l| l.span == span && l.text == text) { d } else { d.label(span, text) }
    }

    /// Targets whose shape is not that of the queried predicate.
    pub(super) fn targets(
        &self,
        _template: &Template,
        vocabulary: &Vocabulary,
        database: &Database,
        out: &mut Diagnostics,
    ) {
        let mut reported: Vec<PredId> = Vec::new();
        for query in &database.queries {
            let (Some((target, _)), Known::One(shape, origin)) = (&query.target, self.known[query.pred])
            else {
                continue;
            };
            if *target == shape || target.len() == shape.len() || reported.contains(&query.pred) {
                continue;
            }
            reported.push(query.pred);
            let name = vocabulary.predicate_text(query.pred);
            let (Origin::Fact(span) | Origin::Rule(span) | Origin::PlainFact(span)) = origin;
            out.push(
                Diagnostic::new(
                    codes::TARGET_SHAPE,
                    format!("the target is {target}, but `{name}` is {shape}"),
                )
                .label(query.span, format!("its target is {target}"))
                .label(span, format!("`{name}` is {shape} because of this")),
            );
        }
    }
}

/// A function that cannot take a value of a shape.
pub(super) fn unusable_function(f: &Activation, shape: impl std::fmt::Display, span: Span) -> Diagnostic {
    let title = format!("`{f}` cannot be applied to a value of shape {shape}");
    Diagnostic::new(codes::FUNCTION_SHAPE, title).label(span, format!("this is {shape}"))
}

/// Whether a combination keeps the shape of its inputs, scalars being spread over vectors.
pub(super) fn added_to_vector(combination: &Combination) -> bool {
    use Combination::{Avg, ElProduct, Max, Min, Sum};
    matches!(combination, Sum | Avg | Max | Min | ElProduct)
}

fn of(weight: Option<Shape>, shape: Shape) -> String {
    match weight {
        Some(w) => format!("{w} times {shape}"),
        None => format!("{shape}"),
    }
}
