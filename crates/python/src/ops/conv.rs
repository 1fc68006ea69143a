//! Convolutions and their gradients.

use crate::arguments::{extents, padding, shape};
use crate::arrays::{Input, error, kept, output};
use crate::work::{Size, run};
use foveal::nn::{Conv2dGeometry, Conv2dOptions, ops};
use numpy::{PyArray1, PyArray4};
use pyo3::prelude::*;

/// The options, as four arguments.
struct Options<'a, 'py> {
    strides: Option<&'a Bound<'py, PyAny>>,
    padding: Option<&'a Bound<'py, PyAny>>,
    dilations: Option<&'a Bound<'py, PyAny>>,
    groups: i64,
}

impl Options<'_, '_> {
    fn read(self, operator: &str) -> PyResult<Conv2dOptions> {
        let mut options = Conv2dOptions { groups: self.groups, ..Default::default() };
        if let Some(given) = self.strides {
            options.strides = extents(operator, "strides", given)?;
        }
        if let Some(given) = self.dilations {
            options.dilations = extents(operator, "dilations", given)?;
        }
        if let Some(given) = self.padding {
            options.padding = padding(operator, given)?;
        }
        Ok(options)
    }
}

/// How much work a convolution is; its shapes are checked on the way.
fn size(name: &'static str, x: &[usize], filter: &[usize], options: &Conv2dOptions) -> PyResult<Size> {
    let geometry = Conv2dGeometry::new(name, x, filter, options).map_err(|e| error(e.into()))?;
    Ok(Size::of(geometry.flops()))
}

/// Two-dimensional convolution as TensorFlow's tf.nn.conv2d: `x` [n, h, w, c], `filter` [h, w, c / groups, filters],
/// `bias` [filters]. The odd row or column of SAME goes to the bottom and the right.
#[pyfunction]
#[pyo3(signature = (x, filter, bias=None, *, strides=None, padding=None, dilations=None, groups=1))]
#[expect(clippy::too_many_arguments, reason = "Python's keywords")]
fn conv2d<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    filter: &Bound<'py, PyAny>,
    bias: Option<&Bound<'py, PyAny>>,
    strides: Option<&Bound<'py, PyAny>>,
    padding: Option<&Bound<'py, PyAny>>,
    dilations: Option<&Bound<'py, PyAny>>,
    groups: i64,
) -> PyResult<Bound<'py, PyArray4<f32>>> {
    const NAME: &str = "conv2d";
    let options = Options { strides, padding, dilations, groups }.read(NAME)?;
    let (x, filter) = (Input::new(NAME, "x", x)?, Input::new(NAME, "filter", filter)?);
    let bias = bias.map(|bias| Input::new(NAME, "bias", bias)).transpose()?;
    let size = size(NAME, x.shape(), filter.shape(), &options)?;
    let copy = size == Size::Long;
    let (x, filter) = (kept(x.images()?, copy), kept(filter.filter()?, copy));
    let bias = bias.as_ref().map(|bias| Ok::<_, PyErr>(kept(bias.vector()?, copy))).transpose()?;
    let work = || ops::conv2d(x.view(), filter.view(), bias.as_ref().map(|b| b.view()), &options);
    Ok(output(py, run(py, size, work).map_err(error)?))
}

/// The gradient of conv2d with respect to an input of `input_shape`, from `d_output` [n, oh, ow, filters].
#[pyfunction]
#[pyo3(signature = (input_shape, filter, d_output, *, strides=None, padding=None, dilations=None, groups=1))]
#[expect(clippy::too_many_arguments, reason = "Python's keywords")]
fn conv2d_backward_input<'py>(
    py: Python<'py>,
    input_shape: &Bound<'py, PyAny>,
    filter: &Bound<'py, PyAny>,
    d_output: &Bound<'py, PyAny>,
    strides: Option<&Bound<'py, PyAny>>,
    padding: Option<&Bound<'py, PyAny>>,
    dilations: Option<&Bound<'py, PyAny>>,
    groups: i64,
) -> PyResult<Bound<'py, PyArray4<f32>>> {
    const NAME: &str = "conv2d_backward_input";
    let options = Options { strides, padding, dilations, groups }.read(NAME)?;
    let input = shape(NAME, "input_shape", input_shape)?;
    let (filter, dy) = (Input::new(NAME, "filter", filter)?, Input::new(NAME, "d_output", d_output)?);
    let size = size(NAME, &input, filter.shape(), &options)?;
    let copy = size == Size::Long;
    let (filter, dy) = (kept(filter.filter()?, copy), kept(dy.images()?, copy));
    let work = || ops::conv2d_backward_input(input, filter.view(), dy.view(), &options);
    Ok(output(py, run(py, size, work).map_err(error)?))
}

/// The gradient of conv2d with respect to a filter of `filter_shape`, from `d_output` [n, oh, ow, filters].
#[pyfunction]
#[pyo3(signature = (x, filter_shape, d_output, *, strides=None, padding=None, dilations=None, groups=1))]
#[expect(clippy::too_many_arguments, reason = "Python's keywords")]
fn conv2d_backward_filter<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    filter_shape: &Bound<'py, PyAny>,
    d_output: &Bound<'py, PyAny>,
    strides: Option<&Bound<'py, PyAny>>,
    padding: Option<&Bound<'py, PyAny>>,
    dilations: Option<&Bound<'py, PyAny>>,
    groups: i64,
) -> PyResult<Bound<'py, PyArray4<f32>>> {
    const NAME: &str = "conv2d_backward_filter";
    let options = Options { strides, padding, dilations, groups }.read(NAME)?;
    let filter = shape(NAME, "filter_shape", filter_shape)?;
    let (x, dy) = (Input::new(NAME, "x", x)?, Input::new(NAME, "d_output", d_output)?);
    let size = size(NAME, x.shape(), &filter, &options)?;
    let copy = size == Size::Long;
    let (x, dy) = (kept(x.images()?, copy), kept(dy.images()?, copy));
    let work = || ops::conv2d_backward_filter(x.view(), filter, dy.view(), &options);
    Ok(output(py, run(py, size, work).map_err(error)?))
}

/// The gradients of a convolution: input, filter, bias.
type Gradients<'py> = (Bound<'py, PyArray4<f32>>, Bound<'py, PyArray4<f32>>, Bound<'py, PyArray1<f32>>);

/// All gradients of conv2d, from `d_output` [n, oh, ow, filters]: with respect to `x`, `filter` and the bias.
#[pyfunction]
#[pyo3(signature = (x, filter, d_output, *, strides=None, padding=None, dilations=None, groups=1))]
#[expect(clippy::too_many_arguments, reason = "Python's keywords")]
fn conv2d_backward<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    filter: &Bound<'py, PyAny>,
    d_output: &Bound<'py, PyAny>,
    strides: Option<&Bound<'py, PyAny>>,
    padding: Option<&Bound<'py, PyAny>>,
    dilations: Option<&Bound<'py, PyAny>>,
    groups: i64,
) -> PyResult<Gradients<'py>> {
    const NAME: &str = "conv2d_backward";
    let options = Options { strides, padding, dilations, groups }.read(NAME)?;
    let (x, filter) = (Input::new(NAME, "x", x)?, Input::new(NAME, "filter", filter)?);
    let dy = Input::new(NAME, "d_output", d_output)?;
    let size = size(NAME, x.shape(), filter.shape(), &options)?;
    let copy = size == Size::Long;
    let (x, filter, dy) = (kept(x.images()?, copy), kept(filter.filter()?, copy), kept(dy.images()?, copy));
    let work = || ops::conv2d_backward(x.view(), filter.view(), dy.view(), &options);
    let d = run(py, size, work).map_err(error)?;
    Ok((output(py, d.input), output(py, d.filter), output(py, d.bias)))
}

pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(conv2d, module)?)?;
    module.add_function(wrap_pyfunction!(conv2d_backward, module)?)?;
    module.add_function(wrap_pyfunction!(conv2d_backward_input, module)?)?;
    module.add_function(wrap_pyfunction!(conv2d_backward_filter, module)?)
}
