//! Slices of many files: which belong together, in which order, and to which patient.

use std::collections::{BTreeMap, HashMap};

use super::header::{Header, Id};
use crate::Part;

/// How far the directions of slices in one stack may differ, in each component.
const ASKEW: f64 = 1e-3;
/// One in so many patients is for validation, and one for the test.
const SHARE: usize = 10;

/// Parallel slices of one series, in the order of their places.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Stack {
    /// Indices of the slices, by place along their normal.
    pub slices: Vec<usize>,
    /// The least and the greatest distance between neighbours, in millimetres; `None` for one slice.
    pub distances: Option<[f64; 2]>,
}

/// The stacks that slices make, in the order of their first slices. Slices of one series that look
/// in another direction or have another size, as a localizer has, are a stack of their own.
///
/// A slice's place is its `ImagePositionPatient` along the normal of its `ImageOrientationPatient`;
/// `InstanceNumber` does not count.
pub fn stacks(headers: &[Header]) -> Vec<Stack> {
    let mut of_series: HashMap<Id, Vec<usize>> = HashMap::new();
    let mut stacks: Vec<Vec<usize>> = Vec::new();
    for (i, header) in headers.iter().enumerate() {
        let own = of_series.entry(header.series).or_default();
        match own.iter().find(|&&s| parallel(&headers[stacks[s][0]], header)) {
            Some(&stack) => stacks[stack].push(i),
            None => {
                own.push(stacks.len());
                stacks.push(vec![i]);
            }
        }
    }
    let ordered = |mut slices: Vec<usize>| {
        // All places are measured along the same normal, so that rounding cannot swap neighbours.
        let normal = headers[slices[0]].normal();
        let place = |i: usize| normal.iter().zip(headers[i].position).map(|(n, p)| n * p).sum::<f64>();
        slices.sort_by(|&a, &b| place(a).total_cmp(&place(b)).then(a.cmp(&b)));
        let gaps = slices.windows(2).map(|pair| place(pair[1]) - place(pair[0]));
        let distances = gaps.fold(None, |found: Option<[f64; 2]>, gap| {
            Some(found.map_or([gap; 2], |[low, high]| [low.min(gap), high.max(gap)]))
        });
        Stack { slices, distances }
    };
    stacks.into_iter().map(ordered).collect()
}

fn parallel(a: &Header, b: &Header) -> bool {
    a.size == b.size && a.orientation.iter().zip(b.orientation).all(|(x, y)| (x - y).abs() < ASKEW)
}

/// The owner of each slice, for splits: its patient, or its study if the file names no patient, or its
/// series if it names no study.
pub fn owners(headers: &[Header]) -> Vec<Id> {
    headers.iter().map(|h| h.patient.or(h.study).unwrap_or(h.series)).collect()
}

/// The part of each slice; all slices of an owner ([`owners`]) are in the same part. Owners are sorted by
/// hash: the first tenth is for the test, the next for validation, each at least one owner where there
/// are three or more. Of two owners one is for validation, and a single owner is for training. The result
/// depends neither on a seed nor on the order of the files.
pub fn parts(owners: &[Id]) -> Vec<Part> {
    let mut all: Vec<Id> = owners.to_vec();
    all.sort_unstable();
    all.dedup();
    let share = ((all.len() + SHARE / 2) / SHARE).max(1);
    let (test, validation) = match all.len() {
        0 | 1 => (0, 0),
        2 => (0, 1),
        _ => (share, share),
    };
    let part = |owner: &Id| match all.binary_search(owner).unwrap_or(usize::MAX) {
        rank if rank < test => Part::Test,
        rank if rank < test + validation => Part::Validation,
        _ => Part::Train,
    };
    owners.iter().map(part).collect()
}

/// Two slices of one owner in different parts, if there are any.
pub fn divided(owners: &[Id], parts: &[Part]) -> Option<[usize; 2]> {
    let mut first: BTreeMap<Id, usize> = BTreeMap::new();
    owners.iter().zip(parts).enumerate().find_map(|(i, (owner, part))| {
        let before = *first.entry(*owner).or_insert(i);
        (parts[before] != *part).then_some([before, i])
    })
}
