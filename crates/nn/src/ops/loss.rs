use super::views::expect;
use crate::Error;
use foveal_kernels::lanes::loss::Regression;
use ndarray::{Array2, ArrayView2};

/// Softmax and cross-entropy: the mean over the batch and its gradient with respect to `logits` `[n, classes]`.
///
/// The target is `1 - smoothing` at the label plus `smoothing / classes` everywhere (Szegedy et al. 2016).
/// With `class_weights` an image counts as much as its class's weight: `sum of w loss / sum of w`.
///
/// # Errors
/// When a label is not a class, lengths differ, smoothing is not from 0 to 1 or all weights are 0.
pub fn softmax_cross_entropy(
    logits: ArrayView2<f32>,
    labels: &[u32],
    smoothing: f32,
    class_weights: Option<&[f32]>,
) -> Result<(f32, Array2<f32>), Error> {
    const NAME: &str = "softmax_cross_entropy";
    let (n, classes) = logits.dim();
    expect(NAME, "labels", &[labels.len()], &[n])?;
    if let Some(w) = class_weights {
        expect(NAME, "class_weights", &[w.len()], &[classes])?;
    }
    if let Some(label) = labels.iter().find(|&&l| l as usize >= classes) {
        return Err(Error::operator(NAME, format!("label {label} is not below the {classes} classes")));
    }
    if !(0.0..=1.0).contains(&smoothing) {
        return Err(Error::operator(NAME, format!("smoothing must be from 0 to 1, got {smoothing}")));
    }
    let weight = |label: u32| class_weights.map_or(1.0, |w| f64::from(w[label as usize]));
    let total: f64 = labels.iter().map(|&l| weight(l)).sum();
    if n > 0 && total <= 0.0 {
        return Err(Error::operator(NAME, "the weights of the batch's classes add up to 0"));
    }
    let mut d = super::softmax(logits);
    let mut loss = 0.0;
    let spread = f64::from(smoothing) / classes as f64;
    for ((z, mut d), &label) in logits.rows().into_iter().zip(d.rows_mut()).zip(labels) {
        let top = f64::from(z.fold(f32::NEG_INFINITY, |a, &b| a.max(b)));
        let norm: f64 = z.iter().map(|&v| (f64::from(v) - top).exp()).sum::<f64>().ln() + top;
        let k = weight(label) / total;
        for (c, (&z, d)) in z.iter().zip(d.iter_mut()).enumerate() {
            let target = spread + if c == label as usize { 1.0 - f64::from(smoothing) } else { 0.0 };
            loss += k * target * (norm - f64::from(z));
            *d = (k * (f64::from(*d) - target)) as f32;
        }
    }
    Ok((loss as f32, d))
}

/// The mean of squared differences over all numbers, and its gradient with respect to `outputs` `[n, values]`.
///
/// # Errors
/// When the shapes differ.
pub fn mean_squared_error(
    outputs: ArrayView2<f32>,
    targets: ArrayView2<f32>,
) -> Result<(f32, Array2<f32>), Error> {
    regression("mean_squared_error", Regression::MeanSquared, outputs, targets)
}

/// Huber's loss, the mean over all numbers (squared / 2 up to `delta`, linear beyond; Huber 1964), and its
/// gradient with respect to `outputs` `[n, values]`.
///
/// # Errors
/// When the shapes differ or `delta` is not positive.
pub fn huber(
    outputs: ArrayView2<f32>,
    targets: ArrayView2<f32>,
    delta: f32,
) -> Result<(f32, Array2<f32>), Error> {
    if delta.is_nan() || delta <= 0.0 {
        return Err(Error::operator("huber", format!("delta must be above 0, got {delta}")));
    }
    regression("huber", Regression::Huber(delta), outputs, targets)
}

fn regression(
    name: &'static str,
    kind: Regression,
    outputs: ArrayView2<f32>,
    targets: ArrayView2<f32>,
) -> Result<(f32, Array2<f32>), Error> {
    expect(name, "targets", targets.shape(), outputs.shape())?;
    let count = outputs.len().max(1) as f64;
    let mut d = &outputs - &targets;
    let mut loss = 0.0;
    d.mapv_inplace(|v| {
        let (value, slope) = kind.value(v);
        loss += f64::from(value) / count;
        (f64::from(slope) / count) as f32
    });
    Ok((loss as f32, d))
}
