//! Two models on the same samples.

use crate::output::{Context, count};
use crate::predictions::{Answer, Predictions};
use foveal::train::sign_test;
use serde::Serialize;
use std::collections::HashMap;

/// From this on a difference is taken for chance.
const CHANCE: f64 = 0.05;

/// How often each of two models alone is right, or nearer to the true values.
#[derive(Debug, PartialEq, Serialize)]
pub struct Pairs {
    samples: usize,
    /// Whether they are classifiers.
    classes: bool,
    /// Samples on which the first alone is right, and the second alone.
    alone: [u64; 2],
    /// How likely a difference as large as this is by chance: McNemar's exact test, for values the sign test.
    p: f64,
}

/// Why two runs cannot be paired.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Unpaired {
    #[error(
        "the runs were judged by different samples ({0} of the second are not among the first's, of {1}): which is better cannot be told"
    )]
    Samples(usize, usize),
    #[error("the runs were judged by different parts, test and validation: which is better cannot be told")]
    Parts,
    #[error("one run learnt classes, the other values: which is better cannot be told")]
    Kinds,
    #[error("the true targets of the runs differ for the same samples: which is better cannot be told")]
    Targets,
}

impl Pairs {
    /// Pairs the answers to each sample.
    pub fn new(first: &Predictions, second: &Predictions) -> Result<Self, Unpaired> {
        if first.part != second.part {
            return Err(Unpaired::Parts);
        }
        let known: HashMap<&str, &Answer> = first.rows.iter().map(|(n, a)| (n.as_str(), a)).collect();
        let missing = second.rows.iter().filter(|(name, _)| !known.contains_key(name.as_str())).count();
        if missing > 0 || first.rows.len() != second.rows.len() {
            return Err(Unpaired::Samples(missing, second.rows.len()));
        }
        let (mut alone, mut classes) = ([0u64; 2], false);
        for (name, answer) in &second.rows {
            match (known[name.as_str()], answer) {
                (Answer::Class([t, a]), Answer::Class([u, b])) => {
                    classes = true;
                    if t != u {
                        return Err(Unpaired::Targets);
                    }
                    alone[0] += u64::from(a == t && b != t);
                    alone[1] += u64::from(b == t && a != t);
                }
                (a @ Answer::Values(x), b @ Answer::Values(y)) => {
                    if x.iter().map(|v| v[0]).ne(y.iter().map(|v| v[0])) {
                        return Err(Unpaired::Targets);
                    }
                    let [a, b] = [a, b].map(|v| v.squares().sum::<f64>());
                    alone[0] += u64::from(a < b);
                    alone[1] += u64::from(b < a);
                }
                _ => return Err(Unpaired::Kinds),
            }
        }
        Ok(Self { samples: second.rows.len(), classes, alone, p: sign_test(alone[0], alone[1]) })
    }

    /// Which is better, in words.
    pub fn text(&self, names: [&str; 2], context: &Context) -> String {
        let n = count(self.samples as u64);
        let [a, b] = self.alone.map(count);
        let p = if self.p < 1e-4 { "< 0.0001".into() } else { format!("= {:.4}", self.p) };
        let counts = match self.classes {
            true => context.language.pick(
                format!("Of {n} samples, {a} are right in {} alone and {b} in {} alone: p {p} (McNemar's exact test).\n", names[0], names[1]),
                format!("표본 {n}개 중 {}만 맞힌 것 {a}개, {}만 맞힌 것 {b}개: p {p} (맥니마 정확 검정).\n", names[0], names[1]),
            ),
            false => context.language.pick(
                format!("Of {n} samples, {} is nearer on {a} and {} on {b}: p {p} (exact sign test).\n", names[0], names[1]),
                format!("표본 {n}개 중 {} 쪽이 더 가까운 것 {a}개, {} 쪽 {b}개: p {p} (정확 부호 검정).\n", names[0], names[1]),
            ),
        };
        if self.p >= CHANCE {
            return counts
                + context.say(
                    "Neither is better as far as these samples can tell.\n",
                    "이 표본만으로는 어느 쪽이 낫다고 할 수 없습니다.\n",
                );
        }
        let better = names[usize::from(self.alone[1] > self.alone[0])];
        counts
            + &context.language.pick(format!("{better} is better.\n"), format!("{better} 쪽이 낫습니다.\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(part: &str, rows: &[(&str, &str, &str)]) -> Predictions {
        let row = |&(name, truth, said): &(&str, &str, &str)| {
            (name.to_owned(), Answer::Class([truth.to_owned(), said.to_owned()]))
        };
        Predictions { part: part.into(), rows: rows.iter().map(row).collect() }
    }

    #[test]
    fn samples_are_paired_by_name_whatever_their_order() {
        let first = said("test", &[("a", "x", "x"), ("b", "x", "y"), ("c", "y", "y"), ("d", "y", "y")]);
        let second = said("test", &[("d", "y", "x"), ("c", "y", "y"), ("b", "x", "x"), ("a", "x", "y")]);
        let pairs = Pairs::new(&first, &second).unwrap();
        assert_eq!((pairs.samples, pairs.alone, pairs.p), (4, [2, 1], 1.0));
        let fewer = said("test", &[("a", "x", "x")]);
        assert_eq!(Pairs::new(&first, &fewer), Err(Unpaired::Samples(0, 1)));
        assert_eq!(Pairs::new(&fewer, &said("test", &[("a", "y", "x")])), Err(Unpaired::Targets));
        assert_eq!(Pairs::new(&fewer, &said("validation", &[("a", "x", "x")])), Err(Unpaired::Parts));
        let values =
            |y| Predictions { part: "test".into(), rows: vec![("a".into(), Answer::Values(vec![[1.0, y]]))] };
        assert_eq!(Pairs::new(&fewer, &values(1.0)), Err(Unpaired::Kinds));
        assert_eq!(Pairs::new(&values(1.5), &values(1.1)).unwrap().alone, [0, 1]);
    }
}
