use super::activations::finite;
use super::layer::{ParamRole, ParamSpec, Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::Op;
use serde::{Deserialize, Serialize};

/// Parametric ReLU: `x` where positive, else `alpha x`, with an `alpha` for each channel that is learnt (He et al. 2015).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prelu {
    /// What `alpha` begins with.
    pub init: f32,
}

impl Default for Prelu {
    fn default() -> Self {
        Self { init: 0.25 }
    }
}

impl Simple for Prelu {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        finite("init", self.init)?;
        Ok(Arithmetic::Op(Op::Prelu))
    }

    fn params(&self, from: &[Shape]) -> Vec<ParamSpec> {
        vec![ParamSpec::constant("alpha", from[0][2], self.init, ParamRole::Offsets)]
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn words(&self) -> Words {
        Words::new("negative numbers times a learnt slope", "음수에 학습한 기울기를 곱함")
    }
}
