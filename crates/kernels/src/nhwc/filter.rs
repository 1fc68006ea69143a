//! The filter gradient: rows of (tap, channel) by vectors of filters, summed over positions.

use super::conv::{forward, product};
use super::gather::Output;
use super::walk::{PADDING, Walk};
use crate::dispatch::Isa;
use crate::geometry::Conv2dGeometry;
use crate::simd::{Kernel, Simd};
use rayon::prelude::*;
use std::ops::Range;

/// Positions that are summed in registers before the gradient is touched.
const CHUNK: usize = 128;
/// Rows of a tile.
const ROWS: usize = 12;

/// The gradient of the filter: `d_filter` `[kh, kw, c / groups, o]` is overwritten.
///
/// The positions are summed in order within parts whose number depends on the shapes alone, and the parts
/// are added in order.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn conv2d_backward_filter(isa: Isa, g: &Conv2dGeometry, x: &[f32], dy: &[f32], d_filter: &mut [f32]) {
    assert_eq!(x.len(), product(g.input_shape()));
    assert_eq!(dy.len(), product(g.output_shape()));
    assert_eq!(d_filter.len(), product(g.filter_shape()));
    d_filter.fill(0.0);
    let mut walk = forward(g);
    let x = walk.merge(x);
    let zeros = vec![0f32; walk.from.channels.max(walk.stretch())];
    let positions = walk.positions();
    let job = Job { walk: &walk, x: &x, zeros: &zeros, dy, filters: g.out_channels };
    // A small filter is split by positions, a large one by its own taps and filters.
    if d_filter.len() > 1 << 16 {
        let blocks = walk.make.div_ceil(2 * isa.lanes());
        let slices = (16usize.div_ceil(blocks * g.groups)).min(walk.taps.len());
        let out = Output(d_filter.as_mut_ptr());
        (0..g.groups * blocks * slices).into_par_iter().for_each(|i| {
            let (column, slice) = (i / slices, i % slices);
            let taps = walk.taps.len() * slice / slices..walk.taps.len() * (slice + 1) / slices;
            isa.run(Part { job: &job, out, positions: 0..positions, columns: column..column + 1, taps });
        });
        return;
    }
    let parts = (positions / 512).clamp(1, 8);
    let columns = 0..g.groups * walk.make.div_ceil(2 * isa.lanes());
    let whole = |out: &mut [f32], positions: Range<usize>| {
        let out = Output(out.as_mut_ptr());
        isa.run(Part { job: &job, out, positions, columns: columns.clone(), taps: 0..walk.taps.len() });
    };
    if parts == 1 {
        return whole(d_filter, 0..positions);
    }
    let mut sums = vec![0f32; parts * d_filter.len()];
    sums.par_chunks_mut(d_filter.len()).enumerate().for_each(|(i, out)| {
        whole(out, positions * i / parts..positions * (i + 1) / parts);
    });
    for part in sums.chunks_exact(d_filter.len()) {
        for (d, s) in d_filter.iter_mut().zip(part) {
            *d += s;
        }
    }
}

struct Job<'a> {
    walk: &'a Walk,
    x: &'a [f32],
    zeros: &'a [f32],
    dy: &'a [f32],
    filters: usize,
}

/// Some taps by some columns (pairs of vectors of filters, counted through the groups) over some positions,
/// added to `out`.
struct Part<'a> {
    job: &'a Job<'a>,
    out: Output,
    positions: Range<usize>,
    columns: Range<usize>,
    taps: Range<usize>,
}

impl Kernel for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Job { walk, x, zeros, .. } = *self.job;
        let width = 2 * S::LANES;
        let blocks = walk.make.div_ceil(width);
        let mut places = vec![0; walk.taps.len() * CHUNK];
        let mut to = vec![0; CHUNK];
        let mut from = vec![zeros.as_ptr(); walk.taps.len() * CHUNK];
        let mut dy = vec![0f32; CHUNK * width];
        let mut first = self.positions.start;
        while first < self.positions.end {
            let n = CHUNK.min(self.positions.end - first);
            walk.places(first, n, &mut places, &mut to);
            for (from, &place) in from.iter_mut().zip(&places[..walk.taps.len() * n]) {
                *from = if place == PADDING { zeros.as_ptr() } else { x[place as usize..].as_ptr() };
            }
            for column in self.columns.clone() {
                let (group, u) = (column / blocks, column % blocks * width);
                let count = width.min(walk.make - u);
                let at = group * walk.make + u;
                self.pack::<S>(s, first, n, at, count, &mut dy);
                let tile = Tile { part: &self, from: &from, dy: &dy, n, group, at, count };
                // SAFETY: the pointers reach `stretch` numbers each, `dy` holds `n` rows of two vectors, and rows
                // and filters stay inside the gradient.
                unsafe {
                    if count > S::LANES { tile.rows::<S, 2>(s) } else { tile.rows::<S, 1>(s) }
                }
            }
            first += n;
        }
    }
}

impl Part<'_> {
    /// Copies `count` filters of `dy` for `n` positions side by side, in whole vectors.
    #[inline(always)]
    fn pack<S: Simd>(&self, s: S, first: usize, n: usize, at: usize, count: usize, dy: &mut [f32]) {
        let width = if count > S::LANES { 2 * S::LANES } else { S::LANES };
        let all = self.job.filters;
        let from = &self.job.dy[first * all + at..(first + n - 1) * all + at + count];
        for (p, to) in dy.chunks_exact_mut(width).enumerate().take(n) {
            let from = &from[p * all..][..count];
            // SAFETY: both slices have `count` numbers, and the vectors that are partial are masked.
            unsafe {
                let a = s.load_first(from.as_ptr(), count.min(S::LANES));
                s.store(to.as_mut_ptr(), a);
                if count > S::LANES {
                    let b = s.load_first(from.as_ptr().add(S::LANES), count - S::LANES);
                    s.store(to.as_mut_ptr().add(S::LANES), b);
                }
            }
        }
    }
}

/// A chunk of positions by one column.
struct Tile<'a> {
    part: &'a Part<'a>,
    /// For each tap, where each position reads.
    from: &'a [*const f32],
    /// For each position, the column's vectors.
    dy: &'a [f32],
    n: usize,
    group: usize,
    /// The column's first filter, and how many it has.
    at: usize,
    count: usize,
}

impl Tile<'_> {
    /// All rows of the part's taps: a few taps at once where each has few rows, else each in even pieces.
    #[inline(always)]
    unsafe fn rows<S: Simd, const NV: usize>(&self, s: S) {
        let walk = self.part.job.walk;
        let stretch = walk.stretch();
        let mut t = self.part.taps.start;
        // SAFETY: as the caller.
        unsafe {
            while t < self.part.taps.end {
                let left = self.part.taps.end - t;
                t += match (stretch, left) {
                    (1, 4..) => self.tile::<S, 4, 1, NV>(s, t, 0),
                    (2, 3..) => self.tile::<S, 3, 2, NV>(s, t, 0),
                    (3, 3..) => self.tile::<S, 3, 3, NV>(s, t, 0),
                    (4, 3..) => self.tile::<S, 3, 4, NV>(s, t, 0),
                    (5, 2..) => self.tile::<S, 2, 5, NV>(s, t, 0),
                    (6, 2..) => self.tile::<S, 2, 6, NV>(s, t, 0),
                    _ => self.tap::<S, NV>(s, t),
                };
            }
        }
    }

    /// One tap's rows in even pieces.
    #[inline(always)]
    unsafe fn tap<S: Simd, const NV: usize>(&self, s: S, t: usize) -> usize {
        let stretch = self.part.job.walk.stretch();
        let most = if S::REGISTERS >= 32 || NV == 1 { ROWS } else { ROWS / 2 };
        let pieces = stretch.div_ceil(most);
        for piece in 0..pieces {
            let first = stretch * piece / pieces;
            // SAFETY: as the caller.
            unsafe {
                match stretch * (piece + 1) / pieces - first {
                    1 => self.tile::<S, 1, 1, NV>(s, t, first),
                    2 => self.tile::<S, 1, 2, NV>(s, t, first),
                    3 => self.tile::<S, 1, 3, NV>(s, t, first),
                    4 => self.tile::<S, 1, 4, NV>(s, t, first),
                    5 => self.tile::<S, 1, 5, NV>(s, t, first),
                    6 => self.tile::<S, 1, 6, NV>(s, t, first),
                    7 => self.tile::<S, 1, 7, NV>(s, t, first),
                    8 => self.tile::<S, 1, 8, NV>(s, t, first),
                    9 => self.tile::<S, 1, 9, NV>(s, t, first),
                    10 => self.tile::<S, 1, 10, NV>(s, t, first),
                    11 => self.tile::<S, 1, 11, NV>(s, t, first),
                    _ => self.tile::<S, 1, 12, NV>(s, t, first),
                };
            }
        }
        1
    }

    /// `T` taps' rows `first..first + R` by `NV` vectors of filters.
    #[inline(always)]
    unsafe fn tile<S: Simd, const T: usize, const R: usize, const NV: usize>(
        &self,
        s: S,
        tap: usize,
        first: usize,
    ) -> usize {
        let Job { walk, filters, .. } = *self.part.job;
        let mut acc = [[[s.splat(0.0); NV]; R]; T];
        // SAFETY: as the caller.
        unsafe {
            let skip = self.group * walk.sum + first;
            let from = self.from.as_ptr().add(tap * self.n);
            let mut dy = self.dy.as_ptr();
            for p in 0..self.n {
                let mut d = [s.splat(0.0); NV];
                for v in 0..NV {
                    d[v] = s.load(dy.add(v * S::LANES));
                }
                for t in 0..T {
                    let x = (*from.add(t * self.n + p)).add(skip);
                    for r in 0..R {
                        let k = s.splat(*x.add(r));
                        for v in 0..NV {
                            acc[t][r][v] = s.mul_add(k, d[v], acc[t][r][v]);
                        }
                    }
                }
                dy = dy.add(NV * S::LANES);
            }
            let out = self.part.out.0.add((tap * walk.stretch() + first) * filters + self.at);
            let last = self.count - (NV - 1) * S::LANES;
            for t in 0..T {
                for r in 0..R {
                    let out = out.add((t * walk.stretch() + r) * filters);
                    for v in 0..NV - 1 {
                        let at = out.add(v * S::LANES);
                        s.store(at, s.add(acc[t][r][v], s.load(at)));
                    }
                    let at = out.add((NV - 1) * S::LANES);
                    s.store_first(at, s.add(acc[t][r][NV - 1], s.load_first(at, last)), last);
                }
            }
        }
        T
    }
}
