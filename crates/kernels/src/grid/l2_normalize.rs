//! Each place divided by the Euclidean norm of its channels.

use super::Grid;
use super::fold::{self, SUM, fold, terms};
use super::group_norm::split;
use super::map::{self, Adding, functions, map};
use super::walk::{Extents, View};
use crate::dispatch::Isa;

terms! {
    /// The square, and the number times its gradient.
    Slope() = |s, [x, dy]| [s.mul(x, x), s.mul(x, dy)];
}

functions! {
    /// `k dy + q x`.
    Combination() = |s, [dy, x, k, q]| s.mul_add(dy, k, s.mul(x, q));
}

const OVER_CHANNELS: [bool; 4] = [false, false, true, false];

pub(super) fn scratch(x: &Grid) -> usize {
    2 * x.tile_places()
}

/// `1 / max(norm, epsilon)`, 0 where both are 0.
fn inverse(squares: f32, epsilon: f32) -> f32 {
    let size = squares.sqrt().max(epsilon);
    if size == 0.0 { 0.0 } else { 1.0 / size }
}

pub(super) fn forward(
    epsilon: f32,
    isa: Isa,
    (x, gx): (&[f32], &Grid),
    (y, gy): (&mut [f32], &Grid),
    scratch: &mut [f32],
) {
    let [k] = split(scratch, gx.tile_places());
    for tile in gx.tiles() {
        let (gx, gy) = (gx.part(&tile), gy.part(&tile));
        let (extents, own) = (Extents::of(&gx), View::of(&gx.places()));
        let x = (x, View::of(&gx));
        fold(isa, extents, OVER_CHANNELS, ([&mut *k], own), [x, x], fold::Product {}, SUM);
        k.iter_mut().take(gx.places().numbers()).for_each(|k| *k = inverse(*k, epsilon));
        map(isa, extents, (&mut *y, View::of(&gy)), [x, (&*k, own)], map::Product {});
    }
}

/// `dx += (dy - y sum(y dy)) / norm`, or `dy / epsilon` where the norm is below epsilon.
pub(super) fn backward(
    epsilon: f32,
    isa: Isa,
    (x, gx): (&[f32], &Grid),
    (dy, gdy): (&[f32], &Grid),
    (dx, gdx): (&mut [f32], &Grid),
    scratch: &mut [f32],
) {
    let [k, q] = split(scratch, gx.tile_places());
    for tile in gx.tiles() {
        let [gx, gdy, gdx] = [gx, gdy, gdx].map(|g| g.part(&tile));
        let (extents, own) = (Extents::of(&gx), View::of(&gx.places()));
        let [x, dy] = [(x, View::of(&gx)), (dy, View::of(&gdy))];
        fold(isa, extents, OVER_CHANNELS, ([&mut *k, &mut *q], own), [x, dy], Slope {}, SUM);
        for (k, q) in k.iter_mut().zip(&mut *q).take(gx.places().numbers()) {
            let above = k.sqrt() >= epsilon;
            *k = inverse(*k, epsilon);
            *q = if above { -(*q * *k) * *k * *k } else { 0.0 };
        }
        let from = [dy, x, (&*k, own), (&*q, own)];
        map(isa, extents, (&mut *dx, View::of(&gdx)), from, Adding(Combination {}));
    }
}
