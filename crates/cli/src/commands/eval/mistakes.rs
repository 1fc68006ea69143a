//! `--mistakes`: what a classifier gets wrong, as a table and as a sheet of pictures.

use super::samples::Test;
use crate::files;
use crate::output::{Context, count};
use crate::paths::Shown;
use crate::sheet;
use anyhow::Result;
use foveal::view::{ColorMap, Scale, clean, subplots};
use serde::Serialize;
use std::path::Path;

const TABLE: &str = "mistakes.csv";
const SHEET: &str = "mistakes.png";
/// Pictures on the sheet, and in a row.
const PICTURES: [usize; 2] = [64, 8];

/// A mistake, for a program.
#[derive(Serialize)]
pub struct Named {
    sample: String,
    #[serde(rename = "true")]
    truth: String,
    predicted: String,
    probability: f32,
}

/// So many mistakes are named in JSON.
const NAMED: usize = 100;

/// The mistakes that the model is surest of, with the files of their samples.
pub fn named(test: &Test, likely: &[f32]) -> Vec<Named> {
    let Some(names) = test.data.classes() else { return Vec::new() };
    let name = |m: &Mistake| Named {
        sample: test.name(m.sample),
        truth: names[m.truth].clone(),
        predicted: names[m.said].clone(),
        probability: m.likely[0],
    };
    all(test, likely).iter().take(NAMED).map(name).collect()
}

/// A sample whose likeliest class is not the right one.
struct Mistake {
    sample: usize,
    truth: usize,
    said: usize,
    /// The probability of the class that was said, and of the right one.
    likely: [f32; 2],
}

/// All mistakes, those first that the model is surest of.
fn all(test: &Test, likely: &[f32]) -> Vec<Mistake> {
    let data = &test.data;
    let (Some(names), Some(labels)) = (data.classes(), data.labels()) else { return Vec::new() };
    let rows = likely.chunks_exact(names.len()).zip(labels).enumerate();
    let mut mistakes: Vec<Mistake> = rows
        .filter_map(|(sample, (row, &label))| {
            let said = (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
            let truth = label as usize;
            (said != truth).then(|| Mistake { sample, truth, said, likely: [row[said], row[truth]] })
        })
        .collect();
    mistakes.sort_by(|a, b| b.likely[0].total_cmp(&a.likely[0]));
    mistakes
}

/// Writes the mistakes into `folder`.
pub fn write(folder: &Path, test: &Test, likely: &[f32], context: &Context) -> Result<()> {
    let data = &test.data;
    let Some(names) = data.classes() else { return Ok(()) };
    let mistakes = all(test, likely);
    files::make_folder(folder)?;
    files::write(&folder.join(TABLE), &table(&mistakes, test, names)?)?;
    let sheet_at = folder.join(SHEET);
    // Texts are in the table; an old sheet would be of other mistakes.
    if data.vocabulary().is_some() || mistakes.is_empty() {
        files::remove(&sheet_at)?;
    } else {
        files::write(&sheet_at, &sheet(&mistakes, test, names, context)?)?;
    }
    let (n, of, at) = (count(mistakes.len() as u64), count(data.len() as u64), folder.shown());
    context.note(
        &context
            .language
            .pick(format!("{n} mistakes of {of} in {at}"), format!("{of}개 중 틀린 {n}개를 {at}에 적음")),
    );
    Ok(())
}

fn table(mistakes: &[Mistake], test: &Test, names: &[String]) -> Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let texts = test.data.vocabulary().is_some();
    let mut heading = vec!["sample", "true", "predicted", "probability", "probability_of_true"];
    heading.extend(texts.then_some("text"));
    table.write_record(heading)?;
    for m in mistakes {
        let mut row = vec![
            clean(&test.name(m.sample)),
            clean(&names[m.truth]),
            clean(&names[m.said]),
            m.likely[0].to_string(),
            m.likely[1].to_string(),
        ];
        row.extend(texts.then(|| test.data.text(m.sample).unwrap_or_default().to_owned()));
        table.write_record(row)?;
    }
    Ok(table.into_inner()?)
}

/// The surest mistakes, each with what it is and what the model says.
fn sheet(mistakes: &[Mistake], test: &Test, names: &[String], context: &Context) -> Result<Vec<u8>> {
    let [most, columns] = PICTURES;
    let panels = mistakes.iter().take(most).map(|m| {
        let (truth, said) = (&names[m.truth], &names[m.said]);
        let title = format!("{truth} \u{2192} {said} {:.0} %", 100.0 * m.likely[0]);
        sheet::panel(&test.data, m.sample, title)
    });
    let title = context.say("true \u{2192} predicted", "실제 \u{2192} 예측");
    let figure = subplots(panels.collect(), title, ColorMap::Gray, Scale::Shared)
        .columns(columns)
        .cell(sheet::cell(test.data.shape()))
        .language(context.language.into())
        .bare()
        .compact();
    Ok(figure.draw()?.to_png(2)?)
}
