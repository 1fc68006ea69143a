#![forbid(unsafe_code)]
//! The MNIST data set, whole, as bytes: 60,000 training and 10,000 test digits of 28x28 pixels,
//! and their labels.
//!
//! The images stand in the program as independent zstd frames, so that several threads decode
//! them side by side. Pixels come out in the order of the original IDX files: image by image,
//! row by row, one byte a pixel, 0 for paper and 255 for full ink.
//!
//! ```
//! let labels = foveal_mnist::test_labels();
//! let images = foveal_mnist::test_images();
//! assert_eq!(images.len(), foveal_mnist::TEST * foveal_mnist::HEIGHT * foveal_mnist::WIDTH);
//! assert_eq!(labels[0], 7);
//! ```
//!
//! The data are by Y. LeCun, C. Cortes and C. J. C. Burges, under CC BY-SA 3.0.

mod digits;
mod parts;

pub use digits::{
    CLASSES, HEIGHT, TEST, TRAIN, TRAIN_PARTS, WIDTH, test_images, test_labels, train_images, train_labels,
};
pub use parts::{PARTS, part};
