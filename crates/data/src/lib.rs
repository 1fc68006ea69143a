#![forbid(unsafe_code)]
//! From bytes to data sets.
//!
//! Readers take bytes and the name of where they come from; nothing here opens a file or prints.
//! A reader takes memory only after it has compared the sizes that a header declares with the
//! bytes that are there, and no input makes it panic.
//!
//! | module | from | to |
//! |---|---|---|
//! | [`idx`] | IDX files, plain or gzip | [`Dataset`] |
//! | [`npy`] | `.npy` arrays | [`ndarray::ArrayD`] |
//! | [`npz`] | Keras's `.npz` | arrays, then [`Dataset`]s |
//! | [`picture`] | PNG, JPEG, BMP, WebP, TIFF | [`Picture`], then the input of a model |
//! | [`folder`] | paths of class folders | [`folder::Layout`]: parts and classes |
//! | [`table`] | CSV of paths and targets | [`table::Table`] |
//! | `dicom` (feature) | CT slices as DICOM files | Hounsfield units, series, samples |
//! | [`tsv`] | TSV of labels and texts | [`tsv::Texts`] |
//! | [`text`] | texts | tokens, a vocabulary, [`Dataset`] |
//! | [`stack`] | pictures of any size | samples of one size |
//! | [`stored`] | samples larger than memory | samples read ahead of their use |
//! | [`split`] | the size of a training set | indices for training and validation |
//! | [`shuffle`] | indices, a seed, an epoch | the order of that epoch |
//!
//! Samples are images of height x width x channels (NHWC), targets are classes or values.

pub mod augment;
pub mod check;
pub mod dataset;
#[cfg(feature = "dicom")]
pub mod dicom;
mod digit;
mod error;
pub mod folder;
pub mod idx;
pub mod near;
pub mod npy;
pub mod npz;
pub mod picture;
mod resample;
pub mod shuffle;
pub mod split;
pub mod stack;
pub mod stored;
pub mod table;
pub mod text;
pub mod tsv;
mod window;

pub use augment::Augment;
pub use check::{Fault, Report, duplicates_between};
pub use dataset::{Dataset, Sample, Samples, Targets, TrainTest};
pub use error::Error;
pub use picture::Picture;
pub use split::{Part, Split};
pub use stored::{Load, Stored};
pub use window::Window;
