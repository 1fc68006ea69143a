//! Pictures into lanes: sixteen rows of bytes become vectors of sixteen images.

use super::Frame;
use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd};

/// One image's samples in row-major `[height][width][channel]` order.
#[derive(Clone, Copy, Debug)]
pub enum Pixels<'a> {
    /// Raw pixel values, 0 to 255.
    U8(&'a [u8]),
    /// Numbers as they are.
    F32(&'a [f32]),
}

macro_rules! borrowed {
    ($($owner:ty => $kind:ident),*) => {$(
        impl<'a> From<&'a $owner> for Pixels<'a> {
            fn from(samples: &'a $owner) -> Self {
                Pixels::$kind(samples)
            }
        }
    )*};
}

borrowed!([u8] => U8, Vec<u8> => U8, [f32] => F32, Vec<f32> => F32);

/// Writes up to a vector's width of images into the inside of `frame`: `out = value * scale[c] + shift[c]`.
/// Lanes without an image are 0.
///
/// # Panics
/// When an image has not `height * width * channels` samples, or `out` is too short.
pub fn load(isa: Isa, images: &[Pixels<'_>], frame: &Frame, scale: &[f32], shift: &[f32], out: &mut [f32]) {
    let n = frame.channels * frame.height * frame.width;
    assert!(images.len() <= isa.lanes() && out.len() >= frame.vectors() * isa.lanes());
    assert!(scale.len() >= frame.channels && shift.len() >= frame.channels);
    assert!(images.iter().all(|i| match i {
        Pixels::U8(v) => v.len() == n,
        Pixels::F32(v) => v.len() == n,
    }));
    let bytes = frame.channels == 1
        && images.len() == isa.lanes()
        && images.iter().all(|i| matches!(i, Pixels::U8(_)));
    if bytes {
        isa.run(Bytes { images, frame, scale: scale[0], shift: shift[0], out });
    } else {
        one_by_one(isa.lanes(), images, frame, scale, shift, out);
    }
}

fn one_by_one(lanes: usize, images: &[Pixels<'_>], f: &Frame, scale: &[f32], shift: &[f32], out: &mut [f32]) {
    for c in 0..f.channels {
        for h in 0..f.height {
            let start = (c * f.plane() + f.origin() + h * f.row()) * lanes;
            for (w, v) in out[start..start + f.width * lanes].chunks_exact_mut(lanes).enumerate() {
                let at = (h * f.width + w) * f.channels + c;
                v.fill(0.0);
                for (v, image) in v.iter_mut().zip(images) {
                    let x = match image {
                        Pixels::U8(p) => f32::from(p[at]),
                        Pixels::F32(p) => p[at],
                    };
                    *v = x * scale[c] + shift[c];
                }
            }
        }
    }
}

/// A full group of grey byte images: transposed eight by eight in 64-bit words.
struct Bytes<'a> {
    images: &'a [Pixels<'a>],
    frame: &'a Frame,
    scale: f32,
    shift: f32,
    out: &'a mut [f32],
}

/// Transposes an 8x8 block of bytes, one row a word (Hacker's Delight, 7-3).
#[inline(always)]
fn transpose8(mut x: [u64; 8]) -> [u64; 8] {
    for (step, mask) in
        [(4, 0x0000_0000_ffff_ffffu64), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff)]
    {
        let bits = step * 8;
        let mut i = 0;
        while i < 8 {
            if i & step == 0 {
                let (a, b) = (x[i], x[i + step]);
                let t = ((a >> bits) ^ b) & mask;
                x[i + step] = b ^ t;
                x[i] = a ^ (t << bits);
            }
            i += 1;
        }
    }
    x
}

impl Kernel for Bytes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let f = self.frame;
        let total = f.height * f.width;
        let mut column = [0u8; 16];
        let mut pixel = 0;
        while pixel < total {
            let n = (total - pixel).min(8);
            let mut block = [[0u64; 8]; 2];
            for (half, block) in block.iter_mut().enumerate() {
                for (i, word) in block.iter_mut().enumerate() {
                    if let Some(Pixels::U8(p)) = self.images.get(half * 8 + i) {
                        let mut bytes = [0; 8];
                        bytes[..n].copy_from_slice(&p[pixel..pixel + n]);
                        *word = u64::from_le_bytes(bytes);
                    }
                }
                *block = transpose8(*block);
            }
            for i in 0..n {
                column[..8].copy_from_slice(&block[0][i].to_le_bytes());
                column[8..].copy_from_slice(&block[1][i].to_le_bytes());
                let (row, col) = ((pixel + i) / f.width, (pixel + i) % f.width);
                let at = (f.origin() + row * f.row() + col) * S::LANES;
                let out = &mut self.out[at..at + S::LANES];
                // SAFETY: `column` has at least LANES bytes and `out` LANES numbers.
                unsafe {
                    let v = s.load_u8(column.as_ptr());
                    let v = s.mul_add(v, s.splat(self.scale), s.splat(self.shift));
                    s.store(out.as_mut_ptr(), v);
                }
            }
            pixel += n;
        }
    }
}
