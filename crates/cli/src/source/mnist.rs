//! The built-in data set: MNIST's handwritten digits.

use anyhow::Result;
use foveal::data::{Dataset, Samples, Targets, TrainTest};
use foveal_mnist as mnist;

/// The name of the built-in data set.
pub const MNIST: &str = "mnist";

/// Both parts.
pub fn source(threads: usize) -> Result<TrainTest> {
    Ok(TrainTest::new(training_digits(threads)?, Some(test_digits()?))?)
}

/// The built-in test digits.
pub fn test_digits() -> Result<Dataset> {
    digits("mnist test", mnist::test_images(), mnist::test_labels())
}

/// The built-in training digits.
pub fn training_digits(threads: usize) -> Result<Dataset> {
    digits(MNIST, mnist::train_images(threads), mnist::train_labels())
}

fn digits(name: &str, pixels: Vec<u8>, labels: Vec<u8>) -> Result<Dataset> {
    let names = (0..mnist::CLASSES).map(|class| class.to_string()).collect();
    let labels = labels.into_iter().map(u32::from).collect();
    let shape = [mnist::HEIGHT, mnist::WIDTH, 1];
    Ok(Dataset::new(name, shape, Samples::U8(pixels), Targets::Classes { labels, names })?)
}
