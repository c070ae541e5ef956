//! Where the time of training goes, by stage and by operation.

use super::shard::Shard;
use crate::base::hash::IndexMap;
use crate::base::span::Span;
use crate::exec::profile::{Clock, Lap, Pass, Work, work};
use crate::exec::{Block, Kind, Program};
use crate::template::WeightId;
use crate::tensor::Shape;
use crate::tensor::real::Real;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// What an operation of a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Products of a weight and values.
    Weights(WeightId),
    /// Products of values with weights of their own.
    OwnWeights,
    /// A combination of the values of a body, or of the rules of an atom.
    Combination,
    /// A function of single values.
    Activation,
    /// An aggregation of groundings.
    Aggregation,
}

/// An operation, wherever it is computed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operation {
    /// The literal, head or rule that it stands for; `None` for soft negations.
    pub span: Option<Span>,
    /// What it is.
    pub part: Part,
    /// Its functions and shapes, for people.
    pub text: String,
}

/// Rows of one operation, and what they cost in the passes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Measured {
    /// Rows in the programs, each once.
    pub rows: u64,
    /// Blocks in the programs: levels, if the operation is recursive.
    pub blocks: u64,
    /// By pass: what passed through.
    pub laps: [Lap; 3],
    /// By pass: the work.
    pub work: [Work; 3],
}

/// What training did, measured. Seconds are of the wall clock; nanoseconds in [`Measured::laps`] and
/// [`TrainProfile::rest`] are summed over threads.
#[derive(Debug, Clone, Default)]
pub struct TrainProfile {
    /// Cutting the programs into parts for the samples.
    pub prepare: f64,
    /// Values and gradients of steps, losses included.
    pub gradient: f64,
    /// Adding up the gradients of shards, optimiser.
    pub update: f64,
    /// Evaluations: values, metrics, the answers of the kept model.
    pub evaluation: f64,
    /// Steps.
    pub steps: u64,
    /// Parameters changed, summed over steps.
    pub updated: u64,
    /// Operations.
    pub operations: IndexMap<Operation, Measured>,
    /// Nanoseconds outside of operations, by pass.
    pub rest: [u64; 3],
    /// Readings of clocks.
    pub readings: u64,
}

impl TrainProfile {
    /// Adds what another training did.
    pub fn add(&mut self, other: &TrainProfile) {
        self.prepare += other.prepare;
        self.gradient += other.gradient;
        self.update += other.update;
        self.evaluation += other.evaluation;
        self.steps += other.steps;
        self.updated += other.updated;
        self.readings += other.readings;
        self.rest.iter_mut().zip(other.rest).for_each(|(own, other)| *own += other);
        for (operation, measured) in &other.operations {
            let known = self.operations.contains_key(operation);
            let own = self.operations.entry(operation.clone()).or_default();
            if !known {
                (own.rows, own.blocks) = (measured.rows, measured.blocks);
            }
            for pass in Pass::ALL.map(|p| p as usize) {
                own.laps[pass].add(measured.laps[pass]);
                own.work[pass].add(measured.work[pass]);
            }
        }
    }

    /// Nanoseconds of a pass on all threads, and of these those outside of operations.
    pub fn thread_nanos(&self, pass: Pass) -> (u64, u64) {
        let rest = self.rest[pass as usize];
        (rest + self.operations.values().map(|m| m.laps[pass as usize].nanos).sum::<u64>(), rest)
    }

    /// Adds what a clock measured of a program.
    fn add_clock(
        &mut self,
        program: &Program,
        clock: &Clock,
        shape: &dyn Fn(WeightId) -> Shape,
        element: u64,
    ) {
        for (block, laps) in program.blocks.iter().zip(&clock.blocks) {
            let own = self.operations.entry(operation(block)).or_default();
            let weight = block.weights().first().map(|w| shape(*w));
            own.rows += block.rows as u64;
            own.blocks += 1;
            for pass in Pass::ALL {
                let lap = laps[pass as usize];
                own.laps[pass as usize].add(lap);
                own.work[pass as usize].add(work(block, weight, pass, lap, element));
            }
        }
        self.rest.iter_mut().zip(clock.rest).for_each(|(own, other)| *own += other);
        self.readings += clock.readings;
    }
}

/// The operation that a block belongs to.
pub fn operation(block: &Block) -> Operation {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let mut on_top = |f: &crate::tensor::Activation| {
        if !f.is_identity() {
            let _ = write!(text, "{f} of ");
        }
    };
    let part = match &block.kind {
        Kind::Linear { weight, activation, input, .. } => {
            on_top(activation);
            let _ = write!(text, "weight · {}", shaped(*input));
            Part::Weights(*weight)
        }
        Kind::Rowwise { weight_shape, activation, input, .. } => {
            on_top(activation);
            let _ = write!(text, "own weight {} · {}", shaped(*weight_shape), shaped(*input));
            Part::OwnWeights
        }
        Kind::Columns { weight, activation, .. } => {
            on_top(activation);
            text += "columns of the weight";
            Part::Weights(*weight)
        }
        Kind::Combine { combination, activation, inputs, .. } => {
            on_top(activation);
            let shapes: Vec<String> = inputs.iter().map(|s| shaped(*s)).collect();
            let _ = write!(text, "{combination} of {}", shapes.join(", "));
            Part::Combination
        }
        Kind::Activate { activation, input, .. } => {
            let _ = write!(text, "{activation} of {}", shaped(*input));
            Part::Activation
        }
        Kind::Reduce { aggregation, activation, input, .. } => {
            on_top(activation);
            let _ = write!(text, "{aggregation} of {}", shaped(*input));
            Part::Aggregation
        }
    };
    Operation { span: block.origin.span, part, text }
}

/// A shape as it is written.
pub fn shaped(shape: Shape) -> String {
    if shape.is_scalar() { "{1}".to_string() } else { shape.to_string() }
}

/// Measures a training.
pub(super) struct Stopwatch {
    last: Instant,
    pub profile: TrainProfile,
}

impl Stopwatch {
    pub fn new(prepare: Duration) -> Stopwatch {
        let profile = TrainProfile { prepare: prepare.as_secs_f64(), ..TrainProfile::default() };
        Stopwatch { last: Instant::now(), profile }
    }

    /// Begins to measure.
    pub fn start(&mut self) {
        (self.last, self.profile.readings) = (Instant::now(), self.profile.readings + 1);
    }

    /// Adds the time since the last reading to a stage.
    pub fn lap(&mut self, stage: fn(&mut TrainProfile) -> &mut f64) {
        let before = self.last;
        self.start();
        *stage(&mut self.profile) += (self.last - before).as_secs_f64();
    }

    /// Adds what the clock of a shard measured, which begins anew.
    pub fn collect<T: Real>(&mut self, shard: &mut Shard<'_, T>, shape: &dyn Fn(WeightId) -> Shape) {
        if let Some(clock) = shard.take_clock() {
            self.profile.add_clock(&shard.program, &clock, shape, size_of::<T>() as u64);
        }
    }
}
