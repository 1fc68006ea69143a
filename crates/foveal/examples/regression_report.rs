//! A regression from images, and its report: where is the bright spot?
//!
//! `cargo run --release --example regression_report -- spot.html` writes the page; without a path nothing is written.

use foveal::data::{Dataset, Samples, Split, Targets};
use foveal::nn::loss::Loss;
use foveal::nn::{Model, ModelSpec};
use foveal::train::{PictureFit, Preprocess, Recipe, SavedModel, Training, fit, judge, predict};
use foveal::view::report::{Judged, Language, Machine, Part, Report, Steps};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const SIDE: u32 = 12;

/// Images with one soft spot each; what is to be learnt is its row and its column.
fn spots(n: u32) -> Result<Dataset, foveal::data::Error> {
    let (mut pixels, mut values) = (Vec::new(), Vec::new());
    for i in 0..n {
        // Halton's sequence spreads the spots evenly.
        let halton = |base: u32| {
            let (mut f, mut r, mut k) = (1.0, 0.0, i + 1);
            while k > 0 {
                f /= f64::from(base);
                r += f * f64::from(k % base);
                k /= base;
            }
            2.0 + r * f64::from(SIDE - 5)
        };
        let (row, column) = (halton(2), halton(3));
        values.extend([row, column]);
        pixels.extend((0..SIDE * SIDE).map(|p| {
            let (y, x) = (f64::from(p / SIDE), f64::from(p % SIDE));
            (255.0 * (-((y - row).powi(2) + (x - column).powi(2)) / 3.0).exp()) as u8
        }));
    }
    let names = vec!["row".into(), "column".into()];
    Dataset::new(
        "spots",
        [SIDE as usize, SIDE as usize, 1],
        Samples::U8(pixels),
        Targets::Values { values, names },
    )
}

const MODEL: &str = r#"
[input]
shape = [12, 12, 1]
[[layer]]
kind = "conv2d"
filters = 8
kernel = [3, 3]
padding = "SAME"
[[layer]]
kind = "relu"
[[layer]]
kind = "avg_pool"
ksize = [2, 2]
[[layer]]
kind = "flatten"
[[layer]]
kind = "dense"
units = 2
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let started = Instant::now();
    let (data, test) = (spots(1200)?, spots(1500)?);
    let split = Split::random(data.len(), None, 0.1, 0)?;
    let recipe =
        Recipe { epochs: 12, batch_size: 32, lr: 3e-3, loss: Loss::MeanSquared, ..Recipe::default() };
    let preprocess = Preprocess::unit(1, PictureFit::Resize);
    let model = Model::new(&ModelSpec::from_toml(MODEL)?, recipe.seed)?;
    let mut steps = Steps::new();
    let outcome =
        fit(model, &data, &split, &preprocess, &recipe, &AtomicBool::new(false), &mut |e| steps.take(e))?;
    let training = Training {
        model: "spot.toml".into(),
        dataset: "spots".into(),
        recipe,
        epochs: outcome.history.len(),
        validation_accuracy: None,
        ..Training::default()
    };
    let saved = SavedModel { model: outcome.model.clone(), preprocess, classes: Vec::new(), training };
    // The first 1200 are those it was trained on.
    let unseen: Vec<u32> = (1200..1500).collect();
    let outputs = predict(&saved.model, &saved.preprocess, &test, Some(&unseen), 1)?;
    let scores = judge(&saved.model, &test, Some(&unseen), &outputs)?;
    println!("{scores:?}");
    let report = Report {
        language: Language::English,
        when: "",
        version: env!("CARGO_PKG_VERSION"),
        command: "",
        saved: &saved,
        outcome: &outcome,
        steps: &steps,
        images: [split.train.len(), split.validation.len()],
        learnt: Some(&data),
        judged: Some(Judged {
            part: Part::Test,
            data: &test,
            indices: Some(&unseen),
            outputs: &outputs,
            scores: &scores,
            names: None,
        }),
        machine: Machine { threads: 1, ..Machine::default() },
        total_seconds: started.elapsed().as_secs_f64(),
    };
    if let Some(path) = std::env::args().nth(1) {
        std::fs::write(path, report.to_html())?;
    }
    Ok(())
}
