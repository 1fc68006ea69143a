//! What of a deep network is looked at first: a few of its layers, what each of their cells sees, and how a heat map lies
//! over a picture.

use crate::ColorMap;
use foveal_nn::Model;
use foveal_nn::spec::LayerKind;
use ndarray::{Array2, ArrayView2, ArrayView3, Axis};

/// Layers with maps up to which all are shown.
const FEW: usize = 24;

/// The values (as [`Model::activations`] numbers them) that tell most of a model with many layers: the first layer's
/// maps, the last maps of each height and width, and all that is flat. `None` where there are few and all are told.
pub(crate) fn stages(model: &Model) -> Option<Vec<usize>> {
    let size = |v: usize| [model.value_shape(v)[0], model.value_shape(v)[1]];
    let all = 1..=model.nodes().len();
    if all.clone().filter(|&v| size(v) != [1, 1]).count() <= FEW {
        return None;
    }
    let last = |v: usize| !(v + 1..=model.nodes().len()).any(|later| size(later) == size(v));
    Some(all.filter(|&v| v == 1 || size(v) == [1, 1] || last(v)).collect())
}

/// Rows and columns of the input that a cell of value `v` depends on, padding and the input's edge left aside: the
/// receptive field. It grows along each layer by `(kernel - 1) * dilation * step`, where the step is the product of the
/// strides before it (Araujo et al. 2019, Computing receptive fields of convolutional neural networks). `None` where a
/// cell depends on all of the input or a layer moves cells about.
pub(crate) fn receptive_field(model: &Model, v: usize) -> Option<[usize; 2]> {
    let mut fields: Vec<Option<Field>> = vec![Some(Field { size: [1, 1], step: [1, 1] })];
    for node in model.nodes().iter().take(v) {
        let inputs = node.inputs.iter().map(|&i| fields[i]).collect::<Option<Vec<Field>>>();
        let widest = inputs.and_then(|all| all.into_iter().reduce(Field::wider));
        fields.push(widest.and_then(|field| field.after(&node.kind)));
    }
    fields.get(v).copied().flatten().map(|field| field.size)
}

#[derive(Clone, Copy)]
struct Field {
    size: [usize; 2],
    step: [usize; 2],
}

impl Field {
    fn wider(self, other: Self) -> Self {
        let larger = |a: [usize; 2], b: [usize; 2]| [a[0].max(b[0]), a[1].max(b[1])];
        Self { size: larger(self.size, other.size), step: larger(self.step, other.step) }
    }

    fn after(self, kind: &LayerKind) -> Option<Self> {
        let (kernel, strides, dilations) = match kind {
            LayerKind::Conv2d(conv) => (conv.kernel.map(|k| k as i64), conv.strides, conv.dilations),
            LayerKind::MaxPool(pool) => (pool.ksize, pool.strides.unwrap_or(pool.ksize), [1, 1]),
            LayerKind::AvgPool(pool) => (pool.ksize, pool.strides.unwrap_or(pool.ksize), [1, 1]),
            other if other.keeps_places() => ([1, 1], [1, 1], [1, 1]),
            _ => return None,
        };
        let along = |axis: usize| {
            let number = |n: i64| usize::try_from(n).ok();
            let wider = number(kernel[axis] - 1)?.checked_mul(number(dilations[axis])?)?;
            let size = self.size[axis].checked_add(wider.checked_mul(self.step[axis])?)?;
            Some((size, self.step[axis].checked_mul(number(strides[axis])?)?))
        };
        let ((rows, down), (columns, right)) = (along(0)?, along(1)?);
        Some(Self { size: [rows, columns], step: [down, right] })
    }
}

/// The input's own colours: of three channels as red, green and blue, else the mean as grey; from the least number to the
/// greatest.
pub(crate) fn colors(input: ArrayView3<f32>) -> Array2<[u8; 3]> {
    let byte = |v: f32, all| (255.0 * share(v, all)).clamp(0.0, 255.0).round() as u8;
    if input.dim().2 == 3 {
        let all = range(input);
        return input.map_axis(Axis(2), |c| [byte(c[0], all), byte(c[1], all), byte(c[2], all)]);
    }
    let grey = input.map_axis(Axis(2), |cell| cell.mean().unwrap_or(0.0));
    let all = range(&grey);
    grey.mapv(|v| ColorMap::Gray.color(share(v, all)))
}

/// A heat map over a picture of the same size: where there is no heat the picture is as it is, and it shines through
/// everywhere.
pub(crate) fn overlay(picture: &Array2<[u8; 3]>, heat: ArrayView2<f32>) -> Array2<[u8; 3]> {
    /// How much of the picture the greatest heat hides.
    const MOST: f32 = 0.6;
    let (_, most) = range(heat);
    let mut over = picture.clone();
    for (color, &heat) in over.iter_mut().zip(&heat) {
        let share = if most > 0.0 { (heat / most).clamp(0.0, 1.0) } else { 0.0 };
        let part = MOST * share;
        let hot = ColorMap::Magma.color(0.35 + 0.6 * share);
        for (to, from) in color.iter_mut().zip(hot) {
            *to = (f32::from(*to) * (1.0 - part) + f32::from(from) * part).round() as u8;
        }
    }
    over
}

/// The least and the greatest finite number.
pub(crate) fn range<'a>(values: impl IntoIterator<Item = &'a f32>) -> (f32, f32) {
    let finite = values.into_iter().filter(|v| v.is_finite());
    let (low, high) = finite.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
    if low > high { (0.0, 0.0) } else { (low, high) }
}

pub(crate) fn share(v: f32, (low, high): (f32, f32)) -> f32 {
    if high > low { (v / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) } else { 0.5 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveal_nn::{ModelSpec, builtin};
    use ndarray::{Array3, arr2};

    fn model(layers: &str) -> Model {
        let spec = ModelSpec::from_toml(&format!("input.shape = [32, 32, 3]\nlayer = [{layers}]")).unwrap();
        Model::new(&spec, 0).unwrap()
    }

    #[test]
    fn receptive_fields_grow_with_kernels_strides_and_dilations() {
        let lab = Model::new(&builtin::spec("lab-11-1").unwrap(), 0).unwrap();
        // conv 3x3, relu, pool 2x2, conv 3x3, relu, pool 2x2, then all of it.
        let fields: Vec<_> = (0..=7).map(|v| receptive_field(&lab, v)).collect();
        let square = |n| Some([n, n]);
        assert_eq!(fields[..7], [1, 3, 3, 4, 8, 8, 10].map(square));
        assert_eq!(fields[7], None);
        let odd = model(
            r#"{ kind = "conv2d", kernel = [5, 1], strides = [2, 1], filters = 4 },
               { kind = "conv2d", kernel = [3, 3], dilations = [2, 3], padding = "SAME", filters = 4 },
               { kind = "add", inputs = ["conv2d_1", "conv2d_2"] }"#
                .replace('\n', " ")
                .as_str(),
        );
        assert_eq!(receptive_field(&odd, 2), Some([5 + 4 * 2, 1 + 6]));
        assert_eq!(receptive_field(&odd, 3), Some([13, 7]));
    }

    #[test]
    fn a_deep_network_is_told_by_the_last_maps_of_each_size() {
        let lab = Model::new(&builtin::spec("lab-11-1").unwrap(), 0).unwrap();
        assert_eq!(stages(&lab), None);
        let conv =
            r#"{ kind = "conv2d", filters = 2, kernel = [3, 3], padding = "SAME" }, { kind = "relu" }, "#;
        let pool = r#"{ kind = "max_pool", ksize = [2, 2] }, "#;
        let end = r#"{ kind = "flatten" }, { kind = "dense", units = 2 }"#;
        let deep = model(&[&conv.repeat(7), pool, &conv.repeat(7), end].concat());
        assert_eq!(stages(&deep), Some(vec![1, 14, 29, 30, 31]));
    }

    #[test]
    fn no_heat_leaves_the_picture_as_it_is() {
        let picture = colors(Array3::from_shape_fn((2, 2, 3), |(i, j, c)| (i + j + c) as f32).view());
        assert_eq!(overlay(&picture, arr2(&[[0.0, 0.0], [0.0, 0.0]]).view()), picture);
        let over = overlay(&picture, arr2(&[[0.0, 1.0], [0.5, f32::NAN]]).view());
        assert_eq!(over[[0, 0]], picture[[0, 0]]);
        assert!(over[[0, 1]] != picture[[0, 1]] && over[[1, 0]] != picture[[1, 0]]);
    }
}
