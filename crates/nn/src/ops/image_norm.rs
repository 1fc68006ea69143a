use super::grid;
use crate::Error;
use foveal_kernels::grid::Op;
use ndarray::{Array1, Array4, ArrayView1, ArrayView4};

/// The gradients of a normalization with a scale and a shift.
#[derive(Clone, Debug, PartialEq)]
pub struct NormGradients {
    /// With respect to the input, `[n, h, w, c]`; the statistics' dependence on it is counted in.
    pub input: Array4<f32>,
    /// With respect to the scale, `[c]`.
    pub gamma: Array1<f32>,
    /// With respect to the shift, `[c]`.
    pub beta: Array1<f32>,
}

fn forward(op: &Op, x: ArrayView4<f32>, params: [ArrayView1<f32>; 2]) -> Result<Array4<f32>, Error> {
    let [gamma, beta] = params.map(|p| p.to_vec());
    grid::run(op, &[x], &[&gamma, &beta])
}

fn backward(
    op: &Op,
    x: ArrayView4<f32>,
    gamma: ArrayView1<f32>,
    d_output: ArrayView4<f32>,
) -> Result<NormGradients, Error> {
    let gamma = gamma.to_vec();
    // The shift does not matter to any gradient.
    let beta = vec![0.0; gamma.len()];
    let (mut dx, mut dk) = grid::gradients(op, &[x], &[&gamma, &beta], d_output, d_output)?;
    let (beta, gamma) = (dk.pop().unwrap_or_default(), dk.pop().unwrap_or_default());
    Ok(NormGradients { input: dx.remove(0), gamma: gamma.into(), beta: beta.into() })
}

/// `gamma (x - mean) / sqrt(variance + epsilon) + beta` with the statistics of each image over height, width and the
/// channels of each of `groups` groups (Wu and He 2018); the variance is divided by the count. `x` `[n, h, w, c]`,
/// `gamma` and `beta` `[c]`. `torch.nn.GroupNorm`, `keras.layers.GroupNormalization`, ONNX's GroupNormalization of
/// version 21 (before, its scale was `[groups]`).
///
/// # Errors
/// When `groups` does not divide the channels, epsilon is negative or a parameter has another length.
pub fn group_norm(
    x: ArrayView4<f32>,
    gamma: ArrayView1<f32>,
    beta: ArrayView1<f32>,
    groups: usize,
    epsilon: f32,
) -> Result<Array4<f32>, Error> {
    forward(&Op::GroupNorm { groups, epsilon }, x, [gamma, beta])
}

/// All gradients of [`group_norm`] from `d_output` `[n, h, w, c]`.
///
/// # Errors
/// When the shapes or options do not fit.
pub fn group_norm_backward(
    x: ArrayView4<f32>,
    gamma: ArrayView1<f32>,
    groups: usize,
    epsilon: f32,
    d_output: ArrayView4<f32>,
) -> Result<NormGradients, Error> {
    backward(&Op::GroupNorm { groups, epsilon }, x, gamma, d_output)
}

/// [`group_norm`] with a group for each channel (Ulyanov, Vedaldi and Lempitsky 2016): `torch.nn.InstanceNorm2d`
/// with `affine=True`, ONNX's InstanceNormalization.
///
/// # Errors
/// When epsilon is negative or a parameter has another length.
pub fn instance_norm(
    x: ArrayView4<f32>,
    gamma: ArrayView1<f32>,
    beta: ArrayView1<f32>,
    epsilon: f32,
) -> Result<Array4<f32>, Error> {
    group_norm(x, gamma, beta, x.dim().3, epsilon)
}

/// All gradients of [`instance_norm`] from `d_output` `[n, h, w, c]`.
///
/// # Errors
/// When the shapes or options do not fit.
pub fn instance_norm_backward(
    x: ArrayView4<f32>,
    gamma: ArrayView1<f32>,
    epsilon: f32,
    d_output: ArrayView4<f32>,
) -> Result<NormGradients, Error> {
    group_norm_backward(x, gamma, x.dim().3, epsilon, d_output)
}

/// The same with the statistics over the channels of each place (Ba, Kiros and Hinton 2016): `torch.nn.LayerNorm(c)`
/// of `[n, h, w, c]`, `keras.layers.LayerNormalization`, ONNX's LayerNormalization with axis -1.
///
/// # Errors
/// When epsilon is negative or a parameter has another length.
pub fn layer_norm(
    x: ArrayView4<f32>,
    gamma: ArrayView1<f32>,
    beta: ArrayView1<f32>,
    epsilon: f32,
) -> Result<Array4<f32>, Error> {
    forward(&Op::LayerNorm { epsilon }, x, [gamma, beta])
}

/// All gradients of [`layer_norm`] from `d_output` `[n, h, w, c]`.
///
/// # Errors
/// When the shapes or options do not fit.
pub fn layer_norm_backward(
    x: ArrayView4<f32>,
    gamma: ArrayView1<f32>,
    epsilon: f32,
    d_output: ArrayView4<f32>,
) -> Result<NormGradients, Error> {
    backward(&Op::LayerNorm { epsilon }, x, gamma, d_output)
}

/// The options of [`local_response_norm`]; the defaults are ONNX's and PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResponseOptions {
    /// Channels of a window.
    pub size: usize,
    /// The weight of the squares' mean.
    pub alpha: f32,
    /// The exponent.
    pub beta: f32,
    /// What is added; above 0.
    pub bias: f32,
}

impl ResponseOptions {
    /// Windows of `size` channels, alpha 0.0001, beta 0.75, bias 1.
    pub fn new(size: usize) -> Self {
        Self { size, alpha: 1e-4, beta: 0.75, bias: 1.0 }
    }

    fn op(&self) -> Op {
        let Self { size, alpha, beta, bias } = *self;
        Op::LocalResponseNorm { size, alpha, beta, bias }
    }
}

/// `x / (bias + alpha / size * s)^beta`, where `s` sums the squares of `size` channels around x's (Krizhevsky,
/// Sutskever and Hinton 2012): `floor((size - 1) / 2)` before and `ceil((size - 1) / 2)` after, as ONNX's LRN.
/// `torch.nn.LocalResponseNorm` is the same for odd sizes and has the longer side before for even ones;
/// `tf.nn.local_response_normalization` has `size = 2 depth_radius + 1` and `alpha / size` for its alpha.
///
/// # Errors
/// When an option is out of range.
pub fn local_response_norm(x: ArrayView4<f32>, options: &ResponseOptions) -> Result<Array4<f32>, Error> {
    grid::run(&options.op(), &[x], &[])
}

/// The gradient of [`local_response_norm`] at `x`, from `d_output` of its shape.
///
/// # Errors
/// When the shapes or options do not fit.
pub fn local_response_norm_backward(
    x: ArrayView4<f32>,
    options: &ResponseOptions,
    d_output: ArrayView4<f32>,
) -> Result<Array4<f32>, Error> {
    let (mut d, _) = grid::gradients(&options.op(), &[x], &[], d_output, d_output)?;
    Ok(d.remove(0))
}

/// `x / max(norm, epsilon)` with the Euclidean norm over the channels of each place:
/// `torch.nn.functional.normalize` over channels, `tf.math.l2_normalize` (whose epsilon is the square of this one),
/// ONNX's LpNormalization with p 2 (which has no epsilon).
///
/// # Errors
/// When epsilon is negative.
pub fn l2_normalize(x: ArrayView4<f32>, epsilon: f32) -> Result<Array4<f32>, Error> {
    grid::run(&Op::L2Normalize { epsilon }, &[x], &[])
}

/// The gradient of [`l2_normalize`] at `x`, from `d_output` of its shape: `(d_output - y sum(y d_output)) / norm`, or
/// `d_output / epsilon` where the norm is below epsilon.
///
/// # Errors
/// When the shapes differ or epsilon is negative.
pub fn l2_normalize_backward(
    x: ArrayView4<f32>,
    epsilon: f32,
    d_output: ArrayView4<f32>,
) -> Result<Array4<f32>, Error> {
    let (mut d, _) = grid::gradients(&Op::L2Normalize { epsilon }, &[x], &[], d_output, d_output)?;
    Ok(d.remove(0))
}
