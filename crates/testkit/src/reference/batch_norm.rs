//! Batch normalisation over every dimension but the last.

use ndarray::{Array, Array1, Array2, Dimension};

/// What a training pass gives.
#[derive(Clone, Debug)]
pub struct Normalized<D: Dimension> {
    /// `gamma (x - mean) / sqrt(variance + epsilon) + beta`.
    pub y: Array<f64, D>,
    /// The batch's mean, per channel.
    pub mean: Array1<f64>,
    /// The batch's variance, per channel, divided by the count (biased).
    pub variance: Array1<f64>,
}

/// Normalises with the statistics of the batch; channels are the last dimension.
///
/// # Panics
/// If the shapes do not fit each other or there is nothing to average.
#[must_use]
pub fn training<D: Dimension>(
    x: &Array<f64, D>,
    gamma: &Array1<f64>,
    beta: &Array1<f64>,
    epsilon: f64,
) -> Normalized<D> {
    let rows = as_rows(x);
    let mean = mean_of_rows(&rows);
    let variance = mean_of_rows(&(&rows - &mean).mapv(|v| v * v));
    Normalized { y: inference(x, gamma, beta, &mean, &variance, epsilon), mean, variance }
}

/// Normalises with given statistics.
///
/// # Panics
/// If the shapes do not fit each other.
#[must_use]
pub fn inference<D: Dimension>(
    x: &Array<f64, D>,
    gamma: &Array1<f64>,
    beta: &Array1<f64>,
    mean: &Array1<f64>,
    variance: &Array1<f64>,
    epsilon: f64,
) -> Array<f64, D> {
    let scale = gamma / &variance.mapv(|v| (v + epsilon).sqrt());
    like(x, (as_rows(x) - mean) * &scale + beta)
}

/// The gradients of [`training`]'s `y` with respect to `x`, `gamma` and `beta`.
///
/// The statistics depend on `x`, so with `x_hat` the normalised input
/// `d_x = gamma / sqrt(variance + epsilon) (d_y - mean(d_y) - x_hat mean(d_y x_hat))`.
///
/// # Panics
/// If the shapes do not fit each other.
#[must_use]
pub fn training_backward<D: Dimension>(
    d_y: &Array<f64, D>,
    x: &Array<f64, D>,
    gamma: &Array1<f64>,
    epsilon: f64,
) -> (Array<f64, D>, Array1<f64>, Array1<f64>) {
    let (x_rows, d_rows) = (as_rows(x), as_rows(d_y));
    let count = x_rows.nrows() as f64;
    let mean = mean_of_rows(&x_rows);
    let variance = mean_of_rows(&(&x_rows - &mean).mapv(|v| v * v));
    let deviation = variance.mapv(|v| (v + epsilon).sqrt());
    let x_hat = (&x_rows - &mean) / &deviation;
    let d_beta = mean_of_rows(&d_rows) * count;
    let d_gamma = mean_of_rows(&(&d_rows * &x_hat)) * count;
    let centred = &d_rows - &(&d_beta / count) - &(&x_hat * &(&d_gamma / count));
    (like(x, centred * &(gamma / &deviation)), d_gamma, d_beta)
}

fn as_rows<D: Dimension>(x: &Array<f64, D>) -> Array2<f64> {
    let channels = *x.shape().last().expect("at least one dimension");
    let values: Vec<f64> = x.iter().copied().collect();
    Array2::from_shape_vec((values.len() / channels, channels), values).expect("whole rows")
}

fn like<D: Dimension>(x: &Array<f64, D>, rows: Array2<f64>) -> Array<f64, D> {
    let values: Vec<f64> = rows.iter().copied().collect();
    Array::from_shape_vec(x.raw_dim(), values).expect("as many values")
}

fn mean_of_rows(rows: &Array2<f64>) -> Array1<f64> {
    assert!(rows.nrows() > 0, "nothing to average");
    let mut sum = Array1::zeros(rows.ncols());
    for row in rows.rows() {
        sum += &row;
    }
    sum / rows.nrows() as f64
}
