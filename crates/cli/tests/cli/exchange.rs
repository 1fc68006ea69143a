//! `export` and `import`.

use crate::training::trained;
use insta::assert_snapshot;

#[test]
fn a_model_goes_out_and_comes_back() {
    let bench = trained();
    let told = bench.run("export run model.onnx").good();
    assert_snapshot!("export", told.told());
    assert_snapshot!(
        "import_korean",
        bench.run("import model.onnx back.safetensors --lang ko").good().told()
    );
    let json = bench.run("import model.onnx back.safetensors --json").good().json();
    assert_eq!(json["classes"], serde_json::json!(["0", "1", "2"]));
    assert_eq!((&json["outputs"], &json["parameters"]), (&3.into(), &(6 * 9 + 6 + 96 * 3 + 3).into()));
    let accuracy =
        |model: &str| bench.run(&format!("eval {model} set --json")).good().json()["accuracy"].clone();
    assert_eq!(accuracy("run"), accuracy("back.safetensors"));
    bench.run("import model.onnx named.safetensors --classes 가,나,다").good();
    let shown = bench.run("export named.safetensors named.onnx --json").good().json();
    assert_eq!(shown["classes"], serde_json::json!(["가", "나", "다"]));
    // The same model gives the same bytes.
    bench.run("export run again.onnx").good();
    let bytes = |name: &str| std::fs::read(bench.path(name)).unwrap();
    assert!(bytes("model.onnx") == bytes("again.onnx"));
}

#[test]
fn what_cannot_be_exchanged_is_refused() {
    let bench = trained();
    bench.run("export run model.onnx").good();
    let whole = std::fs::read(bench.path("model.onnx")).unwrap();
    bench.file("cut.onnx", &whole[..whole.len() / 2]);
    bench.file("empty.onnx", "");
    let mut told = String::new();
    for (command, word) in [
        ("export nothing model.onnx", "nothing"),
        ("export fast model.onnx", "fast"),
        ("export run no/such/folder/model.onnx", "no/such"),
        ("import cut.onnx out.safetensors", "cut.onnx"),
        ("import empty.onnx out.safetensors", "empty.onnx"),
        ("import net.toml out.safetensors", "net.toml"),
        ("import nothing.onnx out.safetensors", "nothing.onnx"),
        ("import model.onnx out.safetensors --classes a,b", "2 classes"),
    ] {
        told += &bench.run(command).refused(&[word]).stderr;
    }
    assert_snapshot!("bad_exchanges", told);
    assert!(!bench.path("out.safetensors").exists());
}

/// A graph that takes pixels as they are: the preprocessing of a trained model is taken out of it.
fn bare(bench: &crate::harness::Bench) {
    use foveal::train::{PictureFit, Preprocess, SavedModel};
    let toml = "input.shape = [8, 8, 3]\nlayer = [{ kind = \"conv2d\", filters = 4, kernel = [3, 3] }, \
                { kind = \"relu\" }, { kind = \"global_avg_pool\" }, { kind = \"dense\", units = 2 }]";
    let spec = foveal::nn::ModelSpec::from_toml(toml).unwrap();
    let model = foveal::nn::Model::new(&spec, 5).unwrap();
    let mut preprocess = Preprocess::unit(3, PictureFit::Resize);
    preprocess.scale.fill(1.0);
    let saved =
        SavedModel { model, preprocess, classes: Vec::new(), training: foveal::train::Training::default() };
    bench.file("bare.onnx", foveal::onnx::export(&saved).unwrap());
    bench.file("bare.safetensors", saved.to_bytes().unwrap());
}

#[test]
fn how_pixels_are_prepared_travels_with_an_imported_model() {
    let bench = crate::harness::Bench::new();
    bare(&bench);
    let sample: Vec<f32> = (0..192).map(|i| ((i * 37) % 256) as f32).collect();
    bench.array("x.npy", &[8, 8, 3], sample.iter().copied());
    let values = |model: &str, x: &str| -> Vec<f64> {
        let json = bench.run(&format!("predict {model} {x} --json")).good().json();
        json["predictions"][0]["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    };
    let close = |a: &[f64], b: &[f64], what: &str| {
        assert!(
            a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-4 * b.abs().max(1.0)),
            "{what}: {a:?} {b:?}"
        );
    };
    let (mean, std) = ([0.485f32, 0.456, 0.406], [0.229f32, 0.224, 0.225]);
    let caffe = [103.9f32, 116.8, 123.7];
    type Prepared = Box<dyn Fn(usize, &[f32]) -> f32>;
    let cases: [(&str, Prepared); 5] = [
        ("--preprocess unit", Box::new(|i, p| p[i] / 255.0)),
        ("--preprocess signed", Box::new(|i, p| p[i] / 127.5 - 1.0)),
        ("--preprocess imagenet", Box::new(move |i, p| (p[i] / 255.0 - mean[i]) / std[i])),
        ("--mean 0.5 --std 0.25,0.5,0.125", Box::new(|i, p| (p[i] / 255.0 - 0.5) / [0.25, 0.5, 0.125][i])),
        ("--scale 1 --mean 103.9,116.8,123.7 --bgr", Box::new(move |i, p| p[2 - i] - caffe[i])),
    ];
    for (options, prepared) in cases {
        let told = bench.run(&format!("import bare.onnx m.safetensors {options}")).good();
        assert!(!told.stderr.contains("pixels go in raw"), "{}", told.told());
        let ready = sample.chunks(3).flat_map(|p| (0..3).map(|i| prepared(i, p)).collect::<Vec<_>>());
        bench.array("ready.npy", &[8, 8, 3], ready);
        let want = values("bare.safetensors", "ready.npy");
        close(&values("m.safetensors", "x.npy"), &want, options);
        bench.run("export m.safetensors again.onnx").good();
        bench.run("import again.onnx again.safetensors").good();
        close(&values("again.safetensors", "x.npy"), &want, options);
    }
    let told = bench.run("import bare.onnx m.safetensors").good();
    assert!(told.stderr.contains("pixels go in raw, 0 to 255"), "{}", told.told());
    let korean = bench.run("import bare.onnx m.safetensors --lang ko").good().stderr;
    assert!(korean.contains("0~255"), "{korean}");
    for (options, words) in [
        ("--mean 103.9", "--scale 1"),
        ("--mean 0.1,0.2", "3 channels"),
        ("--std 0", "--std"),
        ("--classes @none.txt", "none.txt"),
    ] {
        bench.run(&format!("import bare.onnx n.safetensors {options}")).refused(&[words]);
    }
    bench.file("names.txt", "고양이\ndog, wild\n");
    let json = bench.run("import bare.onnx m.safetensors --classes @names.txt --json -q").good().json();
    assert_eq!(json["classes"], serde_json::json!(["고양이", "dog, wild"]));
    let json = bench.run("import bare.onnx m.safetensors --softmax --json -q").good().json();
    assert_eq!(json["classes"], serde_json::json!(["0", "1"]));
    let likely = bench.run("predict m.safetensors x.npy --json").good().json();
    let sum: f64 = likely["predictions"][0]["probabilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p.as_f64().unwrap())
        .sum();
    assert!((sum - 1.0).abs() < 1e-6, "{likely}");
}
