//! Layer 5: files.
//!
//! The only place (with `model` and the front ends) that touches the file system: it brings texts into the source map
//! and says clearly what it could not read.

pub mod inputs;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "sqlite")]
mod sqlite;
pub mod tables;

use crate::base::span::{SourceId, SourceMap};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::syntax::ast::{self, Statement};
use crate::syntax::parser;
use std::io::Read;
use std::path::{Path, PathBuf};

pub use inputs::Inputs;

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

/// Templates with everything that they import, in order of first mention; each file once.
pub fn read_templates(paths: &[PathBuf], sources: &mut SourceMap) -> (Vec<ast::File>, Diagnostics) {
    let mut reader =
        TemplateReader { sources, done: Vec::new(), open: Vec::new(), files: Vec::new(), out: Vec::new() };
    for path in paths {
        reader.read(path, None);
    }
    (reader.files, reader.out)
}

struct TemplateReader<'a> {
    sources: &'a mut SourceMap,
    done: Vec<PathBuf>,
    open: Vec<PathBuf>,
    files: Vec<ast::File>,
    out: Diagnostics,
}

/// The file that an import names: relative to the importing file, or to the working directory after `./`; with
/// `.lrnn` added if there is no such file without.
fn import_path(written: &str, from: &Path) -> PathBuf {
    let direct = match written.strip_prefix("./") {
        Some(rest) => PathBuf::from(rest),
        None => from.parent().unwrap_or(Path::new("")).join(written),
    };
    let with_suffix = PathBuf::from(format!("{}.lrnn", direct.display()));
    if !direct.is_file() && with_suffix.is_file() { with_suffix } else { direct }
}

impl TemplateReader<'_> {
    fn read(&mut self, path: &Path, import: Option<crate::base::span::Span>) {
        let key = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if self.open.contains(&key) {
            let mut d = Diagnostic::new(codes::IMPORT_CYCLE, format!("`{}` imports itself", path.display()));
            if let Some(span) = import {
                d = d.label(span, "by this import");
            }
            self.out.push(d);
            return;
        }
        if self.done.contains(&key) {
            return;
        }
        let source = match read_text(path, self.sources) {
            Ok(source) => source,
            Err(mut d) => {
                if let (Some(span), true) = (import, d.labels.is_empty()) {
                    d = d.label(span, "imported here");
                    if path.extension().is_none_or(|e| e != "lrnn") {
                        d = d.note(format!("`{}.lrnn` was looked for, too", path.display()));
                    }
                }
                self.out.push(d);
                return;
            }
        };
        self.open.push(key.clone());
        let text = self.sources.text(source).to_string();
        let (mut file, found) = parser::parse_template(source, &text);
        self.out.extend(found);
        // Imports stand in the text where they are written: what they bring comes before what follows them.
        let mut own = ast::File::default();
        for statement in file.statements.drain(..) {
            match statement {
                Statement::Import(paths) => {
                    if !own.statements.is_empty() {
                        self.files.push(std::mem::take(&mut own));
                    }
                    for p in paths {
                        self.read(&import_path(&p.node, path), Some(p.span));
                    }
                }
                other => own.statements.push(other),
            }
        }
        self.files.push(own);
        self.open.pop();
        self.done.push(key);
    }
}
