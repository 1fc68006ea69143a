//! The largest extents that the bench takes.

use serde::Serialize;
use tsify::Tsify;

/// Height and width of the input.
pub const EXTENT: usize = 28;
/// Channels of the input.
pub const CHANNELS: usize = 6;
/// Height and width of the filter or the window.
pub const KERNEL: usize = 12;
/// Number of filters.
pub const FILTERS: usize = 8;
/// Strides, dilations, and explicit padding on each side.
pub const STEP: usize = 12;
/// Cells of the padded input, and of the output, over all channels.
pub const CELLS: usize = 5000;

/// The limits for the fields of the page.
#[derive(Clone, Copy, Debug, Serialize, Tsify)]
pub struct Limits {
    /// Height and width of the input.
    pub extent: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Height and width of the filter or the window.
    pub kernel: usize,
    /// Number of filters.
    pub filters: usize,
    /// Strides, dilations, and explicit padding on each side.
    pub step: usize,
}

/// The limits as one value.
pub const ALL: Limits =
    Limits { extent: EXTENT, channels: CHANNELS, kernel: KERNEL, filters: FILTERS, step: STEP };
