//! Fine-tunes a network that comes as an ONNX file: a new head, the rest at a tenth of the rate, gradients clipped.
//! `cargo run --release -p foveal --example fine_tune_onnx [model.onnx]`

use foveal::data::Dataset;
use foveal::nn::{Sequential, engine::Rates, layers::Conv2d};
use foveal::train::{Event, Fit, PictureFit, Preprocess, Recipe, SavedModel, Training, transfer};
use std::ops::ControlFlow;

/// The file that is asked for, or one made here.
fn file() -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    if let Some(path) = std::env::args().nth(1).filter(|path| path.ends_with(".onnx")) {
        return Ok(std::fs::read(path)?);
    }
    let net = Sequential::new([16, 16, 3]).layer(Conv2d::new(8, 3).same()).relu().max_pool(4).flatten();
    let saved = SavedModel {
        model: net.dense(5).build(0)?,
        preprocess: Preprocess::unit(3, PictureFit::Resize),
        classes: ["a", "b", "c", "d", "e"].map(String::from).to_vec(),
        training: Training::default(),
    };
    Ok(foveal::onnx::export(&saved)?)
}

/// Trains, and says how it went.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let known = foveal::onnx::import(&file()?, "network.onnx")?;
    let [h, w, c] = known.model.input_shape();
    let picture = |n: usize| (0..h * w * c).map(|i| (i * (n % 3 + 1) + 11 * n) as u8).collect::<Vec<u8>>();
    let data = Dataset::from_samples([h, w, c], (0..90).map(|n| (picture(n), n as u32 % 3)))?;

    let all: Vec<u32> = (0..data.len() as u32).collect();
    let begun = transfer(&known, &data, &all, &[], 0)?.model;
    let trained = Fit::new(&begun, &data)
        .preprocess(known.preprocess.clone())
        .recipe(Recipe { epochs: 8, batch_size: 15, lr: 3e-3, ..Recipe::default() })
        .group(|p| !p.name.starts_with("dense"), Rates { lr: 0.1, decay: None })
        .clip_norm(1.0)
        .accumulate(2)
        .on_event(|event| {
            if let Event::Epoch(e) = event {
                println!("epoch {}: {:.3} {:?}", e.epoch, e.train_loss, e.validation_accuracy);
            }
            ControlFlow::Continue(())
        })
        .run()?;
    println!("{} bytes of ONNX", foveal::onnx::export(&trained.saved)?.len());
    let history = &trained.outcome.history;
    assert!(history[history.len() - 1].train_loss < history[0].train_loss);
    Ok(())
}
