//! Layer 12, front end: the command line.

pub mod args;
pub mod run;
pub mod table;

use crate::base::span::SourceMap;
use crate::diag::{Diagnostic, Severity, has_errors, render};
use args::{Cli, Command};
use clap::Parser;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// The user's program or data is at fault.
pub const FAULT: u8 = 1;
/// The command line is at fault.
pub const USAGE: u8 = 2;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            let to_stdout = !e.use_stderr();
            // A broken pipe is success.
            let _ = e.print();
            return if to_stdout { ExitCode::SUCCESS } else { ExitCode::from(USAGE) };
        }
    };
    let console = Console::new(&cli);
    let result = match cli.command {
        Command::Run(args) => run::run(*args, &console),
        Command::Check(args) => run::check(*args, &console),
        Command::Repl(args) => crate::repl::main(*args, &console),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Fault) => ExitCode::from(FAULT),
        Err(Stop::Usage(d)) => {
            console.diagnostics(&[*d], &SourceMap::new());
            ExitCode::from(USAGE)
        }
        Err(Stop::Pipe) => ExitCode::SUCCESS,
        Err(Stop::Write(e)) => {
            console.error_line(&format!("nlog: cannot write the results: {e}"));
            ExitCode::from(FAULT)
        }
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub enum Stop {
    /// Diagnostics have been shown.
    Fault,
    /// The command line cannot be used.
    Usage(Box<Diagnostic>),
    /// Nobody reads the results any more.
    Pipe,
    /// The results cannot be written.
    Write(std::io::Error),
}

impl From<std::io::Error> for Stop {
    fn from(e: std::io::Error) -> Self {
        if e.kind() == std::io::ErrorKind::BrokenPipe { Stop::Pipe } else { Stop::Write(e) }
    }
}

/// Where messages and results go: results to standard output, everything else to standard error.
#[derive(Debug, Clone)]
pub struct Console {
    /// Colours in messages.
    pub color: bool,
    /// Less than usual on standard error: only errors.
    pub quiet: bool,
    /// More than usual.
    pub verbose: bool,
}

impl Console {
    fn new(cli: &Cli) -> Self {
        let color = match cli.color {
            args::When::Always => true,
            args::When::Never => false,
            args::When::Auto => {
                std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
            }
        };
        Console { color, quiet: cli.quiet, verbose: cli.verbose > 0 }
    }

    /// Shows diagnostics on standard error (warnings unless quiet); an error if one of them is.
    pub fn report(&self, diagnostics: &[Diagnostic], sources: &SourceMap) -> Result<(), Stop> {
        self.diagnostics(diagnostics, sources);
        if has_errors(diagnostics) { Err(Stop::Fault) } else { Ok(()) }
    }

    /// Shows diagnostics.
    pub fn diagnostics(&self, diagnostics: &[Diagnostic], sources: &SourceMap) {
        let mut stderr = std::io::stderr().lock();
        for d in diagnostics {
            if d.severity == Severity::Error || !self.quiet {
                // Nothing can be done about a standard error that cannot be written.
                let _ = stderr.write_all(render::render(d, sources, self.color).as_bytes());
            }
        }
    }

    /// A line on standard error unless quiet.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.error_line(text);
        }
    }

    fn error_line(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}
