//! Activations and other maps of one number to one number. They do not care for the layout, so the
//! operators on NHWC arrays use them as well.

use super::Frame;
use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd, exp};

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `x` where positive, else `alpha * x`.
    LeakyRelu(f32),
    /// `x`, but at least the first number and at most the second; the slope at both is 0.
    Clip(f32, f32),
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `x * Phi(x)` with the normal distribution's Phi (the exact form, not the tanh approximation).
    Gelu,
}

/// `tanh(x)`: Cephes's polynomial below 0.625, else by the exponential.
#[inline(always)]
fn tanh<S: Simd>(s: S, x: S::V) -> S::V {
    let c = |v: f32| s.splat(v);
    let z = s.mul(x, x);
    let mut p = c(-5.704_988_7e-3);
    for k in [2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1] {
        p = s.mul_add(p, z, c(k));
    }
    let small = s.mul_add(s.mul(p, z), x, x);
    let size = s.max(x, s.sub(c(0.0), x));
    let t = s.sub(c(1.0), s.div(c(2.0), s.add(exp(s, s.add(size, size)), c(1.0))));
    let large = s.select(s.gt(c(0.0), x), s.sub(c(0.0), t), t);
    s.select(s.gt(c(0.625), size), small, large)
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
fn sigmoid<S: Simd>(s: S, x: S::V) -> S::V {
    s.div(s.splat(1.0), s.add(s.splat(1.0), exp(s, s.sub(s.splat(0.0), x))))
}

/// The standard normal distribution function and density at `x`, both within 1e-6 of their own size.
///
/// `erfc(z) e^(z^2)` is a polynomial of `t = 1 / (1 + 0.3275911 z)` (the form of Abramowitz and Stegun, 7.1.26;
/// degree 8, fitted to the smallest relative error from 0 to 10, 1.4e-7), so the far tail keeps its digits.
#[inline(always)]
fn normal<S: Simd>(s: S, x: S::V) -> (S::V, S::V) {
    let c = |v: f32| s.splat(v);
    let size = s.max(x, s.sub(c(0.0), x));
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

impl Activation {
    #[inline(always)]
    fn value<S: Simd>(self, s: S, x: S::V) -> S::V {
        let zero = s.splat(0.0);
        match self {
            // `max` gives its second argument where one is not a number, so that NaN spreads.
            Activation::Relu => s.max(zero, x),
            Activation::LeakyRelu(a) => s.select(s.gt(x, zero), x, s.mul(x, s.splat(a))),
            Activation::Clip(low, high) => s.max(s.splat(low), s.min(s.splat(high), x)),
            Activation::Sigmoid => sigmoid(s, x),
            Activation::Tanh => tanh(s, x),
            Activation::Gelu => s.mul(x, normal(s, x).0),
        }
    }

    #[inline(always)]
    fn slope<S: Simd>(self, s: S, x: S::V, y: S::V) -> S::V {
        let (zero, one) = (s.splat(0.0), s.splat(1.0));
        match self {
            Activation::Relu => s.keep(s.gt(y, zero), one),
            Activation::LeakyRelu(a) => s.select(s.gt(x, zero), one, s.splat(a)),
            Activation::Clip(low, high) => s.keep(s.gt(y, s.splat(low)), s.keep(s.gt(s.splat(high), y), one)),
            Activation::Sigmoid => s.mul(y, s.sub(one, y)),
            Activation::Tanh => s.sub(one, s.mul(y, y)),
            Activation::Gelu => {
                let (cdf, density) = normal(s, x);
                // Beyond 20 the density is as good as 0, but not quite 0 in `exp`.
                let near = s.max(s.splat(-20.0), s.min(s.splat(20.0), x));
                s.mul_add(near, density, cdf)
            }
        }
    }

    /// `y = f(x)`, element by element; both slices have one length.
    pub fn forward(self, isa: Isa, x: &[f32], y: &mut [f32]) {
        let n = x.len().min(y.len());
        isa.run(Map { n, f: self, pass: MapPass::Forward { x: x.as_ptr(), y: y.as_mut_ptr() } });
    }

    /// `x = f(x)`.
    pub fn forward_in_place(self, isa: Isa, x: &mut [f32]) {
        isa.run(Map { n: x.len(), f: self, pass: MapPass::Forward { x: x.as_mut_ptr(), y: x.as_mut_ptr() } });
    }

    /// `d *= f'(x)` from `y = f(x)` alone: for the functions whose slope `y` tells, all but
    /// [`Activation::Gelu`] and a [`Activation::LeakyRelu`] that falls below zero; slices of one length.
    pub fn backward_in_place(self, isa: Isa, y: &[f32], d: &mut [f32]) {
        let n = y.len().min(d.len());
        let (y, dx) = (y.as_ptr(), d.as_mut_ptr());
        let dy = dx.cast_const();
        isa.run(Map { n, f: self, pass: MapPass::Backward { x: y, y, dy, dx } });
    }

    /// `dx = dy * f'(x)`, where `y = f(x)`; all slices have one length.
    pub fn backward(self, isa: Isa, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
        let n = x.len().min(y.len()).min(dy.len()).min(dx.len());
        isa.run(Map {
            n,
            f: self,
            pass: MapPass::Backward { x: x.as_ptr(), y: y.as_ptr(), dy: dy.as_ptr(), dx: dx.as_mut_ptr() },
        });
    }
}

enum MapPass {
    Forward { x: *const f32, y: *mut f32 },
    Backward { x: *const f32, y: *const f32, dy: *const f32, dx: *mut f32 },
}

struct Map {
    n: usize,
    f: Activation,
    pass: MapPass,
}

impl Kernel for Map {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // One loop for each function, so that the choice is made outside.
        match self.f {
            Activation::Relu => self.each(s, Activation::Relu),
            Activation::LeakyRelu(a) => self.each(s, Activation::LeakyRelu(a)),
            Activation::Clip(low, high) => self.each(s, Activation::Clip(low, high)),
            Activation::Sigmoid => self.each(s, Activation::Sigmoid),
            Activation::Tanh => self.each(s, Activation::Tanh),
            Activation::Gelu => self.each(s, Activation::Gelu),
        }
    }
}

impl Map {
    #[inline(always)]
    fn each<S: Simd>(&self, s: S, f: Activation) {
        let mut i = 0;
        while i + S::LANES <= self.n {
            // SAFETY: `i + LANES <= n`, which is the shortest slice's length; a number is read before it is
            // written, also where both slices are one.
            unsafe {
                match self.pass {
                    MapPass::Forward { x, y } => s.store(y.add(i), f.value(s, s.load(x.add(i)))),
                    MapPass::Backward { x, y, dy, dx } => {
                        let slope = f.slope(s, s.load(x.add(i)), s.load(y.add(i)));
                        s.store(dx.add(i), s.mul(s.load(dy.add(i)), slope));
                    }
                }
            }
            i += S::LANES;
        }
        if i < self.n {
            let m = self.n - i;
            // SAFETY: as above, for the `m` numbers left.
            unsafe {
                match self.pass {
                    MapPass::Forward { x, y } => {
                        s.store_first(y.add(i), f.value(s, s.load_first(x.add(i), m)), m);
                    }
                    MapPass::Backward { x, y, dy, dx } => {
                        let slope = f.slope(s, s.load_first(x.add(i), m), s.load_first(y.add(i), m));
                        let g = s.mul(s.load_first(dy.add(i), m), slope);
                        s.store_first(dx.add(i), g, m);
                    }
                }
            }
        }
    }
}

/// The rows of a frame's inside, as ranges of numbers.
pub fn rows(frame: &Frame, lanes: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
    let f = *frame;
    // Without a halo all rows are one.
    let (planes, height, width) =
        if f.halo == [0; 4] { (1, 1, f.vectors()) } else { (f.channels, f.height, f.width) };
    (0..planes * height).map(move |i| {
        let start = if planes * height == 1 {
            f.origin()
        } else {
            i / height * f.plane() + f.origin() + i % height * f.row()
        };
        start * lanes..(start + width) * lanes
    })
}

/// `y += x`, element by element.
pub fn add_assign(isa: Isa, x: &[f32], y: &mut [f32]) {
    struct Add<'a>(&'a [f32], &'a mut [f32]);
    impl Kernel for Add<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, _: S) {
            for (y, x) in self.1.iter_mut().zip(self.0) {
                *y += x;
            }
        }
    }
    isa.run(Add(x, y));
}

/// `y = x * k`, element by element (dropout's mask, for one).
pub fn multiply(isa: Isa, x: &[f32], k: &[f32], y: &mut [f32]) {
    struct Mul<'a>(&'a [f32], &'a [f32], &'a mut [f32]);
    impl Kernel for Mul<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, _: S) {
            for ((y, x), k) in self.2.iter_mut().zip(self.0).zip(self.1) {
                *y = x * k;
            }
        }
    }
    isa.run(Mul(x, k, y));
}

/// Adds to `sums[c]` the sum of plane `c`'s inside over positions and lanes.
pub fn plane_sums(isa: Isa, frame: &Frame, x: &[f32], sums: &mut [f32]) {
    struct Sums<'a>(&'a Frame, &'a [f32], &'a mut [f32]);
    impl Kernel for Sums<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, s: S) {
            let f = self.0;
            for (c, sum) in self.2.iter_mut().enumerate().take(f.channels) {
                let mut acc = [s.splat(0.0); 4];
                for h in 0..f.height {
                    let start = (c * f.plane() + f.origin() + h * f.row()) * S::LANES;
                    let row = &self.1[start..start + f.width * S::LANES];
                    for (i, v) in row.chunks_exact(S::LANES).enumerate() {
                        // SAFETY: the chunk has LANES numbers.
                        acc[i % 4] = s.add(acc[i % 4], unsafe { s.load(v.as_ptr()) });
                    }
                }
                *sum += s.sum(s.add(s.add(acc[0], acc[1]), s.add(acc[2], acc[3])));
            }
        }
    }
    assert!(x.len() >= frame.vectors() * isa.lanes());
    isa.run(Sums(frame, x, sums));
}

/// A dropout mask: each number is `1 / (1 - rate)` with probability `1 - rate`, else 0. Number `i` depends on
/// `seed` and `i` alone (a hash: Murmur3's finalizer, twice).
pub fn dropout_mask(isa: Isa, seed: u64, rate: f32, mask: &mut [f32]) {
    struct Mask<'a>(u64, f32, &'a mut [f32]);
    #[inline(always)]
    fn mix(mut h: u32) -> u32 {
        h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
        h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
        h ^ (h >> 16)
    }
    impl Kernel for Mask<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, _: S) {
            let (low, high) = (self.0 as u32, (self.0 >> 32) as u32);
            let threshold = (f64::from(self.1) * 4_294_967_296.0) as u32;
            let kept = 1.0 / (1.0 - self.1);
            for (i, m) in self.2.iter_mut().enumerate() {
                let h = mix(mix(i as u32 ^ low).wrapping_add(high));
                *m = if h >= threshold { kept } else { 0.0 };
            }
        }
    }
    isa.run(Mask(seed, rate, mask));
}
