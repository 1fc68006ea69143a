//! The filter gradient: rows of (tap, channel) by vectors of filters, summed over positions.

use super::conv::{forward, product};
use super::depthwise;
use super::gather::Output;
use super::walk::{PADDING, Padded, Strip, Walk};
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
    if depthwise::fits(g) {
        return depthwise::filter(isa, &walk, x, dy, d_filter);
    }
    let padded = walk.merge();
    let zeros = vec![0f32; walk.from.channels.max(walk.stretch())];
    let job = Job { padded, x, zeros: &zeros, dy, filters: g.out_channels };
    let strips = Strip::cut(&walk, if padded.is_some() { 4 * CHUNK } else { walk.positions() / 8 + 1 });
    // A small filter is split by positions, a large one by its own taps and filters.
    let blocks = walk.make.div_ceil(2 * isa.lanes());
    if d_filter.len() > 1 << 16 {
        let all = walk.taps.len();
        let slices = (16usize.div_ceil(blocks * g.groups)).min(all);
        let out = Output(d_filter.as_mut_ptr());
        (0..g.groups * blocks * slices).into_par_iter().for_each(|i| {
            let (column, slice) = (i / slices, i % slices);
            let first = all * slice / slices;
            let walk = Walk { taps: walk.taps[first..all * (slice + 1) / slices].to_vec(), ..walk.clone() };
            // SAFETY: the tap's rows lie inside the gradient.
            let out = Output(unsafe { out.first().add(first * walk.stretch() * g.out_channels) });
            isa.train(Part { job: &job, walk: &walk, out, strips: &strips, columns: column..column + 1 });
        });
        return;
    }
    let parts = (walk.positions() / 512).clamp(1, 8).min(strips.len().max(1));
    let whole = |out: &mut [f32], strips: &[Strip]| {
        let out = Output(out.as_mut_ptr());
        isa.train(Part { job: &job, walk: &walk, out, strips, columns: 0..g.groups * blocks });
    };
    if parts == 1 {
        return whole(d_filter, &strips);
    }
    let mut sums = vec![0f32; parts * d_filter.len()];
    sums.par_chunks_mut(d_filter.len()).enumerate().for_each(|(i, out)| {
        whole(out, &strips[strips.len() * i / parts..strips.len() * (i + 1) / parts]);
    });
    for part in sums.chunks_exact(d_filter.len()) {
        for (d, s) in d_filter.iter_mut().zip(part) {
            *d += s;
        }
    }
}

/// How a filter's gradient is summed by one thread, some images at a time.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    /// Of one image; merged if the images have their padding around them.
    walk: Walk,
    /// How padding is laid out where the walk is merged and the images have none.
    padded: Option<Padded>,
    depthwise: bool,
    filters: usize,
    zeros: Vec<f32>,
}

impl Sums {
    /// For images of `g`, of one image; `laid_out` says whether they have the zeros around them that
    /// [`super::Prepared::halo`] asks for.
    pub fn new(g: &Conv2dGeometry, laid_out: bool) -> Self {
        let mut walk = forward(g);
        let depthwise = depthwise::fits(g);
        let padded = if depthwise { None } else { walk.merge() }.filter(|_| !laid_out);
        let zeros = vec![0f32; walk.from.channels.max(walk.stretch())];
        Self { walk, padded, depthwise, filters: g.out_channels, zeros }
    }
}

/// Adds the filter's gradient of `images` images to `d_filter`, all positions in order.
pub(super) fn add_filter_gradient(
    isa: Isa,
    sums: &Sums,
    images: usize,
    x: &[f32],
    dy: &[f32],
    d_filter: &mut [f32],
) {
    let Sums { walk, padded, depthwise, filters, zeros } = sums;
    let walk = Walk { batch: images, ..walk.clone() };
    if walk.positions() == 0 {
        return;
    }
    if *depthwise {
        return depthwise::add_filter(isa, &walk, zeros, x, dy, d_filter);
    }
    let job = Job { padded: *padded, x, zeros, dy, filters: *filters };
    let strips = Strip::cut(&walk, if padded.is_some() { 4 * CHUNK } else { walk.positions() });
    let columns = 0..walk.groups * walk.make.div_ceil(2 * isa.lanes());
    isa.train(Part { job: &job, walk: &walk, out: Output(d_filter.as_mut_ptr()), strips: &strips, columns });
}

struct Job<'a> {
    padded: Option<Padded>,
    x: &'a [f32],
    zeros: &'a [f32],
    dy: &'a [f32],
    filters: usize,
}

/// A walk's taps by some columns (pairs of vectors of filters, counted through the groups) over some strips,
/// added to `out`.
struct Part<'a> {
    job: &'a Job<'a>,
    walk: &'a Walk,
    out: Output,
    strips: &'a [Strip],
    columns: Range<usize>,
}

impl Kernel for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Job { padded, x, .. } = *self.job;
        let walk = self.walk;
        let taps = walk.taps.len();
        let mut room = Room {
            places: vec![0; taps * CHUNK],
            from: vec![self.job.zeros.as_ptr(); taps * CHUNK],
            dy: vec![0f32; if walk.make > S::LANES { self.columns.len() * CHUNK * 2 * S::LANES } else { 0 }],
            columns: self.columns.clone().map(|c| Column::new(walk, c, 2 * S::LANES)).collect(),
        };
        let mut copy = Vec::new();
        for strip in self.strips {
            let first = (strip.images.start * walk.rows + strip.rows.start) * walk.cols;
            match &padded {
                Some(padded) => {
                    let local = padded.lay_out(walk, strip, x, &mut copy);
                    self.strip(s, &local, &copy, 0, first, strip.positions(walk), &mut room);
                }
                None => self.strip(s, walk, x, first, first, strip.positions(walk), &mut room),
            }
        }
    }
}

/// Buffers of a task.
struct Room {
    places: Vec<u32>,
    from: Vec<*const f32>,
    dy: Vec<f32>,
    columns: Vec<Column>,
}

/// Neighbouring filters of one group, at most two vectors of them.
struct Column {
    group: usize,
    /// The first filter, counted through the groups, and how many there are.
    at: usize,
    count: usize,
}

impl Column {
    fn new(walk: &Walk, index: usize, width: usize) -> Self {
        let blocks = walk.make.div_ceil(width);
        let (group, first) = (index / blocks, index % blocks * width);
        Self { group, at: group * walk.make + first, count: width.min(walk.make - first) }
    }
}

impl Part<'_> {
    /// Positions `first..first + count` of `walk` over `x`; the output's gradient starts at position `d_first`.
    #[allow(clippy::too_many_arguments)]
    #[inline(always)]
    fn strip<S: Simd>(
        &self,
        s: S,
        walk: &Walk,
        x: &[f32],
        first: usize,
        d_first: usize,
        count: usize,
        room: &mut Room,
    ) {
        let Room { places, from, dy, columns } = room;
        let width = 2 * S::LANES;
        let wide = walk.make > S::LANES;
        let zeros = self.job.zeros.as_ptr();
        let mut done = 0;
        while done < count {
            let n = CHUNK.min(count - done);
            walk.places(first + done, n, places);
            for (from, &place) in from.iter_mut().zip(&places[..walk.taps.len() * n]) {
                *from = if place == PADDING { zeros } else { x.as_ptr().wrapping_add(place as usize) };
            }
            // In the order of memory, so that the CPU foresees what is read.
            if wide {
                for p in 0..n {
                    for (i, column) in columns.iter().enumerate().filter(|(_, c)| c.count > S::LANES) {
                        let to = (i * CHUNK + p) * width;
                        self.pack::<S>(s, d_first + done + p, column, &mut dy[to..to + width]);
                    }
                }
            }
            // What the next chunk reads for the first time is asked for while this one is summed.
            let next = (d_first + done + n).min(d_first + count) * self.job.filters;
            let after = (next + CHUNK * self.job.filters).min(self.job.dy.len());
            let whole = columns.iter().map(|c| c.count).sum::<usize>() == self.job.filters;
            let after = if whole && walk.run == 1 { after } else { next };
            let mut ahead = self.job.dy[next..after].as_ptr_range();
            for (i, column) in columns.iter().enumerate() {
                // SAFETY: the pointers reach `stretch` numbers each, `dy` has `n` rows of two whole vectors or of
                // `count` numbers, and rows and filters stay inside the gradient.
                unsafe {
                    if column.count > S::LANES {
                        let dy = &dy[i * CHUNK * width..][..n * width];
                        Tile { part: self, from, dy, step: width, n, column }.rows::<S, 2>(s, &mut ahead);
                    } else {
                        let step = self.job.filters;
                        let dy = &self.job.dy[(d_first + done) * step + column.at..];
                        let dy = &dy[..(n - 1) * step + column.count];
                        Tile { part: self, from, dy, step, n, column }.rows::<S, 1>(s, &mut ahead);
                    }
                }
            }
            done += n;
        }
    }

    /// Copies a column of `dy` at one position, more than one vector, to two whole vectors.
    #[inline(always)]
    fn pack<S: Simd>(&self, s: S, position: usize, column: &Column, to: &mut [f32]) {
        let from = &self.job.dy[position * self.job.filters + column.at..][..column.count];
        let to = &mut to[..2 * S::LANES];
        // SAFETY: `from` has the column's numbers, more than a vector, and `to` two vectors.
        unsafe {
            s.store(to.as_mut_ptr(), s.load(from.as_ptr()));
            let b = s.load_first(from.as_ptr().add(S::LANES), column.count - S::LANES);
            s.store(to.as_mut_ptr().add(S::LANES), b);
        }
    }
}

/// A chunk of positions by one column.
struct Tile<'a> {
    part: &'a Part<'a>,
    /// For each tap, where each position reads.
    from: &'a [*const f32],
    /// For each position, the column's numbers, and how far the next position's are.
    dy: &'a [f32],
    step: usize,
    n: usize,
    column: &'a Column,
}

impl Tile<'_> {
    /// All rows of the part's taps: a few taps at once where each has few rows, else each in even pieces.
    #[inline(always)]
    unsafe fn rows<S: Simd, const NV: usize>(&self, s: S, ahead: &mut Range<*const f32>) {
        let walk = self.part.walk;
        let stretch = walk.stretch();
        let mut t = 0;
        // SAFETY: as the caller.
        unsafe {
            while t < walk.taps.len() {
                let left = walk.taps.len() - t;
                t += match (stretch, left) {
                    (1, 4..) => self.tile::<S, 4, 1, NV>(s, t, 0, ahead),
                    (2, 3..) => self.tile::<S, 3, 2, NV>(s, t, 0, ahead),
                    (3, 3..) => self.tile::<S, 3, 3, NV>(s, t, 0, ahead),
                    (4, 3..) => self.tile::<S, 3, 4, NV>(s, t, 0, ahead),
                    (5, 2..) => self.tile::<S, 2, 5, NV>(s, t, 0, ahead),
                    (6, 2..) => self.tile::<S, 2, 6, NV>(s, t, 0, ahead),
                    _ => self.tap::<S, NV>(s, t, ahead),
                };
            }
        }
    }

    /// One tap's rows in even pieces.
    #[inline(always)]
    unsafe fn tap<S: Simd, const NV: usize>(&self, s: S, t: usize, ahead: &mut Range<*const f32>) -> usize {
        let stretch = self.part.walk.stretch();
        let most = if S::REGISTERS >= 32 || NV == 1 { ROWS } else { ROWS / 2 };
        let pieces = stretch.div_ceil(most);
        for piece in 0..pieces {
            let first = stretch * piece / pieces;
            // SAFETY: as the caller.
            unsafe {
                match stretch * (piece + 1) / pieces - first {
                    1 => self.tile::<S, 1, 1, NV>(s, t, first, ahead),
                    2 => self.tile::<S, 1, 2, NV>(s, t, first, ahead),
                    3 => self.tile::<S, 1, 3, NV>(s, t, first, ahead),
                    4 => self.tile::<S, 1, 4, NV>(s, t, first, ahead),
                    5 => self.tile::<S, 1, 5, NV>(s, t, first, ahead),
                    6 => self.tile::<S, 1, 6, NV>(s, t, first, ahead),
                    7 => self.tile::<S, 1, 7, NV>(s, t, first, ahead),
                    8 => self.tile::<S, 1, 8, NV>(s, t, first, ahead),
                    9 => self.tile::<S, 1, 9, NV>(s, t, first, ahead),
                    10 => self.tile::<S, 1, 10, NV>(s, t, first, ahead),
                    11 => self.tile::<S, 1, 11, NV>(s, t, first, ahead),
                    _ => self.tile::<S, 1, 12, NV>(s, t, first, ahead),
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
        ahead: &mut Range<*const f32>,
    ) -> usize {
        let (walk, filters) = (self.part.walk, self.part.job.filters);
        let (n, step, count) = (self.n, self.step, self.column.count);
        let mut acc = [[[s.splat(0.0); NV]; R]; T];
        // SAFETY: as the caller.
        unsafe {
            let skip = self.column.group * walk.sum + first;
            let from = self.from.as_ptr().add(tap * n);
            let mut dy = self.dy.as_ptr();
            let mut next = ahead.start;
            let line = if ahead.start < ahead.end { 16 } else { 0 };
            for p in 0..n {
                if NV == 2 {
                    s.prefetch(next);
                    next = next.wrapping_add(line);
                }
                let mut d = [s.splat(0.0); NV];
                d[0] = if NV == 1 { s.load_first(dy, count) } else { s.load(dy) };
                for v in 1..NV {
                    d[v] = s.load(dy.add(v * S::LANES));
                }
                for t in 0..T {
                    let x = (*from.add(t * n + p)).add(skip);
                    for r in 0..R {
                        let k = s.splat(*x.add(r));
                        for v in 0..NV {
                            acc[t][r][v] = s.mul_add(k, d[v], acc[t][r][v]);
                        }
                    }
                }
                dy = dy.wrapping_add(step);
            }
            ahead.start = next;
            let out = self.part.out.first().add((tap * walk.stretch() + first) * filters + self.column.at);
            let last = count - (NV - 1) * S::LANES;
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
