//! Dense layers, activations, softmax, dropout.

use crate::arrays::{Input, error, kept, output};
use crate::work::{Size, run};
use foveal::nn::ops::{self, Activation};
use numpy::{PyArray1, PyArray2, PyArrayDyn};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

type Matrix<'py> = Bound<'py, PyArray2<f32>>;
type Any<'py> = Bound<'py, PyArrayDyn<f32>>;

/// How much work a matrix product is.
fn size(x: &[usize], weights: &[usize]) -> Size {
    let all = x.iter().chain(weights.last()).map(|&v| v as u64);
    Size::of(all.fold(2, u64::saturating_mul))
}

/// x @ weights + bias: `x` [n, inputs], `weights` [inputs, units], `bias` [units].
#[pyfunction]
#[pyo3(signature = (x, weights, bias=None))]
fn dense<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    weights: &Bound<'py, PyAny>,
    bias: Option<&Bound<'py, PyAny>>,
) -> PyResult<Matrix<'py>> {
    const NAME: &str = "dense";
    let (x, weights) = (Input::new(NAME, "x", x)?, Input::new(NAME, "weights", weights)?);
    let bias = bias.map(|bias| Input::new(NAME, "bias", bias)).transpose()?;
    let size = size(x.shape(), weights.shape());
    let copy = size == Size::Long;
    let (x, weights) = (kept(x.rows()?, copy), kept(weights.rows()?, copy));
    let bias = bias.as_ref().map(|bias| Ok::<_, PyErr>(kept(bias.vector()?, copy))).transpose()?;
    let work = || ops::dense(x.view(), weights.view(), bias.as_ref().map(|b| b.view()));
    Ok(output(py, run(py, size, work).map_err(error)?))
}

/// All gradients of dense, from `d_output` [n, units]: with respect to `x`, `weights` and the bias.
#[pyfunction]
fn dense_backward<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    weights: &Bound<'py, PyAny>,
    d_output: &Bound<'py, PyAny>,
) -> PyResult<(Matrix<'py>, Matrix<'py>, Bound<'py, PyArray1<f32>>)> {
    const NAME: &str = "dense_backward";
    let (x, weights) = (Input::new(NAME, "x", x)?, Input::new(NAME, "weights", weights)?);
    let dy = Input::new(NAME, "d_output", d_output)?;
    let size = size(x.shape(), weights.shape());
    let copy = size == Size::Long;
    let (x, weights, dy) = (kept(x.rows()?, copy), kept(weights.rows()?, copy), kept(dy.rows()?, copy));
    let work = || ops::dense_backward(x.view(), weights.view(), dy.view());
    let d = run(py, size, work).map_err(error)?;
    Ok((output(py, d.input), output(py, d.weights), output(py, d.bias)))
}

/// The larger of `x` and 0, number by number, for any shape.
#[pyfunction]
fn relu<'py>(py: Python<'py>, x: &Bound<'py, PyAny>) -> PyResult<Any<'py>> {
    let x = Input::new("relu", "x", x)?;
    Ok(output(py, ops::activation(Activation::Relu, x.all())))
}

/// `d_output` where `x` is above 0, else 0.
#[pyfunction]
fn relu_backward<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    d_output: &Bound<'py, PyAny>,
) -> PyResult<Any<'py>> {
    const NAME: &str = "relu_backward";
    let (x, dy) = (Input::new(NAME, "x", x)?, Input::new(NAME, "d_output", d_output)?);
    if x.shape() != dy.shape() {
        let (x, dy) = (x.shape(), dy.shape());
        return Err(PyValueError::new_err(format!("{NAME}: d_output must have the shape {x:?}, got {dy:?}")));
    }
    Ok(output(py, ops::activation_backward(Activation::Relu, x.all(), dy.all()).map_err(error)?))
}

/// Softmax over the last axis.
#[pyfunction]
fn softmax<'py>(py: Python<'py>, x: &Bound<'py, PyAny>) -> PyResult<Any<'py>> {
    let x = Input::new("softmax", "x", x)?;
    if x.shape().is_empty() {
        return Err(PyValueError::new_err("softmax: x must have an axis, got a single number"));
    }
    Ok(output(py, ops::softmax(x.all())))
}

/// The mean cross-entropy of softmax(`logits`) [n, classes] at `labels` [n], whole numbers, and its gradient with
/// respect to `logits`.
#[pyfunction]
fn softmax_cross_entropy<'py>(
    py: Python<'py>,
    logits: &Bound<'py, PyAny>,
    labels: &Bound<'py, PyAny>,
) -> PyResult<(f32, Matrix<'py>)> {
    const NAME: &str = "softmax_cross_entropy";
    let logits = Input::new(NAME, "logits", logits)?;
    let labels: Vec<u32> =
        labels.try_iter().and_then(|all| all.map(|l| l?.extract()).collect()).map_err(|_| {
            PyTypeError::new_err(format!(
                "{NAME}: labels must be whole numbers from 0 on, one for each row of logits"
            ))
        })?;
    let (loss, d) = ops::softmax_cross_entropy(logits.rows()?, &labels, 0.0, None).map_err(error)?;
    Ok((loss, output(py, d)))
}

/// Sets numbers to 0 with probability `rate` and multiplies the others by 1 / (1 - rate); gives the result and the mask,
/// by which a gradient is multiplied as well. Number i depends on `seed` and i alone.
#[pyfunction]
fn dropout<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    rate: f32,
    seed: u64,
) -> PyResult<(Any<'py>, Any<'py>)> {
    let x = Input::new("dropout", "x", x)?;
    let [y, mask] = ops::dropout(x.all(), rate, seed).map_err(error)?;
    Ok((output(py, y), output(py, mask)))
}

pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(dense, module)?)?;
    module.add_function(wrap_pyfunction!(dense_backward, module)?)?;
    module.add_function(wrap_pyfunction!(relu, module)?)?;
    module.add_function(wrap_pyfunction!(relu_backward, module)?)?;
    module.add_function(wrap_pyfunction!(softmax, module)?)?;
    module.add_function(wrap_pyfunction!(softmax_cross_entropy, module)?)?;
    module.add_function(wrap_pyfunction!(dropout, module)?)
}
