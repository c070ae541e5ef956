//! Options of the modes of lifting, and their results as text.

use super::Stop;
use super::options::{choose, usage};
use super::table::{print_table, short};
use crate::diag::{Diagnostic, counted};
use crate::graph::lift::Scope;
use crate::session::Settings;
use crate::session::modes::{LiftMode, LiftReport, ScopeReport};
use clap::Args;
use std::io::{Result, Write};

/// What makes neurons one.
#[derive(Debug, Clone, Args)]
pub struct LiftModeArgs {
    /// What makes neurons one, within `--lift`: exact (equal in structure), value (equal values under random weights) or
    /// lossy (nearly equal values at the present weights).
    #[arg(long, value_name = "MODE", default_value = "exact", help_heading = "Lifting")]
    pub lift_mode: String,
    /// value: how often all weights are drawn [default: 3].
    #[arg(long, value_name = "N", help_heading = "Lifting")]
    pub lift_inits: Option<usize>,
    /// value: significant digits that are compared, from 1 to 15 [default: 12].
    #[arg(long, value_name = "N", help_heading = "Lifting")]
    pub lift_digits: Option<u32>,
    /// value: only neurons that are equal in structure too become one; the others are counted.
    #[arg(long, help_heading = "Lifting")]
    pub lift_check: bool,
    /// lossy: how much an element may differ from that of its class [default: 1e-6].
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "Lifting")]
    pub lift_epsilon: Option<f64>,
    /// lossy: refuse when an answer may differ more than this from that of the full graph.
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = "Lifting")]
    pub max_error: Option<f64>,
}

impl LiftModeArgs {
    /// Puts the mode into the settings.
    pub fn apply(&self, settings: &mut Settings) -> std::result::Result<(), Stop> {
        settings.lift_mode = self.mode(settings.lift).map_err(|d| Stop::Usage(Box::new(d)))?;
        Ok(())
    }

    fn mode(&self, scope: Scope) -> std::result::Result<LiftMode, Diagnostic> {
        let names = ["exact", "value", "lossy"];
        let name = self.lift_mode.as_str();
        choose("--lift-mode", name, &names, names.contains(&name).then_some(()))?;
        let given = [
            ("--lift-inits", self.lift_inits.is_some(), "value"),
            ("--lift-digits", self.lift_digits.is_some(), "value"),
            ("--lift-check", self.lift_check, "value"),
            ("--lift-epsilon", self.lift_epsilon.is_some(), "lossy"),
            ("--max-error", self.max_error.is_some(), "lossy"),
        ];
        if let Some((option, _, mode)) = given.iter().find(|(_, given, mode)| *given && *mode != name) {
            let title = format!("`{option}` belongs to `--lift-mode {mode}`, not to {name}");
            return Err(usage(title));
        }
        if name != "exact" && scope == Scope::Off {
            return Err(usage(format!(
                "`--lift off` makes no neurons one, `--lift-mode {name}` more than others"
            ))
            .help("leave out one of them"));
        }
        let inits = self.lift_inits.unwrap_or(3);
        let digits = self.lift_digits.unwrap_or(12);
        if inits == 0 {
            return Err(usage("`--lift-inits` takes a positive number"));
        }
        if !(1..=15).contains(&digits) {
            return Err(usage(format!("`--lift-digits` takes a number from 1 to 15, not {digits}")));
        }
        let epsilon = self.lift_epsilon.unwrap_or(1e-6);
        for (option, value) in [("--lift-epsilon", Some(epsilon)), ("--max-error", self.max_error)] {
            if value.is_some_and(|v| !(v.is_finite() && v > 0.0)) {
                return Err(usage(format!("`{option}` takes a positive number")));
            }
        }
        Ok(match name {
            "value" => LiftMode::Value { inits, digits, check: self.lift_check },
            "lossy" => LiftMode::Lossy { epsilon, max_error: self.max_error },
            _ => LiftMode::Exact,
        })
    }

    /// Adds the options by their names to those of the report.
    pub fn add_to(&self, settings: &mut serde_json::Value) {
        settings["lift_mode"] = serde_json::json!(self.lift_mode);
        settings["lift_inits"] = serde_json::json!(self.lift_inits);
        settings["lift_digits"] = serde_json::json!(self.lift_digits);
        settings["lift_check"] = serde_json::json!(self.lift_check);
        settings["lift_epsilon"] = serde_json::json!(self.lift_epsilon);
        settings["max_error"] = serde_json::json!(self.max_error);
    }
}

/// What a mode did, in a line or two; nothing for the exact one.
pub fn summary(out: &mut dyn Write, report: &LiftReport, mode: LiftMode) -> Result<()> {
    if let (LiftMode::Value { inits, digits, check }, Some(v)) = (mode, &report.value) {
        let clashes = match v.clashes {
            1 => "1 clash".to_string(),
            n => format!("{n} clashes"),
        };
        writeln!(
            out,
            "lifted by value ({}, {}): {} → {}, {} of equal values, {clashes}{}",
            counted(digits as usize, "digit"),
            counted(inits, "draw"),
            counted(v.neurons, "neuron"),
            v.left,
            if v.classes == 1 { "1 class".to_string() } else { format!("{} classes", v.classes) },
            if check { " that the check kept apart" } else { "" },
        )?;
    }
    if let Some(l) = &report.lossy {
        let bound = match (l.bound, &l.answer) {
            (Some(0.0), _) => "no answer differs".to_string(),
            (Some(bound), Some(answer)) => {
                format!("no answer differs by more than {} ({answer})", short(bound, 3))
            }
            (Some(bound), None) => format!("no answer differs by more than {}", short(bound, 3)),
            (None, Some(answer)) => format!("there is no bound on the difference of `{answer}`"),
            (None, None) => "there is no bound on the difference".to_string(),
        };
        writeln!(
            out,
            "lossy lifting (within {}): {} → {}, {bound}; the greatest difference is {}",
            short(l.epsilon, 3),
            counted(l.neurons, "neuron"),
            l.left,
            short(l.deviation, 3),
        )?;
        if l.checks > 0 {
            let times = |n: usize| if n == 1 { "once".to_string() } else { format!("{n} times") };
            writeln!(out, "classes checked {}, split again {}", times(l.checks), times(l.resplits))?;
        }
    }
    Ok(())
}

/// What a mode leaves under each scope, as a table; nothing for the exact one.
pub fn by_scope(out: &mut dyn Write, reports: &[ScopeReport], mode: LiftMode, seed: u64) -> Result<()> {
    let cells = |row: &[&str]| row.iter().map(|c| c.to_string()).collect::<Vec<_>>();
    let mut table = Vec::new();
    match mode {
        LiftMode::Exact => return Ok(()),
        LiftMode::Value { inits, digits, check } => {
            writeln!(
                out,
                "\nby value: {}, {}, seed {seed}{}",
                counted(digits as usize, "digit"),
                counted(inits, "draw"),
                if check { "; the check keeps clashes apart" } else { "" },
            )?;
            table.push(cells(&["", "exact", "classes", "clashes", "left"]));
        }
        LiftMode::Lossy { epsilon, .. } => {
            writeln!(out, "\nlossy: within {}, at the initial weights, seed {seed}", short(epsilon, 3))?;
            table.push(cells(&["", "exact", "classes", "left", "bound", "deviation", "answer"]));
        }
    }
    for ScopeReport { scope, report } in reports {
        let counts: Vec<usize> = match (&report.value, &report.lossy) {
            (Some(v), _) => vec![v.neurons, v.classes, v.clashes, v.left],
            (None, Some(l)) => vec![l.neurons, l.classes, l.left],
            (None, None) => Vec::new(),
        };
        let mut row = cells(&[scope.name()]);
        row.extend(counts.iter().map(usize::to_string));
        if let Some(l) = &report.lossy {
            row.push(l.bound.map_or("none".to_string(), |b| short(b, 3)));
            row.push(short(l.deviation, 3));
            row.push(l.answer.clone().filter(|_| l.bound != Some(0.0)).unwrap_or_else(|| "–".to_string()));
        }
        table.push(row);
    }
    print_table(out, &table)
}
