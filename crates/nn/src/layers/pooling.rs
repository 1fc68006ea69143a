//! Pooling: what becomes of the windows.

use super::fields::{by, steps};
use super::layer::{At, Gradient, Shape, Words};
use crate::ops;
use crate::{Error, Pool2dOptions};
use foveal_kernels::{GeometryError, Pool2dGeometry};
use ndarray::{Array4, ArrayView4};

/// A pooling.
#[derive(Clone, Copy, Debug)]
pub struct Pooling {
    /// The operator's name.
    pub name: &'static str,
    /// Whether a window gives its largest number, else its mean.
    pub max: bool,
    /// Windows, strides and padding.
    pub options: Pool2dOptions,
}

impl Pooling {
    /// The geometry for a batch of `n` images of this shape.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn geometry(&self, [h, w, c]: Shape, n: usize) -> Result<Pool2dGeometry, GeometryError> {
        Pool2dGeometry::new(self.name, &[n, h, w, c], &self.options)
    }

    /// The geometry of one image whose shape was checked when the model was made.
    pub fn checked(&self, from: Shape) -> Pool2dGeometry {
        self.geometry(from, 1).expect("the shapes were checked when the model was made")
    }

    pub fn shape(&self, from: Shape) -> Result<(Shape, u64), String> {
        let g = self.geometry(from, 1).map_err(|e| e.problem)?;
        let [_, h, w, c] = g.output_shape();
        // A window may be larger than the image, and its cells more than 64 bits can count.
        let all = [h, w, c, g.h.kernel, g.w.kernel];
        Ok(([h, w, c], all.iter().fold(1u64, |a, &v| a.saturating_mul(v as u64))))
    }

    pub fn forward(&self, x: ArrayView4<f32>) -> Result<Array4<f32>, Error> {
        if self.max { ops::max_pool(x, &self.options) } else { ops::avg_pool(x, &self.options) }
    }

    pub fn gradient(&self, at: &At<'_>, d: ArrayView4<f32>) -> Result<Gradient, Error> {
        Ok(Gradient::of(match self.max {
            true => ops::max_pool_backward(at.x(), d, &self.options)?,
            false => ops::avg_pool_backward(at.extents(), d, &self.options)?,
        }))
    }
}

/// A window with its strides in words: `maximum of 2x2, step 2`.
pub(super) fn window(what: [&str; 2], ksize: [i64; 2], strides: Option<[i64; 2]>) -> Words {
    let (k, [en, ko]) = (by(ksize), steps(strides.unwrap_or(ksize)));
    Words::new(format!("{} of {k}{en}", what[0]), format!("{k} {}{ko}", what[1]))
}
