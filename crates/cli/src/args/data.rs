//! The options of data sets.

use super::values::{Size, size};
use clap::{Args, Subcommand, ValueEnum};
use foveal::data::table;

/// `foveal data`
#[derive(Subcommand, Debug)]
pub enum Data {
    /// The data sets that foveal brings, and the kinds it reads
    List,
    /// Counts, statistics and what deserves a look
    #[command(after_help = "\
Examples:
  foveal data check mnist
  foveal data check pets/
  foveal data check angles.csv

Between training, validation and test parts, samples that are the same are counted, and of pictures
those that are nearly so: the same one saved again, scaled or brightened.")]
    Check {
        /// `mnist`, a folder (class folders or IDX files), a .csv table or a .npz file
        #[arg(value_name = "DATA")]
        data: String,
        #[command(flatten)]
        reading: Reading,
    },
}

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
