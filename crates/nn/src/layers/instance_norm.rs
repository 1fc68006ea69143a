use super::activations::positive;
use super::layer::{ParamRole, ParamSpec, Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::Op;
use serde::{Deserialize, Serialize};

/// Normalizes each channel over each image, then scales and shifts it (Ulyanov et al. 2016).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceNorm {
    /// Added to the variance.
    pub epsilon: f32,
}

impl Default for InstanceNorm {
    fn default() -> Self {
        Self { epsilon: 1e-5 }
    }
}

impl Simple for InstanceNorm {
    fn arithmetic(&self, from: &[Shape]) -> Result<Arithmetic, String> {
        let epsilon = positive("epsilon", self.epsilon)?;
        Ok(Arithmetic::Op(Op::GroupNorm { groups: from[0][2], epsilon }))
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
        Words::new("each channel normalized over the image", "채널마다 이미지 전체로 정규화")
    }
}
