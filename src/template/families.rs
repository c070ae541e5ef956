//! Families of weights: `$W[H,B]` is a weight of its own for each pair of constants that grounding meets.
//!
//! The family itself stands among the weights of the template, with the shape, the value and the hints that its members
//! have, so that checks need not know of families; it has no numbers of its own. What picks a member before a literal is a
//! literal of its own at the end of the body, with the special predicate [`Special::Member`]: its arguments are bound when
//! it is reached, so it never joins, and a ground rule records its row. Before a head it is arguments of the head. Which
//! members there are only grounding knows; they follow all other weights, sorted by their names.
//!
//! [`Special::Member`]: super::special::Special::Member

use super::{Rule, Template, Weight, WeightId};
use crate::base::hash::HashMap;
use crate::data::{ConstId, Vocabulary};

/// What a weight has to do with a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kinship {
    /// Nothing.
    #[default]
    None,
    /// It stands for its members.
    Family {
        /// The number of terms that pick a member.
        terms: usize,
    },
    /// It is a member.
    Member(WeightId),
}

/// What picks the member of a family before a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadTerm {
    /// An argument of the head.
    Argument(usize),
    /// A constant.
    Constant(ConstId),
}

/// The members of the families of a template.
#[derive(Debug, Clone, Default)]
pub struct Members {
    by_family: HashMap<WeightId, HashMap<Vec<ConstId>, WeightId>>,
}

impl Members {
    /// The member of a family that some constants pick, if grounding met it.
    pub fn get(&self, family: WeightId, terms: &[ConstId]) -> Option<WeightId> {
        self.by_family.get(&family)?.get(terms).copied()
    }
}

impl Rule {
    /// The constants that pick the member of its head's family for an atom.
    pub fn head_pick<'r>(&'r self, args: &'r [ConstId]) -> impl Iterator<Item = ConstId> + 'r {
        self.head_member.iter().map(|term| match term {
            HeadTerm::Argument(i) => args[*i],
            HeadTerm::Constant(c) => *c,
        })
    }
}

impl Template {
    /// Whether a weight is a family.
    pub fn has_families(&self) -> bool {
        self.weights.iter().any(Weight::is_family)
    }

    /// Makes the weights of the members that grounding met, those of one family side by side.
    pub fn admit_members(
        &mut self,
        vocabulary: &Vocabulary,
        found: impl IntoIterator<Item = (WeightId, Vec<ConstId>)>,
    ) {
        let mut found: Vec<(WeightId, Vec<ConstId>)> = found.into_iter().collect();
        found.sort_by(|(f, a), (g, b)| {
            let terms = a.iter().zip(b).map(|(x, y)| vocabulary.compare(*x, *y));
            let first = terms.into_iter().find(|o| o.is_ne());
            f.cmp(g).then(first.unwrap_or(std::cmp::Ordering::Equal))
        });
        for (family, terms) in found {
            let members = self.members.by_family.entry(family).or_default();
            if members.contains_key(&terms) {
                continue;
            }
            let of = &self.weights[family];
            let picked: Vec<&str> = terms.iter().map(|c| vocabulary.constant_text(*c)).collect();
            let name = format!("{}[{}]", of.name, picked.join(","));
            let member = Weight { name, kinship: Kinship::Member(family), ..of.clone() };
            members.insert(terms, self.weights.push(member));
        }
    }
}
