//! Measures convolutions, training steps and predictions: each the median of several turns.

use super::super::plan::{BATCH, example, options, picture, totals};
use super::shapes::Shape;
use anyhow::{Context as _, Result};
use foveal::kernels::nhwc;
use foveal::nn::engine::{Engine, Pixels};
use foveal::nn::init::Random;
use foveal::nn::{Conv2dGeometry, Conv2dOptions, Isa, Model, Padding, builtin};
use serde::Serialize;
use std::time::Instant;

/// How long to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Seconds for the peak, each time.
    pub peak: f64,
    /// Seconds for each other measurement.
    pub seconds: f64,
    /// The least number of turns.
    pub turns: usize,
}

impl Effort {
    /// What is asked for by default: some twenty seconds in all.
    pub const FULL: Self = Self { peak: 0.2, seconds: 0.4, turns: 5 };
    /// A few seconds in all.
    pub const QUICK: Self = Self { peak: 0.03, seconds: 0.03, turns: 1 };
}

/// Rates of one convolution's three passes.
#[derive(Serialize)]
pub struct Convolution {
    pub shape: &'static str,
    pub batch: usize,
    pub forward_gflops: f64,
    pub backward_input_gflops: f64,
    pub backward_filter_gflops: f64,
}

/// How fast a model trains.
#[derive(Serialize)]
pub struct Training {
    pub model: &'static str,
    pub images_per_second: f64,
    pub gflops: f64,
}

/// The median seconds of `work`, after a warm-up.
fn median(effort: Effort, mut work: impl FnMut()) -> f64 {
    work();
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.len() < effort.turns || begin.elapsed().as_secs_f64() < effort.seconds {
        let start = Instant::now();
        work();
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The kernels of the public operators, on all threads.
pub fn convolution(shape: &Shape, effort: Effort) -> Result<Convolution> {
    let [from, to] = shape.channels;
    let input = [shape.batch, shape.side, shape.side, from];
    let filter = [shape.kernel, shape.kernel, from, to];
    let options = Conv2dOptions { strides: [shape.stride; 2], padding: Padding::Same, ..Default::default() };
    let g = Conv2dGeometry::new("conv2d", &input, &filter, &options)?;
    let mut random = Random::new(0);
    let mut numbers = |extents: &[usize]| random.normals(extents.iter().product(), 1.0);
    let (mut x, mut w, mut y) = (numbers(&input), numbers(&filter), numbers(&g.output_shape()));
    let isa = Isa::best();
    let rate = |seconds: f64| g.flops() as f64 / seconds / 1e9;
    let dy = y.clone();
    Ok(Convolution {
        shape: shape.name,
        batch: shape.batch,
        forward_gflops: rate(median(effort, || nhwc::conv2d(isa, &g, &x, &w, None, &mut y))),
        backward_filter_gflops: rate(median(effort, || {
            nhwc::conv2d_backward_filter(isa, &g, &x, &dy, &mut w);
        })),
        backward_input_gflops: rate(median(effort, || {
            nhwc::conv2d_backward_input(isa, &g, &dy, &w, &mut x);
        })),
    })
}

fn model(name: &str) -> Result<Model> {
    let spec = builtin::spec(name).with_context(|| format!("{name} is not built in"))?;
    Ok(Model::new(&spec, 0)?)
}

/// A training step of a built-in model, on `threads` threads.
pub fn training(name: &'static str, threads: usize, effort: Effort) -> Result<Training> {
    let model = model(name)?;
    let mut engine = Engine::new(&model, options(&model, BATCH, threads, true))?;
    let picture = picture(&model, 0);
    let example = example(&picture, model.outputs());
    let seconds = median(effort, || {
        engine.step(BATCH, 1e-4, &example);
    });
    let [forward, backward] = totals(&engine.describe());
    let gflops = (forward + backward) as f64 / seconds / 1e9;
    Ok(Training { model: name, images_per_second: BATCH as f64 / seconds, gflops })
}

/// Seconds from one image to its outputs, one thread.
pub fn latency(name: &str, effort: Effort) -> Result<f64> {
    let model = model(name)?;
    let mut engine = Engine::new(&model, options(&model, 1, 1, false))?;
    let picture = picture(&model, 0);
    let mut out = vec![0.0; model.outputs()];
    Ok(median(effort, || engine.predict_into(1, |_| Pixels::U8(&picture), &mut out)))
}
