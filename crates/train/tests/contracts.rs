//! What `fit` promises, whatever it is given: an error that says what is wrong, never a panic and never weights that are
//! no numbers.

use foveal_data::{Dataset, Samples, Split, Targets};
use foveal_nn::optim::Optimizer;
use foveal_nn::schedule::Schedule;
use foveal_nn::{Model, ModelSpec};
use foveal_train::{Error, Event, Outcome, PictureFit, Preprocess, Recipe, Status, Steps, fit};
use std::sync::atomic::{AtomicBool, Ordering};

const N: usize = 40;

fn model() -> Model {
    let text = "input.shape = [2, 2, 1]\nlayer = [{ kind = \"flatten\" }, { kind = \"dense\", units = 2 }]";
    Model::new(&ModelSpec::from_toml(text).unwrap(), 0).unwrap()
}

fn data(change: impl Fn(&mut Vec<f32>)) -> Dataset {
    let mut numbers: Vec<f32> =
        (0..4 * N).map(|i| (i * 7 % 50) as f32 + 100.0 * (i / 4 % 2) as f32).collect();
    change(&mut numbers);
    let labels = (0..N as u32).map(|i| i % 2).collect();
    let targets = Targets::Classes { labels, names: vec!["a".into(), "b".into()] };
    Dataset::new("forty", [2, 2, 1], Samples::F32(numbers), targets).unwrap()
}

fn recipe() -> Recipe {
    Recipe { epochs: 3, batch_size: 8, ..Recipe::default() }
}

fn run(model: Model, data: &Dataset, split: &Split, recipe: &Recipe) -> Result<Outcome, Error> {
    let preprocess = Preprocess::unit(1, PictureFit::Resize);
    fit(model, data, split, &preprocess, recipe, &AtomicBool::new(false), &mut |_: &Event| {})
}

fn split() -> Split {
    Split::first(N, 8).unwrap()
}

#[test]
fn weights_that_are_no_numbers_are_never_finished() {
    let data = data(|_| {});
    // The rate overflows the last update of the run, whose loss is that of the weights before it.
    for (epochs, size) in [(1, N), (2, N), (3, 8)] {
        let sgd = Optimizer::Sgd { momentum: 0.0, nesterov: false, decay: 0.0 };
        let schedule = Schedule::Constant;
        let recipe = Recipe {
            epochs,
            batch_size: size,
            lr: 1e6,
            optimizer: sgd,
            schedule,
            keep_best: false,
            ..recipe()
        };
        // A weight near the end of what floats hold.
        let mut model = model();
        model.params_mut()[0].values[0] = f32::MAX;
        let outcome = run(model, &data, &split(), &recipe).unwrap();
        let finite = outcome.model.params().iter().flat_map(|p| &p.values).all(|v| v.is_finite());
        assert!(finite || outcome.status != Status::Finished, "{:?}", outcome.status);
        assert!(finite, "{epochs} {size} {:?}", outcome.status);
    }
}

#[test]
fn samples_that_are_no_numbers_are_named_before_training() {
    for (at, value) in [(4 * 20 + 1, f32::NAN), (4 * 3, f32::INFINITY)] {
        let data = data(|numbers| numbers[at] = value);
        let error = run(model(), &data, &split(), &recipe()).unwrap_err();
        let sample = format!("sample {}", at / 4);
        assert!(matches!(error, Error::NotFinite { .. }) && error.to_string().contains(&sample), "{error}");
    }
}

#[test]
fn recipes_out_of_range_are_refused_by_name() {
    let adam = |beta1, beta2, epsilon| Optimizer::Adam { beta1, beta2, epsilon, decay: 0.0 };
    let sgd = |momentum, decay| Optimizer::Sgd { momentum, nesterov: false, decay };
    let nan = f32::NAN;
    let of = |optimizer| Recipe { optimizer, ..recipe() };
    let by = |schedule| Recipe { schedule, ..recipe() };
    for (bad, word) in [
        (Recipe { lr: 3e38, ..recipe() }, "learning rate"),
        (Recipe { lr: nan, ..recipe() }, "learning rate"),
        (of(adam(1.0, 0.999, 1e-8)), "beta1"),
        (of(adam(0.9, 1.0, 1e-8)), "beta2"),
        (of(adam(0.9, 0.999, 0.0)), "epsilon"),
        (of(adam(nan, 0.999, 1e-8)), "beta1"),
        (of(sgd(1.0, 0.0)), "momentum"),
        (of(sgd(0.0, -1.0)), "decay"),
        (of(sgd(0.0, f32::INFINITY)), "decay"),
        (by(Schedule::Step { every: 0, factor: 0.5 }), "epochs"),
        (by(Schedule::Step { every: 1, factor: nan }), "factor"),
        (by(Schedule::Cosine { floor: -1.0 }), "floor"),
        (by(Schedule::OneCycle { warmup: 2.0, start: 0.1, end: 0.0 }), "warmup"),
    ] {
        let error = run(model(), &data(|_| {}), &split(), &bad).unwrap_err();
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
}

#[test]
fn splits_that_do_not_fit_are_refused() {
    for (train, validation, words) in [
        (vec![0, 1, 2], vec![2, 3], "sample 2 is for training and for validation"),
        (vec![0, 1, N as u32], vec![], "sample 40 is not in the data set"),
        (vec![0, 1], vec![u32::MAX], "is not in the data set"),
    ] {
        let error = run(model(), &data(|_| {}), &Split { train, validation }, &recipe()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn what_lacks_numbers_is_an_error() {
    let data = data(|_| {});
    let mut emptied = model();
    emptied.params_mut()[0].values.clear();
    let error = run(emptied.clone(), &data, &split(), &recipe()).unwrap_err();
    assert!(error.to_string().contains("dense_1.weights"), "{error}");
    let preprocess = Preprocess::unit(1, PictureFit::Resize);
    assert!(foveal_train::predict(&emptied, &preprocess, &data, None, 1).is_err());
    let bare = Preprocess { scale: vec![], ..preprocess };
    assert_eq!(bare.apply(&[3.0, 4.0]), [3.0, 4.0]);
    assert!(bare.clone().standardized(&data, &[0, 1]).is_ok());
    let stop = AtomicBool::new(false);
    assert!(fit(model(), &data, &split(), &bare, &recipe(), &stop, &mut |_| {}).is_err());
    assert!(Steps::new(&model(), data, split(), bare, recipe()).is_err());
}

#[test]
fn stop_means_that_no_step_follows() {
    let data = data(|_| {});
    let preprocess = Preprocess::unit(1, PictureFit::Resize);
    let before = model();
    let outcome =
        fit(before.clone(), &data, &split(), &preprocess, &recipe(), &AtomicBool::new(true), &mut |_| {});
    let outcome = outcome.unwrap();
    assert_eq!((outcome.status, outcome.history.len()), (Status::Interrupted, 0));
    assert_eq!(outcome.model.params(), before.params());
    // Asked for at the end of an epoch, it ends there.
    let (stop, mut steps) = (AtomicBool::new(false), 0);
    let mut tell = |event: &Event| match event {
        Event::Batch { .. } => steps += 1,
        Event::Epoch(_) => stop.store(true, Ordering::Relaxed),
        _ => {}
    };
    let outcome = fit(before, &data, &split(), &preprocess, &recipe(), &stop, &mut tell).unwrap();
    assert_eq!((outcome.status, outcome.history.len(), outcome.epoch), (Status::Interrupted, 1, Some(1)));
    assert_eq!(steps, 4);
}
