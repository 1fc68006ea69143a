use super::activations::{ActivationLayer, finite};
use super::layer::Words;
use foveal_kernels::lanes::elementwise::Activation;
use serde::{Deserialize, Serialize};

/// Self-normalizing exponential linear unit: `gamma x` where positive, else `gamma alpha (e^x - 1)` (Klambauer et
/// al. 2017).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selu {
    /// How deep it goes below zero, before `gamma`.
    pub alpha: f32,
    /// Slope above zero.
    pub gamma: f32,
}

impl Default for Selu {
    fn default() -> Self {
        Self { alpha: 1.673_263_2, gamma: 1.050_701 }
    }
}

impl ActivationLayer for Selu {
    fn activation(&self) -> Result<Activation, String> {
        Ok(Activation::Selu(finite("alpha", self.alpha)?, finite("gamma", self.gamma)?))
    }

    fn words(&self) -> Words {
        Words::new("negative numbers level off, all scaled", "음수가 완만해지고 전체에 배율")
    }

    fn numbers(&self) -> Vec<(&'static str, f32)> {
        vec![("alpha", self.alpha), ("gamma", self.gamma)]
    }
}
