//! The functions that activations are made of, lane by lane. NaN stays NaN in all of them.

use crate::simd::{Simd, exp};

/// The size of each lane.
#[inline(always)]
pub(super) fn abs<S: Simd>(s: S, x: S::V) -> S::V {
    s.max(x, s.sub(s.splat(0.0), x))
}

/// `x`, at least `low` and at most `high`.
#[inline(always)]
pub(super) fn clip<S: Simd>(s: S, x: S::V, low: f32, high: f32) -> S::V {
    // `max` and `min` give their second argument where one is not a number, so that NaN spreads.
    s.max(s.splat(low), s.min(s.splat(high), x))
}

/// `tanh(x)`: Cephes's polynomial below 0.625, else by the exponential.
#[inline(always)]
pub(super) fn tanh<S: Simd>(s: S, x: S::V) -> S::V {
    let c = |v: f32| s.splat(v);
    let z = s.mul(x, x);
    let mut p = c(-5.704_988_7e-3);
    for k in [2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1] {
        p = s.mul_add(p, z, c(k));
    }
    let small = s.mul_add(s.mul(p, z), x, x);
    let size = abs(s, x);
    let t = s.sub(c(1.0), s.div(c(2.0), s.add(exp(s, s.add(size, size)), c(1.0))));
    let large = s.select(s.gt(c(0.0), x), s.sub(c(0.0), t), t);
    s.select(s.gt(c(0.625), size), small, large)
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(super) fn sigmoid<S: Simd>(s: S, x: S::V) -> S::V {
    s.div(s.splat(1.0), s.add(s.splat(1.0), exp(s, s.sub(s.splat(0.0), x))))
}

/// The sigmoids of `x` and of `-x`, each with all its digits however small it is.
#[inline(always)]
pub(super) fn sigmoids<S: Simd>(s: S, x: S::V) -> (S::V, S::V) {
    let e = exp(s, s.sub(s.splat(0.0), abs(s, x)));
    let above = s.div(s.splat(1.0), s.add(s.splat(1.0), e));
    let below = s.mul(e, above);
    let positive = s.gt(x, s.splat(0.0));
    (s.select(positive, above, below), s.select(positive, below, above))
}

/// `ln(1 + t)` for `t` from 0 to 1: `2 artanh z` with `z = t / (2 + t)`, at most 1/3, by its series, of which
/// less than 2e-9 of the value is left out.
#[inline(always)]
fn log_1_plus<S: Simd>(s: S, t: S::V) -> S::V {
    let c = |v: f32| s.splat(v);
    let z = s.div(t, s.add(c(2.0), t));
    let square = s.mul(z, z);
    let mut p = c(1.0 / 15.0);
    for k in [1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0] {
        p = s.mul_add(p, square, c(k));
    }
    s.mul(s.add(z, z), p)
}

/// `ln(1 + e^x)`.
#[inline(always)]
pub(super) fn softplus<S: Simd>(s: S, x: S::V) -> S::V {
    let e = exp(s, s.sub(s.splat(0.0), abs(s, x)));
    s.add(s.max(s.splat(0.0), x), log_1_plus(s, e))
}

/// The standard normal distribution function and density at `x`, both within 1e-6 of their own size.
///
/// `erfc(z) e^(z^2)` is a polynomial of `t = 1 / (1 + 0.3275911 z)` (the form of Abramowitz and Stegun, 7.1.26;
/// degree 8, fitted to the smallest relative error from 0 to 10, 1.4e-7), so the far tail keeps its digits.
#[inline(always)]
pub(super) fn normal<S: Simd>(s: S, x: S::V) -> (S::V, S::V) {
    let c = |v: f32| s.splat(v);
    let size = abs(s, x);
    let z = s.mul(size, c(std::f32::consts::FRAC_1_SQRT_2));
    let t = s.div(c(1.0), s.mul_add(z, c(0.327_591_1), c(1.0)));
    let mut p = c(-0.140_646_52);
    for k in
        [0.494_507_04, -0.401_773_45, 0.449_020_1, 0.027_931_476, 0.205_034_2, 0.180_886_06, 0.185_041_23]
    {
        p = s.mul_add(p, t, c(k));
    }
    let e = exp(s, s.mul(s.mul(x, x), c(-0.5)));
    let tail = s.mul(s.mul(s.mul(p, t), e), c(0.5));
    let cdf = s.select(s.gt(x, c(0.0)), s.sub(c(1.0), tail), tail);
    (cdf, s.mul(e, c(0.398_942_3)))
}
