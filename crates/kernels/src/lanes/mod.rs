//! Kernels for images side by side: activations stand as `[channel][row][column][lane]`, one image a
//! lane, so no lane is wasted whatever the channel count, the width or the padding.
//!
//! A *group* is as many images as a vector has lanes. A training plan takes a group through the whole
//! network, forward and backward, while it stays in the cache. Padding is physical: a [`Frame`] has a
//! halo of zeros around each plane, so a convolution has no border cases. All offsets count vectors.

pub mod activation;
pub mod conv;
pub mod conv_pool;
pub mod conv_transpose;
pub mod convolution;
pub mod dense;
pub mod elementwise;
pub mod embedding;
pub mod image;
pub mod loss;
pub mod norm;
mod picked;
pub mod pool;
mod window;
pub mod winograd;

pub use conv::{Correlation, Finish};
pub use conv_pool::ConvPool;
pub use conv_transpose::ConvTranspose;
pub use convolution::Convolution;
pub use pool::PoolWalk;
pub use winograd::{Winograd, WinogradFilter};

use crate::geometry::Axis;

/// Where the planes of an activation lie: `channels` planes of `height` x `width` vectors, each with a halo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Planes.
    pub channels: usize,
    /// Rows, the halo left out.
    pub height: usize,
    /// Columns, the halo left out.
    pub width: usize,
    /// Zero rows above, below; zero columns left, right.
    pub halo: [usize; 4],
}

impl Frame {
    /// A frame without a halo.
    pub fn plain(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width, halo: [0; 4] }
    }

    /// Vectors from one row to the next.
    pub fn row(&self) -> usize {
        self.halo[2] + self.width + self.halo[3]
    }

    /// Vectors from one plane to the next.
    pub fn plane(&self) -> usize {
        (self.halo[0] + self.height + self.halo[1]) * self.row()
    }

    /// The first inner vector's place.
    pub fn origin(&self) -> usize {
        self.halo[0] * self.row() + self.halo[2]
    }

    /// All vectors of all planes, halos included.
    pub fn vectors(&self) -> usize {
        self.channels * self.plane()
    }

    /// The halo that a window along `h` and `w` needs around its input.
    pub fn halo_for(h: &Axis, w: &Axis) -> [usize; 4] {
        let need = |a: &Axis| {
            let end = (a.output - 1) * a.stride + a.reach();
            [a.before, end.saturating_sub(a.before + a.input)]
        };
        let ([t, b], [l, r]) = (need(h), need(w));
        [t, b, l, r]
    }
}
