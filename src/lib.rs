//! nlog: lifted relational neural networks.

pub mod base;
pub mod diag;
pub mod learn;
pub mod syntax;
pub mod tensor;
