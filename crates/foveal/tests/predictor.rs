//! What a predictor says is what the saved model says, from any thread, and hostile files and questions are refused.

use foveal::data::{Dataset, Samples, Targets};
use foveal::infer::{Error, Pixels};
use foveal::nn::{Model, Sequential, builtin};
use foveal::train::{PictureFit, Preprocess, SavedModel, Training, predict, probabilities};
use foveal::{Predictor, train};
use std::sync::Arc;

fn saved() -> SavedModel {
    SavedModel {
        model: Model::new(&builtin::spec("lab-11-1").unwrap(), 5).unwrap(),
        preprocess: Preprocess::unit(1, PictureFit::Digit),
        classes: (0..10).map(|c| c.to_string()).collect(),
        training: Training::default(),
    }
}

fn pixels(n: usize) -> Vec<u8> {
    (0..n * 784).map(|i| (i * 31 % 251) as u8).collect()
}

fn shared<T: Send + Sync + Clone + std::fmt::Debug>(_: &T) {}

#[test]
fn answers_are_those_of_the_saved_model() {
    let (saved, pixels) = (saved(), pixels(40));
    let predictor = Predictor::from_bytes(&saved.to_bytes().unwrap(), "model.safetensors").unwrap();
    shared(&predictor);
    shared(&saved);
    shared(&saved.model);
    let targets = Targets::Values { values: vec![0.0; 40], names: vec!["none".into()] };
    let data = Dataset::new("digits", [28, 28, 1], Samples::U8(pixels.clone()), targets).unwrap();
    shared(&data);
    let want = predict(&saved.model, &saved.preprocess, &data, None, 1).unwrap();
    let image = |i: usize| Pixels::U8(&pixels[i * 784..(i + 1) * 784]);
    for predictor in [&predictor, &predictor.clone(), &saved.predictor(2).unwrap()] {
        assert_eq!(predictor.outputs(40, image), want);
        let batch = predictor.predict_batch(&pixels).unwrap();
        assert_eq!(batch.as_slice().unwrap(), probabilities(&saved.model, &want));
        assert_eq!(predictor.outputs_each(40, image)[..20], predictor.outputs(2, image)[..]);
        let one = predictor.predict(&pixels[..784]).unwrap();
        assert_eq!(one, probabilities(&saved.model, &predictor.outputs(1, image)));
        assert!((one.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let numbers: Vec<f32> = pixels[..784].iter().map(|&v| f32::from(v)).collect();
        assert_eq!(predictor.predict(&numbers).unwrap(), one);
        let array = foveal::ndarray::Array4::from_shape_vec((1, 28, 28, 1), numbers).unwrap();
        assert_eq!(predictor.predict_array(array.view()).unwrap().as_slice().unwrap(), one);
        let answer = predictor.classify(&pixels[..784]).unwrap();
        assert_eq!((answer.class, answer.probability), (&saved.classes[answer.index][..], one[answer.index]));
    }
}

#[test]
fn values_of_any_magnitude_have_all_their_digits() {
    let mut saved = saved();
    saved.model = Sequential::new([1, 2, 1]).flatten().build(0).unwrap();
    saved.classes.clear();
    saved.preprocess = Preprocess { origin: vec![1e9, -3.0], ..Preprocess::numbers(1) };
    let sample = [3.5f32, 0.25];
    let file = Predictor::from_bytes(&saved.to_bytes().unwrap(), "large").unwrap();
    for predictor in [&file, &file.clone(), &saved.predictor(1).unwrap()] {
        assert_eq!(predictor.values(&sample[..]).unwrap(), [1e9 + 3.5, -2.75]);
        // No 32-bit float is near enough.
        assert_eq!(predictor.predict(&sample[..]).unwrap_err(), Error::Digits);
        assert_eq!(predictor.predict_batch(&sample[..]).unwrap_err(), Error::Digits);
    }
    assert!(matches!(file.values(&sample[..1]), Err(Error::Sample { .. })));
    saved.preprocess.origin = vec![1e9];
    assert!(matches!(saved.predictor(1), Err(train::Error::Predictor(Error::Inconsistent { .. }))));
    saved.preprocess.origin.clear();
    assert_eq!(saved.predictor(1).unwrap().values(&sample[..]).unwrap(), [3.5, 0.25]);
}

#[test]
fn threads_share_one_predictor() {
    let predictor = Arc::new(saved().predictor(1).unwrap());
    let pixels = Arc::new(pixels(8));
    let want = predictor.predict(&pixels[..784]).unwrap();
    let threads: Vec<_> = (0..6)
        .map(|_| {
            let (predictor, pixels, want) = (Arc::clone(&predictor), Arc::clone(&pixels), want.clone());
            std::thread::spawn(move || {
                (0..50).for_each(|_| assert_eq!(predictor.predict(&pixels[..784]).unwrap(), want));
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let predictor = saved().predictor(1).unwrap();
    assert!(matches!(predictor.predict(&[0u8; 3][..]), Err(Error::Sample { found: 3, .. })));
    assert!(matches!(predictor.predict_batch(&[0f32; 785][..]), Err(Error::Sample { .. })));
    assert!(matches!(predictor.predict_into(&[0u8; 784][..], &mut [0.0; 9]), Err(Error::Outputs { .. })));
    assert_eq!(predictor.predict_batch(&[0u8; 0][..]).unwrap().dim(), (0, 10));
    let values = Sequential::new([1, 1, 1]).flatten().dense(1).build(0).unwrap();
    let values = Predictor::builder(&values).build().unwrap();
    assert!(matches!(values.classify(&[1.0f32][..]), Err(Error::NoClasses)));
    let net = Sequential::new([1, 1, 1]).flatten().dense(2).build(0).unwrap();
    assert!(matches!(Predictor::builder(&net).classes(["a"]).build(), Err(Error::Inconsistent { .. })));
    assert!(matches!(Predictor::builder(&net).scaled([], []).build(), Err(Error::Model(_))));
    let maps = Sequential::new([4, 4, 1]).conv2d(2, 3).build(0).unwrap();
    assert!(matches!(Predictor::builder(&maps).build(), Err(Error::Model(_))));
}

#[test]
fn broken_files_are_errors() {
    let whole = saved().to_bytes().unwrap();
    for cut in [0, 1, 7, 8, 9, 100, whole.len() / 2, whole.len() - 1] {
        assert!(matches!(Predictor::from_bytes(&whole[..cut], "f"), Err(Error::NotWhole { .. })), "{cut}");
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert!(matches!(Predictor::from_bytes(&longer, "f"), Err(Error::NotWhole { .. })));
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    // Every byte of the header changed in turn: an error, or a model that answers.
    for at in (0..8 + length).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x15;
        let both = (Predictor::from_bytes(&bytes, "f"), train::SavedModel::from_bytes(&bytes, "f"));
        if let (Ok(predictor), Ok(_)) = &both {
            predictor.predict(&[0u8; 784][..]).ok();
        }
    }
    let text = String::from_utf8(whole[8..8 + length].to_vec()).unwrap();
    let renamed = text.replacen("foveal", "others", 1);
    let mut bytes = whole.clone();
    bytes[8..8 + length].copy_from_slice(renamed.as_bytes());
    assert!(matches!(Predictor::from_bytes(&bytes, "f"), Err(Error::Foreign { .. })));
}
