//! `--from` and `--freeze`: training that begins with another model's weights.

use crate::args::Train;
use crate::args::values::Size;
use crate::commands::{model, pixels};
use crate::onnx_file;
use crate::output::Context;
use crate::paths::Shown;
use anyhow::{Context as _, Result, bail};
use foveal::data::text::Tokens;
use foveal::data::{Dataset, Split};
use foveal::nn::Model;
use foveal::onnx::ImportOptions;
use foveal::train::{Recipe, SavedModel, resized, transfer};
use std::fs;
use std::path::Path;

/// The model to begin with: from a saved model, a run folder or an ONNX file.
pub fn saved(path: &Path) -> Result<SavedModel> {
    if path.extension().is_some_and(|e| e == "onnx") && !path.is_dir() {
        return Ok(onnx_file::read(path, &ImportOptions::default())?.saved);
    }
    model::saved(path)
}

/// The model to begin with, at the size that --image-size asks for. Says where pixels go in as they are.
pub fn fitted(args: &Train, from: SavedModel, context: &Context) -> Result<SavedModel> {
    if pixels::raw(&from) {
        context.note(context.say(
            "the model that --from names takes raw pixels, 0 to 255; if it learnt from scaled ones, import it with \
             --preprocess",
            "--from 모델은 0~255 픽셀을 그대로 받습니다. 정규화한 픽셀로 학습한 모델이면 --preprocess를 주어 가져오세요",
        ));
    }
    let Some(Size(size)) = args.reading.image_size.filter(|_| from.model.vocabulary().is_none()) else {
        return Ok(from);
    };
    let model =
        resized(&from.model, size).with_context(|| format!("--image-size {}x{}", size[0], size[1]))?;
    Ok(SavedModel { model, ..from })
}

/// Refuses options by which the data would be read in another way than the model to begin with needs, and a model of
/// texts without a vocabulary.
pub fn refuse_other_reading(args: &Train, from: &SavedModel) -> Result<()> {
    let ([height, width, _], reading) = (from.model.input_shape(), &args.reading);
    if reading.ct.window.is_some() && from.preprocess.window.is_some() {
        bail!("--window: the model that --from names has a window of its own; leave it out");
    }
    if from.model.vocabulary().is_none() {
        return Ok(());
    }
    let Some(own) = &from.preprocess.text else {
        bail!(
            "--from: the model is for texts and has no vocabulary, so that nobody knows which word each row of its \
             embedding stands for; name one that foveal trained or exported"
        );
    };
    let tokens = reading.tokens.map(Tokens::from).filter(|tokens| *tokens != own.tokens());
    if let Some(tokens) = tokens {
        let (given, own) = (tokens.name(), own.tokens().name());
        bail!("--tokens {given}: the model that --from names reads {own}; leave it out");
    }
    if let Some(n) = reading.text_length.filter(|n| usize::from(*n) != height * width) {
        let own = height * width;
        bail!("--text-length {n}: the model that --from names takes {own} tokens; leave it out");
    }
    if let Some(n) = reading.vocabulary {
        bail!("--vocabulary {n}: the model that --from names has a vocabulary of its own; leave it out");
    }
    Ok(())
}

/// The names of the layers that `--freeze` asks for.
pub fn frozen(args: &Train, model: &Model) -> Result<Vec<String>> {
    let Some(freeze) = &args.freeze else { return Ok(Vec::new()) };
    freeze.layers(model).context("--freeze")
}

/// The model before its first step; prints which layer is new, if one is.
pub fn begin(
    from: &SavedModel,
    data: &Dataset,
    split: &Split,
    recipe: &Recipe,
    context: &Context,
) -> Result<Model> {
    let begun = transfer(from, data, &split.train, &recipe.frozen, context.seed)?;
    let outputs = begun.model.outputs();
    let head = match &begun.new_head {
        Some(name) => context.language.pick(
            format!("all weights taken over but `{name}`, which is new: {outputs} outputs"),
            format!("`{name}`만 새로 만들고(출력 {outputs}개) 나머지 가중치는 그대로 가져옴"),
        ),
        None => context.language.pick("all weights taken over".into(), "가중치를 모두 가져옴".into()),
    };
    context.note(&head);
    Ok(begun.model)
}

/// Refuses to write over the model that the run begins with.
pub fn refuse_overwriting(args: &Train) -> Result<()> {
    let (Some(from), Some(out)) = (&args.from, &args.out) else { return Ok(()) };
    let own = |path: &Path| fs::canonicalize(path).ok();
    let from_folder = own(from);
    let from_folder =
        if from.is_dir() { from_folder } else { from_folder.and_then(|p| Some(p.parent()?.into())) };
    let named = from.is_dir() || from.file_name().is_some_and(|n| n == model::SAVED);
    if named && from_folder.is_some() && from_folder == own(out) {
        bail!(
            "--out {}: the model that --from names is there and would be written over; name another folder",
            out.shown()
        );
    }
    Ok(())
}
