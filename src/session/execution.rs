//! How a template is executed on its data, and why: join orders, forms of computation, places of samples.

use super::{Network, Session};
use crate::base::hash::{HashMap, HashSet, IndexMap};
use crate::base::index::{Id, IndexVec};
use crate::base::span::Span;
use crate::data::PredId;
use crate::diag::Diagnostic;
use crate::exec::fusion::SumChoice;
use crate::graph::Op;
use crate::graph::function::map_of;
use crate::ground::GroundProgram;
use crate::learn::profile::{Operation, operation};
use crate::learn::{Layout, layout};
use crate::plan::{Plan, Rows, Step, expected_rows, plan, rounded_size};
use crate::template::{Relation, Rule, RuleId, Term};
use serde::Serialize;
use std::ops::ControlFlow;

/// How a template is executed, and why. Names are stable.
#[derive(Debug, Clone, Serialize)]
pub struct Execution {
    /// Worlds whose sizes the join orders are made for; 0: no query says which, so shared facts alone are known.
    pub worlds: usize,
    /// The rules, as written; those that the engine adds are left out.
    pub rules: Vec<RulePlan>,
    /// Operations that stand for no rule: soft negations.
    pub negations: Vec<OperationPlan>,
    /// What was compiled; `None` without queries.
    pub network: Option<NetworkPlan>,
}

/// How a rule is executed.
#[derive(Debug, Clone, Serialize)]
pub struct RulePlan {
    /// Where it is written.
    pub place: String,
    /// As written, on one line.
    pub rule: String,
    /// Whether its head depends on itself.
    pub recursive: bool,
    /// Join orders; for a recursive rule one for each literal that may read new rows, and each as often as sizes of worlds
    /// ask for another.
    pub orders: Vec<JoinOrder>,
    /// Ground rules in all worlds.
    pub ground_rules: Option<usize>,
    /// Bytes of the record of a ground rule.
    pub bytes_each: usize,
    /// The variables that make it necessary to look for ground rules that are there already: they stand in neither the
    /// head nor a visible literal. Empty: every substitution gives another ground rule.
    pub deduplicated_by: Vec<String>,
    /// What is computed for a grounding.
    pub form: Form,
    /// Sums and averages under a weight.
    pub sums: Vec<SumPlan>,
    /// Operations of its groundings and of the atoms that it is the first to derive.
    pub operations: Vec<OperationPlan>,
}

/// What is computed for a grounding. Names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// No value enters: the head gets a plain one.
    Plain,
    /// Nothing: it hands on its one value as it is.
    HandsOn,
    /// A function of its one value: a row for every value, which all groundings that read it share.
    PerValue,
    /// A function of several values: a row for every grounding that reads others.
    PerGrounding,
}

/// The order in which literals are joined.
#[derive(Debug, Clone, Serialize)]
pub struct JoinOrder {
    /// The literal that reads what the last round derived, in a recursive rule.
    pub new: Option<String>,
    /// In how many worlds.
    pub worlds: usize,
    /// The steps.
    pub steps: Vec<JoinStep>,
}

/// A step of a join.
#[derive(Debug, Clone, Serialize)]
pub struct JoinStep {
    /// The literal.
    pub literal: String,
    /// How its rows are found, or what is done.
    pub access: Access,
    /// Positions of the columns that are looked up, from 1.
    pub columns: Vec<usize>,
    /// What they are looked up by.
    pub key: Vec<String>,
    /// Variables that it binds.
    pub binds: Vec<String>,
    /// Rows of the relation, a mean over worlds.
    pub rows: Option<f64>,
    /// Rows that the planner expects for each substitution so far.
    pub expected: Option<f64>,
    /// Rows that there are for a key that occurs, a mean over keys and worlds.
    pub found: Option<f64>,
    /// Which rows it reads, in a recursive rule.
    pub part: Option<&'static str>,
    /// Whether one row is enough: what follows binds nothing that is shown.
    pub once: bool,
}

/// How the rows of a literal are found. Names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// All rows.
    Scan,
    /// By an index on the bound columns.
    Index,
    /// All columns are bound: by the set of all rows.
    Lookup,
    /// Every constant of the world.
    Constants,
    /// A test of bound variables.
    Test,
    /// A variable gets a computed value.
    Compute,
    /// There must be no such row.
    Absent,
}

/// Where a weight stands relative to a sum.
#[derive(Debug, Clone, Serialize)]
pub struct SumPlan {
    /// The weight.
    pub weight: String,
    /// Whether values are multiplied before they are added up.
    pub weight_first: bool,
    /// Sums.
    pub sums: usize,
    /// Values that are added up.
    pub summands: usize,
    /// Operations if values are multiplied, forward and backward; `None` where that is never done: by scalars.
    pub operations_before: Option<usize>,
    /// Operations if sums are.
    pub operations_after: usize,
}

/// An operation as it was compiled.
#[derive(Debug, Clone, Serialize)]
pub struct OperationPlan {
    /// Where it is written.
    pub place: String,
    /// `weights`, `combination`, `activation` or `aggregation`.
    pub kind: &'static str,
    /// The weight.
    pub weight: Option<String>,
    /// Functions and shapes. A function on top of another operation is computed in place.
    pub operation: String,
    /// Rows.
    pub rows: usize,
    /// Values that these rows read.
    pub sources: usize,
    /// Blocks.
    pub blocks: usize,
    /// Most blocks in one program.
    pub blocks_a_program: usize,
}

/// What was compiled.
#[derive(Debug, Clone, Serialize)]
pub struct NetworkPlan {
    /// Programs.
    pub programs: usize,
    /// Rows of all blocks.
    pub rows: usize,
    /// Blocks.
    pub blocks: usize,
    /// Neurons without a row: they copy their input.
    pub copies: usize,
    /// Numbers of all arenas: values, weights that stand as values, constants.
    pub numbers: usize,
    /// Where samples are computed, one for each program.
    pub layouts: Vec<Layout>,
    /// Samples of a step; `None`: all.
    pub batch: Option<usize>,
}

/// A join order met in some worlds.
struct Met {
    plan: Plan,
    worlds: usize,
}

/// Sizes of relations, and orders, gathered over worlds.
#[derive(Default)]
struct Gathered {
    worlds: usize,
    rows: HashMap<PredId, f64>,
    /// Rows and distinct keys, by predicate and columns.
    keys: HashMap<(PredId, u64), (f64, f64)>,
    orders: IndexMap<(RuleId, Option<usize>), Vec<Met>>,
    /// The order for rounded sizes.
    known: HashMap<(RuleId, Option<usize>, Vec<u64>), usize>,
}

impl Session {
    /// How the template is executed on the data. Reads sizes by grounding the worlds that are asked about; the reason to
    /// fail is that this was given up. `network` is what was built of them.
    pub fn execution(&self, network: Option<&Network>) -> Result<Execution, Diagnostic> {
        let mut gathered = Gathered::default();
        if network.is_some() {
            self.each_ground(&mut |world, _, ground| {
                let rows = |p: PredId| ground.relations[p].len();
                let rules = self.template.rules.iter_enumerated();
                let here = rules.filter(|(_, r)| r.world.is_none_or(|w| w == world));
                self.gather(&mut gathered, here, &rows);
                self.count_keys(&mut gathered, ground);
                Ok(ControlFlow::Continue(()))
            })?;
        } else {
            let shared = |p: PredId| self.database.shared.table(p).map_or(0, |t| t.len() as u32);
            self.gather(&mut gathered, self.template.rules.iter_enumerated(), &shared);
            gathered.worlds = 0;
        }
        let (mut by_rule, negations) = self.compiled_operations(network);
        let mut rules = Vec::new();
        for (id, rule) in self.template.rules.iter_enumerated().filter(|(_, r)| !r.origin.is_helper()) {
            rules.push(RulePlan {
                place: self.sources.place(rule.span),
                rule: one_line(self.sources.slice(rule.span)),
                recursive: self.recursive_literals(rule).next().is_some(),
                orders: self.orders(id, rule, &gathered),
                ground_rules: network.map(|n| n.statistics.per_rule[id.index()]),
                bytes_each: 4 * (1 + rule.visible().count()),
                deduplicated_by: unshown(rule),
                form: self.form(id, rule),
                sums: self.sums(id, network),
                operations: by_rule.shift_remove(&id).unwrap_or_default(),
            });
        }
        let network = network.map(|n| self.network_plan(n));
        Ok(Execution { worlds: gathered.worlds, rules, negations, network })
    }

    /// Positions of body literals that read what is derived together with the head.
    fn recursive_literals<'s>(&'s self, rule: &'s Rule) -> impl Iterator<Item = usize> + 's {
        let component = &self.strata.component;
        let recursive =
            move |i: &usize| rule.body[*i].predicate().is_some_and(|p| component[p] == component[rule.head]);
        (0..rule.body.len()).filter(|&i| rule.body[i].binds()).filter(recursive)
    }

    /// Makes the join orders of a world, as they are when it is fully grounded.
    fn gather<'r>(
        &self,
        gathered: &mut Gathered,
        rules: impl Iterator<Item = (RuleId, &'r Rule)>,
        rows: &dyn Fn(PredId) -> u32,
    ) {
        gathered.worlds += 1;
        for p in self.vocabulary.predicates() {
            *gathered.rows.entry(p).or_default() += f64::from(rows(p));
        }
        for (id, rule) in rules.filter(|(_, r)| !r.origin.is_helper()) {
            let new: Vec<Option<usize>> = self.recursive_literals(rule).map(Some).collect();
            for delta in if new.is_empty() { vec![None] } else { new } {
                let size = |p: PredId| rounded_size(rows(p));
                let sizes = rule.body.iter().map(|l| l.predicate().map_or(0, |p| size(p) as u64)).collect();
                let met = gathered.orders.entry((id, delta)).or_default();
                let key = (id, delta, sizes);
                let place = gathered.known.get(&key).copied().unwrap_or_else(|| {
                    let component = &self.strata.component;
                    let made = plan(rule, delta, &|p| component[p] == component[rule.head], &size);
                    let known = met.iter().position(|m| m.plan == made);
                    known.unwrap_or_else(|| {
                        met.push(Met { plan: made, worlds: 0 });
                        met.len() - 1
                    })
                });
                gathered.known.insert(key, place);
                met[place].worlds += 1;
            }
        }
    }

    /// Counts the keys of all indexes that the orders so far use.
    fn count_keys(&self, gathered: &mut Gathered, ground: &GroundProgram) {
        let mut wanted: Vec<(PredId, u64)> = Vec::new();
        for step in gathered.orders.values().flatten().flat_map(|m| &m.plan.steps) {
            if let Step::Match { pred, mask, .. } = step
                && *mask != 0
                && (mask.count_ones() as usize) < self.vocabulary.arity(*pred)
            {
                wanted.push((*pred, *mask));
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        let mut keys: HashSet<Vec<u32>> = HashSet::default();
        for (pred, mask) in wanted {
            let relation = &ground.relations[pred];
            keys.clear();
            for row in 0..relation.len() {
                let columns = relation.row(row).iter().enumerate();
                keys.insert(columns.filter(|(i, _)| mask & (1 << i) != 0).map(|(_, c)| c.0).collect());
            }
            let (rows, distinct) = gathered.keys.entry((pred, mask)).or_default();
            *rows += f64::from(relation.len());
            *distinct += keys.len() as f64;
        }
    }

    fn orders(&self, id: RuleId, rule: &Rule, gathered: &Gathered) -> Vec<JoinOrder> {
        let mut out = Vec::new();
        for ((_, delta), met) in gathered.orders.iter().filter(|((r, _), _)| *r == id) {
            let mut met: Vec<&Met> = met.iter().collect();
            met.sort_by_key(|m| std::cmp::Reverse(m.worlds));
            out.extend(met.into_iter().map(|m| JoinOrder {
                new: delta.map(|d| one_line(self.sources.slice(rule.body[d].span))),
                worlds: if gathered.worlds == 0 { 0 } else { m.worlds },
                steps: self.steps(&m.plan, rule, delta.is_some(), gathered),
            }));
        }
        out
    }

    fn steps(&self, plan: &Plan, rule: &Rule, recursive: bool, gathered: &Gathered) -> Vec<JoinStep> {
        let known = gathered.worlds > 0 || self.database.shared.tables().next().is_some();
        let worlds = gathered.worlds.max(1) as f64;
        let term = |t: &Term| match t {
            Term::Variable(v) => rule.variables[*v].clone(),
            Term::Constant(c) => self.vocabulary.constant_text(*c).to_string(),
        };
        let columns = |mask: u64| (0..64).filter(|i| mask & (1 << i) != 0).map(|i| i + 1).collect();
        let written = |literal: usize| one_line(self.sources.slice(rule.body[literal].span));
        let step = |(at, step): (usize, &Step)| {
            let mut out = JoinStep {
                literal: String::new(),
                access: Access::Test,
                columns: Vec::new(),
                key: Vec::new(),
                binds: Vec::new(),
                rows: None,
                expected: None,
                found: None,
                part: None,
                once: at >= plan.shown,
            };
            match step {
                Step::Match { literal, pred, mask, key, binds, rows, .. } => {
                    let arity = self.vocabulary.arity(*pred);
                    let mean = gathered.rows.get(pred).map_or(0.0, |n| n / worlds);
                    out.literal = written(*literal);
                    out.access = match mask.count_ones() as usize {
                        n if n == arity => Access::Lookup,
                        0 => Access::Scan,
                        _ => Access::Index,
                    };
                    out.columns = columns(*mask);
                    out.key = key.iter().map(term).collect();
                    out.binds = binds.iter().map(|(_, v)| rule.variables[*v].clone()).collect();
                    out.rows = known.then_some(mean);
                    out.expected =
                        (known && out.access == Access::Index).then(|| expected_rows(mean, arity, *mask));
                    let keys = gathered.keys.get(&(*pred, *mask)).filter(|(_, keys)| *keys > 0.0);
                    out.found = keys.map(|(rows, keys)| rows / keys);
                    out.part = match rows {
                        Rows::Full if recursive => Some("all rows"),
                        Rows::Full => None,
                        Rows::Delta => Some("new rows"),
                        Rows::Old => Some("old rows"),
                    };
                }
                Step::Domain { var } => {
                    out.literal = rule.variables[*var].clone();
                    out.access = Access::Constants;
                    out.binds = vec![rule.variables[*var].clone()];
                }
                Step::Special { literal } => out.literal = written(*literal),
                Step::Assign { literal, var, .. } => {
                    out.literal = written(*literal);
                    out.access = Access::Compute;
                    out.binds = vec![rule.variables[*var].clone()];
                }
                Step::Absent { pred, mask, key } => {
                    out.literal = self.vocabulary.predicate_text(*pred);
                    out.access = Access::Absent;
                    out.columns = columns(*mask);
                    out.key = key.iter().map(term).collect();
                }
            }
            out
        };
        plan.steps.iter().enumerate().map(step).collect()
    }

    fn form(&self, id: RuleId, rule: &Rule) -> Form {
        let map = map_of(&self.template, &Op::Rule { rule: id, dropped: Vec::new() });
        match map {
            _ if rule.is_valueless() => Form::Plain,
            Some(map) if map.is_copy() => Form::HandsOn,
            Some(map) if map.slots.len() == 1 && map.offset.is_none() => Form::PerValue,
            _ => Form::PerGrounding,
        }
    }

    fn sums(&self, id: RuleId, network: Option<&Network>) -> Vec<SumPlan> {
        let mut all: Vec<SumChoice> = Vec::new();
        let programs = network.map_or(&[][..], |n| &n.programs);
        for choice in programs.iter().flat_map(|p| &p.sums).filter(|c| c.rule == id) {
            if !all.iter_mut().any(|known| known.joined(*choice)) {
                all.push(*choice);
            }
        }
        let plan = |c: SumChoice| SumPlan {
            weight: format!("${}", self.template.weights[c.weight].name),
            weight_first: c.weight_first,
            sums: c.sums,
            summands: c.summands,
            operations_before: c.before,
            operations_after: c.after,
        };
        all.into_iter().map(plan).collect()
    }

    /// The operations of all programs by the rule that they are written in, in order of computation, and those that are
    /// written in none.
    fn compiled_operations(
        &self,
        network: Option<&Network>,
    ) -> (IndexMap<RuleId, Vec<OperationPlan>>, Vec<OperationPlan>) {
        let mut all: IndexMap<Operation, OperationPlan> = IndexMap::default();
        for program in network.into_iter().flat_map(|n| &n.programs) {
            let mut here: HashMap<Operation, usize> = HashMap::default();
            for block in &program.blocks {
                let key = operation(block);
                let (kind, weight) = self.kind(key.part);
                let entry = all.entry(key.clone()).or_insert_with(|| OperationPlan {
                    place: self.names(key.span).place,
                    kind,
                    weight,
                    operation: key.text.clone(),
                    rows: 0,
                    sources: 0,
                    blocks: 0,
                    blocks_a_program: 0,
                });
                entry.rows += block.rows;
                entry.sources += block.source_count();
                entry.blocks += 1;
                let own = here.entry(key).or_default();
                *own += 1;
                entry.blocks_a_program = entry.blocks_a_program.max(*own);
            }
        }
        let ids: IndexVec<RuleId, &Rule> = self.template.rules.iter().collect::<Vec<_>>().into();
        let holds = |r: &Rule, span: Span| {
            r.span.source == span.source && r.span.start <= span.start && span.end <= r.span.end
        };
        let mut out: IndexMap<RuleId, Vec<OperationPlan>> = IndexMap::default();
        let mut rest = Vec::new();
        for (key, plan) in all {
            let written = |(_, r): &(RuleId, &&Rule)| {
                !r.origin.is_helper() && key.span.is_some_and(|span| holds(r, span))
            };
            match ids.iter_enumerated().find(written) {
                Some((id, _)) => out.entry(id).or_default().push(plan),
                None => rest.push(plan),
            }
        }
        (out, rest)
    }

    fn network_plan(&self, network: &Network) -> NetworkPlan {
        let programs = &network.programs;
        let batch = self.settings.train.batch;
        let layout = |(i, p)| layout(p, i, &network.samples, batch, programs.len());
        NetworkPlan {
            programs: programs.len(),
            rows: network.statistics.rows,
            blocks: network.statistics.blocks,
            copies: programs.iter().map(|p| p.copies).sum(),
            numbers: programs.iter().map(|p| p.arena).sum(),
            layouts: programs.iter().enumerate().map(layout).collect(),
            batch: match batch {
                crate::learn::Batch::Size(n) => Some(n),
                crate::learn::Batch::All => None,
            },
        }
    }
}

/// Variables that neither the head nor a visible literal shows, if substitutions that differ in them only are one.
fn unshown(rule: &Rule) -> Vec<String> {
    if !rule.may_collapse {
        return Vec::new();
    }
    let visible = rule.visible().flat_map(|(_, l)| &l.args);
    let shown: Vec<&Term> = rule.head_args.iter().chain(visible).collect();
    let mut out: Vec<String> = Vec::new();
    let matched = rule.body.iter().filter(|l| l.binds() && !matches!(l.relation, Relation::Special(..)));
    for term in matched.flat_map(|l| &l.args) {
        if let Term::Variable(v) = term
            && !shown.contains(&term)
            && !out.contains(&rule.variables[*v])
        {
            out.push(rule.variables[*v].clone());
        }
    }
    out
}

/// A text without line breaks and runs of blanks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
