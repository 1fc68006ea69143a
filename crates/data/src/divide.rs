//! Which samples of a data set are held out: for validation and for the test, or fold by fold.

use crate::groups::Groups;
use crate::{Error, Part, Split};

/// Indices into a data set, each in one part, in rising order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divided {
    /// Samples to learn from.
    pub train: Vec<u32>,
    /// Samples that the training is judged by while it goes.
    pub validation: Vec<u32>,
    /// Samples that are looked at once, at the end.
    pub test: Vec<u32>,
}

/// Divides samples by `seed`: about the shares `held` of all are for validation and for the test. With `labels` each
/// part gets its share of each class, with `groups` none of these stands in two parts. There is a label a sample, or
/// there are none; `n` samples.
///
/// # Errors
/// [`Error::Argument`] when shares are not in 0..1 or sum to 1 or more, and for what [`Split::random`] refuses.
///
/// ```
/// use foveal_data::divide::divide;
///
/// let labels: Vec<u32> = (0..40).map(|i| i % 2).collect();
/// let parts = divide(40, Some(&labels), None, [0.2, 0.1], 0)?;
/// assert_eq!((parts.train.len(), parts.validation.len(), parts.test.len()), (28, 8, 4));
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn divide(
    n: usize,
    labels: Option<&[u32]>,
    groups: Option<&Groups>,
    held: [f64; 2],
    seed: u64,
) -> Result<Divided, Error> {
    let [validation, test] = held;
    if !(held.iter().all(|share| (0.0..1.0).contains(share)) && validation + test < 1.0) {
        return Err(Error::Argument {
            argument: "shares of validation and test",
            value: format!("{validation} and {test}"),
            allowed: "at least 0, and below 1 together".to_string(),
        });
    }
    if let Some(groups) = groups {
        let parts = groups.parts(labels, held, seed);
        let of = |part| (0..n as u32).filter(|&i| parts[i as usize] == part).collect();
        let [train, validation, test] = [Part::Train, Part::Validation, Part::Test].map(of);
        return Ok(Divided { train, validation, test });
    }
    let Split { train: rest, validation: test } = Split::random(n, labels, test, seed)?;
    let own: Option<Vec<u32>> = labels.map(|labels| rest.iter().map(|&i| labels[i as usize]).collect());
    let share = validation * n as f64 / rest.len().max(1) as f64;
    let Split { train, validation } = Split::random(rest.len(), own.as_deref(), share.min(1.0 - 1e-9), seed)?;
    let back = |places: Vec<u32>| places.into_iter().map(|at| rest[at as usize]).collect();
    Ok(Divided { train: back(train), validation: back(validation), test })
}

/// Divides the samples at `pool` into `k` folds, each the test once: what is left of the pool is divided into training
/// and validation, of which `validation` is the share of the pool. Classes are in proportion, groups stay whole.
///
/// # Errors
/// [`Error::Argument`] when there are fewer than `k` groups (samples without groups), or `k` is below 2; those of
/// [`divide`].
///
/// ```
/// use foveal_data::{divide::folds, groups::Groups};
///
/// // Twelve patients of two slices, every other one ill.
/// let labels: Vec<u32> = (0..24).map(|i| i / 2 % 2).collect();
/// let pool: Vec<u32> = (0..24).collect();
/// let groups = Groups::by((0..24).map(|i| i / 2));
/// let folds = folds(&pool, Some(&labels), Some(&groups), 4, 0.1, 0)?;
/// assert!(folds.iter().all(|fold| fold.test.len() == 6 && fold.validation.len() == 4));
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn folds(
    pool: &[u32],
    labels: Option<&[u32]>,
    groups: Option<&Groups>,
    k: usize,
    validation: f64,
    seed: u64,
) -> Result<Vec<Divided>, Error> {
    let of = |indices: &[u32]| -> Option<Vec<u32>> {
        labels.map(|labels| indices.iter().map(|&i| labels[i as usize]).collect())
    };
    let own = groups.map_or_else(|| Groups::by(pool), |groups| groups.within(pool));
    if k < 2 || own.len() < k {
        return Err(Error::Argument {
            argument: "number of folds",
            value: k.to_string(),
            allowed: format!("at least 2, and at most the number of groups, {}", own.len()),
        });
    }
    let fold = own.folds(of(pool).as_deref(), k, seed);
    (0..k)
        .map(|f| {
            let part = |test: bool| -> Vec<u32> {
                let each = pool.iter().zip(&fold).filter(|&(_, &own)| (own == f) == test);
                each.map(|(&i, _)| i).collect()
            };
            let (test, rest) = (part(true), part(false));
            let share = (validation * pool.len() as f64 / rest.len().max(1) as f64).min(0.9);
            let groups = groups.map(|groups| groups.within(&rest));
            let Divided { train, validation, .. } =
                divide(rest.len(), of(&rest).as_deref(), groups.as_ref(), [share, 0.0], seed)?;
            let back = |places: Vec<u32>| places.into_iter().map(|at| rest[at as usize]).collect();
            Ok(Divided { train: back(train), validation: back(validation), test })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_groups_and_test_it_is_the_split_of_before() {
        let labels: Vec<u32> = (0..103).map(|i| i * 7 % 3).collect();
        let split = Split::random(103, Some(&labels), 0.1, 5).unwrap();
        let parts = divide(103, Some(&labels), None, [0.1, 0.0], 5).unwrap();
        assert_eq!((parts.train, parts.validation, parts.test), (split.train, split.validation, vec![]));
        assert!(divide(10, None, None, [0.5, 0.5], 0).is_err());
        assert!(divide(10, None, None, [f64::NAN, 0.0], 0).is_err());
    }

    #[test]
    fn each_sample_is_tested_once_and_groups_stay_whole() {
        let labels: Vec<u32> = (0..60).map(|i| i / 3 % 2).collect();
        let groups = Groups::by((0..60).map(|i| i / 3));
        let pool: Vec<u32> = (6..60).collect();
        let folds = folds(&pool, Some(&labels), Some(&groups), 5, 0.15, 3).unwrap();
        let mut tested: Vec<u32> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
        tested.sort_unstable();
        assert_eq!(tested, pool);
        for fold in &folds {
            let parts = [&fold.train, &fold.validation, &fold.test];
            assert_eq!(parts.iter().map(|part| part.len()).sum::<usize>(), 54);
            assert_eq!(parts.iter().map(|part| groups.count(part)).sum::<usize>(), 18, "a group is divided");
            for part in parts {
                assert!((0..2).all(|class| part.iter().any(|&i| labels[i as usize] == class)), "{part:?}");
            }
        }
        assert!(super::folds(&pool, None, Some(&groups), 19, 0.1, 0).is_err());
    }
}
