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
