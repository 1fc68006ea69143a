//! Augmentation and ensembles: train, data show, eval, predict.

use crate::harness::Bench;
use crate::training::dataset;

const TRAIN: &str =
    "train set --model net.toml --epochs 3 --batch-size 20 --lr 0.01 --validation 0 --no-report -q";

fn bench() -> Bench {
    let bench = Bench::new();
    dataset(&bench, "set");
    bench
}

fn model(bench: &Bench, run: &str) -> Vec<u8> {
    std::fs::read(bench.path(&format!("{run}/model.safetensors"))).unwrap()
}

#[test]
fn augmented_training_leaves_the_same_bytes_with_any_number_of_threads() {
    let bench = bench();
    let augment = "--augment shift=1.5,rotate=10,flip,contrast=0.2,cutout=2,mixup=0.4";
    for threads in 1..=3 {
        bench.run(&format!("{TRAIN} {augment} --threads {threads} --out run{threads}")).good();
        assert!(model(&bench, &format!("run{threads}")) == model(&bench, "run1"), "{threads} threads");
    }
    let config = std::fs::read_to_string(bench.path("run1/config.toml")).unwrap();
    let line = "augment = \"shift=1.5,rotate=10,contrast=0.2,cutout=2,mixup=0.4,flip\"";
    assert!(config.contains(line), "{config}");
    bench.run(&format!("{TRAIN} --out plain")).good();
    bench.run(&format!("{TRAIN} --augment none --out none")).good();
    assert!(model(&bench, "plain") == model(&bench, "none"));
    assert!(model(&bench, "plain") != model(&bench, "run1"));
    // With another augmentation it is another run, which the checkpoint does not fit.
    let words = ["recipe.augment was \"shift=1.5", "and is \"shift=2\""];
    bench.run(&format!("{TRAIN} --augment shift=2 --out run1 --resume")).refused(&words);
}

#[test]
fn wrong_settings_are_wrong_usage() {
    let bench = bench();
    for (text, words) in [
        ("rotat=3", "there is no augmentation `rotat`; there are shift, rotate"),
        ("shift", "shift needs a number, such as shift=2"),
        ("rotate=190", "rotate must be from 0 to 180, got 190"),
        ("cutout=0.5", "cutout needs a whole number"),
    ] {
        for command in [format!("{TRAIN} --augment {text}"), format!("data show set --augment {text}")] {
            let run = bench.run(&command);
            assert_eq!(run.code, Some(2), "{}", run.told());
            assert!(run.stderr.contains(words), "{}", run.told());
        }
    }
}

#[test]
fn a_sheet_shows_samples_and_variants() {
    let bench = bench();
    let size = |name: &str| {
        let png = std::fs::read(bench.path(name)).unwrap();
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        [number(16), number(20)]
    };
    bench.run("data show set --count 16 -o plain.png").good();
    bench.run("data show set --count 16 --augment digits,mixup=1 -o augmented.png").good();
    let [plain, augmented] = [size("plain.png"), size("augmented.png")];
    // Sixteen panels fill two rows; with their variants sixteen samples fill sixteen rows.
    assert!(plain[0].abs_diff(augmented[0]) < 40 && augmented[1] > 5 * plain[1], "{plain:?} {augmented:?}");
    bench.run("data show set --augment flip -o sheet.svg --lang ko").good();
    let svg = std::fs::read_to_string(bench.path("sheet.svg")).unwrap();
    assert!(svg.contains("set: flip"));
    let json = bench.run("data show set --count 6 --json").good().json();
    let targets: Vec<&str> =
        json["samples"].as_array().unwrap().iter().map(|s| s["target"].as_str().unwrap()).collect();
    assert_eq!(targets, ["0", "1", "2", "0", "1", "2"]);
    let told = bench.run("data show set --count 6 --graphics none").good().stdout;
    assert!(told.contains("300 training samples") && told.lines().count() > 7, "{told}");
    bench.run("data show set -o sheet.gif").refused(&["sheet.gif", ".png or .svg"]);
}

#[test]
fn an_ensemble_is_its_members_together() {
    let bench = bench();
    let json = bench.run(&format!("{TRAIN} --ensemble 3 --out all --json")).good().json();
    let members = json["members"].as_array().unwrap();
    assert_eq!(members.iter().map(|m| m["seed"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1, 2]);
    // Each member is the model that training alone with its seed gives.
    bench.run(&format!("{TRAIN} --seed 1 --out alone")).good();
    assert!(model(&bench, "all/member-2") == model(&bench, "alone"));
    let whole = bench.run("eval all set --json").good().json();
    assert_eq!(whole["accuracy"], json["test_accuracy"]);
    let one = bench.run("eval all/member-2 set --json").good().json();
    assert_eq!(one["accuracy"], members[1]["test_accuracy"]);
    // The probabilities are the members' mean.
    bench.waves("picture.npy", &[1, 8, 8, 1]);
    let likely = |run: &str| -> Vec<f64> {
        let json = bench.run(&format!("predict {run} picture.npy --json")).good().json();
        let all = json["predictions"][0]["probabilities"].as_array().unwrap().clone();
        all.iter().map(|p| p.as_f64().unwrap()).collect()
    };
    let each: Vec<Vec<f64>> = (1..=3).map(|k| likely(&format!("all/member-{k}"))).collect();
    for (i, p) in likely("all").into_iter().enumerate() {
        let mean = each.iter().map(|m| m[i]).sum::<f64>() / 3.0;
        assert!((p - mean).abs() < 1e-5, "{p} where {mean}");
    }
    bench.run("show all picture.npy").refused(&["all is an ensemble", "all/member-1"]);
    let text = bench.run(&format!("{TRAIN} --ensemble 2 --out pair")).good().stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("seed 0: test accuracy") && lines[2].starts_with("ensemble: test"),
        "{text}"
    );
    bench.run(&format!("{TRAIN} --ensemble 2 --out all --resume")).refused(&["all/member-3", "--out"]);
    bench.run(&format!("{TRAIN} --ensemble 2 --out alone --resume")).refused(&[
        "alone",
        "of one model",
        "--out",
    ]);
    bench.run(&format!("{TRAIN} --out all --resume")).refused(&["all", "of several models", "--out"]);
    // To write over an ensemble removes all of its members.
    bench.run(&format!("{TRAIN} --ensemble 2 --out all --overwrite")).good();
    assert!(!bench.path("all/member-3").exists() && bench.path("all/member-2").exists());
    bench.run(&format!("{TRAIN} --out all --overwrite")).good();
    assert!(!bench.path("all/member-1").exists() && !bench.path("all/ensemble.json").exists());
}

#[test]
fn an_ensemble_goes_on_where_it_was() {
    let bench = bench();
    let command = format!("{TRAIN} --ensemble 2 --augment shift=1 --out whole");
    bench.run(&command).good();
    // As if it had been killed in its second member.
    let cut = command.replace("whole", "cut");
    bench.run(&cut).good();
    for gone in ["ensemble.json", "member-1/model.safetensors", "member-2/model.safetensors"] {
        std::fs::remove_file(bench.path(&format!("cut/{gone}"))).unwrap();
    }
    std::fs::remove_file(bench.path("cut/member-2/checkpoint.safetensors")).unwrap();
    bench.run("eval cut set").refused(&["cut/model.safetensors"]);
    bench.run(&format!("{cut} --resume")).good();
    for member in ["member-1", "member-2"] {
        assert!(model(&bench, &format!("cut/{member}")) == model(&bench, &format!("whole/{member}")));
    }
    assert_eq!(bench.run("eval cut set").good().stdout, bench.run("eval whole set").good().stdout);
}
