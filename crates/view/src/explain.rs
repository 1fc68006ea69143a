//! The arithmetic of one output cell: which numbers it is made of.
//!
//! ```
//! use foveal_nn::{Conv2dOptions, Padding};
//! use foveal_view::explain::conv2d;
//! use ndarray::Array4;
//!
//! let image = Array4::from_shape_fn((1, 3, 3, 1), |(_, h, w, _)| (3 * h + w + 1) as f32);
//! let filter = Array4::ones((2, 2, 1, 1));
//! let cell = conv2d(image.view(), filter.view(), None, &Conv2dOptions::default(), [0, 0, 0, 0])?;
//! let products: Vec<f32> = cell.terms.iter().filter_map(|t| t.product).collect();
//! assert_eq!((products, cell.value), (vec![1.0, 2.0, 4.0, 5.0], 12.0));
//! # Ok::<(), foveal_view::Error>(())
//! ```

mod decimal;
mod figure;
mod layer;
mod point;

use crate::Error;
use foveal_nn::ops;
use foveal_nn::{Axis, Conv2dGeometry, Conv2dOptions, Pool2dGeometry, Pool2dOptions};
use ndarray::{ArrayView1, ArrayView4, Axis as Dim, Slice};

pub use decimal::Sum;
pub use figure::figure;
pub use layer::{Activated, layer};
pub use point::{Point, Source, point};

/// One input cell's share in an output cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// The input cell `[n, h, w, c]`; height or width lie outside the image where it is padding.
    pub at: [i64; 4],
    /// The number there. Padding counts as 0 in a convolution and a mean, as minus infinity in a maximum.
    pub input: f32,
    /// The filter's number (of a mean: 1 over the count of cells inside the image); a maximum has none.
    pub filter: Option<f32>,
    /// Input times filter; a maximum has none. Padding has 0, whatever the filter holds.
    pub product: Option<f32>,
    /// Whether the cell is padding.
    pub padding: bool,
}

/// One output cell and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The operator.
    pub operator: &'static str,
    /// The output cell `[n, h, w, c]`.
    pub at: [usize; 4],
    /// The shape of the whole output.
    pub output_shape: [usize; 4],
    /// Height and width of the window; each of its cells has as many terms as there are channels.
    pub window: [usize; 2],
    /// The terms, by kernel row, kernel column and channel.
    pub terms: Vec<Term>,
    /// What a convolution adds to their sum.
    pub bias: Option<f32>,
    /// The output cell's value, as the operator itself gives it.
    pub value: f32,
}

impl Explanation {
    /// The terms inside the image.
    pub fn inside(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter().filter(|t| !t.padding)
    }
}

/// Explains cell `at` `[n, h, w, o]` of [`foveal_nn::ops::conv2d`].
///
/// # Errors
/// Those of the operator, and [`Error::OutOfRange`].
pub fn conv2d(
    x: ArrayView4<f32>,
    filter: ArrayView4<f32>,
    bias: Option<ArrayView1<f32>>,
    options: &Conv2dOptions,
    at: [i64; 4],
) -> Result<Explanation, Error> {
    const NAME: &str = "conv2d";
    let g = Conv2dGeometry::new(NAME, x.shape(), filter.shape(), options).map_err(foveal_nn::Error::from)?;
    let cell = inside(NAME, at, g.output_shape())?;
    let [n, h, w, o] = cell;
    let value = ops::conv2d(image(&x, n), filter, bias, options)?[[0, h, w, o]];
    let depth = g.in_channels / g.groups;
    let first = o / (g.out_channels / g.groups) * depth;
    let mut terms = Vec::with_capacity(g.h.kernel * g.w.kernel * depth);
    for (k, l, c) in window(&g.h, &g.w, depth) {
        let f = filter[[k, l, c, o]];
        let input = source(&g.h, &g.w, [h, w], [k, l]).map(|[i, j]| x[[n, i, j, first + c]]);
        terms.push(Term {
            at: place(&g.h, &g.w, cell, [k, l], first + c),
            input: input.unwrap_or(0.0),
            filter: Some(f),
            product: Some(input.map_or(0.0, |v| v * f)),
            padding: input.is_none(),
        });
    }
    let bias = bias.map(|b| b[o]);
    let window = [g.h.kernel, g.w.kernel];
    Ok(Explanation { operator: NAME, at: cell, output_shape: g.output_shape(), window, terms, bias, value })
}

/// Explains cell `at` `[n, h, w, c]` of [`foveal_nn::ops::max_pool`].
///
/// # Errors
/// Those of the operator, and [`Error::OutOfRange`].
pub fn max_pool(x: ArrayView4<f32>, options: &Pool2dOptions, at: [i64; 4]) -> Result<Explanation, Error> {
    pool("max_pool", x, options, at, ops::max_pool, |input, _| Term {
        at: [0; 4],
        input: input.unwrap_or(f32::NEG_INFINITY),
        filter: None,
        product: None,
        padding: input.is_none(),
    })
}

/// Explains cell `at` `[n, h, w, c]` of [`foveal_nn::ops::avg_pool`].
///
/// # Errors
/// Those of the operator, and [`Error::OutOfRange`].
pub fn avg_pool(x: ArrayView4<f32>, options: &Pool2dOptions, at: [i64; 4]) -> Result<Explanation, Error> {
    pool("avg_pool", x, options, at, ops::avg_pool, |input, count| {
        let share = input.map_or(0.0, |_| 1.0 / count as f32);
        Term {
            at: [0; 4],
            input: input.unwrap_or(0.0),
            filter: Some(share),
            product: Some(input.map_or(0.0, |v| v / count as f32)),
            padding: input.is_none(),
        }
    })
}

type Operator = fn(ArrayView4<f32>, &Pool2dOptions) -> Result<ndarray::Array4<f32>, foveal_nn::Error>;

fn pool(
    name: &'static str,
    x: ArrayView4<f32>,
    options: &Pool2dOptions,
    at: [i64; 4],
    operator: Operator,
    term: impl Fn(Option<f32>, usize) -> Term,
) -> Result<Explanation, Error> {
    let g = Pool2dGeometry::new(name, x.shape(), options).map_err(foveal_nn::Error::from)?;
    let cell = inside(name, at, g.output_shape())?;
    let [n, h, w, c] = cell;
    let value = operator(image(&x, n), options)?[[0, h, w, c]];
    let cells: Vec<_> = window(&g.h, &g.w, 1)
        .map(|(k, l, _)| ([k, l], source(&g.h, &g.w, [h, w], [k, l]).map(|[i, j]| x[[n, i, j, c]])))
        .collect();
    let count = cells.iter().filter(|(_, input)| input.is_some()).count();
    let terms = cells
        .into_iter()
        .map(|(kernel, input)| Term { at: place(&g.h, &g.w, cell, kernel, c), ..term(input, count) })
        .collect();
    let window = [g.h.kernel, g.w.kernel];
    let output_shape = g.output_shape();
    Ok(Explanation { operator: name, at: cell, output_shape, window, terms, bias: None, value })
}

/// Image `n` alone, still with four axes.
fn image<'a>(x: &'a ArrayView4<f32>, n: usize) -> ArrayView4<'a, f32> {
    x.slice_axis(Dim(0), Slice::from(n..n + 1))
}

/// The cells of a window: row, column, channel.
fn window(h: &Axis, w: &Axis, depth: usize) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
    let (rows, columns) = (h.kernel, w.kernel);
    (0..rows).flat_map(move |k| (0..columns).flat_map(move |l| (0..depth).map(move |c| (k, l, c))))
}

fn inside(operator: &'static str, at: [i64; 4], shape: [usize; 4]) -> Result<[usize; 4], Error> {
    let mut cell = [0; 4];
    for ((to, &from), &extent) in cell.iter_mut().zip(&at).zip(&shape) {
        *to = usize::try_from(from).ok().filter(|&v| v < extent).ok_or(Error::OutOfRange {
            operator,
            at,
            shape,
        })?;
    }
    Ok(cell)
}

fn source(h: &Axis, w: &Axis, out: [usize; 2], kernel: [usize; 2]) -> Option<[usize; 2]> {
    Some([h.source(out[0], kernel[0])?, w.source(out[1], kernel[1])?])
}

/// Where kernel cell `kernel` of output `cell` lies, be it inside the image or not.
fn place(h: &Axis, w: &Axis, cell: [usize; 4], kernel: [usize; 2], channel: usize) -> [i64; 4] {
    let along =
        |axis: &Axis, o: usize, k: usize| (o * axis.stride + k * axis.dilation) as i64 - axis.before as i64;
    [cell[0] as i64, along(h, cell[1], kernel[0]), along(w, cell[2], kernel[1]), channel as i64]
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveal_nn::Padding;
    use ndarray::{Array1, Array4};

    fn waves(shape: (usize, usize, usize, usize)) -> Array4<f32> {
        let mut i = 0.0f32;
        Array4::from_shape_simple_fn(shape, || {
            i += 1.0;
            (i * 0.7).sin() + 0.3 * (i * 0.13).cos()
        })
    }

    fn close(sum: f64, value: f32, size: f64) {
        assert!((sum - f64::from(value)).abs() <= 1e-5 * size.max(1.0), "{sum} against {value}");
    }

    #[test]
    fn the_terms_of_a_convolution_add_up_to_its_value() {
        let x = waves((2, 7, 6, 4));
        let f = waves((3, 2, 2, 6));
        let bias = Array1::from_iter((0..6).map(|v| v as f32 * 0.5));
        for padding in [Padding::Valid, Padding::Same, Padding::Explicit([2, 0, 1, 3])] {
            let options = Conv2dOptions { strides: [2, 1], dilations: [1, 2], padding, groups: 2 };
            let y = ops::conv2d(x.view(), f.view(), Some(bias.view()), &options).unwrap();
            for ((n, h, w, o), &value) in y.indexed_iter() {
                let at = [n, h, w, o].map(|v| v as i64);
                let e = conv2d(x.view(), f.view(), Some(bias.view()), &options, at).unwrap();
                assert_eq!(e.value.to_bits(), value.to_bits());
                assert_eq!(e.terms.len(), 3 * 2 * 2);
                let products = || e.terms.iter().map(|t| f64::from(t.product.unwrap()));
                let sum = products().sum::<f64>() + f64::from(e.bias.unwrap());
                close(sum, value, products().map(f64::abs).sum());
            }
        }
    }

    #[test]
    fn pooling_counts_only_what_is_inside() {
        let x = waves((1, 5, 5, 2));
        let options = Pool2dOptions { ksize: [3, 2], strides: [2, 2], padding: Padding::Same };
        for ((n, h, w, c), &value) in ops::avg_pool(x.view(), &options).unwrap().indexed_iter() {
            let e = avg_pool(x.view(), &options, [n, h, w, c].map(|v| v as i64)).unwrap();
            let sum: f64 = e.terms.iter().map(|t| f64::from(t.product.unwrap())).sum();
            close(sum, value, 1.0);
            assert_eq!(e.value, value);
        }
        let e = max_pool((-&x).view(), &options, [0, 0, 0, 0]).unwrap();
        assert_eq!(e.terms[0].at, [0, -1, 0, 0]);
        assert!(e.terms[0].padding && e.terms[0].input == f32::NEG_INFINITY && e.terms[0].product.is_none());
        assert_eq!(e.value, e.inside().fold(f32::NEG_INFINITY, |a, t| a.max(t.input)));
    }

    #[test]
    fn a_cell_outside_is_refused() {
        let (x, f) = (waves((1, 3, 3, 1)), waves((2, 2, 1, 1)));
        for at in [[0, 2, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1], [i64::MAX; 4]] {
            let error = conv2d(x.view(), f.view(), None, &Conv2dOptions::default(), at).unwrap_err();
            assert!(error.to_string().contains("[1, 2, 2, 1]"), "{error}");
        }
    }
}
