use super::activations::ActivationLayer;
use super::layer::{Pass, Words};
use foveal_kernels::lanes::elementwise::Activation;
use serde::{Deserialize, Serialize};

/// The logistic function: `1 / (1 + e^-x)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sigmoid {}

impl ActivationLayer for Sigmoid {
    fn activation(&self) -> Result<Activation, String> {
        Ok(Activation::Sigmoid)
    }

    /// At the end the loss takes the numbers before it.
    fn left_out(&self, pass: &Pass) -> bool {
        pass.last && pass.own_sigmoid
    }

    fn words(&self) -> Words {
        Words::new("numbers from 0 to 1 along an S", "0과 1 사이로")
    }
}
