#![forbid(unsafe_code)]
//! From bytes to data sets.
//!
//! Readers take bytes and the name of where they come from; nothing here opens a file or prints.
//! A reader takes memory only after the sizes a header declares have been checked against the
//! bytes that are there, and no input makes it panic.
//!
//! | module | from | to |
//! |---|---|---|
//! | [`idx`] | IDX files, plain or gzip | [`Dataset`] |
//! | [`npy`] | `.npy` arrays | [`ndarray::ArrayD`] |
//! | [`picture`] | PNG, JPEG | [`Picture`], then the input of a model |
//! | [`split`] | the size of a training set | indices for training and validation |
//! | [`shuffle`] | indices, a seed, an epoch | the order of that epoch |
//!
//! Samples are images of height x width x channels (NHWC), targets are classes or values.

pub mod check;
pub mod dataset;
mod digit;
mod error;
pub mod idx;
pub mod npy;
pub mod picture;
mod resample;
pub mod shuffle;
pub mod split;

pub use check::{Fault, Report, duplicates_between};
pub use dataset::{Dataset, Sample, Samples, Source, Targets};
pub use error::Error;
pub use picture::Picture;
pub use split::Split;
