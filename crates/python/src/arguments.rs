//! Strides, windows and padding, as people write them in Python.

use foveal::nn::Padding;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// What a window, a stride or a dilation can be.
const EXTENTS: &str = "a whole number, (height, width) or [1, height, width, 1]";
/// What padding can be.
const PADDING: &str = "'SAME', 'VALID', (top, bottom, left, right) or ((top, bottom), (left, right))";

/// Height and width: from one number for both, from two, or from four as TensorFlow writes them.
pub fn extents(operator: &str, name: &str, given: &Bound<'_, PyAny>) -> PyResult<[i64; 2]> {
    if let Ok(one) = given.extract::<i64>() {
        return Ok([one, one]);
    }
    match given.extract::<Vec<i64>>().as_deref() {
        Ok(&[height, width]) => Ok([height, width]),
        Ok(&[1, height, width, 1]) => Ok([height, width]),
        _ => Err(refused(operator, name, given, EXTENTS)),
    }
}

/// SAME, VALID, or rows and columns at the top, bottom, left and right.
pub fn padding(operator: &str, given: &Bound<'_, PyAny>) -> PyResult<Padding> {
    let sides = |pairs: &[Vec<i64>]| match pairs.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] {
        [&[top, bottom], &[left, right]] | [&[0, 0], &[top, bottom], &[left, right], &[0, 0]] => {
            Some(Padding::Explicit([top, bottom, left, right]))
        }
        _ => None,
    };
    let found = if let Ok(name) = given.extract::<String>() {
        match name.to_ascii_uppercase().as_str() {
            "SAME" => Some(Padding::Same),
            "VALID" => Some(Padding::Valid),
            _ => None,
        }
    } else if let Ok(one) = given.extract::<i64>() {
        Some(Padding::Explicit([one; 4]))
    } else if let Ok(all) = given.extract::<[i64; 4]>() {
        Some(Padding::Explicit(all))
    } else {
        given.extract::<Vec<Vec<i64>>>().ok().and_then(|pairs| sides(&pairs))
    };
    found.ok_or_else(|| refused(operator, "padding", given, PADDING))
}

/// Exactly four extents of an array.
pub fn shape(operator: &str, name: &str, given: &Bound<'_, PyAny>) -> PyResult<[usize; 4]> {
    given.extract().map_err(|_| refused(operator, name, given, "four extents, such as x.shape"))
}

/// An argument that is none of what is allowed.
pub fn refused(operator: &str, name: &str, given: &Bound<'_, PyAny>, allowed: &str) -> PyErr {
    let text = given.repr().map_or_else(|_| "something".into(), |r| line(&r.to_string()));
    let message = format!("{operator}: {name} must be {allowed}, not {text}");
    if given.extract::<f64>().is_ok() || given.extract::<String>().is_ok() || given.len().is_ok() {
        return PyValueError::new_err(message);
    }
    PyTypeError::new_err(message)
}

/// A text as one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as one line of moderate length.
fn line(text: &str) -> String {
    const MOST: usize = 120;
    let text = one_line(text);
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
