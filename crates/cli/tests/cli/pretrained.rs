//! The built-in network that has learnt from photographs.

use crate::harness::Bench;

/// A picture made by whole numbers, as crates/backbone/reference.py makes it.
fn made(k: usize) -> impl Iterator<Item = f32> {
    let at = |i: usize| (i / (3 * 224), i / 3 % 224, i % 3);
    (0..224 * 224 * 3).map(at).map(move |(y, x, c)| {
        let v = x * (k + 1) + y * (3 - c) + ((x * y) >> (4 + k));
        (v & 255) as f32
    })
}

/// One picture alone goes through the engine with channels side by side, many with pictures side by side.
#[test]
fn its_answers_are_pytorchs() {
    let answers: Vec<Vec<f64>> =
        serde_json::from_str(include_str!("../../../backbone/tests/answers.json")).unwrap();
    let bench = Bench::new();
    let all: Vec<f32> = (0..3).flat_map(made).collect();
    bench.array("one.npy", &[224, 224, 3], made(0));
    bench.array("many.npy", &[12, 224, 224, 3], all.iter().cycle().take(12 * all.len() / 3).copied());
    for (file, count) in [("one.npy", 1), ("many.npy", 12)] {
        let found = bench.run(&format!("predict imagenet {file} --json")).good().json();
        let found = found["predictions"].as_array().unwrap();
        assert_eq!(found.len(), count);
        for (i, picture) in found.iter().enumerate() {
            let probabilities = picture["probabilities"].as_array().unwrap();
            assert_eq!(probabilities.len(), 1000);
            for (found, wanted) in probabilities.iter().zip(&answers[i % 3]) {
                let found = found.as_f64().unwrap().ln();
                assert!(
                    (found - wanted).abs() < 1e-4 * (1.0 + wanted.abs()),
                    "{file} {i}: {found}, {wanted}"
                );
            }
        }
    }
}

#[test]
fn it_is_a_model_like_others() {
    let bench = Bench::new();
    bench.array("one.npy", &[224, 224, 3], made(1));
    let two = bench.run("predict pretrained one.npy --top 2").good().stdout;
    assert_eq!(two.lines().count(), 3, "{two}");
    assert_eq!(bench.run("predict imagenet one.npy --top 2").good().stdout, two);
    bench.run("predict imagenet one.npy --top 0").told().contains("--top").then_some(()).unwrap();
    assert!(bench.run("summary efficientnet-lite0").good().stdout.contains("4,652,008"), "parameters");
    assert!(bench.run("show imagenet one.npy --layer top_conv").good().stdout.contains("Grad-CAM"));
}
