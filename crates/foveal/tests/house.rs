//! The house's rules, over `cargo metadata`: who may import whom, where `unsafe` may stand, whose licences come in.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each crate may import of ours.
const IMPORTS: [(&str, &[&str]); 13] = [
    ("foveal-kernels", &[]),
    ("foveal-nn", &["foveal-kernels"]),
    ("foveal-data", &[]),
    ("foveal-train", &["foveal-nn", "foveal-data"]),
    ("foveal-onnx", &["foveal-nn", "foveal-train"]),
    ("foveal-view", &["foveal-nn", "foveal-data", "foveal-train"]),
    ("foveal-mnist", &[]),
    ("foveal", &["foveal-kernels", "foveal-nn", "foveal-data", "foveal-train", "foveal-onnx", "foveal-view"]),
    ("foveal-serve", &["foveal"]),
    ("foveal-cli", &["foveal", "foveal-mnist", "foveal-serve"]),
    ("foveal-wasm", &["foveal"]),
    ("foveal-testkit", &[]),
    ("foveal-instructions", &["foveal-kernels", "foveal-nn"]),
];

/// Licences that may come in with a dependency.
const LICENCES: [&str; 12] = [
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "Zlib",
    "MPL-2.0",
    "ISC",
    "Unicode-3.0",
    "CC0-1.0",
    "0BSD",
    "BSL-1.0",
    "Unlicense",
];

/// Licences that one crate alone may have, for the data it carries: MNIST (one digit of it in foveal-wasm), and fonts.
const OF_ONE: [(&str, &str); 3] =
    [("foveal-mnist", "CC-BY-SA-3.0"), ("foveal-wasm", "CC-BY-SA-3.0"), ("foveal-view", "OFL-1.1")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn metadata(arguments: &[&str]) -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().unwrap_or_else(|| panic!("no list `{field}`"))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no text `{field}` in {value}"))
}

#[test]
fn imports_go_one_way() {
    let metadata = metadata(&["--no-deps"]);
    let ours: BTreeSet<&str> = list(&metadata, "packages").iter().map(|p| text(p, "name")).collect();
    let allowed: BTreeMap<&str, &[&str]> = IMPORTS.into_iter().collect();
    let mut imports = 0;
    for package in list(&metadata, "packages") {
        let name = text(package, "name");
        let may = allowed.get(name).unwrap_or_else(|| panic!("{name} needs a row in the table of imports"));
        for dependency in list(package, "dependencies") {
            let (on, kind) = (text(dependency, "name"), dependency["kind"].as_str());
            if !ours.contains(on) || kind == Some("dev") {
                continue;
            }
            assert!(on != "foveal-testkit", "{name} is no test and imports foveal-testkit");
            assert!(may.contains(&on), "{name} may not import {on}, only {may:?}");
            imports += 1;
        }
    }
    println!("{} crates, {imports} imports between them", ours.len());
    assert!(ours.len() >= 9);
}

#[test]
fn only_kernels_may_be_unsafe() {
    let metadata = metadata(&["--no-deps"]);
    let mut roots = 0;
    for package in list(&metadata, "packages").iter().filter(|p| text(p, "name") != "foveal-kernels") {
        for target in list(package, "targets") {
            let is = |what: &str| list(target, "kind").iter().any(|k| k == what);
            if is("lib") || is("bin") || is("cdylib") || is("proc-macro") {
                let path = text(target, "src_path");
                let source = std::fs::read_to_string(path).unwrap();
                assert!(
                    source.lines().any(|l| l == "#![forbid(unsafe_code)]"),
                    "{path} does not forbid unsafe code"
                );
                roots += 1;
            }
        }
    }
    assert!(roots >= 8, "{roots}");
}

/// Rust sources under `folder`.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_test_is_ignored() {
    let mut all = Vec::new();
    sources(&root().join("crates"), &mut all);
    assert!(all.len() > 50);
    let word = concat!("#[", "ignore");
    for path in all {
        let source = std::fs::read_to_string(&path).unwrap();
        assert!(!source.contains(word), "{} ignores a test", path.display());
    }
}

/// Whether an SPDX expression leaves a choice of allowed licences: `(MIT OR Apache-2.0) AND Unicode-3.0`.
/// The lecture's code stands in the program, which prints it, and in an example of the library, since neither crate
/// can hold the other's file.
#[test]
fn the_lectures_code_is_the_same_in_both_places() {
    let steps = |path: &str| -> Vec<String> {
        let text = std::fs::read_to_string(root().join(path)).expect("the lecture's code");
        let shown = text.split("    // [").skip(1).filter(|part| !part.starts_with(']'));
        shown.map(str::to_owned).collect()
    };
    let (program, example) =
        (steps("crates/cli/src/commands/lab/code.rs"), steps("crates/foveal/examples/lab.rs"));
    assert_eq!(program, example);
    assert_eq!(program.len(), 10);
}

fn allows(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    // `/` is the old way to write OR.
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let result = either(&words, &mut at, allowed);
    assert_eq!(at, words.len(), "cannot read the licence {expression}");
    result
}

fn either(words: &[&str], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut result = both(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        result |= both(words, at, allowed);
    }
    result
}

fn both(words: &[&str], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut result = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        result &= one(words, at, allowed);
    }
    result
}

fn one(words: &[&str], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> bool {
    let word = *words.get(*at).expect("a licence");
    *at += 1;
    if word == "(" {
        let result = either(words, at, allowed);
        assert_eq!(words.get(*at), Some(&")"), "an open bracket");
        *at += 1;
        return result;
    }
    if words.get(*at) == Some(&"WITH") {
        // An exception takes nothing away.
        *at += 2;
    }
    allowed(word)
}

#[test]
fn licence_expressions_are_read() {
    let allowed = |l: &str| ["MIT", "Apache-2.0", "Unicode-3.0"].contains(&l);
    for (expression, want) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT/Apache-2.0", true),
        ("MIT OR GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0", false),
        ("GPL-3.0 OR MIT AND Apache-2.0", true),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
    ] {
        assert_eq!(allows(expression, &allowed), want, "{expression}");
    }
}

fn host() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let output = Command::new(rustc).arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|l| l.strip_prefix("host: ")).expect("rustc names its host").to_owned()
}

#[test]
fn licences_of_everything_that_is_shipped() {
    let metadata = metadata(&["--filter-platform", &host()]);
    let packages: BTreeMap<&str, &Value> =
        list(&metadata, "packages").iter().map(|p| (text(p, "id"), p)).collect();
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata["resolve"], "nodes").iter().map(|n| (text(n, "id"), n)).collect();
    let members = list(&metadata, "workspace_members").iter().map(|m| m.as_str().expect("an id"));
    let mut open: Vec<&str> = members.filter(|id| text(packages[id], "name") != "foveal-testkit").collect();
    let mut reached = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !reached.insert(id) {
            continue;
        }
        for dependency in list(nodes[id], "deps") {
            let normal = list(dependency, "dep_kinds").iter().any(|k| k["kind"].is_null());
            if normal {
                open.push(text(dependency, "pkg"));
            }
        }
    }
    let mut counts = BTreeMap::<&str, usize>::new();
    for id in &reached {
        let (name, licence) = (text(packages[id], "name"), packages[id]["license"].as_str());
        let licence = licence.unwrap_or_else(|| panic!("{name} names no licence"));
        let allowed = |l: &str| LICENCES.contains(&l) || OF_ONE.contains(&(name, l));
        assert!(allows(licence, &allowed), "{name} is under {licence}");
        *counts.entry(licence).or_default() += 1;
    }
    println!("{} crates: {counts:?}", reached.len());
    assert!(reached.len() > 20);
}
