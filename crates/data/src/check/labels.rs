//! What is odd about the classes and values of a data set.

use super::fault::Fault;
use crate::{Dataset, Targets};

/// A class with more than so many times the samples of another is said.
const IMBALANCE: u64 = 10;
/// A class of which another with a name alike has so many times the samples may be a slip.
const RARE: u64 = 10;
/// Names shorter than this may differ in one letter.
const SHORT: usize = 3;
/// Values are far off from so many robust deviations on.
const FAR: f64 = 12.0;
/// Of fewer samples nothing is said about values.
const FEW: usize = 8;

/// What the values of a target are like.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TargetFacts {
    /// What it is called.
    pub name: String,
    /// The least value.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// The deviation (of the population).
    pub std: f64,
    /// The median.
    pub median: f64,
}

/// What is odd about classes; nothing for values.
pub(super) fn classes(data: &Dataset) -> Vec<Fault> {
    let (Some(names), Some(labels)) = (data.classes(), data.labels()) else { return Vec::new() };
    let counts = data.class_counts();
    let of = |class: usize| (0..labels.len()).filter(|&i| labels[i] as usize == class).collect::<Vec<_>>();
    let each = || names.iter().zip(&counts).enumerate();
    let mut faults: Vec<Fault> = each()
        .filter(|(_, (_, count))| **count == 0)
        .map(|(_, (class, _))| Fault::EmptyClass { class: class.clone() })
        .collect();
    let there = counts.iter().filter(|count| **count > 0).count();
    if labels.len() >= FEW && 2 * there > labels.len() {
        faults.push(Fault::ManyClasses { classes: there });
    } else {
        let single = each().filter(|(_, (_, count))| **count == 1);
        faults.extend(
            single.map(|(i, (class, _))| Fault::SingleSample { class: class.clone(), sample: of(i)[0] }),
        );
    }
    for [a, b] in alike(names, &counts) {
        let classes = [a, b].map(|i| names[i].clone());
        faults.push(Fault::AlikeClasses { classes, counts: [a, b].map(|i| counts[i]), samples: of(b) });
    }
    let with = each().filter(|(_, (_, count))| **count > 0).map(|(_, (name, &count))| (name.clone(), count));
    let (most, least) = (with.clone().max_by_key(|c| c.1), with.min_by_key(|c| c.1));
    if let (Some(most), Some(least)) = (most, least)
        && most.1 > IMBALANCE * least.1
    {
        faults.push(Fault::Imbalance { most, least });
    }
    faults
}

/// Pairs of classes that may be one, the larger one first: their names differ in case, blanks and dashes alone, or, where
/// one is rare beside the other, in one letter.
fn alike(names: &[String], counts: &[u64]) -> Vec<[usize; 2]> {
    let plain = |name: &String| -> String {
        name.chars().filter(|c| !matches!(c, ' ' | '_' | '-' | '.')).flat_map(char::to_lowercase).collect()
    };
    let plain: Vec<String> = names.iter().map(plain).collect();
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|&i| &plain[i]);
    let mut found: Vec<[usize; 2]> = Vec::new();
    let larger = |a: usize, b: usize| if counts[a] >= counts[b] { [a, b] } else { [b, a] };
    for pair in order.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        if plain[a] == plain[b] && !plain[a].is_empty() {
            found.push(larger(a, b));
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    for b in (0..names.len()).filter(|&b| counts[b] > 0 && counts[b] * RARE <= most) {
        let slips = |&a: &usize| {
            counts[a] >= RARE * counts[b] && plain[a] != plain[b] && one_apart(&plain[a], &plain[b])
        };
        if let Some(a) = (0..names.len()).find(slips) {
            found.push([a, b]);
        }
    }
    found
}

/// Whether two names differ in one letter that was changed, added or left out; numbers may.
fn one_apart(a: &str, b: &str) -> bool {
    let [a, b] = [a, b].map(|name| name.chars().collect::<Vec<char>>());
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    if short.len() < SHORT || long.len() - short.len() > 1 {
        return false;
    }
    let begin = long.iter().zip(&short).take_while(|(x, y)| x == y).count();
    let changed = long.get(begin).into_iter().chain(short.get(begin));
    if changed.into_iter().any(|c| c.is_numeric()) {
        return false;
    }
    let skip = usize::from(long.len() == short.len());
    long[begin + 1..] == short[begin + skip..]
}

/// What the values of a regression, or labels of 0 and 1, are like, and what is odd about them.
pub(super) fn values(data: &Dataset) -> (Vec<TargetFacts>, Vec<Fault>) {
    let (values, names, numbers) = match data.targets() {
        Targets::Classes { .. } => return Default::default(),
        Targets::Values { values, names } => (values, names, true),
        // The mean of a label is the share of samples that have it; rare ones are no outliers.
        Targets::Labels { values, names } => (values, names, false),
    };
    let (mut facts, mut faults) = (Vec::new(), Vec::new());
    for (k, name) in names.iter().enumerate() {
        let column: Vec<f64> = values.iter().skip(k).step_by(names.len()).copied().collect();
        let Some(own) = TargetFacts::of(name, &column) else { continue };
        if column.len() > 1 && own.min == own.max {
            faults.push(Fault::ConstantTarget { target: name.clone(), value: own.min });
        }
        faults.extend(outlying(&own, &column).filter(|_| numbers));
        facts.push(own);
    }
    (facts, faults)
}

fn outlying(facts: &TargetFacts, column: &[f64]) -> Option<Fault> {
    let off = |v: f64| (v - facts.median).abs();
    // The median of the distances from the median, as a standard deviation of a normal distribution.
    let spread = 1.4826 * median(column.iter().map(|&v| off(v)).collect())?;
    let samples: Vec<usize> = (0..column.len()).filter(|&i| off(column[i]) > FAR * spread).collect();
    if column.len() < FEW
        || spread <= 0.0
        || samples.is_empty()
        || samples.len() * RARE as usize > column.len()
    {
        return None;
    }
    let range = samples.iter().map(|&i| column[i]);
    let range = range.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(v), high.max(v)]);
    Some(Fault::OutlyingTargets { target: facts.name.clone(), samples, range, median: facts.median })
}

impl TargetFacts {
    /// `None` without values.
    fn of(name: &str, column: &[f64]) -> Option<Self> {
        let n = column.len() as f64;
        let mean = column.iter().sum::<f64>() / n;
        Some(Self {
            name: name.to_owned(),
            min: column.iter().copied().reduce(f64::min)?,
            max: column.iter().copied().reduce(f64::max)?,
            mean,
            std: (column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt(),
            median: median(column.to_vec())?,
        })
    }
}

/// The middle value; of an even number the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(lower + (upper - lower) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Samples;

    fn of(targets: Targets, n: usize) -> Vec<Fault> {
        // Each sample has pixels of its own.
        let pixels = (0..n as u32).flat_map(|i| i.to_le_bytes()).collect();
        Dataset::new("set", [2, 2, 1], Samples::U8(pixels), targets).unwrap().check().faults
    }

    fn classes(of_each: &[(&str, usize)]) -> Vec<Fault> {
        let labels: Vec<u32> = (0..).zip(of_each).flat_map(|(i, (_, n))| vec![i; *n]).collect();
        let names = of_each.iter().map(|(name, _)| (*name).to_owned()).collect();
        let n = labels.len();
        let found = of(Targets::Classes { labels, names }, n);
        found.into_iter().filter(|f| !matches!(f, Fault::Blank { .. })).collect()
    }

    #[test]
    fn slips_of_names_and_small_classes_are_found() {
        let found = classes(&[("pos", 40), ("Pos", 3), ("neg", 30), ("negg", 1)]);
        let words: Vec<String> = found.iter().map(Fault::to_string).collect();
        assert_eq!(
            words,
            [
                "class \"negg\" has a single sample",
                "classes \"pos\" (40 samples) and \"Pos\" (3) are spelled alike",
                "classes \"neg\" (30 samples) and \"negg\" (1) are spelled alike",
                "class \"pos\" has 40 samples, class \"negg\" has 1: more than ten to one",
            ]
        );
        assert_eq!(found[1].samples(), [40, 41, 42]);
        for good in [
            &[("cat", 20), ("bat", 20), ("rat", 15)][..],
            &[("class1", 30), ("class2", 3)],
            &[("1", 30), ("11", 30), ("2", 20)],
            &[("C", 9), ("C++", 9), ("C#", 9)],
        ] {
            assert_eq!(classes(good), [], "{good:?}");
        }
        let many = classes(&[("a b", 1), ("c d", 1), ("e f", 1), ("g h", 1), ("i j", 2), ("k l", 2)]);
        assert!(matches!(many[..], [Fault::ManyClasses { classes: 6 }]), "{many:?}");
    }

    #[test]
    fn constant_and_outlying_targets_are_found() {
        let mut values: Vec<f64> = (0..30).flat_map(|i| [f64::from(i % 10), 7.0]).collect();
        values[2 * 11] = 1e4;
        let names = vec!["size".to_owned(), "age".to_owned()];
        let found = of(Targets::Values { values, names }, 30);
        let words: Vec<String> =
            found.iter().filter(|f| !matches!(f, Fault::Blank { .. })).map(Fault::to_string).collect();
        assert_eq!(
            words,
            [
                "target \"size\" of 1 samples is 10000, far from the others (median 5)",
                "target \"age\" is 7 in every sample",
            ]
        );
        // A long tail is no fault.
        let values = (0..200).map(|i| (f64::from(i) / 40.0).exp()).collect();
        let found = of(Targets::Values { values, names: vec!["price".into()] }, 200);
        assert!(found.iter().all(|f| matches!(f, Fault::Blank { .. })), "{found:?}");
    }
}
