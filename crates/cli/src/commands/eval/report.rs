//! The scores of a classifier, as text and as JSON.

use super::mistakes::Named;
use crate::output::{Context, count};
use crate::source::thin;
use crate::table::{Side, table};
use crate::values;
use foveal::data::Dataset;
use foveal::train::{ClassScores, PerClass, Ranking, thinned};
use serde::Serialize;

/// With more classes than this the share of the likeliest five is told, too.
const FIVE: usize = 5;
/// JSON has the curves of so many classes at most, each with so many points at most.
const CURVES: [usize; 2] = [20, 100];

/// With more classes than these, text and JSON have no matrix.
const MATRIX: [usize; 2] = [30, 200];
/// So many pairs of classes are listed instead.
const PAIRS: usize = 30;

/// The scores of a classifier.
pub struct ClassReport {
    pub scores: ClassScores,
    /// For each class, how well its probability tells it from the others.
    pub rankings: Vec<Option<Ranking>>,
    /// How many of the likeliest classes count as an answer, if that is asked for.
    pub top: Option<usize>,
    /// Some of the mistakes.
    pub mistakes: Vec<Named>,
    /// The model's temperature, and the calibration error without it.
    pub temperature: Option<(f32, f64)>,
}

#[derive(Serialize)]
pub struct Json<'a> {
    loss: f64,
    accuracy: f64,
    /// 95 %, by Wilson.
    accuracy_interval: [f64; 2],
    /// The accuracy of always answering the most frequent class.
    majority: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<Top>,
    macro_f1: f64,
    /// How many classes that is the mean of: those that occur.
    macro_f1_classes: usize,
    /// The mean of the classes' areas.
    #[serde(skip_serializing_if = "Option::is_none")]
    macro_auc: Option<f64>,
    calibration: Calibration,
    classes: Vec<&'a str>,
    per_class: Vec<Class<'a>>,
    /// A row for each true class; with many classes `confused` has what is not 0 instead.
    #[serde(skip_serializing_if = "<[Vec<u64>]>::is_empty")]
    confusion: &'a [Vec<u64>],
    /// True class, predicted class, how often.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    confused: Vec<(&'a str, &'a str, u64)>,
    /// Those that the model is surest of.
    mistakes: &'a [Named],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    curves: Vec<Curves<'a>>,
}

#[derive(Serialize)]
struct Top {
    k: usize,
    accuracy: f64,
}

#[derive(Serialize)]
struct Calibration {
    /// Expected calibration error over 15 ranges of confidence.
    error: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    /// The error without the temperature.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_before: Option<f64>,
    /// For each range that has samples: how many, their mean confidence, their accuracy.
    ranges: Vec<(u64, f64, f64)>,
}

#[derive(Serialize)]
struct Class<'a> {
    class: &'a str,
    precision: f64,
    recall: f64,
    f1: f64,
    support: u64,
    auc: Option<f64>,
    average_precision: Option<f64>,
}

#[derive(Serialize)]
struct Curves<'a> {
    class: &'a str,
    /// False and true positive rates.
    roc: Vec<[f64; 2]>,
    /// Recalls and precisions.
    precision_recall: Vec<[f64; 2]>,
}

impl ClassReport {
    /// How many of the likeliest classes count as an answer, where that is told.
    fn top(&self) -> Option<Top> {
        let classes = self.scores.per_class.len();
        let k = self.top.or((classes > FIVE).then_some(FIVE))?;
        Some(Top { k, accuracy: self.scores.top_k(k) })
    }

    /// The mean of `of` over the classes that have samples, and others beside them.
    fn mean(&self, of: impl Fn(&Ranking) -> f64) -> Option<f64> {
        let all: Vec<f64> = self.rankings.iter().flatten().map(of).collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    }

    /// For a program.
    pub fn json(&self) -> Json<'_> {
        let scores = &self.scores;
        let [most, points] = CURVES;
        let named = || scores.per_class.iter().zip(&self.rankings);
        let few = scores.per_class.len() <= most;
        let many = scores.per_class.len() > MATRIX[1];
        let curves = named().filter(|_| few).filter_map(|(c, ranking)| {
            let ranking = ranking.as_ref()?;
            Some(Curves {
                class: &c.class,
                roc: thinned(&ranking.roc, points),
                precision_recall: thinned(&ranking.precision_recall, points),
            })
        });
        let per_class = named().map(|(c, ranking)| Class {
            class: &c.class,
            precision: c.precision,
            recall: c.recall,
            f1: c.f1,
            support: c.support,
            auc: ranking.as_ref().map(|r| r.auc),
            average_precision: ranking.as_ref().map(|r| r.average_precision),
        });
        let ranges = scores.reliability.bins.iter().filter(|bin| bin.count > 0);
        Json {
            loss: scores.loss,
            accuracy: scores.accuracy,
            accuracy_interval: scores.interval(),
            majority: scores.majority(),
            top_k: self.top(),
            macro_f1: scores.macro_f1,
            macro_f1_classes: scores.occurring(),
            macro_auc: self.mean(|r| r.auc),
            calibration: Calibration {
                error: scores.reliability.error(),
                temperature: self.temperature.map(|t| t.0),
                error_before: self.temperature.map(|t| t.1),
                ranges: ranges.map(|bin| (bin.count, bin.confidence, bin.accuracy)).collect(),
            },
            classes: scores.per_class.iter().map(|c| c.class.as_str()).collect(),
            per_class: per_class.collect(),
            confusion: if many { &[] } else { &scores.confusion },
            confused: if many { self.confused() } else { Vec::new() },
            mistakes: &self.mistakes,
            curves: curves.collect(),
        }
    }

    /// For a person.
    pub fn text(&self, data: &Dataset, context: &Context) -> String {
        let texts = data.vocabulary().is_some();
        let mut text = self.accuracy(data.len(), texts, context);
        text += &format!("{} {:.4}\n", context.say("loss", "손실"), self.scores.loss);
        let occurring = values::occurring(&self.scores, context);
        text += &format!("{} {:.4}{occurring}\n", context.say("macro F1", "매크로 F1"), self.scores.macro_f1);
        if let (Some(auc), Some(ap)) = (self.mean(|r| r.auc), self.mean(|r| r.average_precision)) {
            text += &context.language.pick(
                format!("macro AUC {auc:.4}, average precision {ap:.4} (each class against the rest)\n"),
                format!("매크로 AUC {auc:.4}, 평균 정밀도(AP) {ap:.4} (클래스마다 나머지와 견줌)\n"),
            );
        }
        text += &self.calibration(context);
        text.push('\n');
        text += &self.classes(texts, context);
        if self.scores.per_class.len() > MATRIX[0] {
            return text + &self.pairs(context);
        }
        text += context.say(
            "\nConfusion: rows are the true classes, columns what the model says.\n\n",
            "\n혼동 행렬: 행은 실제 클래스, 열은 예측한 클래스.\n\n",
        );
        text + &self.confusion()
    }

    fn accuracy(&self, n: usize, texts: bool, context: &Context) -> String {
        let (n, accuracy) = (count(n as u64), 100.0 * self.scores.accuracy);
        let mut text = match texts {
            true => context.language.pick(
                format!("accuracy {accuracy:.2} % of {n} texts\n"),
                format!("글 {n}편의 정확도 {accuracy:.2} %\n"),
            ),
            false => context.language.pick(
                format!("accuracy {accuracy:.2} % of {n} images\n"),
                format!("이미지 {n}장의 정확도 {accuracy:.2} %\n"),
            ),
        };
        let [low, high] = self.scores.interval().map(|v| 100.0 * v);
        let majority = 100.0 * self.scores.majority();
        text += &context.language.pick(
            format!(
                "95 % interval {low:.1} to {high:.1} %; always the most frequent class: {majority:.2} %\n"
            ),
            format!("95 % 신뢰구간 {low:.1}~{high:.1} %. 가장 많은 클래스만 답하면 {majority:.2} %\n"),
        );
        let names: Vec<String> = self.scores.per_class.iter().map(|c| c.class.clone()).collect();
        let seen: Vec<usize> = self.scores.per_class.iter().map(|c| c.support as usize).collect();
        if let Some([english, korean]) = thin(&names, &seen) {
            text += &format!("{}\n", context.say(&english, &korean));
        }
        if let Some(Top { k, accuracy }) = self.top() {
            let share = 100.0 * accuracy;
            text += &context.language.pick(
                format!("top-{k} accuracy {share:.2} %\n"),
                format!("상위 {k}개 정확도 {share:.2} %\n"),
            );
        }
        text
    }

    fn calibration(&self, context: &Context) -> String {
        let error = 100.0 * self.scores.reliability.error();
        match self.temperature {
            Some((t, before)) => {
                let before = 100.0 * before;
                context.language.pick(
                    format!(
                        "calibration error {error:.2} % (without the temperature {t:.2}: {before:.2} %)\n"
                    ),
                    format!("보정 오차 {error:.2} % (온도 {t:.2} 없이는 {before:.2} %)\n"),
                )
            }
            None => context
                .language
                .pick(format!("calibration error {error:.2} %\n"), format!("보정 오차 {error:.2} %\n")),
        }
    }

    fn classes(&self, texts: bool, context: &Context) -> String {
        let columns = [
            (context.say("class", "클래스"), Side::Left),
            (context.say("precision", "정밀도"), Side::Right),
            (context.say("recall", "재현율"), Side::Right),
            ("F1", Side::Right),
            ("AUC", Side::Right),
            ("AP", Side::Right),
            (if texts { context.say("texts", "글") } else { context.say("images", "이미지") }, Side::Right),
        ];
        let share = |v: f64| format!("{v:.4}");
        let row = |(c, ranking): (&PerClass, &Option<Ranking>)| {
            let of = |f: &dyn Fn(&Ranking) -> f64| ranking.as_ref().map_or("-".into(), |r| share(f(r)));
            let (auc, ap) = (of(&|r| r.auc), of(&|r| r.average_precision));
            vec![c.class.clone(), share(c.precision), share(c.recall), share(c.f1), auc, ap, count(c.support)]
        };
        let rows = self.scores.per_class.iter().zip(&self.rankings).map(row);
        table(&columns, &rows.collect::<Vec<_>>())
    }

    /// Which classes were said for which, the most frequent first, without those that are right.
    fn confused(&self) -> Vec<(&str, &str, u64)> {
        let names = &self.scores.per_class;
        let mut found = Vec::new();
        for (truth, row) in self.scores.confusion.iter().enumerate() {
            let wrong = row.iter().enumerate().filter(|&(said, &n)| said != truth && n > 0);
            found.extend(wrong.map(|(said, &n)| (&names[truth].class[..], &names[said].class[..], n)));
        }
        found.sort_by_key(|&(.., n)| std::cmp::Reverse(n));
        found
    }

    /// Of many classes those that are confused most.
    fn pairs(&self, context: &Context) -> String {
        let columns = [
            (context.say("true", "실제"), Side::Left),
            (context.say("predicted", "예측"), Side::Left),
            ("", Side::Right),
        ];
        let some = self.confused();
        let row = |&(truth, said, n): &(&str, &str, u64)| vec![truth.to_owned(), said.to_owned(), count(n)];
        let rows: Vec<Vec<String>> = some.iter().take(PAIRS).map(row).collect();
        let title = context.say("Confused most often:", "가장 자주 혼동한 클래스:");
        format!("\n{title}\n\n{}", table(&columns, &rows))
    }

    fn confusion(&self) -> String {
        let scores = &self.scores;
        let mut columns = vec![("", Side::Left)];
        columns.extend(scores.per_class.iter().map(|c| (c.class.as_str(), Side::Right)));
        let rows = scores.per_class.iter().zip(&scores.confusion).map(|(c, counts)| {
            let cell = |n: &u64| if *n == 0 { "·".to_owned() } else { count(*n) };
            std::iter::once(c.class.clone()).chain(counts.iter().map(cell)).collect()
        });
        table(&columns, &rows.collect::<Vec<_>>())
    }
}
