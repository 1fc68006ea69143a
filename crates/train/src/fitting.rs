use crate::fit::run;
use crate::hooks::{Hooks, Judged, Progress};
use crate::{Error, Event, Outcome, Preprocess, Recipe, SavedModel, Training};
use foveal_data::{Dataset, Samples, Split};
use foveal_nn::Model;
use foveal_nn::engine::{Rates, Update};
use foveal_nn::model::Param;
use foveal_nn::ndarray::Array2;
use std::fmt::Display;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// A training run, with as much of it changed as the program likes: what is not said has a default.
///
/// ```
/// use foveal_data::Dataset;
/// use foveal_nn::Sequential;
/// use foveal_train::{Event, Fit, Recipe};
/// use std::ops::ControlFlow;
///
/// let samples = (0..40u8).map(|i| (vec![6 * i; 4], u32::from(i >= 20)));
/// let data = Dataset::from_samples([2, 2, 1], samples)?.with_classes(["dark", "light"])?;
/// let model = Sequential::new([2, 2, 1]).flatten().dense(2).build(0)?;
/// let trained = Fit::new(&model, &data)
///     .recipe(Recipe { epochs: 50, lr: 0.1, patience: Some(5), ..Recipe::default() })
///     .validation(0.25)
///     .on_event(|event| match event {
///         Event::Epoch(epoch) if epoch.validation_accuracy == Some(1.0) => ControlFlow::Break(()),
///         _ => ControlFlow::Continue(()),
///     })
///     .run()?;
/// let predictor = trained.saved.predictor(1)?;
/// assert_eq!(predictor.classify(&[250u8; 4][..])?.class, "light");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Without a loss, an optimizer, clipping or accumulation of the program's own a run takes the engine's fused steps and
/// ends in the bits of [`crate::fit`].
pub struct Fit<'a> {
    model: Model,
    data: &'a Dataset,
    recipe: Recipe,
    split: Option<Split>,
    share: f64,
    preprocess: Option<Preprocess>,
    threads: usize,
    hooks: Hooks<'a>,
    on_event: Option<Callback<'a>>,
}

type Callback<'a> = Box<dyn FnMut(&Event) -> ControlFlow<()> + 'a>;

/// What a run leaves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Trained {
    /// How the run went.
    pub outcome: Outcome,
    /// The model with what belongs to it: to be written to a file, evaluated, asked.
    pub saved: SavedModel,
}

impl<'a> Fit<'a> {
    /// A run of `model` on `data` by [`Recipe::default`], on all cores. A tenth of the samples, drawn by the recipe's
    /// seed, is for validation. Pixels (`u8`) are scaled to 0 to 1, numbers (`f32`) go in as they are.
    pub fn new(model: &Model, data: &'a Dataset) -> Self {
        Self {
            model: model.clone(),
            data,
            recipe: Recipe::default(),
            split: None,
            share: 0.1,
            preprocess: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            hooks: Hooks::default(),
            on_event: None,
        }
    }

    /// How to train. The recipe's number of threads does not count here: see [`Fit::threads`].
    #[must_use]
    pub fn recipe(self, recipe: Recipe) -> Self {
        Self { recipe, ..self }
    }

    /// The share of the samples, from 0 to below 1, that is for validation; of each class alike.
    #[must_use]
    pub fn validation(self, share: f64) -> Self {
        Self { share, split: None, ..self }
    }

    /// Which samples are for training and which for validation.
    #[must_use]
    pub fn split(self, split: Split) -> Self {
        Self { split: Some(split), ..self }
    }

    /// What is done to raw samples.
    #[must_use]
    pub fn preprocess(self, preprocess: Preprocess) -> Self {
        Self { preprocess: Some(preprocess), ..self }
    }

    /// Threads to work with; the results do not depend on it.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }

    /// Is told what happens; when it says [`ControlFlow::Break`], the step is finished and the run ends.
    #[must_use]
    pub fn on_event(self, callback: impl FnMut(&Event) -> ControlFlow<()> + 'a) -> Self {
        Self { on_event: Some(Box::new(callback)), ..self }
    }

    /// A loss instead of the recipe's: from the outputs of a batch its value and its gradient with respect to them.
    /// Targets need not be as many as outputs then. Epochs are judged by the same loss over all validation samples.
    ///
    /// ```
    /// use foveal_data::Dataset;
    /// use foveal_nn::{Sequential, ops};
    /// use foveal_train::{Fit, Recipe};
    ///
    /// let data = Dataset::from_samples([1, 1, 1], (0..20u8).map(|i| (vec![12 * i], u32::from(i > 9))))?;
    /// let model = Sequential::new([1, 1, 1]).flatten().dense(2).build(0)?;
    /// let trained = Fit::new(&model, &data)
    ///     .recipe(Recipe { epochs: 1, ..Recipe::default() })
    ///     .loss(|j| ops::softmax_cross_entropy(j.outputs, &j.labels(), 0.1, None))
    ///     .clip_norm(1.0)
    ///     .accumulate(2)
    ///     .schedule(|at| 0.01 * (1.0 - at.step as f32 / at.steps as f32))
    ///     .optimizer(|lr, p| p.values.iter_mut().zip(p.gradient).for_each(|(w, g)| *w -= lr * g))
    ///     .sample_weights(vec![1.0; 20])
    ///     .metric("count", |j| j.indices.len() as f64)
    ///     .run()?;
    /// assert_eq!(trained.outcome.metrics[0][0].1, 2.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn loss<E: Display>(
        mut self,
        mut loss: impl FnMut(&Judged<'_>) -> Result<(f32, Array2<f32>), E> + 'a,
    ) -> Self {
        self.hooks.loss = Some(Box::new(move |judged| loss(judged).map_err(|e| e.to_string())));
        self
    }

    /// An optimizer instead of the recipe's: it gets the learning rate, and changes each trained parameter in turn. What
    /// it remembers is its own; [`Update::name`] tells the parameters apart.
    #[must_use]
    pub fn optimizer(mut self, update: impl FnMut(f32, Update<'_>) + 'a) -> Self {
        self.hooks.optimizer = Some(Box::new(update));
        self
    }

    /// A learning rate for each step instead of the recipe's rate and schedule.
    #[must_use]
    pub fn schedule(mut self, lr: impl FnMut(Progress) -> f32 + 'a) -> Self {
        self.hooks.schedule = Some(Box::new(lr));
        self
    }

    /// Scales the gradient of a step down to this norm where it is longer, all parameters together.
    #[must_use]
    pub fn clip_norm(mut self, most: f32) -> Self {
        self.hooks.clip_norm = Some(most);
        self
    }

    /// Takes a step after so many batches, by the gradient of the mean over all their samples: as a batch so many times
    /// as large, but for batch normalization. What is left at an epoch's end makes a step too.
    #[must_use]
    pub fn accumulate(mut self, batches: usize) -> Self {
        self.hooks.accumulate = batches;
        self
    }

    /// Trains the parameters that `which` chooses at other rates.
    ///
    /// ```
    /// # fn example(model: &foveal_nn::Model, data: &foveal_data::Dataset) {
    /// use foveal_nn::engine::Rates;
    ///
    /// let fit = foveal_train::Fit::new(model, data)
    ///     .group(|p| p.name.starts_with("conv2d"), Rates { lr: 0.1, decay: Some(0.0) });
    /// # }
    /// ```
    #[must_use]
    pub fn group(mut self, which: impl Fn(&Param) -> bool + 'a, rates: Rates) -> Self {
        self.hooks.groups.push((Box::new(which), rates));
        self
    }

    /// How much each sample of the data set counts in the loss.
    #[must_use]
    pub fn sample_weights(mut self, weights: impl Into<Vec<f32>>) -> Self {
        self.hooks.weights = Some(weights.into());
        self
    }

    /// A figure of the validation samples after each epoch, told by [`Event::Metrics`] and kept in
    /// [`Outcome::metrics`].
    #[must_use]
    pub fn metric(mut self, name: &str, metric: impl FnMut(&Judged<'_>) -> f64 + 'a) -> Self {
        self.hooks.metrics.push((name.to_owned(), Box::new(metric)));
        self
    }

    /// Trains.
    ///
    /// # Errors
    /// As [`crate::fit`]; when a setting is out of range; what a loss or a layer of the program's own says.
    pub fn run(self) -> Result<Trained, Error> {
        let Self { model, data, mut recipe, split, share, preprocess, threads, hooks, mut on_event } = self;
        recipe.threads = threads;
        let split = match split {
            Some(split) => split,
            None => Split::random(data.len(), data.labels(), share, recipe.seed)?,
        };
        let preprocess = preprocess.unwrap_or_else(|| Preprocess::of(data));
        let stop = AtomicBool::new(false);
        let mut tell = |event: &Event| {
            if let Some(callback) = &mut on_event
                && callback(event).is_break()
            {
                stop.store(true, Ordering::Relaxed);
            }
        };
        let outcome = run(model, (data, &split, &preprocess, &recipe), &stop, &mut tell, hooks)?;
        let training = Training {
            model: "own".into(),
            dataset: data.name().to_owned(),
            epochs: outcome.history.len(),
            validation_accuracy: outcome.validation_accuracy,
            best_epoch: outcome.epoch.filter(|_| recipe.keep_best),
            recipe,
            ..Training::default()
        };
        let classes = data.classes().unwrap_or_default();
        // A loss of the program's own may give outputs another meaning.
        let classes = if classes.len() == outcome.model.outputs() { classes.to_vec() } else { Vec::new() };
        let saved = SavedModel { model: outcome.model.clone(), preprocess, classes, training };
        Ok(Trained { outcome, saved })
    }
}

impl std::fmt::Debug for Fit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fit").field("recipe", &self.recipe).finish_non_exhaustive()
    }
}

impl Preprocess {
    /// What suits samples as a data set has them: pixels (`u8`) become 0 to 1, numbers (`f32`) go in as they are, texts
    /// by their vocabulary.
    ///
    /// ```
    /// use foveal_data::Dataset;
    /// use foveal_train::Preprocess;
    ///
    /// let pixels = Dataset::from_samples([1, 1, 1], [(vec![255u8], 0)])?;
    /// assert_eq!(Preprocess::of(&pixels).sample(&pixels, 0), [1.0]);
    /// let numbers = Dataset::from_samples([1, 1, 1], [(vec![255.0f32], 0)])?;
    /// assert_eq!(Preprocess::of(&numbers).sample(&numbers, 0), [255.0]);
    /// # Ok::<(), foveal_data::Error>(())
    /// ```
    pub fn of(data: &Dataset) -> Self {
        let channels = data.shape()[2];
        match (data.vocabulary(), data.samples()) {
            (Some(vocabulary), _) => Self::text(vocabulary.clone()),
            (None, Samples::F32(_)) => Self::numbers(channels),
            (None, Samples::U8(_) | Samples::Stored(_)) => Self::unit(channels, crate::PictureFit::Resize),
        }
    }
}
