//! What grounding on classes of constants would save: ground rules now, and on the classes.

use super::Session;
use crate::base::hash::HashSet;
use crate::base::index::Id;
use crate::diag::Diagnostic;
use crate::ground::evaluate::relevant_predicates;
use crate::ground::fragment::{Fragment, Obstacle};
use crate::ground::refine::Refiner;
use crate::template::RuleId;
use serde::Serialize;
use std::ops::ControlFlow;
use std::time::Instant;

/// A number in a world's quotient, summed over worlds, and in that of all worlds together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Both {
    /// Summed over worlds, each with classes of its own.
    pub sample: usize,
    /// Classes of all worlds together, each once.
    pub all: usize,
}

/// Ground rules of one rule. Names are stable.
#[derive(Debug, Clone, Serialize)]
pub struct RuleQuotient {
    /// Its head.
    pub head: String,
    /// Where it is written.
    pub place: String,
    /// Ground rules on constants.
    pub ground_rules: usize,
    /// Ground rules on classes; the same number where the rule stays on constants.
    pub quotient: Both,
    /// Why it stays on constants.
    pub obstacle: Option<Obstacle>,
}

/// What grounding on classes of constants would save. Names are stable.
#[derive(Debug, Clone, Serialize)]
pub struct Quotient {
    /// Rounds of refinement after the first colours: as far as the rules of the fragment look.
    pub rounds: usize,
    /// Seconds of refinement, on one thread.
    pub seconds: f64,
    /// Constants that rules of the fragment can meet, summed over worlds.
    pub constants: usize,
    /// Their classes after the last round.
    pub classes: Both,
    /// Ground rules on constants.
    pub ground_rules: usize,
    /// Of these, those of rules of the fragment.
    pub on_classes: usize,
    /// Ground rules on classes, and of the other rules on constants.
    pub quotient: Both,
    /// By rule, without those that have no ground rules.
    pub rules: Vec<RuleQuotient>,
}

impl Session {
    /// Counts the ground rules that a grounding on classes of constants would make, from those of the ordinary one: the
    /// tree-shaped rules' instances up to the colours of their constants. The reason to fail is that grounding was
    /// given up.
    pub fn quotient(&self) -> Result<Quotient, Diagnostic> {
        let queries = &self.database.queries;
        let roots = queries.iter().flat_map(|q| q.types.iter().map(|(_, ty)| *ty).chain([q.pred]));
        let relevant = relevant_predicates(&self.template, self.vocabulary.predicate_count(), roots);
        let fragment = Fragment::new(&self.template, &self.strata, &relevant);
        let mut refiner = Refiner::new(&fragment, &self.vocabulary);
        let rules = &self.template.rules;
        let mut counts = vec![(0usize, Both::default()); rules.len()];
        let (mut here, mut everywhere) = (HashSet::<Vec<u32>>::default(), HashSet::<Vec<u32>>::default());
        let (mut colours, mut all_colours) = (Vec::<u32>::new(), HashSet::<u32>::default());
        let (mut seconds, mut constants, mut classes) = (0.0, 0, Both::default());
        let mut key = Vec::new();
        self.each_ground(&mut |_, _, ground| {
            let start = Instant::now();
            refiner.run(ground);
            seconds += start.elapsed().as_secs_f64();
            constants += refiner.constants().len();
            all_colours.extend(refiner.last());
            colours.clear();
            colours.extend(refiner.last());
            colours.sort_unstable();
            colours.dedup();
            classes.sample += colours.len();
            here.clear();
            for (id, rule) in rules.iter_enumerated() {
                let n = ground.instances[id].len();
                let (now, quotient) = &mut counts[id.index()];
                *now += n;
                let Some(Ok(reading)) = &fragment.rules[id] else {
                    quotient.sample += n;
                    quotient.all += n;
                    continue;
                };
                for i in 0..n {
                    for (across, known, count) in
                        [(false, &mut here, &mut quotient.sample), (true, &mut everywhere, &mut quotient.all)]
                    {
                        refiner.class(ground, (id, rule, reading), i, across, &mut key);
                        if !known.contains(&key) {
                            known.insert(key.clone());
                            *count += 1;
                        }
                    }
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        classes.all = all_colours.len();
        let mut out = Quotient {
            rounds: fragment.rounds,
            seconds,
            constants,
            classes,
            ground_rules: 0,
            on_classes: 0,
            quotient: Both::default(),
            rules: Vec::new(),
        };
        for (i, (ground_rules, quotient)) in counts.into_iter().enumerate().filter(|(_, c)| c.0 > 0) {
            let id = RuleId::new(i);
            let obstacle = fragment.rules[id].as_ref().and_then(|r| r.as_ref().err().copied());
            out.ground_rules += ground_rules;
            out.on_classes += if obstacle.is_none() { ground_rules } else { 0 };
            out.quotient.sample += quotient.sample;
            out.quotient.all += quotient.all;
            out.rules.push(RuleQuotient {
                head: self.vocabulary.predicate_text(rules[id].head),
                place: self.sources.place(rules[id].span),
                ground_rules,
                quotient,
                obstacle,
            });
        }
        Ok(out)
    }
}
