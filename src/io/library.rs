//! Where imports and modules are found: beside the importing file, in the folders of `--lib`, in the standard library.

use crate::base::span::SourceMap;
use crate::diag::{Diagnostic, suggest};
use crate::syntax::ast::{Module, Statement};
use crate::syntax::parser;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of the standard library, by the path that imports them, with their texts.
pub const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/stdlib.rs"));

/// The file that an import names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A file.
    File(PathBuf),
    /// A position in [`BUILT_IN`].
    BuiltIn(usize),
    /// Nothing, and there is no place where a file should be.
    Nowhere,
}

/// A file as written or with `.lrnn` behind it, if there is one.
fn existing(path: PathBuf) -> Option<PathBuf> {
    let with_suffix = PathBuf::from(format!("{}.lrnn", path.display()));
    if path.is_file() { Some(path) } else { with_suffix.is_file().then_some(with_suffix) }
}

/// What an import means: relative to the file `from` (or to the working directory after `./`), in the folders of the
/// libraries in order, in the standard library. The neighbours of a file of the standard library (`from` is none) are
/// there, so that other folders change nothing in it. If there is nothing, the file that should have been there.
pub(super) fn find(written: &str, from: Option<&Path>, libraries: &[PathBuf]) -> Found {
    let beside = match (written.strip_prefix("./"), from) {
        (Some(rest), _) => Some(PathBuf::from(rest)),
        (None, Some(from)) => Some(from.parent().unwrap_or(Path::new("")).join(written)),
        (None, None) => None,
    };
    let name = written.strip_suffix(".lrnn").unwrap_or(written);
    let built_in = BUILT_IN.iter().position(|(path, _)| *path == name);
    if let (Some(i), None) = (built_in, from) {
        return Found::BuiltIn(i);
    }
    let folders = libraries.iter().map(|l| l.join(written));
    if let Some(path) = beside.iter().cloned().chain(folders).find_map(existing) {
        return Found::File(path);
    }
    match built_in {
        Some(i) => Found::BuiltIn(i),
        None => beside.map_or(Found::Nowhere, Found::File),
    }
}

/// What to say about an import that leads nowhere.
pub(super) fn not_found(mut d: Diagnostic, written: &str) -> Diagnostic {
    let paths = || BUILT_IN.iter().map(|(path, _)| *path);
    // Somebody may know the model, and not its folder.
    let inside = |path: &&str| path.rsplit_once('/').is_some_and(|(_, file)| file == written);
    if let Some(near) = paths().find(inside).or_else(|| suggest::nearest(written, paths())) {
        d.help = Some(format!("did you mean `{near}`? `nlog lib` lists what the standard library has"));
    }
    d
}

/// A module that can be imported.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What an import says.
    pub path: String,
    /// The text of its file.
    pub text: Arc<str>,
    /// The module.
    pub module: Arc<Module>,
}

/// The modules of the standard library and of some folders, by path; those of folders come first, and hide others of the
/// same path.
pub fn modules(libraries: &[PathBuf]) -> Vec<Listed> {
    let mut texts: Vec<(String, String)> = Vec::new();
    for library in libraries {
        let mut files = Vec::new();
        walk(library, &mut files, 0);
        files.sort();
        for file in files {
            let inside = file.strip_prefix(library).unwrap_or(&file).with_extension("");
            let path = inside.iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>().join("/");
            let mut sources = SourceMap::new();
            if let Ok(source) = super::read_text(&file, &mut sources) {
                texts.push((path, sources.text(source).to_string()));
            }
        }
    }
    texts.extend(BUILT_IN.iter().map(|(path, text)| (path.to_string(), text.to_string())));
    let mut seen = Vec::new();
    let mut out = Vec::new();
    for (path, text) in texts {
        if seen.contains(&path) {
            continue;
        }
        let mut sources = SourceMap::new();
        let source = sources.add(path.as_str(), text.as_str());
        let shared: Arc<str> = text.as_str().into();
        for statement in parser::parse_template(source, &text).0.statements {
            if let Statement::Module(module) = statement {
                out.push(Listed { path: path.clone(), text: shared.clone(), module });
            }
        }
        seen.push(path);
    }
    out
}

/// The templates below a folder; links and depth are no way into an endless walk.
fn walk(dir: &Path, out: &mut Vec<PathBuf>, depth: usize) {
    const DEPTH: usize = 8;
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && depth < DEPTH {
            walk(&path, out, depth + 1);
        } else if path.extension().is_some_and(|e| e == "lrnn") {
            out.push(path);
        }
    }
}
