use super::layer::{Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::{Op, Rearrangement};
use serde::{Deserialize, Serialize};

/// Height, width and channels change places: axis `i` of the output is axis `order[i]` of the input.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transpose {
    /// 0 for height, 1 for width, 2 for channels, each once.
    pub order: [usize; 3],
}

impl Simple for Transpose {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        let mut sorted = self.order;
        sorted.sort_unstable();
        if sorted != [0, 1, 2] {
            return Err(format!("order must have 0, 1 and 2 once each, got {:?}", self.order));
        }
        Ok(Arithmetic::Op(Op::Rearrange { how: Rearrangement::Transpose { order: self.order }, fill: 0.0 }))
    }

    fn role(&self) -> Role {
        Role::Joins
    }

    fn words(&self) -> Words {
        let name = |names: [&str; 3]| {
            self.order.map(|axis| names.get(axis).copied().unwrap_or("?").to_owned()).join(", ")
        };
        Words::new(
            format!("axes in the order {}", name(["height", "width", "channels"])),
            format!("축을 {} 순으로", name(["높이", "너비", "채널"])),
        )
    }
}
