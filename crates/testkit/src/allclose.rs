//! Comparison of results with expectations, in which NaN is not a pass.

/// Checks `|actual - expected| <= atol + rtol * |expected|` for every element.
///
/// NaN equals NaN and nothing else, an infinity equals itself and nothing else,
/// and different lengths fail.
///
/// # Errors
/// A sentence with the number of elements that differ and the worst of them.
pub fn allclose(actual: &[f32], expected: &[f64], rtol: f64, atol: f64) -> Result<(), String> {
    if actual.len() != expected.len() {
        return Err(format!("{} values where {} were expected", actual.len(), expected.len()));
    }
    let mut failures = 0usize;
    let mut worst: Option<(usize, f64)> = None;
    for (index, (&a, &e)) in actual.iter().zip(expected).enumerate() {
        let excess = distance(f64::from(a), e) - (atol + rtol * e.abs());
        // Written so that a NaN excess (infinite expectation and tolerance) fails too,
        // unless the two are the same value.
        if excess <= 0.0 || distance(f64::from(a), e) == 0.0 {
            continue;
        }
        failures += 1;
        let excess = if excess.is_nan() { f64::INFINITY } else { excess };
        if worst.is_none_or(|(_, w)| excess > w) {
            worst = Some((index, excess));
        }
    }
    match worst {
        None => Ok(()),
        Some((index, _)) => Err(format!(
            "{failures} of {} values differ; worst at {index}: {} where {} was expected \
             (rtol {rtol:e}, atol {atol:e})",
            actual.len(),
            actual[index],
            expected[index]
        )),
    }
}

/// The largest `|actual - expected|`, divided by the largest finite `|expected|`.
///
/// Infinite if one is NaN or infinite and the other is not the same. An
/// all-zero (or empty) expectation divides by one.
///
/// # Panics
/// If the lengths differ.
#[must_use]
pub fn worst_relative(actual: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(actual.len(), expected.len(), "lengths differ");
    let magnitude = expected.iter().filter(|e| e.is_finite()).fold(0.0f64, |m, e| m.max(e.abs()));
    let worst = actual.iter().zip(expected).map(|(&a, &e)| distance(f64::from(a), e)).fold(0.0, f64::max);
    if magnitude > 0.0 { worst / magnitude } else { worst }
}

/// `|a - b|`; 0 for the same NaN or infinity, infinite for NaN against a number.
fn distance(a: f64, b: f64) -> f64 {
    if a == b || (a.is_nan() && b.is_nan()) {
        return 0.0;
    }
    let d = (a - b).abs();
    if d.is_nan() { f64::INFINITY } else { d }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f32 = f32::NAN;
    const INF: f32 = f32::INFINITY;

    #[test]
    fn equal_and_close_values_pass() {
        assert_eq!(allclose(&[], &[], 0.0, 0.0), Ok(()));
        assert_eq!(allclose(&[1.0, -2.0], &[1.0, -2.0], 0.0, 0.0), Ok(()));
        assert_eq!(allclose(&[1.0], &[1.000_001], 1e-5, 0.0), Ok(()));
        assert_eq!(allclose(&[1e-7], &[0.0], 0.0, 1e-6), Ok(()));
    }

    #[test]
    fn a_difference_fails_and_the_worst_is_named() {
        let e = allclose(&[1.0, 2.5, 3.1, 4.0], &[1.0, 2.0, 3.0, 4.0], 1e-3, 1e-3).unwrap_err();
        assert!(e.contains("2 of 4") && e.contains("worst at 1: 2.5 where 2 "), "{e}");
    }

    #[test]
    fn nan_equals_only_nan() {
        assert_eq!(allclose(&[NAN], &[f64::NAN], 0.0, 0.0), Ok(()));
        assert!(allclose(&[NAN], &[1.0], 1.0, 1.0).is_err());
        assert!(allclose(&[1.0], &[f64::NAN], 1.0, 1.0).is_err());
        let e = allclose(&[9.0, NAN], &[0.0, 0.0], 1e-3, 1e-3).unwrap_err();
        assert!(e.contains("worst at 1: NaN"), "{e}");
    }

    #[test]
    fn infinity_equals_only_itself() {
        let inf = f64::INFINITY;
        assert_eq!(allclose(&[INF, -INF], &[inf, -inf], 1e-3, 0.0), Ok(()));
        assert!(allclose(&[INF], &[-inf], 1e-3, 0.0).is_err());
        assert!(allclose(&[1.0], &[inf], 1e-3, 0.0).is_err());
        assert!(allclose(&[INF], &[1.0], 1e-3, 1e30).is_err());
        assert!(allclose(&[NAN], &[inf], 1e-3, 0.0).is_err());
    }

    #[test]
    fn lengths_must_agree() {
        assert!(allclose(&[1.0], &[], 1.0, 1.0).is_err());
        assert!(allclose(&[], &[1.0], 1.0, 1.0).is_err());
    }

    #[test]
    fn worst_relative_is_relative_to_the_largest() {
        assert!((worst_relative(&[1.0, 10.5], &[1.0, 10.0]) - 0.05).abs() < 1e-12);
        assert_eq!(worst_relative(&[NAN], &[1.0]), f64::INFINITY);
        assert_eq!(worst_relative(&[0.5], &[0.0]), 0.5);
    }
}
