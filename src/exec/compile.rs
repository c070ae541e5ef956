//! From neurons to row blocks.
//!
//! Neurons are taken level by level, and within a level by operation. Weights are applied first: every distinct pair of
//! a weight and a value becomes one row of a [`Kind::Linear`] block, however many neurons read it. Then one block per
//! operation combines those rows. What would only copy (a single unweighted input under a sum and the identity, the
//! average of one grounding) gets no row at all: its neuron stands where its input stands.

use super::program::{Block, Kind, Leaf, OutputSlot, Program};
use crate::base::hash::{HashMap, IndexMap};
use crate::base::span::Span;
use crate::data::{Database, PredId, Vocabulary};
use crate::diag::{Diagnostic, codes};
use crate::graph::function::{Map, Slot, map_of};
use crate::graph::{Graph, NeuronId, Op};
use crate::template::{RuleId, Template, WeightId};
use crate::tensor::Shape;
use crate::tensor::functions::{Activation, Aggregation, Combination};

/// What compiling needs to know besides the graph.
pub struct Context<'a> {
    /// The program.
    pub template: &'a Template,
    /// Names, for messages.
    pub vocabulary: &'a Vocabulary,
    /// Constant values.
    pub database: &'a Database,
    /// The activation of an output whose predicate states none, by its shape.
    pub output_activation: &'a dyn Fn(Shape) -> Activation,
}

/// Where a value stands, or will stand once the linear blocks of the level have their places.
#[derive(Debug, Clone, Copy)]
enum Place {
    Known(u32),
    Pending { block: u32, row: u32 },
}

/// A linear block in the making.
struct PendingLinear {
    weight: WeightId,
    input: Shape,
    output: Shape,
    sources: Vec<u32>,
    source_gradient: bool,
    base: usize,
}

struct Compiler<'a> {
    context: &'a Context<'a>,
    graph: &'a Graph,
    program: Program,
    /// Arena offset of each neuron's value.
    offset: Vec<u32>,
    shape: Vec<Shape>,
    leaves: HashMap<WeightId, u32>,
    /// Where `weight · value at offset` stands.
    products: HashMap<(WeightId, u32), Place>,
    /// Functions of literals met so far, numbered by their places.
    functions: Vec<Activation>,
    /// Where `function(value at offset)` stands, and its shape.
    applied: HashMap<(u32, u32), (u32, Shape)>,
    pending: Vec<PendingLinear>,
    pending_ids: IndexMap<(WeightId, Shape, bool), u32>,
    places: Vec<Place>,
}

/// Compiles a graph.
pub fn compile(graph: &Graph, context: &Context<'_>) -> Result<Program, Diagnostic> {
    let mut compiler = Compiler {
        context,
        graph,
        program: Program::default(),
        offset: vec![0; graph.len()],
        shape: vec![Shape::SCALAR; graph.len()],
        leaves: HashMap::default(),
        products: HashMap::default(),
        functions: Vec::new(),
        applied: HashMap::default(),
        pending: Vec::new(),
        pending_ids: IndexMap::default(),
        places: Vec::new(),
    };
    compiler.run()?;
    Ok(compiler.program)
}

/// Neurons sorted by `(level, operation)`, stable, by two counting sorts.
fn sorted_neurons(graph: &Graph) -> Vec<u32> {
    let pass = |input: Vec<u32>, keys: &dyn Fn(u32) -> usize, n: usize| {
        let mut starts = vec![0u32; n + 1];
        for &x in &input {
            starts[keys(x) + 1] += 1;
        }
        for i in 0..n {
            starts[i + 1] += starts[i];
        }
        let mut out = vec![0u32; input.len()];
        for &x in &input {
            let slot = &mut starts[keys(x)];
            out[*slot as usize] = x;
            *slot += 1;
        }
        out
    };
    let by_op =
        pass((0..graph.len() as u32).collect(), &|x| graph.op[x as usize].0 as usize, graph.ops.len());
    let levels = graph.level.iter().max().map_or(0, |&l| l as usize + 1);
    pass(by_op, &|x| graph.level[x as usize] as usize, levels)
}

impl<'a> Compiler<'a> {
    fn run(&mut self) -> Result<(), Diagnostic> {
        let order = sorted_neurons(self.graph);
        let graph = self.graph;
        let leaves_end = order.iter().take_while(|&&n| graph.level[n as usize] == 0).count();
        self.place_inputs(&order[..leaves_end])?;
        let mut at = leaves_end;
        while at < order.len() {
            let level = graph.level[order[at] as usize];
            let end = at + order[at..].iter().take_while(|&&n| graph.level[n as usize] == level).count();
            self.level(&order[at..end])?;
            at = end;
        }
        for output in &graph.outputs {
            let n = output.neuron.0 as usize;
            let slot = OutputSlot { answer: output.answer, offset: self.offset[n], shape: self.shape[n] };
            self.program.outputs.push(slot);
        }
        Ok(())
    }

    /// Leaves first (learnable facts and offsets), then constants: each distinct one once.
    fn place_inputs(&mut self, neurons: &[u32]) -> Result<(), Diagnostic> {
        let template = self.context.template;
        let mut weights: Vec<WeightId> = Vec::new();
        for op in &self.graph.ops {
            match op {
                Op::Weight(w) => weights.push(*w),
                Op::Rule { rule, .. } => weights.extend(template.rules[*rule].offset),
                Op::Atom { pred, .. } => weights.extend(template.atom_offset(*pred)),
                _ => {}
            }
        }
        for w in weights {
            let at = self.program.arena;
            if let hashbrown::hash_map::Entry::Vacant(e) = self.leaves.entry(w) {
                e.insert(at as u32);
                self.program.leaves.push(Leaf { weight: w, offset: at });
                self.program.arena += template.weights[w].shape.len();
            }
        }
        self.program.constants_base = self.program.arena;
        let mut constants: HashMap<u32, u32> = HashMap::default();
        for &n in neurons {
            let n = n as usize;
            let op = self.graph.op[n].0;
            let values = &self.context.database.values;
            match self.graph.operation(n) {
                Op::Weight(w) => {
                    self.offset[n] = self.leaves[w];
                    self.shape[n] = template.weights[*w].shape;
                }
                Op::Value(v) => {
                    self.shape[n] = values.shape(*v);
                    let known = constants.get(&op).copied();
                    self.offset[n] = known.unwrap_or_else(|| {
                        let at = self.program.arena as u32;
                        let written = template.compat.written(values.shape(*v), values.get(*v));
                        self.program.constants.extend_from_slice(&written);
                        self.program.arena += values.shape(*v).len();
                        constants.insert(op, at);
                        at
                    });
                }
                Op::Number(bits) => {
                    let known = constants.get(&op).copied();
                    self.offset[n] = known.unwrap_or_else(|| {
                        let at = self.program.arena as u32;
                        self.program.constants.push(f64::from_bits(*bits));
                        self.program.arena += 1;
                        constants.insert(op, at);
                        at
                    });
                }
                _ => unreachable!("only leaves have no inputs"),
            }
        }
        self.check_size()
    }

    fn check_size(&self) -> Result<(), Diagnostic> {
        // Values and gradients of so many numbers take 8 GiB in f64; offsets have 32 bits.
        const MOST: usize = 1 << 29;
        if self.program.arena <= MOST {
            return Ok(());
        }
        let mut d =
            Diagnostic::new(codes::BUDGET, format!("the values to be computed are more than {MOST} numbers"));
        if let Some(block) = self.program.blocks.iter().max_by_key(|b| b.rows * b.shape.len()) {
            d = d.note(format!("the largest part are {} values of shape {}", block.rows, block.shape));
        }
        Err(d.help("smaller weights, or fewer ground rules"))
    }

    /// One level: weights, then operations.
    fn level(&mut self, neurons: &[u32]) -> Result<(), Diagnostic> {
        let graph = self.graph;
        let groups: Vec<&[u32]> =
            neurons.chunk_by(|a, b| graph.op[*a as usize] == graph.op[*b as usize]).collect();
        let ops: Vec<Option<Map<'a>>> =
            groups.iter().map(|g| map_of(self.context.template, graph.operation(g[0] as usize))).collect();
        self.places.clear();
        self.apply_functions(&groups, &ops)?;
        for (group, op) in groups.iter().zip(&ops) {
            if let Some(op) = op {
                for &n in *group {
                    self.request(op, graph.inputs(n as usize))?;
                }
            }
        }
        self.place_linear()?;
        let places = std::mem::take(&mut self.places);
        let mut at = 0;
        for (group, op) in groups.iter().zip(ops) {
            match op {
                Some(op) => self.map_group(group, op, &places, &mut at)?,
                None => match graph.operation(group[0] as usize) {
                    Op::Aggregation(rule) => self.reduce_group(group, *rule)?,
                    _ => unreachable!("leaves stand at level 0"),
                },
            }
        }
        self.places = places;
        self.check_size()
    }

    /// Computes what the literals' functions make of the values of lower levels: one row for every distinct pair of a
    /// function and a value, innermost functions first.
    fn apply_functions(&mut self, groups: &[&[u32]], ops: &[Option<Map<'a>>]) -> Result<(), Diagnostic> {
        let graph = self.graph;
        let deepest = |op: &Map<'a>| op.slots.iter().map(|s| s.functions.len()).max().unwrap_or(0);
        let depth = ops.iter().flatten().map(deepest).max().unwrap_or(0);
        for step in 0..depth {
            // Rows by function and shape of the value; a value stands for its first slot, for messages.
            let mut rows: IndexMap<(u32, Shape), (Option<Span>, IndexMap<u32, ()>)> = IndexMap::default();
            for (group, op) in groups.iter().zip(ops) {
                let Some(op) = op else { continue };
                for (k, slot) in op.slots.iter().enumerate() {
                    let Some(f) = slot.functions.get(step) else { continue };
                    let id = self.function_id(f);
                    for &n in *group {
                        let input = graph.inputs(n as usize)[k];
                        let (source, shape) = self.value_after(&slot.functions[..step], input);
                        if !self.applied.contains_key(&(id, source)) {
                            let block =
                                rows.entry((id, shape)).or_insert_with(|| (slot.span, IndexMap::default()));
                            block.1.insert(source, ());
                        }
                    }
                }
            }
            for ((id, input), (span, sources)) in rows {
                let activation = self.functions[id as usize];
                let output = self.activation_shape(&activation, input, span)?;
                let sources: Vec<u32> = sources.into_keys().collect();
                let places = self.block(
                    output,
                    sources.len(),
                    Kind::Activate { activation, input, sources: sources.clone() },
                );
                for (source, place) in sources.into_iter().zip(places) {
                    self.applied.insert((id, source), (place, output));
                }
                self.check_size()?;
            }
        }
        Ok(())
    }

    fn function_id(&mut self, f: &Activation) -> u32 {
        let known = self.functions.iter().position(|g| g == f);
        known.unwrap_or_else(|| {
            self.functions.push(*f);
            self.functions.len() - 1
        }) as u32
    }

    /// Where a neuron's value stands after functions that have been applied to it, and its shape.
    fn value_after(&self, functions: &[Activation], input: NeuronId) -> (u32, Shape) {
        let n = input.0 as usize;
        functions.iter().fold((self.offset[n], self.shape[n]), |(source, shape), f| {
            let id = self.functions.iter().position(|g| g == f);
            let found = id.and_then(|id| self.applied.get(&(id as u32, source)));
            found.copied().unwrap_or((source, shape))
        })
    }

    /// What enters a slot before its weight.
    fn slot_value(&self, slot: &Slot<'_>, input: NeuronId) -> (u32, Shape) {
        self.value_after(slot.functions, input)
    }

    /// Asks for the weighted inputs of one neuron.
    fn request(&mut self, op: &Map<'_>, inputs: &[NeuronId]) -> Result<(), Diagnostic> {
        for (slot, input) in op.slots.iter().zip(inputs) {
            let (source, shape) = self.slot_value(slot, *input);
            let place = match slot.weight {
                Some(w) => self.product(w, source, shape, slot)?,
                None => Place::Known(source),
            };
            self.places.push(place);
        }
        Ok(())
    }

    fn product(
        &mut self,
        weight: WeightId,
        source: u32,
        shape: Shape,
        slot: &Slot<'_>,
    ) -> Result<Place, Diagnostic> {
        if let Some(&place) = self.products.get(&(weight, source)) {
            return Ok(place);
        }
        let def = &self.context.template.weights[weight];
        let Some(output) = def.shape.times(shape) else {
            let d = Diagnostic::new(
                codes::SHAPE_MISMATCH,
                format!("a weight of shape {} cannot multiply a value of shape {shape}", def.shape),
            )
            .label(def.span, format!("this weight is {}", def.shape));
            let d = labelled(d, slot.span, format!("the value here is {shape}"));
            return Err(self.blame_fact(d, slot.pred, shape));
        };
        let inputs_end = self.program.inputs_end();
        let constant = (self.program.constants_base..inputs_end).contains(&(source as usize));
        let next = self.pending.len() as u32;
        let block = *self.pending_ids.entry((weight, shape, constant)).or_insert(next);
        if block == next {
            self.pending.push(PendingLinear {
                weight,
                input: shape,
                output,
                sources: Vec::new(),
                source_gradient: !constant,
                base: 0,
            });
        }
        let pending = &mut self.pending[block as usize];
        let place = Place::Pending { block, row: pending.sources.len() as u32 };
        pending.sources.push(source);
        self.products.insert((weight, source), place);
        Ok(place)
    }

    /// Adds the first fact of a predicate whose value has a shape, for predicates whose facts differ in shape.
    fn blame_fact(&self, d: Diagnostic, pred: Option<PredId>, shape: Shape) -> Diagnostic {
        let Some(pred) = pred else { return d };
        let database = self.context.database;
        let tables = [&database.examples, &database.shared];
        let tables = || tables.iter().filter_map(|set| set.table(pred));
        let found = tables().find_map(|t| {
            let row = t.values.iter().position(|v| database.value_shape(*v) == shape)?;
            Some(t.spans[row])
        });
        let differs = || tables().any(|t| t.values.iter().any(|v| database.value_shape(*v) != shape));
        match found {
            Some(span) if d.labels.iter().any(|l| l.span == span) => d,
            Some(span) if differs() => {
                d.label(span, format!("this fact is {shape}; others of its predicate are not"))
            }
            Some(span) => d.label(span, format!("this fact is {shape}")),
            None => d,
        }
    }

    /// Gives the level's linear blocks their places in the arena.
    fn place_linear(&mut self) -> Result<(), Diagnostic> {
        for pending in &mut self.pending {
            pending.base = self.program.arena;
            self.program.arena += pending.sources.len() * pending.output.len();
        }
        self.check_size()?;
        let pending = std::mem::take(&mut self.pending);
        self.pending_ids.clear();
        let resolve = |place: Place| match place {
            Place::Known(offset) => offset,
            Place::Pending { block, row } => {
                let p = &pending[block as usize];
                (p.base + row as usize * p.output.len()) as u32
            }
        };
        for place in &mut self.places {
            *place = Place::Known(resolve(*place));
        }
        for p in pending {
            for (row, &source) in p.sources.iter().enumerate() {
                let offset = (p.base + row * p.output.len()) as u32;
                self.products.insert((p.weight, source), Place::Known(offset));
            }
            self.program.blocks.push(Block {
                base: p.base,
                rows: p.sources.len(),
                shape: p.output,
                kind: Kind::Linear {
                    weight: p.weight,
                    input: p.input,
                    sources: p.sources,
                    source_gradient: p.source_gradient,
                },
            });
        }
        Ok(())
    }

    /// The neurons of one rule or atom operation; `places` holds their weighted inputs from `at` on.
    fn map_group(
        &mut self,
        group: &[u32],
        op: Map<'_>,
        places: &[Place],
        at: &mut usize,
    ) -> Result<(), Diagnostic> {
        let template = self.context.template;
        let k = op.slots.len();
        let arity = k + usize::from(op.offset.is_some());
        // Neurons of one operation nearly always have inputs of the same shapes; each combination of shapes is a block.
        let mut variants: Vec<(Vec<Shape>, Vec<u32>, Vec<u32>)> = Vec::new();
        let mut shapes: Vec<Shape> = Vec::with_capacity(arity);
        for &n in group {
            shapes.clear();
            if let Some(w) = op.offset {
                shapes.push(template.weights[w].shape);
            }
            for (slot, input) in op.slots.iter().zip(self.graph.inputs(n as usize)) {
                let (_, shape) = self.slot_value(slot, *input);
                shapes.push(match slot.weight {
                    Some(w) => template.weights[w].shape.times(shape).expect("checked when requested"),
                    None => shape,
                });
            }
            let variant = match variants.iter().position(|(s, ..)| *s == shapes) {
                Some(i) => &mut variants[i],
                None => {
                    variants.push((shapes.clone(), Vec::new(), Vec::new()));
                    variants.last_mut().expect("just pushed")
                }
            };
            variant.1.push(n);
            variant.2.extend(op.offset.map(|w| self.leaves[&w]));
            for place in &places[*at..*at + k] {
                match place {
                    Place::Known(offset) => variant.2.push(*offset),
                    Place::Pending { .. } => unreachable!("all places are known by now"),
                }
            }
            *at += k;
        }
        for (shapes, neurons, sources) in variants {
            self.map_block(&op, shapes, &neurons, sources)?;
        }
        Ok(())
    }

    fn map_block(
        &mut self,
        op: &Map<'_>,
        inputs: Vec<Shape>,
        neurons: &[u32],
        sources: Vec<u32>,
    ) -> Result<(), Diagnostic> {
        let combined = op.combination.output_shape(&inputs).map_err(|why| {
            let what = match self.graph.operation(neurons[0] as usize) {
                Op::Atom { pred, .. } => {
                    format!("the atoms of `{}`", self.context.vocabulary.predicate_text(*pred))
                }
                _ => "the rule".to_string(),
            };
            let d = Diagnostic::new(codes::SHAPE_MISMATCH, format!("{what} cannot combine its inputs"));
            let mut d = labelled(d, op.span, why);
            let names = op.slots.iter().zip(inputs.iter().skip(usize::from(op.offset.is_some())));
            for (slot, shape) in names {
                d = labelled(d, slot.span, format!("this is {shape}"));
                d = self.blame_fact(d, slot.pred, *shape);
            }
            d
        })?;
        let activation = op.activation.unwrap_or_else(|| (self.context.output_activation)(combined));
        let copy = inputs.len() == 1 && op.combination.is_identity_of_one();
        // The activation is fused where its derivative follows from its output and the combination does not look at
        // its own result.
        let simple = matches!(op.combination, Combination::Sum | Combination::Difference) || copy;
        let fused = activation.derivative_from_output() && simple;
        let rest = if fused { Activation::Identity } else { activation };
        let mut places = sources;
        let mut shape = combined;
        if !copy || (fused && !activation.is_identity()) {
            let activation = if fused { activation } else { Activation::Identity };
            let combination = if copy { Combination::Sum } else { op.combination };
            places = self.block(
                combined,
                neurons.len(),
                Kind::Combine { combination, activation, inputs, sources: places },
            );
        } else {
            shape = inputs[0];
            self.program.copies += if rest.is_identity() { neurons.len() } else { 0 };
        }
        if !rest.is_identity() {
            let output = self.activation_shape(&rest, shape, op.span)?;
            places = self.block(
                output,
                neurons.len(),
                Kind::Activate { activation: rest, input: shape, sources: places },
            );
            shape = output;
        }
        for (&n, offset) in neurons.iter().zip(places) {
            self.offset[n as usize] = offset;
            self.shape[n as usize] = shape;
        }
        Ok(())
    }

    fn activation_shape(
        &self,
        f: &Activation,
        shape: Shape,
        span: Option<Span>,
    ) -> Result<Shape, Diagnostic> {
        f.output_shape(shape).map_err(|why| {
            let title = format!("`{f}` cannot be applied to a value of shape {shape}");
            labelled(Diagnostic::new(codes::FUNCTION_SHAPE, title), span, why)
        })
    }

    /// Appends a block; the offsets of its rows.
    fn block(&mut self, shape: Shape, rows: usize, kind: Kind) -> Vec<u32> {
        let base = self.program.arena;
        let width = shape.len();
        self.program.arena += rows * width;
        self.program.blocks.push(Block { base, rows, shape, kind });
        (0..rows).map(|i| (base + i * width) as u32).collect()
    }

    fn reduce_group(&mut self, group: &[u32], rule: RuleId) -> Result<(), Diagnostic> {
        let r = &self.context.template.rules[rule];
        let aggregation: &Aggregation = &r.aggregation;
        let graph = self.graph;
        // One block per shape of the input and of the result.
        let mut blocks: IndexMap<(Shape, Shape), Segments> = IndexMap::default();
        for &n in group {
            let inputs = graph.inputs(n as usize);
            let shape = self.shape[inputs[0].0 as usize];
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
            let entry = blocks.entry((shape, output)).or_default();
            entry.push(n, inputs.iter().map(|i| self.offset[i.0 as usize]), times);
        }
        for ((input, output), segments) in blocks {
            let Segments { neurons, mut starts, sources, times } = segments;
            starts.push(sources.len() as u32);
            let kind = Kind::Reduce { aggregation: aggregation.clone(), input, starts, sources, times };
            let places = self.block(output, neurons.len(), kind);
            for (&n, offset) in neurons.iter().zip(places) {
                self.offset[n as usize] = offset;
                self.shape[n as usize] = output;
            }
        }
        Ok(())
    }
}

fn labelled(d: Diagnostic, span: Option<Span>, text: String) -> Diagnostic {
    match span {
        Some(span) => d.label(span, text),
        None => d.note(text),
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
