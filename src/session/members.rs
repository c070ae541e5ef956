//! Which members the families of a program have: a pass of grounding before everything else.

use super::Session;
use crate::base::hash::HashSet;
use crate::data::{ConstId, Split, WorldId};
use crate::diag::{Diagnostic, Diagnostics, codes, counted};
use crate::ground::evaluate::relevant_predicates;
use crate::ground::{GroundProgram, Grounder, Overflow};
use crate::template::{Relation, Template, WeightId};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;

/// Members by their family and the constants that pick them.
type Found = HashSet<(WeightId, Vec<ConstId>)>;

impl Session {
    /// Grounds the rules with families in the shared world and in every example that is asked about, and makes a weight
    /// for each member met; an error if that exceeds the budget, a warning if some are met only where nothing is learned.
    ///
    /// The weights of a model must be known before anything is built, and be the same for any number of threads and any
    /// choice of queries; so grounding is done twice, of what these rules depend on.
    pub(super) fn find_members(&mut self) -> Diagnostics {
        if !self.template.has_families() {
            return Vec::new();
        }
        let start = std::time::Instant::now();
        let queries = &self.database.queries;
        let mut worlds: Vec<WorldId> = queries.iter().map(|q| q.world).collect();
        worlds.push(WorldId::SHARED);
        worlds.sort_unstable();
        worlds.dedup();
        // What the shared world has is part of every program.
        let learned =
            queries.iter().filter(|q| q.split == Split::Train && q.target.is_some()).map(|q| q.world);
        let mut learned: HashSet<WorldId> = learned.collect();
        let learns = !learned.is_empty();
        learned.insert(WorldId::SHARED);
        let heads = self.template.rules.iter().filter(|r| has_families(&self.template, r)).map(|r| r.head);
        let relevant = relevant_predicates(&self.template, self.vocabulary.predicate_count(), heads);
        let used = AtomicUsize::new(0);
        let size = worlds.len().div_ceil(super::build::MAX_SHARDS);
        let parts: Vec<Result<[Found; 2], Overflow>> = worlds
            .par_chunks(size)
            .map(|worlds| {
                let mut found = [Found::default(), Found::default()];
                let mut grounder =
                    Grounder::new(&self.vocabulary, &self.template, &self.database, &self.strata, &relevant);
                for &world in worlds {
                    grounder.run(world, self.settings.max_ground, &used)?;
                    let held_out = usize::from(!learned.contains(&world));
                    members(&self.template, &grounder.ground, &mut found[held_out]);
                }
                Ok(found)
            })
            .collect();
        let (mut all, mut held_out) = (Found::default(), Found::default());
        for part in parts {
            match part {
                Ok([found, others]) => {
                    all.extend(found);
                    held_out.extend(others);
                }
                Err(overflow) => return vec![self.overflow(&overflow)],
            }
        }
        let unlearned: Vec<_> = held_out.difference(&all).cloned().collect();
        let out = if learns { self.unlearned(unlearned) } else { Vec::new() };
        all.extend(held_out);
        self.template.admit_members(&self.vocabulary, all);
        self.member_seconds = start.elapsed().as_secs_f64();
        out
    }

    /// That members of families are read only where nothing is learned.
    fn unlearned(&self, found: Vec<(WeightId, Vec<ConstId>)>) -> Diagnostics {
        const SHOWN: usize = 3;
        let mut of: BTreeMap<WeightId, Vec<String>> = BTreeMap::new();
        for (family, terms) in found {
            let weight = &self.template.weights[family];
            if weight.learnable {
                let picked: Vec<&str> = terms.iter().map(|c| self.vocabulary.constant_text(*c)).collect();
                of.entry(family).or_default().push(format!("`${}[{}]`", weight.name, picked.join(",")));
            }
        }
        let told = of.into_iter().map(|(family, mut members)| {
            members.sort_unstable();
            let n = members.len();
            members.truncate(SHOWN);
            let more = if n > SHOWN { format!(" and {} more", n - SHOWN) } else { String::new() };
            let names = members.join(", ") + &more;
            let weight = &self.template.weights[family];
            let title = format!("no training example reads {names}");
            let start = if weight.initial.is_some() { "their start value" } else { "values drawn at random" };
            Diagnostic::new(codes::UNLEARNED_MEMBERS, title)
                .label(
                    weight.span,
                    format!("{}: validation or test examples do, with {start}", counted(n, "member")),
                )
                .help("choose training data that has them, or read these examples' errors with that in mind")
        });
        told.collect()
    }
}

fn has_families(template: &Template, rule: &crate::template::Rule) -> bool {
    let of = |w: WeightId| template.weights[w].is_family();
    rule.head_weight.is_some_and(of) || rule.body.iter().any(|l| l.weight.is_some_and(of))
}

/// Adds the members that the ground rules of a world have.
fn members(template: &Template, ground: &GroundProgram, found: &mut Found) {
    for (id, rule) in template.rules.iter_enumerated().filter(|(_, r)| has_families(template, r)) {
        let instances = &ground.instances[id];
        // Few rows are new: most instances of a rule pick what another one has picked.
        let mut seen: HashSet<(WeightId, u32)> = HashSet::default();
        let mut heads: HashSet<u32> = HashSet::default();
        let recorded: Vec<usize> = rule.recorded().map(|(at, _)| at).collect();
        let weighed = rule.visible().filter_map(|(_, l)| Some((l.weight?, l.member?)));
        let picks: Vec<_> = weighed
            .filter_map(|(family, at)| match rule.body[at].relation {
                Relation::Special(_, pred) => Some((family, recorded.iter().position(|r| *r == at)?, pred)),
                _ => None,
            })
            .collect();
        let headed = rule.head_weight.filter(|_| !rule.head_member.is_empty());
        for i in 0..instances.len() {
            for &(family, place, pred) in &picks {
                let row = instances.body(i)[place];
                if seen.insert((family, row)) {
                    found.insert((family, ground.relations[pred].row(row).to_vec()));
                }
            }
            if let Some(family) = headed {
                let row = instances.head(i);
                if heads.insert(row) {
                    let args = ground.relations[rule.head].row(row);
                    found.insert((family, rule.head_pick(args).collect()));
                }
            }
        }
    }
}
