//! Facts that are drawn at random, `[draw=…]`: once for evaluation, and anew for every epoch.
//!
//! Each draw has a stream of its own, by the seed, the predicate, the world and the epoch, so that nothing else in a
//! program changes what is drawn. An epoch is a network of its own, built from the facts of that epoch.

use super::{Network, Session};
use crate::base::hash::HashSet;
use crate::base::index::Id;
use crate::base::rng::Stream;
use crate::base::span::Span;
use crate::data::{ConstId, FactValue, PredId, WorldId};
use crate::diag::{Diagnostic, Diagnostics, codes, has_errors};
use crate::template::draws::{Draw, DrawKind};
use crate::tensor::Shape;

/// Tries for each pair without an edge before all of them are listed instead.
const TRIES: usize = 64;

type Tuple = Vec<ConstId>;

impl Session {
    /// Whether some facts are drawn at random.
    pub fn has_draws(&self) -> bool {
        self.template.predicates.iter().any(|p| p.draw.is_some())
    }

    /// Puts the facts that are drawn into the data: those of an epoch, or (0) those of evaluation, where noise is at its
    /// mean. What was drawn before is given up.
    pub(super) fn draw(&mut self, epoch: usize) -> Diagnostics {
        let mut out = Vec::new();
        for pred in std::mem::take(&mut self.drawn) {
            self.database.shared.clear(pred);
            self.database.examples.clear(pred);
        }
        let draws: Vec<(PredId, Draw, Span)> = self
            .template
            .predicates
            .iter_enumerated()
            .filter_map(|(p, info)| info.draw.as_ref().map(|d| (p, d.node, d.span)))
            .collect();
        for (pred, draw, span) in draws {
            if let Some(d) = self.conflict(pred, draw, span) {
                out.push(d);
                continue;
            }
            self.drawn.push(pred);
            let name = self.vocabulary.predicate_text(pred);
            for world in self.worlds_of(draw.over) {
                let over = self.facts_of(draw.over, world);
                let mut stream =
                    Stream::new(self.settings.train.seed, &format!("draw {name} {} {epoch}", world.0));
                for (args, value) in drawn(draw.kind, &over, epoch == 0, &mut stream) {
                    let value = match value {
                        Some((shape, values)) => {
                            FactValue::Constant(self.database.values.intern(shape, &values))
                        }
                        None => FactValue::ONE,
                    };
                    let set = if world == WorldId::SHARED {
                        &mut self.database.shared
                    } else {
                        &mut self.database.examples
                    };
                    set.push(world, pred, args.into_iter(), value, span);
                }
            }
        }
        out
    }

    /// The network of one epoch, with the facts drawn for it.
    pub(super) fn redrawn(&self, asked: &[usize], epoch: usize) -> Result<Network, Diagnostics> {
        let mut session = self.clone();
        let mut found = session.draw(epoch);
        let weights = self.template.weights.len();
        if self.template.has_families() {
            found.extend(session.find_members());
            if session.template.weights.len() != weights {
                let title =
                    format!("the facts drawn for epoch {epoch} meet members of families that no others meet");
                let d = Diagnostic::new(codes::DRAW, title);
                found.push(d.help(
                    "let a rule over given facts, `$e[X]={8} embed(X) :- *node(X).`, meet all members",
                ));
            }
        }
        if has_errors(&found) {
            return Err(found);
        }
        let (network, found) = session.build_for(asked);
        network.ok_or(found)
    }

    /// Why a predicate cannot have drawn facts.
    fn conflict(&self, pred: PredId, draw: Draw, span: Span) -> Option<Diagnostic> {
        let name = self.vocabulary.predicate_text(pred);
        let rules = &self.template.rules;
        let fault = |title: String, label: &str, at: Span, what: &str| {
            Some(Diagnostic::new(codes::DRAW, title).label(span, label).label(at, what))
        };
        if let Some(rule) = rules.iter().find(|r| r.head == pred) {
            return fault(
                format!("the facts of `{name}` are drawn"),
                "drawn here",
                rule.head_span,
                "and derived here",
            );
        }
        if let Some(at) = self.fact_of(pred) {
            return fault(format!("the facts of `{name}` are drawn"), "drawn here", at, "and stated here");
        }
        let over = self.vocabulary.predicate_text(draw.over);
        if let Some(rule) = rules.iter().find(|r| r.head == draw.over) {
            let title = format!("facts can be drawn over given facts only, not over `{over}`");
            return fault(title, "drawn over them", rule.head_span, "derived here");
        }
        let is_drawn = self.template.predicates.get(draw.over).is_some_and(|p| p.draw.is_some());
        if is_drawn || (self.fact_of(draw.over).is_none() && self.database.fact_count() > 0) {
            let what = if is_drawn { "whose facts are drawn, too" } else { "which has no facts" };
            let d = Diagnostic::new(codes::DRAW, format!("nothing can be drawn over `{over}`, {what}"));
            return Some(d.label(span, "drawn here"));
        }
        None
    }

    /// Where a fact of a predicate is stated, if one is.
    fn fact_of(&self, pred: PredId) -> Option<Span> {
        let sets = [&self.database.shared, &self.database.examples];
        let data = sets.into_iter().find_map(|s| s.table(pred)).map(|t| t.spans[0]);
        data.or_else(|| self.template.facts.iter().find(|f| f.pred == pred).map(|f| f.span))
    }

    /// The worlds that draw for themselves: the examples if they state facts of the predicate, else the shared one.
    fn worlds_of(&self, pred: PredId) -> Vec<WorldId> {
        match self.database.examples.table(pred) {
            Some(_) => (1..self.database.world_count).map(WorldId::new).collect(),
            None => vec![WorldId::SHARED],
        }
    }

    /// The facts of a predicate that hold in a world, each once: shared ones, then those of the template and its own.
    fn facts_of(&self, pred: PredId, world: WorldId) -> Vec<Tuple> {
        let mut out: Vec<Tuple> = Vec::new();
        if let Some(table) = self.database.shared.table(pred) {
            out.extend((0..table.len()).map(|i| table.row(i).collect()));
        }
        out.extend(self.template.facts.iter().filter(|f| f.pred == pred).map(|f| f.args.clone()));
        if let Some(table) = self.database.examples.table(pred).filter(|_| world != WorldId::SHARED) {
            out.extend(table.world_rows(world).map(|i| table.row(i).collect()));
        }
        let mut seen: HashSet<Tuple> = HashSet::default();
        out.retain(|t| seen.insert(t.clone()));
        out
    }
}

/// The facts drawn over others, with their values where these are not 1.
fn drawn(
    kind: DrawKind,
    over: &[Tuple],
    evaluates: bool,
    stream: &mut Stream,
) -> Vec<(Tuple, Option<(Shape, Vec<f64>)>)> {
    match kind {
        DrawKind::Normal { shape } => {
            let mut number = || if evaluates { 0.0 } else { stream.normal() };
            over.iter()
                .map(|t| (t.clone(), Some((shape, (0..shape.len()).map(|_| number()).collect()))))
                .collect()
        }
        DrawKind::Dropout { rate, shape } => {
            let mut number = || match evaluates {
                true => 1.0,
                false if stream.uniform() < rate => 0.0,
                false => 1.0 / (1.0 - rate),
            };
            over.iter()
                .map(|t| (t.clone(), Some((shape, (0..shape.len()).map(|_| number()).collect()))))
                .collect()
        }
        DrawKind::Permutation => {
            let mut images: Vec<ConstId> = over.iter().map(|t| t[0]).collect();
            stream.shuffle(&mut images);
            over.iter().zip(images).map(|(t, y)| (vec![t[0], y], None)).collect()
        }
        DrawKind::Negatives { ratio } => {
            negatives(over, ratio, stream).into_iter().map(|pair| (pair.to_vec(), None)).collect()
        }
    }
}

/// Pairs of a source and another target without an edge.
fn negatives(edges: &[Tuple], ratio: f64, stream: &mut Stream) -> Vec<[ConstId; 2]> {
    let column = |i: usize| {
        let mut seen = HashSet::default();
        let mut out: Vec<ConstId> = edges.iter().map(|e| e[i]).collect();
        out.retain(|c| seen.insert(*c));
        out
    };
    let (sources, targets) = (column(0), column(1));
    let mut taken: HashSet<[ConstId; 2]> = edges.iter().map(|e| [e[0], e[1]]).collect();
    let wanted = (edges.len() as f64 * ratio).round() as usize;
    let mut out = Vec::with_capacity(wanted);
    let mut tries = wanted.saturating_mul(TRIES);
    while out.len() < wanted && tries > 0 {
        tries -= 1;
        let a = sources[stream.below(sources.len() as u64) as usize];
        let pair = [a, targets[stream.below(targets.len() as u64) as usize]];
        if pair[0] != pair[1] && taken.insert(pair) {
            out.push(pair);
        }
    }
    if out.len() < wanted {
        // Nearly all pairs have edges: the others are few, relatively.
        let all = sources.iter().flat_map(|&a| targets.iter().map(move |&b| [a, b]));
        let mut rest: Vec<[ConstId; 2]> = all.filter(|p| p[0] != p[1] && !taken.contains(p)).collect();
        stream.shuffle(&mut rest);
        out.extend(rest.into_iter().take(wanted - out.len()));
    }
    out
}
