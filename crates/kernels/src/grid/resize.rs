//! Resizing: where an output cell lies in the input.

use super::{Grid, Rearrangement};

/// Rows and columns read between the cells; the names are ONNX's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resize {
    /// Rows and columns of the output.
    pub size: [usize; 2],
    /// Output extent by input extent, for rows and columns, where the coordinates go by given scales; else they go
    /// by the extents.
    pub scales: Option<[f32; 2]>,
    /// What is read between the cells.
    pub method: Method,
    /// Where an output cell lies in the input.
    pub coordinates: Coordinates,
}

/// What is read between the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The nearest cell.
    Nearest(NearestRound),
    /// Between the two cells around, in proportion, rows and columns alike (bilinear); beyond the border the border's.
    Linear,
}

/// Which cell is the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NearestRound {
    /// Halves go down.
    RoundPreferFloor,
    /// Halves go up.
    RoundPreferCeil,
    /// Down.
    Floor,
    /// Up.
    Ceil,
}

/// Where output cell `i` lies in the input, with `s` the scale (output by input extent).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinates {
    /// `(i + 1/2) / s - 1/2`: TensorFlow 2's and PyTorch's (`align_corners=False`).
    HalfPixel,
    /// The same, but 0 where the output has one cell.
    PytorchHalfPixel,
    /// `i (n - 1) / (m - 1)` for extents n to m, 0 where m is 1: PyTorch's `align_corners=True`.
    AlignCorners,
    /// `i / s`.
    Asymmetric,
    /// `(i + 1/2) / s`, for the nearest cell below: TensorFlow 2's and PyTorch's `nearest-exact`.
    TfHalfPixelForNn,
}

impl Coordinates {
    /// Where output cell `i` of `m` lies among `n` input cells. By the extents the quotient is that of whole
    /// numbers, rounded once; by a given scale it is computed in f32, as ONNX Runtime does, so that a scale
    /// such as 0.6 leads to the cell that its writer meant.
    fn at(self, i: usize, n: usize, m: usize, scale: Option<f32>) -> f64 {
        let (i, n, m) = (i as f64, n as f64, m as f64);
        match (self, scale) {
            (Coordinates::PytorchHalfPixel, _) if m == 1.0 => 0.0,
            (Coordinates::AlignCorners, _) => {
                if m == 1.0 {
                    0.0
                } else {
                    i * (n - 1.0) / (m - 1.0)
                }
            }
            (Coordinates::HalfPixel | Coordinates::PytorchHalfPixel, None) => {
                ((2.0 * i + 1.0) * n - m) / (2.0 * m)
            }
            (Coordinates::Asymmetric, None) => i * n / m,
            (Coordinates::TfHalfPixelForNn, None) => (2.0 * i + 1.0) * n / (2.0 * m),
            (Coordinates::HalfPixel | Coordinates::PytorchHalfPixel, Some(s)) => {
                f64::from((i as f32 + 0.5) / s - 0.5)
            }
            (Coordinates::Asymmetric, Some(s)) => f64::from(i as f32 / s),
            (Coordinates::TfHalfPixelForNn, Some(s)) => f64::from((i as f32 + 0.5) / s),
        }
    }
}

impl NearestRound {
    fn round(self, at: f64) -> f64 {
        match self {
            NearestRound::RoundPreferFloor => (at - 0.5).ceil(),
            NearestRound::RoundPreferCeil => (at + 0.5).floor(),
            NearestRound::Floor => at.floor(),
            NearestRound::Ceil => at.ceil(),
        }
    }
}

impl Resize {
    /// The coordinates of one axis: 0 for rows, 1 for columns.
    pub(super) fn coordinates(&self, axis: usize, n: usize) -> impl Iterator<Item = f64> {
        let (m, scale, how) = (self.size[axis], self.scales.map(|s| s[axis]), self.coordinates);
        (0..m).map(move |i| how.at(i, n, m, scale).clamp(-1.0, n as f64))
    }

    /// The index lists of nearest cells.
    pub(super) fn nearest(&self, round: NearestRound, x: &Grid) -> Rearrangement {
        let list = |axis, n: usize| -> Vec<usize> {
            self.coordinates(axis, n).map(|at| round.round(at).clamp(0.0, n as f64 - 1.0) as usize).collect()
        };
        Rearrangement::Nearest { rows: list(0, x.height), columns: list(1, x.width) }
    }

    /// Operations for one image `x`: each row is made of two, then each cell of two.
    pub(super) fn flops(&self, x: [usize; 3]) -> u64 {
        if self.method != Method::Linear {
            return 0;
        }
        let cells = (x[1] as u64).saturating_add(self.size[1] as u64).saturating_mul(x[2] as u64);
        (self.size[0] as u64).saturating_mul(cells).saturating_mul(3)
    }
}
