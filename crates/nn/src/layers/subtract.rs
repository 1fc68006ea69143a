use super::layer::{Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::{Binary, Op};
use serde::{Deserialize, Serialize};

/// The first input less the second, spread where an extent is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subtract {}

impl Simple for Subtract {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        Ok(Arithmetic::Op(Op::Binary(Binary::Subtract)))
    }

    fn role(&self) -> Role {
        Role::Joins
    }

    fn words(&self) -> Words {
        Words::new("difference", "차")
    }
}
