//! What deserves a look, by kind.

use std::fmt;

/// Something in a data set that deserves a look. Samples are indices, in rising order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// A class without samples.
    EmptyClass {
        /// The name of the class.
        class: String,
    },
    /// A class with a single sample: it cannot be learnt and judged.
    SingleSample {
        /// The name of the class.
        class: String,
        /// The sample.
        sample: usize,
    },
    /// Nearly as many classes as samples.
    ManyClasses {
        /// How many classes have samples.
        classes: usize,
    },
    /// Two classes whose names differ in case, blanks or one letter.
    AlikeClasses {
        /// The names, the class with more samples first.
        classes: [String; 2],
        /// How many samples each has.
        counts: [u64; 2],
        /// The samples of the smaller one.
        samples: Vec<usize>,
    },
    /// A class with more than ten times the samples of another.
    Imbalance {
        /// The largest class and its samples.
        most: (String, u64),
        /// The smallest class that has samples.
        least: (String, u64),
    },
    /// A target of which all samples have the same value.
    ConstantTarget {
        /// What it is called.
        target: String,
        /// The value.
        value: f64,
    },
    /// Values far from all others.
    OutlyingTargets {
        /// What the target is called.
        target: String,
        /// The samples.
        samples: Vec<usize>,
        /// The least and the greatest of these values.
        range: [f64; 2],
        /// The median of all values.
        median: f64,
    },
    /// Samples with a pixel that is NaN or infinite.
    NotFinite {
        /// The samples.
        samples: Vec<usize>,
    },
    /// Pictures whose pixels are all equal, and texts without a single token of the vocabulary.
    Blank {
        /// The samples.
        samples: Vec<usize>,
    },
    /// Samples whose pixels also stand in an earlier sample.
    Duplicates {
        /// Each with the earlier one, which comes first.
        pairs: Vec<[usize; 2]>,
    },
    /// Samples whose pixels also stand in an earlier sample of another class.
    Contradictions {
        /// Each with the earlier one, which comes first.
        pairs: Vec<[usize; 2]>,
    },
}

impl Fault {
    /// The samples that it is about, those that are alike side by side; none where it is about classes or targets.
    pub fn samples(&self) -> Vec<usize> {
        match self {
            Fault::SingleSample { sample, .. } => vec![*sample],
            Fault::AlikeClasses { samples, .. }
            | Fault::OutlyingTargets { samples, .. }
            | Fault::NotFinite { samples }
            | Fault::Blank { samples } => samples.clone(),
            Fault::Duplicates { pairs } | Fault::Contradictions { pairs } => pairs.concat(),
            Fault::EmptyClass { .. }
            | Fault::ManyClasses { .. }
            | Fault::Imbalance { .. }
            | Fault::ConstantTarget { .. } => Vec::new(),
        }
    }

    /// How many samples it is about, not counting the earlier ones that they repeat.
    pub fn count(&self) -> usize {
        match self {
            Fault::Duplicates { pairs } | Fault::Contradictions { pairs } => pairs.len(),
            _ => self.samples().len(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.count();
        match self {
            Fault::EmptyClass { class } => write!(f, "class {class:?} has no samples"),
            Fault::SingleSample { class, .. } => write!(f, "class {class:?} has a single sample"),
            Fault::ManyClasses { classes } => {
                write!(f, "{classes} classes, hardly fewer than samples: are the columns swapped?")
            }
            Fault::AlikeClasses { classes: [a, b], counts: [m, n], .. } => {
                write!(f, "classes {a:?} ({m} samples) and {b:?} ({n}) are spelled alike")
            }
            Fault::Imbalance { most: (a, m), least: (b, n) } => {
                write!(f, "class {a:?} has {m} samples, class {b:?} has {n}: more than ten to one")
            }
            Fault::ConstantTarget { target, value } => {
                write!(f, "target {target:?} is {value} in every sample")
            }
            Fault::OutlyingTargets { target, range: [low, high], median, .. } => {
                let range = if low == high { format!("{low}") } else { format!("{low} to {high}") };
                write!(
                    f,
                    "target {target:?} of {n} samples is {range}, far from the others (median {median})"
                )
            }
            Fault::NotFinite { .. } => write!(f, "{n} samples hold NaN or infinity"),
            Fault::Blank { .. } => write!(f, "{n} samples are blank"),
            Fault::Duplicates { .. } => write!(f, "{n} samples repeat an earlier one"),
            Fault::Contradictions { .. } => {
                write!(f, "{n} samples repeat an earlier one under another class")
            }
        }
    }
}
