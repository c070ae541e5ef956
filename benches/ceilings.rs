//! What one core of this machine can do at most: operations and bytes a second.
//!
//! `cargo bench --bench ceilings` prints a table, `cargo bench --bench ceilings -- --json` one JSON object with numbers
//! in units of 1e9 a second. `benches/peers/floors.py` divides the work of a profile by them.

#![allow(clippy::print_stdout)]

use nlog::tensor::wide::{self, Kernel};
use std::hint::black_box;
use std::time::Instant;

/// Independent sums: more than the latency of an addition times the number of units, in whole vectors.
const SUMS: usize = 128;
const ROUNDS: usize = 200_000;

macro_rules! chains {
    ($name:ident, $t:ty, |$s:ident, $x:ident, $y:ident| $step:expr) => {
        struct $name;

        impl Kernel for $name {
            type Arguments<'a> = (&'a mut [$t; SUMS], $t, $t);

            #[inline(always)]
            fn run((sums, $x, $y): Self::Arguments<'_>) {
                let mut own = *sums;
                for _ in 0..ROUNDS {
                    for $s in &mut own {
                        *$s = $step;
                    }
                }
                *sums = own;
            }
        }
    };
}

chains!(Fused64, f64, |s, x, y| s.mul_add(x, y));
chains!(Fused32, f32, |s, x, y| s.mul_add(x, y));
chains!(Apart64, f64, |s, x, y| *s * x + y);
chains!(Apart32, f32, |s, x, y| *s * x + y);

/// a = b + x·c.
struct Triad;

impl Kernel for Triad {
    type Arguments<'a> = (&'a mut [f64], &'a [f64], &'a [f64], f64);

    #[inline(always)]
    fn run((a, b, c, x): Self::Arguments<'_>) {
        for ((a, &b), &c) in a.iter_mut().zip(b).zip(c) {
            *a = b + x * c;
        }
    }
}

/// The best of several measurements: whatever else the machine does can only make them longer.
fn best(mut once: impl FnMut()) -> f64 {
    let seconds = |_| {
        let start = Instant::now();
        once();
        start.elapsed().as_secs_f64()
    };
    (0..15).map(seconds).fold(f64::INFINITY, f64::min)
}

fn operations(run: impl FnMut()) -> f64 {
    2.0 * (SUMS * ROUNDS) as f64 / best(run) * 1e-9
}

/// Bytes a second that [`Triad`] reads and writes in arrays of so many bytes together.
fn bandwidth(bytes: usize) -> f64 {
    let n = bytes / 24;
    let (mut a, b, c) = (vec![0.0; n], vec![1.0; n], vec![2.0; n]);
    // As many times as make the whole longer than the clock is inexact.
    let times = (1 << 28) / bytes + 1;
    let seconds =
        best(|| (0..times).for_each(|_| wide::run::<Triad>((black_box(&mut a), &b, &c, black_box(0.5)))));
    black_box(a);
    (24 * n * times) as f64 / seconds * 1e-9
}

fn main() {
    // Near 1 and not 1, so that sums neither grow without end nor become subnormal.
    let (x, y) = (black_box(0.999_999), black_box(1e-6));
    let (mut wide64, mut wide32) = ([1.0f64; SUMS], [1.0f32; SUMS]);
    let rows = [
        (
            "fused multiply and add, f64, GFLOP/s",
            "fused_f64",
            operations(|| wide::run::<Fused64>((&mut wide64, x, y))),
        ),
        (
            "fused multiply and add, f32, GFLOP/s",
            "fused_f32",
            operations(|| wide::run::<Fused32>((&mut wide32, x as f32, y as f32))),
        ),
        (
            "multiply, then add, f64, GFLOP/s",
            "apart_f64",
            operations(|| wide::run::<Apart64>((&mut wide64, x, y))),
        ),
        (
            "multiply, then add, f32, GFLOP/s",
            "apart_f32",
            operations(|| wide::run::<Apart32>((&mut wide32, x as f32, y as f32))),
        ),
        ("bytes in 24 KiB (first cache), GB/s", "bytes_first", bandwidth(24 << 10)),
        ("bytes in 1 MiB (second cache), GB/s", "bytes_second", bandwidth(1 << 20)),
        ("bytes in 768 MiB (memory), GB/s", "bytes_memory", bandwidth(768 << 20)),
    ];
    black_box((wide64, wide32));
    if std::env::args().any(|a| a == "--json") {
        let pairs: serde_json::Map<String, serde_json::Value> =
            rows.iter().map(|(_, key, rate)| ((*key).to_string(), (*rate).into())).collect();
        println!("{}", serde_json::Value::Object(pairs));
        return;
    }
    println!("one core, the best of 15 measurements each");
    for (name, _, rate) in rows {
        println!("{name:<38} {rate:>7.1}");
    }
}
