#![forbid(unsafe_code)]
//! foveal: see every number of a convolutional network, train it, ship it.
//!
//! | module | holds |
//! |---|---|
//! | [`nn`] | operators with TensorFlow's exact shapes and numbers, models, their training engine |
//! | [`data`] | bytes to data sets: IDX, `.npy`, pictures; splits |
//! | [`train`] | the training loop, evaluation, saved models |
//! | [`onnx`] | models as ONNX files, and ONNX files as models |
//! | [`view`] | figures, and the arithmetic of single cells |
//! | [`kernels`] | the arithmetic on slices beneath it all |

pub use foveal_data as data;
pub use foveal_kernels as kernels;
pub use foveal_nn as nn;
pub use foveal_onnx as onnx;
pub use foveal_train as train;
pub use foveal_view as view;
