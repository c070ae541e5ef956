//! Layer 9: queries and their answers.

pub mod explain;

use crate::data::{ConstId, PredId, Query, QueryTerm, Vocabulary};
use crate::ground::GroundProgram;

/// One answer to a query: a ground atom, and where its value is computed.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Position of the query in the database.
    pub query: usize,
    /// The arguments of the atom.
    pub args: Vec<ConstId>,
    /// The program and the position among its outputs; `None` if the atom does not hold and has a stated value.
    pub place: Option<(usize, usize)>,
}

/// Rows of the query's relation that match it, in order of derivation.
pub fn matching_rows(query: &Query, ground: &GroundProgram) -> Vec<u32> {
    let relation = &ground.relations[query.pred];
    if query.variables.is_empty() {
        let tuple: Vec<ConstId> = query
            .args
            .iter()
            .map(|a| match a {
                QueryTerm::Constant(c) => *c,
                QueryTerm::Variable(_) => unreachable!("no variables"),
            })
            .collect();
        return relation.find(&tuple).into_iter().collect();
    }
    let mut bound: Vec<Option<ConstId>> = vec![None; query.variables.len()];
    let mut fits = |row: &u32| {
        bound.fill(None);
        let agrees = query.args.iter().zip(relation.row(*row)).all(|(a, c)| match a {
            QueryTerm::Constant(k) => k == c,
            QueryTerm::Variable(v) => *bound[*v as usize].get_or_insert(*c) == *c,
        });
        let typed = |(v, ty): &(u32, PredId)| {
            bound[*v as usize].is_some_and(|c| ground.relations[*ty].find(&[c]).is_some())
        };
        agrees && query.types.iter().all(typed)
    };
    (0..relation.len()).filter(|r| fits(r)).collect()
}

/// The variables of a query with what an answer binds them to: `X = a, Y = b`; empty for a query without variables.
pub fn substitution(vocabulary: &Vocabulary, query: &Query, args: &[ConstId]) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for (term, c) in query.args.iter().zip(args) {
        if let QueryTerm::Variable(v) = term {
            let name = &query.variables[*v as usize];
            if name != "_" && !out.iter().any(|(n, _)| n == name) {
                out.push((name.clone(), vocabulary.constant_text(*c).to_string()));
            }
        }
    }
    out
}
