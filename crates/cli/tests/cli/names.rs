//! Names of others: nothing in them steers a terminal, breaks a line or turns its direction, in any stream and file.

use crate::harness::{Bench, Run};
use foveal::view::steers;
use image::{GrayImage, Luma};
use std::path::Path;

/// Names of classes, and so of folders.
const CLASSES: [&str; 3] = ["red\u{1b}[31m\u{7}", "two\nlines\u{9b}31m", "turned\u{202e}gnp.\u{2066}"];

fn harmless(what: &str, text: &str) {
    let bad = text.chars().find(|c| steers(*c) && *c != '\n');
    assert!(bad.is_none(), "{what}: {:?} in {text:?}", bad.unwrap());
    // In a page a new line is a blank.
    let page = what.ends_with(".html") || what.ends_with(".svg");
    assert!(page || !text.contains("two\nlines"), "{what}: {text}");
}

fn checked(what: &str, run: &Run) {
    harmless(what, &run.stdout);
    harmless(what, &run.stderr);
}

fn pictures(bench: &Bench) {
    for (i, class) in CLASSES.iter().enumerate() {
        for k in 0..6u32 {
            let name = format!("set/{class}/p\u{1b}]0;x\u{7}{k}.png");
            std::fs::create_dir_all(bench.path(&name).parent().unwrap()).unwrap();
            let side = |x: u32| if x / 3 == i as u32 { 230 } else { (k * 7) as u8 };
            GrayImage::from_fn(9, 9, |x, _| Luma([side(x)])).save(bench.path(&name)).unwrap();
        }
        bench.file(&format!("set/{class}/bad\r\u{1b}[2J.png"), "no picture");
    }
}

/// Every file of text below a folder.
fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            files(&path, found);
        } else if [".csv", ".md", ".html", ".svg"].iter().any(|end| name.ends_with(end)) {
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn no_name_reaches_a_stream_or_a_file_as_it_is() {
    let bench = Bench::new();
    pictures(&bench);
    let hostile = "run\u{1b}[1m\nx";
    let each = |arguments: &[&str]| {
        let mut command = bench.command("");
        let run = Run::new(&arguments.join(" "), command.args(arguments).output().unwrap());
        checked(&arguments.join(" "), &run);
        run
    };
    let train = ["train", "set", "--epochs", "2", "--model", "stack", "--validation", "3", "--out", hostile];
    each(&train).good();
    let input = format!("set/{}/p\u{1b}]0;x\u{7}0.png", CLASSES[1]);
    let bad = format!("set/{}/bad\r\u{1b}[2J.png", CLASSES[1]);
    for lang in ["en", "ko"] {
        for json in [&["--quiet"][..], &["--json"]] {
            for arguments in [
                &["predict", hostile, &input, &bad, "--csv", "out.csv"][..],
                &["predict", hostile, "set"],
                &["eval", hostile, "set", "--mistakes", "wrong"],
                &["show", hostile, &input],
                &["summary", hostile],
                &["summary", hostile, "--plan"],
                &["compare", hostile, hostile],
                &["data", "check", "set"],
                &["data", "show", "set"],
                &["predict", "none\u{1b}[1m", "x\ny"],
                &["train", "none\u{202e}", "--out", "q\u{1b}"],
                &["conv2d", "x\u{1b}[0m.npy", "w.npy"],
                &["no\u{1b}[31m"],
                &["train", "set", "--lr", "\u{1b}[31m"],
            ] {
                each(&[arguments, json, &["--lang", lang]].concat());
            }
        }
    }
    each(&["show", hostile, &input, "-o", "out.html"]).good();
    each(&["show", hostile, &input, "-o", "out.svg"]).good();
    let mut found = Vec::new();
    files(&bench.path("."), &mut found);
    assert!(found.len() >= 6, "{:?}", found.iter().map(|f| &f.0).collect::<Vec<_>>());
    for (name, text) in &found {
        harmless(name, text);
    }
    // What the names were can still be told.
    let rows = &found.iter().find(|(name, _)| name.ends_with("out.csv")).unwrap().1;
    assert!(rows.contains("red\\u{1b}[31m\\u{7}") && rows.contains("two\\nlines"), "{rows}");
}

#[test]
fn long_names_are_cut_in_their_middle() {
    let bench = Bench::new();
    let long = "n".repeat(4096);
    let rows: String =
        (0..40).map(|i| format!("{}\tword{} and {i}\n", ["good", &long][i % 2], i % 2)).collect();
    bench.file("set.tsv", rows);
    let train = bench.run("train set.tsv --epochs 1 --out run");
    checked("train", &train);
    let said = bench.run("predict run word1").good().stdout;
    assert!(said.lines().all(|line| line.chars().count() < 600), "{said}");
    let missing = format!("predict run {}.txt", "m".repeat(4000));
    let refused = bench.run(&missing);
    assert!(refused.code == Some(1) && refused.stderr.chars().count() < 600, "{}", refused.stderr);
}
