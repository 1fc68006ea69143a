//! One number for many.

use super::Grid;
use super::fold::{Itself, Largest, Sum, fold};
use super::map::{Adding, Times, map};
use super::walk::{Extents, View};
use crate::dispatch::Isa;

/// What is made of many numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// The largest; the gradient goes to the first of equal ones in the order height, width, channel. Not-a-number
    /// spreads.
    Max,
}

fn over(gx: &Grid, gy: &Grid) -> [bool; 4] {
    let (x, y) = (gx.shape(), gy.shape());
    [x[0] != y[0], x[1] != y[1], x[2] != y[2], false]
}

/// What each number counts.
fn share(how: Reduction, gx: &Grid, gy: &Grid) -> f32 {
    if how == Reduction::Mean { (gy.numbers() as f64 / gx.numbers() as f64) as f32 } else { 1.0 }
}

pub(super) fn scratch(how: Reduction, y: &Grid) -> usize {
    if how == Reduction::Max { 2 * y.numbers() } else { 0 }
}

pub(super) fn forward(how: Reduction, isa: Isa, (x, gx): (&[f32], &Grid), (y, gy): (&mut [f32], &Grid)) {
    let (extents, to, from) = (Extents::of(gx), ([y], View::of(gy)), [(x, View::of(gx))]);
    match how {
        Reduction::Max => fold(isa, extents, over(gx, gy), to, from, Itself {}, Largest),
        Reduction::Mean | Reduction::Sum => {
            fold(
                isa,
                extents,
                over(gx, gy),
                to,
                from,
                Itself {},
                Sum { factor: share(how, gx, gy), add: false },
            );
        }
    }
}

/// Spreads the gradient.
pub(super) fn backward(
    how: Reduction,
    isa: Isa,
    (x, gx): (&[f32], &Grid),
    (dy, gdy): (&[f32], &Grid),
    (dx, gdx): (&mut [f32], &Grid),
    scratch: &mut [f32],
) {
    if how == Reduction::Max {
        return to_the_largest(isa, (x, gx), (dy, gdy), (dx, gdx), scratch);
    }
    let k = share(how, gdx, gdy);
    map(isa, Extents::of(gdx), (dx, View::of(gdx)), [(dy, View::of(gdy))], Adding(Times { k }));
}

/// The scratch holds the largest, and whether their gradients have been given away.
fn to_the_largest(
    isa: Isa,
    (x, gx): (&[f32], &Grid),
    (dy, gdy): (&[f32], &Grid),
    (dx, gdx): (&mut [f32], &Grid),
    scratch: &mut [f32],
) {
    let largest = gdy.compact();
    let (top, given) = scratch.split_at_mut(largest.numbers());
    forward(Reduction::Max, isa, (x, gx), (&mut *top, &largest));
    given[..top.len()].fill(0.0);
    let kept = over(gx, gdy).map(|over| usize::from(!over));
    for h in 0..gx.height {
        for w in 0..gx.width {
            for c in 0..gx.channels {
                let [oh, ow, oc] = [h * kept[0], w * kept[1], c * kept[2]];
                let (i, o, d) = (gx.at(h, w, c), largest.at(oh, ow, oc), gdy.at(oh, ow, oc));
                let to = gdx.at(h, w, c);
                for l in 0..gx.lanes {
                    let v = x[i + l];
                    if given[o + l] == 0.0 && (v == top[o + l] || v.is_nan()) {
                        given[o + l] = 1.0;
                        dx[to + l] += dy[d + l];
                    }
                }
            }
        }
    }
}
