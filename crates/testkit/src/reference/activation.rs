//! Element-wise functions, and softmax over the last dimension.

use ndarray::{Array, ArrayD, Axis, Dimension, Zip};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI};

/// An element-wise activation, by the name the field uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `max(x, 0)`; the gradient at 0 is 0.
    Relu,
    /// `x` if positive, else `alpha x`; the gradient at 0 is `alpha`.
    LeakyRelu {
        /// The slope left of zero.
        alpha: f64,
    },
    /// `x`, at least `min` and at most `max`; the gradient at both is 0.
    Clip {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
    },
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `x Phi(x)` with the exact error function.
    Gelu,
    /// `x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`.
    GeluTanh,
    /// `x / (1 + exp(-x))`.
    Silu,
    /// `x clip(x/6 + 1/2, 0, 1)`; the gradient at -3 is 0 and at 3 it is 1.
    HardSwish,
    /// `clip(alpha x + beta, 0, 1)`; the gradient at both ends is 0.
    HardSigmoid {
        /// The slope between the ends.
        alpha: f64,
        /// The value at 0.
        beta: f64,
    },
    /// `x` if positive, else `alpha (exp(x) - 1)`; the gradient at 0 is `alpha`.
    Elu {
        /// The depth below zero.
        alpha: f64,
    },
    /// `gamma x` if positive, else `gamma alpha (exp(x) - 1)`; the gradient at 0 is `gamma alpha`.
    Selu {
        /// The depth below zero.
        alpha: f64,
        /// The factor of all.
        gamma: f64,
    },
    /// `max(0, x) + min(0, alpha (exp(x / alpha) - 1))`.
    Celu {
        /// The depth below zero.
        alpha: f64,
    },
    /// `ln(1 + exp(x))`.
    Softplus,
    /// `x tanh(ln(1 + exp(x)))`.
    Mish,
}

impl Activation {
    /// The function of each element.
    #[must_use]
    pub fn forward<D: Dimension>(self, x: &Array<f64, D>) -> Array<f64, D> {
        x.mapv(|x| self.value(x))
    }

    /// The gradient with respect to `x`.
    ///
    /// # Panics
    /// If the shapes differ.
    #[must_use]
    pub fn backward<D: Dimension>(self, d_y: &Array<f64, D>, x: &Array<f64, D>) -> Array<f64, D> {
        Zip::from(d_y).and(x).map_collect(|d_y, &x| d_y * self.slope(x))
    }

    fn value(self, x: f64) -> f64 {
        match self {
            Activation::Relu => {
                if x <= 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Activation::LeakyRelu { alpha } => {
                if x <= 0.0 {
                    alpha * x
                } else {
                    x
                }
            }
            Activation::Clip { min, max } => {
                if x <= min {
                    min
                } else if x >= max {
                    max
                } else {
                    x
                }
            }
            Activation::Sigmoid => sigmoid(x),
            Activation::Tanh => x.tanh(),
            Activation::Gelu => x * normal_below(x),
            Activation::GeluTanh => 0.5 * x * (1.0 + gelu_inner(x).tanh()),
            Activation::Silu => x * sigmoid(x),
            Activation::HardSwish => x * ((x + 3.0) / 6.0).clamp(0.0, 1.0),
            Activation::HardSigmoid { alpha, beta } => (alpha * x + beta).clamp(0.0, 1.0),
            Activation::Elu { alpha } => x.max(0.0) + alpha * x.min(0.0).exp_m1(),
            Activation::Selu { alpha, gamma } => gamma * Activation::Elu { alpha }.value(x),
            Activation::Celu { alpha } => x.max(0.0) + (alpha * (x / alpha).exp_m1()).min(0.0),
            Activation::Softplus => softplus(x),
            Activation::Mish => x * softplus(x).tanh(),
        }
    }

    fn slope(self, x: f64) -> f64 {
        match self {
            Activation::Relu => f64::from(u8::from(x > 0.0)),
            Activation::LeakyRelu { alpha } => {
                if x > 0.0 {
                    1.0
                } else {
                    alpha
                }
            }
            Activation::Clip { min, max } => f64::from(u8::from(x > min && x < max)),
            Activation::Sigmoid => {
                let y = self.value(x);
                y * (1.0 - y)
            }
            Activation::Tanh => 1.0 - x.tanh().powi(2),
            Activation::Gelu => normal_below(x) + x * (-x * x / 2.0).exp() / (2.0 * PI).sqrt(),
            Activation::GeluTanh => {
                let t = gelu_inner(x).tanh();
                let inner = (2.0 / PI).sqrt() * (1.0 + 3.0 * 0.044_715 * x * x);
                0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner
            }
            Activation::Silu => sigmoid(x) * (1.0 + x * sigmoid(-x)),
            Activation::HardSwish => match x {
                _ if x <= -3.0 => 0.0,
                _ if x >= 3.0 => 1.0,
                _ => x / 3.0 + 0.5,
            },
            Activation::HardSigmoid { alpha, beta } => {
                let y = alpha * x + beta;
                if y > 0.0 && y < 1.0 { alpha } else { 0.0 }
            }
            Activation::Elu { alpha } => {
                if x > 0.0 {
                    1.0
                } else {
                    alpha * x.exp()
                }
            }
            Activation::Selu { alpha, gamma } => gamma * Activation::Elu { alpha }.slope(x),
            Activation::Celu { alpha } => {
                if x > 0.0 {
                    1.0
                } else {
                    (x / alpha).exp()
                }
            }
            Activation::Softplus => sigmoid(x),
            Activation::Mish => {
                let t = softplus(x).tanh();
                t + x * (1.0 - t * t) * sigmoid(x)
            }
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn gelu_inner(x: f64) -> f64 {
    (2.0 / PI).sqrt() * (x + 0.044_715 * x.powi(3))
}

/// The probability that a normal number is below `x`.
fn normal_below(x: f64) -> f64 {
    0.5 * (1.0 + erf(x * FRAC_1_SQRT_2))
}

/// The error function, by `2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!!`:
/// terms of one sign, so nothing cancels. Beyond 6 it is 1 in f64.
#[must_use]
pub fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    let mut odd = 1.0;
    while term.abs() > sum.abs() * 1e-18 {
        odd += 2.0;
        term *= 2.0 * x * x / odd;
        sum += term;
    }
    FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// Softmax over the last dimension, the largest subtracted first.
#[must_use]
pub fn softmax<D: Dimension>(x: &Array<f64, D>) -> Array<f64, D> {
    let mut y = x.clone();
    let last = Axis(x.ndim() - 1);
    for mut row in y.lanes_mut(last) {
        let largest = row.fold(f64::NEG_INFINITY, |m, &v| m.max(v));
        row.mapv_inplace(|v| (v - largest).exp());
        let sum = row.sum();
        row /= sum;
    }
    y
}

/// The gradient of [`softmax`] with respect to `x`: `y (d_y - sum(d_y y))` in each row.
///
/// # Panics
/// If the shapes differ.
#[must_use]
pub fn softmax_backward<D: Dimension>(d_y: &Array<f64, D>, x: &Array<f64, D>) -> Array<f64, D> {
    let y = softmax(x);
    let mut d_x: ArrayD<f64> = (d_y * &y).into_dyn();
    let last = Axis(x.ndim() - 1);
    for (mut row, y) in d_x.lanes_mut(last).into_iter().zip(y.lanes(last)) {
        let sum = row.sum();
        row.scaled_add(-sum, &y);
    }
    d_x.into_dimensionality().expect("the shape of x")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_has_its_known_values() {
        // Abramowitz and Stegun, table 7.1.
        for (x, y) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (-1.0, -0.842_700_792_949_714_9),
            (7.0, 1.0),
        ] {
            assert!((erf(x) - y).abs() < 1e-15, "{x}: {}", erf(x));
        }
    }
}
