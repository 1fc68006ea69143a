//! What is in a data set, and what is wrong with it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use crate::text::UNKNOWN;
use crate::{Dataset, Sample, Samples};
pub use fault::Fault;
pub use labels::TargetFacts;

mod fault;
mod labels;

/// What [`Dataset::check`] finds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// Number of samples.
    pub samples: usize,
    /// Samples in each class; empty for a regression.
    pub class_counts: Vec<u64>,
    /// Mean of all pixels. Raw bytes are scaled to 0..1; `f32` samples are taken as they are,
    /// without those that are not finite. 0 when there are no pixels.
    pub mean: f64,
    /// Standard deviation of all pixels (of the population), on the same scale.
    pub std: f64,
    /// Of a regression: what the values of each target are like.
    pub targets: Vec<TargetFacts>,
    /// What deserves a look, in the order of the variants of [`Fault`].
    pub faults: Vec<Fault>,
}

impl Dataset {
    /// Counts, mean and deviation, and what deserves a look.
    ///
    /// ```
    /// use foveal_data::{Dataset, Fault, Samples, Targets};
    ///
    /// let targets = Targets::Values { values: vec![1.0, 2.0], names: vec!["age".into()] };
    /// let set = Dataset::new("two", [1, 2, 1], Samples::U8(vec![0, 255, 0, 0]), targets)?;
    /// let report = set.check();
    /// assert_eq!(report.mean, 0.25);
    /// assert_eq!(report.faults, [Fault::Blank { samples: vec![1] }]);
    /// # Ok::<(), foveal_data::Error>(())
    /// ```
    pub fn check(&self) -> Report {
        let class_counts = self.class_counts();
        let (mean, std) = self.moments();
        let mut faults = labels::classes(self);
        let (targets, odd) = labels::values(self);
        faults.extend(odd);
        faults.extend(self.sample_faults());
        Report { samples: self.len(), class_counts, mean, std, targets, faults }
    }

    fn sample_faults(&self) -> Vec<Fault> {
        let (mut not_finite, mut blank) = (Vec::new(), Vec::new());
        let (mut duplicates, mut contradictions) = (Vec::new(), Vec::new());
        let mut seen = Known::default();
        for i in 0..self.len() {
            let sample = self.sample(i);
            if has_non_finite(&sample) {
                not_finite.push(i);
            }
            if if self.text(i).is_some() { unknown(&sample) } else { is_constant(&sample) } {
                blank.push(i);
            }
            let content = content(self, i);
            match seen.find(self, &content) {
                Some(earlier) => {
                    duplicates.push([earlier, i]);
                    if self.label(earlier) != self.label(i) {
                        contradictions.push([earlier, i]);
                    }
                }
                None => seen.add(i, &content),
            }
        }
        let faults = [
            Fault::NotFinite { samples: not_finite },
            Fault::Blank { samples: blank },
            Fault::Duplicates { pairs: duplicates },
            Fault::Contradictions { pairs: contradictions },
        ];
        faults.into_iter().filter(|fault| fault.count() > 0).collect()
    }
}

/// How many samples of `b` have exactly the pixels of a sample of `a`: a test set must not share samples
/// with the set that was trained on. Samples of different shape or number type are never equal.
pub fn duplicates_between(a: &Dataset, b: &Dataset) -> usize {
    if a.shape() != b.shape() {
        return 0;
    }
    let mut known = Known::default();
    (0..a.len()).for_each(|i| known.add(i, &content(a, i)));
    (0..b.len()).filter(|&i| known.find(a, &content(b, i)).is_some()).count()
}

/// What is odd about the values of a regression: constant and outlying targets. Nothing for classes.
pub fn odd_targets(data: &Dataset) -> Vec<Fault> {
    labels::values(data).1
}

/// The samples that hold NaN or infinity.
pub fn not_finite(data: &Dataset) -> Vec<usize> {
    match data.samples() {
        Samples::F32(_) => (0..data.len()).filter(|&i| has_non_finite(&data.sample(i))).collect(),
        _ => Vec::new(),
    }
}

/// Pairs of equal samples: the first of them, then one that repeats it. Blank pictures are not compared: they say
/// nothing about each other.
///
/// ```
/// use foveal_data::{Dataset, Samples, Targets, check::repeats};
///
/// let targets = Targets::Classes { labels: vec![0, 1, 0, 1], names: vec!["a".into(), "b".into()] };
/// let set = Dataset::new("four", [1, 2, 1], Samples::U8(vec![1, 2, 3, 3, 1, 2, 3, 3]), targets)?;
/// assert_eq!(repeats(&set), [[0, 2]]);
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn repeats(data: &Dataset) -> Vec<[usize; 2]> {
    let mut known = Known::default();
    let mut pairs = Vec::new();
    for i in 0..data.len() {
        let content = content(data, i);
        match known.find(data, &content) {
            _ if data.text(i).is_none() && is_constant(&content) => {}
            Some(first) => pairs.push([first, i]),
            None => known.add(i, &content),
        }
    }
    pairs
}

/// What a sample is compared by: the bytes of its text, or its pixels.
fn content(data: &Dataset, i: usize) -> Sample<'_> {
    data.text(i).map_or_else(|| data.sample(i), |text| Sample::U8(text.as_bytes().into()))
}

/// Finds samples of a data set by their pixels, where NaN counts as equal to itself. Only hashes are kept; a sample
/// with the same hash is then compared in full.
#[derive(Default)]
struct Known(HashMap<u64, usize>);

impl Known {
    fn add(&mut self, index: usize, sample: &Sample<'_>) {
        self.0.entry(hash(sample)).or_insert(index);
    }

    fn find(&self, of: &Dataset, sample: &Sample<'_>) -> Option<usize> {
        let &index = self.0.get(&hash(sample))?;
        same(&content(of, index), sample).then_some(index)
    }
}

fn hash(sample: &Sample<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    match sample {
        Sample::U8(pixels) => hasher.write(pixels),
        Sample::F32(pixels) => pixels.iter().for_each(|pixel| hasher.write_u32(pixel.to_bits())),
    }
    hasher.finish()
}

fn same(a: &Sample<'_>, b: &Sample<'_>) -> bool {
    match (a, b) {
        (Sample::U8(a), Sample::U8(b)) => a == b,
        (Sample::F32(a), Sample::F32(b)) => {
            a.len() == b.len() && a.iter().zip(*b).all(|(a, b)| a.to_bits() == b.to_bits())
        }
        _ => false,
    }
}

fn has_non_finite(sample: &Sample<'_>) -> bool {
    match sample {
        Sample::U8(_) => false,
        Sample::F32(pixels) => pixels.iter().any(|pixel| !pixel.is_finite()),
    }
}

/// Whether a text holds no token that the vocabulary has.
fn unknown(sample: &Sample<'_>) -> bool {
    match sample {
        Sample::U8(numbers) => numbers.iter().all(|&n| usize::from(n) <= UNKNOWN),
        Sample::F32(numbers) => numbers.iter().all(|&n| n <= UNKNOWN as f32),
    }
}

fn is_constant(sample: &Sample<'_>) -> bool {
    match sample {
        Sample::U8(pixels) => pixels.windows(2).all(|pair| pair[0] == pair[1]),
        Sample::F32(pixels) => pixels.windows(2).all(|pair| pair[0] == pair[1]),
    }
}

impl Dataset {
    /// Mean and standard deviation: exact sums for bytes, two passes in `f64` for `f32`.
    fn moments(&self) -> (f64, f64) {
        if let Samples::F32(pixels) = self.samples() {
            let finite = || pixels.iter().map(|&p| f64::from(p)).filter(|p| p.is_finite());
            let count = (finite().count() as f64).max(1.0);
            let mean = finite().sum::<f64>() / count;
            let variance = finite().map(|p| (p - mean).powi(2)).sum::<f64>() / count;
            return (mean, variance.sqrt());
        }
        let mut histogram = [0u64; 256];
        for i in 0..self.len() {
            if let Sample::U8(pixels) = self.sample(i) {
                pixels.iter().for_each(|&pixel| histogram[usize::from(pixel)] += 1);
            }
        }
        let weighted = |power: i32| -> f64 {
            let values = histogram.iter().enumerate();
            values.map(|(value, &count)| (value as f64 / 255.0).powi(power) * count as f64).sum()
        };
        let count = (histogram.iter().sum::<u64>() as f64).max(1.0);
        let mean = weighted(1) / count;
        (mean, (weighted(2) / count - mean * mean).max(0.0).sqrt())
    }
}
