//! `foveal predict`

use super::{input, model};
use crate::args::Predict;
use crate::files;
use crate::output::{Context, Number, numbers};
use crate::source;
use crate::table::width;
use anyhow::{Result, bail};
use foveal::data::{Dataset, Samples, Targets};
use foveal::train::probabilities;
use serde::Serialize;
use std::path::Path;

/// So many of the likeliest classes `show` names.
pub(super) const SHOWN: usize = 5;
/// With more classes than this only the names that are shown decide how wide their column is.
const MANY: usize = 100;
/// Length of the bar for probability 1.
const BAR: usize = 24;

/// Predicts classes or values of inputs.
pub fn run(args: &Predict, context: &Context) -> Result<()> {
    let members = model::members(&args.model)?;
    let saved = &members[0];
    let mut names = Vec::new();
    let mut samples = Vec::new();
    let inputs = if saved.model.vocabulary().is_some() { args.inputs.clone() } else { given(&args.inputs)? };
    for input in &inputs {
        for (name, sample) in input::read(input, saved, context.threads)? {
            names.push(name);
            samples.extend(sample);
        }
    }
    let targets = Targets::Values { values: vec![0.0; names.len()], names: vec!["none".into()] };
    let data = Dataset::new("inputs", saved.model.input_shape(), Samples::F32(samples), targets)?;
    let outputs = model::outputs(&members, &data, context.threads)?;
    let rows = outputs.chunks_exact(saved.model.outputs());
    if saved.classes.is_empty() {
        if args.csv.is_some() {
            bail!("--csv: the model gives values and no classes; take --json");
        }
        return values(names.iter().zip(rows), context);
    }
    let likely = probabilities(&saved.model, &outputs);
    let found: Vec<Found> = names
        .iter()
        .zip(likely.chunks_exact(saved.model.outputs()))
        .map(|(name, row)| Found::new(name, row, &saved.classes))
        .collect();
    if let Some(path) = &args.csv {
        write_csv(path, &found, &saved.classes, context)?;
    }
    if context.json {
        return context.print_json(&Json { classes: &saved.classes, predictions: &found });
    }
    let top = usize::from(args.top);
    context.print(&found.iter().map(|f| f.text(&saved.classes, top)).collect::<Vec<_>>().join("\n"))
}

/// The inputs, each folder replaced by the pictures in it.
fn given(inputs: &[String]) -> Result<Vec<String>> {
    let mut all = Vec::with_capacity(inputs.len());
    for input in inputs {
        let path = Path::new(input);
        if !path.is_dir() {
            all.push(input.clone());
            continue;
        }
        let pictures = source::images_under(path)?;
        if pictures.is_empty() {
            bail!(
                "{input}: holds no PNG, JPEG, BMP, WebP or TIFF picture and no DICOM slice; name one that does"
            );
        }
        all.extend(pictures.iter().map(|p| p.display().to_string()));
    }
    Ok(all)
}

#[derive(Serialize)]
struct Json<'a> {
    /// The names of the classes, in the order of the probabilities.
    classes: &'a [String],
    predictions: &'a [Found<'a>],
}

#[derive(Serialize)]
struct Found<'a> {
    input: &'a str,
    class: &'a str,
    index: usize,
    probabilities: Vec<Number>,
}

impl<'a> Found<'a> {
    fn new(input: &'a str, row: &[f32], classes: &'a [String]) -> Self {
        let index = (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
        Self { input, class: &classes[index], index, probabilities: numbers(row) }
    }

    fn text(&self, classes: &[String], top: usize) -> String {
        let likely: Vec<f32> = self.probabilities.iter().map(|p| p.0).collect();
        format!("{}: {}\n{}", self.input, self.class, bars(classes, &likely, top))
    }
}

/// Writes a row for each input: its name, its class, and the probability of every class.
fn write_csv(path: &Path, found: &[Found], classes: &[String], context: &Context) -> Result<()> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["input", "class"].into_iter().chain(classes.iter().map(String::as_str)))?;
    for one in found {
        let numbers: Vec<String> = one.probabilities.iter().map(|p| p.0.to_string()).collect();
        table.write_record([one.input, one.class].into_iter().chain(numbers.iter().map(String::as_str)))?;
    }
    files::write(path, &table.into_inner()?)?;
    context.note(&format!("{} {}", context.say("wrote", "저장:"), path.display()));
    Ok(())
}

/// A bar for each of the `top` likeliest classes.
pub(super) fn bars(classes: &[String], likely: &[f32], top: usize) -> String {
    let mut order: Vec<usize> = (0..classes.len()).collect();
    order.sort_by(|&a, &b| likely[b].total_cmp(&likely[a]));
    order.truncate(top);
    // A few of very many classes: the others' names need no room.
    let all = classes.len() <= MANY;
    let wide = classes.iter().enumerate().filter(|(i, _)| all || order.contains(i));
    let wide = wide.map(|(_, c)| width(c)).max().unwrap_or(0);
    let mut text = String::new();
    for &i in &order {
        let p = likely[i];
        let pad = " ".repeat(wide - width(&classes[i]));
        let bar = "█".repeat((p * BAR as f32).round() as usize);
        text += format!("  {}{pad} {:>6.2} % {bar}", classes[i], 100.0 * p).trim_end();
        text.push('\n');
    }
    text
}

fn values<'a>(rows: impl Iterator<Item = (&'a String, &'a [f32])>, context: &Context) -> Result<()> {
    #[derive(Serialize)]
    struct Value<'a> {
        input: &'a str,
        values: Vec<Number>,
    }
    let found: Vec<Value> = rows.map(|(input, row)| Value { input, values: numbers(row) }).collect();
    if context.json {
        return context.print_json(&serde_json::json!({ "predictions": found }));
    }
    let line = |v: &Value| {
        let numbers: Vec<String> = v.values.iter().map(|n| crate::array_text::number(n.0)).collect();
        format!("{}: {}\n", v.input, numbers.join(" "))
    };
    context.print(&found.iter().map(line).collect::<String>())
}
