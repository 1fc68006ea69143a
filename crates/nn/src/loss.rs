//! What training makes small.

pub use foveal_kernels::lanes::loss::Regression;
use serde::{Deserialize, Serialize};

/// A loss: the mean over the batch, each image weighted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Softmax and cross-entropy against class labels.
    CrossEntropy {
        /// This share of the target is spread evenly over all classes.
        #[serde(default)]
        label_smoothing: f32,
    },
    /// For each output by itself sigmoid and cross-entropy against 0 or 1, the mean over the outputs: several labels an
    /// image.
    BinaryCrossEntropy,
    /// The mean of squared differences.
    MeanSquared,
    /// Squared up to `delta`, linear beyond.
    Huber {
        /// Where the loss turns linear.
        delta: f32,
    },
}

impl Default for Loss {
    fn default() -> Self {
        Loss::CrossEntropy { label_smoothing: 0.0 }
    }
}

/// Sigmoid and cross-entropy at one logit against `target`, 0 or 1 or between: the loss and its derivative.
///
/// ```
/// let (loss, slope) = foveal_nn::loss::binary_cross_entropy(0.0, 1.0);
/// assert!((loss - 2f32.ln()).abs() < 1e-6 && slope == -0.5);
/// ```
pub fn binary_cross_entropy(logit: f32, target: f32) -> (f32, f32) {
    // e^-|x| never overflows.
    let small = (-logit.abs()).exp();
    let sigmoid = if logit >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
    (logit.max(0.0) - logit * target + small.ln_1p(), sigmoid - target)
}
