//! The Rust side of the network view: for every cell it says what the library says, and no file or cell breaks it.

use foveal::data::text::{Tokens, Vocabulary};
use foveal::data::{Dataset, Picture, Samples, Targets};
use foveal::nn::{Model, ModelSpec, builtin};
use foveal::train::{PictureFit, Preprocess, Recipe, SavedModel, Training, predict, probabilities};
use foveal_wasm::network::{Made, Network, Unopened};

fn saved(spec: &ModelSpec, fit: PictureFit) -> SavedModel {
    let model = Model::new(spec, 5).unwrap();
    let classes = (0..model.outputs()).map(|c| c.to_string()).collect();
    let training = Training {
        model: "made".into(),
        dataset: "none".into(),
        recipe: Recipe::fast(),
        epochs: 0,
        validation_accuracy: None,
        ..Training::default()
    };
    let preprocess = Preprocess::unit(model.input_shape()[2], fit);
    SavedModel { model, preprocess, classes, training }
}

fn digit(i: usize) -> Vec<f32> {
    foveal_mnist::test_images()[i * 784..(i + 1) * 784].iter().map(|&v| f32::from(v)).collect()
}

#[test]
fn a_picture_gets_the_answer_of_predict() {
    let saved = saved(&builtin::spec("fast").unwrap(), PictureFit::Digit);
    let mut network = Network::new();
    let description = network.open_bytes(&saved.to_bytes().unwrap(), "fast.safetensors").unwrap();
    assert_eq!((description.input, description.digit, description.layers.len()), ([28, 28, 1], true, 10));
    assert_eq!(description.parameters, saved.model.params().iter().map(|p| p.values.len()).sum::<usize>());
    // A test digit as it is, and a large dark digit on light paper, which has to be fitted.
    let small = digit(3);
    let large = |i: usize| 255.0 - small[(i / 90 / 3).min(27) * 28 + (i % 90 / 3).min(27)];
    let pictures = [
        Picture::new(28, 28, 1, small.clone()).unwrap(),
        Picture::new(90, 90, 1, (0..8100).map(large).collect()).unwrap(),
    ];
    for picture in pictures {
        let raw = saved.preprocess.picture(&picture, [28, 28, 1]).unwrap();
        let targets = Targets::Values { values: vec![0.0], names: vec!["none".into()] };
        let data = Dataset::new("one", [28, 28, 1], Samples::F32(raw.clone()), targets).unwrap();
        let outputs = predict(&saved.model, &saved.preprocess, &data, None, 1).unwrap();
        let want = probabilities(&saved.model, &outputs);
        let answer = network.look(&picture).unwrap();
        assert!(answer.likely.iter().zip(&want).all(|(a, &b)| (a - f64::from(b)).abs() < 1e-5));
        assert!((answer.likely.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        assert!(answer.likely.iter().all(|&p| p <= answer.likely[answer.best]));
        assert_eq!(network.raw(), raw);
    }
}

#[test]
fn labels_and_values_of_any_magnitude_are_answered() {
    let spec = ModelSpec::from_toml(
        r#"input.shape = [1, 2, 1]
        layer = [{ kind = "flatten" }, { kind = "dense", units = 2 }, { kind = "sigmoid" }]"#,
    )
    .unwrap();
    let mut labels = saved(&spec, PictureFit::Resize);
    labels.model.params_mut()[0].values = vec![20.0, 0.0, 0.0, 20.0];
    labels.model.params_mut()[1].values = vec![-10.0, -10.0];
    labels.training.thresholds = vec![0.9, 0.2];
    let mut network = Network::new();
    let description = network.open_bytes(&labels.to_bytes().unwrap(), "labels").unwrap();
    assert_eq!(description.thresholds, [0.9, 0.2]);
    // Logits of 10, 0 and -10: a half is below the first threshold and above the second.
    for (pixels, has) in [([255.0, 255.0], vec![0, 1]), ([127.5, 127.5], vec![1]), ([0.0, 0.0], vec![])] {
        let answer = network.look(&Picture::new(1, 2, 1, pixels.to_vec()).unwrap()).unwrap();
        assert_eq!(answer.labels, has, "{answer:?}");
    }
    let spec = ModelSpec::from_toml("input.shape = [1, 2, 1]\nlayer = [{ kind = \"flatten\" }]").unwrap();
    let mut large = saved(&spec, PictureFit::Resize);
    large.classes.clear();
    large.preprocess.origin = vec![1e9, -1e9];
    network.open_bytes(&large.to_bytes().unwrap(), "large").unwrap();
    let answer = network.look(&Picture::new(1, 2, 1, vec![255.0, 0.0]).unwrap()).unwrap();
    assert_eq!((answer.likely, answer.labels), (vec![1e9 + 1.0, -1e9], vec![]));
}

const MANY: &str = r#"input.shape = [8, 6, 3]
    layer = [{ kind = "conv2d", filters = 4, kernel = [3, 3], padding = "SAME" }, { kind = "batch_norm" },
    { kind = "leaky_relu" }, { kind = "max_pool", ksize = [2, 2] }, { kind = "conv2d", filters = 4, kernel = [1, 1] },
    { kind = "add", inputs = ["conv2d_2", "max_pool_1"] }, { kind = "concat", inputs = ["add_1", "max_pool_1"] },
    { kind = "avg_pool", ksize = [2, 2], strides = [1, 1] }, { kind = "flatten" }, { kind = "dense", units = 3 },
    { kind = "softmax" }]"#;

#[test]
fn every_cell_of_every_value_is_explained_with_its_own_number() {
    let saved = saved(&ModelSpec::from_toml(MANY).unwrap(), PictureFit::Resize);
    let mut network = Network::new();
    network.open_bytes(&saved.to_bytes().unwrap(), "many").unwrap();
    assert!(network.made(0, [0; 3]).is_err() && network.cam(None, None).is_err(), "nothing was seen yet");
    let pixels = (0..20 * 20 * 3).map(|i| (i * 37 % 256) as f32).collect();
    let answer = network.look(&Picture::new(20, 20, 3, pixels).unwrap()).unwrap();
    assert_eq!(answer.likely.len(), 3);
    let shapes = std::iter::once([8, 6, 3]).chain(saved.model.nodes().iter().map(|n| n.shape));
    for (v, [h, w, c]) in shapes.enumerate() {
        let numbers = network.numbers(v).unwrap();
        assert_eq!(numbers.len(), h * w * c);
        for (k, &number) in numbers.iter().enumerate() {
            let at = [k / c / w, k / c % w, k % c];
            let value = match network.made(v, at).unwrap() {
                Made::Input { raw, scale, shift, value, .. } => {
                    assert!((raw * scale + shift - value).abs() < 1e-6);
                    value
                }
                Made::Window { cell } => {
                    assert_eq!(cell.inputs.len(), cell.window[0] * cell.window[1] * cell.depth);
                    if let Some(largest) = cell.largest {
                        assert_eq!(cell.inputs[largest], number);
                    } else {
                        let sum = cell.sums.iter().sum::<f32>() + cell.bias.unwrap_or(0.0);
                        assert!((sum - number).abs() < 1e-5, "{v} {at:?}: {sum} {number}");
                    }
                    cell.value
                }
                Made::Point { cell } => cell.value,
            };
            assert_eq!(value, number);
        }
        for at in [[h, 0, 0], [0, w, 0], [0, 0, c], [usize::MAX; 3]] {
            assert!(network.made(v, at).is_err(), "{v} {at:?}");
        }
    }
    assert!(network.made(99, [0; 3]).is_err() && network.numbers(99).is_none());
    let cam = network.cam(Some(1), None).unwrap();
    assert_eq!((cam.class, cam.heat.len()), (1, 48));
    assert!(network.cam(Some(7), None).is_err() && network.cam(None, Some(9)).is_err());
}

#[test]
fn what_is_no_model_is_refused_and_the_open_one_stays() {
    let saved = saved(&ModelSpec::from_toml(MANY).unwrap(), PictureFit::Resize);
    let bytes = saved.to_bytes().unwrap();
    let mut network = Network::new();
    let picture = Picture::new(8, 6, 3, vec![9.0; 144]).unwrap();
    assert!(network.look(&picture).is_err(), "no model is open");
    network.open_bytes(&bytes, "many").unwrap();
    let answer = network.look(&picture).unwrap();
    for cut in (0..bytes.len()).step_by(7) {
        assert!(network.open_bytes(&bytes[..cut], "cut").is_err(), "{cut}");
    }
    for foreign in [&b"\x89PNG\r\n\x1a\n0000"[..], b"", b"{}", &[0xff; 100]] {
        assert_eq!(network.open_bytes(foreign, "foreign"), Err(Unopened::Foreign));
    }
    assert!(matches!(network.open_bytes(b"\x02\0\0\0\0\0\0\0{}", "empty"), Err(Unopened::Broken { .. })));
    let wide = r#"input.shape = [2048, 2048, 1]
        layer = [{ kind = "conv2d", filters = 4, kernel = [1, 1] }, { kind = "global_avg_pool" }]"#;
    let wide = self::saved(&ModelSpec::from_toml(wide).unwrap(), PictureFit::Resize).to_bytes().unwrap();
    assert!(matches!(network.open_bytes(&wide, "wide"), Err(Unopened::Large { .. })));
    // A model that reads texts has no use for pictures.
    let vocabulary = Vocabulary::new(Tokens::Words, ["a few words", "a few more words"], 9).unwrap();
    let spec = format!(
        r#"input.shape = [1, 8, 1]
        layer = [{{ kind = "embedding", vocabulary = {}, size = 3 }}, {{ kind = "global_max_pool" }},
        {{ kind = "dense", units = 2 }}]"#,
        vocabulary.size()
    );
    let mut reader = self::saved(&ModelSpec::from_toml(&spec).unwrap(), PictureFit::Resize);
    reader.preprocess = Preprocess::text(vocabulary);
    assert_eq!(network.open_bytes(&reader.to_bytes().unwrap(), "reader"), Err(Unopened::Text));
    assert_eq!(network.look(&picture).unwrap(), answer);
}
