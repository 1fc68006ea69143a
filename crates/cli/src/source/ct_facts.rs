//! What a data set of CT holds, for `foveal data check` and for the user who trains.

use crate::output::{Context, count};
use foveal::data::dicom::{Header, Id, stacks};
use foveal::data::{Part, Window};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// What a data set of CT holds.
#[derive(Serialize, Clone)]
pub struct CtFacts {
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
    /// What deserves a look, in both languages.
    pub odd: Vec<[String; 2]>,
}

/// Neighbours farther apart than this many times the least distance lack a slice between them.
const GAP: f64 = 1.75;
/// Slices nearer than this, in millimetres, are at one place.
const SAME: f64 = 0.01;
/// Pixel spacings that differ by this factor are said.
const SPACINGS: f64 = 1.5;

/// What is odd about the series of slices.
fn odd(headers: &[Header]) -> Vec<[String; 2]> {
    let stacks = stacks(headers);
    let mut of_series: HashMap<Id, usize> = HashMap::new();
    stacks.iter().for_each(|stack| *of_series.entry(headers[stack.slices[0]].series()).or_default() += 1);
    let mixed = of_series.values().filter(|n| **n > 1).count();
    let doubled = stacks.iter().filter(|s| s.distances.is_some_and(|[low, _]| low.abs() < SAME)).count();
    let uneven = |[low, high]: [f64; 2]| low.abs() >= SAME && high > GAP * low;
    let gaps = stacks.iter().filter(|s| s.distances.is_some_and(uneven)).count();
    let spacing = headers.iter().map(|h| h.spacing()[0]);
    let [low, high] = spacing.fold([f64::INFINITY, 0.0], |[a, b]: [f64; 2], v| [a.min(v), b.max(v)]);
    let mut odd = Vec::new();
    let mut add = |n: usize, english: &str, korean: &str| {
        if n > 0 {
            odd.push([format!("{n} series {english}"), format!("시리즈 {n}개: {korean}")]);
        }
    };
    add(
        mixed,
        "of slices of several directions or sizes (a localizer?)",
        "방향이나 크기가 다른 단면이 섞임(로컬라이저?)",
    );
    add(doubled, "with two slices at one place", "같은 자리에 단면이 둘 이상 있음");
    add(gaps, "with uneven distances (missing slices?)", "단면 간격이 고르지 않음(빠진 단면?)");
    if high > SPACINGS * low {
        odd.push([
            format!("pixel spacings from {low} to {high} mm: one pixel is not the same length everywhere"),
            format!("픽셀 간격이 {low}~{high} mm로, 픽셀 하나의 길이가 서로 다름"),
        ]);
    }
    odd
}

impl CtFacts {
    pub fn new(headers: &[Header], owned: &[Id], of: &[Part], window: &Window) -> Self {
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
            odd: odd(headers),
            split: [Part::Train, Part::Validation, Part::Test].map(owners_of),
        }
    }

    /// Says what else patients are told by.
    pub fn tell(&self, context: &Context) {
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
