//! The references of operations on the grid against the answers of PyTorch, TensorFlow and ONNX Runtime.

use foveal_testkit::fixtures::{GridCase, grid};
use foveal_testkit::reference::activation::{softmax, softmax_backward};
use foveal_testkit::reference::binary::{Binary, binary, binary_backward};
use foveal_testkit::reference::image_norm::{self as norm, Response};
use foveal_testkit::reference::log_softmax::{log_softmax, log_softmax_backward};
use foveal_testkit::reference::rearrange::{self, Fill, rearrange_backward};
use foveal_testkit::reference::reduce::{Reduction, reduce, reduce_backward};
use foveal_testkit::reference::resize::{Resizing, resize, resize_backward};
use foveal_testkit::reference::scale::{prelu, prelu_backward, scale, scale_backward};
use foveal_testkit::worst_relative;
use ndarray::{Array1, Array4, ArrayD};

/// Names and values: `y`, and `d_` of each input where there are gradients.
type Found = Vec<(&'static str, ArrayD<f64>)>;

fn four(a: &Array4<f64>) -> [usize; 4] {
    let (n, h, w, c) = a.dim();
    [n, h, w, c]
}

fn d_y(c: &GridCase) -> Option<Array4<f64>> {
    c.has_gradients().then(|| c.tensor("d_y"))
}

fn of_one(
    c: &GridCase,
    forward: impl Fn(&Array4<f64>) -> Array4<f64>,
    backward: impl Fn(&Array4<f64>, &Array4<f64>) -> Array4<f64>,
) -> Found {
    let x = c.tensor("x");
    let mut found = vec![("y", forward(&x).into_dyn())];
    found.extend(d_y(c).map(|d| ("d_x", backward(&d, &x).into_dyn())));
    found
}

fn rearranged(c: &GridCase, forward: impl Fn(&Array4<f64>) -> Array4<f64>) -> Found {
    of_one(c, &forward, |d, x| rearrange_backward(d, four(x), &forward))
}

fn of_two(c: &GridCase, f: Binary) -> Found {
    let (a, b): (Array4<f64>, Array4<f64>) = (c.tensor("a"), c.tensor("b"));
    let [d_a, d_b] = binary_backward(f, &c.tensor("d_y"), &a, &b);
    vec![("y", binary(f, &a, &b).into_dyn()), ("d_a", d_a.into_dyn()), ("d_b", d_b.into_dyn())]
}

fn normalized(c: &GridCase, groups: Option<usize>) -> Found {
    let (x, epsilon): (Array4<f64>, f64) = (c.tensor("x"), c.option("epsilon"));
    let (gamma, beta): (Array1<f64>, Array1<f64>) = (c.tensor("gamma"), c.tensor("beta"));
    let (d_x, d_gamma, d_beta) = norm::image_norm_backward(&c.tensor("d_y"), &x, &gamma, groups, epsilon);
    vec![
        ("y", norm::image_norm(&x, &gamma, &beta, groups, epsilon).into_dyn()),
        ("d_x", d_x.into_dyn()),
        ("d_gamma", d_gamma.into_dyn()),
        ("d_beta", d_beta.into_dyn()),
    ]
}

fn pad(c: &GridCase) -> Found {
    let fill = |constant: f64| match c.option::<String>("mode").as_str() {
        "constant" => Fill::Constant(constant),
        "reflect" => Fill::Reflect,
        "edge" => Fill::Edge,
        "wrap" => Fill::Wrap,
        other => panic!("{other}"),
    };
    let padded = |x: &Array4<f64>, constant| rearrange::pad(x, c.option("cells"), fill(constant));
    let back = |d: &Array4<f64>, x: &Array4<f64>| rearrange_backward(d, four(x), |x| padded(x, -1.0));
    of_one(c, |x| padded(x, c.option("fill")), back)
}

fn resized(c: &GridCase) -> Found {
    let (coordinates, mode): (String, String) = (c.option("coordinates"), c.option("method"));
    let how = Resizing {
        size: c.option("size"),
        scales: c.option("scales"),
        coordinates: &coordinates,
        mode: &mode,
    };
    of_one(c, |x| resize(x, &how), |d, x| resize_backward(d, four(x), &how))
}

fn found(c: &GridCase) -> Found {
    let channel_first = || c.option::<String>("order") == "channel_first";
    match c.op.as_str() {
        "multiply" => of_two(c, Binary::Multiply),
        "subtract" => of_two(c, Binary::Subtract),
        "maximum" => of_two(c, Binary::Maximum),
        "minimum" => of_two(c, Binary::Minimum),
        "strided_slice" => {
            rearranged(c, |x| rearrange::slice(x, c.option("begin"), c.option("size"), c.option("step")))
        }
        "pad" => pad(c),
        "channel_shuffle" => rearranged(c, |x| rearrange::channel_shuffle(x, c.option("groups"))),
        "depth_to_space" => {
            rearranged(c, |x| rearrange::depth_to_space(x, c.option("block"), channel_first()))
        }
        "space_to_depth" => {
            rearranged(c, |x| rearrange::space_to_depth(x, c.option("block"), channel_first()))
        }
        "resize" => resized(c),
        "group_norm" => normalized(c, Some(c.option("groups"))),
        "instance_norm" => normalized(c, Some(c.tensor::<ndarray::Ix1>("gamma").len())),
        "layer_norm" => normalized(c, None),
        "local_response_norm" => {
            let [alpha, beta, bias] = ["alpha", "beta", "bias"].map(|n| c.option(n));
            let response = Response { size: c.option("size"), alpha, beta, bias };
            of_one(c, |x| response.forward(x), |d, x| response.backward(d, x))
        }
        "l2_normalize" => {
            let epsilon = c.option("epsilon");
            let backward = |d: &Array4<f64>, x: &Array4<f64>| norm::l2_normalize_backward(d, x, epsilon);
            of_one(c, |x| norm::l2_normalize(x, epsilon), backward)
        }
        "softmax" => of_one(c, softmax, softmax_backward),
        "log_softmax" => of_one(c, log_softmax, log_softmax_backward),
        "reduce" => {
            let how = match c.option::<String>("how").as_str() {
                "mean" => Reduction::Mean,
                "sum" => Reduction::Sum,
                "max" => Reduction::Max,
                other => panic!("{other}"),
            };
            let over = c.option("over");
            of_one(c, |x| reduce(how, x, over), |d, x| reduce_backward(how, d, x, over))
        }
        "scale" | "prelu" => {
            let named = if c.op == "scale" { ["gamma", "d_gamma"] } else { ["alpha", "d_alpha"] };
            let (x, k): (Array4<f64>, Array1<f64>) = (c.tensor("x"), c.tensor(named[0]));
            let d_y = c.tensor("d_y");
            let (y, (d_x, d_k)) = match c.op.as_str() {
                "scale" => (scale(&x, &k), scale_backward(&d_y, &x, &k)),
                _ => (prelu(&x, &k), prelu_backward(&d_y, &x, &k)),
            };
            vec![("y", y.into_dyn()), ("d_x", d_x.into_dyn()), (named[1], d_k.into_dyn())]
        }
        other => panic!("no reference for {other}"),
    }
}

#[test]
fn every_answer() {
    let cases = grid();
    assert!(cases.len() >= 160, "{}", cases.len());
    let mut worst = 0.0f64;
    for c in &cases {
        for (name, ours) in found(c) {
            let theirs: ArrayD<f64> = c.tensor(name);
            assert_eq!(ours.shape(), theirs.shape(), "{} {name}", c.name);
            let theirs: Vec<f32> = theirs.iter().map(|&v| v as f32).collect();
            let error = worst_relative(&theirs, &ours.iter().copied().collect::<Vec<_>>());
            assert!(error <= 1e-5, "{} {name}: {error:e}", c.name);
            worst = worst.max(error);
        }
    }
    println!("{} cases of operations on the grid, worst {worst:.1e}", cases.len());
}
