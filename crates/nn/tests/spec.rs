//! Ring 6: the model file's reader gives a model or an error that says where, whatever it is given.

use foveal_nn::{Model, ModelSpec, builtin};
use proptest::prelude::*;

const VALID: &str = r#"# A small model
[input]
shape = [8, 8, 1]        # height, width, channels

[[layer]]
kind = "conv2d"
name = "first"
filters = 4
kernel = [3, 3]
strides = [1, 1]
padding = "SAME"

[[layer]]
kind = "relu"

[[layer]]
kind = "conv2d"
filters = 4
kernel = [3, 3]
dilations = [2, 2]
padding = [2, 2, 2, 2]
groups = 2
bias = false
init = { normal = 0.1 }

[[layer]]
kind = "add"
inputs = ["first", "conv2d_2"]

[[layer]]
kind = "batch_norm"
epsilon = 1e-5

[[layer]]
kind = "max_pool"
ksize = [2, 2]

[[layer]]
kind = "dropout"
rate = 0.25

[[layer]]
kind = "flatten"

[[layer]]
kind = "dense"
units = 3
"#;

/// Reads and, where it can be, builds without taking more memory than a test should.
fn read(text: &str) -> Result<Model, foveal_nn::Error> {
    let spec = ModelSpec::from_toml(text)?;
    Model::with_params(&spec, |name, shape| {
        let count = shape.iter().product::<usize>();
        if count > 1 << 16 { Err(format!("`{name}` is not there")) } else { Ok(vec![0.5; count]) }
    })
}

#[test]
fn the_valid_file_is_valid_and_survives_itself() {
    let spec = ModelSpec::from_toml(VALID).unwrap();
    let model = read(VALID).unwrap();
    assert_eq!((model.outputs(), model.nodes().len()), (3, 9));
    let again = ModelSpec::from_toml(&spec.to_toml().unwrap()).unwrap();
    assert_eq!(again.input, spec.input);
    let kinds = |s: &ModelSpec| -> Vec<_> {
        s.layers.iter().map(|l| (l.name.clone(), l.inputs.clone(), l.kind.clone())).collect()
    };
    assert_eq!(kinds(&again), kinds(&spec));
}

#[test]
fn errors_say_where() {
    for (from, to, parts) in [
        ("kind = \"relu\"", "kind = \"rellu\"", &["line 14: ", "`rellu`", "did you mean `relu`?"][..]),
        ("units = 3", "units = -3", &["line 47: ", "dense", "`units`", "a whole number, 0 or above"]),
        ("units = 3", "units = \"ten\"", &["line 47: ", "dense", "`units`", "\"ten\""]),
        ("units = 3", "", &["line 45: ", "dense", "missing field `units`"]),
        ("units = 3", "units = 3\nunit = 4", &["line 48: ", "`unit`", "did you mean `units`?"]),
        ("units = 3", "units = 3\nunits = 4", &["line 48", "duplicate"]),
        (
            "kernel = [3, 3]\nstrides",
            "kernel = [3]\nstrides",
            &["line 9: ", "conv2d", "`kernel`", "list of 2"],
        ),
        ("kernel = [3, 3]\nstrides", "kernel = 3.5\nstrides", &["line 9: ", "`kernel`", "3.5"]),
        ("kernel = [3, 3]\nstrides", "kernel = [9, 9]\npadding_ = 1\nstrides", &["line 10: ", "`padding_`"]),
        ("kind = \"relu\"", "alpha = 1", &["line 13: ", "no `kind`"]),
        ("kind = \"relu\"", "kind = 7", &["line 14: ", "`kind`", "integer"]),
        ("name = \"first\"", "name = 1", &["line 7: ", "`name`", "integer"]),
        ("inputs = [\"first\", \"conv2d_2\"]", "inputs = \"first\"", &["line 28: ", "`inputs`", "a list"]),
        (
            "\"first\", \"conv2d_2\"",
            "\"first\", \"other\"",
            &["line 26: ", "add_1", "other", "first, relu_1"],
        ),
        (
            "\"first\", \"conv2d_2\"",
            "\"first\", \"conv2d_2\", \"input\"",
            &["line 26: ", "first [8, 8, 4]", "input [8, 8, 1]"],
        ),
        ("groups = 2", "groups = 3", &["line 16: ", "conv2d_2", "first [8, 8, 4] -> relu_1 [8, 8, 4]"]),
        ("rate = 0.25", "rate = 1.0", &["line 38: ", "dropout_1", "rate"]),
        ("kind = \"flatten\"", "kind = \"relu\"", &["line 45", "dense_1", "flatten", "relu_2 [4, 4, 4]"]),
        ("shape = [8, 8, 1]", "shape = [8, 8]", &["line 3"]),
        ("shape = [8, 8, 1]", "shape = [8, 0, 1]", &["[8, 0, 1]"]),
        ("shape = [8, 8, 1]", "size = 8", &["line 3", "size"]),
        ("[input]", "[imput]", &["imput"]),
    ] {
        assert!(VALID.contains(from), "{from}");
        let message = read(&VALID.replacen(from, to, 1)).expect_err(to).to_string();
        parts.iter().for_each(|part| assert!(message.contains(part), "{to}: {message} does not name {part}"));
    }
}

#[test]
fn built_in_models_are_scaled_to_any_samples() {
    for builtin in builtin::SCALED {
        for side in [1, 2, 5, 8, 28, 32, 33, 48, 49, 64, 96, 97, 128, 224, 300, 1000] {
            for shape in [[side, side, 3], [side, side / 3 + 1, 1]] {
                let spec = builtin::fitted(builtin.name, shape, 7).unwrap();
                let model =
                    Model::new(&spec, 0).unwrap_or_else(|e| panic!("{} {shape:?}: {e}", builtin.name));
                assert_eq!((model.input_shape(), model.outputs()), (shape, 7));
                // What is left before the mean is neither a point of a large picture nor a picture.
                let last = model.nodes().iter().rev().find(|n| n.kind.name().starts_with("conv")).unwrap();
                let left = last.shape[0].max(last.shape[1]);
                assert!(side < 16 || (4..=64).contains(&left), "{} {shape:?}: {left}", builtin.name);
                let numbers: usize = model.params().iter().map(|p| p.values.len()).sum();
                assert!(numbers < 1 << 20, "{} {shape:?}: {numbers}", builtin.name);
            }
        }
    }
}

/// One change to the bytes of a file.
#[derive(Clone, Debug)]
enum Change {
    Set(usize, u8),
    Remove(usize, usize),
    Insert(usize, String),
    Repeat(usize, usize),
    Number(usize, String),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0..VALID.len();
    let words = "[\\[\\]{}\"'=,.#\n 0-9a-z_-]{1,12}";
    let number = prop_oneof![
        any::<i64>().prop_map(|v| v.to_string()),
        Just("0".into()),
        Just("-1".into()),
        Just("99999999999999999999".into()),
        Just("nan".into()),
        Just("inf".into()),
        Just("1e400".into()),
        Just("4294967296".into()),
        Just("[]".into()),
        Just("\"x\"".into()),
        Just("{}".into()),
    ];
    prop_oneof![
        (at.clone(), any::<u8>()).prop_map(|(i, b)| Change::Set(i, b)),
        (at.clone(), 1usize..40).prop_map(|(i, n)| Change::Remove(i, n)),
        (at.clone(), words).prop_map(|(i, s)| Change::Insert(i, s)),
        (at.clone(), 1usize..200).prop_map(|(i, n)| Change::Repeat(i, n)),
        (at, number).prop_map(|(i, s)| Change::Number(i, s)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: Change) {
    let clip = |i: usize, n: usize| i.min(n);
    match change {
        Change::Set(i, b) => {
            let i = clip(i, bytes.len() - 1);
            bytes[i] = b;
        }
        Change::Remove(i, n) => {
            let i = clip(i, bytes.len() - 1);
            let end = clip(i + n, bytes.len());
            bytes.drain(i..end);
            bytes.push(b'\n');
        }
        Change::Insert(i, s) => {
            let i = clip(i, bytes.len());
            bytes.splice(i..i, s.into_bytes());
        }
        Change::Repeat(i, n) => {
            let i = clip(i, bytes.len());
            let part = bytes[i..clip(i + n, bytes.len())].to_vec();
            bytes.splice(i..i, part);
        }
        // Another value for the field of the line that `i` is in.
        Change::Number(i, s) => {
            let i = clip(i, bytes.len());
            let Some(equals) = bytes[i..].iter().position(|&b| b == b'=') else { return };
            let start = i + equals + 1;
            let end = bytes[start..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |n| start + n);
            bytes.splice(start..end, format!(" {s}").into_bytes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_files_never_panic(changes in prop::collection::vec(change(), 1..6)) {
        let mut bytes = VALID.as_bytes().to_vec();
        changes.into_iter().for_each(|c| apply(&mut bytes, c));
        let text = String::from_utf8_lossy(&bytes);
        match read(&text) {
            Ok(model) => prop_assert!(model.outputs() > 0),
            Err(e) => prop_assert!(!e.to_string().is_empty()),
        }
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,200}") {
        let _ = read(&text);
    }
}

#[test]
fn the_documentation_has_a_row_for_every_kind() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/layers.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    let first = |row: &&str| row.split('|').nth(1).unwrap().to_owned();
    let named: String = rows.iter().map(first).collect();
    for kind in foveal_nn::spec::LayerKind::NAMES {
        assert!(named.contains(&format!("`{kind}`")), "docs/layers.md has no row for {kind}");
    }
    assert_eq!(named.matches('`').count() / 2, foveal_nn::spec::LayerKind::NAMES.len());
}

#[test]
fn the_pretrained_models_layers_are_those_of_its_weights() {
    for (side, last) in [(32, 1), (128, 4), (224, 7)] {
        let spec = builtin::fitted(builtin::PRETRAINED.name, [side, side, 3], 1000).unwrap();
        let model = Model::new(&spec, 0).unwrap();
        let count = |weights: bool| -> usize {
            let some = model.params().iter().filter(|p| (p.shape.len() > 1) == weights);
            some.map(|p| p.values.len()).sum()
        };
        assert_eq!((count(true), count(false)), (4_608_992, 85_032));
        let top = model.nodes().iter().find(|n| n.name == "top_conv").unwrap();
        assert_eq!(top.shape, [last, last, 1280]);
        assert!(model.nodes().iter().any(|n| n.name == builtin::FEATURES && n.shape == [1, 1, 1280]));
    }
}
