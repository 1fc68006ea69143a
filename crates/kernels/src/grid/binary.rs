//! Two inputs, number by number, with NumPy's broadcasting.

use super::Grid;
use super::fold::{self, ADD_SUM, Itself, Sum, fold, terms};
use super::map::{self, Adding, Times, functions, map};
use super::walk::{Extents, View};
use crate::dispatch::Isa;
use crate::simd::Simd;

/// A function of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `a + b`.
    Add,
    /// `a - b`.
    Subtract,
    /// `a b`.
    Multiply,
    /// The larger; of equal ones the first gets the gradient. Not-a-number spreads.
    Maximum,
    /// The smaller; of equal ones the first gets the gradient. Not-a-number spreads.
    Minimum,
}

impl Binary {
    /// The operator's name.
    pub fn name(self) -> &'static str {
        match self {
            Binary::Add => "add",
            Binary::Subtract => "subtract",
            Binary::Multiply => "multiply",
            Binary::Maximum => "maximum",
            Binary::Minimum => "minimum",
        }
    }

    pub(super) fn reads_input(self) -> bool {
        !matches!(self, Binary::Add | Binary::Subtract)
    }
}

functions! {
    /// `a + k b`.
    Together(k: f32) = |s, [a, b]| s.mul_add(b, s.splat(k), a);
    /// The larger of both times `sign`, so the smaller for -1; the second where that is not a number.
    Extreme(sign: f32) = |s, [a, b]| chosen(s, sign, [a, b], a, b);
    /// The gradient where the extreme is the one of the two.
    ExtremeSlope(sign: f32, second: bool) = |s, [dy, a, b]| extreme_slope(s, sign, second, [dy, a, b]);
}

terms! {
    ExtremeSlopes(sign: f32, second: bool) = |s, [dy, a, b]| [extreme_slope(s, sign, second, [dy, a, b])];
}

/// The first, or the second where the second input is the extreme; of equal ones the first is.
#[inline(always)]
fn chosen<S: Simd>(s: S, sign: f32, [a, b]: [S::V; 2], first: S::V, second: S::V) -> S::V {
    let sign = s.splat(sign);
    s.select(s.gt(s.mul(b, sign), s.mul(a, sign)), second, s.select(s.eq(b, b), first, second))
}

#[inline(always)]
fn extreme_slope<S: Simd>(s: S, sign: f32, second: bool, [dy, a, b]: [S::V; 3]) -> S::V {
    let zero = s.splat(0.0);
    let (of_first, of_second) = if second { (zero, dy) } else { (dy, zero) };
    chosen(s, sign, [a, b], of_first, of_second)
}

pub(super) fn forward(f: Binary, isa: Isa, gx: [&Grid; 2], x: [&[f32]; 2], (y, gy): (&mut [f32], &Grid)) {
    let (extents, to) = (Extents::of(gy), (y, View::of(gy)));
    let from = [(x[0], View::of(gx[0])), (x[1], View::of(gx[1]))];
    match f {
        Binary::Add => map(isa, extents, to, from, Together { k: 1.0 }),
        Binary::Subtract => map(isa, extents, to, from, Together { k: -1.0 }),
        Binary::Multiply => map(isa, extents, to, from, map::Product {}),
        Binary::Maximum => map(isa, extents, to, from, Extreme { sign: 1.0 }),
        Binary::Minimum => map(isa, extents, to, from, Extreme { sign: -1.0 }),
    }
}

/// Adds the gradient of input `k` to `dx`, summed where the input was broadcast.
pub(super) fn backward(
    f: Binary,
    isa: Isa,
    k: usize,
    gx: [&Grid; 2],
    x: [&[f32]; 2],
    (dy, gdy): (&[f32], &Grid),
    (dx, gdx): (&mut [f32], &Grid),
) {
    let (extents, view, d) = (Extents::of(gdy), View::of(gdx), (dy, View::of(gdy)));
    let own = Extents::of(gdx);
    let over = [0, 1, 2, 3].map(|i| own.0[i] != extents.0[i]);
    let whole = over == [false; 4];
    let x = [0, 1].map(|k| (x[k], View::of(gx[k])));
    let second = k == 1;
    match f {
        Binary::Add | Binary::Subtract => {
            let factor = if f == Binary::Subtract && second { -1.0 } else { 1.0 };
            if whole {
                map(isa, extents, (dx, view), [d], Adding(Times { k: factor }));
            } else {
                fold(isa, extents, over, ([dx], view), [d], Itself {}, Sum { factor, add: true });
            }
        }
        Binary::Multiply => {
            let from = [d, x[1 - k]];
            if whole {
                map(isa, extents, (dx, view), from, Adding(map::Product {}));
            } else {
                fold(isa, extents, over, ([dx], view), from, fold::Product {}, ADD_SUM);
            }
        }
        Binary::Maximum | Binary::Minimum => {
            let sign = if f == Binary::Maximum { 1.0 } else { -1.0 };
            let from = [d, x[0], x[1]];
            if whole {
                map(isa, extents, (dx, view), from, Adding(ExtremeSlope { sign, second }));
            } else {
                fold(isa, extents, over, ([dx], view), from, ExtremeSlopes { sign, second }, ADD_SUM);
            }
        }
    }
}
