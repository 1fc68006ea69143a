//! Model files of foveal: what of them is needed to predict.

use crate::Error;
use crate::file::File;
use crate::predictor::Predictor;
use foveal_nn::{Model, ModelSpec};
use serde::Deserialize;

/// The metadata key under which a model file holds everything but the parameters.
const KEY: &str = "foveal";

/// The version of the metadata.
const VERSION: u32 = 1;

/// What of the metadata is needed here; `foveal_train::SavedModel` has the whole.
#[derive(Deserialize)]
struct Metadata {
    version: u32,
    spec: ModelSpec,
    preprocess: Preprocess,
    classes: Vec<String>,
}

#[derive(Deserialize)]
struct Preprocess {
    scale: Vec<f32>,
    shift: Vec<f32>,
    /// What is added to values; nothing where it is empty.
    #[serde(default)]
    origin: Vec<f64>,
}

impl Predictor {
    /// A predictor of a model file that foveal wrote (`model.safetensors`): its model, its scaling of raw numbers, its
    /// classes. `file` names it in errors. One thread works on a question.
    ///
    /// # Errors
    /// When the bytes are not a whole model file of foveal's, saying what is wrong.
    ///
    /// ```no_run
    /// let bytes = std::fs::read("run/model.safetensors")?;
    /// let predictor = foveal_infer::Predictor::from_bytes(&bytes, "run/model.safetensors")?;
    /// let answer = predictor.classify(&[0u8; 784][..])?;
    /// println!("{} with {:.0} %", answer.class, 100.0 * answer.probability);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, Error> {
        let opened = File::new(bytes, file)?;
        let foreign = |problem: String| Error::Foreign { file: file.into(), problem };
        let text = opened.text(KEY);
        let text = text
            .ok_or_else(|| foreign(format!("its metadata have no `{KEY}`: this is no model of foveal's")))?;
        let read = serde_json::from_str(text);
        let metadata: Metadata = read.map_err(|e| foreign(format!("its metadata cannot be read: {e}")))?;
        if metadata.version != VERSION {
            return Err(Error::Version { file: file.into(), found: metadata.version, known: VERSION });
        }
        let Metadata { spec, preprocess, classes, .. } = metadata;
        let model = Model::with_params(&spec, |name, shape| opened.tensor(name, shape))?;
        let channels = model.input_shape()[2];
        if preprocess.scale.len() != channels || preprocess.shift.len() != channels {
            let problem = format!("its preprocessing is not for {channels} channel(s)");
            return Err(Error::Inconsistent { file: file.into(), problem });
        }
        if !classes.is_empty() && classes.len() != model.outputs() {
            let problem = format!("it names {} classes but has {} outputs", classes.len(), model.outputs());
            return Err(Error::Inconsistent { file: file.into(), problem });
        }
        let Preprocess { scale, shift, origin } = preprocess;
        if !origin.is_empty() && origin.len() != model.outputs() {
            let problem = format!("it adds {} numbers to {} outputs", origin.len(), model.outputs());
            return Err(Error::Inconsistent { file: file.into(), problem });
        }
        Self::builder(&model).scaled(scale, shift).origin(origin).classes(classes).build()
    }
}
