//! Learning: losses, initial weights, optimisers, metrics.

pub mod init;
pub mod loss;
pub mod metrics;
pub mod optimizer;

pub use init::{Distribution, Initializer};
pub use loss::Loss;
pub use metrics::{Metrics, evaluate};
pub use optimizer::{Optimizer, OptimizerState, Schedule, clip_by_norm, clip_by_value};

#[cfg(test)]
mod tests;
