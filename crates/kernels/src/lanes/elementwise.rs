//! Maps of one number to one number. They do not care for the layout, so the operators on NHWC arrays use
//! them as well. Activations stand in [`super::activation`].

pub use super::activation::Activation;

use super::Frame;
use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd};

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
    isa.train(Mask(seed, rate, mask));
}
