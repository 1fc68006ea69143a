//! WebAssembly's simd128: four lanes, if the module is built with `-C target-feature=+simd128`.

use crate::simd::{Kernel, Simd};
use std::arch::wasm32::*;

/// simd128: four lanes. The module that holds it runs only where the engine has it.
#[derive(Clone, Copy, Debug)]
pub struct Simd128;

impl Simd128 {
    /// Runs `kernel`; the whole module is built for simd128.
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
}

// SAFETY: the type exists only in modules built for simd128.
unsafe impl Simd for Simd128 {
    type V = v128;
    type M = v128;
    const LANES: usize = 4;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn splat(self, v: f32) -> v128 {
        f32x4_splat(v)
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> v128 {
        // SAFETY: the caller promises four numbers at `p`.
        unsafe { v128_load(p.cast()) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: v128) {
        // SAFETY: the caller promises room for four numbers at `p`.
        unsafe { v128_store(p.cast(), v) }
    }
    #[inline(always)]
    unsafe fn load_first(self, p: *const f32, n: usize) -> v128 {
        let mut v = [0.0; 4];
        for (i, v) in v.iter_mut().enumerate().take(n) {
            // SAFETY: the caller promises `n` numbers at `p`.
            *v = unsafe { *p.add(i) };
        }
        f32x4(v[0], v[1], v[2], v[3])
    }
    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, v: v128, n: usize) {
        let all = [
            f32x4_extract_lane::<0>(v),
            f32x4_extract_lane::<1>(v),
            f32x4_extract_lane::<2>(v),
            f32x4_extract_lane::<3>(v),
        ];
        for (i, x) in all.into_iter().enumerate().take(n) {
            // SAFETY: the caller promises room for `n` numbers at `p`.
            unsafe { *p.add(i) = x }
        }
    }
    #[inline(always)]
    unsafe fn load_u8(self, p: *const u8) -> v128 {
        // SAFETY: the caller promises four bytes at `p`.
        let b = unsafe { p.cast::<[u8; 4]>().read_unaligned() }.map(u32::from);
        f32x4_convert_u32x4(u32x4(b[0], b[1], b[2], b[3]))
    }
    #[inline(always)]
    unsafe fn store_u8(self, p: *mut u8, v: v128) {
        let i = u32x4_trunc_sat_f32x4(f32x4_nearest(v));
        let bytes = [
            u32x4_extract_lane::<0>(i) as u8,
            u32x4_extract_lane::<1>(i) as u8,
            u32x4_extract_lane::<2>(i) as u8,
            u32x4_extract_lane::<3>(i) as u8,
        ];
        // SAFETY: the caller promises room for four bytes at `p`.
        unsafe { p.cast::<[u8; 4]>().write_unaligned(bytes) }
    }
    #[inline(always)]
    fn add(self, a: v128, b: v128) -> v128 {
        f32x4_add(a, b)
    }
    #[inline(always)]
    fn sub(self, a: v128, b: v128) -> v128 {
        f32x4_sub(a, b)
    }
    #[inline(always)]
    fn mul(self, a: v128, b: v128) -> v128 {
        f32x4_mul(a, b)
    }
    #[inline(always)]
    fn div(self, a: v128, b: v128) -> v128 {
        f32x4_div(a, b)
    }
    #[inline(always)]
    fn sqrt(self, a: v128) -> v128 {
        f32x4_sqrt(a)
    }
    #[inline(always)]
    fn mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        f32x4_add(f32x4_mul(a, b), c)
    }
    #[inline(always)]
    fn max(self, a: v128, b: v128) -> v128 {
        // `pmax(b, a)` is `b < a ? a : b`.
        f32x4_pmax(b, a)
    }
    #[inline(always)]
    fn min(self, a: v128, b: v128) -> v128 {
        f32x4_pmin(b, a)
    }
    #[inline(always)]
    fn gt(self, a: v128, b: v128) -> v128 {
        f32x4_gt(a, b)
    }
    #[inline(always)]
    fn eq(self, a: v128, b: v128) -> v128 {
        f32x4_eq(a, b)
    }
    #[inline(always)]
    fn select(self, m: v128, a: v128, b: v128) -> v128 {
        v128_bitselect(a, b, m)
    }
    #[inline(always)]
    fn sum(self, v: v128) -> f32 {
        (f32x4_extract_lane::<0>(v) + f32x4_extract_lane::<2>(v))
            + (f32x4_extract_lane::<1>(v) + f32x4_extract_lane::<3>(v))
    }
    #[inline(always)]
    fn exp2_whole(self, v: v128) -> v128 {
        i32x4_shl(i32x4_add(i32x4_trunc_sat_f32x4(v), i32x4_splat(127)), 23)
    }
}
