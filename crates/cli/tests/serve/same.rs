//! The same pictures as a folder, a table and arrays of every scale: the same model, and the same answers wherever one
//! asks.

use crate::harness::Bench;
use crate::npz_file::{floats, npz};
use crate::program::Serving;
use image::{ImageBuffer, Rgb};
use serde_json::Value;

const N: usize = 600;
const SIDE: usize = 12;

/// Picture `i`: a bright square in one of three places, in a colour of its own, with noise; channels last.
fn picture(i: usize) -> Vec<u8> {
    let (class, at) = (i / 200, [(0, 0), (6, 6), (0, 6)][i / 200]);
    let noise = |k: usize| ((i * 432 + k).wrapping_mul(2_654_435_761) >> 9 & 63) as u8;
    let cell = |k: usize| {
        let (y, x, c) = (k / 3 / SIDE, k / 3 % SIDE, k % 3);
        let (dy, dx) = (i % 3, i / 3 % 3);
        let inside = (at.0 + dy..at.0 + dy + 4).contains(&y) && (at.1 + dx..at.1 + dx + 4).contains(&x);
        noise(k) + if inside && c != class { 150 } else { 60 }
    };
    (0..SIDE * SIDE * 3).map(cell).collect()
}

/// All data sets; their names, and the options that they need.
fn sets(bench: &Bench) -> Vec<(&'static str, &'static str)> {
    let mut table = String::from("file,label\n");
    for i in 0..N {
        let png = ImageBuffer::<Rgb<u8>, _>::from_raw(SIDE as u32, SIDE as u32, picture(i)).unwrap();
        let path = format!("folder/{}/{i:03}.png", i / 200);
        bench.file(&path, "");
        png.save(bench.path(&path)).unwrap();
        table += &format!("{path},{}\n", i / 200);
    }
    bench.file("table.csv", table);
    let raw: Vec<u8> = (0..N).flat_map(picture).collect();
    let labels: Vec<u8> = (0..N).map(|i| (i / 200) as u8).collect();
    let y = ("y", "|u1", vec![N], labels);
    let shape = vec![N, SIDE, SIDE, 3];
    let put = |name: &str, kind: &'static str, shape: &[usize], bytes: Vec<u8>| {
        npz(bench, name, &[("x", kind, shape.to_vec(), bytes), y.clone()]);
    };
    put("bytes.npz", "|u1", &shape, raw.clone());
    put("unit.npz", "<f4", &shape, floats(raw.iter().map(|&v| f32::from(v) / 255.0)));
    put("signed.npz", "<f4", &shape, floats(raw.iter().map(|&v| f32::from(v) / 127.5 - 1.0)));
    put("deep.npz", "<u2", &shape, raw.iter().flat_map(|&v| (u16::from(v) * 257).to_le_bytes()).collect());
    let plane = SIDE * SIDE;
    let first = (0..N * plane * 3).map(|k| raw[k / (3 * plane) * 3 * plane + k % plane * 3 + k / plane % 3]);
    put("first.npz", "|u1", &[N, 3, SIDE, SIDE], first.collect());
    vec![
        ("folder", ""),
        ("table.csv", ""),
        ("bytes.npz", ""),
        ("unit.npz", ""),
        ("signed.npz", ""),
        ("deep.npz", ""),
        ("first.npz", "--layout nchw"),
    ]
}

fn probabilities(answer: &Value) -> Vec<f64> {
    answer["probabilities"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect()
}

#[test]
fn six_hundred_pictures_in_every_form_are_one_model() {
    let bench = Bench::new();
    let sets = sets(&bench);
    let mut accuracies = Vec::new();
    for (name, options) in &sets {
        let run = format!("run-{}", name.split('.').next().unwrap());
        let train = format!("train {name} {options} --model stack --epochs 4 --no-report -q --out {run}");
        bench.run(&train).good();
        let judged = bench.run(&format!("eval {run} folder --json")).good().json();
        accuracies.push(judged["accuracy"].as_f64().unwrap());
        // What a picture is to predict, it is to the server, and as an array on the model's own scale.
        let serving = Serving::start(&bench, &format!("{run} --threads 1"));
        for i in [0, 250, 599] {
            let path = format!("folder/{}/{i:03}.png", i / 200);
            let said = bench.run(&format!("predict {run} {path} --json")).good().json();
            let served = serving.post("/predict", &std::fs::read(bench.path(&path)).unwrap()).json();
            let (a, b) = (probabilities(&said["predictions"][0]), probabilities(&served));
            assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4), "{name} {path}: {a:?} {b:?}");
        }
    }
    let least = accuracies.iter().copied().fold(1.0, f64::min);
    let most = accuracies.iter().copied().fold(0.0, f64::max);
    assert!(least >= 0.97 && most - least <= 0.005, "{accuracies:?}");
}
