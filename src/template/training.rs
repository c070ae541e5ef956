//! Groups of weights, and which of them the samples of a predicate train: `$w [group=g]`, `p/1 [trains=g]`.

use super::{Template, WeightId};

crate::id! {
    /// A group of weights.
    pub struct GroupId;
}

/// The weights that the samples of a predicate train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Trains {
    /// All weights.
    #[default]
    All,
    /// `trains=g`: those of a group.
    Only(GroupId),
    /// `freezes=g`: those of no group or another one.
    AllBut(GroupId),
}

impl Trains {
    /// Whether they train the weights of a group, or (`None`) those of no group.
    pub fn includes(self, group: Option<GroupId>) -> bool {
        match self {
            Trains::All => true,
            Trains::Only(g) => group == Some(g),
            Trains::AllBut(g) => group != Some(g),
        }
    }

    /// The group that it names.
    pub fn named(self) -> Option<GroupId> {
        match self {
            Trains::All => None,
            Trains::Only(g) | Trains::AllBut(g) => Some(g),
        }
    }
}

impl Template {
    /// The group of a weight.
    pub fn group_of(&self, weight: WeightId) -> Option<GroupId> {
        self.weights[weight].group.as_ref().map(|g| g.node)
    }

    /// Which weights the samples of a predicate train.
    pub fn trains(&self, pred: crate::data::PredId) -> Trains {
        self.predicate(pred).and_then(|p| p.trains.as_ref()).map_or(Trains::All, |t| t.node)
    }
}
