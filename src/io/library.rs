//! Where imports and modules are found: beside the importing file, in the folders of `--lib`, in the standard library.

use crate::base::hash::HashSet;
use crate::base::span::{SourceId, SourceMap};
use crate::diag::{Diagnostic, Diagnostics, codes, has_errors, suggest};
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
        d.help = Some(format!(
            "did you mean `{near}`? `nlog lib` lists what the standard library has, `--lib DIR` adds a folder"
        ));
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

/// What is wrong with the folders of `--lib`: each must be a folder that can be read.
pub fn check_folders(libraries: &[PathBuf]) -> Diagnostics {
    let fault = |folder: &PathBuf| {
        let e = std::fs::read_dir(folder).err()?;
        let why = match e.kind() {
            std::io::ErrorKind::NotFound => "there is no such folder".to_string(),
            std::io::ErrorKind::NotADirectory => "it is no folder".to_string(),
            std::io::ErrorKind::PermissionDenied => "it may not be read".to_string(),
            _ => e.to_string(),
        };
        let title = format!("cannot read `{}`, a folder of `--lib`: {why}", folder.display());
        Some(Diagnostic::new(codes::CANNOT_READ, title))
    };
    libraries.iter().filter_map(fault).collect()
}

/// The modules of the standard library and of some folders, by path; those of folders come first, and hide others of the
/// same path. Files that cannot be read or parsed have none; what is wrong with them comes second.
pub fn modules(libraries: &[PathBuf], sources: &mut SourceMap) -> (Vec<Listed>, Diagnostics) {
    let mut out = Vec::new();
    let mut texts: Vec<(String, Result<SourceId, Diagnostic>)> = Vec::new();
    for library in libraries {
        let mut files = Vec::new();
        walk(library, &mut files, 0, &mut out);
        files.sort();
        for file in files {
            let inside = file.strip_prefix(library).unwrap_or(&file).with_extension("");
            let path = inside.iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>().join("/");
            texts.push((path, super::read_text(&file, sources)));
        }
    }
    for (path, text) in BUILT_IN {
        texts.push((path.to_string(), Ok(sources.add(*path, *text))));
    }
    let mut seen = HashSet::default();
    let mut listed = Vec::new();
    for (path, source) in texts {
        if !seen.insert(path.clone()) {
            continue;
        }
        let source = match source {
            Ok(source) => source,
            Err(d) => {
                out.push(d);
                continue;
            }
        };
        let text: Arc<str> = sources.text(source).into();
        let (file, found) = parser::parse_template(source, &text);
        if has_errors(&found) {
            out.extend(found);
            continue;
        }
        for statement in file.statements {
            if let Statement::Module(module) = statement {
                listed.push(Listed { path: path.clone(), text: text.clone(), module });
            }
        }
    }
    (listed, out)
}

/// The templates below a folder; links and depth are no way into an endless walk.
fn walk(dir: &Path, files: &mut Vec<PathBuf>, depth: usize, out: &mut Diagnostics) {
    const DEPTH: usize = 8;
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) => {
            let title = format!("cannot read the folder `{}`: {e}", dir.display());
            out.push(Diagnostic::new(codes::CANNOT_READ, title));
            return;
        }
    };
    for path in entries.flatten().map(|e| e.path()) {
        if path.is_dir() && depth < DEPTH {
            walk(&path, files, depth + 1, out);
        } else if path.extension().is_some_and(|e| e == "lrnn") {
            files.push(path);
        }
    }
}
