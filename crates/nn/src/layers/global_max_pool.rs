use super::layer::{Role, Shape, Words};
use super::pooling::Pooling;
use super::simple::{Arithmetic, Simple};
use crate::ops;
use serde::{Deserialize, Serialize};

/// The largest number of each channel over the whole image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalMaxPool {}

impl Simple for GlobalMaxPool {
    fn arithmetic(&self, from: &[Shape]) -> Result<Arithmetic, String> {
        let options = ops::whole([from[0][0], from[0][1]]);
        Ok(Arithmetic::Pool(Pooling { name: "global_max_pool", max: true, options }))
    }

    fn role(&self) -> Role {
        Role::Subsampling
    }

    fn words(&self) -> Words {
        Words::new("maximum of each map", "맵마다 최댓값")
    }
}
