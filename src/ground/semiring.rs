//! Other readings of a ground program: whether an atom holds, in how many ways, to what degree, at what least length.
//!
//! Weights, functions and offsets are not looked at. What is combined is what the grounder recorded: the groundings of
//! rules with the rows of their visible literals. Groundings that differ only in what is not visible were recorded once
//! and count once, as in learning.
//!
//! The fixpoints are exact, on cycles too, and cost one walk over the ground program. Strongly connected components are
//! evaluated in topological order. Inside a cyclic one every atom has infinitely many proof trees: each holds (it was
//! grounded), so each way around the cycle can be put on top of another. Degrees are found by Knuth's generalisation of
//! Dijkstra's algorithm (A generalization of Dijkstra's algorithm, 1977): `min` never exceeds its inputs, so the
//! greatest degree that is not yet final can be made so. Lengths are the same with signs changed: a sum of numbers that
//! are not positive never exceeds any of them, and the greatest is that of the shortest way.

use super::{FactSource, GroundProgram, Instances};
use crate::base::index::{Id, IndexVec};
use crate::data::{Database, FactValue, PredId};
use crate::syntax::ast::Sign;
use crate::template::{Origin, Relation, RuleId, Template, TemplateValue};
use std::collections::BinaryHeap;

/// What is computed of each atom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Semiring {
    /// 1: it holds.
    Boolean,
    /// The number of its proof trees: 1 for a fact; products over visible literals, sums over ground rules.
    Count,
    /// Its degree: the value of a fact (1 where none is stated); the least of the visible literals, the greatest over
    /// ground rules; one minus it for a soft negation.
    MaxMin,
    /// Its least length: the value of a fact (1 where none is stated), never negative; the sum over the visible literals
    /// (0 without any), the least over ground rules.
    MinPlus,
}

impl Semiring {
    /// Names on the command line.
    pub fn names() -> &'static [&'static str] {
        &["bool", "count", "maxmin", "minplus"]
    }
    /// The semiring of a name.
    pub fn parse(name: &str) -> Option<Semiring> {
        match name {
            "bool" => Some(Semiring::Boolean),
            "count" => Some(Semiring::Count),
            "maxmin" => Some(Semiring::MaxMin),
            "minplus" => Some(Semiring::MinPlus),
            _ => None,
        }
    }
    /// The value of what cannot be derived.
    pub fn nothing(self) -> f64 {
        if self == Semiring::MinPlus { f64::INFINITY } else { 0.0 }
    }
}

/// Why a ground program has no values in a semiring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReading {
    /// A fact of this predicate has a value of several numbers.
    Vector(PredId),
    /// A fact of this predicate has a negative value, which is no length.
    Negative(PredId),
    /// This rule negates softly (the literal with this position in the body), which speaks of degrees only.
    SoftNegation(RuleId, usize),
    /// This rule negates softly (the literal with this position in the body) what depends on its head.
    NegativeCycle(RuleId, usize),
}

/// Values of all atoms of a world.
#[derive(Debug, Clone, Default)]
pub struct Degrees {
    values: IndexVec<PredId, Vec<f64>>,
    /// A predicate with atoms that have infinitely many proof trees because they stand on a cycle.
    pub infinite: Option<PredId>,
    /// A predicate with an atom that has more proof trees than the greatest float, which is its value.
    pub overflow: Option<PredId>,
}

impl Degrees {
    /// The value of an atom: 1, a count (`inf` if there is no end to them; above 2^53 rounded), a degree or a length.
    pub fn value(&self, pred: PredId, row: u32) -> f64 {
        self.values.get(pred).and_then(|v| v.get(row as usize)).copied().unwrap_or(0.0)
    }
}

/// A visible literal: its position in the body, its predicate, whether it is negated softly.
type Slot = (usize, PredId, bool);

/// Working memory of one evaluation. Atoms are numbered predicate by predicate.
struct Evaluation<'a> {
    ground: &'a GroundProgram,
    semiring: Semiring,
    base: Vec<u32>,
    slots: IndexVec<RuleId, Vec<Slot>>,
    heads: IndexVec<RuleId, PredId>,
    /// `(rule, instance)` by head: those of atom `a` are `entries[starts[a]..starts[a + 1]]`.
    starts: Vec<u32>,
    entries: Vec<(RuleId, u32)>,
    /// Of lengths the negative: the greatest is sought in both readings that have one.
    values: Vec<f64>,
    /// The component of each atom, numbered in topological order.
    component: Vec<u32>,
}

const NEW: u32 = u32::MAX;

/// Evaluates everything that holds in a world.
pub fn evaluate(
    ground: &GroundProgram,
    template: &Template,
    database: &Database,
    semiring: Semiring,
) -> Result<Degrees, NoReading> {
    let mut out = Degrees::default();
    if semiring != Semiring::MaxMin {
        for (id, rule) in template.rules.iter_enumerated().filter(|(id, _)| !ground.instances[*id].is_empty())
        {
            if let Some((i, _)) = rule.visible().find(|(_, l)| l.sign == Sign::Soft) {
                return Err(NoReading::SoftNegation(id, i));
            }
        }
    }
    if semiring == Semiring::Boolean {
        // What holds is what was grounded.
        out.values = ground.relations.iter().map(|r| vec![1.0; r.len() as usize]).collect();
        return Ok(out);
    }
    let mut e = Evaluation::new(ground, template, semiring);
    e.facts(template, database)?;
    let (order, bounds) = e.components();
    for (c, window) in bounds.windows(2).enumerate() {
        let members = &order[window[0]..window[1]];
        let looped = members.len() > 1 || e.supports(members[0], c as u32).next().is_some();
        match (looped, semiring) {
            (false, _) => {
                let value = e.total(members[0], None);
                if value == f64::INFINITY && semiring == Semiring::Count && !e.reads_infinity(members[0]) {
                    out.overflow.get_or_insert(e.predicate_of(members[0]));
                    e.values[members[0] as usize] = f64::MAX;
                } else {
                    e.values[members[0] as usize] = value;
                }
            }
            (true, Semiring::Count) => {
                out.infinite.get_or_insert(e.predicate_of(members[0]));
                members.iter().for_each(|&a| e.values[a as usize] = f64::INFINITY);
            }
            (true, _) => e.degrees(members, c as u32)?,
        }
    }
    if semiring == Semiring::MinPlus {
        // Not `-x`, which makes -0 of 0.
        e.values.iter_mut().for_each(|x| *x = 0.0 - *x);
    }
    let mut rest = &e.values[..];
    for relation in ground.relations.iter() {
        let (these, others) = rest.split_at(relation.len() as usize);
        out.values.push(these.to_vec());
        rest = others;
    }
    Ok(out)
}

impl<'a> Evaluation<'a> {
    fn new(ground: &'a GroundProgram, template: &Template, semiring: Semiring) -> Self {
        let mut base = vec![0u32];
        let mut total = 0u32;
        for relation in ground.relations.iter() {
            total = total.checked_add(relation.len()).expect("fewer than 2^32 atoms in a world");
            base.push(total);
        }
        let slots = template.rules.iter().map(|rule| {
            let slot = |(i, l): (usize, &crate::template::Literal)| match l.relation {
                Relation::Predicate(p) | Relation::Special(_, p) => Some((i, p, l.sign == Sign::Soft)),
                // The domain is never visible.
                Relation::Domain => None,
            };
            // The norm of a group is derived from all scores of it; there are as many ways to the normalised head, and
            // the same degree, as to its own score.
            let most = if rule.origin == Origin::Normalised { 1 } else { usize::MAX };
            rule.visible().filter_map(slot).take(most).collect()
        });
        let n = total as usize;
        let mut e = Evaluation {
            ground,
            semiring,
            base,
            slots: slots.collect(),
            heads: template.rules.iter().map(|r| r.head).collect(),
            starts: vec![0; n + 1],
            entries: Vec::new(),
            values: vec![f64::NEG_INFINITY; n],
            component: vec![NEW; n],
        };
        // By counting, in the order of rules and of instances.
        for (rule, instances) in ground.instances.iter_enumerated() {
            for i in 0..instances.len() {
                let head = e.head(rule, instances, i) as usize;
                e.starts[head + 1] += 1;
            }
        }
        for i in 0..n {
            e.starts[i + 1] += e.starts[i];
        }
        let mut next = e.starts.clone();
        e.entries = vec![(RuleId::new(0), 0); e.starts[n] as usize];
        for (rule, instances) in ground.instances.iter_enumerated() {
            for i in 0..instances.len() {
                let head = e.head(rule, instances, i) as usize;
                let slot = &mut next[head];
                e.entries[*slot as usize] = (rule, i as u32);
                *slot += 1;
            }
        }
        e
    }

    fn head(&self, rule: RuleId, instances: &Instances, i: usize) -> u32 {
        self.base[self.heads[rule].index()] + instances.head(i)
    }

    fn predicate_of(&self, atom: u32) -> PredId {
        PredId::new(self.base.partition_point(|&b| b <= atom) - 1)
    }

    /// The ground rules of an atom.
    fn rules_of(&self, atom: u32) -> &[(RuleId, u32)] {
        &self.entries[self.starts[atom as usize] as usize..self.starts[atom as usize + 1] as usize]
    }

    /// The atoms of a ground rule's visible literals, with whether each is negated.
    fn body(&self, (rule, instance): (RuleId, u32)) -> impl Iterator<Item = (u32, bool)> {
        let rows = self.ground.instances[rule].body(instance as usize);
        self.slots[rule].iter().zip(rows).map(|(&(_, p, soft), &row)| (self.base[p.index()] + row, soft))
    }

    /// Values of facts: what an atom has without any rule.
    fn facts(&mut self, template: &Template, database: &Database) -> Result<(), NoReading> {
        let weight = |w| {
            let w: &crate::template::Weight = &template.weights[w];
            let one_number = w.shape.is_scalar();
            // A value that will be drawn states no degree.
            one_number.then(|| w.initial.as_ref().and_then(|v| v.first().copied()).unwrap_or(1.0))
        };
        let constant = |id| match database.values.get(id) {
            [x] => Some(*x),
            _ => None,
        };
        for (pred, facts) in self.ground.facts.iter_enumerated() {
            for (row, fact) in facts.iter().enumerate() {
                let value = match (self.semiring, fact) {
                    (Semiring::Boolean | Semiring::Count, _) => Some(1.0),
                    (_, FactSource::Data(FactValue::Constant(id)))
                    | (_, FactSource::Template(TemplateValue::Constant(id))) => constant(*id),
                    (_, FactSource::Data(FactValue::Learnable(id))) => weight(template.learnable_facts[*id]),
                    (_, FactSource::Template(TemplateValue::Weight(id))) => weight(*id),
                    (_, FactSource::Number(x)) => Some(*x),
                };
                let atom = self.base[pred.index()] as usize + row;
                let value = value.ok_or(NoReading::Vector(pred))?;
                self.values[atom] = match self.semiring {
                    Semiring::MinPlus if value < 0.0 => return Err(NoReading::Negative(pred)),
                    Semiring::MinPlus => -value,
                    _ => value,
                };
            }
        }
        Ok(())
    }

    /// The value of an atom from its facts and those of its ground rules that read nothing of component `without`.
    fn total(&self, atom: u32, without: Option<u32>) -> f64 {
        let fact = self.values[atom as usize];
        let holds = fact > f64::NEG_INFINITY;
        let inside = |a: u32| without.is_some_and(|c| self.component[a as usize] == c);
        let rules = self.rules_of(atom).iter().filter(|r| !self.body(**r).any(|(a, _)| inside(a)));
        match self.semiring {
            Semiring::Boolean => 1.0,
            Semiring::Count => {
                let ways = |r| self.body(r).map(|(a, _)| self.values[a as usize]).product::<f64>();
                f64::from(u8::from(holds)) + rules.map(|&r| ways(r)).sum::<f64>()
            }
            Semiring::MaxMin | Semiring::MinPlus => rules.map(|&r| self.degree(r)).fold(fact, f64::max),
        }
    }

    /// The degree of a ground rule: of one without visible literals, that of truth.
    fn degree(&self, rule: (RuleId, u32)) -> f64 {
        if self.semiring == Semiring::MinPlus {
            return self.body(rule).map(|(a, _)| self.values[a as usize]).sum();
        }
        let least = self
            .body(rule)
            .map(|(a, soft)| if soft { 1.0 - self.values[a as usize] } else { self.values[a as usize] })
            .fold(f64::INFINITY, f64::min);
        if least == f64::INFINITY { 1.0 } else { least }
    }

    /// Whether an atom depends on one with infinitely many proof trees.
    fn reads_infinity(&self, atom: u32) -> bool {
        self.rules_of(atom)
            .iter()
            .any(|&r| self.body(r).any(|(a, _)| self.values[a as usize] == f64::INFINITY))
    }

    /// Ground rules of an atom with a body atom in component `c`.
    fn supports(&self, atom: u32, c: u32) -> impl Iterator<Item = (RuleId, u32)> {
        let inside = move |r: &(RuleId, u32)| self.body(*r).any(|(a, _)| self.component[a as usize] == c);
        self.rules_of(atom).iter().copied().filter(inside)
    }

    /// Degrees of the atoms of a cyclic component, the greatest first.
    fn degrees(&mut self, members: &[u32], c: u32) -> Result<(), NoReading> {
        /// A degree that an atom has at least.
        #[derive(PartialEq)]
        struct Found(f64, u32);
        impl Eq for Found {}
        impl PartialOrd for Found {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for Found {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.0.total_cmp(&other.0).then(other.1.cmp(&self.1))
            }
        }
        let mut members = members.to_vec();
        members.sort_unstable();
        let place = |a: u32| members.binary_search(&a).ok();
        // Ground rules inside the component: the head, and how many body atoms of the component are not yet final.
        let mut waiting: Vec<(u32, (RuleId, u32), u32)> = Vec::new();
        let mut readers: Vec<Vec<u32>> = vec![Vec::new(); members.len()];
        let mut heap = BinaryHeap::new();
        for &head in &members {
            for rule in self.supports(head, c) {
                let number = u32::try_from(waiting.len()).expect("fewer than 2^32 ground rules");
                let mut open = 0;
                for (k, (a, soft)) in self.body(rule).enumerate() {
                    if let Some(at) = place(a) {
                        if soft {
                            return Err(NoReading::NegativeCycle(rule.0, self.slots[rule.0][k].0));
                        }
                        readers[at].push(number);
                        open += 1;
                    }
                }
                waiting.push((head, rule, open));
            }
        }
        for &atom in &members {
            let value = self.total(atom, Some(c));
            if value > f64::NEG_INFINITY {
                heap.push(Found(value, atom));
            }
        }
        let mut done = vec![false; members.len()];
        while let Some(Found(value, atom)) = heap.pop() {
            let Some(at) = place(atom).filter(|&i| !done[i]) else { continue };
            done[at] = true;
            self.values[atom as usize] = value;
            for number in std::mem::take(&mut readers[at]) {
                let (head, rule, open) = &mut waiting[number as usize];
                *open -= 1;
                if *open == 0 && place(*head).is_some_and(|i| !done[i]) {
                    heap.push(Found(self.degree(*rule), *head));
                }
            }
        }
        Ok(())
    }

    /// Strongly connected components of all atoms (Tarjan's, without recursion): the atoms with what they depend on
    /// first, and the bounds of each component.
    fn components(&mut self) -> (Vec<u32>, Vec<usize>) {
        struct Call {
            atom: u32,
            entry: u32,
            slot: u32,
        }
        let n = self.values.len();
        let (mut index, mut low) = (vec![NEW; n], vec![NEW; n]);
        let (mut order, mut bounds, mut stack) = (Vec::with_capacity(n), vec![0], Vec::new());
        let mut calls: Vec<Call> = Vec::new();
        let mut counter = 0u32;
        for root in 0..n as u32 {
            if index[root as usize] != NEW {
                continue;
            }
            let mut next = Some(root);
            loop {
                if let Some(atom) = next.take() {
                    (index[atom as usize], low[atom as usize]) = (counter, counter);
                    counter += 1;
                    stack.push(atom);
                    calls.push(Call { atom, entry: self.starts[atom as usize], slot: 0 });
                }
                let Some(call) = calls.last_mut() else { break };
                let v = call.atom as usize;
                if call.entry < self.starts[v + 1] {
                    let (rule, instance) = self.entries[call.entry as usize];
                    let rows = self.ground.instances[rule].body(instance as usize);
                    let slot = self.slots[rule].get(call.slot as usize).zip(rows.get(call.slot as usize));
                    let Some((&(_, pred, _), &row)) = slot else {
                        (call.entry, call.slot) = (call.entry + 1, 0);
                        continue;
                    };
                    let w = self.base[pred.index()] + row;
                    call.slot += 1;
                    if index[w as usize] == NEW {
                        next = Some(w);
                    } else if self.component[w as usize] == NEW {
                        low[v] = low[v].min(index[w as usize]);
                    }
                    continue;
                }
                calls.pop();
                if let Some(parent) = calls.last() {
                    let p = parent.atom as usize;
                    low[p] = low[p].min(low[v]);
                }
                if low[v] == index[v] {
                    let number = bounds.len() as u32 - 1;
                    while let Some(w) = stack.pop() {
                        self.component[w as usize] = number;
                        order.push(w);
                        if w as usize == v {
                            break;
                        }
                    }
                    bounds.push(order.len());
                }
            }
        }
        (order, bounds)
    }
}
