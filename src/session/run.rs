//! Training and answering.

use super::groups::normalise;
use super::modes::{LiftMode, Lossy, LossyReport, wide};
use super::{Network, Precision, Session, Unprovable};
use crate::data::Split;
use crate::diag::{Diagnostic, codes};
use crate::exec::Parameters;
use crate::learn::trainer::{Drawn, NotFinite, initialize};
use crate::learn::{EpochReport, History, Metrics, Sample, Stated, TrainProfile, Trainer, comparable};
use crate::tensor::real::Real;
use std::ops::ControlFlow;

/// What a run found.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The epochs.
    pub history: History,
    /// The value of each answer of the network, in order; those of a group are the probabilities of its classes.
    pub values: Vec<Vec<f64>>,
    /// What the error of each sample is computed from; of a group its logits.
    pub sample_outputs: Vec<Vec<f64>>,
    /// On the training samples, by the kept model.
    pub train: Metrics,
    /// On the validation samples.
    pub validation: Metrics,
    /// On the test samples.
    pub test: Metrics,
    /// Seconds of training, evaluation included.
    pub train_seconds: f64,
    /// What lossy lifting promises of the values, if it was asked for.
    pub lossy: Option<LossyReport>,
    /// What training cost, if it was measured.
    pub profile: Option<TrainProfile>,
}

impl Session {
    /// Parameters at their initial values: written ones as written, the others drawn with the seed.
    pub fn initial_parameters<T: Real>(&self) -> Parameters<T> {
        let mut parameters = Parameters::new(&self.template);
        let settings = &self.settings.train;
        initialize(&mut parameters, &self.template, settings.initializer, settings.seed);
        parameters
    }

    /// Trains on the samples of a network (if there are any and `epochs` is positive) and computes all answers.
    /// `parameters` are where training starts and, afterwards, the kept model.
    pub fn run(
        &self,
        network: &Network,
        parameters: &mut Parameters<f64>,
        watch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
    ) -> Result<Outcome, Diagnostic> {
        self.run_on(network, &network.samples, &network.stated, parameters, watch)
    }

    /// The same on samples, and what is stated, that are those of the network, in order, but may be for something else.
    pub(super) fn run_on(
        &self,
        network: &Network,
        samples: &[Sample],
        stated: &[Stated],
        parameters: &mut Parameters<f64>,
        watch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
    ) -> Result<Outcome, Diagnostic> {
        match self.settings.precision {
            Precision::F64 => {
                let (outcome, kept) = self.run_with(network, samples, stated, parameters.clone(), watch)?;
                *parameters = kept;
                Ok(outcome)
            }
            Precision::F32 => {
                let narrow = Parameters {
                    values: parameters.values.iter().map(|&x| x as f32).collect(),
                    ranges: parameters.ranges.clone(),
                    shapes: parameters.shapes.clone(),
                    learnable: parameters.learnable.clone(),
                    groups: parameters.groups.clone(),
                };
                let (outcome, kept) = self.run_with(network, samples, stated, narrow, watch)?;
                parameters.values = kept.values.iter().map(|&x| f64::from(x)).collect();
                Ok(outcome)
            }
        }
    }

    fn run_with<T: Real>(
        &self,
        network: &Network,
        samples: &[Sample],
        stated: &[Stated],
        parameters: Parameters<T>,
        watch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
    ) -> Result<(Outcome, Parameters<T>), Diagnostic> {
        let settings = self.settings.train.clone();
        let start = std::time::Instant::now();
        if self.has_draws() && matches!(self.settings.lift_mode, LiftMode::Lossy { .. }) {
            let title =
                "`--lift-mode lossy` promises something of one network, and drawn facts make one every epoch";
            return Err(Diagnostic::new(codes::DRAW, title).help("lift exactly, or leave `draw=` out"));
        }
        if settings.patience.is_some() && !comparable(samples) {
            let title = "`--patience` has no error to go by: training samples train different weights";
            let d = Diagnostic::new(codes::USAGE, title);
            return Err(
                d.help("with `--val-queries` or `--val-examples` validation samples choose the model")
            );
        }
        let mut lossy = Lossy::start(self, network, &wide(&parameters))?;
        let divided = lossy.as_ref().map(|l| l.programs());
        let programs = divided.as_ref().unwrap_or(&network.programs);
        let prepare = std::time::Instant::now();
        let mut trainer = Trainer::new(programs, samples, parameters, settings);
        trainer.count_stated(stated);
        if self.settings.profile {
            trainer.start_profile(prepare.elapsed());
        }
        let learns = self.template.parameter_count() > 0 && !samples.is_empty();
        if self.settings.train.epochs > 0 && learns {
            let mut refused = None;
            let trained = trainer.train_regrouped(
                watch,
                &mut |parameters| match &mut lossy {
                    Some(lossy) => lossy.check(parameters),
                    None => ControlFlow::Continue(Vec::new()),
                },
                &mut |epoch, values_do| {
                    if !self.has_draws() {
                        return ControlFlow::Continue(None);
                    }
                    if let Some(values) = self.redrawn_values(epoch).filter(|_| values_do) {
                        return ControlFlow::Continue(Some(values));
                    }
                    match self.redrawn(&network.asked, epoch) {
                        Ok(Network { programs, samples, .. }) => {
                            ControlFlow::Continue(Some(Drawn::Programs { programs, samples }))
                        }
                        Err(found) => {
                            refused = found.into_iter().find(Diagnostic::is_error);
                            ControlFlow::Break(())
                        }
                    }
                },
            );
            if let Some(refusal) = refused {
                return Err(refusal);
            }
            if let Some(refusal) = lossy.as_mut().and_then(|l| l.refusal.take()) {
                return Err(refusal);
            }
            trained.map_err(|e| self.not_finite(network, e))?;
        }
        let train_seconds = start.elapsed().as_secs_f64();
        let answering = std::time::Instant::now();
        let outputs = trainer.outputs();
        let unprovable = match self.settings.unprovable {
            Unprovable::Value(v) => v,
            _ => 0.0,
        };
        let value = |a: &crate::answer::Answer| match a.place {
            Some((shard, output)) => outputs[shard][output].clone(),
            None => vec![unprovable],
        };
        let mut values: Vec<Vec<f64>> = network.answers.iter().map(value).collect();
        normalise(&network.groups, &outputs, &mut values);
        let mut outcome = Outcome {
            values,
            sample_outputs: samples.iter().map(|s| s.read(&outputs)).collect(),
            train: trainer.metrics(&outputs, Split::Train),
            validation: trainer.metrics(&outputs, Split::Validation),
            test: trainer.metrics(&outputs, Split::Test),
            history: std::mem::take(&mut trainer.history),
            train_seconds,
            lossy: lossy.map(|l| l.report(&wide(&trainer.parameters))),
            profile: trainer.take_profile(),
        };
        if let Some(profile) = &mut outcome.profile {
            profile.evaluation += answering.elapsed().as_secs_f64();
        }
        Ok((outcome, trainer.into_parameters()))
    }

    /// A warning about answers that are no finite numbers, naming the first query with one.
    pub fn infinite_answers(&self, network: &Network, outcome: &Outcome) -> Option<Diagnostic> {
        let wrong = |values: &&Vec<f64>| values.iter().any(|v| !v.is_finite());
        let count = outcome.values.iter().filter(wrong).count();
        let first = outcome.values.iter().position(|v| wrong(&v))?;
        let answer = &network.answers[first];
        let query = &self.database.queries[answer.query];
        let atom = self.vocabulary.atom_text(query.pred, answer.args.iter().copied());
        let title = match count {
            1 => format!("the value of `{atom}` is no finite number"),
            n => format!("{n} answers are no finite numbers, first that of `{atom}`"),
        };
        let d = Diagnostic::new(codes::INFINITE_ANSWER, title).label(query.span, "asked here");
        Some(d.help("look for `log`, `sqrt`, `inverse` or `exp` of values that they cannot take"))
    }

    fn not_finite(&self, network: &Network, e: NotFinite) -> Diagnostic {
        let query = &self.database.queries[network.answers[network.sample_answers[e.sample]].query];
        let when = match e.epoch {
            0 => "before training".to_string(),
            n => format!("in epoch {n}"),
        };
        Diagnostic::new(codes::NOT_FINITE, format!("the error is not a finite number {when}"))
            .label(query.span, "at this query")
            .help(match e.epoch {
                0 => "look for `log`, `sqrt`, `inverse` or `exp` of values that they cannot take",
                _ => "a smaller learning rate (`--lr`), or look for `log`, `inverse`, `exp` of unbounded values",
            })
    }
}
