//! The modules of a program, and which of them a name means.

use crate::base::hash::{HashMap, HashSet};
use crate::base::span::{SourceId, SourceMap};
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
    /// The files that each file imports, in the order of the imports.
    imports: HashMap<Home, Vec<SourceId>>,
    /// Files that were read again, at the prompt, with the same text.
    again: HashMap<SourceId, SourceId>,
    /// How often each name of a module was used.
    pub(super) uses: HashMap<String, usize>,
    /// Values of shared weights so far.
    pub(super) known: SharedValues,
    /// Predicates that a use names, or that a module derives.
    pub(super) provided: HashSet<(String, u32)>,
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

    /// Whether a use names a predicate or a module derives it: then it may have no reader, since a module has results
    /// that not every user asks for.
    pub fn provides(&self, name: &str, arity: u32) -> bool {
        self.provided.contains(&(name.to_string(), arity))
    }

    /// Notes what some files import.
    pub(super) fn note_imports(&mut self, files: &[File], sources: &SourceMap) {
        let read: Vec<SourceId> =
            files.iter().flat_map(|f| f.source.iter().chain(&f.imports)).copied().collect();
        for file in read {
            let same = |other: &SourceId| {
                let (a, b) = (sources.get(*other), sources.get(file));
                *other < file && a.name == b.name && a.text == b.text
            };
            if let (None, Some(first)) = (self.again.get(&file), sources.ids().find(same)) {
                self.again.insert(file, first);
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

    /// Adds a module, unless it is there already; whether it was not. One file has one module of a name, whenever it was read; files may have modules of the same name.
    ///
    /// # Errors
    /// E0221 if the file has such a module.
    pub(super) fn add(
        &mut self,
        module: &Arc<Module>,
        home: Home,
        sources: &SourceMap,
    ) -> Result<bool, Diagnostic> {
        let home = self.home(home);
        let name = &module.name;
        let named = |source: SourceId| &sources.get(source).name;
        let here = |other: Home| match (home, other) {
            (Some(a), Some(b)) => a == b || named(a) == named(b),
            (a, b) => a == b,
        };
        let mut known = self.modules.iter().zip(&self.homes);
        let Some((other, _)) = known.find(|(m, h)| m.name.node == name.node && here(**h)) else {
            self.modules.push(module.clone());
            self.homes.push(home);
            return Ok(true);
        };
        let (first, second) = (other.name.span, name.span);
        if first.start == second.start && Some(first.source) == self.home(Some(second.source)) {
            return Ok(false);
        }
        let title = format!("the module `{}` is defined twice", name.node);
        Err(Diagnostic::new(codes::MODULE_TWICE, title).label(second, "here").label(first, "and here"))
    }

    /// The modules that a name means where it stands in a file: that of the file itself, those of the files that it
    /// imports, those of the files that these import, and so on: the first that has any. Behind them come the files of
    /// the program, in the same way. More than one is a question that only the user can answer; none is an error.
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
        if near.is_empty() && home.is_some() { from(None) } else { near }
    }
}
