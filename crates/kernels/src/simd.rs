//! One vector type for every instruction set.
//!
//! A kernel is a value that implements [`Kernel`], written once and generic over [`Simd`];
//! [`crate::Isa::run`] instantiates it for the instruction set at hand. Everything on the way down is
//! `#[inline(always)]`, so that the instructions land inside one function that has the CPU's features
//! enabled: a plain `cargo build --release` reaches full speed, with no flag of the user's.

/// Vector arithmetic of one instruction set.
///
/// A value of an implementing type is the proof that the CPU has the instructions: it can be made only by
/// `unsafe` code that has checked.
///
/// # Safety
/// Implementations may be constructed only where the CPU has the instruction set.
pub unsafe trait Simd: Copy + Send + Sync + 'static {
    /// A vector of [`Self::LANES`] numbers.
    type V: Copy;
    /// A truth value for each lane.
    type M: Copy;
    /// Numbers in a vector.
    const LANES: usize;
    /// Vector registers; decides how large a tile of accumulators may be.
    const REGISTERS: usize;

    /// All lanes `v`.
    fn splat(self, v: f32) -> Self::V;
    /// Reads `LANES` numbers.
    ///
    /// # Safety
    /// `p` must be valid for reading `LANES` numbers; it need not be aligned.
    unsafe fn load(self, p: *const f32) -> Self::V;
    /// Writes `LANES` numbers.
    ///
    /// # Safety
    /// `p` must be valid for writing `LANES` numbers; it need not be aligned.
    unsafe fn store(self, p: *mut f32, v: Self::V);
    /// Reads `n` numbers into the first lanes; the others are 0.
    ///
    /// # Safety
    /// `p` must be valid for reading `n` numbers, and `n <= LANES`.
    unsafe fn load_first(self, p: *const f32, n: usize) -> Self::V;
    /// Writes the first `n` lanes.
    ///
    /// # Safety
    /// `p` must be valid for writing `n` numbers, and `n <= LANES`.
    unsafe fn store_first(self, p: *mut f32, v: Self::V, n: usize);
    /// Asks for the cache line at `p`, which may be any address, to be brought to the second-level cache; does
    /// nothing where the CPU has no such instruction.
    #[inline(always)]
    fn prefetch(self, _p: *const f32) {}
    /// Reads `LANES` bytes as numbers.
    ///
    /// # Safety
    /// `p` must be valid for reading `LANES` bytes.
    unsafe fn load_u8(self, p: *const u8) -> Self::V;
    /// Writes each lane, a whole number from 0 to 255, as a byte.
    ///
    /// # Safety
    /// `p` must be valid for writing `LANES` bytes.
    unsafe fn store_u8(self, p: *mut u8, v: Self::V);
    /// Turns a square of numbers: number `i` of vector `r`, which stands at `from + r * step`, becomes number `r` of
    /// vector `i` at `to + i * LANES`. Only the first `rows` vectors are read; the others count as zeros.
    ///
    /// # Safety
    /// `rows <= LANES` vectors may be read, `LANES` vectors in a row written.
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, step: usize, rows: usize, to: *mut f32) {
        for r in 0..Self::LANES {
            for i in 0..Self::LANES {
                // SAFETY: the caller's.
                unsafe {
                    *to.add(i * Self::LANES + r) = if r < rows { *from.add(r * step + i) } else { 0.0 }
                };
            }
        }
    }
    /// `a + b`.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a - b`.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b`.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a / b`.
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// The square root.
    fn sqrt(self, a: Self::V) -> Self::V;
    /// `a * b + c`, rounded once where the CPU can.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The larger of both; `b` where either is not a number (as x86's `maxps`).
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// The smaller of both; `b` where either is not a number.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a > b`, false where either is not a number.
    fn gt(self, a: Self::V, b: Self::V) -> Self::M;
    /// `a == b`, false where either is not a number.
    fn eq(self, a: Self::V, b: Self::V) -> Self::M;
    /// Where `m`, `a`, else `b`.
    fn select(self, m: Self::M, a: Self::V, b: Self::V) -> Self::V;
    /// Where `m`, `v`, else 0.
    #[inline(always)]
    fn keep(self, m: Self::M, v: Self::V) -> Self::V {
        self.select(m, v, self.splat(0.0))
    }
    /// The sum of the lanes, in a fixed order (a halving tree).
    fn sum(self, v: Self::V) -> f32;
    /// 2 to the power of each lane, a whole number from -126 to 127.
    fn exp2_whole(self, v: Self::V) -> Self::V;
}

/// A kernel: [`crate::Isa::run`] calls [`Kernel::run`] with the instruction set at hand.
pub trait Kernel {
    /// What the kernel returns.
    type Output;
    /// Does the work. Implementations are `#[inline(always)]`.
    fn run<S: Simd>(self, s: S) -> Self::Output;
}

/// e to the power of each lane, within 2 units in the last place from -87 to 88; beyond, the ends' values. NaN stays NaN.
///
/// Cody and Waite's reduction to `[-ln 2 / 2, ln 2 / 2]`, then Taylor's polynomial of degree 6, whose
/// remainder there is below 1.3e-7.
#[inline(always)]
pub fn exp<S: Simd>(s: S, x: S::V) -> S::V {
    let c = |v: f32| s.splat(v);
    let (n, r) = halvings(s, x);
    let mut p = c(1.0 / 720.0);
    for k in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = s.mul_add(p, r, c(k));
    }
    s.mul(p, s.exp2_whole(n))
}

/// `e^x - 1` of each lane, also for `x` so small that it is lost beside 1; infinite beyond 88. NaN stays NaN.
///
/// Taylor's polynomial of degree 7, its 1 left out, and `2^n (p + 1) - 1 = 2^n p + (2^n - 1)`.
#[inline(always)]
pub fn exp_minus_1<S: Simd>(s: S, x: S::V) -> S::V {
    let c = |v: f32| s.splat(v);
    let (n, r) = halvings(s, x);
    let mut p = c(1.0 / 5040.0);
    for k in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0] {
        p = s.mul_add(p, r, c(k));
    }
    let power = s.exp2_whole(n);
    let y = s.mul_add(s.mul(p, r), power, s.sub(power, c(1.0)));
    s.select(s.gt(x, c(88.0)), c(f32::INFINITY), y)
}

/// A whole `n` and a small `r` with `x = n ln 2 + r`, for `x` from -87 to 88; beyond, the ends'.
#[inline(always)]
fn halvings<S: Simd>(s: S, x: S::V) -> (S::V, S::V) {
    let c = |v: f32| s.splat(v);
    // `min` and `max` give their second argument where one is not a number, so that NaN spreads.
    let x = s.max(c(-87.0), s.min(c(88.0), x));
    // Adding and taking away 1.5 * 2^23 rounds to the nearest whole number.
    let magic = c(12_582_912.0);
    let n = s.sub(s.mul_add(x, c(std::f32::consts::LOG2_E), magic), magic);
    let r = s.mul_add(n, c(-0.693_359_4), x);
    (n, s.mul_add(n, c(2.121_944_4e-4), r))
}
