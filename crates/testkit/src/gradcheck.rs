//! Backward passes against central differences.

use crate::Random;
use ndarray::ArrayD;

/// Compares `backward` with central differences of `forward`, in f64.
///
/// A random upstream gradient `d_y` (ones would hide a flipped gradient) turns
/// the output into the scalar `sum(d_y * y)`; each element of each input is
/// moved by `step` either way. Returns the largest difference, relative to the
/// larger of 1 and the largest gradient of that input.
///
/// # Errors
/// If a shape differs from its input's, or a gradient differs by more than `tolerance`.
pub fn gradcheck(
    inputs: &[ArrayD<f64>],
    seed: u64,
    step: f64,
    tolerance: f64,
    forward: impl Fn(&[ArrayD<f64>]) -> ArrayD<f64>,
    backward: impl Fn(&[ArrayD<f64>], &ArrayD<f64>) -> Vec<ArrayD<f64>>,
) -> Result<f64, String> {
    let d_y = Random::new(seed).array(forward(inputs).raw_dim());
    let gradients = backward(inputs, &d_y);
    if gradients.len() != inputs.len() {
        return Err(format!("{} gradients for {} inputs", gradients.len(), inputs.len()));
    }
    let scalar = |at: &[ArrayD<f64>]| (&forward(at) * &d_y).sum();
    let mut moved = inputs.to_vec();
    let mut worst = 0.0f64;
    for (which, gradient) in gradients.iter().enumerate() {
        if gradient.shape() != inputs[which].shape() {
            return Err(format!(
                "the gradient of input {which} has shape {:?}, the input {:?}",
                gradient.shape(),
                inputs[which].shape()
            ));
        }
        let magnitude = gradient.iter().fold(1.0f64, |m, g| m.max(g.abs()));
        for (index, g) in gradient.indexed_iter() {
            let at = inputs[which][index.clone()];
            moved[which][index.clone()] = at + step;
            let above = scalar(&moved);
            moved[which][index.clone()] = at - step;
            let below = scalar(&moved);
            moved[which][index.clone()] = at;
            let numeric = (above - below) / (2.0 * step);
            let error = (numeric - g).abs() / magnitude;
            if error.is_nan() || error > tolerance {
                return Err(format!("input {which} at {index:?}: {g} where differences give {numeric}"));
            }
            worst = worst.max(error);
        }
    }
    Ok(worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(factor: f64) -> Result<f64, String> {
        let x = Random::new(1).array(6).into_dyn();
        gradcheck(&[x], 2, 1e-5, 1e-7, |i| i[0].mapv(|v| v * v), |i, d_y| vec![d_y * &i[0] * factor])
    }

    #[test]
    fn a_right_gradient_passes() {
        assert!(check(2.0).unwrap() < 1e-8);
    }

    #[test]
    fn wrong_gradients_fail() {
        for factor in [-2.0, 1.0, 2.001, f64::NAN] {
            assert!(check(factor).is_err(), "{factor}");
        }
    }

    #[test]
    fn a_gradient_of_the_wrong_shape_fails() {
        let x = Random::new(1).array(6).into_dyn();
        let e =
            gradcheck(&[x], 2, 1e-5, 1e-7, |i| i[0].clone(), |_, _| vec![Random::new(1).array(5).into_dyn()]);
        assert!(e.unwrap_err().contains("shape"));
    }
}
