//! Command-line arguments, as clap reads them.

use super::data::args::DataArgs;
use crate::console::lifting::LiftModeArgs;
use crate::console::options::{FileArgs, SettingArgs};
use crate::repl::ReplArgs;
use clap::{Arg, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Lifted relational neural networks: rules with weights, grounded on facts, trained by backpropagation.
///
/// text → tokens → AST → template → plan → ground program → graph → program → values & gradients → model → answers
#[derive(Debug, Parser)]
#[command(
    name = "nlog",
    version,
    max_term_width = 100,
    after_help = "Every message has a code; `nlog explain E0401` says more about one, with a wrong and a right program."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Only errors on standard error.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// More on standard error.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Colours in messages.
    #[arg(long, global = true, value_enum, default_value_t = When::Auto)]
    pub color: When,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ground a template on data, train it if there are targets, and answer the queries.
    Run(Box<RunArgs>),
    /// Count the neurons of a template on data before and after equal ones are made one.
    Lift(Box<LiftArgs>),
    /// Tell how a template is executed on data, and why: join orders, indexes, forms of computation, rows.
    Plan(Box<PlanArgs>),
    /// Make facts from facts (neighbours, clusters, bases, Laplacians, colors), or make up graphs and molecules.
    Data(Box<DataArgs>),
    /// Read and check a template (and data); only what unbound variables cost is counted by grounding.
    Check(Box<CheckArgs>),
    /// List the modules that a template can import; show one with its documentation.
    Lib(LibArgs),
    /// Explain the code of a message, with a wrong and a right program; list all codes.
    Explain(ExplainArgs),
    /// Bring the white space of templates and data into its canonical form; comments stay.
    Fmt(FmtArgs),
    /// Explore a template and its data interactively; reads a script when standard input is no terminal.
    Repl(Box<ReplArgs>),
}

/// `nlog run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Files.
    #[command(flatten)]
    pub files: FileArgs,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingArgs,
    /// Modes of lifting.
    #[command(flatten)]
    pub lifting: LiftModeArgs,
    /// Cross-validation: train K times, each time on all training samples but one K-th, and test on that.
    #[arg(long, value_name = "K", help_heading = "Training", conflicts_with = "weights")]
    pub folds: Option<usize>,
    /// Write every answer to a file: .csv, or .jsonl for one JSON object per line.
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    pub predictions: Option<PathBuf>,
    /// Write a report with sizes, times, metrics and the whole history.
    #[arg(long, value_name = "FILE.json", help_heading = "Results")]
    pub report: Option<PathBuf>,
    /// Print the learned weights.
    #[arg(long, help_heading = "Results")]
    pub weights: bool,
    /// Print where the time went: by stage, and by operation of the rules (and write it into the report).
    #[arg(long, help_heading = "Results")]
    pub profile: bool,
    /// Answer without weights and training: bool (does it hold?), count (in how many ways?), maxmin (to what
    /// degree?) or minplus (at what least length?).
    #[arg(long, value_name = "NAME", help_heading = "Results", conflicts_with_all = [
        "weights", "profile", "optimizer", "lr", "decay", "batch", "loss", "init", "dist", "weight_decay", "clip_norm",
        "clip_value", "patience", "reduction", "eval_every", "precision",
    ])]
    pub semiring: Option<String>,
    /// Print a stage instead, and stop: tokens, ast, template, plan, ground, graph or program. With `--semiring`, `ground`
    /// has the values of what is derived, too.
    #[arg(
        long,
        value_name = "STAGE",
        help_heading = "Results",
        conflicts_with_all = ["predictions", "report", "weights", "folds", "profile"]
    )]
    pub dump: Option<String>,
}

/// `nlog lift`. Takes every setting of `nlog run`, so that a command can be repeated with the other word; those that only
/// concern training change nothing here and are not listed.
#[derive(Debug, Clone, Args)]
#[command(mut_args(lift_arg))]
pub struct LiftArgs {
    /// Files.
    #[command(flatten)]
    pub files: FileArgs,
    /// Settings; `--lift` may also be `both`, which is its default here.
    #[command(flatten)]
    pub settings: SettingArgs,
    /// Modes of lifting: what they leave of what exact lifting leaves.
    #[command(flatten)]
    pub lifting: LiftModeArgs,
    /// Compare outputs and gradients with those of the unlifted network at random weights; fail if they differ by more
    /// than 1e-9 of the greatest.
    #[arg(long, help_heading = "Checks")]
    pub verify: bool,
    /// Random draws of all weights that `--verify` compares at.
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Checks")]
    pub draws: usize,
    /// Name the samples that no weights can tell apart, and the errors that no training can avoid.
    #[arg(long, help_heading = "Checks")]
    pub audit: bool,
    /// Count the ground rules that would be left if rules were joined over classes of constants that they cannot tell
    /// apart. Only a count: grounding stays as it is.
    #[arg(long, help_heading = "Checks")]
    pub quotient: bool,
    /// Print one JSON object instead of text.
    #[arg(long, help_heading = "Results")]
    pub json: bool,
}

/// The settings of `nlog run` as `nlog lift` shows them.
fn lift_arg(arg: Arg) -> Arg {
    // The initial weights are those that lossy lifting is measured at.
    const USED: [&str; 4] = ["seed", "loss", "init", "dist"];
    let idle = arg.get_help_heading() == Some("Training") && !USED.contains(&arg.get_id().as_str());
    match arg.get_id().as_str() {
        "lift" => arg.default_value("both").help(
            "Which neurons may be one: off, sample (those of one world), batch or all (those of all worlds), or both, \
             sample and all one after the other",
        ),
        "lift_mode" => arg.visible_alias("mode"),
        _ => arg.hide(idle),
    }
}

/// `nlog plan`. Takes every setting of `nlog run`; those that change nothing here are not listed.
#[derive(Debug, Clone, Args)]
#[command(mut_args(plan_arg))]
pub struct PlanArgs {
    /// Files.
    #[command(flatten)]
    pub files: FileArgs,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingArgs,
    /// Modes of lifting.
    #[command(flatten)]
    pub lifting: LiftModeArgs,
    /// Print one JSON object instead of text.
    #[arg(long, help_heading = "Results")]
    pub json: bool,
}

/// The settings of `nlog run` as `nlog plan` shows them.
fn plan_arg(arg: Arg) -> Arg {
    // Samples of a step and the functions of outputs are part of what is decided.
    const USED: [&str; 2] = ["batch", "loss"];
    let idle = arg.get_help_heading() == Some("Training") && !USED.contains(&arg.get_id().as_str());
    arg.hide(idle)
}

/// `nlog check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Files.
    #[command(flatten)]
    pub files: FileArgs,
    /// Print the template with its modules, loops and imports as plain statements that mean the same.
    #[arg(long)]
    pub expand: bool,
}

/// `nlog lib`.
#[derive(Debug, Clone, Args)]
pub struct LibArgs {
    /// What to do instead of listing the modules.
    #[command(subcommand)]
    pub command: Option<LibCommand>,
    /// A folder whose modules come before those of the standard library; may be repeated.
    #[arg(long = "lib", value_name = "DIR", global = true)]
    pub libraries: Vec<PathBuf>,
}

/// Commands of `nlog lib`.
#[derive(Debug, Clone, Subcommand)]
pub enum LibCommand {
    /// Print the documentation and the source of a module.
    Show {
        /// What an import says (`gnn/gcn`), or the module's name.
        name: String,
    },
}

/// `nlog explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// A code such as E0401; without one, all codes are listed.
    pub code: Option<String>,
}

/// `nlog fmt`.
#[derive(Debug, Clone, Args)]
pub struct FmtArgs {
    /// Templates and data, rewritten in place (`-`: standard input to standard output).
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Write nothing: print the names of the files that would change, and fail if there are any.
    #[arg(long)]
    pub check: bool,
    /// What the files are [default: by name; `.lrnn`, `*template*` and `-` are templates].
    #[arg(long, value_enum)]
    pub kind: Option<TextKind>,
}

/// What a file is to `nlog fmt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TextKind {
    /// One statement per line.
    Template,
    /// Lines stay as they are.
    Data,
}
