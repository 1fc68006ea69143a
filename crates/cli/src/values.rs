//! The figures of a regression and of several labels a sample, in words and as JSON.

use crate::output::{Context, count};
use crate::table::{Side, table};
use foveal::train::{ClassScores, LabelScores, PerLabel, PerTarget, ValueScores};
use serde::Serialize;

/// A figure with at least four digits that count, whatever its size.
pub fn figure(v: f64) -> String {
    let size = v.abs();
    match size {
        _ if size == 0.0 || (1e-1..1e7).contains(&size) || !v.is_finite() => format!("{v:.4}"),
        _ if (1e-4..1e-1).contains(&size) => format!("{v:.6}"),
        _ => format!("{v:.4e}"),
    }
}

/// R², or that there is none.
pub fn r2(v: Option<f64>, context: &Context) -> String {
    match v {
        Some(v) => figure(v),
        None => {
            context.say("not defined: all true values are equal", "정의되지 않음(실제값이 모두 같음)").into()
        }
    }
}

/// The figures of one target.
#[derive(Serialize)]
pub struct Owned {
    target: String,
    mae: f64,
    rmse: f64,
    /// Not there where all true values are equal.
    r2: Option<f64>,
}

/// The figures of each target.
pub fn targets(scores: &ValueScores) -> Vec<Owned> {
    let one = |of: &PerTarget| {
        let PerTarget { name, mae, rmse, r2, .. } = of.clone();
        Owned { target: name, mae, rmse, r2 }
    };
    scores.per_target.iter().map(one).collect()
}

/// MAE, RMSE and R² in one line for one target, as a table for several.
pub fn text(scores: &ValueScores, context: &Context) -> String {
    if let [one] = &scores.per_target[..] {
        let r2 = r2(one.r2, context);
        return format!("MAE {}, RMSE {}, R² {r2}", figure(one.mae), figure(one.rmse));
    }
    let columns = [
        (context.say("target", "타깃"), Side::Left),
        ("MAE", Side::Right),
        ("RMSE", Side::Right),
        ("R²", Side::Right),
    ];
    let row = |of: &PerTarget| {
        vec![of.name.escape_debug().to_string(), figure(of.mae), figure(of.rmse), r2(of.r2, context)]
    };
    table(&columns, &scores.per_target.iter().map(row).collect::<Vec<_>>())
}

/// The figures of one label.
#[derive(Serialize)]
pub struct Label {
    label: String,
    threshold: f32,
    precision: f64,
    recall: f64,
    f1: f64,
    /// Not there where all samples or none have the label.
    average_precision: Option<f64>,
    support: u64,
}

/// The figures of each label.
pub fn labels(scores: &LabelScores) -> Vec<Label> {
    let one = |of: &PerLabel| Label {
        label: of.label.clone(),
        threshold: of.threshold,
        precision: of.precision,
        recall: of.recall,
        f1: of.f1,
        average_precision: of.average_precision,
        support: of.support,
    };
    scores.per_label.iter().map(one).collect()
}

/// The figures of all labels in one line.
pub fn label_line(scores: &LabelScores, context: &Context) -> String {
    let (map, exact) = (100.0 * scores.map, 100.0 * scores.exact);
    let (macro_f1, micro_f1) = (scores.macro_f1, scores.micro_f1);
    context.language.pick(
        format!("mAP {map:.2} %, macro F1 {macro_f1:.4}, micro F1 {micro_f1:.4}, all labels right {exact:.2} %"),
        format!("mAP {map:.2} %, 매크로 F1 {macro_f1:.4}, 마이크로 F1 {micro_f1:.4}, 레이블이 모두 맞음 {exact:.2} %"),
    )
}

/// The figures of each label as a table.
pub fn label_table(scores: &LabelScores, context: &Context) -> String {
    let columns = [
        (context.say("label", "레이블"), Side::Left),
        (context.say("threshold", "문턱값"), Side::Right),
        (context.say("precision", "정밀도"), Side::Right),
        (context.say("recall", "재현율"), Side::Right),
        ("F1", Side::Right),
        ("AP", Side::Right),
        (context.say("samples", "샘플"), Side::Right),
    ];
    let percent = |v: f64| format!("{:.2} %", 100.0 * v);
    let row = |of: &PerLabel| {
        vec![
            of.label.escape_debug().to_string(),
            format!("{:.3}", of.threshold),
            percent(of.precision),
            percent(of.recall),
            percent(of.f1),
            of.average_precision.map_or_else(|| "-".to_owned(), percent),
            count(of.support),
        ]
    };
    table(&columns, &scores.per_label.iter().map(row).collect::<Vec<_>>())
}

/// Of how many classes a macro average is the mean, where not all occur.
pub fn occurring(scores: &ClassScores, context: &Context) -> String {
    let (all, some) = (scores.per_class.len(), scores.occurring());
    if all == some {
        return String::new();
    }
    context.language.pick(
        format!(" (over the {some} of {all} classes that occur)"),
        format!(" (클래스 {all}개 중 나타난 {some}개의 평균)"),
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn figures_of_any_size_have_digits() {
        let texts = [0.0, 0.25, 1234.5678, 0.012345, 3.2e-8, 1.5e9].map(super::figure);
        assert_eq!(texts, ["0.0000", "0.2500", "1234.5678", "0.012345", "3.2000e-8", "1.5000e9"]);
    }
}
