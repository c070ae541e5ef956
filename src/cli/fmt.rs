//! `nlog fmt`.

use super::args::{FmtArgs, TextKind};
use crate::base::span::{SourceId, SourceMap};
use crate::console::{Console, Stop};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::io;
use crate::syntax::format::{Layout, format};
use std::io::Write;
use std::path::Path;

/// `nlog fmt`.
pub fn fmt(args: &FmtArgs, console: &Console) -> Result<(), Stop> {
    let mut stdout = std::io::stdout().lock();
    let mut fine = true;
    for path in &args.files {
        // A fault of one file says nothing about the others.
        let mut sources = SourceMap::new();
        let source = match io::read_text(path, &mut sources) {
            Ok(source) => source,
            Err(d) => {
                console.diagnostics(&[d], &sources);
                fine = false;
                continue;
            }
        };
        let text = sources.text(source);
        let done = match formatted(path, source, text, args.kind) {
            Ok(done) => done,
            Err(found) => {
                console.diagnostics(&found, &sources);
                fine = false;
                continue;
            }
        };
        if args.check {
            if done != text {
                writeln!(stdout, "{}", sources.get(source).name)?;
                fine = false;
            }
        } else if path == Path::new("-") {
            stdout.write_all(done.as_bytes())?;
        } else if done != text
            && let Err(e) = write(path, &done)
        {
            let title = format!("cannot write `{}`: {e}", path.display());
            console.diagnostics(&[Diagnostic::new(codes::CANNOT_WRITE, title)], &sources);
            fine = false;
        }
    }
    stdout.flush()?;
    if fine { Ok(()) } else { Err(Stop::Fault) }
}

#[allow(clippy::disallowed_methods)]
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::write(path, text)
}

/// What kind of text a file name promises: `.lrnn` and the reference engine's `template.txt` are templates, `.db` is
/// data, as are its other text files.
fn kind_of(path: &Path) -> Option<TextKind> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    if name == "-" || name.ends_with(".lrnn") || name.contains("template") {
        Some(TextKind::Template)
    } else if name.ends_with(".db") {
        Some(TextKind::Data)
    } else {
        None
    }
}

fn formatted(
    path: &Path,
    source: SourceId,
    text: &str,
    stated: Option<TextKind>,
) -> Result<String, Diagnostics> {
    match stated.or_else(|| kind_of(path)) {
        Some(TextKind::Template) => format(source, text, Layout::Template),
        Some(TextKind::Data) => format(source, text, Layout::Data),
        // Most texts can be read as data, which are changed least; what cannot may be a template.
        None => format(source, text, Layout::Data)
            .or_else(|found| format(source, text, Layout::Template).map_err(|_| found)),
    }
}
