//! Lifting: neurons that are equal for every value of the weights are made once.
//!
//! Bottom-up hash-consing (Sourek, Zelezny, Kuzelka, "Lossless Compression of Structured Convolutional Models via
//! Lifting", ICLR 2021, decided there by values): a neuron's key is its function, with arguments and weights, and its
//! inputs, which are classes already. The key keeps the order of inputs only where the function sees it. Some
//! functions see even less, and their inputs are brought to a normal form:
//!
//! - an average, variance or deviation sees proportions: multiplicities are divided by their greatest common divisor;
//! - a maximum or minimum sees a set (one that chooses by sums of elements, also its order); a quantile of equal values is that value;
//! - a sum sees multiplicities: equal inputs become one edge that counts several times;
//! - a count sees a number, and becomes a constant;
//! - what only copies its input is its input;
//! - a 1 in a product and a 0 in a sum, as constants, are left out, and so is a 1 that a member of a family multiplies.
//!
//! Values that may change ([`ValuePool::push_opaque`](crate::data::ValuePool::push_opaque)) are leaves like weights: each is itself.
//!
//! All of it holds whatever the weights are, so outputs and gradients are those of the graph that is never built; they
//! differ by rounding only, where a multiplicity or another order of summands stands for repeated additions.

use super::function::{Map, Slot, map_of};
use super::{Graph, NeuronId, Op, OpId};
use crate::base::hash::{HashMap, HashTable, finish, mix};
use crate::data::{Database, PredId, ValueId};
use crate::template::{Template, WeightId};
use crate::tensor::functions::{Aggregation, Combination};

/// Which neurons may be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// None: every ground rule and atom has its own.
    Off,
    /// Those that support queries about one world: an example, or the shared facts.
    #[default]
    Sample,
    /// Those of all worlds.
    All,
}

impl Scope {
    /// The name of the option's value.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Off => "off",
            Scope::Sample => "sample",
            Scope::All => "all",
        }
    }
}

/// What a function sees of the inputs of an aggregation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    /// Their order.
    List,
    /// How often each occurs.
    Multiset,
    /// How often each occurs, but one alone any number of times is itself.
    Ranks,
    /// How often each occurs relative to the others.
    Proportions,
    /// Which ones there are.
    Set,
    /// Which ones there are, in the order of their first occurrence.
    Sequence,
    /// How many there are.
    Number,
}

fn view(aggregation: &Aggregation) -> View {
    use Aggregation as G;
    match aggregation {
        G::Avg | G::Var | G::Std(_) => View::Proportions,
        G::Sum | G::LogSumExp | G::SparsemaxThreshold => View::Multiset,
        G::Max | G::Min => View::Set,
        // Different vectors with equal sums: the first is chosen.
        G::MaxSum | G::MinSum => View::Sequence,
        G::Median | G::Quantile(_) => View::Ranks,
        G::Count => View::Number,
        G::Concat | G::Softmax(_) | G::Sparsemax(_) => View::List,
    }
}

/// What an operation means for lifting.
#[derive(Debug, Clone)]
enum Kind {
    Leaf,
    Map {
        /// Sets of input positions that may be exchanged.
        exchangeable: Vec<Vec<u32>>,
        /// It passes on its input.
        copy: bool,
        /// It multiplies its second input, as it is, by its first.
        weighs: bool,
        /// A constant that may be left out of the marked positions.
        neutral: Option<(f64, Vec<bool>)>,
    },
    Reduce {
        view: View,
        /// One input comes out unchanged.
        transparent: bool,
    },
}

/// Operations with equal functions have equal numbers.
#[derive(Debug, Clone)]
struct Signature {
    number: u32,
    kind: Kind,
}

/// What makes functions equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Number(u64),
    Value(ValueId),
    Weight(WeightId),
    Function(String),
}

/// How many neurons of one predicate there are at each stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Every ground rule, aggregation, atom, negation and fact by itself.
    pub unlifted: usize,
    /// Of these, those that do more than copy their input.
    pub pruned: usize,
    /// Classes of equal ones.
    pub lifted: usize,
}

impl Tally {
    /// Adds another tally.
    pub fn add(&mut self, other: Tally) {
        self.unlifted += other.unlifted;
        self.pruned += other.pruned;
        self.lifted += other.lifted;
    }
}

/// Makes the neurons of a graph, each class once.
#[derive(Debug)]
pub struct Lifter<'a> {
    template: &'a Template,
    database: &'a Database,
    scope: Scope,
    /// By operation of the graph.
    signatures: Vec<Signature>,
    numbers: HashMap<Key, u32>,
    table: HashTable<NeuronId>,
    /// The hash of each neuron, for the table to grow.
    hashes: Vec<u64>,
    /// Neurons before this one belong to worlds that are done with.
    first: usize,
    // Working memory.
    canonical: Vec<(NeuronId, u32)>,
    other: Vec<(NeuronId, u32)>,
    places: Vec<(NeuronId, u32, u32)>,
}

impl<'a> Lifter<'a> {
    /// A lifter for one graph.
    pub fn new(template: &'a Template, database: &'a Database, scope: Scope) -> Self {
        Lifter {
            template,
            database,
            scope,
            signatures: Vec::new(),
            numbers: HashMap::default(),
            table: HashTable::new(),
            hashes: Vec::new(),
            first: 0,
            canonical: Vec::new(),
            other: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Neurons made from now on belong to another world.
    pub fn next_world(&mut self, graph: &Graph) {
        if self.scope == Scope::Sample {
            // Clearing costs the table's room: a large world must not slow down the small ones after it.
            let used = self.table.len();
            self.table.clear();
            if self.table.capacity() > 4 * used + 64 {
                self.table = HashTable::new();
            }
            self.first = graph.len();
            self.hashes.clear();
        }
    }

    /// The neuron of an operation over some inputs, for a predicate.
    pub fn push(&mut self, graph: &mut Graph, owner: PredId, op: OpId, inputs: &[NeuronId]) -> NeuronId {
        self.push_counted(graph, owner, op, inputs, None)
    }

    /// Like [`Lifter::push`], with how often each input of an aggregation counts.
    pub fn push_counted(
        &mut self,
        graph: &mut Graph,
        owner: PredId,
        op: OpId,
        inputs: &[NeuronId],
        times: Option<&[u32]>,
    ) -> NeuronId {
        self.sign(graph, op);
        let signature = &self.signatures[op.0 as usize];
        let copy = match signature.kind {
            Kind::Leaf => false,
            Kind::Map { copy, .. } => copy,
            Kind::Reduce { transparent, .. } => {
                transparent && inputs.len() == 1 && times.is_none_or(|t| t == [1])
            }
        };
        if self.scope == Scope::Off {
            return graph.push_op(op, owner, inputs, times);
        }
        match &signature.kind {
            _ if copy => inputs[0],
            Kind::Leaf => self.intern(graph, owner, op, signature.number, inputs, None),
            Kind::Map { weighs: true, .. } if self.is_number(graph, inputs[1], 1.0) => inputs[0],
            Kind::Map { neutral: Some((constant, places)), .. }
                if inputs.len() > 1
                    && inputs.iter().zip(places).any(|(i, p)| *p && self.is_number(graph, *i, *constant)) =>
            {
                let (op, rest) = self.without(graph, op, inputs, *constant);
                self.push(graph, owner, op, &rest)
            }
            Kind::Map { .. } => {
                let number = signature.number;
                self.canonical.clear();
                self.canonical.extend(inputs.iter().map(|i| (*i, 1)));
                exchange(&self.signatures[op.0 as usize].kind, &mut self.canonical);
                self.intern(graph, owner, op, number, inputs, None)
            }
            Kind::Reduce { view, transparent } => {
                let (view, transparent, number) = (*view, *transparent, signature.number);
                self.reduce(graph, owner, op, number, view, transparent, inputs, times)
            }
        }
    }

    fn reduce(
        &mut self,
        graph: &mut Graph,
        owner: PredId,
        op: OpId,
        number: u32,
        view: View,
        transparent: bool,
        inputs: &[NeuronId],
        times: Option<&[u32]>,
    ) -> NeuronId {
        self.canonical.clear();
        if view == View::List {
            self.canonical.extend(inputs.iter().map(|i| (*i, 1)));
            return self.intern(graph, owner, op, number, inputs, None);
        }
        // Equal inputs side by side, each with the place of its first.
        let mut places = std::mem::take(&mut self.places);
        places.clear();
        let all = inputs.iter().enumerate();
        places.extend(all.map(|(place, i)| (*i, place as u32, times.map_or(1, |t| t[place]))));
        places.sort_unstable();
        places.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.2 = first.2.checked_add(later.2).expect("fewer than 2^32 groundings of a head");
            }
            same
        });
        if times.is_none() && places.len() == inputs.len() && view != View::Number {
            // All differ and count once, so no view changes anything: the usual case without symmetry.
            let result = match inputs {
                [only] if transparent => *only,
                _ => {
                    match view {
                        View::Sequence => self.canonical.extend(inputs.iter().map(|i| (*i, 1))),
                        _ => self.canonical.extend(places.iter().map(|p| (p.0, 1))),
                    }
                    self.intern(graph, owner, op, number, inputs, None)
                }
            };
            self.places = places;
            return result;
        }
        match view {
            View::Number => {
                let total: u64 = places.iter().map(|p| u64::from(p.2)).sum();
                self.places = places;
                let op = graph.intern(Op::Number((total as f64).to_bits()));
                return self.push(graph, owner, op, &[]);
            }
            View::Set | View::Sequence => places.iter_mut().for_each(|p| p.2 = 1),
            View::Ranks if places.len() == 1 => places[0].2 = 1,
            View::Proportions => {
                let divisor = places.iter().fold(0, |d, p| gcd(d, p.2));
                places.iter_mut().for_each(|p| p.2 /= divisor);
            }
            View::Ranks | View::Multiset | View::List => {}
        }
        let result = match places[..] {
            [(only, _, 1)] if transparent => only,
            _ => {
                if view != View::Sequence {
                    self.canonical.extend(places.iter().map(|p| (p.0, p.2)));
                }
                // Inputs keep the order of their first occurrence: what the order decides (which of equal values a
                // maximum gives its gradient to, the rounding of a sum) stays as it was.
                places.sort_unstable_by_key(|p| p.1);
                let inputs: Vec<NeuronId> = places.iter().map(|p| p.0).collect();
                let times: Vec<u32> = places.iter().map(|p| p.2).collect();
                if view == View::Sequence {
                    self.canonical.extend(inputs.iter().map(|i| (*i, 1)));
                }
                self.intern(graph, owner, op, number, &inputs, Some(&times))
            }
        };
        self.places = places;
        result
    }

    /// The neuron with the key that stands in `canonical`, made if it is new.
    fn intern(
        &mut self,
        graph: &mut Graph,
        owner: PredId,
        op: OpId,
        number: u32,
        inputs: &[NeuronId],
        times: Option<&[u32]>,
    ) -> NeuronId {
        if inputs.is_empty() {
            self.canonical.clear();
        }
        let hash = hash_pairs(number, &self.canonical);
        let (signatures, hashes, first) = (&self.signatures, &self.hashes, self.first);
        let (canonical, other) = (&self.canonical, &mut self.other);
        let found = self.table.find(hash, |&n| {
            let candidate = n.0 as usize;
            if hashes[candidate - first] != hash {
                return false;
            }
            let signature = &signatures[graph.op[candidate].0 as usize];
            if signature.number != number || graph.inputs(candidate).len() != canonical.len() {
                return false;
            }
            let times = graph.times(candidate);
            let pairs =
                graph.inputs(candidate).iter().enumerate().map(|(k, i)| (*i, times.map_or(1, |t| t[k])));
            if pairs.clone().eq(canonical.iter().copied()) {
                return true;
            }
            other.clear();
            other.extend(pairs);
            match &signature.kind {
                Kind::Reduce { view: View::List | View::Sequence, .. } | Kind::Leaf => return false,
                Kind::Reduce { .. } => other.sort_unstable(),
                map => exchange(map, other),
            }
            *other == *canonical
        });
        if let Some(&n) = found {
            return n;
        }
        let neuron = graph.push_op(op, owner, inputs, times);
        debug_assert_eq!(neuron.0 as usize - self.first, self.hashes.len());
        self.hashes.push(hash);
        let (hashes, first) = (&self.hashes, self.first);
        self.table.insert_unique(hash, neuron, |n| hashes[n.0 as usize - first]);
        neuron
    }

    /// Whether a neuron is a constant scalar of this value.
    fn is_number(&self, graph: &Graph, neuron: NeuronId, value: f64) -> bool {
        match graph.operation(neuron.0 as usize) {
            Op::Number(bits) => f64::from_bits(*bits) == value,
            Op::Value(v) => {
                let values = &self.database.values;
                !values.is_opaque(*v) && values.shape(*v).is_scalar() && values.get(*v) == [value]
            }
            _ => false,
        }
    }

    /// The same operation without the inputs that change nothing; one input is always kept.
    fn without(&self, graph: &mut Graph, op: OpId, inputs: &[NeuronId], value: f64) -> (OpId, Vec<NeuronId>) {
        let Op::Rule { rule, dropped } = graph.ops[op.0 as usize].clone() else {
            unreachable!("only rules have neutral inputs")
        };
        let Kind::Map { neutral: Some((_, places)), .. } = &self.signatures[op.0 as usize].kind else {
            unreachable!("asked for because there are some")
        };
        let mut idle: Vec<bool> =
            inputs.iter().zip(places).map(|(i, p)| *p && self.is_number(graph, *i, value)).collect();
        if idle.iter().all(|i| *i) {
            idle[0] = false;
        }
        let visible = self.template.rules[rule].visible().count() as u32;
        let here: Vec<u32> = (0..visible).filter(|k| !dropped.contains(k)).collect();
        let mut all = dropped;
        all.extend(here.iter().zip(&idle).filter(|(_, i)| **i).map(|(k, _)| *k));
        all.sort_unstable();
        let rest = inputs.iter().zip(&idle).filter(|(_, i)| !**i).map(|(n, _)| *n).collect();
        (graph.intern(Op::Rule { rule, dropped: all }), rest)
    }

    /// Finds out what the operations up to `op` mean.
    fn sign(&mut self, graph: &Graph, op: OpId) {
        while self.signatures.len() <= op.0 as usize {
            let op = &graph.ops[self.signatures.len()];
            let (key, kind) = self.describe(op);
            let next = self.numbers.len() as u32;
            let number = *self.numbers.entry(key).or_insert(next);
            self.signatures.push(Signature { number, kind });
        }
    }

    fn describe(&self, op: &Op) -> (Key, Kind) {
        let values = &self.database.values;
        match op {
            Op::Number(bits) => (Key::Number(*bits), Kind::Leaf),
            Op::Value(v) if values.shape(*v).is_scalar() && !values.is_opaque(*v) => {
                (Key::Number(values.get(*v)[0].to_bits()), Kind::Leaf)
            }
            Op::Value(v) => (Key::Value(*v), Kind::Leaf),
            Op::Weight(w) => (Key::Weight(*w), Kind::Leaf),
            Op::Aggregation(rule) => {
                let f = &self.template.rules[*rule].aggregation;
                let kind = Kind::Reduce { view: view(f), transparent: f.is_identity_of_one() };
                (Key::Function(format!("aggregation {f}")), kind)
            }
            Op::Rule { .. } | Op::Atom { .. } | Op::Negation | Op::Weighing { .. } => {
                let map = map_of(self.template, op).expect("an operation with inputs");
                (Key::Function(self.text(&map)), self.map_kind(&map, op))
            }
        }
    }

    fn map_kind(&self, map: &Map<'_>, op: &Op) -> Kind {
        use Combination as C;
        let mut exchangeable: Vec<(String, Vec<u32>)> = Vec::new();
        if !map.combination.order_sensitive() {
            for (k, slot) in map.slots.iter().enumerate() {
                let text = self.slot_text(slot);
                match exchangeable.iter_mut().find(|(t, _)| *t == text) {
                    Some((_, places)) => places.push(k as u32),
                    None => exchangeable.push((text, vec![k as u32])),
                }
            }
        }
        let constant = match map.combination {
            C::Sum => Some(0.0),
            C::Product | C::ElProduct => Some(1.0),
            _ => None,
        };
        let plain: Vec<bool> =
            map.slots.iter().map(|s| s.functions.is_empty() && s.weight.is_none()).collect();
        let neutral = constant.filter(|_| matches!(op, Op::Rule { .. }) && plain.contains(&true));
        Kind::Map {
            exchangeable: exchangeable.into_iter().map(|(_, p)| p).filter(|p| p.len() > 1).collect(),
            copy: map.is_copy(),
            weighs: matches!(op, Op::Weighing { .. }) && plain[1],
            neutral: neutral.map(|c| (c, plain)),
        }
    }

    fn text(&self, map: &Map<'_>) -> String {
        let activation = map.activation.map_or("output".to_string(), |f| f.to_string());
        let mut text = format!("{activation} of {}", map.combination);
        if let Some(w) = map.offset {
            text += &format!(" offset {}", self.weight_text(w));
        }
        for slot in &map.slots {
            text += ", ";
            text += &self.slot_text(slot);
        }
        text
    }

    fn slot_text(&self, slot: &Slot<'_>) -> String {
        let mut text = slot.weight.map_or(String::new(), |w| self.weight_text(w));
        for f in slot.functions {
            text += &format!(" {f}");
        }
        text
    }

    /// Fixed weights without a name are what they are worth; all others are themselves.
    fn weight_text(&self, weight: WeightId) -> String {
        let w = &self.template.weights[weight];
        match &w.initial {
            Some(values) if w.constant => {
                let bits: Vec<String> = values.iter().map(|v| format!("{:x}", v.to_bits())).collect();
                format!("{}={}", w.shape, bits.join(" "))
            }
            _ => format!("${}", weight.0),
        }
    }

    /// Takes over a graph that was lifted by itself; the neurons in this graph of the other's, in its order.
    pub fn absorb(&mut self, graph: &mut Graph, other: &Graph) -> Vec<NeuronId> {
        let ops: Vec<OpId> = other.ops.iter().map(|op| graph.intern(op.clone())).collect();
        let mut moved: Vec<NeuronId> = Vec::with_capacity(other.len());
        let mut inputs = Vec::new();
        for n in 0..other.len() {
            inputs.clear();
            inputs.extend(other.inputs(n).iter().map(|i| moved[i.0 as usize]));
            let op = ops[other.op[n].0 as usize];
            moved.push(self.push_counted(graph, other.owner[n], op, &inputs, other.times(n)));
        }
        moved
    }
}

/// Sorts the inputs at positions that may be exchanged.
fn exchange(kind: &Kind, inputs: &mut [(NeuronId, u32)]) {
    let Kind::Map { exchangeable, .. } = kind else { return };
    for places in exchangeable {
        // Few positions: an insertion sort through them.
        for i in 1..places.len() {
            for j in (1..=i).rev() {
                let (a, b) = (places[j - 1] as usize, places[j] as usize);
                if inputs[a] <= inputs[b] {
                    break;
                }
                inputs.swap(a, b);
            }
        }
    }
}

/// Hash of a function over inputs that each count so often.
fn hash_pairs(number: u32, inputs: &[(NeuronId, u32)]) -> u64 {
    // The input in the low half: multiplying spreads it over the whole word.
    let word = |&(i, times): &(NeuronId, u32)| u64::from(i.0) | u64::from(times) << 32;
    finish(inputs.iter().map(word).fold(mix(0, u64::from(number) + 1), mix))
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
