//! Layer 1: shapes, elements, functions with their adjoints, kernels.

pub mod elementary;
pub mod functions;
pub mod kernels;
pub mod real;
pub mod shape;
pub mod wide;

pub use functions::{Activation, Aggregation, Combination, FnArg, ParseError, StdKind};
pub use real::Real;
pub use shape::Shape;
