//! One program of a network at work: errors and gradients of batches, values of outputs.

use super::batches::kinds;
use super::loss::Loss;
use super::trainer::{Batch, Sample};
use crate::data::{Split, ValueId};
use crate::exec::extract::Extractor;
use crate::exec::profile::Clock;
use crate::exec::selection::Selector;
use crate::exec::{Gradients, Parameters, Program, Selection, State};
use crate::template::{Trains, WeightId};
use crate::tensor::real::Real;
use serde::Serialize;
use std::borrow::Cow;
use std::ops::Range;

/// A program with its working memory.
pub(super) struct Shard<'a, T> {
    /// The program.
    pub program: Cow<'a, Program>,
    state: State<T>,
    /// Of the last batch.
    pub gradients: Gradients<T>,
    /// The weights of the last gradient.
    pub weights: Vec<WeightId>,
    layout: Arenas<T>,
    // Working memory: the output of a sample, and the gradient of its negative error.
    z: Vec<T>,
    seed: Vec<T>,
}

/// Where the samples of a program are computed, with the numbers that decided. Names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// Each sample in an arena of its own, not those of a batch together.
    pub apart: bool,
    /// Why.
    pub reason: Reason,
    /// Training samples.
    pub samples: usize,
    /// Rows of the program.
    pub rows: usize,
    /// Rows of all training samples, each by itself; `None` where they were not counted, or not to the end.
    pub rows_apart: Option<usize>,
}

/// Why samples are computed where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Every step takes all samples, which one program computes because worlds share rows.
    OneProgram,
    /// By themselves they have at most twice as many rows: a small arena stays in the cache.
    FewShared,
    /// They share rows, but a batch has too few of them to pay for finding out what it needs.
    SmallBatches,
    /// They share rows, and every step takes all.
    FullBatches,
    /// They share rows, and a batch has many of them.
    LargeBatches,
    /// By themselves they would take too much memory.
    TooManyRows,
}

/// How the samples of a program are computed.
enum Arenas<T> {
    /// In the arena of the program, those of a batch together: they depend on the same rows.
    Together {
        /// Supports all outputs.
        everything: Selection,
        /// Supports all training outputs of samples that train the same weights.
        training: Vec<(Trains, Selection)>,
        /// Supports each training sample, by the position of its (first) output; made only where steps need it.
        single: Vec<Option<Selection>>,
    },
    /// One after the other, each in a small arena of its own.
    Apart {
        /// The programs of the training samples, and of every other output unless there is `all`.
        parts: Vec<Part>,
        /// The part of each training sample, by the position of its (first) output.
        of: Vec<u32>,
        /// Values are computed together all the same, as samples depend on the same rows.
        all: Option<(Selection, State<T>)>,
    },
}

/// What computes one sample.
struct Part {
    program: Program,
    everything: Selection,
    /// The outputs of the whole program that it computes.
    outputs: Vec<usize>,
    /// Where its constants stand among those of the whole program.
    constants: Vec<Range<usize>>,
}

/// Most rows of the programs of single samples that depend on the same rows (some 30 bytes each).
const MOST_ROWS: usize = 1 << 24;

const SELECTED: &str = "training outputs have their selections";

impl<'a, T: Real> Shard<'a, T> {
    /// The working memory for the program of shard `number` of `shards`.
    pub fn new(
        program: Cow<'a, Program>,
        number: usize,
        samples: &[Sample],
        parameters: &Parameters<T>,
        batch: Batch,
        shards: usize,
    ) -> Self {
        let learned = learned(&program, number, samples);
        let (layout, state) = match decide(&program, &learned, batch, shards).1 {
            Some(found) => (apart(&program, found), State::new(&Program::default())),
            None => (together(&program, number, samples, &learned, batch), State::new(&program)),
        };
        Shard {
            state,
            gradients: Gradients::new(parameters),
            weights: Vec::new(),
            layout,
            z: Vec::new(),
            seed: Vec::new(),
            program,
        }
    }

    /// Puts other values in place of constants, see [`Program::refill`].
    pub fn refill<'v>(&mut self, value: &dyn Fn(ValueId) -> &'v [f64]) -> bool {
        let Shard { program, state, layout, .. } = self;
        if !program.to_mut().refill(value) {
            return false;
        }
        match layout {
            Arenas::Together { .. } => state.load(program),
            Arenas::Apart { parts, all, .. } => {
                for part in parts {
                    let own = &mut part.program.constants;
                    own.clear();
                    part.constants.iter().for_each(|r| own.extend_from_slice(&program.constants[r.clone()]));
                }
                all.iter_mut().for_each(|(_, state)| state.load(program));
            }
        }
        true
    }

    /// Begins to measure.
    pub fn start_clock(&mut self) {
        let clock = || Some(Box::new(Clock::new(self.program.blocks.len())));
        self.state.clock = clock();
        if let Arenas::Apart { all: Some((_, state)), .. } = &mut self.layout {
            state.clock = clock();
        }
    }

    /// What was measured, if anything was; measuring begins anew.
    pub fn take_clock(&mut self) -> Option<Box<Clock>> {
        let mut clock = self.state.clock.take()?;
        if let Arenas::Apart { all: Some((_, state)), .. } = &self.layout {
            state.clock.iter().for_each(|other| clock.add(other));
        }
        self.start_clock();
        Some(clock)
    }

    /// About how many rows a batch computes.
    pub fn row_count(&self, samples: &[Sample], batch: &[usize], whole: Option<Trains>) -> usize {
        match (&self.layout, whole) {
            (Arenas::Together { training, .. }, Some(kind)) => of_kind(training, kind).row_count(),
            (Arenas::Together { single, .. }, None) => {
                let of = |i: &usize| single[samples[*i].output].as_ref().expect(SELECTED).row_count();
                batch.iter().map(of).sum()
            }
            (Arenas::Apart { parts, of, .. }, _) => {
                batch.iter().map(|&i| parts[of[samples[i].output] as usize].program.row_count()).sum()
            }
        }
    }

    /// The value of every output.
    pub fn outputs(&mut self, parameters: &Parameters<T>) -> Vec<Vec<f64>> {
        let Shard { program, state, .. } = self;
        let read = |state: &State<T>, program: &Program, o: usize| -> Vec<f64> {
            state.values[place(program, o)].iter().map(|x| x.to_f64()).collect()
        };
        if let Some(clock) = &mut state.clock {
            clock.start(true);
        }
        let together = |state: &mut State<T>, everything: &Selection| {
            if let Some(clock) = &mut state.clock {
                clock.start(true);
            }
            state.forward(program, parameters, everything);
            (0..program.outputs.len()).map(|o| read(state, program, o)).collect()
        };
        match &mut self.layout {
            Arenas::Together { everything, .. } => together(state, everything),
            Arenas::Apart { all: Some((everything, state)), .. } => together(state, everything),
            Arenas::Apart { parts, .. } => {
                let mut values = vec![Vec::new(); program.outputs.len()];
                for part in parts {
                    state.load(&part.program);
                    state.forward(&part.program, parameters, &part.everything);
                    for (own, &o) in part.outputs.iter().enumerate() {
                        values[o] = read(state, &part.program, own);
                    }
                }
                values
            }
        }
    }

    /// Has the processor fetch what computes a sample, of which nobody asks yet.
    ///
    /// Samples come in an order of chance, and what 3000 molecules need is more than a core's cache holds: where a step takes
    /// 3 µs (GCN, GraphSAGE), a seventh of them went into waiting for one piece of memory after the other.
    pub fn look_ahead(&self, sample: &Sample) {
        if let Arenas::Apart { parts, of, .. } = &self.layout {
            std::hint::black_box(parts[of[sample.output] as usize].program.glance());
        }
    }

    /// The error of a batch, and its gradient (of the *negative* error) in the shard's buffer, for the weights that
    /// are then in `weights`. `whole`: the batch is all training samples.
    pub fn gradient(
        &mut self,
        parameters: &Parameters<T>,
        samples: &[Sample],
        batch: &[usize],
        loss: Loss,
        whole: Option<Trains>,
    ) -> f64 {
        let Shard { program, state, gradients, weights, layout, z, seed } = self;
        if let Some(clock) = &mut state.clock {
            clock.start(false);
        }
        weights.clear();
        let mut seeded = Seeded { z, seed, loss };
        match layout {
            Arenas::Together { training, single, .. } => {
                let of = |i: usize| single[samples[i].output].as_ref().expect(SELECTED);
                let union;
                let selection: &Selection = match (whole, batch) {
                    (Some(kind), _) => of_kind(training, kind),
                    (None, [one]) => of(*one),
                    _ => {
                        union = Selection::union(batch.iter().map(|&i| of(i)));
                        &union
                    }
                };
                weights.extend(&selection.weights);
                gradients.clear(parameters, weights);
                let mut work = || {
                    state.forward(program, parameters, selection);
                    let mut error = 0.0;
                    for sample in batch.iter().map(|&i| &samples[i]) {
                        error += seeded.sample(state, program, sample, sample.outputs().iter().copied());
                    }
                    state.backward(program, parameters, selection, gradients);
                    error
                };
                // Among the threads that share the blocks, so that these are woken once and not for each block.
                if State::is_shared(program, parameters, selection) {
                    rayon::scope(|_| work())
                } else {
                    work()
                }
            }
            Arenas::Apart { parts, of, .. } => {
                let part = |i: &usize| &parts[of[samples[*i].output] as usize];
                for i in batch {
                    weights.extend(&part(i).everything.weights);
                }
                if batch.len() > 1 {
                    weights.sort_unstable();
                    weights.dedup();
                }
                gradients.clear(parameters, weights);
                let mut error = 0.0;
                for i in batch {
                    let Part { program, everything, outputs, .. } = part(i);
                    state.load(program);
                    state.forward(program, parameters, everything);
                    error += seeded.sample(state, program, &samples[*i], 0..outputs.len());
                    state.backward(program, parameters, everything, gradients);
                }
                error
            }
        }
    }
}

/// Where an output stands in the arena.
fn place(program: &Program, output: usize) -> Range<usize> {
    let slot = program.outputs[output];
    slot.offset as usize..slot.offset as usize + slot.shape.len()
}

/// Sets the gradients of outputs.
struct Seeded<'s, T> {
    z: &'s mut Vec<T>,
    seed: &'s mut Vec<T>,
    loss: Loss,
}

impl<T: Real> Seeded<'_, T> {
    /// Adds the gradient of a sample's negative error to those of its outputs; its error.
    fn sample(
        &mut self,
        state: &mut State<T>,
        program: &Program,
        sample: &Sample,
        outputs: impl Iterator<Item = usize> + Clone,
    ) -> f64 {
        self.z.clear();
        for o in outputs.clone() {
            self.z.extend_from_slice(&state.values[place(program, o)]);
        }
        self.seed.clear();
        self.seed.resize(self.z.len(), T::ZERO);
        sample.gradient(self.loss, self.z, self.seed);
        let importance = T::from_f64(sample.importance);
        let mut seeds = self.seed.iter();
        for o in outputs {
            for (g, s) in state.gradients[place(program, o)].iter_mut().zip(&mut seeds) {
                *g += importance * *s;
            }
        }
        sample.importance * sample.error(self.loss, self.z)
    }
}

/// All samples in one arena.
fn together<T>(
    program: &Program,
    number: usize,
    samples: &[Sample],
    learned: &[&[usize]],
    batch: Batch,
) -> Arenas<T> {
    let per_sample = batch != Batch::All;
    let mut selector = Selector::new(program);
    let everything = selector.supporting(program.outputs.iter().map(|o| o.offset));
    let offset = |o: &usize| program.outputs[*o].offset;
    let mut training = |kind: Trains| {
        let mine = |s: &&Sample| s.shard == number && s.split == Split::Train && s.trains == kind;
        let outputs = samples.iter().filter(mine).flat_map(Sample::outputs);
        (kind, selector.supporting(outputs.map(offset)))
    };
    let training = kinds(samples).into_iter().map(&mut training).collect();
    let mut single = |read: &&[usize]| {
        (!read.is_empty() && per_sample).then(|| selector.supporting(read.iter().map(offset)))
    };
    let single = learned.iter().map(&mut single).collect();
    Arenas::Together { everything, training, single }
}

/// The selection of a kind of samples.
fn of_kind(training: &[(Trains, Selection)], kind: Trains) -> &Selection {
    training.iter().find(|(k, _)| *k == kind).map(|(_, s)| s).expect(SELECTED)
}

/// By output: those that a step on the training sample which begins with it reads.
fn learned<'s>(program: &Program, number: usize, samples: &'s [Sample]) -> Vec<&'s [usize]> {
    let mut learned: Vec<&[usize]> = vec![&[]; program.outputs.len()];
    for s in samples.iter().filter(|s| s.shard == number && s.split == Split::Train) {
        learned[s.output] = s.outputs();
    }
    learned
}

/// Where the samples of shard `number` of `shards` would be computed.
pub fn layout(program: &Program, number: usize, samples: &[Sample], batch: Batch, shards: usize) -> Layout {
    decide(program, &learned(program, number, samples), batch, shards).0
}

/// What every training sample reads.
struct Found {
    selections: Vec<(Selection, Vec<usize>)>,
    /// The selection of each training sample, by the position of its (first) output.
    of: Vec<u32>,
    /// Rows of all of them.
    rows: usize,
}

/// An arena for every sample, unless samples depend on the same rows so much that computing these once for a batch is
/// cheaper; then nothing is found.
///
/// That takes a batch of many samples: what a batch depends on must be found out, by sorting, and lies in pieces. Steps
/// of 32 molecules of a network whose samples share two rows in three took 3 times longer together.
fn decide(program: &Program, learned: &[&[usize]], batch: Batch, shards: usize) -> (Layout, Option<Found>) {
    let samples = learned.iter().filter(|outputs| !outputs.is_empty()).count();
    let layout = |apart: bool, reason: Reason, rows_apart: Option<usize>| Layout {
        apart,
        reason,
        samples,
        rows: program.row_count(),
        rows_apart,
    };
    // One program for all worlds is one because worlds share rows.
    if batch == Batch::All && shards == 1 {
        return (layout(false, Reason::OneProgram, None), None);
    }
    let mut selector = Selector::new(program);
    let few = 2 * program.row_count();
    let (most, over) = match batch {
        Batch::All => (0, Reason::FullBatches),
        Batch::Size(_) => (MOST_ROWS, Reason::TooManyRows),
    };
    let mut found = Found { selections: Vec::new(), of: vec![u32::MAX; program.outputs.len()], rows: 0 };
    for (o, outputs) in learned.iter().enumerate().filter(|(_, outputs)| !outputs.is_empty()) {
        found.of[o] = found.selections.len() as u32;
        let selection = selector.supporting(outputs.iter().map(|&o| program.outputs[o].offset));
        found.rows += selection.row_count();
        if found.rows > few.max(most) {
            return (layout(false, over, None), None);
        }
        found.selections.push((selection, outputs.to_vec()));
    }
    let rows = found.rows;
    if let Batch::Size(n) = batch
        && rows > few
        && n.saturating_mul(rows) > 2 * few * found.selections.len()
    {
        return (layout(false, Reason::LargeBatches, Some(rows)), None);
    }
    let reason = if rows > few { Reason::SmallBatches } else { Reason::FewShared };
    (layout(true, reason, Some(rows)), Some(found))
}

/// An arena for every sample, and for every other output if that is not too much.
fn apart<T: Real>(program: &Program, found: Found) -> Arenas<T> {
    let Found { mut selections, of, mut rows } = found;
    let mut selector = Selector::new(program);
    let few = 2 * program.row_count();
    let mut read = vec![false; program.outputs.len()];
    selections.iter().flat_map(|(_, outputs)| outputs).for_each(|&o| read[o] = true);
    for o in (0..program.outputs.len()).filter(|&o| !read[o]) {
        if rows > few {
            break;
        }
        let selection = selector.supporting([program.outputs[o].offset]);
        rows += selection.row_count();
        selections.push((selection, vec![o]));
    }
    let all = (rows > few).then(|| {
        let everything = selector.supporting(program.outputs.iter().map(|o| o.offset));
        (everything, State::new(program))
    });
    let mut extractor = Extractor::new(program);
    let part = |(selection, outputs): (Selection, Vec<usize>)| {
        let program = extractor.extract(&selection, &outputs);
        let everything = Selection::all(&program);
        Part { program, everything, outputs, constants: extractor.taken.clone() }
    };
    Arenas::Apart { parts: selections.into_iter().map(part).collect(), of, all }
}
