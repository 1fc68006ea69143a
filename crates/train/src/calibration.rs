//! The temperature by which probabilities become what they say.

use crate::evaluate::{logits, softmax, targets_fit};
use crate::examples::indices_fit;
use crate::{Error, Reliability};
use foveal_data::Dataset;
use foveal_nn::Model;

/// Temperatures are sought from `exp(-REACH)` to `exp(REACH)`.
const REACH: f64 = 3.0;
/// The spread of the logarithm of temperatures before any sample is seen: with few samples, or none that is answered
/// wrongly, the temperature stays near 1; many outweigh it.
const SPREAD: f64 = 0.7;

/// The temperature by which a classifier's logits are divided so that its probabilities are what they say, and what
/// that changes on the samples it was fitted on.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Temperature {
    /// The temperature: above 1 where the model was too sure of itself.
    pub value: f32,
    /// Expected calibration error before and after.
    pub error: [f64; 2],
    /// Mean cross-entropy before and after.
    pub loss: [f64; 2],
}

impl Temperature {
    /// Fits the temperature to `outputs`, which [`crate::predict`] gave for the samples at `indices`: the one with the
    /// least cross-entropy, held near 1 where samples are few.
    ///
    /// # Errors
    /// When the data do not fit the model, have no classes, or there is not a row of outputs for each index.
    pub fn fit(model: &Model, data: &Dataset, indices: &[u32], outputs: &[f32]) -> Result<Self, Error> {
        targets_fit(model, data, None)?;
        indices_fit(data, indices)?;
        let k = model.outputs();
        let labels = data.labels().ok_or(Error::NoClasses { data: data.name().to_owned() })?;
        if outputs.len() != indices.len() * k || indices.is_empty() {
            let (data, images) = (data.name().to_owned(), indices.len());
            return Err(Error::Predictions { data, images, outputs: k, found: outputs.len() });
        }
        let rows = Rows { logits: logits(model, outputs).into_owned(), k };
        let labels: Vec<usize> = indices.iter().map(|&i| labels[i as usize] as usize).collect();
        let value = rows.temperature(&labels);
        let both = [1.0, f64::from(value)].map(|t| rows.judged(&labels, t));
        Ok(Self { value, error: both.each_ref().map(|b| b.0), loss: both.map(|b| b.1) })
    }

    /// The model whose logits are divided by this temperature: its last dense layer's numbers are. `None` where logits
    /// do not come from a dense layer that is trained.
    pub fn apply(&self, mut model: Model) -> Option<Model> {
        let head = model.head().filter(|head| head + 1 == model.logits())?;
        let params = model.nodes()[head].params.clone();
        if params.iter().any(|&p| !model.params()[p].trainable) {
            return None;
        }
        for p in params {
            model.params_mut()[p].values.iter_mut().for_each(|v| *v /= self.value);
        }
        Some(model)
    }
}

/// `outputs` of `model` as they would be with logits divided by `temperature`.
pub fn at_temperature(model: &Model, outputs: &[f32], temperature: f32) -> Vec<f32> {
    let divided: Vec<f32> = logits(model, outputs).iter().map(|v| v / temperature).collect();
    if !model.ends_in_softmax() {
        return divided;
    }
    let mut likely = divided;
    likely.chunks_exact_mut(model.outputs()).for_each(softmax);
    likely
}

struct Rows {
    logits: Vec<f32>,
    k: usize,
}

impl Rows {
    /// The logarithm of the sum of exponentials of a row at `sharpness`, the mean of the row under its softmax, and
    /// the largest number.
    fn moments(&self, row: &[f32], sharpness: f64) -> (f64, f64, f64) {
        let top = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let (mut sum, mut mean) = (0.0, 0.0);
        for &z in row {
            let z = f64::from(z);
            let e = (sharpness * (z - top)).exp();
            sum += e;
            mean += e * z;
        }
        (sum.ln() + sharpness * top, mean / sum, top)
    }

    /// The slope of the sum of cross-entropies along the sharpness (one over the temperature). It grows with it.
    fn slope(&self, labels: &[usize], sharpness: f64) -> f64 {
        let rows = self.logits.chunks_exact(self.k).zip(labels);
        rows.map(|(row, &label)| self.moments(row, sharpness).1 - f64::from(row[label])).sum()
    }

    /// Halves the range of logarithms of the sharpness until a few digits are sure.
    fn temperature(&self, labels: &[usize]) -> f32 {
        let (mut low, mut high) = (-REACH, REACH);
        for _ in 0..24 {
            let middle = (low + high) / 2.0;
            let sharpness = middle.exp();
            // Of ln, the sum's slope is the slope times the sharpness.
            let slope = self.slope(labels, sharpness) * sharpness + middle / (SPREAD * SPREAD);
            if slope > 0.0 { high = middle } else { low = middle }
        }
        (-(low + high) / 2.0).exp() as f32
    }

    /// Calibration error and mean cross-entropy at a temperature.
    fn judged(&self, labels: &[usize], temperature: f64) -> (f64, f64) {
        let sharpness = 1.0 / temperature;
        let mut loss = 0.0;
        let answers = self.logits.chunks_exact(self.k).zip(labels).map(|(row, &label)| {
            let (total, _, top) = self.moments(row, sharpness);
            loss += total - sharpness * f64::from(row[label]);
            let said = (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
            ((sharpness * top - total).exp(), said == label)
        });
        let error = Reliability::of(answers).error();
        (error, loss / labels.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logits of two classes that are as sure as `sure`, right in `right` of `n` cases.
    fn rows(sure: f64, right: usize, n: usize) -> (Rows, Vec<usize>) {
        let z = (sure / (1.0 - sure)).ln() as f32;
        let labels = (0..n).map(|i| usize::from(i >= right)).collect();
        (Rows { logits: [z, 0.0].repeat(n), k: 2 }, labels)
    }

    #[test]
    fn the_temperature_makes_answers_as_sure_as_they_are_right() {
        // 98 % sure, 80 % right: the logit ln 49 must become ln 4.
        let (rows, labels) = rows(0.98, 8000, 10_000);
        let t = f64::from(rows.temperature(&labels));
        assert!((t - 49f64.ln() / 4f64.ln()).abs() < 0.01, "{t}");
        let [before, after] = [1.0, t].map(|t| rows.judged(&labels, t));
        assert!(
            (before.0 - 0.18).abs() < 1e-6 && after.0 < 1e-3 && after.1 < before.1,
            "{before:?} {after:?}"
        );
        // The slope is that of the loss.
        let loss = |s: f64| rows.judged(&labels, 1.0 / s).1 * labels.len() as f64;
        let difference = (loss(0.7 + 1e-5) - loss(0.7 - 1e-5)) / 2e-5;
        assert!((rows.slope(&labels, 0.7) / difference - 1.0).abs() < 1e-6);
    }

    #[test]
    fn few_samples_and_none_wrong_move_it_little() {
        let (few, labels) = rows(0.98, 2, 3);
        let t = few.temperature(&labels);
        assert!((1.0..2.0).contains(&t), "{t}");
        let (right, labels) = rows(0.8, 20, 20);
        let t = right.temperature(&labels);
        assert!((0.2..1.0).contains(&t), "{t}");
    }
}
