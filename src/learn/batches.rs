//! Which samples make a step where not all of them train the same weights.

use super::trainer::{Batch, Sample};
use crate::data::Split;
use crate::template::Trains;

/// The kinds of training samples, by the weights that they train, in the order of the samples.
pub(super) fn kinds(samples: &[Sample]) -> Vec<Trains> {
    let mut out = Vec::new();
    for s in samples.iter().filter(|s| s.split == Split::Train) {
        if !out.contains(&s.trains) {
            out.push(s.trains);
        }
    }
    out
}

/// Whether errors tell which model is the better one: those of validation samples, or of training samples that all train
/// the same weights. Where they train different ones, what one kind gains another may lose.
pub fn comparable(samples: &[Sample]) -> bool {
    samples.iter().any(|s| s.split == Split::Validation) || kinds(samples).len() < 2
}

/// The batches of an epoch whose samples stand in some order, none of which has samples of two kinds. `None` where
/// consecutive samples make them: there is one kind, or a step for every sample.
///
/// A sample joins the batch of its kind that is not full yet. A batch is learned when it is full, the others at the end
/// in the order of their first samples. Full batches are learned in the order in which the data has the kinds, so that
/// it is the same in every epoch: there is nothing else that an order could change.
pub(super) fn parted(order: &[usize], samples: &[Sample], batch: Batch) -> Option<Vec<Vec<usize>>> {
    let kinds = kinds(samples);
    let size = match batch {
        Batch::Size(0 | 1) => return None,
        Batch::Size(n) => n,
        Batch::All => usize::MAX,
    };
    if kinds.len() < 2 {
        return None;
    }
    let mut full: Vec<Vec<usize>> = Vec::new();
    let mut open: Vec<Vec<usize>> = Vec::new();
    for &i in order {
        let kind = samples[i].trains;
        let at = open.iter().position(|b| samples[b[0]].trains == kind).unwrap_or_else(|| {
            open.push(Vec::new());
            open.len() - 1
        });
        open[at].push(i);
        if open[at].len() == size {
            full.push(open.remove(at));
        }
    }
    if batch == Batch::All {
        open.sort_by_key(|b| kinds.iter().position(|k| *k == samples[b[0]].trains));
    }
    full.append(&mut open);
    Some(full)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Stream;
    use crate::template::GroupId;

    fn sample(trains: Trains) -> Sample {
        let (target, split) = (vec![1.0], Split::Train);
        Sample { shard: 0, output: 0, target, importance: 1.0, split, trains, classes: None }
    }

    #[test]
    fn batches_have_one_kind_and_come_when_they_are_full() {
        let kinds = [Trains::All, Trains::Only(GroupId(0)), Trains::AllBut(GroupId(0))];
        let mut stream = Stream::new(3, "batches");
        for n in 1..40 {
            let samples: Vec<Sample> = (0..n).map(|_| sample(kinds[stream.below(3) as usize])).collect();
            let mut order: Vec<usize> = (0..n).collect();
            stream.shuffle(&mut order);
            for size in 2..6 {
                let Some(found) = parted(&order, &samples, Batch::Size(size)) else {
                    assert!(samples.iter().all(|s| s.trains == samples[0].trains));
                    continue;
                };
                let place = |i: &usize| order.iter().position(|o| o == i).expect("a sample");
                let mut all: Vec<usize> = found.concat();
                all.sort_unstable();
                assert_eq!(all, (0..n).collect::<Vec<_>>());
                for batch in &found {
                    assert!(batch.iter().all(|&i| samples[i].trains == samples[batch[0]].trains));
                    assert!(batch.iter().map(place).is_sorted() && batch.len() <= size);
                }
                let full = found.iter().take_while(|b| b.len() == size).count();
                // The full ones by their last samples, the others by their first.
                assert!(found[full..].iter().all(|b| b.len() < size));
                assert!(found[..full].iter().map(|b| place(&b[size - 1])).is_sorted());
                assert!(found[full..].iter().map(|b| place(&b[0])).is_sorted());
            }
        }
    }

    #[test]
    fn full_batches_come_in_the_order_of_the_samples() {
        let (all, critic) = (Trains::All, Trains::Only(GroupId(0)));
        let samples = [critic, all, critic, all].map(sample);
        let found = parted(&[3, 2, 1, 0], &samples, Batch::All);
        assert_eq!(found, Some(vec![vec![2, 0], vec![3, 1]]));
        assert_eq!(parted(&[3, 2, 1, 0], &samples, Batch::Size(1)), None);
    }
}
