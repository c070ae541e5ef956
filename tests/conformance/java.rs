//! The random stream of the reference engine, as far as recorded cases depend on it: `java.util.Random`, the order
//! in which it is consumed, and what is drawn from it. The engine itself has streams of its own; here the recorded
//! stream is replayed so that cases with drawn weights or shuffled samples can be compared at all.

use nlog::learn::{Distribution, Initializer};
use nlog::template::{Template, TemplateValue, WeightId};

/// `java.util.Random`.
pub struct Random {
    state: u64,
    kept: Option<f64>,
}

const MASK: u64 = (1 << 48) - 1;
const MULTIPLIER: u64 = 0x5_DEEC_E66D;

impl Random {
    /// As `new Random(seed)`.
    pub fn new(seed: u64) -> Random {
        Random { state: (seed ^ MULTIPLIER) & MASK, kept: None }
    }

    fn next(&mut self, bits: u32) -> u32 {
        self.state = (self.state.wrapping_mul(MULTIPLIER).wrapping_add(0xB)) & MASK;
        (self.state >> (48 - bits)) as u32
    }

    /// Uniform in [0, 1).
    pub fn double(&mut self) -> f64 {
        let high = u64::from(self.next(26)) << 27;
        (high + u64::from(self.next(27))) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal, by the polar method; every second one is kept from the draw before.
    pub fn gaussian(&mut self) -> f64 {
        if let Some(x) = self.kept.take() {
            return x;
        }
        loop {
            let (a, b) = (2.0 * self.double() - 1.0, 2.0 * self.double() - 1.0);
            let s = a * a + b * b;
            if s < 1.0 && s != 0.0 {
                let m = (-2.0 * s.ln() / s).sqrt();
                self.kept = Some(b * m);
                return a * m;
            }
        }
    }

    /// Uniform in 0..n.
    pub fn below(&mut self, n: u32) -> u32 {
        let bits = self.next(31);
        if n.is_power_of_two() {
            return ((u64::from(n) * u64::from(bits)) >> 31) as u32;
        }
        let mut bits = bits;
        loop {
            let value = bits % n;
            // Java's test overflows an int where the last, incomplete range begins.
            if bits - value + (n - 1) <= i32::MAX as u32 {
                return value;
            }
            bits = self.next(31);
        }
    }

    /// As `Collections.shuffle`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i as u32 + 1) as usize;
            items.swap(i, j);
        }
    }
}

/// The weights in the order in which the reference keeps them: rule by rule the head's, the offset, the offset of the
/// head's predicate, those of the body; then facts of the template.
pub fn model_order(template: &Template) -> Vec<WeightId> {
    let mut order: Vec<WeightId> = Vec::new();
    let mut add = |w: Option<WeightId>| {
        if let Some(w) = w
            && !order.contains(&w)
        {
            order.push(w);
        }
    };
    for rule in template.rules.iter().filter(|r| r.world.is_none()) {
        add(rule.head_weight);
        add(rule.offset);
        add(template.atom_offset(rule.head));
        rule.body.iter().for_each(|l| add(l.weight));
    }
    for fact in &template.facts {
        if let TemplateValue::Weight(w) = fact.value {
            add(Some(w));
        }
    }
    order
}

/// Draws one weight; `None` where the replay does not know how (orthogonal matrices, the long tail).
pub fn draw(
    random: &mut Random,
    template: &Template,
    weight: WeightId,
    initializer: Initializer,
) -> Option<Vec<f64>> {
    let w = &template.weights[weight];
    let (rows, cols) = (w.shape.rows as f64, w.shape.cols as f64);
    let limit = match initializer {
        Initializer::Simple(distribution) => {
            let mut one = || {
                Some(match distribution {
                    Distribution::Uniform(scale) => (random.double() - 0.5) * scale,
                    Distribution::Normal(scale) => random.gaussian() * scale,
                    Distribution::Constant(c) => c,
                    Distribution::LongTail => return None,
                })
            };
            return (0..w.shape.len()).map(|_| one()).collect();
        }
        _ if w.orthogonal => return None,
        Initializer::Glorot => 6f64.sqrt() / (rows + cols).sqrt(),
        Initializer::He => 6f64.sqrt() / cols.sqrt(),
        Initializer::Torch => 1.0 / cols.sqrt(),
    } * w.gain;
    Some((0..w.shape.len()).map(|_| random.double() * 2.0 * limit - limit).collect())
}
