//! How a picture of any size becomes the input of a model: the one way for training, evaluation and prediction.

use crate::picture::{MAX_PIXELS, Picture, Pixels};
use crate::resample::resize;
use crate::{Error, Scale};

/// What happens to a picture of another aspect ratio than the model's input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fit {
    /// It is stretched or squashed.
    #[default]
    Stretch,
    /// It keeps its shape, and what is left on both sides is black.
    Pad,
    /// It keeps its shape, and what is too much on both sides is cut off.
    Crop,
}

/// The raw numbers of a picture for a model whose raw numbers are on `scale`, with inputs of `shape` (height, width,
/// channels), NHWC. Resizing is with a triangle filter, widened where the picture is shrunk, without alignment of
/// corners; then the numbers are rounded to the picture's own depth, 8 or 16 bits (on [`Scale::Bytes`] always 8), and only
/// then put on the scale. RGB becomes grey by its luma ([`Picture::grey`]); grey becomes RGB by repetition.
///
/// # Errors
/// Those of [`fit`], and [`Error::Scale`] for [`Scale::Other`], of which nobody knows what white is.
///
/// ```
/// use foveal_data::{Picture, Scale, picture};
///
/// let picture = Picture::new(1, 2, 1, vec![0.0, 255.0])?;
/// assert_eq!(picture::raw(&picture, [1, 1, 1], picture::Fit::Stretch, Scale::Bytes)?, [128.0]);
/// assert_eq!(picture::raw(&picture, [1, 2, 1], picture::Fit::Stretch, Scale::Signed)?, [-1.0, 1.0]);
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn raw(picture: &Picture, shape: [usize; 3], how: Fit, scale: Scale) -> Result<Vec<f32>, Error> {
    let mut raw = fitted(picture, shape, how)?;
    scale.put(&mut raw, picture.full())?;
    Ok(raw)
}

/// Resizes a picture to `shape` (height, width, channels), as [`raw`] does, and gives pixels from 0 to 255 that are not
/// rounded.
///
/// # Errors
/// [`Error::Argument`] when a side is zero, the number of channels is neither 1 nor 3, or the
/// product exceeds 33.5 million pixels.
///
/// ```
/// use foveal_data::{Picture, picture};
///
/// let picture = Picture::new(1, 2, 1, vec![0.0, 255.0])?;
/// assert_eq!(picture::fit(&picture, [1, 1, 3], picture::Fit::Stretch)?, [127.5; 3]);
/// assert_eq!(picture::fit(&picture, [2, 2, 1], picture::Fit::Crop)?, [0.0, 0.0, 0.0, 0.0]);
/// # Ok::<(), foveal_data::Error>(())
/// ```
pub fn fit(picture: &Picture, shape: [usize; 3], how: Fit) -> Result<Vec<f32>, Error> {
    let mut fitted = fitted(picture, shape, how)?;
    let full = picture.full();
    if full != 255.0 {
        fitted.iter_mut().for_each(|v| *v *= 255.0 / full);
    }
    Ok(fitted)
}

/// Fits a picture to `shape`; its numbers stay on its own scale.
fn fitted(picture: &Picture, shape: [usize; 3], how: Fit) -> Result<Vec<f32>, Error> {
    let [height, width, channels] = shape;
    let size = height.saturating_mul(width);
    if size == 0 || size as u64 > MAX_PIXELS || !matches!(channels, 1 | 3) {
        return Err(Error::Argument {
            argument: "input shape for a picture",
            value: format!("{shape:?}"),
            allowed: format!("[height, width, channels] with 1 or 3 channels and 1 to {MAX_PIXELS} pixels"),
        });
    }
    let (from, to) = ([picture.height(), picture.width()], [height, width]);
    let fitted = match (picture.kept(), picture.channels(), channels) {
        (_, 3, 1) => shaped(&picture.own_grey(), from, 1, to, how),
        (Pixels::Bytes(bytes), depth, _) => shaped(bytes, from, depth, to, how),
        (Pixels::Words(words), depth, _) => shaped(words, from, depth, to, how),
        (Pixels::Numbers(numbers), depth, _) => shaped(numbers, from, depth, to, how),
    };
    let repeated = picture.channels() < channels;
    Ok(if repeated { fitted.iter().flat_map(|&grey| [grey; 3]).collect() } else { fitted })
}

/// Resizes `pixels` to `to`, as `how` says about another aspect ratio.
fn shaped<T: Copy + Into<f32>>(
    pixels: &[T],
    from: [usize; 2],
    channels: usize,
    to: [usize; 2],
    how: Fit,
) -> Vec<f32> {
    // The side of one that goes with `other` of the second, in whole pixels.
    let side = |one: usize, other: usize, of: usize| {
        ((one as f64 * other as f64 / of as f64).round() as usize).max(1)
    };
    let wide = from[1] as u128 * to[0] as u128 > to[1] as u128 * from[0] as u128;
    match how {
        Fit::Stretch => resize(pixels, from, channels, to),
        Fit::Pad => {
            let inner = match wide {
                true => [side(from[0], to[1], from[1]).min(to[0]), to[1]],
                false => [to[0], side(from[1], to[0], from[0]).min(to[1])],
            };
            let small = resize(pixels, from, channels, inner);
            place(&small, inner, channels, to)
        }
        Fit::Crop => {
            let kept = match wide {
                true => [from[0], side(to[1], from[0], to[0]).min(from[1])],
                false => [side(to[0], from[1], to[1]).min(from[0]), from[1]],
            };
            resize(&middle(pixels, from, channels, kept), kept, channels, to)
        }
    }
}

/// A picture of size `to` that is black around `inner`.
fn place(small: &[f32], inner: [usize; 2], channels: usize, to: [usize; 2]) -> Vec<f32> {
    let mut all = vec![0.0; to[0] * to[1] * channels];
    let [top, left] = [(to[0] - inner[0]) / 2, (to[1] - inner[1]) / 2];
    let rows = all.chunks_exact_mut(to[1] * channels).skip(top);
    for (row, own) in rows.zip(small.chunks_exact(inner[1] * channels)) {
        row[left * channels..][..own.len()].copy_from_slice(own);
    }
    all
}

/// The middle of a picture, of size `kept`.
fn middle<T: Copy>(pixels: &[T], from: [usize; 2], channels: usize, kept: [usize; 2]) -> Vec<T> {
    let [top, left] = [(from[0] - kept[0]) / 2, (from[1] - kept[1]) / 2];
    let rows = pixels.chunks_exact(from[1] * channels).skip(top).take(kept[0]);
    rows.flat_map(|row| &row[left * channels..][..kept[1] * channels]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_kept_where_that_is_asked_for() {
        // Two rows of four: 1 2 3 4 over 5 6 7 8.
        let picture = Picture::new(2, 4, 1, (1..=8u8).map(f32::from).collect()).unwrap();
        let fit = |to: [usize; 2], how| fit(&picture, [to[0], to[1], 1], how).unwrap();
        let padded = [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(fit([4, 4], Fit::Pad), padded);
        assert_eq!(fit([2, 2], Fit::Crop), [2.0, 3.0, 6.0, 7.0]);
        assert_eq!(fit([2, 4], Fit::Crop), fit([2, 4], Fit::Stretch));
        for to in [[1, 1], [1, 9], [9, 1], [7, 3]] {
            for how in [Fit::Stretch, Fit::Pad, Fit::Crop] {
                assert_eq!(fit(to, how).len(), to[0] * to[1]);
            }
        }
        let strip = Picture::new(1, 4000, 1, vec![9.0; 4000]).unwrap();
        assert_eq!(
            raw(&strip, [64, 64, 1], Fit::Pad, Scale::Bytes).unwrap().iter().filter(|&&v| v > 0.0).count(),
            64
        );
        assert_eq!(raw(&strip, [64, 64, 1], Fit::Crop, Scale::Bytes).unwrap(), [9.0; 4096]);
    }
}
