//! The committed answers of TensorFlow and PyTorch; `fixtures/README.md` says what each holds.

mod file;
mod grid;

pub use file::folder;
pub use grid::{GridCase, grid};

use crate::Pad;
use crate::reference::ConvTranspose;
use file::{Tensors, load, prefixed};
use ndarray::{Array, Array1, Array4, ArrayD, Dimension};
use serde::Deserialize;
use std::collections::BTreeMap;

/// One convolution: its arguments and TensorFlow's answers.
#[derive(Clone, Debug)]
pub struct Conv2dCase {
    /// `conv2d_000` and so on.
    pub name: String,
    /// dense, grouped, depthwise, 1x1 or whole (the filter is as large as the image).
    pub kind: String,
    /// Rows and columns.
    pub strides: [usize; 2],
    /// Rows and columns.
    pub dilations: [usize; 2],
    /// VALID, SAME or explicit.
    pub padding: Pad,
    /// The filter's depth is the input's channels divided by this.
    pub groups: usize,
    /// The way TensorFlow was asked.
    pub route: String,
    /// The input, NHWC.
    pub x: Array4<f32>,
    /// The filter, HWIO.
    pub w: Array4<f32>,
    /// The output.
    pub y: Array4<f32>,
    /// A random upstream gradient.
    pub d_y: Array4<f32>,
    /// The gradient of the input.
    pub d_x: Array4<f32>,
    /// The gradient of the filter.
    pub d_w: Array4<f32>,
}

/// One transposed convolution: its arguments and TensorFlow's or PyTorch's answers.
#[derive(Clone, Debug)]
pub struct TransposeCase {
    /// `tensorflow_00`, `torch_00` and so on.
    pub name: String,
    /// The function that was asked.
    pub route: String,
    /// Strides, padding and so on.
    pub op: ConvTranspose,
    /// The input, NHWC.
    pub x: Array4<f32>,
    /// The filter, `[kh, kw, o / groups, c]`.
    pub w: Array4<f32>,
    /// One number for each output channel.
    pub bias: Array1<f32>,
    /// The output.
    pub y: Array4<f32>,
    /// A random upstream gradient.
    pub d_y: Array4<f32>,
    /// The gradient of the input.
    pub d_x: Array4<f32>,
    /// The gradient of the filter.
    pub d_w: Array4<f32>,
    /// The gradient of the bias.
    pub d_bias: Array1<f32>,
}

/// The two poolings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolOp {
    /// `max_pool`.
    Max,
    /// `avg_pool`.
    Avg,
}

/// One pooling: its arguments and TensorFlow's answers.
#[derive(Clone, Debug)]
pub struct PoolCase {
    /// `max_pool_000` and so on.
    pub name: String,
    /// Which pooling.
    pub op: PoolOp,
    /// Rows and columns.
    pub ksize: [usize; 2],
    /// Rows and columns.
    pub strides: [usize; 2],
    /// VALID, SAME or explicit.
    pub padding: Pad,
    /// normal, ties, negative, nan or inf.
    pub values: String,
    /// The way TensorFlow was asked.
    pub route: String,
    /// The input, NHWC.
    pub x: Array4<f32>,
    /// The output.
    pub y: Array4<f32>,
    /// Upstream gradient and gradient of the input; absent with NaN or infinities in `x`.
    pub gradient: Option<(Array4<f32>, Array4<f32>)>,
    /// What `tf.nn.max_pool2d` itself says of NaN and infinities: it skips NaN
    /// and never goes below the smallest finite f32.
    pub y_max_pool2d: Option<Array4<f32>>,
}

/// An activation, normalisation or loss: parameters and tensors by name.
#[derive(Clone, Debug)]
pub struct LayerCase {
    /// Unique in its file.
    pub name: String,
    /// The operator.
    pub op: String,
    /// Its parameters, such as `epsilon`.
    pub parameters: BTreeMap<String, f64>,
    /// Its tensors: the inputs, `y`, `d_y`, and `d_` of each input.
    pub tensors: BTreeMap<String, ArrayD<f64>>,
}

impl LayerCase {
    /// A tensor that must be there, in f64.
    ///
    /// # Panics
    /// If it is not.
    #[must_use]
    pub fn tensor(&self, name: &str) -> &ArrayD<f64> {
        (self.tensors.get(name)).unwrap_or_else(|| panic!("{} has no tensor {name}", self.name))
    }

    /// A parameter that must be there.
    ///
    /// # Panics
    /// If it is not.
    #[must_use]
    pub fn parameter(&self, name: &str) -> f64 {
        *(self.parameters.get(name)).unwrap_or_else(|| panic!("{} has no {name}", self.name))
    }
}

/// The first 20 steps of a small training run; `fixtures/README.md` gives the network.
#[derive(Clone, Debug)]
pub struct Trajectory {
    /// Images of a batch; batch i is images `i * batch .. (i + 1) * batch` of the training file.
    pub batch: usize,
    /// The learning rate of Adam (betas 0.9 and 0.999, epsilon 1e-8).
    pub lr: f64,
    /// The loss of each batch before its step, computed in f32.
    pub losses_f32: Vec<f64>,
    /// The same computed in f64.
    pub losses_f64: Vec<f64>,
    /// The weights before the first step: `conv1.w` (HWIO), `conv1.b`, `conv2.w`,
    /// `conv2.b`, `dense.w` (`[in, out]`, the input flattened in NHWC order), `dense.b`.
    pub initial: BTreeMap<String, ArrayD<f64>>,
    /// The weights after the last step, computed in f32.
    pub final_f32: BTreeMap<String, ArrayD<f64>>,
    /// The same computed in f64.
    pub final_f64: BTreeMap<String, ArrayD<f64>>,
}

/// TensorFlow's convolutions.
///
/// # Panics
/// If the files are not what `make_tensorflow.py` writes.
#[must_use]
pub fn conv2d() -> Vec<Conv2dCase> {
    #[derive(Deserialize)]
    struct Meta {
        name: String,
        kind: String,
        strides: [usize; 2],
        dilations: [usize; 2],
        padding: Padding,
        groups: usize,
        route: String,
    }
    let (cases, tensors) = load::<Meta>("conv2d");
    let case = |m: Meta| Conv2dCase {
        x: narrow(&tensors, &m.name, "x"),
        w: narrow(&tensors, &m.name, "w"),
        y: narrow(&tensors, &m.name, "y"),
        d_y: narrow(&tensors, &m.name, "d_y"),
        d_x: narrow(&tensors, &m.name, "d_x"),
        d_w: narrow(&tensors, &m.name, "d_w"),
        name: m.name,
        kind: m.kind,
        strides: m.strides,
        dilations: m.dilations,
        padding: m.padding.into(),
        groups: m.groups,
        route: m.route,
    };
    cases.into_iter().map(case).collect()
}

/// TensorFlow's and PyTorch's transposed convolutions.
///
/// # Panics
/// If the files are not what `make_transpose.py` writes.
#[must_use]
pub fn transpose() -> Vec<TransposeCase> {
    #[derive(Deserialize)]
    struct Meta {
        name: String,
        route: String,
        strides: [usize; 2],
        dilations: [usize; 2],
        padding: Padding,
        output_padding: [usize; 2],
        groups: usize,
    }
    let (cases, tensors) = load::<Meta>("transpose");
    let case = |m: Meta| TransposeCase {
        x: narrow(&tensors, &m.name, "x"),
        w: narrow(&tensors, &m.name, "w"),
        bias: narrow(&tensors, &m.name, "bias"),
        y: narrow(&tensors, &m.name, "y"),
        d_y: narrow(&tensors, &m.name, "d_y"),
        d_x: narrow(&tensors, &m.name, "d_x"),
        d_w: narrow(&tensors, &m.name, "d_w"),
        d_bias: narrow(&tensors, &m.name, "d_bias"),
        op: ConvTranspose {
            strides: m.strides,
            dilations: m.dilations,
            padding: m.padding.into(),
            output_padding: m.output_padding,
            groups: m.groups,
        },
        name: m.name,
        route: m.route,
    };
    cases.into_iter().map(case).collect()
}

/// PyTorch's activations.
///
/// # Panics
/// If the files are not what `make_activations.py` writes.
#[must_use]
pub fn activations() -> Vec<LayerCase> {
    layer_cases("activations")
}

/// TensorFlow's poolings.
///
/// # Panics
/// If the files are not what `make_tensorflow.py` writes.
#[must_use]
pub fn pool() -> Vec<PoolCase> {
    #[derive(Deserialize)]
    struct Meta {
        name: String,
        op: PoolOp,
        ksize: [usize; 2],
        strides: [usize; 2],
        padding: Padding,
        values: String,
        route: String,
    }
    let (cases, tensors) = load::<Meta>("pool");
    let case = |m: Meta| {
        let has = |tensor: &str| tensors.contains_key(&format!("{}.{tensor}", m.name));
        let get = |tensor: &str| narrow(&tensors, &m.name, tensor);
        PoolCase {
            x: get("x"),
            y: get("y"),
            gradient: has("d_y").then(|| (get("d_y"), get("d_x"))),
            y_max_pool2d: has("y_max_pool2d").then(|| get("y_max_pool2d")),
            op: m.op,
            ksize: m.ksize,
            strides: m.strides,
            padding: m.padding.into(),
            values: m.values,
            route: m.route,
            name: m.name,
        }
    };
    cases.into_iter().map(case).collect()
}

/// TensorFlow's activations, batch normalisation and losses.
///
/// # Panics
/// If the files are not what `make_tensorflow.py` writes.
#[must_use]
pub fn layers() -> Vec<LayerCase> {
    layer_cases("layers")
}

/// PyTorch's weighted cross-entropy and optimizer traces.
///
/// # Panics
/// If the files are not what `make_torch.py` writes.
#[must_use]
pub fn torch() -> Vec<LayerCase> {
    layer_cases("torch")
}

/// The training run that PyTorch made.
///
/// # Panics
/// If the files are not what `make_trajectory.py` writes.
#[must_use]
pub fn trajectory() -> Trajectory {
    #[derive(Deserialize)]
    struct Meta {
        batch: usize,
        lr: f64,
        losses_f32: Vec<f64>,
        losses_f64: Vec<f64>,
    }
    let (mut cases, tensors) = load::<Meta>("trajectory");
    let weights = |prefix| prefixed(&tensors, prefix);
    let meta = cases.pop().expect("one run");
    Trajectory {
        batch: meta.batch,
        lr: meta.lr,
        losses_f32: meta.losses_f32,
        losses_f64: meta.losses_f64,
        initial: weights("initial"),
        final_f32: weights("final_f32"),
        final_f64: weights("final_f64"),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Padding {
    Named(NamedPadding),
    Explicit([usize; 4]),
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum NamedPadding {
    Valid,
    Same,
}

impl From<Padding> for Pad {
    fn from(padding: Padding) -> Pad {
        match padding {
            Padding::Named(NamedPadding::Valid) => Pad::Valid,
            Padding::Named(NamedPadding::Same) => Pad::Same,
            Padding::Explicit(p) => Pad::Explicit(p),
        }
    }
}

fn layer_cases(file: &str) -> Vec<LayerCase> {
    #[derive(Deserialize)]
    struct Meta {
        name: String,
        op: String,
        #[serde(flatten)]
        parameters: BTreeMap<String, f64>,
    }
    let (cases, tensors) = load::<Meta>(file);
    let case = |m: Meta| LayerCase {
        tensors: prefixed(&tensors, &m.name),
        name: m.name,
        op: m.op,
        parameters: m.parameters,
    };
    cases.into_iter().map(case).collect()
}

/// A tensor that was stored as f32.
fn narrow<D: Dimension>(tensors: &Tensors, case: &str, tensor: &str) -> Array<f32, D> {
    (tensors.get(&format!("{case}.{tensor}")))
        .and_then(|t| t.mapv(|v| v as f32).into_dimensionality().ok())
        .unwrap_or_else(|| panic!("{case} has no {tensor} of {:?} dimensions", D::NDIM))
}
