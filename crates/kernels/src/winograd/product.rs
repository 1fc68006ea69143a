//! The matrix product between the transforms: numbers of one matrix, each spread over a vector, times rows of vectors
//! of the other. A tile of sums stays in registers while the depth goes by.

use crate::simd::Simd;

/// `c[i][v] = sum over k of a[i][k] * b[k][v]`, or added to what stands there.
#[derive(Clone, Copy)]
pub struct Product {
    /// The first number of `a`.
    pub a: *const f32,
    /// Numbers from one to the next of a row.
    pub a_depth: usize,
    /// Numbers from one row to the next.
    pub a_row: usize,
    /// The first vector of `b`.
    pub b: *const f32,
    /// Numbers from one row of `b` to the next.
    pub b_depth: usize,
    /// The first vector of `c`.
    pub c: *mut f32,
    /// Numbers from one row of `c` to the next.
    pub c_row: usize,
    /// Rows of `a` and `c`.
    pub rows: usize,
    /// Vectors in a row of `b` and `c`.
    pub vectors: usize,
    /// Products in a sum.
    pub depth: usize,
    /// The sums are added to what stands there.
    pub accumulate: bool,
    /// What follows `b` is the next product's and comes from afar: it is asked for meanwhile.
    pub ahead: bool,
}

/// Where the next product's rows are asked for, and how many numbers for each row of this one.
struct Ahead {
    next: *const f32,
    step: usize,
}

impl Ahead {
    fn of(product: &Product) -> Self {
        // A dozen rows share a pass over `b`.
        let step = product.b_depth.div_ceil((product.rows / 12).max(1));
        Self { next: product.b.wrapping_add(product.depth * product.b_depth), step }
    }
}

impl Product {
    /// Computes it. Sums of one element go by `k`, in order.
    ///
    /// # Safety
    /// Every number that the strides lead to may be read, every sum written.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(self, s: S) {
        let mut v = 0;
        let mut ahead = Ahead::of(&self);
        while v < self.vectors {
            // SAFETY: the vectors and rows taken lie inside those of `self`.
            unsafe {
                v += match (self.vectors - v, S::REGISTERS < 32) {
                    (1, true) => self.columns::<S, 6, 1>(s, v, &mut ahead),
                    (_, true) => self.columns::<S, 6, 2>(s, v, &mut ahead),
                    (1, _) => self.columns::<S, 12, 1>(s, v, &mut ahead),
                    (2, _) => self.columns::<S, 12, 2>(s, v, &mut ahead),
                    (3 | 5, _) => self.columns::<S, 8, 3>(s, v, &mut ahead),
                    (6 | 12, _) => self.columns::<S, 4, 6>(s, v, &mut ahead),
                    _ => self.columns::<S, 6, 4>(s, v, &mut ahead),
                }
            }
        }
    }

    /// All rows of `NV` vectors from `v` on; gives `NV`.
    #[inline(always)]
    unsafe fn columns<S: Simd, const MR: usize, const NV: usize>(
        self,
        s: S,
        v: usize,
        ahead: &mut Ahead,
    ) -> usize {
        let mut row = 0;
        // SAFETY: as the caller.
        unsafe {
            while row + MR <= self.rows {
                self.tile::<S, MR, NV>(s, row, v, ahead);
                row += MR;
            }
            while row + 4 <= self.rows {
                self.tile::<S, 4, NV>(s, row, v, ahead);
                row += 4;
            }
            while row < self.rows {
                self.tile::<S, 1, NV>(s, row, v, ahead);
                row += 1;
            }
        }
        NV
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const MR: usize, const NV: usize>(
        self,
        s: S,
        row: usize,
        v: usize,
        ahead: &mut Ahead,
    ) {
        let mut acc = [[s.splat(0.0); NV]; MR];
        // SAFETY: as the caller.
        unsafe {
            let c = self.c.add(row * self.c_row + v * S::LANES);
            if self.accumulate {
                for i in 0..MR {
                    for n in 0..NV {
                        acc[i][n] = s.load(c.add(i * self.c_row + n * S::LANES));
                    }
                }
            }
            let mut a = self.a.add(row * self.a_row);
            let mut b = self.b.add(v * S::LANES);
            for _ in 0..self.depth {
                if self.ahead {
                    s.prefetch(ahead.next);
                    ahead.next = ahead.next.wrapping_add(ahead.step);
                }
                let mut row = [s.splat(0.0); NV];
                for n in 0..NV {
                    row[n] = s.load(b.add(n * S::LANES));
                }
                for i in 0..MR {
                    let x = s.splat(*a.add(i * self.a_row));
                    for n in 0..NV {
                        acc[i][n] = s.mul_add(x, row[n], acc[i][n]);
                    }
                }
                a = a.wrapping_add(self.a_depth);
                b = b.wrapping_add(self.b_depth);
            }
            for i in 0..MR {
                for n in 0..NV {
                    s.store(c.add(i * self.c_row + n * S::LANES), acc[i][n]);
                }
            }
        }
    }
}
