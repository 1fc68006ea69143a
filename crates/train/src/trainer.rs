use crate::augmented::Augmented;
use crate::evaluate::{accuracy, samples_fit, targets_fit};
use crate::examples::Examples;
use crate::hooks::{Hooks, Judged};
use crate::units::Units;
use crate::{Error, Preprocess, Recipe};
use foveal_data::shuffle::{balanced_order, epoch_order};
use foveal_data::{Dataset, Samples, Split, Targets};
use foveal_nn::engine::{Engine, Example, Options, StepReport, describe};
use foveal_nn::loss::Loss;
use foveal_nn::ndarray::ArrayView2;
use foveal_nn::{Isa, Model};

/// Does the steps of a run: for [`crate::fit()`] all of them, for [`crate::Steps`] one each time it is asked.
pub(crate) struct Trainer {
    pub engine: Engine,
    pub units: Option<Units>,
    augmented: Option<Augmented>,
}

impl Trainer {
    /// Checks that model, data and recipe fit together, and freezes the layers that the recipe names.
    pub fn new(
        model: &mut Model,
        data: &Dataset,
        split: &Split,
        preprocess: &Preprocess,
        recipe: &Recipe,
        hooks: &Hooks<'_>,
    ) -> Result<Self, Error> {
        recipe.check()?;
        hooks.check(data)?;
        split_fits(data, split)?;
        samples_are_finite(data, split)?;
        model.freeze(&recipe.frozen)?;
        match hooks.loss {
            Some(_) => samples_fit(model, data)?,
            None => targets_fit(model, data, Some(recipe.loss))?,
        }
        if let (Some(weights), Some(classes)) = (&recipe.class_weights, data.classes())
            && weights.len() != classes.len()
        {
            return Err(Error::ClassWeights { classes: classes.len(), weights: weights.len() });
        }
        if split.train.is_empty() {
            return Err(Error::NoImages { data: data.name().to_owned(), purpose: "to train on" });
        }
        // For a loss of the program's own the engine's only says that no softmax is left out.
        let own = Recipe { loss: Loss::MeanSquared, ..recipe.clone() };
        let mut engine = match hooks.loss {
            Some(_) => Engine::for_own_loss(model, options(preprocess, &own))?,
            None => Engine::new(model, options(preprocess, recipe))?,
        };
        hooks.rates(&mut engine)?;
        let robust = matches!(recipe.loss, Loss::Huber { .. });
        let units = match hooks.loss {
            Some(_) => Units::own(data, &preprocess.origin),
            None => Units::new(model, data, &split.train, robust, &preprocess.origin),
        };
        let augmented = Augmented::new(recipe, data, &engine);
        Ok(Self { engine, units, augmented })
    }

    /// One step on the training images `indices`, at the learning rate `lr`.
    ///
    /// # Errors
    /// What a loss or a layer of the program's own says.
    pub fn step(
        &mut self,
        (data, split, recipe): (&Dataset, &Split, &Recipe),
        hooks: &mut Hooks<'_>,
        indices: &[u32],
        (epoch, last): (usize, bool),
        lr: f32,
    ) -> Result<StepReport, Error> {
        let Self { engine, units, augmented } = self;
        let weights = recipe.class_weights.as_deref();
        let own = hooks.weights.take();
        let examples =
            Examples { data, train: &split.train, units: units.as_ref(), weights, own: own.as_deref() };
        let count = indices.len();
        let report = match augmented {
            None => {
                let example = |i: usize| examples.at(indices[i] as usize);
                match hooks.open() {
                    false => Ok(engine.step(count, lr, example)),
                    true => open_step(engine, hooks, (data, indices, own.as_deref()), (last, lr), &example),
                }
            }
            Some(augmented) => {
                augmented.make(engine, &examples, indices, epoch);
                let example = |i: usize| augmented.example(i);
                match hooks.open() {
                    false => Ok(engine.step(count, lr, example)),
                    true => open_step(engine, hooks, (data, indices, own.as_deref()), (last, lr), &example),
                }
            }
        };
        hooks.weights = own;
        self.engine.fault().map_or(Ok(()), Err)?;
        report
    }

    /// Whether all weights are finite numbers.
    pub fn is_finite(&self) -> bool {
        self.engine.values().iter().all(|v| v.is_finite())
    }

    /// The model with the weights as they are now, in the data's own units.
    pub fn model(&self) -> Model {
        let model = self.engine.model();
        match &self.units {
            Some(units) => units.restore(model),
            None => model,
        }
    }
}

fn options(preprocess: &Preprocess, recipe: &Recipe) -> Options {
    preprocess.options(Options {
        batch_size: recipe.batch_size,
        threads: recipe.threads,
        loss: Some(recipe.loss),
        optimizer: recipe.optimizer,
        seed: recipe.seed,
        scale: Vec::new(),
        shift: Vec::new(),
        isa: Isa::best(),
    })
}

/// Bytes of memory that [`crate::fit()`] takes to train `model` by `recipe`, the samples not counted: activations and
/// gradients of a batch, parameters and the optimizer's moments.
///
/// ```
/// use foveal_nn::{Model, builtin};
/// use foveal_train::{PictureFit, Preprocess, Recipe, memory_needed};
///
/// let model = Model::new(&builtin::spec("lab-11-1").unwrap(), 0)?;
/// let bytes = memory_needed(&model, &Preprocess::unit(1, PictureFit::Resize), &Recipe::default())?;
/// assert!(bytes > 4 * model.params().iter().map(|p| p.values.len()).sum::<usize>());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the recipe does not fit the model.
pub fn memory_needed(model: &Model, preprocess: &Preprocess, recipe: &Recipe) -> Result<usize, Error> {
    recipe.check()?;
    let mut model = model.clone();
    model.freeze(&recipe.frozen)?;
    Ok(describe(&model, &options(preprocess, recipe))?.memory_bytes)
}

/// A step whose gradients are gathered, looked at and then applied.
fn open_step<'e>(
    engine: &mut Engine,
    hooks: &mut Hooks<'_>,
    (data, indices, own): (&Dataset, &[u32], Option<&[f32]>),
    (last, lr): (bool, f32),
    example: &(impl Fn(usize) -> Example<'e> + Sync),
) -> Result<StepReport, Error> {
    let count = indices.len();
    let weight: f64 = (0..count).map(|i| f64::from(example(i).weight)).sum();
    hooks.before(engine, weight);
    let report = match &mut hooks.loss {
        None => engine.gather(count, example),
        Some(loss) => {
            let weights: Vec<f32> =
                own.map_or(Vec::new(), |own| indices.iter().map(|&i| own[i as usize]).collect());
            let mut judge = |outputs: ArrayView2<'_, f32>| {
                let judged = Judged { outputs, indices, data, weights: &weights };
                loss(&judged).map(|(value, slopes)| (f64::from(value), slopes))
            };
            let (value, outputs) = engine.gather_by(count, |i| example(i).pixels, &mut judge)?;
            let rows = outputs.as_slice().unwrap_or_default();
            let same = data.classes().is_some_and(|classes| classes.len() == outputs.ncols());
            let share = if same { accuracy(rows, data, indices) } else { 0.0 };
            let correct = (share * count as f64).round() as usize;
            StepReport { loss: value, plain: value, correct, count }
        }
    };
    if report.loss.is_finite() {
        hooks.after(engine, weight, lr, last);
    }
    Ok(report)
}

/// Refuses a split with samples that the data set does not have, or that are in both parts.
fn split_fits(data: &Dataset, split: &Split) -> Result<(), Error> {
    let samples = data.len();
    let wrong =
        |sample: u32, problem| Err(Error::Split { data: data.name().to_owned(), sample, samples, problem });
    let mut trained = vec![false; samples];
    for &i in &split.train {
        match trained.get_mut(i as usize) {
            Some(place) => *place = true,
            None => return wrong(i, "is not in the data set"),
        }
    }
    for &i in &split.validation {
        match trained.get(i as usize) {
            Some(false) => {}
            Some(true) => return wrong(i, "is for training and for validation"),
            None => return wrong(i, "is not in the data set"),
        }
    }
    Ok(())
}

/// Refuses samples and values that are no finite numbers: nothing can be learnt from them, and no learning rate helps.
fn samples_are_finite(data: &Dataset, split: &Split) -> Result<(), Error> {
    let all = || split.train.iter().chain(&split.validation).map(|&i| i as usize);
    let find = |in_row: &dyn Fn(usize) -> Option<f64>| all().find_map(|i| in_row(i).map(|v| (i, v)));
    let bad_in = |row: &[f64]| row.iter().find(|v| !v.is_finite()).copied();
    let size = data.sample_len();
    let bad = match data.samples() {
        Samples::F32(numbers) => {
            let bad = |i| numbers[i * size..(i + 1) * size].iter().find(|v| !v.is_finite());
            find(&|i| bad(i).map(|v| f64::from(*v))).map(|bad| ("sample", bad))
        }
        Samples::U8(_) | Samples::Stored(_) => None,
    };
    let values = match data.targets() {
        Targets::Values { values, names } => {
            find(&|i| bad_in(&values[i * names.len()..(i + 1) * names.len()]))
        }
        Targets::Classes { .. } | Targets::Labels { .. } => None,
    };
    let bad = bad.or(values.map(|bad| ("the target of sample", bad)));
    match bad {
        Some((what, (sample, value))) => {
            Err(Error::NotFinite { data: data.name().to_owned(), what, sample, value })
        }
        None => Ok(()),
    }
}

/// The order of the images in an epoch. Stored samples begin to be read ahead in this order.
pub(crate) fn order(data: &Dataset, split: &Split, recipe: &Recipe, epoch: usize) -> Vec<u32> {
    let (indices, seed) = (&split.train, recipe.seed);
    let order = match data.labels() {
        Some(labels) if recipe.balanced_sampling => balanced_order(indices, labels, seed, epoch as u64),
        _ => epoch_order(indices, seed, epoch as u64),
    };
    if let Some(stored) = data.stored() {
        stored.ahead(&order);
    }
    order
}
