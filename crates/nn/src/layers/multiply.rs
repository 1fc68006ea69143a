use super::layer::{Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::{Binary, Op};
use serde::{Deserialize, Serialize};

/// The product of two inputs, spread where an extent is 1: `[1, 1, c]` is a gate for each channel, `[h, w, 1]` one for each
/// place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Multiply {}

impl Simple for Multiply {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        Ok(Arithmetic::Op(Op::Binary(Binary::Multiply)))
    }

    fn role(&self) -> Role {
        Role::Joins
    }

    fn words(&self) -> Words {
        Words::new("product", "곱")
    }
}
