//! Groups of samples judged as one: a patient by all slices.

use serde::Serialize;

/// How many groups are right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grouped {
    /// How many groups there are.
    pub groups: u64,
    /// How many of them are right: their likeliest class by the mean of their samples' probabilities.
    pub right: u64,
}

impl Grouped {
    /// Judges groups by `probabilities`, a row for each of `labels`; `groups` are the groups of these samples, counted from
    /// 0. `None` where a group has samples of several classes, and where there are no samples.
    ///
    /// ```
    /// use foveal_train::Grouped;
    ///
    /// // Two patients of two slices; one slice of the first is wrong, the patient is right.
    /// let p = [0.9, 0.1, 0.4, 0.6, 0.2, 0.8, 0.3, 0.7];
    /// let of = Grouped::of(&p, &[0, 0, 1, 1], &[0, 0, 1, 1]).unwrap();
    /// assert_eq!((of.groups, of.right), (2, 2));
    /// ```
    pub fn of(probabilities: &[f32], labels: &[u32], groups: &[u32]) -> Option<Self> {
        let width = probabilities.len().checked_div(labels.len())?;
        let n = groups.iter().max()? + 1;
        let mut sums = vec![vec![0.0f64; width]; n as usize];
        let mut label: Vec<Option<u32>> = vec![None; n as usize];
        for ((row, &own), &group) in probabilities.chunks_exact(width).zip(labels).zip(groups) {
            let group = group as usize;
            if *label[group].get_or_insert(own) != own {
                return None;
            }
            sums[group].iter_mut().zip(row).for_each(|(sum, &p)| *sum += f64::from(p));
        }
        let top = |row: &[f64]| (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
        let right = sums.iter().zip(&label).filter(|(sum, label)| Some(top(sum) as u32) == **label);
        Some(Self { groups: u64::from(n), right: right.count() as u64 })
    }
}
