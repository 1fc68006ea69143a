//! Training as a user trains: `fit` on the 60,000 digits.

use crate::measure::Answer;
use foveal_data::{Dataset, Samples, Split, Targets};
use foveal_nn::spec::LayerKind;
use foveal_nn::{Model, ModelSpec, builtin};
use foveal_train::{Event, PictureFit, Preprocess, Recipe, fit};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

const BATCH: usize = 128;
/// Batches before the clock starts.
const WARM_UP: usize = 5;

pub fn spec(name: &str) -> Result<ModelSpec, String> {
    let text = match name {
        "8-16" => include_str!("../../models/8-16.toml"),
        "16-32-128" => include_str!("../../models/16-32-128.toml"),
        "latency" => include_str!("../../models/latency.toml"),
        _ => return builtin::spec(name).ok_or_else(|| format!("no model {name}")),
    };
    ModelSpec::from_toml(text).map_err(|e| e.to_string())
}

fn digits() -> Result<Dataset, String> {
    let names = (0..10).map(|class| class.to_string()).collect();
    let labels = foveal_mnist::train_labels().into_iter().map(u32::from).collect();
    let pixels = Samples::U8(foveal_mnist::train_images(2));
    Dataset::new("mnist", [28, 28, 1], pixels, Targets::Classes { labels, names }).map_err(|e| e.to_string())
}

/// What the products of a training step need for one image: forward, the filters' gradients, and the inputs'
/// gradients where the input is not the image itself. Everything else is left out.
fn flops(model: &Model) -> u64 {
    let products =
        model.nodes().iter().filter(|n| matches!(n.kind, LayerKind::Conv2d { .. } | LayerKind::Dense { .. }));
    products.map(|n| n.flops * if n.inputs.contains(&0) { 2 } else { 3 }).sum()
}

/// Images a second over `seconds` of full batches.
pub fn run(name: &str, threads: usize, seconds: f64, kept: &mut Option<Dataset>) -> Answer {
    let model = Model::new(&spec(name)?, 0).map_err(|e| e.to_string())?;
    let flops = flops(&model);
    let data = match kept {
        Some(data) => data,
        None => kept.insert(digits()?),
    };
    let split = Split::first(data.len(), 0).map_err(|e| e.to_string())?;
    let recipe = Recipe { epochs: 1000, batch_size: BATCH, threads, keep_best: false, ..Recipe::default() };
    let stop = AtomicBool::new(false);
    let (mut batches, mut images, mut start, mut wall) = (0, 0, Instant::now(), 0.0);
    let mut count = |event: &Event| {
        if let Event::Batch { batch, batches: all, .. } = event {
            batches += 1;
            if batches == WARM_UP {
                start = Instant::now();
            }
            if batches > WARM_UP {
                images += if batch == all { data.len() - BATCH * (all - 1) } else { BATCH };
                wall = start.elapsed().as_secs_f64();
                stop.store(wall >= seconds, Ordering::Relaxed);
            }
        }
    };
    fit(model, data, &split, &Preprocess::unit(1, PictureFit::Digit), &recipe, &stop, &mut count)
        .map_err(|e| e.to_string())?;
    Ok(json!({ "images_per_second": images as f64 / wall, "flops_per_image": flops }))
}
