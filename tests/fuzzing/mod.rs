//! Parts of `tests/fuzz.rs`.

pub mod corpus;
pub mod grammar;
pub mod inputs;
pub mod targets;
