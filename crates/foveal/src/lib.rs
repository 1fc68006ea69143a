#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

pub use foveal_data as data;
pub use foveal_infer as infer;
pub use foveal_infer::Predictor;
pub use foveal_kernels as kernels;
pub use foveal_nn as nn;
pub use foveal_onnx as onnx;
pub use foveal_train as train;
pub use foveal_view as view;
pub use ndarray;

pub mod guide;
