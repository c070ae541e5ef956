//! Facts that are drawn at random, `[draw=…]`: once for evaluation, and anew for every epoch.
//!
//! Each draw has a stream of its own, by the seed, the predicate, the world and the epoch, so that nothing else in a
//! program changes what is drawn. An epoch is a network of its own, built from the facts of that epoch. Where all draws are
//! normal or dropout, epochs differ in values only: the network of the first is built without a look at them, is kept, and
//! gets the values of the others.

use super::{LiftMode, Network, Session};
use crate::base::hash::{HashMap, HashSet};
use crate::base::index::Id;
use crate::base::rng::Stream;
use crate::base::span::Span;
use crate::data::{ConstId, FactValue, PredId, ValueId, WorldId};
use crate::diag::{Diagnostic, Diagnostics, codes, has_errors};
use crate::learn::trainer;
use crate::template::PredicateInfo;
use crate::template::draws::{Draw, DrawKind};
use crate::tensor::Shape;

/// Tries for each pair without an edge before all of them are listed instead.
const TRIES: usize = 64;

type Tuple = Vec<ConstId>;

/// A fact that is drawn, with its value where this is not 1.
type Drawn = (Tuple, Option<(Shape, Vec<f64>)>);

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
        let keeps = self.keeps_network();
        // Where networks are made anew, equal values of one epoch are one. None is one of those before, of which the
        // program could not tell that it was drawn.
        let mut known: HashMap<(Shape, Vec<u64>), ValueId> = HashMap::default();
        for (pred, draw, span) in self.draws() {
            if let Some(d) = self.conflict(pred, draw, span) {
                out.push(d);
                continue;
            }
            self.drawn.push(pred);
            for world in self.worlds_of(draw.over) {
                for (args, value) in self.drawn_in(world, pred, draw, epoch) {
                    let pool = &mut self.database.values;
                    let value = match value {
                        None => FactValue::ONE,
                        Some((shape, values)) if self.first_drawn.is_none() => {
                            FactValue::Constant(pool.intern(shape, &values))
                        }
                        Some((shape, values)) if keeps => {
                            FactValue::Constant(pool.push_opaque(shape, &values))
                        }
                        Some((shape, values)) => {
                            let bits = values.iter().map(|x| x.to_bits()).collect();
                            let id = known.entry((shape, bits)).or_insert_with(|| pool.push(shape, &values));
                            FactValue::Constant(*id)
                        }
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

    fn draws(&self) -> Vec<(PredId, Draw, Span)> {
        let draw = |(p, info): (PredId, &PredicateInfo)| info.draw.as_ref().map(|d| (p, d.node, d.span));
        self.template.predicates.iter_enumerated().filter_map(draw).collect()
    }

    /// The facts of a predicate that an epoch draws in a world.
    fn drawn_in(&self, world: WorldId, pred: PredId, draw: Draw, epoch: usize) -> Vec<Drawn> {
        let name = self.vocabulary.predicate_text(pred);
        let over = self.facts_of(draw.over, world);
        let mut stream = Stream::new(self.settings.train.seed, &format!("draw {name} {} {epoch}", world.0));
        drawn(draw.kind, &over, epoch == 0, &mut stream)
    }

    /// Whether one network does for all epochs: their facts are about the same constants, and differ in values only.
    fn keeps_network(&self) -> bool {
        let of_values = |kind| matches!(kind, DrawKind::Normal { .. } | DrawKind::Dropout { .. });
        // Other modes of lifting look at the values.
        self.settings.lift_mode == LiftMode::Exact && self.draws().iter().all(|(_, d, _)| of_values(d.kind))
    }

    /// The values drawn for an epoch, if the network of another epoch computes with them what its own would.
    pub(super) fn redrawn_values(&self, epoch: usize) -> Option<trainer::Drawn> {
        if !self.keeps_network() {
            return None;
        }
        let mut values = Vec::new();
        for (pred, draw, _) in self.draws() {
            for world in self.worlds_of(draw.over) {
                for (_, value) in self.drawn_in(world, pred, draw, epoch) {
                    let (shape, numbers) = value?;
                    values.push(self.template.compat.written(shape, &numbers));
                }
            }
        }
        Some(trainer::Drawn::Values { first: ValueId::new(self.database.values.len()), values })
    }

    /// The network of one epoch, with the facts drawn for it.
    pub(super) fn redrawn(&self, asked: &[usize], epoch: usize) -> Result<Network, Diagnostics> {
        let mut session = self.clone();
        session.first_drawn = Some(ValueId::new(self.database.values.len()));
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
        let mut network = network.ok_or(found)?;
        if !session.keeps_network() {
            // How the constants follow from values is of no use.
            network.programs.iter_mut().for_each(|p| p.recipe = None);
        }
        Ok(network)
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
            let d = fault(title, "drawn over them", rule.head_span, "derived here");
            return d.map(|d| d.help("draw over given facts about the same constants, `node(X)` for each X; modules take them as `node = …`"));
        }
        let is_drawn = self.template.predicates.get(draw.over).is_some_and(|p| p.draw.is_some());
        if is_drawn || (self.fact_of(draw.over).is_none() && self.database.fact_count() > 0) {
            let what = if is_drawn { "whose facts are drawn, too" } else { "which has no facts" };
            let mut d = Diagnostic::new(codes::DRAW, format!("nothing can be drawn over `{over}`, {what}"));
            let name = self.vocabulary.predicate_name(draw.over);
            let same = |p: &PredId| self.vocabulary.predicate_name(*p) == name && self.fact_of(*p).is_some();
            if let Some(other) = self.vocabulary.predicates().find(same).filter(|_| !is_drawn) {
                d.help = Some(format!("there are facts of `{}`", self.vocabulary.predicate_text(other)));
            }
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

/// The facts drawn over others.
fn drawn(kind: DrawKind, over: &[Tuple], evaluates: bool, stream: &mut Stream) -> Vec<Drawn> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Settings;

    const DATA: &str = "node(a). node(b). node(c). <1> x(a). <2> x(b). <3> x(c). ?- 1 q(X).";

    fn session(template: &str) -> Session {
        let (session, found) = Session::from_texts(template, DATA, Settings::default());
        assert!(!has_errors(&found), "{found:?}");
        session
    }

    fn network(session: &Session, epoch: usize) -> Network {
        session.redrawn(&[0], epoch).unwrap_or_else(|found| panic!("{found:?}"))
    }

    /// Makes sure that a kept network, with the values of another epoch, is the network of that epoch; says how many of 40
    /// epochs had to be built anew.
    fn refilled(template: &str) -> usize {
        let session = session(template);
        let mut kept = network(&session, 1);
        let mut built = 0;
        for epoch in 2..=41 {
            let new = network(&session, epoch);
            let done = match session.redrawn_values(epoch) {
                Some(trainer::Drawn::Values { first, values }) => {
                    let value = |v: ValueId| &values[v.index() - first.index()][..];
                    kept.programs.iter_mut().all(|p| p.refill(&value))
                }
                _ => false,
            };
            if !done {
                built += 1;
                kept = new;
                continue;
            }
            for (a, b) in kept.programs.iter().zip(&new.programs) {
                let bits = |p: &crate::exec::Program| -> Vec<u64> {
                    p.constants.iter().map(|x| x.to_bits()).collect()
                };
                assert!(bits(a) == bits(b), "{template}, epoch {epoch}");
                assert_eq!(format!("{:?}", a.blocks), format!("{:?}", b.blocks), "{template}, epoch {epoch}");
            }
        }
        built
    }

    #[test]
    fn draws_of_values_keep_the_network_of_an_epoch() {
        assert_eq!(refilled("e/1 [draw=normal(node,2)] q(X) :- {1} x(X), {1,2} e(X)."), 0);
        // What follows from drawn values alone is computed when a program is made.
        let sums = "e/1 [draw=normal(node,2)] m/1 [draw=normal(node,2)] q(X) :- {1} x(X), {1,2} s.
            s :- e(X). [aggregation=max] s :- m(X), e(X).";
        assert_eq!(refilled(sums), 0);
        // A relu makes zeros.
        let zeros =
            "e/1 [draw=normal(node,6)] q(X) :- {1} x(X), {1,6} r(X). r(X) :- e(X). r/1 [transformation=relu]";
        assert_eq!(refilled(zeros), 0);
        // Equal masks, zeros in sums and ones in products; the masks of a rate of 0 are ones.
        for rate in ["0.5", "0"] {
            let masks = format!(
                "m/1 [draw=dropout(node,{rate})] v/1 [draw=dropout(node,{rate},8)] e/1 [draw=normal(node)]
                 q(X) :- {{1}} k(X), {{1,8}} v(X), m(X), e(X), {{1}} s. k(X) :- m(X), x(X). [combination=product]
                 s :- m(X). s :- m(X), e(X). [aggregation=max, combination=product]"
            );
            assert_eq!(refilled(&masks), 0, "{rate}");
        }
        for others in ["m/2 [draw=permutation(node)]", "m/2 [draw=negatives(p,1)]"] {
            let template =
                format!("p(a,b). e/1 [draw=normal(node,2)] {others} q(X) :- {{1,2}} e(X), m(X,_).");
            assert!(session(&template).redrawn_values(1).is_none(), "{template}");
        }
    }

    /// Of long values with few elements a program reads these alone, and other epochs have others.
    #[test]
    fn few_elements_of_long_masks_are_read_alone() {
        let built = refilled("m/1 [draw=dropout(node,0.93,64)] q(X) :- {1} x(X), {1,64} m(X).");
        assert!((5..41).contains(&built), "{built}");
    }
}
