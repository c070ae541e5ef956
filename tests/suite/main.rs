//! Tests of the whole through its public interface, in one binary.

#![allow(clippy::disallowed_methods)] // tests may touch files

mod alternating;
mod architecture;
mod coming;
mod compare;
mod compat;
mod cycles;
mod demand;
mod determinism;
mod docs;
mod draws;
mod dump;
mod exact;
mod explain;
mod families;
mod files;
mod folds;
mod format;
mod friction;
mod gradients;
mod grounding;
mod grouped;
mod groups;
mod labels;
mod lift;
mod lift_modes;
mod lifting;
mod messages;
mod metamorphic;
mod modules;
mod newcomer;
mod open_facts;
mod peers;
mod plans;
mod prepare;
mod prepare_cli;
mod profile;
mod quotient;
mod robustness;
mod semiring;
mod shapes;
mod soundness;
mod support;
mod tables;
mod training;
