//! `nlog lib`.

use super::args::{LibArgs, LibCommand};
use crate::console::Stop;
use crate::diag::{Diagnostic, codes, suggest};
use crate::expand;
use crate::io::library::{self, Listed};
use std::io::Write;

/// `nlog lib`: the modules that can be imported, or one of them.
pub fn lib(args: &LibArgs) -> Result<(), Stop> {
    let listed = library::modules(&args.libraries);
    let text = match &args.command {
        None => table(&listed),
        Some(LibCommand::Show { name }) => show(name, &listed).map_err(Stop::Usage)?,
    };
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
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
