//! Data sets of arrays: a `.npz` file.

use super::grouped::{By, Grouped, alone};
use super::opened::Opened;
use super::options::{BY_NAME, ReadOptions};
use super::told::Told;
use crate::files::{self, What};
use crate::paths::Shown;
use crate::surroundings::{ARRAYS, Surroundings};
use anyhow::{Result, anyhow};
use foveal::data::scale::{Range, alike};
use foveal::data::{Dataset, Error, Samples, Scale, TrainTest, npz};
use std::path::Path;
use std::sync::PoisonError;

/// A `.npz` file. Where it is read for a trained model, its numbers are put on the model's scale.
pub fn open(path: &Path, options: &ReadOptions) -> Result<Opened> {
    let shown = path.shown();
    let bytes = files::read(path, What::Arrays)?;
    let read = |options: &ReadOptions| npz::read_npz(&bytes, &shown, &asked(options));
    let read = match read(options) {
        // A trained model's groups need not be there.
        Err(Error::Column { .. }) if options.is_judged() => {
            read(&ReadOptions { group: None, ..options.clone() })?
        }
        other => other?,
    };
    opened(read, shown, options)
}

/// Arrays in the memory of the program that the command runs in.
pub fn given(surroundings: &Surroundings, options: &ReadOptions) -> Result<Opened> {
    let arrays = surroundings.arrays.lock().unwrap_or_else(PoisonError::into_inner).take();
    let arrays = arrays.ok_or_else(|| anyhow!("{ARRAYS}: there are none, or they have been read already"))?;
    opened(arrays.read(ARRAYS, &asked(options))?, ARRAYS.to_owned(), options)
}

fn asked<'a>(options: &ReadOptions<'a>) -> npz::Options<'a> {
    let group = options.group.filter(|group| !BY_NAME.contains(group));
    npz::Options { task: options.task, known: options.classes, layout: options.layout, group }
}

fn opened(read: npz::Npz, shown: String, options: &ReadOptions) -> Result<Opened> {
    let mut parts = read.parts;
    let targets = Told::targets(read.how, parts.train.targets(), parts.train.len(), &[]);
    let layout =
        read.layout.map(|layout| Told::layout(layout, options.layout.is_some(), parts.train.shape()));
    let range = Range::of(&parts.train, 0..parts.train.len());
    if options.scale.is_none() {
        refuse_mixtures(&shown, &parts)?;
    }
    let scale = options.scale.or(range.map(|range| range.scale())).unwrap_or_default();
    let wanted = options.preprocess.filter(|p| p.window.is_none() && p.text.is_none()).map(|p| p.pixels);
    let converted = match wanted {
        Some(wanted) if wanted != scale => convert(&mut parts, scale, wanted)?,
        _ => None,
    };
    let told = match options.preprocess {
        None => range.map(|range| Told::scale(scale, range, options.scale.is_some())),
        Some(_) => converted,
    };
    let told = [targets, layout, told].into_iter().flatten().collect();
    let groups = read.groups.zip(options.group).map(|(mut keys, name)| {
        // Samples that the file itself sets aside for validation are groups of their own.
        keys.resize(parts.train.len(), String::new());
        Grouped { by: By::Column(name.to_owned()), keys: alone(keys) }
    });
    Ok(Opened { told, groups, scale: wanted.unwrap_or(scale), ..Opened::from(parts) })
}

/// Refuses parts on two scales.
fn refuse_mixtures(name: &str, parts: &TrainTest) -> Result<()> {
    let cut = parts.train.len() - parts.validation;
    let test = parts.test.as_ref();
    if matches!(parts.train.samples(), Samples::U8(_))
        && test.is_none_or(|t| matches!(t.samples(), Samples::U8(_)))
    {
        return Ok(());
    }
    let ranges = [
        ("training", Range::of(&parts.train, 0..cut)),
        ("validation", Range::of(&parts.train, cut..parts.train.len())),
        ("test", test.and_then(|test| Range::of(test, 0..test.len()))),
    ];
    let there: Vec<_> = ranges.into_iter().filter_map(|(part, range)| Some((part, range?))).collect();
    Ok(alike(name, &there)?)
}

/// Puts all numbers on another scale, if they are pixels on both.
fn convert(parts: &mut TrainTest, from: Scale, to: Scale) -> Result<Option<Told>> {
    let (Some([scale, shift]), Some(_)) = (from.to_unit(), to.to_unit()) else { return Ok(None) };
    let each = |data: &Dataset| -> Result<Dataset> {
        let all = (0..data.len()).flat_map(|i| data.sample(i).numbers());
        let mut numbers: Vec<f32> = match from {
            // A byte's quotient is the same number that an array of quotients holds.
            Scale::Bytes => all.collect(),
            _ => all.map(|v| (v * scale + shift) * 255.0).collect(),
        };
        numbers.iter_mut().for_each(|v| *v = on(to, *v));
        Ok(Dataset::new(data.name(), data.shape(), Samples::F32(numbers), data.targets().clone())?)
    };
    parts.train = each(&parts.train)?;
    parts.test = parts.test.as_ref().map(each).transpose()?;
    Ok(Some(Told::converted(from, to)))
}

/// A number from 0 to 255 on another scale.
fn on(scale: Scale, v: f32) -> f32 {
    match scale {
        Scale::Unit => v / 255.0,
        Scale::Signed => v / 127.5 - 1.0,
        Scale::Words => v * 257.0,
        Scale::Bytes | Scale::Other => v,
    }
}
