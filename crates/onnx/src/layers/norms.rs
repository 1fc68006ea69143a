//! Normalizations of one image: of layers, groups, instances, neighbours and lengths.

use super::arrange::{arrange, picture, restored, with_channels};
use super::{Given, Row, affine};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use crate::view::CHANNELS;
use foveal_nn::layers as kinds;

pub(super) const ROW: Row = Row {
    operators: &[
        "GroupNormalization",
        "InstanceNormalization",
        "LRN",
        "LayerNormalization",
        "LpNormalization",
    ],
    import: normalize,
};

fn normalize<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let y = match step.operator {
        "LRN" => {
            let size = usize::try_from(attributes.int("size", 0)?).map_err(|_| "its size is below 1")?;
            let kind = kinds::LocalResponseNorm {
                size,
                alpha: attributes.float("alpha", 1e-4)?,
                beta: attributes.float("beta", 0.75)?,
                bias: attributes.float("bias", 1.0)?,
            };
            let x = picture(importer, x)?;
            importer.keep(kind, x)?
        }
        "LpNormalization" => {
            if attributes.int("p", 2)? != 2 {
                return Err("only p = 2 is supported".into());
            }
            let axis = x.axis(attributes.int("axis", -1)?)?;
            length(importer, x, axis, 1e-12)?
        }
        "LayerNormalization" => layer_norm(importer, x, step, attributes)?,
        "InstanceNormalization" => instance_norm(importer, x, step, attributes)?,
        _ => group_norm(importer, x, step, attributes)?,
    };
    Ok(vec![y])
}

/// An axis of the graph as the channels, the others where there is room.
pub(super) fn as_channels(importer: &mut Importer, x: Activation, axis: usize) -> Result<Activation, String> {
    if x.view.cover([axis], CHANNELS, x.shape) {
        return Ok(x);
    }
    let target = with_channels(&x, axis).ok_or("values of so many axes are not supported")?;
    arrange(importer, x, &target)
}

/// The numbers along one axis of the graph scaled to length 1.
pub(super) fn length(
    importer: &mut Importer,
    x: Activation,
    axis: usize,
    epsilon: f32,
) -> Result<Activation, String> {
    let first = x.channels_first();
    let x = as_channels(importer, x, axis)?;
    let y = importer.keep(kinds::L2Normalize { epsilon }, x)?;
    restored(importer, y, first)
}

/// Factors and offsets along one axis of the graph, as gamma and beta of the layer made last.
fn scaled<'g>(
    importer: &mut Importer<'g>,
    x: &Activation,
    axes: std::ops::Range<usize>,
    given: [Option<&'g str>; 2],
) -> Result<(), String> {
    let mut extents = vec![1; x.rank() - 1];
    axes.clone().for_each(|axis| extents[axis] = x.dims()[axis]);
    let places = affine::for_channels(x, &extents).ok_or("its factors are not for the channels")?;
    for ((what, without), name) in [("gamma", 1.0), ("beta", 0.0)].into_iter().zip(given) {
        let numbers = match name {
            Some(name) => importer.constant(name)?.to_floats()?,
            None => vec![without; extents.iter().product()],
        };
        let n: usize = extents.iter().product();
        if numbers.len() != n {
            return Err(format!("it has {} factors or offsets, not {n}", numbers.len()));
        }
        importer.param(what, places.iter().map(|&at| numbers[at]).collect())?;
    }
    Ok(())
}

fn layer_norm<'g>(
    importer: &mut Importer<'g>,
    x: Activation,
    step: &Step<'g>,
    attributes: &Attributes<'g>,
) -> Result<Activation, String> {
    let first = x.axis(attributes.int("axis", -1)?)?;
    let (last, before) = (x.rank() - 1, x.channels_first());
    let x = match x.view.cover(first..last, CHANNELS, x.shape) {
        true => x,
        false if first + 1 == last => as_channels(importer, x, first)?,
        false => {
            return Err(format!(
                "over the last {} axes of {} is not supported, only over channels",
                last - first,
                x.told()
            ));
        }
    };
    let kind = kinds::LayerNorm { epsilon: attributes.float("epsilon", 1e-5)? };
    let y = importer.keep(kind, x)?;
    scaled(importer, &y, first..last, [step.optional(1), step.optional(2)])?;
    restored(importer, y, before)
}

/// Over each channel; or over each group, where a Reshape has made groups of the channels.
fn instance_norm<'g>(
    importer: &mut Importer<'g>,
    x: Activation,
    step: &Step<'g>,
    attributes: &Attributes<'g>,
) -> Result<Activation, String> {
    let epsilon = attributes.float("epsilon", 1e-5)?;
    let given = [step.optional(1), step.optional(2)];
    let channels = x.dims().first().copied().unwrap_or(0);
    if x.view.cover([0], CHANNELS, x.shape) {
        let y = importer.keep(kinds::InstanceNorm { epsilon }, x)?;
        scaled(importer, &y, 0..1, given)?;
        return Ok(y);
    }
    // The first axis must be the outer part of the channels.
    let outer = match x.view.dims[0][..] {
        [] => true,
        [leaf] => leaf.axis == CHANNELS && leaf.extent * leaf.step == x.shape[CHANNELS],
        _ => false,
    };
    if !outer || x.rank() < 3 {
        return Err(format!("its input {} is not supported", x.told()));
    }
    let y = importer.keep(kinds::GroupNorm { groups: channels, epsilon }, x)?;
    let c = y.shape[CHANNELS];
    let of_group = |at: usize| at / (c / channels);
    for ((what, without), name) in [("gamma", 1.0), ("beta", 0.0)].into_iter().zip(given) {
        let numbers = match name {
            Some(name) => importer.constant(name)?.to_floats()?,
            None => vec![without; channels],
        };
        if numbers.len() != channels {
            return Err(format!("it has {} factors or offsets, not {channels}", numbers.len()));
        }
        importer.param(what, (0..c).map(|at| numbers[of_group(at)]).collect())?;
    }
    Ok(y)
}

fn group_norm<'g>(
    importer: &mut Importer<'g>,
    x: Activation,
    step: &Step<'g>,
    attributes: &Attributes<'g>,
) -> Result<Activation, String> {
    let epsilon = attributes.float("epsilon", 1e-5)?;
    let x = picture(importer, x)?;
    let c = x.shape[CHANNELS];
    let groups = usize::try_from(attributes.int("num_groups", 0)?).ok().filter(|&g| g > 0 && c % g == 0);
    let groups = groups.ok_or_else(|| format!("its groups do not divide {c} channels"))?;
    let y = importer.keep(kinds::GroupNorm { groups, epsilon }, x)?;
    for (what, i) in [("gamma", 1), ("beta", 2)] {
        let numbers = importer.constant(step.input(i)?)?.to_floats()?;
        // Before operator set 21 there was one number for each group.
        let each = match numbers.len() {
            n if n == c => numbers,
            n if n == groups => (0..c).map(|at| numbers[at / (c / groups)]).collect(),
            n => return Err(format!("it has {n} factors or offsets, not {c}")),
        };
        importer.param(what, each)?;
    }
    Ok(y)
}
