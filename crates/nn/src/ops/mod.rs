//! The operators, on `ndarray` views: activations `[n, h, w, c]`, filters `[kh, kw, c / groups, o]`.
//!
//! Every function checks its shapes with the one geometry ([`foveal_kernels::geometry`]) before memory is
//! taken, and runs the fast kernels on all the threads of the rayon pool it is called from; the results do
//! not depend on how many there are. Views need not be contiguous: what is not is copied first.
//!
//! ```
//! use foveal_nn::ops::{conv2d, max_pool};
//! use foveal_nn::{Conv2dOptions, Pool2dOptions};
//! use ndarray::{Array4, array};
//!
//! let image = Array4::from_shape_fn((1, 3, 3, 1), |(_, h, w, _)| (3 * h + w + 1) as f32);
//! let filter = Array4::ones((2, 2, 1, 1));
//! let y = conv2d(image.view(), filter.view(), None, &Conv2dOptions::default())?;
//! assert_eq!(y.into_raw_vec_and_offset().0, [12.0, 16.0, 24.0, 28.0]);
//!
//! let image = array![[[[4.0f32], [3.0]], [[2.0], [1.0]]]];
//! assert_eq!(max_pool(image.view(), &Pool2dOptions::new([2, 2]))?[[0, 0, 0, 0]], 4.0);
//! # Ok::<(), foveal_nn::Error>(())
//! ```

mod binary;
mod conv;
mod conv_transpose;
mod dense;
mod embedding;
pub(crate) mod grid;
mod image_norm;
mod loss;
mod norm;
mod pool;
mod rearrange;
mod reduce;
mod resize;
mod scale;
mod shape;
mod views;

pub use binary::{
    maximum, maximum_backward, minimum, minimum_backward, multiply, multiply_backward, subtract,
    subtract_backward,
};
pub use conv::{ConvGradients, conv2d, conv2d_backward, conv2d_backward_filter, conv2d_backward_input};
pub use conv_transpose::{
    conv2d_transpose, conv2d_transpose_backward_filter, conv2d_transpose_backward_input,
};
pub use dense::{DenseGradients, dense, dense_backward};
pub use embedding::{embedding, embedding_backward};
pub use foveal_kernels::grid::{Coordinates, DepthOrder, Method, NearestRound, PadMode, Reduction, Resize};
pub use foveal_kernels::lanes::elementwise::Activation;
pub use image_norm::{
    NormGradients, ResponseOptions, group_norm, group_norm_backward, instance_norm, instance_norm_backward,
    l2_normalize, l2_normalize_backward, layer_norm, layer_norm_backward, local_response_norm,
    local_response_norm_backward,
};
pub use loss::{huber, mean_squared_error, softmax_cross_entropy};
pub use norm::{BatchNorm, BatchNormGradients, batch_norm, batch_norm_backward, batch_norm_inference};
pub(crate) use pool::whole;
pub use pool::{
    avg_pool, avg_pool_backward, global_avg_pool, global_avg_pool_backward, global_max_pool, max_pool,
    max_pool_backward,
};
pub use rearrange::{
    channel_shuffle, channel_shuffle_backward, depth_to_space, depth_to_space_backward, pad, pad_backward,
    space_to_depth, space_to_depth_backward, strided_slice, strided_slice_backward,
};
pub use reduce::{log_softmax, log_softmax_backward, reduce, reduce_backward};
pub use resize::{resize, resize_backward};
pub use scale::{prelu, prelu_backward, scale, scale_backward};
pub use shape::{
    activation, activation_backward, add, concat, concat_backward, dropout, flatten, softmax,
    softmax_backward,
};
pub(crate) use views::{expect, rows};
