//! The filter gradient: rows of (tap, channel) by vectors of filters, summed over positions.

use super::conv::product;
use crate::dispatch::Isa;
use crate::geometry::Conv2dGeometry;
use crate::simd::{Kernel, Simd};
use rayon::prelude::*;

/// Positions whose places are looked up together.
const CHUNK: usize = 128;

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
    let positions = g.batch * g.h.output * g.w.output;
    // A small filter is split by positions, a large one by its own rows.
    let parts = if d_filter.len() <= 1 << 16 { (positions / 512).clamp(1, 8) } else { 1 };
    let rows = d_filter.len() / g.out_channels;
    let slices = if parts == 1 { rows.div_ceil(24).clamp(1, 64) } else { 1 };
    let rows_each = rows.div_ceil(slices);
    if parts == 1 {
        d_filter.par_chunks_mut(rows_each * g.out_channels).enumerate().for_each(|(i, out)| {
            out.fill(0.0);
            isa.run(Part { g, x, dy, positions: 0..positions, first_row: i * rows_each, out });
        });
        return;
    }
    let mut sums = vec![0f32; parts * d_filter.len()];
    sums.par_chunks_mut(d_filter.len()).enumerate().for_each(|(i, out)| {
        let positions = positions * i / parts..positions * (i + 1) / parts;
        isa.run(Part { g, x, dy, positions, first_row: 0, out });
    });
    d_filter.fill(0.0);
    for part in sums.chunks_exact(d_filter.len()) {
        for (d, s) in d_filter.iter_mut().zip(part) {
            *d += s;
        }
    }
}

/// Some rows of the gradient over some positions, added to `out`.
struct Part<'a> {
    g: &'a Conv2dGeometry,
    x: &'a [f32],
    dy: &'a [f32],
    positions: std::ops::Range<usize>,
    first_row: usize,
    out: &'a mut [f32],
}

impl Kernel for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let g = self.g;
        let (sum, make) = (g.in_channels / g.groups, g.out_channels / g.groups);
        let rows = self.out.len() / g.out_channels;
        let taps = self.first_row / sum..(self.first_row + rows).div_ceil(sum);
        // Places of the input for each (position, tap); padding points at a row of zeros after the end.
        let zeros = vec![0f32; g.in_channels];
        let mut from = vec![std::ptr::null::<f32>(); CHUNK * taps.len()];
        let mut first = self.positions.start;
        while first < self.positions.end {
            let n = CHUNK.min(self.positions.end - first);
            for (p, from) in from.chunks_exact_mut(taps.len()).enumerate().take(n) {
                self.places(first + p, taps.clone(), &zeros, from);
            }
            for group in 0..g.groups {
                let mut u = 0;
                while u < make {
                    let wide = make - u > S::LANES;
                    let mut r = 0;
                    while r < rows {
                        // Rows of one tap stand side by side in the input.
                        let (tap, c) = ((self.first_row + r) / sum, (self.first_row + r) % sum);
                        let side = (sum - c).min(rows - r);
                        let base = tap - taps.start;
                        // SAFETY: rows, filters and positions stay inside the slices; `places` the rest.
                        unsafe {
                            r += match (side, wide) {
                                (12.., true) if S::REGISTERS >= 32 => self.tile::<S, 12, 2>(
                                    s,
                                    &from,
                                    taps.len(),
                                    base,
                                    group,
                                    c,
                                    r,
                                    u,
                                    first,
                                    n,
                                ),
                                (12.., false) => self.tile::<S, 12, 1>(
                                    s,
                                    &from,
                                    taps.len(),
                                    base,
                                    group,
                                    c,
                                    r,
                                    u,
                                    first,
                                    n,
                                ),
                                (6.., true) => {
                                    self.tile::<S, 6, 2>(s, &from, taps.len(), base, group, c, r, u, first, n)
                                }
                                (4.., true) => {
                                    self.tile::<S, 4, 2>(s, &from, taps.len(), base, group, c, r, u, first, n)
                                }
                                (4.., false) => {
                                    self.tile::<S, 4, 1>(s, &from, taps.len(), base, group, c, r, u, first, n)
                                }
                                _ => self.scattered::<S>(s, &from, taps.clone(), group, r, rows, u, first, n),
                            }
                        }
                    }
                    u += if wide { 2 * S::LANES } else { S::LANES };
                }
            }
            first += n;
        }
    }
}

impl Part<'_> {
    fn places(&self, position: usize, taps: std::ops::Range<usize>, zeros: &[f32], from: &mut [*const f32]) {
        let g = self.g;
        let cells = g.h.output * g.w.output;
        let (image, row, col) = (position / cells, position % cells / g.w.output, position % g.w.output);
        for (from, tap) in from.iter_mut().zip(taps) {
            let h = g.h.source(row, tap / g.w.kernel);
            let w = g.w.source(col, tap % g.w.kernel);
            *from = match (h, w) {
                (Some(h), Some(w)) => {
                    let at = ((image * g.h.input + h) * g.w.input + w) * g.in_channels;
                    self.x[at..at + g.in_channels].as_ptr()
                }
                _ => zeros.as_ptr(),
            };
        }
    }

    /// `R` channels of one tap by `NV` vectors of filters.
    #[allow(clippy::too_many_arguments)]
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const NV: usize>(
        &mut self,
        s: S,
        from: &[*const f32],
        taps: usize,
        tap: usize,
        group: usize,
        c: usize,
        r: usize,
        u: usize,
        first: usize,
        n: usize,
    ) -> usize {
        let g = self.g;
        let (sum, make) = (g.in_channels / g.groups, g.out_channels / g.groups);
        let width = [0, 1].map(|v| (make - u).saturating_sub(v * S::LANES).min(S::LANES));
        let column = group * make + u;
        let mut acc = [[s.splat(0.0); NV]; R];
        // SAFETY: as the caller; partial vectors touch only the filters that exist.
        unsafe {
            let mut dy = self.dy.as_ptr().add(first * g.out_channels + column);
            for p in 0..n {
                let x = (*from.get_unchecked(p * taps + tap)).add(group * sum + c);
                let mut d = [s.splat(0.0); NV];
                for v in 0..NV {
                    let at = dy.add(v * S::LANES);
                    d[v] = if width[v] == S::LANES { s.load(at) } else { s.load_first(at, width[v]) };
                }
                for i in 0..R {
                    let k = s.splat(*x.add(i));
                    for v in 0..NV {
                        acc[i][v] = s.mul_add(k, d[v], acc[i][v]);
                    }
                }
                dy = dy.add(g.out_channels);
            }
            for i in 0..R {
                for v in 0..NV {
                    let p = self.out.as_mut_ptr().add((r + i) * g.out_channels + column + v * S::LANES);
                    s.store_first(p, s.add(acc[i][v], s.load_first(p, width[v])), width[v]);
                }
            }
        }
        R
    }

    /// Up to four rows that need not belong to one tap, by two vectors of filters: for few channels.
    #[allow(clippy::too_many_arguments)]
    #[inline(always)]
    unsafe fn scattered<S: Simd>(
        &mut self,
        s: S,
        from: &[*const f32],
        taps: std::ops::Range<usize>,
        group: usize,
        r: usize,
        rows: usize,
        u: usize,
        first: usize,
        n: usize,
    ) -> usize {
        const R: usize = 4;
        let g = self.g;
        let (sum, make) = (g.in_channels / g.groups, g.out_channels / g.groups);
        let width = [0, 1].map(|v| (make - u).saturating_sub(v * S::LANES).min(S::LANES));
        let column = group * make + u;
        let count = R.min(rows - r);
        // Rows past the end repeat the last one and are not stored.
        let mut place = [(0, 0); R];
        for (i, place) in place.iter_mut().enumerate() {
            let row = self.first_row + r + i.min(count - 1);
            *place = (row / sum - taps.start, group * sum + row % sum);
        }
        let mut acc = [[s.splat(0.0); 2]; R];
        // SAFETY: as the caller; partial vectors touch only the filters that exist.
        unsafe {
            let mut dy = self.dy.as_ptr().add(first * g.out_channels + column);
            for p in 0..n {
                let a = s.load_first(dy, width[0]);
                let b = if width[1] > 0 { s.load_first(dy.add(S::LANES), width[1]) } else { s.splat(0.0) };
                for i in 0..R {
                    let x = *from.get_unchecked(p * taps.len() + place[i].0);
                    let k = s.splat(*x.add(place[i].1));
                    acc[i][0] = s.mul_add(k, a, acc[i][0]);
                    acc[i][1] = s.mul_add(k, b, acc[i][1]);
                }
                dy = dy.add(g.out_channels);
            }
            for (i, acc) in acc.iter().enumerate().take(count) {
                for v in 0..2 {
                    if width[v] > 0 {
                        let p = self.out.as_mut_ptr().add((r + i) * g.out_channels + column + v * S::LANES);
                        s.store_first(p, s.add(acc[v], s.load_first(p, width[v])), width[v]);
                    }
                }
            }
        }
        count
    }
}
