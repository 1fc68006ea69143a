//! A slice in Hounsfield units, and how it becomes a sample.

use super::header::{Header, MAX_PIXELS};
use crate::resample::resize;
use crate::{Error, Window};

/// The Hounsfield value of air: it stands where nothing was measured.
const AIR: f32 = -1000.0;

/// A slice in Hounsfield units.
#[derive(Clone, PartialEq, Debug)]
pub struct Slice {
    pub(super) header: Header,
    pub(super) hounsfield: Vec<f32>,
    pub(super) padding: Vec<u32>,
}

impl Slice {
    /// What the slice is and where it lies.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Rows x columns Hounsfield units, row by row. Pixels in [`Self::padding`] have no meaning.
    pub fn hounsfield(&self) -> &[f32] {
        &self.hounsfield
    }

    /// The pixels that were not measured (`PixelPaddingValue`), in rising order.
    pub fn padding(&self) -> &[u32] {
        &self.padding
    }

    /// The least and the greatest Hounsfield value of what was measured.
    pub fn range(&self) -> Option<[f32; 2]> {
        let mut padding = self.padding.iter().peekable();
        let mut range: Option<[f32; 2]> = None;
        for (i, &value) in self.hounsfield.iter().enumerate() {
            if padding.next_if(|&&p| p as usize == i).is_some() {
                continue;
            }
            range = Some(range.map_or([value; 2], |[low, high]| [low.min(value), high.max(value)]));
        }
        range
    }

    /// The slice as a sample of `size` (height, width): resampled once to square pixels, as large as
    /// fits, and placed in the middle. Around it, and where nothing was measured, is air. The result is
    /// height * width greys, 0 to 255; the window is applied after the resampling.
    ///
    /// # Errors
    /// [`Error::Argument`] when a side is zero or the product exceeds 16.8 million pixels.
    pub fn sample(&self, size: [usize; 2], window: &Window) -> Result<Vec<f32>, Error> {
        let [height, width] = size;
        let most = MAX_PIXELS;
        if height == 0 || width == 0 || height.saturating_mul(width) > most {
            return Err(Error::Argument {
                argument: "size for a slice",
                value: format!("{height}x{width}"),
                allowed: format!("sides of at least 1 and at most {most} pixels"),
            });
        }
        let [rows, columns] = self.header.size;
        // The size of the slice in millimetres, and pixels of the sample for each millimetre.
        let extent = [0, 1].map(|i| self.header.size[i] as f64 * self.header.spacing[i]);
        let scale = (height as f64 / extent[0]).min(width as f64 / extent[1]);
        let side = |i: usize| ((extent[i] * scale).round() as usize).clamp(1, size[i]);
        let inner = [side(0), side(1)];
        let mut measured;
        let pixels = if self.padding.is_empty() {
            &self.hounsfield
        } else {
            measured = self.hounsfield.clone();
            for &i in &self.padding {
                measured[i as usize] = AIR;
            }
            &measured
        };
        let inside = resize(pixels, [rows, columns], 1, inner);
        let mut sample = vec![window.grey(AIR); height * width];
        let (top, left) = ((height - inner[0]) / 2, (width - inner[1]) / 2);
        for (line, from) in sample.chunks_exact_mut(width).skip(top).zip(inside.chunks_exact(inner[1])) {
            for (to, &value) in line[left..].iter_mut().zip(from) {
                *to = window.grey(value);
            }
        }
        Ok(sample)
    }

    /// [`Self::sample`] as the raw input of a model of `shape` (height, width, channels): whole numbers
    /// from 0 to 255, as in training, where they are bytes; the same in each channel.
    ///
    /// # Errors
    /// As [`Self::sample`].
    pub fn raw(&self, shape: [usize; 3], window: &Window) -> Result<Vec<f32>, Error> {
        let [height, width, channels] = shape;
        let sample = self.sample([height, width], window)?;
        Ok(sample.iter().flat_map(|v| std::iter::repeat_n(v.round(), channels)).collect())
    }
}
