//! Ring 2: the engine against a f64 interpreter of the model. With plain gradient descent one step changes each
//! parameter by exactly minus its gradient times the learning rate.

mod frozen;
mod gradient;
mod interpreter;
mod models;
mod reference;

use foveal_nn::engine::{Engine, Example, GroupLayout, Options, Pixels, Target};
use foveal_nn::loss::Loss;
use foveal_nn::optim::Optimizer;
use foveal_nn::spec::LayerKind;
use foveal_nn::{Isa, Model, ModelSpec};
use foveal_testkit::Random;
use interpreter::{Targets, pass};
use ndarray::{Array2, Array4};

/// The learning rate: large, so that the step is not lost in the rounding of what it is taken from.
const LR: f32 = 1024.0;

const BATCHES: [usize; 5] = [33, 1, 17, 5, 16];

/// A batch: raw samples, as bytes or as numbers, and the first layer's input in f64.
struct Batch {
    bytes: Option<Vec<u8>>,
    numbers: Vec<f32>,
    x: Array4<f64>,
    targets: Targets,
    values: Vec<f32>,
    weights: Vec<f32>,
}

fn options(model: &Model, loss: Option<Loss>, isa: Isa, threads: usize) -> Options {
    let c = model.input_shape()[2];
    let rows = model.vocabulary().is_some();
    Options {
        batch_size: BATCHES[0],
        threads,
        loss,
        optimizer: Optimizer::Sgd { momentum: 0.0, nesterov: false, decay: 0.0 },
        seed: 0,
        scale: (0..c).map(|c| if rows { 1.0 } else { 0.0075 + 0.001 * c as f32 }).collect(),
        shift: (0..c).map(|c| if rows { 0.0 } else { -0.9 + 0.1 * c as f32 }).collect(),
        isa,
    }
}

fn batch(model: &Model, n: usize, loss: Loss, random: &mut Random) -> Batch {
    let [h, w, c] = model.input_shape();
    let o = options(model, None, Isa::best(), 1);
    let most = model.vocabulary().map_or(255, |rows| rows - 1);
    let raw: Vec<u8> = (0..n * h * w * c).map(|_| random.int(0, most) as u8).collect();
    let as_bytes = random.int(0, 1) == 0;
    let whole = as_bytes || model.vocabulary().is_some();
    let numbers: Vec<f32> =
        raw.iter().map(|&v| f32::from(v) + if whole { 0.0 } else { random.unit() as f32 }).collect();
    let scaled = numbers.iter().enumerate();
    let scaled = scaled.map(|(i, &v)| f64::from(v) * f64::from(o.scale[i % c]) + f64::from(o.shift[i % c]));
    let x = Array4::from_shape_vec((n, h, w, c), scaled.collect()).unwrap();
    let outputs = model.outputs();
    let classes = matches!(loss, Loss::CrossEntropy { .. });
    let class_weights: Vec<f32> = (0..outputs).map(|_| random.int(1, 8) as f32 / 4.0).collect();
    let labels: Vec<usize> = (0..n).map(|_| random.int(0, outputs - 1)).collect();
    let weights =
        if random.int(0, 1) == 0 { vec![1.0; n] } else { labels.iter().map(|&l| class_weights[l]).collect() };
    let values: Vec<f32> = (0..n * outputs).map(|_| random.normal() as f32).collect();
    let wide = values.iter().map(|&v| f64::from(v)).collect();
    let mixed: Vec<_> = labels
        .iter()
        .map(|&l| ([l, random.int(0, outputs - 1)], 0.5 + random.int(0, 8) as f32 / 16.0))
        .collect();
    let targets = match classes {
        true if random.int(0, 1) == 0 => Targets::Mixed(mixed),
        true => Targets::Classes(labels),
        false => Targets::Values(Array2::from_shape_vec((n, outputs), wide).unwrap()),
    };
    Batch { bytes: as_bytes.then_some(raw), numbers, x, targets, values, weights }
}

impl Batch {
    fn pixels(&self, i: usize) -> Pixels<'_> {
        let size = self.numbers.len() / self.weights.len();
        let range = i * size..(i + 1) * size;
        match &self.bytes {
            Some(bytes) => Pixels::U8(&bytes[range]),
            None => Pixels::F32(&self.numbers[range]),
        }
    }

    fn example(&self, i: usize) -> Example<'_> {
        let width = self.values.len() / self.weights.len();
        let target = match &self.targets {
            Targets::Classes(labels) => Target::Class(labels[i] as u32),
            Targets::Mixed(all) => Target::Mixed { classes: all[i].0.map(|c| c as u32), share: all[i].1 },
            Targets::Values(_) => Target::Values(&self.values[i * width..(i + 1) * width]),
        };
        Example { pixels: self.pixels(i), target, weight: self.weights[i] }
    }
}

/// The model with parameters that are neither zeros nor ones.
fn build(toml: &str, random: &mut Random) -> Model {
    let spec = ModelSpec::from_toml(toml).unwrap_or_else(|e| panic!("{e}: {toml}"));
    let mut model = Model::new(&spec, 1).unwrap_or_else(|e| panic!("{e}: {toml}"));
    for p in model.params_mut() {
        let still = p.name.ends_with("moving_variance");
        for v in &mut p.values {
            *v = if still { 0.5 + random.unit() as f32 } else { *v + 0.3 * random.normal() as f32 };
        }
    }
    model
}

/// The worst error of any gradient, relative to the largest of its parameter (or to a
/// share of the largest of all).
fn check_step(name: &str, model: &Model, engine: &mut Engine, batch: &Batch, loss: Loss) -> f64 {
    let n = batch.weights.len();
    let weights: Vec<f64> = batch.weights.iter().map(|&w| f64::from(w)).collect();
    let want = pass(model, &batch.x, &batch.targets, loss, &weights);
    engine.set_params(model);
    let report = engine.step(n, LR, |i| batch.example(i));
    assert_eq!(report.count, n);
    let error = (report.loss - want.loss).abs() / want.loss.abs().max(1e-2);
    assert!(error < 1e-5, "{name}: loss {} where {}", report.loss, want.loss);
    let labels: Vec<usize> = match &batch.targets {
        Targets::Classes(labels) => labels.clone(),
        Targets::Mixed(all) => all.iter().map(|(classes, _)| classes[0]).collect(),
        Targets::Values(_) => Vec::new(),
    };
    if !labels.is_empty() {
        let right = |(n, &l): (usize, &usize)| {
            let row = want.outputs.row(n);
            (0..row.len()).all(|c| row[c] < row[l] || c == l)
        };
        assert_eq!(report.correct, labels.iter().enumerate().filter(|v| right(*v)).count(), "{name}");
    }
    let after = engine.model();
    let trained = || model.params().iter().zip(&want.gradients).filter(|(p, _)| p.trainable);
    let largest = |g: &[f64]| g.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let all = trained().map(|(_, g)| largest(g)).fold(0.0, f64::max);
    // The statistics of one image may leave nothing but the rounding of numbers that cancel.
    let least = (all / if n == 1 { 10.0 } else { 100.0 }).max(1e-2);
    let mut worst = 0.0f64;
    for ((before, now), want) in model.params().iter().zip(after.params()).zip(&want.gradients) {
        for (i, ((&a, &b), &g)) in before.values.iter().zip(&now.values).zip(want).enumerate() {
            if frozen::is(model, &before.name) {
                assert_eq!(a.to_bits(), b.to_bits(), "{name}: {} {i} is frozen", before.name);
                continue;
            }
            if !before.trainable {
                let close = (f64::from(b) - g).abs() <= 1e-5 * g.abs().max(1.0);
                assert!(close, "{name}: {} {i}: {b} where {g}", before.name);
                continue;
            }
            let found = (f64::from(a) - f64::from(b)) / f64::from(LR);
            let error = (found - g).abs() / largest(want).max(least);
            assert!(
                error <= 1e-4,
                "{name}, batch of {n}: {}[{i}]: {found} where {g} ({error:.1e})",
                before.name
            );
            worst = worst.max(error);
        }
    }
    worst
}

/// Both ways in which the images of a group may lie.
const LAYOUTS: [GroupLayout; 2] = [GroupLayout::Images, GroupLayout::Channels];

#[test]
fn one_step_is_minus_the_gradient() {
    let (mut steps, mut worst) = (0, (0.0, String::new()));
    for (k, (name, toml, loss)) in models::all().into_iter().enumerate() {
        for (s, isa) in Isa::available().into_iter().enumerate() {
            let mut random = Random::new((100 + k) as u64);
            let model = build(&toml, &mut random);
            for layout in LAYOUTS {
                let options = options(&model, Some(loss), isa, 1 + (k + s) % 3);
                let mut engine = Engine::laid_out(&model, options, Some(layout)).unwrap();
                let named = format!("{name} on {}, {layout:?}", isa.name());
                // One engine for all sizes: what a larger batch left behind must not show.
                for n in BATCHES {
                    let batch = batch(&model, n, loss, &mut random);
                    let error = check_step(&named, &model, &mut engine, &batch, loss);
                    steps += 1;
                    if error > worst.0 {
                        worst = (error, named.clone());
                    }
                }
            }
        }
    }
    println!("{steps} steps, worst gradient {:.1e} ({})", worst.0, worst.1);
}

/// The engine predicts what the public operators do, whether it was made to train or not.
#[test]
fn predictions_are_the_operators() {
    let mut worst = 0f64;
    for (k, (name, toml, loss)) in models::all().into_iter().chain(models::with_dropout()).enumerate() {
        for isa in Isa::available() {
            let mut random = Random::new((100 + k) as u64);
            let mut model = build(&toml, &mut random);
            for (training, layout) in [
                (Some(loss), GroupLayout::Images),
                (Some(loss), GroupLayout::Channels),
                (None, GroupLayout::Images),
            ] {
                let options = options(&model, training, isa, 2);
                let mut engine = Engine::laid_out(&model, options, Some(layout)).unwrap();
                let last_softmax = matches!(model.nodes().last().unwrap().kind, LayerKind::Softmax(_));
                let own = last_softmax && matches!(training, Some(Loss::CrossEntropy { .. }));
                for n in [70, 1, 2, 5] {
                    // Other parameters each time: what was prepared for single images must follow.
                    for p in &mut model.params_mut()[..] {
                        p.values.iter_mut().for_each(|v| *v *= 1.01);
                    }
                    engine.set_params(&model);
                    let batch = batch(&model, n, loss, &mut random);
                    let values = model.activations(batch.x.mapv(|v| v as f32).view()).unwrap();
                    let want = &values[values.len() - 1 - usize::from(own)];
                    let want: Vec<f64> = want.iter().map(|&v| f64::from(v)).collect();
                    let found = engine.predict(n, |i| batch.pixels(i));
                    let error = foveal_testkit::worst_relative(&found, &want);
                    assert!(error <= 1e-5, "{name} on {}, {n} images: {error:e}", isa.name());
                    worst = worst.max(error);
                }
                assert_eq!(engine.predict(0, |_| unreachable!()), [0.0; 0]);
            }
        }
    }
    println!("predictions: worst {worst:.1e}");
}

#[test]
fn what_the_engine_refuses() {
    let conv = "input.shape = [6, 6, 1]\nlayer = [{ kind = \"conv2d\", filters = 2, kernel = [3, 3] }]";
    let model = build(conv, &mut Random::new(1));
    let refused = |options: Options| Engine::new(&model, options).expect_err("refused").to_string();
    let message = refused(options(&model, None, Isa::best(), 1));
    assert!(message.contains("[4, 4, 2]") && message.contains("flat"), "{message}");
    let flat = "input.shape = [2, 2, 1]\nlayer = [{ kind = \"flatten\" }, { kind = \"dense\", units = 2 }]";
    let model = build(flat, &mut Random::new(1));
    let good = || options(&model, Some(Loss::MeanSquared), Isa::best(), 1);
    assert!(Engine::new(&model, good()).is_ok());
    for delta in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(Engine::new(&model, Options { loss: Some(Loss::Huber { delta }), ..good() }).is_err());
    }
    for label_smoothing in [-0.1, 1.1, f32::NAN] {
        let loss = Some(Loss::CrossEntropy { label_smoothing });
        assert!(Engine::new(&model, Options { loss, ..good() }).is_err());
    }
    assert!(Engine::new(&model, Options { batch_size: 0, ..good() }).is_err());
    assert!(Engine::new(&model, Options { scale: vec![1.0; 2], ..good() }).is_err());
}
