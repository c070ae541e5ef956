//! Command-line arguments, as clap reads them.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Lifted relational neural networks: rules with weights, grounded on facts, trained by backpropagation.
///
/// text → tokens → AST → template → plan → ground program → graph → program → values & gradients → model → answers
#[derive(Debug, Parser)]
#[command(name = "nlog", version, max_term_width = 100)]
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
    /// Read and check a template (and data) without grounding.
    Check(Box<CheckArgs>),
    /// Explore a template and its data interactively; reads a script when standard input is no terminal.
    Repl(Box<ReplArgs>),
}

/// Which files.
#[derive(Debug, Clone, Default, Args)]
pub struct FileArgs {
    /// The template, or a folder with template.txt, trainExamples.txt, trainQueries.txt and so on.
    #[arg(value_name = "TEMPLATE|FOLDER")]
    pub template: Option<PathBuf>,
    /// Facts, examples and queries (`-`: standard input).
    #[arg(value_name = "DATA")]
    pub data: Vec<PathBuf>,
    /// Template file(s), instead of the first operand.
    #[arg(long = "template", value_name = "FILE", value_delimiter = ',')]
    pub templates: Vec<PathBuf>,
    /// Examples, one per statement (the reference engine's format).
    #[arg(long, visible_alias = "train-examples", value_name = "FILE")]
    pub examples: Option<PathBuf>,
    /// Queries for the examples, one line per example.
    #[arg(long, visible_alias = "train-queries", value_name = "FILE")]
    pub queries: Option<PathBuf>,
    /// Validation examples: the best model is chosen by them.
    #[arg(long, value_name = "FILE")]
    pub val_examples: Option<PathBuf>,
    /// Queries for the validation examples.
    #[arg(long, value_name = "FILE")]
    pub val_queries: Option<PathBuf>,
    /// Test examples: only reported on.
    #[arg(long, value_name = "FILE")]
    pub test_examples: Option<PathBuf>,
    /// Queries for the test examples.
    #[arg(long, value_name = "FILE")]
    pub test_queries: Option<PathBuf>,
}

/// How to compute and train.
#[derive(Debug, Clone, Args)]
pub struct SettingArgs {
    /// Passes over the training samples.
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Training")]
    pub epochs: usize,
    /// sgd or adam.
    #[arg(long, value_name = "NAME", default_value = "adam", help_heading = "Training")]
    pub optimizer: String,
    /// Learning rate [default: 0.001 for adam, 0.1 for sgd].
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "Training")]
    pub lr: Option<f64>,
    /// Multiply the learning rate by X every `--decay-every` epochs.
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "Training")]
    pub decay: Option<f64>,
    /// Epochs between decays.
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Training")]
    pub decay_every: usize,
    /// Samples per step, or `all`.
    #[arg(long, value_name = "N|all", default_value = "1", help_heading = "Training")]
    pub batch: String,
    /// softentropy, crossentropy, mse or absdiff.
    #[arg(long, value_name = "NAME", default_value = "softentropy", help_heading = "Training")]
    pub loss: String,
    /// How `{dims}` weights are drawn: glorot, he, torch, or simple with a distribution.
    #[arg(long, value_name = "NAME", default_value = "glorot", help_heading = "Training")]
    pub init: String,
    /// Distribution of `--init simple`: uniform, normal, constant or longtail.
    #[arg(long, value_name = "NAME", default_value = "uniform", help_heading = "Training")]
    pub dist: String,
    /// Weight decay.
    #[arg(
        long,
        value_name = "X",
        allow_negative_numbers = true,
        default_value_t = 0.0,
        help_heading = "Training"
    )]
    pub weight_decay: f64,
    /// Greatest norm of a step's gradient.
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "Training")]
    pub clip_norm: Option<f64>,
    /// Greatest element of a step's gradient.
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "Training")]
    pub clip_value: Option<f64>,
    /// How a step's gradient is scaled: mean (over target elements) or sum.
    #[arg(long, value_name = "NAME", default_value = "mean", help_heading = "Training")]
    pub reduction: String,
    /// Keep the order of the samples.
    #[arg(long, help_heading = "Training")]
    pub no_shuffle: bool,
    /// Evaluate the model, and keep it if it is the best, every so many epochs.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Training")]
    pub eval_every: usize,
    /// Seed of all random numbers.
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Training")]
    pub seed: u64,
    /// Threads [default: one per core]. Results do not depend on it.
    #[arg(long, value_name = "N", help_heading = "Computation")]
    pub threads: Option<usize>,
    /// Width of numbers: f64 or f32.
    #[arg(long, value_name = "NAME", default_value = "f64", help_heading = "Computation")]
    pub precision: String,
    /// Most ground rules before grounding is given up.
    #[arg(long, value_name = "N", default_value_t = 20_000_000, help_heading = "Computation")]
    pub max_ground: usize,
    /// Queries that cannot be derived: error, skip, or value:X.
    #[arg(long, value_name = "WHAT", default_value = "error", help_heading = "Computation")]
    pub unprovable: String,
    /// Cycles among ground atoms: cut (leave out the ground rules that close them) or error.
    #[arg(long, value_name = "WHAT", default_value = "cut", help_heading = "Computation")]
    pub cycles: String,
    /// Activation of rules that state none.
    #[arg(long, value_name = "F", help_heading = "Template defaults")]
    pub rule_activation: Option<String>,
    /// Activation of predicates that state none.
    #[arg(long, value_name = "F", help_heading = "Template defaults")]
    pub atom_activation: Option<String>,
    /// Aggregation of rules that state none.
    #[arg(long, value_name = "F", help_heading = "Template defaults")]
    pub aggregation: Option<String>,
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
    /// Write every answer to a file: .csv, or .jsonl for one JSON object per line.
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    pub predictions: Option<PathBuf>,
    /// Write a report with sizes, times, metrics and the whole history.
    #[arg(long, value_name = "FILE.json", help_heading = "Results")]
    pub report: Option<PathBuf>,
    /// Print the learned weights.
    #[arg(long, help_heading = "Results")]
    pub weights: bool,
}

/// `nlog check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Files.
    #[command(flatten)]
    pub files: FileArgs,
}

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
