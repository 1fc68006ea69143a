//! Each channel times a number, everywhere or below zero.

use super::Grid;
use super::resize::each;

/// The parameter's number for channel `c`.
fn of(k: &[f32], c: usize) -> usize {
    if k.len() == 1 { 0 } else { c }
}

pub(super) fn forward(prelu: bool, gx: &Grid, x: &[f32], k: &[f32], gy: &Grid, y: &mut [f32]) {
    each(gx, |[h, w, c], l| {
        let v = x[gx.at(h, w, c) + l];
        y[gy.at(h, w, c) + l] = if prelu && v > 0.0 { v } else { v * k[of(k, c)] };
    });
}

pub(super) fn backward_input(
    prelu: bool,
    gx: &Grid,
    x: &[f32],
    k: &[f32],
    gdy: &Grid,
    dy: &[f32],
    gdx: &Grid,
    dx: &mut [f32],
) {
    each(gx, |[h, w, c], l| {
        let d = dy[gdy.at(h, w, c) + l];
        let above = prelu && x[gx.at(h, w, c) + l] > 0.0;
        dx[gdx.at(h, w, c) + l] += if above { d } else { d * k[of(k, c)] };
    });
}

pub(super) fn backward_params(prelu: bool, gx: &Grid, x: &[f32], gdy: &Grid, dy: &[f32], dk: &mut [f32]) {
    each(gx, |[h, w, c], l| {
        let v = x[gx.at(h, w, c) + l];
        if !(prelu && v > 0.0) {
            dk[of(dk, c)] += dy[gdy.at(h, w, c) + l] * v;
        }
    });
}
