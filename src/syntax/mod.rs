//! Layer 2: text to tokens to syntax tree; facts straight to columns.

pub mod ast;
pub mod facts;
