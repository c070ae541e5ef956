//! Rules that stand inside of data files.

use super::Builder;
use crate::base::hash::HashMap;
use crate::base::span::{SourceId, Span};
use crate::diag::{Diagnostic, codes};
use crate::syntax::ast::{Rule, Statement};
use crate::syntax::chunk::{Chunk, ChunkKind, Chunker};
use crate::syntax::cursor::{Fault, fault};
use crate::syntax::value::Buffer;

/// Parses a rule that stands inside a data file: `text` is exactly the rule with its full stop and begins at byte
/// `offset` of the source.
pub fn parse_rule(source: SourceId, text: &str, offset: usize) -> Result<Rule, Diagnostic> {
    rule_at(source, text, offset).map_err(|fault| *fault)
}

/// Like [`parse_rule`], with the fault as it travels.
pub(in crate::syntax) fn rule_at(source: SourceId, text: &str, offset: usize) -> Result<Rule, Fault> {
    let mut chunker = Chunker::new(source, text);
    let shift = |mut fault: Fault| {
        for label in &mut fault.labels {
            label.span =
                Span::new(source, label.span.start as usize + offset, label.span.end as usize + offset);
        }
        fault
    };
    let at = |start: usize, end: usize| Span::new(source, start + offset, end + offset);
    let chunk = match chunker.next_chunk() {
        Some(Ok(chunk)) => chunk,
        Some(Err(broken)) => return Err(shift(broken.fault)),
        None => {
            return Err(fault(
                codes::UNEXPECTED,
                "expected a rule, found nothing",
                at(0, text.len()),
                "nothing here",
            ));
        }
    };
    if chunk.kind != ChunkKind::Rule {
        let span = at(chunk.start, chunk.end);
        return Err(fault(codes::UNEXPECTED, "expected a rule `head :- body.`", span, "this is no rule"));
    }
    if let Some(Ok(Chunk { start, end, .. })) = chunker.next_chunk() {
        let span = at(start, end);
        return Err(fault(
            codes::UNEXPECTED,
            "text behind the end of the rule",
            span,
            "not part of the rule",
        ));
    }
    let mut builder = Builder {
        source,
        shift: offset,
        known: HashMap::default(),
        buffer: Buffer::default(),
        unvalued: false,
    };
    let mut out = Vec::new();
    builder.chunk(&mut chunker, text, &chunk, &mut out)?;
    match out.pop() {
        Some(Statement::Rule(rule)) => Ok(rule),
        _ => Err(fault(
            codes::UNEXPECTED,
            "expected a rule `head :- body.`",
            at(chunk.start, chunk.end),
            "this is no rule",
        )),
    }
}
