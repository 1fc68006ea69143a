//! What transfer is worth: a model that knows MNIST's digits 0 to 4 learns 5 to 9 from a few samples of each, against
//! the same model from scratch. `cargo run --release -p foveal --example transfer`.

use foveal::data::{Dataset, Samples, Split, Targets};
use foveal::nn::{Model, builtin};
use foveal::train::{
    Evaluation, Freeze, PictureFit, Preprocess, Recipe, SavedModel, Training, evaluate, fit, transfer,
};
use std::error::Error;
use std::sync::atomic::AtomicBool;

const SHAPE: [usize; 3] = [28, 28, 1];

/// The first `each` images of each of five digits, named by the digit.
fn digits(images: &[u8], labels: &[u8], first: u8, each: usize) -> Result<Dataset, Box<dyn Error>> {
    let size = SHAPE.iter().product();
    let (mut pixels, mut classes, mut counts) = (Vec::new(), Vec::new(), [0; 5]);
    for (image, &label) in images.chunks_exact(size).zip(labels) {
        let Some(class) = label.checked_sub(first).filter(|&c| c < 5) else { continue };
        if counts[usize::from(class)] < each {
            counts[usize::from(class)] += 1;
            pixels.extend_from_slice(image);
            classes.push(u32::from(class));
        }
    }
    let names = (first..first + 5).map(|d| d.to_string()).collect();
    Ok(Dataset::new("digits", SHAPE, Samples::U8(pixels), Targets::Classes { labels: classes, names })?)
}

fn learn(model: Model, data: &Dataset, recipe: &Recipe) -> Result<Model, Box<dyn Error>> {
    let preprocess = Preprocess::unit(1, PictureFit::Digit);
    let split = Split::first(data.len(), 0)?;
    Ok(fit(model, data, &split, &preprocess, recipe, &AtomicBool::new(false), &mut |_| {})?.model)
}

fn accuracy(model: &Model, test: &Dataset) -> Result<f64, Box<dyn Error>> {
    match evaluate(model, &Preprocess::unit(1, PictureFit::Digit), test, None, 2)? {
        Evaluation::Classes(scores) => Ok(scores.accuracy),
        Evaluation::Values(_) | Evaluation::Labels(_) => Err("digits are classes".into()),
    }
}

/// Accuracies on the test images of the digits 5 to 9 after `each` samples of each: from scratch, begun with what was
/// learnt of 0 to 4, and the same with all but the head frozen.
pub fn accuracies(each: usize) -> Result<[f64; 3], Box<dyn Error>> {
    let (images, labels) = (foveal_mnist::train_images(2), foveal_mnist::train_labels());
    let low = digits(&images, &labels, 0, usize::MAX)?;
    let high = digits(&images, &labels, 5, each)?;
    let test = digits(&foveal_mnist::test_images(), &foveal_mnist::test_labels(), 5, usize::MAX)?;
    let spec = builtin::fitted("fast", SHAPE, 5).ok_or("fast is built in")?;
    let known = learn(Model::new(&spec, 0)?, &low, &Recipe { threads: 2, ..Recipe::fast() })?;
    let training = Training {
        model: "fast".into(),
        dataset: "digits 0 to 4".into(),
        recipe: Recipe::fast(),
        epochs: 2,
        validation_accuracy: None,
        ..Training::default()
    };
    let classes = low.classes().unwrap_or_default().to_vec();
    let known =
        SavedModel { model: known, preprocess: Preprocess::unit(1, PictureFit::Digit), classes, training };
    let all: Vec<u32> = (0..high.len() as u32).collect();
    let begun = transfer(&known, &high, &all, &[], 0)?.model;
    let recipe = Recipe { epochs: 60, batch_size: 32, threads: 2, ..Recipe::transfer() };
    let frozen = Recipe { frozen: Freeze::AllButHead.layers(&begun)?, ..recipe.clone() };
    Ok([
        accuracy(&learn(Model::new(&spec, 0)?, &high, &recipe)?, &test)?,
        accuracy(&learn(begun.clone(), &high, &recipe)?, &test)?,
        accuracy(&learn(begun, &high, &frozen)?, &test)?,
    ])
}

#[allow(dead_code, reason = "the test of the same name takes the rest")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("samples of each digit   from scratch   transferred   all but the head frozen");
    for each in [5, 10, 20, 50] {
        let [scratch, transferred, frozen] = accuracies(each)?.map(|v| 100.0 * v);
        println!("{each:>21} {scratch:>12.2} % {transferred:>11.2} % {frozen:>23.2} %");
    }
    Ok(())
}
