//! The figures of cross-validation: a row for each fold, their mean and spread.

use super::judgement::{Judgement, Scores};
use super::training::{Learnt, Run};
use super::{finish, folder};
use crate::language::Language;
use crate::output::{Context, count};
use crate::paths::Shown;
use crate::source::{self, By};
use crate::table::{Side, table};
use crate::values::figure;
use anyhow::Result;
use foveal::data::Split;
use foveal::train::{Evaluation, Grouped};
use foveal::view::{self, report};
use serde::Serialize;
use std::path::Path;

/// The figures of all folds.
pub struct FoldTable {
    rows: Vec<Row>,
    /// What was kept together.
    by: Option<By>,
    /// The scores of all models together on a test part that is in no fold.
    pub ensemble: Option<Scores>,
}

/// The figures of one fold.
#[derive(Serialize)]
pub struct Row {
    fold: u8,
    /// Samples for training, validation and test.
    samples: [usize; 3],
    /// Groups in the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<usize>,
    /// The figures, in the order of `names`.
    figures: Vec<f64>,
    /// Groups that were judged as one, and how many of them are right.
    #[serde(skip_serializing_if = "Option::is_none")]
    of_groups: Option<Grouped>,
    /// Samples of the test that are right; none of values.
    right: Option<u64>,
    /// What the figures are called.
    #[serde(skip)]
    names: &'static [&'static str],
    #[serde(skip)]
    lacking: Option<[String; 2]>,
    model_path: String,
}

/// The figures of classes, of values, of labels.
const CLASSES: &[&str] = &["accuracy", "macro_f1", "loss"];
const VALUES: &[&str] = &["mae", "rmse", "r2", "loss"];
const LABELS: &[&str] = &["map", "macro_f1", "loss"];

impl Row {
    pub fn new(fold: u8, learnt: &Learnt, split: &Split, judgement: &Judgement<'_>) -> Self {
        let (figures, right, names) = match judgement.scores() {
            Evaluation::Classes(s) => {
                let right = (0..s.confusion.len()).map(|c| s.confusion[c][c]).sum();
                (vec![s.accuracy, s.macro_f1, s.loss], Some(right), CLASSES)
            }
            Evaluation::Labels(s) => (vec![s.map, s.macro_f1, s.loss], None, LABELS),
            Evaluation::Values(s) => (vec![s.mae, s.rmse, s.r2.unwrap_or(f64::NAN), s.loss], None, VALUES),
        };
        Self {
            fold,
            samples: [split.train.len(), split.validation.len(), judgement.samples()],
            groups: judgement.groups(),
            figures,
            of_groups: judgement.of_groups(&learnt.saved),
            right,
            names,
            lacking: judgement.lacking(),
            model_path: learnt.at.clone(),
        }
    }
}

#[derive(Serialize)]
struct Json<'a> {
    dataset: String,
    model: &'a str,
    seed: u64,
    threads: usize,
    /// What was kept together.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    /// The names of the figures.
    figures: &'a [&'a str],
    folds: &'a [Row],
    mean: Vec<f64>,
    /// The deviation between folds (of a sample of folds).
    deviation: Vec<f64>,
    /// The accuracy of all folds' samples, each judged by the model that has not seen it.
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy: Option<f64>,
    /// The same for groups, each judged by the mean of its samples' probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ensemble: &'a Option<Scores>,
    total_seconds: f64,
    model_path: String,
}

impl FoldTable {
    pub fn new(by: Option<By>) -> Self {
        Self { rows: Vec::new(), by, ensemble: None }
    }

    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    fn names(&self) -> &'static [&'static str] {
        self.rows.first().map_or(CLASSES, |row| row.names)
    }

    /// Mean and deviation of each figure over the folds.
    fn moments(&self) -> [Vec<f64>; 2] {
        let n = self.rows.len() as f64;
        let column = |j: usize| self.rows.iter().map(move |row| row.figures[j]);
        let mean: Vec<f64> = (0..self.names().len()).map(|j| column(j).sum::<f64>() / n).collect();
        let spread = |j: usize| (column(j).map(|v| (v - mean[j]).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        let deviation = (0..mean.len()).map(spread).collect();
        [mean, deviation]
    }

    /// Samples that are right, of all.
    fn right(&self) -> Option<[u64; 2]> {
        let right = self.rows.iter().map(|row| row.right).sum::<Option<u64>>()?;
        Some([right, self.rows.iter().map(|row| row.samples[2] as u64).sum()])
    }

    /// Groups that are right, of all.
    fn of_groups(&self) -> Option<Grouped> {
        let mut all = Grouped { groups: 0, right: 0 };
        for row in &self.rows {
            let own = row.of_groups.as_ref()?;
            all = Grouped { groups: all.groups + own.groups, right: all.right + own.right };
        }
        (all.groups > 0).then_some(all)
    }

    /// The table as a file: a row for each fold, then mean and deviation.
    pub fn csv(&self) -> Result<String> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let group = self.by.as_ref().map_or("groups", |_| "test_groups");
        let heading = ["fold", "train", "validation", "test", group];
        csv.write_record(heading.iter().chain(self.names()))?;
        for row in &self.rows {
            let groups = row.groups.map_or(String::new(), |n| n.to_string());
            let [train, validation, test] = row.samples.map(|n| n.to_string());
            let figures = row.figures.iter().map(f64::to_string);
            csv.write_record(
                [row.fold.to_string(), train, validation, test, groups].into_iter().chain(figures),
            )?;
        }
        for (name, values) in ["mean", "deviation"].iter().zip(self.moments()) {
            let begin = std::iter::once((*name).to_owned()).chain(std::iter::repeat_n(String::new(), 4));
            csv.write_record(begin.chain(values.iter().map(f64::to_string)))?;
        }
        Ok(String::from_utf8(csv.into_inner()?)?)
    }

    /// Prints the table.
    pub fn show(&self, run: &Run, folder: &Path) -> Result<()> {
        let context = run.context;
        let [mean, deviation] = self.moments();
        let total_seconds = context.started.elapsed().as_secs_f64();
        if context.json {
            return context.print_json(&Json {
                dataset: source::name(&run.args.data),
                model: run.args.model(),
                seed: context.seed,
                threads: context.threads,
                group: self.by.as_ref().map(By::name),
                figures: self.names(),
                folds: &self.rows,
                mean,
                deviation,
                accuracy: self.right().map(|[right, all]| right as f64 / all.max(1) as f64),
                group_accuracy: self.of_groups().map(|g| g.right as f64 / g.groups as f64),
                ensemble: &self.ensemble,
                total_seconds,
                model_path: folder.shown(),
            });
        }
        let mut text = self.text(context);
        let folder = folder.shown();
        text += &context.language.pick(
            format!("{total_seconds:.2} s in all, ensemble of the folds' models in {folder}, table in {folder}/folds.csv\n"),
            format!("모두 {total_seconds:.2}초, 폴드별 모델의 앙상블은 {folder}, 표는 {folder}/folds.csv\n"),
        );
        if !run.args.no_report {
            text += &context.language.pick(
                format!("report in {folder}/report.html\n"),
                format!("보고서는 {folder}/report.html\n"),
            );
        }
        context.print(&text)
    }

    /// The report of all folds. `reports` are those of the members, from its folder.
    pub fn report(&self, run: &Run, reports: Vec<String>) -> String {
        let context = run.context;
        let [english, korean] =
            [Language::English, Language::Korean].map(|language| Context { language, ..context.clone() });
        let (heading, rows) = self.cells(&english);
        let (heading_ko, _) = self.cells(&korean);
        let columns = heading.into_iter().zip(heading_ko).map(|(a, b)| [a.0, b.0]).collect();
        let n = self.rows.len();
        let first = 4 + usize::from(self.has_groups());
        let (mean, deviation) = (rows[n][first].clone(), rows[n + 1][first].clone());
        let name = |context: &Context| title(self.names()[0], context);
        let share = matches!(self.names()[0], "accuracy" | "map");
        let notes = self.notes(&english).into_iter().zip(self.notes(&korean)).map(|(a, b)| [a, b]).collect();
        let moments = [rows[n].clone(), rows[n + 1].clone()];
        report::Folds {
            language: context.language.pick(view::Language::English, view::Language::Korean),
            when: &folder::now(),
            version: env!("CARGO_PKG_VERSION"),
            command: &finish::command(&context.command_line),
            model: run.args.model(),
            dataset: &source::name(&run.args.data),
            score: (
                mean,
                [
                    format!("{}, mean of {n} folds, deviation {deviation}", name(&english)),
                    format!("{} (폴드 {n}개 평균, 표준편차 {deviation})", name(&korean)),
                ],
            ),
            columns,
            rows: rows[..n].to_vec(),
            shares: if share { self.rows.iter().map(|row| row.figures[0]).collect() } else { Vec::new() },
            first,
            moments,
            notes,
            reports,
        }
        .to_html()
    }

    fn has_groups(&self) -> bool {
        self.rows.iter().any(|row| row.groups.is_some())
    }

    fn text(&self, context: &Context) -> String {
        let (columns, rows) = self.cells(context);
        let columns: Vec<(&str, Side)> =
            columns.iter().map(|(title, side)| (title.as_str(), *side)).collect();
        let mut text = table(&columns, &rows) + "\n";
        self.notes(context).iter().for_each(|line| text += &format!("{line}\n"));
        if let Some(scores) = &self.ensemble {
            text += &format!("{}: {}", context.say("ensemble", "앙상블"), scores.text(context));
        }
        text
    }

    /// The table's columns, and its rows: the folds, then mean and deviation.
    fn cells(&self, context: &Context) -> (Vec<(String, Side)>, Vec<Vec<String>>) {
        let groups = self.has_groups();
        let mut columns = vec![
            (context.say("fold", "폴드").to_owned(), Side::Left),
            (context.say("training", "훈련").to_owned(), Side::Right),
            (context.say("validation", "검증").to_owned(), Side::Right),
            (context.say("test", "테스트").to_owned(), Side::Right),
        ];
        if groups {
            columns.push((self.by.as_ref().map_or(String::new(), |by| by.title(context)), Side::Right));
        }
        columns.extend(self.names().iter().map(|name| (title(name, context), Side::Right)));
        let cells = |values: &[f64]| -> Vec<String> {
            let each = self.names().iter().zip(values);
            each.map(|(name, v)| {
                if matches!(*name, "accuracy" | "map") { format!("{:.2} %", 100.0 * v) } else { figure(*v) }
            })
            .collect()
        };
        let mut rows: Vec<Vec<String>> = Vec::new();
        for row in &self.rows {
            let mut cells = cells(&row.figures);
            let begin = std::iter::once(row.fold.to_string()).chain(row.samples.map(|n| count(n as u64)));
            let groups = groups.then(|| row.groups.map_or(String::new(), |n| count(n as u64)));
            let mut line: Vec<String> = begin.chain(groups).collect();
            line.append(&mut cells);
            rows.push(line);
        }
        for (title, values) in
            [context.say("mean", "평균"), context.say("deviation", "표준편차")].iter().zip(self.moments())
        {
            let blank = std::iter::repeat_n(String::new(), 3 + usize::from(groups));
            rows.push(std::iter::once((*title).to_owned()).chain(blank).chain(cells(&values)).collect());
        }
        (columns, rows)
    }

    /// What is said below the table, line by line.
    fn notes(&self, context: &Context) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some([right, all]) = self.right() {
            let share = 100.0 * right as f64 / all.max(1) as f64;
            let (right, all) = (count(right), count(all));
            notes.push(context.language.pick(
                format!("all folds together: accuracy {share:.2} % ({right} of {all}), each sample judged by the model that has not seen it"),
                format!("모든 폴드: 정확도 {share:.2} % ({all}개 중 {right}개), 표본마다 그것을 보지 않은 모델로 평가"),
            ));
        }
        if let (Some(by), Some(Grouped { groups, right })) = (&self.by, self.of_groups()) {
            let share = 100.0 * right as f64 / groups.max(1) as f64;
            let (name, name_ko) = (by.name().escape_debug(), by.title(context));
            notes.push(context.language.pick(
                format!("by {name}: accuracy {share:.2} % ({right} of {groups}), by the mean of the samples' probabilities"),
                format!("{name_ko} 단위: 정확도 {share:.2} % ({groups}개 중 {right}개), 표본들의 확률을 평균해 판정"),
            ));
        }
        for row in &self.rows {
            if let Some([english, korean]) = &row.lacking {
                let fold = row.fold;
                notes.push(
                    context
                        .language
                        .pick(format!("fold {fold}: {english}"), format!("폴드 {fold}: {korean}")),
                );
            }
        }
        notes
    }
}

/// What a figure is called.
fn title(name: &str, context: &Context) -> String {
    match name {
        "accuracy" => context.say("accuracy", "정확도"),
        "macro_f1" => context.say("macro F1", "매크로 F1"),
        "loss" => context.say("loss", "손실"),
        "map" => "mAP",
        "mae" => "MAE",
        "rmse" => "RMSE",
        _ => "R²",
    }
    .to_owned()
}
