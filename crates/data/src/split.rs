//! Which samples are for training and which for validation.

use std::collections::BTreeMap;

use crate::Error;
use crate::shuffle::{generator, shuffle};

/// Indices into the training data set, each in exactly one part, in rising order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The samples for training.
    pub train: Vec<u32>,
    /// The samples for validation: they are not trained on, and the training is judged by them.
    pub validation: Vec<u32>,
}

/// A part of a data set: what its samples are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Training.
    Train,
    /// Validation: judging the training while it goes.
    Validation,
    /// The test, once, at the end.
    Test,
}

impl Part {
    /// The part that a folder or a cell is named after, in any case: `train`, `training`, `trn`; `val`, `valid`,
    /// `validation`, `validate`, `dev`, `development`; `test`, `testing`, `tst`, `eval`, `evaluation`, `holdout`; also
    /// with `set`, `data` or `images` behind it, as in `Training Set`, `test_data`, `devset`.
    ///
    /// ```
    /// use foveal_data::Part;
    ///
    /// assert_eq!(Part::named("Training Set"), Some(Part::Train));
    /// assert_eq!(Part::named("dev"), Some(Part::Validation));
    /// assert_eq!(Part::named("hold-out"), Some(Part::Test));
    /// assert_eq!(Part::named("invalid"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        let letters: String = name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).collect();
        let letters = letters.to_lowercase();
        let stem = ["set", "data", "images"].iter().find_map(|end| letters.strip_suffix(end));
        match stem.unwrap_or(&letters) {
            "train" | "training" | "trn" => Some(Part::Train),
            "val" | "valid" | "validation" | "validate" | "dev" | "development" => Some(Part::Validation),
            "test" | "testing" | "tst" | "eval" | "evaluation" | "holdout" => Some(Part::Test),
            _ => None,
        }
    }
}

impl Split {
    /// The last `n_validation` of `n` samples are for validation: where the validation samples of a data
    /// set stand that names them itself.
    ///
    /// # Errors
    /// As [`Split::first`].
    pub fn last(n: usize, n_validation: usize) -> Result<Self, Error> {
        let Split { train, .. } = Split::first(n, n_validation)?;
        let cut = train.len() as u32;
        Ok(Split { train: (0..cut).collect(), validation: (cut..n as u32).collect() })
    }

    /// The first `n_validation` of `n` samples are for validation and the rest for training, as
    /// TensorFlow's MNIST tutorial cuts 60,000 into 5,000 and 55,000.
    ///
    /// # Errors
    /// [`Error::Argument`] when nothing would be left for training (except `n` = 0), and when `n`
    /// exceeds `u32::MAX`.
    ///
    /// ```
    /// let split = foveal_data::Split::first(60_000, 5_000)?;
    /// assert_eq!((split.train.len(), split.train[0]), (55_000, 5_000));
    /// # Ok::<(), foveal_data::Error>(())
    /// ```
    pub fn first(n: usize, n_validation: usize) -> Result<Self, Error> {
        let end = sample_count(n)?;
        if n_validation > n || (n_validation == n && n > 0) {
            return Err(Error::Argument {
                argument: "number of validation samples",
                value: n_validation.to_string(),
                allowed: format!("below the number of samples, {n}"),
            });
        }
        let cut = n_validation as u32;
        Ok(Split { train: (cut..end).collect(), validation: (0..cut).collect() })
    }

    /// `fraction` of `n` samples, drawn by `seed`, are for validation.
    ///
    /// With `labels`, each class gives its share (rounded by largest remainders) and, where there is room for one of each
    /// class, at least one; every class keeps at least one sample for training.
    ///
    /// # Errors
    /// [`Error::Argument`] when `fraction` is not in 0..1, `labels` is not `n` long, or `n`
    /// exceeds `u32::MAX`.
    ///
    /// ```
    /// let labels = [0, 0, 0, 0, 1, 1, 1, 1];
    /// let split = foveal_data::Split::random(8, Some(&labels), 0.25, 0)?;
    /// let classes: Vec<u32> = split.validation.iter().map(|&i| labels[i as usize]).collect();
    /// assert_eq!(classes, [0, 1]);
    /// # Ok::<(), foveal_data::Error>(())
    /// ```
    pub fn random(n: usize, labels: Option<&[u32]>, fraction: f64, seed: u64) -> Result<Self, Error> {
        let end = sample_count(n)?;
        if !(0.0..1.0).contains(&fraction) {
            return Err(Error::Argument {
                argument: "validation fraction",
                value: fraction.to_string(),
                allowed: "at least 0 and below 1".to_string(),
            });
        }
        let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        match labels {
            None => drop(groups.insert(0, (0..end).collect())),
            Some(labels) if labels.len() == n => {
                for (index, &label) in (0..end).zip(labels) {
                    groups.entry(label).or_default().push(index);
                }
            }
            Some(labels) => {
                return Err(Error::Argument {
                    argument: "number of labels",
                    value: labels.len().to_string(),
                    allowed: format!("the number of samples, {n}"),
                });
            }
        }
        let groups: Vec<Vec<u32>> = groups.into_values().collect();
        Ok(draw(groups, fraction, seed))
    }
}

fn sample_count(n: usize) -> Result<u32, Error> {
    u32::try_from(n).map_err(|_| Error::Argument {
        argument: "number of samples",
        value: n.to_string(),
        allowed: format!("at most {}", u32::MAX),
    })
}

fn draw(mut groups: Vec<Vec<u32>>, fraction: f64, seed: u64) -> Split {
    let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
    let quotas = shares(&sizes, fraction);
    let mut generator = generator(seed, u64::MAX);
    let mut split = Split { train: Vec::new(), validation: Vec::new() };
    for (group, quota) in groups.iter_mut().zip(quotas) {
        shuffle(group, &mut generator);
        let (validation, train) = group.split_at(quota);
        split.validation.extend_from_slice(validation);
        split.train.extend_from_slice(train);
    }
    split.train.sort_unstable();
    split.validation.sort_unstable();
    split
}

/// How many of each group go to validation: `fraction` of the whole, by largest remainders, and
/// never all of a group. Where there is room for one of each group, none is left out that has two.
fn shares(sizes: &[usize], fraction: f64) -> Vec<usize> {
    let total: usize = sizes.iter().sum();
    let wanted = (fraction * total as f64).round() as usize;
    let exact: Vec<f64> = sizes.iter().map(|&size| fraction * size as f64).collect();
    let most = |i: usize| sizes[i].saturating_sub(1);
    let mut quotas: Vec<usize> = (0..sizes.len()).map(|i| (exact[i].floor() as usize).min(most(i))).collect();
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
    if sizes.len() <= wanted {
        (0..sizes.len()).filter(|&i| most(i) > 0).for_each(|i| quotas[i] = quotas[i].max(1));
    }
    let mut missing = wanted.saturating_sub(quotas.iter().sum());
    for i in by_remainder {
        if missing > 0 && quotas[i] < most(i) && (quotas[i] as f64) < exact[i] {
            quotas[i] += 1;
            missing -= 1;
        }
    }
    quotas
}
