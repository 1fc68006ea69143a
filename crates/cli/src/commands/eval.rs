//! `foveal eval`

use super::model;
use crate::args::Eval;
use crate::output::{Context, count};
use crate::source::{self, Kind, ReadOptions};
use crate::table::{Side, table};
use anyhow::{Result, anyhow, bail};
use foveal::data::{Dataset, TrainTest};
use foveal::train::{ClassScores, Evaluation, PerClass, SavedModel, ValueScores, judge};
use serde::Serialize;

/// Scores a model on the test part of a data set.
pub fn run(args: &Eval, context: &Context) -> Result<()> {
    let members = model::members(&args.model)?;
    let saved = &members[0];
    let options = ReadOptions {
        labels: args.labels.as_deref(),
        layout: args.layout.map(Into::into),
        scale: args.scale,
        ..ReadOptions::for_model(saved, args.strict).with_tables(&args.tables)
    };
    let test = match args.data.as_str() {
        source::MNIST => {
            options.check(source::MNIST, Kind::Pictures)?;
            Some(source::test_digits()?)
        }
        data => {
            let opened = source::open(data, &options, context)?;
            if opened.ct.is_none() && args.labels.is_some() {
                bail!("{data}: --labels is for folders of DICOM slices; leave it out");
            }
            source::tell(&opened.told, context);
            whole(opened.source, context)
        }
    };
    let test = test.ok_or_else(|| anyhow!("{}: there is no sample to score a model on", args.data))?;
    fits(saved, &test, &args.data)?;
    let outputs = model::outputs(&members, &test, context.threads)?;
    let score = judge(&saved.model, &test, None, &outputs)?;
    match (score, context.json) {
        (Evaluation::Classes(scores), true) => context.print_json(&json(&scores)),
        (Evaluation::Classes(scores), false) => context.print(&class_text(&scores, &test, context)),
        (Evaluation::Values(s), true) => {
            context.print_json(&Values { loss: s.loss, mae: s.mae, rmse: s.rmse, r2: s.r2 })
        }
        (Evaluation::Values(s), false) => context.print(&value_text(&s)),
    }
}

/// Refuses samples of another shape than the model's; those of an .npz or IDX file are not resized.
fn fits(saved: &SavedModel, test: &Dataset, data: &str) -> Result<()> {
    let (shape, wanted) = (test.shape(), saved.model.input_shape());
    if shape != wanted {
        bail!("{data}: its samples are {shape:?} (height, width, channels), the model takes {wanted:?}");
    }
    if saved.model.vocabulary().is_some() && saved.preprocess.text.is_none() {
        bail!(
            "{data}: the model is for texts and has no vocabulary to read them by; it takes only .npy arrays"
        );
    }
    Ok(())
}

/// The test part, or all samples where there is none.
fn whole(source: TrainTest, context: &Context) -> Option<Dataset> {
    if source.test.is_none() {
        context.note(context.say(
            "there is no test part: all samples count, also those a model may have been trained on",
            "시험 부분이 없으므로 모든 표본으로 채점함. 훈련에 쓴 표본이 섞였을 수 있음",
        ));
    }
    source.test.or(Some(source.train)).filter(|data| !data.is_empty())
}

#[derive(Serialize)]
struct Json<'a> {
    loss: f64,
    accuracy: f64,
    /// 95 %, by Wilson.
    accuracy_interval: [f64; 2],
    /// The accuracy of always answering the most frequent class.
    majority: f64,
    macro_f1: f64,
    classes: Vec<&'a str>,
    per_class: Vec<Class<'a>>,
    confusion: &'a [Vec<u64>],
}

#[derive(Serialize)]
struct Class<'a> {
    class: &'a str,
    precision: f64,
    recall: f64,
    f1: f64,
    support: u64,
}

#[derive(Serialize)]
struct Values {
    loss: f64,
    mae: f64,
    rmse: f64,
    r2: f64,
}

fn json(scores: &ClassScores) -> Json<'_> {
    let class = |c: &'_ PerClass| -> (f64, f64, f64, u64) { (c.precision, c.recall, c.f1, c.support) };
    let per_class = scores
        .per_class
        .iter()
        .map(|c| {
            let (precision, recall, f1, support) = class(c);
            Class { class: &c.class, precision, recall, f1, support }
        })
        .collect();
    Json {
        loss: scores.loss,
        accuracy: scores.accuracy,
        accuracy_interval: scores.interval(),
        majority: scores.majority(),
        macro_f1: scores.macro_f1,
        classes: scores.per_class.iter().map(|c| c.class.as_str()).collect(),
        per_class,
        confusion: &scores.confusion,
    }
}

fn class_text(scores: &ClassScores, data: &Dataset, context: &Context) -> String {
    let (n, accuracy) = (count(data.len() as u64), 100.0 * scores.accuracy);
    let texts = data.vocabulary().is_some();
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
    let [low, high] = scores.interval().map(|v| 100.0 * v);
    let majority = 100.0 * scores.majority();
    text += &context.language.pick(
        format!("95 % interval {low:.1} to {high:.1} %; always the most frequent class: {majority:.2} %\n"),
        format!("95 % 신뢰구간 {low:.1}~{high:.1} %. 가장 많은 분류만 답하면 {majority:.2} %\n"),
    );
    text += &format!("{} {:.4}\n", context.say("loss", "손실"), scores.loss);
    text += &format!("{} {:.4}\n\n", context.say("macro F1", "매크로 F1"), scores.macro_f1);
    let columns = [
        (context.say("class", "분류"), Side::Left),
        (context.say("precision", "정밀도"), Side::Right),
        (context.say("recall", "재현율"), Side::Right),
        ("F1", Side::Right),
        (if texts { context.say("texts", "글") } else { context.say("images", "이미지") }, Side::Right),
    ];
    let share = |v: f64| format!("{v:.4}");
    let row = |c: &PerClass| {
        vec![c.class.clone(), share(c.precision), share(c.recall), share(c.f1), count(c.support)]
    };
    text += &table(&columns, &scores.per_class.iter().map(row).collect::<Vec<_>>());
    text += context.say(
        "\nConfusion: rows are the true classes, columns what the model says.\n\n",
        "\n혼동 행렬: 행은 참인 분류, 열은 모델의 답.\n\n",
    );
    let mut columns = vec![("", Side::Left)];
    columns.extend(scores.per_class.iter().map(|c| (c.class.as_str(), Side::Right)));
    let rows: Vec<Vec<String>> = scores
        .per_class
        .iter()
        .zip(&scores.confusion)
        .map(|(c, counts)| {
            let cell = |n: &u64| if *n == 0 { "·".to_owned() } else { count(*n) };
            std::iter::once(c.class.clone()).chain(counts.iter().map(cell)).collect()
        })
        .collect();
    text + &table(&columns, &rows)
}

fn value_text(s: &ValueScores) -> String {
    format!("MAE {:.4}\nRMSE {:.4}\nR² {:.4}\n", s.mae, s.rmse, s.r2)
}
