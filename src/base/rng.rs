//! Seeded random streams.
//!
//! Every purpose draws from a stream of its own, derived from the user's seed and the purpose's name, so that
//! switching one feature on never changes the numbers another one sees. Floats and shuffles are made here from raw
//! 64-bit outputs, so their bits depend on no library's distribution code.

use rand_core::{Rng as _, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A random stream for one purpose.
#[derive(Debug, Clone)]
pub struct Stream {
    rng: Xoshiro256PlusPlus,
    spare_normal: Option<f64>,
}

impl Stream {
    /// The stream of `purpose` under `seed`.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut h = seed ^ 0x9e37_79b9_7f4a_7c15;
        for b in purpose.bytes() {
            h = super::hash::finish(super::hash::mix(h, u64::from(b)));
        }
        Stream { rng: Xoshiro256PlusPlus::seed_from_u64(h), spare_normal: None }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// Uniform in `[0, 1)`, 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Standard normal (Marsaglia's polar method).
    pub fn normal(&mut self) -> f64 {
        if let Some(z) = self.spare_normal.take() {
            return z;
        }
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let f = (-2.0 * s.ln() / s).sqrt();
                self.spare_normal = Some(v * f);
                return u * f;
            }
        }
    }

    /// Uniform in `0..n` without bias (Lemire's multiply-and-reject). `n` must be positive.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "a range must not be empty");
        let threshold = n.wrapping_neg() % n;
        loop {
            let wide = u128::from(self.bits()) * u128::from(n);
            if wide as u64 >= threshold {
                return (wide >> 64) as u64;
            }
        }
    }

    /// Fisher–Yates shuffle.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i as u64 + 1) as usize;
            items.swap(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_reproducible_and_differ_by_purpose() {
        let draw = |seed, purpose| {
            let mut s = Stream::new(seed, purpose);
            (0..4).map(|_| s.bits()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, "init"), draw(1, "init"));
        assert_ne!(draw(1, "init"), draw(1, "shuffle"));
        assert_ne!(draw(1, "init"), draw(2, "init"));
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut s = Stream::new(7, "test");
        let n = 200_000;
        let mean = (0..n).map(|_| s.uniform()).sum::<f64>() / n as f64;
        assert!((mean - 0.5).abs() < 0.005, "{mean}");
        let var = (0..n).map(|_| s.normal().powi(2)).sum::<f64>() / n as f64;
        assert!((var - 1.0).abs() < 0.02, "{var}");
        let mut counts = [0usize; 5];
        (0..n).for_each(|_| counts[s.below(5) as usize] += 1);
        assert!(counts.iter().all(|&c| (c as f64 / n as f64 - 0.2).abs() < 0.01), "{counts:?}");
    }
}
