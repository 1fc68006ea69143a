//! Normalizations of one image by itself: by groups of channels, by place, by neighbouring channels. `x` is
//! `[n, h, w, c]`.

use ndarray::{Array1, Array4, Axis};

/// The cells that share their statistics, for each set of them.
fn sets(x: &Array4<f64>, groups: Option<usize>) -> Vec<Vec<[usize; 4]>> {
    let (n, h, w, c) = x.dim();
    let count = groups.map_or(n * h * w, |g| n * g);
    let mut sets = vec![Vec::new(); count];
    for ((i, j, k, l), _) in x.indexed_iter() {
        let set = match groups {
            Some(g) => i * g + l / (c / g),
            None => (i * h + j) * w + k,
        };
        sets[set].push([i, j, k, l]);
    }
    sets
}

/// Mean and deviation `sqrt(variance + epsilon)`.
fn moments(x: &Array4<f64>, set: &[[usize; 4]], epsilon: f64) -> (f64, f64) {
    let count = set.len() as f64;
    let mean = set.iter().map(|&i| x[i]).sum::<f64>() / count;
    let variance = set.iter().map(|&i| (x[i] - mean).powi(2)).sum::<f64>() / count;
    (mean, (variance + epsilon).sqrt())
}

/// Group normalization, or layer normalization over the channels of each place where there are no groups.
#[must_use]
pub fn image_norm(
    x: &Array4<f64>,
    gamma: &Array1<f64>,
    beta: &Array1<f64>,
    groups: Option<usize>,
    epsilon: f64,
) -> Array4<f64> {
    let mut y = x.clone();
    for set in sets(x, groups) {
        let (mean, deviation) = moments(x, &set, epsilon);
        set.iter().for_each(|&i| y[i] = gamma[i[3]] * (x[i] - mean) / deviation + beta[i[3]]);
    }
    y
}

/// The gradients of `x`, gamma and beta: the whole matrix of slopes of each set, times the gradient.
#[must_use]
pub fn image_norm_backward(
    d_y: &Array4<f64>,
    x: &Array4<f64>,
    gamma: &Array1<f64>,
    groups: Option<usize>,
    epsilon: f64,
) -> (Array4<f64>, Array1<f64>, Array1<f64>) {
    let (mut d_x, mut d_gamma) = (Array4::zeros(x.dim()), Array1::zeros(gamma.len()));
    for set in sets(x, groups) {
        let (mean, deviation) = moments(x, &set, epsilon);
        let count = set.len() as f64;
        let normal: Vec<f64> = set.iter().map(|&i| (x[i] - mean) / deviation).collect();
        for (p, &i) in set.iter().enumerate() {
            d_gamma[i[3]] += d_y[i] * normal[p];
            for (q, &j) in set.iter().enumerate() {
                let own = if p == q { 1.0 } else { 0.0 };
                let slope = (own - 1.0 / count - normal[p] * normal[q] / count) / deviation;
                d_x[j] += d_y[i] * gamma[i[3]] * slope;
            }
        }
    }
    (d_x, d_gamma, d_y.sum_axis(Axis(0)).sum_axis(Axis(0)).sum_axis(Axis(0)))
}

/// `x / max(norm, epsilon)`, the norm over the channels of each place.
#[must_use]
pub fn l2_normalize(x: &Array4<f64>, epsilon: f64) -> Array4<f64> {
    let norm = x.mapv(|v| v * v).sum_axis(Axis(3)).mapv(|s| s.sqrt().max(epsilon));
    x / &norm.insert_axis(Axis(3))
}

/// The gradient of [`l2_normalize`].
#[must_use]
pub fn l2_normalize_backward(d_y: &Array4<f64>, x: &Array4<f64>, epsilon: f64) -> Array4<f64> {
    let mut d_x = d_y.clone();
    for (mut d, x) in d_x.lanes_mut(Axis(3)).into_iter().zip(x.lanes(Axis(3))) {
        let norm = x.dot(&x).sqrt();
        if norm < epsilon {
            d /= epsilon;
            continue;
        }
        let along = d.dot(&x) / norm.powi(3);
        d.zip_mut_with(&x, |d, x| *d = *d / norm - x * along);
    }
    d_x
}

/// Local response normalization's numbers.
#[derive(Clone, Copy, Debug)]
pub struct Response {
    /// Channels of a window: `floor((size - 1) / 2)` before and `ceil((size - 1) / 2)` after.
    pub size: usize,
    /// The squares' weight.
    pub alpha: f64,
    /// The exponent.
    pub beta: f64,
    /// What is added.
    pub bias: f64,
}

impl Response {
    fn holds(&self, c: usize, j: usize) -> bool {
        let width = self.size as i64 - 1;
        let (c, j) = (c as i64, j as i64);
        j >= c - width / 2 && j <= c + (width - width / 2)
    }

    fn sum(&self, x: &Array4<f64>, [n, h, w, c]: [usize; 4]) -> f64 {
        let squares: f64 =
            (0..x.dim().3).filter(|&j| self.holds(c, j)).map(|j| x[[n, h, w, j]].powi(2)).sum();
        self.bias + self.alpha / self.size as f64 * squares
    }

    /// `x / sum^beta`.
    #[must_use]
    pub fn forward(&self, x: &Array4<f64>) -> Array4<f64> {
        let mut y = x.clone();
        for ((n, h, w, c), v) in y.indexed_iter_mut() {
            *v /= self.sum(x, [n, h, w, c]).powf(self.beta);
        }
        y
    }

    /// The gradient of `x`: each output's slope by each channel of its window.
    #[must_use]
    pub fn backward(&self, d_y: &Array4<f64>, x: &Array4<f64>) -> Array4<f64> {
        let mut d_x = Array4::zeros(x.dim());
        for ((n, h, w, c), d) in d_y.indexed_iter() {
            let sum = self.sum(x, [n, h, w, c]);
            d_x[[n, h, w, c]] += d * sum.powf(-self.beta);
            let k = -self.beta * sum.powf(-self.beta - 1.0) * 2.0 * self.alpha / self.size as f64;
            for j in (0..x.dim().3).filter(|&j| self.holds(c, j)) {
                d_x[[n, h, w, j]] += d * x[[n, h, w, c]] * k * x[[n, h, w, j]];
            }
        }
        d_x
    }
}
