//! Answers in groups: `label/2 [output=softmax(2)]`.
//!
//! All atoms of one world that agree but in their classes are one group, whether somebody asks for them or not. Their
//! outputs are logits that pass a softmax together; a group with targets is one sample.

use super::build::SHOWN;
use super::{Network, Session};
use crate::answer::Answer;
use crate::base::hash::{HashMap, HashSet};
use crate::base::index::Id;
use crate::data::{ConstId, PredId, Query, QueryTerm, Split, WorldId};
use crate::diag::{Diagnostic, Diagnostics, Severity, codes, counted};
use crate::ground::GroundProgram;
use crate::learn::loss::softmax;
use crate::learn::{Classes, Sample};

/// The atoms of one world that agree but in their classes.
#[derive(Debug, Clone)]
pub struct Group {
    /// The program.
    pub shard: usize,
    /// Its outputs, one for each class: those asked for in the order of the queries, then the others.
    pub outputs: Vec<usize>,
    /// The class of each: the same number for the same class in all groups, from 0 in the order in which the queries
    /// first name it (then classes that none names).
    pub names: Vec<u32>,
    /// The answers that stand in it, by position, each with its position among the outputs.
    pub answers: Vec<(usize, usize)>,
}

/// What the members of a group have in common: world, predicate, arguments that are no class.
type Key = (WorldId, PredId, Vec<ConstId>);

/// A target stated for a class.
struct Stated<'q> {
    class: Vec<ConstId>,
    query: &'q Query,
}

/// The arguments that name no class, and those that do.
fn parted(args: &[ConstId], classes: &[usize]) -> (Vec<ConstId>, Vec<ConstId>) {
    let rest = args.iter().enumerate().filter(|(i, _)| !classes.contains(i)).map(|(_, c)| *c);
    (rest.collect(), classes.iter().map(|&i| args[i]).collect())
}

/// The arguments of a query without variables.
fn constants(query: &Query) -> Option<Vec<ConstId>> {
    let constant = |a: &QueryTerm| match a {
        QueryTerm::Constant(c) => Some(*c),
        QueryTerm::Variable(_) => None,
    };
    query.args.iter().map(constant).collect()
}

impl Session {
    /// Atoms that nobody asks for but that stand in a group with what is asked for: query and row of each. `asked`
    /// are the rows that answer each query.
    pub(super) fn companions(&self, asked: &[(usize, u32)], ground: &GroundProgram) -> Vec<(usize, u32)> {
        let queries = &self.database.queries;
        let mut groups: HashMap<(PredId, Vec<ConstId>), usize> = HashMap::default();
        let mut known: HashSet<(PredId, u32)> = HashSet::default();
        let mut preds: Vec<PredId> = Vec::new();
        for &(q, row) in asked {
            let pred = queries[q].pred;
            let Some(classes) = self.template.classes(pred) else { continue };
            let (rest, _) = parted(ground.relations[pred].row(row), &classes.node);
            groups.entry((pred, rest)).or_insert(q);
            known.insert((pred, row));
            if !preds.contains(&pred) {
                preds.push(pred);
            }
        }
        let mut out = Vec::new();
        for pred in preds {
            let relation = &ground.relations[pred];
            let Some(classes) = self.template.classes(pred) else { continue };
            for row in (0..relation.len()).filter(|row| !known.contains(&(pred, *row))) {
                let (rest, _) = parted(relation.row(row), &classes.node);
                out.extend(groups.get(&(pred, rest)).map(|&q| (q, row)));
            }
        }
        out
    }

    /// Gathers the groups of a network: `companions` are answers that nobody asked for.
    pub(super) fn group(&self, network: &mut Network, companions: &[Answer], out: &mut Diagnostics) {
        let mut groups: HashMap<Key, usize> = HashMap::default();
        // By group and class, the place among the outputs.
        let mut places: HashMap<(usize, u32), usize> = HashMap::default();
        let mut names: HashMap<Vec<ConstId>, u32> = HashMap::default();
        let mut vectors: Option<&Answer> = None;
        let asked = network.answers.iter().enumerate().map(|(i, a)| (Some(i), a));
        for (i, answer) in asked.chain(companions.iter().map(|a| (None, a))) {
            let query = &self.database.queries[answer.query];
            let (Some(classes), Some((shard, output))) = (self.template.classes(query.pred), answer.place)
            else {
                continue;
            };
            if !network.programs[shard].outputs[output].shape.is_scalar() {
                vectors.get_or_insert(answer);
                continue;
            }
            let (rest, class) = parted(&answer.args, &classes.node);
            let next = names.len() as u32;
            let name = *names.entry(class).or_insert(next);
            let group = *groups.entry((query.world, query.pred, rest)).or_insert_with(|| {
                let empty = Group { shard, outputs: Vec::new(), names: Vec::new(), answers: Vec::new() };
                network.groups.push(empty);
                network.groups.len() - 1
            });
            let members = &mut network.groups[group];
            let place = *places.entry((group, name)).or_insert_with(|| {
                members.outputs.push(output);
                members.names.push(name);
                members.outputs.len() - 1
            });
            members.answers.extend(i.map(|i| (i, place)));
        }
        if let Some(answer) = vectors {
            let query = &self.database.queries[answer.query];
            let (shard, output) = answer.place.expect("checked above");
            let shape = network.programs[shard].outputs[output].shape;
            let atom = self.vocabulary.atom_text(query.pred, answer.args.iter().copied());
            let title =
                format!("a softmax over a group takes one number of each atom, but `{atom}` is {shape}");
            let d = Diagnostic::new(codes::FUNCTION_SHAPE, title);
            let d = match self.template.classes(query.pred) {
                Some(classes) => d.label(classes.span, "stated here"),
                None => d,
            };
            out.push(d.help("a row `{1,n}` before the head makes one number of a column of n"));
        }
    }

    /// The sample that an answer in a group belongs to, if it begins it: each group is one sample for each split in
    /// which it has targets. Classes without a target have target 0.
    pub(super) fn group_samples(&self, network: &mut Network, out: &mut Diagnostics) {
        if network.groups.is_empty() {
            return;
        }
        let stated = self.stated(network);
        let mut samples: Vec<(usize, Sample)> = Vec::new();
        let (mut wrong, mut lone) = (Vec::new(), Vec::new());
        for group in &network.groups {
            for split in [Split::Train, Split::Validation, Split::Test] {
                let of_split = |(i, _): &&(usize, usize)| {
                    let query = &self.database.queries[network.answers[*i].query];
                    query.split == split && query.target.is_some()
                };
                let Some(&(first, _)) = group.answers.iter().find(of_split) else { continue };
                let answer = &network.answers[first];
                let query = &self.database.queries[answer.query];
                let Some(classes) = self.template.classes(query.pred) else { continue };
                let (rest, _) = parted(&answer.args, &classes.node);
                let targets = stated.get(&(split, (query.world, query.pred, rest))).map_or(&[][..], |s| s);
                let number = |s: &Stated<'_>| match &s.query.target {
                    Some((_, t)) if t.len() == 1 => t[0],
                    _ => f64::NAN,
                };
                let sum: f64 = targets.iter().map(number).sum();
                if sum.is_nan() {
                    let title = "the target of an atom in a group is one number".to_string();
                    out.push(
                        Diagnostic::new(codes::TARGET_SHAPE, title).label(query.span, "a group of targets"),
                    );
                    return;
                }
                // Distributions written in decimals.
                if (sum - 1.0).abs() > 1e-6 {
                    wrong.push((query.span, sum, targets.len()));
                    continue;
                }
                let mut target = vec![0.0; group.outputs.len()];
                for &(i, place) in &group.answers {
                    let (_, class) = parted(&network.answers[i].args, &classes.node);
                    if let Some(s) = targets.iter().find(|s| s.class == class) {
                        target[place] = number(s);
                    }
                }
                if group.outputs.len() == 1 {
                    lone.push(query.span);
                }
                let weigh = |s: &Stated<'_>| s.query.importance;
                let sample = Sample {
                    shard: group.shard,
                    output: group.outputs[0],
                    target,
                    importance: targets.iter().map(weigh).sum::<f64>() / targets.len().max(1) as f64,
                    split,
                    trains: self.template.trains(query.pred),
                    classes: Some(Classes { outputs: group.outputs.clone(), names: group.names.clone() }),
                };
                samples.push((first, sample));
            }
        }
        // Among the others in the order of the queries.
        let ordinary = std::mem::take(&mut network.sample_answers).into_iter();
        samples.extend(ordinary.zip(std::mem::take(&mut network.samples)));
        samples.sort_by_key(|(answer, _)| *answer);
        (network.sample_answers, network.samples) = samples.into_iter().unzip();
        self.tell_groups(&wrong, &lone, out);
    }

    /// Targets by split and group, the first of each class: also those of queries that have no answer, and of queries
    /// that the network was not built for.
    fn stated(&self, network: &Network) -> HashMap<(Split, Key), Vec<Stated<'_>>> {
        let queries = &self.database.queries;
        let mut out: HashMap<(Split, Key), Vec<Stated<'_>>> = HashMap::default();
        let ground = queries.iter().filter_map(|q| constants(q).map(|args| (q, args)));
        let open = network.answers.iter().map(|a| (&queries[a.query], &a.args));
        let open = open.filter(|(q, _)| !q.variables.is_empty()).map(|(q, args)| (q, args.clone()));
        for (query, args) in ground.chain(open).filter(|(q, _)| q.target.is_some()) {
            let Some(classes) = self.template.classes(query.pred) else { continue };
            let (rest, class) = parted(&args, &classes.node);
            let targets = out.entry((query.split, (query.world, query.pred, rest))).or_default();
            if !targets.iter().any(|s| s.class == class) {
                targets.push(Stated { class, query });
            }
        }
        out
    }

    fn tell_groups(
        &self,
        wrong: &[(crate::base::span::Span, f64, usize)],
        lone: &[crate::base::span::Span],
        out: &mut Diagnostics,
    ) {
        for (i, (span, sum, count)) in wrong.iter().enumerate().take(SHOWN) {
            let title = format!("the targets of a group must sum to 1, not {}", (sum * 1e6).round() / 1e6);
            let what = match count {
                1 => "the only target of its group".to_string(),
                n => format!("one of the {n} targets of its group"),
            };
            let mut d = Diagnostic::new(codes::TARGET_RANGE, title)
                .label(*span, what)
                .help("state 1 for the right class; classes without a target count as 0");
            if self.settings.train.epochs == 0 {
                d.severity = Severity::Warning;
            }
            if i + 1 == SHOWN && wrong.len() > SHOWN {
                d = d.note(format!("and of {}", counted(wrong.len() - SHOWN, "more group")));
            }
            out.push(d);
        }
        if let Some(&span) = lone.first() {
            let more = match lone.len() - 1 {
                0 => String::new(),
                n => format!(" (and {} more)", counted(n, "group")),
            };
            out.push(
                Diagnostic::new(
                    codes::LONE_CLASS,
                    format!("a group has one member only: its probability is 1{more}"),
                )
                .label(span, "no other class can be derived here")
                .help("let a rule derive an atom for each class, or leave out `output=softmax(…)`"),
            );
        }
    }

    /// A loss that groups do not take.
    pub(super) fn group_loss(&self, out: &mut Diagnostics) {
        let loss = self.settings.train.loss;
        let learns =
            |pred: PredId| self.database.queries.iter().any(|q| q.pred == pred && q.target.is_some());
        for (i, info) in self.template.predicates.iter().enumerate() {
            if let Some(classes) =
                info.classes.as_ref().filter(|_| !loss.is_classification() && learns(PredId::new(i)))
            {
                let title = format!("a softmax over a group is learned by cross-entropy, not by `{loss}`");
                out.push(
                    Diagnostic::new(codes::BAD_METADATA, title)
                        .label(classes.span, "these outputs are probabilities of classes")
                        .help("leave out `--loss`, or this output"),
                );
            }
        }
    }
}

/// Puts the probabilities of groups in place of their logits. `outputs` are those of all shards.
pub(super) fn normalise(groups: &[Group], outputs: &[Vec<Vec<f64>>], values: &mut [Vec<f64>]) {
    for group in groups {
        let logits: Vec<f64> = group.outputs.iter().map(|&o| outputs[group.shard][o][0]).collect();
        let p = softmax(&logits);
        for &(answer, place) in &group.answers {
            values[answer] = vec![p[place]];
        }
    }
}
