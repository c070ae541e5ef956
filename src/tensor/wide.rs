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

/// Detection asks for some thirty properties of the processor, which is too much for a call on a few rows.
static PROCESSOR: LazyLock<Arch> = LazyLock::new(Arch::new);

/// Runs a kernel on the widest vectors there are.
#[inline]
pub fn run<K: Kernel>(arguments: K::Arguments<'_>) {
    PROCESSOR.dispatch(Call::<K>(arguments));
}
