//! Options of data sets and of what is learnt from them.

use crate::args::pair;
use clap::{Args, ValueEnum};
use foveal::data::table;

/// How a data set is read.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Reading data")]
pub struct Reading {
    /// Height,width that pictures are fitted to, or one number for both [default: the model's, else the
    /// median of the training pictures, made smaller in proportion to at most 64]
    #[arg(long, value_name = "H,W", value_parser = size)]
    pub image_size: Option<Size>,
    /// Whether targets are classes or values [default: told by the targets]
    #[arg(long, value_name = "classify|regress", value_enum, hide_possible_values = true)]
    pub task: Option<Task>,
    /// Refuse a broken picture instead of skipping it
    #[arg(long)]
    pub strict: bool,
}

/// What is made small, and how classes count.
#[derive(Args, Debug, Clone)]
pub struct Learning {
    /// cross-entropy for classes; mse or huber for values [default: by the targets]. Values count in
    /// standard deviations
    #[arg(long, value_name = "LOSS", value_enum, hide_possible_values = true)]
    pub loss: Option<LossName>,
    /// Let every class count alike: an image of a class with n_c of n images in k classes weighs n / (k n_c)
    #[arg(long)]
    pub class_weights: bool,
    /// Show every class alike often: small classes are repeated
    #[arg(long)]
    pub balanced_sampling: bool,
}

/// A loss by name.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossName {
    /// Softmax and cross-entropy
    CrossEntropy,
    /// The mean of squared differences
    Mse,
    /// Squared up to one standard deviation, linear beyond
    Huber,
}

/// What targets are.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Classes
    Classify,
    /// Values
    Regress,
}

impl From<Task> for table::Task {
    fn from(task: Task) -> Self {
        match task {
            Task::Classify => table::Task::Classify,
            Task::Regress => table::Task::Regress,
        }
    }
}

/// Height and width of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub [usize; 2]);

fn size(text: &str) -> Result<Size, String> {
    let sides = pair(text)?.0;
    match sides.map(usize::try_from) {
        [Ok(height), Ok(width)] if (1..=4096).contains(&height) && (1..=4096).contains(&width) => {
            Ok(Size([height, width]))
        }
        _ => Err("sides are from 1 to 4096".into()),
    }
}
