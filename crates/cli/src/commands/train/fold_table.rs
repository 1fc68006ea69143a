//! The figures of cross-validation: a row for each fold, their mean and spread.

use super::judgement::{Judgement, Scores};
use super::training::{Learnt, Run};
use crate::output::{Context, count};
use crate::source::{self, By};
use crate::table::{Side, table};
use crate::values::figure;
use anyhow::Result;
use foveal::data::Split;
use foveal::train::{Evaluation, Grouped};
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
    /// The figures, in the order of [`names`].
    figures: Vec<f64>,
    /// Groups that were judged as one, and how many of them are right.
    #[serde(skip_serializing_if = "Option::is_none")]
    of_groups: Option<Grouped>,
    /// Samples of the test that are right; none of values.
    right: Option<u64>,
    #[serde(skip)]
    classes: bool,
    #[serde(skip)]
    lacking: Option<[String; 2]>,
    model_path: String,
}

/// What the figures are called.
fn names(classes: bool) -> &'static [&'static str] {
    if classes { &["accuracy", "macro_f1", "loss"] } else { &["mae", "rmse", "r2", "loss"] }
}

impl Row {
    pub fn new(fold: u8, learnt: &Learnt, split: &Split, judgement: &Judgement<'_>) -> Self {
        let (figures, right, classes) = match judgement.scores() {
            Evaluation::Classes(s) => {
                let right = (0..s.confusion.len()).map(|c| s.confusion[c][c]).sum();
                (vec![s.accuracy, s.macro_f1, s.loss], Some(right), true)
            }
            Evaluation::Values(s) => (vec![s.mae, s.rmse, s.r2.unwrap_or(f64::NAN), s.loss], None, false),
        };
        Self {
            fold,
            samples: [split.train.len(), split.validation.len(), judgement.samples()],
            groups: judgement.groups(),
            figures,
            of_groups: judgement.of_groups(&learnt.saved),
            right,
            classes,
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
        names(self.rows.first().is_none_or(|row| row.classes))
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
                model_path: folder.display().to_string(),
            });
        }
        let mut text = self.text(context);
        let folder = folder.display();
        text += &context.language.pick(
            format!("{total_seconds:.2} s in all, ensemble of the folds' models in {folder}, table in {folder}/folds.csv\n"),
            format!("모두 {total_seconds:.2}초, 폴드별 모델의 앙상블은 {folder}, 표는 {folder}/folds.csv\n"),
        );
        context.print(&text)
    }

    fn text(&self, context: &Context) -> String {
        let groups = self.rows.iter().any(|row| row.groups.is_some());
        let mut columns = vec![
            (context.say("fold", "폴드"), Side::Left),
            (context.say("training", "훈련"), Side::Right),
            (context.say("validation", "검증"), Side::Right),
            (context.say("test", "테스트"), Side::Right),
        ];
        let by = self.by.as_ref().map_or(String::new(), |by| by.title(context));
        if groups {
            columns.push((&by, Side::Right));
        }
        let titles = |name: &&'static str| match *name {
            "accuracy" => context.say("accuracy", "정확도"),
            "macro_f1" => context.say("macro F1", "매크로 F1"),
            "loss" => context.say("loss", "손실"),
            "mae" => "MAE",
            "rmse" => "RMSE",
            _ => "R²",
        };
        columns.extend(self.names().iter().map(|name| (titles(name), Side::Right)));
        let cells = |values: &[f64]| -> Vec<String> {
            let each = self.names().iter().zip(values);
            each.map(|(name, v)| if *name == "accuracy" { format!("{:.2} %", 100.0 * v) } else { figure(*v) })
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
        table(&columns, &rows) + &self.together(context)
    }

    /// What is said below the table.
    fn together(&self, context: &Context) -> String {
        let mut text = String::from("\n");
        if let Some([right, all]) = self.right() {
            let share = 100.0 * right as f64 / all.max(1) as f64;
            let (right, all) = (count(right), count(all));
            text += &context.language.pick(
                format!("all folds together: accuracy {share:.2} % ({right} of {all}), each sample judged by the model that has not seen it\n"),
                format!("모든 폴드: 정확도 {share:.2} % ({all}개 중 {right}개), 표본마다 그것을 보지 않은 모델로 평가\n"),
            );
        }
        if let (Some(by), Some(Grouped { groups, right })) = (&self.by, self.of_groups()) {
            let share = 100.0 * right as f64 / groups.max(1) as f64;
            let (name, name_ko) = (by.name().escape_debug(), by.title(context));
            text += &context.language.pick(
                format!("by {name}: accuracy {share:.2} % ({right} of {groups}), by the mean of the samples' probabilities\n"),
                format!("{name_ko} 단위: 정확도 {share:.2} % ({groups}개 중 {right}개), 표본들의 확률을 평균해 판정\n"),
            );
        }
        for row in &self.rows {
            if let Some([english, korean]) = &row.lacking {
                let fold = row.fold;
                text += &context
                    .language
                    .pick(format!("fold {fold}: {english}\n"), format!("폴드 {fold}: {korean}\n"));
            }
        }
        if let Some(scores) = &self.ensemble {
            text += &format!("{}: {}", context.say("ensemble", "앙상블"), scores.text(context));
        }
        text
    }
}
