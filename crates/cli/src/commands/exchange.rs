//! `foveal export`, `foveal import`

use super::model;
use super::pixels;
use crate::args::values::Size;
use crate::args::{Export, Import, Layout, Pixels, Pixelwise};
use crate::files::{self, What};
use crate::onnx_file;
use crate::output::{Context, count};
use crate::paths::Shown;
use anyhow::{Context as _, Result, bail};
use foveal::onnx::{self, ExportOptions, ImportOptions, Imported, Note};
use foveal::train::SavedModel;
use std::path::Path;

/// Writes a trained model as an ONNX file.
pub fn export(args: &Export, context: &Context) -> Result<()> {
    let saved = model::saved(&args.model)?;
    let mut options = ExportOptions::default();
    options.floats = args.input == Pixels::Float;
    options.channels_first = args.layout == Layout::Nchw;
    let bytes = onnx::export_with(&saved, options).with_context(|| args.model.shown())?;
    files::write(&args.output, &bytes)?;
    tell(&args.output, &saved, context)
}

/// Reads an ONNX file as a saved model.
pub fn import(args: &Import, context: &Context) -> Result<()> {
    let mut options = ImportOptions::default();
    options.output.clone_from(&args.graph_output);
    options.input_size = args.input_size.map(|Size(size)| size);
    let Imported { mut saved, notes, .. } = onnx_file::read(&args.input, &options)?;
    for (note, count) in &notes {
        context.note(&said(*note, *count, context));
    }
    if let Some(classes) = args.classes.as_deref().map(named).transpose()? {
        if classes.len() != saved.model.outputs() {
            let (given, outputs) = (classes.len(), saved.model.outputs());
            bail!("--classes names {given} classes, but the model has {outputs} outputs");
        }
        saved.classes = classes;
    } else if args.softmax && saved.classes.is_empty() {
        saved.classes = (0..saved.model.outputs()).map(|i| i.to_string()).collect();
    }
    pixels::prepare(args, &mut saved)?;
    if pixels::raw(&saved) && args.preprocess != Some(Pixelwise::Raw) {
        context.note(context.say(
            "pixels go in raw, 0 to 255: the graph does not scale them; --preprocess imagenet, unit or signed does",
            "그래프에 픽셀 정규화가 없어 0~255 값이 그대로 들어갑니다. --preprocess imagenet, unit, signed로 바꿀 수 있습니다",
        ));
    }
    files::write(&args.output, &saved.to_bytes()?)?;
    tell(&args.output, &saved, context)
}

/// The names that `--classes` gives, or those in the file that it names.
fn named(given: &[String]) -> Result<Vec<String>> {
    let [one] = given else { return Ok(given.to_vec()) };
    let Some(path) = one.strip_prefix('@') else { return Ok(given.to_vec()) };
    let text = files::read_text(Path::new(path), What::Words)?;
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim_end);
    let names: Vec<String> = lines.map(str::to_owned).collect();
    if let Some(empty) = names.iter().position(String::is_empty) {
        bail!("{path}: line {} is empty; write the name of a class on each line", empty + 1);
    }
    Ok(names)
}

/// What became something else on the way.
fn said(note: Note, count: usize, context: &Context) -> String {
    let english = format!("{count} {note}");
    let korean = match note {
        Note::Widened => format!("16비트 실수 상수 {count}개를 32비트로 바꿨습니다"),
        Note::Narrowed => format!("64비트 실수 상수 {count}개를 32비트로 반올림했습니다"),
        _ => english.clone(),
    };
    context.say(&english, &korean).to_owned()
}

fn tell(output: &Path, saved: &SavedModel, context: &Context) -> Result<()> {
    let (layers, shape) = (saved.model.nodes().len(), saved.model.input_shape());
    let parameters: usize = saved.model.params().iter().map(|p| p.values.len()).sum();
    if context.json {
        return context.print_json(&serde_json::json!({
            "output": output.shown(),
            "input_shape": shape,
            "layers": layers,
            "parameters": parameters,
            "outputs": saved.model.outputs(),
            "classes": saved.classes,
        }));
    }
    let (file, numbers, outputs) = (output.shown(), count(parameters as u64), saved.model.outputs());
    let english =
        format!("{file}: input {shape:?}, {layers} layers, {numbers} parameters, {outputs} outputs\n");
    let korean = format!("{file}: 입력 {shape:?}, 층 {layers}개, 파라미터 {numbers}개, 출력 {outputs}개\n");
    context.print(context.say(&english, &korean))
}
