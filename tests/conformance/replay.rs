//! Trainings as the reference does them, with its random stream in place of ours: draws, shuffles, restarts, folds.

use crate::engine::{Answered, Engine};
use crate::flags::Plan;
use crate::java::{Random, draw, model_order};
use nlog::data::Split;
use nlog::exec::Parameters;
use nlog::learn::{Batch, Reduction, Sample, Schedule};
use nlog::session::Outcome;
use nlog::template::WeightId;

/// Restarts under early stopping.
const RESTARTS: usize = 5;

/// A stream on its way through a case.
struct Replay<'p> {
    plan: &'p Plan,
    random: Random,
}

/// The best model so far: its error, weights and outcome.
type Best = Option<(f64, Parameters<f64>, Outcome)>;

/// Trains with the reference's random stream.
pub fn replay(plan: &Plan, engine: &Engine, parameters: &mut Parameters<f64>) -> Result<Outcome, String> {
    let mut replay = Replay { plan, random: Random::new(plan.seed) };
    replay.compress(engine)?;
    let mut order = regrouped(engine, (0..engine.network.samples.len()).collect());
    replay.random.shuffle(&mut order);
    match plan.patience {
        None => replay.train(engine, order, parameters),
        Some(patience) => replay.restarts(engine, order, patience, parameters),
    }
}

/// A cross-validation: the answers of each fold, those of samples held out as of test samples. What the training of a
/// fold did to written initial values, the next one finds there, if `leak`.
pub fn folds(plan: &Plan, engine: &Engine, count: usize, leak: bool) -> Result<Vec<Vec<Answered>>, String> {
    let mut replay = Replay { plan, random: Random::new(plan.seed) };
    let samples = &engine.network.samples;
    let mut order: Vec<usize> = (0..samples.len()).filter(|&i| samples[i].split == Split::Train).collect();
    replay.random.shuffle(&mut order);
    let mut dealt = vec![Vec::new(); count];
    for class in classes(engine, order) {
        class.into_iter().enumerate().for_each(|(n, i)| dealt[n % count].push(i));
    }
    replay.compress(engine)?;
    let mut parameters = engine.session.initial_parameters();
    let mut found = Vec::new();
    for fold in 0..count {
        let mut engine = engine.clone();
        for (i, sample) in engine.network.samples.iter_mut().enumerate() {
            if dealt[fold].contains(&i) {
                sample.split = Split::Test;
                let query = engine.network.answers[engine.network.sample_answers[i]].query;
                engine.session.database.queries[query].split = Split::Test;
            }
        }
        if !leak {
            parameters = engine.session.initial_parameters();
        }
        let others = dealt.iter().enumerate().filter(|(n, _)| *n != fold);
        let mut order = regrouped(&engine, others.flat_map(|(_, samples)| samples.clone()).collect());
        replay.random.shuffle(&mut order);
        let outcome = replay.train(&engine, order, &mut parameters)?;
        found.push(engine.answers(&outcome));
    }
    Ok(found)
}

/// Samples by target, in order of first appearance.
fn classes(engine: &Engine, order: Vec<usize>) -> Vec<Vec<usize>> {
    let mut classes: Vec<(&[f64], Vec<usize>)> = Vec::new();
    for i in order {
        let target = engine.network.samples[i].target.as_slice();
        match classes.iter_mut().find(|(t, _)| *t == target) {
            Some((_, members)) => members.push(i),
            None => classes.push((target, vec![i])),
        }
    }
    classes.into_iter().map(|(_, members)| members).collect()
}

/// The training samples as the stratified splitter leaves them, which has work only without validation samples.
fn regrouped(engine: &Engine, mut order: Vec<usize>) -> Vec<usize> {
    let samples = &engine.network.samples;
    order.retain(|&i| samples[i].split == Split::Train);
    let whole = samples.iter().all(|s| s.split != Split::Validation);
    if whole { classes(engine, order).concat() } else { order }
}

/// The weights that are drawn.
fn drawn(engine: &Engine) -> Vec<WeightId> {
    let template = &engine.session.template;
    model_order(template).into_iter().filter(|w| template.weights[*w].initial.is_none()).collect()
}

impl Replay<'_> {
    /// What iso-value compression takes from the stream.
    fn compress(&mut self, engine: &Engine) -> Result<(), String> {
        let drawn = drawn(engine);
        let mut plain = engine.session.template.clone();
        for &w in &drawn {
            plain.weights[w].gain = 1.0;
            plain.weights[w].orthogonal = false;
        }
        for _ in 0..engine.network.statistics.worlds * self.plan.iso_draws {
            for &w in &drawn {
                self.values(&plain, w)?;
            }
        }
        Ok(())
    }

    fn values(&mut self, template: &nlog::template::Template, w: WeightId) -> Result<Vec<f64>, String> {
        let unknown = || "an initialiser that is not replayed".to_string();
        draw(&mut self.random, template, w, self.plan.settings.train.initializer).ok_or_else(unknown)
    }

    /// Draws all weights anew.
    fn draw(&mut self, engine: &Engine, parameters: &mut Parameters<f64>) -> Result<(), String> {
        for w in drawn(engine) {
            let values = self.values(&engine.session.template, w)?;
            parameters.get_mut(w).copy_from_slice(&values);
        }
        Ok(())
    }

    fn train(
        &mut self,
        engine: &Engine,
        mut order: Vec<usize>,
        parameters: &mut Parameters<f64>,
    ) -> Result<Outcome, String> {
        let train = &self.plan.settings.train;
        self.draw(engine, parameters)?;
        if train.schedule != Schedule::Constant && order.len() > 1 {
            return Err("a changing learning rate over several shuffled samples".into());
        }
        let mut orders = Vec::new();
        for _ in 0..train.epochs {
            self.random.shuffle(&mut order);
            orders.push(order.clone());
        }
        if order.len() < 2 {
            return engine.run(parameters).map_err(|f| f.text);
        }
        // All epochs are laid out as one, without shuffling, up to each epoch after which the reference looks for the
        // best model.
        let every = train.evaluate_every.max(1);
        let mut ends: Vec<usize> = (1..=train.epochs).filter(|e| e % every == 0).collect();
        if ends.last() != Some(&train.epochs) {
            ends.push(train.epochs);
        }
        let mut best = None;
        for end in ends {
            self.assess(engine, &orders[..end], parameters, &mut best)?;
        }
        kept(best, parameters)
    }

    /// Evaluates the model after some epochs, and the one before them.
    fn assess(
        &self,
        engine: &Engine,
        orders: &[Vec<usize>],
        start: &Parameters<f64>,
        best: &mut Best,
    ) -> Result<(), String> {
        let mut trained = start.clone();
        let outcome = unroll(engine, orders, self.plan).run(&mut trained).map_err(|f| f.text)?;
        let answers = engine.answers(&outcome);
        let error = |split| engine.metrics(answers.iter().filter(|a| a.split == split)).error;
        let error = error(Split::Validation).or(error(Split::Train)).unwrap_or(f64::INFINITY);
        if best.as_ref().is_none_or(|(e, ..)| error < *e) {
            *best = Some((error, trained, outcome));
        }
        Ok(())
    }

    /// Trains anew, from other weights, whenever early stopping ends a training, while there are epochs left.
    fn restarts(
        &mut self,
        engine: &Engine,
        mut order: Vec<usize>,
        patience: usize,
        parameters: &mut Parameters<f64>,
    ) -> Result<Outcome, String> {
        let train = &self.plan.settings.train;
        let (mut epoch, mut best) = (0, None);
        for _ in 0..RESTARTS {
            self.draw(engine, parameters)?;
            let (mut orders, mut losses) = (Vec::new(), Vec::new());
            let mut windows = Windows { patience, past: 0.0, present: 0.0 };
            while windows.go_on(&losses) && epoch < train.epochs {
                epoch += 1;
                self.random.shuffle(&mut order);
                orders.push(order.clone());
                if epoch % train.evaluate_every.max(1) == 0 {
                    self.assess(engine, &orders, parameters, &mut best)?;
                } else {
                    losses.push(self.online(engine, &orders, parameters)?);
                }
            }
            self.assess(engine, &orders, parameters, &mut best)?;
            if epoch == train.epochs {
                break;
            }
        }
        kept(best, parameters)
    }

    /// The error met in the last of some epochs.
    fn online(&self, engine: &Engine, orders: &[Vec<usize>], start: &Parameters<f64>) -> Result<f64, String> {
        let mean = |orders: &[Vec<usize>]| -> Result<f64, String> {
            let outcome = unroll(engine, orders, self.plan).run(&mut start.clone()).map_err(|f| f.text)?;
            Ok(outcome.history.epochs.first().map_or(0.0, |e| e.online_error))
        };
        let n = orders.len();
        let before = if n > 1 { mean(&orders[..n - 1])? * (n - 1) as f64 } else { 0.0 };
        Ok(mean(orders)? * n as f64 - before)
    }
}

fn kept(best: Best, parameters: &mut Parameters<f64>) -> Result<Outcome, String> {
    let (_, trained, outcome) = best.ok_or("no epochs")?;
    *parameters = trained;
    Ok(outcome)
}

/// The reference's rule of early stopping: two windows over the errors met while learning, an earlier one and a later
/// one (sums; the first error counts twice). It goes on while the earlier one is the greater.
struct Windows {
    patience: usize,
    past: f64,
    present: f64,
}

impl Windows {
    fn go_on(&mut self, losses: &[f64]) -> bool {
        let (k, p) = (losses.len(), self.patience);
        let Some((first, last)) = losses.first().zip(losses.last()) else { return true };
        if k == 1 {
            (self.past, self.present) = (*first, *first);
        }
        let entering = k.checked_sub(p).map(|i| losses[i]);
        match k.checked_sub(2 * p) {
            Some(leaving) => {
                let entering = entering.unwrap_or_default();
                self.past += entering - losses[leaving];
                self.present += last - entering;
                self.past > self.present + 1e-4
            }
            None => {
                self.present += last;
                self.past += entering.unwrap_or_default();
                true
            }
        }
    }
}

/// One epoch that takes the steps of several, in the given orders.
fn unroll(engine: &Engine, orders: &[Vec<usize>], plan: &Plan) -> Engine {
    let mut session = engine.session.clone();
    let train = &mut session.settings.train;
    (train.epochs, train.shuffle, train.evaluate_every) = (1, false, 1);
    let mut network = engine.network.clone();
    let size = match train.batch {
        Batch::All => orders[0].len(),
        Batch::Size(n) => n.max(1),
    };
    train.batch = Batch::Size(size);
    let all = std::mem::take(&mut network.samples);
    let places = std::mem::take(&mut network.sample_answers);
    let mut push = |i: usize, factor: f64| {
        network.samples.push(Sample { importance: all[i].importance * factor, ..all[i].clone() });
        network.sample_answers.push(places[i]);
    };
    for order in orders {
        for batch in order.chunks(size) {
            // A short batch is filled up with samples that weigh nothing; the mean must not count them.
            let mean = plan.settings.train.reduction == Reduction::Mean;
            let factor = if mean { size as f64 / batch.len() as f64 } else { 1.0 };
            batch.iter().for_each(|&i| push(i, factor));
            (batch.len()..size).for_each(|_| push(batch[0], 0.0));
        }
    }
    (0..all.len()).filter(|&i| all[i].split != Split::Train).for_each(|i| push(i, 1.0));
    Engine { session, network, warnings: Vec::new() }
}
