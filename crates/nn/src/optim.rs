//! Optimizers, as data. The arithmetic is in `foveal_kernels::optimizer`.

use crate::Error;
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

impl Optimizer {
    /// Checks every value.
    ///
    /// # Errors
    /// [`Error::Option`] for the first that is out of range.
    ///
    /// ```
    /// use foveal_nn::optim::Optimizer;
    ///
    /// let adam = Optimizer::Adam { beta1: 1.0, beta2: 0.999, epsilon: 1e-8, decay: 0.0 };
    /// assert_eq!(adam.check().unwrap_err().to_string(), "training: Adam's beta1 must be from 0 to below 1, got 1");
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        let share = |v: f32| (0.0..1.0).contains(&v);
        let natural = |v: f32| v >= 0.0 && v.is_finite();
        let below = "from 0 to below 1";
        let rows = match *self {
            Optimizer::Sgd { momentum, nesterov: _, decay } => {
                [("SGD's momentum", share(momentum), below, momentum), decay_row(natural(decay), decay)]
                    .to_vec()
            }
            Optimizer::Adam { beta1, beta2, epsilon, decay } => [
                ("Adam's beta1", share(beta1), below, beta1),
                ("Adam's beta2", share(beta2), below, beta2),
                ("Adam's epsilon", epsilon > 0.0 && epsilon.is_finite(), "above 0", epsilon),
                decay_row(natural(decay), decay),
            ]
            .to_vec(),
        };
        match rows.into_iter().find(|row| !row.1) {
            Some((option, _, allowed, value)) => {
                Err(Error::Option { option, allowed: allowed.to_owned(), value: value.to_string() })
            }
            None => Ok(()),
        }
    }
}

/// An option, whether it is good, what is allowed, its value.
type Row = (&'static str, bool, &'static str, f32);

fn decay_row(good: bool, decay: f32) -> Row {
    ("the weight decay", good, "0 or above", decay)
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0 }
    }
}
