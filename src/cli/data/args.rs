//! Arguments of `nlog data`. The examples in the help texts are run by a test: indented lines below `says` are a file, those
//! below `prints` what the command between quotes prints for it.

use crate::prepare::generate::Density;
use crate::prepare::molecules::RULES;
use crate::prepare::spline::MOST_DEGREE;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Most nodes of a made-up graph, and most features, kernels and so on: far beyond use, and before the memory is gone.
pub const MOST: u64 = 10_000_000;

fn above_zero(text: &str) -> Result<f64, String> {
    number(text).and_then(|x| if x > 0.0 { Ok(x) } else { Err("it must be above 0".to_string()) })
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|x: &f64| x.is_finite()).ok_or_else(|| "it must be a finite number".to_string())
}

fn share(text: &str) -> Result<f64, String> {
    number(text).and_then(|x| {
        if (0.0..=1.0).contains(&x) { Ok(x) } else { Err("it must be between 0 and 1".to_string()) }
    })
}

fn count(text: &str) -> Result<usize, String> {
    let fits = |n: &u64| (1..=MOST).contains(n);
    let n = text.parse::<u64>().ok().filter(fits);
    n.map(|n| n as usize).ok_or_else(|| format!("it must be a whole number from 1 to {MOST}"))
}

/// `nlog data`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "What comes out are facts that a run reads beside the data. If the data are examples, it is the data \
                        itself with the facts inside each example, to be read in its place.\n\n`nlog data knn --help` says \
                        more about one, with an example."
)]
pub struct DataArgs {
    /// What to make.
    #[command(subcommand)]
    pub task: Task,
}

/// What `nlog data` makes.
#[derive(Debug, Clone, Subcommand)]
pub enum Task {
    /// The k nearest neighbours of each point: near(Y,X).
    Knn(KnnArgs),
    /// The neighbours of each point within a distance: near(Y,X).
    Radius(RadiusArgs),
    /// Points that lie far apart, and the nearest of them to each point: center(C), cluster(X,C).
    Fps(FpsArgs),
    /// Pairs of nodes joined by heavy edges: cluster(X,C), and the edges between clusters, coarse(C,D).
    Graclus(GraclusArgs),
    /// Points in the same cell of a grid: cluster(X,C), and their means, mean(C).
    Voxel(VoxelArgs),
    /// B-spline bases of pseudo-coordinates: basis(K,Y,X).
    Bspline(BsplineArgs),
    /// The entries of a graph's Laplacian, scaled for Chebyshev polynomials: lap(Y,X).
    Laplacian(LaplacianArgs),
    /// Degrees of nodes, and the mean of their logarithms: degree(X), delta.
    Degree(DegreeArgs),
    /// Colors of nodes by colour refinement (Weisfeiler-Leman), and how many there are: color(X,C), colors(C).
    Wl(WlArgs),
    /// Random Fourier features of points: fourier(X).
    Fourier(FourierArgs),
    /// Graphs and molecules made up.
    Generate(GenerateArgs),
}

/// Which facts to read.
#[derive(Debug, Clone, Args)]
pub struct InArgs {
    /// Facts and examples (`-`: standard input); tables of facts (.csv, .tsv, SQLite, Parquet).
    #[arg(value_name = "DATA")]
    pub data: Vec<PathBuf>,
    /// Examples, one per statement (the reference engine's format).
    #[arg(long, value_name = "FILE")]
    pub examples: Option<PathBuf>,
}

/// How facts are written.
#[derive(Debug, Clone, Args)]
pub struct OutArgs {
    /// Write to a file in place of standard output; a file FILE.csv or FILE.tsv is a table of the facts of FILE. May be
    /// repeated.
    #[arg(short, long, value_name = "FILE", help_heading = "Results")]
    pub output: Vec<PathBuf>,
    /// How to write to standard output and to files whose names do not tell [default: db].
    #[arg(long, value_enum, help_heading = "Results")]
    pub format: Option<Format>,
    /// Only the facts of one predicate.
    #[arg(long, value_name = "NAME", help_heading = "Results")]
    pub only: Option<String>,
    /// Give a predicate another name; may be repeated.
    #[arg(long, value_name = "NAME=NEW", help_heading = "Results")]
    pub rename: Vec<String>,
}

/// A form of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text.
    Db,
    /// A table with commas.
    Csv,
    /// A table with tabs.
    Tsv,
}

/// Which facts are points.
#[derive(Debug, Clone, Args)]
pub struct PointArgs {
    /// Where the facts are.
    #[command(flatten)]
    pub input: InArgs,
    /// The predicate whose values are the points.
    #[arg(long, value_name = "NAME", default_value = "pos")]
    pub points: String,
}

/// Which facts are edges.
#[derive(Debug, Clone, Args)]
pub struct EdgeArgs {
    /// Where the facts are.
    #[command(flatten)]
    pub input: InArgs,
    /// The predicate whose first two arguments are joined; the value is the weight.
    #[arg(long, value_name = "NAME", default_value = "edge")]
    pub edges: String,
    /// A predicate whose first argument is a node, for nodes without edges.
    #[arg(long, value_name = "NAME")]
    pub nodes: Option<String>,
}

/// What to say of neighbours.
#[derive(Debug, Clone, Copy, Args)]
pub struct SayArgs {
    /// Each point is also a neighbour of itself.
    #[arg(long = "loop")]
    pub itself: bool,
    /// The distance is the value of the fact.
    #[arg(long)]
    pub distance: bool,
    /// Also pseudo(Y,X): the difference of the points, scaled to 0 … 1 by the greatest of all, for `nlog data bspline`.
    #[arg(long)]
    pub pseudo: bool,
}

/// `nlog data knn`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Nearest first; of equally near points those stated first.

Example: points.db says
    <[0,0]> pos(a). <[1,0]> pos(b). <[5,0]> pos(c).
and `nlog data knn points.db --k 1 --distance` prints
    <1> near(b,a).
    <1> near(a,b).
    <4> near(b,c).")]
pub struct KnnArgs {
    /// Points.
    #[command(flatten)]
    pub points: PointArgs,
    /// Number of neighbours.
    #[arg(long, value_parser = count)]
    pub k: usize,
    /// Facts.
    #[command(flatten)]
    pub say: SayArgs,
    /// Results.
    #[command(flatten)]
    pub out: OutArgs,
}

/// `nlog data radius`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Example: points.db says
    <[0,0]> pos(a). <[1,0]> pos(b). <[5,0]> pos(c).
and `nlog data radius points.db --radius 2` prints
    near(b,a).
    near(a,b).")]
pub struct RadiusArgs {
    /// Points.
    #[command(flatten)]
    pub points: PointArgs,
    /// The greatest distance, itself included.
    #[arg(long, value_name = "X", value_parser = above_zero)]
    pub radius: f64,
    /// At most so many neighbours of each point, the nearest.
    #[arg(long, value_name = "N", value_parser = count)]
    pub most: Option<usize>,
    /// Facts.
    #[command(flatten)]
    pub say: SayArgs,
    /// Results.
    #[command(flatten)]
    pub out: OutArgs,
}

/// `nlog data fps`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Farthest point sampling: again and again the point that is farthest from those chosen.

Example: points.db says
    <[0]> pos(a). <[1]> pos(b). <[5]> pos(c). <[6]> pos(d).
and `nlog data fps points.db --count 2` prints
    center(a).
    center(d).
    cluster(a,a).
    cluster(b,a).
    cluster(c,d).
    cluster(d,d).")]
pub struct FpsArgs {
    /// Points.
    #[command(flatten)]
    pub points: PointArgs,
    /// How many points to choose.
    #[arg(long, value_name = "N", value_parser = count, conflicts_with = "ratio", required_unless_present = "ratio")]
    pub count: Option<usize>,
    /// Which share of the points to choose, rounded up.
    #[arg(long, value_name = "X", value_parser = share)]
    pub ratio: Option<f64>,
    /// The point to begin with [default: the first].
    #[arg(long, value_name = "POINT")]
    pub start: Option<String>,
    /// Results.
    #[command(flatten)]
    pub out: OutArgs,
}

/// `nlog data graclus`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Each node in turn is joined with the free neighbour at its heaviest edge; the weights of both directions are added. A cluster
has the name of its first member.

Example: graph.db says
    <1> edge(a,b). <3> edge(b,c). <2> edge(c,d).
and `nlog data graclus graph.db` prints
    cluster(a,a).
    cluster(b,a).
    cluster(c,c).
    cluster(d,c).
    <3> coarse(a,c).")]
pub struct GraclusArgs {
    /// Edges.
    #[command(flatten)]
    pub edges: EdgeArgs,
    /// How often clusters are joined again: a cluster has at most 2^N nodes.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = count)]
    pub levels: usize,
    /// Prefer the greatest w (1/d + 1/d'), with the weights d and d' of all edges of both nodes (normalised cut).
    #[arg(long)]
    pub cut: bool,
    /// Visit the nodes in a random order, not in that of their first mention.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Results.
    #[command(flatten)]
    pub out: OutArgs,
}

/// `nlog data voxel`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
A cluster has the name of its first member.

Example: points.db says
    <[0,0]> pos(a). <[1,0]> pos(b). <[5,0]> pos(c).
and `nlog data voxel points.db --size 2` prints
    cluster(a,a).
    cluster(b,a).
    cluster(c,c).
    <[0.5,0]> mean(a).
    <[5,0]> mean(c).")]
pub struct VoxelArgs {
    /// Points.
    #[command(flatten)]
    pub points: PointArgs,
    /// The edges of a cell: one length, or one for each coordinate (2,2,1).
    #[arg(long, value_name = "X,…", value_parser = above_zero, value_delimiter = ',', required = true)]
    pub size: Vec<f64>,
    /// A corner of a cell [default: the least coordinates of the points].
    #[arg(long, value_name = "X,…", value_parser = number, value_delimiter = ',', allow_negative_numbers = true)]
    pub origin: Option<Vec<f64>>,
    /// Results.
    #[command(flatten)]
    pub out: OutArgs,
}

/// `nlog data bspline`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
A uniform spline as in SplineCNN; bases that are zero are left out, and those of one fact add up to 1. In several dimensions
kernel (k1,k2) has the number k1 + K1 k2.

Example: pairs.db says
    <0.25> pseudo(b,a). <1> pseudo(c,a).
and `nlog data bspline pairs.db --kernels 3` prints
    <0.5> basis(0,b,a).
    <0.5> basis(1,b,a).
    <1> basis(2,c,a).")]
pub struct BsplineArgs {
    /// Where the facts are.
    #[command(flatten)]
    pub input: InArgs,
    /// The predicate whose values are pseudo-coordinates, each from 0 to 1.
    #[arg(long, value_name = "NAME", default_value = "pseudo")]
    pub pseudo: String,
    /// The degree: 1, 2 or 3.
    #[arg(long, value_name = "M", default_value_t = 1, value_parser = degree)]
    pub degree: usize,
    /// Number of kernels: one, or one for each coordinate (5,5,3).
    #[arg(long, value_name = "K,…", value_parser = count, value_delimiter = ',', required = true)]
    pub kernels: Vec<usize>,
    /// The first kernel follows on the last, as for angles.
    #[arg(long)]
    pub closed: bool,
    /// Results.
    #[command(flatten)]
    pub out: OutArgs,
}

fn degree(text: &str) -> Result<usize, String> {
    let n = text.parse().ok().filter(|n| (1..=MOST_DEGREE).contains(n));
    n.ok_or_else(|| format!("it must be 1 to {MOST_DEGREE}"))
}

/// `nlog data laplacian`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Entries that are zero are left out. `h(X) :- lap(Y,X), h(Y).` with products and a sum multiplies by the matrix.

Example: graph.db says
    edge(a,b). edge(b,c). edge(c,a).
and `nlog data laplacian graph.db --undirected --unscaled` prints
    <1> lap(a,a).
    <-0.5> lap(b,a).
    <-0.5> lap(c,a).
    <-0.5> lap(a,b).
    <1> lap(b,b).
    <-0.5> lap(c,b).
    <-0.5> lap(a,c).
    <-0.5> lap(b,c).
    <1> lap(c,c).")]
pub struct LaplacianArgs {
    /// Edges.
    #[command(flatten)]
    pub edges: EdgeArgs,
    /// Add the reverse of each edge that is not stated.
    #[arg(long)]
    pub undirected: bool,
    /// Which Laplacian.
    #[arg(long, value_enum, default_value_t = NormName::Sym)]
    pub norm: NormName,
    /// The matrix itself, not 2 L / lambda_max - I.
    #[arg(long)]
    pub unscaled: bool,
    /// Take this number for lambda_max (2 is an upper bound for `sym` and `rw`), in place of an estimate by power iteration.
    #[arg(long, value_name = "X", value_parser = above_zero, conflicts_with = "unscaled")]
    pub lambda: Option<f64>,
    /// Results.
    #[command(flatten)]
    pub out: OutArgs,
}

/// A Laplacian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NormName {
    /// I - D^-1/2 A D^-1/2.
    Sym,
    /// I - D^-1 A.
    Rw,
    /// D - A.
    None,
}

/// `nlog data degree`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
`delta`, the mean of log(degree + 1) over all nodes of all examples, is what PNA divides by.

Example: graph.db says
    edge(a,c). edge(b,c).
and `nlog data degree graph.db` prints
    % 3 nodes, degrees 0 to 2, mean 0.6666666666666666, mean log(degree + 1) = 0.3662040962227033
    % 2 of degree 0, 1 of degree 2
    <0> degree(a).
    <2> degree(c).
    <0> degree(b).
    <0.3662040962227033> delta.")]
pub struct DegreeArgs {
    /// Edges.
    #[command(flatten)]
    pub edges: EdgeArgs,
    /// Add the reverse of each edge that is not stated.
    #[arg(long)]
    pub undirected: bool,
    /// Count edges that begin at a node, not those that end at it.
    #[arg(long, conflicts_with = "undirected")]
    pub outgoing: bool,
    /// Results.
    #[command(flatten)]
    pub out: OutArgs,
}

/// `nlog data wl`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
A node sees the nodes from which edges come, with the edges' further arguments and values. Examples share their colors.

Example: graph.db says
    edge(a,b). edge(b,c).
and `nlog data wl graph.db --undirected` prints
    % 2 colors, 1 round
    color(a,0).
    color(b,1).
    color(c,0).
    <2> colors(0).
    <1> colors(1).")]
pub struct WlArgs {
    /// Edges.
    #[command(flatten)]
    pub edges: EdgeArgs,
    /// A predicate that tells nodes apart from the beginning, by further arguments and values; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub labels: Vec<String>,
    /// Add the reverse of each edge that is not stated.
    #[arg(long)]
    pub undirected: bool,
    /// Most rounds [default: until no color is divided].
    #[arg(long, value_name = "N")]
    pub rounds: Option<usize>,
    /// Results.
    #[command(flatten)]
    pub out: OutArgs,
}

/// `nlog data fourier`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
sqrt(2/D) cos(W x + b): the product of two points' features estimates exp(-distance^2 / (2 scale^2)).

Example: points.db says
    <[0,0]> pos(a). <[1,0]> pos(b).
and `nlog data fourier points.db --features 2 --seed 1` prints
    <[0.040272659369435936,-0.4786427792661756]> fourier(a).
    <[-0.9993498272325341,-0.6600584502104839]> fourier(b).")]
pub struct FourierArgs {
    /// Points.
    #[command(flatten)]
    pub points: PointArgs,
    /// Number of features.
    #[arg(long, value_name = "D", value_parser = count)]
    pub features: usize,
    /// The distance at which points are told apart.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = above_zero)]
    pub scale: f64,
    /// Seed of the frequencies.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Results.
    #[command(flatten)]
    pub out: OutArgs,
}

/// `nlog data generate`.
#[derive(Debug, Clone, Args)]
pub struct GenerateArgs {
    /// What to make up.
    #[command(subcommand)]
    pub what: Generated,
}

/// What `nlog data generate` makes up.
#[derive(Debug, Clone, Subcommand)]
pub enum Generated {
    /// Barabasi-Albert: new nodes join M others, those with many edges more often.
    Ba(BaArgs),
    /// Erdos-Renyi: pairs of nodes are edges by chance.
    Er(ErArgs),
    /// A grid, with the place of each node: pos(X).
    Grid(GridArgs),
    /// A random tree; with the parent of each node: parent(P,C).
    Tree(TreeArgs),
    /// A stochastic block model: pairs are edges by chance, more often inside a block: block(X,B).
    Sbm(SbmArgs),
    /// A connected caveman graph: complete graphs in a circle: cave(X,C).
    Caveman(CavemanArgs),
    /// Molecules as examples, labelled by a planted rule.
    Molecules(MoleculeArgs),
}

/// What generators of graphs have in common.
#[derive(Debug, Clone, Args)]
pub struct MakeArgs {
    /// Seed of all random numbers.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Each edge once, not in both directions.
    #[arg(long)]
    pub once: bool,
    /// Results.
    #[command(flatten)]
    pub out: OutArgs,
}

/// `nlog data generate ba`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
It begins with a star of M + 1 nodes, and is connected.

Example: `nlog data generate ba --nodes 5 --m 1 --once --seed 1` prints
    % Barabasi-Albert, m = 1, seed 1: 5 nodes, 4 edges
    edge(n0,n1).
    edge(n0,n2).
    edge(n0,n4).
    edge(n1,n3).")]
pub struct BaArgs {
    /// Number of nodes.
    #[arg(long, value_name = "N", value_parser = count)]
    pub nodes: usize,
    /// Edges of each new node.
    #[arg(long, value_parser = count)]
    pub m: usize,
    /// More.
    #[command(flatten)]
    pub make: MakeArgs,
}

/// `nlog data generate er`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Example: `nlog data generate er --nodes 4 --edges 3 --once --seed 1` prints
    % Erdos-Renyi, 3 edges, seed 1: 4 nodes, 3 edges
    edge(n0,n1).
    edge(n0,n2).
    edge(n1,n3).")]
pub struct ErArgs {
    /// Number of nodes.
    #[arg(long, value_name = "N", value_parser = count)]
    pub nodes: usize,
    /// The probability that a pair is an edge.
    #[arg(long, value_name = "X", value_parser = share, conflicts_with = "edges", required_unless_present = "edges")]
    pub p: Option<f64>,
    /// Exactly so many edges.
    #[arg(long, value_name = "M")]
    pub edges: Option<usize>,
    /// Draw until the graph is connected.
    #[arg(long)]
    pub connected: bool,
    /// More.
    #[command(flatten)]
    pub make: MakeArgs,
}

impl ErArgs {
    /// Which graphs, as the one or the other option says.
    pub fn density(&self) -> Density {
        match (self.edges, self.p) {
            (Some(m), _) => Density::Edges(m),
            (None, p) => Density::Probability(p.unwrap_or(0.0)),
        }
    }
}

/// `nlog data generate grid`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Example: `nlog data generate grid --rows 2 --columns 2 --once` prints
    % grid of 2 x 2: 4 nodes, 4 edges
    edge(n0,n1).
    edge(n0,n2).
    edge(n1,n3).
    edge(n2,n3).
    <[0,0]> pos(n0).
    <[0,1]> pos(n1).
    <[1,0]> pos(n2).
    <[1,1]> pos(n3).")]
pub struct GridArgs {
    /// Number of rows.
    #[arg(long, value_name = "N", value_parser = count)]
    pub rows: usize,
    /// Number of columns.
    #[arg(long, value_name = "N", value_parser = count)]
    pub columns: usize,
    /// Join the ends of each row and column.
    #[arg(long)]
    pub torus: bool,
    /// More.
    #[command(flatten)]
    pub make: MakeArgs,
}

/// `nlog data generate tree`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
All trees on numbered nodes are equally likely; the root is n0.

Example: `nlog data generate tree --nodes 4 --once --seed 1` prints
    % random tree, seed 1: 4 nodes, 3 edges
    edge(n0,n3).
    edge(n1,n2).
    edge(n2,n3).
    parent(n2,n1).
    parent(n3,n2).
    parent(n0,n3).")]
pub struct TreeArgs {
    /// Number of nodes.
    #[arg(long, value_name = "N", value_parser = count)]
    pub nodes: usize,
    /// More.
    #[command(flatten)]
    pub make: MakeArgs,
}

/// `nlog data generate sbm`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Example: `nlog data generate sbm --sizes 2,2 --within 1 --across 0.2 --once --seed 1` prints
    % stochastic block model, within 1, across 0.2, seed 1: 4 nodes, 3 edges
    edge(n0,n1).
    edge(n1,n3).
    edge(n2,n3).
    block(n0,0).
    block(n1,0).
    block(n2,1).
    block(n3,1).")]
pub struct SbmArgs {
    /// Number of nodes of each block.
    #[arg(long, value_name = "N,…", value_parser = count, value_delimiter = ',', required = true)]
    pub sizes: Vec<usize>,
    /// The probability of an edge inside a block.
    #[arg(long, value_name = "X", value_parser = share)]
    pub within: f64,
    /// The probability of an edge between blocks.
    #[arg(long, value_name = "X", value_parser = share)]
    pub across: f64,
    /// More.
    #[command(flatten)]
    pub make: MakeArgs,
}

/// `nlog data generate caveman`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
One edge of each cave is turned to the cave before. Nothing in it is random.

Example: `nlog data generate caveman --caves 2 --size 3 --once --only edge` prints
    % connected caveman: 6 nodes, 6 edges
    edge(n0,n2).
    edge(n0,n5).
    edge(n1,n2).
    edge(n2,n3).
    edge(n3,n5).
    edge(n4,n5).")]
pub struct CavemanArgs {
    /// Number of caves, at least 2.
    #[arg(long, value_name = "N", value_parser = count)]
    pub caves: usize,
    /// Nodes of a cave, at least 3.
    #[arg(long, value_name = "N", value_parser = count)]
    pub size: usize,
    /// More.
    #[command(flatten)]
    pub make: MakeArgs,
}

/// `nlog data generate molecules`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Rules: carbonyl (a c double-bonded to an o), amide (the same with an n beside it), triangle (a ring of three atoms), hexagon (a
ring of six c).

A comment states the rule in the language. Each molecule is an example such as

    1 active :- atom(a0,c), atom(a1,o), bond(a0,a1,double), bond(a1,a0,double).")]
pub struct MoleculeArgs {
    /// Number of molecules.
    #[arg(long, value_name = "N", value_parser = count)]
    pub count: usize,
    /// The planted rule.
    #[arg(long, value_name = "NAME", default_value = "amide", value_parser = PossibleValuesParser::new(RULES))]
    pub rule: String,
    /// The share of molecules for which the rule holds.
    #[arg(long, value_name = "X", default_value_t = 0.5, value_parser = share)]
    pub balance: f64,
    /// The probability that a label is turned over.
    #[arg(long, value_name = "X", default_value_t = 0.0, value_parser = share)]
    pub noise: f64,
    /// Least number of atoms.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = count)]
    pub least: usize,
    /// Greatest number of atoms.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = count)]
    pub greatest: usize,
    /// Seed of all random numbers.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Results.
    #[command(flatten)]
    pub out: OutArgs,
}
