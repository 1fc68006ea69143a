#![forbid(unsafe_code)]
//! A convolutional-network workbench in Rust.

pub use foveal_data as data;
pub use foveal_kernels as kernels;
pub use foveal_nn as nn;
pub use foveal_train as train;
pub use foveal_view as view;
