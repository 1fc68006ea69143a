//! A model, its loss and all gradients in f64, over the naive references: what the engine is held against.

use crate::reference;
use foveal_nn::layers::{AvgPool, BatchNorm, Conv2d, Dropout, Embedding, MaxPool};
use foveal_nn::loss::Loss;
use foveal_nn::model::Node;
use foveal_nn::spec::LayerKind;
use foveal_nn::{Model, Padding};
use foveal_testkit::Pad;
use foveal_testkit::reference::{self as r, batch_norm, loss};
use ndarray::{Array, Array1, Array2, Array4, Axis, Dimension, IxDyn, concatenate};

/// What should come out of each image.
pub enum Targets {
    Classes(Vec<usize>),
    /// Two classes, and the share of the first.
    Mixed(Vec<([usize; 2], f32)>),
    Values(Array2<f64>),
}

/// A training pass.
pub struct Pass {
    pub loss: f64,
    pub outputs: Array2<f64>,
    /// For each of the model's parameters; for moving statistics what they become.
    pub gradients: Vec<Vec<f64>>,
}

/// Kernel, strides, dilations, padding.
type Window = ([usize; 2], [usize; 2], [usize; 2], Pad);

pub fn pair(v: [i64; 2]) -> [usize; 2] {
    v.map(|v| v as usize)
}

pub fn pad(padding: Padding) -> Pad {
    match padding {
        Padding::Valid => Pad::Valid,
        Padding::Same => Pad::Same,
        Padding::Explicit(p) => Pad::Explicit(p.map(|v| v as usize)),
    }
}

fn window(kind: &LayerKind) -> Window {
    match kind {
        LayerKind::Conv2d(Conv2d { kernel, strides, dilations, padding, .. }) => {
            (*kernel, pair(*strides), pair(*dilations), pad(*padding))
        }
        LayerKind::MaxPool(MaxPool { ksize, strides, padding })
        | LayerKind::AvgPool(AvgPool { ksize, strides, padding }) => {
            (pair(*ksize), pair(strides.unwrap_or(*ksize)), [1, 1], pad(*padding))
        }
        other => panic!("{other:?} has no window"),
    }
}

/// The values that a node reads.
fn inputs<'a>(node: &Node, values: &'a [Array4<f64>]) -> Vec<&'a Array4<f64>> {
    node.inputs.iter().map(|&v| &values[v]).collect()
}

/// A node's parameters.
fn params(model: &Model, node: &Node) -> Vec<reference::Param> {
    let wide = |p: &usize| {
        let p = &model.params()[*p];
        (p.shape.clone(), p.values.iter().map(|&v| f64::from(v)).collect())
    };
    node.params.iter().map(wide).collect()
}

/// Whether nothing of layer `i` is trained.
fn is_frozen(model: &Model, i: usize) -> bool {
    model.nodes()[i].params.iter().all(|&p| !model.params()[p].trainable)
}

fn four(x: &Array4<f64>) -> [usize; 4] {
    x.shape().try_into().unwrap()
}

fn flat(x: &Array4<f64>) -> Array2<f64> {
    let n = x.dim().0;
    x.clone().into_shape_with_order((n, x.len() / n)).unwrap()
}

fn param<D: Dimension>(model: &Model, index: usize) -> Array<f64, D> {
    let p = &model.params()[index];
    let values = p.values.iter().map(|&v| f64::from(v)).collect();
    Array::from_shape_vec(IxDyn(&p.shape), values).unwrap().into_dimensionality().unwrap()
}

/// All values of a training pass: the input, then each layer's output.
fn forward(model: &Model, x: &Array4<f64>) -> Vec<Array4<f64>> {
    forward_from(model, vec![x.clone()], true)
}

/// All values of a pass whose first values are given.
pub fn forward_from(model: &Model, mut values: Vec<Array4<f64>>, training: bool) -> Vec<Array4<f64>> {
    for (i, node) in model.nodes().iter().enumerate().skip(values.len() - 1) {
        let x = &values[node.inputs[0]];
        let n = x.dim().0;
        let [h, w, c] = node.shape;
        let p = |k: usize| -> Option<Array1<f64>> { node.params.get(k).map(|&p| param(model, p)) };
        let y = match &node.kind {
            kind @ LayerKind::Conv2d(Conv2d { groups, .. }) => {
                let (_, s, d, pad) = window(kind);
                r::conv2d(x, &param(model, node.params[0]), p(1).as_ref(), s, d, pad, *groups as usize)
            }
            LayerKind::Dense(_) => {
                let y = r::dense(&flat(x), &param(model, node.params[0]), p(1).as_ref());
                y.into_shape_with_order((n, h, w, c)).unwrap()
            }
            kind @ LayerKind::MaxPool(_) => {
                let (k, s, _, pad) = window(kind);
                r::max_pool(x, k, s, pad)
            }
            kind @ LayerKind::AvgPool(_) => {
                let (k, s, _, pad) = window(kind);
                r::avg_pool(x, k, s, pad)
            }
            LayerKind::GlobalAvgPool(_) => {
                r::global_average_pool(x).into_shape_with_order((n, h, w, c)).unwrap()
            }
            LayerKind::GlobalMaxPool(_) => {
                let whole = [x.dim().1, x.dim().2];
                r::max_pool(x, whole, whole, Pad::Valid)
            }
            LayerKind::Embedding(_) => r::embedding(x, &param(model, node.params[0])),
            LayerKind::BatchNorm(BatchNorm { epsilon, .. }) if !training || is_frozen(model, i) => {
                let [gamma, beta, mean, variance] = [0, 1, 2, 3].map(|k| p(k).unwrap());
                batch_norm::inference(x, &gamma, &beta, &mean, &variance, f64::from(*epsilon))
            }
            LayerKind::BatchNorm(BatchNorm { epsilon, .. }) => {
                batch_norm::training(x, &p(0).unwrap(), &p(1).unwrap(), f64::from(*epsilon)).y
            }
            LayerKind::Dropout(Dropout { rate }) => {
                assert!(!training || *rate == 0.0, "a random mask has no reference");
                x.clone()
            }
            LayerKind::Flatten(_) => flat(x).into_shape_with_order((n, h, w, c)).unwrap(),
            LayerKind::Add(_) if node.inputs.len() > 2 => {
                node.inputs[1..].iter().fold(x.clone(), |sum, &v| sum + &values[v])
            }
            LayerKind::Concat(_) => {
                let all: Vec<_> = node.inputs.iter().map(|&v| values[v].view()).collect();
                concatenate(Axis(3), &all).unwrap().as_standard_layout().into_owned()
            }
            kind => reference::forward(kind, &inputs(node, &values), &params(model, node)),
        };
        assert_eq!(y.dim(), (n, h, w, c), "{}", node.name);
        values.push(y);
    }
    values
}

/// The loss of `outputs` and its gradient; each image counts as much as its weight.
fn judge(outputs: &Array2<f64>, targets: &Targets, kind: Loss, weights: &[f64]) -> (f64, Array2<f64>) {
    let total: f64 = weights.iter().sum();
    let (mut sum, mut d) = (0.0, Array2::zeros(outputs.dim()));
    for (n, &weight) in weights.iter().enumerate() {
        let row = outputs.slice_axis(Axis(0), (n..n + 1).into()).to_owned();
        let (value, slope) = match (targets, kind) {
            (Targets::Classes(labels), Loss::CrossEntropy { label_smoothing }) => {
                let (label, s) = (&labels[n..n + 1], f64::from(label_smoothing));
                let value = loss::softmax_cross_entropy(&row, label, s, None);
                (value, loss::softmax_cross_entropy_gradient(&row, label, s, None))
            }
            (Targets::Mixed(all), Loss::CrossEntropy { label_smoothing }) => {
                let ([a, b], share, s) = (all[n].0, f64::from(all[n].1), f64::from(label_smoothing));
                let value = |label| loss::softmax_cross_entropy(&row, &[label], s, None);
                let slope = |label| loss::softmax_cross_entropy_gradient(&row, &[label], s, None);
                (share * value(a) + (1.0 - share) * value(b), slope(a) * share + slope(b) * (1.0 - share))
            }
            (Targets::Values(t), kind) => {
                let t = t.slice_axis(Axis(0), (n..n + 1).into()).to_owned();
                match kind {
                    Loss::Huber { delta } => {
                        let delta = f64::from(delta);
                        (loss::huber(&row, &t, delta), loss::huber_gradient(&row, &t, delta))
                    }
                    _ => (loss::mean_squared_error(&row, &t), loss::mean_squared_error_gradient(&row, &t)),
                }
            }
            _ => panic!("{kind:?} does not go with the targets"),
        };
        sum += weight / total * value;
        d.row_mut(n).assign(&(slope.row(0).to_owned() * (weight / total)));
    }
    (sum, d)
}

/// One training pass over a batch.
pub fn pass(model: &Model, x: &Array4<f64>, targets: &Targets, kind: Loss, weights: &[f64]) -> Pass {
    let values = forward(model, x);
    let nodes = model.nodes();
    // The loss takes the numbers before a softmax at the end.
    let own_softmax = matches!(nodes.last().unwrap().kind, LayerKind::Softmax(_))
        && matches!(kind, Loss::CrossEntropy { .. });
    let last = if own_softmax { nodes.last().unwrap().inputs[0] } else { nodes.len() };
    let outputs = flat(&values[last]);
    let (loss, d) = judge(&outputs, targets, kind, weights);
    let mut d_values: Vec<Array4<f64>> = values.iter().map(|v| Array4::zeros(v.dim())).collect();
    d_values[last] = d.into_shape_with_order(values[last].dim()).unwrap();
    let mut gradients: Vec<Vec<f64>> = model.params().iter().map(|p| vec![0.0; p.values.len()]).collect();
    for i in (0..nodes.len()).rev().filter(|i| i + 1 != nodes.len() || !own_softmax) {
        let d_y = d_values[i + 1].clone();
        backward(model, i, &values, &d_y, &mut d_values, &mut gradients);
    }
    Pass { loss, outputs, gradients }
}

fn backward(
    model: &Model,
    i: usize,
    values: &[Array4<f64>],
    d_y: &Array4<f64>,
    d_values: &mut [Array4<f64>],
    gradients: &mut [Vec<f64>],
) {
    let node = &model.nodes()[i];
    let x = &values[node.inputs[0]];
    let mut keep = |k: usize, values: Vec<f64>| {
        if let Some(&p) = node.params.get(k) {
            gradients[p] = values;
        }
    };
    let d_x = match &node.kind {
        kind @ LayerKind::Conv2d(Conv2d { groups, .. }) => {
            let (_, s, d, pad) = window(kind);
            let w: Array4<f64> = param(model, node.params[0]);
            let g = *groups as usize;
            let d_w = r::conv2d_backward_filter(d_y, x, four(&w), s, d, pad, g);
            keep(0, d_w.into_raw_vec_and_offset().0);
            keep(1, r::conv2d_backward_bias(d_y).to_vec());
            r::conv2d_backward_input(d_y, &w, four(x), s, d, pad, g)
        }
        LayerKind::Dense(_) => {
            let (d_x, d_w, d_b) = r::dense_backward(&flat(d_y), &flat(x), &param(model, node.params[0]));
            keep(0, d_w.into_raw_vec_and_offset().0);
            keep(1, d_b.to_vec());
            d_x.into_shape_with_order(x.dim()).unwrap()
        }
        kind @ LayerKind::MaxPool(_) => {
            let (k, s, _, pad) = window(kind);
            r::max_pool_backward(d_y, x, k, s, pad)
        }
        kind @ LayerKind::AvgPool(_) => {
            let (k, s, _, pad) = window(kind);
            r::avg_pool_backward(d_y, four(x), k, s, pad)
        }
        LayerKind::GlobalAvgPool(_) => r::global_average_pool_backward(&flat(d_y), four(x)),
        LayerKind::GlobalMaxPool(_) => {
            let whole = [x.dim().1, x.dim().2];
            r::max_pool_backward(d_y, x, whole, whole, Pad::Valid)
        }
        LayerKind::Embedding(Embedding { vocabulary, .. }) => {
            keep(0, r::embedding_backward(d_y, x, *vocabulary).into_raw_vec_and_offset().0);
            Array4::zeros(x.dim())
        }
        LayerKind::BatchNorm(BatchNorm { epsilon, .. }) if is_frozen(model, i) => {
            let [gamma, variance]: [Array1<f64>; 2] = [0, 3].map(|k| param(model, node.params[k]));
            d_y * &(gamma / variance.mapv(|v| (v + f64::from(*epsilon)).sqrt()))
        }
        LayerKind::BatchNorm(BatchNorm { momentum, epsilon }) => {
            let (gamma, beta): (Array1<f64>, Array1<f64>) =
                (param(model, node.params[0]), param(model, node.params[1]));
            let epsilon = f64::from(*epsilon);
            let now = batch_norm::training(x, &gamma, &beta, epsilon);
            let (d_x, d_gamma, d_beta) = batch_norm::training_backward(d_y, x, &gamma, epsilon);
            keep(0, d_gamma.to_vec());
            keep(1, d_beta.to_vec());
            let m = f64::from(*momentum);
            for (k, now) in [(2, now.mean), (3, now.variance)] {
                let moving: Array1<f64> = param(model, node.params[k]);
                keep(k, (moving * m + now * (1.0 - m)).to_vec());
            }
            d_x
        }
        LayerKind::Dropout(_) => d_y.clone(),
        LayerKind::Flatten(_) => d_y.clone().into_shape_with_order(x.dim()).unwrap(),
        LayerKind::Add(_) if node.inputs.len() > 2 => {
            for &v in &node.inputs {
                d_values[v] += d_y;
            }
            return;
        }
        LayerKind::Concat(_) => {
            let mut first = 0;
            for &v in &node.inputs {
                let c = values[v].dim().3;
                d_values[v] += &d_y.slice_axis(Axis(3), (first..first + c).into());
                first += c;
            }
            return;
        }
        kind => {
            let (d_x, d_params) = reference::backward(kind, d_y, &inputs(node, values), &params(model, node));
            d_params.into_iter().enumerate().for_each(|(k, d)| keep(k, d));
            for (&v, d) in node.inputs.iter().zip(d_x) {
                d_values[v] += &d;
            }
            return;
        }
    };
    d_values[node.inputs[0]] += &d_x;
}
