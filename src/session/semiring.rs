//! Answers in a semiring: whether, in how many ways, to what degree, at what least length. Nothing is built, compiled or trained.

use super::{Network, Outcome, Session, Unprovable};
use crate::answer::{Answer, matching_rows};
use crate::base::span::Span;
use crate::data::{FactValue, PredId, QueryTerm, WorldId};
use crate::diag::{Diagnostic, Diagnostics, codes, has_errors};
use crate::ground::GroundProgram;
use crate::ground::semiring::{Degrees, NoReading, Semiring, evaluate};
use crate::template::TemplateValue;
use crate::tensor::Shape;
use std::ops::ControlFlow;
use std::time::Instant;

impl Session {
    /// Grounds the worlds that are asked about and answers all queries in a semiring. A query without variables that
    /// cannot be derived has the value 0 (as a length, infinity), unless the settings state another one or leave it out.
    ///
    /// The network holds answers and sizes but no programs and no samples; the outcome, the answers' values.
    pub fn run_in(&self, semiring: Semiring) -> (Option<(Network, Outcome)>, Diagnostics) {
        let mut out = Vec::new();
        let queries = &self.database.queries;
        let mut network = Network::default();
        network.statistics.per_rule = vec![0; self.template.rules.len()];
        let (mut infinite, mut overflow, mut left_out) = (None, None, 0);
        let mut found: Vec<(Answer, f64)> = Vec::new();
        let mut start = Instant::now();
        let done = self.each_ground(&mut |_, about, ground| {
            let statistics = &mut network.statistics;
            statistics.ground_seconds += start.elapsed().as_secs_f64();
            statistics.worlds += 1;
            statistics.count(&self.template, &self.vocabulary, ground);
            let degrees = evaluate(ground, &self.template, &self.database, semiring)
                .map_err(|e| self.no_reading(semiring, e))?;
            infinite = infinite.or(degrees.infinite);
            overflow = overflow.or(degrees.overflow);
            for &q in about {
                let query = &queries[q];
                let rows = matching_rows(query, ground);
                for &row in &rows {
                    let args = ground.relations[query.pred].row(row).to_vec();
                    // Where a value is computed says only that there is one.
                    let answer = Answer { query: q, args, place: Some((0, 0)) };
                    found.push((answer, degrees.value(query.pred, row)));
                }
                if !rows.is_empty() || !query.variables.is_empty() {
                    continue;
                }
                let value = match self.settings.unprovable {
                    Unprovable::Skip => {
                        left_out += 1;
                        continue;
                    }
                    Unprovable::Value(v) => v,
                    Unprovable::Error => semiring.nothing(),
                };
                let constant = |a: &QueryTerm| match a {
                    QueryTerm::Constant(c) => Some(*c),
                    QueryTerm::Variable(_) => None,
                };
                let args = query.args.iter().filter_map(constant).collect();
                found.push((Answer { query: q, args, place: None }, value));
            }
            start = Instant::now();
            Ok(ControlFlow::Continue(()))
        });
        if let Err(d) = done {
            return (None, vec![d]);
        }
        // Worlds were taken one after the other; answers stand in the order of the queries.
        found.sort_by_key(|(a, _)| a.query);
        if left_out > 0 {
            let title =
                format!("{left_out} of {} queries cannot be derived: they are left out", queries.len());
            out.push(Diagnostic::new(codes::LEFT_OUT, title));
        }
        if let Some(pred) = infinite {
            let pred = self.template.written(pred);
            let name = self.vocabulary.predicate_text(pred);
            let count = found.iter().filter(|(_, v)| *v == f64::INFINITY).count();
            let title = format!("atoms of `{name}` are derived from themselves, in infinitely many ways");
            let mut d = Diagnostic::new(codes::ENDLESS_COUNT, title);
            let rules = self.template.rules.iter().filter(|r| r.head == pred);
            let component = &self.strata.component;
            let recursive = |r: &&crate::template::Rule| {
                r.visible().any(|(_, l)| l.predicate().is_some_and(|p| component[p] == component[r.head]))
            };
            if let Some(rule) = rules.into_iter().find(recursive) {
                d = d.label(rule.head_span, "a cycle among atoms comes back here");
            }
            out.push(d.note(format!(
                "{} `inf`",
                match count {
                    1 => "1 answer is".to_string(),
                    n => format!("{n} answers are"),
                }
            )));
        }
        if let Some(pred) = overflow {
            let name = self.vocabulary.predicate_text(self.template.written(pred));
            let title =
                format!("an atom of `{name}` has more derivations than the greatest number, {:e}", f64::MAX);
            out.push(
                Diagnostic::new(codes::ENDLESS_COUNT, title).note("that number stands for what is greater"),
            );
        }
        let outcome = Outcome { values: found.iter().map(|(_, v)| vec![*v]).collect(), ..Outcome::default() };
        network.answers = found.into_iter().map(|(a, _)| a).collect();
        if has_errors(&out) { (None, out) } else { (Some((network, outcome)), out) }
    }

    /// Grounds the worlds that are asked about and shows each with the values of its atoms in a semiring, until `look`
    /// breaks off.
    ///
    /// # Errors
    /// E0601 where grounding was given up, E0705 where an atom has no value in the semiring.
    pub fn each_valued(
        &self,
        semiring: Semiring,
        look: &mut dyn FnMut(WorldId, &GroundProgram, &Degrees) -> ControlFlow<()>,
    ) -> Result<(), Diagnostic> {
        self.each_ground(&mut |world, _, ground| {
            let degrees = evaluate(ground, &self.template, &self.database, semiring)
                .map_err(|e| self.no_reading(semiring, e))?;
            Ok(look(world, ground, &degrees))
        })
    }

    /// Where the first fact of a predicate with a value that does not do is stated, by its shape and first number.
    fn fact_with(&self, pred: PredId, wrong: impl Fn(Shape, f64) -> bool) -> Option<Span> {
        let database = &self.database;
        let constant = |v| (database.values.shape(v), database.values.get(v).first().copied());
        let weight = |w| {
            let w: &crate::template::Weight = &self.template.weights[w];
            (w.shape, w.initial.as_ref().and_then(|v| v.first().copied()))
        };
        let tables = [&database.shared, &database.examples].into_iter().filter_map(|set| set.table(pred));
        let stated = tables.flat_map(|t| t.values.iter().zip(&t.spans));
        let data = stated.map(|(value, span)| match value {
            FactValue::Constant(v) => (constant(*v), *span),
            FactValue::Learnable(id) => (weight(self.template.learnable_facts[*id]), *span),
        });
        let template = self.template.facts.iter().filter(|f| f.pred == pred).map(|f| match f.value {
            TemplateValue::Constant(v) => (constant(v), f.span),
            TemplateValue::Weight(w) => (weight(w), f.span),
        });
        let mut all = data.chain(template);
        all.find(|((shape, first), _)| wrong(*shape, first.unwrap_or(1.0))).map(|(_, span)| span)
    }

    fn no_reading(&self, semiring: Semiring, e: NoReading) -> Diagnostic {
        let literal = |rule, i: usize| self.template.rules[rule].body[i].span;
        match e {
            NoReading::Vector(pred) => {
                let name = self.vocabulary.predicate_text(pred);
                let what = if semiring == Semiring::MinPlus { "length" } else { "degree" };
                let title = format!("a fact of `{name}` has a value of several numbers, which is no {what}");
                let mut d = Diagnostic::new(codes::NO_READING, title);
                if let Some(span) = self.fact_with(pred, |shape, _| !shape.is_scalar()) {
                    d = d.label(span, "several numbers");
                }
                d.help("`--semiring bool` and `--semiring count` do not look at values")
            }
            NoReading::Negative(pred) => {
                let name = self.vocabulary.predicate_text(pred);
                let title = format!("a fact of `{name}` has a negative value, which is no length");
                let mut d = Diagnostic::new(codes::NO_READING, title);
                if let Some(span) = self.fact_with(pred, |_, value| value < 0.0) {
                    d = d.label(span, "less than 0");
                }
                d.help(
                    "around a cycle a negative length would shorten a way without end; `minplus` takes none",
                )
            }
            NoReading::SoftNegation(rule, i) => {
                let what = match semiring {
                    Semiring::Count => "counted",
                    Semiring::MinPlus => "a length",
                    Semiring::Boolean | Semiring::MaxMin => "true or false",
                };
                let title = format!("a soft negation speaks of degrees; it cannot be {what}");
                Diagnostic::new(codes::NO_READING, title).label(literal(rule, i), "one minus a value").help(
                    "`!` in place of `~` asks whether the atom does not hold; or use `--semiring maxmin`",
                )
            }
            NoReading::NegativeCycle(rule, i) => {
                let pred = self.template.written(self.template.rules[rule].head);
                let name = self.vocabulary.predicate_text(pred);
                let title = format!("an atom of `{name}` depends on its own negation: it has no degree");
                Diagnostic::new(codes::NO_READING, title)
                    .label(literal(rule, i), "negated, and derived from the head")
                    .note("around a cycle degrees only grow; with a negation on it they may never settle")
            }
        }
    }
}
