//! One cell of a layer that works number by number: activations, normalization, sums, and what only moves numbers.

use crate::Error;
use crate::inside::no_layer;
use foveal_nn::Model;
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
    /// What goes in: one number, of `add` one from each input, of `softmax` all channels.
    pub from: Vec<Source>,
    /// The layer's own numbers by name: `alpha` of `leaky_relu`; `min` and `max` of `clip`; `gamma`, `beta`, `mean`, `variance` and `epsilon`
    /// of `batch_norm`; the `largest` input and the `total` of all `exp(x - largest)` of `softmax`.
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
    let first = node.inputs[0];
    let [_, _, c] = at;
    let mut numbers = Vec::new();
    let from = match &node.kind {
        kind if kind.function().is_some() || matches!(kind, LayerKind::Dropout(_)) => {
            numbers.extend(options(kind));
            vec![source(first, at)?]
        }
        LayerKind::BatchNorm(norm) => {
            for (name, &p) in ["gamma", "beta", "mean", "variance"].iter().zip(&node.params) {
                numbers.push((name, model.params()[p].values[c]));
            }
            numbers.push(("epsilon", norm.epsilon));
            vec![source(first, at)?]
        }
        LayerKind::Softmax(_) => {
            let row: Vec<Source> =
                (0..node.shape[2]).map(|k| source(first, [at[0], at[1], k])).collect::<Result<_, _>>()?;
            let largest = row.iter().map(|s| s.number).fold(f32::NEG_INFINITY, f32::max);
            let total: f64 = row.iter().map(|s| f64::from((s.number - largest).exp())).sum();
            numbers.extend([("largest", largest), ("total", total as f32)]);
            row
        }
        LayerKind::Flatten(_) => {
            vec![source(first, unflatten(c, model.value_shape(first)))?]
        }
        LayerKind::Add(_) => node.inputs.iter().map(|&v| source(v, at)).collect::<Result<_, _>>()?,
        LayerKind::Concat(_) => {
            let (v, own) = part(model, node, c);
            vec![source(v, [at[0], at[1], own])?]
        }
        kind => {
            let kind = kind.name();
            return Err(Error::Inside(format!("layer `{layer}` ({kind}) does not work number by number")));
        }
    };
    Ok(Point { kind: node.kind.name(), at, from, numbers, value })
}

/// The options of an activation, by name.
fn options(kind: &LayerKind) -> Vec<(&'static str, f32)> {
    match kind {
        LayerKind::LeakyRelu(f) => vec![("alpha", f.alpha)],
        LayerKind::Clip(f) => vec![("min", f.min), ("max", f.max)],
        LayerKind::HardSigmoid(f) => vec![("alpha", f.alpha), ("beta", f.beta)],
        LayerKind::Elu(f) => vec![("alpha", f.alpha)],
        LayerKind::Selu(f) => vec![("alpha", f.alpha), ("gamma", f.gamma)],
        LayerKind::Celu(f) => vec![("alpha", f.alpha)],
        _ => Vec::new(),
    }
}

/// Place `i` of a flat row as height, width, channel.
fn unflatten(i: usize, [_, w, c]: [usize; 3]) -> [usize; 3] {
    [i / c.max(1) / w.max(1), i / c.max(1) % w.max(1), i % c.max(1)]
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
        { kind = "concat", inputs = ["input", "add_1"] }, { kind = "flatten" }, { kind = "dense", units = 4 },
        { kind = "softmax" }]"#;

    /// What a cell is by its formula, in f64.
    fn formula(p: &Point) -> f64 {
        let x = f64::from(p.from[0].number);
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
            "batch_norm" => {
                own("gamma") * (x - own("mean")) / (own("variance") + own("epsilon")).sqrt() + own("beta")
            }
            "softmax" => (f64::from(p.from[p.at[2]].number) - own("largest")).exp() / own("total"),
            "add" => p.from.iter().map(|s| f64::from(s.number)).sum(),
            "dropout" | "flatten" | "concat" => x,
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
                        assert!(["conv2d", "dense"].contains(&node.kind.name()), "{error}");
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
        assert_eq!(cells, 9 * 36 + 2 * 60 + 4);
        for (layer, at) in [("relu_1", [4, 0, 0]), ("softmax_1", [0, 0, 4]), ("add_1", [usize::MAX; 3])] {
            assert!(matches!(point(&model, &values, layer, at), Err(Error::OutOfRange { .. })), "{layer}");
        }
        assert!(point(&model, &values[1..], "relu_1", [0; 3]).is_err());
        assert!(point(&model, &values, "input", [0; 3]).unwrap_err().to_string().contains("conv2d_1"));
    }
}
