//! Constants while a graph is compiled: they are found one after the other, so their offsets count from a place far above
//! all others, until the compiled program gives those that are read a place between leaves and blocks.

use super::{Compiler, ValueAt};
use crate::data::ValueId;
use crate::exec::program::{Block, Kind, Parameters, Program};
use crate::exec::run::forward_rows;
use crate::tensor::Shape;
use std::ops::Range;

/// Offsets from here on are those of constants. (The arena is shorter.)
const FIRST: u32 = 1 << 31;
const NOWHERE: u32 = u32::MAX;
/// Most numbers of all constants for which there still are more computed (128 MiB): a few facts can make a great many.
const MOST: usize = 1 << 24;

/// The number of a constant's first element, if an offset is a constant's.
pub(super) fn place(offset: u32) -> Option<usize> {
    offset.checked_sub(FIRST).map(|at| at as usize)
}

/// Adds a constant; its offset.
pub(super) fn push(program: &mut Program, elements: &[f64]) -> u32 {
    let at = program.constants.len() as u32;
    program.constants.extend_from_slice(elements);
    FIRST + at
}

/// Remembers that a constant is a value that may change.
pub(super) fn note_value(program: &mut Program, value: ValueId, offset: u32, length: usize) {
    if let (Some(recipe), Some(at)) = (&mut program.recipe, place(offset)) {
        recipe.values.push((value, at..at + length));
    }
}

/// The sources of a kind of block that reads no weight.
fn unweighted(kind: &mut Kind) -> Option<&mut Vec<u32>> {
    match kind {
        Kind::Combine { sources, .. } | Kind::Activate { sources, .. } | Kind::Reduce { sources, .. } => {
            Some(sources)
        }
        Kind::Linear { .. } | Kind::Rowwise { .. } | Kind::Columns { .. } => None,
    }
}

impl Compiler<'_> {
    /// Computes a block, if all its sources are constants; the offsets of its rows, which are constants themselves.
    ///
    /// Sums of the features of a molecule's atoms are an example: computed with every step, and given gradients that
    /// nobody asks for, they took an eighth of a step of a network of five layers. Most are columns with few elements that
    /// are not 0.
    pub(super) fn folded(&mut self, shape: Shape, rows: usize, kind: &mut Kind) -> Option<Vec<u32>> {
        let width = shape.len();
        if self.program.constants.len().saturating_add(rows.saturating_mul(width)) > MOST {
            return None;
        }
        let constant = |sources: &&mut Vec<u32>| sources.iter().all(|s| place(*s).is_some());
        unweighted(kind).filter(constant)?.iter_mut().for_each(|s| *s -= FIRST);
        let block = Block { base: 0, rows, shape, kind: kind.clone(), origin: self.origin(None) };
        let mut y = vec![0.0; rows * width];
        let values = &self.program.constants;
        forward_rows(&block, 0..rows, &Parameters::none(), values, &mut y, &mut Vec::new());
        let first = push(&mut self.program, &y);
        if let (Some(recipe), Some(at)) = (&mut self.program.recipe, place(first)) {
            let sources = unweighted(kind).expect("found above");
            if sources.iter().any(|s| recipe.changes(*s as usize)) {
                recipe.blocks.push((block, at));
            }
        }
        Some((0..rows).map(|i| first + (i * width) as u32).collect())
    }
}

/// Gives the constants that blocks, outputs and `values` read a place behind the leaves, and moves what stands behind
/// them. What is read as columns only ([`Kind::Columns`] has copies of their elements) gets none.
pub(super) fn settle(program: &mut Program, values: &mut [ValueAt]) {
    // By the number of its first element: the length of a constant, then its offset.
    let mut moved = vec![0; program.constants.len()];
    let mut read = |offset: u32, length: usize| {
        if let Some(at) = place(offset) {
            let length = length.min(moved.len() - at) as u32;
            moved[at] = length.max(moved[at]);
        }
    };
    for block in &program.blocks {
        match &block.kind {
            Kind::Columns { .. } => {}
            Kind::Linear { input, sources, .. }
            | Kind::Rowwise { input, sources, .. }
            | Kind::Activate { input, sources, .. }
            | Kind::Reduce { input, sources, .. } => sources.iter().for_each(|s| read(*s, input.len())),
            Kind::Combine { inputs, sources, .. } => {
                let shapes = inputs.iter().cycle();
                sources.iter().zip(shapes).for_each(|(s, shape)| read(*s, shape.len()));
            }
        }
    }
    program.outputs.iter().for_each(|o| read(o.offset, o.shape.len()));
    values.iter().for_each(|v| read(v.offset, v.shape.len()));
    let base = program.constants_base as u32;
    let mut kept = Vec::new();
    for (at, moved) in moved.iter_mut().enumerate() {
        let range: Range<usize> = at..at + *moved as usize;
        if let Some(recipe) = program.recipe.as_mut().filter(|_| !range.is_empty()) {
            recipe.kept.push(range.clone());
        }
        *moved = if range.is_empty() { NOWHERE } else { base + kept.len() as u32 };
        kept.extend_from_slice(&program.constants[range]);
    }
    let all = std::mem::replace(&mut program.constants, kept);
    if let Some(recipe) = &mut program.recipe {
        recipe.all = all;
    }
    program.recipe = program.recipe.take().filter(|r| r.is_dense());
    let by = program.constants.len() as u32;
    let shift = |offset: &mut u32| match place(*offset) {
        Some(at) => *offset = moved[at],
        None if *offset >= base => *offset += by,
        None => {}
    };
    for block in &mut program.blocks {
        block.base += by as usize;
        match &mut block.kind {
            Kind::Linear { sources, .. } | Kind::Rowwise { sources, .. } => {
                sources.iter_mut().for_each(shift)
            }
            kind => unweighted(kind).into_iter().flatten().for_each(shift),
        }
    }
    program.outputs.iter_mut().for_each(|o| shift(&mut o.offset));
    values.iter_mut().for_each(|v| shift(&mut v.offset));
    program.arena += by as usize;
}
