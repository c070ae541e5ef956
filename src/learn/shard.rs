//! One program of a network at work: errors and gradients of batches, values of outputs.

use super::loss::Loss;
use super::trainer::{Batch, Sample};
use crate::data::Split;
use crate::exec::extract::Extractor;
use crate::exec::selection::Selector;
use crate::exec::{Gradients, Parameters, Program, Selection, State};
use crate::template::WeightId;
use crate::tensor::real::Real;
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
    layout: Layout<T>,
    // Working memory: the output of a sample, and the gradient of its negative error.
    z: Vec<T>,
    seed: Vec<T>,
}

/// How the samples of a program are computed.
enum Layout<T> {
    /// In the arena of the program, those of a batch together: they depend on the same rows.
    Together {
        /// Supports all outputs.
        everything: Selection,
        /// Supports all training outputs.
        training: Selection,
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
}

/// Most rows of the programs of single samples that depend on the same rows (some 30 bytes each).
const MOST_ROWS: usize = 1 << 23;

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
        // By output: those that a step on the sample which begins with it reads.
        let mut learned: Vec<&[usize]> = vec![&[]; program.outputs.len()];
        for s in samples.iter().filter(|s| s.shard == number && s.split == Split::Train) {
            learned[s.output] = s.outputs();
        }
        // One program for all worlds is one because worlds share rows.
        let joint = batch == Batch::All && shards == 1;
        let apart = if joint { None } else { apart(&program, &learned, batch) };
        let (layout, state) = match apart {
            Some(layout) => (layout, State::new(&Program::default())),
            None => (together(&program, &learned, batch), State::new(&program)),
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

    /// About how many rows a batch computes.
    pub fn row_count(&self, samples: &[Sample], batch: &[usize], whole: bool) -> usize {
        match &self.layout {
            Layout::Together { training, .. } if whole => training.row_count(),
            Layout::Together { single, .. } => {
                let of = |i: &usize| single[samples[*i].output].as_ref().expect(SELECTED).row_count();
                batch.iter().map(of).sum()
            }
            Layout::Apart { parts, of, .. } => {
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
        let together = |state: &mut State<T>, everything: &Selection| {
            state.forward(program, parameters, everything);
            (0..program.outputs.len()).map(|o| read(state, program, o)).collect()
        };
        match &mut self.layout {
            Layout::Together { everything, .. } => together(state, everything),
            Layout::Apart { all: Some((everything, state)), .. } => together(state, everything),
            Layout::Apart { parts, .. } => {
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

    /// The error of a batch, and its gradient (of the *negative* error) in the shard's buffer, for the weights that
    /// are then in `weights`. `whole`: the batch is all training samples.
    pub fn gradient(
        &mut self,
        parameters: &Parameters<T>,
        samples: &[Sample],
        batch: &[usize],
        loss: Loss,
        whole: bool,
    ) -> f64 {
        let Shard { program, state, gradients, weights, layout, z, seed } = self;
        weights.clear();
        let mut seeded = Seeded { z, seed, loss };
        match layout {
            Layout::Together { training, single, .. } => {
                let of = |i: usize| single[samples[i].output].as_ref().expect(SELECTED);
                let union;
                let selection: &Selection = match batch {
                    _ if whole => training,
                    [one] => of(*one),
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
            Layout::Apart { parts, of, .. } => {
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
                    let Part { program, everything, outputs } = part(i);
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

/// The layout with all samples in one arena.
fn together<T>(program: &Program, learned: &[&[usize]], batch: Batch) -> Layout<T> {
    let per_sample = batch != Batch::All;
    let mut selector = Selector::new(program);
    let everything = selector.supporting(program.outputs.iter().map(|o| o.offset));
    let offset = |o: &usize| program.outputs[*o].offset;
    let training = selector.supporting(learned.iter().copied().flatten().map(offset));
    let mut single = |read: &&[usize]| {
        (!read.is_empty() && per_sample).then(|| selector.supporting(read.iter().map(offset)))
    };
    let single = learned.iter().map(&mut single).collect();
    Layout::Together { everything, training, single }
}

/// The layout with an arena for every sample, unless samples depend on the same rows so much that computing these once
/// for a batch is cheaper.
///
/// That takes a batch of many samples: what a batch depends on must be found out, by sorting, and lies in pieces. Steps
/// of 32 molecules of a network whose samples share two rows in three took 3 times longer together.
fn apart<T: Real>(program: &Program, learned: &[&[usize]], batch: Batch) -> Option<Layout<T>> {
    let mut selector = Selector::new(program);
    let few = 2 * program.row_count();
    let most = if batch == Batch::All { 0 } else { MOST_ROWS };
    let mut rows = 0;
    let mut found: Vec<(Selection, Vec<usize>)> = Vec::new();
    let mut of = vec![u32::MAX; program.outputs.len()];
    let mut read = vec![false; program.outputs.len()];
    for (o, outputs) in learned.iter().enumerate().filter(|(_, outputs)| !outputs.is_empty()) {
        of[o] = found.len() as u32;
        outputs.iter().for_each(|&o| read[o] = true);
        let selection = selector.supporting(outputs.iter().map(|&o| program.outputs[o].offset));
        rows += selection.row_count();
        if rows > few.max(most) {
            return None;
        }
        found.push((selection, outputs.to_vec()));
    }
    if let Batch::Size(n) = batch
        && rows > few
        && n.saturating_mul(rows) > 2 * few * found.len()
    {
        return None;
    }
    for o in (0..program.outputs.len()).filter(|&o| !read[o]) {
        if rows > few {
            break;
        }
        let selection = selector.supporting([program.outputs[o].offset]);
        rows += selection.row_count();
        found.push((selection, vec![o]));
    }
    let all = (rows > few).then(|| {
        let everything = selector.supporting(program.outputs.iter().map(|o| o.offset));
        (everything, State::new(program))
    });
    let mut extractor = Extractor::new(program);
    let part = |(selection, outputs): (Selection, Vec<usize>)| {
        let program = extractor.extract(&selection, &outputs);
        let everything = Selection::all(&program);
        Part { program, everything, outputs }
    };
    Some(Layout::Apart { parts: found.into_iter().map(part).collect(), of, all })
}
