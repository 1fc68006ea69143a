//! A model that answers requests, and its engines.

use crate::error::Error;
use crate::failure::Failure;
use foveal::nn::Isa;
use foveal::nn::engine::{Engine, Options, Pixels};
use foveal::nn::optim::Optimizer;
use foveal::train::{SavedModel, probabilities};
use std::sync::{Condvar, Mutex, PoisonError};

/// Images that an engine takes side by side.
const BATCH: usize = 64;
/// From so many operations an image, or so many parameters, there is one engine that all threads work for;
/// below, each worker has its own.
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
    threads: usize,
    most: usize,
    engines: Mutex<Engines>,
    returned: Condvar,
}

#[derive(Default)]
struct Engines {
    idle: Vec<Engine>,
    made: usize,
}

/// What one request asks of a model: `images` images, one after the other.
pub struct Ask {
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

    /// Makes it ready for so many workers.
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

    /// What the input is called: `image`, or of a model of texts `tokens`, as in an exported ONNX file.
    pub(crate) fn input(&self) -> &'static str {
        if self.saved.model.vocabulary().is_some() { "tokens" } else { "image" }
    }

    /// Refuses numbers that are none of tokens, for a model of texts.
    pub(crate) fn check(&self, numbers: &[f32]) -> Result<(), Failure> {
        let Some(rows) = self.saved.model.vocabulary() else { return Ok(()) };
        let token = |v: &&f32| !(**v >= 0.0 && v.fract() == 0.0 && (**v as usize) < rows);
        numbers.iter().find(token).map_or(Ok(()), |bad| {
            let last = rows.saturating_sub(1);
            Err(Failure::bad(format!("{bad} is no number of a token; they are whole, from 0 to {last}")))
        })
    }

    /// What the outputs are called: as in an exported ONNX file.
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
        // Nothing panics while the lock is held; and a list of engines is whole at any time.
        self.engines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An engine that nobody else works with.
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

    /// The outputs of each ask: probabilities of a classifier, values of a regression, image by image. Each ask's
    /// have the bits of a prediction of that ask alone.
    pub(crate) fn predict(&self, asks: &[&Ask]) -> Result<Vec<Vec<f32>>, Error> {
        let mut engine = Lent { model: self, engine: Some(self.take()?) };
        Ok(self.predict_with(engine.engine.as_mut().expect("just taken"), asks))
    }

    fn predict_with(&self, engine: &mut Engine, asks: &[&Ask]) -> Vec<Vec<f32>> {
        let mut answers = vec![Vec::new(); asks.len()];
        // Few images go through the net one at a time, many side by side; the two ways differ in the last bits.
        for few in [true, false] {
            let chosen: Vec<usize> =
                (0..asks.len()).filter(|&i| engine.one_at_a_time(asks[i].images) == few).collect();
            let images: Vec<&[f32]> =
                chosen.iter().flat_map(|&i| asks[i].pixels.chunks_exact(self.size)).collect();
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
                let (own, others) = rest.split_at(asks[i].images * self.saved.model.outputs());
                answers[i] = own.to_vec();
                rest = others;
            }
        }
        answers
    }
}

/// An engine that goes back when it is done with; one that panicked does not.
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
