//! What lifting saves: neurons of each predicate before and after, by scope.

use super::{Network, Session};
use crate::base::index::Id;
use crate::data::PredId;
use crate::diag::Diagnostics;
use crate::graph::NeuronCounts;
use crate::graph::lift::{Scope, Tally};
use serde::Serialize;
use std::collections::BTreeMap;

/// Neurons of a session before and after lifting. Names are stable.
#[derive(Debug, Clone, Serialize)]
pub struct Survey {
    /// Worlds grounded.
    pub worlds: usize,
    /// Ground rules.
    pub ground_rules: usize,
    /// Answers, which are the outputs of the network.
    pub answers: usize,
    /// Every neuron by itself.
    pub unlifted: usize,
    /// Of these, those that do more than hand on their one input.
    pub pruned: usize,
    /// The unlifted neurons by kind.
    pub kinds: NeuronCounts,
    /// What is left under each scope.
    pub scopes: Vec<Lifted>,
    /// Where it was saved: by predicate, as they are numbered until [`Survey::rank`] sorts them.
    pub predicates: Vec<PredicateSurvey>,
}

/// What lifting leaves under one scope.
#[derive(Debug, Clone, Serialize)]
pub struct Lifted {
    /// Which neurons may be one.
    pub scope: Scope,
    /// Neurons of the graph: classes of equal ones.
    pub neurons: usize,
    /// Neurons per unlifted neuron.
    pub ratio: f64,
    /// Inputs of all neurons.
    pub edges: usize,
    /// Rows of the compiled programs.
    pub rows: usize,
    /// Wall-clock seconds of grounding.
    pub ground_seconds: f64,
    /// Seconds of building and lifting, which is one step within a world.
    pub build_seconds: f64,
    /// Seconds of compiling.
    pub compile_seconds: f64,
}

/// The neurons made for one predicate. A class that several predicates share is counted where it was met first.
#[derive(Debug, Clone, Serialize)]
pub struct PredicateSurvey {
    /// Name and arity.
    pub predicate: String,
    /// Before lifting.
    pub unlifted: usize,
    /// Of these, those that do more than hand on their one input.
    pub pruned: usize,
    /// Classes under each scope, by its name.
    pub lifted: BTreeMap<&'static str, usize>,
    /// Neurons that the last scope has not: `unlifted` less its classes. Below zero where queried atoms that others
    /// read outweigh it: such an atom is counted once, but its output is a neuron of its own.
    pub saved: i64,
}

impl Session {
    /// Grounds, builds and compiles as [`Session::build`] does, lifted by a scope in place of that of the settings.
    pub fn build_lifted(&mut self, scope: Scope) -> (Option<Network>, Diagnostics) {
        let before = std::mem::replace(&mut self.settings.lift, scope);
        let result = self.build();
        self.settings.lift = before;
        result
    }

    /// A survey of what a network has before lifting; [`Survey::add`] adds what a scope leaves.
    pub fn survey(&self, network: &Network) -> Survey {
        let s = &network.statistics;
        let row = |(p, t): (usize, &Tally)| PredicateSurvey {
            predicate: self.vocabulary.predicate_text(PredId::new(p)),
            unlifted: t.unlifted,
            pruned: t.pruned,
            lifted: BTreeMap::new(),
            saved: 0,
        };
        Survey {
            worlds: s.worlds,
            ground_rules: s.ground_rules,
            answers: network.answers.iter().filter(|a| a.place.is_some()).count(),
            unlifted: s.neurons.total(),
            pruned: s.neurons.pruned(),
            kinds: s.neurons,
            scopes: Vec::new(),
            predicates: s.tally.iter().enumerate().map(row).collect(),
        }
    }
}

impl Survey {
    /// Adds the network of a scope, of the same session.
    pub fn add(&mut self, scope: Scope, network: &Network) {
        let s = &network.statistics;
        self.scopes.push(Lifted {
            scope,
            neurons: s.graph_neurons,
            ratio: s.graph_neurons as f64 / self.unlifted.max(1) as f64,
            edges: s.graph_edges,
            rows: s.rows,
            ground_seconds: s.ground_seconds,
            build_seconds: s.build_seconds + s.lift_seconds,
            compile_seconds: s.compile_seconds,
        });
        for (row, tally) in self.predicates.iter_mut().zip(&s.tally) {
            row.lifted.insert(scope.name(), tally.lifted);
            row.saved = row.unlifted as i64 - tally.lifted as i64;
        }
    }

    /// Predicates that have neurons, those that saved most first.
    pub fn rank(&mut self) {
        self.predicates.retain(|p| p.unlifted > 0);
        self.predicates.sort_by(|a, b| b.saved.cmp(&a.saved).then_with(|| a.predicate.cmp(&b.predicate)));
    }
}
