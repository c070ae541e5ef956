//! Results as text: the final table, answers, weights, prediction files.

use crate::answer::substitution;
use crate::data::{Query, Split};
use crate::exec::Parameters;
use crate::learn::Metrics;
use crate::learn::trainer::named_weights;
use crate::session::{CrossValidation, Network, Outcome, Session};
use std::io::{Result, Write};
use std::path::Path;

/// Most answers printed; all are written with `--predictions`.
const SHOWN: usize = 20;

/// Formats of prediction files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object per line.
    JsonLines,
}

impl Format {
    /// The format that a file name asks for.
    pub fn of(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()? {
            "csv" => Some(Format::Csv),
            "jsonl" | "ndjson" => Some(Format::JsonLines),
            _ => None,
        }
    }
}

/// A value as text: `0.25`, `[1,2]`; `digits` significant digits, or all.
pub fn value(elements: &[f64], digits: Option<usize>) -> String {
    let number = |x: &f64| match digits {
        Some(d) => short(*x, d),
        None => format!("{x}"),
    };
    match elements {
        [x] => number(x),
        many => format!("[{}]", many.iter().map(number).collect::<Vec<_>>().join(",")),
    }
}

/// A number with so many significant digits, without trailing zeros.
pub fn short(x: f64, digits: usize) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    let magnitude = x.abs().log10().floor() as i32;
    if !(-5..15).contains(&magnitude) {
        return format!("{x:.*e}", digits - 1);
    }
    let decimals = (digits as i32 - 1 - magnitude).max(0) as usize;
    let text = format!("{x:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

/// Sizes and times of what was built, for `-v`.
pub fn sizes(session: &Session, network: &Network) -> String {
    let s = &network.statistics;
    format!(
        "{} worlds, {} facts\n{} ground rules in {:.3} s\n{} neurons ({} as the reference counts, {} that do more than hand on, {} evaluated), {} edges in {:.3} s\n\
         {} rows in {} blocks in {:.3} s\n{} learnable numbers",
        s.worlds,
        session.database.fact_count() + session.template.facts.len(),
        s.ground_rules,
        s.ground_seconds,
        s.graph_neurons,
        s.neurons.total(),
        s.neurons.pruned(),
        s.graph_neurons,
        s.graph_edges,
        s.build_seconds,
        s.rows,
        s.blocks,
        s.compile_seconds,
        session.template.parameter_count(),
    )
}

/// The answers (to questions all kinds, to labelled queries if they are few) and the final table.
pub fn summary(out: &mut dyn Write, session: &Session, network: &Network, outcome: &Outcome) -> Result<()> {
    answers(out, session, network, outcome)?;
    metrics(out, outcome)
}

/// How many answers to labelled queries [`summary`] leaves out.
pub fn unshown(session: &Session, network: &Network) -> usize {
    if network.samples.len() <= SHOWN {
        return 0;
    }
    network.answers.iter().filter(|a| session.database.queries[a.query].target.is_some()).count()
}

/// The final table alone.
pub fn metrics(out: &mut dyn Write, outcome: &Outcome) -> Result<()> {
    let rows = [("train", &outcome.train), ("validation", &outcome.validation), ("test", &outcome.test)];
    let rows: Vec<(&str, &Metrics)> = rows.into_iter().filter(|(_, m)| m.count > 0).collect();
    if rows.is_empty() {
        return Ok(());
    }
    print_table(out, &metrics_table(&rows))?;
    if !outcome.history.epochs.is_empty() {
        writeln!(
            out,
            "{}{}, the kept model is that of epoch {}",
            epochs(outcome.history.epochs.len()),
            if outcome.history.stopped_early { ", ended by `--patience`" } else { "" },
            outcome.history.best_epoch
        )?;
    }
    Ok(())
}

fn epochs(n: usize) -> String {
    if n == 1 { "1 epoch".to_string() } else { format!("{n} epochs") }
}

/// A cross-validation: what each fold's model says of the samples that it has not seen, their mean and standard
/// deviation, and all samples together.
pub fn cross_validation(out: &mut dyn Write, cross: &CrossValidation) -> Result<()> {
    let names: Vec<String> = (1..=cross.folds.len()).map(|i| format!("fold {i}")).collect();
    let (mean, std) = (cross.mean(), cross.std());
    let mut rows: Vec<(&str, &Metrics)> =
        names.iter().map(String::as_str).zip(cross.folds.iter().map(|f| &f.outcome.test)).collect();
    rows.extend([("mean", &mean), ("std", &std), ("together", &cross.pooled.test)]);
    print_table(out, &metrics_table(&rows))?;
    let histories = cross.folds.iter().map(|f| &f.outcome.history).filter(|h| !h.epochs.is_empty());
    let kept: Vec<String> = histories.map(|h| h.best_epoch.to_string()).collect();
    if !kept.is_empty() {
        let total = epochs(cross.pooled.history.epochs.len());
        writeln!(out, "{total} in all, the kept models are those of epochs {}", kept.join(", "))?;
    }
    Ok(())
}

/// One row of metrics each, under their names; metrics that apply to none are left out.
fn metrics_table(rows: &[(&str, &Metrics)]) -> Vec<Vec<String>> {
    let percent = |x: Option<f64>| x.map_or("–".to_string(), |x| format!("{:.2} %", x * 100.0));
    let number = |x: Option<f64>| x.map_or("–".to_string(), |x| format!("{x:.6}"));
    type Cell<'c> = (&'c str, &'c dyn Fn(&Metrics) -> String);
    let columns: [Cell<'_>; 9] = [
        ("queries", &|m| if m.count > 0 { m.count.to_string() } else { "–".to_string() }),
        ("error", &|m| number(m.error)),
        ("accuracy", &|m| percent(m.accuracy)),
        ("best threshold", &|m| percent(m.best_threshold_accuracy)),
        ("majority", &|m| percent(m.majority)),
        ("AUC-ROC", &|m| number(m.auc_roc)),
        ("AUC-PR", &|m| number(m.auc_pr)),
        ("MSE", &|m| number(m.mse)),
        ("R²", &|m| number(m.r2)),
    ];
    let mut table: Vec<Vec<String>> = vec![std::iter::once(String::new()).collect()];
    for (name, _) in rows {
        table.push(vec![(*name).to_string()]);
    }
    for (title, cell) in &columns {
        let cells: Vec<String> = rows.iter().map(|(_, m)| cell(m)).collect();
        if cells.iter().any(|c| c != "–") {
            table[0].push((*title).to_string());
            for (row, c) in table[1..].iter_mut().zip(cells) {
                row.push(c);
            }
        }
    }
    table
}

/// Columns aligned: the first to the left, the others to the right.
pub fn print_table(out: &mut dyn Write, table: &[Vec<String>]) -> Result<()> {
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |c: usize| table.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in table {
        let mut line = String::new();
        for (c, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[c] - cell.chars().count());
            if c == 0 {
                line += &format!("{cell}{pad}");
            } else {
                line += &format!("  {pad}{cell}");
            }
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// An answer in one line: the atom, the substitution if the query had variables, the value, the target.
pub fn answer_line(session: &Session, network: &Network, outcome: &Outcome, i: usize) -> String {
    let answer = &network.answers[i];
    let query = &session.database.queries[answer.query];
    let atom = session.vocabulary.atom_text(query.pred, answer.args.iter().copied());
    let mut line = format!("{atom} = {}", value(&outcome.values[i], Some(6)));
    let bound = substitution(&session.vocabulary, query, &answer.args);
    if !bound.is_empty() {
        let list: Vec<String> = bound.iter().map(|(n, c)| format!("{n} = {c}")).collect();
        line += &format!("    {}", list.join(", "));
    }
    if let Some((_, target)) = &query.target {
        line += &format!("    target {}", value(target, Some(6)));
    }
    line
}

/// The answers of each query, in order; none for a question without an answer, or a query that was left out.
fn by_query<'n>(
    session: &Session,
    network: &'n Network,
) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> + use<'n> {
    let mut next = 0;
    (0..session.database.queries.len()).map(move |q| {
        let start = next;
        while network.answers.get(next).is_some_and(|a| a.query == q) {
            next += 1;
        }
        (q, start..next)
    })
}

fn answers(out: &mut dyn Write, session: &Session, network: &Network, outcome: &Outcome) -> Result<()> {
    let show_labelled = network.samples.len() <= SHOWN;
    let several_worlds = network.statistics.worlds > 1;
    let (mut hidden, mut shown) = (0, 0);
    for (q, range) in by_query(session, network) {
        let query = &session.database.queries[q];
        let is_question = query.target.is_none();
        let split = match query.split {
            Split::Train => "",
            Split::Validation => "validation ",
            Split::Test => "test ",
        };
        let sample = if several_worlds || query.split != Split::Train {
            format!("{split}{}: ", query.sample)
        } else {
            String::new()
        };
        if range.is_empty() && is_question {
            let text = crate::data::builder::query_text(&session.vocabulary, query);
            writeln!(out, "{sample}{text}: no answer")?;
        }
        for i in range {
            if (!is_question && !show_labelled) || shown >= SHOWN {
                hidden += usize::from(is_question);
                continue;
            }
            shown += 1;
            writeln!(out, "{sample}{}", answer_line(session, network, outcome, i))?;
        }
    }
    if hidden > 0 {
        writeln!(out, "… and {hidden} more answers (`--predictions FILE.csv` writes all)")?;
    }
    if shown > 0 && !network.samples.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

/// The learned weights, one per line.
pub fn weights(out: &mut dyn Write, session: &Session, parameters: &Parameters<f64>) -> Result<()> {
    for (id, name, values) in named_weights(&session.template, parameters) {
        let weight = &session.template.weights[id];
        if weight.learnable {
            let shape = if weight.shape.is_scalar() { String::new() } else { format!(" {}", weight.shape) };
            writeln!(out, "{name}{shape} = {}", value(&values, Some(6)))?;
        }
    }
    Ok(())
}

/// Every answer, in order of the queries; one row without an output for a query without an answer. With `fold_of`, the
/// fold (from 0) that held out each answer, there is a column for it (from 1), and what was held out is a test sample.
pub fn predictions(
    out: &mut dyn Write,
    path: &Path,
    session: &Session,
    network: &Network,
    outcome: &Outcome,
    fold_of: Option<&[Option<usize>]>,
) -> Result<()> {
    let format = Format::of(path).unwrap_or(Format::Csv);
    let mut csv = csv::Writer::from_writer(Vec::new());
    if format == Format::Csv {
        let fold = fold_of.map(|_| "fold");
        csv.write_record(["sample", "split"].into_iter().chain(fold).chain(["query", "output", "target"]))?;
    }
    let mut row =
        |query: &Query, atom: &str, values: &[f64], fold: Option<usize>, derived: bool| -> Result<()> {
            let split = match query.split {
                _ if fold.is_some() => "test",
                Split::Train => "train",
                Split::Validation => "val",
                Split::Test => "test",
            };
            match format {
                Format::Csv => {
                    let target = query.target.as_ref().map_or(String::new(), |(_, t)| value(t, None));
                    let output = if values.is_empty() { String::new() } else { value(values, None) };
                    let fold = fold_of.map(|_| fold.map_or(String::new(), |f| (f + 1).to_string()));
                    let first = [&query.sample, split].into_iter().chain(fold.as_deref());
                    csv.write_record(first.chain([atom, &output, &target]))?;
                }
                Format::JsonLines => {
                    let number = |v: &[f64]| match v {
                        [] => serde_json::Value::Null,
                        // JSON has no infinity; a count may be one.
                        [x] if x.is_infinite() => serde_json::json!(x.to_string()),
                        [x] => serde_json::json!(x),
                        many => serde_json::json!(many),
                    };
                    let mut line = serde_json::json!({
                        "sample": query.sample,
                        "split": split,
                        "query": atom,
                        "output": number(values),
                        "target": query.target.as_ref().map(|(_, t)| number(t)),
                        "derived": derived,
                    });
                    if fold_of.is_some() {
                        line["fold"] = serde_json::json!(fold.map(|f| f + 1));
                    }
                    writeln!(out, "{line}")?;
                }
            }
            Ok(())
        };
    for (q, range) in by_query(session, network) {
        let query = &session.database.queries[q];
        if range.is_empty() {
            row(query, &crate::data::builder::query_text(&session.vocabulary, query), &[], None, false)?;
        }
        for i in range {
            let (answer, values) = (&network.answers[i], &outcome.values[i]);
            let fold = fold_of.and_then(|f| f[i]);
            let atom = session.vocabulary.atom_text(query.pred, answer.args.iter().copied());
            row(query, &atom, values, fold, answer.place.is_some())?;
        }
    }
    if format == Format::Csv {
        let bytes = csv.into_inner().map_err(|e| std::io::Error::other(e.to_string()))?;
        out.write_all(&bytes)?;
    }
    Ok(())
}
