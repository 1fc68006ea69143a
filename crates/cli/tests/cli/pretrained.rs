//! The built-in network that has learnt from photographs.

use crate::harness::Bench;
use image::{ImageBuffer, Rgb};
use std::fmt::Write;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

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
    assert_eq!(bench.run("predict imagenet one.npy --top 0").code, Some(2));
    assert!(bench.run("summary efficientnet-lite0").good().stdout.contains("4,694,024"), "parameters");
    assert!(bench.run("show imagenet one.npy --layer top_conv").good().stdout.contains("Grad-CAM"));
}

/// Pictures of 32x32 in one of two textures, in colours that say nothing.
fn textures(bench: &Bench, folder: &str, count: u32) {
    for i in 0..count {
        let fine = i % 2 == 1;
        let mix = |n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8;
        let [a, b] = [[mix(i), mix(i + 99), mix(i + 7)], [mix(i + 31), mix(i + 5), mix(i + 63)]];
        let picture = ImageBuffer::from_fn(32, 32, |x, y| {
            let cell = if fine { 3 } else { 11 };
            let on = ((x + i % 5) / cell + (y + i % 7) / cell).is_multiple_of(2);
            Rgb(if on { a } else { b })
        });
        let name = format!("{folder}/{}/{i}.png", if fine { "fine" } else { "coarse" });
        std::fs::create_dir_all(bench.path(&name).parent().unwrap()).unwrap();
        picture.save(bench.path(&name)).unwrap();
    }
}

/// Several labels a picture: its texture is fine or coarse, and a part of it may be bright.
#[test]
fn several_labels_a_picture_are_learnt_on_it() {
    let bench = Bench::new();
    let has = |i: u32| [i % 2 == 1, i / 2 % 2 == 1];
    let mut table = String::from("file,fine,bright\n");
    for i in 0..96u32 {
        let [fine, bright] = has(i);
        let picture = ImageBuffer::from_fn(48, 48, |x, y| {
            let cell = if fine { 3 } else { 12 };
            let on = ((x + i % 5) / cell + (y + i % 7) / cell).is_multiple_of(2);
            let lit = bright && (12..36).contains(&x) && (12..36).contains(&y);
            if lit { Rgb([250u8, 240, 30]) } else { Rgb(if on { [40u8, 90, 130] } else { [10, 30, 50] }) }
        });
        std::fs::create_dir_all(bench.path("marked")).unwrap();
        picture.save(bench.path(&format!("marked/{i}.png"))).unwrap();
        let [fine, bright] = has(i).map(u32::from);
        writeln!(table, "{i}.png,{fine},{bright}").unwrap();
    }
    bench.file("marked/table.csv", table);
    let train = "train marked/table.csv --labels fine,bright --test 0.25 --image-size 64 --no-report";
    for preset in ["fast", "balanced"] {
        let run = bench.run(&format!("{train} --preset {preset} --out {preset}")).good();
        assert!(run.stderr.contains("pretrained on ImageNet"), "{}", run.told());
        assert!(run.stderr.contains("chosen on"), "{}", run.told());
        let judged = bench.run(&format!("eval {preset} marked/table.csv --json")).good().json();
        assert!(judged["map"].as_f64().unwrap() > 0.95, "{judged}");
        let said = bench.run(&format!("predict {preset} marked/3.png marked/0.png --json")).good().json();
        assert_eq!(said["predictions"][0]["labels"], serde_json::json!(["fine", "bright"]), "{said}");
        assert_eq!(said["predictions"][1]["labels"], serde_json::json!([]), "{said}");
    }
    bench.run("export fast fast.onnx").good();
    bench.run("train marked/table.csv --target fine --from fast --no-report --epochs 1 --out one").good();
    // Values are learnt from scratch, which is said where the network is asked for.
    bench
        .run("train marked/table.csv --task regression --target bright --model pretrained --out no -q")
        .refused(&["values"]);
}

/// At a small size, so that the tests are quick.
const TRAIN: &str = "train textures --image-size 64 --no-report --out run";

#[test]
fn a_folder_of_colour_pictures_is_learnt_on_it() {
    let bench = Bench::new();
    textures(&bench, "textures/train", 40);
    textures(&bench, "textures/test", 20);
    bench.file("textures/train/fine/broken.png", b"\x89PNG\r\n\x1a\nnothing");
    let run = bench.run(&format!("{TRAIN} --overwrite --json")).good();
    for words in
        ["efficientnet-lite0", "64x64", "--from scratch", "through the pretrained network once", "broken.png"]
    {
        assert!(run.stderr.contains(words), "no `{words}` in {}", run.told());
    }
    let json = run.json();
    assert_eq!(json["model"], "efficientnet-lite0");
    assert!(json["test_accuracy"].as_f64().unwrap() > 0.9, "{json}");
    let model = || std::fs::read(bench.path("run/model.safetensors")).unwrap();
    let (whole, config) = (model(), std::fs::read_to_string(bench.path("run/config.toml")).unwrap());
    assert!(config.contains("stem_conv") && config.contains("seed = 0"), "{config}");
    // The same seed gives the same bytes with any number of threads, named or not, and after a kill.
    for options in ["--overwrite --threads 1", "--overwrite --threads 3 --model pretrained", "--resume"] {
        let run = bench.run(&format!("{TRAIN} {options}")).good();
        assert!(model() == whole, "{options}: {}", run.told());
    }
    let judged = bench.run("eval run textures --json").good().json();
    assert_eq!(judged["accuracy"], json["test_accuracy"]);
    let found = bench.run("predict run textures/test/fine/1.png").good().stdout;
    assert!(found.starts_with("textures/test/fine/1.png: fine\n"), "{found}");
    bench.run("predict run textures/test -q --csv out.csv").good();
    let table = std::fs::read_to_string(bench.path("out.csv")).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!((rows.len(), rows[0]), (21, "input,class,coarse,fine,error"));
    assert!(rows[20].starts_with("textures/test/fine/9.png,fine,"), "{table}");
    bench.run("export run run.onnx").good();
    bench.run("show run textures/test/fine/1.png --layer stem_conv -o stem.png").good();
    let korean = bench.run(&format!("{TRAIN} --overwrite --lang ko")).good().stderr;
    assert!(korean.contains("사전 학습") && korean.contains("마지막 층만 훈련합니다"), "{korean}");
}

#[test]
fn the_last_blocks_or_all_of_it_learn_too() {
    let bench = Bench::new();
    textures(&bench, "textures", 24);
    for (preset, frozen) in [("balanced", "stem_conv"), ("best", "stem_norm")] {
        let run =
            bench.run(&format!("{TRAIN} --preset {preset} --epochs 2 --validation 4 --overwrite")).good();
        assert!(run.stderr.contains("the head alone"), "{}", run.told());
        let model = std::fs::read(bench.path("run/model.safetensors")).unwrap();
        let head = &model[8..8 + u64::from_le_bytes(model[..8].try_into().unwrap()) as usize];
        let head: serde_json::Value = serde_json::from_slice(head).unwrap();
        let about: serde_json::Value =
            serde_json::from_str(head["__metadata__"]["foveal"].as_str().unwrap()).unwrap();
        let all = about["training"]["recipe"]["frozen"].as_array().unwrap();
        assert!(all.iter().any(|name| name == frozen), "{all:?}");
        assert!(!all.iter().any(|name| name == "top_conv" || name == "head"), "{all:?}");
        let again =
            bench.run(&format!("{TRAIN} --preset {preset} --epochs 2 --validation 4 --resume")).good();
        assert!(again.stderr.contains("going on after epoch 2"), "{}", again.told());
        assert!(std::fs::read(bench.path("run/model.safetensors")).unwrap() == model, "{preset}");
    }
}

#[test]
fn it_is_left_out_where_it_does_not_suit_and_refused_where_it_cannot_be() {
    let bench = Bench::new();
    textures(&bench, "textures", 12);
    let model = |options: &str| {
        bench.run(&format!("{TRAIN} --overwrite --epochs 1 --json {options}")).good().json()["model"].clone()
    };
    assert_eq!(model("--from scratch"), "vgg-small");
    assert_eq!(model("--model stack"), "stack");
    for (options, words) in [
        ("--model pretrained --augment flip", "--augment"),
        ("--freeze stem_conv", "--freeze"),
        ("--model pretrained --ensemble 2", "--ensemble"),
    ] {
        bench.run(&format!("{TRAIN} --overwrite -q {options}")).refused(&[words]);
    }
    bench.run("train mnist --model pretrained -q").refused(&["mnist", "picture files"]);
}

/// Kills the training once `ready` says so, then lets it go on; the model must be that of a run that never stopped.
fn killed(bench: &Bench, options: &str, whole: &[u8], ready: &dyn Fn() -> bool) {
    let _ = std::fs::remove_dir_all(bench.path("run"));
    let mut child =
        bench.command(&format!("{TRAIN} --overwrite -q {options}")).stdout(Stdio::null()).spawn().unwrap();
    while child.try_wait().unwrap().is_none() && !ready() {
        sleep(Duration::from_millis(2));
    }
    let _ = child.kill();
    child.wait().unwrap();
    let run = bench.run(&format!("{TRAIN} {options} --resume")).good();
    assert!(
        std::fs::read(bench.path("run/model.safetensors")).unwrap() == whole,
        "{options}: {}",
        run.told()
    );
}

#[test]
fn a_run_that_is_killed_during_features_the_head_or_fine_tuning_goes_on_to_the_same_bytes() {
    let bench = Bench::new();
    textures(&bench, "textures", 32);
    for options in ["--validation 6", "--validation 6 --preset balanced --epochs 4"] {
        bench.run(&format!("{TRAIN} --overwrite -q {options}")).good();
        let whole = std::fs::read(bench.path("run/model.safetensors")).unwrap();
        // While features are computed there is an empty run folder; then its configuration, then a checkpoint.
        for file in ["run", "run/config.toml", "run/checkpoint.safetensors"] {
            killed(&bench, options, &whole, &|| bench.path(file).exists());
        }
    }
}

#[test]
fn pictures_of_another_size_go_into_a_model_that_pools_all_of_them() {
    let bench = Bench::new();
    textures(&bench, "textures", 16);
    bench.run(&format!("{TRAIN} --overwrite -q --epochs 2")).good();
    let more = "train textures --from run --freeze all-but-head --no-report --epochs 1 --json";
    bench.run(&format!("{more} --image-size 32 --out small")).good();
    assert!(bench.run("summary small").good().stdout.contains("32"), "another size");
    // What is frozen is not in the checkpoint: of 3.4 million numbers the last layer's 2,562 alone are.
    let size = |name: &str| std::fs::metadata(bench.path(name)).unwrap().len();
    let (kept, model) = (size("small/checkpoint.safetensors"), size("small/model.safetensors"));
    assert!(kept < model / 50, "{kept} bytes of checkpoint beside a model of {model}");
    bench.run("train textures --model stack --image-size 24 --epochs 1 --no-report --out flat -q").good();
    let refused = bench.run("train textures --from flat --image-size 40 -q --out none");
    refused.refused(&["--image-size 40x40", "dense_1.weights", "pooling over the whole picture"]);
    assert!(!bench.path("none").exists());
}
