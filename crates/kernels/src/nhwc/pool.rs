//! Pooling on NHWC arrays, in safe code: the channels' loop is the compiler's to vectorize.
//!
//! Cells outside the image never take part: for max pooling they are minus infinity, for average pooling
//! they are not counted.

use super::conv::product;
use crate::geometry::{Axis, Pool2dGeometry};
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

/// The largest of each window; the first of equals in row-major order counts, not-a-number spreads.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn max_pool(g: &Pool2dGeometry, x: &[f32], y: &mut [f32]) {
    each_output(g, x, y, |g, image, oh, ow, out| {
        out.fill(f32::NEG_INFINITY);
        for h in cells(&g.h, oh) {
            for w in cells(&g.w, ow) {
                let at = (h * g.w.input + w) * g.channels;
                for (out, &x) in out.iter_mut().zip(&image[at..at + g.channels]) {
                    if x > *out || x.is_nan() {
                        *out = if out.is_nan() { *out } else { x };
                    }
                }
            }
        }
    });
}

/// The mean of each window's cells inside the image.
///
/// # Panics
/// When a slice's length is not its shape's product.
pub fn avg_pool(g: &Pool2dGeometry, x: &[f32], y: &mut [f32]) {
    each_output(g, x, y, |g, image, oh, ow, out| {
        out.fill(0.0);
        let (rows, cols) = (cells(&g.h, oh), cells(&g.w, ow));
        let count = (rows.len() * cols.len()) as f32;
        for h in rows {
            for w in cols.clone() {
                let at = (h * g.w.input + w) * g.channels;
                for (out, &x) in out.iter_mut().zip(&image[at..at + g.channels]) {
                    *out += x;
                }
            }
        }
        out.iter_mut().for_each(|v| *v /= count);
    });
}

/// Calls `f` with each output row of channels, and the input image it comes from; rows run in parallel.
fn each_output(
    g: &Pool2dGeometry,
    x: &[f32],
    y: &mut [f32],
    f: impl Fn(&Pool2dGeometry, &[f32], usize, usize, &mut [f32]) + Sync,
) {
    assert_eq!(x.len(), product(g.input_shape()));
    assert_eq!(y.len(), product(g.output_shape()));
    let image = g.h.input * g.w.input * g.channels;
    let row = |(row, y): (usize, &mut [f32])| {
        let (n, oh) = (row / g.h.output, row % g.h.output);
        let image = &x[n * image..(n + 1) * image];
        for (ow, out) in y.chunks_exact_mut(g.channels).enumerate() {
            f(g, image, oh, ow, out);
        }
    };
    let rows = g.w.output * g.channels;
    if y.len() * g.h.kernel * g.w.kernel < 1 << 15 {
        y.chunks_mut(rows).enumerate().for_each(row);
    } else {
        y.par_chunks_mut(rows).enumerate().for_each(row);
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

fn each_image(g: &Pool2dGeometry, dy: &[f32], dx: &mut [f32], f: impl Fn(usize, &[f32], &mut [f32]) + Sync) {
    assert_eq!(dy.len(), product(g.output_shape()));
    assert_eq!(dx.len(), product(g.input_shape()));
    let image = g.h.output * g.w.output * g.channels;
    dx.par_chunks_mut(g.h.input * g.w.input * g.channels).enumerate().for_each(|(n, dx)| {
        dx.fill(0.0);
        f(n, &dy[n * image..(n + 1) * image], dx);
    });
}
