//! A profile as text.

use super::table::{print_table, short};
use crate::session::profile::{OperationProfile, PassProfile, Profile};
use std::io::{Result, Write};

/// Operations with a line of their own; `--report` writes all.
const SHOWN: usize = 30;

/// Writes where the time of a run went.
pub fn write_profile(out: &mut dyn Write, profile: &Profile) -> Result<()> {
    writeln!(out)?;
    let cells = |row: &[String]| row.to_vec();
    let mut table = vec![cells(&["stage".into(), "time".into(), "share".into()])];
    let mut total = 0.0;
    for s in profile.stages.iter().filter(|s| s.seconds > 0.0) {
        total += s.seconds;
        table.push(cells(&[s.stage.to_string(), time(s.seconds), percent(s.share)]));
    }
    table.push(cells(&["all".into(), time(total), percent(1.0)]));
    print_table(out, &table)?;
    if profile.operations.is_empty() {
        return Ok(());
    }
    let title = ["operation", "rows", "MFLOP", "MB", "forward", "backward", "evaluation", "share", "GFLOP/s"];
    let mut table = vec![title.map(str::to_string).to_vec()];
    let own = if profile.operations.len() > SHOWN + 1 { SHOWN } else { profile.operations.len() };
    let (own, rest) = profile.operations.split_at(own);
    own.iter().for_each(|o| table.push(row(&named(o), std::slice::from_ref(o))));
    if !rest.is_empty() {
        table.push(row(&format!("{} more", rest.len()), rest));
    }
    let mut all = row("all operations", &profile.operations);
    all[7] = String::new();
    table.push(all);
    writeln!(out)?;
    print_table(out, &table)?;
    let o = &profile.outside;
    let threads =
        if profile.threads == 1 { "1 thread".into() } else { format!("{} threads", profile.threads) };
    writeln!(
        out,
        "times of operations are summed over {threads}; {} more in passes outside of operations",
        time(o.forward + o.backward + o.evaluation)
    )?;
    let functions: u64 = profile.operations.iter().map(|o| o.total().functions).sum();
    writeln!(
        out,
        "{} steps changed {} parameters; {} values of transcendental functions; {} readings of the clock, about {}",
        profile.steps,
        profile.updated,
        functions,
        profile.clock.readings,
        time(profile.clock.seconds)
    )
}

/// An operation in a few words.
fn named(o: &OperationProfile) -> String {
    let place = if o.place.is_empty() { String::new() } else { format!("{} ", o.place) };
    let what = match (&o.weight, o.kind) {
        (Some(weight), _) => match o.operation.as_str() {
            "columns of the weight" => format!("columns of {weight}"),
            other => other.replacen("weight", weight, 1).replacen("the $", "$", 1),
        },
        (None, _) => o.operation.clone(),
    };
    format!("{place}{}: {what}", o.rule)
}

fn row(name: &str, operations: &[OperationProfile]) -> Vec<String> {
    let sum = |of: fn(&OperationProfile) -> f64| operations.iter().map(of).sum::<f64>();
    let mut total = PassProfile::default();
    operations.iter().for_each(|o| total.add(o.total()));
    vec![
        name.to_string(),
        total.rows.to_string(),
        short(total.flops as f64 * 1e-6, 3),
        short(total.bytes as f64 * 1e-6, 3),
        time(sum(|o| o.forward.seconds)),
        time(sum(|o| o.backward.seconds)),
        time(sum(|o| o.evaluation.seconds)),
        percent(sum(|o| o.share)),
        if total.seconds > 0.0 { short(total.flops as f64 * 1e-9 / total.seconds, 3) } else { "–".into() },
    ]
}

fn time(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.1} ms", s * 1e3),
        s => format!("{:.1} µs", s * 1e6),
    }
}

fn percent(x: f64) -> String {
    format!("{:.1} %", 100.0 * x)
}
