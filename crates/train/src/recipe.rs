use crate::Error;
use foveal_data::Augment;
use foveal_nn::loss::Loss;
use foveal_nn::optim::Optimizer;
use foveal_nn::schedule::Schedule;
use serde::{Deserialize, Serialize};

/// The largest learning rate: products with a larger one overflow at once.
const MAX_LR: f32 = 1e30;

/// How to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// How often every training image is seen.
    pub epochs: usize,
    /// Images in a step.
    pub batch_size: usize,
    /// The full learning rate.
    pub lr: f32,
    /// The optimizer: how gradients change the weights.
    pub optimizer: Optimizer,
    /// How the learning rate changes over the run.
    pub schedule: Schedule,
    /// The loss.
    pub loss: Loss,
    /// Stops after this many epochs without a lower validation loss.
    #[serde(default)]
    pub patience: Option<usize>,
    /// Ends with the weights of the epoch with the lowest validation loss (of equal ones with the highest accuracy),
    /// not the last epoch's.
    #[serde(default)]
    pub keep_best: bool,
    /// Ends with the mean of the weights over this share of the run's last steps; 0 for the last weights.
    #[serde(default)]
    pub average: f32,
    /// For each class, how much its images count.
    #[serde(default)]
    pub class_weights: Option<Vec<f32>>,
    /// Whether every class is seen equally often, however many images it has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub balanced_sampling: bool,
    /// Layers that are not trained: see [`foveal_nn::Model::freeze`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frozen: Vec<String>,
    /// How the training pictures change from epoch to epoch.
    #[serde(default, skip_serializing_if = "Augment::is_none")]
    pub augment: Augment,
    /// Seeds the parameters, the shuffling, augmentation and dropout.
    pub seed: u64,
    /// Threads to work with. Results do not depend on their number, so it is not saved with the recipe.
    #[serde(skip)]
    pub threads: usize,
}

impl Default for Recipe {
    /// Adam at 1e-3, batch 128, ten epochs, the best epoch's weights.
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 128,
            lr: 1e-3,
            optimizer: Optimizer::default(),
            schedule: Schedule::Constant,
            loss: Loss::default(),
            patience: None,
            keep_best: true,
            average: 0.0,
            class_weights: None,
            balanced_sampling: false,
            frozen: Vec::new(),
            augment: Augment::default(),
            seed: 0,
            threads: 1,
        }
    }
}

impl Recipe {
    /// The recipe of the built-in model `fast`: 99 % on MNIST as soon as possible.
    pub fn fast() -> Self {
        Self {
            epochs: 2,
            batch_size: 96,
            lr: 0.01,
            optimizer: Optimizer::Adam { beta1: 0.8, beta2: 0.98, epsilon: 1e-8, decay: 0.0 },
            schedule: Schedule::OneCycle { warmup: 0.15, start: 0.2, end: 0.0 },
            loss: Loss::CrossEntropy { label_smoothing: 0.05 },
            keep_best: false,
            ..Self::default()
        }
    }

    /// The recipe of the built-in model `balanced`: small moves of the pictures, and the mean of the weights over the
    /// last steps.
    pub fn balanced() -> Self {
        let augment = Augment { shift: 1.5, rotate: 8.0, scale: 0.1, shear: 8.0, ..Augment::default() };
        Self {
            epochs: 8,
            batch_size: 64,
            lr: 6e-3,
            optimizer: Optimizer::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: 0.0 },
            average: 0.1,
            augment,
            ..Self::fast()
        }
    }

    /// The recipe of the built-in model `best`: as [`Recipe::balanced`], with larger moves, more epochs
    /// and a lower rate.
    pub fn best() -> Self {
        let augment = Augment { shift: 2.0, rotate: 12.0, scale: 0.12, shear: 12.0, ..Augment::default() };
        Self { epochs: 24, lr: 4e-3, average: 0.15, augment, ..Self::balanced() }
    }

    /// The course's recipe for `lab-11-1` and `lab-11-2`: Adam at a constant 1e-3, batch 100, 15 epochs.
    pub fn course() -> Self {
        Self { epochs: 15, batch_size: 100, keep_best: false, ..Self::default() }
    }

    /// The recipe of the built-in model `stack`.
    pub fn stack() -> Self {
        let schedule = Schedule::OneCycle { warmup: 0.15, start: 0.2, end: 0.0 };
        Self { epochs: 10, batch_size: 64, lr: 3e-3, schedule, keep_best: false, ..Self::default() }
    }

    /// The recipe of the built-in models `vgg-small` and `vgg`: AdamW, mirror images.
    pub fn vgg() -> Self {
        let augment = Augment { flip: true, ..Augment::default() };
        let loss = Loss::CrossEntropy { label_smoothing: 0.1 };
        Self { epochs: 4, lr: 7.5e-3, loss, augment, ..Self::colour() }
    }

    /// The recipe of the built-in models `residual` and `separable`: AdamW.
    pub fn colour() -> Self {
        let schedule = Schedule::OneCycle { warmup: 0.2, start: 0.1, end: 0.0 };
        let optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: 0.02 };
        let loss = Loss::CrossEntropy { label_smoothing: 0.05 };
        Self {
            epochs: 15,
            batch_size: 64,
            lr: 5e-3,
            optimizer,
            schedule,
            loss,
            keep_best: false,
            ..Self::default()
        }
    }

    /// The recipe for going on from another model's weights.
    pub fn transfer() -> Self {
        let schedule = Schedule::OneCycle { warmup: 0.15, start: 0.1, end: 0.0 };
        Self { batch_size: 64, schedule, keep_best: false, ..Self::default() }
    }

    /// The recipe for a dense layer on the features of a network that stays as it is: AdamW with strong decay.
    pub fn head() -> Self {
        let optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 3.0 };
        let loss = Loss::CrossEntropy { label_smoothing: 0.1 };
        Self { optimizer, loss, ..Self::transfer() }
    }

    /// The recipe for the layers at the end of a network that has learnt before: small steps, and the weights of the
    /// best epoch.
    pub fn tune() -> Self {
        let schedule = Schedule::OneCycle { warmup: 0.1, start: 0.1, end: 0.0 };
        let optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.05 };
        let loss = Loss::CrossEntropy { label_smoothing: 0.1 };
        Self {
            epochs: 12,
            batch_size: 32,
            lr: 3e-4,
            optimizer,
            loss,
            schedule,
            keep_best: true,
            ..Self::default()
        }
    }

    /// The recipe of the built-in model `text-cnn`.
    pub fn text() -> Self {
        let schedule = Schedule::OneCycle { warmup: 0.15, start: 0.2, end: 0.0 };
        Self { epochs: 10, batch_size: 64, lr: 2e-3, schedule, ..Self::default() }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// Names the first setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        let fail = |setting, value: &dyn std::fmt::Display, allowed| {
            Err(Error::Recipe { setting, allowed, value: value.to_string() })
        };
        if self.epochs == 0 {
            return fail("epochs", &self.epochs, "at least 1");
        }
        if self.batch_size == 0 || self.batch_size > 1 << 16 {
            return fail("batch size", &self.batch_size, "from 1 to 65536");
        }
        if !(self.lr > 0.0 && self.lr <= MAX_LR) {
            return fail("learning rate", &self.lr, "above 0 and at most 1e30");
        }
        self.optimizer.check()?;
        self.schedule.check()?;
        if !(0.0..=1.0).contains(&self.average) {
            return fail("average", &self.average, "from 0 to 1");
        }
        self.augment.check()?;
        if let Some(bad) = self.class_weights.iter().flatten().find(|w| !(**w >= 0.0 && w.is_finite())) {
            return fail("class weights", bad, "0 or above");
        }
        Ok(())
    }
}
