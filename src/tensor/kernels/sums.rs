//! Sums of values over many rows, and their adjoints.
//!
//! Each row adds its values in the order in which they are listed, starting from zero, whatever the machine.

use super::Real;
use crate::tensor::wide::{self, Kernel};
use std::marker::PhantomData;

/// Which values the rows of a block add up.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// So many values per row.
    Tuples(usize, &'a [u32]),
    /// Where the values of each row begin in the list, one entry more than rows; how often each value counts (once
    /// if empty).
    Segments(&'a [u32], &'a [u32], &'a [u32]),
}

/// Whether a row's sum is divided by the number of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mean {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// The values of one row.
#[derive(Clone, Copy)]
struct Row<'a> {
    offsets: &'a [u32],
    times: &'a [u32],
}

impl Row<'_> {
    fn count<T: Real>(self) -> T {
        let n = match self.times {
            [] => self.offsets.len() as u64,
            times => times.iter().map(|&t| u64::from(t)).sum(),
        };
        T::from_f64(n as f64)
    }
}

/// Calls `$each` with the number and the values of every row.
macro_rules! each_row {
    ($rows:expr, |$i:ident, $row:ident| $each:block) => {
        match $rows {
            Rows::Tuples(k, offsets) => {
                for ($i, offsets) in offsets.chunks_exact(k).enumerate() {
                    let $row = Row { offsets, times: &[] };
                    $each
                }
            }
            Rows::Segments(starts, offsets, times) => {
                // Several rows of a longer list: offsets of the whole.
                for ($i, ends) in starts.windows(2).enumerate() {
                    let range = ends[0] as usize..ends[1] as usize;
                    let times = if times.is_empty() { times } else { &times[range.clone()] };
                    let $row = Row { offsets: &offsets[range], times };
                    $each
                }
            }
        }
    };
}

/// y row i = the sum (or mean) of its values of `width` elements; `y` is overwritten.
pub fn sum_rows<T: Real>(values: &[T], rows: Rows<'_>, mean: Mean, width: usize, y: &mut [T]) {
    super::with_width!(width, wide::run[Sum]((values, rows, mean, width, y)));
}

/// The adjoint of [`sum_rows`]: each value's gradient is added to `grads`. Offsets may repeat.
pub fn spread_rows<T: Real>(gy: &[T], rows: Rows<'_>, mean: Mean, width: usize, grads: &mut [T]) {
    super::with_width!(width, wide::run[Spread]((gy, rows, mean, width, grads)));
}

/// Sums of N elements in registers; of any number where N is 0.
struct Sum<T, const N: usize>(PhantomData<T>);

impl<T: Real, const N: usize> Kernel for Sum<T, N> {
    type Arguments<'a> = (&'a [T], Rows<'a>, Mean, usize, &'a mut [T]);

    #[inline(always)]
    fn run((values, rows, mean, width, y): Self::Arguments<'_>) {
        if N == 0 {
            each_row!(rows, |i, row| {
                let y = &mut y[i * width..(i + 1) * width];
                y.fill(T::ZERO);
                for (at, &o) in row.offsets.iter().enumerate() {
                    let x = &values[o as usize..][..width];
                    match row.times {
                        [] => y.iter_mut().zip(x).for_each(|(y, &x)| *y += x),
                        times => super::add_scaled(T::from_f64(f64::from(times[at])), x, y),
                    }
                }
                if mean == Mean::Yes {
                    let n = row.count();
                    y.iter_mut().for_each(|y| *y /= n);
                }
            });
            return;
        }
        let (y, _) = y.as_chunks_mut::<N>();
        each_row!(rows, |i, row| {
            let mut sum = [T::ZERO; N];
            match row.times {
                [] => {
                    for &o in row.offsets {
                        let x: &[T; N] = first(values, o);
                        sum.iter_mut().zip(x).for_each(|(s, &x)| *s += x);
                    }
                }
                times => {
                    for (&o, &k) in row.offsets.iter().zip(times) {
                        let (x, k): (&[T; N], T) = (first(values, o), T::from_f64(f64::from(k)));
                        sum.iter_mut().zip(x).for_each(|(s, &x)| *s += k * x);
                    }
                }
            }
            if mean == Mean::Yes {
                let n = row.count();
                sum.iter_mut().for_each(|s| *s /= n);
            }
            y[i] = sum;
        });
    }
}

struct Spread<T, const N: usize>(PhantomData<T>);

impl<T: Real, const N: usize> Kernel for Spread<T, N> {
    type Arguments<'a> = (&'a [T], Rows<'a>, Mean, usize, &'a mut [T]);

    #[inline(always)]
    fn run((gy, rows, mean, width, grads): Self::Arguments<'_>) {
        if N == 0 {
            each_row!(rows, |i, row| {
                let gy = &gy[i * width..(i + 1) * width];
                let n = if mean == Mean::Yes { row.count() } else { T::ONE };
                for (at, &o) in row.offsets.iter().enumerate() {
                    let k = row.times.get(at).map_or(T::ONE, |&k| T::from_f64(f64::from(k)));
                    let gx = &mut grads[o as usize..][..width];
                    gx.iter_mut().zip(gy).for_each(|(gx, &g)| *gx += k * (g / n));
                }
            });
            return;
        }
        let (gy, _) = gy.as_chunks::<N>();
        each_row!(rows, |i, row| {
            let mut g = gy[i];
            if mean == Mean::Yes {
                let n = row.count();
                g.iter_mut().for_each(|g| *g /= n);
            }
            match row.times {
                [] => {
                    for &o in row.offsets {
                        let gx: &mut [T; N] = first_mut(grads, o);
                        gx.iter_mut().zip(g).for_each(|(gx, g)| *gx += g);
                    }
                }
                times => {
                    for (&o, &k) in row.offsets.iter().zip(times) {
                        let (gx, k): (&mut [T; N], T) = (first_mut(grads, o), T::from_f64(f64::from(k)));
                        gx.iter_mut().zip(g).for_each(|(gx, g)| *gx += k * g);
                    }
                }
            }
        });
    }
}

/// The N elements at an offset.
#[inline(always)]
pub(super) fn first<T, const N: usize>(values: &[T], offset: u32) -> &[T; N] {
    values[offset as usize..].first_chunk().expect("a value lies inside of the arena")
}

/// The N elements at an offset, to be changed.
#[inline(always)]
pub(super) fn first_mut<T, const N: usize>(values: &mut [T], offset: u32) -> &mut [T; N] {
    values[offset as usize..].first_chunk_mut().expect("a value lies inside of the arena")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Stream;

    /// Sums as the formula has them, with gradients by the product rule, for every width that has its own loop.
    #[test]
    fn sums_and_their_gradients_are_those_of_the_formula() {
        for width in (1..=18).chain([40]) {
            let mut stream = Stream::new(width as u64, "sums");
            let mut draw = |n: usize| -> Vec<f64> { (0..n).map(|_| stream.normal()).collect() };
            let values = draw(9 * width);
            let gy = draw(3 * width);
            let offsets: Vec<u32> = [3, 0, 3, 8, 1, 2].map(|v: usize| (v * width) as u32).to_vec();
            let starts = [0, 1, 4, 6];
            let times = [2, 1, 3, 1, 5, 1];
            for (rows, starts, times) in [
                (Rows::Tuples(2, &offsets), [0, 2, 4, 6], [1; 6]),
                (Rows::Segments(&starts, &offsets, &[]), starts, [1; 6]),
                (Rows::Segments(&starts, &offsets, &times), starts, times),
            ] {
                for mean in [Mean::Yes, Mean::No] {
                    let mut y = vec![f64::NAN; 3 * width];
                    let mut grads = vec![0.5; values.len()];
                    sum_rows(&values, rows, mean, width, &mut y);
                    spread_rows(&gy, rows, mean, width, &mut grads);
                    let mut expected = vec![0.5; values.len()];
                    for i in 0..3 {
                        let range = starts[i] as usize..starts[i + 1] as usize;
                        let n: u32 = times[range.clone()].iter().sum();
                        let n = if mean == Mean::Yes { f64::from(n) } else { 1.0 };
                        for e in 0..width {
                            let mut sum = 0.0;
                            for j in range.clone() {
                                let at = offsets[j] as usize + e;
                                sum += f64::from(times[j]) * values[at] / n;
                                expected[at] += f64::from(times[j]) * gy[i * width + e] / n;
                            }
                            assert!((y[i * width + e] - sum).abs() < 1e-12, "width {width}, {rows:?}");
                        }
                    }
                    for (g, e) in grads.iter().zip(&expected) {
                        assert!((g - e).abs() < 1e-12, "width {width}, {rows:?}");
                    }
                }
            }
        }
    }
}
