//! What goes on inside a model: the feature maps of every layer, and where a class was seen.
//!
//! ```
//! use foveal_nn::{Model, builtin};
//! use foveal_view::inside::{feature_maps, grad_cam};
//! use ndarray::Array3;
//!
//! let model = Model::new(&builtin::spec("lab-11-1").expect("it is built in"), 0)?;
//! let image = Array3::from_shape_fn((28, 28, 1), |(h, w, _)| ((h + w) % 7) as f32 / 7.0);
//! let layers = feature_maps(&model, image.view())?;
//! assert_eq!((layers[0].name.as_str(), layers[0].values.dim()), ("input", (28, 28, 1)));
//! let cam = grad_cam(&model, image.view(), None, None)?;
//! assert_eq!(cam.heat.dim(), (28, 28));
//! # Ok::<(), foveal_view::Error>(())
//! ```

use crate::Error;
use foveal_nn::Model;
use foveal_nn::model::Node;
use foveal_nn::spec::LayerKind;
use ndarray::{Array1, Array2, Array3, Array4, ArrayView2, ArrayView3, Axis};

/// The output of one layer for one image.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureMaps {
    /// The layer's name; `input` for the image as the first layer sees it.
    pub name: String,
    /// The layer's kind; `input` for the image.
    pub kind: &'static str,
    /// `[h, w, c]`: `c` maps; what is flat has height and width 1.
    pub values: Array3<f32>,
}

/// The image and the output of every layer in order, as at inference. `input` `[h, w, c]` is the image as the
/// first layer sees it, after preprocessing.
///
/// # Errors
/// When `input` has not the model's input shape.
pub fn feature_maps(model: &Model, input: ArrayView3<f32>) -> Result<Vec<FeatureMaps>, Error> {
    let values = model.activations(input.insert_axis(Axis(0)))?;
    let named = |(v, value): (usize, Array4<f32>)| FeatureMaps {
        name: model.value_name(v).to_owned(),
        kind: if v == 0 { "input" } else { model.nodes()[v - 1].kind.name() },
        values: value.index_axis_move(Axis(0), 0),
    };
    Ok(values.into_iter().enumerate().map(named).collect())
}

/// Where in an image a model saw a class.
#[derive(Clone, Debug, PartialEq)]
pub struct GradCam {
    /// The class.
    pub class: usize,
    /// The layer whose feature maps were weighed.
    pub layer: String,
    /// The weight of each of the layer's feature maps: the mean over the image of how much the class's logit grows
    /// with it.
    pub weights: Array1<f32>,
    /// The weighted sum of the feature maps where it is positive, else 0; in the layer's own height and width.
    pub map: Array2<f32>,
    /// The map in the input's height and width.
    pub heat: Array2<f32>,
}

/// Gradient-weighted class activation mapping (Selvaraju et al. 2017).
///
/// `input` `[h, w, c]` is the image as the first layer sees it. Without a `class` it is the one with the largest
/// logit; of a regression it is the value by its index. Without a `layer` it is the last convolution whose feature
/// maps have more than one cell, after the normalization, activation or sum that follows it.
///
/// # Errors
/// When `input` has not the model's input shape, there is no such class or layer, the layer is flat, or the model
/// has no convolution and no layer was named.
pub fn grad_cam(
    model: &Model,
    input: ArrayView3<f32>,
    class: Option<usize>,
    layer: Option<&str>,
) -> Result<GradCam, Error> {
    let of = model.logits();
    let at = match layer {
        Some(name) => named(model, name, of)?,
        None => last_maps(model).filter(|&v| v <= of).ok_or_else(|| {
            Error::Inside("Grad-CAM needs feature maps, and the model has no convolution with any".into())
        })?,
    };
    let values = model.activations(input.insert_axis(Axis(0)))?;
    let logits = &values[of];
    let class = class.unwrap_or_else(|| {
        let best = |best: (usize, f32), (i, &v): (usize, &f32)| if v > best.1 { (i, v) } else { best };
        logits.iter().enumerate().fold((0, f32::NEG_INFINITY), best).0
    });
    let mut d = Array4::zeros(logits.raw_dim());
    match d.as_slice_mut().and_then(|d| d.get_mut(class)) {
        Some(one) => *one = 1.0,
        None => {
            return Err(Error::Inside(format!("there is no class {class}, only 0 to {}", logits.len() - 1)));
        }
    }
    let slopes = model.gradient(&values, of, at, d.view())?;
    let maps = values[at].index_axis(Axis(0), 0);
    let cells = (maps.dim().0 * maps.dim().1) as f64;
    let sums = slopes.rows().into_iter().fold(vec![0f64; maps.dim().2], |mut sums, row| {
        sums.iter_mut().zip(row).for_each(|(s, &v)| *s += f64::from(v));
        sums
    });
    let weights: Array1<f32> = sums.into_iter().map(|s| (s / cells) as f32).collect();
    let map = maps.map_axis(Axis(2), |cell| cell.dot(&weights).max(0.0));
    let (h, w, _) = input.dim();
    let heat = enlarge(map.view(), [h, w]);
    Ok(GradCam { class, layer: model.value_name(at).to_owned(), weights, map, heat })
}

/// The value called `name`, which must have a height and a width.
fn named(model: &Model, name: &str, of: usize) -> Result<usize, Error> {
    let maps = |v: usize| model.value_shape(v)[..2] != [1, 1] && v <= of;
    match model.value_named(name) {
        Some(v) if maps(v) => Ok(v),
        Some(v) => {
            let shape = model.value_shape(v);
            Err(Error::Inside(format!(
                "layer `{name}` has output {shape:?}, no feature maps of more than one cell"
            )))
        }
        None => Err(no_layer(model, name)),
    }
}

/// There is no layer called `name`; says which there are.
pub(crate) fn no_layer(model: &Model, name: &str) -> Error {
    let names: Vec<&str> = model.nodes().iter().map(|n| n.name.as_str()).collect();
    Error::Inside(format!("there is no layer `{name}`; the layers are {}", names.join(", ")))
}

/// The last feature maps that convolutions made, with what is done to each cell after them.
fn last_maps(model: &Model) -> Option<usize> {
    let nodes = model.nodes();
    let conv = |n: &Node| matches!(n.kind, LayerKind::Conv2d(_)) && n.shape[..2] != [1, 1];
    let mut v = nodes.iter().rposition(conv)? + 1;
    loop {
        let mut users = nodes.iter().enumerate().filter(|(_, n)| n.inputs.contains(&v));
        let (Some((i, user)), None) = (users.next(), users.next()) else { return Some(v) };
        // What stays in place shows the same cells.
        if !user.kind.keeps_places() || user.shape[..2] != nodes[v - 1].shape[..2] {
            return Some(v);
        }
        v = i + 1;
    }
}

/// `map` in another height and width, bilinearly, the centres of the corner cells staying within the corners.
fn enlarge(map: ArrayView2<f32>, [h, w]: [usize; 2]) -> Array2<f32> {
    let along = |to: usize, extent: usize, from: usize| {
        let place = ((to as f32 + 0.5) * from as f32 / extent as f32 - 0.5).clamp(0.0, (from - 1) as f32);
        let first = place as usize;
        (first, (first + 1).min(from - 1), place - first as f32)
    };
    let (rows, columns) = map.dim();
    Array2::from_shape_fn((h, w), |(i, j)| {
        let (top, bottom, down) = along(i, h, rows);
        let (left, right, over) = along(j, w, columns);
        let row = |r: usize| map[[r, left]] * (1.0 - over) + map[[r, right]] * over;
        row(top) * (1.0 - down) + row(bottom) * down
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveal_nn::{Conv2dOptions, ModelSpec, Padding, builtin, ops};
    use ndarray::{Array, Dimension, Ix1, Ix2, Ix4, IxDyn, arr2};

    fn model(layers: &str, input: [usize; 3]) -> Model {
        let toml = format!("input.shape = {input:?}\nlayer = [{layers}]");
        let mut model = Model::new(&ModelSpec::from_toml(&toml).unwrap(), 3).unwrap();
        let mut i = 0.0f32;
        for p in model.params_mut() {
            p.values.iter_mut().for_each(|v| {
                i += 1.0;
                *v += 0.2 * (i * 1.3).sin();
            });
        }
        model
    }

    fn image(shape: [usize; 3]) -> Array3<f32> {
        Array3::from_shape_fn(shape, |(h, w, c)| ((h * 5 + w * 3 + c) as f32 * 0.37).sin())
    }

    const CHAIN: &str = r#"{ kind = "conv2d", filters = 4, kernel = [3, 3], padding = "SAME" }, { kind = "relu" },
        { kind = "max_pool", ksize = [2, 2] }, { kind = "conv2d", filters = 3, kernel = [3, 3], padding = "SAME" },
        { kind = "relu" }, { kind = "flatten" }, { kind = "dense", units = 5 }, { kind = "softmax" }"#;

    fn param<D: Dimension>(model: &Model, name: &str) -> Array<f64, D> {
        let p = model.param(name).unwrap();
        let values = p.values.iter().map(|&v| f64::from(v)).collect();
        Array::from_shape_vec(IxDyn(&p.shape), values).unwrap().into_dimensionality().unwrap()
    }

    /// The net after its last feature maps is linear: the gradient is a row of the weights, and the whole can be
    /// computed by hand, in f64.
    #[test]
    fn grad_cam_is_the_paper_s_formula() {
        let model = model(CHAIN.replace('\n', " ").as_str(), [6, 6, 2]);
        let x = image([6, 6, 2]);
        let cam = grad_cam(&model, x.view(), Some(2), None).unwrap();
        assert_eq!((cam.class, cam.layer.as_str(), cam.map.dim()), (2, "relu_2", (3, 3)));
        let maps = model.activations(x.view().insert_axis(Axis(0))).unwrap()[5].clone();
        let dense: Array<f64, Ix2> = param(&model, "dense_1.weights");
        let alpha = |k: usize| (0..9).map(|cell| dense[[cell * 3 + k, 2]]).sum::<f64>() / 9.0;
        for ((i, j), &value) in cam.map.indexed_iter() {
            let want: f64 = (0..3).map(|k| alpha(k) * f64::from(maps[[0, i, j, k]])).sum();
            assert!((f64::from(value) - want.max(0.0)).abs() < 1e-6, "{value} where {want}");
        }
        for k in 0..3 {
            assert!((f64::from(cam.weights[k]) - alpha(k)).abs() < 1e-6);
        }
        assert!(cam.map.iter().any(|&v| v > 0.0));
        // By itself it takes the likeliest class, whose probability is the largest as well.
        let likely = model.predict(x.view().insert_axis(Axis(0))).unwrap();
        let best = (0..5).max_by(|&a, &b| likely[[0, a]].total_cmp(&likely[[0, b]])).unwrap();
        assert_eq!(grad_cam(&model, x.view(), None, None).unwrap().class, best);
    }

    /// Through pooling, a second convolution and a dense layer, against differences of logits in f64.
    #[test]
    fn weights_of_an_early_layer_are_mean_slopes() {
        let model = model(CHAIN.replace('\n', " ").as_str(), [6, 6, 2]);
        let x = image([6, 6, 2]);
        let cam = grad_cam(&model, x.view(), Some(4), Some("conv2d_1")).unwrap();
        let start = model.activations(x.view().insert_axis(Axis(0))).unwrap()[1].mapv(f64::from);
        let (filter, bias): (Array<f64, Ix4>, Array<f64, Ix1>) =
            (param(&model, "conv2d_2.filter"), param(&model, "conv2d_2.bias"));
        let (dense, shift): (Array<f64, Ix2>, Array<f64, Ix1>) =
            (param(&model, "dense_1.weights"), param(&model, "dense_1.bias"));
        let logit = |v: &Array4<f64>| -> f64 {
            let pooled = Array3::from_shape_fn((3, 3, 4), |(i, j, c)| {
                let window = (0..2).flat_map(|k| (0..2).map(move |l| (2 * i + k, 2 * j + l)));
                window.map(|(r, q)| v[[0, r, q, c]].max(0.0)).fold(0.0, f64::max)
            });
            let mut sum = shift[4];
            for ((i, j, o), weight) in
                dense.column(4).to_owned().into_shape_with_order((3, 3, 3)).unwrap().indexed_iter()
            {
                let mut y = bias[o];
                for ((k, l, c), f) in filter.index_axis(Axis(3), o).indexed_iter() {
                    let (r, q) = ((i + k).wrapping_sub(1), (j + l).wrapping_sub(1));
                    y += pooled.get([r, q, c]).map_or(0.0, |p| p * f);
                }
                sum += weight * y.max(0.0);
            }
            sum
        };
        for k in 0..4 {
            let mut slope = 0.0;
            for (i, j) in (0..6).flat_map(|i| (0..6).map(move |j| (i, j))) {
                let moved = |by: f64| {
                    let mut v = start.clone();
                    v[[0, i, j, k]] += by;
                    logit(&v)
                };
                slope += (moved(1e-6) - moved(-1e-6)) / 2e-6 / 36.0;
            }
            assert!((f64::from(cam.weights[k]) - slope).abs() < 1e-5, "{} where {slope}", cam.weights[k]);
        }
    }

    #[test]
    fn the_default_layer_is_the_last_one_with_maps() {
        let conv = r#"{ kind = "conv2d", filters = 3, kernel = [3, 3], padding = "SAME" }"#;
        let head = r#"{ kind = "global_avg_pool" }, { kind = "dense", units = 2 }"#;
        let cases = [
            (format!(r#"{conv}, {{ kind = "batch_norm" }}, {{ kind = "gelu" }}, {head}"#), "gelu_1"),
            (format!(r#"{conv}, {{ kind = "max_pool", ksize = [2, 2] }}, {head}"#), "conv2d_1"),
            (
                format!(
                    r#"{conv}, {{ kind = "relu" }}, {conv}, {{ kind = "add", inputs = ["conv2d_2", "relu_1"] }},
                       {{ kind = "relu" }}, {{ kind = "global_avg_pool" }},
                       {{ kind = "conv2d", filters = 2, kernel = [1, 1] }}"#
                ),
                "relu_2",
            ),
            (
                format!(
                    r#"{conv}, {{ kind = "conv2d", filters = 2, kernel = [1, 1], inputs = ["input"] }},
                       {{ kind = "concat", inputs = ["conv2d_1", "conv2d_2"] }}, {{ kind = "tanh" }}, {head}"#
                ),
                "tanh_1",
            ),
        ];
        for (layers, want) in cases {
            let model = model(&layers.replace('\n', " "), [5, 4, 3]);
            let cam = grad_cam(&model, image([5, 4, 3]).view(), None, None).unwrap();
            assert_eq!(cam.layer, want);
            assert_eq!(cam.heat.dim(), (5, 4));
        }
    }

    #[test]
    fn what_cannot_be_weighed_is_refused() {
        let flat = model(r#"{ kind = "flatten" }, { kind = "dense", units = 3 }"#, [3, 3, 1]);
        let refused = |m: &Model, class, layer| {
            grad_cam(m, image(m.input_shape()).view(), class, layer).unwrap_err().to_string()
        };
        assert!(refused(&flat, None, None).contains("no convolution"));
        assert!(grad_cam(&flat, image([3, 3, 1]).view(), None, Some("input")).is_ok());
        assert!(refused(&flat, Some(3), Some("input")).contains("no class 3"));
        assert!(refused(&flat, None, Some("dense_1")).contains("[1, 1, 3]"));
        let message = refused(&flat, None, Some("conv9"));
        assert!(message.contains("conv9") && message.contains("flatten_1, dense_1"), "{message}");
        assert!(grad_cam(&flat, image([3, 4, 1]).view(), None, Some("input")).is_err());
    }

    #[test]
    fn maps_of_every_layer_are_what_the_operators_give() {
        let model = Model::new(&builtin::spec("lab-11-1").unwrap(), 0).unwrap();
        let x = image([28, 28, 1]);
        let layers = feature_maps(&model, x.view()).unwrap();
        assert_eq!(layers.len(), model.nodes().len() + 1);
        assert_eq!((layers[0].kind, &layers[0].values), ("input", &x));
        let p = model.param("conv2d_1.filter").unwrap();
        let filter = Array4::from_shape_vec((3, 3, 1, p.shape[3]), p.values.clone()).unwrap();
        let options = Conv2dOptions { padding: Padding::Same, ..Conv2dOptions::default() };
        let want = ops::conv2d(x.view().insert_axis(Axis(0)), filter.view(), None, &options).unwrap();
        let close = want.iter().zip(&layers[1].values).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close && layers[1].kind == "conv2d" && layers[1].name == "conv2d_1");
    }

    #[test]
    fn enlarging_is_linear_between_centres() {
        let small = arr2(&[[0.0, 4.0], [8.0, 12.0]]);
        let large = enlarge(small.view(), [4, 4]);
        assert_eq!(large.row(0).to_vec(), [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(large.column(1).to_vec(), [1.0, 3.0, 7.0, 9.0]);
        assert_eq!(enlarge(arr2(&[[7.0]]).view(), [3, 2]), arr2(&[[7.0, 7.0], [7.0, 7.0], [7.0, 7.0]]));
    }
}
