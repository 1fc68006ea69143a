//! Poolings and their gradients.

use crate::arguments::{extents, padding, shape};
use crate::arrays::{Input, error, kept, output};
use crate::work::{Size, run};
use foveal::nn::{Pool2dGeometry, Pool2dOptions, ops};
use numpy::PyArray4;
use pyo3::prelude::*;

type Images<'py> = Bound<'py, PyArray4<f32>>;

/// The options: strides are the window's own size unless they are given.
fn options(
    operator: &str,
    ksize: &Bound<'_, PyAny>,
    strides: Option<&Bound<'_, PyAny>>,
    padding_given: Option<&Bound<'_, PyAny>>,
) -> PyResult<Pool2dOptions> {
    let mut options = Pool2dOptions::new(extents(operator, "ksize", ksize)?);
    if let Some(given) = strides {
        options.strides = extents(operator, "strides", given)?;
    }
    if let Some(given) = padding_given {
        options.padding = padding(operator, given)?;
    }
    Ok(options)
}

/// How much work a pooling is; its shape is checked on the way.
fn size(name: &'static str, x: &[usize], options: &Pool2dOptions) -> PyResult<Size> {
    let g = Pool2dGeometry::new(name, x, options).map_err(|e| error(e.into()))?;
    let cells = g.output_shape().iter().map(|&v| v as u64).product::<u64>();
    Ok(Size::of(cells.saturating_mul((g.h.kernel * g.w.kernel) as u64)))
}

/// The largest of each window, as TensorFlow's tf.nn.max_pool: `x` [n, h, w, c]. Padding counts as minus infinity.
/// `strides` are `ksize` unless given.
#[pyfunction]
#[pyo3(signature = (x, ksize, *, strides=None, padding=None))]
fn max_pool2d<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    ksize: &Bound<'py, PyAny>,
    strides: Option<&Bound<'py, PyAny>>,
    padding: Option<&Bound<'py, PyAny>>,
) -> PyResult<Images<'py>> {
    const NAME: &str = "max_pool2d";
    let (options, x) = (options(NAME, ksize, strides, padding)?, Input::new(NAME, "x", x)?);
    let size = size(NAME, x.shape(), &options)?;
    let x = kept(x.images()?, size == Size::Long);
    Ok(output(py, run(py, size, || ops::max_pool(x.view(), &options)).map_err(error)?))
}

/// The mean of each window's cells inside the image, as TensorFlow's tf.nn.avg_pool: `x` [n, h, w, c].
/// `strides` are `ksize` unless given.
#[pyfunction]
#[pyo3(signature = (x, ksize, *, strides=None, padding=None))]
fn avg_pool2d<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    ksize: &Bound<'py, PyAny>,
    strides: Option<&Bound<'py, PyAny>>,
    padding: Option<&Bound<'py, PyAny>>,
) -> PyResult<Images<'py>> {
    const NAME: &str = "avg_pool2d";
    let (options, x) = (options(NAME, ksize, strides, padding)?, Input::new(NAME, "x", x)?);
    let size = size(NAME, x.shape(), &options)?;
    let x = kept(x.images()?, size == Size::Long);
    Ok(output(py, run(py, size, || ops::avg_pool(x.view(), &options)).map_err(error)?))
}

/// The gradient of max_pool2d at `x`, from `d_output` [n, oh, ow, c]: each window's goes to its largest cell, the first
/// in row-major order of equal ones.
#[pyfunction]
#[pyo3(signature = (x, d_output, ksize, *, strides=None, padding=None))]
fn max_pool2d_backward<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    d_output: &Bound<'py, PyAny>,
    ksize: &Bound<'py, PyAny>,
    strides: Option<&Bound<'py, PyAny>>,
    padding: Option<&Bound<'py, PyAny>>,
) -> PyResult<Images<'py>> {
    const NAME: &str = "max_pool2d_backward";
    let options = options(NAME, ksize, strides, padding)?;
    let (x, dy) = (Input::new(NAME, "x", x)?, Input::new(NAME, "d_output", d_output)?);
    let size = size(NAME, x.shape(), &options)?;
    let copy = size == Size::Long;
    let (x, dy) = (kept(x.images()?, copy), kept(dy.images()?, copy));
    let work = || ops::max_pool_backward(x.view(), dy.view(), &options);
    Ok(output(py, run(py, size, work).map_err(error)?))
}

/// The gradient of avg_pool2d with respect to an input of `input_shape`, from `d_output` [n, oh, ow, c].
#[pyfunction]
#[pyo3(signature = (input_shape, d_output, ksize, *, strides=None, padding=None))]
fn avg_pool2d_backward<'py>(
    py: Python<'py>,
    input_shape: &Bound<'py, PyAny>,
    d_output: &Bound<'py, PyAny>,
    ksize: &Bound<'py, PyAny>,
    strides: Option<&Bound<'py, PyAny>>,
    padding: Option<&Bound<'py, PyAny>>,
) -> PyResult<Images<'py>> {
    const NAME: &str = "avg_pool2d_backward";
    let options = options(NAME, ksize, strides, padding)?;
    let (input, dy) = (shape(NAME, "input_shape", input_shape)?, Input::new(NAME, "d_output", d_output)?);
    let size = size(NAME, &input, &options)?;
    let dy = kept(dy.images()?, size == Size::Long);
    let work = || ops::avg_pool_backward(input, dy.view(), &options);
    Ok(output(py, run(py, size, work).map_err(error)?))
}

pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(max_pool2d, module)?)?;
    module.add_function(wrap_pyfunction!(max_pool2d_backward, module)?)?;
    module.add_function(wrap_pyfunction!(avg_pool2d, module)?)?;
    module.add_function(wrap_pyfunction!(avg_pool2d_backward, module)?)
}
