//! What a model of several labels a sample gets right and wrong.

use super::Judged;
use super::sheets::Sheets;
use crate::text::{Text, Writer, count, percent, t};
use foveal_data::Targets;
use foveal_train::{LabelScores, SavedModel};

/// The samples with the most wrong labels that are shown.
const WORST: usize = 16;
/// Labels of a sample that are drawn as bars, at most.
const BARS: usize = 6;

/// True and said labels, sample by sample.
pub(super) struct Labelled<'a> {
    names: &'a [String],
    index: Vec<u32>,
    /// Probabilities, `[sample][label]`.
    likely: &'a [f32],
    /// Whether a sample has a label, and whether it is said to, `[sample][label]`.
    pairs: Vec<(bool, bool)>,
    /// Samples by their loss, the highest first.
    order: Vec<u32>,
    /// How many samples have a wrong label.
    mistakes: usize,
}

impl<'a> Labelled<'a> {
    pub fn new(saved: &SavedModel, judged: &Judged<'a>) -> Self {
        let names = judged.data.several().unwrap_or_default();
        let k = names.len().max(1);
        let index: Vec<u32> =
            judged.indices.map_or_else(|| (0..judged.data.len() as u32).collect(), <[u32]>::to_vec);
        let values: &[f64] = match judged.data.targets() {
            Targets::Labels { values, .. } => values,
            _ => &[],
        };
        let (mut pairs, mut losses) = (Vec::new(), Vec::new());
        for (row, &i) in judged.outputs.chunks_exact(k).zip(&index) {
            let said = saved.labels_of(row);
            let mut loss = 0.0;
            for (c, &p) in row.iter().enumerate() {
                let truth = values[i as usize * k + c] > 0.5;
                pairs.push((truth, said.contains(&c)));
                loss -= f64::from(if truth { p } else { 1.0 - p }).max(1e-12).ln();
            }
            losses.push(loss);
        }
        let wrong =
            |i: u32| pairs[i as usize * k..(i as usize + 1) * k].iter().any(|(truth, said)| truth != said);
        let mut order: Vec<u32> = (0..losses.len() as u32).collect();
        order.sort_by(|&a, &b| {
            let by_loss = losses[b as usize].total_cmp(&losses[a as usize]);
            wrong(b).cmp(&wrong(a)).then(by_loss)
        });
        let mistakes = order.iter().filter(|&&i| wrong(i)).count();
        Self { names, index, likely: judged.outputs, pairs, order, mistakes }
    }

    /// The samples that are farthest off, as indices into the data set.
    pub fn places(&self) -> Vec<u32> {
        self.order.iter().take(WORST).map(|&i| self.index[i as usize]).collect()
    }

    /// Two samples that are farthest off and two that are nearest.
    pub fn samples(&self) -> Vec<u32> {
        let best = self.order.iter().rev().take(2);
        let mut samples: Vec<u32> = Vec::new();
        for i in best.chain(self.order.iter().take(2)).map(|&i| self.index[i as usize]) {
            if !samples.contains(&i) {
                samples.push(i);
            }
        }
        samples
    }

    /// The names of the labels of a sample: those that it has, or those that are said.
    fn list(&self, sample: usize, said: bool) -> Text {
        let k = self.names.len();
        let row = &self.pairs[sample * k..(sample + 1) * k];
        let own = row.iter().zip(self.names).filter(|(pair, _)| if said { pair.1 } else { pair.0 });
        let own: Vec<&str> = own.map(|(_, name)| name.as_str()).collect();
        if own.is_empty() { t("none", "없음") } else { t(own.join(", "), own.join(", ")) }
    }
}

/// The scores of each label.
pub(super) fn draw(w: &mut Writer, scores: &LabelScores) {
    w.section(
        "labels",
        &t("Label by label", "레이블별 결과"),
        &t(
            "A sample may have any number of labels. Each has a probability of its own and a threshold, chosen on the validation samples, from which a sample has it. Average precision (AP) goes by the probabilities alone; its mean over the labels is the mAP.",
            "한 표본에 레이블이 몇 개든 붙을 수 있습니다. 레이블마다 확률이 따로 있고, 검증 데이터로 고른 문턱값 이상이면 그 레이블로 봅니다. 평균 정밀도(AP)는 확률의 순서만으로 정해지며, 레이블들의 AP를 평균한 것이 mAP입니다.",
        ),
    );
    w.raw(format!(
        "<div class=\"scroll{}\" tabindex=\"0\" role=\"region\"",
        if scores.per_label.len() > 20 { " tall" } else { "" }
    ));
    let label = w.label("aria-label", &t("Scores of each label", "레이블별 점수"));
    w.raw(label);
    w.raw("><table class=\"scores\"><thead><tr>");
    for (name, class) in [
        (t("label", "레이블"), ""),
        (t("threshold", "문턱값"), " class=\"r\""),
        (t("precision", "정밀도"), " class=\"r\""),
        (t("recall", "재현율"), " class=\"r\""),
        (t("F1", "F1"), " class=\"r\""),
        (t("AP", "AP"), " class=\"r\""),
        (w.samples(t("images", "이미지")), " class=\"r\""),
    ] {
        w.text("th", &format!(" scope=\"col\"{class}"), &name);
    }
    w.raw("</tr></thead><tbody>");
    for label in &scores.per_label {
        w.raw("<tr>");
        w.name("th", " scope=\"row\"", &label.label);
        w.raw(format!("<td class=\"r\">{:.3}</td>", label.threshold));
        for v in [label.precision, label.recall] {
            w.raw(format!("<td class=\"r\">{}</td>", percent(v)));
        }
        w.raw(format!(
            "<td class=\"r bar\" style=\"--share:{:.3}\"><span>{}</span></td>",
            label.f1,
            percent(label.f1)
        ));
        let precision = label.average_precision.map_or_else(|| "\u{2013}".to_owned(), percent);
        w.raw(format!("<td class=\"r\">{precision}</td><td class=\"r\">{}</td></tr>", count(label.support)));
    }
    w.raw("</tbody></table></div></section>");
}

/// The samples that are farthest off.
pub(super) fn worst(w: &mut Writer, labelled: &Labelled, sheets: &Sheets) {
    let title = w.samples(t("The worst mistakes", "가장 크게 틀린 이미지"));
    let about = w.samples(t(
        "Images with wrong labels, those that the model was surest of first. Bars are probabilities; the labels that an image has are marked.",
        "레이블이 틀린 이미지로, 모델이 가장 자신 있게 틀린 것부터 보입니다. 막대는 확률이며, 실제로 붙은 레이블을 표시했습니다.",
    ));
    w.section("worst", &title, &about);
    let shown = labelled.mistakes.min(WORST).min(sheets.held);
    if shown == 0 {
        let none = w.samples(t("There is no mistake to show.", "틀린 이미지가 없습니다."));
        w.text("p", " class=\"note\"", &none);
    }
    w.raw("<ol class=\"worst\">");
    for place in 0..shown {
        let sample = labelled.order[place] as usize;
        w.raw("<li>");
        sheets.draw(w, place, labelled.index[sample]);
        w.raw("<div class=\"answer\">");
        let (truth, said) = (labelled.list(sample, false), labelled.list(sample, true));
        w.text(
            "p",
            "",
            &t(format!("has {}; said {}", truth.en, said.en), format!("정답 {}, 예측 {}", truth.ko, said.ko)),
        );
        bars(w, labelled, sample);
        w.raw("</div></li>");
    }
    w.raw("</ol></section>");
}

/// The likeliest labels, and those that the sample has, as bars.
fn bars(w: &mut Writer, labelled: &Labelled, sample: usize) {
    let k = labelled.names.len();
    let row = &labelled.likely[sample * k..(sample + 1) * k];
    let has = |c: usize| labelled.pairs[sample * k + c].0;
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&a, &b| has(b).cmp(&has(a)).then(row[b].total_cmp(&row[a])));
    order.truncate(BARS);
    order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
    w.raw("<ul class=\"bars\">");
    for c in order {
        let class = if has(c) { " class=\"true\"" } else { "" };
        w.raw(format!("<li{class} style=\"--share:{:.4}\">", row[c]));
        w.name("span", " class=\"label\"", &labelled.names[c]);
        w.raw(format!("<i></i><span class=\"value\">{:.1} %</span></li>", 100.0 * row[c]));
    }
    w.raw("</ul>");
}
