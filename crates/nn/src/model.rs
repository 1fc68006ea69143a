//! A spec whose shapes have been checked along the chain, and its parameters.

mod freeze;
mod gradient;

use crate::Error;
use crate::init::{Init, Random};
use crate::ops;
use crate::spec::{LayerKind, ModelSpec};
use foveal_kernels::geometry::MAX_ARRAY_BYTES;
use foveal_kernels::lanes::elementwise::Activation;
use foveal_kernels::{Conv2dGeometry, Conv2dOptions, Pool2dGeometry, Pool2dOptions};
use ndarray::{Array4, ArrayView1, ArrayView4, Axis, Ix1, Ix2, Ix4, IxDyn};

/// A named array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// `<layer>.<what>`: `conv2d_1.filter`, `conv2d_1.bias`, `dense_1.weights`, `batch_norm_1.gamma` …
    pub name: String,
    /// Extents; filters are HWIO, dense weights `[inputs, units]`.
    pub shape: Vec<usize>,
    /// The numbers, row-major.
    pub values: Vec<f32>,
    /// Whether training changes it by gradients (moving statistics are not).
    pub trainable: bool,
}

/// A layer in its place: value 0 is the model's input, value `i + 1` the output of node `i`.
#[derive(Clone, Debug)]
pub struct Node {
    /// The layer's name.
    pub name: String,
    /// What it does.
    pub kind: LayerKind,
    /// The values that go in.
    pub inputs: Vec<usize>,
    /// Height, width, channels of the output.
    pub shape: [usize; 3],
    /// The parameters, by index into [`Model::params`].
    pub params: Vec<usize>,
    /// Operations for one image.
    pub flops: u64,
}

/// A checked model with its parameters.
#[derive(Clone, Debug)]
pub struct Model {
    spec: ModelSpec,
    nodes: Vec<Node>,
    params: Vec<Param>,
}

impl Model {
    /// Checks `spec` along the chain and makes its parameters from `seed`.
    ///
    /// # Errors
    /// Names the layer, its line in the model file and the shapes that do not fit.
    pub fn new(spec: &ModelSpec, seed: u64) -> Result<Self, Error> {
        Self::build(spec, Source::Seed(Random::new(seed)))
    }

    /// Checks `spec` along the chain and takes its parameters from `given(name, shape)`.
    ///
    /// # Errors
    /// As [`Model::new`]; also when a parameter is not given or has not as many numbers as its shape.
    pub fn with_params(
        spec: &ModelSpec,
        mut given: impl FnMut(&str, &[usize]) -> Result<Vec<f32>, String>,
    ) -> Result<Self, Error> {
        Self::build(spec, Source::Given(&mut given))
    }

    fn build(spec: &ModelSpec, source: Source<'_>) -> Result<Self, Error> {
        let [h, w, c] = spec.input.shape;
        if [h, w, c].contains(&0) || bytes([h, w, c]).is_none() {
            return Err(Error::Spec(format!("input shape {:?} is empty or too large", spec.input.shape)));
        }
        if spec.layers.is_empty() {
            return Err(Error::Spec("there is no layer".into()));
        }
        let mut build = Build {
            model: Model { spec: spec.clone(), nodes: Vec::new(), params: Vec::new() },
            shapes: vec![spec.input.shape],
            names: vec!["input".into()],
            source,
            numbers: 0,
        };
        for index in 0..spec.layers.len() {
            build.layer(index)?;
        }
        let mut used = vec![false; build.shapes.len()];
        build.model.nodes.iter().for_each(|n| n.inputs.iter().for_each(|&i| used[i] = true));
        if let Some(i) = used[..used.len() - 1].iter().position(|u| !u) {
            return Err(Error::Spec(format!("the output of `{}` goes nowhere", build.names[i])));
        }
        Ok(build.model)
    }

    /// The spec that the model was made from.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The layers in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All parameters.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// All parameters, to be changed; shapes must stay.
    pub fn params_mut(&mut self) -> &mut [Param] {
        &mut self.params
    }

    /// The parameter called `name`.
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|p| p.name == name)
    }

    /// Height, width, channels of one input.
    pub fn input_shape(&self) -> [usize; 3] {
        self.spec.input.shape
    }

    /// The rows of the embedding that the model begins with: it takes whole numbers below that, such as those of
    /// words, and no pictures.
    pub fn vocabulary(&self) -> Option<usize> {
        self.spec.vocabulary()
    }

    /// Height, width, channels of one output.
    pub fn output_shape(&self) -> [usize; 3] {
        self.nodes.last().map_or(self.spec.input.shape, |n| n.shape)
    }

    /// Numbers in one output: classes, or values of a regression.
    pub fn outputs(&self) -> usize {
        self.output_shape().iter().product()
    }

    /// The geometry of node `i` for a batch of `n`, if it is a convolution.
    pub fn conv_geometry(&self, i: usize, n: usize) -> Option<Conv2dGeometry> {
        let node = &self.nodes[i];
        conv_geometry(&node.kind, self.value_shape(node.inputs[0]), n).and_then(Result::ok)
    }

    /// The geometry of node `i` for a batch of `n`, if it is a pooling.
    pub fn pool_geometry(&self, i: usize, n: usize) -> Option<Pool2dGeometry> {
        let node = &self.nodes[i];
        pool_geometry(&node.kind, self.value_shape(node.inputs[0]), n).and_then(Result::ok)
    }

    /// Height, width, channels of value `v` (0 is the input, `i + 1` node `i`'s output).
    pub fn value_shape(&self, v: usize) -> [usize; 3] {
        if v == 0 { self.spec.input.shape } else { self.nodes[v - 1].shape }
    }

    /// Every value of a forward pass over `x` `[n, h, w, c]`, as at inference: the input, then each layer's
    /// output.
    ///
    /// # Errors
    /// When `x` has not the model's input shape.
    pub fn activations(&self, x: ArrayView4<f32>) -> Result<Vec<Array4<f32>>, Error> {
        let [h, w, c] = self.input_shape();
        if x.shape()[1..] != [h, w, c] {
            return Err(Error::Spec(format!(
                "the model takes inputs [n, {h}, {w}, {c}], not {:?}",
                x.shape()
            )));
        }
        let mut values = vec![ops::rows(x).into_owned()];
        for node in &self.nodes {
            let value = self.forward(node, &values)?;
            values.push(value);
        }
        Ok(values)
    }

    /// The outputs for `x` `[n, h, w, c]`, as at inference, `[n, outputs]`.
    ///
    /// # Errors
    /// When `x` has not the model's input shape.
    pub fn predict(&self, x: ArrayView4<f32>) -> Result<ndarray::Array2<f32>, Error> {
        let n = x.shape()[0];
        let last = self.activations(x)?.pop().expect("there is at least the input");
        let outputs = self.outputs();
        Ok(last.into_shape_with_order((n, outputs)).expect("the output has that many numbers"))
    }

    fn view<D: ndarray::Dimension>(&self, param: usize) -> ndarray::ArrayView<'_, f32, D> {
        let p = &self.params[param];
        ndarray::ArrayView::from_shape(IxDyn(&p.shape), &p.values)
            .expect("shapes are kept")
            .into_dimensionality::<D>()
            .expect("ranks are kept")
    }

    fn forward(&self, node: &Node, values: &[Array4<f32>]) -> Result<Array4<f32>, Error> {
        let x = values[node.inputs[0]].view();
        let bias =
            |i: usize| -> Option<ArrayView1<'_, f32>> { node.params.get(i).map(|&p| self.view::<Ix1>(p)) };
        Ok(match &node.kind {
            LayerKind::Conv2d { .. } => {
                let options = conv_options(&node.kind).expect("it is a convolution");
                ops::conv2d(x, self.view::<Ix4>(node.params[0]), bias(1), &options)?
            }
            LayerKind::Dense { .. } => {
                let n = x.shape()[0];
                let flat = x.into_shape_with_order((n, x.len() / n.max(1))).expect("flat");
                let y = ops::dense(flat, self.view::<Ix2>(node.params[0]), bias(1))?;
                y.insert_axis(Axis(1)).insert_axis(Axis(1))
            }
            LayerKind::MaxPool { .. } => ops::max_pool(x, &pool_options(&node.kind).expect("pool"))?,
            LayerKind::AvgPool { .. } => ops::avg_pool(x, &pool_options(&node.kind).expect("pool"))?,
            LayerKind::GlobalAvgPool {} => ops::global_avg_pool(x)?,
            LayerKind::GlobalMaxPool {} => ops::global_max_pool(x)?,
            LayerKind::Embedding { .. } => ops::embedding(x, self.view::<Ix2>(node.params[0]))?,
            LayerKind::Softmax {} => ops::softmax(x),
            LayerKind::BatchNorm { epsilon, .. } => {
                let p = |i: usize| self.view::<Ix1>(node.params[i]);
                ops::batch_norm_inference(x, p(0), p(1), p(2), p(3), *epsilon)?
            }
            LayerKind::Dropout { .. } => x.to_owned(),
            LayerKind::Flatten {} => {
                let n = x.shape()[0];
                let size = node.shape[2];
                x.to_owned().into_shape_with_order((n, 1, 1, size)).expect("row-major")
            }
            LayerKind::Add {} => {
                let all: Vec<ArrayView4<f32>> = node.inputs.iter().map(|&i| values[i].view()).collect();
                ops::add(&all)?
            }
            LayerKind::Concat {} => {
                let all: Vec<ArrayView4<f32>> = node.inputs.iter().map(|&i| values[i].view()).collect();
                ops::concat(&all)?
            }
            kind => ops::activation(activation(kind).expect("the kinds left are activations"), x),
        })
    }
}

/// The function of an activation layer.
pub(crate) fn activation(kind: &LayerKind) -> Option<Activation> {
    Some(match kind {
        LayerKind::Relu {} => Activation::Relu,
        LayerKind::LeakyRelu { alpha } => Activation::LeakyRelu(*alpha),
        LayerKind::Clip { min, max } => Activation::Clip(*min, *max),
        LayerKind::Sigmoid {} => Activation::Sigmoid,
        LayerKind::Tanh {} => Activation::Tanh,
        LayerKind::Gelu {} => Activation::Gelu,
        _ => return None,
    })
}

fn conv_options(kind: &LayerKind) -> Option<Conv2dOptions> {
    let LayerKind::Conv2d { strides, dilations, padding, groups, .. } = kind else { return None };
    Some(Conv2dOptions { strides: *strides, dilations: *dilations, padding: *padding, groups: *groups })
}

fn pool_options(kind: &LayerKind) -> Option<Pool2dOptions> {
    match kind {
        LayerKind::MaxPool { ksize, strides, padding } | LayerKind::AvgPool { ksize, strides, padding } => {
            Some(Pool2dOptions { ksize: *ksize, strides: strides.unwrap_or(*ksize), padding: *padding })
        }
        _ => None,
    }
}

/// The most rows of an embedding: as many as its numbers, which are `f32`, can tell apart with room to spare.
const MAX_VOCABULARY: usize = 1 << 20;

type Checked<G> = Option<Result<G, foveal_kernels::GeometryError>>;

fn conv_geometry(kind: &LayerKind, [h, w, c]: [usize; 3], n: usize) -> Checked<Conv2dGeometry> {
    let LayerKind::Conv2d { filters, kernel, groups, .. } = kind else { return None };
    let depth = usize::try_from(*groups).ok().filter(|&g| g > 0).map_or(c, |g| c / g);
    let filter = [kernel[0], kernel[1], depth, *filters];
    Some(Conv2dGeometry::new("conv2d", &[n, h, w, c], &filter, &conv_options(kind)?))
}

fn pool_geometry(kind: &LayerKind, [h, w, c]: [usize; 3], n: usize) -> Checked<Pool2dGeometry> {
    let (operator, options) = match kind {
        LayerKind::MaxPool { .. } => ("max_pool", pool_options(kind)?),
        LayerKind::AvgPool { .. } => ("avg_pool", pool_options(kind)?),
        LayerKind::GlobalAvgPool {} => ("global_avg_pool", ops::whole([h, w])),
        LayerKind::GlobalMaxPool {} => ("global_max_pool", ops::whole([h, w])),
        _ => return None,
    };
    Some(Pool2dGeometry::new(operator, &[n, h, w, c], &options))
}

/// The bytes of one array of this shape, if they are within the limit.
fn bytes(shape: [usize; 3]) -> Option<u64> {
    let bytes = shape.iter().try_fold(4u64, |a, &v| a.checked_mul(v as u64))?;
    (bytes <= MAX_ARRAY_BYTES).then_some(bytes)
}

/// Gives a parameter's numbers by its name and shape.
type Given<'a> = &'a mut dyn FnMut(&str, &[usize]) -> Result<Vec<f32>, String>;

/// Where parameters come from.
enum Source<'a> {
    Seed(Random),
    Given(Given<'a>),
}

/// Shapes along the way to a layer that an error names.
const MOST_TOLD: usize = 8;

struct Build<'a> {
    model: Model,
    shapes: Vec<[usize; 3]>,
    names: Vec<String>,
    source: Source<'a>,
    /// Numbers in all parameters so far.
    numbers: u64,
}

impl Build<'_> {
    fn layer(&mut self, index: usize) -> Result<(), Error> {
        let layer = self.model.spec.layers[index].clone();
        let kind = layer.kind.name();
        let name = layer.name.clone().unwrap_or_else(|| {
            let before = self.model.nodes.iter().filter(|n| n.kind.name() == kind).count();
            format!("{kind}_{}", before + 1)
        });
        let place = if layer.line > 0 { format!("line {}: ", layer.line) } else { String::new() };
        let fail =
            |problem: String| Error::Layer { place: place.clone(), layer: name.clone(), kind, problem };
        if self.names.contains(&name) {
            return Err(fail("another layer has this name".into()));
        }
        let mut inputs = Vec::new();
        for input in &layer.inputs {
            match self.names.iter().position(|n| n == input) {
                Some(i) => inputs.push(i),
                None => return Err(fail(self.no_input(input, index))),
            }
        }
        if inputs.is_empty() {
            inputs.push(self.names.len() - 1);
        }
        let from: Vec<[usize; 3]> = inputs.iter().map(|&i| self.shapes[i]).collect();
        let way = |problem: String| fail(format!("{problem} ({})", self.way(&inputs)));
        let (shape, flops) = self.shape(&layer.kind, &from).map_err(way)?;
        let params = self.params(&name, &layer.kind, from[0]).map_err(fail)?;
        self.model.nodes.push(Node { name: name.clone(), kind: layer.kind, inputs, shape, params, flops });
        self.shapes.push(shape);
        self.names.push(name);
        Ok(())
    }

    /// Why there is no input called `name` for layer `index`.
    fn no_input(&self, name: &str, index: usize) -> String {
        let later = self.model.spec.layers[index..].iter().any(|l| l.name.as_deref() == Some(name));
        let later = if later { "; it must come before the layer that reads it" } else { "" };
        format!("no layer before it is called `{name}`{later}; before it are {}", self.names.join(", "))
    }

    /// The shapes of `inputs` and of what leads to the first of them, back to the model's input.
    fn way(&self, inputs: &[usize]) -> String {
        let told = |v: usize| format!("{} {:?}", self.names[v], self.shapes[v]);
        let mut way = vec![told(inputs[0])];
        let mut at = inputs[0];
        while at > 0 {
            at = self.model.nodes[at - 1].inputs[0];
            way.push(told(at));
        }
        if way.len() > MOST_TOLD {
            way.splice(MOST_TOLD - 1..way.len() - 1, ["...".to_owned()]);
        }
        way.reverse();
        let mut text = format!("shapes: {}", way.join(" -> "));
        inputs[1..].iter().for_each(|&v| text += &format!("; {}", told(v)));
        text
    }

    /// The output's shape and the operations for one image.
    fn shape(&self, kind: &LayerKind, from: &[[usize; 3]]) -> Result<([usize; 3], u64), String> {
        let first = from[0];
        let several = matches!(kind, LayerKind::Add {} | LayerKind::Concat {});
        if several != (from.len() > 1) {
            let needs = if several { "at least two inputs" } else { "one input" };
            return Err(format!("takes {needs}, got {}", from.len()));
        }
        let size = first.iter().product::<usize>();
        let shape = if let Some(g) = conv_geometry(kind, first, 1) {
            let g = g.map_err(|e| e.problem)?;
            let [_, h, w, c] = g.output_shape();
            return Ok(([h, w, c], g.flops()));
        } else if let Some(g) = pool_geometry(kind, first, 1) {
            let g = g.map_err(|e| e.problem)?;
            let [_, h, w, c] = g.output_shape();
            // A window may be larger than the image, and its cells more than 64 bits can count.
            let flops =
                [h, w, c, g.h.kernel, g.w.kernel].iter().fold(1u64, |a, &v| a.saturating_mul(v as u64));
            return Ok(([h, w, c], flops));
        } else {
            match kind {
                LayerKind::Dense { units, .. } => {
                    if first[..2] != [1, 1] {
                        return Err(format!(
                            "its input {first:?} is not flat: put a `flatten` layer before it"
                        ));
                    }
                    if *units == 0 || bytes([1, size, *units]).is_none() {
                        return Err(format!("{units} units on {size} inputs are none or too many"));
                    }
                    return Ok(([1, 1, *units], 2 * (size * units) as u64));
                }
                LayerKind::Flatten {} => [1, 1, size],
                LayerKind::Clip { min, max } if !(min < max && min.is_finite() && max.is_finite()) => {
                    return Err(format!("min must be below max, both finite, got {min} and {max}"));
                }
                LayerKind::Embedding { vocabulary, size, .. } => {
                    return self.embedding(first, *vocabulary, *size);
                }
                LayerKind::Dropout { rate } if !(0.0..1.0).contains(rate) => {
                    return Err(format!("rate must be from 0 to below 1, got {rate}"));
                }
                LayerKind::BatchNorm { momentum, epsilon }
                    if !((0.0..=1.0).contains(momentum) && *epsilon > 0.0 && epsilon.is_finite()) =>
                {
                    return Err(format!("momentum {momentum} or epsilon {epsilon} is out of range"));
                }
                LayerKind::Add {} => match from.iter().find(|s| **s != first) {
                    Some(other) => {
                        return Err(format!("inputs must have one shape, got {first:?} and {other:?}"));
                    }
                    None => first,
                },
                LayerKind::Concat {} => match from.iter().find(|s| s[..2] != first[..2]) {
                    Some(other) => {
                        return Err(format!(
                            "inputs must have one height and width, got {first:?} and {other:?}"
                        ));
                    }
                    None => [first[0], first[1], from.iter().map(|s| s[2]).sum()],
                },
                _ => first,
            }
        };
        bytes(shape).ok_or_else(|| format!("output {shape:?} is larger than {MAX_ARRAY_BYTES} bytes"))?;
        let free = matches!(kind, LayerKind::Flatten {} | LayerKind::Dropout { .. } | LayerKind::Concat {});
        Ok((shape, if free { 0 } else { size as u64 }))
    }

    /// The output's shape of an embedding, which does no operations.
    fn embedding(
        &self,
        [h, w, c]: [usize; 3],
        vocabulary: usize,
        size: usize,
    ) -> Result<([usize; 3], u64), String> {
        if !self.model.nodes.is_empty() || c != 1 {
            return Err(format!(
                "it looks up the numbers of the input: let it be the first layer, on an input of one channel such \
                 as [1, {w}, 1], not {:?}",
                [h, w, c]
            ));
        }
        if vocabulary == 0 || vocabulary > MAX_VOCABULARY || size == 0 {
            return Err(format!(
                "a table of {vocabulary} x {size} is empty or too large; at most {MAX_VOCABULARY} rows are taken"
            ));
        }
        let shape = [h, w, size];
        bytes(shape).ok_or_else(|| format!("output {shape:?} is larger than {MAX_ARRAY_BYTES} bytes"))?;
        bytes([1, vocabulary, size]).ok_or_else(|| {
            format!("a table of {vocabulary} x {size} is larger than {MAX_ARRAY_BYTES} bytes")
        })?;
        Ok((shape, 0))
    }

    fn params(&mut self, layer: &str, kind: &LayerKind, from: [usize; 3]) -> Result<Vec<usize>, String> {
        let first = self.model.params.len();
        let (c, flat) = (from[2], Init::Constant(0.0));
        match kind {
            LayerKind::Conv2d { filters, bias, init, .. } => {
                let g = conv_geometry(kind, from, 1).and_then(Result::ok).expect("checked before");
                let shape = g.filter_shape();
                let cells = shape[0] * shape[1];
                let fans = [cells * shape[2], cells * filters / g.groups];
                self.param(layer, "filter", &shape, *init, fans)?;
                if *bias {
                    self.param(layer, "bias", &[*filters], flat, [1, 1])?;
                }
            }
            LayerKind::Dense { units, bias, init } => {
                self.param(layer, "weights", &[c, *units], *init, [c, *units])?;
                if *bias {
                    self.param(layer, "bias", &[*units], flat, [1, 1])?;
                }
            }
            LayerKind::Embedding { vocabulary, size, init } => {
                self.param(layer, "table", &[*vocabulary, *size], *init, [*size, *vocabulary])?;
            }
            LayerKind::BatchNorm { .. } => {
                for (what, value) in
                    [("gamma", 1.0), ("beta", 0.0), ("moving_mean", 0.0), ("moving_variance", 1.0)]
                {
                    self.param(layer, what, &[c], Init::Constant(value), [1, 1])?;
                }
                self.model.params[first + 2..].iter_mut().for_each(|p| p.trainable = false);
            }
            _ => {}
        }
        Ok((first..self.model.params.len()).collect())
    }

    fn param(
        &mut self,
        layer: &str,
        what: &str,
        shape: &[usize],
        init: Init,
        [fan_in, fan_out]: [usize; 2],
    ) -> Result<(), String> {
        let count: usize = shape.iter().product();
        self.numbers = self.numbers.saturating_add(count as u64);
        if self.numbers.saturating_mul(4) > MAX_ARRAY_BYTES {
            return Err(format!("the model's parameters would need more than {MAX_ARRAY_BYTES} bytes"));
        }
        let name = format!("{layer}.{what}");
        let values = match &mut self.source {
            Source::Seed(random) => init.values(count, fan_in, fan_out, random),
            Source::Given(given) => given(&name, shape)?,
        };
        if values.len() != count {
            return Err(format!("`{name}` has {} numbers, not {count}", values.len()));
        }
        self.model.params.push(Param { name, shape: shape.to_vec(), values, trainable: true });
        Ok(())
    }
}
