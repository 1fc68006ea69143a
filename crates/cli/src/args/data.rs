//! The options of data sets.

use super::values::{Size, size, window};
use clap::{Args, Subcommand, ValueEnum};
use foveal::data::{Window, table};
use std::path::PathBuf;

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
  foveal data check scans/ --window lung

Between training, validation and test parts, samples that are the same are counted, and of pictures
those that are nearly so: the same one saved again, scaled or brightened. Of DICOM slices, labelled
or not: patients, series, slices, spacing and the range of Hounsfield units are counted.")]
    Check {
        /// `mnist`, a folder (class folders, DICOM slices or IDX files), a .csv table or a .npz file
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
    #[command(flatten)]
    pub ct: Ct,
}

/// How CT is read.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Reading CT (folders of DICOM slices)")]
pub struct Ct {
    /// The slices' targets: a table whose first column is headed file, series (SeriesInstanceUID) or patient
    /// (PatientID) [default: the class folders]
    #[arg(long, value_name = "LABELS.csv")]
    pub labels: Option<PathBuf>,
    /// What is seen, from black to white: lung (-600,1500), bone (400,1800), soft (40,400), brain (40,80), or
    /// centre,width in Hounsfield units [default: soft]
    #[arg(long, value_name = "NAME|C,W", value_parser = window, allow_hyphen_values = true)]
    pub window: Option<Window>,
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
