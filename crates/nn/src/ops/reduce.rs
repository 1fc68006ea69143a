use super::grid;
use crate::Error;
use foveal_kernels::grid::{Op, Reduction};
use ndarray::{Array4, ArrayView4};

/// `x - ln(sum(e^x))` over the channels of each place of `[n, h, w, c]`: the logarithm of softmax, without its
/// rounding. `tf.nn.log_softmax`; PyTorch's and ONNX's over the axis of channels.
///
/// # Errors
/// When `x` has no height, width or channels, or is too large.
pub fn log_softmax(x: ArrayView4<f32>) -> Result<Array4<f32>, Error> {
    grid::run(&Op::LogSoftmax, &[x], &[])
}

/// The gradient of [`log_softmax`] from its result `y`: `d_output - e^y sum(d_output)`.
///
/// # Errors
/// When the shapes differ.
pub fn log_softmax_backward(y: ArrayView4<f32>, d_output: ArrayView4<f32>) -> Result<Array4<f32>, Error> {
    let (n, h, w, c) = y.dim();
    let x = grid::unread(&Op::LogSoftmax, [n, h, w, c])?;
    let (mut d, _) = grid::gradients(&Op::LogSoftmax, &[x], &[], y, d_output)?;
    Ok(d.remove(0))
}

/// The mean, the sum or the largest over height, width and channels, where `over` says so; those extents become 1.
/// `x` `[n, h, w, c]`. `tf.reduce_mean`, `reduce_sum` and `reduce_max` with `keepdims=True`, PyTorch's `mean`, `sum`
/// and `amax` with `keepdim=True`, ONNX's ReduceMean, ReduceSum and ReduceMax. Of the largest, not-a-number spreads.
///
/// # Errors
/// When `x` has no height, width or channels.
pub fn reduce(x: ArrayView4<f32>, how: Reduction, over: [bool; 3]) -> Result<Array4<f32>, Error> {
    grid::run(&Op::Reduce { how, over }, &[x], &[])
}

/// The gradient of [`reduce`] at `x`, from `d_output` of its result's shape. That of the largest goes to the first of
/// equal ones in the order height, width, channel (TensorFlow and PyTorch's `amax` share it among them).
///
/// # Errors
/// When the shapes do not fit.
pub fn reduce_backward(
    x: ArrayView4<f32>,
    how: Reduction,
    over: [bool; 3],
    d_output: ArrayView4<f32>,
) -> Result<Array4<f32>, Error> {
    let (mut d, _) = grid::gradients(&Op::Reduce { how, over }, &[x], &[], d_output, d_output)?;
    Ok(d.remove(0))
}
