use super::layer::{Role, Shape, Words};
use super::simple::{Arithmetic, Simple};
use foveal_kernels::grid::{Op, Rearrangement};
use serde::{Deserialize, Serialize};

/// Mixes the channels of groups: channel `i` of group `g` comes to place `i groups + g` (Zhang et al. 2017).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelShuffle {
    /// Groups that the channels are split into.
    pub groups: usize,
}

impl Simple for ChannelShuffle {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        let how = Rearrangement::ChannelShuffle { groups: self.groups };
        Ok(Arithmetic::Op(Op::Rearrange { how, fill: 0.0 }))
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn words(&self) -> Words {
        Words::new(
            format!("channels of {} groups mixed", self.groups),
            format!("묶음 {}개의 채널을 섞음", self.groups),
        )
    }
}
