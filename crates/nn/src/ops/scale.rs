use super::grid;
use crate::Error;
use foveal_kernels::grid::Op;
use ndarray::{Array1, Array4, ArrayView1, ArrayView4};

/// `gamma[c] x`: `x` `[n, h, w, c]`, `gamma` `[c]`, or `[1]` for all channels (the layer scale of Touvron et al. 2021).
///
/// # Errors
/// When gamma has another length.
pub fn scale(x: ArrayView4<f32>, gamma: ArrayView1<f32>) -> Result<Array4<f32>, Error> {
    grid::run(&Op::Scale, &[x], &[&gamma.to_vec()])
}

/// The gradients of [`scale`] with respect to `x` and `gamma`.
///
/// # Errors
/// When the shapes do not fit.
pub fn scale_backward(
    x: ArrayView4<f32>,
    gamma: ArrayView1<f32>,
    d_output: ArrayView4<f32>,
) -> Result<(Array4<f32>, Array1<f32>), Error> {
    backward(&Op::Scale, x, gamma, d_output)
}

/// `x` where above 0, else `alpha[c] x` (He et al. 2015): `x` `[n, h, w, c]`, `alpha` `[c]`, or `[1]` for all channels.
/// `torch.nn.PReLU`, `keras.layers.PReLU(shared_axes=[1, 2])`, ONNX's PRelu with a slope of `[c, 1, 1]`.
///
/// # Errors
/// When alpha has another length.
pub fn prelu(x: ArrayView4<f32>, alpha: ArrayView1<f32>) -> Result<Array4<f32>, Error> {
    grid::run(&Op::Prelu, &[x], &[&alpha.to_vec()])
}

/// The gradients of [`prelu`] with respect to `x` and `alpha`; the slope at 0 is alpha.
///
/// # Errors
/// When the shapes do not fit.
pub fn prelu_backward(
    x: ArrayView4<f32>,
    alpha: ArrayView1<f32>,
    d_output: ArrayView4<f32>,
) -> Result<(Array4<f32>, Array1<f32>), Error> {
    backward(&Op::Prelu, x, alpha, d_output)
}

fn backward(
    op: &Op,
    x: ArrayView4<f32>,
    k: ArrayView1<f32>,
    d_output: ArrayView4<f32>,
) -> Result<(Array4<f32>, Array1<f32>), Error> {
    let (mut dx, mut dk) = grid::gradients(op, &[x], &[&k.to_vec()], d_output, d_output)?;
    Ok((dx.remove(0), dk.remove(0).into()))
}
