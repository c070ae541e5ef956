//! How good a list of outputs is.

use super::loss::{Loss, joint_value, probability, softmax};
use serde::Serialize;
use std::collections::BTreeMap;

/// What can be said about outputs and their targets; what does not apply is absent.
///
/// Definitions follow NeuraLogic 0.9.2, but AUC-ROC is the true rank statistic, a probability of exactly 0.5 is an
/// ordinary "no", and class 0 counts in multi-class accuracy.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// Number of samples.
    pub count: usize,
    /// Σ importance·E / Σ importance.
    pub error: Option<f64>,
    /// Binary: share of samples with (p > 0.5) = (t > 0.5); several classes: share of equal [`choice`].
    pub accuracy: Option<f64>,
    /// Binary: mean p over positives − mean p over negatives; vectors: mean over the classes that occur of the mean
    /// p of the true class.
    pub dispersion: Option<f64>,
    /// Share of the largest class.
    pub majority: Option<f64>,
    /// Accuracy with the best threshold on the raw output.
    pub best_threshold_accuracy: Option<f64>,
    /// That threshold: outputs at or above it are positive.
    pub threshold: Option<f64>,
    /// Mann–Whitney statistic, ties ½.
    pub auc_roc: Option<f64>,
    /// Area under precision–recall, interpolated as by Davis & Goadrich 2006.
    pub auc_pr: Option<f64>,
    /// Mean squared difference per element.
    pub mse: Option<f64>,
    /// Mean absolute difference per element.
    pub mae: Option<f64>,
    /// 1 − Σ(z−t)²/Σ(t−mean t)², the mean per element of the output.
    pub r2: Option<f64>,
}

/// All metrics of raw outputs against targets, sample by sample.
///
/// p is σ(z) or softmax(z) under softentropy, else z. Classification metrics are given for the entropies, and for
/// the other losses where all targets are scalars 0 or 1; regression metrics for the other losses. Samples whose
/// output and target differ in length count in nothing but `count`.
pub fn evaluate(loss: Loss, outputs: &[Vec<f64>], targets: &[Vec<f64>], importances: &[f64]) -> Metrics {
    let cases: Vec<Case<'_>> = outputs
        .iter()
        .zip(targets)
        .enumerate()
        .map(|(i, (output, target))| Case {
            output,
            target,
            importance: importances.get(i).copied().unwrap_or(1.0),
            classes: None,
        })
        .collect();
    evaluate_cases(loss, &cases)
}

/// A sample and what the model says of it.
#[derive(Debug, Clone, Copy)]
pub struct Case<'c> {
    /// The raw output; of a group one element for each class.
    pub output: &'c [f64],
    /// The target, of as many elements.
    pub target: &'c [f64],
    /// Weight in the error.
    pub importance: f64,
    /// Of a group: the class of each element. The elements of a vector are classes by their positions.
    pub classes: Option<&'c [u32]>,
}

impl Case<'_> {
    /// Whether it chooses one of several classes; a group does also if it has one member.
    fn is_choice(&self) -> bool {
        self.classes.is_some() || self.output.len() > 1
    }
}

/// All metrics of samples, groups among them. These are always learned by the cross-entropy of their softmax.
pub fn evaluate_cases(loss: Loss, cases: &[Case<'_>]) -> Metrics {
    let mut metrics = Metrics { count: cases.len(), ..Metrics::default() };
    let fits = |c: &&Case<'_>| c.output.len() == c.target.len() && !c.output.is_empty();
    let cases: Vec<Case<'_>> = cases.iter().filter(fits).copied().collect();
    if cases.is_empty() {
        return metrics;
    }
    let value = |c: &Case<'_>| match c.classes {
        Some(_) => joint_value(c.output, c.target),
        None => loss.value(c.output, c.target),
    };
    let weight: f64 = cases.iter().map(|c| c.importance).sum();
    let error: f64 = cases.iter().map(|c| c.importance * value(c)).sum();
    metrics.error = (weight != 0.0).then(|| error / weight);
    if cases.iter().all(|c| !c.is_choice()) {
        let samples: Vec<(f64, f64)> = cases.iter().map(|c| (c.output[0], c.target[0])).collect();
        if loss.is_classification() || samples.iter().all(|s| s.1 == 0.0 || s.1 == 1.0) {
            binary(loss, &samples, &mut metrics);
        }
    } else if loss.is_classification() && cases.iter().all(Case::is_choice) {
        multiclass(loss, &cases, &mut metrics);
    }
    if !loss.is_classification() {
        regression(&cases, &mut metrics);
    }
    metrics
}

fn share(part: usize, all: usize) -> f64 {
    part as f64 / all as f64
}

fn binary(loss: Loss, samples: &[(f64, f64)], metrics: &mut Metrics) {
    let n = samples.len();
    let p = |z: f64| if loss == Loss::SoftEntropy { probability(z) } else { z };
    let correct = samples.iter().filter(|&&(z, t)| (p(z) > 0.5) == (t > 0.5)).count();
    metrics.accuracy = Some(share(correct, n));
    let (mut sums, mut counts) = ([0.0; 2], [0usize; 2]);
    for &(z, t) in samples {
        let class = usize::from(t > 0.5);
        sums[class] += p(z);
        counts[class] += 1;
    }
    let [negatives, positives] = counts;
    metrics.majority = Some(share(positives.max(negatives), n));
    if positives > 0 && negatives > 0 {
        metrics.dispersion = Some(sums[1] / positives as f64 - sums[0] / negatives as f64);
    }
    let points = ascending(samples);
    let (accuracy, threshold) = best_threshold(&points, n, negatives);
    metrics.best_threshold_accuracy = Some(accuracy);
    metrics.threshold = threshold.is_finite().then_some(threshold);
    metrics.auc_roc = auc_roc(&points, positives, negatives);
    metrics.auc_pr = auc_pr(&points, positives);
}

/// Samples of one output.
struct Point {
    output: f64,
    positives: usize,
    negatives: usize,
}

/// The distinct outputs in ascending order. NaN has its place in the total order, so that nothing panics.
fn ascending(samples: &[(f64, f64)]) -> Vec<Point> {
    // −0 is made 0, as the total order sets them apart.
    let mut sorted: Vec<(f64, bool)> = samples.iter().map(|&(z, t)| (z + 0.0, t > 0.5)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut points: Vec<Point> = Vec::new();
    for (output, positive) in sorted {
        match points.last_mut() {
            Some(p) if p.output.total_cmp(&output).is_eq() => {
                p.positives += usize::from(positive);
                p.negatives += usize::from(!positive);
            }
            _ => points.push(Point {
                output,
                positives: usize::from(positive),
                negatives: usize::from(!positive),
            }),
        }
    }
    points
}

/// The accuracy of the best threshold, and the threshold: between two outputs their midpoint, below all of them the
/// first output, above all of them the next number after the last. The lowest of equally good ones.
fn best_threshold(points: &[Point], n: usize, negatives: usize) -> (f64, f64) {
    let (mut wrong, mut best, mut place) = (negatives, negatives, 0);
    for (i, p) in points.iter().enumerate() {
        // Now everything up to and including point i lies below.
        wrong = wrong + p.positives - p.negatives;
        if wrong < best {
            (best, place) = (wrong, i + 1);
        }
    }
    let output = |i: usize| points[i].output;
    let threshold = if place == 0 {
        output(0)
    } else if place == points.len() {
        output(place - 1).next_up()
    } else {
        0.5 * output(place - 1) + 0.5 * output(place)
    };
    (share(n - best, n), threshold)
}

/// P(a positive's output is above a negative's), ties ½; none with one class only.
fn auc_roc(points: &[Point], positives: usize, negatives: usize) -> Option<f64> {
    if positives == 0 || negatives == 0 {
        return None;
    }
    let (mut below, mut won) = (0.0, 0.0);
    for p in points {
        won += p.positives as f64 * (below + 0.5 * p.negatives as f64);
        below += p.negatives as f64;
    }
    Some(won / (positives as f64 * negatives as f64))
}

/// The area under precision over recall; none without positives.
///
/// From the highest output down, each distinct output is a point (TP, FP). Points before the first positive are
/// dropped; if the first one left has TP > 1, the point (1, FP/TP) precedes it. Between two points there is one for
/// each unit of TP, FP being linear. The first point adds recall·precision, the rest trapezoids.
fn auc_pr(points: &[Point], positives: usize) -> Option<f64> {
    if positives == 0 {
        return None;
    }
    let precision = |tp: f64, fp: f64| tp / (tp + fp);
    let all = positives as f64;
    let (mut tp, mut fp) = (0.0, 0.0);
    // The last point of the curve; none before the first positive.
    let mut last: Option<(f64, f64)> = None;
    let mut area = 0.0;
    for p in points.iter().rev() {
        tp += p.positives as f64;
        fp += p.negatives as f64;
        if tp == 0.0 {
            continue;
        }
        let (mut t, mut f) = last.unwrap_or_else(|| {
            let first = (1.0, fp / tp);
            area += precision(first.0, first.1) / all;
            first
        });
        let slope = (fp - f) / (tp - t);
        while t < tp {
            let next = (t + 1.0, f + slope);
            area += 0.5 * (precision(t, f) + precision(next.0, next.1)) / all;
            (t, f) = next;
        }
        last = Some((tp, fp));
    }
    Some(area)
}

/// Where the chosen class stands: that of the greatest value, of equal ones the class with the least number. The numbers
/// of the classes are `classes`, or the positions.
///
/// The members of a group stand in an order of its own, what is asked for first; were the first of equals chosen there, a
/// tie would always be right.
pub fn choice(values: &[f64], classes: Option<&[u32]>) -> usize {
    let number = |i: usize| classes.map_or(i, |names| names[i] as usize);
    let better = |i: usize, best: usize| {
        values[i] > values[best] || values[i] == values[best] && number(i) < number(best)
    };
    (1..values.len()).fold(0, |best, i| if better(i, best) { i } else { best })
}

fn multiclass(loss: Loss, cases: &[Case<'_>], metrics: &mut Metrics) {
    let n = cases.len();
    // By class: the sum of its probabilities and the number of its samples.
    let mut classes: BTreeMap<(bool, usize), (f64, usize)> = BTreeMap::new();
    let mut correct = 0;
    for c in cases {
        let at = choice(c.target, c.classes);
        correct += usize::from(choice(c.output, c.classes) == at);
        let name = c.classes.map_or((false, at), |names| (true, names[at] as usize));
        let logits = loss == Loss::SoftEntropy || c.classes.is_some();
        let class = classes.entry(name).or_default();
        class.0 += if logits { softmax(c.output)[at] } else { c.output[at] };
        class.1 += 1;
    }
    let means: f64 = classes.values().map(|(sum, count)| sum / *count as f64).sum();
    metrics.accuracy = Some(share(correct, n));
    metrics.dispersion = Some(means / classes.len() as f64);
    metrics.majority = Some(share(classes.values().map(|c| c.1).max().unwrap_or(0), n));
}

fn regression(cases: &[Case<'_>], metrics: &mut Metrics) {
    let elements: usize = cases.iter().map(|c| c.output.len()).sum();
    let width = cases.iter().map(|c| c.target.len()).max().unwrap_or(0);
    let (mut means, mut counts) = (vec![0.0; width], vec![0usize; width]);
    for c in cases {
        for (j, t) in c.target.iter().enumerate() {
            means[j] += t;
            counts[j] += 1;
        }
    }
    means.iter_mut().zip(&counts).for_each(|(m, &c)| *m /= c as f64);
    let (mut squares, mut absolute, mut spread) = (0.0, 0.0, 0.0);
    for c in cases {
        for ((z, t), mean) in c.output.iter().zip(c.target).zip(&means) {
            squares += (z - t) * (z - t);
            absolute += (z - t).abs();
            spread += (t - mean) * (t - mean);
        }
    }
    metrics.mse = Some(squares / elements as f64);
    metrics.mae = Some(absolute / elements as f64);
    metrics.r2 = (spread > 0.0).then(|| 1.0 - squares / spread);
}
