//! Options that front ends share: which files, how to compute and train.

use super::{Console, Stop};
use crate::base::span::SourceMap;
use crate::diag::{Diagnostic, codes, suggest};
use crate::graph::lift::Scope;
use crate::io::inputs::ExampleFiles;
use crate::io::{Inputs, library};
use crate::learn::{Batch, Distribution, Initializer, Loss, Optimizer, Reduction, Schedule, TrainSettings};
use crate::session::{Compat, LiftMode, Precision, Settings, Unprovable};
use crate::template::lower::DefaultOverrides;
use crate::tensor::functions::{Activation, Aggregation, FnArg, ParseError};
use clap::Args;
use std::path::{Path, PathBuf};

/// The distribution of `--init simple` where none is stated.
pub const DISTRIBUTION: &str = "uniform";

/// Which files.
#[derive(Debug, Clone, Default, Args)]
pub struct FileArgs {
    /// The template, or a folder with template.txt, trainExamples.txt, trainQueries.txt and so on.
    #[arg(value_name = "TEMPLATE|FOLDER")]
    pub template: Option<PathBuf>,
    /// Facts, examples and queries (`-`: standard input); tables of facts (.csv, .tsv, SQLite, Parquet).
    #[arg(value_name = "DATA")]
    pub data: Vec<PathBuf>,
    /// Template file(s), instead of the first operand.
    #[arg(long = "template", value_name = "FILE", value_delimiter = ',')]
    pub templates: Vec<PathBuf>,
    /// A folder to look for imports in, before the standard library; may be repeated.
    #[arg(long = "lib", value_name = "DIR")]
    pub libraries: Vec<PathBuf>,
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
    /// Distribution of `--init simple`: uniform (default), normal, constant or longtail.
    #[arg(long, value_name = "NAME", help_heading = "Training")]
    pub dist: Option<String>,
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
    /// Stop when the best model is N epochs old: no evaluation since then found a smaller error on the validation samples
    /// (without any, on the training samples).
    #[arg(long, visible_alias = "early-stopping", value_name = "N", help_heading = "Training")]
    pub patience: Option<usize>,
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
    /// Which neurons that are equal whatever the weights are computed once: off, sample (those of one world), batch or
    /// all (those of all worlds; a batch computes what its samples need).
    #[arg(long, value_name = "SCOPE", default_value = "sample", help_heading = "Computation")]
    pub lift: String,
    /// off, or where this engine mends the reference its meaning: neuralogic (32-bit scalars, max/min of whole vectors,
    /// chain pruning that loses functions, queried inner atoms seen as logits), neuralogic-unpruned (all but pruning).
    #[arg(long, value_name = "NAME", default_value = "off", help_heading = "Computation")]
    pub compat: String,
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

/// A fault of the command line.
pub fn usage(title: impl Into<String>) -> Diagnostic {
    Diagnostic::new(codes::USAGE, title)
}

/// The files that the operands and options name; the folders of `--lib` must be there.
pub fn inputs(files: &FileArgs, console: &Console) -> Result<Inputs, Stop> {
    console.report(&library::check_folders(&files.libraries), &SourceMap::new())?;
    let stop = |d: Diagnostic| Stop::Usage(Box::new(d));
    let mut inputs = Inputs::default();
    let mut operands = files.template.iter().chain(&files.data);
    match operands.clone().next() {
        Some(dir) if dir.is_dir() => {
            // Like a file that is missing, a folder without a template is no fault of the command line.
            inputs = match Inputs::folder(dir) {
                Ok(inputs) => inputs,
                Err(d) => {
                    console.report(&[d], &SourceMap::new())?;
                    return Err(Stop::Fault);
                }
            };
            console.diagnostics(&inputs.unread(dir).into_iter().collect::<Vec<_>>(), &SourceMap::new());
            operands.next();
        }
        _ => {}
    }
    inputs.libraries.clone_from(&files.libraries);
    if !files.templates.is_empty() {
        inputs.templates.clone_from(&files.templates);
    } else if inputs.templates.is_empty() {
        let template = operands.next().ok_or_else(|| {
            stop(
                usage("no template is given").help("`nlog run template.lrnn facts.db`, or `nlog run FOLDER`"),
            )
        })?;
        inputs.templates.push(template.clone());
    }
    inputs.data.extend(operands.cloned());
    swapped(&inputs).map_or(Ok(()), |d| Err(stop(d)))?;
    let set = |slot: &mut ExampleFiles, examples: &Option<_>, queries: &Option<_>| {
        if examples.is_some() {
            slot.examples.clone_from(examples);
        }
        if queries.is_some() {
            slot.queries.clone_from(queries);
        }
    };
    for (i, path) in inputs.data.iter().enumerate() {
        let same = |p: &&PathBuf| {
            **p == *path || p.canonicalize().is_ok_and(|p| path.canonicalize().is_ok_and(|q| p == q))
        };
        if inputs.data[..i].iter().any(|p| same(&p)) {
            let what = if path == Path::new("-") {
                "standard input (`-`)".to_string()
            } else {
                format!("`{}`", path.display())
            };
            return Err(stop(usage(format!("{what} is given twice as data")).help("each file is read once")));
        }
    }
    set(&mut inputs.train, &files.examples, &files.queries);
    set(&mut inputs.validation, &files.val_examples, &files.val_queries);
    set(&mut inputs.test, &files.test_examples, &files.test_queries);
    Ok(inputs)
}

/// A template among the data and data for a template, by the endings of their names.
fn swapped(inputs: &Inputs) -> Option<Diagnostic> {
    let ends = |p: &Path, endings: &[&str]| p.extension().is_some_and(|e| endings.iter().any(|x| e == *x));
    let template = inputs.templates.iter().find(|p| ends(p, &["db", "csv", "tsv"]))?;
    let data = inputs.data.iter().find(|p| ends(p, &["lrnn"]))?;
    let title = format!("`{}` is given as the template and `{}` as data", template.display(), data.display());
    Some(usage(title).help(format!(
        "the template comes first: `nlog run {} {}`",
        data.display(),
        template.display()
    )))
}

/// One of several names, or an error that lists them.
pub fn choose<T>(
    option: &str,
    given: &str,
    names: &[&'static str],
    parsed: Option<T>,
) -> Result<T, Diagnostic> {
    parsed.ok_or_else(|| {
        let list = names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        let mut d = usage(format!("`{option}` takes one of {list}, not `{given}`"));
        d.help = suggest::did_you_mean(given, names.iter().copied());
        d
    })
}

/// A function as on the command line: `relu`, `leakyrelu(0.2)`.
fn function<F>(
    option: &str,
    text: &str,
    parse: impl Fn(&str, &[FnArg]) -> Result<F, ParseError>,
    names: &[&'static str],
) -> Result<F, Diagnostic> {
    let (name, args) = match text.strip_suffix(')').and_then(|t| t.split_once('(')) {
        Some((name, args)) => (name, args.split(',').map(str::trim).collect()),
        None => (text, Vec::new()),
    };
    let args: Vec<FnArg> = args
        .iter()
        .map(|a| a.parse().map_or_else(|_| FnArg::Word((*a).to_string()), FnArg::Number))
        .collect();
    if matches!(name, "softmax" | "sparsemax") && !args.is_empty() {
        let title = format!("`{option}` is for rules of all heads, whose variables `{text}` cannot name");
        return Err(usage(title).help(format!("write it at its rule: `a(X,Y) :- … [aggregation={name}(Y)]`")));
    }
    match parse(name, &args) {
        Ok(f) => Ok(f),
        Err(ParseError::Unknown) => choose(option, name, names, None).map_err(|mut d| {
            d.help = suggest::function_meant(name, names);
            d
        }),
        Err(ParseError::Args(wanted)) => Err(usage(wanted)),
    }
}

/// The settings that the options state.
pub fn settings(args: &SettingArgs) -> Result<Settings, Stop> {
    read_settings(args).map_err(|d| Stop::Usage(Box::new(d)))
}

fn read_settings(args: &SettingArgs) -> Result<Settings, Diagnostic> {
    let optimizer =
        choose("--optimizer", &args.optimizer, Optimizer::names(), Optimizer::parse(&args.optimizer))?;
    let loss = choose("--loss", &args.loss, Loss::names(), Loss::parse(&args.loss))?;
    let dist = args.dist.as_deref().unwrap_or(DISTRIBUTION);
    let distribution = choose("--dist", dist, Distribution::names(), Distribution::parse(dist))?;
    let initializer = choose("--init", &args.init, Initializer::names(), Initializer::parse(&args.init))?;
    let initializer = match initializer {
        Initializer::Simple(_) => Initializer::Simple(distribution),
        other => other,
    };
    let batch = match args.batch.as_str() {
        "all" => Batch::All,
        n => match n.parse::<usize>() {
            Ok(n) if n > 0 => Batch::Size(n),
            _ => return Err(usage(format!("`--batch` takes a positive number or `all`, not `{n}`"))),
        },
    };
    let reductions = [("mean", Reduction::Mean), ("sum", Reduction::Sum)];
    let found = reductions.iter().find(|(n, _)| *n == args.reduction).map(|(_, r)| *r);
    let reduction = choose("--reduction", &args.reduction, &["mean", "sum"], found)?;
    let precisions = [("f64", Precision::F64), ("f32", Precision::F32)];
    let found = precisions.iter().find(|(n, _)| *n == args.precision).map(|(_, p)| *p);
    let precision = choose("--precision", &args.precision, &["f64", "f32"], found)?;
    let unprovable = match args.unprovable.as_str() {
        "error" => Unprovable::Error,
        "skip" => Unprovable::Skip,
        other => match other.strip_prefix("value:").and_then(|v| v.parse::<f64>().ok()) {
            Some(v) if v.is_finite() => Unprovable::Value(v),
            _ => return Err(usage(format!("`--unprovable` takes error, skip or value:X, not `{other}`"))),
        },
    };
    let compat = choose("--compat", &args.compat, Compat::names(), Compat::parse(&args.compat))?;
    let found = [("cut", true), ("error", false)].iter().find(|(n, _)| *n == args.cycles).map(|(_, c)| *c);
    let cut_cycles = choose("--cycles", &args.cycles, &["cut", "error"], found)?;
    let scopes = [("off", Scope::Off), ("sample", Scope::Sample), ("batch", Scope::All), ("all", Scope::All)];
    let found = scopes.iter().find(|(n, _)| *n == args.lift).map(|(_, s)| *s);
    let lift = choose("--lift", &args.lift, &["off", "sample", "batch", "all"], found)?;
    for (option, value) in [
        ("--lr", args.lr),
        ("--decay", args.decay),
        ("--clip-norm", args.clip_norm),
        ("--clip-value", args.clip_value),
    ] {
        if value.is_some_and(|v| !(v.is_finite() && v > 0.0)) {
            return Err(usage(format!("`{option}` takes a positive number")));
        }
    }
    if !(args.weight_decay.is_finite() && args.weight_decay >= 0.0) {
        return Err(usage("`--weight-decay` takes a number that is not negative"));
    }
    if args.decay_every == 0 {
        return Err(usage("`--decay-every` takes a positive number of epochs"));
    }
    if args.eval_every == 0 {
        return Err(usage("`--eval-every` takes a positive number of epochs"));
    }
    if args.patience == Some(0) {
        return Err(usage("`--patience` takes a positive number of epochs"));
    }
    if args.patience.is_some() && args.epochs == 0 {
        return Err(usage("`--epochs 0` trains nothing that `--patience` could end"));
    }
    let schedule = match args.decay {
        Some(rate) => Schedule::Geometric { rate, every: args.decay_every },
        None => Schedule::Constant,
    };
    let activation = |option: &str, text: &Option<String>| {
        text.as_ref().map(|t| function(option, t, Activation::parse, Activation::names())).transpose()
    };
    let overrides = DefaultOverrides {
        rule_activation: activation("--rule-activation", &args.rule_activation)?,
        atom_activation: activation("--atom-activation", &args.atom_activation)?,
        aggregation: args
            .aggregation
            .as_ref()
            .map(|t| function("--aggregation", t, Aggregation::parse, Aggregation::names()))
            .transpose()?,
    };
    Ok(Settings {
        overrides,
        train: TrainSettings {
            epochs: args.epochs,
            batch,
            optimizer,
            learning_rate: args.lr,
            schedule,
            weight_decay: args.weight_decay,
            clip_norm: args.clip_norm,
            clip_value: args.clip_value,
            reduction,
            loss,
            initializer,
            seed: args.seed,
            shuffle: !args.no_shuffle,
            evaluate_every: args.eval_every,
            patience: args.patience,
        },
        max_ground: args.max_ground,
        unprovable,
        cut_cycles,
        precision,
        lift,
        lift_mode: LiftMode::default(),
        compat,
        finds_members: true,
        profile: false,
    })
}

/// Fixes the number of threads for the whole process.
pub fn set_threads(threads: Option<usize>) -> Result<(), Stop> {
    if let Some(n) = threads {
        // Far above any machine that runs this, far below what hangs one.
        const MOST: usize = 1024;
        if n == 0 || n > MOST {
            return Err(Stop::Usage(Box::new(usage(format!("`--threads` takes a number from 1 to {MOST}")))));
        }
        rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build_global()
            .map_err(|e| Stop::Usage(Box::new(usage(format!("cannot start {n} threads: {e}")))))?;
    }
    Ok(())
}

/// The settings by the names of their options.
pub fn settings_json(args: &SettingArgs) -> serde_json::Value {
    serde_json::json!({
        "epochs": args.epochs,
        "optimizer": args.optimizer,
        "lr": args.lr,
        "decay": args.decay,
        "decay_every": args.decay_every,
        "batch": args.batch,
        "loss": args.loss,
        "init": args.init,
        "dist": args.dist.as_deref().unwrap_or(DISTRIBUTION),
        "weight_decay": args.weight_decay,
        "clip_norm": args.clip_norm,
        "clip_value": args.clip_value,
        "reduction": args.reduction,
        "shuffle": !args.no_shuffle,
        "eval_every": args.eval_every,
        "patience": args.patience,
        "threads": args.threads,
        "precision": args.precision,
        "max_ground": args.max_ground,
        "unprovable": args.unprovable,
        "cycles": args.cycles,
        "lift": args.lift,
        "compat": args.compat,
        "rule_activation": args.rule_activation,
        "atom_activation": args.atom_activation,
        "aggregation": args.aggregation,
    })
}
