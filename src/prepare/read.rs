//! Points and graphs in the facts of a database, and what is wrong with them.

use super::graph::Edge;
use super::points::Space;
use crate::base::hash::{HashMap, HashSet};
use crate::base::index::Id;
use crate::base::span::{SourceId, SourceMap, Span};
use crate::data::{ConstId, Database, FactSet, FactTable, FactValue, PredId, Vocabulary, WorldId};
use crate::diag::{Diagnostic, Diagnostics, codes, counted, suggest};
use crate::syntax::token::lex;
use std::ops::Range;

/// Faults of one kind that are shown; the others are counted.
const SHOWN: usize = 5;
/// Squares of what is not above it, and products of what is not below its reciprocal, are numbers.
const LARGE: f64 = 1e150;

/// What facts are read from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Facts.
    pub database: &'a Database,
    /// Names.
    pub vocabulary: &'a Vocabulary,
    /// Texts.
    pub sources: &'a SourceMap,
}

/// Points of one world.
#[derive(Debug, Clone)]
pub struct Points {
    /// Where they are stated.
    pub world: WorldId,
    /// The arguments of each.
    pub keys: Vec<Vec<ConstId>>,
    /// The place of each.
    pub spans: Vec<Span>,
    /// Their coordinates.
    pub space: Space,
}

/// A fact that states an edge.
#[derive(Debug, Clone)]
pub struct EdgeFact {
    /// The node of its first argument, by number.
    pub from: usize,
    /// That of its second.
    pub to: usize,
    /// Further arguments.
    pub rest: Vec<ConstId>,
    /// The elements of its value; 1 if it states none.
    pub value: Vec<f64>,
    /// Its place.
    pub span: Span,
}

/// The graph of one world.
#[derive(Debug, Clone)]
pub struct Graph {
    /// Where it is stated.
    pub world: WorldId,
    /// Nodes in the order of their first mention.
    pub nodes: Vec<ConstId>,
    /// Edges in order, each once.
    pub edges: Vec<EdgeFact>,
}

impl Graph {
    /// Adds the reverse of each edge for which no reverse with the same further arguments is stated.
    pub fn both_ways(&mut self) {
        let stated: HashSet<(usize, usize, Vec<ConstId>)> =
            self.edges.iter().map(|e| (e.from, e.to, e.rest.clone())).collect();
        let missing = |e: &&EdgeFact| !stated.contains(&(e.to, e.from, e.rest.clone()));
        let reverse = |e: &EdgeFact| EdgeFact { from: e.to, to: e.from, ..e.clone() };
        let added: Vec<EdgeFact> = self.edges.iter().filter(missing).map(reverse).collect();
        self.edges.extend(added);
    }
}

/// A fault of facts that a task takes.
pub fn unfit(title: impl Into<String>) -> Diagnostic {
    Diagnostic::new(codes::UNFIT_FACTS, title)
}

/// Shows the first of many faults and counts the others.
fn shorten(mut faults: Diagnostics) -> Diagnostics {
    let untold = faults.len().saturating_sub(SHOWN);
    faults.truncate(SHOWN);
    if let (Some(last), true) = (faults.last_mut(), untold > 0) {
        last.notes.push(format!("and {}", counted(untold, "more such fact")));
    }
    faults
}

impl Facts<'_> {
    fn table<'d>(&self, set: &'d FactSet, pred: PredId) -> Option<&'d FactTable> {
        set.table(pred)
    }

    /// The predicate that `asked`, `name` or `name/arity`, means, with a number of arguments in `arity`; `option` is what it was
    /// given for.
    fn predicate(&self, option: &str, asked: &str, arity: Range<usize>) -> Result<PredId, Box<Diagnostic>> {
        let (name, stated) = match asked.split_once('/') {
            Some((name, n)) => (name, n.parse::<usize>().ok()),
            None => (asked, None),
        };
        let (database, vocabulary) = (self.database, self.vocabulary);
        let stands = |p: &PredId| {
            !vocabulary.is_internal(*p)
                && (database.shared.table(*p).is_some() || database.examples.table(*p).is_some())
        };
        let all: Vec<PredId> = vocabulary.predicates().filter(stands).collect();
        let of_name: Vec<PredId> =
            all.iter().copied().filter(|p| vocabulary.predicate_name(*p) == name).collect();
        let fits = |p: &PredId| {
            let n = vocabulary.arity(*p);
            arity.contains(&n) && stated.is_none_or(|s| s == n)
        };
        let found: Vec<PredId> = of_name.iter().copied().filter(fits).collect();
        let texts = |preds: &[PredId]| {
            let texts: Vec<String> =
                preds.iter().map(|p| format!("`{}`", vocabulary.predicate_text(*p))).collect();
            texts.join(", ")
        };
        match (&found[..], of_name.first()) {
            ([one], _) => Ok(*one),
            ([], None) => {
                let mut d =
                    Diagnostic::new(codes::UNKNOWN_PREDICATE, format!("there is no fact of `{name}`"));
                if !all.is_empty() {
                    let names = all.iter().map(|p| vocabulary.predicate_name(*p));
                    let near = suggest::did_you_mean(name, names);
                    d = d.note(format!("the facts are of {}", texts(&all)));
                    d = d.help(near.unwrap_or_else(|| format!("name the predicate with `--{option}`")));
                }
                Err(Box::new(d))
            }
            ([], Some(&other)) => {
                let wanted = match (stated, arity.end - arity.start) {
                    (Some(n), _) => counted(n, "argument"),
                    (None, 1) => counted(arity.start, "argument"),
                    (None, _) => format!("{} or more", counted(arity.start, "argument")),
                };
                let title = format!("`--{option}` takes facts with {wanted}");
                let label = format!("`{}`", vocabulary.predicate_text(other));
                let span = self.first(other);
                Err(Box::new(Diagnostic::new(codes::WRONG_ARITY, title).label(span, label)))
            }
            (several, _) => {
                let title = format!("`{name}` could be each of {}", texts(several));
                let help = format!("say which: `--{option} {}`", vocabulary.predicate_text(several[0]));
                Err(Box::new(Diagnostic::new(codes::USAGE, title).help(help)))
            }
        }
    }

    /// The place of the first fact of a predicate that has facts.
    fn first(&self, pred: PredId) -> Span {
        let sets = [&self.database.shared, &self.database.examples];
        let found = sets.into_iter().find_map(|s| s.table(pred).and_then(|t| t.spans.first()).copied());
        found.expect("the predicate has facts")
    }

    /// The rows of a predicate by world: all of the shared world, or those of each example.
    fn rows(&self, pred: PredId) -> Result<Vec<(WorldId, &FactTable, Range<usize>)>, Box<Diagnostic>> {
        let shared = self.table(&self.database.shared, pred);
        let examples = self.table(&self.database.examples, pred);
        if let (Some(shared), Some(examples)) = (shared, examples) {
            let title =
                format!("facts of `{}` inside examples and outside", self.vocabulary.predicate_text(pred));
            return Err(Box::new(
                unfit(title)
                    .label(examples.spans[0], "inside")
                    .label(shared.spans[0], "outside: it holds in every example")
                    .help("state all of them in the examples, or keep the two in files of their own"),
            ));
        }
        if let Some(table) = shared {
            return Ok(vec![(WorldId::SHARED, table, 0..table.len())]);
        }
        let worlds = (1..self.database.world_count).map(WorldId::new);
        let of = |w: WorldId| examples.map(|t| (w, t, t.world_rows(w)));
        Ok(worlds.filter_map(of).filter(|(_, _, rows)| !rows.is_empty()).collect())
    }

    /// The elements of a value, with its shape; `None` for one that is to be drawn.
    fn value(&self, value: FactValue) -> Option<&[f64]> {
        match value {
            FactValue::Constant(id) => Some(self.database.values.get(id)),
            FactValue::Learnable(id) => self.database.learnable[id].initial.as_deref(),
        }
    }

    /// Points: the values of the facts of a predicate, which are all numbers or all vectors of one length, by world.
    pub fn points(&self, option: &str, asked: &str, arity: Range<usize>) -> Result<Vec<Points>, Diagnostics> {
        let pred = self.predicate(option, asked, arity).map_err(|d| vec![*d])?;
        let groups = self.rows(pred).map_err(|d| vec![*d])?;
        let all = || groups.iter().flat_map(|(_, t, rows)| rows.clone().map(move |i| (*t, i)));
        let elements = |t: &FactTable, i: usize| self.value(t.values[i]).map_or(0, <[f64]>::len);
        let stated = |t: &FactTable, i: usize| t.values[i] != FactValue::ONE;
        // The first fact that surely has coordinates says how many there are.
        let first = all().find(|(t, i)| stated(t, *i) && elements(t, *i) > 0);
        let dim = first.map_or(1, |(t, i)| elements(t, i));
        let mut written = Written { sources: self.sources, starts: HashMap::default() };
        let (mut out, mut faults) = (Vec::new(), Vec::new());
        for (world, table, rows) in &groups {
            let mut seen: HashMap<Vec<ConstId>, usize> = HashMap::default();
            let (mut keys, mut spans, mut data) = (Vec::new(), Vec::new(), Vec::new());
            for i in rows.clone() {
                let (key, span): (Vec<ConstId>, Span) = (table.row(i).collect(), table.spans[i]);
                let atom = || self.vocabulary.atom_text(pred, key.iter().copied());
                let point = self.value(table.values[i]);
                let shape = self.database.value_shape(table.values[i]);
                // A fact without a value has the value 1.
                let none = !stated(table, i) && !written.value(span);
                let Some(point) = point.filter(|_| !none) else {
                    let help = "coordinates are the value of the fact, as in `<[0.5,2]> pos(a).`";
                    let d = unfit(format!("`{}` has no coordinates", atom()));
                    let label = if none { "no value before it" } else { "its value is to be drawn" };
                    faults.push(d.label(span, label).help(help));
                    continue;
                };
                if shape.rows > 1 && shape.cols > 1 {
                    let title = format!("the value of `{}` is a matrix, not a point", atom());
                    faults.push(unfit(title).label(span, format!("{{{},{}}}", shape.rows, shape.cols)));
                } else if point.len() != dim {
                    let title = "points with different numbers of coordinates";
                    let mut d = unfit(title).label(span, format!("{} here", point.len()));
                    if let Some((t, i)) = first {
                        d = d.label(t.spans[i], format!("{dim} here"));
                    }
                    faults.push(d);
                } else if let Some(x) = point.iter().find(|x| x.abs() > LARGE) {
                    let title = format!("the coordinate {x:e} is too large to measure distances with");
                    faults.push(unfit(title).label(span, format!("{LARGE:e} is the most")));
                } else if let Some(&other) = seen.get(&key) {
                    if data[other * dim..(other + 1) * dim] != *point {
                        let title = format!("`{}` is at two places", atom());
                        faults
                            .push(unfit(title).label(span, "another one").label(spans[other], "stated here"));
                    }
                } else {
                    seen.insert(key.clone(), keys.len());
                    keys.push(key);
                    spans.push(span);
                    data.extend_from_slice(point);
                }
            }
            if !keys.is_empty() {
                out.push(Points { world: *world, keys, spans, space: Space::new(dim, data) });
            }
        }
        if faults.is_empty() { Ok(out) } else { Err(shorten(faults)) }
    }

    /// Graphs by world: the edges are facts of a predicate whose first two arguments they join; the nodes are these and, if it
    /// is named, the constants of a predicate with one argument or more, of which the first counts.
    pub fn graphs(&self, edges: &str, nodes: Option<&str>) -> Result<Vec<Graph>, Diagnostics> {
        let stop = |d: Box<Diagnostic>| vec![*d];
        let pred = self.predicate("edges", edges, 2..usize::MAX).map_err(stop)?;
        let groups = self.rows(pred).map_err(stop)?;
        let mut graphs: Vec<(Graph, HashMap<ConstId, usize>)> = Vec::new();
        let graph = |world| (Graph { world, nodes: Vec::new(), edges: Vec::new() }, HashMap::default());
        if let Some(nodes) = nodes {
            let named = self.predicate("nodes", nodes, 1..usize::MAX).map_err(stop)?;
            let rows = self.rows(named).map_err(stop)?;
            if let (Some(a), Some(b)) = (groups.first(), rows.first())
                && (a.0 == WorldId::SHARED) != (b.0 == WorldId::SHARED)
            {
                let place = |w: WorldId| if w == WorldId::SHARED { "outside" } else { "inside an example" };
                let d = unfit("nodes and edges must both stand in examples, or both outside");
                return Err(vec![d.label(self.first(pred), place(a.0)).label(self.first(named), place(b.0))]);
            }
            for (world, table, rows) in rows {
                let (mut graph, mut numbers) = graph(world);
                rows.for_each(|i| _ = node(&mut graph, &mut numbers, table.columns[0][i]));
                graphs.push((graph, numbers));
            }
        }
        let mut faults = Vec::new();
        for (world, table, rows) in groups {
            let at = match graphs.binary_search_by_key(&world, |(g, _)| g.world) {
                Ok(at) => at,
                Err(at) => {
                    graphs.insert(at, graph(world));
                    at
                }
            };
            let (graph, numbers) = &mut graphs[at];
            let mut seen: HashMap<Vec<ConstId>, usize> = HashMap::default();
            for i in rows {
                let (row, span): (Vec<ConstId>, Span) = (table.row(i).collect(), table.spans[i]);
                let Some(value) = self.value(table.values[i]) else {
                    let title = format!("the value of `{}` is to be drawn", self.sources.slice(span));
                    faults.push(unfit(title).label(span, "no numbers before it"));
                    continue;
                };
                if let Some(&other) = seen.get(&row) {
                    let other = &graph.edges[other];
                    if other.value != *value {
                        let d = unfit("an edge with two values").label(span, "another one");
                        faults.push(d.label(other.span, "stated here"));
                    }
                    continue;
                }
                let from = node(graph, numbers, row[0]);
                let to = node(graph, numbers, row[1]);
                seen.insert(row.clone(), graph.edges.len());
                graph.edges.push(EdgeFact { from, to, rest: row[2..].to_vec(), value: value.to_vec(), span });
            }
        }
        if faults.is_empty() {
            Ok(graphs.into_iter().map(|(graph, _)| graph).collect())
        } else {
            Err(shorten(faults))
        }
    }

    /// Weights of edges: their values, numbers that are not negative.
    pub fn weights(&self, graph: &Graph) -> Result<Vec<Edge>, Diagnostics> {
        let (mut out, mut faults) = (Vec::with_capacity(graph.edges.len()), Vec::new());
        for e in &graph.edges {
            match e.value[..] {
                [w] if w == 0.0 || (1.0 / LARGE..=LARGE).contains(&w) => out.push((e.from, e.to, w)),
                [w] if w < 0.0 => {
                    faults.push(unfit(format!("the weight {w} is negative")).label(e.span, "of this edge"));
                }
                [w] => {
                    let title = format!("the weight {w:e} is too large or too small to calculate with");
                    faults.push(unfit(title).label(e.span, "of this edge"));
                }
                _ => {
                    let title = format!("a value of {} numbers is no weight", e.value.len());
                    faults.push(unfit(title).label(e.span, "the value of an edge is one number"));
                }
            }
        }
        if faults.is_empty() { Ok(out) } else { Err(shorten(faults)) }
    }

    /// What a predicate says of nodes, as texts: for each node of each graph the further arguments and values of its facts,
    /// sorted, so that equal texts are equal labels. Facts outside examples hold in each.
    pub fn labels(&self, asked: &[String], graphs: &[Graph]) -> Result<Vec<Vec<String>>, Diagnostics> {
        let mut out: Vec<Vec<Vec<String>>> = graphs.iter().map(|g| vec![Vec::new(); g.nodes.len()]).collect();
        for asked in asked {
            let pred = self.predicate("labels", asked, 1..usize::MAX).map_err(|d| vec![*d])?;
            for (graph, out) in graphs.iter().zip(&mut out) {
                let numbers: HashMap<ConstId, usize> =
                    graph.nodes.iter().enumerate().map(|(i, c)| (*c, i)).collect();
                let shared = self.table(&self.database.shared, pred).map(|t| (t, 0..t.len()));
                let own = self.table(&self.database.examples, pred).map(|t| (t, t.world_rows(graph.world)));
                let mut seen = HashSet::default();
                for (table, rows) in shared.into_iter().chain(own.filter(|_| graph.world != WorldId::SHARED))
                {
                    for i in rows {
                        let row: Vec<ConstId> = table.row(i).collect();
                        let Some(&node) = numbers.get(&row[0]) else { continue };
                        let texts: Vec<&str> =
                            row[1..].iter().map(|c| self.vocabulary.constant_text(*c)).collect();
                        let value = self.value(table.values[i]).unwrap_or(&[]);
                        let text = format!("{asked}({}) {value:?}", texts.join(","));
                        if seen.insert((node, text.clone())) {
                            out[node].push(text);
                        }
                    }
                }
            }
        }
        let join = |mut texts: Vec<String>| {
            texts.sort_unstable();
            texts.join("; ")
        };
        Ok(out.into_iter().map(|graph| graph.into_iter().map(join).collect()).collect())
    }
}

fn node(graph: &mut Graph, numbers: &mut HashMap<ConstId, usize>, constant: ConstId) -> usize {
    *numbers.entry(constant).or_insert_with(|| {
        graph.nodes.push(constant);
        graph.nodes.len() - 1
    })
}

/// Whether a value is written before a fact: `<1> pos(a).` and `pos(a).` are one fact to all that follows the reader, but only
/// the first is a point on a line.
struct Written<'a> {
    sources: &'a SourceMap,
    /// Of each text, where the tokens begin that follow the end of a value.
    starts: HashMap<SourceId, HashSet<u32>>,
}

impl Written<'_> {
    fn value(&mut self, fact: Span) -> bool {
        let source = self.sources.get(fact.source);
        if source.table {
            // A table has columns for values, or none of its rows has one.
            let header = source.text.lines().next().unwrap_or("");
            let names = header.split([',', '\t', '"', '(', ')']).map(str::trim);
            return names.into_iter().any(|name| name == "value" || name.starts_with("value."));
        }
        let starts = self.starts.entry(fact.source).or_insert_with(|| {
            let tokens = lex(&source.text);
            let kept: Vec<_> = tokens.iter().filter(|t| !t.kind.is_trivia()).collect();
            let ends_value =
                |end: usize| source.text[..end].ends_with(|c: char| "]>}".contains(c) || c.is_ascii_digit());
            kept.windows(2).filter(|w| ends_value(w[0].end as usize)).map(|w| w[1].start).collect()
        });
        starts.contains(&fact.start)
    }
}
