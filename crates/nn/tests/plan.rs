//! The plan that is shown is the plan that runs.

use foveal_nn::engine::{Engine, Example, Options, Part, Pixels, Target, describe};
use foveal_nn::loss::Loss;
use foveal_nn::optim::Optimizer;
use foveal_nn::summary::summary;
use foveal_nn::{Isa, Model, ModelSpec, builtin};
use std::collections::BTreeSet;

const NORMED: &str = r#"
    [input]
    shape = [8, 8, 1]
    [[layer]]
    kind = "conv2d"
    filters = 4
    kernel = [3, 3]
    padding = "SAME"
    [[layer]]
    kind = "batch_norm"
    [[layer]]
    kind = "relu"
    [[layer]]
    kind = "max_pool"
    ksize = [2, 2]
    [[layer]]
    kind = "batch_norm"
    [[layer]]
    kind = "flatten"
    [[layer]]
    kind = "dense"
    units = 10
"#;

fn normed() -> Model {
    Model::new(&ModelSpec::from_toml(NORMED).unwrap(), 3).unwrap()
}

fn built_in(name: &str) -> Model {
    Model::new(&builtin::spec(name).unwrap(), 3).unwrap()
}

fn options(batch_size: usize, threads: usize, training: bool, isa: Isa) -> Options {
    Options {
        batch_size,
        threads,
        loss: training.then(Loss::default),
        optimizer: Optimizer::default(),
        seed: 0,
        scale: vec![1.0 / 255.0],
        shift: vec![0.0],
        isa,
    }
}

#[test]
fn every_layer_is_in_one_step_and_its_operations_are_counted_once() {
    for name in ["fast", "lab-11-1", "lab-11-2"] {
        let model = built_in(name);
        let plan = describe(&model, &options(100, 2, true, Isa::best())).unwrap();
        let layers: Vec<&String> = plan.steps.iter().flat_map(|s| &s.layers).collect();
        let distinct: BTreeSet<&String> = layers.iter().copied().collect();
        assert_eq!((layers.len(), distinct.len()), (model.nodes().len(), model.nodes().len()), "{name}");
        let inner = plan.steps.iter().filter(|s| s.part == Part::Layers);
        let flops: u64 = inner.map(|s| s.forward_flops).sum();
        assert_eq!(flops, 100 * summary(&model).flops, "{name}");
        let parts: Vec<Part> = plan.steps.iter().map(|s| s.part).filter(|&p| p != Part::Layers).collect();
        assert_eq!(parts, [Part::Input, Part::Loss, Part::Update], "{name}");
    }
}

#[test]
fn a_fused_step_names_its_layers_kernel_layout_bytes_and_operations() {
    for isa in Isa::available() {
        let lanes = isa.lanes();
        let plan = describe(&built_in("lab-11-1"), &options(128, 1, true, isa)).unwrap();
        assert_eq!((plan.isa, plan.lanes, plan.groups), (isa.name(), lanes, 128 / lanes));
        let [first, second] = [&plan.steps[1], &plan.steps[2]];
        assert_eq!(first.layers, ["conv2d_1", "relu_1", "max_pool_1"]);
        assert_eq!(first.kernel, "lanes::conv_pool");
        // The second convolution is 3x3 SAME: its input stands in a halo of one.
        assert_eq!(first.layout, [32, 16, 16, lanes]);
        assert!(!plan.one_at_a_time);
        assert_eq!(first.bytes_read, 128 * 30 * 30 * 4);
        assert_eq!(first.bytes_written, 128 * 32 * (16 * 16 * 4 + 14 * 14));
        assert_eq!(first.parameter_bytes, 4 * 288);
        // The first layer computes no gradient of the images, the second does.
        assert_eq!(first.backward_flops, first.forward_flops);
        assert_eq!(second.backward_flops, 2 * second.forward_flops);
        let update = plan.steps.last().unwrap();
        assert!(update.backward_flops >= 128 * 2 * 3136 * 10, "{update:?}");
    }
}

fn options_of(model: &Model, batch_size: usize, isa: Isa) -> Options {
    let channels = model.input_shape()[2];
    let (scale, shift) = (vec![1.0 / 255.0; channels], vec![0.0; channels]);
    Options { scale, shift, ..options(batch_size, 2, true, isa) }
}

#[test]
fn small_batches_train_with_channels_side_by_side() {
    let vgg = Model::new(&builtin::fitted("vgg-small", [32, 32, 3], 10).unwrap(), 1).unwrap();
    for isa in Isa::available() {
        let lanes = isa.lanes();
        let plan = |batch| describe(&vgg, &options_of(&vgg, batch, isa)).unwrap();
        let few = plan(lanes / 2);
        let images = few.lanes;
        assert!(images <= 4 && few.groups == (lanes / 2).div_ceil(images));
        let conv = &few.steps[1];
        assert_eq!((&conv.layers[..], conv.kernel), (&["conv11_conv".to_owned()][..], "nhwc::prepared"));
        assert_eq!(conv.layout, [images, 32, 32, 24]);
        assert!(few.memory_bytes > few.arenas * few.arena_bytes);
        // Enough images fill the vectors of several workers.
        assert_eq!(plan(2 * lanes).lanes, lanes);
    }
}

#[test]
fn plans_for_inference_have_no_gradients_and_less_memory() {
    let model = built_in("lab-11-2");
    let [trains, predicts] =
        [true, false].map(|t| describe(&model, &options(64, 2, t, Isa::best())).unwrap());
    assert!(trains.training && !predicts.training);
    assert!(predicts.steps.iter().all(|s| s.backward_flops == 0));
    assert_eq!(predicts.steps.last().unwrap().part, Part::Output);
    assert!(!predicts.steps.iter().flat_map(|s| &s.layers).any(|l| l.starts_with("dropout")));
    assert!(predicts.arena_bytes < trains.arena_bytes && predicts.memory_bytes < trains.memory_bytes);
}

#[test]
fn images_are_predicted_one_at_a_time_if_few_or_if_channels_fill_vectors() {
    for isa in Isa::available() {
        // Its dense layer is too large to be read for every image.
        let (narrow, wide) = (built_in("lab-11-2"), built_in("lab-11-1"));
        let plan = |model, batch| describe(model, &options(batch, 2, false, isa)).unwrap();
        let few = isa.lanes() / 4;
        let [one, many] = [plan(&narrow, few), plan(&narrow, few + 1)];
        assert!(one.one_at_a_time && !many.one_at_a_time && plan(&wide, 100).one_at_a_time);
        assert_eq!(one.steps[1].layers, ["conv2d_1", "relu_1", "max_pool_1"]);
        assert_eq!((one.steps[1].kernel, one.steps[1].layout[2]), ("nhwc::prepared", 32));
        assert_eq!(one.steps[1].forward_flops / few as u64, many.steps[1].forward_flops / (few as u64 + 1));
        let pixels = [7; 28 * 28];
        let example = |_| Example { pixels: Pixels::U8(&pixels), target: Target::Class(0), weight: 1.0 };
        for (model, batch) in [(&narrow, 1), (&wide, 20)] {
            let mut engine = Engine::new(model, options(batch, 2, false, isa)).unwrap();
            let profile = engine.profile(1, example);
            assert_eq!(profile.steps.len(), plan(model, batch).steps.len());
            assert!(profile.steps.iter().all(|[forward, backward]| *forward > 0.0 && *backward == 0.0));
        }
    }
}

#[test]
fn each_image_alone_has_the_bits_of_its_own_prediction() {
    for isa in Isa::available() {
        for model in [built_in("lab-11-2"), built_in("lab-11-1"), normed()] {
            let size: usize = model.input_shape().iter().product();
            let images: Vec<Vec<u8>> =
                (0..40).map(|i| (0..size).map(|p| (p * 31 + i * 97) as u8).collect()).collect();
            let mut alone = Engine::new(&model, options(1, 1, false, isa)).unwrap();
            let wanted: Vec<f32> =
                images.iter().flat_map(|image| alone.predict(1, |_| Pixels::U8(image))).collect();
            for (count, threads) in [(0, 1), (1, 2), (3, 1), (9, 1), (9, 2), (40, 2)] {
                let mut engine = Engine::new(&model, options(16, threads, false, isa)).unwrap();
                let found = engine.predict_each(count, |i| Pixels::U8(&images[i]));
                assert!(found == wanted[..count * model.outputs()], "{isa:?} {count} {threads}");
            }
        }
    }
}

#[test]
fn an_engine_describes_itself_alike() {
    for (model, training) in [(built_in("fast"), true), (normed(), true), (normed(), false)] {
        let options = options(40, 2, training, Isa::best());
        let engine = Engine::new(&model, options.clone()).unwrap();
        assert_eq!(engine.describe(), describe(&model, &options).unwrap());
    }
    // A normalization needs all groups at once, so each has an arena.
    let staged = describe(&normed(), &options(100, 2, true, Isa::best())).unwrap();
    assert_eq!(staged.arenas, staged.groups);
    assert_eq!(describe(&built_in("fast"), &options(100, 2, true, Isa::best())).unwrap().arenas, 2);
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let fits = options(8, 1, true, Isa::best());
    let none = Options { batch_size: 0, ..fits.clone() };
    assert!(describe(&normed(), &none).unwrap_err().to_string().contains("batch size"));
    let two = Options { scale: vec![1.0; 2], ..fits };
    assert!(describe(&normed(), &two).unwrap_err().to_string().contains("channel"));
}

#[test]
fn a_profile_times_every_step_and_changes_no_parameter() {
    let pixels: Vec<u8> = (0..28 * 28).map(|i| (i * 31 % 251) as u8).collect();
    for (model, training) in
        [(built_in("lab-11-2"), true), (built_in("fast"), false), (normed(), true), (normed(), false)]
    {
        for threads in [1, 2] {
            let options = options(37, threads, training, Isa::best());
            let mut engine = Engine::new(&model, options).unwrap();
            let trainable: usize =
                model.params().iter().filter(|p| p.trainable).map(|p| p.values.len()).sum();
            let before = engine.values()[..trainable].to_vec();
            let size = model.input_shape().iter().product();
            let profile = engine.profile(2, |i| Example {
                pixels: Pixels::U8(&pixels[..size]),
                target: Target::Class(i as u32 % 10),
                weight: 1.0,
            });
            assert!(engine.values()[..trainable] == before, "parameters have changed");
            let plan = engine.describe();
            assert_eq!(profile.steps.len(), plan.steps.len());
            for (step, [forward, backward]) in plan.steps.iter().zip(&profile.steps) {
                let told = format!("{step:?}: {forward} {backward}");
                assert!(*forward >= 0.0 && *backward >= 0.0, "{told}");
                assert_eq!(step.part != Part::Update, *forward > 0.0, "{told}");
                assert!(step.backward_flops == 0 || *backward > 0.0, "{told}");
            }
            assert!(profile.seconds > 0.0);
        }
    }
}
