//! Defaults of the template that an import brings along: they count for the whole program, as in the reference engine,
//! where an import is the text of its file.

use crate::base::hash::HashSet;
use crate::base::span::{SourceId, SourceMap, Span};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::syntax::ast::{MetaEntry, Statement};

/// What a template file says of defaults and imports.
#[derive(Debug, Clone)]
pub(super) struct Stated {
    /// The file.
    source: SourceId,
    /// Whether it states anything else: what the defaults are for.
    others: bool,
    /// The defaults, each with its key and value.
    defaults: Vec<MetaEntry>,
    /// What it imports, and where.
    imports: Vec<(SourceId, Span)>,
}

impl Stated {
    /// Nothing yet.
    pub(super) fn new(source: SourceId) -> Self {
        Stated { source, others: false, defaults: Vec::new(), imports: Vec::new() }
    }

    /// Notes a statement that is no import.
    pub(super) fn note(&mut self, statement: &Statement) {
        match statement {
            Statement::TemplateMetadata(entries) => self.defaults.extend(entries.iter().cloned()),
            _ => self.others = true,
        }
    }

    /// Notes an import.
    pub(super) fn note_import(&mut self, file: SourceId, at: Span) {
        self.imports.push((file, at));
    }

    /// Whether its own statements say what an imported file says: with the same value, or behind the import, where they
    /// are the ones that count.
    fn settles(&self, import: Span, entry: &MetaEntry, sources: &SourceMap) -> bool {
        let value = |e: &MetaEntry| sources.slice(e.value.span).trim();
        let same = |own: &&MetaEntry| own.key.node == entry.key.node;
        self.defaults
            .iter()
            .filter(same)
            .any(|own| own.key.span.start > import.start || value(own) == value(entry))
    }
}

/// Warns at imports of files whose defaults the importing file has not stated itself. `files` are in the order in which
/// their reading ended: what is imported stands before what imports it. Each default is told once, at the import nearest
/// to the program's own files. Nothing is told of a file that states nothing but defaults, since they are what it is
/// imported for, and nothing to one that has only imports and defaults: it leaves all to the others.
pub(super) fn from_imports(files: &[Stated], sources: &SourceMap) -> Diagnostics {
    let mut out = Vec::new();
    let mut told: HashSet<Span> = HashSet::default();
    for file in files.iter().rev().filter(|f| f.others) {
        for &(target, at) in &file.imports {
            for from in reached(target, files).into_iter().filter(|f| f.others) {
                let news: Vec<&MetaEntry> = from
                    .defaults
                    .iter()
                    .filter(|e| !file.settles(at, e, sources) && told.insert(e.key.span))
                    .collect();
                if news.is_empty() {
                    continue;
                }
                let text = |e: &&MetaEntry| sources.slice(e.key.span.to(e.value.span)).to_string();
                let list = news.iter().map(text).collect::<Vec<_>>().join(", ");
                let (name, own) = (&sources.get(from.source).name, &sources.get(file.source).name);
                let title = format!("`{name}` states defaults that count for the whole program: `[{list}]`");
                let mut d = Diagnostic::new(codes::IMPORTED_DEFAULTS, title)
                    .label(at, format!("so this import changes what `{own}` means"));
                for entry in news {
                    d = d.label(entry.key.span.to(entry.value.span), "stated here");
                }
                out.push(d.help(format!(
                    "if that is meant, say `[{list}]` in `{own}`, too; if not, `{name}` can state it for each of its rules and predicates"
                )));
            }
        }
    }
    out
}

/// A file and all that it imports, directly or not.
fn reached(file: SourceId, files: &[Stated]) -> Vec<&Stated> {
    let mut out: Vec<&Stated> = files.iter().filter(|f| f.source == file).collect();
    let mut next = 0;
    while let Some(one) = out.get(next).copied() {
        next += 1;
        for (import, _) in &one.imports {
            if out.iter().all(|f| f.source != *import) {
                out.extend(files.iter().filter(|f| f.source == *import));
            }
        }
    }
    out
}
