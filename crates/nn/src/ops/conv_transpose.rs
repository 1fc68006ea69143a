use super::views::{expect, rows, slice};
use crate::Error;
use foveal_kernels::{Conv2dTransposeGeometry, Conv2dTransposeOptions, Isa, nhwc};
use ndarray::{Array4, ArrayView1, ArrayView4};

/// Two-dimensional transposed convolution: `x` `[n, h, w, c]`, `filter` `[kh, kw, o / groups, c]`, `bias` `[o]`,
/// result `[n, oh, ow, o]`:
///
/// `y[n, i s + k d - p, j s + l d - p, o] = bias[o] + sum x[n, i, j, c] filter[k, l, o, c]`, the sum over all `i`, `k`,
/// `j`, `l` and `c` that lead there; cells that nothing leads to hold the bias. It is the input gradient of
/// [`conv2d`](super::conv2d()) with the same filter and options, from an array of `x`'s shape.
///
/// - TensorFlow: `tf.nn.conv2d_transpose(x, filter, output_shape, strides, padding, dilations=...)` and Keras's
///   `Conv2DTranspose`; filters have the same layout. `output_shape` is the one of
///   [`Conv2dTransposeGeometry::output_shape`].
/// - PyTorch: `torch.nn.functional.conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation)`
///   with `weight` `[c, o / groups, kh, kw]`, which is `filter` with its axes in the order 3, 2, 0, 1, and padding
///   `(p, q)` as [`Padding::Explicit`](crate::Padding::Explicit) `[p, p, q, q]`. VALID is not PyTorch's padding 0 where
///   the filter is smaller than the stride: as Keras, it makes whole strides then; explicit zeros do not.
///
/// # Errors
/// When the shapes do not fit the options or each other.
///
/// ```
/// use foveal_nn::ops::conv2d_transpose;
/// use foveal_nn::Conv2dTransposeOptions;
/// use ndarray::{Array4, array};
///
/// let x = array![[[[1.0f32], [2.0]]]];
/// let filter = Array4::ones((1, 2, 1, 1));
/// let twice = Conv2dTransposeOptions { strides: [1, 2], ..Default::default() };
/// let y = conv2d_transpose(x.view(), filter.view(), None, &twice)?;
/// assert_eq!(y.into_raw_vec_and_offset().0, [1.0, 1.0, 2.0, 2.0]);
/// # Ok::<(), foveal_nn::Error>(())
/// ```
pub fn conv2d_transpose(
    x: ArrayView4<f32>,
    filter: ArrayView4<f32>,
    bias: Option<ArrayView1<f32>>,
    options: &Conv2dTransposeOptions,
) -> Result<Array4<f32>, Error> {
    const NAME: &str = "conv2d_transpose";
    let g = Conv2dTransposeGeometry::new(NAME, x.shape(), filter.shape(), options)?;
    let shape = g.output_shape();
    if let Some(bias) = &bias {
        expect(NAME, "bias", bias.shape(), &[shape[3]])?;
    }
    let bias = bias.map(|b| b.to_vec());
    let (x, filter) = (rows(x), rows(filter));
    let mut y = Array4::zeros(shape);
    let out = y.as_slice_mut().expect("new");
    nhwc::conv2d_transpose(Isa::best(), &g, slice(&x), slice(&filter), bias.as_deref(), out);
    Ok(y)
}

/// The gradient of [`conv2d_transpose`] with respect to an input of shape `input`, from `d_output` `[n, oh, ow, o]`:
/// the convolution of `d_output` with the same filter.
///
/// # Errors
/// When the shapes do not fit the options or each other.
pub fn conv2d_transpose_backward_input(
    input: [usize; 4],
    filter: ArrayView4<f32>,
    d_output: ArrayView4<f32>,
    options: &Conv2dTransposeOptions,
) -> Result<Array4<f32>, Error> {
    const NAME: &str = "conv2d_transpose_backward_input";
    let g = Conv2dTransposeGeometry::new(NAME, &input, filter.shape(), options)?;
    expect(NAME, "d_output", d_output.shape(), &g.output_shape())?;
    let (filter, dy) = (rows(filter), rows(d_output));
    let mut dx = Array4::zeros(input);
    let out = dx.as_slice_mut().expect("new");
    nhwc::conv2d(Isa::best(), &g.convolution, slice(&dy), slice(&filter), None, out);
    Ok(dx)
}

/// The gradient of [`conv2d_transpose`] with respect to a filter of shape `filter`, from `d_output` `[n, oh, ow, o]`.
/// That of the bias is `d_output` summed over images, rows and columns.
///
/// # Errors
/// When the shapes do not fit the options or each other.
pub fn conv2d_transpose_backward_filter(
    x: ArrayView4<f32>,
    filter: [usize; 4],
    d_output: ArrayView4<f32>,
    options: &Conv2dTransposeOptions,
) -> Result<Array4<f32>, Error> {
    const NAME: &str = "conv2d_transpose_backward_filter";
    let g = Conv2dTransposeGeometry::new(NAME, x.shape(), &filter, options)?;
    expect(NAME, "d_output", d_output.shape(), &g.output_shape())?;
    let (x, dy) = (rows(x), rows(d_output));
    let mut df = Array4::zeros(filter);
    let out = df.as_slice_mut().expect("new");
    nhwc::conv2d_backward_filter(Isa::best(), &g.convolution, slice(&dy), slice(&x), out);
    Ok(df)
}
