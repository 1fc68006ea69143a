use super::grid;
use crate::Error;
use foveal_kernels::grid::{Op, Resize};
use ndarray::{Array4, ArrayView4};

/// `x` `[n, h, w, c]` with `options.size` rows and columns, of the nearest cells or between cells (bilinear). ONNX's
/// Resize without antialiasing; of others:
///
/// | | coordinates | method |
/// |---|---|---|
/// | `torch.nn.functional.interpolate`, `bilinear` | half pixel | linear |
/// | the same with `align_corners=True` | align corners | linear |
/// | the same, `nearest` | asymmetric | nearest, floor |
/// | the same, `nearest-exact` | half pixel for the nearest (`TfHalfPixelForNn`) | nearest, floor |
/// | `tf.image.resize`, `bilinear` | half pixel | linear |
/// | the same, `nearest` | half pixel for the nearest | nearest, floor |
///
/// Without scales an output cell's place is exact. PyTorch, TensorFlow and ONNX Runtime compute it in f32, where for
/// one or two pairs of extents in a hundred a nearest cell becomes the one beside (PyTorch's from 2 to 82, for one). By
/// given scales places are ONNX Runtime's.
///
/// # Errors
/// When a scale is not above 0 or the result is empty or too large.
pub fn resize(x: ArrayView4<f32>, options: &Resize) -> Result<Array4<f32>, Error> {
    grid::run(&Op::Resize(*options), &[x], &[])
}

/// The gradient of [`resize`] with respect to an input of shape `input`, from `d_output` `[n, size.., c]`: each output
/// cell's, in the proportions in which it was read.
///
/// # Errors
/// When the shapes do not fit the options or each other.
pub fn resize_backward(
    input: [usize; 4],
    options: &Resize,
    d_output: ArrayView4<f32>,
) -> Result<Array4<f32>, Error> {
    let op = Op::Resize(*options);
    let (mut d, _) = grid::gradients(&op, &[grid::unread(&op, input)?], &[], d_output, d_output)?;
    Ok(d.remove(0))
}
