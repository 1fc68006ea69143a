//! Whether probabilities are what they say.

/// Ranges of confidence, as wide as each other.
const BINS: usize = 15;

/// How often answers are right, by how sure they are.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reliability {
    /// Fifteen ranges of confidence from 0 to 1; empty ones are there, too.
    pub bins: Vec<Bin>,
}

/// The answers whose confidence lies in one range.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// Answers.
    pub count: u64,
    /// Their mean probability.
    pub confidence: f64,
    /// Share of them that is right.
    pub accuracy: f64,
}

impl Reliability {
    /// Of answers, each the probability of the likeliest class and whether it is the right one.
    pub fn of(answers: impl Iterator<Item = (f64, bool)>) -> Self {
        let mut bins = vec![Bin::default(); BINS];
        for (confidence, right) in answers {
            let place = ((confidence * BINS as f64) as usize).min(BINS - 1);
            let bin = &mut bins[place];
            bin.count += 1;
            bin.confidence += confidence;
            bin.accuracy += f64::from(u8::from(right));
        }
        for bin in bins.iter_mut().filter(|bin| bin.count > 0) {
            bin.confidence /= bin.count as f64;
            bin.accuracy /= bin.count as f64;
        }
        Self { bins }
    }

    /// The expected calibration error (Guo et al. 2017): the mean distance between confidence and accuracy.
    ///
    /// ```
    /// use foveal_train::Reliability;
    ///
    /// // Nine of ten answers of 70 % are right: they could be surer by 20 %.
    /// let answers = (0..10).map(|i| (0.7, i > 0));
    /// assert!((Reliability::of(answers).error() - 0.2).abs() < 1e-12);
    /// ```
    pub fn error(&self) -> f64 {
        let all: u64 = self.bins.iter().map(|bin| bin.count).sum();
        let off: f64 = self.bins.iter().map(|b| b.count as f64 * (b.confidence - b.accuracy).abs()).sum();
        off / all.max(1) as f64
    }
}
