//! A part of a program as a program of its own.
//!
//! The rows that one sample needs lie scattered over the arena of a program for thousands of samples, and a step on
//! that sample would fetch each of them from main memory. In an arena of its own they stay in the cache.

use super::program::{Block, Kind, Leaf, OutputSlot, Program};
use super::selection::{Segment, Selection};
use std::ops::Range;

const NOWHERE: u32 = u32::MAX;

/// Extracts parts of one program, keeping its working memory.
pub struct Extractor<'a> {
    program: &'a Program,
    /// Where the value at each arena offset stands in the part.
    moved: Vec<u32>,
    /// The offsets that have a place there.
    touched: Vec<u32>,
    /// Where the constants of the last part stand among those of the program, in order.
    pub taken: Vec<Range<usize>>,
}

impl<'a> Extractor<'a> {
    /// An extractor for a program.
    pub fn new(program: &'a Program) -> Self {
        Extractor { program, moved: vec![NOWHERE; program.arena], touched: Vec::new(), taken: Vec::new() }
    }

    /// The part that computes some outputs (positions in the program's list, all with the rows of `selection`). Its
    /// outputs are these, in this order; inputs keep their order, so it computes the same values to the bit.
    pub fn extract(&mut self, selection: &Selection, outputs: &[usize]) -> Program {
        let mut part = Program::default();
        self.taken.clear();
        for &l in &selection.leaves {
            let leaf = self.program.leaves[l as usize];
            self.set(leaf.offset as u32, part.arena as u32);
            part.leaves.push(Leaf { offset: part.arena, ..leaf });
            part.arena += leaf.length;
        }
        part.constants_base = part.arena;
        for segment in &selection.segments {
            let block = &self.program.blocks[segment.block as usize];
            for row in segment.start as usize..segment.end as usize {
                for (k, &source) in block.row_sources(row).iter().enumerate() {
                    self.constant(source, block.source_length(k), &mut part);
                }
            }
        }
        for &o in outputs {
            let slot = self.program.outputs[o];
            self.constant(slot.offset, slot.shape.len(), &mut part);
        }
        part.arena += part.constants.len();
        for segments in selection.segments.chunk_by(|a, b| a.block == b.block) {
            let block = self.block(segments, part.arena);
            part.arena += block.rows * block.shape.len();
            part.blocks.push(block);
        }
        part.outputs = outputs.iter().map(|&o| self.output(self.program.outputs[o])).collect();
        for offset in self.touched.drain(..) {
            self.moved[offset as usize] = NOWHERE;
        }
        part
    }

    fn set(&mut self, from: u32, to: u32) {
        self.moved[from as usize] = to;
        self.touched.push(from);
    }

    fn output(&self, slot: OutputSlot) -> OutputSlot {
        OutputSlot { offset: self.moved[slot.offset as usize], ..slot }
    }

    /// Takes over a value, if it is a constant.
    fn constant(&mut self, offset: u32, length: usize, part: &mut Program) {
        let program = self.program;
        let is_constant = (program.constants_base..program.inputs_end()).contains(&(offset as usize));
        if is_constant && length > 0 && self.moved[offset as usize] == NOWHERE {
            self.set(offset, (part.constants_base + part.constants.len()) as u32);
            let at = offset as usize - program.constants_base;
            part.constants.extend_from_slice(&program.constants[at..at + length]);
            self.taken.push(at..at + length);
        }
    }

    /// The selected rows of one block, from `base` on.
    fn block(&mut self, segments: &[Segment], base: usize) -> Block {
        let block = &self.program.blocks[segments[0].block as usize];
        let width = block.shape.len();
        let mut rows: Vec<usize> = segments.iter().flat_map(|s| s.start as usize..s.end as usize).collect();
        // A processor foresees how often a loop turns if it turned as often before: steps on single molecules take 6 %
        // less time.
        if let Kind::Reduce { starts, .. } = &block.kind {
            rows.sort_by_key(|&row| starts[row + 1] - starts[row]);
        }
        for (at, row) in rows.iter().enumerate() {
            self.set((block.base + row * width) as u32, (base + at * width) as u32);
        }
        let selected = || rows.iter().copied();
        let sources = || {
            let all = selected().flat_map(|row| block.row_sources(row));
            // What only a count reads may have no place, and it does not matter which it is said to have.
            let place = |at: u32| if at == NOWHERE { 0 } else { at };
            all.map(|s| place(self.moved[*s as usize])).collect::<Vec<u32>>()
        };
        // Where each row begins in a list of which only the selected rows are kept.
        let starts = |of: &[u32]| {
            let mut starts = vec![0];
            let mut end = 0;
            for row in selected() {
                end += of[row + 1] - of[row];
                starts.push(end);
            }
            starts
        };
        let range = |of: &[u32], row: usize| of[row] as usize..of[row + 1] as usize;
        let kind = match &block.kind {
            Kind::Linear { weight, activation, input, source_gradient, .. } => Kind::Linear {
                weight: *weight,
                activation: *activation,
                input: *input,
                sources: sources(),
                source_gradient: *source_gradient,
            },
            Kind::Rowwise { weights, weight_shape, activation, input, source_gradient, .. } => {
                Kind::Rowwise {
                    weights: selected().map(|row| weights[row]).collect(),
                    weight_shape: *weight_shape,
                    activation: *activation,
                    input: *input,
                    sources: sources(),
                    source_gradient: *source_gradient,
                }
            }
            Kind::Columns { weight, activation, starts: of, columns, factors } => Kind::Columns {
                weight: *weight,
                activation: *activation,
                starts: starts(of),
                columns: selected().flat_map(|row| &columns[range(of, row)]).copied().collect(),
                factors: selected().flat_map(|row| &factors[range(of, row)]).copied().collect(),
            },
            Kind::Combine { combination, activation, inputs, .. } => Kind::Combine {
                combination: *combination,
                activation: *activation,
                inputs: inputs.clone(),
                sources: sources(),
            },
            Kind::Activate { activation, input, .. } => {
                Kind::Activate { activation: *activation, input: *input, sources: sources() }
            }
            Kind::Reduce { aggregation, activation, input, starts: of, times, .. } => Kind::Reduce {
                aggregation: aggregation.clone(),
                activation: *activation,
                input: *input,
                starts: starts(of),
                sources: sources(),
                times: match times.is_empty() {
                    true => Vec::new(),
                    false => selected().flat_map(|row| &times[range(of, row)]).copied().collect(),
                },
            },
        };
        Block { base, rows: rows.len(), shape: block.shape, kind, origin: block.origin }
    }
}
