//! The report of cross-validation: one table of all folds, and the way to the report of each.

use super::{SCRIPT, STYLE, bar, fill, foot_of};
use crate::Language;
use crate::text::{Text, Writer, escape, t};

/// Cross-validation, as its report tells of it. Texts are in English and Korean.
#[derive(Clone, Debug)]
pub struct Folds<'a> {
    /// The language that is shown first.
    pub language: Language,
    /// When it ended, for people.
    pub when: &'a str,
    /// foveal's version.
    pub version: &'a str,
    /// The command that made it; may be empty.
    pub command: &'a str,
    /// The model's name.
    pub model: &'a str,
    /// The data set's name.
    pub dataset: &'a str,
    /// The figure that is asked for first, with its deviation, and what it is.
    pub score: (String, [String; 2]),
    /// What the columns are called; the first is the fold.
    pub columns: Vec<[String; 2]>,
    /// A row of cells for each fold.
    pub rows: Vec<Vec<String>>,
    /// The share of the first figure of each fold, 0 to 1, which is drawn as a bar; none where it is no share.
    pub shares: Vec<f64>,
    /// The column of that figure.
    pub first: usize,
    /// Mean and deviation of the figures, as rows of cells.
    pub moments: [Vec<String>; 2],
    /// What is said of all folds together: groups, what a fold lacks.
    pub notes: Vec<[String; 2]>,
    /// Where the report of each fold is, from this page; empty where there are none.
    pub reports: Vec<String>,
}

fn text([en, ko]: &[String; 2]) -> Text {
    t(en.clone(), ko.clone())
}

impl Folds<'_> {
    /// The page: one HTML file that needs nothing else.
    pub fn to_html(&self) -> String {
        let mut w = Writer::new(self.language);
        self.head(&mut w);
        self.table(&mut w);
        if !self.command.is_empty() {
            w.section("run", &t("Run it again", "다시 실행하기"), &t("", ""));
            w.name("pre", " tabindex=\"0\"", self.command);
            w.raw("</section>");
        }
        let title = escape(&format!("{} \u{b7} {}", self.model, self.dataset));
        fill(&[
            ("lang", self.language.code()),
            ("title", &title),
            ("style", STYLE),
            ("sheets", ""),
            ("bar", &bar(self.language)),
            ("main", &w.html),
            ("foot", &foot_of(self.language, self.version)),
            ("data", "null"),
            ("script", SCRIPT),
        ])
    }

    fn head(&self, w: &mut Writer) {
        w.raw("<section class=\"hero\" aria-labelledby=\"title\"><div>");
        w.text("p", " class=\"kicker\"", &t("Cross-validation", "교차 검증"));
        w.raw("<h1 id=\"title\" translate=\"no\">");
        w.name("span", "", self.model);
        w.raw(" <span class=\"on\">\u{b7}</span> ");
        w.name("span", "", self.dataset);
        w.raw("</h1>");
        if !self.when.is_empty() {
            w.name("p", " class=\"when\"", self.when);
        }
        w.raw("</div><div class=\"score\">");
        w.name("p", " class=\"big\"", &self.score.0);
        w.text("p", "", &text(&self.score.1));
        w.raw("</div></section>");
    }

    fn table(&self, w: &mut Writer) {
        w.section(
            "folds",
            &t("Fold by fold", "폴드별 결과"),
            &t(
                "Each model is judged by a part of the data that neither its training nor the choice of its best epoch has seen. The deviation is that between folds.",
                "모델마다 훈련에도, 가장 좋은 에포크를 고르는 데에도 쓰지 않은 데이터로 평가했습니다. 표준편차는 폴드 사이의 것입니다.",
            ),
        );
        w.raw("<div class=\"scroll\" tabindex=\"0\" role=\"region\"");
        let label = w.label("aria-label", &t("Figures of each fold", "폴드별 점수"));
        w.raw(label);
        w.raw("><table class=\"scores\"><thead><tr>");
        for (c, title) in self.columns.iter().enumerate() {
            w.text("th", if c == 0 { " scope=\"col\"" } else { " scope=\"col\" class=\"r\"" }, &text(title));
        }
        if !self.reports.is_empty() {
            w.text("th", " scope=\"col\"", &t("report", "보고서"));
        }
        w.raw("</tr></thead><tbody>");
        for (k, row) in self.rows.iter().enumerate() {
            w.raw("<tr>");
            self.cells(w, row, self.shares.get(k).copied());
            if let Some(report) = self.reports.get(k) {
                w.raw(format!("<td><a href=\"{}\"", escape(report)));
                let label = w.label(
                    "aria-label",
                    &t(format!("Report of fold {}", k + 1), format!("폴드 {} 보고서", k + 1)),
                );
                w.raw(label);
                w.raw(">");
                w.text("span", "", &t("open", "열기"));
                w.raw("</a></td>");
            }
            w.raw("</tr>");
        }
        for (name, row) in [t("mean", "평균"), t("deviation", "표준편차")].iter().zip(&self.moments) {
            w.raw("<tr class=\"sum\">");
            w.text("th", " scope=\"row\"", name);
            row.iter().skip(1).for_each(|cell| w.name("td", " class=\"r\"", cell));
            if !self.reports.is_empty() {
                w.raw("<td></td>");
            }
            w.raw("</tr>");
        }
        w.raw("</tbody></table></div>");
        for note in &self.notes {
            w.text("p", " class=\"note\"", &text(note));
        }
        w.raw("</section>");
    }

    fn cells(&self, w: &mut Writer, row: &[String], share: Option<f64>) {
        for (c, cell) in row.iter().enumerate() {
            match share.filter(|_| c == self.first) {
                _ if c == 0 => w.name("th", " scope=\"row\"", cell),
                Some(share) => w.raw(format!(
                    "<td class=\"r bar\" style=\"--share:{share:.3}\"><span>{}</span></td>",
                    escape(cell)
                )),
                None => w.name("td", " class=\"r\"", cell),
            }
        }
    }
}
