//! What variables that nothing binds cost, counted from the grounding.

use super::{Session, Statistics};
use crate::base::hash::{HashMap, HashSet};
use crate::base::index::Id;
use crate::base::span::Span;
use crate::data::{PredId, WorldId};
use crate::diag::Diagnostics;
use crate::ground::Grounder;
use crate::ground::evaluate::relevant_predicates;
use crate::template::RuleId;
use crate::template::check::{self, Extent};
use std::sync::atomic::AtomicUsize;

/// Ground rules after which counting is given up: that it is very much is known then, and a check should take no
/// longer than about a second.
const COUNTED: usize = 1_000_000;

impl Session {
    /// Whether there is something to ground on.
    pub(super) fn has_data(&self) -> bool {
        self.database.fact_count() > 0 || !self.database.queries.is_empty()
    }

    /// Warnings about unbound variables where there is nothing to count.
    pub(super) fn unbound_unmeasured(&self) -> Diagnostics {
        let warning = |u| check::unbound(&self.template, u, Extent::Unknown);
        self.template.unbound.iter().map(warning).collect()
    }

    /// Warnings about unbound variables with what a built network says of them.
    pub(super) fn unbound_in(&self, statistics: &Statistics) -> Diagnostics {
        let extent = |rule: Span| {
            let rules = self.template.rules.iter_enumerated().filter(|(_, r)| r.span == rule);
            let instances = rules
                .filter(|(_, r)| !r.origin.is_helper())
                .map(|(id, _)| statistics.per_rule.get(id.index()).copied().unwrap_or(0))
                .sum();
            match statistics.constants {
                Some(constants) if self.asked(rule) => {
                    Extent::Counted { constants, worlds: statistics.worlds, instances }
                }
                _ => Extent::NotGrounded,
            }
        };
        let warning = |u: &crate::template::Unbound| check::unbound(&self.template, u, extent(u.rule));
        self.template.unbound.iter().map(warning).collect()
    }

    /// Whether some query needs a rule.
    fn asked(&self, rule: Span) -> bool {
        let roots = self.database.queries.iter().map(|q| q.pred);
        let relevant = relevant_predicates(&self.template, self.vocabulary.predicate_count(), roots);
        self.template.rules.iter().any(|r| r.span == rule && relevant[r.head])
    }

    /// Warnings about the unbound variables at `wanted` places, counted by grounding their rules; none where there is
    /// no data, as resolving has told them then.
    pub fn unbound(&self, wanted: &dyn Fn(Span) -> bool) -> Diagnostics {
        let asked: Vec<_> = self.template.unbound.iter().filter(|u| wanted(u.span)).collect();
        if asked.is_empty() || !self.has_data() {
            return Vec::new();
        }
        let spans: HashSet<Span> = asked.iter().map(|u| u.rule).collect();
        let rules = || self.template.rules.iter_enumerated().filter(|(_, r)| spans.contains(&r.span));
        let roots: Vec<PredId> = rules().map(|(_, r)| r.head).collect();
        let relevant = relevant_predicates(&self.template, self.vocabulary.predicate_count(), roots);
        let mut worlds: Vec<WorldId> = self.database.queries.iter().map(|q| q.world).collect();
        worlds.sort_unstable();
        worlds.dedup();
        if worlds.is_empty() {
            worlds.push(WorldId::SHARED);
        }
        let mut grounder =
            Grounder::new(&self.vocabulary, &self.template, &self.database, &self.strata, &relevant);
        let (budget, used) = (self.settings.max_ground.min(COUNTED), AtomicUsize::new(0));
        let mut counts: HashMap<RuleId, usize> = HashMap::default();
        let mut constants = (usize::MAX, 0);
        let mut within = true;
        for &world in &worlds {
            within &= grounder.run(world, budget, &used).is_ok();
            if !within {
                break;
            }
            let n = grounder.domain().len();
            constants = (constants.0.min(n), constants.1.max(n));
            for (id, _) in rules() {
                *counts.entry(id).or_default() += grounder.ground.instances[id].len();
            }
        }
        let extent = |rule: Span| {
            let own = rules().filter(|(_, r)| r.span == rule && !r.origin.is_helper());
            let instances = own.map(|(id, _)| counts.get(&id).copied().unwrap_or(0)).sum();
            let worlds = worlds.len();
            if within { Extent::Counted { constants, worlds, instances } } else { Extent::Beyond(budget) }
        };
        asked.iter().map(|u| check::unbound(&self.template, u, extent(u.rule))).collect()
    }
}
