//! What a program changes about a training: nothing of it in most runs, which then take the engine's fused steps.

use crate::Error;
use foveal_data::{Dataset, Targets};
use foveal_nn::engine::{Engine, Rates, Update, clip_by_norm};
use foveal_nn::model::Param;
use foveal_nn::ndarray::{Array2, ArrayView2};

/// The outputs of a batch, or of the validation samples, and what they are of.
#[derive(Debug)]
#[non_exhaustive]
pub struct Judged<'a> {
    /// The outputs, `[n, outputs]`, before any softmax that cross-entropy would take over.
    pub outputs: ArrayView2<'a, f32>,
    /// The places of the samples in the data set.
    pub indices: &'a [u32],
    /// The data set.
    pub data: &'a Dataset,
    /// How much each sample counts; empty where all count alike.
    pub weights: &'a [f32],
}

impl Judged<'_> {
    /// The labels of the samples; empty for a regression.
    pub fn labels(&self) -> Vec<u32> {
        let labels = self.data.labels().unwrap_or_default();
        self.indices.iter().filter_map(|&i| labels.get(i as usize).copied()).collect()
    }

    /// The values of the samples, `[n, values]`; of no columns for classes.
    pub fn values(&self) -> Array2<f32> {
        let Targets::Values { values, names } = self.data.targets() else {
            return Array2::zeros((self.indices.len(), 0));
        };
        let k = names.len();
        Array2::from_shape_fn((self.indices.len(), k), |(i, j)| {
            values[self.indices[i] as usize * k + j] as f32
        })
    }
}

/// Where a run stands when it asks for a learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The step, from 0 on.
    pub step: usize,
    /// Steps of all epochs.
    pub steps: usize,
    /// Steps of an epoch.
    pub per_epoch: usize,
}

pub(crate) type Loss<'a> = Box<dyn FnMut(&Judged<'_>) -> Result<(f32, Array2<f32>), String> + 'a>;
pub(crate) type Optimizer<'a> = Box<dyn FnMut(f32, Update<'_>) + 'a>;
pub(crate) type Schedule<'a> = Box<dyn FnMut(Progress) -> f32 + 'a>;
pub(crate) type Metric<'a> = Box<dyn FnMut(&Judged<'_>) -> f64 + 'a>;
pub(crate) type Chosen<'a> = Box<dyn Fn(&Param) -> bool + 'a>;

/// What a program changes about a training.
#[derive(Default)]
pub(crate) struct Hooks<'a> {
    pub loss: Option<Loss<'a>>,
    pub optimizer: Option<Optimizer<'a>>,
    pub schedule: Option<Schedule<'a>>,
    pub clip_norm: Option<f32>,
    /// Batches to a step; 0 for one.
    pub accumulate: usize,
    pub groups: Vec<(Chosen<'a>, Rates)>,
    /// How much each sample of the data set counts.
    pub weights: Option<Vec<f32>>,
    pub metrics: Vec<(String, Metric<'a>)>,
    /// What the batches weigh whose gradients are gathered, and how many they are.
    gathered: f64,
    batches: usize,
}

impl Hooks<'_> {
    /// Whether gradients must be seen before they are applied.
    pub fn open(&self) -> bool {
        self.loss.is_some() || self.optimizer.is_some() || self.clip_norm.is_some() || self.accumulate > 1
    }

    /// Checks every value.
    pub fn check(&self, data: &Dataset) -> Result<(), Error> {
        let fail = |setting, allowed, value: String| Err(Error::Recipe { setting, allowed, value });
        match self.clip_norm {
            Some(most) if !(most > 0.0 && most.is_finite()) => {
                return fail("norm of the gradients", "above 0", most.to_string());
            }
            _ => {}
        }
        let bad = |v: f32| !(v >= 0.0 && v.is_finite());
        for (_, rates) in &self.groups {
            if bad(rates.lr) || rates.decay.is_some_and(bad) {
                return fail("rates of a group of parameters", "0 or above", format!("{rates:?}"));
            }
        }
        let Some(weights) = &self.weights else { return Ok(()) };
        let problem = match weights.iter().position(|&w| bad(w)) {
            _ if weights.len() != data.len() => format!("there are {} weights", weights.len()),
            Some(i) => format!("the weight of sample {i} is {}", weights[i]),
            None => return Ok(()),
        };
        Err(Error::SampleWeights { data: data.name().to_owned(), samples: data.len(), problem })
    }

    /// Tells the engine which parameters are trained at other rates. The later of two that choose a parameter counts.
    ///
    /// # Errors
    /// When a group has no parameters.
    pub fn rates(&self, engine: &mut Engine) -> Result<(), Error> {
        let params = engine.model_ref().params().to_vec();
        for (chosen, rates) in &self.groups {
            let own: Vec<usize> =
                (0..params.len()).filter(|&i| params[i].trainable && chosen(&params[i])).collect();
            if own.is_empty() {
                let value = "none of those that are trained".into();
                let setting = "parameters of a group";
                return Err(Error::Recipe { setting, allowed: "at least one", value });
            }
            own.into_iter().for_each(|i| engine.set_rates(i, *rates));
        }
        Ok(())
    }

    /// Before a batch that weighs so much is gathered beside others: the gradients are those of the mean over all.
    pub fn before(&mut self, engine: &mut Engine, weight: f64) {
        if self.batches > 0 && weight > 0.0 {
            scale(engine, self.gathered / weight);
        }
    }

    /// After a batch has been gathered: takes a step where it is time.
    pub fn after(&mut self, engine: &mut Engine, weight: f64, lr: f32, last: bool) {
        self.gathered += weight;
        self.batches += 1;
        if self.batches > 1 && self.gathered > 0.0 {
            scale(engine, weight / self.gathered);
        }
        if self.batches < self.accumulate.max(1) && !last {
            return;
        }
        (self.gathered, self.batches) = (0.0, 0);
        if let Some(most) = self.clip_norm {
            clip_by_norm(engine.gathered_mut(), most);
        }
        match &mut self.optimizer {
            Some(own) => engine.update_by(|update| own(lr, update)),
            None => engine.apply(lr),
        }
    }
}

fn scale(engine: &mut Engine, k: f64) {
    engine.gathered_mut().iter_mut().for_each(|g| *g = (f64::from(*g) * k) as f32);
}
