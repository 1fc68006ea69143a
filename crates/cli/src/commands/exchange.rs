//! `foveal export`, `foveal import`

use super::model;
use crate::args::{Export, Import};
use crate::files;
use crate::output::{Context, count};
use anyhow::{Context as _, Result, bail};
use foveal::onnx;
use foveal::train::SavedModel;
use std::path::Path;

/// Writes a trained model as an ONNX file.
pub fn export(args: &Export, context: &Context) -> Result<()> {
    let saved = model::saved(&args.model)?;
    let bytes = onnx::export(&saved).with_context(|| args.model.display().to_string())?;
    files::write(&args.output, &bytes)?;
    tell(&args.output, &saved, context)
}

/// Reads an ONNX file as a saved model.
pub fn import(args: &Import, context: &Context) -> Result<()> {
    let bytes = files::read(&args.input)?;
    let name = args.input.file_stem().unwrap_or_default().to_string_lossy();
    let mut saved = onnx::import(&bytes, &name).with_context(|| args.input.display().to_string())?;
    if let Some(classes) = &args.classes {
        if classes.len() != saved.model.outputs() {
            let (given, outputs) = (classes.len(), saved.model.outputs());
            bail!("--classes names {given} classes, but the model has {outputs} outputs");
        }
        saved.classes.clone_from(classes);
    }
    files::write(&args.output, &saved.to_bytes()?)?;
    tell(&args.output, &saved, context)
}

fn tell(output: &Path, saved: &SavedModel, context: &Context) -> Result<()> {
    let (layers, shape) = (saved.model.nodes().len(), saved.model.input_shape());
    let parameters: usize = saved.model.params().iter().map(|p| p.values.len()).sum();
    if context.json {
        return context.print_json(&serde_json::json!({
            "output": output.display().to_string(),
            "input_shape": shape,
            "layers": layers,
            "parameters": parameters,
            "outputs": saved.model.outputs(),
            "classes": saved.classes,
        }));
    }
    let (file, numbers, outputs) = (output.display(), count(parameters as u64), saved.model.outputs());
    let english =
        format!("{file}: input {shape:?}, {layers} layers, {numbers} parameters, {outputs} outputs\n");
    let korean = format!("{file}: 입력 {shape:?}, 층 {layers}개, 매개변수 {numbers}개, 출력 {outputs}개\n");
    context.print(context.say(&english, &korean))
}
