//! TensorFlow's and PyTorch's answers agree with the f64 references.

use foveal_testkit::fixtures::{self, LayerCase, PoolOp};
use foveal_testkit::reference::activation::{Activation, softmax, softmax_backward};
use foveal_testkit::reference::{self as r, batch_norm, loss, optim};
use foveal_testkit::{Pad, worst_relative};
use ndarray::{Array, Array2, Array4, ArrayD, Dimension};
use std::collections::{BTreeMap, BTreeSet};

/// Of the largest magnitude of an array: the rounding of f32 sums, and no more.
const TOLERANCE: f64 = 1e-5;

/// Keeps the worst error of each quantity.
#[derive(Default)]
struct Worst(BTreeMap<String, (f64, String)>);

impl Worst {
    fn check<D: Dimension>(
        &mut self,
        case: &str,
        quantity: &str,
        theirs: &Array<f32, D>,
        ours: &Array<f64, D>,
    ) {
        assert_eq!(theirs.shape(), ours.shape(), "{case} {quantity}");
        let (theirs, ours): (Vec<f32>, Vec<f64>) =
            (theirs.iter().copied().collect(), ours.iter().copied().collect());
        let error = worst_relative(&theirs, &ours);
        assert!(error <= TOLERANCE, "{case} {quantity}: {error:e}");
        let worst = self.0.entry(quantity.to_owned()).or_default();
        if error >= worst.0 {
            *worst = (error, case.to_owned());
        }
    }

    fn report(&self, what: &str) {
        for (quantity, (error, case)) in &self.0 {
            println!("{what} {quantity}: worst {error:.1e} ({case})");
        }
    }
}

fn wide<D: Dimension>(a: &Array<f32, D>) -> Array<f64, D> {
    a.mapv(f64::from)
}

fn four(a: &Array4<f64>) -> [usize; 4] {
    let (n, h, w, c) = a.dim();
    [n, h, w, c]
}

#[test]
fn conv2d() {
    let cases = fixtures::conv2d();
    assert!(cases.len() >= 300, "{}", cases.len());
    let mut worst = Worst::default();
    for c in &cases {
        let (x, w, d_y) = (wide(&c.x), wide(&c.w), wide(&c.d_y));
        let (s, d, p, g) = (c.strides, c.dilations, c.padding, c.groups);
        worst.check(&c.name, "y", &c.y, &r::conv2d(&x, &w, None, s, d, p, g));
        let d_x = r::conv2d_backward_input(&d_y, &w, four(&x), s, d, p, g);
        worst.check(&c.name, "d_x", &c.d_x, &d_x);
        let d_w = r::conv2d_backward_filter(&d_y, &x, four(&w), s, d, p, g);
        worst.check(&c.name, "d_w", &c.d_w, &d_w);
    }
    worst.report("conv2d");
}

#[test]
fn conv2d_cases_are_diverse() {
    let cases = fixtures::conv2d();
    let names: BTreeSet<_> = cases.iter().map(|c| &c.name).collect();
    assert_eq!(names.len(), cases.len());
    let count = |what: &str, least: usize, f: &dyn Fn(&fixtures::Conv2dCase) -> bool| {
        let count = cases.iter().filter(|c| f(c)).count();
        assert!(count >= least, "{count} cases with {what}");
        println!("{count} with {what}");
    };
    count("an empty batch", 3, &|c| c.x.dim().0 == 0);
    count("groups", 40, &|c| c.kind == "grouped");
    count("depthwise", 30, &|c| c.kind == "depthwise");
    count("a 1x1 filter", 20, &|c| c.kind == "1x1");
    count("a filter as large as the image", 10, &|c| c.kind == "whole");
    count("VALID", 80, &|c| c.padding == Pad::Valid);
    count("SAME", 80, &|c| c.padding == Pad::Same);
    count("explicit padding", 60, &|c| matches!(c.padding, Pad::Explicit(_)));
    count("unequal strides", 100, &|c| c.strides[0] != c.strides[1]);
    count("dilation with stride", 80, &|c| c.dilations != [1, 1] && c.strides != [1, 1]);
    count("a stride beyond the filter", 30, &|c| {
        let (kh, kw, ..) = c.w.dim();
        c.strides[0] > kh || c.strides[1] > kw
    });
    count("more than 15 channels", 15, &|c| c.x.dim().3 > 15);
    count("the input that ends TensorFlow's process", 1, &|c| {
        c.x.dim() == (1, 8, 16, 7) && c.w.dim() == (1, 1, 7, 4) && c.dilations == [2, 3]
    });
}

#[test]
fn pool() {
    let cases = fixtures::pool();
    assert!(cases.len() >= 150, "{}", cases.len());
    let mut worst = Worst::default();
    let mut counts = BTreeMap::<String, usize>::new();
    for c in &cases {
        let x = wide(&c.x);
        let (k, s, p) = (c.ksize, c.strides, c.padding);
        let (name, y) = match c.op {
            PoolOp::Max => ("max", r::max_pool(&x, k, s, p)),
            PoolOp::Avg => ("avg", r::avg_pool(&x, k, s, p)),
        };
        worst.check(&c.name, &format!("{name} y"), &c.y, &y);
        if let Some((d_y, d_x)) = &c.gradient {
            let d_y = wide(d_y);
            let ours = match c.op {
                PoolOp::Max => r::max_pool_backward(&d_y, &x, k, s, p),
                PoolOp::Avg => r::avg_pool_backward(&d_y, four(&x), k, s, p),
            };
            worst.check(&c.name, &format!("{name} d_x"), d_x, &ours);
        }
        *counts.entry(format!("{name} {}", c.values)).or_default() += 1;
    }
    worst.report("pool");
    println!("{counts:?}");
    for what in ["max ties", "max negative", "max nan", "max inf", "max normal", "avg normal"] {
        assert!(counts[what] >= 10, "{what}");
    }
}

/// Where `tf.nn.max_pool2d` and the reference part: what foveal does on purpose.
#[test]
fn tensorflow_skips_nan_and_stops_at_the_smallest_number() {
    let (mut nan, mut infinite) = (0, 0);
    for c in fixtures::pool() {
        let Some(theirs) = &c.y_max_pool2d else {
            continue;
        };
        assert_eq!(theirs.dim(), c.y.dim());
        for (&theirs, &y) in theirs.iter().zip(&c.y) {
            assert!(!theirs.is_nan(), "{}", c.name);
            if y.is_nan() {
                nan += 1;
            } else if y == f32::NEG_INFINITY {
                assert_eq!(theirs, f32::MIN, "{}", c.name);
                infinite += 1;
            } else {
                assert_eq!(theirs, y, "{}", c.name);
            }
        }
    }
    println!("{nan} windows with NaN, {infinite} of minus infinities");
    assert!(nan > 100 && infinite > 20);
}

fn as_f32(case: &LayerCase, tensor: &str) -> ArrayD<f32> {
    case.tensor(tensor).mapv(|v| v as f32)
}

fn get<D: Dimension>(case: &LayerCase, tensor: &str) -> Array<f64, D> {
    let t = case.tensor(tensor).clone();
    t.into_dimensionality().expect("the dimensions")
}

fn labels(case: &LayerCase) -> Vec<usize> {
    case.tensor("labels").iter().map(|&l| l as usize).collect()
}

/// The reference's `y` and the gradient of the first input.
fn layer(c: &LayerCase) -> (ArrayD<f64>, &'static str, ArrayD<f64>) {
    let number = |v: f64| ndarray::arr0(v).into_dyn();
    let activation = match c.op.as_str() {
        "relu" => Activation::Relu,
        "leaky_relu" => Activation::LeakyRelu { alpha: c.parameter("alpha") },
        "sigmoid" => Activation::Sigmoid,
        "tanh" => Activation::Tanh,
        "gelu" => Activation::Gelu,
        "gelu_tanh" => Activation::GeluTanh,
        "silu" => Activation::Silu,
        "hard_swish" => Activation::HardSwish,
        "hard_sigmoid" => Activation::HardSigmoid { alpha: c.parameter("alpha"), beta: c.parameter("beta") },
        "elu" => Activation::Elu { alpha: c.parameter("alpha") },
        "selu" => Activation::Selu { alpha: c.parameter("alpha"), gamma: c.parameter("gamma") },
        "celu" => Activation::Celu { alpha: c.parameter("alpha") },
        "softplus" => Activation::Softplus,
        "mish" => Activation::Mish,
        "softmax" => {
            let x = c.tensor("x");
            return (softmax(x), "d_x", softmax_backward(c.tensor("d_y"), x));
        }
        "softmax_cross_entropy" => {
            let (z, l, s) = (get(c, "logits"), labels(c), c.parameter("label_smoothing"));
            let weights: Option<Vec<f64>> =
                (c.tensors.get("class_weights")).map(|w| w.iter().copied().collect());
            let y = loss::softmax_cross_entropy(&z, &l, s, weights.as_deref());
            let d = loss::softmax_cross_entropy_gradient(&z, &l, s, weights.as_deref());
            return (number(y), "d_logits", d.into_dyn());
        }
        "huber" => {
            let (p, t, delta) = (c.tensor("prediction"), c.tensor("target"), c.parameter("delta"));
            let d = loss::huber_gradient(p, t, delta);
            return (number(loss::huber(p, t, delta)), "d_prediction", d);
        }
        "mean_squared_error" => {
            let (p, t) = (c.tensor("prediction"), c.tensor("target"));
            let d = loss::mean_squared_error_gradient(p, t);
            return (number(loss::mean_squared_error(p, t)), "d_prediction", d);
        }
        other => panic!("no reference for {other}"),
    };
    let x = c.tensor("x");
    (activation.forward(x), "d_x", activation.backward(c.tensor("d_y"), x))
}

#[test]
fn layers() {
    let cases = fixtures::layers();
    let mut worst = Worst::default();
    for c in &cases {
        if c.op == "batch_norm" {
            check_batch_norm(c, &mut worst);
            continue;
        }
        let (y, gradient, d) = layer(c);
        worst.check(&c.name, &c.op, &as_f32(c, "y"), &y);
        worst.check(&c.name, &c.op, &as_f32(c, gradient), &d);
    }
    worst.report("layers");
    assert_eq!(worst.0.len(), 11);
}

/// Element by element: one number far away would hide the others.
#[test]
fn activations() {
    let cases = fixtures::activations();
    for c in &cases {
        let (y, _, d_x) = layer(c);
        for (name, ours) in [("y", y), ("d_x", d_x)] {
            for (ours, theirs) in ours.iter().zip(c.tensor(name)) {
                let error = (ours - theirs).abs() / theirs.abs().max(1.0);
                assert!(error < 1e-7, "{} {name}: {ours} and {theirs}", c.name);
            }
        }
    }
    assert!(cases.len() >= 11, "{}", cases.len());
}

fn check_batch_norm(c: &LayerCase, worst: &mut Worst) {
    let (x, epsilon): (Array4<f64>, f64) = (get(c, "x"), c.parameter("epsilon"));
    let (gamma, beta) = (get(c, "gamma"), get(c, "beta"));
    let found = batch_norm::training(&x, &gamma, &beta, epsilon);
    let (d_x, d_gamma, d_beta) = batch_norm::training_backward(&get(c, "d_y"), &x, &gamma, epsilon);
    for (name, ours) in [
        ("y", found.y.into_dyn()),
        ("mean", found.mean.into_dyn()),
        ("variance", found.variance.into_dyn()),
        ("d_x", d_x.into_dyn()),
        ("d_gamma", d_gamma.into_dyn()),
        ("d_beta", d_beta.into_dyn()),
    ] {
        worst.check(&c.name, "batch_norm", &as_f32(c, name), &ours);
    }
}

#[test]
fn torch() {
    let mut worst = Worst::default();
    for c in &fixtures::torch() {
        if c.op == "softmax_cross_entropy" {
            let (y, gradient, d) = layer(c);
            worst.check(&c.name, &c.op, &as_f32(c, "y"), &y);
            worst.check(&c.name, &c.op, &as_f32(c, gradient), &d);
            continue;
        }
        let after = optimizer_trace(c);
        let theirs: &ArrayD<f64> = c.tensor("parameters");
        assert_eq!(theirs.shape(), [20, 12]);
        // f64 on both sides, so the place of each epsilon and power shows.
        for (ours, theirs) in after.iter().zip(theirs) {
            let error = (ours - theirs).abs() / theirs.abs().max(1.0);
            assert!(error < 1e-13, "{}: {ours} and {theirs}", c.name);
        }
    }
    worst.report("torch");
}

/// Updates parameters, given gradients.
type Step = Box<dyn FnMut(&mut [f64], &[f64])>;

fn optimizer_trace(c: &LayerCase) -> Array2<f64> {
    let p = |name| c.parameter(name);
    let mut parameters = get::<ndarray::Ix1>(c, "initial").to_vec();
    let gradients: Array2<f64> = get(c, "gradients");
    let mut step: Step = if c.op == "sgd" {
        let nesterov = p("nesterov") == 1.0;
        let mut sgd = optim::Sgd::new(p("lr"), p("momentum"), nesterov, p("weight_decay"));
        Box::new(move |w, g| sgd.step(w, g))
    } else {
        let betas = [p("beta1"), p("beta2")];
        let decoupled = c.op == "adamw";
        let mut adam = optim::Adam::new(p("lr"), betas, p("epsilon"), p("weight_decay"), decoupled);
        Box::new(move |w, g| adam.step(w, g))
    };
    let mut after = Vec::new();
    for gradient in gradients.rows() {
        step(&mut parameters, &gradient.to_vec());
        after.extend_from_slice(&parameters);
    }
    Array2::from_shape_vec(gradients.dim(), after).expect("a row per step")
}

#[test]
fn trajectory_is_whole() {
    let t = fixtures::trajectory();
    assert_eq!((t.batch, t.lr), (32, 1e-3));
    assert_eq!((t.losses_f32.len(), t.losses_f64.len()), (20, 20));
    for (a, b) in t.losses_f32.iter().zip(&t.losses_f64) {
        assert!((a - b).abs() < 1e-6);
    }
    for weights in [&t.initial, &t.final_f32, &t.final_f64] {
        let shapes: Vec<_> = weights.iter().map(|(n, w)| (n.as_str(), w.shape())).collect();
        let expected: [(&str, &[usize]); 6] = [
            ("conv1.b", &[8]),
            ("conv1.w", &[3, 3, 1, 8]),
            ("conv2.b", &[16]),
            ("conv2.w", &[3, 3, 8, 16]),
            ("dense.b", &[10]),
            ("dense.w", &[784, 10]),
        ];
        assert_eq!(shapes, expected);
    }
}
