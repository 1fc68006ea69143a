//! Kernels for channels side by side: NHWC activations, HWIO filters, any batch from one image up.
//!
//! Convolution is an implicit matrix product: a tile of output positions by a tile of filters is held in
//! registers while taps and channels go by; a table of places serves padding (a row of zeros), strides and
//! dilations alike, and no patches are copied. Where channels are few, a row of the kernel is read as one
//! stretch; where each channel has a filter of its own (depthwise), channels alone fill the vectors. Work is
//! split by output, never by sum, or in parts that depend on the shapes alone: the result
//! has the same bits for any number of threads.

mod conv;
mod depthwise;
mod filter;
mod finish;
mod gather;
mod layout;
pub mod norm;
pub mod pool;
mod prepared;
mod prepared_transpose;
mod trained;
mod walk;
mod winograd;

pub use conv::{conv2d, conv2d_backward_input, conv2d_transpose};
pub use filter::conv2d_backward_filter;
pub use finish::After;
pub use layout::Layout;
pub use prepared::{Prepared, dense};
pub use prepared_transpose::PreparedTranspose;
pub use trained::Trained;
