//! `nlog run` and `nlog check`.

use super::args::{CheckArgs, FileArgs, RunArgs, SettingArgs};
use super::{Console, Stop, table};
use crate::diag::{Diagnostic, codes, suggest};
use crate::io::Inputs;
use crate::io::inputs::ExampleFiles;
use crate::learn::{
    Batch, Distribution, Initializer, Loss, Optimizer, Reduction, Schedule, TrainSettings,
};
use crate::session::{Network, Precision, Session, Settings, Unprovable};
use crate::template::lower::DefaultOverrides;
use crate::tensor::functions::{Activation, Aggregation, FnArg, ParseError};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

fn usage(title: impl Into<String>) -> Diagnostic {
    Diagnostic::new(codes::USAGE, title)
}

/// The files that the operands and options name.
pub fn inputs(files: &FileArgs) -> Result<Inputs, Stop> {
    let stop = |d: Diagnostic| Stop::Usage(Box::new(d));
    let mut inputs = Inputs::default();
    let mut operands = files.template.iter().chain(&files.data);
    match operands.clone().next() {
        Some(dir) if dir.is_dir() => {
            inputs = Inputs::folder(dir).map_err(stop)?;
            operands.next();
        }
        _ => {}
    }
    if !files.templates.is_empty() {
        inputs.templates.clone_from(&files.templates);
    } else if inputs.templates.is_empty() {
        let template = operands.next().ok_or_else(|| {
            stop(usage("no template is given").help("`nlog run template.lrnn facts.db`, or `nlog run FOLDER`"))
        })?;
        inputs.templates.push(template.clone());
    }
    inputs.data.extend(operands.cloned());
    let set = |slot: &mut ExampleFiles, examples: &Option<_>, queries: &Option<_>| {
        if examples.is_some() {
            slot.examples.clone_from(examples);
        }
        if queries.is_some() {
            slot.queries.clone_from(queries);
        }
    };
    set(&mut inputs.train, &files.examples, &files.queries);
    set(&mut inputs.validation, &files.val_examples, &files.val_queries);
    set(&mut inputs.test, &files.test_examples, &files.test_queries);
    Ok(inputs)
}

/// One of several names, or an error that lists them.
fn choose<T>(option: &str, given: &str, names: &[&'static str], parsed: Option<T>) -> Result<T, Diagnostic> {
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
    match parse(name, &args) {
        Ok(f) => Ok(f),
        Err(ParseError::Unknown) => choose(option, name, names, None),
        Err(ParseError::Args(wanted)) => Err(usage(format!("`{name}` takes {wanted}"))),
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
    let distribution = choose("--dist", &args.dist, Distribution::names(), Distribution::parse(&args.dist))?;
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
    let found = [("cut", true), ("error", false)].iter().find(|(n, _)| *n == args.cycles).map(|(_, c)| *c);
    let cut_cycles = choose("--cycles", &args.cycles, &["cut", "error"], found)?;
    for (option, value) in [("--lr", args.lr), ("--decay", args.decay), ("--clip-norm", args.clip_norm)] {
        if value.is_some_and(|v| !(v.is_finite() && v > 0.0)) {
            return Err(usage(format!("`{option}` takes a positive number")));
        }
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
        },
        max_ground: args.max_ground,
        unprovable,
        cut_cycles,
        precision,
    })
}

/// Fixes the number of threads for the whole process.
pub fn set_threads(threads: Option<usize>) -> Result<(), Stop> {
    if let Some(n) = threads {
        if n == 0 {
            return Err(Stop::Usage(Box::new(usage("`--threads` takes a positive number"))));
        }
        rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build_global()
            .map_err(|e| Stop::Usage(Box::new(usage(format!("cannot start {n} threads: {e}")))))?;
    }
    Ok(())
}

/// `nlog check`.
pub fn check(args: CheckArgs, console: &Console) -> Result<(), Stop> {
    let inputs = inputs(&args.files)?;
    let (session, found) = Session::load(&inputs, Settings::default());
    console.report(&found, &session.sources)?;
    let template = &session.template;
    console.note(&format!(
        "{} rules, {} weights with {} learnable numbers, {} facts, {} queries: no errors",
        template.rules.len(),
        template.weights.len(),
        template.parameter_count(),
        session.database.fact_count() + template.facts.len(),
        session.database.queries.len(),
    ));
    Ok(())
}

/// `nlog run`.
pub fn run(args: RunArgs, console: &Console) -> Result<(), Stop> {
    let start = Instant::now();
    set_threads(args.settings.threads)?;
    let inputs = inputs(&args.files)?;
    let settings = settings(&args.settings)?;
    if let Some(path) = &args.predictions
        && table::Format::of(path).is_none()
    {
        let d = usage(format!("`--predictions` writes .csv or .jsonl, not `{}`", path.display()));
        return Err(Stop::Usage(Box::new(d)));
    }
    let (session, found) = Session::load(&inputs, settings);
    console.report(&found, &session.sources)?;
    if session.database.queries.is_empty() {
        let d = Diagnostic::new(codes::NO_QUERIES, "there is no query: nothing to compute or to learn from")
            .help("ask with `?- path(a,X).`, label examples with `1.0 toxic :- bond(a1,a2).`, or use `--queries`");
        return console.report(&[d], &session.sources);
    }
    let (network, found) = session.build();
    console.report(&found, &session.sources)?;
    let network = network.ok_or(Stop::Fault)?;
    if console.verbose {
        console.note(&table::sizes(&session, &network));
    }
    let mut parameters = session.initial_parameters();
    let outcome = {
        let bar = progress(&session, &network, console);
        let mut watch = |e: &crate::learn::EpochReport| {
            bar.inc(1);
            let error = e.validation_error.or(e.train_error).unwrap_or(e.online_error);
            let accuracy = e.validation_accuracy.or(e.train_accuracy);
            let accuracy = accuracy.map_or(String::new(), |a| format!(", accuracy {:.1} %", a * 100.0));
            bar.set_message(format!("error {error:.6}{accuracy}"));
            ControlFlow::Continue(())
        };
        let result = session.run(&network, &mut parameters, &mut watch);
        bar.finish_and_clear();
        result
    };
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(d) => return console.report(&[d], &session.sources),
    };
    let mut stdout = std::io::BufWriter::new(std::io::stdout().lock());
    table::summary(&mut stdout, &session, &network, &outcome)?;
    if args.weights {
        table::weights(&mut stdout, &session, &parameters)?;
    }
    stdout.flush()?;
    if let Some(path) = &args.predictions {
        write_file(path, console, &session, |out| table::predictions(out, path, &session, &network, &outcome))?;
    }
    if let Some(path) = &args.report {
        let total = start.elapsed().as_secs_f64();
        let report = session.report(&network, &outcome, settings_json(&args.settings), total, peak_mb());
        write_file(path, console, &session, |out| {
            serde_json::to_writer_pretty(&mut *out, &report)?;
            writeln!(out)
        })?;
    }
    Ok(())
}

fn progress(session: &Session, network: &Network, console: &Console) -> ProgressBar {
    let epochs = if network.samples.is_empty() { 0 } else { session.settings.train.epochs };
    if epochs == 0 || console.quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(epochs as u64), ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} epochs, {eta} left, {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[allow(clippy::disallowed_methods)]
fn write_file(
    path: &Path,
    console: &Console,
    session: &Session,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Stop> {
    let result = std::fs::File::create(path).and_then(|file| {
        let mut out = std::io::BufWriter::new(file);
        write(&mut out)?;
        out.flush()
    });
    result.or_else(|e| {
        let d = Diagnostic::new(codes::CANNOT_WRITE, format!("cannot write `{}`: {e}", path.display()));
        console.report(&[d], &session.sources)
    })
}

/// The settings by the names of their options.
fn settings_json(args: &SettingArgs) -> serde_json::Value {
    serde_json::json!({
        "epochs": args.epochs,
        "optimizer": args.optimizer,
        "lr": args.lr,
        "decay": args.decay,
        "decay_every": args.decay_every,
        "batch": args.batch,
        "loss": args.loss,
        "init": args.init,
        "dist": args.dist,
        "weight_decay": args.weight_decay,
        "clip_norm": args.clip_norm,
        "clip_value": args.clip_value,
        "reduction": args.reduction,
        "shuffle": !args.no_shuffle,
        "eval_every": args.eval_every,
        "threads": args.threads,
        "precision": args.precision,
        "max_ground": args.max_ground,
        "unprovable": args.unprovable,
        "cycles": args.cycles,
        "rule_activation": args.rule_activation,
        "atom_activation": args.atom_activation,
        "aggregation": args.aggregation,
    })
}

/// Peak resident memory in MiB, where the system says (Linux).
#[allow(clippy::disallowed_methods)]
fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
