//! A training step takes no memory: everything is laid out when the engine is made.

use foveal_nn::engine::{Engine, Example, Options, Pixels, Target};
use foveal_nn::loss::Loss;
use foveal_nn::optim::Optimizer;
use foveal_nn::{Isa, Model, ModelSpec};

/// Every kind of step: fused and plain convolutions, pools, normalization, dropout, dense, joins.
const MODEL: &str = r#"
    [input]
    shape = [12, 12, 1]
    [[layer]]
    kind = "conv2d"
    filters = 6
    kernel = [3, 3]
    padding = "SAME"
    [[layer]]
    kind = "relu"
    [[layer]]
    kind = "max_pool"
    ksize = [2, 2]
    name = "a"
    [[layer]]
    kind = "batch_norm"
    [[layer]]
    kind = "conv2d"
    filters = 6
    kernel = [3, 3]
    padding = "SAME"
    [[layer]]
    kind = "gelu"
    name = "b"
    [[layer]]
    kind = "add"
    inputs = ["a", "b"]
    [[layer]]
    kind = "max_pool"
    ksize = [3, 3]
    strides = [2, 2]
    [[layer]]
    kind = "dropout"
    rate = 0.2
    [[layer]]
    kind = "flatten"
    [[layer]]
    kind = "dense"
    units = 20
    [[layer]]
    kind = "tanh"
    [[layer]]
    kind = "dense"
    units = 10
"#;

#[test]
fn a_training_step_takes_no_memory() {
    let model = Model::new(&ModelSpec::from_toml(MODEL).expect("a model"), 1).expect("it fits");
    let pixels: Vec<u8> = (0..70 * 144).map(|i| (i * 31 % 251) as u8).collect();
    for isa in Isa::available() {
        let options = Options {
            batch_size: 70,
            threads: 1,
            loss: Some(Loss::CrossEntropy { label_smoothing: 0.1 }),
            optimizer: Optimizer::default(),
            seed: 0,
            scale: vec![1.0 / 255.0],
            shift: vec![0.0],
            isa,
        };
        let mut engine = Engine::new(&model, options).expect("an engine");
        let mut step = |count: usize| {
            engine.step(count, 1e-3, |i| Example {
                pixels: Pixels::U8(&pixels[i * 144..(i + 1) * 144]),
                target: Target::Class(i as u32 % 10),
                weight: 1.0,
            })
        };
        step(70);
        for count in [70, 3, 33] {
            let taken = allocation_counter::measure(|| {
                step(count);
            });
            assert_eq!(taken.count_total, 0, "{} with {count} images", isa.name());
        }
        // A few images go one at a time through a net of their own, made once.
        let mut out = [0.0; 700];
        for count in [1, 70] {
            let mut predict = |out: &mut [f32]| {
                engine.predict_into(count, |i| Pixels::U8(&pixels[i * 144..(i + 1) * 144]), out);
            };
            let out = &mut out[..count * 10];
            predict(out);
            let taken = allocation_counter::measure(|| predict(out));
            assert_eq!(taken.count_total, 0, "{}: predicting {count}", isa.name());
        }
        // The count is not always 0: predictions are given in memory of their own.
        let taken = allocation_counter::measure(|| {
            engine.predict(3, |i| Pixels::U8(&pixels[i * 144..(i + 1) * 144]));
        });
        assert!(taken.count_total > 0);
    }
}
