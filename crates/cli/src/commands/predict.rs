//! `foveal predict`

use super::model;
use crate::args::Predict;
use crate::output::{Context, Number, numbers, width};
use crate::{files, source};
use anyhow::{Result, anyhow, bail};
use foveal::data::{Dataset, Sample, Samples, Targets, npy, picture};
use foveal::train::{SavedModel, predict, probabilities};
use serde::Serialize;
use std::path::Path;

/// Classes shown for an input.
const SHOWN: usize = 5;
/// Length of the bar for probability 1.
const BAR: usize = 24;

/// Says what a model makes of inputs.
pub fn run(args: &Predict, context: &Context) -> Result<()> {
    let saved = model::saved(&args.model)?;
    let mut names = Vec::new();
    let mut samples = Vec::new();
    for input in &args.inputs {
        for (name, sample) in read(input, &saved, context.threads)? {
            if let Some(bad) = sample.iter().find(|v| !v.is_finite()) {
                bail!("{name}: holds {bad}, which is not a finite number; clean the array first");
            }
            names.push(name);
            samples.extend(sample);
        }
    }
    let targets = Targets::Values { values: vec![0.0; names.len()], names: vec!["none".into()] };
    let data = Dataset::new("inputs", saved.model.input_shape(), Samples::F32(samples), targets)?;
    let outputs = predict(&saved.model, &saved.preprocess, &data, None, context.threads)?;
    let rows = outputs.chunks_exact(saved.model.outputs());
    if saved.classes.is_empty() {
        return values(names.iter().zip(rows), context);
    }
    let likely = probabilities(&saved.model, &outputs);
    let found: Vec<Found> = names
        .iter()
        .zip(likely.chunks_exact(saved.model.outputs()))
        .map(|(name, row)| Found::new(name, row, &saved.classes))
        .collect();
    if context.json {
        return context.print_json(&Json { predictions: &found });
    }
    context.print(&found.iter().map(|f| f.text(&saved.classes)).collect::<Vec<_>>().join("\n"))
}

#[derive(Serialize)]
struct Json<'a> {
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

    fn text(&self, classes: &[String]) -> String {
        let mut order: Vec<usize> = (0..classes.len()).collect();
        order.sort_by(|&a, &b| self.probabilities[b].0.total_cmp(&self.probabilities[a].0));
        let wide = classes.iter().map(|c| width(c)).max().unwrap_or(0);
        let mut text = format!("{}: {}\n", self.input, self.class);
        for &i in order.iter().take(SHOWN) {
            let p = self.probabilities[i].0;
            let pad = " ".repeat(wide - width(&classes[i]));
            let bar = "█".repeat((p * BAR as f32).round() as usize);
            text += format!("  {}{pad} {:>6.2} % {bar}", classes[i], 100.0 * p).trim_end();
            text.push('\n');
        }
        text
    }
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

/// The raw samples that an input holds, each with its name.
fn read(input: &str, saved: &SavedModel, threads: usize) -> Result<Vec<(String, Vec<f32>)>> {
    if let Some(sample) = built_in(input, threads)? {
        let shape = saved.model.input_shape();
        if shape.iter().product::<usize>() != sample.len() {
            bail!("{input}: a sample of [28, 28, 1] does not fit the model's input {shape:?}");
        }
        return Ok(vec![(input.to_owned(), sample)]);
    }
    let path = Path::new(input);
    let bytes = files::read(path)?;
    if bytes.starts_with(b"\x93NUMPY") || path.extension().is_some_and(|e| e == "npy") {
        return array(input, &bytes, saved.model.input_shape());
    }
    let picture = picture::decode(&bytes, input)?;
    let sample = saved.preprocess.picture(&picture, saved.model.input_shape())?;
    Ok(vec![(input.to_owned(), sample)])
}

/// `mnist:test:7`, `mnist:train:0`
fn built_in(input: &str, threads: usize) -> Result<Option<Vec<f32>>> {
    let Some(rest) = input.strip_prefix("mnist:") else { return Ok(None) };
    let (part, index) = rest.split_once(':').unwrap_or((rest, ""));
    let data = match part {
        "test" => source::test_digits()?,
        "train" => source::training_digits(threads)?,
        _ => bail!("{input}: name a built-in sample as mnist:test:N or mnist:train:N"),
    };
    let n = data.len();
    let index = index.parse().ok().filter(|&i: &usize| i < n);
    let index = index.ok_or_else(|| anyhow!("{input}: N must be a whole number from 0 to {}", n - 1))?;
    Ok(Some(match data.sample(index) {
        Sample::U8(pixels) => pixels.iter().map(|&p| f32::from(p)).collect(),
        Sample::F32(pixels) => pixels.to_vec(),
    }))
}

/// One sample, or a batch of them.
fn array(input: &str, bytes: &[u8], shape: [usize; 3]) -> Result<Vec<(String, Vec<f32>)>> {
    let array = npy::read_npy(bytes, input)?;
    let [h, w, c] = shape;
    let size = h * w * c;
    let batch = match *array.shape() {
        [ah, aw] if (ah, aw, 1) == (h, w, c) => None,
        [ah, aw, ac] if [ah, aw, ac] == shape => None,
        [n, ah, aw] if (ah, aw, 1) == (h, w, c) => Some(n),
        [n, ah, aw, ac] if [ah, aw, ac] == shape => Some(n),
        _ => bail!(
            "{input}: has shape {:?}, the model takes [{h}, {w}, {c}] or [n, {h}, {w}, {c}]",
            array.shape()
        ),
    };
    let numbers: Vec<f32> = array.iter().copied().collect();
    Ok(match batch {
        None => vec![(input.to_owned(), numbers)],
        Some(_) => {
            let rows = numbers.chunks_exact(size).enumerate();
            rows.map(|(i, row)| (format!("{input}[{i}]"), row.to_vec())).collect()
        }
    })
}
