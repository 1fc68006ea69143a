//! Training with parts of the program's own: what is not changed stays, to the bit; what is wrong is refused.

use foveal_data::{Dataset, Split};
use foveal_nn::engine::Rates;
use foveal_nn::layers::Dropout;
use foveal_nn::ndarray::{Array2, Array4};
use foveal_nn::optim::Optimizer;
use foveal_nn::{Model, Sequential, ops};
use foveal_train::{
    Error, Event, Fit, Learner, LearnerOptions, PictureFit, Preprocess, Recipe, Status, Trained, fit,
};
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

fn data() -> Dataset {
    let picture = |n: usize| (0..36).map(|i| ((i * (n % 3 + 1) * 5) % 97 + n % 7) as u8).collect::<Vec<u8>>();
    Dataset::from_samples([6, 6, 1], (0..70).map(|n| (picture(n), n as u32 % 3))).unwrap()
}

fn model() -> Model {
    let net =
        Sequential::new([6, 6, 1]).conv2d(4, 3).relu().batch_norm().flatten().layer(Dropout { rate: 0.1 });
    net.dense(3).build(0).unwrap()
}

fn recipe() -> Recipe {
    Recipe { epochs: 3, batch_size: 16, lr: 0.01, seed: 4, ..Recipe::default() }
}

fn run<'a>(data: &'a Dataset, change: impl FnOnce(Fit<'a>) -> Fit<'a>) -> Result<Trained, Error> {
    change(Fit::new(&model(), data).recipe(recipe()).threads(2)).run()
}

fn values(trained: &Trained) -> Vec<f32> {
    trained.outcome.model.params().iter().flat_map(|p| p.values.clone()).collect()
}

#[test]
fn what_is_not_changed_stays_to_the_bit() {
    let data = data();
    let split = Split::random(70, data.labels(), 0.1, 4).unwrap();
    let preprocess = Preprocess::unit(1, PictureFit::Resize);
    let stop = AtomicBool::new(false);
    let plain = fit(model(), &data, &split, &preprocess, &recipe(), &stop, &mut |_| {}).unwrap();
    let want: Vec<f32> = plain.model.params().iter().flat_map(|p| p.values.clone()).collect();
    assert_eq!(values(&run(&data, |f| f).unwrap()), want);
    // Gradients that are looked at, and not changed.
    assert_eq!(values(&run(&data, |f| f.clip_norm(1e9)).unwrap()), want);
    assert_eq!(values(&run(&data, |f| f.schedule(|_| 0.01)).unwrap()), want);
    assert_eq!(values(&run(&data, |f| f.sample_weights(vec![1.0; 70])).unwrap()), want);
    let same = |f: Fit<'_>| values(&f.group(|_| true, Rates { lr: 1.0, decay: None }).run().unwrap());
    assert_eq!(same(Fit::new(&model(), &data).recipe(recipe()).threads(1)), want);
}

#[test]
fn an_optimizer_of_ones_own_is_the_built_in_one() {
    let data = data();
    let sgd = Optimizer::Sgd { momentum: 0.0, nesterov: false, decay: 0.0 };
    let built = run(&data, |f| f.recipe(Recipe { optimizer: sgd, ..recipe() })).unwrap();
    let mut names = Vec::new();
    let own = run(&data, |f| {
        f.optimizer(|lr, p| {
            names.push(p.name.to_owned());
            p.values.iter_mut().zip(p.gradient).for_each(|(w, g)| *w -= lr * g);
        })
    });
    let (built, own) = (values(&built), values(&own.unwrap()));
    assert!(built.iter().zip(&own).all(|(a, b)| (a - b).abs() < 1e-5));
    assert!(
        names.contains(&"conv2d_1.filter".to_owned()) && !names.contains(&"batch_norm_1.moving_mean".into())
    );
}

#[test]
fn accumulated_batches_are_one_large_batch() {
    let data = data();
    let net = Sequential::new([6, 6, 1]).conv2d(4, 3).relu().flatten().dense(3).build(0).unwrap();
    let split = Split { train: (0..60).collect(), validation: Vec::new() };
    let train = |batch_size, batches| {
        let recipe = Recipe { batch_size, epochs: 2, ..recipe() };
        let fit = Fit::new(&net, &data).recipe(recipe).split(split.clone()).accumulate(batches);
        values(&fit.schedule(|_| 0.01).run().unwrap())
    };
    // 60 samples by 16: four batches, the last of 12.
    let (large, parts) = (train(64, 1), train(16, 4));
    assert!(large.iter().zip(&parts).all(|(a, b)| (a - b).abs() < 1e-4), "{large:?} {parts:?}");
}

#[test]
fn a_loss_of_ones_own_trains_as_the_built_in_one() {
    let data = data();
    let built = run(&data, |f| f).unwrap();
    let own = run(&data, |f| {
        f.loss(|j| ops::softmax_cross_entropy(j.outputs, &j.labels(), 0.0, None)).metric("samples", |j| {
            assert_eq!(j.values().dim(), (j.indices.len(), 0));
            j.indices.len() as f64
        })
    });
    let own = own.unwrap();
    let close = |a: f64, b: f64| (a - b).abs() < 1e-3;
    for (a, b) in built.outcome.history.iter().zip(&own.outcome.history) {
        assert!(
            close(a.train_loss, b.train_loss)
                && close(a.validation_loss.unwrap(), b.validation_loss.unwrap())
        );
        assert_eq!(a.train_accuracy, b.train_accuracy);
    }
    assert_eq!(own.outcome.metrics, vec![vec![("samples".to_owned(), 7.0)]; 3]);
}

#[test]
fn outputs_need_not_be_targets_for_a_loss_of_ones_own() {
    // Mean and log of the variance of one value: a Gaussian's likelihood.
    let x = Array4::from_shape_fn((64, 1, 1, 1), |(n, ..)| n as f32 / 64.0);
    let t = Array2::from_shape_fn((64, 1), |(n, _)| 3.0 * n as f32 / 64.0 + 1.0);
    let data = Dataset::from_arrays(x, t).unwrap();
    let model = Sequential::new([1, 1, 1]).flatten().dense(2).build(0).unwrap();
    let trained = Fit::new(&model, &data)
        .recipe(Recipe { epochs: 60, batch_size: 16, lr: 0.05, ..Recipe::default() })
        .loss(|j| {
            let (t, n) = (j.values(), j.indices.len() as f32);
            let (mut loss, mut d) = (0.0, Array2::zeros((j.indices.len(), 2)));
            for i in 0..j.indices.len() {
                let (e, s) = (j.outputs[[i, 0]] - t[[i, 0]], j.outputs[[i, 1]]);
                loss += 0.5 * (s + e * e / s.exp()) / n;
                d[[i, 0]] = e / s.exp() / n;
                d[[i, 1]] = 0.5 * (1.0 - e * e / s.exp()) / n;
            }
            Ok::<_, Error>((loss, d))
        })
        .run()
        .unwrap();
    let said = trained.saved.predictor(1).unwrap().predict(&[0.5f32][..]).unwrap();
    assert!((said[0] - 2.5).abs() < 0.3 && said[1] < -1.0, "{said:?}");
    assert!(trained.saved.classes.is_empty());
}

#[test]
fn a_break_ends_the_run() {
    let data = data();
    for wanted in ["started", "batch", "epoch"] {
        let mut batches = 0;
        let trained = run(&data, |f| {
            f.on_event(|event| {
                batches += usize::from(matches!(event, Event::Batch { .. }));
                let hit = match event {
                    Event::Started { .. } => wanted == "started",
                    Event::Batch { .. } => wanted == "batch",
                    Event::Epoch(_) => wanted == "epoch",
                    _ => false,
                };
                if hit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        });
        let outcome = trained.unwrap().outcome;
        assert_eq!(outcome.status, Status::Interrupted);
        let (epochs, steps) = [(0, 0), (0, 1), (1, 4)]
            [["started", "batch", "epoch"].iter().position(|w| *w == wanted).unwrap()];
        assert_eq!((outcome.history.len(), batches), (epochs, steps), "{wanted}");
    }
}

#[test]
fn wrong_settings_are_refused() {
    let data = data();
    let fails = |change: fn(Fit<'_>) -> Fit<'_>| change(Fit::new(&model(), &data)).run().unwrap_err();
    let nan = |problem: Error| assert!(matches!(problem, Error::Recipe { .. }), "{problem}");
    nan(fails(|f| f.clip_norm(f32::NAN)));
    nan(fails(|f| f.clip_norm(0.0)));
    nan(fails(|f| f.schedule(|_| f32::NAN)));
    nan(fails(|f| f.group(|p| p.name == "none", Rates::default())));
    nan(fails(|f| f.group(|_| true, Rates { lr: -1.0, decay: None })));
    assert!(matches!(fails(|f| f.sample_weights([1.0])), Error::SampleWeights { samples: 70, .. }));
    assert!(matches!(fails(|f| f.sample_weights(vec![f32::NAN; 70])), Error::SampleWeights { .. }));
    assert!(matches!(fails(|f| f.validation(1.5)), Error::Data(_)));
    assert!(matches!(
        fails(|f| f.split(Split { train: vec![0, 99], validation: vec![] })),
        Error::Split { .. }
    ));
    assert!(matches!(
        fails(|f| f.split(Split { train: vec![0, 1], validation: vec![1] })),
        Error::Split { .. }
    ));
    let said = fails(|f| f.loss(|_| Err::<(f32, Array2<f32>), _>("no such thing")));
    assert_eq!(said.to_string(), "loss: no such thing");
    // A loss that is no number ends the run, and never as finished.
    let run =
        Fit::new(&model(), &data).loss(|j| Ok::<_, Error>((f32::NAN, j.outputs.to_owned()))).run().unwrap();
    assert!(matches!(run.outcome.status, Status::NonFinite { epoch: 1, batch: 1 }));
    assert_eq!(values(&run), model().params().iter().flat_map(|p| p.values.clone()).collect::<Vec<_>>());
}

#[test]
fn a_learner_refuses_what_it_cannot_learn() {
    let model = model();
    let mut learner =
        Learner::with(&model, LearnerOptions { batch_size: 4, ..LearnerOptions::default() }).unwrap();
    let mean = |y: foveal_nn::ndarray::ArrayView2<f32>| ops::softmax_cross_entropy(y, &[0, 1], 0.0, None);
    let x = |n, h| Array4::<f32>::ones((n, h, 6, 1));
    assert!(learner.backward(x(2, 5).view(), mean).is_err());
    assert!(learner.backward(x(0, 6).view(), mean).is_err());
    assert!(learner.backward(x(5, 6).view(), mean).is_err());
    assert!(learner.backward(x(3, 6).view(), mean).unwrap_err().to_string().contains("labels"));
    let infinite = |y: foveal_nn::ndarray::ArrayView2<f32>| Ok::<_, Error>((f32::INFINITY, y.to_owned()));
    assert!(matches!(learner.backward(x(2, 6).view(), infinite), Err(Error::NotFiniteLoss { .. })));
    learner.step(0.1);
    assert_eq!((learner.steps(), learner.gradients().count()), (0, 0));
    learner.backward(x(2, 6).view(), mean).unwrap();
    assert_eq!(learner.gradients().count(), 6);
    assert_eq!(learner.set_rates(|p| p.name.ends_with("bias"), Rates { lr: 0.0, decay: None }), 2);
    learner.step(0.1);
    let after = learner.model();
    assert_eq!(after.param("dense_1.bias"), model.param("dense_1.bias"));
    assert_ne!(after.param("dense_1.weights"), model.param("dense_1.weights"));
    assert!(learner.predict(x(9, 6).view()).unwrap().iter().all(|v| v.is_finite()));
    assert!(learner.predict(x(9, 7).view()).is_err());
    assert!(Learner::with(&model, LearnerOptions { batch_size: 0, ..LearnerOptions::default() }).is_err());
}
