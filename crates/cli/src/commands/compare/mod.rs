//! `foveal compare`

mod paired;

use super::model;
use crate::args::Compare;
use crate::output::{Context, count};
use crate::paths::Shown;
use crate::predictions::{self, Answer, Predictions};
use crate::table::{Side, table};
use anyhow::Result;
use foveal::train::{SavedModel, wilson};
use paired::Pairs;
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

/// Puts two runs side by side.
pub fn run(args: &Compare, context: &Context) -> Result<()> {
    let runs = [One::read(&args.first)?, One::read(&args.second)?];
    let differences = differences(&runs[0].saved, &runs[1].saved)?;
    let both = runs[0].predictions.as_ref().zip(runs[1].predictions.as_ref());
    let pairs = both.map(|(a, b)| Pairs::new(a, b));
    if context.json {
        let (pairs, why) = match &pairs {
            Some(Ok(pairs)) => (Some(pairs), None),
            Some(Err(why)) => (None, Some(why.to_string())),
            None => (None, Some(lacking(&runs, context))),
        };
        return context.print_json(&Json {
            runs: runs.each_ref().map(One::figures),
            differences: differences.iter().map(|(name, a, b)| (name.as_str(), [a, b])).collect(),
            paired: pairs,
            not_paired: why,
        });
    }
    let mut text = figures(&runs, context);
    text += &recipes(&differences, context);
    text += &match pairs {
        Some(Ok(pairs)) => pairs.text([&runs[0].name, &runs[1].name], context),
        Some(Err(why)) => format!("{why}\n"),
        None => format!("{}\n", lacking(&runs, context)),
    };
    context.print(&text)
}

#[derive(Serialize)]
struct Json<'a> {
    runs: [Figures; 2],
    /// What is different in how they were trained, and what each has.
    differences: std::collections::BTreeMap<&'a str, [&'a Value; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paired: Option<&'a Pairs>,
    /// Why they cannot be paired.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_paired: Option<String>,
}

/// One of the runs.
struct One {
    name: String,
    saved: SavedModel,
    predictions: Option<Predictions>,
}

#[derive(Serialize)]
struct Figures {
    run: String,
    model: String,
    dataset: String,
    parameters: usize,
    epochs: usize,
    validation_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy_interval: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rmse: Option<f64>,
}

impl One {
    fn read(path: &Path) -> Result<Self> {
        let (name, saved) = (path.shown(), model::saved(path)?);
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
        Ok(Self { name, saved, predictions: predictions::read(folder)? })
    }

    fn figures(&self) -> Figures {
        let training = &self.saved.training;
        let judged = self.predictions.as_ref();
        let rows = judged.map_or(&[][..], |p| &p.rows);
        let right = rows.iter().filter(|(_, a)| matches!(a, Answer::Class([t, s]) if t == s)).count();
        let classes = rows.iter().any(|(_, a)| matches!(a, Answer::Class(_)));
        let share = right as f64 / rows.len().max(1) as f64;
        let squares: Vec<f64> = rows.iter().flat_map(|(_, a)| a.squares()).collect();
        let mean = squares.iter().sum::<f64>() / squares.len().max(1) as f64;
        Figures {
            run: self.name.clone(),
            model: training.model.clone(),
            dataset: training.dataset.clone(),
            parameters: self.saved.model.params().iter().map(|p| p.values.len()).sum(),
            epochs: training.epochs,
            validation_accuracy: training.validation_accuracy,
            part: judged.map(|p| p.part.clone()),
            samples: judged.map(|p| p.rows.len()),
            accuracy: classes.then_some(share),
            accuracy_interval: classes.then(|| wilson(share, rows.len() as f64)),
            rmse: (!squares.is_empty()).then(|| mean.sqrt()),
        }
    }
}

/// Says which run folder has no predictions.
fn lacking(runs: &[One; 2], context: &Context) -> String {
    let names: Vec<&str> = runs.iter().filter(|r| r.predictions.is_none()).map(|r| r.name.as_str()).collect();
    let (names, file) = (names.join(", "), predictions::FILE);
    context.language.pick(
        format!("no {file} in {names}: which is better cannot be told; train it again"),
        format!("{names}에 {file}이 없어 어느 쪽이 나은지 알 수 없음. 다시 훈련하세요"),
    )
}

fn figures(runs: &[One; 2], context: &Context) -> String {
    let all = runs.each_ref().map(One::figures);
    let row = |name: &str, of: &dyn Fn(&Figures) -> Option<String>| {
        let cells = all.each_ref().map(of);
        let shown = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "-".into());
        cells.iter().any(Option::is_some).then(|| vec![name.to_owned(), shown(&cells[0]), shown(&cells[1])])
    };
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let rows: Vec<Vec<String>> = [
        row(context.say("model", "모델"), &|f| Some(f.model.clone())),
        row(context.say("data set", "데이터"), &|f| Some(f.dataset.clone())),
        row(context.say("parameters", "파라미터"), &|f| Some(count(f.parameters as u64))),
        row(context.say("epochs", "에포크"), &|f| Some(f.epochs.to_string())),
        row(context.say("validation accuracy", "검증 정확도"), &|f| f.validation_accuracy.map(percent)),
        row(context.say("judged by", "평가한 데이터"), &|f| {
            let part = match f.part.as_deref()? {
                "test" => context.say("test", "테스트"),
                _ => context.say("validation", "검증"),
            };
            Some(format!("{part} ({})", count(f.samples? as u64)))
        }),
        row(context.say("accuracy", "정확도"), &|f| f.accuracy.map(percent)),
        row(context.say("95 % interval", "95 % 신뢰구간"), &|f| {
            f.accuracy_interval.map(|[a, b]| format!("{:.1} - {:.1} %", 100.0 * a, 100.0 * b))
        }),
        row("RMSE", &|f| f.rmse.map(|v| format!("{v:.4}"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let columns = [("", Side::Left), (&runs[0].name[..], Side::Right), (&runs[1].name[..], Side::Right)];
    table(&columns, &rows)
}

fn recipes(differences: &[(String, Value, Value)], context: &Context) -> String {
    if differences.is_empty() {
        return format!(
            "\n{}\n\n",
            context.say("Both have the same recipe.", "두 실행의 레시피가 같습니다.")
        );
    }
    let title = context.say("Differences of the recipes:", "레시피의 차이:");
    let columns = [("", Side::Left), ("1", Side::Right), ("2", Side::Right)];
    let cell = |v: &Value| match v {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(all) if all.len() > 4 => format!("[{}]", all.len()),
        other => other.to_string(),
    };
    let rows = differences.iter().map(|(name, a, b)| vec![name.clone(), cell(a), cell(b)]);
    format!("\n{title}\n{}\n", table(&columns, &rows.collect::<Vec<_>>()))
}

/// The settings of the recipes that differ, and the temperature.
fn differences(a: &SavedModel, b: &SavedModel) -> Result<Vec<(String, Value, Value)>> {
    let of = |saved: &SavedModel| -> Result<Value> {
        // By way of text, which has the digits that were meant: 0.1, not its nearest neighbour's.
        let mut all: Value = serde_json::from_str(&serde_json::to_string(&saved.training.recipe)?)?;
        all["temperature"] = serde_json::from_str(&serde_json::to_string(&saved.training.temperature)?)?;
        Ok(all)
    };
    let mut found = Vec::new();
    compare("", &of(a)?, &of(b)?, &mut found);
    Ok(found)
}

fn compare(path: &str, a: &Value, b: &Value, found: &mut Vec<(String, Value, Value)>) {
    match (a, b) {
        _ if a == b => {}
        (Value::Object(first), Value::Object(second)) => {
            let keys = first.keys().chain(second.keys().filter(|k| !first.contains_key(*k)));
            for key in keys {
                let inside = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let none = &Value::Null;
                compare(&inside, first.get(key).unwrap_or(none), second.get(key).unwrap_or(none), found);
            }
        }
        _ => found.push((path.to_owned(), a.clone(), b.clone())),
    }
}
