//! Maximum and average pooling.

use crate::geometry::{Axis, Pad};
use ndarray::{Array2, Array4};

/// Calls `f(y, cells)` for every output, with the indices of the cells of its
/// window that lie inside the image, in row-major order.
fn for_each_window(
    x: [usize; 4],
    ksize: [usize; 2],
    strides: [usize; 2],
    padding: Pad,
    mut f: impl FnMut([usize; 4], &[[usize; 4]]),
) {
    let (rows, cols) = axes(x, ksize, strides, padding);
    let mut cells = Vec::new();
    for n in 0..x[0] {
        for r in 0..rows.out {
            for c in 0..cols.out {
                for channel in 0..x[3] {
                    cells.clear();
                    for i in 0..ksize[0] {
                        for j in 0..ksize[1] {
                            if let (Some(xr), Some(xc)) = (rows.input(r, i), cols.input(c, j)) {
                                cells.push([n, xr, xc, channel]);
                            }
                        }
                    }
                    f([n, r, c, channel], &cells);
                }
            }
        }
    }
}

fn axes(x: [usize; 4], ksize: [usize; 2], strides: [usize; 2], padding: Pad) -> (Axis, Axis) {
    (
        Axis::new(0, x[1], ksize[0], strides[0], 1, padding),
        Axis::new(1, x[2], ksize[1], strides[1], 1, padding),
    )
}

fn zeros_of_output(x: [usize; 4], ksize: [usize; 2], strides: [usize; 2], padding: Pad) -> Array4<f64> {
    let (rows, cols) = axes(x, ksize, strides, padding);
    Array4::zeros((x[0], rows.out, cols.out, x[3]))
}

fn shape(a: &Array4<f64>) -> [usize; 4] {
    let (a, b, c, d) = a.dim();
    [a, b, c, d]
}

/// The cell that is a window's maximum: the first NaN, or the first of the largest.
fn winner(x: &Array4<f64>, cells: &[[usize; 4]]) -> Option<[usize; 4]> {
    if let Some(nan) = cells.iter().find(|&&cell| x[cell].is_nan()) {
        return Some(*nan);
    }
    let largest = cells.iter().map(|&cell| x[cell]).reduce(f64::max)?;
    cells.iter().copied().find(|&cell| x[cell] == largest)
}

/// Maximum of each window; padding counts as minus infinity, NaN propagates.
///
/// A window without a cell of the image (explicit padding as wide as the
/// window) gives minus infinity.
///
/// # Panics
/// If the window does not fit.
#[must_use]
pub fn max_pool(x: &Array4<f64>, ksize: [usize; 2], strides: [usize; 2], padding: Pad) -> Array4<f64> {
    let mut y = zeros_of_output(shape(x), ksize, strides, padding);
    for_each_window(shape(x), ksize, strides, padding, |out, cells| {
        y[out] = winner(x, cells).map_or(f64::NEG_INFINITY, |cell| x[cell]);
    });
    y
}

/// The gradient of [`max_pool`]: all of it to the maximum, to the first in row-major order of equals.
///
/// # Panics
/// If the shapes do not fit each other.
#[must_use]
pub fn max_pool_backward(
    d_y: &Array4<f64>,
    x: &Array4<f64>,
    ksize: [usize; 2],
    strides: [usize; 2],
    padding: Pad,
) -> Array4<f64> {
    let expected = zeros_of_output(shape(x), ksize, strides, padding);
    assert_eq!(d_y.dim(), expected.dim(), "the upstream gradient has the output's shape");
    let mut d_x = Array4::zeros(x.dim());
    for_each_window(shape(x), ksize, strides, padding, |out, cells| {
        if let Some(cell) = winner(x, cells) {
            d_x[cell] += d_y[out];
        }
    });
    d_x
}

/// Mean of the cells of each window that lie inside the image.
///
/// A window without a cell of the image (explicit padding as wide as the
/// window) gives 0.
///
/// # Panics
/// If the window does not fit.
#[must_use]
pub fn avg_pool(x: &Array4<f64>, ksize: [usize; 2], strides: [usize; 2], padding: Pad) -> Array4<f64> {
    let mut y = zeros_of_output(shape(x), ksize, strides, padding);
    for_each_window(shape(x), ksize, strides, padding, |out, cells| {
        let sum: f64 = cells.iter().map(|&cell| x[cell]).sum();
        y[out] = sum / cells.len().max(1) as f64;
    });
    y
}

/// The gradient of [`avg_pool`] with respect to an input of shape `x_shape`.
///
/// # Panics
/// If the shapes do not fit each other.
#[must_use]
pub fn avg_pool_backward(
    d_y: &Array4<f64>,
    x_shape: [usize; 4],
    ksize: [usize; 2],
    strides: [usize; 2],
    padding: Pad,
) -> Array4<f64> {
    let expected = zeros_of_output(x_shape, ksize, strides, padding);
    assert_eq!(d_y.dim(), expected.dim(), "the upstream gradient has the output's shape");
    let mut d_x = Array4::zeros(x_shape);
    for_each_window(x_shape, ksize, strides, padding, |out, cells| {
        for &cell in cells {
            d_x[cell] += d_y[out] / cells.len() as f64;
        }
    });
    d_x
}

/// Mean over rows and columns: `[n, h, w, c]` to `[n, c]`.
///
/// # Panics
/// If the image has no cells.
#[must_use]
pub fn global_average_pool(x: &Array4<f64>) -> Array2<f64> {
    let (batch, height, width, channels) = x.dim();
    assert!(height * width > 0, "an image without cells has no mean");
    Array2::from_shape_fn((batch, channels), |(n, c)| {
        let cells = (0..height).flat_map(|r| (0..width).map(move |q| (r, q)));
        cells.map(|(r, q)| x[[n, r, q, c]]).sum::<f64>() / (height * width) as f64
    })
}

/// The gradient of [`global_average_pool`] with respect to an input of shape `x_shape`.
#[must_use]
pub fn global_average_pool_backward(d_y: &Array2<f64>, x_shape: [usize; 4]) -> Array4<f64> {
    let area = (x_shape[1] * x_shape[2]) as f64;
    Array4::from_shape_fn(x_shape, |(n, _, _, c)| d_y[[n, c]] / area)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(values: &[f64]) -> Array4<f64> {
        Array4::from_shape_vec((1, 1, values.len(), 1), values.to_vec()).unwrap()
    }

    #[test]
    fn nan_propagates_and_takes_the_gradient() {
        let x = image(&[1.0, f64::NAN, f64::INFINITY, f64::NAN]);
        let y = max_pool(&x, [1, 4], [1, 1], Pad::Valid);
        assert!(y[[0, 0, 0, 0]].is_nan());
        let d_x = max_pool_backward(&image(&[2.0]), &x, [1, 4], [1, 1], Pad::Valid);
        assert_eq!(d_x, image(&[0.0, 2.0, 0.0, 0.0]));
    }

    #[test]
    fn padding_is_minus_infinity_and_not_counted() {
        let x = image(&[-3.0, -1.0, -2.0]);
        let y = max_pool(&x, [1, 3], [1, 2], Pad::Same);
        assert_eq!(y, image(&[-1.0, -1.0]));
        let y = avg_pool(&x, [1, 3], [1, 2], Pad::Same);
        assert_eq!(y, image(&[-2.0, -1.5]));
    }

    #[test]
    fn the_first_of_equals_takes_the_gradient() {
        let inf = f64::NEG_INFINITY;
        for x in [image(&[0.0, 5.0, 5.0]), image(&[inf, inf, inf])] {
            let d_x = max_pool_backward(&image(&[1.0]), &x, [1, 3], [1, 1], Pad::Valid);
            let at = usize::from(x[[0, 0, 1, 0]] == 5.0);
            assert_eq!(d_x[[0, 0, at, 0]], 1.0);
            assert_eq!(d_x.sum(), 1.0);
        }
    }
}
