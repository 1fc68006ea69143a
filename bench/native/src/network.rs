//! Inference of a network from an ONNX file.

use crate::measure::{Answer, median, numbers, times};
use foveal_nn::Isa;
use foveal_nn::engine::{Engine, Options, Pixels};
use foveal_nn::optim::Optimizer;
use serde_json::json;

/// An engine, and the file and threads that it was made for: made once for all turns.
pub type Made = Option<(String, Engine)>;

/// Median seconds of a call with `batch` images.
pub fn run(path: &str, threads: usize, batch: usize, seconds: f64, made: &mut Made) -> Answer {
    let key = format!("{path} {threads}");
    if made.as_ref().is_none_or(|(of, _)| *of != key) {
        *made = Some((key, engine(path, threads, batch)?));
    }
    let Some((_, engine)) = made else { return Err("no engine".into()) };
    let [h, w, c] = engine.model().input_shape();
    let (size, width) = (h * w * c, engine.model().outputs());
    let x = numbers(batch * size);
    let mut outputs = vec![0.0; batch * width];
    let times = times(seconds, || {
        engine.predict_into(batch, |i| Pixels::F32(&x[i * size..(i + 1) * size]), &mut outputs);
        std::hint::black_box(&outputs);
    });
    Ok(json!({ "seconds": median(times) }))
}

fn engine(path: &str, threads: usize, batch: usize) -> Result<Engine, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{path}: {e}"))?;
    let saved = foveal_onnx::import(&bytes, "network").map_err(|e| e.to_string())?;
    let channels = saved.model.input_shape()[2];
    let options = Options {
        batch_size: batch,
        threads,
        loss: None,
        optimizer: Optimizer::default(),
        seed: 0,
        scale: vec![1.0; channels],
        shift: vec![0.0; channels],
        isa: Isa::best(),
    };
    Engine::new(&saved.model, options).map_err(|e| e.to_string())
}
