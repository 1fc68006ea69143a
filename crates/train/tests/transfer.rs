//! Training that begins with another model's weights.

use foveal_data::{Dataset, Samples, Split, Targets};
use foveal_nn::{Model, ModelSpec};
use foveal_testkit::Random;
use foveal_train::{
    Checkpoint, Error, Freeze, Outcome, PictureFit, Preprocess, Recipe, Resume, SavedModel, Training, fit,
    fit_resumable, predict, transfer,
};
use std::sync::atomic::AtomicBool;

const MODEL: &str = r#"
    input.shape = [6, 6, 1]
    layer = [
        { kind = "conv2d", filters = 4, kernel = [3, 3], padding = "SAME", bias = false },
        { kind = "batch_norm", momentum = 0.9 },
        { kind = "relu" },
        { kind = "max_pool", ksize = [2, 2] },
        { kind = "flatten" },
        { kind = "dense", units = 5, name = "middle" },
        { kind = "clip" },
        { kind = "dense", units = 3, name = "out" },
    ]
"#;

/// Noisy pictures of `classes` bright bands; or values from them.
fn data(classes: usize, values: bool) -> Dataset {
    let mut random = Random::new(classes as u64);
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for i in 0..60 {
        let class = i % classes;
        labels.push(class as u32);
        pixels.extend((0..36).map(|p| (random.int(0, 120) + if p / 6 == class { 130 } else { 0 }) as u8));
    }
    let names = (0..classes).map(|c| format!("band {c}")).collect();
    let targets = match values {
        true => Targets::Values {
            values: labels.iter().map(|&l| 100.0 + 7.0 * f64::from(l)).collect(),
            names: vec!["row".into()],
        },
        false => Targets::Classes { labels, names },
    };
    Dataset::new("bands", [6, 6, 1], Samples::U8(pixels), targets).unwrap()
}

fn recipe(frozen: &[&str]) -> Recipe {
    let frozen = frozen.iter().map(|&name| name.into()).collect();
    // Averaging and the best epoch could change a frozen number, too.
    Recipe { epochs: 4, batch_size: 16, lr: 0.02, average: 0.5, frozen, ..Recipe::default() }
}

fn learn(model: Model, data: &Dataset, recipe: &Recipe) -> Result<Outcome, Error> {
    let split = Split::first(data.len(), 12)?;
    let preprocess = Preprocess::unit(1, PictureFit::Resize);
    fit(model, data, &split, &preprocess, recipe, &AtomicBool::new(false), &mut |_| {})
}

fn saved(model: Model, data: &Dataset) -> SavedModel {
    SavedModel {
        model,
        preprocess: Preprocess::unit(1, PictureFit::Resize),
        classes: data.classes().unwrap_or_default().to_vec(),
        training: Training {
            model: "bands".into(),
            dataset: "made up".into(),
            recipe: recipe(&[]),
            epochs: 4,
            validation_accuracy: None,
            ..Training::default()
        },
    }
}

fn fresh(toml: &str) -> Model {
    Model::new(&ModelSpec::from_toml(toml).unwrap(), 5).unwrap()
}

/// The bits of the parameters of a layer.
fn bits(model: &Model, layer: &str) -> Vec<u32> {
    let of = model.params().iter().filter(|p| p.name.starts_with(&format!("{layer}.")));
    of.flat_map(|p| p.values.iter().map(|v| v.to_bits())).collect()
}

#[test]
fn frozen_layers_keep_their_bytes() {
    let data = data(3, false);
    let frozen = ["conv2d_1", "batch_norm_1"];
    let before = fresh(MODEL);
    let after = learn(before.clone(), &data, &recipe(&frozen)).unwrap().model;
    for layer in frozen {
        assert_eq!(bits(&before, layer), bits(&after, layer), "{layer}");
        assert!(!bits(&before, layer).is_empty());
    }
    for layer in ["middle", "out"] {
        assert_ne!(bits(&before, layer), bits(&after, layer), "{layer}");
    }
    // What is not frozen moves, statistics too.
    let after = learn(before.clone(), &data, &recipe(&["middle"])).unwrap().model;
    assert_eq!(bits(&before, "middle"), bits(&after, "middle"));
    assert_ne!(bits(&before, "batch_norm_1"), bits(&after, "batch_norm_1"));
    let error = learn(before.clone(), &data, &recipe(&["conv"])).unwrap_err().to_string();
    assert!(error.contains("`conv`") && error.contains("conv2d_1, batch_norm_1, middle, out"), "{error}");
    let all = ["conv2d_1", "batch_norm_1", "middle", "out"];
    assert!(learn(before, &data, &recipe(&all)).unwrap_err().to_string().contains("nothing is left"));
}

#[test]
fn other_classes_get_a_new_head() {
    let three = data(3, false);
    let old = saved(learn(fresh(MODEL), &three, &recipe(&[])).unwrap().model, &three);
    let train: Vec<u32> = (0..48).collect();
    let same = transfer(&old, &three, &train, &[], 9).unwrap();
    assert_eq!((same.new_head, same.model.params()), (None, old.model.params()));

    let five = data(5, false);
    let new = transfer(&old, &five, &train, &[], 9).unwrap();
    assert_eq!((new.new_head.as_deref(), new.model.outputs()), (Some("out"), 5));
    for layer in ["conv2d_1", "batch_norm_1", "middle"] {
        assert_eq!(bits(&new.model, layer), bits(&old.model, layer), "{layer}");
    }
    let other_seed = transfer(&old, &five, &train, &[], 10).unwrap();
    assert_ne!(bits(&new.model, "out"), bits(&other_seed.model, "out"));
    assert!(learn(new.model, &five, &recipe(&[])).is_ok());
    // As many classes of other names are other classes.
    let renamed = SavedModel { classes: ["x", "y", "z"].map(String::from).to_vec(), ..old.clone() };
    assert!(transfer(&renamed, &three, &train, &[], 9).unwrap().new_head.is_some());

    let refused = |model: &SavedModel, data: &Dataset, frozen: &[String]| {
        transfer(model, data, &train, frozen, 9).unwrap_err().to_string()
    };
    let error = refused(&old, &five, &["out".into()]);
    assert!(error.contains("`out` is new"), "{error}");
    let headless = "input.shape = [6, 6, 1]\nlayer = [{ kind = \"conv2d\", filters = 3, kernel = [6, 6] }]";
    let error = refused(&saved(fresh(headless), &three), &five, &[]);
    assert!(error.contains("`conv2d_1` (conv2d)") && error.contains("no head"), "{error}");
    let larger = MODEL.replace("[6, 6, 1]", "[8, 8, 1]");
    let error = refused(&saved(fresh(&larger), &three), &five, &[]);
    assert!(error.contains("[6, 6, 1]") && error.contains("[8, 8, 1]"), "{error}");
}

#[test]
fn a_regression_goes_on_from_what_it_has_learnt() {
    let rows = data(3, true);
    let toml = MODEL.replace("units = 3", "units = 1");
    let learnt = Recipe { epochs: 40, loss: foveal_nn::loss::Loss::MeanSquared, ..recipe(&[]) };
    let old = saved(learn(fresh(&toml), &rows, &learnt).unwrap().model, &rows);
    let train: Vec<u32> = (12..60).collect();
    let begun = transfer(&old, &rows, &train, &[], 1).unwrap();
    assert!(begun.new_head.is_none());
    // Tiny steps do not change the answers, which are in the data's own units.
    let still = Recipe { epochs: 1, lr: 1e-12, frozen: vec!["batch_norm_1".into()], ..learnt };
    let after = learn(begun.model, &rows, &still).unwrap().model;
    let answers = |model: &Model| predict(model, &old.preprocess, &rows, None, 1).unwrap();
    for (a, b) in answers(&old.model).iter().zip(answers(&after)) {
        assert!((a - b).abs() < 1e-3, "{a} {b}");
        assert!((80.0..140.0).contains(a), "{a}");
    }
}

#[test]
fn layers_to_freeze_are_named_in_three_ways() {
    let model = fresh(MODEL);
    let layers = |text: &str| text.parse::<Freeze>().unwrap().layers(&model);
    assert_eq!(layers("3").unwrap(), ["conv2d_1", "batch_norm_1"]);
    assert_eq!(layers("middle, conv2d_1").unwrap(), ["middle", "conv2d_1"]);
    assert_eq!(layers("all-but-head").unwrap(), ["conv2d_1", "batch_norm_1", "middle"]);
    for (text, part) in [("9", "the model has 8"), ("middle,none", "`none`")] {
        let error = layers(text).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    for text in ["0", "a,,b", ""] {
        assert!(text.parse::<Freeze>().is_err(), "{text}");
    }
}

#[test]
fn a_checkpoint_of_other_frozen_layers_is_of_another_run() {
    let data = data(3, false);
    let split = Split::first(data.len(), 12).unwrap();
    let preprocess = Preprocess::unit(1, PictureFit::Resize);
    let mut kept: Vec<Checkpoint> = Vec::new();
    let mut run = |recipe: &Recipe, from: Option<Checkpoint>| {
        let save: foveal_train::Save<'_> = Box::new(|c: &Checkpoint| {
            kept.push(c.clone());
            Ok(())
        });
        let resume = Resume { from, save: Some(save) };
        let stop = AtomicBool::new(false);
        fit_resumable(fresh(MODEL), &data, &split, &preprocess, recipe, &stop, &mut |_| {}, resume)
    };
    let whole = run(&recipe(&["conv2d_1"]), None).unwrap();
    let middle = kept[1].clone();
    let run = |recipe: &Recipe, from: Option<Checkpoint>| {
        let (stop, resume) = (AtomicBool::new(false), Resume { from, save: None });
        fit_resumable(fresh(MODEL), &data, &split, &preprocess, recipe, &stop, &mut |_| {}, resume)
    };
    let again = run(&recipe(&["conv2d_1"]), Some(middle.clone())).unwrap();
    assert_eq!(whole.model.params(), again.model.params());
    let error = run(&recipe(&["middle"]), Some(middle)).unwrap_err();
    assert!(matches!(&error, Error::OtherRun { .. }) && error.to_string().contains("frozen"), "{error}");
}
