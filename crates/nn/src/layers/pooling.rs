//! What the four kinds of pooling have in common.

use super::fields::{by, steps};
use super::layer::{At, Gradient, Inputs, Layer, ParamSpec, Pass, Passage, Role, Shape, Words};
use crate::ops;
use crate::steps::single::{SinglePlace, SingleStep};
use crate::steps::{Placing, StepKind};
use crate::{Error, Pool2dOptions};
use foveal_kernels::{GeometryError, Pool2dGeometry};
use ndarray::{Array4, ArrayView4};

/// A pooling: which windows, and what becomes of each.
pub trait Pooling {
    /// The operator's name.
    const NAME: &'static str;
    /// Whether a window gives its largest number, else its mean.
    const MAX: bool;

    /// Windows, strides and padding for maps of this shape.
    fn options(&self, from: Shape) -> Pool2dOptions;

    fn words(&self) -> Words;

    /// The geometry for a batch of `n` images of this shape.
    ///
    /// # Errors
    /// When the shape does not fit.
    fn geometry(&self, from: Shape, n: usize) -> Result<Pool2dGeometry, GeometryError> {
        let [h, w, c] = from;
        Pool2dGeometry::new(Self::NAME, &[n, h, w, c], &self.options(from))
    }
}

/// A window with its strides in words: `maximum of 2x2, step 2`.
pub(super) fn window(what: [&str; 2], ksize: [i64; 2], strides: Option<[i64; 2]>) -> Words {
    let (k, [en, ko]) = (by(ksize), steps(strides.unwrap_or(ksize)));
    Words::new(format!("{} of {k}{en}", what[0]), format!("{k} {}{ko}", what[1]))
}

fn checked(layer: &impl Pooling, from: Shape) -> Pool2dGeometry {
    layer.geometry(from, 1).expect("the shapes were checked when the model was made")
}

impl<T: Pooling> Layer for T {
    fn inputs(&self) -> Inputs {
        Inputs::One
    }

    fn shape(&self, from: &[Shape]) -> Result<(Shape, u64), String> {
        let g = self.geometry(from[0], 1).map_err(|e| e.problem)?;
        let [_, h, w, c] = g.output_shape();
        // A window may be larger than the image, and its cells more than 64 bits can count.
        let all = [h, w, c, g.h.kernel, g.w.kernel];
        Ok(([h, w, c], all.iter().fold(1u64, |a, &v| a.saturating_mul(v as u64))))
    }

    fn params(&self, _: &[Shape]) -> Vec<ParamSpec> {
        Vec::new()
    }

    fn forward(&self, at: &At<'_>) -> Result<Array4<f32>, Error> {
        let [_, h, w, c] = at.extents();
        let options = self.options([h, w, c]);
        if T::MAX { ops::max_pool(at.x(), &options) } else { ops::avg_pool(at.x(), &options) }
    }

    fn gradient(&self, at: &At<'_>, _: ArrayView4<f32>, d: ArrayView4<f32>) -> Result<Gradient, Error> {
        let from @ [_, h, w, c] = at.extents();
        let options = self.options([h, w, c]);
        Ok(Gradient::of(match T::MAX {
            true => ops::max_pool_backward(at.x(), d, &options)?,
            false => ops::avg_pool_backward(from, d, &options)?,
        }))
    }

    /// A window's gradient goes by the places noted on the way forward.
    fn reads_output(&self) -> bool {
        false
    }

    fn passage(&self, _: &Pass) -> Passage {
        Passage::Step
    }

    fn step(&self, place: &mut Placing<'_>) -> StepKind {
        let g = checked(self, place.shape());
        if T::MAX { place.max_pool(&g) } else { place.avg_pool(&g) }
    }

    fn single(&self, place: &SinglePlace<'_>) -> SingleStep {
        let g = checked(self, place.shape());
        if T::MAX { SingleStep::MaxPool(g) } else { SingleStep::AvgPool(g) }
    }

    fn pool_geometry(&self, from: Shape, n: usize) -> Option<Result<Pool2dGeometry, GeometryError>> {
        Some(self.geometry(from, n))
    }

    fn role(&self) -> Role {
        Role::Subsampling
    }

    fn words(&self) -> Words {
        Pooling::words(self)
    }

    fn keeps_places(&self) -> bool {
        false
    }
}
