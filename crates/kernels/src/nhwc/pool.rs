//! Pooling on NHWC arrays: a vector holds neighbouring channels of one window.
//!
//! Cells outside the image never take part: for max pooling they are minus infinity, for average pooling
//! they are not counted.

use super::conv::product;
use super::finish::larger;
use super::gather::Output;
use crate::dispatch::Isa;
use crate::geometry::{Axis, Pool2dGeometry};
use crate::simd::{Kernel, Simd};
use crate::team::Team;
use rayon::prelude::*;
use std::ops::Range;

/// The input indices under output `o`'s window that lie inside the image.
fn cells(a: &Axis, o: usize) -> Range<usize> {
    let at = o * a.stride;
    at.saturating_sub(a.before)..(at + a.kernel).saturating_sub(a.before).min(a.input)
}

/// The outputs whose windows cover input index `i`.
fn windows(a: &Axis, i: usize) -> Range<usize> {
    let p = i + a.before;
    let first = (p + 1).saturating_sub(a.kernel).div_ceil(a.stride);
    first..(p / a.stride + 1).min(a.output)
}

/// The largest of each window; not-a-number spreads.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn max_pool(isa: Isa, g: &Pool2dGeometry, x: &[f32], y: &mut [f32]) {
    each_row(g, x, y, |rows, y| isa.run(Rows { g, x, y, rows, what: Pool::Max }));
}

/// The mean of each window's cells inside the image.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn avg_pool(isa: Isa, g: &Pool2dGeometry, x: &[f32], y: &mut [f32]) {
    each_row(g, x, y, |rows, y| isa.run(Rows { g, x, y, rows, what: Pool::Mean }));
}

/// Which number of a window counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// The largest.
    Max,
    /// The mean.
    Mean,
}

/// [`max_pool`] or [`avg_pool`] of one image, whose rows the workers of `team` share.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn of_one_image(
    isa: Isa,
    what: Pool,
    g: &Pool2dGeometry,
    team: Option<&mut Team>,
    x: &[f32],
    y: &mut [f32],
) {
    assert!(g.batch == 1 && x.len() == product(g.input_shape()) && y.len() == product(g.output_shape()));
    let row = g.w.output * g.channels;
    let Some(team) = team.filter(|team| team.threads() > 1 && large(g)) else {
        return isa.run(Rows { g, x, y, rows: 0..g.h.output, what });
    };
    let (parts, output) = (team.threads(), Output(y.as_mut_ptr()));
    team.run(&|i| {
        let rows = g.h.output * i / parts..g.h.output * (i + 1) / parts;
        // SAFETY: rows of the output that are this worker's alone.
        let y =
            unsafe { std::slice::from_raw_parts_mut(output.first().add(rows.start * row), rows.len() * row) };
        isa.run(Rows { g, x, y, rows, what });
    });
}

/// Whether there is enough to do for several workers.
fn large(g: &Pool2dGeometry) -> bool {
    product(g.output_shape()) * g.h.kernel * g.w.kernel >= 1 << 15
}

/// Calls `f` with rows of outputs; many rows run in parallel.
fn each_row(g: &Pool2dGeometry, x: &[f32], y: &mut [f32], f: impl Fn(Range<usize>, &mut [f32]) + Sync) {
    assert_eq!(x.len(), product(g.input_shape()));
    assert_eq!(y.len(), product(g.output_shape()));
    let row = g.w.output * g.channels;
    if y.is_empty() {
        return;
    }
    if large(g) {
        y.par_chunks_mut(row).enumerate().for_each(|(i, y)| f(i..i + 1, y));
    } else {
        f(0..y.len() / row, y);
    }
}

/// Some rows of outputs, counted over all images.
struct Rows<'a> {
    g: &'a Pool2dGeometry,
    x: &'a [f32],
    y: &'a mut [f32],
    rows: Range<usize>,
    what: Pool,
}

impl Kernel for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let (g, channels) = (self.g, self.g.channels);
        let outputs = std::mem::take(&mut self.y).chunks_exact_mut(channels);
        let cells_of = self.rows.clone().flat_map(|row| (0..g.w.output).map(move |ow| (row, ow)));
        for (out, (row, ow)) in outputs.zip(cells_of) {
            let image = row / g.h.output * g.h.input * g.w.input * channels;
            let (rows, cols) = (cells(&g.h, row % g.h.output), cells(&g.w, ow));
            let mut c = 0;
            while c < channels {
                let left = channels - c;
                // SAFETY: the windows' cells lie inside the image; the last vector is cut.
                unsafe {
                    c += match left / S::LANES {
                        4.. => {
                            self.vectors::<S, 4>(s, image + c, (&rows, &cols), 4 * S::LANES, &mut out[c..])
                        }
                        _ => self.vectors::<S, 1>(
                            s,
                            image + c,
                            (&rows, &cols),
                            left.min(S::LANES),
                            &mut out[c..],
                        ),
                    };
                }
            }
        }
    }
}

impl Rows<'_> {
    /// `count` channels, in `NV` vectors of which the last may be cut, of one window.
    #[inline(always)]
    unsafe fn vectors<S: Simd, const NV: usize>(
        &self,
        s: S,
        first: usize,
        (rows, cols): (&Range<usize>, &Range<usize>),
        count: usize,
        out: &mut [f32],
    ) -> usize {
        let last = count - (NV - 1) * S::LANES;
        let begin = if self.what == Pool::Max { f32::NEG_INFINITY } else { 0.0 };
        let mut acc = [s.splat(begin); NV];
        // SAFETY: the caller's.
        unsafe {
            for h in rows.clone() {
                for w in cols.clone() {
                    let x = self.x.as_ptr().add(first + (h * self.g.w.input + w) * self.g.channels);
                    for v in 0..NV {
                        let x = x.add(v * S::LANES);
                        let x = if v + 1 < NV { s.load(x) } else { s.load_first(x, last) };
                        acc[v] = match self.what {
                            Pool::Max => larger(s, acc[v], x),
                            Pool::Mean => s.add(acc[v], x),
                        };
                    }
                }
            }
            let number = (rows.len() * cols.len()) as f32;
            for v in 0..NV {
                if self.what == Pool::Mean {
                    acc[v] = s.div(acc[v], s.splat(number));
                }
                let n = if v + 1 < NV { S::LANES } else { last };
                s.store_first(out.as_mut_ptr().add(v * S::LANES), acc[v], n);
            }
        }
        count
    }
}

/// The gradient of max pooling: each window's gradient goes to the cell that was its largest. `dx` is
/// overwritten.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn max_pool_backward(g: &Pool2dGeometry, x: &[f32], dy: &[f32], dx: &mut [f32]) {
    assert_eq!(x.len(), product(g.input_shape()));
    each_image(g, dy, dx, |n, dy, dx| {
        let x = &x[n * dx.len()..(n + 1) * dx.len()];
        for (o, &d) in dy.iter().enumerate() {
            let (c, cell) = (o % g.channels, o / g.channels);
            let (oh, ow) = (cell / g.w.output, cell % g.w.output);
            let mut best: Option<usize> = None;
            for h in cells(&g.h, oh) {
                for w in cells(&g.w, ow) {
                    let at = (h * g.w.input + w) * g.channels + c;
                    let wins = best.is_none_or(|b| x[at] > x[b] || (x[at].is_nan() && !x[b].is_nan()));
                    if wins {
                        best = Some(at);
                    }
                }
            }
            if let Some(best) = best {
                dx[best] += d;
            }
        }
    });
}

/// The gradient of average pooling: each window's gradient in equal parts to its cells inside the image. `dx` is
/// overwritten.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn avg_pool_backward(g: &Pool2dGeometry, dy: &[f32], dx: &mut [f32]) {
    each_image(g, dy, dx, |_, dy, dx| {
        for (cell, dx) in dx.chunks_exact_mut(g.channels).enumerate() {
            let (h, w) = (cell / g.w.input, cell % g.w.input);
            for oh in windows(&g.h, h) {
                for ow in windows(&g.w, w) {
                    let count = (cells(&g.h, oh).len() * cells(&g.w, ow).len()) as f32;
                    let at = (oh * g.w.output + ow) * g.channels;
                    for (dx, dy) in dx.iter_mut().zip(&dy[at..at + g.channels]) {
                        *dx += dy / count;
                    }
                }
            }
        }
    });
}

/// [`max_pool`] of one image by the thread that calls, and the place of each largest in its window, row by row, for
/// [`max_backward`].
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn max_with_places(isa: Isa, g: &Pool2dGeometry, x: &[f32], y: &mut [f32], places: &mut [f32]) {
    assert!(g.batch == 1 && x.len() == product(g.input_shape()));
    assert!(y.len() == product(g.output_shape()) && places.len() == y.len());
    isa.train(Places { g, x, y, places });
}

/// The gradient of [`max_with_places`], added to `dx`.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn max_backward(isa: Isa, g: &Pool2dGeometry, places: &[f32], dy: &[f32], dx: &mut [f32]) {
    assert!(g.batch == 1 && dx.len() == product(g.input_shape()));
    assert!(dy.len() == product(g.output_shape()) && places.len() == dy.len());
    isa.train(Back { g, places: Some(places), dy, dx });
}

/// The gradient of [`avg_pool`] of one image by the thread that calls, added to `dx`.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn avg_backward(isa: Isa, g: &Pool2dGeometry, dy: &[f32], dx: &mut [f32]) {
    assert!(g.batch == 1 && dx.len() == product(g.input_shape()) && dy.len() == product(g.output_shape()));
    isa.train(Back { g, places: None, dy, dx });
}

/// The largest of each window, and its place.
struct Places<'a> {
    g: &'a Pool2dGeometry,
    x: &'a [f32],
    y: &'a mut [f32],
    places: &'a mut [f32],
}

impl Kernel for Places<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Places { g, x, y, places } = self;
        let channels = g.channels;
        let outputs = y.chunks_exact_mut(channels).zip(places.chunks_exact_mut(channels));
        for (cell, (y, places)) in outputs.enumerate() {
            let (rows, cols) = (cells(&g.h, cell / g.w.output), cells(&g.w, cell % g.w.output));
            for c in (0..channels).step_by(S::LANES) {
                let n = (channels - c).min(S::LANES);
                // SAFETY: the window's cells lie inside the image, which has `channels` numbers for each.
                unsafe {
                    let (mut best, mut place) = (s.splat(f32::NEG_INFINITY), s.splat(0.0));
                    let mut at = 0;
                    for h in rows.clone() {
                        for w in cols.clone() {
                            let x = s.load_first(x.as_ptr().add((h * g.w.input + w) * channels + c), n);
                            let here = s.splat(at as f32);
                            // Larger, or the first that is not a number.
                            let wins = s.gt(x, best);
                            place = s.select(wins, here, place);
                            let grown = s.select(wins, x, best);
                            let known = s.eq(best, best);
                            let fits = s.eq(x, x);
                            place = s.select(fits, place, s.select(known, here, place));
                            best = s.select(fits, grown, s.select(known, x, best));
                            at += 1;
                        }
                    }
                    s.store_first(y.as_mut_ptr().add(c), best, n);
                    s.store_first(places.as_mut_ptr().add(c), place, n);
                }
            }
        }
    }
}

/// Each window's gradient to the cell that was its largest, or in equal parts to all.
struct Back<'a> {
    g: &'a Pool2dGeometry,
    places: Option<&'a [f32]>,
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for Back<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Back { g, places, dy, dx } = self;
        let channels = g.channels;
        for cell in 0..g.h.output * g.w.output {
            let (rows, cols) = (cells(&g.h, cell / g.w.output), cells(&g.w, cell % g.w.output));
            let share = s.splat(1.0 / (rows.len() * cols.len()) as f32);
            for c in (0..channels).step_by(S::LANES) {
                let n = (channels - c).min(S::LANES);
                // SAFETY: as in `Places`.
                unsafe {
                    let d = s.load_first(dy.as_ptr().add(cell * channels + c), n);
                    let place = places.map(|p| s.load_first(p.as_ptr().add(cell * channels + c), n));
                    let mut at = 0;
                    for h in rows.clone() {
                        for w in cols.clone() {
                            let to = dx.as_mut_ptr().add((h * g.w.input + w) * channels + c);
                            let d = match place {
                                Some(place) => s.select(s.eq(place, s.splat(at as f32)), d, s.splat(0.0)),
                                None => s.mul(d, share),
                            };
                            s.store_first(to, s.add(s.load_first(to, n), d), n);
                            at += 1;
                        }
                    }
                }
            }
        }
    }
}

fn each_image(g: &Pool2dGeometry, dy: &[f32], dx: &mut [f32], f: impl Fn(usize, &[f32], &mut [f32]) + Sync) {
    assert_eq!(dy.len(), product(g.output_shape()));
    assert_eq!(dx.len(), product(g.input_shape()));
    let image = g.h.output * g.w.output * g.channels;
    dx.par_chunks_mut(g.h.input * g.w.input * g.channels).enumerate().for_each(|(n, dx)| {
        dx.fill(0.0);
        f(n, &dy[n * image..(n + 1) * image], dx);
    });
}
