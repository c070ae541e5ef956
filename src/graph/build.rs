//! Builds the neurons that support the queries of one world.
//!
//! One iterative depth-first walk (Tarjan) from the queried atoms through the ground rules finds what supports them,
//! in topological order, and the cycles among them. Then neurons are made in that order.

use super::function::is_negated;
use super::lift::{Lifter, Scope, Tally};
use super::prune::{Fate, fate_of_one};
use super::{Graph, NeuronCounts, NeuronId, Op, OpId, Output};
use crate::base::hash::HashMap;
use crate::base::index::{Id, IndexVec};
use crate::data::{ConstId, Database, FactValue, PredId, Vocabulary};
use crate::ground::{FactSource, GroundProgram};
use crate::template::{Literal, RuleId, Template, TemplateValue, WeightId};

/// A queried atom: predicate and row, with the numbers of the answers that ask for it.
#[derive(Debug, Clone)]
pub struct Root {
    /// The predicate.
    pub pred: PredId,
    /// The row in its relation.
    pub row: u32,
    /// The answer.
    pub answer: u32,
}

const NEW: u32 = u32::MAX;
const UNBUILT: NeuronId = NeuronId(u32::MAX);
/// In place of an instance that closes a cycle and is left out.
const CLOSED: u32 = u32::MAX;

/// The literals of a rule that ground rules record.
struct Shape {
    /// The visible ones: their predicates and whether they are soft negations.
    slots: Vec<(PredId, bool)>,
    /// The predicates of those that pick members of families.
    picks: Vec<PredId>,
    /// For each visible literal that a member weighs: its position in the body, and which of `picks` is its own.
    weighed: Vec<Option<(u32, usize)>>,
}

impl Shape {
    fn new(rule: &crate::template::Rule) -> Shape {
        use crate::template::Relation;
        let pred = |l: &Literal| match l.relation {
            Relation::Predicate(p) | Relation::Special(_, p) => p,
            Relation::Domain => unreachable!("the domain has no value"),
        };
        let picks: Vec<(usize, &Literal)> =
            rule.body.iter().enumerate().filter(|(_, l)| l.picks_member()).collect();
        let weighed = |(at, l): (usize, &Literal)| {
            let pick = picks.iter().position(|(p, _)| Some(*p) == l.member)?;
            Some((at as u32, pick))
        };
        Shape {
            slots: rule.visible().map(|(_, l)| (pred(l), is_negated(l))).collect(),
            weighed: rule.visible().map(weighed).collect(),
            picks: picks.iter().map(|(_, l)| pred(l)).collect(),
        }
    }
}

/// Operations of the graph, found without making their names anew for every neuron.
#[derive(Default)]
struct Known {
    rules: IndexVec<RuleId, Option<OpId>>,
    aggregations: IndexVec<RuleId, Option<OpId>>,
    /// Per predicate: the rules that derive an atom, whether it is an output.
    atoms: HashMap<PredId, Vec<(Vec<RuleId>, bool, OpId)>>,
}

/// Builds one graph, world after world.
pub struct Builder<'a> {
    template: &'a Template,
    vocabulary: &'a Vocabulary,
    lifter: Lifter<'a>,
    known: Known,
    /// By operation: what becomes of its neurons of one input. To find out takes longer than to make a neuron.
    fates: Vec<Fate>,
    /// Neurons at each stage, per predicate.
    tally: IndexVec<PredId, Tally>,
    shapes: IndexVec<RuleId, Shape>,
    /// Order-sensitive aggregations sort their groundings by the constants of the body.
    ordered: IndexVec<RuleId, bool>,
    // Per world: atoms are numbered predicate by predicate.
    base: Vec<u32>,
    starts: Vec<u32>,
    /// `(rule, instance)` by head atom.
    entries: Vec<(RuleId, u32)>,
    index: Vec<u32>,
    low: Vec<u32>,
    on_stack: Vec<bool>,
    /// Whether a ground rule of a reached atom has the atom in its body.
    used: Vec<bool>,
    neuron: Vec<NeuronId>,
    /// The leaves of members that rows of picking literals stand for.
    members: HashMap<(WeightId, u32), NeuronId>,
    /// Atoms that a rule without valued literals gives a value, with the last such rule.
    given: HashMap<u32, RuleId>,
    /// Predicates that the engine made, whose atoms the reference has no neurons for.
    internal: IndexVec<PredId, bool>,
    lost: Vec<(RuleId, usize)>,
    scratch: Scratch,
}

/// Working memory of an atom: to allocate it for every one costs as much as the neurons.
#[derive(Default)]
struct Scratch {
    derived: Vec<(RuleId, NeuronId)>,
    inputs: Vec<NeuronId>,
    groundings: Vec<NeuronId>,
}

/// One strongly connected component of ground atoms, as a range of the emission order.
struct Component {
    start: usize,
    end: usize,
    cyclic: bool,
}

impl<'a> Builder<'a> {
    /// A builder for one graph.
    pub fn new(
        template: &'a Template,
        vocabulary: &'a Vocabulary,
        database: &'a Database,
        scope: Scope,
    ) -> Self {
        Builder {
            template,
            vocabulary,
            lifter: Lifter::new(template, database, scope),
            known: Known {
                rules: vec![None; template.rules.len()].into(),
                aggregations: vec![None; template.rules.len()].into(),
                atoms: HashMap::default(),
            },
            fates: Vec::new(),
            tally: vec![Tally::default(); vocabulary.predicate_count()].into(),
            shapes: template.rules.iter().map(Shape::new).collect(),
            ordered: template.rules.iter().map(|r| r.aggregation.order_sensitive()).collect(),
            base: Vec::new(),
            starts: Vec::new(),
            entries: Vec::new(),
            index: Vec::new(),
            low: Vec::new(),
            on_stack: Vec::new(),
            used: Vec::new(),
            neuron: Vec::new(),
            members: HashMap::default(),
            given: HashMap::default(),
            internal: vocabulary.predicates().map(|p| vocabulary.is_internal(p)).collect(),
            lost: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// Adds what supports `roots` in the world just grounded.
    pub fn add_world(&mut self, ground: &GroundProgram, roots: &[Root], graph: &mut Graph) {
        self.lifter.next_world(graph);
        self.number(ground);
        self.index_instances(ground);
        let (mut order, components) = self.walk(ground, roots);
        let needed = self.cut(ground, roots, &mut order, &components, graph);
        let mut queried = vec![false; self.neuron.len()];
        for root in roots {
            queried[self.atom(root.pred, root.row)] = true;
        }
        let mut outputs: HashMap<u32, NeuronId> = HashMap::default();
        let mut counts = NeuronCounts::default();
        let mut scratch = std::mem::take(&mut self.scratch);
        for &a in &order {
            if needed.as_ref().is_none_or(|n| n[a as usize]) {
                let queried = queried[a as usize];
                let output = self.atom_neuron(&mut scratch, ground, a, queried, graph, &mut counts);
                if let Some(output) = output {
                    outputs.insert(a, output);
                }
            }
        }
        self.scratch = scratch;
        for (rule, n) in self.lost.drain(..) {
            match graph.lost.iter_mut().find(|(r, _)| *r == rule) {
                Some((_, m)) => *m += n,
                None => graph.lost.push((rule, n)),
            }
        }
        for root in roots {
            let a = self.atom(root.pred, root.row);
            let neuron = outputs.get(&(a as u32)).copied().unwrap_or(self.neuron[a]);
            graph.outputs.push(Output { answer: root.answer, neuron });
        }
        graph.counts.add(counts);
    }

    /// Ends building: what nothing depends on is left out, and each predicate's neurons are counted.
    pub fn finish(mut self, graph: &mut Graph) -> IndexVec<PredId, Tally> {
        graph.drop_unreached();
        for owner in &graph.owner {
            self.tally[*owner].lifted += 1;
        }
        self.tally
    }

    /// Makes a neuron of a predicate, or finds the one that it equals.
    fn make(
        &mut self,
        graph: &mut Graph,
        pred: PredId,
        op: OpId,
        inputs: &[NeuronId],
        counts: &mut NeuronCounts,
    ) -> NeuronId {
        let fate = self.fate(graph, op, inputs);
        let counted = self.counted(graph, op);
        let tally = &mut self.tally[pred];
        tally.unlifted += 1;
        if fate == Fate::Stays {
            tally.pruned += 1;
        } else if counted {
            counts.handing_on += 1;
        }
        if fate == Fate::Vanishes { inputs[0] } else { self.lifter.push(graph, pred, op, inputs) }
    }

    /// Whether a neuron belongs to the program as it is written: not to a rule or predicate that the engine made.
    fn counted(&self, graph: &Graph, op: OpId) -> bool {
        match &graph.ops[op.index()] {
            Op::Rule { rule, .. } | Op::Aggregation(rule) => !self.template.rules[*rule].origin.is_helper(),
            Op::Atom { pred, .. } => !self.internal[*pred],
            Op::Value(_) | Op::Number(_) | Op::Weight(_) | Op::Negation | Op::Weighing { .. } => true,
        }
    }

    fn fate(&mut self, graph: &Graph, op: OpId, inputs: &[NeuronId]) -> Fate {
        if inputs.len() != 1 {
            return Fate::Stays;
        }
        while self.fates.len() <= op.index() {
            self.fates.push(fate_of_one(self.template, &graph.ops[self.fates.len()]));
        }
        self.fates[op.index()]
    }

    /// Decides which ground rules close a cycle, and sorts the atoms of each cycle so that what supports them comes
    /// first. If ground rules are left out, the atoms that still support a root are returned.
    ///
    /// Inside a component of mutually dependent atoms an atom keeps the ground rules whose body atoms of that
    /// component were all first derived in an earlier round than itself. A body literal that is the head itself is
    /// left out of its ground rule, whose other inputs stay; where they mean nothing without it, the whole ground rule
    /// is left out.
    fn cut(
        &mut self,
        ground: &GroundProgram,
        roots: &[Root],
        order: &mut [u32],
        components: &[Component],
        graph: &mut Graph,
    ) -> Option<Vec<bool>> {
        let mut some = false;
        for component in components.iter().filter(|c| c.cyclic) {
            let members = &mut order[component.start..component.end];
            members.sort_unstable_by_key(|&a| (self.round(ground, a), a));
            for &a in &*members {
                // Marks the component for the test of its ground rules.
                self.low[a as usize] = component.start as u32;
            }
            for &a in &*members {
                let mut cut = 0;
                let round = self.round(ground, a);
                for e in self.starts[a as usize] as usize..self.starts[a as usize + 1] as usize {
                    let (rule, instance) = self.entries[e];
                    let body = ground.instances[rule].body(instance as usize);
                    let slots = &self.shapes[rule].slots;
                    let later = |((pred, _), &row): (&(PredId, bool), &u32)| {
                        let b = self.base[pred.index()] + row;
                        let inside = b != a && self.low[b as usize] == component.start as u32;
                        inside && self.round(ground, b) >= round
                    };
                    let r = &self.template.rules[rule];
                    let mentions = self.mentions(a, rule, body);
                    if slots.iter().zip(body).any(later) || mentions && r.combination.needs_all_inputs() {
                        cut += 1;
                        some = true;
                        self.entries[e].1 = CLOSED;
                        if r.origin.is_helper() && !graph.torn.contains(&rule) {
                            graph.torn.push(rule);
                        }
                    } else {
                        cut += usize::from(mentions);
                    }
                }
                if cut > 0 {
                    let pred = self.predicate_of(a);
                    match graph.cut.iter_mut().find(|(p, _)| *p == pred) {
                        Some((_, n)) => *n += cut,
                        None => graph.cut.push((pred, cut)),
                    }
                }
            }
        }
        some.then(|| self.still_needed(ground, roots))
    }

    /// What supports the roots by the ground rules that are kept.
    fn still_needed(&mut self, ground: &GroundProgram, roots: &[Root]) -> Vec<bool> {
        let mut needed = vec![false; self.neuron.len()];
        self.used.fill(false);
        let mut stack: Vec<u32> = Vec::new();
        for root in roots {
            let a = self.atom(root.pred, root.row);
            if !std::mem::replace(&mut needed[a], true) {
                stack.push(a as u32);
            }
        }
        while let Some(a) = stack.pop() {
            for e in self.starts[a as usize] as usize..self.starts[a as usize + 1] as usize {
                let (rule, instance) = self.entries[e];
                if instance == CLOSED {
                    continue;
                }
                let body = ground.instances[rule].body(instance as usize);
                for ((pred, _), row) in self.shapes[rule].slots.iter().zip(body) {
                    let b = self.base[pred.index()] + row;
                    if b != a {
                        self.used[b as usize] = true;
                        if !std::mem::replace(&mut needed[b as usize], true) {
                            stack.push(b);
                        }
                    }
                }
            }
        }
        needed
    }

    fn atom(&self, pred: PredId, row: u32) -> usize {
        (self.base[pred.index()] + row) as usize
    }

    fn predicate_of(&self, atom: u32) -> PredId {
        PredId::new(self.base.partition_point(|&b| b <= atom) - 1)
    }

    fn round(&self, ground: &GroundProgram, atom: u32) -> u32 {
        let pred = self.predicate_of(atom);
        ground.relations[pred].rounds[(atom - self.base[pred.index()]) as usize]
    }

    fn number(&mut self, ground: &GroundProgram) {
        self.base.clear();
        let mut total = 0u32;
        for relation in ground.relations.iter() {
            self.base.push(total);
            total = total.checked_add(relation.len()).expect("fewer than 2^32 atoms in a world");
        }
        let n = total as usize;
        self.neuron.clear();
        self.neuron.resize(n, UNBUILT);
        self.members.clear();
        self.index.clear();
        self.index.resize(n, NEW);
        self.low.clear();
        self.low.resize(n, NEW);
        self.on_stack.clear();
        self.on_stack.resize(n, false);
        self.used.clear();
        self.used.resize(n, false);
    }

    /// Instances by head atom, by counting: in the order of rules, and of instances within a rule.
    fn index_instances(&mut self, ground: &GroundProgram) {
        let n = self.neuron.len();
        self.starts.clear();
        self.starts.resize(n + 1, 0);
        self.given.clear();
        for (id, rule) in self.template.rules.iter_enumerated().filter(|(_, r)| r.is_valueless()) {
            let base = self.base[rule.head.index()];
            let instances = &ground.instances[id];
            for i in 0..instances.len() {
                let atom = base + instances.head(i);
                let earlier = self.given.insert(atom, id).filter(|earlier| *earlier != id);
                if let Some(earlier) = earlier
                    && !self.gives_the_same(ground, atom, earlier, id)
                {
                    count_lost(&mut self.lost, earlier);
                }
            }
        }
        let rules =
            || self.template.rules.iter_enumerated().filter(|(id, _)| !self.shapes[*id].slots.is_empty());
        for (id, rule) in rules() {
            let base = self.base[rule.head.index()];
            let instances = &ground.instances[id];
            for i in 0..instances.len() {
                self.starts[(base + instances.head(i)) as usize + 1] += 1;
            }
        }
        for i in 0..n {
            self.starts[i + 1] += self.starts[i];
        }
        let mut next: Vec<u32> = self.starts[..n].to_vec();
        self.entries.clear();
        self.entries.resize(self.starts[n] as usize, (RuleId(0), 0));
        for (id, rule) in rules() {
            let base = self.base[rule.head.index()];
            let instances = &ground.instances[id];
            for i in 0..instances.len() {
                let slot = &mut next[(base + instances.head(i)) as usize];
                self.entries[*slot as usize] = (id, i as u32);
                *slot += 1;
            }
        }
    }

    /// Tarjan from the roots: atoms with their supports first.
    fn walk(&mut self, ground: &GroundProgram, roots: &[Root]) -> (Vec<u32>, Vec<Component>) {
        struct Call {
            atom: u32,
            entry: u32,
            slot: u32,
            looped: bool,
        }
        let (mut order, mut components, mut stack) = (Vec::new(), Vec::new(), Vec::new());
        let mut calls: Vec<Call> = Vec::new();
        let mut counter = 0u32;
        for root in roots {
            let atom = self.atom(root.pred, root.row) as u32;
            if self.index[atom as usize] != NEW {
                continue;
            }
            self.open(atom, &mut counter, &mut stack);
            calls.push(Call { atom, entry: self.starts[atom as usize], slot: 0, looped: false });
            while let Some(call) = calls.last_mut() {
                let v = call.atom as usize;
                if call.entry < self.starts[v + 1] {
                    let (rule, instance) = self.entries[call.entry as usize];
                    let slots = &self.shapes[rule].slots;
                    if call.slot as usize == slots.len() {
                        call.entry += 1;
                        call.slot = 0;
                        continue;
                    }
                    let k = call.slot as usize;
                    call.slot += 1;
                    let row = ground.instances[rule].body(instance as usize)[k];
                    let w = (self.base[slots[k].0.index()] + row) as usize;
                    if w == v {
                        call.looped = true;
                        continue;
                    }
                    self.used[w] = true;
                    if self.index[w] == NEW {
                        self.open(w as u32, &mut counter, &mut stack);
                        calls.push(Call { atom: w as u32, entry: self.starts[w], slot: 0, looped: false });
                    } else if self.on_stack[w] {
                        self.low[v] = self.low[v].min(self.index[w]);
                    }
                    continue;
                }
                let looped = call.looped;
                calls.pop();
                if let Some(parent) = calls.last() {
                    let p = parent.atom as usize;
                    self.low[p] = self.low[p].min(self.low[v]);
                }
                if self.low[v] == self.index[v] {
                    let start = order.len();
                    while let Some(w) = stack.pop() {
                        self.on_stack[w as usize] = false;
                        order.push(w);
                        if w as usize == v {
                            break;
                        }
                    }
                    let cyclic = order.len() - start > 1 || looped;
                    components.push(Component { start, end: order.len(), cyclic });
                }
            }
        }
        // `low` is used anew as the mark of cyclic components.
        self.low.fill(NEW);
        (order, components)
    }

    fn open(&mut self, atom: u32, counter: &mut u32, stack: &mut Vec<u32>) {
        self.index[atom as usize] = *counter;
        self.low[atom as usize] = *counter;
        *counter += 1;
        stack.push(atom);
        self.on_stack[atom as usize] = true;
    }

    /// Makes the neurons of one atom; the one to be read as an output, if it is asked for and derived.
    fn atom_neuron(
        &mut self,
        Scratch { derived, inputs, groundings }: &mut Scratch,
        ground: &GroundProgram,
        atom: u32,
        queried: bool,
        graph: &mut Graph,
        counts: &mut NeuronCounts,
    ) -> Option<NeuronId> {
        let a = atom as usize;
        let (from, to) = (self.starts[a] as usize, self.starts[a + 1] as usize);
        let pred = self.predicate_of(atom);
        derived.clear();
        let mut at = from;
        while at < to {
            let rule = self.entries[at].0;
            let end = at + self.entries[at..to].iter().take_while(|e| e.0 == rule).count();
            if self.ordered[rule] {
                self.sort_groundings(ground, rule, at, end);
            }
            groundings.clear();
            for e in at..end {
                let instance = self.entries[e].1;
                if instance == CLOSED {
                    continue;
                }
                let body = ground.instances[rule].body(instance as usize);
                if let Some(n) = self.rule_neuron(atom, rule, body, graph, inputs, counts, ground) {
                    groundings.push(n);
                }
            }
            if !groundings.is_empty() {
                counts.aggregations += usize::from(!self.template.rules[rule].origin.is_helper());
                let known = &mut self.known.aggregations[rule];
                let op = *known.get_or_insert_with(|| graph.intern(Op::Aggregation(rule)));
                derived.push((rule, self.make(graph, pred, op, groundings, counts)));
            }
            at = end;
        }
        if derived.is_empty() {
            self.fact_neuron(ground, atom, graph, counts);
            return None;
        }
        counts.atoms += usize::from(!self.internal[pred]);
        if let Some(&rule) = self.given.get(&atom) {
            count_lost(&mut self.lost, rule);
        }
        for (rule, n) in derived.iter_mut().filter(|(r, _)| !self.template.rules[*r].head_member.is_empty()) {
            *n = self.weigh_head(ground, atom, *rule, *n, graph, counts);
        }
        inputs.clear();
        inputs.extend(derived.iter().map(|(_, n)| *n));
        if !queried {
            let op = self.atom_op(graph, pred, derived, false);
            self.neuron[a] = self.make(graph, pred, op, inputs, counts);
            return None;
        }
        let op = self.atom_op(graph, pred, derived, true);
        let output = self.make(graph, pred, op, inputs, counts);
        if self.used[a] {
            // One atom, read in two ways, is counted once, as an output.
            let op = self.atom_op(graph, pred, derived, false);
            let fate = self.fate(graph, op, inputs);
            self.neuron[a] = match self.template.compat.is_on() {
                _ if fate == Fate::Vanishes => inputs[0],
                // The reference changes a queried atom itself, so that its parents see the logit as well.
                true => output,
                false => self.lifter.push(graph, pred, op, inputs),
            };
        }
        Some(output)
    }

    fn atom_op(
        &mut self,
        graph: &mut Graph,
        pred: PredId,
        derived: &[(RuleId, NeuronId)],
        output: bool,
    ) -> OpId {
        let known = self.known.atoms.entry(pred).or_default();
        let same = |(rules, o, _): &&(Vec<RuleId>, bool, OpId)| {
            *o == output && rules.iter().eq(derived.iter().map(|(r, _)| r))
        };
        if let Some((.., op)) = known.iter().find(same) {
            return *op;
        }
        let rules: Vec<RuleId> = derived.iter().map(|(r, _)| *r).collect();
        let op = graph.intern(Op::Atom { pred, rules: rules.clone(), output });
        known.push((rules, output, op));
        op
    }

    /// Whether a ground rule has its own head in its body.
    fn mentions(&self, atom: u32, rule: RuleId, body: &[u32]) -> bool {
        let slots = &self.shapes[rule].slots;
        slots.iter().zip(body).any(|((pred, _), row)| self.base[pred.index()] + row == atom)
    }

    fn rule_neuron(
        &mut self,
        atom: u32,
        rule: RuleId,
        body: &[u32],
        graph: &mut Graph,
        inputs: &mut Vec<NeuronId>,
        counts: &mut NeuronCounts,
        ground: &GroundProgram,
    ) -> Option<NeuronId> {
        inputs.clear();
        let head = self.template.rules[rule].head;
        let mut dropped = Vec::new();
        for k in 0..self.shapes[rule].slots.len() {
            let (pred, soft) = self.shapes[rule].slots[k];
            let row = body[k];
            let b = self.base[pred.index()] + row;
            if b == atom {
                dropped.push(k as u32);
                continue;
            }
            if self.neuron[b as usize] == UNBUILT {
                // Supported by nothing but its value as a fact (valued special predicates).
                self.fact_neuron(ground, b, graph, counts);
            }
            let mut n = self.neuron[b as usize];
            if soft {
                counts.negations += 1;
                let op = graph.intern(Op::Negation);
                n = self.make(graph, head, op, &[n], counts);
            }
            if let Some((literal, pick)) = self.shapes[rule].weighed[k] {
                let row = body[self.shapes[rule].slots.len() + pick];
                n = self.weigh(ground, rule, (literal, pick), row, n, graph, counts);
            }
            inputs.push(n);
        }
        if inputs.is_empty() {
            return None;
        }
        counts.rules += usize::from(!self.template.rules[rule].origin.is_helper());
        let op = if dropped.is_empty() {
            let known = &mut self.known.rules[rule];
            *known.get_or_insert_with(|| graph.intern(Op::Rule { rule, dropped }))
        } else {
            graph.intern(Op::Rule { rule, dropped })
        };
        Some(self.make(graph, head, op, inputs, counts))
    }

    /// The value of a literal multiplied by the member that a row of its picking literal stands for.
    fn weigh(
        &mut self,
        ground: &GroundProgram,
        rule: RuleId,
        (literal, pick): (u32, usize),
        row: u32,
        value: NeuronId,
        graph: &mut Graph,
        counts: &mut NeuronCounts,
    ) -> NeuronId {
        let r = &self.template.rules[rule];
        let family = r.body[literal as usize].weight.expect("what a member weighs has a weight");
        let leaf = match self.members.get(&(family, row)) {
            Some(&leaf) => leaf,
            None => {
                let picked = ground.relations[self.shapes[rule].picks[pick]].row(row);
                let leaf = self.member(family, picked, r.head, graph, counts);
                self.members.insert((family, row), leaf);
                leaf
            }
        };
        counts.weighed += 1;
        let op = graph.intern(Op::Weighing { rule, literal: Some(literal) });
        self.make(graph, r.head, op, &[leaf, value], counts)
    }

    /// What a rule gives an atom, multiplied by the member before its head.
    fn weigh_head(
        &mut self,
        ground: &GroundProgram,
        atom: u32,
        rule: RuleId,
        value: NeuronId,
        graph: &mut Graph,
        counts: &mut NeuronCounts,
    ) -> NeuronId {
        let r = &self.template.rules[rule];
        let family = r.head_weight.expect("what picks a member picks it from a family");
        let args = ground.relations[r.head].row(atom - self.base[r.head.index()]);
        let picked: Vec<ConstId> = r.head_pick(args).collect();
        let leaf = self.member(family, &picked, r.head, graph, counts);
        counts.weighed += 1;
        let op = graph.intern(Op::Weighing { rule, literal: None });
        self.make(graph, r.head, op, &[leaf, value], counts)
    }

    fn member(
        &mut self,
        family: WeightId,
        picked: &[ConstId],
        owner: PredId,
        graph: &mut Graph,
        counts: &mut NeuronCounts,
    ) -> NeuronId {
        let member = self.template.members.get(family, picked);
        counts.weighed += 1;
        let op = graph.intern(Op::Weight(member.expect("all members are known before neurons are made")));
        self.make(graph, owner, op, &[], counts)
    }

    /// The neuron of an atom that no ground rule derives: its value as a fact, or what a rule without valued
    /// literals gives it (the last such rule counts): the rule's weight, else the predicate's offset, else 1.
    fn fact_neuron(
        &mut self,
        ground: &GroundProgram,
        atom: u32,
        graph: &mut Graph,
        counts: &mut NeuronCounts,
    ) {
        let pred = self.predicate_of(atom);
        let row = atom - self.base[pred.index()];
        let op = match self.given.get(&atom).copied() {
            Some(rule) => {
                let weight = self.given_weight(ground, atom, rule);
                weight.map_or(Op::Value(crate::data::ValueId::ONE), Op::Weight)
            }
            None => match ground.fact(pred, row) {
                Some(FactSource::Data(FactValue::Constant(v)))
                | Some(FactSource::Template(TemplateValue::Constant(v))) => Op::Value(v),
                Some(FactSource::Data(FactValue::Learnable(l))) => {
                    Op::Weight(self.template.learnable_facts[l])
                }
                Some(FactSource::Template(TemplateValue::Weight(w))) => Op::Weight(w),
                Some(FactSource::Number(x)) => Op::Number(x.to_bits()),
                None => unreachable!("an atom of the model is a fact or derived"),
            },
        };
        counts.facts += 1;
        let op = graph.intern(op);
        self.neuron[atom as usize] = self.make(graph, pred, op, &[], counts);
    }

    /// The plain value that a rule without valued literals gives an atom; `None` for 1.
    fn given_weight(&self, ground: &GroundProgram, atom: u32, rule: RuleId) -> Option<WeightId> {
        let pred = self.predicate_of(atom);
        let r = &self.template.rules[rule];
        // Rules inside examples know nothing of the template's metadata.
        let offset = self.template.atom_offset(pred).filter(|_| r.world.is_none());
        match r.head_weight {
            Some(family) if !r.head_member.is_empty() => {
                let row = ground.relations[pred].row(atom - self.base[pred.index()]);
                let picked: Vec<ConstId> = r.head_pick(row).collect();
                self.template.members.get(family, &picked)
            }
            weight => weight.or(offset),
        }
    }

    /// Whether two rules give an atom one plain value, whatever training does.
    fn gives_the_same(&self, ground: &GroundProgram, atom: u32, a: RuleId, b: RuleId) -> bool {
        let [a, b] = [a, b].map(|rule| self.given_weight(ground, atom, rule));
        let fixed = |weight: Option<WeightId>| match weight {
            None => Some((crate::tensor::Shape::SCALAR, &[1.0][..])),
            Some(w) => {
                let w = &self.template.weights[w];
                w.initial.as_deref().filter(|_| !w.learnable).map(|values| (w.shape, values))
            }
        };
        a == b || fixed(a).is_some() && fixed(a) == fixed(b)
    }

    /// Sorts the groundings of one rule and head by their ground bodies, first literal first, so that functions which
    /// look at the order see one that does not depend on the order of facts.
    fn sort_groundings(&mut self, ground: &GroundProgram, rule: RuleId, from: usize, to: usize) {
        let Shape { slots, picks, .. } = &self.shapes[rule];
        let instances = &ground.instances[rule];
        let vocabulary = self.vocabulary;
        self.entries[from..to].sort_by(|x, y| {
            if x.1 == CLOSED || y.1 == CLOSED {
                return x.1.cmp(&y.1);
            }
            let (bx, by) = (instances.body(x.1 as usize), instances.body(y.1 as usize));
            for (k, pred) in slots.iter().map(|(p, _)| p).chain(picks).enumerate() {
                let relation = &ground.relations[*pred];
                for (cx, cy) in relation.row(bx[k]).iter().zip(relation.row(by[k])) {
                    let order = vocabulary.compare(*cx, *cy);
                    if order.is_ne() {
                        return order;
                    }
                }
            }
            std::cmp::Ordering::Equal
        });
    }
}

fn count_lost(lost: &mut Vec<(RuleId, usize)>, rule: RuleId) {
    match lost.iter_mut().find(|(r, _)| *r == rule) {
        Some((_, n)) => *n += 1,
        None => lost.push((rule, 1)),
    }
}
