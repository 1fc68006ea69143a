//! Samples with their targets; whether they fit together is checked once, when a set is made.

use std::borrow::Cow;
use std::sync::Arc;

use crate::text::{MAX_LENGTH, Vocabulary};
use crate::{Error, Stored, Targets};

/// The most numbers of all rows together.
const MAX_NUMBERS: usize = 1 << 28;

/// The pixels of all samples, in NHWC order: `n * height * width * channels` numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// Raw pixel values, 0 to 255.
    U8(Vec<u8>),
    /// Numbers as they were read; the model sees them after its preprocessing, like pixel values.
    F32(Vec<f32>),
    /// Raw pixel values, 0 to 255, that are not in memory.
    Stored(Stored),
}

impl Samples {
    /// How many numbers there are.
    pub fn len(&self) -> usize {
        match self {
            Samples::U8(pixels) => pixels.len(),
            Samples::F32(pixels) => pixels.len(),
            Samples::Stored(stored) => stored.samples().saturating_mul(stored.size()),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The pixels of one sample: `height * width * channels` numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Sample<'a> {
    /// Raw pixel values, 0 to 255; owned if they had to be read from where they are stored.
    U8(Cow<'a, [u8]>),
    /// Numbers as they were read; the model sees them after its preprocessing, like pixel values.
    F32(&'a [f32]),
}

impl Sample<'_> {
    /// The numbers, unscaled.
    pub fn numbers(&self) -> Vec<f32> {
        match self {
            Sample::U8(pixels) => pixels.iter().map(|&p| f32::from(p)).collect(),
            Sample::F32(numbers) => numbers.to_vec(),
        }
    }
}

/// Samples of one shape, and their targets.
///
/// ```
/// use foveal_data::{Dataset, Samples, Targets};
///
/// let names = vec!["dark".to_string(), "light".to_string()];
/// let targets = Targets::Classes { labels: vec![0, 1], names };
/// let pixels = Samples::U8(vec![0, 0, 0, 0, 255, 255, 255, 255]);
/// let set = Dataset::new("two", [2, 2, 1], pixels, targets)?;
/// assert_eq!(set.len(), 2);
/// assert_eq!(set.label(1), Some(1));
/// # Ok::<(), foveal_data::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    pub(crate) name: String,
    shape: [usize; 3],
    samples: Samples,
    pub(crate) targets: Targets,
    texts: Option<Texts>,
}

/// The texts that samples were made of.
#[derive(Debug, Clone, PartialEq)]
struct Texts {
    texts: Vec<String>,
    vocabulary: Arc<Vocabulary>,
}

impl Dataset {
    /// Puts samples of `shape` (height, width, channels) and targets together.
    ///
    /// # Errors
    /// [`Error::Argument`] for a shape with a zero or one that overflows, for targets without
    /// names, and for more than `u32::MAX` samples; [`Error::Mismatch`] when samples and targets
    /// differ in number; [`Error::Label`] for a label without a class.
    pub fn new(
        name: impl Into<String>,
        shape: [usize; 3],
        samples: Samples,
        targets: Targets,
    ) -> Result<Self, Error> {
        let name = name.into();
        let size = sample_size(shape)?;
        let count = target_count(&name, &targets)?;
        let whole = !matches!(&samples, Samples::Stored(stored) if stored.size() != size);
        if !whole || samples.len() != count.saturating_mul(size) {
            let problem = format!(
                "{} numbers are {} samples of shape {shape:?}, but there are targets for {count}",
                samples.len(),
                samples.len() as f64 / size as f64,
            );
            let expected = "number of samples";
            return Err(Error::Mismatch { name, problem, expected });
        }
        Ok(Dataset { name, shape, samples, targets, texts: None })
    }

    /// Texts as samples of `shape`, `[1, length, 1]` or `[length, 1, 1]`.
    ///
    /// # Errors
    /// [`Error::Argument`] for another shape or a length over [`MAX_LENGTH`]; [`Error::TooLarge`] when the rows would
    /// need more than a gigabyte; those of [`new`](Self::new).
    pub fn of_texts(
        name: &str,
        texts: Vec<String>,
        targets: Targets,
        vocabulary: Arc<Vocabulary>,
        shape: [usize; 3],
    ) -> Result<Self, Error> {
        let length = shape[0] * shape[1];
        if !matches!(shape, [1, _, 1] | [_, 1, 1]) || !(1..=MAX_LENGTH).contains(&length) {
            return Err(Error::Argument {
                argument: "shape of a text",
                value: format!("{shape:?}"),
                allowed: format!("[1, length, 1] with a length from 1 to {MAX_LENGTH} tokens"),
            });
        }
        if texts.len().saturating_mul(length) > MAX_NUMBERS {
            return Err(Error::TooLarge {
                file: name.to_string(),
                declared: format!("{} texts of {length} tokens", texts.len()),
                limit: format!("the {MAX_NUMBERS} tokens of a data set"),
                remedy: "shorten the texts (--text-length) or take fewer",
            });
        }
        let mut rows = Vec::with_capacity(texts.len() * length);
        for text in &texts {
            rows.extend(vocabulary.encode(text, length).0);
        }
        Self::new(name, shape, Samples::F32(rows), targets)?.with_texts(texts, vocabulary)
    }

    /// The set with the texts that its samples were made of, by `vocabulary`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when there is not one text for each sample.
    pub fn with_texts(self, texts: Vec<String>, vocabulary: Arc<Vocabulary>) -> Result<Self, Error> {
        if texts.len() != self.len() {
            let problem = format!("{} texts for {} samples", texts.len(), self.len());
            return Err(Error::Mismatch { name: self.name, problem, expected: "number of samples" });
        }
        Ok(Dataset { texts: Some(Texts { texts, vocabulary }), ..self })
    }

    /// The text of sample `i`; `None` where samples are not texts, and past the end.
    pub fn text(&self, i: usize) -> Option<&str> {
        self.texts.as_ref()?.texts.get(i).map(String::as_str)
    }

    /// For texts: which token each number of a sample stands for.
    pub fn vocabulary(&self) -> Option<&Vocabulary> {
        self.texts.as_ref().map(|texts| &*texts.vocabulary)
    }

    /// The samples at `indices` alone, in that order and in memory.
    ///
    /// # Panics
    /// When an index is past the end.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let samples = match &self.samples {
            Samples::F32(_) => Samples::F32(indices.iter().flat_map(|&i| self.sample(i).numbers()).collect()),
            _ => {
                let mut all = Vec::with_capacity(indices.len() * self.sample_len());
                for &i in indices {
                    if let Sample::U8(pixels) = self.sample(i) {
                        all.extend_from_slice(&pixels);
                    }
                }
                Samples::U8(all)
            }
        };
        let texts = self.texts.as_ref().map(|own| Texts {
            texts: indices.iter().map(|&i| own.texts[i].clone()).collect(),
            vocabulary: Arc::clone(&own.vocabulary),
        });
        Dataset {
            name: self.name.clone(),
            shape: self.shape,
            samples,
            targets: self.targets.select(indices),
            texts,
        }
    }

    /// The samples of this set, then those of `other`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when they differ in shape, in the type of number, or in what is learnt.
    pub fn joined(mut self, other: Dataset) -> Result<Self, Error> {
        let alike = self.shape == other.shape && self.targets.same_kind(&other.targets);
        let joined = alike
            && match (&mut self.samples, other.samples) {
                (Samples::U8(a), Samples::U8(b)) => {
                    a.extend(b);
                    true
                }
                (Samples::F32(a), Samples::F32(b)) => {
                    a.extend(b);
                    true
                }
                _ => false,
            };
        if !joined {
            let problem =
                format!("samples of shape {:?} cannot follow those of {:?}", other.shape, self.shape);
            return Err(Error::Mismatch { name: self.name, problem, expected: "shape, type and targets" });
        }
        match (&mut self.texts, other.texts) {
            (Some(own), Some(more)) if own.vocabulary == more.vocabulary => own.texts.extend(more.texts),
            (own, _) => *own = None,
        }
        match (&mut self.targets, other.targets) {
            (Targets::Classes { labels, .. }, Targets::Classes { labels: more, .. }) => labels.extend(more),
            (Targets::Values { values, .. }, Targets::Values { values: more, .. })
            | (Targets::Labels { values, .. }, Targets::Labels { values: more, .. }) => values.extend(more),
            _ => {}
        }
        Ok(self)
    }

    /// The name, e.g. `mnist`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Height, width and channels of a sample.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.samples.len() / self.sample_len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Numbers in one sample: height * width * channels, at least 1.
    pub fn sample_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// All samples.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// All targets.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The names of the classes of which each sample has one, or `None`.
    pub fn classes(&self) -> Option<&[String]> {
        match &self.targets {
            Targets::Classes { names, .. } => Some(names),
            Targets::Values { .. } | Targets::Labels { .. } => None,
        }
    }

    /// The class of each sample, or `None` where a sample has not one class.
    pub fn labels(&self) -> Option<&[u32]> {
        match &self.targets {
            Targets::Classes { labels, .. } => Some(labels),
            Targets::Values { .. } | Targets::Labels { .. } => None,
        }
    }

    /// The names of the labels of which a sample may have any number, or `None`.
    pub fn several(&self) -> Option<&[String]> {
        match &self.targets {
            Targets::Labels { names, .. } => Some(names),
            _ => None,
        }
    }

    /// The label of sample `i`; `None` for a regression and past the end.
    pub fn label(&self, i: usize) -> Option<u32> {
        self.labels()?.get(i).copied()
    }

    /// The target values of sample `i`, or a 1 for each of its labels; `None` for a classification and past the end.
    pub fn values(&self, i: usize) -> Option<&[f64]> {
        match &self.targets {
            Targets::Classes { .. } => None,
            Targets::Values { values, names } | Targets::Labels { values, names } => {
                values.chunks_exact(names.len()).nth(i)
            }
        }
    }

    /// The pixels of sample `i`. A stored sample is read now, unless it was read ahead.
    ///
    /// # Panics
    /// When `i` is not below [`len`](Self::len).
    pub fn sample(&self, i: usize) -> Sample<'_> {
        let size = self.sample_len();
        let range = i * size..(i + 1) * size;
        match &self.samples {
            Samples::U8(pixels) => Sample::U8(Cow::Borrowed(&pixels[range])),
            Samples::F32(pixels) => Sample::F32(&pixels[range]),
            Samples::Stored(stored) => {
                assert!(i < stored.samples(), "sample {i} of {}", stored.samples());
                Sample::U8(Cow::Owned(stored.sample(i)))
            }
        }
    }

    /// The stored samples, if they are not in memory.
    pub fn stored(&self) -> Option<&Stored> {
        match &self.samples {
            Samples::Stored(stored) => Some(stored),
            _ => None,
        }
    }

    /// The first error in reading a stored sample since the set was opened, if there was one.
    pub fn fault(&self) -> Option<Error> {
        self.stored().and_then(Stored::fault)
    }

    /// Samples in each class, in the order of [`classes`](Self::classes); empty for a regression.
    pub fn class_counts(&self) -> Vec<u64> {
        match &self.targets {
            Targets::Values { .. } | Targets::Labels { .. } => Vec::new(),
            Targets::Classes { labels, names } => {
                let mut counts = vec![0; names.len()];
                for &label in labels {
                    counts[label as usize] += 1;
                }
                counts
            }
        }
    }
}

/// A data set in two parts: one to learn from, and one for a test at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainTest {
    /// The training part, validation samples included.
    pub train: Dataset,
    /// How many samples at the end of the training part are for validation, as the data set says;
    /// 0 where it does not say.
    pub validation: usize,
    /// The test part, if there is one.
    pub test: Option<Dataset>,
}

impl TrainTest {
    /// Puts the two parts together.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when they differ in shape, in class names or in what their values are.
    pub fn new(train: Dataset, test: Option<Dataset>) -> Result<Self, Error> {
        if let Some(test) = &test {
            if test.shape != train.shape {
                return Err(Error::Mismatch {
                    name: test.name.clone(),
                    problem: format!(
                        "test samples have shape {:?}, training samples {:?}",
                        test.shape, train.shape
                    ),
                    expected: "shape in both parts",
                });
            }
            if !test.targets.same_kind(&train.targets) {
                return Err(Error::Mismatch {
                    name: test.name.clone(),
                    problem: format!(
                        "test targets are {}, training targets {}",
                        test.targets.in_words(),
                        train.targets.in_words()
                    ),
                    expected: "classes or values in both parts",
                });
            }
        }
        Ok(TrainTest { train, validation: 0, test })
    }
}

/// Height * width * channels, refused when it is zero or overflows.
fn sample_size(shape: [usize; 3]) -> Result<usize, Error> {
    shape
        .iter()
        .try_fold(1usize, |product, &side| product.checked_mul(side))
        .filter(|&size| size > 0)
        .ok_or_else(|| Error::Argument {
            argument: "sample shape",
            value: format!("{shape:?}"),
            allowed: "[height, width, channels], each at least 1".to_string(),
        })
}

/// Number of samples that the targets describe.
pub(crate) fn target_count(name: &str, targets: &Targets) -> Result<usize, Error> {
    let names = targets.names();
    if names.is_empty() {
        return Err(Error::Argument {
            argument: "target names",
            value: "empty".to_string(),
            allowed: "at least one class or value".to_string(),
        });
    }
    let count = match targets {
        Targets::Classes { labels, .. } => {
            let wrong = |&(_, &label): &(usize, &u32)| label as usize >= names.len();
            if let Some((index, &label)) = labels.iter().enumerate().find(wrong) {
                return Err(Error::Label { name: name.to_string(), index, label, classes: names.len() });
            }
            labels.len()
        }
        Targets::Values { values, .. } | Targets::Labels { values, .. } => {
            if values.len() % names.len() != 0 {
                return Err(Error::Mismatch {
                    name: name.to_string(),
                    problem: format!("{} values do not divide into {} a sample", values.len(), names.len()),
                    expected: "number of samples",
                });
            }
            values.len() / names.len()
        }
    };
    if u32::try_from(count).is_err() {
        return Err(Error::Argument {
            argument: "number of samples",
            value: count.to_string(),
            allowed: format!("at most {}", u32::MAX),
        });
    }
    Ok(count)
}
