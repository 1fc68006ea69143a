//! Softmax and its logarithm over the channels of each place, tile by tile.

use super::Grid;
use super::fold::{Itself, Largest, Product, SUM, fold};
use super::group_norm::split;
use super::map::{Adding, Function, functions, map};
use super::walk::{Extents, View};
use crate::dispatch::Isa;
use crate::simd::{Simd, exp};

/// `e^(x - top)`; 0 also where that is too small for `exp`, as for minus infinity.
#[inline(always)]
fn power<S: Simd>(s: S, x: S::V, top: S::V) -> S::V {
    let d = s.sub(x, top);
    s.select(s.gt(s.splat(-87.0), d), s.splat(0.0), exp(s, d))
}

functions! {
    PowerOf() = |s, [x, top]| power(s, x, top);
    /// `x - top - log`.
    Less() = |s, [x, top, log]| s.sub(s.sub(x, top), log);
    /// `y (dy - sum)`.
    Slope() = |s, [y, dy, sum]| s.mul(y, s.sub(dy, sum));
    /// `dy - e^y sum`.
    LogSlope() = |s, [y, dy, sum]| s.sub(dy, s.mul(power(s, y, s.splat(0.0)), sum));
}

/// The old number times another.
#[derive(Clone, Copy)]
struct TimesOld;

impl Function<1> for TimesOld {
    const READS: bool = true;
    #[inline(always)]
    fn at<S: Simd>(self, s: S, old: S::V, [k]: [S::V; 1]) -> S::V {
        s.mul(old, k)
    }
}

const OVER_CHANNELS: [bool; 4] = [false, false, true, false];

pub(super) fn scratch(x: &Grid) -> usize {
    2 * x.tile_places()
}

pub(super) fn forward(
    log: bool,
    isa: Isa,
    (x, gx): (&[f32], &Grid),
    (y, gy): (&mut [f32], &Grid),
    scratch: &mut [f32],
) {
    let [top, sum] = split(scratch, gx.tile_places());
    for tile in gx.tiles() {
        let (gx, gy) = (gx.part(&tile), gy.part(&tile));
        let (extents, own, to) = (Extents::of(&gx), View::of(&gx.places()), View::of(&gy));
        let x = (x, View::of(&gx));
        fold(isa, extents, OVER_CHANNELS, ([&mut *top], own), [x], Itself {}, Largest);
        let top = (&*top, own);
        let places = gx.places().numbers();
        map(isa, extents, (&mut *y, to), [x, top], PowerOf {});
        fold(isa, extents, OVER_CHANNELS, ([&mut *sum], own), [(&*y, to)], Itself {}, SUM);
        if log {
            sum.iter_mut().take(places).for_each(|v| *v = v.ln());
            map(isa, extents, (&mut *y, to), [x, top, (&*sum, own)], Less {});
        } else {
            sum.iter_mut().take(places).for_each(|v| *v = 1.0 / *v);
            map(isa, extents, (&mut *y, to), [(&*sum, own)], TimesOld);
        }
    }
}

/// `dx += y (dy - sum(y dy))`, or `dy - e^y sum(dy)` for the logarithm.
pub(super) fn backward(
    log: bool,
    isa: Isa,
    (y, gy): (&[f32], &Grid),
    (dy, gdy): (&[f32], &Grid),
    (dx, gdx): (&mut [f32], &Grid),
    scratch: &mut [f32],
) {
    let [sum] = split(scratch, gy.tile_places());
    for tile in gy.tiles() {
        let [gy, gdy, gdx] = [gy, gdy, gdx].map(|g| g.part(&tile));
        let (extents, own, to) = (Extents::of(&gy), View::of(&gy.places()), View::of(&gdx));
        let [y, dy] = [(y, View::of(&gy)), (dy, View::of(&gdy))];
        if log {
            fold(isa, extents, OVER_CHANNELS, ([&mut *sum], own), [dy], Itself {}, SUM);
            map(isa, extents, (&mut *dx, to), [y, dy, (&*sum, own)], Adding(LogSlope {}));
        } else {
            fold(isa, extents, OVER_CHANNELS, ([&mut *sum], own), [y, dy], Product {}, SUM);
            map(isa, extents, (&mut *dx, to), [y, dy, (&*sum, own)], Adding(Slope {}));
        }
    }
}
