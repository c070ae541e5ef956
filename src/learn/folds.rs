//! Cross-validation: which sample is held out when.

use crate::base::hash::HashMap;
use crate::base::rng::Stream;

/// Deals samples into folds: the fold of each, from 0.
///
/// `samples` are pairs of what a sample asks for and its target. Samples that ask for the same stay together: one
/// would tell the other's target. The rest is stratified: groups are shuffled, sorted by their first target (in order
/// of first appearance), and dealt round in that order, so that sizes differ by at most one group and the folds
/// have every class in nearly equal shares. Targets that are all different are dealt like one class.
pub fn deal(samples: &[(usize, &[f64])], folds: usize, stream: &mut Stream) -> Vec<usize> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut known: HashMap<usize, usize> = HashMap::default();
    for (i, (asked, _)) in samples.iter().enumerate() {
        let group = *known.entry(*asked).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(i);
    }
    stream.shuffle(&mut groups);
    let mut classes: HashMap<Vec<u64>, usize> = HashMap::default();
    let mut class = |group: &Vec<usize>| {
        let bits = samples[group[0]].1.iter().map(|t| t.to_bits()).collect();
        let next = classes.len();
        *classes.entry(bits).or_insert(next)
    };
    let mut order: Vec<(usize, Vec<usize>)> = groups.into_iter().map(|g| (class(&g), g)).collect();
    // Stable: within a class the shuffled order stays.
    order.sort_by_key(|(class, _)| *class);
    let mut out = vec![0; samples.len()];
    for (dealt, (_, group)) in order.into_iter().enumerate() {
        group.into_iter().for_each(|i| out[i] = dealt % folds);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dealt(samples: &[(usize, &[f64])], folds: usize, seed: u64) -> Vec<usize> {
        deal(samples, folds, &mut Stream::new(seed, "folds"))
    }

    #[test]
    fn every_fold_has_each_class_in_nearly_equal_shares() {
        let (yes, no): (&[f64], &[f64]) = (&[1.0], &[0.0]);
        let samples: Vec<(usize, &[f64])> = (0..23).map(|i| (i, if i % 3 == 0 { yes } else { no })).collect();
        for seed in 0..20 {
            let fold = dealt(&samples, 5, seed);
            for class in [yes, no] {
                let mut sizes = [0usize; 5];
                let of_class = samples.iter().zip(&fold).filter(|(s, _)| s.1 == class);
                of_class.for_each(|(_, f)| sizes[*f] += 1);
                let (least, most) = (sizes.iter().min(), sizes.iter().max());
                assert!(most.zip(least).is_some_and(|(m, l)| m - l <= 1), "{sizes:?}");
            }
            let mut sizes = [0usize; 5];
            fold.iter().for_each(|f| sizes[*f] += 1);
            assert!(sizes.iter().all(|s| (4..=5).contains(s)), "{sizes:?}");
        }
        assert_ne!(dealt(&samples, 5, 0), dealt(&samples, 5, 1), "the seed decides");
        assert_eq!(dealt(&samples, 5, 7), dealt(&samples, 5, 7));
    }

    #[test]
    fn samples_that_ask_for_the_same_stay_together() {
        let samples: Vec<(usize, &[f64])> =
            (0..12).map(|i| (i / 3, if i % 2 == 0 { &[1.0][..] } else { &[0.0][..] })).collect();
        for seed in 0..20 {
            let fold = dealt(&samples, 2, seed);
            assert!(fold.chunks(3).all(|f| f.iter().all(|x| *x == f[0])), "{fold:?}");
            assert!(fold.contains(&0) && fold.contains(&1));
        }
    }

    #[test]
    fn targets_that_are_all_different_are_dealt_evenly() {
        let targets: Vec<[f64; 1]> = (0..10).map(|i| [f64::from(i)]).collect();
        let samples: Vec<(usize, &[f64])> = targets.iter().enumerate().map(|(i, t)| (i, &t[..])).collect();
        let mut sizes = [0usize; 3];
        dealt(&samples, 3, 5).iter().for_each(|f| sizes[*f] += 1);
        sizes.sort_unstable();
        assert_eq!(sizes, [3, 3, 4]);
    }
}
