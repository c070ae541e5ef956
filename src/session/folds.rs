//! Cross-validation: as many trainings as folds, each of which learns from all folds but one and is tested on that one.

use super::modes::LossyReport;
use super::{Network, Outcome, Session};
use crate::base::hash::HashMap;
use crate::base::rng::Stream;
use crate::data::Split;
use crate::diag::{Diagnostic, codes};
use crate::learn::{Case, EpochReport, Metrics, Sample, Stated, evaluate_cases, folds};
use serde::Serialize;
use std::ops::ControlFlow;

/// One training of a cross-validation.
#[derive(Debug, Clone)]
pub struct Fold {
    /// The samples held out: positions in the network's list.
    pub held_out: Vec<usize>,
    /// What it found; `test` is about the samples held out.
    pub outcome: Outcome,
}

/// A cross-validation.
#[derive(Debug, Clone)]
pub struct CrossValidation {
    /// The trainings.
    pub folds: Vec<Fold>,
    /// The fold, from 0, that held out each answer of the network; `None` for those that none did.
    pub fold_of: Vec<Option<usize>>,
    /// All of them as one outcome: every sample's value by the training that held it out (nothing for answers that
    /// were not held out), metrics of these values as those of test samples, and the epochs one after the other.
    pub pooled: Outcome,
}

/// Mean and spread of a metric over the folds where it applies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation: the root of the mean squared difference from the mean.
    pub std: f64,
}

impl Spread {
    /// Of some numbers; `None` of nothing.
    pub fn of(values: impl Iterator<Item = f64>) -> Option<Spread> {
        let values: Vec<f64> = values.collect();
        let n = values.len() as f64;
        if values.is_empty() {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n;
        let std = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        Some(Spread { mean, std })
    }
}

impl CrossValidation {
    /// The means of all metrics on the samples held out.
    pub fn mean(&self) -> Metrics {
        self.metrics(|s| s.mean)
    }

    /// Their standard deviations.
    pub fn std(&self) -> Metrics {
        self.metrics(|s| s.std)
    }

    fn metrics(&self, part: impl Fn(Spread) -> f64) -> Metrics {
        let of = |metric: fn(&Metrics) -> Option<f64>| self.spread(metric).map(&part);
        Metrics {
            count: 0,
            error: of(|m| m.error),
            accuracy: of(|m| m.accuracy),
            dispersion: of(|m| m.dispersion),
            majority: of(|m| m.majority),
            best_threshold_accuracy: of(|m| m.best_threshold_accuracy),
            threshold: of(|m| m.threshold),
            auc_roc: of(|m| m.auc_roc),
            auc_pr: of(|m| m.auc_pr),
            mse: of(|m| m.mse),
            mae: of(|m| m.mae),
            r2: of(|m| m.r2),
        }
    }

    /// Mean and spread of a metric on the samples held out.
    pub fn spread(&self, metric: impl Fn(&Metrics) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.folds.iter().filter_map(|f| metric(&f.outcome.test)))
    }
}

/// What folds are stratified by: the target; of a group its classes with their targets, in whatever order they stand.
fn stratum(sample: &Sample) -> Vec<f64> {
    let Some(classes) = &sample.classes else { return sample.target.clone() };
    let pairs = classes.names.iter().copied().zip(sample.target.iter().copied());
    let mut right: Vec<(u32, f64)> = pairs.filter(|(_, t)| *t != 0.0).collect();
    right.sort_unstable_by_key(|(name, _)| *name);
    right.into_iter().flat_map(|(name, t)| [f64::from(name), t]).collect()
}

impl Session {
    /// The fold of each sample, from 0; `None` for samples that are not trained on in any case. An error if there are
    /// fewer samples than folds.
    pub fn folds(&self, network: &Network, count: usize) -> Result<Vec<Option<usize>>, Diagnostic> {
        if self.has_draws() {
            let d = Diagnostic::new(
                codes::DRAW,
                "`--folds` holds out samples, and drawn facts make others every epoch",
            );
            return Err(d.help("validate with `--val-queries`, or leave `draw=` out"));
        }
        let mut asked = HashMap::default();
        let targets: Vec<Vec<f64>> = network.samples.iter().map(stratum).collect();
        let mut samples: Vec<(usize, &[f64])> = Vec::new();
        let mut positions = Vec::new();
        for (i, _) in network.samples.iter().enumerate().filter(|(_, s)| s.split == Split::Train) {
            let answer = &network.answers[network.sample_answers[i]];
            let query = &self.database.queries[answer.query];
            let next = asked.len();
            let atom = *asked.entry((query.world, query.pred, &answer.args[..])).or_insert(next);
            samples.push((atom, &targets[i]));
            positions.push(i);
        }
        if asked.len() < count {
            let title =
                format!("`--folds {count}` needs {count} different samples, there are {}", asked.len());
            let d = Diagnostic::new(codes::USAGE, title);
            let same = samples.len() - asked.len();
            return Err(match same {
                0 => d,
                _ => d.note(format!("of {} samples {same} ask for an atom that an earlier one asks for; such samples stay together", samples.len())),
            });
        }
        let mut out = vec![None; network.samples.len()];
        let dealt = folds::deal(&samples, count, &mut Stream::new(self.settings.train.seed, "folds"));
        positions.into_iter().zip(dealt).for_each(|(i, fold)| out[i] = Some(fold));
        Ok(out)
    }

    /// Trains as often as there are folds, from the same initial weights each time. Validation samples keep their
    /// part. `watch` is told the fold, from 0, after each epoch; when it breaks off, that training ends.
    pub fn cross_validate(
        &self,
        network: &Network,
        count: usize,
        watch: &mut dyn FnMut(usize, &EpochReport) -> ControlFlow<()>,
    ) -> Result<CrossValidation, Diagnostic> {
        let fold_of = self.folds(network, count)?;
        // All answers of a sample: a group has several.
        let mut answers: Vec<Vec<usize>> = network.sample_answers.iter().map(|a| vec![*a]).collect();
        let firsts: HashMap<usize, usize> =
            network.sample_answers.iter().enumerate().map(|(i, a)| (*a, i)).collect();
        for group in &network.groups {
            let split = |a: &usize| self.database.queries[network.answers[*a].query].split;
            let members = || group.answers.iter().map(|(a, _)| *a);
            for sample in members().filter_map(|a| firsts.get(&a)) {
                let first = network.sample_answers[*sample];
                answers[*sample] = members().filter(|a| split(a) == split(&first)).collect();
            }
        }
        // Nothing is learned from what is stated, so it only has to be dealt evenly.
        let mut next = 0..;
        let deal =
            |s: &Stated| if s.split == Split::Train { next.next().map(|i: usize| i % count) } else { None };
        let stated_fold: Vec<Option<usize>> = network.stated.iter().map(deal).collect();
        let mut raw: Vec<Vec<f64>> = vec![Vec::new(); network.samples.len()];
        let mut folds = Vec::with_capacity(count);
        let mut held_by = vec![None; network.answers.len()];
        let mut pooled = Outcome { values: vec![Vec::new(); network.answers.len()], ..Outcome::default() };
        for fold in 0..count {
            let held = |i: usize| fold_of[i] == Some(fold);
            let split = |(i, s): (usize, &Sample)| Sample {
                split: if held(i) { Split::Test } else { s.split },
                ..s.clone()
            };
            let samples: Vec<Sample> = network.samples.iter().enumerate().map(split).collect();
            let mut parameters = self.initial_parameters();
            let of_stated = |(s, held): (&Stated, &Option<usize>)| Stated {
                split: if *held == Some(fold) { Split::Test } else { s.split },
                ..s.clone()
            };
            let stated: Vec<Stated> = network.stated.iter().zip(&stated_fold).map(of_stated).collect();
            let outcome =
                self.run_on(network, &samples, &stated, &mut parameters, &mut |epoch| watch(fold, epoch))?;
            let held_out: Vec<usize> = (0..samples.len()).filter(|&i| held(i)).collect();
            for &i in &held_out {
                raw[i].clone_from(&outcome.sample_outputs[i]);
                for &answer in &answers[i] {
                    pooled.values[answer].clone_from(&outcome.values[answer]);
                    held_by[answer] = Some(fold);
                }
            }
            for (i, &answer) in network.stated_answers.iter().enumerate() {
                if stated_fold[i] == Some(fold) {
                    pooled.values[answer].clone_from(&outcome.values[answer]);
                    held_by[answer] = Some(fold);
                }
            }
            pooled.history.epochs.extend_from_slice(&outcome.history.epochs);
            pooled.train_seconds += outcome.train_seconds;
            if let Some(profile) = &outcome.profile {
                pooled.profile.get_or_insert_default().add(profile);
            }
            pooled.lossy = LossyReport::worse(pooled.lossy.take(), outcome.lossy.clone());
            folds.push(Fold { held_out, outcome });
        }
        let held = (0..fold_of.len()).filter(|&i| fold_of[i].is_some());
        let held = held.map(|i| network.samples[i].case(&raw[i]));
        let stated =
            network.stated.iter().zip(&stated_fold).filter(|(_, f)| f.is_some()).map(|(s, _)| s.case());
        let cases: Vec<Case<'_>> = held.chain(stated).collect();
        pooled.test = evaluate_cases(self.settings.train.loss, &cases);
        pooled.sample_outputs = raw;
        Ok(CrossValidation { folds, fold_of: held_by, pooled })
    }
}
