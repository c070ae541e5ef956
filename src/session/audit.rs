//! Samples that no weights can tell apart.
//!
//! Outputs that are one neuron when lifted across all worlds have one value, whatever the weights are. Where samples
//! of such a class have different targets, no training can be right about all of them. Outputs of different classes
//! may still be equal (lifting finds equal structures, not all equal functions), so the errors counted here are the
//! fewest that there can be, and there may be more.

use super::{Network, Session};
use crate::base::hash::{HashSet, IndexMap};
use crate::data::Split;
use crate::learn::{Sample, choice};
use serde::Serialize;

/// What no weights can tell apart. Names are stable.
#[derive(Debug, Clone, Serialize)]
pub struct Audit {
    /// Answers with a target.
    pub samples: usize,
    /// Answers without one.
    pub unlabelled: usize,
    /// Classes of all these answers.
    pub classes: usize,
    /// Classes with more than one of them.
    pub shared: usize,
    /// Classes whose samples have different targets.
    pub conflicting: usize,
    /// Of all samples together.
    pub floor: Floor,
    /// Of the samples of each split, if there are several splits.
    pub splits: Vec<SplitFloor>,
    /// The classes with more than one answer: those with different targets first, then larger ones first.
    pub groups: Vec<Group>,
}

/// The least error that there can be. Each sample counts once, whatever its weight in the error is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Floor {
    /// Samples.
    pub samples: usize,
    /// Of labels as targets (see [`Session::audit`]): Σ over classes of equal outputs of their size less the size of
    /// their commonest label.
    pub errors: Option<usize>,
    /// Of numbers as targets: Σ (t − mean of t in the class)² over samples and elements.
    pub squared_error: Option<f64>,
}

/// The floor of one split.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SplitFloor {
    /// `train`, `val` or `test`.
    pub split: &'static str,
    /// What cannot be undercut.
    #[serde(flatten)]
    pub floor: Floor,
}

/// Answers that have one value, whatever the weights are.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// Whether their targets differ.
    pub conflicting: bool,
    /// The floor of these alone.
    #[serde(flatten)]
    pub floor: Floor,
    /// How often each target occurs, commonest first, equally common ones in order of first occurrence.
    pub targets: Vec<(Vec<f64>, usize)>,
    /// In order of queries.
    pub members: Vec<Member>,
}

/// One answer.
#[derive(Debug, Clone, Serialize)]
pub struct Member {
    /// The name of its sample (`s_0`, or the example's id).
    pub sample: String,
    /// The atom.
    pub query: String,
    /// `train`, `val` or `test`.
    pub split: &'static str,
    /// Its target.
    pub target: Option<Vec<f64>>,
    /// Where the query is written: `file:line:column`.
    pub place: String,
}

/// An answer with what is compared of it.
struct Item {
    answer: usize,
    split: Split,
    target: Option<Vec<f64>>,
}

/// What is read of an answer: the program and the places of its values, of a group those of all its classes, each
/// behind its class.
type Read = (usize, Vec<u32>);

/// What is read of a sample, and its target in the same order.
fn read(network: &Network, sample: &Sample) -> (Read, Vec<f64>) {
    let outputs = &network.programs[sample.shard].outputs;
    let Some(classes) = &sample.classes else {
        return ((sample.shard, vec![outputs[sample.output].offset]), sample.target.clone());
    };
    let parts = classes.names.iter().zip(&classes.outputs).zip(&sample.target);
    let mut parts: Vec<(u32, u32, f64)> = parts.map(|((&c, &o), &t)| (c, outputs[o].offset, t)).collect();
    parts.sort_unstable_by_key(|p| p.0);
    let places = parts.iter().flat_map(|p| [p.0, p.1]).collect();
    ((sample.shard, places), parts.iter().map(|p| p.2).collect())
}

/// How errors are counted.
#[derive(Clone, Copy)]
struct Counted {
    labels: bool,
    squares: bool,
}

impl Session {
    /// Audits a network that was lifted across all worlds.
    ///
    /// Labels are compared as [`crate::learn::Metrics::accuracy`] does: a scalar by whether it is above ½, a vector by
    /// its greatest element; they are counted under the entropies, and under the other losses if all targets are
    /// scalars 0 or 1. Squared errors are counted under the other losses.
    pub fn audit(&self, network: &Network) -> Audit {
        let mut classes: IndexMap<Read, Vec<Item>> = IndexMap::default();
        let mut samples: Vec<Option<&Sample>> = vec![None; network.answers.len()];
        // Answers that are read as a class of some group only.
        let mut members: HashSet<(usize, usize)> = HashSet::default();
        for (sample, &answer) in network.samples.iter().zip(&network.sample_answers) {
            samples[answer] = Some(sample);
            let others = sample.outputs().iter().filter(|o| **o != sample.output);
            members.extend(others.map(|o| (sample.shard, *o)));
        }
        for (i, answer) in network.answers.iter().enumerate() {
            let Some((program, output)) = answer.place else { continue };
            let split = self.database.queries[answer.query].split;
            // Equal neurons have one row, and what copies another neuron has that one's.
            let (key, target) = match samples[i] {
                Some(sample) => {
                    let (key, target) = read(network, sample);
                    (key, Some(target))
                }
                None if members.contains(&(program, output)) => continue,
                None => ((program, vec![network.programs[program].outputs[output].offset]), None),
            };
            classes.entry(key).or_default().push(Item { answer: i, split, target });
        }
        let answers = classes.values().map(Vec::len).sum::<usize>();
        let targets = || classes.values().flatten().filter_map(|i| i.target.as_deref());
        let labelled = targets().count();
        let loss = self.settings.train.loss;
        let binary = |t: &&[f64]| t.len() == 1 && (t[0] == 0.0 || t[0] == 1.0);
        let counted = Counted {
            labels: loss.is_classification() || targets().all(|t| binary(&t)),
            squares: !loss.is_classification(),
        };
        let of = |split: Option<Split>| {
            let parts = classes.values().map(|c| {
                let kept = c.iter().filter(|i| split.is_none_or(|s| i.split == s));
                floor(&kept.filter_map(|i| i.target.as_deref()).collect::<Vec<_>>(), counted)
            });
            parts.fold(floor(&[], counted), Floor::plus)
        };
        let splits: Vec<SplitFloor> = [Split::Train, Split::Validation, Split::Test]
            .into_iter()
            .map(|s| SplitFloor { split: name(s), floor: of(Some(s)) })
            .filter(|s| s.floor.samples > 0)
            .collect();
        let many = classes.values().filter(|c| c.len() > 1);
        let mut groups: Vec<Group> = many.map(|c| self.inseparable(network, c, counted)).collect();
        groups.sort_by_key(|g| (!g.conflicting, std::cmp::Reverse(g.members.len())));
        Audit {
            samples: labelled,
            unlabelled: answers - labelled,
            classes: classes.len(),
            shared: groups.len(),
            conflicting: groups.iter().filter(|g| g.conflicting).count(),
            floor: of(None),
            splits: if splits.len() > 1 { splits } else { Vec::new() },
            groups,
        }
    }

    fn inseparable(&self, network: &Network, items: &[Item], counted: Counted) -> Group {
        let known: Vec<&[f64]> = items.iter().filter_map(|i| i.target.as_deref()).collect();
        let mut targets = tally(known.iter().copied());
        targets.sort_by_key(|t| std::cmp::Reverse(t.1));
        let member = |i: &Item| {
            let answer = &network.answers[i.answer];
            let query = &self.database.queries[answer.query];
            Member {
                sample: query.sample.clone(),
                query: self.vocabulary.atom_text(query.pred, answer.args.iter().copied()),
                split: name(i.split),
                target: i.target.clone(),
                place: self.sources.place(query.span),
            }
        };
        Group {
            conflicting: targets.len() > 1,
            floor: floor(&known, counted),
            targets: targets.into_iter().map(|(t, n)| (t.to_vec(), n)).collect(),
            members: items.iter().map(member).collect(),
        }
    }
}

impl Floor {
    fn plus(self, other: Floor) -> Floor {
        Floor {
            samples: self.samples + other.samples,
            errors: self.errors.zip(other.errors).map(|(a, b)| a + b),
            squared_error: self.squared_error.zip(other.squared_error).map(|(a, b)| a + b),
        }
    }
}

fn name(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Validation => "val",
        Split::Test => "test",
    }
}

/// How often each item occurs, in the order of first occurrence.
fn tally<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<(T, usize)> {
    let mut out: Vec<(T, usize)> = Vec::new();
    for item in items {
        match out.iter_mut().find(|(known, _)| *known == item) {
            Some((_, n)) => *n += 1,
            None => out.push((item, 1)),
        }
    }
    out
}

/// The least error on samples that get one output, of equally many elements as each target.
fn floor(targets: &[&[f64]], counted: Counted) -> Floor {
    let errors = || {
        let commonest = tally(targets.iter().map(|t| label(t))).into_iter().map(|(_, n)| n).max();
        targets.len() - commonest.unwrap_or(0)
    };
    let squared = || {
        let n = targets.len() as f64;
        let element = |i: usize| {
            let column = || targets.iter().map(|t| t[i]);
            let mean = column().sum::<f64>() / n;
            column().map(|t| (t - mean) * (t - mean)).sum::<f64>()
        };
        (0..targets.first().map_or(0, |t| t.len())).map(element).sum()
    };
    Floor {
        samples: targets.len(),
        errors: counted.labels.then(errors),
        squared_error: counted.squares.then(squared),
    }
}

/// The class that a target stands for.
fn label(target: &[f64]) -> usize {
    match target {
        [t] => usize::from(*t > 0.5),
        many => choice(many, None),
    }
}
