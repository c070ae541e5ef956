//! What is likely meant where a run answers little: for front ends to say.

use super::{Network, Session};
use crate::base::hash::HashSet;
use crate::data::builder::query_text;
use crate::data::{PredId, WorldId};
use crate::template::Literal;

impl Session {
    /// A line for people if open questions about the shared world have no answer while there are examples, whose facts
    /// these questions do not see.
    pub fn unanswered(&self, network: &Network) -> Option<String> {
        let examples = self.database.world_count - 1;
        let answered: HashSet<usize> = network.answers.iter().map(|a| a.query).collect();
        let mut open = self.database.queries.iter().enumerate().filter(|(q, query)| {
            query.world == WorldId::SHARED
                && query.target.is_none()
                && !query.variables.is_empty()
                && !answered.contains(q)
        });
        let (_, first) = open.next().filter(|_| examples > 0)?;
        Some(format!(
            "`?- {}.` asks about the shared world; the facts of the examples ({examples}) are not part of it. A line \
             without a label in `--queries` asks inside an example",
            query_text(&self.vocabulary, first)
        ))
    }

    /// Whether examples and queries seem to have changed places: every question in an example is about what rules only
    /// read, and every fact of the examples states what they only derive.
    pub fn looks_swapped(&self) -> bool {
        let derived: HashSet<PredId> = self.template.rules.iter().map(|r| r.head).collect();
        let body = self.template.rules.iter().flat_map(|r| &r.body);
        let read: HashSet<PredId> = body.filter_map(Literal::predicate).collect();
        let only_read = |p: &PredId| read.contains(p) && !derived.contains(p);
        let only_derived = |p: &PredId| derived.contains(p) && !read.contains(p);
        let asked = self.database.queries.iter().filter(|q| q.world != WorldId::SHARED).map(|q| q.pred);
        let asked: HashSet<PredId> = asked.collect();
        let stated: HashSet<PredId> = self.database.examples.tables().map(|(p, _)| p).collect();
        let both = !asked.is_empty() && !stated.is_empty();
        both && asked.iter().all(only_read) && stated.iter().all(only_derived)
    }
}
