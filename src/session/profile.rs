//! Where the time of a run went: by stage, and by operation of the template's rules.

use super::{Network, Outcome, Precision, Session};
use crate::base::span::Span;
use crate::exec::profile::{Clock, Lap, Pass, Work};
use crate::learn::profile::{Measured, Operation, Part, shaped};
use crate::template::Rule;
use serde::Serialize;

/// Where the time of a run went. Names are stable.
#[derive(Debug, Clone, Serialize)]
pub struct Profile {
    /// Threads that worked.
    pub threads: usize,
    /// Seconds of the wall clock; they add up to the whole run.
    pub stages: Vec<StageProfile>,
    /// Seconds of all threads in the passes of training and evaluation.
    pub thread_seconds: f64,
    /// Operations, those that took most time first. Their seconds and those `outside` add up to `thread_seconds`.
    pub operations: Vec<OperationProfile>,
    /// Seconds of all threads in passes but outside of operations: weights and constants put in their places, gradients
    /// cleared, losses.
    pub outside: PassSeconds,
    /// Steps of the optimiser.
    pub steps: u64,
    /// Parameters changed, summed over steps.
    pub updated: u64,
    /// What measuring itself cost.
    pub clock: ClockProfile,
}

/// A stage of a run.
#[derive(Debug, Clone, Serialize)]
pub struct StageProfile {
    /// `read`, `ground`, `build`, `lift`, `compile`, `prepare`, `forward`, `backward`, `update`, `evaluation`, `other`.
    pub stage: &'static str,
    /// Seconds.
    pub seconds: f64,
    /// Of the whole run.
    pub share: f64,
}

/// Seconds by pass.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct PassSeconds {
    /// Values of training steps.
    pub forward: f64,
    /// Their gradients.
    pub backward: f64,
    /// Values for evaluations and answers.
    pub evaluation: f64,
}

/// An operation.
#[derive(Debug, Clone, Serialize)]
pub struct OperationProfile {
    /// Where it is written: the literal, head or rule.
    pub place: String,
    /// The head of its rule; `~` for soft negations.
    pub rule: String,
    /// `weights`, `combination`, `activation` or `aggregation`.
    pub kind: &'static str,
    /// The weight.
    pub weight: Option<String>,
    /// Functions and shapes.
    pub operation: String,
    /// Rows in the programs, each once.
    pub rows: u64,
    /// Blocks in the programs.
    pub blocks: u64,
    /// Values of training steps.
    pub forward: PassProfile,
    /// Their gradients.
    pub backward: PassProfile,
    /// Values for evaluations and answers.
    pub evaluation: PassProfile,
    /// Of all passes.
    pub seconds: f64,
    /// Of the time of all operations.
    pub share: f64,
}

/// An operation in one of the passes.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct PassProfile {
    /// Times that a block of it was run.
    pub calls: u64,
    /// Rows computed.
    pub rows: u64,
    /// Additions, multiplications, divisions and comparisons of elements.
    pub flops: u64,
    /// Elements that a transcendental function was computed of.
    pub functions: u64,
    /// Bytes that had to be read or written at least once.
    pub bytes: u64,
    /// Seconds, summed over threads.
    pub seconds: f64,
}

/// What measuring cost.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ClockProfile {
    /// How often a clock was read.
    pub readings: u64,
    /// About how many seconds of all threads that took.
    pub seconds: f64,
}

impl PassProfile {
    fn new(lap: Lap, work: Work) -> PassProfile {
        PassProfile {
            calls: lap.calls,
            rows: lap.rows,
            flops: work.flops,
            functions: work.functions,
            bytes: work.bytes,
            seconds: seconds(lap.nanos),
        }
    }

    /// Adds another pass.
    pub fn add(&mut self, other: PassProfile) {
        self.calls += other.calls;
        self.rows += other.rows;
        self.flops += other.flops;
        self.functions += other.functions;
        self.bytes += other.bytes;
        self.seconds += other.seconds;
    }
}

impl OperationProfile {
    /// All passes together.
    pub fn total(&self) -> PassProfile {
        let mut total = self.forward;
        total.add(self.backward);
        total.add(self.evaluation);
        total
    }
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 * 1e-9
}

/// A part of a whole, which may be nothing.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Names of a part of a template, for people.
pub(super) struct Names {
    /// Where it stands.
    pub place: String,
    /// The head of the rule.
    pub rule: String,
}

impl Session {
    /// The rule that a literal, a head or a whole rule belongs to: the first one written there.
    pub(super) fn rule_at(&self, span: Span) -> Option<&Rule> {
        let holds =
            |r: &&Rule| r.span.source == span.source && r.span.start <= span.start && span.end <= r.span.end;
        self.template.rules.iter().find(holds)
    }

    pub(super) fn names(&self, span: Option<Span>) -> Names {
        let head = |r: &Rule| self.vocabulary.predicate_text(self.template.written(r.head));
        Names {
            place: span.map_or(String::new(), |s| self.sources.place(s)),
            rule: span.and_then(|s| self.rule_at(s)).map_or("~".to_string(), head),
        }
    }

    pub(super) fn kind(&self, part: Part) -> (&'static str, Option<String>) {
        match part {
            Part::Weights(w) => {
                let weight = &self.template.weights[w];
                ("weights", Some(format!("${} {}", weight.name, shaped(weight.shape))))
            }
            Part::OwnWeights => ("weights", None),
            Part::Combination => ("combination", None),
            Part::Activation => ("activation", None),
            Part::Aggregation => ("aggregation", None),
        }
    }

    /// The profile of a run that took `total` seconds; `None` if it was not measured.
    pub fn profile(&self, network: &Network, outcome: &Outcome, total: f64) -> Option<Profile> {
        if !self.settings.profile {
            return None;
        }
        let train = outcome.profile.clone().unwrap_or_default();
        let nanos = Pass::ALL.map(|p| train.thread_nanos(p));
        let [forward, backward, evaluation] = nanos.map(|(all, _)| seconds(all));
        let s = &network.statistics;
        // Shards overlap: what the passes took by the wall clock is shared out by what they took on all threads.
        let forward_share = share(forward, forward + backward);
        let mut stages = vec![
            ("read", self.parse_seconds),
            ("ground", s.ground_seconds),
            ("build", s.build_seconds),
            ("lift", s.lift_seconds),
            ("compile", s.compile_seconds),
            ("prepare", train.prepare),
            ("forward", train.gradient * forward_share),
            ("backward", train.gradient * (1.0 - forward_share)),
            ("update", train.update),
            ("evaluation", train.evaluation),
        ];
        let known: f64 = stages.iter().map(|(_, s)| s).sum();
        stages.push(("other", (total - known).max(0.0)));
        let stage = |(stage, seconds)| StageProfile { stage, seconds, share: share(seconds, total) };
        let outside = nanos.map(|(_, rest)| seconds(rest));
        let in_operations = forward + backward + evaluation - outside.iter().sum::<f64>();
        let operation = |(o, m): (&Operation, &Measured)| {
            let Names { place, rule } = self.names(o.span);
            let (kind, weight) = self.kind(o.part);
            let [forward, backward, evaluation] =
                Pass::ALL.map(|p| PassProfile::new(m.laps[p as usize], m.work[p as usize]));
            let mut row = OperationProfile {
                place,
                rule,
                kind,
                weight,
                operation: o.text.clone(),
                rows: m.rows,
                blocks: m.blocks,
                forward,
                backward,
                evaluation,
                seconds: 0.0,
                share: 0.0,
            };
            row.seconds = row.total().seconds;
            row.share = share(row.seconds, in_operations);
            row
        };
        let mut operations: Vec<OperationProfile> = train.operations.iter().map(operation).collect();
        operations.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        Some(Profile {
            threads: rayon::current_num_threads(),
            stages: stages.into_iter().map(stage).collect(),
            thread_seconds: forward + backward + evaluation,
            operations,
            outside: PassSeconds { forward: outside[0], backward: outside[1], evaluation: outside[2] },
            steps: train.steps,
            updated: train.updated,
            clock: ClockProfile {
                readings: train.readings,
                seconds: train.readings as f64 * Clock::cost() * 1e-9,
            },
        })
    }

    /// Bytes of an element.
    pub fn element_size(&self) -> usize {
        match self.settings.precision {
            Precision::F64 => 8,
            Precision::F32 => 4,
        }
    }
}
