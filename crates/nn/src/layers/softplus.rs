use super::activations::ActivationLayer;
use super::layer::Words;
use foveal_kernels::lanes::elementwise::Activation;
use serde::{Deserialize, Serialize};

/// A smooth ReLU: `ln(1 + e^x)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softplus {}

impl ActivationLayer for Softplus {
    fn activation(&self) -> Result<Activation, String> {
        Ok(Activation::Softplus)
    }

    fn words(&self) -> Words {
        Words::new("a smooth ReLU", "매끄러운 ReLU")
    }
}
