//! The models of `stdlib`: values and gradients against computations that know nothing of the engine.

#![allow(clippy::unwrap_used)]

mod harness;
mod kit;
mod layers;
mod logic;
mod networks;
mod readout;
mod relational;
mod sequence;
mod steps;
