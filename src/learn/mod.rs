//! Layer 10: learning: losses, initial weights, optimisers, metrics, the training loop.

mod batches;
pub mod folds;
pub mod init;
pub mod loss;
pub mod metrics;
pub mod optimizer;
pub mod profile;
mod shard;
pub mod trainer;

pub use batches::comparable;
pub use init::{Distribution, Initializer};
pub use loss::Loss;
pub use metrics::{Case, Metrics, choice, evaluate, evaluate_cases};
pub use optimizer::{Optimizer, OptimizerState, Schedule, clip_by_norm, clip_by_value};
pub use profile::TrainProfile;
pub use shard::{Layout, Reason, layout};
pub use trainer::{Batch, Classes, EpochReport, History, Reduction, Sample, Stated, TrainSettings, Trainer};
