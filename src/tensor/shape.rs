//! Shapes of values: rank at most two.

/// Rows × columns. `{1}` and `{1,1}` are scalars, `{n}` and `{n,1}` the same column vector, `{1,n}` a row vector.
///
/// One type for every rank keeps the algebra to two rules: a scalar scales, everything else is a matrix product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape {
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub cols: u32,
}

impl Shape {
    /// A scalar.
    pub const SCALAR: Shape = Shape { rows: 1, cols: 1 };

    /// `rows × cols`.
    pub fn new(rows: usize, cols: usize) -> Shape {
        let narrow = |n| u32::try_from(n).expect("dimensions are checked against 2^32 where they are read");
        Shape { rows: narrow(rows), cols: narrow(cols) }
    }
    /// A column vector.
    pub fn column(n: usize) -> Shape {
        Shape::new(n, 1)
    }
    /// Number of elements.
    #[inline]
    pub fn len(self) -> usize {
        self.rows as usize * self.cols as usize
    }
    /// Whether it holds no element.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
    /// One element.
    #[inline]
    pub fn is_scalar(self) -> bool {
        self.rows == 1 && self.cols == 1
    }
    /// One row or one column.
    pub fn is_vector(self) -> bool {
        self.rows == 1 || self.cols == 1
    }
    /// Rows and columns exchanged.
    pub fn transposed(self) -> Shape {
        Shape { rows: self.cols, cols: self.rows }
    }
    /// The shape of the product `self · other`: a scalar on either side scales, else the matrix product.
    pub fn times(self, other: Shape) -> Option<Shape> {
        if self.is_scalar() {
            Some(other)
        } else if other.is_scalar() {
            Some(self)
        } else if self.cols == other.rows {
            Some(Shape { rows: self.rows, cols: other.cols })
        } else {
            None
        }
    }
    /// The shape of an element-wise sum or product: equal shapes, or a scalar broadcast over anything. A row and a
    /// column of equal length do not join: whose orientation the result has would depend on the order of the two.
    pub fn joined(self, other: Shape) -> Option<Shape> {
        if self == other || other.is_scalar() {
            Some(self)
        } else if self.is_scalar() {
            Some(other)
        } else {
            None
        }
    }
    /// What to do where this shape and another one do not join; empty if there is nothing simple.
    pub fn joining_hint(self, other: Shape) -> &'static str {
        match self.is_vector() && self.transposed() == other {
            true => "; transpose one of them, as in `transpose(p(X))`",
            false => "",
        }
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.rows, self.cols) {
            (1, 1) => f.write_str("a scalar"),
            (n, 1) => write!(f, "{{{n}}}"),
            (r, c) => write!(f, "{{{r},{c}}}"),
        }
    }
}
