//! Data sets: what is accepted, what is reported, how they are split and shuffled.

use std::collections::BTreeSet;

use foveal_data::shuffle::epoch_order;
use foveal_data::{Dataset, Error, Fault, Sample, Samples, Split, Targets, TrainTest, duplicates_between};
use proptest::prelude::*;

fn classes(labels: &[u32], names: usize) -> Targets {
    Targets::Classes { labels: labels.to_vec(), names: (0..names).map(|i| i.to_string()).collect() }
}

fn bytes(name: &str, pixels: &[u8], labels: &[u32]) -> Dataset {
    Dataset::new(name, [1, 2, 1], Samples::U8(pixels.to_vec()), classes(labels, 3)).unwrap()
}

#[test]
fn lengths_and_labels_are_checked() {
    let new = |shape, len, targets| Dataset::new("s", shape, Samples::U8(vec![0; len]), targets);
    assert!(new([1, 2, 1], 4, classes(&[0, 2], 3)).is_ok());
    assert!(new([1, 2, 1], 0, classes(&[], 1)).unwrap().is_empty());
    assert!(matches!(new([1, 2, 1], 5, classes(&[0, 2], 3)), Err(Error::Mismatch { .. })));
    let expected = Error::Label { name: "s".into(), index: 1, label: 3, classes: 3 };
    assert_eq!(new([1, 2, 1], 4, classes(&[0, 3], 3)), Err(expected));
    for shape in [[0, 2, 1], [usize::MAX, 2, 1]] {
        assert!(matches!(new(shape, 4, classes(&[0], 1)), Err(Error::Argument { .. })));
    }
    assert!(matches!(new([1, 1, 1], 0, classes(&[], 0)), Err(Error::Argument { .. })));
    let values = |n| Targets::Values { values: vec![0.5; n], names: vec!["a".into(), "b".into()] };
    let set = new([1, 1, 1], 2, values(4)).unwrap();
    assert_eq!(set.values(1), Some(&[0.5, 0.5][..]));
    assert_eq!((set.values(2), set.label(0), set.classes()), (None, None, None));
    assert!(matches!(new([1, 1, 1], 2, values(3)), Err(Error::Mismatch { .. })));
}

#[test]
fn samples_are_reached_by_index() {
    let set = bytes("s", &[1, 2, 3, 4], &[0, 2]);
    assert_eq!(set.sample(1), Sample::U8(vec![3, 4].into()));
    assert_eq!((set.label(1), set.label(2)), (Some(2), None));
    assert_eq!(set.class_counts(), [1, 0, 1]);
}

#[test]
fn a_report_counts_what_is_wrong() {
    let set = bytes("s", &[0, 255, 9, 9, 0, 255, 0, 255], &[0, 1, 0, 1]);
    let report = set.check();
    assert_eq!(report.class_counts, [2, 2, 0]);
    assert_eq!(
        report.faults,
        [
            Fault::EmptyClass { class: "2".into() },
            Fault::Blank { samples: vec![1] },
            Fault::Duplicates { pairs: vec![[0, 2], [0, 3]] },
            Fault::Contradictions { pairs: vec![[0, 3]] },
        ]
    );
    let mean = (3.0 + 18.0 / 255.0) / 8.0;
    assert!((report.mean - mean).abs() < 1e-12);
    let variance = (3.0 + 2.0 * (9.0f64 / 255.0).powi(2)) / 8.0 - mean * mean;
    assert!((report.std - variance.sqrt()).abs() < 1e-12);
}

#[test]
fn numbers_that_are_not_finite_are_reported() {
    let pixels = Samples::F32(vec![1.0, 3.0, f32::NAN, 2.0]);
    let set = Dataset::new("s", [1, 2, 1], pixels, classes(&[0, 0], 1)).unwrap();
    let report = set.check();
    assert_eq!(report.faults, [Fault::NotFinite { samples: vec![1] }]);
    assert_eq!(report.mean, 2.0);
}

#[test]
fn shared_samples_are_found() {
    let a = bytes("a", &[1, 2, 3, 4, 5, 6], &[0, 0, 0]);
    let b = bytes("b", &[5, 6, 6, 5, 5, 6, 1, 2], &[0, 1, 2, 0]);
    assert_eq!(duplicates_between(&a, &b), 3);
    assert_eq!(duplicates_between(&b, &a), 2);
}

#[test]
fn the_parts_of_a_source_agree() {
    let train = bytes("s", &[1, 2], &[0]);
    assert!(TrainTest::new(train.clone(), Some(train.clone())).is_ok());
    let other = Dataset::new("s", [1, 2, 1], Samples::U8(vec![1, 2]), classes(&[0], 2));
    let error = TrainTest::new(train.clone(), Some(other.unwrap())).unwrap_err();
    assert!(error.to_string().contains("2 classes"), "{error}");
    let turned = Dataset::new("s", [2, 1, 1], Samples::U8(vec![1, 2]), classes(&[0], 3));
    assert!(TrainTest::new(train, Some(turned.unwrap())).is_err());
}

#[test]
fn splits_check_their_arguments() {
    assert!(Split::first(10, 10).is_err());
    assert!(Split::first(10, 11).is_err());
    assert!(Split::first(0, 0).is_ok());
    assert!(Split::first(1 << 40, 1).is_err());
    for fraction in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
        assert!(Split::random(10, None, fraction, 0).is_err());
    }
    assert!(Split::random(10, Some(&[0; 9]), 0.5, 0).is_err());
}

#[test]
fn the_order_is_the_same_on_every_machine() {
    let indices: Vec<u32> = (0..10).collect();
    assert_eq!(epoch_order(&indices, 0, 0), ORDER_0_0);
    assert_eq!(epoch_order(&indices, 0, 1), ORDER_0_1);
    assert_eq!(epoch_order(&indices, 1, 0), ORDER_1_0);
}

/// From a second implementation, in Python, of PCG-32 and the shuffle.
const ORDER_0_0: [u32; 10] = [5, 8, 7, 3, 1, 4, 0, 2, 6, 9];
const ORDER_0_1: [u32; 10] = [7, 2, 5, 6, 8, 3, 1, 4, 0, 9];
const ORDER_1_0: [u32; 10] = [6, 2, 7, 8, 5, 3, 9, 4, 1, 0];

#[test]
fn every_permutation_is_equally_likely() {
    let mut counts = std::collections::BTreeMap::new();
    for epoch in 0..24_000 {
        *counts.entry(epoch_order(&[0, 1, 2, 3], 5, epoch)).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 24);
    // Chi-squared with 23 degrees of freedom: 49.7 at one in a thousand.
    let chi: f64 = counts.values().map(|&c| f64::from(c - 1000).powi(2) / 1000.0).sum();
    assert!(chi < 49.7, "{chi}");
}

proptest! {
    #[test]
    fn a_random_split_is_a_stratified_partition(
        labels in prop::collection::vec(0u32..5, 0..200),
        fraction in 0.0f64..1.0,
        seed in any::<u64>(),
    ) {
        let n = labels.len();
        let split = Split::random(n, Some(&labels), fraction, seed).unwrap();
        prop_assert_eq!(&split, &Split::random(n, Some(&labels), fraction, seed).unwrap());
        let all: BTreeSet<u32> = split.train.iter().chain(&split.validation).copied().collect();
        prop_assert_eq!(all.len(), n);
        prop_assert_eq!(split.train.len() + split.validation.len(), n);
        for class in 0..5 {
            let of = |part: &[u32]| part.iter().filter(|&&i| labels[i as usize] == class).count();
            let (train, validation) = (of(&split.train), of(&split.validation));
            let exact = fraction * (train + validation) as f64;
            prop_assert!((validation as f64 - exact).abs() <= 1.0 + 1e-9);
            prop_assert!(train > 0 || validation == 0);
        }
    }

    #[test]
    fn an_epoch_sees_every_sample_once(n in 0u32..300, seed in any::<u64>(), epoch in any::<u64>()) {
        let indices: Vec<u32> = (0..n).map(|i| i * 3).collect();
        let mut order = epoch_order(&indices, seed, epoch);
        order.sort_unstable();
        prop_assert_eq!(order, indices);
    }
}
