//! nlog: lifted relational neural networks.

pub mod base;
pub mod data;
pub mod diag;
pub mod exec;
pub mod graph;
pub mod ground;
pub mod learn;
pub mod plan;
pub mod syntax;
pub mod template;
pub mod tensor;
