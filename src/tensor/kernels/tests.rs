use super::*;
use crate::base::rng::Stream;

fn s(rows: usize, cols: usize) -> Shape {
    Shape::new(rows, cols)
}

fn random<T: Real>(stream: &mut Stream, n: usize) -> Vec<T> {
    (0..n).map(|_| T::from_f64(stream.normal())).collect()
}

/// Weight and value shapes, every path and every broadcast among them.
const CASES: [((usize, usize), (usize, usize)); 22] = [
    ((10, 31), (31, 1)),
    ((1, 1), (1, 1)),
    ((1, 1), (5, 1)),
    ((1, 1), (2, 3)),
    ((4, 1), (1, 1)),
    ((3, 2), (1, 1)),
    ((1, 7), (7, 1)),
    ((1, 40), (40, 1)),
    ((4, 1), (1, 3)),
    ((2, 3), (3, 1)),
    ((3, 3), (3, 2)),
    ((4, 7), (7, 1)),
    ((16, 16), (16, 1)),
    ((5, 60), (60, 1)),
    ((17, 8), (8, 1)),
    ((40, 3), (3, 1)),
    ((100, 4), (4, 1)),
    ((1, 20), (20, 3)),
    ((17, 16), (16, 1)),
    ((24, 31), (31, 1)),
    ((20, 17), (17, 3)),
    ((8, 300), (300, 1)),
];

/// W·x as the textbook has it.
fn product(w: &[f64], ws: Shape, x: &[f64], xs: Shape) -> Vec<f64> {
    if ws.is_scalar() {
        return x.iter().map(|x| w[0] * x).collect();
    }
    if xs.is_scalar() {
        return w.iter().map(|w| w * x[0]).collect();
    }
    let (k, c) = (ws.cols as usize, xs.cols as usize);
    let n = ws.rows as usize * c;
    (0..n).map(|e| (0..k).map(|j| w[e / c * k + j] * x[j * c + e % c]).sum()).collect()
}

/// Offsets with a gap before each value; the last row is the first one again.
fn offsets(rows: usize, len: usize) -> Vec<u32> {
    let mut all: Vec<u32> = (0..rows).map(|i| (1 + i * (len + 1)) as u32).collect();
    if rows > 2 {
        all[rows - 1] = all[0];
    }
    all
}

#[test]
fn every_path_is_tried() {
    for wanted in [Path::Dot, Path::Narrow, Path::Columns, Path::Gemm] {
        assert!(CASES.iter().any(|&((r, k), _)| path(s(r, k)) == wanted), "{wanted:?}");
    }
}

#[test]
fn values_are_products_and_the_same_bits_alone() {
    for ((r, k), (xr, xc)) in CASES {
        values_at::<f64>(s(r, k), s(xr, xc), 1e-12);
        values_at::<f32>(s(r, k), s(xr, xc), 1e-4);
    }
}

fn values_at<T: Real>(ws: Shape, xs: Shape, tolerance: f64) {
    let out = ws.times(xs).expect("the shapes fit").len();
    for rows in [1usize, 3, 9, 70, 131] {
        let mut stream = Stream::new(rows as u64, "kernels");
        let offsets = offsets(rows, xs.len());
        let w: Vec<T> = random(&mut stream, ws.len());
        let values: Vec<T> = random(&mut stream, rows * (xs.len() + 1) + 1);
        let gy: Vec<T> = random(&mut stream, rows * out);
        let mut y = vec![T::NAN; rows * out];
        linear_forward(&w, ws, &values, &offsets, xs, &mut y, &mut Vec::new());
        let wide = |x: &[T]| x.iter().map(|v| v.to_f64()).collect::<Vec<f64>>();
        let (mut gw, mut grads) = (vec![T::ZERO; w.len()], vec![T::ZERO; values.len()]);
        linear_backward(&w, ws, &values, &offsets, xs, &gy, &mut gw, Some(&mut grads));
        let mut alone_grads = vec![T::ZERO; values.len()];
        for (i, &o) in offsets.iter().enumerate() {
            let x = wide(&values[o as usize..][..xs.len()]);
            let expected = product(&wide(&w), ws, &x, xs);
            for (a, b) in wide(&y[i * out..][..out]).iter().zip(&expected) {
                assert!((a - b).abs() < tolerance * 40.0, "{ws} times {xs}: {a} vs {b}");
            }
            let mut alone = vec![T::NAN; out];
            linear_forward(&w, ws, &values, &[o], xs, &mut alone, &mut Vec::new());
            assert_eq!(alone, y[i * out..][..out], "{ws} times {xs}, row {i} of {rows}");
            let g = &gy[i * out..][..out];
            linear_backward(
                &w,
                ws,
                &values,
                &[o],
                xs,
                g,
                &mut vec![T::ZERO; w.len()],
                Some(&mut alone_grads),
            );
            let mut ours = vec![T::ZERO; out];
            times(&w, ws, &values[o as usize..][..xs.len()], xs, &mut ours);
            for (a, b) in wide(&ours).iter().zip(&expected) {
                assert!((a - b).abs() < tolerance * 40.0, "times {ws} {xs}");
            }
        }
        assert_eq!(alone_grads, grads, "{ws} times {xs}, {rows} rows");
    }
}

#[test]
fn gradients_are_those_of_differences() {
    for ((r, k), (xr, xc)) in CASES {
        let (ws, xs) = (s(r, k), s(xr, xc));
        let out = ws.times(xs).expect("the shapes fit").len();
        for (seed, rows) in [(1, 1usize), (2, 4), (3, 9)] {
            let what = format!("{ws} times {xs}, {rows} rows");
            let mut stream = Stream::new(seed, "gradients");
            let offsets = offsets(rows, xs.len());
            let w: Vec<f64> = random(&mut stream, ws.len());
            let values: Vec<f64> = random(&mut stream, rows * (xs.len() + 1) + 1);
            let gy: Vec<f64> = random(&mut stream, rows * out);
            let loss = |w: &[f64], values: &[f64]| {
                let mut y = vec![0.0; rows * out];
                linear_forward(w, ws, values, &offsets, xs, &mut y, &mut Vec::new());
                y.iter().zip(&gy).map(|(y, g)| y * g).sum::<f64>()
            };
            let (mut gw, mut grads) = (vec![1.0; w.len()], vec![1.0; values.len()]);
            linear_backward(&w, ws, &values, &offsets, xs, &gy, &mut gw, Some(&mut grads));
            let mut gw_alone = vec![1.0; w.len()];
            linear_backward(&w, ws, &values, &offsets, xs, &gy, &mut gw_alone, None);
            assert_eq!(gw, gw_alone, "{what}");
            // The function is linear in each element: large steps lose nothing.
            let differs = |numeric: f64, g: f64| (numeric - (g - 1.0)).abs() > 1e-9 * (1.0 + numeric.abs());
            for i in (0..w.len()).step_by(1 + w.len() / 50) {
                let (mut up, mut down) = (w.clone(), w.clone());
                up[i] += 0.5;
                down[i] -= 0.5;
                let numeric = loss(&up, &values) - loss(&down, &values);
                assert!(!differs(numeric, gw[i]), "{what}, weight {i}: {numeric} vs {}", gw[i] - 1.0);
            }
            for i in (0..values.len()).step_by(1 + values.len() / 50) {
                let (mut up, mut down) = (values.clone(), values.clone());
                up[i] += 0.5;
                down[i] -= 0.5;
                let numeric = loss(&w, &up) - loss(&w, &down);
                assert!(!differs(numeric, grads[i]), "{what}, value {i}: {numeric} vs {}", grads[i] - 1.0);
            }
        }
    }
}

#[test]
fn a_weight_gradient_adds_up_row_by_row_on_small_weights() {
    for ((r, k), (xr, xc)) in CASES {
        let (ws, xs) = (s(r, k), s(xr, xc));
        if path(ws) == Path::Gemm {
            continue;
        }
        let out = ws.times(xs).expect("the shapes fit").len();
        let mut stream = Stream::new(5, "rows");
        let offsets = offsets(6, xs.len());
        let w: Vec<f64> = random(&mut stream, ws.len());
        let values: Vec<f64> = random(&mut stream, 6 * (xs.len() + 1) + 1);
        let gy: Vec<f64> = random(&mut stream, 6 * out);
        let (mut whole, mut parts) = (vec![0.0; w.len()], vec![0.0; w.len()]);
        linear_backward(&w, ws, &values, &offsets, xs, &gy, &mut whole, None);
        for (offsets, gy) in offsets.chunks(4).zip(gy.chunks(4 * out)) {
            linear_backward(&w, ws, &values, offsets, xs, gy, &mut parts, None);
        }
        assert_eq!(whole, parts, "{ws} times {xs}");
    }
}

#[test]
fn no_rows_are_no_work() {
    let mut gw = [0.0; 400];
    linear_forward(&[1.0; 400], s(20, 20), &[], &[], s(20, 1), &mut [], &mut Vec::new());
    linear_backward(&[1.0; 400], s(20, 20), &[], &[], s(20, 1), &[], &mut gw, Some(&mut []));
    assert_eq!(gw, [0.0; 400]);
}
