//! A trained model as an ONNX file.

mod layers;
mod moves;
mod norms;

use crate::proto::{Attribute, Dim, Graph, Model, Node, Tensor, Value, kind};
use crate::{Error, hounsfield};
use foveal_nn::model::Node as Layer;
use foveal_nn::spec::LayerKind;
use foveal_nn::{Axis, Model as Net};
use foveal_train::{PictureFit, Preprocess, SavedModel, Scale, Window};
use std::collections::HashSet;
use std::rc::Rc;

/// The constant that is added to values with all their digits.
pub(crate) const ORIGIN: &str = "values.origin";

/// The operator set that files are written for, and the one for layers that older sets have no operator for.
const OPSET: i64 = 17;
const NEWER: i64 = 20;

/// How a file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportOptions {
    /// Whether pixels go in as 32-bit floats, not as bytes.
    pub floats: bool,
    /// Whether they go in as `[n, c, h, w]`, not as `[n, h, w, c]`.
    pub channels_first: bool,
}

/// The bytes of an `.onnx` file, as [`export_with`] writes it without options.
///
/// # Errors
/// As [`export_with`].
pub fn export(saved: &SavedModel) -> Result<Vec<u8>, Error> {
    export_with(saved, ExportOptions::default())
}

/// The bytes of an `.onnx` file that answers as `saved` does: raw pixels `[n, h, w, c]` go in as bytes (0 to 255)
/// under the name `image`, or as floats, or with channels first, as `options` say; the probabilities of the classes, or the values of a regression, come out as
/// `[n, outputs]` under the name `probabilities` or `values` (doubles where single precision cannot tell them apart:
/// [`foveal_train::Preprocess::origin`]). For several labels an image the metadata `thresholds` are a JSON list of the
/// probabilities from which it has each.
///
/// A model of CT takes Hounsfield units instead, 32-bit floats `[n, h, w, c]` in square pixels under the name
/// `hounsfield`: its window is in the graph, and in the metadata as `window_center` and `window_width`. A model of
/// texts takes the numbers of their tokens, 64-bit whole numbers `[n, h, w]` (`[n, 1, length]`) under the name
/// `tokens`; the metadata hold `tokens`, what texts are cut into (`words`, `chars` or `ngrams`), and `vocabulary`, a
/// JSON list of the tokens, each at its number: `<pad>` (0) fills texts up, `<unk>` (1) stands for all others.
///
/// A model that learnt from 16-bit pixels takes those (`uint16`), one of numbers that are no pixels takes floats as they
/// are; floats are on the scale that the model learnt from. The metadata `resize` says how pictures of another size become
/// the input, and `scale` what the training's numbers were.
///
/// The metadata further hold `classes`, a JSON list of names, and `foveal`, what a model file has under that key.
/// Padding is written as numbers of cells, and dropout is left out.
///
/// # Errors
/// When a layer cannot be written, or the description is no JSON.
pub fn export_with(saved: &SavedModel, options: ExportOptions) -> Result<Vec<u8>, Error> {
    let model = &saved.model;
    model.check_params()?;
    let graph = Graph { name: "foveal".into(), ..Graph::default() };
    let input = Input::of(saved);
    let taken = ["image", "hounsfield", "tokens", "probabilities", "values"].map(str::to_owned).into();
    let newer = model.nodes().iter().any(|n| layers::needs_newer(&n.kind));
    let mut writer = Writer { model, graph, newer, values: Vec::new(), taken };
    let first = match input {
        Input::Tokens => writer.tokens()?,
        input => writer.preprocess(saved, input, options),
    };
    writer.values.push(first);
    for (i, layer) in model.nodes().iter().enumerate() {
        let value = writer.layer(i, layer)?;
        writer.values.push(value);
    }
    let output = writer.finish(saved);
    let [h, w, c] = model.input_shape();
    let open = |rest: &[usize]| {
        let known = rest.iter().map(|&n| Dim::Known(n as i64));
        std::iter::once(Dim::Open("N".into())).chain(known).collect()
    };
    let pixels = if options.channels_first { open(&[c, h, w]) } else { open(&[h, w, c]) };
    let mut graph = writer.graph;
    graph.inputs.push(match input {
        Input::Tokens => Value::new("tokens", kind::INT64, open(&[h, w])),
        Input::Hounsfield(_) => Value::new("hounsfield", kind::FLOAT, pixels),
        Input::Numbers => Value::new("image", kind::FLOAT, pixels),
        _ if options.floats => Value::new("image", kind::FLOAT, pixels),
        Input::Words => Value::new("image", kind::UINT16, pixels),
        Input::Bytes => Value::new("image", kind::UINT8, pixels),
    });
    let double = !saved.preprocess.origin.is_empty();
    let number = if double { kind::DOUBLE } else { kind::FLOAT };
    graph.outputs.push(Value::new(output, number, open(&[model.outputs()])));
    Ok(Model {
        ir_version: if newer { 9 } else { 8 },
        producer: "foveal".into(),
        opsets: vec![(String::new(), if newer { NEWER } else { OPSET })],
        graph,
        metadata: metadata(saved)?,
        functions: 0,
    }
    .write())
}

/// What goes into the graph.
#[derive(Clone, Copy)]
enum Input {
    /// Raw pixels.
    Bytes,
    /// Hounsfield units, seen through the window.
    Hounsfield(Window),
    /// Numbers that are no pixels, as they are.
    Numbers,
    /// Raw pixels of 16 bits.
    Words,
    /// Numbers of tokens.
    Tokens,
}

impl Input {
    fn of(saved: &SavedModel) -> Self {
        if saved.model.vocabulary().is_some() {
            return Input::Tokens;
        }
        let pixels = match saved.preprocess.pixels {
            Scale::Bytes | Scale::Unit | Scale::Signed => Input::Bytes,
            Scale::Words => Input::Words,
            Scale::Other => Input::Numbers,
        };
        saved.preprocess.window().map_or(pixels, Input::Hounsfield)
    }
}

/// What pixels are multiplied by, and what is then added, channel by channel. Bytes go to models that learnt from numbers
/// on a scale of their own through that scale; floats are on it already.
fn factors(saved: &SavedModel, options: ExportOptions) -> (Vec<f32>, Vec<f32>) {
    let Preprocess { scale, shift, pixels, .. } = &saved.preprocess;
    let by = |factor: f32| scale.iter().map(|s| s / factor).collect();
    match pixels {
        _ if options.floats => (scale.clone(), shift.clone()),
        Scale::Unit => (by(255.0), shift.clone()),
        Scale::Signed => (by(127.5), shift.iter().zip(scale).map(|(b, a)| b - a).collect()),
        Scale::Bytes | Scale::Words | Scale::Other => (scale.clone(), shift.clone()),
    }
}

/// How pictures of another size become the input, in words that a program's author can follow.
fn resizing(saved: &SavedModel) -> String {
    const RESIZE: &str =
        "triangle filter (bilinear with antialiasing, half-pixel centers), then rounded to whole numbers";
    let fit = match saved.preprocess.fit {
        PictureFit::Digit => {
            "as MNIST's digits: bright ink on black, the longer side 20 of 28, centered by mass"
        }
        PictureFit::Resize => "stretched to height and width",
        PictureFit::Pad => "resized to fit, centered on black",
        PictureFit::Crop => "the middle of the input's aspect ratio, resized",
    };
    format!("{fit}; {RESIZE}")
}

/// What a file says of itself besides its graph.
fn metadata(saved: &SavedModel) -> Result<Vec<(String, String)>, Error> {
    let json = |names: Vec<String>| serde_json::Value::from(names).to_string();
    let mut all = vec![("classes", json(saved.classes.clone())), ("foveal", saved.metadata()?)];
    if saved.is_multi_label() {
        all.push(("thresholds", serde_json::Value::from(saved.training.thresholds.clone()).to_string()));
    }
    if let Input::Hounsfield(window) = Input::of(saved) {
        all.push(("window_center", window.centre().to_string()));
        all.push(("window_width", window.width().to_string()));
    }
    if !matches!(Input::of(saved), Input::Tokens | Input::Hounsfield(_) | Input::Numbers) {
        all.push(("resize", resizing(saved)));
        all.push(("scale", saved.preprocess.pixels.name().to_owned()));
    }
    if let Some(vocabulary) = &saved.preprocess.text {
        let reserved = ["<pad>", "<unk>"].map(str::to_owned);
        let tokens = reserved.iter().chain(vocabulary.entries()).cloned().collect();
        all.push(("tokens", vocabulary.tokens().name().to_owned()));
        all.push(("vocabulary", json(tokens)));
    }
    Ok(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A value in the graph: `[n, c, h, w]`, or `[n, c]` where it is `flat`.
#[derive(Clone)]
struct Place {
    name: String,
    flat: bool,
}

struct Writer<'a> {
    model: &'a Net,
    graph: Graph<'static>,
    /// Whether the file is for the newer operator set.
    newer: bool,
    /// The model's values: its input, then each layer's output.
    values: Vec<Place>,
    /// Names of values.
    taken: HashSet<String>,
}

/// Names and attributes of a node.
type Attributes = Vec<(&'static str, Attribute<'static>)>;

fn ints(values: &[usize]) -> Attribute<'static> {
    Attribute::Ints(values.iter().map(|&v| v as i64).collect())
}

impl Writer<'_> {
    /// A name that no value has yet: `name`, or like it.
    fn fresh(&mut self, name: &str) -> String {
        let mut fresh = name.to_owned();
        while !self.taken.insert(fresh.clone()) {
            fresh.push('_');
        }
        fresh
    }

    /// Adds a node and gives the name of its output.
    fn node(&mut self, operator: &str, name: &str, inputs: &[&str], attributes: Attributes) -> String {
        let name = self.fresh(name);
        self.named(operator, &name, inputs, attributes);
        name
    }

    fn named(&mut self, operator: &str, name: &str, inputs: &[&str], attributes: Attributes) {
        self.graph.nodes.push(Node {
            name: name.into(),
            operator: operator.into(),
            domain: String::new(),
            inputs: inputs.iter().map(|&i| i.to_owned()).collect(),
            outputs: vec![name.into()],
            attributes: attributes.into_iter().map(|(n, a)| (n.to_owned(), a)).collect(),
        });
    }

    /// Adds a constant and gives its name.
    fn tensor(&mut self, mut tensor: Tensor<'static>) -> String {
        tensor.name = self.fresh(&tensor.name);
        let name = tensor.name.clone();
        self.graph.tensors.push(Rc::new(tensor));
        name
    }

    fn preprocess(&mut self, saved: &SavedModel, input: Input, options: ExportOptions) -> Place {
        let c = self.model.input_shape()[2];
        let cast = match input {
            Input::Hounsfield(window) => self.window(&window),
            Input::Numbers => "image".to_owned(),
            _ if options.floats => "image".to_owned(),
            _ => self.node("Cast", "image/cast", &["image"], vec![("to", Attribute::Int(kind::FLOAT))]),
        };
        let each: &[usize] = if options.channels_first { &[c, 1, 1] } else { &[c] };
        let (scale, shift) = factors(saved, options);
        let scale = self.tensor(Tensor::floats("image.scale", each, scale));
        let shift = self.tensor(Tensor::floats("image.shift", each, shift));
        let scaled = self.node("Mul", "image/scaled", &[&cast, &scale], vec![]);
        let shifted = self.node("Add", "image/shifted", &[&scaled, &shift], vec![]);
        if options.channels_first {
            return Place { name: shifted, flat: false };
        }
        Place { name: self.transpose("input", &shifted, [0, 3, 1, 2]), flat: false }
    }

    /// The greys 0 to 255 that a window shows of Hounsfield units, rounded as the bytes of training were.
    fn window(&mut self, window: &Window) -> String {
        let mut at = "hounsfield".to_owned();
        for (step, constants) in hounsfield::steps(window) {
            let tensors: Vec<String> = constants
                .iter()
                .map(|(what, value)| {
                    self.tensor(Tensor::floats(&format!("hounsfield.{what}"), &[], vec![*value]))
                })
                .collect();
            let inputs: Vec<&str> = std::iter::once(&at).chain(&tensors).map(String::as_str).collect();
            let name = format!("hounsfield/{}", step.to_lowercase());
            at = self.node(step, &name, &inputs, vec![]);
        }
        at
    }

    /// The numbers of tokens: for the embedding alone, as ONNX has no other layer that takes whole numbers.
    fn tokens(&self) -> Result<Place, Error> {
        match self.model.nodes().iter().skip(1).find(|layer| layer.inputs.contains(&0)) {
            Some(layer) => Err(Error::Layer {
                layer: layer.name.clone(),
                problem: "reads the numbers of tokens beside the embedding; let it read the embedding".into(),
            }),
            None => Ok(Place { name: "tokens".into(), flat: false }),
        }
    }

    /// The rows that tokens look up, `[n, h, w, size]`, with channels first.
    fn embedding(&mut self, layer: &Layer) -> String {
        let table = self.params(layer).swap_remove(0);
        let axis = vec![("axis", Attribute::Int(0))];
        let rows = self.node("Gather", &format!("{}/rows", layer.name), &[&table, "tokens"], axis);
        self.transpose(&layer.name, &rows, [0, 3, 1, 2])
    }

    fn transpose(&mut self, name: &str, from: &str, order: [i64; 4]) -> String {
        self.node("Transpose", name, &[from], vec![("perm", Attribute::Ints(order.to_vec()))])
    }

    /// Value `v` as `[n, numbers]`, in the order height, width, channel; new nodes have names under `layer`.
    fn flat(&mut self, v: usize, layer: &str) -> String {
        let Place { mut name, flat } = self.values[v].clone();
        if flat {
            return name;
        }
        let [h, w, c] = self.model.value_shape(v);
        if c > 1 && h * w > 1 {
            name = self.transpose(&format!("{layer}/channels_last"), &name, [0, 2, 3, 1]);
        }
        self.node("Flatten", &format!("{layer}/flat"), &[&name], vec![("axis", Attribute::Int(1))])
    }

    /// Value `v` as `[n, c, h, w]`.
    fn spatial(&mut self, v: usize, layer: &str) -> String {
        let Place { name, flat } = self.values[v].clone();
        if !flat {
            return name;
        }
        let shape = [0, self.model.value_shape(v)[2] as i64, 1, 1];
        let shape = self.tensor(Tensor::ints(&format!("{layer}/spatial.shape"), &shape));
        self.node("Reshape", &format!("{layer}/spatial"), &[&name, &shape], vec![])
    }

    /// The parameters of a layer as tensors, each as ONNX wants it.
    fn params(&mut self, layer: &Layer) -> Vec<String> {
        let params: Vec<_> = layer.params.iter().map(|&p| &self.model.params()[p]).collect();
        let mut names = Vec::new();
        for p in params {
            let tensor = match p.shape[..] {
                [h, w, i, o] => {
                    let values = (0..o * i * h * w).map(|at| {
                        let (o_at, i_at, yx) = (at / (i * h * w), at / (h * w) % i, at % (h * w));
                        p.values[(yx * i + i_at) * o + o_at]
                    });
                    Tensor::floats(&p.name, &[o, i, h, w], values.collect())
                }
                _ => Tensor::floats(&p.name, &p.shape, p.values.clone()),
            };
            names.push(self.tensor(tensor));
        }
        names
    }

    fn with_params(&mut self, operator: &str, layer: &Layer, x: String, attributes: Attributes) -> String {
        let params = self.params(layer);
        let inputs: Vec<&str> = std::iter::once(&x).chain(&params).map(String::as_str).collect();
        self.node(operator, &layer.name, &inputs, attributes)
    }

    fn convolution(&mut self, i: usize, layer: &Layer) -> String {
        let g = self.model.conv_geometry(i, 1).expect("the model is checked");
        let x = self.spatial(layer.inputs[0], &layer.name);
        let mut attributes = window(g.h, g.w);
        attributes.push(("dilations", ints(&[g.h.dilation, g.w.dilation])));
        attributes.push(("group", Attribute::Int(g.groups as i64)));
        self.with_params("Conv", layer, x, attributes)
    }

    fn pool(&mut self, i: usize, layer: &Layer) -> Result<String, Error> {
        let g = self.model.pool_geometry(i, 1).expect("the model is checked");
        if [g.h, g.w].iter().any(|a| a.before >= a.kernel || a.after >= a.kernel) {
            let problem = "pads by as much as its window or more, which ONNX runtimes refuse; pad by less";
            return Err(Error::Layer { layer: layer.name.clone(), problem: problem.into() });
        }
        let x = self.spatial(layer.inputs[0], &layer.name);
        let mut attributes = window(g.h, g.w);
        if matches!(layer.kind, LayerKind::MaxPool(_)) {
            return Ok(self.node("MaxPool", &layer.name, &[&x], attributes));
        }
        attributes.push(("count_include_pad", Attribute::Int(0)));
        Ok(self.node("AveragePool", &layer.name, &[&x], attributes))
    }

    /// Probabilities of a classifier, values of a regression, as the graph's output.
    fn finish(&mut self, saved: &SavedModel) -> &'static str {
        let last = self.values.len() - 1;
        let flat = self.flat(last, "output");
        let classes = !saved.classes.is_empty();
        let done = self.model.ends_in_softmax() || self.model.ends_in_sigmoid();
        let name = if classes { "probabilities" } else { "values" };
        let origin = &saved.preprocess.origin;
        if !origin.is_empty() {
            // The sum has more digits than single precision.
            let double = vec![("to", Attribute::Int(kind::DOUBLE))];
            let double = self.node("Cast", "values/cast", &[&flat], double);
            let origin = self.tensor(Tensor::doubles(ORIGIN, origin));
            self.named("Add", name, &[&double, &origin], vec![]);
        } else if classes && !done {
            self.named("Softmax", name, &[&flat], vec![("axis", Attribute::Int(1))]);
        } else {
            self.named("Identity", name, &[&flat], vec![]);
        }
        name
    }
}

fn window(h: Axis, w: Axis) -> Attributes {
    vec![
        ("kernel_shape", ints(&[h.kernel, w.kernel])),
        ("strides", ints(&[h.stride, w.stride])),
        ("pads", ints(&[h.before, w.before, h.after, w.after])),
    ]
}
