use super::activations::finite;
use super::layer::{ParamRole, ParamSpec, Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::Op;
use serde::{Deserialize, Serialize};

/// A learnt factor for each channel: layer scale (Touvron et al. 2021).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scale {
    /// What the factors begin with.
    pub init: f32,
}

impl Default for Scale {
    fn default() -> Self {
        Self { init: 1.0 }
    }
}

impl Simple for Scale {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        finite("init", self.init)?;
        Ok(Arithmetic::Op(Op::Scale))
    }

    fn params(&self, from: &[Shape]) -> Vec<ParamSpec> {
        vec![ParamSpec::constant("gamma", from[0][2], self.init, ParamRole::Offsets)]
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn words(&self) -> Words {
        Words::new("each channel times a learnt factor", "채널마다 학습한 배율을 곱함")
    }
}
