use super::views::{expect, rows, slice};
use crate::Error;
use foveal_kernels::{Conv2dGeometry, Conv2dOptions, Isa, nhwc};
use ndarray::{Array1, Array4, ArrayView1, ArrayView4, Axis};

/// The gradients of a convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvGradients {
    /// With respect to the input, `[n, h, w, c]`.
    pub input: Array4<f32>,
    /// With respect to the filter, `[kh, kw, c / groups, o]`.
    pub filter: Array4<f32>,
    /// With respect to the bias, `[o]`.
    pub bias: Array1<f32>,
}

/// Two-dimensional convolution (cross-correlation): `x` `[n, h, w, c]`, `filter` `[kh, kw, c / groups, o]`,
/// `bias` `[o]`, result `[n, oh, ow, o]`:
///
/// `y[n, i, j, o] = bias[o] + sum x[n, i s + k d - p, j s + l d - p, c] filter[k, l, c, o]`, as TensorFlow's
/// `tf.nn.conv2d` (padding is 0; the odd cell of SAME goes to the bottom and the right).
///
/// # Errors
/// When the shapes do not fit the options or each other.
pub fn conv2d(
    x: ArrayView4<f32>,
    filter: ArrayView4<f32>,
    bias: Option<ArrayView1<f32>>,
    options: &Conv2dOptions,
) -> Result<Array4<f32>, Error> {
    let g = Conv2dGeometry::new("conv2d", x.shape(), filter.shape(), options)?;
    if let Some(bias) = &bias {
        expect("conv2d", "bias", bias.shape(), &[g.out_channels])?;
    }
    let bias = bias.map(|b| b.to_vec());
    let (x, filter) = (rows(x), rows(filter));
    let mut y = Array4::zeros(g.output_shape());
    let out = y.as_slice_mut().expect("new");
    nhwc::conv2d(Isa::best(), &g, slice(&x), slice(&filter), bias.as_deref(), out);
    Ok(y)
}

/// The gradient of [`conv2d`] with respect to an input of shape `input`, from `d_output` `[n, oh, ow, o]`.
///
/// # Errors
/// When the shapes do not fit the options or each other.
pub fn conv2d_backward_input(
    input: [usize; 4],
    filter: ArrayView4<f32>,
    d_output: ArrayView4<f32>,
    options: &Conv2dOptions,
) -> Result<Array4<f32>, Error> {
    const NAME: &str = "conv2d_backward_input";
    let g = Conv2dGeometry::new(NAME, &input, filter.shape(), options)?;
    expect(NAME, "d_output", d_output.shape(), &g.output_shape())?;
    let (filter, dy) = (rows(filter), rows(d_output));
    let mut dx = Array4::zeros(input);
    let out = dx.as_slice_mut().expect("new");
    nhwc::conv2d_backward_input(Isa::best(), &g, slice(&dy), slice(&filter), out);
    Ok(dx)
}

/// The gradient of [`conv2d`] with respect to a filter of shape `filter`, from `d_output` `[n, oh, ow, o]`.
///
/// # Errors
/// When the shapes do not fit the options or each other.
pub fn conv2d_backward_filter(
    x: ArrayView4<f32>,
    filter: [usize; 4],
    d_output: ArrayView4<f32>,
    options: &Conv2dOptions,
) -> Result<Array4<f32>, Error> {
    const NAME: &str = "conv2d_backward_filter";
    let g = Conv2dGeometry::new(NAME, x.shape(), &filter, options)?;
    expect(NAME, "d_output", d_output.shape(), &g.output_shape())?;
    let (x, dy) = (rows(x), rows(d_output));
    let mut df = Array4::zeros(filter);
    let out = df.as_slice_mut().expect("new");
    nhwc::conv2d_backward_filter(Isa::best(), &g, slice(&x), slice(&dy), out);
    Ok(df)
}

/// All gradients of [`conv2d`], from `d_output` `[n, oh, ow, o]`.
///
/// # Errors
/// When the shapes do not fit the options or each other.
pub fn conv2d_backward(
    x: ArrayView4<f32>,
    filter: ArrayView4<f32>,
    d_output: ArrayView4<f32>,
    options: &Conv2dOptions,
) -> Result<ConvGradients, Error> {
    let shape = |a: &ArrayView4<f32>| [a.dim().0, a.dim().1, a.dim().2, a.dim().3];
    let (x_shape, f_shape) = (shape(&x), shape(&filter));
    Ok(ConvGradients {
        input: conv2d_backward_input(x_shape, filter, d_output, options)?,
        filter: conv2d_backward_filter(x, f_shape, d_output, options)?,
        bias: d_output.sum_axis(Axis(0)).sum_axis(Axis(0)).sum_axis(Axis(0)),
    })
}
