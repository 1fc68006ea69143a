//! Ring 3 for operators on an image's grid: every answer of PyTorch, TensorFlow and ONNX Runtime in
//! `fixtures/grid`, and what the operators refuse.

use foveal_kernels::grid::{Binary, Grid, Op, Planned, Rearrangement};
use foveal_nn::Error;
use foveal_nn::ops::{
    self, Coordinates, DepthOrder, Method, NearestRound, PadMode, Reduction, Resize, ResponseOptions,
};
use foveal_testkit::fixtures::{GridCase, grid};
use foveal_testkit::worst_relative;
use ndarray::{Array, Array1, Array4, ArrayD, ArrayView4, Dimension, Ix1, Ix4};
use std::collections::BTreeMap;

type Found = Vec<(&'static str, ArrayD<f32>)>;
type Answer = Result<Found, Error>;

fn get<D: Dimension>(c: &GridCase, name: &str) -> Array<f32, D> {
    c.tensor::<D>(name).mapv(|v| v as f32)
}

/// `x` as a view whose numbers lie in another order.
fn turned(x: &Array4<f32>) -> Array4<f32> {
    x.view().reversed_axes().as_standard_layout().into_owned().reversed_axes()
}

fn four(x: &Array4<f32>) -> [usize; 4] {
    x.shape().try_into().expect("four extents")
}

/// `y`, and the gradient of `x` where the peer gave one.
fn of_one(
    c: &GridCase,
    forward: impl Fn(ArrayView4<f32>) -> Result<Array4<f32>, Error>,
    backward: impl Fn(ArrayView4<f32>, ArrayView4<f32>) -> Result<Array4<f32>, Error>,
) -> Answer {
    let x: Array4<f32> = turned(&get(c, "x"));
    let mut found = vec![("y", forward(x.view())?.into_dyn())];
    if c.has_gradients() {
        let d = turned(&get(c, "d_y"));
        found.push(("d_x", backward(x.view(), d.view())?.into_dyn()));
    }
    Ok(found)
}

fn of_two(c: &GridCase) -> Answer {
    let (a, b, d): (Array4<f32>, Array4<f32>, Array4<f32>) = (get(c, "a"), get(c, "b"), get(c, "d_y"));
    let (a, b, d) = (a.view(), b.view(), d.view());
    let shape = |x: &ArrayView4<f32>| four(&x.to_owned());
    let (y, [d_a, d_b]) = match c.op.as_str() {
        "multiply" => (ops::multiply(a, b)?, ops::multiply_backward(a, b, d)?),
        "subtract" => (ops::subtract(a, b)?, ops::subtract_backward(shape(&a), shape(&b), d)?),
        "maximum" => (ops::maximum(a, b)?, ops::maximum_backward(a, b, d)?),
        _ => (ops::minimum(a, b)?, ops::minimum_backward(a, b, d)?),
    };
    Ok(vec![("y", y.into_dyn()), ("d_a", d_a.into_dyn()), ("d_b", d_b.into_dyn())])
}

fn normalized(c: &GridCase) -> Answer {
    let (x, d): (Array4<f32>, Array4<f32>) = (get(c, "x"), get(c, "d_y"));
    let (gamma, beta): (Array1<f32>, Array1<f32>) = (get(c, "gamma"), get(c, "beta"));
    let (x, d, gamma, beta) = (x.view(), d.view(), gamma.view(), beta.view());
    let epsilon = c.option("epsilon");
    let (y, d) = match c.op.as_str() {
        "group_norm" => {
            let groups = c.option("groups");
            let d = ops::group_norm_backward(x, gamma, groups, epsilon, d)?;
            (ops::group_norm(x, gamma, beta, groups, epsilon)?, d)
        }
        "instance_norm" => {
            let d = ops::instance_norm_backward(x, gamma, epsilon, d)?;
            (ops::instance_norm(x, gamma, beta, epsilon)?, d)
        }
        _ => {
            let d = ops::layer_norm_backward(x, gamma, epsilon, d)?;
            (ops::layer_norm(x, gamma, beta, epsilon)?, d)
        }
    };
    Ok(vec![
        ("y", y.into_dyn()),
        ("d_x", d.input.into_dyn()),
        ("d_gamma", d.gamma.into_dyn()),
        ("d_beta", d.beta.into_dyn()),
    ])
}

fn channelwise(c: &GridCase) -> Answer {
    let (x, d): (Array4<f32>, Array4<f32>) = (get(c, "x"), get(c, "d_y"));
    let (x, d) = (x.view(), d.view());
    let (named, y, (d_x, d_k)) = if c.op == "scale" {
        let k = get::<Ix1>(c, "gamma");
        ("d_gamma", ops::scale(x, k.view())?, ops::scale_backward(x, k.view(), d)?)
    } else {
        let k = get::<Ix1>(c, "alpha");
        ("d_alpha", ops::prelu(x, k.view())?, ops::prelu_backward(x, k.view(), d)?)
    };
    Ok(vec![("y", y.into_dyn()), ("d_x", d_x.into_dyn()), (named, d_k.into_dyn())])
}

fn resized(c: &GridCase) -> Answer {
    let options = Resize {
        size: c.option("size"),
        scales: c.option("scales"),
        method: match c.option::<String>("method").as_str() {
            "linear" => Method::Linear,
            "floor" => Method::Nearest(NearestRound::Floor),
            "ceil" => Method::Nearest(NearestRound::Ceil),
            "round_prefer_floor" => Method::Nearest(NearestRound::RoundPreferFloor),
            "round_prefer_ceil" => Method::Nearest(NearestRound::RoundPreferCeil),
            other => panic!("{other}"),
        },
        coordinates: match c.option::<String>("coordinates").as_str() {
            "half_pixel" => Coordinates::HalfPixel,
            "pytorch_half_pixel" => Coordinates::PytorchHalfPixel,
            "align_corners" => Coordinates::AlignCorners,
            "asymmetric" => Coordinates::Asymmetric,
            "tf_half_pixel_for_nn" => Coordinates::TfHalfPixelForNn,
            other => panic!("{other}"),
        },
    };
    let shape = four(&get(c, "x"));
    of_one(c, |x| ops::resize(x, &options), |_, d| ops::resize_backward(shape, &options, d))
}

fn rearranged(c: &GridCase) -> Answer {
    let shape = four(&get(c, "x"));
    let (block, order) = match c.op.as_str() {
        "strided_slice" => {
            let (begin, size, step) = (c.option("begin"), c.option("size"), c.option("step"));
            let back = |_: ArrayView4<f32>, d: ArrayView4<f32>| {
                ops::strided_slice_backward(shape, begin, size, step, d)
            };
            return of_one(c, |x| ops::strided_slice(x, begin, size, step), back);
        }
        "channel_shuffle" => {
            let groups = c.option("groups");
            let back = |_: ArrayView4<f32>, d: ArrayView4<f32>| ops::channel_shuffle_backward(d, groups);
            return of_one(c, |x| ops::channel_shuffle(x, groups), back);
        }
        "pad" => {
            let mode = match c.option::<String>("mode").as_str() {
                "constant" => PadMode::Constant,
                "reflect" => PadMode::Reflect,
                "edge" => PadMode::Edge,
                "wrap" => PadMode::Wrap,
                other => panic!("{other}"),
            };
            let cells = c.option("cells");
            let back = |_: ArrayView4<f32>, d: ArrayView4<f32>| ops::pad_backward(shape, cells, mode, d);
            return of_one(c, |x| ops::pad(x, cells, mode, c.option("fill")), back);
        }
        _ => (c.option("block"), c.option::<String>("order")),
    };
    let order = if order == "block_first" { DepthOrder::BlockFirst } else { DepthOrder::ChannelFirst };
    if c.op == "depth_to_space" {
        let back = |_: ArrayView4<f32>, d: ArrayView4<f32>| ops::depth_to_space_backward(d, block, order);
        of_one(c, |x| ops::depth_to_space(x, block, order), back)
    } else {
        let back = |_: ArrayView4<f32>, d: ArrayView4<f32>| ops::space_to_depth_backward(d, block, order);
        of_one(c, |x| ops::space_to_depth(x, block, order), back)
    }
}

fn found(c: &GridCase) -> Answer {
    match c.op.as_str() {
        "multiply" | "subtract" | "maximum" | "minimum" => of_two(c),
        "group_norm" | "instance_norm" | "layer_norm" => normalized(c),
        "scale" | "prelu" => channelwise(c),
        "resize" => resized(c),
        "strided_slice" | "pad" | "channel_shuffle" | "depth_to_space" | "space_to_depth" => rearranged(c),
        "local_response_norm" => {
            let [alpha, beta, bias] = ["alpha", "beta", "bias"].map(|n| c.option(n));
            let options = ResponseOptions { size: c.option("size"), alpha, beta, bias };
            let back =
                |x: ArrayView4<f32>, d: ArrayView4<f32>| ops::local_response_norm_backward(x, &options, d);
            of_one(c, |x| ops::local_response_norm(x, &options), back)
        }
        "l2_normalize" => {
            let epsilon = c.option("epsilon");
            of_one(c, |x| ops::l2_normalize(x, epsilon), |x, d| ops::l2_normalize_backward(x, epsilon, d))
        }
        "softmax" => {
            of_one(c, |x| Ok(ops::softmax(x)), |x, d| ops::softmax_backward(ops::softmax(x).view(), d))
        }
        "log_softmax" => {
            of_one(c, ops::log_softmax, |x, d| ops::log_softmax_backward(ops::log_softmax(x)?.view(), d))
        }
        "reduce" => {
            let how = match c.option::<String>("how").as_str() {
                "mean" => Reduction::Mean,
                "sum" => Reduction::Sum,
                "max" => Reduction::Max,
                other => panic!("{other}"),
            };
            let over = c.option("over");
            of_one(c, |x| ops::reduce(x, how, over), |x, d| ops::reduce_backward(x, how, over, d))
        }
        other => panic!("no operator {other}"),
    }
}

#[test]
fn every_answer() {
    let cases = grid();
    assert!(cases.len() >= 160, "{}", cases.len());
    let mut worst: BTreeMap<String, f64> = BTreeMap::new();
    for c in &cases {
        for (name, ours) in found(c).unwrap_or_else(|e| panic!("{}: {e}", c.name)) {
            let theirs: ArrayD<f64> = c.tensor(name);
            assert_eq!(ours.shape(), theirs.shape(), "{} {name}", c.name);
            let mut ours: Vec<f32> = ours.iter().copied().collect();
            let mut theirs: Vec<f64> = theirs.iter().copied().collect();
            if c.op == "reduce" && name == "y" {
                // Sums of numbers of either sign: relative to the largest term at least.
                let largest = get::<Ix4>(c, "x").iter().fold(0.0f32, |m, v| m.max(v.abs()));
                ours.push(largest);
                theirs.push(f64::from(largest));
            }
            let error = worst_relative(&ours, &theirs);
            assert!(error <= 1e-5, "{} {name}: {error:e}", c.name);
            let worst = worst.entry(format!("{} {name}, {}", c.op, c.by)).or_default();
            *worst = worst.max(error);
        }
    }
    worst.iter().for_each(|(what, error)| println!("{what}: worst {error:.1e}"));
}

fn refused<T: std::fmt::Debug>(found: Result<T, Error>, parts: &[&str]) {
    let problem = found.expect_err("is refused").to_string();
    assert!(parts.iter().all(|p| problem.contains(p)), "{problem}");
}

#[test]
fn what_does_not_fit_is_refused_by_name_and_shape() {
    let x = Array4::<f32>::zeros((2, 4, 5, 6));
    let x = x.view();
    let other = Array4::<f32>::zeros((2, 4, 3, 6));
    refused(ops::multiply(x, other.view()), &["multiply", "widths 5 and 3", "[4, 5, 6]", "[4, 3, 6]"]);
    let one = Array4::<f32>::zeros((1, 4, 5, 6));
    refused(ops::maximum(x, one.view()), &["maximum", "[2, 4, 5, 6]", "[1, 4, 5, 6]", "one batch"]);
    refused(ops::strided_slice(x, [0, 0, 0], [4, 5, 3], [1, 1, 3]), &["slice", "[4, 5, 6]", "0 to 6"]);
    refused(ops::strided_slice(x, [9, 0, 0], [1, 1, 1], [1, 1, 1]), &["slice", "[9, 0, 0]"]);
    refused(ops::strided_slice(x, [3, 0, 0], [2, 1, 1], [i64::MIN, 1, 1]), &["slice", "heights 3 to"]);
    refused(ops::strided_slice(x, [0, 0, 0], [2, 1, 1], [0, 1, 1]), &["step [0, 1, 1]", "0"]);
    refused(ops::pad(x, [[usize::MAX, 1], [0, 0], [0, 0]], PadMode::Edge, 0.0), &["pad", "[4, 5, 6]"]);
    refused(ops::pad(x, [[1 << 30, 1 << 30], [0; 2], [0; 2]], PadMode::Wrap, 0.0), &["pad", "bytes"]);
    refused(ops::pad(x, [[1; 2]; 3], PadMode::Constant, f32::NAN), &["pad", "NaN"]);
    refused(ops::channel_shuffle(x, 4), &["channel_shuffle", "groups 4", "6 channels"]);
    refused(ops::channel_shuffle(x, 0), &["channel_shuffle", "groups 0"]);
    refused(ops::depth_to_space(x, 2, DepthOrder::BlockFirst), &["depth_to_space", "block 2", "6 channels"]);
    refused(ops::space_to_depth(x, 2, DepthOrder::BlockFirst), &["space_to_depth", "block 2", "width 5"]);
    refused(ops::space_to_depth(x, 0, DepthOrder::BlockFirst), &["space_to_depth", "block 0"]);
    let huge = usize::MAX / 2;
    refused(ops::depth_to_space(x, huge, DepthOrder::BlockFirst), &["depth_to_space", "block"]);
    refused(ops::group_norm(x, Array1::ones(6).view(), Array1::ones(6).view(), 4, 1e-5), &["groups 4"]);
    refused(
        ops::layer_norm(x, Array1::ones(5).view(), Array1::ones(6).view(), 1e-5),
        &["5 numbers", "have 6"],
    );
    refused(ops::layer_norm(x, Array1::ones(6).view(), Array1::ones(6).view(), -1.0), &["epsilon", "-1"]);
    refused(ops::l2_normalize(x, f32::NAN), &["l2_normalize", "epsilon", "NaN"]);
    let response = ResponseOptions { size: 0, ..ResponseOptions::new(3) };
    refused(ops::local_response_norm(x, &response), &["local_response_norm", "size", "0"]);
    let response = ResponseOptions { bias: 0.0, ..ResponseOptions::new(3) };
    refused(ops::local_response_norm(x, &response), &["bias must be above 0"]);
    refused(ops::scale(x, Array1::ones(2).view()), &["scale", "2 numbers", "6 or 1"]);
    let wrong = Array4::<f32>::zeros((2, 1, 5, 6));
    refused(ops::reduce_backward(x, Reduction::Sum, [true; 3], wrong.view()), &["reduce", "[2, 1, 1, 1]"]);
    let empty = Array4::<f32>::zeros((2, 0, 5, 6));
    refused(ops::log_softmax(empty.view()), &["log_softmax", "[0, 5, 6]", "empty"]);
}

#[test]
fn sizes_beyond_all_bounds_are_refused_before_memory_is_taken() {
    let x = Array4::<f32>::zeros((1, 1, 1, 1));
    let resize = |size, scales| Resize {
        size,
        scales,
        method: Method::Nearest(NearestRound::Floor),
        coordinates: Coordinates::Asymmetric,
    };
    for size in [[usize::MAX, 2], [1 << 20, 1 << 20], [0, 3]] {
        refused(ops::resize(x.view(), &resize(size, None)), &["resize", "[1, 1, 1]", &size[0].to_string()]);
    }
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        refused(ops::resize(x.view(), &resize([2, 2], Some([1.0, scale]))), &["resize", "scales"]);
    }
    // One image fits, a thousand do not.
    let many = Array4::<f32>::zeros((1000, 1, 1, 1));
    refused(ops::resize(many.view(), &resize([1 << 10, 1 << 10], None)), &["resize", "1000 images", "bytes"]);
    let d = Array4::<f32>::zeros((1, 1, 1, 1));
    let input = [usize::MAX, 3, 3, 3];
    refused(ops::resize_backward(input, &resize([1, 1], None), d.view()), &["resize"]);
    refused(ops::pad_backward([1, 1 << 40, 1, 1], [[0; 2]; 3], PadMode::Edge, d.view()), &["pad", "bytes"]);
}

#[test]
fn an_empty_batch_is_one() {
    let x = Array4::<f32>::zeros((0, 4, 5, 6));
    let gamma = Array1::ones(6);
    assert_eq!(ops::layer_norm(x.view(), gamma.view(), gamma.view(), 1e-5).unwrap().dim(), (0, 4, 5, 6));
    let d = ops::layer_norm_backward(x.view(), gamma.view(), 1e-5, x.view()).unwrap();
    assert_eq!((d.input.dim(), d.gamma, d.beta), ((0, 4, 5, 6), Array1::zeros(6), Array1::zeros(6)));
}

#[test]
fn a_large_batch_has_the_bits_of_its_images() {
    let x = Array::<f32, Ix4>::from_shape_fn((9, 16, 15, 12), |(n, h, w, c)| {
        ((n * 131 + h * 31 + w * 17 + c * 7) % 101) as f32 / 13.0 - 3.0
    });
    let gamma = Array1::from_shape_fn(12, |c| 0.5 + c as f32 / 7.0);
    let of = |x: ArrayView4<f32>| ops::group_norm(x, gamma.view(), gamma.view(), 3, 1e-5).unwrap();
    let all = of(x.view());
    for (i, y) in all.outer_iter().enumerate() {
        assert_eq!(of(x.slice_axis(ndarray::Axis(0), (i..i + 1).into())).index_axis(ndarray::Axis(0), 0), y);
    }
}

/// Everything is laid out when an operation is planned.
#[test]
fn passes_take_no_memory() {
    let shape = [9, 14, 6];
    let resize =
        Resize { size: [18, 20], scales: None, method: Method::Linear, coordinates: Coordinates::HalfPixel };
    let cells = [[1, 2], [0, 3], [1, 0]];
    for op in [
        Op::Rearrange { how: Rearrangement::Pad { cells, mode: PadMode::Reflect }, fill: 0.0 },
        Op::Resize(resize),
        Op::Resize(Resize { method: Method::Nearest(NearestRound::Floor), ..resize }),
        Op::Binary(Binary::Maximum),
        Op::GroupNorm { groups: 3, epsilon: 1e-5 },
        Op::LayerNorm { epsilon: 1e-5 },
        Op::LocalResponseNorm { size: 5, alpha: 1e-4, beta: 0.75, bias: 1.0 },
        Op::L2Normalize { epsilon: 1e-5 },
        Op::Softmax,
        Op::LogSoftmax,
        Op::Reduce { how: Reduction::Max, over: [true, false, true] },
        Op::Scale,
        Op::Prelu,
    ] {
        let inputs = vec![shape; op.inputs()];
        let grids: Vec<Grid> = inputs.iter().map(|&s| Grid::plain(s)).collect();
        let to = Grid::plain(op.output_shape(&inputs).unwrap());
        let planned = Planned::new(&op, &grids, to).with_gradients(&grids, to);
        let x: Vec<f32> = (0..grids[0].end()).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
        let (k, mut d) = ([1.5; 6], [[0.0; 6]; 2]);
        let (mut y, mut dx, mut scratch) = (vec![0.0; to.end()], x.clone(), vec![0.0; planned.scratch()]);
        let dy = vec![0.5; to.end()];
        let isa = foveal_nn::Isa::best();
        let taken = allocation_counter::measure(|| {
            let (x, k) = ([&x[..], &x[..]], [&k[..], &k[..]]);
            planned.forward(isa, x, k, &mut y, &mut scratch);
            planned.backward_input(isa, 0, x, k, &y, &dy, &mut dx, &mut scratch);
            let [a, b] = &mut d;
            planned.backward_params(isa, x, k, &dy, [a, b], &mut scratch);
        });
        assert_eq!(taken.count_total, 0, "{op:?}");
    }
}
