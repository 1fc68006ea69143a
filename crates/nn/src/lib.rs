#![forbid(unsafe_code)]
//! Operators, layers, models and the training engine of foveal.
//!
//! - `ops`: the operators on `ndarray` views, NHWC and HWIO, forward and exact backward.
//! - [`Sequential`]: a net in code, layer after layer.
//! - [`layers`]: the kinds of layers, each with all that is known of it in one file.
//! - [`spec`]: a model as data, readable as TOML; [`builtin`]: the models that foveal brings.
//! - [`model`]: a spec whose shapes have been checked along the chain, with its parameters; a forward pass
//!   that keeps every activation.
//! - [`engine`]: a model and a batch size compiled to a list of fused steps, trained by a team of workers.
//! - [`loss`], [`optim`], [`schedule`]: what drives the training.
//!
//! Shapes are `[n, h, w, c]` everywhere a person looks, numbers are `f32`.

pub mod builtin;
pub mod engine;
mod error;
pub mod init;
pub mod layers;
pub mod loss;
pub mod model;
#[cfg(feature = "training")]
pub mod ops;
// Their gradients would panic: what is left of them here serves the layers.
#[cfg(not(feature = "training"))]
#[allow(dead_code, unused_imports)]
pub(crate) mod ops;
pub mod optim;
pub mod schedule;
mod sequential;
pub mod spec;
mod steps;
pub mod summary;

pub use error::Error;
pub use foveal_kernels::{
    Axis, Conv2dGeometry, Conv2dOptions, Conv2dTransposeGeometry, Conv2dTransposeOptions, GeometryError, Isa,
    Padding, Pool2dGeometry, Pool2dOptions,
};
pub use model::Model;
pub use ndarray;
pub use sequential::{Sequential, Size};
pub use spec::ModelSpec;
