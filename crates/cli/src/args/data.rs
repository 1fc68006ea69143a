//! The options of data sets.

use super::values::{Size, size, window};
use clap::{Args, Subcommand, ValueEnum};
use foveal::data::text::Tokens;
use foveal::data::{Augment, Window, table};
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
  foveal data check reviews.tsv --tokens ngrams

Samples that stand in two parts (training, validation, test) are counted. So are near copies:
pictures that were saved again, scaled or brightened, and texts that differ only in case, blanks
and punctuation. For DICOM slices, labelled or not, it shows the numbers of patients, series and
slices, the spacing and the range of Hounsfield units.")]
    Check {
        /// `mnist`, a folder (class folders, DICOM slices, IDX files, train.tsv), a .csv table, a .npz file or a .tsv
        /// of texts
        #[arg(value_name = "DATA")]
        data: String,
        #[command(flatten)]
        reading: Reading,
    },
    /// Samples with their classes or values, and what augmentation makes of them
    #[command(after_help = "\
Settings of --augment, each 0 unless named: shift=PIXELS, rotate=DEGREES, scale=SHARE,
shear=DEGREES, flip, crop=SHARE, brightness=SHARE, contrast=SHARE, cutout=PIXELS, mixup=ALPHA.
Sets: digits, photos, none. A later setting overrules an earlier one: digits,rotate=15.

Without -o the result goes to the terminal, with pictures if the terminal can show them.

Examples:
  foveal data show mnist -o digits.png
  foveal data show mnist --augment digits,cutout=6 -o augmented.png
  foveal data show pets/ --augment photos,mixup=0.2 --count 6")]
    Show(ShowData),
}

/// `foveal data show`
#[derive(Args, Debug)]
pub struct ShowData {
    /// `mnist`, a folder (class folders or IDX files), a .csv table or a .npz file
    #[arg(value_name = "DATA")]
    pub data: String,
    /// Show each sample, and beside it what augmentation makes of it in the first epochs
    #[arg(long, value_name = "WHAT")]
    pub augment: Option<Augment>,
    /// Samples to show [default: 40; with --augment 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=200))]
    pub count: Option<u16>,
    /// Write it as a picture
    #[arg(short, long, value_name = "OUT.png|OUT.svg")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
}

/// How a data set is read.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Reading data")]
pub struct Reading {
    /// Height,width that pictures are fitted to, or one number for both [default: the model's, else the
    /// median of the training pictures, made smaller in proportion to at most 64]
    #[arg(long, value_name = "H,W", value_parser = size)]
    pub image_size: Option<Size>,
    /// Whether targets are classes or values [default: decided by the targets]
    #[arg(long, value_name = "classify|regress", value_enum, hide_possible_values = true)]
    pub task: Option<Task>,
    /// What texts are cut into: words, chars, or ngrams, pairs of characters within words [default: ngrams for
    /// Korean and other scripts that join words, else words]
    #[arg(long, value_name = "words|chars|ngrams", value_enum, hide_possible_values = true)]
    pub tokens: Option<TokensName>,
    /// How many tokens of a text are read [default: the model's, else enough for 95 % of the training texts, from 8
    /// to 512]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub text_length: Option<u16>,
    /// Size of the vocabulary: the most frequent tokens, and two numbers for padding and for unknown tokens
    /// [default: the model's, else 20000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(3..=65_536))]
    pub vocabulary: Option<u32>,
    /// Refuse a broken picture instead of skipping it
    #[arg(long)]
    pub strict: bool,
    /// Read pictures anew each epoch instead of keeping them in memory [default: where they would take more than
    /// 2 GiB]
    #[arg(long)]
    pub stream: bool,
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

/// What texts are cut into.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokensName {
    /// Words
    Words,
    /// Characters
    Chars,
    /// Pairs of characters
    Ngrams,
}

impl From<TokensName> for Tokens {
    fn from(name: TokensName) -> Self {
        match name {
            TokensName::Words => Tokens::Words,
            TokensName::Chars => Tokens::Chars,
            TokensName::Ngrams => Tokens::Ngrams,
        }
    }
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
