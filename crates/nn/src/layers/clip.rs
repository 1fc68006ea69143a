use super::activations::ActivationLayer;
use super::layer::Words;
use foveal_kernels::lanes::elementwise::Activation;
use serde::{Deserialize, Serialize};

/// `x`, but at least `min` and at most `max`: with their defaults, 0 and 6, ReLU6.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clip {
    /// The least.
    pub min: f32,
    /// The most.
    pub max: f32,
}

impl Default for Clip {
    fn default() -> Self {
        Self { min: 0.0, max: 6.0 }
    }
}

impl ActivationLayer for Clip {
    fn activation(&self) -> Result<Activation, String> {
        let Self { min, max } = *self;
        if min < max && min.is_finite() && max.is_finite() {
            return Ok(Activation::Clip(min, max));
        }
        Err(format!("min must be below max, both finite, got {min} and {max}"))
    }

    fn words(&self) -> Words {
        let Self { min, max } = self;
        Words::new(format!("numbers kept from {min} to {max}"), format!("{min} 이상 {max} 이하로"))
    }

    fn numbers(&self) -> Vec<(&'static str, f32)> {
        vec![("min", self.min), ("max", self.max)]
    }
}
