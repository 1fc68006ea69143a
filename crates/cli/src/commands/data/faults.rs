//! What deserves a look in a data set, in words, with the names of samples; and what was looked for.

use crate::output::{Context, count};
use foveal::data::{Dataset, Fault, Report};
use serde::Serialize;

/// So many samples are named, in words and in JSON.
const NAMED: [usize; 2] = [5, 100];

/// What deserves a look, for a program.
#[derive(Serialize)]
pub struct Suspects {
    what: &'static str,
    count: usize,
    /// Some of the samples: files, or indices. Those that are alike stand side by side.
    samples: Vec<String>,
}

/// A part of a data set and what was found in it.
pub struct Part<'a> {
    pub name: &'a str,
    pub report: &'a Report,
    /// The file of each sample, where samples are files.
    pub files: Option<&'a [String]>,
}

impl Part<'_> {
    fn sample(&self, i: usize) -> String {
        self.files
            .and_then(|files| files.get(i))
            .map_or_else(|| i.to_string(), |file| file.escape_debug().to_string())
    }

    /// The faults, each with its samples.
    pub fn suspects(&self) -> Vec<Suspects> {
        let one = |fault: &Fault| Suspects {
            what: kind(fault),
            count: fault.count(),
            samples: fault.samples().iter().take(NAMED[1]).map(|&i| self.sample(i)).collect(),
        };
        self.report.faults.iter().map(one).collect()
    }

    /// The faults as lines.
    pub fn lines(&self, context: &Context) -> Vec<String> {
        let line = |fault: &Fault| {
            let names = match fault {
                Fault::Duplicates { pairs } | Fault::Contradictions { pairs } => pairs
                    .iter()
                    .take(NAMED[0])
                    .map(|[a, b]| format!("{} = {}", self.sample(*b), self.sample(*a)))
                    .collect(),
                _ => fault.samples().iter().take(NAMED[0]).map(|&i| self.sample(i)).collect::<Vec<_>>(),
            };
            let more = fault.count().saturating_sub(NAMED[0]);
            let more = if more > 0 { format!(", … (+{})", count(more as u64)) } else { String::new() };
            let names =
                if names.is_empty() { String::new() } else { format!(": {}{more}", names.join(", ")) };
            let words = context.language.pick(fault.to_string(), korean(fault));
            format!("{}: {words}{names}", self.name)
        };
        self.report.faults.iter().map(line).collect()
    }
}

/// The name of a fault for programs.
pub fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::EmptyClass { .. } => "empty_class",
        Fault::SingleSample { .. } => "single_sample",
        Fault::ManyClasses { .. } => "many_classes",
        Fault::AlikeClasses { .. } => "alike_classes",
        Fault::Imbalance { .. } => "imbalance",
        Fault::ConstantTarget { .. } => "constant_target",
        Fault::OutlyingTargets { .. } => "outlying_targets",
        Fault::NotFinite { .. } => "not_finite",
        Fault::Blank { .. } => "blank",
        Fault::Duplicates { .. } => "duplicates",
        Fault::Contradictions { .. } => "contradictions",
        _ => "other",
    }
}

/// What is looked for: the names of faults, and what they are called.
const CLASSES: [(&[&str], &str, &str); 3] = [
    (
        &["empty_class", "single_sample", "many_classes"],
        "classes with one sample or none",
        "표본이 없거나 하나뿐인 클래스",
    ),
    (&["alike_classes"], "classes spelled alike", "철자가 비슷한 클래스"),
    (&["imbalance"], "imbalance beyond ten to one", "10대 1을 넘는 불균형"),
];
const VALUES: [(&[&str], &str, &str); 1] =
    [(&["constant_target", "outlying_targets"], "constant or outlying targets", "상수이거나 동떨어진 타깃")];
const SAMPLES: [(&[&str], &str, &str); 3] = [
    (&["not_finite"], "NaN and infinity", "NaN과 무한대"),
    (&["blank"], "blank samples", "빈 표본"),
    (&["duplicates", "contradictions"], "equal samples", "똑같은 표본"),
];

/// What was looked for and not found.
pub fn absent(data: &Dataset, parts: &[Part<'_>], between: bool, context: &Context) -> String {
    let own = if data.classes().is_some() { &CLASSES[..] } else { &VALUES[..] };
    let found: Vec<&str> = parts.iter().flat_map(|part| part.report.faults.iter().map(kind)).collect();
    let absent =
        own.iter().chain(&SAMPLES).filter(|(kinds, ..)| kinds.iter().all(|kind| !found.contains(kind)));
    let mut words: Vec<&str> = absent.map(|(_, english, korean)| context.say(english, korean)).collect();
    if !between && parts.len() > 1 {
        words.push(
            context
                .say("equal or nearly equal samples in two parts", "두 데이터에 걸친 같거나 거의 같은 표본"),
        );
    }
    if words.is_empty() {
        return String::new();
    }
    format!("\n{} {}.\n", context.say("Looked for and not found:", "찾아보았으나 없음:"), words.join(", "))
}

pub fn korean(fault: &Fault) -> String {
    let n = fault.count();
    match fault {
        Fault::EmptyClass { class } => format!("클래스 {class:?}에 표본이 없습니다"),
        Fault::SingleSample { class, .. } => format!("클래스 {class:?}에 표본이 하나뿐입니다"),
        Fault::ManyClasses { classes } => {
            format!("클래스가 {classes}개로 표본 수와 거의 같습니다. 열이 뒤바뀌지 않았습니까?")
        }
        Fault::AlikeClasses { classes: [a, b], counts: [m, n], .. } => {
            format!("클래스 {a:?}(표본 {m}개)와 {b:?}({n}개)는 철자가 비슷합니다")
        }
        Fault::Imbalance { most: (a, m), least: (b, n) } => {
            format!("클래스 {a:?}의 표본은 {m}개, {b:?}의 표본은 {n}개로 10대 1을 넘습니다")
        }
        Fault::ConstantTarget { target, value } => format!("타깃 {target:?}이 모든 표본에서 {value}입니다"),
        Fault::OutlyingTargets { target, range: [low, high], median, .. } => {
            let range = if low == high { format!("{low}") } else { format!("{low}~{high}") };
            format!("표본 {n}개의 타깃 {target:?}이 {range}로 다른 값과 동떨어져 있습니다(중앙값 {median})")
        }
        Fault::NotFinite { .. } => format!("표본 {n}개에 NaN이나 무한대가 있습니다"),
        Fault::Blank { .. } => format!("표본 {n}개가 비어 있습니다"),
        Fault::Duplicates { .. } => format!("표본 {n}개가 앞의 것과 똑같습니다"),
        Fault::Contradictions { .. } => format!("표본 {n}개가 앞의 것과 똑같은데 클래스가 다릅니다"),
        _ => fault.to_string(),
    }
}
