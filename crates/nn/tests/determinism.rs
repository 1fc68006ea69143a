//! The same seed gives the same bits, whatever the number of workers.

use foveal_nn::engine::{Engine, Example, GroupLayout, Options, Pixels, Target};
use foveal_nn::loss::Loss;
use foveal_nn::optim::Optimizer;
use foveal_nn::{Isa, Model, ModelSpec};
use foveal_testkit::Random;

const STEPS: usize = 30;
const BATCH: usize = 50;

const MODEL: &str = r#"
    input.shape = [12, 12, 1]
    layer = [
        { kind = "conv2d", filters = 6, kernel = [3, 3], padding = "SAME" },
        { kind = "relu" },
        { kind = "max_pool", ksize = [2, 2] },
        { kind = "conv2d", filters = 8, kernel = [3, 3], bias = false },
        { kind = "batch_norm", momentum = 0.9 },
        { kind = "relu" },
        { kind = "dropout", rate = 0.3 },
        { kind = "flatten" },
        { kind = "dense", units = 40 },
        { kind = "relu" },
        { kind = "dropout", rate = 0.5 },
        { kind = "dense", units = 5 },
    ]
"#;

/// The bits of everything that training changes, of each step's loss, and of some predictions.
fn run(
    isa: Isa,
    layout: GroupLayout,
    threads: usize,
    seed: u64,
    optimizer: Optimizer,
) -> (Vec<u32>, Vec<u64>, Vec<u32>) {
    let model = Model::new(&ModelSpec::from_toml(MODEL).unwrap(), 7).unwrap();
    let mut random = Random::new(3);
    let size = 144;
    let images: Vec<u8> = (0..STEPS * BATCH * size).map(|_| random.int(0, 255) as u8).collect();
    let labels: Vec<u32> = (0..STEPS * BATCH).map(|_| random.int(0, 4) as u32).collect();
    let options = Options {
        batch_size: BATCH,
        threads,
        loss: Some(Loss::CrossEntropy { label_smoothing: 0.1 }),
        optimizer,
        seed,
        scale: vec![1.0 / 255.0],
        shift: vec![0.0],
        isa,
    };
    let mut engine = Engine::laid_out(&model, options, Some(layout)).unwrap();
    let pixels = |i: usize| Pixels::U8(&images[i * size..(i + 1) * size]);
    let losses = (0..STEPS).map(|step| {
        // Every third batch is not full.
        let count = if step % 3 == 2 { BATCH - 9 } else { BATCH };
        let at = step * BATCH;
        let report = engine.step(count, 1e-2, |i| Example {
            pixels: pixels(at + i),
            target: Target::Class(labels[at + i]),
            weight: 1.0 + labels[at + i] as f32,
        });
        assert!(report.loss.is_finite());
        report.loss.to_bits()
    });
    let losses = losses.collect();
    let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let predictions = engine.predict(123, pixels);
    (bits(engine.values()), losses, bits(&predictions))
}

#[test]
fn threads_do_not_change_a_bit() {
    let sgd = Optimizer::Sgd { momentum: 0.9, nesterov: true, decay: 1e-3 };
    for isa in Isa::available() {
        for (layout, optimizer) in [
            (GroupLayout::Images, Optimizer::default()),
            (GroupLayout::Images, sgd),
            (GroupLayout::Channels, Optimizer::default()),
        ] {
            let one = run(isa, layout, 1, 11, optimizer);
            for threads in [1, 2, 3, 5] {
                let again = run(isa, layout, threads, 11, optimizer);
                assert!(again == one, "{} with {threads} threads: other bits", isa.name());
            }
            assert_ne!(run(isa, layout, 2, 12, optimizer).0, one.0, "another seed drops other numbers");
        }
    }
}

/// The bits are those of the rayon pool's size too, for the public operators.
#[test]
fn pools_do_not_change_a_bit() {
    use foveal_nn::{Conv2dOptions, Padding, ops};
    let mut random = Random::new(5);
    let (x, _) = random.array_f32((9, 21, 17, 6));
    let (w, _) = random.array_f32((3, 3, 6, 20));
    let (dy, _) = random.array_f32((9, 21, 17, 20));
    let options = Conv2dOptions { padding: Padding::Same, ..Default::default() };
    let all = || {
        let y = ops::conv2d(x.view(), w.view(), None, &options).unwrap();
        (y, ops::conv2d_backward(x.view(), w.view(), dy.view(), &options).unwrap())
    };
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    let (y, d) = pool(1).install(all);
    for threads in [2, 3, 5] {
        let (again, d_again) = pool(threads).install(all);
        assert!(y == again && d.input == d_again.input && d.filter == d_again.filter, "{threads} threads");
    }
}

/// A caller's closure may be slow, or draw at random: it is asked once for each image.
#[test]
fn a_step_asks_for_each_example_once() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let text = "input.shape = [2, 2, 1]\nlayer = [{ kind = \"batch_norm\" }, { kind = \"flatten\" }, { kind = \"dense\", units = 2 }]";
    let model = Model::new(&foveal_nn::ModelSpec::from_toml(text).unwrap(), 0).unwrap();
    let options = Options {
        batch_size: 40,
        threads: 2,
        loss: Some(Loss::default()),
        optimizer: Optimizer::default(),
        seed: 0,
        scale: vec![1.0],
        shift: vec![0.0],
        isa: foveal_nn::Isa::best(),
    };
    let mut engine = Engine::new(&model, options).unwrap();
    let asked: Vec<AtomicUsize> = (0..37).map(|_| AtomicUsize::new(0)).collect();
    let pixels = [1.0f32, 2.0, 3.0, 4.0];
    for round in 1..=2 {
        engine.step(37, 1e-3, |i| {
            asked[i].fetch_add(1, Ordering::Relaxed);
            Example { pixels: Pixels::F32(&pixels), target: Target::Class(i as u32 % 2), weight: 1.0 }
        });
        assert!(asked.iter().all(|n| n.load(Ordering::Relaxed) == round));
    }
}
