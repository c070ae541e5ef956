//! What `nlog data` makes, against computations by definition that share no code with it.

use nalgebra::DMatrix;
use nlog::base::rng::Stream;
use nlog::prepare::colours::{Coloured, histogram, refine};
use nlog::prepare::generate::{
    self, Density, Pair, barabasi_albert, block_model, caveman, connected, erdos_renyi, grid, tree,
};
use nlog::prepare::graph::{self, Edge, Matching, Norm};
use nlog::prepare::molecules::{Molecule, Planted, RULES, Wanted, molecules};
use nlog::prepare::points::{Fourier, Space, Tree, farthest, mean, pseudo, voxels};
use nlog::prepare::spline::{Axis, basis};

/// Points on a coarse lattice, so that many distances are equal, or anywhere.
fn cloud(n: usize, dim: usize, lattice: bool, seed: u64) -> Vec<Vec<f64>> {
    let mut s = Stream::new(seed, "cloud");
    let mut x = || if lattice { s.below(5) as f64 } else { 10.0 * s.uniform() };
    (0..n).map(|_| (0..dim).map(|_| x()).collect()).collect()
}

fn space(points: &[Vec<f64>]) -> Space {
    Space::new(points[0].len(), points.concat())
}

fn squared(a: &[f64], b: &[f64]) -> f64 {
    (0..a.len()).map(|i| (a[i] - b[i]).powi(2)).sum()
}

#[test]
fn the_tree_finds_what_comparing_all_distances_finds() {
    let mut found = 0;
    for (n, dim, lattice) in
        [(1, 2, true), (9, 1, true), (60, 2, true), (300, 3, false), (300, 2, true), (120, 6, true)]
    {
        let points = cloud(n, dim, lattice, n as u64);
        let space = space(&points);
        let tree = Tree::new(&space);
        for x in 0..n {
            let mut all: Vec<(f64, usize)> = (0..n).map(|y| (squared(&points[x], &points[y]), y)).collect();
            all.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
            for itself in [false, true] {
                let others: Vec<_> = all.iter().copied().filter(|(_, y)| itself || *y != x).collect();
                for k in [1, 4, 17] {
                    let near: Vec<_> =
                        tree.nearest(x, k, itself).iter().map(|n| (n.squared, n.point)).collect();
                    assert_eq!(near, others[..k.min(others.len())], "{n} {dim} {x}");
                }
                for (radius, most) in [(1.0, usize::MAX), (2.0, 5), (3.5, usize::MAX)] {
                    let near: Vec<_> =
                        tree.within(x, radius, most, itself).iter().map(|n| (n.squared, n.point)).collect();
                    let inside: Vec<_> =
                        others.iter().copied().filter(|(d, _)| *d <= radius * radius).collect();
                    found += near.len();
                    assert_eq!(near, inside[..most.min(inside.len())], "{n} {dim} {x} {radius}");
                }
            }
        }
    }
    assert!(found > 1000);
}

#[test]
fn farthest_points_by_definition() {
    for (lattice, seed) in [(true, 1), (false, 2), (true, 3)] {
        let points = cloud(80, 2, lattice, seed);
        let (chosen, owner) = farthest(&space(&points), 12, 7);
        assert_eq!((chosen.len(), chosen[0]), (12, 7));
        for m in 1..chosen.len() {
            let gap = |x: usize| {
                chosen[..m].iter().map(|&c| squared(&points[x], &points[c])).fold(f64::INFINITY, f64::min)
            };
            let most = (0..80).map(gap).fold(0.0, f64::max);
            assert_eq!(chosen[m], (0..80).find(|&x| gap(x) == most).expect("one is farthest"));
        }
        for x in 0..80 {
            let to = |c: &usize| squared(&points[x], &points[*c]);
            let least = chosen.iter().map(to).fold(f64::INFINITY, f64::min);
            assert_eq!(owner[x], chosen.iter().position(|c| to(c) == least).expect("one is nearest"));
        }
    }
    // Three places only.
    let points = [[0.0], [1.0], [0.0], [5.0], [1.0]].map(|p| p.to_vec());
    assert_eq!(farthest(&space(&points), 5, 0).0, [0, 3, 1]);
}

#[test]
fn voxels_hold_the_points_between_their_planes() {
    let points = cloud(200, 2, false, 4);
    let cells = voxels(&space(&points), &[2.0, 3.0], &[-1.0, 0.5]);
    let cell = |p: &[f64]| {
        let at = |x: f64, origin: f64, size: f64| {
            (-100..100).find(|&i| origin + f64::from(i) * size <= x && x < origin + f64::from(i + 1) * size)
        };
        (at(p[0], -1.0, 2.0), at(p[1], 0.5, 3.0))
    };
    assert_eq!(cells.iter().map(Vec::len).sum::<usize>(), 200);
    assert!(cells.len() > 10);
    for (i, a) in cells.iter().enumerate() {
        assert!(a.iter().all(|&x| cell(&points[x]) == cell(&points[a[0]])));
        assert!(cells[..i].iter().all(|b| cell(&points[b[0]]) != cell(&points[a[0]])));
    }
    assert_eq!(mean(&space(&points), &[3]), points[3]);
    let two = mean(&space(&[vec![1.0, 2.0], vec![2.0, 6.0]]), &[0, 1]);
    assert_eq!(two, [1.5, 4.0]);
}

#[test]
fn fourier_features_estimate_the_gaussian_kernel() {
    let (x, y, scale) = ([0.3, -1.0, 2.0], [1.0, 0.2, 1.5], 1.5);
    let drawn = Fourier::new(3, 20_000, scale, 9);
    let dot: f64 = drawn.of(&x).iter().zip(drawn.of(&y)).map(|(a, b)| a * b).sum();
    let kernel = (-squared(&x, &y) / (2.0 * scale * scale)).exp();
    // The standard deviation of a product of features is below 1, that of their mean below 0.0071.
    assert!((dot - kernel).abs() < 0.03, "{dot} {kernel}");
    assert_eq!(drawn.of(&x), Fourier::new(3, 20_000, scale, 9).of(&x));
    assert_ne!(drawn.of(&x), Fourier::new(3, 20_000, scale, 10).of(&x));
}

/// The B-spline of a degree over the knots `t_j = j - degree`, at `v`, by the recursion of Cox and de Boor.
fn recursion(kernel: usize, degree: usize, v: f64, order: usize) -> f64 {
    let knot = |j: usize| j as f64 - order as f64;
    if degree == 0 {
        return f64::from(u8::from(knot(kernel) <= v && v < knot(kernel + 1)));
    }
    let left = (v - knot(kernel)) / (knot(kernel + degree) - knot(kernel));
    let right = (knot(kernel + degree + 1) - v) / (knot(kernel + degree + 1) - knot(kernel + 1));
    left * recursion(kernel, degree - 1, v, order) + right * recursion(kernel + 1, degree - 1, v, order)
}

#[test]
fn bases_are_those_of_the_recursion_and_add_up_to_one() {
    for degree in 1..=3 {
        for kernels in degree + 1..7 {
            let axis = Axis { kernels, closed: false };
            for step in 0..=40 {
                let u = f64::from(step) / 40.0;
                let found = basis(&[u], degree, &[axis]);
                assert!((found.iter().map(|(_, b)| b).sum::<f64>() - 1.0).abs() < 1e-14);
                assert!(found.iter().all(|(k, b)| *k < kernels && *b > 0.0));
                if u < 1.0 {
                    let v = u * (kernels - degree) as f64;
                    for k in 0..kernels {
                        let own = found.iter().find(|(kernel, _)| *kernel == k).map_or(0.0, |(_, b)| *b);
                        let expected = recursion(k, degree, v, degree);
                        assert!((own - expected).abs() < 1e-14, "{degree} {kernels} {u} {k}");
                    }
                }
            }
        }
    }
    // The end belongs to the last kernels.
    assert_eq!(basis(&[1.0], 1, &[Axis { kernels: 4, closed: false }]), [(3, 1.0)]);
}

#[test]
fn bases_in_several_dimensions_are_products_and_circles_close() {
    let axes = [Axis { kernels: 4, closed: false }, Axis { kernels: 3, closed: true }];
    let u = [0.37, 0.9];
    let (a, b) = (basis(&u[..1], 2, &axes[..1]), basis(&u[1..], 2, &axes[1..]));
    let both = basis(&u, 2, &axes);
    assert_eq!(both.len(), a.len() * b.len());
    for (k, x) in &a {
        for (l, y) in &b {
            let found = both.iter().find(|(n, _)| *n == k + 4 * l).expect("a kernel");
            assert!((found.1 - x * y).abs() < 1e-15);
        }
    }
    for degree in 1..=3 {
        for kernels in 1..5 {
            let axis = Axis { kernels, closed: true };
            let (begin, end) = (basis(&[0.0], degree, &[axis]), basis(&[1.0], degree, &[axis]));
            assert_eq!(begin, end, "0 and 1 are one point of a circle");
            let sum: f64 = basis(&[0.61], degree, &[axis]).iter().map(|(_, b)| b).sum();
            assert!((sum - 1.0).abs() < 1e-14);
        }
    }
    let scaled = pseudo(&space(&[vec![0.0, 1.0], vec![2.0, 0.0]]), &[(0, 1), (1, 0), (0, 0)]);
    assert_eq!(scaled, [[0.0, 0.75], [1.0, 0.25], [0.5, 0.5]]);
}

fn weights(pairs: &[Pair]) -> Vec<Edge> {
    pairs.iter().flat_map(|&(a, b)| [(a, b, 1.0), (b, a, 1.0)]).collect()
}

fn matrix(n: usize, entries: &[Edge]) -> DMatrix<f64> {
    let mut out = DMatrix::zeros(n, n);
    for &(a, b, v) in entries {
        out[(a, b)] += v;
    }
    out
}

fn eigenvalues(m: DMatrix<f64>) -> Vec<f64> {
    let mut out: Vec<f64> = m.symmetric_eigenvalues().iter().copied().collect();
    out.sort_by(f64::total_cmp);
    out
}

fn cycle(n: usize) -> Vec<Pair> {
    (0..n).map(|i| (i, (i + 1) % n)).collect()
}

#[test]
fn laplacians_of_known_graphs_have_their_eigenvalues() {
    let complete = |n: usize| (0..n).flat_map(|a| (0..a).map(move |b| (b, a))).collect::<Vec<Pair>>();
    let angles = |n: usize| (0..n).map(move |k| 1.0 - (std::f64::consts::TAU * k as f64 / n as f64).cos());
    let of_complete = |n: usize| (0..n).map(move |k| if k == 0 { 0.0 } else { n as f64 / (n as f64 - 1.0) });
    for (n, pairs, mut expected) in [
        (7, cycle(7), angles(7).collect::<Vec<f64>>()),
        (8, cycle(8), angles(8).collect()),
        (5, complete(5), of_complete(5).collect()),
        // A star: 0, 1 and 2 with the others between.
        (5, (1..5).map(|i| (0, i)).collect(), vec![0.0, 1.0, 1.0, 1.0, 2.0]),
    ] {
        expected.sort_by(f64::total_cmp);
        let edges = weights(&pairs);
        let l = matrix(n, &graph::laplacian(n, &edges, Norm::Symmetric));
        for (a, b) in eigenvalues(l.clone()).iter().zip(&expected) {
            assert!((a - b).abs() < 1e-12, "{expected:?}");
        }
        let most = graph::greatest(n, &edges, Norm::Symmetric).value;
        assert!((most - expected[n - 1]).abs() < 1e-10, "{most} {expected:?}");
        let scaled = graph::scaled(n, &graph::laplacian(n, &edges, Norm::Symmetric), most);
        let by_hand = l * (2.0 / most) - DMatrix::identity(n, n);
        assert!((matrix(n, &scaled) - by_hand).abs().max() < 1e-14);
        assert!(scaled.iter().all(|(_, _, v)| *v != 0.0));
    }
    // D - A of a complete graph: 0 and n.
    let most = graph::greatest(6, &weights(&complete(6)), Norm::Plain);
    assert!((most.value - 6.0).abs() < 1e-10 && most.steps.is_some());
}

#[test]
fn laplacians_by_their_formulas_on_random_weighted_graphs() {
    for seed in 0..6 {
        let n = 14;
        let pairs = erdos_renyi(n, Density::Probability(0.3), false, seed).expect("drawn");
        let mut s = Stream::new(seed, "weights");
        let edges: Vec<Edge> = pairs
            .iter()
            .flat_map(|&(a, b)| {
                let w = 0.1 + s.uniform();
                [(a, b, w), (b, a, w)]
            })
            .collect();
        let a = matrix(n, &edges);
        let d: Vec<f64> = (0..n).map(|i| a.row(i).sum()).collect();
        for norm in [Norm::Symmetric, Norm::RandomWalk, Norm::Plain] {
            let expected = DMatrix::from_fn(n, n, |i, j| {
                let own = f64::from(u8::from(i == j && d[i] > 0.0));
                match norm {
                    Norm::Plain => own * d[i] - a[(i, j)],
                    _ if d[i] == 0.0 || d[j] == 0.0 => 0.0,
                    Norm::Symmetric => own - a[(i, j)] / (d[i] * d[j]).sqrt(),
                    Norm::RandomWalk => own - a[(i, j)] / d[i],
                }
            });
            let found = matrix(n, &graph::laplacian(n, &edges, norm));
            assert!((&found - &expected).abs().max() < 1e-14, "{norm:?}");
            let symmetric = matrix(
                n,
                &graph::laplacian(
                    n,
                    &edges,
                    match norm {
                        Norm::RandomWalk => Norm::Symmetric,
                        other => other,
                    },
                ),
            );
            let greatest = graph::greatest(n, &edges, norm);
            let exact = eigenvalues(symmetric)[n - 1];
            assert!((greatest.value - exact).abs() < 1e-9, "{norm:?} {greatest:?} {exact}");
        }
    }
}

#[test]
fn matchings_are_greedy_maximal_and_carry_their_weights() {
    for seed in 0..8 {
        let n = 40;
        let pairs = erdos_renyi(n, Density::Edges(90), false, seed).expect("drawn");
        let mut s = Stream::new(seed, "weights");
        let edges: Vec<Edge> = pairs.iter().map(|&(a, b)| (a, b, 1.0 + s.below(4) as f64)).collect();
        let neighbours = graph::undirected(n, &edges);
        for matching in [Matching::Heavy, Matching::Cut] {
            let mut order: Vec<usize> = (0..n).collect();
            s.shuffle(&mut order);
            let cluster = graph::graclus(&neighbours, &order, matching);
            let mates = |c: usize| (0..n).filter(|&i| cluster[i] == c).collect::<Vec<_>>();
            let joined = |a: usize, b: usize| edges.iter().find(|e| (e.0, e.1) == (a.min(b), a.max(b)));
            let degree = |x: usize| edges.iter().filter(|e| e.0 == x || e.1 == x).map(|e| e.2).sum::<f64>();
            let merit = |a: usize, b: usize| {
                let w = joined(a, b).map_or(0.0, |e| e.2);
                if matching == Matching::Heavy { w } else { w * (1.0 / degree(a) + 1.0 / degree(b)) }
            };
            // By hand: the first node of the order takes the best of all neighbours, and so on.
            let mut free = vec![true; n];
            for &x in &order {
                if !std::mem::replace(&mut free[x], false) {
                    continue;
                }
                let able: Vec<usize> = (0..n).filter(|&y| free[y] && joined(x, y).is_some()).collect();
                let best = able.iter().map(|&y| merit(x, y)).fold(0.0, f64::max);
                let members = match able.iter().find(|&&y| (merit(x, y) - best).abs() < 1e-12) {
                    Some(&y) => {
                        free[y] = false;
                        vec![x.min(y), x.max(y)]
                    }
                    None => vec![x],
                };
                assert_eq!(mates(members[0]), members);
            }
        }
        for levels in 1..4 {
            let cluster = graph::coarsen(n, &edges, levels, Matching::Heavy, Some(seed));
            assert!((0..n).all(|c| cluster.iter().filter(|x| **x == c).count() <= 1 << levels));
            let between: f64 = graph::between(&cluster, &edges).iter().map(|e| e.2).sum();
            let cut: f64 = edges.iter().filter(|e| cluster[e.0] != cluster[e.1]).map(|e| e.2).sum();
            assert_eq!(between, cut);
        }
    }
}

#[test]
fn degrees_have_the_mean_of_their_logarithms() {
    let by_hand = (1f64.ln() + 3f64.ln() + 3f64.ln() + 8f64.ln()) / 4.0;
    assert!((graph::delta(&[0, 2, 2, 7]) - by_hand).abs() < 1e-15);
}

fn plain(n: usize, pairs: &[Pair]) -> Coloured {
    let mut sees = vec![Vec::new(); n];
    for &(a, b) in pairs {
        sees[a].push((0, b));
        sees[b].push((0, a));
    }
    Coloured { first: vec![0; n], sees }
}

#[test]
fn refinement_knows_its_limits() {
    // The classic pair: a hexagon and two triangles look alike to refinement, but not to a look at components.
    let two = [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)];
    let (colours, rounds) = refine(&[plain(6, &cycle(6)), plain(6, &two)], None);
    assert_eq!((histogram(&colours[0]), rounds), (histogram(&colours[1]), 0));
    assert!(!connected(6, &two) && connected(6, &cycle(6)));
    // A path of six is told apart, in as many rounds as it takes the ends to be heard.
    let path: Vec<Pair> = (0..5).map(|i| (i, i + 1)).collect();
    let (colours, rounds) = refine(&[plain(6, &cycle(6)), plain(6, &path)], None);
    assert_ne!(histogram(&colours[0]), histogram(&colours[1]));
    assert_eq!(rounds, 3);
    let by_end: Vec<usize> = (0..6).map(|i| colours[1][i.min(5 - i)]).collect();
    assert_eq!(colours[1], by_end);
    assert_eq!(refine(&[plain(6, &path)], Some(1)).0[0], [0, 1, 1, 1, 1, 0]);
    assert_eq!(refine(&[plain(6, &path)], Some(0)).0[0], [0; 6]);
    // A kind of edge and a first colour count.
    let mut marked = plain(6, &cycle(6));
    marked.first[2] = 1;
    assert_eq!(histogram(&refine(&[marked], None).0[0]).len(), 4);
    let mut kinds = plain(6, &cycle(6));
    kinds.sees[0][0].0 = 1;
    assert!(histogram(&refine(&[kinds], None).0[0]).len() > 1);
}

/// Whether the unfoldings of two nodes into trees of a depth are equal: what refinement of so many rounds sees, as text.
fn unfolded(g: &Coloured, node: usize, depth: usize) -> String {
    if depth == 0 {
        return format!("{}", g.first[node]);
    }
    let mut parts: Vec<String> = g.sees[node]
        .iter()
        .map(|&(kind, other)| format!("{kind}{}", unfolded(g, other, depth - 1)))
        .collect();
    parts.sort();
    format!("({} {})", g.first[node], parts.join(" "))
}

#[test]
fn colours_are_unfoldings_and_do_not_depend_on_the_order() {
    for seed in 0..6 {
        let n = 10;
        let pairs = erdos_renyi(n, Density::Edges(11), false, seed).expect("drawn");
        let mut order: Vec<usize> = (0..n).collect();
        Stream::new(seed, "order").shuffle(&mut order);
        let renamed: Vec<Pair> = pairs.iter().map(|&(a, b)| (order[a], order[b])).collect();
        let graphs = [plain(n, &pairs), plain(n, &renamed)];
        for rounds in 0..4 {
            let (colours, _) = refine(&graphs, Some(rounds));
            for x in 0..n {
                assert_eq!(colours[0][x], colours[1][order[x]], "renaming");
                for y in 0..n {
                    let same = unfolded(&graphs[0], x, rounds) == unfolded(&graphs[0], y, rounds);
                    assert_eq!(colours[0][x] == colours[0][y], same);
                }
            }
        }
    }
}

fn degrees(n: usize, pairs: &[Pair]) -> Vec<usize> {
    (0..n).map(|i| pairs.iter().filter(|p| p.0 == i || p.1 == i).count()).collect()
}

fn simple(n: usize, pairs: &[Pair]) {
    assert!(pairs.iter().all(|&(a, b)| a < b && b < n));
    assert!(pairs.windows(2).all(|w| w[0] < w[1]), "in order, each once");
}

#[test]
fn made_up_graphs_have_their_counts_and_shapes() {
    for seed in 0..5 {
        let ba = barabasi_albert(200, 3, seed);
        simple(200, &ba);
        assert_eq!(ba.len(), 3 * 197);
        assert!(connected(200, &ba));
        let d = degrees(200, &ba);
        assert!(d[4..].iter().all(|&d| d >= 3) && d.iter().max() > Some(&20), "some have many: {d:?}");

        let er = erdos_renyi(60, Density::Edges(100), false, seed).expect("drawn");
        simple(60, &er);
        assert_eq!(er.len(), 100);
        let all = erdos_renyi(9, Density::Edges(36), true, seed).expect("complete");
        assert_eq!(all.len(), 36);
        let p = erdos_renyi(200, Density::Probability(0.1), false, seed).expect("drawn");
        // 1990 of 19 900 pairs are expected, with a standard deviation of 42.
        assert!(p.len().abs_diff(1990) < 220, "{}", p.len());
        let joined = erdos_renyi(20, Density::Edges(30), true, seed).expect("drawn");
        assert!(connected(20, &joined));

        let t = tree(50, seed);
        simple(50, &t);
        assert!(t.len() == 49 && connected(50, &t));
        let parent = generate::parents(50, &t);
        assert_eq!(parent.iter().filter(|p| p.is_none()).count(), 1);
        assert!((1..50).all(|c| parent[c].is_some_and(|p| t.contains(&(p.min(c), p.max(c))))));

        let sbm = block_model(&[60, 40], 0.5, 0.05, seed);
        simple(100, &sbm);
        let across = sbm.iter().filter(|(a, b)| (*a < 60) != (*b < 60)).count();
        // 120 of 2400 across and 1275 of 2550 within are expected; standard deviations 11 and 25.
        assert!(across.abs_diff(120) < 60 && (sbm.len() - across).abs_diff(1275) < 130);
    }
    assert_eq!(erdos_renyi(50, Density::Edges(10), true, 1), None, "10 edges never join 50 nodes");
    assert!(tree(1, 0).is_empty());
    assert_eq!(tree(2, 0), [(0, 1)]);
}

#[test]
fn all_trees_and_all_graphs_are_drawn_equally_often() {
    // 16 labelled trees on 4 nodes, 15 graphs of two edges.
    let mut trees: Vec<Vec<Pair>> = (0..3200).map(|seed| tree(4, seed)).collect();
    trees.sort();
    let counts: Vec<usize> = trees.chunk_by(|a, b| a == b).map(<[_]>::len).collect();
    assert!(counts.len() == 16 && counts.iter().all(|c| (140..260).contains(c)), "{counts:?}");
    let draw = |seed| erdos_renyi(4, Density::Edges(2), false, seed).expect("drawn");
    let mut graphs: Vec<Vec<Pair>> = (0..3000).map(draw).collect();
    graphs.sort();
    let counts: Vec<usize> = graphs.chunk_by(|a, b| a == b).map(<[_]>::len).collect();
    assert!(counts.len() == 15 && counts.iter().all(|c| (140..260).contains(c)), "{counts:?}");
}

#[test]
fn grids_and_caves() {
    let flat = grid(4, 7, false);
    simple(28, &flat);
    assert_eq!(flat.len(), 4 * 6 + 3 * 7);
    assert!(flat.iter().all(|&(a, b)| b == a + 7 || b == a + 1 && b % 7 != 0));
    let round = grid(4, 7, true);
    simple(28, &round);
    assert!(degrees(28, &round).iter().all(|&d| d == 4));
    let caves = caveman(5, 6);
    simple(30, &caves);
    assert!(caves.len() == 5 * 15 && connected(30, &caves));
    let across = caves.iter().filter(|(a, b)| a / 6 != b / 6).count();
    assert_eq!(across, 5);
}

#[test]
fn the_same_seed_gives_the_same_graphs_everywhere() {
    // Recorded: integers and comparisons only, so that every machine must find them.
    assert_eq!(barabasi_albert(8, 2, 1), RECORDED_BA);
    assert_eq!(erdos_renyi(6, Density::Edges(5), false, 1).expect("drawn"), RECORDED_ER);
    assert_eq!(tree(7, 1), RECORDED_TREE);
    assert_eq!(block_model(&[3, 3], 0.8, 0.1, 1), RECORDED_SBM);
    assert_ne!(barabasi_albert(8, 2, 1), barabasi_albert(8, 2, 2));
}

const RECORDED_BA: &[Pair] =
    &[(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 3), (1, 4), (1, 6), (1, 7), (3, 5), (4, 6), (5, 7)];
const RECORDED_ER: &[Pair] = &[(0, 2), (0, 5), (1, 3), (2, 5), (4, 5)];
const RECORDED_TREE: &[Pair] = &[(0, 2), (0, 3), (1, 5), (2, 4), (3, 5), (4, 6)];
const RECORDED_SBM: &[Pair] = &[(0, 1), (0, 5), (1, 2), (3, 4), (3, 5), (4, 5)];

fn wanted(rule: &str, seed: u64) -> Wanted {
    let rule = Planted::new(rule).expect("a rule");
    Wanted { count: 60, rule, positive: 0.35, noise: 0.0, size: (8, 16), seed }
}

#[test]
fn molecules_respect_valences_and_are_balanced() {
    for name in RULES {
        let drawn = molecules(&wanted(name, 3)).expect("drawn");
        assert_eq!(drawn.iter().filter(|m| m.label).count(), 21, "35 % of 60");
        assert!(drawn.iter().any(|m| m.molecule.bonds.len() >= m.molecule.atoms.len()), "{name}: rings");
        for m in &drawn {
            let Molecule { atoms, bonds } = &m.molecule;
            assert!((8..=16).contains(&atoms.len()));
            let pairs: Vec<Pair> = bonds.iter().map(|&(a, b, _)| (a, b)).collect();
            assert!(connected(atoms.len(), &pairs));
            for (i, element) in atoms.iter().enumerate() {
                let own = bonds.iter().filter(|b| b.0 == i || b.1 == i);
                let order: u32 = own.map(|b| if b.2 { 2 } else { 1 }).sum();
                let valence = match *element {
                    "c" => 4,
                    "n" => 3,
                    "o" => 2,
                    _ => 1,
                };
                assert!(order <= valence, "{element} has {order} bonds");
            }
        }
        assert_eq!(drawn, molecules(&wanted(name, 3)).expect("drawn"));
        assert_ne!(drawn, molecules(&wanted(name, 4)).expect("drawn"));
    }
    let noisy = molecules(&Wanted { noise: 0.25, ..wanted("amide", 3) }).expect("drawn");
    let turned = noisy.iter().filter(|m| m.label != m.holds).count();
    assert!((6..=24).contains(&turned), "{turned}");
    let clean = molecules(&wanted("amide", 3)).expect("drawn");
    assert!(noisy.iter().zip(&clean).all(|(a, b)| a.molecule == b.molecule), "noise has a stream of its own");
    let tiny = Wanted { size: (2, 2), ..wanted("hexagon", 1) };
    assert_eq!(molecules(&tiny), Err(true), "no ring of six in two atoms");
}
