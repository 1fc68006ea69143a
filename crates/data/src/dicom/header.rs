//! What a slice is and where it lies, as its elements say.

use std::fmt;

use super::elements::Elements;
use super::tags::{self, Tag};
use crate::Error;

/// The longest side of a slice.
const MAX_SIDE: usize = 16_384;
/// The most pixels of a slice: at 4 bytes each, 64 MB.
pub(super) const MAX_PIXELS: usize = 1 << 24;
/// The greatest spacing of pixels and distance of a slice, in millimetres.
const MAX_SPACING: f64 = 1000.0;
/// The largest ratio of the two spacings.
const MAX_RATIO: f64 = 16.0;
/// How far the directions of an orientation may be from length 1 and from a right angle.
const CROOKED: f64 = 0.01;

/// A patient, a study or a series, as a 64-bit hash of its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u64);

impl Id {
    /// The hash of a name, without the spaces around it.
    pub fn of(name: &[u8]) -> Self {
        let padding = |b: &u8| matches!(b, b' ' | 0);
        let start = name.iter().position(|b| !padding(b)).unwrap_or(name.len());
        let end = name.iter().rposition(|b| !padding(b)).map_or(start, |last| last + 1);
        // FNV-1a, then the last steps of SplitMix64, so that similar names get very different hashes.
        let hash = name[start..end].iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Id(hash ^ hash >> 31)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Id")
    }
}

/// What a slice is and where it lies.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Header {
    pub(super) patient: Option<Id>,
    pub(super) study: Option<Id>,
    pub(super) series: Id,
    pub(super) size: [usize; 2],
    pub(super) spacing: [f64; 2],
    pub(super) position: [f64; 3],
    pub(super) orientation: [f64; 6],
}

impl Header {
    /// The patient, if the file names one.
    pub fn patient(&self) -> Option<Id> {
        self.patient
    }

    /// The series.
    pub fn series(&self) -> Id {
        self.series
    }

    /// Rows and columns.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// Millimetres from row to row and from column to column.
    pub fn spacing(&self) -> [f64; 2] {
        self.spacing
    }

    /// Height and width in square pixels, each as small as the smaller side of a real pixel.
    pub fn square(&self) -> [usize; 2] {
        let least = self.spacing[0].min(self.spacing[1]);
        [0, 1].map(|i| ((self.size[i] as f64 * self.spacing[i] / least).round() as usize).max(1))
    }

    /// Where the slice lies along the normal of its plane, in millimetres.
    pub fn place(&self) -> f64 {
        self.normal().iter().zip(self.position).map(|(n, p)| n * p).sum()
    }

    /// The normal of the slice's plane: the cross product of the directions of rows and columns.
    pub(super) fn normal(&self) -> [f64; 3] {
        let [a, b, c, d, e, f] = self.orientation;
        [b * f - c * e, c * d - a * f, a * e - b * d]
    }

    pub(super) fn new(elements: &Elements<'_>) -> Result<Self, Error> {
        allowed(elements)?;
        let size = [elements.needed(tags::ROWS)?, elements.needed(tags::COLUMNS)?].map(usize::from);
        let [rows, columns] = size;
        if rows == 0 || columns == 0 {
            return Err(elements.wrong(format!("it has {rows} rows and {columns} columns")));
        }
        if rows.max(columns) > MAX_SIDE || rows * columns > MAX_PIXELS {
            return Err(Error::TooLarge {
                file: elements.file.to_string(),
                declared: format!("{rows} rows and {columns} columns"),
                limit: format!("{MAX_PIXELS} pixels or sides of {MAX_SIDE}"),
                remedy: "a slice of CT has some 512 each way: check the file",
            });
        }
        let id = |tag: Tag| elements.text(tag).and_then(|_| elements.get(tag)).map(Id::of);
        let series = id(tags::SERIES).ok_or_else(|| elements.missing(tags::SERIES))?;
        let position = elements.decimals(tags::POSITION)?;
        let orientation = orientation(elements)?;
        let spacing = spacing(elements)?;
        let (patient, study) = (id(tags::PATIENT), id(tags::STUDY));
        Ok(Self { patient, study, series, size, spacing, position, orientation })
    }
}

/// Two directions of length 1 at right angles.
fn orientation(elements: &Elements<'_>) -> Result<[f64; 6], Error> {
    let all: [f64; 6] = elements.decimals(tags::ORIENTATION)?;
    let (row, column) = all.split_at(3);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let straight = |v: &[f64]| (dot(v, v) - 1.0).abs() < CROOKED;
    if !(straight(row) && straight(column) && dot(row, column).abs() < CROOKED) {
        let tag = tags::ORIENTATION;
        return Err(elements.wrong(format!("{tag} is not two directions at right angles")));
    }
    Ok(all)
}

fn spacing(elements: &Elements<'_>) -> Result<[f64; 2], Error> {
    let [row, column]: [f64; 2] = elements.decimals(tags::SPACING)?;
    let fits = |v: f64| v > 0.0 && v <= MAX_SPACING;
    if !fits(row) || !fits(column) || row.max(column) > MAX_RATIO * row.min(column) {
        let tag = tags::SPACING;
        return Err(elements.wrong(format!(
            "{tag} is {row} and {column} millimetres, where both must be above 0 and at most {MAX_SPACING}, \
             and neither over {MAX_RATIO} times the other"
        )));
    }
    Ok([row, column])
}

/// Refuses files that are not a single slice of CT.
fn allowed(elements: &Elements<'_>) -> Result<(), Error> {
    let no = |what: &str, remedy| Error::Unsupported {
        file: elements.file.to_string(),
        what: what.to_string(),
        remedy,
    };
    let modality = elements.text(tags::MODALITY).ok_or_else(|| elements.missing(tags::MODALITY))?;
    if modality != "CT" {
        const KNOWN: [&str; 14] =
            ["MR", "PT", "NM", "US", "CR", "DX", "MG", "XA", "RF", "SC", "OT", "RTSTRUCT", "RTDOSE", "SEG"];
        let known = KNOWN.iter().find(|known| **known == modality);
        let what = known.map_or("another modality than CT".to_string(), |known| format!("modality {known}"));
        return Err(no(&what, "only CT is measured in Hounsfield units; save other pictures as 16-bit PNG"));
    }
    if elements.text(tags::BURNED_IN).is_some_and(|v| v == "YES") {
        let remedy = "pixels with a name in them would end up in reports: take the file out";
        return Err(no("pixels marked BurnedInAnnotation", remedy));
    }
    if let Some(frames) = elements.text(tags::FRAMES)
        && frames != "1"
    {
        return Err(no("several frames (NumberOfFrames)", "write each frame as a file of its own"));
    }
    Ok(())
}
