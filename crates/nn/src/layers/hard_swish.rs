use super::activations::ActivationLayer;
use super::layer::Words;
use foveal_kernels::lanes::elementwise::Activation;
use serde::{Deserialize, Serialize};

/// Swish with straight lines: `x clip(x / 6 + 1/2, 0, 1)` (Howard et al. 2019).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardSwish {}

impl ActivationLayer for HardSwish {
    fn activation(&self) -> Result<Activation, String> {
        Ok(Activation::HardSwish)
    }

    fn words(&self) -> Words {
        Words::new("each number times a straight sigmoid", "수마다 꺾은선 시그모이드를 곱함")
    }
}
