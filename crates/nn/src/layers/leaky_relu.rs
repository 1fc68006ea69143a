use super::activations::{ActivationLayer, finite};
use super::layer::Words;
use foveal_kernels::lanes::elementwise::Activation;
use serde::{Deserialize, Serialize};

/// Leaky rectified linear unit: `x` where positive, else `alpha x`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeakyRelu {
    /// Slope below zero.
    pub alpha: f32,
}

impl Default for LeakyRelu {
    fn default() -> Self {
        Self { alpha: 0.2 }
    }
}

impl ActivationLayer for LeakyRelu {
    fn activation(&self) -> Result<Activation, String> {
        Ok(Activation::LeakyRelu(finite("alpha", self.alpha)?))
    }

    fn words(&self) -> Words {
        Words::new(format!("negative numbers times {}", self.alpha), format!("음수에 {}을 곱함", self.alpha))
    }

    fn numbers(&self) -> Vec<(&'static str, f32)> {
        vec![("alpha", self.alpha)]
    }
}
