//! Another height and width.

use super::arrange::picture;
use super::conv::channels_first;
use super::{Given, Row};
use crate::activation::Activation;
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use foveal_nn::layers as kinds;
use foveal_nn::layers::{Coordinates, ResizeMethod, Round};

pub(super) const ROW: Row = Row { operators: &["Resize", "Upsample"], import: resize };

fn resize<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let x = picture(importer, x)?;
    for name in ["antialias", "exclude_outside"] {
        if attributes.int(name, 0)? != 0 {
            return Err(format!("{name} is not supported"));
        }
    }
    let newer = step.operator == "Resize" && importer.opset >= 11;
    let method = match attributes.text("mode", "nearest")? {
        "nearest" => ResizeMethod::Nearest,
        "linear" => ResizeMethod::Bilinear,
        other => return Err(format!("mode = {other} is not supported, only nearest and linear")),
    };
    let coordinates = match attributes.text("coordinate_transformation_mode", "half_pixel")? {
        _ if !newer => Coordinates::Asymmetric,
        "half_pixel" => Coordinates::HalfPixel,
        "pytorch_half_pixel" => Coordinates::PytorchHalfPixel,
        "align_corners" => Coordinates::AlignCorners,
        "asymmetric" => Coordinates::Asymmetric,
        "tf_half_pixel_for_nn" => Coordinates::TfHalfPixelForNn,
        other => return Err(format!("coordinate_transformation_mode = {other} is not supported")),
    };
    let round = match attributes.text("nearest_mode", "round_prefer_floor")? {
        _ if !newer => Round::Floor,
        "round_prefer_floor" => Round::RoundPreferFloor,
        "round_prefer_ceil" => Round::RoundPreferCeil,
        "floor" => Round::Floor,
        "ceil" => Round::Ceil,
        other => return Err(format!("nearest_mode = {other} is not supported")),
    };
    let (size, scale) = extents(importer, &x, step, attributes, newer)?;
    let shape = [size[0], size[1], x.shape[2]];
    if shape == x.shape && scale.is_none_or(|scale| scale == [1.0; 2]) {
        return Ok(vec![x]);
    }
    let round = (method == ResizeMethod::Nearest).then_some(round);
    // A scale says the size too.
    let size = scale.is_none().then_some(size);
    let kind = kinds::Resize { size, scale, method, coordinates: Some(coordinates), round };
    let view = channels_first(x.line(), shape);
    Ok(vec![importer.push(kind, &[x.layer], shape, view)?])
}

/// The new height and width, and the scales if these are given.
fn extents<'g>(
    importer: &mut Importer<'g>,
    x: &Activation,
    step: &Step<'g>,
    attributes: &Attributes<'g>,
    newer: bool,
) -> Result<([usize; 2], Option<[f32; 2]>), String> {
    // Which axes the numbers are for, after the batch; all of them if it is not said.
    let given = attributes.ints("axes")?.map(<[i64]>::to_vec);
    let all: Vec<i64> = (0..x.rank() as i64).collect();
    let axes = given.unwrap_or(all);
    let place = |axis: usize| -> Option<usize> {
        let rank = x.rank() as i64;
        let wanted = if x.line() { 2 } else { 2 + axis as i64 };
        axes.iter().position(|&a| (if a < 0 { a + rank } else { a }) == wanted)
    };
    let stays = |numbers: &[f64], old: &[f64]| {
        axes.iter().zip(numbers).all(|(&a, &v)| {
            let a = if a < 0 { a + x.rank() as i64 } else { a };
            a >= 2 || old.get(a as usize).is_some_and(|&old| v == old)
        })
    };
    let lines = if x.line() { 1..2 } else { 0..2 };
    let sizes = if newer { step.optional(3) } else { None };
    if let Some(name) = sizes {
        if attributes.text("keep_aspect_ratio_policy", "stretch")? != "stretch" {
            return Err("keep_aspect_ratio_policy is not supported, only stretch".into());
        }
        let numbers = importer.constant(name)?.ints()?;
        let old = [importer.batch as f64, x.shape[2] as f64];
        if numbers.len() != axes.len() || !stays(&numbers.iter().map(|&v| v as f64).collect::<Vec<_>>(), &old)
        {
            return Err(format!("sizes of {numbers:?} are not supported, only of height and width"));
        }
        let mut size = [x.shape[0], x.shape[1]];
        for axis in lines {
            if let Some(at) = place(axis) {
                size[axis] =
                    usize::try_from(numbers[at]).ok().filter(|&v| v > 0).ok_or("a size is below 1")?;
            }
        }
        return Ok((size, None));
    }
    let at = if newer { 2 } else { 1 };
    let numbers = match step.optional(at) {
        Some(name) => importer.constant(name)?.to_floats()?,
        None => attributes.floats("scales")?.ok_or("its scales or sizes are missing")?.to_vec(),
    };
    if numbers.len() != axes.len()
        || !stays(&numbers.iter().map(|&v| v.into()).collect::<Vec<_>>(), &[1.0; 2])
    {
        return Err(format!("scales of {numbers:?} are not supported, only of height and width"));
    }
    let (mut size, mut scale) = ([x.shape[0], x.shape[1]], [1.0; 2]);
    for axis in lines {
        if let Some(at) = place(axis) {
            scale[axis] = numbers[at];
            let extent = (f64::from(scale[axis]) * size[axis] as f64).floor();
            if !(1.0..1e9).contains(&extent) {
                return Err(format!("a scale of {} is not supported", scale[axis]));
            }
            size[axis] = extent as usize;
        }
    }
    Ok((size, Some(scale)))
}
