//! One cell of a layer of a model.

use super::{Explanation, Term, avg_pool, conv2d, max_pool};
use crate::Error;
use crate::inside::no_layer;
use foveal_nn::model::Node;
use foveal_nn::spec::LayerKind;
use foveal_nn::{Model, Pool2dOptions};
use ndarray::{Array1, Array4, ArrayView3, ArrayView4, Axis};

/// What an activation right after a layer makes of its cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Activated {
    /// The activation's name as a layer.
    pub layer: String,
    /// Its kind, such as `relu`.
    pub kind: &'static str,
    /// What comes out.
    pub value: f32,
}

/// Explains cell `at` `[h, w, c]` of a convolution, pooling or dense layer of `model` for the preprocessed `input`
/// `[h, w, c]`; also what the activation right after it makes of it. The first coordinate of cells is 0.
///
/// # Errors
/// When there is no such layer or cell, the layer is of another kind, or the input does not fit.
pub fn layer(
    model: &Model,
    input: ArrayView3<f32>,
    layer: &str,
    at: [i64; 3],
) -> Result<(Explanation, Option<Activated>), Error> {
    let v = match model.value_named(layer) {
        Some(v) if v > 0 => v,
        _ => return Err(no_layer(model, layer)),
    };
    let values = model.activations(input.insert_axis(Axis(0)))?;
    let node = &model.nodes()[v - 1];
    let x = values[node.inputs[0]].view();
    let cell = [0, at[0], at[1], at[2]];
    let mut explanation = explain(model, node, x, cell)?;
    // The cell as the layer itself gives it.
    explanation.value = values[v][explanation.at];
    let mut users = model.nodes().iter().enumerate().filter(|(_, n)| n.inputs.contains(&v));
    let after = match (users.next(), users.next()) {
        (Some((i, user)), None) if user.kind.function().is_some() => Some(Activated {
            layer: user.name.clone(),
            kind: user.kind.name(),
            value: values[i + 1][explanation.at],
        }),
        _ => None,
    };
    Ok((explanation, after))
}

fn explain(model: &Model, node: &Node, x: ArrayView4<f32>, at: [i64; 4]) -> Result<Explanation, Error> {
    let param = |i: usize| node.params.get(i).map(|&p| &model.params()[p]);
    let bias = param(1).map(|p| Array1::from(p.values.clone()));
    match &node.kind {
        LayerKind::Conv2d(layer) => {
            let p = param(0).ok_or_else(|| Error::Inside(format!("layer `{}` has no filter", node.name)))?;
            let shape = [p.shape[0], p.shape[1], p.shape[2], p.shape[3]];
            let filter = Array4::from_shape_vec(shape, p.values.clone())
                .map_err(|e| Error::Inside(format!("layer `{}`: {e}", node.name)))?;
            conv2d(x, filter.view(), bias.as_ref().map(|b| b.view()), &layer.options(), at)
        }
        LayerKind::MaxPool(layer) => max_pool(x, &layer.options(), at),
        LayerKind::AvgPool(layer) => avg_pool(x, &layer.options(), at),
        LayerKind::GlobalMaxPool(_) => max_pool(x, &whole(x), at),
        LayerKind::GlobalAvgPool(_) => avg_pool(x, &whole(x), at),
        LayerKind::Dense(_) => dense(model, node, x, at),
        kind => Err(Error::Inside(format!(
            "layer `{}` ({}): cells are explained of conv2d, dense, max_pool, avg_pool, global_avg_pool and global_max_pool layers",
            node.name,
            kind.name()
        ))),
    }
}

/// A window as large as the image.
fn whole(x: ArrayView4<f32>) -> Pool2dOptions {
    Pool2dOptions::new([x.dim().1, x.dim().2].map(|v| i64::try_from(v).unwrap_or(i64::MAX)))
}

/// A dense layer is a 1x1 convolution of a 1x1 image.
fn dense(model: &Model, node: &Node, x: ArrayView4<f32>, at: [i64; 4]) -> Result<Explanation, Error> {
    let shape = [1, 1, 1, node.shape[2]];
    let unit = usize::try_from(at[3]).ok().filter(|&u| u < shape[3] && at[..3] == [0; 3]);
    let unit = unit.ok_or(Error::OutOfRange { operator: "dense", at, shape })?;
    let weights = &model.params()[node.params[0]].values;
    let terms = x.iter().enumerate().map(|(i, &input)| {
        let weight = weights[i * shape[3] + unit];
        let at = [0, 0, 0, i as i64];
        Term { at, input, filter: Some(weight), product: Some(input * weight), padding: false }
    });
    Ok(Explanation {
        operator: "dense",
        at: [0, 0, 0, unit],
        output_shape: shape,
        window: [1, 1],
        terms: terms.collect(),
        bias: node.params.get(1).map(|&p| model.params()[p].values[unit]),
        value: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveal_nn::ModelSpec;
    use ndarray::Array3;

    #[test]
    fn the_terms_of_every_cell_of_every_layer_add_up() {
        let toml = r#"input.shape = [6, 5, 2]
            layer = [{ kind = "conv2d", filters = 4, kernel = [3, 3], padding = "SAME", groups = 2 }, { kind = "relu" },
            { kind = "max_pool", ksize = [2, 2], padding = "SAME" }, { kind = "avg_pool", ksize = [2, 2], strides = [1, 1] },
            { kind = "conv2d", filters = 2, kernel = [1, 1], bias = false }, { kind = "flatten" },
            { kind = "dense", units = 3 }]"#;
        let spec = ModelSpec::from_toml(toml).unwrap();
        let model = Model::new(&spec, 4).unwrap();
        let x = Array3::from_shape_fn((6, 5, 2), |(h, w, c)| ((h * 7 + w * 3 + c) as f32).sin());
        let values = model.activations(x.view().insert_axis(Axis(0))).unwrap();
        let mut cells = 0;
        for (i, node) in model.nodes().iter().enumerate() {
            let [h, w, c] = node.shape;
            for at in (0..h * w * c).map(|k| [k / c / w, k / c % w, k % c]) {
                let asked = at.map(|v| v as i64);
                let Ok((e, after)) = layer(&model, x.view(), &node.name, asked) else {
                    assert!(matches!(node.kind, LayerKind::Relu(_) | LayerKind::Flatten(_)));
                    continue;
                };
                assert_eq!(e.value, values[i + 1][[0, at[0], at[1], at[2]]]);
                assert_eq!(after.is_some(), i == 0);
                if let Some(after) = after {
                    assert_eq!((after.layer.as_str(), after.value), ("relu_1", e.value.max(0.0)));
                }
                let sum = match e.operator {
                    "max_pool" => {
                        e.terms.iter().map(|t| f64::from(t.input)).fold(f64::NEG_INFINITY, f64::max)
                    }
                    _ => {
                        let products = e.terms.iter().map(|t| f64::from(t.product.unwrap()));
                        products.sum::<f64>() + f64::from(e.bias.unwrap_or(0.0))
                    }
                };
                assert!((sum - f64::from(e.value)).abs() < 1e-5, "{} {at:?}: {sum}", node.name);
                cells += 1;
            }
        }
        assert_eq!(cells, 6 * 5 * 4 + 3 * 3 * 4 + 2 * 2 * 4 + 2 * 2 * 2 + 3);
        for (name, at) in [("conv2d_1", [6, 0, 0]), ("dense_1", [0, 0, 3]), ("dense_1", [1, 0, 0])] {
            assert!(matches!(layer(&model, x.view(), name, at), Err(Error::OutOfRange { .. })), "{name}");
        }
        assert!(layer(&model, x.view(), "input", [0; 3]).unwrap_err().to_string().contains("conv2d_1"));
    }
}
