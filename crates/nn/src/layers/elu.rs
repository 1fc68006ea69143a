use super::activations::{ActivationLayer, finite};
use super::layer::Words;
use foveal_kernels::lanes::elementwise::Activation;
use serde::{Deserialize, Serialize};

/// Exponential linear unit: `x` where positive, else `alpha (e^x - 1)` (Clevert et al. 2015).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Elu {
    /// How deep it goes below zero.
    pub alpha: f32,
}

impl Default for Elu {
    fn default() -> Self {
        Self { alpha: 1.0 }
    }
}

impl ActivationLayer for Elu {
    fn activation(&self) -> Result<Activation, String> {
        Ok(Activation::Elu(finite("alpha", self.alpha)?))
    }

    fn words(&self) -> Words {
        Words::new("negative numbers level off", "음수가 완만해짐")
    }

    fn numbers(&self) -> Vec<(&'static str, f32)> {
        vec![("alpha", self.alpha)]
    }
}
