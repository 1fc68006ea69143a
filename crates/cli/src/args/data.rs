//! The options of data sets.

use super::values::{Size, scale, size, window};
use clap::{Args, Subcommand, ValueEnum};
use foveal::data::npz::Layout as Axes;
use foveal::data::text::Tokens;
use foveal::data::{Augment, Scale, Window, table};
use foveal::train::PictureFit;
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
    /// Show the samples that `data check` names: those that are alike side by side, blank or unlike any other
    #[arg(long, conflicts_with = "augment")]
    pub suspects: bool,
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
    /// Whether targets are classes, values, or labels of which a sample may have several [default: told by the targets,
    /// and said]
    #[arg(long, value_name = "classification|regression|labels", value_enum, hide_possible_values = true)]
    pub task: Option<Task>,
    /// The order of the axes of arrays: channels last or first [default: told by the extents]
    #[arg(long, value_name = "nhwc|nchw", value_enum, hide_possible_values = true)]
    pub layout: Option<AxesName>,
    /// What black and white are: bytes (0 to 255), unit (0 to 1), signed (-1 to 1), 16-bit (0 to 65535), or other, for
    /// numbers that are no pixels [default: told by the numbers, and said]
    #[arg(long, value_name = "SCALE", value_parser = scale)]
    pub scale: Option<Scale>,
    /// What happens to pictures of another aspect ratio: stretch, pad (black on both sides) or crop (the middle)
    /// [default: stretch]
    #[arg(long, value_name = "stretch|pad|crop", value_enum, hide_possible_values = true)]
    pub fit: Option<FitName>,
    /// What must not be divided between training, validation and test: the pictures of a folder below the class
    /// (folder), of one name up to its last _, -, blank or dot (prefix), or the rows of one value in a table's column
    /// [default: the patient for CT, else equal samples alone]
    #[arg(long, value_name = "folder|prefix|COLUMN")]
    pub group: Option<String>,
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
    /// Refuse a broken picture or row instead of leaving it out
    #[arg(long)]
    pub strict: bool,
    /// Read pictures anew each epoch instead of keeping them in memory [default: where they would take more than
    /// 2 GiB]
    #[arg(long)]
    pub stream: bool,
    #[command(flatten)]
    pub tables: Tables,
    #[command(flatten)]
    pub ct: Ct,
}

/// How CT is read.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Reading CT (folders of DICOM slices)")]
pub struct Ct {
    /// The slices' targets: a table whose first column is headed file, series (SeriesInstanceUID) or patient
    /// (PatientID) [default: the class folders]. For a table of pictures or texts: the columns of 0 and 1, one for each
    /// label, of which a sample may have several
    #[arg(long, value_name = "LABELS.csv|COLUMN,COLUMN")]
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
    #[value(name = "classification", alias = "classify")]
    Classify,
    /// Values
    #[value(name = "regression", alias = "regress")]
    Regress,
    /// Any number of labels a sample
    #[value(name = "labels", alias = "multi-label")]
    Label,
}

/// What happens to pictures of another aspect ratio.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum FitName {
    /// Stretched or squashed
    Stretch,
    /// Black on both sides
    Pad,
    /// Cut off on both sides
    Crop,
}

impl From<FitName> for PictureFit {
    fn from(name: FitName) -> Self {
        match name {
            FitName::Stretch => PictureFit::Resize,
            FitName::Pad => PictureFit::Pad,
            FitName::Crop => PictureFit::Crop,
        }
    }
}

/// The order of the axes of arrays.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum AxesName {
    /// Channels last
    Nhwc,
    /// Channels first
    Nchw,
}

impl From<AxesName> for Axes {
    fn from(name: AxesName) -> Self {
        match name {
            AxesName::Nhwc => Axes::Nhwc,
            AxesName::Nchw => Axes::Nchw,
        }
    }
}

/// Which columns of a table hold what, and where its pictures are.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Reading tables")]
pub struct Tables {
    /// The folder that a table's paths count from [default: the table's own]
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,
    /// The column of paths, by its heading or its number [default: the one that holds names of pictures]
    #[arg(long, value_name = "COLUMN")]
    pub path_column: Option<String>,
    /// The column that is to be learnt, or several for a regression of several values [default: label, class or
    /// target, else all that are left]
    #[arg(long, value_name = "COLUMN,COLUMN", value_delimiter = ',')]
    pub target: Vec<String>,
}

impl From<Task> for table::Task {
    fn from(task: Task) -> Self {
        match task {
            Task::Classify => table::Task::Classify,
            Task::Regress => table::Task::Regress,
            Task::Label => table::Task::Label,
        }
    }
}
