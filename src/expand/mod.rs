//! Layer 3: modules, loops and choices become plain statements.
//!
//! Parameters are replaced in the text of a module, token by token, and the result is parsed like any other text; names
//! are made private in the tree. Each expansion is a source of its own (see [`Instance`](crate::base::span::Instance)),
//! so that whatever a later phase says about it shows where it was asked for, and no later phase knows of modules.

mod arguments;
mod define;
mod library;
mod rename;
mod text;
mod value;

use crate::base::hash::{HashMap, HashSet};
use crate::base::span::{SourceId, SourceMap, Span, Spanned};
use crate::diag::{Code, Diagnostic, Diagnostics, Label, codes, has_errors, suggest};
use crate::syntax::ast::{File, For, Module, ParameterKind, Part, Range, Refusal, Statement, Use};
use crate::syntax::chunk::RESERVED;
use crate::syntax::formula::{Formula, FormulaKind, NamePart};
use crate::syntax::parser::{self, SharedValues};
use crate::syntax::token::{TokenKind, lex};
use arguments::assign;
use library::Home;
pub use library::{Library, Results};
use rename::{Edit, Role};
use std::sync::Arc;
use text::Text;
use value::Value;

/// Uses and turns of loops that one program may expand to.
const MAX_INSTANCES: usize = 50_000;
/// Bytes of text that one program may expand to.
const MAX_BYTES: usize = 1 << 26;
/// Errors told before the expansion is given up.
const MAX_ERRORS: usize = 50;
/// The predicate parameter that was not given.
const NONE: &str = "none";

type Fault = Box<Diagnostic>;

fn fault(code: Code, title: impl Into<String>, span: Span, label: impl Into<String>) -> Fault {
    Box::new(Diagnostic::new(code, title).label(span, label))
}

/// Modules that no import brought in, each with the path that would.
pub type Elsewhere<'a> = &'a dyn Fn() -> Vec<(String, String)>;

/// Expands all blocks of some files; their modules stay in the library, for files that are read later.
pub fn expand(
    files: Vec<File>,
    library: &mut Library,
    sources: &mut SourceMap,
    elsewhere: Elsewhere<'_>,
) -> (Vec<File>, Diagnostics) {
    library.note_imports(&files, sources);
    let blocks = |s: &Statement| matches!(s, Statement::Module(_) | Statement::Block(_));
    if !files.iter().flat_map(|f| &f.statements).any(blocks) {
        return (files, Vec::new());
    }
    let mut expander = Expander {
        defined: library,
        sources,
        elsewhere,
        scopes: vec![Scope::default()],
        open: Vec::new(),
        out: Vec::new(),
        diagnostics: Vec::new(),
        instances: 0,
        bytes: 0,
        privates: HashMap::default(),
        reads: Vec::new(),
        derived: HashSet::default(),
        taken: HashMap::default(),
    };
    for file in &files {
        for statement in &file.statements {
            if let Statement::Module(module) = statement {
                expander.define(module, file.source);
            }
        }
    }
    let mut out = Vec::with_capacity(files.len());
    for mut file in files {
        expander.scopes[0].home = expander.defined.home(file.source);
        for statement in std::mem::take(&mut file.statements) {
            match statement {
                Statement::Module(_) => {}
                Statement::Block(block) => {
                    let frame = Frame { scope: 0, source: None, values: Vec::new() };
                    expander.part(&block.part, &frame);
                }
                mut plain => {
                    expander.plain(&mut plain);
                    expander.out.push(plain);
                }
            }
        }
        out.push(File { statements: std::mem::take(&mut expander.out), ..file });
    }
    expander.never_derived();
    let diagnostics = expander.diagnostics;
    (out, diagnostics)
}

/// Where names of a module's statements lead. The first scope is that of the program itself.
#[derive(Debug, Default)]
struct Scope {
    module: Option<Arc<Module>>,
    /// What names of its own end with.
    suffix: String,
    /// Predicate parameters with their arity; `None` for those that were not given.
    predicates: Vec<(String, u32, Option<String>)>,
    weights: Vec<(String, String)>,
    /// The `@use`; none for the program itself.
    used: Option<Span>,
    /// The file that its statements were written in.
    home: Home,
}

/// What the statements of a block see.
#[derive(Debug, Clone)]
struct Frame {
    scope: usize,
    /// The instance that their places belong to; none outside of modules and loops.
    source: Option<SourceId>,
    values: Vec<(String, Value)>,
}

impl Frame {
    fn at(&self, span: Span) -> Span {
        Span { source: self.source.unwrap_or(span.source), ..span }
    }
    fn value(&self, name: &str) -> Option<&Value> {
        self.values.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v)
    }
}

struct Expander<'a> {
    defined: &'a mut Library,
    sources: &'a mut SourceMap,
    elsewhere: Elsewhere<'a>,
    scopes: Vec<Scope>,
    /// The modules inside of which the expansion is.
    open: Vec<Arc<Module>>,
    out: Vec<Statement>,
    diagnostics: Diagnostics,
    instances: usize,
    bytes: usize,
    /// The scope and the written name of each private predicate.
    privates: HashMap<String, (usize, String)>,
    reads: Vec<(String, u32, Span)>,
    derived: HashSet<(String, u32)>,
    /// Whether names that look like a module's private ones stand in a source.
    taken: HashMap<String, bool>,
}

impl Expander<'_> {
    fn error(&mut self, fault: impl Into<Fault>) {
        self.diagnostics.push(*fault.into());
    }

    fn gave_up(&self) -> bool {
        self.diagnostics.iter().filter(|d| d.is_error()).count() >= MAX_ERRORS
    }

    /// Expands parts, up to an `@error`; whether there was none.
    fn parts(&mut self, parts: &[Part], frame: &Frame) -> bool {
        parts.iter().all(|part| self.gave_up() || self.part(part, frame))
    }

    /// Expands a part; whether what stands behind it is expanded too.
    fn part(&mut self, part: &Part, frame: &Frame) -> bool {
        let result = match part {
            Part::Text(text) => self.statements(text, frame).map(|()| true),
            Part::Use(call) => self.call(call, frame).map(|()| true),
            Part::For(each) => self.each(each, frame),
            Part::Error(refusal) => self.refuse(refusal, frame).map(|()| false),
            Part::If(choice) => {
                let chosen = choice.links.iter().try_fold(None, |chosen, (condition, parts)| {
                    Ok(match chosen {
                        None if self.holds(condition, frame)? => Some(parts),
                        chosen => chosen,
                    })
                });
                chosen.map(|parts| self.parts(parts.unwrap_or(&choice.otherwise), frame))
            }
        };
        result.unwrap_or_else(|fault| {
            self.error(fault);
            true
        })
    }

    /// Says what an `@error` says, at the use that led to it.
    fn refuse(&mut self, refusal: &Refusal, frame: &Frame) -> Result<(), Fault> {
        let mut title = String::new();
        for part in &refusal.text {
            match part {
                NamePart::Text(text) => title += text,
                NamePart::Value(f) => {
                    if let Some(name) = value::unbound(f, frame) {
                        return Err(self.unknown(&name, frame.at(f.span), frame));
                    }
                    title += &match self.value(f, frame)? {
                        // What is behind a parameter says more than its name.
                        Value::Word { text, scope } => {
                            let given = self.scopes[scope].predicates.iter().find(|(n, _, _)| *n == text);
                            given.and_then(|(_, _, p)| p.clone()).unwrap_or(text)
                        }
                        other => other.shown(),
                    };
                }
            }
        }
        let d = Diagnostic::new(codes::REFUSED, title);
        self.error(match self.scopes[frame.scope].used {
            Some(at) => d.label(at, "by this use").label(refusal.span, "refused here"),
            None => d.label(frame.at(refusal.span), "refused here"),
        });
        Ok(())
    }

    /// Room for one more use or turn of a loop.
    fn instance(&mut self, of: SourceId, at: Span, note: String) -> Result<SourceId, Fault> {
        self.instances += 1;
        if self.instances > MAX_INSTANCES {
            let title = format!("the program expands to more than {MAX_INSTANCES} uses and turns of loops");
            return Err(fault(codes::EXPANSION_LIMIT, title, at, "here the limit is reached"));
        }
        Ok(self.sources.add_instance(of, at, note))
    }

    fn each(&mut self, each: &For, frame: &Frame) -> Result<bool, Fault> {
        let at = frame.at(each.span);
        let variable = &each.variable.node;
        if RESERVED.contains(&variable.as_str()) {
            let title = format!("no loop variable can be called `{variable}`");
            let span = frame.at(each.variable.span);
            return Err(fault(codes::MODULE_TWICE, title, span, "a word of the language"));
        }
        let values: Vec<Value> = match &each.range {
            Range::Numbers(first, last) => {
                let (from, to) = (self.whole(first, frame)?, self.whole(last, frame)?);
                if to - from >= MAX_INSTANCES as f64 {
                    let title = format!("a loop of more than {MAX_INSTANCES} turns");
                    return Err(fault(codes::EXPANSION_LIMIT, title, at, "too many"));
                }
                let turns = (to - from + 1.0).max(0.0) as usize;
                (0..turns).map(|i| Value::Number(from + i as f64)).collect()
            }
            Range::List(formula) => match self.value(formula, frame)? {
                Value::List(values) => values,
                other => {
                    let title = format!("a loop runs over `1..5` or a list, not {}", other.describe());
                    return Err(fault(codes::ARGUMENT_KIND, title, frame.at(formula.span), "no list"));
                }
            },
        };
        for value in values {
            if self.gave_up() {
                break;
            }
            let note = format!("with `{variable}` = {}", value.shown());
            let source = self.instance(at.source, at, note)?;
            let mut inner = Frame { source: Some(source), ..frame.clone() };
            inner.values.push((variable.clone(), value));
            if !self.parts(&each.body, &inner) {
                return Ok(false);
            }
            if self.instances > MAX_INSTANCES {
                break;
            }
        }
        Ok(true)
    }

    fn unknown_module(&self, call: &Use, at: Span) -> Fault {
        let name = &call.name.node;
        let title = format!("there is no module `{name}`");
        let mut d = fault(codes::UNKNOWN_MODULE, title, at, "unknown module");
        let elsewhere = (self.elsewhere)();
        let here = self.defined.modules().iter().map(|m| m.name.node.as_str());
        d.help =
            match elsewhere.iter().find(|(module, _)| module == name) {
                Some((_, path)) => Some(format!("`import {path}.` brings it in")),
                None => suggest::nearest(name, here.chain(elsewhere.iter().map(|(m, _)| m.as_str()))).map(
                    |near| match elsewhere.iter().find(|(m, _)| m == near) {
                        Some((_, path)) if !self.defined.modules().iter().any(|m| m.name.node == near) => {
                            format!("did you mean `{near}`? `import {path}.` brings it in")
                        }
                        _ => format!("did you mean `{near}`?"),
                    },
                ),
            }
            .or_else(|| Some("`nlog lib` lists the modules that can be imported".into()));
        d
    }

    fn call(&mut self, call: &Use, frame: &Frame) -> Result<(), Fault> {
        let (name, at) = (&call.name.node, frame.at(call.span));
        let meant = self.defined.meant(name, self.scopes[frame.scope].home);
        let module = match &meant[..] {
            [] => return Err(self.unknown_module(call, frame.at(call.name.span))),
            [module] => module.clone(),
            several => {
                let title = format!("`{name}` is a module of {} files", several.len());
                let mut d = fault(codes::MODULE_TWICE, title, frame.at(call.name.span), "which of them?");
                d.labels
                    .extend(several.iter().map(|m| Label { span: m.name.span, text: "one is here".into() }));
                d.help = Some("import only one of these files".into());
                return Err(d);
            }
        };
        if self.open.iter().any(|m| Arc::ptr_eq(m, &module)) {
            let title = match self.open.last().map(|m| &m.name.node) {
                Some(last) if last != name => format!("the module `{name}` uses itself, through `{last}`"),
                _ => format!("the module `{name}` uses itself"),
            };
            return Err(fault(codes::MODULE_CYCLE, title, at, "by this use"));
        }
        let given = assign(&module, call, frame)?;
        let scope = self.scopes.len();
        let suffix = self.suffix(name);
        let home = self.defined.home_of(&module);
        if frame.scope == 0 {
            self.defined.results.push(Results { module: name.clone(), span: at, heads: Vec::new() });
        }
        self.scopes.push(Scope {
            module: Some(module.clone()),
            suffix,
            used: Some(at),
            home,
            ..Scope::default()
        });
        let source = self.instance(module.name.span.source, at, format!("in `{name}`, used here"))?;
        let mut inner = Frame { scope, source: Some(source), values: Vec::new() };
        for (parameter, argument) in module.parameters.iter().zip(given) {
            self.bind(parameter, argument, frame, &mut inner, at)?;
        }
        self.open.push(module.clone());
        self.parts(&module.body, &inner);
        self.open.pop();
        Ok(())
    }

    /// What private names of one more use end with: no name of a user does.
    fn suffix(&mut self, name: &str) -> String {
        let mut stem = format!("__{name}_");
        let sources = &*self.sources;
        let stands = |text: &str| sources.ids().any(|s| sources.text(s).contains(text));
        if self.taken.get(name) != Some(&false) {
            // Which names a loop makes of `a__m_@L` is not known yet.
            while stands(&format!("{stem}@")) {
                stem.insert(0, '_');
            }
        }
        let taken = *self.taken.entry(name.to_string()).or_insert_with(|| stands(&stem));
        let number = self.defined.uses.entry(name.to_string()).or_insert(0);
        loop {
            *number += 1;
            let suffix = format!("{stem}{number}");
            if !taken || !stands(&suffix) {
                return suffix;
            }
        }
    }

    /// The predicate that a name means in a scope; none if it is a parameter that was not given.
    fn resolve(&mut self, name: &str, arity: u32, scope: usize) -> Option<String> {
        let s = &self.scopes[scope];
        if s.module.is_none() {
            return Some(name.to_string());
        }
        if let Some((_, _, given)) = s.predicates.iter().find(|(n, a, _)| n == name && *a == arity) {
            return given.clone();
        }
        let private = format!("{name}{}", s.suffix);
        self.privates.entry(private.clone()).or_insert_with(|| (scope, name.to_string()));
        Some(private)
    }

    /// Whether a name is that of a predicate parameter.
    fn takes_predicate(&self, name: &str, scope: usize) -> bool {
        self.scopes[scope].predicates.iter().any(|(n, _, _)| n == name)
    }

    fn resolve_weight(&self, name: &str, scope: usize) -> String {
        let s = &self.scopes[scope];
        match (s.weights.iter().find(|(n, _)| n == name), &s.module) {
            (Some((_, weight)), _) => weight.clone(),
            (None, Some(_)) => format!("{name}{}", s.suffix),
            (None, None) => name.to_string(),
        }
    }

    /// Plain statements with what the frame knows put in.
    fn statements(&mut self, raw: &Spanned<String>, frame: &Frame) -> Result<(), Fault> {
        let text = Text::substitute(self, raw, frame)?;
        self.bytes += text.out.len();
        if self.bytes > MAX_BYTES {
            let title = format!("the program expands to more than {MAX_BYTES} bytes of text");
            let at = frame.at(raw.span);
            return Err(fault(codes::EXPANSION_LIMIT, title, at, "here the limit is reached"));
        }
        let source = frame.source.unwrap_or(raw.span.source);
        let mut known = SharedValues::default();
        let tokens = lex(&text.out);
        for pair in tokens.windows(2).filter(|p| p[0].kind == TokenKind::Dollar) {
            let name = &text.out[pair[1].range()];
            if let Some(value) = self.defined.known.get(&self.resolve_weight(name, frame.scope)) {
                known.insert(name.to_string(), value.clone());
            }
        }
        let statements = match parser::parse_entry(source, &text.out, 0, known) {
            Ok(statements) => statements,
            Err(found) => {
                for mut d in found {
                    d.labels.iter_mut().for_each(|l| l.span = text.place(l.span));
                    self.diagnostics.push(d);
                }
                return Ok(());
            }
        };
        for mut statement in statements {
            let inside = self.scopes[frame.scope].module.is_some();
            let foreign = match &statement {
                Statement::Import(paths) => paths.first().map(|p| (p.span, "an import")),
                Statement::Query(q) if inside => q.first().map(|q| (q.span, "a query")),
                Statement::TemplateMetadata(entries) if inside => {
                    entries.first().map(|e| (e.key.span, "defaults of the template"))
                }
                _ => None,
            };
            if let Some((span, what)) = foreign {
                let title = format!("{what} cannot stand in a {}", if inside { "module" } else { "block" });
                let mut d = fault(codes::NOT_ALLOWED_HERE, title, text.place(span), "not here");
                d.help = match &statement {
                    Statement::TemplateMetadata(_) => {
                        Some("state functions for each rule and predicate: a module says what it means wherever it is used".into())
                    }
                    _ => Some("it stands outside of all blocks".into()),
                };
                self.error(d);
                continue;
            }
            let mut edit = Inside { expander: self, text: &text, scope: frame.scope };
            rename::statement(&mut statement, &mut edit);
            self.out.push(statement);
        }
        Ok(())
    }

    /// Notes what a statement outside of all blocks gives to them.
    fn plain(&mut self, statement: &mut Statement) {
        rename::statement(statement, &mut Outside { expander: self });
    }

    /// Private predicates that are read, and nothing can derive.
    fn never_derived(&mut self) {
        if has_errors(&self.diagnostics) {
            return;
        }
        let mut told = HashSet::default();
        for (name, arity, span) in std::mem::take(&mut self.reads) {
            let Some((scope, written)) = self.privates.get(&name) else { continue };
            if self.derived.contains(&(name.clone(), arity)) || !told.insert((name, arity)) {
                continue;
            }
            let Some(module) = &self.scopes[*scope].module else { continue };
            let title = format!(
                "`{written}/{arity}` is no parameter of `{}`, and no rule in it derives it",
                module.name.node
            );
            let mut d = Diagnostic::new(codes::NOT_A_PARAMETER, title).label(span, "so this never holds");
            let parameters = module.parameters.iter();
            let mut names: Vec<&str> = parameters
                .filter(|p| matches!(p.kind, ParameterKind::Predicate(_)))
                .map(|p| p.name.node.as_str())
                .collect();
            let mut own: Vec<&str> = self
                .derived
                .iter()
                .filter_map(|(n, _)| self.privates.get(n).filter(|(s, _)| s == scope))
                .map(|(_, w)| w.as_str())
                .collect();
            own.sort_unstable();
            names.extend(own);
            let other_arity = names.contains(&written.as_str());
            d.help = if other_arity {
                Some(format!("`{written}` has another number of arguments here"))
            } else {
                suggest::did_you_mean(written, names)
            }
            .or_else(|| {
                Some(format!("names in a module are its own: add `{written}/{arity}` to its parameters"))
            });
            self.diagnostics.push(d);
        }
    }
}

/// A module with its parameters, as its text begins.
pub fn shown(module: &Module) -> String {
    let text = &module.text.node;
    let len = (module.header.end - module.header.start) as usize;
    let header = text.get(..len).unwrap_or(text);
    let header = header.strip_prefix("@module").unwrap_or(header);
    header.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_word(formula: &Formula, word: &str) -> bool {
    matches!(&formula.kind, FormulaKind::Name(parts) if parts[..] == [NamePart::Text(word.into())])
}

/// Gives the names and places of a parsed text their meaning.
struct Inside<'e, 'a, 't> {
    expander: &'e mut Expander<'a>,
    text: &'t Text,
    scope: usize,
}

impl Edit for Inside<'_, '_, '_> {
    fn span(&mut self, span: &mut Span) {
        *span = self.text.place(*span);
    }

    fn predicate(&mut self, name: &mut Spanned<String>, arity: u32, role: Role) {
        let place = self.text.place(name.span);
        // A word that was put in names what it names where it was written.
        let scope = self.text.scope_of(name.span).unwrap_or(self.scope);
        let expander = &mut *self.expander;
        let Some(resolved) = expander.resolve(&name.node, arity, scope) else {
            let title = format!("the predicate `{}` was left out by the `@use`", name.node);
            let mut d = fault(codes::ARGUMENT_KIND, title, place, "read here all the same");
            d.help = Some(format!("`@if {} != {NONE} {{ … }}` asks whether it is there", name.node));
            expander.error(d);
            return;
        };
        match role {
            Role::Derives => {
                expander.derived.insert((resolved.clone(), arity));
                if expander.scopes[self.scope].module.is_some() {
                    let head = (resolved.clone(), arity);
                    if let Some(results) = expander.defined.results.last_mut()
                        && !expander.privates.contains_key(&head.0)
                        && !results.heads.contains(&head)
                    {
                        results.heads.push(head.clone());
                    }
                    expander.defined.provided.insert(head);
                }
            }
            Role::Reads => expander.reads.push((resolved.clone(), arity, place)),
            Role::Names => {}
        }
        name.node = resolved;
    }

    fn weight_name(&mut self, name: &mut String) {
        *name = self.expander.resolve_weight(name, self.scope);
    }

    fn weight(&mut self, weight: &crate::syntax::ast::Weight) {
        remember(self.expander, weight);
    }
}

/// Reads what stands outside of blocks.
struct Outside<'e, 'a> {
    expander: &'e mut Expander<'a>,
}

impl Edit for Outside<'_, '_> {
    fn span(&mut self, _: &mut Span) {}
    fn predicate(&mut self, _: &mut Spanned<String>, _: u32, _: Role) {}
    fn weight_name(&mut self, _: &mut String) {}
    fn weight(&mut self, weight: &crate::syntax::ast::Weight) {
        remember(self.expander, weight);
    }
}

fn remember(expander: &mut Expander<'_>, weight: &crate::syntax::ast::Weight) {
    if let Some(name) = &weight.name
        && !expander.defined.known.contains_key(&name.node)
    {
        let value = (weight.fixed, weight.value.node.clone());
        expander.defined.known.insert(name.node.clone(), value);
    }
}
