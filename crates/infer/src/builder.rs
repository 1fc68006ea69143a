use crate::Error;
use crate::pool::Pool;
use crate::predictor::Predictor;
use foveal_nn::engine::Options;
use foveal_nn::optim::Optimizer;
use foveal_nn::{Isa, Model};

/// Samples that an engine takes side by side.
const BATCH: usize = 256;

/// What a [`Predictor`] is made of: a model, what is done to raw numbers, the names of the classes, threads.
#[derive(Clone, Debug)]
pub struct Builder<'a> {
    model: &'a Model,
    scale: Vec<f32>,
    shift: Vec<f32>,
    classes: Vec<String>,
    origin: Vec<f64>,
    threads: usize,
}

impl Predictor {
    /// A predictor of `model`: raw numbers go in as they are and outputs come as they are, unless the builder is told
    /// otherwise.
    pub fn builder(model: &Model) -> Builder<'_> {
        let channels = model.input_shape()[2];
        let (scale, shift) = (vec![1.0; channels], vec![0.0; channels]);
        Builder { model, scale, shift, classes: Vec::new(), origin: Vec::new(), threads: 1 }
    }
}

impl<'a> Builder<'a> {
    /// Raw numbers are pixels from 0 to 255, which the model takes as 0 to 1.
    #[must_use]
    pub fn pixels(self) -> Self {
        let channels = self.model.input_shape()[2];
        self.scaled(vec![1.0 / 255.0; channels], vec![0.0; channels])
    }

    /// For each channel, what a raw number is multiplied by, and what is then added.
    #[must_use]
    pub fn scaled(self, scale: impl Into<Vec<f32>>, shift: impl Into<Vec<f32>>) -> Self {
        Self { scale: scale.into(), shift: shift.into(), ..self }
    }

    /// The outputs are classes of these names: answers are probabilities.
    #[must_use]
    pub fn classes<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Self { classes: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// What is added to each output of a regression whose values have more digits than 32-bit floats, such as 1e9 + 3.5:
    /// [`Predictor::values`] gives the sums.
    ///
    /// ```
    /// let model = foveal_nn::Sequential::new([1, 1, 1]).flatten().build(0)?;
    /// let predictor = foveal_infer::Predictor::builder(&model).origin([1e9]).build()?;
    /// assert_eq!(predictor.values(&[3.5f32][..])?, [1e9 + 3.5]);
    /// assert!(predictor.predict(&[3.5f32][..]).is_err());   // 1e9 + 3.5 is no f32
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn origin(self, origin: impl Into<Vec<f64>>) -> Self {
        Self { origin: origin.into(), ..self }
    }

    /// Threads that work on one question; 1 unless it is set. Answers do not depend on it.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }

    /// Compiles the model.
    ///
    /// # Errors
    /// [`Error::Model`] when the output is not flat or there is not a scale for each channel; [`Error::Inconsistent`]
    /// when there is not a name for each output.
    pub fn build(self) -> Result<Predictor, Error> {
        let Self { model, scale, shift, classes, origin, threads } = self;
        if !classes.is_empty() && classes.len() != model.outputs() {
            let problem = format!("{} names for {} outputs", classes.len(), model.outputs());
            return Err(Error::Inconsistent { file: "predictor".into(), problem });
        }
        if !origin.is_empty() && origin.len() != model.outputs() {
            let problem = format!("{} numbers to add for {} outputs", origin.len(), model.outputs());
            return Err(Error::Inconsistent { file: "predictor".into(), problem });
        }
        let options = Options {
            batch_size: BATCH,
            threads,
            loss: None,
            optimizer: Optimizer::default(),
            seed: 0,
            scale,
            shift,
            isa: Isa::best(),
        };
        Predictor::over(Pool::new(model, options)?, classes, origin)
    }
}
