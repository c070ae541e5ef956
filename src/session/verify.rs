//! Lifted against unlifted: outputs and gradients at random weights.
//!
//! What is differentiated is Σ c·y over all answers y with random c, so that every output counts, with a target or
//! without, and no loss saturates.

use super::{Network, Session};
use crate::base::rng::Stream;
use crate::exec::{Gradients, Parameters, Selection, State};
use crate::graph::lift::Scope;
use crate::learn::Initializer;
use crate::template::WeightId;
use serde::Serialize;

/// Deviations beyond this, relative to the greatest magnitude, are no rounding.
pub const TOLERANCE: f64 = 1e-9;

/// Values and gradients of an unlifted network at random weights, for lifted ones to be held against.
#[derive(Debug, Clone)]
pub struct Verifier {
    draws: Vec<Draw>,
    /// Weights that have a gradient: constants are not varied, and equal ones are one to the lifter.
    varied: Vec<WeightId>,
}

/// One draw of all weights, and what the unlifted network makes of it.
#[derive(Debug, Clone)]
struct Draw {
    parameters: Parameters<f64>,
    /// By answer and element.
    cotangents: Vec<Vec<f64>>,
    expected: Probe,
}

/// What a network computes.
#[derive(Debug, Clone, PartialEq)]
struct Probe {
    /// Of all answers, one after the other.
    outputs: Vec<f64>,
    /// Of the varied weights, one after the other.
    gradient: Vec<f64>,
}

/// How far two lists of numbers are apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Deviation {
    /// Numbers compared, of all draws.
    pub compared: usize,
    /// Of these, those that are not finite in both, and are the same.
    pub not_finite: usize,
    /// The greatest difference; infinite if one number is finite and the other is not, or one is missing.
    pub absolute: f64,
    /// The greatest difference of a draw, divided by the greatest magnitude in that draw.
    pub relative: f64,
}

/// How far a lifted network is from the unlifted one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verification {
    /// The scope of the lifted network.
    pub scope: Scope,
    /// Draws of all weights.
    pub draws: usize,
    /// The answers.
    pub outputs: Deviation,
    /// The gradient of Σ c·output by the weights, c random.
    pub gradients: Deviation,
    /// Whether both relative deviations are within [`TOLERANCE`].
    pub passed: bool,
}

impl Session {
    /// Draws all weights but constants so many times, and evaluates an unlifted network of the session at them.
    ///
    /// Drawn are also weights with a written initial value; the distribution is Glorot's, whatever the settings say,
    /// so that no two weights agree by design. The stream is one of its own, by the seed of the settings.
    pub fn verifier(&self, unlifted: &Network, draws: usize) -> Verifier {
        let mut stream = Stream::new(self.settings.train.seed, "verify");
        let weights = self.template.weights.iter_enumerated();
        let varied: Vec<WeightId> = weights.filter(|(_, w)| !w.constant).map(|(id, _)| id).collect();
        let mut draw = || {
            let mut parameters = Parameters::new(&self.template);
            for &id in &varied {
                let w = &self.template.weights[id];
                Initializer::Glorot.fill(w.shape, w.gain, false, &mut stream, parameters.get_mut(id));
            }
            let cotangents: Vec<Vec<f64>> = unlifted
                .answers
                .iter()
                .map(|a| {
                    let n = a.place.map_or(0, |(p, o)| unlifted.programs[p].outputs[o].shape.len());
                    (0..n).map(|_| 2.0 * stream.uniform() - 1.0).collect()
                })
                .collect();
            let expected = probe(unlifted, &parameters, &cotangents, &varied);
            Draw { parameters, cotangents, expected }
        };
        let draws = (0..draws).map(|_| draw()).collect();
        Verifier { draws, varied }
    }
}

impl Verifier {
    /// Holds another network of the same session against the unlifted one.
    pub fn verify(&self, scope: Scope, network: &Network) -> Verification {
        let (mut outputs, mut gradients) = (Deviation::default(), Deviation::default());
        for draw in &self.draws {
            let found = probe(network, &draw.parameters, &draw.cotangents, &self.varied);
            outputs.add(&draw.expected.outputs, &found.outputs);
            gradients.add(&draw.expected.gradient, &found.gradient);
        }
        let passed = outputs.relative <= TOLERANCE && gradients.relative <= TOLERANCE;
        Verification { scope, draws: self.draws.len(), outputs, gradients, passed }
    }
}

impl Deviation {
    fn add(&mut self, expected: &[f64], found: &[f64]) {
        self.compared += expected.len();
        let (mut difference, mut scale) = (0.0f64, 0.0f64);
        for (a, b) in expected.iter().zip(found) {
            if a.is_finite() && b.is_finite() {
                difference = difference.max((a - b).abs());
                scale = scale.max(a.abs()).max(b.abs());
            } else if a == b || (a.is_nan() && b.is_nan()) {
                self.not_finite += 1;
            } else {
                difference = f64::INFINITY;
            }
        }
        if expected.len() != found.len() {
            difference = f64::INFINITY;
        }
        self.absolute = self.absolute.max(difference);
        // Where all is zero there is no difference either.
        let relative = if difference == 0.0 { 0.0 } else { difference / scale };
        self.relative = self.relative.max(relative);
    }
}

/// Evaluates a network, and its derivative along the cotangents of its answers.
fn probe(
    network: &Network,
    parameters: &Parameters<f64>,
    cotangents: &[Vec<f64>],
    varied: &[WeightId],
) -> Probe {
    let mut gradients = Gradients::new(parameters);
    let mut values: Vec<&[f64]> = vec![&[]; network.answers.len()];
    let mut states: Vec<State<f64>> = Vec::with_capacity(network.programs.len());
    for program in &network.programs {
        let mut state = State::new(program);
        state.forward(program, parameters, &Selection::all(program));
        states.push(state);
    }
    for (answer, cotangent) in network.answers.iter().zip(cotangents) {
        if let Some((p, o)) = answer.place {
            let slot = network.programs[p].outputs[o];
            let own = &mut states[p].gradients[slot.offset as usize..][..slot.shape.len()];
            // Answers may share an output.
            own.iter_mut().zip(cotangent).for_each(|(g, c)| *g += c);
        }
    }
    for (program, state) in network.programs.iter().zip(&mut states) {
        state.backward(program, parameters, &Selection::all(program), &mut gradients);
    }
    for (value, answer) in values.iter_mut().zip(&network.answers) {
        if let Some((p, o)) = answer.place {
            let slot = network.programs[p].outputs[o];
            *value = &states[p].values[slot.offset as usize..][..slot.shape.len()];
        }
    }
    let gradient = varied.iter().flat_map(|&w| &gradients.values[parameters.ranges[w].clone()]);
    Probe { gradient: gradient.copied().collect(), outputs: values.concat() }
}
