//! `nlog data`: facts made from facts, and facts made up.

pub mod args;

use crate::base::span::SourceMap;
use crate::console::options::usage;
use crate::console::{Console, Stop};
use crate::data::Vocabulary;
use crate::diag::{Diagnostic, Diagnostics, codes, suggest};
use crate::io::Inputs;
use crate::io::inputs::ExampleFiles;
use crate::prepare::facts::{self, Made};
use crate::prepare::graph::{Matching, Norm};
use crate::prepare::molecules::{Planted, Wanted, molecules};
use crate::prepare::read::Facts;
use crate::prepare::tasks::{self, Direction, Outcome, Sampled, Saying, Scaling, Which};
use crate::prepare::{generate, make};
use crate::syntax::table::check_name;
use args::{
    CavemanArgs, DataArgs, EdgeArgs, ErArgs, Format, Generated, GridArgs, InArgs, MakeArgs, MoleculeArgs,
    NormName, OutArgs, SayArgs, Task,
};
use std::io::Write;
use std::path::Path;

fn stop(d: Diagnostic) -> Stop {
    Stop::Usage(Box::new(d))
}

/// `nlog data`.
pub fn data(args: DataArgs, console: &Console) -> Result<(), Stop> {
    let read = Reading { console };
    match args.task {
        Task::Knn(a) => {
            let which = Which::Nearest(a.k);
            read.run(&a.points.input, &a.out, |f| {
                tasks::neighbours(f, &a.points.points, which, saying(a.say))
            })
        }
        Task::Radius(a) => {
            let which = Which::Within { radius: a.radius, most: a.most.unwrap_or(usize::MAX) };
            read.run(&a.points.input, &a.out, |f| {
                tasks::neighbours(f, &a.points.points, which, saying(a.say))
            })
        }
        Task::Fps(a) => {
            let sampled = match (a.count, a.ratio) {
                (Some(count), _) => Sampled::Count(count),
                (None, ratio) => Sampled::Ratio(ratio.unwrap_or(1.0)),
            };
            read.run(&a.points.input, &a.out, |f| {
                tasks::farthest(f, &a.points.points, sampled, a.start.as_deref())
            })
        }
        Task::Graclus(a) => {
            let matching = if a.cut { Matching::Cut } else { Matching::Heavy };
            read.run(&a.edges.input, &a.out, |f| {
                tasks::graclus(f, names(&a.edges), a.levels, matching, a.seed)
            })
        }
        Task::Voxel(a) => read.run(&a.points.input, &a.out, |f| {
            tasks::voxel(f, &a.points.points, &a.size, a.origin.as_deref())
        }),
        Task::Bspline(a) => {
            tasks::check_kernels(a.degree, &a.kernels, a.closed).map_err(Stop::Usage)?;
            read.run(&a.input, &a.out, |f| tasks::bspline(f, &a.pseudo, a.degree, &a.kernels, a.closed))
        }
        Task::Laplacian(a) => {
            let norm = match a.norm {
                NormName::Sym => Norm::Symmetric,
                NormName::Rw => Norm::RandomWalk,
                NormName::None => Norm::Plain,
            };
            let scaling = match (a.unscaled, a.lambda) {
                (true, _) => Scaling::None,
                (false, Some(lambda)) => Scaling::By(lambda),
                (false, None) => Scaling::Greatest,
            };
            read.run(&a.edges.input, &a.out, |f| {
                tasks::laplacian(f, names(&a.edges), a.undirected, norm, scaling)
            })
        }
        Task::Degree(a) => {
            let direction = if a.outgoing { Direction::Out } else { Direction::In };
            read.run(&a.edges.input, &a.out, |f| tasks::degree(f, names(&a.edges), a.undirected, direction))
        }
        Task::Wl(a) => read.run(&a.edges.input, &a.out, |f| {
            tasks::colours(f, names(&a.edges), &a.labels, a.undirected, a.rounds)
        }),
        Task::Fourier(a) => read.run(&a.points.input, &a.out, |f| {
            tasks::fourier(f, &a.points.points, a.features, a.scale, a.seed)
        }),
        Task::Generate(a) => generated(&a.what, console),
    }
}

fn saying(args: SayArgs) -> Saying {
    Saying { itself: args.itself, distance: args.distance, pseudo: args.pseudo }
}

fn names(args: &EdgeArgs) -> (&str, Option<&str>) {
    (&args.edges, args.nodes.as_deref())
}

/// The data of a task and where its results go.
struct Reading<'a> {
    console: &'a Console,
}

impl Reading<'_> {
    fn run(
        &self,
        files: &InArgs,
        out: &OutArgs,
        task: impl FnOnce(Facts<'_>) -> Outcome,
    ) -> Result<(), Stop> {
        if files.data.is_empty() && files.examples.is_none() {
            return Err(stop(usage("no data is given").help("name files of facts; `-` is standard input")));
        }
        let train = ExampleFiles { examples: files.examples.clone(), queries: None };
        let inputs = Inputs { data: files.data.clone(), train, ..Inputs::default() };
        let (mut sources, mut vocabulary) = (SourceMap::new(), Vocabulary::new());
        let (database, mut found) = inputs.read_data(&mut sources, &mut vocabulary);
        // Nothing is asked here.
        found.retain(|d| d.code != codes::NO_QUERIES);
        self.console.report(&found, &sources)?;
        let facts = Facts { database: &database, vocabulary: &vocabulary, sources: &sources };
        let made = match task(facts) {
            Ok(made) => made,
            Err(found) => return Err(self.fault(&found, &sources)),
        };
        let text = |made: &Made| facts::text(made, &database, &vocabulary, &sources);
        write(made, out, &text, &vocabulary, self.console)
    }

    fn fault(&self, found: &Diagnostics, sources: &SourceMap) -> Stop {
        self.console.report(found, sources).err().unwrap_or(Stop::Fault)
    }
}

/// Writes to standard output, or to the files that are named.
fn write(
    mut made: Made,
    out: &OutArgs,
    text: &dyn Fn(&Made) -> String,
    vocabulary: &Vocabulary,
    console: &Console,
) -> Result<(), Stop> {
    if !made.is_finite() {
        return Err(stop(usage(
            "a value of the result is beyond the range of numbers: an option is too large or too small",
        )));
    }
    for pair in &out.rename {
        let (from, to) = pair.split_once('=').ok_or_else(|| {
            stop(
                usage(format!("`--rename` takes two names, not `{pair}`")).help("as in `--rename near=edge`"),
            )
        })?;
        known(&made, from, "--rename")?;
        check_name(to, "`--rename`").map_err(stop)?;
        made.rename(from, to);
    }
    if let Some(name) = &out.only {
        known(&made, name, "--only")?;
        made.only(name);
    }
    if out.output.is_empty() {
        let written = format(&made, None, out.format, text, vocabulary)?;
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(written.as_bytes())?;
        stdout.flush()?;
    }
    // Nothing is written if something cannot be.
    let files =
        out.output.iter().map(|path| Ok((path, format(&made, Some(path), out.format, text, vocabulary)?)));
    for (path, written) in files.collect::<Result<Vec<_>, Stop>>()? {
        #[allow(clippy::disallowed_methods)]
        let done = std::fs::write(path, written);
        if let Err(e) = done {
            let title = format!("cannot write `{}`: {e}", path.display());
            console.report(&[Diagnostic::new(codes::CANNOT_WRITE, title)], &SourceMap::new())?;
        }
    }
    Ok(())
}

fn list(made: &Made) -> String {
    made.names().iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

fn known(made: &Made, name: &str, option: &str) -> Result<(), Stop> {
    if made.names().contains(&name) {
        return Ok(());
    }
    let title = format!("`{option}`: there are facts of {}, none of `{name}`", list(made));
    let mut d = usage(title);
    d.help = suggest::did_you_mean(name, made.names());
    Err(stop(d))
}

/// What is written to a file, or to standard output.
fn format(
    made: &Made,
    path: Option<&Path>,
    stated: Option<Format>,
    text: &dyn Fn(&Made) -> String,
    vocabulary: &Vocabulary,
) -> Result<String, Stop> {
    let ending = path.and_then(Path::extension).map(|e| e.to_string_lossy().to_ascii_lowercase());
    let delimiter = match (ending.as_deref(), stated) {
        (Some("csv"), _) => b',',
        (Some("tsv" | "tab"), _) => b'\t',
        (Some("db"), _) | (_, None | Some(Format::Db)) => return Ok(text(made)),
        (_, Some(Format::Csv)) => b',',
        (_, Some(Format::Tsv)) => b'\t',
    };
    if made.has_examples() {
        return Err(stop(
            usage("these facts belong into examples, which a table cannot say")
                .help("write them as text: leave `--format` out, or name a file that ends in .db"),
        ));
    }
    let stem = path.and_then(Path::file_stem).map(|s| s.to_string_lossy().into_owned());
    let relation = match (&made.shared[..], &stem) {
        ([one], _) => Some(one),
        (several, Some(stem)) => several.iter().find(|r| r.name == *stem),
        (_, None) => None,
    };
    let Some(relation) = relation else {
        let title = format!("a table has the facts of one predicate; there are {}", list(made));
        let files: Vec<String> = made.names().iter().map(|n| format!("`-o {n}.csv`")).collect();
        let help = format!("name one with `--only`, or a file for each: {}", files.join(" "));
        return Err(stop(usage(title).help(help)));
    };
    facts::table(relation, delimiter, vocabulary).map_err(Stop::Usage)
}

/// Writes what was made up.
fn invented(made: Made, out: &OutArgs, console: &Console) -> Result<(), Stop> {
    let (vocabulary, sources) = (Vocabulary::new(), SourceMap::new());
    let database = crate::data::Database::new();
    let text = |made: &Made| facts::text(made, &database, &vocabulary, &sources);
    write(made, out, &text, &vocabulary, console)
}

fn generated(what: &Generated, console: &Console) -> Result<(), Stop> {
    let graph = |name: String, nodes: usize, pairs: &[generate::Pair], make: &MakeArgs| {
        make::graph(name, nodes, pairs, make.once)
    };
    let seed = |make: &MakeArgs| format!("seed {}", make.seed);
    match what {
        Generated::Ba(a) => {
            if a.m >= a.nodes {
                let title = format!("a node cannot join {} of {} nodes", a.m, a.nodes);
                return Err(stop(usage(title).help("`--m` must be less than `--nodes`")));
            }
            let pairs = generate::barabasi_albert(a.nodes, a.m, a.make.seed);
            let name = format!("Barabasi-Albert, m = {}, {}", a.m, seed(&a.make));
            invented(graph(name, a.nodes, &pairs, &a.make), &a.make.out, console)
        }
        Generated::Er(a) => invented(erdos_renyi(a)?, &a.make.out, console),
        Generated::Grid(a) => invented(grid(a)?, &a.make.out, console),
        Generated::Tree(a) => {
            let pairs = generate::tree(a.nodes, a.make.seed);
            let mut made = graph(format!("random tree, {}", seed(&a.make)), a.nodes, &pairs, &a.make);
            made.shared.push(make::parents(&generate::parents(a.nodes, &pairs)));
            invented(made, &a.make.out, console)
        }
        Generated::Sbm(a) => {
            pairs_drawn(a.sizes.iter().fold(0, |n, &size| n.saturating_add(size)))?;
            let pairs = generate::block_model(&a.sizes, a.within, a.across, a.make.seed);
            let blocks = generate::blocks(&a.sizes);
            let name = format!(
                "stochastic block model, within {}, across {}, {}",
                a.within,
                a.across,
                seed(&a.make)
            );
            let mut made = graph(name, blocks.len(), &pairs, &a.make);
            made.shared.push(make::numbers("block", &["node", "block"], &blocks));
            invented(made, &a.make.out, console)
        }
        Generated::Caveman(a) => invented(caveman(a)?, &a.make.out, console),
        Generated::Molecules(a) => made_molecules(a, console),
    }
}

/// A number is drawn for each pair: a minute for the most.
fn pairs_drawn(nodes: usize) -> Result<(), Stop> {
    const MOST_NODES: usize = 200_000;
    if nodes <= MOST_NODES {
        return Ok(());
    }
    let title = format!("{nodes} nodes; {MOST_NODES} are the most where each pair is drawn");
    Err(stop(usage(title).help("`nlog data generate er --edges M` draws M pairs only")))
}

fn erdos_renyi(a: &ErArgs) -> Result<Made, Stop> {
    let pairs = a.nodes * (a.nodes - 1) / 2;
    if let Some(m) = a.edges.filter(|&m| m > pairs) {
        let title = format!("{} nodes have {pairs} pairs, which cannot be {m} edges", a.nodes);
        return Err(stop(usage(title)));
    }
    if a.edges.is_none() {
        pairs_drawn(a.nodes)?;
    }
    let how = match (a.edges, a.p) {
        (Some(m), _) => format!("{m} edges"),
        (None, p) => format!("p = {}", p.unwrap_or(0.0)),
    };
    let pairs = generate::erdos_renyi(a.nodes, a.density(), a.connected, a.make.seed).ok_or_else(|| {
        let title = format!("none of {} graphs that were drawn is connected", generate::MOST_DRAWS);
        stop(
            usage(title)
                .help("ask for more edges; log(N)/N is the probability at which graphs become connected"),
        )
    })?;
    let name = format!("Erdos-Renyi, {how}, seed {}", a.make.seed);
    Ok(make::graph(name, a.nodes, &pairs, a.make.once))
}

fn grid(a: &GridArgs) -> Result<Made, Stop> {
    let nodes = a.rows as u64 * a.columns as u64;
    if nodes > args::MOST {
        return Err(stop(usage(format!("a grid of {nodes} nodes; {} are the most", args::MOST))));
    }
    let name = format!("{} of {} x {}", if a.torus { "torus" } else { "grid" }, a.rows, a.columns);
    let pairs = generate::grid(a.rows, a.columns, a.torus);
    let mut made = make::graph(name, a.rows * a.columns, &pairs, a.make.once);
    made.shared.push(make::places(a.rows, a.columns));
    Ok(made)
}

fn caveman(a: &CavemanArgs) -> Result<Made, Stop> {
    if a.caves < 2 || a.size < 3 {
        return Err(stop(usage("a caveman graph has at least 2 caves of at least 3 nodes")));
    }
    let nodes = a.caves as u64 * a.size as u64;
    if nodes > args::MOST {
        return Err(stop(usage(format!("{nodes} nodes; {} are the most", args::MOST))));
    }
    let pairs = generate::caveman(a.caves, a.size);
    let mut made = make::graph("connected caveman".to_string(), nodes as usize, &pairs, a.make.once);
    let caves = generate::blocks(&vec![a.size; a.caves]);
    made.shared.push(make::numbers("cave", &["node", "cave"], &caves));
    Ok(made)
}

fn made_molecules(a: &MoleculeArgs, console: &Console) -> Result<(), Stop> {
    if a.least > a.greatest {
        return Err(stop(usage(format!("`--least` is {}, `--greatest` {}", a.least, a.greatest))));
    }
    let rule = Planted::new(&a.rule).ok_or_else(|| stop(usage(format!("there is no rule `{}`", a.rule))))?;
    let wanted = Wanted {
        count: a.count,
        rule,
        positive: a.balance,
        noise: a.noise,
        size: (a.least, a.greatest),
        seed: a.seed,
    };
    let drawn = molecules(&wanted).map_err(|holds| {
        let (least, most) = wanted.size;
        let what = if holds { "has" } else { "lacks" };
        let title = format!("no molecule of {least} to {most} atoms was drawn that {what} `{}`", a.rule);
        stop(usage(title).help("allow more atoms with `--greatest`, or change `--balance`"))
    })?;
    invented(make::molecules(&wanted, &drawn), &a.out, console)
}
