//! An ONNX file as a model of foveal.

use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::error::Obstacle;
use crate::export::ORIGIN;
use crate::fold::{self, Call, Constant, Room};
use crate::graph::{self, Step};
use crate::importer::{Importer, Value};
use crate::proto::{Graph, Model as File, Tensor, Value as Described};
use crate::side::{NoFiles, SideFiles};
use crate::{Error, hounsfield, input, layers, patterns};
use foveal_nn::spec::{InputSpec, LayerKind};
use foveal_nn::{Model, ModelSpec};
use foveal_train::{PictureFit, Preprocess, Recipe, SavedModel, Scale, Training};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

/// The oldest operator set that is read.
const OLDEST: i64 = 7;
/// Constants of more numbers are not looked at for patterns.
const SMALL: usize = 4096;

/// How a file is read.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImportOptions {
    /// The output that the model gives; needed where the graph has several.
    pub output: Option<String>,
    /// Height and width of an input that leaves them open.
    pub input_size: Option<[usize; 2]>,
}

/// A file as a model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Imported {
    /// The model.
    pub saved: SavedModel,
    /// What became something else on the way, and how many constants of it there were.
    pub notes: Vec<(Note, usize)>,
}

/// What became something else on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Note {
    /// 16-bit floats have become 32-bit ones.
    Widened,
    /// 64-bit floats have been rounded to 32-bit ones.
    Narrowed,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Note::Widened => "constants of 16-bit floats have become 32-bit ones",
            Note::Narrowed => "constants of 64-bit floats have been rounded to 32-bit ones",
        })
    }
}

/// The operators that [`import`] takes in: those that become layers, and those that are computed where they have
/// nothing but constants.
pub fn operators() -> Vec<&'static str> {
    let mut all = layers::operators();
    all.extend(fold::OPERATORS.iter().chain(&fold::MORE));
    all.sort_unstable();
    all.dedup();
    all
}

/// The bytes of an `.onnx` file as a model to predict with and to train further; `name` is what it is called from
/// now on. As [`import_with`] without options, and without other files.
///
/// # Errors
/// As [`import_with`].
///
/// ```
/// use foveal_nn::Sequential;
/// use foveal_train::{PictureFit, Preprocess, SavedModel, Training};
///
/// let saved = SavedModel {
///     model: Sequential::new([8, 8, 1]).conv2d(2, 3).relu().flatten().dense(3).build(0)?,
///     preprocess: Preprocess::unit(1, PictureFit::Resize),
///     classes: ["a", "b", "c"].map(String::from).to_vec(),
///     training: Training::default(),
/// };
/// let file = foveal_onnx::export(&saved)?;
/// let again = foveal_onnx::import(&file, "net.onnx")?;
/// assert_eq!(again.model.outputs(), 3);
/// assert!(foveal_onnx::import(&file[..20], "net.onnx").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn import(bytes: &[u8], name: &str) -> Result<SavedModel, Error> {
    import_with(bytes, name, &ImportOptions::default(), &mut NoFiles).map(|imported| imported.saved)
}

/// The bytes of an `.onnx` file as a model to predict with and to train further; `name` is what it is called from
/// now on. Numbers that the file has in others beside it are read by `side`.
///
/// The graph takes one input `[n, c, h, w]`, `[n, h, w, c]` (if the first thing that happens to it is a transpose
/// to channels first), `[n, c]`, a row of places `[n, c, l]` (read as a picture of height 1), a grey picture
/// `[n, h, w]`, or `[n, h, w]` or `[n, l]` if a Gather looks them up in a table; of its outputs one is taken. It
/// consists of [`operators`] that fit foveal's layers. An output `[n, c, h, w]` becomes a row in the order height,
/// width, channel.
/// Values become channels-last, and weights are turned with them; 16-bit and 64-bit floats become 32-bit ones, which
/// is said. What is multiplied and added to the input becomes the preprocessing; constants multiplied and added
/// elsewhere become part of the layer before, or a batch normalization; a window on Hounsfield units, as
/// [`crate::export`] writes it, becomes the model's; padding becomes part of the convolution or pooling after it. A
/// softmax at the end is left out, as foveal's classifiers have none, and the classes are named by the metadata
/// `classes` or by their numbers.
///
/// # Errors
/// Names every node that foveal has no layer for, and says what is supported; says what is missing when the bytes
/// are no ONNX file.
pub fn import_with(
    bytes: &[u8],
    name: &str,
    options: &ImportOptions,
    side: &mut dyn SideFiles,
) -> Result<Imported, Error> {
    let file = File::read(bytes)?;
    let opset = opset(&file)?;
    let graph = &file.graph;
    let (taken, output) = (input::of_graph(graph)?, output(graph, options.output.as_deref())?);
    let mut room = Room::of(bytes.len());
    let mut constants = stored(graph);
    let origin = origin(&file, &mut constants);
    let mut steps = graph::live(graph::steps(graph), &output.name);
    fold_small(&mut steps, &mut constants, &mut room);
    let seen = hounsfield::find(&steps, &constants, &taken.name);
    let first = seen.as_ref().map_or(taken.name.as_str(), |seen| seen.greys);
    steps.retain(|step| step.outputs.first() != Some(&first));
    let steps = patterns::joined(graph::live(steps, &output.name), &constants, &output.name);
    let input = input::read(taken, &steps, first, options.input_size)?;

    let mut importer = Importer::new(opset, input.batch, input.shape, bytes.len(), side);
    importer.uses = graph::uses(&steps, &output.name);
    let left = importer.uses.clone();
    importer.values = constants.into_iter().map(|(name, c)| (name, Value::Constant(c))).collect();
    let value = Activation { layer: None, shape: input.shape, view: input.view, pad: None, shared: false };
    importer.values.insert(first, Value::Activation(value));
    let mut reader = Reader { importer, room, left, obstacles: Vec::new() };
    reader.all(&steps)?;
    let mut importer = reader.importer;
    let last = importer.take(&output.name).and_then(|last| layers::row(&mut importer, last));
    let last = last.map_err(|problem| Error::Output {
        problem: format!("the output `{}`: {problem}", output.name),
        there: names(graph),
    })?;
    let notes = std::mem::take(&mut importer.notes).into_iter().collect();
    let window = seen.map(|seen| [seen.window.centre(), seen.window.width()]);
    Ok(Imported { saved: finish(importer, last, &file, name, (window, origin))?, notes })
}

/// What is added to the values of a file that foveal wrote, with all its digits; in the graph nothing is left of it. Empty
/// for all others.
fn origin(file: &File, constants: &mut HashMap<&str, Constant>) -> Vec<f64> {
    let own = file.metadata.iter().find(|(key, _)| key == "foveal");
    let own: serde_json::Value =
        own.and_then(|(_, text)| serde_json::from_str(text).ok()).unwrap_or_default();
    let origin = serde_json::from_value::<Vec<f64>>(own["preprocess"]["origin"].clone()).unwrap_or_default();
    let Some(constant) = constants.get_mut(ORIGIN).filter(|_| !origin.is_empty()) else { return Vec::new() };
    let nothing = Tensor::floats(ORIGIN, &[origin.len()], vec![0.0; origin.len()]);
    match Constant::stored(Rc::new(nothing)) {
        Ok(nothing) => *constant = nothing,
        Err(_) => return Vec::new(),
    }
    origin
}

fn opset(file: &File) -> Result<i64, Error> {
    if file.functions > 0 {
        return Err(Error::Unsupported {
            what: format!("the file defines {} functions of its own", file.functions),
            remedy: "export it without (in PyTorch, to an older opset) or inline them".into(),
        });
    }
    let found = file.opsets.iter().find(|(domain, _)| domain.is_empty() || domain == "ai.onnx");
    match found {
        None => Err(Error::broken("it names no operator set")),
        Some(&(_, version)) if version < OLDEST => Err(Error::OperatorSet { version, least: OLDEST }),
        Some((_, version)) => Ok(*version),
    }
}

fn names(graph: &Graph) -> Vec<String> {
    graph.outputs.iter().map(|o| format!("`{}`", o.name)).collect()
}

/// The output that is wanted, or the only one.
fn output<'g>(graph: &'g Graph, wanted: Option<&str>) -> Result<&'g Described, Error> {
    let there = || names(graph);
    match (wanted, &graph.outputs[..]) {
        (None, [output]) => Ok(output),
        (None, []) => {
            Err(Error::Output { problem: "the graph has no output".into(), there: vec!["none".into()] })
        }
        (None, outputs) => Err(Error::Output {
            problem: format!("the graph has {} outputs; say which one (--output NAME)", outputs.len()),
            there: there(),
        }),
        (Some(wanted), outputs) => outputs.iter().find(|o| o.name == wanted).ok_or_else(|| Error::Output {
            problem: format!("the graph has no output `{wanted}`"),
            there: there(),
        }),
    }
}

/// The constants of the file, but for those of shapes that no array has.
fn stored<'g>(graph: &'g Graph<'g>) -> HashMap<&'g str, Constant<'g>> {
    let constants = graph.tensors.iter();
    constants.filter_map(|t| Some((t.name.as_str(), Constant::stored(t.clone()).ok()?))).collect()
}

/// Computes what is small and has nothing but constants, and takes these steps out.
fn fold_small<'g>(
    steps: &mut Vec<Step<'g>>,
    constants: &mut HashMap<&'g str, Constant<'g>>,
    room: &mut Room,
) {
    steps.retain(|step| {
        let small = |name: &&str| match constants.get(name) {
            Some(c) if c.size() <= SMALL && !c.is_apart() => Some(Some(c.clone())),
            _ if name.is_empty() => Some(None),
            _ => None,
        };
        let inputs: Option<Vec<Option<Constant>>> = step.inputs.iter().map(small).collect();
        let computed = inputs.filter(|_| fold::known(step.operator) && own(step)).and_then(|inputs| {
            let attributes = Attributes::new(step.node).ok()?;
            let call = Call { node: step.node, attributes: &attributes, inputs };
            // What fails is said when its turn comes.
            fold::compute(&call, room).ok().filter(|all| all.iter().all(|c| c.size() <= SMALL))
        });
        let fresh = |name: &str| !name.is_empty() && constants.contains_key(name);
        let Some(computed) = computed.filter(|_| !step.outputs.iter().any(|name| fresh(name))) else {
            return true;
        };
        constants.extend(step.outputs.iter().copied().zip(computed));
        false
    });
}

fn own(step: &Step) -> bool {
    matches!(step.node.domain.as_str(), "" | "ai.onnx")
}

/// Takes in one step after the other.
struct Reader<'g> {
    importer: Importer<'g>,
    room: Room,
    /// How many inputs of steps to come each value is.
    left: HashMap<&'g str, usize>,
    obstacles: Vec<Obstacle>,
}

impl<'g> Reader<'g> {
    /// All steps; fails with what could not be taken in of them.
    fn all(&mut self, steps: &[Step<'g>]) -> Result<(), Error> {
        for step in steps {
            let given = self.step(step);
            if let Some(lost) = self.importer.lost.take() {
                return Err(lost);
            }
            let given = given.unwrap_or_else(|obstacle| {
                self.obstacles.extend(obstacle);
                vec![Value::Unknown; step.outputs.len()]
            });
            self.forget(step);
            for (&output, value) in step.outputs.iter().zip(given) {
                self.importer.values.insert(output, value);
            }
        }
        match std::mem::take(&mut self.obstacles) {
            found if found.is_empty() => Ok(()),
            found => Err(Error::Nodes(found)),
        }
    }

    /// What a step gives; nothing to say where it only follows from what failed before.
    fn step(&mut self, step: &Step<'g>) -> Result<Vec<Value<'g>>, Option<Obstacle>> {
        let known = own(step) && (layers::known(step.operator) || fold::known(step.operator));
        let obstacle = |problem: String| {
            let (node, operator) = (step.name().to_owned(), step.node.operator.clone());
            Some(Obstacle { node, operator, unknown: !known, problem })
        };
        if !own(step) {
            let domain = &step.node.domain;
            return Err(obstacle(format!("the operators of `{domain}` are not supported, only ONNX's own")));
        }
        if !known {
            return Err(obstacle("this operator is not supported".into()));
        }
        let values = &self.importer.values;
        if step.inputs.iter().any(|name| matches!(values.get(name), Some(Value::Unknown))) {
            return Err(None);
        }
        if let Some(twice) = step.outputs.iter().find(|o| !o.is_empty() && values.contains_key(*o)) {
            return Err(obstacle(format!("the value `{twice}` is made twice")));
        }
        let given = self.values(step).map_err(obstacle)?;
        let used = |name: &str| self.importer.uses.contains_key(name) && !name.is_empty();
        match step.outputs.iter().skip(given.len()).find(|name| used(name)) {
            Some(output) => Err(obstacle(format!("its output `{output}` is used, which is not supported"))),
            None => Ok(given),
        }
    }

    fn values(&mut self, step: &Step<'g>) -> Result<Vec<Value<'g>>, String> {
        let attributes = Attributes::new(step.node)?;
        if step.operator == "Shape" || step.operator == "Size" {
            let extents = self.importer.extents(step.input(0)?)?;
            return fold::of_shape(step.operator, &attributes, &extents).map(|c| vec![Value::Constant(c)]);
        }
        let constant = |name: &&&str| self.importer.is_constant(name) || name.is_empty();
        if !step.inputs.iter().all(|name| constant(&name)) {
            let given = layers::import(&mut self.importer, step, &attributes)?;
            return Ok(given.into_iter().map(Value::Activation).collect());
        }
        if !fold::known(step.operator) {
            return Err("is not computed of constants alone".into());
        }
        let mut inputs = Vec::new();
        for name in &step.inputs {
            inputs.push(if name.is_empty() { None } else { Some(self.importer.constant(name)?) });
        }
        let call = Call { node: step.node, attributes: &attributes, inputs };
        let computed = fold::compute(&call, &mut self.room)?;
        Ok(computed.into_iter().map(Value::Constant).collect())
    }

    /// Lets go of constants that no later step reads.
    fn forget(&mut self, step: &Step<'g>) {
        for name in &step.inputs {
            let Some(left) = self.left.get_mut(name) else { continue };
            *left -= 1;
            if *left == 0 && self.importer.is_constant(name) {
                self.importer.values.remove(name);
            }
        }
    }
}

fn finish(
    importer: Importer,
    last: Activation,
    file: &File,
    name: &str,
    (window, origin): (Option<[f32; 2]>, Vec<f64>),
) -> Result<SavedModel, Error> {
    let Importer { mut layers, mut params, input, scale, shift, .. } = importer;
    let outputs: usize = last.shape.iter().product();
    let softmax =
        layers.last().is_some_and(|l| l.spec.kind == LayerKind::Softmax(foveal_nn::layers::Softmax {}));
    let mut classes = Vec::new();
    if softmax && last.shape[..2] == [1, 1] && layers.len() > 1 {
        layers.pop();
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
        ..Training::default()
    });
    let layers = layers.into_iter().map(|l| l.spec).collect();
    let spec = ModelSpec { input: InputSpec { shape: input }, layers };
    let model = Model::with_params(&spec, |name, _| {
        params.remove(name).ok_or_else(|| format!("`{name}` is missing"))
    })?;
    let known = serde_json::from_value::<Preprocess>(own["preprocess"].clone()).ok();
    let text = known.as_ref().and_then(|p| p.text.clone());
    let text = text.filter(|text| model.vocabulary().is_some_and(|rows| text.size() <= rows));
    let plain = Preprocess { scale, shift, window, text, ..Preprocess::unit(0, fit) };
    // A model of numbers on a scale of their own takes such numbers again, not the pixels that the file takes.
    let preprocess = match known.filter(|p| p.pixels != Scale::Bytes && p.scale.len() == plain.scale.len()) {
        Some(Preprocess { scale, shift, pixels, .. }) => Preprocess { scale, shift, pixels, ..plain },
        None => plain,
    };
    let origin = if origin.len() == outputs { origin } else { Vec::new() };
    let preprocess = Preprocess { origin, ..preprocess };
    let mut training = training;
    if training.thresholds.len() != classes.len() || !model.ends_in_sigmoid() {
        training.thresholds.clear();
    }
    Ok(SavedModel { model, preprocess, classes, training })
}
