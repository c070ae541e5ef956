//! `nlog run` and `nlog check`.

use super::args::{CheckArgs, RunArgs};
use super::dump::{Read, Stage, dump};
use crate::base::span::SourceMap;
use crate::console::options::{choose, inputs, set_threads, settings, settings_json, usage};
use crate::console::profile::write_profile;
use crate::console::{Console, Stop, lifting, table};
use crate::diag::{Diagnostic, codes, counted, has_errors};
use crate::exec::Parameters;
use crate::ground::semiring::Semiring;
use crate::io::Inputs;
use crate::session::report::FoldsReport;
use crate::session::{CrossValidation, LiftMode, LiftReport, Network, Outcome, Session, Settings};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

/// `nlog check`.
pub fn check(args: CheckArgs, console: &Console) -> Result<(), Stop> {
    let inputs = inputs(&args.files, console)?;
    let (session, files, found) =
        Session::load_program(&inputs, Settings { finds_members: false, ..Settings::default() });
    console.report(&found, &session.sources)?;
    if args.expand {
        let statements = files.into_iter().flat_map(|f| f.statements).collect();
        let mut stdout = std::io::stdout().lock();
        write!(stdout, "{}", crate::syntax::ast::File { statements, ..Default::default() })?;
        stdout.flush()?;
        return Ok(());
    }
    console.report(&session.unbound(&|_| true), &session.sources)?;
    console.report(&session.habits(&files), &session.sources)?;
    let template = &session.template;
    let written = template.rules.iter().filter(|r| !session.vocabulary.is_internal(r.head)).count();
    let families = template.weights.iter().filter(|w| w.is_family()).count();
    let members = match families {
        0 => String::new(),
        n => format!(", {} of weights, whose members a run finds", counted(n, "family")),
    };
    console.note(&format!(
        "{}, {} with {}{members}, {}, {}: no errors",
        counted(written, "rule"),
        counted(template.weights.len() - families, "weight"),
        counted(template.parameter_count(), "learnable number"),
        counted(session.database.fact_count() + template.facts.len(), "fact"),
        counted(session.database.queries.len(), "query"),
    ));
    Ok(())
}

/// `nlog run`.
pub fn run(args: RunArgs, console: &Console) -> Result<(), Stop> {
    let start = Instant::now();
    set_threads(args.settings.threads)?;
    let inputs = inputs(&args.files, console)?;
    let mut settings = settings(&args.settings)?;
    args.lifting.apply(&mut settings)?;
    settings.profile = args.profile;
    if let Some(path) = &args.predictions
        && table::Format::of(path).is_none()
    {
        let d = usage(format!("`--predictions` writes .csv or .jsonl, not `{}`", path.display()));
        return Err(Stop::Usage(Box::new(d)));
    }
    check_outputs(&args, &inputs, console)?;
    check_folds(args.folds, &inputs)?;
    if args.settings.dist.is_some() && args.settings.init != "simple" {
        let title = format!("`--dist` is for `--init simple`; `--init {}` has its own", args.settings.init);
        return Err(Stop::Usage(Box::new(usage(title))));
    }
    if args.folds.is_some() && args.settings.epochs == 0 {
        return Err(Stop::Usage(Box::new(usage("`--epochs 0` trains nothing that `--folds` could compare"))));
    }
    let semiring = match &args.semiring {
        Some(name) => Some(
            choose("--semiring", name, Semiring::names(), Semiring::parse(name))
                .map_err(|d| Stop::Usage(Box::new(d)))?,
        ),
        None => None,
    };
    if let Some(name) = &args.dump {
        let stage = choose("--dump", name, &Stage::names(), Stage::parse(name))
            .map_err(|d| Stop::Usage(Box::new(d)))?;
        if semiring.is_some() && stage.has_neurons() {
            let title = format!("`--semiring` makes no neurons: there is no `{name}` to print with `--dump`");
            return Err(Stop::Usage(Box::new(
                usage(title).help("`--dump ground` prints what is derived, with its values"),
            )));
        }
        let (session, files, found) = Session::load_program(&inputs, settings);
        if stage.needs_queries() && session.database.queries.is_empty() && !has_errors(&found) {
            return no_queries(&session, console);
        }
        return dump(stage, semiring, Read { session, files, found }, console);
    }
    let (session, files, found) = Session::load_program(&inputs, settings);
    if inputs.train.queries.is_some() && session.looks_swapped() {
        console.note(
            "`--examples` states what the rules derive and `--queries` asks for facts: are the two swapped?",
        );
    }
    console.report(&found, &session.sources)?;
    if session.database.queries.is_empty() {
        return no_queries(&session, console);
    }
    if let Some(semiring) = semiring {
        if args.folds.is_some() {
            let d = usage("`--semiring` learns nothing: there is nothing to hold out with `--folds`");
            return Err(Stop::Usage(Box::new(d)));
        }
        if session.settings.lift_mode != LiftMode::Exact {
            let d = usage("`--semiring` makes no neurons: there is nothing to lift with `--lift-mode`");
            return Err(Stop::Usage(Box::new(d)));
        }
        let (result, found) = session.run_in(semiring);
        console.report(&found, &session.sources)?;
        let (network, outcome) = result.ok_or(Stop::Fault)?;
        return results(&args, console, &session, &network, &outcome, None, None, start);
    }
    // Warnings alone: nobody waits for what is not shown.
    if !console.quiet {
        let mut habits = session.habits(&files);
        // Building finds out whether such a target is at fault.
        habits.retain(|d| d.code != codes::MIXED_SHAPES);
        console.diagnostics(&habits, &session.sources);
    }
    drop(files);
    let (network, found) = session.build();
    console.report(&found, &session.sources)?;
    let network = network.ok_or(Stop::Fault)?;
    if console.verbose {
        console.note(&table::sizes(&session, &network));
    }
    let bar = progress(&session, &network, args.folds.unwrap_or(1), console);
    let mut tell = |e: &crate::learn::EpochReport| {
        bar.inc(1);
        let error = e.validation_error.or(e.train_error).unwrap_or(e.online_error);
        let accuracy = e.validation_accuracy.or(e.train_accuracy);
        let accuracy = accuracy.map_or(String::new(), |a| format!(", accuracy {:.1} %", a * 100.0));
        bar.set_message(format!("error {error:.6}{accuracy}"));
        ControlFlow::Continue(())
    };
    let mut parameters = session.initial_parameters();
    let result = match args.folds {
        None => session.run(&network, &mut parameters, &mut tell).map(|outcome| (outcome, None)),
        Some(count) => session
            .cross_validate(&network, count, &mut |_, epoch| tell(epoch))
            .map(|cross| (cross.pooled.clone(), Some(cross))),
    };
    bar.finish_and_clear();
    let (outcome, cross) = match result {
        Ok(found) => found,
        Err(d) if d.code == codes::USAGE => return Err(Stop::Usage(Box::new(d))),
        Err(d) => return console.report(&[d], &session.sources),
    };
    if let Some(d) = session.infinite_answers(&network, &outcome) {
        console.diagnostics(&[d], &session.sources);
    }
    if cross.is_none() && !outcome.history.epochs.is_empty() && outcome.history.best_epoch == 0 {
        let title = "no epoch improved on the initial model, which is kept";
        let mut d = Diagnostic::new(codes::NO_PROGRESS, title)
            .help("a smaller learning rate (`--lr`), or another seed");
        let errors = outcome.history.epochs.iter().map(|e| e.train_error.unwrap_or(e.online_error));
        let (worst, first) = (errors.fold(0.0, f64::max), outcome.train.error.unwrap_or(0.0));
        // Noise does not make an error a thousand times as large.
        if worst > 1e3 * first.max(1e-3) {
            let (first, worst) = (table::short(first, 3), table::short(worst, 3));
            d = d.note(format!(
                "training diverges: the error grew from {first} to {worst}; the steps are too large"
            ));
        }
        console.diagnostics(&[d], &session.sources);
    }
    results(&args, console, &session, &network, &outcome, Some(&parameters), cross.as_ref(), start)
}

/// Answers, weights if they are asked for and there are any, predictions, the report.
fn results(
    args: &RunArgs,
    console: &Console,
    session: &Session,
    network: &Network,
    outcome: &Outcome,
    parameters: Option<&Parameters<f64>>,
    cross: Option<&CrossValidation>,
    start: Instant,
) -> Result<(), Stop> {
    let mut stdout = std::io::BufWriter::new(std::io::stdout().lock());
    match cross {
        Some(cross) => table::cross_validation(&mut stdout, cross)?,
        None => table::summary(&mut stdout, session, network, outcome)?,
    }
    let unshown = table::unshown(session, network);
    if unshown > 0 && cross.is_none() && args.predictions.is_none() {
        let what = counted(unshown, "answer");
        console.note(&format!("{what} to labelled queries not shown: `--predictions FILE.csv` writes them"));
    }
    if let Some(note) = session.unanswered(network) {
        console.note(&note);
    }
    let mode = session.settings.lift_mode;
    let report = LiftReport::new(mode, &network.statistics, outcome.lossy.as_ref());
    lifting::summary(&mut stdout, &report, mode)?;
    if let Some(parameters) = parameters.filter(|_| args.weights) {
        table::weights(&mut stdout, session, parameters)?;
    }
    let profile = session.profile(network, outcome, start.elapsed().as_secs_f64());
    if let Some(profile) = &profile {
        write_profile(&mut stdout, profile)?;
    }
    stdout.flush()?;
    if let Some(path) = &args.predictions {
        write_file(path, console, session, |out| {
            let fold_of = cross.map(|c| &c.fold_of[..]);
            table::predictions(out, path, session, network, outcome, fold_of)
        })?;
    }
    if let Some(path) = &args.report {
        let total = start.elapsed().as_secs_f64();
        let mut settings = settings_json(&args.settings);
        args.lifting.add_to(&mut settings);
        settings["semiring"] = serde_json::json!(args.semiring);
        let mut report = session.report(network, outcome, settings, total, peak_mb());
        report.profile = profile;
        report.folds = cross.map(FoldsReport::new);
        write_file(path, console, session, |out| {
            serde_json::to_writer_pretty(&mut *out, &report)?;
            writeln!(out)
        })?;
    }
    Ok(())
}

/// Refuses numbers of folds that mean nothing, and a second kind of test.
fn check_folds(folds: Option<usize>, inputs: &Inputs) -> Result<(), Stop> {
    let Some(count) = folds else { return Ok(()) };
    let refuse = |d: Diagnostic| Err(Stop::Usage(Box::new(d)));
    if count < 2 {
        return refuse(usage(format!("`--folds` takes a number from 2 on, not {count}")));
    }
    let files = [&inputs.test.examples, &inputs.test.queries];
    if let Some(path) = files.into_iter().flatten().next() {
        let title =
            format!("`--folds` tests on training samples held out, but `{}` is given too", path.display());
        return refuse(usage(title).help("leave out one of them"));
    }
    Ok(())
}

/// Refuses to overwrite what is read, to write two things into one file, and folders that are not there: before the
/// work is done, not after.
fn check_outputs(args: &RunArgs, inputs: &Inputs, console: &Console) -> Result<(), Stop> {
    let absolute = |p: &Path| std::path::absolute(p).unwrap_or_else(|_| p.to_path_buf());
    let outputs: Vec<&std::path::PathBuf> = args.predictions.iter().chain(&args.report).collect();
    let refuse = |title: String| Err(Stop::Usage(Box::new(usage(title))));
    for (i, path) in outputs.iter().enumerate() {
        if inputs.paths().any(|p| absolute(p) == absolute(path)) {
            return refuse(format!("`{}` is read; it cannot be written too", path.display()));
        }
        if outputs[..i].iter().any(|p| absolute(p) == absolute(path)) {
            return refuse(format!("`{}` cannot hold two results", path.display()));
        }
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
        if path.is_dir() || parent.is_some_and(|p| !p.is_dir()) {
            let title = format!("cannot write `{}`: no such folder, or a folder itself", path.display());
            return console.report(&[Diagnostic::new(codes::CANNOT_WRITE, title)], &SourceMap::new());
        }
    }
    if let Some(path) = args.report.as_ref().filter(|p| p.extension().is_none_or(|e| e != "json")) {
        return refuse(format!("`--report` writes .json, not `{}`", path.display()));
    }
    Ok(())
}

pub(super) fn no_queries(session: &Session, console: &Console) -> Result<(), Stop> {
    let d = Diagnostic::new(codes::NO_QUERIES, "there is no query: nothing to compute or to learn from")
        .help(
            "ask with `?- path(a,X).`, label examples with `1.0 toxic :- bond(a1,a2).`, or use `--queries` \
             (a text, or a table `toxic.csv` with a column `target`)",
        );
    console.report(&[d], &session.sources)
}

fn progress(session: &Session, network: &Network, trainings: usize, console: &Console) -> ProgressBar {
    let epochs = if network.samples.is_empty() { 0 } else { session.settings.train.epochs * trainings };
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

/// Peak resident memory in MiB, where the system says (Linux).
#[allow(clippy::disallowed_methods)]
pub(super) fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
