use foveal::train::SavedModel;
use foveal::view::Error;
use foveal::view::explain::{self, Activated, Explanation, Point, Sum};
use ndarray::{Array3, Array4};
use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// How the number of a cell is computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Made {
    /// From the picture: `value = raw * scale + shift`.
    Input {
        /// Row, column, channel.
        at: [usize; 3],
        /// The picture's number, 0 to 255.
        raw: f32,
        /// What it is multiplied by.
        scale: f32,
        /// What is then added.
        shift: f32,
        /// The cell's number.
        value: f32,
    },
    /// From the window of a convolution or pooling, or from all inputs of a dense layer.
    Window {
        /// The cell.
        cell: Box<WindowCell>,
    },
    /// From one number, or from one number of each input.
    Point {
        /// The cell.
        cell: PointCell,
    },
}

/// A cell of a layer with windows, or of a dense layer. The lists have an entry for each term, by row, column and
/// channel of the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct WindowCell {
    /// The layer's operator.
    pub operator: String,
    /// Row, column, channel.
    pub at: [usize; 3],
    /// The value that the terms come from.
    pub from: usize,
    /// Height and width of the window.
    pub window: [usize; 2],
    /// Channels that each cell of the window has a term for.
    pub depth: usize,
    /// Row, column and channel of each term in the value before.
    pub places: Vec<[i64; 3]>,
    /// The numbers there.
    pub inputs: Vec<f32>,
    /// What they are multiplied by; empty for a maximum.
    pub filters: Vec<f32>,
    /// The products; empty for a maximum.
    pub products: Vec<f32>,
    /// Whether a term is padding.
    pub padding: Vec<bool>,
    /// Which term a maximum takes.
    pub largest: Option<usize>,
    /// The sum of the products of each channel; empty for a maximum.
    pub sums: Vec<f32>,
    /// What is added at the end.
    pub bias: Option<f32>,
    /// The cell's number.
    pub value: f32,
    /// Terms, bias, their exact sum and the value as decimals that add up.
    pub text: Option<SumText>,
    /// The number after the activation that follows, if one does.
    pub after: Option<After>,
}

/// A sum as decimals: `terms` and `bias` as printed add up to `total`, of which `value` is a rounding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct SumText {
    /// The products.
    pub terms: Vec<String>,
    /// The bias.
    pub bias: Option<String>,
    /// Their sum.
    pub total: String,
    /// The cell's number.
    pub value: String,
}

/// An activation after a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct After {
    /// Its name.
    pub layer: String,
    /// Its kind.
    pub kind: String,
    /// What comes out.
    pub value: f32,
}

/// A cell of a layer that works number by number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct PointCell {
    /// The layer's kind: which formula holds.
    pub operator: String,
    /// Row, column, channel.
    pub at: [usize; 3],
    /// What goes in.
    pub from: Vec<PointSource>,
    /// Names of the layer's own numbers.
    pub names: Vec<String>,
    /// Those numbers.
    pub numbers: Vec<f32>,
    /// The cell's number.
    pub value: f32,
}

/// A number of a value before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Tsify)]
pub struct PointSource {
    /// The value.
    pub value: usize,
    /// Row, column, channel.
    pub at: [usize; 3],
    /// The number.
    pub number: f32,
}

/// How the number of cell `at` of value `v` is computed.
///
/// # Errors
/// When there is no such cell.
pub fn made(
    saved: &SavedModel,
    raw: &[f32],
    input: &Array3<f32>,
    values: &[Array4<f32>],
    v: usize,
    at: [usize; 3],
) -> Result<Made, Error> {
    let model = &saved.model;
    let beyond = || Error::Inside(format!("there is no cell {at:?} of value {v}"));
    if v == 0 {
        let [_, w, c] = model.input_shape();
        let value = *input.get(at).ok_or_else(beyond)?;
        let raw = *raw.get((at[0] * w + at[1]) * c + at[2]).ok_or_else(beyond)?;
        let (scale, shift) = (saved.preprocess.scale[at[2]], saved.preprocess.shift[at[2]]);
        return Ok(Made::Input { at, raw, scale, shift, value });
    }
    let node = model.nodes().get(v - 1).ok_or_else(beyond)?;
    const WINDOWS: [&str; 6] =
        ["conv2d", "dense", "max_pool", "avg_pool", "global_avg_pool", "global_max_pool"];
    if !WINDOWS.contains(&node.kind.name()) {
        return explain::point(model, values, &node.name, at).map(|p| Made::Point { cell: point(p) });
    }
    let asked = at.map(|v| i64::try_from(v).unwrap_or(i64::MAX));
    let (cell, after) = explain::layer(model, input.view(), &node.name, asked)?;
    Ok(Made::Window { cell: Box::new(window(&cell, after, node.inputs[0])) })
}

fn window(e: &Explanation, after: Option<Activated>, from: usize) -> WindowCell {
    let cells = (e.window[0] * e.window[1]).max(1);
    let depth = e.terms.len() / cells;
    let largest = e.terms.iter().position(|t| e.operator == "max_pool" && !t.padding && t.input == e.value);
    let mut sums = vec![0f64; depth];
    for (k, product) in e.terms.iter().enumerate().filter_map(|(k, t)| Some((k, t.product?))) {
        sums[k % depth.max(1)] += f64::from(product);
    }
    let products: Vec<f32> = e.terms.iter().filter_map(|t| t.product).collect();
    WindowCell {
        operator: e.operator.into(),
        at: [e.at[1], e.at[2], e.at[3]],
        from,
        window: e.window,
        depth,
        places: e.terms.iter().map(|t| [t.at[1], t.at[2], t.at[3]]).collect(),
        inputs: e.terms.iter().map(|t| t.input).collect(),
        filters: e.terms.iter().filter_map(|t| t.filter).collect(),
        sums: if products.is_empty() { Vec::new() } else { sums.into_iter().map(|v| v as f32).collect() },
        products,
        padding: e.terms.iter().map(|t| t.padding).collect(),
        largest,
        bias: e.bias,
        value: e.value,
        text: Sum::of(e).map(|s| SumText { terms: s.terms, bias: s.bias, total: s.total, value: s.value }),
        after: after.map(|a| After { layer: a.layer, kind: a.kind.into(), value: a.value }),
    }
}

fn point(p: Point) -> PointCell {
    let source = |s: &explain::Source| PointSource { value: s.value, at: s.at, number: s.number };
    PointCell {
        operator: p.kind.into(),
        at: p.at,
        from: p.from.iter().map(source).collect(),
        names: p.numbers.iter().map(|n| n.0.to_owned()).collect(),
        numbers: p.numbers.iter().map(|n| n.1).collect(),
        value: p.value,
    }
}
