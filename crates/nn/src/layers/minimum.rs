use super::layer::{Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::{Binary, Op};
use serde::{Deserialize, Serialize};

/// The smaller of two inputs, spread where an extent is 1; where they are equal the first counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minimum {}

impl Simple for Minimum {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        Ok(Arithmetic::Op(Op::Binary(Binary::Minimum)))
    }

    fn role(&self) -> Role {
        Role::Joins
    }

    fn words(&self) -> Words {
        Words::new("the smaller", "작은 쪽")
    }
}
