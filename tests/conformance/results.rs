//! The printed line of results: `… accuracy: 50%, disp: …, error: AVG(SOFTENTROPY) = 0.74, (best thresh acc: 100%)
//! (maj. 50%), (AUC-ROC: 1), (AUC-PR: 1)`.

use crate::engine::{Answered, Engine};
use crate::numbers::near;
use nlog::data::Split;
use nlog::learn::Metrics;

/// The number that follows a key; percentages as fractions. `None` if the key is missing or the number is NaN.
fn field(line: &str, key: &str) -> Option<f64> {
    let rest = line.split_once(key)?.1.trim_start();
    let rest =
        if rest.starts_with("AVG") || rest.starts_with("SUM") { rest.split_once('=')?.1 } else { rest };
    let rest = rest.trim_start();
    let end = rest.find([',', ')', '%', ' ']).unwrap_or(rest.len());
    let number: f64 = rest[..end].parse().ok()?;
    let scale = if rest[end..].starts_with('%') { 0.01 } else { 1.0 };
    (!number.is_nan()).then_some(number * scale)
}

/// Compares a line with our metrics of the last split that has outputs (the reference reports on that one last).
pub fn compare(
    line: &str,
    engine: &Engine,
    answers: &[Answered],
    tolerance: f64,
) -> Result<Vec<String>, String> {
    let mut failure = None;
    for split in [Split::Test, Split::Validation, Split::Train] {
        let mine: Vec<&Answered> = answers.iter().filter(|a| a.split == split).collect();
        if mine.is_empty() {
            continue;
        }
        let metrics = engine.metrics(mine.iter().copied());
        match compare_metrics(line, &metrics, &mine, split, tolerance) {
            Ok(notes) => return Ok(notes),
            Err(text) => drop(failure.get_or_insert(text)),
        }
    }
    failure.map_or(Ok(Vec::new()), Err)
}

fn compare_metrics(
    line: &str,
    metrics: &Metrics,
    answers: &[&Answered],
    split: Split,
    tolerance: f64,
) -> Result<Vec<String>, String> {
    let mut notes = Vec::new();
    let scalar = answers.iter().all(|a| a.value.len() == 1);
    let check = |what: &str, key: &str, got: Option<f64>, tolerance: f64| match (field(line, key), got) {
        (Some(e), Some(g)) if (g - e).abs() > tolerance * e.abs().max(1.0) => {
            Err(format!("{what} expected {e} got {g}"))
        }
        _ => Ok(()),
    };
    // The error is printed with 16 decimals, percentages with two, areas with ten.
    check("error", "error: ", metrics.error, tolerance.max(1e-12) * 10.0)?;
    let half = scalar && answers.iter().any(|a| a.value[0] == 0.0);
    match check("accuracy", ", accuracy: ", metrics.accuracy, 6e-5)
        .and_then(|()| check("accuracy", ":- accuracy: ", metrics.accuracy, 6e-5))
    {
        Err(_) if half => notes.push("a probability of 1/2 is not always wrong".to_string()),
        other => other?,
    }
    if scalar {
        check("majority", "(maj. ", metrics.majority, 6e-5)?;
        check("dispersion", "disp: ", metrics.dispersion, tolerance.max(1e-9))?;
        if split == Split::Train {
            let best = metrics.best_threshold_accuracy;
            if let Err(text) = check("best threshold accuracy", "best thresh acc: ", best, 6e-5) {
                // The reference tries no threshold above all outputs, at which everything is a negative.
                let negative = |a: &&&Answered| a.target.as_ref().is_some_and(|t| t[0] <= 0.5);
                let share = answers.iter().filter(negative).count() as f64 / answers.len() as f64;
                if !best.is_some_and(|b| near(b, share, 1e-12)) {
                    return Err(text);
                }
                notes.push("a threshold above all outputs is one, too".to_string());
            }
        }
        check("AUC-PR", "AUC-PR: ", metrics.auc_pr, 1e-9)?;
        if let Err(text) = check("AUC-ROC", "AUC-ROC: ", metrics.auc_roc, 1e-9) {
            // The reference's curve starts at the first positive: too large where negatives come before it.
            let top = answers.iter().map(|a| a.value[0]).fold(f64::NEG_INFINITY, f64::max);
            let positive = |a: &&&Answered| a.target.as_ref().is_some_and(|t| t[0] > 0.5);
            let leads = answers.iter().filter(positive).any(|a| near(a.value[0], top, 1e-15));
            let exact = mann_whitney(answers);
            if leads || !metrics.auc_roc.is_some_and(|a| near(a, exact, 1e-9)) {
                return Err(text);
            }
            notes.push(format!("the area under the ROC curve is the true one, {exact}"));
        }
    }
    Ok(notes)
}

/// The share of pairs of a positive and a negative that are in order, ties counting half.
fn mann_whitney(answers: &[&Answered]) -> f64 {
    let class = |positive: bool| -> Vec<f64> {
        let in_class = |a: &&&Answered| a.target.as_ref().is_some_and(|t| (t[0] > 0.5) == positive);
        answers.iter().filter(in_class).map(|a| a.value[0]).collect()
    };
    let (positives, negatives) = (class(true), class(false));
    let mut sum = 0.0;
    for p in &positives {
        for n in &negatives {
            sum += if p > n { 1.0 } else { f64::from(u8::from(p == n)) / 2.0 };
        }
    }
    sum / (positives.len() * negatives.len()) as f64
}
