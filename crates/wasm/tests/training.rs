//! Training in the page: it learns, its files are the model, and no plan breaks it.

use foveal::data::Picture;
use foveal_wasm::network::Network;
use foveal_wasm::training::{Plan, Progress, Training};

const PLAN: Plan = Plan { epochs: 2, lr: 0.01, held: 200, seed: 1 };

fn digits(n: usize) -> (Vec<u8>, Vec<u8>) {
    (foveal_mnist::test_images()[..784 * n].to_vec(), foveal_mnist::test_labels()[..n].to_vec())
}

#[test]
fn it_learns_and_its_files_are_the_model() {
    let (pixels, labels) = digits(2000);
    let mut training = Training::begin(pixels.clone(), &labels, PLAN).unwrap();
    let before = training.held_out().unwrap();
    assert_eq!((before.digits, before.confusion.len()), (200, 100));
    assert_eq!((training.per_epoch(), training.total()), (19, 38));
    let first = training.parameter("conv2d_1.filter");
    let mut done = 0;
    while let Progress::Step { loss, accuracy, lr, done: now, .. } = training.advance().unwrap() {
        done += 1;
        assert_eq!(now, done);
        assert!(loss.is_finite() && (0.0..=1.0).contains(&accuracy) && lr >= 0.0);
        if done == 10 {
            assert!(!training.set_rate(0.0) && !training.set_rate(f32::NAN) && training.set_rate(0.02));
        }
    }
    assert_eq!(done, 38);
    assert!(matches!(training.advance().unwrap(), Progress::Finished));
    assert_ne!(training.parameter("conv2d_1.filter"), first);
    assert!(training.parameter("no.such").is_empty());
    let after = training.held_out().unwrap();
    assert!(after.accuracy > 0.85 && after.loss < before.loss, "{}", after.accuracy);
    let all = training.judge_by(pixels.clone(), &labels).unwrap();
    assert_eq!(all.digits, 2000);
    // The file, opened in the network view, is right equally often.
    let saved = training.model();
    assert_eq!((saved.training.epochs, saved.training.validation_accuracy), (2, Some(after.accuracy)));
    let mut network = Network::new();
    network.open_bytes(&saved.to_bytes().unwrap(), "here").unwrap();
    let right = (0..2000).filter(|&i| {
        let numbers = pixels[i * 784..(i + 1) * 784].iter().map(|&v| f32::from(v)).collect();
        network.look(&Picture::new(28, 28, 1, numbers).unwrap()).unwrap().best == usize::from(labels[i])
    });
    assert_eq!(right.count(), (all.accuracy * 2000.0).round() as usize);
    let onnx = foveal::onnx::export(&saved).unwrap();
    let back = foveal::onnx::import(&onnx, "back").unwrap();
    assert_eq!(back.model.outputs(), 10);
}

#[test]
fn plans_and_digits_that_do_not_fit_are_refused() {
    let (pixels, labels) = digits(300);
    let with = |plan: Plan| Training::begin(pixels.clone(), &labels, plan).is_err();
    assert!(
        with(Plan { epochs: 0, ..PLAN })
            && with(Plan { lr: -1.0, ..PLAN })
            && with(Plan { held: 300, ..PLAN })
    );
    assert!(Training::begin(pixels[1..].to_vec(), &labels, PLAN).is_err());
    assert!(Training::begin(pixels.clone(), &vec![10; 300], PLAN).is_err());
    assert!(Training::begin(Vec::new(), &[], PLAN).is_err());
    let mut wild = Training::begin(pixels.clone(), &labels, Plan { lr: 1e30, ..PLAN }).unwrap();
    let ends = (0..4).map(|_| wild.advance().unwrap()).collect::<Vec<_>>();
    assert!(ends.iter().any(|p| matches!(p, Progress::Diverged { .. })), "{ends:?}");
    assert!(wild.judge_by(vec![0; 10], &[1]).is_err());
}
