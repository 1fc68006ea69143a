//! NumPy arrays in and out.

use foveal::nn::Error;
use ndarray::{Array, ArrayView, ArrayViewD, CowArray, Dimension, Ix1, Ix2, Ix4, IxDyn};
use numpy::{
    IntoPyArray, PyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// An input, kept alive while it is read: an array of `f32` in rows, whatever was given.
pub struct Input<'py> {
    operator: &'static str,
    name: &'static str,
    array: PyReadonlyArrayDyn<'py, f32>,
}

/// `foveal._arrays.as_float32`, which converts what is odd.
static CONVERT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

impl<'py> Input<'py> {
    /// Takes what `given` holds: as it is if it is an array of `f32` in rows, else converted by NumPy.
    pub fn new(operator: &'static str, name: &'static str, given: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = given.py();
        let array = match given.cast::<PyArrayDyn<f32>>() {
            // Masked arrays and other kinds of arrays mean something else by the same numbers.
            Ok(array) if given.is_exact_instance_of::<PyUntypedArray>() && plain(array) => {
                array.try_readonly()
            }
            _ => {
                let convert = CONVERT.import(py, "foveal._arrays", "as_float32")?;
                let array = convert.call1((given, operator, name))?;
                array.cast::<PyArrayDyn<f32>>()?.try_readonly()
            }
        };
        let array = array.map_err(|_| {
            PyValueError::new_err(format!("{operator}: {name} is being written by another call"))
        })?;
        Ok(Self { operator, name, array })
    }

    /// The extents.
    pub fn shape(&self) -> &[usize] {
        self.array.shape()
    }

    /// The numbers.
    pub fn all(&self) -> ArrayViewD<'_, f32> {
        self.array.as_array()
    }

    /// The numbers, if there are as many axes as `D` has; `axes` says what they are.
    fn view<D: Dimension>(&self, axes: &str) -> PyResult<ArrayView<'_, f32, D>> {
        self.all().into_dimensionality().map_err(|_| {
            let (operator, name, shape) = (self.operator, self.name, self.shape());
            PyValueError::new_err(format!("{operator}: {name} must be {axes}, got shape {shape:?}"))
        })
    }

    /// An activation, `[n, h, w, c]`.
    pub fn images(&self) -> PyResult<ArrayView<'_, f32, Ix4>> {
        self.view("[n, h, w, c]")
    }

    /// A filter, `[h, w, c / groups, filters]`.
    pub fn filter(&self) -> PyResult<ArrayView<'_, f32, Ix4>> {
        self.view("[h, w, c / groups, filters]")
    }

    /// A matrix.
    pub fn rows(&self) -> PyResult<ArrayView<'_, f32, Ix2>> {
        self.view("a matrix [n, numbers]")
    }

    /// One number for each channel.
    pub fn vector(&self) -> PyResult<ArrayView<'_, f32, Ix1>> {
        self.view("a vector, a number for each output channel")
    }
}

/// Whether an array lies in memory as the kernels take it.
fn plain(array: &Bound<'_, PyArrayDyn<f32>>) -> bool {
    array.is_c_contiguous() && array.data().addr().is_multiple_of(align_of::<f32>())
}

/// A view, or a copy that nobody else can change.
pub fn kept<'a, D: Dimension>(view: ArrayView<'a, f32, D>, copy: bool) -> CowArray<'a, f32, D> {
    if copy { view.to_owned().into() } else { view.into() }
}

/// A new NumPy array.
pub fn output<'py, D: Dimension>(py: Python<'py>, array: Array<f32, D>) -> Bound<'py, PyArray<f32, D>> {
    array.into_pyarray(py)
}

/// A new NumPy array of some shape.
pub fn shaped<'py>(
    py: Python<'py>,
    shape: &[usize],
    values: Vec<f32>,
) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
    let array = Array::from_shape_vec(IxDyn(shape), values);
    Ok(output(py, array.map_err(|e| PyValueError::new_err(e.to_string()))?))
}

/// An error of an operator, as Python's ValueError.
pub fn error(error: Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}
