//! The logarithm of softmax over the last dimension.

use super::activation::softmax;
use ndarray::{Array4, Axis};

/// `x - ln(sum(e^x))`.
#[must_use]
pub fn log_softmax(x: &Array4<f64>) -> Array4<f64> {
    let mut y = x.clone();
    for mut row in y.lanes_mut(Axis(3)) {
        let largest = row.fold(f64::NEG_INFINITY, |m, &v| m.max(v));
        let sum = row.fold(0.0, |s, &v| s + (v - largest).exp());
        row -= largest + sum.ln();
    }
    y
}

/// The gradient of [`log_softmax`]: `d_y - softmax(x) sum(d_y)`.
#[must_use]
pub fn log_softmax_backward(d_y: &Array4<f64>, x: &Array4<f64>) -> Array4<f64> {
    d_y - &(softmax(x) * d_y.sum_axis(Axis(3)).insert_axis(Axis(3)))
}
