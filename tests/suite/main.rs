//! Tests of the whole through its public interface, in one binary.

#![allow(clippy::disallowed_methods)] // tests may touch files

mod architecture;
mod compat;
mod determinism;
mod docs;
mod dump;
mod explain;
mod files;
mod folds;
mod format;
mod friction;
mod gradients;
mod grounding;
mod grouped;
mod messages;
mod metamorphic;
mod robustness;
mod support;
mod training;
