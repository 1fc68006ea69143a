use super::layer::{Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::{DepthOrder, Op, Rearrangement};
use serde::{Deserialize, Serialize};

/// Channels become places: `[h, w, c]` to `[h block, w block, c / block^2]`, also called pixel shuffle (Shi et al. 2016).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthToSpace {
    /// How many times as high and wide.
    pub block: usize,
    /// What counts first among the channels: `"block_first"` the place within a block (TensorFlow's), `"channel_first"`
    /// the channel of the result (PyTorch's pixel shuffle).
    #[serde(default, skip_serializing_if = "Order::is_default")]
    pub order: Order,
}

/// The order of channels that stand for places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The place within a block, then the channel: TensorFlow's.
    #[default]
    BlockFirst,
    /// The channel, then the place within a block: PyTorch's.
    ChannelFirst,
}

impl Order {
    pub(super) fn is_default(&self) -> bool {
        *self == Order::BlockFirst
    }
}

impl From<Order> for DepthOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::BlockFirst => DepthOrder::BlockFirst,
            Order::ChannelFirst => DepthOrder::ChannelFirst,
        }
    }
}

impl Simple for DepthToSpace {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        let how = Rearrangement::DepthToSpace { block: self.block, order: self.order.into() };
        Ok(Arithmetic::Op(Op::Rearrange { how, fill: 0.0 }))
    }

    fn role(&self) -> Role {
        Role::Joins
    }

    fn words(&self) -> Words {
        let block = self.block;
        Words::new(
            format!("channels become places, {block}\u{d7}{block} each"),
            format!("채널을 {block}\u{d7}{block} 자리로"),
        )
    }
}
