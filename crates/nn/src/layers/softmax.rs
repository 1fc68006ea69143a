use super::layer::{Pass, Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::Op;
use serde::{Deserialize, Serialize};

/// Exponentials that sum to 1 over the channels of each place. A classifier does not need it: the loss has its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softmax {}

impl Simple for Softmax {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        Ok(Arithmetic::Op(Op::Softmax))
    }

    /// At the end the loss takes the numbers before it.
    fn left_out(&self, pass: &Pass) -> bool {
        pass.last && pass.own_softmax
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn words(&self) -> Words {
        Words::new("shares that sum to 1", "합이 1인 비율로")
    }
}
