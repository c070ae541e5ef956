//! nlog: lifted relational neural networks.

pub mod answer;
pub mod base;
pub mod cli;
pub mod console;
pub mod data;
pub mod diag;
pub mod exec;
pub mod expand;
pub mod graph;
pub mod ground;
pub mod io;
pub mod learn;
pub mod plan;
pub mod prepare;
pub mod repl;
pub mod session;
pub mod syntax;
pub mod template;
pub mod tensor;
