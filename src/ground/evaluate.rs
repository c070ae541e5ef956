//! Semi-naive evaluation of one world.

use super::relation::NONE;

use super::demand::Demand;
use super::{FactSource, GroundBytes, GroundProgram, Instances};
use crate::base::hash::{HashMap, HashTable, hash_words};
use crate::base::index::{Id, IndexVec};
use crate::base::span::Span;
use crate::data::{ConstId, Database, FactValue, PredId, Vocabulary, WorldId};
use crate::plan::{Plan, Rows, Step, plan, rounded_size};
use crate::syntax::ast::Sign;
use crate::template::strata::{ComponentId, Strata};
use crate::template::{Literal, Relation, Rule, RuleId, Template, TemplateValue, Term, VarId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Grounding met more instances than its budget allows.
#[derive(Debug, Clone)]
pub struct Overflow {
    /// The world.
    pub world: WorldId,
    /// Instances per rule when it stopped.
    pub counts: Vec<(RuleId, usize)>,
}

/// What a plan was made for: the rule, the literal that reads the delta, the rounded sizes of the relations.
type PlanKey = (RuleId, Option<usize>, Vec<u8>);

/// Grounds worlds one after the other, keeping memory and plans between them.
pub struct Grounder<'a> {
    vocabulary: &'a Vocabulary,
    template: &'a Template,
    database: &'a Database,
    strata: &'a Strata,
    relevant: &'a IndexVec<PredId, bool>,
    demand: Option<&'a Demand>,
    plans: HashMap<PlanKey, Arc<Plan>>,
    /// The current world.
    pub ground: GroundProgram,
    domain: Vec<ConstId>,
    /// Per rule that may collapse: the set of its instances.
    seen: HashMap<RuleId, HashTable<u32>>,
    count: usize,
    world: WorldId,
    budget: usize,
    /// Kept for its memory; empty between rules.
    heads: Heads,
    /// Number of rows of each relevant predicate that hold in every world; empty before the first one.
    common: Vec<u32>,
    /// Values of common facts that the current world states anew, to be put back.
    overridden: HashMap<(PredId, usize), FactSource>,
    /// Facts stated again in the same world with another value, by predicate and row of the fact table.
    pub repeated: Vec<Span>,
}

/// Predicates on which the given ones depend, themselves included.
pub fn relevant_predicates(
    template: &Template,
    predicates: usize,
    roots: impl IntoIterator<Item = PredId>,
) -> IndexVec<PredId, bool> {
    let mut relevant: IndexVec<PredId, bool> = vec![false; predicates].into();
    let mut stack: Vec<PredId> = roots.into_iter().collect();
    let mut by_head: IndexVec<PredId, Vec<RuleId>> = vec![Vec::new(); predicates].into();
    for (id, rule) in template.rules.iter_enumerated() {
        by_head[rule.head].push(id);
    }
    while let Some(p) = stack.pop() {
        if std::mem::replace(&mut relevant[p], true) {
            continue;
        }
        for &id in &by_head[p] {
            for literal in &template.rules[id].body {
                match literal.relation {
                    Relation::Predicate(q) => stack.push(q),
                    Relation::Special(_, q) => relevant[q] = true,
                    Relation::Domain => {}
                }
            }
        }
    }
    relevant
}

/// Row ranges of a component's relations in one round.
struct Round {
    /// First and one past the last row of the delta, per predicate.
    delta: HashMap<PredId, (u32, u32)>,
}

/// State of one rule's evaluation.
struct Frame<'p> {
    rule_id: RuleId,
    rule: &'p Rule,
    plan: &'p Plan,
    /// Index number of each `Match` and `Absent` step (`usize::MAX`: none needed).
    indexes: Vec<usize>,
    /// Row range of each `Match` step.
    ranges: Vec<(u32, u32)>,
    bindings: Vec<ConstId>,
    /// Matched row of each body literal.
    rows: Vec<u32>,
    key: Vec<ConstId>,
    /// Heads found whose rows are not yet known.
    heads: Heads,
    /// The rule's instances; those of `heads` come last and lack the row of the head.
    words: Vec<u32>,
    /// Positions of the literals whose rows an instance records.
    recorded: Vec<usize>,
    used: &'p AtomicUsize,
    round: u32,
    /// An instance was recorded since the plan's last step that binds something shown.
    found: bool,
}

/// Arguments of heads, one after the other. Which rows they are is asked for many at once, see [`Relation::insert_all`];
/// nothing that the rule still reads depends on it, since the ranges of its literals were fixed when it began.
///
/// [`Relation::insert_all`]: super::relation::Relation::insert_all
#[derive(Debug, Default)]
struct Heads {
    tuples: Vec<ConstId>,
    count: usize,
    rows: Vec<u32>,
}

const FULL: usize = usize::MAX;
/// Heads that are asked for together: more than a core has loads under way (some dozens), and few enough that what is
/// known of them stays in the first cache.
const TOGETHER: usize = 128;
/// Instances are added to the shared count in steps: one atomic operation each would cost more than the join.
const STEP: usize = 1024;

impl<'a> Grounder<'a> {
    /// A grounder for the worlds of `database`. Only `relevant` predicates are looked at.
    pub fn new(
        vocabulary: &'a Vocabulary,
        template: &'a Template,
        database: &'a Database,
        strata: &'a Strata,
        relevant: &'a IndexVec<PredId, bool>,
    ) -> Self {
        let mut ground = GroundProgram::default();
        for _ in 0..vocabulary.predicate_count() {
            ground.relations.push(Default::default());
            ground.facts.push(Vec::new());
        }
        for rule in template.rules.iter() {
            let stride = 1 + rule.recorded().count();
            ground.instances.push(Instances { stride, words: Vec::new() });
        }
        Grounder {
            vocabulary,
            template,
            database,
            strata,
            relevant,
            demand: None,
            plans: HashMap::default(),
            ground,
            domain: Vec::new(),
            seen: HashMap::default(),
            count: 0,
            world: WorldId::SHARED,
            budget: 0,
            heads: Heads::default(),
            common: Vec::new(),
            overridden: HashMap::default(),
            repeated: Vec::new(),
        }
    }

    /// Makes only the instances that the queries behind a demand can need.
    pub fn restrict(&mut self, demand: Option<&'a Demand>) {
        self.demand = demand;
    }

    /// Whether some predicates are restricted to what is demanded of them.
    pub fn is_restricted(&self) -> bool {
        self.demand.is_some()
    }

    /// Grounds a world into [`Grounder::ground`]; at most `budget` instances together with the `used` ones of other
    /// worlds, to which this world's are added. Whether the budget holds depends on the total only, not on which world
    /// is grounded first.
    pub fn run(&mut self, world: WorldId, budget: usize, used: &AtomicUsize) -> Result<(), Overflow> {
        self.load(world);
        self.count = 0;
        self.world = world;
        self.budget = budget;
        let predicates = self.ground.relations.len();
        self.derive_demand(used);
        let outcome = self.evaluate(used);
        self.ground.relations.truncate(predicates);
        // The instances that were not yet added.
        let rest = self.count % STEP;
        if used.fetch_add(rest, Ordering::Relaxed) + rest > budget { Err(self.overflow()) } else { outcome }
    }

    /// A rule by its number: those of the template, then those that derive demand.
    fn numbered(&self, id: RuleId) -> &'a Rule {
        let Some(demand) = self.demand else { return &self.template.rules[id] };
        match id.index().checked_sub(demand.rules.len()) {
            None => &demand.rules[id],
            Some(i) => &demand.sources[i],
        }
    }

    /// Derives what is demanded of each restricted predicate, from the queries down.
    fn derive_demand(&mut self, used: &AtomicUsize) {
        let Some(demand) = self.demand else { return };
        let first = self.ground.relations.len();
        for &arity in &demand.arities {
            self.ground.relations.push(super::relation::Relation::new(arity));
        }
        for (pred, key) in demand.seeds(self.world) {
            self.ground.relations[*pred].insert(key, 0);
        }
        debug_assert_eq!(first, self.vocabulary.predicate_count());
        for (i, rule) in demand.sources.iter().enumerate() {
            if rule.world.is_none_or(|w| w == self.world) {
                let id = RuleId::new(demand.rules.len() + i);
                // Demand is no instance, so it spends nothing; it reads facts and demand, so that no component matters.
                let spent = self.rule(id, None, ComponentId::new(0), None, 0, used);
                debug_assert!(spent.is_ok());
            }
        }
    }

    fn evaluate(&mut self, used: &AtomicUsize) -> Result<(), Overflow> {
        let world = self.world;
        let mut round = 0u32;
        for c in 0..self.strata.rules.len() {
            let component = ComponentId::new(c);
            let rules: Vec<RuleId> = self.strata.rules[component]
                .iter()
                .copied()
                .filter(|&r| {
                    let rule = &self.template.rules[r];
                    self.relevant[rule.head] && rule.world.is_none_or(|w| w == world)
                })
                .collect();
            if rules.is_empty() {
                continue;
            }
            self.component(component, &rules, &mut round, used)?;
        }
        Ok(())
    }

    fn component(
        &mut self,
        component: ComponentId,
        rules: &[RuleId],
        round: &mut u32,
        used: &AtomicUsize,
    ) -> Result<(), Overflow> {
        let strata = self.strata;
        let recursive = |l: &Literal| {
            l.sign != Sign::Hard && l.predicate().is_some_and(|p| strata.component[p] == component)
        };
        *round += 1;
        let template = self.template;
        let mut heads: Vec<PredId> = Vec::new();
        for &id in rules {
            let rule = &template.rules[id];
            heads.push(rule.head);
            if !rule.body.iter().any(recursive) {
                self.rule(id, None, component, None, *round, used)?;
            }
        }
        let looping: Vec<RuleId> =
            rules.iter().copied().filter(|&id| template.rules[id].body.iter().any(recursive)).collect();
        if looping.is_empty() {
            return Ok(());
        }
        // Every predicate of a component with a recursive rule is a head in it; those of no relevant rule do not grow.
        let body =
            looping.iter().flat_map(|&id| template.rules[id].body.iter().filter_map(|l| l.predicate()));
        let mut members: Vec<PredId> =
            body.filter(|&p| strata.component[p] == component).chain(heads).collect();
        members.sort_unstable();
        members.dedup();
        let mut delta: HashMap<PredId, (u32, u32)> =
            members.iter().map(|&p| (p, (0, self.ground.relations[p].len()))).collect();
        while delta.values().any(|(from, to)| from < to) {
            *round += 1;
            let this = Round { delta };
            for &id in &looping {
                let rule = &template.rules[id];
                for (i, _) in rule.body.iter().enumerate().filter(|(_, l)| recursive(l)) {
                    self.rule(id, Some(i), component, Some(&this), *round, used)?;
                }
            }
            delta =
                members.iter().map(|&p| (p, (this.delta[&p].1, self.ground.relations[p].len()))).collect();
        }
        Ok(())
    }

    /// Evaluates one rule; `delta` is the literal that reads the last round's rows.
    fn rule(
        &mut self,
        id: RuleId,
        delta: Option<usize>,
        component: ComponentId,
        round: Option<&Round>,
        number: u32,
        used: &AtomicUsize,
    ) -> Result<(), Overflow> {
        let rule = self.numbered(id);
        // A positive literal without any row: nothing to do (and nothing to plan).
        let empty = |l: &Literal| {
            l.sign != Sign::Hard && l.predicate().is_some_and(|p| self.ground.relations[p].is_empty())
        };
        if rule.body.iter().any(empty) {
            return Ok(());
        }
        if let (Some(d), Some(r)) = (delta, round)
            && let Some(p) = rule.body[d].predicate()
            && r.delta[&p].0 == r.delta[&p].1
        {
            return Ok(());
        }
        let plan = self.plan(id, delta, component);
        let mut indexes = Vec::with_capacity(plan.steps.len());
        let mut ranges = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            let (index, range) = match step {
                Step::Match { pred, mask, rows, .. } => {
                    let relation = &mut self.ground.relations[*pred];
                    let partial = *mask != 0 && mask.count_ones() as usize != relation.arity();
                    let index = if partial { relation.ensure_index(*mask) } else { FULL };
                    let (start, end) = match round {
                        Some(r) => r.delta.get(pred).copied().unwrap_or((0, relation.len())),
                        None => (0, relation.len()),
                    };
                    let range = match rows {
                        Rows::Full => (0, end),
                        Rows::Delta => (start, end),
                        Rows::Old => (0, start),
                    };
                    (index, range)
                }
                Step::Absent { pred, mask, .. } => {
                    let relation = &mut self.ground.relations[*pred];
                    let partial = *mask != 0 && mask.count_ones() as usize != relation.arity();
                    (if partial { relation.ensure_index(*mask) } else { FULL }, (0, 0))
                }
                _ => (FULL, (0, 0)),
            };
            indexes.push(index);
            ranges.push(range);
        }
        let mut frame = Frame {
            rule_id: id,
            rule,
            plan: &plan,
            indexes,
            ranges,
            bindings: vec![ConstId(0); rule.variables.len()],
            rows: vec![NONE; rule.body.len()],
            key: Vec::new(),
            heads: std::mem::take(&mut self.heads),
            // Those of demand are not kept.
            words: self
                .ground
                .instances
                .get_mut(id)
                .map(|i| std::mem::take(&mut i.words))
                .unwrap_or_default(),
            recorded: rule.recorded().map(|(i, _)| i).collect(),
            used,
            round: number,
            found: false,
        };
        let within = self.step(&mut frame, 0) && self.settle(&mut frame);
        self.heads = frame.heads;
        if let Some(instances) = self.ground.instances.get_mut(id) {
            instances.words = frame.words;
        }
        if within { Ok(()) } else { Err(self.overflow()) }
    }

    fn overflow(&self) -> Overflow {
        let counts = self.ground.instances.iter_enumerated().map(|(r, i)| (r, i.len()));
        Overflow { world: self.world, counts: counts.filter(|(_, n)| *n > 0).collect() }
    }

    fn plan(&mut self, id: RuleId, delta: Option<usize>, component: ComponentId) -> Arc<Plan> {
        let rule = self.numbered(id);
        // Sizes rounded to powers of two: the plan depends on nothing finer, so caching cannot change it.
        let rounded = |p: PredId| (32 - self.ground.relations[p].len().leading_zeros()) as u8;
        let sizes: Vec<u8> = rule.body.iter().map(|l| l.predicate().map_or(0, rounded)).collect();
        let key = (id, delta, sizes);
        if let Some(plan) = self.plans.get(&key) {
            return plan.clone();
        }
        let size = |p: PredId| rounded_size(self.ground.relations[p].len());
        let recursive = |p: PredId| self.strata.component.get(p) == Some(&component);
        let made = Arc::new(plan(rule, delta, &recursive, &size));
        self.plans.insert(key, made.clone());
        made
    }

    /// Takes step `at` of the plan and what follows; false when the budget is spent.
    fn step(&mut self, frame: &mut Frame<'_>, at: usize) -> bool {
        let plan = frame.plan;
        let Some(step) = plan.steps.get(at) else { return self.emit(frame) };
        // From here on only what is not shown gets bound: the first solution says all.
        let once = at >= plan.shown;
        if at == plan.shown {
            frame.found = false;
        }
        match step {
            Step::Match { literal, pred, mask, key, binds, repeats, .. } => {
                let (start, end) = frame.ranges[at];
                let arity = self.ground.relations[*pred].arity();
                let bound = mask.count_ones() as usize;
                // The key lives on the frame's stack of keys, so that deeper steps can push theirs.
                let base = frame.key.len();
                for term in key {
                    let c = value(*term, &frame.bindings);
                    frame.key.push(c);
                }
                let mut ok = true;
                if bound == arity {
                    let found = self.ground.relations[*pred].find(&frame.key[base..]);
                    if let Some(row) = found.filter(|r| (start..end).contains(r)) {
                        frame.rows[*literal] = row;
                        ok = self.step(frame, at + 1);
                    }
                } else if bound == 0 {
                    for row in start..end {
                        if bind(&mut frame.bindings, self.ground.relations[*pred].row(row), binds, repeats) {
                            frame.rows[*literal] = row;
                            ok = self.step(frame, at + 1);
                            if !ok || (once && frame.found) {
                                break;
                            }
                        }
                    }
                } else {
                    let index = frame.indexes[at];
                    let last = at + 1 == plan.steps.len();
                    let mut row = self.ground.relations[*pred].first(index, &frame.key[base..]);
                    while row != NONE && row >= start {
                        let relation = &self.ground.relations[*pred];
                        let fits = row < end && relation.agrees(row, *mask, &frame.key[base..]);
                        if fits && bind(&mut frame.bindings, relation.row(row), binds, repeats) {
                            frame.rows[*literal] = row;
                            // Most instances are found here: no call for a step that is none.
                            ok = if last { self.emit(frame) } else { self.step(frame, at + 1) };
                            if !ok || (once && frame.found) {
                                break;
                            }
                        }
                        row = self.ground.relations[*pred].next(index, row);
                    }
                }
                frame.key.truncate(base);
                ok
            }
            Step::Domain { var } => {
                for i in 0..self.domain.len() {
                    frame.bindings[var.index()] = self.domain[i];
                    if !self.step(frame, at + 1) {
                        return false;
                    }
                    if once && frame.found {
                        break;
                    }
                }
                true
            }
            Step::Special { literal } => {
                let l = &frame.rule.body[*literal];
                let base = frame.key.len();
                for term in &l.args {
                    let c = value(*term, &frame.bindings);
                    frame.key.push(c);
                }
                let args = &frame.key[base..];
                let holds = match l.relation {
                    Relation::Special(s, _) => l.special_holds(s, self.vocabulary, args),
                    Relation::Domain => {
                        let place = |c: &ConstId| self.vocabulary.fixed_order(*c, args[0]);
                        self.domain.binary_search_by(place).is_ok()
                    }
                    Relation::Predicate(_) => unreachable!("ordinary literals are matched"),
                };
                if let (true, Relation::Special(s, pred)) = (holds && l.is_recorded(), l.relation) {
                    let number =
                        s.value(self.vocabulary, args).expect("a valued literal that holds has a value");
                    let (row, new) = self.ground.relations[pred].insert(args, 0);
                    if new {
                        self.ground.facts[pred].push(FactSource::Number(number));
                    }
                    frame.rows[*literal] = row;
                }
                frame.key.truncate(base);
                if holds == (l.sign == Sign::Hard) { true } else { self.step(frame, at + 1) }
            }
            Step::Assign { literal, var, side } => {
                let l = &frame.rule.body[*literal];
                let base = frame.key.len();
                for term in &l.args {
                    let c = value(*term, &frame.bindings);
                    frame.key.push(c);
                }
                let result = l
                    .comparison
                    .as_ref()
                    .and_then(|c| c.result_of(*side, self.vocabulary, &frame.key[base..]));
                frame.key.truncate(base);
                match result {
                    Some(c) => {
                        frame.bindings[var.index()] = c;
                        self.step(frame, at + 1)
                    }
                    None => true,
                }
            }
            Step::Absent { pred, mask, key } => {
                let base = frame.key.len();
                for term in key {
                    let c = value(*term, &frame.bindings);
                    frame.key.push(c);
                }
                let present = self.present(*pred, *mask, frame.indexes[at], &frame.key[base..]);
                frame.key.truncate(base);
                if present { true } else { self.step(frame, at + 1) }
            }
        }
    }

    fn present(&self, pred: PredId, mask: u64, index: usize, key: &[ConstId]) -> bool {
        let relation = &self.ground.relations[pred];
        if key.len() == relation.arity() {
            return relation.find(key).is_some();
        }
        if key.is_empty() {
            return !relation.is_empty();
        }
        let mut row = relation.first(index, key);
        while row != NONE {
            if relation.agrees(row, mask, key) {
                return true;
            }
            row = relation.next(index, row);
        }
        false
    }

    /// Takes down the instance that the bindings describe; false when the budget is spent.
    #[inline]
    fn emit(&mut self, frame: &mut Frame<'_>) -> bool {
        let rule = frame.rule;
        frame.heads.tuples.extend(rule.head_args.iter().map(|t| value(*t, &frame.bindings)));
        frame.heads.count += 1;
        frame.found = true;
        if frame.rule_id.index() < self.ground.instances.len() {
            frame.words.push(NONE);
            for &i in &frame.recorded {
                frame.words.push(frame.rows[i]);
            }
        }
        frame.heads.count < TOGETHER || self.settle(frame)
    }

    /// Finds or makes the rows of all heads that wait, and counts their instances; false when the budget is spent.
    fn settle(&mut self, frame: &mut Frame<'_>) -> bool {
        let Heads { tuples, count, rows } = &mut frame.heads;
        self.ground.relations[frame.rule.head].insert_all(tuples, *count, frame.round, rows);
        tuples.clear();
        let count = std::mem::take(count);
        let Some(instances) = self.ground.instances.get(frame.rule_id) else { return true };
        let stride = instances.stride;
        let words = &mut frame.words;
        // What is kept moves down over what is not.
        let mut kept = words.len() - count * stride;
        for (from, row) in (kept..words.len()).step_by(stride).zip(rows.iter()) {
            words[from] = *row;
            if frame.rule.may_collapse {
                words.copy_within(from..from + stride, kept);
                let slice = |i: u32| &words[i as usize * stride..(i as usize + 1) * stride];
                let hash = |w: &[u32]| hash_words(w.iter().copied());
                let number = u32::try_from(kept / stride).expect("the budget is below 2^32");
                let table = self.seen.entry(frame.rule_id).or_default();
                let this = slice(number);
                if table.find(hash(this), |&i| slice(i) == this).is_some() {
                    continue;
                }
                table.insert_unique(hash(this), number, |&i| hash(slice(i)));
            }
            kept += stride;
            self.count += 1;
            let within = if self.count.is_multiple_of(STEP) {
                frame.used.fetch_add(STEP, Ordering::Relaxed) + STEP <= self.budget
            } else {
                self.count <= self.budget
            };
            if !within {
                words.truncate(kept);
                return false;
            }
        }
        words.truncate(kept);
        true
    }

    /// Forgets the last world and puts in the facts of the next one. What holds in every world (shared facts, then those
    /// of the template) is loaded once and stays; a world's own mention of such a fact gives its value there.
    fn load(&mut self, world: WorldId) {
        let relevant: Vec<PredId> = self.vocabulary.predicates().filter(|&p| self.relevant[p]).collect();
        if self.common.is_empty() {
            self.load_common(&relevant);
        }
        let ground = &mut self.ground;
        for ((p, row), value) in self.overridden.drain() {
            ground.facts[p][row] = value;
        }
        for (&p, &len) in relevant.iter().zip(&self.common) {
            ground.relations[p].truncate(len);
            ground.facts[p].truncate(len as usize);
        }
        for instances in ground.instances.iter_mut() {
            instances.words.clear();
        }
        for table in self.seen.values_mut() {
            table.clear();
        }
        let mut tuple = Vec::new();
        for (&p, &common) in relevant.iter().zip(&self.common) {
            let Some(table) = self.database.examples.table(p) else { continue };
            for i in table.world_rows(world) {
                tuple.clear();
                tuple.extend(table.row(i));
                let value = FactSource::Data(table.values[i]);
                let (row, new) = ground.relations[p].insert(&tuple, 0);
                let at = row as usize;
                if new {
                    ground.facts[p].push(value);
                } else if row >= common || self.overridden.contains_key(&(p, at)) {
                    if ground.facts[p][at] != value {
                        self.repeated.push(table.spans[i]);
                    }
                } else {
                    self.overridden.insert((p, at), ground.facts[p][at]);
                    ground.facts[p][at] = value;
                }
            }
        }
        let uses_domain =
            |r: &Rule| self.relevant[r.head] && r.body.iter().any(|l| matches!(l.relation, Relation::Domain));
        self.domain.clear();
        if self.template.rules.iter().any(uses_domain) {
            self.domain = domain(self.vocabulary, self.template, self.database, world);
        }
    }

    /// Facts that hold in every world; the first mention gives the value.
    fn load_common(&mut self, relevant: &[PredId]) {
        let ground = &mut self.ground;
        let mut tuple = Vec::new();
        for &p in relevant {
            ground.relations[p] = super::relation::Relation::new(self.vocabulary.arity(p));
            let Some(table) = self.database.shared.table(p) else { continue };
            for i in 0..table.len() {
                tuple.clear();
                tuple.extend(table.row(i));
                let value = FactSource::Data(table.values[i]);
                let (row, new) = ground.relations[p].insert(&tuple, 0);
                if new {
                    ground.facts[p].push(value);
                } else if ground.facts[p][row as usize] != value {
                    self.repeated.push(table.spans[i]);
                }
            }
        }
        for fact in self.template.facts.iter().filter(|f| self.relevant[f.pred]) {
            let value = FactSource::Template(fact.value);
            let (row, new) = ground.relations[fact.pred].insert(&fact.args, 0);
            if new {
                ground.facts[fact.pred].push(value);
            } else {
                let same = match (ground.facts[fact.pred][row as usize], fact.value) {
                    (FactSource::Template(v), value) => v == value,
                    (FactSource::Data(FactValue::Constant(v)), TemplateValue::Constant(w)) => v == w,
                    _ => false,
                };
                if !same {
                    self.repeated.push(fact.span);
                }
            }
        }
        self.common = relevant.iter().map(|&p| ground.relations[p].len()).collect();
    }

    /// Bytes that are held for the current world, room for growth included.
    pub fn bytes(&self) -> GroundBytes {
        // A control byte stands beside every bucket.
        let buckets = |t: &HashTable<u32>| t.num_buckets() * (size_of::<u32>() + 1);
        GroundBytes { seen: self.seen.values().map(buckets).sum(), ..self.ground.bytes() }
    }

    /// Constants over which unbound variables range in the current world (empty if no rule needs them).
    pub fn domain(&self) -> &[ConstId] {
        &self.domain
    }
}

/// Binds the variables of a row's arguments; whether those that come twice agree.
#[inline]
fn bind(
    bindings: &mut [ConstId],
    args: &[ConstId],
    binds: &[(usize, VarId)],
    repeats: &[(usize, VarId)],
) -> bool {
    for &(i, v) in binds {
        bindings[v.index()] = args[i];
    }
    repeats.iter().all(|&(i, v)| bindings[v.index()] == args[i])
}

#[inline]
fn value(term: Term, bindings: &[ConstId]) -> ConstId {
    match term {
        Term::Constant(c) => c,
        Term::Variable(v) => bindings[v.index()],
    }
}

/// All constants of a world: of its facts, the shared facts and the template, in their fixed order. What is only
/// computed is not among them.
fn domain(vocabulary: &Vocabulary, template: &Template, database: &Database, world: WorldId) -> Vec<ConstId> {
    let mut out: Vec<ConstId> = Vec::new();
    for (_, table) in database.shared.tables() {
        table.columns.iter().for_each(|c| out.extend(c));
    }
    for (_, table) in database.examples.tables() {
        let rows = table.world_rows(world);
        table.columns.iter().for_each(|c| out.extend(&c[rows.clone()]));
    }
    out.extend(template.facts.iter().flat_map(|f| f.args.iter().copied()));
    for rule in template.rules.iter().filter(|r| r.world.is_none_or(|w| w == world)) {
        let terms = rule.head_args.iter().chain(rule.body.iter().flat_map(|l| &l.args));
        out.extend(terms.filter_map(|t| match t {
            Term::Constant(c) => Some(*c),
            Term::Variable(_) => None,
        }));
    }
    out.sort_unstable_by(|a, b| vocabulary.fixed_order(*a, *b));
    out.dedup();
    out
}
