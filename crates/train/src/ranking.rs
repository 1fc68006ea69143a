//! How well probabilities rank samples: receiver operating characteristic, precision and recall.

/// How well a score tells one class from all others, at every threshold.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Ranking {
    /// Samples of the class, and of all others.
    pub samples: [u64; 2],
    /// False and true positive rate, from (0, 0) to (1, 1), the highest threshold first.
    pub roc: Vec<[f64; 2]>,
    /// Recall and precision, the highest threshold first.
    pub precision_recall: Vec<[f64; 2]>,
    /// The area under the receiver operating characteristic: how often a sample of the class has a higher score than
    /// another one; equal scores count a half.
    pub auc: f64,
    /// The mean of precisions over the steps of recall, as scikit-learn's `average_precision_score`.
    pub average_precision: f64,
}

impl Ranking {
    /// Ranks samples by `scores`; `positive` says which are of the class. `None` where all are or none is: there is
    /// nothing to tell apart.
    ///
    /// ```
    /// use foveal_train::Ranking;
    ///
    /// let ranking = Ranking::new(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]).expect("both kinds");
    /// assert_eq!((ranking.auc, ranking.roc.len()), (0.75, 5));
    /// assert!((ranking.average_precision - 0.8333).abs() < 1e-4);
    /// ```
    pub fn new(scores: &[f32], positive: &[bool]) -> Option<Self> {
        let mut order: Vec<(f32, bool)> = scores.iter().copied().zip(positive.iter().copied()).collect();
        let all = order.iter().filter(|(_, of)| *of).count() as u64;
        let others = order.len() as u64 - all;
        if all == 0 || others == 0 {
            return None;
        }
        order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let (mut hits, mut misses, mut area, mut average) = (0u64, 0u64, 0.0, 0.0);
        let mut roc = vec![[0.0, 0.0]];
        let mut precision_recall = Vec::new();
        // Equal scores lie on the same side of every threshold.
        for tied in order.chunk_by(|a, b| a.0 == b.0) {
            let own = tied.iter().filter(|(_, of)| *of).count() as u64;
            let not = tied.len() as u64 - own;
            area += not as f64 * (hits as f64 + own as f64 / 2.0);
            (hits, misses) = (hits + own, misses + not);
            let precision = hits as f64 / (hits + misses) as f64;
            average += own as f64 * precision;
            roc.push([misses as f64 / others as f64, hits as f64 / all as f64]);
            precision_recall.push([hits as f64 / all as f64, precision]);
        }
        Some(Self {
            samples: [all, others],
            roc,
            precision_recall,
            auc: area / (all as f64 * others as f64),
            average_precision: average / all as f64,
        })
    }

    /// The ranking of every class of rows of probabilities, one against the rest; `None` for a class that none of the
    /// samples is of, or all.
    ///
    /// # Panics
    /// When there are more labels than rows, or none of the classes.
    pub fn each(likely: &[f32], labels: &[u32], classes: usize) -> Vec<Option<Self>> {
        let of = |c: usize| {
            let scores: Vec<f32> =
                likely.chunks_exact(classes).take(labels.len()).map(|row| row[c]).collect();
            let positive: Vec<bool> = labels.iter().map(|&label| label as usize == c).collect();
            Self::new(&scores, &positive)
        };
        (0..classes).map(of).collect()
    }
}

/// At most `most` points of a curve: those without which it would look otherwise are kept as they are, the first and
/// the last always.
pub fn thinned(points: &[[f64; 2]], most: usize) -> Vec<[f64; 2]> {
    let Some(last) = points.last() else { return Vec::new() };
    // Points along a straight line say nothing new.
    let mut bends: Vec<[f64; 2]> = Vec::new();
    for &p in points {
        if let [.., a, b] = bends[..]
            && (b[0] - a[0]) * (p[1] - b[1]) == (p[0] - b[0]) * (b[1] - a[1])
        {
            bends.pop();
        }
        bends.push(p);
    }
    let step = bends.len().div_ceil(most.max(2) - 1).max(1);
    let mut kept: Vec<[f64; 2]> = bends.iter().step_by(step).copied().collect();
    if kept.last() != Some(last) {
        kept.push(*last);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_counts_pairs_and_ties_are_halves() {
        let scores = [0.9, 0.5, 0.5, 0.5, 0.2, 0.7, 0.1];
        let positive = [true, true, false, false, false, false, true];
        let ranking = Ranking::new(&scores, &positive).unwrap();
        let mut pairs = 0.0;
        for (a, _) in scores.iter().zip(positive).filter(|p| p.1) {
            for (b, _) in scores.iter().zip(positive).filter(|p| !p.1) {
                pairs += if a > b {
                    1.0
                } else if a == b {
                    0.5
                } else {
                    0.0
                };
            }
        }
        assert!((ranking.auc - pairs / 12.0).abs() < 1e-12);
        // By hand, as scikit-learn: (1 + 2/5 + 3/7) / 3.
        assert!((ranking.average_precision - (1.0 + 0.4 + 3.0 / 7.0) / 3.0).abs() < 1e-12);
        assert_eq!((ranking.roc.first(), ranking.roc.last()), (Some(&[0.0, 0.0]), Some(&[1.0, 1.0])));
        assert_eq!(ranking.samples, [3, 4]);
        assert!(Ranking::new(&scores, &[true; 7]).is_none() && Ranking::new(&[], &[]).is_none());
    }

    #[test]
    fn a_thinned_curve_keeps_its_bends_and_ends() {
        let line: Vec<[f64; 2]> = (0..=100).map(|i| [f64::from(i) / 128.0, f64::from(i) / 128.0]).collect();
        assert_eq!(thinned(&line, 50), [line[0], line[100]]);
        let bent: Vec<[f64; 2]> = (0..1000).map(|i| [f64::from(i), (f64::from(i)).sin()]).collect();
        let few = thinned(&bent, 60);
        assert!(few.len() <= 61 && few[0] == bent[0] && few.last() == bent.last(), "{}", few.len());
        assert!(thinned(&[], 9).is_empty());
    }
}
