//! Bad inputs from bug reports against other frameworks, as far as the command line can express them: each ends with
//! status 1 and one line that names the operator and the shapes.

use crate::harness::Bench;
use insta::assert_snapshot;

/// The bug report, the files with their shapes, the command, words that the error must have.
type Row = (&'static str, &'static [(&'static str, &'static [usize])], &'static str, &'static [&'static str]);

const ROWS: &[Row] = &[
    (
        "TFSA-2021-015",
        &[("i.npy", &[0, 0, 0, 0]), ("f.npy", &[0, 0, 0, 0])],
        "conv2d i.npy f.npy",
        &["conv2d", "[0, 0, 0, 0]"],
    ),
    ("CVE-2021-41209", &[("f.npy", &[2, 2, 1, 0])], "conv2d x.npy f.npy", &["conv2d", "[2, 2, 1, 0]"]),
    (
        "CVE-2022-35996",
        &[("i.npy", &[1, 0, 0, 1])],
        "conv2d i.npy w.npy --padding SAME",
        &["conv2d", "[1, 0, 0, 1]", "[2, 2, 1, 1]"],
    ),
    ("TFSA-2021-014", &[("f.npy", &[0, 1, 5, 0])], "conv2d x.npy f.npy", &["conv2d", "[0, 1, 5, 0]"]),
    ("TFSA-2021-016", &[("f.npy", &[1, 0, 1, 1])], "conv2d x.npy f.npy", &["conv2d", "[1, 0, 1, 1]"]),
    (
        "TFSA-2021-028",
        &[("i.npy", &[1, 3, 3, 2])],
        "conv2d i.npy w.npy",
        &["conv2d", "depth 1", "2 channels", "[1, 3, 3, 2]"],
    ),
    (
        "TFSA-2021-148",
        &[("i.npy", &[3, 0, 0, 2])],
        "max-pool i.npy --ksize 2 --padding 0,1,1,0",
        &["max_pool", "[3, 0, 0, 2]"],
    ),
    ("TFSA-2022-120", &[], "max-pool x.npy --ksize 4,1", &["max_pool", "[4, 1]", "[1, 3, 3, 1]"]),
    ("TFSA-2021-199", &[], "max-pool x.npy --ksize 0", &["max_pool", "ksize", "[0, 0]"]),
    ("TFSA-2021-199", &[], "max-pool x.npy --ksize -2,2", &["max_pool", "ksize", "[-2, 2]"]),
    ("CVE-2022-35941", &[], "avg-pool x.npy --ksize 1,-1", &["avg_pool", "ksize", "[1, -1]"]),
    ("TFSA-2021-074", &[], "max-pool x.npy --ksize 2 --strides 0", &["max_pool", "strides", "[0, 0]"]),
    ("TFSA-2021-074", &[], "avg-pool x.npy --ksize 2 --strides 1,0", &["avg_pool", "strides", "[1, 0]"]),
    (
        "CVE-2021-41197",
        &[],
        "conv2d x.npy w.npy --padding 1000000000,1000000000,1000000000,1000000000",
        &["conv2d", "[1, 3, 3, 1]"],
    ),
    ("PyTorch", &[], "conv2d x.npy w.npy --padding 4611686018427387904,0,0,0", &["conv2d", "[2, 2, 1, 1]"]),
    ("PyTorch", &[], "max-pool x.npy --ksize 4294967296 --padding SAME", &["max_pool", "4294967296"]),
    ("PyTorch", &[], "conv2d x.npy w.npy --groups 0", &["conv2d", "groups", "[0]"]),
    ("PyTorch", &[], "conv2d x.npy w.npy --groups -3", &["conv2d", "groups", "[-3]"]),
    ("stride", &[], "conv2d x.npy w.npy --strides 0,1", &["conv2d", "strides", "[0, 1]"]),
    ("stride", &[], "conv2d x.npy w.npy --strides -1", &["conv2d", "strides", "[-1, -1]"]),
    ("dilation", &[], "conv2d x.npy w.npy --dilations 0", &["conv2d", "dilations", "[0, 0]"]),
    ("dilation", &[], "conv2d x.npy w.npy --dilations 9223372036854775807", &["conv2d", "[2, 2, 1, 1]"]),
    ("padding", &[], "conv2d x.npy w.npy --padding -1,0,0,0", &["conv2d", "padding", "-1"]),
    ("padding", &[], "max-pool x.npy --ksize 2 --padding 2,0,0,0", &["max_pool", "smaller than the window"]),
    ("window", &[], "conv2d x.npy w.npy --dilations 3", &["conv2d", "covers 4", "has 3"]),
    ("rank", &[("i.npy", &[3, 3])], "conv2d i.npy w.npy", &["conv2d", "i.npy", "[3, 3]", "[n, h, w, c]"]),
    ("rank", &[("f.npy", &[2, 2])], "conv2d x.npy f.npy", &["conv2d", "f.npy", "[2, 2]"]),
    (
        "rank",
        &[("i.npy", &[1, 2, 3, 4, 5])],
        "max-pool i.npy --ksize 1",
        &["max_pool", "i.npy", "[1, 2, 3, 4, 5]"],
    ),
    ("bias", &[("c.npy", &[2])], "conv2d x.npy w.npy --bias c.npy", &["conv2d", "bias", "[1]", "[2]"]),
    ("bias", &[("c.npy", &[1, 1])], "conv2d x.npy w.npy --bias c.npy", &["conv2d", "c.npy", "[1, 1]"]),
];

#[test]
fn bad_inputs_are_refused_by_operator_and_shapes() {
    let mut told = String::new();
    for (report, arrays, command, words) in ROWS {
        let bench = Bench::new();
        for (name, shape) in *arrays {
            bench.waves(name, shape);
        }
        let run = bench.run(command).refused(words);
        told += &format!("{report}: foveal {command}\n  {}", run.stderr);
    }
    assert_snapshot!("bad_inputs", told);
}

#[test]
fn cells_outside_the_output_are_refused() {
    let bench = Bench::new();
    for at in ["0,2,0,0", "-1,0,0,0", "0,0,0,1", "9223372036854775807,0,0,0"] {
        bench.run(&format!("explain conv2d x.npy w.npy --at {at}")).refused(&["conv2d", "[1, 2, 2, 1]"]);
        bench
            .run(&format!("explain max-pool x.npy --ksize 2 --strides 1 --at {at}"))
            .refused(&["[1, 2, 2, 1]"]);
    }
}

#[test]
fn values_that_are_no_numbers_are_wrong_usage() {
    let bench = Bench::new();
    for command in [
        "conv2d x.npy w.npy --strides a",
        "conv2d x.npy w.npy --strides 1,2,3",
        "conv2d x.npy w.npy --strides 99999999999999999999",
        "conv2d x.npy w.npy --padding FULL",
        "conv2d x.npy",
        "max-pool x.npy",
        "explain conv2d x.npy w.npy --at 0,0",
        "explain conv2d x.npy w.npy",
        "lab --threads 0",
        "lab --lang fr",
        "train mnist --lr 0",
        "train mnist --epochs 0",
        "nonsense",
    ] {
        let run = bench.run(command);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{}", run.told());
        assert!(run.stderr.starts_with("error: "), "{}", run.told());
    }
    assert_snapshot!("wrong_usage", bench.run("conv2d x.npy w.npy --padding FULL").told());
}
