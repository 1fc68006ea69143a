#![forbid(unsafe_code)]
//! Models of foveal as ONNX files, and ONNX files as models of foveal.
//!
//! - [`export`]: a trained model as the bytes of an `.onnx` file that takes raw pixels `[n, h, w, c]` as bytes,
//!   Hounsfield units of CT, or the numbers of a text's tokens.
//! - [`import`] and [`import_with`]: the bytes of an `.onnx` file of a convolutional network as a model to predict
//!   with and to train further.
//!
//! The files are read and written by [`proto`], the part of `onnx.proto` that such networks need.

mod activation;
mod attributes;
mod error;
mod export;
mod fold;
mod graph;
mod hounsfield;
mod import;
mod importer;
mod input;
mod layers;
mod patterns;
pub mod proto;
mod side;
mod view;
mod wire;

pub use error::{Error, Obstacle};
pub use export::{ExportOptions, export, export_with};
pub use import::{ImportOptions, Imported, Note, import, import_with, operators};
pub use side::SideFiles;
