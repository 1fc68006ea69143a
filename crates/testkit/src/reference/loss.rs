//! Losses, each a mean, with their gradients.

use super::activation::softmax;
use ndarray::{Array, Array2, Dimension, Zip};

/// Softmax cross-entropy of `logits` `[n, classes]` against class numbers.
///
/// With smoothing `s` the target of class `y` is `(1 - s) one_hot(y) + s / classes`.
/// The loss is `sum(w_i loss_i) / sum(w_i)`, `w_i` being the weight of sample
/// i's class, 1 without weights.
///
/// # Panics
/// If the shapes do not fit each other or a label is no class.
#[must_use]
pub fn softmax_cross_entropy(
    logits: &Array2<f64>,
    labels: &[usize],
    label_smoothing: f64,
    class_weights: Option<&[f64]>,
) -> f64 {
    let target = smoothed(logits, labels, label_smoothing);
    let weights = normalized_weights(labels, class_weights);
    let mut loss = 0.0;
    for ((row, target), weight) in logits.rows().into_iter().zip(target.rows()).zip(weights) {
        let largest = row.fold(f64::NEG_INFINITY, |m, &v| m.max(v));
        let log_sum = row.iter().map(|v| (v - largest).exp()).sum::<f64>().ln() + largest;
        let sample: f64 = row.iter().zip(target).map(|(z, t)| t * (log_sum - z)).sum();
        loss += weight * sample;
    }
    loss
}

/// The gradient of [`softmax_cross_entropy`] with respect to the logits:
/// `(softmax - target) w_i / sum(w_i)`.
///
/// # Panics
/// If the shapes do not fit each other or a label is no class.
#[must_use]
pub fn softmax_cross_entropy_gradient(
    logits: &Array2<f64>,
    labels: &[usize],
    label_smoothing: f64,
    class_weights: Option<&[f64]>,
) -> Array2<f64> {
    let mut d = softmax(logits) - smoothed(logits, labels, label_smoothing);
    let weights = normalized_weights(labels, class_weights);
    for (mut row, weight) in d.rows_mut().into_iter().zip(weights) {
        row *= weight;
    }
    d
}

fn smoothed(logits: &Array2<f64>, labels: &[usize], smoothing: f64) -> Array2<f64> {
    let (batch, classes) = logits.dim();
    assert_eq!(labels.len(), batch, "one label per sample");
    assert!(labels.iter().all(|&l| l < classes), "a label is no class");
    Array2::from_shape_fn((batch, classes), |(n, c)| {
        let hit = f64::from(u8::from(labels[n] == c));
        (1.0 - smoothing) * hit + smoothing / classes as f64
    })
}

fn normalized_weights(labels: &[usize], class_weights: Option<&[f64]>) -> Vec<f64> {
    let weights: Vec<f64> = labels.iter().map(|&label| class_weights.map_or(1.0, |w| w[label])).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|w| w / sum).collect()
}

/// Mean over all elements of `(prediction - target)^2`.
///
/// # Panics
/// If the shapes differ.
#[must_use]
pub fn mean_squared_error<D: Dimension>(prediction: &Array<f64, D>, target: &Array<f64, D>) -> f64 {
    mean(prediction, target, |r| r * r)
}

/// The gradient of [`mean_squared_error`] with respect to the prediction.
///
/// # Panics
/// If the shapes differ.
#[must_use]
pub fn mean_squared_error_gradient<D: Dimension>(
    prediction: &Array<f64, D>,
    target: &Array<f64, D>,
) -> Array<f64, D> {
    mean_slope(prediction, target, |r| 2.0 * r)
}

/// Mean over all elements of `r^2 / 2` where `|r| <= delta`, else `delta (|r| - delta / 2)`.
///
/// # Panics
/// If the shapes differ.
#[must_use]
pub fn huber<D: Dimension>(prediction: &Array<f64, D>, target: &Array<f64, D>, delta: f64) -> f64 {
    mean(prediction, target, |r| if r.abs() <= delta { r * r / 2.0 } else { delta * (r.abs() - delta / 2.0) })
}

/// The gradient of [`huber`] with respect to the prediction.
///
/// # Panics
/// If the shapes differ.
#[must_use]
pub fn huber_gradient<D: Dimension>(
    prediction: &Array<f64, D>,
    target: &Array<f64, D>,
    delta: f64,
) -> Array<f64, D> {
    mean_slope(prediction, target, |r| r.clamp(-delta, delta))
}

fn mean<D: Dimension>(p: &Array<f64, D>, t: &Array<f64, D>, f: impl Fn(f64) -> f64) -> f64 {
    assert_eq!(p.shape(), t.shape(), "shapes differ");
    p.iter().zip(t).map(|(p, t)| f(p - t)).sum::<f64>() / p.len() as f64
}

fn mean_slope<D: Dimension>(p: &Array<f64, D>, t: &Array<f64, D>, f: impl Fn(f64) -> f64) -> Array<f64, D> {
    let count = p.len() as f64;
    Zip::from(p).and(t).map_collect(|p, t| f(p - t) / count)
}
