//! What a regression gets right and wrong.

use super::Judged;
use super::chart::{Scatter, histogram};
use super::sheets::Sheets;
use crate::text::{Text, Writer, count, number, t};
use foveal_data::Targets;
use foveal_train::SavedModel;

/// Points of a plot, at most; of more, every so many-th is drawn.
const POINTS: usize = 4000;
/// The largest errors shown.
const WORST: usize = 16;
/// Values of an image that are drawn, at most.
const VALUES: usize = 8;

/// Predicted and true numbers, image by image.
pub(super) struct Pairs<'a> {
    names: &'a [String],
    index: Vec<u32>,
    /// `[image][value]`, predicted and true.
    pairs: Vec<(f64, f64)>,
    /// Images by their error, the largest first.
    order: Vec<u32>,
}

impl<'a> Pairs<'a> {
    pub fn new(saved: &SavedModel, judged: &Judged<'a>) -> Option<Self> {
        let Targets::Values { values, names } = judged.data.targets() else { return None };
        let k = names.len();
        let all = (0..judged.data.len() as u32).collect();
        let index: Vec<u32> = judged.indices.map_or(all, <[u32]>::to_vec);
        let rows = judged.outputs.chunks_exact(k).zip(&index);
        let pairs: Vec<(f64, f64)> = rows
            .flat_map(|(row, &i)| saved.preprocess.values(row).into_iter().zip(&values[i as usize * k..]))
            .map(|(y, &t)| (y, t))
            .collect();
        let errors: Vec<f64> =
            pairs.chunks_exact(k).map(|row| row.iter().map(|(y, t)| (y - t).powi(2)).sum()).collect();
        let mut order: Vec<u32> = (0..index.len() as u32).collect();
        order.sort_by(|&a, &b| errors[b as usize].total_cmp(&errors[a as usize]));
        Some(Self { names, index, pairs, order })
    }

    /// The images with the largest errors, as indices into the data set.
    pub fn places(&self) -> Vec<u32> {
        self.order.iter().take(WORST).map(|&i| self.index[i as usize]).collect()
    }

    /// Two images with the largest errors and two with the smallest.
    pub fn samples(&self) -> Vec<u32> {
        let best = self.order.iter().rev().take(2);
        let all = best.chain(self.order.iter().take(2)).map(|&i| self.index[i as usize]);
        let mut samples = Vec::new();
        for i in all {
            if !samples.contains(&i) {
                samples.push(i);
            }
        }
        samples
    }

    fn row(&self, image: usize) -> &[(f64, f64)] {
        let k = self.names.len();
        &self.pairs[image * k..(image + 1) * k]
    }
}

/// Predicted against true, and what is left over.
pub(super) fn draw(w: &mut Writer, pairs: &Pairs) {
    w.section(
        "values",
        &t("Predicted and true", "예측과 실제값"),
        &t(
            "On the line the prediction is right. A residual is the prediction less the true value.",
            "점이 선 위에 있으면 예측이 맞은 것입니다. 잔차는 예측에서 실제값을 뺀 수입니다.",
        ),
    );
    let (k, n) = (pairs.names.len(), pairs.index.len());
    let every = n.div_ceil(POINTS).max(1);
    if every > 1 {
        let (shown, all) = (count(n.div_ceil(every) as u64), count(n as u64));
        w.text(
            "p",
            " class=\"note\"",
            &t(
                format!("{shown} of the {all} images are drawn as points; the histogram counts all."),
                format!("이미지 {all}장 가운데 {shown}장을 점으로 그렸습니다. 히스토그램은 모두 셉니다."),
            ),
        );
    }
    if k > VALUES {
        w.text(
            "p",
            " class=\"note\"",
            &t(
                format!("The first {VALUES} of {k} values are drawn."),
                format!("값 {k}개 가운데 앞의 {VALUES}개를 그렸습니다."),
            ),
        );
    }
    for (v, name) in pairs.names.iter().enumerate().take(VALUES) {
        let column: Vec<(f64, f64)> = pairs.pairs.iter().skip(v).step_by(k).copied().collect();
        // The name holds the unit, where the table's heading does.
        w.name("h3", " class=\"value-name\"", name);
        w.raw("<div class=\"charts\">");
        plots(w, &column, every);
        w.raw("</div>");
    }
    w.raw("</section>");
}

fn plots(w: &mut Writer, column: &[(f64, f64)], every: usize) {
    let predicted = t("predicted", "예측");
    let some = || column.iter().step_by(every);
    Scatter {
        title: t("Predicted against true", "예측과 실제값"),
        x: t("true", "실제값"),
        y: predicted.clone(),
        points: some().map(|&(y, t)| (t, y)).collect(),
        diagonal: true,
    }
    .draw(w);
    Scatter {
        title: t("Residuals", "잔차"),
        x: predicted,
        y: t("residual", "잔차"),
        points: some().map(|&(y, t)| (y, y - t)).collect(),
        diagonal: false,
    }
    .draw(w);
    let residuals: Vec<f64> = column.iter().map(|(y, t)| y - t).collect();
    histogram(w, &t("How large residuals are", "잔차의 분포"), &t("residual", "잔차"), &residuals);
}

/// The images with the largest errors.
pub(super) fn worst(w: &mut Writer, pairs: &Pairs, sheets: &Sheets) {
    let about = w.samples(t(
        "Those images whose predictions are farthest off.",
        "예측이 가장 많이 빗나간 이미지입니다.",
    ));
    w.section("worst", &t("The largest errors", "가장 큰 오차"), &about);
    w.raw("<ol class=\"worst\">");
    for (place, &i) in pairs.order.iter().take(WORST.min(sheets.held)).enumerate() {
        let index = pairs.index[i as usize];
        w.raw("<li>");
        sheets.draw(w, place, index);
        w.raw("<dl class=\"answer\">");
        for (name, &(y, truth)) in pairs.names.iter().zip(pairs.row(i as usize)).take(3) {
            if pairs.names.len() > 1 {
                w.name("dt", " class=\"wide\"", name);
            }
            pair(w, &t("predicted", "예측"), y);
            pair(w, &t("true", "실제값"), truth);
        }
        w.raw("</dl></li>");
    }
    w.raw("</ol></section>");
}

fn pair(w: &mut Writer, name: &Text, v: f64) {
    w.text("dt", "", name);
    w.name("dd", "", &number(v));
}
