//! One number for many.

use super::Grid;
use super::fold::{Itself, Largest, Sum, fold};
use super::map::{Adding, Times, map};
use super::walk::{Extents, View};
use crate::dispatch::Isa;
use crate::simd::{Kernel, Simd};

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
    let top = gdy.compact();
    let (largest, given) = scratch.split_at_mut(top.numbers());
    forward(Reduction::Max, isa, (x, gx), (&mut *largest, &top));
    given[..largest.len()].fill(0.0);
    isa.train(Give { x, gx, largest, given, top, dy, gdy, dx, gdx });
}

struct Give<'a> {
    x: &'a [f32],
    gx: &'a Grid,
    largest: &'a [f32],
    given: &'a mut [f32],
    top: Grid,
    dy: &'a [f32],
    gdy: &'a Grid,
    dx: &'a mut [f32],
    gdx: &'a Grid,
}

impl Kernel for Give<'_> {
    type Output = ();

    /// In the order of the cells, neighbours that go to outputs of their own together.
    #[inline(always)]
    fn run<S: Simd>(mut self, _: S) {
        let [oh, ow, oc, _] = over(self.gx, self.gdy).map(|over| usize::from(!over));
        let grids = [*self.gx, self.top, *self.gdy, *self.gdx];
        let side_by_side = |g: &Grid| g.lanes == 1 && (g.channel == 1 || g.channels == 1);
        let (channels, unit) = if oc == 1 && grids.iter().all(side_by_side) {
            (1, self.gx.channels)
        } else {
            (self.gx.channels, self.gx.lanes)
        };
        for h in 0..self.gx.height {
            for w in 0..self.gx.width {
                for c in 0..channels {
                    let to = [h * oh, w * ow, c * oc];
                    let at = [[h, w, c], to, to, [h, w, c]];
                    self.cells(std::array::from_fn(|i| grids[i].at(at[i][0], at[i][1], at[i][2])), unit);
                }
            }
        }
    }
}

impl Give<'_> {
    #[inline(always)]
    fn cells(&mut self, [x, o, d, to]: [usize; 4], n: usize) {
        let (x, dy) = (&self.x[x..x + n], &self.dy[d..d + n]);
        let (largest, given) = (&self.largest[o..o + n], &mut self.given[o..o + n]);
        let dx = &mut self.dx[to..to + n];
        for i in 0..n {
            let here = given[i] == 0.0 && (x[i] == largest[i] || x[i].is_nan());
            given[i] = if here { 1.0 } else { given[i] };
            dx[i] += if here { dy[i] } else { 0.0 };
        }
    }
}
