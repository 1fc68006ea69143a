//! Models, trained or not: what goes in and comes out, and every number in between.

use crate::arrays::{Input, shaped};
use crate::work::threads;
use foveal::nn::engine::Pixels;
use foveal::nn::summary::summary;
use foveal::nn::{Model as Net, ModelSpec, builtin};
use foveal::onnx::{self, ExportOptions};
use foveal::train::{PictureFit, Predictor, Preprocess, SavedModel, Scale, Training, probabilities};
use foveal::view::inside::grad_cam;
use ndarray::{ArrayD, ArrayView3, ArrayView4, Axis};
use numpy::{IntoPyArray, PyArrayDyn, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::sync::{Mutex, PoisonError};

/// An array of any rank.
type Any<'py> = Bound<'py, PyArrayDyn<f32>>;

/// An error as Python's ValueError.
fn wrong(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// The compiled half of `foveal.Model`.
#[pyclass(module = "foveal._foveal", frozen)]
struct Model {
    saved: SavedModel,
    /// The compiled model, and the process whose threads work on it.
    predictor: Mutex<Option<(u32, Predictor)>>,
}

impl Model {
    fn new(saved: SavedModel) -> Self {
        Self { saved, predictor: Mutex::new(None) }
    }

    /// Raw images as the first layer sees them.
    fn seen(&self, x: &Input<'_>) -> PyResult<ndarray::Array4<f32>> {
        let x = x.images()?;
        let shape = self.saved.model.input_shape();
        if x.shape()[1..] != shape {
            let ([h, w, c], given) = (shape, x.shape());
            return Err(wrong(format!("model: the model takes inputs [n, {h}, {w}, {c}], not {given:?}")));
        }
        let values = self.saved.preprocess.apply(x.as_slice().unwrap_or_default());
        ndarray::Array4::from_shape_vec(x.raw_dim(), values).map_err(wrong)
    }
}

/// The predictor of this process. A parent's has no threads here that could be waited for.
fn own<'a>(slot: &'a mut Option<(u32, Predictor)>, saved: &SavedModel) -> PyResult<&'a mut Predictor> {
    let process = std::process::id();
    if slot.as_ref().is_none_or(|(owner, _)| *owner != process) {
        let fresh = saved.predictor(threads()).map_err(wrong)?;
        std::mem::forget(slot.replace((process, fresh)));
    }
    slot.as_mut().map(|(_, own)| own).ok_or_else(|| wrong("model: there is no predictor"))
}

#[pymethods]
impl Model {
    /// The model in a model file's bytes.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8], name: &str) -> PyResult<Self> {
        py.detach(|| SavedModel::from_bytes(bytes, name)).map(Self::new).map_err(wrong)
    }

    /// A trained model: of a model file, a run folder, or the one that foveal brings.
    #[staticmethod]
    fn load(py: Python<'_>, path: std::path::PathBuf) -> PyResult<Self> {
        py.detach(|| foveal_cli::embedded::model(&path)).map(Self::new).map_err(wrong)
    }

    /// An untrained model: its spec as TOML, pixels of 0 to 255 as inputs or with `raw` numbers as they are.
    #[staticmethod]
    fn from_toml(text: &str, name: String, seed: u64, raw: bool, classes: Vec<String>) -> PyResult<Self> {
        let spec = ModelSpec::from_toml(text).map_err(wrong)?;
        let model = Net::new(&spec, seed).map_err(wrong)?;
        if !classes.is_empty() && classes.len() != model.outputs() {
            let (names, outputs) = (classes.len(), model.outputs());
            return Err(wrong(format!("model: {names} classes are named, and it has {outputs} outputs")));
        }
        let channels = model.input_shape()[2];
        let scale = if raw { Scale::Other } else { Scale::Bytes };
        let preprocess = match model.vocabulary() {
            Some(_) => Preprocess::numbers(channels),
            None => Preprocess::on(scale, channels, PictureFit::Resize),
        };
        let training = Training { model: name, ..Training::default() };
        Ok(Self::new(SavedModel { model, preprocess, classes, training }))
    }

    /// The same model by another name.
    fn named(&self, name: String) -> Self {
        let mut saved = self.saved.clone();
        saved.training.model = name;
        Self::new(saved)
    }

    /// The model file's bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.saved.to_bytes()).map_err(wrong)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The bytes of an ONNX file.
    fn to_onnx<'py>(
        &self,
        py: Python<'py>,
        floats: bool,
        channels_first: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut options = ExportOptions::default();
        options.floats = floats;
        options.channels_first = channels_first;
        let bytes = py.detach(|| onnx::export_with(&self.saved, options)).map_err(wrong)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Everything in the model file but the numbers, as JSON.
    fn metadata(&self) -> PyResult<String> {
        self.saved.metadata().map_err(wrong)
    }

    /// The spec as TOML.
    fn to_toml(&self) -> PyResult<String> {
        self.saved.model.spec().to_toml().map_err(wrong)
    }

    /// Height, width, channels.
    #[getter]
    fn input_shape(&self) -> (usize, usize, usize) {
        self.saved.model.input_shape().into()
    }

    /// Numbers that come out.
    #[getter]
    fn outputs(&self) -> usize {
        self.saved.model.outputs()
    }

    /// The names of the classes; none for a regression.
    #[getter]
    fn classes(&self) -> Vec<String> {
        self.saved.classes.clone()
    }

    /// What black and white are among inputs: bytes, unit, signed, 16-bit or other.
    #[getter]
    fn scale(&self) -> &'static str {
        self.saved.preprocess.pixels.name()
    }

    /// Whether values come out that are no 32-bit floats: they are float64 then.
    #[getter]
    fn large(&self) -> bool {
        !self.saved.preprocess.origin.is_empty()
    }

    /// Whether texts go in.
    #[getter]
    fn takes_texts(&self) -> bool {
        self.saved.model.vocabulary().is_some()
    }

    /// A row for each layer: name, kind, height, width and channels of its output, parameters, operations.
    #[expect(clippy::type_complexity, reason = "a table")]
    fn rows(&self) -> Vec<(String, &'static str, (usize, usize, usize), usize, u64)> {
        let rows = summary(&self.saved.model).rows;
        rows.into_iter().map(|r| (r.name, r.kind, r.output_shape.into(), r.parameters, r.flops)).collect()
    }

    /// All parameters by their names, copied.
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for p in self.saved.model.params() {
            all.set_item(&p.name, shaped(py, &p.shape, p.values.clone())?)?;
        }
        Ok(all)
    }

    /// The model with other numbers for some of its parameters.
    fn with_parameters(&self, given: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut saved = self.saved.clone();
        for (name, values) in given {
            let name: String = name.extract()?;
            let values = Input::new("model", "parameters", &values)?;
            let mut all = saved.model.params_mut().iter_mut();
            let Some(own) = all.find(|p| p.name == name) else {
                return Err(PyKeyError::new_err(format!("model: there is no parameter `{name}`")));
            };
            if values.shape() != own.shape {
                let (shape, given) = (&own.shape, values.shape());
                return Err(wrong(format!("model: `{name}` has shape {shape:?}, not {given:?}")));
            }
            own.values = values.all().iter().copied().collect();
        }
        Ok(Self::new(saved))
    }

    /// What comes out for raw images `[n, h, w, c]`, bytes or floats: probabilities of classes, or values. With `alone`
    /// what is said of an image does not depend on the others, to the last bit.
    #[pyo3(signature = (x, alone=false))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        alone: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let shape = self.saved.model.input_shape();
        let size = shape.iter().product::<usize>();
        let fits = |given: &[usize]| match given.len() == 4 && given[1..] == shape {
            true => Ok(given[0]),
            false => {
                let [h, w, c] = shape;
                Err(wrong(format!("model: the model takes inputs [n, {h}, {w}, {c}], not {given:?}")))
            }
        };
        // Copied, since others may run and change them meanwhile.
        let (count, bytes, floats) = if let Ok(x) = x.extract::<PyReadonlyArrayDyn<'_, u8>>() {
            (fits(x.shape())?, x.as_array().iter().copied().collect::<Vec<u8>>(), Vec::new())
        } else {
            let x = Input::new("model", "x", x)?;
            (fits(x.shape())?, Vec::new(), x.all().iter().copied().collect::<Vec<f32>>())
        };
        let pixels = |i: usize| match floats.is_empty() {
            true => Pixels::U8(&bytes[i * size..(i + 1) * size]),
            false => Pixels::F32(&floats[i * size..(i + 1) * size]),
        };
        let outputs = py.detach(|| {
            let mut slot = self.predictor.lock().unwrap_or_else(PoisonError::into_inner);
            let own = own(&mut slot, &self.saved)?;
            Ok::<_, PyErr>(if alone { own.outputs_each(count, pixels) } else { own.outputs(count, pixels) })
        })?;
        let size = (count, self.saved.model.outputs());
        if !self.saved.preprocess.origin.is_empty() {
            // Values of more digits than 32-bit floats have.
            let values = ndarray::Array2::from_shape_vec(size, self.saved.preprocess.values(&outputs));
            return Ok(values.map_err(wrong)?.into_pyarray(py).into_any());
        }
        let outputs = match self.saved.classes.is_empty() {
            true => outputs,
            false => probabilities(&self.saved.model, &outputs),
        };
        Ok(shaped(py, &[size.0, size.1], outputs)?.into_any())
    }

    /// The output of every layer for raw images `[n, h, w, c]`, by the layers' names; `input` is the image as the first
    /// layer sees it.
    fn activations<'py>(&self, py: Python<'py>, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
        let x = self.seen(&Input::new("model", "x", x)?)?;
        let model = &self.saved.model;
        let values =
            py.detach(|| crate::work::everyone(|| model.activations(ArrayView4::from(&x)))).map_err(wrong)?;
        let all = PyDict::new(py);
        for (v, value) in values.into_iter().enumerate() {
            let shape = value.shape().to_vec();
            all.set_item(model.value_name(v), shaped(py, &shape, value.into_raw_vec_and_offset().0)?)?;
        }
        Ok(all)
    }

    /// Grad-CAM of one raw image `[1, h, w, c]`: the heat map in the image's height and width, the class, the layer.
    #[pyo3(signature = (x, class_=None, layer=None))]
    fn grad_cam<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        class_: Option<usize>,
        layer: Option<&str>,
    ) -> PyResult<(Any<'py>, usize, String)> {
        let x = self.seen(&Input::new("model", "x", x)?)?;
        if x.shape()[0] != 1 {
            return Err(wrong(format!("model: Grad-CAM looks at one image, not at {}", x.shape()[0])));
        }
        let image: ArrayView3<'_, f32> = x.index_axis(Axis(0), 0);
        let work = || crate::work::everyone(|| grad_cam(&self.saved.model, image, class_, layer));
        let cam = py.detach(work).map_err(wrong)?;
        let heat: ArrayD<f32> = cam.heat.into_dyn();
        let shape = heat.shape().to_vec();
        Ok((shaped(py, &shape, heat.into_iter().collect())?, cam.class, cam.layer))
    }
}

/// The spec of a built-in model as TOML, or None if none is called so.
#[pyfunction]
#[pyo3(signature = (name, shape=None, outputs=None))]
fn builtin_spec(name: &str, shape: Option<[usize; 3]>, outputs: Option<usize>) -> Option<String> {
    let spec = match (shape, outputs) {
        (None, None) => builtin::spec(name),
        _ => builtin::fitted(name, shape.unwrap_or([32, 32, 3]), outputs.unwrap_or(10)),
    };
    spec.or_else(|| builtin::fitted(name, shape.unwrap_or([32, 32, 3]), outputs.unwrap_or(10)))
        .and_then(|spec| spec.to_toml().ok())
}

/// The bytes of MNIST's images and labels, of the part train or test.
#[pyfunction]
fn digits<'py>(py: Python<'py>, part: &str) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let (images, labels) = match part {
        "train" => py.detach(|| (foveal_mnist::train_images(threads()), foveal_mnist::train_labels())),
        "test" => py.detach(|| (foveal_mnist::test_images(), foveal_mnist::test_labels())),
        _ => return Err(wrong(format!("mnist: there are the parts train and test, not {part}"))),
    };
    Ok((PyBytes::new(py, &images), PyBytes::new(py, &labels)))
}

pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Model>()?;
    module.add_function(wrap_pyfunction!(builtin_spec, module)?)?;
    module.add_function(wrap_pyfunction!(digits, module)?)
}
