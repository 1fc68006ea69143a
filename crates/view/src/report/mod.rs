//! The report of a training run: one HTML file that needs nothing else.
//!
//! [`Report`] is plain data from a run; [`Report::to_html`] makes the page. Nothing in it is fetched from
//! anywhere: styles, script and pictures are inside, and its content security policy forbids the rest.

mod chart;
mod classes;
mod curves;
mod excite;
mod facts;
mod folds;
mod inside;
mod labels;
mod parts;
mod ranking;
mod sheets;
mod texts;
mod values;

pub use crate::Language;
pub use curves::Steps;
pub use folds::Folds;

use crate::text::{Text, Writer, escape, t};
use foveal_data::Dataset;
use foveal_train::{Evaluation, Outcome, SavedModel};
use sheets::Sheets;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// So many of the images that were trained on are looked through for those that excite a map.
pub const LEARNT: usize = 192;

/// Which images a model is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Those read once, at the end.
    Test,
    /// Those that guided the training: there was no test part.
    Validation,
}

impl Part {
    fn name(self) -> Text {
        match self {
            Part::Test => t("test", "테스트"),
            Part::Validation => t("validation", "검증"),
        }
    }
}

/// Images with the model's outputs for them.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// Which images they are.
    pub part: Part,
    /// The data set.
    pub data: &'a Dataset,
    /// Which of its images were judged; all without.
    pub indices: Option<&'a [u32]>,
    /// What [`foveal_train::predict`] gave for them, `[image][output]`.
    pub outputs: &'a [f32],
    /// Their scores.
    pub scores: &'a Evaluation,
    /// The file of each, where samples are files.
    pub names: Option<&'a [String]>,
}

/// What a run was made on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// The instruction set of the kernels.
    pub instructions: String,
    /// Workers.
    pub threads: usize,
    /// The operating system.
    pub system: String,
}

/// A run, as its report tells of it.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// The language that is shown first.
    pub language: Language,
    /// When the run ended, for people.
    pub when: &'a str,
    /// foveal's version.
    pub version: &'a str,
    /// The command that made the run; may be empty.
    pub command: &'a str,
    /// The trained model.
    pub saved: &'a SavedModel,
    /// What training left.
    pub outcome: &'a Outcome,
    /// The steps.
    pub steps: &'a Steps,
    /// Training and validation images.
    pub images: [usize; 2],
    /// The images that the model is judged by; none when the run ended before that.
    pub judged: Option<Judged<'a>>,
    /// Some of the images that were trained on, [`LEARNT`] are enough: those that excite the maps most are shown.
    pub learnt: Option<&'a Dataset>,
    /// What it was made on.
    pub machine: Machine,
    /// Seconds from the program's start to its result.
    pub total_seconds: f64,
}

impl Report<'_> {
    /// The page.
    ///
    /// Pictures of all judged images are in it where they fit in some megabytes; of larger sets the mistakes
    /// come first, and the page says how many are there.
    pub fn to_html(&self) -> String {
        let mut w = Writer::new(self.language);
        w.texts = self.saved.model.vocabulary().is_some();
        facts::head(&mut w, self);
        curves::draw(&mut w, &self.outcome.history, self.steps, self.saved.training.best_epoch);
        parts::draw(&mut w, &self.saved.model);
        let (css, data) = self.judgement(&mut w);
        facts::run(&mut w, self);
        let training = &self.saved.training;
        let title = escape(&format!("{} \u{b7} {}", training.model, training.dataset));
        fill(&[
            ("lang", self.language.code()),
            ("title", &title),
            ("style", STYLE),
            ("sheets", &css),
            ("bar", &bar(self.language)),
            ("main", &w.html),
            ("foot", &foot_of(self.language, self.version)),
            ("data", &data),
            ("script", SCRIPT),
        ])
    }

    /// What the model gets right and wrong, and what it sees; the sheets' CSS and the script's data.
    fn judgement(&self, w: &mut Writer) -> (String, String) {
        let (model, none) = (&self.saved.model, (String::new(), "null".to_owned()));
        let Some(judged) = self.judged.as_ref().filter(|j| !j.outputs.is_empty()) else {
            inside::filters_alone(w, model);
            return none;
        };
        let threads = self.machine.threads;
        let learnt = self.learnt.map(|data| (data, self.images[0]));
        if let (Some(answers), Evaluation::Classes(scores)) =
            (classes::Answers::new(model, judged), judged.scores)
        {
            let sheets =
                Sheets::new(judged.data, &answers.places(), threads).named(judged, &answers.places());
            classes::draw(w, scores, &answers, &sheets);
            ranking::draw(w, scores, &answers, self.saved.training.temperature);
            classes::worst(w, &answers, &sheets);
            inside::draw(w, self.saved, judged, &answers.samples(), Some(&answers), learnt);
            return (sheets.css(), answers.data(&sheets, &judged.part.name()));
        }
        if let Evaluation::Labels(scores) = judged.scores {
            let labelled = labels::Labelled::new(self.saved, judged);
            let sheets =
                Sheets::new(judged.data, &labelled.places(), threads).named(judged, &labelled.places());
            labels::draw(w, scores);
            labels::worst(w, &labelled, &sheets);
            inside::draw(w, self.saved, judged, &labelled.samples(), None, learnt);
            return (sheets.css(), none.1);
        }
        let Some(pairs) = values::Pairs::new(self.saved, judged) else { return none };
        let sheets = Sheets::new(judged.data, &pairs.places(), threads).named(judged, &pairs.places());
        values::draw(w, &pairs);
        values::worst(w, &pairs, &sheets);
        inside::draw(w, self.saved, judged, &pairs.samples(), None, learnt);
        (sheets.css(), none.1)
    }
}

/// The page with its blanks, such as `{{title}}`, filled; what is filled in is not looked at again.
fn fill(blanks: &[(&str, &str)]) -> String {
    let mut html = String::with_capacity(PAGE.len() + blanks.iter().map(|b| b.1.len()).sum::<usize>());
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("{{") {
        html.push_str(before);
        let (name, after) = after.split_once("}}").unwrap_or(("", after));
        html.push_str(blanks.iter().find(|b| b.0 == name).map_or("", |b| b.1));
        rest = after;
    }
    html + rest
}

/// The switches of language and colours.
fn bar(language: Language) -> String {
    let mut w = Writer::new(language);
    w.raw("<div class=\"switch\" role=\"group\"");
    let label = w.label("aria-label", &t("Language", "언어"));
    w.raw(label);
    w.raw(">");
    for (code, name) in [("en", "English"), ("ko", "한국어")] {
        let on = language.code() == code;
        w.raw(format!(
            "<button type=\"button\" lang=\"{code}\" translate=\"no\" data-language=\"{code}\" aria-pressed=\"{on}\">{name}</button>"
        ));
    }
    w.raw("</div><button type=\"button\" class=\"theme\"");
    let label = w.label("aria-label", &t("Dark or light", "어둡게 또는 밝게"));
    w.raw(label);
    w.raw("><svg viewBox=\"0 0 20 20\" aria-hidden=\"true\"><circle cx=\"10\" cy=\"10\" r=\"7.2\"/><path d=\"M10 2.8a7.2 7.2 0 0 1 0 14.4z\"/></svg></button>");
    w.html
}

fn foot_of(language: Language, version: &str) -> String {
    let mut w = Writer::new(language);
    w.text(
        "p",
        "",
        &t(
            "This page is one file: it fetches nothing and works offline.",
            "이 문서는 파일 하나입니다. 아무것도 내려받지 않으며 인터넷 없이 열립니다.",
        ),
    );
    w.name("p", "", &format!("foveal {version}"));
    w.html
}
