use crate::{Error, Preprocess, Recipe};
use foveal_infer::Predictor;
use foveal_nn::{Model, ModelSpec};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;

/// The metadata key under which a model file holds everything but the parameters.
const KEY: &str = "foveal";

/// The version of the metadata.
const VERSION: u32 = 1;

/// A trained model as one `.safetensors` file: the parameters under their names, and in the metadata the spec, the
/// preprocessing, the class names and how it was trained. The same run gives the same bytes.
#[derive(Clone, Debug)]
pub struct SavedModel {
    /// The model.
    pub model: Model,
    /// What happens to raw samples.
    pub preprocess: Preprocess,
    /// The names of the classes, in the order of the outputs; empty for a regression.
    pub classes: Vec<String>,
    /// How it was trained.
    pub training: Training,
}

/// How a model was trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// The epoch that the weights are of, where the best one was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<usize>,
    /// The temperature by which the logits were divided after the training, where one was fitted: see
    /// [`crate::Temperature`]. The weights hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// For several labels a sample: the probability from which a sample has each label. Empty for one class a sample and
    /// for values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<f32>,
    /// How validation and test were drawn, where the data set does not say itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division: Option<Division>,
}

/// How samples were drawn for validation and for the test, so that the same test can be found again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Division {
    /// What was kept together: `patient`, `folder`, `prefix` or a column; with none, samples were drawn one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The shares of validation and test.
    pub held: [f64; 2],
    /// The seed of the draw.
    pub seed: u64,
    /// How many samples were divided.
    pub samples: usize,
    /// A checksum of their targets and of what was kept together, in order.
    pub check: u32,
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
    /// What answers questions about samples, compiled once: probabilities of a classifier, values of a regression. So
    /// many threads work on one question.
    ///
    /// # Errors
    /// When the model's output is not flat or the preprocessing does not fit it. Values of any magnitude
    /// ([`Preprocess::origin`]) are asked for by [`Predictor::values`].
    ///
    /// ```
    /// use foveal_data::Dataset;
    /// use foveal_nn::Sequential;
    /// use foveal_train::{Fit, Recipe};
    ///
    /// let data = Dataset::from_samples([1, 1, 1], (0..20u8).map(|i| (vec![12 * i], u32::from(i > 9))))?;
    /// let model = Sequential::new([1, 1, 1]).flatten().dense(2).build(0)?;
    /// let saved = Fit::new(&model, &data).recipe(Recipe { epochs: 1, ..Recipe::default() }).run()?.saved;
    /// let predictor = saved.predictor(1)?;
    /// assert_eq!(predictor.predict(&[200u8][..])?.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn predictor(&self, threads: usize) -> Result<Predictor, Error> {
        let Preprocess { scale, shift, origin, .. } = &self.preprocess;
        let builder =
            Predictor::builder(&self.model).scaled(scale.clone(), shift.clone()).origin(origin.clone());
        Ok(builder.classes(self.classes.iter().cloned()).threads(threads).build()?)
    }

    /// Whether a sample may have several of the classes, which are labels then, each with a probability of its own.
    pub fn is_multi_label(&self) -> bool {
        !self.training.thresholds.is_empty()
    }

    /// The labels that a sample of these probabilities has, as indices into the classes.
    ///
    /// # Panics
    /// When the model has no thresholds: see [`SavedModel::is_multi_label`].
    pub fn labels_of(&self, probabilities: &[f32]) -> Vec<usize> {
        let thresholds = &self.training.thresholds;
        (0..probabilities.len()).filter(|&c| probabilities[c] >= thresholds[c]).collect()
    }

    /// The metadata of the model file: everything but the parameters, as a JSON object.
    ///
    /// # Errors
    /// When a number of the recipe cannot be written as JSON, and for a layer of the program's own.
    pub fn metadata(&self) -> Result<String, Error> {
        self.model.spec().check_saved()?;
        let metadata = Metadata {
            version: VERSION,
            spec: self.model.spec().clone(),
            preprocess: self.preprocess.clone(),
            classes: self.classes.clone(),
            training: self.training.clone(),
        };
        let fail = |e: serde_json::Error| Error::Unwritable { what: "model", problem: e.to_string() };
        serde_json::to_string(&metadata).map_err(fail)
    }

    /// The model file's bytes.
    ///
    /// # Errors
    /// When the numbers cannot be written as safetensors.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let fail = |problem: String| Error::Unwritable { what: "model", problem };
        let text = self.metadata()?;
        let bytes: Vec<Cow<'_, [u8]>> =
            self.model.params().iter().map(|p| little_endian(&p.values)).collect();
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
    ///
    /// ```
    /// use foveal_train::{PictureFit, Preprocess, SavedModel, Training};
    ///
    /// let model = foveal_nn::Sequential::new([2, 2, 1]).flatten().dense(1).build(0)?;
    /// let preprocess = Preprocess::unit(1, PictureFit::Resize);
    /// let saved = SavedModel { model, preprocess, classes: vec![], training: Training::default() };
    /// let bytes = saved.to_bytes()?;
    /// assert_eq!(SavedModel::from_bytes(&bytes, "model")?.to_bytes()?, bytes);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, Error> {
        let not_whole = |e: SafeTensorError| Error::NotWhole {
            file: file.into(),
            format: ".safetensors file",
            problem: e.to_string(),
        };
        let tensors = SafeTensors::deserialize(bytes).map_err(not_whole)?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(not_whole)?;
        let metadata = Metadata::read(header.metadata().as_ref(), file)?;
        // Memory for a parameter is taken only after it was found in the file.
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
        metadata.check(&model).map_err(|problem| Error::Inconsistent { file: file.into(), problem })?;
        Ok(Self {
            model,
            preprocess: metadata.preprocess,
            classes: metadata.classes,
            training: metadata.training,
        })
    }
}

impl Metadata {
    /// Reads the metadata of a `.safetensors` file.
    fn read(texts: Option<&HashMap<String, String>>, file: &str) -> Result<Self, Error> {
        let foreign = |problem: String| Error::Foreign { file: file.into(), problem };
        if texts.is_some_and(|texts| texts.contains_key(crate::checkpoint::KEY)) {
            let problem = "this is a checkpoint, to go on training from; name the trained model";
            return Err(foreign(problem.into()));
        }
        let text = texts.and_then(|texts| texts.get(KEY));
        let text =
            text.ok_or_else(|| foreign(format!("its metadata have no `{KEY}`: foveal did not write it")))?;
        let metadata: Self = serde_json::from_str(text)
            .map_err(|e| Error::Metadata { file: file.into(), problem: e.to_string() })?;
        if metadata.version != VERSION {
            let found = metadata.version;
            return Err(Error::Version { file: file.into(), found, known: VERSION });
        }
        Ok(metadata)
    }

    /// Checks that preprocessing and classes fit the model; the error says what does not.
    fn check(&self, model: &Model) -> Result<(), String> {
        let channels = model.input_shape()[2];
        let p = &self.preprocess;
        if p.scale.len() != channels || p.shift.len() != channels {
            return Err(format!("its preprocessing is not for {channels} channel(s)"));
        }
        if p.window.is_some() && p.window().is_none() {
            return Err("the window of its preprocessing is not a window".into());
        }
        if let Some(vocabulary) = &p.text {
            let rows = model.vocabulary().unwrap_or(0);
            if rows < vocabulary.size() {
                let tokens = vocabulary.size();
                return Err(format!("its vocabulary has {tokens} numbers, its embedding {rows} rows"));
            }
            if p.scale != [1.0] || p.shift != [0.0] {
                return Err("it scales the numbers of tokens".into());
            }
        }
        if !p.origin.is_empty() && (p.origin.len() != model.outputs() || !self.classes.is_empty()) {
            return Err(format!(
                "what is added to its {} values has {} numbers",
                model.outputs(),
                p.origin.len()
            ));
        }
        if p.origin.iter().any(|v| !v.is_finite()) {
            return Err("what is added to its values is no number".into());
        }
        let thresholds = &self.training.thresholds;
        if !thresholds.is_empty() && (thresholds.len() != self.classes.len() || !model.ends_in_sigmoid()) {
            return Err("its thresholds are not one for each label of a model that ends in a sigmoid".into());
        }
        if !self.classes.is_empty() && self.classes.len() != model.outputs() {
            let (c, o) = (self.classes.len(), model.outputs());
            return Err(format!("it names {c} classes but has {o} outputs"));
        }
        Ok(())
    }
}

/// The bytes of numbers as model files hold them: the numbers' own memory where the CPU has the same order.
fn little_endian(values: &[f32]) -> Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        return Cow::Borrowed(bytemuck::cast_slice(values));
    }
    Cow::Owned(values.iter().flat_map(|v| v.to_le_bytes()).collect())
}
