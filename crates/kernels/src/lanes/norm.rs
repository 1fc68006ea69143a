//! Batch normalization on lanes. The statistics are the whole batch's: each group gives its count, means
//! and squared deviations, [`Moments::combine`] joins them in the groups' order (Chan, Golub and LeVeque 1979), and
//! every group is then normalized with the same numbers.

use super::Frame;
use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd};

/// One channel's statistics over some cells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// Cells counted.
    pub count: f64,
    /// Their mean.
    pub mean: f64,
    /// The sum of their squared deviations from the mean.
    pub squares: f64,
}

impl Moments {
    /// Both together.
    pub fn combine(self, other: Moments) -> Moments {
        let count = self.count + other.count;
        if count == 0.0 {
            return self;
        }
        let d = other.mean - self.mean;
        Moments {
            count,
            mean: self.mean + d * other.count / count,
            squares: self.squares + other.squares + d * d * self.count * other.count / count,
        }
    }

    /// The variance as batch normalization takes it (divided by the count).
    pub fn variance(&self) -> f64 {
        self.squares / self.count.max(1.0)
    }
}

/// Calls `f` with each vector of a channel's inside.
#[inline(always)]
fn each<S: Simd>(f: &Frame, c: usize, mut visit: impl FnMut(usize)) {
    for h in 0..f.height {
        let start = (c * f.plane() + f.origin() + h * f.row()) * S::LANES;
        for w in 0..f.width {
            visit(start + w * S::LANES);
        }
    }
}

/// Each channel's statistics over the lanes whose `mask` is 1 (0 elsewhere).
pub fn moments(isa: Isa, frame: &Frame, x: &[f32], mask: &[f32], out: &mut [Moments]) {
    struct Run<'a>(&'a Frame, &'a [f32], &'a [f32], &'a mut [Moments]);
    impl Kernel for Run<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, s: S) {
            let Run(f, x, mask, out) = self;
            let lanes: f32 = mask[..S::LANES].iter().sum();
            let count = f64::from(lanes) * (f.height * f.width) as f64;
            for (c, out) in out.iter_mut().enumerate().take(f.channels) {
                // SAFETY: `moments` checks that the frame lies inside `x` and `mask` has LANES numbers.
                unsafe {
                    let m = s.load(mask.as_ptr());
                    let mut sum = s.splat(0.0);
                    each::<S>(f, c, |at| sum = s.mul_add(s.load(x.as_ptr().add(at)), m, sum));
                    let mean = (f64::from(s.sum(sum)) / count.max(1.0)) as f32;
                    let mut squares = s.splat(0.0);
                    let mut rest = s.splat(0.0);
                    each::<S>(f, c, |at| {
                        let d = s.mul(s.sub(s.load(x.as_ptr().add(at)), s.splat(mean)), m);
                        squares = s.mul_add(d, d, squares);
                        rest = s.add(rest, d);
                    });
                    // What the rounded mean left over is put right.
                    let rest = f64::from(s.sum(rest)) / count.max(1.0);
                    let squares = f64::from(s.sum(squares)) - rest * rest * count;
                    *out = Moments { count, mean: f64::from(mean) + rest, squares };
                }
            }
        }
    }
    assert!(x.len() >= frame.vectors() * isa.lanes() && mask.len() >= isa.lanes());
    isa.train(Run(frame, x, mask, out));
}

/// `y = x * scale[c] + shift[c]`, from the inside of one frame to that of another.
pub fn affine(isa: Isa, from: &Frame, x: &[f32], scale: &[f32], shift: &[f32], to: &Frame, y: &mut [f32]) {
    struct Run<'a>(&'a Frame, &'a [f32], &'a [f32], &'a [f32], &'a Frame, &'a mut [f32]);
    impl Kernel for Run<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, s: S) {
            let Run(from, x, scale, shift, to, y) = self;
            for c in 0..from.channels {
                let (k, b) = (s.splat(scale[c]), s.splat(shift[c]));
                for h in 0..from.height {
                    let i = (c * from.plane() + from.origin() + h * from.row()) * S::LANES;
                    let o = (c * to.plane() + to.origin() + h * to.row()) * S::LANES;
                    for w in (0..from.width * S::LANES).step_by(S::LANES) {
                        // SAFETY: `affine` checks both frames against their slices.
                        unsafe {
                            let v = s.load(x.as_ptr().add(i + w));
                            s.store(y.as_mut_ptr().add(o + w), s.mul_add(v, k, b));
                        }
                    }
                }
            }
        }
    }
    let lanes = isa.lanes();
    assert!(x.len() >= from.vectors() * lanes && y.len() >= to.vectors() * lanes);
    assert_eq!((from.channels, from.height, from.width), (to.channels, to.height, to.width));
    assert!(scale.len() >= from.channels && shift.len() >= from.channels);
    isa.run(Run(from, x, scale, shift, to, y));
}

/// Each channel's `(sum of dy, sum of dy * (x - mean))` over positions and lanes.
pub fn backward_sums(
    isa: Isa,
    frame: &Frame,
    x: &[f32],
    mean: &[f32],
    out: &Frame,
    dy: &[f32],
    sums: &mut [[f64; 2]],
) {
    struct Run<'a>(&'a Frame, &'a [f32], &'a [f32], &'a Frame, &'a [f32], &'a mut [[f64; 2]]);
    impl Kernel for Run<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, s: S) {
            let Run(f, x, mean, g, dy, sums) = self;
            for (c, out) in sums.iter_mut().enumerate().take(f.channels) {
                let (mut a, mut b) = (s.splat(0.0), s.splat(0.0));
                let m = s.splat(mean[c]);
                for h in 0..f.height {
                    let i = (c * f.plane() + f.origin() + h * f.row()) * S::LANES;
                    let o = (c * g.plane() + g.origin() + h * g.row()) * S::LANES;
                    for w in (0..f.width * S::LANES).step_by(S::LANES) {
                        // SAFETY: `backward_sums` checks both frames against their slices.
                        unsafe {
                            let d = s.load(dy.as_ptr().add(o + w));
                            a = s.add(a, d);
                            b = s.mul_add(d, s.sub(s.load(x.as_ptr().add(i + w)), m), b);
                        }
                    }
                }
                *out = [f64::from(s.sum(a)), f64::from(s.sum(b))];
            }
        }
    }
    let lanes = isa.lanes();
    assert!(x.len() >= frame.vectors() * lanes && dy.len() >= out.vectors() * lanes);
    isa.train(Run(frame, x, mean, out, dy, sums));
}

/// `dx += k[c][0] * dy + k[c][1] * x + k[c][2]` on the lanes whose `mask` is 1.
pub fn backward_apply(
    isa: Isa,
    out: &Frame,
    dy: &[f32],
    frame: &Frame,
    x: &[f32],
    k: &[[f32; 3]],
    mask: &[f32],
    to: &Frame,
    dx: &mut [f32],
) {
    struct Run<'a> {
        to: &'a Frame,
        g: &'a Frame,
        dy: &'a [f32],
        f: &'a Frame,
        x: &'a [f32],
        k: &'a [[f32; 3]],
        mask: &'a [f32],
        dx: &'a mut [f32],
    }
    impl Kernel for Run<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, s: S) {
            let Run { to, g, dy, f, x, k, mask, dx } = self;
            // SAFETY: `backward_apply` checks the frames and the mask against their slices.
            unsafe {
                let m = s.load(mask.as_ptr());
                for c in 0..f.channels {
                    let [a, b, d] = k[c].map(|v| s.splat(v));
                    for h in 0..f.height {
                        let i = (c * f.plane() + f.origin() + h * f.row()) * S::LANES;
                        let o = (c * g.plane() + g.origin() + h * g.row()) * S::LANES;
                        let t = (c * to.plane() + to.origin() + h * to.row()) * S::LANES;
                        for w in (0..f.width * S::LANES).step_by(S::LANES) {
                            let p = dx.as_mut_ptr().add(t + w);
                            let v = s.mul_add(s.load(x.as_ptr().add(i + w)), b, d);
                            let v = s.mul_add(s.load(dy.as_ptr().add(o + w)), a, v);
                            s.store(p, s.mul_add(v, m, s.load(p)));
                        }
                    }
                }
            }
        }
    }
    let lanes = isa.lanes();
    assert!(x.len() >= frame.vectors() * lanes && dx.len() >= to.vectors() * lanes);
    assert!(dy.len() >= out.vectors() * lanes && mask.len() >= lanes && k.len() >= frame.channels);
    isa.train(Run { to, g: out, dy, f: frame, x, k, mask, dx });
}
