//! Scalars times values, row by row, and their adjoints.

use super::sums::{first, first_mut};
use super::{Real, add_scaled, dot, scaled};
use crate::tensor::wide::{self, Kernel};
use std::marker::PhantomData;

/// y row i = s_i·x_i: the offsets of a scalar and a value of `width` elements for each row, in the order in which
/// `scalar_first` says they stand.
pub fn scale_rows<T: Real>(values: &[T], pairs: &[u32], scalar_first: bool, width: usize, y: &mut [T]) {
    super::with_width!(width, wide::run[Scale]((values, pairs, scalar_first, width, y)));
}

/// The adjoint of [`scale_rows`]: `grads` at s_i += gy_i·x_i, at x_i += s_i·gy_i. Offsets may repeat.
pub fn scale_rows_adjoint<T: Real>(
    values: &[T],
    pairs: &[u32],
    scalar_first: bool,
    width: usize,
    gy: &[T],
    grads: &mut [T],
) {
    super::with_width!(width, wide::run[Spread]((values, pairs, scalar_first, width, gy, grads)));
}

/// The offsets of the scalar and of the value.
#[inline(always)]
fn ordered(&[a, b]: &[u32; 2], scalar_first: bool) -> (u32, u32) {
    if scalar_first { (a, b) } else { (b, a) }
}

/// Of N elements; of any number where N is 0.
struct Scale<T, const N: usize>(PhantomData<T>);

impl<T: Real, const N: usize> Kernel for Scale<T, N> {
    type Arguments<'a> = (&'a [T], &'a [u32], bool, usize, &'a mut [T]);

    #[inline(always)]
    fn run((values, pairs, scalar_first, width, y): Self::Arguments<'_>) {
        let pairs = pairs.as_chunks::<2>().0.iter().map(|pair| ordered(pair, scalar_first));
        if N == 0 {
            for ((s, x), y) in pairs.zip(y.chunks_exact_mut(width)) {
                scaled(values[s as usize], &values[x as usize..][..width], y);
            }
            return;
        }
        for ((s, x), y) in pairs.zip(y.as_chunks_mut::<N>().0) {
            let (s, x): (T, &[T; N]) = (values[s as usize], first(values, x));
            *y = x.map(|x| s * x);
        }
    }
}

struct Spread<T, const N: usize>(PhantomData<T>);

impl<T: Real, const N: usize> Kernel for Spread<T, N> {
    type Arguments<'a> = (&'a [T], &'a [u32], bool, usize, &'a [T], &'a mut [T]);

    #[inline(always)]
    fn run((values, pairs, scalar_first, width, gy, grads): Self::Arguments<'_>) {
        let pairs = pairs.as_chunks::<2>().0.iter().map(|pair| ordered(pair, scalar_first));
        if N == 0 {
            for ((s, x), gy) in pairs.zip(gy.chunks_exact(width)) {
                grads[s as usize] += dot(gy, &values[x as usize..][..width]);
                add_scaled(values[s as usize], gy, &mut grads[x as usize..][..width]);
            }
            return;
        }
        for ((s, x), gy) in pairs.zip(gy.as_chunks::<N>().0) {
            grads[s as usize] += dot(gy, first::<T, N>(values, x));
            let (s, gx): (T, &mut [T; N]) = (values[s as usize], first_mut(grads, x));
            let mut new = *gx;
            new.iter_mut().zip(gy).for_each(|(gx, &g)| *gx += s * g);
            *gx = new;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Stream;

    /// Products and gradients as the formula has them, for every width that has its own loop, in both orders.
    #[test]
    fn products_and_their_gradients_are_those_of_the_formula() {
        for width in (1..=18).chain([40]) {
            let mut stream = Stream::new(width as u64, "products");
            let mut draw = |n: usize| -> Vec<f64> { (0..n).map(|_| stream.normal()).collect() };
            let (values, gy) = (draw(3 + 2 * width), draw(4 * width));
            let (scalars, vectors) = ([0, 2, 1, 2], [3, 3 + width, 3, 3]);
            for scalar_first in [true, false] {
                let pair = |i: usize| [scalars[i] as u32, vectors[i] as u32];
                let pairs: Vec<u32> = (0..4)
                    .flat_map(|i| if scalar_first { pair(i) } else { [pair(i)[1], pair(i)[0]] })
                    .collect();
                let (mut y, mut grads) = (vec![f64::NAN; 4 * width], vec![0.5; values.len()]);
                scale_rows(&values, &pairs, scalar_first, width, &mut y);
                scale_rows_adjoint(&values, &pairs, scalar_first, width, &gy, &mut grads);
                let mut expected = vec![0.5; values.len()];
                for i in 0..4 {
                    for e in 0..width {
                        let (s, x, g) = (values[scalars[i]], values[vectors[i] + e], gy[i * width + e]);
                        assert_eq!(y[i * width + e], s * x, "width {width}");
                        expected[scalars[i]] += g * x;
                        expected[vectors[i] + e] += g * s;
                    }
                }
                for (g, e) in grads.iter().zip(&expected) {
                    assert!((g - e).abs() < 1e-12, "width {width}: {g} {e}");
                }
            }
        }
    }
}
