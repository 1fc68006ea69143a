use super::activations::{ActivationLayer, finite};
use super::layer::Words;
use foveal_kernels::lanes::elementwise::Activation;
use serde::{Deserialize, Serialize};

/// A sigmoid of straight lines: `alpha x + beta`, from 0 to 1. The defaults are Keras' and PyTorch's, 1/6 and 1/2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HardSigmoid {
    /// Slope in the middle.
    pub alpha: f32,
    /// Value at 0.
    pub beta: f32,
}

impl Default for HardSigmoid {
    fn default() -> Self {
        Self { alpha: 1.0 / 6.0, beta: 0.5 }
    }
}

impl ActivationLayer for HardSigmoid {
    fn activation(&self) -> Result<Activation, String> {
        Ok(Activation::HardSigmoid(finite("alpha", self.alpha)?, finite("beta", self.beta)?))
    }

    fn words(&self) -> Words {
        Words::new("numbers from 0 to 1 along a straight line", "직선을 따라 0과 1 사이로")
    }

    fn numbers(&self) -> Vec<(&'static str, f32)> {
        vec![("alpha", self.alpha), ("beta", self.beta)]
    }
}
