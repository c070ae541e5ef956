//! Worlds one by one, as they are grounded and built, for people to look at.

use super::Session;
use crate::answer::matching_rows;
use crate::data::{ConstId, WorldId};
use crate::diag::Diagnostic;
use crate::graph::Graph;
use crate::graph::build::{Builder, Root};
use crate::ground::evaluate::relevant_predicates;
use crate::ground::{GroundProgram, Grounder};
use std::ops::ControlFlow;
use std::sync::atomic::AtomicUsize;

/// A world with what supports the queries about it.
pub struct WorldView<'a> {
    /// The world.
    pub world: WorldId,
    /// What holds, and by which ground rules.
    pub ground: &'a GroundProgram,
    /// The neurons of this world alone (a run builds those of several worlds together).
    pub graph: &'a Graph,
    /// Position of the query and arguments of each answer, as numbered in the outputs of the graph; also of atoms that
    /// stand in a group with what the query asks for.
    pub answers: &'a [(usize, Vec<ConstId>)],
}

impl Session {
    /// Grounds the worlds that are asked about, in order, and shows each with the positions of the queries about it,
    /// until `look` breaks off or fails. The other reason to fail is that grounding was given up.
    pub(super) fn each_ground(
        &self,
        look: &mut dyn FnMut(WorldId, &[usize], &GroundProgram) -> Result<ControlFlow<()>, Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let queries = &self.database.queries;
        let roots = queries.iter().flat_map(|q| q.types.iter().map(|(_, ty)| *ty).chain([q.pred]));
        let relevant = relevant_predicates(&self.template, self.vocabulary.predicate_count(), roots);
        let mut grounder =
            Grounder::new(&self.vocabulary, &self.template, &self.database, &self.strata, &relevant);
        let mut asked: Vec<usize> = (0..queries.len()).collect();
        asked.sort_by_key(|&q| queries[q].world);
        let used = AtomicUsize::new(0);
        for about in asked.chunk_by(|&a, &b| queries[a].world == queries[b].world) {
            let world = queries[about[0]].world;
            let budget = self.settings.max_ground;
            grounder.run(world, budget, &used).map_err(|overflow| self.overflow(&overflow))?;
            if look(world, about, &grounder.ground)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Grounds and builds the worlds that are asked about, in order, and shows each, until `look` breaks off. What it
    /// returns is the reason for which grounding was given up.
    pub fn each_world(
        &self,
        look: &mut dyn FnMut(&WorldView<'_>) -> ControlFlow<()>,
    ) -> Result<(), Diagnostic> {
        self.each_ground(&mut |world, about, ground| {
            let queries = &self.database.queries;
            let of = |&q: &usize| matching_rows(&queries[q], ground).into_iter().map(move |row| (q, row));
            let mut asked: Vec<(usize, u32)> = about.iter().flat_map(of).collect();
            asked.extend(self.companions(&asked, ground));
            let (mut answers, mut roots) = (Vec::new(), Vec::new());
            for (q, row) in asked {
                let pred = queries[q].pred;
                let answer = u32::try_from(answers.len()).expect("fewer than 2^32 answers about a world");
                answers.push((q, ground.relations[pred].row(row).to_vec()));
                roots.push(Root { pred, row, answer });
            }
            let mut graph = Graph::new();
            let scope = self.settings.lift;
            let mut builder = Builder::new(&self.template, &self.vocabulary, &self.database, scope);
            builder.add_world(ground, &roots, &mut graph);
            builder.finish(&mut graph);
            Ok(look(&WorldView { world, ground, graph: &graph, answers: &answers }))
        })
    }
}
