//! Plain Rust, four lanes: runs on every CPU, and serves as the check on the others.

use crate::simd::Simd;

/// Four lanes of plain Rust.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

type V = [f32; 4];

#[inline(always)]
fn each(f: impl Fn(usize) -> f32) -> V {
    [f(0), f(1), f(2), f(3)]
}

// SAFETY: needs nothing of the CPU.
unsafe impl Simd for Portable {
    type V = V;
    type M = [bool; 4];
    const LANES: usize = 4;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn splat(self, v: f32) -> V {
        [v; 4]
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> V {
        // SAFETY: the caller promises four numbers at `p`.
        unsafe { p.cast::<V>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: V) {
        // SAFETY: the caller promises room for four numbers at `p`.
        unsafe { p.cast::<V>().write_unaligned(v) }
    }
    #[inline(always)]
    unsafe fn load_first(self, p: *const f32, n: usize) -> V {
        // SAFETY: the caller promises `n` numbers at `p`.
        each(|i| if i < n { unsafe { *p.add(i) } } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, v: V, n: usize) {
        for (i, x) in v.into_iter().enumerate().take(n) {
            // SAFETY: the caller promises room for `n` numbers at `p`.
            unsafe { *p.add(i) = x }
        }
    }
    #[inline(always)]
    unsafe fn load_u8(self, p: *const u8) -> V {
        // SAFETY: the caller promises four bytes at `p`.
        each(|i| f32::from(unsafe { *p.add(i) }))
    }
    #[inline(always)]
    unsafe fn store_u8(self, p: *mut u8, v: V) {
        for (i, x) in v.into_iter().enumerate() {
            // SAFETY: the caller promises room for four bytes at `p`.
            unsafe { *p.add(i) = x as u8 }
        }
    }
    #[inline(always)]
    fn add(self, a: V, b: V) -> V {
        each(|i| a[i] + b[i])
    }
    #[inline(always)]
    fn sub(self, a: V, b: V) -> V {
        each(|i| a[i] - b[i])
    }
    #[inline(always)]
    fn mul(self, a: V, b: V) -> V {
        each(|i| a[i] * b[i])
    }
    #[inline(always)]
    fn div(self, a: V, b: V) -> V {
        each(|i| a[i] / b[i])
    }
    #[inline(always)]
    fn sqrt(self, a: V) -> V {
        each(|i| a[i].sqrt())
    }
    #[inline(always)]
    fn mul_add(self, a: V, b: V, c: V) -> V {
        each(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    fn max(self, a: V, b: V) -> V {
        each(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn min(self, a: V, b: V) -> V {
        each(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn gt(self, a: V, b: V) -> [bool; 4] {
        [a[0] > b[0], a[1] > b[1], a[2] > b[2], a[3] > b[3]]
    }
    #[inline(always)]
    fn eq(self, a: V, b: V) -> [bool; 4] {
        [a[0] == b[0], a[1] == b[1], a[2] == b[2], a[3] == b[3]]
    }
    #[inline(always)]
    fn select(self, m: [bool; 4], a: V, b: V) -> V {
        each(|i| if m[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn sum(self, v: V) -> f32 {
        (v[0] + v[2]) + (v[1] + v[3])
    }
    #[inline(always)]
    fn exp2_whole(self, v: V) -> V {
        each(|i| f32::from_bits(((v[i] as i32 + 127) as u32) << 23))
    }
}
