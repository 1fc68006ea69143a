//! A run driven step by step gives the weights of `fit`, and stands whatever its caller does.

use foveal_data::{Dataset, Samples, Split, Targets};
use foveal_nn::schedule::Schedule;
use foveal_nn::{Model, ModelSpec};
use foveal_train::{Error, Evaluation, Event, PictureFit, Preprocess, Recipe, Steps, fit};
use std::sync::atomic::AtomicBool;

const MODEL: &str = r#"input.shape = [6, 6, 1]
    layer = [{ kind = "conv2d", filters = 4, kernel = [3, 3] }, { kind = "batch_norm" }, { kind = "relu" },
    { kind = "flatten" }, { kind = "dropout", rate = 0.2 }, { kind = "dense", units = 3 }]"#;

fn model() -> Model {
    Model::new(&ModelSpec::from_toml(MODEL).unwrap(), 3).unwrap()
}

/// Pictures whose class is their bright third.
fn data() -> (Dataset, Split) {
    let pixel =
        |i: usize, p: usize| if p / 12 == i % 3 { 150 + (i * 7 + p) % 100 } else { (i * 5 + p) % 60 } as u8;
    let pixels = (0..70).flat_map(|i| (0..36).map(move |p| pixel(i, p))).collect();
    let targets = Targets::Classes {
        labels: (0..70).map(|i| i % 3).collect(),
        names: ["top", "middle", "bottom"].map(String::from).to_vec(),
    };
    (Dataset::new("thirds", [6, 6, 1], Samples::U8(pixels), targets).unwrap(), Split::first(70, 20).unwrap())
}

fn recipe() -> Recipe {
    let schedule = Schedule::OneCycle { warmup: 0.3, start: 0.2, end: 0.0 };
    Recipe { epochs: 4, batch_size: 16, lr: 0.01, schedule, keep_best: false, ..Recipe::default() }
}

fn steps(recipe: Recipe) -> Steps {
    let (data, split) = data();
    Steps::new(&model(), data, split, Preprocess::unit(1, PictureFit::Resize), recipe).unwrap()
}

fn bits(model: &Model) -> Vec<u32> {
    model.params().iter().flat_map(|p| p.values.iter().map(|v| v.to_bits())).collect()
}

#[test]
fn step_by_step_is_the_run_of_fit() {
    let (set, split) = data();
    let mut seen = Vec::new();
    let mut on_event = |event: &Event| {
        if let Event::Batch { epoch, batch, step_loss, lr, .. } = *event {
            seen.push((epoch, batch, step_loss.to_bits(), lr.to_bits()));
        }
    };
    let (preprocess, never) = (Preprocess::unit(1, PictureFit::Resize), AtomicBool::new(false));
    let outcome = fit(model(), &set, &split, &preprocess, &recipe(), &never, &mut on_event).unwrap();
    let mut steps = steps(recipe());
    let mut own = Vec::new();
    while let Some(s) = steps.step().unwrap() {
        own.push((s.epoch, s.batch, s.loss.to_bits(), s.lr.to_bits()));
        // Looking at the weights changes nothing.
        steps.validate().unwrap();
    }
    assert_eq!(own, seen);
    assert_eq!((own.len(), steps.done(), steps.total(), steps.per_epoch()), (16, 16, 16, 4));
    assert_eq!(bits(&steps.model()), bits(&outcome.model));
    let Evaluation::Classes(scores) = steps.validate().unwrap() else { panic!("classes") };
    assert_eq!(Some(scores.accuracy), outcome.validation_accuracy);
    assert_eq!(scores.confusion.iter().flatten().sum::<u64>(), 20);
}

#[test]
fn a_loss_that_is_no_number_takes_the_weights_of_the_last_epoch() {
    let mut steps = steps(recipe());
    for _ in 0..steps.per_epoch() {
        steps.step().unwrap();
    }
    let good = bits(&steps.model());
    steps.set_lr(1e30).unwrap();
    let error = loop {
        match steps.step() {
            Ok(step) => assert!(step.is_some(), "a rate of 1e30 does no harm"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::NonFinite { .. }), "{error}");
    assert_eq!(bits(&steps.model()), good);
    steps.set_lr(1e-3).unwrap();
    assert!(steps.step().unwrap().unwrap().loss.is_finite());
}

#[test]
fn what_cannot_be_is_refused() {
    let mut steps = steps(recipe());
    for lr in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(matches!(steps.set_lr(lr), Err(Error::Recipe { .. })), "{lr}");
    }
    assert_eq!(steps.recipe().lr, 0.01);
    let (set, split) = data();
    let with = |split, recipe| {
        Steps::new(&model(), set.clone(), split, Preprocess::unit(1, PictureFit::Resize), recipe)
    };
    assert!(with(split.clone(), Recipe { epochs: 0, ..recipe() }).is_err());
    assert!(with(Split { train: Vec::new(), validation: vec![0] }, recipe()).is_err());
    let blind = with(Split { validation: Vec::new(), ..split }, recipe()).unwrap();
    assert!(matches!(blind.validate(), Err(Error::NoImages { .. })));
}
