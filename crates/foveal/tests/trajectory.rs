//! Ring 4: the first 20 steps of PyTorch's training run (`fixtures/README.md`), same weights, same batches.

use foveal::nn::engine::{Engine, Example, Options, Pixels, Target};
use foveal::nn::loss::Loss;
use foveal::nn::optim::Optimizer;
use foveal::nn::{Isa, Model, ModelSpec};
use foveal_testkit::fixtures;

const MODEL: &str = r#"
    input.shape = [28, 28, 1]
    layer = [
        { kind = "conv2d", name = "conv1", filters = 8, kernel = [3, 3], padding = "SAME" },
        { kind = "relu" },
        { kind = "max_pool", ksize = [2, 2] },
        { kind = "conv2d", name = "conv2", filters = 16, kernel = [3, 3], padding = "SAME" },
        { kind = "relu" },
        { kind = "max_pool", ksize = [2, 2] },
        { kind = "flatten" },
        { kind = "dense", units = 10, name = "dense" },
    ]
"#;

/// The fixtures' name of a parameter.
fn fixture(name: &str) -> String {
    let (layer, what) = name.split_once('.').unwrap();
    format!("{layer}.{}", if what == "bias" { "b" } else { "w" })
}

#[test]
fn the_engine_trains_as_pytorch_does() {
    let t = fixtures::trajectory();
    let images = foveal_mnist::train_images(2);
    let labels = foveal_mnist::train_labels();
    let spec = ModelSpec::from_toml(MODEL).unwrap();
    for isa in Isa::available() {
        let model = Model::with_params(&spec, |name, shape| {
            let array = t.initial.get(&fixture(name)).ok_or(format!("no {name}"))?;
            assert_eq!(array.shape(), shape, "{name}");
            Ok(array.iter().map(|&v| v as f32).collect())
        })
        .unwrap();
        let options = Options {
            batch_size: t.batch,
            threads: 2,
            loss: Some(Loss::default()),
            optimizer: Optimizer::default(),
            seed: 0,
            scale: vec![1.0 / 255.0],
            shift: vec![0.0],
            isa,
        };
        let mut engine = Engine::new(&model, options).unwrap();
        let mut worst_loss = 0f64;
        for (step, &want) in t.losses_f64.iter().enumerate() {
            let first = step * t.batch;
            let report = engine.step(t.batch, t.lr as f32, |i| Example {
                pixels: Pixels::U8(&images[(first + i) * 784..(first + i + 1) * 784]),
                target: Target::Class(labels[first + i].into()),
                weight: 1.0,
            });
            let error = (report.loss - want).abs() / want;
            assert!(error < 1e-5, "{} step {step}: {} where {want}", isa.name(), report.loss);
            worst_loss = worst_loss.max(error);
        }
        let mut worst = 0f64;
        for p in engine.model().params() {
            for (&ours, &theirs) in p.values.iter().zip(&t.final_f64[&fixture(&p.name)]) {
                let error = (f64::from(ours) - theirs).abs();
                assert!(error < 1e-4, "{} {}: {ours} where {theirs}", isa.name(), p.name);
                worst = worst.max(error);
            }
        }
        println!("{:>8}: losses within {worst_loss:.1e}, weights within {worst:.1e}", isa.name());
    }
}
