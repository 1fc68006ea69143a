//! Batch normalization with channels side by side: rows of `channels` numbers, a vector of neighbouring channels at a
//! time. What the numbers mean stands in [`crate::lanes::norm`]; the statistics of rows are joined in their order.

use crate::dispatch::Isa;
use crate::lanes::norm::Moments;
use crate::simd::{Kernel, Simd};

/// Rows whose statistics are taken at once: few enough to be still in the cache when they are read again, and to lose
/// nothing in 32 bits.
const BLOCK: usize = 64;

/// Calls `$body` for the vectors of a row: `$c` is the first channel, `$n` how many there are.
macro_rules! vectors {
    ($channels:expr, |$c:ident, $n:ident| $body:block) => {
        let mut $c = 0;
        while $c < $channels {
            let $n = ($channels - $c).min(S::LANES);
            $body
            $c += S::LANES;
        }
    };
}

/// Each channel's statistics over the rows of `x`.
///
/// # Panics
/// When `x` is no whole number of rows, or `out` has fewer than `channels`.
pub fn moments(isa: Isa, channels: usize, x: &[f32], out: &mut [Moments]) {
    struct Run<'a>(usize, &'a [f32], &'a mut [Moments]);
    impl Kernel for Run<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, s: S) {
            let Run(channels, x, out) = self;
            out.fill(Moments::default());
            let mut before = 0.0;
            for x in x.chunks(BLOCK * channels) {
                let rows = x.len() / channels;
                let n = rows as f64;
                let [share, both] = [n / (before + n), before * n / (before + n)];
                vectors!(channels, |c, count| {
                    let (mut mean, mut squares) = ([0.0f32; 16], [0.0f32; 16]);
                    // SAFETY: `count` channels of each row, from `c` on, lie inside `x`; the arrays hold a vector.
                    unsafe {
                        let row = |r: usize| s.load_first(x.as_ptr().add(r * channels + c), count);
                        let mut sum = s.splat(0.0);
                        for r in 0..rows {
                            sum = s.add(sum, row(r));
                        }
                        let middle = s.mul(sum, s.splat(1.0 / rows as f32));
                        let mut square = s.splat(0.0);
                        for r in 0..rows {
                            let d = s.sub(row(r), middle);
                            square = s.mul_add(d, d, square);
                        }
                        s.store(mean.as_mut_ptr(), middle);
                        s.store(squares.as_mut_ptr(), square);
                    }
                    for (k, all) in out[c..c + count].iter_mut().enumerate() {
                        let d = f64::from(mean[k]) - all.mean;
                        all.mean += d * share;
                        all.squares += f64::from(squares[k]) + d * d * both;
                    }
                });
                before += n;
            }
            out.iter_mut().for_each(|m| m.count = before);
        }
    }
    assert!(channels > 0 && x.len().is_multiple_of(channels) && out.len() >= channels);
    isa.train(Run(channels, x, &mut out[..channels]));
}

/// `y = x * scale[c] + shift[c]`.
///
/// # Panics
/// When a slice is too short.
pub fn affine(isa: Isa, x: &[f32], scale: &[f32], shift: &[f32], y: &mut [f32]) {
    struct Run<'a>(&'a [f32], &'a [f32], &'a [f32], &'a mut [f32]);
    impl Kernel for Run<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, s: S) {
            let Run(x, scale, shift, y) = self;
            let channels = scale.len();
            for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
                vectors!(channels, |c, n| {
                    // SAFETY: `n` channels from `c` on exist in each of the four.
                    unsafe {
                        let load = |from: &[f32]| s.load_first(from.as_ptr().add(c), n);
                        s.store_first(y.as_mut_ptr().add(c), s.mul_add(load(x), load(scale), load(shift)), n);
                    }
                });
            }
        }
    }
    assert!(!scale.is_empty() && shift.len() == scale.len() && x.len() == y.len());
    isa.run(Run(x, scale, shift, y));
}

/// Each channel's `(sum of dy, sum of dy * (x - mean))` over the rows.
///
/// # Panics
/// When a slice is too short.
pub fn backward_sums(isa: Isa, x: &[f32], mean: &[f32], dy: &[f32], sums: &mut [[f64; 2]]) {
    struct Run<'a>(&'a [f32], &'a [f32], &'a [f32], &'a mut [[f64; 2]]);
    impl Kernel for Run<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, s: S) {
            let Run(x, mean, dy, sums) = self;
            let channels = mean.len();
            sums.fill([0.0; 2]);
            for (x, dy) in x.chunks(BLOCK * channels).zip(dy.chunks(BLOCK * channels)) {
                vectors!(channels, |c, n| {
                    let mut parts = [[0.0f32; 16]; 2];
                    // SAFETY: as in `moments`, for rows of both.
                    unsafe {
                        let m = s.load_first(mean.as_ptr().add(c), n);
                        let (mut a, mut b) = (s.splat(0.0), s.splat(0.0));
                        for r in 0..x.len() / channels {
                            let d = s.load_first(dy.as_ptr().add(r * channels + c), n);
                            let x = s.load_first(x.as_ptr().add(r * channels + c), n);
                            a = s.add(a, d);
                            b = s.mul_add(d, s.sub(x, m), b);
                        }
                        s.store(parts[0].as_mut_ptr(), a);
                        s.store(parts[1].as_mut_ptr(), b);
                    }
                    for (k, sum) in sums[c..c + n].iter_mut().enumerate() {
                        *sum = [sum[0] + f64::from(parts[0][k]), sum[1] + f64::from(parts[1][k])];
                    }
                });
            }
        }
    }
    let channels = mean.len();
    assert!(
        channels > 0 && x.len() == dy.len() && x.len().is_multiple_of(channels) && sums.len() >= channels
    );
    isa.train(Run(x, mean, dy, &mut sums[..channels]));
}

/// `dx = k[0][c] * dy + k[1][c] * x + k[2][c]`, or that added to `dx`; `k` holds the three rows one after the other.
///
/// # Panics
/// When a slice is too short.
pub fn backward_apply(isa: Isa, dy: &[f32], x: &[f32], k: &[f32], accumulate: bool, dx: &mut [f32]) {
    struct Run<'a>(&'a [f32], &'a [f32], &'a [f32], bool, &'a mut [f32]);
    impl Kernel for Run<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, s: S) {
            let Run(dy, x, k, accumulate, dx) = self;
            let channels = k.len() / 3;
            let (a, rest) = k.split_at(channels);
            let (b, d) = rest.split_at(channels);
            let rows = dy.chunks_exact(channels).zip(x.chunks_exact(channels));
            for ((dy, x), dx) in rows.zip(dx.chunks_exact_mut(channels)) {
                vectors!(channels, |c, n| {
                    // SAFETY: `n` channels from `c` on exist in each.
                    unsafe {
                        let load = |from: &[f32]| s.load_first(from.as_ptr().add(c), n);
                        let v = s.mul_add(load(x), load(b), load(d));
                        let v = s.mul_add(load(dy), load(a), v);
                        let to = dx.as_mut_ptr().add(c);
                        let v = if accumulate { s.add(v, s.load_first(to, n)) } else { v };
                        s.store_first(to, v, n);
                    }
                });
            }
        }
    }
    assert!(k.len() >= 3 && k.len().is_multiple_of(3) && x.len() == dy.len() && dx.len() == dy.len());
    isa.train(Run(dy, x, k, accumulate, dx));
}

/// Adds to `sums[c]` the sum of channel `c` over the rows.
///
/// # Panics
/// When there are no sums.
pub fn channel_sums(isa: Isa, x: &[f32], sums: &mut [f32]) {
    struct Run<'a>(&'a [f32], &'a mut [f32]);
    impl Kernel for Run<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, s: S) {
            let Run(x, sums) = self;
            let channels = sums.len();
            for x in x.chunks(BLOCK * channels) {
                vectors!(channels, |c, n| {
                    // SAFETY: as in `moments`; `sums` has `channels` numbers.
                    unsafe {
                        let mut sum = s.splat(0.0);
                        for r in 0..x.len() / channels {
                            sum = s.add(sum, s.load_first(x.as_ptr().add(r * channels + c), n));
                        }
                        let to = sums.as_mut_ptr().add(c);
                        s.store_first(to, s.add(sum, s.load_first(to, n)), n);
                    }
                });
            }
        }
    }
    assert!(!sums.is_empty());
    isa.train(Run(x, sums));
}
