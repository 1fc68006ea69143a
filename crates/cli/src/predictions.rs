//! `predictions.csv` in a run folder: what the model says about every sample that it was judged by.

use crate::files::{self, What};
use crate::paths::Shown;
use anyhow::{Result, bail};
use foveal::data::{Dataset, Targets};
use foveal::train::{SavedModel, probabilities};
use foveal::view::clean;
use std::path::Path;

/// The file's name in a run folder.
pub const FILE: &str = "predictions.csv";
/// Its first columns. Of classes there are the true one, the predicted one and the probability of that; of values, for
/// each, the true and the predicted one.
const BEGIN: [&str; 2] = ["part", "sample"];
const CLASSES: [&str; 3] = ["true", "predicted", "probability"];

/// Samples with a model's outputs for them.
pub struct Judged<'a> {
    /// `test` or `validation`.
    pub part: &'a str,
    pub data: &'a Dataset,
    /// Which of its samples they are; all without.
    pub indices: Option<&'a [u32]>,
    pub outputs: &'a [f32],
    /// The file of each, where samples are files.
    pub files: Option<&'a [String]>,
}

/// The table's text.
pub fn table(saved: &SavedModel, judged: &Judged) -> Result<String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let Judged { part, data, indices, outputs, files } = *judged;
    let n = indices.map_or(data.len(), <[u32]>::len);
    let index = |k: usize| indices.map_or(k, |indices| indices[k] as usize);
    let name = |k: usize| files.map_or_else(|| index(k).to_string(), |files| clean(&files[k]));
    match data.targets() {
        Targets::Classes { labels, names } => {
            table.write_record(BEGIN.into_iter().chain(CLASSES))?;
            let likely = probabilities(&saved.model, outputs);
            for (k, row) in (0..n).zip(likely.chunks_exact(names.len())) {
                let said = (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
                let truth = &names[labels[index(k)] as usize];
                let row = [part, &name(k), &clean(truth), &clean(&names[said]), &row[said].to_string()];
                table.write_record(row)?;
            }
        }
        // Labels are 0 and 1, and what is said of them are probabilities.
        Targets::Values { values, names } | Targets::Labels { values, names } => {
            let columns =
                names.iter().flat_map(|n| [format!("true {}", clean(n)), format!("predicted {}", clean(n))]);
            table.write_record(BEGIN.into_iter().map(str::to_owned).chain(columns))?;
            let width = names.len();
            for (k, row) in (0..n).zip(outputs.chunks_exact(width)) {
                let truths = &values[index(k) * width..(index(k) + 1) * width];
                // Where nothing is added, the numbers are the model's own, with as many digits as they have.
                let said = match saved.preprocess.origin.is_empty() {
                    true => row.iter().map(f32::to_string).collect::<Vec<_>>(),
                    false => saved.preprocess.values(row).iter().map(f64::to_string).collect(),
                };
                let pairs = truths.iter().zip(said).flat_map(|(t, y)| [t.to_string(), y]);
                table.write_record([part.to_owned(), name(k)].into_iter().chain(pairs))?;
            }
        }
    }
    Ok(String::from_utf8(table.into_inner()?)?)
}

/// What a model said about a sample.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The true class and the predicted one.
    Class([String; 2]),
    /// True and predicted values.
    Values(Vec<[f64; 2]>),
}

impl Answer {
    /// The squares of the differences of values; none of classes.
    pub fn squares(&self) -> impl Iterator<Item = f64> {
        let values = if let Answer::Values(values) = self { &values[..] } else { &[] };
        values.iter().map(|[truth, said]| (said - truth).powi(2))
    }
}

/// A table that was read.
pub struct Predictions {
    /// `test`, or `validation` where there was no test part.
    pub part: String,
    /// The name of each sample and what was said about it.
    pub rows: Vec<(String, Answer)>,
}

/// Reads the table of a run folder; `None` where there is none.
pub fn read(folder: &Path) -> Result<Option<Predictions>> {
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = files::read(&path, What::Table)?;
    let shown = path.shown();
    let wrong = |line: u64| anyhow::anyhow!("{shown}: line {line} is no prediction; train the run again");
    let mut table = csv::Reader::from_reader(&bytes[..]);
    let heading: Vec<String> = table.headers()?.iter().map(str::to_owned).collect();
    if heading.get(..2).is_none_or(|begin| begin != BEGIN) {
        bail!("{shown}: foveal did not write it; train the run again");
    }
    let classes = heading[2..] == CLASSES;
    let (mut part, mut rows) = (String::new(), Vec::new());
    for row in table.records() {
        let row = row?;
        let line = row.position().map_or(0, csv::Position::line);
        part = row[0].to_owned();
        let answer = if classes {
            Answer::Class([row[2].to_owned(), row[3].to_owned()])
        } else {
            let numbers: Vec<f64> =
                row.iter().skip(2).map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong(line))?;
            Answer::Values(numbers.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect())
        };
        rows.push((row[1].to_owned(), answer));
    }
    Ok(Some(Predictions { part, rows }))
}
