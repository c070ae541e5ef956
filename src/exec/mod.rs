//! Layer 9: a graph compiled to batched row blocks, run forward and backward.
//!
//! A [`Program`] is a list of blocks over one arena of numbers. A block is `rows × width` contiguous elements that one
//! operation computes; its rows read earlier parts of the arena through lists of offsets. What a step needs is a
//! [`Selection`]: row ranges of the one program.

pub mod compile;
pub mod extract;
pub mod fusion;
pub mod interval;
pub mod partition;
pub mod pieces;
pub mod profile;
pub mod program;
pub mod refill;
pub mod run;
pub mod schedule;
pub mod selection;

pub use compile::{ValueAt, compile, compile_with_values};
pub use program::{Block, Kind, Origin, Parameters, Program};
pub use run::{Gradients, State};
pub use selection::Selection;
