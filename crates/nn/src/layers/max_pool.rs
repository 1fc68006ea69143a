use super::fields::padding;
use super::layer::{Shape, Words};
use super::pooling::{Pooling, window};
use crate::Pool2dOptions;
use foveal_kernels::Padding;
use serde::{Deserialize, Serialize};

/// The largest number of each window; padding never counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool {
    /// The window.
    pub ksize: [i64; 2],
    /// Step between windows; the window's size if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strides: Option<[i64; 2]>,
    /// As a convolution's.
    #[serde(default, with = "padding")]
    pub padding: Padding,
}

impl Default for MaxPool {
    /// Windows of 2x2, side by side.
    fn default() -> Self {
        Self { ksize: [2, 2], strides: None, padding: Padding::Valid }
    }
}

impl Pooling for MaxPool {
    const NAME: &'static str = "max_pool";
    const MAX: bool = true;

    fn options(&self, _: Shape) -> Pool2dOptions {
        let Self { ksize, strides, padding } = *self;
        Pool2dOptions { ksize, strides: strides.unwrap_or(ksize), padding }
    }

    fn words(&self) -> Words {
        window(["maximum", "최댓값"], self.ksize, self.strides)
    }
}
