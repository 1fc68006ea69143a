//! Models of CT and of texts; bodies of another kind than the model takes are refused.

use crate::harness::Bench;
use crate::pictures::digit;
use crate::program::{Serving, digits, save_with};
use foveal::data::text::{Tokens, Vocabulary};
use foveal::nn::ModelSpec;
use foveal::train::{PictureFit, Preprocess};
use serde_json::{Value, json};
use std::path::Path;

#[path = "../../../foveal/examples/ct_phantoms/dicom_file.rs"]
mod dicom_file;

use dicom_file::{DicomFile, Plane};

const CT: &str = r#"
input = { shape = [16, 16, 1] }
layer = [{ kind = "conv2d", filters = 3, kernel = [3, 3] }, { kind = "relu" }, { kind = "flatten" },
  { kind = "dense", units = 2 }]
"#;
const TEXTS: &str = r#"
input = { shape = [1, 8, 1] }
layer = [{ kind = "embedding", vocabulary = 20, size = 3 }, { kind = "conv2d", filters = 2, kernel = [1, 3] },
  { kind = "global_max_pool" }, { kind = "dense", units = 2 }]
"#;

/// A slice of 14 rows and 11 columns that are not square.
fn slice() -> Vec<u8> {
    let pixels: Vec<i16> = (0..14 * 11).map(|i| ((i * 37) % 1400 - 1000) as i16).collect();
    let plane = Plane {
        patient: "PID-77",
        name: "Doe^Jane",
        series: "1.2.826.4711",
        instance: 1,
        position: [0.0; 3],
        spacing: [1.0, 1.25],
        size: [14, 11],
    };
    DicomFile::slice(&plane, &pixels).bytes()
}

fn serving(bench: &Bench, options: &str) -> Serving {
    digits(bench, "digits", 3);
    let ct = Preprocess { window: Some([-600.0, 1500.0]), ..Preprocess::unit(1, PictureFit::Resize) };
    save_with(bench, "ct", &ModelSpec::from_toml(CT).unwrap(), ct);
    let vocabulary = Vocabulary::new(Tokens::Words, ["good film bad film good bad"], 20).unwrap();
    save_with(bench, "texts", &ModelSpec::from_toml(TEXTS).unwrap(), Preprocess::text(vocabulary));
    let models = "digits.safetensors ct.safetensors texts.safetensors";
    Serving::start(bench, &format!("{models} --threads 2 {options}"))
}

/// What `foveal predict` says.
fn predicted(bench: &Bench, model: &str, input: &str) -> Value {
    let mut command = bench.command(&format!("predict {model}.safetensors --json --threads 1"));
    let output = command.arg(input).output().unwrap();
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["predictions"][0].clone()
}

#[test]
fn slices_and_texts_are_answered_as_the_program_answers() {
    let bench = Bench::new();
    let serving = serving(&bench, "");
    bench.file("slice", slice());
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/dicom/CT_small.dcm");
    bench.file("real.dcm", std::fs::read(real).unwrap());
    for name in ["slice", "real.dcm"] {
        let body = std::fs::read(bench.path(name)).unwrap();
        let answer = serving.post("/predict?model=ct", &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let (json, wanted) = (answer.json(), predicted(&bench, "ct", name));
        assert_eq!(json["probabilities"], wanted["probabilities"], "{name}");
        assert_eq!(json["class"], wanted["class"]);
    }
    for text in ["A good film!", "\u{c88b}\u{c740} film, bad"] {
        let answer = serving.post("/predict?model=texts", text.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["probabilities"], predicted(&bench, "texts", text)["probabilities"]);
    }
    // The same numbers of tokens by the protocol.
    let infer = |token: f32| {
        let data = json!([2.0, 3.0, token, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let input = json!({"name": "tokens", "shape": [1, 1, 8, 1], "datatype": "FP32", "data": data});
        serving.post("/v2/models/texts/infer", &serde_json::to_vec(&json!({ "inputs": [input] })).unwrap())
    };
    assert_eq!(serving.get("/v2/models/texts").json()["inputs"][0]["name"], "tokens");
    assert_eq!(infer(1.0).status, 200);
    for token in [20.0, -1.0, 0.5] {
        let answer = infer(token);
        assert_eq!(answer.status, 400);
        assert!(answer.error().contains("not the number of a token"), "{}", answer.text());
    }
}

#[test]
fn bodies_of_another_kind_are_refused_with_what_to_send() {
    let bench = Bench::new();
    let serving = serving(&bench, "");
    for (model, body, words) in [
        ("ct", digit(1), "send a DICOM slice"),
        ("digits", slice(), "send a picture"),
        ("texts", digit(1), "send a text"),
        ("texts", slice(), "send a text"),
    ] {
        let answer = serving.post(&format!("/predict?model={model}"), &body);
        assert_eq!(answer.status, 415, "{model} {}", answer.text());
        assert!(answer.error().contains(words), "{}", answer.text());
    }
    for model in ["ct", "digits", "texts"] {
        assert_eq!(serving.post(&format!("/predict?model={model}"), b"").status, 400);
    }
    assert_eq!(serving.post("/predict?model=texts", b" \n").status, 400);
    assert_eq!(serving.post("/predict?model=texts", &vec![b'a'; (1 << 20) + 1]).status, 413);
    bench.array("tokens.npy", &[1, 8], [2.0, 99.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let answer = serving.post("/predict?model=texts", &std::fs::read(bench.path("tokens.npy")).unwrap());
    assert!(answer.status == 400 && answer.error().contains("99"), "{}", answer.text());
}

#[test]
fn broken_and_large_slices_get_their_4xx() {
    let bench = Bench::new();
    let serving = serving(&bench, "--max-pixels 160");
    let good = slice();
    let mut client = serving.connect();
    let mut counts = std::collections::BTreeMap::<u16, usize>::new();
    let cut = (0..good.len()).map(|n| good[..n].to_vec());
    let flipped = (0..3000).map(|i: usize| {
        let mut body = good.clone();
        let at = i.wrapping_mul(2_654_435_761) % body.len();
        body[at] ^= 1 << (i % 8);
        body
    });
    for body in cut.chain(flipped) {
        let answer = client.post("/predict?model=ct", &body).unwrap();
        assert!(answer.status == 200 || (400..500).contains(&answer.status), "{}", answer.text());
        assert!(!answer.text().contains("Doe") && !answer.text().contains("PID-77"), "{}", answer.text());
        *counts.entry(answer.status).or_default() += 1;
        if answer.closes() {
            client = serving.connect();
        }
    }
    assert!(counts[&200] > 100 && counts[&400] > 100, "{counts:?}");
    assert_eq!(serving.metric("foveal_panics_total"), 0.0);
    let small = self::serving(&bench, "--max-pixels 150");
    let answer = small.post("/predict?model=ct", &good);
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(answer.error().contains("14 rows and 11 columns"), "{}", answer.text());
}
