//! Which samples are held out where the data set does not say itself, and what is said about it.

use super::grouped::{By, Grouped};
use super::told::Told;
use crate::args::values::Share;
use crate::output::count;
use anyhow::{Result, bail};
use foveal::data::check::{Fault, odd_targets, repeats};
use foveal::data::divide::{Divided, divide};
use foveal::data::groups::Groups;
use foveal::data::near::within;
use foveal::data::{Dataset, Split};
use foveal::train::Division;

/// So many classes are named.
const NAMED: usize = 8;
/// Pictures with a side below this are near one another without being copies.
const LEAST: usize = 16;
/// Of more samples than this no near copies are looked for.
const LOOKED: usize = 20_000;

/// How many samples are asked for.
#[derive(Clone, Copy, Default)]
pub struct Held {
    pub validation: Option<Share>,
    pub test: Option<Share>,
}

/// A data set that is to be divided.
pub struct Whole<'a> {
    pub data: &'a Dataset,
    /// How it is called on the command line.
    pub shown: &'a str,
    /// How many samples at its end are for validation, as it says itself.
    pub held: usize,
    /// Whether it brings a test part of its own.
    pub tested: bool,
    /// The share of the test, unless told otherwise.
    pub test: f64,
    /// What must not be divided.
    pub groups: Option<&'a Grouped>,
}

/// The groups that a split keeps whole, and what is said about them.
#[derive(Clone)]
pub struct Kept {
    /// What tells them; nothing where only equal samples are groups.
    pub by: Option<By>,
    /// `None` where every sample is one of its own.
    pub groups: Option<Groups>,
    /// The groups that were named, without equal samples joined.
    pub named: Option<Groups>,
    /// Samples that repeat an earlier one.
    pub repeats: usize,
    /// Samples that nearly repeat an earlier one, and stay with it.
    pub near: usize,
    /// How many of them are of another group than that one, and stay there.
    pub apart: usize,
}

/// A data set that was divided.
pub struct Parts {
    pub split: Split,
    /// Samples of the same data set for the test; empty where it has a test part of its own, or none.
    pub test: Vec<u32>,
    pub told: Vec<Told>,
    /// How the parts were drawn, if they were.
    pub division: Option<Division>,
    pub kept: Kept,
}

impl Kept {
    /// Every sample stands for itself.
    pub fn none() -> Self {
        Self { by: None, groups: None, named: None, repeats: 0, near: 0, apart: 0 }
    }

    /// The groups of a data set: those that were asked for, joined where samples are equal.
    pub fn of(whole: &Whole) -> Result<Self> {
        let named = whole.groups.map(|grouped| Groups::by(&grouped.keys));
        if let (Some(groups), Some(grouped)) = (&named, whole.groups)
            && groups.len() < 2
        {
            let by = grouped.by.name();
            bail!("--group {by}: all samples of {} are of one group; name another one", whole.shown);
        }
        // Samples that are not in memory would all have to be read once more.
        let pairs = if whole.data.stored().is_some() { Vec::new() } else { repeats(whole.data) };
        let by = whole.groups.map(|grouped| grouped.by.clone());
        let [h, w, _] = whole.data.shape();
        let small = whole.data.vocabulary().is_none() && h.min(w) < LEAST;
        let many = whole.data.stored().is_some() || whole.data.len() > LOOKED;
        let near = if small || many || by == Some(By::Patient) { Vec::new() } else { within(whole.data) };
        // A patient is one whatever slices look like, and equal samples must not make one group of nearly all.
        let joined = |named: &Groups| {
            let joined = named.clone().joined(&pairs);
            (by != Some(By::Patient) && 2 * joined.len() >= named.len()).then_some(joined)
        };
        let groups = match (&named, pairs.is_empty()) {
            (named, true) => named.clone(),
            (Some(named), false) => joined(named).or_else(|| Some(named.clone())),
            (None, false) => Some(Groups::by(0..whole.data.len()).joined(&pairs)),
        };
        let (groups, near) = with_near(groups, &near, whole.data.len());
        let apart = match (&groups, &named) {
            (Some(groups), Some(_)) => {
                let place = groups.places();
                pairs.iter().filter(|[a, b]| place[*a] != place[*b]).count()
            }
            _ => 0,
        };
        Ok(Self { by, groups, named, repeats: pairs.len(), near, apart })
    }
}

/// Groups with near samples joined, too, and how many are; as they are where nearly all would become one group: pictures
/// that are all alike, such as slices of one thing, are no copies.
fn with_near(groups: Option<Groups>, near: &[[usize; 2]], n: usize) -> (Option<Groups>, usize) {
    if near.is_empty() {
        return (groups, 0);
    }
    let own = groups.clone().unwrap_or_else(|| Groups::by(0..n));
    let joined = own.clone().joined(near);
    if joined.len() < 2 || 3 * joined.len() < own.len() {
        return (groups, 0);
    }
    (Some(joined), near.len())
}

impl Whole<'_> {
    /// The shares of validation and test that are asked for, or the usual ones.
    pub fn shares(&self, held: Held) -> Result<[f64; 2]> {
        let (n, shown) = (self.data.len(), self.shown);
        if let (Some(wanted), 1..) = (held.validation, self.held) {
            bail!("--validation {wanted}: {shown} brings {} validation samples of its own", self.held);
        }
        if let (Some(wanted), true) = (held.test, self.tested) {
            bail!("--test {wanted}: {shown} brings a test part of its own; leave it out");
        }
        let usual = if self.groups.is_some() { 0.1 } else { Share::Count(n / 10).of(n) };
        let validation = if self.held > 0 { 0.0 } else { held.validation.map_or(usual, |share| share.of(n)) };
        let test = held.test.map_or(self.test, |share| share.of(n));
        if validation >= 1.0 || validation + test >= 1.0 {
            let option = match (held.validation, held.test) {
                (Some(v), Some(t)) => format!("--validation {v} --test {t}"),
                (Some(v), None) => format!("--validation {v}"),
                (None, Some(t)) => format!("--test {t}"),
                (None, None) => "it".to_owned(),
            };
            bail!("{option} leaves none of the {n} samples of {shown} to train on");
        }
        Ok([validation, test])
    }

    /// Divides the data set by `seed`.
    pub fn divide(&self, held: Held, seed: u64) -> Result<Parts> {
        let shares = self.shares(held)?;
        let kept = Kept::of(self)?;
        let (n, data) = (self.data.len(), self.data);
        // What the data set names itself stays as it is.
        let own = Split::last(n, self.held)?;
        let pool = own.train.len();
        let labels = data.labels().map(|labels| &labels[..pool]);
        let groups = kept.groups.as_ref().map(|groups| groups.within(&own.train));
        let Divided { train, validation, test } = divide(pool, labels, groups.as_ref(), shares, seed)?;
        let validation = if self.held > 0 { own.validation } else { validation };
        let group = kept.by.as_ref().map(|by| by.name().to_owned());
        let division = Division { group, held: shares, seed, samples: n, check: checksum(data, &kept) };
        let mut parts = Parts {
            split: Split { train, validation },
            test,
            told: Vec::new(),
            division: shares.iter().any(|share| *share > 0.0).then_some(division),
            kept,
        };
        parts.told = self.told(&parts, shares);
        Ok(parts)
    }

    /// What is said about the parts, `shares` of which were asked for.
    fn told(&self, parts: &Parts, shares: [f64; 2]) -> Vec<Told> {
        let Parts { split, test, kept, .. } = parts;
        let of = [&split.train[..], &split.validation, test];
        let mut told = Vec::new();
        if let (Some(by), Some(named)) = (&kept.by, &kept.named) {
            told.push(by_group(by, of.map(|part| named.count(part)), of.map(<[u32]>::len)));
        } else if shares.iter().any(|share| *share > 0.0) {
            told.push(one_by_one(of.map(<[u32]>::len), self.data.classes().is_some()));
        }
        if kept.apart > 0 {
            let n = count(kept.apart as u64);
            told.push(Told([
                format!("{n} samples repeat one of another group exactly, which may stand in another part (foveal data check)"),
                format!("다른 그룹의 표본과 똑같은 표본 {n}개: 서로 다른 쪽에 들 수 있음(foveal data check)"),
            ]));
        } else if kept.repeats > 0 {
            let n = count(kept.repeats as u64);
            told.push(Told([
                format!("{n} samples repeat another one exactly: equal ones are kept in one part (foveal data check)"),
                format!("다른 표본과 똑같은 표본 {n}개: 같은 표본은 한쪽에만 둠(foveal data check)"),
            ]));
        }
        told.extend(
            odd_targets(self.data).iter().map(|fault| Told([format!("warning: {fault}"), warning(fault)])),
        );
        if kept.near > 0 {
            let n = count(kept.near as u64);
            told.push(Told([
                format!("{n} samples are almost another one: they are kept in one part with it (foveal data check)"),
                format!("다른 표본과 거의 같은 표본 {n}개: 그 표본과 같은 쪽에 둠(foveal data check)"),
            ]));
        }
        for (name, part, wanted) in [
            (["validation", "검증"], &split.validation, self.held > 0 || shares[0] > 0.0),
            (["test", "테스트"], test, shares[1] > 0.0),
        ] {
            if wanted {
                told.extend(lacking(self.data, name, part));
            }
        }
        told
    }
}

/// A checksum of the targets of a data set and of what is kept together, in their order.
fn checksum(data: &Dataset, kept: &Kept) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    match data.labels() {
        Some(labels) => labels.iter().for_each(|label| sum.update(&label.to_le_bytes())),
        None => {
            let all = (0..data.len()).filter_map(|i| data.values(i)).flatten();
            all.for_each(|value| sum.update(&value.to_le_bytes()));
        }
    }
    let groups = kept.groups.as_ref().map_or_else(Vec::new, Groups::places);
    groups.iter().for_each(|group| sum.update(&group.to_le_bytes()));
    sum.finalize()
}

/// The samples of the test that a training drew from this data set; `None` where it drew none, or from other data.
pub fn drawn_before(whole: &Whole, division: &Division) -> Result<Option<Vec<u32>>> {
    let group = whole.groups.map(|grouped| grouped.by.name());
    if whole.tested || division.held[1] <= 0.0 || division.samples != whole.data.len() {
        return Ok(None);
    }
    if division.group.as_deref() != group || division.check != checksum(whole.data, &Kept::of(whole)?) {
        return Ok(None);
    }
    let [validation, test] = division.held.map(Share::Part);
    let parts = whole.divide(
        Held { validation: Some(validation).filter(|_| whole.held == 0), test: Some(test) },
        division.seed,
    )?;
    Ok(Some(parts.test))
}

/// A fault of targets, in Korean.
fn warning(fault: &Fault) -> String {
    match fault {
        Fault::ConstantTarget { target, value } => format!("주의: 타깃 {target:?}이 모든 표본에서 {value}임"),
        Fault::OutlyingTargets { target, range: [low, high], median, samples } => format!(
            "주의: 표본 {}개의 타깃 {target:?}이 {low}~{high}로 동떨어져 있음(중앙값 {median}). --loss huber를 써 보세요",
            samples.len()
        ),
        _ => fault.to_string(),
    }
}

fn by_group(by: &By, groups: [usize; 3], samples: [usize; 3]) -> Told {
    let [train, validation, test] = groups.map(|n| count(n as u64));
    let [a, b, c] = samples.map(|n| count(n as u64));
    let name = by.name().escape_debug().to_string();
    let name_ko = match by {
        By::Patient => "환자",
        By::Folder => "폴더",
        By::Prefix => "접두어",
        By::Column(_) => &name,
    };
    Told([
        format!(
            "divided by {name}: {train} for training, {validation} for validation, {test} for the test ({a}, {b} and {c} samples)"
        ),
        format!(
            "{name_ko} 단위로 나눔: 훈련 {train}, 검증 {validation}, 테스트 {test} (표본 {a}, {b}, {c}개)"
        ),
    ])
}

fn one_by_one(samples: [usize; 3], classes: bool) -> Told {
    let [a, b, c] = samples.map(|n| count(n as u64));
    let (how, how_ko) = if classes { (", class by class", ", 클래스 비율을 지켜") } else { ("", "") };
    Told([
        format!("drawn by the seed{how}: {a} samples for training, {b} for validation, {c} for the test"),
        format!("시드로{how_ko} 나눔: 표본 {a}개는 훈련, {b}개는 검증, {c}개는 테스트"),
    ])
}

/// That a part is empty, lacks classes or has a single sample of one, or is too small for a figure.
pub fn lacking(data: &Dataset, [part, part_ko]: [&str; 2], indices: &[u32]) -> Option<Told> {
    if indices.is_empty() {
        return Some(Told([
            format!("nothing is left for {part}: there are too few groups of a class"),
            format!("{part_ko}에 쓸 것이 없음: 클래스의 그룹이 너무 적음"),
        ]));
    }
    let (names, labels) = (data.classes()?, data.labels()?);
    let mut seen = vec![0usize; names.len()];
    indices.iter().for_each(|&i| seen[labels[i as usize] as usize] += 1);
    // Classes that have no sample at all are said elsewhere.
    let there = data.class_counts();
    let there = (0..names.len()).filter(|&class| there[class] > 0);
    let (names, seen): (Vec<String>, Vec<usize>) =
        there.map(|class| (names[class].clone(), seen[class])).unzip();
    let [english, korean] = thin(&names, &seen)?;
    Some(Told([format!("{part}: {english}"), format!("{part_ko}: {korean}")]))
}

/// Which classes have no sample or a single one, by the number of samples of each, in both languages; `None` where none.
pub fn thin(names: &[String], seen: &[usize]) -> Option<[String; 2]> {
    let list = |wanted: usize| -> Option<String> {
        let all: Vec<&String> =
            names.iter().zip(seen).filter(|(_, n)| **n == wanted).map(|(name, _)| name).collect();
        let first: Vec<String> = all.iter().take(NAMED).map(|name| name.escape_debug().to_string()).collect();
        let more = if all.len() > NAMED { ", …" } else { "" };
        let n = all.len();
        (n > 0).then(|| {
            format!("{}{more}", first.join(", ")) + &if n > NAMED { format!(" ({n})") } else { String::new() }
        })
    };
    let none =
        list(0).map(|list| [format!("no sample of class {list}"), format!("클래스 {list}의 표본이 없음")]);
    let one = list(1)
        .map(|list| [format!("a single sample of class {list}"), format!("클래스 {list}의 표본이 하나뿐임")]);
    none.into_iter().chain(one).reduce(|[a, b], [c, d]| [format!("{a}; {c}"), format!("{b}; {d}")])
}
