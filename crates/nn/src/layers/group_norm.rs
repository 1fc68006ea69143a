use super::activations::positive;
use super::layer::{ParamRole, ParamSpec, Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::Op;
use serde::{Deserialize, Serialize};

/// Normalizes groups of channels over each image, then scales and shifts each channel (Wu and He 2018).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GroupNorm {
    /// Groups that the channels are split into.
    pub groups: usize,
    /// Added to the variance.
    pub epsilon: f32,
}

impl Default for GroupNorm {
    fn default() -> Self {
        Self { groups: 32, epsilon: 1e-5 }
    }
}

impl Simple for GroupNorm {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        let epsilon = positive("epsilon", self.epsilon)?;
        Ok(Arithmetic::Op(Op::GroupNorm { groups: self.groups, epsilon }))
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
        Words::new(
            format!("{} groups of channels normalized", self.groups),
            format!("채널 묶음 {}개를 정규화", self.groups),
        )
    }
}
