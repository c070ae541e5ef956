//! Loops compiled once for each width of vectors that a processor may have; which one runs is decided at run time.
//!
//! Only the instructions differ: additions and multiplications are neither fused nor reordered, so every processor
//! gives the same bits.

use pulp::{Arch, NullaryFnOnce};
use std::sync::LazyLock;

/// A loop. Its `run` must be inlined (`#[inline(always)]`, with all that it calls), or it is compiled for the
/// narrowest vectors only.
pub trait Kernel {
    /// What it works on.
    type Arguments<'a>;
    /// The work.
    fn run(arguments: Self::Arguments<'_>);
}

struct Call<'a, K: Kernel>(K::Arguments<'a>);

impl<K: Kernel> NullaryFnOnce for Call<'_, K> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        K::run(self.0);
    }
}

/// y = f(y), to be inlined in a kernel: eight elements at a time, which become one vector or several.
///
/// What is left of a slice is computed together with elements before it, once more. (Filling up with zeros instead
/// took 70 ns, five times as long as eight elements: they were stored one by one and loaded at once.)
#[inline(always)]
pub fn each<T: Copy>(y: &mut [T], f: impl Fn(T) -> T) {
    match y.len() {
        0..4 => y.iter_mut().for_each(|y| *y = f(*y)),
        4..8 => each_of::<T, 4>(y, f),
        _ => each_of::<T, 8>(y, f),
    }
}

/// The same for N elements or more.
#[inline(always)]
fn each_of<T: Copy, const N: usize>(y: &mut [T], f: impl Fn(T) -> T) {
    let Some(mut last) = y.last_chunk::<N>().copied() else { return };
    let (all, rest) = y.as_chunks_mut::<N>();
    let whole = rest.is_empty();
    for y in all {
        y.iter_mut().for_each(|y| *y = f(*y));
    }
    if !whole {
        last.iter_mut().for_each(|y| *y = f(*y));
        if let Some(y) = y.last_chunk_mut::<N>() {
            *y = last;
        }
    }
}

/// Detection asks for some thirty properties of the processor, which is too much for a call on a few rows.
static PROCESSOR: LazyLock<Arch> = LazyLock::new(Arch::new);

/// Runs a kernel on the widest vectors there are.
#[inline]
pub fn run<K: Kernel>(arguments: K::Arguments<'_>) {
    PROCESSOR.dispatch(Call::<K>(arguments));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Real;
    use std::marker::PhantomData;

    struct All<T>(PhantomData<T>);

    impl<T: Real> Kernel for All<T> {
        type Arguments<'a> = [&'a mut [T]; 3];

        #[inline(always)]
        fn run([a, b, c]: Self::Arguments<'_>) {
            each(a, |x| x.tanh());
            each(b, |x| x.exp());
            each(c, |x| x.exp_m1() + x.abs().min(T::ONE).ln_1p_unit());
        }
    }

    /// Bits of slices of every length computed by vectors of each width, against single elements.
    fn same_bits<T: Real>() {
        for n in (0..40).chain([1000]) {
            let x: Vec<T> = (0..n).map(|i| T::from_f64(0.37 * f64::from(i * i % 91) - 17.1)).collect();
            let f =
                |f: &dyn Fn(T) -> T| -> Vec<T> { x.iter().map(|&x| f(std::hint::black_box(x))).collect() };
            let expected =
                [f(&|x| x.tanh()), f(&|x| x.exp()), f(&|x| x.exp_m1() + x.abs().min(T::ONE).ln_1p_unit())];
            let mut narrow = [x.clone(), x.clone(), x.clone()];
            All::run(narrow.each_mut().map(Vec::as_mut_slice));
            let mut widest = [x.clone(), x.clone(), x];
            run::<All<T>>(widest.each_mut().map(Vec::as_mut_slice));
            for (e, (n, w)) in expected.iter().zip(narrow.iter().zip(&widest)) {
                let same = |(a, b): (&T, &T)| a.total_cmp(b).is_eq();
                assert!(
                    e.iter().zip(n).all(same) && e.iter().zip(w).all(same),
                    "{expected:?} {narrow:?} {widest:?}"
                );
            }
        }
    }

    #[test]
    fn every_width_gives_the_same_bits() {
        same_bits::<f64>();
        same_bits::<f32>();
    }
}
