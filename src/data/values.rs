//! Values of facts: constants shared by content, or learnable parameters.

use crate::base::hash::{HashTable, finish, mix};
use crate::base::index::{Id, IndexVec};
use crate::base::span::Span;
use crate::tensor::Shape;
use std::ops::Range;

crate::id! {
    /// A constant value in a [`ValuePool`]; number 0 is the scalar 1, the value of a fact without one.
    pub struct ValueId;
    /// A learnable fact value, numbered over the whole session.
    pub struct LearnableFact;
}

impl ValueId {
    /// The scalar 1.
    pub const ONE: ValueId = ValueId(0);
}

/// Most numbers of one value or weight: half a gibibyte in f64, far beyond any use, and before the memory is gone.
pub const MAX_WEIGHT: usize = 1 << 26;

/// What a fact is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FactValue {
    /// A constant.
    Constant(ValueId),
    /// A parameter of its own.
    Learnable(LearnableFact),
}

impl FactValue {
    /// The scalar 1.
    pub const ONE: FactValue = FactValue::Constant(ValueId::ONE);
}

/// Constant values, each distinct content stored once, but for those that may change ([`ValuePool::push_opaque`]).
#[derive(Debug, Clone)]
pub struct ValuePool {
    shapes: IndexVec<ValueId, Shape>,
    starts: Vec<usize>,
    data: Vec<f64>,
    table: HashTable<u32>,
    opaque: Range<usize>,
}

fn hash_value(shape: Shape, values: &[f64]) -> u64 {
    let mut h = mix(u64::from(shape.rows), u64::from(shape.cols));
    for v in values {
        h = mix(h, v.to_bits());
    }
    finish(h)
}

impl Default for ValuePool {
    fn default() -> Self {
        let mut pool = ValuePool {
            shapes: IndexVec::new(),
            starts: vec![0],
            data: Vec::new(),
            table: HashTable::default(),
            opaque: 0..0,
        };
        let one = pool.intern(Shape::SCALAR, &[1.0]);
        debug_assert_eq!(one, ValueId::ONE);
        pool
    }
}

impl ValuePool {
    fn slice<'a>(starts: &[usize], data: &'a [f64], i: u32) -> &'a [f64] {
        &data[starts[i as usize]..starts[i as usize + 1]]
    }

    /// The id of a value, new or known (compared bit by bit).
    pub fn intern(&mut self, shape: Shape, values: &[f64]) -> ValueId {
        assert_eq!(shape.len(), values.len(), "a value has as many elements as its shape");
        let hash = hash_value(shape, values);
        let (shapes, starts, data) = (&self.shapes, &self.starts, &self.data);
        let same = |i: &u32| {
            shapes[ValueId(*i)] == shape
                && Self::slice(starts, data, *i).iter().zip(values).all(|(a, b)| a.to_bits() == b.to_bits())
        };
        if let Some(&i) = self.table.find(hash, same) {
            return ValueId(i);
        }
        let id = self.push(shape, values);
        let (shapes, starts, data) = (&self.shapes, &self.starts, &self.data);
        self.table
            .insert_unique(hash, id.0, |&i| hash_value(shapes[ValueId(i)], Self::slice(starts, data, i)));
        id
    }

    /// Adds a value that no other is made one with later, even with the same elements.
    pub(crate) fn push(&mut self, shape: Shape, values: &[f64]) -> ValueId {
        assert_eq!(shape.len(), values.len(), "a value has as many elements as its shape");
        let id = self.shapes.push(shape);
        self.data.extend_from_slice(values);
        self.starts.push(self.data.len());
        id
    }

    /// Adds a value that others may take the place of: it is another one than all others, whatever its elements, and
    /// nothing may be concluded from them. Such values stand side by side.
    pub fn push_opaque(&mut self, shape: Shape, values: &[f64]) -> ValueId {
        let id = self.push(shape, values);
        if self.opaque.is_empty() {
            self.opaque = id.index()..id.index();
        }
        assert_eq!(self.opaque.end, id.index(), "values that may change stand side by side");
        self.opaque.end += 1;
        id
    }

    /// Whether others may take the place of a value.
    #[inline]
    pub fn is_opaque(&self, id: ValueId) -> bool {
        self.opaque.contains(&id.index())
    }

    /// The id of a value, if it is known (compared bit by bit).
    pub fn find(&self, shape: Shape, values: &[f64]) -> Option<ValueId> {
        let equal = |i: ValueId| self.get(i).iter().zip(values).all(|(a, b)| a.to_bits() == b.to_bits());
        let same = |i: &u32| self.shape(ValueId(*i)) == shape && equal(ValueId(*i));
        self.table.find(hash_value(shape, values), same).map(|i| ValueId(*i))
    }

    /// The shape of a value.
    #[inline]
    pub fn shape(&self, id: ValueId) -> Shape {
        self.shapes[id]
    }

    /// The elements of a value, row-major.
    #[inline]
    pub fn get(&self, id: ValueId) -> &[f64] {
        Self::slice(&self.starts, &self.data, id.0)
    }

    /// Number of distinct values.
    pub fn len(&self) -> usize {
        self.shapes.len()
    }

    /// Never: the scalar 1 is always there.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = ValueId> + use<> {
        (0..self.shapes.len()).map(ValueId::new)
    }
}

/// The definition of a learnable fact.
#[derive(Debug, Clone)]
pub struct LearnableDef {
    /// The shared name, without `$`, if it has one.
    pub name: Option<String>,
    /// The literal it belongs to, with its example: how the parameter is called if it has no name.
    pub literal: String,
    /// Its shape.
    pub shape: Shape,
    /// The initial value; `None` for `{dims}`, which is drawn.
    pub initial: Option<Vec<f64>>,
    /// In angle brackets around dimensions: stays zero.
    pub fixed: bool,
    /// Where it is written.
    pub span: Span,
}
