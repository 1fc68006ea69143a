use crate::{Error, Preprocess, Recipe};
use foveal_nn::{Model, ModelSpec};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The metadata key under which a model file holds everything but the numbers.
const KEY: &str = "foveal";

/// The version of what stands under that key.
const VERSION: u32 = 1;

/// A trained model as one `.safetensors` file: the parameters under their names, and in the metadata the spec, the
/// preprocessing, the class names and how it was trained. The same run gives the same bytes.
#[derive(Clone, Debug)]
pub struct SavedModel {
    /// The model.
    pub model: Model,
    /// What happens to raw samples.
    pub preprocess: Preprocess,
    /// The classes' names, in the outputs' order; none for a regression.
    pub classes: Vec<String>,
    /// How it was trained.
    pub training: Training,
}

/// How a model was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// The name of the model's spec.
    pub model: String,
    /// The data set.
    pub dataset: String,
    /// The recipe.
    pub recipe: Recipe,
    /// Epochs done.
    pub epochs: usize,
    /// Accuracy on the validation images.
    pub validation_accuracy: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct Metadata {
    version: u32,
    spec: ModelSpec,
    preprocess: Preprocess,
    classes: Vec<String>,
    training: Training,
}

impl SavedModel {
    /// All but the numbers, as it stands in the model file: a JSON object with the spec, the preprocessing, the
    /// class names and how it was trained.
    ///
    /// # Errors
    /// When a number of the recipe cannot be written as JSON.
    pub fn metadata(&self) -> Result<String, Error> {
        let metadata = Metadata {
            version: VERSION,
            spec: self.model.spec().clone(),
            preprocess: self.preprocess.clone(),
            classes: self.classes.clone(),
            training: self.training.clone(),
        };
        let fail = |e: serde_json::Error| Error::File { file: "model".into(), problem: e.to_string() };
        serde_json::to_string(&metadata).map_err(fail)
    }

    /// The model file's bytes.
    ///
    /// # Errors
    /// When the numbers cannot be written as safetensors.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let fail = |problem: String| Error::File { file: "model".into(), problem };
        let text = self.metadata()?;
        let bytes: Vec<Vec<u8>> = self
            .model
            .params()
            .iter()
            .map(|p| p.values.iter().flat_map(|v| v.to_le_bytes()).collect())
            .collect();
        let mut tensors = Vec::new();
        for (p, bytes) in self.model.params().iter().zip(&bytes) {
            let view =
                TensorView::new(Dtype::F32, p.shape.clone(), bytes).map_err(|e| fail(e.to_string()))?;
            tensors.push((p.name.clone(), view));
        }
        let metadata = HashMap::from([(KEY.to_owned(), text)]);
        safetensors::serialize(tensors, Some(metadata)).map_err(|e| fail(e.to_string()))
    }

    /// Reads a model file; `file` names it in errors.
    ///
    /// # Errors
    /// When the bytes are not a safetensors file, not foveal's, or do not hold the spec's parameters.
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, Error> {
        let fail = |problem: String| Error::File { file: file.into(), problem };
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|e| fail(format!("this is not a whole .safetensors file ({e})")))?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| fail(e.to_string()))?;
        let text = header.metadata().as_ref().and_then(|m| m.get(KEY));
        if header.metadata().as_ref().is_some_and(|m| m.contains_key(crate::checkpoint::KEY)) {
            return Err(fail("this is a checkpoint, to go on training from; name the trained model".into()));
        }
        let text =
            text.ok_or_else(|| fail(format!("its metadata have no `{KEY}`: foveal did not write it")))?;
        let metadata: Metadata =
            serde_json::from_str(text).map_err(|e| fail(format!("its metadata cannot be read: {e}")))?;
        if metadata.version != VERSION {
            return Err(fail(format!("it is of version {}, this foveal reads {VERSION}", metadata.version)));
        }
        // Memory is taken for a parameter only once the file is seen to hold it.
        let model = Model::with_params(&metadata.spec, |name, shape| {
            let tensor = tensors.tensor(name).map_err(|_| format!("`{name}` is missing from {file}"))?;
            if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
                let (got, dtype) = (tensor.shape(), tensor.dtype());
                return Err(format!(
                    "`{name}` in {file} is {dtype:?} {got:?}, the model needs F32 {shape:?}"
                ));
            }
            Ok(tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
        })?;
        let channels = model.input_shape()[2];
        let p = &metadata.preprocess;
        if p.scale.len() != channels || p.shift.len() != channels {
            return Err(fail(format!("its preprocessing is not for {channels} channel(s)")));
        }
        if p.window.is_some() && p.window().is_none() {
            return Err(fail("its preprocessing has a window that is none".into()));
        }
        if let Some(vocabulary) = &p.text {
            let rows = model.vocabulary().unwrap_or(0);
            if rows < vocabulary.size() {
                let tokens = vocabulary.size();
                return Err(fail(format!("its vocabulary has {tokens} numbers, its embedding {rows} rows")));
            }
            if p.scale != [1.0] || p.shift != [0.0] {
                return Err(fail("it scales the numbers of tokens".into()));
            }
        }
        if !metadata.classes.is_empty() && metadata.classes.len() != model.outputs() {
            let (c, o) = (metadata.classes.len(), model.outputs());
            return Err(fail(format!("it names {c} classes but has {o} outputs")));
        }
        Ok(Self {
            model,
            preprocess: metadata.preprocess,
            classes: metadata.classes,
            training: metadata.training,
        })
    }
}
