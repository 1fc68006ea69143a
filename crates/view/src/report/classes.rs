//! What a classifier gets right and wrong.

use super::Judged;
use super::chart::json;
use super::sheets::{SIDE, Sheets};
use crate::text::{Text, Writer, count, escape, percent, t};
use foveal_nn::Model;
use foveal_train::{ClassScores, Ranking, probabilities};

/// Classes that a matrix is drawn for, at most; more are a list of the pairs that are taken for each other.
const MATRIX: usize = 40;
/// Pairs in that list.
const PAIRS: usize = 60;
/// The worst mistakes shown.
const WORST: usize = 16;
/// Bars for one image.
const BARS: usize = 3;

/// Every judged image: its place in the data set, what it is, what the model says and how sure it is.
pub(super) struct Answers {
    /// Mistakes first, the surest first; then what is right, the least sure first.
    order: Vec<u32>,
    /// Rows of probabilities, image by image as judged.
    likely: Vec<f32>,
    index: Vec<u32>,
    truth: Vec<u32>,
    said: Vec<u32>,
    names: Vec<String>,
    mistakes: usize,
}

impl Answers {
    pub fn new(model: &Model, judged: &Judged) -> Option<Self> {
        let labels = judged.data.labels()?;
        let names = judged.data.classes()?.to_vec();
        let likely = probabilities(model, judged.outputs);
        let k = names.len();
        let index = judged.indices.map_or_else(|| (0..labels.len() as u32).collect(), <[u32]>::to_vec);
        let truth: Vec<u32> = index.iter().map(|&i| labels[i as usize]).collect();
        let top = |row: &[f32]| (1..k).fold(0, |best, i| if row[i] > row[best] { i } else { best }) as u32;
        let said: Vec<u32> = likely.chunks_exact(k).map(top).collect();
        let mut order: Vec<u32> = (0..index.len() as u32).collect();
        let sure = |i: u32| likely[i as usize * k + said[i as usize] as usize];
        order.sort_by(|&a, &b| {
            let right = |i: u32| truth[i as usize] == said[i as usize];
            right(a).cmp(&right(b)).then_with(|| {
                let by = sure(a).total_cmp(&sure(b));
                if right(a) { by } else { by.reverse() }
            })
        });
        let mistakes = truth.iter().zip(&said).filter(|(t, s)| t != s).count();
        Some(Self { order, likely, index, truth, said, names, mistakes })
    }

    /// The images in the order of the sheets, as indices into the data set.
    pub fn places(&self) -> Vec<u32> {
        self.order.iter().map(|&i| self.index[i as usize]).collect()
    }

    /// For each class, how well its probability tells it from the others.
    pub fn rankings(&self) -> Vec<Option<Ranking>> {
        Ranking::each(&self.likely, &self.truth, self.names.len())
    }

    fn row(&self, judged: usize) -> &[f32] {
        let k = self.names.len();
        &self.likely[judged * k..(judged + 1) * k]
    }

    /// Two of the worst mistakes and the two surest right answers of different classes: `[index in the set]`.
    pub fn samples(&self) -> Vec<u32> {
        let mut chosen: Vec<u32> = Vec::new();
        let (wrong, right) = self.order.split_at(self.mistakes);
        let mut take = |from: &mut dyn Iterator<Item = &u32>, most: usize| {
            let mut seen: Vec<u32> = Vec::new();
            for &i in from {
                let class = self.truth[i as usize];
                if seen.len() == most {
                    break;
                }
                if !seen.contains(&class) {
                    seen.push(class);
                    chosen.push(self.index[i as usize]);
                }
            }
        };
        take(&mut right.iter().rev(), 2);
        take(&mut wrong.iter(), 2);
        chosen
    }

    /// What is said of the image `index` of the data set: what it is, what the model says, how sure it is.
    pub fn about(&self, index: u32) -> Option<(&str, &str, f32)> {
        let i = self.index.iter().position(|&v| v == index)?;
        let (truth, said) = (self.truth[i] as usize, self.said[i] as usize);
        Some((&self.names[truth], &self.names[said], self.row(i)[said]))
    }

    /// The class that the model says the image `index` of the data set is, and the true one if it is another.
    pub fn classes(&self, index: u32) -> Option<Vec<(usize, &str)>> {
        let i = self.index.iter().position(|&v| v == index)?;
        let mut classes = vec![self.said[i] as usize, self.truth[i] as usize];
        classes.dedup();
        Some(classes.into_iter().map(|c| (c, self.names[c].as_str())).collect())
    }

    /// The likeliest classes of the image `index` of the data set, as bars.
    pub fn bars(&self, w: &mut Writer, index: u32) {
        if let Some(i) = self.index.iter().position(|&v| v == index) {
            bars(w, self.row(i), self.truth[i] as usize, &self.names);
        }
    }

    /// What the script needs to open cells: for each picture in the sheets, in their order, what it is.
    pub fn data(&self, sheets: &Sheets, part: &Text) -> String {
        let held = &self.order[..sheets.held];
        let list = |of: &dyn Fn(usize) -> u32| {
            let texts: Vec<String> = held.iter().map(|&i| of(i as usize).to_string()).collect();
            texts.join(",")
        };
        let sure = |i: usize| (1000.0 * self.row(i)[self.said[i] as usize]).round() as u32;
        let names: Vec<String> = self.names.iter().map(|n| json(n)).collect();
        let texts: Vec<String> = sheets.texts().iter().map(|text| json(text)).collect();
        let texts =
            if texts.is_empty() { String::new() } else { format!(",\"texts\":[{}]", texts.join(",")) };
        let files: Vec<String> = sheets.names().iter().map(|name| json(name)).collect();
        let files =
            if files.is_empty() { String::new() } else { format!(",\"files\":[{}]", files.join(",")) };
        format!(
            "{{\"side\":{SIDE},\"names\":[{}],\"part\":{{\"en\":{},\"ko\":{}}},\"index\":[{}],\"truth\":[{}],\"said\":[{}],\"sure\":[{}]{texts}{files}}}",
            names.join(","),
            json(&part.en),
            json(&part.ko),
            list(&|i| self.index[i]),
            list(&|i| self.truth[i]),
            list(&|i| self.said[i]),
            list(&sure),
        )
    }
}

/// The confusion matrix, its cells open their images, and the scores of each class.
pub(super) fn draw(w: &mut Writer, scores: &ClassScores, answers: &Answers, sheets: &Sheets) {
    let about = w.samples(t(
        "Rows are the true classes, columns what the model says; the deeper a cell's colour, the larger its share of the row. Open a cell to see the images it counts.",
        "행은 실제 클래스, 열은 예측한 클래스이며, 칸의 색이 진할수록 행에서 차지하는 몫이 큽니다. 칸을 누르면 그 칸에 든 이미지가 모두 보입니다.",
    ));
    w.section("confusion", &t("Confusion matrix", "혼동 행렬"), &about);
    let total = answers.index.len();
    if sheets.held < total {
        let (held, all) = (count(sheets.held as u64), count(total as u64));
        let note = w.samples(t(
            format!("To keep this file small it holds {held} of the {all} images: mistakes first, then the least sure."),
            format!("파일을 작게 하려고 이미지 {all}장 가운데 {held}장만 담았습니다. 틀린 것부터, 그다음 덜 확실한 것부터입니다."),
        ));
        w.text("p", " class=\"note\"", &note);
    }
    w.raw("<div class=\"split\">");
    if scores.confusion.len() <= MATRIX {
        matrix(w, scores, answers);
    } else {
        pairs(w, scores, answers);
    }
    per_class(w, scores);
    w.raw("</div></section>");
}

fn cell(w: &Writer, answers: &Answers, truth: usize, said: usize, n: u64) -> String {
    let (a, b) = (&answers.names[truth], &answers.names[said]);
    let n = count(n);
    let Text { en, ko } = w.samples(t(format!("{n} images"), format!("이미지 {n}장")));
    w.label("aria-label", &t(format!("true {a}, model says {b}: {en}"), format!("정답 {a}, 예측 {b}: {ko}")))
}

fn matrix(w: &mut Writer, scores: &ClassScores, answers: &Answers) {
    let k = scores.confusion.len();
    w.raw("<div class=\"scroll matrix-box\" tabindex=\"0\" role=\"region\"");
    let label = w.label("aria-label", &t("Confusion matrix", "혼동 행렬"));
    w.raw(label);
    w.raw(format!("><table class=\"matrix\" style=\"--k:{k}\"><thead><tr><td class=\"corner\">"));
    w.text("span", "", &t("true \u{2193}", "정답 \u{2193}"));
    w.text("span", "", &t("says \u{2192}", "예측 \u{2192}"));
    w.raw("</td>");
    for name in &answers.names {
        w.name("th", " scope=\"col\"", name);
    }
    w.raw("</tr></thead><tbody>");
    for (r, row) in scores.confusion.iter().enumerate() {
        let support: u64 = row.iter().sum();
        w.raw("<tr>");
        w.name("th", " scope=\"row\"", &answers.names[r]);
        for (c, &n) in row.iter().enumerate() {
            if n == 0 {
                w.raw("<td class=\"none\">\u{b7}</td>");
                continue;
            }
            let (class, heat) = (if r == c { "hit" } else { "miss" }, n as f64 / support as f64);
            let label = cell(w, answers, r, c, n);
            w.raw(format!(
                "<td class=\"{class}\" style=\"--heat:{heat:.3}\"><button type=\"button\" data-truth=\"{r}\" data-said=\"{c}\" \
                 data-count=\"{n}\" aria-haspopup=\"dialog\"{label}>{n}</button></td>"
            ));
        }
        w.raw("</tr>");
    }
    w.raw("</tbody></table></div>");
}

/// For many classes: the pairs most often taken for each other.
fn pairs(w: &mut Writer, scores: &ClassScores, answers: &Answers) {
    let k = scores.confusion.len();
    let all = (0..k).flat_map(|r| (0..k).filter(move |&c| c != r).map(move |c| (r, c)));
    let mut found: Vec<(u64, usize, usize)> =
        all.map(|(r, c)| (scores.confusion[r][c], r, c)).filter(|p| p.0 > 0).collect();
    found.sort_by_key(|&(n, r, c)| (std::cmp::Reverse(n), r, c));
    w.raw("<div>");
    w.text(
        "p",
        " class=\"note\"",
        &t(
            format!("{k} classes are too many for a matrix: the pairs most often confused."),
            format!("클래스가 {k}개라 행렬로 그리기에는 많아, 가장 자주 헷갈리는 짝을 보입니다."),
        ),
    );
    w.raw("<ul class=\"pairs\">");
    for &(n, r, c) in found.iter().take(PAIRS) {
        let label = cell(w, answers, r, c, n);
        let (a, b) = (escape(&answers.names[r]), escape(&answers.names[c]));
        w.raw(format!(
            "<li><button type=\"button\" data-truth=\"{r}\" data-said=\"{c}\" data-count=\"{n}\" aria-haspopup=\"dialog\"{label}>\
             <span translate=\"no\">{a} \u{2192} {b}</span> <b>{n}</b></button></li>"
        ));
    }
    w.raw("</ul></div>");
}

fn per_class(w: &mut Writer, scores: &ClassScores) {
    let k = scores.per_class.len();
    w.raw(format!(
        "<div class=\"scroll{}\" tabindex=\"0\" role=\"region\"",
        if k > 20 { " tall" } else { "" }
    ));
    let label = w.label("aria-label", &t("Scores of each class", "클래스별 점수"));
    w.raw(label);
    w.raw("><table class=\"scores\"><thead><tr>");
    for (name, class) in [
        (t("class", "클래스"), ""),
        (t("precision", "정밀도"), " class=\"r\""),
        (t("recall", "재현율"), " class=\"r\""),
        (t("F1", "F1"), " class=\"r\""),
        (w.samples(t("images", "이미지")), " class=\"r\""),
    ] {
        w.text("th", &format!(" scope=\"col\"{class}"), &name);
    }
    w.raw("</tr></thead><tbody>");
    for class in &scores.per_class {
        w.raw("<tr>");
        w.name("th", " scope=\"row\"", &class.class);
        for v in [class.precision, class.recall] {
            w.raw(format!("<td class=\"r\">{}</td>", percent(v)));
        }
        w.raw(format!(
            "<td class=\"r bar\" style=\"--share:{:.3}\"><span>{}</span></td>",
            class.f1,
            percent(class.f1)
        ));
        w.raw(format!("<td class=\"r\">{}</td></tr>", count(class.support)));
    }
    w.raw("</tbody></table></div>");
}

/// The mistakes that the model is surest of.
pub(super) fn worst(w: &mut Writer, answers: &Answers, sheets: &Sheets) {
    let title = w.samples(t("The worst mistakes", "가장 크게 틀린 이미지"));
    let about = w.samples(t(
        "Wrong answers that the model is surest of, with its most likely classes.",
        "모델이 가장 자신 있게 틀린 이미지와, 모델이 가장 그럴듯하게 본 클래스입니다.",
    ));
    w.section("worst", &title, &about);
    let shown = answers.mistakes.min(WORST).min(sheets.held);
    if shown == 0 {
        let none = w.samples(t("There is no mistake to show.", "틀린 이미지가 없습니다."));
        w.text("p", " class=\"note\"", &none);
    }
    w.raw("<ol class=\"worst\">");
    for place in 0..shown {
        let i = answers.order[place] as usize;
        let (truth, said) = (answers.truth[i] as usize, answers.said[i] as usize);
        let (a, b) = (&answers.names[truth], &answers.names[said]);
        let index = answers.index[i];
        w.raw("<li>");
        sheets.draw(w, place, index);
        w.raw("<div class=\"answer\">");
        w.text("p", "", &t(format!("{a} taken for {b}"), format!("정답 {a}, 예측 {b}")));
        bars(w, answers.row(i), truth, &answers.names);
        w.raw("</div></li>");
    }
    w.raw("</ol></section>");
}

/// The likeliest classes as bars, and the true one if it is not among them.
fn bars(w: &mut Writer, row: &[f32], truth: usize, names: &[String]) {
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
    let mut shown: Vec<usize> = order.into_iter().take(BARS).collect();
    if !shown.contains(&truth) {
        shown.pop();
        shown.push(truth);
    }
    w.raw("<ul class=\"bars\">");
    for c in shown {
        let class = if c == truth { " class=\"true\"" } else { "" };
        w.raw(format!("<li{class} style=\"--share:{:.4}\">", row[c]));
        w.name("span", " class=\"label\"", &names[c]);
        w.raw(format!("<i></i><span class=\"value\">{:.1} %</span></li>", 100.0 * row[c]));
    }
    w.raw("</ul>");
}
