//! Each channel of `[n, h, w, c]` times a number, everywhere or below zero; the parameter is `[c]` or `[1]`.

use ndarray::{Array1, Array4, Axis};

fn sum_like(d: Array4<f64>, parameter: &Array1<f64>) -> Array1<f64> {
    let sums = d.sum_axis(Axis(0)).sum_axis(Axis(0)).sum_axis(Axis(0));
    if parameter.len() == 1 { Array1::from_elem(1, sums.sum()) } else { sums }
}

/// `gamma x`.
#[must_use]
pub fn scale(x: &Array4<f64>, gamma: &Array1<f64>) -> Array4<f64> {
    x * gamma
}

/// The gradients of `x` and gamma.
#[must_use]
pub fn scale_backward(d_y: &Array4<f64>, x: &Array4<f64>, gamma: &Array1<f64>) -> (Array4<f64>, Array1<f64>) {
    (d_y * gamma, sum_like(d_y * x, gamma))
}

/// `max(x, 0) + alpha min(x, 0)`.
#[must_use]
pub fn prelu(x: &Array4<f64>, alpha: &Array1<f64>) -> Array4<f64> {
    x.mapv(|v| v.max(0.0)) + x.mapv(|v| v.min(0.0)) * alpha
}

/// The gradients of `x` and alpha.
#[must_use]
pub fn prelu_backward(d_y: &Array4<f64>, x: &Array4<f64>, alpha: &Array1<f64>) -> (Array4<f64>, Array1<f64>) {
    let above = x.mapv(|v| f64::from(u8::from(v > 0.0)));
    let below = above.mapv(|v| 1.0 - v);
    (d_y * (above + below * alpha), sum_like(d_y * &x.mapv(|v| v.min(0.0)), alpha))
}
