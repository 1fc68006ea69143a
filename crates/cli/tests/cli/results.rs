//! What a run leaves and `eval` and `compare` say beyond accuracy: curves, calibration, mistakes, which run is better.

use crate::harness::Bench;
use crate::training::{dataset, trained};
use insta::assert_snapshot;

const TRAIN: &str = "train set --model net.toml --batch-size 20 --lr 0.01 --no-report";

#[test]
fn a_run_leaves_its_predictions_and_a_model_card() {
    let bench = trained();
    let table = std::fs::read_to_string(bench.path("run/predictions.csv")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!((rows.len(), &rows[0][..]), (61, &["part", "sample", "true", "predicted", "probability"][..]));
    let right = rows[1..].iter().filter(|row| row[2] == row[3]).count();
    let accuracy = bench.run("eval run set --json").good().json()["accuracy"].as_f64().unwrap();
    assert!((right as f64 / 60.0 - accuracy).abs() < 1e-12);
    assert!(rows[1..].iter().all(|row| row[0] == "test"));
    let card = std::fs::read_to_string(bench.path("run/model-card.md")).unwrap();
    let shown = format!("test accuracy {:.2} % of 60 samples", 100.0 * accuracy);
    for words in
        ["pipeline_tag: image-classification", "# net.toml · set", &shown, "most frequent class: 33.33 %"]
    {
        assert!(card.contains(words), "no `{words}` in {card}");
    }
    bench.run(&format!("{TRAIN} --epochs 1 --validation 30 --out ko --lang ko")).good();
    let card = std::fs::read_to_string(bench.path("ko/model-card.md")).unwrap();
    assert!(card.contains("## 한계") && card.contains("클래스(출력 순서): 0, 1, 2"), "{card}");
}

#[test]
fn a_temperature_is_fitted_kept_and_can_be_left_out() {
    let bench = Bench::new();
    dataset(&bench, "set");
    let run =
        |options: &str| bench.run(&format!("{TRAIN} --epochs 2 --validation 60 {options} --json")).good();
    let with = run("--out with");
    assert!(with.stderr.contains("is in the last layer: calibration error"), "{}", with.told());
    let t = with.json()["temperature"].as_f64().unwrap();
    assert!(t != 1.0 && (0.05..20.0).contains(&t), "{t}");
    let without = run("--out without --temperature off");
    assert!(without.json()["temperature"].is_null() && !without.stderr.contains("temperature"));
    assert_eq!(with.json()["test_accuracy"], without.json()["test_accuracy"]);
    // The error before is that of the model without a temperature, and its logits are those of the other, divided.
    let calibration =
        |run: &str| bench.run(&format!("eval {run} set --json")).good().json()["calibration"].clone();
    let (kept, plain) = (calibration("with"), calibration("without"));
    let before = kept["error_before"].as_f64().unwrap();
    assert!((before - plain["error"].as_f64().unwrap()).abs() < 1e-5, "{kept} {plain}");
    assert!(plain["error_before"].is_null() && kept["error"] != plain["error"]);
    let likely = |run: &str| {
        bench.run("export with with.onnx").good();
        bench.run("import with.onnx back.safetensors").good();
        let json = bench.run(&format!("predict {run} sample.npy --json")).good().json();
        json["predictions"][0]["probabilities"].clone()
    };
    bench.array("sample.npy", &[8, 8, 1], (0..64).map(|i| if i % 9 == 0 { 200.0 } else { 10.0 }));
    let [a, b] = ["with", "back.safetensors"].map(likely);
    for (a, b) in a.as_array().unwrap().iter().zip(b.as_array().unwrap()) {
        assert!((a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-6, "{a} {b}");
    }
    assert!(likely("with") != likely("without"));
}

#[test]
fn eval_ranks_and_lists_the_mistakes() {
    let bench = Bench::new();
    dataset(&bench, "set");
    bench.run(&format!("{TRAIN} --epochs 1 --out run -q")).good();
    let told = bench.run("eval run set --mistakes wrong --top-k 2 --json").good();
    let json = told.json();
    let accuracy = json["accuracy"].as_f64().unwrap();
    let top = &json["top_k"];
    assert!(top["k"] == 2 && top["accuracy"].as_f64().unwrap() >= accuracy, "{json}");
    assert!(bench.run("eval run set --json").good().json()["top_k"].is_null());
    for class in json["per_class"].as_array().unwrap() {
        let auc = class["auc"].as_f64().unwrap();
        assert!((0.4..=1.0).contains(&auc) && class["average_precision"].as_f64().unwrap() > 0.2, "{class}");
    }
    let curve = &json["curves"][0];
    let ends = curve["roc"].as_array().unwrap();
    assert_eq!(
        (&ends[0], &ends[ends.len() - 1]),
        (&serde_json::json!([0.0, 0.0]), &serde_json::json!([1.0, 1.0]))
    );
    let table = std::fs::read_to_string(bench.path("wrong/mistakes.csv")).unwrap();
    let wrong = ((1.0 - accuracy) * 60.0).round() as usize;
    assert_eq!(table.lines().count(), wrong + 1, "{table}");
    assert!(told.stderr.contains(&format!("{wrong} mistakes of 60 in wrong")), "{}", told.told());
    let mut sure: Vec<f32> =
        table.lines().skip(1).map(|l| l.split(',').nth(3).unwrap().parse().unwrap()).collect();
    assert!(sure.is_sorted_by(|a, b| a >= b), "{table}");
    assert!(sure.pop().is_none() || image::open(bench.path("wrong/mistakes.png")).unwrap().width() > 50);
}

#[test]
fn two_runs_are_compared_on_the_samples_of_both() {
    let bench = Bench::new();
    dataset(&bench, "set");
    bench.run(&format!("{TRAIN} --epochs 1 --lr 0.001 --out one -q").replace(" --lr 0.01", "")).good();
    bench.run(&format!("{TRAIN} --epochs 6 --out two -q")).good();
    let json = bench.run("compare one two --json").good().json();
    let paired = &json["paired"];
    let [a, b] = [0, 1].map(|i| paired["alone"][i].as_u64().unwrap());
    let right = |i: usize| (json["runs"][i]["accuracy"].as_f64().unwrap() * 60.0).round() as i64;
    assert_eq!((a as i64 - b as i64, &paired["samples"]), (right(0) - right(1), &60.into()));
    assert!(paired["p"].as_f64().unwrap() < 0.05, "{json}");
    assert_eq!(json["differences"]["epochs"], serde_json::json!([1, 6]));
    assert_eq!(json["differences"]["lr"], serde_json::json!([0.001, 0.01]));
    assert_snapshot!("compare", bench.run("compare one two").good().shape());
    assert_snapshot!("compare_korean", bench.run("compare one two --lang ko").good().shape());
    assert!(bench.run("compare two two").good().stdout.contains("Neither is better"));
    std::fs::remove_file(bench.path("one/predictions.csv")).unwrap();
    let told = bench.run("compare one two").good().stdout;
    assert!(told.contains("no predictions.csv in one"), "{told}");
    bench.run("compare one nothing").refused(&["nothing"]);
}
