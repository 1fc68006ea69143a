//! Several labels a sample: told, trained, judged, predicted, exported.

use crate::harness::Bench;
use image::{ImageBuffer, Luma};
use std::fmt::Write;

const NAMES: [&str; 3] = ["row", "column", "block"];

/// Which of the labels sample `i` has: all eight mixtures.
fn has(i: u32) -> [bool; 3] {
    [i % 2 == 1, i / 2 % 2 == 1, i / 4 % 2 == 1]
}

/// Pictures of 12x12 with a bright row, a bright column and a block, or without; a table with a cell for all labels, and
/// one with a column for each. Pictures without any label are in the second alone.
fn pictures(bench: &Bench) {
    let (mut cells, mut columns) =
        (String::from("file,label\n"), String::from("file,row,column,block,age\n"));
    for i in 0..240u32 {
        let [row, column, block] = has(i);
        let (r, c) = (i / 8 % 6, 1 + i / 8 % 5);
        let picture = ImageBuffer::from_fn(12, 12, |x, y| {
            let noise = (i * 144 + y * 12 + x).wrapping_mul(2_654_435_761) >> 27;
            let on =
                row && y == r || column && x == c || block && (8..11).contains(&x) && (8..11).contains(&y);
            Luma([(noise + if on { 200 } else { 0 }) as u8])
        });
        std::fs::create_dir_all(bench.path("marks")).unwrap();
        picture.save(bench.path(&format!("marks/{i}.png"))).unwrap();
        let own: Vec<&str> = has(i).iter().zip(NAMES).filter(|(on, _)| **on).map(|(_, name)| name).collect();
        if !own.is_empty() {
            writeln!(cells, "{i}.png,{}", own.join(";")).unwrap();
        }
        let [row, column, block] = has(i).map(u32::from);
        writeln!(columns, "{i}.png,{row},{column},{block},{}", i % 90).unwrap();
    }
    bench.file("marks/cells.csv", cells);
    bench.file("marks/columns.csv", columns);
}

const TRAIN: &str = "--epochs 40 --batch-size 16 --lr 0.005 --test 0.2";

fn is_high(figure: &serde_json::Value) -> bool {
    figure.as_f64().is_some_and(|v| v > 0.95)
}

#[test]
fn several_labels_a_picture_are_told_trained_and_judged() {
    let bench = Bench::new();
    pictures(&bench);
    let run = bench.run(&format!("train marks/cells.csv --out cells {TRAIN} --json")).good();
    let told = "several labels a sample: 3 labels (block, column, row)";
    assert!(run.stderr.contains(told) && run.stderr.contains("--task classification"), "{}", run.told());
    let json = run.json();
    assert!(is_high(&json["scores"]["map"]), "{json}");
    let judged = bench.run("eval cells marks/cells.csv --json").good().json();
    for figure in ["map", "macro_f1", "micro_f1", "exact", "hamming"] {
        assert!(is_high(&judged[figure]), "{figure}: {judged}");
    }
    let first = &judged["labels"][0];
    assert_eq!((first["label"].as_str(), judged["labels"].as_array().unwrap().len()), (Some("block"), 3));
    assert!(is_high(&first["average_precision"]) && first["threshold"].as_f64().unwrap() > 0.0, "{judged}");
    let text = bench.run("eval cells marks/cells.csv").good().stdout;
    assert!(text.starts_with("mAP ") && text.contains("threshold"), "{text}");
    let korean = bench.run("eval cells marks/cells.csv --lang ko").good().stdout;
    assert!(korean.contains("문턱값") && korean.contains("매크로 F1"), "{korean}");
    let refused = bench.run("eval cells marks/cells.csv --mistakes wrong");
    assert!(refused.code == Some(1) && refused.stderr.contains("error: --mistakes"), "{}", refused.told());
    // Classes are made of the cells if that is asked for.
    let classes = bench.run("data check marks/cells.csv --task classification --json").good().json();
    assert_eq!(classes["classes"].as_array().unwrap().len(), 7, "{classes}");
    bench.run("train marks/cells.csv --task regression --out no -q").refused(&["cells.csv"]);
    bench
        .run(&format!("train marks/cells.csv --loss mse --out no -q {TRAIN}"))
        .refused(&["binary-cross-entropy"]);
    bench
        .run(&format!("train marks/cells.csv --class-weights --out no -q {TRAIN}"))
        .refused(&["labels", "several"]);
}

#[test]
fn predictions_files_and_report_speak_of_several_labels() {
    let bench = Bench::new();
    pictures(&bench);
    let train = format!("train marks/columns.csv --labels row,column,block --out run {TRAIN}");
    let run = bench.run(&train).good();
    assert!(run.stdout.contains("test mAP ") && run.stdout.contains("threshold"), "{}", run.told());
    let all = bench.run("predict run marks --json").good().json();
    assert_eq!(all["classes"], serde_json::json!(NAMES));
    let right = all["predictions"].as_array().unwrap().iter().filter(|p| {
        let name = p["input"].as_str().unwrap().trim_start_matches("marks/").trim_end_matches(".png");
        let wanted: Vec<&str> = has(name.parse().unwrap())
            .iter()
            .zip(NAMES)
            .filter(|(on, _)| **on)
            .map(|(_, name)| name)
            .collect();
        assert_eq!(p["probabilities"].as_array().unwrap().len(), 3);
        p["labels"] == serde_json::json!(wanted)
    });
    assert!(right.count() > 225, "{all}");
    let two = bench.run("predict run marks/3.png marks/0.png").good().stdout;
    assert!(two.contains("marks/3.png: row, column\n") && two.contains("marks/0.png: -\n"), "{two}");
    bench.run("predict run marks/3.png marks/0.png --csv out.csv -q").good();
    let csv = std::fs::read_to_string(bench.path("out.csv")).unwrap();
    assert!(csv.starts_with("input,labels,row,column,block,error\nmarks/3.png,row;column,"), "{csv}");
    assert!(bench.run("show run marks/3.png").good().stdout.starts_with("marks/3.png: row, column\n"));
    let report = std::fs::read_to_string(bench.path("run/report.html")).unwrap();
    for words in
        ["Label by label", "레이블별 결과", "threshold", "mean average precision", "binary cross-entropy"]
    {
        assert!(report.contains(words), "no `{words}`");
    }
    let predictions = std::fs::read_to_string(bench.path("run/predictions.csv")).unwrap();
    assert!(predictions.starts_with("part,sample,true row,predicted row,"), "{predictions}");
    // The file gives the same probabilities, and its reader finds the labels again.
    bench.run("export run run.onnx").good();
    bench.run("import run.onnx again.safetensors").good();
    let again = bench.run("predict again.safetensors marks/3.png --json").good().json();
    let first = bench.run("predict run marks/3.png --json").good().json();
    assert_eq!(again["predictions"][0]["labels"], first["predictions"][0]["labels"]);
    let p = |json: &serde_json::Value| json["predictions"][0]["probabilities"][0].as_f64().unwrap();
    assert!((p(&again) - p(&first)).abs() < 1e-5, "{again} {first}");
    // The columns of a model's labels are found by their names.
    bench.run("eval run marks/columns.csv").good();
    // It goes on to other labels, and to classes.
    bench.run("train marks/cells.csv --from run --epochs 1 --no-report --out more").good();
    bench
        .run("train marks/cells.csv --task classification --from run --epochs 1 --no-report --out one")
        .good();
    let folds = train.replace("--out run", "--out folds --folds 2 --no-report").replace(" --test 0.2", "");
    let folds = bench.run(&folds).good();
    assert!(folds.stdout.contains("mAP"), "{}", folds.told());
}

#[test]
fn names_with_commas_are_no_labels() {
    let bench = Bench::new();
    pictures(&bench);
    let row = |i: u32| format!("{i}.png,\"{}\"\n", ["Lee, Ann", "Kim, Bo", "Choi"][i as usize % 3]);
    bench.file("marks/people.csv", format!("file,label\n{}", (0..60).map(row).collect::<String>()));
    let checked = bench.run("data check marks/people.csv --json").good().json();
    assert_eq!(checked["classes"], serde_json::json!(["Choi", "Kim, Bo", "Lee, Ann"]));
    let forced = bench.run("data check marks/people.csv --task labels").good().stdout;
    assert!(forced.contains("Ann") && forced.contains("Kim"), "{forced}");
}
