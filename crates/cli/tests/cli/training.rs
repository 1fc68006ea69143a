//! train, eval, predict.

use crate::harness::{Bench, Run};
use insta::assert_snapshot;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

/// Three kinds of 8 x 8 pictures: a bright row, a bright column, a bright diagonal, moved about.
pub fn dataset(bench: &Bench, folder: &str) {
    for (part, n) in [("train", 300u32), ("t10k", 60)] {
        let mut images = vec![0, 0, 8, 3];
        images.extend([n, 8, 8].iter().flat_map(|v| v.to_be_bytes()));
        let mut labels = vec![0, 0, 8, 1];
        labels.extend(n.to_be_bytes());
        for i in 0..n {
            let (kind, at) = (i % 3, i / 3 % 8);
            labels.push(kind as u8);
            images.extend((0..64u32).map(|p| {
                let (row, column) = (p / 8, p % 8);
                let on = match kind {
                    0 => row == at,
                    1 => column == at,
                    _ => (row + column) % 8 == at,
                };
                // A little noise, so that no two are the same.
                let mixed = (i * 64 + p + u32::from(part == "t10k") * 50_000).wrapping_mul(2_654_435_761);
                let noise = (mixed >> 16) % 40;
                if on { 255 - noise as u8 } else { noise as u8 }
            }));
        }
        bench.file(&format!("{folder}/{part}-images-idx3-ubyte"), images);
        bench.file(&format!("{folder}/{part}-labels-idx1-ubyte"), labels);
    }
    bench.file(
        "net.toml",
        "[input]\nshape = [8, 8, 1]\n[[layer]]\nkind = \"conv2d\"\nfilters = 6\nkernel = [3, 3]\npadding = \"SAME\"\n\
         [[layer]]\nkind = \"relu\"\n[[layer]]\nkind = \"max_pool\"\nksize = [2, 2]\n[[layer]]\nkind = \"flatten\"\n\
         [[layer]]\nkind = \"dense\"\nunits = 3\n",
    );
}

const TRAIN: &str = "train set --model net.toml --epochs 6 --batch-size 20 --lr 0.01 --out run";

/// A bench with a trained run in `run`.
pub fn trained() -> Bench {
    let bench = Bench::new();
    dataset(&bench, "set");
    let run = bench.run(TRAIN).good();
    assert!(!run.told().contains(['\x1b', '\r']), "{}", run.told());
    bench
}

#[test]
fn training_tells_each_epoch_and_leaves_a_run_folder() {
    let bench = Bench::new();
    dataset(&bench, "set");
    assert_snapshot!("train", bench.run(TRAIN).good().shape());
    assert_snapshot!("train_korean", bench.run(&format!("{TRAIN} --overwrite --lang ko")).good().shape());
    assert_snapshot!("config", std::fs::read_to_string(bench.path("run/config.toml")).unwrap());
    let metrics = std::fs::read_to_string(bench.path("run/metrics.csv")).unwrap();
    assert_eq!(metrics.lines().count(), 7);
    assert!(metrics.starts_with("epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,"));
    let quiet = bench.run(&format!("{TRAIN} --overwrite -q")).good();
    assert_eq!(quiet.stderr, "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_training_that_does_not_fit_is_refused_before_it_begins() {
    let bench = Bench::new();
    dataset(&bench, "set");
    // A normalization over the batch keeps the activations of all its images at once.
    bench.file(
        "wide.toml",
        "[input]\nshape = [8, 8, 1]\n[[layer]]\nkind = \"conv2d\"\nfilters = 8192\nkernel = [3, 3]\n\
         [[layer]]\nkind = \"batch_norm\"\n[[layer]]\nkind = \"flatten\"\n[[layer]]\nkind = \"dense\"\nunits = 3\n",
    );
    let run = bench.run("train set --model wide.toml --epochs 1 --batch-size 65536 --out run");
    let told = run.refused(&["training in batches of 65536 needs", "are free"]).stderr;
    // What it proposes fits.
    let proposed = told.split("--batch-size ").nth(1).expect("a remedy").split(' ').next().unwrap();
    assert!(proposed.parse::<u64>().unwrap() < 65_536, "{told}");
    assert!(!bench.path("run").exists());
}

#[test]
fn a_run_leaves_a_report_unless_told_not_to() {
    let bench = Bench::new();
    dataset(&bench, "set");
    bench.run(&format!("{TRAIN} --no-report")).good();
    assert!(!bench.path("run/report.html").exists());
    let told = bench.run(&format!("{TRAIN} --overwrite")).good().stdout;
    assert!(told.contains("report in run/report.html"), "{told}");
    let english = std::fs::read_to_string(bench.path("run/report.html")).unwrap();
    assert!(english.starts_with("<!doctype html>\n<html lang=\"en\">"), "{}", &english[..80]);
    bench.run(&format!("{TRAIN} --overwrite --lang ko --json")).good().json();
    let korean = std::fs::read_to_string(bench.path("run/report.html")).unwrap();
    assert!(korean.contains("<html lang=\"ko\">") && korean.contains("혼동 행렬"));
    // The cells count the test images.
    let counts = english.split("data-count=\"").skip(1);
    let sum: u64 = counts.map(|rest| rest.split('"').next().unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(sum, 60);
}

#[test]
fn event_files_of_earlier_runs_make_room() {
    let bench = Bench::new();
    dataset(&bench, "set");
    let files = || {
        let all = std::fs::read_dir(bench.path("run")).unwrap();
        let names = all.map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|n| n.starts_with("events.out.tfevents.")).collect::<Vec<_>>()
    };
    bench.run(&format!("{TRAIN} --tensorboard")).good();
    bench.file("run/events.out.tfevents.1.host", "of another program");
    let told = bench.run(&format!("{TRAIN} --overwrite --tensorboard --lang ko")).good();
    assert!(told.stdout.contains("tensorboard --logdir run"), "{}", told.told());
    let found = files();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().any(|n| n == "events.out.tfevents.1.host"), "{found:?}");
    let ours = found.iter().find(|n| n.ends_with(".foveal")).unwrap();
    // One record for the version, and 6 epochs of 14 steps: three numbers for each step, six for each epoch.
    let bytes = std::fs::read(bench.path(&format!("run/{ours}"))).unwrap();
    let mut records = 0;
    let mut rest = &bytes[..];
    while let Some((length, _)) = rest.split_first_chunk::<8>() {
        rest = &rest[u64::from_le_bytes(*length) as usize + 16..];
        records += 1;
    }
    assert_eq!(records, 1 + 6 * 14 + 6);
    bench.run("train mnist --model net.toml --out other --tensorboard").refused(&[]);
    assert!(!bench.path("other").exists(), "a run that could not begin left its folder");
}

#[test]
fn training_as_json_has_every_field_and_learns() {
    let bench = Bench::new();
    dataset(&bench, "set");
    let json = bench.run(&format!("{TRAIN} --json --seed 3 --threads 2")).good().json();
    let fields = "dataset model parameters epochs seed threads train_seconds total_seconds images_per_second \
                  validation_accuracy test_accuracy model_path";
    for field in fields.split_whitespace() {
        assert!(!json[field].is_null(), "no {field} in {json}");
    }
    assert_eq!((&json["seed"], &json["threads"], &json["epochs"]), (&3.into(), &2.into(), &6.into()));
    assert_eq!((&json["dataset"], &json["model"]), (&"set".into(), &"net.toml".into()));
    assert!(json["test_accuracy"].as_f64().unwrap() > 0.9, "{json}");
    let all = bench.run(&format!("{TRAIN} --overwrite --json --validation 0")).good().json();
    assert!(all["validation_accuracy"].is_null());
}

#[test]
fn the_same_seed_gives_the_same_bytes_with_any_number_of_threads() {
    let bench = Bench::new();
    dataset(&bench, "set");
    let model = |options: &str| {
        bench.run(&format!("{TRAIN} --overwrite {options}")).good();
        std::fs::read(bench.path("run/model.safetensors")).unwrap()
    };
    let one = model("--threads 1");
    assert!(one == model("--threads 3"));
    assert!(one != model("--seed 1"));
}

#[test]
fn without_out_a_run_folder_is_named_after_data_and_time() {
    let bench = Bench::new();
    dataset(&bench, "set");
    let json = bench.run(&TRAIN.replace(" --out run", " --json")).good().json();
    let path = json["model_path"].as_str().unwrap();
    assert!(path.starts_with("runs/set-2") && path.ends_with("/model.safetensors"), "{path}");
    assert!(bench.path(path).exists());
}

#[test]
fn evaluation_counts_every_class() {
    let bench = trained();
    assert_snapshot!("eval", bench.run("eval run set").good().shape());
    assert_snapshot!("eval_korean", bench.run("eval run/model.safetensors set --lang ko").good().shape());
    let json = bench.run("eval run set --json").good().json();
    let accuracy = json["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9 && json["loss"].is_number() && json["macro_f1"].is_number(), "{json}");
    assert_eq!(json["classes"], serde_json::json!(["0", "1", "2"]));
    assert_eq!(json["per_class"][2]["class"], "2");
    assert_eq!(json["per_class"][0]["support"], 20);
    let confusion = json["confusion"].as_array().unwrap();
    let sum =
        |row: &serde_json::Value| row.as_array().unwrap().iter().filter_map(|v| v.as_u64()).sum::<u64>();
    assert_eq!(confusion.iter().map(sum).collect::<Vec<_>>(), [20, 20, 20]);
}

#[test]
fn prediction_takes_arrays_and_pictures() {
    let bench = trained();
    let row = (0..64).map(|p| if p / 8 == 3 { 250.0 } else { 5.0 });
    bench.array("row.npy", &[8, 8], row.clone());
    bench.array("rows.npy", &[2, 8, 8, 1], row.clone().chain(row));
    assert_snapshot!("predict", bench.run("predict run row.npy").good().shape());
    let json = bench.run("predict run row.npy rows.npy --json").good().json();
    let found = json["predictions"].as_array().unwrap();
    let names: Vec<_> = found.iter().map(|p| p["input"].as_str().unwrap()).collect();
    assert_eq!(names, ["row.npy", "rows.npy[0]", "rows.npy[1]"]);
    for one in found {
        assert_eq!((&one["class"], &one["index"]), (&"0".into(), &0.into()));
        let likely = one["probabilities"].as_array().unwrap();
        assert!((likely.iter().map(|p| p.as_f64().unwrap()).sum::<f64>() - 1.0).abs() < 1e-5);
    }
    let figure = foveal::view::imshow(ndarray::Array2::eye(8).view(), "", foveal::view::ColorMap::Gray);
    bench.file("figure.png", figure.to_png().unwrap());
    bench.run("predict run figure.png --json").good().json();
}

#[test]
fn bad_models_and_inputs_are_named() {
    let bench = trained();
    bench.array("wide.npy", &[9, 8], [0.0; 72]);
    bench.array("odd.npy", &[8, 8], [f32::NAN; 64]);
    bench.file("broken.png", b"\x89PNG\r\n\x1a\nnothing");
    bench.file("text.txt", "hello");
    let model = std::fs::read(bench.path("run/model.safetensors")).unwrap();
    bench.file("cut.safetensors", &model[..model.len() / 2]);
    let mut told = String::new();
    for command in [
        "predict run wide.npy",
        "predict run odd.npy",
        "predict run broken.png",
        "predict run text.txt",
        "predict run missing.png",
        "predict run mnist:test:7",
        "predict run mnist:test:10000",
        "predict run mnist:valid:1",
        "predict cut.safetensors x.npy",
        "predict nowhere x.npy",
        "predict fast x.npy",
        "eval run mnist",
        "eval x.npy mnist",
        "train nothing",
        "train set --model fast --out other",
        "train set --model nothing",
        "train set --model net.toml --validation 300",
        "train mnist --model net.toml --out other",
    ] {
        told += &format!("foveal {command}\n  {}", bench.run(command).refused(&[]).stderr);
    }
    assert_snapshot!("bad_models_and_inputs", told);
    assert!(!bench.path("other").exists(), "a run that could not begin left its folder");
}

#[test]
fn built_in_digits_are_trained_on_and_predicted() {
    let bench = Bench::new();
    bench.file(
        "small.toml",
        "[input]\nshape = [28, 28, 1]\n[[layer]]\nkind = \"conv2d\"\nfilters = 4\nkernel = [5, 5]\nstrides = [2, 2]\n\
         [[layer]]\nkind = \"relu\"\n[[layer]]\nkind = \"flatten\"\n[[layer]]\nkind = \"dense\"\nunits = 10\n",
    );
    let json = bench.run("train mnist --model small.toml --epochs 1 --out run --json").good().json();
    assert!(json["test_accuracy"].as_f64().unwrap() > 0.8, "{json}");
    let json = bench.run("predict run mnist:test:0 mnist:train:0 --json").good().json();
    assert_eq!(json["predictions"][0]["class"], "7");
    assert_eq!(json["predictions"].as_array().unwrap().len(), 2);
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_keeps_what_was_learnt() {
    let bench = Bench::new();
    dataset(&bench, "set");
    let arguments = TRAIN.replace("--epochs 6", "--epochs 100000");
    let mut child = bench.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    for _ in 0..4 {
        line.clear();
        err.read_line(&mut line).unwrap();
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut rest = String::new();
    err.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{rest}");
    assert_eq!(output.stdout, b"");
    let last: Vec<&str> = rest.lines().rev().take(2).collect();
    assert!(last[1].ends_with("run/model.safetensors"), "{rest}");
    assert!(
        last[0].starts_with("to go on after epoch ") && last[0].ends_with("--out run --resume"),
        "{rest}"
    );
    let report = std::fs::read_to_string(bench.path("run/report.html")).unwrap();
    assert!(report.contains("Training was interrupted") && !report.contains("data-count"));
    Run::new("eval", bench.command("eval run set").output().unwrap()).good();
}
