//! Layer 5: files.
//!
//! The only place (with `model` and the front ends) that touches the file system: it brings texts into the source map
//! and says clearly what it could not read.

mod defaults;
pub mod inputs;
pub mod library;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "sqlite")]
mod sqlite;
pub mod tables;

use crate::base::span::{SourceId, SourceMap, Span, Spanned};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::syntax::ast::{self, Statement};
use crate::syntax::parser;
use std::io::Read;
use std::path::{Path, PathBuf};

use defaults::Stated;
pub use inputs::Inputs;
use library::Found;

/// Reads a file (`-`: standard input) as UTF-8 text.
pub fn read_text(path: &Path, sources: &mut SourceMap) -> Result<SourceId, Diagnostic> {
    let (name, bytes) = if path == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        ("<stdin>".to_string(), read.map(|_| bytes))
    } else {
        #[allow(clippy::disallowed_methods)]
        let bytes = std::fs::read(path);
        (path.display().to_string(), bytes)
    };
    let bytes = bytes.map_err(|e| {
        let why = match e.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_string(),
            std::io::ErrorKind::PermissionDenied => "it may not be read".to_string(),
            std::io::ErrorKind::IsADirectory => "it is a folder".to_string(),
            _ => e.to_string(),
        };
        let mut d = Diagnostic::new(codes::CANNOT_READ, format!("cannot read `{name}`: {why}"));
        if path.is_dir() {
            d = d.help(
                "this is a folder: `nlog run FOLDER` reads a folder with template.txt and its examples",
            );
        }
        d
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(sources.add(name, text)),
        Err(e) => {
            let at = e.utf8_error().valid_up_to();
            let bytes = e.as_bytes();
            let (line, _) = (bytes[..at].iter().filter(|&&b| b == b'\n').count() + 1, ());
            let column = at - bytes[..at].iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1) + 1;
            let valid = String::from_utf8_lossy(bytes).into_owned();
            let start = String::from_utf8_lossy(&bytes[..at]).len();
            let id = sources.add(name.clone(), valid);
            Err(Diagnostic::new(codes::NOT_TEXT, format!("`{name}` is not text: it is not valid UTF-8"))
                .label(
                    crate::base::span::Span::new(id, start, start + '\u{fffd}'.len_utf8()),
                    format!("byte {at} (line {line}, byte {column}) is 0x{:02x}", bytes[at]),
                )
                .help("nlog reads UTF-8 text; convert the file, or name another one"))
        }
    }
}

/// Templates with everything that they import, in order of first mention; each file once. Imports are looked for beside
/// the importing file, in `libraries`, and in the standard library.
pub fn read_templates(
    paths: &[PathBuf],
    libraries: &[PathBuf],
    sources: &mut SourceMap,
) -> (Vec<ast::File>, Diagnostics) {
    let mut reader = TemplateReader::new(libraries, sources);
    let imports = paths.iter().filter_map(|path| reader.read(path, None)).collect();
    reader.files.push(ast::File { imports, ..Default::default() });
    reader.end()
}

/// What the imports of an entry at the prompt bring in, each file once: files are relative to the working directory.
pub fn read_imports(
    paths: &[Spanned<String>],
    libraries: &[PathBuf],
    sources: &mut SourceMap,
) -> (Vec<ast::File>, Diagnostics) {
    let mut reader = TemplateReader::new(libraries, sources);
    let import = |p: &Spanned<String>| reader.import(&p.node, p.span, Some(Path::new("")));
    let imports = paths.iter().filter_map(import).collect();
    reader.files.push(ast::File { imports, ..Default::default() });
    reader.end()
}

/// What imports bring in if only the standard library is there, each file once: nothing where it has no such file.
/// Behind the files stands what was imported.
pub fn read_built_in<'p>(
    paths: impl Iterator<Item = &'p Spanned<String>>,
    sources: &mut SourceMap,
) -> (Vec<ast::File>, Vec<SourceId>, Diagnostics) {
    let mut reader = TemplateReader::new(&[], sources);
    let built_in = paths.filter(|p| matches!(library::find(&p.node, None, &[]), Found::BuiltIn(_)));
    let imports = built_in.filter_map(|p| reader.import(&p.node, p.span, None)).collect();
    let (files, out) = reader.end();
    (files, imports, out)
}

struct TemplateReader<'a> {
    sources: &'a mut SourceMap,
    libraries: &'a [PathBuf],
    done: Vec<(PathBuf, SourceId)>,
    open: Vec<PathBuf>,
    files: Vec<ast::File>,
    stated: Vec<Stated>,
    out: Diagnostics,
}

impl<'a> TemplateReader<'a> {
    fn new(libraries: &'a [PathBuf], sources: &'a mut SourceMap) -> Self {
        let (done, open, files, stated, out) = Default::default();
        TemplateReader { sources, libraries, done, open, files, stated, out }
    }

    /// What was read, and what is to be said about it.
    fn end(mut self) -> (Vec<ast::File>, Diagnostics) {
        self.out.extend(defaults::from_imports(&self.stated, self.sources));
        (self.files, self.out)
    }

    /// Reads what an import in the file `from` (none: of the standard library) names; what was read, now or before.
    fn import(&mut self, written: &str, span: Span, from: Option<&Path>) -> Option<SourceId> {
        match library::find(written, from, self.libraries) {
            Found::File(path) => self.read(&path, Some((written, span))),
            Found::Nowhere => {
                let title = format!("`{written}` is not in the standard library");
                let d = Diagnostic::new(codes::CANNOT_READ, title).label(span, "imported here");
                self.out.push(library::not_found(d, written));
                None
            }
            Found::BuiltIn(i) => {
                let (path, text) = library::BUILT_IN[i];
                // No file has such a name: the standard library is another place.
                let key = PathBuf::from(format!("<stdlib>/{path}"));
                if !self.enters(&key, path, Some(span)) {
                    return self.known(&key);
                }
                let source = self.sources.add(format!("stdlib/{path}.lrnn"), text);
                self.file(key, source, None);
                Some(source)
            }
        }
    }

    /// Whether a file is still to be read; an import of what imports it is a fault.
    fn enters(&mut self, key: &PathBuf, name: &str, import: Option<Span>) -> bool {
        if self.open.contains(key) {
            let mut d = Diagnostic::new(codes::IMPORT_CYCLE, format!("`{name}` imports itself"));
            if let Some(span) = import {
                d = d.label(span, "by this import");
            }
            self.out.push(d);
            return false;
        }
        self.known(key).is_none()
    }

    /// A file that was read.
    fn known(&self, key: &Path) -> Option<SourceId> {
        self.done.iter().find(|(done, _)| done == key).map(|(_, source)| *source)
    }

    fn read(&mut self, path: &Path, import: Option<(&str, Span)>) -> Option<SourceId> {
        let key = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if !self.enters(&key, &path.display().to_string(), import.map(|i| i.1)) {
            return self.known(&key);
        }
        let source = match read_text(path, self.sources) {
            Ok(source) => source,
            Err(mut d) => {
                if let (Some((written, span)), true) = (import, d.labels.is_empty()) {
                    d = d.label(span, "imported here");
                    if path.extension().is_none_or(|e| e != "lrnn") {
                        d = d.note(format!("`{}.lrnn` was looked for, too", path.display()));
                    }
                    d = library::not_found(d, written);
                }
                self.out.push(d);
                return None;
            }
        };
        self.file(key, source, Some(path));
        Some(source)
    }

    fn file(&mut self, key: PathBuf, source: SourceId, path: Option<&Path>) {
        self.open.push(key.clone());
        let text = self.sources.text(source).to_string();
        let (mut file, found) = parser::parse_template(source, &text);
        self.out.extend(found);
        // Imports stand in the text where they are written: what they bring comes before what follows them.
        let part = || ast::File { source: Some(source), ..Default::default() };
        let (mut own, mut stated) = (part(), Stated::new(source));
        for statement in file.statements.drain(..) {
            match statement {
                Statement::Import(paths) => {
                    if !own.statements.is_empty() {
                        self.files.push(std::mem::replace(&mut own, part()));
                    }
                    for p in paths {
                        if let Some(found) = self.import(&p.node, p.span, path) {
                            own.imports.push(found);
                            stated.note_import(found, p.span);
                        }
                    }
                }
                other => {
                    stated.note(&other);
                    own.statements.push(other);
                }
            }
        }
        self.files.push(own);
        self.stated.push(stated);
        self.open.pop();
        self.done.push((key, source));
    }
}
