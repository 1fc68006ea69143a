//! An ONNX file as a model of foveal.

mod activation;
mod arrange;
mod attributes;
mod constants;
mod fold;
mod gelu;
mod layers;
mod window;

use crate::proto::{Attribute, Dim, Graph, Model as File, Node, Tensor, Value};
use crate::{Error, hounsfield};
use activation::{Activation, Order};
use attributes::Attributes;
use foveal_nn::layers as kinds;
use foveal_nn::spec::{InputSpec, LayerKind, LayerSpec};
use foveal_nn::{Model, ModelSpec};
use foveal_train::{PictureFit, Preprocess, Recipe, SavedModel, Training};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// The operators that [`import`] takes in.
pub const OPERATORS: [&str; 36] = [
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Concat",
    "Constant",
    "Conv",
    "Div",
    "Dropout",
    "Flatten",
    "Gather",
    "Gelu",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "HardSigmoid",
    "Identity",
    "LeakyRelu",
    "MatMul",
    "MaxPool",
    "Mul",
    "Pad",
    "ReduceMax",
    "ReduceMean",
    "Relu",
    "Reshape",
    "Shape",
    "Sigmoid",
    "Softmax",
    "Squeeze",
    "Sub",
    "Sum",
    "Tanh",
    "Transpose",
    "Unsqueeze",
];

/// Channels that one value may have; more than any network has, and little enough for a list of them.
const MOST_CHANNELS: usize = 1 << 20;

/// The bytes of an `.onnx` file as a model to predict with and to train further; `name` is what it is called from
/// now on.
///
/// The graph takes one input `[n, c, h, w]`, `[n, h, w, c]` (if the first thing that happens to it is a transpose
/// to channels first), `[n, c]`, a row of places `[n, c, l]` (read as a picture of height 1), or `[n, h, w]` or
/// `[n, l]` if a Gather looks them up in a table; gives one output, and consists of [`OPERATORS`] that fit foveal's
/// layers. An output `[n, c, h, w]` becomes a row in the order height, width, channel.
/// Values become channels-last, and weights are turned with them. What is multiplied and added to the input becomes
/// the preprocessing; constants multiplied and added elsewhere become part of the layer before, or a batch
/// normalization; a window on Hounsfield units, as [`crate::export`] writes it, becomes the model's; padding becomes
/// part of the convolution or pooling after it. A softmax at the end is left out, as
/// foveal's classifiers have none, and the classes are named by the metadata `classes` or by their numbers.
///
/// # Errors
/// Names the node and its operator when foveal has no layer for it, and says what is supported; says what is
/// missing when the bytes are no ONNX file.
pub fn import(bytes: &[u8], name: &str) -> Result<SavedModel, Error> {
    let file = File::read(bytes)?;
    let opset = opset(&file)?;
    let graph = &file.graph;
    let (input, output) = ends(graph)?;
    let mut importer = Importer::new(graph, opset, input, output, bytes.len())?;
    for node in importer.live.clone() {
        importer.node(node, &graph.nodes[node])?;
    }
    let at = |problem| Error::Refused(format!("the output `{}`: {problem}", output.name));
    let last = importer.take(&output.name).and_then(|last| importer.row(last)).map_err(at)?;
    importer.finish(last, &file, name)
}

fn opset(file: &File) -> Result<i64, Error> {
    if file.functions > 0 {
        let hint = "export it without (in PyTorch, to an older opset) or inline them";
        return Err(Error::Refused(format!(
            "the file defines {} functions of its own; {hint}",
            file.functions
        )));
    }
    let found = file.opsets.iter().find(|(domain, _)| domain.is_empty() || domain == "ai.onnx");
    match found {
        None => Err(Error::broken("it names no operator set")),
        Some((_, version)) if *version < 7 => Err(Error::Refused(format!(
            "its operator set is {version}; foveal reads 7 and newer: convert it with onnx.version_converter"
        ))),
        Some((_, version)) => Ok(*version),
    }
}

fn ends<'g>(graph: &'g Graph) -> Result<(&'g Value, &'g Value), Error> {
    let constant: HashSet<&str> = graph.tensors.iter().map(|t| t.name.as_str()).collect();
    let inputs: Vec<&Value> = graph.inputs.iter().filter(|i| !constant.contains(i.name.as_str())).collect();
    let ([input], [output]) = (&inputs[..], &graph.outputs[..]) else {
        return Err(Error::Refused(format!(
            "the graph has {} inputs and {} outputs; foveal's models have one of each",
            inputs.len(),
            graph.outputs.len()
        )));
    };
    Ok((input, output))
}

/// Height, width and channels of an input, how its axes lie, and the size of a batch if that is fixed.
fn input_shape(
    input: &Value,
    last: bool,
    looked_up: bool,
) -> Result<([usize; 3], Order, Option<i64>), Error> {
    let fail = |problem: &str| Err(Error::Refused(format!("the input `{}` {problem}", input.name)));
    let Some(dims) = &input.dims else { return fail("has no shape; run onnx.shape_inference first") };
    let mut known = Vec::new();
    for dim in dims.iter().skip(1) {
        match dim {
            Dim::Known(n) if *n > 0 && *n <= i64::from(i32::MAX) => known.push(*n as usize),
            Dim::Known(n) => return fail(&format!("has an axis of {n}")),
            Dim::Open(_) => {
                return fail("has an open extent beside the batch; fix height, width and channels");
            }
        }
    }
    let batch = match dims.first() {
        Some(Dim::Known(n)) => Some(*n),
        _ => None,
    };
    let (shape, order) = match known[..] {
        [h, w, c] if last => ([h, w, c], Order::Hwc),
        [c, h, w] => ([h, w, c], Order::Chw),
        [h, w] if looked_up => ([h, w, 1], Order::Hwc),
        [l] if looked_up => ([1, l, 1], Order::Lc),
        [l, c] if last => ([1, l, c], Order::Lc),
        [c, l] => ([1, l, c], Order::Cl),
        [c] => ([1, 1, c], Order::Flat(None)),
        _ => {
            let n = dims.len();
            return fail(&format!(
                "has {n} axes; foveal takes [n, c, h, w], [n, h, w, c], [n, c, l] or [n, c]"
            ));
        }
    };
    if shape[2] > MOST_CHANNELS {
        return fail(&format!("has {} channels; at most {MOST_CHANNELS} are read", shape[2]));
    }
    Ok((shape, order, batch))
}

/// A layer that has been made.
struct Made {
    spec: LayerSpec,
    name: String,
}

struct Importer<'g> {
    opset: i64,
    batch: Option<i64>,
    /// Nodes that the output needs, in order.
    live: Vec<usize>,
    /// Those that are the last of a Gelu.
    gelus: HashMap<usize, gelu::Written<'g>>,
    /// How many live nodes read each value.
    uses: HashMap<&'g str, usize>,
    constants: HashMap<&'g str, Rc<Tensor<'g>>>,
    values: HashMap<&'g str, Activation>,
    layers: Vec<Made>,
    counts: HashMap<&'static str, usize>,
    params: HashMap<String, Vec<f32>>,
    /// Numbers that parameters may still have: a few times what the file holds.
    room: usize,
    input: [usize; 3],
    scale: Vec<f32>,
    shift: Vec<f32>,
    /// Of CT: centre and width.
    window: Option<[f32; 2]>,
}

impl<'g> Importer<'g> {
    fn new(
        graph: &'g Graph<'g>,
        opset: i64,
        input: &'g Value,
        output: &'g Value,
        bytes: usize,
    ) -> Result<Self, Error> {
        let mut live = live(graph, &output.name);
        let seen = hounsfield::find(graph, &live, &input.name);
        live.retain(|i| seen.as_ref().is_none_or(|seen| !seen.nodes.contains(i)));
        let first = seen.as_ref().map_or(input.name.as_str(), |seen| seen.greys);
        let last = channels_last(graph, &live, first);
        let (shape, order, batch) = input_shape(input, last, looked_up(graph, &live, first))?;
        let gelus = gelu::find(graph, &live);
        let inner: HashSet<usize> = gelus.values().flat_map(|gelu| gelu.inner).collect();
        live.retain(|i| !inner.contains(i));
        let mut uses = HashMap::from([(output.name.as_str(), 1)]);
        for gelu in gelus.values() {
            *uses.entry(gelu.x).or_insert(0) += 1;
        }
        for input in live.iter().flat_map(|&n| &graph.nodes[n].inputs) {
            *uses.entry(input.as_str()).or_insert(0) += 1;
        }
        let constants = graph.tensors.iter().map(|t| (t.name.as_str(), t.clone())).collect();
        let value = Activation { layer: None, shape, order, pad: None, shared: false };
        Ok(Self {
            opset,
            batch,
            live,
            gelus,
            uses,
            constants,
            values: HashMap::from([(first, value)]),
            layers: Vec::new(),
            counts: HashMap::new(),
            params: HashMap::new(),
            room: bytes.saturating_add(1 << 16),
            input: shape,
            scale: vec![1.0; shape[2]],
            shift: vec![0.0; shape[2]],
            window: seen.map(|seen| [seen.window.centre(), seen.window.width()]),
        })
    }

    fn node(&mut self, at: usize, node: &'g Node<'g>) -> Result<(), Error> {
        let operator = node.operator.clone();
        let named = if node.name.is_empty() { node.outputs.first() } else { Some(&node.name) };
        let fail = |problem| Error::Node { node: named.cloned().unwrap_or_default(), operator, problem };
        let output = node.outputs.first().map(String::as_str).unwrap_or_default();
        if let Some(second) = node.outputs.iter().skip(1).find(|o| self.uses.contains_key(o.as_str())) {
            return Err(fail(format!("its output `{second}` is used; foveal takes the first output alone")));
        }
        if self.constants.contains_key(output) || self.values.contains_key(output) {
            return Err(fail(format!("the value `{output}` is made twice")));
        }
        if let Some(constant) = self.constant_node(node).map_err(fail.clone())? {
            self.constants.insert(output, constant);
            return Ok(());
        }
        let value = match self.gelus.get(&at).map(|gelu| gelu.x) {
            Some(x) => self.take(x).and_then(|x| {
                self.push(LayerKind::Gelu(kinds::Gelu::default()), &[x.layer], x.shape, x.order)
            }),
            None => self.compute(node),
        };
        let value = value.map_err(fail)?;
        self.values.insert(output, value);
        Ok(())
    }

    fn compute(&mut self, node: &'g Node<'g>) -> Result<Activation, String> {
        if !node.domain.is_empty() && node.domain != "ai.onnx" {
            return Err(format!("the operators of `{}` are not supported, only ONNX's own", node.domain));
        }
        let attributes = Attributes::new(node)?;
        match node.operator.as_str() {
            "Conv" => self.convolution(node, &attributes),
            "MaxPool" | "AveragePool" => self.pool(node, &attributes),
            "GlobalAveragePool" | "GlobalMaxPool" => self.global_pool(node),
            "Gather" => self.gather(node, &attributes),
            "ReduceMean" | "ReduceMax" => self.reduce(node, &attributes),
            "BatchNormalization" => self.batch_norm(node, &attributes),
            "Gemm" => self.gemm(node, &attributes),
            "MatMul" => self.matmul(node),
            "Add" | "Sub" | "Mul" | "Div" | "Sum" => self.arithmetic(node),
            "Concat" => self.concat(node, &attributes),
            "Softmax" => self.softmax(node, &attributes),
            "Dropout" => self.dropout(node, &attributes),
            "Flatten" => self.flatten(node, &attributes),
            "Reshape" => self.reshape(node, &attributes),
            "Squeeze" | "Unsqueeze" => self.squeeze(node, &attributes),
            "HardSigmoid" => self.hard_sigmoid(node, &attributes),
            "Transpose" => self.transpose(node, &attributes),
            "Pad" => self.pad(node, &attributes),
            "Cast" => self.cast(node, &attributes),
            "Identity" => self.take_padded(input(node, 0)?),
            "Relu" | "LeakyRelu" | "Sigmoid" | "Tanh" | "Gelu" | "Clip" => self.activate(node, &attributes),
            _ => Err(format!("this operator is not supported; foveal takes {}", OPERATORS.join(", "))),
        }
    }

    /// The value called `name`.
    fn take(&self, name: &str) -> Result<Activation, String> {
        let value = self.take_padded(name)?;
        match value.pad {
            Some(_) => Err("padding is supported before Conv (with 0) and MaxPool (with -inf) alone".into()),
            None => Ok(value),
        }
    }

    /// The value called `name`, with padding that has not been used up.
    fn take_padded(&self, name: &str) -> Result<Activation, String> {
        if self.constants.contains_key(name) {
            return Err(format!("`{name}` is a constant where foveal takes what comes from the input"));
        }
        let value = self.values.get(name).cloned();
        let mut value = value.ok_or_else(|| format!("no node before it gives `{name}`"))?;
        value.shared |= self.uses.get(name).is_some_and(|&n| n > 1);
        Ok(value)
    }

    /// The constant called `name`.
    fn constant(&self, name: &str) -> Result<Rc<Tensor<'g>>, String> {
        let found = self.constants.get(name).cloned();
        found.ok_or_else(|| format!("`{name}` must be a constant; it is computed"))
    }

    /// Adds a layer.
    fn push(
        &mut self,
        kind: LayerKind,
        from: &[Option<usize>],
        shape: [usize; 3],
        order: Order,
    ) -> Result<Activation, String> {
        if shape[2] > MOST_CHANNELS {
            return Err(format!("makes {} channels; at most {MOST_CHANNELS} are read", shape[2]));
        }
        let before = self.layers.len().checked_sub(1);
        let called = |at: &Option<usize>| at.map_or("input".to_owned(), |i| self.layers[i].name.clone());
        let inputs = if from == [before] { Vec::new() } else { from.iter().map(called).collect() };
        let count = self.counts.entry(kind.name()).or_insert(0);
        *count += 1;
        let name = format!("{}_{count}", kind.name());
        self.layers.push(Made { spec: LayerSpec { name: None, inputs, kind, line: 0 }, name });
        Ok(Activation { layer: Some(self.layers.len() - 1), shape, order, pad: None, shared: false })
    }

    /// Gives the layer made last a parameter.
    fn param(&mut self, what: &str, values: Vec<f32>) -> Result<(), String> {
        let name = self.layers.last().map(|l| format!("{}.{what}", l.name)).unwrap_or_default();
        self.room = self.room.checked_sub(values.len()).ok_or_else(|| {
            "the parameters are many times what the file holds; foveal gives each layer its own".to_owned()
        })?;
        self.params.insert(name, values);
        Ok(())
    }

    /// The output as a row of numbers.
    fn row(&mut self, last: Activation) -> Result<Activation, String> {
        if let Order::Flat(Some([h, w, c])) = last.order {
            return Err(format!(
                "it has the order channel, height, width of [{c}, {h}, {w}]; foveal flattens channels last, so a \
                 Flatten at the end is not supported without a Gemm or MatMul after it"
            ));
        }
        if last.layer.is_none() || last.layer != self.layers.len().checked_sub(1) {
            return Err("there is no layer between input and output".into());
        }
        let last = Activation { order: last.flattened(), ..last };
        self.flat(last)
    }

    fn finish(mut self, last: Activation, file: &File, name: &str) -> Result<SavedModel, Error> {
        let outputs: usize = last.shape.iter().product();
        let flat = last.shape[..2] == [1, 1];
        let softmax =
            self.layers.last().is_some_and(|l| l.spec.kind == LayerKind::Softmax(kinds::Softmax {}));
        let mut classes = Vec::new();
        if softmax && flat && self.layers.len() > 1 {
            self.layers.pop();
            classes = (0..outputs).map(|i| i.to_string()).collect();
        }
        let said = |key: &str| file.metadata.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
        let named = said("classes").and_then(|v| serde_json::from_str::<Vec<String>>(v).ok());
        if let Some(named) = named.filter(|n| n.len() == outputs) {
            classes = named;
        }
        let own: serde_json::Value =
            said("foveal").and_then(|v| serde_json::from_str(v).ok()).unwrap_or_default();
        let fit = serde_json::from_value::<PictureFit>(own["preprocess"]["fit"].clone()).unwrap_or_default();
        let training = serde_json::from_value::<Training>(own["training"].clone());
        let training = training.unwrap_or_else(|_| Training {
            model: name.into(),
            dataset: "unknown".into(),
            recipe: Recipe::default(),
            epochs: 0,
            validation_accuracy: None,
        });
        let layers = self.layers.into_iter().map(|l| l.spec).collect();
        let spec = ModelSpec { input: InputSpec { shape: self.input }, layers };
        let mut params = self.params;
        let model = Model::with_params(&spec, |name, _| {
            params.remove(name).ok_or_else(|| format!("`{name}` is missing"))
        })?;
        let text = serde_json::from_value::<Preprocess>(own["preprocess"].clone()).ok().and_then(|p| p.text);
        let text = text.filter(|text| model.vocabulary().is_some_and(|rows| text.size() <= rows));
        let preprocess = Preprocess { scale: self.scale, shift: self.shift, fit, window: self.window, text };
        Ok(SavedModel { model, preprocess, classes, training })
    }
}

/// The name of a node's input `i`.
fn input<'n>(node: &'n Node, i: usize) -> Result<&'n str, String> {
    optional(node, i).ok_or_else(|| format!("its input {i} is missing"))
}

/// The name of a node's input `i`, if it has it.
fn optional<'n>(node: &'n Node, i: usize) -> Option<&'n str> {
    node.inputs.get(i).map(String::as_str).filter(|name| !name.is_empty())
}

/// The nodes that `output` needs, in the file's order.
fn live(graph: &Graph, output: &str) -> Vec<usize> {
    let mut needed = HashSet::from([output]);
    let mut live = Vec::new();
    for (i, node) in graph.nodes.iter().enumerate().rev() {
        if node.outputs.iter().any(|o| !o.is_empty() && needed.contains(o.as_str())) {
            needed.extend(node.inputs.iter().map(String::as_str));
            live.push(i);
        }
    }
    live.reverse();
    live
}

/// Whether the input is looked up in tables, and nothing else happens to it.
fn looked_up(graph: &Graph, live: &[usize], input: &str) -> bool {
    let mut readers = live.iter().map(|&i| &graph.nodes[i]).filter(|n| n.inputs.iter().any(|i| i == input));
    let gather = |n: &Node| n.operator == "Gather" && n.inputs.iter().position(|i| i == input) == Some(1);
    let first = readers.next().is_some_and(gather);
    first && readers.all(gather)
}

/// Whether the first thing that happens to the input, but for arithmetic, is a transpose to channels first.
fn channels_last(graph: &Graph, live: &[usize], input: &str) -> bool {
    let mut at = input;
    for &i in live {
        let node = &graph.nodes[i];
        if !node.inputs.iter().any(|n| n == at) {
            continue;
        }
        match node.operator.as_str() {
            "Cast" | "Identity" | "Mul" | "Add" | "Sub" | "Div" => {
                at = node.outputs.first().map_or("", String::as_str);
            }
            "Transpose" => {
                let perm = node.attributes.iter().find(|(name, _)| name == "perm");
                let first = [&[0, 3, 1, 2][..], &[0, 2, 1]].map(|perm| Attribute::Ints(perm.to_vec()));
                return perm.is_some_and(|(_, a)| first.contains(a));
            }
            _ => return false,
        }
    }
    false
}
