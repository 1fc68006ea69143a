#![forbid(unsafe_code)]
//! EfficientNet-Lite0 as trained on ImageNet: its numbers, and the names of the thousand classes.
//!
//! No file is opened and nothing is fetched. The numbers are by Google (Apache-2.0); README.md says where they come
//! from and how they are packed. What the network looks like is not said here: whoever builds it takes as many
//! numbers for each layer, in forward order, as the layer has.
//!
//! ```
//! let numbers = foveal_backbone::numbers();
//! assert_eq!(numbers.weights.len() + numbers.norms.len(), 4_694_024);
//! assert_eq!(foveal_backbone::classes().nth(1), Some("goldfish"));
//! ```

mod half;

/// Height and width of the pictures that the network was trained on.
pub const SIZE: usize = 224;
/// Number of classes.
pub const CLASSES: usize = 1000;
/// What a pixel from 0 to 255 is multiplied by before the first layer: the network sees (pixel - 127) / 128.
pub const SCALE: f32 = 1.0 / 128.0;
/// What is then added.
pub const SHIFT: f32 = -127.0 / 128.0;

/// Numbers in the filters and in the last layer's weights.
const WEIGHTS: usize = 4_608_992;
/// Numbers in the normalizations and in the last layer's bias.
const NORMS: usize = 85_032;

/// The network's numbers, each kind in forward order.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    /// Of every convolution the filters, `[rows, columns, inputs, filters]` (of a depthwise one `[rows, columns, 1,
    /// filters]`), then the last layer's weights, `[1280, 1000]`. They were rounded to half floats.
    pub weights: Vec<f32>,
    /// Of every normalization scale, offset, mean and variance, a number for each channel; then the last layer's bias.
    pub norms: Vec<f32>,
}

/// Unpacks the numbers, 4,694,024 in all.
pub fn numbers() -> Numbers {
    let halves = unpack(include_bytes!("../data/weights.zst"), 2 * WEIGHTS);
    let (low, high) = halves.split_at(WEIGHTS);
    let weights = low.iter().zip(high).map(|(&low, &high)| half::to_f32(u16::from_le_bytes([low, high])));
    let norms = unpack(include_bytes!("../data/norms.zst"), 4 * NORMS);
    let norms = norms.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
    Numbers { weights: weights.collect(), norms: norms.collect() }
}

/// The names of the classes in the order of the outputs, in English.
pub fn classes() -> impl Iterator<Item = &'static str> {
    include_str!("../data/imagenet.txt").lines()
}

/// Decodes one built-in frame. The tests hold the SHA-256 of what each gives, so a failure here is a broken build
/// and no input can cause it.
fn unpack(frame: &[u8], bytes: usize) -> Vec<u8> {
    let mut out = vec![0; bytes];
    let written = zstd::bulk::decompress_to_buffer(frame, &mut out[..]);
    assert!(
        matches!(written, Ok(n) if n == bytes),
        "the built-in network's frames are damaged; run crates/backbone/pack.py again"
    );
    out
}
