//! Layer 4: facts made from facts (neighbours, clusters, bases, Laplacians, colours), and facts made up (graphs, molecules).
//!
//! `points`, `spline`, `graph`, `colours`, `generate` and `molecules` know numbers only; [`read`] finds their inputs in a
//! database, [`tasks`] and [`make`] turn what they return into facts, and [`facts`] writes these. Every task is a function of
//! the facts, its options and a seed: facts in another order give the same result but for ties, which go to what is stated
//! first.

pub mod colours;
pub mod facts;
pub mod generate;
pub mod graph;
pub mod make;
pub mod molecules;
pub mod points;
pub mod read;
pub mod spline;
pub mod tasks;
