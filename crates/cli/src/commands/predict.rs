//! `foveal predict`

mod answer;

use super::bars::SHOWN;
use super::{input, model};
use crate::args::Predict;
use crate::files;
use crate::output::Context;
use crate::paths::Shown;
use crate::source;
use answer::{Answer, Entry};
use anyhow::{Context as _, Result, bail};
use foveal::data::{Dataset, Samples, Targets};
use foveal::train::{SavedModel, probabilities};
use foveal::view::clean;
use serde::Serialize;
use std::path::Path;

/// More samples than this get a line each, unless --top asks for more.
const LINES: usize = 8;
/// So many numbers of samples are put through the model at once; what has been read is not kept longer.
const AT_ONCE: usize = 16 << 20;

/// Predicts classes or values of inputs.
pub fn run(args: &Predict, context: &Context) -> Result<()> {
    let members = model::members(&args.model)?;
    let inputs = match members[0].model.vocabulary() {
        Some(_) => args.inputs.clone(),
        None => given(&args.inputs)?,
    };
    let entries = Reading::new(&members, context).all(&inputs)?;
    let failed: Vec<&Entry> = entries.iter().filter(|e| e.is_bad()).collect();
    if let ([only], 1) = (&failed[..], entries.len()) {
        // One input that cannot be read is an error like any other.
        return only.error();
    }
    let table = Table { entries: &entries, saved: &members[0] };
    if let Some(path) = &args.csv {
        files::write(path, &table.csv()?)?;
        context.note(&format!("{} {}", context.say("wrote", "저장:"), path.shown()));
    }
    match context.json {
        true => context.print_json(&Json { classes: &table.saved.classes, predictions: &entries })?,
        false => context.print(&table.text(args, context))?,
    }
    match &failed[..] {
        [] => Ok(()),
        [first, ..] => {
            let (bad, all) = (failed.len(), entries.len());
            let others = if bad == all { "" } else { ", the others are answered" };
            first.error().with_context(|| format!("{bad} of {all} inputs cannot be read{others}; the first"))
        }
    }
}

#[derive(Serialize)]
struct Json<'a> {
    /// The names of the classes, in the order of the probabilities.
    classes: &'a [String],
    predictions: &'a [Entry],
}

/// Inputs on their way through the models.
struct Reading<'a> {
    members: &'a [SavedModel],
    context: &'a Context,
    /// Names of samples that were read, and their numbers.
    names: Vec<String>,
    samples: Vec<f32>,
    entries: Vec<Entry>,
}

impl<'a> Reading<'a> {
    fn new(members: &'a [SavedModel], context: &'a Context) -> Self {
        Self { members, context, names: Vec::new(), samples: Vec::new(), entries: Vec::new() }
    }

    /// An answer for each sample, and the error of each input that cannot be read.
    fn all(mut self, inputs: &[String]) -> Result<Vec<Entry>> {
        for input in inputs {
            match input::read(input, &self.members[0], self.context.threads) {
                Ok(samples) => {
                    for (name, sample) in samples {
                        self.names.push(name);
                        self.samples.extend(sample);
                    }
                }
                Err(error) => {
                    self.answer()?;
                    self.entries.push(Entry::bad(input, error));
                }
            }
            if self.samples.len() >= AT_ONCE {
                self.answer()?;
            }
        }
        self.answer()?;
        Ok(self.entries)
    }

    /// Answers what has been read.
    fn answer(&mut self) -> Result<()> {
        let (names, samples) = (std::mem::take(&mut self.names), std::mem::take(&mut self.samples));
        if names.is_empty() {
            return Ok(());
        }
        let saved = &self.members[0];
        let targets = Targets::Values { values: vec![0.0; names.len()], names: vec!["none".into()] };
        let data = Dataset::new("inputs", saved.model.input_shape(), Samples::F32(samples), targets)?;
        let outputs = model::outputs(self.members, &data, self.context.threads)?;
        let numbers_of = |all: &[f32], answer: &dyn Fn(&[f32]) -> Answer| {
            let rows = all.chunks_exact(saved.model.outputs());
            let entries = names.iter().zip(rows).map(|(name, row)| Entry::good(name, answer(row)));
            entries.collect::<Vec<_>>()
        };
        self.entries.extend(match saved.classes.is_empty() {
            true => numbers_of(&outputs, &|row| Answer::values(row, saved)),
            false if saved.is_multi_label() => {
                numbers_of(&probabilities(&saved.model, &outputs), &|row| Answer::labels(row, saved))
            }
            false => {
                numbers_of(&probabilities(&saved.model, &outputs), &|row| Answer::class(row, &saved.classes))
            }
        });
        Ok(())
    }
}

/// What is printed and written about all inputs.
struct Table<'a> {
    entries: &'a [Entry],
    saved: &'a SavedModel,
}

impl Table<'_> {
    fn text(&self, args: &Predict, context: &Context) -> String {
        let classes = &self.saved.classes;
        let bad = context.say("not read:", "읽지 못함:");
        let bars = args.top.is_some() || self.entries.len() <= LINES;
        let top = args.top.map_or(SHOWN, usize::from);
        let blocks: Vec<String> =
            self.entries.iter().map(|e| e.text(classes, bars.then_some(top), bad)).collect();
        blocks.join(if bars && !classes.is_empty() { "\n" } else { "" })
    }

    /// A row for each input: its name, its class and the probability of every class, or its values; last why it cannot
    /// be read, if it cannot.
    fn csv(&self) -> Result<Vec<u8>> {
        let mut table = csv::Writer::from_writer(Vec::new());
        let heading: Vec<String> = match &self.saved.classes[..] {
            [] => (1..=self.saved.model.outputs()).map(|i| format!("value_{i}")).collect(),
            classes => {
                std::iter::once(if self.saved.is_multi_label() { "labels" } else { "class" }.to_owned())
                    .chain(classes.iter().map(|c| clean(c)))
                    .collect()
            }
        };
        let one = |text: &str| std::iter::once(text.to_owned());
        table.write_record(one("input").chain(heading.iter().cloned()).chain(one("error")))?;
        for entry in self.entries {
            table.write_record(entry.row(heading.len()))?;
        }
        Ok(table.into_inner()?)
    }
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
        all.extend(pictures.iter().map(|p| p.shown()));
    }
    Ok(all)
}
