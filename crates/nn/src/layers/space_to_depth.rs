use super::depth_to_space::Order;
use super::layer::{Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::{Op, Rearrangement};
use serde::{Deserialize, Serialize};

/// Places become channels: `[h, w, c]` to `[h / block, w / block, c block^2]`, the inverse of
/// [`DepthToSpace`](super::DepthToSpace).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpaceToDepth {
    /// How many times smaller.
    pub block: usize,
    /// As of `depth_to_space`.
    #[serde(default, skip_serializing_if = "Order::is_default")]
    pub order: Order,
}

impl Simple for SpaceToDepth {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        let how = Rearrangement::SpaceToDepth { block: self.block, order: self.order.into() };
        Ok(Arithmetic::Op(Op::Rearrange { how, fill: 0.0 }))
    }

    fn role(&self) -> Role {
        Role::Subsampling
    }

    fn words(&self) -> Words {
        let block = self.block;
        Words::new(
            format!("places become channels, {block}\u{d7}{block} each"),
            format!("{block}\u{d7}{block} 자리를 채널로"),
        )
    }
}
