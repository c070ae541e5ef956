//! Aggregations: which are multiplied before they are added up, and their blocks.

use super::{Compiler, Constant, Done, Place};
use crate::base::hash::{HashSet, IndexMap};
use crate::diag::{Diagnostic, codes};
use crate::exec::fusion::{Cost, Reader, SumChoice};
use crate::exec::program::Kind;
use crate::graph::Op;
use crate::graph::function::{Map, Slot};
use crate::template::{RuleId, WeightId};
use crate::tensor::Shape;
use crate::tensor::functions::{Activation, Aggregation, Combination};

impl<'a> Compiler<'a> {
    /// Decides which sums and averages of a level have their values multiplied by the one weight that the sums would
    /// be multiplied by, and asks for these products.
    pub(super) fn weigh_summands(&mut self, group: &[u32]) -> Result<(), Diagnostic> {
        let (graph, template) = (self.graph, self.context.template);
        let mut by_reader: IndexMap<Reader, Vec<u32>> = IndexMap::default();
        for &n in group {
            if let Some(reader) = self.readers.only[n as usize].filter(|_| !self.is_alone(n)) {
                by_reader.entry(reader).or_default().push(n);
            }
        }
        for (reader, neurons) in by_reader {
            let Some(op) = &self.maps[reader.op.0 as usize] else { continue };
            let slot = &op.slots[reader.slot as usize];
            let Some(weight) = slot.weight.filter(|_| slot.functions.is_empty()) else { continue };
            let first = graph.inputs(neurons[0] as usize)[0].0 as usize;
            let (value, shape) = (self.shape[first], template.weights[weight].shape);
            let mut cost = Cost { weight: shape, value, products: 0, sums: neurons.len(), summands: 0 };
            let mut distinct: HashSet<u32> = HashSet::default();
            let mut same = true;
            for &n in &neurons {
                for input in graph.inputs(n as usize) {
                    same &= self.shape[input.0 as usize] == value;
                    distinct.insert(self.offset[input.0 as usize]);
                    cost.summands += 1;
                }
            }
            if !same {
                continue;
            }
            let new = distinct.iter().filter(|s| !self.products.contains_key(&(weight, **s, None)));
            cost.products = new
                .map(|&source| match self.constant(source, shape, value) {
                    Constant::No => Cost::of_product(shape, value),
                    // Nobody asks for a constant's gradient.
                    Constant::Dense => Cost::of_product(shape, value) / 3 * 2,
                    // And at least two elements in three are left out.
                    Constant::Sparse => Cost::of_product(shape, value) / 9 * 2,
                })
                .sum();
            if let Op::Aggregation(rule) = graph.operation(neurons[0] as usize) {
                self.chosen(*rule, weight, &cost);
            }
            if cost.weight_first() {
                neurons.iter().for_each(|&n| self.done[n as usize] = Done::Weighted);
            }
        }
        for &n in group {
            let n = n as usize;
            if self.done[n] != Done::Weighted {
                continue;
            }
            let (slot, weight) = self.weight_over(n);
            for input in graph.inputs(n) {
                let (source, shape) = (self.offset[input.0 as usize], self.shape[input.0 as usize]);
                let place = self.product(weight, source, shape, slot, None)?;
                self.places.push(place);
            }
        }
        Ok(())
    }

    /// Remembers a choice, for people who ask why.
    fn chosen(&mut self, rule: RuleId, weight: WeightId, cost: &Cost) {
        let choice = SumChoice {
            rule,
            weight,
            weight_first: cost.weight_first(),
            sums: cost.sums,
            summands: cost.summands,
            before: cost.before(),
            after: cost.after(),
        };
        let sums = &mut self.program.sums;
        if !sums.iter_mut().any(|known| known.joined(choice)) {
            sums.push(choice);
        }
    }

    /// The slot and the weight that the one reader of a neuron gives it.
    fn weight_over(&self, neuron: usize) -> (&'a Slot<'a>, WeightId) {
        let reader = self.readers.only[neuron].expect("only what has a reader is weighted");
        let op = self.maps[reader.op.0 as usize].as_ref().expect("a reader has a map");
        let slot = &op.slots[reader.slot as usize];
        (slot, slot.weight.expect("decided by its weight"))
    }

    /// Whether an aggregation has one value, once.
    fn is_alone(&self, neuron: u32) -> bool {
        let n = neuron as usize;
        self.graph.inputs(n).len() == 1 && self.graph.times(n).is_none_or(|t| t == [1])
    }

    /// The neurons of one aggregation; `places` holds the weighted values of some of them from `at` on.
    pub(super) fn reduce_group(
        &mut self,
        group: &[u32],
        rule: RuleId,
        places: &[Place],
        at: &mut usize,
    ) -> Result<(), Diagnostic> {
        let r = &self.context.template.rules[rule];
        let aggregation: &Aggregation = &r.aggregation;
        let graph = self.graph;
        // One block per shape of the input and of the result, and function on top.
        let mut blocks: IndexMap<(Shape, Shape, Option<u32>), Segments> = IndexMap::default();
        for &n in group {
            let inputs = graph.inputs(n as usize);
            let mut shape = self.shape[inputs[0].0 as usize];
            let times = graph.times(n as usize);
            let count = times.map_or(inputs.len(), |t| t.iter().map(|&t| t as usize).sum());
            if count == 1 && aggregation.is_identity_of_one() {
                self.offset[n as usize] = self.offset[inputs[0].0 as usize];
                self.shape[n as usize] = shape;
                self.program.copies += 1;
                continue;
            }
            let mut shapes = inputs.iter().map(|i| self.shape[i.0 as usize]);
            // A count looks at no value, so not at shapes either (lifting makes it a number without asking).
            let counts = *aggregation == Aggregation::Count;
            if let Some(other) = shapes.find(|s| *s != shape && !counts) {
                let title = format!("groundings of one rule have different shapes: {shape} and {other}");
                let why = format!("they cannot be aggregated{}", shape.joining_hint(other));
                let mut d = Diagnostic::new(codes::SHAPE_MISMATCH, title).label(r.span, why);
                for literal in r.visible().filter_map(|(_, l)| l.predicate()) {
                    d = self.blame_fact(d, Some(literal), shape);
                    d = self.blame_fact(d, Some(literal), other);
                }
                return Err(d);
            }
            let output = aggregation.output_shape(shape, count).map_err(|why| {
                Diagnostic::new(
                    codes::FUNCTION_SHAPE,
                    format!("`{aggregation}` cannot aggregate values of shape {shape}"),
                )
                .label(r.span, why)
            })?;
            let weighted = self.done[n as usize] == Done::Weighted;
            if !weighted && self.is_deferred(n, aggregation) {
                self.done[n as usize] = Done::Deferred;
                self.shape[n as usize] = shape;
                continue;
            }
            let (function, output) = match self.readers.only[n as usize] {
                Some(reader) => {
                    let op = self.maps[reader.op.0 as usize].as_ref().expect("a reader has a map");
                    let slot = &op.slots[reader.slot as usize];
                    if weighted {
                        let (_, w) = self.weight_over(n as usize);
                        let weight = self.context.template.weights[w].shape;
                        shape = weight.times(shape).expect("checked when requested");
                    }
                    let output = if weighted { shape } else { output };
                    let free = slot.functions.is_empty() && (weighted || slot.weight.is_none());
                    let activation = self.activation_of_one(op, output).filter(|_| free);
                    let activation = activation.filter(|f| f.derivative_from_output());
                    (activation.map(|f| self.function_id(&f)), output)
                }
                None => (None, output),
            };
            if function.is_some() {
                self.done[n as usize] = Done::All;
            }
            let entry = blocks.entry((shape, output, function)).or_default();
            if weighted {
                entry.push(n, places[*at..*at + inputs.len()].iter().map(|p| p.known()), times);
                *at += inputs.len();
            } else {
                entry.push(n, inputs.iter().map(|i| self.offset[i.0 as usize]), times);
            }
        }
        for ((input, output, function), segments) in blocks {
            let activation = function.map_or(Activation::Identity, |f| self.functions[f as usize]);
            let neurons = segments.neurons.clone();
            let kind = segments.reduced(aggregation.clone(), activation, input);
            let places = self.block(output, neurons.len(), kind, Some(r.span));
            for (&n, offset) in neurons.iter().zip(places) {
                self.offset[n as usize] = offset;
                self.shape[n as usize] = output;
            }
        }
        Ok(())
    }

    /// Whether the values of a sum are added by the neuron that reads it, which is a sum itself: a value and the sum of its
    /// neighbours', for example. (As two sums they took 8 % more of an epoch of steps on molecules.)
    fn is_deferred(&self, neuron: u32, aggregation: &Aggregation) -> bool {
        let n = neuron as usize;
        let Some(reader) = self.readers.only[n].filter(|_| self.readers.once[n]) else { return false };
        let op = self.maps[reader.op.0 as usize].as_ref().expect("a reader has a map");
        let slot = &op.slots[reader.slot as usize];
        let bare = slot.weight.is_none() && slot.functions.is_empty();
        let adds =
            op.combination == Combination::Sum && op.slots.len() + usize::from(op.offset.is_some()) > 1;
        *aggregation == Aggregation::Sum && bare && adds
    }

    /// The sums of the inputs of some neurons, of which those that are sums themselves are replaced by their values.
    /// `sources` has the offset of the offset, if there is one, and of each input.
    pub(super) fn merged(
        &self,
        neurons: &[u32],
        sources: Vec<u32>,
        shape: Shape,
        activation: Activation,
    ) -> Kind {
        let graph = self.graph;
        let mut segments = Segments::default();
        let (mut all, mut counts) = (Vec::new(), Vec::new());
        for (&n, own) in neurons.iter().zip(sources.chunks_exact(sources.len() / neurons.len())) {
            all.clear();
            counts.clear();
            let inputs = graph.inputs(n as usize);
            let (offset, own) = own.split_at(own.len() - inputs.len());
            all.extend_from_slice(offset);
            counts.resize(all.len(), 1);
            for (input, &place) in inputs.iter().zip(own) {
                let i = input.0 as usize;
                if self.done[i] != Done::Deferred {
                    all.push(place);
                    counts.push(1);
                    continue;
                }
                all.extend(graph.inputs(i).iter().map(|x| self.offset[x.0 as usize]));
                match graph.times(i) {
                    Some(times) => counts.extend_from_slice(times),
                    None => counts.resize(all.len(), 1),
                }
            }
            segments.push(n, all.iter().copied(), Some(&counts));
        }
        segments.reduced(Aggregation::Sum, activation, shape)
    }

    /// Adds up the sums that were to be added by some neurons which combine them with values of another shape; all
    /// sources of these.
    pub(super) fn added_up(
        &mut self,
        op: &Map<'_>,
        neurons: &[u32],
        mut sources: Vec<u32>,
        inputs: &[Shape],
    ) -> Vec<u32> {
        let graph = self.graph;
        let slots = graph.inputs(neurons[0] as usize).len();
        let offset = inputs.len() - slots;
        for k in 0..slots {
            let mut segments = Segments::default();
            for (at, &n) in neurons.iter().enumerate() {
                let i = graph.inputs(n as usize)[k].0 as usize;
                if self.done[i] == Done::Deferred {
                    let places = graph.inputs(i).iter().map(|x| self.offset[x.0 as usize]);
                    segments.push(at as u32, places, graph.times(i));
                }
            }
            if segments.neurons.is_empty() {
                continue;
            }
            let readers = segments.neurons.clone();
            let shape = inputs[offset + k];
            let kind = segments.reduced(Aggregation::Sum, Activation::Identity, shape);
            let places = self.block(shape, readers.len(), kind, op.slots[k].span);
            for (at, place) in readers.into_iter().zip(places) {
                sources[at as usize * inputs.len() + offset + k] = place;
            }
        }
        sources
    }
}

/// Aggregations in the making.
#[derive(Default)]
struct Segments {
    neurons: Vec<u32>,
    starts: Vec<u32>,
    sources: Vec<u32>,
    /// Empty while each source counts once.
    times: Vec<u32>,
}

impl Segments {
    /// The rows of a block, one for each neuron.
    fn reduced(mut self, aggregation: Aggregation, activation: Activation, input: Shape) -> Kind {
        self.starts.push(self.sources.len() as u32);
        let Segments { starts, sources, times, .. } = self;
        Kind::Reduce { aggregation, activation, input, starts, sources, times }
    }

    fn push(&mut self, neuron: u32, sources: impl Iterator<Item = u32>, times: Option<&[u32]>) {
        self.neurons.push(neuron);
        let start = self.sources.len();
        self.starts.push(start as u32);
        self.sources.extend(sources);
        match times.filter(|t| t.iter().any(|&t| t != 1)) {
            Some(times) => {
                self.times.resize(start, 1);
                self.times.extend_from_slice(times);
            }
            None if self.times.is_empty() => {}
            None => self.times.resize(self.sources.len(), 1),
        }
    }
}
