use super::activations::ActivationLayer;
use super::layer::Words;
use foveal_kernels::lanes::elementwise::Activation;
use serde::{Deserialize, Serialize};

/// Sigmoid-weighted linear unit, also called swish: `x / (1 + e^-x)` (Elfwing et al. 2017, Ramachandran et al. 2017).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silu {}

impl ActivationLayer for Silu {
    fn activation(&self) -> Result<Activation, String> {
        Ok(Activation::Silu)
    }

    fn words(&self) -> Words {
        Words::new("each number times its sigmoid", "수마다 시그모이드를 곱함")
    }
}
