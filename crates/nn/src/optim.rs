//! Optimizers, as data. The arithmetic is in `foveal_kernels::optimizer`.

use serde::{Deserialize, Serialize};

/// How a gradient becomes a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Optimizer {
    /// Stochastic gradient descent.
    Sgd {
        /// Share of the last step that goes on.
        #[serde(default)]
        momentum: f32,
        /// Looks ahead along the momentum.
        #[serde(default)]
        nesterov: bool,
        /// L2 weight decay, of filters and weights.
        #[serde(default)]
        decay: f32,
    },
    /// Adam, and with `decay` AdamW.
    Adam {
        /// Decay of the first moment.
        beta1: f32,
        /// Decay of the second moment.
        beta2: f32,
        /// Keeps the quotient finite.
        epsilon: f32,
        /// Decoupled weight decay, of filters and weights.
        #[serde(default)]
        decay: f32,
    },
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0 }
    }
}
