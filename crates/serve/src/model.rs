//! A model that answers requests, and its engines.

use crate::error::Error;
use crate::failure::Failure;
use axum::http::StatusCode;
use foveal::nn::Isa;
use foveal::nn::engine::{Engine, Options, Pixels};
use foveal::nn::optim::Optimizer;
use foveal::train::{SavedModel, probabilities};
use std::sync::{Condvar, Mutex, PoisonError};

/// Images that an engine takes side by side.
const BATCH: usize = 64;
/// A model of so many operations an image, or so many parameters, has one engine, which all threads work for
/// together; of a smaller one each worker has its own.
const SHARED_FLOPS: u64 = 50_000_000;
const SHARED_PARAMETERS: usize = 4_000_000;
/// The longest name.
const LONGEST: usize = 100;

/// A trained model under the name that requests know it by.
pub struct ServedModel {
    name: String,
    saved: SavedModel,
    /// Numbers in one image.
    size: usize,
    /// Threads that each engine works with.
    threads: usize,
    /// The most engines that may exist.
    most: usize,
    engines: Mutex<Engines>,
    /// Wakes who waits for an engine when one has come back.
    returned: Condvar,
}

#[derive(Default)]
struct Engines {
    idle: Vec<Engine>,
    made: usize,
}

/// What one request gives a model: `images` images, one after the other.
pub struct ModelInput {
    pub images: usize,
    pub pixels: Vec<f32>,
}

impl ServedModel {
    /// Gives `saved` a name: letters, digits, `.`, `_` and `-`.
    ///
    /// # Errors
    /// When the name is empty, too long or has other characters, or when the model cannot predict.
    pub fn new(name: &str, saved: SavedModel) -> Result<Self, Error> {
        let fail = |problem| Err(Error::Name { name: name.escape_debug().to_string(), problem });
        if name.is_empty() || name.chars().count() > LONGEST {
            return fail("must have 1 to 100 characters");
        }
        if !name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c)) || name.starts_with('.') {
            return fail("must be of letters, digits, `.`, `_`, `-` and not begin with a point");
        }
        let flops: u64 = saved.model.nodes().iter().fold(0, |sum, n| n.flops.saturating_add(sum));
        let parameters: usize = saved.model.params().iter().map(|p| p.values.len()).sum();
        let model = Self {
            size: saved.model.input_shape().iter().product(),
            name: name.into(),
            saved,
            threads: 1,
            most: if flops >= SHARED_FLOPS || parameters >= SHARED_PARAMETERS { 1 } else { usize::MAX },
            engines: Mutex::default(),
            returned: Condvar::new(),
        };
        let first = model.engine(1)?;
        *model.lock() = Engines { idle: vec![first], made: 1 };
        Ok(model)
    }

    /// Prepares the engines for so many workers.
    pub(crate) fn prepare(&mut self, threads: usize) -> Result<(), Error> {
        if self.most == 1 && threads > 1 {
            self.threads = threads;
            let engine = self.engine(threads)?;
            *self.lock() = Engines { idle: vec![engine], made: 1 };
        }
        Ok(())
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The model and what belongs to it.
    pub fn saved(&self) -> &SavedModel {
        &self.saved
    }

    /// Numbers in one image.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// What is to be sent to `/predict`, for messages.
    pub(crate) fn takes(&self) -> &'static str {
        if self.saved.model.vocabulary().is_some() {
            "a text in UTF-8, or a .npy array of the numbers of its tokens"
        } else if self.saved.preprocess.window.is_some() {
            "a DICOM slice, or a .npy array of what the model's window shows (0 to 255)"
        } else {
            "a picture or a .npy array"
        }
    }

    /// Refuses a body that is `what` where the model takes something else.
    pub(crate) fn unwanted(&self, what: &str) -> Failure {
        let message = format!("the body is {what}; send {}", self.takes());
        Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    }

    /// The name of the input, as in an exported ONNX file: `tokens` for a model of texts, else `image`.
    pub(crate) fn input(&self) -> &'static str {
        if self.saved.model.vocabulary().is_some() { "tokens" } else { "image" }
    }

    /// For a model of texts: refuses what is not the number of a token.
    pub(crate) fn check(&self, numbers: &[f32]) -> Result<(), Failure> {
        let Some(rows) = self.saved.model.vocabulary() else { return Ok(()) };
        let token = |v: &&f32| !(**v >= 0.0 && v.fract() == 0.0 && (**v as usize) < rows);
        numbers.iter().find(token).map_or(Ok(()), |bad| {
            let last = rows.saturating_sub(1);
            Err(Failure::bad(format!(
                "{bad} is not the number of a token; those are whole numbers from 0 to {last}"
            )))
        })
    }

    /// What the numbers of the output are.
    pub(crate) fn datatype(&self) -> &'static str {
        if self.saved.preprocess.origin.is_empty() { "FP32" } else { "FP64" }
    }

    /// The name of the output, as in an exported ONNX file.
    pub(crate) fn output(&self) -> &'static str {
        if self.saved.classes.is_empty() { "values" } else { "probabilities" }
    }

    fn engine(&self, threads: usize) -> Result<Engine, Error> {
        let options = Options {
            batch_size: BATCH,
            threads,
            loss: None,
            optimizer: Optimizer::default(),
            seed: 0,
            scale: self.saved.preprocess.scale.clone(),
            shift: self.saved.preprocess.shift.clone(),
            isa: Isa::best(),
        };
        let fail = |e: foveal::nn::Error| Error::Model { name: self.name.clone(), problem: e.to_string() };
        Engine::new(&self.saved.model, options).map_err(fail)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Engines> {
        // After a panic of another thread the list of engines is still sound.
        self.engines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an idle engine, makes a new one, or waits until one comes back.
    fn take(&self) -> Result<Engine, Error> {
        let mut engines = self.lock();
        loop {
            if let Some(engine) = engines.idle.pop() {
                return Ok(engine);
            }
            if engines.made < self.most {
                engines.made += 1;
                drop(engines);
                return self.engine(self.threads).inspect_err(|_| self.lock().made -= 1);
            }
            engines = self.returned.wait(engines).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The outputs of each input: probabilities of a classifier, values of a regression, image by image. They have
    /// the same bits as if each input were predicted alone.
    pub(crate) fn predict(&self, inputs: &[&ModelInput]) -> Result<Vec<Vec<f32>>, Error> {
        let mut engine = Lent { model: self, engine: Some(self.take()?) };
        Ok(self.predict_with(engine.engine.as_mut().expect("just taken"), inputs))
    }

    fn predict_with(&self, engine: &mut Engine, inputs: &[&ModelInput]) -> Vec<Vec<f32>> {
        let mut answers = vec![Vec::new(); inputs.len()];
        // The engine takes few images one at a time and many side by side, and the two ways differ in the last bits:
        // an input goes the way that it would go alone.
        for few in [true, false] {
            let chosen: Vec<usize> =
                (0..inputs.len()).filter(|&i| engine.one_at_a_time(inputs[i].images) == few).collect();
            let images: Vec<&[f32]> =
                chosen.iter().flat_map(|&i| inputs[i].pixels.chunks_exact(self.size)).collect();
            if images.is_empty() {
                continue;
            }
            let outputs = match few {
                true => engine.predict_each(images.len(), |i| Pixels::F32(images[i])),
                false => engine.predict(images.len(), |i| Pixels::F32(images[i])),
            };
            let outputs = if self.saved.classes.is_empty() {
                outputs
            } else {
                probabilities(&self.saved.model, &outputs)
            };
            let mut rest = &outputs[..];
            for i in chosen {
                let (own, others) = rest.split_at(inputs[i].images * self.saved.model.outputs());
                answers[i] = own.to_vec();
                rest = others;
            }
        }
        answers
    }
}

/// An engine that comes back to its model when this is dropped; after a panic it is given up instead.
struct Lent<'a> {
    model: &'a ServedModel,
    engine: Option<Engine>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut engines = self.model.lock();
        match self.engine.take().filter(|_| !std::thread::panicking()) {
            Some(engine) => engines.idle.push(engine),
            None => engines.made -= 1,
        }
        self.model.returned.notify_one();
    }
}

impl std::fmt::Debug for ServedModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServedModel").field("name", &self.name).finish_non_exhaustive()
    }
}
