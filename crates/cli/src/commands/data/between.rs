//! Samples that stand in two parts of a data set, exactly or nearly.

use crate::output::Context;
use crate::source::Opened;
use foveal::data::near::shared;
use serde::Serialize;

/// So many pairs are named.
const NAMED: usize = 5;

/// What two parts share.
#[derive(Serialize)]
pub struct Between {
    /// The parts' names: `train`, `validation`, `test`.
    parts: [&'static str; 2],
    /// Samples of the second part that also stand in the first.
    exact: usize,
    /// Samples of the second part that are nearly equal to one of the first.
    near: usize,
    /// Some of the pairs, exact ones first: files, or indices into the parts.
    pairs: Vec<[String; 2]>,
}

/// What each pair of parts shares; pairs that share nothing are left out.
pub fn between(opened: &Opened) -> Vec<Between> {
    let set = &opened.source;
    let cut = set.train.len() - set.validation;
    let mut parts =
        vec![("train", &set.train, 0..cut, 0), ("validation", &set.train, cut..set.train.len(), 0)];
    if let Some(test) = &set.test {
        parts.push(("test", test, 0..test.len(), 1));
    }
    let mut found = Vec::new();
    for (i, (a_name, a, a_range, a_files)) in parts.iter().enumerate() {
        for (b_name, b, b_range, b_files) in &parts[i + 1..] {
            let pairs = shared(a, a_range.clone(), b, b_range.clone());
            if pairs.exact.is_empty() && pairs.near.is_empty() {
                continue;
            }
            let name = |files: usize, i: usize, first: usize| match &opened.files {
                Some(names) => names[files][i].clone(),
                None => (i - first).to_string(),
            };
            let named = pairs.exact.iter().chain(&pairs.near).take(NAMED);
            let named =
                named.map(|&[i, j]| [name(*a_files, i, a_range.start), name(*b_files, j, b_range.start)]);
            found.push(Between {
                parts: [a_name, b_name],
                exact: pairs.exact.len(),
                near: pairs.near.len(),
                pairs: named.collect(),
            });
        }
    }
    found
}

impl Between {
    /// In words.
    pub fn lines(&self, context: &Context) -> Vec<String> {
        let part = |name: &str| match name {
            "train" => context.say("training", "훈련"),
            "validation" => context.say("validation", "검증"),
            _ => context.say("test", "테스트"),
        };
        let [a, b] = self.parts.map(part);
        let mut lines = Vec::new();
        if self.exact > 0 {
            let n = self.exact;
            let stand = if n == 1 { "sample also stands" } else { "samples also stand" };
            lines.push(context.language.pick(
                format!("{n} {b} {stand} in the {a} part"),
                format!("{b} 표본 {}개가 {a} 표본에도 있습니다", self.exact),
            ));
        }
        if self.near > 0 {
            let n = self.near;
            let are = if n == 1 { "sample is" } else { "samples are" };
            lines.push(context.language.pick(
                format!("{n} {b} {are} nearly equal to one of the {a} part"),
                format!("{b} 표본 {}개가 {a} 표본과 거의 같습니다", self.near),
            ));
        }
        lines.extend(self.pairs.iter().map(|[a, b]| format!("  {a} = {b}")));
        lines
    }
}
