//! Transposed convolution through the public operators: TensorFlow's and PyTorch's answers, views of any order, and
//! arguments that are refused.

use foveal_nn::ops;
use foveal_nn::{Conv2dTransposeOptions, Error, Padding};
use foveal_testkit::reference::ConvTranspose;
use foveal_testkit::{Pad, fixtures, worst_relative};
use ndarray::{Array, Array1, Array4, Axis, Dimension};

fn pair(v: [usize; 2]) -> [i64; 2] {
    v.map(|v| v as i64)
}

fn options(op: &ConvTranspose) -> Conv2dTransposeOptions {
    Conv2dTransposeOptions {
        strides: pair(op.strides),
        dilations: pair(op.dilations),
        padding: match op.padding {
            Pad::Valid => Padding::Valid,
            Pad::Same => Padding::Same,
            Pad::Explicit(p) => Padding::Explicit(p.map(|v| v as i64)),
        },
        output_padding: pair(op.output_padding),
        groups: op.groups as i64,
    }
}

fn four(a: &Array4<f32>) -> [usize; 4] {
    let (n, h, w, c) = a.dim();
    [n, h, w, c]
}

fn check<D: Dimension>(case: &str, what: &str, ours: &Array<f32, D>, theirs: &Array<f32, D>) {
    assert_eq!(ours.shape(), theirs.shape(), "{case} {what}");
    let ours: Vec<f32> = ours.iter().copied().collect();
    let theirs: Vec<f64> = theirs.iter().map(|&v| f64::from(v)).collect();
    let error = worst_relative(&ours, &theirs);
    assert!(error <= 1e-5, "{case} {what}: {error:e}");
}

#[test]
fn answers_of_tensorflow_and_pytorch() {
    let cases = fixtures::transpose();
    assert!(cases.len() >= 80, "{}", cases.len());
    for c in &cases {
        let options = options(&c.op);
        let (x, w, d_y) = (c.x.view(), c.w.view(), c.d_y.view());
        let y = ops::conv2d_transpose(x, w, Some(c.bias.view()), &options).unwrap();
        check(&c.name, "y", &y, &c.y);
        let d_x = ops::conv2d_transpose_backward_input(four(&c.x), w, d_y, &options).unwrap();
        check(&c.name, "d_x", &d_x, &c.d_x);
        let d_w = ops::conv2d_transpose_backward_filter(x, four(&c.w), d_y, &options).unwrap();
        check(&c.name, "d_w", &d_w, &c.d_w);
        // Views that are not row-major are the same arrays.
        let columns = x.reversed_axes().as_standard_layout().into_owned();
        let again =
            ops::conv2d_transpose(columns.view().reversed_axes(), w, Some(c.bias.view()), &options).unwrap();
        assert_eq!(again, y, "{}", c.name);
        // Without a bias it is the same less the bias.
        let plain = ops::conv2d_transpose(x, w, None, &options).unwrap();
        check(&c.name, "y without a bias", &(plain + &c.bias), &c.y);
    }
}

/// Asserts an error of each operator that names itself, both shapes and every part.
#[track_caller]
fn refused(x: [usize; 4], w: [usize; 4], options: &Conv2dTransposeOptions, parts: &[&str]) {
    let (input, filter) = (Array4::zeros(x), Array4::zeros(w));
    let d_y = Array4::zeros([x[0], 1, 1, 1]);
    let found: [(&str, Result<Array4<f32>, Error>); 3] = [
        ("conv2d_transpose", ops::conv2d_transpose(input.view(), filter.view(), None, options)),
        (
            "conv2d_transpose_backward_input",
            ops::conv2d_transpose_backward_input(x, filter.view(), d_y.view(), options),
        ),
        (
            "conv2d_transpose_backward_filter",
            ops::conv2d_transpose_backward_filter(input.view(), w, d_y.view(), options),
        ),
    ];
    for (operator, result) in found {
        let message = result.expect_err("an error").to_string();
        assert!(message.starts_with(&format!("{operator}: ")), "{message}");
        for part in [&format!("{x:?}"), &format!("{w:?}")]
            .into_iter()
            .map(String::as_str)
            .chain(parts.iter().copied())
        {
            assert!(message.contains(part), "{message} does not name {part}");
        }
    }
}

#[test]
fn arguments_that_do_not_fit() {
    let plain = Conv2dTransposeOptions::default();
    let (x, w) = ([1, 3, 4, 6], [3, 3, 2, 6]);
    refused(x, [3, 3, 6, 2], &plain, &["last extent 2", "6 channels"]);
    refused(x, w, &Conv2dTransposeOptions { groups: 4, ..plain }, &["6 channels", "4 groups"]);
    refused(x, w, &Conv2dTransposeOptions { groups: 0, ..plain }, &["groups", "[0]"]);
    refused(x, w, &Conv2dTransposeOptions { groups: i64::MAX, ..plain }, &["groups"]);
    refused(x, w, &Conv2dTransposeOptions { strides: [0, 1], ..plain }, &["strides", "[0, 1]"]);
    refused(x, w, &Conv2dTransposeOptions { dilations: [1, -2], ..plain }, &["dilations", "[1, -2]"]);
    refused([1, 0, 4, 6], w, &plain, &["empty"]);
    refused(x, [3, 0, 2, 6], &plain, &["empty"]);
    let padded = |padding| Conv2dTransposeOptions { padding, ..plain };
    refused(x, w, &padded(Padding::Explicit([0, -1, 0, 0])), &["negative", "[0, -1, 0, 0]"]);
    refused(x, w, &padded(Padding::Explicit([3, 2, 0, 0])), &["height", "5 cells", "3,2,0,0"]);
    refused(x, w, &padded(Padding::Explicit([0, 0, i64::MAX, i64::MAX])), &["width"]);
    let more = |strides, output_padding| Conv2dTransposeOptions { strides, output_padding, ..plain };
    refused(x, w, &more([2, 2], [2, 0]), &["output padding [2, 0]", "strides [2, 2]"]);
    refused(x, w, &more([2, 2], [0, -1]), &["output padding", "negative"]);
    let same = Conv2dTransposeOptions { padding: Padding::Same, ..more([2, 2], [1, 0]) };
    refused(x, w, &same, &["output padding [1, 0]", "SAME"]);
    // What would need more memory than there is, or parts without number.
    refused(x, w, &more([i64::MAX, 1], [0, 0]), &["too large"]);
    refused(x, w, &more([30_000, 30_000], [0, 0]), &["bytes"]);
    refused(x, w, &Conv2dTransposeOptions { dilations: [1 << 40, 1], ..plain }, &["too large"]);
    refused([1, 1, 1, 1], [1, 1, 1, 1], &more([300, 300], [0, 0]), &["strides", "65536"]);
}

#[test]
fn arrays_of_other_shapes() {
    let (x, w) = (Array4::zeros([1, 3, 4, 6]), Array4::zeros([3, 3, 2, 6]));
    let plain = Conv2dTransposeOptions::default();
    let bias = Array1::zeros(3);
    let e = ops::conv2d_transpose(x.view(), w.view(), Some(bias.view()), &plain).unwrap_err().to_string();
    assert!(e.starts_with("conv2d_transpose: ") && e.contains("[2]") && e.contains("[3]"), "{e}");
    let d_y = Array4::zeros([1, 5, 6, 3]);
    for e in [
        ops::conv2d_transpose_backward_input([1, 3, 4, 6], w.view(), d_y.view(), &plain).unwrap_err(),
        ops::conv2d_transpose_backward_filter(x.view(), [3, 3, 2, 6], d_y.view(), &plain).unwrap_err(),
    ] {
        let e = e.to_string();
        assert!(e.contains("[1, 5, 6, 2]") && e.contains("[1, 5, 6, 3]"), "{e}");
    }
    // An empty batch is an answer, not an error.
    let none = x.slice_axis(Axis(0), (0..0).into()).into_owned();
    let y = ops::conv2d_transpose(none.view(), w.view(), None, &plain).unwrap();
    assert_eq!(y.shape(), [0, 5, 6, 2]);
}
