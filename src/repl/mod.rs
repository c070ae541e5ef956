//! Layer 12, front end: the interactive explorer.

use crate::console::options::{FileArgs, SettingArgs};
use crate::console::{Console, Stop};
use clap::Args;

/// `nlog repl`.
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
pub fn main(_args: ReplArgs, _console: &Console) -> Result<(), Stop> {
    Ok(())
}
