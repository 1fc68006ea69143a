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
