//! From neurons to row blocks.
//!
//! Neurons are taken level by level, and within a level by operation. Weights are applied first: every distinct pair of
//! a weight and a value becomes one row of a [`Kind::Linear`] block, however many neurons read it. Then one block per
//! operation combines those rows. What would only copy (a single unweighted input under a sum and the identity, the
//! average of one grounding) gets no row at all: its neuron stands where its input stands.

mod constants;
mod members;
mod sums;

use super::fusion::{Readers, only_readers};
use super::program::{Block, Kind, Leaf, Origin, OutputSlot, Program};
use super::refill::is_sparse;
use super::schedule::{Schedule, schedule};
use crate::base::hash::{HashMap, IndexMap};
use crate::base::span::Span;
use crate::data::{Database, PredId, ValueId, Vocabulary};
use crate::diag::{Diagnostic, codes};
use crate::graph::function::{Map, Slot, map_of};
use crate::graph::{Graph, NeuronId, Op};
use crate::template::{Template, WeightId};
use crate::tensor::Shape;
use crate::tensor::functions::{Activation, Combination};

/// What compiling needs to know besides the graph.
pub struct Context<'a> {
    /// The program.
    pub template: &'a Template,
    /// Names, for messages.
    pub vocabulary: &'a Vocabulary,
    /// Constant values.
    pub database: &'a Database,
    /// Values from this one on are drawn and may change: the program is to keep how its constants follow from them.
    pub drawn: Option<ValueId>,
    /// The activation of an output whose predicate states none, by its shape.
    pub output_activation: &'a dyn Fn(Shape) -> Activation,
}

/// Where a value stands, or will stand once the linear blocks of the level have their places.
#[derive(Debug, Clone, Copy)]
enum Place {
    Known(u32),
    Pending { block: u32, row: u32 },
}

/// How much of its one reader's work a sum or an average has taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Done {
    Nothing,
    /// Its values were multiplied by the reader's weight.
    Weighted,
    /// It is what the reader computes.
    All,
    /// Nothing, but the reader adds its values to its own sum.
    Deferred,
}

/// What a weight and a value make, with a function on top (by its number).
type ProductKey = (WeightId, u32, Option<u32>);

impl Place {
    fn known(&self) -> u32 {
        match self {
            Place::Known(offset) => *offset,
            Place::Pending { .. } => unreachable!("all places are known by now"),
        }
    }
}

/// Neurons of one function whose inputs have the same shapes.
#[derive(Default)]
struct Variant {
    shapes: Vec<Shape>,
    /// The activation has been applied already, to the one input.
    activated: bool,
    /// Some inputs are sums whose values are added here.
    deferred: bool,
    neurons: Vec<u32>,
    sources: Vec<u32>,
}

/// A linear block in the making.
struct PendingLinear {
    weight: WeightId,
    function: Option<u32>,
    input: Shape,
    output: Shape,
    sources: Vec<u32>,
    constant: Constant,
    base: usize,
    /// The slot that asked for it first.
    span: Option<Span>,
}

/// Whether the sources of a product are constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Constant {
    No,
    Dense,
    /// Columns of which two elements in three are 0, or more: reading the others alone then pays (a column is read
    /// with a stride).
    Sparse,
}

/// Weights with at most so many values share a block with others of their shape: a block costs some 50 ns a pass, a row
/// of such a block 10. (In a knowledge base with an embedding for each of its 129 constants, steps on single queries
/// passed through as many blocks of one row.)
const MOST_ROWS_JOINED: usize = 4;
/// Fewer weights keep their own blocks.
const FEWEST_JOINED: usize = 4;

struct Compiler<'a> {
    context: &'a Context<'a>,
    graph: &'a Graph,
    fusion: Fusion,
    /// The function of each operation, but for aggregations and leaves.
    maps: &'a [Option<Map<'a>>],
    program: Program,
    /// Arena offset of each neuron's value.
    offset: Vec<u32>,
    shape: Vec<Shape>,
    leaves: HashMap<WeightId, u32>,
    /// Where `function(weight · value at offset)` stands.
    products: HashMap<ProductKey, Place>,
    /// Functions of literals met so far, numbered by their places.
    functions: Vec<Activation>,
    /// Where `function(value at offset)` stands, and its shape.
    applied: HashMap<(u32, u32), (u32, Shape)>,
    /// Who reads sums and averages.
    readers: Readers,
    /// What has been done to a sum or an average besides.
    done: Vec<Done>,
    pending: Vec<PendingLinear>,
    pending_ids: IndexMap<(WeightId, Shape, Option<u32>, Constant), u32>,
    places: Vec<Place>,
}

/// Where the value of a neuron stands in the arena of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueAt {
    /// Arena offset of the first element.
    pub offset: u32,
    /// Shape of the value.
    pub shape: Shape,
}

impl ValueAt {
    /// The elements in an arena.
    #[inline]
    pub fn of<T>(self, arena: &[T]) -> &[T] {
        &arena[self.offset as usize..self.offset as usize + self.shape.len()]
    }
}

/// Compiles a graph. A diagnostic says which shapes do not fit, or that the values are too many.
pub fn compile(graph: &Graph, context: &Context<'_>) -> Result<Program, Diagnostic> {
    Ok(compiled(graph, context, Fusion::Allowed)?.program)
}

/// Like [`compile`], with the place of the value of each neuron, in their order.
pub fn compile_with_values(
    graph: &Graph,
    context: &Context<'_>,
) -> Result<(Program, Vec<ValueAt>), Diagnostic> {
    let Compiled { program, at } = compiled(graph, context, Fusion::Forbidden)?;
    Ok((program, at))
}

/// Whether an aggregation may be computed together with what reads it, and what follows from constants when the program
/// is made, so that its own value stands nowhere, or is no result of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fusion {
    Allowed,
    Forbidden,
}

/// A program, and where the value of each neuron stands if all have one.
struct Compiled {
    program: Program,
    at: Vec<ValueAt>,
}

fn compiled(graph: &Graph, context: &Context<'_>, fusion: Fusion) -> Result<Compiled, Diagnostic> {
    let maps: Vec<Option<Map<'_>>> = graph.ops.iter().map(|op| map_of(context.template, op)).collect();
    let mut compiler = Compiler {
        context,
        graph,
        fusion,
        maps: &maps,
        program: Program { recipe: context.drawn.map(|_| Box::default()), ..Program::default() },
        offset: vec![0; graph.len()],
        shape: vec![Shape::SCALAR; graph.len()],
        leaves: HashMap::default(),
        products: HashMap::default(),
        functions: Vec::new(),
        applied: HashMap::default(),
        readers: match fusion {
            Fusion::Allowed => only_readers(graph, context.template),
            Fusion::Forbidden => Readers::none(graph),
        },
        done: vec![Done::Nothing; graph.len()],
        pending: Vec::new(),
        pending_ids: IndexMap::default(),
        places: Vec::new(),
    };
    compiler.run()?;
    let Compiler { mut program, offset, shape, .. } = compiler;
    let at = offset.iter().zip(&shape).map(|(&offset, &shape)| ValueAt { offset, shape });
    let mut at = if fusion == Fusion::Forbidden { at.collect() } else { Vec::new() };
    constants::settle(&mut program, &mut at);
    Ok(Compiled { program, at })
}

impl<'a> Compiler<'a> {
    fn run(&mut self) -> Result<(), Diagnostic> {
        let Schedule { order, level } = schedule(self.graph);
        let graph = self.graph;
        let leaves_end = order.iter().take_while(|&&n| level[n as usize] == 0).count();
        self.place_inputs(&order[..leaves_end])?;
        let mut at = leaves_end;
        while at < order.len() {
            let now = level[order[at] as usize];
            let end = at + order[at..].iter().take_while(|&&n| level[n as usize] == now).count();
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
                let length = template.weights[w].shape.len();
                self.program.leaves.push(Leaf { weight: w, offset: at, length });
                self.program.arena += length;
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
                        let written = template.compat.written(values.shape(*v), values.get(*v));
                        let at = constants::push(&mut self.program, &written);
                        if self.context.drawn.is_some_and(|first| *v >= first) {
                            constants::note_value(&mut self.program, *v, at, written.len());
                        }
                        constants.insert(op, at);
                        at
                    });
                }
                Op::Number(bits) => {
                    let known = constants.get(&op).copied();
                    self.offset[n] = known.unwrap_or_else(|| {
                        let at = constants::push(&mut self.program, &[f64::from_bits(*bits)]);
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
        if self.program.arena + self.program.constants.len() <= MOST {
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
        let ops: Vec<Option<&'a Map<'a>>> =
            groups.iter().map(|g| self.maps[graph.op[g[0] as usize].0 as usize].as_ref()).collect();
        self.places.clear();
        self.apply_functions(&groups, &ops)?;
        let few: Vec<bool> = groups.iter().map(|g| self.has_few_members(g)).collect();
        for ((group, op), few) in groups.iter().zip(&ops).zip(&few) {
            match op {
                Some(op) if self.weighs(group) => self.request_weighed(group, op, *few)?,
                Some(op) => {
                    for &n in *group {
                        self.request(op, graph.inputs(n as usize))?;
                    }
                }
                None => self.weigh_summands(group)?,
            }
        }
        self.place_linear()?;
        let places = std::mem::take(&mut self.places);
        let mut at = 0;
        for ((group, op), few) in groups.iter().zip(ops).zip(few) {
            match op {
                Some(op) if few => self.place_weighed(group, op, &places, &mut at),
                Some(op) => self.map_group(group, op, &places, &mut at)?,
                None => match graph.operation(group[0] as usize) {
                    Op::Aggregation(rule) => self.reduce_group(group, *rule, &places, &mut at)?,
                    _ => unreachable!("leaves stand at level 0"),
                },
            }
        }
        self.places = places;
        self.check_size()
    }

    /// Computes what the literals' functions make of the values of lower levels: one row for every distinct pair of a
    /// function and a value, innermost functions first.
    fn apply_functions(&mut self, groups: &[&[u32]], ops: &[Option<&'a Map<'a>>]) -> Result<(), Diagnostic> {
        let graph = self.graph;
        let deepest = |op: &&Map<'a>| op.slots.iter().map(|s| s.functions.len()).max().unwrap_or(0);
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
                    span,
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
                Some(w) if self.done[input.0 as usize] == Done::Nothing => {
                    let function = self.absorbed(op, w, shape);
                    self.product(w, source, shape, slot, function)?
                }
                _ => Place::Known(source),
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
        function: Option<Activation>,
    ) -> Result<Place, Diagnostic> {
        let output = self.product_shape(weight, shape, slot)?;
        let function = function.map(|f| self.function_id(&f));
        if let Some(&place) = self.products.get(&(weight, source, function)) {
            return Ok(place);
        }
        let constant = self.constant(source, self.context.template.weights[weight].shape, shape);
        let next = self.pending.len() as u32;
        let block = *self.pending_ids.entry((weight, shape, function, constant)).or_insert(next);
        if block == next {
            let sources = Vec::new();
            let span = slot.span;
            let pending =
                PendingLinear { weight, function, input: shape, output, sources, constant, base: 0, span };
            self.pending.push(pending);
        }
        let pending = &mut self.pending[block as usize];
        let place = Place::Pending { block, row: pending.sources.len() as u32 };
        pending.sources.push(source);
        self.products.insert((weight, source, function), place);
        Ok(place)
    }

    /// The shape of the product of a weight and a value.
    fn product_shape(&self, weight: WeightId, value: Shape, slot: &Slot<'_>) -> Result<Shape, Diagnostic> {
        let def = &self.context.template.weights[weight];
        def.shape.times(value).ok_or_else(|| {
            let d = Diagnostic::new(
                codes::SHAPE_MISMATCH,
                format!("a weight of shape {} cannot multiply a value of shape {value}", def.shape),
            )
            .label(def.span, format!("this weight is {}", def.shape));
            let d = labelled(d, slot.span, format!("the value here is {value}"));
            self.blame_fact(d, slot.pred, value)
        })
    }

    /// The activation that is computed together with the product of a weight and a value: of a function of one
    /// weighted input.
    fn absorbed(&self, op: &Map<'_>, weight: WeightId, value: Shape) -> Option<Activation> {
        let product = self.context.template.weights[weight].shape.times(value)?;
        self.activation_of_one(op, product).filter(|f| f.derivative_from_output() && !f.is_identity())
    }

    /// What a function of one input, without an offset, applies to it; `None` if it is another function.
    fn activation_of_one(&self, op: &Map<'_>, input: Shape) -> Option<Activation> {
        let alone = op.offset.is_none() && op.slots.len() == 1 && op.combination.is_identity_of_one();
        alone.then(|| op.activation.unwrap_or_else(|| (self.context.output_activation)(input)))
    }

    fn constant(&self, source: u32, weight: Shape, value: Shape) -> Constant {
        let program = &self.program;
        let Some(at) = constants::place(source) else { return Constant::No };
        let elements = &program.constants[at..at + value.len()];
        let changes = program.recipe.as_ref().is_some_and(|r| r.changes(at));
        if value.cols == 1 && !value.is_scalar() && !weight.is_scalar() && is_sparse(elements, changes) {
            Constant::Sparse
        } else {
            Constant::Dense
        }
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
        let mut pending = std::mem::take(&mut self.pending);
        let blocks = self.joined(&pending);
        for &i in blocks.iter().flatten() {
            pending[i].base = self.program.arena;
            self.program.arena += pending[i].sources.len() * pending[i].output.len();
        }
        self.check_size()?;
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
        for p in &pending {
            for (row, &source) in p.sources.iter().enumerate() {
                let offset = (p.base + row * p.output.len()) as u32;
                self.products.insert((p.weight, source, p.function), Place::Known(offset));
            }
        }
        for members in blocks {
            let first = &pending[members[0]];
            let (weight, input, base, shape) = (first.weight, first.input, first.base, first.output);
            let (constant, origin) = (first.constant, self.origin(first.span));
            let activation = first.function.map_or(Activation::Identity, |f| self.functions[f as usize]);
            let source_gradient = constant == Constant::No;
            let of = |i: &usize| std::iter::repeat_n(pending[*i].weight, pending[*i].sources.len());
            let weights: Vec<WeightId> = members.iter().flat_map(of).collect();
            let sources: Vec<u32> =
                members.iter().flat_map(|&i| std::mem::take(&mut pending[i].sources)).collect();
            let rows = sources.len();
            let kind = if constant == Constant::Sparse {
                self.columns(weight, activation, input, &sources)
            } else if members.len() > 1 {
                let weight_shape = self.context.template.weights[weight].shape;
                Kind::Rowwise { weights, weight_shape, activation, input, sources, source_gradient }
            } else {
                Kind::Linear { weight, activation, input, sources, source_gradient }
            };
            self.program.blocks.push(Block { base, rows, shape, kind, origin });
        }
        Ok(())
    }

    /// The linear blocks that become one block each: many weights of one shape with few values each are joined.
    fn joined(&self, pending: &[PendingLinear]) -> Vec<Vec<usize>> {
        let alike = |p: &PendingLinear| {
            let few = p.constant != Constant::Sparse && p.sources.len() <= MOST_ROWS_JOINED;
            few.then(|| (self.context.template.weights[p.weight].shape, p.input, p.function, p.constant))
        };
        let mut found: HashMap<_, Vec<usize>> = HashMap::default();
        for (i, p) in pending.iter().enumerate() {
            if let Some(key) = alike(p) {
                found.entry(key).or_default().push(i);
            }
        }
        let mut blocks = Vec::new();
        for (i, p) in pending.iter().enumerate() {
            match alike(p).and_then(|key| found.get_mut(&key)) {
                Some(members) if members.len() >= FEWEST_JOINED => blocks.push(std::mem::take(members)),
                // Taken along by the first of them.
                Some(members) if members.is_empty() => {}
                _ => blocks.push(vec![i]),
            }
        }
        blocks
    }

    /// The elements of constants that are not 0.
    fn columns(&self, weight: WeightId, activation: Activation, input: Shape, sources: &[u32]) -> Kind {
        let (mut starts, mut columns, mut factors) = (vec![0], Vec::new(), Vec::new());
        for &source in sources {
            let at = constants::place(source).expect("only constants become columns");
            let elements = self.program.constants[at..at + input.len()].iter().enumerate();
            for (column, &x) in elements.filter(|(_, x)| **x != 0.0) {
                columns.push(column as u32);
                factors.push(x);
            }
            starts.push(columns.len() as u32);
        }
        Kind::Columns { weight, activation, starts, columns, factors }
    }

    /// The neurons of one rule or atom operation; `places` holds their weighted inputs from `at` on.
    fn map_group(
        &mut self,
        group: &[u32],
        op: &Map<'_>,
        places: &[Place],
        at: &mut usize,
    ) -> Result<(), Diagnostic> {
        let template = self.context.template;
        let k = op.slots.len();
        let arity = k + usize::from(op.offset.is_some());
        // Neurons of one operation nearly always have inputs of the same shapes; each combination of shapes is a block.
        let mut variants: Vec<Variant> = Vec::new();
        let mut shapes: Vec<Shape> = Vec::with_capacity(arity);
        for &n in group {
            shapes.clear();
            shapes.extend(op.offset.map(|w| template.weights[w].shape));
            let (mut activated, mut deferred) = (false, false);
            for (slot, input) in op.slots.iter().zip(self.graph.inputs(n as usize)) {
                let (_, shape) = self.slot_value(slot, *input);
                let done = self.done[input.0 as usize];
                shapes.push(match slot.weight {
                    Some(w) if done == Done::Nothing => {
                        activated |= self.absorbed(op, w, shape).is_some();
                        template.weights[w].shape.times(shape).expect("checked when requested")
                    }
                    _ => shape,
                });
                activated |= done == Done::All;
                deferred |= done == Done::Deferred;
            }
            let same = |v: &Variant| v.activated == activated && v.shapes == shapes;
            let variant = match variants.iter().position(same) {
                Some(i) => &mut variants[i],
                None => {
                    variants.push(Variant { shapes: shapes.clone(), activated, ..Variant::default() });
                    variants.last_mut().expect("just pushed")
                }
            };
            variant.deferred |= deferred;
            variant.neurons.push(n);
            variant.sources.extend(op.offset.map(|w| self.leaves[&w]));
            variant.sources.extend(places[*at..*at + k].iter().map(|p| p.known()));
            *at += k;
        }
        for variant in variants {
            self.map_block(op, variant)?;
        }
        Ok(())
    }

    fn map_block(&mut self, op: &Map<'_>, variant: Variant) -> Result<(), Diagnostic> {
        let Variant { shapes: inputs, activated, deferred, neurons, sources } = variant;
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
        let stated = || op.activation.unwrap_or_else(|| (self.context.output_activation)(combined));
        let activation = if activated { Activation::Identity } else { stated() };
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
            let kind = if !deferred {
                Kind::Combine { combination, activation, inputs, sources: places }
            } else if inputs.iter().all(|s| *s == combined) {
                self.merged(&neurons, places, combined, activation)
            } else {
                let sources = self.added_up(op, &neurons, places, &inputs);
                Kind::Combine { combination, activation, inputs, sources }
            };
            places = self.block(combined, neurons.len(), kind, op.span);
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
                op.span,
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

    /// Of the next block.
    fn origin(&self, span: Option<Span>) -> Origin {
        Origin { number: self.program.blocks.len() as u32, span }
    }

    /// Appends a block, or computes it, if it is constant; the offsets of its rows.
    fn block(&mut self, shape: Shape, rows: usize, mut kind: Kind, span: Option<Span>) -> Vec<u32> {
        if self.fusion == Fusion::Allowed
            && let Some(offsets) = self.folded(shape, rows, &mut kind)
        {
            return offsets;
        }
        let base = self.program.arena;
        let width = shape.len();
        self.program.arena += rows * width;
        let origin = self.origin(span);
        self.program.blocks.push(Block { base, rows, shape, kind, origin });
        (0..rows).map(|i| (base + i * width) as u32).collect()
    }
}

fn labelled(d: Diagnostic, span: Option<Span>, text: String) -> Diagnostic {
    match span {
        Some(span) => d.label(span, text),
        None => d.note(text),
    }
}
