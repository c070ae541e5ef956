//! Comparing numbers that another engine has recorded.

use serde_json::Value;

/// Relative tolerance of values that no training step went into.
pub const FORWARD: f64 = 1e-12;
/// Relative tolerance after training.
pub const TRAINED: f64 = 1e-9;

/// Numbers of a JSON value, row by row: a number, a vector, or a list of rows.
pub fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        other => vec![number(other)],
    }
}

/// A JSON number; NaN for everything else, which equals nothing.
fn number(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.parse().unwrap_or(f64::NAN),
        other => other.as_f64().unwrap_or(f64::NAN),
    }
}

/// Whether two numbers agree: `tolerance` relative to the larger one, and absolute below 1e-3, because recorded
/// outputs carry 16 decimals, not 16 digits.
pub fn near(got: f64, expected: f64, tolerance: f64) -> bool {
    got == expected || (got - expected).abs() <= tolerance * got.abs().max(expected.abs()).max(1e-3)
}

/// Whether two lists agree in length and in every element.
pub fn all_near(got: &[f64], expected: &[f64], tolerance: f64) -> bool {
    got.len() == expected.len() && got.iter().zip(expected).all(|(g, e)| near(*g, *e, tolerance))
}

/// A value as templates write it.
pub fn show(values: &[f64]) -> String {
    match values {
        [x] => x.to_string(),
        many => format!("[{}]", many.iter().map(f64::to_string).collect::<Vec<_>>().join(",")),
    }
}
