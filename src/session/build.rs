//! From a session to compiled programs: worlds grounded, built and compiled in shards.
//!
//! Worlds are cut into a fixed number of contiguous shards, each with a program of its own. Shards are worked on in
//! parallel, here and in training; their number does not depend on the number of threads, so neither do the results.

use super::groups::Group;
use super::modes::{Full, ValueCounts};
use super::{Session, Unprovable};
use crate::answer::{Answer, explain, matching_rows};
use crate::base::hash::HashMap;
use crate::base::index::{Id, IndexVec};
use crate::base::span::Span;
use crate::data::{ConstId, PredId, Vocabulary, WorldId};
use crate::diag::{Diagnostic, Diagnostics, codes, counted, has_errors};
use crate::exec::Program;
use crate::graph::build::{Builder, Root};
use crate::graph::lift::{Lifter, Scope, Tally};
use crate::graph::{Graph, NeuronCounts, Output};
use crate::ground::demand::Demand;
use crate::ground::evaluate::relevant_predicates;
use crate::ground::{GroundProgram, Grounder, Overflow};
use crate::learn::{Sample, Stated};
use crate::template::{Rule, RuleId, Template, check};
use rayon::prelude::*;
use serde::Serialize;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

/// Most shards. More would only cut blocks smaller; fewer would leave threads idle on large machines.
pub(super) const MAX_SHARDS: usize = 16;
/// Fewer worlds than this do not make a shard of their own.
const MIN_WORLDS: usize = 4;
/// Messages of one kind after which the rest is only counted.
pub(super) const SHOWN: usize = 5;

/// Sizes and times of grounding and building.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Statistics {
    /// Worlds grounded.
    pub worlds: usize,
    /// Ground rules.
    pub ground_rules: usize,
    /// Ground rules per rule of the template, in order.
    pub per_rule: Vec<usize>,
    /// Atoms that hold, facts included, over all worlds.
    pub atoms: usize,
    /// Fewest and most constants of a world, if some rule ranges over them.
    #[serde(skip)]
    pub constants: Option<(usize, usize)>,
    /// Neurons that support queries, counted as the reference engine does.
    pub neurons: NeuronCounts,
    /// Neurons in the graphs.
    pub graph_neurons: usize,
    /// Edges in the graphs.
    pub graph_edges: usize,
    /// Neurons of each predicate at each stage.
    pub tally: Vec<Tally>,
    /// What lifting by values found, if it was asked for.
    pub by_value: Option<ValueCounts>,
    /// Seconds of lifting across worlds.
    pub lift_seconds: f64,
    /// Rows of the compiled programs.
    pub rows: usize,
    /// Blocks of the compiled programs.
    pub blocks: usize,
    /// Ground rules left out because of cycles, per predicate.
    pub cut: Vec<(String, usize)>,
    /// Wall-clock seconds of grounding (shards overlap: the total is shared out by the time spent in each phase).
    pub ground_seconds: f64,
    /// Seconds of building graphs.
    pub build_seconds: f64,
    /// Seconds of compiling.
    pub compile_seconds: f64,
}

impl Statistics {
    /// Adds what was grounded in a world; what the engine's own rules and predicates add is not the program's size.
    pub(super) fn count(&mut self, template: &Template, vocabulary: &Vocabulary, ground: &GroundProgram) {
        for (id, instances) in ground.instances.iter_enumerated() {
            let written = !template.rules[id].origin.is_helper();
            self.ground_rules += if written { instances.len() } else { 0 };
            self.per_rule[id.index()] += instances.len();
        }
        let atoms = ground.relations.iter_enumerated().filter(|(p, _)| !vocabulary.is_internal(*p));
        self.atoms += atoms.map(|(_, r)| r.len() as usize).sum::<usize>();
    }

    /// Adds another shard's.
    fn add(&mut self, s: Statistics) {
        self.ground_rules += s.ground_rules;
        self.atoms += s.atoms;
        self.constants = widest(self.constants, s.constants);
        self.neurons.add(s.neurons);
        self.graph_neurons += s.graph_neurons;
        self.graph_edges += s.graph_edges;
        self.rows += s.rows;
        self.blocks += s.blocks;
        self.ground_seconds += s.ground_seconds;
        self.build_seconds += s.build_seconds;
        self.lift_seconds += s.lift_seconds;
        self.compile_seconds += s.compile_seconds;
        if let Some(counts) = s.by_value {
            self.by_value.get_or_insert_default().add(counts);
        }
        for (t, n) in self.per_rule.iter_mut().zip(&s.per_rule) {
            *t += n;
        }
        self.tally.resize(self.tally.len().max(s.tally.len()), Tally::default());
        for (t, other) in self.tally.iter_mut().zip(s.tally) {
            t.add(other);
        }
    }
}

/// Compiled programs, with the answers that they compute.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// One per shard.
    pub programs: Vec<Program>,
    /// The graphs of the programs, kept for lossy lifting only.
    pub full: Vec<Full>,
    /// The queries that it was built for, by position.
    pub asked: Vec<usize>,
    /// In order of queries, and within a query of derivation.
    pub answers: Vec<Answer>,
    /// Answers with targets.
    pub samples: Vec<Sample>,
    /// The answer of each sample; of a group the first that has a target.
    pub sample_answers: Vec<usize>,
    /// Answers with targets whose value is stated, as they cannot be derived.
    pub stated: Vec<Stated>,
    /// The answer of each of these.
    pub stated_answers: Vec<usize>,
    /// Answers that pass a softmax together.
    pub groups: Vec<Group>,
    /// Sizes and times.
    pub statistics: Statistics,
}

/// An answer of a shard, whose position is its number in the graph.
pub(super) struct Asked {
    pub(super) query: usize,
    args: Vec<ConstId>,
    /// Nobody asks for it; it stands in a group with what the query asks for.
    companion: bool,
}

/// What one shard gives.
#[derive(Default)]
pub(super) struct Shard {
    /// Until it is compiled.
    pub(super) graph: Graph,
    program: Program,
    /// The graph after compiling, for lossy lifting.
    pub(super) full: Option<Full>,
    pub(super) answers: Vec<Asked>,
    /// Queries that cannot be derived and were left out or given a value.
    left_out: usize,
    pub(super) statistics: Statistics,
    cut: Vec<(PredId, usize)>,
    /// Values given by rules without valued literals that do not count.
    lost: Vec<(RuleId, usize)>,
    /// Grouped normalisations that a cycle cuts.
    torn: Vec<RuleId>,
    unprovable: Vec<Diagnostic>,
    unprovable_count: usize,
    fatal: Option<Diagnostic>,
    /// Facts stated again with another value.
    repeated: Vec<Span>,
}

/// Two ranges as one.
fn widest(a: Option<(usize, usize)>, b: Option<(usize, usize)>) -> Option<(usize, usize)> {
    let (Some(x), Some(y)) = (a, b) else { return a.or(b) };
    Some((x.0.min(y.0), x.1.max(y.1)))
}

impl Session {
    /// Grounds, builds and compiles for all queries.
    pub fn build(&self) -> (Option<Network>, Diagnostics) {
        let (network, statistics, found) =
            self.grounded(&(0..self.database.queries.len()).collect::<Vec<_>>());
        let mut out = match statistics {
            Some(statistics) => self.unbound_in(&statistics),
            None if self.has_data() => self.unbound_unmeasured(),
            None => Vec::new(),
        };
        out.extend(found);
        (network, out)
    }

    /// Grounds, builds and compiles for some queries, by position.
    pub fn build_for(&self, queries: &[usize]) -> (Option<Network>, Diagnostics) {
        let (network, _, found) = self.grounded(queries);
        (network, found)
    }

    /// The network, and sizes also where something else is wrong with it.
    fn grounded(&self, queries: &[usize]) -> (Option<Network>, Option<Statistics>, Diagnostics) {
        let mut out = Vec::new();
        let start = Instant::now();
        let mut by_world: HashMap<WorldId, Vec<usize>> = HashMap::default();
        for &q in queries {
            by_world.entry(self.database.queries[q].world).or_default().push(q);
        }
        let mut worlds: Vec<WorldId> = by_world.keys().copied().collect();
        worlds.sort_unstable();
        if worlds.is_empty() {
            return (Some(Network::default()), None, out);
        }
        let asked = queries.iter().map(|&q| &self.database.queries[q]);
        let roots = asked.flat_map(|q| q.types.iter().map(|(_, ty)| *ty).chain([q.pred]));
        let relevant = relevant_predicates(&self.template, self.vocabulary.predicate_count(), roots);
        let asked = queries.iter().map(|&q| &self.database.queries[q]);
        let demand = Demand::new(&self.template, &self.strata, self.vocabulary.predicate_count(), asked);
        let shards = worlds.len().div_ceil(MIN_WORLDS).clamp(1, MAX_SHARDS);
        let bounds: Vec<&[WorldId]> = (0..shards)
            .map(|i| &worlds[worlds.len() * i / shards..worlds.len() * (i + 1) / shards])
            .collect();
        let used = AtomicUsize::new(0);
        let mut parts: Vec<Shard> = bounds
            .par_iter()
            .map(|worlds| self.shard(worlds, &by_world, (&relevant, demand.as_ref()), &used))
            .collect();
        if let Some(fatal) = parts.iter_mut().find_map(|p| p.fatal.take()) {
            return (None, None, vec![fatal]);
        }
        if self.settings.lift == Scope::All {
            let mut all = self.unite(parts);
            if let Some(fatal) = all.fatal.take() {
                return (None, None, vec![fatal]);
            }
            parts = vec![all];
        }
        self.unprovable(&mut parts, &mut out);
        self.repeated(&parts, &mut out);
        self.lost(&parts, &mut out);
        let torn = parts.iter().any(|p| !p.torn.is_empty());
        self.torn(&parts, &mut out);
        let left_out: usize = parts.iter().map(|p| p.left_out).sum();
        let (mut network, companions) = self.join(parts, start.elapsed().as_secs_f64());
        network.asked = queries.to_vec();
        network.statistics.worlds = worlds.len();
        self.add_stated(&mut network);
        self.tell_left_out(&network, left_out, &mut out);
        if !torn || !self.settings.cut_cycles {
            self.report_cuts(&network.statistics, &mut out);
        }
        self.group(&mut network, &companions, &mut out);
        self.samples(&mut network, &mut out);
        self.group_samples(&mut network, &mut out);
        self.group_loss(&mut out);
        self.targets(&network, &mut out);
        self.learnable(&network, &mut out);
        let statistics = Some(network.statistics.clone());
        (Some(network).filter(|_| !has_errors(&out)), statistics, out)
    }

    fn shard(
        &self,
        worlds: &[WorldId],
        by_world: &HashMap<WorldId, Vec<usize>>,
        (relevant, demand): (&IndexVec<PredId, bool>, Option<&Demand>),
        used: &AtomicUsize,
    ) -> Shard {
        let mut shard = Shard::default();
        let mut grounder =
            Grounder::new(&self.vocabulary, &self.template, &self.database, &self.strata, relevant);
        grounder.restrict(demand);
        let mut builder = Builder::new(&self.template, &self.vocabulary, &self.database, self.settings.lift);
        let mut graph = Graph::new();
        let statistics = &mut shard.statistics;
        statistics.per_rule = vec![0; self.template.rules.len()];
        for &world in worlds {
            let start = Instant::now();
            if let Err(overflow) = grounder.run(world, self.settings.max_ground, used) {
                shard.fatal = Some(self.overflow(&overflow));
                return shard;
            }
            let ground = &grounder.ground;
            statistics.count(&self.template, &self.vocabulary, ground);
            if !self.template.unbound.is_empty() {
                let n = grounder.domain().len();
                statistics.constants = widest(statistics.constants, Some((n, n)));
            }
            let grounded = Instant::now();
            statistics.ground_seconds += (grounded - start).as_secs_f64();
            let (mut roots, mut asked) = (Vec::new(), Vec::new());
            for &q in &by_world[&world] {
                let query = &self.database.queries[q];
                let mut rows = matching_rows(query, ground);
                // Rows of a restricted predicate stand in the order in which indexes gave them.
                if !query.variables.is_empty() && demand.is_some_and(|d| d.restricts(query.pred)) {
                    let row = |r: &u32| ground.relations[query.pred].row(*r).iter().copied();
                    let order = |(a, b)| self.vocabulary.fixed_order(a, b);
                    rows.sort_by(|a, b| {
                        row(a).zip(row(b)).map(order).find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
                    });
                }
                if rows.is_empty() {
                    // A question may have no answer; a labelled query must have one.
                    let question = query.target.is_none() && !query.variables.is_empty();
                    match self.settings.unprovable {
                        _ if question => {}
                        Unprovable::Skip => shard.left_out += 1,
                        Unprovable::Value(_) if query.variables.is_empty() => {
                            let args = query.args.iter().map(|a| match a {
                                crate::data::QueryTerm::Constant(c) => *c,
                                crate::data::QueryTerm::Variable(_) => unreachable!("no variables"),
                            });
                            shard.answers.push(Asked { query: q, args: args.collect(), companion: false });
                            shard.left_out += 1;
                        }
                        _ => {
                            shard.unprovable_count += 1;
                            if shard.unprovable.len() < SHOWN {
                                shard.unprovable.push(self.explained(q, &grounder));
                            }
                        }
                    }
                    continue;
                }
                asked.extend(rows.into_iter().map(|row| (q, row)));
            }
            let companions = self.companions(&asked, ground);
            let asked =
                asked.into_iter().map(|a| (a, false)).chain(companions.into_iter().map(|a| (a, true)));
            for ((query, row), companion) in asked {
                let pred = self.database.queries[query].pred;
                let args = ground.relations[pred].row(row).to_vec();
                let answer = shard.answers.len() as u32;
                shard.answers.push(Asked { query, args, companion });
                roots.push(Root { pred, row, answer });
            }
            builder.add_world(ground, &roots, &mut graph);
            statistics.build_seconds += grounded.elapsed().as_secs_f64();
        }
        let tally = builder.finish(&mut graph);
        shard.repeated = std::mem::take(&mut grounder.repeated);
        drop(grounder);
        statistics.neurons = graph.counts;
        statistics.tally = tally.as_slice().to_vec();
        shard.cut = std::mem::take(&mut graph.cut);
        shard.lost = std::mem::take(&mut graph.lost);
        shard.torn = std::mem::take(&mut graph.torn);
        shard.graph = graph;
        if self.settings.lift != Scope::All {
            self.compile(&mut shard);
        }
        shard
    }

    /// Why a query has no answer. What is restricted to demand does not tell what holds, so the world is then grounded
    /// again, unless that takes too much.
    fn explained(&self, query: usize, grounder: &Grounder<'_>) -> Diagnostic {
        let whole = if grounder.is_restricted() { self.why_not(query) } else { None };
        whole.unwrap_or_else(|| {
            let asked = &self.database.queries[query];
            let (template, vocabulary) = (&self.template, &self.vocabulary);
            explain::why_not(asked, &grounder.ground, template, vocabulary, &self.database, grounder.domain())
        })
    }

    /// The program of a shard's graph, which is given up.
    fn compile(&self, shard: &mut Shard) {
        let start = Instant::now();
        let compiled = self.compile_lifted(shard);
        let statistics = &mut shard.statistics;
        match compiled {
            Ok(program) => {
                statistics.rows = program.row_count();
                statistics.blocks = program.blocks.len();
                shard.program = program;
            }
            Err(d) => shard.fatal = Some(d),
        }
        statistics.compile_seconds = start.elapsed().as_secs_f64();
    }

    /// One shard of all, its neurons lifted across worlds.
    fn unite(&self, parts: Vec<Shard>) -> Shard {
        let start = Instant::now();
        let mut lifter = Lifter::new(&self.template, &self.database, Scope::All);
        let mut graph = Graph::new();
        let mut all = Shard::default();
        all.statistics.per_rule = vec![0; self.template.rules.len()];
        for part in parts {
            let moved = lifter.absorb(&mut graph, &part.graph);
            let first = all.answers.len() as u32;
            let output = |o: &Output| Output { answer: first + o.answer, neuron: moved[o.neuron.0 as usize] };
            graph.outputs.extend(part.graph.outputs.iter().map(output));
            all.answers.extend(part.answers);
            all.left_out += part.left_out;
            all.unprovable_count += part.unprovable_count;
            all.unprovable.extend(part.unprovable);
            all.repeated.extend(part.repeated);
            all.cut.extend(part.cut);
            all.lost.extend(part.lost);
            all.torn.extend(part.torn);
            all.statistics.add(part.statistics);
        }
        all.statistics.tally.iter_mut().for_each(|t| t.lifted = 0);
        for owner in &graph.owner {
            all.statistics.tally[owner.index()].lifted += 1;
        }
        all.graph = graph;
        all.statistics.lift_seconds = start.elapsed().as_secs_f64();
        self.compile(&mut all);
        all
    }

    pub(super) fn overflow(&self, overflow: &Overflow) -> Diagnostic {
        let mut counts = overflow.counts.clone();
        counts.retain(|(r, _)| !self.template.rules[*r].origin.is_helper());
        counts.sort_by_key(|(r, n)| (std::cmp::Reverse(*n), *r));
        let mut d = Diagnostic::new(
            codes::BUDGET,
            format!("grounding needs more than {} ground rules", self.settings.max_ground),
        );
        for (rule, n) in counts.iter().take(SHOWN) {
            let text = format!("{} so far", counted(*n, "ground rule"));
            d = d.label(self.template.rules[*rule].span, text);
        }
        if counts.len() > SHOWN {
            let rest: usize = counts[SHOWN..].iter().map(|(_, n)| n).sum();
            d = d.note(format!(
                "and {} of {}",
                counted(rest, "ground rule"),
                counted(counts.len() - SHOWN, "other rule")
            ));
        }
        if let Some(span) = self.database.world_spans[overflow.world.index()] {
            d = d.note(format!("it stopped in the example at {}", self.sources.place(span)));
        }
        d.help("raise `--max-ground N`, or bind more variables in these rules")
    }

    fn unprovable(&self, parts: &mut [Shard], out: &mut Diagnostics) {
        let total: usize = parts.iter().map(|p| p.unprovable_count).sum();
        let mut shown: Vec<Diagnostic> =
            parts.iter_mut().flat_map(|p| std::mem::take(&mut p.unprovable)).collect();
        shown.truncate(SHOWN);
        if let Some(last) = shown.last_mut()
            && total > SHOWN
        {
            last.notes.push(format!("{} cannot be derived", counted(total - SHOWN, "more query")));
        }
        out.extend(shown);
    }

    /// Rules without valued literals give a plain value, which gives way to other derivations of the same atom.
    fn lost(&self, parts: &[Shard], out: &mut Diagnostics) {
        let before = out.len();
        for (id, rule) in self.template.rules.iter_enumerated() {
            let n: usize = parts.iter().flat_map(|p| &p.lost).filter(|(r, _)| *r == id).map(|(_, n)| n).sum();
            if n > 0 {
                let name = self.vocabulary.predicate_name(rule.head);
                out.push(
                    Diagnostic::new(
                        codes::VALUE_LOST,
                        format!(
                            "the value that this rule gives {} of `{name}` does not count",
                            counted(n, "atom")
                        ),
                    )
                    .label(rule.span, "no literal of its body has a value that enters")
                    .note(
                        "such a rule gives its head a plain value, which gives way to any rule with valued literals \
                         and to later rules of its kind",
                    )
                    .help("let a literal enter, for example `one` with the fact `one.`: then the rules are combined"),
                );
            }
        }
        if out.len() > before + SHOWN {
            let rest = counted(out.len() - before - SHOWN, "more rule");
            out.truncate(before + SHOWN);
            let last = out.last_mut().expect("more than none");
            last.notes.push(format!("and the values of {rest}"));
        }
    }

    /// Facts that one world states twice with different values: the first counts.
    fn repeated(&self, parts: &[Shard], out: &mut Diagnostics) {
        let mut spans: Vec<Span> = parts.iter().flat_map(|p| p.repeated.iter().copied()).collect();
        spans.sort_unstable();
        spans.dedup();
        if let Some(&first) = spans.first() {
            let text = self.sources.slice(first);
            let mut d = Diagnostic::new(
                codes::DUPLICATE_FACT,
                format!("`{text}` is stated again with another value: the first one counts"),
            )
            .label(first, "ignored");
            if spans.len() > 1 {
                d = d.note(format!("and {}", counted(spans.len() - 1, "more fact")));
            }
            out.push(d);
        }
    }

    /// Grouped normalisations inside a cycle that had to be cut.
    fn torn(&self, parts: &[Shard], out: &mut Diagnostics) {
        if !self.settings.cut_cycles {
            // Every cycle is refused already.
            return;
        }
        let rules = parts.iter().flat_map(|p| &p.torn).map(|r| &self.template.rules[*r]);
        let mut spans: Vec<(Span, Span)> = rules.map(|r| (r.span, r.head_span)).collect();
        spans.sort_unstable();
        spans.dedup();
        for (rule, head) in spans.into_iter().take(SHOWN) {
            out.push(
                Diagnostic::new(codes::TORN_GROUP, "a normalisation over a group depends on itself")
                    .label(rule, "the members of a group are derived from each other")
                    .label(head, "a cycle among atoms comes back here")
                    .note("inside a cycle later derivations are left out; the values of the rest do not add up to 1")
                    .help("number the steps, as in `h(Y,N) :- …, h(X,T), N = T + 1`, or normalise outside the recursion"),
            );
        }
    }

    fn report_cuts(&self, statistics: &Statistics, out: &mut Diagnostics) {
        if statistics.cut.is_empty() {
            return;
        }
        let total: usize = statistics.cut.iter().map(|(_, n)| n).sum();
        let closing =
            format!("{} {}", counted(total, "ground rule"), if total == 1 { "closes" } else { "close" });
        let list: Vec<String> = statistics.cut.iter().map(|(p, n)| format!("`{p}` {n}")).collect();
        if !self.settings.cut_cycles {
            let names: Vec<String> = statistics.cut.iter().map(|(p, _)| format!("`{p}`")).collect();
            let mut d = Diagnostic::new(codes::CYCLE, format!("{closing} a cycle among atoms"));
            for rule in self.recursive_rules(statistics).take(SHOWN) {
                d = d.label(rule.head_span, "derived from itself");
            }
            out.push(
                d.note(format!("among atoms of {}", names.join(", ")))
                    .help("`--cycles cut` leaves out the ground rules that close them"),
            );
            return;
        }
        let extreme = |r: &&Rule| {
            use crate::tensor::functions::{Aggregation, Combination};
            let atoms = self.template.atom_combination(r.head);
            matches!(r.aggregation, Aggregation::Max | Aggregation::Min)
                || matches!(atoms, Combination::Max | Combination::Min)
        };
        let best: Vec<&Rule> = self.recursive_rules(statistics).filter(extreme).collect();
        let mut d = Diagnostic::new(
            codes::CYCLES_CUT,
            format!("{closing} a cycle among atoms: left out, or without its own head"),
        );
        for rule in best.iter().take(SHOWN) {
            d = d.label(rule.head_span, "the best of what is kept, which need not be the best");
        }
        let d = d
        .note(format!("per predicate of the head: {}", list.join(", ")))
        .note(
            "inside a cycle an atom keeps the ground rules whose body atoms were first derived in an earlier round \
             than itself; values differ from those over all derivations",
        )
;
        out.push(match best.first() {
            None => d.help("`--cycles error` refuses such programs"),
            Some(rule) => {
                let name = self.vocabulary.predicate_text(self.template.written(rule.head));
                d.note(format!(
                    "for `{name}`, of which the least or greatest is taken, this is not the fixpoint: a way that was left \
                     out may be the better one, so a shortest path can come out too long"
                ))
                .help(
                    "`--semiring minplus` (least sums) and `--semiring maxmin` are exact on cycles; otherwise the data \
                     must have none (`--cycles error` makes sure)",
                )
            }
        });
    }

    /// Rules for the predicates whose ground rules were cut that read what depends on their heads.
    fn recursive_rules<'s>(&'s self, statistics: &'s Statistics) -> impl Iterator<Item = &'s Rule> {
        let component = &self.strata.component;
        self.template.rules.iter().filter(move |r| {
            let name = self.vocabulary.predicate_text(self.template.written(r.head));
            statistics.cut.iter().any(|(p, _)| *p == name)
                && r.visible().any(|(_, l)| l.predicate().is_some_and(|p| component[p] == component[r.head]))
        })
    }

    /// One network of all shards, and the answers that nobody asked for.
    fn join(&self, parts: Vec<Shard>, wall: f64) -> (Network, Vec<Answer>) {
        let mut network = Network::default();
        let total = &mut network.statistics;
        total.per_rule = vec![0; self.template.rules.len()];
        let mut answers: Vec<(usize, usize, bool, Answer)> = Vec::new();
        for (number, part) in parts.into_iter().enumerate() {
            total.add(part.statistics);
            for (pred, n) in part.cut {
                let name = self.vocabulary.predicate_text(self.template.written(pred));
                match total.cut.iter_mut().find(|(p, _)| *p == name) {
                    Some((_, m)) => *m += n,
                    None => total.cut.push((name, n)),
                }
            }
            let mut outputs: HashMap<u32, usize> = HashMap::default();
            for (i, o) in part.program.outputs.iter().enumerate() {
                outputs.insert(o.answer, i);
            }
            for (local, Asked { query, args, companion }) in part.answers.into_iter().enumerate() {
                let place = outputs.get(&(local as u32)).map(|&o| (number, o));
                answers.push((number, local, companion, Answer { query, args, place }));
            }
            network.programs.push(part.program);
            network.full.extend(part.full);
        }
        let Statistics { ground_seconds, build_seconds, lift_seconds, compile_seconds, .. } = total;
        let phases = [ground_seconds, build_seconds, lift_seconds, compile_seconds];
        let busy: f64 = phases.iter().map(|s| **s).sum();
        if busy > 0.0 {
            phases.into_iter().for_each(|seconds| *seconds *= wall / busy);
        }
        answers.sort_by_key(|(number, local, _, a)| (a.query, *number, *local));
        let mut companions = Vec::new();
        for (_, _, companion, answer) in answers {
            if companion { companions.push(answer) } else { network.answers.push(answer) }
        }
        (network, companions)
    }

    /// Targets that the loss cannot take, and atoms of one world with several.
    fn targets(&self, network: &Network, out: &mut Diagnostics) {
        let loss = self.settings.train.loss;
        let mut seen: HashMap<(WorldId, PredId, &[ConstId]), (&[f64], Span)> = HashMap::default();
        let (mut outside, mut conflicts) = (None, None);
        let (mut outside_count, mut conflict_count) = (0usize, 0usize);
        for answer in &network.answers {
            let query = &self.database.queries[answer.query];
            if answer.place.is_none() && !self.is_measured(query) {
                continue;
            }
            let Some((_, target)) = &query.target else { continue };
            if loss.is_classification() && target.iter().any(|t| !(0.0..=1.0).contains(t)) {
                outside_count += 1;
                outside.get_or_insert(query.span);
            }
            let key = (query.world, query.pred, &answer.args[..]);
            match seen.insert(key, (target, query.span)) {
                Some((before, first)) if before != target => {
                    conflict_count += 1;
                    conflicts.get_or_insert((first, query.span));
                }
                _ => {}
            }
        }
        let more = |n: usize| if n > 1 { format!(" (and {} more)", n - 1) } else { String::new() };
        if let Some(span) = outside {
            let title = format!("the loss `{loss}` takes targets from 0 to 1{}", more(outside_count));
            // Where nothing is learned the answers are right; only the error says nothing.
            let learns = self.settings.train.epochs > 0;
            let code = if learns { codes::TARGET_RANGE } else { codes::TARGET_OUTSIDE };
            let d = Diagnostic::new(code, title).label(span, "its target is outside");
            out.push(d.help("numbers are learned with `--loss mse`; classes are 0 and 1"));
        }
        if let Some((first, second)) = conflicts {
            let title = format!("one atom has several targets{}", more(conflict_count));
            out.push(
                Diagnostic::new(codes::CONFLICTING_TARGETS, title)
                    .label(second, "another target")
                    .label(first, "for what is asked here")
                    .help("examples that are worlds of their own are read with `--examples`, not as facts"),
            );
        }
    }

    /// A template with nothing to learn, though there is something to learn from.
    fn learnable(&self, network: &Network, out: &mut Diagnostics) {
        let idle = self.template.parameter_count() == 0;
        if idle && self.settings.train.epochs > 0 && !network.samples.is_empty() {
            out.push(
                Diagnostic::new(codes::NO_PARAMETERS, "no weight of the template can be learned: nothing is trained")
                    .help("`0.5 p(X)` and `{3,3} p(X)` are learned, `<0.5> p(X)` is not; `--epochs 0` only evaluates"),
            );
        }
    }

    /// Pairs answers with targets, whose shapes must agree.
    fn samples(&self, network: &mut Network, out: &mut Diagnostics) {
        let (mut reported, mut shapes) = (0, None);
        for (i, answer) in network.answers.iter().enumerate() {
            let query = &self.database.queries[answer.query];
            let (Some((shape, target)), Some((shard, output))) = (&query.target, answer.place) else {
                continue;
            };
            if self.template.classes(query.pred).is_some() {
                continue;
            }
            let slot = network.programs[shard].outputs[output];
            if slot.shape.len() != shape.len() {
                reported += 1;
                if reported <= SHOWN {
                    let text = self.vocabulary.atom_text(query.pred, answer.args.iter().copied());
                    let mut d = Diagnostic::new(
                        codes::TARGET_SHAPE,
                        format!("the target is {shape}, but the value of `{text}` is {}", slot.shape),
                    )
                    .label(query.span, format!("its target is {shape}"));
                    let shapes = shapes.get_or_insert_with(|| {
                        check::shapes(&self.template, &self.vocabulary, &self.database)
                    });
                    let makers = shapes.contributions(&self.template, &self.vocabulary, query.pred);
                    for (head, made) in
                        makers.into_iter().filter(|(_, s)| s.len() == slot.shape.len()).take(SHOWN)
                    {
                        d = d.label(head, format!("this rule gives {made}"));
                    }
                    out.push(d);
                }
                continue;
            }
            network.samples.push(Sample {
                shard,
                output,
                target: self.settings.compat.written(*shape, target),
                importance: query.importance,
                split: query.split,
                trains: self.template.trains(query.pred),
                classes: None,
            });
            network.sample_answers.push(i);
        }
    }
}
