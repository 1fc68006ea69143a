//! NEON: four lanes, thirty-two registers; every AArch64 CPU has it.

use crate::simd::{Kernel, Simd};
use std::arch::aarch64::*;

/// NEON: four lanes.
#[derive(Clone, Copy, Debug)]
pub struct Neon(());

impl Neon {
    /// The proof, if the CPU has NEON.
    pub fn new() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }

    /// Runs `kernel` with NEON, which the target has from the start.
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
}

/// Wraps intrinsics that need no pointer: their only requirement is the CPU's features.
macro_rules! plain {
    ($(fn $name:ident($($arg:ident),*) -> $out:ty = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: Self::V),*) -> $out {
            // SAFETY: `self` exists only where the CPU has NEON.
            #[allow(unused_unsafe)]
            unsafe { $body }
        }
    )*};
}

// SAFETY: `new` checks the CPU.
unsafe impl Simd for Neon {
    type V = float32x4_t;
    type M = uint32x4_t;
    const LANES: usize = 4;
    const REGISTERS: usize = 32;

    plain! {
        fn add(a, b) -> float32x4_t = vaddq_f32(a, b);
        fn sub(a, b) -> float32x4_t = vsubq_f32(a, b);
        fn mul(a, b) -> float32x4_t = vmulq_f32(a, b);
        fn div(a, b) -> float32x4_t = vdivq_f32(a, b);
        fn sqrt(a) -> float32x4_t = vsqrtq_f32(a);
        fn mul_add(a, b, c) -> float32x4_t = vfmaq_f32(c, a, b);
        fn max(a, b) -> float32x4_t = vbslq_f32(vcgtq_f32(a, b), a, b);
        fn min(a, b) -> float32x4_t = vbslq_f32(vcltq_f32(a, b), a, b);
        fn gt(a, b) -> uint32x4_t = vcgtq_f32(a, b);
        fn eq(a, b) -> uint32x4_t = vceqq_f32(a, b);
        fn exp2_whole(v) -> float32x4_t = vreinterpretq_f32_s32(vshlq_n_s32::<23>(
            vaddq_s32(vcvtnq_s32_f32(v), vdupq_n_s32(127))));
        fn sum(v) -> f32 = vaddvq_f32(v);
    }
    #[inline(always)]
    fn splat(self, v: f32) -> float32x4_t {
        // SAFETY: the CPU has NEON.
        unsafe { vdupq_n_f32(v) }
    }
    #[inline(always)]
    fn select(self, m: uint32x4_t, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the CPU has NEON.
        unsafe { vbslq_f32(m, a, b) }
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> float32x4_t {
        // SAFETY: the caller promises four numbers at `p`.
        unsafe { vld1q_f32(p) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: float32x4_t) {
        // SAFETY: the caller promises room for four numbers at `p`.
        unsafe { vst1q_f32(p, v) }
    }
    #[inline(always)]
    unsafe fn load_first(self, p: *const f32, n: usize) -> float32x4_t {
        let mut v = [0.0; 4];
        for (i, v) in v.iter_mut().enumerate().take(n) {
            // SAFETY: the caller promises `n` numbers at `p`.
            *v = unsafe { *p.add(i) };
        }
        // SAFETY: `v` has four numbers.
        unsafe { vld1q_f32(v.as_ptr()) }
    }
    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, v: float32x4_t, n: usize) {
        let mut all = [0.0; 4];
        // SAFETY: `all` has room for four numbers, and the caller promises room for `n` at `p`.
        unsafe {
            vst1q_f32(all.as_mut_ptr(), v);
            for (i, x) in all.into_iter().enumerate().take(n) {
                *p.add(i) = x;
            }
        }
    }
    #[inline(always)]
    unsafe fn load_u8(self, p: *const u8) -> float32x4_t {
        // SAFETY: the caller promises four bytes at `p`.
        unsafe {
            let word = vdup_n_u32(p.cast::<u32>().read_unaligned());
            vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vreinterpret_u8_u32(word)))))
        }
    }
    #[inline(always)]
    unsafe fn store_u8(self, p: *mut u8, v: float32x4_t) {
        // SAFETY: the caller promises room for four bytes at `p`.
        unsafe {
            let half = vmovn_u32(vcvtnq_u32_f32(v));
            let bytes = vmovn_u16(vcombine_u16(half, half));
            p.cast::<u32>().write_unaligned(vget_lane_u32::<0>(vreinterpret_u32_u8(bytes)));
        }
    }
}
