use super::layer::{Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::Op;
use serde::{Deserialize, Serialize};

/// The logarithm of softmax over the channels of each place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSoftmax {}

impl Simple for LogSoftmax {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        Ok(Arithmetic::Op(Op::LogSoftmax))
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn words(&self) -> Words {
        Words::new("logarithms of shares that sum to 1", "합이 1인 비율의 로그로")
    }
}
