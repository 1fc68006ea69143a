use super::views::expect;
use crate::Error;
use ndarray::{Array1, Array4, ArrayView1, ArrayView4};

/// A batch normalization's result and the statistics it used.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNorm {
    /// The normalized, scaled and shifted batch, `[n, h, w, c]`.
    pub output: Array4<f32>,
    /// The batch's mean of each channel.
    pub mean: Array1<f32>,
    /// The batch's variance of each channel (divided by the count, not by the count less one).
    pub variance: Array1<f32>,
}

/// The gradients of a batch normalization.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormGradients {
    /// With respect to the input, `[n, h, w, c]`; the statistics' dependence on it is counted in.
    pub input: Array4<f32>,
    /// With respect to the scale, `[c]`.
    pub gamma: Array1<f32>,
    /// With respect to the shift, `[c]`.
    pub beta: Array1<f32>,
}

/// `y = gamma (x - mean) / sqrt(variance + epsilon) + beta` with the batch's own statistics over n, h and w
/// (Ioffe and Szegedy 2015).
///
/// # Errors
/// When the shapes do not fit or the batch is empty.
pub fn batch_norm(
    x: ArrayView4<f32>,
    gamma: ArrayView1<f32>,
    beta: ArrayView1<f32>,
    epsilon: f32,
) -> Result<BatchNorm, Error> {
    const NAME: &str = "batch_norm";
    let c = x.shape()[3];
    let count = x.len() / c.max(1);
    if count == 0 {
        return Err(Error::operator(
            NAME,
            format!("an empty batch has no statistics, input {:?}", x.shape()),
        ));
    }
    let mut mean = vec![0f64; c];
    let mut squares = vec![0f64; c];
    x.rows().into_iter().for_each(|row| row.iter().zip(&mut mean).for_each(|(&v, m)| *m += f64::from(v)));
    mean.iter_mut().for_each(|m| *m /= count as f64);
    for row in x.rows() {
        for ((&v, m), s) in row.iter().zip(&mean).zip(&mut squares) {
            *s += (f64::from(v) - m) * (f64::from(v) - m);
        }
    }
    let mean: Array1<f32> = mean.iter().map(|&m| m as f32).collect();
    let variance: Array1<f32> = squares.iter().map(|&s| (s / count as f64) as f32).collect();
    let output = batch_norm_inference(x, gamma, beta, mean.view(), variance.view(), epsilon)?;
    Ok(BatchNorm { output, mean, variance })
}

/// The same with given statistics, as at inference.
///
/// # Errors
/// When the shapes do not fit.
pub fn batch_norm_inference(
    x: ArrayView4<f32>,
    gamma: ArrayView1<f32>,
    beta: ArrayView1<f32>,
    mean: ArrayView1<f32>,
    variance: ArrayView1<f32>,
    epsilon: f32,
) -> Result<Array4<f32>, Error> {
    let c = x.shape()[3];
    for (what, v) in [("gamma", &gamma), ("beta", &beta), ("mean", &mean), ("variance", &variance)] {
        expect("batch_norm", what, v.shape(), &[c])?;
    }
    let scale: Array1<f32> = gamma.iter().zip(&variance).map(|(g, v)| g / (v + epsilon).sqrt()).collect();
    let shift: Array1<f32> = beta.iter().zip(&mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
    let mut y = x.to_owned();
    y *= &scale;
    y += &shift;
    Ok(y)
}

/// All gradients of [`batch_norm`], from its statistics and `d_output` `[n, h, w, c]`.
///
/// # Errors
/// When the shapes do not fit.
pub fn batch_norm_backward(
    x: ArrayView4<f32>,
    gamma: ArrayView1<f32>,
    mean: ArrayView1<f32>,
    variance: ArrayView1<f32>,
    epsilon: f32,
    d_output: ArrayView4<f32>,
) -> Result<BatchNormGradients, Error> {
    const NAME: &str = "batch_norm_backward";
    let c = x.shape()[3];
    expect(NAME, "d_output", d_output.shape(), x.shape())?;
    for (what, v) in [("gamma", &gamma), ("mean", &mean), ("variance", &variance)] {
        expect(NAME, what, v.shape(), &[c])?;
    }
    let count = (x.len() / c.max(1)) as f64;
    let inverse: Vec<f64> = variance.iter().map(|&v| 1.0 / f64::from(v + epsilon).sqrt()).collect();
    let (mut beta, mut gammas) = (vec![0f64; c], vec![0f64; c]);
    for (row, d) in x.rows().into_iter().zip(d_output.rows()) {
        for i in 0..c {
            beta[i] += f64::from(d[i]);
            gammas[i] += f64::from(d[i]) * (f64::from(row[i]) - f64::from(mean[i])) * inverse[i];
        }
    }
    let mut input = d_output.to_owned();
    for (mut row, x) in input.rows_mut().into_iter().zip(x.rows()) {
        for i in 0..c {
            let normal = (f64::from(x[i]) - f64::from(mean[i])) * inverse[i];
            let d = f64::from(row[i]) - beta[i] / count - normal * gammas[i] / count;
            row[i] = (f64::from(gamma[i]) * inverse[i] * d) as f32;
        }
    }
    let narrow = |v: Vec<f64>| v.into_iter().map(|v| v as f32).collect();
    Ok(BatchNormGradients { input, gamma: narrow(gammas), beta: narrow(beta) })
}
