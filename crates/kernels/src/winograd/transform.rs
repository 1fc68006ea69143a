//! The transforms, a vector of tiles, of channels or of filters at a time.

use crate::simd::Simd;

/// `Bt d` for a column (row) of four: what the inputs become along one axis.
#[inline(always)]
fn input<S: Simd>(s: S, d: [S::V; 4]) -> [S::V; 4] {
    [s.sub(d[0], d[2]), s.add(d[1], d[2]), s.sub(d[2], d[1]), s.sub(d[1], d[3])]
}

/// `At m`: two outputs from four transformed numbers.
#[inline(always)]
fn output<S: Simd>(s: S, m: [S::V; 4]) -> [S::V; 2] {
    [s.add(s.add(m[0], m[1]), m[2]), s.sub(s.sub(m[1], m[2]), m[3])]
}

/// `A y`: the transpose of [`output`].
#[inline(always)]
fn spread<S: Simd>(s: S, y: [S::V; 2]) -> [S::V; 4] {
    [y[0], s.add(y[0], y[1]), s.sub(y[0], y[1]), s.sub(s.splat(0.0), y[1])]
}

/// `G g`: four transformed numbers from three of a filter.
#[inline(always)]
fn filter<S: Simd>(s: S, g: [S::V; 3]) -> [S::V; 4] {
    let half = s.splat(0.5);
    let ends = s.mul(half, s.add(g[0], g[2]));
    let middle = s.mul(half, g[1]);
    [g[0], s.add(ends, middle), s.sub(ends, middle), g[2]]
}

/// `Gt u`: the transpose of [`filter`].
#[inline(always)]
fn gather<S: Simd>(s: S, u: [S::V; 4]) -> [S::V; 3] {
    let half = s.splat(0.5);
    let sum = s.mul(half, s.add(u[1], u[2]));
    [s.add(u[0], sum), s.mul(half, s.sub(u[1], u[2])), s.add(sum, u[3])]
}

/// `Bt x B`: reads the vectors at `x + i * row + j * col`, writes cell `k` to `to + k * step`.
///
/// # Safety
/// All sixteen vectors may be read and written.
#[inline(always)]
pub unsafe fn inputs<S: Simd>(s: S, x: *const f32, [row, col]: [usize; 2], to: *mut f32, step: usize) {
    let mut d = [[s.splat(0.0); 4]; 4];
    // SAFETY: the caller's.
    unsafe {
        for j in 0..4 {
            let x = x.add(j * col);
            d[j] = input(s, [s.load(x), s.load(x.add(row)), s.load(x.add(2 * row)), s.load(x.add(3 * row))]);
        }
        for i in 0..4 {
            let v = input(s, [d[0][i], d[1][i], d[2][i], d[3][i]]);
            for j in 0..4 {
                s.store(to.add((4 * i + j) * step), v[j]);
            }
        }
    }
}

/// `At m A`: reads cell `k` at `m + k * step`; gives the tile's two rows of two.
///
/// # Safety
/// All sixteen vectors may be read.
#[inline(always)]
pub unsafe fn outputs<S: Simd>(s: S, m: *const f32, step: usize) -> [[S::V; 2]; 2] {
    let mut columns = [[s.splat(0.0); 2]; 4];
    for j in 0..4 {
        // SAFETY: the caller's.
        let at = |i: usize| unsafe { s.load(m.add((4 * i + j) * step)) };
        columns[j] = output(s, [at(0), at(1), at(2), at(3)]);
    }
    [0, 1].map(|i| output(s, [columns[0][i], columns[1][i], columns[2][i], columns[3][i]]))
}

/// `A dy At`: writes cell `k` of the gradient of a tile, two rows of two, to `to + k * step`.
///
/// # Safety
/// All sixteen vectors may be written.
#[inline(always)]
pub unsafe fn gradients<S: Simd>(s: S, dy: [[S::V; 2]; 2], to: *mut f32, step: usize) {
    let left = spread(s, [dy[0][0], dy[1][0]]);
    let right = spread(s, [dy[0][1], dy[1][1]]);
    for i in 0..4 {
        let v = spread(s, [left[i], right[i]]);
        for j in 0..4 {
            // SAFETY: the caller's.
            unsafe { s.store(to.add((4 * i + j) * step), v[j]) };
        }
    }
}

/// `G g Gt` of `count` filters whose taps stand `count` numbers apart (a filter `[3, 3, c, o]`), to cells `step`
/// numbers apart.
///
/// # Safety
/// `filter` has `9 * count` numbers, `to` has `15 * step + count`.
#[inline(always)]
pub unsafe fn filters<S: Simd>(s: S, g: *const f32, count: usize, to: *mut f32, step: usize) {
    let mut at = 0;
    while at < count {
        let n = (count - at).min(S::LANES);
        let mut rows = [[s.splat(0.0); 4]; 3];
        // SAFETY: the caller's; the last vector is cut.
        unsafe {
            let load = |tap: usize| {
                let p = g.add(tap * count + at);
                if n == S::LANES { s.load(p) } else { s.load_first(p, n) }
            };
            for j in 0..3 {
                rows[j] = filter(s, [load(j), load(3 + j), load(6 + j)]);
            }
            for i in 0..4 {
                let u = filter(s, [rows[0][i], rows[1][i], rows[2][i]]);
                for j in 0..4 {
                    let p = to.add((4 * i + j) * step + at);
                    if n == S::LANES { s.store(p, u[j]) } else { s.store_first(p, u[j], n) }
                }
            }
        }
        at += n;
    }
}

/// Adds `Gt u G` of `count` filters, whose cells stand `step` numbers apart, to taps `tap` numbers apart.
///
/// # Safety
/// `u` has `15 * step + count` numbers, `g` has `8 * tap + count`.
#[inline(always)]
pub unsafe fn add_filters<S: Simd>(s: S, u: *const f32, step: usize, count: usize, g: *mut f32, tap: usize) {
    let mut at = 0;
    while at < count {
        let n = (count - at).min(S::LANES);
        let mut columns = [[s.splat(0.0); 3]; 4];
        // SAFETY: the caller's; the last vector is cut.
        unsafe {
            let load = |p: *const f32| if n == S::LANES { s.load(p) } else { s.load_first(p, n) };
            for j in 0..4 {
                let cell = |i: usize| load(u.add((4 * i + j) * step + at));
                columns[j] = gather(s, [cell(0), cell(1), cell(2), cell(3)]);
            }
            for i in 0..3 {
                let d = gather(s, [columns[0][i], columns[1][i], columns[2][i], columns[3][i]]);
                for j in 0..3 {
                    let p = g.add((3 * i + j) * tap + at);
                    let sum = s.add(load(p), d[j]);
                    if n == S::LANES { s.store(p, sum) } else { s.store_first(p, sum, n) }
                }
            }
        }
        at += n;
    }
}
