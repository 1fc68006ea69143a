use super::fields::padding;
use super::layer::{Role, Shape, Words};
use super::pooling::{Pooling, window};
use super::simple::{Arithmetic, Simple};
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

impl MaxPool {
    /// The windows, their strides and padding.
    pub fn options(&self) -> Pool2dOptions {
        let Self { ksize, strides, padding } = *self;
        Pool2dOptions { ksize, strides: strides.unwrap_or(ksize), padding }
    }
}

impl Simple for MaxPool {
    fn arithmetic(&self, _: &[Shape]) -> Result<Arithmetic, String> {
        Ok(Arithmetic::Pool(Pooling { name: "max_pool", max: true, options: self.options() }))
    }

    fn role(&self) -> Role {
        Role::Subsampling
    }

    fn words(&self) -> Words {
        window(["maximum", "최댓값"], self.ksize, self.strides)
    }
}
