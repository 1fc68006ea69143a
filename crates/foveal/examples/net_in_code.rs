//! A net in code, trained on a program's own arrays with early stopping, saved, loaded and asked.
//! `cargo run --release -p foveal --example net_in_code`

use foveal::Predictor;
use foveal::data::Dataset;
use foveal::ndarray::Array4;
use foveal::nn::{Sequential, layers::Conv2d};
use foveal::train::{Event, Fit, Recipe};
use std::ops::ControlFlow;

/// Bars across or down, at places of their own, in noise: `[n, 16, 16, 1]`, and which they are.
fn bars(n: usize) -> (Array4<u8>, Vec<u32>) {
    let noise = |i: usize| (i.wrapping_mul(2_654_435_761) >> 7) as u8 % 90;
    let images = Array4::from_shape_fn((n, 16, 16, 1), |(n, h, w, _)| {
        let (place, along) = (n * 7 % 13, if n % 2 == 0 { h } else { w });
        noise(n * 256 + h * 16 + w) + if (place..place + 3).contains(&along) { 120 } else { 0 }
    });
    (images, (0..n).map(|n| n as u32 % 2).collect())
}

/// Trains, and says how it went.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (images, labels) = bars(400);
    let data = Dataset::from_arrays(images, labels)?.with_classes(["across", "down"])?;
    let model = Sequential::new([16, 16, 1])
        .layer(Conv2d::new(8, 3).same())
        .relu()
        .max_pool(2)
        .residual(|body| body.layer(Conv2d::new(8, 3).same()).relu())
        .max_pool(2)
        .flatten()
        .dropout(0.2)
        .dense(2)
        .build(0)?;

    let recipe = Recipe { epochs: 30, batch_size: 32, lr: 3e-3, patience: Some(3), ..Recipe::default() };
    let trained = Fit::new(&model, &data)
        .recipe(recipe)
        .validation(0.2)
        .on_event(|event| {
            if let Event::Epoch(e) = event {
                println!("epoch {}: {:.3} {:?}", e.epoch, e.train_loss, e.validation_accuracy);
            }
            ControlFlow::Continue(())
        })
        .run()?;
    println!("{:?}", trained.outcome.status);

    let file = std::env::temp_dir().join(format!("bars-{}.safetensors", std::process::id()));
    std::fs::write(&file, trained.saved.to_bytes()?)?;
    let predictor = Predictor::from_bytes(&std::fs::read(&file)?, "bars")?;
    std::fs::remove_file(&file)?;
    let (unseen, _) = bars(402);
    let answer = predictor.classify(&unseen.as_slice().expect("in order")[400 * 256..401 * 256])?;
    println!("{} with {:.1} %", answer.class, 100.0 * answer.probability);
    assert_eq!(answer.class, "across");
    Ok(())
}
