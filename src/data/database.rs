//! Facts in columns, worlds, queries.

use super::values::{FactValue, LearnableDef, LearnableFact, ValuePool};
use super::vocabulary::{ConstId, PredId};
use crate::base::index::{Id, IndexVec};
use crate::base::span::Span;
use crate::syntax::ast;

crate::id! {
    /// A world: the facts that hold together. World 0 is the shared one (facts outside examples); every example is
    /// one more, in which the shared facts hold too.
    pub struct WorldId;
}

impl WorldId {
    /// The world of the facts that stand outside examples.
    pub const SHARED: WorldId = WorldId(0);
}

/// The facts of one predicate, one column per argument.
#[derive(Debug, Clone, Default)]
pub struct FactTable {
    /// Argument columns, all of the same length.
    pub columns: Vec<Vec<ConstId>>,
    /// The value of each fact.
    pub values: Vec<FactValue>,
    /// Where each fact is written.
    pub spans: Vec<Span>,
    /// Row at which the facts of each example begin (`starts[w]`, w = world number); only in sets with worlds.
    starts: Vec<u32>,
}

impl FactTable {
    /// Number of facts.
    pub fn len(&self) -> usize {
        self.values.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
    /// The arguments of a fact.
    pub fn row(&self, row: usize) -> impl Iterator<Item = ConstId> + '_ {
        self.columns.iter().map(move |c| c[row])
    }
    /// The rows that belong to a world.
    pub fn world_rows(&self, world: WorldId) -> std::ops::Range<usize> {
        let at = |w: usize| self.starts.get(w).map_or(self.len(), |&s| s as usize);
        at(world.index())..at(world.index() + 1)
    }
}

/// Facts by predicate. Within one predicate the rows of a world stand together, in file order.
#[derive(Debug, Clone, Default)]
pub struct FactSet {
    tables: IndexVec<PredId, FactTable>,
}

impl FactSet {
    /// Appends a fact of `world`; worlds must come in ascending order.
    pub fn push(
        &mut self,
        world: WorldId,
        pred: PredId,
        args: impl ExactSizeIterator<Item = ConstId>,
        value: FactValue,
        span: Span,
    ) {
        while self.tables.len() <= pred.index() {
            self.tables.push(FactTable::default());
        }
        let table = &mut self.tables[pred];
        if table.columns.is_empty() {
            table.columns = vec![Vec::new(); args.len()];
        }
        while table.starts.len() <= world.index() {
            table.starts.push(u32::try_from(table.values.len()).expect("fewer than 2^32 facts"));
        }
        for (column, arg) in table.columns.iter_mut().zip(args) {
            column.push(arg);
        }
        table.values.push(value);
        table.spans.push(span);
    }

    /// Gives up all facts of a predicate.
    pub fn clear(&mut self, pred: PredId) {
        if pred.index() < self.tables.len() {
            self.tables[pred] = FactTable::default();
        }
    }

    /// The facts of a predicate.
    pub fn table(&self, pred: PredId) -> Option<&FactTable> {
        self.tables.get(pred).filter(|t| !t.is_empty())
    }

    /// All nonempty tables.
    pub fn tables(&self) -> impl Iterator<Item = (PredId, &FactTable)> {
        self.tables.iter_enumerated().filter(|(_, t)| !t.is_empty())
    }

    /// Number of facts.
    pub fn len(&self) -> usize {
        self.tables.iter().map(FactTable::len).sum()
    }

    /// Whether there is no fact.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a query is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// Learn from it.
    Train,
    /// Choose the best model by it.
    Validation,
    /// Only report on it.
    Test,
}

/// An argument of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryTerm {
    /// A constant.
    Constant(ConstId),
    /// A variable, numbered within the query.
    Variable(u32),
}

/// A query about a world: an atom with an optional target.
#[derive(Debug, Clone)]
pub struct Query {
    /// The world it is about.
    pub world: WorldId,
    /// Its predicate.
    pub pred: PredId,
    /// Its arguments.
    pub args: Vec<QueryTerm>,
    /// Names of its variables.
    pub variables: Vec<String>,
    /// Types that variables range over, as hidden predicates.
    pub types: Vec<(u32, PredId)>,
    /// The target, row-major, with its shape; a query without one is answered, not trained on.
    pub target: Option<(crate::tensor::Shape, Vec<f64>)>,
    /// Weight in the error.
    pub importance: f64,
    /// What it is for.
    pub split: Split,
    /// The name of its sample (`s_0`, or the example's id).
    pub sample: String,
    /// Where it is written.
    pub span: Span,
}

/// All facts and queries of a session.
#[derive(Debug, Clone, Default)]
pub struct Database {
    /// Facts that hold in every world.
    pub shared: FactSet,
    /// Facts of the examples.
    pub examples: FactSet,
    /// Number of worlds, the shared one included.
    pub world_count: usize,
    /// Where each example is written (index 0, the shared world, has none).
    pub world_spans: Vec<Option<Span>>,
    /// Rules inside examples, and facts with variables (rules without a body); `None` for every world.
    pub rules: Vec<(Option<WorldId>, ast::Rule)>,
    /// Queries in file order.
    pub queries: Vec<Query>,
    /// Constant values.
    pub values: ValuePool,
    /// Learnable facts.
    pub learnable: IndexVec<LearnableFact, LearnableDef>,
}

impl Database {
    /// An empty database with its shared world.
    pub fn new() -> Self {
        Database { world_count: 1, world_spans: vec![None], ..Database::default() }
    }

    /// Number of facts.
    pub fn fact_count(&self) -> usize {
        self.shared.len() + self.examples.len()
    }

    /// The shape of a fact's value.
    pub fn value_shape(&self, value: FactValue) -> crate::tensor::Shape {
        match value {
            FactValue::Constant(id) => self.values.shape(id),
            FactValue::Learnable(id) => self.learnable[id].shape,
        }
    }
}
