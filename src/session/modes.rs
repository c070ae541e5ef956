//! Modes of lifting beyond the exact one: by values under random weights, and by nearness at the present ones.

use super::build::{Network, Shard};
use super::{Session, Statistics};
use crate::base::hash::HashSet;
use crate::base::rng::Stream;
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::exec::compile::Context;
use crate::exec::interval::Bounds;
use crate::exec::partition::{ALONE, by_distance, by_kind, refine_by_digits, spread};
use crate::exec::{Parameters, Program, Selection, State, ValueAt, compile, compile_with_values};
use crate::graph::lift::{Scope, Tally};
use crate::graph::quotient::{Quotient, groups, learned, quotient};
use crate::graph::{Graph, NeuronId, Op};
use crate::learn::Initializer;
use crate::tensor::real::Real;
use rayon::prelude::*;
use serde::Serialize;
use std::ops::ControlFlow;

/// What makes neurons one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum LiftMode {
    /// They have the same function of the same neurons.
    #[default]
    Exact,
    /// They have the same value under several random weights (Sourek, Zelezny, Kuzelka, "Lossless Compression of
    /// Structured Convolutional Models via Lifting", ICLR 2021).
    Value {
        /// How often the weights are drawn.
        inits: usize,
        /// Significant decimal digits that are compared, from 1 to 15.
        digits: u32,
        /// Whether only neurons become one that are equal in structure too.
        check: bool,
    },
    /// They have nearly the same value at the present weights.
    Lossy {
        /// How much an element may differ from that of the class's first member.
        epsilon: f64,
        /// How much an answer may differ from that of the full graph.
        max_error: Option<f64>,
    },
}

impl LiftMode {
    /// The name of the mode on the command line.
    pub fn name(self) -> &'static str {
        match self {
            LiftMode::Exact => "exact",
            LiftMode::Value { .. } => "value",
            LiftMode::Lossy { .. } => "lossy",
        }
    }
}

/// What lifting by values found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ValueCounts {
    /// Neurons of the exactly lifted graphs.
    pub neurons: usize,
    /// Classes of equal values among them.
    pub classes: usize,
    /// Neurons whose value is that of another one in the class, of different structure. What only copies its input (an
    /// output without an activation, say) is none: it is computed where its input is.
    pub clashes: usize,
    /// Neurons that are left: classes that an answer still depends on; all neurons if structure is checked.
    pub left: usize,
}

impl ValueCounts {
    pub(super) fn add(&mut self, other: ValueCounts) {
        self.neurons += other.neurons;
        self.classes += other.classes;
        self.clashes += other.clashes;
        self.left += other.left;
    }
}

/// What lossy lifting promises at the weights of the kept model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LossyReport {
    /// How far an element was allowed to be from that of its class's first member.
    pub epsilon: f64,
    /// The bound that was asked for.
    pub max_error: Option<f64>,
    /// Neurons of the exactly lifted graphs.
    pub neurons: usize,
    /// Classes of near values among them.
    pub classes: usize,
    /// Classes that an answer still depends on.
    pub left: usize,
    /// The certificate: no element of an answer differs more from that of the full graph. `None`: no finite bound.
    pub bound: Option<f64>,
    /// The answer that the bound is about.
    pub answer: Option<String>,
    /// The greatest difference that there is.
    pub deviation: f64,
    /// How often the full graph was evaluated during training to see whether the classes still hold.
    pub checks: usize,
    /// How often they did not and were made anew.
    pub resplits: usize,
}

impl LossyReport {
    /// Of two trainings: sizes and promise of the one that promises less, and the work of both.
    pub(super) fn worse(a: Option<LossyReport>, b: Option<LossyReport>) -> Option<LossyReport> {
        let (Some(a), Some(b)) = (&a, &b) else { return a.or(b) };
        let bound = |r: &LossyReport| r.bound.unwrap_or(f64::INFINITY);
        let worse = if bound(b) > bound(a) { b } else { a };
        Some(LossyReport {
            deviation: a.deviation.max(b.deviation),
            checks: a.checks + b.checks,
            resplits: a.resplits + b.resplits,
            ..worse.clone()
        })
    }
}

/// The statistics of a mode.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LiftReport {
    /// `exact`, `value` or `lossy`.
    pub mode: &'static str,
    /// Neurons that are evaluated.
    pub neurons: usize,
    /// Under `value`.
    pub value: Option<ValueCounts>,
    /// Under `lossy`.
    pub lossy: Option<LossyReport>,
}

impl LiftReport {
    /// Of a network, with what lossy lifting said of its answers.
    pub fn new(mode: LiftMode, statistics: &Statistics, lossy: Option<&LossyReport>) -> Self {
        LiftReport {
            mode: mode.name(),
            neurons: lossy.map_or(statistics.graph_neurons, |l| l.left),
            value: statistics.by_value,
            lossy: lossy.cloned(),
        }
    }
}

/// The statistics of a mode under one scope.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScopeReport {
    /// Which neurons may be one.
    pub scope: Scope,
    /// What became of them.
    #[serde(flatten)]
    pub report: LiftReport,
}

/// A shard's full graph, kept to be divided into classes again and again.
#[derive(Debug, Clone)]
pub struct Full {
    graph: Graph,
    /// Where the values of its neurons stand in its program.
    at: Vec<ValueAt>,
    /// See [`groups`].
    groups: Vec<u32>,
    /// Which neurons may be one: those of one group that both depend on learnable weights or both do not.
    kinds: Vec<u32>,
}

impl Session {
    /// Statistics of a mode of lifting for this program and data; those of lossy lifting at the given weights.
    pub fn lift_statistics(
        &self,
        mode: LiftMode,
        parameters: &Parameters<f64>,
    ) -> Result<LiftReport, Diagnostics> {
        self.lift_statistics_of(self.settings.lift, mode, parameters)
    }

    /// Like [`Session::lift_statistics`], under a scope in place of that of the settings.
    pub fn lift_statistics_of(
        &self,
        scope: Scope,
        mode: LiftMode,
        parameters: &Parameters<f64>,
    ) -> Result<LiftReport, Diagnostics> {
        let mut session = self.clone();
        (session.settings.lift, session.settings.lift_mode) = (scope, mode);
        let (network, found) = session.build();
        let network = network.ok_or(found)?;
        let lossy = Lossy::start(&session, &network, parameters).map_err(|d| vec![d])?;
        let lossy = lossy.map(|l| l.report(parameters));
        Ok(LiftReport::new(mode, &network.statistics, lossy.as_ref()))
    }

    /// A graph compiled by `f`.
    fn compiled<R>(&self, f: impl FnOnce(&Context<'_>) -> Result<R, Diagnostic>) -> Result<R, Diagnostic> {
        let loss = self.settings.train.loss;
        f(&Context {
            template: &self.template,
            vocabulary: &self.vocabulary,
            database: &self.database,
            drawn: self.first_drawn,
            output_activation: &|shape| loss.default_output_activation(shape),
        })
    }

    /// The program of a shard's graph, lifted as the mode says. The shard keeps what is still needed of its graph.
    pub(super) fn compile_lifted(&self, shard: &mut Shard) -> Result<Program, Diagnostic> {
        let graph = std::mem::take(&mut shard.graph);
        let group_of = |answer: u32| match self.settings.lift {
            Scope::All => 0,
            _ => self.database.queries[shard.answers[answer as usize].query].world.0,
        };
        let (graph, program) = match self.settings.lift_mode {
            LiftMode::Exact => {
                let program = self.compiled(|context| compile(&graph, context))?;
                (graph, program)
            }
            LiftMode::Value { inits, digits, check } => {
                let (program, at) = self.compiled(|context| compile_with_values(&graph, context))?;
                let groups = groups(&graph, |o| group_of(o.answer));
                let representative = self.equal_values(&program, &at, &groups, inits, digits);
                let classes = class_count(&representative);
                let clashes = place_count(&representative, &at) - classes;
                let neurons = graph.len();
                let (graph, program) = if check || classes == neurons {
                    let program = self.compiled(|context| compile(&graph, context))?;
                    (graph, program)
                } else {
                    let small = quotient(&graph, &representative, &groups, &self.template, &self.database);
                    let program = self.compiled(|context| compile(&small.graph, context))?;
                    count_again(&mut shard.statistics.tally, &small.graph);
                    (small.graph, program)
                };
                shard.statistics.by_value =
                    Some(ValueCounts { neurons, classes, clashes, left: graph.len() });
                (graph, program)
            }
            LiftMode::Lossy { .. } => {
                let (program, at) = self.compiled(|context| compile_with_values(&graph, context))?;
                let groups = groups(&graph, |o| group_of(o.answer));
                let learned = learned(&graph, &self.template);
                let kind = |n: usize| match graph.operation(n) {
                    // Its class would take its gradient, and the weight would stay where it is for ever.
                    Op::Weight(_) if learned[n] => ALONE,
                    _ => 2 * groups[n] + u32::from(learned[n]),
                };
                let kinds = (0..graph.len()).map(kind).collect();
                let (neurons, edges) = (graph.len(), graph.inputs.len());
                shard.full = Some(Full { graph, at, groups, kinds });
                (shard.statistics.graph_neurons, shard.statistics.graph_edges) = (neurons, edges);
                return Ok(program);
            }
        };
        shard.statistics.graph_neurons = graph.len();
        shard.statistics.graph_edges = graph.inputs.len();
        Ok(program)
    }

    /// The partition by the values under several draws of all learnable weights.
    fn equal_values(
        &self,
        program: &Program,
        at: &[ValueAt],
        groups: &[u32],
        inits: usize,
        digits: u32,
    ) -> Vec<NeuronId> {
        let mut stream = Stream::new(self.settings.train.seed, "lift");
        let mut parameters: Parameters<f64> = Parameters::new(&self.template);
        let mut state = State::new(program);
        let everything = Selection::all(program);
        let mut representative = by_kind(groups, at);
        for _ in 0..inits {
            for (id, weight) in self.template.weights.iter_enumerated() {
                // Written values are no reason for neurons to be equal if training changes them. Orthogonal matrices
                // would be: they are special.
                if weight.learnable || weight.initial.is_none() {
                    let values = parameters.get_mut(id);
                    Initializer::Glorot.fill(weight.shape, weight.gain, false, &mut stream, values);
                }
            }
            state.forward(program, &parameters, &everything);
            representative = refine_by_digits(&representative, at, &state.values, digits);
        }
        representative
    }
}

fn class_count(representative: &[NeuronId]) -> usize {
    representative.iter().enumerate().filter(|(n, r)| r.0 as usize == *n).count()
}

/// Pairs of a class and a place where its value is computed.
fn place_count(representative: &[NeuronId], at: &[ValueAt]) -> usize {
    let places: HashSet<(NeuronId, u32)> =
        representative.iter().zip(at).map(|(r, a)| (*r, a.offset)).collect();
    places.len()
}

fn count_again(tally: &mut [Tally], graph: &Graph) {
    use crate::base::index::Id;
    tally.iter_mut().for_each(|t| t.lifted = 0);
    for owner in &graph.owner {
        tally[owner.index()].lifted += 1;
    }
}

/// One shard divided into classes.
struct Part<'n> {
    full: &'n Full,
    /// Of the full graph, and its values at the weights last looked at.
    program: &'n Program,
    state: State<f64>,
    everything: Selection,
    representative: Vec<NeuronId>,
    small: Small,
}

/// The quotient of a shard.
struct Small {
    quotient: Quotient,
    at: Vec<ValueAt>,
    program: Program,
}

/// A network whose neurons of near values are one, as long as they are near.
pub(super) struct Lossy<'n> {
    session: &'n Session,
    network: &'n Network,
    epsilon: f64,
    max_error: Option<f64>,
    parts: Vec<Part<'n>>,
    checks: usize,
    resplits: usize,
    /// Why training was broken off.
    pub refusal: Option<Diagnostic>,
}

/// A bound on the difference of an answer from that of the full graph: shard, output, and the bound, infinite if there
/// is none.
type Worst = (usize, usize, f64);

impl<'n> Lossy<'n> {
    /// Divides a network at some weights; `None` if the settings do not ask for it. The error says which answer may
    /// differ more than is allowed.
    pub fn start(
        session: &'n Session,
        network: &'n Network,
        parameters: &Parameters<f64>,
    ) -> Result<Option<Self>, Diagnostic> {
        let LiftMode::Lossy { epsilon, max_error } = session.settings.lift_mode else { return Ok(None) };
        let part = |(full, program): (&'n Full, &'n Program)| {
            let mut state = State::new(program);
            let everything = Selection::all(program);
            state.forward(program, parameters, &everything);
            let (representative, small) = split(session, full, &state, epsilon)?;
            Ok(Part { full, program, state, everything, representative, small })
        };
        let parts: Result<Vec<Part<'n>>, Diagnostic> =
            network.full.par_iter().zip(&network.programs).map(part).collect();
        let (checks, resplits, refusal) = (0, 0, None);
        let parts = parts?;
        let lossy = Lossy { session, network, epsilon, max_error, parts, checks, resplits, refusal };
        match lossy.refuse(parameters, "before training") {
            Some(refusal) => Err(refusal),
            None => Ok(Some(lossy)),
        }
    }

    /// The programs of the quotients.
    pub fn programs(&self) -> Vec<Program> {
        self.parts.iter().map(|p| p.small.program.clone()).collect()
    }

    /// Looks at the full graph again: classes that hold no longer are made anew, and their programs returned. Breaks off
    /// if they cannot keep to the bound that is asked for.
    pub fn check<T: Real>(&mut self, parameters: &Parameters<T>) -> ControlFlow<(), Vec<(usize, Program)>> {
        let parameters = &wide(parameters);
        self.checks += 1;
        let (session, epsilon, max_error) = (self.session, self.epsilon, self.max_error);
        let again = |(number, part): (usize, &mut Part<'n>)| -> Result<Option<(usize, Program)>, Diagnostic> {
            part.state.forward(part.program, parameters, &part.everything);
            // Written so that NaN counts as apart.
            let together = spread(&part.representative, &part.full.at, &part.state.values) <= epsilon;
            let sure = || max_error.is_none_or(|most| part.bound(parameters).1 <= most);
            if together && sure() {
                return Ok(None);
            }
            (part.representative, part.small) = split(session, part.full, &part.state, epsilon)?;
            Ok(Some((number, part.small.program.clone())))
        };
        let found: Result<Vec<_>, Diagnostic> = self.parts.par_iter_mut().enumerate().map(again).collect();
        let programs: Vec<(usize, Program)> = match found {
            Ok(found) => found.into_iter().flatten().collect(),
            Err(d) => {
                self.refusal = Some(d);
                return ControlFlow::Break(());
            }
        };
        if !programs.is_empty() {
            self.resplits += 1;
            self.refusal = self.refuse(parameters, "in training");
        }
        if self.refusal.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(programs) }
    }

    /// What is promised at some weights, at which the classes were checked last.
    pub fn report(&self, parameters: &Parameters<f64>) -> LossyReport {
        let worst = self.worst(parameters);
        let sum = |f: &dyn Fn(&Part<'_>) -> usize| self.parts.iter().map(f).sum();
        let deviation = self.parts.par_iter().map(|p| p.deviation(parameters)).collect::<Vec<f64>>();
        let answer = |&(shard, output, _): &Worst| {
            let place = Some((shard, output));
            let answer = self.network.answers.iter().find(|a| a.place == place)?;
            let pred = self.session.database.queries[answer.query].pred;
            Some(self.session.vocabulary.atom_text(pred, answer.args.iter().copied()))
        };
        LossyReport {
            epsilon: self.epsilon,
            max_error: self.max_error,
            neurons: sum(&|p| p.full.graph.len()),
            classes: sum(&|p| class_count(&p.representative)),
            left: sum(&|p| p.small.quotient.graph.len()),
            bound: worst.map_or(Some(0.0), |w| Some(w.2).filter(|b| b.is_finite())),
            answer: worst.as_ref().and_then(answer),
            deviation: deviation.into_iter().fold(0.0, f64::max),
            checks: self.checks,
            resplits: self.resplits,
        }
    }

    /// The first of the answers with the greatest bound; `None` without answers.
    fn worst(&self, parameters: &Parameters<f64>) -> Option<Worst> {
        let all: Vec<(usize, f64)> = self.parts.par_iter().map(|p| p.bound(parameters)).collect();
        let all = all.into_iter().enumerate().map(|(shard, (output, bound))| (shard, output, bound));
        let all = all.filter(|(shard, ..)| !self.parts[*shard].program.outputs.is_empty());
        all.reduce(|a, b| if b.2 > a.2 { b } else { a })
    }

    fn refuse(&self, parameters: &Parameters<f64>, when: &str) -> Option<Diagnostic> {
        let most = self.max_error?;
        let (shard, output, bound) = self.worst(parameters).filter(|w| w.2 > most)?;
        let title = if bound.is_finite() {
            format!(
                "lossy lifting may change an answer by {bound:.3e}, more than `--max-error {most}` allows"
            )
        } else {
            format!("there is no bound on what lossy lifting changes, and `--max-error {most}` asks for one")
        };
        let mut d = Diagnostic::new(codes::LOSSY_BOUND, title);
        if let Some(answer) = self.network.answers.iter().find(|a| a.place == Some((shard, output))) {
            d = d.label(self.session.database.queries[answer.query].span, "the answer to this query");
        }
        Some(
            d.note(format!("this was found {when}")).help(format!(
                "a smaller `--lift-epsilon` (now {}), or a larger `--max-error`",
                self.epsilon
            )),
        )
    }
}

/// The same in doubles.
pub(super) fn wide<T: Real>(parameters: &Parameters<T>) -> Parameters<f64> {
    Parameters {
        values: parameters.values.iter().map(|x| x.to_f64()).collect(),
        ranges: parameters.ranges.clone(),
        shapes: parameters.shapes.clone(),
        learnable: parameters.learnable.clone(),
        groups: parameters.groups.clone(),
    }
}

/// The classes at the values of a state, and their quotient.
fn split(
    session: &Session,
    full: &Full,
    state: &State<f64>,
    epsilon: f64,
) -> Result<(Vec<NeuronId>, Small), Diagnostic> {
    let representative = by_distance(&full.kinds, &full.at, &state.values, epsilon);
    let quotient = quotient(&full.graph, &representative, &full.groups, &session.template, &session.database);
    let (program, at) = session.compiled(|context| compile_with_values(&quotient.graph, context))?;
    Ok((representative, Small { quotient, at, program }))
}

impl Part<'_> {
    /// The output of the greatest bound, and the bound: what is proved of the difference between an output of the
    /// quotient and that of the full graph.
    ///
    /// Every class gets an interval that holds the values of all members in the full graph and the value of the class in
    /// the quotient: the first by including them, the second since the interval extension of the class's function is
    /// taken on intervals which, by induction, hold the values of the classes that it reads.
    fn bound(&self, parameters: &Parameters<f64>) -> (usize, f64) {
        let Small { quotient, at, program } = &self.small;
        let mut bounds = Bounds::new(program);
        for (moved, from) in quotient.moved.iter().zip(&self.full.at) {
            if let Some(to) = moved {
                bounds.include(at[to.0 as usize], from.of(&self.state.values));
            }
        }
        bounds.propagate(program, parameters);
        let mut worst = (0, 0.0);
        for (i, (small, full)) in program.outputs.iter().zip(&self.program.outputs).enumerate() {
            let (low, high) = bounds.of(ValueAt { offset: small.offset, shape: small.shape });
            let exact = ValueAt { offset: full.offset, shape: full.shape }.of(&self.state.values);
            for ((l, h), x) in low.iter().zip(high).zip(exact) {
                let above = if h == x { 0.0 } else { h - x };
                let below = if l == x { 0.0 } else { x - l };
                let far = if above.is_nan() || below.is_nan() { f64::INFINITY } else { above.max(below) };
                if far > worst.1 {
                    worst = (i, far);
                }
            }
        }
        worst
    }

    /// The greatest difference between an output of the quotient and that of the full graph.
    fn deviation(&self, parameters: &Parameters<f64>) -> f64 {
        let program = &self.small.program;
        let mut state = State::new(program);
        state.forward(program, parameters, &Selection::all(program));
        let pairs = program.outputs.iter().zip(&self.program.outputs).flat_map(|(small, full)| {
            let own = ValueAt { offset: small.offset, shape: small.shape }.of(&state.values);
            let exact = ValueAt { offset: full.offset, shape: full.shape }.of(&self.state.values);
            own.iter().zip(exact)
        });
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }
}
