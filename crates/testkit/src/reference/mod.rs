//! Naive references in f64: NHWC activations, HWIO filters, one loop per dimension.

pub mod activation;
pub mod batch_norm;
pub mod binary;
mod conv2d;
mod conv2d_transpose;
mod dense;
mod embedding;
pub mod image_norm;
pub mod log_softmax;
pub mod loss;
pub mod optim;
mod pool;
pub mod rearrange;
pub mod reduce;
pub mod resize;
pub mod scale;

pub use conv2d::{conv2d, conv2d_backward_bias, conv2d_backward_filter, conv2d_backward_input};
pub use conv2d_transpose::ConvTranspose;
pub use dense::{dense, dense_backward};
pub use embedding::{embedding, embedding_backward};
pub use pool::{
    avg_pool, avg_pool_backward, global_average_pool, global_average_pool_backward, max_pool,
    max_pool_backward,
};
