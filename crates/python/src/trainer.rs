//! A compiled model that takes one training step each time it is asked: what `foveal.compat.tensorflow1` runs on.

use crate::arrays::{Input, shaped};
use crate::work::threads;
use foveal::nn::engine::{Engine, Example, GroupLayout, Options, Pixels, Target};
use foveal::nn::loss::Loss;
use foveal::nn::optim::Optimizer;
use foveal::nn::{Isa, Model as Net, ModelSpec};
use numpy::PyArrayDyn;
use pyo3::exceptions::{PyKeyError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::{Mutex, PoisonError};

fn wrong(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// A model with cross-entropy and Adam, and the process whose threads work on it.
#[pyclass(module = "foveal._foveal", frozen)]
struct Trainer {
    engine: Mutex<Engine>,
    process: u32,
    inputs: usize,
    outputs: usize,
    batch_size: usize,
}

impl Trainer {
    /// Works on the engine without the GIL. A forked child has none of its threads.
    fn with<T: Send>(&self, py: Python<'_>, f: impl FnOnce(&mut Engine) -> T + Send) -> PyResult<T> {
        if self.process != std::process::id() {
            return Err(PyRuntimeError::new_err(
                "trainer: it belongs to the process that this one was forked from",
            ));
        }
        Ok(py.detach(|| f(&mut self.engine.lock().unwrap_or_else(PoisonError::into_inner))))
    }

    /// Rows of inputs, as many numbers in each as the model takes.
    fn rows(&self, x: &Input<'_>) -> PyResult<(usize, Vec<f32>)> {
        let n = x.shape().first().copied().unwrap_or(0);
        let all: Vec<f32> = x.all().iter().copied().collect();
        if all.len() != n * self.inputs {
            let (shape, inputs) = (x.shape(), self.inputs);
            return Err(wrong(format!("trainer: an input has {inputs} numbers, got shape {shape:?}")));
        }
        Ok((n, all))
    }
}

/// The place of the only 1 among zeros.
fn hot(row: &[f32]) -> Option<u32> {
    let at = row.iter().position(|&v| v == 1.0)?;
    row.iter().enumerate().all(|(i, &v)| v == f32::from(u8::from(i == at))).then_some(at as u32)
}

/// `Adam` as TensorFlow 1 has it: its epsilon stands beside the root of the uncorrected moment.
fn adam(beta1: f32, beta2: f32, epsilon: f32, step: u64) -> Optimizer {
    let t = step.min(i32::MAX as u64) as i32;
    let corrected = f64::from(epsilon) / (1.0 - f64::from(beta2).powi(t)).sqrt();
    Optimizer::Adam { beta1, beta2, epsilon: corrected as f32, decay: 0.0 }
}

#[pymethods]
impl Trainer {
    #[new]
    fn new(py: Python<'_>, toml: &str, batch_size: usize, seed: u64) -> PyResult<Self> {
        let spec = ModelSpec::from_toml(toml).map_err(wrong)?;
        let model = Net::new(&spec, 0).map_err(wrong)?;
        let channels = model.input_shape()[2];
        let options = Options {
            batch_size,
            threads: threads(),
            loss: Some(Loss::default()),
            optimizer: Optimizer::default(),
            seed,
            scale: vec![1.0; channels],
            shift: vec![0.0; channels],
            isa: Isa::best(),
        };
        // The interpreter draws the same dropout by places within groups of images side by side.
        let engine =
            py.detach(|| Engine::laid_out(&model, options, Some(GroupLayout::Images))).map_err(wrong)?;
        let (inputs, outputs) = (model.input_shape().iter().product(), model.outputs());
        let process = std::process::id();
        Ok(Self { engine: Mutex::new(engine), process, inputs, outputs, batch_size })
    }

    /// One step on `x` [n, …] with labels `y` [n, classes]; gives the loss before it. None, and no step, if the rows
    /// of `y` are not a single 1 among zeros or there are more than the batch size.
    #[expect(clippy::too_many_arguments, reason = "Adam's numbers")]
    fn step(
        &self,
        py: Python<'_>,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        lr: f32,
        beta1: f32,
        beta2: f32,
        epsilon: f32,
    ) -> PyResult<Option<f64>> {
        let (n, x) = self.rows(&Input::new("trainer", "x", x)?)?;
        let y = Input::new("trainer", "y", y)?;
        if y.shape() != [n, self.outputs] || n == 0 || n > self.batch_size {
            return Ok(None);
        }
        let rows = y.rows()?;
        let labels: Option<Vec<u32>> =
            rows.as_slice().unwrap_or_default().chunks(self.outputs).map(hot).collect();
        let Some(labels) = labels else { return Ok(None) };
        let loss = self.with(py, |engine| {
            engine.set_optimizer(adam(beta1, beta2, epsilon, engine.steps() + 1));
            let example = |i: usize| Example {
                pixels: Pixels::F32(&x[i * self.inputs..(i + 1) * self.inputs]),
                target: Target::Class(labels[i]),
                weight: 1.0,
            };
            engine.step(n, lr, example).plain
        })?;
        Ok(Some(loss))
    }

    /// The logits of `x` [n, …], nothing dropped.
    fn predict<'py>(&self, py: Python<'py>, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let (n, x) = self.rows(&Input::new("trainer", "x", x)?)?;
        let pixels = |i: usize| Pixels::F32(&x[i * self.inputs..(i + 1) * self.inputs]);
        let outputs = self.with(py, |engine| engine.predict(n, pixels))?;
        shaped(py, &[n, self.outputs], outputs)
    }

    /// Steps done, and for each parameter its values and Adam's two moments.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<(u64, Bound<'py, PyDict>)> {
        let (steps, all) = self.with(py, |engine| {
            let model = engine.model();
            let each = model.params().iter().enumerate().map(|(p, param)| {
                let moments = engine.moments(p).map(|m| m.map(<[f32]>::to_vec)).unwrap_or_default();
                (param.clone(), moments)
            });
            (engine.steps(), each.collect::<Vec<_>>())
        })?;
        let state = PyDict::new(py);
        for (param, [m, v]) in all {
            let array = |values: Vec<f32>| shaped(py, &param.shape, values);
            state.set_item(&param.name, (array(param.values.clone())?, array(m)?, array(v)?))?;
        }
        Ok((steps, state))
    }

    /// Takes over what [`Trainer::state`] gives.
    fn set_state(&self, py: Python<'_>, steps: u64, state: &Bound<'_, PyDict>) -> PyResult<()> {
        let mut given = Vec::new();
        for (name, three) in state {
            let name: String = name.extract()?;
            let three: [Bound<'_, PyAny>; 3] = three
                .extract::<Vec<_>>()?
                .try_into()
                .map_err(|_| wrong("trainer: a parameter's state is its values and two moments"))?;
            let read = |array: &Bound<'_, PyAny>| -> PyResult<Vec<f32>> {
                Ok(Input::new("trainer", "state", array)?.all().iter().copied().collect())
            };
            given.push((name, [read(&three[0])?, read(&three[1])?, read(&three[2])?]));
        }
        self.with(py, |engine| {
            let mut model = engine.model();
            for (name, [values, m, v]) in given {
                let found =
                    model.params().iter().position(|p| p.name == name && p.values.len() == values.len());
                let p = found.ok_or(name)?;
                if let Some([own_m, own_v]) = engine.moments_mut(p).filter(|[own, _]| own.len() == m.len()) {
                    own_m.copy_from_slice(&m);
                    own_v.copy_from_slice(&v);
                }
                model.params_mut()[p].values = values;
            }
            engine.set_params(&model);
            engine.set_steps(steps);
            Ok(())
        })?
        .map_err(|name: String| {
            PyKeyError::new_err(format!("trainer: there is no parameter `{name}` of that size"))
        })
    }
}

/// Images that the engine computes side by side on this machine.
#[pyfunction]
fn lanes() -> usize {
    Isa::best().lanes()
}

pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(lanes, module)?)?;
    module.add_class::<Trainer>()
}
