//! show, and explain of a trained model's layers.

use crate::training::trained;
use insta::assert_snapshot;
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// A bright row: a sample of class 0.
fn row() -> impl Iterator<Item = f32> {
    (0..64).map(|p| if p / 8 == 3 { 255.0 } else { 0.0 })
}

#[test]
fn a_model_shows_what_it_makes_of_an_input() {
    let bench = trained();
    bench.array("row.npy", &[8, 8, 1], row());
    assert_snapshot!("show", bench.run("show run row.npy").good().shape());
    assert_snapshot!("show_korean", bench.run("show run row.npy --lang ko").good().shape());
    assert_snapshot!("show_layer", bench.run("show run row.npy --layer max_pool_1").good().shape());
    let json = bench.run("show run row.npy --json").good().json();
    let input = numbers(&json["input"]["values"]);
    assert_eq!((input.len(), input[3 * 8], input[0]), (64, 1.0, 0.0));
    let layers = json["layers"].as_array().unwrap();
    let names: Vec<&str> = layers.iter().map(|l| l["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["conv2d_1", "relu_1", "max_pool_1", "flatten_1", "dense_1"]);
    assert_eq!(layers[0]["shape"], serde_json::json!([8, 8, 6]));
    let (before, after) = (numbers(&layers[0]["values"]), numbers(&layers[1]["values"]));
    assert!(before.iter().zip(&after).all(|(b, a)| *a == b.max(0.0)) && after.len() == 8 * 8 * 6);
    assert_eq!(json["filters"][0]["shape"], serde_json::json!([3, 3, 1, 6]));
    let p: f64 =
        json["probabilities"].as_array().unwrap().iter().map(|c| c["probability"].as_f64().unwrap()).sum();
    assert!((p - 1.0).abs() < 1e-5);
    let cam = &json["grad_cam"];
    assert_eq!((&cam["layer"], &cam["heat"]["shape"]), (&"relu_1".into(), &serde_json::json!([8, 8])));
    assert!(numbers(&cam["heat"]["values"]).iter().all(|&v| v >= 0.0));
    // The same answer as predict's.
    let predicted = bench.run("predict run row.npy --json").good().json();
    assert_eq!(predicted["predictions"][0]["index"], cam["index"]);
}

#[test]
fn it_is_written_as_a_picture_or_a_page() {
    let bench = trained();
    bench.array("row.npy", &[8, 8, 1], row());
    let read = |name: &str| std::fs::read(bench.path(name)).unwrap();
    let run = bench.run("show run row.npy -o out.png").good();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", "wrote out.png\n"));
    let picture = foveal::data::picture::decode(&read("out.png"), "out.png").unwrap();
    assert!(picture.width() >= 2240 && picture.height() > 2000);
    bench.run("show run row.npy --layer conv2d_1 -o out.SVG --lang ko").good();
    let svg = String::from_utf8(read("out.SVG")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("특징 맵 6장") && svg.trim_end().ends_with("</svg>"));
    let json = bench.run("show run row.npy -o out.html --json").good().json();
    assert!(json["layers"].is_array());
    let html = String::from_utf8(read("out.html")).unwrap();
    assert!(html.contains("<html lang=\"en\">") && html.contains("어디를 보았나"));
    // Nothing comes from elsewhere.
    assert!(!html.contains("src=\"http") && !html.contains("href=\"http") && !html.contains("url("));
    bench.run("show run row.npy -o out.gif").refused(&["out.gif", ".png or .svg or .html"]);
    bench.run("show run row.npy -o out").refused(&[".png"]);
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let bench = trained();
    bench.array("row.npy", &[8, 8, 1], row());
    bench.array("two.npy", &[2, 8, 8, 1], row().chain(row()));
    bench.array("nan.npy", &[8, 8], row().map(|v| if v > 0.0 { f32::NAN } else { v }));
    bench.run("show run two.npy").refused(&["two.npy", "2 samples"]);
    bench.run("show run nan.npy").refused(&["nan.npy", "NaN"]);
    bench.run("show run row.npy --layer conv9").refused(&["conv9", "conv2d_1"]);
    bench.run("show nothing row.npy").refused(&["nothing"]);
    bench.run("show run x.npy").refused(&["x.npy", "[8, 8, 1]"]);
    let at = |rest: &str| bench.run(&format!("explain run row.npy {rest}"));
    at("--layer relu_1 --at 0,0,0").refused(&["relu_1", "conv2d"]);
    at("--layer conv2d_1 --at 8,0,0").refused(&["conv2d", "[1, 8, 8, 6]"]);
    at("--layer conv2d_1 --at -1,0,0").refused(&["conv2d"]);
    at("--layer conv2d_1 --at 0,0,0 -o cell.html").refused(&["cell.html", ".png or .svg"]);
    for wrong in ["explain run row.npy --layer conv2d_1", "explain run --at 0,0,0", "explain", "show run"] {
        assert_eq!(bench.run(wrong).code, Some(2), "{wrong}");
    }
}

#[test]
fn a_layer_s_cell_is_explained() {
    let bench = trained();
    bench.array("row.npy", &[8, 8, 1], row());
    let explain = |rest: &str| bench.run(&format!("explain run row.npy {rest}")).good();
    assert_snapshot!("explain_layer", explain("--layer conv2d_1 --at 0,7,2").shape());
    let json = bench.run("show run row.npy --json").good().json();
    let layers = json["layers"].as_array().unwrap();
    for (layer, index, at, place) in [
        ("conv2d_1", 0, "3,0,5", 3 * 48 + 5),
        ("max_pool_1", 2, "1,2,0", 24 + 12),
        ("dense_1", 4, "0,0,2", 2),
    ] {
        let cell = explain(&format!("--layer {layer} --at {at} --json")).json();
        let values = numbers(&layers[index]["values"]);
        assert_eq!(cell["value"].as_f64().unwrap() as f32, values[place] as f32, "{layer}");
        assert_eq!(cell["activation"].is_null(), layer != "conv2d_1");
        let name = format!("{layer}.png");
        explain(&format!("--layer {layer} --at {at} -o {name}"));
        let bytes = std::fs::read(bench.path(&name)).unwrap();
        assert!(foveal::data::picture::decode(&bytes, &name).unwrap().width() >= 840);
    }
    for (arrays, name) in [
        ("conv2d x.npy w.npy --at 0,0,2,0 --padding SAME --bias b.npy", "a.svg"),
        ("max-pool x.npy --at 0,1,1,0 --ksize 2 --padding SAME", "b.svg"),
        ("avg-pool x.npy --at 0,1,1,0 --ksize 2 --padding SAME", "c.svg"),
    ] {
        bench.run(&format!("explain {arrays} -o {name} --lang ko")).good();
        let svg = std::fs::read_to_string(bench.path(name)).unwrap();
        assert!(svg.contains("입력 창") && svg.contains(" = "), "{name}");
    }
}
