//! Which rows a step computes.

use super::program::Program;
use crate::template::WeightId;
use std::collections::BinaryHeap;

/// Rows `start..end` of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// The block.
    pub block: u32,
    /// First row.
    pub start: u32,
    /// One past the last row.
    pub end: u32,
}

/// The rows, leaves and weights that some outputs depend on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Row ranges in order of computation.
    pub segments: Vec<Segment>,
    /// Leaves, as positions in the program's list.
    pub leaves: Vec<u32>,
    /// Weights that are read, in order.
    pub weights: Vec<WeightId>,
}

/// A set of arena offsets.
struct Marks {
    words: Vec<u64>,
    /// The words that are not 0: emptying must not cost more than filling did.
    used: Vec<u32>,
}

impl Marks {
    /// Whether it was not marked before.
    fn set(&mut self, offset: u32) -> bool {
        let word = &mut self.words[offset as usize / 64];
        if *word == 0 {
            self.used.push(offset / 64);
        }
        let bit = 1 << (offset % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
    fn clear(&mut self) {
        for word in self.used.drain(..) {
            self.words[word as usize] = 0;
        }
    }
}

/// Finds selections of one program, keeping its working memory.
///
/// A selection takes time by its own size, not by that of the program: there is one for each sample.
pub struct Selector<'a> {
    program: &'a Program,
    marks: Marks,
    /// Marked rows of each block.
    rows: Vec<Vec<u32>>,
    /// Blocks with marked rows.
    waiting: BinaryHeap<u32>,
    leaves: Vec<u32>,
}

impl<'a> Selector<'a> {
    /// A selector for a program.
    pub fn new(program: &'a Program) -> Self {
        Selector {
            program,
            marks: Marks { words: vec![0; program.arena / 64 + 1], used: Vec::new() },
            rows: vec![Vec::new(); program.blocks.len()],
            waiting: BinaryHeap::new(),
            leaves: Vec::new(),
        }
    }

    /// Everything that the values at `offsets` depend on.
    pub fn supporting(&mut self, offsets: impl IntoIterator<Item = u32>) -> Selection {
        let program = self.program;
        self.marks.clear();
        for offset in offsets {
            self.mark(offset);
        }
        let mut segments: Vec<Segment> = Vec::new();
        let mut weights: Vec<WeightId> = Vec::new();
        // A block reads only what stands before it: the last one is complete.
        while let Some(b) = self.waiting.pop() {
            let block = &program.blocks[b as usize];
            let mut rows = std::mem::take(&mut self.rows[b as usize]);
            rows.sort_unstable();
            rows.dedup();
            let first = segments.len();
            let each = if block.weights().len() > 1 { &rows[..] } else { &rows[..1] };
            weights.extend(each.iter().filter_map(|&row| block.weight(row as usize)));
            for row in rows.drain(..) {
                for &source in block.row_sources(row as usize) {
                    self.mark(source);
                }
                match segments[first..].last_mut() {
                    Some(s) if s.end == row => s.end += 1,
                    _ => segments.push(Segment { block: b, start: row, end: row + 1 }),
                }
            }
            segments[first..].reverse();
            self.rows[b as usize] = rows;
        }
        segments.reverse();
        let mut leaves: Vec<u32> = self.leaves.drain(..).collect();
        leaves.sort_unstable();
        leaves.dedup();
        weights.extend(leaves.iter().map(|&l| program.leaves[l as usize].weight));
        weights.sort_unstable();
        weights.dedup();
        Selection { segments, leaves, weights }
    }

    /// Notes the row or the leaf of a value.
    fn mark(&mut self, offset: u32) {
        let (program, at) = (self.program, offset as usize);
        if !self.marks.set(offset) {
            return;
        }
        if at < program.constants_base {
            self.leaves.push(program.leaves.partition_point(|l| l.offset <= at) as u32 - 1);
        } else if at >= program.inputs_end() {
            let b = program.blocks.partition_point(|b| b.base <= at) - 1;
            let rows = &mut self.rows[b];
            if rows.is_empty() {
                self.waiting.push(b as u32);
            }
            rows.push(((at - program.blocks[b].base) / program.blocks[b].shape.len()) as u32);
        }
    }
}

impl Selection {
    /// The whole program.
    pub fn all(program: &Program) -> Selection {
        let segment = |(b, block): (usize, &super::program::Block)| Segment {
            block: b as u32,
            start: 0,
            end: block.rows as u32,
        };
        let segments = program.blocks.iter().enumerate().map(segment).collect();
        let read = program.blocks.iter().flat_map(|b| b.weights().iter().copied());
        let mut weights: Vec<WeightId> = read.chain(program.leaves.iter().map(|l| l.weight)).collect();
        weights.sort_unstable();
        weights.dedup();
        Selection { segments, leaves: (0..program.leaves.len() as u32).collect(), weights }
    }

    /// The union of several selections of one program.
    pub fn union<'a>(parts: impl IntoIterator<Item = &'a Selection>) -> Selection {
        let mut out = Selection::default();
        for part in parts {
            out.segments.extend_from_slice(&part.segments);
            out.leaves.extend_from_slice(&part.leaves);
            out.weights.extend_from_slice(&part.weights);
        }
        out.leaves.sort_unstable();
        out.leaves.dedup();
        out.weights.sort_unstable();
        out.weights.dedup();
        out.segments.sort_unstable();
        let mut merged: Vec<Segment> = Vec::with_capacity(out.segments.len());
        for s in out.segments.drain(..) {
            match merged.last_mut() {
                Some(m) if m.block == s.block && s.start <= m.end => m.end = m.end.max(s.end),
                _ => merged.push(s),
            }
        }
        out.segments = merged;
        out
    }

    /// Number of rows.
    pub fn row_count(&self) -> usize {
        self.segments.iter().map(|s| (s.end - s.start) as usize).sum()
    }
}
