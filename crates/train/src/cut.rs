//! A model in two: a body whose outputs are computed once, and a tail that is trained on them.

use crate::evaluate::samples_fit;
use crate::examples::outputs;
use crate::{Error, Preprocess};
use foveal_data::{Dataset, Samples};
use foveal_nn::engine::Engine;
use foveal_nn::layers::Flatten;
use foveal_nn::spec::{InputSpec, LayerSpec};
use foveal_nn::{Model, ModelSpec};

/// After so many pictures, which go through the body together, it is told how far it is.
const TOLD: usize = 64;

/// A model in two.
#[derive(Clone, Debug)]
pub struct Cut {
    /// From the input to the layer that the model was cut after; its output is one row of numbers.
    pub body: Model,
    /// From there to the end. Its input has that layer's shape.
    pub tail: Model,
}

impl Cut {
    /// Cuts `model` after the layer `after`.
    ///
    /// # Errors
    /// When there is no such layer, when it is the last, and when a layer after it reads one before it.
    pub fn new(model: &Model, after: &str) -> Result<Self, Error> {
        let nodes = model.nodes();
        let at = nodes.iter().position(|n| n.name == after).filter(|at| at + 1 < nodes.len());
        let at = at.ok_or_else(|| Error::NoCut { layer: after.to_owned() })?;
        // Layers keep their names, also those that are only counted.
        let named = |i: usize| {
            let mut layer = model.spec().layers[i].clone();
            layer.name = Some(nodes[i].name.clone());
            layer.inputs.iter_mut().filter(|name| *name == after).for_each(|name| *name = "input".into());
            layer
        };
        let mut body: Vec<LayerSpec> = (0..=at).map(|i| model.spec().layers[i].clone()).collect();
        body.iter_mut().zip(nodes).for_each(|(layer, node)| layer.name = Some(node.name.clone()));
        let shape = nodes[at].shape;
        if shape[..2] != [1, 1] {
            body.push(LayerSpec { name: Some("features".into()), ..Flatten {}.into() });
        }
        let tail = (at + 1..nodes.len()).map(named).collect();
        Ok(Self {
            body: part(model, InputSpec { shape: model.input_shape() }, body)?,
            tail: part(model, InputSpec { shape }, tail)?,
        })
    }

    /// The outputs of the body for all samples of `data`, as a data set with the same targets. `tell` hears how many
    /// samples are done and says whether to go on; `None` if it was not to.
    ///
    /// The same samples give the same bits with any number of threads.
    ///
    /// # Errors
    /// When the samples do not have the model's input shape, and when a stored one cannot be read any more.
    pub fn features(
        &self,
        preprocess: &Preprocess,
        data: &Dataset,
        threads: usize,
        tell: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<Dataset>, Error> {
        samples_fit(&self.body, data)?;
        let mut engine = Engine::new(&self.body, preprocess.predicting(TOLD, threads))?;
        let mut all = Vec::with_capacity(data.len() * self.body.outputs());
        for first in (0..data.len()).step_by(TOLD) {
            let count = TOLD.min(data.len() - first);
            all.extend(outputs(&mut engine, data, count, |i| first + i));
            if let Some(fault) = data.fault() {
                return Err(fault.into());
            }
            if !tell(first + count) {
                return Ok(None);
            }
        }
        let targets = data.targets().clone();
        Ok(Some(Dataset::new(data.name(), self.tail.input_shape(), Samples::F32(all), targets)?))
    }

    /// `model`, from which it was cut, with the parameters of `tail`.
    pub fn joined(mut model: Model, tail: &Model) -> Model {
        for param in model.params_mut() {
            if let Some(learnt) = tail.param(&param.name) {
                param.values.clone_from(&learnt.values);
            }
        }
        model
    }
}

/// Some layers of `model` as a model, with its parameters.
fn part(model: &Model, input: InputSpec, layers: Vec<LayerSpec>) -> Result<Model, Error> {
    let spec = ModelSpec { input, layers };
    let given = |name: &str, _: &[usize]| {
        model.param(name).map(|p| p.values.clone()).ok_or_else(|| format!("there is no `{name}`"))
    };
    Ok(Model::with_params(&spec, given)?)
}
