//! Points in space: nearest neighbours by a k-d tree, farthest point sampling, voxel grids, random Fourier features.

use crate::base::hash::IndexMap;
use crate::base::rng::Stream;
use std::collections::BinaryHeap;

/// Points below which a part of the tree is searched point by point.
const LEAF: usize = 8;

/// Points of one dimension, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    dim: usize,
    data: Vec<f64>,
}

impl Space {
    /// Points of `dim` coordinates each, one after the other in `data`.
    pub fn new(dim: usize, data: Vec<f64>) -> Self {
        assert!(dim > 0 && data.len().is_multiple_of(dim), "every point has all its coordinates");
        Space { dim, data }
    }
    /// Number of points.
    pub fn len(&self) -> usize {
        self.data.len() / self.dim
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }
    /// Coordinates of a point.
    pub fn dim(&self) -> usize {
        self.dim
    }
    /// A point.
    pub fn point(&self, i: usize) -> &[f64] {
        &self.data[i * self.dim..(i + 1) * self.dim]
    }
    /// The squared Euclidean distance of two points, added up in the order of the coordinates.
    pub fn squared(&self, i: usize, j: usize) -> f64 {
        self.point(i).iter().zip(self.point(j)).map(|(a, b)| (a - b) * (a - b)).sum()
    }
}

/// A neighbour: ordered by distance, then by the order in which points are stated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    /// The squared distance.
    pub squared: f64,
    /// The number of the point.
    pub point: usize,
}

impl Eq for Near {}
impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Near {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.squared.total_cmp(&other.squared).then(self.point.cmp(&other.point))
    }
}

/// What a search keeps of the points that it meets.
struct Found {
    heap: BinaryHeap<Near>,
    /// At most so many, the nearest.
    most: usize,
    /// None farther than this squared distance.
    within: f64,
}

impl Found {
    /// Whether a point at this squared distance could still be kept (among equals the one that is stated first is).
    fn takes(&self, squared: f64) -> bool {
        squared <= self.within
            && (self.heap.len() < self.most || self.heap.peek().is_some_and(|worst| squared <= worst.squared))
    }
    fn add(&mut self, near: Near) {
        if near.squared > self.within || self.most == 0 {
            return;
        }
        if self.heap.len() < self.most {
            self.heap.push(near);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && near < *worst
        {
            *worst = near;
        }
    }
}

/// A balanced k-d tree: each part of `order` is cut at its middle, along the axis in which it is widest. What it finds is
/// exactly what comparing all distances finds, ties included.
#[derive(Debug)]
pub struct Tree<'s> {
    space: &'s Space,
    order: Vec<usize>,
    /// The axis along which the part with its middle here is cut.
    axis: Vec<usize>,
}

impl<'s> Tree<'s> {
    /// The tree of all points.
    pub fn new(space: &'s Space) -> Self {
        let n = space.len();
        let mut tree = Tree { space, order: (0..n).collect(), axis: vec![0; n] };
        tree.cut(0, n);
        tree
    }

    fn cut(&mut self, from: usize, to: usize) {
        if to - from <= LEAF {
            return;
        }
        let space = self.space;
        let spread = |axis: usize| {
            let values = self.order[from..to].iter().map(|&i| space.point(i)[axis]);
            let (low, high) =
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
            high - low
        };
        let widths: Vec<f64> = (0..space.dim).map(spread).collect();
        let axis = (0..space.dim).fold(0, |best, a| if widths[a] > widths[best] { a } else { best });
        let middle = usize::midpoint(from, to);
        self.order[from..to].select_nth_unstable_by(middle - from, |&i, &j| {
            space.point(i)[axis].total_cmp(&space.point(j)[axis]).then(i.cmp(&j))
        });
        self.axis[middle] = axis;
        self.cut(from, middle);
        self.cut(middle + 1, to);
    }

    fn search(&self, from: usize, to: usize, center: usize, itself: bool, found: &mut Found) {
        let test = |point: usize, found: &mut Found| {
            if itself || point != center {
                found.add(Near { squared: self.space.squared(center, point), point });
            }
        };
        if to - from <= LEAF {
            self.order[from..to].iter().for_each(|&p| test(p, found));
            return;
        }
        let middle = usize::midpoint(from, to);
        let (axis, point) = (self.axis[middle], self.order[middle]);
        test(point, found);
        let beyond = self.space.point(center)[axis] - self.space.point(point)[axis];
        let (low, high) = ((from, middle), (middle + 1, to));
        let (first, second) = if beyond < 0.0 { (low, high) } else { (high, low) };
        self.search(first.0, first.1, center, itself, found);
        // A sum of squares, rounded, is not below any of its terms: nothing near is passed over.
        if found.takes(beyond * beyond) {
            self.search(second.0, second.1, center, itself, found);
        }
    }

    fn find(&self, center: usize, itself: bool, most: usize, within: f64) -> Vec<Near> {
        let mut found = Found { heap: BinaryHeap::new(), most, within };
        self.search(0, self.order.len(), center, itself, &mut found);
        found.heap.into_sorted_vec()
    }

    /// The `k` points nearest to a point, nearest first, and of equally near ones those stated first; the point itself is
    /// one of them only if `itself` says so.
    pub fn nearest(&self, center: usize, k: usize, itself: bool) -> Vec<Near> {
        self.find(center, itself, k, f64::INFINITY)
    }

    /// The points whose squared distance is at most `radius²`, at most `most` of them, as in [`Tree::nearest`].
    pub fn within(&self, center: usize, radius: f64, most: usize, itself: bool) -> Vec<Near> {
        self.find(center, itself, most, radius * radius)
    }
}

/// Farthest point sampling (Gonzalez 1985): beginning with `start`, `count` times the point that is farthest from those
/// chosen, the first stated of equals. Returns the chosen points and, for each point, which of them (by position) is
/// nearest, the first chosen of equals. If fewer than `count` places differ, so many are chosen.
pub fn farthest(space: &Space, count: usize, start: usize) -> (Vec<usize>, Vec<usize>) {
    let n = space.len();
    let (mut chosen, mut owner, mut nearest) = (Vec::new(), vec![0; n], vec![f64::INFINITY; n]);
    let mut next = start;
    while chosen.len() < count.min(n) {
        let position = chosen.len();
        chosen.push(next);
        let mut best = 0;
        for i in 0..n {
            let squared = space.squared(i, next);
            if squared < nearest[i] {
                (nearest[i], owner[i]) = (squared, position);
            }
            if nearest[i] > nearest[best] {
                best = i;
            }
        }
        if nearest[best] == 0.0 {
            break;
        }
        next = best;
    }
    (chosen, owner)
}

/// The cells of a grid that has a corner at `origin` and edges of the lengths `size`: for each cell with points, in the
/// order of its first point, the numbers of its points.
pub fn voxels(space: &Space, size: &[f64], origin: &[f64]) -> Vec<Vec<usize>> {
    // Numbers of cells may be beyond integers; adding 0 takes the sign from -0.
    let mut cells: IndexMap<Vec<u64>, Vec<usize>> = IndexMap::default();
    for i in 0..space.len() {
        let place = space.point(i).iter().zip(size).zip(origin);
        let cell = place.map(|((x, s), o)| (((x - o) / s).floor() + 0.0).to_bits()).collect();
        cells.entry(cell).or_default().push(i);
    }
    cells.into_values().collect()
}

/// The least coordinate of all points in each dimension.
pub fn corner(space: &Space) -> Vec<f64> {
    let least = |axis: usize| (0..space.len()).map(|i| space.point(i)[axis]).fold(f64::INFINITY, f64::min);
    (0..space.dim).map(least).collect()
}

/// The mean of some points.
pub fn mean(space: &Space, members: &[usize]) -> Vec<f64> {
    let sum = |axis: usize| members.iter().map(|&i| space.point(i)[axis]).sum::<f64>();
    (0..space.dim).map(|axis| sum(axis) / members.len() as f64).collect()
}

/// Random Fourier features (Rahimi and Recht 2007): `z(x) = sqrt(2/D) cos(Wx + b)` with rows of `W` from
/// `N(0, 1/scale²)` and `b` uniform in `[0, 2π)`, so that `z(x)·z(y)` estimates `exp(-|x-y|² / (2 scale²))`.
#[derive(Debug, Clone)]
pub struct Fourier {
    dim: usize,
    frequencies: Vec<f64>,
    phases: Vec<f64>,
}

impl Fourier {
    /// `features` features of points of `dim` coordinates, drawn from the stream `fourier` of `seed`.
    pub fn new(dim: usize, features: usize, scale: f64, seed: u64) -> Self {
        let mut stream = Stream::new(seed, "fourier");
        let frequencies = (0..features * dim).map(|_| stream.normal() / scale).collect();
        let phases = (0..features).map(|_| stream.uniform() * std::f64::consts::TAU).collect();
        Fourier { dim, frequencies, phases }
    }

    /// The features of a point.
    pub fn of(&self, point: &[f64]) -> Vec<f64> {
        let scale = (2.0 / self.phases.len() as f64).sqrt();
        let dot = |w: &[f64]| w.iter().zip(point).map(|(w, x)| w * x).sum::<f64>();
        let rows = self.frequencies.chunks_exact(self.dim).zip(&self.phases);
        rows.map(|(w, b)| scale * (dot(w) + b).cos()).collect()
    }
}

/// Differences `p(from) - p(to)` mapped to pseudo-coordinates in `[0,1]`: `d / (2m) + 1/2` in every dimension, where `m` is
/// the greatest absolute element of all of them (the Cartesian coordinates of SplineCNN, Fey et al. 2018). All are `1/2` if
/// nothing differs.
pub fn pseudo(space: &Space, pairs: &[(usize, usize)]) -> Vec<Vec<f64>> {
    let difference = |&(from, to): &(usize, usize)| -> Vec<f64> {
        space.point(from).iter().zip(space.point(to)).map(|(a, b)| a - b).collect()
    };
    let differences: Vec<Vec<f64>> = pairs.iter().map(difference).collect();
    let most = differences.iter().flatten().fold(0.0f64, |m, d| m.max(d.abs()));
    let scale = |d: f64| if most > 0.0 { d / (2.0 * most) + 0.5 } else { 0.5 };
    differences.into_iter().map(|v| v.into_iter().map(scale).collect()).collect()
}
