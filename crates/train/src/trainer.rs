use crate::augmented::Augmented;
use crate::evaluate::targets_fit;
use crate::examples::Examples;
use crate::units::Units;
use crate::{Error, Preprocess, Recipe};
use foveal_data::shuffle::{balanced_order, epoch_order};
use foveal_data::{Dataset, Split};
use foveal_nn::engine::{Engine, Options, StepReport};
use foveal_nn::loss::Loss;
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
    ) -> Result<Self, Error> {
        recipe.check()?;
        model.freeze(&recipe.frozen)?;
        targets_fit(model, data, Some(recipe.loss))?;
        if let (Some(weights), Some(classes)) = (&recipe.class_weights, data.classes())
            && weights.len() != classes.len()
        {
            return Err(Error::ClassWeights { classes: classes.len(), weights: weights.len() });
        }
        if split.train.is_empty() {
            return Err(Error::NoImages { data: data.name().to_owned(), purpose: "to train on" });
        }
        let options = preprocess.options(Options {
            batch_size: recipe.batch_size,
            threads: recipe.threads,
            loss: Some(recipe.loss),
            optimizer: recipe.optimizer,
            seed: recipe.seed,
            scale: Vec::new(),
            shift: Vec::new(),
            isa: Isa::best(),
        });
        let engine = Engine::new(model, options)?;
        let units = Units::new(model, data, &split.train, matches!(recipe.loss, Loss::Huber { .. }));
        let augmented = Augmented::new(recipe, data, &engine);
        Ok(Self { engine, units, augmented })
    }

    /// One step on the training images `indices`, at the learning rate `lr`.
    pub fn step(
        &mut self,
        (data, split, recipe): (&Dataset, &Split, &Recipe),
        indices: &[u32],
        epoch: usize,
        lr: f32,
    ) -> StepReport {
        let Self { engine, units, augmented } = self;
        let weights = recipe.class_weights.as_deref();
        let examples = Examples { data, train: &split.train, units: units.as_ref(), weights };
        match augmented {
            None => engine.step(indices.len(), lr, |i| examples.at(indices[i] as usize)),
            Some(augmented) => {
                augmented.make(engine, &examples, indices, epoch);
                engine.step(indices.len(), lr, |i| augmented.example(i))
            }
        }
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
