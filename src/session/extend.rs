//! What a session needs to grow while it is in use: facts, data and clauses added, weights carried over.

use super::Session;
use std::path::Path;
use std::sync::atomic::AtomicUsize;

use crate::answer::explain;
use crate::base::hash::HashMap;
use crate::base::index::Id;
use crate::base::span::Span;
use crate::data::Database;
use crate::data::builder::Builder;
use crate::diag::{Diagnostic, Diagnostics};
use crate::exec::Parameters;
use crate::ground::Grounder;
use crate::ground::evaluate::relevant_predicates;
use crate::io::tables;
use crate::syntax::ast::{self, TermKind, WeightValue};
use crate::syntax::facts::{AtomRef, DataSink, TermClass, TermRef, ValueRef};
use crate::template::strata::Strata;
use crate::template::{Kinship, Template, Weight, WeightId};

/// Whether a fact as it is parsed in a template can stand in the data: a plain atom without variables.
pub fn is_data_fact(fact: &ast::Fact) -> bool {
    let atom = &fact.atom;
    let stated = atom.arity.as_ref().is_none_or(|a| a.node as usize == atom.args.len());
    let ground = atom.args.iter().all(|t| !matches!(t.kind, TermKind::Variable(_)));
    stated && ground && !atom.special && !atom.hidden
}

impl Session {
    /// Adds facts (see [`is_data_fact`]) to the shared world.
    pub fn add_facts(&mut self, facts: &[ast::Fact]) -> Diagnostics {
        let database = std::mem::take(&mut self.database);
        let mut builder = Builder::new(&mut self.vocabulary, database);
        for fact in facts {
            add_fact(&mut builder, fact);
        }
        let (database, found) = builder.finish();
        self.database = database;
        found
    }

    /// Adds a data file, a text in the `.db` form or a table.
    pub fn add_data(&mut self, path: &Path) -> Diagnostics {
        let database: Database = std::mem::take(&mut self.database);
        let mut builder = Builder::new(&mut self.vocabulary, database);
        tables::read(path, &mut self.sources, &mut builder);
        let (database, found) = builder.finish();
        self.database = database;
        found
    }

    /// Puts predicates that only a query mentions into the order of evaluation.
    pub fn admit_predicates(&mut self) {
        let n = self.vocabulary.predicate_count();
        if self.strata.component.len() < n {
            self.strata = Strata::new(&self.template.rules, n);
        }
    }

    /// Why a query, by position, has no answer; `None` if its world is too large to be grounded.
    pub fn why_not(&self, query: usize) -> Option<Diagnostic> {
        let query = &self.database.queries[query];
        let relevant = relevant_predicates(&self.template, self.vocabulary.predicate_count(), [query.pred]);
        let (vocabulary, template) = (&self.vocabulary, &self.template);
        let mut grounder = Grounder::new(vocabulary, template, &self.database, &self.strata, &relevant);
        grounder.run(query.world, self.settings.max_ground, &AtomicUsize::new(0)).ok()?;
        let domain = grounder.domain();
        Some(explain::why_not(query, &grounder.ground, template, vocabulary, &self.database, domain))
    }

    /// The values of an earlier template's weights, where the present one still has them, and initial values for the
    /// others.
    ///
    /// A weight is still there if it is written at the same place (names alone would not do: weights without a name
    /// are numbered, and those of rules inside examples come after those of the template), has the same shape, and has
    /// not been given another value by metadata.
    pub fn carry_over(&self, old: &Template, values: &Parameters<f64>) -> Parameters<f64> {
        // The members of a family have one place, and names that nothing else has.
        let place = |w: &Weight| match w.kinship {
            Kinship::Member(_) => (w.span, Some(w.name.clone())),
            _ => (w.span, None),
        };
        let mut places: HashMap<(Span, Option<String>), WeightId> = HashMap::default();
        for (id, weight) in old.weights.iter_enumerated() {
            places.entry(place(weight)).or_insert(id);
        }
        let mut parameters: Parameters<f64> = self.initial_parameters();
        for (id, weight) in self.template.weights.iter_enumerated() {
            let Some(&before) = places.get(&place(weight)) else { continue };
            if !weight.is_family()
                && is_same(&old.weights[before], weight)
                && before.index() < values.ranges.len()
            {
                parameters.get_mut(id).copy_from_slice(values.get(before));
            }
        }
        parameters
    }
}

fn is_same(old: &Weight, new: &Weight) -> bool {
    // A drawn weight that is frozen gets zeros where it has no value: here it has one.
    let frozen = old.initial.is_none()
        && !new.learnable
        && new.initial.as_ref().is_some_and(|v| v.iter().all(|&x| x == 0.0));
    old.shape == new.shape && (old.initial == new.initial || frozen)
}

fn add_fact(builder: &mut Builder<'_>, fact: &ast::Fact) {
    let value = fact.weight.as_ref().map(|w| {
        let (rows, cols, values): (usize, usize, &[f64]) = match &w.value.node {
            WeightValue::Scalar(x) => (1, 1, std::slice::from_ref(x)),
            WeightValue::Dense { rows, cols, values } => (*rows, *cols, values),
            WeightValue::Dims { rows, cols } => (*rows, *cols, &[]),
        };
        let name = w.name.as_ref().map(|n| n.node.as_str());
        ValueRef { name, fixed: w.fixed, rows, cols, values, span: w.span }
    });
    let mut args = Vec::with_capacity(fact.atom.args.len());
    for t in &fact.atom.args {
        let (kind, text) = match &t.kind {
            TermKind::Variable(v) => (TermClass::Variable, v),
            TermKind::Name(n) => (TermClass::Name, n),
            TermKind::Number(n) => (TermClass::Number, n),
            TermKind::Quoted(q) => (TermClass::Quoted, q),
        };
        let ty = t.ty.as_ref().map(|ty| ty.node.as_str());
        args.push(TermRef { ty, kind, text, span: t.span });
    }
    let atom =
        AtomRef { sign: ast::Sign::Positive, name: &fact.atom.name.node, args: &args, span: fact.atom.span };
    builder.fact(value, atom);
}
