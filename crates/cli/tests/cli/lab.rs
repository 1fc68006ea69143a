//! The lecture.

use crate::harness::Bench;
use insta::assert_snapshot;

#[test]
fn the_lecture_in_english_and_korean() {
    let bench = Bench::new();
    assert_snapshot!("lab_english", cut(&bench.run("lab").good().told()));
    assert_snapshot!("lab_korean", cut(&bench.run("lab --lang ko").good().told()));
}

/// The lecture up to the random filters, whose products may be rounded differently on other machines.
fn cut(text: &str) -> &str {
    text.split("\n10. ").next().unwrap()
}

#[test]
fn the_lecture_has_the_lectures_numbers() {
    let json = Bench::new().run("lab --json").good().json();
    let steps = json["steps"].as_array().unwrap();
    let find = |shape: serde_json::Value, start: &[f64]| {
        steps.iter().any(|s| {
            let values = s["values"].as_array().cloned().unwrap_or_default();
            let begins = values.iter().zip(start).filter(|(v, w)| v.as_f64() == Some(**w)).count();
            s["shape"] == shape && begins == start.len()
        })
    };
    let shape = |s: [usize; 4]| serde_json::json!(s);
    assert!(find(shape([1, 3, 3, 1]), &[1.0, 2.0, 3.0]));
    assert!(find(shape([1, 2, 2, 1]), &[12.0, 16.0, 24.0, 28.0]));
    assert!(find(shape([1, 3, 3, 1]), &[12.0, 16.0, 9.0, 24.0, 28.0, 15.0, 15.0, 17.0, 9.0]));
    assert!(find(shape([1, 3, 3, 3]), &[12.0, 120.0, -12.0, 16.0, 160.0, -16.0]));
    assert!(find(shape([1, 1, 1, 1]), &[4.0]));
    assert!(find(shape([1, 2, 2, 1]), &[4.0, 3.0, 2.0, 1.0]));
    assert!(find(shape([1, 2, 2, 1]), &[-1.0; 4]));
    assert!(find(shape([1, 28, 28, 1]), &[0.0]));
    assert!(find(shape([1, 14, 14, 5]), &[]) && find(shape([1, 7, 7, 5]), &[]));
    assert!(steps.iter().all(|s| s["title"].as_str().is_some_and(|t| !t.is_empty())));
}

#[test]
fn the_pooled_maps_are_those_of_the_maps_shown_and_follow_the_seed() {
    let bench = Bench::new();
    let values = |run: &str, side: u64| -> Vec<f64> {
        let json = bench.run(run).good().json();
        let steps = json["steps"].as_array().unwrap().clone();
        let step = steps.iter().find(|s| s["shape"] == serde_json::json!([1, side, side, 5])).unwrap();
        step["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    };
    let (maps, small) = (values("lab --json", 14), values("lab --json", 7));
    for (i, &pooled) in small.iter().enumerate() {
        let (h, w, c) = (i / 35, i / 5 % 7, i % 5);
        let at = |dh: usize, dw: usize| maps[((2 * h + dh) * 14 + 2 * w + dw) * 5 + c];
        assert_eq!(pooled, at(0, 0).max(at(0, 1)).max(at(1, 0)).max(at(1, 1)));
    }
    assert_ne!(values("lab --json --seed 1", 14), maps);
    assert_eq!(values("lab --json --threads 1", 14), maps);
}

#[test]
fn every_figure_is_written() {
    let bench = Bench::new();
    let run = bench.run("lab --out figures --lang ko -q").good();
    assert_eq!(run.stderr, "");
    let mut names: Vec<String> = std::fs::read_dir(bench.path("figures"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_snapshot!("figures", names.join("\n"));
    for name in names {
        let bytes = std::fs::read(bench.path("figures").join(&name)).unwrap();
        let picture = foveal::data::picture::decode(&bytes, &name).unwrap();
        assert!(picture.width() > 600 && picture.height() > 500, "{name}");
    }
}

/// docs/lab.md, docs/lab.ko.md and their figures are what the program says. To renew them:
/// `cargo run -p foveal-cli -- lab --document docs`
#[test]
fn the_document_is_what_the_lab_says() {
    let bench = Bench::new();
    bench.run("lab --document out -q").good();
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let read = |folder: &std::path::Path, name: &str| {
        std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    let made = bench.path("out");
    let mut figures = 0;
    for (page, folder) in [("lab.md", "images/lab"), ("lab.ko.md", "images/lab/ko")] {
        let text = read(&docs, page);
        assert_eq!(text, read(&made, page), "{page} is old: cargo run -p foveal-cli -- lab --document docs");
        let named = text.split("](images/").skip(1).map(|rest| rest.split_once(')').unwrap().0);
        for name in named {
            let name = format!("images/{name}");
            assert!(name.starts_with(folder));
            let (kept, drawn) = (read(&docs, &name), read(&made, &name));
            // Products of the random filters may be rounded differently on other machines.
            let random = ["10-", "11-", "12-"].iter().any(|n| name.contains(n));
            assert!(
                kept == drawn || random && kept.lines().count() == drawn.lines().count(),
                "{name} is old"
            );
            figures += 1;
        }
    }
    assert_eq!(figures, 24);
}

/// What the steps show is what the example runs.
#[test]
fn the_example_has_the_code_of_the_steps() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    // The two files differ after the last mark.
    let marked = |text: &str| -> Vec<String> {
        let parts: Vec<&str> = text.split("    // [").skip(1).collect();
        parts[..parts.len() - 1].iter().map(|part| part.trim_end().to_owned()).collect()
    };
    let shown = marked(&read("src/commands/lab/code.rs"));
    assert_eq!(shown.len(), 19);
    assert_eq!(marked(&read("../foveal/examples/lab.rs")), shown);
}
