use super::grid;
use crate::Error;
use foveal_kernels::grid::{Binary, Op};
use ndarray::{Array4, ArrayView4};

/// `a b`, number by number: `a` and `b` are `[n, h, w, c]` of one batch, and height, width or channels of 1 meet any,
/// as in NumPy: a gate `[n, 1, 1, c]` or a mask `[n, h, w, 1]` may be on either side. TensorFlow's and PyTorch's
/// `multiply`, ONNX's Mul.
///
/// # Errors
/// When the batches differ or two extents that are not 1.
pub fn multiply(a: ArrayView4<f32>, b: ArrayView4<f32>) -> Result<Array4<f32>, Error> {
    grid::run(&Op::Binary(Binary::Multiply), &[a, b], &[])
}

/// The gradients of [`multiply`] with respect to `a` and `b`, from `d_output` of the product's shape: `d_output b` and
/// `d_output a`, summed where an input was broadcast.
///
/// # Errors
/// When the shapes do not fit.
pub fn multiply_backward(
    a: ArrayView4<f32>,
    b: ArrayView4<f32>,
    d_output: ArrayView4<f32>,
) -> Result<[Array4<f32>; 2], Error> {
    backward(Binary::Multiply, a, b, d_output)
}

/// `a - b`, with the shapes of [`multiply`]. TensorFlow's and PyTorch's `subtract`, ONNX's Sub.
///
/// # Errors
/// When the batches differ or two extents that are not 1.
pub fn subtract(a: ArrayView4<f32>, b: ArrayView4<f32>) -> Result<Array4<f32>, Error> {
    grid::run(&Op::Binary(Binary::Subtract), &[a, b], &[])
}

/// The gradients of [`subtract`] with respect to inputs of shapes `a` and `b`: `d_output` and `-d_output`, summed
/// where an input was broadcast.
///
/// # Errors
/// When the shapes do not fit.
pub fn subtract_backward(
    a: [usize; 4],
    b: [usize; 4],
    d_output: ArrayView4<f32>,
) -> Result<[Array4<f32>; 2], Error> {
    let op = Op::Binary(Binary::Subtract);
    let (a, b) = (grid::unread(&op, a)?, grid::unread(&op, b)?);
    backward(Binary::Subtract, a, b, d_output)
}

/// The larger of both, with the shapes of [`multiply`]; not-a-number spreads. TensorFlow's and PyTorch's `maximum`,
/// ONNX's Max.
///
/// # Errors
/// When the batches differ or two extents that are not 1.
pub fn maximum(a: ArrayView4<f32>, b: ArrayView4<f32>) -> Result<Array4<f32>, Error> {
    grid::run(&Op::Binary(Binary::Maximum), &[a, b], &[])
}

/// The gradients of [`maximum`]: all to the larger, of equal ones to `a`, as TensorFlow does (PyTorch halves it).
///
/// # Errors
/// When the shapes do not fit.
pub fn maximum_backward(
    a: ArrayView4<f32>,
    b: ArrayView4<f32>,
    d_output: ArrayView4<f32>,
) -> Result<[Array4<f32>; 2], Error> {
    backward(Binary::Maximum, a, b, d_output)
}

/// The smaller of both, with the shapes of [`multiply`]; not-a-number spreads. TensorFlow's and PyTorch's `minimum`,
/// ONNX's Min.
///
/// # Errors
/// When the batches differ or two extents that are not 1.
pub fn minimum(a: ArrayView4<f32>, b: ArrayView4<f32>) -> Result<Array4<f32>, Error> {
    grid::run(&Op::Binary(Binary::Minimum), &[a, b], &[])
}

/// The gradients of [`minimum`]: all to the smaller, of equal ones to `a`, as TensorFlow does (PyTorch halves it).
///
/// # Errors
/// When the shapes do not fit.
pub fn minimum_backward(
    a: ArrayView4<f32>,
    b: ArrayView4<f32>,
    d_output: ArrayView4<f32>,
) -> Result<[Array4<f32>; 2], Error> {
    backward(Binary::Minimum, a, b, d_output)
}

fn backward(
    f: Binary,
    a: ArrayView4<f32>,
    b: ArrayView4<f32>,
    d_output: ArrayView4<f32>,
) -> Result<[Array4<f32>; 2], Error> {
    let (d, _) = grid::gradients(&Op::Binary(f), &[a, b], &[], d_output, d_output)?;
    Ok(d.try_into().expect("a gradient for each of two inputs"))
}
