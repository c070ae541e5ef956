//! Partitions of neurons by their values. A class is named by its first member: `representative[n] ≤ n`.

use super::compile::ValueAt;
use crate::base::hash::{HashMap, HashTable, finish, mix};
use crate::base::rng::Stream;
use crate::graph::NeuronId;
use crate::tensor::Shape;
use crate::tensor::functions::interval::upper;

/// The coarsest partition to start from: neurons of equal kind and shape.
pub fn by_kind(kinds: &[u32], at: &[ValueAt]) -> Vec<NeuronId> {
    let mut first: HashMap<(u32, Shape), NeuronId> = HashMap::default();
    let own = |(n, (&kind, at)): (usize, (&u32, &ValueAt))| {
        *first.entry((kind, at.shape)).or_insert(NeuronId(n as u32))
    };
    kinds.iter().zip(at).enumerate().map(own).collect()
}

/// Splits classes whose members differ in some element after rounding to so many significant decimal digits (half away
/// from zero; 0 and −0 are one, 15 digits at most). A neuron with an element that is not finite is alone.
pub fn refine_by_digits(
    representative: &[NeuronId],
    at: &[ValueAt],
    values: &[f64],
    digits: u32,
) -> Vec<NeuronId> {
    let mut table: HashTable<u32> = HashTable::new();
    let mut hashes: Vec<u64> = vec![0; at.len()];
    let mut out: Vec<NeuronId> = Vec::with_capacity(at.len());
    for n in 0..at.len() {
        let value = at[n].of(values);
        if value.iter().any(|x| !x.is_finite()) {
            out.push(NeuronId(n as u32));
            continue;
        }
        let mut hash = mix(0, u64::from(representative[n].0));
        for x in value {
            let (mantissa, exponent) = rounded(*x, digits);
            hash = mix(mix(hash, mantissa as u64), exponent as u64);
        }
        let hash = finish(hash);
        hashes[n] = hash;
        let same = |&m: &u32| {
            let m = m as usize;
            let other = at[m].of(values);
            hashes[m] == hash
                && representative[m] == representative[n]
                && other.iter().zip(value).all(|(a, b)| a == b || rounded(*a, digits) == rounded(*b, digits))
        };
        out.push(match table.find(hash, same) {
            Some(&m) => NeuronId(m),
            None => {
                table.insert_unique(hash, n as u32, |&m| hashes[m as usize]);
                NeuronId(n as u32)
            }
        });
    }
    out
}

/// A finite number as `m · 10^e` with a whole `m` of so many digits; 0 as (0, 0).
fn rounded(x: f64, digits: u32) -> (i64, i32) {
    if x == 0.0 {
        return (0, 0);
    }
    let mantissa = |exponent: i32| {
        // In two steps: the power alone may be out of range.
        let half = -exponent / 2;
        (x * 10f64.powi(half) * 10f64.powi(-exponent - half)).round()
    };
    let mut exponent = x.abs().log10().floor() as i32 + 1 - digits as i32;
    let most = 10f64.powi(digits as i32);
    let first = mantissa(exponent).abs();
    // The logarithm is rounded too, and rounding may carry into another digit.
    if first >= most {
        exponent += 1;
    } else if first < most / 10.0 {
        exponent -= 1;
    }
    (mantissa(exponent) as i64, exponent)
}

/// What no class takes in.
pub const ALONE: u32 = u32::MAX;

/// Neurons of equal kind and shape whose elements differ from those of the class's first member by `epsilon` at most.
/// Each joins the earliest class that it can; those of kind [`ALONE`], or with an element that is not finite, are alone.
pub fn by_distance(kinds: &[u32], at: &[ValueAt], values: &[f64], epsilon: f64) -> Vec<NeuronId> {
    // Values that near have projections that near, if the projection's coefficients sum to 1 in absolute value. So
    // only first members in the same cell of projections, or in the next ones, are compared.
    let mut projections: HashMap<usize, Vec<f64>> = HashMap::default();
    let mut heads: HashMap<(u32, Shape, i64), u32> = HashMap::default();
    let mut next: Vec<u32> = vec![ALONE; at.len()];
    let mut out: Vec<NeuronId> = Vec::with_capacity(at.len());
    // A little wider than epsilon: projections are rounded.
    let width = epsilon * (1.0 + 1e-6);
    for n in 0..at.len() {
        let value = at[n].of(values);
        if kinds[n] == ALONE || value.iter().any(|x| !x.is_finite()) {
            out.push(NeuronId(n as u32));
            continue;
        }
        let along = projections.entry(value.len()).or_insert_with(|| projection(value.len()));
        let projected: f64 = along.iter().zip(value).map(|(a, x)| a * x).sum();
        let cell = (projected / width).floor() as i64;
        let mut found = ALONE;
        for near in [cell.saturating_sub(1), cell, cell.saturating_add(1)] {
            let mut m = heads.get(&(kinds[n], at[n].shape, near)).copied().unwrap_or(ALONE);
            while m != ALONE {
                if m < found && distance(value, at[m as usize].of(values)) <= epsilon {
                    found = m;
                }
                m = next[m as usize];
            }
        }
        if found == ALONE {
            found = n as u32;
            let head = heads.entry((kinds[n], at[n].shape, cell)).or_insert(ALONE);
            next[n] = std::mem::replace(head, n as u32);
        }
        out.push(NeuronId(found));
    }
    out
}

fn projection(n: usize) -> Vec<f64> {
    let mut stream = Stream::new(0, "projection");
    let drawn: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
    let sum: f64 = drawn.iter().map(|x| x.abs()).sum();
    drawn.iter().map(|x| x / sum).collect()
}

/// The greatest difference of elements; NaN if one is.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, upper)
}

/// The greatest distance of a neuron from the first member of its class; NaN if some value is not finite.
pub fn spread(representative: &[NeuronId], at: &[ValueAt], values: &[f64]) -> f64 {
    let apart = |(n, r): (usize, &NeuronId)| match r.0 as usize {
        r if r == n => 0.0,
        r => distance(at[n].of(values), at[r].of(values)),
    };
    representative.iter().enumerate().map(apart).fold(0.0, upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalars(values: &[f64]) -> Vec<ValueAt> {
        (0..values.len()).map(|n| ValueAt { offset: n as u32, shape: Shape::SCALAR }).collect()
    }

    fn numbers(classes: &[NeuronId]) -> Vec<u32> {
        classes.iter().map(|n| n.0).collect()
    }

    #[test]
    fn numbers_are_rounded_to_significant_digits() {
        for (x, digits, expected) in [
            (1234.5, 3, (123, 1)),
            (0.001_234_5, 4, (1235, -6)),
            (-2.5, 1, (-3, 0)),
            (9.9996, 4, (1000, -2)),
            (0.0, 5, (0, 0)),
            (-0.0, 5, (0, 0)),
            (1000.0, 4, (1000, 0)),
            (1e-300, 3, (100, -302)),
            (5e-324, 2, (49, -325)),
            (1.797e308, 2, (18, 307)),
        ] {
            assert_eq!(rounded(x, digits), expected, "{x} to {digits}");
        }
        // The text of the standard library rounds ties to even in exact decimals; no ties here.
        let mut stream = Stream::new(1, "rounding");
        for _ in 0..20_000 {
            let x = stream.normal() * 10f64.powi(stream.below(40) as i32 - 20);
            let digits = 1 + stream.below(12) as u32;
            let (m, e) = rounded(x, digits);
            let text = format!("{:.*e}", digits as usize - 1, x);
            assert_eq!(format!("{m}e{e}").parse::<f64>().ok(), text.parse().ok(), "{x:?} to {digits}");
        }
    }

    #[test]
    fn classes_by_digits_are_refined_by_every_round() {
        let values = [0.1234, 0.1233, 5.0, 0.0, -0.0, f64::NAN, f64::NAN, 0.1234];
        let at = scalars(&values);
        let start = by_kind(&[0; 8], &at);
        let three = refine_by_digits(&start, &at, &values, 3);
        assert_eq!(numbers(&three), [0, 0, 2, 3, 3, 5, 6, 0]);
        assert_eq!(numbers(&refine_by_digits(&start, &at, &values, 4)), [0, 1, 2, 3, 3, 5, 6, 0]);
        let second = [1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0];
        assert_eq!(numbers(&refine_by_digits(&three, &at, &second, 3)), [0, 0, 2, 3, 3, 5, 6, 7]);
        let kinds = by_kind(&[0, 1, 0, 1, 0, 0, 0, 1], &at);
        assert_eq!(numbers(&refine_by_digits(&kinds, &at, &values, 3)), [0, 1, 2, 3, 4, 5, 6, 1]);
    }

    #[test]
    fn classes_by_distance_are_those_of_comparing_all_pairs() {
        let mut stream = Stream::new(2, "distance");
        for (n, len, epsilon) in [(200, 1, 0.02), (200, 3, 0.2), (150, 8, 1.5), (50, 2, 10.0)] {
            let values: Vec<f64> = (0..n * len).map(|_| stream.normal()).collect();
            let at: Vec<ValueAt> =
                (0..n).map(|i| ValueAt { offset: (i * len) as u32, shape: Shape::column(len) }).collect();
            let kinds: Vec<u32> = (0..n).map(|i| if i % 7 == 0 { ALONE } else { (i % 2) as u32 }).collect();
            let classes = numbers(&by_distance(&kinds, &at, &values, epsilon));
            let mut expected: Vec<u32> = Vec::new();
            for i in 0..n {
                let joins = |&m: &usize| {
                    expected[m] as usize == m
                        && kinds[m] == kinds[i]
                        && kinds[i] != ALONE
                        && distance(at[m].of(&values), at[i].of(&values)) <= epsilon
                };
                let found = (0..i).find(joins).unwrap_or(i);
                expected.push(found as u32);
            }
            assert_eq!(classes, expected);
            assert!((0..n).any(|i| classes[i] as usize != i), "something is merged");
            let classes: Vec<NeuronId> = classes.into_iter().map(NeuronId).collect();
            assert!(spread(&classes, &at, &values) <= epsilon);
        }
    }
}
