//! Which files make up a run.

use super::read_text;
use super::tables::{self, Kind};
use crate::base::span::{SourceId, SourceMap, Span};
use crate::data::builder::Builder;
use crate::data::{Database, Split, Vocabulary};
use crate::diag::{Diagnostic, Diagnostics, codes};
use std::path::{Path, PathBuf};

/// An examples file with the queries that belong to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExampleFiles {
    /// Examples.
    pub examples: Option<PathBuf>,
    /// Queries.
    pub queries: Option<PathBuf>,
}

/// The files of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Templates; several are read as one.
    pub templates: Vec<PathBuf>,
    /// Folders to look for imports in, before the standard library.
    pub libraries: Vec<PathBuf>,
    /// Data: texts in the `.db` form, and tables.
    pub data: Vec<PathBuf>,
    /// Examples to learn from.
    pub train: ExampleFiles,
    /// Examples to choose the best model by.
    pub validation: ExampleFiles,
    /// Examples to report on.
    pub test: ExampleFiles,
}

impl Inputs {
    /// A warning about files of a folder that look like ours but are not read.
    pub fn unread(&self, dir: &Path) -> Option<Diagnostic> {
        let mut idle: Vec<String> = Vec::new();
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        for path in entries.map(|e| e.path()).filter(|p| p.is_file()) {
            let readable = path.extension().is_some_and(|e| e == "txt" || e == "db" || e == "lrnn");
            if readable && !self.paths().any(|p| *p == path) {
                idle.extend(path.file_name().map(|n| format!("`{}`", n.to_string_lossy())));
            }
        }
        idle.sort();
        let title = format!("not read in `{}`: {}", dir.display(), idle.join(", "));
        (!idle.is_empty()).then(|| {
            Diagnostic::new(codes::NOT_READ, title).help(
                "a folder's files are template.lrnn or template.txt, facts.db, trainExamples.txt or examples.txt, \
                 trainQueries.txt or queries.txt, and val… and test…; others are named on the command line",
            )
        })
    }

    /// All files.
    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        let sets = [&self.train, &self.validation, &self.test];
        let pairs = sets.into_iter().flat_map(|s| s.examples.iter().chain(&s.queries));
        self.templates.iter().chain(&self.data).chain(pairs)
    }

    /// The files of a folder with the reference engine's standard names.
    pub fn folder(dir: &Path) -> Result<Inputs, Diagnostic> {
        let find = |names: &[&str]| names.iter().map(|n| dir.join(n)).find(|p| p.is_file());
        let template = find(&["template.lrnn", "template.txt", "templates/template.txt"]);
        let Some(template) = template else {
            return Err(Diagnostic::new(
                codes::CANNOT_READ,
                format!("`{}` holds no template", dir.display()),
            )
            .help("a folder has `template.lrnn` or `template.txt`, and facts or examples beside it"));
        };
        let train = ExampleFiles {
            examples: find(&["trainExamples.txt", "examples.txt"]),
            queries: find(&["trainQueries.txt", "queries.txt"]),
        };
        Ok(Inputs {
            templates: vec![template],
            libraries: Vec::new(),
            data: find(&["facts.db"]).into_iter().collect(),
            train,
            validation: ExampleFiles {
                examples: find(&["valExamples.txt"]),
                queries: find(&["valQueries.txt"]),
            },
            test: ExampleFiles { examples: find(&["testExamples.txt"]), queries: find(&["testQueries.txt"]) },
        })
    }

    /// Reads all data files.
    pub fn read_data(&self, sources: &mut SourceMap, vocabulary: &mut Vocabulary) -> (Database, Diagnostics) {
        let mut out = Vec::new();
        let mut builder = Builder::new(vocabulary, Database::new());
        for path in &self.data {
            tables::read(path, sources, &mut builder);
        }
        // All texts first: the reader borrows them while it fills the database.
        let mut load =
            |path: &PathBuf| -> Option<SourceId> { read_text(path, sources).map_err(|d| out.push(d)).ok() };
        let mut pairs = Vec::new();
        for (files, split) in
            [(&self.train, Split::Train), (&self.validation, Split::Validation), (&self.test, Split::Test)]
        {
            let examples = files.examples.as_ref().and_then(&mut load);
            let queries = files.queries.as_ref().map(&mut load);
            pairs.push((files, examples, queries, split));
        }
        for path in [&self.train, &self.validation, &self.test].into_iter().flat_map(|s| &s.examples) {
            if tables::kind(path) != Kind::Text {
                let title = format!("`{}` is a table, which has no examples", path.display());
                out.push(Diagnostic::new(codes::CANNOT_READ, title).help(
                    "the rows of a table are facts that hold in all examples: name it among the data, behind the template",
                ));
                pairs.clear();
            }
        }
        for (files, examples, queries, split) in pairs {
            let table = files.queries.as_ref().map(|path| (path, tables::kind(path)));
            if let (Some((path, Kind::Separated(delimiter))), Some(Some(q))) = (table, queries) {
                if examples.is_some() {
                    let title =
                        format!("`{}` is a table, which cannot say of which example it asks", path.display());
                    out.push(Diagnostic::new(codes::CANNOT_READ, title).help(
                        "a table of queries is about the facts of the data; for examples, name a text with a line for each",
                    ));
                    continue;
                }
                sources.mark_table(q);
                tables::read_queries(path, q, sources.text(q), delimiter, split, &mut builder);
                continue;
            }
            match (examples, queries) {
                (Some(e), None) => builder.examples((e, sources.text(e)), None, split),
                (Some(e), Some(Some(q))) => {
                    builder.examples((e, sources.text(e)), Some((q, sources.text(q))), split);
                }
                (None, Some(Some(q))) => builder.queries_about_shared_world((q, sources.text(q)), split),
                _ => {}
            }
        }
        let (database, found) = builder.finish();
        out.extend(found);
        let nothing = database.fact_count() == 0
            && database.rules.is_empty()
            && database.world_count == 1
            && database.queries.is_empty();
        if nothing && !crate::diag::has_errors(&out) {
            out.extend(self.no_facts(sources));
        }
        (database, out)
    }

    /// The complaint about data files without any fact.
    fn no_facts(&self, sources: &SourceMap) -> Option<Diagnostic> {
        let named = self.data.iter().chain(&self.train.examples).next()?;
        let stdin = named == Path::new("-");
        let name = if stdin { "<stdin>".to_string() } else { named.display().to_string() };
        let source = sources.ids().find(|&s| sources.get(s).name == name);
        let mut d = Diagnostic::new(codes::NO_FACTS, format!("there is no fact in `{name}`"));
        if let Some(source) = source {
            let empty = sources.text(source).trim().is_empty();
            let table = matches!(tables::kind(named), Kind::Separated(_));
            let text = match (empty, table) {
                (true, _) => "the file is empty",
                (false, true) => "no row below the header",
                (false, false) => "only comments here",
            };
            d = d.label(Span::new(source, 0, sources.text(source).len().min(1)), text);
        }
        Some(d.help(
            "a fact is an atom with a full stop: `bond(a1,a2).`, an example `1.0 toxic :- bond(a1,a2).`",
        ))
    }
}
