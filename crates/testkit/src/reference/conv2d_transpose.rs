//! Two-dimensional transposed convolution: each input cell writes a filter's worth of outputs.

use crate::geometry::{Pad, transposed_extent};
use ndarray::{Array1, Array4};

/// A transposed convolution: `x` is `[n, h, w, c]`, `w` `[kh, kw, o / groups, c]`, the result `[n, h', w', o]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose {
    /// Rows and columns.
    pub strides: [usize; 2],
    /// Rows and columns.
    pub dilations: [usize; 2],
    /// VALID, SAME or cells cut off.
    pub padding: Pad,
    /// Rows and columns added after.
    pub output_padding: [usize; 2],
    /// The filter's third extent is the output's channels divided by this.
    pub groups: usize,
}

impl ConvTranspose {
    /// The output's shape, if there is one.
    #[must_use]
    pub fn output_shape(&self, x: [usize; 4], w: [usize; 4]) -> Option<[usize; 4]> {
        let [h, w_] = [self.axis(0, x[1], w[0])?, self.axis(1, x[2], w[1])?];
        (x[3] == w[3] && self.groups > 0 && x[3].is_multiple_of(self.groups))
            .then(|| [x[0], h.0, w_.0, w[2] * self.groups])
    }

    /// The output's extent along one axis and the cells cut off before it.
    fn axis(&self, axis: usize, n: usize, k: usize) -> Option<(usize, usize)> {
        let numbers = [self.strides, self.dilations, self.output_padding].map(|v| v[axis] as i128);
        let (out, before, _) = transposed_extent(n as i128, k as i128, numbers, self.padding.axis(axis))?;
        Some((out as usize, before as usize))
    }

    /// Calls `f(x, w, y)` with the indices of every product, the one definition that forward and backward share:
    /// `y[n, r s - before + i d, ..., g O + o] += x[n, r, ..., c] w[i, j, o, c]` where `O` is the filter's third
    /// extent and `g` the group of input channel `c`.
    fn for_each_product(
        &self,
        x: [usize; 4],
        w: [usize; 4],
        mut f: impl FnMut([usize; 4], [usize; 4], [usize; 4]),
    ) {
        let y = self.output_shape(x, w).unwrap_or_else(|| panic!("{self:?} of {x:?} and {w:?}"));
        let before = [0, 1].map(|a| self.axis(a, x[1 + a], w[a]).expect("has a shape").1);
        let target = |axis: usize, at: usize, cell: usize| {
            let place = at * self.strides[axis] + cell * self.dilations[axis];
            place.checked_sub(before[axis]).filter(|&p| p < y[1 + axis])
        };
        for n in 0..x[0] {
            for (r, s) in (0..x[1]).flat_map(|r| (0..x[2]).map(move |s| (r, s))) {
                for (i, j) in (0..w[0]).flat_map(|i| (0..w[1]).map(move |j| (i, j))) {
                    let (Some(to_row), Some(to_col)) = (target(0, r, i), target(1, s, j)) else {
                        continue;
                    };
                    for c in 0..x[3] {
                        let group = c / (x[3] / self.groups);
                        for o in 0..w[2] {
                            f([n, r, s, c], [i, j, o, c], [n, to_row, to_col, group * w[2] + o]);
                        }
                    }
                }
            }
        }
    }

    /// The result, with one number of `bias` added to each channel.
    ///
    /// # Panics
    /// If the shapes do not fit each other.
    #[must_use]
    pub fn forward(&self, x: &Array4<f64>, w: &Array4<f64>, bias: Option<&Array1<f64>>) -> Array4<f64> {
        let (xs, ws) = (shape(x), shape(w));
        let mut y = Array4::zeros(self.output_shape(xs, ws).expect("shapes that fit"));
        self.for_each_product(xs, ws, |xi, wi, yi| y[yi] += x[xi] * w[wi]);
        if let Some(bias) = bias {
            y += bias;
        }
        y
    }

    /// The gradient with respect to an input of shape `x`.
    ///
    /// # Panics
    /// If the shapes do not fit each other.
    #[must_use]
    pub fn backward_input(&self, d_y: &Array4<f64>, w: &Array4<f64>, x: [usize; 4]) -> Array4<f64> {
        let mut d_x = Array4::zeros(x);
        assert_eq!(self.output_shape(x, shape(w)), Some(shape(d_y)));
        self.for_each_product(x, shape(w), |xi, wi, yi| d_x[xi] += d_y[yi] * w[wi]);
        d_x
    }

    /// The gradient with respect to a filter of shape `w`.
    ///
    /// # Panics
    /// If the shapes do not fit each other.
    #[must_use]
    pub fn backward_filter(&self, d_y: &Array4<f64>, x: &Array4<f64>, w: [usize; 4]) -> Array4<f64> {
        let mut d_w = Array4::zeros(w);
        assert_eq!(self.output_shape(shape(x), w), Some(shape(d_y)));
        self.for_each_product(shape(x), w, |xi, wi, yi| d_w[wi] += d_y[yi] * x[xi]);
        d_w
    }
}

fn shape(a: &Array4<f64>) -> [usize; 4] {
    let (a, b, c, d) = a.dim();
    [a, b, c, d]
}
