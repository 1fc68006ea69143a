//! Pictures of any size as samples of one size.

use crate::picture::{Fit, decode, raw};
use crate::{Error, Picture, Samples, Scale};

/// The longest side that [`common_size`] gives.
pub const LONGEST: usize = 64;

/// A picture at the size of the data set. It is grey if red, green and blue agree everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Small {
    channels: usize,
    pixels: Vec<f32>,
    scale: Scale,
}

impl Small {
    /// Grey pixels, 0 to 255, rounded to bytes.
    pub fn grey(pixels: &[f32]) -> Self {
        Small { channels: 1, pixels: pixels.iter().map(|v| v.round()).collect(), scale: Scale::Bytes }
    }

    /// The raw numbers of a picture for a data set on `scale`.
    ///
    /// # Errors
    /// Those of [`raw`].
    pub fn of(picture: &Picture, size: [usize; 2], how: Fit, scale: Scale) -> Result<Self, Error> {
        let channels = if picture.is_grey() { 1 } else { 3 };
        let pixels = raw(picture, [size[0], size[1], channels], how, scale)?;
        Ok(Small { channels, pixels, scale })
    }

    /// Raw numbers that a model sees of a picture, with `channels` channels.
    pub fn numbers(pixels: Vec<f32>, channels: usize, scale: Scale) -> Self {
        Small { channels, pixels, scale }
    }

    /// 1 for grey, 3 for colour.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The scale of its numbers.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Height x width x channels numbers.
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }
}

/// The size that suits pictures of these `sizes` (height, width): the median of each side, made
/// smaller in proportion so that neither exceeds [`LONGEST`]. `None` without pictures.
///
/// ```
/// use foveal_data::stack::common_size;
///
/// assert_eq!(common_size(&[[28, 28]; 3]), Some([28, 28]));
/// assert_eq!(common_size(&[[480, 640], [10, 10], [480, 640]]), Some([48, 64]));
/// ```
pub fn common_size(sizes: &[[usize; 2]]) -> Option<[usize; 2]> {
    let median = |axis: usize| {
        let mut sides: Vec<usize> = sizes.iter().map(|size| size[axis]).collect();
        sides.sort_unstable();
        sides.get(sides.len() / 2).copied()
    };
    let [height, width] = [median(0)?, median(1)?];
    let scale = (LONGEST as f64 / height.max(width) as f64).min(1.0);
    let side = |side: usize| ((side as f64 * scale).round() as usize).max(1);
    Some([side(height), side(width)])
}

/// Decodes a picture and makes it a [`Small`] of bytes, stretched to `size` (height, width).
///
/// # Errors
/// Those of [`decode`] and [`Small::of`].
pub fn small(bytes: &[u8], source: &str, size: [usize; 2]) -> Result<Small, Error> {
    Small::of(&decode(bytes, source)?, size, Fit::Stretch, Scale::Bytes)
}

impl Small {
    /// Its numbers with `channels` channels, 1 or 3: grey becomes colour by repetition, colour grey by its luma.
    pub fn into_channels(self, channels: usize) -> Vec<f32> {
        match (self.channels, channels) {
            (1, 3) => self.pixels.iter().flat_map(|&v| [v; 3]).collect(),
            (3, 1) => {
                let (triples, _) = self.pixels.as_chunks::<3>();
                let whole = matches!(self.scale, Scale::Bytes | Scale::Words);
                let luma = |&[r, g, b]: &[f32; 3]| 0.299 * r + 0.587 * g + 0.114 * b;
                let luma = triples.iter().map(luma);
                if whole { luma.map(f32::round).collect() } else { luma.collect() }
            }
            _ => self.pixels,
        }
    }

    /// The same as bytes, for pictures on [`Scale::Bytes`].
    pub fn into_bytes(self, channels: usize) -> Vec<u8> {
        self.into_channels(channels).into_iter().map(|v| v as u8).collect()
    }
}

/// The pictures one after another, and their number of channels: `channels` if given, else 1 if all are
/// grey and 3 otherwise. [`Small::into_channels`] converts them. They are bytes if all are on [`Scale::Bytes`].
pub fn join(pictures: Vec<Small>, channels: Option<usize>) -> (Samples, usize) {
    let colour = pictures.iter().any(|p| p.channels == 3);
    let channels = channels.unwrap_or(if colour { 3 } else { 1 });
    let size: usize = pictures.iter().map(|p| p.pixels.len() / p.channels * channels).sum();
    if pictures.iter().all(|p| p.scale == Scale::Bytes) {
        let mut all = Vec::with_capacity(size);
        pictures.into_iter().for_each(|picture| all.extend(picture.into_bytes(channels)));
        return (Samples::U8(all), channels);
    }
    let mut all = Vec::with_capacity(size);
    pictures.into_iter().for_each(|picture| all.extend(picture.into_channels(channels)));
    (Samples::F32(all), channels)
}
