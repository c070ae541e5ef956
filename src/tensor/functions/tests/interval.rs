//! Intervals hold every value, are points on points, and are not much wider than they must be.

use super::*;

/// A box around random points: its ends, and points in it.
fn boxed(stream: &mut Stream, n: usize, positive: bool) -> (Vec<f64>, Vec<f64>) {
    // Widths from a thousandth to a few units, so that turning points fall inside and outside.
    let width = 10f64.powf(stream.uniform() * 3.5 - 3.0);
    let low: Vec<f64> = (0..n)
        .map(|_| {
            let x = stream.normal() * 1.5;
            if positive { x.abs() + 0.01 } else { x }
        })
        .collect();
    let high = low.iter().map(|x| x + width * stream.uniform()).collect();
    (low, high)
}

fn inside(stream: &mut Stream, low: &[f64], high: &[f64]) -> Vec<f64> {
    let end = stream.uniform();
    let point = |(l, h): (&f64, &f64)| match (end < 0.3, stream.uniform() < 0.5) {
        (true, true) => *l,
        (true, false) => *h,
        _ => l + (h - l) * stream.uniform(),
    };
    low.iter().zip(high).map(point).collect()
}

/// Checks that values lie between ends, where the ends promise something; how often they did.
fn holds(what: &str, y: &[f64], low: &[f64], high: &[f64]) -> usize {
    let mut promised = 0;
    for ((y, l), h) in y.iter().zip(low).zip(high) {
        if l.is_nan() || h.is_nan() {
            continue;
        }
        promised += 1;
        let slack = 1e-9 * (1.0 + y.abs());
        assert!(*y >= l - slack && *y <= h + slack, "{what}: {y} is not in [{l}, {h}]");
    }
    promised
}

#[test]
fn activations_stay_in_their_bounds() {
    let mut stream = Stream::new(3, "interval");
    for name in Activation::names() {
        let mut promised = 0;
        for shape in [s(1, 1), s(4, 1), s(2, 3)] {
            for args in activation_args(name, shape) {
                let f = Activation::parse(name, &args).expect("arguments are right");
                let Ok(out) = f.output_shape(shape) else { continue };
                for round in 0..60 {
                    let (low, high) = boxed(&mut stream, shape.len(), round % 2 == 0);
                    let (mut l, mut h) = (vec![0.0; out.len()], vec![0.0; out.len()]);
                    f.bounds(shape, (&low, &high), (&mut l, &mut h));
                    let mut y = vec![0.0; out.len()];
                    for _ in 0..30 {
                        let x = inside(&mut stream, &low, &high);
                        f.forward(shape, &x, &mut y);
                        promised += holds(&format!("{f} of {low:?} to {high:?}"), &y, &l, &h);
                    }
                    if f.derivative_from_output() {
                        let (mut a, mut b) = (low.clone(), high.clone());
                        f.bounds_in_place((&mut a, &mut b));
                        assert!(a.iter().zip(&l).all(|(a, l)| a.to_bits() == l.to_bits()), "{f}");
                        assert!(b.iter().zip(&h).all(|(b, h)| b.to_bits() == h.to_bits()), "{f}");
                    }
                    let (mut l, mut h) = (vec![0.0; out.len()], vec![0.0; out.len()]);
                    f.bounds(shape, (&low, &low), (&mut l, &mut h));
                    f.forward(shape, &low, &mut y);
                    if y.iter().all(|y| y.is_finite()) {
                        close(&format!("{f} of a point"), &l, &y);
                        close(&format!("{f} of a point"), &h, &y);
                    }
                }
            }
        }
        assert!(promised > 900, "{name} promises something: {promised}");
    }
}

#[test]
fn what_may_be_undefined_has_no_bounds() {
    let ends = |f: Activation, low: f64, high: f64| {
        let (mut l, mut h) = ([0.0], [0.0]);
        f.bounds(Shape::SCALAR, (&[low], &[high]), (&mut l, &mut h));
        (l[0], h[0])
    };
    for f in [Activation::Log, Activation::Sqrt, Activation::Rsqrt, Activation::Inverse, Activation::Pow(0.5)]
    {
        assert!(ends(f, -0.1, 0.1).0.is_nan(), "{f}");
        assert!(ends(f, 0.1, 0.2).0.is_finite(), "{f}");
    }
    assert_eq!(ends(Activation::Log, 0.0, 1.0), (f64::NEG_INFINITY, 0.0));
    // What is undefined stays so, also where a function would hide it.
    for f in [Activation::Tanh, Activation::Signum, Activation::Relu, Activation::HardTanh] {
        assert!(ends(f, f64::NAN, 1.0).1.is_nan(), "{f}");
    }
    assert_eq!(ends(Activation::Sin, 1.0, 2.0).1, 1.0);
    assert_eq!(ends(Activation::Square, -1.0, 3.0), (0.0, 9.0));
}

#[test]
fn combinations_stay_in_their_bounds() {
    let mut stream = Stream::new(4, "interval");
    let shapes = [
        vec![s(3, 1), s(3, 1)],
        vec![s(1, 1), s(3, 1), s(3, 1)],
        vec![s(2, 2), s(2, 2), s(2, 1)],
        vec![s(1, 1), s(1, 1), s(1, 1)],
        vec![s(2, 1)],
    ];
    for name in Combination::names() {
        let mut promised = 0;
        for args in combination_args(name) {
            let f = Combination::parse(name, &args).expect("arguments are right");
            for shapes in &shapes {
                let Ok(out) = f.output_shape(shapes) else { continue };
                let mut offsets = vec![0u32];
                shapes.iter().for_each(|s| offsets.push(offsets[offsets.len() - 1] + s.len() as u32));
                let n = offsets.pop().expect("not empty") as usize;
                let mut scratch = Vec::new();
                for _ in 0..60 {
                    let (low, high) = boxed(&mut stream, n, false);
                    let (mut l, mut h) = (vec![0.0; out.len()], vec![0.0; out.len()]);
                    f.bounds(shapes, out, (&low, &high), &offsets, (&mut l, &mut h), &mut scratch);
                    let mut y = vec![0.0; out.len()];
                    for _ in 0..30 {
                        let x = inside(&mut stream, &low, &high);
                        f.forward(shapes, out, &x, &offsets, &mut y, &mut scratch);
                        promised += holds(&format!("{f} of {shapes:?}"), &y, &l, &h);
                    }
                    f.bounds(shapes, out, (&low, &low), &offsets, (&mut l, &mut h), &mut scratch);
                    f.forward(shapes, out, &low, &offsets, &mut y, &mut scratch);
                    close(&format!("{f} of a point"), &l, &y);
                    close(&format!("{f} of a point"), &h, &y);
                }
            }
        }
        assert!(promised >= 1800, "{name} promises something: {promised}");
    }
}

#[test]
fn aggregations_stay_in_their_bounds() {
    let mut stream = Stream::new(5, "interval");
    let mut all: Vec<Aggregation> = vec![Aggregation::SparsemaxThreshold];
    for name in Aggregation::names() {
        let parsed = aggregation_args(name).into_iter().map(|a| Aggregation::parse(name, &a));
        all.extend(parsed.map(|f| f.expect("arguments are right")));
    }
    for f in all {
        let mut promised = 0;
        for (shape, mult) in
            [(s(1, 1), None), (s(3, 1), None), (s(1, 1), Some([1, 3, 2])), (s(2, 1), Some([2, 2, 1]))]
        {
            let mult = mult.as_ref().map(|m: &[u32; 3]| &m[..]);
            let count = mult.map_or(3, |m| m.iter().sum::<u32>() as usize);
            let Ok(out) = f.output_shape(shape, count) else { continue };
            let offsets: Vec<u32> = (0..3).map(|i| i * shape.len() as u32).collect();
            let mut scratch = Vec::new();
            for _ in 0..60 {
                let (low, high) = boxed(&mut stream, 3 * shape.len(), false);
                let (mut l, mut h) = (vec![0.0; out.len()], vec![0.0; out.len()]);
                f.bounds(shape, (&low, &high), &offsets, mult, (&mut l, &mut h), &mut scratch);
                let mut y = vec![0.0; out.len()];
                for _ in 0..30 {
                    let x = inside(&mut stream, &low, &high);
                    f.forward(shape, &x, &offsets, mult, &mut y, &mut scratch);
                    promised += holds(&f.to_string(), &y, &l, &h);
                }
                f.bounds(shape, (&low, &low), &offsets, mult, (&mut l, &mut h), &mut scratch);
                f.forward(shape, &low, &offsets, mult, &mut y, &mut scratch);
                close(&format!("{f} of a point"), &l, &y);
                close(&format!("{f} of a point"), &h, &y);
            }
        }
        assert!(promised >= 1800, "{f} promises something: {promised}");
    }
}
