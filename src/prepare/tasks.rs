//! Facts made from the facts of a database, world by world.

use super::colours::{Coloured, histogram, refine};
use super::facts::{Made, Relation, Term};
use super::graph::{self, Matching, Norm};
use super::points::{self, Fourier, Near, Tree};
use super::read::{Facts, Graph, Points, unfit};
use super::spline::{self, Axis};
use crate::base::hash::{HashMap, HashSet};
use crate::data::vocabulary::number_text;
use crate::data::{ConstId, WorldId};
use crate::diag::{Diagnostic, Diagnostics, codes, counted};

/// What came out, or what is wrong with the facts.
pub type Outcome = Result<Made, Diagnostics>;

/// Which neighbours of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Which {
    /// The nearest ones, exactly so many.
    Nearest(usize),
    /// Those not farther away than `radius`, at most so many, the nearest.
    Within {
        /// The greatest distance.
        radius: f64,
        /// Greatest number.
        most: usize,
    },
}

/// What is said of neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Saying {
    /// Each point is a neighbour of itself.
    pub itself: bool,
    /// The value of a fact is the distance.
    pub distance: bool,
    /// Pseudo-coordinates of each pair.
    pub pseudo: bool,
}

fn constants(key: &[ConstId]) -> Vec<Term> {
    key.iter().map(|c| Term::Constant(*c)).collect()
}

/// `near(Y,X)` for each neighbour `Y` of each point `X`.
pub fn neighbours(facts: Facts<'_>, points: &str, which: Which, saying: Saying) -> Outcome {
    let mut made = Made::default();
    for group in facts.points("points", points, 1..2)? {
        let n = group.keys.len();
        if let Which::Nearest(k) = which
            && k > n - usize::from(!saying.itself)
        {
            let others = if saying.itself { "" } else { "other " };
            let there = counted(n - usize::from(!saying.itself), &format!("{others}point"));
            let title = format!("no point has {k} neighbours where there are {there}");
            let last = group.spans[n - 1];
            return Err(vec![unfit(title).label(last, format!("the last of {}", counted(n, "point")))]);
        }
        let tree = Tree::new(&group.space);
        let found = |x: usize| -> Vec<Near> {
            match which {
                Which::Nearest(k) => tree.nearest(x, k, saying.itself),
                Which::Within { radius, most } => tree.within(x, radius, most, saying.itself),
            }
        };
        let mut near = Relation::new("near", &["neighbour", "point"]);
        let mut pairs = Vec::new();
        for x in 0..n {
            for y in found(x) {
                let value = if saying.distance { vec![y.squared.sqrt()] } else { Vec::new() };
                near.push([constants(&group.keys[y.point]), constants(&group.keys[x])].concat(), value);
                pairs.push((y.point, x));
            }
        }
        let mut relations = vec![near];
        if saying.pseudo {
            let mut pseudo = Relation::new("pseudo", &["neighbour", "point"]);
            for (&(y, x), value) in pairs.iter().zip(points::pseudo(&group.space, &pairs)) {
                pseudo.push([constants(&group.keys[y]), constants(&group.keys[x])].concat(), value);
            }
            relations.push(pseudo);
        }
        made.add(group.world, relations);
    }
    Ok(made)
}

/// How many points are sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampled {
    /// So many.
    Count(usize),
    /// This share of them, rounded up.
    Ratio(f64),
}

/// `center(C)` for the sampled points, in the order of their choice, and `cluster(X,C)` for each point and its nearest one.
/// The sample begins with the point `start`, or that which is stated first.
pub fn farthest(facts: Facts<'_>, points: &str, sampled: Sampled, start: Option<&str>) -> Outcome {
    let mut made = Made::default();
    for group in facts.points("points", points, 1..2)? {
        let n = group.keys.len();
        let first = match start {
            None => 0,
            Some(name) => {
                let named = |key: &Vec<ConstId>| facts.vocabulary.constant_text(key[0]) == name;
                group.keys.iter().position(named).ok_or_else(|| {
                    let d = unfit(format!("no point is called `{name}`"));
                    vec![d.label(group.spans[0], "the first point")]
                })?
            }
        };
        let count = match sampled {
            Sampled::Count(count) => count,
            Sampled::Ratio(ratio) => ((ratio * n as f64).ceil() as usize).max(1),
        };
        let (chosen, owner) = points::farthest(&group.space, count, first);
        if chosen.len() < count {
            let places = counted(chosen.len(), "different place");
            let title = format!("{} cannot be chosen from {places}", counted(count, "point"));
            let label = format!("the last of {}", counted(n, "point"));
            return Err(vec![unfit(title).label(group.spans[n - 1], label)]);
        }
        let mut center = Relation::new("center", &["center"]);
        chosen.iter().for_each(|&c| center.push(constants(&group.keys[c]), []));
        let cluster = clusters(n, |i| constants(&group.keys[i]), |i| chosen[owner[i]]);
        made.add(group.world, vec![center, cluster]);
    }
    Ok(made)
}

/// `cluster(X,C)`, where `C` is a member of the cluster.
fn clusters(n: usize, name: impl Fn(usize) -> Vec<Term>, of: impl Fn(usize) -> usize) -> Relation {
    let mut cluster = Relation::new("cluster", &["member", "cluster"]);
    (0..n).for_each(|i| cluster.push([name(i), name(of(i))].concat(), []));
    cluster
}

/// `cluster(X,C)` for the cells of a grid, `C` being the cell's first point, and `mean(C)` with the mean of its points. `size`
/// and `origin` have one element or one for each coordinate; without an origin a corner is at the least coordinates.
pub fn voxel(facts: Facts<'_>, points: &str, size: &[f64], origin: Option<&[f64]>) -> Outcome {
    let mut made = Made::default();
    for group in facts.points("points", points, 1..2)? {
        let n = group.keys.len();
        let size = spread("size", size, &group)?;
        let origin = match origin {
            Some(given) => spread("origin", given, &group)?,
            None => points::corner(&group.space),
        };
        let far = |i: &usize| {
            let place = group.space.point(*i).iter().zip(&size).zip(&origin);
            place.into_iter().any(|((x, s), o)| !((x - o) / s).is_finite())
        };
        if let Some(i) = (0..n).find(far) {
            let d = unfit("a cell so far from the origin has no number");
            return Err(vec![d.label(group.spans[i], "this point").help("make the cells larger")]);
        }
        let cells = points::voxels(&group.space, &size, &origin);
        let mut of = vec![0; n];
        let mut mean = Relation::new("mean", &["cluster"]);
        for members in &cells {
            members.iter().for_each(|&i| of[i] = members[0]);
            mean.push(constants(&group.keys[members[0]]), points::mean(&group.space, members));
        }
        made.add(group.world, vec![clusters(n, |i| constants(&group.keys[i]), |i| of[i]), mean]);
    }
    Ok(made)
}

/// One number for each coordinate.
fn spread<T: Copy>(option: &str, given: &[T], group: &Points) -> Result<Vec<T>, Diagnostics> {
    let dim = group.space.dim();
    match given {
        [one] => Ok(vec![*one; dim]),
        many if many.len() == dim => Ok(many.to_vec()),
        many => {
            let title = format!("`--{option}` has {}, a point has {dim}", counted(many.len(), "number"));
            let d = unfit(title).label(group.spans[0], counted(dim, "coordinate"));
            Err(vec![d.help("give one number for all coordinates, or one for each")])
        }
    }
}

/// `fourier(…)` with the random Fourier features of each point.
pub fn fourier(facts: Facts<'_>, points: &str, features: usize, scale: f64, seed: u64) -> Outcome {
    let mut made = Made::default();
    for group in facts.points("points", points, 1..usize::MAX)? {
        let drawn = Fourier::new(group.space.dim(), features, scale, seed);
        let mut relation = Relation::new("fourier", &[]);
        relation.columns = arguments(group.keys[0].len());
        for (i, key) in group.keys.iter().enumerate() {
            relation.push(constants(key), drawn.of(group.space.point(i)));
        }
        made.add(group.world, vec![relation]);
    }
    Ok(made)
}

fn arguments(n: usize) -> Vec<String> {
    (1..=n).map(|i| format!("argument{i}")).collect()
}

/// `basis(K,…)` for each pseudo-coordinate and each kernel whose basis there is not zero. `kernels` has one element or one for
/// each coordinate.
pub fn bspline(facts: Facts<'_>, pseudo: &str, degree: usize, kernels: &[usize], closed: bool) -> Outcome {
    let mut made = Made::default();
    for group in facts.points("pseudo", pseudo, 1..usize::MAX)? {
        let axes = spread("kernels", kernels, &group)?;
        let axes: Vec<Axis> = axes.into_iter().map(|kernels| Axis { kernels, closed }).collect();
        let mut basis = Relation::new("basis", &["kernel"]);
        basis.columns.extend(arguments(group.keys[0].len()));
        let mut faults = Vec::new();
        for (i, key) in group.keys.iter().enumerate() {
            let u = group.space.point(i);
            if let Some(x) = u.iter().find(|x| !(0.0..=1.0).contains(*x)) {
                let d = unfit(format!("the pseudo-coordinate {} is not between 0 and 1", number_text(*x)));
                let help = "`nlog data knn --pseudo` and `nlog data radius --pseudo` make some that are";
                faults.push(d.label(group.spans[i], "of this fact").help(help));
                break;
            }
            for (kernel, value) in spline::basis(u, degree, &axes) {
                basis.push([vec![Term::Number(kernel)], constants(key)].concat(), [value]);
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        made.add(group.world, vec![basis]);
    }
    Ok(made)
}

fn nodes(graph: &Graph) -> impl Fn(usize) -> Vec<Term> + '_ {
    |i| vec![Term::Constant(graph.nodes[i])]
}

fn weighted(name: &str, graph: &Graph, edges: &[graph::Edge]) -> Relation {
    let mut out = Relation::new(name, &["from", "to"]);
    let node = nodes(graph);
    edges.iter().for_each(|&(a, b, w)| out.push([node(a), node(b)].concat(), [w]));
    out
}

/// `cluster(X,C)` with the clusters of `levels` matchings, `C` being a member, and `coarse(C,D)` with the sums of the weights of
/// the edges between different clusters, in the directions of the edges.
pub fn graclus(
    facts: Facts<'_>,
    (edges, named): (&str, Option<&str>),
    levels: usize,
    matching: Matching,
    seed: Option<u64>,
) -> Outcome {
    let mut made = Made::default();
    for graph in facts.graphs(edges, named)? {
        let weights = facts.weights(&graph)?;
        let cluster = graph::coarsen(graph.nodes.len(), &weights, levels, matching, seed);
        let coarse = weighted("coarse", &graph, &graph::between(&cluster, &weights));
        made.add(graph.world, vec![clusters(graph.nodes.len(), nodes(&graph), |i| cluster[i]), coarse]);
    }
    Ok(made)
}

/// What is done with a Laplacian.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scaling {
    /// Nothing.
    None,
    /// `2 L / λ - I` with the greatest eigenvalue of each graph.
    Greatest,
    /// The same with this number for `λ`.
    By(f64),
}

/// `lap(Y,X)` with the entry in row `X` and column `Y` of the Laplacian, so that `h(X) :- lap(Y,X), h(Y).` multiplies by it.
pub fn laplacian(
    facts: Facts<'_>,
    (edges, named): (&str, Option<&str>),
    both_ways: bool,
    norm: Norm,
    scaling: Scaling,
) -> Outcome {
    let mut made = Made::default();
    for mut graph in facts.graphs(edges, named)? {
        let mut weights = facts.weights(&graph)?;
        if both_ways {
            graph.both_ways();
            weights = facts.weights(&graph)?;
        }
        symmetric(&facts, &graph, &weights)?;
        let n = graph.nodes.len();
        let mut entries = graph::laplacian(n, &weights, norm);
        let by = match scaling {
            Scaling::None => None,
            Scaling::By(value) => Some(value),
            Scaling::Greatest => {
                let found = graph::greatest(n, &weights, norm);
                if found.value <= 0.0 {
                    let title = "a Laplacian of zeros cannot be scaled: no edge joins two nodes";
                    let d = unfit(title);
                    return Err(vec![match graph.edges.first() {
                        Some(e) => d.label(e.span, "the first edge"),
                        None => d.note("an example has nodes and no edge"),
                    }]);
                }
                let place = match graph.world {
                    WorldId::SHARED => String::new(),
                    world => format!("example {}: ", world.0),
                };
                let how = match found.steps {
                    None => "a component is bipartite".to_string(),
                    Some(steps) => {
                        format!(
                            "power iteration, {}, residual {:.0e}",
                            counted(steps, "step"),
                            found.residual
                        )
                    }
                };
                made.comments.push(format!("{place}lambda_max = {} ({how})", number_text(found.value)));
                Some(found.value)
            }
        };
        if let Some(by) = by {
            entries = graph::scaled(n, &entries, by);
        }
        let turned: Vec<graph::Edge> = entries.into_iter().map(|(row, column, v)| (column, row, v)).collect();
        made.add(graph.world, vec![weighted("lap", &graph, &turned)]);
    }
    Ok(made)
}

/// An error at the first edge whose weight is not that of its reverse.
fn symmetric(facts: &Facts<'_>, graph: &Graph, weights: &[graph::Edge]) -> Result<(), Diagnostics> {
    let mut sums: HashMap<(usize, usize), f64> = HashMap::default();
    weights.iter().for_each(|&(a, b, w)| *sums.entry((a, b)).or_insert(0.0) += w);
    let reverse = |a: usize, b: usize| sums.get(&(b, a)).copied();
    let lone = graph.edges.iter().find(|e| reverse(e.from, e.to) != sums.get(&(e.from, e.to)).copied());
    let Some(e) = lone else { return Ok(()) };
    let name = |i: usize| facts.vocabulary.constant_text(graph.nodes[i]);
    let (a, b) = (name(e.from), name(e.to));
    let d = unfit("a Laplacian needs edges in both directions, with one weight");
    let d = match reverse(e.from, e.to) {
        None => d.label(e.span, format!("there is none from `{b}` to `{a}`")),
        Some(w) => d.label(e.span, format!("from `{b}` to `{a}` the weight is {}", number_text(w))),
    };
    Err(vec![d.help("`--undirected` adds the directions that are not stated")])
}

/// Which edges of a node are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Those that end at it, as messages do.
    In,
    /// Those that begin at it.
    Out,
}

/// `degree(X)` with the number of edges of each node, and `delta` with the mean of `log(degree + 1)` over all nodes of all
/// graphs; a comment says how degrees are spread.
pub fn degree(
    facts: Facts<'_>,
    (edges, named): (&str, Option<&str>),
    both_ways: bool,
    direction: Direction,
) -> Outcome {
    let mut made = Made::default();
    let mut all = Vec::new();
    let mut delta = Relation::new("delta", &[]);
    let mut worlds = Vec::new();
    for mut graph in facts.graphs(edges, named)? {
        if both_ways {
            graph.both_ways();
        }
        let mut degrees = vec![0usize; graph.nodes.len()];
        for e in &graph.edges {
            degrees[if direction == Direction::In { e.to } else { e.from }] += 1;
        }
        let mut relation = Relation::new("degree", &["node"]);
        let node = nodes(&graph);
        degrees.iter().enumerate().for_each(|(i, &d)| relation.push(node(i), [d as f64]));
        all.extend(degrees);
        worlds.push((graph.world, relation));
    }
    delta.push([], [graph::delta(&all)]);
    let (least, most) = (all.iter().min().copied(), all.iter().max().copied());
    let mean = all.iter().sum::<usize>() as f64 / all.len() as f64;
    made.comments.push(format!(
        "{}, degrees {} to {}, mean {}, mean log(degree + 1) = {}",
        counted(all.len(), "node"),
        least.unwrap_or(0),
        most.unwrap_or(0),
        number_text(mean),
        number_text(graph::delta(&all))
    ));
    let spread: Vec<String> = histogram(&all).iter().map(|(d, n)| format!("{n} of degree {d}")).collect();
    made.comments.push(spread.join(", "));
    worlds.into_iter().for_each(|(world, relation)| made.add(world, vec![relation]));
    made.shared.push(delta);
    Ok(made)
}

/// `color(X,C)` with the colour of each node after refinement, and `colors(C)` with the number of nodes of each colour of the
/// graph. Graphs of several examples have the same colours; a comment says which of them cannot be told apart.
pub fn colours(
    facts: Facts<'_>,
    (edges, named): (&str, Option<&str>),
    labels: &[String],
    both_ways: bool,
    rounds: Option<usize>,
) -> Outcome {
    let mut graphs = facts.graphs(edges, named)?;
    if both_ways {
        graphs.iter_mut().for_each(Graph::both_ways);
    }
    let texts = facts.labels(labels, &graphs)?;
    let numbers = |mut all: Vec<String>| {
        all.sort_unstable();
        all.dedup();
        move |text: &String| all.partition_point(|t| t < text)
    };
    let label = numbers(texts.iter().flatten().cloned().collect());
    let kind_text = |e: &super::read::EdgeFact| {
        let rest: Vec<&str> = e.rest.iter().map(|c| facts.vocabulary.constant_text(*c)).collect();
        format!("({}) {:?}", rest.join(","), e.value)
    };
    let kind = numbers(graphs.iter().flat_map(|g| &g.edges).map(kind_text).collect());
    let mut coloured = Vec::new();
    for (graph, texts) in graphs.iter().zip(&texts) {
        let mut sees = vec![Vec::new(); graph.nodes.len()];
        graph.edges.iter().for_each(|e| sees[e.to].push((kind(&kind_text(e)), e.from)));
        coloured.push(Coloured { first: texts.iter().map(&label).collect(), sees });
    }
    let (colours, done) = refine(&coloured, rounds);
    let mut made = Made::default();
    let classes: HashSet<usize> = colours.iter().flatten().copied().collect();
    made.comments.push(format!("{}, {}", counted(classes.len(), "color"), counted(done, "round")));
    let mut alike: Vec<(Vec<(usize, usize)>, Vec<u32>)> = Vec::new();
    for (graph, own) in graphs.iter().zip(&colours) {
        let (mut color, mut colors) =
            (Relation::new("color", &["node", "color"]), Relation::new("colors", &["color"]));
        for (node, c) in graph.nodes.iter().zip(own) {
            color.push([Term::Constant(*node), Term::Number(*c)], []);
        }
        let counts = histogram(own);
        counts.iter().for_each(|&(c, n)| colors.push([Term::Number(c)], [n as f64]));
        match alike.iter_mut().find(|(other, _)| *other == counts) {
            Some((_, worlds)) => worlds.push(graph.world.0),
            None => alike.push((counts, vec![graph.world.0])),
        }
        made.add(graph.world, vec![color, colors]);
    }
    if graphs.len() > 1 {
        let groups = counted(alike.len(), "group");
        made.comments.push(format!("{} in {groups} with the same colors", counted(graphs.len(), "graph")));
        for (_, worlds) in alike.iter().filter(|(_, worlds)| worlds.len() > 1) {
            let list: Vec<String> = worlds.iter().map(u32::to_string).collect();
            made.comments.push(format!("not told apart: the examples {}", list.join(", ")));
        }
    }
    Ok(made)
}

/// Checks that options which do not depend on facts fit each other: an open spline has more kernels than its degree.
pub fn check_kernels(degree: usize, kernels: &[usize], closed: bool) -> Result<(), Box<Diagnostic>> {
    match kernels.iter().find(|&&k| !closed && k <= degree) {
        None => Ok(()),
        Some(k) => {
            let title = format!("an open spline of degree {degree} has more than {degree} kernels, not {k}");
            Err(Box::new(Diagnostic::new(codes::USAGE, title)))
        }
    }
}
