//! Numbers for each channel, multiplied and added: into the preprocessing, the layer before, or a layer of their own.

use super::arrange::flat;
use crate::activation::Activation;
use crate::importer::Importer;
use crate::view::CHANNELS;
use foveal_nn::layers as kinds;
use foveal_nn::spec::LayerKind;

/// The variance and epsilon of a batch normalization that only scales and shifts: their sum is 1.
const EPSILON: f32 = 1.0 / 1024.0;
const VARIANCE: f32 = 1.0 - EPSILON;

/// How a constant lies over a value: for each channel the place of its number in the constant. Nothing if it is not
/// one number for each channel. The extents are the constant's, aligned at the last axis as ONNX does.
pub(super) fn for_channels(x: &Activation, extents: &[usize]) -> Option<Vec<usize>> {
    let dims = x.dims();
    if extents.len() > x.rank() {
        return None;
    }
    let mut axes = vec![1; x.rank() - extents.len()];
    axes.extend(extents);
    if axes[0] != 1 || !axes[1..].iter().zip(&dims).all(|(&own, &dim)| own == 1 || own == dim) {
        return None;
    }
    let mut places = vec![0; x.shape[CHANNELS]];
    let mut step = 1;
    // From the last axis: the innermost stretch of each has the smallest step in the constant.
    for (leaves, &extent) in x.view.dims.iter().zip(&axes[1..]).rev() {
        if extent == 1 {
            continue;
        }
        for leaf in leaves.iter().rev() {
            if leaf.axis != CHANNELS {
                return None;
            }
            places.iter_mut().enumerate().for_each(|(c, at)| *at += c / leaf.step % leaf.extent * step);
            step *= leaf.extent;
        }
    }
    Some(places)
}

/// Numbers of a constant for each channel of `x`, which becomes a row of numbers where there is one for each number.
pub(super) fn channels(
    importer: &mut Importer,
    x: Activation,
    extents: &[usize],
    what: &str,
) -> Result<(Activation, Vec<usize>), String> {
    if let Some(places) = for_channels(&x, extents) {
        return Ok((x, places));
    }
    let fail = format!(
        "{what} of {extents:?} with a value of {} is not supported, only one number or one for each channel",
        x.told()
    );
    if x.rank() != 2 {
        return Err(fail);
    }
    let x = flat(importer, x)?;
    let places = for_channels(&x, extents).ok_or(fail)?;
    Ok((x, places))
}

/// `x * times + plus` with one number each.
pub(super) fn all(
    importer: &mut Importer,
    x: Activation,
    times: f32,
    plus: f32,
) -> Result<Activation, String> {
    let n = x.shape[CHANNELS];
    affine(importer, x, vec![times; n], vec![plus; n])
}

/// `x * times + plus` for each channel.
pub(super) fn affine(
    importer: &mut Importer,
    x: Activation,
    times: Vec<f32>,
    plus: Vec<f32>,
) -> Result<Activation, String> {
    if x.layer.is_none() && !x.shared {
        for (c, (times, plus)) in times.iter().zip(&plus).enumerate() {
            importer.scale[c] *= times;
            importer.shift[c] = importer.shift[c] * times + plus;
        }
        return Ok(x);
    }
    if let (Some(layer), false) = (x.layer, x.shared)
        && scale_layer(importer, layer, &times, &plus)?
    {
        return Ok(x);
    }
    let n = times.len();
    normalize(importer, x, [0.99, EPSILON], [times, plus, vec![0.0; n], vec![VARIANCE; n]])
}

/// A batch normalization with gamma, beta, mean and variance for each channel.
pub(super) fn normalize(
    importer: &mut Importer,
    x: Activation,
    [momentum, epsilon]: [f32; 2],
    numbers: [Vec<f32>; 4],
) -> Result<Activation, String> {
    let y = importer.keep(LayerKind::BatchNorm(kinds::BatchNorm { momentum, epsilon }), x)?;
    for (what, values) in ["gamma", "beta", "moving_mean", "moving_variance"].into_iter().zip(numbers) {
        importer.param(what, values)?;
    }
    Ok(y)
}

/// Changes the numbers of the layer before, if it has any that do: a convolution, a dense layer, a normalization.
fn scale_layer(importer: &mut Importer, layer: usize, times: &[f32], plus: &[f32]) -> Result<bool, String> {
    let made = &mut importer.layers[layer];
    let (weights, offset, has) = match &mut made.spec.kind {
        LayerKind::Conv2d(k) => ("filter", "bias", Some(&mut k.bias)),
        LayerKind::Dense(k) => ("weights", "bias", Some(&mut k.bias)),
        LayerKind::LayerNorm(_)
        | LayerKind::GroupNorm(_)
        | LayerKind::InstanceNorm(_)
        | LayerKind::BatchNorm(_) => ("gamma", "beta", None),
        _ => return Ok(false),
    };
    let had = has.is_none_or(|has| std::mem::replace(has, true));
    let name = made.name.clone();
    if !had {
        importer.named_param(format!("{name}.{offset}"), vec![0.0; times.len()])?;
    }
    // Filters and weights have the outputs as their last axis.
    let weights = importer.params.get_mut(&format!("{name}.{weights}"));
    for row in weights.into_iter().flat_map(|values| values.chunks_exact_mut(times.len())) {
        row.iter_mut().zip(times).for_each(|(v, t)| *v *= t);
    }
    let offsets = importer.params.entry(format!("{name}.{offset}")).or_default();
    offsets.iter_mut().zip(times.iter().zip(plus)).for_each(|(b, (t, p))| *b = *b * t + p);
    Ok(true)
}
