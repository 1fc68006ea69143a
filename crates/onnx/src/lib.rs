#![forbid(unsafe_code)]
//! Models of foveal as ONNX files, and ONNX files as models of foveal.
//!
//! - [`export`]: a trained model as the bytes of an `.onnx` file that takes raw pixels `[n, h, w, c]` as bytes,
//!   Hounsfield units of CT, or the numbers of a text's tokens.
//! - [`import`]: the bytes of an `.onnx` file of a plain convolutional network as a model to predict with and to
//!   train further.
//!
//! The files are read and written by [`proto`], the part of `onnx.proto` that such networks need.

mod error;
mod export;
mod hounsfield;
mod import;
pub mod proto;
mod wire;

pub use error::Error;
pub use export::export;
pub use import::{OPERATORS, import};
