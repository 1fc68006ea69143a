//! Two-dimensional cross-correlation.

use crate::geometry::{Axis, Pad};
use ndarray::{Array1, Array4, Axis as Dim};

/// Calls `f(y, x, w)` with the indices of every product of the convolution.
///
/// The one definition that forward and backward share:
/// `y[n, r, c, o] += x[n, r s - before + i d, ..., g I + ci] * w[i, j, ci, o]`
/// where `I` is the filter's depth and `g` the group of output channel `o`.
fn for_each_product(
    x: [usize; 4],
    w: [usize; 4],
    strides: [usize; 2],
    dilations: [usize; 2],
    padding: Pad,
    groups: usize,
    mut f: impl FnMut([usize; 4], [usize; 4], [usize; 4]),
) -> [usize; 4] {
    let [batch, height, width, channels] = x;
    let [kh, kw, depth, filters] = w;
    assert!(groups > 0 && filters % groups == 0, "{filters} filters in {groups} groups");
    assert_eq!(depth * groups, channels, "filter depth times groups is the input's channels");
    let rows = Axis::new(0, height, kh, strides[0], dilations[0], padding);
    let cols = Axis::new(1, width, kw, strides[1], dilations[1], padding);
    for n in 0..batch {
        for r in 0..rows.out {
            for c in 0..cols.out {
                for i in 0..rows.k {
                    for j in 0..cols.k {
                        let (Some(xr), Some(xc)) = (rows.input(r, i), cols.input(c, j)) else {
                            continue;
                        };
                        for ci in 0..depth {
                            for o in 0..filters {
                                let group = o / (filters / groups);
                                let x_channel = group * depth + ci;
                                f([n, r, c, o], [n, xr, xc, x_channel], [i, j, ci, o]);
                            }
                        }
                    }
                }
            }
        }
    }
    [batch, rows.out, cols.out, filters]
}

fn shape(a: &Array4<f64>) -> [usize; 4] {
    let (a, b, c, d) = a.dim();
    [a, b, c, d]
}

/// `conv2d`: `x` is `[n, h, w, c]`, `w` is `[kh, kw, c / groups, o]`, the result `[n, h', w', o]`.
///
/// # Panics
/// If the shapes do not fit each other.
#[must_use]
pub fn conv2d(
    x: &Array4<f64>,
    w: &Array4<f64>,
    bias: Option<&Array1<f64>>,
    strides: [usize; 2],
    dilations: [usize; 2],
    padding: Pad,
    groups: usize,
) -> Array4<f64> {
    let (xs, ws) = (shape(x), shape(w));
    let of_empty_batch = [0, xs[1], xs[2], xs[3]];
    let products = |x_shape, f: &mut dyn FnMut([usize; 4], [usize; 4], [usize; 4])| {
        for_each_product(x_shape, ws, strides, dilations, padding, groups, f)
    };
    let [_, rows, cols, filters] = products(of_empty_batch, &mut |_, _, _| {});
    let mut y = Array4::zeros((xs[0], rows, cols, filters));
    products(xs, &mut |yi, xi, wi| y[yi] += x[xi] * w[wi]);
    if let Some(bias) = bias {
        assert_eq!(bias.len(), filters, "one bias per filter");
        y += bias;
    }
    y
}

/// The gradient of [`conv2d`] with respect to its input, of shape `x_shape`.
///
/// # Panics
/// If the shapes do not fit each other.
#[must_use]
pub fn conv2d_backward_input(
    d_y: &Array4<f64>,
    w: &Array4<f64>,
    x_shape: [usize; 4],
    strides: [usize; 2],
    dilations: [usize; 2],
    padding: Pad,
    groups: usize,
) -> Array4<f64> {
    let mut d_x = Array4::zeros(x_shape);
    let y_shape = for_each_product(x_shape, shape(w), strides, dilations, padding, groups, |yi, xi, wi| {
        d_x[xi] += d_y[yi] * w[wi]
    });
    assert_eq!(shape(d_y), y_shape, "the upstream gradient has the output's shape");
    d_x
}

/// The gradient of [`conv2d`] with respect to its filter, of shape `w_shape`.
///
/// # Panics
/// If the shapes do not fit each other.
#[must_use]
pub fn conv2d_backward_filter(
    d_y: &Array4<f64>,
    x: &Array4<f64>,
    w_shape: [usize; 4],
    strides: [usize; 2],
    dilations: [usize; 2],
    padding: Pad,
    groups: usize,
) -> Array4<f64> {
    let mut d_w = Array4::zeros(w_shape);
    let y_shape = for_each_product(shape(x), w_shape, strides, dilations, padding, groups, |yi, xi, wi| {
        d_w[wi] += d_y[yi] * x[xi]
    });
    assert_eq!(shape(d_y), y_shape, "the upstream gradient has the output's shape");
    d_w
}

/// The gradient of [`conv2d`] with respect to its bias: `d_y` summed over all but the channels.
#[must_use]
pub fn conv2d_backward_bias(d_y: &Array4<f64>) -> Array1<f64> {
    let filters = d_y.len_of(Dim(3));
    Array1::from_shape_fn(filters, |o| d_y.index_axis(Dim(3), o).sum())
}
