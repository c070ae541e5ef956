//! The state of an exploration and what entries do to it. Nothing is printed here.

use super::script::{Entries, is_command};
use crate::base::index::Id;
use crate::base::span::{SourceId, SourceMap, Span, Spanned};
use crate::console::options::SettingArgs;
use crate::console::table;
use crate::data::PredId;
use crate::diag::{Diagnostic, Diagnostics, Severity, codes, has_errors, once};
use crate::exec::Parameters;
use crate::io::{self, Inputs};
use crate::learn::EpochReport;
use crate::session::extend::is_data_fact;
use crate::session::{Network, Outcome, Session, Settings, Unprovable};
use crate::syntax::ast::{self, MetaEntry, MetaValue, Statement, WeightValue};
use crate::syntax::parser::{self, SharedValues};
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;

/// One piece of what an entry gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// What was asked for: lines that end with a newline.
    Result(String),
    /// What was done: a line without newline.
    Message(String),
    /// What is wrong, or worth knowing.
    Diagnostic(Box<Diagnostic>),
}

/// What an entry gives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// In order.
    pub outputs: Vec<Output>,
    /// Whether the user wants to leave.
    pub quit: bool,
}

impl Reply {
    /// Whether something went wrong.
    pub fn failed(&self) -> bool {
        self.outputs.iter().any(|o| matches!(o, Output::Diagnostic(d) if d.is_error()))
    }

    pub(super) fn result(&mut self, text: impl Into<String>) {
        self.outputs.push(Output::Result(text.into()));
    }

    pub(super) fn message(&mut self, text: impl Into<String>) {
        self.outputs.push(Output::Message(text.into()));
    }

    pub(super) fn diagnostic(&mut self, mut d: Diagnostic) {
        // Messages name the options of the command line; here they are set by a command.
        let here = |text: &mut String| *text = text.replace("`--", "`:set ");
        here(&mut d.title);
        d.notes.iter_mut().for_each(here);
        d.help.iter_mut().for_each(here);
        self.outputs.push(Output::Diagnostic(Box::new(d)));
    }

    pub(super) fn diagnostics(&mut self, found: Diagnostics) {
        found.into_iter().for_each(|d| self.diagnostic(d));
    }
}

/// Told after every epoch of `:train`, with the number of epochs to come in all.
pub type Watch = Box<dyn FnMut(&EpochReport, usize)>;

/// A program and its data that grow entry by entry, with the present weights.
pub struct Engine {
    pub(super) session: Session,
    /// Everything but data: loaded templates and what was entered, without the queries.
    pub(super) program: Vec<ast::File>,
    /// The present weights.
    pub(super) parameters: Parameters<f64>,
    /// Whether the weights are more than initial values, so that they must be carried over.
    pub(super) trained: bool,
    /// The settings as written.
    pub(super) settings: SettingArgs,
    /// Warnings about the present program: told once.
    warned: Diagnostics,
    /// Warnings of grounding the present program: told once.
    told: Diagnostics,
    entries: usize,
    /// Who is told about epochs.
    pub watch: Option<Watch>,
}

impl Engine {
    /// An engine with what some files hold; it can be used only if no diagnostic is an error.
    pub fn load(inputs: &Inputs, args: SettingArgs, settings: Settings) -> (Engine, Diagnostics) {
        let (session, mut program, mut found) = Session::load_program(inputs, settings);
        if !has_errors(&found) {
            found.extend(session.unbound(&|_| true));
        }
        strip_queries(&mut program);
        let parameters = session.initial_parameters();
        let engine = Engine {
            session,
            program,
            parameters,
            trained: false,
            settings: args,
            warned: found.clone(),
            told: Vec::new(),
            entries: 0,
            watch: None,
        };
        (engine, found)
    }

    /// All texts, those of the entries included: places in diagnostics point into them.
    pub fn sources(&self) -> &SourceMap {
        &self.session.sources
    }

    /// To add texts whose parts will be executed.
    pub fn sources_mut(&mut self) -> &mut SourceMap {
        &mut self.session.sources
    }

    /// Executes a text of statements and commands. It gets a name of its own (`<repl:3>`).
    pub fn enter(&mut self, text: &str) -> Reply {
        self.entries += 1;
        let source = self.session.sources.add(format!("<repl:{}>", self.entries), text);
        let mut all = Reply::default();
        for range in Entries::new(text) {
            let reply = self.execute(source, range);
            all.outputs.extend(reply.outputs);
            all.quit |= reply.quit;
            if all.quit {
                break;
            }
        }
        all
    }

    /// Executes a part of a source (on character boundaries) as an entry.
    pub fn execute(&mut self, source: SourceId, range: Range<usize>) -> Reply {
        let mut reply = Reply::default();
        let text = &self.session.sources.text(source)[..range.end];
        if is_command(&text[range.start..]) {
            self.command(source, range, &mut reply);
            return reply;
        }
        match parser::parse_entry(source, text, range.start, self.shared_values()) {
            Ok(statements) => self.statements(statements, &mut reply),
            Err(found) => reply.diagnostics(found),
        }
        reply
    }

    fn statements(&mut self, statements: Vec<Statement>, reply: &mut Reply) {
        let mut clauses = Vec::new();
        for statement in statements {
            match statement {
                Statement::Query(queries) => {
                    self.add_clauses(std::mem::take(&mut clauses), reply);
                    queries.iter().for_each(|q| self.ask(q, reply));
                }
                Statement::Import(paths) => {
                    self.add_clauses(std::mem::take(&mut clauses), reply);
                    self.import(&paths, reply);
                }
                other => clauses.push(other),
            }
        }
        self.add_clauses(clauses, reply);
    }

    /// Adds clauses, all or none.
    fn add_clauses(&mut self, clauses: Vec<Statement>, reply: &mut Reply) {
        if clauses.is_empty() {
            return;
        }
        let spans: Vec<Span> = clauses.iter().filter_map(place).collect();
        let modules = self.session.modules.clone();
        let mut found = Vec::new();
        let known = self.shared_values();
        self.session.modules.know(known);
        let files =
            self.session.expand(vec![ast::File { statements: clauses, ..Default::default() }], &mut found);
        let failed = has_errors(&found);
        reply.diagnostics(found);
        if failed {
            self.session.modules = modules;
            return;
        }
        let clauses = files.into_iter().flat_map(|f| f.statements);
        let fresh =
            |at: Span| spans.iter().any(|s| s.source == at.source && s.start <= at.start && at.end <= s.end);
        let mut facts = Vec::new();
        let mut file = ast::File::default();
        for clause in clauses {
            match clause {
                Statement::Fact(fact) if is_data_fact(&fact) => facts.push(fact),
                other => file.statements.push(other),
            }
        }
        let (touches, data) = (!facts.is_empty(), |session: &mut Session| session.add_facts(&facts));
        if !self.change(vec![file], touches, data, &fresh, reply) {
            self.session.modules = modules;
        }
    }

    /// Reads what imports name, all or none.
    fn import(&mut self, paths: &[Spanned<String>], reply: &mut Reply) {
        let first_new = self.session.sources.len();
        let libraries = self.session.libraries.clone();
        let (files, found) = io::read_imports(paths, &libraries, &mut self.session.sources);
        self.add_files(files, first_new, false, |_| found, reply);
    }

    /// Adds the files of a template with data.
    fn add_files(
        &mut self,
        files: Vec<ast::File>,
        first_new: usize,
        touches: bool,
        data: impl FnOnce(&mut Session) -> Diagnostics,
        reply: &mut Reply,
    ) -> bool {
        let files = match self.unread(files) {
            Ok(files) => files,
            Err(d) => {
                reply.diagnostic(*d);
                return false;
            }
        };
        let modules = self.session.modules.clone();
        let mut found = Vec::new();
        let files = self.session.expand(files, &mut found);
        let read = |session: &mut Session| {
            found.extend(data(session));
            found
        };
        let done = self.change(files, touches, read, &|at| at.source.index() >= first_new, reply);
        if !done {
            self.session.modules = modules;
        }
        done
    }

    /// Files without what the program has from them already: its statements would count twice. Modules may be read anew.
    ///
    /// # Errors
    /// E1001 if a file with other statements has another text than it had.
    fn unread(&self, mut files: Vec<ast::File>) -> Result<Vec<ast::File>, Box<Diagnostic>> {
        let sources = &self.session.sources;
        for file in &mut files {
            let Some(text) = file.source.map(|s| sources.get(s)) else { continue };
            let mut earlier = self.program.iter().filter_map(|f| f.source).map(|s| (s, sources.get(s)));
            let Some(before) = earlier.find(|(_, t)| t.name == text.name) else { continue };
            let has_others = |f: &ast::File| f.statements.iter().any(|s| !matches!(s, Statement::Module(_)));
            let had_others = || self.program.iter().any(|f| f.source == Some(before.0) && has_others(f));
            if before.1.text == text.text {
                file.statements.retain(|s| matches!(s, Statement::Module(_)));
            } else if has_others(file) || had_others() {
                let title = format!("`{}` has changed since it was read", text.name);
                let d = Diagnostic::new(codes::USAGE, title);
                return Err(Box::new(
                    d.help("what it said stays in the program: `:clear`, and load everything anew"),
                ));
            }
        }
        Ok(files)
    }

    /// Loads files, all or none.
    pub(super) fn load_files(&mut self, templates: &[PathBuf], data: &[PathBuf], reply: &mut Reply) -> bool {
        let first_new = self.session.sources.len();
        let libraries = self.session.libraries.clone();
        let (files, mut found) = io::read_templates(templates, &libraries, &mut self.session.sources);
        let read = |session: &mut Session| {
            data.iter().for_each(|path| found.extend(session.add_data(path)));
            found
        };
        self.add_files(files, first_new, !data.is_empty(), read, reply)
    }

    /// Gives the program the meaning that the settings ask for now.
    pub(super) fn resolve_anew(&mut self, reply: &mut Reply) {
        self.change(Vec::new(), false, |_| Vec::new(), &|_| false, reply);
    }

    /// Adds statements and data (`touches` says whether there is any), resolves and checks; takes everything back if
    /// there is an error. Whether it succeeded. `fresh` tells what is new from what was there before.
    fn change(
        &mut self,
        files: Vec<ast::File>,
        touches: bool,
        data: impl FnOnce(&mut Session) -> Diagnostics,
        fresh: &dyn Fn(Span) -> bool,
        reply: &mut Reply,
    ) -> bool {
        let session = &mut self.session;
        let database = touches.then(|| session.database.clone());
        let queries = session.database.queries.len();
        let template = std::mem::take(&mut session.template);
        let strata = std::mem::take(&mut session.strata);
        let before = self.program.len();
        let mut found = data(session);
        self.program.extend(files);
        session.resolve(&self.program, &mut found);
        let sources = session.sources.clone();
        // What a module says is new if its use is.
        let fresh = &|at: Span| {
            let written = Span { source: sources.written(at.source), ..at };
            fresh(written) || sources.expansions(at.source).iter().any(|(at, _)| fresh(*at))
        };
        for d in &mut found {
            // A rule entered before its facts may look misspelt once there are other facts. That must not keep those
            // out: the rule cannot be mended any more, and until its own facts come it derives nothing.
            let name = [codes::UNKNOWN_PREDICATE, codes::WRONG_ARITY].contains(&d.code);
            if name && d.span().is_some_and(|at| !fresh(at)) {
                d.severity = Severity::Warning;
            }
        }
        let failed = has_errors(&found);
        if !failed {
            // What is entered may be asked for or read later: that nothing uses it is no news here.
            found.extend(session.unbound(fresh));
            let habits = session.habits(&self.program).into_iter();
            found.extend(habits.filter(|d| {
                ![codes::UNUSED_PREDICATE, codes::UNREACHED_WEIGHT].contains(&d.code)
                    && d.span().is_some_and(fresh)
            }));
        }
        let found = once(&found, &sources);
        let news = found.iter().filter(|d| d.is_error() || !self.warned.contains(d)).cloned().collect();
        reply.diagnostics(news);
        if failed {
            self.program.truncate(before);
            session.template = template;
            session.strata = strata;
            match database {
                Some(database) => session.database = database,
                None => session.database.queries.truncate(queries),
            }
            session.admit_predicates();
            return false;
        }
        strip_queries(&mut self.program);
        self.parameters = match self.trained {
            true => session.carry_over(&template, &self.parameters),
            false => session.initial_parameters(),
        };
        self.warned = found;
        self.told.clear();
        true
    }

    /// Answers a question, or adds a labelled query.
    fn ask(&mut self, query: &ast::Fact, reply: &mut Reply) {
        let position = match self.session.add_query(query) {
            Ok(position) => position,
            Err(d) => {
                reply.diagnostic(d);
                return;
            }
        };
        self.session.admit_predicates();
        let labelled = self.session.database.queries[position].target.is_some();
        let policy = self.session.settings.unprovable;
        if policy == Unprovable::Error {
            // What has no answer is explained here, and does not hide what has one.
            self.session.settings.unprovable = Unprovable::Skip;
        }
        let found = self.evaluate(&[position], 0, reply);
        self.session.settings.unprovable = policy;
        let mut keep = false;
        if let Some((network, outcome)) = found {
            if let Some(d) = self.session.infinite_answers(&network, &outcome) {
                reply.diagnostic(d);
            }
            for i in 0..network.answers.len() {
                reply.result(table::answer_line(&self.session, &network, &outcome, i) + "\n");
            }
            if network.answers.is_empty() {
                reply.result("no\n");
                self.explain(position, policy, reply);
            }
            keep = labelled && !network.answers.is_empty();
        }
        if keep {
            let queries = match self.labelled().len() {
                1 => "this query".to_string(),
                n => format!("{n} queries"),
            };
            reply.message(format!("added: `:train` learns from {queries} now"));
        } else {
            self.session.database.queries.truncate(position);
        }
    }

    fn explain(&mut self, position: usize, policy: Unprovable, reply: &mut Reply) {
        let Some(mut d) = self.session.why_not(position) else { return };
        let query = &self.session.database.queries[position];
        let open = query.target.is_none() && !query.variables.is_empty();
        if (open || policy != Unprovable::Error) && self.is_defined(query.pred) {
            // That nothing fits an open question is an answer like others; a predicate that nobody has heard of is not.
            d.severity = Severity::Note;
        }
        if open && d.help.as_ref().is_some_and(|h| h.contains("--unprovable")) {
            // Such settings give values to ground queries only.
            d.help = None;
        }
        let worlds = self.session.database.world_count - 1;
        if worlds > 0 {
            d = d.note(format!(
                "questions are about the shared world; the facts of the {worlds} examples are not part of it \
                 (`:answers` shows the answers to their queries)"
            ));
        }
        reply.diagnostic(d);
    }

    /// Whether a rule or a fact gives a predicate.
    fn is_defined(&self, pred: PredId) -> bool {
        let (template, database) = (&self.session.template, &self.session.database);
        template.rules.iter().any(|r| r.head == pred)
            || template.facts.iter().any(|f| f.pred == pred)
            || database.shared.table(pred).is_some()
            || database.examples.table(pred).is_some()
    }

    /// Positions of queries to learn from.
    pub(super) fn labelled(&self) -> Vec<usize> {
        let queries = self.session.database.queries.iter().enumerate();
        queries.filter(|(_, q)| q.target.is_some()).map(|(i, _)| i).collect()
    }

    /// Grounds for some queries, trains for some epochs and computes the answers; the weights are changed if there are
    /// epochs.
    pub(super) fn evaluate(
        &mut self,
        queries: &[usize],
        epochs: usize,
        reply: &mut Reply,
    ) -> Option<(Network, Outcome)> {
        let stated = std::mem::replace(&mut self.session.settings.train.epochs, epochs);
        let result = self.evaluate_as_set(queries, epochs, reply);
        self.session.settings.train.epochs = stated;
        result
    }

    fn evaluate_as_set(
        &mut self,
        queries: &[usize],
        epochs: usize,
        reply: &mut Reply,
    ) -> Option<(Network, Outcome)> {
        let (network, found) = self.session.build_for(queries);
        for d in found {
            if d.is_error() || !self.told.contains(&d) {
                if !d.is_error() {
                    self.told.push(d.clone());
                }
                reply.diagnostic(d);
            }
        }
        let network = network?;
        let watch = &mut self.watch;
        let mut tell = |e: &EpochReport| {
            if let Some(watch) = watch {
                watch(e, epochs);
            }
            ControlFlow::Continue(())
        };
        match self.session.run(&network, &mut self.parameters, &mut tell) {
            Ok(outcome) => {
                self.trained |= epochs > 0 && !network.samples.is_empty();
                Some((network, outcome))
            }
            Err(d) => {
                reply.diagnostic(d);
                None
            }
        }
    }

    /// What shared weights are known, for entries that mention them without a value.
    fn shared_values(&self) -> SharedValues {
        let mut known = SharedValues::default();
        for def in self.session.database.learnable.iter() {
            if let Some(name) = &def.name {
                let (rows, cols) = (def.shape.rows as usize, def.shape.cols as usize);
                let value = match &def.initial {
                    Some(v) if def.shape.is_scalar() => WeightValue::Scalar(v[0]),
                    Some(v) => WeightValue::Dense { rows, cols, values: v.clone() },
                    None => WeightValue::Dims { rows, cols },
                };
                known.insert(name.clone(), (def.fixed, value));
            }
        }
        for statement in self.program.iter().flat_map(|f| &f.statements) {
            each_weight(statement, &mut |w| {
                if let Some(name) = &w.name
                    && !known.contains_key(&name.node)
                {
                    known.insert(name.node.clone(), (w.fixed, w.value.node.clone()));
                }
            });
        }
        known
    }
}

/// Queries of a template become queries of the database when it is resolved; that must happen once.
fn strip_queries(program: &mut Vec<ast::File>) {
    for file in program.iter_mut() {
        file.statements.retain(|s| !matches!(s, Statement::Query(_)));
    }
    // A file without statements has been read all the same.
    program.retain(|f| !f.statements.is_empty() || f.source.is_some());
}

/// All of a clause.
fn place(clause: &Statement) -> Option<Span> {
    let list = |first: Span, entries: &[MetaEntry]| entries.last().map_or(first, |e| first.to(e.value.span));
    match clause {
        Statement::Rule(r) => Some(list(r.span, &r.metadata)),
        Statement::Fact(f) => Some(f.span),
        Statement::PredicateOffset(p) => Some(p.span),
        Statement::PredicateMetadata(p) => Some(p.span),
        Statement::WeightMetadata(w) => Some(w.span),
        Statement::TemplateMetadata(entries) => entries.first().map(|e| list(e.key.span, entries)),
        Statement::Import(_) | Statement::Query(_) => None,
        Statement::Module(m) => Some(m.text.span),
        Statement::Block(b) => Some(b.text.span),
    }
}

/// Every weight written in a statement.
fn each_weight<'s>(statement: &'s Statement, visit: &mut dyn FnMut(&'s ast::Weight)) {
    let metadata = |entries: &'s [MetaEntry], visit: &mut dyn FnMut(&'s ast::Weight)| {
        for entry in entries {
            if let MetaValue::Weight(w) = &entry.value.node {
                visit(w);
            }
        }
    };
    match statement {
        Statement::Rule(rule) => {
            let body = rule.body.iter().filter_map(|i| match i {
                ast::Item::Literal(literal) => literal.weight.as_ref(),
                ast::Item::Comparison(_) => None,
            });
            rule.head_weight.iter().chain(body).chain(&rule.offset).for_each(&mut *visit);
            metadata(&rule.metadata, visit);
        }
        Statement::Fact(fact) => fact.weight.iter().for_each(visit),
        Statement::PredicateOffset(p) => visit(&p.weight),
        Statement::PredicateMetadata(p) => metadata(&p.entries, visit),
        Statement::WeightMetadata(w) => metadata(&w.entries, visit),
        Statement::TemplateMetadata(entries) => metadata(entries, visit),
        Statement::Import(_) | Statement::Query(_) | Statement::Module(_) | Statement::Block(_) => {}
    }
}
