//! Summaries, data sets, completions, help.

use crate::harness::Bench;
use insta::assert_snapshot;

#[test]
fn summaries_of_built_in_models() {
    let bench = Bench::new();
    assert_snapshot!("summary_lab_11_1", bench.run("summary lab-11-1").told());
    assert_snapshot!("summary_lab_11_2_korean", bench.run("summary lab-11-2 --lang ko").told());
    let json = bench.run("summary lab-11-1 --json").good().json();
    assert_eq!(json["parameters"], 50_090);
    assert_eq!(json["layers"][0]["output_shape"], serde_json::json!([28, 28, 32]));
    assert_eq!(json["layers"][0]["kind"], "conv2d");
    assert_eq!(bench.run("summary lab-11-2 --json").good().json()["parameters"], 1_379_333);
}

#[test]
fn model_files_are_checked_along_the_chain() {
    let bench = Bench::new();
    let model = |rest: &str| format!("[input]\nshape = [8, 8, 1]\n\n{rest}");
    let conv = "[[layer]]\nkind = \"conv2d\"\nfilters = 2\nkernel = [3, 3]\n";
    bench.file(
        "good.toml",
        model(&format!("{conv}[[layer]]\nkind = \"flatten\"\n[[layer]]\nkind = \"dense\"\nunits = 3\n")),
    );
    assert_snapshot!("summary_file", bench.run("summary good.toml").told());
    bench.file("flat.toml", model(&format!("{conv}[[layer]]\nkind = \"dense\"\nunits = 3\n")));
    bench.file("large.toml", model("[[layer]]\nkind = \"max_pool\"\nksize = [9, 9]\n"));
    bench.file("kind.toml", model("[[layer]]\nkind = \"conv3d\"\n"));
    bench.file("word.toml", model("[[layer]]\nkind = \"conv2d\"\nstride = 2\n"));
    bench.file("kinds.toml", model("[[layer]]\nkind = \"cnov2d\"\nfilters = 2\n"));
    bench.file("type.toml", model("[[layer]]\nkind = \"conv2d\"\nfilters = \"two\"\nkernel = [3, 3]\n"));
    bench.file("list.toml", model("[[layer]]\nkind = \"conv2d\"\nfilters = 2\nkernel = [3]\n"));
    bench.file("less.toml", model("[[layer]]\nkind = \"conv2d\"\nkernel = [3, 3]\n"));
    bench.file("anon.toml", model("[[layer]]\nfilters = 2\n"));
    let joined =
        format!("{conv}name = \"a\"\n{conv}[[layer]]\nkind = \"concat\"\ninputs = [\"a\", \"conv2d_2\"]\n");
    bench.file("join.toml", model(&joined));
    bench.file("gone.toml", model(&joined.replace("\"conv2d_2\"", "\"b\"")));
    bench.file("clip.toml", model("[[layer]]\nkind = \"clip\"\nmin = 7.0\n"));
    bench.file("single.toml", "[input]\nshape = [8, 8, 1]\n\n[layer]\nkind = \"relu\"\n");
    bench.file("input.toml", conv);
    bench.file("shape.toml", "[input]\nshape = [8, 8]\n");
    bench.file("none.toml", model(""));
    bench.file("text.toml", "shape = [");
    let mut told = String::new();
    let names = "flat large kind kinds word type list less anon join gone clip single input shape none text";
    for name in names.split(' ').map(|name| format!("{name}.toml")).chain(["lab-11-9".into(), "x.npy".into()])
    {
        told += &bench.run(&format!("summary {name}")).refused(&[&name]).stderr;
    }
    assert_snapshot!("bad_models", told);
}

#[test]
fn data_sets_are_listed_and_checked() {
    let bench = Bench::new();
    assert_snapshot!("data_list", bench.run("data list").told());
    assert_snapshot!("data_list_json", bench.run("data list --json").told());
    assert_snapshot!("data_check_mnist", bench.run("data check mnist").told());
    let json = bench.run("data check mnist --json").good().json();
    assert_eq!((&json["train"]["samples"], &json["test"]["samples"]), (&60_000.into(), &10_000.into()));
}

#[test]
fn folders_of_idx_files_are_checked() {
    let bench = Bench::new();
    super::training::dataset(&bench, "set");
    assert_snapshot!("data_check_folder", bench.run("data check set").told());
    let images = std::fs::read(bench.path("set/train-images-idx3-ubyte")).unwrap();
    bench.file("cut/train-images-idx3-ubyte", &images[..100]);
    bench.file("cut/train-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 0]);
    bench.file("half/train-images-idx3-ubyte", &images);
    bench.file("void/a", "");
    let mut told = String::new();
    for name in ["cut", "half", "void", "x.npy", "nothing"] {
        told += &bench.run(&format!("data check {name}")).refused(&[name]).stderr;
    }
    assert_snapshot!("bad_data", told);
}

#[test]
fn completions_for_every_shell() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let run = bench.run(&format!("completions {shell}")).good();
        assert!(run.stdout.contains("max-pool") && run.stderr.is_empty());
    }
}

#[test]
fn help_for_every_command() {
    let bench = Bench::new();
    let commands = "conv2d max-pool avg-pool explain show summary data lab train eval predict export import serve bench completions";
    assert_snapshot!("help", bench.run("--help").told());
    for command in commands.split(' ') {
        let run = bench.run(&format!("{command} --help")).good();
        assert_eq!(run.stderr, "");
        assert_snapshot!(format!("help_{command}"), run.told());
    }
    assert_snapshot!("help_explain_conv2d", bench.run("explain conv2d --help").told());
    let bare = bench.run("");
    assert_eq!((bare.code, bare.stdout.as_str()), (Some(2), ""));
    assert_eq!(bench.run("--version").good().stdout, format!("foveal {}\n", env!("CARGO_PKG_VERSION")));
}
