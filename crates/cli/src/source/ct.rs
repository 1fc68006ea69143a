//! Data sets of DICOM slices of CT: folders, with class folders or a table of labels.

use super::pictures::{InFolder, Listed, bytes};
use super::{Ask, Opened, name};
use crate::files;
use crate::output::{Context, count};
use anyhow::{Result, anyhow, bail};
use foveal::data::dicom::{self, Header, Id, Stack, divided, owners, parts, stacks};
use foveal::data::stack::{Small, common_size};
use foveal::data::table::{Table, read_csv};
use foveal::data::{Part, Targets, Window, folder};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex};
use unicode_normalization::UnicodeNormalization;

/// Bytes that tell a DICOM file.
const HEAD: u64 = 132;

/// What a data set of CT is.
#[derive(Serialize, Clone)]
pub struct Summary {
    pub patients: usize,
    /// Slices whose files name no patient.
    pub without_patient: usize,
    pub series: usize,
    pub slices: usize,
    /// Rows and columns, the least and the greatest of each.
    pub rows: [usize; 2],
    pub columns: [usize; 2],
    /// Millimetres between pixels, the least and the greatest.
    pub spacing: [f64; 2],
    /// Millimetres between neighbouring slices, the least and the greatest; none where no two are neighbours.
    pub distance: Option<[f64; 2]>,
    /// The least and the greatest Hounsfield value.
    pub hounsfield: Option<[f32; 2]>,
    /// Centre and width.
    pub window: [f32; 2],
    /// Whether the slices have labels.
    pub labelled: bool,
    /// Patients (or studies, or series, where files name no patient) for training, validation and test.
    pub split: [usize; 3],
}

/// Whether a file is a slice by its first bytes. Hidden files, those named as pictures and DICOMDIR are not looked at.
pub fn is_slice(names: &[String], path: &Path) -> bool {
    let Some(own) = names.last() else { return false };
    if names.iter().any(|n| n.starts_with('.')) || folder::is_picture(own) || own == "DICOMDIR" {
        return false;
    }
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    path.is_file() && read.is_ok() && dicom::is_dicom(&head)
}

/// Slices whose headers were read.
struct Slices<'a> {
    files: Vec<&'a InFolder>,
    headers: Vec<Header>,
    skipped: Vec<String>,
}

impl<'a> Slices<'a> {
    fn new(found: &'a [InFolder], ask: &Ask, context: &Context) -> Result<Self> {
        let (inside, outside): (Vec<&InFolder>, Vec<&InFolder>) =
            found.iter().partition(|(names, path)| is_slice(names, path));
        let no = context.say("no DICOM slice", "DICOM 단면이 아님");
        let mut skipped: Vec<String> =
            outside.iter().map(|(_, path)| format!("{}: {no}", path.display())).collect();
        let read: Vec<Result<Header>> = inside
            .par_iter()
            .map(|(_, path)| Ok(dicom::header(&bytes(path)?, &path.display().to_string())?))
            .collect();
        let (mut files, mut headers) = (Vec::new(), Vec::new());
        for (file, header) in inside.into_iter().zip(read) {
            match header {
                Ok(header) => {
                    files.push(file);
                    headers.push(header);
                }
                Err(error) if ask.strict => return Err(error),
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

/// What is to be learnt of the slices, and what each is for where that is said.
struct Labels {
    targets: Targets,
    parts: Option<Vec<Part>>,
}

/// A folder of slices.
pub fn open(path: &Path, found: &[InFolder], ask: &Ask, context: &Context) -> Result<Opened> {
    let shown = path.display().to_string();
    let mut slices = Slices::new(found, ask, context)?;
    if slices.headers.is_empty() {
        let first = slices.skipped.last().map_or(String::new(), |line| format!(", such as {line}"));
        bail!("{shown}: none of its DICOM files can be read{first}");
    }
    let labels = match ask.labels {
        Some(table) => Some(by_table(path, table, &mut slices, ask, context)?),
        None => by_folder(&shown, &mut slices, ask)?,
    };
    let owned = owners(&slices.headers);
    let labelled = labels.is_some();
    let nothing = || Targets::Values { values: vec![0.0; owned.len()], names: vec!["none".into()] };
    let (targets, given) = labels.map_or_else(|| (nothing(), None), |l| (l.targets, l.parts));
    let drawn = given.is_none() && labelled;
    let of = match given {
        Some(given) => given,
        None if labelled => parts(&owned),
        None => vec![Part::Train; owned.len()],
    };
    if let Some([a, b]) = divided(&owned, &of) {
        let [a, b] = [a, b].map(|i| slices.files[i].1.display());
        bail!(
            "{shown}: {a} and {b} are of one patient and in different parts; keep each patient in one part"
        );
    }
    let order = order(&stacks(&slices.headers), &of);
    let window = ask.window.unwrap_or(Window::SOFT);
    let mut summary = Summary::new(&slices.headers, &owned, &of, &window);
    summary.labelled = labelled;
    if drawn {
        summary.tell(context);
    }
    let size = ask.size.or_else(|| size(&slices.headers, &of)).unwrap_or([1, 1]);
    let listed = Listed {
        name: name(&shown),
        paths: order.iter().map(|&i| slices.files[i].1.clone()).collect(),
        parts: order.iter().map(|&i| of[i]).collect(),
        targets: targets.select(&order),
        skipped: slices.skipped,
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
    let mut opened = listed.read_with(size, ask, context, Arc::new(decode))?;
    summary.hounsfield = range.lock().map_or(None, |range| *range);
    opened.ct = Some(summary);
    Ok(opened)
}

/// The size that suits the training slices, in square pixels.
fn size(headers: &[Header], parts: &[Part]) -> Option<[usize; 2]> {
    let train = headers.iter().zip(parts).filter(|(_, part)| **part == Part::Train);
    common_size(&train.map(|(header, _)| header.square()).collect::<Vec<_>>())
}

/// Part by part, series by series, by place within each.
fn order(stacks: &[Stack], parts: &[Part]) -> Vec<usize> {
    let mut order: Vec<usize> = stacks.iter().flat_map(|stack| stack.slices.iter().copied()).collect();
    order.sort_by_key(|&i| parts[i]);
    order
}

/// Classes by folders; `None` where there are none and none are needed.
fn by_folder(shown: &str, slices: &mut Slices<'_>, ask: &Ask) -> Result<Option<Labels>> {
    let names: Vec<Vec<String>> = slices.files.iter().map(|(names, _)| names.clone()).collect();
    let layout = match folder::layout_of(&names, &|_| true, shown, ask.classes) {
        Ok(layout) if layout.others.is_empty() || !ask.unlabelled => layout,
        _ if ask.unlabelled => return Ok(None),
        Ok(layout) => layout,
        Err(error) => bail!(
            "{error}; slices are labelled by class folders, or by --labels LABELS.csv with a heading of file, \
             series or patient and the targets"
        ),
    };
    for &i in &layout.others {
        slices.skipped.push(format!("{}: stands in no class folder", slices.files[i].1.display()));
    }
    let kept: Vec<usize> = layout.pictures.iter().map(|entry| entry.path).collect();
    slices.select(&kept);
    let parts: Vec<Part> = layout.pictures.iter().map(|entry| entry.part).collect();
    let parted = parts.iter().any(|part| *part != Part::Train);
    let labels = layout.pictures.iter().map(|entry| entry.class).collect();
    let targets = Targets::Classes { labels, names: layout.classes };
    Ok(Some(Labels { targets, parts: parted.then_some(parts) }))
}

/// Labels from a table whose first column names files, series or patients.
fn by_table(
    path: &Path,
    table: &Path,
    slices: &mut Slices<'_>,
    ask: &Ask,
    context: &Context,
) -> Result<Labels> {
    let shown = table.display().to_string();
    let read = read_csv(&files::read(table)?, &shown, ask.task, ask.classes)?;
    let rows = rows(&read, slices).ok_or_else(|| {
        anyhow!("{shown}: its first column must be headed file, series or patient; the targets follow")
    })?;
    let mut kept = Vec::new();
    let mut of_kept = Vec::new();
    let no = context.say("has no row in", "다음 표에 행이 없음:");
    for (i, row) in rows.into_iter().enumerate() {
        let Some(row) = row else {
            let line = format!("{}: {no} {shown}", slices.files[i].1.display());
            if ask.strict {
                bail!("{line}; add one, or leave --strict out");
            }
            slices.skipped.push(line);
            continue;
        };
        kept.push(i);
        of_kept.push(row);
    }
    if kept.is_empty() {
        bail!("{shown}: none of its {} rows names a slice of {}", read.paths.len(), path.display());
    }
    let unused = read.paths.len() - of_kept.iter().collect::<HashSet<_>>().len();
    if unused > 0 {
        let (n, shown) = (count(unused as u64), &shown);
        let line = format!("{shown}의 행 {n}개에 맞는 단면이 없음");
        slices.skipped.push(context.language.pick(format!("{n} rows of {shown} name no slice"), line));
    }
    slices.select(&kept);
    let parts = read.parted.then(|| of_kept.iter().map(|&row| read.parts[row]).collect());
    Ok(Labels { targets: read.targets.select(&of_kept), parts })
}

/// The row of each slice; `None` where the table's heading does not say what it names.
fn rows(table: &Table, slices: &Slices<'_>) -> Option<Vec<Option<usize>>> {
    let each = slices.headers.iter().zip(&slices.files);
    if matches!(table.key.as_str(), "file" | "path") {
        // The table is composed (NFC); a file system may have taken Hangul and accents apart.
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

impl Summary {
    fn new(headers: &[Header], owned: &[Id], of: &[Part], window: &Window) -> Self {
        let named: HashSet<Id> = headers.iter().filter_map(Header::patient).collect();
        let series: HashSet<Id> = headers.iter().map(Header::series).collect();
        let sides = |axis: usize| {
            let sides = headers.iter().map(|h| h.size()[axis]);
            [sides.clone().min().unwrap_or(0), sides.max().unwrap_or(0)]
        };
        let widened = |found: Option<[f64; 2]>, [low, high]: [f64; 2]| {
            Some(found.map_or([low, high], |[a, b]| [a.min(low), b.max(high)]))
        };
        let spacing = headers.iter().map(|h| h.spacing()).map(|[a, b]| [a.min(b), a.max(b)]);
        let owners_of = |part: Part| {
            let own = owned.iter().zip(of).filter(|(_, p)| **p == part);
            own.map(|(id, _)| id).collect::<HashSet<_>>().len()
        };
        Self {
            patients: named.len(),
            without_patient: headers.iter().filter(|h| h.patient().is_none()).count(),
            series: series.len(),
            slices: headers.len(),
            rows: sides(0),
            columns: sides(1),
            spacing: spacing.fold(None, widened).unwrap_or_default(),
            distance: stacks(headers).iter().filter_map(|s| s.distances).fold(None, widened),
            hounsfield: None,
            window: [window.centre(), window.width()],
            labelled: true,
            split: [Part::Train, Part::Validation, Part::Test].map(owners_of),
        }
    }

    /// Says how the patients were divided.
    fn tell(&self, context: &Context) {
        let [train, validation, test] = self.split.map(|n| count(n as u64));
        context.note(&context.language.pick(
            format!(
                "divided by patient: {train} for training, {validation} for validation, {test} for the test"
            ),
            format!("환자 단위로 나눔: 훈련 {train}명, 검증 {validation}명, 시험 {test}명"),
        ));
        if self.without_patient > 0 {
            let n = count(self.without_patient as u64);
            context.note(&context.language.pick(
                format!("{n} slices name no patient: divided by study, and without one by series"),
                format!("단면 {n}개에 환자 ID가 없음: 검사 단위로, 검사도 없으면 시리즈 단위로 나눔"),
            ));
        }
    }

    /// In words.
    pub fn lines(&self, context: &Context) -> Vec<[String; 2]> {
        let whole = |[a, b]: [usize; 2]| if a == b { a.to_string() } else { format!("{a}–{b}") };
        let mm = |[a, b]: [f64; 2]| {
            let [a, b] = [a, b].map(|v| (v * 1000.0).round() / 1000.0);
            if a == b { format!("{a} mm") } else { format!("{a}–{b} mm") }
        };
        let to = |[a, b]: [f32; 2]| context.language.pick(format!("{a} to {b} HU"), format!("{a} ~ {b} HU"));
        let [centre, width] = self.window;
        let name = Window::PRESETS.iter().find(|(_, w)| [w.centre(), w.width()] == self.window);
        let name = name.map_or(String::new(), |(name, _)| format!(" ({name})"));
        let mut lines = vec![
            (context.say("patients", "환자"), count(self.patients as u64)),
            (context.say("series", "시리즈"), count(self.series as u64)),
            (context.say("slices", "단면"), count(self.slices as u64)),
            (context.say("rows", "행"), whole(self.rows)),
            (context.say("columns", "열"), whole(self.columns)),
            (context.say("pixel spacing", "픽셀 간격"), mm(self.spacing)),
        ];
        if self.without_patient > 0 {
            let title = context.say("slices without a patient", "환자 ID가 없는 단면");
            lines.insert(1, (title, count(self.without_patient as u64)));
        }
        lines.extend(self.distance.map(|d| (context.say("slice distance", "단면 간격"), mm(d))));
        lines.extend(self.hounsfield.map(|range| (context.say("values", "값"), to(range))));
        lines.push((context.say("window", "창"), format!("{centre},{width}{name}")));
        lines.into_iter().map(|(title, value)| [title.to_owned(), value]).collect()
    }
}
