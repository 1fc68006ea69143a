use super::activations::ActivationLayer;
use super::layer::Words;
use foveal_kernels::lanes::elementwise::Activation;
use serde::{Deserialize, Serialize};

/// The hyperbolic tangent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tanh {}

impl ActivationLayer for Tanh {
    fn activation(&self) -> Result<Activation, String> {
        Ok(Activation::Tanh)
    }

    fn words(&self) -> Words {
        Words::new("numbers from -1 to 1 along an S", "-1과 1 사이로")
    }
}
