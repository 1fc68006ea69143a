//! Rows of a table, looked up by number.

use ndarray::{Array2, Array4};

/// `y[n, h, w] = table[ids[n, h, w, 0]]`, each number rounded to the nearest whole one.
///
/// # Panics
/// If a number is not that of a row.
#[must_use]
pub fn embedding(ids: &Array4<f64>, table: &Array2<f64>) -> Array4<f64> {
    let (n, h, w, c) = ids.dim();
    assert_eq!(c, 1, "numbers have one channel");
    Array4::from_shape_fn((n, h, w, table.ncols()), |(n, h, w, c)| {
        table[[ids[[n, h, w, 0]].round() as usize, c]]
    })
}

/// The gradient of [`embedding`] with respect to a table of `rows` rows.
///
/// # Panics
/// If the shapes do not fit each other.
#[must_use]
pub fn embedding_backward(d_y: &Array4<f64>, ids: &Array4<f64>, rows: usize) -> Array2<f64> {
    let mut d_table = Array2::zeros((rows, d_y.dim().3));
    for ((n, h, w, c), d) in d_y.indexed_iter() {
        d_table[[ids[[n, h, w, 0]].round() as usize, c]] += d;
    }
    d_table
}
