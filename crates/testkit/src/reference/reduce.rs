//! One number for many of `[n, h, w, c]`; reduced extents become 1.

use ndarray::{Array4, Axis};

/// What is made of many numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// The first of the largest in row-major order, or the first that is not a number.
    Max,
}

/// The cell of the output that a cell goes into.
fn into([n, h, w, c]: [usize; 4], over: [bool; 3]) -> [usize; 4] {
    let kept = |i: usize, over: bool| if over { 0 } else { i };
    [n, kept(h, over[0]), kept(w, over[1]), kept(c, over[2])]
}

/// The first of the largest for each output cell.
fn winners(x: &Array4<f64>, over: [bool; 3]) -> Vec<([usize; 4], [usize; 4])> {
    let mut winners: Vec<([usize; 4], [usize; 4])> = Vec::new();
    for ((n, h, w, c), &v) in x.indexed_iter() {
        let (cell, to) = ([n, h, w, c], into([n, h, w, c], over));
        match winners.iter_mut().find(|(o, _)| *o == to) {
            None => winners.push((to, cell)),
            Some((_, best)) if !x[*best].is_nan() && (v > x[*best] || v.is_nan()) => *best = cell,
            Some(_) => {}
        }
    }
    winners
}

/// Over height, width and channels where `over` says so.
#[must_use]
pub fn reduce(how: Reduction, x: &Array4<f64>, over: [bool; 3]) -> Array4<f64> {
    let mut y = x.clone();
    if how == Reduction::Max {
        let (n, h, w, c) = x.dim();
        let last = into([n - 1, h - 1, w - 1, c - 1], over);
        let mut y = Array4::zeros(last.map(|i| i + 1));
        winners(x, over).into_iter().for_each(|(to, cell)| y[to] = x[cell]);
        return y;
    }
    for (axis, over) in over.into_iter().enumerate() {
        let axis = Axis(axis + 1);
        if over {
            y = y.sum_axis(axis).insert_axis(axis);
        }
    }
    if how == Reduction::Mean {
        y /= (x.len() / y.len()) as f64;
    }
    y
}

/// The gradient of [`reduce`].
#[must_use]
pub fn reduce_backward(how: Reduction, d_y: &Array4<f64>, x: &Array4<f64>, over: [bool; 3]) -> Array4<f64> {
    if how == Reduction::Max {
        let mut d_x = Array4::zeros(x.dim());
        winners(x, over).into_iter().for_each(|(to, cell)| d_x[cell] += d_y[to]);
        return d_x;
    }
    let share = if how == Reduction::Mean { d_y.len() as f64 / x.len() as f64 } else { 1.0 };
    d_y.broadcast(x.dim()).expect("extents of 1").to_owned() * share
}
