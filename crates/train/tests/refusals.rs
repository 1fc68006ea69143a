//! What promises a `Result` never panics: bad indices, splits, scales and parameters are errors, each told apart.

use foveal_data::{Dataset, Split};
use foveal_nn::ndarray::Array4;
use foveal_nn::{Model, Sequential};
use foveal_train::{
    Error, Fit, Moments, PictureFit, Preprocess, Recipe, SavedModel, Status, Temperature, Training, evaluate,
    judge, predict, transfer,
};

fn data() -> Dataset {
    Dataset::from_samples([2, 2, 1], (0..12u8).map(|i| (vec![20 * i; 4], u32::from(i > 5)))).unwrap()
}

fn model() -> Model {
    Sequential::new([2, 2, 1]).flatten().dense(2).build(0).unwrap()
}

fn saved(model: Model) -> SavedModel {
    let preprocess = Preprocess::unit(1, PictureFit::Resize);
    SavedModel { model, preprocess, classes: vec!["a".into(), "b".into()], training: Training::default() }
}

#[test]
fn indices_outside_are_refused() {
    let (data, model, preprocess) = (data(), model(), Preprocess::unit(1, PictureFit::Resize));
    for bad in [&[12][..], &[0, u32::MAX]] {
        let outside = |error: Error| assert!(matches!(error, Error::Split { samples: 12, .. }), "{error}");
        outside(predict(&model, &preprocess, &data, Some(bad), 1).unwrap_err());
        outside(evaluate(&model, &preprocess, &data, Some(bad), 1).unwrap_err());
        outside(judge(&model, &data, Some(bad), &vec![0.0; 2 * bad.len()]).unwrap_err());
        outside(Temperature::fit(&model, &data, bad, &vec![0.0; 2 * bad.len()]).unwrap_err());
        outside(Moments::of(&data, bad).unwrap_err());
        outside(preprocess.clone().standardized(&data, bad).unwrap_err());
        outside(transfer(&saved(model.clone()), &data, bad, &[], 0).unwrap_err());
        let split = Split { train: bad.to_vec(), validation: vec![] };
        outside(Fit::new(&model, &data).split(split).run().unwrap_err());
    }
}

#[test]
fn scales_of_other_channels_are_refused() {
    let (data, model) = (data(), model());
    for count in [0, 2] {
        let preprocess = Preprocess { scale: vec![1.0; count], ..Preprocess::unit(1, PictureFit::Resize) };
        assert!(matches!(predict(&model, &preprocess, &data, None, 1), Err(Error::Model(_))));
        assert!(matches!(Fit::new(&model, &data).preprocess(preprocess.clone()).run(), Err(Error::Model(_))));
        let saved = SavedModel { preprocess, ..saved(model.clone()) };
        assert!(saved.predictor(1).is_err());
        assert!(SavedModel::from_bytes(&saved.to_bytes().unwrap(), "f").is_err());
    }
}

#[test]
fn emptied_parameters_are_refused() {
    let data = data();
    for count in [0, 3, 9] {
        let mut model = model();
        model.params_mut()[0].values.resize(count, 0.0);
        let preprocess = Preprocess::unit(1, PictureFit::Resize);
        let x = Array4::zeros((1, 2, 2, 1));
        assert!(model.predict(x.view()).is_err());
        assert!(model.gradients(&[x.clone(), x.clone(), x.clone()], x.view()).is_err());
        assert!(predict(&model, &preprocess, &data, None, 1).is_err());
        assert!(Fit::new(&model, &data).run().is_err());
        assert!(saved(model.clone()).predictor(1).is_err());
        assert!(saved(model).to_bytes().is_err());
    }
}

#[test]
fn a_model_that_is_not_finite_is_never_finished() {
    let data = data();
    for bad in [f32::NAN, f32::INFINITY] {
        let mut broken = model();
        broken.params_mut()[0].values[1] = bad;
        let trained =
            Fit::new(&broken, &data).recipe(Recipe { epochs: 1, ..Recipe::default() }).run().unwrap();
        assert!(matches!(trained.outcome.status, Status::NonFinite { .. }));
    }
    // Weights that are fine in the units of the training and too large in the data's own.
    let huge = (0..8).map(|i| if i % 2 == 0 { 3e38f64 } else { -3e38 }).collect::<Vec<f64>>();
    let x = Array4::from_shape_fn((8, 1, 1, 1), |(n, ..)| 1e-3 * (n % 2) as f32);
    let data = Dataset::from_arrays(x, huge).unwrap();
    let model = Sequential::new([1, 1, 1]).flatten().dense(1).build(0).unwrap();
    let loss = foveal_nn::loss::Loss::MeanSquared;
    let recipe = Recipe { epochs: 200, lr: 1.0, loss, keep_best: false, ..Recipe::default() };
    let outcome = Fit::new(&model, &data).recipe(recipe).validation(0.0).run().unwrap().outcome;
    let whole = outcome.model.params().iter().all(|p| p.values.iter().all(|v| v.is_finite()));
    assert!(whole || matches!(outcome.status, Status::NonFinite { .. }), "{:?}", outcome.status);
}
