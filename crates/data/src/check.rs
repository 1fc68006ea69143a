//! What is in a data set, and what is wrong with it.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};

use crate::text::UNKNOWN;
use crate::{Dataset, Sample, Samples};

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
    /// What deserves a look, in the order of the variants of [`Fault`].
    pub faults: Vec<Fault>,
}

/// Something in a data set that deserves a look.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A class without samples.
    EmptyClass {
        /// The name of the class.
        class: String,
    },
    /// Samples with a pixel that is NaN or infinite.
    NotFinite {
        /// How many samples.
        count: usize,
        /// The first of them.
        first: usize,
    },
    /// Pictures whose pixels are all equal, and texts without a single token of the vocabulary.
    Blank {
        /// How many samples.
        count: usize,
        /// The first of them.
        first: usize,
    },
    /// Samples whose pixels also stand in an earlier sample.
    Duplicates {
        /// How many samples, not counting the first of each group.
        count: usize,
        /// The first of them.
        first: usize,
    },
    /// Samples whose pixels also stand in an earlier sample of another class.
    Contradictions {
        /// How many samples.
        count: usize,
        /// The first of them.
        first: usize,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::EmptyClass { class } => write!(f, "class {class:?} has no samples"),
            Fault::NotFinite { count, first } => {
                write!(f, "{count} samples hold NaN or infinity, first {first}")
            }
            Fault::Blank { count, first } => {
                write!(f, "{count} samples are blank, first {first}")
            }
            Fault::Duplicates { count, first } => {
                write!(f, "{count} samples repeat an earlier one, first {first}")
            }
            Fault::Contradictions { count, first } => {
                write!(f, "{count} samples repeat an earlier one under another class, first {first}")
            }
        }
    }
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
    /// assert_eq!(report.faults, [Fault::Blank { count: 1, first: 1 }]);
    /// # Ok::<(), foveal_data::Error>(())
    /// ```
    pub fn check(&self) -> Report {
        let class_counts = self.class_counts();
        let (mean, std) = self.moments();
        let names = self.classes().unwrap_or_default();
        let mut faults: Vec<Fault> = names
            .iter()
            .zip(&class_counts)
            .filter(|&(_, &count)| count == 0)
            .map(|(class, _)| Fault::EmptyClass { class: class.clone() })
            .collect();
        faults.extend(self.sample_faults());
        Report { samples: self.len(), class_counts, mean, std, faults }
    }

    fn sample_faults(&self) -> Vec<Fault> {
        let mut not_finite = Tally::default();
        let mut blank = Tally::default();
        let mut duplicates = Tally::default();
        let mut contradictions = Tally::default();
        let mut seen = Known::default();
        for i in 0..self.len() {
            let sample = self.sample(i);
            not_finite.add_if(i, has_non_finite(&sample));
            blank.add_if(i, if self.text(i).is_some() { unknown(&sample) } else { is_constant(&sample) });
            let content = content(self, i);
            let earlier = seen.find(self, &content).unwrap_or(i);
            if earlier == i {
                seen.add(i, &content);
            }
            duplicates.add_if(i, earlier < i);
            contradictions.add_if(i, self.label(earlier) != self.label(i));
        }
        let faults = [
            not_finite.fault(|count, first| Fault::NotFinite { count, first }),
            blank.fault(|count, first| Fault::Blank { count, first }),
            duplicates.fault(|count, first| Fault::Duplicates { count, first }),
            contradictions.fault(|count, first| Fault::Contradictions { count, first }),
        ];
        faults.into_iter().flatten().collect()
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

/// How many samples were counted, and the first of them.
#[derive(Default)]
struct Tally {
    count: usize,
    first: usize,
}

impl Tally {
    fn add_if(&mut self, index: usize, condition: bool) {
        if condition {
            if self.count == 0 {
                self.first = index;
            }
            self.count += 1;
        }
    }

    fn fault(&self, make: impl Fn(usize, usize) -> Fault) -> Option<Fault> {
        (self.count > 0).then(|| make(self.count, self.first))
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
