//! Which rows a step computes.

use super::program::Program;
use crate::template::WeightId;

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
    fn set(&mut self, offset: u32) {
        let word = &mut self.words[offset as usize / 64];
        if *word == 0 {
            self.used.push(offset / 64);
        }
        *word |= 1 << (offset % 64);
    }
    fn get(&self, offset: usize) -> bool {
        self.words[offset / 64] & (1 << (offset % 64)) != 0
    }
    fn clear(&mut self) {
        for word in self.used.drain(..) {
            self.words[word as usize] = 0;
        }
    }
    /// Marked offsets in `range`, ascending; empty stretches are skipped 64 at a time.
    fn within(&self, range: std::ops::Range<usize>, out: &mut Vec<usize>) {
        out.clear();
        let mut at = range.start;
        while at < range.end {
            let word = self.words[at / 64] >> (at % 64);
            if word == 0 {
                at = (at / 64 + 1) * 64;
                continue;
            }
            at += word.trailing_zeros() as usize;
            if at < range.end {
                out.push(at);
                at += 1;
            }
        }
    }
}

/// Finds selections of one program, keeping its working memory.
pub struct Selector<'a> {
    program: &'a Program,
    marks: Marks,
    found: Vec<usize>,
}

impl<'a> Selector<'a> {
    /// A selector for a program.
    pub fn new(program: &'a Program) -> Self {
        Selector {
            program,
            marks: Marks { words: vec![0; program.arena / 64 + 1], used: Vec::new() },
            found: Vec::new(),
        }
    }

    /// Everything that the values at `offsets` depend on.
    pub fn supporting(&mut self, offsets: impl IntoIterator<Item = u32>) -> Selection {
        let program = self.program;
        self.marks.clear();
        for offset in offsets {
            self.marks.set(offset);
        }
        let mut segments: Vec<Segment> = Vec::new();
        let mut weights: Vec<WeightId> = Vec::new();
        for (b, block) in program.blocks.iter().enumerate().rev() {
            self.marks.within(block.range(0..block.rows), &mut self.found);
            if self.found.is_empty() {
                continue;
            }
            weights.extend(block.weight());
            let width = block.shape.len();
            let first = segments.len();
            for &offset in &self.found {
                let row = (offset - block.base) / width;
                for &source in block.row_sources(row) {
                    self.marks.set(source);
                }
                let row = row as u32;
                match segments[first..].last_mut() {
                    Some(s) if s.end == row => s.end += 1,
                    _ => segments.push(Segment { block: b as u32, start: row, end: row + 1 }),
                }
            }
            segments[first..].reverse();
        }
        segments.reverse();
        let used = |(_, l): &(usize, &super::program::Leaf)| self.marks.get(l.offset);
        let leaves: Vec<u32> =
            program.leaves.iter().enumerate().filter(used).map(|(i, _)| i as u32).collect();
        weights.extend(leaves.iter().map(|&l| program.leaves[l as usize].weight));
        weights.sort_unstable();
        weights.dedup();
        Selection { segments, leaves, weights }
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
        let read = program.blocks.iter().filter_map(|b| b.weight());
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
