//! CT: folders of DICOM slices.

use crate::harness::Bench;
use serde_json::json;
use std::path::Path;

#[path = "../../../foveal/examples/ct_phantoms/dicom_file.rs"]
mod dicom_file;

pub use dicom_file::DicomFile;
use dicom_file::Plane;

/// What names the patients of the slices here.
const SECRETS: [&str; 3] = ["Doe^Jane", "PID-77", "1.2.826.4711"];

/// A slice of 12x12 pixels: air, and in it a block of `dense` Hounsfield units.
pub fn slice(patient: usize, k: u32, dense: i16) -> DicomFile {
    let pixels: Vec<i16> = (0..144)
        .map(|i| {
            let (row, column) = (i / 12, i % 12);
            let noise = ((i * 37 + patient as i32 * 11 + k as i32 * 5) % 9) as i16;
            if (3..9).contains(&row) && (3..9).contains(&column) { dense + noise } else { noise - 1000 }
        })
        .collect();
    let plane = Plane {
        patient: &format!("PID-77{patient}"),
        name: "Doe^Jane",
        series: &format!("1.2.826.4711.{patient}"),
        instance: k,
        position: [0.0, 0.0, f64::from(k) * 2.5],
        spacing: [1.0, 1.0],
        size: [12, 12],
    };
    DicomFile::slice(&plane, &pixels)
}

/// Ten patients with two slices each in each class folder, and files that are not slices.
fn scans(bench: &Bench) {
    for patient in 0..10 {
        for k in 0..2 {
            bench.file(&format!("scans/dense/{patient}-{k}"), slice(patient, k, 200).bytes());
            bench.file(&format!("scans/thin/{patient}-{k}.dcm"), slice(patient, 9 - k, 0).bytes());
        }
    }
    bench.file("scans/DICOMDIR", slice(0, 0, 0).bytes());
    bench.file("scans/notes.txt", "nothing");
}

/// All files under `folder`, as bytes.
fn all(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all(&path, found);
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

fn tells_nothing(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[test]
fn slices_train_evaluate_predict_and_show_without_a_word_of_the_patient() {
    let bench = Bench::new();
    scans(&bench);
    let mut told = String::new();
    let mut run = |arguments: &str| {
        let run = bench.run(arguments);
        assert_eq!(run.code, Some(0), "{arguments}: {}{}", run.stdout, run.stderr);
        told += &format!("{}{}", run.stdout, run.stderr);
        format!("{}{}", run.stdout, run.stderr)
    };
    let checked: serde_json::Value =
        serde_json::from_str(&run("data check scans --window 0,800 --json")).unwrap();
    let ct = &checked["ct"];
    assert_eq!([&ct["patients"], &ct["series"], &ct["slices"]], [10, 10, 40], "{ct}");
    assert_eq!((&ct["split"], &ct["window"]), (&json!([8, 1, 1]), &json!([0.0, 800.0])));
    assert_eq!((&ct["hounsfield"], &ct["spacing"]), (&json!([-1000.0, 208.0]), &json!([1.0, 1.0])));
    let korean = run("data check scans --lang ko");
    assert!(korean.contains("환자") && korean.contains("DICOM 단면이 아님"), "{korean}");
    let trained = run("train scans --window 0,800 --epochs 30 --batch-size 8 --out run --tensorboard");
    assert!(
        trained.contains("divided by patient: 8 for training, 1 for validation, 1 for the test"),
        "{trained}"
    );
    assert!(trained.contains("test accuracy 100.00 %"), "{trained}");
    let score = run("eval run scans");
    assert!(score.contains("accuracy 100.00 % of 4 images"), "{score}");
    let predicted = run("predict run scans/dense/3-0 scans/thin");
    assert!(
        predicted.contains("scans/dense/3-0: dense") && predicted.contains("scans/thin/7-1.dcm: thin"),
        "{predicted}"
    );
    run("show run scans/dense/3-0 -o page.html");
    run("show run scans/dense/3-0");
    tells_nothing(&told);
    let mut written = Vec::new();
    all(&bench.path("run"), &mut written);
    written.push(("page.html".into(), std::fs::read(bench.path("page.html")).unwrap()));
    assert!(written.len() >= 6, "{}", written.len());
    for (name, bytes) in &written {
        for secret in SECRETS {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "{name} holds {secret}");
        }
    }
    let model = written.iter().find(|(name, _)| name.ends_with("model.safetensors")).unwrap();
    assert!(String::from_utf8_lossy(&model.1).contains(r#"\"window\":[0.0,800.0]"#));
}

#[test]
fn labels_name_files_series_or_patients() {
    let bench = Bench::new();
    for patient in 0..6 {
        for k in 0..2 {
            let dense = 40 * patient as i16;
            bench.file(&format!("scans/{patient}/{k}"), slice(patient, k, dense).bytes());
        }
    }
    let row = |patient: usize| 0.5 + patient as f64;
    let files: Vec<String> =
        (0..6).flat_map(|p| (0..2).map(move |k| format!("{p}/{k},{}\n", row(p)))).collect();
    let series: Vec<String> = (0..6).map(|p| format!("1.2.826.4711.{p}.1,{}\n", row(p))).collect();
    let patients: Vec<String> = (0..6).map(|p| format!("PID-77{p},{}\n", row(p))).collect();
    bench.file("file.csv", format!("file,density\n{}", files.concat()));
    bench.file("series.csv", format!("series,density\n{}1.2.3,9.5\n", series.concat()));
    bench.file("patient.csv", format!("patient,density\n{}", patients[1..].concat()));
    bench.file("split.csv", "file,density,split\n0/0,1.5,train\n0/1,1.5,test\n1/0,2.5,train\n");
    bench.file("bare.csv", "0/0,1.5\n0/1,2.5\n");
    let check = |table: &str| bench.run(&format!("data check scans --labels {table} --json"));
    for (table, slices, skipped) in [
        ("file.csv", 12, None),
        ("series.csv", 12, Some("1 rows of series.csv name no slice")),
        ("patient.csv", 10, Some("has no row in patient.csv")),
    ] {
        let run = check(table);
        let json: serde_json::Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
        assert_eq!(json["ct"]["slices"], slices, "{table}");
        assert_eq!(json["ct"]["labelled"], true);
        let told = json["skipped"].to_string();
        assert!(
            skipped.map_or(json["skipped"].as_array().unwrap().is_empty(), |s| told.contains(s)),
            "{table}: {told}"
        );
        tells_nothing(&run.stdout);
    }
    for (table, told) in [
        ("split.csv", "are of one patient and in different parts"),
        ("bare.csv", "must be headed file, series or patient"),
    ] {
        let run = check(table);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains(told), "{}", run.stderr);
        tells_nothing(&run.stderr);
    }
    let without = bench.run("data check scans/0");
    assert!(without.stdout.contains("No labels"), "{}{}", without.stdout, without.stderr);
    let run = bench.run("train scans/0 --no-report");
    assert!(run.stderr.contains("--labels LABELS.csv"), "{}", run.stderr);
    let run = bench.run("train scans --labels series.csv --epochs 1 --no-report --out run");
    assert!(run.stdout.contains("R²"), "{}{}", run.stdout, run.stderr);
}

#[test]
fn what_is_for_ct_alone_is_refused_elsewhere() {
    let bench = Bench::new();
    bench.file("a.dcm", slice(1, 1, 0).bytes());
    bench.file("pictures/a/x.png", []);
    for (arguments, told) in [
        ("data check mnist --window lung", "are for folders of DICOM slices"),
        ("train mnist --window lung", "are for folders of DICOM slices"),
        ("data check a.dcm", "not a data set"),
    ] {
        let run = bench.run(arguments);
        assert_eq!(run.code, Some(1), "{arguments}");
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
    assert_eq!(bench.run("data check scans --window 40,0").code, Some(2));
    assert_eq!(bench.run("data check scans --window bones").code, Some(2));
}
