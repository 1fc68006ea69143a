//! Trains a model on MNIST inside a program of your own:
//! `cargo run --release -p foveal --example train_mnist [model] [epochs]`.

use foveal::data::{Dataset, Samples, Split, Targets};
use foveal::nn::{Model, builtin};
use foveal::train::{Evaluation, Event, PictureFit, Preprocess, Recipe, evaluate, fit};
use std::sync::atomic::AtomicBool;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or("fast".into());
    let mut recipe = if name == "fast" { Recipe::fast() } else { Recipe::default() };
    recipe.threads = 2;
    if let Some(epochs) = args.next() {
        recipe.epochs = epochs.parse()?;
    }

    let digits = |images: Vec<u8>, labels: Vec<u8>| {
        let labels = labels.into_iter().map(u32::from).collect();
        let names = (0..10).map(|d| d.to_string()).collect();
        Dataset::new("mnist", [28, 28, 1], Samples::U8(images), Targets::Classes { labels, names })
    };
    let train = digits(foveal_mnist::train_images(2), foveal_mnist::train_labels())?;
    let test = digits(foveal_mnist::test_images(), foveal_mnist::test_labels())?;
    let split = Split::first(train.len(), 5_000)?;

    let spec = builtin::spec(&name).ok_or("no such model")?;
    let model = Model::new(&spec, recipe.seed)?;
    let preprocess = Preprocess::unit(1, PictureFit::Digit);
    let stop = AtomicBool::new(false);
    let outcome = fit(model, &train, &split, &preprocess, &recipe, &stop, &mut |event| {
        if let Event::Epoch(e) = event {
            println!(
                "epoch {}: loss {:.4}, validation {:.2} %, {:.0} images/s",
                e.epoch,
                e.train_loss,
                100.0 * e.validation_accuracy.unwrap_or_default(),
                e.images_per_second
            );
        }
    })?;
    if let Evaluation::Classes(scores) = evaluate(&outcome.model, &preprocess, &test, None, 2)? {
        println!("test accuracy {:.2} % after {:.2} s", 100.0 * scores.accuracy, outcome.train_seconds);
    }
    Ok(())
}
