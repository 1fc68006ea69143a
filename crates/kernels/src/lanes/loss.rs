//! Losses on lanes: value, gradient and count of right answers in one pass over a group's outputs.

use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd, exp};

/// What a group adds to the batch's loss.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// Sum of weight times loss over the images.
    pub loss: f64,
    /// The same without label smoothing: what a loss on images that are not trained on can be compared with.
    pub plain: f64,
    /// Images whose largest output is the right class.
    pub correct: usize,
}

/// The classes of a group's images: lane `l` is of class `first[l]` for `share[l]`, from a half to 1, and of class
/// `second[l]` for the rest.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    /// What the image is, or mostly is.
    pub first: &'a [u32],
    /// What it is for the rest; any class where the share is 1.
    pub second: &'a [u32],
    /// How much of it is the first.
    pub share: &'a [f32],
}

/// Softmax and cross-entropy against class labels.
///
/// `logits` holds `classes` vectors. Lane `l` has the labels' classes and weight `weights[l]` (0 where there is
/// no image). The target is `1 - smoothing`, shared out between the two labels, plus `smoothing / classes`
/// everywhere; right is an image whose largest output is its first label. Writes
/// `d_logits = (softmax - target) * weight * scale`; with `scale = 1 / sum of weights` the gradient is the
/// batch mean's.
///
/// # Panics
/// When a slice is too short or a label is not below `classes`.
pub fn softmax_cross_entropy(
    isa: Isa,
    logits: &[f32],
    labels: Labels<'_>,
    weights: &[f32],
    smoothing: f32,
    scale: f32,
    d_logits: &mut [f32],
) -> Sums {
    let lanes = isa.lanes();
    let classes = logits.len() / lanes;
    assert!(d_logits.len() >= classes * lanes && labels.share.len() >= lanes && weights.len() >= lanes);
    assert!([labels.first, labels.second].iter().all(|l| l[..lanes].iter().all(|&l| (l as usize) < classes)));
    isa.train(CrossEntropy { logits, labels, weights, smoothing, scale, d_logits, classes })
}

struct CrossEntropy<'a> {
    logits: &'a [f32],
    labels: Labels<'a>,
    weights: &'a [f32],
    smoothing: f32,
    scale: f32,
    d_logits: &'a mut [f32],
    classes: usize,
}

impl Kernel for CrossEntropy<'_> {
    type Output = Sums;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Sums {
        let n = self.classes;
        let z = self.logits.as_ptr();
        let g = self.d_logits.as_mut_ptr();
        let mut norm = [0f32; 16];
        let mut mean = [0f32; 16];
        // SAFETY: vectors below `classes` lie inside both slices; `norm`, `mean` and `weights` hold LANES numbers.
        unsafe {
            let mut top = s.load(z);
            let mut sum_z = s.splat(0.0);
            for c in 0..n {
                let v = s.load(z.add(c * S::LANES));
                top = s.max(top, v);
                sum_z = s.add(sum_z, v);
            }
            let mut total = s.splat(0.0);
            for c in 0..n {
                let e = exp(s, s.sub(s.load(z.add(c * S::LANES)), top));
                s.store(g.add(c * S::LANES), e);
                total = s.add(total, e);
            }
            let weight = s.mul(s.load(self.weights.as_ptr()), s.splat(self.scale));
            let part = s.div(weight, total);
            let low = s.mul(weight, s.splat(self.smoothing / n as f32));
            for c in 0..n {
                let p = g.add(c * S::LANES);
                s.store(p, s.sub(s.mul(s.load(p), part), low));
            }
            s.store(norm.as_mut_ptr(), total);
            s.store(mean.as_mut_ptr(), s.sub(s.mul(sum_z, s.splat(1.0 / n as f32)), top));
        }
        let mut sums = Sums::default();
        for l in 0..S::LANES {
            let (label, weight) = (self.labels.first[l] as usize, self.weights[l]);
            if weight == 0.0 {
                continue;
            }
            let (other, share) = (self.labels.second[l] as usize, self.labels.share[l]);
            let hit = (1.0 - self.smoothing) * weight * self.scale;
            self.d_logits[label * S::LANES + l] -= hit * share;
            if share < 1.0 {
                self.d_logits[other * S::LANES + l] -= hit * (1.0 - share);
            }
            let (mut best, mut top) = (0, f32::NEG_INFINITY);
            let mut bad = false;
            for c in 0..n {
                let v = self.logits[c * S::LANES + l];
                bad |= v.is_nan();
                if v > top {
                    (best, top) = (c, v);
                }
            }
            let below = |class: usize| f64::from(self.logits[class * S::LANES + l] - top);
            let mut at = below(label);
            if share < 1.0 {
                at = f64::from(share) * at + f64::from(1.0 - share) * below(other);
            }
            let likely =
                f64::from(1.0 - self.smoothing) * at + f64::from(self.smoothing) * f64::from(mean[l]);
            let norm = if bad { f64::NAN } else { f64::from(norm[l]).ln() };
            sums.loss += f64::from(weight) * (norm - likely);
            sums.plain += f64::from(weight) * (norm - at);
            sums.correct += usize::from(best == label && !bad);
        }
        sums
    }
}

/// How a regression's outputs are judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Regression {
    /// The mean of squared differences.
    MeanSquared,
    /// Huber's loss: squared / 2 up to `delta`, `delta * (|d| - delta / 2)` beyond.
    Huber(f32),
}

impl Regression {
    /// Value and derivative at difference `d = output - target`.
    pub fn value(self, d: f32) -> (f32, f32) {
        match self {
            Regression::MeanSquared => (d * d, 2.0 * d),
            Regression::Huber(delta) if d.abs() <= delta => (0.5 * d * d, d),
            Regression::Huber(delta) => (delta * (d.abs() - 0.5 * delta), delta * d.signum()),
        }
    }
}

/// A regression's loss, the mean over `outputs` values an image, and its gradient.
///
/// `outputs` and `d_outputs` hold vectors; `targets` holds for each lane a row of as many numbers.
///
/// # Panics
/// When a slice is too short.
pub fn regression(
    lanes: usize,
    kind: Regression,
    outputs: &[f32],
    targets: &[f32],
    weights: &[f32],
    scale: f32,
    d_outputs: &mut [f32],
) -> Sums {
    let n = outputs.len() / lanes;
    let mut sums = Sums::default();
    for l in 0..lanes {
        for v in 0..n {
            let at = v * lanes + l;
            let weight = weights[l] / n as f32;
            if weight == 0.0 {
                d_outputs[at] = 0.0;
                continue;
            }
            let (loss, slope) = kind.value(outputs[at] - targets[l * n + v]);
            sums.loss += f64::from(weight * loss);
            d_outputs[at] = slope * weight * scale;
        }
    }
    sums.plain = sums.loss;
    sums
}
