//! Combinations and aggregations: functions of several values gathered from one arena.

use super::*;

type M = Vec<Vec<f64>>;

/// Input lists to try; what a function refuses is skipped, but it must take some.
fn shape_lists() -> Vec<Vec<Shape>> {
    let v = |n| s(n, 1);
    let one = Shape::SCALAR;
    vec![
        vec![one],
        vec![one, one],
        vec![one; 4],
        vec![v(3)],
        vec![v(3), v(3)],
        vec![v(3); 4],
        vec![s(1, 3), v(3)],
        vec![v(3), s(1, 3)],
        vec![v(3), s(1, 2), v(2)],
        vec![one, v(3)],
        vec![v(3), one],
        vec![one, v(2), one, v(2)],
        vec![s(2, 3), one],
        vec![one, one, s(2, 3)],
        vec![s(2, 3), v(3)],
        vec![s(1, 2), s(2, 3), v(3)],
        vec![s(2, 3), s(3, 4), one, s(4, 2)],
        vec![s(2, 2), s(2, 2)],
        vec![s(2, 2), s(2, 2), s(2, 2), s(2, 2)],
        vec![v(2), v(3)],
        vec![v(2), s(2, 2), one],
        vec![s(2, 3), s(1, 3)],
        vec![s(2, 3)],
    ]
}

fn times_again(a: &[f64], sa: Shape, b: &[f64], sb: Shape) -> (Vec<f64>, Shape) {
    if sa.is_scalar() {
        return (b.iter().map(|b| a[0] * b).collect(), sb);
    }
    if sb.is_scalar() {
        return (a.iter().map(|a| a * b[0]).collect(), sa);
    }
    let (r, k, c) = (sa.rows as usize, sa.cols as usize, sb.cols as usize);
    let y = (0..r * c).map(|e| (0..k).map(|j| a[e / c * k + j] * b[j * c + e % c]).sum()).collect();
    (y, s(r, c))
}

fn sparsemax_again(x: &[f64]) -> Vec<f64> {
    super::joint_formula("sparsemax", &[], s(x.len(), 1), x)
}

fn softmax_again(x: &[f64]) -> Vec<f64> {
    super::joint_formula("softmax", &[], s(x.len(), 1), x)
}

/// The element of x that meets element e of the output.
fn element(x: &[f64], e: usize) -> f64 {
    if x.len() == 1 { x[0] } else { x[e] }
}

fn combination_formula(name: &str, shapes: &[Shape], x: &M, len: usize) -> Vec<f64> {
    let n = x.len() as f64;
    let each = |f: &dyn Fn(Vec<f64>) -> f64| -> Vec<f64> {
        (0..len).map(|e| f(x.iter().map(|x| element(x, e)).collect())).collect()
    };
    let by_sum = |sign: f64| {
        let mut order: Vec<usize> = (0..x.len()).collect();
        order.sort_by(|&a, &b| {
            (sign * x[a].iter().sum::<f64>()).total_cmp(&(sign * x[b].iter().sum::<f64>()))
        });
        x[order[0]].clone()
    };
    match name {
        "sum" => each(&|v| v.iter().sum()),
        "avg" => each(&|v| v.iter().sum::<f64>() / n),
        "difference" => each(&|v| 2.0 * v[0] - v.iter().sum::<f64>()),
        "max" => each(&|v| v.into_iter().fold(f64::NEG_INFINITY, f64::max)),
        "min" => each(&|v| v.into_iter().fold(f64::INFINITY, f64::min)),
        "maxsum" => by_sum(-1.0),
        "minsum" => by_sum(1.0),
        "elproduct" => each(&|v| v.iter().product()),
        "product" => {
            let mut left = (x[0].clone(), shapes[0]);
            for (x, &shape) in x.iter().zip(shapes).skip(1) {
                left = times_again(&left.0, left.1, x, shape);
            }
            left.0
        }
        "concat" => x.concat(),
        "crosssum" => x
            .iter()
            .fold(vec![0.0], |sums, x| sums.iter().flat_map(|s| x.iter().map(move |v| s + v)).collect()),
        "cossim" => {
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            vec![dot(&x[0], &x[1]) / (dot(&x[0], &x[0]) * dot(&x[1], &x[1])).sqrt()]
        }
        "softmax" => softmax_again(&x.concat()),
        "sparsemax" => sparsemax_again(&x.concat()),
        "count" => vec![n],
        _ => panic!("no formula for {name}: add one"),
    }
}

/// An arena with gaps; with `shared`, inputs of one shape lie at one place.
fn arrange(shapes: &[Shape], shared: bool) -> (Vec<u32>, usize) {
    let mut offsets: Vec<u32> = Vec::new();
    let mut end = 2;
    for (i, shape) in shapes.iter().enumerate() {
        match shapes[..i].iter().position(|s| s == shape) {
            Some(same) if shared => offsets.push(offsets[same]),
            _ => {
                offsets.push(end as u32);
                end += shape.len() + 1;
            }
        }
    }
    (offsets, end)
}

#[test]
fn combinations_and_their_gradients() {
    for &name in Combination::names() {
        for args in combination_args(name) {
            let f = Combination::parse(name, &args).expect("a name with fitting arguments");
            let mut tried = 0;
            for shapes in shape_lists() {
                let Ok(out) = f.output_shape(&shapes) else { continue };
                tried += 1;
                for (seed, shared) in [(0, false), (1, false), (2, false), (3, true)] {
                    let what = format!("{f} of {shapes:?}, shared {shared}");
                    combination_at(&what, name, f, &shapes, out, seed, shared);
                }
            }
            assert!(tried > 1, "{f} was never tried");
        }
    }
}

fn combination_at(
    what: &str,
    name: &str,
    f: Combination,
    shapes: &[Shape],
    out: Shape,
    seed: u64,
    shared: bool,
) {
    let mut stream = Stream::new(seed, name);
    let (offsets, end) = arrange(shapes, shared);
    let values = random(&mut stream, end);
    let eval = |values: &[f64]| {
        let mut y = vec![f64::NAN; out.len()];
        f.forward(shapes, out, values, &offsets, &mut y, &mut vec![7.0; 3]);
        y
    };
    let y = eval(&values);
    let inputs: M =
        (offsets.iter().zip(shapes)).map(|(&o, s)| values[o as usize..][..s.len()].to_vec()).collect();
    close(what, &y, &combination_formula(name, shapes, &inputs, out.len()));
    let gy = random(&mut stream, out.len());
    let mut grads = vec![1.0; end];
    f.backward(shapes, out, &values, &offsets, &y, &gy, &mut grads, &mut vec![7.0; 3]);
    grads.iter_mut().for_each(|g| *g -= 1.0);
    check(what, &values, &gy, &grads, eval);
    let (v32, mut y32, mut g32) = (narrow(&values), vec![0.0f32; out.len()], vec![0.0f32; end]);
    f.forward(shapes, out, &v32, &offsets, &mut y32, &mut Vec::new());
    close_f32(what, &y32, &y);
    f.backward(shapes, out, &v32, &offsets, &y32, &narrow(&gy), &mut g32, &mut Vec::new());
    close_f32(what, &g32, &grads);
    if !f.order_sensitive() {
        let (back_shapes, back): (Vec<Shape>, Vec<u32>) =
            shapes.iter().copied().zip(offsets.iter().copied()).rev().unzip();
        let mut turned = vec![0.0; out.len()];
        if f.output_shape(&back_shapes) == Ok(out) {
            f.forward(&back_shapes, out, &values, &back, &mut turned, &mut Vec::new());
            close(what, &turned, &y);
        }
    }
    if f.is_identity_of_one() && shapes.len() == 1 {
        assert_eq!((out, &y), (shapes[0], &inputs[0]), "{what}");
    }
}

#[test]
fn combination_shapes() {
    let shape = |name: &str, shapes: &[Shape]| {
        Combination::parse(name, &[]).expect("a name with fitting arguments").output_shape(shapes)
    };
    assert_eq!(shape("concat", &[s(2, 3), s(1, 1)]), Ok(s(7, 1)));
    assert_eq!(shape("concat", &[s(2, 3)]), Ok(s(2, 3)));
    assert_eq!(Combination::Stack.output_shape(&[s(2, 3), s(1, 3)]), Ok(s(3, 3)));
    assert!(Combination::Stack.output_shape(&[s(2, 3), s(3, 1)]).is_err());
    assert_eq!(shape("crosssum", &[s(2, 1), s(3, 1)]), Ok(s(6, 1)));
    assert!(shape("crosssum", &[s(70_000, 1), s(70_000, 1)]).is_err());
    assert_eq!(shape("product", &[s(1, 3), s(3, 1)]), Ok(s(1, 1)));
    assert!(
        shape("product", &[s(3, 1), s(3, 1)])
            .expect_err("this must be refused")
            .contains("cannot be multiplied")
    );
    assert!(shape("sum", &[s(3, 1), s(2, 1)]).is_err());
    assert!(shape("maxsum", &[s(3, 1), s(1, 1)]).is_err());
    assert!(shape("cossim", &[s(3, 1)]).is_err());
    assert!(shape("softmax", &[s(3, 1), s(3, 1)]).is_err());
    assert_eq!(shape("softmax", &[s(1, 1)]), Ok(s(1, 1)));
    for name in Combination::names() {
        assert!(shape(name, &[]).is_err(), "{name}");
    }
}

fn combination_gradient(
    f: Combination,
    shapes: &[Shape],
    values: &[f64],
    offsets: &[u32],
    gy: &[f64],
) -> Vec<f64> {
    let out = f.output_shape(shapes).expect("the shapes fit");
    let (mut y, mut grads) = (vec![0.0; out.len()], vec![0.0; values.len()]);
    f.forward(shapes, out, values, offsets, &mut y, &mut Vec::new());
    f.backward(shapes, out, values, offsets, &y, gy, &mut grads, &mut Vec::new());
    grads
}

#[test]
fn combination_ties_and_zeros() {
    let scalars = [Shape::SCALAR; 3];
    let at = |f, x: &[f64]| combination_gradient(f, &scalars, x, &[0, 1, 2], &[2.0]);
    assert_eq!(at(Combination::Max, &[1.0, 3.0, 3.0]), [0.0, 2.0, 0.0]);
    assert_eq!(at(Combination::Min, &[1.0, 1.0, 3.0]), [2.0, 0.0, 0.0]);
    assert_eq!(at(Combination::MaxSum, &[3.0, 1.0, 3.0]), [2.0, 0.0, 0.0]);
    assert_eq!(at(Combination::MinSum, &[3.0, 1.0, 1.0]), [0.0, 2.0, 0.0]);
    // A product is exact at zeros, where a quotient of the whole is not.
    assert_eq!(at(Combination::ElProduct, &[0.0, 3.0, 5.0]), [30.0, 0.0, 0.0]);
    assert_eq!(at(Combination::ElProduct, &[0.0, 0.0, 5.0]), [0.0, 0.0, 0.0]);
    assert_eq!(at(Combination::Product, &[0.0, 3.0, 5.0]), [30.0, 0.0, 0.0]);
    assert_eq!(at(Combination::Count, &[0.0, 3.0, 5.0]), [0.0, 0.0, 0.0]);
    // Vectors: element by element, and the whole for maxsum.
    let pair = [s(2, 1), s(2, 1)];
    let x = [1.0, 5.0, 4.0, 1.0];
    assert_eq!(combination_gradient(Combination::Max, &pair, &x, &[0, 2], &[1.0, 2.0]), [0.0, 2.0, 1.0, 0.0]);
    assert_eq!(
        combination_gradient(Combination::MaxSum, &pair, &x, &[0, 2], &[1.0, 2.0]),
        [1.0, 2.0, 0.0, 0.0]
    );
    let zero = [0.0, 0.0, 4.0, 1.0];
    assert_eq!(combination_gradient(Combination::CosSim, &pair, &zero, &[0, 2], &[1.0]), [0.0; 4]);
}

fn aggregation_formula(name: &str, args: &[FnArg], x: &M, len: usize) -> Vec<f64> {
    let n = x.len() as f64;
    let each = |f: &dyn Fn(Vec<f64>) -> f64| -> Vec<f64> {
        (0..len).map(|e| f(x.iter().map(|x| x[e]).collect())).collect()
    };
    let var = |v: Vec<f64>| {
        let mean = v.iter().sum::<f64>() / n;
        v.iter().map(|v| v * v).sum::<f64>() / n - mean * mean
    };
    let quantile = |q: f64| {
        each(&|mut v| {
            v.sort_by(f64::total_cmp);
            let at = q * (n - 1.0);
            let (low, high) = (at.floor() as usize, at.ceil() as usize);
            v[low] * (1.0 - at.fract()) + v[high] * at.fract()
        })
    };
    match (name, args) {
        ("var", _) => each(&var),
        ("std", [Word(w)]) if w == "clamp" => each(&|v| var(v).max(1e-5).sqrt()),
        ("std", _) => each(&|v| (var(v).max(0.0) + 1e-5).sqrt()),
        ("logsumexp", _) => each(&|v| v.iter().map(|v| v.exp()).sum::<f64>().ln()),
        ("median", _) => quantile(0.5),
        ("quantile", [Number(q)]) => quantile(*q),
        _ => combination_formula(name, &[], x, len),
    }
}

#[test]
fn aggregations_and_their_gradients() {
    for &name in Aggregation::names() {
        for args in aggregation_args(name) {
            let f = Aggregation::parse(name, &args).expect("a name with fitting arguments");
            for shape in [s(1, 1), s(3, 1), s(1, 2), s(2, 3)] {
                for m in [1usize, 2, 4, 5] {
                    for mult in [None, Some([3u32, 1, 2, 4, 1])] {
                        for (seed, shared) in [(0, false), (1, false), (2, true)] {
                            let mult = mult.as_ref().map(|k| &k[..m]);
                            let what = format!("{f} of {m} {shape}, {mult:?}, shared {shared}");
                            aggregation_at(&what, name, &args, &f, shape, m, mult, seed, shared);
                        }
                    }
                }
            }
        }
    }
}

fn aggregation_at(
    what: &str,
    name: &str,
    args: &[FnArg],
    f: &Aggregation,
    shape: Shape,
    m: usize,
    mult: Option<&[u32]>,
    seed: u64,
    shared: bool,
) {
    let count = mult.map_or(m, |k| k.iter().sum::<u32>() as usize);
    let Ok(out) = f.output_shape(shape, count) else {
        assert!(!shape.is_scalar(), "{what}");
        return;
    };
    let mut stream = Stream::new(seed, name);
    // Sharing: the last grounding is the first one again.
    let mut offsets: Vec<u32> = (0..m).map(|i| (1 + i * (shape.len() + 1)) as u32).collect();
    if shared {
        offsets[m - 1] = offsets[0];
    }
    let values = random(&mut stream, 1 + m * (shape.len() + 1));
    let eval = |values: &[f64]| {
        let mut y = vec![f64::NAN; out.len()];
        f.forward(shape, values, &offsets, mult, &mut y, &mut vec![7.0; 3]);
        y
    };
    let copies: M = (0..m)
        .flat_map(|i| std::iter::repeat_n(i, mult.map_or(1, |k| k[i] as usize)))
        .map(|i| values[offsets[i] as usize..][..shape.len()].to_vec())
        .collect();
    let y = eval(&values);
    close(what, &y, &aggregation_formula(name, args, &copies, shape.len()));
    let gy = random(&mut stream, out.len());
    let mut grads = vec![1.0; values.len()];
    f.backward(shape, &values, &offsets, mult, &y, &gy, &mut grads, &mut vec![7.0; 3]);
    grads.iter_mut().for_each(|g| *g -= 1.0);
    check(what, &values, &gy, &grads, eval);
    let (v32, mut y32, mut g32) = (narrow(&values), vec![0.0f32; out.len()], vec![0.0f32; values.len()]);
    f.forward(shape, &v32, &offsets, mult, &mut y32, &mut Vec::new());
    let smooth = !(name == "std" && count == 1);
    if smooth {
        close_f32(what, &y32, &y);
        f.backward(shape, &v32, &offsets, mult, &y32, &narrow(&gy), &mut g32, &mut Vec::new());
        let spread = if name == "std" { 1e-2 } else { 1e-4 };
        for (a, b) in g32.iter().zip(&grads) {
            assert!((f64::from(*a) - b).abs() < spread * (1.0 + b.abs()), "{what}: {a} vs {b}");
        }
    }
    if !f.order_sensitive() {
        let back: Vec<u32> = offsets.iter().rev().copied().collect();
        let back_mult: Option<Vec<u32>> = mult.map(|k| k.iter().rev().copied().collect());
        let mut turned = vec![0.0; out.len()];
        f.forward(shape, &values, &back, back_mult.as_deref(), &mut turned, &mut Vec::new());
        close(what, &turned, &y);
    }
    if f.is_identity_of_one() && count == 1 {
        assert_eq!((out, &y), (shape, &copies[0]), "{what}");
    }
}

#[test]
fn the_threshold_of_sparsemax_leaves_a_sum_of_one() {
    let f = Aggregation::SparsemaxThreshold;
    for shape in [s(1, 1), s(3, 1)] {
        for m in [1usize, 2, 4, 5] {
            for mult in [[1u32; 5], [3, 1, 2, 4, 1]] {
                let what = format!("{m} {shape} {mult:?}");
                let mut stream = Stream::new(m as u64, "threshold");
                let values = random(&mut stream, m * shape.len());
                let offsets: Vec<u32> = (0..m).map(|i| (i * shape.len()) as u32).collect();
                let eval = |values: &[f64]| {
                    let mut y = vec![0.0; shape.len()];
                    f.forward(shape, values, &offsets, Some(&mult[..m]), &mut y, &mut Vec::new());
                    y
                };
                let y = eval(&values);
                for (e, tau) in y.iter().enumerate() {
                    let parts = values.chunks(shape.len()).zip(mult);
                    let total: f64 = parts.map(|(x, k)| f64::from(k) * (x[e] - tau).max(0.0)).sum();
                    assert!((total - 1.0).abs() < 1e-12, "{what}: {total}");
                }
                let gy = random(&mut stream, shape.len());
                let mut grads = vec![0.0; values.len()];
                f.backward(shape, &values, &offsets, Some(&mult[..m]), &y, &gy, &mut grads, &mut Vec::new());
                check(&what, &values, &gy, &grads, eval);
            }
        }
    }
}

#[test]
fn aggregation_ties_and_flat_places() {
    let at = |f: &Aggregation, x: &[f64], mult: Option<&[u32]>| {
        let offsets: Vec<u32> = (0..x.len() as u32).collect();
        let (mut y, mut grads) = (vec![0.0], vec![0.0; x.len()]);
        f.forward(Shape::SCALAR, x, &offsets, mult, &mut y, &mut Vec::new());
        f.backward(Shape::SCALAR, x, &offsets, mult, &y, &[2.0], &mut grads, &mut Vec::new());
        (y[0], grads)
    };
    assert_eq!(at(&Aggregation::Max, &[1.0, 3.0, 3.0], Some(&[1, 2, 1])), (3.0, vec![0.0, 2.0, 0.0]));
    assert_eq!(at(&Aggregation::Min, &[1.0, 1.0, 3.0], None), (1.0, vec![2.0, 0.0, 0.0]));
    assert_eq!(at(&Aggregation::Avg, &[1.0, 3.0], Some(&[3, 1])), (1.5, vec![1.5, 0.5]));
    assert_eq!(at(&Aggregation::Count, &[1.0, 3.0], Some(&[3, 1])), (4.0, vec![0.0, 0.0]));
    assert_eq!(at(&Aggregation::Median, &[5.0, 1.0, 3.0], None), (3.0, vec![0.0, 0.0, 2.0]));
    assert_eq!(at(&Aggregation::Median, &[5.0, 1.0], None), (3.0, vec![1.0, 1.0]));
    assert_eq!(at(&Aggregation::Median, &[5.0, 1.0], Some(&[1, 2])), (1.0, vec![0.0, 2.0]));
    // Equal values: no variance, a finite gradient of 0, and no cancellation far from 0.
    assert_eq!(at(&Aggregation::Var, &[1e8 + 1.0, 1e8], None).0, 0.25);
    assert_eq!(at(&Aggregation::Std(StdKind::Relu), &[2.0, 2.0], None), (1e-5f64.sqrt(), vec![0.0, 0.0]));
    assert_eq!(at(&Aggregation::Std(StdKind::Clamp), &[2.0, 2.001], None), (1e-5f64.sqrt(), vec![0.0, 0.0]));
    assert_eq!(at(&Aggregation::Quantile(0.0), &[f64::NAN, 2.0], None).0, 2.0);
    // No exponential overflows.
    assert_eq!(at(&Aggregation::LogSumExp, &[800.0, -800.0], None), (800.0, vec![2.0, 0.0]));
    assert_eq!(at(&Aggregation::SparsemaxThreshold, &[2.0, 2.0, 0.0], None), (1.5, vec![1.0, 1.0, 0.0]));
    assert_eq!(Aggregation::default(), Aggregation::Avg);
    assert_eq!(Aggregation::Concat.output_shape(s(2, 3), 1), Ok(s(2, 3)));
    assert_eq!(Aggregation::Concat.output_shape(s(2, 3), 2), Ok(s(12, 1)));
}
