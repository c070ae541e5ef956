//! `:set`: the settings by the names of their options.

use crate::console::options::{DISTRIBUTION, SettingArgs};
use std::str::FromStr;

/// Settings that can be changed, in the order of `:set`.
pub const KEYS: &[&str] = &[
    "epochs",
    "optimizer",
    "lr",
    "decay",
    "decay-every",
    "batch",
    "loss",
    "init",
    "dist",
    "weight-decay",
    "clip-norm",
    "clip-value",
    "reduction",
    "eval-every",
    "patience",
    "seed",
    "precision",
    "max-ground",
    "unprovable",
    "cycles",
    "lift",
    "compat",
];

/// A setting's value as text; `default` for one that is not stated.
pub fn get(args: &SettingArgs, key: &str) -> String {
    let optional = |x: Option<f64>| x.map_or("default".to_string(), |x| x.to_string());
    match key {
        "epochs" => args.epochs.to_string(),
        "optimizer" => args.optimizer.clone(),
        "lr" => optional(args.lr),
        "decay" => optional(args.decay),
        "decay-every" => args.decay_every.to_string(),
        "batch" => args.batch.clone(),
        "loss" => args.loss.clone(),
        "init" => args.init.clone(),
        "dist" => args.dist.clone().unwrap_or_else(|| DISTRIBUTION.to_string()),
        "weight-decay" => args.weight_decay.to_string(),
        "clip-norm" => optional(args.clip_norm),
        "clip-value" => optional(args.clip_value),
        "reduction" => args.reduction.clone(),
        "eval-every" => args.eval_every.to_string(),
        "patience" => args.patience.map_or("default".to_string(), |n| n.to_string()),
        "seed" => args.seed.to_string(),
        "precision" => args.precision.clone(),
        "max-ground" => args.max_ground.to_string(),
        "unprovable" => args.unprovable.clone(),
        "cycles" => args.cycles.clone(),
        "lift" => args.lift.clone(),
        "compat" => args.compat.clone(),
        _ => String::new(),
    }
}

/// Writes a setting; an error says what it takes. Names are checked where all settings are read.
pub fn put(args: &mut SettingArgs, key: &str, value: &str) -> Result<(), &'static str> {
    match key {
        "epochs" => args.epochs = whole(value, 0)?,
        "optimizer" => args.optimizer = value.to_string(),
        "lr" => args.lr = optional(value)?,
        "decay" => args.decay = optional(value)?,
        "decay-every" => args.decay_every = whole(value, 1)?,
        "batch" => args.batch = value.to_string(),
        "loss" => args.loss = value.to_string(),
        "init" => args.init = value.to_string(),
        "dist" => args.dist = Some(value.to_string()),
        "weight-decay" => args.weight_decay = number(value)?,
        "clip-norm" => args.clip_norm = optional(value)?,
        "clip-value" => args.clip_value = optional(value)?,
        "reduction" => args.reduction = value.to_string(),
        "eval-every" => args.eval_every = whole(value, 1)?,
        "patience" if value == "default" => args.patience = None,
        "patience" => {
            args.patience = Some(whole(value, 1).map_err(|_| "a positive whole number, or `default`")?);
        }
        "seed" => args.seed = whole(value, 0)?,
        "precision" => args.precision = value.to_string(),
        "max-ground" => args.max_ground = whole(value, 1)?,
        "unprovable" => args.unprovable = value.to_string(),
        "cycles" => args.cycles = value.to_string(),
        "lift" => args.lift = value.to_string(),
        "compat" => args.compat = value.to_string(),
        _ => return Err("no value: there is no such setting"),
    }
    Ok(())
}

fn whole<T: FromStr + PartialOrd + From<u8>>(value: &str, least: u8) -> Result<T, &'static str> {
    let wanted = if least == 0 { "a whole number" } else { "a positive whole number" };
    value.parse().ok().filter(|n| *n >= T::from(least)).ok_or(wanted)
}

fn number(value: &str) -> Result<f64, &'static str> {
    value.parse().ok().filter(|x: &f64| x.is_finite()).ok_or("a number")
}

fn optional(value: &str) -> Result<Option<f64>, &'static str> {
    if value == "default" {
        return Ok(None);
    }
    let positive = number(value).ok().filter(|x| *x > 0.0);
    positive.map(Some).ok_or("a positive number, or `default`")
}
