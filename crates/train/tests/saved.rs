//! Ring 6: a model file gives back the model, and a broken or hostile one an error, quickly.

use foveal_nn::loss::Loss;
use foveal_nn::optim::Optimizer;
use foveal_nn::schedule::Schedule;
use foveal_nn::{Model, ModelSpec};
use foveal_testkit::Random;
use foveal_train::{PictureFit, Preprocess, Recipe, SavedModel, Training};
use std::time::{Duration, Instant};

const MODEL: &str = r#"
    input.shape = [6, 6, 1]
    layer = [
        { kind = "conv2d", filters = 3, kernel = [3, 3], padding = "SAME" },
        { kind = "batch_norm" },
        { kind = "relu" },
        { kind = "max_pool", ksize = [2, 2] },
        { kind = "flatten" },
        { kind = "dense", units = 2, name = "out" },
    ]
"#;

fn saved() -> SavedModel {
    let recipe = Recipe {
        optimizer: Optimizer::Sgd { momentum: 0.9, nesterov: true, decay: 1e-4 },
        schedule: Schedule::OneCycle { warmup: 0.2, start: 0.1, end: 0.0 },
        loss: Loss::CrossEntropy { label_smoothing: 0.05 },
        class_weights: Some(vec![1.0, 2.0]),
        patience: Some(3),
        threads: 0,
        ..Recipe::default()
    };
    SavedModel {
        model: Model::new(&ModelSpec::from_toml(MODEL).unwrap(), 5).unwrap(),
        preprocess: Preprocess::unit(1, PictureFit::Digit),
        classes: vec!["zero".into(), "one \"1\"".into()],
        training: Training {
            model: "small".into(),
            dataset: "made up".into(),
            recipe,
            epochs: 4,
            validation_accuracy: Some(0.987),
            ..Training::default()
        },
    }
}

#[test]
fn a_model_survives_its_file() {
    let model = saved();
    let bytes = model.to_bytes().unwrap();
    assert_eq!(bytes, saved().to_bytes().unwrap(), "the same model, the same bytes");
    let again = SavedModel::from_bytes(&bytes, "small.safetensors").unwrap();
    assert_eq!(again.model.params(), model.model.params());
    assert_eq!((&again.preprocess, &again.classes), (&model.preprocess, &model.classes));
    assert_eq!(again.training, model.training);
    assert_eq!(again.to_bytes().unwrap(), bytes);
}

/// An error that names the file, whatever is cut off.
#[test]
fn every_truncation_is_refused() {
    let bytes = saved().to_bytes().unwrap();
    for n in 0..bytes.len() {
        let error = SavedModel::from_bytes(&bytes[..n], "cut.safetensors").expect_err("an error");
        assert!(error.to_string().contains("cut.safetensors"), "{n}: {error}");
    }
    let longer = [&bytes[..], b"x"].concat();
    assert!(SavedModel::from_bytes(&longer, "long.safetensors").is_err());
}

#[test]
fn mutations_never_panic() {
    let bytes = saved().to_bytes().unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut random = Random::new(1);
    let (mut read, mut refused) = (0, 0);
    let start = Instant::now();
    for trial in 0..10_000 {
        let mut changed = bytes.clone();
        for _ in 0..random.int(1, 4) {
            // Mostly in the header, where changes matter most.
            let end = if trial % 8 == 0 { changed.len() } else { header.min(changed.len()) };
            let at = random.int(0, end - 1);
            match random.int(0, 3) {
                0 => changed[at] ^= 1 << random.int(0, 7),
                1 => changed[at] = random.pick(b"0129-[]{},:\"ex \\"),
                2 => {
                    let n = random.int(1, 9).min(changed.len() - at);
                    changed.drain(at..at + n);
                }
                _ => {
                    let digits = format!("{}", random.int(0, 1 << 40));
                    changed.splice(at..at, digits.into_bytes());
                }
            }
            // In half of the cases the length of the header is corrected, so that its contents are read.
            if random.int(0, 1) == 0 && changed.len() > 8 {
                let length = (header + changed.len()).saturating_sub(8 + bytes.len()) as u64;
                changed[..8].copy_from_slice(&length.to_le_bytes());
            }
        }
        match SavedModel::from_bytes(&changed, "changed.safetensors") {
            Ok(_) => read += 1,
            Err(e) => {
                assert!(!e.to_string().is_empty());
                refused += 1;
            }
        }
    }
    println!("10,000 mutations: {read} still read, {refused} refused, in {:.1?}", start.elapsed());
    assert!(read > 10 && refused > 1000);
    assert!(start.elapsed() < Duration::from_secs(60));
}

/// The file of [`saved`] with a piece of its metadata replaced.
fn with(from: &str, to: &str) -> Vec<u8> {
    let bytes = saved().to_bytes().unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&bytes[8..8 + length]).unwrap();
    assert!(header.contains(from), "{from} in {header}");
    let header = header.replace(from, to);
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &bytes[8 + length..]].concat()
}

#[test]
fn hostile_files_are_refused_quickly() {
    let (q, start) = ("\\\"", Instant::now());
    let key = |name: &str| format!("{q}{name}{q}:");
    for (what, bytes, part) in [
        // Models that would take gigabytes, of which the file holds nothing.
        ("units", with(&format!("{}2", key("units")), &format!("{}400000000", key("units"))), "out"),
        (
            "units",
            with(&format!("{}2", key("units")), &format!("{}18446744073709551615", key("units"))),
            "out",
        ),
        (
            "filters",
            with(&format!("{}3", key("filters")), &format!("{}50000000", key("filters"))),
            "conv2d_1",
        ),
        (
            "kernel",
            with(&format!("{}[3,3]", key("kernel")), &format!("{}[10000,10000]", key("kernel"))),
            "conv2d_1",
        ),
        (
            "input",
            with(&format!("{}[6,6,1]", key("shape")), &format!("{}[20000,20000,1]", key("shape"))),
            "20000",
        ),
        (
            "input",
            with(&format!("{}[6,6,1]", key("shape")), &format!("{}[4294967296,4294967296,1]", key("shape"))),
            "shape",
        ),
        (
            "pool",
            with(&format!("{}[2,2]", key("ksize")), &format!("{}[9223372036854775807,2]", key("ksize"))),
            "max_pool_1",
        ),
        ("pool", with(&format!("{}[2,2]", key("ksize")), &format!("{}[0,-2]", key("ksize"))), "max_pool_1"),
        (
            "channels",
            with(&format!("{}[6,6,1]", key("shape")), &format!("{}[6,6,2]", key("shape"))),
            "conv2d_1.filter",
        ),
        ("scale", with(&format!("{}[", key("scale")), &format!("{}[1.0,", key("scale"))), "preprocessing"),
        ("classes", with("zero", &format!("zero{q},{q}two")), "3 classes"),
        ("version", with(&format!("{}1", key("version")), &format!("{}2", key("version"))), "version 2"),
        ("key", with("\"foveal\"", "\"other\""), "foveal"),
        ("name", with("out.weights", "out.weight_"), "out.weights"),
        ("dtype", with("F32", "I32"), "I32"),
    ] {
        let message = SavedModel::from_bytes(&bytes, "hostile.safetensors").expect_err(what).to_string();
        assert!(message.contains(part), "{what}: {message} does not name {part}");
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn endless_headers_are_refused_quickly() {
    let start = Instant::now();
    // A header that says it is longer than anything.
    for length in [u64::MAX, 1 << 62, 1 << 33] {
        let bytes = [&length.to_le_bytes()[..], b"{}"].concat();
        assert!(SavedModel::from_bytes(&bytes, "long").is_err());
    }
    // Brackets without end.
    let deep = format!("{{\"__metadata__\":{{\"foveal\":\"{}\"}}}}", "[".repeat(100_000));
    let bytes = [&(deep.len() as u64).to_le_bytes()[..], deep.as_bytes()].concat();
    assert!(SavedModel::from_bytes(&bytes, "deep").is_err());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}
