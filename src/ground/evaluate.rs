//! Semi-naive evaluation of one world.

use super::relation::NONE;

use super::{FactSource, GroundProgram, Instances};
use crate::base::hash::{HashMap, HashTable, hash_words};
use crate::base::index::{Id, IndexVec};
use crate::base::span::Span;
use crate::data::{ConstId, Database, PredId, Vocabulary, WorldId};
use crate::plan::{Plan, Rows, Step, plan, rounded_size};
use crate::syntax::ast::Sign;
use crate::template::strata::{ComponentId, Strata};
use crate::template::{Literal, Relation, Rule, RuleId, Template, Term};
use std::sync::Arc;

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
    plans: HashMap<PlanKey, Arc<Plan>>,
    /// The current world.
    pub ground: GroundProgram,
    domain: Vec<ConstId>,
    /// Per rule that may collapse: the set of its instances.
    seen: HashMap<RuleId, HashTable<u32>>,
    count: usize,
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
    tuple: Vec<ConstId>,
    /// Positions of visible literals.
    visible: Vec<usize>,
    budget: usize,
    round: u32,
    derived: bool,
}

const FULL: usize = usize::MAX;

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
            let stride = 1 + rule.visible().count();
            ground.instances.push(Instances { stride, words: Vec::new() });
        }
        Grounder {
            vocabulary,
            template,
            database,
            strata,
            relevant,
            plans: HashMap::default(),
            ground,
            domain: Vec::new(),
            seen: HashMap::default(),
            count: 0,
            repeated: Vec::new(),
        }
    }

    /// Grounds a world into [`Grounder::ground`]; at most `budget` instances.
    pub fn run(&mut self, world: WorldId, budget: usize) -> Result<(), Overflow> {
        self.load(world);
        self.count = 0;
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
            self.component(component, &rules, &mut round, world, budget)?;
        }
        Ok(())
    }

    fn component(
        &mut self,
        component: ComponentId,
        rules: &[RuleId],
        round: &mut u32,
        world: WorldId,
        budget: usize,
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
            if !heads.contains(&rule.head) {
                heads.push(rule.head);
            }
            if !rule.body.iter().any(recursive) {
                self.rule(id, None, component, None, *round, world, budget)?;
            }
        }
        let looping: Vec<RuleId> =
            rules.iter().copied().filter(|&id| template.rules[id].body.iter().any(recursive)).collect();
        if looping.is_empty() {
            return Ok(());
        }
        let members: Vec<PredId> =
            self.vocabulary.predicates().filter(|&p| strata.component[p] == component).collect();
        let mut delta: HashMap<PredId, (u32, u32)> =
            members.iter().map(|&p| (p, (0, self.ground.relations[p].len()))).collect();
        while delta.values().any(|(from, to)| from < to) {
            *round += 1;
            let this = Round { delta };
            for &id in &looping {
                let rule = &template.rules[id];
                for (i, _) in rule.body.iter().enumerate().filter(|(_, l)| recursive(l)) {
                    self.rule(id, Some(i), component, Some(&this), *round, world, budget)?;
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
        world: WorldId,
        budget: usize,
    ) -> Result<(), Overflow> {
        let rule = &self.template.rules[id];
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
                    let partial = *mask != 0 && mask.count_ones() as usize != self.vocabulary.arity(*pred);
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
                    let partial = *mask != 0 && mask.count_ones() as usize != self.vocabulary.arity(*pred);
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
            tuple: Vec::new(),
            visible: rule.visible().map(|(i, _)| i).collect(),
            budget,
            round: number,
            derived: false,
        };
        if self.step(&mut frame, 0) { Ok(()) } else { Err(self.overflow(world)) }
    }

    fn overflow(&self, world: WorldId) -> Overflow {
        let counts = self.ground.instances.iter_enumerated().map(|(r, i)| (r, i.len()));
        Overflow { world, counts: counts.filter(|(_, n)| *n > 0).collect() }
    }

    fn plan(&mut self, id: RuleId, delta: Option<usize>, component: ComponentId) -> Arc<Plan> {
        let rule = &self.template.rules[id];
        // Sizes rounded to powers of two: the plan depends on nothing finer, so caching cannot change it.
        let rounded = |p: PredId| (32 - self.ground.relations[p].len().leading_zeros()) as u8;
        let sizes: Vec<u8> = rule.body.iter().map(|l| l.predicate().map_or(0, rounded)).collect();
        let key = (id, delta, sizes);
        if let Some(plan) = self.plans.get(&key) {
            return plan.clone();
        }
        let size = |p: PredId| rounded_size(self.ground.relations[p].len());
        let recursive = |p: PredId| self.strata.component[p] == component;
        let made = Arc::new(plan(rule, delta, &recursive, &size));
        self.plans.insert(key, made.clone());
        made
    }

    /// Takes step `at` of the plan and what follows; false when the budget is spent.
    fn step(&mut self, frame: &mut Frame<'_>, at: usize) -> bool {
        let plan = frame.plan;
        let Some(step) = plan.steps.get(at) else { return self.emit(frame) };
        match step {
            Step::Match { literal, pred, mask, key, binds, repeats, .. } => {
                let (start, end) = frame.ranges[at];
                let arity = self.vocabulary.arity(*pred);
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
                        if self.bind(frame, *pred, row, binds, repeats) {
                            frame.rows[*literal] = row;
                            ok = self.step(frame, at + 1);
                            if !ok {
                                break;
                            }
                        }
                    }
                } else {
                    let index = frame.indexes[at];
                    let mut row = self.ground.relations[*pred].first(index, &frame.key[base..]);
                    while row != NONE && row >= start {
                        let relation = &self.ground.relations[*pred];
                        let fits = row < end && relation.agrees(row, *mask, &frame.key[base..]);
                        if fits && self.bind(frame, *pred, row, binds, repeats) {
                            frame.rows[*literal] = row;
                            ok = self.step(frame, at + 1);
                            if !ok {
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
                    Relation::Special(s, _) => s.holds(self.vocabulary, args),
                    Relation::Domain => self.domain.binary_search(&args[0]).is_ok(),
                    Relation::Predicate(_) => unreachable!("ordinary literals are matched"),
                };
                if let (true, Relation::Special(s, pred)) = (holds && l.is_visible(), l.relation) {
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
        if key.len() == self.vocabulary.arity(pred) {
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

    #[inline]
    fn bind(
        &self,
        frame: &mut Frame<'_>,
        pred: PredId,
        row: u32,
        binds: &[(usize, crate::template::VarId)],
        repeats: &[(usize, crate::template::VarId)],
    ) -> bool {
        let args = self.ground.relations[pred].row(row);
        for &(i, v) in binds {
            frame.bindings[v.index()] = args[i];
        }
        repeats.iter().all(|&(i, v)| frame.bindings[v.index()] == args[i])
    }

    /// Records the instance that the bindings describe; false when the budget is spent.
    fn emit(&mut self, frame: &mut Frame<'_>) -> bool {
        let rule = frame.rule;
        frame.tuple.clear();
        frame.tuple.extend(rule.head_args.iter().map(|t| value(*t, &frame.bindings)));
        let (head, new) = self.ground.relations[rule.head].insert(&frame.tuple, frame.round);
        frame.derived |= new;
        let instances = &mut self.ground.instances[frame.rule_id];
        let start = instances.words.len();
        instances.words.push(head);
        instances.words.extend(frame.visible.iter().map(|&i| frame.rows[i]));
        if rule.may_collapse {
            let stride = instances.stride;
            let words = &instances.words;
            let slice = |i: u32| &words[i as usize * stride..(i as usize + 1) * stride];
            let hash = |w: &[u32]| hash_words(w.iter().copied());
            let number = u32::try_from(start / stride).expect("the budget is below 2^32");
            let table = self.seen.entry(frame.rule_id).or_default();
            let this = slice(number);
            if table.find(hash(this), |&i| slice(i) == this).is_some() {
                instances.words.truncate(start);
                return true;
            }
            table.insert_unique(hash(this), number, |&i| hash(slice(i)));
        }
        self.count += 1;
        self.count <= frame.budget
    }

    /// Empties everything and puts in the facts of a world: its own, the shared ones, the template's; the first
    /// mention of a fact gives its value.
    fn load(&mut self, world: WorldId) {
        let ground = &mut self.ground;
        for p in self.vocabulary.predicates() {
            if self.relevant[p] {
                ground.relations[p].reset(self.vocabulary.arity(p));
                ground.facts[p].clear();
            }
        }
        for instances in ground.instances.iter_mut() {
            instances.words.clear();
        }
        for table in self.seen.values_mut() {
            table.clear();
        }
        let mut tuple = Vec::new();
        for p in self.vocabulary.predicates().filter(|&p| self.relevant[p]) {
            let own = self.database.examples.table(p).map(|t| (t, t.world_rows(world)));
            let shared = self.database.shared.table(p).map(|t| (t, 0..t.len()));
            for (table, rows) in own.into_iter().chain(shared) {
                let before = ground.facts[p].len();
                for i in rows {
                    tuple.clear();
                    tuple.extend(table.row(i));
                    let value = FactSource::Data(table.values[i]);
                    let (row, new) = ground.relations[p].insert(&tuple, 0);
                    if new {
                        ground.facts[p].push(value);
                    } else if row as usize >= before && ground.facts[p][row as usize] != value {
                        self.repeated.push(table.spans[i]);
                    }
                }
            }
        }
        for fact in self.template.facts.iter().filter(|f| self.relevant[f.pred]) {
            if ground.relations[fact.pred].insert(&fact.args, 0).1 {
                ground.facts[fact.pred].push(FactSource::Template(fact.value));
            }
        }
        let uses_domain =
            |r: &Rule| self.relevant[r.head] && r.body.iter().any(|l| matches!(l.relation, Relation::Domain));
        self.domain.clear();
        if self.template.rules.iter().any(uses_domain) {
            self.domain = domain(self.template, self.database, world);
        }
    }

    /// Constants over which unbound variables range in the current world (empty if no rule needs them).
    pub fn domain(&self) -> &[ConstId] {
        &self.domain
    }
}

#[inline]
fn value(term: Term, bindings: &[ConstId]) -> ConstId {
    match term {
        Term::Constant(c) => c,
        Term::Variable(v) => bindings[v.index()],
    }
}

/// All constants of a world: of its facts, the shared facts and the template, in order of id.
fn domain(template: &Template, database: &Database, world: WorldId) -> Vec<ConstId> {
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
    out.sort_unstable();
    out.dedup();
    out
}
