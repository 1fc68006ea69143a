use super::activations::positive;
use super::layer::{Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::Op;
use serde::{Deserialize, Serialize};

/// Scales the channels of each place to length 1: `x / max(norm of x, epsilon)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct L2Normalize {
    /// The least that is divided by; above 0.
    pub epsilon: f32,
}

impl Default for L2Normalize {
    fn default() -> Self {
        Self { epsilon: 1e-12 }
    }
}

impl Simple for L2Normalize {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        let epsilon = positive("epsilon", self.epsilon)?;
        Ok(Arithmetic::Op(Op::L2Normalize { epsilon }))
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn words(&self) -> Words {
        Words::new("the channels of each place scaled to length 1", "자리마다 채널 벡터의 길이를 1로")
    }
}
