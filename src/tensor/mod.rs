//! Layer 1: shapes, elements, functions with their adjoints, kernels.

pub mod shape;

pub use shape::Shape;
