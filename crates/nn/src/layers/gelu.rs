use super::activations::ActivationLayer;
use super::fields::is_no;
use super::layer::Words;
use foveal_kernels::lanes::elementwise::Activation;
use serde::{Deserialize, Serialize};

/// Gaussian error linear unit: `x Phi(x)` with the normal distribution function `Phi` (Hendrycks and Gimpel 2016).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gelu {
    /// The approximation `x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))` in place of the exact form.
    #[serde(skip_serializing_if = "is_no")]
    pub approximate: bool,
}

impl ActivationLayer for Gelu {
    fn activation(&self) -> Result<Activation, String> {
        Ok(if self.approximate { Activation::GeluTanh } else { Activation::Gelu })
    }

    fn words(&self) -> Words {
        Words::new(
            "each number times its share of a normal distribution",
            "수마다 정규분포의 누적 확률을 곱함",
        )
    }
}
