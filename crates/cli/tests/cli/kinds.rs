//! A model of pictures, of CT or of texts refuses inputs and data of another kind.

use crate::ct::slice;
use crate::harness::Bench;
use foveal::data::text::{Tokens, Vocabulary};
use foveal::nn::{Model, ModelSpec};
use foveal::train::{PictureFit, Preprocess, Recipe, SavedModel, Training};
use image::{ImageBuffer, Luma};

const NET: &str = r#"
input = { shape = [12, 12, 1] }
layer = [
  { kind = "conv2d", filters = 2, kernel = [3, 3] },
  { kind = "relu" },
  { kind = "flatten" },
  { kind = "dense", units = 2 },
]
"#;
const TEXTS: &str = r#"
input = { shape = [1, 8, 1] }
layer = [
  { kind = "embedding", vocabulary = 20, size = 3 },
  { kind = "conv2d", filters = 2, kernel = [1, 3] },
  { kind = "global_max_pool" },
  { kind = "dense", units = 2 },
]
"#;

/// An untrained model with classes `a` and `b`, as if it had been trained.
fn model(bench: &Bench, name: &str, toml: &str, preprocess: Preprocess) {
    let training = Training {
        model: "net".into(),
        dataset: "none".into(),
        recipe: Recipe::default(),
        epochs: 1,
        validation_accuracy: None,
        ..Training::default()
    };
    let model = Model::new(&ModelSpec::from_toml(toml).unwrap(), 1).unwrap();
    let saved = SavedModel { model, preprocess, classes: vec!["a".into(), "b".into()], training };
    bench.file(name, saved.to_bytes().unwrap());
}

/// A model of each kind, and data of each kind, with classes `a` and `b`.
fn bench() -> Bench {
    let bench = Bench::new();
    let unit = Preprocess::unit(1, PictureFit::Resize);
    model(&bench, "pictures.safetensors", NET, unit.clone());
    model(&bench, "ct.safetensors", NET, Preprocess { window: Some([40.0, 400.0]), ..unit });
    let vocabulary = Vocabulary::new(Tokens::Words, ["good bad good bad"], 20).unwrap();
    model(&bench, "texts.safetensors", TEXTS, Preprocess::text(vocabulary));
    let (mut table, mut texts) = (String::from("path,target\n"), String::new());
    for i in 0..12u32 {
        for (class, name) in ["a", "b"].into_iter().enumerate() {
            let path = format!("photos/{name}/{i}.png");
            let picture =
                ImageBuffer::from_fn(12, 12, |x, y| Luma([(x * 9 + y * 5 + i) as u8 + 90 * class as u8]));
            std::fs::create_dir_all(bench.path(&format!("photos/{name}"))).unwrap();
            picture.save(bench.path(&path)).unwrap();
            table += &format!("{path},{name}\n");
            texts += &format!("{name}\tgood or bad {i}\n");
            bench.file(&format!("scans/{name}/{i}.dcm"), slice(i as usize, 1, 90 * class as i16).bytes());
        }
    }
    bench.file("table.csv", table);
    bench.file("words.tsv", &texts);
    bench.file("folder/train.tsv", texts);
    bench
}

/// Data of each kind, and what they are called.
const DATA: [(&str, &str); 6] = [
    ("photos", "pictures"),
    ("table.csv", "pictures"),
    ("mnist", "pictures"),
    ("scans", "CT"),
    ("words.tsv", "texts"),
    ("folder", "texts"),
];
const MODELS: [(&str, &str); 3] =
    [("pictures.safetensors", "pictures"), ("ct.safetensors", "CT"), ("texts.safetensors", "texts")];

#[test]
fn data_of_another_kind_are_refused_in_one_line_that_says_so() {
    let bench = bench();
    for (model, is) in MODELS {
        for (data, holds) in DATA.into_iter().filter(|(_, holds)| *holds != is) {
            let words = [&format!("{data}: holds {holds}, and the model")[..], &format!("is for {is}")];
            let train = bench.run(&format!("train {data} --from {model} --epochs 1 --out out"));
            let train = train.refused(&words).refused(&["that --from names"]);
            assert!(!train.stderr.contains("--labels"), "{}", train.stderr);
            bench.run(&format!("eval {model} {data}")).refused(&words);
        }
    }
    // Arrays do not say what they stand for; a model of pictures or of CT takes them if the shape fits.
    bench.file("x.npz", "no archive");
    let arrays = ["x.npz: holds arrays, and the model"];
    bench.run("eval texts.safetensors x.npz").refused(&arrays);
    bench.run("train x.npz --from texts.safetensors").refused(&arrays);
    bench.run("train x.npz --from ct.safetensors").refused(&arrays).refused(&["name one of pictures"]);
    for command in ["eval pictures.safetensors x.npz", "eval ct.safetensors x.npz"] {
        let run = bench.run(command).refused(&["x.npz"]);
        assert!(!run.stderr.contains("holds arrays"), "{}", run.stderr);
    }
    // The refusal comes first, even if options are given that the model does not allow.
    let run = bench.run("train photos --from ct.safetensors  --window lung");
    run.refused(&["photos: holds pictures, and the model that --from names is for CT"]);
    assert!(!bench.path("out").exists() && !bench.path("runs").exists());
}

#[test]
fn data_of_the_same_kind_are_taken() {
    let bench = bench();
    for (model, is) in MODELS {
        for (data, _) in DATA.into_iter().filter(|(data, holds)| *holds == is && *data != "mnist") {
            bench.run(&format!("train {data} --from {model} --epochs 1 --no-report --out {data}-run")).good();
            bench.run(&format!("eval {model} {data}")).good();
        }
    }
    // A model of pictures may go on with CT if a window is named.
    let scans = "train scans --from pictures.safetensors --epochs 1 --no-report --out lung";
    bench.run(scans).refused(&["without a window", "--window soft"]);
    bench.run(&format!("{scans} --window lung")).good();
    let bytes = std::fs::read(bench.path("lung/model.safetensors")).unwrap();
    let window = SavedModel::from_bytes(&bytes, "lung").unwrap().preprocess.window;
    assert_eq!(window, Some([-600.0, 1500.0]));
}

#[test]
fn sizes_and_cuts_of_other_models_are_refused() {
    let bench = bench();
    for (arguments, words) in [
        ("scans --from ct.safetensors --window lung", &["--window", "a window of its own"][..]),
        ("words.tsv --from texts.safetensors --tokens chars", &["--tokens chars", "reads words"]),
        ("words.tsv --from texts.safetensors --text-length 9", &["--text-length 9", "8 tokens"]),
        ("words.tsv --from texts.safetensors --vocabulary 9", &["--vocabulary 9", "of its own"]),
        ("mnist --from pictures.safetensors", &["mnist", "[28, 28, 1]", "[12, 12, 1]"]),
    ] {
        bench.run(&format!("train {arguments} --epochs 1 --out out")).refused(words);
    }
    bench.run("eval pictures.safetensors mnist").refused(&["mnist", "[28, 28, 1]", "[12, 12, 1]"]);
    // Options that say what the model says anyway are allowed.
    let same =
        "train words.tsv --from texts.safetensors --tokens words --text-length 8 --epochs 1 --no-report";
    bench.run(&format!("{same} --out out")).good();
}

#[test]
fn inputs_of_another_kind_are_refused_in_one_line_that_says_so() {
    let bench = bench();
    let inputs = [
        ("photos/a/1.png", "pictures"),
        ("mnist:test:0", "pictures"),
        ("scans/a/1.dcm", "CT"),
        ("words.tsv", "texts"),
    ];
    for (model, is) in MODELS {
        for (input, _) in inputs.into_iter().filter(|(_, of)| *of != is) {
            let words = match (input, is) {
                ("words.tsv", "pictures") => &["words.tsv", "picture"][..],
                _ => &[input, &format!("the model is for {is}; give it")[..]],
            };
            bench.run(&format!("predict {model} {input}")).refused(words);
            bench.run(&format!("show {model} {input}")).refused(words);
            let layer = "--layer conv2d_1 --at 0,0,0";
            bench.run(&format!("explain {model} {input} {layer}")).refused(words);
        }
    }
    for model in ["pictures", "ct"] {
        let mut command = bench.command(&format!("predict {model}.safetensors"));
        let output = command.arg("a good text").output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("no such file") && told.contains("the model is for"), "{told}");
    }
    bench.run("predict pictures.safetensors photos/a/1.png").good();
    bench.run("predict ct.safetensors scans/a/1.dcm").good();
    // A line that happens to be the name of a file is still a text.
    bench.file("lines.txt", "table.csv\n");
    bench.run("show texts.safetensors lines.txt").good();
    bench.run("predict texts.safetensors lines.txt good").good();
    bench.run("predict texts.safetensors words.tsv").refused(&["words.tsv", "a .txt file"]);
}
