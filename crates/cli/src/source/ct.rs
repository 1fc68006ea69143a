//! Data sets of DICOM slices of CT: folders, with class folders or a table of labels.

use super::ct_facts::CtFacts;
use super::folder::{InFolder, Walked, bytes, is_slice};
use super::grouped::{By, PATIENT};
use super::listed::Listed;
use super::name::name;
use super::opened::Opened;
use super::options::ReadOptions;
use super::told::Told;
use crate::files::{self, What};
use crate::output::{Context, count};
use crate::paths::Shown;
use anyhow::{Result, anyhow, bail};
use foveal::data::dicom::{self, Header, Id, Stack, divided, owners, stacks};
use foveal::data::stack::{Small, common_size};
use foveal::data::table::{Table, read_csv};
use foveal::data::targets::How;
use foveal::data::{Part, Targets, Window, folder};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use unicode_normalization::UnicodeNormalization;

/// The share of the patients for the test, where the data do not say.
const TEST: f64 = 0.1;

/// Slices whose headers were read.
struct Slices<'a> {
    files: Vec<&'a InFolder>,
    headers: Vec<Header>,
    skipped: Vec<String>,
}

impl<'a> Slices<'a> {
    fn new(found: &'a [InFolder], options: &ReadOptions, context: &Context) -> Result<Self> {
        let (inside, outside): (Vec<&InFolder>, Vec<&InFolder>) =
            found.iter().partition(|(names, path)| is_slice(names, path));
        let no = context.say("no DICOM slice", "DICOM 단면이 아님");
        let mut skipped: Vec<String> =
            outside.iter().map(|(_, path)| format!("{}: {no}", path.shown())).collect();
        let read: Vec<Result<Header>> =
            inside.par_iter().map(|(_, path)| Ok(dicom::header(&bytes(path)?, &path.shown())?)).collect();
        let (mut files, mut headers) = (Vec::new(), Vec::new());
        for (file, header) in inside.into_iter().zip(read) {
            match header {
                Ok(header) => {
                    files.push(file);
                    headers.push(header);
                }
                Err(error) if options.strict => return Err(error),
                Err(error) => skipped.push(error.to_string()),
            }
        }
        Ok(Self { files, headers, skipped })
    }

    /// The slices at `kept` alone, in that order.
    fn select(&mut self, kept: &[usize]) {
        self.files = kept.iter().map(|&i| self.files[i]).collect();
        self.headers = kept.iter().map(|&i| self.headers[i]).collect();
    }
}

/// The target of each slice, and its part (training, validation or test) if the labels say so.
struct Labels {
    targets: Targets,
    how: How,
    parts: Option<Vec<Part>>,
}

/// A folder of slices.
pub fn open(path: &Path, found: &Walked, options: &ReadOptions, context: &Context) -> Result<Opened> {
    let shown = path.shown();
    let mut slices = Slices::new(&found.files, options, context)?;
    slices.skipped.extend(found.skipped(context));
    if slices.headers.is_empty() {
        let first = slices.skipped.last().map_or(String::new(), |line| format!(", such as {line}"));
        bail!("{shown}: none of its DICOM files can be read{first}");
    }
    let labels = match options.labels {
        Some(table) => Some(by_table(path, table, &mut slices, options, context)?),
        None => by_folder(&shown, &mut slices, options)?,
    };
    let owned = owners(&slices.headers);
    let labelled = labels.is_some();
    let told = labels.as_ref().and_then(|l| Told::targets(l.how, &l.targets, owned.len(), &[]));
    let nothing = || Targets::Values { values: vec![0.0; owned.len()], names: vec!["none".into()] };
    let (targets, given) = labels.map_or_else(|| (nothing(), None), |l| (l.targets, l.parts));
    let drawn = given.is_none() && labelled;
    let of = given.unwrap_or_else(|| vec![Part::Train; owned.len()]);
    if let Some([a, b]) = divided(&owned, &of) {
        let [a, b] = [a, b].map(|i| slices.files[i].1.shown());
        bail!(
            "{shown}: {a} and {b} are of one patient and in different parts; keep each patient in one part"
        );
    }
    let order = order(&stacks(&slices.headers), &of);
    let window = options.window.unwrap_or(Window::SOFT);
    let mut facts = CtFacts::new(&slices.headers, &owned, &of, &window);
    facts.labelled = labelled;
    if drawn {
        facts.tell(context);
    }
    if let Some(group) = options.group.filter(|group| *group != PATIENT) {
        bail!("--group {group}: {shown} holds CT, which is divided by patient; leave it out");
    }
    let size = options.size.or_else(|| size(&slices.headers, &of)).unwrap_or([1, 1]);
    let listed = Listed {
        name: name(&shown),
        paths: order.iter().map(|&i| slices.files[i].1.clone()).collect(),
        parts: order.iter().map(|&i| of[i]).collect(),
        targets: targets.select(&order),
        groups: labelled.then(|| (By::Patient, numbered(&order, &owned))),
        skipped: slices.skipped,
        told: told.into_iter().collect(),
    };
    let range = Arc::new(Mutex::new(None::<[f32; 2]>));
    let seen = Arc::clone(&range);
    let decode = move |bytes: &[u8], name: &str| {
        let slice = dicom::read(bytes, name)?;
        if let (Some([low, high]), Ok(mut range)) = (slice.range(), seen.lock()) {
            *range = Some(range.map_or([low, high], |[a, b]| [a.min(low), b.max(high)]));
        }
        Ok(Small::grey(&slice.sample(size, &window)?))
    };
    let mut opened = listed.read_with(size, options, context, Arc::new(decode))?;
    facts.hounsfield = range.lock().map_or(None, |range| *range);
    opened.ct = Some(facts);
    opened.test = if drawn { TEST } else { 0.0 };
    Ok(opened)
}

/// The owner of each slice, as a number that says nothing of the patient.
fn numbered(order: &[usize], owned: &[Id]) -> Vec<String> {
    let mut numbers = HashMap::new();
    let mut number = |owner: Id| {
        let next = numbers.len();
        numbers.entry(owner).or_insert(next).to_string()
    };
    order.iter().map(|&i| number(owned[i])).collect()
}

/// The size that suits the training slices, once resampled to square pixels.
fn size(headers: &[Header], parts: &[Part]) -> Option<[usize; 2]> {
    let train = headers.iter().zip(parts).filter(|(_, part)| **part == Part::Train);
    common_size(&train.map(|(header, _)| header.square()).collect::<Vec<_>>())
}

/// The slices in order: by part, then by series, then by place within the series.
fn order(stacks: &[Stack], parts: &[Part]) -> Vec<usize> {
    let mut order: Vec<usize> = stacks.iter().flat_map(|stack| stack.slices.iter().copied()).collect();
    order.sort_by_key(|&i| parts[i]);
    order
}

/// Classes by folders; `None` where there are no class folders and labels are not needed.
fn by_folder(shown: &str, slices: &mut Slices<'_>, options: &ReadOptions) -> Result<Option<Labels>> {
    let names: Vec<Vec<String>> = slices.files.iter().map(|(names, _)| names.clone()).collect();
    let layout = match folder::layout_of(&names, &|_| true, shown, options.classes) {
        Ok(layout) if layout.others.is_empty() || !options.unlabelled => layout,
        _ if options.unlabelled => return Ok(None),
        Ok(layout) => layout,
        Err(error) => bail!(
            "{error}; slices are labelled by class folders, or by --labels LABELS.csv with a heading of file, \
             series or patient and the targets"
        ),
    };
    for &i in &layout.others {
        slices.skipped.push(format!("{}: stands in no class folder", slices.files[i].1.shown()));
    }
    let kept: Vec<usize> = layout.pictures.iter().map(|entry| entry.path).collect();
    slices.select(&kept);
    let parts: Vec<Part> = layout.pictures.iter().map(|entry| entry.part).collect();
    let parted = parts.iter().any(|part| *part != Part::Train);
    let labels = layout.pictures.iter().map(|entry| entry.class).collect();
    let targets = Targets::Classes { labels, names: layout.classes };
    Ok(Some(Labels { targets, how: How::Folders, parts: parted.then_some(parts) }))
}

/// Labels from a table whose first column names files, series or patients.
fn by_table(
    path: &Path,
    table: &Path,
    slices: &mut Slices<'_>,
    options: &ReadOptions,
    context: &Context,
) -> Result<Labels> {
    let shown = table.shown();
    let read = read_csv(&files::read(table, What::Table)?, &shown, &options.table())?;
    let rows = rows(&read, slices).ok_or_else(|| {
        anyhow!("{shown}: its first column must be headed file, series or patient; the targets follow")
    })?;
    let mut kept = Vec::new();
    let mut of_kept = Vec::new();
    let no = context.say("has no row in", "다음 표에 행이 없음:");
    for (i, row) in rows.into_iter().enumerate() {
        let Some(row) = row else {
            let line = format!("{}: {no} {shown}", slices.files[i].1.shown());
            if options.strict {
                bail!("{line}; add one, or leave --strict out");
            }
            slices.skipped.push(line);
            continue;
        };
        kept.push(i);
        of_kept.push(row);
    }
    if kept.is_empty() {
        bail!("{shown}: none of its {} rows names a slice of {}", read.paths.len(), path.shown());
    }
    let unused = read.paths.len() - of_kept.iter().collect::<HashSet<_>>().len();
    if unused > 0 {
        let (n, shown) = (count(unused as u64), &shown);
        let line = format!("{shown}의 행 {n}개에 맞는 단면이 없음");
        slices.skipped.push(context.language.pick(format!("{n} rows of {shown} name no slice"), line));
    }
    slices.select(&kept);
    let parts = read.parted.then(|| of_kept.iter().map(|&row| read.parts[row]).collect());
    Ok(Labels { targets: read.targets.select(&of_kept), how: read.how, parts })
}

/// The row of each slice; `None` where the table's heading does not say what it names.
fn rows(table: &Table, slices: &Slices<'_>) -> Option<Vec<Option<usize>>> {
    let each = slices.headers.iter().zip(&slices.files);
    if matches!(table.key.as_str(), "file" | "path") {
        // The table is composed (NFC); a file system may store Hangul and accents as several characters (NFD).
        let by_path: HashMap<&str, usize> = table.paths.iter().map(String::as_str).zip(0..).collect();
        let own = |names: &[String]| names.join("/").nfc().collect::<String>();
        return Some(each.map(|(_, (names, _))| by_path.get(own(names).as_str()).copied()).collect());
    }
    let id = |header: &Header| match table.key.as_str() {
        "series" => Some(Some(header.series())),
        "patient" => Some(header.patient()),
        _ => None,
    };
    let by_id: HashMap<Id, usize> = table.paths.iter().map(|own| Id::of(own.as_bytes())).zip(0..).collect();
    each.map(|(header, _)| id(header).map(|id| id.and_then(|id| by_id.get(&id).copied()))).collect()
}
