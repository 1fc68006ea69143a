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
    // ONNX and its runtime do not agree on where the corners of such a size are.
    let whole = |axis: usize, scale: f32| (x.shape[axis] as f32 * scale).fract() == 0.0;
    if let Some([h, w]) = scale.filter(|_| coordinates == Coordinates::AlignCorners)
        && !(whole(0, h) && whole(1, w))
    {
        return Err(format!(
            "align_corners by scales of {h} and {w} of {} is not supported: say sizes",
            x.told()
        ));
    }
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

/// The axes that the numbers of a resize are for, in the node's order, counted with the batch.
struct Axes {
    axes: Vec<usize>,
    /// Whether the activation has one place axis rather than height and width.
    line: bool,
}

impl Axes {
    fn new(x: &Activation, attributes: &Attributes<'_>) -> Result<Self, String> {
        let rank = x.rank() as i64;
        let all: Vec<i64> = (0..rank).collect();
        let given = attributes.ints("axes")?.unwrap_or(&all);
        let axes = given.iter().map(|&a| if a < 0 { a + rank } else { a });
        let axes = axes.map(|a| usize::try_from(a).map_err(|_| format!("axes = {given:?} do not fit")));
        Ok(Self { axes: axes.collect::<Result<_, _>>()?, line: x.line() })
    }

    /// Which of the numbers are for height (0) and width (1).
    fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        let places = if self.line { 1..2 } else { 0..2 };
        places.filter_map(|place| {
            let wanted = if self.line { 2 } else { 2 + place };
            Some((place, self.axes.iter().position(|&a| a == wanted)?))
        })
    }

    /// Whether there is a number for each axis, and those for the batch and the channels are `old`.
    fn only_places(&self, numbers: &[f64], old: [f64; 2]) -> bool {
        let stays = |(&a, &v): (&usize, &f64)| old.get(a).is_none_or(|&old| v == old);
        numbers.len() == self.axes.len() && self.axes.iter().zip(numbers).all(stays)
    }
}

/// The new height and width, and the scales if these are given.
fn extents<'g>(
    importer: &mut Importer<'g>,
    x: &Activation,
    step: &Step<'g>,
    attributes: &Attributes<'g>,
    newer: bool,
) -> Result<([usize; 2], Option<[f32; 2]>), String> {
    let axes = Axes::new(x, attributes)?;
    let [h, w, channels] = x.shape;
    if let Some(name) = if newer { step.optional(3) } else { None } {
        if attributes.text("keep_aspect_ratio_policy", "stretch")? != "stretch" {
            return Err("keep_aspect_ratio_policy is not supported, only stretch".into());
        }
        let numbers = importer.constant(name)?.ints()?;
        let floats: Vec<f64> = numbers.iter().map(|&v| v as f64).collect();
        if !axes.only_places(&floats, [importer.batch as f64, channels as f64]) {
            return Err(format!("sizes of {numbers:?} are not supported, only of height and width"));
        }
        let mut size = [h, w];
        for (place, at) in axes.places() {
            size[place] = usize::try_from(numbers[at]).ok().filter(|&v| v > 0).ok_or("a size is below 1")?;
        }
        return Ok((size, None));
    }
    let numbers = match step.optional(if newer { 2 } else { 1 }) {
        Some(name) => importer.constant(name)?.to_floats()?,
        None => attributes.floats("scales")?.ok_or("its scales or sizes are missing")?.to_vec(),
    };
    let floats: Vec<f64> = numbers.iter().map(|&v| v.into()).collect();
    if !axes.only_places(&floats, [1.0; 2]) {
        return Err(format!("scales of {numbers:?} are not supported, only of height and width"));
    }
    let (mut size, mut scale) = ([h, w], [1.0; 2]);
    for (place, at) in axes.places() {
        scale[place] = numbers[at];
        let extent = (floats[at] * size[place] as f64).floor();
        if !(1.0..1e9).contains(&extent) {
            return Err(format!("a scale of {} is not supported", numbers[at]));
        }
        size[place] = extent as usize;
    }
    Ok((size, Some(scale)))
}
