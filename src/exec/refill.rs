//! Programs whose constants get other values: facts that are drawn anew, while the network stays the same.

use super::program::{Block, Parameters, Program};
use super::run::forward_rows;
use crate::data::ValueId;
use std::ops::Range;

/// Shorter values that change are read whole.
const WIDE: usize = 64;

/// How the constants of a program follow from values of facts that may change.
#[derive(Debug, Clone, Default)]
pub struct Recipe {
    /// All constants that compiling met, also those that only others follow from.
    pub(super) all: Vec<f64>,
    /// Values that may change, and where they stand among these.
    pub(super) values: Vec<(ValueId, Range<usize>)>,
    /// What was computed from them when the program was made, and where its rows stand. Sources are places, too.
    pub(super) blocks: Vec<(Block, usize)>,
    /// Constants of the program, in order.
    pub(super) kept: Vec<Range<usize>>,
}

impl Recipe {
    /// Whether a constant may change.
    pub(super) fn changes(&self, place: usize) -> bool {
        let within = |range: Range<usize>| range.contains(&place);
        // Both lists are in the order of their places.
        let value = self.values.partition_point(|(_, range)| range.start <= place).checked_sub(1);
        let block = self.blocks.partition_point(|(_, first)| *first <= place).checked_sub(1);
        value.is_some_and(|i| within(self.values[i].1.clone())) || block.is_some_and(|i| within(self.rows(i)))
    }

    fn rows(&self, block: usize) -> Range<usize> {
        let (block, first) = &self.blocks[block];
        *first..first + block.rows * block.shape.len()
    }

    /// Whether no constant that may change is so sparse that only its other elements would be kept.
    pub(super) fn is_dense(&self) -> bool {
        let dense = |row: &[f64]| row.len() == 1 || !is_sparse(row, true);
        let computed = |i: usize| self.all[self.rows(i)].chunks(self.blocks[i].0.shape.len()).all(dense);
        self.values.iter().all(|(_, range)| dense(&self.all[range.clone()]))
            && (0..self.blocks.len()).all(computed)
    }
}

/// Whether so many elements are 0 that a product reads the others alone.
///
/// Of values that `change` other elements are 0 in the next epoch, and a program that reads some alone cannot be kept: it
/// has to save more. Half of a mask is no reason, nor is what relu leaves of noise; a bag of words behind a mask is.
pub(super) fn is_sparse(elements: &[f64], change: bool) -> bool {
    let kept = elements.iter().filter(|x| **x != 0.0).count();
    match change {
        true => elements.len() >= WIDE && kept * 16 <= elements.len(),
        false => kept * 3 <= elements.len(),
    }
}

impl Program {
    /// Puts other values in place of those that the program was made for as values that may change. False, and nothing
    /// is certain about the constants, if another program would be made for them.
    pub fn refill<'v>(&mut self, value: &dyn Fn(ValueId) -> &'v [f64]) -> bool {
        let Some(recipe) = &mut self.recipe else { return false };
        for (id, range) in &recipe.values {
            recipe.all[range.clone()].copy_from_slice(value(*id));
        }
        for i in 0..recipe.blocks.len() {
            let (rows, (block, first)) = (recipe.rows(i), &recipe.blocks[i]);
            let (before, y) = recipe.all.split_at_mut(*first);
            forward_rows(
                block,
                0..block.rows,
                &Parameters::none(),
                before,
                &mut y[..rows.len()],
                &mut Vec::new(),
            );
        }
        self.constants.clear();
        recipe.kept.iter().for_each(|range| self.constants.extend_from_slice(&recipe.all[range.clone()]));
        recipe.is_dense()
    }
}
