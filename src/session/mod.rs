//! Layer 11: everything loaded. Front ends talk only to this.

pub mod build;
pub mod extend;
pub mod inspect;
pub mod report;
pub mod run;

use crate::base::index::Id;
use crate::base::span::SourceMap;
use crate::data::builder::Builder;
use crate::data::{Database, Query, QueryTerm, Split, Vocabulary, WorldId};
use crate::diag::{Diagnostics, has_errors};
use crate::io::{self, Inputs};
use crate::learn::TrainSettings;
use crate::syntax::ast::{self, TermKind, WeightValue};
use crate::syntax::parser;
use crate::template::lower::{DefaultOverrides, lower};
use crate::template::strata::Strata;
use crate::template::{Template, check};
use crate::tensor::Shape;

pub use build::{Network, Statistics};
pub use run::Outcome;

/// What to do with a query that cannot be derived.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub enum Unprovable {
    /// Say why and stop.
    Error,
    /// Give it a value.
    Value(f64),
    /// Leave it out.
    Skip,
}

/// Width of the numbers that values and weights are computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Precision {
    /// 64 bits.
    F64,
    /// 32 bits.
    F32,
}

/// All settings of a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Functions that stand above the template's defaults.
    pub overrides: DefaultOverrides,
    /// Training.
    pub train: TrainSettings,
    /// Most ground rules.
    pub max_ground: usize,
    /// Queries that cannot be derived.
    pub unprovable: Unprovable,
    /// Whether ground rules may be left out to break cycles; if not, a cycle is an error.
    pub cut_cycles: bool,
    /// Width of numbers.
    pub precision: Precision,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            overrides: DefaultOverrides::default(),
            train: TrainSettings::default(),
            max_ground: 20_000_000,
            unprovable: Unprovable::Error,
            cut_cycles: true,
            precision: Precision::F64,
        }
    }
}

/// A program and its data, parsed, resolved and checked.
#[derive(Debug, Clone)]
pub struct Session {
    /// Texts.
    pub sources: SourceMap,
    /// Names.
    pub vocabulary: Vocabulary,
    /// Facts and queries.
    pub database: Database,
    /// The program.
    pub template: Template,
    /// The order of evaluation.
    pub strata: Strata,
    /// Settings.
    pub settings: Settings,
    /// Seconds spent on reading.
    pub parse_seconds: f64,
}

impl Session {
    /// Reads, resolves and checks. The session is complete only if no diagnostic is an error.
    pub fn load(inputs: &Inputs, settings: Settings) -> (Session, Diagnostics) {
        let (session, _, out) = Session::load_program(inputs, settings);
        (session, out)
    }

    /// Like [`Session::load`], with the syntax trees of the template, for a front end that will add to them.
    pub fn load_program(inputs: &Inputs, settings: Settings) -> (Session, Vec<ast::File>, Diagnostics) {
        let start = std::time::Instant::now();
        let mut sources = SourceMap::new();
        let mut out = Vec::new();
        let mut files = Vec::new();
        for path in &inputs.templates {
            let (read, found) = io::read_template(path, &mut sources);
            files.extend(read);
            out.extend(found);
        }
        let mut vocabulary = Vocabulary::new();
        let (database, found) = inputs.read_data(&mut sources, &mut vocabulary);
        out.extend(found);
        let mut session = Session { sources, vocabulary, database, ..Session::empty(settings) };
        session.resolve(&files, &mut out);
        session.parse_seconds = start.elapsed().as_secs_f64();
        (session, files, out)
    }

    /// Reads, resolves and checks a template and data in the `.db` form, given as texts.
    pub fn from_texts(template: &str, data: &str, settings: Settings) -> (Session, Diagnostics) {
        let mut session = Session::empty(settings);
        let source = session.sources.add("template.lrnn", template);
        let (file, mut out) = parser::parse_template(source, template);
        let source = session.sources.add("facts.db", data);
        let mut builder = Builder::new(&mut session.vocabulary, Database::new());
        builder.database_text(source, data, Split::Train);
        let (database, found) = builder.finish();
        session.database = database;
        out.extend(found);
        session.resolve(&[file], &mut out);
        (session, out)
    }

    /// A session without program and data.
    pub fn empty(settings: Settings) -> Session {
        Session {
            sources: SourceMap::new(),
            vocabulary: Vocabulary::new(),
            database: Database::new(),
            template: Template::default(),
            strata: Strata::default(),
            settings,
            parse_seconds: 0.0,
        }
    }

    /// Resolves and checks a template against the data that is loaded.
    pub fn resolve(&mut self, files: &[ast::File], out: &mut Diagnostics) {
        let overrides = self.settings.overrides.clone();
        let (template, found) = lower(files, &mut self.vocabulary, &mut self.database, &overrides);
        out.extend(found);
        self.template = template;
        let queries = std::mem::take(&mut self.template.queries);
        for query in &queries {
            self.add_query(query);
        }
        self.strata = Strata::new(&self.template.rules, self.vocabulary.predicate_count());
        if !has_errors(out) {
            out.extend(check::check(&self.template, &self.vocabulary, &self.database, &self.strata));
        }
    }

    /// Adds a query about the shared world (from a template or the REPL); its position.
    pub fn add_query(&mut self, fact: &ast::Fact) -> usize {
        let mut variables: Vec<String> = Vec::new();
        let mut args = Vec::new();
        for term in &fact.atom.args {
            args.push(match &term.kind {
                TermKind::Variable(name) => {
                    let known = variables.iter().position(|v| v == name && name != "_");
                    let number = known.unwrap_or_else(|| {
                        variables.push(name.clone());
                        variables.len() - 1
                    });
                    QueryTerm::Variable(number as u32)
                }
                TermKind::Name(n) => QueryTerm::Constant(self.vocabulary.name(n)),
                TermKind::Quoted(q) => QueryTerm::Constant(self.vocabulary.quoted(q)),
                TermKind::Number(n) => {
                    // The parser has refused numbers that are out of range.
                    let id = self.vocabulary.number(n).unwrap_or_else(|| self.vocabulary.name(n));
                    QueryTerm::Constant(id)
                }
            });
        }
        let pred = self.vocabulary.predicate(&fact.atom.name.node, args.len());
        let target = fact.weight.as_ref().and_then(|w| match &w.value.node {
            WeightValue::Scalar(x) => Some((Shape::SCALAR, vec![*x])),
            WeightValue::Dense { rows, cols, values } => Some((Shape::new(*rows, *cols), values.clone())),
            WeightValue::Dims { .. } => None,
        });
        self.database.queries.push(Query {
            world: WorldId::SHARED,
            pred,
            args,
            variables,
            target,
            importance: 1.0,
            split: Split::Train,
            sample: format!("q_{}", self.database.queries.len()),
            span: fact.atom.span,
        });
        self.database.queries.len() - 1
    }

    /// Worlds that are asked about, in order.
    pub fn asked_worlds(&self) -> Vec<WorldId> {
        let mut worlds: Vec<WorldId> = self.database.queries.iter().map(|q| q.world).collect();
        worlds.sort_unstable_by_key(|w| w.index());
        worlds.dedup();
        worlds
    }
}
