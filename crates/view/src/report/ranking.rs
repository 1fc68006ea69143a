//! How well a classifier's probabilities rank images, and whether they are what they say.

use super::chart::{Axis, HEIGHT, Unit, WIDTH, begin, frame, px, py};
use super::classes::Answers;
use crate::text::{Text, Writer, escape, percent, t};
use foveal_train::{ClassScores, Ranking, Reliability, thinned};
use std::fmt::Write;

/// Curves that are drawn, of the classes that are told apart worst; and points of each.
const CURVES: [usize; 2] = [20, 120];

/// A class's name and its ranking.
type Named<'a> = (&'a str, &'a Ranking);

/// Receiver operating characteristic, precision and recall, and the reliability of the probabilities.
pub(super) fn draw(w: &mut Writer, scores: &ClassScores, answers: &Answers, temperature: Option<f32>) {
    let rankings = answers.rankings();
    let mut named: Vec<Named> = rankings
        .iter()
        .zip(&scores.per_class)
        .filter_map(|(ranking, class)| Some((class.class.as_str(), ranking.as_ref()?)))
        .collect();
    named.sort_by(|a, b| a.1.auc.total_cmp(&b.1.auc));
    let about = w.samples(t(
        "Each class against the rest: the threshold of its probability goes along the curve. Reliability compares how sure answers are with how often they are right.",
        "클래스마다 나머지와 견줍니다. 곡선을 따라 확률의 기준값이 바뀝니다. 신뢰도는 확신한 정도와 실제로 맞힌 비율을 견줍니다.",
    ));
    w.section("ranking", &t("Thresholds and probabilities", "기준값과 확률"), &about);
    figures(w, scores, &named, temperature);
    w.raw("<div class=\"charts\">");
    if !named.is_empty() {
        let (fall_out, hits) =
            (t("false positive rate", "거짓 양성률"), t("true positive rate", "참 양성률"));
        let curve = Curve { title: t("ROC", "ROC 곡선"), names: [fall_out, hits], diagonal: true };
        curve.draw(w, &named, |r| &r.roc, |r| format!("AUC {:.4}", r.auc));
        let names = [t("recall", "재현율"), t("precision", "정밀도")];
        let curve =
            Curve { title: t("Precision and recall", "정밀도와 재현율"), names, diagonal: false };
        curve.draw(w, &named, |r| &r.precision_recall, |r| format!("AP {:.4}", r.average_precision));
    }
    reliability(w, &scores.reliability);
    w.raw("</div></section>");
}

fn figures(w: &mut Writer, scores: &ClassScores, named: &[Named], temperature: Option<f32>) {
    let error = percent(scores.reliability.error());
    let mut text = t(format!("Calibration error {error}"), format!("보정 오차 {error}"));
    if let Some(temperature) = temperature {
        text.en += &format!(", with the temperature {temperature:.2} in the last layer");
        text.ko += &format!(" (마지막 층에 온도 {temperature:.2})");
    }
    if !named.is_empty() {
        let mean =
            |of: &dyn Fn(&Ranking) -> f64| named.iter().map(|(_, r)| of(r)).sum::<f64>() / named.len() as f64;
        let (auc, ap) = (mean(&|r| r.auc), mean(&|r| r.average_precision));
        text.en = format!("Macro AUC {auc:.4}, average precision {ap:.4}. {}", text.en);
        text.ko = format!("매크로 AUC {auc:.4}, 평균 정밀도(AP) {ap:.4}. {}", text.ko);
    }
    text.en.push('.');
    text.ko.push('.');
    w.text("p", " class=\"note\"", &text);
}

fn unit() -> Axis {
    Axis::over([0.0, 1.0].into_iter(), 5)
}

/// A chart of shares against shares.
struct Curve {
    title: Text,
    names: [Text; 2],
    /// Whether chance is a line from corner to corner.
    diagonal: bool,
}

impl Curve {
    /// A line for each class, the first of `named`, which is told apart worst, in front.
    fn draw(
        &self,
        w: &mut Writer,
        named: &[Named],
        points: impl Fn(&Ranking) -> &[[f64; 2]],
        value: impl Fn(&Ranking) -> String,
    ) {
        let (x, y, [most, each]) = (unit(), unit(), CURVES);
        begin(w, &self.title);
        frame(w, &x, &y, Unit::Number, (&self.names[0], Some(&self.names[1])));
        if self.diagonal {
            w.raw(format!(
                "<path class=\"right\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
                px(&x, 0.0),
                py(&y, 0.0),
                px(&x, 1.0),
                py(&y, 1.0)
            ));
        }
        for (place, (name, ranking)) in named.iter().take(most).enumerate().rev() {
            let mut path = String::new();
            for [a, b] in thinned(points(ranking), each) {
                let pen = if path.is_empty() { 'M' } else { 'L' };
                let _ = write!(path, "{pen}{:.1} {:.1}", px(&x, a), py(&y, b));
            }
            let class = if place == 0 { "validation" } else { "train ghost" };
            let (name, value) = (escape(name), value(ranking));
            w.raw(format!("<path class=\"line {class}\" d=\"{path}\"><title>{name}: {value}</title></path>"));
        }
        if let Some((name, ranking)) = named.first() {
            let at = format!(
                " class=\"best-name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\"",
                WIDTH - 16.0,
                HEIGHT - 52.0
            );
            let value = value(ranking);
            let text = match named.len() {
                1 => t(format!("{name}: {value}"), format!("{name}: {value}")),
                _ => t(format!("lowest: {name}, {value}"), format!("가장 낮음: {name}, {value}")),
            };
            w.text("text", &at, &text);
        }
        w.raw("</svg></div></figure>");
    }
}

/// A bar for each range of confidence, as high as answers in it are right; on the diagonal all is well.
fn reliability(w: &mut Writer, reliability: &Reliability) {
    let (x, y) = (unit(), unit());
    begin(w, &t("Reliability", "신뢰도"));
    let names = (t("confidence", "확신"), t("accuracy", "정확도"));
    frame(w, &x, &y, Unit::Number, (&names.0, Some(&names.1)));
    let wide = 1.0 / reliability.bins.len().max(1) as f64;
    for (i, bin) in reliability.bins.iter().enumerate().filter(|(_, bin)| bin.count > 0) {
        let (left, right) = (px(&x, i as f64 * wide), px(&x, (i + 1) as f64 * wide));
        let (top, base) = (py(&y, bin.accuracy), py(&y, 0.0));
        let (sure, right_share) = (percent(bin.confidence), percent(bin.accuracy));
        w.raw(format!(
            "<rect class=\"bin\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{}: {sure} \u{2192} \
             {right_share}</title></rect>",
            left + 0.5,
            right - left - 1.0,
            (base - top).max(0.5),
            bin.count
        ));
    }
    w.raw(format!(
        "<path class=\"right\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/></svg></div></figure>",
        px(&x, 0.0),
        py(&y, 0.0),
        px(&x, 1.0),
        py(&y, 1.0)
    ));
}
