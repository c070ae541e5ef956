//! Layer 11: everything loaded. Front ends talk only to this.

pub mod audit;
pub mod build;
mod draws;
pub mod execution;
pub mod extend;
pub mod folds;
pub mod groups;
mod hints;
pub mod inspect;
pub mod lifting;
mod members;
pub mod modes;
pub mod profile;
pub mod quotient;
pub mod report;
pub mod run;
pub mod semiring;
mod stated;
mod unbound;
pub mod verify;

use crate::base::span::SourceMap;
use crate::data::builder::Builder;
use crate::data::{Database, MAX_ARITY, PredId, Query, QueryTerm, Split, ValueId, Vocabulary, WorldId};
use crate::diag::{Diagnostic, Diagnostics, codes, has_errors};
use crate::expand::{Library, expand};
use crate::graph::lift::Scope;
use crate::io::{self, Inputs};
use crate::learn::TrainSettings;
use crate::syntax::ast::{self, TermKind, WeightValue};
use crate::syntax::parser;
use crate::template::lower::{DefaultOverrides, lower};
use crate::template::strata::Strata;
use crate::template::{Template, check};

pub use crate::template::compat::Compat;
use crate::tensor::Shape;

pub use build::{Network, Statistics};
pub use folds::CrossValidation;
pub use modes::{LiftMode, LiftReport};
pub use run::Outcome;

use std::path::PathBuf;

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
    /// Which equal neurons are made once.
    pub lift: Scope,
    /// What makes neurons equal.
    pub lift_mode: LiftMode,
    /// Whose meaning a template has where this engine mends the reference.
    pub compat: Compat,
    /// Whether a program with families of weights is grounded to find their members when it is resolved. Without them
    /// nothing can be built.
    pub finds_members: bool,
    /// Whether training is measured, see [`profile`].
    pub profile: bool,
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
            lift: Scope::default(),
            lift_mode: LiftMode::default(),
            compat: Compat::Off,
            finds_members: true,
            profile: false,
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
    /// The modules that can be used.
    pub modules: Library,
    /// Folders to look for imports in.
    pub libraries: Vec<PathBuf>,
    /// Predicates whose facts are drawn.
    pub drawn: Vec<PredId>,
    /// The first value of the facts drawn for an epoch; none where those of evaluation stand.
    pub(crate) first_drawn: Option<ValueId>,
    /// Settings.
    pub settings: Settings,
    /// Seconds spent on reading.
    pub parse_seconds: f64,
    /// Seconds of grounding to find the members of families of weights.
    pub member_seconds: f64,
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
        let (files, mut out) = io::read_templates(&inputs.templates, &inputs.libraries, &mut sources);
        let mut vocabulary = Vocabulary::new();
        let (database, found) = inputs.read_data(&mut sources, &mut vocabulary);
        out.extend(found);
        let mut session = Session { sources, vocabulary, database, ..Session::empty(settings) };
        session.libraries = inputs.libraries.clone();
        // After the data: names of modules' own keep clear of its names.
        let files = session.expand(files, &mut out);
        session.resolve(&files, &mut out);
        session.parse_seconds = start.elapsed().as_secs_f64() - session.member_seconds;
        (session, files, out)
    }

    /// Reads, resolves and checks a template and data in the `.db` form, given as texts.
    pub fn from_texts(template: &str, data: &str, settings: Settings) -> (Session, Diagnostics) {
        let (session, _, out) = Session::from_texts_program(template, data, settings);
        (session, out)
    }

    /// Like [`Session::from_texts`], with the syntax tree of the template.
    pub fn from_texts_program(
        template: &str,
        data: &str,
        settings: Settings,
    ) -> (Session, Vec<ast::File>, Diagnostics) {
        let mut session = Session::empty(settings);
        let source = session.sources.add("template.lrnn", template);
        let (file, mut out) = parser::parse_template(source, template);
        let source = session.sources.add("facts.db", data);
        let mut builder = Builder::new(&mut session.vocabulary, Database::new());
        builder.database_text(source, data, Split::Train);
        let (database, found) = builder.finish();
        session.database = database;
        out.extend(found);
        let files = session.imported(file, &mut out);
        let files = session.expand(files, &mut out);
        session.resolve(&files, &mut out);
        (session, files, out)
    }

    /// A text with what it imports from the standard library; a text alone has no other files.
    fn imported(&mut self, mut file: ast::File, out: &mut Diagnostics) -> Vec<ast::File> {
        let imports = file.statements.iter().filter_map(|s| match s {
            ast::Statement::Import(paths) => Some(paths),
            _ => None,
        });
        let (mut files, brought, found) = io::read_built_in(imports.flatten(), &mut self.sources);
        out.extend(found);
        file.imports = brought;
        file.statements.retain(|s| !matches!(s, ast::Statement::Import(_)));
        files.push(file);
        files
    }

    /// The files with modules, loops and choices as plain statements.
    pub fn expand(&mut self, files: Vec<ast::File>, out: &mut Diagnostics) -> Vec<ast::File> {
        let libraries = self.libraries.clone();
        let elsewhere = || {
            // What is wrong with other files is no matter of this program.
            let (listed, _) = io::library::modules(&libraries, &mut SourceMap::new());
            listed.into_iter().map(|l| (l.module.name.node.clone(), l.path)).collect()
        };
        let (files, found) = expand(files, &mut self.modules, &mut self.sources, &elsewhere);
        out.extend(found);
        files
    }

    /// A session without program and data.
    pub fn empty(settings: Settings) -> Session {
        Session {
            sources: SourceMap::new(),
            vocabulary: Vocabulary::new(),
            database: Database::new(),
            template: Template::default(),
            strata: Strata::default(),
            modules: Library::default(),
            libraries: Vec::new(),
            drawn: Vec::new(),
            first_drawn: None,
            settings,
            parse_seconds: 0.0,
            member_seconds: 0.0,
        }
    }

    /// Resolves and checks a template against the data that is loaded.
    pub fn resolve(&mut self, files: &[ast::File], out: &mut Diagnostics) {
        let overrides = self.settings.overrides.clone();
        let (template, found) = lower(files, &mut self.vocabulary, &mut self.database, &overrides);
        out.extend(found);
        self.template = template;
        self.template.set_compat(self.settings.compat);
        let queries = std::mem::take(&mut self.template.queries);
        for query in &queries {
            out.extend(self.add_query(query).err());
        }
        self.strata = Strata::new(&self.template.rules, self.vocabulary.predicate_count());
        if !has_errors(out) {
            out.extend(self.draw(0));
        }
        if !has_errors(out) {
            out.extend(check::check(&self.template, &self.vocabulary, &self.database, &self.strata));
        }
        if !has_errors(out) && self.settings.finds_members {
            out.extend(self.find_members());
        }
        // Where something can be grounded the price of unbound variables is told when it has been counted.
        if has_errors(out) || !self.has_data() {
            out.extend(self.unbound_unmeasured());
        }
    }

    /// Warnings about habits: what works as written but is often not meant. Only for a program without errors.
    pub fn habits(&self, files: &[ast::File]) -> Diagnostics {
        let squashes = self.settings.train.loss == crate::learn::Loss::SoftEntropy;
        let (template, vocabulary, database) = (&self.template, &self.vocabulary, &self.database);
        let mut out = check::habits(files, template, vocabulary, database, &self.modules, squashes);
        out.extend(check::shared_results(files, &self.sources));
        out
    }

    /// Adds a query about the shared world (from a template or the REPL); its position.
    pub fn add_query(&mut self, fact: &ast::Fact) -> Result<usize, Diagnostic> {
        let atom = &fact.atom;
        let n = atom.args.len();
        if atom.special || atom.hidden {
            return Err(Diagnostic::new(codes::NOT_ALLOWED_HERE, "a query is a plain atom")
                .label(atom.span, "`@` and `*` have no meaning in a query"));
        }
        if let Some(arity) = atom.arity.as_ref().filter(|a| a.node as usize != n) {
            let title = format!("`{}/{}` is written with {n} arguments", atom.name.node, arity.node);
            return Err(Diagnostic::new(codes::STATED_ARITY, title)
                .label(arity.span, "this is not the number of arguments"));
        }
        if n > MAX_ARITY {
            let title = format!("`{}` has {n} arguments; {MAX_ARITY} are the most", atom.name.node);
            return Err(
                Diagnostic::new(codes::TOO_MANY_ARGUMENTS, title).label(atom.span, "too many arguments")
            );
        }
        let (mut variables, mut types, mut args): (Vec<String>, Vec<_>, Vec<_>) = Default::default();
        for term in &atom.args {
            args.push(match &term.kind {
                TermKind::Variable(name) => {
                    let known = variables.iter().position(|v| v == name && name != "_");
                    let number = known.unwrap_or_else(|| {
                        variables.push(name.clone());
                        variables.len() - 1
                    }) as u32;
                    if let Some(ty) = &term.ty {
                        types.push((number, self.vocabulary.type_predicate(&ty.node)));
                    }
                    QueryTerm::Variable(number)
                }
                TermKind::Name(n) => QueryTerm::Constant(self.vocabulary.name(n)),
                TermKind::Quoted(q) => QueryTerm::Constant(self.vocabulary.quoted(q)),
                TermKind::Number(n) => QueryTerm::Constant(self.vocabulary.number(n).ok_or_else(|| {
                    Diagnostic::new(codes::BAD_NUMBER, format!("the number `{n}` is out of range"))
                        .label(term.span, "not a finite number")
                })?),
            });
        }
        let target = match fact.weight.as_ref().map(|w| (&w.value.node, w.span)) {
            None => None,
            Some((WeightValue::Scalar(x), _)) => Some((Shape::SCALAR, vec![*x])),
            Some((WeightValue::Dense { rows, cols, values }, _)) => {
                Some((Shape::new(*rows, *cols), values.clone()))
            }
            Some((WeightValue::Dims { .. }, span)) => {
                return Err(Diagnostic::new(codes::BAD_VALUE, "a target needs a value, not dimensions")
                    .label(span, "no value here"));
            }
        };
        let pred = self.vocabulary.predicate(&atom.name.node, n);
        self.database.queries.push(Query {
            world: WorldId::SHARED,
            pred,
            args,
            variables,
            types,
            target,
            importance: 1.0,
            split: Split::Train,
            sample: format!("q_{}", self.database.queries.len()),
            span: atom.span,
        });
        Ok(self.database.queries.len() - 1)
    }
}
