//! `foveal lab`: the lecture "CNN Basics", step by step.

#[cfg(test)]
mod code;
mod document;
mod figures;
mod picture;
mod steps;
mod words;
mod wrap;

use crate::args::Lab;
use crate::array_text;
use crate::files;
use crate::output::{Context, Number, numbers};
use crate::paths::Shown;
use anyhow::{Result, bail};
use serde::Serialize;
use steps::{LectureStep, Show};
use words::Words;
use wrap::{broken, wrapped};

/// Lines longer than this are hard to read, however wide the terminal is.
const WIDEST: usize = 100;

/// Prints the lecture, or writes its figures or its document.
pub fn run(args: &Lab, context: &Context) -> Result<()> {
    let steps = steps::all(context)?;
    let words = Words::new(context.language);
    if let Some(out) = &args.out {
        files::make_folder(out)?;
        for (name, figure) in figures::all(&steps, context) {
            files::write(&out.join(format!("{name}.png")), &figure.to_png()?)?;
        }
        let wrote = context.say("figures are in", "그림은 여기에:");
        context.note(&format!("{wrote} {}", out.shown()));
    }
    if let Some(folder) = &args.document {
        document::write(folder, &steps, context)?;
    }
    if context.json {
        return context.print_json(&json(&steps, &words));
    }
    let mut text = String::new();
    for (i, step) in steps.iter().enumerate() {
        if args.step.is_none_or(|only| usize::from(only) == i + 1) {
            text += &step_text(i + 1, step, &words, context)?;
        }
    }
    if let Some(step) = args.step.filter(|_| text.is_empty()) {
        bail!("--step {step}: the lecture has {} steps; name one from 1 to {}", steps.len(), steps.len());
    }
    context.print_drawn(&text)
}

#[derive(Serialize)]
struct Json {
    steps: Vec<JsonStep>,
}

/// A step of words alone has neither shape nor values.
#[derive(Serialize)]
struct JsonStep {
    title: String,
    shape: Option<Vec<usize>>,
    values: Option<Vec<Number>>,
}

fn json(steps: &[LectureStep], words: &Words) -> Json {
    let step = |step: &LectureStep| JsonStep {
        title: words.title(step.key).to_owned(),
        shape: step.array.as_ref().map(|a| a.shape().to_vec()),
        values: step.array.as_ref().map(numbers),
    };
    Json { steps: steps.iter().map(step).collect() }
}

fn step_text(number: usize, step: &LectureStep, words: &Words, context: &Context) -> Result<String> {
    // A pipe takes lines as they are.
    let columns = context.terminal.then(terminal_size::terminal_size).flatten();
    let columns = columns.map(|(w, _)| usize::from(w.0).min(WIDEST));
    let title = format!("{number}. {}", words.title(step.key));
    let line = "=".repeat(crate::table::width(&title));
    let told = match columns {
        Some(columns) => wrapped(&words.text(step), columns).trim_end().to_owned(),
        None => words.text(step),
    };
    let mut text = format!("{title}\n{line}\n\n{told}\n");
    if let Some(code) = words::code(step.key) {
        let mut lines = String::new();
        let columns = columns.unwrap_or(usize::MAX);
        code.lines().for_each(|l| broken(&format!("    {l}"), columns, &mut lines));
        text += &format!("\n{}\n", lines.trim_end());
    }
    if let Some(array) = &step.array {
        text += &format!("\n{} {}\n", context.say("shape", "크기"), array_text::shape(array.shape()));
        text += &match (step.show, context.terminal) {
            (Show::Numbers, _) => array_text::maps(array),
            (Show::Picture, _) if context.graphics.any() => String::new(),
            (Show::Picture, true) => picture::maps(array),
            (Show::Picture, false) if array.shape()[3] == 1 => {
                array_text::whole(array_text::map(array.view(), 0, 0))
            }
            (Show::Picture, false) => array_text::edges(array),
        };
    }
    if context.graphics.any() {
        for (_, figure) in figures::of(step, context) {
            text += &format!("\n{}", context.graphics.show(&figure.draw()?)?);
        }
    }
    Ok(text + "\n")
}
