//! Arrays as slices, and shapes that must fit.

use crate::Error;
use ndarray::{ArrayView, CowArray, Dimension};

/// The view in row-major order: itself, or a copy.
pub(crate) fn rows<'a, D: Dimension>(x: ArrayView<'a, f32, D>) -> CowArray<'a, f32, D> {
    if x.is_standard_layout() {
        CowArray::from(x)
    } else {
        CowArray::from(x.as_standard_layout().into_owned())
    }
}

/// The numbers of an array in row-major order.
pub(crate) fn slice<'a, D: Dimension>(x: &'a CowArray<'_, f32, D>) -> &'a [f32] {
    x.as_slice().expect("made row-major by `rows`")
}

/// Refuses an array whose shape is not the expected one.
pub(crate) fn expect(operator: &'static str, what: &str, got: &[usize], want: &[usize]) -> Result<(), Error> {
    if got == want {
        return Ok(());
    }
    Err(Error::operator(operator, format!("{what} must have shape {want:?}, got {got:?}")))
}
