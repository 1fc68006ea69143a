use super::views::{expect, rows, slice};
use crate::Error;
use foveal_kernels::{Conv2dGeometry, Conv2dOptions, Isa, nhwc};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

/// The gradients of a dense layer.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseGradients {
    /// With respect to the input, `[n, inputs]`.
    pub input: Array2<f32>,
    /// With respect to the weights, `[inputs, units]`.
    pub weights: Array2<f32>,
    /// With respect to the bias, `[units]`.
    pub bias: Array1<f32>,
}

/// A dense layer is a 1x1 convolution of a 1x1 image.
fn geometry(name: &'static str, x: &[usize], w: &[usize]) -> Result<Conv2dGeometry, Error> {
    let (&[n, inputs], &[rows, units]) = (x, w) else { unreachable!("two-dimensional views") };
    if inputs == 0 || units == 0 {
        return Err(Error::operator(
            name,
            format!("needs inputs and units, got input {x:?} and weights {w:?}"),
        ));
    }
    if inputs != rows {
        return Err(Error::operator(
            name,
            format!("weights must have {inputs} rows for input {x:?}, got weights {w:?}"),
        ));
    }
    Ok(Conv2dGeometry::new(name, &[n, 1, 1, inputs], &[1, 1, rows, units], &Conv2dOptions::default())?)
}

/// `y = x weights + bias`: `x` `[n, inputs]`, `weights` `[inputs, units]`, `bias` `[units]`, result `[n, units]`.
///
/// # Errors
/// When the shapes do not fit each other.
pub fn dense(
    x: ArrayView2<f32>,
    weights: ArrayView2<f32>,
    bias: Option<ArrayView1<f32>>,
) -> Result<Array2<f32>, Error> {
    let g = geometry("dense", x.shape(), weights.shape())?;
    if let Some(bias) = &bias {
        expect("dense", "bias", bias.shape(), &[g.out_channels])?;
    }
    let bias = bias.map(|b| b.to_vec());
    let (x, weights) = (rows(x), rows(weights));
    let mut y = Array2::zeros((g.batch, g.out_channels));
    let out = y.as_slice_mut().expect("new");
    nhwc::conv2d(Isa::best(), &g, slice(&x), slice(&weights), bias.as_deref(), out);
    Ok(y)
}

/// All gradients of [`dense`], from `d_output` `[n, units]`.
///
/// # Errors
/// When the shapes do not fit each other.
pub fn dense_backward(
    x: ArrayView2<f32>,
    weights: ArrayView2<f32>,
    d_output: ArrayView2<f32>,
) -> Result<DenseGradients, Error> {
    const NAME: &str = "dense_backward";
    let g = geometry(NAME, x.shape(), weights.shape())?;
    expect(NAME, "d_output", d_output.shape(), &[g.batch, g.out_channels])?;
    let bias = d_output.sum_axis(Axis(0));
    let (x, w, dy) = (rows(x), rows(weights), rows(d_output));
    let mut d =
        DenseGradients { input: Array2::zeros(x.raw_dim()), weights: Array2::zeros(w.raw_dim()), bias };
    let isa = Isa::best();
    nhwc::conv2d_backward_input(isa, &g, slice(&dy), slice(&w), d.input.as_slice_mut().expect("new"));
    nhwc::conv2d_backward_filter(isa, &g, slice(&x), slice(&dy), d.weights.as_slice_mut().expect("new"));
    Ok(d)
}
