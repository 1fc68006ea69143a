//! Several labels a sample: scores, and the threshold of each label.

use crate::ranking::Ranking;

/// A probability of so much is a label, unless a threshold was chosen.
pub const HALF: f32 = 0.5;

/// Scores of a model that gives each label a probability of its own.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LabelScores {
    /// Mean binary cross-entropy over samples and labels.
    pub loss: f64,
    /// Share of samples whose labels are all right.
    pub exact: f64,
    /// Share of samples and labels that are right.
    pub hamming: f64,
    /// F1 over all labels of all samples together.
    pub micro_f1: f64,
    /// Mean F1 of the labels that occur or are said.
    pub macro_f1: f64,
    /// Mean average precision of the labels that have one (mAP).
    pub map: f64,
    /// Samples that were judged.
    pub samples: u64,
    /// Each label by itself, in order.
    pub per_label: Vec<PerLabel>,
}

/// One label's scores.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PerLabel {
    /// What the label is called.
    pub label: String,
    /// The probability from which a sample has it.
    pub threshold: f32,
    /// Of the samples that are said to have it, the share that do; 0 where none is.
    pub precision: f64,
    /// Of the samples that have it, the share that are said to; 0 where none has.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Average precision, as scikit-learn's; `None` where all samples or none have the label.
    pub average_precision: Option<f64>,
    /// Samples that have it.
    pub support: u64,
}

/// Scores rows of probabilities against `values`, 0 or 1, of the samples at `indices`.
pub(crate) fn label_scores(
    likely: &[f32],
    (values, names): (&[f64], &[String]),
    indices: &[u32],
    thresholds: &[f32],
) -> LabelScores {
    let k = names.len();
    let truth = |row: usize, c: usize| values[indices[row] as usize * k + c] > 0.5;
    let said = |row: usize, c: usize| likely[row * k + c] >= thresholds.get(c).copied().unwrap_or(HALF);
    let (mut loss, mut exact, mut right) = (0.0, 0u64, 0u64);
    for row in 0..indices.len() {
        let own = (0..k).filter(|&c| truth(row, c) == said(row, c)).count();
        right += own as u64;
        exact += u64::from(own == k);
        for c in 0..k {
            // As Keras: a probability of 0 or 1 is not certain beyond single precision.
            let p = f64::from(likely[row * k + c]).clamp(1e-7, 1.0 - 1e-7);
            loss -= if truth(row, c) { p.ln() } else { (1.0 - p).ln() };
        }
    }
    let share = |a: u64, b: u64| if b == 0 { 0.0 } else { a as f64 / b as f64 };
    let (mut hits, mut claims, mut all, mut occurring) = (0, 0, 0, 0u32);
    let per_label: Vec<PerLabel> = (0..k)
        .map(|c| {
            let count = |of: &dyn Fn(usize) -> bool| (0..indices.len()).filter(|&row| of(row)).count() as u64;
            let support = count(&|row| truth(row, c));
            let claimed = count(&|row| said(row, c));
            let hit = count(&|row| truth(row, c) && said(row, c));
            (hits, claims, all) = (hits + hit, claims + claimed, all + support);
            occurring += u32::from(support + claimed > 0);
            PerLabel {
                label: names[c].clone(),
                threshold: thresholds.get(c).copied().unwrap_or(HALF),
                precision: share(hit, claimed),
                recall: share(hit, support),
                f1: share(2 * hit, support + claimed),
                average_precision: ranking(likely, (values, k), indices, c).map(|r| r.average_precision),
                support,
            }
        })
        .collect();
    let precisions: Vec<f64> = per_label.iter().filter_map(|label| label.average_precision).collect();
    let n = indices.len().max(1) as f64;
    LabelScores {
        loss: loss / (n * k as f64),
        exact: exact as f64 / n,
        hamming: right as f64 / (n * k as f64),
        micro_f1: share(2 * hits, claims + all),
        macro_f1: per_label.iter().map(|label| label.f1).sum::<f64>() / f64::from(occurring.max(1)),
        map: precisions.iter().sum::<f64>() / precisions.len().max(1) as f64,
        samples: indices.len() as u64,
        per_label,
    }
}

fn ranking(likely: &[f32], (values, k): (&[f64], usize), indices: &[u32], c: usize) -> Option<Ranking> {
    let scores: Vec<f32> = likely.chunks_exact(k).map(|row| row[c]).collect();
    let positive: Vec<bool> = indices.iter().map(|&i| values[i as usize * k + c] > 0.5).collect();
    Ranking::new(&scores, &positive)
}

/// For each of `k` labels the threshold with the highest F1 on these samples, halfway between two probabilities that
/// occur; [`HALF`] where all samples or none have the label, or where it does as well. `values` are 0 or 1, `[sample][label]`
/// of the data set, `likely` probabilities of the samples at `indices`.
///
/// # Panics
/// When there are fewer rows of probabilities than indices, or an index is past the end of `values`.
///
/// ```
/// let likely = [0.1, 0.3, 0.2, 0.05];
/// let values = [0.0, 1.0, 1.0, 0.0];
/// let found = foveal_train::thresholds(&likely, &values, &[0, 1, 2, 3], 1);
/// assert!((found[0] - 0.15).abs() < 1e-6);
/// ```
pub fn thresholds(likely: &[f32], values: &[f64], indices: &[u32], k: usize) -> Vec<f32> {
    (0..k).map(|c| threshold(likely, (values, k), indices, c)).collect()
}

fn threshold(likely: &[f32], (values, k): (&[f64], usize), indices: &[u32], c: usize) -> f32 {
    let mut rows: Vec<(f32, bool)> = indices
        .iter()
        .enumerate()
        .map(|(row, &i)| (likely[row * k + c], values[i as usize * k + c] > 0.5))
        .collect();
    let all = rows.iter().filter(|(_, of)| *of).count();
    if all == 0 || all == rows.len() {
        return HALF;
    }
    rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let f1 = |hits: usize, said: usize| 2.0 * hits as f64 / (said + all) as f64;
    let half = rows.iter().take_while(|(p, _)| *p >= HALF).count();
    let at_half = f1(rows[..half].iter().filter(|(_, of)| *of).count(), half);
    let (mut best, mut found, mut hits, mut said) = (at_half, HALF, 0, 0);
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        hits += tied.iter().filter(|(_, of)| *of).count();
        said += tied.len();
        let next = rows.get(said).map_or(0.0, |(p, _)| *p);
        if f1(hits, said) > best + 1e-12 {
            (best, found) = (f1(hits, said), (tied[0].0 + next) / 2.0);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scikit-learn 1.7 on the same numbers: `average_precision_score`, `f1_score` and `accuracy_score`.
    #[test]
    fn scores_are_those_of_the_textbook() {
        let names = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let values = [1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        let likely = [0.9, 0.2, 0.8, 0.6, 0.7, 0.4, 0.3, 0.9, 0.1, 0.2, 0.4, 0.3];
        let scores = label_scores(&likely, (&values, &names), &[0, 1, 2, 3], &[0.5; 3]);
        // Rows: right; a wrong, c wrong; a wrong; right.
        assert_eq!((scores.exact, scores.samples), (0.5, 4));
        assert!((scores.hamming - 9.0 / 12.0).abs() < 1e-12);
        let [a, b, c] = &scores.per_label[..] else { panic!("three labels") };
        assert_eq!((a.precision, a.recall, a.support), (0.5, 0.5, 2));
        assert_eq!((b.f1, c.recall), (1.0, 0.5));
        assert!((a.average_precision.unwrap() - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
        assert!((scores.map - (5.0 / 6.0 + 1.0 + 1.0) / 3.0).abs() < 1e-12);
        assert!((scores.micro_f1 - 2.0 * 4.0 / (5.0 + 6.0)).abs() < 1e-12);
        let none = label_scores(&[0.1, 0.9], (&[0.0, 1.0], &names[..1]), &[0, 1], &[]);
        assert_eq!((none.exact, none.per_label[0].threshold), (1.0, HALF));
    }

    #[test]
    fn thresholds_are_chosen_where_they_help_and_stay_in_the_middle_where_not() {
        // All are below a half, the second label is told by a half already, the third never occurs.
        let likely = [0.3, 0.9, 0.2, 0.1, 0.2, 0.3, 0.25, 0.8, 0.1];
        let values = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0];
        let found = thresholds(&likely, &values, &[0, 1, 2], 3);
        assert!((found[0] - 0.175).abs() < 1e-6, "{found:?}");
        assert_eq!(found[1..], [HALF, HALF]);
    }
}
