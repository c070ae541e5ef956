//! Layer 0: what every other layer stands on: spans, sources, symbols, typed ids, hashing, random streams, components.

pub mod components;
pub mod hash;
pub mod index;
pub mod intern;
pub mod range;
pub mod rng;
pub mod span;
