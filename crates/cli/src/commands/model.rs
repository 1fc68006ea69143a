//! MODEL on the command line: a built-in model's name, a model file, a saved model or a run folder.

use crate::files::{self, What};
use crate::paths::Shown;
use crate::{built_in, pretrained};
use anyhow::{Context as _, Result, bail};
use foveal::data::Dataset;
use foveal::nn::{Model, ModelSpec, builtin};
use foveal::train::{SavedModel, combine};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The name of the model in a run folder.
pub const SAVED: &str = "model.safetensors";

/// Some built-in models are scaled to the data; where there are no data, to these shapes and sizes.
const SHAPE: [usize; 3] = [32, 32, 3];
const OUTPUTS: usize = 10;
const TEXT_SHAPE: [usize; 3] = [1, 64, 1];
const VOCABULARY: usize = 20_000;

/// The untrained model called `name`: a built-in one, or a model file.
pub fn spec(name: &str) -> Result<ModelSpec> {
    if let Some(spec) = builtin::spec(name) {
        return Ok(spec);
    }
    if name == builtin::TEXT.name {
        return Ok(builtin::text_cnn(TEXT_SHAPE, VOCABULARY, 2));
    }
    if pretrained::is_named(name) {
        return Ok(pretrained::imagenet([pretrained::SIZE; 2])?.model.spec().clone());
    }
    if let Some(spec) = builtin::fitted(name, SHAPE, OUTPUTS) {
        return Ok(spec);
    }
    let path = Path::new(name);
    if !path.exists() && path.extension().is_none() {
        let names: Vec<&str> = builtin::ALL
            .iter()
            .chain(&builtin::SCALED)
            .chain([&builtin::TEXT, &builtin::PRETRAINED])
            .map(|b| b.name)
            .collect();
        bail!(
            "no built-in model is called `{name}` and there is no such file; built in are {}",
            names.join(", ")
        );
    }
    let text = files::read_text(path, What::ModelFile)?;
    // The configuration of a run holds its model.
    let own = text.parse::<toml::Table>().ok().and_then(|mut table| table.remove("spec"));
    let text = own.map_or(Ok(text), |spec| toml::to_string(&spec).with_context(|| name.to_owned()))?;
    ModelSpec::from_toml(&text).with_context(|| name.to_owned())
}

/// The untrained model called `name`, scaled to samples of `shape` and `outputs` classes or values.
pub fn fitted(name: &str, shape: [usize; 3], outputs: usize) -> Result<ModelSpec> {
    builtin::fitted(name, shape, outputs).map_or_else(|| spec(name), Ok)
}

/// What a name stands for.
pub enum Named {
    /// A model that has learnt.
    Trained(Model),
    /// One that has not.
    Untrained(ModelSpec),
}

/// The model called `name`, trained or not; the parameters of an untrained one are drawn with `seed`. `shape` is the
/// shape of the samples, for built-in models that are scaled to them.
pub fn any(name: &str, shape: Option<[usize; 3]>, seed: u64) -> Result<Model> {
    match named(name, shape)? {
        Named::Trained(model) => Ok(model),
        Named::Untrained(spec) => Model::new(&spec, seed).with_context(|| name.to_owned()),
    }
}

/// As [`any`], before parameters are drawn.
pub fn named(name: &str, shape: Option<[usize; 3]>) -> Result<Named> {
    let path = Path::new(name);
    if let Some(shape) = shape {
        if !builtin::is_scaled(name) {
            let names = builtin::SCALED.map(|b| b.name).join(", ");
            bail!("`{name}` has a shape of its own; --shape is for the built-in models {names}");
        }
        return Ok(Named::Untrained(fitted(name, shape, OUTPUTS)?));
    }
    if is_pretrained(path) {
        return Ok(Named::Trained(pretrained::imagenet([pretrained::SIZE; 2])?.model));
    }
    // The name of a built-in model means that model, even if a folder is called the same.
    let built_in = builtin::spec(name).is_some() || builtin::is_scaled(name);
    if !built_in && path.is_dir() || path.extension().is_some_and(|e| e == "safetensors") {
        return Ok(Named::Trained(saved(path)?.model));
    }
    Ok(Named::Untrained(spec(name)?))
}

/// The file that says how many members an ensemble's run folder has.
pub const ENSEMBLE: &str = "ensemble.json";

/// What [`ENSEMBLE`] holds.
#[derive(Serialize, Deserialize)]
pub struct Ensemble {
    /// Members, each in a folder of its own.
    pub members: u8,
}

/// The run folder of member `k`, from 1, of the ensemble in `folder`.
pub fn member(folder: &Path, k: u8) -> PathBuf {
    folder.join(format!("member-{k}"))
}

/// The members of the ensemble that `path` names, or the one trained model.
pub fn members(path: &Path) -> Result<Vec<SavedModel>> {
    let file = path.join(ENSEMBLE);
    if !file.exists() {
        return Ok(vec![saved(path)?]);
    }
    let text = files::read_text(&file, What::Words)?;
    let ensemble: Ensemble = serde_json::from_str(&text)
        .with_context(|| format!("{}: this does not describe an ensemble", file.shown()))?;
    let all = (1..=ensemble.members).map(|k| saved(&member(path, k))).collect::<Result<Vec<_>>>()?;
    let Some(first) = all.first() else { bail!("{}: an ensemble without members", file.shown()) };
    let fits = |m: &SavedModel| {
        m.classes == first.classes
            && m.model.input_shape() == first.model.input_shape()
            && m.model.outputs() == first.model.outputs()
    };
    match (1..).zip(&all).find(|(_, m)| !fits(m)) {
        Some((k, _)) => bail!(
            "{}: it has other classes or shapes than the ensemble's first member",
            member(path, k).shown()
        ),
        None => Ok(all),
    }
}

/// The outputs of the members together, one row for each sample.
pub fn outputs(members: &[SavedModel], data: &Dataset, threads: usize) -> Result<Vec<f32>> {
    let first = &members[0];
    let all = members
        .iter()
        .map(|m| Ok(foveal::train::predict(&m.model, &m.preprocess, data, None, threads)?))
        .collect::<Result<Vec<_>>>()?;
    Ok(match &all[..] {
        [one] => one.clone(),
        _ => combine(&first.model, &all, !first.classes.is_empty()),
    })
}

/// Whether `path` means the trained network that the program brings: nothing on the disk is called so.
fn is_pretrained(path: &Path) -> bool {
    !path.exists() && path.to_str().is_some_and(pretrained::is_named)
}

/// A trained model, from its file or its run folder, or the one that the program brings.
pub fn saved(path: &Path) -> Result<SavedModel> {
    if is_pretrained(path) {
        return pretrained::imagenet([pretrained::SIZE; 2]);
    }
    if !path.exists() && path.to_str().is_some_and(|n| builtin::spec(n).is_some() || builtin::is_scaled(n)) {
        bail!(
            "{} is a built-in model that has not been trained; train it and name its run folder",
            path.shown()
        );
    }
    let ensemble = path.join(ENSEMBLE);
    if path.is_dir() && ensemble.exists() {
        bail!(
            "{} is an ensemble, and this takes one model: name one of its members, such as {}",
            path.shown(),
            member(path, 1).shown()
        );
    }
    let file = if path.is_dir() { path.join(SAVED) } else { PathBuf::from(path) };
    let saved = SavedModel::from_bytes(&files::read(&file, What::Model)?, &file.shown())?;
    if !cfg!(feature = "text") && saved.preprocess.text.is_some() {
        return Err(built_in::lacking(&format!("{}: a model of texts", file.shown()), "text"));
    }
    Ok(saved)
}
