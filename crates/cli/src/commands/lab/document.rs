//! The lecture as Markdown, in both languages, with its figures as SVG.

use super::steps::{LectureStep, Show};
use super::words::{self, Words};
use super::{figures, steps};
use crate::array_text;
use crate::files;
use crate::language::Language;
use crate::output::Context;
use crate::paths::Shown;
use anyhow::Result;
use std::path::Path;

/// Writes `lab.md`, `lab.ko.md` and `images/lab/` into `folder`.
pub fn write(folder: &Path, steps: &[LectureStep], context: &Context) -> Result<()> {
    for language in [Language::English, Language::Korean] {
        let context = Context { language, ..context.clone() };
        // The words name values, and these are written in the language, too.
        let told = steps::all(&context)?;
        debug_assert_eq!(told.len(), steps.len());
        let images = language.pick("images/lab", "images/lab/ko");
        files::make_folder(&folder.join(images))?;
        for (name, figure) in figures::all(&told, &context) {
            files::write(&folder.join(images).join(format!("{name}.svg")), figure.to_svg()?.as_bytes())?;
        }
        let name = language.pick("lab.md", "lab.ko.md");
        files::write(&folder.join(name), text(&told, images, &context).as_bytes())?;
    }
    let wrote = context.say("the lecture is in", "강의는 여기에:");
    context.note(&format!("{wrote} {}", folder.shown()));
    Ok(())
}

fn text(steps: &[LectureStep], images: &str, context: &Context) -> String {
    let words = Words::new(context.language);
    let mut text = context
        .language
        .pick(
            "# CNN basics\n\n[한국어](lab.ko.md)\n\nThis is what `foveal lab` tells, made by `cargo run -p \
             foveal-cli -- lab --document docs`. The code is [an example](../crates/foveal/examples/lab.rs): `cargo \
             run -p foveal --example lab`.\n",
            "# CNN 기초\n\n[English](lab.md)\n\n`foveal lab`이 들려주는 내용 그대로이며 `cargo run -p foveal-cli -- \
             lab --document docs`로 만들었습니다. 코드는 [예제](../crates/foveal/examples/lab.rs)로도 실행할 수 \
             있습니다: `cargo run -p foveal --example lab`.\n",
        )
        .to_owned();
    for (i, step) in steps.iter().enumerate() {
        text += &format!("\n## {}. {}\n\n{}\n", i + 1, words.title(step.key), markdown(&words.text(step)));
        if let Some(code) = words::code(step.key) {
            text += &format!("\n```rust\n{}\n```\n", code.trim_end());
        }
        if let Some(code) = words::tensorflow(step.key) {
            let same = context.say("The same in TensorFlow:", "TensorFlow로는:");
            text += &format!("\n{same}\n\n```python\n{code}\n```\n");
        }
        if let Some(array) = &step.array {
            let shape = array_text::shape(array.shape());
            text += &format!("\n{} `{shape}`\n", context.say("Shape", "크기"));
            if step.show == Show::Numbers {
                text += &format!("\n```text\n{}```\n", array_text::maps(array));
            }
        }
        for (name, _) in figures::of(step, context) {
            text += &format!("\n![{}]({images}/{name}.svg)\n", words.title(step.key));
        }
    }
    text
}

/// The text as Markdown: paragraphs that are indented by two blanks are lists or code.
fn markdown(text: &str) -> String {
    let block = |block: &str| {
        let set_in = block.lines().all(|l| l.starts_with("  "));
        let list = block.trim_start().starts_with("1. ");
        match (set_in, list) {
            (true, true) => {
                block.lines().map(|l| format!("{}\n", &l[2..])).collect::<String>().trim_end().to_owned()
            }
            (true, false) => {
                let lines: String = block.lines().map(|l| format!("{}\n", &l[2..])).collect();
                format!("```text\n{lines}```")
            }
            // A `*` between numbers must not become emphasis.
            (false, _) => block.replace(" * ", " \\* "),
        }
    };
    text.split("\n\n").map(block).collect::<Vec<_>>().join("\n\n")
}
