//! Two inputs, number by number, with NumPy's broadcasting.

use super::Grid;
use super::resize::each;

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

    fn value(self, a: f32, b: f32) -> f32 {
        match self {
            Binary::Add => a + b,
            Binary::Subtract => a - b,
            Binary::Multiply => a * b,
            Binary::Maximum if a >= b || a.is_nan() => a,
            Binary::Minimum if a <= b || a.is_nan() => a,
            Binary::Maximum | Binary::Minimum => b,
        }
    }

    fn slope(self, k: usize, a: f32, b: f32) -> f32 {
        let first = match self {
            Binary::Add => return 1.0,
            Binary::Subtract => return [1.0, -1.0][k],
            Binary::Multiply => return [b, a][k],
            Binary::Maximum => a >= b || a.is_nan(),
            Binary::Minimum => a <= b || a.is_nan(),
        };
        f32::from(u8::from(first == (k == 0)))
    }
}

/// The place of an output cell's number in an input, which may be broadcast.
fn place(g: &Grid, [h, w, c]: [usize; 3]) -> usize {
    g.at(h.min(g.height - 1), w.min(g.width - 1), c.min(g.channels - 1))
}

pub(super) fn forward(f: Binary, gx: [&Grid; 2], x: [&[f32]; 2], gy: &Grid, y: &mut [f32]) {
    each(gy, |o, l| {
        let [a, b] = [0, 1].map(|k| x[k][place(gx[k], o) + l]);
        y[place(gy, o) + l] = f.value(a, b);
    });
}

pub(super) fn backward(
    f: Binary,
    k: usize,
    gx: [&Grid; 2],
    x: [&[f32]; 2],
    gdy: &Grid,
    dy: &[f32],
    gdx: &Grid,
    dx: &mut [f32],
) {
    each(gdy, |o, l| {
        let [a, b] = [0, 1].map(|k| if f.reads_input() { x[k][place(gx[k], o) + l] } else { 0.0 });
        dx[place(gdx, o) + l] += dy[place(gdy, o) + l] * f.slope(k, a, b);
    });
}
