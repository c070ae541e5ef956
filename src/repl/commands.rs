//! Commands: what begins with a colon.

use super::engine::{Engine, Reply};
use super::{help, settings};
use crate::base::span::{SourceId, Span, Spanned};
use crate::console::{Stop, options, table};
use crate::data::{FactValue, PredId, ValueId, WorldId};
use crate::diag::{Diagnostic, codes, explain, suggest};
use crate::io::tables;
use crate::learn::trainer::named_weights;
use crate::plan;
use crate::session::Session;
use crate::syntax::ast::Statement;
use crate::template::{TemplateValue, WeightId};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Most facts that are listed.
const LISTED: usize = 1000;

/// The words of a command line, without quotes; a word that begins with `%` begins a comment.
fn words(source: SourceId, text: &str, start: usize) -> Vec<Spanned<String>> {
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = start + (text.len() - rest.len());
        let Some(first) = rest.chars().next().filter(|c| *c != '%') else { return out };
        let quoted = ['"', '\''].contains(&first).then(|| rest[1..].find(first)).flatten();
        let (word, length) = match quoted {
            Some(end) => (&rest[1..1 + end], end + 2),
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (&rest[..end], end)
            }
        };
        out.push(Spanned::new(word.to_string(), Span::new(source, at, at + length)));
        rest = &rest[length..];
    }
}

fn wrong(title: impl Into<String>, at: Span, label: impl Into<String>) -> Diagnostic {
    Diagnostic::new(codes::USAGE, title).label(at, label)
}

type Done = Result<(), Box<Diagnostic>>;

impl Engine {
    /// Executes a command.
    pub(super) fn command(&mut self, source: SourceId, range: Range<usize>, reply: &mut Reply) {
        let text = &self.session.sources.text(source)[range.clone()];
        let all = words(source, text, range.start);
        let Some((first, args)) = all.split_first() else { return };
        let name = first.node.trim_start_matches(':');
        let Some(topic) = help::find(name) else {
            let mut d = wrong(format!("there is no command `:{name}`"), first.span, "unknown command");
            let near = suggest::nearest(name, help::TOPICS.iter().map(|t| t.name));
            d.help = Some(
                near.map_or("`:help` lists the commands".to_string(), |n| format!("did you mean `:{n}`?")),
            );
            reply.diagnostic(d);
            return;
        };
        let most = match topic.name {
            "load" => usize::MAX,
            "set" => 2,
            "rules" | "plan" | "reset" | "answers" | "quit" => 0,
            _ => 1,
        };
        if let Some(extra) = args.get(most) {
            let d = wrong(format!("`:{}` takes no more", topic.name), extra.span, "one word too many");
            reply.diagnostic(d.help(format!("it is written `{}`", topic.usage)));
            return;
        }
        let done = match topic.name {
            "train" => self.train(args, reply),
            "answers" => {
                self.answers(reply);
                Ok(())
            }
            "weights" => self.weights(args, reply),
            "reset" => {
                self.parameters = self.session.initial_parameters();
                self.trained = false;
                reply.message("all weights have their initial values");
                Ok(())
            }
            "load" => self.load_command(first.span, args, reply),
            "facts" => self.facts(args, reply),
            "rules" => {
                self.rules(reply);
                Ok(())
            }
            "plan" => {
                self.plans(reply);
                Ok(())
            }
            "set" => self.set(first.span, args, reply),
            "clear" => self.clear(args, reply),
            "explain" => explain_command(args, reply),
            "help" => help_command(args, reply),
            _ => {
                reply.quit = true;
                Ok(())
            }
        };
        if let Err(d) = done {
            reply.diagnostic(*d);
        }
    }

    fn train(&mut self, args: &[Spanned<String>], reply: &mut Reply) -> Done {
        let epochs = match args.first() {
            None => self.session.settings.train.epochs,
            Some(n) => n.node.parse().map_err(|_| {
                Box::new(wrong(
                    format!("`:train` takes a number of epochs, not `{}`", n.node),
                    n.span,
                    "no whole number",
                ))
            })?,
        };
        let queries = self.labelled();
        if queries.is_empty() {
            return Err(Box::new(
                Diagnostic::new(codes::NO_QUERIES, "there is no query with a target: nothing to learn from")
                    .help("enter one: `?- 1.0 path(a,c).`, or load labelled data"),
            ));
        }
        if let Some((_, outcome)) = self.evaluate(&queries, epochs, reply) {
            reply.result(written(|out| table::metrics(out, &outcome)));
        }
        Ok(())
    }

    fn answers(&mut self, reply: &mut Reply) {
        let queries: Vec<usize> = (0..self.session.database.queries.len()).collect();
        if queries.is_empty() {
            reply.message("no file has queries; ask with `?- path(a,X).`");
            return;
        }
        if let Some((network, outcome)) = self.evaluate(&queries, 0, reply) {
            reply.result(written(|out| table::summary(out, &self.session, &network, &outcome)));
        }
    }

    fn weights(&mut self, args: &[Spanned<String>], reply: &mut Reply) -> Done {
        let template = &self.session.template;
        let Some(name) = args.first() else {
            if template.parameter_count() == 0 {
                reply.message("no weight is learnable");
            }
            reply.result(written(|out| table::weights(out, &self.session, &self.parameters)));
            return Ok(());
        };
        let wanted = name.node.trim_start_matches('$');
        let mut text = String::new();
        for (id, found, values) in named_weights(template, &self.parameters).filter(|(_, n, _)| *n == wanted)
        {
            let weight = &template.weights[id];
            let fixed = if weight.learnable { "" } else { "    fixed" };
            text += &format!("{found} {} = {}{fixed}\n", weight.shape, table::value(&values, None));
        }
        if text.is_empty() {
            let mut d = Diagnostic::new(codes::UNKNOWN_WEIGHT, format!("no weight is called `{wanted}`"));
            d = d.label(name.span, "unknown weight");
            d.help = suggest::did_you_mean(wanted, template.weights.iter().map(|w| w.name.as_str()));
            return Err(Box::new(d));
        }
        reply.result(text);
        Ok(())
    }

    fn load_command(&mut self, at: Span, args: &[Spanned<String>], reply: &mut Reply) -> Done {
        if args.is_empty() {
            return Err(Box::new(wrong("`:load` needs a file", at, "which file?").help("`:load facts.db`")));
        }
        let (mut templates, mut data) = (Vec::new(), Vec::new());
        for arg in args {
            let path = PathBuf::from(&arg.node);
            match path.extension().and_then(|e| e.to_str()) {
                Some("db") => data.push(path),
                _ if tables::kind(&path) != tables::Kind::Text => data.push(path),
                Some("lrnn" | "txt") => templates.push(path),
                _ => {
                    let d = wrong(
                        format!("`{}` may be a template or data", arg.node),
                        arg.span,
                        "the suffix does not tell",
                    );
                    return Err(Box::new(
                        d.help("`.lrnn` and `.txt` are templates; `.db`, `.csv` and `.tsv` are data"),
                    ));
                }
            }
        }
        let before = Sizes::of(&self.session);
        if self.load_files(&templates, &data, reply) {
            let names: Vec<String> = args.iter().map(|a| Path::new(&a.node).display().to_string()).collect();
            let now = Sizes::of(&self.session);
            reply.message(format!("loaded {}: {}", names.join(", "), now.since(&before)));
        }
        Ok(())
    }

    fn facts(&mut self, args: &[Spanned<String>], reply: &mut Reply) -> Done {
        let session = &self.session;
        let vocabulary = &session.vocabulary;
        // Types have predicates of their own, whose names end with a colon.
        let has = |p: PredId| {
            let table = |set: &crate::data::FactSet| set.table(p).map_or(0, |t| t.len());
            let template = session.template.facts.iter().filter(|f| f.pred == p).count();
            (table(&session.database.shared) + template, table(&session.database.examples))
        };
        let Some(wanted) = args.first() else {
            let mut rows = Vec::new();
            for p in vocabulary.predicates() {
                let (shared, examples) = has(p);
                if shared + examples > 0 {
                    let in_examples =
                        if examples > 0 { format!("{examples} in examples") } else { String::new() };
                    rows.push(vec![vocabulary.predicate_text(p), shared.to_string(), in_examples]);
                }
            }
            if rows.is_empty() {
                reply.message("there is no fact");
            }
            reply.result(written(|out| table::print_table(out, &rows)));
            return Ok(());
        };
        let fits = |p: &PredId| {
            vocabulary.predicate_name(*p) == wanted.node || vocabulary.predicate_text(*p) == wanted.node
        };
        let found: Vec<PredId> = vocabulary.predicates().filter(fits).filter(|p| has(*p) != (0, 0)).collect();
        if found.is_empty() {
            let title = format!("there is no fact of `{}`", wanted.node);
            let mut d = Diagnostic::new(codes::UNKNOWN_PREDICATE, title).label(wanted.span, "no facts");
            let known = vocabulary.predicates().filter(|p| has(*p) != (0, 0));
            d.help = suggest::did_you_mean(&wanted.node, known.map(|p| vocabulary.predicate_name(p)));
            return Err(Box::new(d));
        }
        let mut lines = Vec::new();
        let mut hidden = 0;
        for p in found {
            if let Some(table) = session.database.shared.table(p) {
                for row in 0..table.len().min(LISTED) {
                    let atom = vocabulary.atom_text(p, table.row(row));
                    lines.push(match table.values[row] {
                        FactValue::Constant(v) => self.constant_fact(v, &atom),
                        FactValue::Learnable(l) => {
                            self.learned_fact(session.template.learnable_facts[l], &atom)
                        }
                    });
                }
                hidden += table.len().saturating_sub(LISTED);
            }
            for fact in session.template.facts.iter().filter(|f| f.pred == p) {
                let atom = vocabulary.atom_text(p, fact.args.iter().copied());
                lines.push(match fact.value {
                    TemplateValue::Constant(v) => self.constant_fact(v, &atom),
                    TemplateValue::Weight(w) => self.learned_fact(w, &atom),
                });
            }
            let examples = has(p).1;
            if examples > 0 {
                let noun = if examples == 1 { "fact" } else { "facts" };
                let name = vocabulary.predicate_text(p);
                reply.message(format!("and {examples} {noun} of `{name}` in examples"));
            }
        }
        if hidden > 0 {
            lines.push(format!("% and {hidden} more"));
        }
        let text: String = lines.into_iter().map(|l| l + "\n").collect();
        reply.result(text);
        Ok(())
    }

    fn constant_fact(&self, value: ValueId, atom: &str) -> String {
        if value == ValueId::ONE {
            return format!("{atom}.");
        }
        format!("<{}> {atom}.", table::value(self.session.database.values.get(value), Some(6)))
    }

    /// A fact with a weight, at its present value.
    fn learned_fact(&self, weight: WeightId, atom: &str) -> String {
        let value = table::value(self.parameters.get(weight), Some(6));
        let fixed = !self.session.template.weights[weight].learnable;
        if fixed { format!("<{value}> {atom}.") } else { format!("{value} {atom}.") }
    }

    fn rules(&mut self, reply: &mut Reply) {
        let mut text = String::new();
        for statement in self.program.iter().flat_map(|f| &f.statements) {
            if !matches!(statement, Statement::Fact(_)) {
                text += &format!("{statement}\n");
            }
        }
        if text.is_empty() {
            reply.message("there is no rule");
        }
        reply.result(text);
    }

    fn plans(&mut self, reply: &mut Reply) {
        let session = &self.session;
        let size = |p: PredId| {
            let rows = session.database.shared.table(p).map_or(0, |t| t.len());
            (rows.max(1)).next_power_of_two() as f64
        };
        let mut text = String::new();
        for rule in session.template.rules.iter() {
            let steps = plan::plan(rule, None, &|_| false, &size);
            let written = session.sources.slice(rule.span).split_whitespace().collect::<Vec<_>>().join(" ");
            text += &format!("{written}\n{}", plan::describe(&steps, rule, &session.vocabulary));
        }
        if text.is_empty() {
            reply.message("there is no rule");
        }
        reply.result(text);
    }

    fn set(&mut self, at: Span, args: &[Spanned<String>], reply: &mut Reply) -> Done {
        let Some(key) = args.first() else {
            let rows: Vec<Vec<String>> = settings::KEYS
                .iter()
                .map(|k| vec![(*k).to_string(), settings::get(&self.settings, k)])
                .collect();
            reply.result(written(|out| table::print_table(out, &rows)));
            return Ok(());
        };
        let name = key.node.trim_start_matches("--").replace('_', "-");
        if !settings::KEYS.contains(&name.as_str()) {
            let mut d = wrong(format!("there is no setting `{name}`"), key.span, "unknown setting");
            let near = suggest::did_you_mean(&name, settings::KEYS.iter().copied());
            d.help = near.or_else(|| Some("`:set` lists the settings".to_string()));
            return Err(Box::new(d));
        }
        let Some(value) = args.get(1) else {
            reply.result(format!("{name} {}\n", settings::get(&self.settings, &name)));
            return Ok(());
        };
        let mut args = self.settings.clone();
        settings::put(&mut args, &name, &value.node).map_err(|wanted| {
            let title = format!("`:set {name}` takes {wanted}, not `{}`", value.node);
            Box::new(wrong(title, value.span, format!("this is not {wanted}")))
        })?;
        let read = options::settings(&args).map_err(|stop| match stop {
            Stop::Usage(d) => Box::new(d.label(value.span, "this value")),
            _ => Box::new(wrong("the setting cannot be changed", at, "here")),
        })?;
        self.session.settings = read;
        self.settings = args;
        if name == "compat" {
            self.resolve_anew(reply);
        }
        if ["seed", "init", "dist"].contains(&name.as_str()) {
            if self.trained {
                reply.message("the weights are trained: `:reset` draws them anew");
            } else {
                self.parameters = self.session.initial_parameters();
            }
        }
        Ok(())
    }

    fn clear(&mut self, args: &[Spanned<String>], reply: &mut Reply) -> Done {
        match args.first() {
            Some(what) if what.node == "queries" => {
                let n = self.session.database.queries.len();
                self.session.database.queries.clear();
                reply.message(format!("{n} queries forgotten"));
            }
            Some(what) => {
                let title = format!("`:clear` takes nothing or `queries`, not `{}`", what.node);
                return Err(Box::new(wrong(title, what.span, "not known")));
            }
            None => {
                // Places in texts stay valid: more entries of the same script may come.
                let sources = std::mem::take(&mut self.session.sources);
                let libraries = std::mem::take(&mut self.session.libraries);
                let empty = Session::empty(self.session.settings.clone());
                self.session = Session { sources, libraries, ..empty };
                self.program.clear();
                self.parameters = self.session.initial_parameters();
                self.trained = false;
                reply.message("program, data and weights forgotten");
            }
        }
        Ok(())
    }
}

fn explain_command(args: &[Spanned<String>], reply: &mut Reply) -> Done {
    let Some(word) = args.first() else {
        reply.result(explain::table());
        return Ok(());
    };
    let code = explain::find(&word.node).map_err(|d| Box::new(d.label(word.span, "unknown code")))?;
    reply.result(explain::plain(code));
    Ok(())
}

fn help_command(args: &[Spanned<String>], reply: &mut Reply) -> Done {
    let Some(name) = args.first() else {
        reply.result(help::all());
        return Ok(());
    };
    let word = name.node.trim_start_matches(':');
    let Some(topic) = help::find(word) else {
        let mut d = wrong(format!("there is no command `:{word}`"), name.span, "unknown command");
        d.help = suggest::did_you_mean(word, help::TOPICS.iter().map(|t| t.name));
        return Err(Box::new(d));
    };
    reply.result(help::about(topic));
    Ok(())
}

/// What a table writes; memory takes everything.
fn written(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("a vector can be written to");
    String::from_utf8_lossy(&out).into_owned()
}

/// How much is loaded.
struct Sizes {
    rules: usize,
    facts: usize,
    examples: usize,
    queries: usize,
}

impl Sizes {
    fn of(session: &Session) -> Sizes {
        Sizes {
            rules: session.template.rules.len(),
            facts: session.database.fact_count() + session.template.facts.len(),
            examples: session.database.world_count - (WorldId::SHARED.0 as usize + 1),
            queries: session.database.queries.len(),
        }
    }

    fn since(&self, before: &Sizes) -> String {
        let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
        let mut parts = vec![
            count(self.rules - before.rules.min(self.rules), "rule", "rules"),
            count(self.facts - before.facts.min(self.facts), "fact", "facts"),
        ];
        if self.examples > before.examples {
            parts.push(count(self.examples - before.examples, "example", "examples"));
        }
        if self.queries > before.queries {
            parts.push(count(self.queries - before.queries, "query", "queries"));
        }
        parts.join(", ")
    }
}
