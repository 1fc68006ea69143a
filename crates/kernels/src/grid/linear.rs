//! Linear interpolation: each output row is made of two input rows, and each of its cells of two of their cells.

use super::{Grid, Resize};
use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd};
use std::ops::Range;

/// Two input cells, and the share of the second.
#[derive(Clone, Copy, Debug)]
struct Tap {
    cells: [usize; 2],
    share: f32,
}

/// The taps of each output row and column.
#[derive(Clone, Debug)]
pub(super) struct Taps {
    rows: Vec<Tap>,
    columns: Vec<Tap>,
    /// Numbers of an input row, all channels of it where they stand side by side, else one.
    row: usize,
}

/// A grid as planes of cells of neighbouring numbers: lanes, or channels.
#[derive(Clone, Copy, Debug)]
struct Planes {
    grid: Grid,
    count: usize,
    unit: usize,
}

impl Planes {
    fn new(g: &Grid) -> Self {
        // Cells of channels side by side, unless there is one channel only.
        if g.channel == 1 && g.lanes == 1 && g.column >= g.channels {
            Self { grid: *g, count: 1, unit: g.channels }
        } else {
            Self { grid: *g, count: g.channels, unit: g.lanes }
        }
    }

    #[inline(always)]
    fn cell(&self, plane: usize, h: usize, w: usize) -> Range<usize> {
        let at = self.grid.at(h, w, plane);
        at..at + self.unit
    }

    /// A whole row, if its cells are neighbours.
    #[inline(always)]
    fn row(&self, plane: usize, h: usize) -> Option<Range<usize>> {
        let at = self.grid.at(h, 0, plane);
        (self.grid.column == self.unit || self.grid.width == 1).then(|| at..at + self.grid.width * self.unit)
    }
}

impl Taps {
    pub(super) fn new(resize: &Resize, x: &Grid) -> Self {
        let list = |axis, n: usize| -> Vec<Tap> {
            let tap = |at: f64| {
                let at = at.clamp(0.0, n as f64 - 1.0);
                let first = at.floor() as usize;
                Tap { cells: [first, (first + 1).min(n - 1)], share: (at - at.floor()) as f32 }
            };
            resize.coordinates(axis, n).map(tap).collect()
        };
        Self { rows: list(0, x.height), columns: list(1, x.width), row: x.width * Planes::new(x).unit }
    }

    pub(super) fn scratch(&self) -> usize {
        self.row
    }

    pub(super) fn forward(
        &self,
        isa: Isa,
        (x, gx): (&[f32], &Grid),
        (y, gy): (&mut [f32], &Grid),
        scratch: &mut [f32],
    ) {
        let (gx, gy) = (Planes::new(gx), Planes::new(gy));
        isa.run(Forward { taps: self, gx, x, gy, y, scratch: &mut scratch[..self.row] });
    }

    pub(super) fn backward(
        &self,
        isa: Isa,
        (dy, gdy): (&[f32], &Grid),
        (dx, gdx): (&mut [f32], &Grid),
        scratch: &mut [f32],
    ) {
        let (gdx, gdy) = (Planes::new(gdx), Planes::new(gdy));
        isa.train(Backward { taps: self, gdy, dy, gdx, dx, scratch: &mut scratch[..self.row] });
    }
}

struct Forward<'a> {
    taps: &'a Taps,
    gx: Planes,
    x: &'a [f32],
    gy: Planes,
    y: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Forward { taps, gx, x, gy, y, scratch } = self;
        let unit = gx.unit;
        for plane in 0..gx.count {
            for (h, tap) in taps.rows.iter().enumerate() {
                let [a, b] = tap.cells;
                match (gx.row(plane, a), gx.row(plane, b)) {
                    (Some(a), Some(b)) => between(s, &x[a], &x[b], tap.share, scratch),
                    _ => {
                        for (w, to) in scratch.chunks_exact_mut(unit).enumerate() {
                            let [a, b] = [a, b].map(|h| &x[gx.cell(plane, h, w)]);
                            between(s, a, b, tap.share, to);
                        }
                    }
                }
                for (w, tap) in taps.columns.iter().enumerate() {
                    let [a, b] = tap.cells.map(|i| &scratch[i * unit..(i + 1) * unit]);
                    between(s, a, b, tap.share, &mut y[gy.cell(plane, h, w)]);
                }
            }
        }
    }
}

struct Backward<'a> {
    taps: &'a Taps,
    gdy: Planes,
    dy: &'a [f32],
    gdx: Planes,
    dx: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Backward { taps, gdy, dy, gdx, dx, scratch } = self;
        let unit = gdx.unit;
        for plane in 0..gdx.count {
            for (h, tap) in taps.rows.iter().enumerate() {
                scratch.fill(0.0);
                for (w, tap) in taps.columns.iter().enumerate() {
                    let d = &dy[gdy.cell(plane, h, w)];
                    for (i, share) in tap.cells.into_iter().zip([1.0 - tap.share, tap.share]) {
                        add_part(s, d, share, &mut scratch[i * unit..(i + 1) * unit]);
                    }
                }
                for (i, share) in tap.cells.into_iter().zip([1.0 - tap.share, tap.share]) {
                    if let Some(row) = gdx.row(plane, i) {
                        add_part(s, scratch, share, &mut dx[row]);
                        continue;
                    }
                    for (w, d) in scratch.chunks_exact(unit).enumerate() {
                        add_part(s, d, share, &mut dx[gdx.cell(plane, i, w)]);
                    }
                }
            }
        }
    }
}

/// `to = a + (b - a) share`.
#[inline(always)]
fn between<S: Simd>(s: S, a: &[f32], b: &[f32], share: f32, to: &mut [f32]) {
    let (n, share) = (to.len(), s.splat(share));
    assert!(a.len() == n && b.len() == n);
    let (a, b, to) = (a.as_ptr(), b.as_ptr(), to.as_mut_ptr());
    let mut i = 0;
    // SAFETY: no number from `n` on is read or written, and all three have `n`.
    unsafe {
        while i + S::LANES <= n {
            let (v, w) = (s.load(a.add(i)), s.load(b.add(i)));
            s.store(to.add(i), s.mul_add(s.sub(w, v), share, v));
            i += S::LANES;
        }
        if i < n {
            let (v, w) = (s.load_first(a.add(i), n - i), s.load_first(b.add(i), n - i));
            s.store_first(to.add(i), s.mul_add(s.sub(w, v), share, v), n - i);
        }
    }
}

/// `to += d share`.
#[inline(always)]
fn add_part<S: Simd>(s: S, d: &[f32], share: f32, to: &mut [f32]) {
    let (n, share) = (to.len(), s.splat(share));
    assert!(d.len() == n);
    let (d, to) = (d.as_ptr(), to.as_mut_ptr());
    let mut i = 0;
    // SAFETY: no number from `n` on is read or written, and both have `n`.
    unsafe {
        while i + S::LANES <= n {
            s.store(to.add(i), s.mul_add(s.load(d.add(i)), share, s.load(to.add(i))));
            i += S::LANES;
        }
        if i < n {
            let v = s.mul_add(s.load_first(d.add(i), n - i), share, s.load_first(to.add(i), n - i));
            s.store_first(to.add(i), v, n - i);
        }
    }
}
