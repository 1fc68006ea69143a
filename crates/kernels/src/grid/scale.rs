//! Each channel times a number, everywhere ([`Op::Scale`]) or below zero ([`Op::Prelu`]).

#[cfg(doc)]
use super::Op;

use super::Grid;
use super::fold::{self, ADD_SUM, fold, terms};
use super::map::{self, Adding, functions, map};
use super::walk::{Extents, View};
use crate::dispatch::Isa;

terms! {
    /// The product where x is not above 0.
    Below() = |s, [x, dy]| [s.select(s.gt(x, s.splat(0.0)), s.splat(0.0), s.mul(x, dy))];
}

functions! {
    Prelu() = |s, [x, k]| s.select(s.gt(x, s.splat(0.0)), x, s.mul(x, k));
    PreluSlope() = |s, [dy, k, x]| s.select(s.gt(x, s.splat(0.0)), dy, s.mul(dy, k));
}

pub(super) fn forward(
    prelu: bool,
    isa: Isa,
    (x, gx): (&[f32], &Grid),
    k: &[f32],
    (y, gy): (&mut [f32], &Grid),
) {
    let (extents, to) = (Extents::of(gx), (y, View::of(gy)));
    let from = [(x, View::of(gx)), (k, View::param(k.len()))];
    if prelu { map(isa, extents, to, from, Prelu {}) } else { map(isa, extents, to, from, map::Product {}) }
}

pub(super) fn backward_input(
    prelu: bool,
    isa: Isa,
    (x, gx): (&[f32], &Grid),
    k: &[f32],
    (dy, gdy): (&[f32], &Grid),
    (dx, gdx): (&mut [f32], &Grid),
) {
    let (extents, to) = (Extents::of(gx), (dx, View::of(gdx)));
    let [dy, k] = [(dy, View::of(gdy)), (k, View::param(k.len()))];
    if prelu {
        map(isa, extents, to, [dy, k, (x, View::of(gx))], Adding(PreluSlope {}));
    } else {
        map(isa, extents, to, [dy, k], Adding(map::Product {}));
    }
}

pub(super) fn backward_params(
    prelu: bool,
    isa: Isa,
    (x, gx): (&[f32], &Grid),
    (dy, gdy): (&[f32], &Grid),
    dk: &mut [f32],
) {
    let (extents, view) = (Extents::of(gx), View::param(dk.len()));
    // Over everything but the channels, or with one number for all over these too.
    let over = [true, true, dk.len() == 1, true];
    let from = [(x, View::of(gx)), (dy, View::of(gdy))];
    if prelu {
        fold(isa, extents, over, ([dk], view), from, Below {}, ADD_SUM);
    } else {
        fold(isa, extents, over, ([dk], view), from, fold::Product {}, ADD_SUM);
    }
}
