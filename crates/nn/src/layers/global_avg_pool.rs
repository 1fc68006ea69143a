use super::layer::{Shape, Words};
use super::pooling::Pooling;
use crate::Pool2dOptions;
use crate::ops;
use serde::{Deserialize, Serialize};

/// The mean of each channel over the whole image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalAvgPool {}

impl Pooling for GlobalAvgPool {
    const NAME: &'static str = "global_avg_pool";
    const MAX: bool = false;

    fn options(&self, [h, w, _]: Shape) -> Pool2dOptions {
        ops::whole([h, w])
    }

    fn words(&self) -> Words {
        Words::new("mean of each map", "맵마다 평균")
    }
}
