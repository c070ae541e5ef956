//! The training loop: shuffling, batches, steps, evaluation, the best model.

use super::batches::{comparable, kinds, parted};
use super::init::Initializer;
use super::loss::{Loss, joint_gradient, joint_value};
use super::metrics::{Case, Metrics, evaluate_cases};
use super::optimizer::{Optimizer, OptimizerState, Schedule, clip_by_norm, clip_by_value};
use super::profile::{Stopwatch, TrainProfile};
use super::shard::Shard;
use crate::base::index::{Id, IndexVec};
use crate::base::rng::Stream;
use crate::data::{Split, ValueId};
use crate::exec::{Gradients, Parameters, Program};
use crate::template::{Kinship, Template, Trains, WeightId};
use crate::tensor::real::Real;
use rayon::prelude::*;
use serde::Serialize;
use std::borrow::Cow;
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

/// How many samples make one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Batch {
    /// So many.
    Size(usize),
    /// All of them.
    All,
}

/// How a step's gradients are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Reduction {
    /// Divided by the number of target elements in the step.
    Mean,
    /// Not at all.
    Sum,
}

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainSettings {
    /// Number of epochs.
    pub epochs: usize,
    /// Samples per step.
    pub batch: Batch,
    /// The optimiser.
    pub optimizer: Optimizer,
    /// Learning rate; `None` for the optimiser's default.
    pub learning_rate: Option<f64>,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Subtracted from each gradient: this times the weight.
    pub weight_decay: f64,
    /// Greatest norm of a step's gradient.
    pub clip_norm: Option<f64>,
    /// Greatest element of a step's gradient.
    pub clip_value: Option<f64>,
    /// Scaling of a step's gradient.
    pub reduction: Reduction,
    /// The error.
    pub loss: Loss,
    /// How `{dims}` weights are drawn.
    pub initializer: Initializer,
    /// Seed of all random streams.
    pub seed: u64,
    /// Whether the samples change their order every epoch.
    pub shuffle: bool,
    /// The model is evaluated, and kept if it is the best so far, every so many epochs.
    pub evaluate_every: usize,
    /// Training ends at the first evaluation that is so many epochs or more after that of the best model; `None`: only
    /// after all epochs.
    pub patience: Option<usize>,
}

impl Default for TrainSettings {
    fn default() -> Self {
        TrainSettings {
            epochs: 100,
            batch: Batch::Size(1),
            optimizer: Optimizer::ADAM,
            learning_rate: None,
            schedule: Schedule::Constant,
            weight_decay: 0.0,
            clip_norm: None,
            clip_value: None,
            reduction: Reduction::Mean,
            loss: Loss::SoftEntropy,
            initializer: Initializer::Glorot,
            seed: 0,
            shuffle: true,
            evaluate_every: 1,
            patience: None,
        }
    }
}

/// A query with a target, and where its output stands.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The program.
    pub shard: usize,
    /// Which of its outputs; of a group the first.
    pub output: usize,
    /// The target, as many elements as the output; of a group one for each output.
    pub target: Vec<f64>,
    /// Weight in the error.
    pub importance: f64,
    /// What it is for.
    pub split: Split,
    /// Which weights it trains.
    pub trains: Trains,
    /// Of a group: all its outputs, which are scalars and pass a softmax together.
    pub classes: Option<Classes>,
}

/// A query with a target that has no output but a stated value: metrics count it, nothing is learned from it.
#[derive(Debug, Clone)]
pub struct Stated {
    /// The value, a scalar.
    pub value: f64,
    /// The target, one element.
    pub target: Vec<f64>,
    /// Weight in the error.
    pub importance: f64,
    /// What it is for.
    pub split: Split,
}

/// The outputs of a group, each of which stands for a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes {
    /// The outputs.
    pub outputs: Vec<usize>,
    /// The class of each: the same number for the same class in all groups.
    pub names: Vec<u32>,
}

impl Sample {
    /// The outputs that its error is about.
    pub fn outputs(&self) -> &[usize] {
        self.classes.as_ref().map_or(std::slice::from_ref(&self.output), |c| &c.outputs)
    }

    /// Its output among those of all shards; of a group one element for each class.
    pub fn read(&self, outputs: &[Vec<Vec<f64>>]) -> Vec<f64> {
        self.outputs().iter().flat_map(|&o| &outputs[self.shard][o]).copied().collect()
    }

    /// Its error: the loss, and for a group the cross-entropy of the softmax over its outputs.
    pub fn error<T: Real>(&self, loss: Loss, z: &[T]) -> f64 {
        match self.classes {
            Some(_) => joint_value(z, &self.target),
            None => loss.value(z, &self.target),
        }
    }

    /// The gradient of the negative error.
    pub(super) fn gradient<T: Real>(&self, loss: Loss, z: &[T], g: &mut [T]) {
        match self.classes {
            Some(_) => joint_gradient(z, &self.target, g),
            None => loss.gradient(z, &self.target, g),
        }
    }

    /// What metrics take: the sample with its output.
    pub fn case<'s>(&'s self, output: &'s [f64]) -> Case<'s> {
        let classes = self.classes.as_ref().map(|c| &c.names[..]);
        Case { output, target: &self.target, importance: self.importance, classes }
    }
}

impl Stated {
    /// What metrics take.
    pub fn case(&self) -> Case<'_> {
        let output = std::slice::from_ref(&self.value);
        Case { output, target: &self.target, importance: self.importance, classes: None }
    }
}

/// One epoch, as it is reported.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpochReport {
    /// Number, from 1.
    pub epoch: usize,
    /// Mean error met while learning, each sample's before the step that it takes part in.
    pub online_error: f64,
    /// Error on the training samples after the epoch, if evaluated.
    pub train_error: Option<f64>,
    /// Accuracy on the training samples after the epoch, if evaluated.
    pub train_accuracy: Option<f64>,
    /// Error on the validation samples after the epoch, if evaluated.
    pub validation_error: Option<f64>,
    /// Accuracy on the validation samples after the epoch, if evaluated.
    pub validation_accuracy: Option<f64>,
    /// Seconds of learning, evaluation not included.
    pub seconds: f64,
}

/// What training did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct History {
    /// The epochs.
    pub epochs: Vec<EpochReport>,
    /// The epoch after which the kept model was found; 0 is the model before training.
    pub best_epoch: usize,
    /// Whether training ended before its last epoch because nothing improved any more.
    pub stopped_early: bool,
}

/// A value that is not finite appeared in training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotFinite {
    /// The sample.
    pub sample: usize,
    /// The epoch, from 1; 0 before training.
    pub epoch: usize,
}

/// What an epoch is learned on instead of what is evaluated.
#[derive(Debug)]
pub enum Drawn {
    /// Other programs.
    Programs {
        /// The programs.
        programs: Vec<Program>,
        /// Their samples.
        samples: Vec<Sample>,
    },
    /// The programs of the epoch before, with other values of facts.
    Values {
        /// The first value that changes.
        first: ValueId,
        /// This and those after it.
        values: Vec<Vec<f64>>,
    },
}

/// Below this many elements a step is too short to share between threads (a rayon fork costs some 5 µs).
const PARALLEL_ROWS: usize = 4096;

/// Trains and evaluates. Elements are `T`; what is reported is `f64`.
pub struct Trainer<'a, T> {
    settings: TrainSettings,
    shards: Vec<Shard<'a, T>>,
    samples: Cow<'a, [Sample]>,
    /// What metrics count besides.
    stated: &'a [Stated],
    /// The weights.
    pub parameters: Parameters<T>,
    optimizer: OptimizerState<T>,
    /// Whether some weights are in groups.
    grouped: bool,
    ranges: Vec<Range<usize>>,
    total: Gradients<T>,
    /// The samples of a step, by shard.
    by_shard: Vec<Vec<usize>>,
    /// The weights that a step changes.
    touched: Vec<u32>,
    /// What the last epoch was learned on, if it is not what is evaluated.
    drawn: Option<(Vec<Shard<'a, T>>, Vec<Sample>)>,
    order: Vec<usize>,
    shuffles: Stream,
    learning_rate: f64,
    epoch: usize,
    best: Option<(f64, usize, Vec<T>)>,
    /// Measures, if somebody wants to know.
    watch: Option<Stopwatch>,
    /// What training did so far.
    pub history: History,
}

/// Draws the weights that have no written value, with the stream `init`; each member of a family with a stream of its
/// own, so that its value depends on its name, not on which other members there are.
pub fn initialize<T: Real>(
    parameters: &mut Parameters<T>,
    template: &Template,
    initializer: Initializer,
    seed: u64,
) {
    let mut common = Stream::new(seed, "init");
    let mut drawn = Vec::new();
    for (id, weight) in template.weights.iter_enumerated() {
        if weight.initial.is_some() || weight.is_family() {
            continue;
        }
        let mut own = match weight.kinship {
            Kinship::Member(_) => Some(Stream::new(seed, &format!("init ${}", weight.name))),
            _ => None,
        };
        drawn.clear();
        drawn.resize(weight.shape.len(), 0.0);
        let stream = own.as_mut().unwrap_or(&mut common);
        initializer.fill(weight.shape, weight.gain, weight.orthogonal, stream, &mut drawn);
        for (p, &x) in parameters.get_mut(id).iter_mut().zip(&drawn) {
            *p = T::from_f64(x);
        }
    }
}

impl<'a, T: Real> Trainer<'a, T> {
    /// A trainer over compiled programs.
    pub fn new(
        programs: &'a [Program],
        samples: &'a [Sample],
        parameters: Parameters<T>,
        settings: TrainSettings,
    ) -> Self {
        let optimizer = OptimizerState::new(settings.optimizer, parameters.values.len());
        let shards: Vec<Shard<'a, T>> = (0..programs.len())
            .into_par_iter()
            .map(|i| {
                Shard::new(
                    Cow::Borrowed(&programs[i]),
                    i,
                    samples,
                    &parameters,
                    settings.batch,
                    programs.len(),
                )
            })
            .collect();
        let order = samples.iter().enumerate().filter(|(_, s)| s.split == Split::Train).map(|(i, _)| i);
        let lr = settings.learning_rate.unwrap_or(settings.optimizer.default_learning_rate());
        Trainer {
            order: order.collect(),
            grouped: parameters.groups.iter().any(Option::is_some),
            shuffles: Stream::new(settings.seed, "shuffle"),
            ranges: parameters.ranges.as_slice().to_vec(),
            total: Gradients::new(&parameters),
            by_shard: vec![Vec::new(); shards.len()],
            touched: Vec::new(),
            drawn: None,
            learning_rate: lr,
            epoch: 0,
            best: None,
            watch: None,
            history: History::default(),
            settings,
            shards,
            samples: Cow::Borrowed(samples),
            stated: &[],
            parameters,
            optimizer,
        }
    }

    /// Metrics count these, too. They do not help to choose the model: their errors are the same for all.
    pub fn count_stated(&mut self, stated: &'a [Stated]) {
        self.stated = stated;
    }

    /// Begins to measure what stages and operations cost; `prepare` is what [`Trainer::new`] took.
    pub fn start_profile(&mut self, prepare: Duration) {
        self.watch = Some(Stopwatch::new(prepare));
        self.shards.iter_mut().for_each(Shard::start_clock);
    }

    /// What was measured since it was asked for.
    pub fn take_profile(&mut self) -> Option<TrainProfile> {
        let mut watch = self.watch.take()?;
        let shapes = &self.parameters.shapes;
        self.shards.iter_mut().for_each(|shard| watch.collect(shard, &|w| shapes[w]));
        Some(watch.profile)
    }

    /// Adds the time since the last reading to a stage.
    fn lap(&mut self, stage: fn(&mut TrainProfile) -> &mut f64) {
        if let Some(watch) = &mut self.watch {
            watch.lap(stage);
        }
    }

    /// Trains for the epochs of the settings, telling `watch` after each; then the best model is put back.
    pub fn train(&mut self, watch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>) -> Result<(), NotFinite> {
        self.train_regrouped(watch, &mut |_| ControlFlow::Continue(Vec::new()), &mut |_, _| {
            ControlFlow::Continue(None)
        })
    }

    /// The same; whenever the weights are about to be used for an evaluation and a further epoch, and for the model that
    /// is kept, `regroup` is asked for programs that take the place of some shards'. They must have the same outputs in
    /// the same order. If it breaks off, training ends at once, with the weights as they are. `redraw` may give an epoch
    /// programs and samples of its own; it is told whether other values will do.
    pub fn train_regrouped(
        &mut self,
        watch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
        regroup: &mut dyn FnMut(&Parameters<T>) -> ControlFlow<(), Vec<(usize, Program)>>,
        redraw: &mut dyn FnMut(usize, bool) -> ControlFlow<(), Option<Drawn>>,
    ) -> Result<(), NotFinite> {
        if self.order.is_empty() {
            return Ok(());
        }
        if self.epoch == 0 {
            self.assess(None)?;
            if self.settings.shuffle {
                self.shuffles.shuffle(&mut self.order);
            }
        }
        let initial = self.settings.learning_rate.unwrap_or(self.settings.optimizer.default_learning_rate());
        let epochs = self.settings.epochs;
        for e in 1..=epochs {
            self.epoch += 1;
            let start = Instant::now();
            if self.settings.shuffle {
                self.shuffles.shuffle(&mut self.order);
            }
            self.learning_rate =
                self.settings.schedule.at_epoch_start(self.learning_rate, initial, self.epoch, epochs);
            let refills = |s: &Shard<'a, T>| s.program.recipe.is_some();
            let mut values_do = self.drawn.as_ref().is_some_and(|(shards, _)| shards.iter().all(refills));
            let online_error = loop {
                match redraw(self.epoch, values_do) {
                    ControlFlow::Continue(None) => break self.epoch()?,
                    ControlFlow::Continue(Some(drawn)) => match self.take(drawn) {
                        true => break self.epoch_on_drawn()?,
                        false => values_do = false,
                    },
                    ControlFlow::Break(()) => return Ok(()),
                }
            };
            if self.replace_programs(regroup).is_break() {
                return Ok(());
            }
            let mut report = EpochReport {
                epoch: self.epoch,
                online_error,
                train_error: None,
                train_accuracy: None,
                validation_error: None,
                validation_accuracy: None,
                seconds: start.elapsed().as_secs_f64(),
            };
            let evaluates = e % self.settings.evaluate_every.max(1) == 0 || e == epochs;
            if evaluates {
                self.assess(Some(&mut report))?;
            }
            let mut stop = watch(&report).is_break();
            if evaluates && e < epochs && self.is_out_of_patience() {
                self.history.stopped_early = true;
                stop = true;
            }
            self.history.epochs.push(report);
            if stop {
                break;
            }
        }
        match &self.best {
            Some((_, epoch, values)) if comparable(&self.samples) => {
                self.parameters.values.clone_from(values);
                self.history.best_epoch = *epoch;
            }
            _ => self.history.best_epoch = self.epoch,
        }
        // Whether it breaks off no longer matters: nothing follows.
        let _ = self.replace_programs(regroup);
        Ok(())
    }

    /// Makes what an epoch is learned on; false if other values will not do.
    fn take(&mut self, drawn: Drawn) -> bool {
        let (programs, samples) = match drawn {
            Drawn::Programs { programs, samples } => (programs, samples),
            Drawn::Values { first, values } => {
                let value = |v: ValueId| &values[v.index() - first.index()][..];
                let mut shards = self.drawn.iter_mut().flat_map(|(shards, _)| shards);
                return shards.all(|s| s.refill(&value));
            }
        };
        let (batch, count) = (self.settings.batch, programs.len());
        let programs = programs.into_iter().enumerate();
        let mut shards: Vec<Shard<'a, T>> = programs
            .map(|(i, p)| Shard::new(Cow::Owned(p), i, &samples, &self.parameters, batch, count))
            .collect();
        if self.watch.is_some() {
            shards.iter_mut().for_each(Shard::start_clock);
        }
        self.drawn = Some((shards, samples));
        true
    }

    /// One pass over the training samples of drawn programs.
    fn epoch_on_drawn(&mut self) -> Result<f64, NotFinite> {
        let Some((mut shards, samples)) = self.drawn.take() else { return self.epoch() };
        let count = shards.len();
        let of_training = samples.iter().enumerate().filter(|(_, s)| s.split == Split::Train);
        let mut order: Vec<usize> = of_training.map(|(i, _)| i).collect();
        if self.settings.shuffle {
            self.shuffles.shuffle(&mut order);
        }
        let mut samples = Cow::Owned(samples);
        let mut by_shard = vec![Vec::new(); count];
        let mut swap = |trainer: &mut Self| {
            std::mem::swap(&mut trainer.shards, &mut shards);
            std::mem::swap(&mut trainer.samples, &mut samples);
            std::mem::swap(&mut trainer.order, &mut order);
            std::mem::swap(&mut trainer.by_shard, &mut by_shard);
        };
        swap(self);
        let error = self.epoch();
        if let Some(watch) = &mut self.watch {
            let shapes = &self.parameters.shapes;
            self.shards.iter_mut().for_each(|shard| watch.collect(shard, &|w| shapes[w]));
        }
        swap(self);
        self.drawn = Some((shards, samples.into_owned()));
        error
    }

    fn replace_programs(
        &mut self,
        regroup: &mut dyn FnMut(&Parameters<T>) -> ControlFlow<(), Vec<(usize, Program)>>,
    ) -> ControlFlow<()> {
        for (i, program) in regroup(&self.parameters)? {
            debug_assert_eq!(program.outputs.len(), self.shards[i].program.outputs.len());
            let batch = self.settings.batch;
            let shards = self.shards.len();
            if let Some(watch) = &mut self.watch {
                let shapes = &self.parameters.shapes;
                watch.collect(&mut self.shards[i], &|w| shapes[w]);
            }
            self.shards[i] =
                Shard::new(Cow::Owned(program), i, &self.samples, &self.parameters, batch, shards);
            if self.watch.is_some() {
                self.shards[i].start_clock();
            }
        }
        ControlFlow::Continue(())
    }

    /// Whether the best model is too long ago.
    fn is_out_of_patience(&self) -> bool {
        let best = self.best.as_ref().map_or(0, |(_, epoch, _)| *epoch);
        self.settings.patience.is_some_and(|n| self.epoch - best >= n)
    }

    /// Evaluates the present model and keeps it if it is the best.
    fn assess(&mut self, report: Option<&mut EpochReport>) -> Result<(), NotFinite> {
        if let Some(watch) = &mut self.watch {
            watch.start();
        }
        let outputs = self.outputs();
        let train = self.metrics(&outputs, Split::Train);
        let validation = self.metrics(&outputs, Split::Validation);
        if let Some(sample) = self.samples.iter().position(|s| {
            s.split != Split::Test && !s.error(self.settings.loss, &s.read(&outputs)).is_finite()
        }) {
            return Err(NotFinite { sample, epoch: self.epoch });
        }
        let computed = |split: Split, metrics: &Metrics| match self.stated.iter().any(|s| s.split == split) {
            true => self.metrics_of(&outputs, split, &[]).error,
            false => metrics.error,
        };
        let error = computed(Split::Validation, &validation).or_else(|| computed(Split::Train, &train));
        let error = error.unwrap_or(f64::INFINITY);
        if self.best.as_ref().is_none_or(|(best, ..)| error < *best) {
            match &mut self.best {
                Some((best, epoch, values)) => {
                    (*best, *epoch) = (error, self.epoch);
                    values.clone_from(&self.parameters.values);
                }
                None => self.best = Some((error, self.epoch, self.parameters.values.clone())),
            }
        }
        self.lap(|p| &mut p.evaluation);
        if let Some(report) = report {
            report.train_error = train.error;
            report.train_accuracy = train.accuracy;
            report.validation_error = validation.error;
            report.validation_accuracy = validation.accuracy;
        }
        Ok(())
    }

    /// One pass over the training samples; the mean error met.
    fn epoch(&mut self) -> Result<f64, NotFinite> {
        let order = std::mem::take(&mut self.order);
        let by_kind = parted(&order, &self.samples, self.settings.batch);
        let size = match self.settings.batch {
            Batch::All => order.len(),
            Batch::Size(n) => n.max(1),
        };
        let batches: Vec<&[usize]> = match &by_kind {
            Some(batches) => batches.iter().map(Vec::as_slice).collect(),
            None => order.chunks(size).collect(),
        };
        let (mut error, mut weight) = (0.0, 0.0);
        for (at, batch) in batches.iter().enumerate() {
            if let Some([next]) = batches.get(at + 1) {
                let sample = &self.samples[*next];
                self.shards[sample.shard].look_ahead(sample);
            }
            let (e, w) = self.step(batch);
            if !e.is_finite() {
                let sample = batch[0];
                self.order = order;
                return Err(NotFinite { sample, epoch: self.epoch });
            }
            error += e;
            weight += w;
        }
        self.order = order;
        Ok(if weight > 0.0 { error / weight } else { 0.0 })
    }

    /// One step on a batch, whose samples train the same weights; the weighted error before it and the sum of weights.
    fn step(&mut self, batch: &[usize]) -> (f64, f64) {
        let (samples, loss, parameters): (&[Sample], _, _) =
            (&self.samples, self.settings.loss, &self.parameters);
        let weight: f64 = batch.iter().map(|&i| samples[i].importance).sum();
        let elements: usize = batch.iter().map(|&i| samples[i].target.len()).sum();
        let trains = batch.first().map_or(Trains::All, |&i| samples[i].trains);
        let changes = |w: &&WeightId| parameters.learnable[**w] && trains.includes(parameters.groups[**w]);
        let whole = (self.settings.batch == Batch::All).then_some(trains);
        let mut error = 0.0;
        self.touched.clear();
        let mut watch = self.watch.as_mut();
        if let Some(watch) = &mut watch {
            watch.start();
        }
        let gradient = match batch {
            // Of one sample: nothing has to be added up or found out.
            [one] if whole.is_none() => {
                let shard = &mut self.shards[samples[*one].shard];
                error += shard.gradient(parameters, samples, batch, loss, None);
                if let Some(watch) = &mut watch {
                    watch.lap(|p| &mut p.gradient);
                }
                self.touched.extend(shard.weights.iter().filter(changes).map(|w| w.0));
                &mut shard.gradients.values
            }
            _ => {
                self.by_shard.iter_mut().for_each(Vec::clear);
                for &i in batch {
                    self.by_shard[samples[i].shard].push(i);
                }
                let work = |(shard, batch): (&mut Shard<'a, T>, &Vec<usize>)| {
                    (!batch.is_empty()).then(|| shard.gradient(parameters, samples, batch, loss, whole))
                };
                let rows =
                    |(shard, batch): (&Shard<'a, T>, &Vec<usize>)| shard.row_count(samples, batch, whole);
                let parallel = self.shards.len() > 1
                    && self.shards.iter().zip(&self.by_shard).map(rows).sum::<usize>() > PARALLEL_ROWS;
                let parts: Vec<Option<f64>> = if parallel {
                    self.shards.par_iter_mut().zip(&self.by_shard).map(work).collect()
                } else {
                    self.shards.iter_mut().zip(&self.by_shard).map(work).collect()
                };
                if let Some(watch) = &mut watch {
                    watch.lap(|p| &mut p.gradient);
                }
                error += parts.iter().flatten().sum::<f64>();
                // Summed shard by shard: the order does not depend on which thread was first.
                for (shard, _) in self.shards.iter().zip(&parts).filter(|(_, part)| part.is_some()) {
                    self.touched.extend(shard.weights.iter().filter(changes).map(|w| w.0));
                }
                self.touched.sort_unstable();
                self.touched.dedup();
                for &w in &self.touched {
                    self.total.values[self.ranges[w as usize].clone()].fill(T::ZERO);
                }
                for (shard, _) in self.shards.iter().zip(&parts).filter(|(_, part)| part.is_some()) {
                    for w in shard.weights.iter().filter(changes) {
                        let range = self.ranges[w.index()].clone();
                        let own = &shard.gradients.values[range.clone()];
                        self.total.values[range].iter_mut().zip(own).for_each(|(t, g)| *t += *g);
                    }
                }
                &mut self.total.values
            }
        };
        if self.settings.reduction == Reduction::Mean && elements > 1 {
            let scale = T::from_f64(1.0 / elements as f64);
            for &w in &self.touched {
                gradient[self.ranges[w as usize].clone()].iter_mut().for_each(|g| *g *= scale);
            }
        }
        if let Some(c) = self.settings.clip_norm {
            clip_by_norm(gradient, &self.ranges, &self.touched, c);
        }
        if let Some(c) = self.settings.clip_value {
            clip_by_value(gradient, &self.ranges, &self.touched, c);
        }
        let (rate, decay) = (self.learning_rate, self.settings.weight_decay);
        let Parameters { values, groups, .. } = &mut self.parameters;
        if self.grouped {
            // Each group counts the steps that change it, as if it had an optimiser of its own.
            let counter = |w: &u32| groups[WeightId(*w)].map_or(0, |g| 1 + g.index());
            self.touched.sort_by_key(counter);
            for touched in self.touched.chunk_by(|a, b| counter(a) == counter(b)) {
                self.optimizer.count_by(counter(&touched[0]));
                self.optimizer.step(values, &self.ranges, touched, gradient, rate, decay);
            }
        } else {
            self.optimizer.step(values, &self.ranges, &self.touched, gradient, rate, decay);
        }
        if let Some(watch) = watch {
            watch.lap(|p| &mut p.update);
            watch.profile.steps += 1;
            watch.profile.updated +=
                self.touched.iter().map(|&w| self.ranges[w as usize].len() as u64).sum::<u64>();
        }
        (error, weight)
    }

    /// The value of every output under the present parameters, by shard and position.
    pub fn outputs(&mut self) -> Vec<Vec<Vec<f64>>> {
        let parameters = &self.parameters;
        self.shards.par_iter_mut().map(|shard| shard.outputs(parameters)).collect()
    }

    /// Metrics of the samples of one split, and of what is stated for it.
    pub fn metrics(&self, outputs: &[Vec<Vec<f64>>], split: Split) -> Metrics {
        self.metrics_of(outputs, split, self.stated)
    }

    fn metrics_of(&self, outputs: &[Vec<Vec<f64>>], split: Split, stated: &[Stated]) -> Metrics {
        let mine: Vec<&Sample> = self.samples.iter().filter(|s| s.split == split).collect();
        let z: Vec<Vec<f64>> = mine.iter().map(|s| s.read(outputs)).collect();
        let stated = stated.iter().filter(|s| s.split == split).map(Stated::case);
        let cases: Vec<Case<'_>> = mine.iter().zip(&z).map(|(s, z)| s.case(z)).chain(stated).collect();
        evaluate_cases(self.settings.loss, &cases)
    }

    /// The summed error of all training samples and its gradient at the present parameters, in the direction that
    /// *increases* the error, by all weights whichever samples train them; for checks.
    pub fn error_and_gradient(&mut self) -> (f64, Vec<T>) {
        let all: Vec<usize> = self.order.clone();
        let mut total = vec![T::ZERO; self.parameters.values.len()];
        let mut error = 0.0;
        let (samples, loss): (&[Sample], _) = (&self.samples, self.settings.loss);
        for kind in kinds(samples) {
            for (number, shard) in self.shards.iter_mut().enumerate() {
                let here = |i: &usize| samples[*i].shard == number && samples[*i].trains == kind;
                let batch: Vec<usize> = all.iter().copied().filter(here).collect();
                if batch.is_empty() {
                    continue;
                }
                error += shard.gradient(&self.parameters, samples, &batch, loss, Some(kind));
                for w in &shard.weights {
                    for i in self.parameters.ranges[*w].clone() {
                        total[i] -= shard.gradients.values[i];
                    }
                }
            }
        }
        (error, total)
    }

    /// Takes the trainer's parameters.
    pub fn into_parameters(self) -> Parameters<T> {
        self.parameters
    }
}

/// Names and values of all weights, for a family those of its members.
pub fn named_weights<'t, T: Real>(
    template: &'t Template,
    parameters: &'t Parameters<T>,
) -> impl Iterator<Item = (WeightId, &'t str, Vec<f64>)> {
    let weights: &IndexVec<WeightId, _> = &template.weights;
    weights.iter_enumerated().filter(|(_, w)| !w.is_family()).map(|(id, w)| {
        debug_assert!(id.index() < parameters.ranges.len());
        (id, w.name.as_str(), parameters.get(id).iter().map(|x| x.to_f64()).collect())
    })
}
