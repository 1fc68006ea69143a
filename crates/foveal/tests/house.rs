//! The house's rules: who may import whom, where `unsafe` may stand, how long files and functions may be, whose
//! licences come in.

#[path = "house/modules.rs"]
mod modules;
#[path = "house/tokens.rs"]
mod tokens;

use modules::Modules;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each crate may import of ours.
const IMPORTS: [(&str, &[&str]); 16] = [
    ("foveal-kernels", &[]),
    ("foveal-nn", &["foveal-kernels"]),
    ("foveal-data", &[]),
    ("foveal-infer", &["foveal-nn"]),
    ("foveal-train", &["foveal-nn", "foveal-data", "foveal-infer"]),
    ("foveal-onnx", &["foveal-nn", "foveal-train"]),
    ("foveal-view", &["foveal-nn", "foveal-data", "foveal-train"]),
    ("foveal-mnist", &[]),
    ("foveal-backbone", &[]),
    (
        "foveal",
        &[
            "foveal-kernels",
            "foveal-nn",
            "foveal-infer",
            "foveal-data",
            "foveal-train",
            "foveal-onnx",
            "foveal-view",
        ],
    ),
    ("foveal-serve", &["foveal"]),
    ("foveal-cli", &["foveal", "foveal-mnist", "foveal-backbone", "foveal-serve"]),
    ("foveal-wasm", &["foveal"]),
    ("foveal-python", &["foveal", "foveal-cli", "foveal-mnist"]),
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
const OF_ONE: [(&str, &str); 4] = [
    ("foveal-mnist", "CC-BY-SA-3.0"),
    ("foveal-wasm", "CC-BY-SA-3.0"),
    ("foveal-python", "CC-BY-SA-3.0"),
    ("foveal-view", "OFL-1.1"),
];

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

/// The folders of the crates whose modules and their parents may use each other in circles.
const ROUND: [&str; 3] = ["kernels", "onnx", "view"];
/// The folders of the crates whose files and functions may be long.
const LONG: [&str; 1] = ["kernels"];
/// Functions that are a table, a line or a few for each kind of layer.
const TABLES: [(&str, &str); 1] = [("onnx/src/export/layers.rs", "layer")];
/// The most lines of a file, and of a function.
const LONGEST: [usize; 2] = [500, 60];

/// Names and `src` folders of the crates that are not `free`, and of the program that takes times for `bench`.
fn bound(free: &[&str]) -> Vec<(String, PathBuf)> {
    let crates = std::fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let named = crates.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path.join("src")));
    let mut all: Vec<_> = named.filter(|(name, _)| !free.contains(&name.as_str())).collect();
    all.push(("bench".into(), root().join("bench/native/src")));
    all.sort();
    all
}

#[test]
fn no_modules_use_each_other_in_a_circle() {
    let mut count = 0;
    for (name, src) in bound(&ROUND) {
        let modules = Modules::of(&src);
        let uses = modules.uses();
        let circles = modules::circles(&uses);
        assert!(circles.is_empty(), "modules of {name} use each other in circles: {circles:?}");
        count += uses.len();
    }
    assert!(count > 150, "{count} modules");
}

#[test]
fn circles_are_found() {
    let circles = |sources: &[(&str, &str)]| {
        let place = |name: &str| name.split("::").filter(|p| !p.is_empty()).map(str::to_owned).collect();
        let modules = Modules::new(sources.iter().map(|(name, text)| (place(name), (*text).to_owned())));
        modules::circles(&modules.uses()).len()
    };
    let b = ("b", "pub struct B(crate::a::A);");
    assert_eq!(circles(&[("a", "use crate::b::B;"), b]), 1);
    assert_eq!(circles(&[("a", "use crate::{b::{self, B}, c};"), b]), 1);
    assert_eq!(circles(&[("a", "use super::b as other;"), b]), 1);
    assert_eq!(circles(&[("a", "fn f<'a>(c: char) -> B<'a> { let q = '\"'; crate::b::new() }"), b]), 1);
    // A module and its parent; three modules; a name that a third module passes on.
    assert_eq!(circles(&[("a", "mod c; fn f() { c::g() }"), ("a::c", "use super::X;")]), 1);
    assert_eq!(
        circles(&[("a", "use crate::b::B;"), ("b", "use crate::c::C;"), ("c", "use crate::a::A;")]),
        1
    );
    assert_eq!(circles(&[("", "pub use b::B;"), ("a", "use crate::B;"), b]), 1);
    // Texts, comments and tests do not count, nor do names that are only passed on.
    for a in [
        "// use crate::b::B;\nconst T: &str = r#\"crate::b::B\"#;",
        "#[cfg(test)]\nmod tests { use crate::b::B; }",
        "/* /* */ crate::b::B */ pub use crate::b::B;",
        "use b::B; use std::b;",
    ] {
        assert_eq!(circles(&[("a", a), b]), 0, "{a}");
    }
    assert_eq!(circles(&[("a", "#[cfg(test)]\nmod tests;"), ("a::tests", "use crate::b;"), b]), 0);
}

#[test]
fn files_and_functions_are_short() {
    let [most, most_of_a_function] = LONGEST;
    let mut long = Vec::new();
    let mut count = 0;
    for (_, src) in bound(&LONG) {
        let mut files = Vec::new();
        sources(&src, &mut files);
        for file in files {
            let source = std::fs::read_to_string(&file).unwrap();
            let (path, lines) = (file.display(), source.lines().count());
            if lines > most {
                long.push(format!("{path} has {lines} lines"));
            }
            let tokens = tokens::of(&source);
            let functions = tokens::functions(&tokens);
            count += functions.len();
            let table = |name: &str| TABLES.iter().any(|&(end, table)| file.ends_with(end) && name == table);
            let over =
                functions.iter().filter(|(name, _, lines)| *lines > most_of_a_function && !table(name));
            long.extend(over.map(|(name, line, lines)| format!("{path}:{line}: {name} has {lines} lines")));
        }
    }
    assert!(long.is_empty(), "longer than {LONGEST:?} lines:\n{}", long.join("\n"));
    assert!(count > 1000, "{count} functions");
}

#[test]
fn functions_are_measured() {
    let source = "trait T {\n    fn only(&self) -> [u8; 2];\n}\nfn one() {}\n\
                  fn two(f: fn(u8)) -> [u8; 2] {\n    \"}\n\";\n    [0; 2]\n}\n";
    assert_eq!(tokens::functions(&tokens::of(source)), [("one", 4, 1), ("two", 5, 5)]);
}

/// All files under `folder`, except what is built, installed or hidden.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        match path.is_dir() {
            true if ["target", "node_modules"].contains(&&*name) || name.starts_with('.') => {}
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

#[test]
fn tools_have_left_nothing_behind() {
    let mut all = Vec::new();
    files(&root(), &mut all);
    assert!(all.len() > 500);
    for file in all {
        let name = file.file_name().unwrap().to_string_lossy();
        let left = [".snap.new", ".orig", ".rej", ".part"].iter().any(|end| name.ends_with(end));
        assert!(!left, "{} was left behind by a tool: take it away", file.display());
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

/// Whether an SPDX expression leaves a choice of allowed licences: `(MIT OR Apache-2.0) AND Unicode-3.0`.
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
