//! `nlog lib`.

use super::args::{LibArgs, LibCommand};
use crate::base::span::SourceMap;
use crate::console::{Console, Stop};
use crate::diag::{Diagnostic, codes, suggest};
use crate::expand;
use crate::io::library::{self, Listed};
use std::io::Write;

/// `nlog lib`: the modules that can be imported, or one of them. A file of a folder of `--lib` that cannot be read or
/// parsed is told behind the list of the others, and makes it fail; a module that is shown is shown beside it.
pub fn lib(args: &LibArgs, console: &Console) -> Result<(), Stop> {
    let mut sources = SourceMap::new();
    console.report(&library::check_folders(&args.libraries), &sources)?;
    let (listed, found) = library::modules(&args.libraries, &mut sources);
    let (text, left_out) = match &args.command {
        None => (table(&listed), found),
        Some(LibCommand::Show { name }) => match show(name, &listed) {
            Ok(text) => (text, Vec::new()),
            Err(d) => {
                console.diagnostics(&found, &sources);
                return Err(Stop::Usage(d));
            }
        },
    };
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    console.report(&left_out, &sources)
}

/// The modules by path, each with its parameters and the first line of its documentation.
fn table(listed: &[Listed]) -> String {
    let mut out = String::new();
    for module in listed {
        out += &format!("{}  {}\n", module.path, expand::shown(&module.module));
        if let Some(line) = module.module.doc.iter().find(|l| !l.is_empty()) {
            out += &format!("    {line}\n");
        }
    }
    out
}

/// The file of a path, or of the module of a name.
fn show(name: &str, listed: &[Listed]) -> Result<String, Box<Diagnostic>> {
    let path = name.strip_suffix(".lrnn").unwrap_or(name);
    let found = listed.iter().find(|l| l.path == path);
    if let Some(found) = found.or_else(|| listed.iter().find(|l| l.module.name.node == name)) {
        return Ok(found.text.to_string());
    }
    let title = format!("there is no module `{name}` that could be imported");
    let mut d = Diagnostic::new(codes::UNKNOWN_MODULE, title);
    let names = listed.iter().flat_map(|l| [l.path.as_str(), l.module.name.node.as_str()]);
    d.help = suggest::did_you_mean(name, names).or_else(|| Some("`nlog lib` lists all modules".to_string()));
    Err(Box::new(d))
}
