//! The modules of a program, and which of them a name means.

use crate::base::hash::{HashMap, HashSet};
use crate::base::span::{SourceId, SourceMap, Span};
use crate::diag::{Diagnostic, codes};
use crate::syntax::ast::{File, Module};
use crate::syntax::parser::SharedValues;
use std::sync::Arc;

/// Where a name of a module stands: in a file, or (`None`) at the prompt and on the command line.
pub(super) type Home = Option<SourceId>;

/// The modules of a program, and what their uses have in common.
#[derive(Debug, Clone, Default)]
pub struct Library {
    modules: Vec<Arc<Module>>,
    /// Where each of them is defined.
    homes: Vec<Home>,
    /// Those of them that the present command has defined.
    fresh: Vec<usize>,
    /// The files that each file imports, in the order of the imports.
    imports: HashMap<Home, Vec<SourceId>>,
    /// The first reading of each file.
    files: Vec<SourceId>,
    /// Files that were read again, at the prompt, with their first reading.
    again: HashMap<SourceId, SourceId>,
    /// How often each name of a module was used.
    pub(super) uses: HashMap<String, usize>,
    /// Values of shared weights so far.
    pub(super) known: SharedValues,
    /// Predicates that a use names, or that a module derives.
    pub(super) provided: HashSet<(String, u32)>,
    /// The uses outside of modules.
    pub(super) results: Vec<Results>,
}

/// What a use outside of modules derives for the program.
#[derive(Debug, Clone)]
pub struct Results {
    /// The module.
    pub module: String,
    /// The `@use`.
    pub span: Span,
    /// Predicates with their arities, in the order in which they are first derived.
    pub heads: Vec<(String, u32)>,
}

impl Library {
    /// The modules, in order of definition.
    pub fn modules(&self) -> &[Arc<Module>] {
        &self.modules
    }

    /// Notes values of shared weights that are stated outside of blocks.
    pub fn know(&mut self, values: SharedValues) {
        self.known.extend(values);
    }

    /// What each use outside of modules derives for the program.
    pub fn results(&self) -> &[Results] {
        &self.results
    }

    /// Whether a use names a predicate or a module derives it: then it may have no reader, since a module has results
    /// that not every user asks for.
    pub fn provides(&self, name: &str, arity: u32) -> bool {
        self.provided.contains(&(name.to_string(), arity))
    }

    /// Notes what some files import.
    pub(super) fn note_imports(&mut self, files: &[File], sources: &SourceMap) {
        self.fresh.clear();
        let before = self.files.len();
        for &file in files.iter().flat_map(|f| f.source.iter().chain(&f.imports)) {
            if self.files.contains(&file) || self.again.contains_key(&file) {
                continue;
            }
            // What an earlier command read under this name is this file, perhaps with another text by now.
            let name = &sources.get(file).name;
            match self.files[..before].iter().find(|first| sources.get(**first).name == *name) {
                Some(first) => _ = self.again.insert(file, *first),
                None => self.files.push(file),
            }
        }
        for file in files {
            let home = self.home(file.source);
            let found: Vec<SourceId> = file.imports.iter().filter_map(|i| self.home(Some(*i))).collect();
            let imports = self.imports.entry(home).or_default();
            for one in found {
                if !imports.contains(&one) {
                    imports.push(one);
                }
            }
        }
    }

    /// The first reading of a file.
    pub(super) fn home(&self, home: Home) -> Home {
        home.map(|file| self.again.get(&file).copied().unwrap_or(file))
    }

    /// Where a module is defined.
    pub(super) fn home_of(&self, module: &Arc<Module>) -> Home {
        self.modules.iter().position(|m| Arc::ptr_eq(m, module)).and_then(|i| self.homes[i])
    }

    /// Adds a module. One file and one entry have one module of a name; files may have modules of the same name. Another
    /// reading of a file, and another entry at the prompt, replace what was there; what uses made of it stays.
    ///
    /// # Errors
    /// E0221 if the same command has stated such a module there.
    pub(super) fn add(&mut self, module: &Arc<Module>, home: Home) -> Result<(), Diagnostic> {
        let home = self.home(home);
        let name = &module.name;
        let mut known = self.modules.iter().zip(&self.homes);
        let Some(place) = known.position(|(m, h)| m.name.node == name.node && *h == home) else {
            self.fresh.push(self.modules.len());
            self.modules.push(module.clone());
            self.homes.push(home);
            return Ok(());
        };
        let (first, second) = (self.modules[place].name.span, name.span);
        if !self.fresh.contains(&place) {
            self.fresh.push(place);
            self.modules[place] = module.clone();
            return Ok(());
        }
        let title = format!("the module `{}` is defined twice", name.node);
        Err(Diagnostic::new(codes::MODULE_TWICE, title).label(second, "here").label(first, "and here"))
    }

    /// The modules that a name means where it stands in a file: that of the file itself, those of the files that it
    /// imports, those of the files that these import, and so on: the first that has any. The files that one command
    /// names see each other, too. More than one is a question that only the user can answer; none is an error.
    pub(super) fn meant(&self, name: &str, home: Home) -> Vec<Arc<Module>> {
        let from = |home: Home| {
            let mut seen: HashSet<Home> = [home].into_iter().collect();
            let mut level = vec![home];
            while !level.is_empty() {
                let here = self.modules.iter().zip(&self.homes);
                let found =
                    here.filter(|(m, h)| m.name.node == name && level.contains(h)).map(|(m, _)| m.clone());
                let found: Vec<_> = found.collect();
                if !found.is_empty() {
                    return found;
                }
                let next = level.iter().flat_map(|h| self.imports.get(h)).flatten().map(|i| Some(*i));
                level = next.filter(|h| seen.insert(*h)).collect();
            }
            Vec::new()
        };
        let near = from(home);
        let named =
            || home.is_some_and(|file| self.imports.get(&None).is_some_and(|files| files.contains(&file)));
        if near.is_empty() && named() { from(None) } else { near }
    }
}
