//! Two arrays `[n, h, w, c]`, number by number, with NumPy's broadcasting.

use ndarray::{Array4, Axis, Zip};

/// A function of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `a + b`.
    Add,
    /// `a - b`.
    Subtract,
    /// `a b`.
    Multiply,
    /// The larger, the first of equal ones.
    Maximum,
    /// The smaller, the first of equal ones.
    Minimum,
}

impl Binary {
    /// The value and the slopes by either.
    fn at(self, a: f64, b: f64) -> (f64, [f64; 2]) {
        let choose = |first: bool| if first { (a, [1.0, 0.0]) } else { (b, [0.0, 1.0]) };
        match self {
            Binary::Add => (a + b, [1.0, 1.0]),
            Binary::Subtract => (a - b, [1.0, -1.0]),
            Binary::Multiply => (a * b, [b, a]),
            Binary::Maximum => choose(a >= b),
            Binary::Minimum => choose(a <= b),
        }
    }
}

fn broadcast(a: &Array4<f64>, b: &Array4<f64>) -> [Array4<f64>; 2] {
    let to: Vec<usize> = a.shape().iter().zip(b.shape()).map(|(m, n)| *m.max(n)).collect();
    let to = [to[0], to[1], to[2], to[3]];
    [a, b].map(|v| v.broadcast(to).expect("an extent of 1, or the same").to_owned())
}

/// The result.
///
/// # Panics
/// If the shapes do not go together.
#[must_use]
pub fn binary(f: Binary, a: &Array4<f64>, b: &Array4<f64>) -> Array4<f64> {
    let [a, b] = broadcast(a, b);
    Zip::from(&a).and(&b).map_collect(|&a, &b| f.at(a, b).0)
}

/// The gradients of both.
///
/// # Panics
/// If the shapes do not go together.
#[must_use]
pub fn binary_backward(f: Binary, d_y: &Array4<f64>, a: &Array4<f64>, b: &Array4<f64>) -> [Array4<f64>; 2] {
    let wide = broadcast(a, b);
    [0, 1].map(|k| {
        let mut d = Zip::from(d_y).and(&wide[0]).and(&wide[1]).map_collect(|&d, &a, &b| d * f.at(a, b).1[k]);
        for axis in 0..4 {
            if [a, b][k].shape()[axis] < d.shape()[axis] {
                d = d.sum_axis(Axis(axis)).insert_axis(Axis(axis));
            }
        }
        d
    })
}
