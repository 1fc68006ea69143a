//! Training that begins with the weights of another model, and layers that stay as they are.

use crate::evaluate::samples_fit;
use crate::examples::indices_fit;
use crate::units::Units;
use crate::{Error, SavedModel};
use foveal_data::{Dataset, Targets};
use foveal_nn::Model;
use foveal_nn::layers::Sigmoid;
use foveal_nn::spec::LayerKind;
use std::str::FromStr;

/// Which layers are frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Freeze {
    /// The first so many layers, as a summary lists them.
    First(usize),
    /// The layers of these names.
    Layers(Vec<String>),
    /// All but the last dense layer.
    AllButHead,
}

impl FromStr for Freeze {
    type Err = Error;

    /// A number, `all-but-head`, or names with commas between them.
    fn from_str(text: &str) -> Result<Self, Error> {
        if let Ok(count) = text.trim().parse::<usize>() {
            return match count {
                0 => Err(Error::FreezeText("0 layers would freeze nothing; give a number of at least 1")),
                _ => Ok(Self::First(count)),
            };
        }
        if text.trim() == "all-but-head" {
            return Ok(Self::AllButHead);
        }
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        if names.iter().any(String::is_empty) {
            return Err(Error::FreezeText("a layer's name is empty"));
        }
        Ok(Self::Layers(names))
    }
}

impl Freeze {
    /// The names of the layers of `model` to freeze. For [`Freeze::First`] and [`Freeze::AllButHead`] only layers with
    /// parameters are named.
    ///
    /// # Errors
    /// When the model has not so many layers, no layer of a name, or no head.
    pub fn layers(&self, model: &Model) -> Result<Vec<String>, Error> {
        let nodes = model.nodes();
        let with_params = |nodes: &[foveal_nn::model::Node]| -> Vec<String> {
            nodes.iter().filter(|n| !n.params.is_empty()).map(|n| n.name.clone()).collect()
        };
        match self {
            Self::First(count) if *count > nodes.len() => {
                Err(Error::TooManyFrozen { count: *count, layers: nodes.len() })
            }
            Self::First(count) => Ok(with_params(&nodes[..*count])),
            Self::Layers(names) => {
                // Refuses a name that no layer has.
                model.clone().freeze(names)?;
                Ok(names.clone())
            }
            Self::AllButHead => {
                let head = model.head().ok_or_else(|| no_head(model))?;
                let mut names = with_params(nodes);
                names.retain(|name| *name != nodes[head].name);
                Ok(names)
            }
        }
    }
}

/// The model that training begins with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Transfer {
    /// The model.
    pub model: Model,
    /// The last dense layer, if it is new.
    pub new_head: Option<String>,
}

/// The model that training on the images `train` of `data` begins with. It has all weights of `saved` if the classes
/// are the same, or for a regression the number of values; else its last dense layer is new, with weights drawn with
/// `seed`. The last layer of a regression is rescaled to the units that training uses, unless `frozen` names it.
///
/// # Errors
/// When the data are not of the model's input shape; when a new head is needed and the model does not end in a dense
/// layer; when a layer that is frozen is not there.
///
/// ```
/// use foveal_data::Dataset;
/// use foveal_train::{PictureFit, Preprocess, SavedModel, Training, transfer};
///
/// let known = SavedModel {
///     model: foveal_nn::Sequential::new([1, 1, 1]).flatten().dense(5).build(0)?,
///     preprocess: Preprocess::unit(1, PictureFit::Resize),
///     classes: ["a", "b", "c", "d", "e"].map(String::from).to_vec(),
///     training: Training::default(),
/// };
/// let data = Dataset::from_samples([1, 1, 1], [(vec![0u8], 0), (vec![255], 1)])?;
/// let begun = transfer(&known, &data, &[0, 1], &[], 0)?;
/// assert_eq!((begun.model.outputs(), begun.new_head.as_deref()), (2, Some("dense_1")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn transfer(
    saved: &SavedModel,
    data: &Dataset,
    train: &[u32],
    frozen: &[String],
    seed: u64,
) -> Result<Transfer, Error> {
    samples_fit(&saved.model, data)?;
    indices_fit(data, train)?;
    let (same, outputs) = match data.targets() {
        Targets::Classes { names, .. } => (*names == saved.classes, names.len()),
        Targets::Values { names, .. } => {
            (saved.classes.is_empty() && names.len() == saved.model.outputs(), names.len())
        }
        Targets::Labels { names, .. } => {
            (saved.model.ends_in_sigmoid() && *names == saved.classes, names.len())
        }
    };
    if !same {
        return new_head(&saved.model, (outputs, data.several().is_some()), frozen, seed);
    }
    let mut model = saved.model.clone();
    model.freeze(frozen)?;
    let model = match Units::new(&model, data, train, false, &saved.preprocess.origin) {
        Some(units) => units.adopt(saved.model.clone()),
        None => saved.model.clone(),
    };
    Ok(Transfer { model, new_head: None })
}

/// `model` for pictures of another `size`, height and width, with the same parameters.
///
/// # Errors
/// When a parameter would have another shape: the model does not end in a pooling over the whole picture.
pub fn resized(model: &Model, [height, width]: [usize; 2]) -> Result<Model, Error> {
    let mut spec = model.spec().clone();
    spec.input.shape = [height, width, model.input_shape()[2]];
    let own = |name: &str, shape: &[usize]| {
        let param = model.param(name).ok_or_else(|| format!("there is no `{name}`"))?;
        if param.shape != shape {
            let (own, size) = (&param.shape, format!("{height}x{width}"));
            return Err(format!(
                "`{name}` is {own:?} and would be {shape:?} with pictures of {size}: only a model that ends in a \
                 pooling over the whole picture takes other sizes"
            ));
        }
        Ok(param.values.clone())
    };
    Ok(Model::with_params(&spec, own)?)
}

fn new_head(
    model: &Model,
    (outputs, labels): (usize, bool),
    frozen: &[String],
    seed: u64,
) -> Result<Transfer, Error> {
    let head = model.head().ok_or_else(|| no_head(model))?;
    let mut spec = model.spec().clone();
    if let LayerKind::Dense(dense) = &mut spec.layers[head].kind {
        dense.units = outputs;
    }
    match (labels, model.ends_in_sigmoid()) {
        (true, false) => {
            // Each label has a probability of its own.
            spec.layers.truncate(head + 1);
            spec.layers.push(Sigmoid {}.into());
        }
        (false, true) => spec.layers.truncate(head + 1),
        _ => {}
    }
    let mut fresh = Model::new(&spec, seed)?;
    let name = model.nodes()[head].name.clone();
    if frozen.contains(&name) {
        return Err(Error::NewHeadFrozen { head: name, outputs });
    }
    let own = fresh.nodes()[head].params.clone();
    for (i, param) in fresh.params_mut().iter_mut().enumerate().filter(|(i, _)| !own.contains(i)) {
        param.values.clone_from(&model.params()[i].values);
    }
    Ok(Transfer { model: fresh, new_head: Some(name) })
}

fn no_head(model: &Model) -> Error {
    let last = model.nodes().last().map_or_else(String::new, |n| format!("`{}` ({})", n.name, n.kind.name()));
    Error::NoHead { last }
}
