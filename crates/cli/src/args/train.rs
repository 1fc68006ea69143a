//! The options of `foveal train`.

use super::data::Reading;
use super::values::{Known, Share, data_sets, fraction, models, natural, positive, schedule, share};
use clap::{Args, ValueEnum};
use foveal::data::Augment;
use foveal::nn::loss::Loss;
use foveal::nn::optim::Optimizer;
use foveal::nn::schedule::Schedule;
use foveal::train::Freeze;
use serde::Deserialize;
use std::path::PathBuf;

/// How much time to spend.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// As fast as possible
    Fast,
    /// A few minutes
    Balanced,
    /// As good as possible
    Best,
}

/// `foveal train`
#[derive(Args, Debug, Clone)]
pub struct Train {
    /// `mnist`, a folder (class folders, DICOM slices, IDX files, train.tsv), a .csv table, a .npz file or a .tsv
    /// of texts
    #[arg(value_name = "DATA", value_parser = Known(data_sets), hide_possible_values = true)]
    pub data: String,
    /// A built-in model or a model file; pretrained is the network that has learnt from photographs [default:
    /// pretrained for colour pictures with classes, text-cnn for texts, the preset's for 28x28 grey, else stack]
    /// A file may hold a [recipe] table, too, and may be a run's config.toml
    #[arg(long, value_name = "NAME|FILE.toml", value_parser = Known(models), hide_possible_values = true)]
    pub model: Option<String>,
    /// Train as the config.toml of a run says: its model, its recipe, its number of validation samples. Options overrule it
    #[arg(long, value_name = "CONFIG.toml", conflicts_with = "model")]
    pub config: Option<PathBuf>,
    /// Begin with the weights of a trained model (.safetensors, run folder or .onnx): its input size and
    /// preprocessing stay; the last dense layer is new unless the classes are the same. scratch: with none
    #[arg(long, value_name = "MODEL|scratch")]
    pub from: Option<PathBuf>,
    /// Whether `--from scratch` was given; then there is no `from`.
    #[arg(skip)]
    pub scratch: bool,
    /// What the file of a recipe says and no option can.
    #[arg(skip)]
    pub given: Given,
    /// Layers that stay as they are: the first N of `foveal summary`, names, or all-but-head
    #[arg(long, value_name = "N|LAYER,LAYER|all-but-head")]
    pub freeze: Option<Freeze>,
    /// How much time to spend; for 28x28 grey pictures each has a model of its own
    #[arg(long, value_enum, default_value = "fast")]
    pub preset: Preset,
    /// Times to go through the training data [default: the preset's; more for small sets, up to 1000 steps]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub epochs: Option<u32>,
    /// Samples in a step [default: the preset's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub batch_size: Option<u32>,
    /// Learning rate [default: the preset's]
    #[arg(long, value_name = "X", value_parser = positive, allow_hyphen_values = true)]
    pub lr: Option<f32>,
    /// The run folder [default: runs/<data>-<time>]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on from the checkpoint in the run folder, to the same weights as if nothing had stopped the training;
    /// begins at the beginning where there is none
    #[arg(long, requires = "out")]
    pub resume: bool,
    /// Remove the run that is in the run folder, and begin at the beginning. Other files there stay
    #[arg(long, requires = "out", conflicts_with = "resume")]
    pub overwrite: bool,
    /// Train N models with the seeds --seed, --seed + 1 and so on, each in its own folder inside the run folder; eval
    /// and predict average their answers
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=32))]
    pub ensemble: Option<u8>,
    /// Train N models, each tested on another Nth of the samples (grouped and class by class); eval and predict average
    /// their answers
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=32), conflicts_with = "ensemble")]
    pub folds: Option<u8>,
    /// Training samples set aside to guide the training, so many or a share of all; 0 trains on all [default: 5000 of
    /// mnist, a tenth of others]
    #[arg(long, value_name = "N|SHARE", value_parser = share)]
    pub validation: Option<Share>,
    /// Samples set aside for the test at the end, so many or a share of all [default: those that the data set names; of
    /// CT a tenth of the patients]
    #[arg(long, value_name = "N|SHARE", value_parser = share)]
    pub test: Option<Share>,
    /// Write no report.html
    #[arg(long)]
    pub no_report: bool,
    /// Also write an event file that TensorBoard reads, as the training goes
    #[arg(long)]
    pub tensorboard: bool,
    #[command(flatten)]
    pub learning: Learning,
    #[command(flatten)]
    pub reading: Reading,
}

impl Train {
    /// Takes `--from scratch` as what it means. The error names the option that `--from MODEL` cannot go with.
    pub fn settle(&mut self) -> Result<(), &'static str> {
        if self.from.as_deref().is_some_and(|path| path == "scratch") {
            (self.from, self.scratch) = (None, true);
        }
        match self {
            Self { from: None, .. } => Ok(()),
            Self { config: Some(_), .. } => Err("--config"),
            Self { model: Some(_), .. } => Err("--model"),
            Self { ensemble: Some(_), .. } => Err("--ensemble"),
            _ => Ok(()),
        }
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        self.model.as_deref().unwrap_or("fast")
    }
}

/// The loss, how much classes count, augmentation, and how a training ends.
#[derive(Args, Debug, Clone)]
pub struct Learning {
    /// cross-entropy for classes; mse or huber for values [default: by the targets]. Values count in
    /// standard deviations
    #[arg(long, value_name = "LOSS", value_enum, hide_possible_values = true)]
    pub loss: Option<LossName>,
    /// adam, adamw or sgd [default: the preset's, in most adam]
    #[arg(long, value_name = "NAME", value_enum, hide_possible_values = true)]
    pub optimizer: Option<OptimizerName>,
    /// For sgd: the share of the last step that goes on [default: 0]
    #[arg(long, value_name = "X", value_parser = fraction, allow_hyphen_values = true)]
    pub momentum: Option<f32>,
    /// For sgd: look ahead along the momentum (Nesterov)
    #[arg(long)]
    pub nesterov: bool,
    /// Weight decay, of filters and weights: decoupled with adam and adamw, L2 with sgd [default: the preset's; 0.01 with
    /// adamw]
    #[arg(long, value_name = "X", value_parser = natural, allow_hyphen_values = true)]
    pub weight_decay: Option<f32>,
    /// How the learning rate changes: constant, cosine[:FLOOR], step:EPOCHS:FACTOR or one-cycle[:WARMUP[:START[:END]]]
    /// [default: the preset's]
    #[arg(long, value_name = "HOW", value_parser = schedule)]
    pub schedule: Option<Schedule>,
    /// Spread this share of the target evenly over all classes [default: the preset's]
    #[arg(long, value_name = "X", value_parser = fraction, allow_hyphen_values = true)]
    pub label_smoothing: Option<f32>,
    /// Give each channel a mean of 0 and a deviation of 1 over the training samples [default: yes where the contrast is
    /// low or the numbers are no pixels]
    #[arg(long, value_name = "yes|no", value_enum, hide_possible_values = true)]
    pub standardize: Option<YesNo>,
    /// Let every class count alike: an image of a class with n_c of n images in k classes weighs n / (k n_c)
    #[arg(long)]
    pub class_weights: bool,
    /// Show every class alike often: small classes are repeated
    #[arg(long, conflicts_with = "class_weights")]
    pub balanced_sampling: bool,
    /// Change the training pictures a little in each epoch: settings such as shift=2,rotate=10,flip, a set
    /// (digits, photos), or none [default: the preset's]
    #[arg(long, value_name = "WHAT")]
    pub augment: Option<Augment>,
    /// Stop after N epochs without a lower validation loss; 0 never [default: a quarter of the epochs where they are 25
    /// or more]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub patience: Option<u32>,
    /// Fit a temperature on the validation samples, so that probabilities are what they say, and keep it in the last
    /// layer: fit or off [default: fit; off for mnist]
    #[arg(long, value_name = "fit|off", value_enum, hide_possible_values = true)]
    pub temperature: Option<Fit>,
    /// The weights to end with: of the epoch with the lowest validation loss, or of the last step [default: best; of
    /// mnist's few epochs last]
    #[arg(long, value_name = "best|last", value_enum, hide_possible_values = true)]
    pub keep: Option<Keep>,
}

/// Whether something is fitted.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is
    Fit,
    /// It is not
    Off,
}

/// The weights to end with.
#[derive(ValueEnum, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// Of the epoch with the lowest validation loss
    Best,
    /// Of the last step
    Last,
}

/// Yes or no.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum YesNo {
    /// Yes
    Yes,
    /// No
    No,
}

/// An optimizer by name.
#[derive(ValueEnum, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerName {
    /// Adam
    Adam,
    /// Adam with decoupled weight decay
    #[value(name = "adamw")]
    AdamW,
    /// Stochastic gradient descent
    Sgd,
}

/// What the file of a recipe says and no option can.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Given {
    /// The optimizer, with all its numbers.
    pub optimizer: Option<Optimizer>,
    /// The loss, with its numbers.
    pub loss: Option<Loss>,
    /// The share of the last steps whose weights are averaged.
    pub average: Option<f32>,
    /// A weight for each class.
    pub class_weights: Option<Vec<f32>>,
}

/// A loss by name.
#[derive(ValueEnum, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum LossName {
    /// Softmax and cross-entropy
    CrossEntropy,
    /// Sigmoid and cross-entropy of each label by itself
    BinaryCrossEntropy,
    /// The mean of squared differences
    Mse,
    /// Squared up to one standard deviation, linear beyond
    Huber,
}
