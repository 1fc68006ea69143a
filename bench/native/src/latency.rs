//! Inference of one small net on one thread.

use crate::measure::{Answer, median, numbers, times};
use crate::train;
use foveal_nn::engine::{Engine, Options, Pixels};
use foveal_nn::optim::Optimizer;
use foveal_nn::{Isa, Model};
use serde_json::json;

/// Median seconds of a call with `batch` images.
pub fn run(batch: usize, seconds: f64) -> Answer {
    let model = Model::new(&train::spec("latency")?, 0).map_err(|e| e.to_string())?;
    let options = Options {
        batch_size: batch,
        threads: 1,
        loss: None,
        optimizer: Optimizer::default(),
        seed: 0,
        scale: vec![1.0],
        shift: vec![0.0],
        isa: Isa::best(),
    };
    let mut engine = Engine::new(&model, options).map_err(|e| e.to_string())?;
    let x = numbers(batch * 784);
    let image = |i: usize| Pixels::F32(&x[i * 784..(i + 1) * 784]);
    let mut outputs = vec![0.0; batch * model.outputs()];
    let times = times(seconds, || {
        engine.predict_into(batch, image, &mut outputs);
        std::hint::black_box(&outputs);
    });
    Ok(json!({ "seconds": median(times) }))
}
