use super::activations::ActivationLayer;
use super::layer::Words;
use foveal_kernels::lanes::elementwise::Activation;
use serde::{Deserialize, Serialize};

/// Rectified linear unit: `max(x, 0)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relu {}

impl ActivationLayer for Relu {
    fn activation(&self) -> Result<Activation, String> {
        Ok(Activation::Relu)
    }

    fn words(&self) -> Words {
        Words::new("negative numbers become 0", "음수를 0으로")
    }
}
