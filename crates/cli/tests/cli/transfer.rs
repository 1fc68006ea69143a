//! `train --from` and `--freeze`.

use crate::harness::Bench;
use crate::training::trained;
use foveal::nn::Model;
use foveal::train::{Preprocess, SavedModel};
use insta::assert_snapshot;

/// A bench with a trained run in `run`, and in `other` its data with classes 1 to 3.
fn bench() -> Bench {
    let bench = trained();
    for part in ["train", "t10k"] {
        let images = std::fs::read(bench.path(&format!("set/{part}-images-idx3-ubyte"))).unwrap();
        let mut labels = std::fs::read(bench.path(&format!("set/{part}-labels-idx1-ubyte"))).unwrap();
        labels[8..].iter_mut().for_each(|label| *label += 1);
        bench.file(&format!("other/{part}-images-idx3-ubyte"), images);
        bench.file(&format!("other/{part}-labels-idx1-ubyte"), labels);
    }
    bench
}

fn saved(bench: &Bench, folder: &str) -> SavedModel {
    let bytes = std::fs::read(bench.path(&format!("{folder}/model.safetensors"))).unwrap();
    SavedModel::from_bytes(&bytes, folder).unwrap()
}

fn bits(model: &Model, name: &str) -> Vec<u32> {
    model.param(name).unwrap().values.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn a_run_begins_with_another_ones_weights() {
    let bench = bench();
    let before = saved(&bench, "run");
    let train = "train other --from run --freeze all-but-head --epochs 3 --batch-size 20";
    assert_snapshot!("from", bench.run(&format!("{train} --out new")).good().shape());
    assert_snapshot!(
        "from_korean",
        bench.run(&format!("{train} --out new --overwrite --lang ko")).good().shape()
    );
    let after = saved(&bench, "new");
    assert_eq!(after.classes, ["0", "1", "2", "3"]);
    let told = |saved: &SavedModel| Preprocess { told: Vec::new(), ..saved.preprocess.clone() };
    assert_eq!(told(&after), told(&before));
    assert_eq!(after.training.recipe.frozen, ["conv2d_1"]);
    for name in ["conv2d_1.filter", "conv2d_1.bias"] {
        assert_eq!(bits(&after.model, name), bits(&before.model, name), "{name}");
    }
    let config = std::fs::read_to_string(bench.path("new/config.toml")).unwrap();
    assert!(config.contains("from = \"run\"") && config.contains("frozen = [\"conv2d_1\"]"), "{config}");
    // With the same classes the head stays, and the model is good from the start.
    let told = bench.run("train set --from run/model.safetensors --epochs 1 --lr 0.000001 --out same").good();
    assert!(told.stderr.contains("all weights taken over\n"), "{}", told.told());
    assert_eq!(saved(&bench, "same").model.outputs(), 3);
    // The same from an ONNX file.
    bench.run("export run run.onnx").good();
    bench.run("train other --from run.onnx --freeze 3 --epochs 1 --out onnx").good();
    assert_eq!(bits(&saved(&bench, "onnx").model, "conv2d_1.filter"), bits(&before.model, "conv2d_1.filter"));
}

#[test]
fn a_transfer_that_was_stopped_goes_on() {
    let bench = bench();
    let train = "train other --from run --freeze conv2d_1 --epochs 4 --batch-size 20 --no-report -q";
    bench.run(&format!("{train} --out whole")).good();
    std::fs::create_dir(bench.path("again")).unwrap();
    for file in ["checkpoint.safetensors", "config.toml"] {
        std::fs::copy(bench.path("whole").join(file), bench.path("again").join(file)).unwrap();
    }
    bench.run(&format!("{train} --out again --resume")).good();
    let bytes = |folder: &str| std::fs::read(bench.path(&format!("{folder}/model.safetensors"))).unwrap();
    assert!(bytes("whole") == bytes("again"));
    let other = train.replace("--freeze conv2d_1", "");
    bench.run(&format!("{other} --out again --resume")).refused(&["another run", "frozen"]);
}

#[test]
fn what_cannot_be_begun_with_is_refused() {
    let bench = bench();
    for (rest, word) in [
        ("--from run --freeze conv2d_9", "conv2d_9"),
        ("--from run --freeze 40", "40 layers"),
        ("--from run --freeze dense_1", "dense_1"),
        ("--from run --out run", "written over"),
        ("--from nothing", "nothing"),
        ("--from fast", "built-in"),
        ("--from set/train-labels-idx1-ubyte", "train-labels"),
    ] {
        bench.run(&format!("train other -q {rest}")).refused(&[word]);
    }
    let both = bench.run("train other --from run --model net.toml");
    assert_eq!(both.code, Some(2), "{}", both.told());
    assert!(!bench.path("runs").exists());
}
