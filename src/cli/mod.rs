//! Layer 13, front end: the command line.

pub mod args;
pub mod data;
pub mod dump;
pub mod explain;
pub mod fmt;
pub mod lib;
pub mod lift;
pub mod plan;
mod quotient;
pub mod run;

use crate::base::span::SourceMap;
use crate::console::{Console, Stop};
use args::{Cli, Command};
use clap::Parser;
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
    let color = match cli.color {
        args::When::Always => Some(true),
        args::When::Never => Some(false),
        args::When::Auto => None,
    };
    let console = Console::new(color, cli.quiet, cli.verbose > 0);
    let result = match cli.command {
        Command::Run(args) => run::run(*args, &console),
        Command::Lift(args) => lift::lift(*args, &console),
        Command::Plan(args) => plan::plan(*args, &console),
        Command::Data(args) => data::data(*args, &console),
        Command::Check(args) => run::check(*args, &console),
        Command::Lib(args) => lib::lib(&args, &console),
        Command::Explain(args) => explain::explain(&args),
        Command::Fmt(args) => fmt::fmt(&args, &console),
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
