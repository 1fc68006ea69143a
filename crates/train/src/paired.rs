//! Whether one of two models is better on the same samples.

/// The exact two-sided sign test: how likely it is that two models that are as good as each other differ as much as
/// this or more, when one alone is right on `first` samples and the other alone on `second`. Of classifiers this is
/// `McNemar`'s exact test. Samples on which both are right or wrong say nothing.
///
/// ```
/// // Of ten samples that one model alone gets right, nine are the first model's.
/// assert!((foveal_train::sign_test(9, 1) - 22.0 / 1024.0).abs() < 1e-12);
/// assert_eq!(foveal_train::sign_test(4, 4), 1.0);
/// ```
pub fn sign_test(first: u64, second: u64) -> f64 {
    let (n, few) = (first + second, first.min(second));
    // Logarithms: the binomial coefficients of some thousand samples are beyond any number.
    let mut log = -(n as f64) * std::f64::consts::LN_2;
    let mut terms = vec![log];
    for k in 1..=few {
        log += ((n - k + 1) as f64 / k as f64).ln();
        terms.push(log);
    }
    let top = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let tail = terms.iter().map(|t| (t - top).exp()).sum::<f64>().ln() + top;
    (2.0 * tail.exp()).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::sign_test;

    #[test]
    fn it_is_exact() {
        // Computed with fractions of whole numbers.
        for (b, c, want) in [
            (0, 0, 1.0),
            (5, 0, 0.0625),
            (25, 10, 0.016_673_848),
            (120, 80, 0.005_685_156),
            (5000, 4800, 0.044_404_149),
        ] {
            let p = sign_test(b, c);
            assert!((p - want).abs() < 1e-9 && p == sign_test(c, b), "{b}, {c}: {p}");
        }
    }
}
