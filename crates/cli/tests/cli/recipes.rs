//! How to train, from the command line and from files: both have what the library has.

use crate::harness::Bench;
use crate::training::dataset;
use foveal::train::SavedModel;

const TRAIN: &str = "train set --epochs 2 --batch-size 20 -q --no-report";

fn model(bench: &Bench, run: &str) -> Vec<u8> {
    std::fs::read(bench.path(&format!("{run}/model.safetensors"))).unwrap()
}

fn config(bench: &Bench, run: &str) -> String {
    std::fs::read_to_string(bench.path(&format!("{run}/config.toml"))).unwrap()
}

#[test]
fn optimizer_schedule_and_smoothing_are_options() {
    let bench = Bench::new();
    dataset(&bench, "set");
    let options = "--model net.toml --optimizer sgd --momentum 0.9 --nesterov --weight-decay 0.001 --lr 0.02 \
                   --schedule step:1:0.5 --label-smoothing 0.1 --patience 0 --keep last";
    bench.run(&format!("{TRAIN} {options} --out run")).good();
    let text = config(&bench, "run");
    for words in ["kind = \"sgd\"", "momentum = 0.9", "nesterov = true", "every = 1", "label_smoothing = 0.1"]
    {
        assert!(text.contains(words), "no `{words}` in {text}");
    }
    bench.run(&format!("{TRAIN} --model net.toml --optimizer adamw --out adamw")).good();
    assert!(config(&bench, "adamw").contains("decay = 0.01"));
    let adam = bench.run(&format!("{TRAIN} --model net.toml --momentum 0.9 --out none"));
    adam.refused(&["--momentum", "--optimizer sgd"]);
    for bad in ["--lr -1", "--momentum 1", "--schedule linear", "--weight-decay -1", "--optimizer lion"] {
        let run = bench.run(&format!("train set --model net.toml {bad}"));
        assert_eq!(run.code, Some(2), "{}", run.told());
        assert!(run.stderr.contains(bad.split(' ').nth(1).unwrap()), "{}", run.told());
    }
}

#[test]
fn a_recipe_in_a_file_is_that_of_the_options() {
    let bench = Bench::new();
    dataset(&bench, "set");
    let options = "--optimizer sgd --momentum 0.9 --lr 0.02 --schedule cosine:0.1 --keep last";
    bench.run(&format!("{TRAIN} --model net.toml {options} --out options")).good();
    let net = std::fs::read_to_string(bench.path("net.toml")).unwrap();
    let recipe = "optimizer = \"sgd\"\nmomentum = 0.9\nlr = 0.02\nschedule = \"cosine:0.1\"\nkeep = \"last\"\nepochs = 7\n";
    bench.file("other.toml", format!("{net}\n[recipe]\n{recipe}"));
    bench.run(&format!("{TRAIN} --model other.toml --out file")).good();
    // But for the model's name in the metadata the files are the same, and the command line comes first.
    assert!(config(&bench, "file").contains("epochs = 2"));
    let numbers =
        |run: &str| SavedModel::from_bytes(&model(&bench, run), run).unwrap().model.params().to_vec();
    assert!(numbers("file") == numbers("options"));
    // A run's configuration repeats it.
    bench.run("train set -q --no-report --config options/config.toml --out again").good();
    assert!(numbers("again") == numbers("options"));
    assert_eq!(
        config(&bench, "again").split("[recipe]").nth(1),
        config(&bench, "options").split("[recipe]").nth(1)
    );
    bench.run("train set -q --no-report --model options/config.toml --out model --epochs 1").good();
    bench.run("summary options/config.toml").good();
    bench.file("bad.toml", format!("{net}\n[recipe]\nlearning_rate = 1.0\n"));
    bench.run(&format!("{TRAIN} --model bad.toml --out bad")).refused(&[
        "[recipe]",
        "learning_rate",
        "bad.toml",
    ]);
}

#[test]
fn a_summary_is_a_model_file_and_says_how_parameters_are_counted() {
    let bench = Bench::new();
    let text = bench.run("summary lab-11-1 --toml").good().stdout;
    bench.file("mine.toml", &text);
    let own = bench.run("summary mine.toml").good().stdout;
    assert_eq!(own, bench.run("summary lab-11-1").good().stdout);
    assert!(own.contains("3136·10 + 10"), "{own}");
}

#[test]
fn arrays_are_lists_and_tables_too() {
    let bench = Bench::new();
    let npy = bench.run("conv2d x.npy w.npy --padding SAME").good().stdout;
    bench.file("x.txt", "1 2 3\n4 5 6\n7 8 9\n");
    bench.file("w.csv", "1,1\n1,1\n");
    assert_eq!(bench.run("conv2d x.txt w.csv --padding same").good().stdout, npy);
    let list = "conv2d [[1,2,3],[4,5,6],[7,8,9]] [[1,1],[1,1]] --padding same --strides 1,1,1,1";
    assert_eq!(bench.run(list).good().stdout, npy);
    bench.run("explain conv2d [[1,2],[3,4]] [[1,1],[1,1]] --at 0,0,0,0").good();
    bench.run("max-pool [[1,2],[3,4]] --ksize 1,2,2,1").good();
    bench.run("conv2d [[1,2],[3]] w.npy").refused(&["[[1,2],[3]]", "[[1,2],[3,4]]"]);
    bench.file("bad.txt", "1 2\n3 x\n");
    bench.run("conv2d bad.txt w.npy").refused(&["bad.txt", "line 2", "`x`"]);
}

#[test]
fn a_resumed_run_cannot_have_more_epochs_and_says_what_can() {
    let bench = Bench::new();
    dataset(&bench, "set");
    bench.run(&format!("{TRAIN} --model net.toml --out run")).good();
    let more = TRAIN.replace("--epochs 2", "--epochs 5");
    bench
        .run(&format!("{more} --model net.toml --out run --resume"))
        .refused(&["--from run", "another --out"]);
    bench.run(&format!("{more} --from run --out more")).good();
}

#[test]
fn shells_complete_names_of_models_and_data() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = bench.run(&format!("completions {shell}")).good().stdout;
        assert!(script.contains("lab-11-1") && script.contains("mnist"), "{shell}");
    }
}

#[test]
fn a_step_of_the_lecture_can_be_shown_alone() {
    let bench = Bench::new();
    let whole = bench.run("lab").good().stdout;
    let third = bench.run("lab --step 3").good().stdout;
    assert!(whole.contains(&third) && third.starts_with("3. "), "{third}");
    bench.run("lab --step 99").refused(&["--step 99", "12"]);
    assert!(bench.run("lab --step 9").good().stdout.contains("a 7"));
}
