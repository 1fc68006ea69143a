//! What a predictor costs beside the bare engine, for one image and for a thousand, by turns.
//! `cargo run --release -p foveal --example predictor_speed [model]`

use foveal::Predictor;
use foveal::nn::engine::{Engine, Options, Pixels};
use foveal::nn::optim::Optimizer;
use foveal::nn::{Isa, Model, builtin};
use std::hint::black_box;
use std::time::Instant;

/// Seconds that a call takes: the mean over some of them.
fn seconds(calls: u32, mut call: impl FnMut()) -> f64 {
    let begin = Instant::now();
    (0..calls).for_each(|_| call());
    begin.elapsed().as_secs_f64() / f64::from(calls)
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).unwrap_or("fast".into());
    let model = Model::new(&builtin::spec(&name).ok_or("no such model")?, 0)?;
    let size: usize = model.input_shape().iter().product();
    let channels = model.input_shape()[2];
    let options = Options {
        batch_size: 256,
        threads: 1,
        loss: None,
        optimizer: Optimizer::default(),
        seed: 0,
        scale: vec![1.0 / 255.0; channels],
        shift: vec![0.0; channels],
        isa: Isa::best(),
    };
    let mut engine = Engine::new(&model, options)?;
    let names: Vec<String> = (0..model.outputs()).map(|c| c.to_string()).collect();
    let predictor = Predictor::builder(&model).pixels().classes(names).build()?;
    let images: Vec<u8> = (0..1000 * size).map(|i| (i * 31 % 251) as u8).collect();
    let image = |i: usize| Pixels::U8(&images[i * size..(i + 1) * size]);
    for (count, calls) in [(1, 2000), (1000, 2)] {
        let (mut bare, mut whole) = (Vec::new(), Vec::new());
        for _ in 0..31 {
            bare.push(seconds(calls, || drop(black_box(engine.predict(count, image)))));
            whole.push(seconds(calls, || match count {
                1 => drop(black_box(predictor.predict(&images[..size]))),
                _ => drop(black_box(predictor.predict_batch(&images))),
            }));
        }
        let [bare, whole] = [median(bare), median(whole)].map(|s| 1e6 * s);
        println!(
            "{name}, {count} images: engine {bare:.2} us, predictor {whole:.2} us, {:.3} times",
            whole / bare
        );
    }
    Ok(())
}
