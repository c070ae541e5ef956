//! `nlog lift`: what lifting saves, and where.

use super::args::LiftArgs;
use super::run::{no_queries, peak_mb};
use crate::console::options::{inputs, set_threads, settings};
use crate::console::table::print_table;
use crate::console::{Console, Stop};
use crate::diag::counted;
use crate::graph::lift::Scope;
use crate::session::Session;
use crate::session::lifting::{PredicateSurvey, Survey};
use serde::Serialize;
use std::io::Write;

/// Predicates with a row of their own; `--json` writes all.
const SHOWN: usize = 20;

/// All that the command found, as it is written with `--json`.
#[derive(Debug, Serialize)]
struct Findings {
    #[serde(flatten)]
    survey: Survey,
    /// Peak resident memory in MiB, of all scopes together.
    peak_mb: Option<f64>,
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
    let settings = settings(&given)?;
    let scopes = if both { vec![Scope::Sample, Scope::All] } else { vec![settings.lift] };
    let (mut session, found) = Session::load(&inputs, settings);
    console.report(&found, &session.sources)?;
    if session.database.queries.is_empty() {
        return no_queries(&session, console);
    }
    let mut survey: Option<Survey> = None;
    for &scope in &scopes {
        let (network, found) = session.build_lifted(scope);
        // The next scope would say the same again.
        if survey.is_none() || network.is_none() {
            console.report(&found, &session.sources)?;
        }
        let network = network.ok_or(Stop::Fault)?;
        match &mut survey {
            Some(survey) => survey.add(scope, &network),
            None => survey = Some(session.survey(scope, &network)),
        }
    }
    let mut survey = survey.ok_or(Stop::Fault)?;
    survey.rank();
    let findings = Findings { survey, peak_mb: peak_mb(), version: env!("CARGO_PKG_VERSION") };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if args.json {
        serde_json::to_writer_pretty(&mut out, &findings).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        text(&mut out, &findings)?;
    }
    out.flush()?;
    Ok(())
}

fn percent(part: i64, whole: i64) -> String {
    if whole == 0 { "–".to_string() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}

fn text(out: &mut dyn Write, findings: &Findings) -> std::io::Result<()> {
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
    Ok(())
}
