//! Layer 3: constants, predicates, facts in columns, worlds and queries.

pub mod builder;
mod computed;
pub mod database;
pub mod values;
pub mod vocabulary;

pub use database::{Database, FactSet, FactTable, Query, QueryTerm, Split, WorldId};
pub use values::{FactValue, LearnableFact, MAX_WEIGHT, ValueId, ValuePool};
pub use vocabulary::{ConstId, MAX_ARITY, PredId, Vocabulary, number_text};
