#![forbid(unsafe_code)]
//! What foveal is tested against: naive f64 references that compute their own
//! shapes, central differences, a comparison that fails on NaN, and the
//! answers of TensorFlow and PyTorch in `fixtures/`.
//!
//! Nothing here is fast, and nothing here imports the code under test. A wrong
//! argument panics: this crate only ever runs in tests.

mod allclose;
pub mod fixtures;
pub mod geometry;
mod gradcheck;
mod random;
pub mod reference;

pub use allclose::{allclose, worst_relative};
pub use geometry::Pad;
pub use gradcheck::gradcheck;
pub use random::Random;
