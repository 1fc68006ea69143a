use crate::evaluate::evaluate;
use crate::hooks::Hooks;
use crate::trainer::{Trainer, order};
use crate::{Error, Evaluation, Preprocess, Recipe};
use foveal_data::{Dataset, Split};
use foveal_nn::Model;
use foveal_nn::engine::State;

/// A training run that its caller drives, one step at a time. Between two steps the caller can pause, look at the
/// weights and change the learning rate. With one worker it starts no thread, and it measures no time.
///
/// All steps together leave the weights that [`crate::fit`] ends its last epoch with, bit for bit. What `fit` does
/// around its epochs (patience, the best epoch's weights, averaging) is left to the caller.
///
/// ```
/// use foveal_data::{Dataset, Samples, Split, Targets};
/// use foveal_nn::{Model, ModelSpec};
/// use foveal_train::{PictureFit, Preprocess, Recipe, Steps};
///
/// let toml = "input.shape = [1, 1, 1]\nlayer = [{ kind = \"dense\", units = 2 }]";
/// let model = Model::new(&ModelSpec::from_toml(toml)?, 0)?;
/// let targets = Targets::Classes { labels: vec![0, 1, 0, 1], names: vec!["dark".into(), "light".into()] };
/// let data = Dataset::new("four", [1, 1, 1], Samples::U8(vec![0, 255, 10, 250]), targets)?;
/// let recipe = Recipe { epochs: 2, batch_size: 2, ..Recipe::default() };
/// let split = Split::first(4, 0)?;
/// let mut steps = Steps::new(&model, data, split, Preprocess::unit(1, PictureFit::Resize), recipe)?;
/// let mut done = 0;
/// while let Some(step) = steps.step()? {
///     done += step.images;
/// }
/// assert_eq!((done, steps.done(), steps.total()), (8, 4, 4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Steps {
    trainer: Trainer,
    data: Dataset,
    split: Split,
    preprocess: Preprocess,
    recipe: Recipe,
    /// The order of images in the current epoch.
    order: Vec<u32>,
    done: usize,
    per_epoch: usize,
    /// The engine's state at the end of the last epoch.
    good: State,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct StepOutcome {
    /// The epoch, from 1 on.
    pub epoch: usize,
    /// The step in the epoch, from 1 on.
    pub batch: usize,
    /// Mean loss of the step's images, without label smoothing.
    pub loss: f64,
    /// Images whose likeliest class was the right one; 0 for a regression.
    pub correct: usize,
    /// Images of the step.
    pub images: usize,
    /// The step's learning rate.
    pub lr: f32,
}

impl Steps {
    /// Prepares a run of `recipe` on the training part of `split`.
    ///
    /// # Errors
    /// As [`crate::fit`].
    pub fn new(
        model: &Model,
        data: Dataset,
        split: Split,
        preprocess: Preprocess,
        recipe: Recipe,
    ) -> Result<Self, Error> {
        let mut model = model.clone();
        let trainer = Trainer::new(&mut model, &data, &split, &preprocess, &recipe, &Hooks::default())?;
        let per_epoch = split.train.len().div_ceil(recipe.batch_size);
        let good = trainer.engine.state();
        let order = Vec::new();
        Ok(Self { trainer, data, split, preprocess, recipe, order, done: 0, per_epoch, good })
    }

    /// Does the next step; `None` when all of the recipe's epochs are done.
    ///
    /// # Errors
    /// [`Error::NonFinite`] when the loss, or a weight at the end of an epoch, was not a finite number. The weights are then those of the end of the last epoch, and
    /// the caller may go on from there, best with a lower learning rate.
    pub fn step(&mut self) -> Result<Option<StepOutcome>, Error> {
        if self.done >= self.total() {
            return Ok(None);
        }
        let (epoch, b) = (self.done / self.per_epoch + 1, self.done % self.per_epoch);
        if b == 0 || self.order.is_empty() {
            self.order = order(&self.data, &self.split, &self.recipe, epoch);
        }
        let lr = self.lr();
        let size = self.recipe.batch_size;
        let indices = &self.order[b * size..((b + 1) * size).min(self.order.len())];
        let parts = (&self.data, &self.split, &self.recipe);
        let last = b + 1 == self.per_epoch;
        let report = self.trainer.step(parts, &mut Hooks::default(), indices, (epoch, last), lr)?;
        if let Some(fault) = self.data.fault() {
            return Err(fault.into());
        }
        self.done += 1;
        let ended = b + 1 == self.per_epoch;
        if !report.loss.is_finite() || ended && !self.trainer.is_finite() {
            self.trainer.engine.restore(&self.good)?;
            return Err(Error::NonFinite { epoch, batch: b + 1 });
        }
        if ended {
            self.good = self.trainer.engine.state();
        }
        let (loss, correct, images) = (report.plain, report.correct, report.count);
        Ok(Some(StepOutcome { epoch, batch: b + 1, loss, correct, images, lr }))
    }

    /// The learning rate of the next step: the recipe's rate times the schedule's factor.
    pub fn lr(&self) -> f32 {
        self.recipe.lr * self.recipe.schedule.factor(self.done, self.total(), self.per_epoch)
    }

    /// Sets the recipe's learning rate, which the schedule multiplies, for the steps to come.
    ///
    /// # Errors
    /// When it is not a number above 0; the old one stays.
    pub fn set_lr(&mut self, lr: f32) -> Result<(), Error> {
        let recipe = Recipe { lr, ..self.recipe.clone() };
        recipe.check()?;
        self.recipe = recipe;
        Ok(())
    }

    /// Steps done.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Steps of all epochs.
    pub fn total(&self) -> usize {
        self.recipe.epochs * self.per_epoch
    }

    /// Steps of an epoch.
    pub fn per_epoch(&self) -> usize {
        self.per_epoch
    }

    /// The model with the weights as they are now.
    pub fn model(&self) -> Model {
        self.trainer.model()
    }

    /// The recipe, with the learning rate as it is now.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// What is done to raw samples before the first layer.
    pub fn preprocess(&self) -> &Preprocess {
        &self.preprocess
    }

    /// The data, training and validation images.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// Scores the weights as they are now on the validation images.
    ///
    /// # Errors
    /// When there are none.
    pub fn validate(&self) -> Result<Evaluation, Error> {
        let indices = &self.split.validation;
        if indices.is_empty() {
            return Err(Error::NoImages { data: self.data.name().to_owned(), purpose: "to validate on" });
        }
        evaluate(&self.model(), &self.preprocess, &self.data, Some(indices), self.recipe.threads)
    }
}

impl std::fmt::Debug for Steps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut told = f.debug_struct("Steps");
        told.field("recipe", &self.recipe).field("done", &self.done).finish_non_exhaustive()
    }
}
