use super::activations::positive;
use super::layer::{ParamRole, ParamSpec, Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::Op;
use serde::{Deserialize, Serialize};

/// Normalizes the channels of each place, then scales and shifts them (Ba et al. 2016).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LayerNorm {
    /// Added to the variance.
    pub epsilon: f32,
}

impl Default for LayerNorm {
    fn default() -> Self {
        Self { epsilon: 1e-6 }
    }
}

impl Simple for LayerNorm {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        let epsilon = positive("epsilon", self.epsilon)?;
        Ok(Arithmetic::Op(Op::LayerNorm { epsilon }))
    }

    fn params(&self, from: &[Shape]) -> Vec<ParamSpec> {
        [("gamma", 1.0), ("beta", 0.0)]
            .map(|(what, value)| ParamSpec::constant(what, from[0][2], value, ParamRole::Offsets))
            .into()
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn words(&self) -> Words {
        Words::new("the channels of each place normalized", "자리마다 채널을 정규화")
    }
}
