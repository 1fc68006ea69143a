use super::activations::ActivationLayer;
use super::layer::Words;
use foveal_kernels::lanes::elementwise::Activation;
use serde::{Deserialize, Serialize};

/// `x tanh(ln(1 + e^x))` (Misra 2019).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mish {}

impl ActivationLayer for Mish {
    fn activation(&self) -> Result<Activation, String> {
        Ok(Activation::Mish)
    }

    fn words(&self) -> Words {
        Words::new("each number times tanh of its softplus", "수마다 softplus의 tanh를 곱함")
    }
}
