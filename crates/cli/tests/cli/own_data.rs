//! A person's own data: class folders, tables, arrays; classes and values.

use crate::harness::Bench;
use image::{ImageBuffer, ImageFormat, Luma, Rgb};
use insta::assert_snapshot;
use std::fmt::Write;

/// A bright row or column of 12x12 cells over noise, as a picture file.
fn bar(bench: &Bench, name: &str, column: bool, i: u32) {
    let at = 1 + i % 10;
    let picture = ImageBuffer::from_fn(12, 12, |x, y| {
        let mixed = (i * 144 + y * 12 + x + 7 * u32::from(column)).wrapping_mul(2_654_435_761);
        let on = if column { x == at } else { y == at };
        Luma([(mixed >> 24) as u8 / 8 + if on { 200 } else { 0 }])
    });
    let path = bench.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.save(path).unwrap();
}

/// Class folders with Korean names; those of the test part are in NFD, as some file systems store them.
fn bars(bench: &Bench) {
    let apart = ["\u{1100}\u{1161}\u{1105}\u{1169}", "\u{1109}\u{1166}\u{1105}\u{1169}"];
    for (kind, name) in ["가로", "세로"].into_iter().enumerate() {
        for i in 0..80 {
            bar(bench, &format!("bars/train/{name}/{i}.png"), kind == 1, i);
        }
        for i in 0..20 {
            bar(bench, &format!("bars/test/{}/{i}.bmp", apart[kind]), kind == 1, 80 + i);
        }
    }
}

const TRAIN: &str = "train bars --epochs 12 --batch-size 16 --lr 0.005 --out run";

#[test]
fn class_folders_with_korean_names_train_predict_and_are_judged() {
    let bench = Bench::new();
    bars(&bench);
    bench.file("bars/train/가로/.thumbs", "x");
    bench.file("bars/train/가로/notes.txt", "about the pictures");
    bench.file("bars/train/세로/broken.png", b"\x89PNG\r\n\x1a\nnothing");
    let run = bench.run(&format!("{TRAIN} --json")).good();
    let json = run.json();
    assert_eq!((&json["model"], &json["dataset"]), (&"stack".into(), &"bars".into()));
    assert!(json["test_accuracy"].as_f64().unwrap() > 0.9, "{json}");
    for words in ["broken.png", "notes.txt", "1 hidden files"] {
        assert!(run.stderr.contains(words), "no `{words}` in {}", run.told());
    }
    bench.run(&format!("{TRAIN} --overwrite --strict -q")).refused(&["bars/train/세로/broken.png"]);
    let predicted = bench.run("predict run bars/test --json").good().json();
    let predictions = predicted["predictions"].as_array().unwrap();
    let right = |p: &&serde_json::Value| {
        let column = p["input"].as_str().unwrap().contains("\u{1109}\u{1166}");
        p["class"] == if column { "세로" } else { "가로" }
    };
    assert_eq!(predictions.len(), 40);
    assert!(predictions.iter().filter(right).count() > 36, "{predicted}");
    let judged = bench.run("eval run bars --json").good().json();
    assert_eq!(judged["classes"], serde_json::json!(["가로", "세로"]));
    assert_eq!(judged["accuracy"], json["test_accuracy"]);
    assert_eq!(judged["per_class"][0]["support"], 20);
    assert_snapshot!("folder_check", bench.run("data check bars").good().told());
}

#[test]
fn a_class_that_was_not_trained_on_is_named() {
    let bench = Bench::new();
    bars(&bench);
    bar(&bench, "bars/test/빗금/1.png", true, 3);
    bench.run(&format!("{TRAIN} -q")).refused(&["빗금", "was not trained on"]);
    std::fs::remove_dir_all(bench.path("bars/train/세로")).unwrap();
    bench.run(&format!("{TRAIN} -q")).refused(&["one class alone"]);
}

#[test]
fn the_same_pictures_in_two_parts_are_reported() {
    let bench = Bench::new();
    bars(&bench);
    std::fs::copy(
        bench.path("bars/train/가로/7.png"),
        bench.path("bars/test/\u{1100}\u{1161}\u{1105}\u{1169}/copy.png"),
    )
    .unwrap();
    let brighter = image::open(bench.path("bars/train/세로/9.png")).unwrap().brighten(12);
    let into = bench.path("bars/test/\u{1109}\u{1166}\u{1105}\u{1169}/again.png");
    brighter.save_with_format(into, ImageFormat::Png).unwrap();
    let told = bench.run("data check bars").good().stdout;
    let pair = |a: &str, b: &str| told.lines().any(|l| l.contains(a) && l.contains(b));
    assert!(pair("copy.png", "가로/7.png") && pair("again.png", "세로/9.png"), "{told}");
}

/// Squares of some side and brightness, and a table of both.
fn squares(bench: &Bench, heading: &str) {
    let mut table = format!("{heading}\n");
    for i in 0..240u32 {
        let (side, light) = (2 + i % 9, 100 + i * 7 % 150);
        let at = i % 3;
        let picture = ImageBuffer::from_fn(12, 12, |x, y| {
            let inside = (at..at + side).contains(&x) && (at..at + side).contains(&y);
            Rgb(if inside { [light as u8, 0, light as u8 / 2] } else { [0; 3] })
        });
        std::fs::create_dir_all(bench.path("squares")).unwrap();
        picture.save(bench.path(&format!("squares/{i}.png"))).unwrap();
        let part = if i % 6 == 5 { "test" } else { "train" };
        writeln!(table, "{i}.png,{}.5,{light},{part}", side * side).unwrap();
    }
    bench.file("squares/table.csv", table);
}

#[test]
fn two_values_of_a_picture_are_learnt_from_a_table() {
    let bench = Bench::new();
    squares(&bench, "path,area,light,split");
    let train = "train squares/table.csv --epochs 60 --batch-size 20 --lr 0.01 --out run";
    let told = bench.run(train).good();
    assert!(told.stdout.contains("R²") && told.stdout.contains("MAE"), "{}", told.told());
    let judged = bench.run("eval run squares/table.csv --json").good().json();
    assert!(judged["r2"].as_f64().unwrap() > 0.9, "{judged}");
    assert!(judged["accuracy"].is_null(), "{judged}");
    let predicted = bench.run("predict run squares/5.png --json").good().json();
    let values = predicted["predictions"][0]["values"].as_array().unwrap();
    assert_eq!(values.len(), 2, "{predicted}");
    let report = std::fs::read_to_string(bench.path("run/report.html")).unwrap();
    assert!(report.contains("area") && report.contains("R²"));
    bench.run(&format!("{train} --overwrite -q --loss cross-entropy")).refused(&["cross", "values"]);
    bench.run(&format!("{train} --overwrite -q --class-weights")).refused(&["class"]);
}

#[test]
fn colour_pictures_are_changed_for_classes_and_never_for_values() {
    let bench = Bench::new();
    squares(&bench, "path,area,light,split");
    let rows = (0..60)
        .fold("path,kind\n".to_owned(), |rows, i| rows + &format!("{i}.png,{}\n", ["odd", "even"][i % 2]));
    bench.file("squares/kinds.csv", rows);
    let config = |options: &str| {
        bench
            .run(&format!("train squares/{options} --image-size 16 --out run --overwrite --no-report"))
            .good();
        std::fs::read_to_string(bench.path("run/config.toml")).unwrap()
    };
    for (options, wanted) in [
        ("kinds.csv --epochs 1", "augment = \"flip\""),
        ("kinds.csv --epochs 8", "augment = \"shift=1,flip\""),
        ("kinds.csv --epochs 13", "augment = \"shift=1,rotate=10,scale=0.1,flip\""),
        ("kinds.csv --epochs 1 --augment cutout=3", "augment = \"cutout=3\""),
        ("kinds.csv --epochs 1 --preset balanced", "model = \"vgg\""),
    ] {
        let config = config(options);
        assert!(config.contains(wanted) && config.contains("model = \"vgg"), "{options}: {config}");
    }
    for options in ["kinds.csv --epochs 1 --augment none", "table.csv --epochs 1 --model vgg-small"] {
        assert!(!config(options).contains("augment"), "{options}");
    }
}

#[test]
fn faults_of_a_table_are_named_by_line() {
    let bench = Bench::new();
    squares(&bench, "path,area,light,split");
    let with = |row: &str| bench.file("squares/bad.csv", format!("path,kind\n1.png,cat\n2.png,dog\n{row}\n"));
    let train = "train squares/bad.csv --out run";
    for (row, words) in [
        ("3.png", "line 4 has 1 cells"),
        ("3.png,", "line 4 has an empty target"),
        ("none.png,cat", "squares/none.png"),
    ] {
        with(row);
        bench.run(&format!("{train} -q --strict")).refused(&[words]);
    }
    assert!(!bench.path("run").exists(), "a run that could not begin left its folder");
}

/// Few pictures of one class and many of the other, hard to tell apart.
#[test]
fn class_weights_and_balanced_sampling_serve_the_small_class() {
    let bench = Bench::new();
    for i in 0..300 {
        bar(&bench, &format!("few/train/row/{i}.png"), false, i);
    }
    for i in 0..6 {
        bar(&bench, &format!("few/train/column/{i}.png"), true, 1000 + i * 3);
    }
    for i in 0..40 {
        bar(&bench, &format!("few/test/row/{i}.png"), false, 400 + i);
        bar(&bench, &format!("few/test/column/{i}.png"), true, 500 + i);
    }
    let recall = |options: &str| {
        let train = format!(
            "train few --epochs 4 --batch-size 16 --lr 0.003 --validation 0 --out run --overwrite --json {options}"
        );
        bench.run(&train).good();
        let judged = bench.run("eval run few --json").good().json();
        judged["per_class"][0]["recall"].as_f64().unwrap()
    };
    let plain = recall("");
    let (weighted, balanced) = (recall("--class-weights"), recall("--balanced-sampling"));
    assert!(weighted > plain && balanced > plain, "{plain} {weighted} {balanced}");
    assert_eq!(bench.run("train few --class-weights --balanced-sampling").code, Some(2));
}

#[test]
fn pictures_read_anew_each_epoch_give_the_same_model() {
    let bench = Bench::new();
    bars(&bench);
    let model = |options: &str| {
        let train = format!("train bars --epochs 3 --batch-size 16 --out run --overwrite --json {options}");
        let json = bench.run(&train).good().json();
        (std::fs::read(bench.path("run/model.safetensors")).unwrap(), json["test_accuracy"].clone())
    };
    for options in ["", "--augment shift=1,mixup=0.3", "--balanced-sampling --threads 1"] {
        assert!(model(options) == model(&format!("{options} --stream")), "{options}");
    }
}

#[test]
fn a_run_goes_on_whichever_way_its_pictures_are_read() {
    let bench = Bench::new();
    bars(&bench);
    let train = "train bars --epochs 2 --batch-size 16 --no-report --out run";
    // First all grey; then one picture is in colour, which makes all of them colour pictures.
    for round in 0..2u8 {
        for [first, then] in [["", "--stream"], ["--stream", ""], ["--stream", "--stream"]] {
            bench.run(&format!("{train} --overwrite {first}")).good();
            let model = || std::fs::read(bench.path("run/model.safetensors")).unwrap();
            let whole = model();
            let run = bench.run(&format!("{train} {then} --resume")).good();
            assert!(run.stderr.contains("going on after epoch"), "{}", run.told());
            assert!(model() == whole, "{round} {first} {then}");
        }
        // With other pixels it is still another run.
        let picture = ImageBuffer::from_fn(12, 12, |x, y| Rgb([x as u8, y as u8, 9 + round]));
        picture.save(bench.path("bars/train/가로/7.png")).unwrap();
        bench.run(&format!("{train} -q --resume")).refused(&["another run"]);
        bench.run(&format!("{train} -q --resume --stream")).refused(&["another run"]);
    }
}

/// A table of ids, as competitions have them, whose pictures stand in a folder of their own; bars between labels; and
/// an array of names for classes.
#[test]
fn names_without_extension_bars_and_arrays_of_names_are_read() {
    let bench = Bench::new();
    let (mut ids, mut tags) = (String::from("id,label\n"), String::from("id,label\n"));
    for i in 0..60u32 {
        let column = i % 2 == 1;
        bar(&bench, &format!("pictures/{i}.{}", if i % 3 == 0 { "PNG" } else { "png" }), column, i / 2);
        writeln!(ids, "{i},{}", if column { "column" } else { "row" }).unwrap();
        writeln!(tags, "{i},{}", ["a|b", "a", "b|c"][i as usize % 3]).unwrap();
    }
    bench.file("ids.csv", ids);
    bench.file("pictures/tags.csv", tags);
    let train = "--epochs 1 --no-report --out run --overwrite";
    bench
        .run(&format!("train ids.csv {train}"))
        .refused(&["none of the pictures that it names is there", "--images"]);
    let run = bench.run(&format!("train ids.csv --images pictures {train}")).good();
    assert!(
        run.stderr.contains("60 names have no extension") && run.stderr.contains("2 classes"),
        "{}",
        run.told()
    );
    let tags = bench.run("data check pictures/tags.csv").told();
    assert!(tags.contains("3 labels (a, b, c)"), "{tags}");

    let words: Vec<u8> = (0..60)
        .flat_map(|i| ["행", "column"][i % 2].chars().chain(std::iter::repeat('\0')).take(6))
        .flat_map(|c| (c as u32).to_le_bytes())
        .collect();
    let pixels = (0..60 * 64).map(|i| if i / 64 % 2 == usize::from(i % 64 < 8) { 200 } else { 9 }).collect();
    crate::npz_file::npz(
        &bench,
        "words.npz",
        &[("x", "|u1", vec![60, 8, 8], pixels), ("y", "<U6", vec![60], words)],
    );
    let run = bench.run(&format!("train words.npz {train}")).good();
    assert!(run.stderr.contains("2 classes (column, 행)"), "{}", run.told());
}
