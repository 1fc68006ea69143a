//! `foveal show`

use super::{bars, input, model};
use crate::args::Show;
use crate::array_text::{self, number, shape};
use crate::files;
use crate::output::{Context, Number, numbers};
use crate::paths::Shown;
use crate::table::{Side, table};
use anyhow::{Result, bail};
use foveal::train::SavedModel;
use foveal::view::show::Scene;
use foveal::view::words::words;
use foveal::view::{Drawing, clean, short};
use ndarray::Axis;
use serde_json::json;
use std::path::Path;

/// Half blocks show so many maps of a layer, unless the layer is asked for by name.
const FEW: usize = 16;

/// Shows what a model makes of one input.
pub fn run(args: &Show, context: &Context) -> Result<()> {
    let kind = args.output.as_deref().map(|path| Kind::of(path, &[Kind::Png, Kind::Svg, Kind::Html]));
    let kind = kind.transpose()?;
    let saved = model::saved(&args.model)?;
    if saved.preprocess.text.is_some() && kind.is_none() && args.layer.is_none() && !context.json {
        return read(&args.input, &saved, context);
    }
    let (name, sample) = input::one(&args.input, &saved, context.threads)?;
    // Inside another program the file is one that nobody knows.
    let stem = Path::new(&name).file_stem().filter(|_| context.embedded.is_some());
    let name = stem.map_or(name.clone(), |stem| stem.to_string_lossy().into_owned());
    let scene = Scene::new(&saved, sample.view(), &name, args.layer.as_deref())?;
    let language = context.language.into();
    if let (Some(path), Some(kind)) = (&args.output, kind) {
        let bytes = match kind {
            Kind::Html => scene.to_html(language)?.into_bytes(),
            kind => kind.bytes(&scene.draw(language)?, &format!("{}: {}", scene.model, scene.name))?,
        };
        files::write(path, &bytes)?;
        context.note(&format!("{} {}", context.say("wrote", "저장:"), path.shown()));
    }
    if context.json {
        return context.print_json(&json(&scene));
    }
    if args.output.is_some() {
        return Ok(());
    }
    context.print_drawn(&text(&scene, args.layer.is_some(), context)?)
}

/// Shows a text token by token: how much each token counts for the answer.
fn read(input: &str, saved: &SavedModel, context: &Context) -> Result<()> {
    let mut texts = input::texts(input)?;
    if texts.len() != 1 {
        bail!("{input}: holds {} texts; give one", texts.len());
    }
    let (name, text) = texts.remove(0);
    let sample = input::of_text(&text, saved)?;
    let scene = Scene::new(saved, sample.view(), &name, None)?;
    let (class, words) = words(saved, &text, None)?;
    let class = saved.classes.get(class).map_or(class.to_string(), |name| short(name));
    let about = context.language.pick(
        format!("Above 0 a token speaks for {class}, below 0 against it (gradient times embedding)."),
        format!("0보다 크면 {class}라는 답을 뒷받침하고 작으면 그 반대입니다(기울기 × 임베딩)."),
    );
    let columns = [
        (context.say("token", "토큰"), Side::Left),
        (context.say("counts", "기여"), Side::Right),
        (context.say("known", "어휘에 있음"), Side::Left),
    ];
    let known = |known: bool| if known { "" } else { context.say("no", "없음") };
    let rows: Vec<Vec<String>> = words
        .iter()
        .map(|w| vec![w.token.clone(), format!("{:+.3}", w.counts), known(w.known).into()])
        .collect();
    context.print(&format!("{}\n\n{about}\n\n{}", answer(&scene), table(&columns, &rows)))
}

/// The kind of file to write, told by its name.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    /// Pixels.
    Png,
    /// Shapes.
    Svg,
    /// A page.
    Html,
}

impl Kind {
    /// The kind that the name of `path` ends with, if it is one of `known`.
    pub fn of(path: &Path, known: &[Kind]) -> Result<Kind> {
        let end = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let found = known.iter().find(|k| k.end() == end);
        let ends: Vec<String> = known.iter().map(|k| format!(".{}", k.end())).collect();
        match found {
            Some(kind) => Ok(*kind),
            None => bail!("{}: the name must end with {}", path.shown(), ends.join(" or ")),
        }
    }

    fn end(self) -> &'static str {
        match self {
            Kind::Png => "png",
            Kind::Svg => "svg",
            Kind::Html => "html",
        }
    }

    /// The bytes of a drawing as such a file.
    pub fn bytes(self, drawing: &Drawing, title: &str) -> Result<Vec<u8>> {
        // Two pixels for a unit, but one where the picture would get too long for many programs to open.
        let density = if drawing.size().into_iter().max() > Some(8000) { 1 } else { 2 };
        Ok(match self {
            Kind::Png => drawing.to_png(density)?,
            _ => drawing.to_svg(title)?.into_bytes(),
        })
    }
}

fn json(scene: &Scene) -> serde_json::Value {
    let (h, w, c) = scene.input.dim();
    let layers = scene.layers.iter().map(|l| {
        let (h, w, c) = l.values.dim();
        json!({ "name": l.name, "kind": l.kind, "shape": [h, w, c], "values": numbers(&l.values) })
    });
    let filters = scene
        .filters
        .iter()
        .map(|(layer, filter)| json!({ "layer": layer, "shape": filter.shape(), "values": numbers(filter) }));
    let classes =
        scene.probabilities.iter().map(|(class, p)| json!({ "class": class, "probability": Number(*p) }));
    let cam = scene.cam.as_ref().map(|cam| {
        let class = scene.probabilities.get(cam.class).map(|p| p.0.as_str());
        json!({
            "class": class, "index": cam.class, "layer": cam.layer, "weights": numbers(&cam.weights),
            "map": { "shape": cam.map.shape(), "values": numbers(&cam.map) },
            "heat": { "shape": cam.heat.shape(), "values": numbers(&cam.heat) },
        })
    });
    json!({
        "input": { "name": scene.name, "shape": [h, w, c], "values": numbers(&scene.input) },
        "outputs": numbers(&scene.outputs),
        "probabilities": classes.collect::<Vec<_>>(),
        "layers": layers.collect::<Vec<_>>(),
        "filters": filters.collect::<Vec<_>>(),
        "grad_cam": cam,
    })
}

fn text(scene: &Scene, one: bool, context: &Context) -> Result<String> {
    let mut text = format!("{}\n\n", answer(scene));
    if !context.graphics.any() {
        text += &layers(scene, context);
        if one {
            for layer in &scene.layers {
                text += &format!("\n{}", array_text::maps(&layer.values.clone().insert_axis(Axis(0))));
            }
        }
        return Ok(text + &looked(scene, context));
    }
    for part in scene.parts(context.language.into())? {
        text += &format!("{}\n{}\n", clean(&part.title), clean(&part.about));
        for (caption, drawing) in &part.drawings {
            // Half blocks cannot show letters: nothing is left of a drawing without panels.
            let most = if one { usize::MAX } else { FEW };
            let shown = context.graphics.show_first(drawing, most)?;
            if !shown.is_empty() {
                text += &format!("{}\n{shown}", clean(caption));
            }
        }
        text.push('\n');
    }
    Ok(text)
}

fn answer(scene: &Scene) -> String {
    let Some(best) = scene.class() else {
        let values: Vec<String> = scene.outputs.iter().map(|&v| number(v)).collect();
        return format!("{}: {}", short(&scene.name), values.join(" "));
    };
    let (classes, likely): (Vec<String>, Vec<f32>) = scene.probabilities.iter().cloned().unzip();
    let said = match &scene.labels {
        None => short(&classes[best]),
        Some(labels) if labels.is_empty() => "-".to_owned(),
        Some(labels) => labels.iter().map(|&c| short(&classes[c])).collect::<Vec<_>>().join(", "),
    };
    format!("{}: {}\n{}", short(&scene.name), said, bars::bars(&classes, &likely, bars::SHOWN).trim_end())
}

fn layers(scene: &Scene, context: &Context) -> String {
    let columns = [
        (context.say("layer", "층"), Side::Left),
        (context.say("kind", "종류"), Side::Left),
        (context.say("shape", "크기"), Side::Left),
        (context.say("least", "최소"), Side::Right),
        (context.say("greatest", "최대"), Side::Right),
    ];
    let row = |name: &str, kind: &str, values: &ndarray::Array3<f32>| {
        let (low, high) =
            values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
        vec![name.to_owned(), kind.to_owned(), shape(values.shape()), number(low), number(high)]
    };
    let mut rows = vec![row("input", "input", &scene.input)];
    rows.extend(scene.layers.iter().map(|l| row(&l.name, l.kind, &l.values)));
    table(&columns, &rows)
}

/// Where the heat map of Grad-CAM is largest.
fn looked(scene: &Scene, context: &Context) -> String {
    let Some(cam) = &scene.cam else { return String::new() };
    let class = scene.probabilities.get(cam.class).map_or(cam.class.to_string(), |p| short(&p.0));
    let first = ((0, 0), 0.0);
    let ((h, w), most) = cam.heat.indexed_iter().fold(first, |a, (at, &v)| if v > a.1 { (at, v) } else { a });
    let layer = short(&cam.layer);
    let told = if most > 0.0 {
        context.language.pick(
            format!("Grad-CAM of {layer} for {class}: most at row {h}, column {w}"),
            format!("{layer}의 Grad-CAM ({class}): 행 {h}, 열 {w}에서 가장 큼"),
        )
    } else {
        context.language.pick(
            format!("Grad-CAM of {layer} for {class}: nothing"),
            format!("{layer}의 Grad-CAM ({class}): 없음"),
        )
    };
    format!("\n{told}\n")
}
