//! conv2d, pooling and their explanations.

use crate::harness::Bench;
use insta::assert_snapshot;
use ndarray::{ArrayD, IxDyn};

#[test]
fn conv2d_prints_shape_and_values() {
    let bench = Bench::new();
    bench.array("three.npy", &[2, 2, 1, 3], [1.0, 10.0, -1.0].repeat(4));
    assert_snapshot!("conv2d_valid", bench.run("conv2d x.npy w.npy").told());
    assert_snapshot!("conv2d_same_three", bench.run("conv2d x.npy three.npy --padding SAME").told());
    assert_snapshot!(
        "conv2d_options",
        bench.run("conv2d x.npy w.npy --bias b.npy --padding 1,0,2,0 --strides 2 --dilations 2,1").told()
    );
    assert_snapshot!("conv2d_json", bench.run("conv2d x.npy w.npy --json").told());
}

#[test]
fn conv2d_writes_what_numpy_reads() {
    let bench = Bench::new();
    assert_snapshot!("conv2d_output", bench.run("conv2d x.npy w.npy -o y.npy").told());
    let bytes = std::fs::read(bench.path("y.npy")).unwrap();
    let y = foveal::data::npy::read_npy(&bytes, "y.npy").unwrap();
    assert_eq!(
        (y.shape(), y.iter().copied().collect::<Vec<_>>()),
        (&[1, 2, 2, 1][..], vec![12.0, 16.0, 24.0, 28.0])
    );
    let again = bench.run("conv2d x.npy w.npy -o y.npy -q").good();
    assert_eq!((again.stdout, again.stderr), (String::new(), String::new()));
    let left: Vec<_> = std::fs::read_dir(bench.path(".")).unwrap().collect();
    assert_eq!(left.len(), 4, "a temporary file was left");
}

#[test]
fn pooling_prints_shape_and_values() {
    let bench = Bench::new();
    assert_snapshot!("max_pool", bench.run("max-pool x.npy --ksize 2,2").told());
    assert_snapshot!(
        "max_pool_same",
        bench.run("max-pool x.npy --ksize 2 --strides 1 --padding SAME").told()
    );
    assert_snapshot!("avg_pool_same", bench.run("avg-pool x.npy --ksize 2 --padding SAME").told());
    assert_snapshot!("avg_pool_json", bench.run("avg-pool x.npy --ksize 2 --strides 1,1 --json").told());
}

#[test]
fn explanations_go_term_by_term() {
    let bench = Bench::new();
    bench.array("neg.npy", &[1, 2, 2, 1], [-4.0, -3.0, -2.0, -1.0]);
    assert_snapshot!("explain_conv2d", bench.run("explain conv2d x.npy w.npy --at 0,0,0,0").told());
    assert_snapshot!(
        "explain_conv2d_padding",
        bench.run("explain conv2d x.npy w.npy --at 0,0,2,0 --padding SAME --bias b.npy").told()
    );
    assert_snapshot!(
        "explain_conv2d_korean",
        bench.run("explain conv2d x.npy w.npy --at 0,0,2,0 --padding SAME --lang ko").told()
    );
    assert_snapshot!(
        "explain_conv2d_json",
        bench.run("explain conv2d x.npy w.npy --at 0,2,2,0 --padding SAME --json").told()
    );
    assert_snapshot!(
        "explain_max_pool",
        bench.run("explain max-pool neg.npy --at 0,0,1,0 --ksize 2 --strides 1 --padding SAME").told()
    );
    assert_snapshot!(
        "explain_max_pool_json",
        bench.run("explain max-pool neg.npy --at 0,1,1,0 --ksize 2 --strides 1 --padding SAME --json").told()
    );
    assert_snapshot!(
        "explain_avg_pool",
        bench.run("explain avg-pool x.npy --at 0,1,1,0 --ksize 2 --padding SAME").told()
    );
}

/// TensorFlow 2.21 crashes on this one, though the answer is well defined.
#[test]
fn stride_with_dilation_over_a_1x1_filter() {
    let bench = Bench::new();
    let x = bench.waves("kx.npy", &[1, 8, 16, 7]);
    let w = bench.waves("kw.npy", &[1, 1, 7, 4]);
    let run = bench.run("conv2d kx.npy kw.npy --strides 2,2 --dilations 2,3 --padding VALID --json").good();
    let json = run.json();
    assert_eq!(json["shape"], serde_json::json!([1, 4, 8, 4]));
    let want = ArrayD::from_shape_fn(IxDyn(&[1, 4, 8, 4]), |at| {
        (0..7)
            .map(|c| f64::from(x[[0, 2 * at[1], 2 * at[2], c]]) * f64::from(w[[0, 0, c, at[3]]]))
            .sum::<f64>()
    });
    let got = json["values"].as_array().unwrap();
    assert_eq!(got.len(), want.len());
    for (got, want) in got.iter().zip(&want) {
        let got = got.as_f64().unwrap();
        assert!((got - want).abs() < 1e-5, "{got} against {want}");
    }
}

#[test]
fn what_is_not_finite_is_text_in_json() {
    let bench = Bench::new();
    bench.array("odd.npy", &[1, 1, 3, 1], [f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
    let run = bench.run("max-pool odd.npy --ksize 1 --json").good();
    assert_eq!(run.json()["values"], serde_json::json!(["NaN", "inf", "-inf"]));
    assert_snapshot!("not_finite", bench.run("max-pool odd.npy --ksize 1").told());
}

#[test]
fn an_empty_batch_gives_an_empty_result() {
    let bench = Bench::new();
    bench.array("none.npy", &[0, 3, 3, 1], []);
    let run = bench.run("conv2d none.npy w.npy --json").good();
    assert_eq!(run.stdout, "{\"shape\":[0,2,2,1],\"values\":[]}\n");
    assert_snapshot!("empty_batch", bench.run("max-pool none.npy --ksize 2").told());
    bench.run("explain conv2d none.npy w.npy --at 0,0,0,0").refused(&["conv2d", "[0, 2, 2, 1]"]);
}

#[test]
fn long_arrays_are_shown_by_their_edges() {
    let bench = Bench::new();
    bench.array("long.npy", &[1, 40, 40, 8], (0..12_800).map(|v| v as f32));
    assert_snapshot!("long", bench.run("max-pool long.npy --ksize 1").told());
}
