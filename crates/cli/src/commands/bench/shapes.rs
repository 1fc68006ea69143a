//! The convolutions that are measured: from a small net's first layer to a wide net's blocks.

/// A SAME convolution on square images.
pub struct Shape {
    /// Its name in the table.
    pub name: &'static str,
    /// Images.
    pub batch: usize,
    /// Height and width.
    pub side: usize,
    /// Channels in and out.
    pub channels: [usize; 2],
    /// The filter's height and width.
    pub kernel: usize,
    /// Step between windows.
    pub stride: i64,
}

const fn shape(
    name: &'static str,
    batch: usize,
    side: usize,
    channels: [usize; 2],
    kernel: usize,
    stride: i64,
) -> Shape {
    Shape { name, batch, side, channels, kernel, stride }
}

/// All shapes.
pub const ALL: [Shape; 10] = [
    shape("1->8, 28x28, 3x3", 128, 28, [1, 8], 3, 1),
    shape("8->16, 14x14, 3x3", 128, 14, [8, 16], 3, 1),
    shape("16->32, 14x14, 3x3", 128, 14, [16, 32], 3, 1),
    shape("32->64, 14x14, 3x3", 128, 14, [32, 64], 3, 1),
    shape("64->64, 56x56, 3x3", 8, 56, [64, 64], 3, 1),
    shape("128->128, 28x28, 3x3", 8, 28, [128, 128], 3, 1),
    shape("256->256, 14x14, 3x3", 8, 14, [256, 256], 3, 1),
    shape("512->512, 7x7, 3x3", 8, 7, [512, 512], 3, 1),
    shape("64->256, 56x56, 1x1", 8, 56, [64, 256], 1, 1),
    shape("3->64, 224x224, 7x7/2", 8, 224, [3, 64], 7, 2),
];
