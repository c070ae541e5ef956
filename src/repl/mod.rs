//! Layer 12, front end: the interactive explorer.
//!
//! The [`engine`] takes entries and returns results, messages and diagnostics; it prints nothing, so that another front
//! end (a notebook, a language server) can use it. The [`terminal`] and the [`script`] reader are its two front ends
//! here.

pub mod commands;
pub mod engine;
pub mod help;
pub mod script;
pub mod settings;
pub mod terminal;

use crate::console::options::{self, FileArgs, SettingArgs};
use crate::console::{Console, Stop};
use crate::diag::{Diagnostic, codes, has_errors};
use crate::io::{self, Inputs};
use clap::Args;
use engine::{Engine, Output, Reply};
use std::io::{IsTerminal, Write};
use std::path::Path;

/// Arguments of `nlog repl`.
#[derive(Debug, Clone, Args)]
pub struct ReplArgs {
    /// Files.
    #[command(flatten)]
    pub files: FileArgs,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingArgs,
}

/// `nlog repl`.
pub fn main(args: ReplArgs, console: &Console) -> Result<(), Stop> {
    options::set_threads(args.settings.threads)?;
    let inputs = inputs(&args.files, console)?;
    let settings = options::settings(&args.settings)?;
    let (mut engine, found) = Engine::load(&inputs, args.settings, settings);
    console.diagnostics(&found, engine.sources());
    if has_errors(&found) {
        return Err(Stop::Fault);
    }
    if std::io::stdin().is_terminal() {
        terminal::talk(&mut engine, console)
    } else {
        read_script(&mut engine, console)
    }
}

/// The files that the command line names; here there may be none.
fn inputs(files: &FileArgs, console: &Console) -> Result<Inputs, Stop> {
    let operands = files.template.iter().chain(&files.data).chain(&files.templates);
    if operands.clone().any(|p| p == Path::new("-")) {
        let d = Diagnostic::new(
            codes::USAGE,
            "`-` cannot name data here: standard input is where entries come from",
        );
        return Err(Stop::Usage(Box::new(d)));
    }
    let mut files = files.clone();
    // `:load facts.db` reads data; so does `nlog repl facts.db`.
    if let Some(first) = &files.template
        && first.extension().is_some_and(|e| e == "db")
    {
        files.data.insert(0, first.clone());
        files.template = None;
    }
    if files.template.is_some() || !files.templates.is_empty() {
        return options::inputs(&files, console);
    }
    // Without a template all operands are data. The option keeps `inputs` from taking the first as the template.
    files.templates.push(Path::new("-").to_path_buf());
    let mut inputs = options::inputs(&files, console)?;
    inputs.templates.clear();
    Ok(inputs)
}

/// Executes standard input, entry by entry, and goes on after errors; fails if there was one.
fn read_script(engine: &mut Engine, console: &Console) -> Result<(), Stop> {
    let source = match io::read_text(Path::new("-"), engine.sources_mut()) {
        Ok(source) => source,
        Err(d) => return console.report(&[d], engine.sources()),
    };
    let text = engine.sources().text(source).to_string();
    let mut failed = false;
    for range in script::Entries::new(&text) {
        let reply = engine.execute(source, range);
        show(&reply, engine, console)?;
        failed |= reply.failed();
        if reply.quit {
            break;
        }
    }
    if failed { Err(Stop::Fault) } else { Ok(()) }
}

/// Results to standard output, everything else to standard error, in order.
fn show(reply: &Reply, engine: &Engine, console: &Console) -> Result<(), Stop> {
    for output in &reply.outputs {
        match output {
            Output::Result(text) => {
                let mut stdout = std::io::stdout().lock();
                stdout.write_all(text.as_bytes())?;
                stdout.flush()?;
            }
            Output::Message(text) => console.note(text),
            Output::Diagnostic(d) => console.diagnostics(std::slice::from_ref(d), engine.sources()),
        }
    }
    Ok(())
}
