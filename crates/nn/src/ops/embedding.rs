use super::views::{expect, rows, slice};
use crate::Error;
use ndarray::{Array2, Array4, ArrayView2, ArrayView4};

/// Looks up a row of `table` `[vocabulary, size]` for each number of `ids` `[n, h, w, 1]`: `[n, h, w, size]`.
///
/// # Errors
/// When `ids` has more than one channel or a number that is not whole or not from 0 to `vocabulary - 1`.
///
/// ```
/// use ndarray::array;
/// let table = array![[0.0f32, 0.1], [1.0, 1.1], [2.0, 2.1]];
/// let y = foveal_nn::ops::embedding(array![[[[2.0], [0.0]]]].view(), table.view())?;
/// assert_eq!(y, array![[[[2.0, 2.1], [0.0, 0.1]]]]);
/// # Ok::<(), foveal_nn::Error>(())
/// ```
pub fn embedding(ids: ArrayView4<f32>, table: ArrayView2<f32>) -> Result<Array4<f32>, Error> {
    let (n, h, w, _) = ids.dim();
    let found = indices("embedding", ids, table.nrows())?;
    let (table, size) = (rows(table), table.ncols());
    let table = slice(&table);
    let numbers = found.iter().flat_map(|&i| &table[i * size..(i + 1) * size]).copied().collect();
    Ok(Array4::from_shape_vec((n, h, w, size), numbers).expect("a row for each number"))
}

/// The gradient of [`embedding`] with respect to a table of `vocabulary` rows, from `d_output` `[n, h, w, size]`:
/// each row's is the sum over the places that looked it up, in row-major order.
///
/// # Errors
/// As [`embedding`], and when `d_output` does not fit `ids`.
pub fn embedding_backward(
    ids: ArrayView4<f32>,
    vocabulary: usize,
    d_output: ArrayView4<f32>,
) -> Result<Array2<f32>, Error> {
    const NAME: &str = "embedding_backward";
    let ((n, h, w, _), size) = (ids.dim(), d_output.dim().3);
    expect(NAME, "d_output", d_output.shape(), &[n, h, w, size])?;
    let found = indices(NAME, ids, vocabulary)?;
    let dy = rows(d_output);
    let mut d_table = Array2::zeros((vocabulary, size));
    for (&row, d) in found.iter().zip(slice(&dy).chunks_exact(size.max(1))) {
        d_table.row_mut(row).iter_mut().zip(d).for_each(|(sum, d)| *sum += d);
    }
    Ok(d_table)
}

fn indices(name: &'static str, ids: ArrayView4<f32>, vocabulary: usize) -> Result<Vec<usize>, Error> {
    let (n, h, w, c) = ids.dim();
    expect(name, "ids", &[n, h, w, c], &[n, h, w, 1])?;
    let index = |&id: &f32| {
        let whole = id >= 0.0 && id.fract() == 0.0 && (id as usize) < vocabulary;
        whole.then_some(id as usize).ok_or_else(|| {
            Error::operator(
                name,
                format!("ids must be whole numbers below {vocabulary}, the table's rows, got {id}"),
            )
        })
    };
    ids.iter().map(index).collect()
}
