//! Weight times value, over many values at once, and the product of two values; each with its adjoint.
//!
//! Every element of an output (or of an input's gradient) is summed in an order fixed by the weight's *shape* alone,
//! never by how many rows a call has: a row gets the same bits alone and in a batch, however the work is cut. A
//! weight's gradient is a sum over rows: row by row on small weights, so that cutting changes nothing; by chunks of 64
//! rows of a call on large ones. Nothing depends on threads or time. Between machines the last bits of large products
//! may differ, as the packed product fuses multiply and add where the processor can.

pub mod columns;
pub mod products;
pub mod sums;

use super::wide::{self, Kernel};
use super::{Real, Shape};
use nalgebra::{Dyn, MatrixView, MatrixViewMut};
use std::marker::PhantomData;

/// Weights of at most this many elements are no work for a packed matrix product.
const SMALL: usize = 256;
/// Weights with at most this many columns and 16 rows are none either: their sums stay in registers.
const NARROW: usize = 64;
/// Rows multiplied at once by the matrix product. Bounds the packing space; part of the order of a weight's gradient.
const CHUNK: usize = 64;
/// Packed rows are filled up with zero rows to a multiple of this, so that nalgebra takes the same way for one row
/// as for many.
const PAD: usize = 8;
/// Below this many rows a weight is not transposed.
const FEW: usize = 4;
/// Rows of a weight's gradient that are summed at a time.
const GROUP: usize = 5;
/// Partial sums of a dot product.
const LANES: usize = 8;

/// The loop a weight shape runs through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    /// Few long rows: dot products.
    Dot,
    /// Up to 16 rows: all sums in registers.
    Narrow,
    /// Many short rows: columns added up.
    Columns,
    /// Large in both directions: packed matrix product.
    Gemm,
}

fn path(w: Shape) -> Path {
    let (r, k) = (w.rows as usize, w.cols as usize);
    if r == 1 || (r < PAD && r * k > SMALL) {
        Path::Dot
    } else if r <= 16 && k <= NARROW {
        Path::Narrow
    } else if r >= PAD && k >= PAD && r * k > SMALL {
        Path::Gemm
    } else {
        Path::Columns
    }
}

/// Whether `W·x` is a matrix product (else one of the two is a scalar that scales the other).
fn is_matrix_product(w: Shape, x: Shape) -> bool {
    !w.is_scalar() && !x.is_scalar()
}

/// The value at `offset`.
#[inline(always)]
fn at<T>(values: &[T], offset: u32, len: usize) -> &[T] {
    &values[offset as usize..][..len]
}

/// y = a·b by the rules of [`Shape::times`]: a scalar scales, else the product of row-major matrices.
pub fn times<T: Real>(a: &[T], a_shape: Shape, b: &[T], b_shape: Shape, y: &mut [T]) {
    if a_shape.is_scalar() {
        scaled(a[0], b, y);
    } else if b_shape.is_scalar() {
        scaled(b[0], a, y);
    } else {
        let (k, c) = (a_shape.cols as usize, b_shape.cols as usize);
        if c == 1 {
            in_order(a, k, b, y);
            return;
        }
        y.fill(T::ZERO);
        for (a, y) in a.chunks_exact(k).zip(y.chunks_exact_mut(c)) {
            for (&a, b) in a.iter().zip(b.chunks_exact(c)) {
                add_scaled(a, b, y);
            }
        }
    }
}

/// ga += ∂/∂a of [`times`], given gy: gy·bᵀ, summed where a is a scalar.
pub fn times_left_adjoint<T: Real>(a_shape: Shape, b: &[T], b_shape: Shape, gy: &[T], ga: &mut [T]) {
    if a_shape.is_scalar() {
        ga[0] += dot(gy, b);
    } else if b_shape.is_scalar() {
        add_scaled(b[0], gy, ga);
    } else {
        let (k, c) = (a_shape.cols as usize, b_shape.cols as usize);
        if c == 1 {
            gy.iter().zip(ga.chunks_exact_mut(k)).for_each(|(&g, ga)| add_scaled(g, b, ga));
            return;
        }
        for (ga, gy) in ga.chunks_exact_mut(k).zip(gy.chunks_exact(c)) {
            for (ga, b) in ga.iter_mut().zip(b.chunks_exact(c)) {
                *ga += dot(gy, b);
            }
        }
    }
}

/// gb += ∂/∂b of [`times`], given gy: aᵀ·gy, summed where b is a scalar.
pub fn times_right_adjoint<T: Real>(a: &[T], a_shape: Shape, b_shape: Shape, gy: &[T], gb: &mut [T]) {
    if a_shape.is_scalar() {
        add_scaled(a[0], gy, gb);
    } else if b_shape.is_scalar() {
        gb[0] += dot(gy, a);
    } else {
        let (k, c) = (a_shape.cols as usize, b_shape.cols as usize);
        if c == 1 {
            gy.iter().zip(a.chunks_exact(k)).for_each(|(&g, a)| add_scaled(g, a, gb));
            return;
        }
        for (a, gy) in a.chunks_exact(k).zip(gy.chunks_exact(c)) {
            for (&a, gb) in a.iter().zip(gb.chunks_exact_mut(c)) {
                add_scaled(a, gy, gb);
            }
        }
    }
}

/// y row i = W·x_i for the value x_i at each offset, by the rules of [`Shape::times`].
///
/// `w` is row-major of shape `w_shape`; every x_i has shape `x_shape`; `y` holds `offsets.len()` rows of
/// `w_shape.times(x_shape)` elements, one after the other, and is overwritten. `scratch` may hold anything.
pub fn linear_forward<T: Real>(
    w: &[T],
    w_shape: Shape,
    values: &[T],
    offsets: &[u32],
    x_shape: Shape,
    y: &mut [T],
    scratch: &mut Vec<T>,
) {
    let len = x_shape.len();
    if !is_matrix_product(w_shape, x_shape) {
        scale_forward(w, w_shape, values, offsets, x_shape, y);
        return;
    }
    let (r, k, c) = (w_shape.rows as usize, w_shape.cols as usize, x_shape.cols as usize);
    match path(w_shape) {
        Path::Gemm => gemm_forward(w, (r, k, c), values, offsets, y),
        _ if c > 1 => {
            for (y, &o) in y.chunks_exact_mut(r * c).zip(offsets) {
                times(w, w_shape, at(values, o, len), x_shape, y);
            }
        }
        Path::Dot => {
            for (y, &o) in y.chunks_exact_mut(r).zip(offsets) {
                let x = at(values, o, k);
                for (y, w) in y.iter_mut().zip(w.chunks_exact(k)) {
                    *y = dot(w, x);
                }
            }
        }
        // Too few rows to pay for turning the weight; the sums run in the order of the columns all the same.
        Path::Narrow | Path::Columns if offsets.len() < FEW => {
            for (y, &o) in y.chunks_exact_mut(r).zip(offsets) {
                in_order(w, k, at(values, o, k), y);
            }
        }
        Path::Narrow => {
            let columns = turned(w, r, k, scratch);
            with_width!(r, wide::run[NarrowForward]((columns, values, offsets, k, y)));
        }
        Path::Columns => {
            let columns = turned(w, r, k, scratch);
            for (y, &o) in y.chunks_exact_mut(r).zip(offsets) {
                y.fill(T::ZERO);
                for (&x, column) in at(values, o, k).iter().zip(columns.chunks_exact(r)) {
                    add_scaled(x, column, y);
                }
            }
        }
    }
}

/// The adjoint of [`linear_forward`]: `gw` += ∂/∂W, and the value at each offset of `grads` += Wᵀ·gy row.
///
/// `gy` has the layout of the forward's `y`. An offset that occurs twice gets both gradients. A scalar weight or a
/// scalar value gets the sum over what it was broadcast to.
pub fn linear_backward<T: Real>(
    w: &[T],
    w_shape: Shape,
    values: &[T],
    offsets: &[u32],
    x_shape: Shape,
    gy: &[T],
    gw: &mut [T],
    mut grads: Option<&mut [T]>,
) {
    let len = x_shape.len();
    if !is_matrix_product(w_shape, x_shape) {
        scale_backward(w, w_shape, values, offsets, x_shape, gy, gw, grads);
        return;
    }
    let (r, k, c) = (w_shape.rows as usize, w_shape.cols as usize, x_shape.cols as usize);
    if path(w_shape) == Path::Gemm {
        gemm_backward(w, (r, k, c), values, offsets, gy, gw, grads);
    } else if c == 1 && k <= NARROW {
        with_width!(k, wide::run[NarrowBackward]((w, values, offsets, r, gy, gw, grads)));
    } else {
        for (gy, &o) in gy.chunks_exact(r * c).zip(offsets) {
            times_left_adjoint(w_shape, at(values, o, len), x_shape, gy, gw);
            if let Some(grads) = grads.as_deref_mut() {
                times_right_adjoint(w, w_shape, x_shape, gy, &mut grads[o as usize..][..len]);
            }
        }
    }
}

/// The transposed weight, in the scratch space.
fn turned<'a, T: Real>(w: &[T], r: usize, k: usize, scratch: &'a mut Vec<T>) -> &'a [T] {
    if scratch.len() < w.len() {
        scratch.resize(w.len(), T::ZERO);
    }
    let space = &mut scratch[..w.len()];
    transpose(w, r, k, space);
    space
}

/// One of the two is a scalar.
fn scale_forward<T: Real>(w: &[T], ws: Shape, values: &[T], offsets: &[u32], xs: Shape, y: &mut [T]) {
    let len = xs.len();
    if ws.is_scalar() && len == 1 {
        let w = w[0];
        for (y, &o) in y.iter_mut().zip(offsets) {
            *y = w * values[o as usize];
        }
    } else if ws.is_scalar() {
        for (y, &o) in y.chunks_exact_mut(len).zip(offsets) {
            scaled(w[0], at(values, o, len), y);
        }
    } else {
        for (y, &o) in y.chunks_exact_mut(w.len()).zip(offsets) {
            scaled(values[o as usize], w, y);
        }
    }
}

fn scale_backward<T: Real>(
    w: &[T],
    ws: Shape,
    values: &[T],
    offsets: &[u32],
    xs: Shape,
    gy: &[T],
    gw: &mut [T],
    mut grads: Option<&mut [T]>,
) {
    let len = xs.len();
    if ws.is_scalar() && len == 1 {
        let mut sum = gw[0];
        for (&g, &o) in gy.iter().zip(offsets) {
            sum += g * values[o as usize];
        }
        gw[0] = sum;
        if let Some(grads) = grads {
            let w = w[0];
            for (&g, &o) in gy.iter().zip(offsets) {
                grads[o as usize] += w * g;
            }
        }
    } else if ws.is_scalar() {
        for (gy, &o) in gy.chunks_exact(len).zip(offsets) {
            gw[0] += dot(gy, at(values, o, len));
            if let Some(grads) = grads.as_deref_mut() {
                add_scaled(w[0], gy, &mut grads[o as usize..][..len]);
            }
        }
    } else {
        for (gy, &o) in gy.chunks_exact(w.len()).zip(offsets) {
            add_scaled(values[o as usize], gy, gw);
            if let Some(grads) = grads.as_deref_mut() {
                grads[o as usize] += dot(gy, w);
            }
        }
    }
}

/// Runs the kernel `$f<T, N>` with the constant N equal to `$n` in 1..=16, so that sums over N stay in registers, and
/// with N = 0, for any width, above.
macro_rules! with_width {
    ($n:expr, wide::run[$f:ident]($arguments:expr)) => {
        match $n {
            1 => wide::run::<$f<T, 1>>($arguments),
            2 => wide::run::<$f<T, 2>>($arguments),
            3 => wide::run::<$f<T, 3>>($arguments),
            4 => wide::run::<$f<T, 4>>($arguments),
            5 => wide::run::<$f<T, 5>>($arguments),
            6 => wide::run::<$f<T, 6>>($arguments),
            7 => wide::run::<$f<T, 7>>($arguments),
            8 => wide::run::<$f<T, 8>>($arguments),
            9 => wide::run::<$f<T, 9>>($arguments),
            10 => wide::run::<$f<T, 10>>($arguments),
            11 => wide::run::<$f<T, 11>>($arguments),
            12 => wide::run::<$f<T, 12>>($arguments),
            13 => wide::run::<$f<T, 13>>($arguments),
            14 => wide::run::<$f<T, 14>>($arguments),
            15 => wide::run::<$f<T, 15>>($arguments),
            16 => wide::run::<$f<T, 16>>($arguments),
            _ => wide::run::<$f<T, 0>>($arguments),
        }
    };
}
use with_width;

/// y = Σ_j x_j · column j, for weights of R rows.
struct NarrowForward<T, const R: usize>(PhantomData<T>);

impl<T: Real, const R: usize> Kernel for NarrowForward<T, R> {
    /// Columns, values, offsets, number of columns, y.
    type Arguments<'a> = (&'a [T], &'a [T], &'a [u32], usize, &'a mut [T]);

    #[inline(always)]
    fn run((columns, values, offsets, k, y): Self::Arguments<'_>) {
        assert!(R > 0, "wide weights take another path");
        let (columns, _) = columns.as_chunks::<R>();
        let (y, _) = y.as_chunks_mut::<R>();
        for (y, &o) in y.iter_mut().zip(offsets) {
            let mut sum = [T::ZERO; R];
            for (&x, column) in at(values, o, k).iter().zip(columns) {
                for (s, &w) in sum.iter_mut().zip(column) {
                    *s += w * x;
                }
            }
            *y = sum;
        }
    }
}

/// The adjoint for column vectors of length K (of any length if K is 0): gw row i += gy_i·x, gx = Σ_i gy_i · w row i.
struct NarrowBackward<T, const K: usize>(PhantomData<T>);

impl<T: Real, const K: usize> Kernel for NarrowBackward<T, K> {
    /// W, values, offsets, number of rows of W, gy, gw, the gradients of the values.
    type Arguments<'a> = (&'a [T], &'a [T], &'a [u32], usize, &'a [T], &'a mut [T], Option<&'a mut [T]>);

    #[inline(always)]
    fn run((w, values, offsets, r, gy, gw, mut grads): Self::Arguments<'_>) {
        if K == 0 {
            let k = w.len() / r;
            for (gy, &o) in gy.chunks_exact(r).zip(offsets) {
                let x = at(values, o, k);
                gy.iter().zip(gw.chunks_exact_mut(k)).for_each(|(&g, gw)| add_scaled(g, x, gw));
                if let Some(grads) = grads.as_deref_mut() {
                    let gx = &mut grads[o as usize..][..k];
                    gy.iter().zip(w.chunks_exact(k)).for_each(|(&g, w)| add_scaled(g, w, gx));
                }
            }
            return;
        }
        // Sums of a few rows of gw stay in registers while all values pass. (Updated in memory, row by row, they were
        // compiled to gathers and scattered stores.)
        let (rows, _) = gw.as_chunks_mut::<K>();
        let mut first_row = 0;
        let mut groups = rows.chunks_exact_mut(GROUP);
        for group in &mut groups {
            let mut sums: [[T; K]; GROUP] = std::array::from_fn(|i| group[i]);
            for (gy, &o) in gy.chunks_exact(r).zip(offsets) {
                let x: [T; K] = *sums::first(values, o);
                let gy: &[T; GROUP] = gy[first_row..].first_chunk().expect("a gradient for each row");
                for (sum, &g) in sums.iter_mut().zip(gy) {
                    sum.iter_mut().zip(x).for_each(|(s, x)| *s += g * x);
                }
            }
            group.copy_from_slice(&sums);
            first_row += GROUP;
        }
        for row in groups.into_remainder() {
            let mut sum = *row;
            for (gy, &o) in gy.chunks_exact(r).zip(offsets) {
                let (x, g): ([T; K], T) = (*sums::first(values, o), gy[first_row]);
                sum.iter_mut().zip(x).for_each(|(s, x)| *s += g * x);
            }
            *row = sum;
            first_row += 1;
        }
        let Some(grads) = grads else { return };
        let (w, _) = w.as_chunks::<K>();
        for (gy, &o) in gy.chunks_exact(r).zip(offsets) {
            let mut sum = [T::ZERO; K];
            for (&g, w) in gy.iter().zip(w) {
                sum.iter_mut().zip(w).for_each(|(s, &w)| *s += g * w);
            }
            let gx: &mut [T; K] = sums::first_mut(grads, o);
            let mut new = *gx;
            new.iter_mut().zip(sum).for_each(|(gx, s)| *gx += s);
            *gx = new;
        }
    }
}

/// A strided read-only matrix over a slice: element (i, j) at `i·rs + j·cs`.
fn view<T: Real>(
    data: &[T],
    (rows, cols): (usize, usize),
    (rs, cs): (usize, usize),
) -> MatrixView<'_, T, Dyn, Dyn, Dyn, Dyn> {
    MatrixView::<T, Dyn, Dyn, Dyn, Dyn>::from_slice_with_strides(data, rows, cols, rs, cs)
}

/// The same, writable.
fn view_mut<T: Real>(
    data: &mut [T],
    (rows, cols): (usize, usize),
    (rs, cs): (usize, usize),
) -> MatrixViewMut<'_, T, Dyn, Dyn, Dyn, Dyn> {
    MatrixViewMut::<T, Dyn, Dyn, Dyn, Dyn>::from_slice_with_strides_mut(data, rows, cols, rs, cs)
}

/// The packed rows of a chunk: the columns of its values, one after the other, then zero rows up to [`PAD`].
fn pack<T: Real>(values: &[T], offsets: &[u32], k: usize, c: usize, packed: &mut [T]) -> usize {
    let used = offsets.len() * c;
    let padded = used.next_multiple_of(PAD);
    for (rows, &o) in packed.chunks_exact_mut(k * c).zip(offsets) {
        transpose(at(values, o, k * c), k, c, rows);
    }
    packed[used * k..padded * k].fill(T::ZERO);
    padded
}

/// Y = X·Wᵀ on packed rows: with c columns per value, every column is a row of X.
fn gemm_forward<T: Real>(
    w: &[T],
    (r, k, c): (usize, usize, usize),
    values: &[T],
    offsets: &[u32],
    y: &mut [T],
) {
    let room = (CHUNK.min(offsets.len()) * c).next_multiple_of(PAD);
    let mut xs = vec![T::ZERO; room * k];
    let mut ys = vec![T::ZERO; room * r];
    let w = view(w, (r, k), (k, 1));
    for (y, offsets) in y.chunks_mut(CHUNK * r * c).zip(offsets.chunks(CHUNK)) {
        let n = pack(values, offsets, k, c, &mut xs);
        view_mut(&mut ys, (r, n), (1, r)).gemm(T::ONE, &w, &view(&xs, (k, n), (1, k)), T::ZERO);
        for (y, ys) in y.chunks_exact_mut(r * c).zip(ys.chunks_exact(r * c)) {
            transpose(ys, c, r, y);
        }
    }
}

fn gemm_backward<T: Real>(
    w: &[T],
    (r, k, c): (usize, usize, usize),
    values: &[T],
    offsets: &[u32],
    gy: &[T],
    gw: &mut [T],
    mut grads: Option<&mut [T]>,
) {
    let room = (CHUNK.min(offsets.len()) * c).next_multiple_of(PAD);
    let mut xs = vec![T::ZERO; room * k];
    let mut gs = vec![T::ZERO; room * r];
    for (gy, offsets) in gy.chunks(CHUNK * r * c).zip(offsets.chunks(CHUNK)) {
        let n = pack(values, offsets, k, c, &mut xs);
        for (gs, gy) in gs.chunks_exact_mut(r * c).zip(gy.chunks_exact(r * c)) {
            transpose(gy, r, c, gs);
        }
        gs[gy.len()..n * r].fill(T::ZERO);
        let g = view(&gs, (r, n), (1, r));
        // (GW)ᵀ += Xᵀ·GY, GW row-major.
        view_mut(gw, (k, r), (1, k)).gemm(T::ONE, &view(&xs, (k, n), (1, k)), &g.transpose(), T::ONE);
        if let Some(grads) = grads.as_deref_mut() {
            // The packed inputs are not needed any more: their gradients take the place.
            view_mut(&mut xs, (k, n), (1, k)).gemm(T::ONE, &view(w, (k, r), (1, k)), &g, T::ZERO);
            for (gx, &o) in xs.chunks_exact(k * c).zip(offsets) {
                let out = &mut grads[o as usize..][..k * c];
                for (j, column) in gx.chunks_exact(k).enumerate() {
                    for (i, &g) in column.iter().enumerate() {
                        out[i * c + j] += g;
                    }
                }
            }
        }
    }
}

/// to = fromᵀ, `from` of shape rows × cols.
fn transpose<T: Real>(from: &[T], rows: usize, cols: usize, to: &mut [T]) {
    if rows == 1 || cols == 1 {
        to.copy_from_slice(from);
        return;
    }
    for (i, row) in from.chunks_exact(cols).enumerate() {
        for (j, &v) in row.iter().enumerate() {
            to[j * rows + i] = v;
        }
    }
}

/// y = W·x with every sum from left to right: the bits of adding up scaled columns.
#[inline]
fn in_order<T: Real>(w: &[T], k: usize, x: &[T], y: &mut [T]) {
    for (y, w) in y.iter_mut().zip(w.chunks_exact(k)) {
        *y = w.iter().zip(x).fold(T::ZERO, |s, (&w, &x)| s + w * x);
    }
}

/// y = s·x.
#[inline(always)]
fn scaled<T: Real>(s: T, x: &[T], y: &mut [T]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = s * x;
    }
}

/// y += s·x.
#[inline(always)]
pub(crate) fn add_scaled<T: Real>(s: T, x: &[T], y: &mut [T]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y += s * x;
    }
}

/// Σ a·b in eight partial sums, which the compiler can keep in vector registers; their order depends on the length
/// alone. Shorter than eight: left to right.
#[inline(always)]
pub(crate) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let n = a.len().min(b.len());
    let (head_a, tail_a) = a[..n].as_chunks::<LANES>();
    let (head_b, tail_b) = b[..n].as_chunks::<LANES>();
    let mut sum = T::ZERO;
    if !head_a.is_empty() {
        let mut lanes = [T::ZERO; LANES];
        for (a, b) in head_a.iter().zip(head_b) {
            for ((s, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
                *s += a * b;
            }
        }
        for s in lanes {
            sum += s;
        }
    }
    for (&a, &b) in tail_a.iter().zip(tail_b) {
        sum += a * b;
    }
    sum
}

#[cfg(test)]
mod tests;
