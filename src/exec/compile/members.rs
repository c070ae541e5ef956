//! Values multiplied by members of families of weights.

use super::{Compiler, Place};
use crate::base::hash::HashSet;
use crate::diag::Diagnostic;
use crate::graph::Op;
use crate::graph::function::Map;
use crate::template::WeightId;

/// Most members that get linear blocks of their own, and the fewest values for each: what a block costs must be small
/// beside its rows. Below, one block multiplies gathered members and values row by row, which takes twice as long (an
/// epoch of two layers over 40 000 edges, 5 members of shape {16,16}: 35 and 18 ms). Columns times scalars always do.
const MOST_MEMBERS: usize = 1024;
const FEWEST_ROWS: usize = 16;

impl<'a> Compiler<'a> {
    /// Whether some neurons of one operation are values multiplied by members.
    pub(super) fn weighs(&self, group: &[u32]) -> bool {
        matches!(self.graph.operation(group[0] as usize), Op::Weighing { .. })
    }

    /// Whether so few members multiply the values of some neurons that each is worth a linear block.
    pub(super) fn has_few_members(&self, group: &[u32]) -> bool {
        if !self.weighs(group) || group.len() < FEWEST_ROWS {
            return false;
        }
        let mut members: HashSet<WeightId> = HashSet::default();
        for &n in group {
            match self.member(n) {
                Some(w) if self.context.template.weights[w].shape.cols > 1 => members.insert(w),
                _ => return false,
            };
            if members.len() > MOST_MEMBERS {
                return false;
            }
        }
        group.len() >= FEWEST_ROWS * members.len()
    }

    /// The member that multiplies a neuron's value. (Lifting by values may have put an equal constant in its place.)
    fn member(&self, neuron: u32) -> Option<WeightId> {
        match self.graph.operation(self.graph.inputs(neuron as usize)[0].0 as usize) {
            Op::Weight(w) => Some(*w),
            _ => None,
        }
    }

    /// Asks for the products of members and values, or for both, if a block is to multiply them.
    pub(super) fn request_weighed(
        &mut self,
        group: &[u32],
        op: &Map<'_>,
        few: bool,
    ) -> Result<(), Diagnostic> {
        for &n in group {
            let inputs = self.graph.inputs(n as usize);
            let (source, shape) = self.slot_value(&op.slots[1], inputs[1]);
            if let Some(w) = self.member(n) {
                if few {
                    let place = self.product(w, source, shape, &op.slots[1], None)?;
                    self.places.push(place);
                    continue;
                }
                self.product_shape(w, shape, &op.slots[1])?;
            }
            self.places.push(Place::Known(self.offset[inputs[0].0 as usize]));
            self.places.push(Place::Known(source));
        }
        Ok(())
    }

    /// The neurons whose values are rows of linear blocks.
    pub(super) fn place_weighed(&mut self, group: &[u32], op: &Map<'_>, places: &[Place], at: &mut usize) {
        for &n in group {
            let w = self.member(n).expect("only members have linear blocks");
            let (_, shape) = self.slot_value(&op.slots[1], self.graph.inputs(n as usize)[1]);
            let weight = self.context.template.weights[w].shape;
            self.offset[n as usize] = places[*at].known();
            self.shape[n as usize] = weight.times(shape).expect("checked when requested");
            *at += 1;
        }
    }
}
