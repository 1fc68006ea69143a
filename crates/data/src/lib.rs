#![forbid(unsafe_code)]
//! From bytes to data sets.
//!
//! Readers take bytes and the name of where they come from; nothing here opens a file or prints.
//! A reader takes memory only after it has compared the sizes that a header declares with the
//! bytes that are there, and no input makes it panic.
//!
//! | module | from | to |
//! |---|---|---|
//! | [`Dataset::from_arrays`] | a program's own arrays | [`Dataset`] |
//! | [`idx`] | IDX files, plain or gzip | [`Dataset`] |
//! | [`npy`] | `.npy` arrays | [`ndarray::ArrayD`] |
//! | [`npz`] | Keras's `.npz` | arrays, then [`Dataset`]s |
//! | [`picture`] | PNG, JPEG, BMP, WebP, TIFF, GIF | [`Picture`], then the input of a model |
//! | [`folder`] | paths of class folders | [`folder::Layout`]: parts and classes |
//! | [`table`] | CSV of paths and targets | [`table::Table`] |
//! | [`targets`] | columns of targets | classes or values |
//! | `dicom` (feature) | CT slices as DICOM files | Hounsfield units, series, samples |
//! | [`tsv`], [`text_table`] | TSV, CSV of labels and texts | [`tsv::Texts`] |
//! | [`text`] | texts | tokens, a vocabulary, [`Dataset`] |
//! | [`stack`] | pictures of any size | samples of one size |
//! | [`stored`] | samples larger than memory | samples read ahead of their use |
//! | [`split`] | the size of a training set | indices for training and validation |
//! | [`divide`] | shares, labels, groups, a seed | training, validation, test; folds |
//! | [`groups`] | groups of samples | parts and folds that keep them together |
//! | [`shuffle`] | indices, a seed, an epoch | the order of that epoch |
//!
//! Samples are images of height x width x channels (NHWC), targets are classes or values.

mod arrays;
pub mod augment;
pub mod check;
pub mod dataset;
#[cfg(feature = "dicom")]
pub mod dicom;
mod digit;
pub mod divide;
mod encoding;
mod error;
mod fit;
pub mod folder;
pub mod groups;
pub mod idx;
mod kinds;
pub mod near;
pub mod npy;
mod npy_text;
pub mod npz;
pub mod number;
pub mod picture;
mod resample;
mod rows;
pub mod scale;
pub mod shuffle;
pub mod split;
pub mod stack;
pub mod stored;
pub mod table;
pub mod targets;
pub mod text;
pub mod text_table;
pub mod tsv;
mod window;

pub use arrays::{Element, IntoTargets};
pub use augment::Augment;
pub use check::{Fault, Report, TargetFacts, duplicates_between};
pub use dataset::{Dataset, Sample, Samples, TrainTest};
pub use error::Error;
pub use picture::Picture;
pub use scale::Scale;
pub use split::{Part, Split};
pub use stored::{Load, Stored};
pub use targets::Targets;
pub use window::Window;
