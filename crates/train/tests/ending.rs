//! Which weights a run ends with, and that its two losses can be compared.

use foveal_data::{Dataset, Samples, Split, Targets};
use foveal_nn::loss::Loss;
use foveal_nn::{Model, ModelSpec};
use foveal_testkit::Random;
use foveal_train::{Evaluation, Outcome, PictureFit, Preprocess, Recipe, Status, evaluate, fit};
use std::sync::atomic::AtomicBool;

const MODEL: &str = r#"
    input.shape = [4, 4, 1]
    layer = [{ kind = "flatten" }, { kind = "dense", units = 40 }, { kind = "relu" }, { kind = "dense", units = 3 }]
"#;

/// Noise: what is learnt of it is learnt by heart, so that the validation loss rises soon.
fn noise(n: usize) -> Dataset {
    let mut random = Random::new(8);
    let pixels = (0..n * 16).map(|_| random.int(0, 255) as u8).collect();
    let labels = (0..n).map(|_| random.int(0, 2) as u32).collect();
    let names = ["a", "b", "c"].map(String::from).to_vec();
    Dataset::new("noise", [4, 4, 1], Samples::U8(pixels), Targets::Classes { labels, names }).unwrap()
}

fn preprocess() -> Preprocess {
    Preprocess::unit(1, PictureFit::Resize)
}

fn run(data: &Dataset, split: &Split, recipe: &Recipe) -> Outcome {
    let model = Model::new(&ModelSpec::from_toml(MODEL).unwrap(), 0).unwrap();
    let never = AtomicBool::new(false);
    fit(model, data, split, &preprocess(), recipe, &never, &mut |_| {}).unwrap()
}

#[test]
fn the_weights_and_the_figures_are_those_of_the_lowest_validation_loss() {
    let data = noise(120);
    let split = Split::first(120, 60).unwrap();
    let recipe = Recipe { epochs: 30, batch_size: 20, lr: 0.01, ..Recipe::default() };
    let whole = run(&data, &split, &recipe);
    let loss = |epoch: usize| whole.history[epoch - 1].validation_loss.unwrap();
    let best = (1..=30).min_by(|&a, &b| loss(a).total_cmp(&loss(b))).unwrap();
    assert!(best < 20, "the noise should be learnt by heart: {best}");
    assert_eq!((whole.epoch, whole.status), (Some(best), Status::Finished));
    let highest = |e: usize| whole.history[e - 1].validation_accuracy;
    assert!((1..=30).any(|e| highest(e) > highest(best)), "accuracy alone would have chosen another epoch");
    let judged = |outcome: &Outcome| {
        let found = evaluate(&outcome.model, &preprocess(), &data, Some(&split.validation), 1).unwrap();
        let Evaluation::Classes(scores) = found else { panic!("classes") };
        (scores.loss, scores.accuracy)
    };
    let (loss_found, accuracy) = judged(&whole);
    assert!((loss_found - whole.validation_loss.unwrap()).abs() < 1e-6);
    assert_eq!((Some(accuracy), whole.validation_accuracy), (highest(best), highest(best)));
    // With patience the run ends so many epochs later, with the same weights.
    let patient = run(&data, &split, &Recipe { patience: Some(3), ..recipe.clone() });
    assert_eq!((patient.status, patient.epoch), (Status::EarlyStopped, Some(best)));
    assert_eq!(patient.history.len(), best + 3);
    assert_eq!(patient.model.params(), whole.model.params());
    let last = run(&data, &split, &Recipe { keep_best: false, ..recipe });
    assert_eq!(last.epoch, Some(30));
    assert_eq!(judged(&last).1, last.validation_accuracy.unwrap());
}

#[test]
fn losses_of_training_and_validation_are_the_same_loss() {
    // The same samples twice: a split has no sample in both parts.
    let data = noise(64).joined(noise(64)).unwrap();
    let split = Split { train: (0..64).collect(), validation: (64..128).collect() };
    for class_weights in [None, Some(vec![3.0, 0.5, 1.0])] {
        // A rate that changes nothing: both losses are of the same weights and the same samples.
        let loss = Loss::CrossEntropy { label_smoothing: 0.3 };
        let recipe =
            Recipe { epochs: 1, batch_size: 64, lr: 1e-30, loss, class_weights, ..Recipe::default() };
        let report = run(&data, &split, &recipe).history.remove(0);
        let validation = report.validation_loss.unwrap();
        assert!((report.train_loss - validation).abs() < 1e-6, "{} and {validation}", report.train_loss);
    }
}

#[test]
fn one_wild_target_does_not_spoil_huber() {
    let mut random = Random::new(4);
    let n = 200;
    let pixels: Vec<u8> = (0..n * 16).map(|_| random.int(0, 255) as u8).collect();
    // The brightness of the first pixel, 0 to 10; but one sample has a million.
    let mut values: Vec<f64> = (0..n).map(|i| f64::from(pixels[i * 16]) / 25.5).collect();
    values[7] = 1e6;
    let targets = Targets::Values { values, names: vec!["brightness".into()] };
    let data = Dataset::new("wild", [4, 4, 1], Samples::U8(pixels), targets).unwrap();
    let split = Split { train: (0..150).collect(), validation: (150..200).collect() };
    let model =
        Model::new(&ModelSpec::from_toml(&MODEL.replace("units = 3", "units = 1")).unwrap(), 0).unwrap();
    let loss = Loss::Huber { delta: 1.0 };
    let recipe = Recipe { epochs: 60, batch_size: 10, lr: 0.003, loss, keep_best: true, ..Recipe::default() };
    let never = AtomicBool::new(false);
    let outcome = fit(model, &data, &split, &preprocess(), &recipe, &never, &mut |_| {}).unwrap();
    let found = evaluate(&outcome.model, &preprocess(), &data, Some(&split.validation), 1).unwrap();
    let Evaluation::Values(scores) = found else { panic!("values") };
    assert!(scores.r2.unwrap() > 0.8, "{scores:?}");
}
