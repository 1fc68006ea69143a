//! One cell of a layer that works number by number: activations, normalization, sums, and what only moves numbers.

use crate::Error;
use crate::inside::no_layer;
use foveal_nn::Model;
use foveal_nn::layers::MadeOf;
use foveal_nn::model::Node;
use foveal_nn::spec::LayerKind;
use ndarray::Array4;

/// A number of a layer before, that a cell is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Source {
    /// The value it stands in: 0 for the input, `i + 1` for layer `i`.
    pub value: usize,
    /// Its place `[h, w, c]`.
    pub at: [usize; 3],
    /// The number.
    pub number: f32,
}

/// One cell and the few numbers it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The layer's kind, such as `relu`: which formula holds.
    pub kind: &'static str,
    /// The cell `[h, w, c]`.
    pub at: [usize; 3],
    /// What goes in: one number, of `add` and its like one from each input, of `softmax` and its like all channels; none
    /// where padding makes the number up.
    pub from: Vec<Source>,
    /// The layer's own numbers by name: the options of an activation, such as `alpha`; `gamma`, `beta`, `mean`,
    /// `variance` and `epsilon` of normalizations; the `largest` input and the `total` of all `exp(x - largest)` of
    /// `softmax` and `log_softmax`; the `length` of `l2_normalize`.
    pub numbers: Vec<(&'static str, f32)>,
    /// What comes out.
    pub value: f32,
}

/// Explains cell `at` `[h, w, c]` of a layer that works number by number, at inference. `values` are
/// [`Model::activations`] of one image. The layers with windows and dense layers are [`super::layer`]'s.
///
/// # Errors
/// When there is no such layer or cell, `values` are not the model's, or the layer has windows.
pub fn point(model: &Model, values: &[Array4<f32>], layer: &str, at: [usize; 3]) -> Result<Point, Error> {
    let v = model.value_named(layer).filter(|&v| v > 0).ok_or_else(|| no_layer(model, layer))?;
    let node = &model.nodes()[v - 1];
    if values.len() != model.nodes().len() + 1 {
        let (got, of) = (values.len(), model.nodes().len() + 1);
        return Err(Error::Inside(format!("{got} values are given, the model has {of}")));
    }
    let cell = [0, at[0], at[1], at[2]];
    let Some(&value) = values[v].get(cell) else {
        let [h, w, c] = node.shape;
        let at = cell.map(|v| i64::try_from(v).unwrap_or(i64::MAX));
        return Err(Error::OutOfRange { operator: node.kind.name(), at, shape: [1, h, w, c] });
    };
    let source = |value: usize, at: [usize; 3]| {
        let number = values[value].get([0, at[0], at[1], at[2]]);
        let missing = || Error::Inside(format!("the values given do not fit layer `{layer}`"));
        number.map(|&number| Source { value, at, number }).ok_or_else(missing)
    };
    let (places, numbers) = made_of(model, node, values, at).ok_or_else(|| {
        let kind = node.kind.name();
        Error::Inside(format!("layer `{layer}` ({kind}) does not work number by number"))
    })?;
    let from = places.into_iter().map(|(value, at)| source(value, at)).collect::<Result<_, _>>()?;
    Ok(Point { kind: node.kind.name(), at, from, numbers, value })
}

/// A value, and a place in it.
type Place = (usize, [usize; 3]);

/// The layer's own numbers by name.
type Numbers = Vec<(&'static str, f32)>;

/// The few numbers that a cell is made of, and the layer's own; nothing for a layer that sums over many.
fn made_of(
    model: &Model,
    node: &Node,
    values: &[Array4<f32>],
    at: [usize; 3],
) -> Option<(Vec<Place>, Numbers)> {
    let first = node.inputs[0];
    let [h, w, c] = at;
    let params = || node.params.iter().map(|&p| model.params()[p].values[c]).collect::<Vec<f32>>();
    Some(match node.kind.made_of() {
        MadeOf::Cell => (vec![(first, at)], of_cell(&node.kind, &params())),
        MadeOf::Channels => {
            let channels = model.value_shape(first)[2];
            let numbers = (0..channels).filter_map(|k| values[first].get([0, h, w, k]).copied());
            let own = of_row(&node.kind, &numbers.collect::<Vec<f32>>(), &params());
            ((0..channels).map(|k| (first, [h, w, k])).collect(), own)
        }
        MadeOf::Each => {
            (node.inputs.iter().map(|&v| (v, spread(model.value_shape(v), at))).collect(), Vec::new())
        }
        MadeOf::Joined => {
            let (v, own) = part(model, node, c);
            (vec![(v, [h, w, own])], Vec::new())
        }
        MadeOf::Moved => {
            let from = node.kind.moved_from(model.value_shape(first), at)?;
            (from.into_iter().map(|place| (first, place)).collect(), Vec::new())
        }
        MadeOf::Many => return None,
    })
}

/// The own numbers of a layer that works number by number; `params` are the parameters of the channel asked for.
fn of_cell(kind: &LayerKind, params: &[f32]) -> Numbers {
    let named =
        |names: &[&'static str]| names.iter().copied().zip(params.iter().copied()).collect::<Numbers>();
    match kind {
        LayerKind::BatchNorm(norm) => {
            let mut own = named(&["gamma", "beta", "mean", "variance"]);
            own.push(("epsilon", norm.epsilon));
            own
        }
        LayerKind::Scale(_) => named(&["gamma"]),
        LayerKind::Prelu(_) => named(&["alpha"]),
        kind => kind.numbers(),
    }
}

/// The own numbers of a layer that goes over the channels of a place: `row` are those channels, `params` the
/// parameters of the channel asked for.
fn of_row(kind: &LayerKind, row: &[f32], params: &[f32]) -> Numbers {
    let wide = || row.iter().map(|&v| f64::from(v));
    match kind {
        LayerKind::LayerNorm(norm) => {
            let mean = wide().sum::<f64>() / row.len() as f64;
            let variance = wide().map(|v| (v - mean).powi(2)).sum::<f64>() / row.len() as f64;
            let own = ["gamma", "beta"].into_iter().zip(params.iter().copied());
            own.chain([("mean", mean as f32), ("variance", variance as f32), ("epsilon", norm.epsilon)])
                .collect()
        }
        LayerKind::L2Normalize(norm) => {
            vec![("length", wide().map(|v| v * v).sum::<f64>().sqrt() as f32), ("epsilon", norm.epsilon)]
        }
        _ => {
            let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let total: f64 = row.iter().map(|v| f64::from((v - largest).exp())).sum();
            vec![("largest", largest), ("total", total as f32)]
        }
    }
}

/// The place that cell `at` reads of an input: one of a single row, column or channel is spread over all of them.
fn spread(shape: [usize; 3], at: [usize; 3]) -> [usize; 3] {
    [0, 1, 2].map(|axis| if shape[axis] == 1 { 0 } else { at[axis] })
}

/// Which input of a concatenation channel `c` comes from, and its channel there.
fn part(model: &Model, node: &Node, mut c: usize) -> (usize, usize) {
    for &v in &node.inputs {
        let channels = model.value_shape(v)[2];
        if c < channels {
            return (v, c);
        }
        c -= channels;
    }
    (node.inputs[0], 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveal_nn::ModelSpec;
    use ndarray::{Array3, Axis};

    const MODEL: &str = r#"input.shape = [4, 3, 2]
        layer = [{ kind = "conv2d", filters = 3, kernel = [3, 3], padding = "SAME" }, { kind = "batch_norm" },
        { kind = "relu" }, { kind = "leaky_relu" }, { kind = "tanh" }, { kind = "sigmoid" }, { kind = "clip", min = -0.5, max = 0.6 }, { kind = "gelu" },
        { kind = "dropout", rate = 0.5 }, { kind = "add", inputs = ["dropout_1", "conv2d_1"] },
        { kind = "concat", inputs = ["input", "add_1"] }, { kind = "prelu" }, { kind = "elu", alpha = 0.5 },
        { kind = "hard_sigmoid" }, { kind = "scale" }, { kind = "layer_norm" }, { kind = "l2_normalize" },
        { kind = "global_avg_pool" }, { kind = "multiply", inputs = ["l2_normalize_1", "global_avg_pool_1"] },
        { kind = "subtract", inputs = ["multiply_1", "prelu_1"] }, { kind = "pad", cells = [1, 0, 0, 2], mode = "edge" },
        { kind = "slice", channels = [1, 5] }, { kind = "depth_to_space", block = 2 }, { kind = "flatten" },
        { kind = "dense", units = 4 }, { kind = "log_softmax" }, { kind = "softmax" }]"#;

    /// What a cell is by its formula, in f64.
    fn formula(p: &Point) -> f64 {
        let x = f64::from(p.from[0].number);
        // Of a layer that takes all channels of a place, the cell's own.
        let row = p.from.get(p.at[2]).map_or(f64::NAN, |s| f64::from(s.number));
        let own = |name: &str| f64::from(p.numbers.iter().find(|n| n.0 == name).unwrap().1);
        match p.kind {
            "relu" => x.max(0.0),
            "leaky_relu" => {
                if x > 0.0 {
                    x
                } else {
                    own("alpha") * x
                }
            }
            "sigmoid" => 1.0 / (1.0 + (-x).exp()),
            "tanh" => x.tanh(),
            "clip" => x.clamp(own("min"), own("max")),
            "prelu" => x.max(0.0) + own("alpha") * x.min(0.0),
            "elu" => x.max(0.0) + own("alpha") * (x.min(0.0).exp() - 1.0),
            "hard_sigmoid" => (own("alpha") * x + own("beta")).clamp(0.0, 1.0),
            "scale" => own("gamma") * x,
            "batch_norm" | "layer_norm" => {
                let x = if p.kind == "layer_norm" { row } else { x };
                own("gamma") * (x - own("mean")) / (own("variance") + own("epsilon")).sqrt() + own("beta")
            }
            "l2_normalize" => row / own("length").max(own("epsilon")),
            "softmax" => (row - own("largest")).exp() / own("total"),
            "log_softmax" => row - own("largest") - own("total").ln(),
            "add" => p.from.iter().map(|s| f64::from(s.number)).sum(),
            "multiply" => p.from.iter().map(|s| f64::from(s.number)).product(),
            "subtract" => x - f64::from(p.from[1].number),
            "dropout" | "flatten" | "concat" | "pad" | "slice" | "depth_to_space" => x,
            kind => panic!("{kind}"),
        }
    }

    #[test]
    fn every_cell_follows_from_its_numbers() {
        let mut model = Model::new(&ModelSpec::from_toml(MODEL).unwrap(), 2).unwrap();
        let mut i = 0.0f32;
        for p in model.params_mut() {
            let low = if p.name.contains("variance") { 0.3 } else { -0.4 };
            p.values.iter_mut().for_each(|v| {
                i += 1.0;
                *v = low + 0.8 * (i * 1.7).sin().abs();
            });
        }
        let x = Array3::from_shape_fn((4, 3, 2), |(h, w, c)| ((h * 7 + w * 3 + c) as f32).sin());
        let values = model.activations(x.view().insert_axis(Axis(0))).unwrap();
        let mut cells = 0;
        for (i, node) in model.nodes().iter().enumerate() {
            let [h, w, c] = node.shape;
            for at in (0..h * w * c).map(|k| [k / c / w, k / c % w, k % c]) {
                let p = match point(&model, &values, &node.name, at) {
                    Ok(p) => p,
                    Err(error) => {
                        assert!(
                            ["conv2d", "dense", "global_avg_pool"].contains(&node.kind.name()),
                            "{error}"
                        );
                        continue;
                    }
                };
                assert_eq!(p.value, values[i + 1][[0, at[0], at[1], at[2]]]);
                for s in &p.from {
                    assert_eq!(s.number, values[s.value][[0, s.at[0], s.at[1], s.at[2]]]);
                }
                if p.kind != "gelu" {
                    let want = formula(&p);
                    assert!(
                        (want - f64::from(p.value)).abs() < 1e-5,
                        "{} {at:?}: {want} {}",
                        node.name,
                        p.value
                    );
                }
                cells += 1;
            }
        }
        assert!(cells > 1000, "{cells}");
        for (layer, at) in [("relu_1", [4, 0, 0]), ("softmax_1", [0, 0, 4]), ("add_1", [usize::MAX; 3])] {
            assert!(matches!(point(&model, &values, layer, at), Err(Error::OutOfRange { .. })), "{layer}");
        }
        assert!(point(&model, &values[1..], "relu_1", [0; 3]).is_err());
        assert!(point(&model, &values, "input", [0; 3]).unwrap_err().to_string().contains("conv2d_1"));
    }
}
