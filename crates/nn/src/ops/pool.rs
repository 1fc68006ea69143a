use super::views::{expect, rows, slice};
use crate::Error;
use foveal_kernels::nhwc::pool;
use foveal_kernels::{Isa, Padding, Pool2dGeometry, Pool2dOptions};
use ndarray::{Array4, ArrayView4};

/// The largest of each window: `x` `[n, h, w, c]`, result `[n, oh, ow, c]`, as TensorFlow's `tf.nn.max_pool`.
/// Padding counts as minus infinity, never as 0; not-a-number spreads.
///
/// # Errors
/// When the shape does not fit the options.
pub fn max_pool(x: ArrayView4<f32>, options: &Pool2dOptions) -> Result<Array4<f32>, Error> {
    forward("max_pool", x, options, pool::max_pool)
}

/// The mean of each window's cells inside the image, as TensorFlow's `tf.nn.avg_pool`.
///
/// # Errors
/// When the shape does not fit the options.
pub fn avg_pool(x: ArrayView4<f32>, options: &Pool2dOptions) -> Result<Array4<f32>, Error> {
    forward("avg_pool", x, options, pool::avg_pool)
}

/// The mean of each channel: `x` `[n, h, w, c]`, result `[n, 1, 1, c]`.
///
/// # Errors
/// When the image is empty.
pub fn global_avg_pool(x: ArrayView4<f32>) -> Result<Array4<f32>, Error> {
    let options = whole([x.shape()[1], x.shape()[2]]);
    forward("global_avg_pool", x, &options, pool::avg_pool)
}

/// The largest number of each channel: `x` `[n, h, w, c]`, result `[n, 1, 1, c]`. Its gradient is that of
/// [`max_pool`] with a window of the image's size.
///
/// # Errors
/// When the image is empty.
pub fn global_max_pool(x: ArrayView4<f32>) -> Result<Array4<f32>, Error> {
    let options = whole([x.shape()[1], x.shape()[2]]);
    forward("global_max_pool", x, &options, pool::max_pool)
}

/// The gradient of [`max_pool`] at `x`, from `d_output` `[n, oh, ow, c]`: each window's goes to its largest
/// cell, the first in row-major order of equal ones.
///
/// # Errors
/// When the shapes do not fit the options or each other.
pub fn max_pool_backward(
    x: ArrayView4<f32>,
    d_output: ArrayView4<f32>,
    options: &Pool2dOptions,
) -> Result<Array4<f32>, Error> {
    const NAME: &str = "max_pool_backward";
    let g = Pool2dGeometry::new(NAME, x.shape(), options)?;
    expect(NAME, "d_output", d_output.shape(), &g.output_shape())?;
    let (x, dy) = (rows(x), rows(d_output));
    let mut dx = Array4::zeros(g.input_shape());
    pool::max_pool_backward(&g, slice(&x), slice(&dy), dx.as_slice_mut().expect("new"));
    Ok(dx)
}

/// The gradient of [`avg_pool`] with respect to an input of shape `input`, from `d_output` `[n, oh, ow, c]`.
///
/// # Errors
/// When the shapes do not fit the options or each other.
pub fn avg_pool_backward(
    input: [usize; 4],
    d_output: ArrayView4<f32>,
    options: &Pool2dOptions,
) -> Result<Array4<f32>, Error> {
    average_backward("avg_pool_backward", input, d_output, options)
}

/// The gradient of [`global_avg_pool`] with respect to an input of shape `input`, from `d_output`
/// `[n, 1, 1, c]`.
///
/// # Errors
/// When the shapes do not fit each other.
pub fn global_avg_pool_backward(input: [usize; 4], d_output: ArrayView4<f32>) -> Result<Array4<f32>, Error> {
    let options = whole([input[1], input[2]]);
    average_backward("global_avg_pool_backward", input, d_output, &options)
}

/// A window as large as an image of `h` x `w`.
pub(crate) fn whole([h, w]: [usize; 2]) -> Pool2dOptions {
    let side = |v| i64::try_from(v).unwrap_or(i64::MAX);
    Pool2dOptions { ksize: [side(h), side(w)], strides: [side(h), side(w)], padding: Padding::Valid }
}

fn forward(
    name: &'static str,
    x: ArrayView4<f32>,
    options: &Pool2dOptions,
    kernel: fn(Isa, &Pool2dGeometry, &[f32], &mut [f32]),
) -> Result<Array4<f32>, Error> {
    let g = Pool2dGeometry::new(name, x.shape(), options)?;
    let x = rows(x);
    let mut y = Array4::zeros(g.output_shape());
    kernel(Isa::best(), &g, slice(&x), y.as_slice_mut().expect("new"));
    Ok(y)
}

fn average_backward(
    name: &'static str,
    input: [usize; 4],
    d_output: ArrayView4<f32>,
    options: &Pool2dOptions,
) -> Result<Array4<f32>, Error> {
    let g = Pool2dGeometry::new(name, &input, options)?;
    expect(name, "d_output", d_output.shape(), &g.output_shape())?;
    let dy = rows(d_output);
    let mut dx = Array4::zeros(input);
    pool::avg_pool_backward(&g, slice(&dy), dx.as_slice_mut().expect("new"));
    Ok(dx)
}
