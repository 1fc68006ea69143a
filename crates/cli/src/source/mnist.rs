//! The built-in data set: MNIST's handwritten digits.

use anyhow::Result;
use foveal::data::{Dataset, TrainTest};
#[cfg(feature = "mnist")]
use foveal::data::{Samples, Targets};
#[cfg(feature = "mnist")]
use foveal_mnist as mnist;
use serde::Serialize;

/// The name of the built-in data set.
pub const MNIST: &str = "mnist";

/// What a built-in data set holds.
#[derive(Serialize)]
pub struct BuiltIn {
    pub name: &'static str,
    pub train: usize,
    pub test: usize,
    pub shape: [usize; 3],
    pub classes: usize,
}

/// The data sets that the program brings.
#[cfg(feature = "mnist")]
pub fn built_in() -> Vec<BuiltIn> {
    let shape = [mnist::HEIGHT, mnist::WIDTH, 1];
    vec![BuiltIn { name: MNIST, train: mnist::TRAIN, test: mnist::TEST, shape, classes: mnist::CLASSES }]
}

/// The data sets that the program brings: none.
#[cfg(not(feature = "mnist"))]
pub fn built_in() -> Vec<BuiltIn> {
    Vec::new()
}

/// Both parts.
pub fn source(threads: usize) -> Result<TrainTest> {
    Ok(TrainTest::new(training_digits(threads)?, Some(test_digits()?))?)
}

/// The built-in test digits.
#[cfg(feature = "mnist")]
pub fn test_digits() -> Result<Dataset> {
    digits("mnist test", mnist::test_images(), mnist::test_labels())
}

/// The built-in training digits.
#[cfg(feature = "mnist")]
pub fn training_digits(threads: usize) -> Result<Dataset> {
    digits(MNIST, mnist::train_images(threads), mnist::train_labels())
}

/// There are none.
#[cfg(not(feature = "mnist"))]
pub fn test_digits() -> Result<Dataset> {
    training_digits(1)
}

/// There are none.
#[cfg(not(feature = "mnist"))]
pub fn training_digits(_: usize) -> Result<Dataset> {
    Err(crate::built_in::lacking("mnist", "mnist"))
}

#[cfg(feature = "mnist")]
fn digits(name: &str, pixels: Vec<u8>, labels: Vec<u8>) -> Result<Dataset> {
    let names = (0..mnist::CLASSES).map(|class| class.to_string()).collect();
    let labels = labels.into_iter().map(u32::from).collect();
    let shape = [mnist::HEIGHT, mnist::WIDTH, 1];
    Ok(Dataset::new(name, shape, Samples::U8(pixels), Targets::Classes { labels, names })?)
}
