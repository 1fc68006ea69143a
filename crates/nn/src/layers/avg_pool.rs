use super::fields::padding;
use super::layer::{Role, Shape, Words};
use super::pooling::{Pooling, window};
use super::simple::{Arithmetic, Simple};
use crate::Pool2dOptions;
use foveal_kernels::Padding;
use serde::{Deserialize, Serialize};

/// The mean of each window's cells inside the image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvgPool {
    /// The window.
    pub ksize: [i64; 2],
    /// Step between windows; the window's size if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strides: Option<[i64; 2]>,
    /// As a convolution's.
    #[serde(default, with = "padding")]
    pub padding: Padding,
}

impl Default for AvgPool {
    /// Windows of 2x2, side by side.
    fn default() -> Self {
        Self { ksize: [2, 2], strides: None, padding: Padding::Valid }
    }
}

impl AvgPool {
    /// The windows, their strides and padding.
    pub fn options(&self) -> Pool2dOptions {
        let Self { ksize, strides, padding } = *self;
        Pool2dOptions { ksize, strides: strides.unwrap_or(ksize), padding }
    }
}

impl Simple for AvgPool {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        Ok(Arithmetic::Pool(Pooling { name: "avg_pool", max: false, options: self.options() }))
    }

    fn role(&self) -> Role {
        Role::Subsampling
    }

    fn words(&self) -> Words {
        window(["mean", "평균"], self.ksize, self.strides)
    }
}
