//! One number for many.

use super::Grid;
use super::resize::each;

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

/// The output's place of an input cell.
fn place(gx: &Grid, gy: &Grid, cell: [usize; 3]) -> usize {
    let kept = |a: usize| if gy.shape()[a] == gx.shape()[a] { cell[a] } else { 0 };
    gy.at(kept(0), kept(1), kept(2))
}

fn count(gx: &Grid, gy: &Grid) -> f32 {
    (gx.shape().iter().product::<usize>() / gy.shape().iter().product::<usize>()) as f32
}

pub(super) fn forward(how: Reduction, gx: &Grid, x: &[f32], gy: &Grid, y: &mut [f32]) {
    let first = if how == Reduction::Max { f32::NEG_INFINITY } else { 0.0 };
    each(gy, |[h, w, c], l| y[gy.at(h, w, c) + l] = first);
    each(gx, |o, l| {
        let v = x[gx.at(o[0], o[1], o[2]) + l];
        let y = &mut y[place(gx, gy, o) + l];
        match how {
            Reduction::Max if v > *y || v.is_nan() => *y = v,
            Reduction::Max => {}
            Reduction::Mean | Reduction::Sum => *y += v,
        }
    });
    if how == Reduction::Mean {
        let n = count(gx, gy);
        each(gy, |[h, w, c], l| y[gy.at(h, w, c) + l] /= n);
    }
}

/// Spreads the gradient; the scratch holds a number for each of the output's, its maximum.
pub(super) fn backward(
    how: Reduction,
    gx: &Grid,
    x: &[f32],
    gdy: &Grid,
    dy: &[f32],
    gdx: &Grid,
    dx: &mut [f32],
    scratch: &mut [f32],
) {
    let n = if how == Reduction::Mean { count(gdx, gdy) } else { 1.0 };
    if how != Reduction::Max {
        each(gdx, |o, l| {
            dx[gdx.at(o[0], o[1], o[2]) + l] += dy[place(gdx, gdy, o) + l] / n;
        });
        return;
    }
    let top = Grid { lanes: gx.lanes, ..compact(gdy) };
    forward(Reduction::Max, gx, x, &top, scratch);
    let (top_of, done) = scratch.split_at_mut(top.end());
    done[..top.end()].fill(0.0);
    each(gx, |o, l| {
        let p = place(gx, &top, o) + l;
        let v = x[gx.at(o[0], o[1], o[2]) + l];
        if done[p] == 0.0 && (v == top_of[p] || v.is_nan()) {
            done[p] = 1.0;
            dx[gdx.at(o[0], o[1], o[2]) + l] += dy[place(gx, gdy, o) + l];
        }
    });
}

/// The same cells with nothing around them.
pub(super) fn compact(g: &Grid) -> Grid {
    let [h, w, c] = g.shape();
    let lanes = g.lanes;
    Grid {
        row: w * c * lanes,
        column: c * lanes,
        channel: lanes,
        origin: 0,
        height: h,
        width: w,
        channels: c,
        lanes,
    }
}
