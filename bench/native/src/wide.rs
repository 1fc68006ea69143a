//! Training of wide nets: whole steps (forward, backward, Adam) of one batch of random pictures, again and again.

use crate::measure::{Answer, median, numbers, times};
use crate::wide_nets;
use foveal_nn::engine::{Engine, Example, Options, Pixels, Target};
use foveal_nn::loss::Loss;
use foveal_nn::optim::Optimizer;
use foveal_nn::{Isa, Model};
use serde_json::json;

/// An engine, and what it was made for: made once for all turns.
pub type Made = Option<(String, Engine)>;

/// Images a second of steps with `batch` images.
pub fn run(net: &str, threads: usize, batch: usize, seconds: f64, made: &mut Made) -> Answer {
    let key = format!("{net} {threads} {batch}");
    if made.as_ref().is_none_or(|(of, _)| *of != key) {
        *made = None; // its memory first
        *made = Some((key, engine(net, threads, batch)?));
    }
    let Some((_, engine)) = made else { return Err("no engine".into()) };
    let [h, w, c] = engine.model().input_shape();
    let (size, classes) = (h * w * c, engine.model().outputs() as u32);
    let x = numbers(batch * size);
    let times = times(seconds, || {
        let report = engine.step(batch, 1e-3, |i| Example {
            pixels: Pixels::F32(&x[i * size..(i + 1) * size]),
            target: Target::Class(i as u32 * 7 % classes),
            weight: 1.0,
        });
        std::hint::black_box(report.loss);
    });
    Ok(json!({ "images_per_second": batch as f64 / median(times) }))
}

fn engine(net: &str, threads: usize, batch: usize) -> Result<Engine, String> {
    let spec = wide_nets::spec(net)?;
    let model = Model::new(&spec, 0).map_err(|e| e.to_string())?;
    let options = Options {
        batch_size: batch,
        threads,
        loss: Some(Loss::default()),
        optimizer: Optimizer::default(),
        seed: 0,
        scale: vec![1.0; 3],
        shift: vec![0.0; 3],
        isa: Isa::best(),
    };
    Engine::new(&model, options).map_err(|e| e.to_string())
}
