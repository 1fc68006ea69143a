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
    /// What lies within `near` of a half is one.
    fn round(self, at: f64, near: f64) -> f64 {
        let below = at.floor();
        let half = (at - below - 0.5).abs() <= near;
        match self {
            NearestRound::Floor => below,
            NearestRound::Ceil => at.ceil(),
            NearestRound::RoundPreferFloor if half => below,
            NearestRound::RoundPreferCeil if half => below + 1.0,
            NearestRound::RoundPreferFloor | NearestRound::RoundPreferCeil => at.round(),
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
        // A scale that was rounded to f32 puts halves beside themselves; ONNX Runtime allows for as much.
        let near = if self.scales.is_some() { 1e-6 } else { 0.0 };
        let list = |axis, n: usize| -> Vec<usize> {
            self.coordinates(axis, n)
                .map(|at| round.round(at, near).clamp(0.0, n as f64 - 1.0) as usize)
                .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(
        size: usize,
        scale: Option<f32>,
        round: NearestRound,
        coordinates: Coordinates,
        n: usize,
    ) -> Vec<usize> {
        let scales = scale.map(|s| [1.0, s]);
        let resize = Resize { size: [1, size], scales, method: Method::Nearest(round), coordinates };
        let Rearrangement::Nearest { columns, .. } = resize.nearest(round, &Grid::plain([1, n, 1])) else {
            unreachable!("index lists are what it makes");
        };
        columns
    }

    #[test]
    fn whole_places_are_whole_whatever_the_extents() {
        // In f32, 41 times 2 / 82 is below 1.
        assert_eq!(cells(82, None, NearestRound::Floor, Coordinates::Asymmetric, 2)[41], 1);
        for n in 1..60 {
            for m in 1..60 {
                let found = cells(m, None, NearestRound::Floor, Coordinates::Asymmetric, n);
                let exact: Vec<usize> = (0..m).map(|i| i * n / m).collect();
                assert_eq!(found, exact, "{n} to {m}");
                let found = cells(m, None, NearestRound::Ceil, Coordinates::Asymmetric, n);
                let exact: Vec<usize> = (0..m).map(|i| (i * n).div_ceil(m).min(n - 1)).collect();
                assert_eq!(found, exact, "{n} to {m}");
            }
        }
    }

    /// ONNX Runtime 1.32's answers.
    #[test]
    fn given_scales_lead_where_they_were_meant_to() {
        let (low, high) = (NearestRound::RoundPreferFloor, NearestRound::RoundPreferCeil);
        assert_eq!(cells(10, Some(1.2), high, Coordinates::Asymmetric, 9)[9], 8);
        assert_eq!(cells(20, Some(1.3), low, Coordinates::HalfPixel, 16)[19], 14);
        assert_eq!(cells(46, Some(2.9), high, Coordinates::HalfPixel, 16)[43], 15);
        assert_eq!(cells(4, Some(0.6), NearestRound::Floor, Coordinates::Asymmetric, 7), [0, 1, 3, 5]);
    }

    #[test]
    fn one_cell_is_in_the_middle_or_at_the_start() {
        let down = NearestRound::Floor;
        assert_eq!(cells(1, None, down, Coordinates::HalfPixel, 9), [4]);
        assert_eq!(cells(1, None, down, Coordinates::PytorchHalfPixel, 9), [0]);
        assert_eq!(cells(1, None, down, Coordinates::AlignCorners, 9), [0]);
        assert_eq!(cells(1, None, down, Coordinates::TfHalfPixelForNn, 9), [4]);
        assert_eq!(cells(3, None, down, Coordinates::AlignCorners, 9), [0, 4, 8]);
    }
}
