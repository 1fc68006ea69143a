//! AVX2 with FMA (eight lanes) and AVX-512 (sixteen).

use crate::simd::Simd;
use std::arch::x86_64::*;

/// AVX2 and FMA: eight lanes.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

/// AVX-512 F, BW, DQ and VL: sixteen lanes.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx2 {
    /// The proof, if the CPU has AVX2 and FMA.
    pub fn new() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    /// Runs `kernel` with AVX2 enabled.
    pub fn run<K: crate::simd::Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn enter<K: crate::simd::Kernel>(s: Avx2, kernel: K) -> K::Output {
            kernel.run(s)
        }
        // SAFETY: `self` exists only where the CPU has the features.
        unsafe { enter(self, kernel) }
    }
}

impl Avx512 {
    /// The proof, if the CPU has AVX-512 F, BW, DQ and VL.
    pub fn new() -> Option<Self> {
        (is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("fma"))
        .then_some(Self(()))
    }

    /// Runs `kernel` with AVX-512 enabled.
    pub fn run<K: crate::simd::Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
        fn enter<K: crate::simd::Kernel>(s: Avx512, kernel: K) -> K::Output {
            kernel.run(s)
        }
        // SAFETY: `self` exists only where the CPU has the features.
        unsafe { enter(self, kernel) }
    }
}

/// Thirty-two bits for a mask of the first `n` of eight lanes: read at `8 - n`.
static FIRST: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// Wraps intrinsics that need no pointer: their only requirement is the CPU's features.
macro_rules! plain {
    ($(fn $name:ident($($arg:ident),*) -> $out:ty = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: Self::V),*) -> $out {
            // SAFETY: `self` exists only where the CPU has the features.
            unsafe { $body }
        }
    )*};
}

// SAFETY: `new` checks the CPU.
unsafe impl Simd for Avx2 {
    type V = __m256;
    type M = __m256;
    const LANES: usize = 8;
    const REGISTERS: usize = 16;

    plain! {
        fn add(a, b) -> __m256 = _mm256_add_ps(a, b);
        fn sub(a, b) -> __m256 = _mm256_sub_ps(a, b);
        fn mul(a, b) -> __m256 = _mm256_mul_ps(a, b);
        fn div(a, b) -> __m256 = _mm256_div_ps(a, b);
        fn sqrt(a) -> __m256 = _mm256_sqrt_ps(a);
        fn mul_add(a, b, c) -> __m256 = _mm256_fmadd_ps(a, b, c);
        fn max(a, b) -> __m256 = _mm256_max_ps(a, b);
        fn min(a, b) -> __m256 = _mm256_min_ps(a, b);
        fn gt(a, b) -> __m256 = _mm256_cmp_ps::<_CMP_GT_OQ>(a, b);
        fn eq(a, b) -> __m256 = _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b);
        fn exp2_whole(v) -> __m256 = _mm256_castsi256_ps(_mm256_slli_epi32::<23>(
            _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(127))));
        fn sum(v) -> f32 = {
            let h = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
            let h = _mm_add_ps(h, _mm_movehl_ps(h, h));
            _mm_cvtss_f32(_mm_add_ss(h, _mm_shuffle_ps::<1>(h, h)))
        };
    }
    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        // SAFETY: a prefetch of any address is no access.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(p.cast()) }
    }
    #[inline(always)]
    fn splat(self, v: f32) -> __m256 {
        // SAFETY: the CPU has AVX2.
        unsafe { _mm256_set1_ps(v) }
    }
    #[inline(always)]
    fn select(self, m: __m256, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the CPU has AVX2.
        unsafe { _mm256_blendv_ps(b, a, m) }
    }
    #[inline(always)]
    fn keep(self, m: __m256, v: __m256) -> __m256 {
        // SAFETY: the CPU has AVX2.
        unsafe { _mm256_and_ps(m, v) }
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> __m256 {
        // SAFETY: the caller promises eight numbers at `p`.
        unsafe { _mm256_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: __m256) {
        // SAFETY: the caller promises room for eight numbers at `p`.
        unsafe { _mm256_storeu_ps(p, v) }
    }
    #[inline(always)]
    unsafe fn load_first(self, p: *const f32, n: usize) -> __m256 {
        // SAFETY: the mask lets only the first `n` numbers be read; `8 - n` lies inside FIRST.
        unsafe { _mm256_maskload_ps(p, _mm256_loadu_si256(FIRST.as_ptr().add(8 - n).cast())) }
    }
    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, v: __m256, n: usize) {
        // SAFETY: the mask lets only the first `n` numbers be written; `8 - n` lies inside FIRST.
        unsafe { _mm256_maskstore_ps(p, _mm256_loadu_si256(FIRST.as_ptr().add(8 - n).cast()), v) }
    }
    #[inline(always)]
    unsafe fn load_u8(self, p: *const u8) -> __m256 {
        // SAFETY: the caller promises eight bytes at `p`.
        unsafe { _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(p.cast()))) }
    }
    #[inline(always)]
    unsafe fn store_u8(self, p: *mut u8, v: __m256) {
        // SAFETY: the caller promises room for eight bytes at `p`.
        unsafe {
            let i = _mm256_cvtps_epi32(v);
            let i = _mm_packs_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256::<1>(i));
            _mm_storel_epi64(p.cast(), _mm_packus_epi16(i, i));
        }
    }
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, step: usize, rows: usize, to: *mut f32) {
        // SAFETY: the caller's promises; the shuffles need no more than the CPU's features.
        unsafe {
            let mut r = [_mm256_setzero_ps(); 8];
            for i in 0..8 {
                if i < rows {
                    r[i] = _mm256_loadu_ps(from.add(i * step));
                }
            }
            // Pairs, fours, halves: after each round the numbers that belong together stand twice as close.
            let mut pairs = r;
            for i in 0..4 {
                pairs[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
                pairs[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
            }
            let mut fours = pairs;
            for i in 0..2 {
                for j in 0..2 {
                    let (a, b) = (pairs[4 * i + j], pairs[4 * i + j + 2]);
                    fours[4 * i + 2 * j] = _mm256_shuffle_ps::<0x44>(a, b);
                    fours[4 * i + 2 * j + 1] = _mm256_shuffle_ps::<0xee>(a, b);
                }
            }
            for i in 0..4 {
                let (a, b) = (fours[i], fours[i + 4]);
                _mm256_storeu_ps(to.add(i * 8), _mm256_permute2f128_ps::<0x20>(a, b));
                _mm256_storeu_ps(to.add((i + 4) * 8), _mm256_permute2f128_ps::<0x31>(a, b));
            }
        }
    }
}

// SAFETY: `new` checks the CPU.
unsafe impl Simd for Avx512 {
    type V = __m512;
    type M = __mmask16;
    const LANES: usize = 16;
    const REGISTERS: usize = 32;

    plain! {
        fn add(a, b) -> __m512 = _mm512_add_ps(a, b);
        fn sub(a, b) -> __m512 = _mm512_sub_ps(a, b);
        fn mul(a, b) -> __m512 = _mm512_mul_ps(a, b);
        fn div(a, b) -> __m512 = _mm512_div_ps(a, b);
        fn sqrt(a) -> __m512 = _mm512_sqrt_ps(a);
        fn mul_add(a, b, c) -> __m512 = _mm512_fmadd_ps(a, b, c);
        fn max(a, b) -> __m512 = _mm512_max_ps(a, b);
        fn min(a, b) -> __m512 = _mm512_min_ps(a, b);
        fn gt(a, b) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b);
        fn eq(a, b) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b);
        fn exp2_whole(v) -> __m512 = _mm512_castsi512_ps(_mm512_slli_epi32::<23>(
            _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(127))));
        fn sum(v) -> f32 = {
            let h = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps::<1>(v));
            let h = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps::<1>(h));
            let h = _mm_add_ps(h, _mm_movehl_ps(h, h));
            _mm_cvtss_f32(_mm_add_ss(h, _mm_shuffle_ps::<1>(h, h)))
        };
    }
    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        // SAFETY: a prefetch of any address is no access.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(p.cast()) }
    }
    #[inline(always)]
    fn splat(self, v: f32) -> __m512 {
        // SAFETY: the CPU has AVX-512.
        unsafe { _mm512_set1_ps(v) }
    }
    #[inline(always)]
    fn select(self, m: __mmask16, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the CPU has AVX-512.
        unsafe { _mm512_mask_blend_ps(m, b, a) }
    }
    #[inline(always)]
    fn keep(self, m: __mmask16, v: __m512) -> __m512 {
        // SAFETY: the CPU has AVX-512.
        unsafe { _mm512_maskz_mov_ps(m, v) }
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> __m512 {
        // SAFETY: the caller promises sixteen numbers at `p`.
        unsafe { _mm512_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: __m512) {
        // SAFETY: the caller promises room for sixteen numbers at `p`.
        unsafe { _mm512_storeu_ps(p, v) }
    }
    #[inline(always)]
    unsafe fn load_first(self, p: *const f32, n: usize) -> __m512 {
        // SAFETY: the mask lets only the first `n` numbers be read.
        unsafe { _mm512_maskz_loadu_ps(((1u32 << n) - 1) as __mmask16, p) }
    }
    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, v: __m512, n: usize) {
        // SAFETY: the mask lets only the first `n` numbers be written.
        unsafe { _mm512_mask_storeu_ps(p, ((1u32 << n) - 1) as __mmask16, v) }
    }
    #[inline(always)]
    unsafe fn load_u8(self, p: *const u8) -> __m512 {
        // SAFETY: the caller promises sixteen bytes at `p`.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(p.cast()))) }
    }
    #[inline(always)]
    unsafe fn store_u8(self, p: *mut u8, v: __m512) {
        // SAFETY: the caller promises room for sixteen bytes at `p`.
        unsafe { _mm_storeu_si128(p.cast(), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v))) }
    }
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, step: usize, rows: usize, to: *mut f32) {
        // SAFETY: the caller's promises; the shuffles need no more than the CPU's features.
        unsafe {
            let mut r = [_mm512_setzero_ps(); 16];
            for i in 0..16 {
                if i < rows {
                    r[i] = _mm512_loadu_ps(from.add(i * step));
                }
            }
            // Pairs, fours, eights, halves: after each round the numbers that belong together stand twice as close.
            let mut pairs = r;
            for i in 0..8 {
                pairs[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
                pairs[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
            }
            let mut fours = pairs;
            for i in 0..4 {
                for j in 0..2 {
                    let (a, b) = (pairs[4 * i + j], pairs[4 * i + j + 2]);
                    fours[4 * i + 2 * j] = _mm512_shuffle_ps::<0x44>(a, b);
                    fours[4 * i + 2 * j + 1] = _mm512_shuffle_ps::<0xee>(a, b);
                }
            }
            let mut eights = fours;
            for i in 0..2 {
                for j in 0..4 {
                    let (a, b) = (fours[8 * i + j], fours[8 * i + j + 4]);
                    eights[8 * i + j] = _mm512_shuffle_f32x4::<0x88>(a, b);
                    eights[8 * i + j + 4] = _mm512_shuffle_f32x4::<0xdd>(a, b);
                }
            }
            // Quarters 0 and 2 of four rows stand in the first of a pair, 1 and 3 in the second.
            for j in 0..8 {
                let (a, b) = (eights[j], eights[j + 8]);
                let low = _mm512_shuffle_f32x4::<0x88>(a, b);
                let high = _mm512_shuffle_f32x4::<0xdd>(a, b);
                _mm512_storeu_ps(to.add(j * 16), low);
                _mm512_storeu_ps(to.add((j + 8) * 16), high);
            }
        }
    }
}
