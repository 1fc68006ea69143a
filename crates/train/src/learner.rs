use crate::Error;
use foveal_nn::engine::{self, Engine, Options, Pixels, Rates, Update};
use foveal_nn::loss::Loss;
use foveal_nn::model::Param;
use foveal_nn::ndarray::{Array2, ArrayView2, ArrayView4, CowArray, Ix4};
use foveal_nn::optim::Optimizer;
use foveal_nn::{Isa, Model};
use std::fmt::Display;

/// A model in training whose loop, loss, and if it likes whose update are the program's own. The arithmetic is the
/// engine's: forward, backward and the built-in optimizers run on all threads, and the same numbers in give the same
/// bits out, however many there are.
///
/// Samples go in as they are, `[n, h, w, c]`. A batch's gradients are added to those that are gathered; [`step`]
/// applies them and begins anew, so that several calls of [`backward`] before it accumulate.
///
/// [`backward`]: Learner::backward
/// [`step`]: Learner::step
///
/// ```
/// use foveal_nn::ndarray::{Array4, array};
/// use foveal_nn::{Sequential, ops};
/// use foveal_train::Learner;
///
/// let model = Sequential::new([1, 1, 2]).flatten().dense(2).build(0)?;
/// let mut learner = Learner::new(&model)?;
/// let x = Array4::from_shape_vec((4, 1, 1, 2), vec![0., 1., 1., 0., 0.2, 0.9, 0.8, 0.1])?;
/// let mut last = f32::INFINITY;
/// for _ in 0..20 {
///     last = learner.backward(x.view(), |y| ops::softmax_cross_entropy(y, &[0, 1, 0, 1], 0.0, None))?;
///     learner.clip_by_norm(1.0);
///     learner.step(0.1);
/// }
/// assert!(last < 0.2);
/// assert_eq!(learner.predict(x.view())?.dim(), (4, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Learner {
    engine: Engine,
    options: LearnerOptions,
}

/// How a [`Learner`] works.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnerOptions {
    /// The most samples of a batch.
    pub batch_size: usize,
    /// Threads; the results do not depend on it.
    pub threads: usize,
    /// The optimizer of [`Learner::step`].
    pub optimizer: Optimizer,
    /// Seeds dropout.
    pub seed: u64,
}

impl Default for LearnerOptions {
    /// Batches of up to 256, all cores, Adam.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { batch_size: 256, threads, optimizer: Optimizer::default(), seed: 0 }
    }
}

impl Learner {
    /// Compiles `model`, as it is at the moment, with the default options.
    ///
    /// # Errors
    /// When the model's output is not flat, or nothing of it is trained.
    pub fn new(model: &Model) -> Result<Self, Error> {
        Self::with(model, LearnerOptions::default())
    }

    /// [`Learner::new`] with options.
    ///
    /// # Errors
    /// As [`Learner::new`]; when an option is out of range.
    pub fn with(model: &Model, options: LearnerOptions) -> Result<Self, Error> {
        let channels = model.input_shape()[2];
        let compiled = Options {
            batch_size: options.batch_size,
            threads: options.threads,
            // It only says that the engine trains, and that no softmax is left out.
            loss: Some(Loss::MeanSquared),
            optimizer: options.optimizer,
            seed: options.seed,
            scale: vec![1.0; channels],
            shift: vec![0.0; channels],
            isa: Isa::best(),
        };
        Ok(Self { engine: Engine::for_own_loss(model, compiled)?, options })
    }

    /// A batch forward and backward: `loss` gets the outputs `[n, outputs]` and gives its value and its gradient with
    /// respect to them, as the operators of [`foveal_nn::ops`] do. The parameters' gradients are added to those
    /// gathered; no parameter changes. As in training, dropout drops and batch normalization goes by the batch.
    ///
    /// # Errors
    /// When `x` has another shape than the model takes, or no samples, or more than a batch may have; what `loss` says;
    /// [`Error::NotFiniteLoss`] when loss or gradient are no finite numbers, whose batch is then left out.
    pub fn backward<E: Display>(
        &mut self,
        x: ArrayView4<f32>,
        mut loss: impl FnMut(ArrayView2<f32>) -> Result<(f32, Array2<f32>), E>,
    ) -> Result<f32, Error> {
        let x = self.checked(x)?;
        let (count, size) = (x.shape()[0], self.engine.model_ref().input_shape().iter().product::<usize>());
        if !(1..=self.options.batch_size).contains(&count) {
            let allowed = format!("from 1 to {}, the batch size", self.options.batch_size);
            let option = "the samples of a batch";
            return Err(foveal_nn::Error::Option { option, allowed, value: count.to_string() }.into());
        }
        let numbers = x.as_slice().unwrap_or_default();
        let mut finite = true;
        let mut own = |y: ArrayView2<f32>| {
            let (value, slopes) = loss(y).map_err(|e| e.to_string())?;
            finite = value.is_finite() && slopes.iter().all(|v| v.is_finite());
            Ok((f64::from(value), slopes))
        };
        let pixels = |i: usize| Pixels::F32(&numbers[i * size..(i + 1) * size]);
        let (value, _) = self.engine.gather_by(count, pixels, &mut own)?;
        if finite { Ok(value as f32) } else { Err(Error::NotFiniteLoss { value }) }
    }

    fn checked<'a>(&self, x: ArrayView4<'a, f32>) -> Result<CowArray<'a, f32, Ix4>, Error> {
        let wanted = self.engine.model_ref().input_shape();
        if x.shape()[1..] != wanted {
            return Err(foveal_nn::Error::Inputs { wanted, found: x.shape().to_vec() }.into());
        }
        Ok(match x.is_standard_layout() {
            true => x.into(),
            false => x.as_standard_layout().into_owned().into(),
        })
    }

    /// The gathered gradients of the trained parameters, by name; none before the first [`Learner::backward`].
    pub fn gradients(&self) -> impl Iterator<Item = (&str, &[f32])> {
        let params = self.engine.model_ref().params().iter().enumerate();
        params.filter_map(|(i, p)| Some((&p.name[..], self.engine.gradient(i)?)))
    }

    /// All gathered gradients in one row, to be looked at and changed.
    pub fn gradients_mut(&mut self) -> &mut [f32] {
        self.engine.gathered_mut()
    }

    /// Scales the gathered gradients down to the norm `most` where they are longer, all parameters together; gives the
    /// norm that they had.
    pub fn clip_by_norm(&mut self, most: f32) -> f64 {
        engine::clip_by_norm(self.engine.gathered_mut(), most)
    }

    /// Multiplies the gathered gradients, as by `1.0 / n` after `n` batches.
    pub fn scale_gradients(&mut self, factor: f32) {
        self.engine.gathered_mut().iter_mut().for_each(|g| *g *= factor);
    }

    /// Gives up the gathered gradients.
    pub fn forget_gradients(&mut self) {
        self.engine.forget();
    }

    /// One step of the optimizer at the learning rate `lr`, by the gathered gradients.
    pub fn step(&mut self, lr: f32) {
        self.engine.apply(lr);
    }

    /// One step of the program's own: `update` changes each trained parameter by its gathered gradient.
    ///
    /// ```
    /// # use foveal_nn::{Sequential, ndarray::Array4, ops};
    /// # use foveal_train::Learner;
    /// # let model = Sequential::new([1, 1, 2]).flatten().dense(1).build(0)?;
    /// # let mut learner = Learner::new(&model)?;
    /// # let (x, t) = (Array4::ones((1, 1, 1, 2)), foveal_nn::ndarray::array![[1.0]]);
    /// learner.backward(x.view(), |y| ops::mean_squared_error(y, t.view()))?;
    /// learner.step_by(|p| p.values.iter_mut().zip(p.gradient).for_each(|(w, g)| *w -= 0.01 * g.signum()));
    /// # Ok::<(), foveal_train::Error>(())
    /// ```
    pub fn step_by(&mut self, update: impl FnMut(Update<'_>)) {
        self.engine.update_by(update);
    }

    /// Trains the parameters that `which` chooses at `rates`: another learning rate, another weight decay. Says how
    /// many they are.
    pub fn set_rates(&mut self, which: impl Fn(&Param) -> bool, rates: Rates) -> usize {
        let params = self.engine.model_ref().params().iter().enumerate();
        let chosen: Vec<usize> = params.filter(|(_, p)| p.trainable && which(p)).map(|(i, _)| i).collect();
        chosen.iter().for_each(|&i| self.engine.set_rates(i, rates));
        chosen.len()
    }

    /// The outputs for samples `[n, h, w, c]` as at inference, `[n, outputs]`.
    ///
    /// # Errors
    /// When `x` has another shape than the model takes.
    pub fn predict(&mut self, x: ArrayView4<f32>) -> Result<Array2<f32>, Error> {
        let x = self.checked(x)?;
        let (count, size) = (x.shape()[0], self.engine.model_ref().input_shape().iter().product::<usize>());
        let numbers = x.as_slice().unwrap_or_default();
        let rows = self.engine.predict(count, |i| Pixels::F32(&numbers[i * size..(i + 1) * size]));
        self.engine.fault().map_or(Ok(()), Err)?;
        let width = self.engine.model_ref().outputs();
        Ok(Array2::from_shape_vec((count, width), rows).expect("a row for each sample"))
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.engine.steps()
    }

    /// The model with the parameters as they are now.
    pub fn model(&self) -> Model {
        self.engine.model()
    }
}

impl std::fmt::Debug for Learner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut told = f.debug_struct("Learner");
        told.field("options", &self.options).field("steps", &self.steps()).finish_non_exhaustive()
    }
}
