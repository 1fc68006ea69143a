//! The arithmetic of layers that only walk over the grid of an image, written once for both layouts: images
//! side by side ([`crate::lanes`]) and single images with channels side by side ([`crate::nhwc`]).
//!
//! An [`Op`] is a layer's arithmetic with its options; [`Op::output_shape`] is the one place where its shapes
//! are checked. A [`Planned`] is an operation with the places of its numbers, one [`Grid`] for each array: it
//! goes forward and backward, takes no memory and adds in one fixed order.

mod binary;
mod fold;
mod group_norm;
mod l2_normalize;
mod layer_norm;
mod linear;
mod map;
mod op;
mod planned;
mod rearrange;
mod reduce;
mod resize;
mod response_norm;
mod scale;
mod shape;
mod softmax;
mod tile;
mod walk;

pub use binary::Binary;
pub use op::Op;
pub use planned::Planned;
pub use rearrange::{DepthOrder, PadMode, Rearrangement};
pub use reduce::Reduction;
pub use resize::{Coordinates, Method, NearestRound, Resize};

use crate::lanes::Frame;
use crate::nhwc::Layout;

/// How the numbers of one image, or of several side by side, lie in a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels.
    pub channels: usize,
    /// Numbers from one row to the next.
    pub row: usize,
    /// Numbers from one column to the next.
    pub column: usize,
    /// Numbers from one channel to the next.
    pub channel: usize,
    /// The place of the first number.
    pub origin: usize,
    /// Images side by side: the numbers of one place and channel, one after the other.
    pub lanes: usize,
}

impl Grid {
    /// One image `[h, w, c]`, channels side by side, nothing around it.
    pub fn plain([height, width, channels]: [usize; 3]) -> Self {
        let (row, column) = (width * channels, channels);
        Self { height, width, channels, row, column, channel: 1, origin: 0, lanes: 1 }
    }

    /// The inside of a frame of so many images.
    pub fn of_frame(frame: &Frame, lanes: usize) -> Self {
        Self {
            height: frame.height,
            width: frame.width,
            channels: frame.channels,
            row: frame.row() * lanes,
            column: lanes,
            channel: frame.plane() * lanes,
            origin: frame.origin() * lanes,
            lanes,
        }
    }

    /// The inside of a single image's layout.
    pub fn of_layout(layout: &Layout) -> Self {
        let [height, width, channels] = layout.shape;
        let (row, origin) = (layout.row(), layout.origin());
        Self { height, width, channels, row, column: channels, channel: 1, origin, lanes: 1 }
    }

    /// Height, width, channels.
    pub fn shape(&self) -> [usize; 3] {
        [self.height, self.width, self.channels]
    }

    /// The place of a cell's first lane.
    #[inline(always)]
    pub fn at(&self, h: usize, w: usize, c: usize) -> usize {
        self.origin + h * self.row + w * self.column + c * self.channel
    }

    /// The length that a slice must have to hold every cell.
    ///
    /// # Panics
    /// When an extent is 0 or the length is beyond what a machine addresses: the planner's mistake.
    pub fn end(&self) -> usize {
        let last = |extent: usize, step: usize| extent.checked_sub(1)?.checked_mul(step);
        [
            (self.height, self.row),
            (self.width, self.column),
            (self.channels, self.channel),
            (self.lanes + 1, 1),
        ]
        .into_iter()
        .try_fold(self.origin, |end, (extent, step)| end.checked_add(last(extent, step)?))
        .unwrap_or_else(|| panic!("no slice holds {self:?}"))
    }
}
