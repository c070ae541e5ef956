//! Layer 12, front end: the interactive explorer.

use crate::cli::args::ReplArgs;
use crate::cli::{Console, Stop};

/// `nlog repl`.
pub fn main(_args: ReplArgs, _console: &Console) -> Result<(), Stop> {
    Ok(())
}
