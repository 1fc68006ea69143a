//! What `data check` finds, with the names of files; folders that are not what they seem; formats that are not read.

use crate::harness::Bench;
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

/// A picture of 8x8 with noise of its own.
fn picture(seed: u32, format: ImageFormat) -> Vec<u8> {
    let noise = |x: u32, y: u32| ((seed * 64 + y * 8 + x).wrapping_mul(2_654_435_761) >> 24) as u8;
    let mut bytes = std::io::Cursor::new(Vec::new());
    let grey = DynamicImage::ImageLuma8(ImageBuffer::from_fn(8, 8, |x, y| Luma([noise(x, y)])));
    // GIF is written from colours.
    let picture = if format == ImageFormat::Gif { DynamicImage::ImageRgb8(grey.to_rgb8()) } else { grey };
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(bench: &Bench, path: &str, seed: u32) {
    bench.file(path, picture(seed, ImageFormat::Png));
}

fn suspect<'a>(checked: &'a Value, what: &str) -> &'a Value {
    let all = checked["train"]["suspects"].as_array().unwrap();
    all.iter().find(|s| s["what"] == what).unwrap_or_else(|| panic!("no {what} in {checked}"))
}

#[test]
fn suspects_have_counts_names_and_pictures() {
    let bench = Bench::new();
    for i in 0..30 {
        png(&bench, &format!("set/pos/{i}.png"), i);
        png(&bench, &format!("set/neg/{i}.png"), 100 + i);
    }
    png(&bench, "set/Pos/slip.png", 200);
    png(&bench, "set/negg/slip.png", 201);
    png(&bench, "set/pos/again.png", 3);
    png(&bench, "set/neg/other.png", 4);
    let mut blank = std::io::Cursor::new(Vec::new());
    ImageBuffer::<Luma<u8>, _>::new(8, 8).write_to(&mut blank, ImageFormat::Png).unwrap();
    bench.file("set/neg/blank.png", blank.into_inner());
    let checked = bench.run("data check set --json").good().json();
    assert_eq!(suspect(&checked, "blank")["samples"], json!(["set/neg/blank.png"]));
    assert_eq!(suspect(&checked, "contradictions")["count"], 1);
    let alike =
        checked["train"]["suspects"].as_array().unwrap().iter().filter(|s| s["what"] == "alike_classes");
    assert_eq!(alike.count(), 2, "{checked}");
    suspect(&checked, "single_sample");
    suspect(&checked, "imbalance");
    let text = bench.run("data check set").good().stdout;
    for word in [
        "1 samples are blank: set/neg/blank.png",
        "set/pos/again.png",
        "spelled alike: set/Pos/slip.png",
        "more than ten to one",
        "Looked for and not found: NaN and infinity.",
    ] {
        assert!(text.contains(word), "no `{word}` in {text}");
    }
    assert!(!text.contains("Nothing"), "{text}");
    let korean = bench.run("data check set --lang ko").good().stdout;
    assert!(korean.contains("철자가 비슷합니다") && korean.contains("찾아보았으나 없음:"), "{korean}");
    bench.run("data show set --suspects -o suspects.svg").good();
    let sheet = std::fs::read_to_string(bench.path("suspects.svg")).unwrap();
    assert!(sheet.starts_with("<svg"), "{sheet}");
    let shown = bench.run("data show set --suspects --json").good().json();
    assert!(shown["samples"].as_array().unwrap().len() >= 6, "{shown}");
}

#[test]
fn targets_have_statistics_and_faults() {
    let bench = Bench::new();
    let mut table = String::from("file,size,age\n");
    for i in 0..40 {
        png(&bench, &format!("{i}.png"), i);
        let size = if i == 7 { 5e6 } else { f64::from(i % 11) + 0.5 };
        table += &format!("{i}.png,{size},3.5\n");
    }
    bench.file("sizes.csv", table);
    let checked = bench.run("data check sizes.csv --json").good().json();
    assert_eq!(
        (&checked["train"]["targets"][0]["max"], &checked["train"]["targets"][1]["std"]),
        (&json!(5e6), &json!(0.0))
    );
    assert_eq!(suspect(&checked, "outlying_targets")["samples"], json!(["7.png"]));
    suspect(&checked, "constant_target");
    let text = bench.run("data check sizes.csv").good().stdout;
    assert!(text.contains("far from the others (median 5): 7.png") && text.contains("median"), "{text}");
    assert!(text.contains("regression of size, age"), "{text}");
}

#[test]
fn what_is_not_read_is_loud_and_odd_names_spoil_nothing() {
    let bench = Bench::new();
    for i in 0..12 {
        png(&bench, &format!("pets/cat/{i}.png"), i);
        bench.file(&format!("pets/dog/{i}.gif"), picture(50 + i, ImageFormat::Gif));
        png(&bench, &format!("elsewhere/{i}.png"), 80 + i);
        bench.file(&format!("pets/owl/{i}.heic"), b"\0\0\0\x18ftypheic\0\0\0\0");
    }
    bench.file("pets/cat/photo.png", b"\0\0\0\x18ftypheic\0\0\0\0");
    std::fs::create_dir(bench.path("pets/fox")).unwrap();
    symlink(bench.path("elsewhere"), bench.path("pets/emu")).unwrap();
    symlink(bench.path("nowhere"), bench.path("pets/cat/gone.png")).unwrap();
    let odd = bench.path("pets/cat").join(OsStr::from_bytes(b"caf\xe9.png"));
    std::fs::write(odd, picture(99, ImageFormat::Png)).unwrap();
    let run = bench.run("train pets --epochs 1 --out run --no-report").good();
    for word in [
        "3 classes (cat, dog, emu)",
        "warning: no file of folder owl is a picture that is read (12 HEIC): there is no class owl",
        "warning: folders without any file: fox",
        "12 GIF pictures: of several frames the first is read",
        "its name is not UTF-8; rename it",
        "a link to nothing",
        "photo.png: holds a HEIC picture",
        "HEIC, which is not read; convert it to PNG or JPEG",
    ] {
        assert!(run.stderr.contains(word), "no `{word}` in {}", run.told());
    }
    let predicted = bench.run("predict run pets/dog/0.gif --json").good().json();
    assert!(predicted["predictions"][0]["class"].is_string(), "{predicted}");
    for i in 0..3 {
        bench.file(&format!("phone/a/{i}.heic"), "x");
        bench.file(&format!("phone/b/{i}.heic"), "x");
    }
    bench.run("train phone --out no").refused(&["6 files of formats that are not read (HEIC)", "convert"]);
}

#[test]
fn folders_of_splits_are_no_classes() {
    let bench = Bench::new();
    for (i, class) in (0..24).zip(["cat", "dog"].into_iter().cycle()) {
        for folder in ["train", "test", "unlabeled"] {
            png(&bench, &format!("parted/{folder}/{class}/{i}.png"), i * 3 + folder.len() as u32);
        }
        for folder in ["training", "dev", "Testing Set"] {
            png(&bench, &format!("spelled/{folder}/{class}/{i}.png"), i * 7 + folder.len() as u32);
        }
        png(&bench, &format!("folds/fold{}/{class}/{i}.png", i % 3 + 1), 500 + i);
        png(&bench, &format!("nested/{class}/{}/{i}.png", ["left", "right"][i as usize / 2 % 2]), 700 + i);
    }
    let check = |data: &str| {
        let checked = bench.run(&format!("data check {data} --json")).good().json();
        assert_eq!(checked["classes"], json!(["cat", "dog"]), "{checked}");
        (
            checked["train"]["samples"].as_u64().unwrap(),
            checked["test"]["samples"].as_u64(),
            checked["read_as"].to_string(),
        )
    };
    let (train, test, told) = check("parted");
    assert!((train, test) == (24, Some(24)) && told.contains("not read: unlabeled"), "{told}");
    assert_eq!(check("spelled").0, 48);
    let (train, _, told) = check("folds");
    assert!(train == 24 && told.contains("fold1, fold2, fold3 hold the same folders"), "{told}");
    assert!(check("nested").2.contains("every class folder holds the same folders (left, right)"));
}
