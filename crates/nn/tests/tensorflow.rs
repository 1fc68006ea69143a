//! Ring 3: every answer of TensorFlow in `fixtures/` through the public operators.

use foveal_nn::ops::{self, Activation};
use foveal_nn::{Conv2dOptions, Padding, Pool2dOptions};
use foveal_testkit::fixtures::{self, LayerCase, PoolOp};
use foveal_testkit::{Pad, worst_relative};
use ndarray::{Array, Array2, ArrayD, Dimension, arr0};
use std::collections::BTreeMap;

/// Of the largest magnitude of an array.
const TOLERANCE: f64 = 1e-5;

/// The worst error of each quantity.
#[derive(Default)]
struct Worst(BTreeMap<String, (f64, String)>);

impl Worst {
    fn check<D: Dimension>(&mut self, case: &str, what: &str, ours: &Array<f32, D>, theirs: &Array<f32, D>) {
        assert_eq!(ours.shape(), theirs.shape(), "{case} {what}");
        let ours: Vec<f32> = ours.iter().copied().collect();
        let theirs: Vec<f64> = theirs.iter().map(|&v| f64::from(v)).collect();
        let error = worst_relative(&ours, &theirs);
        assert!(error <= TOLERANCE, "{case} {what}: {error:e}");
        let worst = self.0.entry(what.to_owned()).or_default();
        if error >= worst.0 {
            *worst = (error, case.to_owned());
        }
    }

    fn report(&self, count: usize, what: &str) {
        println!("{count} cases of {what}");
        for (quantity, (error, case)) in &self.0 {
            println!("  {quantity}: worst {error:.1e} ({case})");
        }
    }
}

fn padding(pad: Pad) -> Padding {
    match pad {
        Pad::Valid => Padding::Valid,
        Pad::Same => Padding::Same,
        Pad::Explicit(p) => Padding::Explicit(p.map(|v| v as i64)),
    }
}

fn pair(v: [usize; 2]) -> [i64; 2] {
    v.map(|v| v as i64)
}

fn four(shape: &[usize]) -> [usize; 4] {
    shape.try_into().expect("four extents")
}

#[test]
fn conv2d() {
    let cases = fixtures::conv2d();
    assert!(cases.len() >= 300, "{}", cases.len());
    let mut worst = Worst::default();
    for c in &cases {
        let options = Conv2dOptions {
            strides: pair(c.strides),
            dilations: pair(c.dilations),
            padding: padding(c.padding),
            groups: c.groups as i64,
        };
        let (x, w, d_y) = (c.x.view(), c.w.view(), c.d_y.view());
        worst.check(&c.name, "y", &ops::conv2d(x, w, None, &options).unwrap(), &c.y);
        let d_x = ops::conv2d_backward_input(four(x.shape()), w, d_y, &options).unwrap();
        worst.check(&c.name, "d_x", &d_x, &c.d_x);
        let d_w = ops::conv2d_backward_filter(x, four(w.shape()), d_y, &options).unwrap();
        worst.check(&c.name, "d_w", &d_w, &c.d_w);
        let all = ops::conv2d_backward(x, w, d_y, &options).unwrap();
        assert_eq!((all.input, all.filter), (d_x, d_w), "{}", c.name);
        // Views that are not row-major are the same arrays.
        let columns = x.reversed_axes().as_standard_layout().into_owned();
        let again = ops::conv2d(columns.view().reversed_axes(), w, None, &options).unwrap();
        worst.check(&c.name, "y of a column-major view", &again, &c.y);
    }
    worst.report(cases.len(), "conv2d");
}

#[test]
fn pool() {
    let cases = fixtures::pool();
    assert!(cases.len() >= 150, "{}", cases.len());
    let mut worst = Worst::default();
    let mut special = 0;
    for c in &cases {
        let options =
            Pool2dOptions { ksize: pair(c.ksize), strides: pair(c.strides), padding: padding(c.padding) };
        let (name, y) = match c.op {
            PoolOp::Max => ("max_pool", ops::max_pool(c.x.view(), &options)),
            PoolOp::Avg => ("avg_pool", ops::avg_pool(c.x.view(), &options)),
        };
        let y = y.unwrap();
        special += usize::from(c.values == "nan" || c.values == "inf");
        worst.check(&c.name, &format!("{name} y, {}", c.values), &y, &c.y);
        if c.op == PoolOp::Max {
            let same = |(a, b): (&f32, &f32)| a == b || (a.is_nan() && b.is_nan());
            assert!(y.iter().zip(&c.y).all(same), "{}: a maximum is one of its window's numbers", c.name);
        }
        if let Some((d_y, d_x)) = &c.gradient {
            let ours = match c.op {
                PoolOp::Max => ops::max_pool_backward(c.x.view(), d_y.view(), &options),
                PoolOp::Avg => ops::avg_pool_backward(four(c.x.shape()), d_y.view(), &options),
            };
            worst.check(&c.name, &format!("{name} d_x, {}", c.values), &ours.unwrap(), d_x);
        }
    }
    assert!(special >= 20, "{special} cases with NaN or infinities");
    worst.report(cases.len(), "pooling");
}

fn narrow(case: &LayerCase, tensor: &str) -> ArrayD<f32> {
    case.tensor(tensor).mapv(|v| v as f32)
}

fn get<D: Dimension>(case: &LayerCase, tensor: &str) -> Array<f32, D> {
    narrow(case, tensor).into_dimensionality().expect("the dimensions")
}

fn cross_entropy(c: &LayerCase) -> (f32, Array2<f32>) {
    let labels: Vec<u32> = c.tensor("labels").iter().map(|&l| l as u32).collect();
    let weights: Option<Vec<f32>> =
        c.tensors.get("class_weights").map(|w| w.mapv(|v| v as f32).into_iter().collect());
    let smoothing = c.parameter("label_smoothing") as f32;
    let logits: Array2<f32> = get(c, "logits");
    ops::softmax_cross_entropy(logits.view(), &labels, smoothing, weights.as_deref()).unwrap()
}

/// A layer with `y`, and the name and value of one gradient.
fn layer(c: &LayerCase) -> (ArrayD<f32>, &'static str, ArrayD<f32>) {
    let scalar = |v: f32| arr0(v).into_dyn();
    let p = |name: &str| c.parameter(name) as f32;
    let f = match c.op.as_str() {
        "relu" => Activation::Relu,
        "leaky_relu" => Activation::LeakyRelu(p("alpha")),
        "sigmoid" => Activation::Sigmoid,
        "tanh" => Activation::Tanh,
        "gelu" => Activation::Gelu,
        "gelu_tanh" => Activation::GeluTanh,
        "silu" => Activation::Silu,
        "hard_swish" => Activation::HardSwish,
        "hard_sigmoid" => Activation::HardSigmoid(p("alpha"), p("beta")),
        "elu" => Activation::Elu(p("alpha")),
        "selu" => Activation::Selu(p("alpha"), p("gamma")),
        "celu" => Activation::Celu(p("alpha")),
        "softplus" => Activation::Softplus,
        "mish" => Activation::Mish,
        "softmax" => {
            let y = ops::softmax(narrow(c, "x").view());
            let d = ops::softmax_backward(y.view(), narrow(c, "d_y").view()).unwrap();
            return (y, "d_x", d);
        }
        "softmax_cross_entropy" => {
            let (loss, d) = cross_entropy(c);
            return (scalar(loss), "d_logits", d.into_dyn());
        }
        "huber" | "mean_squared_error" => {
            let rows = |name: &str| {
                let t = narrow(c, name);
                let n = t.shape().first().copied().unwrap_or(1);
                let rest = t.len() / n;
                t.into_shape_with_order((n, rest)).unwrap()
            };
            let (p, t) = (rows("prediction"), rows("target"));
            let (loss, d) = match c.op.as_str() {
                "huber" => ops::huber(p.view(), t.view(), c.parameter("delta") as f32),
                _ => ops::mean_squared_error(p.view(), t.view()),
            }
            .unwrap();
            let shape = c.tensor("prediction").raw_dim();
            return (scalar(loss), "d_prediction", d.into_shape_with_order(shape).unwrap());
        }
        other => panic!("no operator for {other}"),
    };
    let x = narrow(c, "x");
    let d = ops::activation_backward(f, x.view(), narrow(c, "d_y").view()).unwrap();
    (ops::activation(f, x.view()), "d_x", d)
}

fn batch_norm(c: &LayerCase, worst: &mut Worst) {
    let (x, epsilon) = (get(c, "x"), c.parameter("epsilon") as f32);
    let (gamma, beta) = (get(c, "gamma"), get(c, "beta"));
    let found = ops::batch_norm(x.view(), gamma.view(), beta.view(), epsilon).unwrap();
    let (mean, variance) = (found.mean, found.variance);
    let d = ops::batch_norm_backward(
        x.view(),
        gamma.view(),
        mean.view(),
        variance.view(),
        epsilon,
        get(c, "d_y").view(),
    );
    let d = d.unwrap();
    for (name, ours) in [
        ("y", found.output.into_dyn()),
        ("mean", mean.into_dyn()),
        ("variance", variance.into_dyn()),
        ("d_x", d.input.into_dyn()),
        ("d_gamma", d.gamma.into_dyn()),
        ("d_beta", d.beta.into_dyn()),
    ] {
        worst.check(&c.name, &format!("batch_norm {name}"), &ours, &narrow(c, name));
    }
}

#[test]
fn layers_and_losses() {
    let tensorflow = fixtures::layers();
    let torch = fixtures::torch();
    let cases: Vec<&LayerCase> =
        tensorflow.iter().chain(torch.iter().filter(|c| c.op == "softmax_cross_entropy")).collect();
    let mut worst = Worst::default();
    for c in &cases {
        if c.op == "batch_norm" {
            batch_norm(c, &mut worst);
            continue;
        }
        let (y, gradient, d) = layer(c);
        worst.check(&c.name, &format!("{} y", c.op), &y, &narrow(c, "y"));
        worst.check(&c.name, &format!("{} {gradient}", c.op), &d, &narrow(c, gradient));
    }
    assert!(cases.len() >= 20);
    worst.report(cases.len(), "layers and losses");
}

/// Element by element: one number far away would hide the others.
#[test]
fn activations_of_pytorch() {
    let cases = fixtures::activations();
    for c in &cases {
        let (y, _, d_x) = layer(c);
        for (name, ours) in [("y", y), ("d_x", d_x)] {
            for ((ours, theirs), x) in ours.iter().zip(c.tensor(name)).zip(c.tensor("x")) {
                let error = (f64::from(*ours) - theirs).abs() / theirs.abs().max(1.0);
                assert!(error < 2e-6, "{} {name} at {x}: {ours} and {theirs}", c.name);
            }
        }
    }
    assert!(cases.len() >= 11, "{}", cases.len());
}
