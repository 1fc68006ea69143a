use super::layer::{Shape, Words};
use super::pooling::Pooling;
use crate::Pool2dOptions;
use crate::ops;
use serde::{Deserialize, Serialize};

/// The largest number of each channel over the whole image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalMaxPool {}

impl Pooling for GlobalMaxPool {
    const NAME: &'static str = "global_max_pool";
    const MAX: bool = true;

    fn options(&self, [h, w, _]: Shape) -> Pool2dOptions {
        ops::whole([h, w])
    }

    fn words(&self) -> Words {
        Words::new("maximum of each map", "맵마다 최댓값")
    }
}
