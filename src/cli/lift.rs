//! `nlog lift`: what lifting saves, and where.

use super::args::LiftArgs;
use super::quotient::counted_on_classes;
use super::run::{no_queries, peak_mb};
use crate::console::options::{inputs, set_threads, settings, usage};
use crate::console::table::{print_table, short, value};
use crate::console::{Console, Stop, lifting};
use crate::diag::counted;
use crate::graph::lift::Scope;
use crate::session::audit::{Audit, Floor};
use crate::session::lifting::{PredicateSurvey, Survey};
use crate::session::modes::ScopeReport;
use crate::session::quotient::Quotient;
use crate::session::verify::{TOLERANCE, Verification};
use crate::session::{LiftMode, Network, Session};
use serde::Serialize;
use std::io::Write;

/// Predicates with a row of their own; `--json` writes all.
const SHOWN: usize = 20;

/// Answers of a class that are named, and classes whose answers are; `--json` writes all.
const NAMED: usize = 10;

/// All that the command found, as it is written with `--json`.
#[derive(Debug, Serialize)]
struct Findings {
    #[serde(flatten)]
    survey: Survey,
    /// What another mode than the exact one leaves, for each scope.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lifting: Vec<ScopeReport>,
    /// One for each scope.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    verify: Vec<Verification>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<Audit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quotient: Option<Quotient>,
    /// Peak resident memory in MiB, of all that the command did.
    peak_mb: Option<f64>,
    seed: u64,
    version: &'static str,
}

/// `nlog lift`.
pub fn lift(args: LiftArgs, console: &Console) -> Result<(), Stop> {
    set_threads(args.settings.threads)?;
    let inputs = inputs(&args.files, console)?;
    let mut given = args.settings.clone();
    let both = given.lift == "both";
    if both {
        given.lift = Scope::Sample.name().to_string();
    }
    let mut settings = settings(&given)?;
    args.lifting.apply(&mut settings)?;
    // The first table, the checks and the audit are about what holds for all weights.
    let mode = std::mem::take(&mut settings.lift_mode);
    if args.draws == 0 {
        return Err(Stop::Usage(Box::new(usage("`--draws` takes a positive number"))));
    }
    let scopes = if both { vec![Scope::Sample, Scope::All] } else { vec![settings.lift] };
    let (mut session, found) = Session::load(&inputs, settings);
    console.report(&found, &session.sources)?;
    if session.database.queries.is_empty() {
        return no_queries(&session, console);
    }
    let mut told = false;
    // Networks are built one after the other, and each is given up before the next.
    let mut build = |session: &mut Session, scope| -> Result<Network, Stop> {
        let (network, found) = session.build_lifted(scope);
        // What is said of one scope would be said of the next again.
        if !std::mem::replace(&mut told, true) || network.is_none() {
            console.report(&found, &session.sources)?;
        }
        network.ok_or(Stop::Fault)
    };
    let mut verifier = None;
    if args.verify {
        let network = build(&mut session, Scope::Off)?;
        verifier = Some(session.verifier(&network, args.draws));
    }
    let (mut survey, mut verify, mut audit) = (None, Vec::new(), None);
    for &scope in &scopes {
        let network = build(&mut session, scope)?;
        survey.get_or_insert_with(|| session.survey(&network)).add(scope, &network);
        verify.extend(verifier.iter().map(|v| v.verify(scope, &network)));
        if args.audit && scope == Scope::All {
            audit = Some(session.audit(&network));
        }
    }
    if args.audit && audit.is_none() {
        let network = build(&mut session, Scope::All)?;
        audit = Some(session.audit(&network));
    }
    let mut lifting = Vec::new();
    if mode != LiftMode::Exact {
        let parameters = session.initial_parameters::<f64>();
        for &scope in &scopes {
            match session.lift_statistics_of(scope, mode, &parameters) {
                Ok(report) => lifting.push(ScopeReport { scope, report }),
                Err(found) => {
                    console.report(&found, &session.sources)?;
                    return Err(Stop::Fault);
                }
            }
        }
    }
    let mut quotient = None;
    if args.quotient {
        quotient = match session.quotient() {
            Ok(found) => Some(found),
            Err(d) => {
                console.report(&[d], &session.sources)?;
                return Err(Stop::Fault);
            }
        };
    }
    let mut survey = survey.ok_or(Stop::Fault)?;
    survey.rank();
    let seed = session.settings.train.seed;
    let (peak_mb, version) = (peak_mb(), env!("CARGO_PKG_VERSION"));
    let findings = Findings { survey, lifting, verify, audit, quotient, peak_mb, seed, version };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if args.json {
        serde_json::to_writer_pretty(&mut out, &findings).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        text(&mut out, &findings, mode)?;
    }
    out.flush()?;
    if findings.verify.iter().any(|v| !v.passed) {
        let title = format!(
            "nlog: lifted and unlifted networks differ by more than {TOLERANCE:e} of the greatest number"
        );
        console.error_line(&title);
        return Err(Stop::Fault);
    }
    Ok(())
}

fn percent(part: i64, whole: i64) -> String {
    if whole == 0 { "–".to_string() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}

fn text(out: &mut dyn Write, findings: &Findings, mode: LiftMode) -> std::io::Result<()> {
    let survey = &findings.survey;
    let names: Vec<&str> = survey.scopes.iter().map(|s| s.scope.name()).collect();
    let saved: i64 = survey.predicates.iter().map(|p| p.saved).sum();
    let mut table: Vec<Vec<String>> = Vec::new();
    let mut row = |first: &str, rest: Vec<String>| {
        table.push(std::iter::once(first.to_string()).chain(rest).collect());
    };
    let head =
        ["unlifted", "pruned"].into_iter().chain(names.iter().copied()).chain(["saved", "of all saved"]);
    row("neurons of", head.map(str::to_string).collect());
    let mut cells = |title: &str, part: &[PredicateSurvey]| {
        let sum = |of: &dyn Fn(&PredicateSurvey) -> usize| part.iter().map(of).sum::<usize>();
        let mut counts = vec![sum(&|p| p.unlifted), sum(&|p| p.pruned)];
        counts.extend(names.iter().map(|n| sum(&|p| p.lifted[n])));
        let mut cells: Vec<String> = counts.iter().map(usize::to_string).collect();
        let less: i64 = part.iter().map(|p| p.saved).sum();
        cells.extend([less.to_string(), percent(less, saved)]);
        row(title, cells);
    };
    // A single one more is no longer than the line that would stand for it.
    let own = if survey.predicates.len() > SHOWN + 1 { SHOWN } else { survey.predicates.len() };
    let (own, rest) = survey.predicates.split_at(own);
    own.iter().for_each(|p| cells(&p.predicate, std::slice::from_ref(p)));
    if !rest.is_empty() {
        cells(&format!("{} more", rest.len()), rest);
    }
    let totals: Vec<usize> =
        [survey.unlifted, survey.pruned].into_iter().chain(survey.scopes.iter().map(|s| s.neurons)).collect();
    let whole = survey.unlifted as i64;
    let mut cells: Vec<String> = totals.iter().map(|n| n.to_string()).collect();
    cells.push(saved.to_string());
    row("all", cells);
    let mut cells: Vec<String> = totals.iter().map(|n| percent(*n as i64, whole)).collect();
    cells.push(percent(saved, whole));
    row("of unlifted", cells);
    print_table(out, &table)?;
    writeln!(
        out,
        "\n{}, {}, {}",
        counted(survey.worlds, "world"),
        counted(survey.ground_rules, "ground rule"),
        counted(survey.answers, "output")
    )?;
    let mut table = vec![
        ["", "classes", "neurons a class", "edges", "rows", "ground", "build and lift", "compile"]
            .map(str::to_string)
            .to_vec(),
    ];
    let seconds = |s: f64| format!("{:.1} ms", s * 1e3);
    for s in &survey.scopes {
        table.push(vec![
            s.scope.name().to_string(),
            s.neurons.to_string(),
            format!("{:.2}", survey.unlifted as f64 / s.neurons.max(1) as f64),
            s.edges.to_string(),
            s.rows.to_string(),
            seconds(s.ground_seconds),
            seconds(s.build_seconds),
            seconds(s.compile_seconds),
        ]);
    }
    print_table(out, &table)?;
    if let Some(peak) = findings.peak_mb {
        writeln!(out, "peak memory {peak:.0} MiB")?;
    }
    lifting::by_scope(out, &findings.lifting, mode, findings.seed)?;
    if !findings.verify.is_empty() {
        verified(out, &findings.verify, findings.seed)?;
    }
    if let Some(audit) = &findings.audit {
        audited(out, audit)?;
    }
    match &findings.quotient {
        Some(quotient) => counted_on_classes(out, quotient),
        None => Ok(()),
    }
}

fn verified(out: &mut dyn Write, results: &[Verification], seed: u64) -> std::io::Result<()> {
    let draws = counted(results[0].draws, "random draw");
    writeln!(out, "\nagainst the unlifted network, {draws} of all weights, seed {seed}:")?;
    let head = ["", "compared", "greatest deviation", "of the greatest"];
    let mut table = vec![head.map(str::to_string).to_vec()];
    let number = |x: f64| if x == 0.0 { "0".to_string() } else { format!("{x:.1e}") };
    for v in results {
        for (what, d) in [("outputs", v.outputs), ("gradients", v.gradients)] {
            table.push(vec![
                format!("{} {what}", v.scope.name()),
                d.compared.to_string(),
                number(d.absolute),
                number(d.relative),
            ]);
        }
    }
    print_table(out, &table)?;
    let not_finite: usize = results.iter().map(|v| v.outputs.not_finite + v.gradients.not_finite).sum();
    if not_finite > 0 {
        writeln!(out, "{} not finite in either network", counted(not_finite, "number"))?;
    }
    Ok(())
}

fn audited(out: &mut dyn Write, audit: &Audit) -> std::io::Result<()> {
    write!(out, "\n{}", counted(audit.samples, "sample"))?;
    if audit.unlabelled > 0 {
        write!(out, " and {} without a target", counted(audit.unlabelled, "answer"))?;
    }
    let classes = |n: usize| if n == 1 { "1 class".to_string() } else { format!("{n} classes") };
    writeln!(out, " in {} of outputs that are equal whatever the weights are", classes(audit.classes))?;
    writeln!(
        out,
        "{} of more than one, {} of these with different targets",
        classes(audit.shared),
        audit.conflicting
    )?;
    if audit.conflicting > 0 {
        writeln!(out, "no weights can do better than {}", bound(&audit.floor))?;
        for split in &audit.splits {
            writeln!(out, "  {}: {}", split.split, bound(&split.floor))?;
        }
    }
    if audit.shared > 0 {
        writeln!(out)?;
    }
    for group in audit.groups.iter().take(NAMED) {
        let targets: Vec<String> =
            group.targets.iter().map(|(t, n)| format!("{n} × {}", value(t, Some(6)))).collect();
        let what = match (group.conflicting, &targets[..]) {
            (true, _) => format!("targets {}: {}", targets.join(", "), bound(&group.floor)),
            (false, []) => "no targets".to_string(),
            (false, _) => format!("target {}", targets.join(", ")),
        };
        writeln!(out, "{} with one value, {what}", counted(group.members.len(), "answer"))?;
        for m in group.members.iter().take(NAMED) {
            let target =
                m.target.as_ref().map_or(String::new(), |t| format!("  target {}", value(t, Some(6))));
            writeln!(out, "  {}: {}{target}  ({}, {})", m.sample, m.query, m.split, m.place)?;
        }
        if group.members.len() > NAMED {
            writeln!(out, "  and {} more", group.members.len() - NAMED)?;
        }
    }
    if audit.groups.len() > NAMED {
        writeln!(out, "and {} more (`--json` names all)", classes(audit.groups.len() - NAMED))?;
    }
    writeln!(
        out,
        "\nEqual means: the same functions of the same inputs, so that no values of the weights make a difference. Outputs of \
         different\nclasses may be equal all the same: there may be more errors, but not fewer."
    )
}

fn bound(floor: &Floor) -> String {
    let of = counted(floor.samples, "sample");
    let errors = floor.errors.map(|n| {
        let right = floor.samples - n;
        format!(
            "{} on {of} (accuracy {} at most)",
            counted(n, "error"),
            percent(right as i64, floor.samples as i64)
        )
    });
    let squares = floor.squared_error.map(|x| format!("a squared error of {} on {of}", short(x, 6)));
    errors.into_iter().chain(squares).collect::<Vec<_>>().join(", ")
}
