use super::activations::{ActivationLayer, positive};
use super::layer::Words;
use foveal_kernels::lanes::elementwise::Activation;
use serde::{Deserialize, Serialize};

/// Continuously differentiable exponential linear unit: `x` where positive, else `alpha (e^(x / alpha) - 1)` (Barron
/// 2017).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Celu {
    /// How deep it goes below zero; above 0.
    pub alpha: f32,
}

impl Default for Celu {
    fn default() -> Self {
        Self { alpha: 1.0 }
    }
}

impl ActivationLayer for Celu {
    fn activation(&self) -> Result<Activation, String> {
        Ok(Activation::Celu(positive("alpha", self.alpha)?))
    }

    fn words(&self) -> Words {
        Words::new("negative numbers level off smoothly", "음수가 매끄럽게 완만해짐")
    }

    fn numbers(&self) -> Vec<(&'static str, f32)> {
        vec![("alpha", self.alpha)]
    }
}
