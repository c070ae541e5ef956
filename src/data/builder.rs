//! Fills a [`Database`] from the events of the fact reader.

use super::database::{Database, Query, QueryTerm, Split, WorldId};
use super::values::{FactValue, LearnableDef, MAX_WEIGHT};
use super::vocabulary::{ConstId, MAX_ARITY, PredId, Vocabulary};
use crate::base::hash::{HashMap, HashSet};
use crate::base::index::Id;
use crate::base::span::{SourceId, Span, Spanned};
use crate::diag::{Diagnostic, Diagnostics, codes, counted, suggest};
use crate::syntax::ast::{self, Sign};
use crate::syntax::facts::{self, AtomRef, DataSink, Dialect, TermClass, TermRef, ValueRef};
use crate::tensor::Shape;

/// As many facts with variables are warned of one by one: often all capitalised constants of a file are meant.
const OPEN_FACTS_TOLD: usize = 3;

/// A label of an example, before it is known whether a queries file speaks about the example.
struct Label {
    world: WorldId,
    query: Query,
}

/// One statement of a queries file.
struct Line {
    link: Option<(String, Span)>,
    importance: f64,
    queries: Vec<Query>,
    span: Span,
}

/// Reads files into a [`Database`].
pub struct Builder<'a> {
    vocabulary: &'a mut Vocabulary,
    database: Database,
    diagnostics: Diagnostics,
    split: Split,
    dialect: Dialect,
    world: Option<WorldId>,
    labels: Vec<Label>,
    lines: Vec<Line>,
    /// Worlds of the current examples file, in order.
    file_worlds: Vec<WorldId>,
    seen_types: HashSet<(WorldId, PredId, ConstId)>,
    args: Vec<ConstId>,
    sample_counter: usize,
    open_facts: usize,
}

impl<'a> Builder<'a> {
    /// A builder that continues `database`.
    pub fn new(vocabulary: &'a mut Vocabulary, database: Database) -> Self {
        Builder {
            vocabulary,
            database,
            diagnostics: Vec::new(),
            split: Split::Train,
            dialect: Dialect::Database,
            world: None,
            labels: Vec::new(),
            lines: Vec::new(),
            file_worlds: Vec::new(),
            seen_types: HashSet::default(),
            args: Vec::new(),
            sample_counter: 0,
            open_facts: 0,
        }
    }

    /// Reads a `.db` text.
    pub fn database_text(&mut self, source: SourceId, text: &str, split: Split) {
        self.start(Dialect::Database, split);
        let found = facts::read(source, text, Dialect::Database, self);
        self.diagnostics.extend(found);
        for label in std::mem::take(&mut self.labels) {
            self.add_query(label.query);
        }
    }

    /// Takes facts of the shared world from a reader that is no `.db` text (a table).
    pub fn shared_facts(&mut self, read: impl FnOnce(&mut Self) -> Diagnostics) {
        self.table(Split::Train, read);
    }

    /// Takes facts of the shared world, and queries about it, from a reader that is no `.db` text.
    pub fn table(&mut self, split: Split, read: impl FnOnce(&mut Self) -> Diagnostics) {
        self.start(Dialect::Database, split);
        let found = read(self);
        self.diagnostics.extend(found);
    }

    /// Reads an examples file with the queries file that belongs to it, if any.
    pub fn examples(&mut self, examples: (SourceId, &str), queries: Option<(SourceId, &str)>, split: Split) {
        self.start(Dialect::Examples, split);
        let found = facts::read(examples.0, examples.1, Dialect::Examples, self);
        self.diagnostics.extend(found);
        match queries {
            None => {
                if self.labels.is_empty() && !self.file_worlds.is_empty() {
                    let span = self.database.world_spans[self.file_worlds[0].index()];
                    let title = "examples without labels, and no queries about them";
                    let mut d = Diagnostic::new(codes::NO_QUERIES, title);
                    if let Some(span) = span {
                        d = d.label(Span { end: span.end.min(span.start + 40), ..span }, "the first example");
                    }
                    self.diagnostics.push(d.help(
                        "label them, `1.0 toxic :- bond(a1,a2).`, or name the file of their queries (`--queries`, \
                         `--val-queries`, `--test-queries`)",
                    ));
                }
                for label in std::mem::take(&mut self.labels) {
                    self.add_query(label.query);
                }
            }
            Some((source, text)) => {
                self.dialect = Dialect::Queries;
                let found = facts::read(source, text, Dialect::Queries, self);
                self.diagnostics.extend(found);
                self.link_queries(source);
            }
        }
    }

    /// Reads a queries file about the shared world.
    pub fn queries_about_shared_world(&mut self, queries: (SourceId, &str), split: Split) {
        self.start(Dialect::Queries, split);
        let found = facts::read(queries.0, queries.1, Dialect::Queries, self);
        self.diagnostics.extend(found);
        self.file_worlds.push(WorldId::SHARED);
        self.link_queries(queries.0);
    }

    /// Ends: the database and what was found.
    pub fn finish(mut self) -> (Database, Diagnostics) {
        let untold = self.open_facts.saturating_sub(OPEN_FACTS_TOLD);
        if untold > 0
            && let Some(d) = self.diagnostics.iter_mut().rev().find(|d| d.code == codes::OPEN_FACT)
        {
            d.notes.push(format!("and {}", counted(untold, "more such fact")));
        }
        (self.database, self.diagnostics)
    }

    fn start(&mut self, dialect: Dialect, split: Split) {
        self.dialect = dialect;
        self.split = split;
        self.labels.clear();
        self.lines.clear();
        self.file_worlds.clear();
        self.sample_counter = 0;
    }

    fn add_query(&mut self, query: Query) {
        self.database.queries.push(query);
    }

    /// Brings the lines of a queries file to the examples they speak about.
    fn link_queries(&mut self, source: SourceId) {
        let labels = std::mem::take(&mut self.labels);
        let mut ids: HashMap<String, WorldId> = HashMap::default();
        let mut own = Vec::new();
        for label in labels {
            if label.query.target.is_none() {
                let id = self.query_text(&label.query);
                if ids.insert(id.clone(), label.world).is_some_and(|w| w != label.world) {
                    self.diagnostics.push(
                        Diagnostic::new(codes::UNKNOWN_EXAMPLE_ID, format!("two examples are called `{id}`"))
                            .label(label.query.span, "the second one"),
                    );
                }
            } else {
                own.push(label.query);
            }
        }
        if let (Some(label), Some(line)) = (own.first(), self.lines.iter().find(|l| l.link.is_none())) {
            self.diagnostics.push(
                Diagnostic::new(
                    codes::LABELS_AND_QUERIES,
                    "the examples have labels, and queries besides: both count",
                )
                .label(line.span, "queries without an example's id")
                .label(label.span, "a label"),
            );
        }
        for query in own {
            self.add_query(query);
        }
        let lines = std::mem::take(&mut self.lines);
        let aligned = lines.iter().all(|l| l.link.is_none());
        let worlds = self.file_worlds.clone();
        if aligned && worlds.len() > 1 && lines.len() != worlds.len() {
            let at = lines.last().map_or(Span::new(source, 0, 0), |l| l.span);
            let mut d = Diagnostic::new(
                codes::QUERY_COUNT,
                format!(
                    "{} of queries for {}",
                    counted(lines.len(), "line"),
                    counted(worlds.len(), "example")
                ),
            )
            .label(at, "the last line of queries")
            .help(
                "without ids the first line of queries belongs to the first example, and so on; \
                 or give the examples ids: `id :- facts.` and `id :- queries.`",
            );
            if let Some(span) =
                worlds.last().and_then(|w| self.database.world_spans.get(w.index()).copied().flatten())
            {
                let start = Span { end: span.end.min(span.start + 40), ..span };
                d = d.label(start, "the last example begins here");
            }
            self.diagnostics.push(d);
            return;
        }
        let mut unknown = 0;
        for (i, line) in lines.into_iter().enumerate() {
            let (world, sample) = match &line.link {
                Some((id, span)) => match ids.get(id) {
                    Some(&world) => (Some(world), Some(format!("s_{id}"))),
                    None => {
                        unknown += 1;
                        if unknown > 3 {
                            continue;
                        }
                        let mut names: Vec<&str> = ids.keys().map(String::as_str).collect();
                        names.sort_unstable();
                        let mut d = Diagnostic::new(
                            codes::UNKNOWN_EXAMPLE_ID,
                            format!("no example is called `{id}`"),
                        )
                        .label(*span, "this id");
                        d.help = suggest::did_you_mean(id, names).or_else(|| {
                            Some("if these are labelled examples, they belong to `--examples` (`--test-examples`)".into())
                        });
                        self.diagnostics.push(d);
                        continue;
                    }
                },
                None if worlds.len() == 1 => (Some(worlds[0]), None),
                None => (worlds.get(i).copied(), None),
            };
            let Some(world) = world else {
                self.diagnostics.push(
                    Diagnostic::new(codes::QUERY_COUNT, "queries, but no example that they could be about")
                        .label(line.span, "this line"),
                );
                continue;
            };
            for mut query in line.queries {
                query.world = world;
                query.importance = line.importance;
                if let Some(sample) = &sample {
                    query.sample.clone_from(sample);
                }
                self.add_query(query);
            }
        }
        if unknown > 3
            && let Some(d) = self.diagnostics.iter_mut().rev().find(|d| d.code == codes::UNKNOWN_EXAMPLE_ID)
        {
            d.notes.push(format!("and {} with an id that no example has", counted(unknown - 3, "more line")));
        }
    }

    /// `?- p(X), q(X).` are two questions, which those who know Prolog do not expect.
    fn shared_variables(&mut self, queries: &[Query]) {
        let shared = |(i, q): (usize, &Query)| {
            let again = |v: &&String| *v != "_" && queries[..i].iter().any(|p| p.variables.contains(v));
            q.variables.iter().find(again).map(|v| (v.clone(), q.span))
        };
        if let Some((variable, span)) = queries.iter().enumerate().find_map(shared) {
            self.diagnostics.push(
                Diagnostic::new(
                    codes::SHARED_VARIABLE,
                    format!("these are questions of their own: `{variable}` is not the same in each"),
                )
                .label(span, "answered by itself")
                .help("to ask for both at once, make a rule of them: `both(X) :- p(X), q(X).` and `?- both(X).`"),
            );
        }
    }

    fn query_text(&self, query: &Query) -> String {
        query_text(self.vocabulary, query)
    }

    /// The constant of a term; `None` (with a diagnostic) for a variable or an unfit number.
    fn constant(&mut self, term: TermRef<'_>) -> Option<ConstId> {
        let id = match term.kind {
            TermClass::Name => self.vocabulary.name(term.text),
            TermClass::Quoted => self.vocabulary.quoted(term.text),
            TermClass::Number => match self.vocabulary.number(term.text) {
                Some(id) => id,
                None => {
                    self.diagnostics.push(
                        Diagnostic::new(
                            codes::BAD_NUMBER,
                            format!("the number `{}` is out of range", term.text),
                        )
                        .label(term.span, "not a finite number"),
                    );
                    return None;
                }
            },
            TermClass::Variable => return None,
        };
        if let Some(ty) = term.ty {
            let pred = self.vocabulary.type_predicate(ty);
            let world = self.world.unwrap_or(WorldId::SHARED);
            if self.seen_types.insert((world, pred, id)) {
                self.push_fact(pred, &[id], FactValue::ONE, term.span);
            }
        }
        Some(id)
    }

    /// Whether an atom has no more arguments than a predicate can have; if it has, says so.
    fn fits(&mut self, atom: &AtomRef<'_>) -> bool {
        let n = atom.args.len();
        if n > MAX_ARITY {
            self.diagnostics.push(
                Diagnostic::new(
                    codes::TOO_MANY_ARGUMENTS,
                    format!("`{}` has {n} arguments; {MAX_ARITY} are the most", atom.name),
                )
                .label(atom.span, "too many arguments"),
            );
        }
        n <= MAX_ARITY
    }

    /// A fact with variables is a rule without a body, with the fact's value as the weight before its head.
    fn open_fact(&mut self, value: Option<ValueRef<'_>>, atom: &AtomRef<'_>, variable: TermRef<'_>) {
        self.open_facts += 1;
        if self.open_facts <= OPEN_FACTS_TOLD {
            let title = format!("this fact of `{}` holds for all constants", atom.name);
            self.diagnostics.push(
                Diagnostic::new(codes::OPEN_FACT, title)
                    .label(variable.span, format!("`{}` is a variable", variable.text))
                    .help("a constant begins with a lower-case letter or is 'quoted'"),
            );
        }
        let term = |t: &TermRef<'_>| ast::Term {
            ty: t.ty.map(|ty| Spanned::new(ty.to_string(), t.span)),
            kind: match t.kind {
                TermClass::Variable => ast::TermKind::Variable(t.text.to_string()),
                TermClass::Name => ast::TermKind::Name(t.text.to_string()),
                TermClass::Number => ast::TermKind::Number(t.text.to_string()),
                TermClass::Quoted => ast::TermKind::Quoted(t.text.to_string()),
            },
            span: t.span,
        };
        let rule = ast::Rule {
            head_weight: value.map(|v| v.to_weight()),
            head: ast::Atom {
                hidden: false,
                special: false,
                name: Spanned::new(atom.name.to_string(), atom.span),
                arity: None,
                args: atom.args.iter().map(term).collect(),
                span: atom.span,
            },
            body: Vec::new(),
            offset: None,
            metadata: Vec::new(),
            span: atom.span,
        };
        self.rule_types(&rule);
        self.database.rules.push((self.world, rule));
    }

    /// Typed constants of a rule inside an example belong to their types in that example.
    fn rule_types(&mut self, rule: &ast::Rule) {
        for term in rule.head.args.iter().chain(rule.body.iter().flat_map(ast::Item::terms)) {
            let (kind, text) = match &term.kind {
                ast::TermKind::Variable(_) => continue,
                ast::TermKind::Name(n) => (TermClass::Name, n),
                ast::TermKind::Number(n) => (TermClass::Number, n),
                ast::TermKind::Quoted(q) => (TermClass::Quoted, q),
            };
            if let (Some(ty), Some(_)) = (&term.ty, self.world) {
                self.constant(TermRef { ty: Some(&ty.node), kind, text, span: term.span });
            }
        }
    }

    fn push_fact(&mut self, pred: PredId, args: &[ConstId], value: FactValue, span: Span) {
        let (set, world) = match self.world {
            Some(world) => (&mut self.database.examples, world),
            None => (&mut self.database.shared, WorldId::SHARED),
        };
        set.push(world, pred, args.iter().copied(), value, span);
    }

    fn value(&mut self, value: Option<ValueRef<'_>>, pred: PredId, args: &[ConstId]) -> FactValue {
        let Some(v) = value else { return FactValue::ONE };
        let shape = Shape::new(v.rows, v.cols);
        if shape.len() > MAX_WEIGHT {
            self.diagnostics.push(
                Diagnostic::new(
                    codes::BAD_VALUE,
                    format!("a value of {} numbers; {MAX_WEIGHT} are the most", shape.len()),
                )
                .label(v.span, "too large"),
            );
            return FactValue::ONE;
        }
        if v.fixed && !v.values.is_empty() {
            return FactValue::Constant(self.database.values.intern(shape, v.values));
        }
        let mut literal = self.vocabulary.atom_text(pred, args.iter().copied());
        if let Some(world) = self.world {
            literal += &format!("#{}", world.0);
        }
        let id = self.database.learnable.push(LearnableDef {
            name: v.name.map(str::to_string),
            literal,
            shape,
            initial: (!v.values.is_empty()).then(|| v.values.to_vec()),
            fixed: v.fixed,
            span: v.span,
        });
        FactValue::Learnable(id)
    }

    fn make_query(&mut self, target: Option<ValueRef<'_>>, atom: AtomRef<'_>) -> Option<Query> {
        if atom.sign != Sign::Positive {
            self.diagnostics.push(
                Diagnostic::new(codes::NEGATED_FACT, "a query cannot be negated")
                    .label(atom.span, "remove the sign"),
            );
            return None;
        }
        if !self.fits(&atom) {
            return None;
        }
        let pred = self.vocabulary.predicate(atom.name, atom.args.len());
        let mut variables: Vec<String> = Vec::new();
        let mut types = Vec::new();
        let mut args = Vec::with_capacity(atom.args.len());
        for &term in atom.args {
            if term.kind == TermClass::Variable {
                let known = variables.iter().position(|v| v == term.text && v != "_");
                let number = known.unwrap_or_else(|| {
                    variables.push(term.text.to_string());
                    variables.len() - 1
                });
                if let Some(ty) = term.ty {
                    types.push((number as u32, self.vocabulary.type_predicate(ty)));
                }
                args.push(QueryTerm::Variable(number as u32));
            } else {
                args.push(QueryTerm::Constant(self.constant(term)?));
            }
        }
        let target = match target {
            None => None,
            Some(t) if t.values.is_empty() => {
                self.diagnostics.push(
                    Diagnostic::new(codes::BAD_VALUE, "a target needs a value, not dimensions")
                        .label(t.span, "no value here"),
                );
                return None;
            }
            Some(t) => Some((Shape::new(t.rows, t.cols), t.values.to_vec())),
        };
        let sample = format!("s_{}", self.sample_counter);
        self.sample_counter += 1;
        Some(Query {
            world: self.world.unwrap_or(WorldId::SHARED),
            pred,
            args,
            variables,
            types,
            target,
            importance: 1.0,
            split: self.split,
            sample,
            span: atom.span,
        })
    }
}

/// How a query is written.
pub fn query_text(vocabulary: &Vocabulary, query: &Query) -> String {
    let args: Vec<&str> = query
        .args
        .iter()
        .map(|a| match a {
            QueryTerm::Constant(c) => vocabulary.constant_text(*c),
            QueryTerm::Variable(v) => query.variables[*v as usize].as_str(),
        })
        .collect();
    let name = vocabulary.predicate_name(query.pred);
    if args.is_empty() { name.to_string() } else { format!("{name}({})", args.join(",")) }
}

impl DataSink for Builder<'_> {
    fn begin_world(&mut self, span: Span) {
        let world = WorldId::new(self.database.world_count);
        self.database.world_count += 1;
        self.database.world_spans.push(Some(span));
        self.file_worlds.push(world);
        self.world = Some(world);
    }

    fn end_world(&mut self, span: Span) {
        if let Some(world) = self.world.take() {
            self.database.world_spans[world.index()] = Some(span);
        }
    }

    fn begin_queries(&mut self, span: Span) {
        self.lines.push(Line { link: None, importance: 1.0, queries: Vec::new(), span });
    }

    fn end_queries(&mut self, span: Span) {
        let Some(mut line) = self.lines.pop() else { return };
        line.span = span;
        if self.dialect == Dialect::Queries {
            self.lines.push(line);
        } else {
            self.shared_variables(&line.queries);
            for query in line.queries {
                self.add_query(query);
            }
        }
    }

    fn link(&mut self, value: Option<ValueRef<'_>>, atom: AtomRef<'_>) {
        let mut args = Vec::new();
        for &term in atom.args {
            match self.constant(TermRef { ty: None, ..term }) {
                Some(c) => args.push(self.vocabulary.constant_text(c).to_string()),
                None => args.push(term.text.to_string()),
            }
        }
        let id = if args.is_empty() {
            atom.name.to_string()
        } else {
            format!("{}({})", atom.name, args.join(","))
        };
        let importance = match value {
            Some(v) if v.values.len() == 1 && v.values[0] >= 0.0 => v.values[0],
            Some(v) => {
                self.diagnostics.push(
                    Diagnostic::new(
                        codes::BAD_VALUE,
                        "the importance of queries must be one number, not negative",
                    )
                    .label(v.span, "not an importance"),
                );
                1.0
            }
            None => 1.0,
        };
        if let Some(line) = self.lines.last_mut() {
            line.link = Some((id, atom.span));
            line.importance = importance;
        }
    }

    fn fact(&mut self, value: Option<ValueRef<'_>>, atom: AtomRef<'_>) {
        if atom.sign != Sign::Positive {
            self.diagnostics.push(
                Diagnostic::new(codes::NEGATED_FACT, format!("the fact `{}` cannot be negated", atom.name))
                    .label(atom.span, "a fact states what holds")
                    .help("leave the fact out: what is not stated or derived does not hold"),
            );
            return;
        }
        if let Some(variable) = atom.args.iter().find(|t| t.kind == TermClass::Variable) {
            self.open_fact(value, &atom, *variable);
            return;
        }
        if !self.fits(&atom) {
            return;
        }
        let pred = self.vocabulary.predicate(atom.name, atom.args.len());
        let mut args = std::mem::take(&mut self.args);
        args.clear();
        for &term in atom.args {
            if let Some(constant) = self.constant(term) {
                args.push(constant);
            }
        }
        if args.len() == atom.args.len() {
            let value = self.value(value, pred, &args);
            self.push_fact(pred, &args, value, atom.span);
        }
        self.args = args;
    }

    fn query(&mut self, target: Option<ValueRef<'_>>, atom: AtomRef<'_>) {
        let Some(query) = self.make_query(target, atom) else { return };
        match self.world {
            Some(world) => self.labels.push(Label { world, query }),
            None => {
                if let Some(line) = self.lines.last_mut() {
                    line.queries.push(query);
                }
            }
        }
    }

    fn rule(&mut self, rule: ast::Rule) {
        self.rule_types(&rule);
        if let Some(world) = self.world {
            self.database.rules.push((Some(world), rule));
            return;
        }
        // Most often it is an example whose constants begin with capital letters.
        let variable = |t: &ast::Term| matches!(t.kind, ast::TermKind::Variable(_));
        let open = rule.body.iter().any(|i| i.terms().into_iter().any(variable));
        let example = "; if this is an example: variables begin with a capital letter; constants don't";
        self.diagnostics.push(
            Diagnostic::new(codes::RULE_IN_DATA, "a rule between facts")
                .label(rule.span, "this is a rule")
                .help(format!("rules belong in the template{}", if open { example } else { "" })),
        );
    }
}
