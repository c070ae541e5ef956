//! Optimisers, gradient clipping and learning-rate schedules (formulas of NeuraLogic 0.9.2).
//!
//! Parameters, their gradients and an optimiser's moments are flat vectors; `ranges[i]` is where weight `i` lies in
//! each of them. Gradients point uphill on minus the error: a step adds them.

use crate::base::range::joined;
use crate::tensor::Real;
use crate::tensor::wide::{self, Kernel};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

/// An optimiser and its constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimizer {
    /// w += lr·(g − wd·w).
    Sgd,
    /// Kingma & Ba 2015, with the weight decay inside of the gradient: ĝ = wd·w − g, m ← β₁m + (1−β₁)ĝ,
    /// v ← β₂v + (1−β₂)ĝ², w −= lr · m/(1−β₁^k) / (√(v/(1−β₂^k)) + ε); k counts steps.
    Adam {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Added to the root.
        eps: f64,
    },
}

impl Optimizer {
    /// Adam with β₁ = 0.9, β₂ = 0.999, ε = 1e−8.
    pub const ADAM: Optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8 };

    /// Reads a name; letter case does not matter.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "sgd" => Some(Optimizer::Sgd),
            "adam" => Some(Optimizer::ADAM),
            _ => None,
        }
    }

    /// Every name `parse` knows, for "did you mean".
    pub fn names() -> &'static [&'static str] {
        &["sgd", "adam"]
    }

    /// The learning rate where none is given: 0.1 for SGD, 0.001 for Adam.
    pub fn default_learning_rate(self) -> f64 {
        match self {
            Optimizer::Sgd => 0.1,
            Optimizer::Adam { .. } => 0.001,
        }
    }
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer::ADAM
    }
}

impl fmt::Display for Optimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Optimizer::Sgd => "sgd",
            Optimizer::Adam { .. } => "adam",
        })
    }
}

/// An optimiser at work: its moments and its step counters.
#[derive(Debug, Clone)]
pub struct OptimizerState<T> {
    optimizer: Optimizer,
    /// First and second moment of each parameter; empty for SGD.
    first: Vec<T>,
    second: Vec<T>,
    /// Weights of different groups may count their steps apart.
    steps: Vec<u64>,
    counter: usize,
}

impl<T: Real> OptimizerState<T> {
    /// Before the first step, for `parameters` parameters.
    pub fn new(optimizer: Optimizer, parameters: usize) -> Self {
        let n = if optimizer == Optimizer::Sgd { 0 } else { parameters };
        let (first, second) = (vec![T::ZERO; n], vec![T::ZERO; n]);
        OptimizerState { optimizer, first, second, steps: vec![0], counter: 0 }
    }

    /// The optimiser it runs.
    pub fn optimizer(&self) -> Optimizer {
        self.optimizer
    }

    /// Steps so far, of the present counter.
    pub fn steps(&self) -> u64 {
        self.steps[self.counter]
    }

    /// Lets further steps be counted by this counter; the first is number 0.
    pub fn count_by(&mut self, counter: usize) {
        self.counter = counter;
        if self.steps.len() <= counter {
            self.steps.resize(counter + 1, 0);
        }
    }

    /// Forgets moments and steps, as before the first step.
    pub fn reset(&mut self) {
        self.first.fill(T::ZERO);
        self.second.fill(T::ZERO);
        self.steps.fill(0);
    }

    /// One step over the weights in `touched`; the others, and their moments, are not changed at all.
    pub fn step(
        &mut self,
        params: &mut [T],
        ranges: &[Range<usize>],
        touched: &[u32],
        grads: &[T],
        lr: f64,
        weight_decay: f64,
    ) {
        self.steps[self.counter] += 1;
        let decay = T::from_f64(weight_decay);
        match self.optimizer {
            Optimizer::Sgd => {
                let lr = T::from_f64(lr);
                for range in touched.iter().map(|&i| ranges[i as usize].clone()) {
                    for (w, &g) in params[range.clone()].iter_mut().zip(&grads[range]) {
                        *w += lr * (g - decay * *w);
                    }
                }
            }
            Optimizer::Adam { beta1, beta2, eps } => {
                let k = self.steps() as f64;
                let c = T::from_f64;
                let constants = Constants {
                    betas: (c(beta1), c(beta2)),
                    rests: (c(1.0 - beta1), c(1.0 - beta2)),
                    rate: c(lr / (1.0 - beta1.powf(k))),
                    second: c(1.0 / (1.0 - beta2.powf(k))),
                    eps: c(eps),
                    decay,
                };
                for range in joined(touched.iter().map(|&i| ranges[i as usize].clone())) {
                    let (first, second) = (&mut self.first[range.clone()], &mut self.second[range.clone()]);
                    wide::run::<Adam<T>>((
                        &mut params[range.clone()],
                        &grads[range],
                        first,
                        second,
                        constants,
                    ));
                }
            }
        }
    }
}

/// What Adam multiplies by in one step: the bias corrections are divided out once, not per parameter.
#[derive(Debug, Clone, Copy)]
struct Constants<T> {
    betas: (T, T),
    rests: (T, T),
    /// lr/(1−β₁^k).
    rate: T,
    /// 1/(1−β₂^k).
    second: T,
    eps: T,
    decay: T,
}

/// 0 for what is next to nothing.
#[inline(always)]
fn flushed<T: Real>(x: T) -> T {
    if x.abs() < T::TINY { T::ZERO } else { x }
}

struct Adam<T>(PhantomData<T>);

impl<T: Real> Kernel for Adam<T> {
    /// Parameters, gradients, moments.
    type Arguments<'a> = (&'a mut [T], &'a [T], &'a mut [T], &'a mut [T], Constants<T>);

    #[inline(always)]
    fn run((params, grads, first, second, c): Self::Arguments<'_>) {
        let moments = first.iter_mut().zip(second);
        for ((m, v), (w, &g)) in moments.zip(params.iter_mut().zip(grads)) {
            let g = c.decay * *w - g;
            // Without gradients moments would shrink until they are subnormal, and stay that for ever: an epoch of
            // steps on single molecules took twice as long from then on.
            *m = flushed(c.betas.0 * *m + c.rests.0 * g);
            *v = flushed(c.betas.1 * *v + c.rests.1 * g * g);
            *w -= c.rate * *m / ((*v * c.second).sqrt() + c.eps);
        }
    }
}

/// Scales the gradients of the touched weights by c/(‖g‖+1e−6) if that is below 1, ‖g‖ being the norm over all of
/// them. Returns ‖g‖.
pub fn clip_by_norm<T: Real>(grads: &mut [T], ranges: &[Range<usize>], touched: &[u32], c: f64) -> f64 {
    let mut squares = 0.0;
    for &i in touched {
        for g in &grads[ranges[i as usize].clone()] {
            let g = g.to_f64();
            squares += g * g;
        }
    }
    let norm = squares.sqrt();
    let factor = c / (norm + 1e-6);
    if factor < 1.0 {
        let factor = T::from_f64(factor);
        for &i in touched {
            grads[ranges[i as usize].clone()].iter_mut().for_each(|g| *g *= factor);
        }
    }
    norm
}

/// Clips every gradient element of the touched weights to [−c, c].
pub fn clip_by_value<T: Real>(grads: &mut [T], ranges: &[Range<usize>], touched: &[u32], c: f64) {
    let c = T::from_f64(c);
    for &i in touched {
        for g in &mut grads[ranges[i as usize].clone()] {
            if *g > c {
                *g = c;
            } else if *g < -c {
                *g = -c;
            }
        }
    }
}

/// How the learning rate falls.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Schedule {
    /// It stays.
    #[default]
    Constant,
    /// lr ← lr·rate at the start of each epoch whose number (from 1) is a multiple of `every`.
    Geometric {
        /// The factor.
        rate: f64,
        /// Epochs between two changes; 0 changes nothing.
        every: usize,
    },
    /// lr ← lr − lr₀/epochs at the start of each epoch but the first, so that the last one still learns.
    Arithmetic,
}

impl Schedule {
    /// The learning rate of epoch `epoch` (from 1) of `epochs`, given that of the epoch before (the initial one
    /// before the first).
    pub fn at_epoch_start(self, lr: f64, initial: f64, epoch: usize, epochs: usize) -> f64 {
        match self {
            Schedule::Geometric { rate, every } if every > 0 && epoch.is_multiple_of(every) => lr * rate,
            Schedule::Arithmetic if epoch > 1 && epochs > 0 => (lr - initial / epochs as f64).max(0.0),
            _ => lr,
        }
    }
}
