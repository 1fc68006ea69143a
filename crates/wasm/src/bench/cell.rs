use super::setting::{Operator, Setting, signed};
use foveal::view::explain::{self, Explanation, Sum, Term};
use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// One term of an output cell, as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct CellTerm {
    /// Row, column and channel in the input; row or column lie outside it where it is padding.
    pub at: [i64; 3],
    /// The number there.
    pub input: String,
    /// The filter's number; a pooling has none.
    pub filter: Option<String>,
    /// The product; a maximum has none.
    pub product: Option<String>,
    /// Whether the cell is padding.
    pub padding: bool,
    /// Whether a maximum takes this term: the first of the largest.
    pub largest: bool,
}

/// One output cell and its terms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct Cell {
    /// Row, column and channel in the output.
    pub at: [usize; 3],
    /// By filter row, filter column and channel.
    pub parts: Vec<CellTerm>,
    /// The sum of the products as shown, exactly; a maximum has none.
    pub total: Option<String>,
    /// The cell's number.
    pub value: String,
    /// How many cells lie inside the image: what a mean divides by.
    pub inside: usize,
    /// Whether no number had to be rounded, so that an equals sign is true.
    pub whole: bool,
}

/// Explains one cell; nothing when the setting has no such cell.
pub fn cell(setting: &Setting, at: [usize; 3]) -> Option<Cell> {
    let (true, Some(x), Some(filter)) = (setting.sound(), setting.x(), setting.filter()) else { return None };
    let [h, w, c] = at.map(signed);
    let asked = [0, h, w, c];
    let told = match setting.operator {
        Operator::Conv2d => explain::conv2d(x.view(), filter.view(), None, &setting.conv(), asked),
        Operator::MaxPool => explain::max_pool(x.view(), &setting.pool(), asked),
        Operator::AvgPool => explain::avg_pool(x.view(), &setting.pool(), asked),
    };
    Some(shown(&told.ok()?))
}

fn shown(e: &Explanation) -> Cell {
    let sum = Sum::of(e);
    let conv = e.operator == "conv2d";
    let largest = e.terms.iter().position(|t| e.operator == "max_pool" && !t.padding && t.input == e.value);
    let part = |(i, t): (usize, &Term)| CellTerm {
        at: [t.at[1], t.at[2], t.at[3]],
        input: short(t.input),
        filter: t.filter.filter(|_| conv).map(short),
        product: t.product.map(|p| sum.as_ref().map_or_else(|| short(p), |s| s.terms[i].clone())),
        padding: t.padding,
        largest: largest == Some(i),
    };
    let written = |v: f32| short(v).parse() == Ok(v);
    let whole = e.inside().all(|t| written(t.input) && t.filter.is_none_or(|f| !conv || written(f)));
    // The terms of a mean are rounded; their sum is less exact than the mean itself.
    let summed = sum.as_ref().filter(|_| conv);
    let value = summed.map_or_else(|| short(e.value), |s| s.value.clone());
    Cell {
        at: [e.at[1], e.at[2], e.at[3]],
        parts: e.terms.iter().enumerate().map(part).collect(),
        whole: whole && value.parse() == Ok(e.value),
        total: sum.map(|s| s.total),
        value,
        inside: e.inside().count(),
    }
}

/// A number in about seven characters: unrounded if it is as short as that, else with four digits.
pub(super) fn short(v: f32) -> String {
    if v == f32::NEG_INFINITY {
        return "-\u{221e}".into();
    }
    let full = v.to_string();
    if full.trim_start_matches('-').len() <= 7 || !v.is_finite() {
        return if full == "-0" { "0".into() } else { full };
    }
    let magnitude = v.abs().log10().floor();
    if !(-5.0..7.0).contains(&magnitude) {
        return format!("{v:.2e}");
    }
    let places = (3.0 - magnitude).max(0.0) as usize;
    let text = format!("{v:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
