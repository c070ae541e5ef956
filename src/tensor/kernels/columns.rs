//! Weight times constant columns that are mostly zeros: sums of a few columns of the weight.

use super::{Real, add_scaled, turned};
use crate::tensor::wide::{self, Kernel};
use std::marker::PhantomData;

/// y row i = Σ_j factor_j · column j of the weight, over the elements j of row i; `k` is the weight's number of columns.
///
/// `starts` has one entry more than rows. Rows are summed in the order of their elements, from zero. A zero element
/// that is left out would have contributed 0 for every finite weight. `scratch` may hold anything.
pub fn columns_forward<T: Real>(
    w: &[T],
    k: usize,
    starts: &[u32],
    columns: &[u32],
    factors: &[f64],
    y: &mut [T],
    scratch: &mut Vec<T>,
) {
    let r = w.len() / k;
    // A column is read with a stride. Turning the weight reads every column once, so it cannot pay for fewer elements.
    let elements = (starts[starts.len() - 1] - starts[0]) as usize;
    if elements < k {
        for (y, ends) in y.chunks_exact_mut(r).zip(starts.windows(2)) {
            y.fill(T::ZERO);
            for e in ends[0] as usize..ends[1] as usize {
                let (column, x) = (columns[e] as usize, T::from_f64(factors[e]));
                for (y, w) in y.iter_mut().zip(w.chunks_exact(k)) {
                    *y += x * w[column];
                }
            }
        }
    } else {
        let turned = turned(w, r, k, scratch);
        wide::run::<Forward<T>>((turned, r, starts, columns, factors, y));
    }
}

struct Forward<T>(PhantomData<T>);

impl<T: Real> Kernel for Forward<T> {
    /// The turned weight, its number of rows before that, starts, columns, factors, y.
    type Arguments<'a> = (&'a [T], usize, &'a [u32], &'a [u32], &'a [f64], &'a mut [T]);

    #[inline(always)]
    fn run((turned, r, starts, columns, factors, y): Self::Arguments<'_>) {
        for (y, ends) in y.chunks_exact_mut(r).zip(starts.windows(2)) {
            y.fill(T::ZERO);
            for e in ends[0] as usize..ends[1] as usize {
                add_scaled(T::from_f64(factors[e]), &turned[columns[e] as usize * r..][..r], y);
            }
        }
    }
}

/// The adjoint of [`columns_forward`]: `gw` += ∂/∂W, given `gy`.
pub fn columns_backward<T: Real>(
    k: usize,
    starts: &[u32],
    columns: &[u32],
    factors: &[f64],
    gy: &[T],
    gw: &mut [T],
) {
    let r = gw.len() / k;
    for (gy, ends) in gy.chunks_exact(r).zip(starts.windows(2)) {
        for e in ends[0] as usize..ends[1] as usize {
            let (column, x) = (columns[e] as usize, T::from_f64(factors[e]));
            for (gw, &g) in gw.chunks_exact_mut(k).zip(gy) {
                gw[column] += x * g;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Stream;
    use crate::tensor::Shape;
    use crate::tensor::kernels::{linear_backward, linear_forward};

    /// Few and many elements, against the dense product.
    #[test]
    fn columns_are_the_dense_product() {
        for (r, k, rows) in [(3, 7, 4), (10, 31, 2), (10, 31, 60), (16, 400, 5), (16, 400, 300)] {
            let mut stream = Stream::new(7, "columns");
            let mut draw = |n: usize| -> Vec<f64> { (0..n).map(|_| stream.normal()).collect() };
            let (w, gy) = (draw(r * k), draw(rows * r));
            let mut dense = vec![0.0; rows * k];
            let (mut starts, mut columns, mut factors) = (vec![0u32], Vec::new(), Vec::new());
            for i in 0..rows {
                for j in 0..1 + i % 3 {
                    let (column, x) = ((5 * i + 2 * j) % k, 1.0 + j as f64);
                    dense[i * k + column] = x;
                    columns.push(column as u32);
                    factors.push(x);
                }
                starts.push(columns.len() as u32);
            }
            let offsets: Vec<u32> = (0..rows).map(|i| (i * k) as u32).collect();
            let (ws, xs) = (Shape::new(r, k), Shape::column(k));
            let (mut y, mut expected) = (vec![f64::NAN; rows * r], vec![0.0; rows * r]);
            columns_forward(&w, k, &starts, &columns, &factors, &mut y, &mut Vec::new());
            linear_forward(&w, ws, &dense, &offsets, xs, &mut expected, &mut Vec::new());
            let (mut gw, mut expected_gw) = (vec![1.0; r * k], vec![1.0; r * k]);
            columns_backward(k, &starts, &columns, &factors, &gy, &mut gw);
            linear_backward(&w, ws, &dense, &offsets, xs, &gy, &mut expected_gw, None);
            for (a, b) in y.iter().zip(&expected).chain(gw.iter().zip(&expected_gw)) {
                assert!((a - b).abs() < 1e-12, "{r}x{k}, {rows} rows: {a} and {b}");
            }
        }
    }
}
