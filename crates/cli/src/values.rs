//! The figures of a regression, in words and as JSON.

use crate::output::Context;
use crate::table::{Side, table};
use foveal::train::{ClassScores, PerTarget, ValueScores};
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
