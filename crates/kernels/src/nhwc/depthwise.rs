//! Depthwise convolution, one filter for each channel: a vector holds neighbouring channels of one position.

use super::finish::Finish;
use super::gather::{Output, Table};
use super::walk::{PADDING, Walk};
use crate::dispatch::Isa;
use crate::geometry::Conv2dGeometry;
use crate::simd::{Kernel, Simd};
use rayon::prelude::*;
use std::ops::Range;

/// Positions that share one table of places.
const CHUNK: usize = 128;

/// Whether each channel has exactly one filter of its own.
pub(super) fn fits(g: &Conv2dGeometry) -> bool {
    g.groups > 1 && g.groups == g.in_channels && g.groups == g.out_channels
}

/// Runs the walk, forward or backward, over all positions: `filter` is `[tap][channel]`.
pub(super) fn gather(isa: Isa, walk: &Walk, x: &[f32], filter: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    let positions = walk.positions();
    let zeros = vec![0f32; walk.from.channels];
    let bias = bias.unwrap_or(&zeros);
    let output = Output(y.as_mut_ptr());
    let (plus, finish) = (None, Finish::NONE);
    let task = |i: usize| {
        let n = CHUNK.min(positions - i * CHUNK);
        let table = Table::new(walk, i * CHUNK, n);
        let (zeros, table) = (&zeros, &table);
        isa.run(Gather { walk, x, filter, bias, zeros, table, at: 0..n, output, plus, finish });
    };
    (0..positions.div_ceil(CHUNK)).into_par_iter().for_each(task);
}

/// Some positions of a table.
pub(super) struct Gather<'a> {
    pub walk: &'a Walk,
    pub x: &'a [f32],
    pub filter: &'a [f32],
    pub bias: &'a [f32],
    pub zeros: &'a [f32],
    pub table: &'a Table,
    pub at: Range<usize>,
    pub output: Output,
    /// What is added to the sums, where they are stored.
    pub plus: Option<&'a [f32]>,
    pub finish: Finish,
}

impl Kernel for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let channels = self.walk.from.channels;
        let mut p = self.at.start;
        while p < self.at.end {
            let wide = match self.at.end - p {
                8.. => 8,
                4.. => 4,
                _ => 1,
            };
            let mut c = 0;
            while c < channels {
                let left = (channels - c).min(S::LANES);
                // SAFETY: the table holds every place inside the arrays, whose positions have `channels` numbers;
                // the last vector is masked.
                unsafe {
                    match (wide, left == S::LANES, self.table.inside) {
                        (8, true, true) => self.tile::<S, 8, true, true>(s, p, c, left),
                        (8, false, true) => self.tile::<S, 8, false, true>(s, p, c, left),
                        (8, _, false) => self.tile::<S, 8, false, false>(s, p, c, left),
                        (4, _, true) => self.tile::<S, 4, false, true>(s, p, c, left),
                        (4, _, false) => self.tile::<S, 4, false, false>(s, p, c, left),
                        (_, _, true) => self.tile::<S, 1, false, true>(s, p, c, left),
                        (_, _, false) => self.tile::<S, 1, false, false>(s, p, c, left),
                    }
                }
                c += left;
            }
            p += wide;
        }
    }
}

impl Gather<'_> {
    /// `P` positions by `left` channels from `c` on, a whole vector if `FULL`.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const FULL: bool, const INSIDE: bool>(
        &self,
        s: S,
        p: usize,
        c: usize,
        left: usize,
    ) {
        let (channels, table, n) = (self.walk.from.channels, self.table, self.table.to.len());
        // SAFETY: as the caller.
        unsafe {
            let load = |p: *const f32| if FULL { s.load(p) } else { s.load_first(p, left) };
            let mut acc = [load(self.bias.as_ptr().add(c)); P];
            let mut rows = [self.x.as_ptr(); P];
            if INSIDE {
                for i in 0..P {
                    rows[i] = rows[i].add(*table.from.get_unchecked(p + i) as usize + c);
                }
            }
            for (t, tap) in self.walk.taps.iter().enumerate() {
                let w = load(self.filter.as_ptr().add(tap.filter * channels + c));
                let offset = if INSIDE { *table.offsets.get_unchecked(t) } else { c };
                for i in 0..P {
                    let x = if INSIDE {
                        rows[i]
                    } else {
                        match *table.from.get_unchecked(t * n + p + i) {
                            PADDING => self.zeros.as_ptr(),
                            from => self.x.as_ptr().add(from as usize),
                        }
                    };
                    acc[i] = s.mul_add(load(x.add(offset)), w, acc[i]);
                }
            }
            for i in 0..P {
                let to = *table.to.get_unchecked(p + i) + c;
                let y = self.output.first().add(to);
                if let Some(plus) = self.plus {
                    acc[i] = s.add(acc[i], load(plus.as_ptr().add(to)));
                }
                let sum = self.finish.clamp(s, acc[i]);
                if FULL { s.store(y, sum) } else { s.store_first(y, sum, left) }
            }
        }
    }
}

/// The gradient of the filter, `[tap][channel]`, which is zero before.
///
/// Positions are summed in order within parts whose number depends on the shapes alone, and the parts in order.
pub(super) fn filter(isa: Isa, walk: &Walk, x: &[f32], dy: &[f32], d_filter: &mut [f32]) {
    let positions = walk.positions();
    let zeros = vec![0f32; walk.from.channels];
    let parts = (positions / 512).clamp(1, 8);
    let mut sums = vec![0f32; parts * d_filter.len()];
    sums.par_chunks_mut(d_filter.len()).enumerate().for_each(|(i, out)| {
        let positions = positions * i / parts..positions * (i + 1) / parts;
        isa.train(Filter { walk, x, dy, zeros: &zeros, positions, out });
    });
    for part in sums.chunks_exact(d_filter.len()) {
        for (d, s) in d_filter.iter_mut().zip(part) {
            *d += s;
        }
    }
}

/// Adds the gradient of the filter, all positions in order.
pub(super) fn add_filter(isa: Isa, walk: &Walk, zeros: &[f32], x: &[f32], dy: &[f32], out: &mut [f32]) {
    isa.train(Filter { walk, x, dy, zeros, positions: 0..walk.positions(), out });
}

struct Filter<'a> {
    walk: &'a Walk,
    x: &'a [f32],
    dy: &'a [f32],
    zeros: &'a [f32],
    positions: Range<usize>,
    out: &'a mut [f32],
}

impl Kernel for Filter<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let (channels, taps) = (self.walk.from.channels, self.walk.taps.len());
        let mut from = vec![0; taps * CHUNK];
        let mut first = self.positions.start;
        while first < self.positions.end {
            let n = CHUNK.min(self.positions.end - first);
            self.walk.places(first, n, &mut from);
            for c in (0..channels).step_by(S::LANES) {
                let mut t = 0;
                while t < taps {
                    // SAFETY: as in `Gather`; `out` has a row of `channels` for each tap.
                    unsafe {
                        t += match taps - t {
                            9.. => self.tile::<S, 9>(s, &from, first, n, t, c),
                            3.. => self.tile::<S, 3>(s, &from, first, n, t, c),
                            _ => self.tile::<S, 1>(s, &from, first, n, t, c),
                        };
                    }
                }
            }
            first += n;
        }
    }
}

impl Filter<'_> {
    /// `T` taps by one vector of channels over `n` positions.
    #[inline(always)]
    unsafe fn tile<S: Simd, const T: usize>(
        &mut self,
        s: S,
        from: &[u32],
        first: usize,
        n: usize,
        tap: usize,
        c: usize,
    ) -> usize {
        let channels = self.walk.from.channels;
        let left = (channels - c).min(S::LANES);
        let mut acc = [s.splat(0.0); T];
        // SAFETY: as the caller; loads and stores are of the channels that exist.
        unsafe {
            for p in 0..n {
                let d = s.load_first(self.dy.as_ptr().add((first + p) * channels + c), left);
                for t in 0..T {
                    let x = match *from.get_unchecked((tap + t) * n + p) {
                        PADDING => self.zeros.as_ptr(),
                        from => self.x.as_ptr().add(from as usize),
                    };
                    acc[t] = s.mul_add(s.load_first(x.add(c), left), d, acc[t]);
                }
            }
            for t in 0..T {
                let out = self.out.as_mut_ptr().add((tap + t) * channels + c);
                s.store_first(out, s.add(acc[t], s.load_first(out, left)), left);
            }
        }
        T
    }
}
