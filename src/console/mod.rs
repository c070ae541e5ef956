//! Layer 11: what front ends share: where messages and results go, options, tables of results.

pub mod lifting;
pub mod options;
pub mod profile;
pub mod table;

use crate::base::span::SourceMap;
use crate::diag::{Diagnostic, Severity, has_errors, once, render};
use std::io::{IsTerminal, Write};

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
    /// Colours as asked for, or, if nothing is asked, on a terminal without `NO_COLOR`.
    pub fn new(color: Option<bool>, quiet: bool, verbose: bool) -> Self {
        let wanted =
            || std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Console { color: color.unwrap_or_else(wanted), quiet, verbose }
    }

    /// Shows diagnostics on standard error (warnings unless quiet); an error if one of them is.
    pub fn report(&self, diagnostics: &[Diagnostic], sources: &SourceMap) -> Result<(), Stop> {
        self.diagnostics(diagnostics, sources);
        if has_errors(diagnostics) { Err(Stop::Fault) } else { Ok(()) }
    }

    /// Shows diagnostics.
    pub fn diagnostics(&self, diagnostics: &[Diagnostic], sources: &SourceMap) {
        let mut stderr = std::io::stderr().lock();
        for d in &once(diagnostics, sources) {
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

    /// A line on standard error.
    pub fn error_line(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}
