//! What is found out about a data set of CT.

use super::ct_facts::CtFacts;
use crate::output::{Context, count};
use foveal::data::dicom::{Header, Id, stacks};
use foveal::data::{Part, Window};
use std::collections::{HashMap, HashSet};

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
    /// What `headers` say, of owners `owned`, each in its part.
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
}
