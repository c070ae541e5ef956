//! Layer 2: text to tokens to syntax tree; facts straight to columns.

pub mod ast;
pub mod chunk;
mod cursor;
mod expression;
pub mod facts;
mod foreign;
pub mod format;
pub mod formula;
mod operators;
pub mod parser;
pub mod print;
pub mod table;
pub mod token;
pub mod value;

#[cfg(test)]
mod tests;
