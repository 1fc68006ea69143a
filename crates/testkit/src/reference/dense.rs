//! A fully connected layer.

use ndarray::{Array1, Array2, Axis};

/// `y = x w + bias`: `x` is `[n, in]`, `w` is `[in, out]`.
///
/// # Panics
/// If the shapes do not fit each other.
#[must_use]
pub fn dense(x: &Array2<f64>, w: &Array2<f64>, bias: Option<&Array1<f64>>) -> Array2<f64> {
    let (batch, inputs) = x.dim();
    assert_eq!(inputs, w.nrows(), "the filter has one row per input");
    let mut y = Array2::zeros((batch, w.ncols()));
    for ((n, o), y) in y.indexed_iter_mut() {
        *y = (0..inputs).map(|i| x[[n, i]] * w[[i, o]]).sum::<f64>() + bias.map_or(0.0, |b| b[o]);
    }
    y
}

/// The gradients of [`dense`] with respect to `x`, `w` and the bias.
///
/// # Panics
/// If the shapes do not fit each other.
#[must_use]
pub fn dense_backward(
    d_y: &Array2<f64>,
    x: &Array2<f64>,
    w: &Array2<f64>,
) -> (Array2<f64>, Array2<f64>, Array1<f64>) {
    assert_eq!(d_y.dim(), (x.nrows(), w.ncols()));
    let d_x = Array2::from_shape_fn(x.dim(), |(n, i)| (0..w.ncols()).map(|o| d_y[[n, o]] * w[[i, o]]).sum());
    let d_w = Array2::from_shape_fn(w.dim(), |(i, o)| (0..x.nrows()).map(|n| d_y[[n, o]] * x[[n, i]]).sum());
    (d_x, d_w, d_y.sum_axis(Axis(0)))
}
