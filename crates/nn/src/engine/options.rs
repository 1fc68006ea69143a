//! What an engine is made for, and what its next steps depend on.

use crate::Error;
use crate::loss::Loss;
use crate::model::Model;
use crate::optim::Optimizer;
use foveal_kernels::Isa;

/// What the engine is made for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Images in a full batch.
    pub batch_size: usize,
    /// Workers; the results do not depend on it.
    pub threads: usize,
    /// The loss to make small; `None` makes an engine that only predicts.
    pub loss: Option<Loss>,
    /// How gradients become steps.
    pub optimizer: Optimizer,
    /// Seeds dropout.
    pub seed: u64,
    /// For each input channel, what a raw value is multiplied by, and what is then added.
    pub scale: Vec<f32>,
    /// See `scale`.
    pub shift: Vec<f32>,
    /// The instruction set.
    pub isa: Isa,
}

impl Options {
    /// Checks the options against `model`.
    pub(super) fn check(&self, model: &Model) -> Result<(), Error> {
        let channels = model.input_shape()[2];
        let wrong = |option, allowed: &str, value: String| {
            Err(Error::Option { option, allowed: allowed.to_owned(), value })
        };
        if self.batch_size == 0 {
            return wrong("the batch size", "at least 1", "0".into());
        }
        for (option, given) in [("the scales", self.scale.len()), ("the shifts", self.shift.len())] {
            if given != channels {
                return wrong(option, &format!("as many as the {channels} channel(s)"), given.to_string());
            }
        }
        self.optimizer.check()?;
        match self.loss {
            Some(Loss::Huber { delta }) if !(delta > 0.0 && delta.is_finite()) => {
                return wrong("Huber's delta", "above 0", delta.to_string());
            }
            Some(Loss::CrossEntropy { label_smoothing }) if !(0.0..=1.0).contains(&label_smoothing) => {
                return wrong("label smoothing", "from 0 to 1", label_smoothing.to_string());
            }
            _ => {}
        }
        let shape = model.output_shape();
        if shape[..2] != [1, 1] {
            let problem = format!("the output {shape:?} is not flat: end the model with one row of numbers");
            return Err(Error::Untrainable(problem));
        }
        if self.loss.is_some() {
            training_is_here()?;
        }
        if self.loss.is_some() && model.params().iter().all(|p| !p.trainable) {
            let problem = "nothing is left to train: the model has no parameters, or all are frozen";
            return Err(Error::Untrainable(problem.into()));
        }
        Ok(())
    }
}

/// Whether gradients can be computed in this build.
pub(crate) fn training_is_here() -> Result<(), Error> {
    match foveal_kernels::dispatch::TRAINING {
        true => Ok(()),
        false => Err(Error::Untrainable(
            "foveal-nn was built without its feature `training`; build it with it".into(),
        )),
    }
}

/// How the images of a group lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupLayout {
    /// Side by side: a vector holds the same number of as many images as it has lanes.
    Images,
    /// One after the other: a vector holds neighbouring channels of one image.
    Channels,
}

/// All that the next steps of a training depend on besides the images: given back to an engine of the same model
/// and options, they go on as if nothing had happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Training steps done.
    pub steps: u64,
    /// All numbers that training changes, in the plan's layout; frozen ones are not among them.
    pub values: Vec<f32>,
    /// The optimizer's two moments of each that it changes.
    pub moments: [Vec<f32>; 2],
}
